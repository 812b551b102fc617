/*
 * The word list and the characters of the traditional script, as read from a
 * pack.  A line of the word list is
 *
 *   stop W…            keep W…            vague W…
 *   role NAME W…       same W W…          with NODE ROLE…
 *
 * and '#' begins a remark.  A line of the characters holds pairs.
 */
#include "core/coder/internal.h"

#define WORDS_MOST 20000u
#define WITH_MOST 256u

struct reader {
    const char *name;
    uint32_t line;
    struct puan_str rest; /* of the text */
    struct puan_str row;  /* what is left of the line */
    const char *row_start;
    struct puan_err *err;
};

static bool next_line(struct reader *r)
{
    struct puan_str line;

    while (puan_str_split(&line, &r->rest, '\n')) {
        const char *hash = NULL;

        r->line++;
        for (size_t i = 0; !hash && i < line.n; i++)
            if (line.p[i] == '#')
                hash = line.p + i;
        if (hash)
            line.n = (size_t)(hash - line.p);
        r->row_start = line.p;
        r->row = puan_str_trim(line);
        if (r->row.n > 0)
            return true;
    }
    return false;
}

static bool next_word(struct puan_str *word, struct reader *r)
{
    size_t i = 0;

    r->row = puan_str_trim(r->row);
    while (i < r->row.n && r->row.p[i] != ' ' && r->row.p[i] != '\t')
        i++;
    *word = (struct puan_str){ r->row.p, i };
    r->row.p += i;
    r->row.n -= i;
    return i > 0;
}

static enum puan_status bad(struct reader *r, struct puan_str at,
                            const char *what)
{
    return puan_fail_at(r->err, PUAN_EINVAL, r->name, r->line,
                        (uint32_t)(at.p - r->row_start) + 1, "%.*s: %s",
                        (int)(at.n > 60 ? 60 : at.n), at.p, what);
}

uint64_t coder_hash(uint64_t h, uint32_t v)
{
    for (int i = 0; i < 3; i++) {
        h = (h ^ (v & 0xff)) * 0x100000001b3u;
        v >>= 8;
    }
    return h;
}

uint32_t coder_fold(const struct coder_lexicon *w, uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    if (w->simple && c >= CODER_HAN_FIRST && c < CODER_HAN_END &&
        w->simple[c - CODER_HAN_FIRST])
        return w->simple[c - CODER_HAN_FIRST];
    return c;
}

static enum puan_status read_chars(struct coder_lexicon *w, struct reader *r,
                                   struct puan_arena *a)
{
    struct puan_str word;

    w->simple = puan_new_n(a, CODER_HAN_END - CODER_HAN_FIRST, uint16_t);
    if (!w->simple)
        return puan_arena_check(a, r->err);
    while (next_line(r)) {
        while (next_word(&word, r)) {
            struct puan_str at = word;
            int32_t from = puan_utf8_next(&word), to = puan_utf8_next(&word);

            if (from < (int32_t)CODER_HAN_FIRST ||
                from >= (int32_t)CODER_HAN_END ||
                to < (int32_t)CODER_HAN_FIRST || to >= (int32_t)CODER_HAN_END ||
                word.n)
                return bad(r, at,
                           "expected a pair of Chinese characters, the "
                           "traditional and the simplified one");
            w->simple[(uint32_t)from - CODER_HAN_FIRST] = (uint16_t)to;
        }
    }
    return PUAN_OK;
}

static uint64_t word_key(const uint32_t *cp, size_t n)
{
    uint64_t h = CODER_HASH;

    for (size_t i = 0; i < n; i++)
        h = coder_hash(h, cp[i]);
    return h;
}

static uint32_t *word_slot(const struct coder_lexicon *w, const uint32_t *cp,
                           size_t n)
{
    size_t i = (size_t)word_key(cp, n) & (w->slots - 1);

    while (w->slot[i]) {
        const struct coder_word *x = &w->word[w->slot[i] - 1];

        if (x->n == n && memcmp(x->cp, cp, n * sizeof(*cp)) == 0)
            break;
        i = (i + 1) & (w->slots - 1);
    }
    return &w->slot[i];
}

/* Adds a word; *at is its number. */
static enum puan_status add_word(uint16_t *at, struct coder_lexicon *w,
                                 struct reader *r, struct puan_str text,
                                 enum coder_word_kind kind, uint16_t value)
{
    struct coder_word x = { .kind = (uint8_t)kind, .value = value };
    struct puan_str rest = text;
    uint32_t *slot;

    while (rest.n > 0) {
        int32_t c = puan_utf8_next(&rest);

        if (c < 0)
            return bad(r, text, "not UTF-8");
        if (x.n == CODER_WORD_MOST)
            return bad(r, text, "a word of at most 10 characters is expected");
        x.cp[x.n++] = coder_fold(w, (uint32_t)c);
    }
    slot = word_slot(w, x.cp, x.n);
    if (*slot)
        return bad(r, text, "this word is on the list already; take one out");
    if (w->n == WORDS_MOST)
        return bad(r, text, "the list holds at most 20000 words");
    *at = (uint16_t)w->n;
    w->word[w->n++] = x;
    *slot = (uint32_t)w->n;
    return PUAN_OK;
}

static int role_of(const struct coder_lexicon *w, struct puan_str name)
{
    for (size_t i = 0; i < w->n_roles; i++)
        if (puan_str_eq(w->role[i], name))
            return (int)i;
    return -1;
}

static enum puan_status add_role(uint16_t *role, struct coder_lexicon *w,
                                 struct reader *r)
{
    struct puan_str name;
    int have;

    if (!next_word(&name, r))
        return bad(r, r->row, "a role's name is expected");
    have = role_of(w, name);
    if (have < 0) {
        if (w->n_roles == CODER_ROLES)
            return bad(r, name, "at most 64 roles");
        have = (int)w->n_roles;
        w->role[w->n_roles++] = name;
    }
    *role = (uint16_t)have;
    return PUAN_OK;
}

static enum puan_status read_with(struct coder_lexicon *w, struct reader *r)
{
    struct puan_str code, name;

    if (!next_word(&code, r))
        return bad(r, r->row, "a code is expected");
    while (next_word(&name, r)) {
        int role = role_of(w, name);

        if (role < 0)
            return bad(r, name, "no role of that name stands above");
        if (w->n_with == WITH_MOST)
            return bad(r, name, "at most 256 roles by code");
        w->with[w->n_with].code = code;
        w->with[w->n_with++].role = (uint16_t)role;
    }
    return PUAN_OK;
}

static enum puan_status read_line(struct coder_lexicon *w, struct reader *r)
{
    static const struct {
        const char *name;
        enum coder_word_kind kind;
    } kinds[] = { { "stop", CODER_WORD_STOP },
                  { "keep", CODER_WORD_KEEP },
                  { "vague", CODER_WORD_VAGUE },
                  { "role", CODER_WORD_ROLE },
                  { "same", CODER_WORD_SAME } };
    enum coder_word_kind kind = 0;
    struct puan_str first, word;
    uint16_t value = 0, at;
    enum puan_status st = PUAN_OK;

    if (!next_word(&first, r))
        return PUAN_OK;
    if (puan_str_is(first, "with"))
        return read_with(w, r);
    for (size_t i = 0; i < PUAN_COUNT(kinds); i++)
        if (puan_str_is(first, kinds[i].name))
            kind = kinds[i].kind;
    if (!kind)
        return bad(r, first, "expected stop, keep, vague, role, same or with");
    if (kind == CODER_WORD_ROLE)
        st = add_role(&value, w, r);
    if (kind == CODER_WORD_SAME) {
        if (!next_word(&word, r))
            return bad(r, first, "a word is expected");
        st = add_word(&value, w, r, word, CODER_WORD_KEEP, 0);
    }
    while (st == PUAN_OK && next_word(&word, r))
        st = add_word(&at, w, r, word, kind, value);
    return st;
}

enum puan_status coder_words(struct coder_lexicon *w,
                             struct puan_coder_source words,
                             struct puan_coder_source chars,
                             struct puan_arena *a, struct puan_err *err)
{
    struct reader r = { chars.name, 0, chars.text, { "", 0 }, "", err };
    enum puan_status st = PUAN_OK;
    size_t most = 1;

    *w = (struct coder_lexicon){ 0 };
    if (chars.text.n > 0)
        st = read_chars(w, &r, a);
    for (size_t i = 0; i < words.text.n; i++)
        most += words.text.p[i] == ' ' || words.text.p[i] == '\t';
    if (most > WORDS_MOST)
        most = WORDS_MOST;
    for (w->slots = 64; w->slots < most * 2; w->slots *= 2)
        ;
    w->slot = puan_new_n(a, w->slots, uint32_t);
    w->word = puan_new_n(a, most + 1, struct coder_word);
    w->role = puan_new_n(a, CODER_ROLES, struct puan_str);
    w->with = puan_arena_get_n(a, WITH_MOST, sizeof(*w->with));
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    r = (struct reader){ words.name, 0, words.text, { "", 0 }, "", err };
    while (st == PUAN_OK && words.text.n > 0 && next_line(&r))
        st = read_line(w, &r);
    return st;
}
