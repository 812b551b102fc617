/*
 * The proof of clauses, run: every clause of a pack with what shows it, the
 * result of its scenarios, and of the mutation.
 *
 *   puan plan clauses PACK... [--run] [--mutate]
 *
 * Depends on: core/proof, plans.  doc/proof.md is the reference.
 */
#ifndef PUAN_FEATURES_PROOF_PROOF_H
#define PUAN_FEATURES_PROOF_PROOF_H

#include "core/proof/proof.h"
#include "features/host/feature.h"

extern const struct puan_feature puan_feature_proof;

enum puan_proof_state {
    PUAN_PROOF_UNCOVERED, /* none of the three, or what shows it fails */
    PUAN_PROOF_OPEN,
    PUAN_PROOF_EXTERNAL,
    PUAN_PROOF_SHOWN
};
extern const char *const puan_proof_state_name[4];

/* One clause resting on one path in one scenario, taken away. */
enum puan_mutant { PUAN_MUTANT_NOT_RUN, PUAN_MUTANT_KILLED,
                   PUAN_MUTANT_UNLOADABLE, PUAN_MUTANT_SURVIVED,
                   PUAN_MUTANT_WRONG /* there is no such path */ };

struct puan_proof_scenario {
    const struct puan_scenario *of;
    bool run, passed;
    int64_t us;
    struct puan_played played;
    struct puan_err err; /* why it failed */
    /* mutants, one after another over proves and their rests */
    enum puan_mutant *mutant;
    const char **why; /* what ended the play then */
    size_t n_mutants;
};
struct puan_proof_row {
    const struct puan_clause *of;
    enum puan_proof_state state;
    const char *fault; /* why it is uncovered; NULL */
    const struct puan_proof_scenario **by;
    size_t n_by;
    unsigned mutants, killed, unloadable;
};
struct puan_proof {
    const struct puan_plan *plan;
    struct puan_proof_row *row;
    size_t n;
    struct puan_proof_scenario *scenario;
    size_t n_scenarios, failed;
    unsigned mutants, killed, unloadable;
    bool run, mutated;
    int64_t us;
};

struct puan_proof_options {
    bool run, mutate;
    bool own;         /* clauses and scenarios of the plan's own pack alone */
    const char *only; /* scenarios whose id or clause begins so; NULL all */
    /* Plays a scenario over HTTP on a scratch campaign (server.c); NULL: such
     * scenarios are not run here and what they prove stays as it was. */
    enum puan_status (*server)(struct puan_played *played,
                               const struct puan_plan *plan,
                               const struct puan_scenario *s, void *arg,
                               struct puan_err *err);
    void *arg;
    const _Atomic bool *stop; /* set: no further play is begun; may be NULL */
};

/*
 * Reads the catalogue and the scenarios of a plan and runs what the options
 * ask for.  Everything lives in the arena and borrows from the plan.  A
 * scenario that fails is a result, not an error.
 *
 * EINVAL  clauses.tsv or a proof file cannot be read
 */
PUAN_MUST_USE enum puan_status
puan_proof_make(struct puan_proof *out, const struct puan_plan *plan,
                const struct puan_digest_fn *digest,
                const struct puan_proof_options *opt, struct puan_arena *a,
                struct puan_err *err);

#endif
