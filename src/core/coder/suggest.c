/*
 * From an answer to its classes: scores down the tree, the nearest entry of
 * each class, and both together as probabilities.
 */
#include "base/out.h"
#include "core/coder/internal.h"
#include "core/coder/number.h"

/* How the two sources are weighed; found by cross-validation over the entries
   (see learn.c). */
#define SHARE_WEIGHT 0.5
#define ALIKE_WEIGHT 6.5
/* A class e^-14 as likely as the best is not looked at. */
#define LEAST_LN (-14.0)
#define NEVER_HEARD 0.2
#define FROM_ABOVE 0.83

struct work {
    struct coder_bag *b;
    double *score;   /* per node */
    double *best;    /* per node: cosine to its nearest entry */
    uint32_t *entry; /* per node: that entry + 1 */
    double *sum;     /* per node: of the classes below it */
    uint32_t *lead;  /* per node: its class nearest to an entry + 1 */
    double *dot;     /* per entry */
    uint32_t *near;  /* entries with dot > 0 */
    size_t n_near;
};

/* One piece of memory, so that an arena that is reset gives the same again. */
static bool get_work(struct work *w, const struct puan_coder *c,
                     struct puan_arena *a)
{
    size_t nodes = c->n_nodes, entries = c->n_entries;
    size_t bytes = sizeof(struct coder_bag) + nodes * 3 * sizeof(double) +
                   entries * sizeof(double) +
                   (nodes * 2 + entries) * sizeof(uint32_t);
    char *p = puan_arena_get(a, bytes);

    if (!p)
        return false;
    w->n_near = 0;
    w->b = (struct coder_bag *)(void *)p;
    w->score = (double *)(void *)(w->b + 1);
    w->best = w->score + nodes;
    w->sum = w->best + nodes;
    w->dot = w->sum + nodes;
    w->entry = (uint32_t *)(void *)(w->dot + entries);
    w->lead = w->entry + nodes;
    w->near = w->lead + nodes;
    return true;
}

/* Roles named in the answer and of the entry count as shared. */
static double shared_roles(const struct puan_coder *c, uint64_t roles)
{
    double sum = 0;

    while (roles) {
        double r = c->role_rarity[__builtin_ctzll(roles)];

        sum += r * r;
        roles &= roles - 1;
    }
    return sum;
}

static void collect(struct work *w, const struct puan_coder *c)
{
    uint64_t roles = coder_bag_roles(w->b, &c->words);
    double weight = 0, norm = shared_roles(c, roles);

    for (size_t i = 0; i < w->b->n; i++) {
        int64_t f = coder_feature(c, w->b->f[i].key);
        double share = coder_weight[w->b->f[i].kind];

        if (f < 0) { /* a thing never heard of lowers the likeness only */
            double r = coder_ln(1 + (double)c->n_entries);

            if (w->b->f[i].kind == CODER_GRAM_PAIR)
                norm += NEVER_HEARD * r * r;
            continue;
        }
        weight += share;
        if (w->b->f[i].kind != CODER_GRAM_ROLE)
            norm += c->rarity[f] * c->rarity[f];
        for (uint32_t k = c->gain_at[f]; k < c->gain_at[f + 1]; k++)
            w->score[c->gain[k].node] += share * (double)c->gain[k].plus;
        for (uint32_t k = c->entry_at[f]; k < c->entry_at[f + 1]; k++) {
            uint32_t e = c->entry_of[k];

            if (w->dot[e] == 0)
                w->near[w->n_near++] = e;
            w->dot[e] += c->rarity[f] * c->rarity[f];
        }
    }
    for (size_t k = 0; k < c->n_nodes; k++) {
        int32_t up = c->node[k].parent;

        w->score[k] += weight * c->rest[k];
        if (up >= 0)
            w->score[k] += w->score[up];
    }
    norm = coder_root(norm);
    for (size_t i = 0; i < w->n_near; i++) {
        uint32_t e = w->near[i], k = c->entry[e].node;
        double cosine =
            (w->dot[e] + shared_roles(c, roles & c->entry[e].roles)) /
            (norm * c->entry[e].norm);

        if (cosine > w->best[k]) {
            w->best[k] = cosine;
            w->entry[k] = e + 1;
        }
    }
}

/* Scores of leaves become probabilities, in place. */
static void soften(struct work *w, const struct puan_coder *c)
{
    double top = -1e300, sum = 0;

    for (size_t k = 0; k < c->n_nodes; k++) {
        double above = 0;

        if (!c->node[k].leaf)
            continue;
        for (int32_t up = c->node[k].parent; up >= 0; up = c->node[up].parent)
            if (w->best[up] > above)
                above = w->best[up];
        w->score[k] = SHARE_WEIGHT * w->score[k] +
                      ALIKE_WEIGHT * (w->best[k] > above * FROM_ABOVE
                                          ? w->best[k]
                                          : above * FROM_ABOVE);
        if (w->score[k] > top)
            top = w->score[k];
    }
    for (size_t k = 0; k < c->n_nodes; k++)
        if (c->node[k].leaf)
            sum += w->score[k] =
                w->score[k] - top > LEAST_LN ? coder_exp(w->score[k] - top) : 0;
        else
            w->score[k] = 0;
    for (size_t k = 0; k < c->n_nodes; k++)
        w->score[k] /= sum;
}

/* The node that stands for leaf k at codes of `digits`. */
static uint32_t stands_for(const struct puan_coder *c, uint32_t k,
                           unsigned digits)
{
    if (digits == 0)
        return k;
    while (c->node[k].digits > digits && c->node[k].parent >= 0 &&
           c->node[c->node[k].parent].digits >= digits)
        k = (uint32_t)c->node[k].parent;
    return k;
}

/* Sibling leaves may share a group that has no line of its own. */
static uint32_t first_alike(const struct puan_coder *c, uint32_t k,
                            unsigned digits)
{
    while (digits && c->node[k].digits > digits && k > 0 &&
           c->node[k - 1].digits >= digits &&
           memcmp(c->node[k - 1].code.p, c->node[k].code.p, digits) == 0)
        k--;
    return k;
}

static void insert(struct puan_coder_answer *out, struct puan_coder_hit h)
{
    size_t at = out->n < PUAN_CODER_HITS ? out->n++ : PUAN_CODER_HITS;

    while (at > 0 && out->hit[at - 1].ppm < h.ppm) {
        if (at < PUAN_CODER_HITS)
            out->hit[at] = out->hit[at - 1];
        at--;
    }
    if (at < PUAN_CODER_HITS)
        out->hit[at] = h;
}

static void rank(struct puan_coder_answer *out, struct work *w,
                 const struct puan_coder *c, unsigned digits)
{
    double *sum = w->sum;
    uint32_t *lead = w->lead;

    for (size_t k = 0; k < c->n_nodes; k++) {
        uint32_t g;

        if (!c->node[k].leaf)
            continue;
        g = first_alike(c, stands_for(c, (uint32_t)k, digits), digits);
        sum[g] += w->score[k];
        if (lead[g] == 0 || w->best[k] > w->best[lead[g] - 1])
            lead[g] = (uint32_t)k + 1;
    }
    for (size_t g = 0; g < c->n_nodes; g++) {
        struct puan_coder_hit h = {
            (uint32_t)g, (uint32_t)(sum[g] * 1e6 + 0.5), { "", 0 }, 0
        };
        uint32_t e;

        if (h.ppm == 0 || lead[g] == 0)
            continue;
        e = w->entry[lead[g] - 1];
        if (e) {
            h.nearest = c->entry[e - 1].text;
            h.alike = (uint32_t)(w->best[lead[g] - 1] * 1e6);
        }
        insert(out, h);
    }
}

enum puan_status puan_coder_suggest(struct puan_coder_answer *out,
                                    const struct puan_coder *c,
                                    const struct puan_str *field,
                                    size_t n_fields, unsigned digits,
                                    struct puan_arena *scratch,
                                    struct puan_err *err)
{
    struct work w;

    out->n = 0;
    if (!get_work(&w, c, scratch))
        return puan_arena_check(scratch, err);
    for (size_t i = 0; i < n_fields; i++)
        coder_features(w.b, &c->words, field[i]);
    coder_bag_finish(w.b);
    if (!w.b->any) {
        out->state = PUAN_CODE_EMPTY;
        return PUAN_OK;
    }
    if (!w.b->meant) {
        out->state = PUAN_CODE_VAGUE;
        return PUAN_OK;
    }
    collect(&w, c);
    out->state = w.n_near ? PUAN_CODED : PUAN_CODE_UNKNOWN;
    if (w.n_near == 0)
        return PUAN_OK;
    soften(&w, c);
    rank(out, &w, c, digits);
    return PUAN_OK;
}

struct puan_str puan_coder_key(const struct puan_coder *c,
                               const struct puan_str *field, size_t n_fields,
                               struct puan_arena *a)
{
    struct coder_bag *b = puan_new(a, struct coder_bag);
    struct puan_out o;

    puan_out_init(&o, a);
    if (!b)
        return puan_out_view(&o);
    for (size_t i = 0; i < n_fields; i++)
        coder_features(b, &c->words, field[i]);
    coder_bag_finish(b);
    for (size_t i = 0; i < b->n; i++)
        puan_out_u64(&o, b->f[i].key);
    return puan_out_view(&o);
}

enum puan_status puan_coder_nearest(struct puan_coder_near *out,
                                    const struct puan_coder *c,
                                    const struct puan_str *field,
                                    size_t n_fields, struct puan_arena *scratch,
                                    struct puan_err *err)
{
    struct coder_bag *b = puan_new(scratch, struct coder_bag);
    uint32_t *shared = puan_new_n(scratch, c->n_entries, uint32_t);
    size_t grams = 0;

    *out = (struct puan_coder_near){ 0 };
    if (!b || !shared)
        return puan_arena_check(scratch, err);
    for (size_t i = 0; i < n_fields; i++)
        coder_features(b, &c->words, field[i]);
    coder_bag_finish(b);
    for (size_t i = 0; i < b->n; i++) {
        int64_t f = coder_feature(c, b->f[i].key);

        if (!coder_gram(&b->f[i]))
            continue;
        grams++;
        for (uint32_t k = f < 0 ? 0 : c->entry_at[f];
             f >= 0 && k < c->entry_at[f + 1]; k++)
            shared[c->entry_of[k]]++;
    }
    for (size_t e = 0; e < c->n_entries; e++) {
        uint32_t ppm;

        if (!shared[e])
            continue;
        ppm = (uint32_t)(2000000u * (uint64_t)shared[e] /
                         (grams + c->entry[e].grams));
        if (ppm > out->ppm)
            *out = (struct puan_coder_near){ ppm, c->entry[e].text,
                                             c->entry[e].node };
    }
    return PUAN_OK;
}

/* How many characters and pairs x and y have, and share. */
static bool compare(size_t *x_n, size_t *y_n, size_t *both,
                    const struct puan_coder *c, struct puan_str x,
                    struct puan_str y, struct puan_arena *scratch)
{
    struct coder_bag *p = puan_new(scratch, struct coder_bag);
    struct coder_bag *q = puan_new(scratch, struct coder_bag);

    *x_n = *y_n = *both = 0;
    if (!p || !q)
        return false;
    coder_features(p, &c->words, x);
    coder_features(q, &c->words, y);
    coder_bag_finish(p);
    coder_bag_finish(q);
    for (size_t k = 0; k < q->n; k++)
        *y_n += coder_gram(&q->f[k]);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        if (!coder_gram(&p->f[i]))
            continue;
        ++*x_n;
        while (k < q->n && q->f[k].key < p->f[i].key)
            k++;
        *both += k < q->n && q->f[k].key == p->f[i].key;
    }
    return true;
}

uint32_t puan_coder_alike(const struct puan_coder *c, struct puan_str x,
                          struct puan_str y, struct puan_arena *scratch)
{
    size_t x_n, y_n, both;

    if (!compare(&x_n, &y_n, &both, c, x, y, scratch) || x_n + y_n == 0)
        return 0;
    return (uint32_t)(2000000u * (uint64_t)both / (x_n + y_n));
}

bool puan_coder_says(const struct puan_coder *c, struct puan_str whole,
                     struct puan_str part, struct puan_arena *scratch)
{
    size_t x_n, y_n, both;

    return compare(&x_n, &y_n, &both, c, part, whole, scratch) && x_n > 0 &&
           both == x_n;
}

struct puan_str puan_coder_turned(const struct puan_coder *c,
                                  struct puan_str text, const char *glue,
                                  struct puan_arena *a)
{
    struct puan_out parts, o;
    struct puan_str s;

    puan_out_init(&parts, a);
    puan_out_init(&o, a);
    coder_parts(&parts, &c->words, text);
    s = puan_out_view(&parts);
    while (s.n > 0) {
        size_t from = --s.n; /* the line end */

        while (from > 0 && s.p[from - 1] != '\n')
            from--;
        puan_out_bytes(&o, s.p + from, s.n - from);
        s.n = from;
        if (s.n > 0)
            puan_out_text(&o, glue);
    }
    return puan_out_view(&o);
}
