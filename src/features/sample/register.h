/*
 * The register of samples of a campaign: draws over the listing roll, each an
 * act of the ledger that is never changed or taken back, what was found in the
 * units drawn, and both together as the estimators read them.
 *
 *   office store  sample(id, area, purpose, note, at, actor, record,
 * households, drawn) sample_result(id, sample, at, actor, file, rows, data)
 *     record      what `puan sample --record` writes
 *     households  keys of the roll as it was then: first and differences,
 *                 varints
 *     drawn       the selection as CSV, the bytes of the record's digest
 *     data        observations as sent, CSV; the newest of a sample is in force
 *
 * The frame of a draw is the roll of an area: CSV with a column for each level
 * from that area's down to the enumeration area, and `household`; households
 * whose status the plan does not count (listing_not_due) are left out.  Who has
 * that CSV and the record redoes the draw with `puan sample verify RECORD CSV`.
 *
 * Names and answers are no part of a frame or selection.
 *
 * Depends on: store, ingest, frame.
 */
#ifndef PUAN_FEATURES_SAMPLE_REGISTER_H
#define PUAN_FEATURES_SAMPLE_REGISTER_H

#include "features/sample/draw.h"
#include "features/store/store.h"
#include "kit/os/os.h"

/* "long-form", "inspection", "post-enumeration"; NULL behind the last. */
extern const char *const puan_sample_purposes[];

struct puan_sample_row {
    int64_t id, area, at_ms; /* campaign time */
    struct puan_str purpose, note, actor, record, households, drawn;
};

/*
 * Draws and enters it: `act` says who.  `o` is read, its paths are not.
 *
 * ENOTFOUND  no such area
 * EINVAL     no households there; an option that is of files alone
 */
PUAN_MUST_USE enum puan_status
puan_register_draw(int64_t *id, struct puan_store *st,
                   const struct puan_act *act, int64_t area,
                   struct puan_str purpose, struct puan_str note,
                   const struct puan_draw_options *o, struct puan_arena *a,
                   struct puan_err *err);

/* ENOTFOUND  no such draw */
PUAN_MUST_USE enum puan_status
puan_register_read(struct puan_sample_row *out, struct puan_store *st,
                   int64_t id, struct puan_arena *a, struct puan_err *err);

/* The roll of a draw as it was, as CSV. */
PUAN_MUST_USE enum puan_status
puan_register_frame(struct puan_str *csv, struct puan_store *st,
                    const struct puan_sample_row *row, struct puan_arena *a,
                    struct puan_err *err);

struct puan_register_verdict {
    bool frame_same; /* the roll kept gives the record's digest */
    bool drawn_same; /* drawn again, the selection has the record's digest */
    bool kept_same;  /* and so has the selection kept */
    uint64_t rows;   /* drawn again */
    uint64_t added, gone; /* households of the roll since */
};
PUAN_MUST_USE enum puan_status
puan_register_verify(struct puan_register_verdict *v, struct puan_store *st,
                     const struct puan_sample_row *row, struct puan_arena *a,
                     struct puan_err *err);

/*
 * Keeps what was found in the units drawn: CSV with the code of the unit
 * (`household`, or the column of the unit drawn) and any columns besides.  Of a
 * post-enumeration sample each row has `result` and, but for persons of the
 * survey who stayed, `sample` and `mover` (features/evaluate).
 *
 * EINVAL  a unit that was not drawn, a column of identities, a word that is
 *         none of a result; with line and column
 */
PUAN_MUST_USE enum puan_status puan_register_results(
    uint64_t *rows, struct puan_store *st, const struct puan_act *act,
    const struct puan_sample_row *row, const char *file, struct puan_str csv,
    struct puan_arena *a, struct puan_err *err);

/* Observations joined to the design, and how estimators are to read them. */
#define PUAN_OBSERVED_COLUMNS 64
struct puan_observed {
    struct puan_memory_file file; /* CSV */
    const char *name;             /* of the file as sent */
    int64_t at_ms;
    uint64_t rows, units;                          /* units with a row */
    uint64_t drawn;                                /* units drawn last */
    struct puan_str column[PUAN_OBSERVED_COLUMNS]; /* observed */
    size_t n_columns;
    /* options: weights, strata, clusters, sizes; in order, `n` texts */
    const char *option[16];
    size_t n;
    /* Persons of households drawn in the second of two stages: errors by
       ultimate clusters, as if units were drawn with replacement. */
    bool ultimate;
    bool strata_are_areas; /* of the level of stratum_level */
    unsigned stratum_level;
};
/*
 * ENOTFOUND  nothing has been loaded for this draw
 */
PUAN_MUST_USE enum puan_status
puan_register_observed(struct puan_observed *out, struct puan_store *st,
                       const struct puan_sample_row *row, struct puan_arena *a,
                       struct puan_err *err);
void puan_observed_close(struct puan_observed *o);
/* "/proc/self/fd/7" in an error becomes the name of the file as sent. */
void puan_observed_fail(struct puan_err *err, const struct puan_observed *o);

/* A campaign directory and the number of a draw, as commands are given them;
   readonly.  Close the store. */
PUAN_MUST_USE enum puan_status
puan_register_open(struct puan_store **st, struct puan_sample_row *row,
                   const char *dir, const char *id, struct puan_arena *a,
                   struct puan_err *err);

/* ---- inside the feature ---- */

/*
 * What puan sample estimate --json says of these arguments (argv[0] is passed
 * over), and of what is observed: of `item`, or of every column, means of
 * numbers and shares of codes and words, by a column when `by` is not empty.
 */
PUAN_MUST_USE enum puan_status puan_estimate_json(struct puan_str *json,
                                                  int argc, char **argv,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_observed_estimates(struct puan_str *json, const struct puan_observed *o,
                        struct puan_str item, struct puan_str by,
                        struct puan_arena *a, struct puan_err *err);

int puan_register_draw_command(const struct puan_draw_options *o);
int puan_register_verify_command(const char *dir, const char *id, bool json,
                                 bool quiet);
int puan_register_list(int argc, char **argv);
int puan_register_export(int argc, char **argv);
int puan_register_load(int argc, char **argv);

extern const struct puan_route puan_register_routes[8];
extern const struct puan_schema_step puan_register_schema[1];
extern const struct puan_covered puan_register_covered[2];

#endif
