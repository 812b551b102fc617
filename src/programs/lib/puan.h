/*
 * Puan as a library: data of a census in memory, and what is done with it.
 *
 *   cc example.c $(pkg-config --cflags --libs puan)
 *
 * Data is a frame: coded columns of one or several entities, each as narrow as
 * its values allow, from a frame file (mapped, no copy) or CSV.  Rules and
 * tables are given as text, in the language of `puan check` and `puan table`.
 *
 * Every function that can fail returns a pu_status and fills the caller's
 * pu_error (may be NULL).  Texts are UTF-8 and terminated; those handed out
 * belong to the object they were asked of.  An object may be read by several
 * threads at once and changed by one.  Functions use all cores unless told
 * otherwise.  Never prints, never exits; keeps no state between calls.
 */
#ifndef PUAN_H
#define PUAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
const char *pu_version(void);

/* ---- errors ---------------------------------------------------------------- */

typedef enum pu_status {
    PU_OK = 0,
    PU_INVALID,   /* the input is malformed or out of its range */
    PU_NOT_FOUND, /* the named thing does not exist */
    PU_CONFLICT,
    PU_DENIED,
    PU_LIMIT,     /* too many rows, texts, cells */
    PU_BUSY,
    PU_IO,
    PU_NO_MEMORY,
    PU_BUG
} pu_status;

typedef struct pu_error {
    pu_status code;
    unsigned line, column; /* from 1; 0: none */
    char where[96];        /* file or subject; may be empty */
    char text[256];        /* one line, with the remedy */
} pu_error;

/* ---- data ------------------------------------------------------------------- */

typedef struct pu_data pu_data;

typedef struct pu_level { /* rows that agree in all items */
    const char *name;
    const char *const *items; /* NULL-ended */
} pu_level;

typedef struct pu_options { /* zero: the defaults */
    const pu_level *levels; /* outermost first */
    size_t n_levels;
    const char *entity;       /* what a row of CSV is: "person" */
    const char *missing;      /* a text that means no answer */
    const char *const *skip;  /* NULL-ended: columns left out */
    const char *const *token; /* NULL-ended: texts kept as 64 bits of digest */
    unsigned threads;         /* 0: one per core */
} pu_options;

/* A frame file, or CSV files of one header whose rows follow one another. */
pu_status pu_open(pu_data **out, const char *const *paths, size_t n,
                  const pu_options *options, pu_error *err);
/* The same, and makes the frame file `file` of it on the way. */
pu_status pu_make(pu_data **out, const char *file, const char *const *paths,
                  size_t n, const pu_options *options, pu_error *err);
void pu_close(pu_data *d); /* NULL is fine */

/* Adds levels; *moved (may be NULL): rows that had to be moved for it.
   Columns and offsets asked for before are no longer those of the data. */
pu_status pu_group(pu_data *d, const pu_level *levels, size_t n,
                   uint64_t *moved, pu_error *err);

typedef struct pu_entity {
    const char *name;
    int parent; /* index, -1 none */
    uint64_t rows;
    const uint32_t *first; /* rows of parent row p: first[p] … first[p + 1] */
    size_t items;
} pu_entity;

typedef enum pu_type {
    PU_CODE,
    PU_INT,
    PU_FIXED, /* value / 10^places */
    PU_MONTH, /* year * 12 + month - 1 */
    PU_DATE,  /* days since 1970-01-01 */
    PU_AREA,  /* `digits` digits */
    PU_TOKEN, /* 64 bits, for equality */
    PU_STATE  /* of a text: whether it is there */
} pu_type;

typedef enum pu_state {
    PU_NOT_ASKED = 0,
    PU_GIVEN = 1,
    PU_MISSING = 2,
    PU_NOT_VALID = 3
} pu_state;

typedef struct pu_item {
    const char *name;
    pu_type type;
    unsigned places, digits;
    int64_t least, most; /* of given values; least > most: none */
    uint64_t given;
    /* The column itself: row r is base + data[r] of `width` bytes (1 2 4 8,
       unsigned) where data[r] < stop; else it is not given. */
    unsigned width;
    int64_t base;
    uint64_t stop;
    const void *data;
    size_t codes; /* of CODE */
} pu_item;

size_t pu_entities(const pu_data *d);
/* Index by name, or -1. */
int pu_find_entity(const pu_data *d, const char *name);
int pu_find_item(const pu_data *d, int entity, const char *name);
pu_status pu_entity_info(pu_entity *out, const pu_data *d, int entity);
pu_status pu_item_info(pu_item *out, const pu_data *d, int entity, int item);
/* Code number i of an item: its value and text; NULL beyond the last. */
const char *pu_code(int64_t *value, const pu_data *d, int entity, int item,
                    size_t i);

/* Values of rows [row, row + n) and their states (either may be NULL). */
pu_status pu_values(int64_t *value, uint8_t *state, const pu_data *d,
                    int entity, int item, uint64_t row, uint64_t n,
                    pu_error *err);
/* A value as CSV holds it, terminated, at most cap bytes; its full length. */
size_t pu_text(char *out, size_t cap, const pu_data *d, int entity, int item,
               uint64_t row);
/* SHA-256 over codebook and columns, 64 hex digits; computed when first asked
   for. */
pu_status pu_digest(char out[65], pu_data *d, pu_error *err);

/* ---- duplicates ---------------------------------------------------------------- */

typedef struct pu_duplicates {
    uint64_t groups, rows; /* rows in groups */
    uint64_t absent;       /* rows where an item is not given */
    uint32_t *row, *group; /* [rows], ascending by row */
} pu_duplicates;

/* Rows that agree in all of the items (NULL-ended) with another row. */
pu_status pu_find_duplicates(pu_duplicates *out, const pu_data *d, int entity,
                             const char *const *items, pu_error *err);
void pu_duplicates_free(pu_duplicates *x);

/* ---- rules ----------------------------------------------------------------------- */

typedef struct pu_rules pu_rules;

/*
 * Rules over data, as text (files[i] names text i in messages).  A rule that
 * reads what the data has not is left out: pu_rules_left_out.  The data must
 * outlive the rules.
 */
pu_status pu_rules_compile(pu_rules **out, const pu_data *d,
                           const char *const *texts, const char *const *files,
                           size_t n, pu_error *err);
void pu_rules_free(pu_rules *r);

typedef struct pu_rule {
    const char *id, *zh, *en;
    int hard;   /* else soft */
    int entity; /* it runs once for each row of */
    uint64_t evaluated, not_evaluable, findings; /* after pu_rules_run */
} pu_rule;

size_t pu_rules_count(const pu_rules *r);
pu_status pu_rule_info(pu_rule *out, const pu_rules *r, size_t i);
/* Rule i that was left out and why; NULL beyond the last. */
const char *pu_rules_left_out(const char **why, const pu_rules *r, size_t i);

/*
 * Runs all rules over all rows.  `found` (may be NULL) is called for every
 * finding, from several threads, one at a time; row from 0.
 */
pu_status pu_rules_run(pu_rules *r,
                       void (*found)(void *ctx, size_t rule, uint64_t row),
                       void *ctx, pu_error *err);

/* ---- tables ------------------------------------------------------------------------ */

typedef struct pu_table pu_table;

typedef struct pu_table_plan {
    const char *of;    /* unit counted; NULL: the data's own rows */
    const char *by;    /* "region, min(age, 100) / 5 as age5, sex" */
    const char *show;  /* "count, mean(age) as age"; NULL: count */
    const char *where; /* only these rows; NULL: all */
} pu_table_plan;

/* The data must outlive the table. */
pu_status pu_table_make(pu_table **out, const pu_data *d,
                        const pu_table_plan *plan, pu_error *err);
void pu_table_free(pu_table *t);

size_t pu_table_dimensions(const pu_table *t);
size_t pu_table_measures(const pu_table *t);
const char *pu_table_dimension(const pu_table *t, size_t dimension);
/* Class i of a dimension as printed; NULL beyond the last. */
const char *pu_table_class(const pu_table *t, size_t dimension, size_t i);
uint64_t pu_table_cells(const pu_table *t); /* with rows */
/* Class in each dimension of a cell. */
pu_status pu_table_cell(size_t *classes, const pu_table *t, uint64_t cell);
/* value / 10^*places; 0 when the measure has no value there. */
int pu_table_value(int64_t *value, unsigned *places, const pu_table *t,
                   uint64_t cell, size_t measure);
/* All of it as CSV. */
pu_status pu_table_csv(const pu_table *t, const char *path, pu_error *err);

/* ---- evaluation ----------------------------------------------------------------------- */

typedef struct pu_index {
    int given; /* 0: too few ages or nobody in them */
    double value;
    unsigned low, high; /* youngest and oldest age that had a part */
} pu_index;

/* n[0 … closed - 1] persons by single years of age.  digit 0 … 9, 10: 0 and 5
   together. */
pu_index pu_whipple(const double *n, unsigned closed, unsigned from,
                    unsigned to, unsigned digit);
/* shares[10] of the digits in per cent; may be NULL. */
pu_index pu_myers(double *shares, const double *n, unsigned closed,
                  unsigned from, unsigned to);
pu_index pu_bachi(double *shares, const double *n, unsigned closed,
                  unsigned from, unsigned to);

typedef struct pu_age_sex {
    int given;
    double male, female, sex; /* scores of age and sex ratios */
    double un;                /* index of the United Nations */
    double zelnik, ramachandran, das_gupta;
} pu_age_sex;
/* Closed five-year groups 0–4, 5–9, …; scores over the groups first … last. */
pu_age_sex pu_age_sex_scores(const double *male, const double *female,
                             unsigned closed, unsigned first, unsigned last);

typedef struct pu_two_lists {
    int given;
    double petersen, chapman, se, low, high;
} pu_two_lists;
/* n1 and n2 persons in two lists, m of them in both; interval ± z errors. */
pu_two_lists pu_dual_system(double n1, double n2, double m, double z);

/* ---- sampling --------------------------------------------------------------------------- */

/*
 * Draws out of a seed that is published, as `puan sample` does; units are
 * numbers from 0, rising, in unit[take].  size NULL: a systematic sample of
 * equal chances; else systematic with chances in proportion to size.  *certain
 * (may be NULL): how many were certain.
 */
pu_status pu_draw(uint32_t *unit, uint32_t units, uint32_t take,
                  const uint64_t *size, const char *seed, const char *stream,
                  size_t *certain, pu_error *err);

/* ---- localisation ----------------------------------------------------------------------- */

/* An answer that has to change, and a value with which every hard rule of its
   unit passes.  Texts live until the call of `change` ends. */
typedef struct pu_change {
    const char *unit;         /* its key, "110101/2" */
    const char *entity, *item;
    uint64_t row;             /* of the files, from 0 */
    unsigned weight;          /* of this answer */
    const char *value;        /* as CSV holds it; "" empty */
} pu_change;

typedef struct pu_localised {
    uint64_t units, clean;
    uint64_t found;      /* changed by least weight, repaired */
    uint64_t impossible; /* no change of answers serves */
    uint64_t undecided;
    uint64_t weight;     /* of all changes of those found */
} pu_localised;

/*
 * Of CSV files or a frame file, for every unit that fails hard rules the
 * answers of least weight that must change (Fellegi and Holt), as `puan edit`
 * does.  A unit is what the innermost of options->levels names, or that the
 * rules declare; without levels each row.  weights: NULL-ended "ITEM=N", may
 * be NULL.  `change` may be NULL.
 */
pu_status pu_localise(pu_localised *out, const char *const *paths, size_t n,
                      const pu_options *options, const char *const *rules,
                      const char *const *files, size_t n_rules,
                      const char *const *weights,
                      void (*change)(void *ctx, const pu_change *c), void *ctx,
                      pu_error *err);

/* ---- coding ----------------------------------------------------------------------------- */

typedef struct pu_coder pu_coder;

typedef enum pu_coding {
    PU_CODED,  /* there are suggestions */
    PU_EMPTY,  /* nothing was said */
    PU_VAGUE,  /* words that say too little: ask again */
    PU_UNKNOWN /* nothing in it is known */
} pu_coding;

typedef struct pu_code_hit {
    char code[17], name[160];
    double percent; /* how sure; all suggestions together 100 */
} pu_code_hit;

/* Of `what` ("industry", "occupation") in a plan pack, or a folder that holds
   WHAT.txt, words.txt and traditional.txt. */
pu_status pu_coder_open(pu_coder **out, const char *pack, const char *what,
                        pu_error *err);
void pu_coder_free(pu_coder *c); /* NULL is fine */

/*
 * Codes an answer of one to four texts; digits 0: the classes themselves.
 * Best first, *hits at most `most`.
 */
pu_status pu_coder_code(pu_coding *state, pu_code_hit *hit, size_t *hits,
                        size_t most, const pu_coder *c,
                        const char *const *texts, size_t n, unsigned digits,
                        pu_error *err);

#ifdef __cplusplus
}
#endif

#endif
