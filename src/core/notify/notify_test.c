/*
 * The file of channels with its faults, waits, addresses, and what a message
 * says: nothing but what its few fields can hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/notify/notify.h"

#define FILE_TEXT                                                              \
    "{'office':'https://c.example/','channels':{'mail':{'zh':'m','en':'m',"    \
    "'command':['/bin/mail','-t'],'form':'mail','from':'p@c.example',"         \
    "'carries':['overdue','call'],'first':'30s','longest':'5m','tries':5},"    \
    "'sms':{'zh':'s','en':'s','command':['/bin/sms'],'receipt':'told'}}}"

static struct puan_arena arena;
static struct puan_err err;

static enum puan_status load(struct puan_notify_channels *c, const char *from,
                             const char *to)
{
    struct puan_node *tree = NULL;
    const char *at = strstr(FILE_TEXT, from);
    char *text;

    assert_non_null(at);
    text = (char *)(uintptr_t)puan_arena_fmt(&arena, "%.*s%s%s",
                                             (int)(at - FILE_TEXT), FILE_TEXT,
                                             to, at + strlen(from));
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_json_tree(&tree, puan_str_of(text), "notify.yaml",
                                    &arena, &err),
                     PUAN_OK);
    return puan_notify_read(c, tree, &arena, &err);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct puan_notify_channels c;

    assert_int_equal(load(&c, from, to), PUAN_EINVAL);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s -> %s: %s", from, to, err.text);
    assert_true(err.line > 0 && err.col > 0);
}

static void a_file_of_channels_is_read(void **state)
{
    struct puan_notify_channels c;
    const struct puan_notify_channel *mail;

    (void)state;
    assert_int_equal(load(&c, "'sms'", "'sms'"), PUAN_OK);
    assert_int_equal(c.n, 2);
    assert_true(puan_str_is(c.office, "https://c.example"));
    mail = puan_notify_channel(&c, PUAN_STR("mail"));
    assert_non_null(mail);
    assert_string_equal(mail->command[1], "-t");
    assert_null(mail->command[2]);
    assert_true(mail->carries == (1U << PUAN_NOTIFY_OVERDUE |
                                  1U << PUAN_NOTIFY_CALL));
    assert_false(mail->told);
    assert_true(puan_notify_channel(&c, PUAN_STR("sms"))->told);
    assert_null(puan_notify_channel(&c, PUAN_STR("fax")));
}

static void a_fault_is_told_with_its_place_and_remedy(void **state)
{
    (void)state;
    refused("'office'", "'offce'", "office");
    refused("https://c.example/", "c.example", "https://");
    refused("['/bin/mail','-t']", "[]", "command: [/path");
    refused("'/bin/mail'", "'mail'", "begins with /");
    refused("'form':'mail'", "'form':'fax'", "mail, text or json");
    refused(",'from':'p@c.example'", "", "has a sender");
    refused("p@c.example", "p", "name@host");
    refused("'overdue','call'", "'late'", "kinds of messages");
    refused("'30s'", "'soon'", "length of time");
    refused("'5m'", "'5s'", "not shorter");
    refused("'tries':5", "'tries':0", "1");
    refused("'told'", "'maybe'", "handed");
    refused("'sms':", "'S M S':", "small letters");
    refused("'receipt':'told'", "'from':'x@y'", "leave `from` out");
}

static void waits_grow_to_the_longest_and_end(void **state)
{
    struct puan_notify_channels c;
    const struct puan_notify_channel *m;

    (void)state;
    assert_int_equal(load(&c, "'sms'", "'sms'"), PUAN_OK);
    m = &c.channel[0];
    assert_int_equal(puan_notify_wait(m, 1), 30000);
    assert_int_equal(puan_notify_wait(m, 2), 60000);
    assert_int_equal(puan_notify_wait(m, 3), 120000);
    assert_int_equal(puan_notify_wait(m, 4), 240000);
    assert_int_equal(puan_notify_wait(m, 5), -1);
}

static void an_address_is_one_and_cannot_pass_for_an_option(void **state)
{
    struct puan_notify_channels c;
    const char *bad[] = { "",         "-f/etc/passwd", "a",
                          "a@b\nBcc: c@d", "a@b,c@d",  "a b@c",
                          "<a@b>",    "@b",            "a@" };

    (void)state;
    assert_int_equal(load(&c, "'sms'", "'sms'"), PUAN_OK);
    assert_int_equal(puan_notify_address(&c.channel[0],
                                         PUAN_STR("duty@c.example"), &err),
                     PUAN_OK);
    for (size_t i = 0; i < PUAN_COUNT(bad); i++)
        if (puan_notify_address(&c.channel[0], puan_str_of(bad[i]), &err) ==
            PUAN_OK)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(puan_notify_address(&c.channel[1],
                                         PUAN_STR("值班室 一号机"), &err),
                     PUAN_OK);
    assert_int_equal(puan_notify_address(&c.channel[1], PUAN_STR("a\nb"), &err),
                     PUAN_EINVAL);
}

static struct puan_notify_words words(void)
{
    return (struct puan_notify_words){
        .id = 7, .kind = PUAN_NOTIFY_NOTICE, .zh = PUAN_STR("突发事件处置"),
        .en = PUAN_STR("Incident"), .number = PUAN_STR("2020-031"),
        .level = PUAN_STR("orange"), .due_ms = INT64_C(1604351220000),
        .offset_minutes = 480, .link = PUAN_STR("https://c.example/office/x")
    };
}

static const char *text_of(const struct puan_notify_words *w, bool english)
{
    struct puan_out o;

    puan_out_init(&o, &arena);
    puan_notify_text(&o, w, english);
    return puan_arena_fmt(&arena, "%.*s", PUAN_FMT(puan_out_view(&o)));
}

static void a_text_says_what_and_until_when(void **state)
{
    struct puan_notify_words w = words();

    (void)state;
    assert_string_equal(text_of(&w, false),
                        "【普安】请于11-03 05:07前办理：突发事件处置2020-031"
                        "（橙色）。https://c.example/office/x");
    assert_string_equal(text_of(&w, true),
                        "[PUAN] See to Incident 2020-031 (orange) by 11-03 "
                        "05:07. https://c.example/office/x");
    w.drill = true;
    w.kind = PUAN_NOTIFY_OVERDUE;
    assert_string_equal(text_of(&w, false),
                        "【普安演练】已超时，请立即处置：突发事件处置2020-031"
                        "（橙色）。https://c.example/office/x");
}

static void a_number_or_level_that_is_none_is_left_out(void **state)
{
    struct puan_notify_words w = words();

    (void)state;
    w.number = PUAN_STR("ask for him");
    w.level = PUAN_STR("terrible");
    w.due_ms = 0;
    w.link = PUAN_STR("");
    assert_string_equal(text_of(&w, false), "【普安】请办理：突发事件处置。");
}

static void a_mail_is_well_formed(void **state)
{
    struct puan_notify_words w = words();
    struct puan_notify_channels c;
    struct puan_out o;
    const char *s;

    (void)state;
    assert_int_equal(load(&c, "'sms'", "'sms'"), PUAN_OK);
    puan_out_init(&o, &arena);
    puan_notify_body(&o, &c.channel[0], &w, PUAN_STR("duty@c.example"),
                     INT64_C(1604286420000), false);
    s = puan_arena_fmt(&arena, "%.*s", PUAN_FMT(puan_out_view(&o)));
    assert_non_null(strstr(s, "To: <duty@c.example>\n"));
    assert_non_null(strstr(s, "Date: Mon, 02 Nov 2020 03:07:00 +0000\n"));
    assert_non_null(strstr(s, "Message-ID: <puan-7@c.example>\n"));
    assert_non_null(strstr(s, "\nSubject: =?utf-8?Q?=E3=80=90=E6=99=AE"));
    assert_non_null(strstr(s, "\n\n【普安】"));
    for (const char *l = s; l != NULL && *l; l = strchr(l, '\n')) {
        l += *l == '\n';
        if (*l == '\n')
            break; /* the head ends here */
        assert_true(strcspn(l, "\n") <= 90);
        for (size_t i = 0; i < strcspn(l, "\n"); i++)
            assert_true((unsigned char)l[i] < 0x80);
    }
}

static void the_longest_sentence_is_measured(void **state)
{
    size_t n = puan_notify_longest(PUAN_STR("突发事件处置"), PUAN_STR("x"),
                                   false, &arena);
    struct puan_notify_words w = words();

    (void)state;
    w.link = PUAN_STR("");
    w.drill = true;
    for (int k = 0; k < PUAN_NOTIFY_KINDS; k++) {
        w.kind = (enum puan_notify_kind)k;
        assert_true(puan_utf8_length(puan_str_of(text_of(&w, false))) <= n);
    }
    assert_true(n < PUAN_NOTIFY_SHORT);
    assert_true(puan_notify_longest(PUAN_STR("突发事件处置之二"), PUAN_STR("x"),
                                    false, &arena) == n + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_channels_is_read),
        cmocka_unit_test(a_fault_is_told_with_its_place_and_remedy),
        cmocka_unit_test(waits_grow_to_the_longest_and_end),
        cmocka_unit_test(an_address_is_one_and_cannot_pass_for_an_option),
        cmocka_unit_test(a_text_says_what_and_until_when),
        cmocka_unit_test(a_number_or_level_that_is_none_is_left_out),
        cmocka_unit_test(a_mail_is_well_formed),
        cmocka_unit_test(the_longest_sentence_is_measured),
    };
    int rc;

    puan_arena_init(&arena, &puan_test_heap);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    puan_arena_clear(&arena);
    return rc;
}
