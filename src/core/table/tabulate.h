/*
 * Tables over a frame: dimensions, measures and filters written in the rule
 * language (doc/rules.md), counted through cubes (cube.h).
 *
 * A cell is the rows of a unit (person, household) that agree in all
 * dimensions.  What an expression reads becomes axes of a cube; expressions
 * are looked at once for each combination of values, not for each row, and
 * cells of the cube are folded into those of the table.  Measures of a table
 * may count different units: persons, households and deaths of an area stand
 * in one row.  A measure whose expressions look at rows below (count(person
 * where ...)) is given as a column by the caller: see puan_tab_wants.
 *
 * What cannot be placed is a class of its own: not asked, missing, invalid are
 * three, and none is left out, so that totals add up by construction.
 *
 * Percentiles are of the values themselves: with n values and p n / 100 = k
 * whole, the mean of the k-th and the next, else the one after k (Hyndman and
 * Fan, The American Statistician 50 (1996) 361-365, definition 2); the median
 * is p = 50.
 *
 * Depends on: cube, rule.  Does no I/O; the caller owns threads.
 */
#ifndef PUAN_CORE_TABLE_TABULATE_H
#define PUAN_CORE_TABLE_TABULATE_H

#include "base/json.h"
#include "base/out.h"
#include "core/rule/rule.h"
#include "core/table/cube.h"

#define PUAN_TAB_DIMS 12
#define PUAN_TAB_SHOWS 512

/* ---- what is asked for -----------------------------------------------------
 */

struct puan_tab_bands { /* class i: at[i] <= value < at[i + 1] */
    const int64_t *at;  /* ascending */
    size_t n;           /* 0: no bands.  Values below at[0] are one more */
};

struct puan_tab_by { /* a dimension */
    struct puan_str name, zh, en;
    struct puan_str text; /* expression over the unit */
    struct puan_tab_bands bands;
    const struct puan_codelist *codes; /* labels; NULL: the item's */
    const char *file;                  /* for messages */
    uint32_t line;
};

enum puan_tab_kind {
    PUAN_TAB_COUNT,
    PUAN_TAB_SUM,
    PUAN_TAB_MEAN,
    PUAN_TAB_PERCENTILE,
    PUAN_TAB_RATE /* value of one measure over that of another */
};

struct puan_tab_show { /* a measure */
    struct puan_str name, zh, en;
    enum puan_tab_kind kind;
    struct puan_str of;      /* unit; empty: the table's */
    struct puan_str text;    /* what is summed: expression over the unit */
    struct puan_str where;   /* only these rows; empty: all */
    unsigned percent_tenths; /* PERCENTILE: 500 is the median */
    size_t over, under;      /* RATE: indexes of shows of this table */
    int64_t times;           /* RATE: 100, 1000 */
    unsigned places;         /* decimals printed: MEAN, RATE, PERCENTILE */
    const char *file;
    uint32_t line;
};

struct puan_tab_table {
    struct puan_str id, zh, en;
    struct puan_str of;    /* unit; empty: the entity with most rows */
    struct puan_str where; /* of each unit's rows; empty: all */
    const struct puan_tab_by *by;
    size_t n_by;
    const struct puan_tab_show *show;
    size_t n_show;
    bool totals; /* margins are part of the table as printed */
    const char *file;
    uint32_t line;
    struct puan_str note; /* stands in the head: what the values are; one line */
};

struct puan_tab_variable { /* a name for an expression; may use others */
    struct puan_str name, zh, en, text;
    struct puan_tab_bands bands;
    const struct puan_codelist *codes;
};

struct puan_tab_programme {
    struct puan_str id, zh, en;
    const struct puan_tab_table *table;
    size_t n_tables;
    const struct puan_tab_variable *variable;
    size_t n_variables;
    const struct puan_const *consts;
    size_t n_consts;
};

/*
 * One dimension or measure as it is written in a line:
 *
 *   region    min(age, 100) / 5 as age5    bands(age, 0, 15, 60)
 *   bands(age, 0..100/5)
 *
 *   count    count where age < 15 as young    sum(rooms)   mean(age) where ..
 *   median(age)   p90(age)   rate(women / men * 100) as ratio
 *   count of household where ..
 *
 * rate() names measures written before it.  `part` splits at commas outside
 * of brackets and quotes.
 */
bool puan_tab_part(struct puan_str *part, struct puan_str *rest);
PUAN_MUST_USE enum puan_status puan_tab_by_parse(struct puan_tab_by *out,
                                                 struct puan_str text,
                                                 const char *file,
                                                 uint32_t line,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_tab_show_parse(struct puan_tab_show *out, struct puan_str text,
                    const struct puan_tab_show *before, size_t n_before,
                    const char *file, uint32_t line, struct puan_arena *a,
                    struct puan_err *err);

/* ---- compiling -------------------------------------------------------------
 */

struct puan_tab;

/*
 * The programme and the frame must outlive it.
 *
 * EINVAL  unknown unit, name or measure; an expression that does not compile
 * ELIMIT  too many possible cells
 */
PUAN_MUST_USE enum puan_status
puan_tab_compile(struct puan_tab **out, const struct puan_frame *f,
                 const struct puan_tab_programme *p, struct puan_arena *a,
                 struct puan_err *err);

/*
 * Columns to be made before counting: expressions that cannot be looked at
 * value by value.  The caller sets `item` to a column of the entity's rows.
 * Without an optional one the same is counted in a larger cube.
 */
struct puan_tab_want {
    uint16_t entity;
    struct puan_str text;
    const char *file;
    uint32_t line;
    bool truth, optional;
    const struct puan_frame_item *item;
};
struct puan_tab_want *puan_tab_wants(struct puan_tab *t, size_t *n);

/* Then: one set of cubes for each unit that is counted. */
PUAN_MUST_USE enum puan_status puan_tab_plan(struct puan_tab *t,
                                             struct puan_arena *a,
                                             struct puan_err *err);
size_t puan_tab_sets(const struct puan_tab *t);
const struct puan_cubes *puan_tab_set(const struct puan_tab *t, size_t set);

/* ---- the result ------------------------------------------------------------
 */

struct puan_tab_class {
    int64_t value; /* band: its index; state: 0 */
    enum puan_state state;
    struct puan_str code, zh, en; /* as printed */
};

struct puan_tab_dim {
    struct puan_str name, zh, en;
    const struct puan_tab_class *class_; /* those with rows; or the whole list
                                            of codes; ascending */
    size_t n;
};

/*
 * Cells with rows, ascending by key, the first dimension slowest.  Its class
 * in dimension d is key / stride[d] % dim[d].n.  For measure s the words from
 * acc[i * n_acc + at[s]] are, of COUNT, the rows; of SUM and MEAN, the rows
 * with a value and the sum; of PERCENTILE and RATE, none.
 */
struct puan_tab_value {
    uint64_t key;
    uint32_t show;
    int64_t value, n; /* rows with that value */
};
struct puan_tab_result {
    const struct puan_tab_table *table;
    size_t n_dims;
    struct puan_tab_dim dim[PUAN_TAB_DIMS];
    uint64_t stride[PUAN_TAB_DIMS];
    uint64_t n;
    uint64_t *key;
    int64_t *acc;
    size_t n_acc;
    size_t *at;       /* by measure */
    unsigned *places; /* by measure: decimals of its values */
    struct puan_tab_value *value; /* PERCENTILE: by key, measure, value */
    size_t n_values;
};

/*
 * all[set][worker]: the workers of each set, tasks done.
 */
PUAN_MUST_USE enum puan_status
puan_tab_fold(struct puan_tab_result *out, const struct puan_tab *t,
              size_t table, struct puan_cube_worker *const *const *all,
              size_t n_workers, struct puan_arena *a, struct puan_err *err);

/*
 * The number of cells, the rows and the sum of their squares of a table that
 * only counts, without making them: what two programs compare.  False when the
 * table has to be folded.
 */
struct puan_tab_check {
    uint64_t cells, rows, squares;
};
bool puan_tab_check(struct puan_tab_check *out, const struct puan_tab *t,
                    size_t table, struct puan_cube_worker *const *const *all,
                    size_t n_workers, struct puan_arena *a);
void puan_tab_check_of(struct puan_tab_check *out,
                       const struct puan_tab_result *r);

/* Sums up the dimensions whose bit in `keep` is not set. */
PUAN_MUST_USE enum puan_status
puan_tab_margin(struct puan_tab_result *out, const struct puan_tab_result *r,
                uint64_t keep, struct puan_arena *a, struct puan_err *err);

/*
 * A measure of a cell as a decimal: value / 10^places, rounded half away from
 * zero; false where it has none (a mean of nothing).
 */
bool puan_tab_cell(int64_t *value, unsigned *places,
                   const struct puan_tab_result *r, uint64_t cell, size_t show);

/* ---- as text ---------------------------------------------------------------
 */

/* A table, or what is left of it when dimensions are summed up (_margin). */
struct puan_tab_view {
    const struct puan_tab_result *whole, *cells; /* the same, or a margin */
    uint64_t kept; /* bit per dimension of the whole; the others are totals */
};
enum puan_tab_labels { PUAN_TAB_CODES, PUAN_TAB_ZH, PUAN_TAB_EN };

/*
 * Cells [from, to) as CSV: the code of each class, its label beside it when
 * labels are asked for, then the measures; a measure without a value is empty,
 * a total has the code _T.  Ranges may be written by several threads, each
 * into its own out.
 */
void puan_tab_csv_head(struct puan_out *o, const struct puan_tab_result *r,
                       enum puan_tab_labels labels);
void puan_tab_csv_rows(struct puan_out *o, const struct puan_tab_view *v,
                       uint64_t from, uint64_t to, enum puan_tab_labels labels);

/*
 * SDMX-CSV 2.0 (SDMX 3.0, technical specifications "SDMX-CSV data message"):
 * one line an observation, columns STRUCTURE, STRUCTURE_ID, ACTION, the
 * dimensions, MEASURE, OBS_VALUE.  Codes are those of CSV, with _ for what an
 * SDMX code may not have.
 */
void puan_tab_sdmx_head(struct puan_out *o, const struct puan_tab_result *r);
void puan_tab_sdmx_rows(struct puan_out *o, const struct puan_tab_view *v,
                        uint64_t from, uint64_t to);

/* {"id":…,"dims":[{…,"classes":[…]}],"measures":[…],"cells":[[…],…]} */
void puan_tab_json(struct puan_jw *w, const struct puan_tab_result *r);

#endif
