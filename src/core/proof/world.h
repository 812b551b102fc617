/*
 * The world of a play: cases on virtual time, seats, notices.  Verbs of steps
 * work on it; features add verbs of their own (features/proof/verbs.c).
 *
 * Depends on: flow, plan.
 */
#ifndef PUAN_CORE_PROOF_WORLD_H
#define PUAN_CORE_PROOF_WORLD_H

#include "core/proof/proof.h"

struct puan_world;

/*
 * A step is a map with exactly one key that is a verb's.  `keys` are the other
 * keys it may have, apart by spaces.
 */
struct puan_verb {
    const char *name, *keys;
    enum puan_status (*run)(struct puan_world *w, const struct puan_node *step,
                            struct puan_err *err);
};

#define PUAN_WORLD_CASES 32
#define PUAN_WORLD_FACTS 24
struct puan_world_case {
    struct puan_flow_run run;
    struct puan_str name; /* as the play calls it; may be empty */
    int parent;           /* index; -1 none */
    struct puan_flow_given fact[PUAN_WORLD_FACTS];
    size_t n_facts;
};

/* What somebody was told. */
struct puan_told {
    int of; /* case; -1 none */
    enum puan_flow_effect_kind kind;
    struct puan_str seat, role, level, clock;
    int64_t area, at;
    bool vacant;
    struct puan_told *next;
};

struct puan_world {
    const struct puan_stage *stage;
    const struct puan_scenario *scenario;
    struct puan_arena *arena;
    int64_t now, area;
    struct puan_world_case *at[PUAN_WORLD_CASES];
    int n, current; /* -1: none yet */
    struct puan_told *told, **told_end;
    const struct puan_told *since; /* last notice before the last doing */
    struct puan_str called[32];    /* functions effects named */
    size_t n_called;
    struct puan_played played;
    /* What a verb of a feature keeps from step to step, by its own key. */
    struct {
        const void *key;
        void *state;
    } kept[16];
    unsigned depth; /* of beginnings within beginnings */
};

/* ---- for verbs ------------------------------------------------------------ */

/* Verbs of the core: cases, time, access, returns. */
extern const struct puan_verb puan_world_verbs[];

/* State of a verb: zeroed memory of that size, the same for the same key until
 * the play ends or begins afresh.  NULL: out of memory. */
void *puan_world_state(struct puan_world *w, const void *key, size_t size);

/*
 * Holds how an act came out against what the step says (`refused`, `because`):
 * OK when it is as said.  Call it once for each act.
 */
PUAN_MUST_USE enum puan_status puan_world_came(struct puan_world *w,
                                               const struct puan_node *step,
                                               enum puan_status st,
                                               const struct puan_err *why,
                                               struct puan_err *err);
/* A condition was found, or its absence was. */
void puan_world_found(struct puan_world *w, bool found);

/* Something is about to be done: `told` looks at notices from here on. */
void puan_world_mark(struct puan_world *w);

/* "2020-11-01T08:00:00+08:00", "now", "now-30m", "now+2h". */
PUAN_MUST_USE enum puan_status puan_world_time(int64_t *ms,
                                               const struct puan_world *w,
                                               const struct puan_node *n,
                                               struct puan_err *err);
/* Lets time pass; every clock that comes due acts. */
PUAN_MUST_USE enum puan_status puan_world_pass(struct puan_world *w, int64_t to,
                                               struct puan_err *err);

/* The level of an area by its digits, -1 none; the area that holds it. */
int puan_world_level(const struct puan_world *w, int64_t area);
int64_t puan_world_lift(const struct puan_world *w, int64_t area, int level);
/* `outer` holds `inner` or is the same. */
bool puan_world_holds(const struct puan_world *w, int64_t outer, int64_t inner);

/* Who acts, read from the step's by, level, seat, person, as, as_level. */
PUAN_MUST_USE enum puan_status puan_world_who(struct puan_flow_who *out,
                                              const struct puan_role **role,
                                              const struct puan_world *w,
                                              const struct puan_node *step,
                                              int64_t run_area,
                                              struct puan_err *err);
/* The case a step is about (`case`, else the last). */
PUAN_MUST_USE enum puan_status puan_world_case(struct puan_world_case **out,
                                               struct puan_world *w,
                                               const struct puan_node *step,
                                               struct puan_err *err);
/* One event on a case, with all that follows from it. */
PUAN_MUST_USE enum puan_status puan_world_event(struct puan_world *w, int at,
                                                struct puan_flow_event *e,
                                                struct puan_err *err);
/* Opens a case; becomes the current one. */
PUAN_MUST_USE enum puan_status
puan_world_open(struct puan_world *w, struct puan_str flow, int64_t area,
                int parent, const struct puan_flow_event *e,
                struct puan_err *err);
/* Tells a role at an area outside any flow (a feature's own notices). */
void puan_world_tell(struct puan_world *w, struct puan_str role, int64_t area,
                     struct puan_str what);
/* Nobody holds that seat (`vacant` of the scenario or of a step). */
bool puan_world_vacant(const struct puan_world *w, struct puan_str role,
                       int64_t area);

#endif
