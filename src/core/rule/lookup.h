/*
 * Reference tables of rules: `table geo by region, township gives control`.
 * A row is found by its keys; what it gives are whole numbers with a state.
 *
 * A table made here is a hash of its keys in the caller's arena and never
 * changes.  Other sources (the listing of a campaign, earlier returns) give
 * their own `find` and `value`.
 *
 * Depends on: form.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_LOOKUP_H
#define PUAN_CORE_RULE_LOOKUP_H

#include "core/form/record.h"

#define PUAN_LOOKUP_KEYS 8
#define PUAN_LOOKUP_COLUMNS 256

struct puan_lookup {
    struct puan_str name; /* as the rules call it */
    const void *ctx;
    /* Row with these keys, in the order of `by`; -1: none.  Thread-safe. */
    int64_t (*find)(const void *ctx, const int64_t *key);
    /* Column c, in the order of `gives`; *state GIVEN, MISSING or INVALID. */
    int64_t (*value)(const void *ctx, int64_t row, size_t c,
                     enum puan_state *state);
};

/*
 * A table in memory: n rows of n_keys keys (row-major), and n_columns values
 * with their states (enum puan_state, row-major; NULL: all given).  The arrays
 * are borrowed.
 *
 * ECONFLICT  two rows with the same keys: err names the first and second row
 */
PUAN_MUST_USE enum puan_status
puan_lookup_build(struct puan_lookup *out, struct puan_str name,
                  const int64_t *keys, size_t n_keys, const int64_t *values,
                  const uint8_t *states, size_t n_columns, size_t n,
                  struct puan_arena *a, struct puan_err *err);

/*
 * What rule texts declare, without compiling them: the reference tables and
 * the levels of a plain file, in the order of their lines.
 */
struct puan_rule_table {
    struct puan_str name;
    const struct puan_str *by, *gives;
    size_t n_by, n_gives;
    const char *file;
    uint32_t line, col;
};
struct puan_rule_level { /* rows with equal `by` in a row are one */
    struct puan_str name;
    const struct puan_str *by;
    size_t n_by;
    const char *file;
    uint32_t line, col;
};
struct puan_rule_decls {
    const struct puan_rule_table *table;
    size_t n_tables;
    const struct puan_rule_level *level; /* outermost first */
    size_t n_levels;
};
/* EINVAL  syntax, as puan_ruleset_compile; a name declared twice differently */
PUAN_MUST_USE enum puan_status
puan_rule_declared(struct puan_rule_decls *out, const struct puan_str *texts,
                   const char *const *files, size_t n_texts,
                   struct puan_arena *a, struct puan_err *err);

#endif
