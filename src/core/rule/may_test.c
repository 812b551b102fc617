/*
 * The executor over open cells against the record executor, for the random
 * rules and records of random_test.c: with every cell closed it says exactly
 * what happened; with cells open it never leaves out what can happen.
 */
int random_main(void);
#define main random_main
#include "core/rule/random_test.c"
#undef main

#include "core/rule/may.h"

struct open {
    struct puan_may *cell[PUAN_FORM_ENTITIES];
    struct puan_may_asked *asked[PUAN_FORM_ENTITIES];
};

static struct puan_may closed(const struct puan_rows *rows, size_t i)
{
    return (struct puan_may){
        .lo = rows->v[i],
        .hi = rows->v[i],
        .reason = rows->st[i] == PUAN_MISSING ? (int32_t)rows->v[i] : 0,
        .states = (uint8_t)PUAN_MAY_STATE(rows->st[i]),
        .text = PUAN_MAY_SAME,
    };
}

static void close_all(struct open *o, const struct puan_record *r,
                      struct puan_arena *a)
{
    for (size_t e = 0; e < r->form->n_entities; e++) {
        size_t n = (size_t)r->rows[e].n * r->form->entity[e].n_items;

        o->cell[e] = puan_new_n(a, n, struct puan_may);
        for (size_t i = 0; i < n; i++)
            o->cell[e][i] = closed(&r->rows[e], i);
        o->asked[e] = NULL;
    }
}

static void open_some(struct open *o, const struct puan_record *r)
{
    uint32_t share = 1 + rnd(6);

    for (size_t e = 0; e < r->form->n_entities; e++) {
        size_t n = (size_t)r->rows[e].n * r->form->entity[e].n_items;

        for (size_t i = 0; i < n; i++) {
            struct puan_may *c = &o->cell[e][i];

            if (rnd(share))
                continue;
            if (rnd(3) == 0) {
                c->states |= (uint8_t)rnd(16);
                if (c->states & PUAN_MAY_STATE(PUAN_MISSING) &&
                    r->rows[e].st[i] != PUAN_MISSING)
                    c->reason = (int32_t)rnd(3);
            }
            if (r->rows[e].st[i] == PUAN_MISSING && r->rows[e].v[i] == 0 &&
                rnd(2))
                c->states = PUAN_MAY_EMPTY; /* always asked: MISSING */
            if (r->rows[e].st[i] != PUAN_GIVEN) {
                c->lo = (int64_t)rnd(40) - 20;
                c->hi = c->lo + rnd(40);
            } else {
                if (__builtin_sub_overflow(c->lo, rnd(rnd(2) ? 3 : 1000),
                                           &c->lo))
                    c->lo = INT64_MIN;
                if (__builtin_add_overflow(c->hi, rnd(rnd(2) ? 3 : 1000),
                                           &c->hi))
                    c->hi = INT64_MAX;
            }
            if (rnd(2))
                c->text |= PUAN_MAY_OTHER;
        }
    }
}

static bool found(const struct puan_findings *f, size_t rule, uint32_t row)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].rule == rule && f->list[i].row == row)
            return true;
    return false;
}

static void open_cells_leave_nothing_out(void **state)
{
    static const struct puan_const settings[] = { { { "ref_month", 9 },
                                                    2020 * 12 + 10 } };
    uint64_t seed = option("PUAN_SEED", 20201101);
    uint64_t rounds = option("PUAN_ROUNDS", 150);
    unsigned long runs = 0, fails = 0, sure = 0, asked_all = 0;
    struct puan_arena forms, a;
    struct puan_form *f;

    (void)state;
    puan_arena_init(&forms, &puan_test_heap);
    puan_arena_init(&a, &puan_test_heap);
    f = help_form(FORM, &forms);
    for (uint64_t i = 0; i < rounds; i++) {
        struct puan_err err = { 0 };
        struct puan_ruleset *rs;
        struct puan_str text;

        seed_state = (seed + i) * 0x9e3779b97f4a7c15u + 5;
        puan_arena_reset(&a);
        text = program(&a);
        if (puan_ruleset_compile(&rs, f, settings, 1, &text, NULL, 1, &a,
                                 &err) != PUAN_OK)
            continue;
        for (int k = 0; k < RECORDS; k++) {
            struct puan_record r;
            struct puan_findings got;
            struct puan_may_run *m;
            struct open o;

            fill(&r, f, &a);
            close_all(&o, &r, &a);
            for (size_t e = 0; e < f->n_entities; e++) {
                o.asked[e] =
                    puan_new_n(&a, f->entity[e].n_items, struct puan_may_asked);
                for (size_t x = 0; x < f->entity[e].n_items; x++)
                    o.asked[e][x].required = true;
            }
            assert_int_equal(puan_ruleset_run(&got, rs, &r, &a, &err), PUAN_OK);
            assert_int_equal(
                puan_may_open(&m, rs, &r, o.cell,
                              (const struct puan_may_asked *const *)o.asked, &a,
                              &err),
                PUAN_OK);
            for (int open = 0; open < 4; open++) {
                if (open)
                    open_some(&o, &r);
                puan_may_changed(m);
                for (size_t j = 0; j < puan_ruleset_count(rs); j++) {
                    uint16_t e = puan_ruleset_info(rs, j)->entity;

                    for (uint32_t row = 0; row < r.rows[e].n; row++) {
                        unsigned says_so = puan_may_rule(m, j, row);
                        unsigned was =
                            found(&got, j, row) ? PUAN_MAY_FAIL : PUAN_MAY_PASS;

                        runs++;
                        fails += was == PUAN_MAY_FAIL;
                        sure += open && says_so == was;
                        asked_all += !open;
                        if (open ? !(says_so & was) : says_so != was) {
                            const struct puan_rule_info *at =
                                puan_ruleset_info(rs, j);

                            print_message("%.200s\n", at->id.p);
                            fail_msg("seed %llu rule %zu row %u open %d: says "
                                     "%u, was %u",
                                     (unsigned long long)(seed + i), j, row,
                                     open, says_so, was);
                        }
                    }
                }
            }
        }
    }
    print_message("%lu runs, %lu fail, %lu of %lu decided though open\n", runs,
                  fails, sure, runs - asked_all);
    assert_true(runs > 1000 * rounds && fails > runs / 20 &&
                sure > (runs - asked_all) / 20);
    puan_arena_clear(&a);
    puan_arena_clear(&forms);
}

/* What a rule reads: closing anything else changes nothing. */
static void reads_are_all_that_matters(void **state)
{
    static const struct puan_const settings[] = { { { "ref_month", 9 },
                                                    2020 * 12 + 10 } };
    uint64_t seed = option("PUAN_SEED", 20201101);
    unsigned long looked = 0;
    struct puan_arena forms, a;
    struct puan_form *f;

    (void)state;
    puan_arena_init(&forms, &puan_test_heap);
    puan_arena_init(&a, &puan_test_heap);
    f = help_form(FORM, &forms);
    for (uint64_t i = 0; i < 60; i++) {
        struct puan_err err = { 0 };
        struct puan_ruleset *rs;
        struct puan_str text;

        seed_state = (seed + i) * 0x9e3779b97f4a7c15u + 9;
        puan_arena_reset(&a);
        text = program(&a);
        if (puan_ruleset_compile(&rs, f, settings, 1, &text, NULL, 1, &a,
                                 &err) != PUAN_OK)
            continue;
        for (size_t j = 0; j < puan_ruleset_count(rs); j++) {
            uint16_t e = puan_ruleset_info(rs, j)->entity;
            struct puan_may_read *read;
            size_t n;

            assert_int_equal(puan_may_rule_reads(&read, &n, rs, j, &a, &err),
                             PUAN_OK);
            for (int k = 0; k < 6; k++) {
                struct puan_record r;
                struct puan_may_run *m;
                struct open o;

                fill(&r, f, &a);
                close_all(&o, &r, &a);
                assert_int_equal(
                    puan_may_open(&m, rs, &r, o.cell, NULL, &a, &err), PUAN_OK);
                for (uint32_t row = 0; row < r.rows[e].n; row++) {
                    unsigned was = puan_may_rule(m, j, row);
                    struct open back;

                    /* everything wide open but what is read */
                    close_all(&back, &r, &a);
                    for (size_t t = 0; t < f->n_entities; t++)
                        for (size_t c = 0;
                             c < (size_t)r.rows[t].n * f->entity[t].n_items;
                             c++) {
                            uint32_t at = (uint32_t)(c / f->entity[t].n_items);
                            uint16_t x = (uint16_t)(c % f->entity[t].n_items);
                            bool in = false;

                            for (size_t q = 0; q < n; q++)
                                in |= read[q].entity == t &&
                                      read[q].item == x &&
                                      (read[q].all || at == (t == e ? row : 0));
                            if (!in)
                                o.cell[t][c] = (struct puan_may){
                                    INT64_MIN, INT64_MAX, 9, 15,
                                    PUAN_MAY_SAME | PUAN_MAY_OTHER
                                };
                        }
                    puan_may_changed(m);
                    assert_int_equal(puan_may_rule(m, j, row), was);
                    for (size_t t = 0; t < f->n_entities; t++)
                        if (r.rows[t].n)
                            memcpy(o.cell[t], back.cell[t],
                                   (size_t)r.rows[t].n * f->entity[t].n_items *
                                       sizeof(struct puan_may));
                    puan_may_changed(m);
                    looked++;
                }
            }
        }
    }
    assert_true(looked > 500);
    puan_arena_clear(&a);
    puan_arena_clear(&forms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_cells_leave_nothing_out),
        cmocka_unit_test(reads_are_all_that_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
