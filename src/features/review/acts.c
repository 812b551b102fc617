/*
 * What an office says of one version of a return: accepted, passed up, or its
 * last word taken back; and who is reading what.
 */
#include "features/review/internal.h"

#include "core/ledger/ledger.h"
#include "features/lots/lots.h"

struct acting {
    const struct puan_review_act_in *in;
    struct puan_request *rq;
    const char *kind;
    unsigned level;
    struct puan_str findings; /* JSON */
    bool open, hard;          /* of them some stand open */
    int64_t id, undoes;
    const char *refused; /* code of the conflict */
    const char *why;
};

static enum puan_status refuse(struct acting *a, const char *code,
                               const char *why, struct puan_err *err)
{
    a->refused = code;
    a->why = why;
    return puan_fail(err, PUAN_ECONFLICT, "version", "%s", why);
}

/* ---- what stands ------------------------------------------------------------ */

/* Marks on this version that were not taken back, and queries about it. */
struct standing {
    int64_t own;      /* id of this level's, 0 none */
    int64_t own_at;   /* when it was entered, real time */
    bool above, open; /* an upper office has one; a query is open */
    bool asked_since; /* a query about it is younger than the own mark */
};

static enum puan_status read_standing(struct standing *out,
                                      const struct acting *a,
                                      struct puan_db *db, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(a->rq->store);
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st;

    *out = (struct standing){ 0 };
    st = puan_sql(&s, db,
                  "SELECT m.id, m.level, m.entered FROM review_act m"
                  " WHERE m.household = $1 AND m.version = $2"
                  " AND m.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM"
                  " review_act u WHERE u.household = $1 AND u.undoes = m.id)"
                  " ORDER BY m.id",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, a->in->household);
    puan_bind_int(s, 2, a->in->version);
    while (st == PUAN_OK) {
        int level;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        level = puan_plan_level(plan, puan_col_text(s, 1));
        if (level == (int)a->level) {
            out->own = puan_col_int(s, 0);
            out->own_at = puan_col_int(s, 2);
        }
        out->above = out->above || (level >= 0 && level < (int)a->level);
    }
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT state, asked FROM query WHERE household = $1"
                      " AND version = $2",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, a->in->household);
    puan_bind_int(s, 2, a->in->version);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        out->open = out->open || puan_str_is(puan_col_text(s, 0), "open");
        out->asked_since =
            out->asked_since || (out->own && puan_col_int(s, 1) >= out->own_at);
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status may(struct acting *a, const struct standing *now,
                            struct puan_err *err)
{
    if (now->above)
        return refuse(a, "acted-above",
                      "an office above has spoken of this version", err);
    if (strcmp(a->kind, "undo") == 0) {
        if (now->own == 0)
            return refuse(a, "nothing-to-undo",
                          "this office has no mark on this version", err);
        if (now->asked_since)
            return refuse(a, "rested-upon",
                          "the household was sent back since", err);
        return PUAN_OK;
    }
    if (now->open)
        return refuse(a, "query-open",
                      "a query about this version is open; its answer comes "
                      "first",
                      err);
    if (now->own)
        return refuse(a, "acted",
                      "this office has already spoken of this version; take "
                      "that back first",
                      err);
    return PUAN_OK;
}

/* ---- the row ------------------------------------------------------------------ */

static enum puan_status put_act(struct acting *a, struct puan_shard *sh,
                                struct puan_db *db, struct puan_act *act,
                                struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(a->rq->store);
    int64_t at = act->event_ms ? act->event_ms : a->rq->now;
    struct puan_stmt *s = NULL;
    struct puan_out c;
    enum puan_status st;

    st = puan_db_int(&a->id, db, "SELECT MAX(id) FROM review_act", 0, err);
    if (st != PUAN_OK)
        return st;
    a->id++;
    puan_out_init(&c, a->rq->arena);
    puan_content_int(&c, a->in->household);
    puan_content_int(&c, a->in->version);
    puan_content_text(&c, puan_str_of(a->kind));
    puan_content_text(&c, plan->level[a->level].id);
    puan_content_int(&c, a->rq->who.area);
    puan_content_text(&c, act->actor);
    puan_content_text(&c, act->seat);
    puan_content_int(&c, at);
    puan_content_int(&c, act->entry_ms);
    puan_content_text(&c, a->in->reason);
    puan_content_text(&c, a->findings);
    puan_content_int(&c, a->undoes);
    st = puan_arena_check(a->rq->arena, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO review_act(id, household, version, kind,"
                      " level, office, actor, seat, at, entered, reason,"
                      " findings, undoes) VALUES ($1, $2, $3, $4, $5, $6, $7,"
                      " $8, $9, $10, $11, $12, $13)",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, a->id);
    puan_bind_int(s, 2, a->in->household);
    puan_bind_int(s, 3, a->in->version);
    puan_bind_text(s, 4, puan_str_of(a->kind));
    puan_bind_text(s, 5, plan->level[a->level].id);
    puan_bind_int(s, 6, a->rq->who.area);
    puan_bind_text(s, 7, act->actor);
    puan_bind_text(s, 8, act->seat);
    puan_bind_int(s, 9, at);
    puan_bind_int(s, 10, act->entry_ms);
    puan_bind_text(s, 11, a->in->reason);
    puan_bind_text(s, 12, a->findings);
    puan_bind_int(s, 13, a->undoes);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK)
        st = puan_cover_id(sh, db, act, "review_act", a->id, puan_out_view(&c),
                           err);
    return st;
}

static enum puan_status act_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct acting *a = arg;
    struct puan_ret_head head;
    struct standing now;
    enum puan_status st;

    a->refused = NULL;
    if (!puan_ret_head(&head, a->rq->store, a->in->household) || head.ret == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no return has arrived");
    if (head.version != (uint32_t)a->in->version)
        return refuse(a, "stale-version",
                      puan_arena_fmt(a->rq->arena,
                                     "version %u has arrived since; look at "
                                     "it first",
                                     head.version),
                      err);
    st = read_standing(&now, a, db, err);
    if (st == PUAN_OK)
        st = may(a, &now, err);
    if (st != PUAN_OK)
        return st;
    if (strcmp(a->kind, "undo") == 0)
        a->undoes = now.own;
    return put_act(a, sh, db, act, err);
}

/* ---- the version's findings --------------------------------------------------- */

static enum puan_status read_findings(struct acting *a, struct puan_shard *sh,
                                      struct puan_str *note,
                                      struct puan_err *err)
{
    static const char *const states[] = { "open", "confirmed", "overridden" };
    struct puan_request *rq = a->rq;
    const struct puan_ruleset *rules;
    struct puan_ret_head head;
    struct puan_edits e = { 0 };
    struct puan_db *db = NULL;
    struct puan_ret r;
    struct puan_out o, n;
    struct puan_jw w;
    enum puan_status st;

    if (!puan_ret_head(&head, rq->store, a->in->household) || head.ret == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no return has arrived");
    st = puan_read_begin(&db, sh, err);
    if (st == PUAN_OK)
        st = puan_ret_read(&r, sh, db, head.ret, rq->arena, err);
    puan_read_end(sh, db);
    if (st == PUAN_OK)
        st = puan_ret_edits(&e, &r, sh, false, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    rules = puan_ingest_rules(rq->store, r.form);
    puan_out_init(&o, rq->arena);
    puan_out_init(&n, rq->arena);
    puan_out_str(&n, a->in->reason);
    puan_out_text(&n, a->in->reason.n ? " [" : "[");
    puan_jw_init(&w, &o);
    puan_jw_list(&w);
    for (size_t i = 0; i < e.n && i < 200; i++) {
        const struct puan_edit *x = &e.list[i];
        const struct puan_rule_info *info;

        if (!rules || x->rule >= puan_ruleset_count(rules))
            continue;
        info = puan_ruleset_info(rules, x->rule);
        puan_jw_map(&w);
        puan_jw_kstr(&w, "rule", info->id);
        if (r.form->entity[info->entity].roster)
            puan_jw_kint(&w, "row", (int64_t)x->row + 1);
        puan_jw_ktext(&w, "state", states[x->state]);
        puan_jw_end(&w, '}');
        if (i < 20)
            puan_out_fmt(&n, "%s%.*s", i ? " " : "", PUAN_FMT(info->id));
        if (x->state == PUAN_EDIT_OPEN) {
            a->open = true;
            a->hard = a->hard || info->severity == PUAN_HARD;
        }
    }
    puan_jw_end(&w, ']');
    puan_out_text(&n, e.n ? "]" : "-]");
    a->findings = puan_out_view(&o);
    *note = puan_out_view(&n);
    return puan_arena_check(rq->arena, err);
}

/* ---- routes --------------------------------------------------------------------- */

/* A lot in force that was made over the mark: the area's office took it. */
static bool lot_rests(struct puan_request *rq, struct puan_review_shard *rs,
                      int64_t household)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = puan_area_of_household(t, household);
    const struct puan_mark *m = NULL;
    const struct puan_home *h;
    int64_t at = 0;

    if (puan_review_follow(rs, false, NULL) != PUAN_OK)
        return false;
    pthread_mutex_lock(&rs->lock);
    h = puan_review_home(rs, household);
    if (h)
        m = puan_review_mark(rs, h, puan_review_level(rq));
    if (m)
        at = m->at;
    pthread_mutex_unlock(&rs->lock);
    if (!m)
        return false;
    for (; i != PUAN_AREA_NONE; i = t->area[i].parent) {
        struct puan_lot lot;

        if (puan_lot_of(&lot, rq->store, t->area[i].code, rq->arena, NULL) ==
                PUAN_OK &&
            lot.made_ms >= at)
            return true;
    }
    return false;
}

static enum puan_status speak(struct puan_request *rq, const void *in,
                              const char *kind, struct puan_err *err)
{
    struct acting a = { .in = in, .rq = rq, .kind = kind };
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, a.in->household);
    struct puan_review_shard *rs = sh ? puan_review_shard_of(sh) : NULL;
    bool accept = strcmp(kind, "accept") == 0;
    struct puan_str note = { 0 };
    struct puan_act act;
    struct puan_jw *w;
    char subject[24];
    enum puan_status st;

    if (!rs)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    a.level = puan_review_level(rq);
    st = read_findings(&a, sh, &note, err);
    if (st != PUAN_OK)
        return st;
    if (accept && a.open && a.in->reason.n == 0)
        return puan_fail(err, PUAN_EINVAL, "reason",
                         "findings are open: say why the answers stand");
    if (strcmp(kind, "pass") == 0 && rs->rv->up[a.level] < 0)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "no office above this one reviews");
    if (strcmp(kind, "undo") == 0 && lot_rests(rq, rs, a.in->household)) {
        puan_answer_problem(rq, 409, "rested-upon",
                            "the area was accepted as a whole since");
        return PUAN_OK;
    }
    puan_format(subject, sizeof(subject), "%lld", (long long)a.in->household);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = note;
    st = puan_commit(sh, &act, act_body, &a, err);
    if (st == PUAN_ECONFLICT && a.refused) {
        puan_answer_problem(rq, 409, a.refused, a.why);
        return PUAN_OK;
    }
    if (st == PUAN_OK)
        st = puan_review_follow(rs, false, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", a.id);
    puan_jw_kcode(w, "household", a.in->household);
    puan_jw_kint(w, "version", a.in->version);
    puan_jw_ktext(w, "kind", kind);
    if (a.undoes)
        puan_jw_kint(w, "undoes", a.undoes);
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

PUAN_ROUTE(puan_review_post_accept)
{
    return speak(rq, in, "accept", err);
}

PUAN_ROUTE(puan_review_post_pass)
{
    return speak(rq, in, "pass", err);
}

PUAN_ROUTE(puan_review_post_undo)
{
    return speak(rq, in, "undo", err);
}

/* ---- reading ---------------------------------------------------------------------- */

/* The family name of a Chinese name and 某; nothing of what is no name. */
static void mask_person(char *out, size_t cap, struct puan_str person)
{
    struct puan_str rest = person;
    int32_t c = puan_utf8_next(&rest);

    out[0] = '\0';
    if (c >= 0x3400 && (c < 0xA000 || c >= 0x20000))
        puan_format(out, cap, "%.*s某", (int)(person.n - rest.n), person.p);
}

static void person_of(char *out, size_t cap, struct puan_request *rq)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;

    out[0] = '\0';
    if (puan_read_begin(&db, office, NULL) != PUAN_OK)
        return;
    if (puan_sql(&s, db, "SELECT person FROM account WHERE id = $1", NULL) ==
        PUAN_OK) {
        puan_bind_int(s, 1, rq->who.account);
        if (puan_stmt_step(&more, s, NULL) == PUAN_OK && more)
            mask_person(out, cap, puan_col_text(s, 0));
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
}

static void keep_look(struct puan_review *rv, const struct puan_look *mine,
                      bool leave, int64_t real_now)
{
    size_t at, old = 0;

    pthread_mutex_lock(&rv->look_lock);
    for (at = 0; at < rv->n_looks; at++) {
        if (rv->look[at].household == mine->household &&
            rv->look[at].account == mine->account)
            break;
        if (rv->look[at].until < rv->look[old].until)
            old = at;
    }
    if (at == rv->n_looks && rv->n_looks < PUAN_LOOKS &&
        (rv->n_looks == 0 || rv->look[old].until > real_now))
        rv->n_looks++;
    else if (at == rv->n_looks)
        at = old; /* one that is over, else the one nearest to it */
    rv->look[at] = *mine;
    if (leave)
        rv->look[at].until = 0;
    pthread_mutex_unlock(&rv->look_lock);
}

PUAN_ROUTE(puan_review_post_look)
{
    const struct puan_review_act_in *q = in;
    struct puan_review *rv = puan_review_of(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_look mine = { .household = q->household,
                              .account = rq->who.account,
                              .until = rq->real_now + PUAN_LOOK_MS };
    struct puan_ret_head head;
    struct puan_look other;
    struct puan_jw *w;

    if (!puan_ret_head(&head, rq->store, q->household))
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    if (!q->leave) {
        person_of(mine.name, sizeof(mine.name), rq);
        puan_format(mine.role, sizeof(mine.role), "%s", rq->who.role_name);
    }
    keep_look(rv, &mine, q->leave, rq->real_now);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", q->household);
    puan_jw_kint(w, "version", head.version);
    puan_jw_kinstant(w, "until", mine.until, offset);
    if (puan_review_looked(&other, rv, q->household, rq->who.account,
                           rq->real_now)) {
        puan_jw_key(w, "other");
        puan_review_look_json(w, rq->store, &other);
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}
