/*
 * The listing roll of an area as a frame to draw from.
 */
#include "features/sample/roll.h"

#include <stdlib.h>
#include <string.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/ingest/ingest.h"

#define PAGE 4096

struct roll {
    int64_t *key;
    size_t n, room;
    struct puan_arena *a;
};

static bool add(struct roll *r, int64_t key)
{
    if (r->n == r->room) {
        size_t room = r->room ? r->room * 2 : PAGE;
        int64_t *more = puan_new_n(r->a, room, int64_t);

        if (!more)
            return false;
        if (r->n)
            memcpy(more, r->key, r->n * sizeof(*more));
        r->key = more;
        r->room = room;
    }
    r->key[r->n++] = key;
    return true;
}

/* A page of households from `*from` on; *from behind the last of it. */
static enum puan_status page(struct roll *r, int64_t *from, int64_t to,
                             bool *more, const struct puan_plan *plan,
                             struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    size_t n = 0;
    bool row = true;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT household, status FROM listing WHERE household >= $1"
                 " AND household < $2 ORDER BY household LIMIT 4096",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, *from);
    puan_bind_int(s, 2, to);
    while ((st = puan_stmt_step(&row, s, err)) == PUAN_OK && row) {
        int64_t key = puan_col_int(s, 0);

        n++;
        *from = key + 1;
        if (!puan_plan_lists(plan, "listing_not_due", puan_col_text(s, 1)) &&
            !add(r, key))
            break;
    }
    puan_stmt_done(s);
    *more = n == PAGE;
    return st == PUAN_OK ? puan_arena_check(r->a, err) : st;
}

static int by_key(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

enum puan_status puan_roll_keys(int64_t **keys, size_t *n,
                                struct puan_store *st, int64_t area,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct roll r = { .a = a };
    enum puan_status rc = PUAN_OK;
    int64_t from, to;

    if (puan_area_find(t, area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area",
                         "this census has no area %lld", (long long)area);
    puan_area_keys(&from, &to, st, area);
    for (size_t i = 1; rc == PUAN_OK && i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        int64_t at = from;
        struct puan_db *db = NULL;
        bool more = true;

        if (!puan_area_contains_code(t, puan_shard_area(sh), area) &&
            !puan_area_contains_code(t, area, puan_shard_area(sh)))
            continue;
        rc = puan_read_begin(&db, sh, err);
        while (rc == PUAN_OK && more)
            rc = page(&r, &at, to, &more, puan_store_plan(st), db, err);
        if (db)
            puan_read_end(sh, db);
    }
    if (rc == PUAN_OK && r.n)
        qsort(r.key, r.n, sizeof(*r.key), by_key);
    *keys = r.key;
    *n = r.n;
    return rc;
}

void puan_roll_keep(struct puan_out *o, const int64_t *key, size_t n)
{
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        puan_out_varint(o, (uint64_t)(key[i] - last));
        last = key[i];
    }
}

enum puan_status puan_roll_kept(int64_t **keys, size_t *n,
                                struct puan_str bytes, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct roll r = { .a = a };
    int64_t last = 0;

    while (in.p < in.end && !in.bad) {
        uint64_t more = puan_in_varint(&in);

        if (in.bad || more == 0 || more > (uint64_t)(INT64_MAX - last))
            return puan_fail(err, PUAN_EINVAL, "households",
                             "the roll kept with the draw is damaged");
        last += (int64_t)more;
        if (!add(&r, last))
            break;
    }
    *keys = r.key;
    *n = r.n;
    return puan_arena_check(a, err);
}

unsigned puan_roll_levels(unsigned *first, const struct puan_area_tree *t,
                          int64_t area)
{
    uint32_t i = puan_area_find(t, area);

    *first = i == PUAN_AREA_NONE ? t->n_levels - 1 : t->area[i].level;
    return t->n_levels - *first;
}

static void head(struct puan_out *o, const struct puan_area_tree *t,
                 unsigned first)
{
    for (unsigned k = first; k < t->n_levels; k++) {
        puan_out_str(o, t->level[k].name);
        puan_out_char(o, ',');
    }
    puan_out_text(o, "household\n");
}

enum puan_status puan_roll_csv(struct puan_str *csv,
                               const struct puan_area_tree *t, int64_t area,
                               const int64_t *key, size_t n,
                               struct puan_arena *a, struct puan_err *err)
{
    uint32_t last = PUAN_AREA_NONE;
    struct puan_str codes = { "", 0 };
    struct puan_out o, c;
    unsigned first;

    puan_roll_levels(&first, t, area);
    puan_out_init(&o, a);
    head(&o, t, first);
    for (size_t i = 0; i < n; i++) {
        uint32_t ea = puan_area_of_household(t, key[i]);

        if (ea == PUAN_AREA_NONE)
            return puan_fail(err, PUAN_EINVAL, "listing",
                             "household %lld lies in no area of the census",
                             (long long)key[i]);
        if (ea != last) { /* the codes of an area, once */
            puan_out_init(&c, a);
            for (unsigned k = first; k < t->n_levels; k++) {
                uint32_t up = puan_area_ancestor(t, ea, k);

                if (up != PUAN_AREA_NONE)
                    puan_out_str(&c, t->area[up].digits);
                puan_out_char(&c, ',');
            }
            codes = puan_out_view(&c);
            last = ea;
        }
        puan_out_str(&o, codes);
        puan_out_int(&o, key[i]);
        puan_out_char(&o, '\n');
    }
    *csv = puan_out_view(&o);
    return puan_arena_check(a, err);
}
