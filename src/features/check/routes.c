/*
 * The rules of a campaign as an office sees them: the catalogue with how often
 * each finds something in an area, and a place to try a rule on what has
 * arrived there.  A trial is an entry of the ledger; it changes nothing.
 */
#include "features/check/routes.h"

#include "core/rule/prove.h"
#include "features/findings/findings.h"
#include "features/ingest/ingest.h"
#include "kit/os/os.h"

#define TRY_RETURNS 20000
#define TRY_SHOWN 20

struct pass {
    struct puan_request *rq;
    struct puan_shard *sh;
    struct puan_arena row;
    const struct puan_ruleset *trial;
    const struct puan_form *form;
    uint64_t hits, households, read, not_evaluable;
    int64_t shown[TRY_SHOWN];
    size_t n_shown;
};

static enum puan_status each_store(struct pass *x, int64_t area,
                                   puan_ret_fn fn, struct puan_err *err)
{
    struct puan_store *store = x->rq->store;
    int64_t from, to;
    enum puan_status st = PUAN_OK;

    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; st == PUAN_OK && i < puan_store_shards(store); i++) {
        int64_t a, b;

        x->sh = puan_store_shard(store, i);
        puan_area_keys(&a, &b, store, puan_shard_area(x->sh));
        if (a < to && b > from)
            st = puan_ret_each(x->sh, a > from ? a : from, b < to ? b : to, fn,
                               x, err);
    }
    return st;
}

static void put_rule(struct puan_jw *w, const struct puan_ruleset *rs,
                     const struct puan_form *form, size_t i,
                     const struct puan_finding_tally *t)
{
    const struct puan_rule_info *r = puan_ruleset_info(rs, i);

    puan_jw_map(w);
    puan_jw_kstr(w, "id", r->id);
    puan_jw_kstr(w, "form", form->id);
    puan_jw_kstr(w, "entity", form->entity[r->entity].name);
    puan_jw_ktext(w, "severity", r->severity == PUAN_HARD ? "hard" : "soft");
    puan_jw_kbool(w, "override", r->override_ok);
    puan_jw_kstr(w, "zh", r->zh);
    puan_jw_kstr(w, "en", r->en);
    puan_jw_ktext(w, "file", r->file);
    puan_jw_kint(w, "line", r->line);
    puan_jw_kint(w, "open", t->open);
    puan_jw_kint(w, "settled", t->settled);
    puan_jw_kint(w, "households", t->homes);
    puan_jw_end(w, '}');
}

enum puan_status puan_rules_get(struct puan_request *rq, const void *arg,
                                struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_findings_sum sum;
    struct puan_jw *w;
    enum puan_status st =
        puan_findings_of(&sum, rq->store, rq->area, rq->arena, err);

    (void)arg;
    if (st != PUAN_OK)
        return st;
    /* what is not read yet would look like rules that find nothing */
    if (!sum.complete)
        return puan_fail(err, PUAN_EBUSY, "rules",
                         "not all returns have been counted yet; ask again");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(w, "forms");
    puan_jw_list(w);
    for (size_t f = 0; f < plan->n_forms; f++) {
        const struct puan_ruleset *rs =
            puan_ingest_rules(rq->store, plan->form[f]);

        if (!rs)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "form", plan->form[f]->id);
        puan_jw_kstr(w, "zh", plan->form[f]->zh);
        puan_jw_kstr(w, "en", plan->form[f]->en);
        puan_jw_kstr(w, "set", puan_ruleset_name(rs));
        puan_jw_kint(w, "version", puan_ruleset_version(rs));
        puan_jw_kint(w, "returns", sum.returns[f]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "rules");
    puan_jw_list(w);
    for (size_t f = 0; f < plan->n_forms; f++) {
        const struct puan_ruleset *rs =
            puan_ingest_rules(rq->store, plan->form[f]);

        for (size_t i = 0; rs && i < puan_ruleset_count(rs); i++)
            put_rule(w, rs, plan->form[f], i, &sum.rule[f][i]);
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- trying a rule ------------------------------------------------------- */

static enum puan_status try_one(void *arg, const struct puan_ret *r,
                                struct puan_err *err)
{
    struct pass *x = arg;
    struct puan_findings found;
    struct puan_record rec;
    enum puan_status st;

    if (r->form != x->form || x->read == TRY_RETURNS)
        return PUAN_OK;
    puan_arena_reset(&x->row);
    st = puan_record_decode(&rec, r->form, r->frame, r->facts, PUAN_STR(""),
                            &x->row, err);
    if (st == PUAN_OK)
        st = puan_ruleset_run(&found, x->trial, &rec, &x->row, err);
    if (st != PUAN_OK)
        return st;
    x->read++;
    x->hits += found.n;
    x->not_evaluable += found.not_evaluable;
    x->households += found.n > 0;
    if (found.n > 0 && x->n_shown < TRY_SHOWN)
        x->shown[x->n_shown++] = r->head.household;
    return PUAN_OK;
}

static void put_fault(struct puan_jw *w, const struct puan_err *e)
{
    puan_jw_key(w, "fault");
    puan_jw_map(w);
    puan_jw_kint(w, "line", e->line);
    puan_jw_kint(w, "col", e->col);
    puan_jw_ktext(w, "text", e->text);
    puan_jw_end(w, '}');
}

static void put_notes(struct puan_jw *w, const struct puan_rule_proofs *p)
{
    puan_jw_key(w, "notes");
    puan_jw_list(w);
    for (size_t i = 0; i < p->n; i++)
        puan_jw_str(w, puan_str_of(p->list[i].text));
    puan_jw_end(w, ']');
}

enum puan_status puan_rules_try(struct puan_request *rq, const void *arg,
                                struct puan_err *err)
{
    static const char *const name[] = { "rule" };
    const struct puan_rules_try_in *in = arg;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct pass x = { .rq = rq, .form = puan_plan_form(plan, in->form) };
    struct puan_rule_proofs proofs = { 0 };
    struct puan_ruleset *rs = NULL;
    struct puan_err wrong = { 0 };
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st;

    if (!x.form)
        return puan_fail(err, PUAN_EINVAL, "form", "the plan has no form %.*s",
                         PUAN_FMT(in->form));
    st = puan_ruleset_compile(&rs, x.form, plan->consts, plan->n_consts,
                              &in->text, name, 1, rq->arena, &wrong);
    if (st == PUAN_OK && puan_ruleset_count(rs) == 0) {
        size_t n;
        const struct puan_rule_skip *skip = puan_ruleset_skips(rs, &n);

        st = n > 0 ? puan_fail_at(&wrong, PUAN_EINVAL, "rule", skip->line,
                                  skip->col, "%s", skip->why)
                   : puan_fail(&wrong, PUAN_EINVAL, "rule",
                               "there is no rule in the text");
    }
    if (st == PUAN_OK)
        st = puan_rules_prove(&proofs, x.form, plan->consts, plan->n_consts,
                              &in->text, name, 1, NULL, rq->arena, &wrong);
    if (st != PUAN_OK && st != PUAN_EINVAL && st != PUAN_ELIMIT)
        return puan_fail(err, st, "rule", "%s", wrong.text);
    if (st != PUAN_OK) { /* what is wrong with the text is the answer */
        w = puan_answer_begin(rq, 200);
        puan_jw_map(w);
        put_fault(w, &wrong);
        puan_jw_end(w, '}');
        return PUAN_OK;
    }
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "area/%lld/rule",
                                                (long long)rq->area)));
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    x.trial = rs;
    puan_arena_init(&x.row, puan_os_alloc());
    st = each_store(&x, rq->area, try_one, err);
    puan_arena_clear(&x.row);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "returns", (int64_t)x.read);
    puan_jw_kbool(w, "all", x.read < TRY_RETURNS);
    puan_jw_kint(w, "findings", (int64_t)x.hits);
    puan_jw_kint(w, "households", (int64_t)x.households);
    puan_jw_kint(w, "not_evaluable", (int64_t)x.not_evaluable);
    put_notes(w, &proofs);
    puan_jw_key(w, "shown");
    puan_jw_list(w);
    for (size_t i = 0; i < x.n_shown; i++)
        puan_jw_str(w, puan_str_of(puan_arena_fmt(rq->arena, "%lld",
                                                  (long long)x.shown[i])));
    puan_jw_end(w, ']');
    puan_jw_key(w, "entry");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", "office");
    puan_jw_kint(w, "seq", (int64_t)act.seq);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    return PUAN_OK;
}
