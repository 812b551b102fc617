/*
 * What cannot be accepted is kept, sealed, until a person decides: the sender
 * may have thrown its copy away.  A source may leave only so much, so that a
 * broken or hostile device cannot fill the disk; the ledger learns the digest
 * and the reason, never the content.
 */
#include "features/ingest/internal.h"

#include "core/ledger/ledger.h"
static enum puan_status seen_before(struct puan_quarantined *out,
                                    struct puan_db *db, struct puan_str source,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT id FROM quarantine WHERE source = $1 AND mac = $2",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, source);
    puan_bind_bytes(s, 2, out->mac, sizeof(out->mac));
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        out->id = puan_col_int(s, 0);
        out->again = true;
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status within_bounds(struct puan_db *db,
                                      struct puan_str source, size_t size,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    int64_t docs = 0, bytes = 0;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT COUNT(*), SUM(size) FROM quarantine"
                  " WHERE source = $1 AND state = 0",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, source);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        docs = puan_col_int(s, 0);
        bytes = puan_col_null(s, 1) ? 0 : puan_col_int(s, 1);
    }
    puan_stmt_done(s);
    if (st == PUAN_OK && (docs >= PUAN_QUARANTINE_DOCS ||
                          bytes + (int64_t)size > PUAN_QUARANTINE_BYTES))
        st = puan_fail(err, PUAN_ELIMIT, "quarantine",
                       "this device has left too many documents that could "
                       "not be accepted; the county office must look at them "
                       "first");
    return st;
}

enum puan_status
puan_quarantine_put(struct puan_quarantined *out, struct puan_ingest_shard *is,
                    struct puan_db *db, struct puan_act *act,
                    struct puan_str source, int64_t household,
                    const char *reason, struct puan_str body,
                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_digest_fn *digest = puan_store_digest(is->in->store);
    struct puan_str parts[3] = { puan_str_of("quarantine"), source, body };
    struct puan_stmt *s = NULL;
    struct puan_out sealed, content;
    struct puan_str aad, view;
    char row[2 * PUAN_DIGEST_SIZE + 1];
    enum puan_status st;

    memset(out, 0, sizeof(*out));
    /* keyed, because the digest of a guessable document would tell it */
    digest->mac(digest->ctx, out->mac,
                puan_keys_token(puan_store_keys(is->in->store)), parts, 3);
    st = seen_before(out, db, source, err);
    if (st == PUAN_OK && out->again)
        act->silent = true;
    if (st != PUAN_OK || out->again)
        return st;
    st = within_bounds(db, source, body.n, err);
    if (st != PUAN_OK)
        return st;
    puan_hex(row, out->mac, sizeof(out->mac));
    aad = puan_seal_aad(a, puan_shard_area(is->sh), "quarantine", "doc",
                        is->quarantine->version, puan_str_of(row));
    puan_out_init(&sealed, a);
    st = puan_seal(&sealed, is->quarantine, aad, body, err);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO quarantine(id, at, source, household,"
                      " reason, size, mac, sealed, state)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
                      err);
    if (st != PUAN_OK)
        return st;
    view = puan_out_view(&sealed);
    out->id = is->next_quarantine;
    puan_bind_int(s, 1, out->id);
    puan_bind_int(s, 2, act->entry_ms);
    puan_bind_text(s, 3, source);
    puan_bind_int(s, 4, household);
    puan_bind_text(s, 5, puan_str_of(reason));
    puan_bind_int(s, 6, (int64_t)body.n);
    puan_bind_bytes(s, 7, out->mac, sizeof(out->mac));
    puan_bind_bytes(s, 8, view.p, view.n);
    st = puan_stmt_once(s, err);
    if (st != PUAN_OK)
        return PUAN_EIO;
    is->next_quarantine++; /* a number lost to a rollback is not missed */
    act->verb = PUAN_STR("return.quarantine");
    act->note = puan_str_of(reason);
    act->has_old = false;
    act->has_new = true;
    puan_digest_one(act->new_digest, digest, view);
    /* the columns of PUAN_QUARANTINE_SQL, in their order */
    puan_out_init(&content, a);
    puan_content_int(&content, act->entry_ms);
    puan_content_text(&content, source);
    puan_content_int(&content, household);
    puan_content_text(&content, puan_str_of(reason));
    puan_content_int(&content, (int64_t)body.n);
    puan_content_bytes(&content, (struct puan_str){ (const char *)out->mac,
                                                    sizeof(out->mac) });
    puan_content_bytes(&content, view);
    if (puan_arena_check(a, err) != PUAN_OK)
        return PUAN_ENOMEM;
    return puan_cover_id(is->sh, db, act, "quarantine", out->id,
                         puan_out_view(&content), err);
}
