/*
 * Figures of areas and the rules over them: from CSV files, or from a
 * campaign.  Of this folder only.
 *
 * Depends on: core/figures, ingest, plans.
 */
#ifndef PUAN_FEATURES_CHECK_FIGURES_H
#define PUAN_FEATURES_CHECK_FIGURES_H

#include "core/plan/plan.h"
#include "features/store/store.h"

/* A sheet filled for all its levels, with the findings of its rules. */
struct puan_area_finding {
    uint16_t level; /* of the plan */
    uint32_t area;  /* place among the areas of the level */
    uint16_t rule;  /* in `rules` */
};

struct puan_area_figures {
    const struct puan_plan *plan;
    const struct puan_sheet *sheet;
    struct puan_figures *figures;
    const struct puan_ruleset *rules;
    struct puan_area_finding *found; /* by level, area, rule */
    size_t n_found;
    uint64_t returns, listed; /* read */
    struct puan_arena *arena;
};

/* Empty figures of a sheet; everything lives in the arena. */
PUAN_MUST_USE enum puan_status
puan_area_figures_begin(struct puan_area_figures *f,
                        const struct puan_plan *plan,
                        const struct puan_sheet *sheet, struct puan_arena *a,
                        struct puan_err *err);
/* A given figure of the innermost area, when the sheet has it. */
void puan_area_figures_give(struct puan_area_figures *f, int64_t ea,
                            const char *figure, int64_t value);
/* Closes the figures and runs the rules over every area. */
PUAN_MUST_USE enum puan_status
puan_area_figures_end(struct puan_area_figures *f, struct puan_err *err);

/*
 * Given figures from a file `area,figure,value`: the level is told by the
 * number of digits.  EINVAL names file, line and remedy.
 */
PUAN_MUST_USE enum puan_status
puan_area_figures_file(struct puan_area_figures *f, const char *path,
                       struct puan_err *err);
/* All returns, the listing and the registers of an area of a campaign. */
PUAN_MUST_USE enum puan_status
puan_area_figures_store(struct puan_area_figures *f, struct puan_store *st,
                        int64_t area, struct puan_err *err);

/* {"sheet":…,"levels":[…],"areas":[…],"findings":[…]} of one level (-1 all). */
void puan_area_figures_json(struct puan_jw *w,
                            const struct puan_area_figures *f, int level);
/* level,area,FIGURE,… and level,area,rule,severity,message */
void puan_area_figures_csv(struct puan_out *o,
                           const struct puan_area_figures *f, int level);
void puan_area_findings_csv(struct puan_out *o,
                            const struct puan_area_figures *f, int level,
                            bool zh);

/* ---- dossiers (dossiers.c) ---- */

/* The records of one thing across returns, and the findings of their rules. */
struct puan_dossier_run {
    const struct puan_plan *plan;
    const struct puan_dossier *dossier;
    struct puan_dossiers *rows;
    const struct puan_ruleset *rules;
    struct puan_out findings; /* CSV: rule,severity,households,message */
    size_t n_findings, n_dossiers;
    struct puan_arena *arena;
};
PUAN_MUST_USE enum puan_status
puan_dossier_begin(struct puan_dossier_run *d, const struct puan_plan *plan,
                   const struct puan_dossier *dossier, struct puan_arena *a,
                   struct puan_err *err);
/* A return whose texts are at hand: keys from them. */
void puan_dossier_return(struct puan_dossier_run *d,
                         const struct puan_record *r, int64_t household);
/* A register: CSV with id_number, and ea where it has one. */
PUAN_MUST_USE enum puan_status
puan_dossier_register(struct puan_dossier_run *d, struct puan_str name,
                      const char *path, struct puan_err *err);
/*
 * All returns and the police register of an area of a campaign, by identity
 * tokens: the vault stays closed, so that dossiers by names are refused.
 */
PUAN_MUST_USE enum puan_status
puan_dossier_store(struct puan_dossier_run *d, struct puan_store *st,
                   int64_t area, struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_dossier_end(struct puan_dossier_run *d,
                                                bool zh, struct puan_err *err);

int puan_figures_command(int argc, char **argv);
extern const char puan_figures_usage[], puan_figures_help[];

#endif
