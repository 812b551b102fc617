/*
 * The area tree (contract 13): which areas exist, what contains what, and
 * which area a household key lies in.
 *
 * A code is all digits; a level has a number of digits; the code's prefix is
 * its parent's code.  In memory the tree is one array in preorder (which for
 * prefix codes is the order of the digits): an area is its index, its subtree
 * is the range [i, end), so "is inside" is two comparisons and a total over an
 * area is a loop over a range.
 *
 * A tree never changes once built and lives in the arena it was built in; a
 * change of areas is a new tree.  Rows whose validity has ended stay in it, so
 * that old records keep their code; ask puan_area_valid.
 *
 * Depends on: base.  Does no I/O, reads no clock, keeps no state.
 */
#ifndef PUAN_CORE_AREA_AREA_H
#define PUAN_CORE_AREA_AREA_H

#include "base/arena.h"
#include "base/json.h"

#define PUAN_AREA_LEVELS 12
#define PUAN_AREA_DIGITS 18 /* of a household key, so that it fits 64 bits */
#define PUAN_AREA_NONE UINT32_MAX

/*
 * A level of the plan, outermost first; digits are cumulative and rise
 * strictly.  A first level with 0 digits (the nation) has one area, written
 * with the code "0".
 */
struct puan_area_level {
    struct puan_str name; /* "township": what rows say in `level` */
    struct puan_str zh, en;
    unsigned digits;
};

enum puan_area_kind {
    PUAN_AREA_ORDINARY,
    PUAN_AREA_VIRTUAL,  /* no ground: registrations of demolished houses */
    PUAN_AREA_ZONE,     /* park or zone with an own office, statistical code */
    PUAN_AREA_SYNTHETIC /* made by the simulator, does not exist */
};
#define PUAN_AREA_KINDS 4

#define PUAN_AREA_ALWAYS INT64_MIN  /* valid_from not stated */
#define PUAN_AREA_FOREVER INT64_MAX /* valid_to not stated */

struct puan_area {
    int64_t code;
    uint32_t parent; /* index, PUAN_AREA_NONE at a top */
    uint32_t end;    /* one past the last area inside this one */
    uint8_t level;   /* index into tree.level */
    uint8_t kind;    /* enum puan_area_kind */
    struct puan_str digits; /* the code as written */
    struct puan_str zh, en;
    int64_t valid_from, valid_to; /* days (calendar.h), both inclusive */
    int64_t successor; /* code, 0 none; need not be in the tree */
};

struct puan_area_tree {
    const struct puan_area *area; /* preorder */
    uint32_t n;
    struct puan_area_level level[PUAN_AREA_LEVELS];
    unsigned n_levels;
    unsigned household_digits; /* behind the innermost level's code */
    int64_t household_base;    /* 10 ^ household_digits */
};

/*
 * One row as it arrives.  `parent` may be empty at a top area (the
 * installation need not begin at the nation); texts are borrowed until the
 * build, which copies them.  Empty dates and successor mean not stated.
 */
struct puan_area_row {
    struct puan_str code, parent, level, zh, en, kind;
    struct puan_str valid_from, valid_to; /* YYYY-MM-DD */
    struct puan_str successor;
    uint32_t line; /* for messages */
};

/*
 * Builds the tree from rows in any order.  The message names file, line, the
 * code and the remedy.
 *
 * EINVAL  no rows; code not digits or of another length than its level's;
 *         level or kind unknown; code twice, or equal in number to another
 *         ("01" and "001"); parent named but absent (orphan), not the code's
 *         prefix or not an outer level; dates malformed or reversed;
 *         levels + household digits over 18
 */
PUAN_MUST_USE enum puan_status
puan_area_build(struct puan_area_tree **out,
                const struct puan_area_level *level, unsigned n_levels,
                unsigned household_digits, const struct puan_area_row *rows,
                size_t n_rows, const char *file, struct puan_arena *a,
                struct puan_err *err);

/*
 * The same from CSV with the columns code,parent,level,name_zh,name_en and
 * optionally kind,valid_from,valid_to,successor, in any order.  `a` holds the
 * tree, `scratch` what is needed only while reading.
 */
PUAN_MUST_USE enum puan_status
puan_area_read_csv(struct puan_area_tree **out,
                   const struct puan_area_level *level, unsigned n_levels,
                   unsigned household_digits, struct puan_str csv,
                   const char *file, struct puan_arena *a,
                   struct puan_arena *scratch, struct puan_err *err);

/* Index of a code, or PUAN_AREA_NONE.  O(levels * log n). */
uint32_t puan_area_find(const struct puan_area_tree *t, int64_t code);
uint32_t puan_area_find_digits(const struct puan_area_tree *t,
                               struct puan_str digits);
/* Index of the level with that name, or -1. */
int puan_area_level_of(const struct puan_area_tree *t, struct puan_str name);

/* The area of `level` that holds area i (i itself at its own level), or NONE. */
uint32_t puan_area_ancestor(const struct puan_area_tree *t, uint32_t i,
                            unsigned level);
/* `inner` is `outer` or inside it.  False when either is out of range. */
bool puan_area_contains(const struct puan_area_tree *t, uint32_t outer,
                        uint32_t inner);
/* The same by codes; false when `outer` is not in the tree. */
bool puan_area_contains_code(const struct puan_area_tree *t, int64_t outer,
                             int64_t inner);
/* Next area inside i at `level`, starting behind `after` (NONE: the first). */
uint32_t puan_area_next(const struct puan_area_tree *t, uint32_t i,
                        unsigned level, uint32_t after);
/* The area's own dates cover `day`. */
bool puan_area_valid(const struct puan_area_tree *t, uint32_t i, int64_t day);

/* The innermost area (enumeration area) of a household key, or NONE. */
uint32_t puan_area_of_household(const struct puan_area_tree *t,
                                int64_t household);
/* Key of household `number` (>= 0, < household_base) in area i; -1 if not. */
int64_t puan_area_household(const struct puan_area_tree *t, uint32_t i,
                            int64_t number);
/* "ordinary", "virtual", ...; never NULL. */
const char *puan_area_kind_name(enum puan_area_kind kind);

/*
 * Into an open map: "area", the code's digits, and "area_zh", "area_en", which
 * are left out (_put) or empty (_put_always) when the tree does not have it or
 * is NULL.
 */
void puan_area_put(struct puan_jw *w, const struct puan_area_tree *t,
                   int64_t code);
void puan_area_put_always(struct puan_jw *w, const struct puan_area_tree *t,
                          int64_t code);

#endif
