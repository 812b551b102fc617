/*
 * A classification of a plan pack (coding/LIST.txt) as dimensions of tables:
 * `puan table units.csv --class U103=cn-economic-2018:industry --by
 * industry_section` knows the section, division, group and class of each code
 * and their names.
 *
 * Depends on: core/table, core/frame, features/code.
 */
#ifndef PUAN_FEATURES_TABLES_CLASSES_H
#define PUAN_FEATURES_TABLES_CLASSES_H

#include "core/frame/frame.h"
#include "core/table/tabulate.h"

/*
 * Adds the variables of one `ITEM=[PACK:]LIST` to the programme: one a level
 * of the classification, LIST_section LIST_division LIST_group LIST_class for
 * one of letters and 2, 3 and 4 digits, else LIST_N by the length of the code.
 * The item is a code list whose texts are the codes, all of one length, or a
 * whole number.  A code that the list has not is of section 0.  Everything is
 * copied into the arena.
 *
 * EINVAL  not written so, an item that holds no codes   ENOTFOUND  no such
 * item, pack or list
 */
PUAN_MUST_USE enum puan_status
puan_classes_add(struct puan_tab_programme *p, const struct puan_frame *f,
                 const char *text, struct puan_arena *a, struct puan_err *err);

#endif
