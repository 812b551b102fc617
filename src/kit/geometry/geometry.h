/*
 * Shapes on a plane: where two overlap, what one leaves of another, whether a
 * ring crosses itself.  Points are whole numbers (so what touches exactly
 * touches exactly here too); their unit is the caller's, areas are in that
 * unit squared.
 *
 * GEOS does the work; it is loaded when first needed.  A plane is used by one
 * thread at a time; several planes may be used at once.
 *
 * Never knows what a shape stands for.
 *
 * Depends on: base, libgeos.
 */
#ifndef PUAN_KIT_GEOMETRY_GEOMETRY_H
#define PUAN_KIT_GEOMETRY_GEOMETRY_H

#include "base/arena.h"

struct puan_plane; /* a place to work in; owns the shapes made in it */
struct puan_shape; /* polygons, maybe none */

struct puan_plane_point {
    int32_t x, y;
};
struct puan_plane_ring {
    struct puan_plane_point *p; /* the last is not the first again */
    uint32_t n;
    bool outer; /* begins a polygon; those behind it are its holes */
};

/* EIO: GEOS is not installed. */
PUAN_MUST_USE enum puan_status puan_plane_open(struct puan_plane **out,
                                               struct puan_err *err);
/* Gives back the plane and every shape made in it. */
void puan_plane_close(struct puan_plane *p);
/* Gives one shape back early; NULL is accepted. */
void puan_shape_free(struct puan_plane *p, struct puan_shape *s);

/* The first ring is an outer one; no rings: the empty shape. */
PUAN_MUST_USE enum puan_status
puan_shape_make(struct puan_shape **out, struct puan_plane *p,
                const struct puan_plane_ring *ring, uint32_t n,
                struct puan_err *err);
/*
 * Is it sound: no ring crosses itself or another, holes lie inside?  Else
 * *where is the place.  The operations below want sound shapes.
 */
PUAN_MUST_USE enum puan_status
puan_shape_sound(bool *sound, struct puan_plane_point *where,
                 struct puan_plane *p, const struct puan_shape *s,
                 struct puan_err *err);
/* A sound shape of the same lines (even and odd). */
PUAN_MUST_USE enum puan_status puan_shape_mend(struct puan_shape **out,
                                               struct puan_plane *p,
                                               const struct puan_shape *s,
                                               struct puan_err *err);
/* Ground in both; the empty shape when they only touch. */
PUAN_MUST_USE enum puan_status puan_shape_both(struct puan_shape **out,
                                               struct puan_plane *p,
                                               const struct puan_shape *a,
                                               const struct puan_shape *b,
                                               struct puan_err *err);
/* Ground in a and not in b. */
PUAN_MUST_USE enum puan_status puan_shape_minus(struct puan_shape **out,
                                                struct puan_plane *p,
                                                const struct puan_shape *a,
                                                const struct puan_shape *b,
                                                struct puan_err *err);
/* Ground in any of them.  The shapes stay the caller's. */
PUAN_MUST_USE enum puan_status
puan_shape_all(struct puan_shape **out, struct puan_plane *p,
               struct puan_shape *const *s, uint32_t n, struct puan_err *err);
/* The shape with its holes filled. */
PUAN_MUST_USE enum puan_status puan_shape_filled(struct puan_shape **out,
                                                 struct puan_plane *p,
                                                 const struct puan_shape *s,
                                                 struct puan_err *err);

/* A piece of a shape: one polygon with its holes. */
struct puan_shape_piece {
    struct puan_plane_ring *ring; /* rounded to whole numbers */
    uint32_t n_rings;
    double area;
    struct puan_plane_point inside; /* a point in it */
};
/* The pieces of at least `least`, largest first, in the arena. */
PUAN_MUST_USE enum puan_status
puan_shape_pieces(struct puan_shape_piece **out, uint32_t *n,
                  struct puan_plane *p, const struct puan_shape *s,
                  double least, struct puan_arena *a, struct puan_err *err);

#endif
