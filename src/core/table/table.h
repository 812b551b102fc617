/*
 * Tabulation: a plan's whole table programme in one pass over returns.
 *
 * A programme is compiled once for a plan and an area; then every return is
 * counted into cells that the caller owns, so that each thread keeps its own
 * and sums are merged by adding.  What a dimension cannot place (missing,
 * invalid, not asked, outside its code list) is counted in its last class,
 * "unknown": totals add up by construction.
 *
 * Persons are counted by base (resident, de facto, registered, all); the base
 * of a person is decided by the plan's residence cases, first true case first.
 *
 * Depends on: plan, rule, area.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_TABLE_TABLE_H
#define PUAN_CORE_TABLE_TABLE_H

#include "core/area/area.h"
#include "base/csv.h"
#include "base/json.h"
#include "core/plan/plan.h"

struct puan_tally;

/*
 * Classes of household size run 0 … 9 and 10 or more: sizes beyond ten are too
 * few for a class of their own in any published table.
 */
#define PUAN_TABLE_SIZES 11

/*
 * A table by a level above `area` is left out of the programme.
 *
 * EINVAL  a dimension has no code list (the plan was not linted), its level
 *         lies outside the tree, a table has more than 8 dimensions
 * ELIMIT  the cells of all tables exceed 2^26
 */
PUAN_MUST_USE enum puan_status
puan_tally_compile(struct puan_tally **out, const struct puan_plan *plan,
                   const struct puan_area_tree *tree, uint32_t area,
                   struct puan_arena *a, struct puan_err *err);

/* How many int64_t cells the caller provides, zeroed. */
size_t puan_tally_cells(const struct puan_tally *t);

/* Of one person: its case (index in plan->residence, -1 none) and its bases. */
struct puan_status_of {
    int16_t status_case;
    bool de_facto, registered, resident;
};

/*
 * Decides the residence case of every row of the plan's residence entity.
 * `out` has room for its rows.  A form without that entity has none; in a form
 * that lacks what the cases ask, nobody fits any.
 */
void puan_tally_status(struct puan_status_of *out, const struct puan_tally *t,
                       const struct puan_record *r);

/*
 * Counts one return.  skip[row] excludes a row of the residence entity (a
 * duplicate decided against); NULL skips none.  `status` as puan_tally_status
 * gave it.  A household outside the programme's area counts nowhere.
 */
void puan_tally_count(int64_t *cells, const struct puan_tally *t,
                      int64_t household, const struct puan_record *r,
                      const struct puan_status_of *status, const bool *skip);

/* ---- reading the result -------------------------------------------------- */

size_t puan_tally_tables(const struct puan_tally *t);
const struct puan_table_plan *puan_tally_plan(const struct puan_tally *t,
                                              size_t table);
size_t puan_tally_dims(const struct puan_tally *t, size_t table);
/* Classes of a dimension, the last one "unknown". */
size_t puan_tally_classes(const struct puan_tally *t, size_t table, size_t dim);
struct puan_class {
    struct puan_str code, zh, en;
};
/* class == classes gives "total". */
void puan_tally_class(struct puan_class *out, char code[24],
                      const struct puan_tally *t, size_t table, size_t dim,
                      size_t class_);
/*
 * Value of one cell; a coordinate equal to the number of classes is the total
 * over that dimension.
 */
int64_t puan_tally_value(const struct puan_tally *t, const int64_t *cells,
                         size_t table, const size_t *coordinate);

/*
 * CSV: one row a cell and a margin, codes and both labels per dimension, then
 * the count; cells of empty "unknown" classes are left out.
 */
void puan_tally_csv(struct puan_out *o, const struct puan_tally *t,
                    const int64_t *cells, size_t table);
/* JSON: {"id":…,"zh":…,"dims":[{…,"classes":[…]}],"cells":[…],"total":n}. */
void puan_tally_json(struct puan_jw *w, const struct puan_tally *t,
                     const int64_t *cells, size_t table);

#endif
