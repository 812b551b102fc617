/*
 * Fuzz: a submission's XML.  What is read becomes JSON that parses, and the
 * reader of documents takes it or says why not.
 */
#include "features/openrosa/internal.h"
#include "language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct puan_form *const forms[] = { fuzz_form() };
    const struct puan_str names[] = { forms[0]->id };
    const struct puan_window window = { .forms = names, .n_forms = 1 };
    const struct puan_plan plan = { .form = forms, .n_forms = 1,
                                    .window = &window, .n_windows = 1 };
    struct odk_submission s = { .device = PUAN_STR("d") };
    struct puan_err err = { 0 };
    struct puan_arena a;

    puan_arena_init(&a, &puan_test_heap);
    if (odk_read(&s, &plan, (struct puan_str){ (const char *)data, size }, &a,
                 &err) == PUAN_OK) {
        struct puan_str json = odk_document(&s, &a);
        struct puan_return_head head;
        struct puan_record rec;
        struct puan_node *tree;

        if (puan_json_tree(&tree, json, "d", &a, &err) != PUAN_OK &&
            err.code != PUAN_EINVAL)
            abort();
        if (puan_record_read(&rec, &head, forms, 1, json, &a, &err) !=
                PUAN_OK &&
            !*err.text)
            abort();
    } else if (!*err.text) {
        abort();
    }
    puan_arena_clear(&a);
    return 0;
}
