/*
 * Cubes: how many rows of a frame have each combination of the values of some
 * of its items, with exact sums of other items.  All cubes of a set are
 * counted in one pass over the rows.  Tables (tabulate.h) are folded out of
 * cubes; a cube itself knows no labels and no expressions.
 *
 * An axis has one class for each value of its item: the given values from the
 * least on, then one class for each state (not asked, missing for a reason,
 * invalid).  A map renames classes (age in fives) and may leave rows out.  An
 * axis may be an item of the unit, of an entity above it, or the number of
 * rows of an entity below.
 *
 * How it counts.  Census files stand in the order of their areas, so where an
 * item is sorted its cells come one after another: a small cube of the other
 * axes is counted for each run of equal values, stays in the first cache and is
 * emptied into the list of cells (`runs`).  Without such an order the whole
 * cube is held where it is small enough (`whole`), else keys are scattered by
 * ranges and counted range by range in hash tables (`scatter`).  The result
 * does not depend on the way: cells ascending by key.  The index of a cell is a
 * sum of one offset for each axis, made for blocks of rows; cubes of few cells
 * are counted in several copies by turns, because a row whose cell was written
 * by the row before waits for that store.
 *
 * The caller owns threads: one worker each, every row range given to some
 * worker once, in any order.
 *
 * Depends on: frame.  Does no I/O.
 */
#ifndef PUAN_CORE_TABLE_CUBE_H
#define PUAN_CORE_TABLE_CUBE_H

#include "core/frame/frame.h"

#define PUAN_CUBE_AXES 16
#define PUAN_CUBE_SUMS 16
#define PUAN_CUBE_OUT UINT32_MAX /* in a map: the row is not counted */
#define PUAN_CUBE_CHUNK 262144u  /* rows of a range, best a multiple of it */

struct puan_cube_axis {
    uint16_t entity;                    /* the unit or above it */
    const struct puan_frame_item *item; /* NULL: rows of `below` */
    uint16_t below;                     /* an entity below `entity` */
    const uint32_t *map;                /* class by raw class; may be NULL */
    uint32_t n;                         /* with a map: its classes */
};

struct puan_cube_sum { /* of given values */
    uint16_t entity;   /* the unit or above it */
    const struct puan_frame_item *item;
};

struct puan_cube_spec {
    uint16_t unit; /* entity whose rows are counted */
    const struct puan_cube_axis *axis;
    size_t n_axes;
    const struct puan_cube_sum *sum;
    size_t n_sums;
};

enum puan_cube_way { PUAN_CUBE_RUNS, PUAN_CUBE_WHOLE, PUAN_CUBE_SCATTER };

struct puan_cubes;       /* a compiled set */
struct puan_cube_worker; /* what one thread owns */

/* Classes an item has without a map: given values and states. */
uint64_t puan_cube_classes(const struct puan_frame_item *item);
/* The value of such a class, or its state. */
int64_t puan_cube_value(enum puan_state *state,
                        const struct puan_frame_item *item, uint64_t class_);

/*
 * All specs have the same unit.  The frame, the specs' arrays and `a` must
 * outlive the set.
 *
 * EINVAL  an axis is not of the unit or above it, no axis or too many
 * ELIMIT  the possible cells do not fit 63 bits; sums might not fit 64
 */
PUAN_MUST_USE enum puan_status
puan_cubes_compile(struct puan_cubes **out, const struct puan_frame *f,
                   const struct puan_cube_spec *spec, size_t n_specs,
                   struct puan_arena *a, struct puan_err *err);
uint64_t puan_cubes_rows(const struct puan_cubes *s); /* of the unit */
enum puan_cube_way puan_cubes_way(const struct puan_cubes *s, size_t cube);

/*
 * A worker's memory comes from its own arena, which must outlive the result;
 * cells it has found are lent by the arena's host and given back by _clear.
 */
PUAN_MUST_USE enum puan_status
puan_cube_worker_open(struct puan_cube_worker **out, const struct puan_cubes *s,
                      struct puan_arena *a, struct puan_err *err);
void puan_cube_worker_clear(struct puan_cube_worker *w); /* NULL is fine */

/*
 * Counts the unit's rows [from, to).
 *
 * EINVAL  a column holds what its codebook does not know: the frame is damaged
 */
PUAN_MUST_USE enum puan_status puan_cubes_run(struct puan_cube_worker *w,
                                              uint64_t from, uint64_t to,
                                              struct puan_err *err);

/*
 * When every row has been run: what may be done by several threads before the
 * end, in tasks of which each is run once, by any worker.
 */
size_t puan_cubes_tasks(const struct puan_cubes *s);
PUAN_MUST_USE enum puan_status
puan_cubes_task(struct puan_cube_worker *by,
                struct puan_cube_worker *const *all, size_t n_all, size_t task,
                struct puan_err *err);

/*
 * The cells of one cube, ascending by key, in pieces that follow one another.
 * A cell is `words` 64-bit words: key, rows, then for each sum the rows given
 * and the sum (two's complement).
 */
struct puan_cells {
    size_t words, n_pieces;
    struct puan_cells_piece {
        const uint64_t *cell;
        size_t n;
    } * piece;
    uint64_t n; /* cells */
    /* class of axis i: key / stride[i] % classes[i] */
    uint64_t stride[PUAN_CUBE_AXES], classes[PUAN_CUBE_AXES];
};

/* After the tasks.  The cells live as long as the workers.  ELIMIT: a sum. */
PUAN_MUST_USE enum puan_status
puan_cubes_cells(struct puan_cells *out, const struct puan_cubes *s,
                 size_t cube, struct puan_cube_worker *const *all, size_t n_all,
                 struct puan_arena *a, struct puan_err *err);

#endif
