/*
 * What PostgreSQL lends the core: memory of a context, and how a failure is
 * told.  The core itself never sees PostgreSQL.
 *
 * Depends on: base, PostgreSQL's server headers.
 */
#ifndef PUAN_EXT_PG_HOST_H
#define PUAN_EXT_PG_HOST_H

#include "postgres.h"

#include "base/arena.h"

/* An arena over a memory context, which frees it all when it is deleted. */
struct puan_pg_memory {
    struct puan_alloc host;
    struct puan_arena arena;
};
void puan_pg_memory(struct puan_pg_memory *m, MemoryContext cx);

/* Raises the failure with its place; never returns. */
void puan_pg_throw(const struct puan_err *err) pg_attribute_noreturn();

/* A text argument, borrowed from where PostgreSQL unpacked it. */
struct puan_str puan_pg_str(const text *t);

#endif
