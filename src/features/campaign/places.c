/*
 * Finding one's way: which campaign this is, and the areas a seat stands
 * above, by parent and by name or code.  Names of areas only; nothing counted.
 */
#include "base/calendar.h"
#include "core/area/area.h"
#include "features/campaign/internal.h"
#include "features/host/host.h"
#include "features/host/request.h"

/* ---- the campaign ----------------------------------------------------------------- */

/* Is a window for units that report by a channel of their own, and for none else? */
static bool of_units(const struct puan_plan *plan, const struct puan_window *x)
{
    for (size_t k = 0; k < x->n_forms; k++)
        if (puan_plan_channel_of(plan, x->forms[k]) == NULL)
            return false;
    return x->n_forms > 0;
}

enum puan_status puan_campaign_about(struct puan_request *rq, const void *in,
                                     struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = t && t->n ? puan_area_find(t, puan_area_top(rq->store))
                             : PUAN_AREA_NONE;
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)in;
    (void)err;
    puan_jw_map(w);
    puan_jw_kstr(w, "campaign", plan->id);
    puan_jw_kstr(w, "version", plan->version);
    puan_jw_kstr(w, "zh", plan->zh);
    puan_jw_kstr(w, "en", plan->en);
    puan_jw_ktext(w, "birth", puan_store_birth(rq->store));
    puan_jw_kinstant(w, "now", rq->now, plan->offset_minutes);
    puan_jw_kint(w, "offset_minutes", plan->offset_minutes);
    if (plan->reference_ms)
        puan_jw_kinstant(w, "reference", plan->reference_ms,
                         plan->offset_minutes);
    puan_jw_kdigest(w, "plan_digest", plan->digest);
    if (top != PUAN_AREA_NONE) {
        puan_jw_kcode(w, "area", t->area[top].code);
        puan_jw_kstr(w, "area_zh", t->area[top].zh);
        puan_jw_kstr(w, "area_en", t->area[top].en);
    }
    puan_jw_key(w, "levels");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_levels; i++) {
        const struct puan_level *l = &plan->level[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "level", l->id);
        puan_jw_kstr(w, "zh", l->zh);
        puan_jw_kstr(w, "en", l->en);
        puan_jw_kstr(w, "office_zh", l->office_zh);
        puan_jw_kstr(w, "office_en", l->office_en);
        puan_jw_kint(w, "digits", l->digits);
        puan_jw_kbool(w, "external", l->external);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kint(w, "household_digits", plan->household_digits);
    puan_jw_key(w, "windows");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *x = &plan->window[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->id);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        puan_jw_kinstant(w, "from", x->from_ms, plan->offset_minutes);
        puan_jw_kinstant(w, "until", x->until_ms, plan->offset_minutes);
        puan_jw_kbool(w, "open",
                      x->from_ms <= rq->now && rq->now < x->until_ms);
        puan_jw_key(w, "modes");
        puan_jw_list(w);
        for (size_t m = 0; m < x->n_modes; m++)
            puan_jw_str(w, x->modes[m]);
        puan_jw_end(w, ']');
        puan_jw_key(w, "forms");
        puan_jw_list(w);
        for (size_t k = 0; k < x->n_forms; k++)
            puan_jw_str(w, x->forms[k]);
        puan_jw_end(w, ']');
        puan_jw_kbool(w, "units", of_units(plan, x));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- areas ---------------------------------------------------------------------------- */

static int64_t today(const struct puan_request *rq)
{
    return puan_instant_day(rq->now,
                            puan_store_plan(rq->store)->offset_minutes);
}

static void put_members(struct puan_jw *w, const struct puan_area_tree *t,
                        uint32_t i, int64_t day)
{
    const struct puan_area *a = &t->area[i];
    int64_t n = 0;

    for (uint32_t k = i + 1; k < a->end; k = t->area[k].end)
        n += puan_area_valid(t, k, day);
    puan_jw_kstr(w, "code", a->digits);
    puan_jw_kstr(w, "parent", a->parent == PUAN_AREA_NONE
                                  ? PUAN_STR("")
                                  : t->area[a->parent].digits);
    puan_jw_kstr(w, "level", t->level[a->level].name);
    puan_jw_kstr(w, "zh", a->zh);
    puan_jw_kstr(w, "en", a->en);
    puan_jw_ktext(w, "kind",
                  puan_area_kind_name((enum puan_area_kind)a->kind));
    puan_jw_kint(w, "n", n);
}

/* "path": from the seat's root down to the area before `i`. */
static void put_path(struct puan_jw *w, const struct puan_area_tree *t,
                     uint32_t root, uint32_t i)
{
    uint32_t up[PUAN_AREA_LEVELS];
    size_t n = 0;

    for (uint32_t k = i; k != root && k != PUAN_AREA_NONE;) {
        k = t->area[k].parent;
        if (k != PUAN_AREA_NONE && n < PUAN_COUNT(up))
            up[n++] = k;
    }
    puan_jw_key(w, "path");
    puan_jw_list(w);
    while (n-- > 0) {
        puan_jw_map(w);
        puan_jw_kstr(w, "code", t->area[up[n]].digits);
        puan_jw_kstr(w, "zh", t->area[up[n]].zh);
        puan_jw_kstr(w, "en", t->area[up[n]].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* Hops from `base` down to i. */
static unsigned depth_of(const struct puan_area_tree *t, uint32_t base,
                         uint32_t i)
{
    unsigned n = 0;

    for (; i != base && i != PUAN_AREA_NONE; n++)
        i = t->area[i].parent;
    return n;
}

/* Where the seat's own area begins; ENOTFOUND while no area was imported. */
static enum puan_status root_of(uint32_t *root, struct puan_request *rq,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);

    *root = PUAN_AREA_NONE;
    /* a household has no area to look around in */
    if (t && t->n && rq->who.credential != PUAN_CRED_HOUSEHOLD) {
        *root = puan_area_find(t, rq->area);
        if (*root == PUAN_AREA_NONE) /* a seat above the installation */
            *root = puan_area_find(t, puan_area_top(rq->store));
    }
    return *root == PUAN_AREA_NONE
               ? puan_fail(err, PUAN_ENOTFOUND, "areas",
                           "there are none here")
               : PUAN_OK;
}

enum puan_status puan_campaign_areas(struct puan_request *rq, const void *arg,
                                     struct puan_err *err)
{
    const struct puan_areas_in *in = arg;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    unsigned depth = in->depth ? (unsigned)in->depth : 1;
    int64_t left = puan_page_limit(&in->page), next = 0, day = today(rq);
    uint32_t root, base, i;
    struct puan_jw *w;
    enum puan_status st = root_of(&root, rq, err);

    if (st != PUAN_OK)
        return st;
    base = in->parent ? puan_area_find(t, in->parent) : root;
    /* outside the seat's area and nowhere look the same */
    if (base == PUAN_AREA_NONE || !puan_area_contains(t, root, base))
        return puan_fail(err, PUAN_ENOTFOUND, "parent",
                         "there is no such area here");
    i = base + 1;
    if (in->page.cursor) {
        i = puan_area_find(t, in->page.cursor);
        if (i == PUAN_AREA_NONE || i == base || !puan_area_contains(t, base, i))
            return puan_fail(err, PUAN_EINVAL, "cursor",
                             "is none this server gave");
        i = depth_of(t, base, i) >= depth ? t->area[i].end : i + 1;
    }
    w = puan_answer_items(rq);
    while (i < t->area[base].end) {
        unsigned d = depth_of(t, base, i);

        if (puan_area_valid(t, i, day)) {
            if (left-- == 0)
                break;
            puan_jw_map(w);
            put_members(w, t, i, day);
            puan_jw_end(w, '}');
            next = t->area[i].code;
        }
        i = d >= depth ? t->area[i].end : i + 1;
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "at");
    puan_jw_map(w);
    put_members(w, t, base, day);
    put_path(w, t, root, base);
    puan_jw_end(w, '}');
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_key(w, "next");
    if (i < t->area[base].end)
        puan_jw_int(w, next);
    else
        puan_jw_null(w);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* By name, or by code: digits with spaces between them. */
static bool fits(const struct puan_area *a, struct puan_str q,
                 struct puan_str digits)
{
    return puan_str_holds(a->zh, q) || puan_str_holds(a->en, q) ||
           (digits.n && puan_str_holds(a->digits, digits));
}

enum puan_status puan_campaign_areas_search(struct puan_request *rq,
                                            const void *arg,
                                            struct puan_err *err)
{
    const struct puan_areas_search_in *in = arg;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int64_t left = in->page.limit ? in->page.limit : 20, next = 0,
            day = today(rq);
    struct puan_str q = puan_str_trim(in->q), digits;
    unsigned level;
    char code[40];
    size_t n = 0;
    uint32_t root, i = PUAN_AREA_NONE;
    bool full = false;
    struct puan_jw *w;
    enum puan_status st = root_of(&root, rq, err);

    if (st != PUAN_OK)
        return st;
    if (!q.n)
        return puan_fail(err, PUAN_EINVAL, "q", "is empty");
    for (size_t k = 0; k < q.n; k++) {
        if (q.p[k] == ' ')
            continue;
        if (q.p[k] < '0' || q.p[k] > '9' || n == sizeof(code)) {
            n = 0;
            break;
        }
        code[n++] = q.p[k];
    }
    digits = (struct puan_str){ code, n };
    level = t->area[root].level;
    if (in->page.cursor) {
        i = puan_area_find(t, in->page.cursor);
        if (i == PUAN_AREA_NONE || !puan_area_contains(t, root, i))
            return puan_fail(err, PUAN_EINVAL, "cursor",
                             "is none this server gave");
        level = t->area[i].level;
        next = in->page.cursor;
    }
    w = puan_answer_items(rq);
    /* outer levels first: a township before the areas named after it */
    for (; level < t->n_levels && !full; level++, i = PUAN_AREA_NONE)
        while ((i = puan_area_next(t, root, level, i)) != PUAN_AREA_NONE) {
            if (!fits(&t->area[i], q, digits) || !puan_area_valid(t, i, day))
                continue;
            if (left-- == 0) {
                full = true;
                break;
            }
            puan_jw_map(w);
            put_members(w, t, i, day);
            put_path(w, t, root, i);
            puan_jw_end(w, '}');
            next = t->area[i].code;
        }
    puan_answer_items_end(rq, full ? next : 0);
    return PUAN_OK;
}
