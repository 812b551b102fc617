/*
 * What the office sees: its devices and where every return taken is; and what
 * a device is given of its area.
 */
#include "features/devices/internal.h"

#include "core/area/area.h"
#include "features/household/household.h"
#include "kit/os/heap.h"

#define PAGE 50
#define HOUSEHOLDS 4096

/* ---- one area for its device ---------------------------------------------------- */

static void put_texts(struct puan_jw *w, struct puan_request *rq,
                      struct puan_shard *sh, int64_t household,
                      struct puan_str sealed)
{
    static const char *const key[] = { "head", "phone", "address" };
    int version = puan_sealed_version(sealed);
    const struct puan_seal_key *k =
        version < 0 ? NULL
                    : puan_keys_data_version(puan_store_keys(rq->store),
                                             puan_shard_area(sh), "vault",
                                             (uint16_t)version);
    struct puan_str plain;
    struct puan_in in;

    if (!k || puan_unseal(&plain, k,
                          puan_seal_aad(rq->arena, puan_shard_area(sh),
                                        "listing", "sealed", (uint16_t)version,
                                        puan_str_of(puan_arena_fmt(
                                            rq->arena, "%lld",
                                            (long long)household))),
                          sealed, rq->arena, NULL) != PUAN_OK)
        return; /* found at the door: nothing was listed */
    in = puan_in_of(plain);
    for (size_t i = 0; i < PUAN_COUNT(key); i++) {
        struct puan_str s = puan_in_bytes(&in, (size_t)puan_in_varint(&in));

        if (!in.bad)
            puan_jw_kstr(w, key[i], s);
    }
}

static enum puan_status put_queries(struct puan_jw *w, struct puan_db *db,
                                    int64_t household, int offset,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, version, reason, findings, asked FROM query"
                 " WHERE household = $1 AND state = 'open' ORDER BY id",
                 err));
    puan_bind_int(s, 1, household);
    puan_jw_key(w, "queries");
    puan_jw_list(w);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        puan_jw_map(w);
        puan_jw_kint(w, "id", puan_col_int(s, 0));
        puan_jw_kint(w, "version", puan_col_int(s, 1));
        puan_jw_kstr(w, "reason", puan_col_text(s, 2));
        puan_jw_key(w, "findings");
        puan_jw_raw(w, puan_col_text(s, 3));
        puan_jw_kinstant(w, "asked", puan_col_int(s, 4), offset);
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_jw_end(w, ']');
    return st;
}

struct listed {
    int64_t household, ea;
    struct puan_str building, unit, status, mode, sealed, cells;
};

static enum puan_status read_listed(struct listed **out, size_t *n,
                                    struct puan_db *db, struct puan_request *rq,
                                    struct puan_err *err)
{
    struct listed *list = puan_new_n(rq->arena, HOUSEHOLDS, struct listed);
    struct puan_stmt *s = NULL;
    int64_t from, to;
    bool more = false;
    enum puan_status st;

    *n = 0;
    *out = list;
    if (!list)
        return puan_arena_check(rq->arena, err);
    puan_area_keys(&from, &to, rq->store, rq->area);
    TRY(puan_sql(&s, db,
                 "SELECT household, ea, building, unit, status, mode, sealed,"
                 " cells FROM listing WHERE household >= $1 AND household < $2"
                 " ORDER BY household",
                 err));
    puan_bind_int(s, 1, from);
    puan_bind_int(s, 2, to);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (*n == HOUSEHOLDS) {
            st = puan_fail(err, PUAN_ELIMIT, "area",
                           "more than %d households; ask by enumeration area",
                           HOUSEHOLDS);
            break;
        }
        list[(*n)++] = (struct listed){
            .household = puan_col_int(s, 0),
            .ea = puan_col_int(s, 1),
            .building = puan_arena_keep(rq->arena, puan_col_text(s, 2)),
            .unit = puan_arena_keep(rq->arena, puan_col_text(s, 3)),
            .status = puan_arena_keep(rq->arena, puan_col_text(s, 4)),
            .mode = puan_arena_keep(rq->arena, puan_col_text(s, 5)),
            .sealed = puan_arena_keep(rq->arena, puan_col_bytes(s, 6)),
            .cells = puan_arena_keep(rq->arena, puan_col_text(s, 7)),
        };
    }
    puan_stmt_done(s);
    TRY(st);
    return puan_arena_check(rq->arena, err);
}

static enum puan_status put_household(struct puan_jw *w, const struct listed *l,
                                      struct puan_shard *sh, struct puan_db *db,
                                      struct puan_request *rq,
                                      struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_ret_head h = { 0 };
    enum puan_status st;

    (void)puan_ret_head(&h, rq->store, l->household);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", l->household);
    puan_jw_kcode(w, "ea", l->ea);
    puan_jw_kstr(w, "building", l->building);
    puan_jw_kstr(w, "unit", l->unit);
    puan_jw_kstr(w, "status", l->status);
    puan_jw_kstr(w, "mode", l->mode);
    puan_jw_kbool(w, "handed",
                  puan_handed_over(rq->store, l->mode, h.version, rq->now));
    put_texts(w, rq, sh, l->household, l->sealed);
    if (l->cells.n) {
        puan_jw_key(w, "cells");
        puan_jw_raw(w, l->cells);
    }
    puan_jw_kint(w, "version", h.version);
    puan_jw_kint(w, "persons", h.persons);
    puan_jw_kint(w, "hard", h.hard);
    puan_jw_kint(w, "soft", h.soft);
    puan_jw_kbool(w, "self", h.self);
    st = put_queries(w, db, l->household, offset, err);
    puan_jw_end(w, '}');
    return st;
}

HANDLER(h_dossier)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *sh = puan_store_shard_of_area(rq->store, rq->area);
    uint32_t area = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    struct device d;
    struct listed *list;
    struct puan_act act;
    struct puan_db *db;
    struct puan_jw *w;
    size_t n;
    enum puan_status st = device_of_session(&d, rq, err);

    (void)in;
    if (st == PUAN_EBUSY)
        return PUAN_OK;
    TRY(st);
    if (!sh || area == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area",
                         "it lies in no returns store");
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "area/%lld/listing",
                                                (long long)rq->area)));
    act.note = PUAN_STR("list of the area, for its device");
    TRY(puan_commit(sh, &act, NULL, NULL, err));
    TRY(puan_read_begin(&db, sh, err));
    st = read_listed(&list, &n, db, rq, err);
    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "area", rq->area);
    puan_jw_kstr(w, "area_zh", t->area[area].zh);
    puan_jw_kstr(w, "area_en", t->area[area].en);
    puan_jw_kint(w, "server_time", rq->real_now);
    puan_jw_kint(w, "now", rq->now);
    puan_jw_key(w, "households");
    puan_jw_list(w);
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = put_household(w, &list[i], sh, db, rq, err);
    puan_read_end(sh, db);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return st;
}

/* ---- counting what was taken ------------------------------------------------------- */

enum place { IN_LEDGER, IN_WAITING, ON_DEVICE, UNKNOWN, PLACES };
static const char *const place_names[PLACES] = { "ledger", "waiting", "on_device",
                                                 "unknown" };

struct tally {
    struct device d;
    int64_t n[PLACES];
};

struct count {
    struct puan_request *rq;
    const struct field_area_in *in;
    struct tally *by; /* of the devices, as `devices.list` */
    size_t n_by;
    int64_t all[PLACES];
    struct puan_jw *items; /* NULL: count only */
    int64_t matched, shown;
};

/* A copy of all devices: their number is small beside that of returns. */
static enum puan_status devices_now(struct count *c, struct puan_err *err)
{
    struct devices *x = devices_of(c->rq->store);

    pthread_rwlock_rdlock(&x->lock);
    c->by = puan_new_n(c->rq->arena, x->n + 1, struct tally);
    for (size_t i = 0; c->by && i < x->n; i++)
        c->by[i].d = x->list[i];
    c->n_by = c->by ? x->n : 0;
    pthread_rwlock_unlock(&x->lock);
    return puan_arena_check(c->rq->arena, err);
}

static struct tally *tally_of(struct count *c, struct puan_str device)
{
    size_t i = device_place(device);

    return i < c->n_by && puan_str_eq(c->by[i].d.device, device) ? &c->by[i]
                                                                 : NULL;
}

/*
 * Announced and not noted as arrived; is it in the ledger all the same?  Its
 * receipt may have been lost with a crash, or it came by another door.
 */
static enum puan_status in_ledger(bool *is, struct puan_db *db,
                                  struct puan_store *st, int64_t household,
                                  struct puan_str device, int64_t counter,
                                  struct puan_err *err)
{
    struct puan_ret_head h;
    enum puan_status rc = PUAN_OK;
    int64_t seq;

    *is = false;
    if (!puan_ret_head(&h, st, household))
        return PUAN_OK;
    for (seq = h.ret; seq && !*is && rc == PUAN_OK;) {
        struct puan_stmt *s = NULL;
        bool more = false;

        rc = puan_sql(&s, db,
                      "SELECT prev, device, counter FROM ret WHERE seq = $1",
                      err);
        if (rc != PUAN_OK)
            break;
        puan_bind_int(s, 1, seq);
        rc = puan_stmt_step(&more, s, err);
        seq = rc == PUAN_OK && more ? puan_col_int(s, 0) : 0;
        *is = rc == PUAN_OK && more &&
              puan_str_eq(puan_col_text(s, 1), device) &&
              puan_col_int(s, 2) == counter;
        puan_stmt_done(s);
    }
    return rc;
}

static void put_item(struct count *c, const struct tally *t, int64_t household,
                     int64_t counter, int64_t sealed, enum place p)
{
    int offset = puan_store_plan(c->rq->store)->offset_minutes;
    int64_t skip = (c->in->page > 0 ? c->in->page - 1 : 0) * PAGE;

    if (p == IN_LEDGER || (c->in->state.n &&
                           !puan_str_is(c->in->state, place_names[p])))
        return;
    c->matched++;
    if (!c->items || c->matched <= skip || c->shown == PAGE)
        return;
    c->shown++;
    puan_jw_map(c->items);
    puan_jw_kcode(c->items, "household", household);
    puan_jw_kint(c->items, "counter", counter);
    puan_jw_ktext(c->items, "place", place_names[p]);
    puan_jw_kstr(c->items, "device", t->d.device);
    puan_jw_kstr(c->items, "account", t->d.account);
    if (sealed)
        puan_jw_kinstant(c->items, "sealed", sealed, offset);
    puan_jw_kinstant(c->items, "seen", t->d.at, offset);
    puan_jw_end(c->items, '}');
}

static enum puan_status count_shard(struct count *c, struct puan_shard *sh,
                                    int64_t from, int64_t to,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, sh, err));
    st = puan_sql(&s, db,
                  "SELECT device, household, counter, sealed, state"
                  " FROM device_return WHERE household >= $1"
                  " AND household < $2 ORDER BY state, household, counter",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, from);
        puan_bind_int(s, 2, to);
    }
    while (st == PUAN_OK && (st = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        struct puan_str device = puan_col_text(s, 0);
        int64_t state = puan_col_int(s, 4);
        struct tally *t = tally_of(c, device);
        enum place p = state == RETURN_LEDGER ? IN_LEDGER
                       : state == RETURN_WAITS ? IN_WAITING
                                               : ON_DEVICE;
        bool is = false;

        if (!t)
            continue;
        if (p == ON_DEVICE)
            st = in_ledger(&is, db, c->rq->store, puan_col_int(s, 1), device,
                           puan_col_int(s, 2), err);
        if (is)
            p = IN_LEDGER;
        else if (p == ON_DEVICE && (t->d.lost || t->d.broken))
            p = UNKNOWN;
        t->n[p]++;
        c->all[p]++;
        put_item(c, t, puan_col_int(s, 1), puan_col_int(s, 2),
                 puan_col_int(s, 3), p);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

static enum puan_status count_area(struct count *c, struct puan_err *err)
{
    struct puan_store *st = c->rq->store;
    int64_t from, to, s_from, s_to;

    TRY(devices_now(c, err));
    puan_area_keys(&from, &to, st, c->rq->area);
    if (c->rq->area == 0)
        to = INT64_MAX;
    for (size_t i = 1; i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        puan_area_keys(&s_from, &s_to, st, puan_shard_area(sh));
        if (s_from < to && from < s_to)
            TRY(count_shard(c, sh, from, to, err));
    }
    return PUAN_OK;
}

static void put_places(struct puan_jw *w, const int64_t n[PLACES])
{
    int64_t sum = 0;

    for (int p = 0; p < PLACES; p++) {
        puan_jw_kint(w, place_names[p], n[p]);
        sum += n[p];
    }
    puan_jw_kint(w, "taken", sum);
}

/* ---- reconciliation ------------------------------------------------------------------ */

HANDLER(h_reconciliation)
{
    const struct field_area_in *p = in;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct count c = { .rq = rq, .in = p };
    struct puan_out list;
    struct puan_jw items, *w;
    int64_t broken = 0;

    puan_out_init(&list, rq->arena);
    puan_jw_init(&items, &list);
    puan_jw_list(&items);
    c.items = &items;
    TRY(count_area(&c, err));
    puan_jw_end(&items, ']');
    for (size_t i = 0; i < c.n_by; i++)
        broken += c.by[i].d.broken &&
                  puan_area_covers(rq->store, rq->area, c.by[i].d.area);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->real_now, offset);
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    put_places(w, c.all);
    puan_jw_end(w, '}');
    puan_jw_kint(w, "broken", broken);
    puan_jw_key(w, "items");
    puan_jw_raw(w, puan_out_view(&list));
    puan_jw_kint(w, "total", c.matched);
    puan_jw_end(w, '}');
    return puan_arena_check(rq->arena, err);
}

/* ---- devices ----------------------------------------------------------------------------- */

static const char *const state_names[] = { "active", "expired", "revoked",
                                           "lost", "wiped" };
enum { STATES = 5 };

static int state_of(const struct device *d, int64_t now)
{
    if (d->state == DEVICE_WIPED)
        return 4;
    if (d->lost)
        return 3;
    if (d->state == DEVICE_REVOKED)
        return 2;
    return d->lease < now ? 1 : 0;
}

static void put_device(struct puan_jw *w, struct puan_request *rq,
                       const struct tally *t)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    const struct puan_area_tree *tree = puan_store_areas(rq->store);
    const struct puan_role *role =
        puan_plan_role(puan_store_plan(rq->store), t->d.role);
    uint32_t i = tree ? puan_area_find(tree, t->d.area) : PUAN_AREA_NONE;
    bool has = i != PUAN_AREA_NONE;

    puan_jw_map(w);
    puan_jw_kstr(w, "device", t->d.device);
    puan_jw_kstr(w, "name", t->d.name);
    puan_jw_kstr(w, "account", t->d.account);
    puan_jw_kstr(w, "role_zh", role ? role->zh : t->d.role);
    puan_jw_kstr(w, "role_en", role ? role->en : t->d.role);
    puan_jw_kcode(w, "area", t->d.area);
    puan_jw_kstr(w, "area_zh", has ? tree->area[i].zh : PUAN_STR(""));
    puan_jw_kstr(w, "area_en", has ? tree->area[i].en : PUAN_STR(""));
    puan_jw_ktext(w, "state", state_names[state_of(&t->d, rq->real_now)]);
    puan_jw_kbool(w, "broken", t->d.broken);
    puan_jw_kinstant(w, "enrolled", t->d.enrolled, offset);
    puan_jw_kinstant(w, "seen", t->d.at, offset);
    puan_jw_kinstant(w, "lease_until", t->d.lease, offset);
    puan_jw_kint(w, "skew_ms", t->d.clock);
    puan_jw_kint(w, "links", t->d.n);
    put_places(w, t->n);
    if (t->d.revoked) {
        puan_jw_kinstant(w, "revoked", t->d.revoked, offset);
        puan_jw_kint(w, "order", t->d.ordered);
        puan_jw_kstr(w, "reason", t->d.reason);
        puan_jw_kstr(w, "seat", t->d.seat);
    }
    if (t->d.wiped)
        puan_jw_kinstant(w, "wiped", t->d.wiped, offset);
    puan_jw_end(w, '}');
}

HANDLER(h_devices)
{
    const struct field_area_in *p = in;
    int64_t skip = (p->page > 0 ? p->page - 1 : 0) * PAGE, total = 0, shown = 0;
    int64_t counts[STATES] = { 0 };
    struct count c = { .rq = rq, .in = p };
    struct puan_jw *w;

    TRY(count_area(&c, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->real_now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = c.n_by; i-- > 0;) {
        const struct tally *t = &c.by[i];
        int state = state_of(&t->d, rq->real_now);

        if (!t->d.id || !puan_area_covers(rq->store, rq->area, t->d.area) ||
            (p->q.n && !puan_str_holds(t->d.device, p->q) &&
             !puan_str_holds(t->d.account, p->q)))
            continue;
        counts[state]++;
        if (p->state.n && !puan_str_is(p->state, state_names[state]))
            continue;
        total++;
        if (total <= skip || shown == PAGE)
            continue;
        shown++;
        put_device(w, rq, t);
    }
    puan_jw_end(w, ']');
    puan_jw_kint(w, "total", total);
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    for (int i = 0; i < STATES; i++)
        puan_jw_kint(w, state_names[i], counts[i]);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    return PUAN_OK;
}
