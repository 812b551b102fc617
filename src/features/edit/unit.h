/*
 * One return: least change, then values.  What the command and kept edits have
 * in common.
 *
 * Depends on: core/edit.  Writes nothing; a set is shared by threads.
 */
#ifndef PUAN_FEATURES_EDIT_UNIT_H
#define PUAN_FEATURES_EDIT_UNIT_H

#include "features/edit/rates.h"

struct puan_edit_how {
    uint64_t budget, seed;     /* 0: the localiser's; the fixed order */
    unsigned donors;           /* 0: 5 */
    const char *const *weight; /* "ITEM=N" */
    size_t n_weights;
};

struct puan_edit_set {
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    const struct puan_localiser *l;
    struct puan_localise_options localise;
    struct puan_impute_options impute;
    size_t hard; /* rules that take part */
};

struct puan_edit_rules {
    const struct puan_const *consts;
    size_t n_consts;
    const struct puan_str *text;
    const char *const *file;
    size_t n;
    const struct puan_lookup *lookup; /* data of the tables they declare */
    size_t n_lookups;
};

/* "rooms" or "member.sex".  ENOTFOUND  no such item; err names the option */
PUAN_MUST_USE enum puan_status
puan_edit_item(struct puan_localise_weight *out, const struct puan_form *f,
               struct puan_str name, const char *option, struct puan_err *err);

/* EINVAL  a rule or weight is wrong, no hard rule applies */
PUAN_MUST_USE enum puan_status
puan_edit_set_open(struct puan_edit_set *out, const struct puan_form *form,
                   const struct puan_routing *routing,
                   const struct puan_edit_rules *rules,
                   const struct puan_edit_how *how, struct puan_arena *a,
                   struct puan_err *err);

/*
 * Hard rules that cannot take part for what they read is not in one unit: a level
 * above it, a level the data do not have, a reference table without data.  Of a
 * plan, those that another of its forms answers for are not among them.
 */
struct puan_edit_left_out {
    struct puan_str id;
    const char *file;
    uint32_t line;
    const char *why;
};
PUAN_MUST_USE enum puan_status
puan_edit_set_left_out(struct puan_edit_left_out **out, size_t *n,
                       const struct puan_edit_set *set,
                       const struct puan_edit_rules *rules,
                       const struct puan_form *const *forms, size_t n_forms,
                       struct puan_arena *a, struct puan_err *err);

struct puan_edit_one {
    enum puan_rates_outcome outcome;
    struct puan_localised got;
    struct puan_imputed imputed;
};
PUAN_MUST_USE enum puan_status
puan_edit_one(struct puan_edit_one *out, const struct puan_edit_set *set,
              const struct puan_record *r, const struct puan_findings *found,
              const struct puan_edit_return *const *donor, size_t n_donors,
              struct puan_arena *a, struct puan_err *err);

#endif
