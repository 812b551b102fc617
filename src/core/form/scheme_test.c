/*
 * Numbers with check characters, as a form describes them.  Expected results:
 * the worked examples of GB 32100-2015 (91350100M000100Y43), GB 11714-1997
 * (D2143569-X) and GB 11643-1999 (11010519491231002X, 440524188001010014);
 * other numbers are made by hand from the same rules.
 */
#include "core/form/scheme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/form/record.h"

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

#define CREDIT                                                                 \
    "\"credit\":{\"length\":18,\"alphabet\":"                                  \
    "\"0123456789ABCDEFGHJKLMNPQRTUWXY\",\"checks\":["                         \
    "{\"at\":18,\"from\":1,\"length\":17,\"modulus\":31,\"weights\":"          \
    "[1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28]},\n"                     \
    "{\"at\":17,\"from\":9,\"length\":8,\"modulus\":11,\"alphabet\":"          \
    "\"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ\",\"marks\":\"0123456789X\","      \
    "\"weights\":[3,7,9,10,5,8,4,2]}],\"parts\":{"                             \
    "\"department\":{\"from\":1,\"length\":1,\"zh\":\"a\",\"en\":\"a\"},"      \
    "\"kind\":{\"from\":1,\"length\":2,\"codes\":\"kinds\",\"zh\":\"a\","      \
    "\"en\":\"a\"},"                                                           \
    "\"region\":{\"from\":3,\"length\":6,\"digits\":true,\"zh\":\"a\","        \
    "\"en\":\"a\"}}}"

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"t\",\"en\":\"t\",\"codes\":{"
    "\"kinds\":{\"91\":{\"zh\":\"a\",\"en\":\"a\"},\"Y1\":{\"value\":3,"
    "\"zh\":\"a\",\"en\":\"a\"}},"
    "\"acts\":{\"30\":{\"zh\":\"水泥|水泥制品\",\"en\":\"cement\"},"
    "\"51\":{\"zh\":\"批发\",\"en\":\"trade | wholesale trade\"}}},\n"
    "\"schemes\":{" CREDIT ","
    "\"organ\":{\"length\":9,\"alphabet\":"
    "\"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ\",\"checks\":[{\"at\":9,"
    "\"from\":1,\"length\":8,\"modulus\":11,\"marks\":\"0123456789X\","
    "\"weights\":[3,7,9,10,5,8,4,2]}]},"
    /* "10X98765432" by S mod 11 is this by (11 - S) mod 11 */
    "\"person\":{\"length\":18,\"alphabet\":\"0123456789\",\"checks\":["
    "{\"at\":18,\"from\":1,\"length\":17,\"modulus\":11,\"marks\":"
    "\"123456789X0\",\"weights\":[7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2]}]}},\n"
    "\"entities\":{\"unit\":{\"zh\":\"u\",\"en\":\"u\",\"items\":{"
    "\"A\":{\"type\":\"text\",\"zone\":\"vault\",\"scheme\":\"credit\","
    "\"zh\":\"a\",\"en\":\"a\"},"
    "\"B\":{\"type\":\"text\",\"scheme\":\"organ\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"C\":{\"type\":\"text\",\"words\":\"acts\",\"zh\":\"a\",\"en\":\"a\"},"
    "\"D\":{\"type\":\"text\",\"scheme\":\"person\",\"zh\":\"a\","
    "\"en\":\"a\"}}}}}";

static enum puan_status load(struct puan_form **f, const char *text,
                             struct puan_err *err)
{
    struct puan_node *tree;

    assert_int_equal(
        puan_json_tree(&tree, puan_str_of(text), "t.yaml", &arena, err),
        PUAN_OK);
    return puan_form_load(f, tree, NULL, NULL, &arena, err);
}

static const struct puan_form *form(void)
{
    static struct puan_form *f;
    struct puan_err err = { 0 };

    if (load(&f, FORM, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    return f;
}

static int64_t check_of(const char *item, const char *number)
{
    const struct puan_entity *e = &form()->entity[0];

    return puan_scheme_verdict(
        e->items[puan_entity_item(e, puan_str_of(item))].scheme,
        puan_str_of(number));
}

static void credit_codes(void **state)
{
    (void)state;
    assert_int_equal(check_of("A", "91350100M000100Y43"), 0);
    assert_int_equal(check_of("A", " 91350100m000100y43 "), 0);
    assert_int_equal(check_of("A", "９１３５０１００Ｍ０００１００Ｙ４３"), 0);
    assert_int_equal(check_of("A", "913708830000000192"), 0);
    assert_int_equal(check_of("A", "92350402000000027J"), 0);
    assert_int_equal(check_of("A", "11430407000000035F"), 0);
    assert_int_equal(check_of("A", "524304070000000433"), 0);
    assert_int_equal(check_of("A", "9345010200000006XY"), 0);
    assert_int_equal(check_of("A", "121100000000000A24"), 0);
    assert_int_equal(check_of("A", "91350100M000100Y44"), 3);
    assert_int_equal(check_of("A", "91350100M000100Y4"), 1);
    assert_int_equal(check_of("A", ""), 1);
    assert_int_equal(check_of("A", "9135O100M000100Y43"), 2); /* O for 0 */
    assert_int_equal(check_of("A", "91350100M000100I43"), 2);
    /* the inner check is looked at when the outer one holds */
    assert_int_equal(check_of("A", "91350100M000100Y31"), 3);
    assert_int_equal(check_of("A", "91350100M000100Y3X"), 3);
}

static void every_wrong_character_of_the_outer_check_is_found(void **state)
{
    static const char good[] = "91350100M000100Y43",
                      alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    int inner = 0;

    (void)state;
    for (size_t i = 0; i < 18; i++)
        for (const char *c = alphabet; *c; c++) {
            char bad[19];

            memcpy(bad, good, sizeof(bad));
            bad[i] = *c;
            assert_int_equal(check_of("A", bad), *c == good[i] ? 0 : 3);
        }
    /* with its outer check made good again, the inner one speaks */
    for (const char *c = alphabet; *c; c++) {
        char bad[] = "91350100M000100Y50";

        bad[17] = *c;
        inner += check_of("A", bad) == 4;
    }
    assert_int_equal(inner, 1);
}

static void organisation_codes(void **state)
{
    (void)state;
    assert_int_equal(check_of("B", "D2143569-X"), 0);
    assert_int_equal(check_of("B", "D2143569X"), 0);
    assert_int_equal(check_of("B", "D2143569-0"), 3);
    assert_int_equal(check_of("B", "D2143569"), 1);
}

/* The same description serves other numbers: citizen IDs of GB 11643. */
static void citizen_ids(void **state)
{
    (void)state;
    assert_int_equal(check_of("D", "11010519491231002X"), 0);
    assert_int_equal(check_of("D", "440524188001010014"), 0);
    assert_int_equal(check_of("D", "440524188001010015"), 3);
}

static void facts_stand_beside_the_answers(void **state)
{
    const struct puan_form *f = form();
    const struct puan_entity *e = &f->entity[0];
    struct puan_err err = { 0 };
    struct puan_record r;
    uint32_t n[1] = { 1 };
    int check = puan_entity_item(e, PUAN_STR("A.number_check"));
    int dept = puan_entity_item(e, PUAN_STR("A.department"));
    int kind = puan_entity_item(e, PUAN_STR("A.kind"));
    int region = puan_entity_item(e, PUAN_STR("A.region"));
    int word = puan_entity_item(e, PUAN_STR("C.word"));

    (void)state;
    assert_int_equal(e->n_asked, 4);
    assert_int_equal(e->n_items, 4 + 4 + 1 + 1 + 1);
    assert_int_equal(puan_record_new(&r, f, n, &arena, &err), PUAN_OK);
    puan_record_set(&r, 0, 0, 0, PUAN_STR("Y1350100M000100Y44"));
    puan_record_set(&r, 0, 0, 2, PUAN_STR("水泥制品批发"));
    puan_record_facts(&r);
    assert_int_equal(r.rows[0].v[check], 3);
    assert_int_equal(r.rows[0].v[dept], 30);
    assert_int_equal(r.rows[0].v[kind], 3);
    assert_int_equal(r.rows[0].v[region], 350100);
    assert_int_equal(r.rows[0].v[word], 51);
    puan_record_set(&r, 0, 0, 0, PUAN_STR("9A35010XM000100Y44"));
    puan_record_set(&r, 0, 0, 2, PUAN_STR("石灰"));
    puan_record_facts(&r);
    assert_int_equal(r.rows[0].st[kind], PUAN_INVALID);
    assert_int_equal(r.rows[0].st[region], PUAN_INVALID);
    assert_int_equal(r.rows[0].st[check], PUAN_GIVEN);
    assert_int_equal(r.rows[0].v[word], 0);
    puan_record_set(&r, 0, 0, 0, PUAN_STR(""));
    puan_record_facts(&r);
    assert_int_equal(r.rows[0].st[check], PUAN_MISSING);
}

/* A digest for the test: the sum of all bytes and their number. */
static void sum_of(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                   const struct puan_str *part, size_t n)
{
    uint32_t sum = 0;

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < part[i].n; k++)
            sum = sum * 31 + (uint8_t)part[i].p[k];
    memset(out, 0, PUAN_DIGEST_SIZE);
    memcpy(out, &sum, sizeof(sum));
}

/* The digest of a form whose first `from` is `to`. */
static void digest_with(uint8_t out[PUAN_DIGEST_SIZE], const char *lists_from,
                        const char *lists_to)
{
    static const char lists[] =
        "{\"kinds\":{\"91\":{\"zh\":\"a\",\"en\":\"a\"}},"
        "\"acts\":{\"30\":{\"zh\":\"c\",\"en\":\"d\"}}}";
    static const char form_text[] =
        "{\"form\":\"t\",\"zh\":\"t\",\"en\":\"t\",\"entities\":{"
        "\"u\":{\"zh\":\"u\",\"en\":\"u\",\"items\":{"
        "\"K\":{\"type\":\"code\",\"codes\":\"kinds\",\"zh\":\"k\","
        "\"en\":\"k\"},"
        "\"C\":{\"type\":\"text\",\"words\":\"acts\",\"zh\":\"c\","
        "\"en\":\"c\"}}}}}";
    const struct puan_digest_fn fn = { .name = "sum", .hash = sum_of };
    const char *at = strstr(lists, lists_from);
    struct puan_node *tree, *shared;
    struct puan_err err = { 0 };
    struct puan_form *f;

    assert_non_null(at);
    assert_int_equal(puan_json_tree(&tree, puan_str_of(form_text), "t", &arena,
                                    &err),
                     PUAN_OK);
    assert_int_equal(
        puan_json_tree(&shared,
                       puan_str_of(puan_arena_fmt(&arena, "%.*s%s%s",
                                                  (int)(at - lists), lists,
                                                  lists_to,
                                                  at + strlen(lists_from))),
                       "l", &arena, &err),
        PUAN_OK);
    assert_int_equal(puan_form_load(&f, tree, shared, &fn, &arena, &err),
                     PUAN_OK);
    memcpy(out, f->digest, PUAN_DIGEST_SIZE);
}

/* What is looked for makes facts; how a code is called does not. */
static void words_are_part_of_the_digest(void **state)
{
    uint8_t as_is[PUAN_DIGEST_SIZE], word[PUAN_DIGEST_SIZE],
        label[PUAN_DIGEST_SIZE];

    (void)state;
    digest_with(as_is, "\"kinds\"", "\"kinds\"");
    digest_with(word, "\"zh\":\"c\"", "\"zh\":\"e\"");
    digest_with(label, "\"zh\":\"a\"", "\"zh\":\"b\"");
    assert_memory_equal(as_is, label, sizeof(as_is));
    assert_memory_not_equal(as_is, word, sizeof(as_is));
}

static int64_t word_of(const char *text)
{
    const struct puan_entity *e = &form()->entity[0];

    return puan_words_find(e->items[2].words, puan_str_of(text));
}

static void the_word_that_ends_last_decides(void **state)
{
    (void)state;
    assert_int_equal(word_of("水泥批发"), 51);
    assert_int_equal(word_of("批发水泥"), 30);
    assert_int_equal(word_of("Cement TRADE"), 51);
    assert_int_equal(word_of("trade in cement"), 30);
    assert_int_equal(word_of("水"), 0);
    assert_int_equal(word_of(""), 0);
}

/* FORM with one piece replaced gives exactly this failure. */
static void fault(const char *from, const char *to, const char *text)
{
    const char *at = strstr(FORM, from);
    struct puan_err err = { 0 };
    struct puan_form *f;

    assert_non_null(at);
    assert_int_equal(load(&f,
                          puan_arena_fmt(&arena, "%.*s%s%s", (int)(at - FORM),
                                         FORM, to, at + strlen(from)),
                          &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text, text);
}

static void a_faulty_scheme_is_refused(void **state)
{
    (void)state;
    fault("\"scheme\":\"organ\"", "\"scheme\":\"organs\"",
          "no scheme 'organs', describe it under 'schemes:' of the form");
    fault("[1,3,9,", "[1,3,",
          "'weights' must be a list of 17 numbers, one a character");
    fault("\"at\":18", "\"at\":19", "'at' must lie between 1 and 18");
    fault("\"modulus\":31", "\"modulus\":32",
          "'modulus' must lie between 2 and 31");
    fault("\"0123456789ABCDEFGHJ", "\"0123456789AACDEFGHJ",
          "'alphabet' holds 'A' twice");
    fault("\"0123456789ABCDEFGHJ", "\"0123456789aBCDEFGHJ",
          "'alphabet' holds digits and capital letters only");
    fault("\"from\":3,\"length\":6", "\"from\":14,\"length\":6",
          "'length' must lie between 1 and 5");
    fault("\"codes\":\"kinds\",", "\"codes\":\"kind\",",
          "no code list 'kind', define it under 'codes:' here or in codes/");
    fault("\"department\":", "\"word\":", "a part cannot be called 'word'");
    fault("\"type\":\"text\",\"words\"", "\"type\":\"int\",\"words\"",
          "'words' stands with type text or name, and only there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(credit_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(
            every_wrong_character_of_the_outer_check_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(organisation_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(citizen_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(facts_stand_beside_the_answers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_word_that_ends_last_decides, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(words_are_part_of_the_digest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_faulty_scheme_is_refused, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("scheme", tests, NULL, NULL);
}
