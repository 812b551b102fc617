/*
 * The duplicate desk: groups in pages with true totals, one pair with its two
 * sides, verdicts and their history; see search.h.
 *
 * A side in another office's area shows only whether it agrees.  Names are
 * compared on the server, character by character, and never leave it; the
 * comparison is an entry (identity.compare) of the office store.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/link/link.h"
#include "core/plan/plan.h"
#include "features/duplicates/search.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define PAGE 50
#define SIDES 16 /* of one group that are looked at */
#define NAMES 32 /* characters of a name that are compared */
#define COMPARED 256

extern const struct puan_feature puan_feature_duplicates;

/* Verdicts, as keys 1 to 5 of the desk. */
enum { KEEP_FIRST = 1, KEEP_SECOND, NOT_THE_SAME, VISIT, PASS_UP };

/* ---- in memory -------------------------------------------------------------
 */

/* Which characters of two names agree: '1' yes, '0' no. */
struct marks {
    char at[NAMES + 1];
};
struct compared { /* by whom: each seat's look is an entry of its own */
    int64_t id, account;
    char basis[17];
    struct marks mark[SIDES]; /* of side n against side 0 */
};
struct desk {
    pthread_mutex_t lock;
    uint64_t heights; /* of the returns stores at the last refresh */
    struct compared kept[COMPARED];
    size_t n_kept;
};

enum puan_status puan_dup_open(void **state, struct puan_store *st,
                               struct puan_err *err)
{
    struct desk *d = calloc(1, sizeof(*d));

    (void)st;
    if (d == NULL)
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    pthread_mutex_init(&d->lock, NULL);
    *state = d;
    return PUAN_OK;
}

void puan_dup_close(void *state, struct puan_store *st)
{
    struct desk *d = state;

    (void)st;
    pthread_mutex_destroy(&d->lock);
    free(d);
}

enum puan_status puan_dup_current(struct puan_store *st, struct puan_err *err)
{
    struct desk *d = puan_store_state(st, &puan_feature_duplicates);
    enum puan_status x = PUAN_OK;
    uint64_t heights = 0;

    if (d == NULL || !puan_shard_writes(puan_store_office(st)))
        return PUAN_OK;
    for (size_t i = 1; i < puan_store_shards(st); i++)
        heights += puan_shard_height(puan_store_shard(st, i));
    pthread_mutex_lock(&d->lock);
    if (heights != d->heights) {
        x = puan_dup_refresh(st, err);
        if (x == PUAN_OK)
            d->heights = heights;
    }
    pthread_mutex_unlock(&d->lock);
    return x;
}

/* ---- areas ------------------------------------------------------------------
 */

static uint32_t ea_of(const struct puan_request *rq, int64_t household)
{
    return puan_area_of_household(puan_store_areas(rq->store), household);
}

static bool is_own(const struct puan_request *rq, int64_t household)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t ea = ea_of(rq, household);

    return ea != PUAN_AREA_NONE && puan_request_covers(rq, t->area[ea].code);
}

static void put_area(struct puan_jw *w, const struct puan_area_tree *t,
                     uint32_t i)
{
    puan_jw_map(w);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kcode(w, "code", t->area[i].code);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
    }
    puan_jw_end(w, '}');
}

/* The areas from below `outer` down to i, as a list. */
static void put_path(struct puan_jw *w, const struct puan_area_tree *t,
                     uint32_t outer, uint32_t i)
{
    uint32_t up[PUAN_AREA_LEVELS];
    size_t n = 0;

    for (; i != PUAN_AREA_NONE && i != outer && n < PUAN_COUNT(up);
         i = t->area[i].parent)
        up[n++] = i;
    puan_jw_list(w);
    while (n-- > 0)
        put_area(w, t, up[n]);
    puan_jw_end(w, ']');
}

/* The office of another area that answers beside this seat's own. */
static uint32_t office_of(const struct puan_request *rq, uint32_t ea)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t own = puan_area_find(t, rq->who.area);

    while (ea != PUAN_AREA_NONE && own != PUAN_AREA_NONE &&
           t->area[ea].level > t->area[own].level)
        ea = t->area[ea].parent;
    return ea;
}

/* The area above `seat` whose office decides, that holds `group` too; 0: none.
 */
static int64_t above(struct puan_store *st, int64_t group, int64_t seat)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    uint32_t i = puan_area_find(t, group), own = puan_area_find(t, seat);

    if (i == PUAN_AREA_NONE || own == PUAN_AREA_NONE)
        return 0;
    if (puan_area_contains(t, own, i))
        i = t->area[own].parent;
    for (; i != PUAN_AREA_NONE; i = t->area[i].parent) {
        int level = puan_plan_level(plan, t->level[t->area[i].level].name);

        for (size_t r = 0; level >= 0 && r < plan->n_roles; r++)
            if (!plan->role[r].external && plan->role[r].levels &&
                (plan->role[r].levels >> level & 1) &&
                puan_role_can(&plan->role[r], PUAN_STR("duplicate.decide")))
                return t->area[i].code;
    }
    return 0;
}

static void put_office(struct puan_jw *w, struct puan_store *st, int64_t code)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    uint32_t i = puan_area_find(t, code);
    int level;

    puan_jw_map(w);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kcode(w, "code", code);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        level = puan_plan_level(plan, t->level[t->area[i].level].name);
        if (level >= 0) {
            puan_jw_kstr(w, "office_zh", plan->level[level].office_zh);
            puan_jw_kstr(w, "office_en", plan->level[level].office_en);
        }
    }
    puan_jw_end(w, '}');
}

/* ---- a group as the desk sees it
 * ---------------------------------------------- */

struct side {
    struct puan_dup_record r;
    bool own;      /* in the seat's area */
    bool contrary; /* one of those that cannot all stand */
    uint32_t ea;
    const struct puan_residence_case *residence;
};

struct group {
    struct puan_dup d;
    struct side side[SIDES];
    size_t n;
    bool mine;  /* the seat may decide it, not only pass it up */
    int64_t to; /* passed: whose turn; else 0 */
    char basis[17];
};

static const struct puan_residence_case *case_of(const struct puan_plan *plan,
                                                 int64_t id)
{
    for (size_t i = 0; i < plan->n_residence; i++)
        if (plan->residence[i].id == id)
            return &plan->residence[i];
    return NULL;
}

static enum puan_status group_make(struct group *g, struct puan_request *rq,
                                   const struct puan_dup *d,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_dup_record *r = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_out o;
    size_t n = 0;

    *g = (struct group){ .d = *d };
    TRY(puan_dup_records(&r, &n, d->records, rq->arena, err));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n && g->n < SIDES; i++) {
            bool contrary =
                (r[i].present && (d->kinds >> PUAN_LINK_PRESENT_TWICE & 1)) ||
                (r[i].registered &&
                 (d->kinds >> PUAN_LINK_REGISTERED_TWICE & 1));

            if (contrary == (pass == 0))
                g->side[g->n++] =
                    (struct side){ r[i], is_own(rq, r[i].household), contrary,
                                   ea_of(rq, r[i].household),
                                   case_of(plan, r[i].case_id) };
        }
    if (puan_str_is(d->state, "passed")) {
        struct puan_node *tree = NULL;

        TRY(puan_json_tree(&tree, d->decision, "decision", rq->arena, err));
        (void)!puan_int_parse(&g->to, puan_node_str_opt(tree, "to", "0"));
    }
    g->mine = puan_request_can(rq, "duplicate.decide") &&
              puan_request_covers(rq, d->area) &&
              (g->to == 0 || puan_request_covers(rq, g->to));
    puan_out_init(&o, rq->arena);
    puan_out_fmt(&o, "%.*s|%.*s|%.*s", PUAN_FMT(d->records), PUAN_FMT(d->state),
                 PUAN_FMT(d->decision));
    puan_digest_one(digest, puan_store_digest(rq->store), puan_out_view(&o));
    puan_hex(g->basis, digest, 8);
    return puan_arena_check(rq->arena, err);
}

/*
 * Which sides a verdict "keep this one" drops: those that cannot stand beside
 * it.  False when somebody would then be present, or registered, nowhere.
 */
static bool keep(bool drop[SIDES], const char **why, const struct group *g,
                 size_t kept)
{
    bool present = g->side[kept].r.present,
         registered = g->side[kept].r.registered, p = false, r = false;

    memset(drop, 0, SIDES * sizeof(*drop));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < g->n; i++) {
            const struct side *s = &g->side[i];

            if (i == kept || s->contrary != (pass == 1))
                continue;
            if ((s->r.present && present) || (s->r.registered && registered)) {
                drop[i] = true;
                continue;
            }
            present |= s->r.present;
            registered |= s->r.registered;
        }
    for (size_t i = 0; i < g->n; i++) {
        p |= g->side[i].r.present;
        r |= g->side[i].r.registered;
    }
    *why = r && !registered ? "registered" : p && !present ? "present" : NULL;
    return *why == NULL;
}

enum puan_status puan_dup_area(int64_t *area, struct puan_request *rq,
                               int64_t id, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_dup_record *r = NULL;
    struct puan_dup d;
    struct puan_db *db;
    size_t n = 0;

    TRY(puan_read_begin(&db, puan_store_office(rq->store), err));
    enum puan_status st = puan_dup_read(&d, db, id, rq->arena, err);
    puan_read_end(puan_store_office(rq->store), db);
    if (st == PUAN_OK)
        st = puan_dup_records(&r, &n, d.records, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    *area = d.area;
    if (puan_request_covers(rq, d.area))
        return PUAN_OK;
    for (size_t i = 0; i < n; i++)
        if (is_own(rq, r[i].household)) {
            *area = t->area[ea_of(rq, r[i].household)].code;
            return PUAN_OK;
        }
    return PUAN_OK;
}

/* ---- the list
 * ------------------------------------------------------------------ */

static void put_case(struct puan_jw *w, const struct puan_residence_case *c)
{
    puan_jw_map(w);
    if (c) {
        puan_jw_kint(w, "id", c->id);
        puan_jw_kstr(w, "zh", c->zh);
        puan_jw_kstr(w, "en", c->en);
        puan_jw_kbool(w, "de_facto", c->de_facto);
        puan_jw_kbool(w, "registered", c->registered);
        puan_jw_kbool(w, "resident", c->resident);
    }
    puan_jw_end(w, '}');
}

/* What both the list and the pair say of a side. */
static void put_side(struct puan_jw *w, struct puan_request *rq,
                     const struct side *s)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);

    puan_jw_kbool(w, "own", s->own);
    puan_jw_kbool(w, "contrary", s->contrary);
    if (s->own) {
        puan_jw_kcode(w, "household", s->r.household);
        puan_jw_kint(w, "line", s->r.line);
        puan_jw_key(w, "case");
        put_case(w, s->residence);
        puan_jw_key(w, "path");
        put_path(w, t, puan_area_find(t, rq->who.area), s->ea);
    } else {
        uint32_t office = office_of(rq, s->ea);

        puan_jw_key(w, "office");
        if (office == PUAN_AREA_NONE)
            puan_jw_null(w);
        else
            put_office(w, rq->store, t->area[office].code);
    }
}

static void put_kinds(struct puan_jw *w, const struct puan_dup *d)
{
    puan_jw_kbool(w, "present_twice", d->kinds >> PUAN_LINK_PRESENT_TWICE & 1);
    puan_jw_kbool(w, "registered_twice",
                  d->kinds >> PUAN_LINK_REGISTERED_TWICE & 1);
}

static const char *const states[] = { "open", "field", "passed", "decided",
                                      "gone" };

static int state_of(struct puan_str s)
{
    for (size_t i = 0; i < PUAN_COUNT(states); i++)
        if (puan_str_is(s, states[i]))
            return (int)i;
    return -1;
}

static enum puan_status pairs_in(int64_t *n, struct puan_db *db, int64_t from,
                                 int64_t to, struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&q, db,
                 "SELECT (SELECT count(*) FROM dup_pair WHERE a >= $1 AND"
                 " a < $2) + (SELECT count(*) FROM dup_pair WHERE b >= $1 AND"
                 " b < $2 AND NOT (a >= $1 AND a < $2))",
                 err));
    puan_bind_int(q, 1, from);
    puan_bind_int(q, 2, to);
    st = puan_stmt_step(&more, q, err);
    if (st == PUAN_OK && more)
        *n = puan_col_int(q, 0);
    puan_stmt_done(q);
    return st;
}

/* The newest search that looked at all of the area; 0 never. */
static enum puan_status searched(int64_t *at, struct puan_request *rq,
                                 struct puan_db *db, int64_t area,
                                 struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    enum puan_status st;
    bool more;

    *at = 0;
    TRY(puan_sql(&q, db, "SELECT area, at FROM dup_search", err));
    while ((st = puan_stmt_step(&more, q, err)) == PUAN_OK && more)
        if (puan_area_contains_code(puan_store_areas(rq->store),
                                    puan_col_int(q, 0), area) &&
            puan_col_int(q, 1) > *at)
            *at = puan_col_int(q, 1);
    puan_stmt_done(q);
    return st;
}

static enum puan_status put_pairs(struct puan_jw *w, struct puan_request *rq,
                                  struct puan_db *db, int64_t from, int64_t to,
                                  int64_t page, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_stmt *q = NULL;
    enum puan_status st;
    bool more;

    TRY(puan_sql(&q, db,
                 "SELECT a, a_line, b, b_line, a_case, b_case FROM dup_pair"
                 " WHERE (a >= $1 AND a < $2) OR (b >= $1 AND b < $2)"
                 " ORDER BY a, a_line LIMIT $3 OFFSET $4",
                 err));
    puan_bind_int(q, 1, from);
    puan_bind_int(q, 2, to);
    puan_bind_int(q, 3, PAGE);
    puan_bind_int(q, 4, (page - 1) * PAGE);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    while ((st = puan_stmt_step(&more, q, err)) == PUAN_OK && more) {
        puan_jw_map(w);
        puan_jw_key(w, "sides");
        puan_jw_list(w);
        for (int k = 0; k < 2; k++) {
            int64_t household = puan_col_int(q, 2 * k);
            struct side s = { .r = { .household = household,
                                     .line = puan_col_int(q, 2 * k + 1) },
                              .own = is_own(rq, household),
                              .ea = ea_of(rq, household),
                              .residence =
                                  case_of(plan, puan_col_int(q, 4 + k)) };

            puan_jw_map(w);
            put_side(w, rq, &s);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_stmt_done(q);
    return st;
}

static enum puan_status list_in(struct puan_request *rq, struct puan_db *db,
                                const struct puan_dup_list_in *q,
                                struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    int64_t n[PUAN_COUNT(states)] = { 0 }, pairs = 0, at = 0, from, to;
    int64_t total = 0, first = (q->page_no - 1) * PAGE;
    bool all = puan_str_is(q->kind, "pair");
    int state = q->state.n ? state_of(q->state) : 0;
    struct puan_stmt *s = NULL;
    enum puan_status st;
    struct puan_jw w;
    struct puan_out o, items;
    struct puan_jw iw;
    bool more = false;

    if (state < 0)
        return puan_fail(err, PUAN_EINVAL, "state",
                         "expected open, field, passed, decided or gone");
    puan_area_keys(&from, &to, rq->store, q->area);
    TRY(pairs_in(&pairs, db, from, to, err));
    TRY(searched(&at, rq, db, q->area, err));
    puan_out_init(&items, rq->arena);
    puan_jw_init(&iw, &items);
    puan_jw_list(&iw);
    TRY(puan_sql(&s, db,
                 "SELECT id, token, kinds, area, records, state, decision,"
                 " found FROM dup ORDER BY id",
                 err));
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t kinds = puan_col_int(s, 2);
        int k = state_of(puan_col_text(s, 5));
        struct group g;
        struct puan_dup d;

        if (k < 0 || !puan_dup_touches(puan_col_text(s, 4), from, to))
            continue;
        if (puan_str_is(q->kind, "present") &&
            !(kinds >> PUAN_LINK_PRESENT_TWICE & 1))
            continue;
        if (puan_str_is(q->kind, "registered") &&
            !(kinds >> PUAN_LINK_REGISTERED_TWICE & 1))
            continue;
        n[k]++;
        if (all || k != state || total++ < first || total > first + PAGE)
            continue;
        puan_dup_row(&d, s, rq->arena);
        st = group_make(&g, rq, &d, err);
        if (st != PUAN_OK)
            break;
        puan_jw_map(&iw);
        puan_jw_kint(&iw, "id", d.id);
        put_kinds(&iw, &d);
        puan_jw_kstr(&iw, "state", d.state);
        puan_jw_kinstant(&iw, "found", d.found_ms, plan->offset_minutes);
        puan_jw_kbool(&iw, "mine", g.mine);
        puan_jw_key(&iw, "sides");
        puan_jw_list(&iw);
        for (size_t i = 0; i < g.n; i++) {
            puan_jw_map(&iw);
            put_side(&iw, rq, &g.side[i]);
            puan_jw_end(&iw, '}');
        }
        puan_jw_end(&iw, ']');
        puan_jw_end(&iw, '}');
    }
    puan_stmt_done(s);
    TRY(st);
    puan_jw_end(&iw, ']');
    if (all)
        total = pairs;
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(&w, "searched");
    if (at) {
        char text[32];

        puan_instant_text(text, at, plan->offset_minutes);
        puan_jw_text(&w, text);
    } else {
        puan_jw_null(&w);
    }
    puan_jw_kint(&w, "pairs", pairs);
    puan_jw_key(&w, "totals");
    puan_jw_map(&w);
    for (size_t i = 0; i < PUAN_COUNT(states); i++)
        puan_jw_kint(&w, states[i], n[i]);
    puan_jw_end(&w, '}');
    puan_jw_kint(&w, "total", total);
    puan_jw_kint(&w, "page", q->page_no);
    puan_jw_kint(&w, "pages", (total + PAGE - 1) / PAGE);
    if (all) {
        TRY(put_pairs(&w, rq, db, from, to, q->page_no, err));
    } else {
        puan_jw_key(&w, "items");
        puan_jw_raw(&w, puan_out_view(&items));
    }
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

enum puan_status puan_dup_desk_list(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    struct puan_db *db;
    enum puan_status st;

    TRY(puan_dup_current(rq->store, err));
    TRY(puan_read_begin(&db, puan_store_office(rq->store), err));
    st = list_in(rq, db, in, err);
    puan_read_end(puan_store_office(rq->store), db);
    return st;
}

/* ---- comparing two sides
 * -------------------------------------------------------- */

struct loaded {
    struct puan_ret ret;
    struct puan_record rec;
    uint32_t last; /* version */
    int entity;    /* of the plan's residence entity in its form */
    uint32_t row;
};

static enum puan_status load_side(struct loaded *l, struct puan_request *rq,
                                  const struct side *s, bool open_vault,
                                  struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, s->r.household);
    struct puan_ret_head head = { 0 };
    struct puan_db *db;
    enum puan_status st;

    if (sh == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "no such store");
    (void)!puan_ret_head(&head, rq->store, s->r.household);
    TRY(puan_read_begin(&db, sh, err));
    st = puan_ret_read(&l->ret, sh, db, s->r.ret, rq->arena, err);
    puan_read_end(sh, db);
    TRY(st);
    TRY(puan_ret_record(&l->rec, &l->ret, sh, open_vault, rq->arena, err));
    l->last = head.version;
    l->entity = puan_form_entity(l->ret.form, plan->residence_entity);
    l->row = (uint32_t)s->r.line - 1;
    if (l->entity < 0 || l->row >= l->rec.rows[l->entity].n)
        return puan_fail(err, PUAN_EBUG, "duplicate",
                         "a record names no person");
    return PUAN_OK;
}

static const struct puan_entity *entity_of(const struct loaded *l)
{
    return &l->ret.form->entity[l->entity];
}

/* One character of UTF-8 at the front; false at the end. */
static bool next_char(struct puan_str *c, struct puan_str *rest)
{
    size_t n = 1;

    if (rest->n == 0)
        return false;
    while (n < rest->n && ((unsigned char)rest->p[n] & 0xC0) == 0x80)
        n++;
    *c = (struct puan_str){ rest->p, n };
    rest->p += n;
    rest->n -= n;
    return true;
}

static struct puan_str name_of(const struct loaded *l)
{
    const struct puan_entity *e = entity_of(l);

    for (uint16_t i = 0; i < e->n_asked; i++)
        if (e->items[i].type == PUAN_TYPE_NAME) {
            size_t at = (size_t)l->row * e->n_items + i;

            if (l->rec.rows[l->entity].st[at] == PUAN_GIVEN)
                return l->rec.rows[l->entity].txt[at];
        }
    return (struct puan_str){ 0 };
}

static void compare_names(struct marks *m, struct puan_str x, struct puan_str y)
{
    size_t n = 0;

    if (x.n > 0 && y.n > 0)
        while (n < NAMES) {
            struct puan_str a = { 0 }, b = { 0 };
            bool more = next_char(&a, &x);

            more = next_char(&b, &y) || more;
            if (!more)
                break;
            m->at[n++] = puan_str_eq(a, b) ? '1' : '0';
        }
    m->at[n] = '\0';
}

/*
 * Agreement of the names, from memory when these versions have been compared
 * before; else the vault is opened, which is an entry.
 */
static enum puan_status names(struct compared *out, struct puan_request *rq,
                              const struct group *g, struct puan_err *err)
{
    struct desk *d = puan_store_state(rq->store, &puan_feature_duplicates);
    struct puan_str first;
    struct loaded l;
    struct puan_act act;
    bool known = false;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->n_kept && i < COMPARED && !known; i++)
        if (d->kept[i].id == g->d.id &&
            d->kept[i].account == rq->who.account &&
            strcmp(d->kept[i].basis, g->basis) == 0) {
            *out = d->kept[i];
            known = true;
        }
    pthread_mutex_unlock(&d->lock);
    if (known)
        return PUAN_OK;
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "duplicate/%lld",
                                                (long long)g->d.id)));
    act.verb = PUAN_STR("identity.compare");
    act.note = PUAN_STR("names compared by character, none shown");
    TRY(puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err));
    *out = (struct compared){ .id = g->d.id, .account = rq->who.account };
    memcpy(out->basis, g->basis, sizeof(out->basis));
    TRY(load_side(&l, rq, &g->side[0], true, err));
    first = name_of(&l);
    for (size_t i = 1; i < g->n; i++) {
        TRY(load_side(&l, rq, &g->side[i], true, err));
        compare_names(&out->mark[i], first, name_of(&l));
    }
    pthread_mutex_lock(&d->lock);
    d->kept[d->n_kept++ % COMPARED] = *out;
    pthread_mutex_unlock(&d->lock);
    return PUAN_OK;
}

/* Is the item named in the conditions of the residence cases? */
static bool decides(const struct puan_plan *plan, struct puan_str item)
{
    for (size_t i = 0; i < plan->n_residence; i++) {
        struct puan_str w = plan->residence[i].when;

        for (size_t at = 0; at + item.n <= w.n; at++) {
            char before = at ? w.p[at - 1] : ' ',
                 after = at + item.n < w.n ? w.p[at + item.n] : ' ';

            if (memcmp(w.p + at, item.p, item.n) == 0 &&
                !((before >= '0' && before <= 'z') || before == '_') &&
                !((after >= '0' && after <= '9') ||
                  (after >= 'A' && after <= 'Z') ||
                  (after >= 'a' && after <= 'z') || after == '_'))
                return true;
        }
    }
    return false;
}

static void put_value(struct puan_jw *w, const struct puan_item *item,
                      const struct loaded *l, uint16_t i, struct puan_arena *a)
{
    const struct puan_entity *e = entity_of(l);
    size_t at = (size_t)l->row * e->n_items + i;
    int64_t v = l->rec.rows[l->entity].v[at];
    uint8_t st = l->rec.rows[l->entity].st[at];

    puan_jw_map(w);
    puan_jw_ktext(w, "state",
                  st == PUAN_GIVEN     ? "given"
                  : st == PUAN_MISSING ? "missing"
                  : st == PUAN_INVALID ? "invalid"
                                       : "not-asked");
    if (st == PUAN_GIVEN) {
        const struct puan_code *c =
            item->codes ? puan_code_by_value(item->codes, v) : NULL;

        puan_jw_ktext(w, "value", puan_item_text(item, v, a));
        if (c) {
            puan_jw_kstr(w, "zh", c->zh);
            puan_jw_kstr(w, "en", c->en);
        }
    }
    puan_jw_end(w, '}');
}

/*
 * The coded answers side by side: agreement with the first side always, values
 * of own sides only, and only for who may read returns.
 */
static void put_items(struct puan_jw *w, struct puan_request *rq,
                      const struct group *g, const struct loaded *l)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_entity *e = entity_of(&l[0]);
    bool values = puan_request_can(rq, "return.view");

    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (uint16_t i = 0; i < e->n_asked; i++) {
        const struct puan_item *item = &e->items[i];

        if (item->zone != PUAN_ZONE_FRAME)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "name", item->name);
        puan_jw_kstr(w, "zh", item->zh);
        puan_jw_kstr(w, "en", item->en);
        puan_jw_kbool(w, "residence", decides(plan, item->name));
        puan_jw_key(w, "same");
        puan_jw_list(w);
        for (size_t s = 0; s < g->n; s++) {
            const struct puan_entity *o = entity_of(&l[s]);
            int k = puan_entity_item(o, item->name);
            size_t x = (size_t)l[0].row * e->n_items + i;
            size_t y = (size_t)l[s].row * o->n_items + (size_t)(k < 0 ? 0 : k);
            const struct puan_rows *a = &l[0].rec.rows[l[0].entity],
                                   *b = &l[s].rec.rows[l[s].entity];

            if (k < 0 || a->st[x] != PUAN_GIVEN || b->st[y] != PUAN_GIVEN)
                puan_jw_null(w);
            else
                puan_jw_bool(w, a->v[x] == b->v[y]);
        }
        puan_jw_end(w, ']');
        puan_jw_key(w, "values");
        puan_jw_list(w);
        for (size_t s = 0; s < g->n; s++) {
            int k = puan_entity_item(entity_of(&l[s]), item->name);

            if (!values || !g->side[s].own || k < 0)
                puan_jw_null(w);
            else
                put_value(w, &entity_of(&l[s])->items[k], &l[s], (uint16_t)k,
                          rq->arena);
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- one pair
 * -------------------------------------------------------------------- */

static void put_choice(struct puan_jw *w, struct puan_request *rq,
                       const struct group *g, int64_t verdict, size_t kept,
                       bool offered, const char *why)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    bool drop[SIDES] = { false };
    const char *w2 = why;

    if (verdict <= KEEP_SECOND)
        (void)!keep(drop, &w2, g, kept);
    puan_jw_map(w);
    puan_jw_kint(w, "verdict", verdict);
    if (verdict <= KEEP_SECOND)
        puan_jw_kint(w, "keep", (int64_t)kept + 1);
    puan_jw_kbool(w, "offered", offered);
    if (why)
        puan_jw_ktext(w, "why", why);
    puan_jw_key(w, "effects");
    puan_jw_list(w);
    for (size_t i = 0; i < g->n; i++) {
        const struct side *s = &g->side[i];

        if (!drop[i] || !offered)
            continue;
        puan_jw_map(w);
        puan_jw_kint(w, "side", (int64_t)i);
        if (s->residence) {
            puan_jw_kbool(w, "resident", s->residence->resident);
            puan_jw_kbool(w, "de_facto", s->residence->de_facto);
            puan_jw_kbool(w, "registered", s->residence->registered);
        }
        if (s->own && s->ea != PUAN_AREA_NONE) {
            puan_jw_key(w, "area");
            put_area(w, t, s->ea);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static void put_choices(struct puan_jw *w, struct puan_request *rq,
                        const struct group *g)
{
    int64_t to = above(rq->store, g->d.area, rq->who.area);
    bool passed = g->to != 0;
    /* why nothing may be said here, whatever it is; NULL: this seat decides */
    const char *shut = puan_str_is(g->d.state, "gone")             ? "gone"
                       : !puan_request_can(rq, "duplicate.decide") ? "seat"
                       : g->mine                                   ? NULL
                       : passed                                    ? "passed"
                                                                   : "office";
    const char *up = shut && strcmp(shut, "office") != 0 ? shut
                     : to == 0                           ? "top"
                                                         : NULL;
    size_t contrary = 0;

    puan_jw_key(w, "choices");
    puan_jw_list(w);
    for (size_t i = 0; i < g->n; i++) {
        bool drop[SIDES];
        const char *why = NULL;
        bool can;

        if (!g->side[i].contrary)
            continue;
        can = keep(drop, &why, g, i);
        contrary++;
        put_choice(w, rq, g, contrary == 1 ? KEEP_FIRST : KEEP_SECOND, i,
                   can && !shut,
                   shut  ? shut
                   : can ? NULL
                         : why);
    }
    put_choice(w, rq, g, NOT_THE_SAME, 0, !shut, shut);
    put_choice(w, rq, g, VISIT, 0, !shut, shut);
    put_choice(w, rq, g, PASS_UP, 0, !up, up);
    puan_jw_end(w, ']');
    puan_jw_key(w, "to");
    if (to)
        put_office(w, rq->store, to);
    else
        puan_jw_null(w);
}

static enum puan_status version_of(int64_t *version, struct puan_store *st,
                                   const struct puan_dup_record *r,
                                   struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_household(st, r->household);
    struct puan_stmt *q = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status x;

    *version = 0;
    if (sh == NULL)
        return PUAN_OK;
    TRY(puan_read_begin(&db, sh, err));
    x = puan_sql(&q, db, "SELECT version FROM ret WHERE seq = $1", err);
    if (x == PUAN_OK) {
        puan_bind_int(q, 1, r->ret);
        x = puan_stmt_step(&more, q, err);
        if (x == PUAN_OK && more)
            *version = puan_col_int(q, 0);
        puan_stmt_done(q);
    }
    puan_read_end(sh, db);
    return x;
}

/* "role@area" in the plan's words. */
static void put_seat(struct puan_jw *w, struct puan_store *st,
                     struct puan_str seat)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_role *role;
    struct puan_str id, rest = seat;
    int64_t area = 0;
    uint32_t i;

    if (!puan_str_split(&id, &rest, '@'))
        return;
    role = puan_plan_role(plan, id);
    if (role) {
        puan_jw_kstr(w, "role_zh", role->zh);
        puan_jw_kstr(w, "role_en", role->en);
    }
    i = puan_int_parse(&area, rest) ? puan_area_find(t, area) : PUAN_AREA_NONE;
    if (i != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "area_zh", t->area[i].zh);
        puan_jw_kstr(w, "area_en", t->area[i].en);
    }
}

static enum puan_status put_history(struct puan_jw *w, struct puan_request *rq,
                                    struct puan_db *db, const struct group *g,
                                    struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_stmt *q = NULL;
    enum puan_status st;
    bool more;

    puan_jw_key(w, "history");
    puan_jw_list(w);
    TRY(puan_sql(&q, db,
                 "SELECT at, seat, verdict, reason, records, decision FROM"
                 " dup_event WHERE dup = $1 ORDER BY id",
                 err));
    puan_bind_int(q, 1, g->d.id);
    while ((st = puan_stmt_step(&more, q, err)) == PUAN_OK && more) {
        struct puan_dup_record *r = NULL;
        struct puan_node *tree = NULL;
        struct puan_str decision =
            puan_arena_keep(rq->arena, puan_col_text(q, 5));
        int64_t kept = 0, to = 0;
        size_t n = 0;

        puan_jw_map(w);
        puan_jw_kinstant(w, "at", puan_col_int(q, 0), offset);
        puan_jw_kstr(w, "seat", puan_col_text(q, 1));
        put_seat(w, rq->store, puan_col_text(q, 1));
        puan_jw_kint(w, "verdict", puan_col_int(q, 2));
        puan_jw_kstr(w, "reason", puan_col_text(q, 3));
        if (decision.n) {
            st = puan_json_tree(&tree, decision, "decision", rq->arena, err);
            if (st != PUAN_OK)
                break;
            if (puan_int_parse(&kept, puan_node_str_opt(tree, "keep", "")))
                puan_jw_kint(w, "keep", kept);
            if (puan_int_parse(&to, puan_node_str_opt(tree, "to", ""))) {
                puan_jw_key(w, "to");
                put_office(w, rq->store, to);
            }
        }
        st = puan_dup_records(&r, &n,
                              puan_arena_keep(rq->arena, puan_col_text(q, 4)),
                              rq->arena, err);
        if (st != PUAN_OK)
            break;
        puan_jw_key(w, "on");
        puan_jw_list(w);
        for (size_t i = 0; st == PUAN_OK && i < n; i++)
            for (size_t s = 0; s < g->n; s++)
                if (g->side[s].r.household == r[i].household) {
                    int64_t version = 0;

                    st = version_of(&version, rq->store, &r[i], err);
                    puan_jw_map(w);
                    puan_jw_kint(w, "side", (int64_t)s);
                    puan_jw_kint(w, "version", version);
                    puan_jw_end(w, '}');
                    break;
                }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
        if (st != PUAN_OK)
            break;
    }
    puan_stmt_done(q);
    puan_jw_end(w, ']');
    return st;
}

/* The innermost area that holds two sides. */
static uint32_t common(const struct puan_area_tree *t, uint32_t a, uint32_t b)
{
    if (b == PUAN_AREA_NONE)
        return PUAN_AREA_NONE;
    while (a != PUAN_AREA_NONE && !puan_area_contains(t, a, b))
        a = t->area[a].parent;
    return a;
}

static enum puan_status pair_in(struct puan_request *rq, struct puan_db *db,
                                int64_t id, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct compared names_ = { 0 };
    struct loaded l[SIDES];
    struct puan_dup d;
    struct group g;
    struct puan_out o;
    struct puan_jw w;

    TRY(puan_dup_read(&d, db, id, rq->arena, err));
    TRY(group_make(&g, rq, &d, err));
    for (size_t i = 0; i < g.n; i++)
        TRY(load_side(&l[i], rq, &g.side[i], false, err));
    if (g.n > 1)
        TRY(names(&names_, rq, &g, err));
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "id", d.id);
    puan_jw_kinstant(&w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_kinstant(&w, "found", d.found_ms, plan->offset_minutes);
    puan_jw_kstr(&w, "state", d.state);
    puan_jw_ktext(&w, "basis", g.basis);
    put_kinds(&w, &d);
    puan_jw_kbool(&w, "mine", g.mine);
    puan_jw_kbool(&w, "figures", puan_request_can(rq, "evaluation.view"));
    puan_jw_key(&w, "office");
    put_office(&w, rq->store, g.to ? g.to : d.area);
    puan_jw_key(&w, "sides");
    puan_jw_list(&w);
    for (size_t i = 0; i < g.n; i++) {
        const struct side *s = &g.side[i];
        uint32_t with = i ? common(t, g.side[0].ea, s->ea) : s->ea;

        puan_jw_map(&w);
        put_side(&w, rq, s);
        if (s->own) {
            puan_jw_kint(&w, "version", l[i].ret.version);
            puan_jw_kint(&w, "last_version", l[i].last);
            puan_jw_kstr(&w, "mode", l[i].ret.head.mode);
            puan_jw_kinstant(&w, "finished", l[i].ret.head.finished_ms,
                             plan->offset_minutes);
            puan_jw_kint(&w, "persons", l[i].ret.persons);
            puan_jw_kint(&w, "hard", l[i].ret.hard);
            puan_jw_kint(&w, "soft", l[i].ret.soft);
        }
        if (i) {
            puan_jw_ktext(&w, "name_marks", names_.mark[i].at);
            puan_jw_key(&w, "within");
            put_area(&w, t, with);
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    if (g.n)
        put_items(&w, rq, &g, l);
    put_choices(&w, rq, &g);
    TRY(put_history(&w, rq, db, &g, err));
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

enum puan_status puan_dup_desk_pair(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    const struct puan_dup_id_in *q = in;
    struct puan_db *db;
    enum puan_status st;

    TRY(puan_dup_current(rq->store, err));
    TRY(puan_read_begin(&db, puan_store_office(rq->store), err));
    st = pair_in(rq, db, q->id, err);
    puan_read_end(puan_store_office(rq->store), db);
    return st;
}

/* ---- verdicts
 * ---------------------------------------------------------------------- */

struct verdict {
    const struct puan_dup_decide_in *q;
    struct puan_request *rq;
    struct puan_str state; /* afterwards */
};

static enum puan_status send_visit(struct puan_shard *sh, struct puan_db *db,
                                   const struct verdict *v,
                                   const struct puan_dup_record *r,
                                   const struct puan_act *act,
                                   struct puan_err *err)
{
    struct puan_shard *to =
        puan_store_shard_of_household(puan_shard_store(sh), r->household);
    struct puan_out body;
    struct puan_jw w;

    if (to == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "no such store");
    puan_out_init(&body, v->rq->arena);
    puan_jw_init(&w, &body);
    puan_jw_map(&w);
    puan_jw_kcode(&w, "household", r->household);
    puan_jw_kint(&w, "line", r->line);
    puan_jw_kint(&w, "ret", r->ret);
    puan_jw_kint(&w, "group", v->q->id);
    puan_jw_kstr(&w, "reason", v->q->reason);
    puan_jw_kstr(&w, "actor", act->actor);
    puan_jw_kstr(&w, "seat", act->seat);
    puan_jw_end(&w, '}');
    return puan_outbox_put(sh, db, puan_shard_ordinal(to), "duplicate.visit",
                           puan_out_view(&body), err);
}

static enum puan_status decide_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct verdict *v = arg;
    const struct puan_dup_decide_in *q = v->q;
    struct puan_request *rq = v->rq;
    bool drop[SIDES] = { false };
    const char *why = NULL;
    int64_t to = 0, kept = (q->keep > 0 ? q->keep : q->verdict) - 1;
    struct puan_dup d;
    struct group g;
    struct puan_out text;
    struct puan_jw w;

    TRY(puan_dup_read(&d, db, q->id, rq->arena, err));
    TRY(group_make(&g, rq, &d, err));
    if (q->basis.n && !puan_str_is(q->basis, g.basis))
        return puan_fail(err, PUAN_ECONFLICT, "basis",
                         "the pair has changed since; look at it first");
    if (puan_str_is(d.state, "gone"))
        return puan_fail(err, PUAN_ECONFLICT, "duplicate",
                         "the records contradict no more");
    if (!g.mine && (q->verdict != PASS_UP || g.to != 0))
        return puan_fail(err, PUAN_EDENIED, "duplicate",
                         "this office may only pass it up");
    for (size_t i = 0; i < g.n; i++) {
        struct puan_ret_head head;

        if (puan_ret_head(&head, rq->store, g.side[i].r.household) &&
            head.ret != g.side[i].r.ret)
            return puan_fail(err, PUAN_ECONFLICT, "version",
                             "a household has answered anew; look at it first");
    }
    if (q->verdict <= KEEP_SECOND) {
        if (kept < 0 || (size_t)kept >= g.n || !g.side[kept].contrary)
            return puan_fail(err, PUAN_EINVAL, "keep", "no such side");
        if (!keep(drop, &why, &g, (size_t)kept))
            return puan_fail(err, PUAN_EINVAL, "verdict",
                             "the person would be %s nowhere", why);
    }
    if (q->verdict == PASS_UP) {
        to = above(rq->store, d.area, rq->who.area);
        if (to == 0)
            return puan_fail(err, PUAN_EINVAL, "verdict",
                             "no office above decides");
    }
    puan_out_init(&text, rq->arena);
    puan_jw_init(&w, &text);
    puan_jw_map(&w);
    puan_jw_kint(&w, "verdict", q->verdict);
    if (q->verdict <= KEEP_SECOND)
        puan_jw_kint(&w, "keep", kept + 1);
    puan_jw_key(&w, "drop");
    puan_jw_list(&w);
    for (size_t i = 0; i < g.n; i++)
        if (drop[i]) {
            puan_jw_map(&w);
            puan_jw_kcode(&w, "household", g.side[i].r.household);
            puan_jw_kint(&w, "line", g.side[i].r.line);
            puan_jw_end(&w, '}');
        }
    puan_jw_end(&w, ']');
    if (to)
        puan_jw_kcode(&w, "to", to);
    puan_jw_kstr(&w, "reason", q->reason);
    puan_jw_end(&w, '}');
    d.decision = puan_out_view(&text);
    d.state = q->verdict == VISIT     ? PUAN_STR("field")
              : q->verdict == PASS_UP ? PUAN_STR("passed")
                                      : PUAN_STR("decided");
    v->state = d.state;
    TRY(puan_dup_write(sh, db, act, &d, rq->arena, err));
    TRY(puan_dup_event(sh, db, act, &d, q->verdict, q->reason, rq->arena, err));
    for (size_t i = 0; i < g.n; i++) {
        if (q->verdict == VISIT) {
            if (g.side[i].contrary)
                TRY(send_visit(sh, db, v, &g.side[i].r, act, err));
        } else if (q->verdict != PASS_UP) {
            TRY(puan_dup_send(sh, db, d.id, &g.side[i].r, drop[i], rq->arena,
                              err));
        }
    }
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_dup_desk_decide(struct puan_request *rq,
                                      const struct puan_dup_decide_in *q,
                                      struct puan_err *err)
{
    struct verdict v = { .q = q, .rq = rq };
    struct puan_act act;
    struct puan_jw *w;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "duplicate/%lld",
                                                (long long)q->id)));
    act.note = q->reason;
    TRY(puan_commit(puan_store_office(rq->store), &act, decide_body, &v, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "id", q->id);
    puan_jw_kstr(w, "state", v.state);
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_end(w, '}');
    return PUAN_OK;
}
