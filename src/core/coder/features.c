/*
 * From an answer to its features.  The text is folded (narrow, simplified,
 * lower case), parted at everything that is not a letter and at the words of
 * the list that say what is done rather than with what; n-grams are taken
 * within such stretches only, so that their order does not matter.
 */
#include "core/coder/internal.h"

struct text {
    uint32_t cp[PUAN_CODER_TEXT];
    size_t n;
};

static bool letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void put(struct coder_bag *b, enum coder_gram_kind kind,
                const uint32_t *cp, size_t n)
{
    uint64_t h = coder_hash(CODER_HASH, (uint32_t)kind + 1);

    if (b->n == PUAN_COUNT(b->f))
        return;
    for (size_t i = 0; i < n; i++)
        h = coder_hash(h, cp[i]);
    b->f[b->n].key = h ? h : 1;
    b->f[b->n++].kind = (uint8_t)kind;
}

/* n-grams of a stretch without borders. */
static void stretch(struct coder_bag *b, const uint32_t *cp, size_t n)
{
    if (n == 0)
        return;
    b->meant = true;
    for (size_t i = 0; i < n; i++) {
        put(b, CODER_GRAM_CHAR, cp + i, 1);
        if (i + 2 <= n)
            put(b, CODER_GRAM_PAIR, cp + i, 2);
        if (i + 3 <= n)
            put(b, CODER_GRAM_TRIPLE, cp + i, 3);
    }
    put(b, CODER_GRAM_END, cp + n - 1, 1);
    if (n > 1) {
        put(b, CODER_GRAM_END, cp + n - 2, 2);
        put(b, CODER_GRAM_RUN, cp, n);
    }
}

/* The longest word of the list at cp, or NULL. */
static const struct coder_word *word_at(const struct coder_lexicon *w,
                                        const uint32_t *cp, size_t n)
{
    if (w->n == 0)
        return NULL;
    for (size_t len = n < CODER_WORD_MOST ? n : CODER_WORD_MOST; len > 0;
         len--) {
        uint64_t h = CODER_HASH;
        size_t i;

        for (size_t k = 0; k < len; k++)
            h = coder_hash(h, cp[k]);
        for (i = (size_t)h & (w->slots - 1); w->slot[i];
             i = (i + 1) & (w->slots - 1)) {
            const struct coder_word *x = &w->word[w->slot[i] - 1];

            if (x->n == len && memcmp(x->cp, cp, len * sizeof(*cp)) == 0)
                return x;
        }
    }
    return NULL;
}

/* What is found on the way through a text. */
struct found {
    void (*run)(void *ctx, const uint32_t *cp, size_t n);
    void (*word)(void *ctx, const struct coder_word *w);
    void *ctx;
};

/* A stretch of Chinese characters: words of the list part it. */
static void chinese(const struct found *to, const struct coder_lexicon *w,
                    const uint32_t *cp, size_t n)
{
    uint32_t run[PUAN_CODER_TEXT];
    size_t k = 0;

    for (size_t i = 0; i < n;) {
        const struct coder_word *x = word_at(w, cp + i, n - i);
        const struct coder_word *as = x;

        if (!x) {
            run[k++] = cp[i++];
        } else {
            if (x->kind == CODER_WORD_SAME)
                as = &w->word[x->value];
            if (as->kind == CODER_WORD_KEEP) {
                for (size_t j = 0; j < as->n; j++)
                    run[k++] = as->cp[j];
            } else {
                to->run(to->ctx, run, k);
                k = 0;
                to->word(to->ctx, x);
            }
            i += x->n;
        }
        if (k + CODER_WORD_MOST > PUAN_CODER_TEXT) {
            to->run(to->ctx, run, k);
            k = 0;
        }
    }
    to->run(to->ctx, run, k);
}

static void bag_run(void *ctx, const uint32_t *cp, size_t n)
{
    stretch(ctx, cp, n);
}

static void bag_word(void *ctx, const struct coder_word *w)
{
    uint32_t role = w->value;

    if (w->kind != CODER_WORD_ROLE)
        return;
    put(ctx, CODER_GRAM_ROLE, &role, 1);
    put(ctx, CODER_GRAM_WORD, w->cp, w->n);
}

static void part(void *ctx, const uint32_t *cp, size_t n)
{
    struct puan_out *o = ctx;

    for (size_t i = 0; i < n; i++) {
        char utf8[4];

        puan_out_bytes(o, utf8, puan_utf8_put(utf8, cp[i]));
    }
    if (n > 0)
        puan_out_char(o, '\n');
}

static void part_word(void *ctx, const struct coder_word *w)
{
    part(ctx, w->cp, w->n);
}

static void fold(struct text *t, const struct coder_lexicon *w,
                 struct puan_str s)
{
    t->n = 0;
    while (s.n > 0 && t->n < PUAN_CODER_TEXT) {
        int32_t c = puan_utf8_next(&s);

        if (c < 0) { /* a broken byte parts the text */
            c = ' ';
            if (s.n > 0) {
                s.p++;
                s.n--;
            }
        }
        t->cp[t->n++] = coder_fold(w, (uint32_t)c);
    }
}

void coder_features(struct coder_bag *b, const struct coder_lexicon *w,
                    struct puan_str text)
{
    const struct found to = { bag_run, bag_word, b };
    struct text t;

    fold(&t, w, text);
    for (size_t i = 0; i < t.n;) {
        size_t from = i;
        bool digits = true;

        if (coder_han(t.cp[i])) {
            while (i < t.n && coder_han(t.cp[i]))
                i++;
            b->any = true;
            chinese(&to, w, t.cp + from, i - from);
        } else if (letter(t.cp[i])) {
            for (; i < t.n && letter(t.cp[i]); i++)
                digits = digits && t.cp[i] <= '9';
            b->any = true;
            if (!digits && i - from <= 24) {
                put(b, CODER_GRAM_WORD, t.cp + from, i - from);
                b->meant = true;
            }
        } else {
            i++;
        }
    }
}

void coder_parts(struct puan_out *o, const struct coder_lexicon *w,
                 struct puan_str text)
{
    const struct found to = { part, part_word, o };
    struct text t;

    fold(&t, w, text);
    for (size_t i = 0; i < t.n;) {
        size_t from = i;

        if (coder_han(t.cp[i])) {
            while (i < t.n && coder_han(t.cp[i]))
                i++;
            chinese(&to, w, t.cp + from, i - from);
        } else if (letter(t.cp[i])) {
            while (i < t.n && letter(t.cp[i]))
                i++;
            part(o, t.cp + from, i - from);
        } else {
            i++;
        }
    }
}

/* Heap sort: no library, no worst case. */
static void sift(struct coder_gram *f, size_t at, size_t n)
{
    for (;;) {
        size_t kid = 2 * at + 1;
        struct coder_gram x = f[at];

        if (kid >= n)
            return;
        if (kid + 1 < n && f[kid + 1].key > f[kid].key)
            kid++;
        if (f[kid].key <= x.key)
            return;
        f[at] = f[kid];
        f[kid] = x;
        at = kid;
    }
}

void coder_bag_finish(struct coder_bag *b)
{
    size_t n = 0;

    for (size_t i = b->n / 2; i-- > 0;)
        sift(b->f, i, b->n);
    for (size_t end = b->n; end > 1;) {
        struct coder_gram x = b->f[0];

        b->f[0] = b->f[--end];
        b->f[end] = x;
        sift(b->f, 0, end);
    }
    for (size_t i = 0; i < b->n; i++)
        if (i == 0 || b->f[i].key != b->f[i - 1].key)
            b->f[n++] = b->f[i];
    b->n = n;
}

uint64_t coder_role_key(uint32_t role)
{
    return coder_hash(coder_hash(CODER_HASH, CODER_GRAM_ROLE + 1), role);
}

uint64_t coder_bag_roles(const struct coder_bag *b,
                         const struct coder_lexicon *w)
{
    uint64_t roles = 0;

    for (size_t i = 0; i < b->n; i++)
        for (uint32_t r = 0; b->f[i].kind == CODER_GRAM_ROLE && r < w->n_roles;
             r++)
            if (b->f[i].key == coder_role_key(r))
                roles |= UINT64_C(1) << r;
    return roles;
}
