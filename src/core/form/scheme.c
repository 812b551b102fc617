/*
 * Numbers with check characters, and words in texts.
 */
#include "core/form/scheme.h"

#include "core/codes/codes.h"

static int place_of(struct puan_str alphabet, char c)
{
    for (size_t i = 0; i < alphabet.n; i++)
        if (alphabet.p[i] == c)
            return (int)i;
    return -1;
}

/* ---- reading a scheme ---- */

static enum puan_status alphabet_of(struct puan_str *out,
                                    const struct puan_node *map,
                                    const char *key, struct puan_str otherwise,
                                    struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    enum puan_status st = PUAN_OK;

    *out = otherwise;
    if (n != NULL || otherwise.n == 0)
        st = puan_node_str(out, map, key, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < out->n; i++) {
        char c = out->p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
            return puan_node_fail(n ? n : map, err,
                                  "'%s' holds digits and capital letters only",
                                  key);
        if (place_of((struct puan_str){ out->p, i }, c) >= 0)
            return puan_node_fail(n ? n : map, err, "'%s' holds '%c' twice", key,
                                  c);
    }
    if (out->n < 2)
        return puan_node_fail(n ? n : map, err,
                              "'%s' needs two characters or more", key);
    return PUAN_OK;
}

/* from, length: a stretch of the number. */
static enum puan_status stretch(unsigned *from, unsigned *length,
                                const struct puan_node *n, unsigned whole,
                                struct puan_err *err)
{
    int64_t f, l;
    enum puan_status st = puan_node_int(&f, n, "from", 1, whole, err);

    if (st == PUAN_OK)
        st = puan_node_int(&l, n, "length", 1, whole - f + 1, err);
    if (st != PUAN_OK)
        return st;
    *from = (unsigned)f;
    *length = (unsigned)l;
    return PUAN_OK;
}

static enum puan_status weights_of(struct puan_scheme_check *c,
                                   const struct puan_node *n,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_node *list = puan_node_get(n, "weights");
    uint16_t *w = puan_new_n(a, c->length, uint16_t);
    size_t k = 0;

    if (w == NULL)
        return puan_arena_check(a, err);
    if (list == NULL || list->kind != PUAN_NODE_LIST || list->n != c->length)
        return puan_node_fail(list ? list : n, err,
                              "'weights' must be a list of %u numbers, one a "
                              "character",
                              c->length);
    PUAN_NODE_EACH(x, list)
    {
        int64_t v;

        if (!puan_int_parse(&v, x->text) || v < 0 || v > 9999)
            return puan_node_fail(x, err, "a weight is a number from 0 to 9999");
        w[k++] = (uint16_t)v;
    }
    c->weights = w;
    return PUAN_OK;
}

static enum puan_status check_load(struct puan_scheme_check *c,
                                   const struct puan_scheme *s,
                                   const struct puan_node *n,
                                   struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "at",      "from",     "length", "weights",
                                        "modulus", "alphabet", "marks",  NULL };
    int64_t v = 0;
    enum puan_status st = puan_node_only(n, keys, err);

    if (st == PUAN_OK)
        st = puan_node_int(&v, n, "at", 1, s->length, err);
    c->at = (unsigned)v;
    if (st == PUAN_OK)
        st = stretch(&c->from, &c->length, n, s->length, err);
    if (st == PUAN_OK)
        st = weights_of(c, n, a, err);
    if (st == PUAN_OK)
        st = alphabet_of(&c->alphabet, n, "alphabet", s->alphabet, err);
    if (st == PUAN_OK)
        st = alphabet_of(&c->marks, n, "marks", c->alphabet, err);
    if (st == PUAN_OK)
        st = puan_node_int(&v, n, "modulus", 2, (int64_t)c->marks.n, err);
    c->modulus = (unsigned)v;
    return st;
}

static enum puan_status part_load(struct puan_scheme_part *p,
                                  const struct puan_scheme *s,
                                  const struct puan_node *n,
                                  puan_scheme_list_fn list, void *ctx,
                                  struct puan_err *err)
{
    static const char *const keys[] = { "from",   "length", "zh",
                                        "en",     "digits", "codes",
                                        NULL };
    const struct puan_node *codes = puan_node_get(n, "codes");
    bool digits = false;
    enum puan_status st = puan_node_only(n, keys, err);

    p->name = n->key;
    if (st == PUAN_OK)
        st = stretch(&p->from, &p->length, n, s->length, err);
    if (st == PUAN_OK)
        st = puan_node_str(&p->zh, n, "zh", err);
    if (st == PUAN_OK)
        st = puan_node_str(&p->en, n, "en", err);
    if (st == PUAN_OK)
        st = puan_node_bool(&digits, n, "digits", false, err);
    if (st == PUAN_OK && codes != NULL)
        st = list(&p->codes, ctx, codes, err);
    if (st != PUAN_OK)
        return st;
    p->digits = digits ? p->length : 0;
    if (digits && codes != NULL)
        return puan_node_fail(codes, err, "a part has 'digits' or 'codes'");
    if (p->length > 11 && codes == NULL)
        return puan_node_fail(n, err,
                              "a part of more than 11 characters is no number: "
                              "give it 'codes'");
    return PUAN_OK;
}

enum puan_status puan_scheme_load(struct puan_scheme **out,
                                  const struct puan_node *n,
                                  puan_scheme_list_fn list, void *ctx,
                                  struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "length", "alphabet", "checks", "parts",
                                        NULL };
    const struct puan_node *checks = puan_node_get(n, "checks");
    const struct puan_node *parts = puan_node_get(n, "parts");
    struct puan_scheme *s = puan_new(a, struct puan_scheme);
    struct puan_scheme_check *c;
    struct puan_scheme_part *p;
    int64_t v = 0;
    enum puan_status st;

    if (s == NULL)
        return puan_arena_check(a, err);
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "a scheme is a map with 'length', "
                                      "'alphabet', 'checks', 'parts'");
    c = puan_new_n(a, (checks ? checks->n : 0) + 1, struct puan_scheme_check);
    p = puan_new_n(a, (parts ? parts->n : 0) + 1, struct puan_scheme_part);
    if (c == NULL || p == NULL)
        return puan_arena_check(a, err);
    s->name = n->key;
    st = puan_node_only(n, keys, err);
    if (st == PUAN_OK)
        st = puan_node_int(&v, n, "length", 1, PUAN_SCHEME_LENGTH, err);
    s->length = (unsigned)v;
    if (st == PUAN_OK)
        st = alphabet_of(&s->alphabet, n, "alphabet", PUAN_STR(""), err);
    if (st == PUAN_OK && checks != NULL && checks->kind != PUAN_NODE_LIST)
        st = puan_node_fail(checks, err, "'checks' is a list of maps");
    PUAN_NODE_EACH(k, checks)
    {
        if (st == PUAN_OK)
            st = check_load(&c[s->n_checks++], s, k, a, err);
    }
    if (st == PUAN_OK && parts != NULL && parts->kind != PUAN_NODE_MAP)
        st = puan_node_fail(parts, err, "'parts' is a map of names");
    PUAN_NODE_EACH(k, parts)
    {
        if (st == PUAN_OK)
            st = part_load(&p[s->n_parts++], s, k, list, ctx, err);
    }
    s->check = c;
    s->part = p;
    *out = s;
    return st;
}

/* ---- numbers ---- */

int64_t puan_scheme_verdict(const struct puan_scheme *s, struct puan_str text)
{
    char t[PUAN_SCHEME_LENGTH + 2];

    if (puan_mark_normal(t, sizeof(t), text) != s->length)
        return PUAN_NUMBER_LENGTH;
    for (unsigned i = 0; i < s->length; i++) {
        bool ok = place_of(s->alphabet, t[i]) >= 0;

        /* a check may use marks of its own, such as the X of modulus 11 */
        for (size_t k = 0; !ok && k < s->n_checks; k++)
            ok = s->check[k].at == i + 1 &&
                 place_of(s->check[k].marks, t[i]) >= 0;
        if (!ok)
            return PUAN_NUMBER_CHARACTER;
    }
    for (size_t k = 0; k < s->n_checks; k++) {
        const struct puan_scheme_check *c = &s->check[k];
        uint64_t sum = 0;
        bool ok = true;

        for (unsigned i = 0; i < c->length; i++) {
            int v = place_of(c->alphabet, t[c->from - 1 + i]);

            if (v < 0)
                ok = false;
            else
                sum += (uint64_t)v * c->weights[i];
        }
        if (!ok || c->marks.p[(c->modulus - sum % c->modulus) % c->modulus] !=
                       t[c->at - 1])
            return PUAN_NUMBER_DIGIT + (int64_t)k;
    }
    return PUAN_NUMBER_OK;
}

bool puan_scheme_value(int64_t *out, const struct puan_scheme *s, size_t i,
                       struct puan_str text)
{
    const struct puan_scheme_part *p = &s->part[i];
    char t[PUAN_SCHEME_LENGTH + 2];
    const struct puan_code *c;

    *out = 0;
    if (puan_mark_normal(t, sizeof(t), text) != s->length)
        return false;
    if (p->codes != NULL) {
        c = puan_code_by_text(p->codes,
                              (struct puan_str){ t + p->from - 1, p->length });
        if (c == NULL)
            return false;
        *out = c->value;
        return true;
    }
    for (unsigned k = 0; k < p->length; k++) {
        char ch = t[p->from - 1 + k];
        int v = p->digits ? (ch >= '0' && ch <= '9' ? ch - '0' : -1)
                          : place_of(s->alphabet, ch);

        if (v < 0) {
            *out = 0;
            return false;
        }
        *out = *out * (p->digits ? 10 : (int64_t)s->alphabet.n) + v;
    }
    return true;
}

/* ---- words ---- */

static int small(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* One past the last place where `word` stands in `text`; 0: nowhere. */
static size_t last_end(struct puan_str text, struct puan_str word)
{
    if (word.n == 0)
        return 0;
    for (size_t end = text.n; end >= word.n; end--) {
        size_t i = 0;

        while (i < word.n && small(text.p[end - word.n + i]) == small(word.p[i]))
            i++;
        if (i == word.n)
            return end;
    }
    return 0;
}

int64_t puan_words_find(const struct puan_codelist *words, struct puan_str text)
{
    size_t best_end = 0, best_n = 0;
    int64_t best = 0;

    for (size_t i = 0; i < words->n; i++) {
        const struct puan_str label[2] = { words->codes[i].zh,
                                           words->codes[i].en };

        for (size_t k = 0; k < 2; k++) {
            struct puan_str rest = label[k], word;

            while (puan_str_split(&word, &rest, '|')) {
                size_t end = last_end(text, puan_str_trim(word));
                size_t n = puan_str_trim(word).n;

                if (end > best_end || (end == best_end && end > 0 && n > best_n)) {
                    best_end = end;
                    best_n = n;
                    best = words->codes[i].value;
                }
            }
        }
    }
    return best;
}
