/*
 * The search for persons registered twice, and what decisions leave in the
 * returns stores; see duplicates.h and search.h.
 */
#include "features/duplicates/search.h"

#include <stdlib.h>

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/link/link.h"
#include "core/plan/plan.h"
#include "features/ingest/ingest.h"
#include "kit/os/os.h"

/* Groups written by one act: each covers one row. */
#define GROUPS_PER_ACT 1000

/* ---- what was dropped ------------------------------------------------------ */

struct puan_dropped {
    struct drop {
        int64_t household, ret;
        uint32_t row;
    } *list;
    size_t n, cap;
};

enum puan_status puan_dropped_open(struct puan_dropped **out,
                                   struct puan_db *db, struct puan_err *err)
{
    struct puan_dropped *d = calloc(1, sizeof(*d));
    struct puan_stmt *q = NULL;
    enum puan_status st;
    bool more;

    if (d == NULL)
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    st = puan_sql(&q, db,
                  "SELECT household, line, ret FROM dup_drop WHERE dropped = 1"
                  " ORDER BY household, line",
                  err);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, q, err);
        if (st != PUAN_OK || !more)
            break;
        if (d->n == d->cap) {
            size_t cap = d->cap ? d->cap * 2 : 256;
            struct drop *p = realloc(d->list, cap * sizeof(*p));

            if (p == NULL) {
                st = puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
                break;
            }
            d->list = p;
            d->cap = cap;
        }
        d->list[d->n++] = (struct drop){ puan_col_int(q, 0), puan_col_int(q, 2),
                                         (uint32_t)puan_col_int(q, 1) - 1 };
    }
    puan_stmt_done(q);
    if (st != PUAN_OK) {
        puan_dropped_close(d);
        return st;
    }
    *out = d;
    return PUAN_OK;
}

bool puan_dropped_has(const struct puan_dropped *d, int64_t household,
                      int64_t ret, uint32_t row)
{
    size_t lo = 0, hi = d ? d->n : 0;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const struct drop *m = &d->list[mid];

        if (m->household < household ||
            (m->household == household && m->row < row))
            lo = mid + 1;
        else
            hi = mid;
    }
    return d && lo < d->n && d->list[lo].household == household &&
           d->list[lo].row == row && d->list[lo].ret == ret;
}

size_t puan_dropped_n(const struct puan_dropped *d)
{
    return d->n;
}

void puan_dropped_close(struct puan_dropped *d)
{
    if (d)
        free(d->list);
    free(d);
}

/* ---- the search -------------------------------------------------------------- */

/* One stream of tokens a returns store, merged by token. */
struct merge {
    struct puan_store *store;
    struct puan_tokens **in;
    struct puan_token *head; /* of each stream */
    bool *live;
    size_t n;
};

static void merge_close(struct merge *m)
{
    for (size_t i = 0; m->in && i < m->n; i++)
        if (m->in[i])
            puan_tokens_close(m->in[i]);
    free(m->in);
    free(m->head);
    free(m->live);
}

static enum puan_status merge_open(struct merge *m, struct puan_store *st,
                                   int64_t area, struct puan_err *err)
{
    const struct puan_area_tree *tree = puan_store_areas(st);
    enum puan_status x = PUAN_OK;
    size_t inside = 0;

    *m = (struct merge){ .store = st, .n = puan_store_shards(st) };
    m->in = calloc(m->n, sizeof(struct puan_tokens *));
    m->head = calloc(m->n, sizeof(*m->head));
    m->live = calloc(m->n, sizeof(*m->live));
    if (!m->in || !m->head || !m->live)
        x = puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    for (size_t i = 1; x == PUAN_OK && i < m->n; i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        if (!puan_area_contains_code(tree, area, puan_shard_area(sh)))
            continue;
        inside++;
        x = puan_tokens_open(&m->in[i], sh, err);
        if (x == PUAN_OK)
            m->live[i] = puan_tokens_next(&m->head[i], m->in[i]);
    }
    if (x == PUAN_OK && inside == 0)
        x = puan_fail(err, PUAN_EINVAL, "area",
                      "search a county or an area above it");
    if (x != PUAN_OK)
        merge_close(m);
    return x;
}

/* Next token in order over all stores; false at the end. */
static bool merge_next(struct puan_token *out, size_t *store, struct merge *m)
{
    size_t best = 0;

    for (size_t i = 1; i < m->n; i++)
        if (m->live[i] &&
            (best == 0 || memcmp(m->head[i].token, m->head[best].token, 16) < 0))
            best = i;
    if (best == 0)
        return false;
    *out = m->head[best];
    *store = best;
    m->live[best] = puan_tokens_next(&m->head[best], m->in[best]);
    return true;
}

struct found {
    uint8_t token[16];
    unsigned kinds;
    size_t first, n; /* in the list of records */
};

struct search {
    struct puan_store *store;
    const struct puan_plan *plan;
    struct puan_search *sum;
    int64_t area;
    struct record {
        struct puan_token token;
        uint16_t store;
        int64_t household;
    } *record;
    size_t n_records, cap_records;
    struct found *found;
    size_t n_found, cap_found;
    struct pair {
        size_t a, b; /* records: where present, where registered */
    } *pair;
    size_t n_pairs, cap_pairs;
};

static uint8_t bits_of(const struct puan_plan *plan, const struct puan_token *t)
{
    const struct puan_residence_case *c;

    if (t->residence == 0 || t->residence > plan->n_residence)
        return 0;
    c = &plan->residence[t->residence - 1];
    return (uint8_t)((c->de_facto ? PUAN_LINK_PRESENT : 0) |
                     (c->registered ? PUAN_LINK_REGISTERED : 0));
}

static bool grow(void **list, size_t *cap, size_t n, size_t size)
{
    size_t more = *cap ? *cap * 2 : 1024;
    void *p;

    if (n < *cap)
        return true;
    p = realloc(*list, more * size);
    if (p == NULL)
        return false;
    *list = p;
    *cap = more;
    return true;
}

/* Looks at the records [first, n_records) that share a token. */
static enum puan_status end_group(struct search *s, size_t first,
                                  struct puan_err *err)
{
    struct puan_link_entry e[64] = { 0 };
    size_t n = s->n_records - first, m = n < 64 ? n : 64;
    unsigned kinds;

    for (size_t i = 0; i < m; i++)
        e[i].bits = bits_of(s->plan, &s->record[first + i].token);
    kinds = puan_link_kinds(e, m);
    s->sum->pairs += (kinds >> PUAN_LINK_PAIR) & 1;
    if ((kinds & (1u << PUAN_LINK_PRESENT_TWICE |
                  1u << PUAN_LINK_REGISTERED_TWICE)) == 0) {
        struct pair p = { SIZE_MAX, SIZE_MAX };

        for (size_t i = 0; i < m; i++) {
            if (e[i].bits == PUAN_LINK_PRESENT)
                p.a = first + i;
            if (e[i].bits == PUAN_LINK_REGISTERED)
                p.b = first + i;
        }
        if (p.a == SIZE_MAX || p.b == SIZE_MAX) {
            s->n_records = first; /* nothing to keep */
            return PUAN_OK;
        }
        if (!grow((void **)&s->pair, &s->cap_pairs, s->n_pairs,
                  sizeof(*s->pair)))
            return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
        s->pair[s->n_pairs++] = p;
        return PUAN_OK;
    }
    if (!grow((void **)&s->found, &s->cap_found, s->n_found,
              sizeof(*s->found)))
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    s->found[s->n_found] = (struct found){ .kinds = kinds,
                                           .first = first,
                                           .n = n };
    memcpy(s->found[s->n_found++].token, s->record[first].token.token, 16);
    return PUAN_OK;
}

static enum puan_status find(struct search *s, int64_t area,
                             struct puan_err *err)
{
    struct puan_token t;
    size_t store, first = 0;
    struct merge m;
    enum puan_status st = merge_open(&m, s->store, area, err);

    if (st != PUAN_OK)
        return st;
    while (st == PUAN_OK && merge_next(&t, &store, &m)) {
        s->sum->tokens++;
        if (t.residence == 0)
            continue; /* not a person of the residence entity */
        if (s->n_records > first &&
            memcmp(s->record[first].token.token, t.token, 16) != 0) {
            if (s->n_records - first > 1)
                st = end_group(s, first, err);
            else
                s->n_records = first;
            first = s->n_records;
        }
        if (!grow((void **)&s->record, &s->cap_records, s->n_records,
                  sizeof(*s->record)))
            st = puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
        if (st == PUAN_OK) {
            s->record[s->n_records].token = t;
            s->record[s->n_records++].store = (uint16_t)store;
        }
    }
    if (st == PUAN_OK && s->n_records - first > 1)
        st = end_group(s, first, err);
    merge_close(&m);
    return st;
}

/* Household of each record kept, store by store. */
static enum puan_status households(struct search *s, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t k = 1; st == PUAN_OK && k < puan_store_shards(s->store); k++) {
        struct puan_shard *sh = puan_store_shard(s->store, k);
        struct puan_db *db;

        st = puan_read_begin(&db, sh, err);
        if (st != PUAN_OK)
            return st;
        for (size_t i = 0; st == PUAN_OK && i < s->n_records; i++) {
            struct puan_stmt *q = NULL;
            bool more = false;

            if (s->record[i].store != k)
                continue;
            st = puan_sql(&q, db, "SELECT household FROM ret WHERE seq = $1",
                          err);
            if (st == PUAN_OK) {
                puan_bind_int(q, 1, s->record[i].token.ret);
                st = puan_stmt_step(&more, q, err);
            }
            if (st == PUAN_OK && more)
                s->record[i].household = puan_col_int(q, 0);
            puan_stmt_done(q);
        }
        puan_read_end(sh, db);
    }
    return st;
}

/* ---- writing groups ----------------------------------------------------------- */

/* The innermost area that contains all records of a group: who may decide. */
static int64_t common_area(const struct search *s, const struct found *f)
{
    const struct puan_area_tree *t = puan_store_areas(s->store);
    uint32_t area =
        puan_area_of_household(t, s->record[f->first].household);

    for (size_t i = 1; area != PUAN_AREA_NONE && i < f->n; i++) {
        uint32_t other = puan_area_of_household(
            t, s->record[f->first + i].household);

        while (area != PUAN_AREA_NONE && !puan_area_contains(t, area, other))
            area = t->area[area].parent;
    }
    return area == PUAN_AREA_NONE ? 0 : t->area[area].code;
}

static enum puan_status records_json(struct puan_out *o, const struct search *s,
                                     const struct found *f,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_dup_record *list = puan_new_n(a, f->n, struct puan_dup_record);

    if (list == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < f->n; i++) {
        const struct record *r = &s->record[f->first + i];
        unsigned bits = bits_of(s->plan, &r->token);

        list[i] = (struct puan_dup_record){
            .household = r->household,
            .line = r->token.row + 1,
            .ret = r->token.ret,
            .case_id = s->plan->residence[r->token.residence - 1].id,
            .present = (bits & PUAN_LINK_PRESENT) != 0,
            .registered = (bits & PUAN_LINK_REGISTERED) != 0,
        };
    }
    puan_dup_records_json(o, list, f->n);
    return PUAN_OK;
}

struct batch {
    struct search *s;
    size_t first, n;
};

static enum puan_status put_group(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, const struct search *s,
                                  const struct found *f, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_dup d = { .kinds = (int64_t)f->kinds,
                          .area = common_area(s, f),
                          .state = PUAN_STR("open"),
                          .decision = PUAN_STR(""),
                          .found_ms = puan_store_now(s->store) };
    char hex[33];
    struct puan_stmt *q = NULL;
    struct puan_out records;
    bool more = false, same = false, was_open = true;
    enum puan_status st;

    puan_hex(hex, f->token, 16);
    d.token = puan_str_of(hex);
    puan_out_init(&records, a);
    st = records_json(&records, s, f, a, err);
    if (st != PUAN_OK)
        return st;
    d.records = puan_out_view(&records);
    st = puan_sql(&q, db, "SELECT id, records, state FROM dup WHERE token = $1",
                  err);
    if (st == PUAN_OK) {
        puan_bind_text(q, 1, d.token);
        st = puan_stmt_step(&more, q, err);
    }
    if (st == PUAN_OK && more) {
        d.id = puan_col_int(q, 0);
        same = puan_str_eq(puan_col_text(q, 1), d.records);
        was_open = puan_str_is(puan_col_text(q, 2), "open");
    }
    puan_stmt_done(q);
    if (st != PUAN_OK || same)
        return st; /* known as it is, decided or not */
    if (d.id == 0)
        st = puan_db_int(&d.id, db, "SELECT max(id) + 1 FROM dup", 1, err);
    if (st == PUAN_OK)
        st = puan_dup_write(sh, db, act, &d, a, err);
    if (st == PUAN_OK && !was_open)
        st = puan_dup_event(sh, db, act, &d, 0, PUAN_STR(""), a, err);
    return st;
}

static enum puan_status put_batch(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct batch *b = arg;
    struct puan_arena a;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    for (size_t i = 0; st == PUAN_OK && i < b->n; i++) {
        puan_arena_reset(&a);
        st = put_group(sh, db, act, b->s, &b->s->found[b->first + i], &a, err);
    }
    puan_arena_clear(&a);
    return st;
}

/* ---- pairs: what is no duplicate ------------------------------------------- */

#define PAIRS_PER_ACT 20000

static enum puan_status put_pairs(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct batch *b = arg;
    const struct search *s = b->s;
    struct puan_stmt *q = NULL;
    enum puan_status st;

    (void)sh;
    (void)act;
    if (b->first == 0) {
        int64_t from, to;

        puan_area_keys(&from, &to, s->store, s->area);
        st = puan_sql(&q, db,
                      "DELETE FROM dup_pair WHERE a >= $1 AND a < $2 AND"
                      " b >= $1 AND b < $2",
                      err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(q, 1, from);
        puan_bind_int(q, 2, to);
        st = puan_stmt_once(q, err);
        if (st == PUAN_OK)
            st = puan_sql(&q, db,
                          "INSERT INTO dup_search(area, at, tokens, groups,"
                          " pairs) VALUES($1, $2, $3, $4, $5)"
                          " ON CONFLICT(area) DO UPDATE SET at = excluded.at,"
                          " tokens = excluded.tokens, groups ="
                          " excluded.groups, pairs = excluded.pairs",
                          err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(q, 1, s->area);
        puan_bind_int(q, 2, puan_store_now(s->store));
        puan_bind_int(q, 3, s->sum->tokens);
        puan_bind_int(q, 4, s->sum->groups);
        puan_bind_int(q, 5, (int64_t)s->n_pairs);
        TRY(puan_stmt_once(q, err));
    }
    st = PUAN_OK;
    for (size_t i = 0; st == PUAN_OK && i < b->n; i++) {
        const struct pair *p = &s->pair[b->first + i];
        const struct record *x = &s->record[p->a], *y = &s->record[p->b];

        st = puan_sql(
            &q, db,
            "INSERT INTO dup_pair(a, a_line, b, b_line, a_case, b_case)"
            " VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT(a, a_line) DO"
            " UPDATE SET b = excluded.b, b_line = excluded.b_line,"
            " a_case = excluded.a_case, b_case = excluded.b_case",
            err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(q, 1, x->household);
        puan_bind_int(q, 2, x->token.row + 1);
        puan_bind_int(q, 3, y->household);
        puan_bind_int(q, 4, y->token.row + 1);
        puan_bind_int(q, 5, s->plan->residence[x->token.residence - 1].id);
        puan_bind_int(q, 6, s->plan->residence[y->token.residence - 1].id);
        st = puan_stmt_once(q, err);
    }
    return st;
}

enum puan_status puan_dup_search(struct puan_search *sum, struct puan_store *st,
                                 int64_t area, const struct puan_act *who,
                                 struct puan_err *err)
{
    struct search s = { .store = st, .plan = puan_store_plan(st), .sum = sum,
                        .area = area };
    enum puan_status x;

    *sum = (struct puan_search){ 0 };
    x = find(&s, area, err);
    if (x == PUAN_OK)
        x = households(&s, err);
    sum->groups = (int64_t)s.n_found;
    /* at least one act, so that a search that found nothing is on record */
    for (size_t i = 0; x == PUAN_OK && (i < s.n_found || i == 0);
         i += GROUPS_PER_ACT) {
        struct batch b = { &s, i, s.n_found - i };
        struct puan_act act = *who;
        char note[96];

        if (b.n > GROUPS_PER_ACT)
            b.n = GROUPS_PER_ACT;
        puan_format(note, sizeof(note), "groups %zu of %zu, pairs %lld", b.n,
                    s.n_found, (long long)sum->pairs);
        act.note = puan_str_of(note);
        x = puan_commit(puan_store_office(st), &act, put_batch, &b, err);
    }
    for (size_t i = 0; x == PUAN_OK && (i < s.n_pairs || i == 0);
         i += PAIRS_PER_ACT) {
        struct batch b = { &s, i, s.n_pairs - i };
        struct puan_act act = *who;
        char note[96];

        if (b.n > PAIRS_PER_ACT)
            b.n = PAIRS_PER_ACT;
        puan_format(note, sizeof(note), "pairs %zu to %zu of %zu", i,
                    i + b.n, s.n_pairs);
        act.note = puan_str_of(note);
        x = puan_commit(puan_store_office(st), &act, put_pairs, &b, err);
    }
    free(s.record);
    free(s.found);
    free(s.pair);
    return x;
}
