/*
 * Covered rows: what their content is, what `covered` knows of them, and the
 * covering of whole groups of rows (ledgers.h).
 */
#include <stdlib.h>

#include "features/ledgers/source.h"
#include "kit/os/os.h"

void puan_content_columns(struct puan_out *o, struct puan_stmt *s)
{
    int n = puan_stmt_cols(s);

    for (int i = 1; i < n; i++)
        switch (puan_col_kind_of(s, i)) {
        case PUAN_COL_NULL:
            puan_content_null(o);
            break;
        case PUAN_COL_INT:
            puan_content_int(o, puan_col_int(s, i));
            break;
        case PUAN_COL_TEXT:
            puan_content_text(o, puan_col_text(s, i));
            break;
        case PUAN_COL_BYTES:
            puan_content_bytes(o, puan_col_bytes(s, i));
            break;
        }
}

static int by_key(const void *a, const void *b)
{
    const struct puan_known_row *x = a, *y = b;

    return puan_str_cmp(x->key, y->key);
}

enum puan_status puan_known_read(struct puan_known *k, struct puan_db *db,
                                 const char *table, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t n = 0;
    bool more = false;
    enum puan_status st;

    *k = (struct puan_known){ 0 };
    st = puan_sql(&s, db, "SELECT COUNT(*) FROM covered WHERE tbl = $1", err);
    if (st == PUAN_OK) {
        puan_bind_text(s, 1, puan_str_of(table));
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK)
        n = puan_col_int(s, 0);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    k->row = puan_new_n(a, (size_t)n + 1, struct puan_known_row);
    if (!k->row)
        return puan_arena_check(a, err);
    s = NULL;
    st = puan_sql(&s, db,
                  "SELECT key, seq, digest FROM covered WHERE tbl = $1", err);
    if (st == PUAN_OK)
        puan_bind_text(s, 1, puan_str_of(table));
    while (st == PUAN_OK && k->n < (size_t)n) {
        struct puan_known_row *row = &k->row[k->n];
        struct puan_str key, d;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        key = puan_col_text(s, 0);
        d = puan_col_bytes(s, 2);
        row->key = (struct puan_str){ puan_arena_dup(a, key), key.n };
        row->seq = (uint64_t)puan_col_int(s, 1);
        if (d.n == PUAN_DIGEST_SIZE)
            memcpy(row->digest, d.p, PUAN_DIGEST_SIZE);
        k->n++;
    }
    puan_stmt_done(s);
    if (k->n)
        qsort(k->row, k->n, sizeof(*k->row), by_key);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

size_t puan_known_find(const struct puan_known *k, struct puan_str key)
{
    struct puan_known_row want = { .key = key };
    const struct puan_known_row *have =
        k->n ? bsearch(&want, k->row, k->n, sizeof(*k->row), by_key) : NULL;

    return have ? (size_t)(have - k->row) : k->n;
}

/* One complete group: entered when it is not what is known already. */
static enum puan_status group_done(struct puan_known *k, struct puan_shard *sh,
                                   struct puan_db *db, struct puan_act *act,
                                   const struct puan_covered *c,
                                   struct puan_str group,
                                   const struct puan_out *content,
                                   struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(puan_shard_store(sh));
    uint8_t digest[PUAN_DIGEST_SIZE];
    size_t i = puan_known_find(k, group);

    puan_cover_digest(digest, fn, puan_str_of(c->table), group,
                      puan_out_view(content));
    if (i < k->n) {
        k->row[i].met = true;
        if (memcmp(k->row[i].digest, digest, sizeof(digest)) == 0)
            return PUAN_OK;
    }
    return puan_cover(sh, db, act, c->table, group, puan_out_view(content),
                      err);
}

enum puan_status puan_ledger_cover(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act,
                                   const struct puan_covered *c,
                                   struct puan_str group, struct puan_err *err)
{
    struct puan_arena a, scratch;
    struct puan_out content = { 0 };
    struct puan_str at = { 0 };
    struct puan_known k = { 0 };
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    puan_arena_init(&scratch, puan_os_alloc());
    if (group.n == 0) {
        st = puan_known_read(&k, db, c->table, &a, err);
        if (st == PUAN_OK)
            st = puan_sql(&s, db, c->sql, err);
    } else {
        st = puan_sql(&s, db, c->group_sql, err);
        if (st == PUAN_OK)
            puan_bind_text(s, 1, group);
    }
    while (st == PUAN_OK) {
        struct puan_str key;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        key = puan_col_text(s, 0);
        if (!at.p || !puan_str_eq(at, key)) {
            if (at.p)
                st = group_done(&k, sh, db, act, c, at, &content, err);
            puan_arena_reset(&scratch);
            puan_out_init(&content, &scratch);
            at = (struct puan_str){ puan_arena_dup(&scratch, key), key.n };
        }
        puan_content_row(&content);
        puan_content_columns(&content, s);
        if (st == PUAN_OK)
            st = puan_arena_check(&scratch, err);
    }
    puan_stmt_done(s);
    if (st == PUAN_OK && at.p)
        st = group_done(&k, sh, db, act, c, at, &content, err);
    else if (st == PUAN_OK && group.n)
        st = puan_cover(sh, db, act, c->table, group, (struct puan_str){ 0 },
                        err); /* its last row is gone */
    for (size_t i = 0; i < k.n && st == PUAN_OK; i++)
        if (!k.row[i].met)
            st = puan_cover(sh, db, act, c->table, k.row[i].key,
                            (struct puan_str){ 0 }, err);
    puan_arena_clear(&scratch);
    puan_arena_clear(&a);
    return st;
}
