/*
 * Stored returns, read back.
 */
#include "features/ingest/internal.h"

#include <stdlib.h>

#include "kit/os/os.h"

#define RET_COLUMNS                                                            \
    "SELECT seq, household, prev, version, form, mode, device, counter,"       \
    " actor, seat, started, finished, received, signed, entry, query, frame,"  \
    " facts, vault, findings, reasons, tok, hard, soft, persons, digest"       \
    " FROM ret WHERE seq = $1"

enum puan_status puan_ret_read(struct puan_ret *out, struct puan_shard *sh,
                               struct puan_db *db, int64_t seq,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(puan_shard_store(sh));
    struct puan_stmt *s = NULL;
    struct puan_str digest;
    int64_t form;
    bool more = false;
    enum puan_status st = puan_sql(&s, db, RET_COLUMNS, err);

    if (st != PUAN_OK)
        return st;
    memset(out, 0, sizeof(*out));
    puan_bind_int(s, 1, seq);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "ret", "no return %lld in %s",
                       (long long)seq, puan_shard_name(sh));
    if (st != PUAN_OK)
        goto out;
    form = puan_col_int(s, 4);
    digest = puan_col_bytes(s, 25);
    if (form < 0 || (size_t)form >= plan->n_forms ||
        digest.n != PUAN_DIGEST_SIZE) {
        st = puan_fail(err, PUAN_EIO, "ret",
                       "return %lld is damaged; run puan ledger verify",
                       (long long)seq);
        goto out;
    }
    out->seq = puan_col_int(s, 0);
    out->prev = puan_col_int(s, 2);
    out->version = (uint32_t)puan_col_int(s, 3);
    out->form = plan->form[form];
    out->head = (struct puan_return_head){
        .household = puan_col_int(s, 1),
        .base = out->version - 1,
        .form = out->form->id,
        .device = puan_arena_keep(a, puan_col_text(s, 6)),
        .counter = (uint64_t)puan_col_int(s, 7),
        .mode = puan_arena_keep(a, puan_col_text(s, 5)),
        .started_ms = puan_col_int(s, 10),
        .finished_ms = puan_col_int(s, 11),
        .is_signed = puan_col_int(s, 13) != 0,
        .query = puan_arena_keep(a, puan_col_text(s, 15)),
    };
    out->actor = puan_arena_keep(a, puan_col_text(s, 8));
    out->seat = puan_arena_keep(a, puan_col_text(s, 9));
    out->received_ms = puan_col_int(s, 12);
    out->entry = (uint64_t)puan_col_int(s, 14);
    out->frame = puan_arena_keep(a, puan_col_bytes(s, 16));
    out->facts = puan_arena_keep(a, puan_col_bytes(s, 17));
    out->vault = puan_arena_keep(a, puan_col_bytes(s, 18));
    out->findings = puan_arena_keep(a, puan_col_bytes(s, 19));
    out->reasons = puan_arena_keep(a, puan_col_bytes(s, 20));
    out->tok = puan_arena_keep(a, puan_col_bytes(s, 21));
    out->hard = (uint32_t)puan_col_int(s, 22);
    out->soft = (uint32_t)puan_col_int(s, 23);
    out->persons = (uint32_t)puan_col_int(s, 24);
    memcpy(out->digest, digest.p, PUAN_DIGEST_SIZE);
    st = puan_arena_check(a, err);
out:
    puan_stmt_done(s);
    return st;
}

static enum puan_status open_column(struct puan_str *plain,
                                    const struct puan_ret *r,
                                    struct puan_shard *sh, const char *column,
                                    struct puan_str sealed,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_keys *keys = puan_store_keys(puan_shard_store(sh));
    int version = puan_sealed_version(sealed);
    const struct puan_seal_key *key =
        version < 0 ? NULL
                    : puan_keys_data_version(keys, puan_shard_area(sh),
                                             "vault", (uint16_t)version);
    char row[48];
    struct puan_str aad;

    if (!key)
        return puan_fail(err, PUAN_EIO, "vault",
                         "the key of this county's sealed answers is missing");
    puan_format(row, sizeof(row), "%lld.%u", (long long)r->head.household,
                r->version);
    aad = puan_seal_aad(a, puan_shard_area(sh), "ret", column,
                        (uint16_t)version, puan_str_of(row));
    return puan_unseal(plain, key, aad, sealed, a, err);
}

enum puan_status puan_ret_record(struct puan_record *out,
                                 const struct puan_ret *r,
                                 struct puan_shard *sh, bool open_vault,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_str plain = { 0 };
    enum puan_status st = PUAN_OK;

    if (open_vault)
        st = open_column(&plain, r, sh, "vault", r->vault, a, err);
    if (st == PUAN_OK)
        st = puan_record_decode(out, r->form, r->frame, r->facts, plain, a,
                                err);
    return st;
}

enum puan_status puan_ret_edits(struct puan_edits *out,
                                const struct puan_ret *r,
                                struct puan_shard *sh, bool with_reasons,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_str plain = { 0 };
    enum puan_status st = PUAN_OK;

    if (with_reasons && r->reasons.n > 0)
        st = open_column(&plain, r, sh, "reasons", r->reasons, a, err);
    if (st == PUAN_OK)
        st = puan_edits_decode(out, r->findings, plain, a, err);
    return st;
}

static int by_household(const void *a, const void *b)
{
    int64_t x = ((const struct puan_slot *)a)->household;
    int64_t y = ((const struct puan_slot *)b)->household;

    return x < y ? -1 : x > y;
}

static int by_arrival(const void *a, const void *b)
{
    uint32_t x = ((const struct puan_slot *)a)->ret;
    uint32_t y = ((const struct puan_slot *)b)->ret;

    return x < y ? -1 : x > y;
}

static enum puan_status walk(struct puan_shard *sh, int64_t from, int64_t to,
                             int (*order)(const void *, const void *),
                             puan_ret_fn fn, void *arg, struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_slot *slot = NULL;
    struct puan_db *db = NULL;
    struct puan_arena row;
    size_t n = 0;
    enum puan_status st;

    if (!is)
        return PUAN_OK; /* the office store has no returns */
    st = puan_heads_committed(&slot, &n, is, from, to, err);
    if (st != PUAN_OK)
        return st;
    qsort(slot, n, sizeof(*slot), order);
    puan_arena_init(&row, puan_os_alloc());
    st = puan_read_begin(&db, sh, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_ret r;

        puan_arena_reset(&row);
        st = puan_ret_read(&r, sh, db, slot[i].ret, &row, err);
        if (st == PUAN_OK)
            st = fn(arg, &r, err);
    }
    puan_read_end(sh, db);
    puan_arena_clear(&row);
    free(slot);
    return st;
}

enum puan_status puan_ret_each(struct puan_shard *sh, int64_t from, int64_t to,
                               puan_ret_fn fn, void *arg, struct puan_err *err)
{
    return walk(sh, from, to, by_household, fn, arg, err);
}

enum puan_status puan_ret_each_arrived(struct puan_shard *sh, int64_t from,
                                       int64_t to, puan_ret_fn fn, void *arg,
                                       struct puan_err *err)
{
    return walk(sh, from, to, by_arrival, fn, arg, err);
}

struct area_digest {
    const struct puan_digest_fn *fn;
    uint8_t at[PUAN_DIGEST_SIZE];
    uint64_t n;
};

static enum puan_status add_digest(void *arg, const struct puan_ret *r,
                                   struct puan_err *err)
{
    struct area_digest *d = arg;
    char head[48];
    struct puan_str part[3];

    (void)err;
    puan_format(head, sizeof(head), "%lld.%u;", (long long)r->head.household,
                r->version);
    part[0] = (struct puan_str){ (const char *)d->at, sizeof(d->at) };
    part[1] = puan_str_of(head);
    part[2] = (struct puan_str){ (const char *)r->digest, sizeof(r->digest) };
    d->fn->hash(d->fn->ctx, d->at, part, 3);
    d->n++;
    return PUAN_OK;
}

enum puan_status puan_area_digest(uint8_t out[PUAN_DIGEST_SIZE], uint64_t *n,
                                  struct puan_store *store, int64_t area,
                                  struct puan_err *err)
{
    struct area_digest d = { .fn = puan_store_digest(store) };
    int64_t from, to;
    enum puan_status st = PUAN_OK;

    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; i < puan_store_shards(store) && st == PUAN_OK; i++) {
        struct puan_shard *sh = puan_store_shard(store, i);
        int64_t f, t;

        puan_area_keys(&f, &t, store, puan_shard_area(sh));
        if (f < to && from < t)
            st = puan_ret_each(sh, from, to, add_digest, &d, err);
    }
    memcpy(out, d.at, sizeof(d.at));
    *n = d.n;
    return st;
}
