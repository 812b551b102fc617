/*
 * For the fuzz targets of the rule language: a small form and records whose
 * cells are drawn from the input.
 */
#ifndef PUAN_FUZZ_LANGUAGE_H
#define PUAN_FUZZ_LANGUAGE_H

#include <stdlib.h>

#include "base/arena.h"
#include "base/test_heap.h"
#include "core/rule/rule.h"
#include "form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct puan_const fuzz_settings[] = {
    { { "ref_month", 9 }, 2020 * 12 + 10 },
    { { "k", 1 }, 7 },
};

static const char fuzz_form_text[] =
    "{\"form\":\"f\",\"zh\":\"f\",\"en\":\"f\",\"codes\":{"
    "\"c\":{\"0\":{\"zh\":\"a\",\"en\":\"a\"},\"1\":{\"zh\":\"b\",\"en\":\"b\"}"
    ","
    "\"2\":{\"zh\":\"c\",\"en\":\"c\"}}},\"entities\":{"
    "\"household\":{\"zh\":\"h\",\"en\":\"h\",\"items\":{"
    "\"H1\":{\"type\":\"code\",\"codes\":\"c\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"H2\":{\"type\":\"int\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"H3\":{\"type\":\"decimal\",\"places\":2,\"zh\":\"a\",\"en\":\"a\"},"
    "\"H4\":{\"type\":\"area\",\"digits\":6,\"zh\":\"a\",\"en\":\"a\"}}},"
    "\"person\":{\"rows\":8,\"zh\":\"p\",\"en\":\"p\",\"items\":{"
    "\"D1\":{\"type\":\"name\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D2\":{\"type\":\"code\",\"codes\":\"c\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D3\":{\"type\":\"citizen-id\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D4\":{\"type\":\"int\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D5\":{\"type\":\"month\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D6\":{\"type\":\"date\",\"zh\":\"a\",\"en\":\"a\"}}},"
    "\"death\":{\"rows\":3,\"zh\":\"d\",\"en\":\"d\",\"items\":{"
    "\"S1\":{\"type\":\"month\",\"zh\":\"a\",\"en\":\"a\"}}}}}";

/* The form, made once; aborts when it is refused. */
static inline const struct puan_form *fuzz_form(void)
{
    struct puan_form *f = fuzz_form_of(fuzz_form_text);

    f->reference_month = 2020 * 12 + 10;
    return f;
}

/* A record whose rows and cells follow the bytes of the input. */
static inline struct puan_record fuzz_record(const struct puan_form *f,
                                             const uint8_t *data, size_t size,
                                             struct puan_arena *a)
{
    static const int64_t values[] = { 0,          1,         2,         3,
                                      12,         60,        90,        24000,
                                      370883,     -1,        7,         99,
                                      2147483647, INT64_MAX, INT64_MIN, 20 };
    static const uint8_t states[] = { 1, 1, 1, 1, 1, 0, 2, 3 };
    uint32_t h = 2166136261u;
    struct puan_record r;
    struct puan_err err = { 0 };
    uint32_t n[PUAN_FORM_ENTITIES] = { 1 };

    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 16777619u;
    n[1] = h % 5;
    n[2] = h / 5 % 3;
    if (puan_record_new(&r, f, n, a, &err) != PUAN_OK)
        abort();
    for (uint16_t e = 0; e < f->n_entities; e++)
        for (size_t i = 0; i < (size_t)r.rows[e].n * f->entity[e].n_items;
             i++) {
            h = h * 1664525u + 1013904223u;
            r.rows[e].st[i] = states[h >> 29];
            r.rows[e].v[i] = values[h >> 20 & 15];
            if (r.rows[e].st[i] == PUAN_MISSING)
                r.rows[e].v[i] &= 3;
            r.rows[e].txt[i] =
                h & 4096 ? PUAN_STR("11010519491231002X") : PUAN_STR("张 三");
        }
    return r;
}

#endif
