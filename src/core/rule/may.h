/*
 * The third executor of rules: what a rule may say of a record some of whose
 * cells are open.  Every cell is a set of states and, where it may be given,
 * a range of values; a run gives the outcomes that some choice of values may
 * have.  It errs on one side only: an outcome that some choice has is always
 * among those given.  When every cell has one state and one value the answer
 * is the record executor's (property test).
 *
 * This is interval arithmetic over Kleene's truth values (R. E. Moore,
 * Interval Analysis, 1966; S. C. Kleene, Introduction to Metamathematics,
 * 1952, section 64), with the reasons of doc/rules.md section 5 kept apart.
 * It serves error localisation (core/edit/localise.h) and proofs over finite
 * code domains.
 *
 * Depends on: rule.  Does no I/O, reads no clock.
 */
#ifndef PUAN_CORE_RULE_MAY_H
#define PUAN_CORE_RULE_MAY_H

#include "core/rule/rule.h"

/* State of an empty cell: MISSING where its asked_if is true, else NOT_ASKED,
   by the other cells (core/plan/routing.h). */
#define PUAN_MAY_EMPTY 0x10u
#define PUAN_MAY_STATE(s) (1u << (s)) /* enum puan_state */
#define PUAN_MAY_SAME 1u              /* the text the record has */
#define PUAN_MAY_OTHER 2u             /* another text, not at hand */

struct puan_may {
    int64_t lo, hi; /* where GIVEN */
    int32_t reason; /* where MISSING: that, or any from 0 to it if EMPTY may
                       be, too */
    uint8_t states; /* set of states, and EMPTY */
    uint8_t text;   /* text items: which texts */
};

/* When an item is asked: NULL in `when` for always. */
struct puan_may_asked {
    const struct puan_expr *when;
    bool required; /* else an empty cell is NOT_ASKED whatever was asked */
};

struct puan_may_run;

/*
 * A run over the rows of `r`, which lends its texts and the number of rows.
 * cell[e] holds a set for each cell, row-major like the record's values; the
 * caller changes them as it likes and calls puan_may_changed.  asked[e] has
 * an entry for each item of entity e; may be NULL where no cell is EMPTY.
 */
PUAN_MUST_USE enum puan_status
puan_may_open(struct puan_may_run **out, const struct puan_ruleset *rs,
              const struct puan_record *r,
              struct puan_may *const cell[PUAN_FORM_ENTITIES],
              const struct puan_may_asked *const asked[PUAN_FORM_ENTITIES],
              struct puan_arena *a, struct puan_err *err);
/* To be called after cells have changed and before the next run. */
void puan_may_changed(struct puan_may_run *m);

/* Outcomes of one rule for one row. */
#define PUAN_MAY_FAIL 1u
#define PUAN_MAY_PASS 2u /* holds, does not apply, is silent or not evaluable  \
                          */
unsigned puan_may_rule(struct puan_may_run *m, size_t rule, uint32_t row);

/* Truth of an expression for one row: bits 1 << enum puan_truth. */
unsigned puan_may_truth(struct puan_may_run *m, const struct puan_expr *e,
                        uint32_t row);

/* What a rule, or an expression, reads, derived items seen through. */
struct puan_may_read {
    uint16_t entity, item;
    bool all; /* in every row of the entity, else in the rule's own row (or
                 the household's) */
};
/* Each item at most once for own and once for all rows; in the arena. */
PUAN_MUST_USE enum puan_status
puan_may_rule_reads(struct puan_may_read **out, size_t *n,
                    const struct puan_ruleset *rs, size_t rule,
                    struct puan_arena *a, struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_may_expr_reads(struct puan_may_read **out,
                                                   size_t *n,
                                                   const struct puan_expr *e,
                                                   struct puan_arena *a,
                                                   struct puan_err *err);

#endif
