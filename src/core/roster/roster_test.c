/*
 * Who is on duty, where nobody is, and what may not be entered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/roster/roster.h"

#define DUTY                                                                   \
    "{'duty':'roster','zh':'d','en':'d','seat':'officer','office':'office',"   \
    "'levels':['county'],'posts':[{'id':'first','zh':'f','en':'f'},"           \
    "{'id':'reserve','zh':'r','en':'r'}],"                                     \
    "'shifts':[{'id':'day','from':'08:00','hours':12,'zh':'d','en':'d'},"      \
    "{'id':'night','from':'20:00','hours':12,'zh':'n','en':'n'}],"             \
    "'swaps_by':'office','horizon':'7d','answer':'10m','test_every':'30d',"    \
    "'ladder':['first','reserve','office@own','officer@parent'],"              \
    "'transfer':{'flow':'matter','to':[{'id':'tech','act':'to_tech','zh':'t'," \
    "'en':'t'}]}}"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define ZONE 480
/* 2020-11-02 08:00 at +08:00: the day shift begins */
#define T0 INT64_C(1604275200000)

static struct puan_arena arena;
static struct puan_err err;
static struct puan_duty *duty;
static struct puan_roster_entry entry[64];
static struct puan_roster_seat seat[8];
static struct puan_roster r;

static enum puan_status load(struct puan_duty **d, const char *from,
                             const char *to)
{
    static const struct puan_duty_env env = { 0 };
    struct puan_node *tree = NULL;
    const char *at = strstr(DUTY, from);
    char *text;

    assert_non_null(at);
    text = (char *)(uintptr_t)puan_arena_fmt(
        &arena, "%.*s%s%s", (int)(at - DUTY), DUTY, to, at + strlen(from));
    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_json_tree(&tree, puan_str_of(text), "duty.yaml",
                                    &arena, &err),
                     PUAN_OK);
    return puan_duty_load(d, tree, &env, &arena, &err);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct puan_duty *d;

    assert_int_equal(load(&d, from, to), PUAN_EINVAL);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s -> %s: %s", from, to, err.text);
    assert_true(err.line > 0);
}

static void a_model_covers_the_day(void **state)
{
    (void)state;
    refused("'hours':12,'zh':'d'", "'hours':11,'zh':'d'", "19:00 there is no");
    refused("'hours':12,'zh':'n'", "'hours':13,'zh':'n'", "there are two");
    refused("'08:00'", "'8:00'", "time of day");
    refused("'id':'night'", "'id':'day'", "twice");
    refused("'id':'reserve'", "'id':'first'", "twice");
    refused("'first','reserve','office", "'first','second','office",
            "no post \"second\"");
    refused("officer@parent", "officer@top", "@own or @parent");
    refused("'duty':'roster'", "'duty':'leader'", "take out the shifts");
    refused("'duty':'roster'", "'duty':'team'", "roster or leader");
    refused("'10m'", "'soon'", "write a number and s, m, h or d");
    refused("'7d'", "'60d'", "at most 31d");
    refused("'levels':['county'],", "", "give a list `levels`");
    refused("'swaps_by'", "'swap_by'", "swaps_by");
}

static struct puan_str name(const char *s)
{
    return puan_str_of(s);
}

static void begin(void)
{
    assert_int_equal(load(&duty, "'t'", "'t'"), PUAN_OK);
    memset(entry, 0, sizeof entry);
    r = (struct puan_roster){ duty, ZONE, entry, 0, seat, 4 };
    seat[0] = (struct puan_roster_seat){ name("ann"), 0, 0 };
    seat[1] = (struct puan_roster_seat){ name("bo"), 0, 0 };
    seat[2] = (struct puan_roster_seat){ name("cy"), 0, 0 };
    seat[3] = (struct puan_roster_seat){ name("di"), 0, T0 + 2 * DAY };
}

static enum puan_status put(struct puan_roster_entry e)
{
    enum puan_status st;

    if (e.at_ms == 0)
        e.at_ms = T0;
    e.id = (int64_t)r.n + 1;
    err = (struct puan_err){ 0 };
    st = puan_roster_accept(&r, &e, &err);
    if (st == PUAN_OK)
        entry[r.n++] = e;
    return st;
}

#define AS(role_, person_) .role = PUAN_STR(role_), .person = PUAN_STR(person_)
#define FIRST .post = PUAN_STR("first")

static enum puan_status rotate(const char *shift, const struct puan_str *who,
                               size_t n)
{
    return put((struct puan_roster_entry){
        .kind = PUAN_ROSTER_ROTATE, AS("office", "oz"), FIRST,
        .shift = name(shift), .from_day = puan_instant_day(T0, ZONE),
        .turn = 1, .people = who, .n_people = n });
}

static const char *at(int64_t ms)
{
    struct puan_roster_cell c;

    puan_roster_at(&c, &r, 0, ms);
    if (c.state != PUAN_ROSTER_HELD)
        return puan_roster_state_word[c.state];
    return puan_arena_dup(&arena, c.person);
}

static int64_t gap(int64_t from, int64_t until)
{
    struct puan_roster_cell *cell;
    size_t n;

    assert_int_equal(
        puan_roster_cells(&cell, &n, &r, from, until, &arena, &err), PUAN_OK);
    return puan_roster_gap(cell, n);
}

static const struct puan_str three[] = { { "ann", 3 }, { "bo", 2 }, { "cy", 2 } };
static const struct puan_str leaver[] = { { "di", 2 } };

static void turns_go_round_and_over_midnight(void **state)
{
    (void)state;
    begin();
    assert_false(puan_roster_drawn(&r));
    assert_string_equal(at(T0), "empty");
    assert_int_equal(rotate("day", three, 3), PUAN_OK);
    assert_int_equal(rotate("night", three + 1, 2), PUAN_OK);
    assert_true(puan_roster_drawn(&r));
    assert_string_equal(at(T0), "ann");
    assert_string_equal(at(T0 + 12 * HOUR - 1), "ann");
    assert_string_equal(at(T0 + 12 * HOUR), "bo");
    assert_string_equal(at(T0 + 20 * HOUR), "bo"); /* 04:00: the same night */
    assert_string_equal(at(T0 + DAY), "bo");
    assert_string_equal(at(T0 + DAY + 20 * HOUR), "cy");
    assert_string_equal(at(T0 + 3 * DAY), "ann");
    assert_string_equal(at(T0 - 1), "empty"); /* before it begins */
    assert_int_equal(gap(T0, T0 + 7 * DAY), 0);
    assert_int_equal(gap(T0 - 2 * HOUR, T0 + DAY), 120);
    /* the last drawn counts */
    assert_int_equal(rotate("day", three + 2, 1), PUAN_OK);
    assert_string_equal(at(T0), "cy");
}

static void who_leaves_leaves_a_gap(void **state)
{
    struct puan_roster_cell *cell;
    size_t n;

    (void)state;
    begin();
    assert_int_equal(rotate("day", three, 1), PUAN_OK);
    assert_int_equal(rotate("night", leaver, 1), PUAN_OK);
    assert_int_equal(gap(T0, T0 + 2 * DAY), 0); /* control: still holds it */
    assert_string_equal(at(T0 + 2 * DAY + 12 * HOUR), "left");
    assert_int_equal(gap(T0 + 2 * DAY, T0 + 3 * DAY), 12 * 60);
    /* the seat ends within a night: only the rest of it is a gap */
    seat[3].until_ms = T0 + 15 * HOUR;
    assert_int_equal(
        puan_roster_cells(&cell, &n, &r, T0, T0 + DAY, &arena, &err), PUAN_OK);
    assert_int_equal(puan_roster_gap(cell, n), 9 * 60);
    assert_int_equal(cell[1].state, PUAN_ROSTER_HELD);
    assert_int_equal(cell[2].state, PUAN_ROSTER_LEFT);
    assert_int_equal(cell[2].from_ms, T0 + 15 * HOUR);
    /* filled by the office, or empty on purpose: no gap */
    assert_int_equal(put((struct puan_roster_entry){
                         .kind = PUAN_ROSTER_COVER, AS("office", "oz"), FIRST,
                         .who = name("bo"), .from_ms = T0 + 15 * HOUR,
                         .until_ms = T0 + DAY }),
                     PUAN_OK);
    assert_int_equal(gap(T0, T0 + DAY), 0);
    assert_string_equal(at(T0 + 16 * HOUR), "bo");
    assert_int_equal(put((struct puan_roster_entry){
                         .kind = PUAN_ROSTER_REST, AS("office", "oz"), FIRST,
                         .text = name("office is shut"),
                         .from_ms = T0 + 36 * HOUR, .until_ms = T0 + 2 * DAY }),
                     PUAN_OK);
    assert_string_equal(at(T0 + 37 * HOUR), "meant");
    assert_int_equal(gap(T0 + 36 * HOUR, T0 + 2 * DAY), 0);
}

static void rosters_are_drawn_by_their_office(void **state)
{
    struct puan_roster_entry e = { .kind = PUAN_ROSTER_COVER, FIRST,
                                   .role = PUAN_STR("officer"),
                                   .person = PUAN_STR("ann"),
                                   .who = PUAN_STR("bo"), .from_ms = T0 - HOUR,
                                   .until_ms = T0 + HOUR };

    (void)state;
    begin();
    assert_int_equal(put(e), PUAN_EDENIED);
    e.role = PUAN_STR("office");
    e.who = PUAN_STR("nobody");
    assert_int_equal(put(e), PUAN_ECONFLICT);
    e.who = PUAN_STR("bo");
    assert_int_equal(put(e), PUAN_OK);
    assert_int_equal(entry[0].from_ms, T0); /* the past is left alone */
    e.until_ms = T0;
    assert_int_equal(put(e), PUAN_ECONFLICT);
    e.until_ms = e.from_ms;
    assert_int_equal(put(e), PUAN_EINVAL);
}

static struct puan_roster_entry word(enum puan_roster_kind kind,
                                     const char *role, const char *person,
                                     int64_t of)
{
    return (struct puan_roster_entry){ .kind = kind, .role = name(role),
                                       .person = name(person), .of = of };
}

static void a_swap_needs_the_other_and_a_third(void **state)
{
    struct puan_roster_entry swap = { .kind = PUAN_ROSTER_SWAP, FIRST,
                                      AS("officer", "ann"),
                                      .who = PUAN_STR("cy"),
                                      .from_ms = T0 + 3 * DAY,
                                      .until_ms = T0 + 3 * DAY + 12 * HOUR };
    int64_t id, when = swap.from_ms + HOUR;

    (void)state;
    begin();
    assert_int_equal(rotate("day", three, 3), PUAN_OK);
    swap.person = PUAN_STR("bo"); /* not his shift */
    assert_int_equal(put(swap), PUAN_EDENIED);
    swap.person = PUAN_STR("ann");
    swap.who = PUAN_STR("ann");
    assert_int_equal(put(swap), PUAN_EINVAL);
    swap.who = PUAN_STR("cy");
    assert_int_equal(put(swap), PUAN_OK);
    id = (int64_t)r.n;
    assert_string_equal(at(when), "ann");
    assert_int_equal(put(word(PUAN_ROSTER_AGREE, "officer", "bo", id)),
                     PUAN_EDENIED);
    assert_int_equal(put(word(PUAN_ROSTER_APPROVE, "office", "oz", id)),
                     PUAN_ECONFLICT);
    assert_int_equal(put(word(PUAN_ROSTER_AGREE, "officer", "cy", id)),
                     PUAN_OK);
    assert_string_equal(at(when), "ann");
    assert_int_equal(put(word(PUAN_ROSTER_APPROVE, "office", "cy", id)),
                     PUAN_EDENIED);
    assert_int_equal(put(word(PUAN_ROSTER_APPROVE, "office", "oz", id)),
                     PUAN_OK);
    assert_string_equal(at(when), "cy");
    assert_int_equal(put(word(PUAN_ROSTER_DECLINE, "officer", "ann", id)),
                     PUAN_ECONFLICT);
    /* a later cover lies over it */
    assert_int_equal(put((struct puan_roster_entry){
                         .kind = PUAN_ROSTER_COVER, AS("office", "oz"), FIRST,
                         .who = name("bo"), .from_ms = swap.from_ms,
                         .until_ms = swap.until_ms }),
                     PUAN_OK);
    assert_string_equal(at(when), "bo");
}

static void a_call_is_answered_or_somebody_is_unreachable(void **state)
{
    struct puan_roster_entry call = { .kind = PUAN_ROSTER_TEST,
                                      AS("office", "oz"),
                                      .who = PUAN_STR("bo") };
    struct puan_roster_entry answer = { .kind = PUAN_ROSTER_ANSWER,
                                        AS("officer", "ann"), .of = 1 };
    struct puan_roster_reach x;

    (void)state;
    begin();
    puan_roster_reach(&x, &r, name("bo"), T0);
    assert_true(x.stale);
    assert_false(x.unreachable);
    assert_null(x.contact);
    assert_int_equal(put(call), PUAN_OK);
    puan_roster_reach(&x, &r, name("bo"), T0 + 9 * 60000);
    assert_true(x.pending);
    puan_roster_reach(&x, &r, name("bo"), T0 + 10 * 60000);
    assert_true(x.unreachable);
    answer.at_ms = T0 + HOUR;
    assert_int_equal(put(answer), PUAN_EINVAL); /* how did she hear it? */
    answer.text = PUAN_STR("rang back on the other number");
    assert_int_equal(put(answer), PUAN_OK);
    assert_int_equal(put(answer), PUAN_ECONFLICT);
    puan_roster_reach(&x, &r, name("bo"), T0 + 2 * HOUR);
    assert_false(x.unreachable);
    assert_false(x.stale);
    puan_roster_reach(&x, &r, name("bo"), T0 + HOUR + 30 * DAY + 1);
    assert_true(x.stale);
    puan_roster_reach(&x, &r, name("ann"), T0);
    assert_null(x.call); /* another's calls are not hers */
}

static void a_matter_is_handed_on_complete(void **state)
{
    struct puan_roster_entry log = { .kind = PUAN_ROSTER_LOG,
                                     AS("officer", "bo"),
                                     .text = PUAN_STR("short") };
    struct puan_roster_entry pass = { .kind = PUAN_ROSTER_PASS,
                                      AS("officer", "ann"), .of = 0,
                                      .group = PUAN_STR("tech") };

    (void)state;
    begin();
    assert_int_equal(rotate("day", three, 1), PUAN_OK);
    assert_int_equal(put(log), PUAN_EDENIED); /* bo is not on duty */
    log.person = PUAN_STR("ann");
    assert_int_equal(put(log), PUAN_OK);
    pass.of = (int64_t)r.n;
    assert_int_equal(put(pass), PUAN_ECONFLICT);
    assert_string_equal(err.where, "heard");
    log.from_ms = T0 - HOUR;
    assert_int_equal(put(log), PUAN_OK);
    pass.of = (int64_t)r.n;
    assert_int_equal(put(pass), PUAN_ECONFLICT);
    assert_string_equal(err.where, "who");
    log.who = PUAN_STR("township office");
    assert_int_equal(put(log), PUAN_OK);
    pass.of = (int64_t)r.n;
    assert_int_equal(put(pass), PUAN_ECONFLICT);
    assert_string_equal(err.where, "text");
    log.text = PUAN_STR("direct reporting is down in three townships");
    assert_int_equal(put(log), PUAN_OK);
    pass.of = (int64_t)r.n;
    pass.group = PUAN_STR("fire");
    assert_int_equal(put(pass), PUAN_EINVAL);
    pass.group = PUAN_STR("tech");
    assert_int_equal(put(pass), PUAN_OK);
    assert_int_equal(put(pass), PUAN_ECONFLICT);
    log.from_ms = T0 + HOUR;
    assert_int_equal(put(log), PUAN_EINVAL);
}

static void duty_is_handed_over_by_two(void **state)
{
    struct puan_roster_entry offer = { .kind = PUAN_ROSTER_OFFER, FIRST,
                                       AS("officer", "ann"),
                                       .text = PUAN_STR("two cases open"),
                                       .digest = PUAN_STR("aa") };
    struct puan_roster_entry take = { .kind = PUAN_ROSTER_RELIEVE,
                                      AS("officer", "ann"),
                                      .digest = PUAN_STR("aa") };

    (void)state;
    begin();
    assert_int_equal(rotate("day", three, 1), PUAN_OK);
    offer.person = PUAN_STR("bo");
    assert_int_equal(put(offer), PUAN_EDENIED);
    offer.person = PUAN_STR("ann");
    assert_int_equal(put(offer), PUAN_OK);
    take.of = (int64_t)r.n;
    assert_int_equal(put(take), PUAN_EDENIED); /* with herself */
    take.person = PUAN_STR("bo");
    take.digest = PUAN_STR("bb");
    assert_int_equal(put(take), PUAN_ECONFLICT);
    take.digest = PUAN_STR("aa");
    take.person = PUAN_STR("stranger");
    assert_int_equal(put(take), PUAN_ECONFLICT);
    take.person = PUAN_STR("bo");
    assert_int_equal(put(take), PUAN_OK);
    assert_int_equal(put(take), PUAN_ECONFLICT);
    /* offered again, the first is void */
    assert_int_equal(put(offer), PUAN_OK);
    offer.digest = PUAN_STR("cc");
    assert_int_equal(put(offer), PUAN_OK);
    take.of = (int64_t)r.n - 1;
    assert_int_equal(put(take), PUAN_ECONFLICT);
}

static void leaders_are_always_on_duty(void **state)
{
    struct puan_str on[8];
    struct puan_roster_cell *cell;
    size_t n;

    (void)state;
    begin();
    duty->leader = true;
    assert_int_equal(puan_roster_on(on, 8, &r, T0 + 3 * HOUR), 4);
    assert_int_equal(puan_roster_on(on, 8, &r, T0 + 3 * DAY), 3);
    assert_int_equal(rotate("day", three, 3), PUAN_ECONFLICT);
    assert_int_equal(
        puan_roster_cells(&cell, &n, &r, T0, T0 + DAY, &arena, &err), PUAN_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_covers_the_day),
        cmocka_unit_test(turns_go_round_and_over_midnight),
        cmocka_unit_test(who_leaves_leaves_a_gap),
        cmocka_unit_test(rosters_are_drawn_by_their_office),
        cmocka_unit_test(a_swap_needs_the_other_and_a_third),
        cmocka_unit_test(a_call_is_answered_or_somebody_is_unreachable),
        cmocka_unit_test(a_matter_is_handed_on_complete),
        cmocka_unit_test(duty_is_handed_over_by_two),
        cmocka_unit_test(leaders_are_always_on_duty),
    };
    int failed;

    puan_arena_init(&arena, &puan_test_heap);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    puan_arena_clear(&arena);
    return failed;
}
