/*
 * `puan release verify`: what a published text shows by itself, and what a
 * campaign directory says to it.
 */
#include <stdio.h>

#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/host/args.h"
#include "features/releases/internal.h"
#include "features/tables/tables.h"
#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define TABLES 64
#define RELEASE_BYTES (64u << 20)

/* The parts of a published text, as they stand there byte by byte. */
struct parts {
    struct puan_str kind, digest_name, d_document, d_tables, d_version,
        signature, signer;
    struct puan_str document, source, table[TABLES];
    size_t n_tables;
    int64_t id, area, published_ms;
};

static enum puan_status not_one(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_EINVAL, "release",
                     "this is no published release: %s", what);
}

/* After LIST or MAP: the raw text from its bracket to past its close. */
static enum puan_status raw(struct puan_str *out, struct puan_json *j,
                            struct puan_err *err)
{
    size_t start = j->start;

    TRY(puan_json_skip(j, err));
    out->p = j->src.p + start;
    out->n = j->at - start;
    return PUAN_OK;
}

static enum puan_status read_document(struct parts *p, struct puan_arena *a,
                                      struct puan_err *err)
{
    enum puan_json_kind k;
    struct puan_json j;

    puan_json_init(&j, p->document, a);
    TRY(puan_json_next(&k, &j, err));
    if (k != PUAN_JSON_MAP)
        return not_one(err, "its document is no map");
    for (;;) {
        TRY(puan_json_next(&k, &j, err));
        if (k == PUAN_JSON_CLOSE)
            return PUAN_OK;
        if (k == PUAN_JSON_MAP && puan_str_is(j.key, "source")) {
            TRY(raw(&p->source, &j, err));
        } else if (k == PUAN_JSON_LIST && puan_str_is(j.key, "tables")) {
            for (;;) {
                TRY(puan_json_next(&k, &j, err));
                if (k == PUAN_JSON_CLOSE)
                    break;
                if (k != PUAN_JSON_MAP || p->n_tables == TABLES)
                    return not_one(err, "its tables are no list of maps");
                TRY(raw(&p->table[p->n_tables++], &j, err));
            }
        } else {
            return not_one(err, "its document holds something else");
        }
    }
}

static enum puan_status read_parts(struct parts *p, struct puan_str text,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *n = NULL;
    const struct puan_node *proof;
    enum puan_json_kind k;
    struct puan_json j;

    *p = (struct parts){ .id = 0 };
    TRY(puan_json_tree(&n, text, "release", a, err));
    proof = puan_node_get(n, "proof");
    p->kind = puan_node_str_opt(n, "kind", "");
    if (!puan_str_is(p->kind, "puan-release-1") || proof == NULL)
        return not_one(err, "kind or proof is missing");
    TRY(puan_node_int(&p->id, n, "release", 1, INT64_MAX, err));
    TRY(puan_node_int(&p->area, n, "area", 0, INT64_MAX, err));
    TRY(puan_node_int(&p->published_ms, n, "published_ms", 0, INT64_MAX, err));
    p->digest_name = puan_node_str_opt(proof, "digest_name", "");
    p->d_document = puan_node_str_opt(proof, "document", "");
    p->d_tables = puan_node_str_opt(proof, "tables", "");
    p->d_version = puan_node_str_opt(proof, "version", "");
    p->signature = puan_node_str_opt(proof, "signature", "");
    p->signer = puan_node_str_opt(proof, "signer", "");
    puan_json_init(&j, text, a);
    TRY(puan_json_next(&k, &j, err));
    for (;;) {
        TRY(puan_json_next(&k, &j, err));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (k == PUAN_JSON_MAP && puan_str_is(j.key, "document"))
            TRY(raw(&p->document, &j, err));
        else if (k == PUAN_JSON_MAP || k == PUAN_JSON_LIST)
            TRY(puan_json_skip(&j, err));
    }
    if (p->document.n == 0)
        return not_one(err, "it has no document");
    return read_document(p, a, err);
}

static bool hex_is(struct puan_str hex, const uint8_t d[PUAN_DIGEST_SIZE])
{
    uint8_t told[PUAN_DIGEST_SIZE];

    return puan_unhex(told, sizeof told, hex) &&
           memcmp(told, d, sizeof told) == 0;
}

static const char *verdict(struct puan_release_check *c, bool same)
{
    c->sound = c->sound && same;
    return same ? "ok" : "differs";
}

/* The key that signed is in the text; that it is the office's is another
 * question. */
static enum puan_status check_signature(struct puan_release_check *c,
                                        const struct parts *p,
                                        const uint8_t digest[PUAN_DIGEST_SIZE],
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_release r = { .id = p->id, .published_ms = p->published_ms };
    struct puan_sign_key *key = NULL;
    uint8_t *der = puan_arena_get(a, p->signer.n / 2 + 1);
    uint8_t sig[PUAN_SIGNATURE_MAX];
    size_t sig_n = p->signature.n / 2, der_n = p->signer.n / 2;
    struct puan_str spki = { (const char *)der, der_n };
    bool good = false;

    if (der == NULL)
        return puan_arena_check(a, err);
    memcpy(r.digest, digest, PUAN_DIGEST_SIZE);
    if (sig_n > 0 && sig_n <= sizeof sig &&
        puan_unhex(sig, sig_n, p->signature) &&
        puan_unhex(der, der_n, p->signer) &&
        puan_sign_load_public(&key, spki, NULL) == PUAN_OK)
        good = puan_sign_verify(key, puan_release_message(&r, a),
                                (struct puan_str){ (const char *)sig, sig_n },
                                NULL) == PUAN_OK;
    puan_sign_free(key);
    c->signature = verdict(c, good);
    return PUAN_OK;
}

static bool entry_is(struct puan_shard *sh, int64_t seq, struct puan_str head)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false, same = false;
    uint8_t told[PUAN_DIGEST_SIZE];

    if (!puan_unhex(told, sizeof told, head) ||
        puan_read_begin(&db, sh, NULL) != PUAN_OK)
        return false;
    if (puan_sql(&s, db, "SELECT digest FROM ledger WHERE seq = $1", NULL) ==
        PUAN_OK) {
        puan_bind_int(s, 1, seq);
        if (puan_stmt_step(&more, s, NULL) == PUAN_OK && more) {
            struct puan_str d = puan_col_bytes(s, 0);

            same = d.n == sizeof told && memcmp(d.p, told, d.n) == 0;
        }
        puan_stmt_done(s);
    }
    puan_read_end(sh, db);
    return same;
}

/* `moved`: acts came later; other figures then prove nothing. */
static enum puan_status recount(struct puan_release_check *c,
                                const struct parts *p, struct puan_store *st,
                                bool moved,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_str now[TABLES];
    struct puan_count *count = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    enum puan_status rc = puan_count_area(&count, st, p->area, NULL, NULL, err);

    for (size_t i = 0; rc == PUAN_OK && i < p->n_tables; i++) {
        struct puan_node *t = NULL;

        rc = puan_json_tree(&t, p->table[i], "table", a, err);
        if (rc == PUAN_OK)
            rc = puan_release_table_text(&now[i], count,
                                         puan_node_str_opt(t, "id", ""), a,
                                         err);
    }
    if (rc == PUAN_OK)
        rc = puan_release_tables_digest(digest, puan_store_digest(st), now,
                                        p->n_tables, a, err);
    puan_count_close(count);
    if (rc == PUAN_OK)
        c->recount = moved && !hex_is(p->d_tables, digest)
                         ? "not checked"
                         : verdict(c, hex_is(p->d_tables, digest));
    return rc;
}

static enum puan_status check_store(struct puan_release_check *c,
                                    const struct parts *p,
                                    struct puan_store *st,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_node *source = NULL;
    const struct puan_node *heads;
    bool same = true, moved = false;

    TRY(puan_json_tree(&source, p->source, "source", a, err));
    c->plan = verdict(c, hex_is(puan_node_str_opt(source, "plan_digest", ""),
                                plan->digest));
    heads = puan_node_get(source, "heads");
    PUAN_NODE_EACH(h, heads) {
        struct puan_str name = puan_node_str_opt(h, "store", "");
        struct puan_shard *sh = NULL;
        int64_t height = 0;

        TRY(puan_node_int(&height, h, "height", 0, INT64_MAX, err));
        for (size_t i = 0; i < puan_store_shards(st); i++)
            if (puan_str_is(name, puan_shard_name(puan_store_shard(st, i))))
                sh = puan_store_shard(st, i);
        if (sh == NULL ||
            (height > 0 && !entry_is(sh, height - 1,
                                     puan_node_str_opt(h, "head", ""))))
            same = false;
        else if (sh != puan_store_office(st) &&
                 puan_shard_height(sh) != (uint64_t)height)
            moved = true;
    }
    c->ledger = verdict(c, same);
    return same ? recount(c, p, st, moved, a, err) : PUAN_OK;
}

enum puan_status puan_release_check(struct puan_release_check *out,
                                    struct puan_str text, struct puan_str key,
                                    struct puan_store *st,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_digest_fn *fn;
    struct parts *p = puan_new(a, struct parts);
    uint8_t digest[PUAN_DIGEST_SIZE], other[PUAN_DIGEST_SIZE];

    *out = (struct puan_release_check){ .plan = "not checked",
                                        .ledger = "not checked",
                                        .recount = "not checked",
                                        .signer = "not checked",
                                        .sound = true };
    if (p == NULL)
        return puan_arena_check(a, err);
    TRY(read_parts(p, text, a, err));
    fn = puan_digest_by_name(p->digest_name);
    if (fn == NULL)
        return not_one(err, "its digest is unknown");
    puan_digest_one(digest, fn, p->document);
    out->document = verdict(out, hex_is(p->d_document, digest));
    TRY(puan_release_tables_digest(other, fn, p->table, p->n_tables, a, err));
    out->tables = verdict(out, hex_is(p->d_tables, other));
    puan_digest_one(other, fn, p->source);
    out->version = verdict(out, hex_is(p->d_version, other));
    TRY(check_signature(out, p, digest, a, err));
    if (key.n > 0)
        out->signer = verdict(out, puan_str_eq(puan_str_trim(key), p->signer));
    return st == NULL ? PUAN_OK : check_store(out, p, st, a, err);
}

/* ---- the command ------------------------------------------------------------- */

static void say(const char *what, const char *zh, const char *is)
{
    printf("%-10s %s  %s\n", what, zh, is);
}

static int run_verify(int argc, char **argv)
{
    const char *file = NULL, *dir = NULL, *key_file = NULL;
    const struct puan_arg args[] = { { "--dir", &dir, NULL },
                                     { "--key", &key_file, NULL },
                                     { NULL, &file, NULL } };
    struct puan_store_options so = { .readonly = true, .no_writers = true };
    struct puan_release_check c = { .sound = false };
    struct puan_str text = { 0 }, key = { 0 };
    struct puan_store *store = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || file == NULL)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    st = puan_file_read(&text, file, RELEASE_BYTES, &a, &err);
    if (st == PUAN_OK && key_file == NULL && dir != NULL)
        key_file = puan_arena_fmt(&a, "%s/keys/sign.pub", dir);
    if (st == PUAN_OK && key_file != NULL)
        st = puan_file_read(&key, key_file, 65536, &a, &err);
    if (st == PUAN_OK && dir != NULL)
        st = puan_store_open(&store, dir, &so, &err);
    if (st == PUAN_OK)
        st = puan_release_check(&c, text, key, store, &a, &err);
    if (st == PUAN_OK) {
        say("document", "文本", c.document);
        say("tables", "统计表", c.tables);
        say("version", "数据版本", c.version);
        say("signature", "签名", c.signature);
        say("signer", "签名者", c.signer);
        say("plan", "普查方案", c.plan);
        say("ledger", "账本", c.ledger);
        say("recount", "重新汇总", c.recount);
        puts(c.sound ? "一致 sound" : "不一致 NOT SOUND");
    }
    puan_store_close(store);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    return c.sound ? PUAN_EXIT_DONE : PUAN_EXIT_FINDINGS;
}

const struct puan_command puan_release_commands[PUAN_RELEASE_COMMANDS] = {
    { "release verify", "FILE [--dir DIR] [--key FILE]",
      "Checks a published release: its digests and signature; with the campaign "
      "directory also the plan, the ledger heads it names and the tables, "
      "counted again.  --key names the office's public key (keys/sign.pub).  "
      "Exit code 1 when something differs.",
      run_verify, "核验已发布的数据：摘要、签名，并可重新汇总比对" },
};
