/*
 * Rules as text over one row of any table or query: its columns are the items
 * of a form of one entity.
 */
#include "ext/pg/host.h"

#include "base/calendar.h"
#include "base/json.h"
#include "base/out.h"
#include "core/rule/rule.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(puan_pg_row_findings);
PG_FUNCTION_INFO_V1(puan_pg_row_holds);

/* days from 1970-01-01 to PostgreSQL's 2000-01-01 */
#define PG_EPOCH (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

struct column {
    int16 attribute; /* of the row, from 0 */
    uint16_t item;
    Oid type;
    unsigned places; /* numeric */
};

/* What a call site keeps for rows of one type and one text. */
struct site {
    MemoryContext cx; /* of what was compiled */
    Oid type;
    int32 typmod;
    struct puan_str text, level;
    TupleDesc desc;
    struct puan_pg_memory keep, call;
    const struct puan_form *form;
    const struct puan_ruleset *rules;
    const struct puan_expr *expr;
    struct column *column;
    size_t n;
    Datum *values;
    bool *nulls;
    Datum *id; /* of each rule, made once */
};

/* ---- the form of a row ---- */

/* Places of numeric(p, s); -1 without s. */
static int places_of(int32 typmod)
{
    int scale;

    if (typmod < (int32)VARHDRSZ)
        return -1;
    scale = (((typmod - (int32)VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
    return scale < 0 ? 0 : scale;
}

/* The item's definition for a column, "" when its type has no use in rules. */
static const char *item_json(struct puan_arena *a, Form_pg_attribute att,
                             unsigned *places)
{
    int n;

    *places = 0;
    switch (att->atttypid) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case BOOLOID:
        return "\"type\":\"int\",\"min\":\"-9223372036854775807\","
               "\"max\":\"9223372036854775807\"";
    case DATEOID:
        return "\"type\":\"date\"";
    case NUMERICOID:
        n = places_of(att->atttypmod);
        if (n < 0 || n > 9)
            ereport(ERROR,
                    (errcode(ERRCODE_DATATYPE_MISMATCH),
                     errmsg("column \"%s\" is numeric without at most 9 "
                            "decimals",
                            NameStr(att->attname)),
                     errhint("Cast it, as in x::numeric(18,2).")));
        *places = (unsigned)n;
        if (n == 0)
            return "\"type\":\"int\",\"min\":\"-9223372036854775807\","
                   "\"max\":\"9223372036854775807\"";
        return puan_arena_fmt(a, "\"type\":\"decimal\",\"places\":%d,"
                                 "\"min\":\"-999999999\",\"max\":\"999999999\"",
                              n);
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
        return "\"type\":\"text\"";
    default:
        return "";
    }
}

/* A column that can be named in the rule language. */
static bool nameable(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > 31 || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') ||
              (name[i] >= 'A' && name[i] <= 'Z') ||
              (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
            return false;
    return true;
}

static enum puan_status row_form(struct site *s, struct puan_err *err)
{
    struct puan_arena *a = &s->keep.arena;
    struct puan_form *f = NULL;
    struct puan_node *tree;
    struct puan_out o;
    enum puan_status st;

    puan_out_init(&o, a);
    puan_out_fmt(&o,
                 "{\"form\":\"row\",\"zh\":\"row\",\"en\":\"row\","
                 "\"entities\":{\"%.*s\":{\"zh\":\"row\",\"en\":\"row\","
                 "\"items\":{",
                 PUAN_FMT(s->level));
    for (int i = 0; i < s->desc->natts; i++) {
        Form_pg_attribute att = TupleDescAttr(s->desc, i);
        const char *name = NameStr(att->attname), *json;
        unsigned places;

        if (att->attisdropped || !nameable(name))
            continue;
        json = item_json(a, att, &places);
        if (!*json)
            continue;
        puan_out_fmt(&o, "%s\"%s\":{%s,\"zh\":\"%s\",\"en\":\"%s\"}",
                     s->n ? "," : "", name, json, name, name);
        s->column[s->n] = (struct column){ (int16)i, (uint16_t)s->n,
                                           att->atttypid, places };
        s->n++;
    }
    puan_out_text(&o, "}}}}");
    if (s->n == 0)
        return puan_fail(err, PUAN_EINVAL, "row",
                         "no column has a type that rules can read");
    st = puan_json_tree(&tree, puan_out_view(&o), "row", a, err);
    if (st == PUAN_OK)
        st = puan_form_load(&f, tree, NULL, NULL, a, err);
    s->form = f;
    return st;
}

/* ---- the call site ---- */

static enum puan_status compile(struct site *s, bool rules,
                                struct puan_err *err)
{
    struct puan_arena *a = &s->keep.arena;
    const char *file = "rules";
    struct puan_ruleset *rs = NULL;
    struct puan_expr *e = NULL;
    const struct puan_rule_skip *skip;
    enum puan_status st;
    size_t skips = 0;

    if (!rules) {
        st = puan_expr_compile_truth(&e, s->form, 0, NULL, 0, s->text,
                                     "condition", 1, a, err);
        s->expr = e;
        return st;
    }
    st = puan_ruleset_compile(&rs, s->form, NULL, 0, &s->text, &file, 1, a, err);
    if (st != PUAN_OK)
        return st;
    skip = puan_ruleset_skips(rs, &skips);
    if (skips > 0)
        return puan_fail_at(err, PUAN_EINVAL, "rules", skip->line, skip->col,
                            "%s", skip->why);
    s->rules = rs;
    s->id = MemoryContextAlloc(s->cx, (puan_ruleset_count(rs) + 1) *
                                          sizeof(*s->id));
    for (size_t i = 0; i < puan_ruleset_count(rs); i++) {
        struct puan_str id = puan_ruleset_info(rs, i)->id;
        MemoryContext before = MemoryContextSwitchTo(s->cx);

        s->id[i] =
            PointerGetDatum(cstring_to_text_with_len(id.p, (int)id.n));
        MemoryContextSwitchTo(before);
    }
    return PUAN_OK;
}

static struct site *site_of(FunctionCallInfo fcinfo, struct puan_str text,
                            struct puan_str level, HeapTupleHeader row,
                            bool rules)
{
    struct site *s = fcinfo->flinfo->fn_extra;
    Oid type = HeapTupleHeaderGetTypeId(row);
    int32 typmod = HeapTupleHeaderGetTypMod(row);
    MemoryContext top = fcinfo->flinfo->fn_mcxt, before;
    struct puan_err err = { 0 };

    if (s != NULL && s->form != NULL && s->type == type &&
        s->typmod == typmod && puan_str_eq(s->text, text) &&
        puan_str_eq(s->level, level)) {
        puan_arena_reset(&s->call.arena);
        return s;
    }
    if (s == NULL) {
        s = MemoryContextAllocZero(top, sizeof(*s));
        s->cx = AllocSetContextCreate(top, "puan rules",
                                      ALLOCSET_DEFAULT_SIZES);
        fcinfo->flinfo->fn_extra = s;
    }
    MemoryContextReset(s->cx);
    *s = (struct site){ .cx = s->cx, .type = type, .typmod = typmod };
    puan_pg_memory(&s->keep, s->cx);
    puan_pg_memory(&s->call, s->cx);
    s->text = puan_arena_keep(&s->keep.arena, text);
    s->level = puan_arena_keep(&s->keep.arena, level);
    before = MemoryContextSwitchTo(s->cx);
    s->desc = lookup_rowtype_tupdesc_copy(type, typmod);
    s->column = palloc0((size_t)(s->desc->natts + 1) * sizeof(*s->column));
    s->values = palloc((size_t)(s->desc->natts + 1) * sizeof(Datum));
    s->nulls = palloc((size_t)(s->desc->natts + 1) * sizeof(bool));
    MemoryContextSwitchTo(before);
    if (row_form(s, &err) != PUAN_OK || compile(s, rules, &err) != PUAN_OK) {
        s->form = NULL;
        puan_pg_throw(&err);
    }
    return s;
}

/* ---- one row ---- */

/* The value as the core has it; false when it is beyond what fits. */
static bool value_of(int64_t *v, const struct column *c, Datum d)
{
    struct puan_str s;

    switch (c->type) {
    case INT2OID:
        *v = DatumGetInt16(d);
        return true;
    case INT4OID:
        *v = DatumGetInt32(d);
        return true;
    case INT8OID:
        *v = DatumGetInt64(d);
        return true;
    case BOOLOID:
        *v = DatumGetBool(d) ? 1 : 0;
        return true;
    case DATEOID:
        if (DATE_NOT_FINITE(DatumGetDateADT(d)))
            return false;
        *v = (int64_t)DatumGetDateADT(d) + PG_EPOCH;
        return true;
    case NUMERICOID:
        s = puan_str_of(DatumGetCString(DirectFunctionCall1(numeric_out, d)));
        return puan_fixed_parse(v, s, c->places);
    default:
        *v = 0;
        return true;
    }
}

static void fill(struct puan_record *r, struct site *s, HeapTupleHeader row)
{
    uint32_t rows[PUAN_FORM_ENTITIES] = { 1 };
    struct puan_err err = { 0 };
    HeapTupleData tuple = { .t_len = HeapTupleHeaderGetDatumLength(row),
                            .t_data = row };

    ItemPointerSetInvalid(&tuple.t_self);
    heap_deform_tuple(&tuple, s->desc, s->values, s->nulls);
    if (puan_record_new(r, s->form, rows, &s->call.arena, &err) != PUAN_OK)
        puan_pg_throw(&err);
    for (size_t i = 0; i < s->n; i++) {
        const struct column *c = &s->column[i];
        int64_t v = 0;

        if (s->nulls[c->attribute]) {
            r->rows[0].st[c->item] = PUAN_MISSING;
            continue;
        }
        r->rows[0].st[c->item] =
            value_of(&v, c, s->values[c->attribute]) ? PUAN_GIVEN
                                                     : PUAN_INVALID;
        r->rows[0].v[c->item] = v;
    }
}

Datum puan_pg_row_findings(PG_FUNCTION_ARGS)
{
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
    struct site *s = site_of(fcinfo, puan_pg_str(PG_GETARG_TEXT_PP(0)),
                             puan_pg_str(PG_GETARG_TEXT_PP(2)), row, true);
    struct puan_findings f = { 0 };
    struct puan_err err = { 0 };
    struct puan_record r;
    Datum *id;

    fill(&r, s, row);
    if (puan_ruleset_run(&f, s->rules, &r, &s->call.arena, &err) != PUAN_OK)
        puan_pg_throw(&err);
    if (f.n == 0)
        PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
    id = palloc(f.n * sizeof(*id));
    for (size_t i = 0; i < f.n; i++)
        id[i] = s->id[f.list[i].rule];
    PG_RETURN_ARRAYTYPE_P(
        construct_array(id, (int)f.n, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum puan_pg_row_holds(PG_FUNCTION_ARGS)
{
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
    struct site *s = site_of(fcinfo, puan_pg_str(PG_GETARG_TEXT_PP(0)),
                             PUAN_STR("row_"), row, false);
    struct puan_record r;
    enum puan_truth t;

    fill(&r, s, row);
    t = puan_expr_truth(s->expr, &r, 0);
    if (t == PUAN_UNKNOWN)
        PG_RETURN_NULL();
    PG_RETURN_BOOL(t == PUAN_TRUE);
}
