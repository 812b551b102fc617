/*
 * POST findings/sheet: the figures to take along.  At once, and registered as
 * other worksheets are: the entry names area and seat, and its digest is that
 * of the sheet.  A row is a rule of a form in one of the areas below; no
 * household is in it.
 */
#include "features/findings/internal.h"

#include "base/csv.h"
#include "base/digest.h"
#include "kit/crypto/crypto.h"

static void put_rows(struct puan_out *o, const struct puan_findings_choice *c,
                     const struct puan_findings_count *sum)
{
    const struct puan_plan *plan = puan_store_plan(c->store);
    const struct puan_area_tree *t = puan_store_areas(c->store);

    for (size_t i = 0; i < sum->n_rules; i++) {
        const struct puan_finding_rule *r = &sum->rule[i];
        const struct puan_rule_info *info =
            puan_ruleset_info(c->rules[r->form], r->rule);

        for (size_t k = 0; k < sum->n_areas; k++) {
            const struct puan_area *a = &t->area[sum->area[k].at];

            if (r->by[k] == 0)
                continue;
            puan_out_str(o, a->digits);
            puan_out_char(o, ',');
            puan_csv_put_words(o, a->zh);
            puan_out_char(o, ',');
            puan_csv_put_words(o, a->en);
            puan_out_char(o, ',');
            puan_csv_put(o, plan->form[r->form]->id);
            puan_out_char(o, ',');
            puan_csv_put(o, info->id);
            puan_out_char(o, ',');
            puan_out_text(o, info->severity == PUAN_HARD ? "hard" : "soft");
            puan_out_char(o, ',');
            puan_out_text(o, puan_finding_state_name(c->state));
            puan_out_char(o, ',');
            puan_out_int(o, r->by[k]);
            puan_out_char(o, ',');
            puan_out_int(o, sum->area[k].returns);
            puan_out_char(o, ',');
            puan_csv_put(o, info->zh);
            puan_out_char(o, ',');
            puan_csv_put(o, info->en);
            puan_out_char(o, '\n');
        }
    }
}

static enum puan_status sheet(struct puan_out *o, struct puan_request *rq,
                              const struct puan_findings_in *in,
                              struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    puan_out_text(o, "\xef\xbb\xbf" /* spreadsheets ask for it */
                     "area,name_zh,name_en,form,rule,severity,state,"
                     "households,returns,text_zh,text_en\n");
    for (int s = 0; s < PUAN_FINDING_STATES && st == PUAN_OK; s++) {
        struct puan_findings_choice c;
        struct puan_findings_count sum;

        st = puan_findings_choose(&c, rq->store, rq->area, in, rq->arena, err);
        if (st != PUAN_OK)
            return st;
        if (in->state.n && (int)c.state != s)
            continue;
        c.state = (enum puan_finding_state)s;
        st = puan_findings_add_up(&sum, &c, err);
        if (st == PUAN_OK && c.cov.have < c.cov.of)
            st = puan_fail(err, PUAN_EBUSY, "findings",
                           "not all stores have been read yet; ask again");
        if (st == PUAN_OK)
            put_rows(o, &c, &sum);
    }
    return st == PUAN_OK ? puan_arena_check(rq->arena, err) : st;
}

enum puan_status puan_findings_sheet(struct puan_request *rq, const void *in,
                                     struct puan_err *err)
{
    struct puan_out o;
    struct puan_act act;
    char subject[24];
    struct puan_jw *w;
    enum puan_status st;

    puan_out_init(&o, rq->arena);
    st = sheet(&o, rq, in, err);
    if (st != PUAN_OK)
        return st;
    puan_format(subject, sizeof(subject), "%lld", (long long)rq->area);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = PUAN_STR("findings");
    puan_digest_one(act.new_digest, puan_store_digest(rq->store),
                    puan_out_view(&o));
    act.has_new = true;
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_kdigest(w, "digest", act.new_digest);
    puan_jw_kinstant(w, "at", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kstr(w, "csv", puan_out_view(&o));
    puan_jw_end(w, '}');
    return PUAN_OK;
}
