/*
 * The rule language as XPath of an ODK form: when an item is asked, and when a
 * rule surely finds something, so that a device that knows XForms only can
 * route and check as far as XPath carries.  What it cannot carry is left out
 * and judged on arrival.
 *
 * Truth has three values here and two there.  What is written is true exactly
 * where the expression is known to be true: an empty or ill-typed node makes
 * it false, as an unknown does in the language.  Quantifiers over rows in
 * doubt come out unknown more often, never less: a constraint made of this
 * never refuses what the server accepts.
 *
 * Answers stand at ROOT/ENTITY/ITEM, the key at `key`.  Months are dates of
 * their first day.  Functions used: count sum min max if int number abs substr
 * string-length regex position current, all of ODK XForms.
 *
 * Depends on: form, rule.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_XPATH_H
#define PUAN_CORE_RULE_XPATH_H

#include "core/rule/rule.h"

struct puan_xpath {
    const struct puan_form *form;
    const struct puan_const *consts; /* settings of the plan */
    size_t n_consts;
    const char *root;     /* "/data" */
    const char *key;      /* "/data/puan_head/household" */
    struct puan_str mode; /* what P_mode is on this device */
    /* From the node that carries the expression to its own row: "../". */
    const char *up;
};

/* Longest expression worth having on a device, in bytes. */
#define PUAN_XPATH_MAX 6000

/*
 * When the item is asked, by its asked_if; empty when it always is.  False
 * when XPath cannot say it.
 */
bool puan_xpath_asked(struct puan_str *out, const struct puan_xpath *x,
                      uint16_t entity, uint16_t item, struct puan_arena *a);
/*
 * When rule i of the set, which is of x->form, surely finds something in its
 * row; *over_rows tells that it looks over the rows of a roster, which are
 * filled in one after the other.  False when XPath cannot say it.
 */
bool puan_xpath_finding(struct puan_str *out, bool *over_rows,
                        const struct puan_xpath *x,
                        const struct puan_ruleset *rs, size_t i,
                        struct puan_arena *a);

#endif
