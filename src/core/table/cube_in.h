/*
 * Inside of the counting of cubes: what cube.c and scatter.c share.  Only the
 * files of this folder include it.
 */
#ifndef PUAN_CORE_TABLE_CUBE_IN_H
#define PUAN_CORE_TABLE_CUBE_IN_H

#include "core/table/cube.h"

#define PUAN_CUBE_BLOCK 8192u /* rows indexed at a time: 16 KB of indexes */
#define PUAN_CUBE_STEPS 6     /* entities from one to another below it */
#define PUAN_CUBE_PARTS 256u  /* ranges of keys, when they are scattered */

/*
 * A function whose loops are worth wider registers where the machine has them;
 * chosen when the program is loaded.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&         \
    defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#define PUAN_CUBE_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define PUAN_CUBE_WIDE
#endif

/* From a stored value to a class: v - off, less gap from stop on; most top. */
struct puan_cube_codes {
    uint64_t off, stop, gap, top;
};
struct puan_cube_codes puan_cube_codes_of(const struct puan_frame_item *it);

struct puan_cube_way_down { /* offsets to follow, outermost first */
    const uint32_t *first[PUAN_CUBE_STEPS];
    size_t n;
};

struct puan_cube_axis_in {
    const struct puan_cube_axis *spec;
    size_t of;                        /* its place in the spec */
    struct puan_cube_way_down way;    /* from its entity to the unit */
    struct puan_cube_way_down below;  /* from its entity to `below` */
    struct puan_cube_codes codes;
    const uint32_t *map;
    const uint32_t *table; /* of a worker: offset by stored byte */
    uint32_t div_by, div_most; /* the map is min(raw / div_by, div_most) */
    uint64_t rows, n, stride;
    bool sorted, outs; /* outs: the last class is "left out" */
};

struct puan_cube_sum_in {
    const struct puan_frame_item *item;
    struct puan_cube_way_down way;
    struct puan_cube_codes codes;
    uint64_t rows;
};

struct puan_cube_in {
    const struct puan_cube_spec *spec;
    enum puan_cube_way way;
    struct puan_cube_axis_in axis[PUAN_CUBE_AXES]; /* outer ones first */
    struct puan_cube_sum_in sum[PUAN_CUBE_SUMS];
    size_t n_outer, words;
    uint64_t inner, cells; /* possible cells of a run; of all */
    unsigned width, copies; /* bytes an index; cubes counted by turns */
    bool marked, outs;
    bool bytes; /* one narrow axis as it is stored: counted by stored byte */
    struct puan_cube_split *split; /* scattered: where ranges end */
};

struct puan_cubes {
    const struct puan_frame *f;
    uint16_t unit;
    uint64_t rows;
    bool checked[PUAN_FRAME_ENTITIES]; /* how its rows are parted */
    struct puan_cube_in *cube;
    size_t n_cubes, n_scattered;
};

struct puan_cube_lent { /* memory for cells */
    struct puan_cube_lent *next;
    size_t cap, used, bytes; /* cap, used: words */
    uint64_t cell[];
};

struct puan_cube_piece { /* cells in order */
    struct puan_cube_piece *next;
    uint64_t *cell;
    size_t n;
    uint64_t order; /* first row of the range it came from */
    uint32_t part;
};

struct puan_cube_state { /* one cube of one worker */
    uint32_t *cube;
    uint64_t *mark, *page, *sums;
    uint64_t outer, run_from, run_end;
    uint64_t guess[PUAN_CUBE_AXES]; /* rows of the run before, by outer axis */
    struct puan_cube_lent *lent;
    struct puan_cube_piece *piece; /* newest first */
    bool open;                     /* the newest piece may grow */
    uint32_t part;
    struct puan_cube_bins *bins; /* scattered */
    struct puan_cube_lent *store;
};

struct puan_cube_worker {
    const struct puan_cubes *s;
    struct puan_arena *arena;
    void *ix; /* indexes of a block; 16, 32 or 64 bits wide */
    uint64_t *value, *values; /* of a summed item; of all of a cube */
    uint64_t block, order;
    struct puan_cube_in *cube; /* with the tables of this worker */
    struct puan_cube_state *state;
};

/* Cells of rows [from, from + n); true: a value beyond its codebook. */
bool puan_cube_index(void *ix, const struct puan_cube_in *c, uint64_t from,
                     size_t n);
void puan_cube_values(uint64_t *v, const struct puan_cube_sum_in *m,
                      uint64_t from, size_t n);
/* *guess: rows of its entity the run before had; gets those of this one. */
uint64_t puan_cube_run_end(const struct puan_cube_axis_in *x, uint64_t row,
                           uint64_t end, uint64_t *guess);
/* Room for so many cells in a row; NULL: out of memory. */
uint64_t *puan_cube_room(struct puan_cube_worker *w, struct puan_cube_state *t,
                         const struct puan_cube_in *c, size_t cells);
enum puan_status puan_cube_piece(struct puan_cube_worker *w,
                                 struct puan_cube_state *t,
                                 const struct puan_cube_in *c, uint64_t *cell,
                                 size_t n, uint64_t order);

/* ---- scatter.c ---- */

enum puan_status puan_cube_scatter_open(struct puan_cubes *s,
                                        struct puan_arena *a,
                                        struct puan_err *err);
enum puan_status puan_cube_scatter(struct puan_cube_worker *w, size_t cube,
                                   uint64_t from, size_t n,
                                   struct puan_err *err);
enum puan_status puan_cube_scatter_cells(struct puan_cells *out,
                                         const struct puan_cubes *s,
                                         size_t cube,
                                         struct puan_cube_worker *const *all,
                                         size_t n_all, struct puan_arena *a,
                                         struct puan_err *err);

#endif
