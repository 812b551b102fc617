/*
 * Rules of a plan over the documents of returns.
 */
#include "ext/pg/plan.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "catalog/pg_type.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(puan_pg_version);
PG_FUNCTION_INFO_V1(puan_pg_plan_check);
PG_FUNCTION_INFO_V1(puan_pg_findings);
PG_FUNCTION_INFO_V1(puan_pg_counts);

Datum puan_pg_version(PG_FUNCTION_ARGS)
{
    (void)fcinfo;
    PG_RETURN_TEXT_P(cstring_to_text(PUAN_VERSION));
}

static text *text_of(struct puan_str s)
{
    return cstring_to_text_with_len(s.p, (int)s.n);
}

/* ---- plan_check ---- */

Datum puan_pg_plan_check(PG_FUNCTION_ARGS)
{
    struct puan_str pack = puan_pg_str(PG_GETARG_TEXT_PP(0));
    MemoryContext cx = AllocSetContextCreate(CurrentMemoryContext, "puan plan",
                                             ALLOCSET_DEFAULT_SIZES);
    struct puan_err err = { 0 };
    struct puan_pg_plan *p;
    ReturnSetInfo *set;

    InitMaterializedSRF(fcinfo, 0);
    set = (ReturnSetInfo *)fcinfo->resultinfo;
    if (puan_pg_plan_load(&p, cx, pack, &err) != PUAN_OK)
        puan_pg_throw(&err);
    for (size_t i = 0; i < p->n; i++) {
        Datum v[3];
        bool null[3] = { false };

        v[0] = PointerGetDatum(text_of(p->name));
        v[1] = PointerGetDatum(text_of(p->form[i]->id));
        v[2] = Int32GetDatum((int32)puan_ruleset_count(p->rules[i]));
        tuplestore_putvalues(set->setResult, set->setDesc, v, null);
    }
    MemoryContextDelete(cx);
    return (Datum)0;
}

/* ---- one document ---- */

/* What a call site keeps: the plan is found once a query. */
struct site {
    struct puan_str name;
    const struct puan_pg_plan *plan;
    struct puan_pg_memory call;
};

static struct site *site_of(FunctionCallInfo fcinfo, struct puan_str name)
{
    struct site *s = fcinfo->flinfo->fn_extra;

    if (s == NULL) {
        s = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(*s));
        puan_pg_memory(&s->call, fcinfo->flinfo->fn_mcxt);
        fcinfo->flinfo->fn_extra = s;
    }
    if (s->plan == NULL || !puan_str_eq(s->name, name)) {
        s->plan = puan_pg_plan_find(name);
        s->name = s->plan->name;
    }
    puan_arena_reset(&s->call.arena);
    return s;
}

/* Arguments plan, form, document, route; the findings live until the next. */
static const struct puan_ruleset *run(struct puan_findings *out,
                                      const struct puan_form **form,
                                      FunctionCallInfo fcinfo)
{
    struct puan_str name = puan_pg_str(PG_GETARG_TEXT_PP(0));
    struct puan_str id = puan_pg_str(PG_GETARG_TEXT_PP(1));
    struct puan_str document = puan_pg_str(PG_GETARG_TEXT_PP(2));
    struct site *s = site_of(fcinfo, name);
    struct puan_arena *a = &s->call.arena;
    int i = puan_pg_plan_form(s->plan, id);
    struct puan_return_head head;
    struct puan_err err = { 0 };
    struct puan_record r;
    enum puan_status st;

    if (i < 0)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_OBJECT),
                 errmsg("plan \"%.*s\" has no form \"%.*s\"", PUAN_FMT(name),
                        PUAN_FMT(id))));
    *form = s->plan->form[i];
    st = puan_record_read(&r, &head, form, 1, document, a, &err);
    if (st == PUAN_OK) {
        if (PG_GETARG_BOOL(3))
            puan_routing_apply(s->plan->routing[i], &r);
        puan_record_facts(&r);
        st = puan_ruleset_run(out, s->plan->rules[i], &r, a, &err);
    }
    if (st != PUAN_OK)
        puan_pg_throw(&err);
    return s->plan->rules[i];
}

/* Names of the items a rule reads. */
static Datum items_of(const struct puan_form *form,
                      const struct puan_rule_info *info)
{
    Datum *name = palloc((info->n_items + 1) * sizeof(*name));

    for (size_t i = 0; i < info->n_items; i++) {
        const struct puan_item_ref *ref = &info->items[i];

        name[i] = PointerGetDatum(
            text_of(form->entity[ref->entity].items[ref->item].name));
    }
    return PointerGetDatum(construct_array(name, (int)info->n_items, TEXTOID,
                                           -1, false, TYPALIGN_INT));
}

Datum puan_pg_findings(PG_FUNCTION_ARGS)
{
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    struct puan_findings f = { 0 };
    ReturnSetInfo *set;

    InitMaterializedSRF(fcinfo, 0);
    set = (ReturnSetInfo *)fcinfo->resultinfo;
    rs = run(&f, &form, fcinfo);
    for (size_t i = 0; i < f.n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(rs, f.list[i].rule);
        const struct puan_entity *e = &form->entity[info->entity];
        Datum v[7];
        bool null[7] = { false };

        v[0] = PointerGetDatum(text_of(info->id));
        v[1] = PointerGetDatum(
            cstring_to_text(info->severity == PUAN_HARD ? "hard" : "soft"));
        v[2] = PointerGetDatum(text_of(e->name));
        v[3] = Int32GetDatum(e->roster ? (int32)f.list[i].row + 1 : 0);
        v[4] = items_of(form, info);
        v[5] = PointerGetDatum(text_of(info->zh));
        v[6] = PointerGetDatum(text_of(info->en));
        tuplestore_putvalues(set->setResult, set->setDesc, v, null);
    }
    return (Datum)0;
}

Datum puan_pg_counts(PG_FUNCTION_ARGS)
{
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    struct puan_findings f = { 0 };
    TupleDesc desc;
    Datum v[4];
    bool null[4] = { false };
    int32 hard = 0;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "puan: counts gives a row");
    desc = BlessTupleDesc(desc);
    rs = run(&f, &form, fcinfo);
    for (size_t i = 0; i < f.n; i++)
        hard += puan_ruleset_info(rs, f.list[i].rule)->severity == PUAN_HARD;
    v[0] = Int32GetDatum(hard);
    v[1] = Int32GetDatum((int32)f.n - hard);
    v[2] = Int32GetDatum((int32)f.evaluated);
    v[3] = Int32GetDatum((int32)f.not_evaluable);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, v, null)));
}
