/*
 * Fuzz target: a template of a paper (YAML) and, behind a line of dashes, the
 * values (JSON) it is filled in from.  What is filled in is a paper.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/paper/paper.h"
#include "core/paper/template.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct puan_paper_env env = { 0 };
    struct puan_str text = { (const char *)data, size }, json = { 0 };
    struct puan_paper_template *t = NULL;
    struct puan_node *tree = NULL, *values = NULL;
    const struct puan_str *name;
    struct puan_paper *p = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_out o;

    for (size_t i = 0; i + 5 <= size; i++)
        if (memcmp(data + i, "\n---\n", 5) == 0) {
            json = (struct puan_str){ text.p + i + 5, size - i - 5 };
            text.n = i;
            break;
        }
    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    if (puan_yaml_tree(&tree, text, "fuzz", &a, &err) != PUAN_OK ||
        puan_paper_template_load(&t, tree, &env, &a, &err) != PUAN_OK) {
        if (err.code == PUAN_OK || err.text[0] == '\0')
            abort();
        goto out;
    }
    if (json.n == 0 ||
        puan_json_tree(&values, json, "fuzz", &a, &err) != PUAN_OK ||
        values->kind != PUAN_NODE_MAP)
        goto out;
    for (int en = 0; en < 2; en++) {
        const struct puan_paper_fill how = { .en = en == 1 };

        err = (struct puan_err){ 0 };
        (void)puan_paper_missing(&name, t, values, en == 1, &a);
        puan_out_init(&o, &a);
        if (puan_paper_fill(&o, t, values, &how, &a, &err) != PUAN_OK)
            continue;
        /* a title that came out empty, or too many rows, is all that may be
         * wrong with it */
        if (puan_paper_read(&p, puan_out_view(&o), &a, &err) != PUAN_OK &&
            err.code == PUAN_EINVAL &&
            !puan_str_holds(puan_str_of(err.text), PUAN_STR("title")))
            abort();
    }
out:
    puan_arena_clear(&a);
    return 0;
}
