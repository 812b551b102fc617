/*
 * One case of test/vectors inside PostgreSQL; for tests only.
 */
#include "ext/pg/host.h"

#include "base/json.h"
#include "case.h"

#include "fmgr.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(puan_pg_vector);

/* form text, program text, answers text: what it gives */
Datum puan_pg_vector(PG_FUNCTION_ARGS)
{
    struct puan_pg_memory m;
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_form *f;

    puan_pg_memory(&m, CurrentMemoryContext);
    if (puan_json_tree(&tree, puan_pg_str(PG_GETARG_TEXT_PP(0)), "form",
                       &m.arena, &err) != PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, &m.arena, &err) != PUAN_OK)
        puan_pg_throw(&err);
    PG_RETURN_TEXT_P(cstring_to_text(
        puan_vector_case(f, puan_pg_str(PG_GETARG_TEXT_PP(1)),
                         puan_pg_str(PG_GETARG_TEXT_PP(2)), &m.arena)));
}
