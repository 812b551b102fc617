/*
 * What cases ask of returns: how many of an area are estimates, kept apart by
 * an office or imported as such.
 */
#include "features/cases/internal.h"
#include "features/estimates/estimates.h"
#include "features/ingest/ingest.h"

static enum puan_status one(void *arg, const struct puan_ret *r,
                            struct puan_err *err)
{
    (void)err;
    if (puan_str_is(r->head.mode, "office-estimate"))
        ++*(int64_t *)arg;
    return PUAN_OK;
}

enum puan_status puan_case_estimates(struct puan_case_facts *out,
                                     struct puan_store *st, int64_t area,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    int64_t n = 0, apart = 0, from = 0, to = 0;
    struct puan_shard *own = puan_store_shard_of_area(st, area);

    (void)a;
    puan_area_keys(&from, &to, st, area);
    for (size_t i = 1; i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        enum puan_status rc;

        if (own != NULL && sh != own)
            continue;
        rc = puan_ret_each(sh, from, to, one, &n, err);
        if (rc != PUAN_OK)
            return rc;
    }
    TRY(puan_estimates_open(&apart, st, area, err));
    puan_case_fact(out, "open.estimate", n + apart);
    return PUAN_OK;
}
