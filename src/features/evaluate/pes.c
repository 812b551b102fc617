/*
 * The post-enumeration survey of a campaign (pes.h), and its report over HTTP.
 */
#include "features/evaluate/pes.h"

#include <stddef.h>
#include <string.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/evaluate/evaluate.h"
#include "features/host/request.h"
#include "features/tables/tables.h"

/* ---- the census's counts ---------------------------------------------------
 */

enum base { RESIDENT, PRESENT, REGISTERED };

static enum puan_status base_of(enum base *out, struct puan_str word,
                                struct puan_err *err)
{
    static const char *const words[] = { "resident", "present", "registered" };

    *out = RESIDENT;
    for (unsigned i = 0; i < PUAN_COUNT(words); i++)
        if (puan_str_is(word, words[i]))
            *out = (enum base)i;
        else if (word.n == 0)
            return PUAN_OK;
    if (!puan_str_is(word, words[*out]))
        return puan_fail(err, PUAN_EINVAL, "base",
                         "one of resident, present, registered");
    return PUAN_OK;
}

static int64_t persons_of(const struct puan_population *p, enum base b)
{
    return b == RESIDENT  ? p->resident
           : b == PRESENT ? p->de_facto
                          : p->registered;
}

static enum puan_status count_one(int64_t *persons, struct puan_store *st,
                                  int64_t area, enum base b,
                                  struct puan_err *err)
{
    struct puan_count *c = NULL;

    TRY(puan_count_area(&c, st, area, NULL, NULL, err));
    *persons = persons_of(puan_count_population(c), b);
    puan_count_close(c);
    return PUAN_OK;
}

static void put_line(struct puan_out *o, const struct puan_area_tree *t,
                     uint32_t i, int64_t persons)
{
    puan_out_str(o, t->area[i].digits);
    puan_out_char(o, ',');
    puan_out_int(o, persons);
    puan_out_char(o, '\n');
}

/* Persons of each stratum: one count when strata stand just below the area of
   the draw, else one each. */
static enum puan_status by_strata(struct puan_out *o, struct puan_store *st,
                                  const struct puan_sample_row *row,
                                  const struct puan_node *record,
                                  const struct puan_count *whole, enum base b,
                                  struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t root = puan_area_find(t, row->area);
    const struct puan_node *list = puan_node_get(record, "strata");

    puan_out_text(o, "stratum,persons\n");
    if (list && list->n > PUAN_PES_STRATA)
        return puan_fail(err, PUAN_ELIMIT, "strata",
                         "more than %d strata: give the census's persons by "
                         "stratum as a file (--census)",
                         PUAN_PES_STRATA);
    PUAN_NODE_EACH(x, list)
    {
        uint32_t i =
            puan_area_find_digits(t, puan_node_str_opt(x, "stratum", ""));
        int64_t n = -1;

        if (i == PUAN_AREA_NONE)
            continue;
        for (size_t k = 0;
             t->area[i].parent == root && k < puan_count_parts(whole) && n < 0;
             k++) {
            uint32_t at;
            const struct puan_population *p = puan_count_part(&at, whole, k);

            if (at == i)
                n = persons_of(p, b);
        }
        if (n < 0 && i == root)
            n = persons_of(puan_count_population(whole), b);
        if (n < 0)
            TRY(count_one(&n, st, t->area[i].code, b, err));
        put_line(o, t, i, n);
    }
    return PUAN_OK;
}

/* ---- arguments -------------------------------------------------------------
 */

static void say(struct puan_pes *p, const char *word)
{
    p->argv[p->argc++] = word;
}

static bool has_column(const struct puan_observed *o, struct puan_str name)
{
    for (size_t i = 0; i < o->n_columns; i++)
        if (puan_str_eq(o->column[i], name))
            return true;
    return false;
}

static enum puan_status domains(struct puan_pes *p, struct puan_store *st,
                                const struct puan_sample_row *row, bool strata,
                                enum base b, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_node *record = NULL;
    struct puan_count *c = NULL;
    struct puan_out o;
    enum puan_status rc;

    TRY(puan_json_tree(&record, row->record, "record", a, err));
    TRY(puan_count_area(&c, st, row->area, NULL, NULL, err));
    p->persons = persons_of(puan_count_population(c), b);
    p->counted = true;
    puan_out_init(&o, a);
    rc = strata ? by_strata(&o, st, row, record, c, b, err) : PUAN_OK;
    puan_count_close(c);
    if (rc == PUAN_OK && strata)
        rc = puan_memory_file_open(&p->census, puan_out_view(&o), err);
    if (rc != PUAN_OK)
        return rc;
    say(p, strata ? "--census" : "--count");
    say(p, strata ? p->census.path
                  : puan_arena_fmt(a, "%lld", (long long)p->persons));
    return puan_arena_check(a, err);
}

enum puan_status puan_pes_open(struct puan_pes *p, struct puan_store *st,
                               const struct puan_sample_row *row,
                               struct puan_str by, struct puan_str base,
                               struct puan_arena *a, struct puan_err *err)
{
    enum base b;
    bool strata;

    *p = (struct puan_pes){ .census = { .fd = -1 } };
    p->seen.file.fd = -1;
    TRY(base_of(&b, base, err));
    if (!puan_str_is(row->purpose, "post-enumeration"))
        return puan_fail(err, PUAN_EINVAL, "sample",
                         "draw %lld is no post-enumeration sample but %.*s",
                         (long long)row->id, PUAN_FMT(row->purpose));
    TRY(puan_register_observed(&p->seen, st, row, a, err));
    say(p, "coverage");
    say(p, p->seen.file.path);
    for (size_t i = 0; i < p->seen.n; i++)
        say(p, p->seen.option[i]);
    strata =
        p->seen.strata_are_areas && (by.n == 0 || puan_str_is(by, "stratum"));
    if (by.n && !strata && !puan_str_is(by, "all")) {
        if (!puan_str_is(by, "stratum") && !has_column(&p->seen, by))
            return puan_fail(err, PUAN_ENOTFOUND, "by",
                             "the results of draw %lld have no column \"%.*s\"",
                             (long long)row->id, PUAN_FMT(by));
        say(p, "--by");
        say(p, puan_arena_dup(a, by));
        return puan_arena_check(a, err);
    }
    if (strata) {
        say(p, "--by");
        say(p, "stratum");
    }
    return domains(p, st, row, strata, b, a, err);
}

void puan_pes_close(struct puan_pes *p)
{
    puan_observed_close(&p->seen);
    puan_memory_file_close(&p->census);
}

/* ---- the report over HTTP
 * ---------------------------------------------------- */

const struct puan_param puan_coverage_params[3] = {
    { "sample", PUAN_PARAM_INT, offsetof(struct puan_coverage_in, sample), 1,
      INT64_MAX, false },
    { "by", PUAN_PARAM_TEXT, offsetof(struct puan_coverage_in, by), 1, 64,
      true },
    { "base", PUAN_PARAM_TEXT, offsetof(struct puan_coverage_in, base), 1, 16,
      true },
};

enum puan_status puan_coverage_area(int64_t *area, struct puan_request *rq,
                                    const void *v, struct puan_err *err)
{
    const struct puan_coverage_in *in = v;
    struct puan_sample_row row;

    TRY(puan_register_read(&row, rq->store, in->sample, rq->arena, err));
    *area = row.area;
    return PUAN_OK;
}

static enum puan_status report(struct puan_str *json, struct puan_pes *p,
                               struct puan_request *rq,
                               const struct puan_coverage_in *in,
                               struct puan_err *err)
{
    struct puan_sample_row row;
    char *argv[PUAN_COUNT(p->argv)];

    TRY(puan_register_read(&row, rq->store, in->sample, rq->arena, err));
    TRY(puan_pes_open(p, rq->store, &row, in->by, in->base, rq->arena, err));
    for (int i = 0; i < p->argc; i++)
        argv[i] = (char *)(uintptr_t)p->argv[i];
    return puan_coverage_json(json, p->argc, argv, rq->arena, err);
}

enum puan_status puan_coverage_show(struct puan_request *rq, const void *v,
                                    struct puan_err *err)
{
    const struct puan_coverage_in *in = v;
    struct puan_pes p = { .census = { .fd = -1 } };
    struct puan_str json = { "", 0 };
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st;

    p.seen.file.fd = -1;
    st = report(&json, &p, rq, in, err);
    puan_observed_fail(err, &p.seen);
    puan_pes_close(&p);
    if (st != PUAN_OK)
        return st;
    puan_request_act(
        &act, rq,
        puan_str_of(puan_arena_fmt(rq->arena, "sample/%lld/coverage",
                                   (long long)in->sample)));
    TRY(puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "file", p.seen.name);
    puan_jw_kinstant(w, "at", p.seen.at_ms,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kint(w, "rows", (int64_t)p.seen.rows);
    puan_jw_kint(w, "observed", (int64_t)p.seen.units);
    puan_jw_kint(w, "drawn", (int64_t)p.seen.drawn);
    puan_jw_kbool(w, "ultimate", p.seen.ultimate);
    if (p.counted)
        puan_jw_kint(w, "persons", p.persons);
    puan_jw_key(w, "columns");
    puan_jw_list(w);
    for (size_t i = 0; i < p.seen.n_columns; i++)
        puan_jw_str(w, p.seen.column[i]);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_key(w, "coverage");
    puan_jw_raw(w, json);
    puan_jw_end(w, '}');
    return PUAN_OK;
}
