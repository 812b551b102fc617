/*
 * Checking boundaries: whether the areas of each level lie beside one another
 * and fill the area above, and whether buildings stand in their area.
 *
 * Exact where it matters: points are whole numbers.  The borders of the areas
 * inside a parent, each walked with the ground at its left, must add up to the
 * parent's own border; where they do (and no ring crosses itself) there is
 * neither overlap nor hole, and nothing more is computed.  Only where they do
 * not are the areas laid over one another (kit/geometry).
 *
 * Never mends a boundary, never says who lives there.
 *
 * Of this folder, its tests and its measure only.
 */
#ifndef PUAN_FEATURES_MAPS_CHECK_H
#define PUAN_FEATURES_MAPS_CHECK_H

#include "core/area/area.h"
#include "features/maps/maps.h"

struct puan_building {
    uint32_t area; /* index of its area in the tree */
    uint32_t units;
    struct puan_str number, kind;
    struct puan_geo_point at;
};

/* What lies where, inside the range [top, end) of the tree. */
struct puan_ground {
    const struct puan_area_tree *tree;
    uint32_t top, end;
    /* [i - top]; no rings: nobody has drawn it */
    struct puan_geo_feature *feature;
    const struct puan_building *building; /* in order of the tree */
    size_t n_buildings;
    int64_t day;          /* areas not valid then are not looked for */
    int64_t virtual_from; /* number of the first virtual area; 0: no such rule */
};

enum puan_map_fault_kind {
    PUAN_MAP_UNDRAWN,     /* no boundary */
    PUAN_MAP_GROUNDLESS,  /* a virtual area with ground, or with a building */
    PUAN_MAP_MISNUMBERED, /* virtual below the first number, or not above */
    PUAN_MAP_CROSSED,     /* its border crosses itself */
    PUAN_MAP_OVERLAP,     /* with `other` */
    PUAN_MAP_GAP,         /* ground of `area` that none of its parts has */
    PUAN_MAP_BEYOND,      /* ground outside the area it belongs to, `other` */
    PUAN_MAP_ASTRAY,      /* a building that stands in `other` */
    PUAN_MAP_ORPHAN       /* a building that stands in no area */
};
#define PUAN_MAP_FAULT_KINDS 9

struct puan_map_fault {
    uint8_t kind;         /* enum puan_map_fault_kind */
    uint8_t level;        /* checked */
    bool placed;          /* `at` is meant */
    uint32_t area, other; /* indexes in the tree, PUAN_AREA_NONE */
    const struct puan_building *building; /* NULL: no building's fault */
    struct puan_geo_point at;             /* a point of it */
    double m2;                            /* ground; 0 for points */
    struct puan_geo_feature shape;        /* the ground at fault */
};

#define PUAN_MAP_FAULTS 20000 /* kept; the others are counted */

struct puan_map_check {
    struct puan_map_fault *fault; /* by level, kind, then the largest first */
    uint32_t n, more;
    uint32_t of[PUAN_MAP_FAULT_KINDS]; /* all, also those not kept */
    uint32_t areas[PUAN_AREA_LEVELS], drawn[PUAN_AREA_LEVELS];
    uint64_t points, buildings;
};

/*
 * Checks `level`, or every level when it is below 0.  A level of which no
 * area is drawn is not checked (drawn[level] says so).  Ground of less than
 * `least` square metres is no fault.
 *
 * EIO  GEOS is not installed, or could not do it
 */
PUAN_MUST_USE enum puan_status
puan_map_check(struct puan_map_check *out, const struct puan_ground *g,
               int level, double least, struct puan_arena *a,
               struct puan_err *err);

/* "overlap", "gap", …; never NULL. */
const char *puan_map_fault_name(unsigned kind);
const char *puan_map_fault_zh(unsigned kind);

/* Is the point in the area, or on its border? */
bool puan_geo_holds(const struct puan_geo_feature *f, struct puan_geo_point p);

#endif
