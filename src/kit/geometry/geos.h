/*
 * GEOS, loaded when first needed (kit/os/late.h): its functions under their
 * own names.  Of this folder only, included by one file.
 */
#ifndef PUAN_KIT_GEOMETRY_GEOS_H
#define PUAN_KIT_GEOMETRY_GEOS_H

#include <geos_c.h>
#include <pthread.h>

#include "kit/os/late.h"

#define FUNCTIONS(X)                                                           \
    X(GEOSArea_r)                                                              \
    X(GEOSContext_setErrorMessageHandler_r)                                    \
    X(GEOSCoordSeq_copyFromBuffer_r)                                           \
    X(GEOSCoordSeq_copyToBuffer_r)                                             \
    X(GEOSCoordSeq_getSize_r)                                                  \
    X(GEOSDifference_r)                                                        \
    X(GEOSGeomGetX_r)                                                          \
    X(GEOSGeomGetY_r)                                                          \
    X(GEOSGeomTypeId_r)                                                        \
    X(GEOSGeom_clone_r)                                                        \
    X(GEOSGeom_createCollection_r)                                             \
    X(GEOSGeom_createEmptyPolygon_r)                                           \
    X(GEOSGeom_createLinearRing_r)                                             \
    X(GEOSGeom_createPolygon_r)                                                \
    X(GEOSGeom_destroy_r)                                                      \
    X(GEOSGeom_getCoordSeq_r)                                                  \
    X(GEOSGetExteriorRing_r)                                                   \
    X(GEOSGetGeometryN_r)                                                      \
    X(GEOSGetInteriorRingN_r)                                                  \
    X(GEOSGetNumGeometries_r)                                                  \
    X(GEOSGetNumInteriorRings_r)                                               \
    X(GEOSIntersection_r)                                                      \
    X(GEOSMakeValid_r)                                                         \
    X(GEOSPointOnSurface_r)                                                    \
    X(GEOSUnaryUnion_r)                                                        \
    X(GEOS_finish_r)                                                           \
    X(GEOS_init_r)                                                             \
    X(GEOSisEmpty_r)                                                           \
    X(GEOSisValidDetail_r)                                                     \
    X(GEOSisValid_r)

#define POINTER(f) __typeof__(f) *f;
#define NAME(f) #f,

static struct {
    FUNCTIONS(POINTER)
} geos;

/* Once; safe from any thread. */
static inline enum puan_status geos_load(struct puan_err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    static const char *const name[] = { FUNCTIONS(NAME) };
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&lock);
    if (!loaded)
        st = puan_late_load(&geos, name, PUAN_COUNT(name), PUAN_LIBGEOS,
                            "libgeos-c1v5", err);
    loaded = st == PUAN_OK;
    pthread_mutex_unlock(&lock);
    return st;
}

#undef FUNCTIONS
#undef POINTER
#undef NAME

#endif
