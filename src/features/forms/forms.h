/*
 * Forms written by others: spreadsheets (XLSForm) into forms and rules of a
 * plan, and a look at one form without its plan.
 *
 * Depends on: core/xlsform, core/rule, kit/xlsx, kit/yaml.
 */
#ifndef PUAN_FEATURES_FORMS_FORMS_H
#define PUAN_FEATURES_FORMS_FORMS_H

#include "core/xlsform/xlsform.h"
#include "features/host/feature.h"

/*
 * Reads a workbook that lies in memory.  `file` names it in errors; its name
 * without folder and ending is the form's id when the settings have none.
 */
PUAN_MUST_USE enum puan_status
puan_forms_import(struct puan_xlsform *out, struct puan_str bytes,
                  const char *file, const struct puan_xlsform_in *how,
                  struct puan_arena *a, struct puan_err *err);

/*
 * A form and its rules as plan lint sees them, without a plan: names, types,
 * code lists, routing, rules, and whether any return can pass at all.  Every
 * fault goes to `problems`.
 *
 * EINVAL  there is a fault; err has the first
 */
PUAN_MUST_USE enum puan_status
puan_forms_check(const struct puan_form **out, struct puan_str form,
                 const char *form_file, struct puan_str rules,
                 const char *rules_file, struct puan_problems *problems,
                 struct puan_arena *a, struct puan_err *err);

extern const struct puan_feature puan_feature_forms;

#endif
