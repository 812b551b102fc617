/*
 * Tables over frames, by all cores: from a programme and a frame to results.
 *
 * Depends on: core/table, kit/job.  Writes nothing.
 */
#ifndef PUAN_FEATURES_TABLES_TABULATE_H
#define PUAN_FEATURES_TABLES_TABULATE_H

#include "core/table/tabulate.h"
#include "features/tables/derive.h"

struct puan_tabulation; /* a programme counted over a frame */

/*
 * Counts every table of the programme in one pass for each unit.  Both must
 * outlive the tabulation.  texts: rule texts whose derived items may be used,
 * or NULL.  threads 0: one per core.
 */
PUAN_MUST_USE enum puan_status
puan_tabulate(struct puan_tabulation **out, const struct puan_frame *f,
              const struct puan_tab_programme *p,
              const struct puan_derive_texts *texts, unsigned threads,
              struct puan_err *err);
void puan_tabulation_close(struct puan_tabulation *t); /* NULL is fine */

/* One table's cells; they live as long as the arena and the tabulation. */
PUAN_MUST_USE enum puan_status
puan_tabulation_result(struct puan_tab_result *out, struct puan_tabulation *t,
                       size_t table, struct puan_arena *a,
                       struct puan_err *err);
/* Number of cells, rows and squares, by the shortest way. */
PUAN_MUST_USE enum puan_status
puan_tabulation_check(struct puan_tab_check *out, struct puan_tabulation *t,
                      size_t table, struct puan_err *err);

/*
 * `values`: "edited", "collected", or NULL where nobody asked.  *note gets the
 * line that stands in the head of each table, empty for NULL.
 */
struct puan_edit_values;
struct puan_store;
PUAN_MUST_USE enum puan_status
puan_table_values(struct puan_edit_values **out, struct puan_str *note,
                  struct puan_store *st, const char *values,
                  struct puan_arena *a, struct puan_err *err);

/* puan table DATA … ; argv as of any command. */
int puan_table_frames(int argc, char **argv);
/* The command's argument names a campaign directory rather than data. */
bool puan_table_is_campaign(int argc, char **argv);
extern const char puan_table_frames_usage[];

#endif
