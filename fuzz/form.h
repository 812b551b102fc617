/*
 * For fuzz targets: a form made once, as making it anew would be most of the
 * time of an execution.
 */
#ifndef PUAN_FUZZ_FORM_H
#define PUAN_FUZZ_FORM_H

#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/form/form.h"

/*
 * The form that the JSON text tells, the same at every call: a target has one.
 * Aborts when it is refused.
 */
static inline struct puan_form *fuzz_form_of(const char *json)
{
    static struct puan_arena kept;
    static struct puan_form *f;
    struct puan_err err = { 0 };
    struct puan_node *tree;

    if (f != NULL)
        return f;
    puan_arena_init(&kept, &puan_test_heap);
    if (puan_json_tree(&tree, puan_str_of(json), "form", &kept, &err) !=
            PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, &kept, &err) != PUAN_OK)
        abort();
    return f;
}

#endif
