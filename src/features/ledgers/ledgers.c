/*
 * The commands "ledger verify|show|search|prove" and the feature's row.
 */
#include "features/ledgers/ledgers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "features/host/args.h"
#include "features/ledgers/source.h"
#include "kit/crypto/crypto.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

static void bar(void *arg, uint64_t done, uint64_t total)
{
    struct puan_progress *p = arg;

    p->total = total;
    puan_progress_set(p, done);
}

static void print_verify(const struct puan_verify *v)
{
    static const char *const derived[] = { PUAN_LEDGER_DERIVED };
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    for (size_t i = 0; i < v->n_stores; i++) {
        const struct puan_verify_store *s = &v->store[i];

        puan_hex(hex, s->head, PUAN_DIGEST_SIZE);
        printf("%-12s %9llu entries  %9llu returns  %7llu rows  head %.16s\n",
               s->name, (unsigned long long)s->height,
               (unsigned long long)s->returns, (unsigned long long)s->rows,
               hex);
    }
    printf("held against %zu checkpoints of the directory and %zu witnesses\n",
           v->checkpoints, v->witnesses);
    printf("covered: ledger, ret, schema_step");
    for (size_t i = 0; i < v->n_covered; i++)
        printf(", %s", v->covered[i]);
    printf("\nderived or carried, not covered: ");
    for (size_t i = 0; i < PUAN_COUNT(derived); i++)
        printf("%s%s", i ? ", " : "", derived[i]);
    putchar('\n');
    for (uint64_t i = 0; i < v->n_problems && i < PUAN_VERIFY_SHOWN; i++)
        printf("问题 PROBLEM %s%s%s: %s\n", v->problem[i].store,
               v->problem[i].store[0] ? " " : "", v->problem[i].kind,
               v->problem[i].text);
    if (v->n_problems > PUAN_VERIFY_SHOWN)
        printf("... and %llu more\n",
               (unsigned long long)(v->n_problems - PUAN_VERIFY_SHOWN));
    if (v->n_problems)
        printf("校验未通过  NOT VERIFIED: %llu problems in %llu entries (%lld ms)\n",
               (unsigned long long)v->n_problems,
               (unsigned long long)v->entries, (long long)v->ms);
    else
        printf("校验通过  verified: %llu entries, %llu returns, %llu covered rows "
               "(%lld ms)\n",
               (unsigned long long)v->entries, (unsigned long long)v->returns,
               (unsigned long long)v->rows, (long long)v->ms);
}

static int run_verify(int argc, char **argv)
{
    struct puan_verify_options opt = { .tell = bar };
    const char *dir = NULL, **witness;
    struct puan_progress progress;
    struct puan_err err = { 0 };
    struct puan_verify v;
    struct puan_arena a;
    bool json = false, bad = false;
    enum puan_status st;
    int code;

    puan_arena_init(&a, puan_os_alloc());
    witness = puan_new_n(&a, (size_t)argc, const char *);
    for (int i = 1; i < argc && witness; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--witness") == 0) {
            /* as many files as follow */
            while (i + 1 < argc && argv[i + 1][0] != '-')
                witness[opt.n_witness++] = argv[++i];
        } else if (strcmp(argv[i], "--store-url") == 0 && i + 1 < argc) {
            opt.url = argv[++i];
        } else if (argv[i][0] != '-' && !dir) {
            dir = argv[i];
        } else {
            bad = true;
        }
    }
    if (!dir || bad || !witness) {
        puan_arena_clear(&a);
        return PUAN_EXIT_USAGE;
    }
    opt.witness = witness;
    opt.tell_arg = &progress;
    puan_progress_quiet(json);
    puan_progress_begin(&progress, "校验 verifying", 0);
    st = puan_ledger_verify(&v, dir, &opt, &a, &err);
    puan_progress_end(&progress);
    if (st != PUAN_OK) {
        code = puan_command_fail(st, &err);
    } else {
        if (json) {
            struct puan_out o;
            struct puan_jw w;

            puan_out_init(&o, &a);
            puan_jw_init(&w, &o);
            puan_verify_json(&w, &v);
            puan_out_char(&o, '\n');
            fwrite(o.p, 1, o.n, stdout);
        } else {
            print_verify(&v);
        }
        code = v.n_problems ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
    }
    puan_arena_clear(&a);
    return code;
}

struct printing {
    bool json;
    uint64_t n;
};

static enum puan_status print_entry(void *arg, const struct puan_entry *e,
                                    const uint8_t *digest,
                                    struct puan_err *err)
{
    struct printing *p = arg;
    struct puan_arena a;
    struct puan_out o;
    struct puan_jw w;
    char when[32];

    (void)err;
    p->n++;
    if (!p->json) {
        puan_instant_text(when, e->event_ms, 0);
        printf("%llu  %s  %.*s  %.*s  %.*s  %.*s", (unsigned long long)e->seq,
               when, PUAN_FMT(e->actor), PUAN_FMT(e->seat), PUAN_FMT(e->verb),
               PUAN_FMT(e->subject));
        if (e->note.n)
            printf("  (%.*s)", PUAN_FMT(e->note));
        putchar('\n');
        return PUAN_OK;
    }
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    puan_jw_init(&w, &o);
    puan_ledger_entry_json(&w, e, digest);
    puan_out_char(&o, '\n');
    fwrite(o.p, 1, o.n, stdout);
    puan_arena_clear(&a);
    return PUAN_OK;
}

static bool number(uint64_t *out, const char *text)
{
    int64_t v;

    if (!text)
        return true;
    if (!puan_int_parse(&v, puan_str_of(text)) || v < 0)
        return false;
    *out = (uint64_t)v;
    return true;
}

static bool instant(int64_t *out, const char *text)
{
    int64_t day;

    if (!text)
        return true;
    if (puan_instant_parse(out, puan_str_of(text)))
        return true;
    if (!puan_day_parse(&day, puan_str_of(text)))
        return false;
    *out = day * 86400000;
    return true;
}

/* show and search are one command; search may narrow by more. */
static int run_list(int argc, char **argv)
{
    const char *dir = NULL, *store = NULL, *from = NULL, *limit = NULL,
               *actor = NULL, *seat = NULL, *device = NULL, *verb = NULL,
               *subject = NULL, *area = NULL, *since = NULL, *until = NULL,
               *url = NULL;
    struct printing p = { 0 };
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },           { "--store", &store, NULL },
        { "--from", &from, NULL },      { "--limit", &limit, NULL },
        { "--actor", &actor, NULL },    { "--seat", &seat, NULL },
        { "--device", &device, NULL },  { "--verb", &verb, NULL },
        { "--subject", &subject, NULL }, { "--area", &area, NULL },
        { "--since", &since, NULL },    { "--until", &until, NULL },
        { "--store-url", &url, NULL },  { "--json", NULL, &p.json },
    };
    struct puan_ledger_query q = { 0 };
    struct puan_ledger_source src;
    struct puan_err err = { 0 };
    struct puan_arena a;
    uint64_t next = 0;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir)
        return PUAN_EXIT_USAGE;
    q.limit = 100;
    if (!number(&q.from, from) || !number(&q.limit, limit) ||
        !instant(&q.since_ms, since) || !instant(&q.until_ms, until)) {
        fprintf(stderr, "puan: --from and --limit take a number, --since and "
                        "--until a day or an instant\n");
        return PUAN_EXIT_USAGE;
    }
    q.actor = puan_str_of(actor);
    q.seat = puan_str_of(seat);
    q.device = puan_str_of(device);
    q.verb = puan_str_of(verb);
    q.subject = puan_str_of(subject);
    q.area = puan_str_of(area);
    puan_arena_init(&a, puan_os_alloc());
    st = puan_ledger_source(&src, dir, url, &a, &err);
    if (st == PUAN_OK && store && !puan_ledger_find(&src, store))
        st = puan_fail(&err, PUAN_ENOTFOUND, "--store", "no such store; there is office and one for each area that "
                       "has returns");
    for (size_t i = 0; i < src.n && st == PUAN_OK; i++) {
        struct puan_db *db = NULL;

        if (store && strcmp(store, src.store[i].name) != 0)
            continue;
        st = puan_db_open(&db, src.store[i].url, PUAN_DB_READONLY, &err);
        if (st == PUAN_OK && !p.json && src.n > 1)
            printf("-- %s\n", src.store[i].name);
        if (st == PUAN_OK)
            st = puan_ledger_each(db, &q, print_entry, &p, &next, &err);
        if (st == PUAN_OK && next && !p.json)
            printf("-- more from %llu\n", (unsigned long long)next);
        puan_db_close(db);
    }
    if (st == PUAN_OK && p.n == 0)
        fprintf(stderr, "没有符合条件的条目 no entry matches\n");
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- proofs ------------------------------------------------------------------ */

static enum puan_status hex_of(uint8_t *out, size_t n,
                               const struct puan_node *map, const char *key,
                               struct puan_err *err)
{
    struct puan_str s;
    enum puan_status st = puan_node_str(&s, map, key, err);

    if (st == PUAN_OK && !puan_unhex(out, n, s))
        st = puan_fail(err, PUAN_EINVAL, key, "%zu hexadecimal digits were "
                                              "expected", 2 * n);
    return st;
}

/* A proof file against itself and, when given, against a checkpoint. */
static enum puan_status check_proof(const char *file, const char *witness,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *t = NULL;
    const struct puan_digest_fn *fn;
    struct puan_str text, alg, store = { 0 }, entry;
    struct puan_checkpoint c;
    struct puan_proof p = { 0 };
    uint8_t root[PUAN_DIGEST_SIZE], digest[PUAN_DIGEST_SIZE], *raw;
    int64_t seq = 0, height = 0;
    enum puan_status st = puan_file_read(&text, file, 16 << 20, a, err);

    if (st == PUAN_OK)
        st = puan_json_tree(&t, text, file, a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&store, t, "store", err);
    if (st == PUAN_OK)
        st = puan_node_str(&alg, t, "algorithm", err);
    if (st == PUAN_OK)
        st = puan_node_int(&seq, t, "seq", 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&height, t, "height", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = hex_of(root, sizeof(root), t, "merkle", err);
    if (st == PUAN_OK)
        st = puan_node_str(&entry, t, "entry", err);
    if (st != PUAN_OK)
        return st;
    fn = puan_digest_by_name(alg);
    raw = puan_arena_get(a, entry.n / 2 + 1);
    if (!fn || !raw || !puan_unhex(raw, entry.n / 2, entry))
        return puan_fail(err, PUAN_EINVAL, file, "is not a proof");
    PUAN_NODE_EACH(h, puan_node_get(t, "path"))
    {
        if (p.n == PUAN_PROOF_MAX ||
            !puan_unhex(p.hash[p.n], PUAN_DIGEST_SIZE, h->text))
            return puan_fail(err, PUAN_EINVAL, file, "has a damaged path");
        p.n++;
    }
    puan_entry_digest(digest, fn,
                      (struct puan_str){ (char *)raw, entry.n / 2 });
    if (!puan_merkle_inclusion_ok(&p, fn, digest, (uint64_t)seq,
                                  (uint64_t)height, root))
        return puan_fail(err, PUAN_EDENIED, file,
                         "the entry does not lead to the root");
    /* one that was handed out with it: as good as whoever handed it out */
    text = puan_node_str_opt(t, "checkpoint", "");
    if (!witness && !text.n)
        return PUAN_OK;
    if (witness)
        st = puan_file_read(&text, witness, 16 << 20, a, err);
    else
        witness = file;
    if (st == PUAN_OK)
        st = puan_checkpoint_parse(&c, text, witness, a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < c.n; i++)
        if (puan_str_eq(c.store[i].name, store)) {
            if ((int64_t)c.store[i].height == height &&
                memcmp(c.store[i].merkle, root, sizeof(root)) == 0)
                return PUAN_OK;
            return puan_fail(err, PUAN_EDENIED, witness,
                             "has another root or height; make the proof "
                             "with --height %llu",
                             (unsigned long long)c.store[i].height);
        }
    return puan_fail(err, PUAN_ENOTFOUND, witness, "does not know store %.*s",
                     PUAN_FMT(store));
}

static int run_prove(int argc, char **argv)
{
    const char *dir = NULL, *store = "office", *seq = NULL, *height = NULL,
               *check = NULL, *witness = NULL, *url = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },           { "--store", &store, NULL },
        { "--seq", &seq, NULL },        { "--height", &height, NULL },
        { "--check", &check, NULL },    { "--witness", &witness, NULL },
        { "--store-url", &url, NULL },
    };
    const struct puan_ledger_store *where;
    struct puan_ledger_source src;
    struct puan_db *db = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;
    struct puan_jw w;
    uint64_t n = 0, h = 0;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) ||
        (!check && (!dir || !seq)) || !number(&n, seq) || !number(&h, height))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    if (check) {
        st = check_proof(check, witness, &a, &err);
        if (st == PUAN_OK)
            puts(witness ? "the entry is in the ledger the witness saw"
                         : "the entry leads to the root the proof names");
        goto out;
    }
    st = puan_ledger_source(&src, dir, url, &a, &err);
    if (st != PUAN_OK)
        goto out;
    where = puan_ledger_find(&src, store);
    if (!where) {
        st = puan_fail(&err, PUAN_ENOTFOUND, "--store", "no such store");
        goto out;
    }
    st = puan_db_open(&db, where->url, PUAN_DB_READONLY, &err);
    if (st == PUAN_OK) {
        puan_out_init(&o, &a);
        puan_jw_init(&w, &o);
        st = puan_ledger_proof_json(&w, db, src.digest, store, n, h, &err);
    }
    puan_db_close(db);
    if (st == PUAN_OK) {
        puan_out_char(&o, '\n');
        fwrite(o.p, 1, o.n, stdout);
    }
out:
    puan_arena_clear(&a);
    if (st == PUAN_OK)
        return PUAN_EXIT_DONE;
    if (st == PUAN_EDENIED) { /* a proof that does not hold is a finding */
        fprintf(stderr, "puan: %s: %s\n", err.where, err.text);
        return PUAN_EXIT_FINDINGS;
    }
    return puan_command_fail(st, &err);
}

static int run_witness(int argc, char **argv)
{
    const char *dir = NULL, *out = NULL, *url = NULL, *kek = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },
        { "--out", &out, NULL },
        { "--store-url", &url, NULL },
        { "--kek-file", &kek, NULL },
    };
    struct puan_store_options opt = { .readonly = true, .no_writers = true };
    struct puan_store *store = NULL;
    struct puan_err err = { 0 };
    struct puan_str json = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir)
        return PUAN_EXIT_USAGE;
    opt.url = url;
    opt.kek_file = kek;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK)
        st = puan_store_checkpoint(store, &json, &a, &err);
    if (st == PUAN_OK && out)
        st = puan_file_write(out, json, 0644, &err);
    else if (st == PUAN_OK)
        fwrite(json.p, 1, json.n, stdout);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static const struct puan_command commands[] = {
    { "ledger verify",
      "DIR [--witness FILE…] [--json] [--store-url URL]",
      "Verifies every entry, return and covered row of a campaign. Recomputes "
      "the chain of each store, holds returns and covered rows against the "
      "entries that wrote them, and heads against the checkpoints of the "
      "directory and the witnesses kept outside it. Needs no key. Without a "
      "witness, a history rewritten as a whole together with the directory's "
      "own checkpoints cannot be told from a true one.",
      run_verify, "校验台账：逐条核对修改痕迹、普查表和受保护的数据" },
    { "ledger show",
      "DIR [--store NAME] [--from SEQ] [--limit N] [--json] [--store-url URL]",
      "Prints entries in order, at most 100 unless --limit says otherwise. "
      "--limit 0 prints all. Stores are \"office\" and the areas of the returns stores.",
      run_list, "按顺序列出台账条目" },
    { "ledger search",
      "DIR [--store NAME] [--actor NAME] [--seat PREFIX] [--device NAME] "
      "[--verb PREFIX] [--subject PREFIX] [--area CODE] [--since TIME] "
      "[--until TIME] [--from SEQ] [--limit N] [--json]",
      "Finds entries by who, at which seat, from which device, what, about "
      "what and when. Times are those of the event: a day or an instant.",
      run_list, "查询台账：谁、在何岗位、用何设备、何时、对何事做了什么" },
    { "ledger prove",
      "DIR --store NAME --seq N [--height N] | --check PROOF "
      "[--witness CHECKPOINT]",
      "Writes the proof that an entry is in the ledger: the entry and the "
      "path from it to the Merkle root. With --check a proof is verified, "
      "without the campaign, against a checkpoint somebody else kept, else "
      "against the one in the proof if it holds one.",
      run_prove, "出具或核验某一条目确在台账中的证明" },
    { "ledger witness", "DIR [--out FILE] [--kek-file FILE] [--store-url URL]",
      "Signs the heads of all stores as they stand now, for keeping outside. "
      "Give the file to somebody who cannot write the directory; \"puan ledger "
      "verify --witness FILE\" then proves that nothing before it was changed.",
      run_witness, "签发各库台账当前状态的见证，交外部保存" },
};

const struct puan_feature puan_feature_ledgers = {
    .name = "ledgers",
    .routes = puan_ledger_routes,
    .n_routes = PUAN_LEDGER_ROUTES,
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
