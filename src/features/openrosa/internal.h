/*
 * What the files of this folder share.  No other folder includes it.
 */
#ifndef PUAN_FEATURES_OPENROSA_INTERNAL_H
#define PUAN_FEATURES_OPENROSA_INTERNAL_H

#include "core/plan/plan.h"
#include "core/xform/xform.h"
#include "features/openrosa/openrosa.h"

/* How these clients collect: a mode of the plan's windows. */
#define ODK_MODE "enumerator"

/*
 * A form of the plan as an XForm.  The version is the first 12 digits of the
 * digest of plan and form, so that a change of either is a new one.
 */
PUAN_MUST_USE enum puan_status
odk_xform(struct puan_out *o, struct puan_xform_report *report,
          const struct puan_plan *plan, const struct puan_form *form,
          const struct puan_ruleset *rules, struct puan_arena *a,
          struct puan_err *err);
/* Is there a window in which these clients may send this form? */
bool odk_offers(const struct puan_plan *plan, const struct puan_form *form);

int cmd_form_xform(int argc, char **argv);

#endif
