/*
 * What may be written on a sheet, and what it adds up to.
 */
#include "core/score/score.h"

const char *const puan_score_entry_word[PUAN_SCORE_KINDS] = {
    "evidence", "score", "measure", "bonus",  "confirm",
    "veto",     "lift",  "publish", "appeal", "answer", "against"
};
const char *const puan_paper_word[5] = { "missing", "expired", "late", "short",
                                         "good" };

static bool listed(const struct puan_node *roles, struct puan_str role)
{
    PUAN_NODE_EACH(c, roles)
        if (puan_str_eq(c->text, role))
            return true;
    return false;
}

static bool owns(const struct puan_score_scheme *s, const struct puan_score_item *it,
                 struct puan_str role)
{
    for (size_t g = 0; g < s->n_groups; g++)
        if ((s->section[it->section].groups >> g & 1) &&
            puan_str_eq(s->group[g].role, role))
            return true;
    return false;
}

enum puan_paper_state puan_score_paper(const struct puan_score_entry **which,
                                       const struct puan_score_item *item,
                                       const struct puan_score_kind *kind,
                                       const struct puan_score_entry *e,
                                       size_t n, int64_t today)
{
    const struct puan_score_entry *last = NULL;

    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_SCORE_EVIDENCE &&
            puan_str_eq(e[i].item, item->id) &&
            puan_str_eq(e[i].evidence, kind->id))
            last = &e[i];
    if (which != NULL)
        *which = last;
    if (last == NULL)
        return PUAN_PAPER_MISSING;
    if (last->until != INT64_MIN && last->until < today)
        return PUAN_PAPER_EXPIRED;
    if (kind->due != INT64_MIN && last->day > kind->due)
        return PUAN_PAPER_LATE;
    if (kind->least != INT64_MIN && last->count < kind->least)
        return PUAN_PAPER_SHORT;
    return PUAN_PAPER_GOOD;
}

static const struct puan_score_entry *find(const struct puan_score_entry *e,
                                           size_t n, int64_t id,
                                           enum puan_score_entry_kind kind)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].id == id && e[i].kind == kind)
            return &e[i];
    return NULL;
}
/* An entry of that kind that speaks of `id`. */
static const struct puan_score_entry *about(const struct puan_score_entry *e,
                                            size_t n, int64_t id,
                                            enum puan_score_entry_kind kind)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].of == id && e[i].kind == kind)
            return &e[i];
    return NULL;
}
static const struct puan_score_entry *published(
    const struct puan_score_entry *e, size_t n)
{
    const struct puan_score_entry *last = NULL;

    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_SCORE_PUBLISH)
            last = &e[i];
    return last;
}

static const struct puan_score_entry *against(const struct puan_score_entry *e,
                                              size_t n, struct puan_str item)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_SCORE_AGAINST && puan_str_eq(e[i].item, item))
            return &e[i];
    return NULL;
}

/* ---- one kind of entry each -------------------------------------------------- */

static enum puan_status denied(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_EDENIED, "assessment", "%s", what);
}

static enum puan_status item_of(const struct puan_score_item **out,
                                const struct puan_score_scheme *s,
                                const struct puan_score_entry *e,
                                struct puan_err *err)
{
    int i = puan_score_scheme_item(s, e->item);

    *out = &s->item[i < 0 ? 0 : i];
    if (i < 0)
        return puan_fail(err, PUAN_ENOTFOUND, "item",
                         "the scheme has no item \"%.*s\"", PUAN_FMT(e->item));
    *out = &s->item[i];
    return PUAN_OK;
}

static enum puan_status evidence(const struct puan_score_scheme *s,
                                 const struct puan_score_entry *before,
                                 size_t n, const struct puan_score_entry *e,
                                 struct puan_err *err)
{
    const struct puan_score_item *it = &s->item[0];
    const struct puan_score_kind *k = NULL;

    TRY(item_of(&it, s, e, err));
    if (!listed(s->evidence_by, e->role) && !owns(s, it, e->role))
        return denied(err, "evidence comes from the assessed office or from a "
                           "group of the section");
    for (size_t i = 0; i < it->n_kinds; i++)
        if (puan_str_eq(it->kind[i].id, e->evidence))
            k = &it->kind[i];
    if (k == NULL)
        return puan_fail(err, PUAN_EINVAL, "evidence",
                         "item %.*s takes no evidence \"%.*s\"",
                         PUAN_FMT(it->id), PUAN_FMT(e->evidence));
    if (e->digest.n == 0)
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "evidence is a paper: give its digest");
    if (e->day == INT64_MIN || e->day < s->from || e->day > s->until)
        return puan_fail(err, PUAN_EINVAL, "day",
                         "evidence is dated within the period that is "
                         "assessed");
    if (e->day > puan_instant_day(e->at_ms, e->offset_minutes))
        return puan_fail(err, PUAN_EINVAL, "day",
                         "evidence is not dated in the future");
    if (k->least != INT64_MIN && e->count == INT64_MIN)
        return puan_fail(err, PUAN_EINVAL, "count",
                         "this evidence goes with a number");
    for (size_t i = 0; i < n; i++)
        if (before[i].kind == PUAN_SCORE_EVIDENCE &&
            puan_str_eq(before[i].item, e->item) &&
            puan_str_eq(before[i].evidence, e->evidence) &&
            puan_str_eq(before[i].version, e->version))
            return puan_fail(err, PUAN_ECONFLICT, "version",
                             "version \"%.*s\" of this evidence is there; give "
                             "another",
                             PUAN_FMT(e->version));
    return PUAN_OK;
}

static enum puan_status amount(const struct puan_score_item *it, int halves,
                               struct puan_err *err)
{
    if (halves >= 0 && halves <= it->halves)
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, "deduct",
                     "deduct from nothing to the points of the item");
}

static enum puan_status given(const struct puan_score_scheme *s,
                              const struct puan_score_entry *before, size_t n,
                              const struct puan_score_entry *e,
                              struct puan_err *err)
{
    const struct puan_score_section *sec;
    const struct puan_score_item *it = &s->item[0];
    bool any = false;

    TRY(item_of(&it, s, e, err));
    sec = &s->section[it->section];
    if (!owns(s, it, e->role))
        return denied(err, "this section belongs to another group");
    if (it->measured)
        return puan_fail(err, PUAN_ECONFLICT, "item",
                         "this item is measured, not judged");
    if (sec->rules_version.n == 0)
        return puan_fail(err, PUAN_ECONFLICT, "item",
                         "the section has no detailed rules yet");
    if (published(before, n) != NULL)
        return puan_fail(err, PUAN_ECONFLICT, "item",
                         "the result is published; it changes by appeal");
    TRY(amount(it, e->halves, err));
    if (e->halves > 0 && (e->reason.n == 0 || e->digest.n == 0))
        return puan_fail(err, PUAN_EINVAL, e->reason.n ? "digest" : "reason",
                         "a deduction needs its reason and its evidence");
    for (size_t i = 0; i < it->n_kinds; i++) {
        enum puan_paper_state p =
            puan_score_paper(NULL, it, &it->kind[i], before, n,
                             puan_instant_day(e->at_ms, e->offset_minutes));

        any = any || p != PUAN_PAPER_MISSING;
        if (p != PUAN_PAPER_GOOD && e->halves == 0)
            return puan_fail(err, PUAN_ECONFLICT, "evidence",
                             "no full points: evidence \"%.*s\" is %s",
                             PUAN_FMT(it->kind[i].id), puan_paper_word[p]);
    }
    if (e->halves == 0 && against(before, n, it->id) != NULL)
        return puan_fail(err, PUAN_ECONFLICT, "case",
                         "no full points: %.*s stands against them; deduct, "
                         "with the reason",
                         PUAN_FMT(against(before, n, it->id)->ref));
    if (!any && e->halves < it->halves)
        return puan_fail(err, PUAN_ECONFLICT, "evidence",
                         "no points without evidence");
    return PUAN_OK;
}

static enum puan_status bonus(const struct puan_score_scheme *s,
                              const struct puan_score_entry *before, size_t n,
                              const struct puan_score_entry *e,
                              struct puan_err *err)
{
    int sum = e->halves;

    if (s->confirmed_by == NULL)
        return puan_fail(err, PUAN_ECONFLICT, "bonus",
                         "this scheme gives no bonus");
    if (!listed(s->evidence_by, e->role))
        return denied(err, "the assessed office asks for a bonus");
    if (e->halves <= 0 || e->reason.n == 0 || e->digest.n == 0)
        return puan_fail(err, PUAN_EINVAL, "bonus",
                         "a bonus needs points, its reason and its evidence");
    for (size_t i = 0; i < n; i++)
        if (before[i].kind == PUAN_SCORE_BONUS)
            sum += before[i].halves;
    if (sum > s->bonus_most)
        return puan_fail(err, PUAN_ECONFLICT, "bonus",
                         "more than the scheme gives in all");
    return PUAN_OK;
}

static enum puan_status confirm(const struct puan_score_scheme *s,
                                const struct puan_score_entry *before, size_t n,
                                const struct puan_score_entry *e,
                                struct puan_err *err)
{
    const struct puan_score_entry *b = find(before, n, e->of, PUAN_SCORE_BONUS);

    if (!listed(s->confirmed_by, e->role))
        return denied(err, "this seat does not confirm bonuses");
    if (b == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "of", "there is no such bonus");
    if (puan_str_eq(b->person, e->person))
        return denied(err, "nobody confirms what he asked for");
    if (about(before, n, e->of, PUAN_SCORE_CONFIRM) != NULL)
        return puan_fail(err, PUAN_ECONFLICT, "of", "is confirmed already");
    return PUAN_OK;
}

static enum puan_status veto(const struct puan_score_scheme *s,
                             const struct puan_score_entry *before, size_t n,
                             const struct puan_score_entry *e,
                             struct puan_err *err)
{
    int v = puan_score_scheme_veto(s, e->item);

    if (v < 0)
        return puan_fail(err, PUAN_ENOTFOUND, "veto",
                         "the scheme has no veto \"%.*s\"", PUAN_FMT(e->item));
    if (!listed(s->veto[v].by, e->role))
        return denied(err, "this seat does not set this veto");
    if (e->digest.n == 0 && e->ref.n == 0)
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "a veto names the paper or the case that shows it");
    for (size_t i = 0; i < n; i++)
        if (before[i].kind == PUAN_SCORE_VETO &&
            puan_str_eq(before[i].item, e->item) &&
            puan_str_eq(before[i].ref, e->ref) &&
            puan_str_eq(before[i].digest, e->digest) &&
            about(before, n, before[i].id, PUAN_SCORE_LIFT) == NULL)
            return puan_fail(err, PUAN_ECONFLICT, "veto", "is set already");
    return PUAN_OK;
}

static enum puan_status appeal(const struct puan_score_scheme *s,
                               const struct puan_score_entry *before, size_t n,
                               const struct puan_score_entry *e,
                               struct puan_err *err)
{
    const struct puan_score_entry *p = published(before, n);
    const struct puan_score_item *it = &s->item[0];

    TRY(item_of(&it, s, e, err));
    if (!listed(s->appeal_by, e->role))
        return denied(err, "the assessed office appeals");
    if (p == NULL)
        return puan_fail(err, PUAN_ECONFLICT, "appeal",
                         "the result is not published yet");
    if (e->at_ms > p->at_ms + s->appeal_ms)
        return puan_fail(err, PUAN_ECONFLICT, "appeal",
                         "the term for appeals is over");
    if (e->reason.n == 0 || e->digest.n == 0)
        return puan_fail(err, PUAN_EINVAL, "appeal",
                         "an appeal needs its reason and its evidence");
    return PUAN_OK;
}

static enum puan_status answer(const struct puan_score_scheme *s,
                               const struct puan_score_entry *before, size_t n,
                               const struct puan_score_entry *e,
                               struct puan_err *err)
{
    const struct puan_score_entry *a = find(before, n, e->of,
                                            PUAN_SCORE_APPEAL);
    int i;

    if (!listed(s->appeal_to, e->role))
        return denied(err, "this seat does not answer appeals");
    if (a == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "of", "there is no such appeal");
    if (about(before, n, e->of, PUAN_SCORE_ANSWER) != NULL)
        return puan_fail(err, PUAN_ECONFLICT, "of", "is answered already");
    for (size_t k = 0; k < n; k++)
        if (before[k].kind == PUAN_SCORE_GIVEN &&
            puan_str_eq(before[k].item, a->item) &&
            puan_str_eq(before[k].person, e->person))
            return denied(err, "who scored the item does not answer the appeal "
                               "against it");
    if (e->reason.n == 0)
        return puan_fail(err, PUAN_EINVAL, "reason", "give the reason");
    i = puan_score_scheme_item(s, a->item);
    return i < 0 ? PUAN_ENOTFOUND : amount(&s->item[i], e->halves, err);
}

enum puan_status puan_score_accept(const struct puan_score_scheme *s,
                                   const struct puan_score_entry *before,
                                   size_t n, const struct puan_score_entry *e,
                                   struct puan_err *err)
{
    const struct puan_score_item *it = &s->item[0];
    const struct puan_score_entry *v;
    struct puan_score_sheet sheet;
    int i;

    if (!puan_str_eq(e->level, s->level))
        return puan_fail(err, PUAN_ECONFLICT, "area",
                         "only offices of the level %.*s have a sheet",
                         PUAN_FMT(s->level));
    switch (e->kind) {
    case PUAN_SCORE_EVIDENCE: return evidence(s, before, n, e, err);
    case PUAN_SCORE_GIVEN: return given(s, before, n, e, err);
    case PUAN_SCORE_MEASURED:
        TRY(item_of(&it, s, e, err));
        if (!puan_str_is(e->role, "system"))
            return denied(err, "measured items are written by the system");
        if (!it->measured)
            return puan_fail(err, PUAN_ECONFLICT, "item",
                             "this item is judged, not measured");
        if (published(before, n) != NULL)
            return puan_fail(err, PUAN_ECONFLICT, "item",
                             "the result is published");
        return PUAN_OK;
    case PUAN_SCORE_BONUS: return bonus(s, before, n, e, err);
    case PUAN_SCORE_CONFIRM: return confirm(s, before, n, e, err);
    case PUAN_SCORE_VETO: return veto(s, before, n, e, err);
    case PUAN_SCORE_LIFT:
        v = find(before, n, e->of, PUAN_SCORE_VETO);
        if (!puan_str_eq(e->role, s->interpreter))
            return denied(err, "the office that interprets the scheme lifts a "
                               "veto");
        if (v == NULL || about(before, n, e->of, PUAN_SCORE_LIFT) != NULL)
            return puan_fail(err, PUAN_ENOTFOUND, "of",
                             "there is no such veto");
        return e->reason.n > 0 ? PUAN_OK
                               : puan_fail(err, PUAN_EINVAL, "reason",
                                           "give the reason");
    case PUAN_SCORE_PUBLISH:
        if (!puan_str_eq(e->role, s->interpreter))
            return denied(err, "the office that interprets the scheme "
                               "publishes");
        if (published(before, n) != NULL)
            return puan_fail(err, PUAN_ECONFLICT, "publish",
                             "the result is published already");
        puan_score_sheet_make(&sheet, s, before, n,
                        puan_instant_day(e->at_ms, e->offset_minutes));
        if (sheet.scored < s->n_items) {
            for (i = 0; sheet.line[i].scored; i++)
                ;
            return puan_fail(err, PUAN_ECONFLICT, "publish",
                             "item %.*s is not scored yet",
                             PUAN_FMT(s->item[i].id));
        }
        if (e->halves != sheet.points)
            return puan_fail(err, PUAN_ECONFLICT, "total",
                             "the total stated is not what the entries add up "
                             "to");
        return PUAN_OK;
    case PUAN_SCORE_APPEAL: return appeal(s, before, n, e, err);
    case PUAN_SCORE_ANSWER: return answer(s, before, n, e, err);
    case PUAN_SCORE_AGAINST:
        TRY(item_of(&it, s, e, err));
        if (!puan_str_is(e->role, "system"))
            return denied(err, "cases are entered by the system");
        for (size_t k = 0; k < n; k++)
            if (before[k].kind == PUAN_SCORE_AGAINST &&
                puan_str_eq(before[k].item, e->item) &&
                puan_str_eq(before[k].ref, e->ref))
                return puan_fail(err, PUAN_ECONFLICT, "case",
                                 "is entered already");
        return e->ref.n > 0 ? PUAN_OK
                            : puan_fail(err, PUAN_EINVAL, "case",
                                        "name the case");
    case PUAN_SCORE_KINDS: break;
    }
    return puan_fail(err, PUAN_EINVAL, "kind", "no such entry");
}

/* ---- the sum -------------------------------------------------------------------- */

static int measured(const struct puan_score_item *it,
                    const struct puan_score_entry *e)
{
    int64_t v = e->count;

    if (it->total.n > 0 && e->total == 0 && it->none >= 0)
        return it->none;
    if (v == INT64_MIN || (it->total.n > 0 && e->total <= 0))
        return 0;
    if (it->total.n > 0)
        v = v * 100 / e->total;
    for (size_t i = 0; i < it->n_bands; i++)
        if (v >= it->band[i].least)
            return it->band[i].halves;
    return 0;
}

static void line(struct puan_score_line *x, const struct puan_score_item *it,
                 const struct puan_score_entry *e, size_t n, int64_t today)
{
    for (size_t i = 0; i < n; i++) {
        struct puan_str of = e[i].item;

        if (e[i].kind == PUAN_SCORE_ANSWER) {
            const struct puan_score_entry *a =
                find(e, n, e[i].of, PUAN_SCORE_APPEAL);

            of = a ? a->item : PUAN_STR("");
        }
        if (!puan_str_eq(of, it->id) || (e[i].kind != PUAN_SCORE_GIVEN &&
                                         e[i].kind != PUAN_SCORE_MEASURED &&
                                         e[i].kind != PUAN_SCORE_ANSWER))
            continue;
        x->by = &e[i];
        x->halves = e[i].kind == PUAN_SCORE_MEASURED
                        ? measured(it, &e[i])
                        : it->halves - e[i].halves;
        /* measured without a number: it is not known, so not scored */
        x->scored = e[i].kind != PUAN_SCORE_MEASURED ||
                    (e[i].count != INT64_MIN &&
                     (it->total.n == 0 || e[i].total > 0 ||
                      (e[i].total == 0 && it->none >= 0)));
    }
    for (size_t k = 0; k < it->n_kinds; k++)
        x->good += puan_score_paper(NULL, it, &it->kind[k], e, n, today) ==
                   PUAN_PAPER_GOOD;
    x->weak = x->scored && x->halves == it->halves &&
              (x->good < it->n_kinds || against(e, n, it->id) != NULL) &&
              x->by->kind == PUAN_SCORE_GIVEN;
}

void puan_score_sheet_make(struct puan_score_sheet *out, const struct puan_score_scheme *s,
                     const struct puan_score_entry *e, size_t n, int64_t today)
{
    int stated = 0;

    *out = (struct puan_score_sheet){ 0 };
    for (size_t i = 0; i < s->n_items; i++) {
        struct puan_score_line *x = &out->line[i];

        line(x, &s->item[i], e, n, today);
        out->scored += x->scored;
        out->weak += x->weak;
        out->points += x->halves;
        out->section[s->item[i].section] += x->halves;
    }
    for (size_t i = 0; i < n; i++) {
        int v;

        if (e[i].kind == PUAN_SCORE_BONUS) {
            if (about(e, n, e[i].id, PUAN_SCORE_CONFIRM) != NULL)
                out->bonus += e[i].halves;
            else
                out->bonus_open += e[i].halves;
        }
        if (e[i].kind == PUAN_SCORE_APPEAL &&
            about(e, n, e[i].id, PUAN_SCORE_ANSWER) == NULL)
            out->appeals_open++;
        if (e[i].kind == PUAN_SCORE_PUBLISH) {
            out->published = &e[i];
            stated = e[i].halves;
        }
        if (e[i].kind != PUAN_SCORE_VETO ||
            about(e, n, e[i].id, PUAN_SCORE_LIFT) != NULL)
            continue;
        v = puan_score_scheme_veto(s, e[i].item);
        if (v >= 0 && s->veto[v].effect == PUAN_VETO_SCORE)
            out->veto_score = &e[i];
        else if (v >= 0)
            out->veto_award = &e[i];
    }
    out->result = out->veto_score != NULL ? 0 : out->points;
    out->agrees = out->published == NULL || stated == out->points;
}

bool puan_score_sheet_award(const struct puan_score_sheet *sheet,
                      const struct puan_score_scheme *s)
{
    return sheet->scored == s->n_items && sheet->published != NULL &&
           sheet->veto_score == NULL && sheet->veto_award == NULL;
}

int puan_score_scheme_case_veto(const struct puan_score_scheme *s, struct puan_str flow,
                          struct puan_str field, struct puan_str value)
{
    for (size_t i = 0; i < s->n_vetoes; i++)
        if (s->veto[i].flow.n > 0 && puan_str_eq(s->veto[i].flow, flow) &&
            puan_str_eq(s->veto[i].field, field) &&
            puan_str_eq(s->veto[i].value, value))
            return (int)i;
    return -1;
}

bool puan_score_scheme_against(const struct puan_score_scheme *s, size_t i,
                               struct puan_str flow, struct puan_str state)
{
    PUAN_NODE_EACH(c, s->item[i].none_of) {
        if (!puan_str_eq(puan_node_str_opt(c, "flow", ""), flow))
            continue;
        if (listed(puan_node_get(c, "in"), state))
            return true;
    }
    return false;
}

size_t puan_score_sheet_rank(const struct puan_score_sheet *const *all, size_t n, size_t i)
{
    size_t rank = 1;

    for (size_t k = 0; k < n; k++)
        rank += all[k]->result > all[i]->result;
    return rank;
}
