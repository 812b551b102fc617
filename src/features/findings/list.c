/*
 * GET findings: the figures.  GET findings/households: whose they are, by
 * number; no name and no answer is in any of it.
 */
#include "features/findings/internal.h"

#include <stdlib.h>

#include "base/calendar.h"

#define PAGE 50
#define SHOWN_RULES 4

/* The level of a seat's area; for area 0 that of the returns stores. */
static unsigned level_of(const struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t i = puan_area_find(t, rq->who.area);
    int level = i == PUAN_AREA_NONE
                    ? -1
                    : puan_plan_level(plan, t->level[t->area[i].level].name);

    return level < 0 ? (unsigned)plan->shard_level : (unsigned)level;
}

/* Households are for the offices that have the returns stores. */
static bool may_list(const struct puan_request *rq)
{
    return level_of(rq) >= (unsigned)puan_store_plan(rq->store)->shard_level;
}

static void put_states(struct puan_jw *w, const int64_t n[PUAN_FINDING_STATES])
{
    for (int s = 0; s < PUAN_FINDING_STATES; s++)
        puan_jw_kint(w, puan_finding_state_name((enum puan_finding_state)s),
                     n[s]);
}

static void put_info(struct puan_jw *w, const struct puan_rule_info *info)
{
    puan_jw_kstr(w, "id", info->id);
    puan_jw_ktext(w, "severity", info->severity == PUAN_HARD ? "hard" : "soft");
    puan_jw_kstr(w, "zh", info->zh);
    puan_jw_kstr(w, "en", info->en);
}

static void put_rule(struct puan_jw *w, const struct puan_findings_choice *c,
                     const struct puan_plan *plan,
                     const struct puan_finding_rule *r, size_t n_areas)
{
    const struct puan_rule_info *info =
        puan_ruleset_info(c->rules[r->form], r->rule);
    const struct puan_form *form = plan->form[r->form];

    puan_jw_map(w);
    put_info(w, info);
    puan_jw_kstr(w, "form", form->id);
    puan_jw_kstr(w, "entity", form->entity[info->entity].name);
    puan_jw_key(w, "findings");
    puan_jw_map(w);
    put_states(w, (const int64_t[]){ r->t.open, r->t.settled, r->t.corrected });
    puan_jw_end(w, '}');
    puan_jw_key(w, "households");
    puan_jw_map(w);
    put_states(w, (const int64_t[]){ r->t.homes_open, r->t.homes_settled,
                                     r->t.homes_corrected });
    puan_jw_end(w, '}');
    puan_jw_key(w, "by");
    puan_jw_list(w);
    for (size_t i = 0; i < n_areas; i++)
        puan_jw_int(w, r->by[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* In the order of `forms`. */
static bool has_rules(const struct puan_findings_choice *c, size_t form)
{
    return c->rules[form] && puan_ruleset_count(c->rules[form]) > 0;
}

static void put_areas(struct puan_jw *w, const struct puan_findings_choice *c,
                      const struct puan_area_tree *t,
                      const struct puan_findings_count *sum)
{
    puan_jw_key(w, "areas");
    puan_jw_list(w);
    for (size_t i = 0; i < sum->n_areas; i++) {
        const struct puan_finding_area *x = &sum->area[i];
        const struct puan_area *a = &t->area[x->at];

        puan_jw_map(w);
        puan_jw_kstr(w, "code", a->digits);
        puan_jw_kstr(w, "zh", a->zh);
        puan_jw_kstr(w, "en", a->en);
        puan_jw_kstr(w, "level", t->level[a->level].name);
        puan_jw_kint(w, "returns", x->returns);
        puan_jw_key(w, "of");
        puan_jw_list(w);
        for (size_t f = 0; f < c->n_forms; f++)
            if (has_rules(c, f))
                puan_jw_int(w, x->of[f]);
        puan_jw_end(w, ']');
        put_states(w, x->homes);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

enum puan_status puan_findings_get(struct puan_request *rq, const void *in,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_findings_choice c;
    struct puan_findings_count sum;
    struct puan_jw *w;
    enum puan_status st =
        puan_findings_choose(&c, rq->store, rq->area, in, rq->arena, err);

    if (st == PUAN_OK)
        st = puan_findings_add_up(&sum, &c, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_partial_json(w, &c.cov);
    puan_jw_kbool(w, "listed", may_list(rq));
    puan_jw_ktext(w, "state", puan_finding_state_name(c.state));
    puan_jw_kint(w, "returns", sum.base);
    puan_jw_key(w, "forms");
    puan_jw_list(w);
    for (size_t f = 0; f < c.n_forms; f++) {
        if (!has_rules(&c, f))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "form", plan->form[f]->id);
        puan_jw_kstr(w, "zh", plan->form[f]->zh);
        puan_jw_kstr(w, "en", plan->form[f]->en);
        puan_jw_kint(w, "returns", sum.returns[f]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "findings");
    puan_jw_map(w);
    put_states(w, sum.findings);
    puan_jw_end(w, '}');
    puan_jw_key(w, "households");
    puan_jw_map(w);
    put_states(w, sum.homes);
    puan_jw_end(w, '}');
    put_areas(w, &c, puan_store_areas(rq->store), &sum);
    puan_jw_key(w, "rules");
    puan_jw_list(w);
    for (size_t i = 0; i < sum.n_rules; i++)
        put_rule(w, &c, plan, &sum.rule[i], sum.n_areas);
    puan_jw_end(w, ']');
    puan_jw_key(w, "days");
    puan_jw_list(w);
    for (size_t i = 0; i < sum.n_days; i++) {
        char day[11];

        puan_day_text(day, sum.day[i].day);
        puan_jw_map(w);
        puan_jw_ktext(w, "day", day);
        puan_jw_kint(w, "found", sum.day[i].found);
        puan_jw_kint(w, "corrected", sum.day[i].corrected);
        puan_jw_kint(w, "confirmed", sum.day[i].settled);
        puan_jw_kint(w, "open", sum.day[i].open);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- whose they are --------------------------------------------------------- */

struct row {
    int64_t household, n[PUAN_FINDING_STATES];
    const struct puan_rule_info *rule[SHOWN_RULES];
    size_t n_rules; /* in the chosen state; may be more than are shown */
    int32_t day;
    uint16_t version;
    uint8_t form;
};
struct taking {
    struct puan_findings_choice *c;
    struct row *row;
    size_t n, cap;
    bool failed;
};

static void take(void *arg, const struct puan_finding_shard *fs,
                 const struct puan_finding_home *h)
{
    struct taking *k = arg;
    struct puan_findings_choice *c = k->c;
    struct row r = { .household = h->household, .day = h->day,
                     .version = h->version, .form = h->form };

    puan_finding_count(r.n, c, fs, h);
    if (r.n[c->state] == 0 || k->failed)
        return;
    for (uint32_t i = h->last; i; i = fs->change[i - 1].before) {
        const struct puan_change *x = &fs->change[i - 1];

        if (!x->last || !c->fits[x->form][x->rule] ||
            puan_change_in(x, c->state) == 0)
            continue;
        if (r.n_rules < SHOWN_RULES)
            r.rule[r.n_rules] = puan_ruleset_info(c->rules[x->form], x->rule);
        r.n_rules++;
    }
    if (k->n == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 256;
        struct row *grown = realloc(k->row, cap * sizeof(*grown));

        if (!grown) {
            k->failed = true;
            return;
        }
        k->row = grown;
        k->cap = cap;
    }
    k->row[k->n++] = r;
}

static int by_household(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->household > y->household) - (x->household < y->household);
}

static void put_row(struct puan_jw *w, struct puan_request *rq,
                    const struct row *r)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t ea = puan_area_of_household(t, r->household);
    char day[11];

    puan_day_text(day, r->day);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", r->household);
    if (ea != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "ea", t->area[ea].digits);
        puan_jw_kstr(w, "ea_zh", t->area[ea].zh);
        puan_jw_kstr(w, "ea_en", t->area[ea].en);
    }
    puan_jw_kstr(w, "form", plan->form[r->form]->id);
    puan_jw_kint(w, "version", r->version);
    puan_jw_ktext(w, "day", day);
    put_states(w, r->n);
    puan_jw_kint(w, "more",
                 r->n_rules > SHOWN_RULES ? (int64_t)(r->n_rules - SHOWN_RULES)
                                          : 0);
    puan_jw_key(w, "rules");
    puan_jw_list(w);
    for (size_t i = 0; i < r->n_rules && i < SHOWN_RULES; i++) {
        puan_jw_map(w);
        put_info(w, r->rule[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

enum puan_status puan_findings_households(struct puan_request *rq,
                                          const void *in,
                                          struct puan_err *err)
{
    const struct puan_findings_in *q = in;
    struct puan_findings_choice c;
    struct taking k = { .c = &c };
    size_t page = q->page > 0 ? (size_t)q->page : 1;
    struct puan_jw *w;
    enum puan_status st;

    st = puan_findings_choose(&c, rq->store, rq->area, q, rq->arena, err);
    if (st == PUAN_OK && may_list(rq))
        st = puan_findings_each(&c, NULL, take, &k, err);
    if (st == PUAN_OK && k.failed)
        st = puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    if (st != PUAN_OK) {
        free(k.row);
        return st;
    }
    if (k.n > 1)
        qsort(k.row, k.n, sizeof(*k.row), by_household);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_partial_json(w, &c.cov);
    puan_jw_kbool(w, "listed", may_list(rq));
    if (may_list(rq)) /* else not known to this seat, which is no zero */
        puan_jw_kint(w, "total", (int64_t)k.n);
    puan_jw_kint(w, "page", (int64_t)page);
    puan_jw_kint(w, "pages", (int64_t)((k.n + PAGE - 1) / PAGE));
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = (page - 1) * PAGE; i < page * PAGE && i < k.n; i++)
        put_row(w, rq, &k.row[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    free(k.row);
    return PUAN_OK;
}
