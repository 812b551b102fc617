/*
 * Fuzz: strict JSON.  What is accepted must come out of the writer as a text
 * that is accepted again.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_node(struct puan_jw *w, const struct puan_node *n)
{
    switch (n->kind) {
    case PUAN_NODE_NULL:
        puan_jw_null(w);
        break;
    case PUAN_NODE_SCALAR:
        if (n->quoted)
            puan_jw_str(w, n->text);
        else
            puan_jw_raw(w, n->text);
        break;
    case PUAN_NODE_LIST:
        puan_jw_list(w);
        PUAN_NODE_EACH(c, n)
            write_node(w, c);
        puan_jw_end(w, ']');
        break;
    case PUAN_NODE_MAP:
        puan_jw_map(w);
        PUAN_NODE_EACH(c, n) {
            puan_jw_key_s(w, c->key);
            write_node(w, c);
        }
        puan_jw_end(w, '}');
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_arena a;

    puan_arena_init(&a, &puan_test_heap);
    if (puan_json_tree(&tree, text, "input", &a, &err) == PUAN_OK) {
        struct puan_out o;
        struct puan_jw w;

        puan_out_init(&o, &a);
        puan_jw_init(&w, &o);
        write_node(&w, tree);
        if (puan_json_tree(&tree, puan_out_view(&o), "again", &a, &err) !=
            PUAN_OK)
            abort();
    }
    puan_arena_clear(&a);
    return 0;
}
