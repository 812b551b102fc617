/*
 * Form definitions, documents, facts and the canonical encoding.
 */
#include "core/form/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/test_heap.h"

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

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"表\",\"en\":\"Form\",\"reasons\":\"why\",\n"
    "\"test_words\":[\"test\"],\n"
    "\"codes\":{\"why\":{\"refused\":{\"value\":1,\"zh\":\"拒绝\",\"en\":"
    "\"refused\"}},\n"
    " \"sex\":{\"1\":{\"zh\":\"男\",\"en\":\"male\"},\"2\":{\"zh\":\"女\","
    "\"en\":\"female\"}},\n"
    " \"nat\":{\"01\":{\"zh\":\"汉\",\"en\":\"Han\"},\"97\":{\"zh\":\"其他\","
    "\"en\":\"other\"}}},\n"
    "\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"household\",\"items\":"
    "{\n"
    " \"A9\":{\"type\":\"int\",\"from\":\"key\",\"key_digits\":3,\"zh\":"
    "\"户编号\",\"en\":\"number\"},\n"
    " \"H6\":{\"type\":\"int\",\"min\":1,\"zh\":\"面积\",\"en\":\"space\"},\n"
    " \"HP\":{\"type\":\"phone\",\"zh\":\"电话\",\"en\":\"phone\"},"
    "\"A3\":{\"type\":\"area\",\"digits\":6,\"from\":\"key\",\"zh\":\"县\","
    "\"en\":\"county\"},"
    "\"PM\":{\"type\":\"code\",\"from\":\"mode\",\"zh\":\"方式\",\"en\":"
    "\"mode\",\"codes\":"
    "{\"enumerator\":{\"value\":1,\"zh\":\"员\",\"en\":\"e\"}}},"
    "\"PT\":{\"type\":\"int\",\"from\":\"seconds\",\"zh\":\"秒\",\"en\":\"s\"},"
    "\"PB\":{\"type\":\"int\",\"from\":\"start\",\"zh\":\"分\",\"en\":\"m\"}}},"
    "\n"
    "\"person\":{\"rows\":3,\"zh\":\"人\",\"en\":\"person\",\"items\":{\n"
    " \"C1\":{\"type\":\"name\",\"alias\":\"D1\",\"zh\":\"姓名\",\"en\":"
    "\"name\"},\n"
    " \"D3\":{\"type\":\"citizen-id\",\"zh\":\"号\",\"en\":\"ID\"},\n"
    " \"D4\":{\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"性别\",\"en\":"
    "\"sex\"},\n"
    " \"D5\":{\"type\":\"month\",\"zh\":\"出生\",\"en\":\"born\"},\n"
    " \"D6\":{\"type\":\"code\",\"codes\":\"nat\",\"zh\":\"民族\",\"en\":"
    "\"group\"},\n"
    " \"D7a\":{\"type\":\"area\",\"digits\":6,\"zh\":\"县\",\"en\":\"county\"},"
    "\n"
    " \"X1\":{\"type\":\"decimal\",\"places\":1,\"zh\":\"数\",\"en\":"
    "\"number\"},\n"
    " \"X2\":{\"type\":\"text\",\"zh\":\"文\",\"en\":\"text\"},\n"
    " \"X3\":{\"type\":\"point\",\"zh\":\"位置\",\"en\":\"place\"},\n"
    " \"X4\":{\"type\":\"date\",\"zh\":\"日\",\"en\":\"day\"}}}}}";

static struct puan_form *form(void)
{
    struct puan_node *tree;
    struct puan_form *f = NULL;
    struct puan_err err = { 0 };

    assert_int_equal(
        puan_json_tree(&tree, puan_str_of(FORM), "t.yaml", &arena, &err),
        PUAN_OK);
    if (puan_form_load(&f, tree, NULL, NULL, &arena, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    f->reference_month = 2020 * 12 + 10;
    f->ordinal = 7;
    f->offset_minutes = 480;
    return f;
}

static int item(const struct puan_form *f, int e, const char *name)
{
    return puan_entity_item(&f->entity[e], puan_str_of(name));
}

static void a_form_knows_its_items_and_facts(void **state)
{
    const struct puan_form *f = form();
    const struct puan_entity *p = &f->entity[1];
    int i;

    (void)state;
    assert_int_equal(f->n_entities, 2);
    assert_int_equal(f->entity[0].n_asked, 7);
    assert_int_equal(f->entity[0].n_items, 8);
    assert_int_equal(p->n_asked, 10);
    assert_int_equal(p->n_items, 16);
    assert_int_equal(item(f, 1, "C1"), 0);
    assert_int_equal(item(f, 1, "D1"), 0);
    assert_int_equal(item(f, 1, "D2"), -1);
    assert_int_equal(item(f, 1, ""), -1);
    assert_int_equal(item(f, 1, "C1.name_length"), 10);
    assert_int_equal(item(f, 1, "D1.name_class"), 11);
    i = item(f, 1, "D3.id_month");
    assert_int_equal(i, 13);
    assert_int_equal(p->items[i].type, PUAN_TYPE_FACT);
    assert_int_equal(p->items[i].fact, PUAN_FACT_ID_MONTH);
    assert_int_equal(p->items[i].fact_of, 1);
    assert_int_equal(p->items[1].zone, PUAN_ZONE_VAULT);
    assert_int_equal(p->items[7].zone, PUAN_ZONE_TEXT);
    assert_int_equal(item(f, 0, "HP.phone_class"), 7);
    for (int k = 0; k < p->n_items; k++)
        assert_int_equal(puan_entity_item(p, p->items[k].name), k);
}

/* FORM with one piece replaced gives exactly this failure. */
static void fault(const char *from, const char *to, uint32_t line,
                  const char *text)
{
    struct puan_node *tree;
    struct puan_form *f;
    struct puan_err err = { 0 };
    const char *at = strstr(FORM, from);
    const char *doc;

    assert_non_null(at);
    doc = puan_arena_fmt(&arena, "%.*s%s%s", (int)(at - FORM), FORM, to,
                         at + strlen(from));
    assert_int_equal(
        puan_json_tree(&tree, puan_str_of(doc), "t.yaml", &arena, &err),
        PUAN_OK);
    assert_int_equal(puan_form_load(&f, tree, NULL, NULL, &arena, &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text, text);
    assert_int_equal(err.line, line);
    assert_string_equal(err.where, "t.yaml");
}

static void a_faulty_form_is_refused_with_place_and_remedy(void **state)
{
    (void)state;
    fault("\"zh\":\"出生\"", "\"why\":\"so\",\"zh\":\"出生\"", 14,
          "'why' stands in both languages: {zh: ..., en: ...}");
    fault("\"test_words\":[\"test\"]", "\"law\":\"so\"", 2,
          "'law' stands in both languages: {zh: ..., en: ...}");
    fault("\"type\":\"code\",\"codes\":\"sex\"", "\"type\":\"cod\"", 13,
          "unknown type 'cod': code int decimal month date area text name "
          "citizen-id phone point");
    fault("\"codes\":\"sex\"", "\"codes\":\"sexes\"", 13,
          "no code list 'sexes', define it under 'codes:' here or in codes/");
    fault("\"alias\":\"D1\"", "\"alias\":\"C1\"", 11,
          "'C1' is the item's own name, leave the alias out");
    fault("\"D5\":", "\"D1\":", 14, "name or alias of D1 is taken by item C1");
    fault("\"min\":1", "\"mim\":1", 8, "unknown key 'mim', did you mean 'min'");
    fault("\"min\":1", "\"min\":2,\"max\":1", 8, "'min' is larger than 'max'");
    fault("\"97\":", "\"1\":", 5, "code '1' has the value of '01'");
    fault("\"value\":1,", "", 3,
          "code 'refused' is no number, give it a 'value:'");
    fault("\"D5\":", "\"where\":", 14,
          "'where' is no name: letters, digits and _, not a digit first, at "
          "most 31, no word of the rule language");
    fault("\"type\":\"citizen-id\"",
          "\"type\":\"citizen-id\",\"zone\":\"frame\"", 12,
          "an item of type citizen-id cannot be in zone 'frame'; only text may "
          "choose, text or vault");
    fault("\"D7a\":{\"type\":\"area\",\"digits\":6,",
          "\"D7a\":{\"type\":\"area\",", 16,
          "'digits' stands with type area, and only there");
    fault("\"rows\":3,", "", 10, "key 'rows' is missing, add it");
}

static void all_faults_are_collected(void **state)
{
    struct puan_problems all = { .arena = &arena };
    struct puan_node *tree;
    struct puan_form *f;
    struct puan_err err = { 0 };
    static const char doc[] =
        "{\"form\":\"t\",\"zh\":\"表\",\"en\":\"F\",\"entities\":{\"h\":{"
        "\"zh\":"
        "\"户\",\"en\":\"h\",\"items\":{\n"
        "\"A\":{\"type\":\"x\"},\n\"B\":{\"type\":\"int\",\"zh\":\"b\"},\n"
        "\"C\":{\"type\":\"int\",\"zh\":\"b\",\"en\":\"c\"}}}}}";

    (void)state;
    assert_int_equal(puan_json_tree(&tree, puan_str_of(doc), "f", &arena, &err),
                     PUAN_OK);
    assert_int_equal(
        puan_form_load_all(&f, tree, NULL, NULL, &all, &arena, &err),
        PUAN_EINVAL);
    assert_int_equal(all.n, 2);
    assert_int_equal(all.first->line, 2);
    assert_string_equal(all.first->next->text, "key 'en' is missing, add it");
    assert_int_equal(all.first->next->line, 3);
}

#define HEAD                                                                   \
    "{\"form\":\"t\",\"household\":\"370883001004001007\",\"base\":2,"         \
    "\"device\":\"d-17\",\"counter\":12,\"mode\":\"enumerator\","              \
    "\"started\":\"2020-11-01T09:00:00+08:00\","                               \
    "\"finished\":\"2020-11-01T09:20:00+08:00\",\"signed\":true,"

static enum puan_status read_doc(struct puan_record *r,
                                 struct puan_return_head *h, const char *doc,
                                 struct puan_err *err)
{
    const struct puan_form *f = form();

    *err = (struct puan_err){ 0 };
    return puan_record_read(r, h, &f, 1, puan_str_of(doc), &arena, err);
}

static const char DOC[] =
    HEAD "\"answers\":{\"H6\":86,\"HP\":\"13800001234\"},\"person\":["
         "{\"C1\":\"王小明\",\"D3\":\"370883188506150133\",\"D4\":1,"
         "\"D5\":\"1885-06\",\"D6\":\"01\",\"D7a\":\"370882\",\"X1\":\"0.5\","
         "\"X2\":\"种地\",\"X3\":\"35.4,116.97\",\"X4\":\"2020-10-31\"},"
         "{\"D1\":\"张\",\"D3\":{\"missing\":\"refused\"},\"D4\":3,\"D5\":null,"
         "\"D6\":\"汉\"}]}";

static void a_document_becomes_a_record(void **state)
{
    struct puan_record r;
    struct puan_return_head h;
    struct puan_err err;
    const struct puan_rows *p = &r.rows[1];
    size_t n;

    (void)state;
    assert_int_equal(read_doc(&r, &h, DOC, &err), PUAN_OK);
    assert_true(h.household == 370883001004001007);
    assert_int_equal(h.base, 2);
    assert_int_equal(h.counter, 12);
    assert_true(h.is_signed);
    assert_int_equal(h.finished_ms - h.started_ms, 20 * 60000);
    assert_int_equal(r.rows[0].v[0], 7); /* A9 from the key */
    assert_int_equal(r.rows[0].v[1], 86);
    assert_int_equal(r.rows[0].v[3], 370883);
    assert_int_equal(r.rows[0].v[4], 1);    /* from the head: mode, */
    assert_int_equal(r.rows[0].v[5], 1200); /* 20 minutes, */
    assert_int_equal(r.rows[0].v[6], 540);  /* begun at nine */
    assert_int_equal(p->n, 2);
    n = r.form->entity[1].n_items;
    assert_int_equal(p->v[3], 1885 * 12 + 5);
    assert_int_equal(p->v[4], 1);
    assert_int_equal(p->v[5], 370882);
    assert_int_equal(p->v[6], 5);
    assert_int_equal(p->st[8], PUAN_GIVEN);
    assert_int_equal(p->v[9], puan_day_of(2020, 10, 31));
    assert_int_equal(p->st[n + 1], PUAN_MISSING);
    assert_int_equal(p->v[n + 1], 1);
    assert_int_equal(p->st[n + 2], PUAN_INVALID);
    assert_true(puan_str_is(p->txt[n + 2], "3"));
    assert_int_equal(p->st[n + 3], PUAN_MISSING);
    assert_int_equal(p->st[n + 4], PUAN_INVALID);
    assert_int_equal(p->st[n + 5], PUAN_NOT_ASKED);

    puan_record_facts(&r);
    assert_int_equal(r.rows[0].st[7], PUAN_GIVEN);
    assert_int_equal(r.rows[0].v[7], 0);
    assert_int_equal(p->v[10], 3); /* length of 王小明 */
    assert_int_equal(p->v[12], 0); /* id_check */
    assert_int_equal(p->v[13], 1885 * 12 + 5);
    assert_int_equal(p->v[14], 1);
    assert_int_equal(p->v[15], 370883);
    assert_int_equal(p->st[n + 12], PUAN_MISSING);
}

static void encoding_is_canonical_and_comes_back(void **state)
{
    struct puan_record r, back;
    struct puan_return_head h;
    struct puan_err err;
    struct puan_out o[3], again[3], json;
    struct puan_jw w;

    (void)state;
    assert_int_equal(read_doc(&r, &h, DOC, &err), PUAN_OK);
    puan_record_facts(&r);
    for (int i = 0; i < 3; i++) {
        puan_out_init(&o[i], &arena);
        puan_out_init(&again[i], &arena);
    }
    puan_record_encode(&o[0], &o[1], &o[2], &r);
    assert_int_equal(puan_record_decode(&back, r.form, puan_out_view(&o[0]),
                                        puan_out_view(&o[1]),
                                        puan_out_view(&o[2]), &arena, &err),
                     PUAN_OK);
    puan_record_encode(&again[0], &again[1], &again[2], &back);
    for (int i = 0; i < 3; i++)
        assert_true(
            puan_str_eq(puan_out_view(&o[i]), puan_out_view(&again[i])));
    /* the document again, and it reads as the same record */
    puan_out_init(&json, &arena);
    puan_out_text(&json, HEAD);
    json.n--; /* the comma: the writer sets its own */
    json.p[json.n] = '\0';
    puan_jw_init(&w, &json);
    w.depth = 1;
    w.filled = 2;
    puan_record_json(&w, &back);
    puan_out_char(&json, '}');
    if (read_doc(&back, &h, json.p, &err) != PUAN_OK)
        fail_msg("%s: %s in %s", err.where, err.text, json.p);
    puan_record_facts(&back);
    for (int i = 0; i < 3; i++)
        puan_out_init(&again[i], &arena);
    puan_record_encode(&again[0], &again[1], &again[2], &back);
    assert_true(puan_str_eq(puan_out_view(&o[0]), puan_out_view(&again[0])));
    assert_true(puan_str_eq(puan_out_view(&o[1]), puan_out_view(&again[1])));
}

static void damaged_bytes_are_refused_or_decode_within_the_form(void **state)
{
    struct puan_record r, back;
    struct puan_return_head h;
    struct puan_err err;
    struct puan_out o[3];
    unsigned refused = 0;

    (void)state;
    assert_int_equal(read_doc(&r, &h, DOC, &err), PUAN_OK);
    puan_record_facts(&r);
    for (int i = 0; i < 3; i++)
        puan_out_init(&o[i], &arena);
    puan_record_encode(&o[0], &o[1], &o[2], &r);
    for (size_t at = 0; at < o[0].n; at++) { /* cut off */
        err = (struct puan_err){ 0 };
        assert_int_equal(puan_record_decode(&back, r.form,
                                            (struct puan_str){ o[0].p, at },
                                            puan_out_view(&o[1]),
                                            puan_out_view(&o[2]), &arena, &err),
                         PUAN_EINVAL);
    }
    for (int part = 0; part < 3; part++) {
        for (size_t bit = 0; bit < o[part].n * 8; bit++) {
            err = (struct puan_err){ 0 };
            o[part].p[bit / 8] = (char)(o[part].p[bit / 8] ^ 1 << bit % 8);
            if (puan_record_decode(&back, r.form, puan_out_view(&o[0]),
                                   puan_out_view(&o[1]), puan_out_view(&o[2]),
                                   &arena, &err) != PUAN_OK)
                refused++;
            o[part].p[bit / 8] = (char)(o[part].p[bit / 8] ^ 1 << bit % 8);
        }
    }
    assert_true(refused > 100);
}

static void refused(const char *doc, const char *where, const char *text)
{
    struct puan_record r;
    struct puan_return_head h;
    struct puan_err err;

    assert_int_equal(read_doc(&r, &h, doc, &err), PUAN_EINVAL);
    assert_string_equal(err.where, where);
    assert_string_equal(err.text, text);
}

static void a_wrong_shape_is_an_error_with_its_path(void **state)
{
    (void)state;
    refused(HEAD "\"answers\":{},\"person\":[{},{\"D99\":1}]}", "person[1].D99",
            "unknown item, the form has no such");
    refused(HEAD "\"answers\":{\"H6\":1,\"H6\":1}}", "answers.H6",
            "item stands twice in this row");
    refused(HEAD "\"answers\":{},\"person\":[{\"C1\":\"a\",\"D1\":\"b\"}]}",
            "person[0].D1", "item stands twice in this row");
    refused(HEAD "\"answers\":{\"A9\":8}}", "answers.A9",
            "differs from the household key, leave it out");
    refused(HEAD "\"answers\":{},\"person\":[{},{},{},{}]}", "person[3].",
            "more rows than the form allows");
    refused(HEAD "\"answers\":{\"H6\":[1]}}", "answers.H6",
            "an answer cannot be a list");
    refused(HEAD "\"answers\":{\"H6\":{\"missing\":\"lazy\"}}}", "answers.H6",
            "unknown reason, use one of the form's");
    refused(HEAD "\"answers\":{\"H6\":{\"value\":1}}}", "answers.H6",
            "expected an answer or {\"missing\":\"REASON\"}");
    refused(HEAD "\"answers\":{},\"answers\":{}}", "answers", "stands twice");
    refused(HEAD "\"answers\":{},\"death\":[]}", "death",
            "unknown key, the form has no such part");
    refused(HEAD "\"person\":[]}", "answers", "is missing");
    refused(HEAD "\"answers\":{\"D3.id_check\":0}}", "answers.D3.id_check",
            "unknown item, the form has no such");
    refused("{\"form\":\"u\",\"household\":\"1\",\"answers\":{}}", "form",
            "no such form in this census");
    refused("{\"form\":\"t\",\"answers\":{}}", "household", "is missing");
    refused("{\"form\":\"t\",\"household\":\"12a\",\"answers\":{}}",
            "household", "expected a household key of at most 18 digits");
    refused("{\"form\":\"t\",\"household\":\"1\",\"answers\":{},\"x\":1}",
            "document", "unknown key");
    refused("[]", "document", "expected a map");
}

static void parts_may_come_before_the_head(void **state)
{
    struct puan_record r;
    struct puan_return_head h;
    struct puan_err err;

    (void)state;
    assert_int_equal(read_doc(&r, &h,
                              "{\"person\":[{\"D4\":2}],\"answers\":{\"H6\":9},"
                              "\"household\":1003,\"form\":\"t\"}",
                              &err),
                     PUAN_OK);
    assert_int_equal(r.rows[0].v[0], 3);
    assert_int_equal(r.rows[0].v[1], 9);
    assert_int_equal(r.rows[1].n, 1);
    assert_int_equal(r.rows[1].v[2], 2);
}

static void cells_are_set_from_text_as_the_reader_does(void **state)
{
    const struct puan_form *f = form();
    struct puan_record r;
    struct puan_err err = { 0 };
    uint32_t n[2] = { 1, 2 };

    (void)state;
    assert_int_equal(puan_record_new(&r, f, n, &arena, &err), PUAN_OK);
    puan_record_key(&r, 1234005);
    puan_record_set(&r, 1, 1, 2, PUAN_STR("2"));
    puan_record_set(&r, 1, 1, 3, PUAN_STR("1980-13"));
    puan_record_set(&r, 1, 1, 4, PUAN_STR("001"));
    puan_record_set(&r, 1, 1, 6, PUAN_STR("1.25"));
    puan_record_set(&r, 1, 1, 8, PUAN_STR("95,1"));
    puan_record_set(&r, 0, 0, 1, PUAN_STR(""));
    assert_int_equal(r.rows[0].v[0], 5);
    assert_int_equal(r.rows[0].st[1], PUAN_MISSING);
    n[0] = f->entity[1].n_items;
    assert_int_equal(r.rows[1].st[n[0] + 2], PUAN_GIVEN);
    assert_int_equal(r.rows[1].v[n[0] + 2], 2);
    assert_int_equal(r.rows[1].st[n[0] + 3], PUAN_INVALID);
    assert_int_equal(r.rows[1].st[n[0] + 4], PUAN_INVALID);
    assert_int_equal(r.rows[1].st[n[0] + 6], PUAN_INVALID);
    assert_int_equal(r.rows[1].st[n[0] + 8], PUAN_INVALID);
    n[1] = 4;
    assert_int_equal(puan_record_new(&r, f, n, &arena, &err), PUAN_EINVAL);
    assert_string_equal(puan_item_text(&f->entity[1].items[6], -5, &arena),
                        "-0.5");
    assert_string_equal(puan_item_text(&f->entity[1].items[5], 10203, &arena),
                        "010203");
}

/* Allocation n fails: the code is ENOMEM, nothing is read out of bounds. */
static void running_out_of_memory_is_told(void **state)
{
    struct puan_test_scarce scarce = { 0 };
    const struct puan_alloc few = { puan_test_get, puan_test_put, &scarce };
    const struct puan_form *f = form();
    enum puan_status st = PUAN_ENOMEM;

    (void)state;
    for (int n = 0; st != PUAN_OK; n++) {
        struct puan_arena a;
        struct puan_record r;
        struct puan_return_head h;
        struct puan_err err = { 0 };

        scarce.left = n;
        puan_arena_init(&a, &few);
        st = puan_record_read(&r, &h, &f, 1, puan_str_of(DOC), &a, &err);
        assert_true(st == PUAN_OK || st == PUAN_ENOMEM);
        assert_true(n < 100);
        puan_arena_clear(&a);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_form_knows_its_items_and_facts),
        T(a_faulty_form_is_refused_with_place_and_remedy),
        T(all_faults_are_collected),
        T(a_document_becomes_a_record),
        T(encoding_is_canonical_and_comes_back),
        T(damaged_bytes_are_refused_or_decode_within_the_form),
        T(a_wrong_shape_is_an_error_with_its_path),
        T(parts_may_come_before_the_head),
        T(cells_are_set_from_text_as_the_reader_does),
        T(running_out_of_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
