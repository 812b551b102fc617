/*
 * Fuzz: whole rule texts.  A text that is accepted runs over records, and the
 * record and the column executor agree.
 */
#include "core/rule/prove.h"
#include "language.h"

static void agree(const struct puan_findings *x, const struct puan_findings *y)
{
    if (x->n != y->n || x->evaluated != y->evaluated ||
        x->not_evaluable != y->not_evaluable || x->any_hard != y->any_hard)
        abort();
    for (size_t i = 0; i < x->n; i++)
        if (x->list[i].rule != y->list[i].rule ||
            x->list[i].row != y->list[i].row)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_ruleset *rs;
    const struct puan_form *form;

    puan_arena_init(&a, &puan_test_heap);
    a.limit = 64u << 20;
    form = fuzz_form();
    if (puan_ruleset_compile(&rs, form, fuzz_settings,
                             PUAN_COUNT(fuzz_settings), &text, NULL, 1, &a,
                             &err) == PUAN_OK) {
        struct puan_record r[3];
        const struct puan_record *p[3] = { &r[0], &r[1], &r[2] };
        const struct puan_prove_limits few = { .cells = 2000, .nodes = 200 };
        struct puan_rule_proofs proofs;
        struct puan_findings one, many[3];

        for (size_t i = 0; i < 3; i++)
            r[i] = fuzz_record(form, data, size / (i + 1), &a);
        if (puan_ruleset_run_block(many, rs, p, 3, &a, &err) == PUAN_OK)
            for (size_t i = 0; i < 3; i++)
                if (puan_ruleset_run(&one, rs, &r[i], &a, &err) == PUAN_OK)
                    agree(&one, &many[i]);
        if (puan_rules_prove(&proofs, form, fuzz_settings,
                             PUAN_COUNT(fuzz_settings), &text, NULL, 1, &few,
                             &a, &err) == PUAN_EINVAL)
            abort(); /* what compiles can be looked at */
    } else if (err.text[0] == '\0') {
        abort(); /* a refusal says why */
    }
    puan_arena_clear(&a);
    return 0;
}
