/*
 * The process heap as an allocator for arenas.
 *
 * Depends on: base/arena.  Keeps no state; safe from any thread.
 */
#ifndef PUAN_KIT_OS_HEAP_H
#define PUAN_KIT_OS_HEAP_H

#include "base/arena.h"

extern const struct puan_alloc puan_heap;
/*
 * The same, blocks of 2 MiB and more in large pages where the system has them:
 * for what is written through once, where a fault each 4 KiB costs more than
 * the writing.
 */
extern const struct puan_alloc puan_heap_large;

#endif
