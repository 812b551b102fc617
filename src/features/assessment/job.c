/*
 * What the system scores by itself: measured items, and vetoes that cases set.
 */
#include "core/area/area.h"
#include "features/assessment/internal.h"
#include "features/cases/cases.h"
#include "kit/os/heap.h"

#define DAY_MS INT64_C(86400000)

/* cases.FLOW.CLOCK.met, cases.FLOW.CLOCK.all */
static bool case_metric(int64_t *v, struct puan_store *st,
                        struct puan_str name, int64_t area)
{
    struct puan_str rest = name, head, flow, clock;
    struct puan_err ignored = { 0 };
    int64_t met, all;

    if (!puan_str_split(&head, &rest, '.') ||
        !puan_str_split(&flow, &rest, '.') ||
        !puan_str_split(&clock, &rest, '.') ||
        puan_case_kept(&met, &all, st, flow, clock, area, &ignored) != PUAN_OK)
        return false;
    *v = puan_str_is(rest, "met") ? met : all;
    return true;
}

static bool metric(int64_t *v, struct puan_store *st, struct puan_str name,
                   int64_t area)
{
    struct puan_err ignored = { 0 };

    *v = INT64_MIN;
    if (puan_str_starts(name, "cases."))
        return case_metric(v, st, name, area);
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++)
            if (puan_str_is(name, puan_features[f]->metrics[i].name))
                return puan_features[f]->metrics[i].read(v, st, area,
                                                         &ignored) == PUAN_OK;
    return false;
}

static enum puan_status write_entry(struct puan_store *st, int64_t area,
                                    const struct puan_score_entry *e,
                                    const char *verb, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_act act = { .actor = PUAN_STR("puan"),
                            .seat = PUAN_STR("system"),
                            .verb = puan_str_of(verb),
                            .subject = e->item };
    struct puan_assess_call call = { st, a, area, *e };

    call.entry.role = PUAN_STR("system");
    call.entry.person = PUAN_STR("puan");
    return puan_assess_write(&act, &call, err);
}

/* Written when there is a new figure and the last is a day old or gives other
 * points. */
static enum puan_status measure(struct puan_store *st, int64_t area,
                                const struct puan_score_entry *e, size_t n,
                                bool cases, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_score_scheme *s = puan_assess_scheme(st);
    int64_t now = puan_store_now(st);

    for (size_t i = 0; i < s->n_items; i++) {
        const struct puan_score_item *it = &s->item[i];
        const struct puan_score_entry *last = NULL;
        struct puan_score_entry x = { .kind = PUAN_SCORE_MEASURED,
                                      .item = it->id,
                                      .total = INT64_MIN,
                                      .day = INT64_MIN,
                                      .until = INT64_MIN };

        for (size_t k = 0; it->measured && k < n; k++)
            if (e[k].kind == PUAN_SCORE_MEASURED &&
                puan_str_eq(e[k].item, it->id))
                last = &e[k];
        if (!it->measured || (!cases && puan_str_starts(it->metric, "cases.")) ||
            (last && now - last->at_ms < DAY_MS) ||
            !metric(&x.count, st, it->metric, area) ||
            (it->total.n > 0 && !metric(&x.total, st, it->total, area)))
            continue;
        if (last != NULL && last->count == x.count && last->total == x.total)
            continue;
        TRY(write_entry(st, area, &x, "assess.measure", a, err));
    }
    return PUAN_OK;
}

static bool known(const struct puan_score_entry *e, size_t n,
                  struct puan_str veto, struct puan_str ref)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_SCORE_VETO && puan_str_eq(e[i].item, veto) &&
            puan_str_eq(e[i].ref, ref))
            return true;
    return false;
}

/* The field has that word, or that text. */
static bool says(const struct puan_flow_run *run, int f, struct puan_str word)
{
    const struct puan_flow_field *x = &run->flow->fields[f];

    if (!run->field[f].set)
        return false;
    if (x->words == NULL)
        return puan_str_eq(run->field[f].text, word);
    for (size_t i = 0; i < x->words->n; i++)
        if (x->words->codes[i].value == run->field[f].v)
            return puan_str_eq(x->words->codes[i].text, word);
    return false;
}

/* Cases of the veto's flow inside the area whose field says so. */
static enum puan_status vetoes(struct puan_store *st, int64_t area,
                               const struct puan_score_veto *v,
                               const struct puan_score_entry *e, size_t n,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_shard *office = puan_store_office(st);
    int64_t id[256];
    size_t found = 0;
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = true;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT id, area FROM case_run WHERE flow = $1 AND drill = 0"
                  " ORDER BY id DESC",
                  err);
    if (rc == PUAN_OK)
        puan_bind_text(s, 1, v->flow);
    while (rc == PUAN_OK && found < PUAN_COUNT(id) &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        if (puan_area_contains_code(t, area, puan_col_int(s, 1)))
            id[found++] = puan_col_int(s, 0);
    puan_stmt_done(s);
    for (size_t i = 0; i < found && rc == PUAN_OK; i++) {
        struct puan_case_row row;
        struct puan_flow_run *run = NULL;
        char ref[32];
        int f;

        rc = puan_case_read(&row, &run, st, db, id[i], a, err);
        if (rc != PUAN_OK)
            break;
        puan_format(ref, sizeof ref, "case/%lld", (long long)id[i]);
        f = puan_flow_field(run->flow, v->field);
        id[i] = f >= 0 && says(run, f, v->value) &&
                        !known(e, n, v->id, puan_str_of(ref))
                    ? id[i]
                    : 0;
    }
    puan_read_end(office, db);
    for (size_t i = 0; i < found && rc == PUAN_OK; i++) {
        struct puan_score_entry x = { .kind = PUAN_SCORE_VETO, .item = v->id,
                                      .count = INT64_MIN, .total = INT64_MIN,
                                      .day = INT64_MIN, .until = INT64_MIN };
        char ref[32];

        if (id[i] == 0)
            continue;
        puan_format(ref, sizeof ref, "case/%lld", (long long)id[i]);
        x.ref = puan_str_of(ref);
        rc = write_entry(st, area, &x, "assess.veto", a, err);
    }
    return rc;
}

/* Cases that stand against full points, entered once each. */
static enum puan_status against(struct puan_store *st, int64_t area,
                                const struct puan_score_entry *e, size_t n,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct puan_score_scheme *s = puan_assess_scheme(st);

    for (size_t i = 0; i < s->n_items; i++)
        PUAN_NODE_EACH(c, s->item[i].none_of) {
            struct puan_case_row row[64];
            size_t found = 0;

            TRY(puan_cases_of(row, &found, PUAN_COUNT(row), st,
                              puan_node_str_opt(c, "flow", ""), area, a, err));
            for (size_t k = 0; k < found; k++) {
                struct puan_score_entry x = { .kind = PUAN_SCORE_AGAINST,
                                              .item = s->item[i].id,
                                              .count = INT64_MIN,
                                              .total = INT64_MIN,
                                              .day = INT64_MIN,
                                              .until = INT64_MIN };
                bool had = false;

                x.ref = puan_str_of(
                    puan_arena_fmt(a, "case/%lld", (long long)row[k].id));
                for (size_t q = 0; q < n; q++)
                    had = had || (e[q].kind == PUAN_SCORE_AGAINST &&
                                  puan_str_eq(e[q].item, x.item) &&
                                  puan_str_eq(e[q].ref, x.ref));
                if (!had && puan_score_scheme_against(s, i, row[k].flow,
                                                      row[k].state))
                    TRY(write_entry(st, area, &x, "assess.against", a, err));
            }
        }
    return PUAN_OK;
}

static enum puan_status office_of(struct puan_store *st, int64_t area,
                                  bool cases, struct puan_arena *a,
                                  struct puan_err *err)
{
    const struct puan_score_scheme *s = puan_assess_scheme(st);
    struct puan_shard *office = puan_store_office(st);
    struct puan_score_entry *e = NULL;
    struct puan_db *db = NULL;
    bool published = false;
    size_t n = 0;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_assess_read(&e, &n, puan_store_plan(st), db, area, a, err);
    puan_read_end(office, db);
    TRY(rc);
    for (size_t i = 0; i < n; i++)
        published = published || e[i].kind == PUAN_SCORE_PUBLISH;
    if (!published)
        TRY(measure(st, area, e, n, cases, a, err));
    for (size_t v = 0; v < s->n_vetoes; v++)
        if (s->veto[v].flow.n > 0 && s->veto[v].field.n > 0)
            TRY(vetoes(st, area, &s->veto[v], e, n, a, err));
    return against(st, area, e, n, a, err);
}

enum puan_status puan_assess_job(struct puan_store *st, struct puan_err *err)
{
    const struct puan_score_scheme *s = puan_assess_scheme(st);
    const struct puan_area_tree *t = puan_store_areas(st);
    int level = s && t ? puan_area_level_of(t, s->level) : -1;
    bool cases = puan_assess_cases_due(st);
    enum puan_status rc = PUAN_OK;

    for (uint32_t k = 0; level >= 0 && rc == PUAN_OK && k < t->n; k++) {
        struct puan_arena own;

        if (t->area[k].level != (uint8_t)level)
            continue;
        puan_arena_init(&own, &puan_heap);
        rc = office_of(st, t->area[k].code, cases, &own, err);
        puan_arena_clear(&own);
    }
    return rc;
}
