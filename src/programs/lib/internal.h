/*
 * Inside the library: what its objects are.  Only src/programs/lib.
 */
#ifndef PUAN_PROGRAMS_LIB_INTERNAL_H
#define PUAN_PROGRAMS_LIB_INTERNAL_H

#include "features/frame/frames.h"
#include "programs/lib/puan.h"

struct pu_data {
    struct puan_frames *frames;
    struct puan_arena arena; /* terminated names */
    /* names of entities and items as C texts; made again after grouping */
    const char **entity_name;
    const char ***item_name;
    const char ****code_text; /* [entity][item][code]; NULL: no codes */
    unsigned threads;
    bool digested;
};

/* Hands an error over; gives its status. */
pu_status lib_failed(pu_error *to, const struct puan_err *from);
pu_status lib_fail(pu_error *to, pu_status code, const char *where,
                  const char *text);
/* Number of items of a NULL-ended list; 0 for NULL. */
size_t lib_list_length(const char *const *list);

#endif
