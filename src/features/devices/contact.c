/*
 * Contacts: the links a device brings are held against its chain, kept and
 * covered; what they say was sealed is expected from then on.
 */
#include "features/devices/internal.h"

#include "core/ledger/ledger.h"

struct seen {
    int64_t at, lease, clock, n;
    uint8_t head[PUAN_DIGEST_SIZE];
    bool broken, is;
};

static enum puan_status seen_read(struct seen *out, struct puan_db *db,
                                  const struct contact *c,
                                  struct puan_store *st, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;

    *out = (struct seen){ 0 };
    puan_chain_start(out->head, puan_digest_sha256(),
                     puan_str_of(puan_store_id(st)), c->device->device);
    TRY(puan_sql(&s, db,
                 "SELECT at, lease, clock, n, head, broken FROM device_seen"
                 " WHERE device = $1",
                 err));
    puan_bind_text(s, 1, c->device->device);
    rc = puan_stmt_step(&more, s, err);
    if (rc == PUAN_OK && more) {
        out->is = true;
        out->at = puan_col_int(s, 0);
        out->lease = puan_col_int(s, 1);
        out->clock = puan_col_int(s, 2);
        out->n = puan_col_int(s, 3);
        if (!puan_unhex(out->head, PUAN_DIGEST_SIZE, puan_col_text(s, 4)))
            rc = puan_fail(err, PUAN_EIO, "device_seen", "is damaged");
        out->broken = puan_col_int(s, 5) != 0;
    }
    puan_stmt_done(s);
    return rc;
}

static enum puan_status seen_write(const struct seen *x, struct puan_db *db,
                                   const struct contact *c,
                                   struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_stmt *s = NULL;
    enum puan_status st;

    puan_hex(hex, x->head, PUAN_DIGEST_SIZE);
    TRY(puan_sql(&s, db,
                 "INSERT INTO device_seen(device, at, lease, clock, n, head,"
                 " broken) VALUES($1, $2, $3, $4, $5, $6, $7)"
                 " ON CONFLICT(device) DO UPDATE SET at = excluded.at,"
                 " lease = excluded.lease, clock = excluded.clock,"
                 " n = excluded.n, head = excluded.head,"
                 " broken = excluded.broken",
                 err));
    puan_bind_text(s, 1, c->device->device);
    puan_bind_int(s, 2, x->at);
    puan_bind_int(s, 3, x->lease);
    puan_bind_int(s, 4, x->clock);
    puan_bind_int(s, 5, x->n);
    puan_bind_text(s, 6, puan_str_of(hex));
    puan_bind_int(s, 7, x->broken);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

/* Are the links we know among these the ones we know?  *same tells. */
static enum puan_status compare_known(bool *same, struct puan_db *db,
                                      const struct contact *c, int64_t known,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *same = true;
    if ((int64_t)c->from > known || c->n_links == 0)
        return PUAN_OK;
    TRY(puan_sql(&s, db,
                 "SELECT first, links FROM device_contact WHERE device = $1"
                 " AND n >= $2 ORDER BY n",
                 err));
    puan_bind_text(s, 1, c->device->device);
    puan_bind_int(s, 2, c->from);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t n = puan_col_int(s, 0);
        struct puan_str rest = puan_col_text(s, 1), line;

        for (; puan_str_split(&line, &rest, '\n'); n++)
            if (n >= (int64_t)c->from &&
                n < (int64_t)c->from + (int64_t)c->n_links &&
                !puan_str_eq(line, c->link[n - (int64_t)c->from]))
                *same = false;
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status announce(const struct puan_link *l, struct puan_db *db,
                                 const struct contact *c, int64_t now,
                                 struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_stmt *s = NULL;
    int64_t id;
    enum puan_status st;

    puan_hex(hex, l->digest, PUAN_DIGEST_SIZE);
    TRY(puan_db_int(&id, db, "SELECT MAX(id) + 1 FROM device_return", 1, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO device_return(id, device, household, counter,"
                 " digest, sealed, announced, state, arrived, receipt)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, 0, 0, '')"
                 " ON CONFLICT(device, household, counter, digest)"
                 " DO UPDATE SET sealed = excluded.sealed,"
                 " announced = excluded.announced"
                 " WHERE device_return.announced = 0",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, c->device->device);
    puan_bind_int(s, 3, l->household);
    puan_bind_int(s, 4, l->counter);
    puan_bind_text(s, 5, puan_str_of(hex));
    puan_bind_int(s, 6, l->at);
    puan_bind_int(s, 7, now);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

static enum puan_status keep_links(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, struct contact *c,
                                   const struct seen *x, uint32_t skip,
                                   struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_out links, o;
    struct puan_stmt *s = NULL;
    int64_t id;
    enum puan_status st;

    puan_out_init(&links, c->a);
    for (uint32_t i = skip; i < c->n_links; i++) {
        if (i > skip)
            puan_out_char(&links, '\n');
        puan_out_str(&links, c->link[i]);
    }
    puan_hex(hex, x->head, PUAN_DIGEST_SIZE);
    TRY(puan_arena_check(c->a, err));
    TRY(puan_db_int(&id, db, "SELECT MAX(id) + 1 FROM device_contact", 1,
                    err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO device_contact(id, device, at, clock, first, n,"
                 " head, signature, links) VALUES($1, $2, $3, $4, $5, $6, $7,"
                 " $8, $9)",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, c->device->device);
    puan_bind_int(s, 3, x->at);
    puan_bind_int(s, 4, c->clock);
    puan_bind_int(s, 5, (int64_t)c->from + skip);
    puan_bind_int(s, 6, x->n);
    puan_bind_text(s, 7, puan_str_of(hex));
    puan_bind_text(s, 8, c->signature);
    puan_bind_text(s, 9, puan_out_view(&links));
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    TRY(st);
    puan_out_init(&o, c->a);
    puan_content_text(&o, c->device->device);
    puan_content_int(&o, x->at);
    puan_content_int(&o, c->clock);
    puan_content_int(&o, (int64_t)c->from + skip);
    puan_content_int(&o, x->n);
    puan_content_text(&o, puan_str_of(hex));
    puan_content_text(&o, c->signature);
    puan_content_text(&o, puan_out_view(&links));
    TRY(puan_arena_check(c->a, err));
    act->has_new = true;
    memcpy(act->new_digest, x->head, PUAN_DIGEST_SIZE);
    return puan_cover_id(sh, db, act, "device_contact", id, puan_out_view(&o),
                         err);
}

/* The chain from `x` over the links behind `skip`. */
static enum puan_status follow(struct seen *x, const struct contact *c,
                               uint32_t skip, struct puan_err *err)
{
    for (uint32_t i = skip; i < c->n_links; i++) {
        struct puan_link l;

        TRY(puan_link_read(&l, c->link[i], err));
        if (l.n != c->from + i)
            return puan_fail(err, PUAN_EINVAL, "links",
                             "they are not numbered one after the other");
        puan_chain_step(x->head, puan_digest_sha256(), c->link[i]);
    }
    return PUAN_OK;
}

/* What the links behind `skip` say was sealed. */
static enum puan_status announce_all(const struct contact *c, uint32_t skip,
                                     struct puan_db *db, int64_t now,
                                     struct puan_err *err)
{
    for (uint32_t i = skip; i < c->n_links; i++) {
        struct puan_link l;

        TRY(puan_link_read(&l, c->link[i], err));
        if (l.act == PUAN_LINK_SEALED)
            TRY(announce(&l, db, c, now, err));
    }
    return PUAN_OK;
}

static bool fits(const struct seen *x, const struct contact *c)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, x->head, PUAN_DIGEST_SIZE);
    return c->head.n == 0 || puan_str_is(c->head, hex);
}

static enum puan_status contact_body(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act, void *arg,
                                     struct puan_err *err)
{
    struct contact *c = arg;
    struct puan_store *st = puan_shard_store(sh);
    const struct puan_plan *plan = puan_store_plan(st);
    struct seen x, before;
    uint32_t skip = 0;
    bool same = true;

    act->silent = false;
    act->has_new = false;
    c->gap = c->broken = false;
    c->fresh = 0;
    TRY(seen_read(&x, db, c, st, err));
    before = x;
    x.at = act->entry_ms;
    if (c->clock)
        x.clock = c->clock - act->entry_ms;
    if (c->session)
        x.lease = act->entry_ms + lease_ms(plan);
    if (c->n_links) {
        c->gap = (int64_t)c->from > x.n + 1;
        TRY(compare_known(&same, db, c, x.n, err));
        if (!c->gap && same && (int64_t)c->from <= x.n)
            skip = x.n - c->from + 1 < c->n_links
                       ? (uint32_t)(x.n - c->from + 1)
                       : c->n_links;
        c->broken = !same;
    }
    if (!c->gap && !c->broken && skip < c->n_links) {
        TRY(follow(&x, c, skip, err));
        x.n = (int64_t)c->from + c->n_links - 1;
        c->broken = !fits(&x, c);
        c->fresh = c->n_links - skip;
    } else if (!c->gap && !c->broken && c->n_links == 0 &&
               (int64_t)c->from == x.n + 1) {
        c->broken = !fits(&x, c);
    }
    if (c->broken || c->gap) {
        /* nothing of it is taken but that it came */
        c->fresh = 0;
        memcpy(x.head, before.head, sizeof(x.head));
        x.n = before.n;
        x.broken = before.broken || c->broken;
        act->verb = PUAN_STR("device.chain.broken");
    }
    act->silent = c->fresh == 0 && (!c->broken || before.broken);
    if (c->fresh) {
        TRY(announce_all(c, skip, db, act->entry_ms, err));
        TRY(keep_links(sh, db, act, c, &x, skip, err));
    }
    c->known = x.n;
    c->lease = x.lease;
    memcpy(c->hash, x.head, sizeof(c->hash));
    return seen_write(&x, db, c, err);
}

enum puan_status contact_take(struct contact *c, struct puan_store *st,
                              struct puan_act *act, struct puan_err *err)
{
    struct puan_shard *sh = device_shard(st, c->device);
    struct device met = *c->device;

    if (!sh)
        return puan_fail(err, PUAN_ECONFLICT, "device",
                         "its area lies in no returns store");
    act->verb = PUAN_STR("device.contact");
    TRY(puan_commit(sh, act, contact_body, c, err));
    met.at = puan_real_now();
    met.lease = c->lease;
    if (c->clock)
        met.clock = c->clock - met.at;
    met.n = c->known;
    met.broken = met.broken || c->broken;
    device_met(st, &met);
    return PUAN_OK;
}
