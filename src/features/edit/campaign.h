/*
 * puan edit over a campaign directory: makes an edit and keeps it, reports on
 * those there are, does one again.  Of this folder only.
 */
#ifndef PUAN_FEATURES_EDIT_CAMPAIGN_H
#define PUAN_FEATURES_EDIT_CAMPAIGN_H

#include "base/json.h"
#include "features/edit/keep.h"

struct puan_edit_campaign {
    const char *dir, *form, *rates;
    int64_t area; /* 0: the whole campaign */
    int64_t run;  /* 0: the newest (report) */
    bool report, redo, json, quiet;
    unsigned threads;
    struct puan_edit_how how;
};

/* Says what came of it on standard output; *code gets the exit code. */
PUAN_MUST_USE enum puan_status
puan_edit_campaign(int *code, const struct puan_edit_campaign *c,
                   struct puan_err *err);

/* Names rules that take no part, on standard error, or as "left_out":[…]. */
void puan_edit_say_left_out(const struct puan_edit_left_out *l, size_t n);
void puan_edit_left_out_json(struct puan_jw *w,
                             const struct puan_edit_left_out *l, size_t n);

/* Members of a map: id, form, area, state, made …, digest; with `counts` how
   many returns came out how, which is for who may see all of the run's area. */
void puan_edit_run_json(struct puan_jw *w, const struct puan_edit_run *r,
                        const struct puan_store *st, bool counts);
/* The method mix of rates: sums over items. */
void puan_edit_mix(uint64_t method[PUAN_LAYER_METHODS],
                   const struct puan_layer_area *a);

#endif
