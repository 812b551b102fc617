/*
 * The proof of clauses: what an office's orders demand, row by row, and plays
 * that show it by running the plan.
 *
 *   clauses.tsv    the catalogue of a pack: one row per requirement
 *   proof/NAME.yaml  scenarios: which clauses they prove, on which paths of the
 *                  pack each of them rests, and a play with both sides
 *
 * A play runs on the pure engines in a world of its own (world.h): virtual
 * time, seats held by whom the play says, notices in a list.  A mutation is
 * the plan with one path taken out; a play that still passes then did not
 * prove that the clause rests on it.
 *
 * doc/proof.md is the format's reference.
 *
 * Depends on: plan, flow.  Does no I/O, reads no clock.
 */
#ifndef PUAN_CORE_PROOF_PROOF_H
#define PUAN_CORE_PROOF_PROOF_H

#include "core/flow/flows.h"
#include "core/plan/plan.h"

/* ---- the catalogue ------------------------------------------------------ */

enum puan_shows {
    PUAN_SHOWS_OPEN,    /* what: the capability that will show it */
    PUAN_SHOWS_SHOWN,   /* scenarios prove it */
    PUAN_SHOWS_EXTERNAL /* what: why no software can show it */
};

struct puan_clause {
    struct puan_str id, system, kind, zh, en, figure, what;
    struct puan_str as; /* "record+prevent": shown like a prevent row */
    struct puan_str source; /* "GX1" of "GX1-4.2" */
    struct puan_str pack;
    enum puan_shows shows; /* as the row says */
    const char *file;
    uint32_t line;
};
struct puan_clauses {
    const struct puan_clause *list;
    size_t n;
};
extern const char *const puan_shows_name[3];

/*
 * Reads a clauses.tsv: a header line, then one row a line, fields apart by
 * tabs: id system kind zh en figure shows what.
 *
 * EINVAL  names file, line and column: another header, a field too few or too
 *         many, an id twice, an unknown kind or word under shows, an open or
 *         external row that does not say what
 */
PUAN_MUST_USE enum puan_status
puan_clauses_read(struct puan_clauses *out, struct puan_str text,
                  const char *file, struct puan_str pack, struct puan_arena *a,
                  struct puan_err *err);
/* By id, or NULL. */
const struct puan_clause *puan_clauses_get(const struct puan_clauses *c,
                                           struct puan_str id);

/* ---- scenarios ------------------------------------------------------------ */

/* One path of the pack that a clause rests on. */
struct puan_rest {
    struct puan_str file, path; /* "flows/incident.yaml", "clocks.up" */
    struct puan_str cut;        /* of the text there; empty: all of it */
    struct puan_str set;        /* the text is made this; empty: taken out */
    const struct puan_rest *also; /* taken out together with it; NULL */
    const struct puan_node *at; /* where the scenario says so */
};
struct puan_proves {
    struct puan_str clause;
    const struct puan_rest *rest;
    size_t n;
    const struct puan_node *at;
};
struct puan_scenario {
    struct puan_str id, zh, en, pack;
    const struct puan_proves *proves;
    size_t n;
    bool server; /* played over HTTP on a scratch campaign */
    uint64_t traps; /* bit n: shows trap n of the catalogue */
    int64_t area, from_ms;
    const struct puan_node *tree;   /* of the scenario */
    const struct puan_node *play;   /* list of steps */
    const struct puan_node *begins; /* of its file: named beginnings */
    const struct puan_node *vacant; /* seats nobody holds; NULL none */
};
struct puan_scenarios {
    const struct puan_scenario *list;
    size_t n;
};

/*
 * All scenarios of the plan's packs.  Steps are read when they are played.
 *
 * EINVAL  names file, line and column
 */
PUAN_MUST_USE enum puan_status
puan_scenarios_read(struct puan_scenarios *out, const struct puan_plan *plan,
                    struct puan_arena *a, struct puan_err *err);

/* ---- playing ----------------------------------------------------------------
 */

/* What a play runs on. */
struct puan_stage {
    const struct puan_plan *plan;
    const struct puan_flows *flows;
    const struct puan_digest_fn *digest;
    const struct puan_verb *const *verbs; /* lists, NULL-ended (world.h); they
                                             come before those of the core */
    void *host; /* what those verbs work on; may be NULL */
    /* The plan lacks a part: what is expected not to be there may lack its
       name too, and both sides are not asked for. */
    bool mutant;
};

/* What a play did; a scenario needs both sides. */
struct puan_played {
    unsigned steps;
    unsigned allowed, refused; /* acts */
    unsigned found, absent;    /* conditions, notices */
    unsigned met, missed;      /* clocks */
    bool unloadable;           /* not played on: the plan is not to be run */
};

/*
 * Plays one scenario to its end.  The first step that does not come out as it
 * says ends it; err names file, line and column.  `played` may be NULL.
 *
 * EINVAL  a step came out otherwise, or cannot be read; the scenario lacks a
 *         side; the plan cannot be run (played->unloadable)
 * else    this machine is at fault: ENOMEM, EIO, EWRITE, EBUSY, EBUG
 */
PUAN_MUST_USE enum puan_status
puan_scenario_play(struct puan_played *played, const struct puan_stage *stage,
                   const struct puan_scenario *s, struct puan_arena *a,
                   struct puan_err *err);

/* ---- mutation --------------------------------------------------------------
 */

/*
 * The plan without one path; flows are loaded anew.  Files, forms and rules it
 * does not touch are shared with `of`, which must outlive it.
 *
 * ENOTFOUND  there is no such path: the scenario names what is not there
 * else       the plan cannot be loaded without it; err says why
 */
PUAN_MUST_USE enum puan_status
puan_plan_without(const struct puan_plan **plan, struct puan_flows *flows,
                  const struct puan_plan *of, const struct puan_flows *flows_of,
                  const struct puan_rest *rest, struct puan_arena *a,
                  struct puan_err *err);

/*
 * A copy of the tree without the node the path names; ENOTFOUND when it names
 * none.  With `cut` only that text is taken out of the scalar, which must hold
 * it exactly once; with `set` the scalar becomes that.
 */
PUAN_MUST_USE enum puan_status
puan_node_without(struct puan_node **out, const struct puan_node *tree,
                  const struct puan_rest *rest, struct puan_arena *a,
                  struct puan_err *err);

#endif
