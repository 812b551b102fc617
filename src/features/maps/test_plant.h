/*
 * For tests and measures only: a map of areas that fit together, and faults
 * planted in a map by seed, so that the checker can be held against them.
 * Never part of a program.
 *
 * Each plant sits in a parent of its own, so that what one does is not mixed
 * with what another does.
 */
#ifndef PUAN_FEATURES_MAPS_TEST_PLANT_H
#define PUAN_FEATURES_MAPS_TEST_PLANT_H

#include "features/maps/internal.h"

/*
 * A county of side x side districts of part x part areas with four times
 * `cells` points each, borders crooked by `seed`, five buildings an area.
 */
PUAN_MUST_USE enum puan_status
puan_plant_map(struct puan_ground *g, unsigned side, unsigned part,
               unsigned cells, uint64_t seed, struct puan_arena *a,
               struct puan_err *err);

struct puan_plant {
    uint8_t kind;         /* enum puan_map_fault_kind */
    uint32_t area, other; /* as the checker names them */
    const struct puan_building *building;
    double m2;
    bool found;
};

/* Up to `each` of every kind that can be planted, in the innermost level. */
PUAN_MUST_USE enum puan_status puan_plant(struct puan_plant **out, size_t *n,
                                          struct puan_ground *g, size_t each,
                                          uint64_t seed, struct puan_arena *a,
                                          struct puan_err *err);

struct puan_plant_score {
    size_t planted[PUAN_MAP_FAULT_KINDS], found[PUAN_MAP_FAULT_KINDS];
    size_t false_alarms;
};
/* Marks what was found; every fault must answer to one plant. */
void puan_plant_score(struct puan_plant_score *out, struct puan_plant *p,
                      size_t n, const struct puan_map_check *c);

#endif
