/*
 * The expression and rule language: doc/rules.md is its specification.
 *
 * Source text -> checked, typed program -> findings.  Two executors: one
 * record at a time (tablet, submission) and column blocks (batch).  They give
 * the same findings.
 *
 * Whole numbers and fixed decimals only; three-valued truth; no loops, no
 * recursion; cost is bounded by the size of the record.
 *
 * Depends on: form.  Does no I/O, reads no clock, keeps no state; a program
 * never changes once compiled and may be shared by threads.
 */
#ifndef PUAN_CORE_RULE_RULE_H
#define PUAN_CORE_RULE_RULE_H

#include "core/form/record.h"

enum puan_severity { PUAN_HARD, PUAN_SOFT };

struct puan_ruleset; /* all rules of a plan that apply to one form */
struct puan_expr;    /* one compiled expression */

/* Named constants a program may use: plan settings ("ref_month", ...). */
struct puan_const {
    struct puan_str name;
    int64_t value;
};

struct puan_item_ref {
    uint16_t entity, item;
};

struct puan_rule_info {
    struct puan_str id, zh, en;
    enum puan_severity severity;
    uint16_t entity;  /* index in the form: the rule's level */
    bool override_ok; /* hard, but may stand with a reason */
    const char *file;
    uint32_t line;
    const struct puan_item_ref *items; /* what it reads, derived items seen
                                          through; each once */
    size_t n_items;
};

/* A rule or derived item of the texts that does not apply to the form. */
struct puan_rule_skip {
    struct puan_str id;
    const char *file;
    uint32_t line, col;
    const char *why; /* "unknown name 'D77'; the nearest is 'D7'" */
    bool off;        /* switched off by `without` */
    bool hard;       /* a hard rule; false for soft ones and derived items */
};

/*
 * Compiles the rules of the texts that apply to `form`.  err names file, line,
 * column, what was expected and a remedy.
 *
 * EINVAL  syntax, unknown name, type error, vault item read, id twice
 */
PUAN_MUST_USE enum puan_status
puan_ruleset_compile(struct puan_ruleset **out, const struct puan_form *form,
                     const struct puan_const *consts, size_t n_consts,
                     const struct puan_str *texts, const char *const *files,
                     size_t n_texts, struct puan_arena *a,
                     struct puan_err *err);
/*
 * The same with the data of reference tables (lookup.h), found by the names
 * the texts declare; they must outlive the set.  Rules that read a table
 * without data are silent.
 */
struct puan_lookup;
PUAN_MUST_USE enum puan_status puan_ruleset_compile_with(
    struct puan_ruleset **out, const struct puan_form *form,
    const struct puan_const *consts, size_t n_consts,
    const struct puan_lookup *lookups, size_t n_lookups,
    const struct puan_str *texts, const char *const *files, size_t n_texts,
    struct puan_arena *a, struct puan_err *err);
size_t puan_ruleset_count(const struct puan_ruleset *rs);
/* Of the texts' first "set NAME version N"; "" and 0 without one. */
struct puan_str puan_ruleset_name(const struct puan_ruleset *rs);
int64_t puan_ruleset_version(const struct puan_ruleset *rs);
const struct puan_rule_info *puan_ruleset_info(const struct puan_ruleset *rs,
                                               size_t i);
/* What did not apply to this form; *n of them, in the order of the texts. */
const struct puan_rule_skip *puan_ruleset_skips(const struct puan_ruleset *rs,
                                                size_t *n);
/*
 * For lint: refuses a rule or derived item that applies to none of the forms
 * (all sets compiled from the same texts), naming it and what was missing.
 */
PUAN_MUST_USE enum puan_status
puan_ruleset_all_used(const struct puan_ruleset *const *sets, size_t n,
                      struct puan_err *err);
/* The same from skip *at (0 first) on; called again, it tells the next. */
PUAN_MUST_USE enum puan_status
puan_ruleset_next_used(const struct puan_ruleset *const *sets, size_t n,
                       size_t *at, struct puan_err *err);

struct puan_finding {
    uint16_t rule; /* index in the rule set */
    uint32_t row;  /* row of the rule's entity, 0-based */
};

/* What one run over a record gave; lists live in the arena. */
struct puan_findings {
    struct puan_finding *list; /* ordered by rule, row */
    size_t n;
    uint32_t evaluated, not_evaluable; /* rule instances; silent ones and
                                          those not applying in neither */
    bool any_hard;
};

/*
 * Runs all rules over one record.  Fails only with ENOMEM, or EBUG when the
 * record is of another form or has no household row.
 */
PUAN_MUST_USE enum puan_status puan_ruleset_run(struct puan_findings *out,
                                                const struct puan_ruleset *rs,
                                                const struct puan_record *r,
                                                struct puan_arena *a,
                                                struct puan_err *err);

/*
 * Why a rule failed, or holds, for one row: its comparisons and tests in the
 * order they stand, each followed by what stands on its sides, with the values
 * of this record.  Texts of sealed items are never among them.
 */
struct puan_rule_value {
    struct puan_str text;  /* "age >= junior_least", "age" */
    bool truth;            /* a condition: value is "true" or "false" */
    enum puan_state state; /* GIVEN, or why it is unknown */
    const char *value;     /* as puan_expr_text; "" unless GIVEN */
};
PUAN_MUST_USE enum puan_status
puan_ruleset_explain(struct puan_rule_value **out, size_t *n,
                     const struct puan_ruleset *rs, size_t rule,
                     const struct puan_record *r, uint32_t row,
                     struct puan_arena *a, struct puan_err *err);

/* Many records at once, column-wise; out[i] as puan_ruleset_run of r[i]. */
PUAN_MUST_USE enum puan_status
puan_ruleset_run_block(struct puan_findings *out, const struct puan_ruleset *rs,
                       const struct puan_record *const *r, size_t n,
                       struct puan_arena *a, struct puan_err *err);

/* Truth and value of a single expression. */
enum puan_truth { PUAN_FALSE, PUAN_TRUE, PUAN_UNKNOWN };

/*
 * One expression over the rows of `entity` of `form` (guards, filters,
 * routing, residence cases, derived variables).
 */
PUAN_MUST_USE enum puan_status
puan_expr_compile(struct puan_expr **out, const struct puan_form *form,
                  uint16_t entity, const struct puan_const *consts,
                  size_t n_consts, struct puan_str text, const char *file,
                  uint32_t line, struct puan_arena *a, struct puan_err *err);
/*
 * The same where only a truth value will do: routing, filters, residence
 * cases.  EINVAL also on a number, month or code.
 */
PUAN_MUST_USE enum puan_status
puan_expr_compile_truth(struct puan_expr **out, const struct puan_form *form,
                        uint16_t entity, const struct puan_const *consts,
                        size_t n_consts, struct puan_str text, const char *file,
                        uint32_t line, struct puan_arena *a,
                        struct puan_err *err);
/*
 * Value of an expression for one row (a truth value as 0 or 1); *state GIVEN,
 * or the reason it is unknown: NOT_ASKED, MISSING or INVALID.
 */
void puan_expr_eval(int64_t *value, enum puan_state *state,
                    const struct puan_expr *e, const struct puan_record *r,
                    uint32_t row);
/*
 * A known value as a person writes it: "12", "3.5", "true", "2020-11",
 * "2020-11-01", a code or area with its zeros.  In the arena.
 */
const char *puan_expr_text(const struct puan_expr *e, int64_t value,
                           struct puan_arena *a);
enum puan_truth puan_expr_truth(const struct puan_expr *e,
                                const struct puan_record *r, uint32_t row);
/*
 * Which items of its own entity an expression reads: used[i] is set for item
 * i; the others are left as they are.  False when it reads anything else (rows
 * of a roster, the line number, texts), so that the items alone do not decide
 * its value.
 */
bool puan_expr_reads(bool *used, const struct puan_expr *e);
/* What its values are: a truth, or a type of items with places and codes. */
struct puan_expr_type {
    bool truth;
    enum puan_item_type type; /* CODE INT FIXED MONTH DATE AREA */
    unsigned places, digits;
    const struct puan_codelist *codes;
};
void puan_expr_type(struct puan_expr_type *out, const struct puan_expr *e);

/*
 * A free-standing environment for guards of workflows and monitors: names bound
 * to integers or enum words (interned as integers by the caller).  `line` and
 * `col` are where the text begins in its file.
 */
struct puan_scope_name {
    struct puan_str name;
    const struct puan_codelist *words; /* NULL: a number */
};
PUAN_MUST_USE enum puan_status
puan_expr_compile_scope(struct puan_expr **out,
                        const struct puan_scope_name *names, size_t n_names,
                        struct puan_str text, const char *file, uint32_t line,
                        uint32_t col, struct puan_arena *a,
                        struct puan_err *err);
/* values/states parallel to the names it was compiled with. */
enum puan_truth puan_expr_scope_truth(const struct puan_expr *e,
                                      const int64_t *values,
                                      const uint8_t *states);

#endif
