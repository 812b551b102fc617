/*
 * For the tests of this folder: memory, a small census form, records from
 * documents.  Never part of a program.
 */
#ifndef PUAN_CORE_RULE_TEST_HELP_H
#define PUAN_CORE_RULE_TEST_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/test_heap.h"
#include "core/rule/rule.h"

/* The whole file; the test fails when it cannot be read. */
static inline struct puan_str help_read(const char *path, struct puan_arena *a)
{
    FILE *f = fopen(path, "rb");
    long n;
    char *p;

    if (!f) {
        fail_msg("cannot open %s (run from the source root)", path);
        return (struct puan_str){ NULL, 0 };
    }
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    p = puan_arena_get(a, (size_t)n + 1);
    assert_int_equal(fread(p, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return (struct puan_str){ p, (size_t)n };
}

static inline struct puan_form *help_form(const char *path,
                                          struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_form *f = NULL;

    if (puan_json_tree(&tree, help_read(path, a), path, a, &err) != PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, a, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    f->reference_month = 2020 * 12 + 10;
    return f;
}

/* A document of answers only: {"H1":1,"person":[…]}. */
static inline struct puan_record help_record(const struct puan_form *f,
                                             const char *answers,
                                             struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_return_head head;
    struct puan_record r;

    if (puan_record_read(&r, &head, &f, 1, puan_str_of(answers), a, &err) !=
        PUAN_OK)
        fail_msg("%s: %s: %s", answers, err.where, err.text);
    puan_record_facts(&r);
    return r;
}

#endif
