/*
 * puan plan clauses.
 */
#include <stdio.h>

#include "features/host/args.h"
#include "features/plans/plans.h"
#include "features/proof/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define PACKS 4
#define EXTERNAL_MOST 10

struct counts {
    size_t n, state[4];
};

static void count(struct counts *c, const struct puan_proof *p)
{
    for (size_t i = 0; i < p->n; i++) {
        c->n++;
        c->state[p->row[i].state]++;
    }
}

static void put_counts(struct puan_out *o, const char *name,
                       const struct counts *c)
{
    puan_out_fmt(o,
                 "%-20s %4zu clauses: %zu shown, %zu open, %zu external, %zu "
                 "uncovered\n",
                 name, c->n, c->state[PUAN_PROOF_SHOWN],
                 c->state[PUAN_PROOF_OPEN], c->state[PUAN_PROOF_EXTERNAL],
                 c->state[PUAN_PROOF_UNCOVERED]);
}

/* Rows by one of their words, in the order they are first met. */
static void put_groups(struct puan_out *o, const struct puan_proof *p,
                       struct puan_str (*word)(const struct puan_clause *))
{
    for (size_t i = 0; i < p->n; i++) {
        struct puan_str w = word(p->row[i].of);
        struct counts c = { 0 };
        bool first = true;

        for (size_t k = 0; k < p->n; k++) {
            if (!puan_str_eq(word(p->row[k].of), w))
                continue;
            first = first && k >= i;
            c.n++;
            c.state[p->row[k].state]++;
        }
        if (first)
            put_counts(o, puan_arena_fmt(o->arena, "  %.*s", PUAN_FMT(w)), &c);
    }
}
static struct puan_str by_system(const struct puan_clause *c)
{
    return c->system;
}
static struct puan_str by_source(const struct puan_clause *c)
{
    return c->source;
}
static struct puan_str by_kind(const struct puan_clause *c)
{
    return c->kind;
}

static void put_open(struct puan_out *o, const struct puan_proof *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct puan_clause *c = p->row[i].of;

        if (p->row[i].state == PUAN_PROOF_SHOWN)
            continue;
        puan_out_fmt(o, "%s %.*s %.*s %.*s: %.*s [%.*s]\n",
                     puan_proof_state_name[p->row[i].state], PUAN_FMT(c->id),
                     PUAN_FMT(c->system), PUAN_FMT(c->kind), PUAN_FMT(c->en),
                     PUAN_FMT(c->what));
    }
}

static void put_faults(struct puan_out *o, const struct puan_proof *p)
{
    for (size_t i = 0; i < p->n_scenarios; i++) {
        const struct puan_proof_scenario *x = &p->scenario[i];

        if (x->run && !x->passed)
            puan_out_fmt(o, "%s:%u:%u: scenario %.*s: %s\n", x->err.where,
                         x->err.line, x->err.col, PUAN_FMT(x->of->id),
                         x->err.text);
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct puan_proof_row *r = &p->row[i];

        if (r->fault != NULL)
            puan_out_fmt(o, "uncovered %.*s: %s\n", PUAN_FMT(r->of->id),
                         r->fault);
    }
}

/* What each mutant died of. */
static void put_mutants(struct puan_out *o, const struct puan_proof *p)
{
    static const char *const word[] = { "not run", "killed",
                                        "not loadable", "SURVIVED", "NO PATH" };

    for (size_t i = 0; i < p->n_scenarios; i++) {
        const struct puan_proof_scenario *x = &p->scenario[i];
        size_t at = 0;

        for (size_t k = 0; x->mutant != NULL && k < x->of->n; k++)
            for (size_t l = 0; l < x->of->proves[k].n; l++, at++)
                puan_out_fmt(o, "%s  %.*s  %.*s\n    %s\n",
                             word[x->mutant[at]],
                             PUAN_FMT(x->of->proves[k].clause),
                             PUAN_FMT(x->of->proves[k].rest[l].at->text),
                             x->why[at]);
    }
}

/* Rows that are shown from now on say so: then a lost scenario is noticed. */
static enum puan_status settle(struct puan_out *o, const struct puan_proof *p,
                               struct puan_err *err)
{
    const struct puan_plan_file *f =
        puan_plan_file(p->plan, PUAN_STR("clauses.tsv"));
    struct puan_out text;
    struct puan_str rest, line;
    size_t changed = 0;

    if (f == NULL)
        return PUAN_OK;
    puan_out_init(&text, o->arena);
    rest = f->text;
    while (puan_str_split(&line, &rest, '\n')) {
        struct puan_str after = line, part;
        bool now = false;

        (void)puan_str_split(&part, &after, '\t');
        for (size_t i = 0; i < p->n; i++)
            now = now || (puan_str_eq(p->row[i].of->id, part) &&
                          p->row[i].state == PUAN_PROOF_SHOWN &&
                          p->row[i].of->shows == PUAN_SHOWS_OPEN);
        changed += now;
        for (int col = 0; now && col < 5; col++)
            (void)puan_str_split(&part, &after, '\t');
        if (now)
            puan_out_fmt(&text, "%.*s\tshown\t",
                         (int)(part.p + part.n - line.p), line.p);
        else
            puan_out_str(&text, line);
        if (rest.p != NULL)
            puan_out_char(&text, '\n');
    }
    if (o->arena->failed)
        return puan_arena_check(o->arena, err);
    puan_out_fmt(o, "  %zu rows of %s now say shown\n", changed, f->name);
    return changed ? puan_file_write(f->name, puan_out_view(&text), 0644, err)
                   : PUAN_OK;
}

static enum puan_status one_pack(struct puan_out *o, struct counts *all,
                                 bool *bad, const char *pack,
                                 const struct puan_proof_options *opt,
                                 const char *by, bool open, bool mutants,
                                 bool settled,
                                 struct puan_err *err)
{
    struct puan_plan_held *held = NULL;
    struct puan_proof p;
    struct counts c = { 0 };
    enum puan_status st =
        puan_plan_load_dir(&held, pack, puan_digest_sm3(), err);

    if (st != PUAN_OK)
        return st;
    st = puan_proof_make(&p, puan_plan_held_plan(held), puan_digest_sm3(), opt,
                         o->arena, err);
    if (st == PUAN_OK) {
        unsigned passed = 0;

        put_faults(o, &p);
        if (mutants)
            put_mutants(o, &p);
        if (open)
            put_open(o, &p);
        count(&c, &p);
        count(all, &p);
        put_counts(o, pack, &c);
        if (by != NULL)
            put_groups(o, &p,
                       puan_str_is(puan_str_of(by), "system")   ? by_system
                       : puan_str_is(puan_str_of(by), "source") ? by_source
                                                                : by_kind);
        for (size_t i = 0; i < p.n_scenarios; i++)
            passed += p.scenario[i].run && p.scenario[i].passed;
        if (p.run)
            puan_out_fmt(o, "  %zu scenarios: %u passed, %zu failed, %zu not "
                            "played here; %lld ms\n",
                         p.n_scenarios, passed, p.failed,
                         p.n_scenarios - passed - p.failed,
                         (long long)(p.us / 1000));
        if (p.mutated)
            puan_out_fmt(o, "  mutation: killed %u / %u, %u of them refused by "
                            "the loader\n",
                         p.killed + p.unloadable, p.mutants, p.unloadable);
        if (settled && p.mutated && opt->only == NULL)
            st = settle(o, &p, err);
        *bad = *bad || p.failed > 0 || c.state[PUAN_PROOF_UNCOVERED] > 0;
        if (st == PUAN_OK)
            st = o->arena->failed ? puan_arena_check(o->arena, err) : PUAN_OK;
    }
    puan_plan_close(held);
    return st;
}

static int cmd_clauses(int argc, char **argv)
{
    const char *pack[PACKS] = { NULL }, *by = NULL, *only = NULL;
    bool run = false, mutate = false, open = false, mutants = false;
    bool settled = false, bad = false;
    const struct puan_arg args[] = {
        { NULL, &pack[0], NULL },   { NULL, &pack[1], NULL },
        { NULL, &pack[2], NULL },   { NULL, &pack[3], NULL },
        { "--by", &by, NULL },      { "--only", &only, NULL },
        { "--run", NULL, &run },    { "--mutate", NULL, &mutate },
        { "--open", NULL, &open },  { "--mutants", NULL, &mutants },
        { "--settle", NULL, &settled },
    };
    struct puan_proof_options opt = { 0 };
    struct counts all = { 0 };
    struct puan_arena a;
    struct puan_out o;
    struct puan_err err = { 0 };
    enum puan_status st = PUAN_OK;
    size_t n = 0;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack[0])
        return PUAN_EXIT_USAGE;
    if (by != NULL && !puan_str_is(puan_str_of(by), "system") &&
        !puan_str_is(puan_str_of(by), "source") &&
        !puan_str_is(puan_str_of(by), "kind")) {
        (void)fprintf(stderr, "puan: --by is system, source or kind\n");
        return PUAN_EXIT_USAGE;
    }
    mutate = mutate || mutants || settled;
    opt = (struct puan_proof_options){ .run = run || mutate,
                                       .mutate = mutate,
                                       .own = true,
                                       .only = only,
                                       .server = puan_proof_server };
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    for (; n < PACKS && pack[n] != NULL && st == PUAN_OK; n++)
        st = one_pack(&o, &all, &bad, pack[n], &opt, by, open, mutants,
                      settled, &err);
    if (n > 1 && st == PUAN_OK)
        put_counts(&o, "together", &all);
    if (all.state[PUAN_PROOF_EXTERNAL] > EXTERNAL_MOST) {
        puan_out_fmt(&o, "more than %d clauses are called external\n",
                     EXTERNAL_MOST);
        bad = true;
    }
    if (o.n > 0 && (fwrite(o.p, 1, o.n, stdout) != o.n || fflush(stdout) != 0))
        bad = true;
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    return bad ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}

const struct puan_command puan_proof_commands[1] = {
    { "plan clauses",
      "PACK... [--run] [--mutate] [--settle] [--only ID] [--open] [--mutants] "
      "[--by system|source|kind]",
      "Every clause a pack answers for, and what shows it.\n"
      "--run plays the scenarios of its proof/ folder; --mutate also takes "
      "away, one\nby one, each path of the pack a clause rests on: the play "
      "must fail then.\n--only: scenarios and clauses that begin with ID. "
      "--open lists what is not\nshown, --mutants what each mutant died of, "
      "--settle writes `shown` into the rows\nthat are. "
      "Exit code 1 when a clause is\nuncovered or a scenario fails.",
      cmd_clauses, "逐条列出方案包承担的条款及其证明，可重新运行全部情景" },
};

const struct puan_feature puan_feature_proof = {
    .name = "proof",
    .routes = puan_proof_routes,
    .n_routes = PUAN_PROOF_ROUTES,
    .open = puan_proof_open,
    .close = puan_proof_close,
    .commands = puan_proof_commands,
    .n_commands = PUAN_COUNT(puan_proof_commands),
};
