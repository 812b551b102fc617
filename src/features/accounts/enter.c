/*
 * A device credential used without a session: by clients that carry it in
 * every request (features/openrosa).
 */
#include "features/accounts/internal.h"

#include "kit/crypto/crypto.h"

enum puan_status puan_device_enter(struct puan_request *rq,
                                   struct puan_str name,
                                   struct puan_str secret,
                                   struct puan_err *err)
{
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint64_t key = login_name_hash(a, PUAN_CRED_DEVICE, name);
    int64_t wait = attempts_wait(a->attempts, key, NULL, rq->real_now);
    struct machine m = { 0 };
    uint8_t hash[16];
    bool good;

    if (wait > 0)
        return puan_fail(err, PUAN_ELIMIT, "key",
                         "too many failed attempts; try again in %lld s",
                         (long long)(wait / 1000 + 1));
    good = machines_find(&m, a->machines, PUAN_CRED_DEVICE, name);
    machine_hash(hash, rq->store, PUAN_CRED_DEVICE, name, secret);
    good = puan_equal_const(hash, m.hash, sizeof(hash)) && good && !m.ended &&
           m.from_ms <= rq->now && (!m.until_ms || m.until_ms > rq->now) &&
           m.role >= 0;
    if (!good) {
        atomic_fetch_add(&a->failed, 1);
        if (attempts_failed(a->attempts, key, NULL, rq->real_now,
                            (int)puan_plan_number(plan, "login_attempts", 5),
                            puan_plan_number(plan, "login_lock", 15 * 60000)))
            atomic_fetch_add(&a->locked, 1);
        return puan_fail(err, PUAN_EDENIED, "key",
                         "this address is not, or no longer, valid");
    }
    login_who_of_machine(&rq->who, plan, PUAN_CRED_DEVICE, &m);
    rq->area = rq->who.area;
    return PUAN_OK;
}
