/*
 * Boundaries: where the areas of the tree lie on the ground, for maps.
 *
 * GeoJSON (RFC 7946) as `puan simulate` writes it, one file a level: a
 * FeatureCollection of Polygons or MultiPolygons whose property `code` names
 * an area.  All of a file or none, one ledger entry with the file's digest;
 * the same file again changes nothing, another one of that level replaces it.
 *
 *   boundary(code, level, rings)              office store, covered by level
 *     rings   polygons, rings, points in millionths of a degree (0.1 m)
 *   boundary_file(level, file, digest, features, points, at)        covered
 *   building(ea, parent, packed)       office store, covered by parent
 *     packed  number, kind, units and point of each building of the area
 *   building_file(id, file, digest, areas, buildings, at)           covered
 *
 * Maps of large areas get thinner lines: borders are thinned from corner to
 * corner (Douglas and Peucker, 1973), so that neighbours still share them.
 *
 * Never says anything about who lives there; never asks another host.
 */
#ifndef PUAN_FEATURES_MAPS_MAPS_H
#define PUAN_FEATURES_MAPS_MAPS_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_maps;

struct puan_map_result {
    struct puan_str level;
    uint64_t features, points;
    bool written; /* false: the store knew this very file */
    uint8_t digest[32];
};
/* `act` names who.  EINVAL names file, line, column and what was expected. */
PUAN_MUST_USE enum puan_status
puan_map_import(struct puan_map_result *out, struct puan_store *st,
                struct puan_str json, const char *file, bool dry_run,
                const struct puan_act *act, struct puan_arena *a,
                struct puan_err *err);

/*
 * Buildings from CSV (ea, building, lon, lat [kind units]); those of an area
 * the file names replace what was known of it.  The result's features are
 * buildings, its points areas.
 */
PUAN_MUST_USE enum puan_status
puan_buildings_import(struct puan_map_result *out, struct puan_store *st,
                      struct puan_str csv, const char *file, bool dry_run,
                      const struct puan_act *act, struct puan_arena *a,
                      struct puan_err *err);
/* Does the header of a CSV file name the columns of buildings? */
bool puan_buildings_header(struct puan_str csv);

/* ---- reading, for tests and fuzzing ------------------------------------------ */

#define PUAN_GEO_BYTES ((size_t)256 << 20)
#define PUAN_GEO_FEATURES 1000000
#define PUAN_GEO_POINTS 20000000

struct puan_geo_point {
    int32_t x, y; /* longitude, latitude in millionths of a degree */
};
struct puan_geo_ring {
    struct puan_geo_point *p; /* closed: the last is not repeated */
    uint32_t n;
    bool outer; /* begins a polygon */
};
struct puan_geo_feature {
    struct puan_str code;
    struct puan_geo_ring *ring;
    uint32_t n_rings;
};
struct puan_geo {
    struct puan_geo_feature *feature;
    uint32_t n;
    uint64_t points;
};
/*
 * Reads a whole file.  EINVAL: not such a file, a ring of fewer than three
 * corners or not closed, a coordinate outside the globe, a code that is not
 * digits.  ELIMIT: more than the bounds above.
 */
PUAN_MUST_USE enum puan_status puan_geo_read(struct puan_geo *out,
                                             struct puan_str json,
                                             const char *file,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Bytes of `rings` and back. */
void puan_geo_pack(struct puan_out *o, const struct puan_geo_feature *f);
PUAN_MUST_USE enum puan_status puan_geo_unpack(struct puan_geo_feature *f,
                                               struct puan_str bytes,
                                               struct puan_arena *a,
                                               struct puan_err *err);
/*
 * Thins the borders so that no point lies further than `tolerance` millionths
 * of a degree (of latitude) from where it was; shared borders stay shared.
 */
PUAN_MUST_USE enum puan_status puan_geo_thin(struct puan_geo *g,
                                             int32_t tolerance,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* {"type":"Polygon"|"MultiPolygon","coordinates":…}; `decimals` 4 to 6. */
void puan_geo_json(struct puan_out *o, const struct puan_geo_feature *f,
                   unsigned decimals);

#endif
