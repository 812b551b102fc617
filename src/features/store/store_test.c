/*
 * The store on both engines: what is committed is chained and stays, what
 * fails leaves nothing, what crosses stores arrives once.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/test_fixture.h"
#include "kit/crypto/keys.h"

/* ---- a feature of the test's own ----------------------------------------------- */

static const struct puan_schema_step test_schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE t(k BIGINT PRIMARY KEY, v TEXT NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE t(k BIGINT PRIMARY KEY, v TEXT NOT NULL);" },
};
static const char *const test_kinds[] = { "t.note", NULL };

static enum puan_status put(struct puan_db *db, int64_t k, struct puan_str v,
                            struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st =
        puan_sql(&s, db, "INSERT INTO t(k, v) VALUES ($1, $2)", err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, k);
    puan_bind_text(s, 2, v);
    return puan_stmt_once(s, err);
}

static enum puan_status test_inbox(struct puan_store *store,
                                   struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, struct puan_str body,
                                   struct puan_err *err)
{
    int64_t k;

    (void)store;
    (void)sh;
    (void)act;
    if (!puan_int_parse(&k, body))
        return puan_fail(err, PUAN_EINVAL, "t", "not a number");
    return put(db, k, PUAN_STR("arrived"), err);
}

static const struct puan_feature test_feature = {
    .name = "t",
    .schema = test_schema,
    .n_schema = PUAN_COUNT(test_schema),
    .inbox_kinds = test_kinds,
    .inbox = test_inbox,
};

const struct puan_feature *const puan_features[] = { &test_feature,
                                                     &puan_feature_store,
                                                     NULL };

/* ---- set-up --------------------------------------------------------------------- */

static struct puan_fix *make(const char *birth, const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);

    f->opt.kek_file = strcmp(birth, "demo") == 0
                          ? NULL
                          : puan_arena_fmt(&f->a, "%s/kek", f->root);
    puan_fix_create(f, birth, "plans/zz-test", "intl");
    puan_fix_open(f);
    return f;
}

static const char *engines[2];
static size_t n_engines;

/* ---- acts ------------------------------------------------------------------------ */

struct step {
    int64_t k;
    enum puan_status refuse; /* before any change */
    bool silent, twice;
    int runs, undone;
    size_t send_to;
    bool send;
};

static enum puan_status step_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct step *s = arg;
    char text[32];
    enum puan_status st;

    s->runs++;
    if (s->refuse)
        return puan_fail(err, s->refuse, "t", "refused");
    st = put(db, s->k, PUAN_STR("x"), err);
    if (st == PUAN_OK && s->twice) { /* a statement that fails */
        st = put(db, s->k, PUAN_STR("x"), err);
        return st == PUAN_OK ? PUAN_EBUG : PUAN_EIO;
    }
    if (st == PUAN_OK && s->send) {
        puan_format(text, sizeof(text), "%lld", (long long)(s->k + 1000));
        st = puan_outbox_put(sh, db, s->send_to, "t.note", puan_str_of(text),
                             err);
    }
    if (st == PUAN_OK)
        act->silent = s->silent;
    return st;
}

static void step_undo(struct puan_shard *sh, struct puan_act *act, void *arg)
{
    struct step *s = arg;

    (void)sh;
    (void)act;
    s->undone++;
}

static enum puan_status act(struct puan_shard *sh, struct step *s,
                            struct puan_act *a, struct puan_err *err)
{
    *a = (struct puan_act){ .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("t.put"),
                            .undo = step_undo };
    return puan_commit(sh, a, step_body, s, err);
}

static int64_t count(struct puan_shard *sh, const char *sql)
{
    struct puan_db *db = NULL;
    int64_t n = -1;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_db_int(&n, db, sql, -1, err));
    puan_read_end(sh, db);
    return n;
}

/* Reads the chain as anybody could: order, previous digests, own digests. */
static uint64_t chain(struct puan_fix *f, struct puan_shard *sh)
{
    const struct puan_digest_fn *fn = puan_store_digest(f->st);
    uint8_t prev[PUAN_DIGEST_SIZE] = { 0 }, d[PUAN_DIGEST_SIZE];
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    uint64_t n = 0;
    bool more = true;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_sql(&s, db, "SELECT seq, entry, digest FROM ledger ORDER BY seq",
                err));
    for (;;) {
        struct puan_entry e;
        struct puan_str bytes;

        ok(puan_stmt_step(&more, s, err));
        if (!more)
            break;
        bytes = puan_col_bytes(s, 1);
        ok(puan_entry_decode(&e, bytes, &f->a, err));
        assert_int_equal(puan_col_int(s, 0), n);
        assert_int_equal(e.seq, n);
        assert_memory_equal(e.previous, prev, sizeof(prev));
        puan_entry_digest(d, fn, bytes);
        assert_int_equal(puan_col_bytes(s, 2).n, sizeof(d));
        assert_memory_equal(puan_col_bytes(s, 2).p, d, sizeof(d));
        memcpy(prev, d, sizeof(prev));
        n++;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return n;
}

/* ---- tests ------------------------------------------------------------------------ */

static void a_directory_is_made_once_and_opened_once(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_err err = { 0 };
        struct puan_store *second = NULL;

        assert_string_equal(puan_store_birth(f->st), "demo");
        assert_int_equal(strlen(puan_store_id(f->st)), 16);
        assert_int_equal(puan_store_shards(f->st), 1);
        assert_int_equal(puan_store_open(&second, f->dir, &f->opt, &err),
                         PUAN_EBUSY);
        assert_null(second);
        memset(&err, 0, sizeof(err));
        assert_int_equal(puan_store_create(f->dir, "demo", "plans/zz-test",
                                           "intl", &f->opt, &err),
                         PUAN_ECONFLICT);
        memset(&err, 0, sizeof(err));
        assert_int_equal(
            puan_store_open(&second, f->root, &f->opt, &err), PUAN_ENOTFOUND);
        puan_fix_end(f);
    }
}

static void acts_are_chained_and_stay(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_shard *sh = puan_store_office(f->st);
        uint64_t born = puan_shard_height(sh);

        for (int i = 0; i < 20; i++) {
            struct step s = { .k = i };
            struct puan_act a;

            ok(act(sh, &s, &a, err));
            assert_int_equal(a.seq, born + (uint64_t)i);
            assert_true(a.entry_ms > 0);
        }
        assert_int_equal(chain(f, sh), born + 20);
        puan_fix_reopen(f);
        sh = puan_store_office(f->st);
        assert_int_equal(puan_shard_height(sh), born + 20);
        assert_int_equal(count(sh, "SELECT COUNT(*) FROM t"), 20);
        puan_fix_end(f);
    }
}

static void a_refused_act_leaves_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_shard *sh = puan_store_office(f->st);
        uint64_t born = puan_shard_height(sh);
        struct step bad = { .k = 1, .refuse = PUAN_EDENIED },
                    good = { .k = 2 }, quiet = { .k = 3, .silent = true };
        struct puan_err err1 = { 0 };
        struct puan_act a;

        assert_int_equal(act(sh, &bad, &a, &err1), PUAN_EDENIED);
        assert_string_equal(err1.text, "refused");
        ok(act(sh, &good, &a, err));
        ok(act(sh, &quiet, &a, err));
        assert_int_equal(count(sh, "SELECT COUNT(*) FROM t"), 2);
        assert_int_equal(chain(f, sh), born + 1);
        puan_fix_end(f);
    }
}

struct gather {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int left, good;
};
struct queued {
    struct puan_act act;
    struct step step;
    struct gather *g;
};

static enum puan_status queued_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *a, void *arg,
                                    struct puan_err *err)
{
    return step_body(sh, db, a, &((struct queued *)arg)->step, err);
}

static void queued_undo(struct puan_shard *sh, struct puan_act *a, void *arg)
{
    step_undo(sh, a, &((struct queued *)arg)->step);
}

static void queued_done(enum puan_status st, struct puan_act *a, void *arg,
                        const struct puan_err *err)
{
    struct gather *g = ((struct queued *)arg)->g;

    (void)a;
    (void)err;
    pthread_mutex_lock(&g->lock);
    g->good += st == PUAN_OK;
    if (--g->left == 0)
        pthread_cond_signal(&g->cond);
    pthread_mutex_unlock(&g->lock);
}

/* One hot act of a batch breaks a statement: the others stand all the same. */
static void a_broken_act_takes_nobody_along(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_shard *sh = puan_store_office(f->st);
        uint64_t born = puan_shard_height(sh);
        struct gather g = { .left = 50 };
        struct queued *q = calloc(50, sizeof(*q));
        int undone = 0;

        pthread_mutex_init(&g.lock, NULL);
        pthread_cond_init(&g.cond, NULL);
        puan_store_hold(f->st); /* so that they make one batch */
        for (int i = 0; i < 50; i++) {
            q[i].g = &g;
            q[i].step = (struct step){ .k = i, .twice = i == 25 };
            q[i].act = (struct puan_act){ .actor = PUAN_STR("tester"),
                                          .verb = PUAN_STR("t.put"),
                                          .hot = true,
                                          .undo = queued_undo };
            puan_commit_async(sh, &q[i].act, queued_body, queued_done, &q[i]);
        }
        puan_store_release(f->st);
        pthread_mutex_lock(&g.lock);
        while (g.left > 0)
            pthread_cond_wait(&g.cond, &g.lock);
        pthread_mutex_unlock(&g.lock);
        assert_int_equal(g.good, 49);
        for (int i = 0; i < 50; i++)
            undone += q[i].step.undone;
        assert_true(undone >= 25); /* those before it were run again */
        assert_int_equal(count(sh, "SELECT COUNT(*) FROM t"), 49);
        assert_int_equal(chain(f, sh), born + 49);
        free(q);
        puan_fix_end(f);
    }
}

static enum puan_status area_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *a, void *arg,
                                  struct puan_err *err)
{
    static const char *const rows[][3] = {
        { "11", "", "canton" },       { "12", "", "canton" },
        { "11001", "11", "parish" },  { "12001", "12", "parish" },
        { "11001001", "11001", "round" },
        { "12001001", "12001", "round" },
    };
    enum puan_status st = PUAN_OK;

    (void)sh;
    (void)a;
    (void)arg;
    for (size_t i = 0; i < PUAN_COUNT(rows) && st == PUAN_OK; i++) {
        struct puan_stmt *s = NULL;

        st = puan_sql(&s, db,
                      "INSERT INTO area(code, parent, level, name_zh, name_en,"
                      " kind, valid_from, valid_to, successor)"
                      " VALUES ($1, $2, $3, 'n', 'n', 'ordinary', '', '', '')",
                      err);
        if (st != PUAN_OK)
            break;
        for (int c = 0; c < 3; c++)
            puan_bind_text(s, c + 1, puan_str_of(rows[i][c]));
        st = puan_stmt_once(s, err);
    }
    return st;
}

static void two_cantons(struct puan_fix *f)
{
    struct puan_act a = { .actor = PUAN_STR("tester"),
                          .verb = PUAN_STR("areas") };

    ok(puan_commit(puan_store_office(f->st), &a, area_body, NULL, err));
    ok(puan_store_areas_changed(f->st, err));
}

static void areas_make_their_stores(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);

        two_cantons(f);
        for (int pass = 0; pass < 2; pass++) {
            struct puan_shard *sh =
                puan_store_shard_of_household(f->st, 120010010001);

            assert_int_equal(puan_store_shards(f->st), 3);
            assert_int_equal(puan_store_areas(f->st)->n, 6);
            assert_non_null(sh);
            assert_string_equal(puan_shard_name(sh), "12");
            assert_null(puan_store_shard_of_area(f->st, 13));
            assert_null(puan_store_shard_of_area(f->st, 1));
            assert_true(chain(f, sh) >= 2); /* birth and schema */
            puan_fix_reopen(f);
        }
        puan_fix_end(f);
    }
}

static void a_parcel_arrives_once_and_in_order(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_shard *from, *to;
        struct puan_db *db = NULL;
        struct puan_err err1 = { 0 };
        uint64_t height;

        two_cantons(f);
        from = puan_store_shard_of_area(f->st, 11);
        to = puan_store_shard_of_area(f->st, 12);
        for (int i = 0; i < 150; i++) {
            struct step s = { .k = i,
                              .send = true,
                              .send_to = puan_shard_ordinal(to) };
            struct puan_act a;

            ok(act(from, &s, &a, err));
        }
        ok(puan_store_deliver(f->st, err));
        assert_int_equal(count(to, "SELECT COUNT(*) FROM t"), 150);
        assert_int_equal(count(to, "SELECT COUNT(*) FROM inbox"), 150);
        assert_int_equal(
            count(from, "SELECT COUNT(*) FROM outbox WHERE delivered = 0"), 0);
        height = puan_shard_height(to);
        /* the courier fell before it could mark them: all are sent again */
        puan_store_close(f->st);
        {
            char url[4200];

            if (f->opt.url) {
                ok(puan_store_open(&f->st, f->dir, &f->opt, err));
            } else {
                puan_format(url, sizeof(url), "sqlite:%s/returns/11.db",
                            f->dir);
                assert_int_equal(puan_db_open(&db, url, 0, &err1), PUAN_OK);
                assert_int_equal(
                    puan_db_exec(db, "UPDATE outbox SET delivered = 0;",
                                 &err1),
                    PUAN_OK);
                puan_db_close(db);
                ok(puan_store_open(&f->st, f->dir, &f->opt, err));
            }
        }
        ok(puan_store_deliver(f->st, err));
        to = puan_store_shard_of_area(f->st, 12);
        assert_int_equal(count(to, "SELECT COUNT(*) FROM t"), 150);
        assert_int_equal(puan_shard_height(to), height);
        puan_fix_end(f);
    }
}

static void only_a_drill_or_demo_sets_its_clock(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_act a = { .actor = PUAN_STR("tester"),
                              .verb = PUAN_STR("clock.set") };
        struct puan_err err1 = { 0 };
        int64_t was = puan_store_now(f->st);

        assert_true(llabs(was - puan_real_now()) < 2000);
        ok(puan_store_clock_set(f->st, &a, 1000000000000, 0, err));
        assert_int_equal(puan_store_now(f->st), 1000000000000);
        puan_fix_reopen(f);
        assert_int_equal(puan_store_now(f->st), 1000000000000);
        puan_fix_end(f);

        f = make("live", engines[e]);
        a = (struct puan_act){ .verb = PUAN_STR("clock.set") };
        assert_int_equal(
            puan_store_clock_set(f->st, &a, 1000000000000, 0, &err1),
            PUAN_EDENIED);
        puan_fix_end(f);
    }
}

static void a_checkpoint_is_signed_and_grows(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        uint64_t height = 0;

        for (int pass = 0; pass < 3; pass++) {
            struct puan_str json, body;
            struct puan_checkpoint c;
            struct puan_out o;
            struct step s = { .k = pass };
            struct puan_act a;

            ok(act(puan_store_office(f->st), &s, &a, err));
            ok(puan_store_checkpoint(f->st, &json, &f->a, err));
            ok(puan_checkpoint_parse(&c, json, "c", &f->a, err));
            puan_out_init(&o, &f->a);
            puan_checkpoint_body(&o, &c);
            body = puan_out_view(&o);
            ok(puan_sign_verify(puan_keys_sign(puan_store_keys(f->st)), body,
                                c.signature, err));
            assert_int_equal(c.n, 1);
            assert_true(c.store[0].height > height);
            height = c.store[0].height;
            if (pass == 1)
                puan_fix_reopen(f); /* the tree is read back from its file */
        }
        puan_fix_end(f);
    }
}

static enum puan_status cover_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *a, void *arg,
                                   struct puan_err *err)
{
    const char *content = arg;

    return puan_cover(sh, db, a, "t", PUAN_STR("7"), puan_str_of(content),
                      err);
}

static void a_covered_row_is_named_by_its_entry(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make("demo", engines[e]);
        struct puan_shard *sh = puan_store_office(f->st);
        struct puan_act a = { .actor = PUAN_STR("tester"),
                              .verb = PUAN_STR("t.cover") };
        char text[] = "content", other[] = "other";
        uint8_t want[PUAN_DIGEST_SIZE];
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        struct puan_entry entry;
        bool more = false;

        ok(puan_commit(sh, &a, cover_body, text, err));
        ok(puan_commit(sh, &a, cover_body, other, err));
        assert_int_equal(count(sh, "SELECT COUNT(*) FROM covered"), 1);
        assert_int_equal(count(sh, "SELECT seq FROM covered"), a.seq);
        ok(puan_read_begin(&db, sh, err));
        ok(puan_sql(&s, db, "SELECT entry FROM ledger WHERE seq = $1", err));
        puan_bind_int(s, 1, (int64_t)a.seq);
        ok(puan_stmt_step(&more, s, err));
        assert_true(more);
        ok(puan_entry_decode(&entry, puan_col_bytes(s, 0), &f->a, err));
        puan_cover_digest(want, puan_store_digest(f->st), PUAN_STR("t"),
                          PUAN_STR("7"), puan_str_of(other));
        assert_int_equal(entry.n_cover, 1);
        assert_memory_equal(entry.cover[0].digest, want, sizeof(want));
        puan_stmt_done(s);
        puan_read_end(sh, db);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_is_made_once_and_opened_once),
        cmocka_unit_test(acts_are_chained_and_stay),
        cmocka_unit_test(a_refused_act_leaves_nothing),
        cmocka_unit_test(a_broken_act_takes_nobody_along),
        cmocka_unit_test(areas_make_their_stores),
        cmocka_unit_test(a_parcel_arrives_once_and_in_order),
        cmocka_unit_test(only_a_drill_or_demo_sets_its_clock),
        cmocka_unit_test(a_checkpoint_is_signed_and_grows),
        cmocka_unit_test(a_covered_row_is_named_by_its_entry),
    };
    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
