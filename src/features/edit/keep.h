/*
 * Making and redoing edits that a campaign keeps (layer.h).
 *
 * A run goes store by store: households in order of their keys, a thousand
 * together, each failing one repaired with donors of its own thousand, by all
 * cores.  The chunks are written by acts of the returns store (verb
 * "edit.layer"), the run by two acts of the office ("edit.run"), the first
 * before anything is written, the second with the digest of the whole.  What a
 * broken run leaves has no second act and is never used.
 *
 * Reads the versions that stood when it began, and so does a redo: whatever
 * has come since is passed over.
 */
#ifndef PUAN_FEATURES_EDIT_KEEP_H
#define PUAN_FEATURES_EDIT_KEEP_H

#include "features/edit/layer.h"
#include "features/edit/unit.h"

struct puan_progress;

struct puan_edit_keep {
    struct puan_str form;
    int64_t area; /* 0: the whole campaign */
    struct puan_edit_how how;
    unsigned threads;          /* 0: one a core */
    struct puan_progress *bar; /* may be NULL */
};

/*
 * Makes a run and keeps it; `who` says who acts.
 *
 * ENOTFOUND  no such form or area   EINVAL  a weight, no hard rule
 */
PUAN_MUST_USE enum puan_status puan_edit_keep(struct puan_edit_run *out,
                                              struct puan_store *st,
                                              const struct puan_act *who,
                                              const struct puan_edit_keep *k,
                                              struct puan_arena *a,
                                              struct puan_err *err);

struct puan_edit_redone {
    uint64_t chunks, differ; /* that are not the bytes kept */
    uint8_t digest[PUAN_DIGEST_SIZE];
    bool same; /* every chunk, and the digest of the whole */
};
/*
 * Does a kept run again and compares.  Writes nothing.
 *
 * ECONFLICT  the plan is another since, or the run was never finished
 */
PUAN_MUST_USE enum puan_status
puan_edit_redo(struct puan_edit_redone *out, struct puan_store *st,
               const struct puan_edit_run *run, unsigned threads,
               struct puan_progress *bar, struct puan_arena *a,
               struct puan_err *err);

/* The plan's rules that take no part in edits of a form. */
PUAN_MUST_USE enum puan_status
puan_edit_plan_left_out(struct puan_edit_left_out **out, size_t *n,
                        struct puan_store *st, const struct puan_form *form,
                        struct puan_arena *a, struct puan_err *err);
/* Forms of the plan that hard rules apply to, by ordinal. */
PUAN_MUST_USE enum puan_status
puan_edit_plan_forms(const struct puan_form *const **out, size_t *n,
                     struct puan_store *st, struct puan_arena *a,
                     struct puan_err *err);

/* Has any return of this form come? */
PUAN_MUST_USE enum puan_status puan_edit_form_held(bool *out,
                                                   struct puan_store *st,
                                                   const struct puan_form *form,
                                                   struct puan_err *err);

#endif
