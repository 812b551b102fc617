/*
 * Drills of plans: a scenario read from a plan file, and what the drill was
 * worth, judged from what happened.
 *
 * A scenario drills a workflow (`of`): the same flow file, with injects on a
 * timetable and expectations by step and time; or it runs a technical
 * procedure on a copy (`does`).  The format stands in doc/drills.md.
 *
 * Judging is pure: marks (who did what when) go in, one verdict an expectation
 * and the points come out, at any moment of the drill.
 *
 * Depends on: plan, flow.  Does no I/O, reads no clock, keeps no state.
 */
#ifndef PUAN_CORE_DRILL_DRILL_H
#define PUAN_CORE_DRILL_DRILL_H

#include "core/flow/flows.h"

#define PUAN_DRILL_MAX 64 /* contacts, injects, expectations of one drill */

/* A seat that takes part: role at the place of the drill, or at the area of
 * that level that holds it. */
struct puan_drill_contact {
    struct puan_str role, level; /* level: empty at the place itself */
};

struct puan_drill_inject {
    struct puan_str id, zh, en;
    int64_t at_ms; /* after the start; they ascend */
    uint64_t to;   /* bit i: contact i gets the message */
    /* A case the inject opens as Puan, or nothing. */
    struct puan_str open;
    const struct puan_node *fields;
};

enum puan_drill_kind {
    PUAN_DRILL_OPEN,     /* a case of flow NAME is opened */
    PUAN_DRILL_ACT,      /* transition */
    PUAN_DRILL_STEP,     /* step done */
    PUAN_DRILL_ORDER,    /* step ordered */
    PUAN_DRILL_ASK,      /* approval asked for */
    PUAN_DRILL_SIGN,     /* approval signed, yes */
    PUAN_DRILL_TAKE,     /* somebody takes the case over */
    PUAN_DRILL_CLOCK,    /* NAME stopped; `yes`: in time */
    PUAN_DRILL_HEARD,    /* the receipt of inject NAME */
    PUAN_DRILL_OBSERVED, /* ticked by who leads the drill; NAME: expectation */
    PUAN_DRILL_MEASURED  /* a measure of a technical drill; `yes`: it held */
};
extern const char *const puan_drill_word[PUAN_DRILL_MEASURED + 1];

struct puan_drill_expect {
    struct puan_str id, zh, en;
    enum puan_drill_kind kind;
    struct puan_str name; /* of transition, step ...; empty for TAKE */
    struct puan_str flow; /* in which it happens; empty: none */
    struct puan_str by;   /* role; empty: anybody */
    int after;            /* inject from which time counts; -1 the start */
    int64_t within_ms;    /* 0: until the end */
    bool never;           /* it must not happen in that time */
    int points, late;     /* late: what it is worth after its time */
};

struct puan_drill {
    struct puan_str id, zh, en, goal_zh, goal_en;
    int64_t version;
    struct puan_str of;   /* workflow; empty: technical */
    struct puan_str does; /* technical procedure; empty: a workflow */
    struct puan_str level; /* of its places */
    int64_t every_ms, length_ms;
    struct puan_str lead; /* role that prepares, leads and judges */
    struct puan_str register_flow, improve; /* may be empty */
    int pass; /* percent of the points */
    struct puan_drill_contact contact[PUAN_DRILL_MAX];
    struct puan_drill_inject inject[PUAN_DRILL_MAX];
    struct puan_drill_expect expect[PUAN_DRILL_MAX];
    size_t n_contacts, n_injects, n_expects;
    int points; /* of all expectations */
    const struct puan_node *tree;
};

struct puan_drills {
    const struct puan_drill *const *drill; /* by the files' paths */
    size_t n;
};

/*
 * Reads one file against the plan and its workflows; both borrowed.  The
 * message names file, line, column and the remedy.
 */
PUAN_MUST_USE enum puan_status
puan_drill_load(struct puan_drill **out, const struct puan_node *tree,
                const struct puan_plan *plan, const struct puan_flows *flows,
                struct puan_arena *a, struct puan_err *err);
/* drills/ *.yaml of every pack; the first fault ends it. */
PUAN_MUST_USE enum puan_status
puan_drills_load(struct puan_drills *out, const struct puan_plan *plan,
                 const struct puan_flows *flows, struct puan_arena *a,
                 struct puan_err *err);
/* By name, or NULL. */
const struct puan_drill *puan_drills_get(const struct puan_drills *d,
                                         struct puan_str id);
/* Index by id, or -1. */
int puan_drill_inject_of(const struct puan_drill *d, struct puan_str id);
int puan_drill_expect_of(const struct puan_drill *d, struct puan_str id);

/* The measures a technical procedure gives, NULL-ended; NULL: there is no such
 * procedure. */
const char *const *puan_drill_measures(struct puan_str does);

/* ---- judging ------------------------------------------------------------ */

struct puan_drill_mark {
    enum puan_drill_kind kind;
    struct puan_str name, flow, role;
    int64_t at_ms;
    bool yes; /* SIGN, CLOCK, OBSERVED, MEASURED; true for the rest */
};

enum puan_drill_state {
    PUAN_DRILL_WAITING,  /* its time runs, or has not begun */
    PUAN_DRILL_MET,      /* in time; of `never`: it did not happen */
    PUAN_DRILL_LATE,
    PUAN_DRILL_MISSED,   /* of `never`: it happened */
    PUAN_DRILL_UNTESTED  /* its inject was never sent: does not count */
};
extern const char *const puan_drill_state_word[PUAN_DRILL_UNTESTED + 1];

struct puan_drill_verdict {
    enum puan_drill_state state;
    int64_t due_ms;  /* 0: not known yet */
    int64_t done_ms; /* 0: it did not happen */
    int points;
    int mark; /* index of what decided it; -1 */
};

struct puan_drill_times {
    int64_t start_ms;
    int64_t end_ms;                   /* 0: it goes on */
    int64_t now_ms;
    int64_t sent_ms[PUAN_DRILL_MAX]; /* by inject; 0: not sent */
};

struct puan_drill_result {
    struct puan_drill_verdict verdict[PUAN_DRILL_MAX];
    int points, full; /* of what was put to the test */
    unsigned met, late, missed, waiting, untested;
    bool passed; /* only after the end */
};

/*
 * Judges what has happened so far.  Marks may come in any order; of several
 * that fit, the earliest counts.
 */
void puan_drill_judge(struct puan_drill_result *out,
                      const struct puan_drill *d,
                      const struct puan_drill_times *t,
                      const struct puan_drill_mark *mark, size_t n);

#endif
