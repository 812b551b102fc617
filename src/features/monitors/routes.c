/*
 * The risk board: kinds of risk, who watches them, what is raised where, and
 * the line each monitor has drawn.
 */
#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/monitors/internal.h"
#include "kit/http/http.h"

#define ALARMS_SHOWN 50 /* of one monitor, worst first; the count is of all */

struct area_in {
    int64_t area;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 1, INT64_MAX,
      true },
};
struct line_in {
    int64_t area;
    struct puan_str id;
};
static const struct puan_param line_params[] = {
    { "id", PUAN_PARAM_TEXT, offsetof(struct line_in, id), 1, 64, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct line_in, area), 1, INT64_MAX,
      true },
};

/* ---- alarms ------------------------------------------------------------------ */

struct alarm {
    size_t monitor;
    int level;
    int64_t area, value, since, run;
};
struct alarms {
    struct alarm *at;
    size_t n;
};

static int worse(const struct alarm *a, const struct alarm *b)
{
    return a->level != b->level ? a->level > b->level : a->since < b->since;
}

/* Those raised inside the area, worst first. */
static enum puan_status read_alarms(struct alarms *out,
                                    const struct monitors *ms,
                                    struct puan_request *rq,
                                    struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    size_t cap = 0;
    enum puan_status rc;

    *out = (struct alarms){ 0 };
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT monitor, area, level, value, since, run FROM"
                  " monitor_state WHERE level > 0 ORDER BY monitor, area",
                  err);
    while (rc == PUAN_OK &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct alarm x = { .level = (int)puan_col_int(s, 2),
                           .area = puan_col_int(s, 1),
                           .value = puan_col_int(s, 3),
                           .since = puan_col_int(s, 4),
                           .run = puan_col_int(s, 5) };
        size_t i = 0, k;

        while (i < ms->of->n && !puan_str_eq(ms->of->list[i].label.name,
                                             puan_col_text(s, 0)))
            i++;
        if (i == ms->of->n || x.level > PUAN_MONITOR_LEVELS ||
            !puan_area_contains_code(t, rq->area, x.area))
            continue;
        x.monitor = i;
        if (out->n == cap) {
            struct alarm *p;

            cap = cap ? cap * 2 : 64;
            p = puan_new_n(rq->arena, cap, struct alarm);
            if (p == NULL) {
                rc = puan_arena_check(rq->arena, err);
                break;
            }
            if (out->n > 0)
                memcpy(p, out->at, out->n * sizeof *p);
            out->at = p;
        }
        for (k = out->n++; k > 0 && worse(&x, &out->at[k - 1]); k--)
            out->at[k] = out->at[k - 1];
        out->at[k] = x;
    }
    if (s != NULL)
        puan_stmt_done(s);
    puan_read_end(office, db);
    return rc;
}

static void put_area(struct puan_jw *w, const struct puan_area_tree *t,
                     int64_t area)
{
    uint32_t i = puan_area_find(t, area);

    if (i == PUAN_AREA_NONE) {
        puan_jw_kcode(w, "area", area);
        return;
    }
    puan_jw_kstr(w, "area", t->area[i].digits);
    puan_jw_kstr(w, "area_zh", t->area[i].zh);
    puan_jw_kstr(w, "area_en", t->area[i].en);
}

static void put_alarm(struct puan_jw *w, struct puan_request *rq,
                      const struct alarm *x)
{
    puan_jw_map(w);
    put_area(w, puan_store_areas(rq->store), x->area);
    puan_jw_ktext(w, "raised", puan_risk_level(x->level));
    puan_jw_kint(w, "value", x->value);
    puan_jw_kinstant(w, "since", x->since,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kint(w, "case", x->run);
    puan_jw_end(w, '}');
}

/* ---- one monitor ---------------------------------------------------------------- */

/*
 * How the watch itself goes: "never" nobody has looked, "silent" nobody has
 * looked for three times as long as was to be, "unread" it could not be read
 * somewhere, "absent" there is nothing to count yet, "reads".
 */
static const char *watch_state(struct monitors *ms, size_t i, int64_t now,
                               int64_t *areas)
{
    const struct puan_monitor *m = &ms->of->list[i];
    bool unread = false, absent = true;

    *areas = 0;
    for (size_t k = 0; k < PUAN_SEEN_SLOTS; k++)
        for (const struct puan_seen *s = ms->seen[k]; s != NULL; s = s->next)
            if (s->monitor == i) {
                ++*areas;
                unread = unread || (!s->known && !s->absent);
                absent = absent && s->absent;
            }
    if (ms->looked[i] == 0)
        return "never";
    if (now - ms->looked[i] > 3 * m->every_ms &&
        puan_real_now() - ms->looked_real[i] > 60000)
        return "silent";
    return unread ? "unread" : absent ? "absent" : "reads";
}

/*
 * What the monitor saw that says most of an area: of the area itself, of the
 * whole where it is judged as a whole, else where inside it the value is
 * highest.
 */
static const struct puan_seen *telling(struct monitors *ms, size_t i,
                                       const struct puan_area_tree *t,
                                       int64_t area)
{
    const struct puan_seen *best = puan_seen_of(ms, i, area, false);
    bool whole = ms->of->list[i].level.n == 0;

    for (size_t k = 0; best == NULL && k < PUAN_SEEN_SLOTS; k++)
        for (const struct puan_seen *s = ms->seen[k]; s != NULL; s = s->next)
            if (s->monitor == i && whole)
                return s;
    if (best != NULL || whole)
        return best;
    for (size_t k = 0; k < PUAN_SEEN_SLOTS; k++)
        for (const struct puan_seen *s = ms->seen[k]; s != NULL; s = s->next)
            if (s->monitor == i && puan_area_contains_code(t, area, s->area) &&
                (best == NULL || (s->known && !best->known) ||
                 (s->known == best->known && s->value > best->value)))
                best = s;
    return best;
}

static void put_span(struct puan_jw *w, const char *key, int64_t ms)
{
    puan_jw_kint(w, key, ms / 60000);
}

static void put_monitor(struct puan_jw *w, struct puan_request *rq,
                        struct monitors *ms, size_t i,
                        const struct alarms *alarms)
{
    const struct puan_monitor *m = &ms->of->list[i];
    const struct puan_seen *seen =
        telling(ms, i, puan_store_areas(rq->store), rq->area);
    int64_t areas, n = 0;
    const char *state = watch_state(ms, i, rq->now, &areas);

    puan_jw_map(w);
    puan_jw_kstr(w, "id", m->label.name);
    puan_jw_kstr(w, "zh", m->label.zh);
    puan_jw_kstr(w, "en", m->label.en);
    puan_jw_kstr(w, "risk", m->risk);
    puan_jw_ktext(w, "what", puan_watch_what(m));
    puan_jw_ktext(w, "unit",
                  m->kind == PUAN_WATCH_METRIC ? m->metric->unit
                                               : puan_watch_what(m));
    puan_jw_kstr(w, "level", m->level);
    put_span(w, "every", m->every_ms);
    put_span(w, "hold", m->hold_ms);
    put_span(w, "quiet", m->quiet_ms);
    puan_jw_kstr(w, "opens", m->opens->label.name);
    puan_jw_kstr(w, "opens_zh", m->opens->label.zh);
    puan_jw_kstr(w, "opens_en", m->opens->label.en);
    puan_jw_key(w, "levels");
    puan_jw_list(w);
    for (size_t k = 0; k < m->n_levels; k++) {
        puan_jw_map(w);
        puan_jw_ktext(w, "raise", puan_risk_level(m->at[k].raise));
        puan_jw_kstr(w, "when", m->at[k].text);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_ktext(w, "state", state);
    puan_jw_kint(w, "areas", areas);
    if (ms->looked[i] != 0)
        puan_jw_kinstant(w, "looked", ms->looked[i],
                         puan_store_plan(rq->store)->offset_minutes);
    if (seen != NULL && seen->known) {
        puan_jw_kint(w, "value", seen->value);
        if (seen->total_known)
            puan_jw_kint(w, "total", seen->total);
        puan_jw_key(w, "at");
        puan_jw_map(w);
        put_area(w, puan_store_areas(rq->store), seen->area);
        puan_jw_end(w, '}');
    }
    puan_jw_key(w, "alarms");
    puan_jw_list(w);
    for (size_t k = 0; k < alarms->n; k++)
        if (alarms->at[k].monitor == i && n++ < ALARMS_SHOWN)
            put_alarm(w, rq, &alarms->at[k]);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "raised", n);
    puan_jw_end(w, '}');
}

/* ---- requests ----------------------------------------------------------------------- */

/* Every monitor, and the alarms raised inside the area. */
static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    struct monitors *ms = puan_store_state(rq->store, &puan_feature_monitors);
    struct alarms alarms = { 0 };
    struct puan_jw *w;

    (void)v;
    if (ms != NULL)
        TRY(read_alarms(&alarms, ms, rq, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_key(w, "monitors");
    puan_jw_list(w);
    if (ms != NULL) {
        pthread_mutex_lock(&ms->lock);
        for (size_t i = 0; i < ms->of->n; i++)
            put_monitor(w, rq, ms, i, &alarms);
        pthread_mutex_unlock(&ms->lock);
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "alarms");
    puan_jw_list(w);
    for (size_t i = 0; i < alarms.n; i++) {
        const struct puan_monitor *m = &ms->of->list[alarms.at[i].monitor];

        puan_jw_map(w);
        puan_jw_kstr(w, "monitor", m->label.name);
        put_area(w, puan_store_areas(rq->store), alarms.at[i].area);
        puan_jw_ktext(w, "raised", puan_risk_level(alarms.at[i].level));
        puan_jw_kint(w, "value", alarms.at[i].value);
        puan_jw_kinstant(w, "since", alarms.at[i].since,
                         puan_store_plan(rq->store)->offset_minutes);
        puan_jw_kint(w, "case", alarms.at[i].run);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* The kinds of every pack; one named by several counts once, the first's. */
static void put_kinds(struct puan_jw *w, struct puan_request *rq,
                      struct monitors *ms, const struct alarms *alarms)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_node *done[64];
    size_t n_done = 0;

    for (size_t p = 0; p < plan->n_packs; p++)
        for (size_t f = 0; f < plan->pack[p].n_files; f++) {
            const struct puan_plan_file *file = &plan->pack[p].file[f];

            if (!puan_str_is(file->path, "risks.yaml") || file->tree == NULL)
                continue;
            PUAN_NODE_EACH(c, puan_node_get(file->tree, "risks")) {
                bool again = n_done == PUAN_COUNT(done);
                int level = 0;

                for (size_t i = 0; i < n_done; i++)
                    again = again || puan_str_eq(done[i]->key, c->key);
                if (again)
                    continue;
                done[n_done++] = c;
                puan_jw_map(w);
                puan_jw_kstr(w, "risk", c->key);
                puan_jw_kstr(w, "zh", puan_node_str_opt(c, "zh", ""));
                puan_jw_kstr(w, "en", puan_node_str_opt(c, "en", ""));
                for (size_t i = 0; i < alarms->n; i++)
                    if (alarms->at[i].level > level &&
                        puan_str_eq(
                            ms->of->list[alarms->at[i].monitor].risk, c->key))
                        level = alarms->at[i].level;
                puan_jw_ktext(w, "level", puan_risk_level(level));
                puan_jw_key(w, "monitors");
                puan_jw_list(w);
                for (size_t i = 0; i < ms->of->n; i++)
                    if (puan_str_eq(ms->of->list[i].risk, c->key))
                        put_monitor(w, rq, ms, i, alarms);
                puan_jw_end(w, ']');
                puan_jw_end(w, '}');
            }
        }
}

static enum puan_status board(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    struct monitors *ms = puan_store_state(rq->store, &puan_feature_monitors);
    struct alarms alarms = { 0 };
    struct puan_jw *w;

    (void)v;
    if (ms != NULL)
        TRY(read_alarms(&alarms, ms, rq, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    put_area(w, puan_store_areas(rq->store), rq->area);
    puan_jw_key(w, "kinds");
    puan_jw_list(w);
    if (ms != NULL) {
        pthread_mutex_lock(&ms->lock);
        put_kinds(w, rq, ms, &alarms);
        pthread_mutex_unlock(&ms->lock);
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* What a monitor has seen of one area, from the first look on. */
static enum puan_status line(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    struct monitors *ms = puan_store_state(rq->store, &puan_feature_monitors);
    const struct line_in *in = v;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    const struct puan_seen *s;
    struct puan_jw *w;
    size_t at = 0;

    while (ms != NULL && at < ms->of->n &&
           !puan_str_eq(ms->of->list[at].label.name, in->id))
        at++;
    if (ms == NULL || at == ms->of->n)
        return puan_fail(err, PUAN_ENOTFOUND, "monitor",
                         "the plan has no monitor \"%.*s\"", PUAN_FMT(in->id));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    pthread_mutex_lock(&ms->lock);
    s = telling(ms, at, puan_store_areas(rq->store), rq->area);
    if (s != NULL)
        put_area(w, puan_store_areas(rq->store), s->area);
    puan_jw_key(w, "points");
    puan_jw_list(w);
    for (size_t i = 0; s != NULL && i < s->line.n; i++) {
        puan_jw_map(w);
        puan_jw_kinstant(w, "at", s->line.point[i].at, offset);
        if (s->line.point[i].known)
            puan_jw_kint(w, "value", s->line.point[i].value);
        puan_jw_ktext(w, "level", puan_risk_level(s->line.point[i].level));
        puan_jw_end(w, '}');
    }
    pthread_mutex_unlock(&ms->lock);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

const struct puan_route puan_monitor_routes[PUAN_MONITOR_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/monitors",
      .capability = "monitor.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Monitors, and the alarms of an area", .handle = list,
      PUAN_PARAMS(area_params, struct area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/risks",
      .capability = "monitor.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "The kinds of risk of an area, with who watches them",
      .handle = board, PUAN_PARAMS(area_params, struct area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/monitors/{id}/line",
      .capability = "monitor.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "What a monitor has seen of an area over time",
      .handle = line, PUAN_PARAMS(line_params, struct line_in) },
};
