/*
 * A census of units with known truth, for packs with simulate/units.yaml
 * (UNITS.md): legal units, their headquarters and branches, businesses, with
 * faults planted and written down.
 *
 * The spec says what kinds of units there are and how each answer comes about;
 * nothing here knows an item, a code or a country.  Links nothing of
 * core/rule, core/link or core/edit.
 */
#ifndef PUAN_FEATURES_SIMULATE_UNITS_H
#define PUAN_FEATURES_SIMULATE_UNITS_H

#include "features/simulate/sim.h"

struct unit_cell {
    struct puan_str name, value; /* value.p NULL: asked and not answered */
};

struct unit_row {
    struct unit_cell *cell;
    size_t n, cap;
};

struct unit_area { /* of any level, by code */
    unsigned level; /* place in the spec's levels */
    int64_t code;
    struct puan_str zh;
    uint32_t units; /* innermost: so many in it */
};

struct unit {
    const struct puan_node *kind;
    struct puan_str form;
    struct puan_str code, activity;
    uint32_t ea; /* place among the areas */
    uint32_t number; /* within it, from 1 */
    uint64_t serial; /* never twice */
    struct unit_row at;
    struct unit_row *branch;
    size_t n_branches;
    const struct unit *of;        /* the unit it is a part of */
    const struct unit_row *part;  /* and its row there */
    bool bound;                   /* others hang on its answers: no fault */
    const struct puan_node *fault;
    struct unit_row truth;        /* answers before the fault */
    struct puan_str item, was, is; /* what the fault changed, first item */
    const struct unit *other;     /* whose answer it took */
};

struct units {
    const struct sim_options *opt;
    const struct puan_node *spec;
    const char *dir; /* of the spec */
    struct puan_arena *a;
    struct unit_area *area;
    size_t n_areas, n_eas; /* the last n_eas are innermost */
    struct unit *unit;
    size_t n, cap;
    struct puan_str county; /* code asked for */
    struct puan_str place;  /* its name */
    int64_t base;           /* units of an innermost area */
    unsigned key_digits;    /* of a unit's key */
    uint64_t serial;
};

/* Does the pack have such a spec? */
bool sim_units_has(const char *pack, struct puan_arena *a);
/* The whole command for such a pack and one area of its spec. */
PUAN_MUST_USE enum puan_status sim_units_run(const char *pack,
                                             const struct sim_options *opt,
                                             const char *const *area,
                                             size_t n_areas,
                                             struct puan_err *err);
/* The answer under a name, or NULL (units.c). */
struct unit_cell *sim_unit_cell(const struct unit_row *r, struct puan_str name);
int64_t sim_unit_key(const struct units *m, const struct unit *u);
/* Answers of another form made of a unit's own (units.c). */
PUAN_MUST_USE enum puan_status
sim_unit_items(struct unit_row *out, struct units *m, struct unit *u,
               const struct puan_node *items, struct sim_rng *rng,
               struct puan_err *err);
/* Writes everything (units_write.c). */
PUAN_MUST_USE enum puan_status sim_units_write(struct units *m,
                                               struct puan_err *err);

#endif
