/*
 * A campaign as a frame, on both engines: areas, households and persons stand
 * where the tree puts them; a correction changes what it changed; what is taken
 * over from the frame before is what reading it again gives.
 */
#include "features/host/test_fixture.h"

#include <stdlib.h>

#include "features/frame/campaign.h"
#include "core/plan/plan.h"
#include "kit/os/os.h"

static struct puan_frames *read(struct puan_fix *f,
                                const struct puan_frame *before,
                                struct puan_frames_campaign_told *told)
{
    struct puan_frames_campaign_options opt = { .before = before,
                                                .threads = 2 };
    struct puan_frames *out = NULL;

    ok(puan_frames_campaign(&out, told, f->st, &opt, err));
    ok(puan_frames_digest(out, err));
    return out;
}

static const struct puan_frame_entity *entity(const struct puan_frames *f,
                                              const char *name)
{
    const struct puan_frame *fr = puan_frames_frame(f);
    int i = puan_frame_entity(fr, puan_str_of(name));

    assert_true(i >= 0);
    return &fr->entity[i];
}

static int64_t value(const struct puan_frame_entity *e, const char *item,
                     uint64_t row)
{
    int i = puan_frame_item(e, puan_str_of(item));
    enum puan_state st;
    int64_t v;

    assert_true(i >= 0);
    v = puan_frame_value(&st, &e->item[i], row);
    assert_int_equal(st, PUAN_GIVEN);
    return v;
}

/* Opens it again, so that readers see what was written. */
static void a_campaign_is_a_tree_of_rows(void **state)
{
    const char *url[2];
    size_t n = puan_fix_engines(url);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct puan_fix *f = puan_fix_canton(url[i]);
        struct puan_frames_campaign_told told;
        struct puan_frames *one, *two, *over;
        const struct puan_frame_entity *home, *round, *parish;
        const struct puan_frame *fr;
        const int64_t last = 110020010001;

        puan_fix_send(f, 110010010001, 0, "3");
        puan_fix_send(f, 110010010002, 0, "2");
        puan_fix_send(f, last, 0, "4");
        one = read(f, NULL, &told);
        fr = puan_frames_frame(one);
        assert_int_equal(told.returns, 3);
        assert_int_equal(told.taken_over, 0);
        home = entity(one, "household");
        assert_int_equal(home->rows, 3);
        assert_int_equal(value(home, "key", 2), last);
        assert_int_equal(value(home, "key", 0), 110010010001);
        /* levels above, each parting the one below */
        ok(puan_frame_check(fr, err));
        round = &fr->entity[home->parent];
        assert_int_equal(round->rows, 3);
        assert_int_equal(home->first[1], 2);
        assert_int_equal(home->first[2], 3);
        assert_int_equal(home->first[3], 3); /* the last round is empty */
        parish = &fr->entity[round->parent];
        assert_int_equal(value(parish, "area", 1), 11002);

        /* a correction of one household */
        puan_fix_send(f, last, 1, "5");
        two = read(f, NULL, &told);
        assert_memory_not_equal(fr->digest, puan_frames_frame(two)->digest,
                                PUAN_DIGEST_SIZE);
        assert_int_equal(entity(two, "household")->rows, 3);
        over = read(f, fr, &told);
        assert_int_equal(told.returns + told.taken_over, 3);
        assert_memory_equal(puan_frames_frame(over)->digest,
                            puan_frames_frame(two)->digest, PUAN_DIGEST_SIZE);
        puan_frames_close(over);
        /* nothing has changed since: nothing is read */
        over = read(f, puan_frames_frame(two), &told);
        assert_int_equal(told.returns, 0);
        assert_int_equal(told.taken_over, 3);
        assert_memory_equal(puan_frames_frame(over)->digest,
                            puan_frames_frame(two)->digest, PUAN_DIGEST_SIZE);
        puan_frames_close(over);
        puan_frames_close(two);
        puan_frames_close(one);
        puan_fix_end(f);
    }
}

static void what_is_not_there_is_told(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_frames_campaign_options opt = { .area = 99 };
    struct puan_str form = PUAN_STR("no-such-form");
    struct puan_frames_campaign_told told;
    struct puan_frames *out;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_frames_campaign(&out, &told, f->st, &opt, &err),
                     PUAN_ENOTFOUND);
    err = (struct puan_err){ 0 };
    opt = (struct puan_frames_campaign_options){ .form = &form, .n_forms = 1 };
    assert_int_equal(puan_frames_campaign(&out, &told, f->st, &opt, &err),
                     PUAN_ENOTFOUND);
    puan_fix_end(f);
}

/* A code stands where the return has none, and nowhere else. */
static void codes_given_since_stand_where_there_is_none(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *path = puan_arena_fmt(&f->a, "%s/codes.csv", f->root);
    const char *rent = puan_arena_fmt(&f->a, "rent=%s", path);
    const char *rooms = puan_arena_fmt(&f->a, "rooms=%s", path);
    const char *job = puan_arena_fmt(&f->a, "job=%s", path);
    struct puan_frames_codes codes[2];
    struct puan_frames_campaign_options opt = { .threads = 1, .codes = codes,
                                                .n_codes = 2 };
    const struct puan_plan *plan = puan_store_plan(f->st);
    struct puan_frames_campaign_told told;
    struct puan_frames *frames, *plain;
    const struct puan_frame_entity *home;
    enum puan_state st;
    int i;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110020010001, 0, "2");
    ok(puan_file_write(path,
                       PUAN_STR("household,line,code,coding\n"
                                "110020010001,1,12.50,coded\n"
                                "110010010001,1,9.00,doubtful\n"),
                       0600, err));
    ok(puan_frames_codes_read(&codes[0], rent, plan, &f->a, err));
    assert_int_equal(codes[0].n, 1); /* the doubtful one waits for a clerk */
    ok(puan_file_write(path,
                       PUAN_STR("household,line,code\n"
                                "110020010001,1,7\n"),
                       0600, err));
    ok(puan_frames_codes_read(&codes[1], rooms, plan, &f->a, err));
    ok(puan_frames_campaign(&frames, &told, f->st, &opt, err));
    home = entity(frames, "household");
    i = puan_frame_item(home, PUAN_STR("rent"));
    assert_true(i >= 0);
    (void)puan_frame_value(&st, &home->item[i], 0);
    assert_int_not_equal(st, PUAN_GIVEN);
    assert_int_equal(value(home, "rent", 1), 1250);
    assert_int_equal(value(home, "rooms", 1), 2); /* what was collected */
    plain = read(f, puan_frames_frame(frames), &told);
    assert_int_equal(told.taken_over, 0); /* codes are of that frame alone */
    home = entity(plain, "household");
    (void)puan_frame_value(&st, &home->item[i], 1);
    assert_int_not_equal(st, PUAN_GIVEN);
    puan_frames_close(plain);
    puan_frames_close(frames);

    assert_int_equal(puan_frames_codes_read(&codes[0], job, plan, &f->a, &f->err),
                     PUAN_ENOTFOUND);
    ok(puan_file_write(path,
                       PUAN_STR("household,line,code\n"
                                "110020010001,1,7\n110020010001,1,8\n"),
                       0600, err));
    assert_int_equal(
        puan_frames_codes_read(&codes[0], rooms, plan, &f->a, NULL),
        PUAN_ECONFLICT);
    ok(puan_file_write(path,
                       PUAN_STR("household,line,code\n110020010001,1,x\n"),
                       0600, err));
    f->err = (struct puan_err){ 0 };
    assert_int_equal(
        puan_frames_codes_read(&codes[0], rooms, plan, &f->a, &f->err),
        PUAN_EINVAL);
    assert_int_equal(f->err.line, 2);
    assert_int_equal(f->err.col, 3);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_is_a_tree_of_rows),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(codes_given_since_stand_where_there_is_none),
    };

    return cmocka_run_group_tests_name("frame_campaign", tests, NULL, NULL);
}
