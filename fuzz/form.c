/*
 * Form definitions: a form whose every name is found again, or a refusal.
 */
#include <stdlib.h>

#include "core/form/form.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names_found(const struct puan_form *f)
{
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        for (uint16_t i = 0; i < ent->n_items; i++) {
            const struct puan_item *it = &ent->items[i];

            if (puan_entity_item(ent, it->name) != i)
                abort();
            if (it->alias.n > 0 && puan_entity_item(ent, it->alias) != i)
                abort();
            if ((i < ent->n_asked) != (it->type != PUAN_TYPE_FACT))
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_node *tree = NULL;
    struct puan_form *f = NULL;
    struct puan_err err = { 0 };

    puan_arena_init(&a, puan_os_alloc());
    if (puan_yaml_tree(&tree, (struct puan_str){ (const char *)data, size },
                       "fuzz", &a, &err) == PUAN_OK) {
        struct puan_problems all = { .arena = &a };

        if (puan_form_load_all(&f, tree, NULL, NULL, &all, &a, &err) == PUAN_OK)
            names_found(f);
        else if (err.text[0] == '\0' || all.n == 0)
            abort();
    }
    puan_arena_clear(&a);
    return 0;
}
