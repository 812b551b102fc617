/*
 * Edits of a campaign, kept beside the returns: which answers were found wrong
 * and what was put in their place, as a layer of its own.  What was collected
 * is never written over, and a layer speaks of the versions that stood when it
 * was made; of a return that has come since it says nothing.
 *
 *   edit_run(id, form, area, state, made, seat, plan, program, rules, version,
 *            options, heads, clean, repaired, impossible,
 *            undecided, answers, weight, digest)            office store
 *     state    begun; kept: whole
 *     plan     digest of the plan; program; rules and version: the rule set
 *     options  {"seed":…,"budget":…,"donors":…,"weights":["H2a=2",…]}
 *     heads    a line a returns store: name, entries, digest of the last
 *     digest   H(digest before ‖ "<store> <first> <past>;" ‖ chunk) over the
 *              chunks in order, from 32 zero bytes
 *   edit_chunk(id, run, first, past, body)                  returns store
 *     households first ≤ key < past, together in one pool of donors;
 *     core/edit/layer.h.  id: run << 24 | number
 *   edit_rate(id, run, area, body)                          returns store
 *     rates of an area and those just below it; core/edit/layer.h
 *
 * All three are covered.  A run can be redone from its row alone: the same
 * versions, rules, weights and seed give the same bytes.
 */
#ifndef PUAN_FEATURES_EDIT_LAYER_H
#define PUAN_FEATURES_EDIT_LAYER_H

#include "core/edit/layer.h"
#include "features/store/store.h"

struct puan_edit_run {
    int64_t id, area, made_ms, version;
    struct puan_str form, state, seat, plan, program, rules, options, heads;
    uint64_t unit[PUAN_LAYER_OUTCOMES]; /* clean, repaired, … */
    uint64_t answers, weight;
    uint8_t digest[PUAN_DIGEST_SIZE];
};

/* All runs, the newest last; texts in the arena. */
PUAN_MUST_USE enum puan_status puan_edit_runs(struct puan_edit_run **out,
                                              size_t *n, struct puan_store *st,
                                              struct puan_arena *a,
                                              struct puan_err *err);
/* ENOTFOUND  no such run */
PUAN_MUST_USE enum puan_status puan_edit_run_read(struct puan_edit_run *out,
                                                  struct puan_store *st,
                                                  int64_t id,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);
/* Inside an act of the office: the row as it is, covered. */
PUAN_MUST_USE enum puan_status
puan_edit_run_write(struct puan_shard *sh, struct puan_db *db,
                    struct puan_act *act, const struct puan_edit_run *r,
                    struct puan_err *err);

struct puan_edit_chunk {
    int64_t first, past;
    struct puan_str body;
};
/* The chunks of a run in one returns store, in order; in the arena. */
PUAN_MUST_USE enum puan_status
puan_edit_chunks(struct puan_edit_chunk **out, size_t *n, struct puan_shard *sh,
                 int64_t run, struct puan_arena *a, struct puan_err *err);
/* Carries the digest on over one chunk. */
void puan_edit_digest(uint8_t digest[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *fn, const char *store,
                      const struct puan_edit_chunk *c);
/*
 * Rates of an area and of those just below it, the area itself first; added up
 * over the stores for areas wider than one.  *n 0: the run has none of it.
 */
PUAN_MUST_USE enum puan_status
puan_edit_rates_of(struct puan_layer_area **out, size_t *n,
                   struct puan_store *st, const struct puan_edit_run *run,
                   int64_t area, struct puan_arena *a, struct puan_err *err);

/*
 * The values to count by: of each return the newest whole run that covers it.
 * Read once; afterwards asked from any thread.
 */
struct puan_edit_values;
PUAN_MUST_USE enum puan_status
puan_edit_values_open(struct puan_edit_values **out, struct puan_store *st,
                      struct puan_err *err);
void puan_edit_values_close(struct puan_edit_values *v); /* NULL is fine */
/*
 * Puts them into a record of version `ret`: how many cells were set.  A return
 * that has come since the run is left as it is.
 */
size_t puan_edit_values_apply(const struct puan_edit_values *v,
                              struct puan_record *r, int64_t household,
                              int64_t ret);
/* The runs that are used, the newest last. */
size_t puan_edit_values_runs(const struct puan_edit_values *v,
                             const struct puan_edit_run **list);
/* "edit 3, form short, rule set R version 2, seed 7, digest 0123…"; one line */
void puan_edit_values_say(struct puan_out *o, const struct puan_edit_values *v);

#endif
