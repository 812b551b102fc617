/*
 * Fuzz: single expressions.  The first byte chooses the entity, or a guard's
 * scope.  What is accepted has a value or a reason in every row.
 */
#include "language.h"

static void guard(struct puan_str text, uint8_t seed, struct puan_arena *a)
{
    static const struct puan_code codes[] = { { 1, { "a", 1 }, { 0 }, { 0 } },
                                              { 2, { "b", 1 }, { 0 }, { 0 } } };
    static const struct puan_codelist list = {
        { "l", 1 }, codes, 2, false, true
    };
    static const struct puan_scope_name names[] = { { { "x", 1 }, &list },
                                                    { { "n", 1 }, NULL } };
    struct puan_err err = { 0 };
    struct puan_expr *e;

    if (puan_expr_compile_scope(&e, names, 2, text, "guard", 1, 1, a, &err) !=
        PUAN_OK)
        return;
    for (unsigned i = 0; i < 16; i++) {
        int64_t v[2] = { seed, 1 + (seed & 1) };
        uint8_t st[2] = { (uint8_t)(i & 3), (uint8_t)(i >> 2) };

        if (puan_expr_scope_truth(e, v, st) > PUAN_UNKNOWN)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text;
    struct puan_err err = { 0 };
    struct puan_arena a;
    const struct puan_form *form;
    struct puan_expr *e;
    uint16_t entity;

    if (size == 0)
        return 0;
    text = (struct puan_str){ (const char *)data + 1, size - 1 };
    entity = data[0] % 4;
    puan_arena_init(&a, &puan_test_heap);
    a.limit = 64u << 20;
    form = fuzz_form();
    if (entity == 3) {
        guard(text, data[0], &a);
    } else if (puan_expr_compile(&e, form, entity, fuzz_settings,
                                 PUAN_COUNT(fuzz_settings), text, "expr", 1, &a,
                                 &err) == PUAN_OK) {
        struct puan_record r = fuzz_record(form, data, size, &a);

        for (uint32_t row = 0; row < r.rows[entity].n; row++) {
            enum puan_state state;
            int64_t v;

            puan_expr_eval(&v, &state, e, &r, row);
            if (state != PUAN_GIVEN && v != 0)
                abort();
            if (puan_expr_text(e, v, &a)[0] == '\0')
                abort();
            if (puan_expr_truth(e, &r, row) > PUAN_UNKNOWN)
                abort();
        }
    } else if (err.text[0] == '\0') {
        abort();
    }
    puan_arena_clear(&a);
    return 0;
}
