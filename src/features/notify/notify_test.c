/*
 * Messages on a real store, handed to real programs: once, over a restart as
 * well; again when they fail, later each time; given up and seen; receipts; a
 * drill to drill addresses only; and nothing in them that anybody typed.
 */
#include <sys/stat.h>
#include <stdlib.h>
#include <unistd.h>

#include "features/cases/cases.h"
#include "features/host/test_fixture.h"
#include "features/notify/spool.h"
#include "kit/os/os.h"

#define T0 INT64_C(1604275200000) /* 2020-11-02T08:00:00+08:00 */
#define COUNTY 370883

/* Notes each call and does what the files beside it say. */
#define PROGRAM                                                                \
    "#!/bin/sh\n"                                                              \
    "d=$(dirname \"$0\")\n"                                                    \
    "echo \"$PUAN_TRY $PUAN_AGAIN $PUAN_TO $*\" >>\"$d/calls\"\n"              \
    "cat >>\"$d/text\"\n"                                                      \
    "echo \"$PUAN_RECEIPT\" >\"$d/receipt\"\n"                                 \
    "while [ -e \"$d/hold\" ]; do sleep 0.05; done\n"                          \
    "[ -e \"$d/fail\" ] && exit 75\n"                                          \
    "echo done >>\"$d/done\"\n"

/* What a mail server's sendmail does with -i -t: by the head of the mail. */
#define SENDMAIL                                                               \
    "#!/bin/sh\n"                                                              \
    "[ \"$1 $2\" = '-i -t' ] || exit 64\n"                                     \
    "d=$(dirname \"$0\")\n"                                                    \
    "cat >\"$d/mail.new\"\n"                                                   \
    "to=$(sed -n 's/^To: <\\(.*\\)>$/\\1/p;/^$/q' \"$d/mail.new\")\n"          \
    "[ -n \"$to\" ] || exit 65\n"                                              \
    "mkdir -p \"$d/box\" && cat \"$d/mail.new\" >>\"$d/box/$to\"\n"

static const struct puan_flow_label what = { { "incident", sizeof("incident") - 1 },
                                             { "突发事件", sizeof("突发事件") - 1 },
                                             { "Incident", sizeof("Incident") - 1 } };

static const char *path(struct puan_fix *f, const char *name)
{
    return puan_arena_fmt(&f->a, "%s/%s", f->root, name);
}

static void put(struct puan_fix *f, const char *name, const char *text,
                unsigned mode)
{
    ok(puan_file_write(path(f, name), puan_str_of(text), mode, err));
}

static const char *get(struct puan_fix *f, const char *name)
{
    struct puan_str s = { "", 0 };

    if (puan_file_read(&s, path(f, name), 0, &f->a, NULL) != PUAN_OK)
        return "";
    return puan_arena_fmt(&f->a, "%.*s", PUAN_FMT(s));
}

static size_t lines(struct puan_fix *f, const char *name)
{
    size_t n = 0;

    for (const char *p = get(f, name); *p; p++)
        n += *p == '\n';
    return n;
}

static void channels(struct puan_fix *f, const char *more)
{
    const char *text = puan_arena_fmt(
        &f->a,
        "office: https://c.example\n"
        "channels:\n"
        "  note: {zh: 便条, en: Note, command: [%s/program, word], first: 1s,"
        " longest: 1s, tries: 2, receipt: told%s}\n"
        "  mail: {zh: 电子邮件, en: Mail, command: [%s/sendmail, -i, -t],"
        " form: mail, from: puan@c.example}\n",
        f->root, more, f->root);

    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/notify.yaml", f->dir),
                       puan_str_of(text), 0600, err));
}

static struct puan_fix *make(const char *birth)
{
    struct puan_fix *f = puan_fix_begin(NULL);

    f->opt.kek_file = puan_arena_fmt(&f->a, "%s/kek", f->root);
    puan_fix_create(f, birth, "plans/cn-population-2020", "intl");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "370883,,county,邹城市,Zoucheng\n"
                    "370883001,370883,township,a,A\n");
    put(f, "program", PROGRAM, 0700);
    put(f, "sendmail", SENDMAIL, 0700);
    channels(f, "");
    return f;
}

struct address {
    const char *channel, *role, *to;
    int64_t drill;
};

static enum puan_status add(struct puan_shard *sh, struct puan_db *db,
                            struct puan_act *act, void *arg,
                            struct puan_err *err)
{
    const struct address *in = arg;
    struct puan_notify_address_row r = {
        .channel = puan_str_of(in->channel), .role = puan_str_of(in->role),
        .area = COUNTY, .account = PUAN_STR(""), .drill = in->drill
    };
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = puan_db_int(&r.id, db,
                     "SELECT COALESCE(MAX(id), 0) + 1 FROM notify_address", 1,
                     err);
    if (st == PUAN_OK)
        st = puan_notify_address_seal(&r.sealed, puan_shard_store(sh), r.id,
                                      puan_str_of(in->to), &a, err);
    if (st == PUAN_OK)
        st = puan_notify_address_write(sh, db, act, &r, &a, err);
    puan_arena_clear(&a);
    return st;
}

static void address(struct puan_fix *f, const char *channel, const char *role,
                    const char *to, bool drill)
{
    struct address in = { channel, role, to, drill };
    struct puan_act act = { .actor = PUAN_STR("t"),
                            .verb = PUAN_STR("notify.address") };

    ok(puan_commit(puan_store_office(f->st), &act, add, &in, err));
}

struct telling {
    struct puan_notify m;
    int64_t id;
};

static enum puan_status tell_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct telling *t = arg;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = puan_notify_in(&t->id, sh, db, act, &t->m, &a, err);
    puan_arena_clear(&a);
    return st;
}

static int64_t tell(struct puan_fix *f, enum puan_notify_kind kind, bool drill)
{
    struct telling t = { .m = { .kind = kind, .what = &what,
                                .about = PUAN_STR("roster"),
                                .level = PUAN_STR("red"),
                                .role = PUAN_STR("duty-officer"),
                                .area = COUNTY, .account = PUAN_STR(""),
                                .at_ms = T0, .due_ms = T0 + 3600000,
                                .drill = drill } };
    struct puan_act act = { .actor = PUAN_STR("t"),
                            .verb = PUAN_STR("test.tell") };

    ok(puan_commit(puan_store_office(f->st), &act, tell_body, &t, err));
    return t.id;
}

/* Works until the SQL gives a number, at most ten seconds. */
static void until(struct puan_fix *f, const char *sql, int64_t want)
{
    for (int i = 0; i < 400; i++) {
        ok(puan_notify_work(f->st, err));
        if (puan_fix_office(f, sql) == want)
            return;
        usleep(25000);
    }
    fail_msg("%s never gave %lld", sql, (long long)want);
}

#define STATE(s)                                                               \
    "SELECT COUNT(*) FROM notify_delivery WHERE state = '" s "'"

static void without_channels_nothing_is_written(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    ok(puan_file_remove(puan_arena_fmt(&f->a, "%s/notify.yaml", f->dir), err));
    assert_int_equal(tell(f, PUAN_NOTIFY_CALL, false), 0);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM notify_message"),
                     0);
    puan_fix_end(f);
}

static void a_message_is_handed_to_each_address(void **state)
{
    struct puan_fix *f = make("live");
    struct puan_notify_fate fate;
    struct puan_db *db = NULL;
    const char *mail;
    int64_t id;

    (void)state;
    address(f, "note", "duty-officer", "desk 1", false);
    address(f, "mail", "duty-officer", "duty@c.example", false);
    address(f, "mail", "risk-office", "other@c.example", false);
    id = tell(f, PUAN_NOTIFY_CALL, false);
    until(f, STATE("handed"), 2);
    assert_string_equal(get(f, "calls"), "1 0 desk 1 word\n");
    assert_string_equal(get(f, "text"),
                        "【普安】请于11-02 09:00前应召到岗并回复：突发事件（红色）"
                        "。https://c.example/office/roster\n");
    mail = get(f, "box/duty@c.example");
    assert_non_null(strstr(mail, "From: <puan@c.example>\n"));
    assert_non_null(strstr(mail, "突发事件（红色）。\nhttps://c.example/"));
    assert_string_equal(get(f, "box/other@c.example"), "");
    ok(puan_read_begin(&db, puan_store_office(f->st), err));
    ok(puan_notify_fate(&fate, db, id, err));
    puan_read_end(puan_store_office(f->st), db);
    assert_int_equal(fate.handed, 2);
    assert_int_equal(fate.received_ms, 0);
    /* nothing is left in the spool, and no second time comes */
    for (int i = 0; i < 5; i++)
        ok(puan_notify_work(f->st, err));
    assert_int_equal(lines(f, "calls"), 1);
    assert_true(puan_fix_verify(f) > 0);
    puan_fix_end(f);
}

static void what_fails_is_tried_again_and_given_up_in_sight(void **state)
{
    struct puan_fix *f = make("live");
    int64_t first;

    (void)state;
    address(f, "note", "duty-officer", "desk", false);
    put(f, "fail", "", 0600);
    tell(f, PUAN_NOTIFY_CALL, false);
    until(f, "SELECT tries FROM notify_delivery", 1);
    first = puan_real_now();
    assert_in_range(puan_fix_office(f, "SELECT next - at FROM notify_delivery"
                                       " WHERE why = 'exit 75'"),
                    900, 1000);
    until(f, STATE("given-up"), 1);
    assert_true(puan_real_now() - first >= 900);
    assert_int_equal(lines(f, "calls"), 2);
    assert_int_equal(lines(f, "done"), 0);
    puan_fix_end(f);
}

static void a_restart_in_the_middle_hands_it_over_once(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    address(f, "note", "duty-officer", "desk", false);
    put(f, "hold", "", 0600);
    tell(f, PUAN_NOTIFY_CALL, false);
    for (int i = 0; i < 200 && lines(f, "calls") == 0; i++) {
        ok(puan_notify_work(f->st, err));
        usleep(25000);
    }
    assert_int_equal(lines(f, "calls"), 1);
    puan_fix_close(f); /* the program goes on without us */
    puan_fix_open(f);
    for (int i = 0; i < 5; i++)
        ok(puan_notify_work(f->st, err));
    assert_int_equal(lines(f, "calls"), 1);
    puan_fix_close(f);
    ok(puan_file_remove(path(f, "hold"), err));
    for (int i = 0; i < 200 && lines(f, "done") == 0; i++)
        usleep(25000);
    usleep(100000);
    puan_fix_open(f); /* it ended while nobody looked */
    until(f, STATE("handed"), 1);
    assert_int_equal(lines(f, "calls"), 1);
    assert_int_equal(lines(f, "done"), 1);
    puan_fix_end(f);
}

static void what_was_cut_off_says_so_the_next_time(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    address(f, "note", "duty-officer", "desk", false);
    tell(f, PUAN_NOTIFY_CALL, false);
    /* begun, and then the power failed: a lock that nobody holds */
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/notify", f->dir), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/notify/1.1.lock", f->dir),
                       PUAN_STR(""), 0600, err));
    until(f, STATE("handed"), 1);
    assert_string_equal(get(f, "calls"), "2 1 desk word\n");
    puan_fix_end(f);
}

static void a_program_over_its_limit_is_ended(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    channels(f, ", limit: 1s");
    address(f, "note", "duty-officer", "desk", false);
    put(f, "hold", "", 0600);
    tell(f, PUAN_NOTIFY_CALL, false);
    until(f, "SELECT COUNT(*) FROM notify_delivery WHERE why = 'late'", 1);
    ok(puan_file_remove(path(f, "hold"), err));
    until(f, STATE("handed"), 1);
    assert_non_null(strstr(get(f, "calls"), "\n2 1 desk word\n"));
    puan_fix_end(f);
}

static void a_receipt_is_told_by_file_once(void **state)
{
    struct puan_fix *f = make("live");
    const char *to;
    char *end;

    (void)state;
    address(f, "note", "duty-officer", "desk", false);
    tell(f, PUAN_NOTIFY_CALL, false);
    until(f, STATE("handed"), 1);
    to = get(f, "receipt");
    end = strchr(to, '\n');
    assert_non_null(end);
    *end = '\0';
    /* one that is written says nothing yet, one of nobody never does */
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s.part", to),
                       PUAN_STR("received\n"), 0600, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/notify/receipts/"
                                             "00112233445566778899aabbccddeeff",
                                      f->dir),
                       PUAN_STR("received\n"), 0600, err));
    ok(puan_notify_work(f->st, err));
    assert_int_equal(puan_fix_office(f, STATE("received")), 0);
    ok(puan_file_write(to, PUAN_STR("received\n"), 0600, err));
    until(f, STATE("received"), 1);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM notify_message"
                                        " WHERE received > 0"),
                     1);
    ok(puan_file_write(to, PUAN_STR("failed\n"), 0600, err));
    ok(puan_notify_work(f->st, err));
    assert_int_equal(puan_fix_office(f, STATE("received")), 1);
    puan_fix_end(f);
}

static void a_seat_without_an_address_is_a_fault_in_sight(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    tell(f, PUAN_NOTIFY_CALL, false);
    assert_int_equal(puan_fix_office(f, STATE("no-address")), 1);
    ok(puan_notify_work(f->st, err));
    assert_int_equal(puan_fix_office(f, STATE("no-address")), 1);
    puan_fix_end(f);
}

static void a_drill_goes_to_drill_addresses_alone(void **state)
{
    struct puan_fix *f = make("live");

    (void)state;
    address(f, "note", "duty-officer", "desk", false);
    address(f, "note", "duty-officer", "drill desk", true);
    tell(f, PUAN_NOTIFY_CALL, true);
    until(f, STATE("handed"), 1);
    assert_string_equal(get(f, "calls"), "1 0 drill desk word\n");
    assert_non_null(strstr(get(f, "text"), "【普安演练】"));
    puan_fix_end(f);
    /* where nothing is real, everything is a drill */
    f = make("drill");
    address(f, "note", "duty-officer", "desk", false);
    tell(f, PUAN_NOTIFY_CALL, false);
    assert_int_equal(puan_fix_office(f, STATE("no-address")), 1);
    puan_fix_end(f);
}

static void a_faulty_file_is_told_and_the_old_channels_go_on(void **state)
{
    struct puan_fix *f = make("live");
    struct puan_err fault;

    (void)state;
    assert_non_null(puan_notify_now(f->st));
    assert_false(puan_notify_fault(&fault, f->st));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/notify.yaml", f->dir),
                       PUAN_STR("channels: {note: {zh: a, en: a}}\n"), 0600,
                       err));
    assert_true(puan_notify_fault(&fault, f->st));
    assert_non_null(strstr(fault.text, "command: [/path"));
    assert_int_equal(puan_notify_now(f->st)->n, 2);
    puan_fix_end(f);
}

/* ---- nothing secret ----------------------------------------------------------- */

/* Opens a leak case with the marker in every text it takes. */
static void nothing_that_was_typed_is_in_a_message(void **state)
{
    struct puan_fix *f = make("live");
    const struct puan_flow *flow = NULL;
    struct puan_case_call c = { .area = COUNTY, .arena = &f->a };
    struct puan_act act = { .actor = PUAN_STR("u1") };
    struct puan_out o;
    bool more = false;

    (void)state;
    ok(puan_cases_flow(&flow, f->st, PUAN_STR("leak"), err));
    address(f, "note", "leak-group", "desk", false);
    for (size_t i = 0; i < flow->n_seats; i++)
        address(f, "note",
                puan_arena_fmt(&f->a, "%.*s", PUAN_FMT(flow->seats[i].role)),
                "desk", false);
    puan_out_init(&o, &f->a);
    puan_out_char(&o, '{');
    for (size_t i = 0; i < flow->n_fields; i++) {
        const struct puan_flow_field *x = &flow->fields[i];
        bool text = x->type == PUAN_FLOW_TEXT;

        if (!(text ? PUAN_FLOW_HAS(flow->open_needs | flow->open_may, i) :
                     PUAN_FLOW_HAS(flow->open_needs, i)))
            continue;
        puan_out_fmt(&o, "%s'%.*s':", o.n > 1 ? "," : "",
                     PUAN_FMT(x->label.name));
        if (text)
            puan_out_text(&o, "'MARKER'");
        else if (x->type == PUAN_FLOW_TIME)
            puan_out_text(&o, "'2020-11-01T08:00:00+08:00'");
        else if (x->words != NULL)
            puan_out_fmt(&o, "'%.*s'", PUAN_FMT(x->words->codes[0].text));
        else
            puan_out_char(&o, '1');
        more |= text;
    }
    puan_out_char(&o, '}');
    c.flow = PUAN_STR("leak");
    c.event.kind = PUAN_FLOW_OPEN;
    c.event.who = puan_case_system();
    for (size_t i = 0; i < flow->n_seats; i++)
        if (PUAN_FLOW_HAS(flow->open_by, i) &&
            !puan_str_is(flow->seats[i].role, "system"))
            c.event.who = puan_case_seat(f->st, PUAN_STR("u1"),
                                         puan_str_is(flow->seats[i].role,
                                                     "any") ?
                                             PUAN_STR("county-business") :
                                             flow->seats[i].role,
                                         COUNTY, COUNTY);
    c.event.fields = puan_fix_json(
        f, puan_arena_fmt(&f->a, "%.*s", PUAN_FMT(puan_out_view(&o))));
    assert_true(more); /* something was typed */
    ok(puan_case_do(f->st, &act, &c, err));
    assert_true(puan_fix_office(f, "SELECT COUNT(*) FROM notify_delivery WHERE"
                                   " state = 'waiting'") > 0);
    until(f, STATE("waiting"), 0);
    assert_non_null(strstr(get(f, "text"), "【普安】"));
    assert_non_null(strstr(get(f, "text"), "/office/cases/1"));
    assert_null(strstr(get(f, "text"), "MARKER"));
    /* nor in the rows */
    assert_int_equal(
        puan_fix_office(f, "SELECT COUNT(*) FROM notify_message WHERE kind ||"
                           " about || zh || en || level || role LIKE"
                           " '%MARKER%'"),
        0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_channels_nothing_is_written),
        cmocka_unit_test(a_message_is_handed_to_each_address),
        cmocka_unit_test(what_fails_is_tried_again_and_given_up_in_sight),
        cmocka_unit_test(a_restart_in_the_middle_hands_it_over_once),
        cmocka_unit_test(what_was_cut_off_says_so_the_next_time),
        cmocka_unit_test(a_program_over_its_limit_is_ended),
        cmocka_unit_test(a_receipt_is_told_by_file_once),
        cmocka_unit_test(a_seat_without_an_address_is_a_fault_in_sight),
        cmocka_unit_test(a_drill_goes_to_drill_addresses_alone),
        cmocka_unit_test(a_faulty_file_is_told_and_the_old_channels_go_on),
        cmocka_unit_test(nothing_that_was_typed_is_in_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
