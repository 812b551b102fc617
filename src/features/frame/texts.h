/*
 * The different texts of a column, numbered as they are met, by many threads.
 * Each thread keeps those it has met; the shared list is asked for new ones.
 */
#ifndef PUAN_FEATURES_FRAME_TEXTS_H
#define PUAN_FEATURES_FRAME_TEXTS_H

#include <pthread.h>

#include "core/form/form.h"

struct puan_texts; /* shared, of one column */
struct puan_texts_seen; /* of one thread and column; NULL at first */

/* NULL: out of memory. */
struct puan_texts *puan_texts_new(uint32_t most);
void puan_texts_free(struct puan_texts *t);
void puan_texts_seen_free(struct puan_texts_seen *s);

/* Number of a text; -1 when there are more than `most`, -2 out of memory. */
int64_t puan_texts_number(struct puan_texts *t, struct puan_texts_seen **seen,
                          struct puan_str s);
uint32_t puan_texts_count(const struct puan_texts *t);

/*
 * The list of them, ascending by bytes, values from 0; map[number] is the
 * value.  Both in `a`.  NULL: out of memory.
 */
const struct puan_codelist *puan_texts_list(uint32_t **map,
                                            struct puan_texts *t,
                                            struct puan_str name,
                                            struct puan_arena *a);

#endif
