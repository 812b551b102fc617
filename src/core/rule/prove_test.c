/*
 * What is proved of a set of rules: the cases a person would name, and, for
 * random rules over a form small enough to try every return, exactly what
 * trying every return shows.  PUAN_SEED and PUAN_ROUNDS choose others.
 */
#include "core/rule/test_help.h"

#include "base/out.h"
#include "core/rule/prove.h"

static struct puan_arena arena;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

static const char small_form[] =
    "{\"form\":\"small\",\"version\":1,\"zh\":\"小\",\"en\":\"small\","
    "\"codes\":{\"three\":{\"1\":{\"zh\":\"一\",\"en\":\"one\"},"
    "\"2\":{\"zh\":\"二\",\"en\":\"two\"},\"3\":{\"zh\":\"三\",\"en\":"
    "\"three\"}},\"two\":{\"1\":{\"zh\":\"一\",\"en\":\"one\"},"
    "\"2\":{\"zh\":\"二\",\"en\":\"two\"}}},"
    "\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"household\","
    "\"items\":{"
    "\"A\":{\"type\":\"code\",\"codes\":\"three\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"B\":{\"type\":\"code\",\"codes\":\"three\",\"zh\":\"b\",\"en\":\"b\"},"
    "\"C\":{\"type\":\"code\",\"codes\":\"two\",\"zh\":\"c\",\"en\":\"c\","
    "\"asked_if\":\"A = 1\"},"
    "\"N\":{\"type\":\"int\",\"min\":0,\"max\":3,\"zh\":\"n\",\"en\":\"n\"}}},"
    "\"person\":{\"zh\":\"人\",\"en\":\"person\",\"rows\":20,\"items\":{"
    "\"S\":{\"type\":\"code\",\"codes\":\"two\",\"zh\":\"s\",\"en\":\"s\"},"
    "\"M\":{\"type\":\"month\",\"min\":\"1880-01\",\"max\":\"2020-12\","
    "\"zh\":\"m\",\"en\":\"m\"}}}}}";

static const struct puan_const settings[] = {
    { { "ref_month", 9 }, 2020 * 12 + 10 },
};

static struct puan_form *form(struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_form *f = NULL;

    if (puan_json_tree(&tree, puan_str_of(small_form), "small", a, &err) !=
            PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, a, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return f;
}

static struct puan_rule_proofs prove(const char *text)
{
    static const char *const file[] = { "t.rules" };
    struct puan_str s = puan_str_of(text);
    struct puan_rule_proofs p;
    struct puan_err err = { 0 };

    if (puan_rules_prove(&p, form(&arena), settings, 1, &s, file, 1, NULL,
                         &arena, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return p;
}

static bool has(const struct puan_rule_proofs *p, enum puan_rule_proof_kind k,
                const char *first, const char *second)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].kind == k && puan_str_is(p->list[i].core[0], first) &&
            (!second || (p->list[i].n_core == 2 &&
                         puan_str_is(p->list[i].core[1], second))))
            return true;
    return false;
}

#define RULE(id, severity, level, body)                                        \
    "rule " id " " severity " " level " zh \"x\" en \"x\" " body "\n"

static void rules_that_find_nothing(void **state)
{
    struct puan_rule_proofs p =
        prove(RULE("R1", "hard", "household", "fail when A = 1 and A = 2")
              RULE("R2", "hard", "household", "when N > 3 check A = 1")
              RULE("R3", "soft", "household", "when A = 1 check N in 0..3")
              RULE("R4", "soft", "household", "when A = 1 check N in 0..2")
              RULE("R5", "hard", "household", "fail when missing(A) and A = 1")
              RULE("R6", "soft", "person",
                   "fail when age_at(M, ref_month) > 140"));

    (void)state;
    assert_true(has(&p, PUAN_PROOF_NEVER, "R1", NULL));
    assert_true(has(&p, PUAN_PROOF_NEVER, "R2", NULL));
    assert_true(has(&p, PUAN_PROOF_NEVER, "R3", NULL));
    assert_false(has(&p, PUAN_PROOF_NEVER, "R4", NULL));
    assert_true(has(&p, PUAN_PROOF_NEVER, "R5", NULL));
    assert_true(has(&p, PUAN_PROOF_NEVER, "R6", NULL)); /* 1880 to 2020 */
    assert_non_null(strstr(p.list[1].text, "'when'"));
    assert_int_equal(p.undecided, 0);
}

static void rules_another_covers(void **state)
{
    struct puan_rule_proofs p =
        prove(RULE("R1", "hard", "person", "fail when age_at(M, ref_month) "
                                           "< 15 and S = 1")
              RULE("R2", "hard", "person", "fail when age_at(M, ref_month) < "
                                           "12 and S = 1")
              RULE("R3", "soft", "person", "check M < ref_month - 12 * 9")
              RULE("R4", "hard", "household", "check A != 2")
              RULE("R5", "hard", "household", "fail when A in {2}"));

    (void)state;
    assert_true(has(&p, PUAN_PROOF_COVERED, "R2", "R1"));
    assert_false(has(&p, PUAN_PROOF_COVERED, "R1", NULL));
    assert_false(has(&p, PUAN_PROOF_COVERED, "R3", NULL));
    /* the same twice is told of the later one, once */
    assert_true(has(&p, PUAN_PROOF_COVERED, "R5", "R4"));
    assert_false(has(&p, PUAN_PROOF_COVERED, "R4", NULL));
}

static void rules_that_contradict_each_other(void **state)
{
    struct puan_err err = { 0 };
    struct puan_rule_proofs p =
        prove(RULE("R1", "hard", "household", "when B = 2 check A = 1")
              RULE("R2", "hard", "household", "when B = 2 check A = 3"));

    (void)state;
    assert_true(has(&p, PUAN_PROOF_CONFLICT, "R1", "R2"));
    assert_int_equal(puan_rule_proofs_refuse(&p, &err), PUAN_EINVAL);
    assert_string_equal(err.where, "t.rules");
    assert_int_equal(err.line, 1);
    assert_non_null(strstr(err.text, "B = 2"));
    assert_non_null(strstr(err.text, "R2 (t.rules:2)"));

    /* through routing: what C needs is not there when it is asked */
    p = prove(RULE("R1", "hard", "household", "when A = 1 check C = 1")
              RULE("R2", "hard", "household", "when A = 1 check C != 1"));
    assert_true(has(&p, PUAN_PROOF_CONFLICT, "R1", "R2"));

    /* ages: below 15 nothing is wrong, from 15 on nothing is right */
    p = prove(RULE("R1", "hard", "person",
                   "when age_at(M, ref_month) >= 15 check S = 1")
              RULE("R2", "hard", "person",
                   "when age_at(M, ref_month) >= 15 check S = 2"));
    assert_true(has(&p, PUAN_PROOF_CONFLICT, "R1", "R2"));

    /* counted rows are one thing to both */
    p = prove(RULE("R1", "hard", "household", "when A = 1 check "
                                              "count(person where S = 1) = 1")
              RULE("R2", "hard", "household", "when A = 1 check "
                                              "count(person where S = 1) = 2"));
    assert_true(has(&p, PUAN_PROOF_CONFLICT, "R1", "R2"));
}

static void sets_that_nothing_passes(void **state)
{
    struct puan_rule_proofs p =
        prove(RULE("R1", "hard", "household", "check A = 1")
              RULE("R2", "hard", "household", "check A = 2"));

    (void)state;
    assert_true(has(&p, PUAN_PROOF_NO_RETURN, "R1", "R2"));
    p = prove(RULE("R1", "hard", "household", "check number(A) + number(B) > 7"));
    assert_true(has(&p, PUAN_PROOF_NO_RETURN, "R1", NULL));
}

static void rules_that_do_not_contradict(void **state)
{
    /* limits by kind are no contradiction, nor are soft rules, nor one that
       may be overridden */
    struct puan_rule_proofs p =
        prove(RULE("R1", "hard", "household", "when C = 1 check N > 0")
              RULE("R2", "hard", "household", "when C = 2 check N > 1")
              RULE("R3", "soft", "household", "when B = 2 check A = 1")
              RULE("R4", "soft", "household", "when B = 2 check A = 3")
              RULE("R5", "hard", "household override", "check B = 3")
              RULE("R6", "hard", "household", "check given(A)"));
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_rule_proofs_refuse(&p, &err), PUAN_OK);
    for (size_t i = 0; i < p.n; i++)
        assert_true(p.list[i].kind == PUAN_PROOF_COVERED);
    /* one rule alone that forbids a code is told, and is no contradiction */
    p = prove(RULE("R1", "hard", "household", "check A != 2"));
    assert_int_equal(p.n, 1);
    assert_int_equal(p.list[0].kind, PUAN_PROOF_EXCLUDED);
}

/* ---- against every return there is ---- */

static uint64_t seed_state;

static uint32_t rnd(uint32_t n)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (uint32_t)((seed_state >> 20) % n);
}

#define ITEMS 4
#define RULES 5
static const int64_t most[ITEMS] = { 3, 3, 2, 3 }; /* from 1, N from 0 */

static void condition(struct puan_out *o, int depth)
{
    static const char *const item[] = { "A", "B", "C", "N" };
    static const char *const state[] = { "given", "missing", "asked",
                                         "invalid" };
    static const char *const sign[] = { "=", "!=", "<", ">=" };
    uint32_t i = rnd(ITEMS), k = rnd(depth > 3 ? 5 : 10);

    switch (k) {
    case 0:
        puan_out_fmt(o, "%s(%s)", state[rnd(4)], item[i]);
        break;
    case 1:
        puan_out_fmt(o, "number(%s) + N %s %u", item[i], sign[rnd(4)], rnd(6));
        break;
    case 2:
        puan_out_fmt(o, "%s in {1, 2}", item[i]);
        break;
    case 3:
    case 4:
        puan_out_fmt(o, "%s %s %u", item[i], sign[rnd(4)],
                     1 + rnd((uint32_t)most[i]));
        break;
    case 5:
        puan_out_text(o, "not (");
        condition(o, depth + 1);
        puan_out_text(o, ")");
        break;
    case 6:
        puan_out_text(o, "if(");
        condition(o, depth + 2);
        puan_out_text(o, ", ");
        condition(o, depth + 2);
        puan_out_text(o, ", ");
        condition(o, depth + 2);
        puan_out_text(o, ")");
        break;
    default:
        puan_out_text(o, "(");
        condition(o, depth + 1);
        puan_out_text(o, k == 7 ? " and " : " or ");
        condition(o, depth + 1);
        puan_out_text(o, ")");
    }
}

/* What every return shows. */
struct shown {
    bool fires[RULES];          /* for some return */
    bool alone[RULES][RULES];   /* a fires where b does not */
    bool passes;                /* some complete return passes */
    bool reached[ITEMS][4], passed[ITEMS][4]; /* by a complete return */
};

static void every_return(struct shown *s, const struct puan_ruleset *rs,
                         const struct puan_form *f, const bool *binds,
                         struct puan_arena *a)
{
    const uint32_t rows[] = { 1, 0 };
    uint32_t place[ITEMS] = { 0 };
    struct puan_record r;
    int i;

    memset(s, 0, sizeof(*s));
    assert_int_equal(puan_record_new(&r, f, rows, a, NULL), PUAN_OK);
    do {
        struct puan_findings found;
        bool hit[RULES] = { 0 }, complete = true, ok = true, asked;

        for (i = 0; i < ITEMS; i++) {
            static const uint8_t state[] = { PUAN_NOT_ASKED, PUAN_MISSING,
                                             PUAN_INVALID };
            uint32_t n = (uint32_t)most[i] + (i == 3);

            r.rows[0].v[i] = place[i] < n ? place[i] + (i != 3) : 0;
            r.rows[0].st[i] =
                place[i] < n ? PUAN_GIVEN : state[place[i] - n];
        }
        assert_int_equal(puan_ruleset_run(&found, rs, &r, a, NULL), PUAN_OK);
        for (size_t k = 0; k < found.n; k++)
            hit[found.list[k].rule] = true;
        asked = r.rows[0].st[0] == PUAN_GIVEN && r.rows[0].v[0] == 1;
        for (i = 0; i < ITEMS; i++)
            complete = complete &&
                       r.rows[0].st[i] ==
                           (i == 2 && !asked ? PUAN_NOT_ASKED : PUAN_GIVEN);
        for (int k = 0; k < RULES; k++) {
            s->fires[k] |= hit[k];
            ok = ok && !(hit[k] && binds[k]);
            for (int j = 0; j < RULES; j++)
                s->alone[k][j] |= hit[k] && !hit[j];
        }
        s->passes |= complete && ok;
        for (i = 0; complete && i < ITEMS; i++)
            if (r.rows[0].st[i] == PUAN_GIVEN) {
                s->reached[i][place[i]] = true;
                s->passed[i][place[i]] |= ok;
            }
        for (i = 0; i < ITEMS; i++) {
            if (++place[i] < (uint32_t)most[i] + (i == 3) + 3)
                break;
            place[i] = 0;
        }
    } while (i < ITEMS);
}

static int rule_at(struct puan_str id)
{
    return id.p[1] - '0';
}

static void compare(const struct shown *s, const struct puan_rule_proofs *p,
                    const bool *hard, const char *text)
{
    bool never[RULES] = { 0 }, cover[RULES] = { 0 }, none = false;
    unsigned dead = 0, told = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct puan_rule_proof *q = &p->list[i];
        int r = rule_at(q->core[0]);

        if (q->kind == PUAN_PROOF_NEVER)
            never[r] = true;
        if (q->kind == PUAN_PROOF_COVERED) {
            cover[r] = true;
            if (s->alone[r][rule_at(q->core[1])])
                fail_msg("%s is not covered by %s:\n%s", q->core[0].p,
                         q->core[1].p, text);
        }
        none = none || q->kind == PUAN_PROOF_NO_RETURN;
        told += q->kind == PUAN_PROOF_EXCLUDED ||
                q->kind == PUAN_PROOF_CONFLICT;
    }
    for (int r = 0; r < RULES; r++) {
        bool covered = false;

        if (never[r] == s->fires[r])
            fail_msg("R%d %s:\n%s", r,
                     s->fires[r] ? "does find something" : "finds nothing",
                     text);
        for (int k = 0; k < RULES; k++)
            covered = covered || (k != r && s->fires[k] &&
                                  !s->alone[r][k] && (hard[k] || !hard[r]) &&
                                  (s->alone[k][r] || hard[k] != hard[r] ||
                                   k < r));
        if (s->fires[r] && covered && !cover[r])
            fail_msg("R%d is covered:\n%s", r, text);
    }
    if (none == s->passes)
        fail_msg("%s return passes:\n%s", s->passes ? "a" : "no", text);
    for (int i = 0; i < ITEMS - 1; i++)
        for (int v = 0; v < most[i]; v++)
            dead += s->reached[i][v] && !s->passed[i][v];
    if (!none && dead > 0 && told == 0)
        fail_msg("%u answers are excluded:\n%s", dead, text);
    if (!none && dead == 0 && told > 0) {
        /* numbers may be in conflict, codes may not */
        for (int v = 0; v < 4; v++)
            dead += s->reached[3][v] && !s->passed[3][v];
        if (dead == 0)
            fail_msg("no answer is excluded:\n%s", text);
    }
}

static void one_round(struct puan_arena *a)
{
    static const char *const file[] = { "t.rules" };
    const struct puan_prove_limits all = { .nodes = 1u << 30 };
    struct puan_form *f = form(a);
    struct puan_rule_proofs proofs;
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };
    struct puan_out o;
    struct puan_str text;
    struct shown s;
    bool hard[RULES];

    puan_out_init(&o, a);
    for (int r = 0; r < RULES; r++) {
        hard[r] = rnd(3) > 0;
        puan_out_fmt(&o, "rule R%d %s household zh \"x\" en \"x\" ", r,
                     hard[r] ? "hard" : "soft");
        if (rnd(2)) {
            puan_out_text(&o, "when ");
            condition(&o, 0);
        }
        puan_out_text(&o, rnd(2) ? " check " : " fail when ");
        condition(&o, 0);
        puan_out_text(&o, "\n");
    }
    text = puan_out_view(&o);
    if (puan_ruleset_compile(&rs, f, settings, 1, &text, file, 1, a, &err) !=
        PUAN_OK)
        fail_msg("%u:%u: %s\n%s", err.line, err.col, err.text, text.p);
    assert_int_equal(puan_rules_prove(&proofs, f, settings, 1, &text, file, 1,
                                      &all, a, &err),
                     PUAN_OK);
    assert_int_equal(proofs.undecided, 0);
    assert_int_equal(proofs.free_tests, 0);
    every_return(&s, rs, f, hard, a);
    compare(&s, &proofs, hard, puan_arena_dup(a, text));
}

static void what_every_return_shows(void **state)
{
    const char *given = getenv("PUAN_SEED"), *rounds = getenv("PUAN_ROUNDS");
    unsigned long n = rounds ? strtoul(rounds, NULL, 10) : 150;
    struct puan_arena a;

    (void)state;
    seed_state = given ? strtoull(given, NULL, 10) : 20201101;
    print_message("PUAN_SEED=%llu\n", (unsigned long long)seed_state);
    puan_arena_init(&a, &puan_test_heap);
    for (unsigned long i = 0; i < n; i++) {
        one_round(&a);
        puan_arena_reset(&a);
    }
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_that_find_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rules_another_covers, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_that_contradict_each_other,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(sets_that_nothing_passes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rules_that_do_not_contradict, setup,
                                        teardown),
        cmocka_unit_test(what_every_return_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
