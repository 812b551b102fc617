/*
 * Property: the record and the column executor give the same findings and
 * counts, for random well-typed rules over random records.  Prints its seed;
 * PUAN_SEED and PUAN_ROUNDS choose others.
 */
#include "core/rule/test_help.h"

#include "base/out.h"

#define FORM "test/vectors/forms/census.json"
#define RECORDS 60

static uint64_t seed_state;

static uint32_t rnd(uint32_t n)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (uint32_t)((seed_state >> 20) % n);
}

/* ---- random rules ---- */

struct gen {
    struct puan_out o;
    bool in_row, person; /* inside a quantifier over persons; level person */
    int depth;
};

static void say(struct gen *g, const char *s)
{
    puan_out_text(&g->o, s);
}

static void number(struct gen *g);
static void whole(struct gen *g);
static void month(struct gen *g);
static void truth(struct gen *g);

static bool at_person(const struct gen *g)
{
    return g->in_row || g->person;
}

static void house_number(struct gen *g)
{
    static const char *const n[] = { "H2a", "H2b", "H7",   "H6",
                                     "H8",  "N",   "heads" };

    say(g, n[rnd(PUAN_COUNT(n))]);
}

static void where(struct gen *g)
{
    bool was = g->in_row;

    if (rnd(5) == 0)
        return;
    g->in_row = true;
    say(g, " where ");
    truth(g);
    g->in_row = was;
}

static void quant(struct gen *g, const char *head)
{
    say(g, head);
    where(g);
    say(g, ")");
}

static void number(struct gen *g)
{
    if (++g->depth > 7) {
        puan_out_int(&g->o, rnd(40));
        g->depth--;
        return;
    }
    switch (rnd(16)) {
    case 0:
        puan_out_int(&g->o, rnd(100));
        break;
    case 1:
        puan_out_fmt(&g->o, "%u.%u", rnd(30), rnd(10));
        break;
    case 2:
    case 3:
        house_number(g);
        break;
    case 4:
    case 5:
        if (at_person(g))
            say(g, rnd(2) ? "D9" : "age");
        else
            house_number(g);
        break;
    case 6:
        if (at_person(g))
            say(g, "row");
        else
            say(g, "3");
        break;
    case 7:
        say(g, "(");
        number(g);
        say(g, rnd(2) ? " + " : " - ");
        number(g);
        say(g, ")");
        break;
    case 8:
        say(g, "(");
        number(g);
        say(g, rnd(2) ? " / " : " mod ");
        say(g, rnd(2) ? "H7" : "7");
        say(g, ")");
        break;
    case 9:
        say(g, rnd(2) ? "abs(" : "(-");
        number(g);
        say(g, ")");
        break;
    case 10:
        say(g, rnd(2) ? "min(" : "max(");
        number(g);
        say(g, ", ");
        number(g);
        say(g, ")");
        break;
    case 11:
        say(g, "if(");
        truth(g);
        say(g, ", ");
        number(g);
        say(g, ", ");
        number(g);
        say(g, ")");
        break;
    case 12:
        if (at_person(g))
            say(g, rnd(2) ? "id_check(D3)" : "name_length(D1)");
        else
            say(g, "reason(H7)");
        break;
    case 13:
        say(g, "year(");
        month(g);
        say(g, ")");
        break;
    case 14:
        if (rnd(2)) {
            say(g, "at(person.D9, ");
            whole(g);
            say(g, " - 3)");
            break;
        }
        if (at_person(g)) {
            say(g, "number(D2)");
            break;
        }
        say(g, "2");
        break;
    default:
        if (g->in_row) {
            say(g, g->person ? "self.D9" : "H2a");
            break;
        }
        switch (rnd(5)) {
        case 0:
            quant(g, "count(person");
            break;
        case 1:
            quant(g, "sum(person.D9");
            break;
        case 2:
            quant(g, "min(person.age");
            break;
        case 3:
            quant(g, "max(person.D9");
            break;
        default:
            quant(g, "first(person.D9");
            break;
        }
    }
    g->depth--;
}

static void whole(struct gen *g) /* no decimals */
{
    if (at_person(g) && rnd(2))
        say(g, "D9");
    else
        say(g, rnd(2) ? "H2a" : "5");
}

static void month(struct gen *g)
{
    if (++g->depth > 7) {
        say(g, "ref_month");
        say(g, " + month(\"1990-05\") - ref_month");
        g->depth--;
        return;
    }
    switch (rnd(6)) {
    case 0:
        puan_out_fmt(&g->o, "month(\"%u-%02u\")", 1950 + rnd(70), 1 + rnd(12));
        break;
    case 1:
        if (at_person(g)) {
            say(g, "id_month(D3)");
            break;
        } /* fall through */
    case 2:
        if (at_person(g)) {
            say(g, "month(D22)");
            break;
        } /* fall through */
    case 3:
        if (!g->in_row) {
            quant(g, rnd(2) ? "max(person.D5" : "first(person.D5");
            break;
        } /* fall through */
    default:
        if (at_person(g)) {
            say(g, g->in_row && g->person && rnd(2) ? "self.D5" : "D5");
            if (rnd(3) == 0) {
                say(g, " + ");
                whole(g);
            }
        } else {
            say(g, "month(\"2001-01\")");
        }
        break;
    }
    g->depth--;
}

static void compared(struct gen *g, const char *subject)
{
    static const char *const ops[] = { " = ",  " != ", " < ",
                                       " <= ", " > ",  " >= " };

    say(g, subject);
    say(g, ops[rnd(PUAN_COUNT(ops))]);
}

static void leaf(struct gen *g)
{
    static const char *const fns[] = { "given", "missing", "asked", "invalid" };

    switch (rnd(9)) {
    case 0:
        puan_out_fmt(&g->o, "%s(%s)", fns[rnd(4)],
                     at_person(g) ? (rnd(2) ? "D3" : "D9") : "H7");
        break;
    case 1:
        if (at_person(g)) {
            say(g, rnd(2) ? "D2 in {0, 2, 9}" : "D2 not in 0..3");
            break;
        }
        say(g, "H7 in {1, 3..5, 80..90}");
        break;
    case 2:
        if (at_person(g)) {
            compared(g, "D4");
            puan_out_int(&g->o, 1 + rnd(2));
            break;
        }
        say(g, "H1 = 1");
        break;
    case 3:
        say(g, "(");
        month(g);
        compared(g, "");
        month(g);
        say(g, ")");
        break;
    case 4:
        if (at_person(g)) {
            if (g->in_row && g->person && rnd(2))
                say(g,
                    rnd(2) ? "same_id(D3, self.D3)" : "same_text(D1, self.D1)");
            else
                say(g, rnd(2) ? "D7a = AC" : "prefix(D7a, 2) = prefix(AC, 2)");
            break;
        }
        say(g, "known(H6)");
        break;
    case 5:
        say(g, "known(");
        number(g);
        say(g, ")");
        break;
    default:
        say(g, "(");
        number(g);
        compared(g, "");
        number(g);
        say(g, ")");
        break;
    }
}

static void truth(struct gen *g)
{
    if (++g->depth > 6) {
        leaf(g);
        g->depth--;
        return;
    }
    switch (rnd(8)) {
    case 0:
    case 1:
        say(g, "(");
        truth(g);
        say(g, " and ");
        truth(g);
        say(g, ")");
        break;
    case 2:
    case 3:
        say(g, "(");
        truth(g);
        say(g, " or ");
        truth(g);
        say(g, ")");
        break;
    case 4:
        say(g, "not ");
        truth(g);
        break;
    case 5:
        if (!g->in_row) {
            bool was = g->in_row;

            say(g, rnd(2) ? "any(person where " : "all(person where ");
            g->in_row = true;
            truth(g);
            g->in_row = was;
            say(g, ")");
            break;
        } /* fall through */
    default:
        leaf(g);
        break;
    }
    g->depth--;
}

static struct puan_str program(struct puan_arena *a)
{
    struct gen g = { 0 };

    puan_out_init(&g.o, a);
    say(&g, "define age for person = age_at(D5, ref_month)\n"
            "define heads for household = count(person where D2 = 0)\n"
            "define flag for person = any(person where same_id(D3, self.D3) "
            "and row != self.row)\n");
    for (int i = 0; i < 6; i++) {
        g.person = rnd(2);
        puan_out_fmt(&g.o, "rule R%d hard %s zh \"z\" en \"e\"\n", i,
                     g.person ? "person" : "household");
        if (rnd(2)) {
            say(&g, "when ");
            truth(&g);
            say(&g, "\n");
        }
        say(&g, "check ");
        truth(&g);
        if (g.person && rnd(4) == 0)
            say(&g, " and not flag");
        /* a rule must read something */
        say(&g, " and asked(H1)\n");
    }
    return puan_out_view(&g.o);
}

/* ---- random records ---- */

static void cell(struct puan_record *r, const struct puan_item *it, int64_t *v,
                 uint8_t *st, struct puan_str *txt)
{
    static const struct puan_str ids[] = {
        { "11010519491231002X", 18 },
        { "11010519491231002x", 18 },
        { "440524188001010014", 18 },
        { "12345", 5 },
    };
    static const struct puan_str words[] = {
        { "张三", 6 }, { "张 三", 7 }, { "李四", 6 }, { NULL, 0 }
    };
    static const uint8_t st_of[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 3 };

    (void)r;
    *st = st_of[rnd(rnd(3) ? 9 : 12)];
    *v = 0;
    if (*st == PUAN_MISSING)
        *v = rnd(3);
    if (*st != PUAN_GIVEN)
        return;
    switch ((unsigned)it->type) {
    case PUAN_TYPE_CODE:
        *v = it->codes->codes[rnd((uint32_t)it->codes->n)].value;
        break;
    case PUAN_TYPE_MONTH:
        *v = 1930 * 12 + rnd(12 * 90);
        break;
    case PUAN_TYPE_DATE:
        *v = rnd(20000);
        break;
    case PUAN_TYPE_AREA:
        *v = rnd(2) ? 370883 : 370882;
        break;
    case PUAN_TYPE_CITIZEN_ID:
        *txt = ids[rnd(4)];
        break;
    case PUAN_TYPE_NAME:
        *txt = words[rnd(4)];
        break;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_PHONE:
        *txt = words[rnd(4)];
        break;
    default:
        *v = it->max > 1000000 && rnd(4) == 0 ? INT64_MAX - rnd(3) : rnd(12);
        break;
    }
}

static void fill(struct puan_record *r, const struct puan_form *f,
                 struct puan_arena *a)
{
    uint32_t n[PUAN_FORM_ENTITIES] = { 1, rnd(20) ? rnd(6) : 20, rnd(3) };
    struct puan_err err = { 0 };

    assert_int_equal(puan_record_new(r, f, n, a, &err), PUAN_OK);
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        for (uint32_t row = 0; row < r->rows[e].n; row++)
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                size_t at = (size_t)row * ent->n_items + i;

                cell(r, &ent->items[i], &r->rows[e].v[at], &r->rows[e].st[at],
                     &r->rows[e].txt[at]);
            }
    }
    puan_record_facts(r);
}

static uint64_t option(const char *name, uint64_t dflt)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 10) : dflt;
}

static unsigned long seen_fail, seen_hold, seen_doubt, seen_rules;

static void compare(const struct puan_findings *x,
                    const struct puan_findings *y, struct puan_str text,
                    uint64_t seed)
{
    bool same = x->n == y->n && x->evaluated == y->evaluated &&
                x->not_evaluable == y->not_evaluable &&
                x->any_hard == y->any_hard;

    for (size_t i = 0; same && i < x->n; i++)
        same = x->list[i].rule == y->list[i].rule &&
               x->list[i].row == y->list[i].row;
    seen_fail += x->n;
    seen_hold += x->evaluated - x->n;
    seen_doubt += x->not_evaluable;
    if (!same)
        fail_msg("seed %llu: record %zu findings %u/%u, block %zu %u/%u\n%.*s",
                 (unsigned long long)seed, x->n, x->evaluated, x->not_evaluable,
                 y->n, y->evaluated, y->not_evaluable, PUAN_FMT(text));
}

static void executors_agree(void **state)
{
    uint64_t seed = option("PUAN_SEED", 20201101);
    uint64_t rounds = option("PUAN_ROUNDS", 150);
    struct puan_arena forms, a;
    struct puan_form *f;
    static const struct puan_const settings[] = { { { "ref_month", 9 },
                                                    2020 * 12 + 10 } };

    (void)state;
    print_message("seed %llu, %llu rounds\n", (unsigned long long)seed,
                  (unsigned long long)rounds);
    puan_arena_init(&forms, &help_host);
    puan_arena_init(&a, &help_host);
    f = help_form(FORM, &forms);
    for (uint64_t i = 0; i < rounds; i++) {
        struct puan_record rec[RECORDS];
        const struct puan_record *ptr[RECORDS];
        struct puan_findings one, many[RECORDS];
        struct puan_ruleset *rs = NULL;
        struct puan_err err = { 0 };
        struct puan_str text;
        enum puan_status st;

        seed_state = (seed + i) * 0x9e3779b97f4a7c15u + 1;
        puan_arena_reset(&a);
        text = program(&a);
        st =
            puan_ruleset_compile(&rs, f, settings, 1, &text, NULL, 1, &a, &err);
        if (st != PUAN_OK) {
            /* decimals beyond 9 and constants without a value are refused */
            if (!strstr(err.text, "decimals") &&
                !strstr(err.text, "nested too deeply") &&
                !strstr(err.text, "constant") &&
                !strstr(err.text, "division by zero"))
                fail_msg("seed %llu: %u:%u %s\n%.*s",
                         (unsigned long long)(seed + i), err.line, err.col,
                         err.text, PUAN_FMT(text));
            continue;
        }
        seen_rules += puan_ruleset_count(rs);
        for (int k = 0; k < RECORDS; k++) {
            fill(&rec[k], f, &a);
            ptr[k] = &rec[k];
        }
        assert_int_equal(
            puan_ruleset_run_block(many, rs, ptr, RECORDS, &a, &err), PUAN_OK);
        for (int k = 0; k < RECORDS; k++) {
            assert_int_equal(puan_ruleset_run(&one, rs, &rec[k], &a, &err),
                             PUAN_OK);
            compare(&one, &many[k], text, seed + i);
        }
    }
    print_message("%lu rules: %lu fail, %lu hold, %lu not evaluable\n",
                  seen_rules, seen_fail, seen_hold, seen_doubt);
    /* the test would be empty if one outcome did not occur */
    assert_true(seen_rules > rounds && seen_fail > 1000 * rounds / 150 &&
                seen_hold > 1000 * rounds / 150 &&
                seen_doubt > 100 * rounds / 150);
    puan_arena_clear(&a);
    puan_arena_clear(&forms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executors_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
