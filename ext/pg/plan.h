/*
 * Plans of the table puan.plan, loaded and compiled once a session.
 *
 * A loaded plan never changes and stays until the session ends: a query that
 * began with it may still hold it when another version is put.
 */
#ifndef PUAN_EXT_PG_PLAN_H
#define PUAN_EXT_PG_PLAN_H

#include "core/plan/routing.h"
#include "ext/pg/host.h"

#define PUAN_PG_FORMS 32

struct puan_pg_plan {
    struct puan_pg_plan *next;
    struct puan_str name, mark;
    struct puan_pg_memory memory;
    const struct puan_form *form[PUAN_PG_FORMS];
    const struct puan_ruleset *rules[PUAN_PG_FORMS];
    const struct puan_routing *routing[PUAN_PG_FORMS];
    size_t n;
};

/*
 * A pack's text, loaded into `cx`.
 *
 * EINVAL  no JSON, a faulty form or rule
 */
PUAN_MUST_USE enum puan_status puan_pg_plan_load(struct puan_pg_plan **out,
                                                 MemoryContext cx,
                                                 struct puan_str pack,
                                                 struct puan_err *err);
/* The plan of that name as the table has it now; raises when there is none. */
const struct puan_pg_plan *puan_pg_plan_find(struct puan_str name);
/* Its form, or -1. */
int puan_pg_plan_form(const struct puan_pg_plan *p, struct puan_str id);

#endif
