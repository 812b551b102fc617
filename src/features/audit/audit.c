/*
 * The ledger as an auditor asks it: one box for a household, receipt, account,
 * seat, device, case or time; what of a return was changed, by whom and on
 * which query, with the values left sealed; the state of the chain; and one
 * file that proves an entry.
 *
 * Each search is an entry of the office's ledger before it is answered.  What
 * was typed stands there only when it is a code or a name of the system; any
 * other text stands as its digest, since it may be somebody's name.
 *
 * Depends on: ledgers (reading), ingest (versions of a return), store.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/audit/internal.h"
#include "features/host/host.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/source.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

#define VERSIONS 64
#define CHECKED 20000 /* entries of a chain one request recomputes */

/* ---- what was typed ------------------------------------------------------------------ */

enum kind {
    OF_NOTHING,   /* empty: the newest entries */
    OF_HOUSEHOLD, /* its whole code */
    OF_AREA,      /* digits of an area: subjects that begin so */
    OF_ENTRY,     /* #123 */
    OF_RECEIPT,   /* hexadecimal, the beginning of a digest */
    OF_CASE,      /* case/20 */
    OF_TIME,      /* a day, an hour or a minute */
    OF_WORD       /* account, seat, role, device, or the whole subject */
};
static const char *const kinds[] = { "all",     "household", "area", "entry",
                                     "receipt", "case",      "time", "word" };

struct question {
    enum kind kind;
    struct puan_str text; /* trimmed; codes without blanks */
    int64_t number, lo, hi;
    uint32_t hash, head;
    int64_t from_s, to_s;
    int verb;        /* place in the index's verbs, -1 any, -2 unknown */
    int64_t since_s, until_s; /* besides */
    uint8_t digest[PUAN_DIGEST_SIZE];
    size_t digest_n; /* whole bytes given */
};

static bool all_digits(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static bool all_hex(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
              (s.p[i] >= 'a' && s.p[i] <= 'f') ||
              (s.p[i] >= 'A' && s.p[i] <= 'F')))
            return false;
    return s.n > 0;
}

static struct puan_str without_blanks(struct puan_arena *a, struct puan_str s)
{
    char *p = puan_arena_get(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; p && i < s.n; i++)
        if (s.p[i] != ' ')
            p[n++] = s.p[i];
    return (struct puan_str){ p ? p : "", n };
}

/* Digits of one part of a date, up to four. */
static bool part(int *out, const char **p, const char *end, size_t most)
{
    size_t n = 0;

    *out = 0;
    while (*p < end && **p >= '0' && **p <= '9' && n < most) {
        *out = *out * 10 + (*(*p)++ - '0');
        n++;
    }
    return n > 0;
}

static bool is(const char **p, const char *end, char c)
{
    if (*p < end && **p == c) {
        (*p)++;
        return true;
    }
    return false;
}

/* "2020-11-05", "11-05", "11-05 09", "2020-11-05T09:12": a span of time. */
static bool time_of(struct question *q, struct puan_str s,
                    const struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const char *p = s.p, *end = s.p + s.n;
    int a, b, c = 0, year, month, day, hour = -1, minute = -1, now_month, mday;
    int64_t at;

    puan_day_split(puan_instant_day(rq->now, plan->offset_minutes), &year,
                   &now_month, &mday);
    if (!part(&a, &p, end, 4) || !is(&p, end, '-') || !part(&b, &p, end, 2))
        return false;
    if (is(&p, end, '-')) {
        if (!part(&c, &p, end, 2))
            return false;
        year = a;
        month = b;
        day = c;
    } else {
        month = a;
        day = b;
        year -= month > now_month || (month == now_month && day > mday);
    }
    if (is(&p, end, ' ') || is(&p, end, 'T')) {
        if (!part(&hour, &p, end, 2))
            return false;
        if (is(&p, end, ':') && !part(&minute, &p, end, 2))
            return false;
    }
    if (p != end || !puan_day_exists(year, month, day) || hour > 24 ||
        minute > 59)
        return false;
    at = puan_day_of(year, month, day) * 86400 - plan->offset_minutes * 60;
    q->from_s = at + (hour > 0 ? hour * 3600 : 0) + (minute > 0 ? minute * 60
                                                                 : 0);
    q->to_s = q->from_s + (minute >= 0 ? 60 : hour >= 0 ? 3600 : 86400);
    return true;
}

static int64_t ten(unsigned n)
{
    int64_t x = 1;

    while (n--)
        x *= 10;
    return x;
}

static void understand(struct question *q, struct puan_str typed,
                       const struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    unsigned whole =
        plan->level[plan->ea_level].digits + plan->household_digits;
    struct puan_str s = puan_str_trim(typed),
                    tight = without_blanks(rq->arena, s), rest;

    q->text = s;
    if (!s.n) {
        q->kind = OF_NOTHING;
        return;
    }
    if (tight.p[0] == '#' &&
        puan_int_parse(&q->number,
                       (struct puan_str){ tight.p + 1, tight.n - 1 })) {
        q->kind = OF_ENTRY;
        q->text = tight;
        return;
    }
    if (all_digits(tight) && tight.n <= 18) {
        (void)puan_int_parse(&q->number, tight);
        if (tight.n == whole) {
            q->kind = OF_HOUSEHOLD;
            q->text = tight;
            return;
        }
        if (tight.n < whole &&
            puan_plan_level_of_digits(plan, (unsigned)tight.n) >= 0) {
            q->kind = OF_AREA;
            q->text = tight;
            q->lo = q->number * ten(whole - (unsigned)tight.n);
            q->hi = q->lo + ten(whole - (unsigned)tight.n);
            return;
        }
    }
    if (puan_str_starts(s, "case/") &&
        puan_int_parse(&q->number, (struct puan_str){ s.p + 5, s.n - 5 })) {
        q->kind = OF_CASE;
        q->hash = puan_audit_hash(s);
        return;
    }
    if (time_of(q, s, rq)) {
        q->kind = OF_TIME;
        return;
    }
    rest = tight;
    if (all_hex(rest) && rest.n >= 8 && rest.n <= 64) {
        q->kind = OF_RECEIPT;
        q->text = rest;
        q->digest_n = rest.n / 2;
        (void)puan_unhex(q->digest, q->digest_n,
                         (struct puan_str){ rest.p, q->digest_n * 2 });
        for (int i = 0; i < 4; i++)
            q->head = q->head << 8 | q->digest[i];
        q->hash = puan_audit_hash(s);
        return;
    }
    q->kind = OF_WORD;
    q->hash = puan_audit_hash(s);
}

static bool names(const struct question *q, const struct puan_audit_row *r)
{
    return r->actor == q->hash || r->seat == q->hash || r->role == q->hash ||
           r->device == q->hash || r->subject == q->hash;
}

static bool fits(const struct question *q, const struct puan_audit_row *r,
                 size_t seq)
{
    if (q->verb != -1 && (int)r->verb != q->verb)
        return false;
    if (q->since_s && r->event_s < q->since_s)
        return false;
    if (q->until_s && r->event_s >= q->until_s)
        return false;
    switch (q->kind) {
    case OF_NOTHING:
        return true;
    case OF_HOUSEHOLD:
        return r->key == q->number;
    case OF_AREA:
        return r->key == q->number || (r->key >= q->lo && r->key < q->hi);
    case OF_ENTRY:
        return (int64_t)seq == q->number;
    case OF_RECEIPT: /* an account may be all of such letters, too */
        return r->head == q->head || names(q, r);
    case OF_CASE:
        return r->subject == q->hash;
    case OF_TIME:
        return r->event_s >= q->from_s && r->event_s < q->to_s;
    case OF_WORD:
    default:
        return names(q, r);
    }
}

/* ---- the search ------------------------------------------------------------------------ */

struct find_in {
    struct puan_str q, verb;
    int64_t area, offset, limit;
    struct puan_str since, until;
};
static const struct puan_param find_params[] = {
    { "q", PUAN_PARAM_TEXT, offsetof(struct find_in, q), 0, 128, true },
    { "verb", PUAN_PARAM_TEXT, offsetof(struct find_in, verb), 1, 64, true },
    { "area", PUAN_PARAM_AREA, offsetof(struct find_in, area), 0, 0, true },
    { "since", PUAN_PARAM_TEXT, offsetof(struct find_in, since), 10, 40, true },
    { "until", PUAN_PARAM_TEXT, offsetof(struct find_in, until), 10, 40, true },
    { "offset", PUAN_PARAM_INT, offsetof(struct find_in, offset), 0, 10000000,
      true },
    { "limit", PUAN_PARAM_INT, offsetof(struct find_in, limit), 1, 200, true },
};

struct hit {
    size_t store;
    uint64_t seq;
    uint32_t event_s;
};

static int newest_first(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->event_s != y->event_s)
        return x->event_s > y->event_s ? -1 : 1;
    if (x->store != y->store)
        return x->store > y->store ? -1 : 1;
    return x->seq > y->seq ? -1 : x->seq < y->seq;
}

/* A seat below the top sees the stores inside its area only. */
static bool may_see(const struct puan_request *rq, struct puan_shard *sh)
{
    if (rq->area == puan_area_top(rq->store))
        return true;
    return puan_shard_area(sh) &&
           puan_area_contains_code(puan_store_areas(rq->store), rq->area,
                                   puan_shard_area(sh));
}

static void put_seat(struct puan_jw *w, struct puan_request *rq,
                     struct puan_str seat)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_role *role;
    struct puan_str id, rest = seat;
    uint32_t i;

    puan_jw_kstr(w, "seat", seat);
    if (!seat.n || !puan_str_split(&id, &rest, '@'))
        return;
    role = puan_plan_role(puan_store_plan(rq->store), id);
    if (role) {
        puan_jw_kstr(w, "role_zh", role->zh);
        puan_jw_kstr(w, "role_en", role->en);
    }
    i = t && rest.p && all_digits(rest) ? puan_area_find_digits(t, rest)
                                        : PUAN_AREA_NONE;
    if (i != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "area_zh", t->area[i].zh);
        puan_jw_kstr(w, "area_en", t->area[i].en);
    }
}

static void put_hex(struct puan_jw *w, const char *key, struct puan_str bytes)
{
    char text[2 * PUAN_DIGEST_SIZE + 1];

    if (!bytes.n || bytes.n > PUAN_DIGEST_SIZE)
        return;
    puan_hex(text, (const uint8_t *)bytes.p, bytes.n);
    puan_jw_ktext(w, key, text);
}

static void put_entry(struct puan_jw *w, struct puan_request *rq,
                      const struct puan_entry *e, struct puan_str digest)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;

    puan_jw_kint(w, "seq", (int64_t)e->seq);
    puan_jw_kstr(w, "store", e->scope);
    puan_jw_kinstant(w, "event_time", e->event_ms, offset);
    puan_jw_kinstant(w, "entry_time", e->entry_ms, offset);
    puan_jw_kstr(w, "actor", e->actor);
    put_seat(w, rq, e->seat);
    puan_jw_kstr(w, "device", e->device);
    puan_jw_kstr(w, "verb", e->verb);
    puan_jw_kstr(w, "subject", e->subject);
    puan_jw_kstr(w, "note", e->note);
    put_hex(w, "old", e->old_digest);
    put_hex(w, "new", e->new_digest);
    put_hex(w, "digest", digest);
    puan_jw_kint(w, "covers", (int64_t)e->n_cover);
}

/* One entry read from the ledger; ENOTFOUND when it is not there. */
static enum puan_status read_entry(struct puan_entry *e,
                                   struct puan_str *digest,
                                   struct puan_shard *sh, uint64_t seq,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_db *db;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db, "SELECT entry, digest FROM ledger WHERE seq = $1",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, (int64_t)seq);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "seq", "no such entry");
    if (st == PUAN_OK) {
        struct puan_str bytes = puan_arena_keep(a, puan_col_bytes(s, 0));

        *digest = puan_arena_keep(a, puan_col_bytes(s, 1));
        st = puan_entry_decode(e, bytes, a, err);
        if (st == PUAN_EINVAL)
            st = PUAN_EIO;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

/* ---- what of a return was changed --------------------------------------------------------- */

struct version {
    struct puan_ret r;
    struct puan_record rec;
};

static enum puan_status put_query(struct puan_jw *w, struct puan_request *rq,
                                  struct puan_db *db, struct puan_str id,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t n = 0;
    bool more = false;
    enum puan_status st;

    if (!puan_int_parse(&n, id))
        return PUAN_OK;
    st = puan_sql(&s, db,
                  "SELECT reason, findings, actor, seat FROM query"
                  " WHERE id = $1",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, n);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        puan_jw_key(w, "query");
        puan_jw_map(w);
        puan_jw_kint(w, "id", n);
        puan_jw_kstr(w, "reason", puan_col_text(s, 0));
        puan_jw_key(w, "findings");
        if (puan_col_text(s, 1).n)
            puan_jw_raw(w, puan_col_text(s, 1));
        else
            puan_jw_raw(w, PUAN_STR("[]"));
        puan_jw_kstr(w, "actor", puan_col_text(s, 2));
        put_seat(w, rq, puan_col_text(s, 3));
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    return st;
}

/* Which items differ; never what they say. */
static void put_items(struct puan_jw *w, const struct version *now,
                      const struct version *old)
{
    const struct puan_form *form = now->r.form;

    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (uint16_t e = 0; e < form->n_entities && old->r.form == form; e++) {
        const struct puan_entity *ent = &form->entity[e];
        const struct puan_rows *x = &old->rec.rows[e], *y = &now->rec.rows[e];
        uint32_t most = x->n > y->n ? x->n : y->n;

        for (uint32_t r = 0; r < most; r++)
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                size_t at = (size_t)r * ent->n_items + i;
                bool row = r >= x->n || r >= y->n;

                if (!row && x->st[at] == y->st[at] &&
                    (x->st[at] != PUAN_GIVEN || x->v[at] == y->v[at]) &&
                    puan_str_eq(x->txt[at], y->txt[at]))
                    continue;
                puan_jw_map(w);
                puan_jw_kstr(w, "entity", ent->name);
                puan_jw_kstr(w, "entity_zh", ent->zh);
                puan_jw_kstr(w, "entity_en", ent->en);
                if (ent->roster)
                    puan_jw_kint(w, "row", (int64_t)r + 1);
                if (row) {
                    puan_jw_ktext(w, "row_is", r >= x->n ? "new" : "gone");
                } else {
                    puan_jw_kstr(w, "item", ent->items[i].name);
                    puan_jw_kstr(w, "zh", ent->items[i].zh);
                    puan_jw_kstr(w, "en", ent->items[i].en);
                }
                puan_jw_end(w, '}');
                if (row)
                    break; /* the row as a whole */
            }
    }
    puan_jw_end(w, ']');
}

/* "changes": each version after the first, newest first. */
static enum puan_status put_changes(struct puan_jw *w, struct puan_request *rq,
                                    int64_t household, struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_shard *sh = puan_store_shard_of_household(rq->store, household);
    struct version *v;
    struct puan_ret_head h = { 0 };
    struct puan_db *db;
    size_t n = 0;
    enum puan_status st = PUAN_OK;

    puan_jw_key(w, "changes");
    puan_jw_list(w);
    if (!sh || !may_see(rq, sh) || !puan_ret_head(&h, rq->store, household) ||
        !h.ret) {
        puan_jw_end(w, ']');
        return PUAN_OK;
    }
    v = puan_new_n(rq->arena, VERSIONS, struct version);
    st = v ? puan_read_begin(&db, sh, err) : puan_arena_check(rq->arena, err);
    if (st != PUAN_OK)
        return st;
    for (int64_t at = h.ret; at && n < VERSIONS && st == PUAN_OK; n++) {
        st = puan_ret_read(&v[n].r, sh, db, at, rq->arena, err);
        /* opened to be compared; the search's own entry says why */
        if (st == PUAN_OK)
            st = puan_ret_record(&v[n].rec, &v[n].r, sh, true, rq->arena, err);
        at = st == PUAN_OK ? v[n].r.prev : 0;
    }
    for (size_t i = 0; i + 1 < n && st == PUAN_OK; i++) {
        struct puan_entry e = { 0 };
        struct puan_str digest;

        puan_jw_map(w);
        puan_jw_kint(w, "version", v[i].r.version);
        puan_jw_ktext(w, "mode", puan_arena_dup(rq->arena, v[i].r.head.mode));
        st = read_entry(&e, &digest, sh, v[i].r.entry, rq->arena, err);
        if (st == PUAN_OK)
            put_entry(w, rq, &e, digest);
        else
            puan_jw_kinstant(w, "event_time", v[i].r.head.finished_ms, offset);
        if (st == PUAN_OK && v[i].r.head.query.n)
            st = put_query(w, rq, db, v[i].r.head.query, err);
        put_items(w, &v[i], &v[i + 1]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kint(w, "versions", h.version);
    puan_read_end(sh, db);
    return st;
}

/* ---- its own entry ------------------------------------------------------------------------ */

/* Letters a name of the system is made of. */
static bool plain(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
              (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || strchr("@./-_#: ", s.p[i])))
            return false;
    return true;
}

static enum puan_status enter(uint64_t *seq, struct puan_request *rq,
                              const struct question *q, struct puan_str verb,
                              struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(rq->store);
    struct puan_str subject = q->text.n ? q->text : PUAN_STR("*");
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[17];
    struct puan_act act;
    enum puan_status st;

    if (q->kind == OF_WORD && !plain(q->text)) {
        fn->hash(fn->ctx, digest, &q->text, 1);
        puan_hex(hex, digest, 8);
        subject = puan_str_of(puan_arena_fmt(rq->arena, "text:%s", hex));
    }
    puan_request_act(&act, rq, subject);
    act.note = verb;
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    *seq = act.seq;
    return st;
}

static enum puan_status find(struct puan_request *rq, const void *arg,
                             struct puan_err *err)
{
    const struct find_in *in = arg;
    struct puan_audit *x = puan_store_state(rq->store, &puan_feature_audit);
    int64_t limit = in->limit ? in->limit : 50, total = 0, ms;
    struct question q = { .verb = -1 };
    uint64_t own = 0;
    int64_t by_verb[PUAN_AUDIT_VERBS] = { 0 };
    struct hit *hit = NULL;
    size_t n = 0, cap = 0, n_verbs;
    struct puan_jw *w;
    enum puan_status st;

    understand(&q, in->q, rq);
    if (in->since.n) {
        if (!puan_instant_parse(&ms, in->since))
            return puan_fail(err, PUAN_EINVAL, "since", "is no time");
        q.since_s = ms / 1000;
    }
    if (in->until.n) {
        if (!puan_instant_parse(&ms, in->until))
            return puan_fail(err, PUAN_EINVAL, "until", "is no time");
        q.until_s = ms / 1000;
    }
    st = enter(&own, rq, &q, in->verb, err);
    if (st != PUAN_OK)
        return st;
    pthread_mutex_lock(&x->lock);
    st = puan_audit_follow(x, 0, err);
    for (size_t v = 1; in->verb.n && v < x->n_verbs; v++)
        if (puan_str_is(in->verb, x->verb[v]))
            q.verb = (int)v;
    if (in->verb.n && q.verb == -1)
        q.verb = -2;
    for (size_t s = 0; s < x->n_stores && st == PUAN_OK; s++) {
        if (!may_see(rq, x->of[s].sh))
            continue;
        for (size_t i = 0; i < x->of[s].n; i++) {
            const struct puan_audit_row *r = &x->of[s].row[i];
            struct question any = q;

            any.verb = -1;
            if (!fits(&any, r, i) || (s == 0 && i == own))
                continue; /* this search itself is told apart */
            by_verb[r->verb]++;
            if (!fits(&q, r, i))
                continue;
            if (n == cap) {
                size_t more = cap ? cap * 2 : 1024;
                struct hit *p = realloc(hit, more * sizeof(*p));

                if (!p) {
                    st = puan_fail(err, PUAN_ENOMEM, "audit", "out of memory");
                    break;
                }
                hit = p;
                cap = more;
            }
            hit[n++] = (struct hit){ s, i, r->event_s };
        }
    }
    n_verbs = x->n_verbs;
    pthread_mutex_unlock(&x->lock);
    /* from here on of the index only words already there: `of` may be moved */
    if (st != PUAN_OK) {
        free(hit);
        return st;
    }
    total = (int64_t)n;
    if (n)
        qsort(hit, n, sizeof(*hit), newest_first);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "kind", kinds[q.kind]);
    puan_jw_kstr(w, "q", q.text);
    if (q.kind == OF_HOUSEHOLD)
        puan_jw_kcode(w, "household", q.number);
    puan_jw_key(w, "self");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", puan_shard_name(puan_store_office(rq->store)));
    puan_jw_kint(w, "seq", (int64_t)own);
    puan_jw_end(w, '}');
    puan_jw_key(w, "verbs");
    puan_jw_list(w);
    for (size_t v = 0; v < n_verbs; v++)
        if (by_verb[v]) {
            puan_jw_map(w);
            puan_jw_ktext(w, "verb", v ? x->verb[v] : "?");
            puan_jw_kint(w, "n", by_verb[v]);
            puan_jw_end(w, '}');
        }
    puan_jw_end(w, ']');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (int64_t i = in->offset;
         i < total && i < in->offset + limit && st == PUAN_OK; i++) {
        struct puan_entry e = { 0 };
        struct puan_str digest;

        st = read_entry(&e, &digest,
                        puan_store_shard(rq->store, hit[i].store), hit[i].seq,
                        rq->arena, err);
        if (st != PUAN_OK)
            break;
        puan_jw_map(w);
        put_entry(w, rq, &e, digest);
        puan_jw_end(w, '}');
    }
    free(hit);
    puan_jw_end(w, ']');
    if (st == PUAN_OK && q.kind == OF_HOUSEHOLD)
        st = put_changes(w, rq, q.number, err);
    puan_jw_kint(w, "total", total);
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_end(w, '}');
    return st;
}

/* ---- the chain ------------------------------------------------------------------------------ */

/* The newest checkpoint of the directory; ENOTFOUND when there is none. */
static enum puan_status last_checkpoint(struct puan_checkpoint *c,
                                        struct puan_request *rq,
                                        struct puan_err *err)
{
    const char *dir = puan_arena_fmt(rq->arena, "%s/checkpoints",
                                     puan_store_dir(rq->store));
    const char **names;
    struct puan_str text;
    size_t n, last = SIZE_MAX;
    enum puan_status st = puan_dir_list(&names, &n, dir, rq->arena, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        size_t k = strlen(names[i]);

        if (k > 5 && memcmp(names[i] + k - 5, ".json", 5) == 0)
            last = i;
    }
    if (st == PUAN_OK && last == SIZE_MAX)
        st = puan_fail(err, PUAN_ENOTFOUND, "checkpoint",
                       "none has been signed yet");
    if (st == PUAN_OK)
        st = puan_file_read(&text,
                            puan_arena_fmt(rq->arena, "%s/%s", dir,
                                           names[last]),
                            1 << 20, rq->arena, err);
    if (st == PUAN_OK)
        st = puan_checkpoint_parse(c, text, names[last], rq->arena, err);
    return st;
}

static enum puan_status chain(struct puan_request *rq, const void *in,
                              struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_checkpoint c = { 0 };
    struct puan_jw *w;
    bool have;
    enum puan_status st = last_checkpoint(&c, rq, err);

    (void)in;
    have = st == PUAN_OK;
    if (!have && st != PUAN_ENOTFOUND)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    if (have) {
        puan_jw_key(w, "checkpoint");
        puan_jw_map(w);
        /* real time: the campaign's clock has no part in it */
        puan_jw_kinstant(w, "time", c.time_ms, offset);
        puan_jw_kint(w, "age_ms", rq->real_now - c.time_ms);
        puan_jw_kstr(w, "alg", c.alg);
        puan_jw_kbool(w, "signed", c.signature.n > 0);
        puan_jw_end(w, '}');
    }
    puan_jw_key(w, "stores");
    puan_jw_list(w);
    for (size_t i = 0; i < puan_store_shards(rq->store); i++) {
        struct puan_shard *sh = puan_store_shard(rq->store, i);

        puan_jw_map(w);
        puan_jw_ktext(w, "store", puan_shard_name(sh));
        puan_jw_kint(w, "height", (int64_t)puan_shard_height(sh));
        for (size_t k = 0; k < c.n; k++)
            if (puan_str_is(c.store[k].name, puan_shard_name(sh)))
                puan_jw_kint(w, "signed", (int64_t)c.store[k].height);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- the proof --------------------------------------------------------------------------------- */

struct proof_in {
    int64_t seq;
    struct puan_str store;
    int64_t area;
};
static const struct puan_param proof_params[] = {
    { "seq", PUAN_PARAM_INT, offsetof(struct proof_in, seq), 0, INT64_MAX,
      false },
    { "store", PUAN_PARAM_TEXT, offsetof(struct proof_in, store), 1, 24,
      false },
    { "area", PUAN_PARAM_AREA, offsetof(struct proof_in, area), 0, 0, true },
};

/* Recomputes the chain from `from`; *bad: the first entry that does not fit. */
static enum puan_status check_segment(int64_t *bad, int64_t *to,
                                      struct puan_shard *sh, int64_t from,
                                      const struct puan_digest_fn *fn,
                                      struct puan_err *err)
{
    uint8_t digest[PUAN_DIGEST_SIZE], previous[PUAN_DIGEST_SIZE] = { 0 };
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_db *db;
    int64_t at = from > 0 ? from - 1 : 0, first = at;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, sh, err);

    *bad = -1;
    *to = from;
    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_sql(&s, db,
                  "SELECT seq, entry, digest FROM ledger WHERE seq >= $1"
                  " ORDER BY seq LIMIT $2",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, at);
        puan_bind_int(s, 2, CHECKED);
    }
    while (st == PUAN_OK && *bad < 0 &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_str bytes = puan_col_bytes(s, 1),
                        stored = puan_col_bytes(s, 2);
        struct puan_entry e;
        struct puan_err why = { 0 };

        puan_arena_reset(&a);
        puan_entry_digest(digest, fn, bytes);
        if (puan_col_int(s, 0) != at || stored.n != PUAN_DIGEST_SIZE ||
            memcmp(stored.p, digest, PUAN_DIGEST_SIZE) != 0 ||
            puan_entry_decode(&e, bytes, &a, &why) != PUAN_OK ||
            ((at > first || at == 0) &&
             memcmp(e.previous, previous, PUAN_DIGEST_SIZE) != 0))
            *bad = at;
        memcpy(previous, digest, PUAN_DIGEST_SIZE);
        *to = at++;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    puan_arena_clear(&a);
    return st;
}

static enum puan_status prove(struct puan_request *rq, const void *arg,
                              struct puan_err *err)
{
    const struct proof_in *in = arg;
    const struct puan_digest_fn *fn = puan_store_digest(rq->store);
    struct puan_shard *sh = NULL;
    struct puan_str witness, inner;
    struct puan_checkpoint c = { 0 };
    struct puan_db *db;
    struct puan_out o;
    struct puan_jw w, *out;
    struct puan_act act;
    int64_t bad, to;
    uint64_t height = 0;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < puan_store_shards(rq->store); i++)
        if (puan_str_is(in->store,
                        puan_shard_name(puan_store_shard(rq->store, i))))
            sh = puan_store_shard(rq->store, i);
    if (!sh || !may_see(rq, sh) ||
        (uint64_t)in->seq >= puan_shard_height(sh))
        return puan_fail(err, PUAN_ENOTFOUND, "seq", "no such entry");
    st = check_segment(&bad, &to, sh, in->seq, fn, err);
    if (st != PUAN_OK)
        return st;
    if (bad >= 0) {
        out = puan_answer_begin(rq, 409);
        puan_jw_map(out);
        puan_jw_ktext(out, "code", "chain-broken");
        puan_jw_kstr(out, "store", in->store);
        puan_jw_kint(out, "first_bad", bad);
        puan_jw_end(out, '}');
        return PUAN_OK;
    }
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "%.*s/%lld",
                                                PUAN_FMT(in->store),
                                                (long long)in->seq)));
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    if (st == PUAN_OK)
        st = puan_store_checkpoint(rq->store, &witness, rq->arena, err);
    if (st == PUAN_OK)
        st = puan_checkpoint_parse(&c, witness, "checkpoint", rq->arena, err);
    for (size_t k = 0; k < c.n && st == PUAN_OK; k++)
        if (puan_str_eq(c.store[k].name, in->store))
            height = c.store[k].height;
    if (st == PUAN_OK)
        st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    st = puan_ledger_proof_json(&w, db, fn, puan_shard_name(sh),
                                (uint64_t)in->seq, height, err);
    puan_read_end(sh, db);
    if (st != PUAN_OK)
        return st;
    /* the proof's own members, then what it was held against */
    inner = puan_out_view(&o);
    puan_answer_bytes(rq, 200, "application/json",
                      (struct puan_str){ inner.p, inner.n - 1 });
    puan_out_text(&rq->http->out, ",\"checked\":{\"from\":");
    puan_out_int(&rq->http->out, in->seq);
    puan_out_text(&rq->http->out, ",\"to\":");
    puan_out_int(&rq->http->out, to);
    puan_out_text(&rq->http->out, "},\"checkpoint\":");
    puan_jw_init(&w, &rq->http->out);
    puan_jw_str(&w, witness);
    puan_out_text(&rq->http->out, "}");
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/audit/search", "ledger.search", PUAN_SCOPE_AREA,
      "ledger.search",
      "The ledger by one text: household, receipt, account, seat, device, "
      "case or time; an entry each time",
      find, PUAN_PARAMS(find_params, struct find_in) },
    { PUAN_GET, "/c/{campaign}/audit/chain", "ledger.search",
      PUAN_SCOPE_OFFICE, "",
      "How far the ledgers are signed, and where they stand", chain },
    { PUAN_GET, "/c/{campaign}/audit/proof", "ledger.prove", PUAN_SCOPE_AREA,
      "ledger.prove",
      "Recomputes the chain behind an entry and proves it to a fresh signed "
      "checkpoint, in one file",
      prove, PUAN_PARAMS(proof_params, struct proof_in) },
};

static const struct puan_job jobs[] = {
    { "audit.index", 5000, puan_audit_tick },
};

const struct puan_feature puan_feature_audit = {
    .name = "audit",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = puan_audit_open,
    .close = puan_audit_close,
};
