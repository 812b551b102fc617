/*
 * The localiser of a form, and the search for the least set of answers.
 */
#include "core/edit/localise.h"

#include "base/arena.h"
#include "core/codes/codes.h"
#include "core/edit/hitting.h"
#include "core/edit/open.h"
#include "core/form/scheme.h"

/* ---- the localiser ---- */

static void code_domain(struct puan_open_item *o, const struct puan_codelist *l)
{
    o->codes = l;
    if (l->n) {
        o->lo = l->codes[0].value;
        o->hi = l->codes[l->n - 1].value;
    }
}

/* Numbers that so many characters of an alphabet can write. */
static int64_t most_written(size_t letters, unsigned length)
{
    int64_t n = 1;

    for (unsigned i = 0; i < length; i++)
        if (__builtin_mul_overflow(n, (int64_t)letters, &n))
            return INT64_MAX;
    return n - 1;
}

/* Values a good text's facts can have. */
static void fact_domain(struct puan_open_item *o, const struct puan_form *f,
                        const struct puan_item *it, const struct puan_item *of)
{
    int64_t month =
        f->reference_month ? f->reference_month : (int64_t)2200 * 12;
    const struct puan_scheme_part *part;

    switch (it->fact) {
    case PUAN_FACT_ID_CHECK:
    case PUAN_FACT_NAME_CLASS:
    case PUAN_FACT_PHONE_CLASS:
    case PUAN_FACT_NUMBER_CHECK:
    case PUAN_FACT_NONE:
        o->lo = o->hi = 0; /* nothing wrong with it */
        break;
    case PUAN_FACT_ID_MONTH:
        o->lo = (int64_t)1800 * 12;
        o->hi = month - 1;
        break;
    case PUAN_FACT_ID_SEX:
        o->lo = 1;
        o->hi = 2;
        break;
    case PUAN_FACT_ID_REGION:
        o->lo = 0;
        o->hi = 999999;
        break;
    case PUAN_FACT_NAME_LENGTH:
        o->lo = 1;
        o->hi = 100;
        break;
    case PUAN_FACT_WORD:
        code_domain(o, of->words);
        o->codes = NULL; /* or none of them, 0 */
        o->lo = 0;
        break;
    case PUAN_FACT_NUMBER_PART:
        part = &of->scheme->part[it->part];
        o->lo = 0;
        o->hi = part->digits
                    ? most_written(10, part->length)
                    : most_written(of->scheme->alphabet.n, part->length);
        if (part->codes)
            code_domain(o, part->codes);
        break;
    }
}

static void domain(struct puan_open_item *o, const struct puan_form *f,
                   const struct puan_item *it, const struct puan_item *of)
{
    o->lo = it->min;
    o->hi = it->max;
    switch (it->type) {
    case PUAN_TYPE_CODE:
        code_domain(o, it->codes);
        break;
    case PUAN_TYPE_AREA:
        o->hi = 1;
        for (unsigned d = 0; d < it->digits; d++)
            o->hi *= 10;
        o->lo = o->hi / 10;
        o->hi--;
        break;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        o->text = true;
        o->lo = o->hi = 0;
        break;
    case PUAN_TYPE_FACT:
        fact_domain(o, f, it, of);
        break;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
        break;
    }
}

static enum puan_status facts_of(struct puan_open_item *o,
                                 const struct puan_entity *e, uint16_t item,
                                 struct puan_arena *a)
{
    uint16_t *list = puan_new_n(a, (size_t)(e->n_items - e->n_asked), uint16_t);

    if (!list)
        return PUAN_ENOMEM;
    o->fact = list;
    for (uint16_t i = e->n_asked; i < e->n_items; i++)
        if (e->items[i].fact_of == item)
            list[o->n_facts++] = i;
    return PUAN_OK;
}

static enum puan_status items_of(struct puan_localiser *l, uint16_t e,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_entity *ent = &l->form->entity[e];

    l->item[e] = puan_new_n(a, ent->n_items, struct puan_open_item);
    l->asked[e] = puan_new_n(a, ent->n_items, struct puan_may_asked);
    l->asked_read[e] = puan_new_n(a, ent->n_items, struct puan_may_read *);
    l->n_asked_read[e] = puan_new_n(a, ent->n_items, size_t);
    if (a->failed)
        return puan_arena_check(a, err);
    for (uint16_t i = 0; i < ent->n_items; i++) {
        const struct puan_item *it = &ent->items[i];
        struct puan_open_item *o = &l->item[e][i];
        struct puan_may_asked *q = &l->asked[e][i];
        enum puan_status st = PUAN_OK;

        o->owner = it->fact_of >= 0 ? (uint16_t)it->fact_of : i;
        o->answer = it->from == PUAN_FROM_ANSWER && it->fact_of < 0;
        o->weight = !o->answer ? 0 : it->zone == PUAN_ZONE_FRAME ? 1 : 2;
        domain(o, l->form, it, &ent->items[o->owner]);
        if (!o->answer)
            continue;
        q->required = it->required;
        if (l->routing)
            q->when = puan_routing_when(l->routing, e, i, &q->required);
        else
            q->required = true; /* an empty cell is MISSING */
        if (facts_of(o, ent, i, a) != PUAN_OK)
            return puan_arena_check(a, err);
        o->may_empty = o->n_facts == 0 &&
                       (l->routing ? !q->required || q->when : !it->required);
        if (q->when)
            st = puan_may_expr_reads(&l->asked_read[e][i],
                                     &l->n_asked_read[e][i], q->when, a, err);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

/* Bits by item: 1 own row, 2 all rows. */
struct read_marks {
    uint8_t *of[PUAN_FORM_ENTITIES];
};

/* The routing of what is read is read, too; again until nothing is new. */
static void follow(struct read_marks *s, const struct puan_localiser *l)
{
    bool more = true;

    while (more) {
        more = false;
        for (uint16_t e = 0; e < l->form->n_entities; e++)
            for (uint16_t i = 0; i < l->form->entity[e].n_items; i++)
                for (size_t k = 0; s->of[e][i] && k < l->n_asked_read[e][i];
                     k++) {
                    struct puan_may_read r = l->asked_read[e][i][k];
                    uint8_t bits = r.all ? 2 : r.entity == e ? s->of[e][i] : 1;

                    more |= (s->of[r.entity][r.item] | bits) !=
                            s->of[r.entity][r.item];
                    s->of[r.entity][r.item] |= bits;
                }
    }
}

static enum puan_status follow_reads(struct puan_may_read **out, size_t *n,
                                     const struct puan_localiser *l,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct read_marks s;
    size_t count = 0;

    for (uint16_t e = 0; e < l->form->n_entities; e++)
        s.of[e] = puan_new_n(a, l->form->entity[e].n_items, uint8_t);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < *n; i++)
        s.of[(*out)[i].entity][(*out)[i].item] |= (*out)[i].all ? 2 : 1;
    follow(&s, l);
    for (uint16_t e = 0; e < l->form->n_entities; e++)
        for (uint16_t i = 0; i < l->form->entity[e].n_items; i++)
            count += s.of[e][i] != 0;
    *out = puan_new_n(a, count, struct puan_may_read);
    if (!*out)
        return puan_arena_check(a, err);
    *n = 0;
    for (uint16_t e = 0; e < l->form->n_entities; e++)
        for (uint16_t i = 0; i < l->form->entity[e].n_items; i++)
            if (s.of[e][i])
                (*out)[(*n)++] =
                    (struct puan_may_read){ e, i, (s.of[e][i] & 2) != 0 };
    return PUAN_OK;
}

static enum puan_status rules_of(struct puan_localiser *l, struct puan_arena *a,
                                 struct puan_err *err)
{
    size_t n = puan_ruleset_count(l->rs);

    l->rule = puan_new_n(a, n, struct puan_open_rule);
    if (!l->rule)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++) {
        const struct puan_rule_info *info = puan_ruleset_info(l->rs, i);
        struct puan_open_rule *q = &l->rule[l->n_rules];
        struct puan_may_read *read;
        enum puan_status st;

        if (info->severity != PUAN_HARD)
            continue;
        q->rule = (uint16_t)i;
        q->entity = info->entity;
        st = puan_may_rule_reads(&read, &q->n_reads, l->rs, i, a, err);
        if (st == PUAN_OK)
            st = follow_reads(&read, &q->n_reads, l, a, err);
        if (st != PUAN_OK)
            return st;
        q->read = read;
        l->n_rules++;
    }
    return PUAN_OK;
}

enum puan_status puan_localiser_open(struct puan_localiser **out,
                                     const struct puan_ruleset *rs,
                                     const struct puan_routing *routing,
                                     const struct puan_form *form,
                                     const struct puan_localise_weight *weight,
                                     size_t n, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_localiser *l = puan_new(a, struct puan_localiser);
    enum puan_status st = puan_arena_check(a, err);

    if (st != PUAN_OK || !l)
        return st;
    l->form = form;
    l->rs = rs;
    l->routing = routing;
    for (uint16_t e = 0; e < form->n_entities && st == PUAN_OK; e++)
        st = items_of(l, e, a, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_open_item *o = &l->item[weight[i].entity][weight[i].item];
        struct puan_str name =
            form->entity[weight[i].entity].items[weight[i].item].name;

        if (!o->answer)
            st = puan_fail(err, PUAN_EINVAL, "weights",
                           "%.*s is no answer: it cannot be changed",
                           PUAN_FMT(name));
        o->weight = weight[i].weight;
    }
    if (st == PUAN_OK)
        st = rules_of(l, a, err);
    *out = l;
    return st;
}

/* ---- the least set ---- */

struct least {
    struct puan_open *o;
    const struct puan_localiser *l;
    struct puan_arena *a;
    struct puan_err *err;
    uint64_t seed;
    /* units that stand in conflicts, by the number they have there */
    uint32_t *thing, *of_unit, things;
    int64_t *cost;
    struct puan_hitting_set *set;
    size_t n_sets, cap_sets;
    uint64_t hitting_budget;
};

#define TIE_BITS 24

/* Costs compare by weight first; the rest decides among equal weights. */
static int64_t cost_of(const struct least *s, uint32_t unit)
{
    struct puan_cell at = s->o->at[unit];
    int64_t w = s->l->item[at.entity][at.item].weight;
    uint64_t x = s->seed * 0x9e3779b97f4a7c15u;

    if (s->seed == 0)
        return w << TIE_BITS;
    x ^= (uint64_t)unit * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 29) * 0x94d049bb133111ebu;
    return (w << TIE_BITS) + (int64_t)(x >> 48);
}

static enum puan_status add_set(struct least *s, const uint64_t *set)
{
    uint32_t n = 0, *list;

    if (s->n_sets == s->cap_sets) {
        size_t cap = s->cap_sets ? s->cap_sets * 2 : 32;
        struct puan_hitting_set *more =
            puan_new_n(s->a, cap, struct puan_hitting_set);

        if (!more)
            return puan_arena_check(s->a, s->err);
        if (s->n_sets)
            memcpy(more, s->set, s->n_sets * sizeof(*more));
        s->set = more;
        s->cap_sets = cap;
    }
    for (size_t w = 0; w < s->o->n_words; w++)
        n += (uint32_t)__builtin_popcountll(set[w]);
    list = puan_new_n(s->a, n, uint32_t);
    if (!list)
        return puan_arena_check(s->a, s->err);
    n = 0;
    for (uint32_t u = 0; u < s->o->n_cells; u++) {
        if (!puan_set_has(set, u))
            continue;
        if (s->of_unit[u] == 0) {
            s->thing[s->things] = u;
            s->cost[s->things] = cost_of(s, u);
            s->of_unit[u] = ++s->things;
        }
        list[n++] = s->of_unit[u] - 1;
    }
    s->set[s->n_sets++] = (struct puan_hitting_set){ list, n };
    return PUAN_OK;
}

/* What fails in the return as it is. */
static enum puan_status first_conflicts(struct least *s, uint32_t *failing)
{
    struct puan_open *o = s->o;
    uint64_t *set = puan_new_n(s->a, o->n_words, uint64_t);

    if (!set)
        return puan_arena_check(s->a, s->err);
    for (uint32_t i = 0; i < o->n_instances; i++) {
        enum puan_status st;

        if (o->instance[i].rule == UINT32_MAX ||
            puan_open_judge(o, i) != PUAN_OPEN_FAILS)
            continue;
        ++*failing;
        memset(set, 0, o->n_words * sizeof(*set));
        puan_open_explain(o, i, set);
        st = add_set(s, set);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

/* What the cells hold now against the return; facts behind their answer. */
static enum puan_status list_changes(struct puan_localised *out,
                                     const struct least *s,
                                     const uint32_t *unit, uint32_t n)
{
    const struct puan_open *o = s->o;
    size_t cap = 0;

    for (uint32_t k = 0; k < n; k++) {
        struct puan_cell at = o->at[unit[k]];

        cap += 1u + s->l->item[at.entity][at.item].n_facts;
    }
    out->change = puan_new_n(s->a, cap, struct puan_cell_change);
    if (!out->change)
        return puan_arena_check(s->a, s->err);
    out->n = out->n_items = 0;
    out->weight = 0;
    for (uint32_t u = 0; u < o->n_cells; u++) {
        struct puan_cell at = o->at[u];
        const struct puan_open_item *it = &s->l->item[at.entity][at.item];

        if (it->owner != at.item || o->now[u].can == PUAN_OPEN_AS_IS)
            continue;
        for (uint16_t i = 0; i <= it->n_facts; i++) {
            struct puan_cell c = at;
            const struct puan_rows *rows = &out->record.rows[at.entity];
            size_t x;

            if (i)
                c.item = it->fact[i - 1];
            x = (size_t)c.row * o->r->form->entity[c.entity].n_items + c.item;
            out->change[out->n++] =
                (struct puan_cell_change){ .at = c,
                                           .weight = i ? 0 : it->weight,
                                           .state =
                                               (enum puan_state)rows->st[x],
                                           .value = rows->v[x] };
        }
        out->n_items++;
        out->weight += it->weight;
    }
    return PUAN_OK;
}

/* A cell that was opened and holds what the return has is closed again. */
static void close_same(struct least *s, const uint32_t *unit, uint32_t n)
{
    struct puan_open *o = s->o;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t u = unit[k];
        const struct puan_open_cell *x = &o->now[u];
        const struct puan_may *w = &o->was[u];

        if (x->can == PUAN_OPEN_VALUE && !(o->full[u].can & PUAN_OPEN_AS_IS) &&
            x->lo == w->lo)
            puan_open_close(o, u);
    }
}

/* After SAT: values, the repaired return, and the ordinary executor's word. */
static enum puan_status take(struct puan_localised *out, struct least *s,
                             const uint32_t *unit, uint32_t n)
{
    struct puan_findings f;
    enum puan_status st;

    puan_open_pick(s->o, unit, n);
    close_same(s, unit, n);
    st = puan_open_record(&out->record, s->o, s->a, s->err);
    if (st == PUAN_OK)
        st = puan_ruleset_run(&f, s->l->rs, &out->record, s->a, s->err);
    if (st != PUAN_OK)
        return st;
    out->repaired = !f.any_hard;
    return list_changes(out, s, unit, n);
}

static int64_t cost_now(const struct least *s)
{
    int64_t sum = 0;

    for (uint32_t u = 0; u < s->o->n_cells; u++)
        if (s->o->unit[u] == u && s->o->now[u].can != PUAN_OPEN_AS_IS)
            sum += cost_of(s, u);
    return sum;
}

static void close_all(struct least *s, const uint32_t *unit, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        puan_open_close(s->o, unit[k]);
}

/* The unit of a conflict to open on the way to some repair. */
static uint32_t cheapest(const struct least *s,
                         const struct puan_hitting_set *x)
{
    uint32_t best = x->thing[0];

    for (uint32_t i = 1; i < x->n; i++)
        if (s->cost[x->thing[i]] < s->cost[best])
            best = x->thing[i];
    return s->thing[best];
}

/*
 * Opens the least hitting set, and then, one of each new conflict, more, until
 * values are found: many conflicts for one hitting set, and a repair that is
 * an upper bound.  Only the hitting set itself is searched to the end; where
 * more than it is open, a search that becomes long is left (UNSAT, for there
 * are new conflicts).  *first: the hitting set itself served.
 */
#define ON_THE_WAY 3000 /* runs of rules */

static enum puan_open_answer try_sets(struct least *s, uint32_t *unit,
                                      uint32_t *n, bool *first,
                                      enum puan_status *st)
{
    uint64_t budget = s->o->budget;

    *first = true;
    for (;;) {
        struct puan_open_conflicts found = { 0 };
        enum puan_open_answer a;

        close_all(s, unit, *n);
        for (uint32_t k = 0; k < *n; k++)
            puan_open_unit(s->o, unit[k]);
        if (!*first && s->o->runs + ON_THE_WAY < budget)
            s->o->budget = s->o->runs + ON_THE_WAY;
        a = puan_open_search(s->o, &found, unit, *n);
        s->o->budget = budget;
        if (a == PUAN_OPEN_OUT && !*first && s->o->runs < budget)
            return PUAN_OPEN_UNSAT;
        if (a != PUAN_OPEN_UNSAT)
            return a;
        *first = false;
        for (size_t i = 0; i < found.n; i++) {
            bool hit = false;

            *st = add_set(s, found.set[i]);
            if (*st != PUAN_OK)
                return PUAN_OPEN_NOMEM;
            for (uint32_t k = 0; k < *n && !hit; k++)
                hit = puan_set_has(found.set[i], unit[k]);
            if (s->set[s->n_sets - 1].n == 0)
                return PUAN_OPEN_UNSAT;
            if (!hit)
                unit[(*n)++] = cheapest(s, &s->set[s->n_sets - 1]);
        }
    }
}

static enum puan_status search_least(struct puan_localised *out,
                                     struct least *s)
{
    uint32_t *unit = puan_new_n(s->a, s->o->n_cells, uint32_t);
    bool *pick = puan_new_n(s->a, s->o->n_cells, bool);
    int64_t best = INT64_MAX;
    enum puan_status st = puan_arena_check(s->a, s->err);

    while (st == PUAN_OK) {
        enum puan_hitting_state h;
        enum puan_open_answer a;
        int64_t cost;
        uint32_t n = 0;
        bool first;

        st = puan_hitting_least(&h, pick, &cost, s->cost, s->things, s->set,
                                s->n_sets, &s->hitting_budget, s->a, s->err);
        if (st != PUAN_OK)
            return st;
        if (h == PUAN_HITTING_NONE) {
            out->state = PUAN_LOCALISE_IMPOSSIBLE;
            return PUAN_OK;
        }
        if ((uint64_t)(cost >> TIE_BITS) > out->at_least)
            out->at_least = (uint64_t)(cost >> TIE_BITS);
        if (best <= cost) { /* a repair met on the way is as good */
            out->state = PUAN_LOCALISE_FOUND;
            return PUAN_OK;
        }
        if (h == PUAN_HITTING_BUDGET)
            return PUAN_OK;
        for (uint32_t t = 0; t < s->things; t++)
            if (pick[t])
                unit[n++] = s->thing[t];
        a = try_sets(s, unit, &n, &first, &st);
        if (a == PUAN_OPEN_NOMEM)
            return st != PUAN_OK ? st : puan_arena_check(s->a, s->err);
        if (a == PUAN_OPEN_OUT)
            return PUAN_OK;
        if (a == PUAN_OPEN_UNSAT) { /* new conflicts, maybe an empty one */
            close_all(s, unit, n);
            continue;
        }
        puan_open_pick(s->o, unit, n);
        close_same(s, unit, n);
        cost = cost_now(s);
        if (cost < best) {
            best = cost;
            st = take(out, s, unit, n);
        }
        if (first && st == PUAN_OK) {
            out->state = PUAN_LOCALISE_FOUND;
            return PUAN_OK;
        }
        close_all(s, unit, n);
    }
    return st;
}

enum puan_status puan_localise(struct puan_localised *out,
                               const struct puan_localiser *l,
                               const struct puan_record *r,
                               const struct puan_localise_options *opt,
                               struct puan_arena *a, struct puan_err *err)
{
    struct least s = { .l = l, .a = a, .err = err };
    uint64_t budget = opt && opt->budget ? opt->budget : PUAN_LOCALISE_BUDGET;
    struct puan_err own = { 0 };
    struct puan_findings f;
    enum puan_status st;

    *out = (struct puan_localised){ .state = PUAN_LOCALISE_CLEAN };
    st = puan_ruleset_run(&f, l->rs, r, a, err);
    if (st != PUAN_OK || !f.any_hard)
        return st;
    out->state = PUAN_LOCALISE_UNDECIDED;
    st = puan_open_begin(&s.o, l, r, budget, a, &own);
    if (st == PUAN_ELIMIT)
        return PUAN_OK; /* undecided */
    if (st != PUAN_OK)
        return puan_fail(err, st, own.where, "%s", own.text);
    s.o->err = err;
    s.seed = opt ? opt->seed : 0;
    s.hitting_budget = budget;
    s.thing = puan_new_n(a, s.o->n_cells, uint32_t);
    s.of_unit = puan_new_n(a, s.o->n_cells, uint32_t);
    s.cost = puan_new_n(a, s.o->n_cells, int64_t);
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = first_conflicts(&s, &out->failing);
    if (st == PUAN_OK)
        st = search_least(out, &s);
    out->conflicts = (uint32_t)s.n_sets;
    out->runs = s.o->runs;
    if (st == PUAN_OK && out->state == PUAN_LOCALISE_FOUND && !out->repaired)
        out->state = PUAN_LOCALISE_UNDECIDED; /* the executor disagrees */
    return st;
}
