/*
 * Signed heads of all stores, for witnesses outside (contract 3).  The Merkle
 * tree over a chain is grown here, behind the commits, from the digests the
 * writer has stored; how far it got is kept beside the checkpoints and is only
 * a short cut: it is thrown away when it does not fit the chain.
 */
#include "features/store/internal.h"

#include "base/calendar.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

static const char *tree_path(struct puan_shard *sh, struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/checkpoints/%s.tree", sh->store->dir,
                          sh->name);
}

/* The kept tree: its bytes, then the digest of the last entry in it. */
static void load_tree(struct puan_shard *sh, struct puan_db *db,
                      struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_merkle m;
    struct puan_str text;
    struct puan_stmt *s = NULL;
    bool more = false;

    if (puan_file_read(&text, tree_path(sh, a), 1 << 16, a, &err) != PUAN_OK ||
        text.n <= PUAN_DIGEST_SIZE)
        return;
    text.n -= PUAN_DIGEST_SIZE;
    if (puan_merkle_decode(&m, text, &err) != PUAN_OK || m.n == 0)
        return;
    if (puan_sql(&s, db, "SELECT digest FROM ledger WHERE seq = $1", &err) !=
        PUAN_OK)
        return;
    puan_bind_int(s, 1, (int64_t)m.n - 1);
    if (puan_stmt_step(&more, s, &err) == PUAN_OK && more) {
        struct puan_str d = puan_col_bytes(s, 0);

        if (d.n == PUAN_DIGEST_SIZE &&
            memcmp(d.p, text.p + text.n, PUAN_DIGEST_SIZE) == 0)
            sh->tree = m;
    }
    puan_stmt_done(s);
}

static enum puan_status grow_tree(struct puan_shard *sh, uint64_t height,
                                  const uint8_t head[PUAN_DIGEST_SIZE],
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    struct puan_out o;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    if (sh->tree.n == 0)
        load_tree(sh, db, a);
    if (sh->tree.n >= height) {
        if (sh->tree.n > height) /* an old copy was put back */
            st = puan_fail(err, PUAN_ECONFLICT, sh->name,
                           "the ledger is shorter than it was; run puan "
                           "ledger verify");
        puan_read_end(sh, db);
        return st;
    }
    while (st == PUAN_OK && sh->tree.n < height && more) {
        uint64_t from = sh->tree.n;

        st = puan_sql(&s, db,
                      "SELECT seq, digest FROM ledger WHERE seq >= $1"
                      " AND seq < $2 ORDER BY seq LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, (int64_t)from);
        puan_bind_int(s, 2, (int64_t)height);
        while (st == PUAN_OK) {
            struct puan_str d;
            uint8_t leaf[PUAN_DIGEST_SIZE];

            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            d = puan_col_bytes(s, 1);
            if (puan_col_int(s, 0) != (int64_t)sh->tree.n ||
                d.n != sizeof(leaf)) {
                st = puan_fail(err, PUAN_EIO, sh->name,
                               "ledger entry %llu is missing or damaged",
                               (unsigned long long)sh->tree.n);
                break;
            }
            memcpy(leaf, d.p, sizeof(leaf));
            puan_merkle_add(&sh->tree, sh->store->digest, leaf);
        }
        puan_stmt_done(s);
        more = sh->tree.n > from;
    }
    puan_read_end(sh, db);
    if (st == PUAN_OK && sh->tree.n != height)
        st = puan_fail(err, PUAN_EIO, sh->name,
                       "ledger entry %llu is missing",
                       (unsigned long long)sh->tree.n);
    if (st != PUAN_OK) {
        puan_merkle_init(&sh->tree);
        return st;
    }
    puan_out_init(&o, a);
    puan_merkle_encode(&o, &sh->tree);
    puan_out_bytes(&o, head, PUAN_DIGEST_SIZE);
    st = puan_arena_check(a, err);
    if (st == PUAN_OK && !sh->store->readonly)
        st = puan_file_write(tree_path(sh, a), puan_out_view(&o), 0640, err);
    return st;
}

enum puan_status puan_store_checkpoint(struct puan_store *store,
                                       struct puan_str *json,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    size_t n = puan_store_shards(store);
    const struct puan_sign_key *key = puan_keys_sign(store->keys);
    struct puan_checkpoint c = { 0 };
    struct puan_arena own;
    struct puan_head *head;
    struct puan_out body, text;
    uint8_t sig[PUAN_SIGNATURE_MAX];
    uint64_t sum = 0;
    size_t sig_n = 0;
    char when[32];
    enum puan_status st = PUAN_OK;

    puan_arena_init(&own, puan_os_alloc());
    pthread_mutex_lock(&store->checkpointing);
    head = puan_new_n(&own, n, struct puan_head);
    if (own.failed)
        st = puan_arena_check(&own, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_shard *sh = puan_store_shard(store, i);

        head[i].name = puan_str_of(sh->name);
        pthread_mutex_lock(&sh->lock);
        head[i].height = sh->height;
        memcpy(head[i].head, sh->head, PUAN_DIGEST_SIZE);
        pthread_mutex_unlock(&sh->lock);
        st = grow_tree(sh, head[i].height, head[i].head, &own, err);
        if (st == PUAN_OK)
            puan_merkle_root(head[i].merkle, &sh->tree, store->digest);
        sum += head[i].height;
    }
    if (st != PUAN_OK || (sum == store->checkpoint_sum && !json))
        goto out;
    c.installation = puan_str_of(store->id);
    c.time_ms = puan_os_now_ms();
    c.digest = puan_str_of(store->digest->name);
    c.store = head;
    c.n = n;
    puan_out_init(&body, &own);
    puan_checkpoint_body(&body, &c);
    st = puan_arena_check(&own, err);
    if (st == PUAN_OK)
        st = puan_sign(sig, &sig_n, key, puan_out_view(&body), err);
    if (st != PUAN_OK)
        goto out;
    c.alg = puan_sign_alg_of(key) == PUAN_SIGN_SM2 ? PUAN_STR("sm2")
                                                    : PUAN_STR("ed25519");
    c.signature = (struct puan_str){ (const char *)sig, sig_n };
    puan_out_init(&text, &own);
    puan_checkpoint_text(&text, &c);
    puan_instant_text(when, c.time_ms, 0);
    for (char *p = when; *p; p++) /* no colon in a file name */
        if (*p == ':')
            *p = '-';
    st = puan_arena_check(&own, err);
    if (st == PUAN_OK && !store->readonly)
        st = puan_file_write(puan_arena_fmt(&own, "%s/checkpoints/%s-%llu.json",
                                            store->dir, when,
                                            (unsigned long long)sum),
                             puan_out_view(&text), 0644, err);
    if (st == PUAN_OK)
        store->checkpoint_sum = sum;
    if (st == PUAN_OK && json) {
        struct puan_str v = puan_out_view(&text);

        *json = (struct puan_str){ puan_arena_dup(a, v), v.n };
        st = puan_arena_check(a, err);
    }
out:
    pthread_mutex_unlock(&store->checkpointing);
    puan_arena_clear(&own);
    return st;
}
