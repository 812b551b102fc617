/*
 * The space of answers a set of rules can tell apart: variables with the
 * classes of their values, the tests of the rules as tables over classes, and
 * conditions as trees over tests.  Inside of core/rule, for prove.c.
 *
 * Depends on: form.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_SPACE_H
#define PUAN_CORE_RULE_SPACE_H

#include "core/rule/lang.h"

/* How a condition can come out, as bits; a set of them is a mask. */
enum {
    PUAN_OUT_FALSE = 1,
    PUAN_OUT_TRUE = 2,
    PUAN_OUT_ASKED = 4, /* unknown: not asked */
    PUAN_OUT_MISSING = 8,
    PUAN_OUT_INVALID = 16,
    PUAN_OUT_ALL = 31
};

#define PUAN_SPACE_VARS 512
#define PUAN_TEST_VARS 4 /* variables of one test; more: it is left free */

enum puan_var_kind {
    PUAN_VAR_ITEM,
    PUAN_VAR_ROW,  /* the line number */
    PUAN_VAR_PART, /* a quantifier over finite values, at(…) */
    PUAN_VAR_FREE  /* a test that was left free, or no finite domain */
};

struct puan_space_var {
    enum puan_var_kind kind;
    uint16_t entity, item;
    struct puan_str key; /* of parts and free tests: their structure */
    struct puan_type type;
    const int64_t *value; /* NULL: lo, lo + 1, … */
    int64_t lo;
    uint32_t n;       /* given values */
    bool bounded;     /* else it has no finite domain; n is 1, any value */
    bool sure;        /* a part that is known in a complete return */
    bool states;      /* besides them: not asked, missing, invalid */
    uint32_t *cls;    /* by place: values, then the three states */
    uint32_t n_cls;
    uint32_t *rep;    /* place that stands for the class */
};

struct puan_space_test {
    struct puan_str key;
    struct puan_span code;
    uint16_t var[PUAN_TEST_VARS];
    uint32_t n_vars;
    uint8_t *out; /* outcome by classes of the variables, last fastest */
    uint8_t any;  /* all outcomes there are */
    uint32_t size;
};

enum puan_cond_kind {
    PUAN_COND_CONST, /* a: 0 or 1 */
    PUAN_COND_TEST,  /* a: place in test */
    PUAN_COND_AND,
    PUAN_COND_OR,
    PUAN_COND_NOT,
    PUAN_COND_IF,
    PUAN_COND_IS_TRUE /* of a: true, else false */
};
struct puan_space_cond {
    uint8_t kind;
    uint32_t a, b, c;
};

struct puan_space {
    struct puan_rule_names *names;
    struct puan_arena *arena, *scratch;
    uint16_t level; /* the rules' own row; 0 the household */
    size_t cells;   /* largest table of one test */
    struct puan_space_var *var;
    uint32_t n_vars;
    struct puan_space_test *test;
    uint32_t n_tests, cap_tests;
    struct puan_space_cond *cond;
    uint32_t n_conds, cap_conds;
    struct puan_code_out code;
    uint32_t free_tests;
};

enum puan_status puan_space_init(struct puan_space *s,
                                 struct puan_rule_names *names, uint16_t level,
                                 size_t cells, struct puan_arena *scratch);
/* The condition of a checked expression. */
uint32_t puan_space_truth(struct puan_space *s, const struct puan_ast_node *n);
/* A condition over others. */
uint32_t puan_space_join(struct puan_space *s, enum puan_cond_kind kind,
                         uint32_t a, uint32_t b, uint32_t c);
/* The variable of an item, and the condition that it is in a state of mask
   (bits 1 << enum puan_state). */
uint32_t puan_space_item(struct puan_space *s, uint16_t entity, uint16_t item);
uint32_t puan_space_state(struct puan_space *s, uint16_t entity, uint16_t item,
                          unsigned mask);
/* The condition that a variable has a value. */
uint32_t puan_space_known(struct puan_space *s, uint32_t var);
/* Behind the last condition: classes and tables. */
enum puan_status puan_space_close(struct puan_space *s);

/*
 * puan_rules_prove over what a frame holds: names->form with items that may be
 * changed, item[entity][i], whose least and most values seen are in min and
 * max.  What was not seen may still come, so domains are widened: beyond what
 * the data and the rules' constants reach, by as much again.  An item whose
 * state no rule asks for counts as given; only contradictions are looked for,
 * and only those in which two rules apply together.
 */
struct puan_rule_proofs;
struct puan_prove_limits;
PUAN_MUST_USE enum puan_status
puan_rules_prove_data(struct puan_rule_proofs *out,
                      const struct puan_rule_names *names,
                      struct puan_item *const *item,
                      const struct puan_str *texts, const char *const *files,
                      size_t n_texts, struct puan_arena *a,
                      struct puan_err *err);

/* How it can come out when only some variables have a class (-1: none). */
unsigned puan_space_outcome(const struct puan_space *s, uint32_t cond,
                            const int32_t *cls);
/* A variable without a class that the outcome still hangs on, or -1. */
int puan_space_open_var(const struct puan_space *s, uint32_t cond,
                        const int32_t *cls);
/* Marks the variables of a condition, a bit each. */
void puan_space_vars(uint64_t *bits, const struct puan_space *s,
                     uint32_t cond);
/* State and value of a place of a variable's domain. */
enum puan_state puan_space_place(int64_t *value,
                                 const struct puan_space_var *v,
                                 uint32_t place);

#endif
