/*
 * Rows of groups: read, written, told in the history, and kept true when a
 * household answers anew; see search.h.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/link/link.h"
#include "core/plan/plan.h"
#include "features/duplicates/search.h"
#include "features/ingest/ingest.h"
#include "features/live/live.h"
#include "kit/os/heap.h"

/* ---- rows ------------------------------------------------------------------
 */

enum puan_status puan_dup_cover(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act, const struct puan_dup *d,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_content_text(&o, d->token);
    puan_content_int(&o, d->kinds);
    puan_content_int(&o, d->area);
    puan_content_text(&o, d->records);
    puan_content_text(&o, d->state);
    puan_content_text(&o, d->decision);
    puan_content_int(&o, d->found_ms);
    return puan_cover_id(sh, db, act, "dup", d->id, puan_out_view(&o), err);
}

enum puan_status puan_dup_read(struct puan_dup *out, struct puan_db *db,
                               int64_t id, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&q, db,
                  "SELECT id, token, kinds, area, records, state, decision,"
                  " found FROM dup WHERE id = $1",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(q, 1, id);
        st = puan_stmt_step(&more, q, err);
    }
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "duplicate", "no such group");
    if (st == PUAN_OK)
        puan_dup_row(out, q, a);
    puan_stmt_done(q);
    return st;
}

static struct puan_str keep(struct puan_arena *a, struct puan_str s)
{
    return (struct puan_str){ puan_arena_dup(a, s), s.n };
}

void puan_dup_row(struct puan_dup *out, struct puan_stmt *q,
                  struct puan_arena *a)
{
    out->id = puan_col_int(q, 0);
    out->token = keep(a, puan_col_text(q, 1));
    out->kinds = puan_col_int(q, 2);
    out->area = puan_col_int(q, 3);
    out->records = keep(a, puan_col_text(q, 4));
    out->state = keep(a, puan_col_text(q, 5));
    out->decision = keep(a, puan_col_text(q, 6));
    out->found_ms = puan_col_int(q, 7);
}

enum puan_status puan_dup_write(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act, const struct puan_dup *d,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    enum puan_status st;

    st = puan_sql(&q, db,
                  "INSERT INTO dup(id, token, kinds, area, records, state,"
                  " decision, found) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)"
                  " ON CONFLICT(id) DO UPDATE SET kinds = excluded.kinds,"
                  " area = excluded.area, records = excluded.records,"
                  " state = excluded.state, decision = excluded.decision,"
                  " found = excluded.found",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(q, 1, d->id);
    puan_bind_text(q, 2, d->token);
    puan_bind_int(q, 3, d->kinds);
    puan_bind_int(q, 4, d->area);
    puan_bind_text(q, 5, d->records);
    puan_bind_text(q, 6, d->state);
    puan_bind_text(q, 7, d->decision);
    puan_bind_int(q, 8, d->found_ms);
    st = puan_stmt_once(q, err);
    puan_live_touch(puan_shard_store(sh), "duplicates", d->area);
    return st == PUAN_OK ? puan_dup_cover(sh, db, act, d, a, err) : st;
}

enum puan_status puan_dup_event(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act, const struct puan_dup *d,
                                int64_t verdict, struct puan_str reason,
                                struct puan_arena *a, struct puan_err *err)
{
    int64_t now = puan_store_now(puan_shard_store(sh)), id = 0;
    struct puan_stmt *q = NULL;
    struct puan_out o;
    enum puan_status st =
        puan_db_int(&id, db, "SELECT max(id) + 1 FROM dup_event", 1, err);

    if (st == PUAN_OK)
        st = puan_sql(&q, db,
                      "INSERT INTO dup_event(id, dup, at, seat, verdict,"
                      " reason, records, decision)"
                      " VALUES($1,$2,$3,$4,$5,$6,$7,$8)",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(q, 1, id);
    puan_bind_int(q, 2, d->id);
    puan_bind_int(q, 3, now);
    puan_bind_text(q, 4, act->seat);
    puan_bind_int(q, 5, verdict);
    puan_bind_text(q, 6, reason);
    puan_bind_text(q, 7, d->records);
    puan_bind_text(q, 8, d->decision);
    TRY(puan_stmt_once(q, err));
    puan_out_init(&o, a);
    puan_content_int(&o, d->id);
    puan_content_int(&o, now);
    puan_content_text(&o, act->seat);
    puan_content_int(&o, verdict);
    puan_content_text(&o, reason);
    puan_content_text(&o, d->records);
    puan_content_text(&o, d->decision);
    return puan_cover_id(sh, db, act, "dup_event", id, puan_out_view(&o), err);
}

/* ---- records
 * ----------------------------------------------------------------- */

enum puan_status puan_dup_records(struct puan_dup_record **out, size_t *n,
                                  struct puan_str json, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_node *tree = NULL;
    enum puan_status st = puan_json_tree(&tree, json, "records", a, err);

    if (st != PUAN_OK)
        return st;
    *n = 0;
    *out = puan_new_n(a, tree->n ? tree->n : 1, struct puan_dup_record);
    if (*out == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, tree)
    {
        struct puan_dup_record *r = &(*out)[*n];

        st = puan_node_int(&r->household, c, "household", 1, INT64_MAX, err);
        if (st == PUAN_OK)
            st = puan_node_int(&r->line, c, "line", 1, 65536, err);
        if (st == PUAN_OK)
            st = puan_node_int(&r->ret, c, "ret", 1, INT64_MAX, err);
        if (st == PUAN_OK)
            st = puan_node_int(&r->case_id, c, "case", 0, INT64_MAX, err);
        if (st != PUAN_OK)
            return st;
        r->present = puan_str_is(puan_node_str_opt(c, "present", ""), "true");
        r->registered =
            puan_str_is(puan_node_str_opt(c, "registered", ""), "true");
        ++*n;
    }
    return PUAN_OK;
}

bool puan_dup_touches(struct puan_str records, int64_t from, int64_t to)
{
    static const char key[] = "\"household\":\"";
    const size_t n = sizeof(key) - 1;

    for (size_t i = 0; i + n < records.n; i++) {
        int64_t h = 0;

        if (records.p[i] != '"' || memcmp(records.p + i, key, n) != 0)
            continue;
        for (i += n; i < records.n && records.p[i] >= '0' &&
                     records.p[i] <= '9' && h < INT64_MAX / 10 - 1;
             i++)
            h = h * 10 + (records.p[i] - '0');
        if (h >= from && h < to)
            return true;
    }
    return false;
}

static int by_household(const void *x, const void *y)
{
    const struct puan_dup_record *a = x, *b = y;

    if (a->household != b->household)
        return a->household < b->household ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

void puan_dup_records_json(struct puan_out *o, struct puan_dup_record *r,
                           size_t n)
{
    struct puan_jw w;

    qsort(r, n, sizeof(*r), by_household);
    puan_jw_init(&w, o);
    puan_jw_list(&w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(&w);
        puan_jw_kcode(&w, "household", r[i].household);
        puan_jw_kint(&w, "line", r[i].line);
        puan_jw_kint(&w, "ret", r[i].ret);
        puan_jw_kint(&w, "case", r[i].case_id);
        puan_jw_kbool(&w, "present", r[i].present);
        puan_jw_kbool(&w, "registered", r[i].registered);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
}

/* ---- who has answered anew
 * ---------------------------------------------------- */

static int unhex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool token_bytes(uint8_t out[16], struct puan_str hex)
{
    if (hex.n != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int a = unhex(hex.p[2 * i]), b = unhex(hex.p[2 * i + 1]);

        if (a < 0 || b < 0)
            return false;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}

/* The persons of one household's last version that have the token. */
static enum puan_status read_again(struct puan_dup_record *out, size_t *n,
                                   size_t max, struct puan_store *store,
                                   int64_t household, const uint8_t token[16],
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_shard *sh = puan_store_shard_of_household(store, household);
    struct puan_ret_head head;
    struct puan_db *db = NULL;
    struct puan_ret r;
    enum puan_status st;

    if (sh == NULL || !puan_ret_head(&head, store, household) || head.ret == 0)
        return PUAN_OK;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_ret_read(&r, sh, db, head.ret, a, err);
    puan_read_end(sh, db);
    for (size_t at = 0; st == PUAN_OK && at + PUAN_TOKEN_BYTES <= r.tok.n;
         at += PUAN_TOKEN_BYTES) {
        const struct puan_residence_case *c;
        struct puan_token t;

        puan_token_get(&t, (const uint8_t *)r.tok.p + at);
        if (t.residence == 0 || t.residence > plan->n_residence ||
            memcmp(t.token, token, 16) != 0 || *n == max)
            continue;
        c = &plan->residence[t.residence - 1];
        out[(*n)++] =
            (struct puan_dup_record){ household, t.row + 1,   r.seq,
                                      c->id,     c->de_facto, c->registered };
    }
    return st;
}

static unsigned kinds_of(const struct puan_dup_record *r, size_t n)
{
    struct puan_link_entry e[64];

    for (size_t i = 0; i < n && i < PUAN_COUNT(e); i++)
        e[i].bits = (uint8_t)((r[i].present ? PUAN_LINK_PRESENT : 0) |
                              (r[i].registered ? PUAN_LINK_REGISTERED : 0));
    return n > 1 ? puan_link_kinds(e, n < 64 ? n : 64) : 0;
}

/* Whether a group's households have moved, and its records as they are now. */
static enum puan_status look(bool *moved, struct puan_dup *d,
                             struct puan_store *store, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_dup_record *old = NULL, now[64];
    uint8_t token[16];
    size_t n = 0, m = 0;
    struct puan_out o;
    enum puan_status st = puan_dup_records(&old, &n, d->records, a, err);

    *moved = false;
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_ret_head head;

        if (puan_ret_head(&head, store, old[i].household) &&
            head.ret != old[i].ret)
            *moved = true;
    }
    if (st != PUAN_OK || !*moved)
        return st;
    qsort(old, n, sizeof(*old), by_household);
    if (!token_bytes(token, d->token))
        return puan_fail(err, PUAN_EBUG, "dup", "a token is malformed");
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        if (i == 0 || old[i].household != old[i - 1].household)
            st = read_again(now, &m, PUAN_COUNT(now), store, old[i].household,
                            token, a, err);
    if (st != PUAN_OK)
        return st;
    d->kinds = (int64_t)kinds_of(now, m);
    d->state = d->kinds & (1 << PUAN_LINK_PRESENT_TWICE |
                           1 << PUAN_LINK_REGISTERED_TWICE)
                   ? PUAN_STR("open")
                   : PUAN_STR("gone");
    d->decision = PUAN_STR("");
    puan_out_init(&o, a);
    puan_dup_records_json(&o, now, m);
    d->records = puan_out_view(&o);
    return puan_arena_check(a, err);
}

struct moved {
    int64_t id;
};

static enum puan_status refresh_body(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act, void *arg,
                                     struct puan_err *err)
{
    const struct moved *m = arg;
    struct puan_dup d;
    struct puan_arena a;
    bool moved = false, was_open = false;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_dup_read(&d, db, m->id, &a, err);
    was_open = st == PUAN_OK && puan_str_is(d.state, "open");
    if (st == PUAN_OK)
        st = look(&moved, &d, puan_shard_store(sh), &a, err);
    if (st == PUAN_OK && moved)
        st = puan_dup_write(sh, db, act, &d, &a, err);
    if (st == PUAN_OK && moved && !(was_open && puan_str_is(d.state, "open")))
        st = puan_dup_event(sh, db, act, &d, 0, PUAN_STR(""), &a, err);
    act->silent = st == PUAN_OK && !moved;
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_dup_refresh(struct puan_store *st, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *q = NULL;
    struct puan_db *db = NULL;
    struct puan_arena list, a;
    int64_t *id = NULL;
    size_t n = 0, cap = 0;
    bool more = false;
    enum puan_status x;

    puan_arena_init(&list, &puan_heap);
    puan_arena_init(&a, &puan_heap);
    x = puan_read_begin(&db, office, err);
    if (x == PUAN_OK) {
        x = puan_sql(&q, db,
                     "SELECT id, token, kinds, area, records, state, decision,"
                     " found FROM dup WHERE state <> 'gone' ORDER BY id",
                     err);
        while (x == PUAN_OK) {
            struct puan_dup_record *r = NULL;
            struct puan_dup d;
            size_t records = 0;
            bool moved = false;

            x = puan_stmt_step(&more, q, err);
            if (x != PUAN_OK || !more)
                break;
            puan_arena_reset(&a);
            puan_dup_row(&d, q, &a);
            x = puan_dup_records(&r, &records, d.records, &a, err);
            for (size_t i = 0; x == PUAN_OK && i < records; i++) {
                struct puan_ret_head head;

                moved |= puan_ret_head(&head, st, r[i].household) &&
                         head.ret != r[i].ret;
            }
            if (x != PUAN_OK || !moved)
                continue;
            if (n == cap) {
                int64_t *to = puan_new_n(&list, cap ? cap * 2 : 64, int64_t);

                if (to == NULL) {
                    x = puan_arena_check(&list, err);
                    break;
                }
                if (n)
                    memcpy(to, id, n * sizeof(*id));
                id = to;
                cap = cap ? cap * 2 : 64;
            }
            id[n++] = d.id;
        }
        puan_stmt_done(q);
        puan_read_end(office, db);
    }
    for (size_t i = 0; x == PUAN_OK && i < n; i++) {
        struct moved m = { id[i] };
        char subject[40];
        struct puan_act act = { .actor = PUAN_STR("system"),
                                .seat = PUAN_STR("system"),
                                .verb = PUAN_STR("duplicate.reopen") };

        puan_format(subject, sizeof(subject), "duplicate/%lld",
                    (long long)id[i]);
        act.subject = puan_str_of(subject);
        x = puan_commit(office, &act, refresh_body, &m, err);
    }
    puan_arena_clear(&a);
    puan_arena_clear(&list);
    return x;
}

enum puan_status puan_dup_open_in(int64_t *n, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *q = NULL;
    struct puan_db *db = NULL;
    int64_t from, to;
    bool more = false;
    enum puan_status x;

    *n = 0;
    puan_area_keys(&from, &to, st, area);
    x = puan_read_begin(&db, office, err);
    if (x != PUAN_OK)
        return x;
    x = puan_sql(&q, db,
                 "SELECT records FROM dup WHERE state IN ('open', 'field',"
                 " 'passed')",
                 err);
    while (x == PUAN_OK) {
        x = puan_stmt_step(&more, q, err);
        if (x != PUAN_OK || !more)
            break;
        *n += puan_dup_touches(puan_col_text(q, 0), from, to);
    }
    puan_stmt_done(q);
    puan_read_end(office, db);
    return x;
}
