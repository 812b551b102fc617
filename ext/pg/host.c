/*
 * Memory and failures between the core and PostgreSQL.
 */
#include "ext/pg/host.h"

#include "utils/memutils.h"

static void *get(void *ctx, size_t n)
{
    return MemoryContextAllocExtended(ctx, n,
                                      MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
}

static void put(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    pfree(p);
}

void puan_pg_memory(struct puan_pg_memory *m, MemoryContext cx)
{
    m->host = (struct puan_alloc){ get, put, cx };
    puan_arena_init(&m->arena, &m->host);
}

static int sqlstate(enum puan_status code)
{
    switch (code) {
    case PUAN_EINVAL:
        return ERRCODE_INVALID_PARAMETER_VALUE;
    case PUAN_ENOTFOUND:
        return ERRCODE_UNDEFINED_OBJECT;
    case PUAN_ECONFLICT:
        return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    case PUAN_EDENIED:
        return ERRCODE_INSUFFICIENT_PRIVILEGE;
    case PUAN_ELIMIT:
        return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case PUAN_EBUSY:
        return ERRCODE_LOCK_NOT_AVAILABLE;
    case PUAN_EIO:
    case PUAN_EWRITE:
        return ERRCODE_IO_ERROR;
    case PUAN_ENOMEM:
        return ERRCODE_OUT_OF_MEMORY;
    case PUAN_OK:
    case PUAN_EBUG:
        break;
    }
    return ERRCODE_INTERNAL_ERROR;
}

void puan_pg_throw(const struct puan_err *err)
{
    if (err->line)
        ereport(ERROR, (errcode(sqlstate(err->code)),
                        errmsg("%s:%u:%u: %s", err->where, err->line, err->col,
                               err->text)));
    ereport(ERROR, (errcode(sqlstate(err->code)),
                    errmsg("%s%s%s", err->where, err->where[0] ? ": " : "",
                           err->text)));
}

struct puan_str puan_pg_str(const text *t)
{
    return (struct puan_str){ VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t) };
}
