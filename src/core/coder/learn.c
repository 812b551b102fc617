/*
 * Reads the classification with its entries and counts what is said of which
 * class.  A line of the list is
 *
 *   CODE NAME | ENTRY ENTRY …
 *
 * in the order of the tree.  A line belongs below the nearest line above whose
 * code its own begins with; failing that, below the last code of one letter.
 * The name of a class without classes below is an entry of it, too.
 */
#include "core/coder/internal.h"
#include "core/coder/number.h"

#define NODES_MOST 20000u
#define ENTRIES_MOST 1000000u

/* How much a feature counts by its kind; found by cross-validation over the
   entries (`puan code --tune`), not over any test text. */
const double coder_weight[CODER_GRAM_KINDS] = { 0.5, 0.12, 0.04, 0.06,
                                                0.2, 2.19, 0.2 };

/* The same for the likeness to an entry, on top of how rare a feature is. */
const double coder_alike_weight[CODER_GRAM_KINDS] = { 2.31, 1.2, 3,  0.6,
                                                      0.8,  3,   1.2 };

/* Strength of the parent's share, by depth: its say in counts of features. */
static const double strength[] = { 160, 200, 12, 50 };

static bool is_letter_code(struct puan_str s)
{
    return s.n == 1 && ((s.p[0] >= 'A' && s.p[0] <= 'Z') ||
                        (s.p[0] >= 'a' && s.p[0] <= 'z'));
}

static bool begins(struct puan_str s, struct puan_str with)
{
    return s.n > with.n && memcmp(s.p, with.p, with.n) == 0;
}

static int32_t parent_of(const struct puan_coder *c, struct puan_str code)
{
    int32_t letter = -1;

    for (size_t i = c->n_nodes; i-- > 0;) {
        if (begins(code, c->node[i].code))
            return (int32_t)i;
        if (letter < 0 && is_letter_code(c->node[i].code))
            letter = (int32_t)i;
    }
    return is_letter_code(code) ? -1 : letter;
}

static struct puan_str word_of(struct puan_str *row)
{
    struct puan_str s = puan_str_trim(*row), w;
    size_t i = 0;

    while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
        i++;
    w = (struct puan_str){ s.p, i };
    *row = (struct puan_str){ s.p + i, s.n - i };
    return w;
}

static void add_entry(struct puan_coder *c, struct puan_str text)
{
    c->entry[c->n_entries].text = text;
    c->entry[c->n_entries++].node = (uint32_t)c->n_nodes - 1;
}

static enum puan_status add_line(struct puan_coder *c, struct puan_str row,
                                 const char *name, uint32_t line,
                                 struct puan_err *err)
{
    struct puan_str code, title, rest = { "", 0 };
    struct puan_coder_node *n = &c->node[c->n_nodes];
    const char *start = row.p;
    bool bar;

    code = word_of(&row);
    if (code.n > 16)
        return puan_fail_at(err, PUAN_EINVAL, name, line, 1,
                            "%.*s: a code of at most 16 characters is expected",
                            (int)(code.n > 40 ? 40 : code.n), code.p);
    if (puan_coder_find(c, code) >= 0)
        return puan_fail_at(err, PUAN_EINVAL, name, line, 1,
                            "code %.*s stands twice; join its two lines",
                            PUAN_FMT(code));
    bar = puan_str_split(&title, &row, '|');
    if (bar && row.p)
        rest = row;
    title = puan_str_trim(title);
    if (title.n == 0)
        return puan_fail_at(err, PUAN_EINVAL, name, line,
                            (uint32_t)(code.p - start + (ptrdiff_t)code.n) + 1,
                            "a name is expected after code %.*s",
                            PUAN_FMT(code));
    *n = (struct puan_coder_node){ code, title, parent_of(c, code),
                                   (uint16_t)code.n, true };
    if (n->parent >= 0)
        c->node[n->parent].leaf = false;
    c->n_nodes++;
    add_entry(c, title);
    while (rest.n > 0) {
        struct puan_str e = word_of(&rest);

        if (e.n > 0)
            add_entry(c, e);
    }
    return PUAN_OK;
}

static enum puan_status read_list(struct puan_coder *c,
                                  struct puan_coder_source list,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_str rest = list.text, line;
    size_t lines = 1, words = 1;
    uint32_t number = 0;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < list.text.n; i++) {
        lines += list.text.p[i] == '\n';
        words += list.text.p[i] == ' ' || list.text.p[i] == '\t';
    }
    if (lines > NODES_MOST || words > ENTRIES_MOST)
        return puan_fail(err, PUAN_ELIMIT, list.name,
                         "at most %u classes and %u entries", NODES_MOST,
                         ENTRIES_MOST);
    c->node = puan_new_n(a, lines, struct puan_coder_node);
    c->entry = puan_new_n(a, lines * 2 + words, struct coder_entry);
    st = puan_arena_check(a, err);
    while (st == PUAN_OK && puan_str_split(&line, &rest, '\n')) {
        number++;
        line = puan_str_trim(line);
        if (line.n > 0 && line.p[0] != '#')
            st = add_line(c, line, list.name, number, err);
    }
    if (st == PUAN_OK && c->n_nodes == 0)
        st = puan_fail(err, PUAN_EINVAL, list.name,
                       "no class: expected lines of CODE NAME | ENTRY ENTRY");
    return st;
}

/* --- counting ------------------------------------------------------------ */

/* A feature was seen in an entry, with some weight. */
struct seen {
    uint32_t feature, node;
    float weight;
};

struct tally {
    struct puan_coder *c;
    struct seen *seen;
    size_t n, cap;
    uint32_t *entry_feature; /* pairs (feature, entry) */
    size_t n_pairs, cap_pairs;
    uint64_t *own; /* per entry: roles its own words name */
    struct puan_arena *scratch;
};

int64_t coder_feature(const struct puan_coder *c, uint64_t key)
{
    size_t i = (size_t)key & (c->slots - 1);

    for (; c->slot[i].key; i = (i + 1) & (c->slots - 1))
        if (c->slot[i].key == key)
            return c->slot[i].id;
    return -1;
}

static bool grow(struct puan_coder *c, struct puan_arena *a)
{
    struct coder_slot *old = c->slot;
    size_t n = c->slots;

    c->slots = n ? n * 2 : 1u << 14;
    c->slot = puan_new_n(a, c->slots, struct coder_slot);
    if (!c->slot) {
        c->slots = 0;
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        size_t i = (size_t)old[k].key & (c->slots - 1);

        if (!old[k].key)
            continue;
        while (c->slot[i].key)
            i = (i + 1) & (c->slots - 1);
        c->slot[i] = old[k];
    }
    return true;
}

static bool feature_new(uint32_t *id, struct puan_coder *c, uint64_t key,
                        unsigned kind, struct puan_arena *a)
{
    size_t i;

    if (c->n_features * 2 >= c->slots && !grow(c, a))
        return false;
    i = (size_t)key & (c->slots - 1);
    while (c->slot[i].key && c->slot[i].key != key)
        i = (i + 1) & (c->slots - 1);
    if (!c->slot[i].key) {
        c->slot[i].key = key;
        c->slot[i].kind = kind;
        c->slot[i].id = (uint32_t)c->n_features++;
    }
    *id = c->slot[i].id;
    return true;
}

static bool note(struct tally *t, uint32_t feature, uint32_t node, double w)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 1u << 16;
        struct seen *more = puan_new_n(t->scratch, cap, struct seen);

        if (!more)
            return false;
        if (t->n)
            memcpy(more, t->seen, t->n * sizeof(*more));
        t->seen = more;
        t->cap = cap;
    }
    t->seen[t->n++] = (struct seen){ feature, node, (float)w };
    return true;
}

static bool note_pair(struct tally *t, uint32_t feature, uint32_t entry)
{
    if (t->n_pairs == t->cap_pairs) {
        size_t cap = t->cap_pairs ? t->cap_pairs * 2 : 1u << 16;
        uint32_t *more = puan_arena_get_n(t->scratch, cap, 2 * sizeof(*more));

        if (!more)
            return false;
        if (t->n_pairs)
            memcpy(more, t->entry_feature, t->n_pairs * 2 * sizeof(*more));
        t->entry_feature = more;
        t->cap_pairs = cap;
    }
    t->entry_feature[2 * t->n_pairs] = feature;
    t->entry_feature[2 * t->n_pairs++ + 1] = entry;
    return true;
}

/* The nearest node above (or itself) that the word list gives roles to. */
static struct puan_str with_code(const struct puan_coder *c, uint32_t node)
{
    for (int32_t i = (int32_t)node; i >= 0; i = c->node[i].parent)
        for (size_t k = 0; k < c->words.n_with; k++)
            if (puan_str_eq(c->words.with[k].code, c->node[i].code))
                return c->node[i].code;
    return (struct puan_str){ "", 0 };
}

static bool count_entry(struct tally *t, uint32_t e, struct coder_bag *b,
                        struct puan_arena *a)
{
    struct puan_coder *c = t->c;
    struct coder_entry *x = &c->entry[e];
    struct puan_str code = with_code(c, x->node);
    size_t roles = 0;

    b->n = 0;
    coder_features(b, &c->words, x->text);
    coder_bag_finish(b);
    x->grams = 0;
    x->roles = t->own[e] = coder_bag_roles(b, &c->words);
    for (size_t i = 0; i < b->n; i++) {
        uint32_t id;

        x->grams += coder_gram(&b->f[i]);
        if (!feature_new(&id, c, b->f[i].key, b->f[i].kind, a) ||
            !note(t, id, x->node, coder_weight[b->f[i].kind]) ||
            (b->f[i].kind != CODER_GRAM_ROLE && !note_pair(t, id, e)))
            return false;
    }
    for (size_t k = 0; code.n && k < c->words.n_with; k++)
        roles += puan_str_eq(c->words.with[k].code, code);
    for (size_t k = 0; roles && k < c->words.n_with; k++) {
        uint16_t role = c->words.with[k].role;
        uint32_t id;

        if (!puan_str_eq(c->words.with[k].code, code))
            continue;
        x->roles |= UINT64_C(1) << role;
        if (!feature_new(&id, c, coder_role_key(role), CODER_GRAM_ROLE, a) ||
            !note(t, id, x->node,
                  coder_weight[CODER_GRAM_ROLE] / (double)(roles + 1)))
            return false;
    }
    return true;
}

/* Puts pairs (a, b) in order of a by counting; start has n + 1 places. */
static bool by_feature(uint32_t **start, uint32_t **item, const uint32_t *pairs,
                       size_t n_pairs, size_t n, struct puan_arena *a)
{
    uint32_t *s = puan_new_n(a, n + 2, uint32_t);
    uint32_t *v = puan_new_n(a, n_pairs + 1, uint32_t);

    if (!s || !v)
        return false;
    for (size_t i = 0; i < n_pairs; i++)
        s[pairs[2 * i] + 2]++;
    for (size_t i = 2; i < n + 2; i++)
        s[i] += s[i - 1];
    for (size_t i = 0; i < n_pairs; i++)
        v[s[pairs[2 * i] + 1]++] = pairs[2 * i + 1];
    *start = s;
    *item = v;
    return true;
}

/* --- the tree's shares --------------------------------------------------- */

struct share {
    double *count; /* per node: of the feature in hand */
    double *total; /* per node: of all features */
    uint32_t *touched;
    size_t n_touched;
    double *p; /* per node: smoothed probability of the feature */
    unsigned *depth;
};

static void touch(struct share *s, uint32_t node, double w)
{
    if (s->count[node] == 0)
        s->touched[s->n_touched++] = node;
    s->count[node] += w;
}

static void order(uint32_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t k = i;

        for (; k > 0 && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

/* One feature: what it adds to each node it was seen below. */
static void shares_of(struct puan_coder *c, struct share *s,
                      const struct seen *seen, const uint32_t *which, size_t n,
                      double all, size_t *at)
{
    double root = 0, base;

    s->n_touched = 0;
    for (size_t i = 0; i < n; i++) {
        const struct seen *x = &seen[which[i]];

        root += x->weight;
        for (int32_t k = (int32_t)x->node; k >= 0; k = c->node[k].parent)
            touch(s, (uint32_t)k, x->weight);
    }
    base = (root + 0.5) / (all + 0.5 * (double)c->n_features);
    order(s->touched, s->n_touched); /* parents stand before their children */
    for (size_t i = 0; i < s->n_touched; i++) {
        uint32_t k = s->touched[i];
        int32_t up = c->node[k].parent;
        double m = strength[s->depth[k] < PUAN_COUNT(strength)
                                ? s->depth[k]
                                : PUAN_COUNT(strength) - 1];
        double above = up < 0 ? base : s->p[up];

        s->p[k] = (s->count[k] + m * above) / (s->total[k] + m);
        c->gain[(*at)++] = (struct coder_gain){
            k, (float)(coder_ln(s->p[k] / above) - c->rest[k])
        };
    }
    for (size_t i = 0; i < s->n_touched; i++)
        s->count[s->touched[i]] = 0;
}

static enum puan_status shares(struct tally *t, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_coder *c = t->c;
    struct puan_arena *x = t->scratch;
    struct share s = { .count = puan_new_n(x, c->n_nodes, double),
                       .total = puan_new_n(x, c->n_nodes, double),
                       .touched = puan_new_n(x, c->n_nodes, uint32_t),
                       .p = puan_new_n(x, c->n_nodes, double),
                       .depth = puan_new_n(x, c->n_nodes, unsigned) };
    uint32_t *pairs = puan_arena_get_n(x, t->n + 1, 2 * sizeof(uint32_t));
    uint32_t *start = NULL, *which = NULL;
    size_t at = 0, most = 0;
    double all = 0;

    c->rest = puan_new_n(a, c->n_nodes, double);
    c->gain_at = puan_new_n(a, c->n_features + 1, uint32_t);
    if (x->failed || a->failed)
        return puan_fail(err, PUAN_ENOMEM, "coder", "out of memory");
    for (size_t i = 0; i < t->n; i++) {
        const struct seen *y = &t->seen[i];

        pairs[2 * i] = y->feature;
        pairs[2 * i + 1] = (uint32_t)i;
        all += y->weight;
        for (int32_t k = (int32_t)y->node; k >= 0; k = c->node[k].parent) {
            s.total[k] += y->weight;
            most++;
        }
    }
    for (size_t k = 0; k < c->n_nodes; k++) {
        int32_t up = c->node[k].parent;
        double m;

        s.depth[k] = up < 0 ? 0 : s.depth[up] + 1;
        m = strength[s.depth[k] < PUAN_COUNT(strength)
                         ? s.depth[k]
                         : PUAN_COUNT(strength) - 1];
        c->rest[k] = coder_ln(m / (s.total[k] + m));
    }
    if (!by_feature(&start, &which, pairs, t->n, c->n_features, x))
        return puan_arena_check(x, err);
    c->gain = puan_new_n(a, most + 1, struct coder_gain);
    if (!c->gain)
        return puan_arena_check(a, err);
    for (size_t f = 0; f < c->n_features; f++) {
        c->gain_at[f] = (uint32_t)at;
        shares_of(c, &s, t->seen, which + start[f], start[f + 1] - start[f],
                  all, &at);
    }
    c->gain_at[c->n_features] = (uint32_t)at;
    return PUAN_OK;
}

/* Roles: in how many entries; they lengthen only entries that name them. */
static void role_rarity(struct tally *t)
{
    struct puan_coder *c = t->c;

    for (size_t r = 0; r < c->words.n_roles; r++) {
        uint64_t bit = UINT64_C(1) << r;
        uint32_t df = 0;
        double w;

        for (size_t e = 0; e < c->n_entries; e++)
            df += (c->entry[e].roles & bit) != 0;
        w = coder_alike_weight[CODER_GRAM_ROLE] *
            coder_ln(1 + (double)c->n_entries / (1.0 + df));
        c->role_rarity[r] = w;
        for (size_t e = 0; e < c->n_entries; e++)
            if (t->own[e] & bit)
                c->entry[e].norm += w * w;
    }
}

/* Rarity of features, and the length of entries measured by it. */
static enum puan_status rarity(struct tally *t, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_coder *c = t->c;

    if (!by_feature(&c->entry_at, &c->entry_of, t->entry_feature, t->n_pairs,
                    c->n_features, a))
        return puan_arena_check(a, err);
    c->rarity = puan_new_n(a, c->n_features + 1, double);
    if (!c->rarity)
        return puan_arena_check(a, err);
    for (size_t f = 0; f < c->n_features; f++) {
        uint32_t df = c->entry_at[f + 1] - c->entry_at[f];

        c->rarity[f] = coder_ln(1 + (double)c->n_entries / (1.0 + df));
    }
    for (size_t i = 0; i < c->slots; i++)
        if (c->slot[i].key)
            c->rarity[c->slot[i].id] *= coder_alike_weight[c->slot[i].kind];
    for (size_t f = 0; f < c->n_features; f++)
        for (uint32_t i = c->entry_at[f]; i < c->entry_at[f + 1]; i++)
            c->entry[c->entry_of[i]].norm += c->rarity[f] * c->rarity[f];
    role_rarity(t);
    for (size_t e = 0; e < c->n_entries; e++)
        c->entry[e].norm = coder_root(c->entry[e].norm);
    return PUAN_OK;
}

enum puan_status coder_learn(struct puan_coder *c, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_arena scratch;
    struct tally t = { .c = c, .scratch = &scratch };
    struct coder_bag *b;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&scratch, a->host);
    b = puan_new(&scratch, struct coder_bag);
    t.own = puan_new_n(&scratch, c->n_entries, uint64_t);
    if (!b || !t.own)
        st = puan_arena_check(&scratch, err);
    for (size_t e = 0; st == PUAN_OK && e < c->n_entries; e++)
        if (!count_entry(&t, (uint32_t)e, b, a))
            st = puan_fail(err, PUAN_ENOMEM, "coder", "out of memory");
    if (st == PUAN_OK)
        st = shares(&t, a, err);
    if (st == PUAN_OK)
        st = rarity(&t, a, err);
    puan_arena_clear(&scratch);
    return st;
}

enum puan_status puan_coder_build(struct puan_coder **out,
                                  struct puan_coder_source list,
                                  struct puan_coder_source words,
                                  struct puan_coder_source chars,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_coder *c = puan_new(a, struct puan_coder);
    enum puan_status st;

    *out = NULL;
    if (!c)
        return puan_arena_check(a, err);
    c->host = a->host;
    if (!puan_utf8_valid(list.text) || !puan_utf8_valid(words.text) ||
        !puan_utf8_valid(chars.text))
        return puan_fail(err, PUAN_EINVAL, list.name,
                         "the list, its words or its characters are not UTF-8");
    if (!grow(c, a))
        return puan_arena_check(a, err);
    st = coder_words(&c->words, words, chars, a, err);
    if (st == PUAN_OK)
        st = read_list(c, list, a, err);
    if (st == PUAN_OK)
        st = coder_learn(c, a, err);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        *out = c;
    return st;
}

size_t puan_coder_nodes(const struct puan_coder *c)
{
    return c->n_nodes;
}

const struct puan_coder_node *puan_coder_node(const struct puan_coder *c,
                                              size_t i)
{
    return i < c->n_nodes ? &c->node[i] : NULL;
}

int32_t puan_coder_find(const struct puan_coder *c, struct puan_str code)
{
    for (size_t i = 0; i < c->n_nodes; i++)
        if (puan_str_eq(c->node[i].code, code))
            return (int32_t)i;
    return -1;
}

size_t puan_coder_entries(const struct puan_coder *c)
{
    return c->n_entries;
}
