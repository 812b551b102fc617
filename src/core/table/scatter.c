/*
 * Cubes too large to be held, with rows in no useful order: keys are scattered
 * into ranges (chosen from a sample, so that they are about equal), and each
 * range is counted by itself: densely where its keys lie close together, else
 * in a hash table that stays in the second cache.  Cells come out in order
 * because the ranges do.
 */
#include "core/table/cube_in.h"

#define SLOTS 65536u          /* of the look-up from a key to its range */
#define SAMPLE 4096u          /* keys that choose the ranges */
#define SAMPLE_ROWS 64u       /* in a row */
#define CHUNK 512u            /* keys of one range kept together */
#define STORE ((size_t)1 << 20) /* bytes lent at a time */

struct puan_cube_split {
    unsigned shift;
    uint8_t part[SLOTS]; /* by key >> shift; never falls */
};

struct chunk {
    struct chunk *next;
    size_t n;
    uint64_t word[];
};

struct puan_cube_bins {
    struct chunk *bin[PUAN_CUBE_PARTS]; /* newest first */
};

/* ---- the ranges ------------------------------------------------------------
 */

static void sort_keys(uint64_t *v, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++) {
            uint64_t x = v[i];
            size_t k = i;

            for (; k >= gap && v[k - gap] > x; k -= gap)
                v[k] = v[k - gap];
            v[k] = x;
        }
}

static void split_make(struct puan_cube_split *s, const struct puan_cube_in *c,
                       uint64_t rows, uint64_t *sample)
{
    size_t n = 0, next = 0;
    uint64_t step = rows / (SAMPLE / SAMPLE_ROWS);
    unsigned part = 0;

    while (c->cells >> s->shift > SLOTS - 1)
        s->shift++;
    for (uint64_t row = 0; row < rows && n + SAMPLE_ROWS <= SAMPLE;
         row += step > SAMPLE_ROWS ? step : SAMPLE_ROWS) {
        size_t k = (size_t)(rows - row < SAMPLE_ROWS ? rows - row
                                                     : SAMPLE_ROWS);

        puan_cube_index(sample + n, c, row, k);
        n += k;
    }
    sort_keys(sample, n);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        s->part[slot] = (uint8_t)part;
        while (next < n && sample[next] >> s->shift <= slot)
            next++;
        if (n && next * PUAN_CUBE_PARTS / n > part)
            part = (unsigned)(next * PUAN_CUBE_PARTS / n);
        if (part > PUAN_CUBE_PARTS - 1)
            part = PUAN_CUBE_PARTS - 1;
    }
}

enum puan_status puan_cube_scatter_open(struct puan_cubes *s,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    uint64_t *sample = puan_new_n(a, SAMPLE, uint64_t);

    for (size_t i = 0; sample && i < s->n_cubes; i++) {
        struct puan_cube_in *c = &s->cube[i];

        if (c->way != PUAN_CUBE_SCATTER)
            continue;
        for (size_t k = 0; k < c->spec->n_axes; k++)
            if (c->axis[k].outs)
                c->outs = true;
        c->split = puan_new(a, struct puan_cube_split);
        if (c->split == NULL)
            break;
        split_make(c->split, c, s->rows, sample);
    }
    return puan_arena_check(a, err);
}

/* ---- scattering ------------------------------------------------------------
 */

static size_t words_of(const struct puan_cube_in *c)
{
    return 1 + c->spec->n_sums;
}

static struct chunk *chunk_new(struct puan_cube_worker *w,
                               struct puan_cube_state *t,
                               const struct puan_cube_in *c)
{
    size_t words = sizeof(struct chunk) / sizeof(uint64_t) +
                   CHUNK * words_of(c);
    struct puan_cube_lent *l = t->store;
    struct chunk *k;

    if (l == NULL || l->cap - l->used < words) {
        size_t n = words * sizeof(uint64_t) > STORE ? words * sizeof(uint64_t)
                                                    : STORE;

        l = w->arena->host->get(w->arena->host->ctx, sizeof(*l) + n);
        if (l == NULL)
            return NULL;
        *l = (struct puan_cube_lent){ t->store, n / sizeof(uint64_t), 0,
                                      sizeof(*l) + n };
        t->store = l;
    }
    k = (struct chunk *)(void *)(l->cell + l->used);
    l->used += words;
    k->n = 0;
    return k;
}

enum puan_status puan_cube_scatter(struct puan_cube_worker *w, size_t cube,
                                   uint64_t from, size_t n,
                                   struct puan_err *err)
{
    const struct puan_cube_in *c = &w->cube[cube];
    struct puan_cube_state *t = &w->state[cube];
    const struct puan_cube_split *s = c->split;
    const uint64_t *ix = w->ix;
    size_t words = words_of(c);
    bool bad = puan_cube_index(w->ix, c, from, n);

    if (t->bins == NULL)
        t->bins = puan_new(w->arena, struct puan_cube_bins);
    if (t->bins == NULL)
        return puan_arena_check(w->arena, err);
    for (size_t k = 0; k < words - 1; k++)
        puan_cube_values(w->values + k * PUAN_CUBE_BLOCK, &c->sum[k], from, n);
    for (size_t i = 0; i < n; i++) {
        struct chunk **bin = &t->bins->bin[s->part[ix[i] >> s->shift]];
        struct chunk *k = *bin;
        uint64_t *at;

        if (k == NULL || k->n == CHUNK) {
            k = chunk_new(w, t, c);
            if (k == NULL)
                return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
            k->next = *bin;
            *bin = k;
        }
        at = k->word + k->n++ * words;
        at[0] = ix[i];
        for (size_t m = 1; m < words; m++)
            at[m] = w->values[(m - 1) * PUAN_CUBE_BLOCK + i];
    }
    return bad ? puan_fail(err, PUAN_EINVAL, "frame",
                           "a column holds a value its codebook does not "
                           "know: the frame is damaged; make it again")
               : PUAN_OK;
}

/* ---- one range -------------------------------------------------------------
 */

struct cell_hash { /* of cells; free where the count is 0 */
    const struct puan_alloc *host;
    uint64_t *cell;
    size_t cap, n, words; /* cap: a power of two */
    unsigned shift;
};

static bool hash_open(struct cell_hash *h, size_t cap)
{
    size_t bytes = cap * h->words * sizeof(uint64_t);

    h->cell = h->host->get(h->host->ctx, bytes);
    if (h->cell == NULL)
        return false;
    memset(h->cell, 0, bytes);
    h->cap = cap;
    h->n = 0;
    h->shift = 64 - (unsigned)__builtin_ctzll(cap);
    return true;
}

static void hash_close(struct cell_hash *h)
{
    if (h->cell)
        h->host->put(h->host->ctx, h->cell,
                     h->cap * h->words * sizeof(uint64_t));
    h->cell = NULL;
}

static uint64_t *slot_of(const struct cell_hash *h, uint64_t key)
{
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> h->shift);

    for (;; i = (i + 1) & (h->cap - 1)) {
        uint64_t *cell = h->cell + i * h->words;

        if (cell[1] == 0 || cell[0] == key)
            return cell;
    }
}

static bool grow(struct cell_hash *h)
{
    struct cell_hash wide = { .host = h->host, .words = h->words };

    if (!hash_open(&wide, h->cap * 2))
        return false;
    for (size_t i = 0; i < h->cap; i++) {
        const uint64_t *cell = h->cell + i * h->words;

        if (cell[1])
            memcpy(slot_of(&wide, cell[0]), cell,
                   h->words * sizeof(uint64_t));
    }
    wide.n = h->n;
    hash_close(h);
    *h = wide;
    return true;
}

static void add_row(uint64_t *cell, const uint64_t *row, size_t n_sums)
{
    cell[0] = row[0];
    cell[1]++;
    for (size_t k = 0; k < n_sums; k++)
        if (row[1 + k] != UINT64_MAX) {
            cell[2 + 2 * k]++;
            cell[3 + 2 * k] += row[1 + k];
        }
}

/* Keys with their slots, by the bytes in which keys differ. */
struct slot_pair {
    uint64_t key, slot;
};

static struct slot_pair *radix(struct slot_pair *p, struct slot_pair *spare, size_t n,
                          uint64_t differ)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[257] = { 0 };

        if ((differ >> shift & 255) == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            at[(p[i].key >> shift & 255) + 1]++;
        for (size_t b = 1; b < 257; b++)
            at[b] += at[b - 1];
        for (size_t i = 0; i < n; i++)
            spare[at[p[i].key >> shift & 255]++] = p[i];
        {
            struct slot_pair *swap = p;

            p = spare;
            spare = swap;
        }
    }
    return p;
}

static bool left_out(const struct puan_cube_in *c, uint64_t key)
{
    for (size_t i = 0; c->outs && i < c->spec->n_axes; i++) {
        const struct puan_cube_axis_in *x = &c->axis[i];

        if (x->outs && key / x->stride % x->n == x->n - 1)
            return true;
    }
    return false;
}

static void put_cell(uint64_t **at, const struct puan_cube_in *c,
                     const uint64_t *cell)
{
    if (left_out(c, cell[0]))
        return;
    memcpy(*at, cell, c->words * sizeof(uint64_t));
    for (size_t k = 0; k < c->spec->n_sums; k++)
        (*at)[3 + 2 * k] += cell[2 + 2 * k] * (uint64_t)c->sum[k].item->least;
    *at += c->words;
}

/* The cells of a table in the order of their keys. */
static enum puan_status put_hash(struct puan_cube_worker *by, size_t cube,
                                  const struct cell_hash *h, uint64_t differ,
                                  size_t part, struct puan_err *err)
{
    const struct puan_cube_in *c = &by->cube[cube];
    struct puan_cube_state *t = &by->state[cube];
    size_t bytes = 2 * h->n * sizeof(struct slot_pair), n = 0;
    struct slot_pair *p = h->host->get(h->host->ctx, bytes), *sorted;
    uint64_t *room = puan_cube_room(by, t, c, h->n), *at = room;
    enum puan_status st;

    if (p == NULL || room == NULL) {
        if (p)
            h->host->put(h->host->ctx, p, bytes);
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    }
    for (size_t i = 0; i < h->cap; i++)
        if (h->cell[i * h->words + 1])
            p[n++] = (struct slot_pair){ h->cell[i * h->words], i };
    sorted = radix(p, p + h->n, n, differ);
    for (size_t i = 0; i < n; i++)
        put_cell(&at, c, h->cell + sorted[i].slot * h->words);
    st = puan_cube_piece(by, t, c, room, (size_t)(at - room) / c->words, part);
    h->host->put(h->host->ctx, p, bytes);
    return st;
}

/* Keys that lie close together: one place for each. */
static enum puan_status count_dense(struct puan_cube_worker *by,
                                    struct puan_cube_worker *const *all,
                                    size_t n_all, size_t cube, size_t part,
                                    uint64_t least, uint64_t span,
                                    struct puan_err *err)
{
    const struct puan_cube_in *c = &by->cube[cube];
    const struct puan_alloc *host = by->arena->host;
    struct puan_cube_state *t = &by->state[cube];
    size_t words = words_of(c), bytes, n = (size_t)span;
    uint64_t *cell, *room, *at;
    enum puan_status st;

    bytes = n * c->words * sizeof(uint64_t);
    cell = host->get(host->ctx, bytes);
    room = at = puan_cube_room(by, t, c, n);
    if (cell == NULL || room == NULL) {
        if (cell)
            host->put(host->ctx, cell, bytes);
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    }
    memset(cell, 0, bytes);
    for (size_t k = 0; k < n_all; k++) {
        const struct puan_cube_bins *b = all[k]->state[cube].bins;

        for (const struct chunk *q = b ? b->bin[part] : NULL; q; q = q->next)
            for (size_t i = 0; i < q->n; i++) {
                const uint64_t *row = q->word + i * words;

                add_row(cell + (row[0] - least) * c->words, row,
                        c->spec->n_sums);
            }
    }
    for (size_t i = 0; i < n; i++)
        if (cell[i * c->words + 1])
            put_cell(&at, c, cell + i * c->words);
    host->put(host->ctx, cell, bytes);
    st = puan_cube_piece(by, t, c, room, (size_t)(at - room) / c->words, part);
    return st;
}

static enum puan_status count_part(struct puan_cube_worker *by,
                                   struct puan_cube_worker *const *all,
                                   size_t n_all, size_t cube, size_t part,
                                   struct puan_err *err)
{
    const struct puan_cube_in *c = &by->cube[cube];
    struct cell_hash h = { .host = by->arena->host, .words = c->words };
    size_t words = words_of(c);
    uint64_t rows = 0, least = UINT64_MAX, most = 0, differ = 0, any = 0;
    enum puan_status st = PUAN_OK;

    for (size_t k = 0; k < n_all; k++) {
        const struct puan_cube_bins *b = all[k]->state[cube].bins;

        for (const struct chunk *q = b ? b->bin[part] : NULL; q; q = q->next) {
            any = rows ? any : q->word[0];
            rows += q->n;
            for (size_t i = 0; i < q->n; i++) {
                uint64_t key = q->word[i * words];

                least = key < least ? key : least;
                most = key > most ? key : most;
                differ |= key ^ any;
            }
        }
    }
    if (rows == 0)
        return PUAN_OK;
    if (most - least < 2 * rows)
        return count_dense(by, all, n_all, cube, part, least,
                           most - least + 1, err);
    if (!hash_open(&h, 4096))
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    for (size_t k = 0; st == PUAN_OK && k < n_all; k++) {
        const struct puan_cube_bins *b = all[k]->state[cube].bins;

        for (const struct chunk *q = b ? b->bin[part] : NULL;
             st == PUAN_OK && q; q = q->next) {
            if ((h.n + q->n) * 2 > h.cap && !grow(&h)) {
                st = puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
                break;
            }
            for (size_t i = 0; i < q->n; i++) {
                const uint64_t *row = q->word + i * words;
                uint64_t *cell = slot_of(&h, row[0]);

                h.n += cell[1] == 0;
                add_row(cell, row, c->spec->n_sums);
            }
        }
    }
    if (st == PUAN_OK)
        st = put_hash(by, cube, &h, differ, part, err);
    hash_close(&h);
    return st;
}

size_t puan_cubes_tasks(const struct puan_cubes *s)
{
    return s->n_scattered * PUAN_CUBE_PARTS;
}

enum puan_status puan_cubes_task(struct puan_cube_worker *by,
                                 struct puan_cube_worker *const *all,
                                 size_t n_all, size_t task,
                                 struct puan_err *err)
{
    size_t which = task / PUAN_CUBE_PARTS;

    for (size_t i = 0; i < by->s->n_cubes; i++)
        if (by->s->cube[i].way == PUAN_CUBE_SCATTER && which-- == 0) {
            by->state[i].open = false;
            return count_part(by, all, n_all, i, task % PUAN_CUBE_PARTS, err);
        }
    return puan_fail(err, PUAN_EBUG, "table", "no such task");
}

enum puan_status puan_cube_scatter_cells(struct puan_cells *out,
                                         const struct puan_cubes *s,
                                         size_t cube,
                                         struct puan_cube_worker *const *all,
                                         size_t n_all, struct puan_arena *a,
                                         struct puan_err *err)
{
    (void)s;
    out->piece = puan_new_n(a, PUAN_CUBE_PARTS, struct puan_cells_piece);
    if (out->piece == NULL)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < n_all; k++)
        for (const struct puan_cube_piece *p = all[k]->state[cube].piece; p;
             p = p->next) {
            out->piece[p->order] = (struct puan_cells_piece){ p->cell, p->n };
            out->n += p->n;
        }
    for (size_t i = 0; i < PUAN_CUBE_PARTS; i++)
        if (out->piece[i].n)
            out->piece[out->n_pieces++] = out->piece[i];
    return PUAN_OK;
}
