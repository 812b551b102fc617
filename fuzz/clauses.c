/*
 * Fuzz target: a catalogue of clauses, and, behind a line of dashes, a YAML
 * tree from which each path of the catalogue's last column is taken out.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/proof/proof.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size }, yaml = { 0 };
    struct puan_clauses c;
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL, *out = NULL;

    for (size_t i = 0; i + 5 <= size; i++)
        if (memcmp(data + i, "\n---\n", 5) == 0) {
            yaml = (struct puan_str){ text.p + i + 5, size - i - 5 };
            text.n = i;
            break;
        }
    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    if (puan_clauses_read(&c, text, "fuzz", PUAN_STR("p"), &a, &err) !=
        PUAN_OK)
        goto out;
    for (size_t i = 0; i < c.n; i++)
        if (puan_clauses_get(&c, c.list[i].id) != &c.list[i])
            abort();
    err = (struct puan_err){ 0 };
    if (yaml.n == 0 ||
        puan_yaml_tree(&tree, yaml, "fuzz", &a, &err) != PUAN_OK)
        goto out;
    for (size_t i = 0; i < c.n; i++) {
        const struct puan_rest rest = { .path = c.list[i].what,
                                        .cut = c.list[i].figure,
                                        .at = tree };

        err = (struct puan_err){ 0 };
        (void)!puan_node_without(&out, tree, &rest, &a, &err);
    }
out:
    puan_arena_clear(&a);
    return 0;
}
