/*
 * Further forms (SPEC.md, "also"): a tenth of the households on a long form,
 * foreigners, deaths found later.  An answer is copied from the household's
 * first form or drawn by the file's cases; weights are numbers or columns of
 * the margins, so that a county's shares are those it published.  Jobs are
 * raked to two sets of such columns.  Then some answers are spoilt, one a
 * household, and written down.
 *
 * Never changes the first form's files.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"
#include "base/csv.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"
#include "kit/yaml/yaml.h"

#define TERMS 4
#define GIVES 40
#define JOBS 1000
#define RAKES 40 /* enough for shares to stand to a thousandth */

struct weight { /* (col ± col …) * factor, or a number */
    int column[TERMS];
    int sign[TERMS];
    unsigned n;
    int64_t factor;
};

enum how { HOW_GIVE, HOW_COPY, HOW_SAME, HOW_NUMBER, HOW_MONTHS, HOW_PREFIX,
           HOW_AREA, HOW_JOB, HOW_COUNT, HOW_OTHER };

struct also_case {
    const struct sim_when *when, *some, *none, *of;
    unsigned n_when, n_some, n_none, n_of;
    enum how how;
    const struct puan_str *text;
    const struct weight *weight;
    unsigned n;
    bool elsewhere;      /* give no code the shard's own begins with */
    int entity, item;    /* COPY, SAME, MONTHS (-1: the reference), PREFIX */
    int64_t from, to;    /* NUMBER, MONTHS; PREFIX: digits */
    unsigned field;      /* JOB */
};

struct also_item {
    unsigned entity, item;
    const struct sim_when *when;
    unsigned n_when;
    const struct also_case *list;
    unsigned n;
    bool is_birth; /* its month makes the age */
};

enum job_field { JOB_UNIT, JOB_BUSINESS, JOB_WORK, JOB_KIND, JOB_FIELDS };
static const char *const job_field[JOB_FIELDS] = { "unit", "business", "work",
                                                   "kind" };
struct job {
    struct puan_str section, industry, occupation, field[JOB_FIELDS];
    int64_t education;
    double weight, raked;
};

struct sim_also {
    struct sim_spec *form; /* items and faults alone */
    const struct sim_spec *base;
    struct puan_str id;
    int64_t permille, per_million, first, days, faults;
    struct also_item *item;
    unsigned n_items;
    unsigned own; /* entity whose lines households of its own have */
    int64_t lines[8], lines_weight[8];
    unsigned n_lines;
    struct job *job;
    size_t n_jobs;
    struct puan_str by_section, by_occupation;
    int education; /* person item that says the level; -1 */
    int64_t level[10], level_weight[10]; /* of those who work, assumed */
    unsigned n_levels;
    unsigned index;
    /* of the run */
    const struct sim_run *run;
    struct puan_sheet_out *out[4], *truth, *work;
    struct sim_form f;
    struct sim_text text;
    int32_t chosen[SIM_LINES]; /* job of the person; -1 */
    uint64_t met, start, counter;
    uint32_t ea;
    int64_t returns, planted;
};

/* ---- the file --------------------------------------------------------- */

struct reading {
    struct sim_also *x;
    struct puan_arena *a;
    struct puan_err *err;
};

/* "a", "12", "a - b", "a + b * 3" (the factor is of the whole) */
static enum puan_status read_weight(struct weight *w, const struct reading *r,
                                    const struct puan_node *n)
{
    struct puan_str rest = n->text;
    int sign = 1;

    *w = (struct weight){ .factor = 1 };
    if (n->kind == PUAN_NODE_SCALAR && puan_int_parse(&w->factor, rest))
        return PUAN_OK;
    while (rest.n > 0) {
        size_t i = 0, b;

        while (i < rest.n && rest.p[i] == ' ')
            i++;
        b = i;
        while (i < rest.n && rest.p[i] != ' ')
            i++;
        if (i == b)
            break;
        if (i - b == 1 && rest.p[b] == '*') {
            rest = puan_str_trim((struct puan_str){ rest.p + i, rest.n - i });
            if (!puan_int_parse(&w->factor, rest))
                return puan_node_fail(n, r->err, "* takes a whole number");
            break;
        }
        if (i - b == 1 && (rest.p[b] == '+' || rest.p[b] == '-')) {
            sign = rest.p[b] == '-' ? -1 : 1;
        } else {
            struct puan_str name = { rest.p + b, i - b };
            int column = -1;

            for (size_t k = 0; k < r->x->base->n_columns; k++)
                if (puan_str_eq(r->x->base->column[k], name))
                    column = (int)k;
            if (column < 0 || w->n == TERMS)
                return puan_node_fail(n, r->err,
                                      "the margins have no column \"%.*s\"",
                                      PUAN_FMT(name));
            w->sign[w->n] = sign;
            w->column[w->n++] = column;
        }
        rest = (struct puan_str){ rest.p + i, rest.n - i };
    }
    return w->n > 0 ? PUAN_OK
                    : puan_node_fail(n, r->err, "expected a weight");
}

static enum puan_status own_item(int *entity, int *item,
                                 const struct reading *r,
                                 const struct sim_spec *s,
                                 const struct puan_node *n)
{
    if (n && sim_spec_item(entity, item, s, n->text))
        return PUAN_OK;
    return puan_node_fail(n, r->err, "no such item before it");
}

static enum puan_status two(int64_t *from, int64_t *to,
                            const struct reading *r, const struct puan_node *n)
{
    const struct puan_node *a = puan_node_at(n, 0), *b = puan_node_at(n, 1);

    if (a && b && puan_int_parse(from, a->text) &&
        puan_int_parse(to, b->text) && *from <= *to)
        return PUAN_OK;
    return puan_node_fail(n, r->err, "expected [from, to]");
}

static enum puan_status read_give(struct also_case *c, const struct reading *r,
                                  const struct puan_node *n)
{
    struct puan_str *text = puan_new_n(r->a, n->n, struct puan_str);
    struct weight *weight = puan_new_n(r->a, n->n, struct weight);
    enum puan_status st;

    if (!text || !weight)
        return puan_arena_check(r->a, r->err);
    if (n->n > GIVES || n->n == 0)
        return puan_node_fail(n, r->err, "give has 1 to %d values", GIVES);
    PUAN_NODE_EACH(g, n)
    {
        const struct puan_node *v = puan_node_at(g, 0), *w = puan_node_at(g, 1);

        if (!v || !w)
            return puan_node_fail(g, r->err, "expected [value, weight]");
        text[c->n] = v->text;
        if ((st = read_weight(&weight[c->n++], r, w)) != PUAN_OK)
            return st;
    }
    c->text = text;
    c->weight = weight;
    return PUAN_OK;
}

static enum puan_status read_case(struct also_case *c, const struct reading *r,
                                  const struct puan_node *n)
{
    static const char *const keys[] = {
        "when", "some", "none", "elsewhere", "give", "copy", "same", "number",
        "months", "after", "prefix", "area", "job", "count", "other", "item",
        NULL
    };
    struct sim_spec *s = r->x->form;
    const struct puan_node *v;
    enum puan_status st;

    if ((st = puan_node_only(n, keys, r->err)) != PUAN_OK ||
        (st = sim_spec_when(&c->when, &c->n_when, s, puan_node_get(n, "when"),
                            r->a, r->err)) != PUAN_OK ||
        (st = sim_spec_when(&c->some, &c->n_some, s, puan_node_get(n, "some"),
                            r->a, r->err)) != PUAN_OK ||
        (st = sim_spec_when(&c->none, &c->n_none, s, puan_node_get(n, "none"),
                            r->a, r->err)) != PUAN_OK)
        return st;
    c->elsewhere = puan_node_get(n, "elsewhere") != NULL;
    if ((v = puan_node_get(n, "give")) != NULL) {
        c->how = HOW_GIVE;
        return read_give(c, r, v);
    }
    if ((v = puan_node_get(n, "copy")) != NULL) {
        c->how = HOW_COPY;
        return own_item(&c->entity, &c->item, r, r->x->base, v);
    }
    if ((v = puan_node_get(n, "same")) != NULL) {
        c->how = HOW_SAME;
        return own_item(&c->entity, &c->item, r, s, v);
    }
    if ((v = puan_node_get(n, "number")) != NULL) {
        c->how = HOW_NUMBER;
        return two(&c->from, &c->to, r, v);
    }
    if ((v = puan_node_get(n, "months")) != NULL) {
        c->how = HOW_MONTHS;
        c->item = -1;
        if (puan_node_get(n, "after") &&
            (st = own_item(&c->entity, &c->item, r, s,
                           puan_node_get(n, "after"))) != PUAN_OK)
            return st;
        return two(&c->from, &c->to, r, v);
    }
    if ((v = puan_node_get(n, "prefix")) != NULL) {
        c->how = HOW_PREFIX;
        if ((st = puan_node_int(&c->from, n, "prefix", 1, 18, r->err)) !=
            PUAN_OK)
            return st;
        return own_item(&c->entity, &c->item, r, s, puan_node_get(n, "item"));
    }
    if (puan_node_get(n, "area") != NULL) {
        c->how = HOW_AREA;
        return PUAN_OK;
    }
    if ((v = puan_node_get(n, "job")) != NULL) {
        c->how = HOW_JOB;
        for (c->field = 0; c->field < JOB_FIELDS; c->field++)
            if (puan_str_is(v->text, job_field[c->field]))
                return PUAN_OK;
        return puan_node_fail(v, r->err, "job is unit, business, work or kind");
    }
    if ((v = puan_node_get(n, "count")) != NULL) {
        c->how = HOW_COUNT;
        return sim_spec_when(&c->of, &c->n_of, s, v, r->a, r->err);
    }
    if ((v = puan_node_get(n, "other")) != NULL) {
        c->how = HOW_OTHER;
        if ((st = sim_spec_when(&c->of, &c->n_of, s, v, r->a, r->err)) !=
            PUAN_OK)
            return st;
        return own_item(&c->entity, &c->item, r, s, puan_node_get(n, "item"));
    }
    return puan_node_fail(n, r->err, "the case gives nothing");
}

static enum puan_status read_item(const struct reading *r,
                                  const struct puan_node *n)
{
    static const char *const keys[] = { "of", "item", "when", "cases", "copy",
                                        "is", NULL };
    static const char *const of[] = { "household", "person", "death" };
    struct sim_also *x = r->x;
    struct also_item *it = &x->item[x->n_items];
    const struct puan_node *list = puan_node_get(n, "cases");
    struct also_case *c;
    struct puan_str name, entity;
    enum puan_status st;

    if ((st = puan_node_only(n, keys, r->err)) != PUAN_OK ||
        (st = puan_node_str(&entity, n, "of", r->err)) != PUAN_OK ||
        (st = puan_node_str(&name, n, "item", r->err)) != PUAN_OK ||
        (st = sim_spec_when(&it->when, &it->n_when, x->form,
                            puan_node_get(n, "when"), r->a, r->err)) != PUAN_OK)
        return st;
    while (it->entity < SIM_ENTITIES && !puan_str_is(entity, of[it->entity]))
        it->entity++;
    if (it->entity == SIM_ENTITIES)
        return puan_node_fail(n, r->err, "of is household, person or death");
    if (x->form->n_items[it->entity] == SIM_ITEMS)
        return puan_node_fail(n, r->err, "more than %d items", SIM_ITEMS);
    it->is_birth = puan_node_get(n, "is") != NULL;
    c = puan_new_n(r->a, list ? list->n : 1, struct also_case);
    if (!c)
        return puan_arena_check(r->a, r->err);
    if (!list) { /* copied as it is */
        c->how = HOW_COPY;
        if ((st = own_item(&c->entity, &c->item, r, x->base,
                           puan_node_get(n, "copy"))) != PUAN_OK)
            return st;
        it->n = 1;
    }
    PUAN_NODE_EACH(k, list)
    if ((st = read_case(&c[it->n++], r, k)) != PUAN_OK)
        return st;
    it->list = c;
    it->item = x->form->n_items[it->entity];
    x->form->item[it->entity][x->form->n_items[it->entity]++].name = name;
    x->n_items++;
    return PUAN_OK;
}

static enum puan_status read_jobs(const struct reading *r, const char *path)
{
    static const char *const column[] = { "section", "industry", "occupation",
                                          "kind", "education", "weight",
                                          "unit", "business", "work" };
    struct sim_also *x = r->x;
    struct puan_str text;
    struct puan_csv csv;
    struct puan_arena row;
    int at[PUAN_COUNT(column)];
    enum puan_status st = puan_file_read(&text, path, 0, r->a, r->err);

    if (st != PUAN_OK)
        return st;
    x->job = puan_new_n(r->a, JOBS, struct job);
    if (!x->job)
        return puan_arena_check(r->a, r->err);
    puan_arena_init(&row, r->a->host);
    st = puan_csv_open(&csv, text, path, r->a, &row, r->err);
    for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(column); i++) {
        at[i] = puan_csv_column(&csv, column[i]);
        if (at[i] < 0)
            st = puan_fail_at(r->err, PUAN_EINVAL, path, 1, 0,
                              "column %s is missing", column[i]);
    }
    while (st == PUAN_OK) {
        struct job *j = &x->job[x->n_jobs];
        struct puan_str v[PUAN_COUNT(column)];
        int64_t weight;
        bool more = false;

        puan_arena_reset(&row);
        st = puan_csv_next(&more, &csv, r->err);
        if (st != PUAN_OK || !more)
            break;
        for (size_t i = 0; i < PUAN_COUNT(column); i++)
            v[i] = puan_arena_keep(r->a, csv.field[at[i]]);
        if (x->n_jobs == JOBS || !puan_int_parse(&j->education, v[4]) ||
            !puan_int_parse(&weight, v[5])) {
            st = puan_fail_at(r->err, PUAN_EINVAL, path, csv.line, 0,
                              "expected whole numbers for education and "
                              "weight, and at most %d jobs", JOBS);
            break;
        }
        j->section = v[0];
        j->industry = v[1];
        j->occupation = v[2];
        j->field[JOB_KIND] = v[3];
        j->field[JOB_UNIT] = v[6];
        j->field[JOB_BUSINESS] = v[7];
        j->field[JOB_WORK] = v[8];
        j->weight = (double)weight;
        x->n_jobs++;
    }
    puan_arena_clear(&row);
    return st == PUAN_OK ? puan_arena_check(r->a, r->err) : st;
}

enum puan_status sim_also_load(struct sim_spec *s, struct puan_str file,
                               struct puan_arena *a, struct puan_err *err)
{
    struct sim_also *x = puan_new(a, struct sim_also);
    struct reading r = { x, a, err };
    const struct puan_node *items, *lines, *jobs;
    struct puan_node *top;
    struct puan_str text, education;
    const char *path;
    int entity;
    enum puan_status st;
    static const char *const keys[] = {
        "form",  "permille", "per_million", "first", "days", "items", "lines",
        "death", "jobs",     "sections",    "occupations", "education",
        "fault_permille", "faults", "levels", NULL
    };

    if (!x || (x->form = puan_new(a, struct sim_spec)) == NULL)
        return puan_arena_check(a, err);
    x->base = s;
    x->index = s->n_also;
    path = puan_arena_fmt(a, "%s/%.*s", s->dir, PUAN_FMT(file));
    if (s->n_also == SIM_ALSO)
        return puan_fail(err, PUAN_ELIMIT, path, "at most %d further forms",
                         SIM_ALSO);
    if ((st = puan_file_read(&text, path, 0, a, err)) != PUAN_OK ||
        (st = puan_yaml_tree(&top, text, path, a, err)) != PUAN_OK ||
        (st = puan_node_only(top, keys, err)) != PUAN_OK ||
        (st = puan_node_str(&x->id, top, "form", err)) != PUAN_OK ||
        (st = puan_node_int(&x->days, top, "days", 0, 365, err)) != PUAN_OK ||
        (st = puan_node_int(&x->faults, top, "fault_permille", 0, 1000,
                            err)) != PUAN_OK)
        return st;
    if (puan_node_get(top, "permille")) {
        st = puan_node_int(&x->permille, top, "permille", 1, 1000, err);
    } else {
        st = puan_node_int(&x->per_million, top, "per_million", 1, 1000000,
                           err);
        if (st == PUAN_OK)
            st = puan_node_int(&x->first, top, "first", 1,
                               s->household_base - 1, err);
    }
    if (st != PUAN_OK)
        return st;
    x->own = puan_node_get(top, "death") ? SIM_DEATH : SIM_PERSON;
    lines = puan_node_get(top, "lines");
    PUAN_NODE_EACH(l, lines)
    {
        if (x->n_lines == PUAN_COUNT(x->lines))
            return puan_node_fail(l, err, "too many");
        st = two(&x->lines[x->n_lines], &x->lines_weight[x->n_lines], &r, l);
        if (st != PUAN_OK)
            return st;
        if (x->own == SIM_DEATH && x->lines[x->n_lines] > 2)
            return puan_node_fail(l, err, "at most two deaths");
        x->n_lines++;
    }
    if (x->per_million > 0 && x->n_lines == 0)
        return puan_node_fail(top, err, "lines are missing");
    items = puan_node_get(top, "items");
    if (!items || items->n == 0)
        return puan_node_fail(top, err, "items are missing");
    for (unsigned e = 0; e < SIM_ENTITIES; e++)
        for (size_t k = 0; k < SIM_CONCEPTS; k++)
            x->form->item_of[e][k] = -1;
    x->item = puan_new_n(a, items->n, struct also_item);
    if (!x->item)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(n, items)
    if ((st = read_item(&r, n)) != PUAN_OK)
        return st;
    x->education = -1;
    education = puan_node_str_opt(top, "education", "");
    if (education.n > 0 &&
        (!sim_spec_item(&entity, &x->education, x->form, education) ||
         entity != SIM_PERSON))
        return puan_node_fail(top, err, "education names no person item");
    PUAN_NODE_EACH(l, puan_node_get(top, "levels"))
    {
        const struct puan_node *v = puan_node_at(l, 0), *w = puan_node_at(l, 1);

        if (!v || !w || x->n_levels == PUAN_COUNT(x->level) ||
            !puan_int_parse(&x->level[x->n_levels], v->text) ||
            !puan_int_parse(&x->level_weight[x->n_levels], w->text))
            return puan_node_fail(l, err, "expected [level, weight], at most "
                                          "%d", (int)PUAN_COUNT(x->level));
        x->n_levels++;
    }
    jobs = puan_node_get(top, "jobs");
    x->by_section = puan_node_str_opt(top, "sections", "");
    x->by_occupation = puan_node_str_opt(top, "occupations", "");
    if (jobs && (st = read_jobs(&r, puan_arena_fmt(a, "%s/%.*s", s->dir,
                                                   PUAN_FMT(jobs->text)))) !=
                    PUAN_OK)
        return st;
    if ((st = sim_spec_faults(x->form, top, a, err)) != PUAN_OK)
        return st;
    s->also[s->n_also++] = x;
    return puan_arena_check(a, err);
}

/* ---- files ------------------------------------------------------------ */

static const char *const parts[4] = { "household", "person", "death", "visit" };

enum puan_status sim_also_open(struct sim_also *x, const struct sim_run *run,
                               struct puan_arena *a, struct puan_err *err)
{
    const char *dir = run->opt.out;
    enum puan_status st = puan_sheet_create(
        &x->truth,
        puan_arena_fmt(a, "%s/truth_%.*s.csv", dir, PUAN_FMT(x->id)), err);

    x->run = run;
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(x->truth,
                       PUAN_STR("county,household,line,item,true_value,"
                                "planted_value,kind,detectable\n"));
    if (x->n_jobs == 0)
        return PUAN_OK;
    st = puan_sheet_create(
        &x->work, puan_arena_fmt(a, "%s/work_%.*s.csv", dir, PUAN_FMT(x->id)),
        err);
    if (st == PUAN_OK)
        puan_sheet_put_raw(x->work, PUAN_STR("county,household,line,industry,"
                                             "occupation\n"));
    return st;
}

/* What the county published of a class; -1: nothing. */
static double published(const struct sim_also *x, const struct sim_shard *sh,
                        struct puan_str prefix, struct puan_str class,
                        struct puan_arena *a)
{
    const char *name =
        puan_arena_fmt(a, "%.*s%.*s", PUAN_FMT(prefix), PUAN_FMT(class));
    int64_t v;

    if (prefix.n == 0)
        return -1;
    for (size_t i = 0; i < x->base->n_columns; i++)
        if (puan_str_is(x->base->column[i], name))
            return puan_int_parse(&v, sh->row->field[i]) ? (double)v : 0;
    return -1;
}

/* Weights of the jobs, so that both sets of shares are the published ones. */
static void rake(struct sim_also *x, const struct sim_shard *sh)
{
    for (size_t i = 0; i < x->n_jobs; i++)
        x->job[i].raked = x->job[i].weight;
    for (int round = 0; round < 2 * RAKES; round++)
        for (size_t i = 0; i < x->n_jobs; i++) {
            bool by_section = round % 2 == 1; /* the last one, exactly */
            struct puan_str class = by_section ? x->job[i].section
                                               : x->job[i].occupation;
            double sum = 0, want;
            bool seen = false;

            for (size_t k = 0; k < x->n_jobs; k++)
                if (puan_str_eq(by_section ? x->job[k].section
                                           : x->job[k].occupation, class)) {
                    seen |= k < i;
                    sum += x->job[k].raked;
                }
            want = published(x, sh,
                             by_section ? x->by_section : x->by_occupation,
                             class, sh->arena);
            if (seen || want < 0 || sum <= 0)
                continue;
            for (size_t k = 0; k < x->n_jobs; k++)
                if (puan_str_eq(by_section ? x->job[k].section
                                           : x->job[k].occupation, class))
                    x->job[k].raked *= want / sum;
        }
}

/*
 * Who has the schooling may have any job, who has not only some: weights are
 * turned until all together, by the assumed levels, take the jobs as raked.
 */
static void school(struct sim_also *x, struct puan_arena *a)
{
    double *want = puan_new_n(a, x->n_jobs, double), total = 0, people = 0;

    if (!want || x->n_levels == 0)
        return;
    for (size_t i = 0; i < x->n_jobs; i++)
        total += want[i] = x->job[i].raked;
    for (unsigned l = 0; l < x->n_levels; l++)
        people += (double)x->level_weight[l];
    for (int round = 0; round < RAKES && total > 0; round++) {
        double sum[10] = { 0 };

        for (unsigned l = 0; l < x->n_levels; l++)
            for (size_t i = 0; i < x->n_jobs; i++)
                if (x->job[i].education <= x->level[l])
                    sum[l] += x->job[i].raked;
        for (size_t i = 0; i < x->n_jobs; i++) {
            double share = 0;

            for (unsigned l = 0; l < x->n_levels; l++)
                if (x->job[i].education <= x->level[l] && sum[l] > 0)
                    share += (double)x->level_weight[l] / people / sum[l];
            if (share > 0)
                x->job[i].raked = want[i] / total / share;
        }
    }
}

enum puan_status sim_also_shard(struct sim_also *x, const struct sim_shard *sh,
                                struct puan_err *err)
{
    const char *dir = puan_arena_fmt(sh->arena, "%s/returns/%.*s/%.*s",
                                     x->run->opt.out, PUAN_FMT(sh->row->digits),
                                     PUAN_FMT(x->id));
    enum puan_status st = puan_dir_make(dir, err);

    for (unsigned i = 0; st == PUAN_OK && i < PUAN_COUNT(parts); i++) {
        if (i < SIM_ENTITIES && i > 0 && x->form->n_items[i] == 0)
            continue;
        st = puan_sheet_create(&x->out[i],
                               puan_arena_fmt(sh->arena, "%s/%s.csv", dir,
                                              i < SIM_ENTITIES
                                                  ? x->base->entity[i]
                                                  : parts[i]),
                               err);
        if (st != PUAN_OK)
            return st;
        if (i == SIM_ENTITIES) {
            puan_sheet_put_raw(x->out[i],
                               PUAN_STR("household,ea,mode,staff,device,"
                                        "counter,started,finished,lon,lat,"
                                        "signed,phone\n"));
            continue;
        }
        puan_sheet_put_text(x->out[i], "household");
        for (unsigned k = 0; k < x->form->n_items[i]; k++)
            puan_sheet_put(x->out[i], x->form->item[i][k].name);
        puan_sheet_end_row(x->out[i]);
    }
    rake(x, sh);
    school(x, sh->arena);
    x->met = 0;
    x->start = sim_hash(x->run->opt.seed, 50 + x->index,
                        (uint64_t)sh->row->code) % 1000;
    x->ea = SIM_NONE;
    return st;
}

void sim_also_abandon(struct sim_also *x)
{
    for (size_t i = 0; i < PUAN_COUNT(x->out); i++) {
        puan_sheet_abandon(x->out[i]);
        x->out[i] = NULL;
    }
    puan_sheet_abandon(x->truth);
    puan_sheet_abandon(x->work);
    x->truth = x->work = NULL;
}

static enum puan_status finish(struct puan_sheet_out **o, struct puan_err *err)
{
    struct puan_sheet_out *out = *o;

    *o = NULL;
    return out ? puan_sheet_finish(out, err) : PUAN_OK;
}

enum puan_status sim_also_finish(struct sim_also *x, struct puan_err *err)
{
    enum puan_status st = finish(&x->truth, err);

    return st == PUAN_OK ? finish(&x->work, err) : st;
}

struct puan_str sim_also_form(const struct sim_also *x)
{
    return x->id;
}

int64_t sim_also_returns(const struct sim_also *x)
{
    return x->returns;
}

int64_t sim_also_faults(const struct sim_also *x)
{
    return x->planted;
}

/* ---- answers ---------------------------------------------------------- */

static struct puan_str keep(struct sim_text *t, const char *s, size_t n)
{
    struct puan_str out = { t->p + t->n, n };

    if (t->n + n + 1 > SIM_TEXT)
        return PUAN_STR("");
    memcpy(t->p + t->n, s, n);
    t->p[t->n + n] = 0;
    t->n += n + 1;
    return out;
}

static struct puan_str number(struct sim_text *t, int64_t v)
{
    char b[24];

    return keep(t, b, puan_format(b, sizeof(b), "%lld", (long long)v));
}

static struct puan_str month(struct sim_text *t, int64_t m)
{
    char b[8];

    puan_month_text(b, m);
    return keep(t, b, strlen(b));
}

static struct puan_str *cell(struct sim_form *f, int entity, int item,
                             uint32_t line)
{
    return entity == SIM_HOUSEHOLD ? &f->household[item]
           : entity == SIM_DEATH   ? &f->death[line][item]
                                   : &f->person[line][item];
}

static bool somebody(const struct sim_form *f, const struct sim_when *w,
                     unsigned n, uint32_t but)
{
    for (uint32_t l = 0; l < f->n_persons; l++)
        if (l != but && sim_form_holds(f, w, n, l))
            return true;
    return false;
}

static int64_t weigh(const struct weight *w, const struct sim_area_row *row)
{
    int64_t v = w->n == 0;

    for (unsigned i = 0; i < w->n; i++)
        v += w->sign[i] * sim_cell(row, w->column[i]);
    v *= w->factor;
    return v > 0 ? v : 0;
}

static struct puan_str draw(const struct also_case *c,
                            const struct sim_shard *sh, uint64_t at)
{
    struct puan_str here = sh->row->digits;
    int64_t w[GIVES], sum = 0, left;
    unsigned i = 0;

    for (unsigned k = 0; k < c->n; k++) {
        w[k] = weigh(&c->weight[k], sh->row);
        if (c->elsewhere && c->text[k].n <= here.n &&
            memcmp(here.p, c->text[k].p, c->text[k].n) == 0)
            w[k] = 0;
        sum += w[k];
    }
    if (sum == 0)
        return c->text[0];
    left = (int64_t)(at % (uint64_t)sum);
    while (i + 1 < c->n && (left -= w[i]) >= 0)
        i++;
    return c->text[i];
}

static int32_t choose_job(const struct sim_also *x, uint32_t line, uint64_t at)
{
    double sum = 0, left;
    int64_t level = 0;
    size_t i = 0;

    if (x->education >= 0)
        (void)puan_int_parse(&level, x->f.person[line][x->education]);
    for (size_t k = 0; k < x->n_jobs; k++)
        if (x->job[k].education <= level || x->education < 0)
            sum += x->job[k].raked;
    if (sum <= 0)
        return -1;
    left = (double)(at >> 11) / 9007199254740992.0 * sum;
    for (size_t k = 0; k < x->n_jobs; k++)
        if (x->job[k].education <= level || x->education < 0) {
            i = k;
            if ((left -= x->job[k].raked) < 0)
                break;
        }
    return (int32_t)i;
}

static struct puan_str value(struct sim_also *x, const struct also_case *c,
                             const struct sim_shard *sh,
                             const struct sim_form *base, uint32_t line,
                             uint64_t at)
{
    struct sim_form *f = &x->f;
    int64_t last = x->base->reference_month - 1, n = 0, m;
    struct puan_str v;

    switch (c->how) {
    case HOW_GIVE:
        return draw(c, sh, at);
    case HOW_COPY:
        return base ? *cell((struct sim_form *)(uintptr_t)base, c->entity,
                            c->item, line)
                    : PUAN_STR("");
    case HOW_SAME:
        return *cell(f, c->entity, c->item, line);
    case HOW_NUMBER:
        return number(&x->text, c->from + (int64_t)(at % (uint64_t)(c->to - c->from + 1)));
    case HOW_MONTHS:
        m = x->base->reference_month;
        if (c->item >= 0 &&
            !puan_month_parse(&m, *cell(f, c->entity, c->item, line)))
            return PUAN_STR("");
        m += c->from + (int64_t)(at % (uint64_t)(c->to - c->from + 1));
        return month(&x->text, m > last ? last : m);
    case HOW_PREFIX:
        v = *cell(f, c->entity, c->item, line);
        v.n = v.n < (size_t)c->from ? v.n : (size_t)c->from;
        return v;
    case HOW_AREA: /* another shard of the margins */
        n = (int64_t)(at % x->base->n_areas);
        if (&x->base->area[n] == sh->row)
            n = (n + 1) % (int64_t)x->base->n_areas;
        return x->base->area[n].digits;
    case HOW_JOB:
        if (x->chosen[line] < 0)
            x->chosen[line] = choose_job(x, line, at);
        return x->chosen[line] < 0
                   ? PUAN_STR("")
                   : x->job[x->chosen[line]].field[c->field];
    case HOW_COUNT:
        for (uint32_t l = 0; l < f->n_persons; l++)
            n += sim_form_holds(f, c->of, c->n_of, l);
        return number(&x->text, n);
    case HOW_OTHER:
        for (uint32_t l = 0; l < f->n_persons; l++)
            if (l != line && sim_form_holds(f, c->of, c->n_of, l))
                return *cell(f, c->entity, c->item, l);
        return PUAN_STR("");
    }
    return PUAN_STR("");
}

static void answer(struct sim_also *x, const struct also_item *it,
                   const struct sim_shard *sh, const struct sim_form *base,
                   uint32_t line, uint64_t key)
{
    struct sim_form *f = &x->f;
    struct puan_str *to = cell(f, (int)it->entity, (int)it->item, line);
    uint64_t at = sim_hash(sim_hash(x->run->opt.seed, 60 + x->index, key),
                           line + 1, it->entity * 256 + it->item);
    int64_t m;

    *to = PUAN_STR("");
    if (!sim_form_holds(f, it->when, it->n_when, line))
        return;
    for (unsigned i = 0; i < it->n; i++) {
        const struct also_case *c = &it->list[i];

        if (!sim_form_holds(f, c->when, c->n_when, line) ||
            (c->n_some > 0 && !somebody(f, c->some, c->n_some, line)) ||
            (c->n_none > 0 && somebody(f, c->none, c->n_none, UINT32_MAX)))
            continue;
        *to = value(x, c, sh, base, line, at);
        break;
    }
    if (it->is_birth && puan_month_parse(&m, *to)) {
        int64_t ref = x->base->reference_month;

        f->age[line] = (int16_t)(ref / 12 - m / 12 - (m % 12 >= ref % 12));
    }
}

static uint32_t lines_of(const struct sim_form *f, unsigned entity)
{
    return entity == SIM_HOUSEHOLD ? 1
           : entity == SIM_DEATH   ? f->n_deaths
                                   : f->n_persons;
}

/* Item by item, so that a case may look at everybody's answers before it. */
static void fill(struct sim_also *x, const struct sim_shard *sh,
                 const struct sim_form *base, uint64_t key)
{
    for (uint32_t l = 0; l < SIM_LINES; l++)
        x->chosen[l] = -1;
    for (unsigned i = 0; i < x->n_items; i++)
        for (uint32_t l = 0; l < lines_of(&x->f, x->item[i].entity); l++)
            answer(x, &x->item[i], sh, base, l, key);
}

/* ---- writing ---------------------------------------------------------- */

static void put_key(struct puan_sheet_out *o, const struct sim_also *x,
                    int64_t key)
{
    const struct sim_spec *s = x->base;
    char b[24];

    puan_format(b, sizeof(b), "%0*lld",
                (int)(s->level[s->n_levels - 1].digits + s->household_digits),
                (long long)key);
    puan_sheet_put_text(o, b);
}

static void put_rows(struct sim_also *x, int64_t key)
{
    for (unsigned e = 0; e < SIM_ENTITIES; e++)
        for (uint32_t l = 0; x->out[e] && l < lines_of(&x->f, e); l++) {
            put_key(x->out[e], x, key);
            for (unsigned i = 0; i < x->form->n_items[e]; i++)
                puan_sheet_put(x->out[e], *cell(&x->f, (int)e, (int)i, l));
            puan_sheet_end_row(x->out[e]);
        }
}

static void put_visit(struct sim_also *x, const struct sim_shard *sh,
                      uint32_t ea, int64_t key, int64_t started_s,
                      int32_t seconds)
{
    const struct sim_spec *s = x->base;
    const struct sim_ground *g = &sh->ground;
    const struct sim_ground_area *a = &g->area[g->ea[ea]];
    struct puan_sheet_out *o = x->out[SIM_ENTITIES];
    char b[64];

    if (x->ea != ea) {
        x->ea = ea;
        x->counter = 100000u * (x->index + 1);
    }
    started_s += x->days * 86400;
    put_key(o, x, key);
    puan_format(b, sizeof(b), "%0*lld", (int)s->level[a->level].digits,
                (long long)a->code);
    puan_sheet_put_text(o, b);
    puan_sheet_put_text(o, "enumerator");
    puan_format(b, sizeof(b), "e%lld", (long long)a->code);
    puan_sheet_put_text(o, b);
    puan_format(b, sizeof(b), "t%lld", (long long)a->code);
    puan_sheet_put_text(o, b);
    puan_sheet_put_int(o, (int64_t)++x->counter);
    puan_instant_text(b, started_s * 1000, s->offset_minutes);
    puan_sheet_put_text(o, b);
    puan_instant_text(b, (started_s + seconds) * 1000, s->offset_minutes);
    puan_sheet_put_text(o, b);
    puan_sheet_put_text(o, "");
    puan_sheet_put_text(o, "");
    puan_sheet_put_text(o, "true");
    puan_sheet_put_text(o, "");
    puan_sheet_end_row(o);
}

static void put_work(struct sim_also *x, const struct sim_shard *sh,
                     int64_t key)
{
    for (uint32_t l = 0; x->work && l < x->f.n_persons; l++) {
        if (x->chosen[l] < 0)
            continue;
        puan_sheet_put(x->work, sh->row->digits);
        put_key(x->work, x, key);
        puan_sheet_put_int(x->work, l + 1);
        puan_sheet_put(x->work, x->job[x->chosen[l]].industry);
        puan_sheet_put(x->work, x->job[x->chosen[l]].occupation);
        puan_sheet_end_row(x->work);
    }
}

static void spoil(struct sim_also *x, const struct sim_shard *sh, int64_t key)
{
    struct sim_rng rng =
        sim_rng_of(x->run->opt.seed, 70 + x->index, (uint64_t)key);
    struct puan_sheet_out *o = x->truth;
    struct sim_error e;

    if (!x->run->opt.faults || !sim_permille(&rng, x->faults) ||
        !sim_form_err(&e, &x->f, &x->text, x->form, &rng))
        return;
    puan_sheet_put(o, sh->row->digits);
    put_key(o, x, key);
    puan_sheet_put_int(o, e.line);
    puan_sheet_put(o, x->form->item[e.kind->entity][e.kind->item].name);
    puan_sheet_put(o, e.was);
    puan_sheet_put(o, e.is);
    puan_sheet_put(o, e.kind->name);
    puan_sheet_put(o, e.kind->detect);
    puan_sheet_end_row(o);
    x->planted++;
}

static void write(struct sim_also *x, const struct sim_shard *sh, uint32_t ea,
                  int64_t key, const struct sim_form *base, int64_t started_s,
                  int32_t seconds)
{
    const struct sim_ground *g = &sh->ground;
    int64_t above = g->area[g->area[g->near[ea]].parent].code;
    int64_t near = g->area[g->near[ea]].code;
    unsigned digits = x->base->level[x->base->near].digits -
                      (x->base->near ? x->base->level[x->base->near - 1].digits
                                     : 0);

    for (; digits > 0; digits--)
        above *= 10;
    x->f.near = near - above;
    x->text.n = 0;
    fill(x, sh, base, (uint64_t)key);
    put_work(x, sh, key);
    spoil(x, sh, key);
    put_rows(x, key);
    put_visit(x, sh, ea, key, started_s, seconds);
    x->returns++;
}

void sim_also_home(struct sim_also *x, const struct sim_shard *sh,
                   const struct sim_home *h, const struct sim_form *base)
{
    const struct sim_ground *g = &sh->ground;
    uint64_t before = (x->met + x->start) * (uint64_t)x->permille / 1000;

    if (x->permille == 0 || h->fault == SIM_OMITTED)
        return;
    x->met++;
    if ((x->met + x->start) * (uint64_t)x->permille / 1000 == before ||
        h->fault == SIM_INVENTED || h->fault == SIM_INVENTED_HOME)
        return;
    x->f.n_persons = base->n_persons;
    x->f.n_deaths = base->n_deaths;
    memcpy(x->f.age, base->age, sizeof(base->age));
    write(x, sh, h->ea,
          g->area[g->ea[h->ea]].code * x->base->household_base + h->number,
          base, h->started_s, h->seconds * 2);
}

/* Households of the form's own, spread over the enumeration areas. */
static void own(struct sim_also *x, const struct sim_shard *sh)
{
    const struct sim_ground *g = &sh->ground;
    uint64_t n = ((uint64_t)sh->n_residents * (uint64_t)x->per_million +
                  500000) / 1000000;

    for (uint32_t ea = 0; ea < g->n_ea; ea++)
        for (uint64_t k = n * ea / g->n_ea; k < n * (ea + 1) / g->n_ea; k++) {
            int64_t at = x->first + (int64_t)(k - n * ea / g->n_ea);
            int64_t key = g->area[g->ea[ea]].code * x->base->household_base +
                          at;
            uint64_t h = sim_hash(x->run->opt.seed, 80 + x->index,
                                  (uint64_t)key);
            int64_t sum = 0, left, started;
            unsigned i = 0;

            if (at >= x->base->household_base)
                break;
            for (unsigned l = 0; l < x->n_lines; l++)
                sum += x->lines_weight[l];
            left = (int64_t)(h % (uint64_t)sum);
            while (i + 1 < x->n_lines && (left -= x->lines_weight[i]) >= 0)
                i++;
            x->f.n_persons = x->own == SIM_PERSON ? (uint32_t)x->lines[i] : 0;
            x->f.n_deaths = x->own == SIM_DEATH ? (uint32_t)x->lines[i] : 0;
            memset(x->f.age, 0, sizeof(x->f.age));
            started = x->base->field_day * 86400 +
                      (int64_t)(h >> 20) % (3600 * 8) +
                      (x->base->hour_from + 1) * 3600 -
                      x->base->offset_minutes * 60;
            write(x, sh, ea, key, NULL, started, 300);
        }
}

enum puan_status sim_also_end(struct sim_also *x, const struct sim_shard *sh,
                              struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (x->per_million > 0)
        own(x, sh);
    for (size_t i = 0; i < PUAN_COUNT(x->out); i++)
        if (st == PUAN_OK)
            st = finish(&x->out[i], err);
    return st;
}
