/*
 * Why a rule finds something in one row, or does not: every part of the rule
 * with its value, derived items opened up, quantifiers row by row.
 *
 * Depends on: form, rule.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_EXPLAIN_H
#define PUAN_CORE_RULE_EXPLAIN_H

#include "core/rule/lookup.h"
#include "core/rule/rule.h"

enum puan_explain_part {
    PUAN_EXPLAIN_WHEN,   /* the whole guard */
    PUAN_EXPLAIN_CHECK,  /* what must hold */
    PUAN_EXPLAIN_PART,   /* of what stands above it, one less deep */
    PUAN_EXPLAIN_DERIVED /* what a derived item stands for */
};

struct puan_explain_step {
    enum puan_explain_part part;
    unsigned depth;
    struct puan_str text;  /* as its author wrote it, spaced anew */
    bool truth;            /* value is "true" or "false" */
    enum puan_state state; /* GIVEN, or why it is unknown */
    const char *value;     /* as puan_expr_text; "" unless GIVEN */
    const char *rows; /* of a quantifier: "1, 4", the lines that count; ""
                         none; NULL for anything else */
    const char *doubt; /* lines in doubt, the same */
};

/* What became of the rule in this row. */
enum puan_explain_end {
    PUAN_EXPLAIN_APPLIES_NOT,
    PUAN_EXPLAIN_SILENT,
    PUAN_EXPLAIN_NOT_EVALUABLE,
    PUAN_EXPLAIN_HOLDS,
    PUAN_EXPLAIN_FINDING
};

struct puan_explain {
    struct puan_rule_info rule; /* without items */
    enum puan_explain_end end;
    const struct puan_explain_step *step;
    size_t n;
};

/* Every rule text of the form, and the data of its reference tables. */
struct puan_explain_in {
    const struct puan_form *form;
    const struct puan_const *consts;
    size_t n_consts;
    const struct puan_lookup *lookups;
    size_t n_lookups;
    const struct puan_str *texts;
    const char *const *files;
    size_t n_texts;
};

/*
 * row is 0-based, of the rule's own entity.
 *
 * ENOTFOUND  no such rule for this form (the message names the nearest), or
 *            no such row
 * EINVAL     the texts do not compile
 */
PUAN_MUST_USE enum puan_status
puan_rules_explain(struct puan_explain *out, const struct puan_explain_in *in,
                   struct puan_str rule, const struct puan_record *r,
                   uint32_t row, struct puan_arena *a, struct puan_err *err);
/* The entity of a rule, found by id, without a record; -1 when unknown. */
PUAN_MUST_USE enum puan_status
puan_rules_level(int *entity, const struct puan_explain_in *in,
                 struct puan_str rule, struct puan_arena *a,
                 struct puan_err *err);

/* "不适用" … and "does not apply" … */
const char *puan_explain_end_text(enum puan_explain_end end, bool zh);

/*
 * For people: the rule, what became of it, its parts one below the other.
 * `where` says which row ("person 2 of 102030000001").
 */
void puan_explain_print(struct puan_out *o, const struct puan_explain *x,
                        const char *where, bool zh);
/* A map: rule, severity, end, steps. */
void puan_explain_json(struct puan_jw *w, const struct puan_explain *x);

#endif
