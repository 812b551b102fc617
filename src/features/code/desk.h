/*
 * The coding desk: texts that wait for a coder in the office store, what each
 * coder chose, the texts that two coders code apart from each other, and what
 * is known of each coder.  A text is kept once with the number of answers it
 * stands for, and the surest are coded as they come.
 *
 * Of the texts that wait, the one whose doubt times its answers is greatest is
 * next.  A text drawn for double coding goes to a second account without the
 * first code being shown; two codes that differ go to a third account, whose
 * word holds.
 *
 * Settings of the plan: coding_sure (percent, default 90; 101 codes nothing by
 * machine), coding_double (percent of texts coded twice, default 10).
 *
 * Depends on: core/coder, host, store.
 */
#ifndef PUAN_FEATURES_CODE_DESK_H
#define PUAN_FEATURES_CODE_DESK_H

#include "features/code/code.h"
#include "features/host/request.h"

enum desk_state {
    DESK_OPEN,
    DESK_SECOND, /* one coder has chosen, another is to */
    DESK_DIFFERS,
    DESK_DONE,
    DESK_VAGUE, /* says too little: ask again */
    DESK_MACHINE
};

/* The coders of a plan, made when first asked for. */
struct desk;
enum puan_status desk_open(void **state, struct puan_store *st,
                           struct puan_err *err);
void desk_close(void *state, struct puan_store *st);

/* ENOTFOUND: the plan has no coding/`of`.txt */
PUAN_MUST_USE enum puan_status desk_coder(const struct puan_coder **out,
                                          struct puan_request *rq,
                                          struct puan_str of,
                                          struct puan_err *err);

extern const struct puan_route desk_routes[6];
extern const struct puan_schema_step desk_schema[1];
extern const struct puan_covered desk_covered[1];

#endif
