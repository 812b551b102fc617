/*
 * Inside of error localisation: one return whose cells can be opened and
 * closed, and the search for values of the open ones.
 *
 * A unit is an answer with the facts that follow it; it is open or closed as
 * a whole.  An instance is a hard rule for one row, or the demand that an
 * answer made empty is one that routing does not ask.
 *
 * Depends on: rule/may.  Does no I/O.
 */
#ifndef PUAN_CORE_EDIT_OPEN_H
#define PUAN_CORE_EDIT_OPEN_H

#include "core/edit/localise.h"
#include "core/rule/may.h"

/* Most cells that all instances of a return may read together. */
#define PUAN_OPEN_SCOPE (32u << 20)

/* What an open cell may become. */
#define PUAN_OPEN_VALUE 1u /* a value of its domain (or another text) */
#define PUAN_OPEN_EMPTY 2u /* empty, where it was not */
#define PUAN_OPEN_AS_IS                                                        \
    4u /* what it was, where that is no value of its domain */

struct puan_open_item { /* of a form */
    uint32_t weight;    /* 0: never changed */
    uint16_t owner;     /* the item itself, or what a fact follows */
    const uint16_t *fact;
    uint16_t n_facts;
    bool answer; /* not a fact, not from the key or the head */
    bool text;
    bool may_empty;
    int64_t lo, hi;
    const struct puan_codelist *codes;
};

struct puan_open_rule { /* a hard rule */
    uint16_t rule, entity;
    const struct puan_may_read *read;
    size_t n_reads;
};

struct puan_localiser {
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    const struct puan_routing *routing;
    struct puan_open_item *item[PUAN_FORM_ENTITIES];
    struct puan_may_asked *asked[PUAN_FORM_ENTITIES];
    /* what the asked_if of an item reads */
    struct puan_may_read **asked_read[PUAN_FORM_ENTITIES];
    size_t *n_asked_read[PUAN_FORM_ENTITIES];
    struct puan_open_rule *rule;
    size_t n_rules;
};

struct puan_open_cell {
    int64_t lo, hi; /* of VALUE */
    uint8_t can;    /* PUAN_OPEN_… */
};

struct puan_open_instance {
    uint32_t row;
    uint32_t rule; /* of the localiser; UINT32_MAX: asked of `cell` */
    uint32_t cell;
    uint32_t from, to; /* of scope */
};

struct puan_open {
    const struct puan_localiser *l;
    const struct puan_record *r;
    struct puan_arena *arena;
    struct puan_err *err;
    struct puan_may_run *run;
    uint32_t n_cells, base[PUAN_FORM_ENTITIES];
    struct puan_may *may, *was; /* by cell: now; in the return */
    struct puan_open_cell *now, *full;
    struct puan_cell *at;
    uint32_t *unit; /* of a cell: the cell of its answer */
    struct puan_open_instance *instance;
    uint32_t n_instances;
    uint32_t *scope;      /* cells of instances */
    uint32_t *of, *of_at; /* instances of a cell: of[of_at[c] .. of_at[c+1]) */
    uint8_t *settled;     /* of an instance: nothing open can make it fail */
    uint32_t *trail, n_trail;
    uint32_t *stamp, round;             /* of cells, scratch */
    uint32_t *stamp_i, round_i;         /* of instances */
    struct puan_open_cell *save;        /* scratch of explain, by cell */
    uint32_t *list;                     /* scratch of explain */
    struct puan_open_cell *save_search; /* scratch of the search, by cell */
    uint64_t *spare;                    /* scratch: a set */
    size_t n_words;                     /* 64-bit words of a set of cells */
    uint64_t **level;
    size_t n_levels, cap_levels;
    uint64_t runs, budget;
};

enum puan_open_verdict { PUAN_OPEN_FAILS, PUAN_OPEN_PASSES, PUAN_OPEN_MAYBE };
enum puan_open_answer {
    PUAN_OPEN_SAT,
    PUAN_OPEN_UNSAT,
    PUAN_OPEN_OUT, /* of budget */
    PUAN_OPEN_NOMEM
};

/* All cells closed, instances listed.  ELIMIT  beyond PUAN_OPEN_SCOPE */
enum puan_status puan_open_begin(struct puan_open **out,
                                 const struct puan_localiser *l,
                                 const struct puan_record *r, uint64_t budget,
                                 struct puan_arena *a, struct puan_err *err);
enum puan_open_verdict puan_open_judge(struct puan_open *o, uint32_t instance);
void puan_open_unit(struct puan_open *o, uint32_t cell);
void puan_open_close(struct puan_open *o, uint32_t cell);
/* Sets what a cell may be; can and range within full. */
void puan_open_set(struct puan_open *o, uint32_t cell,
                   struct puan_open_cell to);
bool puan_open_changeable(const struct puan_open *o, uint32_t unit);

/*
 * Why a failing instance fails: adds to `set` (bits by unit) units that, as
 * they are now, make it fail whatever all others become; no one of them can be
 * left out.  Units that cannot be changed are left out.
 */
void puan_open_explain(struct puan_open *o, uint32_t instance, uint64_t *set);

/*
 * Values for the open units, a list of n.  SAT: the cells are narrowed so
 * that no instance can fail.  UNSAT: *conflict gets sets (by conflicts times
 * n_words) of closed units that cannot all stay; at least one.
 */
struct puan_open_conflicts {
    uint64_t **set;
    size_t n, cap;
};
enum puan_open_answer puan_open_search(struct puan_open *o,
                                       struct puan_open_conflicts *out,
                                       const uint32_t *unit, uint32_t n);
/* After SAT: one value for each open cell, near what the return has. */
void puan_open_pick(struct puan_open *o, const uint32_t *unit, uint32_t n);
/* The return with what the cells hold now, each of one value. */
enum puan_status puan_open_record(struct puan_record *out,
                                  const struct puan_open *o,
                                  struct puan_arena *a, struct puan_err *err);

static inline bool puan_set_has(const uint64_t *set, uint32_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}
static inline void puan_set_add(uint64_t *set, uint32_t i)
{
    set[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void puan_set_drop(uint64_t *set, uint32_t i)
{
    set[i / 64] &= ~((uint64_t)1 << (i % 64));
}

#endif
