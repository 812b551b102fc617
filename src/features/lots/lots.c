/*
 * Acceptance of lots; see lots.h.
 */
#include "features/lots/lots.h"

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/live/live.h"
#include "features/lots/internal.h"
#include "kit/os/heap.h"

/* ---- rows ---------------------------------------------------------------- */

void puan_lot_row(struct puan_lot *out, struct puan_stmt *s,
                  struct puan_arena *a)
{
    struct puan_str digest = puan_col_bytes(s, 3);

    out->id = puan_col_int(s, 0);
    out->run = puan_col_int(s, 1);
    out->area = puan_col_int(s, 2);
    if (digest.n == PUAN_DIGEST_SIZE)
        memcpy(out->digest, digest.p, digest.n);
    out->households = puan_col_int(s, 4);
    out->heights = puan_arena_keep(a, puan_col_text(s, 5));
    out->state = puan_arena_keep(a, puan_col_text(s, 6));
    out->made_ms = puan_col_int(s, 7);
}

static enum puan_status first_row(struct puan_lot *out, struct puan_stmt *s,
                                  struct puan_arena *a, struct puan_err *err)
{
    bool more = false;
    enum puan_status st = puan_stmt_step(&more, s, err);

    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "lot", "there is no such lot");
    if (st == PUAN_OK)
        puan_lot_row(out, s, a);
    puan_stmt_done(s);
    return st;
}

static enum puan_status read_lot(struct puan_lot *out, struct puan_db *db,
                                 int64_t id, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db, PUAN_LOT_COLUMNS "WHERE id = $1", err));
    puan_bind_int(s, 1, id);
    return first_row(out, s, a, err);
}

/* The lot of an area that is in force. */
enum puan_status puan_lot_live(struct puan_lot *out, struct puan_db *db,
                               int64_t area, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 PUAN_LOT_COLUMNS "WHERE area = $1 AND state IN ('offered',"
                             " 'accepted', 'locked') ORDER BY id DESC LIMIT 1",
                 err));
    puan_bind_int(s, 1, area);
    return first_row(out, s, a, err);
}

static enum puan_status write_lot(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act,
                                  const struct puan_lot *l,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_str digest = { (const char *)l->digest, sizeof l->digest };
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO lot(id, run, area, digest, households, heights,"
                 " state, made) VALUES($1, $2, $3, $4, $5, $6, $7, $8)"
                 " ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                 err));
    puan_bind_int(s, 1, l->id);
    puan_bind_int(s, 2, l->run);
    puan_bind_int(s, 3, l->area);
    puan_bind_bytes(s, 4, digest.p, digest.n);
    puan_bind_int(s, 5, l->households);
    puan_bind_text(s, 6, l->heights);
    puan_bind_text(s, 7, l->state);
    puan_bind_int(s, 8, l->made_ms);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, l->run);
    puan_content_int(&c, l->area);
    puan_content_bytes(&c, digest);
    puan_content_int(&c, l->households);
    puan_content_text(&c, l->heights);
    puan_content_text(&c, l->state);
    puan_content_int(&c, l->made_ms);
    puan_live_touch(puan_shard_store(sh), "lots", l->area);
    return puan_cover_id(sh, db, act, "lot", l->id, puan_out_view(&c), err);
}

enum puan_status puan_lot_of(struct puan_lot *out, struct puan_store *st,
                             int64_t area, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_lot_live(out, db, area, a, err);
    puan_read_end(office, db);
    if (rc == PUAN_OK && puan_str_is(out->state, "offered"))
        return puan_fail(err, PUAN_ENOTFOUND, "lot", "not accepted yet");
    return rc;
}

/* ---- heights ------------------------------------------------------------- */

/* Height of a store in "1:123,2:456", or -1. */
int64_t puan_lot_height(struct puan_str heights, size_t ordinal)
{
    struct puan_str rest = heights, part, key;
    int64_t k, v;

    while (rest.n > 0 && puan_str_split(&part, &rest, ',')) {
        struct puan_str value = part;

        if (puan_str_split(&key, &value, ':') && puan_int_parse(&k, key) &&
            puan_int_parse(&v, value) && k == (int64_t)ordinal)
            return v;
    }
    return -1;
}

/* The returns stores an area lies in: its own, or all inside it. */
static bool concerns(struct puan_store *st, struct puan_shard *sh, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);

    return puan_area_contains_code(t, puan_shard_area(sh), area) ||
           puan_area_contains_code(t, area, puan_shard_area(sh));
}

struct mark {
    int64_t area;
};

static enum puan_status mark_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct mark *m = arg;

    (void)act;
    return puan_ret_watch(sh, db, m->area, true, err);
}

static enum puan_status already_marked(bool *out, struct puan_store *st,
                                       int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db, "SELECT id FROM lot WHERE area = $1 LIMIT 1", err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, area);
        rc = puan_stmt_step(&more, s, err);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    *out = more;
    return rc;
}

/* From now on every change of the area's returns is told to the office. */
static enum puan_status watch(struct puan_store *st, const struct puan_act *who,
                              int64_t area, struct puan_arena *a,
                              struct puan_err *err)
{
    bool marked = false;

    TRY(already_marked(&marked, st, area, err));
    for (size_t i = 1; !marked && i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        struct puan_act act = *who;
        struct mark m = { area };

        if (!concerns(st, sh, area))
            continue;
        act.verb = PUAN_STR("lot.watch");
        act.subject =
            puan_str_of(puan_arena_fmt(a, "area/%lld", (long long)area));
        TRY(puan_commit(sh, &act, mark_body, &m, err));
    }
    return PUAN_OK;
}

/* ---- what is missing below ----------------------------------------------- */

/* Levels at which somebody accepts lots: bit per index of plan->level. */
uint64_t puan_lot_levels(const struct puan_plan *plan)
{
    uint64_t levels = 0;

    for (size_t i = 0; i < plan->n_roles; i++)
        if (!plan->role[i].external &&
            puan_role_can(&plan->role[i], PUAN_STR("lot.accept")))
            levels |= plan->role[i].levels;
    return levels;
}

static enum puan_status accepted(bool *out, struct puan_db *db, int64_t area,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id FROM lot WHERE area = $1 AND state IN ('accepted',"
                 " 'locked') LIMIT 1",
                 err));
    puan_bind_int(s, 1, area);
    st = puan_stmt_step(&more, s, err);
    puan_stmt_done(s);
    *out = more;
    return st;
}

/* The nearest level below that has lots. */
int puan_lot_below(struct puan_store *st, uint32_t i)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_area_tree *t = puan_store_areas(st);
    uint64_t levels = puan_lot_levels(plan);
    int own = puan_plan_level(plan, t->level[t->area[i].level].name);

    for (unsigned k = t->area[i].level + 1U; k < t->n_levels; k++) {
        int level = puan_plan_level(plan, t->level[k].name);

        if (level > own && ((levels >> (unsigned)level) & 1U))
            return (int)k;
    }
    return -1;
}

enum puan_status puan_lots_missing(int64_t *n, struct puan_store *st,
                                   struct puan_db *db, int64_t area,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = puan_area_find(t, area);
    int k;

    *n = 0;
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    k = puan_lot_below(st, i);
    if (k < 0)
        return PUAN_OK;
    for (uint32_t c = puan_area_next(t, i, (unsigned)k, PUAN_AREA_NONE);
         c != PUAN_AREA_NONE; c = puan_area_next(t, i, (unsigned)k, c)) {
        struct puan_counts counts;
        bool has = false;

        puan_counts_of(&counts, st, t->area[c].code);
        if (counts.listed == 0 && counts.submitted == 0)
            continue; /* nothing there to accept */
        TRY(accepted(&has, db, t->area[c].code, err));
        if (!has)
            ++*n;
    }
    return PUAN_OK;
}

/* ---- what needs no return -------------------------------------------------- */

static enum puan_status add_idle(struct puan_lot_idle *l, int64_t household,
                                 struct puan_arena *a, struct puan_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 256;
        int64_t *more = puan_new_n(a, cap, int64_t);

        if (!more)
            return puan_arena_check(a, err);
        if (l->n)
            memcpy(more, l->household, l->n * sizeof(*more));
        l->household = more;
        l->cap = cap;
    }
    l->household[l->n++] = household;
    return PUAN_OK;
}

/* The rows of one store, in order of the key. */
static enum puan_status idle_of(struct puan_lot_idle *l, struct puan_store *st,
                                struct puan_shard *sh, int64_t from, int64_t to,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_ret_head head;
    bool more = true;
    enum puan_status rc;

    TRY(puan_read_begin(&db, sh, err));
    rc = puan_sql(&s, db,
                  "SELECT household, status FROM listing WHERE household >= $1"
                  " AND household < $2 ORDER BY household",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, from);
        puan_bind_int(s, 2, to);
    }
    while (rc == PUAN_OK &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t household = puan_col_int(s, 0);

        if (puan_plan_lists(plan, "listing_not_due", puan_col_text(s, 1)) &&
            puan_ret_head(&head, st, household) && head.ret == 0)
            rc = add_idle(l, household, a, err);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return rc;
}

enum puan_status puan_lot_idle(struct puan_lot_idle *out, struct puan_store *st,
                               int64_t area, struct puan_arena *a,
                               struct puan_err *err)
{
    int64_t from, to;

    *out = (struct puan_lot_idle){ 0 };
    puan_area_keys(&from, &to, st, area);
    for (size_t i = 1; i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        if (concerns(st, sh, area))
            TRY(idle_of(out, st, sh, from, to, a, err));
    }
    return PUAN_OK;
}

bool puan_lot_is_idle(const struct puan_lot_idle *l, int64_t household)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (l->household[mid] == household)
            return true;
        if (l->household[mid] < household)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* Households that need a return and have sent none. */
static enum puan_status unsubmitted(struct puan_case_facts *out,
                                    const struct puan_counts *counts,
                                    struct puan_store *st, int64_t area,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_lot_idle idle;
    int64_t n = counts->listed - counts->submitted;

    if (n > 0) {
        TRY(puan_lot_idle(&idle, st, area, a, err));
        n -= (int64_t)idle.n;
    }
    puan_case_fact(out, "unsubmitted", n > 0 ? n : 0);
    return PUAN_OK;
}

/* ---- accepting ------------------------------------------------------------ */

struct accept {
    struct puan_lot *lot;
    const struct puan_flow_who *who;
    struct puan_str reason;
    struct puan_case_facts facts;
    struct puan_arena *arena;
};

/* A map node {name: text, …} for the fields of an event. */
static struct puan_node *field(struct puan_node *map, struct puan_arena *a,
                               const char *key, struct puan_str text,
                               bool quoted)
{
    struct puan_node *n = puan_new(a, struct puan_node);

    if (n == NULL)
        return map;
    n->kind = PUAN_NODE_SCALAR;
    n->key = puan_str_of(key);
    n->text = text;
    n->quoted = quoted;
    n->file = "lot";
    n->next = map->first;
    map->first = n;
    map->n++;
    return map;
}

static struct puan_node *fields(struct puan_arena *a)
{
    struct puan_node *map = puan_new(a, struct puan_node);

    if (map != NULL) {
        map->kind = PUAN_NODE_MAP;
        map->file = "lot";
    }
    return map;
}

/* Nothing reached the office after the heights were read? */
static enum puan_status unchanged(bool *out, struct puan_db *db,
                                  const struct puan_lot *l,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = true;
    TRY(puan_sql(&s, db, "SELECT store, seq FROM lot_change WHERE area = $1",
                 err));
    puan_bind_int(s, 1, l->area);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        if (puan_col_int(s, 1) >=
            puan_lot_height(l->heights, (size_t)puan_col_int(s, 0)))
            *out = false;
    puan_stmt_done(s);
    return st;
}

static enum puan_status accept_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct accept *x = arg;
    struct puan_store *st = puan_shard_store(sh);
    struct puan_arena *a = x->arena;
    struct puan_case_call *open = puan_new(a, struct puan_case_call);
    struct puan_case_call *move = puan_new(a, struct puan_case_call);
    struct puan_node *map = fields(a), *why = fields(a);
    struct puan_lot old;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    int64_t missing = 0;
    bool same = false;
    enum puan_status rc;

    if (!open || !move || !map || !why)
        return puan_arena_check(a, err);
    rc = puan_lot_live(&old, db, x->lot->area, a, NULL);
    if (rc == PUAN_OK)
        return puan_fail(err, PUAN_ECONFLICT, "lot",
                         "the area is accepted already (lot %lld)",
                         (long long)old.id);
    if (rc != PUAN_ENOTFOUND)
        return rc;
    TRY(puan_db_int(&x->lot->id, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM lot",
                    1, err));
    puan_hex(hex, x->lot->digest, sizeof x->lot->digest);
    open->arena = move->arena = a;
    open->flow = PUAN_STR("lot");
    open->subject = puan_str_of(
        puan_arena_fmt(a, "lot/%lld", (long long)x->lot->id));
    open->area = x->lot->area;
    open->event.kind = PUAN_FLOW_OPEN;
    open->event.who = *x->who;
    field(map, a, "digest", puan_str_of(puan_arena_dup(a, puan_str_of(hex))),
          true);
    field(map, a, "households",
          puan_str_of(
              puan_arena_fmt(a, "%lld", (long long)x->lot->households)),
          false);
    open->event.fields = map;
    /* the row first: the owner's hook keeps its state from now on */
    x->lot->run = 0;
    x->lot->state = PUAN_STR("offered");
    TRY(puan_case_in(sh, db, act, open, err));
    x->lot->run = open->row.id;
    TRY(write_lot(sh, db, act, x->lot, a, err));

    TRY(puan_lots_missing(&missing, st, db, x->lot->area, err));
    TRY(unchanged(&same, db, x->lot, err));
    move->facts = x->facts;
    puan_case_fact(&move->facts, "lower_open", missing);
    puan_case_fact(&move->facts, "own_digest", same);
    move->run = open->row.id;
    move->event.kind = PUAN_FLOW_ACT;
    move->event.who = *x->who;
    move->event.name =
        x->reason.n > 0 ? PUAN_STR("accept_over") : PUAN_STR("accept");
    if (x->reason.n > 0)
        move->event.fields = field(why, a, "override_reason", x->reason, true);
    act->verb = PUAN_STR("lot.accept");
    act->subject = open->subject;
    TRY(puan_case_in(sh, db, act, move, err));
    x->lot->state = move->row.state;
    memcpy(act->new_digest, x->lot->digest, PUAN_DIGEST_SIZE);
    act->has_new = true;
    return PUAN_OK;
}

enum puan_status puan_lot_accept(struct puan_lot *out, struct puan_store *st,
                                 struct puan_act *act,
                                 const struct puan_flow_who *who, int64_t area,
                                 struct puan_str reason, struct puan_str shown,
                                 struct puan_arena *a, struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct accept x = { out, who, reason, { .n = 0 }, a };
    struct puan_counts counts;
    struct puan_out heights;
    uint64_t n = 0;

    *out = (struct puan_lot){ .area = area };
    TRY(watch(st, act, area, a, err));
    puan_out_init(&heights, a);
    for (size_t i = 1; i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        if (concerns(st, sh, area))
            puan_out_fmt(&heights, "%s%zu:%llu", heights.n ? "," : "",
                         puan_shard_ordinal(sh),
                         (unsigned long long)puan_shard_height(sh));
    }
    out->heights = puan_out_view(&heights);
    TRY(puan_area_digest(out->digest, &n, st, area, err));
    puan_hex(hex, out->digest, sizeof out->digest);
    if (shown.n > 0 && !puan_str_is(shown, hex))
        return puan_fail(err, PUAN_ECONFLICT, "digest",
                         "the returns have changed since they were shown");
    out->households = (int64_t)n;
    out->made_ms = puan_store_now(st);
    puan_counts_of(&counts, st, area);
    puan_case_fact(&x.facts, "open_hard", counts.hard);
    TRY(unsubmitted(&x.facts, &counts, st, area, a, err));
    TRY(puan_arena_check(a, err));
    return puan_commit(puan_store_office(st), act, accept_body, &x, err);
}

/* ---- what happens to the run ----------------------------------------------- */

static enum puan_status lot_facts(struct puan_case_facts *out,
                                  struct puan_store *st,
                                  const struct puan_case_row *row,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_counts counts;
    struct puan_db *db = NULL;
    struct puan_lot l = { 0 };
    bool same = false;
    int64_t id = 0, missing = 0;
    enum puan_status rc;
    struct puan_str tail = row->subject;

    puan_counts_of(&counts, st, row->area);
    puan_case_fact(out, "open_hard", counts.hard);
    TRY(unsubmitted(out, &counts, st, row->area, a, err));
    if (!puan_str_starts(tail, "lot/"))
        return PUAN_OK;
    tail.p += 4;
    tail.n -= 4;
    if (!puan_int_parse(&id, tail))
        return PUAN_OK;
    TRY(puan_read_begin(&db, office, err));
    rc = read_lot(&l, db, id, a, err);
    if (rc == PUAN_OK)
        rc = unchanged(&same, db, &l, err);
    if (rc == PUAN_OK)
        rc = puan_lots_missing(&missing, st, db, row->area, err);
    puan_read_end(office, db);
    if (rc != PUAN_OK)
        return rc;
    puan_case_fact(out, "lower_open", missing);
    puan_case_fact(out, "own_digest", same);
    return PUAN_OK;
}

static enum puan_status void_above(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, int64_t area,
                                   struct puan_str reason,
                                   struct puan_arena *a, struct puan_err *err);

/* The row follows its run; a lot that dies takes those above with it. */
static enum puan_status lot_after(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act,
                                  const struct puan_case_row *row,
                                  const struct puan_flow_run *run,
                                  const struct puan_flow_event *event,
                                  struct puan_str call, struct puan_err *err)
{
    struct puan_str tail = row->subject;
    struct puan_arena a;
    struct puan_lot l = { 0 };
    int64_t id = 0;
    bool was;
    enum puan_status st;

    if (call.n > 0)
        return puan_fail(err, PUAN_EINVAL, "flow", "lots know no call:%.*s",
                         PUAN_FMT(call));
    if (event->kind == PUAN_FLOW_OPEN || !puan_str_starts(tail, "lot/"))
        return PUAN_OK;
    tail.p += 4;
    tail.n -= 4;
    if (!puan_int_parse(&id, tail))
        return PUAN_OK;
    puan_arena_init(&a, &puan_heap);
    st = read_lot(&l, db, id, &a, err);
    was = st == PUAN_OK && (puan_str_is(l.state, "accepted") ||
                            puan_str_is(l.state, "locked"));
    if (st == PUAN_OK && !puan_str_eq(l.state, row->state)) {
        l.state = run->flow->states[run->state].name;
        st = write_lot(sh, db, act, &l, &a, err);
        if (st == PUAN_OK && was && puan_str_is(l.state, "void"))
            st = void_above(sh, db, act, l.area,
                            puan_str_of(puan_arena_fmt(
                                &a, "lot %lld below it is void",
                                (long long)l.id)),
                            &a, err);
    }
    puan_arena_clear(&a);
    return st;
}

const struct puan_case_owner puan_lots_owner = { "lot", lot_facts, lot_after };

/* Voids the lot in force of exactly this area, if there is one. */
static enum puan_status void_one(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, int64_t area,
                                 size_t ordinal, int64_t seq,
                                 struct puan_str reason, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_case_call *call;
    struct puan_node *map;
    struct puan_lot l = { 0 };
    enum puan_status st = puan_lot_live(&l, db, area, a, NULL);

    if (st == PUAN_ENOTFOUND)
        return PUAN_OK;
    if (st != PUAN_OK)
        return puan_fail(err, st, "lot", "the lots cannot be read");
    if (seq >= 0 && seq < puan_lot_height(l.heights, ordinal))
        return PUAN_OK; /* the digest has seen it */
    if (puan_str_is(l.state, "locked"))
        return PUAN_OK; /* the flow says what a locked lot still allows */
    call = puan_new(a, struct puan_case_call);
    map = fields(a);
    if (call == NULL || map == NULL)
        return puan_arena_check(a, err);
    call->arena = a;
    call->run = l.run;
    call->event.kind = PUAN_FLOW_ACT;
    call->event.name = PUAN_STR("change");
    call->event.who = puan_case_system();
    call->event.fields = field(map, a, "void_reason", reason, true);
    return puan_case_in(sh, db, act, call, err);
}

static enum puan_status void_above(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, int64_t area,
                                   struct puan_str reason,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(puan_shard_store(sh));
    uint32_t i = puan_area_find(t, area);

    if (i == PUAN_AREA_NONE || t->area[i].parent == PUAN_AREA_NONE)
        return PUAN_OK;
    /* the next one up voids the rest by its own hook; areas without a lot are
     * passed over */
    for (i = t->area[i].parent; i != PUAN_AREA_NONE; i = t->area[i].parent) {
        struct puan_lot l;
        enum puan_status st = puan_lot_live(&l, db, t->area[i].code, a, NULL);

        if (st == PUAN_OK)
            return void_one(sh, db, act, t->area[i].code, 0, -1, reason, a,
                            err);
        if (st != PUAN_ENOTFOUND)
            return puan_fail(err, st, "lot", "the lots cannot be read");
    }
    return PUAN_OK;
}

/* A return in a marked area has changed. */
static enum puan_status changed(struct puan_store *st, struct puan_shard *sh,
                                struct puan_db *db, struct puan_act *act,
                                struct puan_str body, struct puan_err *err)
{
    struct puan_arena a;
    struct puan_node *n = NULL;
    struct puan_stmt *s = NULL;
    struct puan_shard *from = NULL;
    int64_t area = 0, household = 0, seq = 0;
    enum puan_status rc;

    /* what the cases below would name the act is gone when it is entered */
    if (act->subject.n == 0)
        act->subject = PUAN_STR("lots");
    if (act->note.n == 0)
        act->note = PUAN_STR("a return of a marked area has changed");
    puan_arena_init(&a, &puan_heap);
    rc = puan_json_tree(&n, body, "return.changed", &a, err);
    if (rc == PUAN_OK)
        rc = puan_node_int(&area, n, "area", 0, INT64_MAX, err);
    if (rc == PUAN_OK)
        rc = puan_node_int(&household, n, "household", 0, INT64_MAX, err);
    if (rc == PUAN_OK)
        rc = puan_node_int(&seq, n, "seq", 0, INT64_MAX, err);
    if (rc == PUAN_OK)
        from = puan_store_shard_of_household(st, household);
    if (rc == PUAN_OK && from == NULL)
        rc = puan_fail(err, PUAN_EINVAL, "return.changed",
                       "no store holds household %lld", (long long)household);
    if (rc != PUAN_OK)
        goto out;
    rc = puan_sql(&s, db,
                  "INSERT INTO lot_change(area, store, seq) VALUES($1, $2, $3)"
                  " ON CONFLICT (area, store) DO UPDATE SET seq ="
                  " excluded.seq WHERE lot_change.seq < excluded.seq",
                  err);
    if (rc != PUAN_OK)
        goto out;
    puan_bind_int(s, 1, area);
    puan_bind_int(s, 2, (int64_t)puan_shard_ordinal(from));
    puan_bind_int(s, 3, seq);
    rc = puan_stmt_once(s, err);
    if (rc == PUAN_OK)
        rc = void_one(sh, db, act, area, puan_shard_ordinal(from), seq,
                      puan_str_of(puan_arena_fmt(
                          &a, "household %lld has a new version",
                          (long long)household)),
                      &a, err);
out:
    puan_arena_clear(&a);
    return rc;
}

/* ---- requests --------------------------------------------------------------- */


static void lot_json(struct puan_jw *w, const struct puan_request *rq,
                     const struct puan_lot *l)
{
    puan_jw_kint(w, "id", l->id);
    puan_jw_kint(w, "case", l->run);
    puan_jw_kint(w, "area", l->area);
    puan_jw_kstr(w, "state", l->state);
    puan_jw_kint(w, "households", l->households);
    puan_jw_kdigest(w, "digest", l->digest);
    puan_jw_kinstant(w, "made", l->made_ms,
                     puan_store_plan(rq->store)->offset_minutes);
}

static enum puan_status accept_lot(struct puan_request *rq, const void *v,
                                   struct puan_err *err)
{
    const struct puan_lot_in *in = v;
    struct puan_flow_who who =
        puan_case_seat(rq->store, puan_str_of(rq->who.name),
                       puan_str_of(rq->who.role_name), rq->who.area, in->area);
    struct puan_lot l;
    struct puan_act act;
    struct puan_jw *w;

    puan_request_act(&act, rq, PUAN_STR(""));
    TRY(puan_lot_accept(&l, rq->store, &act, &who, in->area, in->reason,
                        in->digest, rq->arena, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    lot_json(w, rq, &l);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static void put_lot(struct puan_jw *w, struct puan_stmt *s,
                    struct puan_request *rq)
{
    struct puan_lot l = { 0 };

    puan_lot_row(&l, s, rq->arena);
    puan_jw_map(w);
    lot_json(w, rq, &l);
    puan_jw_end(w, '}');
}

static enum puan_status list_lots(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct puan_lot_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db, PUAN_LOT_COLUMNS "WHERE id > $1 ORDER BY id", err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->page.cursor);
        st = puan_answer_rows(rq, s, &in->page, 2, put_lot, err);
    }
    puan_read_end(office, db);
    return st;
}

static enum puan_status get_lot(struct puan_lot *l, struct puan_request *rq,
                                int64_t id, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    *l = (struct puan_lot){ 0 };
    TRY(puan_read_begin(&db, office, err));
    st = read_lot(l, db, id, rq->arena, err);
    puan_read_end(office, db);
    return st;
}

static enum puan_status area_of_lot(int64_t *area, struct puan_request *rq,
                                    const void *v, struct puan_err *err)
{
    const struct puan_lot_in *in = v;
    struct puan_lot l;

    TRY(get_lot(&l, rq, in->id, err));
    *area = l.area;
    return PUAN_OK;
}

/* One lot, and whether the returns still are what was accepted. */
static enum puan_status show_lot(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    const struct puan_lot_in *in = v;
    uint8_t now[PUAN_DIGEST_SIZE];
    struct puan_lot l;
    struct puan_jw *w;
    uint64_t n = 0;

    TRY(get_lot(&l, rq, in->id, err));
    TRY(puan_area_digest(now, &n, rq->store, l.area, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    lot_json(w, rq, &l);
    puan_jw_kbool(w, "unchanged", memcmp(now, l.digest, sizeof now) == 0);
    puan_jw_kint(w, "households_now", (int64_t)n);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status withdraw_lot(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct puan_lot_in *in = v;
    struct puan_case_call *call = puan_new(rq->arena, struct puan_case_call);
    struct puan_node *map = fields(rq->arena);
    struct puan_lot l;
    struct puan_act act;
    struct puan_jw *w;

    if (call == NULL || map == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(get_lot(&l, rq, in->id, err));
    call->arena = rq->arena;
    call->run = l.run;
    call->event.kind = PUAN_FLOW_ACT;
    call->event.name = PUAN_STR("withdraw");
    call->event.who =
        puan_case_seat(rq->store, puan_str_of(rq->who.name),
                       puan_str_of(rq->who.role_name), rq->who.area, l.area);
    call->event.fields =
        field(map, rq->arena, "void_reason", in->reason, true);
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "lot/%lld",
                                                (long long)l.id)));
    TRY(puan_case_do(rq->store, &act, call, err));
    l.state = call->row.state;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    lot_json(w, rq, &l);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static const struct puan_param accept_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_lot_in, area), 1, INT64_MAX,
      false },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct puan_lot_in, reason), 1, 1000,
      true },
    { "digest", PUAN_PARAM_TEXT, offsetof(struct puan_lot_in, digest),
      2 * PUAN_DIGEST_SIZE, 2 * PUAN_DIGEST_SIZE, true },
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_lot_in, area), 1, INT64_MAX,
      false },
};
static const struct puan_param preview_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_lot_in, area), 1, INT64_MAX,
      false },
    { "quick", PUAN_PARAM_BOOL, offsetof(struct puan_lot_in, quick), 0, 0,
      true },
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_lot_in, area), 1, INT64_MAX,
      false },
    PUAN_PAGE_PARAMS(struct puan_lot_in, page),
};
static const struct puan_param id_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct puan_lot_in, id), 1, INT64_MAX, false },
};
static const struct puan_param withdraw_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct puan_lot_in, id), 1, INT64_MAX, false },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct puan_lot_in, reason), 1, 300,
      false },
};

static const struct puan_route routes[] = {
    { .method = PUAN_POST, .path = "/c/{campaign}/lots",
      .capability = "lot.accept", .scope = PUAN_SCOPE_AREA,
      .verb = "lot.accept", .summary = "Accept the returns of an area",
      .fresh_factor = true,
      .handle = accept_lot, PUAN_PARAMS(accept_params, struct puan_lot_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/lots",
      .capability = "lot.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "List lots of an area", .handle = list_lots,
      PUAN_PARAMS(list_params, struct puan_lot_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/lots/areas",
      .capability = "lot.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "What can be accepted in an area, and what stands against it",
      .handle = puan_lot_areas, PUAN_PARAMS(area_params, struct puan_lot_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/lots/preview",
      .capability = "lot.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "What would be signed by accepting an area",
      .handle = puan_lot_preview,
      PUAN_PARAMS(preview_params, struct puan_lot_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/lots/{id}",
      .capability = "lot.view", .scope = PUAN_SCOPE_OBJECT, .verb = "",
      .summary = "One lot, and whether its returns are unchanged",
      .handle = show_lot, .area_of = area_of_lot,
      PUAN_PARAMS(id_params, struct puan_lot_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/lots/{id}/withdraw",
      .capability = "lot.accept", .scope = PUAN_SCOPE_OBJECT,
      .verb = "lot.withdraw", .summary = "Take an acceptance back",
      .handle = withdraw_lot, .area_of = area_of_lot,
      PUAN_PARAMS(withdraw_params, struct puan_lot_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE lot(id BIGINT PRIMARY KEY, run BIGINT NOT NULL,"
      " area BIGINT NOT NULL, digest BYTEA NOT NULL,"
      " households BIGINT NOT NULL, heights TEXT NOT NULL,"
      " state TEXT NOT NULL, made BIGINT NOT NULL);"
      "CREATE INDEX lot_area ON lot(area, state);"
      "CREATE TABLE lot_change(area BIGINT NOT NULL, store BIGINT NOT NULL,"
      " seq BIGINT NOT NULL, PRIMARY KEY(area, store));" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "lot",
      "SELECT CAST(id AS TEXT), run, area, digest, households, heights, state,"
      " made FROM lot" },
};

static const char *const inbox_kinds[] = { "return.changed", NULL };

static enum puan_status lots_accepted(int64_t *v, struct puan_store *st,
                                      int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    (void)area;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_db_int(v, db,
                     "SELECT COUNT(*) FROM lot WHERE state IN ('accepted',"
                     " 'locked')",
                     0, err);
    puan_read_end(office, db);
    return rc;
}

static const struct puan_metric metrics[] = {
    { "puan_lots_accepted", "lots", "installation", "Lots in force",
      lots_accepted },
};

const struct puan_feature puan_feature_lots = {
    .name = "lots",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .open = puan_lots_open,
    .close = puan_lots_close,
    .inbox_kinds = inbox_kinds,
    .inbox = changed,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
