/*
 * Inside of the lane executor: the program over a frame as a graph of nodes,
 * each made once whatever number of rules says it, and how it is run in
 * blocks of rows.
 *
 * Files: lane_names (a frame as the names of the language), lane_build (trees
 * to nodes, ranges, widths), lane_fold (what depends on one narrow item
 * becomes a table or a set), lane_row (any tree for one row: the slow path),
 * lane_pass (passes), lane_run (blocks), lane_unit (reductions over units).
 */
#ifndef PUAN_CORE_RULE_LANE_H
#define PUAN_CORE_RULE_LANE_H

#include "core/rule/lane_kernel.h"
#include "core/rule/lanes.h"
#include "core/rule/ops.h"

#define LANE_ENTITIES 24
#define LANE_UNIT                                                              \
    65536u /* rows of the longest unit that is run in one piece                \
            */

/* ---- a frame as names ---- */

enum lane_from {
    LANE_OWN,   /* item `item` of the entity */
    LANE_KEY,   /* a level's: item `item` of entity `entity`, first row */
    LANE_SEALED /* state only: that of the fact `item` of the entity */
};
struct lane_source {
    enum lane_from from;
    uint16_t entity, item;
};
struct lane_names {
    const struct puan_frame *frame;
    struct puan_form form; /* entities as the frame's, in its order */
    struct lane_source *source[LANE_ENTITIES];
    int parent[LANE_ENTITIES];
};
enum puan_status lane_names_of(struct lane_names *out,
                               const struct puan_frame *f,
                               const struct puan_form *campaign,
                               bool own_levels, struct puan_arena *a,
                               struct puan_err *err);

/* First row of entity e below row `row` of a, which stands above it (or is
   it); a's rows give the end of the last. */
uint32_t lane_first(const struct puan_frame *f, int a, int e, uint64_t row);
/* Row of a, above e, in which row `row` of e lies. */
uint64_t lane_up(const struct puan_frame *f, int e, int a, uint64_t row);
/* Is a above e? */
bool lane_above(const struct puan_frame *f, int a, int e);

/* ---- nodes ---- */

/* Bits of `can`: the reasons for which a node may be unknown. */
enum {
    LANE_ASKED = 1 << (PUAN_UN_ASKED - 1),
    LANE_OUTER = 1 << (PUAN_UN_OUTER - 1),
    LANE_MISSING = 1 << (PUAN_UN_MISSING - 1),
    LANE_INVALID = 1 << (PUAN_UN_INVALID - 1)
};

enum lane_op {
    /* numbers */
    LN_CONST, /* k in every row */
    LN_ITEM,  /* item of a source: data */
    LN_KEY,   /* a level's item at its first row */
    LN_SHIFT, /* kid plus a constant: the same lanes, another base */
    LN_CAST,  /* kid in another width and base */
    LN_ADD,   /* kids of one width */
    LN_SUB,
    LN_SCALE, /* kid * k */
    LN_MUL,
    LN_LEAST, /* kids of one width and base */
    LN_MOST,
    LN_CHOOSE,  /* kid 0 true: kid 1, else kid 2; of one width and base */
    LN_MAP,     /* data: lanes by the item's stored value; kid: the item */
    LN_OP,      /* aux: enum puan_op, on 64 bits, row by row */
    LN_REASON,  /* of an item */
    LN_LINE,    /* row within the unit above */
    LN_SIZE,    /* rows of entity y in the unit */
    LN_LOOKUP,  /* kids: keys; k: column; data: table.  k -1 gives a truth */
    LN_AT,      /* kid 1 at line kid 0 of the unit */
    LN_UNIT,    /* aux: enum puan_quant; kid 0 where, kid 1 of; entity y */
    LN_WIDE,    /* the same, counted by an earlier pass; k: its number */
    LN_ROW,     /* data: struct lane_tree, row by row */
    LN_SPREAD,  /* kid of a level above, for each row */
    LN_OUTSIDE, /* kid read from outside a quantifier's row */
    /* truths */
    LN_TRUTH, /* k in every row */
    LN_RANGE, /* kid in k..k2 */
    LN_SET,   /* data: 256 bits by the item's stored value */
    LN_LESS,  /* kids of one width */
    LN_SAME,
    LN_AND,
    LN_OR,
    LN_NOT,
    LN_EQUAL, /* truths */
    LN_STATE, /* kid's state is in the mask k; never unknown */
    LN_ALL    /* true wherever kid is known */
};

struct lane_tree { /* a tree and where it stands */
    const struct puan_ast_node *tree;
    uint16_t level;
};

struct lane_node {
    uint8_t op, aux;
    bool truth;
    uint8_t width; /* of a number: 1 2 4 8 */
    uint8_t can;
    uint8_t n_kids;
    int16_t ent; /* -1: a constant, wanted nowhere yet */
    uint8_t stage;
    uint16_t y;
    int32_t kid[PUAN_LOOKUP_KEYS];
    int64_t base;   /* value = base + lane, modulo 2^64 */
    int64_t lo, hi; /* of known values */
    int64_t k, k2;
    const void *data;
    int32_t item; /* the only item it depends on, -1 several, -2 none */
};

static inline unsigned lane_log(unsigned width)
{
    return width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3;
}

/* ---- the program ---- */

struct lane_rule {
    int32_t when; /* node at the rule's entity; -1: always */
    int32_t check;
    bool bad; /* check is true where the rule fails, and never unknown */
    uint16_t entity;
    uint8_t stage;
};

struct lane_wide { /* a quantifier over more than a block */
    uint8_t kind;  /* enum puan_quant */
    uint16_t above, over;
    int32_t where, of; /* -1: none */
    uint8_t stage;     /* of the pass that counts it */
    uint64_t *value;   /* by row of `above` */
    uint8_t *flags;
};
enum {
    LANE_HIT = 1,
    LANE_DOUBT_OUTER = 2,
    LANE_DOUBT_MISSING = 4,
    LANE_DOUBT_INVALID = 8
};

struct lane_pass {
    uint8_t stage;
    int16_t root;  /* entity whose rows are split */
    int32_t *node; /* in the order they are computed */
    size_t n_nodes;
    uint16_t *rule, *wide;
    size_t n_rules, n_wides;
    bool in[LANE_ENTITIES]; /* entities computed over in a block */
};

struct puan_lanes {
    struct lane_names names;
    const struct puan_frame *frame;
    const struct puan_lane_kernels *kernels;
    struct puan_ruleset *rs;
    struct lane_node *node;
    int32_t n_nodes, cap_nodes;
    int32_t *slot; /* hash of nodes */
    uint32_t mask;
    struct lane_rule *rule;
    struct lane_wide *wide;
    size_t n_wides, cap_wides;
    struct lane_pass *pass;
    size_t n_passes;
    int32_t *column;                 /* node of each derived item, -1 not yet */
    uint32_t longest[LANE_ENTITIES]; /* rows of its longest unit; 0: not yet */
    /* expressions */
    uint16_t entity;
    int32_t *look;
    struct puan_type *look_type;
    size_t n_looks;
    struct lane_pass looking;
    /* what a worker needs buffers for */
    bool *used;                  /* by node */
    int32_t *guard; /* of an LN_ROW node: rows for which this truth is known to
                       be false are not looked at; -1: all are */
    uint32_t cap[LANE_ENTITIES]; /* most rows of a block */
    struct puan_arena *arena;
};

/* Rows of the longest unit of entity e below its parent, at least 1. */
uint32_t lane_longest(struct puan_lanes *l, int e);
/* Are units of e small enough to be run in one piece with their parent? */
bool lane_fused(struct puan_lanes *l, int e);

/* Adds a node, or finds the same one; -1 when out of memory. */
int32_t lane_add(struct puan_lanes *l, const struct lane_node *n);
/* The node of a checked tree of a rule or derived item of `level`, at that
   level or above it (or a constant); -1 when out of memory. */
int32_t lane_tree_node(struct puan_lanes *l, const struct puan_ast_node *tree,
                       uint16_t level);
/* The node for each row of entity e. */
int32_t lane_at_entity(struct puan_lanes *l, int32_t n, int e);
/* A simpler node of the same meaning, or n itself. */
int32_t lane_fold(struct puan_lanes *l, int32_t i);
/* A number with this width and base. */
int32_t lane_cast(struct puan_lanes *l, int32_t n, unsigned width,
                  int64_t base);

enum puan_status lane_passes(struct puan_lanes *l, struct puan_err *err);
/* Finds the guards, once `used` is known. */
enum puan_status lane_guards(struct puan_lanes *l, struct puan_err *err);
/* Most rows of each entity in a block of the pass. */
void lane_room(uint32_t *cap, struct puan_lanes *l, const struct lane_pass *p);

/* An instruction on one or two values; only those that stand in LN_OP. */
val lane_op_value(enum puan_op op, val a, val b);

/* ---- one row ---- */

/* Value of a checked tree for one row of its level, by the plainest reading. */
val lane_row_value(const struct puan_lanes *l, const struct puan_ast_node *tree,
                   uint16_t level, uint64_t row);

/* ---- a worker ---- */

struct lane_span { /* rows of an entity in the block */
    uint64_t row;
    uint32_t n;
};

struct lane_out { /* what a node gave for the block */
    const void *lane;
    const uint64_t *t;
    const uint64_t *u[4]; /* by enum puan_know - 1; NULL when it cannot be */
    void *own_lane;
    uint64_t *own_t, *own_u[4];
    uint64_t count; /* rows it is true for, once asked */
    bool counted;
};

struct puan_lanes_work {
    const struct puan_lanes *l;
    struct lane_span span[LANE_ENTITIES];
    uint32_t cap[LANE_ENTITIES];
    struct lane_out *out; /* by node */
    struct puan_lanes_count *count;
    uint64_t *zero, *ones; /* words of the widest block */
    uint64_t *bits[8];     /* scratch */
    void *lane1, *lane2;
    uint64_t *sums;
    uint32_t *first;                       /* units cut to the block */
    uint8_t *left[LANE_ENTITIES];          /* rows to the end of the unit */
    uint32_t block_longest[LANE_ENTITIES]; /* 0: left not yet made */
    val *val1, *val2;
    struct lane_out *looked; /* shifted to the rows asked for */
};

static inline uint32_t lane_words(uint32_t n)
{
    return (n + 63) / 64;
}

/* Computes one node over the block. */
void lane_compute(struct puan_lanes_work *w, int32_t n);
void lane_compute_unit(struct puan_lanes_work *w, int32_t n);
/* Adds the block to a count over a whole level. */
void lane_add_wide(struct puan_lanes_work *w, const struct lane_wide *x);
/* Value and knowledge of a node's rows, the slow way. */
void lane_values(val *to, struct puan_lanes_work *w, int32_t n);
int64_t lane_value_of(const void *lane, unsigned width, int64_t base,
                      uint32_t i);
val lane_val(const struct puan_lanes_work *w, int32_t n, uint32_t i);
/* Writes rows of a node from values; the planes it cannot have are left. */
void lane_store(struct puan_lanes_work *w, int32_t n, const val *v);
/* All unknown rows of what a node gave: a plane, `scratch`, or NULL. */
const uint64_t *lane_unknown(const struct puan_lanes_work *w,
                             const struct lane_out *o, uint64_t *scratch,
                             uint32_t words);
/* No bits beyond n. */
static inline void lane_tail(uint64_t *bits, uint32_t n)
{
    if (n % 64)
        bits[n / 64] &= ((uint64_t)1 << (n % 64)) - 1;
}

#endif
