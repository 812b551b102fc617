/*
 * Codes given to answers after they were collected (industry and occupation
 * from words), for a frame of the campaign: where a return has no code of its
 * own, the item has the one of the file.  The returns stay as they are.
 *
 *   household,line,code[,coding]   what puan code writes of puan code texts
 *
 * Rows whose `coding` is there and is neither coded nor known are left out.  A
 * code of fewer digits than the item's least value gets noughts behind it: the
 * major group 5 of an item of five digits is 50000.
 *
 * Does file I/O.
 */
#ifndef PUAN_FEATURES_FRAME_CODES_H
#define PUAN_FEATURES_FRAME_CODES_H

#include "core/plan/plan.h"

struct puan_frames_code {
    int64_t household, value;
    uint32_t line;
};
struct puan_frames_codes {
    struct puan_str item;          /* its name in the plan's form */
    struct puan_frames_code *list; /* ascending by household and line */
    size_t n;
};

/*
 * `spec` is ITEM=FILE.csv.  Lives in the arena.
 *
 * ENOTFOUND  no form has such an item   EINVAL  a cell, with file and line
 * ECONFLICT  two codes for one line
 */
PUAN_MUST_USE enum puan_status
puan_frames_codes_read(struct puan_frames_codes *out, const char *spec,
                       const struct puan_plan *plan, struct puan_arena *a,
                       struct puan_err *err);
/* NULL: none for that line. */
const struct puan_frames_code *
puan_frames_code_of(const struct puan_frames_codes *c, int64_t household,
                    uint32_t line);

#endif
