/*
 * The projection: households by enumeration area, and what follows from them.
 *
 * The figures of an area are a sum over its enumeration areas, which stand in
 * order of their codes; those of an enumeration area are counted again from
 * its households (a hundred or so) when one of them has moved.  Only what
 * cannot be counted again (days, minutes, rules) is carried along.
 *
 * The job is the only writer; readers hold the lock of a store while they add.
 */
#include "features/progress/internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/edit/edit.h"
#include "features/ingest/ingest.h"
#include "features/live/live.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define MINUTE INT64_C(60000)
#define SILENCE (48 * 60 * MINUTE)
#define SHARDS 4096
#define SLICE_NS (INT64_C(600) * 1000000) /* of scanning in one run */
#define ROLL_NS (INT64_C(20) * 1000000000) /* between counts of what devices list */
#define LOST_MS 30000 /* a store unread for so long counts as missing */

enum {
    LISTED = 1,   /* on the roll */
    NOT_DUE = 2,  /* its status needs no return */
    SELF = 4,     /* last version sent by the household itself */
    COUNTED = 8   /* the roll says how many persons */
};

struct house {
    int64_t key;
    uint32_t ret;    /* last version's row; 0: nothing came */
    uint32_t at;     /* campaign seconds at which it ended */
    uint16_t accept, pass; /* marks on version `marked`, a bit per level */
    uint16_t marked;
    uint16_t asked;  /* version the last query was about; 0 none */
    uint16_t version, hard, soft, persons;
    uint16_t roll; /* persons on the roll, if COUNTED */
    uint8_t flags;
};

/* The queue of an office of one level. */
struct queue {
    uint32_t waiting, corrected;
    uint32_t oldest; /* campaign seconds; 0 none */
};

struct ea {
    int64_t code;
    struct house *house; /* ascending by key */
    uint32_t n, cap;
    bool assigned, covered; /* in a lot in force */
    bool dirty;
    struct puan_work sum; /* without day, minute, eas, silent, queues */
    struct queue queue[PUAN_AREA_LEVELS];
    uint32_t day[PUAN_WORK_DAYS];
    int64_t minute_at; /* real minute of minute[last] */
    uint16_t minute[PUAN_WORK_MINUTES];
    uint32_t **rule; /* by form: households with an open finding, by rule */
};

/* One making of a store's figures. */
struct made {
    struct ea *ea; /* ascending by code */
    size_t n;
    int64_t listing_at; /* last household read of the listing */
    bool listing_done, caught_up;
    int64_t seq, query, act; /* last rows read */
    int64_t import;     /* the listing's import it rests on */
    int64_t roll;       /* last entry that wrote the roll, devices' too */
    const struct puan_area_tree *tree;
};

struct work_shard {
    struct work *w;
    struct puan_shard *sh;
    pthread_mutex_t lock; /* guards cur and what it holds, as_of, lost */
    struct made *cur;
    int64_t as_of_ms, lost_since; /* real time; 0: readable */
    int64_t done, total;          /* of `next` */
    bool rebuilding;
    /* the job's */
    struct made *next;
    uint64_t height;
    int64_t made_ns; /* when `cur` was */
    bool read_once, roll_waits;
};

struct work {
    struct puan_store *store;
    pthread_mutex_t list_lock, job_lock;
    struct work_shard *shard[SHARDS];
    size_t n;
    _Atomic uint64_t version;
    int64_t first_day;   /* campaign day of day[0] */
    int64_t window_days;
    int64_t opens_ms;
    int64_t household_base;
    size_t n_forms;
    size_t *n_rules;     /* by form */
    size_t shard_level;
    int up[PUAN_AREA_LEVELS]; /* nearest level above that reviews; -1 */
    uint16_t reviews;         /* levels that review, a bit each */
    uint64_t office_height;
    bool office_read;
    int64_t *lot;        /* areas with a lot in force, ascending */
    size_t n_lots;
    struct puan_answers *answers;
};

static struct work *work_of(const struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_progress);
}

struct puan_answers *puan_work_answers(struct puan_store *st)
{
    return work_of(st)->answers;
}

uint64_t puan_work_version(struct puan_store *st)
{
    return atomic_load(&work_of(st)->version);
}

void puan_work_days(int64_t *first, int64_t *n, const struct puan_store *st)
{
    *first = work_of(st)->first_day;
    *n = work_of(st)->window_days;
}

/* ---- one making ---------------------------------------------------------- */

static void made_free(struct made *m, size_t n_forms)
{
    for (size_t i = 0; m && i < m->n; i++) {
        free(m->ea[i].house);
        for (size_t f = 0; m->ea[i].rule && f < n_forms; f++)
            free(m->ea[i].rule[f]);
        free(m->ea[i].rule);
    }
    if (m)
        free(m->ea);
    free(m);
}

static struct ea *ea_of(const struct made *m, int64_t code)
{
    size_t lo = 0, hi = m->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (m->ea[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->n && m->ea[lo].code == code ? &m->ea[lo] : NULL;
}

/* First area not below `code`. */
static size_t ea_from(const struct made *m, int64_t code)
{
    size_t lo = 0, hi = m->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (m->ea[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct house *house_find(struct ea *e, int64_t key, uint32_t *at)
{
    uint32_t lo = 0, hi = e->n;

    if (e->n > 0 && e->house[e->n - 1].key < key)
        lo = e->n; /* in order, as a scan brings them */
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (e->house[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    *at = lo;
    return lo < e->n && e->house[lo].key == key ? &e->house[lo] : NULL;
}

static struct house *house_add(struct ea *e, int64_t key)
{
    uint32_t at;
    struct house *h = house_find(e, key, &at);

    if (h)
        return h;
    if (e->n == e->cap) {
        uint32_t cap = e->cap ? e->cap * 2 : 32;
        struct house *bigger = realloc(e->house, cap * sizeof(*bigger));

        if (!bigger)
            return NULL;
        e->house = bigger;
        e->cap = cap;
    }
    memmove(&e->house[at + 1], &e->house[at],
            (e->n - at) * sizeof(*e->house));
    memset(&e->house[at], 0, sizeof(*e->house));
    e->house[at].key = key;
    e->n++;
    return &e->house[at];
}

static struct made *made_begin(struct work *w, struct puan_shard *sh)
{
    const struct puan_area_tree *t = puan_store_areas(w->store);
    struct made *m = calloc(1, sizeof(*m));
    uint32_t top;
    size_t n = 0;

    if (!m || !t || t->n == 0) {
        free(m);
        return NULL;
    }
    top = puan_area_find(t, puan_shard_area(sh));
    m->tree = t;
    if (top == PUAN_AREA_NONE) {
        free(m);
        return NULL;
    }
    for (uint32_t i = top; i < t->area[top].end; i++)
        n += t->area[i].level + 1u == t->n_levels;
    m->ea = calloc(n ? n : 1, sizeof(*m->ea));
    if (!m->ea) {
        free(m);
        return NULL;
    }
    for (uint32_t i = top; i < t->area[top].end; i++)
        if (t->area[i].level + 1u == t->n_levels) {
            m->ea[m->n].code = t->area[i].code;
            m->ea[m->n++].dirty = true;
        }
    return m;
}

/* ---- counting an enumeration area ------------------------------------------ */

enum place { OUT, CLEAN, WAITING, QUERIED, CORRECTED, REVIEWED };

static bool passed_to(const struct work *w, const struct house *h, unsigned l)
{
    if (h->marked == h->version)
        for (unsigned k = l + 1; k < PUAN_AREA_LEVELS; k++)
            if ((h->pass >> k & 1) && w->up[k] == (int)l)
                return true;
    return false;
}

/* As features/review/index.c says it; held against it by a test. */
static enum place place_of(const struct work *w, const struct house *h,
                           unsigned level)
{
    bool marked = h->marked == h->version, passed = passed_to(w, h, level);

    if (h->ret == 0)
        return OUT;
    if (level < w->shard_level && !passed &&
        !(marked && ((h->accept | h->pass) >> level & 1)))
        return CLEAN; /* not shown to it */
    if (h->asked >= h->version)
        return QUERIED;
    if (marked && ((h->accept | h->pass) >> level & 1))
        return REVIEWED;
    if (passed)
        return h->asked ? CORRECTED : WAITING;
    if (marked && h->accept >> (level + 1))
        return REVIEWED;
    if (h->asked)
        return CORRECTED;
    return h->hard + h->soft > 0 ? WAITING : CLEAN;
}

static void enqueue(const struct work *w, struct ea *e, const struct house *h)
{
    for (unsigned l = 0; l < PUAN_AREA_LEVELS; l++) {
        struct queue *q = &e->queue[l];
        enum place p;

        if (!(w->reviews >> l & 1))
            continue;
        p = place_of(w, h, l);
        q->waiting += p == WAITING;
        q->corrected += p == CORRECTED;
        if ((p == WAITING || p == CORRECTED) && (!q->oldest || h->at < q->oldest))
            q->oldest = h->at;
    }
}

static void count(const struct work *w, struct ea *e)
{
    struct puan_work s = { 0 };

    memset(e->queue, 0, sizeof(e->queue));
    for (uint32_t i = 0; i < e->n; i++) {
        const struct house *h = &e->house[i];

        if (!(h->flags & LISTED))
            continue;
        s.listed++;
        if (h->ret == 0) {
            s.vacant += (h->flags & NOT_DUE) != 0;
            continue;
        }
        s.delivered++;
        s.self += (h->flags & SELF) != 0;
        s.flagged += h->hard + h->soft > 0;
        s.hard += h->hard;
        s.soft += h->soft;
        s.persons += h->persons;
        if (h->flags & COUNTED) {
            s.roll += h->roll;
            s.met += h->persons;
        }
        s.queried += h->asked >= h->version;
        s.accepted +=
            e->covered || (h->marked == h->version && h->accept != 0);
        enqueue(w, e, h);
    }
    s.assigned = e->assigned ? s.listed - s.vacant : 0;
    s.last_ms = e->sum.last_ms;
    e->sum = s;
    e->dirty = false;
}

static void age_minutes(struct ea *e, int64_t minute)
{
    int64_t by = minute - e->minute_at;

    if (by <= 0)
        return;
    if (by >= PUAN_WORK_MINUTES) {
        memset(e->minute, 0, sizeof(e->minute));
    } else {
        memmove(e->minute, e->minute + by,
                (size_t)(PUAN_WORK_MINUTES - by) * sizeof(e->minute[0]));
        memset(e->minute + PUAN_WORK_MINUTES - by, 0,
               (size_t)by * sizeof(e->minute[0]));
    }
    e->minute_at = minute;
}

static void add(struct puan_work *out, const struct puan_work *x)
{
    out->listed += x->listed;
    out->vacant += x->vacant;
    out->assigned += x->assigned;
    out->delivered += x->delivered;
    out->self += x->self;
    out->queried += x->queried;
    out->accepted += x->accepted;
    out->flagged += x->flagged;
    out->hard += x->hard;
    out->soft += x->soft;
    out->persons += x->persons;
    out->roll += x->roll;
    out->met += x->met;
    if (x->last_ms > out->last_ms)
        out->last_ms = x->last_ms;
}

static void add_queue(struct puan_work *out, const struct queue *q)
{
    int64_t oldest = q->oldest * INT64_C(1000);

    out->waiting += q->waiting;
    out->corrected += q->corrected;
    if (oldest && (!out->oldest_ms || oldest < out->oldest_ms))
        out->oldest_ms = oldest;
}

/* ---- one return -------------------------------------------------------------- */

struct row {
    int64_t seq, household, prev, version, form, finished, received, hard, soft,
        persons;
    bool self;
    struct puan_str findings;
};

/* Adds `by` to each rule that stands open in these findings, once. */
static void count_rules(struct work *w, struct ea *e, int64_t form,
                        struct puan_str findings, int by, struct puan_arena *a)
{
    struct puan_edits ed = { 0 };
    uint32_t *n;
    int last = -1;

    if (form < 0 || (size_t)form >= w->n_forms || w->n_rules[form] == 0 ||
        puan_edits_decode(&ed, findings, PUAN_STR(""), a, NULL) != PUAN_OK ||
        ed.n == 0)
        return;
    if (!e->rule)
        e->rule = calloc(w->n_forms, sizeof(*e->rule));
    if (e->rule && !e->rule[form])
        e->rule[form] = calloc(w->n_rules[form], sizeof(**e->rule));
    n = e->rule ? e->rule[form] : NULL;
    for (size_t i = 0; n && i < ed.n; i++) {
        uint16_t r = ed.list[i].rule;

        if (ed.list[i].state != PUAN_EDIT_OPEN || (int)r == last ||
            r >= w->n_rules[form])
            continue;
        last = r;
        if (by > 0)
            n[r]++;
        else if (n[r] > 0)
            n[r]--;
    }
}

static enum puan_status before(struct work *w, struct ea *e, struct puan_db *db,
                               int64_t prev, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, "SELECT form, findings FROM ret WHERE seq = $1", err));
    puan_bind_int(s, 1, prev);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        count_rules(w, e, puan_col_int(s, 0), puan_col_bytes(s, 1), -1, a);
    puan_stmt_done(s);
    return st;
}

static enum puan_status take(struct work *w, struct made *m, struct puan_db *db,
                             const struct row *r, int64_t now, int64_t real,
                             struct ea **touched, struct puan_arena *a,
                             struct puan_err *err)
{
    struct ea *e = ea_of(m, r->household / w->household_base);
    int64_t at = r->finished < now ? r->finished : now, day, minute;
    struct house *h;

    *touched = NULL;
    if (!e) /* an area taken out of the tree since: the next making sees it */
        return PUAN_OK;
    h = house_add(e, r->household);
    if (!h)
        return puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
    if (r->prev)
        TRY(before(w, e, db, r->prev, a, err));
    count_rules(w, e, r->form, r->findings, 1, a);
    if (h->ret == 0) {
        day = puan_instant_day(at, puan_store_plan(w->store)->offset_minutes) -
              w->first_day;
        if (day < 0)
            day = 0;
        if (day >= PUAN_WORK_DAYS)
            day = PUAN_WORK_DAYS - 1;
        e->day[day]++;
    }
    minute = r->received / MINUTE;
    age_minutes(e, real / MINUTE);
    if (minute > e->minute_at - PUAN_WORK_MINUTES && minute <= e->minute_at &&
        e->minute[PUAN_WORK_MINUTES - 1 - (e->minute_at - minute)] < UINT16_MAX)
        e->minute[PUAN_WORK_MINUTES - 1 - (e->minute_at - minute)]++;
    h->ret = (uint32_t)r->seq;
    h->at = at > 0 ? (uint32_t)(at / 1000) : 0;
    h->version = (uint16_t)r->version;
    h->hard = (uint16_t)r->hard;
    h->soft = (uint16_t)r->soft;
    h->persons = (uint16_t)r->persons;
    h->flags = (uint8_t)((h->flags & (NOT_DUE | COUNTED)) | LISTED |
                         (r->self ? SELF : 0));
    if (at > e->sum.last_ms)
        e->sum.last_ms = at;
    e->dirty = true;
    *touched = e;
    return PUAN_OK;
}

#define PAGE 1024

/* Reads a page of returns behind m->seq; *n gets how many. */
static enum puan_status read_returns(struct work_shard *ws, struct made *m,
                                     struct puan_db *db, size_t *n,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    struct work *w = ws->w;
    int64_t now = puan_store_now(w->store), real = puan_real_now();
    struct puan_stmt *s = NULL;
    int64_t live[PAGE];
    size_t n_live = 0;
    bool more = false, shown = m == ws->cur;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT seq, household, prev, version, form, mode, finished,"
                 " received, findings, hard, soft, persons FROM ret"
                 " WHERE seq > $1 ORDER BY seq LIMIT 1024",
                 err));
    puan_bind_int(s, 1, m->seq);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct row r = {
            .seq = puan_col_int(s, 0),
            .household = puan_col_int(s, 1),
            .prev = puan_col_int(s, 2),
            .version = puan_col_int(s, 3),
            .form = puan_col_int(s, 4),
            .self = puan_str_is(puan_col_text(s, 5), "self"),
            .finished = puan_col_int(s, 6),
            .received = puan_col_int(s, 7),
            .findings = puan_col_bytes(s, 8),
            .hard = puan_col_int(s, 9),
            .soft = puan_col_int(s, 10),
            .persons = puan_col_int(s, 11),
        };
        struct ea *e;

        puan_arena_reset(a);
        if (shown)
            pthread_mutex_lock(&ws->lock);
        st = take(w, m, db, &r, now, real, &e, a, err);
        if (shown)
            pthread_mutex_unlock(&ws->lock);
        if (st != PUAN_OK)
            break;
        m->seq = r.seq;
        ++*n;
        if (shown && e && (n_live == 0 || live[n_live - 1] != e->code))
            live[n_live++] = e->code;
    }
    puan_stmt_done(s);
    for (size_t i = 0; i < n_live; i++)
        puan_live_touch(w->store, "counts", live[i]);
    return st;
}

/* ---- what is not a return ------------------------------------------------------ */

/*
 * Persons of a household as the roll has them: the columns named by the plan's
 * setting `listing_persons`, added up.
 */
static bool roll_of(uint16_t *out, const struct work *w, struct puan_str cells)
{
    const struct puan_plan *plan = puan_store_plan(w->store);
    struct puan_node *tree = NULL;
    struct puan_arena a;
    int64_t n = 0, v;
    bool any = false;

    if (!puan_plan_setting(plan, PUAN_STR("listing_persons")) || cells.n == 0)
        return false;
    puan_arena_init(&a, &puan_heap);
    if (puan_json_tree(&tree, cells, "cells", &a, NULL) == PUAN_OK)
        PUAN_NODE_EACH(c, tree)
        {
            if (puan_plan_lists(plan, "listing_persons", c->key) &&
                puan_int_parse(&v, c->text) && v >= 0 && v < 10000) {
                n += v;
                any = true;
            }
        }
    puan_arena_clear(&a);
    *out = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
    return any;
}

static enum puan_status read_listing(struct work *w, struct made *m,
                                     struct puan_db *db, size_t *n,
                                     struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT household, ea, status, cells FROM listing"
                 " WHERE household > $1 ORDER BY household LIMIT 1024",
                 err));
    puan_bind_int(s, 1, m->listing_at);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct ea *e = ea_of(m, puan_col_int(s, 1));
        struct house *h;

        m->listing_at = puan_col_int(s, 0);
        ++*n;
        if (!e)
            continue;
        h = house_add(e, m->listing_at);
        if (!h) {
            st = puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
            break;
        }
        h->flags = LISTED;
        if (roll_of(&h->roll, w, puan_col_text(s, 3)))
            h->flags |= COUNTED;
        if (puan_plan_lists(puan_store_plan(w->store), "listing_not_due",
                            puan_col_text(s, 2)))
            h->flags |= NOT_DUE;
    }
    puan_stmt_done(s);
    return st;
}

static void moved(struct ea *e, int64_t at)
{
    if (at > e->sum.last_ms)
        e->sum.last_ms = at;
    e->dirty = true;
}

/* Queries asked since; one stands until another version comes. */
static enum puan_status read_queries(struct work *w, struct made *m,
                                     struct puan_db *db, size_t *n,
                                     struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT id, household, version FROM query WHERE id > $1"
                 " ORDER BY id LIMIT 1024",
                 err));
    puan_bind_int(s, 1, m->query);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t key = puan_col_int(s, 1);
        struct ea *e = ea_of(m, key / w->household_base);
        uint32_t at;
        struct house *h = e ? house_find(e, key, &at) : NULL;

        m->query = puan_col_int(s, 0);
        ++*n;
        if (!h)
            continue;
        if (puan_col_int(s, 2) > h->asked)
            h->asked = (uint16_t)puan_col_int(s, 2);
        moved(e, 0);
    }
    puan_stmt_done(s);
    return st;
}

/* Marks of offices, given and taken back. */
static enum puan_status read_marks(struct work *w, struct made *m,
                                   struct puan_db *db, size_t *n,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(w->store);
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT a.id, a.household, a.version, a.kind, a.level, a.at,"
                 " u.version, u.kind, u.level FROM review_act a LEFT JOIN"
                 " review_act u ON u.id = a.undoes WHERE a.id > $1"
                 " ORDER BY a.id LIMIT 1024",
                 err));
    puan_bind_int(s, 1, m->act);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        bool undo = puan_str_is(puan_col_text(s, 3), "undo");
        int of = undo ? 6 : 2; /* columns of the mark meant */
        int64_t key = puan_col_int(s, 1), version = puan_col_int(s, of);
        int level = puan_plan_level(plan, puan_col_text(s, of + 2));
        bool pass = puan_str_is(puan_col_text(s, of + 1), "pass");
        struct ea *e = ea_of(m, key / w->household_base);
        uint32_t at;
        struct house *h = e ? house_find(e, key, &at) : NULL;
        uint16_t bit = (uint16_t)(level < 0 ? 0 : 1U << (unsigned)level);

        m->act = puan_col_int(s, 0);
        ++*n;
        if (!h || version < h->marked || level >= PUAN_AREA_LEVELS)
            continue;
        if (version > h->marked) {
            h->accept = h->pass = 0;
            h->marked = (uint16_t)version;
        }
        if (undo && pass)
            h->pass &= (uint16_t)~bit;
        else if (undo)
            h->accept &= (uint16_t)~bit;
        else if (pass)
            h->pass |= bit;
        else
            h->accept |= bit;
        moved(e, puan_col_int(s, 5));
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status read_assigned(struct work_shard *ws, struct made *m,
                                      struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, "SELECT ea FROM assignment WHERE staff <> ''"
                         " ORDER BY ea",
                 err));
    pthread_mutex_lock(&ws->lock);
    st = puan_stmt_step(&more, s, err);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++) {
        bool yes;

        while (st == PUAN_OK && more && puan_col_int(s, 0) < m->ea[i].code)
            st = puan_stmt_step(&more, s, err);
        yes = more && puan_col_int(s, 0) == m->ea[i].code;
        m->ea[i].dirty |= yes != m->ea[i].assigned;
        m->ea[i].assigned = yes;
    }
    pthread_mutex_unlock(&ws->lock);
    puan_stmt_done(s);
    return st;
}

/* Queries, marks, assignments; once the returns they speak of are there. */
static enum puan_status read_rest(struct work_shard *ws, struct made *m,
                                  struct puan_db *db, size_t *changed,
                                  struct puan_err *err)
{
    size_t n = PAGE;
    enum puan_status st = PUAN_OK;

    *changed = 0;
    while (st == PUAN_OK && n == PAGE) {
        pthread_mutex_lock(&ws->lock);
        st = read_queries(ws->w, m, db, &n, err);
        pthread_mutex_unlock(&ws->lock);
        *changed += n;
    }
    for (n = PAGE; st == PUAN_OK && n == PAGE;) {
        pthread_mutex_lock(&ws->lock);
        st = read_marks(ws->w, m, db, &n, err);
        pthread_mutex_unlock(&ws->lock);
        *changed += n;
    }
    return st == PUAN_OK ? read_assigned(ws, m, db, err) : st;
}

static int by_code(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

static void cover(struct work *w, struct made *m)
{
    for (size_t i = 0; i < m->n; i++) {
        m->ea[i].dirty |= m->ea[i].covered;
        m->ea[i].covered = false;
    }
    for (size_t k = 0; k < w->n_lots; k++) {
        int64_t from, to;

        puan_area_keys(&from, &to, w->store, w->lot[k]);
        for (size_t i = ea_from(m, from / w->household_base);
             i < m->n && m->ea[i].code * w->household_base < to; i++)
            m->ea[i].covered = m->ea[i].dirty = true;
    }
}

/* The lots in force; true when they are not those of before. */
static enum puan_status read_lots(bool *changed, struct work *w,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(w->store);
    uint64_t height = puan_shard_height(office);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    int64_t *lot = NULL;
    size_t n = 0, cap = 0;
    bool more = false;
    enum puan_status st;

    *changed = false;
    if (w->office_read && height == w->office_height)
        return PUAN_OK;
    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT area FROM lot WHERE state IN ('accepted', 'locked')",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (n == cap) {
            int64_t *bigger;

            cap = cap ? cap * 2 : 64;
            bigger = realloc(lot, cap * sizeof(*lot));
            if (!bigger) {
                st = puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
                break;
            }
            lot = bigger;
        }
        lot[n++] = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st != PUAN_OK) {
        free(lot);
        return st;
    }
    if (n > 0)
        qsort(lot, n, sizeof(*lot), by_code);
    *changed = !w->office_read || n != w->n_lots ||
               (n > 0 && memcmp(lot, w->lot, n * sizeof(*lot)) != 0);
    free(w->lot);
    w->lot = lot;
    w->n_lots = n;
    w->office_height = height;
    w->office_read = true;
    return PUAN_OK;
}

/* ---- the job -------------------------------------------------------------------- */

/*
 * An import is counted at once.  Households that devices list come one by one
 * for days: they are counted together, now and then, and do not begin a count
 * that is under way anew.
 */
static enum puan_status needs_making(bool *yes, struct work_shard *ws,
                                     struct puan_db *db, int64_t *import,
                                     int64_t *roll, struct puan_err *err)
{
    const struct made *m = ws->next ? ws->next : ws->cur;

    TRY(puan_db_int(import, db,
                    "SELECT MAX(id) FROM import WHERE kind = 'import.listing'", 0,
                    err));
    TRY(puan_db_int(roll, db,
                    "SELECT MAX(seq) FROM covered WHERE tbl = 'listing'", 0,
                    err));
    *yes = !m || m->import != *import ||
           m->tree != puan_store_areas(ws->w->store);
    ws->roll_waits = !*yes && m->roll != *roll;
    if (ws->roll_waits && !ws->next &&
        puan_os_mono_ns() - ws->made_ns > ROLL_NS) {
        ws->roll_waits = false;
        *yes = true;
    }
    return PUAN_OK;
}

static enum puan_status make_on(struct work_shard *ws, struct puan_db *db,
                                int64_t end_ns, struct puan_arena *a,
                                struct puan_err *err)
{
    struct work *w = ws->w;
    struct made *m = ws->next, *old;
    size_t n = 0, rest;

    while (!m->caught_up) {
        if (end_ns && puan_os_mono_ns() > end_ns)
            break;
        if (!m->listing_done) {
            TRY(read_listing(w, m, db, &n, err));
            m->listing_done = n < PAGE;
        } else {
            TRY(read_returns(ws, m, db, &n, a, err));
            m->caught_up = n < PAGE;
        }
        ws->done += (int64_t)n;
    }
    if (!m->caught_up)
        return PUAN_OK;
    cover(w, m);
    TRY(read_rest(ws, m, db, &rest, err));
    for (size_t i = 0; i < m->n; i++)
        count(w, &m->ea[i]);
    pthread_mutex_lock(&ws->lock);
    old = ws->cur;
    ws->cur = m;
    ws->next = NULL;
    ws->made_ns = puan_os_mono_ns();
    ws->rebuilding = false;
    pthread_mutex_unlock(&ws->lock);
    made_free(old, w->n_forms);
    atomic_fetch_add(&w->version, 1);
    puan_live_touch(w->store, "counts", puan_shard_area(ws->sh));
    return PUAN_OK;
}

static enum puan_status begin_making(struct work_shard *ws, struct puan_db *db,
                                     int64_t import, int64_t roll,
                                     struct puan_err *err)
{
    int64_t listed, returns;

    made_free(ws->next, ws->w->n_forms);
    ws->next = made_begin(ws->w, ws->sh);
    if (!ws->next)
        return PUAN_OK; /* no areas yet: there is nothing to count */
    ws->next->import = import;
    ws->next->roll = roll;
    TRY(puan_db_int(&listed, db, "SELECT COUNT(*) FROM listing", 0, err));
    TRY(puan_db_int(&returns, db, "SELECT MAX(seq) FROM ret", 0, err));
    pthread_mutex_lock(&ws->lock);
    ws->done = 0;
    ws->total = listed + returns;
    ws->rebuilding = true;
    pthread_mutex_unlock(&ws->lock);
    return PUAN_OK;
}

static enum puan_status look_at(struct work_shard *ws, int64_t end_ns,
                                struct puan_arena *a, struct puan_err *err)
{
    struct work *w = ws->w;
    uint64_t height = puan_shard_height(ws->sh);
    int64_t as_of = puan_store_now(w->store), import, roll;
    struct puan_db *db = NULL;
    bool again = false;
    enum puan_status st;

    if (ws->read_once && !ws->next && !ws->roll_waits && ws->cur &&
        height == ws->height &&
        ws->cur->tree == puan_store_areas(w->store)) {
        pthread_mutex_lock(&ws->lock);
        ws->as_of_ms = as_of;
        ws->lost_since = 0;
        pthread_mutex_unlock(&ws->lock);
        return PUAN_OK;
    }
    TRY(puan_read_begin(&db, ws->sh, err));
    st = needs_making(&again, ws, db, &import, &roll, err);
    if (st == PUAN_OK && again)
        st = begin_making(ws, db, import, roll, err);
    if (st == PUAN_OK && ws->cur) {
        size_t n = PAGE, all = 0;

        while (st == PUAN_OK && n == PAGE &&
               (!end_ns || puan_os_mono_ns() < end_ns)) {
            st = read_returns(ws, ws->cur, db, &n, a, err);
            all += n;
        }
        if (st == PUAN_OK && n < PAGE) {
            size_t rest;

            st = read_rest(ws, ws->cur, db, &rest, err);
            if (rest > 0)
                puan_live_touch(w->store, "counts", puan_shard_area(ws->sh));
            all += rest;
            if (st == PUAN_OK)
                ws->height = height;
        }
        if (all > 0 || height != ws->height)
            atomic_fetch_add(&w->version, 1);
    }
    if (st == PUAN_OK && ws->next)
        st = make_on(ws, db, end_ns, a, err);
    puan_read_end(ws->sh, db);
    if (st == PUAN_OK) {
        pthread_mutex_lock(&ws->lock);
        ws->as_of_ms = as_of;
        ws->lost_since = 0;
        pthread_mutex_unlock(&ws->lock);
        ws->read_once = true;
    }
    return st;
}

static enum puan_status look(struct puan_store *store, bool whole,
                             struct puan_err *err)
{
    struct work *w = work_of(store);
    int64_t end_ns = whole ? 0 : puan_os_mono_ns() + SLICE_NS;
    struct puan_arena a;
    enum puan_status st = PUAN_OK, one;
    bool lots = false;
    size_t n;

    if (!w)
        return PUAN_OK;
    pthread_mutex_lock(&w->job_lock);
    puan_arena_init(&a, &puan_heap);
    st = read_lots(&lots, w, err);
    pthread_mutex_lock(&w->list_lock);
    n = w->n;
    pthread_mutex_unlock(&w->list_lock);
    for (size_t i = 0; i < n; i++) {
        struct work_shard *ws = w->shard[i];

        if (lots && ws->cur) {
            pthread_mutex_lock(&ws->lock);
            cover(w, ws->cur);
            pthread_mutex_unlock(&ws->lock);
            puan_live_touch(store, "counts", puan_shard_area(ws->sh));
        }
        one = look_at(ws, end_ns, &a, st == PUAN_OK ? err : NULL);
        if (one == PUAN_OK)
            continue;
        pthread_mutex_lock(&ws->lock);
        if (ws->lost_since == 0)
            ws->lost_since = puan_real_now();
        pthread_mutex_unlock(&ws->lock);
        atomic_fetch_add(&w->version, 1);
        if (st == PUAN_OK)
            st = one;
    }
    if (lots)
        atomic_fetch_add(&w->version, 1);
    puan_arena_clear(&a);
    pthread_mutex_unlock(&w->job_lock);
    return st;
}

enum puan_status puan_work_job(struct puan_store *st, struct puan_err *err)
{
    return look(st, false, err);
}

enum puan_status puan_work_look(struct puan_store *st, struct puan_err *err)
{
    return look(st, true, err);
}

/* ---- readers --------------------------------------------------------------------- */

/* The stores an area lies in, or that lie in it. */
static bool concerns(struct work *w, struct work_shard *ws, int64_t area)
{
    int64_t a_from, a_to, s_from, s_to;

    if (area == 0)
        return true;
    puan_area_keys(&a_from, &a_to, w->store, area);
    puan_area_keys(&s_from, &s_to, w->store, puan_shard_area(ws->sh));
    return a_from < s_to && s_from < a_to;
}

static void add_day(struct puan_work *out, const struct ea *e)
{
    for (size_t d = 0; d < PUAN_WORK_DAYS; d++)
        out->day[d] += e->day[d];
}

static void sum(struct puan_work *out, struct work *w, struct made *m,
                int64_t area, unsigned level, int64_t now, int64_t real)
{
    int64_t from, to, due;

    puan_area_keys(&from, &to, w->store, area);
    for (size_t i = ea_from(m, from / w->household_base); i < m->n; i++) {
        struct ea *e = &m->ea[i];
        int64_t since;

        if (e->code >= (to - 1) / w->household_base + 1)
            break;
        if (e->dirty)
            count(w, e);
        age_minutes(e, real / MINUTE);
        add(out, &e->sum);
        if (level < PUAN_AREA_LEVELS)
            add_queue(out, &e->queue[level]);
        add_day(out, e);
        for (size_t k = 0; k < PUAN_WORK_MINUTES; k++)
            out->minute[k] += e->minute[k];
        due = e->sum.listed - e->sum.vacant;
        out->eas += due > 0;
        out->begun += e->sum.delivered > 0;
        since = e->sum.last_ms > w->opens_ms ? e->sum.last_ms : w->opens_ms;
        out->silent +=
            e->sum.delivered < due && w->opens_ms && now - since >= SILENCE;
    }
}

void puan_work_of(struct puan_work *out, struct puan_work_basis *basis,
                  struct puan_store *st, int64_t area, unsigned level)
{
    struct work *w = work_of(st);
    int64_t now = puan_store_now(st), real = puan_real_now();
    size_t n;

    memset(out, 0, sizeof(*out));
    memset(basis, 0, sizeof(*basis));
    pthread_mutex_lock(&w->list_lock);
    n = w->n;
    pthread_mutex_unlock(&w->list_lock);
    for (size_t i = 0; i < n; i++) {
        struct work_shard *ws = w->shard[i];

        if (!concerns(w, ws, area))
            continue;
        basis->of++;
        pthread_mutex_lock(&ws->lock);
        if (ws->rebuilding) {
            basis->rebuilding = true;
            basis->done += ws->done;
            basis->total += ws->total;
        }
        if (ws->cur && !(ws->lost_since && real - ws->lost_since > LOST_MS)) {
            basis->have++;
            if (!basis->as_of_ms || ws->as_of_ms < basis->as_of_ms)
                basis->as_of_ms = ws->as_of_ms;
            sum(out, w, ws->cur, area, level, now, real);
        } else if (basis->n_missing < PUAN_COUNT(basis->missing)) {
            basis->missing[basis->n_missing++] = puan_shard_area(ws->sh);
        }
        pthread_mutex_unlock(&ws->lock);
    }
    if (!basis->as_of_ms)
        basis->as_of_ms = now;
}

static int by_households(const void *x, const void *y)
{
    const struct puan_work_rule *a = x, *b = y;

    if (a->households != b->households)
        return a->households > b->households ? -1 : 1;
    if (a->form != b->form)
        return a->form < b->form ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

size_t puan_work_rules(struct puan_work_rule *out, size_t most,
                       struct puan_store *st, int64_t area)
{
    struct work *w = work_of(st);
    struct puan_work_rule *all;
    int64_t from, to;
    size_t n = 0, k = 0, shards;

    for (size_t f = 0; f < w->n_forms; f++)
        n += w->n_rules[f];
    all = calloc(n ? n : 1, sizeof(*all));
    if (!all)
        return 0;
    for (size_t f = 0; f < w->n_forms; f++)
        for (size_t r = 0; r < w->n_rules[f]; r++)
            all[k++] = (struct puan_work_rule){ (uint16_t)f, (uint16_t)r, 0 };
    puan_area_keys(&from, &to, st, area);
    pthread_mutex_lock(&w->list_lock);
    shards = w->n;
    pthread_mutex_unlock(&w->list_lock);
    for (size_t i = 0; i < shards; i++) {
        struct work_shard *ws = w->shard[i];

        if (!concerns(w, ws, area))
            continue;
        pthread_mutex_lock(&ws->lock);
        for (size_t e = ws->cur ? ea_from(ws->cur, from / w->household_base) : 0;
             ws->cur && e < ws->cur->n; e++) {
            const struct ea *x = &ws->cur->ea[e];

            if (x->code >= (to - 1) / w->household_base + 1)
                break;
            k = 0;
            for (size_t f = 0; f < w->n_forms; f++)
                for (size_t r = 0; r < w->n_rules[f]; r++, k++)
                    if (x->rule && x->rule[f])
                        all[k].households += x->rule[f][r];
        }
        pthread_mutex_unlock(&ws->lock);
    }
    qsort(all, n, sizeof(*all), by_households);
    for (k = 0; k < n && k < most && all[k].households > 0; k++)
        out[k] = all[k];
    free(all);
    return k;
}

/* ---- open, close ------------------------------------------------------------------ */

static const struct puan_window *window_of(const struct puan_plan *plan)
{
    const struct puan_setting *x =
        puan_plan_setting(plan, PUAN_STR("progress_window"));
    const struct puan_window *found =
        x ? puan_plan_window(plan, x->text) : NULL;

    for (size_t i = 0; !found && i < plan->n_windows; i++)
        if (plan->window[i].n_forms > 0)
            found = &plan->window[i];
    return found;
}

void puan_work_close(void *state, struct puan_store *st)
{
    struct work *w = state;

    (void)st;
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++) {
        made_free(w->shard[i]->cur, w->n_forms);
        made_free(w->shard[i]->next, w->n_forms);
        pthread_mutex_destroy(&w->shard[i]->lock);
        free(w->shard[i]);
    }
    puan_answers_close(w->answers);
    pthread_mutex_destroy(&w->list_lock);
    pthread_mutex_destroy(&w->job_lock);
    free(w->n_rules);
    free(w->lot);
    free(w);
}

enum puan_status puan_work_open(void **state, struct puan_store *st,
                                struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_window *window = window_of(plan);
    struct work *w = calloc(1, sizeof(*w));

    if (!w)
        return puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
    pthread_mutex_init(&w->list_lock, NULL);
    pthread_mutex_init(&w->job_lock, NULL);
    w->store = st;
    w->answers = puan_answers_open();
    w->n_forms = plan->n_forms;
    w->n_rules = calloc(plan->n_forms ? plan->n_forms : 1,
                        sizeof(*w->n_rules));
    w->shard_level = plan->shard_level;
    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_role_can(&plan->role[i], PUAN_STR("review.view")))
            w->reviews |= (uint16_t)plan->role[i].levels;
    for (int l = 0, last = -1; l < PUAN_AREA_LEVELS; l++) {
        w->up[l] = last;
        if (w->reviews >> l & 1)
            last = l;
    }
    /* who sees counts at a level that does not review sees its queue too */
    w->reviews = UINT16_MAX >> (16 - PUAN_AREA_LEVELS);
    w->household_base = 1;
    for (unsigned i = 0; i < plan->household_digits; i++)
        w->household_base *= 10;
    if (window) {
        w->opens_ms = window->from_ms;
        w->first_day = puan_instant_day(window->from_ms, plan->offset_minutes);
        w->window_days = puan_instant_day(window->until_ms - 1,
                                          plan->offset_minutes) -
                         w->first_day + 1;
    } else {
        w->first_day = puan_instant_day(plan->reference_ms,
                                        plan->offset_minutes);
        w->window_days = 1;
    }
    *state = w;
    if (!w->n_rules || !w->answers) {
        puan_work_close(w, st);
        *state = NULL;
        return puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
    }
    return PUAN_OK;
}

enum puan_status puan_work_shard_open(void *state, struct puan_store *st,
                                      struct puan_shard *sh,
                                      struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct work *w = state;
    struct work_shard *ws;
    enum puan_status r = PUAN_OK;

    if (puan_shard_ordinal(sh) == 0)
        return PUAN_OK;
    ws = calloc(1, sizeof(*ws));
    if (!ws)
        return puan_fail(err, PUAN_ENOMEM, "progress", "out of memory");
    ws->w = w;
    ws->sh = sh;
    pthread_mutex_init(&ws->lock, NULL);
    pthread_mutex_lock(&w->list_lock);
    for (size_t f = 0; f < w->n_forms && w->n == 0; f++) {
        const struct puan_ruleset *rs = puan_ingest_rules(st, plan->form[f]);

        w->n_rules[f] = rs ? puan_ruleset_count(rs) : 0;
    }
    if (w->n == SHARDS)
        r = puan_fail(err, PUAN_ELIMIT, "progress", "too many stores");
    else
        w->shard[w->n++] = ws;
    pthread_mutex_unlock(&w->list_lock);
    if (r != PUAN_OK)
        free(ws);
    return r;
}
