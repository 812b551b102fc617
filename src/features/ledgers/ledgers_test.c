/*
 * What `ledger verify` finds.  Each test makes a small true directory (an
 * office store with covered rows, one returns store with returns, checkpoints
 * signed by its key), does one wrong to it, and looks for the kind of problem.
 * The ledgers are written here, from contract 3, and not by features/store.
 */
#include "features/ledgers/ledgers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plan/plan.h"
#include "features/ledgers/source.h"
#include "features/plans/plans.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

enum { RETURNS = 12 };

/* A feature with one covered table in the office store. */
static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "dup",
      "SELECT CAST(id AS TEXT), token, kinds, area, records, state, decision,"
      " found FROM dup" },
};
static const struct puan_feature feature = { .name = "test",
                                             .covered = covered,
                                             .n_covered = 1 };
static const struct puan_feature *const features[] = { &feature, NULL };

struct chain {
    struct puan_db *db;
    const char *name;
    uint64_t n;
    uint8_t head[PUAN_DIGEST_SIZE];
    struct puan_merkle tree;
};

struct fixture {
    struct puan_arena a;
    const char *dir, *witness;
    const struct puan_suite *suite;
    struct puan_keys *keys;
    struct puan_plan_held *plan;
    struct chain office, county;
};

static const char plan_yaml[] =
    "plan: zz-ledger\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: county, zh: 县, en: County, digits: 2}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 4}\n"
    "roles: {}\nsettings: {}\nforms: [mini]\nwindows: {}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "entities:\n  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      H1: {type: int, min: 0, max: 99, zh: 数, en: Number}\n";

static void ok(enum puan_status st, const struct puan_err *err)
{
    if (st != PUAN_OK)
        print_message("%s: %s\n", err->where, err->text);
    assert_int_equal(st, PUAN_OK);
}

static void sql(struct puan_db *db, const char *text)
{
    struct puan_err err = { 0 };

    ok(puan_db_exec(db, text, &err), &err);
}

/* Appends one entry; `cover` rows also go into the derived table. */
static void append(struct fixture *f, struct chain *c, struct puan_entry e)
{
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_out o;

    e.run = PUAN_RUN_DEMO;
    e.scope = puan_str_of(c->name);
    e.seq = c->n;
    memcpy(e.previous, c->head, PUAN_DIGEST_SIZE);
    puan_out_init(&o, &f->a);
    puan_entry_encode(&o, &e);
    puan_entry_digest(digest, f->suite->digest, puan_out_view(&o));
    ok(puan_sql(&s, c->db,
                "INSERT INTO ledger(seq, entry, digest) VALUES ($1, $2, $3)",
                &err),
       &err);
    puan_bind_int(s, 1, (int64_t)c->n);
    puan_bind_bytes(s, 2, o.p, o.n);
    puan_bind_bytes(s, 3, digest, PUAN_DIGEST_SIZE);
    ok(puan_stmt_run(s, &err), &err);
    puan_stmt_done(s);
    for (size_t i = 0; i < e.n_cover; i++) {
        static const uint8_t zeros[PUAN_DIGEST_SIZE];
        const struct puan_cover_item *item = &e.cover[i];
        bool gone = memcmp(item->digest, zeros, sizeof(zeros)) == 0;

        s = NULL;
        ok(puan_sql(&s, c->db,
                    gone ? "DELETE FROM covered WHERE tbl = $1 AND key = $2"
                         : "INSERT INTO covered(tbl, key, seq, digest)"
                           " VALUES ($1, $2, $3, $4) ON CONFLICT (tbl, key)"
                           " DO UPDATE SET seq = excluded.seq,"
                           " digest = excluded.digest",
                    &err),
           &err);
        puan_bind_text(s, 1, item->table);
        puan_bind_text(s, 2, item->key);
        if (!gone) {
            puan_bind_int(s, 3, (int64_t)c->n);
            puan_bind_bytes(s, 4, item->digest, PUAN_DIGEST_SIZE);
        }
        ok(puan_stmt_run(s, &err), &err);
        puan_stmt_done(s);
    }
    memcpy(c->head, digest, PUAN_DIGEST_SIZE);
    puan_merkle_add(&c->tree, f->suite->digest, digest);
    c->n++;
}

/* Writes or deletes a row of the covered table, with its entry. */
static void dup_row(struct fixture *f, int64_t id, const char *state,
                    bool gone)
{
    struct puan_err err = { 0 };
    struct puan_cover_item item = { PUAN_STR("dup"), { 0 }, { 0 } };
    struct puan_entry e = { .verb = PUAN_STR("duplicate.decide"),
                            .cover = &item,
                            .n_cover = 1 };
    const char *key = puan_arena_fmt(&f->a, "%lld", (long long)id);
    struct puan_stmt *s = NULL;
    struct puan_out o;

    item.key = puan_str_of(key);
    if (gone) {
        ok(puan_sql(&s, f->office.db, "DELETE FROM dup WHERE id = $1", &err),
           &err);
        puan_bind_int(s, 1, id);
    } else {
        puan_out_init(&o, &f->a);
        puan_content_text(&o, item.key); /* token: the id again */
        puan_content_int(&o, 1);
        puan_content_int(&o, 37);
        puan_content_text(&o, PUAN_STR("[]"));
        puan_content_text(&o, puan_str_of(state));
        puan_content_text(&o, PUAN_STR(""));
        puan_content_int(&o, 5);
        puan_cover_digest(item.digest, f->suite->digest, item.table, item.key,
                          puan_out_view(&o));
        ok(puan_sql(&s, f->office.db,
                    "INSERT INTO dup(id, token, kinds, area, records, state,"
                    " decision, found) VALUES ($1, $2, 1, 37, '[]', $3, '', 5)"
                    " ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                    &err),
           &err);
        puan_bind_int(s, 1, id);
        puan_bind_text(s, 2, item.key);
        puan_bind_text(s, 3, puan_str_of(state));
    }
    ok(puan_stmt_run(s, &err), &err);
    puan_stmt_done(s);
    append(f, &f->office, e);
}

static void ret_row(struct fixture *f, int64_t seq)
{
    const struct puan_form *form = puan_plan_held_plan(f->plan)->form[0];
    struct puan_err err = { 0 };
    struct puan_return_head h = { .household = 3701000 + seq,
                                  .form = form->id,
                                  .mode = PUAN_STR("self"),
                                  .device = PUAN_STR("d"),
                                  .counter = (uint64_t)seq,
                                  .finished_ms = 9 };
    struct puan_str frame = PUAN_STR("frame"), facts = PUAN_STR("facts"),
                    vault = PUAN_STR("vault");
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_stmt *s = NULL;

    puan_return_digest(digest, f->suite->digest, &h, 1, form->digest, frame,
                       facts, vault);
    ok(puan_sql(&s, f->county.db,
                "INSERT INTO ret(seq, household, version, form, mode, device,"
                " counter, started, finished, signed, query, frame, facts,"
                " vault, entry, digest, actor, seat, received) VALUES ($1, $2,"
                " 1, 0, 'self', 'd', $1, 0, 9, 0, '', $3, $4, $5, $6, $7,"
                " 'ann', 'own', 11)",
                &err),
       &err);
    puan_bind_int(s, 1, seq);
    puan_bind_int(s, 2, h.household);
    puan_bind_bytes(s, 3, frame.p, frame.n);
    puan_bind_bytes(s, 4, facts.p, facts.n);
    puan_bind_bytes(s, 5, vault.p, vault.n);
    puan_bind_int(s, 6, (int64_t)f->county.n);
    puan_bind_bytes(s, 7, digest, PUAN_DIGEST_SIZE);
    ok(puan_stmt_run(s, &err), &err);
    puan_stmt_done(s);
    append(f, &f->county,
           (struct puan_entry){ .verb = PUAN_STR("return.submit"),
                                .actor = PUAN_STR("ann"),
                                .seat = PUAN_STR("own"),
                                .entry_ms = 11,
                                .new_digest = { (const char *)digest,
                                                PUAN_DIGEST_SIZE } });
}

/* A checkpoint of now, at `path`. */
static void checkpoint(struct fixture *f, const char *path)
{
    struct puan_err err = { 0 };
    struct puan_head head[2] = { { PUAN_STR("office"), f->office.n, { 0 }, { 0 } },
                                 { PUAN_STR("37"), f->county.n, { 0 }, { 0 } } };
    struct puan_checkpoint c = { .installation = PUAN_STR("0123456789abcdef"),
                                 .time_ms = 1604160000000,
                                 .digest = puan_str_of(f->suite->digest->name),
                                 .store = head,
                                 .n = 2,
                                 .alg = PUAN_STR("sm2") };
    uint8_t sig[PUAN_SIGNATURE_MAX];
    struct puan_out o, text;

    memcpy(head[0].head, f->office.head, PUAN_DIGEST_SIZE);
    memcpy(head[1].head, f->county.head, PUAN_DIGEST_SIZE);
    puan_merkle_root(head[0].merkle, &f->office.tree, f->suite->digest);
    puan_merkle_root(head[1].merkle, &f->county.tree, f->suite->digest);
    puan_out_init(&o, &f->a);
    puan_checkpoint_body(&o, &c);
    ok(puan_sign(sig, &c.signature.n, puan_keys_sign(f->keys),
                 puan_out_view(&o), &err),
       &err);
    c.signature.p = (const char *)sig;
    puan_out_init(&text, &f->a);
    puan_checkpoint_text(&text, &c);
    ok(puan_file_write(path, puan_out_view(&text), 0644, &err), &err);
}

static void chain_open(struct fixture *f, struct chain *c, const char *name,
                       const char *path)
{
    struct puan_err err = { 0 };

    *c = (struct chain){ .name = name };
    ok(puan_db_open(&c->db,
                    puan_arena_fmt(&f->a, "sqlite:%s/%s", f->dir, path),
                    PUAN_DB_CREATE, &err),
       &err);
    sql(c->db,
        "CREATE TABLE ledger(seq BIGINT PRIMARY KEY, entry BYTEA NOT NULL,"
        " digest BYTEA NOT NULL);"
        "CREATE TABLE covered(tbl TEXT NOT NULL, key TEXT NOT NULL,"
        " seq BIGINT NOT NULL, digest BYTEA NOT NULL, PRIMARY KEY(tbl, key))");
    append(f, c, (struct puan_entry){ .verb = PUAN_STR("store.birth") });
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct puan_err err = { 0 };
    const char *pack, *path;

    puan_arena_init(&f->a, puan_os_alloc());
    f->suite = puan_suite_by_name("sm");
    ok(puan_dir_temp(&f->dir, &f->a, &err), &err);
    pack = puan_arena_fmt(&f->a, "%s/zz-ledger", f->dir);
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), &err), &err);
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/returns", f->dir), &err), &err);
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/checkpoints", f->dir), &err),
       &err);
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(plan_yaml), 0644, &err),
       &err);
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, &err),
       &err);
    path = puan_arena_fmt(&f->a, "%s/plan", f->dir);
    ok(puan_plan_pin(path, pack, f->suite->digest, NULL, &err), &err);
    ok(puan_plan_load_dir(&f->plan, path, f->suite->digest, &err), &err);
    ok(puan_keys_create(f->dir, f->suite, true, NULL, NULL, &err), &err);
    ok(puan_keys_open(&f->keys, f->dir, NULL, &err), &err);
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/directory.json", f->dir),
                       PUAN_STR("{\"id\":\"0123456789abcdef\",\"suite\":"
                                "\"sm\",\"engine\":\"sqlite\"}"),
                       0644, &err),
       &err);
    chain_open(f, &f->office, "office", "office.db");
    sql(f->office.db,
        "CREATE TABLE shard(ordinal BIGINT PRIMARY KEY, area BIGINT NOT NULL);"
        "INSERT INTO shard VALUES (1, 37);"
        "CREATE TABLE dup(id BIGINT PRIMARY KEY, token TEXT NOT NULL,"
        " kinds BIGINT, area BIGINT, records TEXT, state TEXT, decision TEXT,"
        " found BIGINT)");
    chain_open(f, &f->county, "37", "returns/37.db");
    sql(f->county.db,
        "CREATE TABLE ret(seq BIGINT PRIMARY KEY, household BIGINT,"
        " version BIGINT, form BIGINT, mode TEXT, device TEXT, counter BIGINT,"
        " started BIGINT, finished BIGINT, signed BIGINT, query TEXT,"
        " frame BYTEA, facts BYTEA, vault BYTEA, entry BIGINT,"
        " digest BYTEA, actor TEXT, seat TEXT, received BIGINT)");
    dup_row(f, 1, "open", false);
    dup_row(f, 2, "open", false);
    dup_row(f, 3, "open", false);
    for (int64_t i = 1; i <= RETURNS / 2; i++)
        ret_row(f, i);
    checkpoint(f, puan_arena_fmt(&f->a, "%s/checkpoints/1.json", f->dir));
    dup_row(f, 2, "decided", false);
    dup_row(f, 3, "", true);
    for (int64_t i = RETURNS / 2 + 1; i <= RETURNS; i++)
        ret_row(f, i);
    f->witness = puan_arena_fmt(&f->a, "%s/witness.json", f->dir);
    checkpoint(f, f->witness);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    int bad;

    puan_db_close(f->office.db);
    puan_db_close(f->county.db);
    puan_keys_close(f->keys);
    puan_plan_close(f->plan);
    bad = puan_dir_remove(f->dir, &err) != PUAN_OK;
    puan_arena_clear(&f->a);
    free(f);
    return bad;
}

/* Verifies; true when a problem of that kind was found (NULL: any). */
static bool finds(struct fixture *f, const char *kind, bool with_witness)
{
    struct puan_verify_options opt = { .witness = &f->witness,
                                       .n_witness = with_witness,
                                       .threads = 2,
                                       .features = features };
    struct puan_err err = { 0 };
    struct puan_verify v;

    ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, &err), &err);
    for (uint64_t i = 0; i < v.n_problems; i++)
        if (!kind || strcmp(v.problem[i].kind, kind) == 0)
            return true;
    for (uint64_t i = 0; i < v.n_problems; i++)
        print_message("  only: %s %s: %s\n", v.problem[i].store,
                      v.problem[i].kind, v.problem[i].text);
    return false;
}

static void a_true_directory_has_no_problem(void **state)
{
    struct fixture *f = *state;
    struct puan_verify_options opt = { .witness = &f->witness,
                                       .n_witness = 1,
                                       .features = features };
    struct puan_err err = { 0 };
    struct puan_verify v;
    struct puan_out o;
    struct puan_jw w;

    assert_false(finds(f, NULL, true));
    ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, &err), &err);
    assert_int_equal(v.n_stores, 2);
    assert_int_equal(v.entries, 6 + 1 + RETURNS);
    assert_int_equal(v.returns, RETURNS);
    assert_int_equal(v.rows, 2);
    assert_int_equal(v.checkpoints, 1);
    assert_int_equal(v.witnesses, 1);
    puan_out_init(&o, &f->a);
    puan_jw_init(&w, &o);
    puan_verify_json(&w, &v);
    assert_non_null(strstr(o.p, "\"ok\":true"));
}

static void any_changed_byte_of_any_entry_is_found(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    bool more;

    for (int64_t seq = 0; seq < (int64_t)f->county.n; seq += 5) {
        char *bytes;
        size_t n;

        s = NULL;
        ok(puan_sql(&s, f->county.db, "SELECT entry FROM ledger WHERE seq = $1",
                    &err),
           &err);
        puan_bind_int(s, 1, seq);
        ok(puan_stmt_step(&more, s, &err), &err);
        n = puan_col_bytes(s, 0).n;
        bytes = puan_arena_get(&f->a, n);
        memcpy(bytes, puan_col_bytes(s, 0).p, n);
        puan_stmt_done(s);
        for (size_t i = 0; i < n; i += 7) {
            for (int pass = 0; pass < 2; pass++) { /* change, then mend */
                bytes[i] = (char)(bytes[i] ^ 0x20);
                s = NULL;
                ok(puan_sql(&s, f->county.db,
                            "UPDATE ledger SET entry = $1 WHERE seq = $2",
                            &err),
                   &err);
                puan_bind_bytes(s, 1, bytes, n);
                puan_bind_int(s, 2, seq);
                ok(puan_stmt_run(s, &err), &err);
                puan_stmt_done(s);
                if (pass == 0)
                    assert_true(finds(f, "entry-changed", false));
            }
        }
    }
    assert_false(finds(f, NULL, true));
}

static void any_changed_part_of_a_return_is_found(void **state)
{
    static const char *const wrong[] = {
        "UPDATE ret SET frame = X'00' WHERE seq = 3",
        "UPDATE ret SET facts = X'00' WHERE seq = 3",
        "UPDATE ret SET vault = X'00' WHERE seq = 3",
        "UPDATE ret SET digest = X'00' WHERE seq = 3",
        "UPDATE ret SET household = household + 1 WHERE seq = 3",
        "UPDATE ret SET version = 2 WHERE seq = 3",
        "UPDATE ret SET mode = 'other' WHERE seq = 3",
        "UPDATE ret SET device = 'e' WHERE seq = 3",
        "UPDATE ret SET counter = 99 WHERE seq = 3",
        "UPDATE ret SET started = 1 WHERE seq = 3",
        "UPDATE ret SET finished = 1 WHERE seq = 3",
        "UPDATE ret SET signed = 1 WHERE seq = 3",
        "UPDATE ret SET query = '7' WHERE seq = 3",
        "UPDATE ret SET form = 5 WHERE seq = 3",
        "UPDATE ret SET actor = 'bob' WHERE seq = 3",
        "UPDATE ret SET seat = 'other' WHERE seq = 3",
        "UPDATE ret SET received = 12 WHERE seq = 3",
    };
    struct fixture *f = *state;

    sql(f->county.db, "CREATE TABLE kept AS SELECT * FROM ret");
    for (size_t i = 0; i < PUAN_COUNT(wrong); i++) {
        sql(f->county.db, wrong[i]);
        assert_true(finds(f, "return-changed", false));
        sql(f->county.db, "DELETE FROM ret; INSERT INTO ret SELECT * FROM kept");
    }
    assert_false(finds(f, NULL, true));
}

static void a_return_removed_added_or_shared_is_found(void **state)
{
    struct fixture *f = *state;

    sql(f->county.db, "CREATE TABLE kept AS SELECT * FROM ret;"
                      "DELETE FROM ret WHERE seq = 4");
    assert_true(finds(f, "return-removed", false));
    sql(f->county.db, "DELETE FROM ret; INSERT INTO ret SELECT * FROM kept;"
                      "DELETE FROM ret WHERE seq = 12");
    assert_true(finds(f, "return-removed", false)); /* the last one */
    sql(f->county.db, "DELETE FROM ret; INSERT INTO ret SELECT * FROM kept;"
                      "INSERT INTO ret SELECT 13, household, version, form,"
                      " mode, device, counter, started, finished, signed,"
                      " query, frame, facts, vault, entry, digest, actor, seat,"
                      " received FROM kept"
                      " WHERE seq = 3");
    assert_true(finds(f, "return-added", false));
    sql(f->county.db, "UPDATE ret SET entry = 0 WHERE seq = 13");
    assert_true(finds(f, "return-added", false));
}

static void entries_cut_off_at_the_end_are_found(void **state)
{
    struct fixture *f = *state;

    /* the last return with its entry: only a witness can know */
    sql(f->county.db, "DELETE FROM ret WHERE seq = 12;"
                      "DELETE FROM ledger WHERE seq = 12");
    assert_false(finds(f, NULL, false));
    assert_true(finds(f, "witness-longer", true));
}

static void a_gap_is_found(void **state)
{
    struct fixture *f = *state;

    sql(f->county.db, "DELETE FROM ledger WHERE seq = 5");
    assert_true(finds(f, "entries-missing", false));
    sql(f->county.db, "DELETE FROM ledger WHERE seq = 0");
    assert_true(finds(f, "entries-missing", false));
}

static void an_absurd_number_does_not_stop_the_verification(void **state)
{
    struct fixture *f = *state;

    sql(f->county.db, "UPDATE ledger SET seq = 9000000000000000000"
                      " WHERE seq = 12");
    assert_true(finds(f, "entries-missing", true));
    sql(f->county.db, "UPDATE ledger SET seq = -7 WHERE seq > 100");
    assert_true(finds(f, "witness-longer", true));
    assert_true(finds(f, "entry-foreign", true));
    sql(f->county.db, "UPDATE ret SET seq = -2 WHERE seq = 12");
    assert_true(finds(f, "return-added", false));
    sql(f->county.db, "UPDATE ret SET seq = 9000000000000000000"
                      " WHERE seq = -2");
    assert_true(finds(f, "return-added", false));
}

static void two_swapped_entries_are_found(void **state)
{
    struct fixture *f = *state;

    sql(f->county.db, "UPDATE ledger SET seq = 100 WHERE seq = 4;"
                      "UPDATE ledger SET seq = 4 WHERE seq = 5;"
                      "UPDATE ledger SET seq = 5 WHERE seq = 100");
    assert_true(finds(f, "entry-moved", false));
    assert_true(finds(f, "chain-broken", false));
}

static void a_rewritten_chain_is_found_by_the_witness(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    /* everything anew, with one return less, and the directory's own
       checkpoints made anew with the real key */
    sql(f->county.db, "DELETE FROM ledger; DELETE FROM ret");
    f->county.n = 0;
    memset(f->county.head, 0, PUAN_DIGEST_SIZE);
    puan_merkle_init(&f->county.tree);
    append(f, &f->county,
           (struct puan_entry){ .verb = PUAN_STR("store.birth"),
                                .note = PUAN_STR("another") });
    for (int64_t i = 1; i <= RETURNS; i++)
        ret_row(f, i);
    ok(puan_file_remove(
           puan_arena_fmt(&f->a, "%s/checkpoints/1.json", f->dir), &err),
       &err);
    checkpoint(f, puan_arena_fmt(&f->a, "%s/checkpoints/2.json", f->dir));
    assert_false(finds(f, NULL, false));
    assert_true(finds(f, "witness-differs", true));
}

static void an_old_copy_put_back_is_found_by_the_witness(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    const char *old = puan_arena_fmt(&f->a, "%s/old.db", f->dir);
    const char *now = puan_arena_fmt(&f->a, "%s/office.db", f->dir);

    ok(puan_db_copy_to(f->office.db, old, &err), &err);
    dup_row(f, 7, "open", false);
    checkpoint(f, f->witness);
    puan_db_close(f->office.db);
    f->office.db = NULL;
    ok(puan_file_remove(now, &err), &err);
    ok(puan_file_copy(old, now, &err), &err);
    assert_false(finds(f, NULL, false));
    assert_true(finds(f, "witness-longer", true));
}

static void a_row_changed_removed_or_added_elsewhere_is_found(void **state)
{
    struct fixture *f = *state;

    sql(f->office.db, "CREATE TABLE kept AS SELECT * FROM dup;"
                      "UPDATE dup SET state = 'kept' WHERE id = 1");
    assert_true(finds(f, "row-changed", false));
    sql(f->office.db, "DELETE FROM dup; INSERT INTO dup SELECT * FROM kept;"
                      "DELETE FROM dup WHERE id = 1");
    assert_true(finds(f, "row-removed", false));
    /* with its line in the derived table as well */
    sql(f->office.db, "DELETE FROM covered WHERE key = '1'");
    assert_true(finds(f, "row-removed", false));
    sql(f->office.db, "DELETE FROM dup; INSERT INTO dup SELECT * FROM kept;"
                      "INSERT INTO dup SELECT 9, token, kinds, area, records,"
                      " state, decision, found FROM kept WHERE id = 2");
    assert_true(finds(f, "row-added", false));
}

static void a_row_put_back_to_what_it_was_is_found(void **state)
{
    struct fixture *f = *state;

    /* row 2 as entry 2 wrote it, and `covered` made to agree */
    sql(f->office.db,
        "UPDATE dup SET state = 'open' WHERE id = 2;"
        "UPDATE covered SET seq = 2 WHERE tbl = 'dup' AND key = '2'");
    assert_true(finds(f, "row-put-back", false));
}

static void a_deleted_row_brought_back_is_found(void **state)
{
    struct fixture *f = *state;

    sql(f->office.db,
        "INSERT INTO dup SELECT 3, '3', kinds, area, records, 'open', '',"
        " found FROM dup WHERE id = 1;"
        "INSERT INTO covered SELECT tbl, '3', 3, digest FROM covered"
        " WHERE key = '1'");
    assert_true(finds(f, "row-put-back", false));
}

static void covered_cannot_name_another_entry(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_out o;

    /* change row 1, and say that a later entry wrote it so */
    sql(f->office.db, "UPDATE dup SET state = 'kept' WHERE id = 1");
    puan_out_init(&o, &f->a);
    puan_content_text(&o, PUAN_STR("1"));
    puan_content_int(&o, 1);
    puan_content_int(&o, 37);
    puan_content_text(&o, PUAN_STR("[]"));
    puan_content_text(&o, PUAN_STR("kept"));
    puan_content_text(&o, PUAN_STR(""));
    puan_content_int(&o, 5);
    puan_cover_digest(digest, f->suite->digest, PUAN_STR("dup"), PUAN_STR("1"),
                      puan_out_view(&o));
    ok(puan_sql(&s, f->office.db,
                "UPDATE covered SET seq = 4, digest = $1 WHERE key = '1'",
                &err),
       &err);
    puan_bind_bytes(s, 1, digest, sizeof(digest));
    ok(puan_stmt_run(s, &err), &err);
    puan_stmt_done(s);
    assert_true(finds(f, "covered-changed", false));
}

static void a_forged_or_foreign_witness_is_found(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_str text;
    char *forged;

    ok(puan_file_read(&text, f->witness, 0, &f->a, &err), &err);
    forged = puan_arena_get(&f->a, text.n + 1);
    memcpy(forged, text.p, text.n);
    /* a later time than the one that was signed */
    *strstr(forged, "1604160000000") = '2';
    ok(puan_file_write(f->witness, (struct puan_str){ forged, text.n }, 0644,
                       &err),
       &err);
    assert_true(finds(f, "signature", true));
    memcpy(forged, text.p, text.n);
    *strstr(forged, "0123456789abcdef") = 'f';
    ok(puan_file_write(f->witness, (struct puan_str){ forged, text.n }, 0644,
                       &err),
       &err);
    assert_true(finds(f, "installation", true));
}

static void a_missing_store_and_a_changed_plan_are_found(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    puan_db_close(f->county.db);
    f->county.db = NULL;
    ok(puan_file_remove(puan_arena_fmt(&f->a, "%s/returns/37.db", f->dir),
                        &err),
       &err);
    assert_true(finds(f, "store-missing", false));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan/zz-ledger/plan.yaml",
                                      f->dir),
                       PUAN_STR("plan: zz-ledger\n"), 0644, &err),
       &err);
    assert_true(finds(f, "plan-changed", false));
    sql(f->office.db, "DELETE FROM shard");
    assert_true(finds(f, "store-missing", false)); /* the checkpoints know */
}

static enum puan_status count_entry(void *arg, const struct puan_entry *e,
                                    const uint8_t *digest,
                                    struct puan_err *err)
{
    uint64_t *n = arg;

    (void)e;
    (void)err;
    assert_non_null(digest);
    ++*n;
    return PUAN_OK;
}

static void a_search_narrows_and_pages(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_ledger_query q = { .verb = PUAN_STR("duplicate.") };
    uint64_t n = 0, next;

    ok(puan_ledger_each(f->office.db, &q, count_entry, &n, &next, &err), &err);
    assert_int_equal(n, 5);
    assert_int_equal(next, 0);
    n = 0;
    q.limit = 2;
    ok(puan_ledger_each(f->office.db, &q, count_entry, &n, &next, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(next, 3);
    q.from = next;
    q.limit = 100;
    n = 0;
    ok(puan_ledger_each(f->office.db, &q, count_entry, &n, &next, &err), &err);
    assert_int_equal(n, 3);
    q = (struct puan_ledger_query){ .actor = PUAN_STR("nobody") };
    n = 0;
    ok(puan_ledger_each(f->office.db, &q, count_entry, &n, &next, &err), &err);
    assert_int_equal(n, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_true_directory_has_no_problem),
        T(any_changed_byte_of_any_entry_is_found),
        T(any_changed_part_of_a_return_is_found),
        T(a_return_removed_added_or_shared_is_found),
        T(entries_cut_off_at_the_end_are_found),
        T(a_gap_is_found),
        T(an_absurd_number_does_not_stop_the_verification),
        T(two_swapped_entries_are_found),
        T(a_rewritten_chain_is_found_by_the_witness),
        T(an_old_copy_put_back_is_found_by_the_witness),
        T(a_row_changed_removed_or_added_elsewhere_is_found),
        T(a_row_put_back_to_what_it_was_is_found),
        T(a_deleted_row_brought_back_is_found),
        T(covered_cannot_name_another_entry),
        T(a_forged_or_foreign_witness_is_found),
        T(a_missing_store_and_a_changed_plan_are_found),
        T(a_search_narrows_and_pages),
    };

    return cmocka_run_group_tests_name("ledgers", tests, NULL, NULL);
}
