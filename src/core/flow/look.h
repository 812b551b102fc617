/*
 * What can be done with a run now, by whom, and what holds back the rest: for
 * pages and lists.  Looks only; whether an event is allowed is decided by
 * puan_flow_apply alone, and nothing here is asked on the way there.
 *
 * Depends on: flow.
 */
#ifndef PUAN_CORE_FLOW_LOOK_H
#define PUAN_CORE_FLOW_LOOK_H

#include "core/flow/flow.h"

/* Why something cannot be done now, whoever asks. */
enum puan_flow_lock_kind {
    PUAN_FLOW_LOCK_STATE,    /* it does not belong to the present state */
    PUAN_FLOW_LOCK_GUARD,    /* its condition does not hold */
    PUAN_FLOW_LOCK_UNKNOWN,  /* a fact of its condition is not known */
    PUAN_FLOW_LOCK_STEP,     /* this step comes first */
    PUAN_FLOW_LOCK_APPROVAL, /* this approval is missing */
    PUAN_FLOW_LOCK_ORDER,    /* a step that waits for an order */
    PUAN_FLOW_LOCK_CLOCK,    /* it opens when this clock is due */
    PUAN_FLOW_LOCK_OPEN,     /* things of this kind (index into none_open) are
                                open */
    PUAN_FLOW_LOCK_BLOCK     /* another run forbids it (index of blockers) */
};
struct puan_flow_lock {
    enum puan_flow_lock_kind kind;
    int index; /* step, approval, clock …; -1 */
};
#define PUAN_FLOW_LOCKS 24

/*
 * The locks of a transition or step; 0: it can be done (fields and papers it
 * needs are given with the act and are no locks).  A condition over fields the
 * act itself fills is no lock while those could still make it hold.  `w` NULL:
 * facts and other runs are not looked at, and do not lock.
 */
size_t puan_flow_act_locks(struct puan_flow_lock out[PUAN_FLOW_LOCKS],
                           const struct puan_flow_run *run, int transition,
                           int64_t at_ms, const struct puan_flow_world *w);
size_t puan_flow_step_locks(struct puan_flow_lock out[PUAN_FLOW_LOCKS],
                            const struct puan_flow_run *run, int step,
                            int64_t at_ms, const struct puan_flow_world *w);

/* Does the step's condition leave it in this run at all? */
bool puan_flow_step_applies(const struct puan_flow_run *run, int step,
                            int64_t at_ms);

/* May `who` sign (ask for) the approval now, as far as seats, requester and
 * earlier signatures go? */
bool puan_flow_may_sign(const struct puan_flow_run *run, int approval,
                        const struct puan_flow_who *who);
bool puan_flow_may_ask(const struct puan_flow_run *run, int approval,
                       int64_t at_ms, const struct puan_flow_who *who);
/* The approval stands and has not expired. */
bool puan_flow_approval_stands(const struct puan_flow_run *run, int approval,
                               int64_t at_ms);

/* Is the gate open?  `w` gives the facts; one that is not known is closed. */
bool puan_flow_gate_open(const struct puan_flow_run *run, size_t gate,
                         int64_t at_ms, const struct puan_flow_world *w);

/* A thing to be done. */
enum puan_flow_todo_kind {
    PUAN_FLOW_TODO_TAKE,
    PUAN_FLOW_TODO_SIGN, /* index: approval */
    PUAN_FLOW_TODO_STEP,
    PUAN_FLOW_TODO_ACT,
    PUAN_FLOW_TODO_ASK,  /* index: approval */
    PUAN_FLOW_TODO_ORDER /* index: step */
};
struct puan_flow_todo {
    enum puan_flow_todo_kind kind;
    int index;
    puan_flow_set by; /* seats */
    int clock;        /* that it stops, the one due first; -1 */
    int64_t due_ms;   /* of that clock; 0 none */
    int rank;         /* smaller comes first */
};
#define PUAN_FLOW_TODOS 48
#define PUAN_FLOW_ASIDE 6 /* from this rank on: may be done, is not due */
/*
 * Everything that can be done now, by whomever, what comes first being first:
 * taking over; then whatever stops a clock that is overdue or due within two
 * hours; then signatures, steps within the own authority, transitions that
 * lead on, requests for approval, orders; last what is optional or leads out.
 */
size_t puan_flow_todos(struct puan_flow_todo out[PUAN_FLOW_TODOS],
                       const struct puan_flow_run *run, int64_t at_ms,
                       const struct puan_flow_world *w);
/*
 * Is it for this seat?  A seat open to everybody (role any) counts only for
 * him who opened the run.  *seat gets which seat of the flow.
 */
bool puan_flow_todo_mine(int *seat, const struct puan_flow_run *run,
                         const struct puan_flow_todo *t,
                         const struct puan_flow_who *who);

/*
 * A condition in words of the plan: "class = technical and handled = yes" →
 * "事件类别为二类（技术），且处置完毕为是" / "Class is …, and Handling
 * finished is yes".
 */
void puan_flow_words(struct puan_out *o, const struct puan_flow *f,
                     struct puan_str when, bool zh);

/*
 * A plan sets texts in both languages as "值班表有空岗｜Nobody stands": the half
 * of one of them.  A text without ｜, or with more than one, is what it is.
 */
struct puan_str puan_flow_half(struct puan_str text, bool zh);

/* Why a lock holds, in words; `when` and `none_open` are those of the act. */
void puan_flow_lock_words(struct puan_out *o, const struct puan_flow *f,
                          const struct puan_flow_lock *l,
                          struct puan_str when,
                          const struct puan_str *none_open,
                          const struct puan_flow_world *w, bool zh);

/*
 * The flow as an SVG: states in layers from the first to the last, the present
 * one filled, the way it came thick, what is locked with a lock and its
 * reason.  Shapes carry class names (pf-…) and presentation attributes only,
 * so that a strict content policy lets it through; every colour is
 * currentColor.  `run` may be NULL: the plain flow.
 */
void puan_flow_svg(struct puan_out *o, const struct puan_flow *f,
                   const struct puan_flow_run *run, int64_t at_ms,
                   const struct puan_flow_world *w, bool zh,
                   struct puan_arena *a);

/*
 * What an event is called by the flow: its transition's, step's, approval's or
 * clock's label.  NULL for those that are no part of a flow (the opening,
 * evidence, taking over, stopping) and for a name the flow does not have.
 */
const struct puan_flow_label *
puan_flow_event_label(const struct puan_flow *f,
                      const struct puan_flow_event *e);

#endif
