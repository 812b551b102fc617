/*
 * The post-enumeration survey of a campaign: the matching results loaded for a
 * draw of the register of samples, and the census's own counts of the areas it
 * was drawn in, as puan evaluate coverage reads them.
 *
 * Domains: the strata of the draw where these are areas of one level (then the
 * counts are the campaign's), any column of the results (then rates alone are
 * told, unless a file of counts is given), or the whole.
 */
#ifndef PUAN_FEATURES_EVALUATE_PES_H
#define PUAN_FEATURES_EVALUATE_PES_H

#include "features/sample/register.h"

#define PUAN_PES_STRATA 500

struct puan_pes {
    struct puan_observed seen;
    struct puan_memory_file census; /* stratum,persons */
    int64_t persons;                /* counted in the area of the draw */
    bool counted;                   /* persons is there */
    const char *argv[32];           /* as of the command; argv[0] a name */
    int argc;
};

/*
 * `by`: "" the strata if these are areas, else the whole; "all" the whole;
 * "stratum"; a column.  `base` resident, present or registered; "" resident.
 *
 * ENOTFOUND  nothing has been loaded for this draw; no such column
 * EINVAL     the draw is of another purpose
 */
PUAN_MUST_USE enum puan_status
puan_pes_open(struct puan_pes *p, struct puan_store *st,
              const struct puan_sample_row *row, struct puan_str by,
              struct puan_str base, struct puan_arena *a, struct puan_err *err);
void puan_pes_close(struct puan_pes *p);

/* What puan evaluate coverage --json says of these arguments. */
PUAN_MUST_USE enum puan_status puan_coverage_json(struct puan_str *json,
                                                  int argc, char **argv,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);

#endif
