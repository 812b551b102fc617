/*
 * YAML texts: whatever comes in, a well-made tree or a refusal with a message.
 */
#include <stdlib.h>

#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct puan_node *n, unsigned depth)
{
    size_t children = 0;

    if (depth > PUAN_YAML_DEPTH || n->line == 0 || n->file == NULL)
        abort();
    PUAN_NODE_EACH(c, n)
    {
        if (n->kind == PUAN_NODE_MAP &&
            (c->key.n == 0 || puan_node_get_s(n, c->key) != c))
            abort(); /* empty key, or a key twice */
        walk(c, depth + 1);
        children++;
    }
    if (children != n->n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_node *tree = NULL;
    struct puan_err err = { 0 };

    puan_arena_init(&a, puan_os_alloc());
    if (puan_yaml_tree(&tree, (struct puan_str){ (const char *)data, size },
                       "fuzz", &a, &err) == PUAN_OK)
        walk(tree, 0);
    else if (err.text[0] == '\0')
        abort();
    puan_arena_clear(&a);
    return 0;
}
