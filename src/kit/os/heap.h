/*
 * The process heap as an allocator for arenas.
 *
 * Depends on: base/arena.  Keeps no state; safe from any thread.
 */
#ifndef PUAN_KIT_OS_HEAP_H
#define PUAN_KIT_OS_HEAP_H

#include "base/arena.h"

extern const struct puan_alloc puan_heap;

#endif
