/*
 * The features that own runs.  Adding one is a line here.
 */
#include "features/cases/cases.h"

const struct puan_case_owner *const puan_case_owners[] = {
    NULL,
};
