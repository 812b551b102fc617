/*
 * Fuzz target: a topic of the knowledge base as JSON text.  What loads has
 * titles and texts within their limits and names once; what does not says why.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/help/help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void held(const struct puan_help_topic *t)
{
    if (t->n == 0 || t->id.n == 0 || t->order < 0 || t->order > 999)
        abort();
    for (size_t i = 0; i < t->n; i++) {
        const struct puan_help_article *x = &t->article[i];

        if (x->id.n == 0 || x->text_zh.n == 0 || x->text_en.n == 0 ||
            x->text_zh.n > PUAN_HELP_TEXT || x->text_en.n > PUAN_HELP_TEXT ||
            puan_utf8_length(x->zh) > PUAN_HELP_TITLE)
            abort();
        for (size_t k = 0; k < i; k++)
            if (puan_str_eq(t->article[k].id, x->id))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL;
    struct puan_help_topic t;
    const struct puan_str text = { (const char *)data, size };

    puan_arena_init(&a, &puan_test_heap);
    if (puan_json_tree(&tree, text, "help", &a, &err) == PUAN_OK) {
        if (puan_help_topic_load(&t, tree, &a, &err) == PUAN_OK)
            held(&t);
        else if (err.text[0] == '\0')
            abort();
    }
    puan_arena_clear(&a);
    return 0;
}
