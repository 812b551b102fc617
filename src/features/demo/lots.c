/*
 * Acceptance: every area of every level that accepts, from the field upwards;
 * then one household answers anew, which voids the lots above it, and these
 * are accepted again.
 */
#include "features/demo/demo.h"

#include <time.h>

#include "features/demo/people.h"
#include "features/demo/review.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

struct sum {
    int64_t accepted, with_reason;
};

/* Accepts one area; a refusal is met with the reason that stands in the sheet.
 */
static enum puan_status accept_area(struct puan_demo *d, int64_t area,
                                    struct sum *sum, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_desk k;
    unsigned status = 0;
    enum puan_status st = puan_people_desk(&k, d, "lot.accept", area, err);

    if (st != PUAN_OK)
        return st;
    st = puan_desk_call(
        NULL, &status, &k, "POST", "/lots",
        puan_arena_fmt(a, "{\"area\":\"%lld\"}", (long long)area), 409, a, err);
    if (st == PUAN_OK && status == 409) {
        st = puan_desk_call(
            NULL, NULL, &k, "POST", "/lots",
            puan_arena_fmt(a,
                           "{\"area\":\"%lld\",\"reason\":\"已两次入户核实，"
                           "住户坚持所报，见查询记录 visited twice, the "
                           "household stands by its answers\"}",
                           (long long)area),
            0, a, err);
        sum->with_reason++;
    }
    puan_desk_close(&k);
    sum->accepted++;
    return st;
}

/* The areas of one level, from the area file of the simulation. */
static enum puan_status accept_level(struct puan_demo *d, struct puan_str level,
                                     struct sum *sum, struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    struct puan_arena a;
    int code, name;
    bool more;
    enum puan_status st = puan_sheet_open(
        &s, puan_arena_fmt(&d->arena, "%s/areas.csv", d->sim), err);

    puan_arena_init(&a, puan_os_alloc());
    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, "code", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&name, s, "level", err);
    while (st == PUAN_OK) {
        int64_t area;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        puan_arena_reset(&a);
        if (puan_str_eq(puan_sheet_row(s)->field[name], level) &&
            puan_int_parse(&area, puan_sheet_row(s)->field[code]))
            st = accept_area(d, area, sum, &a, err);
    }
    puan_sheet_close(s);
    puan_arena_clear(&a);
    return st;
}

/* A level accepts when some role that stands there may. */
static bool accepts(const struct puan_demo *d, size_t level)
{
    for (size_t i = 0; i < d->plan->n_roles; i++) {
        const struct puan_role *r = &d->plan->role[i];

        if (!r->external && r->credential == PUAN_CREDENTIAL_HUMAN &&
            (r->levels >> level & 1) &&
            puan_role_can(r, PUAN_STR("lot.accept")))
            return true;
    }
    return false;
}

/* Accepts everything, or only the areas that hold `household`. */
static enum puan_status accept_up(struct puan_demo *d, int64_t household,
                                  struct sum *sum, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t l = d->plan->ea_level;
         st == PUAN_OK && l >= d->plan->shard_level; l--) {
        struct puan_arena a;

        if (accepts(d, l)) {
            puan_arena_init(&a, puan_os_alloc());
            st =
                household
                    ? accept_area(
                          d, puan_plan_area_of_household(d->plan, household, l),
                          sum, &a, err)
                    : accept_level(d, d->plan->level[l].id, sum, err);
            puan_arena_clear(&a);
        }
        if (l == 0)
            break;
    }
    return st;
}

/* Lots of the county in that state. */
static enum puan_status count_lots(int64_t *n, struct puan_demo *d,
                                   int64_t county, const char *state,
                                   struct puan_err *err)
{
    struct puan_desk k;
    struct puan_arena a;
    int64_t cursor = 0;
    enum puan_status st = puan_people_desk(&k, d, "lot.view", county, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    *n = 0;
    do {
        struct puan_node *page = NULL;

        puan_arena_reset(&a);
        st =
            puan_desk_call(&page, NULL, &k, "GET",
                           puan_arena_fmt(&a,
                                          "/lots?area=%lld&limit=1000&"
                                          "cursor=%lld",
                                          (long long)county, (long long)cursor),
                           NULL, 0, &a, err);
        PUAN_NODE_EACH(l, puan_node_get(page, "items"))
        *n += puan_str_is(puan_node_str_opt(l, "state", ""), state);
        cursor = 0;
        (void)!puan_int_parse(&cursor, puan_node_str_opt(page, "next", "0"));
    } while (st == PUAN_OK && cursor != 0);
    puan_arena_clear(&a);
    puan_desk_close(&k);
    return st;
}

/* A household whose wrong answer nobody has found yet, or just the first. */
static int64_t late_household(const struct puan_demo *d, size_t *county)
{
    for (size_t i = 0; i < d->truth.n; i++) {
        const struct puan_fault *f = &d->truth.fault[i];

        if (f->closed || !puan_str_starts(f->kind, "item:"))
            continue;
        for (size_t k = 0; k < d->n_counties; k++)
            if (puan_city_find(d->city[k], f->household)) {
                *county = k;
                return f->household;
            }
    }
    *county = 0;
    return puan_city_n(d->city[0]) ? puan_city_visit(d->city[0], 0)->household
                                   : 0;
}

enum puan_status puan_demo_lots(struct puan_demo *d, struct puan_err *err)
{
    const struct timespec twentieth = { 0, 50000000 };
    struct sum sum = { 0, 0 };
    int64_t household, voided = 0;
    size_t county = 0;
    enum puan_status st;

    puan_demo_stage(d, "lots", "分级验收", "acceptance, level by level");
    st = accept_up(d, 0, &sum, err);
    if (st != PUAN_OK)
        return st;
    household = late_household(d, &county);
    st = puan_demo_again(d, household,
                         "验收后电话核实发现疑问 doubt after acceptance", err);
    /* the parcel to the office store is delivered behind the commit */
    for (int i = 0; st == PUAN_OK && i < 200 && voided == 0; i++) {
        nanosleep(&twentieth, NULL);
        st = count_lots(&voided, d, d->county[county], "void", err);
    }
    if (st == PUAN_OK && voided == 0)
        st = puan_fail(err, PUAN_EBUG, "lots",
                       "a return changed and no lot was voided");
    if (st == PUAN_OK)
        st = accept_up(d, household, &sum, err);
    puan_jw_kint(&d->report, "lots_accepted", sum.accepted);
    puan_jw_kint(&d->report, "lots_accepted_with_reason", sum.with_reason);
    puan_jw_kint(&d->report, "lots_voided", voided);
    puan_demo_say("通过验收 %lld 次（其中附理由保留问题 %lld 次），"
                  "因事后改动作废 %lld 次",
                  (long long)sum.accepted, (long long)sum.with_reason,
                  (long long)voided);
    puan_demo_say("%lld acceptances (%lld with a reason for what is open), "
                  "%lld voided by a later change",
                  (long long)sum.accepted, (long long)sum.with_reason,
                  (long long)voided);
    return st;
}
