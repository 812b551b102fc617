/*
 * What can be proved of a set of rules without any data: rules that can never
 * find anything, rules that find nothing another rule would not, answers that
 * no complete return may give because rules exclude them together, and sets
 * that no complete return passes.
 *
 * Exact search over answers, one row of one level beside its household.  The
 * values of each item are first put into classes that no rule tells apart;
 * then a depth-first search assigns classes until the question is decided.
 * What has no finite domain (texts, sums over rows, 9-digit areas, tests over
 * so many values that a table would be too large) is left free: it may come
 * out either way.  So what is reported as proved holds; what is not reported
 * may still be there.  Method: constraint satisfaction by backtracking over a
 * partitioned domain; edits as constraints on code sets are those of I. P.
 * Fellegi and D. Holt, "A Systematic Approach to Automatic Edit and
 * Imputation", JASA 71 (1976), section 2 (every edit is a set of combinations
 * of code values; a set is consistent when some combination lies in none).
 *
 * A complete return: every item that routing asks for is given, the others are
 * not asked.
 *
 * Depends on: form, rule.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_PROVE_H
#define PUAN_CORE_RULE_PROVE_H

#include "core/rule/rule.h"

enum puan_rule_proof_kind {
    PUAN_PROOF_NEVER,    /* the rule finds nothing, whatever the answers */
    PUAN_PROOF_COVERED,  /* whenever it finds something, core[1] does too */
    PUAN_PROOF_EXCLUDED, /* one rule alone forbids an answer the form allows */
    PUAN_PROOF_CONFLICT, /* rules together forbid an answer that is allowed */
    PUAN_PROOF_NO_RETURN /* no complete return passes the hard rules of core */
};

struct puan_rule_proof {
    enum puan_rule_proof_kind kind;
    const struct puan_str *core; /* rule ids; [0] is whom it is about */
    size_t n_core;
    const char *file; /* of core[0] */
    uint32_t line, col;
    const char *text; /* what is wrong and what to do, terminated */
};

struct puan_rule_proofs {
    const struct puan_rule_proof *list;
    size_t n;
    uint32_t rules, items; /* looked at */
    uint32_t free_tests;   /* tests that were left free */
    uint32_t questions, undecided; /* given up at the limit */
};

/* How far to look; zero members take the defaults in brackets. */
struct puan_prove_limits {
    size_t cells;   /* of one test's table [200,000] */
    uint32_t nodes; /* of one question's search [20,000] */
    bool conflicts_only; /* only CONFLICT and NO_RETURN: at loading */
};

/*
 * Looks at the rules of the texts that apply to the form, which must compile
 * (puan_ruleset_compile).  A set with a CONFLICT or NO_RETURN is contradictory
 * and is not to be used.
 *
 * ENOMEM; EINVAL as puan_ruleset_compile
 */
PUAN_MUST_USE enum puan_status
puan_rules_prove(struct puan_rule_proofs *out, const struct puan_form *form,
                 const struct puan_const *consts, size_t n_consts,
                 const struct puan_str *texts, const char *const *files,
                 size_t n_texts, const struct puan_prove_limits *limits,
                 struct puan_arena *a, struct puan_err *err);

/* The first CONFLICT or NO_RETURN as an error; OK when there is none. */
PUAN_MUST_USE enum puan_status
puan_rule_proofs_refuse(const struct puan_rule_proofs *p, struct puan_err *err);

#endif
