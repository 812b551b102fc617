/*
 * Rows, scenarios, results.
 */
#include <stdlib.h>

#include "features/proof/internal.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

const char *const puan_proof_state_name[4] = { "uncovered", "open", "external",
                                               "shown" };

struct making {
    struct puan_proof *out;
    const struct puan_proof_options *opt;
    struct puan_stage stage;
    struct puan_arena *a;
};

/* ---- playing --------------------------------------------------------------- */

static enum puan_status play(struct puan_played *played,
                             const struct making *m,
                             const struct puan_stage *stage,
                             const struct puan_scenario *s,
                             struct puan_err *err)
{
    struct puan_arena own;
    enum puan_status st;

    if (s->server)
        return m->opt->server(played, stage->plan, s, m->opt->arg, err);
    puan_arena_init(&own, &puan_heap);
    st = puan_scenario_play(played, stage, s, &own, err);
    puan_arena_clear(&own);
    return st;
}

static const char *error_text(struct puan_arena *a, const struct puan_err *e)
{
    if (e->line == 0)
        return puan_arena_fmt(a, "%s: %s", e->where, e->text);
    return puan_arena_fmt(a, "%s:%u:%u: %s", e->where, e->line, e->col,
                          e->text);
}

/* The plan without one path: the play must fail. */
static enum puan_mutant mutate(const char **why, const struct making *m,
                               const struct puan_scenario *s,
                               const struct puan_rest *rest)
{
    struct puan_stage stage = m->stage;
    struct puan_flows flows = { 0 };
    struct puan_played played = { 0 };
    struct puan_err err = { 0 };
    struct puan_arena own;
    enum puan_mutant is;
    enum puan_status st;

    puan_arena_init(&own, &puan_heap);
    st = puan_plan_without(&stage.plan, &flows, m->stage.plan, m->stage.flows,
                           rest, &own, &err);
    if (st == PUAN_ENOTFOUND) {
        is = PUAN_MUTANT_WRONG;
    } else if (st != PUAN_OK) {
        is = PUAN_MUTANT_UNLOADABLE;
    } else {
        stage.flows = &flows;
        stage.mutant = true;
        st = play(&played, m, &stage, s, &err);
        if (st == PUAN_OK)
            is = PUAN_MUTANT_SURVIVED;
        else if (played.unloadable)
            is = PUAN_MUTANT_UNLOADABLE;
        else /* a full disk kills nothing */
            is = st == PUAN_EINVAL ? PUAN_MUTANT_KILLED : PUAN_MUTANT_WRONG;
    }
    *why = is == PUAN_MUTANT_SURVIVED
               ? puan_arena_fmt(m->a, "%.*s:%u:%u: without \"%.*s\" the play "
                                      "passes all the same",
                                PUAN_FMT(puan_str_of(rest->at->file)),
                                rest->at->line, rest->at->col,
                                PUAN_FMT(rest->at->text))
               : error_text(m->a, &err);
    puan_arena_clear(&own);
    return is;
}

static bool wanted(const struct puan_scenario *s, const char *only)
{
    if (only == NULL || puan_str_starts(s->id, only))
        return true;
    for (size_t i = 0; i < s->n; i++)
        if (puan_str_starts(s->proves[i].clause, only))
            return true;
    return false;
}

static enum puan_status run_one(struct puan_proof_scenario *x,
                                const struct making *m, struct puan_err *err)
{
    const struct puan_scenario *s = x->of;
    int64_t began = puan_os_mono_ns();
    size_t n = 0;

    if (s->server && m->opt->server == NULL)
        return PUAN_OK;
    x->run = true;
    x->passed = play(&x->played, m, &m->stage, s, &x->err) == PUAN_OK;
    x->us = (puan_os_mono_ns() - began) / 1000;
    if (!x->passed || !m->opt->mutate)
        return PUAN_OK;
    for (size_t i = 0; i < s->n; i++)
        n += s->proves[i].n;
    x->mutant = puan_new_n(m->a, n + 1, enum puan_mutant);
    x->why = (const char **)puan_arena_get_n(m->a, n + 1, sizeof(char *));
    if (x->mutant == NULL || x->why == NULL)
        return puan_arena_check(m->a, err);
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->proves[i].n; k++, x->n_mutants++) {
            bool again = false;

            /* two clauses that rest on the same: once is enough */
            for (size_t j = 0, at = 0; j < i && !again; j++)
                for (size_t l = 0; l < s->proves[j].n && !again; l++, at++)
                    if (puan_str_eq(s->proves[j].rest[l].at->text,
                                    s->proves[i].rest[k].at->text)) {
                        x->mutant[x->n_mutants] = x->mutant[at];
                        x->why[x->n_mutants] = x->why[at];
                        again = true;
                    }
            if (!again)
                x->mutant[x->n_mutants] = mutate(&x->why[x->n_mutants], m, s,
                                                 &s->proves[i].rest[k]);
        }
    return PUAN_OK;
}

/* ---- rows --------------------------------------------------------------------- */

static void mutants_of(struct puan_proof_row *r, struct making *m,
                       const struct puan_proof_scenario *x, size_t proves)
{
    size_t at = 0;

    for (size_t i = 0; i < proves; i++)
        at += x->of->proves[i].n;
    for (size_t k = 0; k < x->of->proves[proves].n && x->mutant != NULL;
         k++, at++) {
        r->mutants++;
        r->killed += x->mutant[at] == PUAN_MUTANT_KILLED;
        r->unloadable += x->mutant[at] == PUAN_MUTANT_UNLOADABLE;
        if (x->mutant[at] == PUAN_MUTANT_SURVIVED ||
            x->mutant[at] == PUAN_MUTANT_WRONG)
            r->fault = x->why[at];
    }
    (void)m;
}

static void judge(struct puan_proof_row *r, struct making *m)
{
    const struct puan_clause *c = r->of;

    for (size_t i = 0; i < r->n_by; i++) {
        const struct puan_proof_scenario *x = r->by[i];

        if (x->run && !x->passed)
            r->fault = error_text(m->a, &x->err);
        for (size_t k = 0; k < x->of->n; k++)
            if (puan_str_eq(x->of->proves[k].clause, c->id))
                mutants_of(r, m, x, k);
    }
    m->out->mutants += r->mutants;
    m->out->killed += r->killed;
    m->out->unloadable += r->unloadable;
    if (r->mutants > 0 && r->killed == 0 && r->fault == NULL)
        r->fault = puan_arena_fmt(
            m->a,
            "%s:%u: every path %.*s rests on is refused by the loader; name "
            "also a part whose absence the plan survives",
            r->by[0]->of->tree->file, r->by[0]->of->tree->line,
            PUAN_FMT(c->id));
    if (r->n_by > 0 && c->shows == PUAN_SHOWS_EXTERNAL)
        r->fault = puan_arena_fmt(m->a, "%s:%u: external, and yet %.*s proves "
                                        "it",
                                  c->file, c->line,
                                  PUAN_FMT(r->by[0]->of->id));
    /* with `only` its scenarios may have been left out */
    if (r->n_by == 0 && c->shows == PUAN_SHOWS_SHOWN && m->opt->only == NULL)
        r->fault = puan_arena_fmt(m->a, "%s:%u: the row says shown, and no "
                                        "scenario proves it",
                                  c->file, c->line);
    if (r->fault != NULL)
        r->state = PUAN_PROOF_UNCOVERED;
    else if (r->n_by > 0 || c->shows == PUAN_SHOWS_SHOWN)
        r->state = PUAN_PROOF_SHOWN;
    else
        r->state = c->shows == PUAN_SHOWS_OPEN ? PUAN_PROOF_OPEN
                                               : PUAN_PROOF_EXTERNAL;
}

static enum puan_status rows(struct making *m, const struct puan_clauses *all,
                             struct puan_err *err)
{
    struct puan_proof *out = m->out;

    out->row = puan_new_n(m->a, all->n + 1, struct puan_proof_row);
    if (out->row == NULL)
        return puan_arena_check(m->a, err);
    for (size_t i = 0; i < all->n; i++) {
        struct puan_proof_row *r = &out->row[out->n++];

        r->of = &all->list[i];
        r->by = (const struct puan_proof_scenario **)puan_arena_get_n(
            m->a, out->n_scenarios + 1, sizeof(void *));
        if (r->by == NULL)
            return puan_arena_check(m->a, err);
        for (size_t s = 0; s < out->n_scenarios; s++)
            for (size_t k = 0; k < out->scenario[s].of->n; k++)
                if (puan_str_eq(out->scenario[s].of->proves[k].clause,
                                r->of->id))
                    r->by[r->n_by++] = &out->scenario[s];
        judge(r, m);
    }
    return PUAN_OK;
}

/* Every clause a scenario names stands in the catalogue of its own pack. */
static enum puan_status known(const struct puan_proof *p,
                              const struct puan_clauses *all,
                              struct puan_err *err)
{
    for (size_t s = 0; s < p->n_scenarios; s++)
        for (size_t k = 0; k < p->scenario[s].of->n; k++) {
            const struct puan_proves *v = &p->scenario[s].of->proves[k];
            const struct puan_clause *c = puan_clauses_get(all, v->clause);

            if (c == NULL || !puan_str_eq(c->pack, p->scenario[s].of->pack))
                return puan_node_fail(v->at, err,
                                      "the clauses.tsv of this pack has no "
                                      "clause \"%.*s\"",
                                      PUAN_FMT(v->clause));
        }
    return PUAN_OK;
}

static enum puan_status read_clauses(struct puan_clauses *out,
                                     const struct puan_plan *plan, bool own,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_clauses part[8] = { { 0 } };
    struct puan_clause *list;
    size_t n = 0;

    for (size_t k = 0; k < plan->n_packs && k < PUAN_COUNT(part); k++)
        for (size_t i = 0; i < plan->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &plan->pack[k].file[i];

            if ((own && k > 0) || !puan_str_is(f->path, "clauses.tsv"))
                continue;
            TRY(puan_clauses_read(&part[k], f->text, f->name, f->pack, a, err));
            n += part[k].n;
        }
    list = puan_new_n(a, n + 1, struct puan_clause);
    if (list == NULL)
        return puan_arena_check(a, err);
    *out = (struct puan_clauses){ list, 0 };
    for (size_t k = 0; k < PUAN_COUNT(part); k++)
        for (size_t i = 0; i < part[k].n; i++)
            list[out->n++] = part[k].list[i];
    return PUAN_OK;
}

enum puan_status puan_proof_make(struct puan_proof *out,
                                 const struct puan_plan *plan,
                                 const struct puan_digest_fn *digest,
                                 const struct puan_proof_options *opt,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_flows *flows = puan_new(a, struct puan_flows);
    struct making m = { out, opt, { plan, flows, digest, puan_proof_verbs }, a };
    struct puan_scenarios all;
    struct puan_clauses clauses;
    int64_t began = puan_os_mono_ns();

    *out = (struct puan_proof){ .plan = plan,
                                .run = opt->run,
                                .mutated = opt->run && opt->mutate };
    if (flows == NULL)
        return puan_arena_check(a, err);
    TRY(read_clauses(&clauses, plan, opt->own, a, err));
    TRY(puan_scenarios_read(&all, plan, a, err));
    TRY(puan_flows_load(flows, plan, a, err));
    out->scenario = puan_new_n(a, all.n + 1, struct puan_proof_scenario);
    if (out->scenario == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < all.n; i++) {
        struct puan_proof_scenario *x;

        if ((opt->own && !puan_str_eq(all.list[i].pack, plan->pack[0].name)) ||
            !wanted(&all.list[i], opt->only))
            continue;
        x = &out->scenario[out->n_scenarios++];
        x->of = &all.list[i];
    }
    TRY(known(out, &clauses, err));
    for (size_t i = 0; i < out->n_scenarios && opt->run; i++) {
        if (opt->stop != NULL && *opt->stop)
            return puan_fail(err, PUAN_EBUSY, "clauses", "stopped");
        TRY(run_one(&out->scenario[i], &m, err));
        out->failed += out->scenario[i].run && !out->scenario[i].passed;
    }
    TRY(rows(&m, &clauses, err));
    out->us = (puan_os_mono_ns() - began) / 1000;
    return puan_arena_check(a, err);
}
