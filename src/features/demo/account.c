/*
 * The last account: what is in the stores against what was acknowledged and
 * against the truth, with the server stopped and the stores opened read-only.
 */
#include "features/demo/demo.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "features/ingest/ingest.h"
#include "features/tables/tables.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

struct tally {
    struct puan_demo *d;
    struct puan_store *store;
    struct puan_shard *shard;
    int64_t households, persons, versions, lost, doubled;
    struct puan_sheet_out *detections;
    struct puan_arena *arena; /* one return */
    struct puan_progress bar;
};

/* The last version of a household against its last receipt. */
static enum puan_status hold_against(void *arg, const struct puan_ret *r,
                                     struct puan_err *err)
{
    struct tally *t = arg;
    struct puan_ack *ack = puan_demo_ack(t->d, r->head.household);

    (void)err;
    t->households++;
    t->persons += r->persons;
    t->versions += r->version;
    puan_progress_add(&t->bar, 1);
    if (ack == NULL || ack->version < r->version) {
        t->doubled++; /* something nobody was told of */
    } else if (ack->version > r->version ||
               memcmp(ack->digest, r->digest, PUAN_DIGEST_SIZE) != 0) {
        t->lost++;
    }
    if (ack)
        ack->met = true;
    return PUAN_OK;
}

/* What the rules found when a household was first sent. */
static enum puan_status
first_findings(struct tally *t, const struct puan_ret *r, struct puan_err *err)
{
    const struct puan_ruleset *rs = puan_ingest_rules(t->store, r->form);
    struct puan_edits e;
    enum puan_status st =
        puan_edits_decode(&e, r->findings, PUAN_STR(""), t->arena, err);

    for (size_t i = 0; st == PUAN_OK && i < e.n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(rs, e.list[i].rule);

        puan_sheet_put(t->detections, info->id);
        puan_sheet_put_int(t->detections, r->head.household);
        puan_sheet_put_int(t->detections,
                           info->entity == 0 ? 0 : (int64_t)e.list[i].row + 1);
        puan_sheet_end_row(t->detections);
    }
    return st;
}

static enum puan_status walk_shard(struct tally *t, struct puan_err *err)
{
    struct puan_db *db;
    enum puan_status st =
        puan_ret_each(t->shard, 0, INT64_MAX, hold_against, t, err);
    int64_t rows = 0;

    if (st != PUAN_OK)
        return st;
    st = puan_read_begin(&db, t->shard, err);
    if (st != PUAN_OK)
        return st;
    st = puan_db_int(&rows, db, "SELECT max(seq) FROM ret", 0, err);
    for (int64_t seq = 1; st == PUAN_OK && seq <= rows; seq++) {
        struct puan_ret r;

        puan_arena_reset(t->arena);
        st = puan_ret_read(&r, t->shard, db, seq, t->arena, err);
        if (st == PUAN_OK && r.version == 1)
            st = first_findings(t, &r, err);
    }
    puan_read_end(t->shard, db);
    return st;
}

/* Runs a command of this program and keeps what it prints. */
static enum puan_status capture(struct puan_str *out, int *code,
                                struct puan_demo *d, const char *const *argv,
                                struct puan_err *err)
{
    const char *file =
        puan_arena_fmt(&d->arena, "%s/%s.json", d->o.dir, argv[1]);
    posix_spawn_file_actions_t fa;
    enum puan_status st;
    int status = 0, p = 0;

    (void)!puan_file_remove(file, NULL);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 1, file, 0101 /* write, create */,
                                     0640);
    st = puan_demo_spawn(&p, d, argv, &fa, err);
    posix_spawn_file_actions_destroy(&fa);
    if (st != PUAN_OK)
        return st;
    atomic_store(&d->child, p);
    while (waitpid(p, &status, 0) < 0 && errno == EINTR)
        ;
    atomic_store(&d->child, 0);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return puan_file_read(out, file, 0, &d->arena, err);
}

static enum puan_status verify(struct puan_demo *d, struct puan_err *err)
{
    const char *argv[] = {
        "puan", "ledger", "verify", d->census, "--json", NULL
    };
    struct puan_str text;
    int code;
    enum puan_status st = capture(&text, &code, d, argv, err);

    if (st != PUAN_OK)
        return st;
    puan_jw_kbool(&d->report, "ledger_verified", code == 0);
    puan_demo_say("修改痕迹校验%s  ledger %s", code == 0 ? "通过" : "未通过",
                  code == 0 ? "verified" : "NOT verified");
    return PUAN_OK;
}

static enum puan_status score(struct puan_demo *d, const char *detections,
                              struct puan_err *err)
{
    const char *argv[] = {
        "puan",
        "simulate",
        "score",
        "--truth",
        puan_arena_fmt(&d->arena, "%s/truth.csv", d->sim),
        detections,
        puan_arena_fmt(&d->arena, "%s/duplicates.csv", d->o.dir),
        puan_arena_fmt(&d->arena, "%s/listing.csv", d->o.dir),
        NULL
    };
    struct puan_node *tree;
    struct puan_str text;
    int code;
    enum puan_status st = capture(&text, &code, d, argv, err);

    if (st == PUAN_OK && code != 0)
        st = puan_fail(err, PUAN_EIO, "puan simulate score",
                       "ended with status %d", code);
    if (st == PUAN_OK)
        st = puan_json_tree(&tree, text, "score", &d->arena, err);
    if (st == PUAN_OK) {
        puan_jw_key(&d->report, "detectors");
        puan_jw_map(&d->report);
        PUAN_NODE_EACH(c, tree)
        {
            /* nobody looked for these, so 0 found would be no result */
            if (puan_str_is(c->key, "pairs") ||
                puan_str_is(c->key, "integrity"))
                continue;
            puan_jw_key_s(&d->report, c->key);
            puan_jw_map(&d->report);
            PUAN_NODE_EACH(v, c)
            {
                puan_jw_key_s(&d->report, v->key);
                puan_jw_raw(&d->report, v->text);
            }
            puan_jw_end(&d->report, '}');
        }
        puan_jw_end(&d->report, '}');
    }
    return st;
}

/* Open faults by kind, with what they add to the resident count. */
static void open_faults(struct puan_demo *d)
{
    struct {
        struct puan_str kind;
        int64_t planted, open, delta;
    } k[64];
    size_t n = 0;

    for (size_t i = 0; i < d->truth.n; i++) {
        const struct puan_fault *f = &d->truth.fault[i];
        size_t j = 0;

        while (j < n && !puan_str_eq(k[j].kind, f->kind))
            j++;
        if (j == n) {
            if (n == PUAN_COUNT(k))
                continue;
            k[n].kind = f->kind;
            k[n].planted = k[n].open = k[n].delta = 0;
            n++;
        }
        k[j].planted++;
        k[j].open += !f->closed;
        k[j].delta += f->closed ? 0 : f->delta;
    }
    puan_jw_key(&d->report, "resident_gap");
    puan_jw_map(&d->report);
    for (size_t j = 0; j < n; j++) {
        puan_jw_key_s(&d->report, k[j].kind);
        puan_jw_map(&d->report);
        puan_jw_kint(&d->report, "planted", k[j].planted);
        puan_jw_kint(&d->report, "open", k[j].open);
        puan_jw_kint(&d->report, "residents", k[j].delta);
        puan_jw_end(&d->report, '}');
    }
    puan_jw_end(&d->report, '}');
}

/* Over all areas at the top of the tree. */
static enum puan_status
population(struct puan_demo *d, struct puan_store *store, struct puan_err *err)
{
    const struct puan_area_tree *tree = puan_store_areas(store);
    int64_t resident = 0, persons = 0, dropped = 0, unexplained;

    /* an installation need not have one area above all others */
    for (uint32_t i = 0; i < tree->n; i = tree->area[i].end) {
        struct puan_count *c = NULL;
        enum puan_status st =
            puan_count_area(&c, store, tree->area[i].code, NULL, NULL, err);

        if (st != PUAN_OK)
            return st;
        resident += puan_count_population(c)->resident;
        persons += puan_count_population(c)->persons;
        dropped += puan_count_population(c)->dropped;
        puan_count_close(c);
    }
    unexplained =
        resident - d->truth.resident - puan_true_open_delta(&d->truth);
    puan_jw_kint(&d->report, "persons", persons);
    puan_jw_kint(&d->report, "dropped_by_decision", dropped);
    puan_jw_kint(&d->report, "resident_population", resident);
    puan_jw_kint(&d->report, "resident_truth", d->truth.resident);
    open_faults(d);
    puan_jw_kint(&d->report, "resident_unexplained", unexplained);
    puan_demo_say(
        "常住人口 %lld，模拟真值 %lld，扣除已知差错后无法解释的差 %lld",
        (long long)resident, (long long)d->truth.resident,
        (long long)unexplained);
    puan_demo_say(
        "residents %lld, simulated truth %lld; left unexplained by the "
        "planted faults %lld",
        (long long)resident, (long long)d->truth.resident,
        (long long)unexplained);
    return PUAN_OK;
}

enum puan_status puan_demo_account(struct puan_demo *d, struct puan_err *err)
{
    const struct puan_store_options so = { .readonly = true,
                                           .no_writers = true };
    const char *file = puan_arena_fmt(&d->arena, "%s/detections.csv", d->o.dir);
    struct tally t = { .d = d };
    struct puan_arena row;
    uint64_t entries = 0;
    enum puan_status st;

    puan_arena_init(&row, puan_os_alloc());
    t.arena = &row;
    st = puan_store_open(&t.store, d->census, &so, err);
    if (st == PUAN_OK)
        st = puan_sheet_create(&t.detections, file, err);
    if (st != PUAN_OK)
        goto out;
    puan_sheet_put_text(t.detections, "detector");
    puan_sheet_put_text(t.detections, "household");
    puan_sheet_put_text(t.detections, "line");
    puan_sheet_end_row(t.detections);
    puan_progress_begin(&t.bar, "核对 holding against receipts", d->n_ack);
    for (size_t i = 0; st == PUAN_OK && i < puan_store_shards(t.store); i++) {
        t.shard = puan_store_shard(t.store, i);
        entries += puan_shard_height(t.shard);
        if (i > 0)
            st = walk_shard(&t, err);
    }
    puan_progress_end(&t.bar);
    if (st != PUAN_OK) {
        puan_sheet_abandon(t.detections);
        goto out;
    }
    st = puan_sheet_finish(t.detections, err);
    for (size_t i = 0; i < d->n_ack; i++)
        t.lost += d->ack[i].version > 0 && !d->ack[i].met;
    puan_jw_kint(&d->report, "households_submitted", t.households);
    puan_jw_kint(&d->report, "versions", t.versions);
    puan_jw_kint(&d->report, "lost", t.lost);
    puan_jw_kint(&d->report, "doubled", t.doubled);
    puan_demo_say("入库 %lld 户；已给回执而遗失 %lld，重复入库 %lld",
                  (long long)t.households, (long long)t.lost,
                  (long long)t.doubled);
    puan_demo_say("%lld households stored; receipts lost %lld, doubled %lld",
                  (long long)t.households, (long long)t.lost,
                  (long long)t.doubled);
    if (st == PUAN_OK)
        st = population(d, t.store, err);
    puan_jw_kint(&d->report, "ledger_entries", (int64_t)entries);
out:
    puan_store_close(t.store);
    puan_arena_clear(&row);
    if (st == PUAN_OK)
        st = verify(d, err);
    if (st == PUAN_OK)
        st = score(d, file, err);
    return st;
}
