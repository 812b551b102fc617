/*
 * The offices' work behind the review: duplicates, acceptance, tables.
 */
#include "features/demo/demo.h"

#include <stdlib.h>

#include "features/demo/people.h"
#include "features/demo/review.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

/* ---- duplicates
 * ---------------------------------------------------------------- */

/* Which record of a group a visit would show to be the wrong one. */
static struct puan_fault *false_record(struct puan_demo *d,
                                       const struct puan_node *records,
                                       const struct puan_node **which)
{
    PUAN_NODE_EACH(r, records)
    {
        int64_t household = 0, line = 0;
        struct puan_fault *f;

        if (!puan_int_parse(&household,
                            puan_node_str_opt(r, "household", "")) ||
            !puan_int_parse(&line, puan_node_str_opt(r, "line", "")))
            continue;
        for (f = puan_true_of(&d->truth, household);
             f && f < d->truth.fault + d->truth.n && f->household == household;
             f++)
            if (!f->closed && f->line == (uint32_t)line &&
                puan_str_is(f->kind, "duplicate")) {
                *which = r;
                return f;
            }
    }
    return NULL;
}

/* Area codes rise in digits towards the field: the seat at the group's area,
 * or the first one above it whose level may decide. */
static int64_t deciding_area(const struct puan_demo *d, int64_t area)
{
    while (area > 0 && !puan_people_may(d, "duplicate.decide", area)) {
        int64_t up = 0;

        for (size_t i = 0; i < d->plan->n_levels; i++) {
            int64_t code = area;
            unsigned digits = 0;

            for (int64_t c = area; c > 0; c /= 10)
                digits++;
            if (d->plan->level[i].digits == 0 ||
                d->plan->level[i].digits >= digits)
                continue;
            for (; digits > d->plan->level[i].digits; digits--)
                code /= 10;
            up = code;
        }
        area = up;
    }
    return area;
}

struct sorted {
    int64_t groups, pairs, decided, left;
};

static enum puan_status decide(struct puan_demo *d,
                               const struct puan_node *group,
                               struct sorted *sum, struct puan_arena *a,
                               struct puan_err *err)
{
    const struct puan_node *which = NULL;
    struct puan_fault *f =
        false_record(d, puan_node_get(group, "records"), &which);
    int64_t id = 0, area = 0;
    struct puan_desk k;
    enum puan_status st;

    if (f == NULL) {
        sum->left++; /* nobody can say yet which one is wrong */
        return PUAN_OK;
    }
    st = puan_node_int(&id, group, "id", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&area, group, "area", 0, INT64_MAX, err);
    if (st != PUAN_OK)
        return st;
    area = deciding_area(d, area);
    st = puan_people_desk(&k, d, "duplicate.decide", area, err);
    if (st != PUAN_OK)
        return st;
    st = puan_desk_call(
        NULL, NULL, &k, "POST",
        puan_arena_fmt(a, "/duplicates/%lld/decide", (long long)id),
        puan_arena_fmt(a,
                       "{\"drop\":[{\"household\":\"%.*s\",\"line\":%.*s}],"
                       "\"reason\":\"两地核实，此处为重复登记 visited both: "
                       "registered twice\"}",
                       PUAN_FMT(puan_node_str_opt(which, "household", "")),
                       PUAN_FMT(puan_node_str_opt(which, "line", ""))),
        0, a, err);
    puan_desk_close(&k);
    if (st == PUAN_OK) {
        f->closed = true;
        sum->decided++;
    }
    return st;
}

/* What the search reported, for scoring it against the truth. */
static void note_groups(struct puan_sheet_out *out,
                        const struct puan_node *page)
{
    PUAN_NODE_EACH(g, puan_node_get(page, "items"))
    PUAN_NODE_EACH(r, puan_node_get(g, "records"))
    {
        puan_sheet_put_text(out, "duplicates");
        puan_sheet_put(out, puan_node_str_opt(r, "household", ""));
        puan_sheet_put(out, puan_node_str_opt(r, "line", ""));
        puan_sheet_end_row(out);
    }
}

/* One area: search, look at every group, decide those a visit clears up. */
static enum puan_status clear_up(struct puan_demo *d, int64_t top,
                                 struct puan_sheet_out *out, struct sorted *sum,
                                 struct puan_err *err)
{
    int64_t groups = 0, pairs = 0, cursor = 0;
    struct puan_node *reply = NULL;
    struct puan_desk k;
    struct puan_arena a;
    enum puan_status st = puan_people_desk(&k, d, "duplicate.view", top, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_people_search(&reply, d, top, &a, err);
    if (st == PUAN_OK)
        st = puan_node_int(&groups, reply, "groups", 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&pairs, reply, "pairs", 0, INT64_MAX, err);
    sum->groups += groups;
    sum->pairs += pairs;
    while (st == PUAN_OK) {
        struct puan_node *page = NULL;

        puan_arena_reset(&a);
        st = puan_desk_call(
            &page, NULL, &k, "GET",
            puan_arena_fmt(&a, "/duplicates?area=%lld&limit=500&cursor=%lld",
                           (long long)top, (long long)cursor),
            NULL, 0, &a, err);
        if (st != PUAN_OK)
            break;
        note_groups(out, page);
        PUAN_NODE_EACH(g, puan_node_get(page, "items"))
        if (st == PUAN_OK)
            st = decide(d, g, sum, &a, err);
        cursor = 0;
        (void)!puan_int_parse(&cursor, puan_node_str_opt(page, "next", "0"));
        if (cursor == 0)
            break;
    }
    puan_arena_clear(&a);
    puan_desk_close(&k);
    return st;
}

enum puan_status puan_demo_duplicates(struct puan_demo *d, struct puan_err *err)
{
    const char *file = puan_arena_fmt(&d->arena, "%s/duplicates.csv", d->o.dir);
    struct sorted sum = { 0, 0, 0, 0 };
    struct puan_sheet_out *out = NULL;
    enum puan_status st;

    puan_demo_stage(d, "duplicates", "查找重复登记",
                    "persons registered twice, and pairs living apart");
    st = puan_sheet_create(&out, file, err);
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_text(out, "detector");
    puan_sheet_put_text(out, "household");
    puan_sheet_put_text(out, "line");
    puan_sheet_end_row(out);
    for (size_t i = 0; st == PUAN_OK && i < d->n_tops; i++)
        st = clear_up(d, d->top[i], out, &sum, err);
    if (st == PUAN_OK)
        st = puan_sheet_finish(out, err);
    else
        puan_sheet_abandon(out);
    puan_jw_kint(&d->report, "searched_apart", (int64_t)d->n_tops);
    puan_jw_kint(&d->report, "duplicate_groups", sum.groups);
    puan_jw_kint(&d->report, "duplicates_decided", sum.decided);
    puan_jw_kint(&d->report, "pairs_living_apart", sum.pairs);
    puan_demo_say("重复登记 %lld 组，已裁定 %lld 组；"
                  "人户分离配对 %lld 对（不作重复）",
                  (long long)sum.groups, (long long)sum.decided,
                  (long long)sum.pairs);
    puan_demo_say("%lld persons registered twice, %lld decided; %lld pairs "
                  "living apart (no duplicates)",
                  (long long)sum.groups, (long long)sum.decided,
                  (long long)sum.pairs);
    return st;
}

/* ---- tables
 * ------------------------------------------------------------------------- */

/* The plan's tables of one area as CSV files. */
static enum puan_status fetch_tables(size_t *n, struct puan_demo *d,
                                     int64_t area, struct puan_err *err)
{
    struct puan_desk k;
    struct puan_arena a;
    enum puan_status st = puan_people_desk(&k, d, "evaluation.view", area, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_dir_make(puan_arena_fmt(&a, "%s/tables", d->o.dir), err);
    for (size_t i = 0; st == PUAN_OK && i < d->plan->n_tables; i++) {
        struct puan_http_call call = { .method = "GET", .token = k.token };
        struct puan_str id = d->plan->table[i].id;
        struct puan_http_reply r;

        call.path = puan_arena_fmt(&a,
                                   "/api/v1/c/%s/tables/%.*s?area=%lld&"
                                   "format=csv",
                                   d->campaign, PUAN_FMT(id), (long long)area);
        st = puan_http_call(&r, k.http, &call, err);
        if (st == PUAN_OK && r.status != 200)
            st = puan_fail(err, PUAN_EIO, "tables", "%.*s answered %u",
                           PUAN_FMT(id), r.status);
        if (st == PUAN_OK)
            st = puan_file_write(puan_arena_fmt(&a, "%s/tables/%lld-%.*s.csv",
                                                d->o.dir, (long long)area,
                                                PUAN_FMT(id)),
                                 r.body, 0644, err);
        *n += st == PUAN_OK;
    }
    puan_desk_close(&k);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_demo_tables(struct puan_demo *d, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    size_t n = 0;

    puan_demo_stage(d, "tables", "汇总", "tables");
    for (size_t i = 0; st == PUAN_OK && i < d->n_tops; i++)
        st = fetch_tables(&n, d, d->top[i], err);
    puan_jw_kint(&d->report, "tables", (int64_t)n);
    puan_demo_say("汇总表 %zu 张，写入 %s/tables", n, d->o.dir);
    puan_demo_say("%zu tables written to %s/tables", n, d->o.dir);
    return st;
}
