/*
 * Of this folder, its tests and its fuzz targets only: buildings, and what a
 * check works on.
 */
#ifndef PUAN_FEATURES_MAPS_INTERNAL_H
#define PUAN_FEATURES_MAPS_INTERNAL_H

#include "features/host/feature.h"
#include "features/maps/check.h"

struct puan_request;

/* A decimal number of degrees, in millionths, rounded to the nearest. */
bool puan_geo_degrees(int64_t *out, struct puan_str s);

/* ---- buildings ------------------------------------------------------------- */

#define PUAN_BUILDING_TEXT 16 /* bytes of a number, of a kind */

/*
 * Rows of CSV with the columns ea, building, lon, lat and, where they are
 * there, kind and units; in order of the tree and of their numbers.
 *
 * EINVAL  a column is missing, an area unknown or not of the innermost level,
 *         a position no position, a number twice in an area
 */
PUAN_MUST_USE enum puan_status
puan_buildings_read(struct puan_building **out, size_t *n,
                    const struct puan_area_tree *t, struct puan_str csv,
                    const char *file, struct puan_arena *a,
                    struct puan_err *err);
/* Bytes of `packed`, the buildings of one area, and back. */
void puan_buildings_pack(struct puan_out *o, const struct puan_building *b,
                         size_t n);
PUAN_MUST_USE enum puan_status
puan_buildings_unpack(struct puan_building **out, size_t *n, uint32_t area,
                      struct puan_str bytes, struct puan_arena *a,
                      struct puan_err *err);
/* Those of the areas [top, end) of the tree, in its order. */
PUAN_MUST_USE enum puan_status
puan_buildings_load(struct puan_building **out, size_t *n,
                    struct puan_store *st, uint32_t top, uint32_t end,
                    struct puan_arena *a, struct puan_err *err);

enum {
    PUAN_COVER_BOUNDARY,
    PUAN_COVER_BOUNDARY_FILE,
    PUAN_COVER_BUILDING,
    PUAN_COVER_BUILDING_FILE,
    PUAN_COVER_MAPS
};
extern const struct puan_covered puan_maps_covered[PUAN_COVER_MAPS];

/* ---- the ground of an area --------------------------------------------------- */

/*
 * Reads the boundaries and buildings of the area with that code and of all
 * inside it; 0: the whole tree.
 *
 * ENOTFOUND  no such area
 */
PUAN_MUST_USE enum puan_status puan_ground_load(struct puan_ground *g,
                                                struct puan_store *st,
                                                int64_t area, bool buildings,
                                                struct puan_arena *a,
                                                struct puan_err *err);
/* Boundaries of one level in [top, end) of the tree, into feature[i - top]. */
PUAN_MUST_USE enum puan_status
puan_boundaries_load(struct puan_geo_feature *feature, struct puan_store *st,
                     unsigned level, uint32_t top, uint32_t end,
                     struct puan_arena *a, struct puan_err *err);

/* ---- what is said of faults ---------------------------------------------------- */

struct puan_jw;
/* One fault as a map; `shape`: with its ground as GeoJSON. */
void puan_map_fault_json(struct puan_jw *w, const struct puan_area_tree *t,
                         const struct puan_map_fault *f, bool shape,
                         struct puan_arena *a);
/* A position as GeoJSON writes it, [116.802730,35.157185]. */
void puan_geo_position(struct puan_jw *w, struct puan_geo_point p);

/* ---- answers ------------------------------------------------------------------ */

/* Makes the text of an answer about rq->area. */
typedef enum puan_status (*puan_map_make_fn)(struct puan_str *json,
                                             struct puan_request *rq,
                                             const void *what,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/*
 * Answers with what `make` gives, or gave while boundaries, buildings and areas
 * were the same: packed, with an ETag, kept in memory.  `name` tells one kind
 * of text from another; `type` is a literal.  Slow ones do not hold up maps.
 */
PUAN_MUST_USE enum puan_status
puan_map_answer(struct puan_request *rq, const char *name, const char *type,
                bool slow, puan_map_make_fn make, const void *what,
                struct puan_err *err);

struct puan_map_area_in {
    int64_t area;
};
#define PUAN_MAP_AREA_PARAMS 1
extern const struct puan_param puan_map_area_params[PUAN_MAP_AREA_PARAMS];

/* Most areas a check over HTTP looks at, faults it gives, points of a map. */
#define PUAN_MAP_CHECKED 40000
#define PUAN_MAP_SHOWN 1000
#define PUAN_MAP_BUILDINGS 6000
#define PUAN_MAP_FIELD 400 /* areas a device carries */

enum puan_status puan_get_faults(struct puan_request *rq, const void *in,
                                 struct puan_err *err);
enum puan_status puan_get_buildings(struct puan_request *rq, const void *in,
                                    struct puan_err *err);
enum puan_status puan_get_field_map(struct puan_request *rq, const void *in,
                                    struct puan_err *err);

extern const struct puan_command puan_map_commands[];
#define PUAN_MAP_COMMANDS 3

#endif
