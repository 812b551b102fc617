/*
 * Making, checking and restoring backups.
 */
#include "features/backup/backup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/ledgers/ledgers.h"
#include "kit/crypto/keys.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

/* Deepest folder below a campaign directory: plan/<pack>/<kind>/<file>. */
#define DEPTH_MAX 8

struct list {
    struct puan_arena *a;
    struct item {
        const char *path; /* inside the directory */
        uint64_t size;
        uint8_t digest[PUAN_DIGEST_SIZE];
        struct item *next;
    } *first, **last;
    uint64_t n, bytes;
};

static const char *join(struct puan_arena *a, const char *dir,
                        const char *path)
{
    return *path ? puan_arena_fmt(a, "%s/%s", dir, path) : dir;
}

static enum puan_status digest_file(uint8_t out[PUAN_DIGEST_SIZE],
                                    uint64_t *size,
                                    const struct puan_digest_fn *fn,
                                    const char *path, struct puan_err *err)
{
    struct puan_map map = { 0 };
    enum puan_status st;

    if (puan_file_size(path) == 0) {
        *size = 0;
        puan_digest_one(out, fn, PUAN_STR(""));
        return PUAN_OK;
    }
    st = puan_map_open(&map, path, err);
    if (st != PUAN_OK)
        return st;
    *size = map.bytes.n;
    puan_digest_one(out, fn, map.bytes);
    puan_map_close(&map);
    return PUAN_OK;
}

/* Every file below `path`, in order of names. */
static enum puan_status walk(struct list *l, const char *dir, const char *path,
                             const struct puan_digest_fn *fn, int depth,
                             struct puan_err *err)
{
    const char **name = NULL;
    size_t n = 0;
    enum puan_status st;

    if (depth > DEPTH_MAX)
        return puan_fail(err, PUAN_ELIMIT, path, "folders lie too deep");
    st = puan_dir_list(&name, &n, join(l->a, dir, path), l->a, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        const char *p =
            *path ? puan_arena_fmt(l->a, "%s/%s", path, name[i]) : name[i];
        struct item *it;

        if (strcmp(p, "manifest.json") == 0)
            continue;
        if (puan_dir_exists(join(l->a, dir, p))) {
            st = walk(l, dir, p, fn, depth + 1, err);
            continue;
        }
        it = puan_new(l->a, struct item);
        if (!it)
            return puan_arena_check(l->a, err);
        it->path = p;
        st = digest_file(it->digest, &it->size, fn, join(l->a, dir, p), err);
        *l->last = it;
        l->last = &it->next;
        l->n++;
        l->bytes += it->size;
    }
    return st;
}

static enum puan_status copy_tree(const char *from, const char *to, int depth,
                                  struct puan_arena *a, struct puan_err *err)
{
    const char **name = NULL;
    size_t n = 0;
    enum puan_status st;

    if (!puan_dir_exists(from))
        return PUAN_OK;
    if (depth > DEPTH_MAX)
        return puan_fail(err, PUAN_ELIMIT, from, "folders lie too deep");
    st = puan_dir_make(to, err);
    if (st == PUAN_OK)
        st = puan_dir_list(&name, &n, from, a, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        const char *f = join(a, from, name[i]), *t = join(a, to, name[i]);

        if (puan_dir_exists(f))
            st = copy_tree(f, t, depth + 1, a, err);
        else
            st = puan_file_copy(f, t, err);
    }
    if (st == PUAN_OK)
        st = puan_dir_sync(to, err);
    return st;
}

static enum puan_status must_be_empty(const char *dir, struct puan_arena *a,
                                      struct puan_err *err)
{
    const char **name = NULL;
    size_t n = 0;
    enum puan_status st = puan_dir_make(dir, err);

    if (st == PUAN_OK)
        st = puan_dir_list(&name, &n, dir, a, err);
    if (st == PUAN_OK && n > 0)
        st = puan_fail(err, PUAN_ECONFLICT, dir,
                       "is not empty; give a new directory");
    return st;
}

/* ---- making ------------------------------------------------------------------- */

/* ---- rows between engines ------------------------------------------------------ */

/* The tables of all features, as the store makes them. */
static enum puan_status make_tables(struct puan_db *db,
                                    enum puan_store_kind kind,
                                    struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (int pass = 0; pass < 2; pass++)
        for (size_t f = 0; puan_features[f] && st == PUAN_OK; f++) {
            const struct puan_feature *ft = puan_features[f];

            if ((ft == &puan_feature_store) != (pass == 0))
                continue;
            for (size_t i = 0; i < ft->n_schema && st == PUAN_OK; i++)
                if (ft->schema[i].store == kind)
                    st = puan_db_exec(db, ft->schema[i].sql, err);
        }
    return st;
}

/* Tables that grow with the census are read a page at a time. */
static const char *page_key(const char *table)
{
    static const char *const paged[][2] = { { "ledger", "seq" },
                                            { "ret", "seq" },
                                            { "register", "seq" },
                                            { "listing", "household" } };

    for (size_t i = 0; i < PUAN_COUNT(paged); i++)
        if (strcmp(paged[i][0], table) == 0)
            return paged[i][1];
    return NULL;
}

static enum puan_status put_row(struct puan_db *to, const char *insert,
                                struct puan_stmt *row, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st = puan_sql(&s, to, insert, err);

    if (st != PUAN_OK)
        return st;
    for (int c = 0; c < puan_stmt_cols(row); c++) {
        struct puan_str v;

        switch (puan_col_kind_of(row, c)) {
        case PUAN_COL_NULL:
            puan_bind_null(s, c + 1);
            break;
        case PUAN_COL_INT:
            puan_bind_int(s, c + 1, puan_col_int(row, c));
            break;
        case PUAN_COL_TEXT:
            puan_bind_text(s, c + 1, puan_col_text(row, c));
            break;
        case PUAN_COL_BYTES:
            v = puan_col_bytes(row, c);
            puan_bind_bytes(s, c + 1, v.p, v.n);
            break;
        }
    }
    return puan_stmt_once(s, err);
}

/* `insert` is made from the first row, when the columns are known. */
static enum puan_status copy_table(struct puan_db *from, struct puan_db *to,
                                   const char *table, struct puan_arena *a,
                                   struct puan_err *err)
{
    const char *key = page_key(table), *insert = NULL, *select;
    int64_t last = INT64_MIN;
    bool again = true;
    enum puan_status st;

    st = puan_db_exec(to, puan_arena_fmt(a, "DELETE FROM %s;", table), err);
    select = key ? puan_arena_fmt(a,
                                  "SELECT * FROM %s WHERE %s > $1"
                                  " ORDER BY %s LIMIT 1024",
                                  table, key, key)
                 : puan_arena_fmt(a, "SELECT * FROM %s", table);
    while (st == PUAN_OK && again) {
        struct puan_stmt *s = NULL;
        bool more = true;
        size_t n = 0;

        st = puan_sql(&s, from, select, err);
        if (st != PUAN_OK)
            break;
        if (key)
            puan_bind_int(s, 1, last);
        for (;;) {
            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            if (!insert) {
                struct puan_out o;

                puan_out_init(&o, a);
                puan_out_fmt(&o, "INSERT INTO %s VALUES (", table);
                for (int c = 0; c < puan_stmt_cols(s); c++)
                    puan_out_fmt(&o, "%s$%d", c ? ", " : "", c + 1);
                puan_out_text(&o, ")");
                insert = o.p;
                st = puan_arena_check(a, err);
            }
            if (key)
                last = puan_col_int(s, 0);
            if (st == PUAN_OK)
                st = put_row(to, insert, s, err);
            if (st != PUAN_OK)
                break;
            n++;
        }
        puan_stmt_done(s);
        again = key && n > 0;
    }
    return st;
}

/*
 * Every row of one store from one engine to the other.  Both sides were made
 * by the same steps, so columns stand in the same order; the SQLite side names
 * the tables.
 */
static enum puan_status copy_rows(struct puan_db *from, struct puan_db *to,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_db *lite = puan_db_is_sqlite(from) ? from : to;
    const char *name[256];
    struct puan_stmt *s = NULL;
    size_t n = 0;
    bool more = true;
    enum puan_status st;

    st = puan_sql(&s, lite,
                  "SELECT name FROM sqlite_master WHERE type = 'table'"
                  " AND name NOT LIKE 'sqlite%' ORDER BY name",
                  err);
    while (st == PUAN_OK && n < PUAN_COUNT(name)) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        name[n++] = puan_arena_dup(a, puan_col_text(s, 0));
    }
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = puan_db_begin(to, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = copy_table(from, to, name[i], a, err);
    if (st == PUAN_OK)
        st = puan_db_commit(to, err);
    else
        puan_db_rollback(to);
    return st;
}

static enum puan_status copy_store(struct puan_db *from, const char *path,
                                   enum puan_store_kind kind,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_db *to = NULL;
    enum puan_status st;

    if (puan_db_is_sqlite(from))
        return puan_db_copy_to(from, path, err);
    st = puan_db_open(&to, puan_arena_fmt(a, "sqlite:%s", path),
                      PUAN_DB_CREATE, err);
    if (st == PUAN_OK)
        st = make_tables(to, kind, err);
    if (st == PUAN_OK)
        st = copy_rows(from, to, a, err);
    /* no log beside the file: whoever reads it later leaves nothing there */
    if (st == PUAN_OK)
        st = puan_db_exec(to, "PRAGMA journal_mode = DELETE;", err);
    puan_db_close(to);
    return st;
}

/* directory.json with another engine; the rest as it was. */
static enum puan_status copy_directory(const char *from, const char *to,
                                       const char *engine,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_node *tree = NULL;
    struct puan_str text;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    st = puan_file_read(&text, from, 1 << 20, a, err);
    if (st == PUAN_OK)
        st = puan_json_tree(&tree, text, from, a, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    PUAN_NODE_EACH(c, tree)
    {
        puan_jw_key_s(&w, c->key);
        if (puan_str_is(c->key, "engine"))
            puan_jw_text(&w, engine);
        else if (c->quoted)
            puan_jw_str(&w, c->text);
        else
            puan_jw_raw(&w, c->text);
    }
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    st = puan_arena_check(a, err);
    return st == PUAN_OK ? puan_file_write(to, puan_out_view(&o), 0644, err)
                         : st;
}

/* With the writers held: databases, blobs and checkpoints of one moment. */
static enum puan_status copy_cut(struct puan_store *store, const char *out,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const folder[] = { "keys", "plan", "blobs",
                                          "checkpoints" };
    const char *dir = puan_store_dir(store);
    enum puan_status st = puan_dir_make(join(a, out, "returns"), err);

    for (size_t i = 0; i < puan_store_shards(store) && st == PUAN_OK; i++) {
        struct puan_shard *sh = puan_store_shard(store, i);
        struct puan_db *db = NULL;

        st = puan_read_begin(&db, sh, err);
        if (st == PUAN_OK)
            st = copy_store(db,
                            puan_arena_fmt(a, "%s/%s%s.db", out,
                                           i ? "returns/" : "",
                                           puan_shard_name(sh)),
                            i ? PUAN_STORE_RETURNS : PUAN_STORE_OFFICE, a,
                            err);
        puan_read_end(sh, db);
    }
    for (size_t i = 0; i < PUAN_COUNT(folder) && st == PUAN_OK; i++)
        st = copy_tree(join(a, dir, folder[i]), join(a, out, folder[i]), 0, a,
                       err);
    if (st == PUAN_OK)
        st = copy_directory(join(a, dir, "directory.json"),
                            join(a, out, "directory.json"), "sqlite", a, err);
    return st;
}

static void manifest_body(struct puan_jw *w, const struct list *l,
                          const struct puan_checkpoint *c, struct puan_str when)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_jw_map(w);
    puan_jw_kint(w, "puan_backup", 1);
    puan_jw_kstr(w, "installation", c->installation);
    puan_jw_kstr(w, "time", when);
    puan_jw_kstr(w, "digest", c->digest);
    puan_jw_key(w, "stores");
    puan_jw_list(w);
    for (size_t i = 0; i < c->n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "name", c->store[i].name);
        puan_jw_kint(w, "height", (int64_t)c->store[i].height);
        puan_hex(hex, c->store[i].head, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "head", hex);
        puan_hex(hex, c->store[i].merkle, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "merkle", hex);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "files");
    puan_jw_list(w);
    for (const struct item *it = l->first; it; it = it->next) {
        puan_jw_map(w);
        puan_jw_ktext(w, "path", it->path);
        puan_jw_kint(w, "size", (int64_t)it->size);
        puan_hex(hex, it->digest, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "digest", hex);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status write_manifest(struct puan_backup *b,
                                       struct puan_store *store,
                                       const char *out, struct list *l,
                                       struct puan_str checkpoint,
                                       struct puan_err *err)
{
    const struct puan_sign_key *key = puan_keys_sign(puan_store_keys(store));
    struct puan_arena *a = l->a;
    struct puan_checkpoint c;
    uint8_t sig[PUAN_SIGNATURE_MAX];
    char hex[2 * PUAN_SIGNATURE_MAX + 1], when[32];
    struct puan_out text;
    struct puan_jw w;
    size_t sig_n = 0;
    enum puan_status st;

    st = puan_checkpoint_parse(&c, checkpoint, "checkpoint", a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < c.n; i++)
        b->entries += c.store[i].height;
    puan_instant_text(when, c.time_ms, 0);
    puan_out_init(&text, a);
    puan_jw_init(&w, &text);
    manifest_body(&w, l, &c, puan_str_of(when));
    st = puan_arena_check(a, err);
    /* what is signed: the text up to here */
    if (st == PUAN_OK)
        st = puan_sign(sig, &sig_n, key, puan_out_view(&text), err);
    if (st != PUAN_OK)
        return st;
    puan_hex(hex, sig, sig_n);
    puan_jw_ktext(&w, "signature", hex);
    puan_jw_end(&w, '}');
    puan_out_char(&text, '\n');
    st = puan_arena_check(a, err);
    puan_digest_one(b->manifest, puan_store_digest(store),
                    puan_out_view(&text));
    if (st == PUAN_OK)
        st = puan_file_write(join(a, out, "manifest.json"),
                             puan_out_view(&text), 0644, err);
    if (st == PUAN_OK)
        st = puan_dir_sync(out, err);
    return st;
}

struct noted {
    const struct puan_backup *b;
    struct puan_str out;
};

static enum puan_status note_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct noted *n = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    (void)sh;
    st = puan_sql(&s, db,
                  "INSERT INTO backup(id, at, place, manifest, entries)"
                  " VALUES ($1, $2, $3, $4, $5)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)act->seq);
    puan_bind_int(s, 2, act->entry_ms);
    puan_bind_text(s, 3, n->out);
    puan_bind_bytes(s, 4, n->b->manifest, PUAN_DIGEST_SIZE);
    puan_bind_int(s, 5, (int64_t)n->b->entries);
    return puan_stmt_once(s, err);
}

enum puan_status puan_backup_make(struct puan_backup *b,
                                  struct puan_store *store, const char *out,
                                  const struct puan_act *who,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(store);
    struct puan_arena a;
    struct list l = { .a = &a };
    struct noted n = { b, puan_str_of(out) };
    struct puan_str checkpoint = { 0 };
    enum puan_status st;

    memset(b, 0, sizeof(*b));
    puan_arena_init(&a, puan_os_alloc());
    l.last = &l.first;
    st = must_be_empty(out, &a, err);
    if (st == PUAN_OK) {
        puan_store_hold(store);
        st = puan_store_checkpoint(store, &checkpoint, &a, err);
        if (st == PUAN_OK)
            st = copy_cut(store, out, &a, err);
        puan_store_release(store);
    }
    if (st == PUAN_OK)
        st = walk(&l, out, "", puan_store_digest(store), 0, err);
    b->files = l.n;
    b->bytes = l.bytes;
    if (st == PUAN_OK)
        st = write_manifest(b, store, out, &l, checkpoint, err);
    if (st == PUAN_OK && puan_shard_writes(office)) {
        struct puan_act act = *who;

        act.verb = PUAN_STR("backup.make");
        act.subject = puan_str_of(out);
        act.has_new = true;
        memcpy(act.new_digest, b->manifest, PUAN_DIGEST_SIZE);
        st = puan_commit(office, &act, note_body, &n, err);
    }
    puan_arena_clear(&a);
    return st;
}

/* ---- checking ------------------------------------------------------------------- */

static enum puan_status changed(struct puan_err *err, const char *what,
                                const char *text)
{
    return puan_fail(err, PUAN_EDENIED, what, "%s", text);
}

static enum puan_status check_signature(const char *out, struct puan_str text,
                                        struct puan_str signature,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    static const char mark[] = ",\"signature\":";
    struct puan_sign_key *key = NULL;
    uint8_t sig[PUAN_SIGNATURE_MAX], der[512];
    struct puan_str pub = { 0 }, message = { 0 };
    enum puan_status st;

    for (size_t i = text.n; i-- > sizeof(mark) && !message.p;)
        if (memcmp(text.p + i - (sizeof(mark) - 2), mark, sizeof(mark) - 1) ==
            0)
            message = (struct puan_str){ text.p, i - (sizeof(mark) - 2) };
    if (!message.p || signature.n % 2 || signature.n / 2 > sizeof(sig) ||
        !puan_unhex(sig, signature.n / 2, signature))
        return changed(err, "manifest.json", "has no signature");
    st = puan_file_read(&pub, join(a, out, "keys/sign.pub"), 4096, a, err);
    pub = puan_str_trim(pub);
    if (st == PUAN_OK && (pub.n / 2 > sizeof(der) ||
                          !puan_unhex(der, pub.n / 2, pub)))
        st = changed(err, "keys/sign.pub", "is damaged");
    if (st == PUAN_OK)
        st = puan_sign_load_public(
            &key, (struct puan_str){ (const char *)der, pub.n / 2 }, err);
    if (st == PUAN_OK)
        st = puan_sign_verify(
            key, message,
            (struct puan_str){ (const char *)sig, signature.n / 2 }, err);
    puan_sign_free(key);
    return st;
}

static enum puan_status check_files(struct puan_backup *b, const char *out,
                                    const struct puan_node *tree,
                                    const struct puan_digest_fn *fn,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct list l = { .a = a };
    const struct item *it;
    enum puan_status st;

    l.last = &l.first;
    st = walk(&l, out, "", fn, 0, err);
    it = l.first;
    PUAN_NODE_EACH(f, puan_node_get(tree, "files"))
    {
        char hex[2 * PUAN_DIGEST_SIZE + 1];

        if (st != PUAN_OK)
            return st;
        if (!it || !puan_str_is(puan_node_str_opt(f, "path", ""), it->path))
            return changed(err, it ? it->path : "manifest.json",
                           "files are missing or were added");
        puan_hex(hex, it->digest, PUAN_DIGEST_SIZE);
        if (!puan_str_is(puan_node_str_opt(f, "digest", ""), hex))
            return changed(err, it->path, "is not what was backed up");
        it = it->next;
    }
    if (st == PUAN_OK && it)
        return changed(err, it->path, "was added");
    b->files = l.n;
    b->bytes = l.bytes;
    return st;
}

static enum puan_status check_ledgers(struct puan_backup *b, const char *dir,
                                      const struct puan_node *tree,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_node *stores = puan_node_get(tree, "stores");
    struct puan_verify_options opt = { 0 };
    struct puan_verify v = { 0 };
    enum puan_status st = puan_ledger_verify(&v, dir, &opt, a, err);

    if (st != PUAN_OK)
        return st;
    if (v.n_problems > 0)
        return changed(err, v.problem[0].store, v.problem[0].text);
    b->entries = v.entries;
    if (!stores || stores->n != v.n_stores)
        return changed(err, "manifest.json", "names other stores");
    PUAN_NODE_EACH(s, stores)
    {
        bool found = false;

        for (size_t i = 0; i < v.n_stores; i++) {
            char hex[2 * PUAN_DIGEST_SIZE + 1];

            if (!puan_str_is(puan_node_str_opt(s, "name", ""),
                             v.store[i].name))
                continue;
            puan_hex(hex, v.store[i].head, PUAN_DIGEST_SIZE);
            found = puan_str_is(puan_node_str_opt(s, "head", ""), hex);
        }
        if (!found)
            return changed(err, "manifest.json",
                           "a store does not end where the manifest says");
    }
    return PUAN_OK;
}

static enum puan_status read_manifest(struct puan_node **tree,
                                      const struct puan_digest_fn **fn,
                                      struct puan_backup *b, const char *out,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_str text, signature = { 0 };
    enum puan_status st;

    st = puan_file_read(&text, join(a, out, "manifest.json"), 0, a, err);
    if (st == PUAN_ENOTFOUND && err) {
        *err = (struct puan_err){ 0 };
        return puan_fail(err, PUAN_ENOTFOUND, out,
                         "no backup here, or one that was never finished");
    }
    if (st == PUAN_OK)
        st = puan_json_tree(tree, text, "manifest.json", a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&signature, *tree, "signature", err);
    if (st != PUAN_OK)
        return st;
    *fn = puan_digest_by_name(puan_node_str_opt(*tree, "digest", ""));
    if (!*fn)
        return puan_fail(err, PUAN_EINVAL, "manifest.json",
                         "names no digest that is known here");
    puan_digest_one(b->manifest, *fn, text);
    return check_signature(out, text, signature, a, err);
}

/* The manifest of a backup whose files all are what it says. */
static enum puan_status read_proved(struct puan_node **tree,
                                    struct puan_backup *b, const char *out,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_digest_fn *fn = NULL;
    enum puan_status st;

    memset(b, 0, sizeof(*b));
    st = read_manifest(tree, &fn, b, out, a, err);
    return st == PUAN_OK ? check_files(b, out, *tree, fn, a, err) : st;
}

enum puan_status puan_backup_check(struct puan_backup *b, const char *out,
                                   struct puan_err *err)
{
    struct puan_node *tree = NULL;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = read_proved(&tree, b, out, &a, err);
    if (st == PUAN_OK)
        st = check_ledgers(b, out, tree, &a, err);
    puan_arena_clear(&a);
    return st;
}

/* The restored files become schemas of a PostgreSQL database. */
static enum puan_status move_to_url(const char *dir, const char *url,
                                    struct puan_str id, struct puan_arena *a,
                                    struct puan_err *err)
{
    const char **name = NULL;
    size_t n = 0;
    enum puan_status st =
        puan_dir_list(&name, &n, join(a, dir, "returns"), a, err);

    for (size_t i = 0; i <= n && st == PUAN_OK; i++) {
        bool office = i == n;
        struct puan_str rest = puan_str_of(office ? "office.db" : name[i]);
        struct puan_str store;
        struct puan_db *from = NULL, *to = NULL;
        struct puan_err none = { 0 };
        const char *file;
        int64_t there = 0;

        if (!puan_str_split(&store, &rest, '.') || !puan_str_is(rest, "db"))
            continue;
        file = puan_arena_fmt(a, "%s/%s%.*s.db", dir, office ? "" : "returns/",
                              PUAN_FMT(store));
        st = puan_db_open(&from, puan_arena_fmt(a, "sqlite:%s", file), 0, err);
        if (st == PUAN_OK)
            st = puan_db_open(&to,
                              puan_arena_fmt(a, "%s#puan_%.*s_%.*s", url,
                                             PUAN_FMT(id), PUAN_FMT(store)),
                              PUAN_DB_CREATE, err);
        if (st == PUAN_OK &&
            puan_db_int(&there, to, "SELECT COUNT(*) FROM ledger", 0, &none) ==
                PUAN_OK)
            st = puan_fail(err, PUAN_ECONFLICT, url,
                           "holds this campaign already; drop its schemas "
                           "first");
        if (st == PUAN_OK)
            st = make_tables(to,
                             office ? PUAN_STORE_OFFICE : PUAN_STORE_RETURNS,
                             err);
        if (st == PUAN_OK)
            st = copy_rows(from, to, a, err);
        puan_db_close(from);
        puan_db_close(to);
        if (st == PUAN_OK)
            st = puan_file_remove(file, err);
        for (int k = 0; k < 2 && st == PUAN_OK; k++) {
            const char *beside =
                puan_arena_fmt(a, "%s%s", file, k ? "-shm" : "-wal");

            if (puan_file_exists(beside))
                st = puan_file_remove(beside, err);
        }
    }
    if (st == PUAN_OK)
        st = copy_directory(join(a, dir, "directory.json"),
                            join(a, dir, "directory.json"), "postgresql", a,
                            err);
    return st;
}

enum puan_status puan_backup_restore(struct puan_backup *b, const char *out,
                                     const char *dir, const char *url,
                                     struct puan_err *err)
{
    struct puan_node *tree = NULL;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = read_proved(&tree, b, out, &a, err);
    if (st == PUAN_OK)
        st = must_be_empty(dir, &a, err);
    if (st != PUAN_OK)
        goto out;
    st = copy_tree(out, dir, 0, &a, err);
    /* what was copied is proved, not what it was copied from */
    if (st == PUAN_OK)
        st = check_ledgers(b, dir, tree, &a, err);
    if (st == PUAN_OK)
        st = puan_file_remove(join(&a, dir, "manifest.json"), err);
    if (st == PUAN_OK && url)
        st = move_to_url(dir, url,
                         puan_node_str_opt(tree, "installation", ""), &a, err);
    if (st != PUAN_OK) {
        struct puan_err second = { 0 };

        (void)!puan_dir_remove(dir, &second); /* nothing may be served */
    }
out:
    puan_arena_clear(&a);
    return st;
}

/* ---- the feature ------------------------------------------------------------------ */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE backup(id BIGINT PRIMARY KEY, at BIGINT NOT NULL,"
      " place TEXT NOT NULL, manifest BYTEA NOT NULL,"
      " entries BIGINT NOT NULL);" },
    { PUAN_STORE_OFFICE, 2,
      "CREATE TABLE backup_check(id BIGINT PRIMARY KEY, at BIGINT NOT NULL,"
      " place TEXT NOT NULL, manifest BYTEA NOT NULL);" },
};

static enum puan_status read_age(int64_t *value, struct puan_store *store,
                                 int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(store);
    struct puan_db *db = NULL;
    int64_t at = 0;
    enum puan_status st = puan_read_begin(&db, office, err);

    (void)area;
    if (st == PUAN_OK)
        st = puan_db_int(&at, db, "SELECT MAX(at) FROM backup", 0, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && at == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "backup", "none was ever made");
    *value = (puan_real_now() - at) / 1000;
    return st;
}

/* A backup nobody has checked counts as none. */
static enum puan_status read_checked(int64_t *value, struct puan_store *store,
                                     int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(store);
    struct puan_db *db = NULL;
    int64_t at = 0;
    enum puan_status st = puan_read_begin(&db, office, err);

    (void)area;
    if (st == PUAN_OK)
        st = puan_db_int(&at, db,
                         "SELECT MAX(b.at) FROM backup b JOIN backup_check c"
                         " ON c.manifest = b.manifest",
                         0, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && at == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "backup", "none was checked");
    *value = (puan_real_now() - at) / 1000;
    return st;
}

static const struct puan_metric metrics[] = {
    { "puan_backup_age", "seconds", "installation",
      "Since the last backup was made", read_age },
    { "puan_backup_checked_age", "seconds", "installation",
      "Since the last backup that was checked was made", read_checked },
};

struct backup_in {
    struct puan_str name;
};
static const struct puan_param backup_params[] = {
    { "name", PUAN_PARAM_TEXT, offsetof(struct backup_in, name), 1, 40 },
};

static void put_backup(struct puan_jw *w, const struct puan_backup *b,
                       const char *place)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, b->manifest, PUAN_DIGEST_SIZE);
    puan_jw_map(w);
    puan_jw_ktext(w, "place", place);
    puan_jw_kint(w, "files", (int64_t)b->files);
    puan_jw_kint(w, "bytes", (int64_t)b->bytes);
    puan_jw_kint(w, "entries", (int64_t)b->entries);
    puan_jw_ktext(w, "manifest", hex);
    puan_jw_end(w, '}');
}

/*
 * The client names a backup, never a path: it lies beside the directory, in
 * <directory>.backups/<name>.
 */
static enum puan_status place_of(const char **place, struct puan_request *rq,
                                 struct puan_str name, struct puan_err *err)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return puan_fail(err, PUAN_EINVAL, "name",
                             "give letters a-z, digits and hyphens");
    }
    *place = puan_arena_fmt(rq->arena, "%s.backups/%.*s",
                            puan_store_dir(rq->store), PUAN_FMT(name));
    return puan_arena_check(rq->arena, err);
}

static enum puan_status post_backup(struct puan_request *rq, const void *arg,
                                    struct puan_err *err)
{
    const struct backup_in *in = arg;
    struct puan_backup b;
    struct puan_act act;
    const char *place;
    enum puan_status st = place_of(&place, rq, in->name, err);

    if (st != PUAN_OK)
        return st;
    puan_request_act(&act, rq, in->name);
    st = puan_backup_make(&b, rq->store, place, &act, err);
    if (st == PUAN_OK)
        put_backup(puan_answer_begin(rq, 201), &b, place);
    return st;
}

static enum puan_status check_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    const struct noted *n = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    (void)sh;
    st = puan_sql(&s, db,
                  "INSERT INTO backup_check(id, at, place, manifest)"
                  " VALUES ($1, $2, $3, $4)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)act->seq);
    puan_bind_int(s, 2, act->entry_ms);
    puan_bind_text(s, 3, n->out);
    puan_bind_bytes(s, 4, n->b->manifest, PUAN_DIGEST_SIZE);
    return puan_stmt_once(s, err);
}

/* Every file and ledger of a backup; that it held is an entry. */
static enum puan_status post_check(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct backup_in *in = arg;
    struct puan_backup b = { 0 };
    struct noted n = { .b = &b };
    struct puan_act act;
    const char *place;
    enum puan_status st = place_of(&place, rq, in->name, err);

    if (st == PUAN_OK)
        st = puan_backup_check(&b, place, err);
    if (st != PUAN_OK)
        return st;
    n.out = puan_str_of(place);
    puan_request_act(&act, rq, in->name);
    act.has_new = true;
    memcpy(act.new_digest, b.manifest, PUAN_DIGEST_SIZE);
    st = puan_commit(puan_store_office(rq->store), &act, check_body, &n, err);
    if (st == PUAN_OK)
        put_backup(puan_answer_begin(rq, 200), &b, place);
    return st;
}

static const struct puan_route routes[] = {
    { PUAN_POST, "/c/{campaign}/backups", "backup.make", PUAN_SCOPE_OFFICE,
      "backup.make", "Back up all stores as one consistent cut", post_backup,
      PUAN_PARAMS(backup_params, struct backup_in) },
    { PUAN_POST, "/c/{campaign}/backups/{name}/check", "backup.make",
      PUAN_SCOPE_OFFICE, "backup.check",
      "Check a backup: files, manifest, ledgers; entered when it holds",
      post_check, PUAN_PARAMS(backup_params, struct backup_in) },
};

static int finish(enum puan_status st, const struct puan_backup *b,
                  const char *what, const struct puan_err *err)
{
    if (st == PUAN_OK) {
        printf("%s: %llu files, %llu bytes, %llu ledger entries\n", what,
               (unsigned long long)b->files, (unsigned long long)b->bytes,
               (unsigned long long)b->entries);
        return PUAN_EXIT_DONE;
    }
    fprintf(stderr, "puan: %s: %s\n", err->where, err->text);
    return st == PUAN_EINVAL || st == PUAN_ENOTFOUND ? PUAN_EXIT_INPUT
           : st == PUAN_EDENIED || st == PUAN_ECONFLICT || st == PUAN_EBUSY
               ? PUAN_EXIT_REFUSED
               : PUAN_EXIT_SYSTEM;
}

static int cmd_backup(int argc, char **argv)
{
    struct puan_act act = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line") };
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_backup b = { 0 };
    struct puan_err err = { 0 };
    enum puan_status st;

    if (argc == 5 && strcmp(argv[3], "--store") == 0)
        opt.url = argv[4];
    else if (argc != 3)
        return PUAN_EXIT_USAGE;
    st = puan_store_open(&store, argv[1], &opt, &err);
    if (st == PUAN_OK)
        st = puan_backup_make(&b, store, argv[2], &act, &err);
    puan_store_close(store);
    return finish(st, &b, argv[2], &err);
}

static int cmd_verify(int argc, char **argv)
{
    struct puan_backup b = { 0 };
    struct puan_err err = { 0 };

    if (argc != 2 || argv[1][0] == '-')
        return PUAN_EXIT_USAGE;
    return finish(puan_backup_check(&b, argv[1], &err), &b, argv[1], &err);
}

static int cmd_restore(int argc, char **argv)
{
    const char *url = NULL;
    struct puan_backup b = { 0 };
    struct puan_err err = { 0 };

    if (argc == 5 && strcmp(argv[3], "--store") == 0)
        url = argv[4];
    else if (argc != 3)
        return PUAN_EXIT_USAGE;
    return finish(puan_backup_restore(&b, argv[1], argv[2], url, &err), &b,
                  argv[2], &err);
}

static const struct puan_command commands[] = {
    { "backup verify", "OUT",
      "Checks a backup: every file against the signed manifest, then the "
      "ledgers of all stores.",
      cmd_verify, "核验备份：文件清单、签名和各库台账" },
    { "backup", "DIR OUT [--store URL]",
      "Writes one consistent cut of all stores, keys, plan and blobs to a new "
      "directory. While a server runs, ask it: POST /c/{campaign}/backups.",
      cmd_backup, "备份：同一时点的全部数据、密钥、方案和附件" },
    { "restore", "OUT DIR [--store URL]",
      "Makes a campaign directory from a backup, after its manifest and "
      "ledgers were verified; with --store its stores go into PostgreSQL.",
      cmd_restore, "核验备份后恢复为普查目录" },
};

const struct puan_feature puan_feature_backup = {
    .name = "backup",
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
