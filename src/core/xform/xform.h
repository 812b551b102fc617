/*
 * A form of the plan as an XForm that ODK's clients load: the items with their
 * code lists, in Chinese and English; when each is asked; what its rules
 * refuse (a hard rule within one row is a constraint) and doubt (a soft one,
 * one that may stand with a reason, or one that looks over rows is a note), as
 * far as XPath can say it.
 *
 * The document it makes (read back by features/openrosa):
 *
 *   /data/puan_start, puan_end        times of the interview
 *   /data/puan_head/listed            1 on the list, 2 typed
 *   /data/puan_head/pick, typed       the household either way
 *   /data/puan_head/household, base   its key; the version on the list
 *   /data/puan_head/signed            1 signed, 2 not
 *   /data/ENTITY/ITEM                 answers; a roster repeats
 *   /data/ENTITY/puan_unanswered      items that cannot be answered
 *   /data/ENTITY/puan_why/ITEM        reason of each of them
 *   /data/ENTITY/puan_notes/RULE      notes; nothing stands there
 *
 * Months are dates of their first day, points geopoints.  The households of
 * the sender's own areas are the entity list households.csv: name (the key),
 * label, base (the last version, 0 none).
 *
 * Depends on: form, rule.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_XFORM_XFORM_H
#define PUAN_CORE_XFORM_XFORM_H

#include "core/rule/xpath.h"

struct puan_xform {
    const struct puan_form *form;
    const struct puan_ruleset *rules; /* of this form; may be NULL */
    const struct puan_const *consts;  /* settings of the plan */
    size_t n_consts;
    struct puan_str mode;    /* "enumerator" */
    struct puan_str version; /* of the form on devices */
};

/* What XPath could not say is judged on arrival only; the ids say what. */
struct puan_xform_report {
    unsigned constraints, notes;
    unsigned asked;               /* items with a condition */
    struct puan_str *rules_left;  /* ids */
    size_t n_rules_left;
    struct puan_str *asked_left;  /* items always shown */
    size_t n_asked_left;
};

/* ENOMEM  out of memory */
PUAN_MUST_USE enum puan_status
puan_xform_write(struct puan_out *o, struct puan_xform_report *report,
                 const struct puan_xform *in, struct puan_arena *a,
                 struct puan_err *err);

#endif
