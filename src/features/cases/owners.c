/*
 * The features that own runs.  Adding one is a line here.
 */
#include "features/drill/drill.h"
#include "features/lots/lots.h"
#include "features/releases/releases.h"

const struct puan_case_owner *const puan_case_owners[] = {
    &puan_lots_owner,
    &puan_releases_owner,
    NULL,
};

const struct puan_case_drills *const puan_case_drills = &puan_drill_of_cases;
