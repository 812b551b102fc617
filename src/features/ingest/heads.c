/*
 * Where each household stands: an open hash of 16-byte slots a store, and the
 * counters of each enumeration area that follow from them.
 *
 * The truth is `ret` and `listing`; this is made from them at start.  Reading
 * a million rows of returns for it takes seconds, so the slots are also written
 * to a file behind the commits; the file counts only when the last row it has
 * seen is still there with the same digest, and rows behind it are read.
 */
#include "features/ingest/internal.h"

#include <stdlib.h>

#include "kit/os/os.h"

__extension__ typedef unsigned __int128 puan_u128;

static size_t place_of(int64_t key, size_t cap)
{
    uint64_t h = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(((puan_u128)h * cap) >> 64);
}

struct puan_slot *puan_heads_find(struct puan_ingest_shard *is,
                                  int64_t household)
{
    size_t i;

    if (is->cap == 0)
        return NULL;
    for (i = place_of(household, is->cap); is->slot[i].household != 0;
         i = i + 1 == is->cap ? 0 : i + 1)
        if (is->slot[i].household == household)
            return &is->slot[i];
    return NULL;
}

static bool grow_slots(struct puan_ingest_shard *is, size_t cap)
{
    struct puan_slot *slot = calloc(cap, sizeof(*slot));

    if (!slot)
        return false;
    for (size_t k = 0; k < is->cap; k++) {
        size_t i;

        if (is->slot[k].household == 0)
            continue;
        i = place_of(is->slot[k].household, cap);
        while (slot[i].household != 0)
            i = i + 1 == cap ? 0 : i + 1;
        slot[i] = is->slot[k];
    }
    free(is->slot);
    is->slot = slot;
    is->cap = cap;
    return true;
}

static struct puan_counts *counts_of(struct puan_ingest_shard *is, int64_t ea)
{
    size_t i;

    if (is->ea_n * 4 >= is->ea_cap * 3) {
        size_t cap = is->ea_cap ? is->ea_cap * 2 : 256;
        struct puan_ea_counts *grown = calloc(cap, sizeof(*grown));

        if (!grown)
            return NULL;
        for (size_t k = 0; k < is->ea_cap; k++) {
            if (is->ea[k].ea == 0)
                continue;
            i = place_of(is->ea[k].ea, cap);
            while (grown[i].ea != 0)
                i = i + 1 == cap ? 0 : i + 1;
            grown[i] = is->ea[k];
        }
        free(is->ea);
        is->ea = grown;
        is->ea_cap = cap;
    }
    i = place_of(ea, is->ea_cap);
    while (is->ea[i].ea != 0 && is->ea[i].ea != ea)
        i = i + 1 == is->ea_cap ? 0 : i + 1;
    if (is->ea[i].ea == 0) {
        is->ea[i].ea = ea;
        is->ea_n++;
    }
    return &is->ea[i].c;
}

static void count_slot(struct puan_counts *c, const struct puan_slot *s,
                       int sign)
{
    if (s->ret == 0)
        return;
    c->submitted += sign;
    c->self += s->persons & 0x80 ? sign : 0;
    c->persons += sign * (s->persons & 0x7f);
    c->hard += sign * s->hard;
    c->soft += sign * s->soft;
    c->corrected += s->version > 1 ? sign : 0;
    c->versions += sign * s->version;
}

void puan_heads_count(struct puan_ingest_shard *is,
                      const struct puan_slot *before,
                      const struct puan_slot *after)
{
    struct puan_counts *c =
        counts_of(is, after->household / is->in->household_base);

    if (!c)
        return; /* counters are made again at the next start */
    count_slot(c, before, -1);
    count_slot(c, after, 1);
}

struct puan_slot *puan_heads_add(struct puan_ingest_shard *is,
                                 int64_t household)
{
    struct puan_slot *s = puan_heads_find(is, household);
    struct puan_counts *c;
    size_t i;

    if (s)
        return s;
    /* a quarter of the places stays empty: probes stay short */
    if ((is->n + 1) * 4 > is->cap * 3 &&
        !grow_slots(is, is->cap ? is->cap + is->cap / 2 : 4096))
        return NULL;
    i = place_of(household, is->cap);
    while (is->slot[i].household != 0)
        i = i + 1 == is->cap ? 0 : i + 1;
    is->slot[i].household = household;
    is->n++;
    c = counts_of(is, household / is->in->household_base);
    if (c)
        c->listed++;
    return &is->slot[i];
}

enum puan_status puan_ret_listed(struct puan_shard *sh,
                                 const int64_t *household, size_t n,
                                 struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    enum puan_status st = PUAN_OK;

    if (!is)
        return PUAN_OK;
    pthread_mutex_lock(&is->lock);
    if ((is->n + n) * 4 > is->cap * 3 &&
        !grow_slots(is, (is->n + n) * 4 / 3 + 4096))
        st = puan_fail(err, PUAN_ENOMEM, "listing", "out of memory");
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        if (!puan_heads_add(is, household[i]))
            st = puan_fail(err, PUAN_ENOMEM, "listing", "out of memory");
    pthread_mutex_unlock(&is->lock);
    return st;
}

/* ---- the snapshot ---------------------------------------------------------- */

#define SNAP_MAGIC "PUANHDS1"
/* magic 8, upto u64, n u64, digest of row `upto`; slots; digest of it all */
#define SNAP_HEAD (8 + 8 + 8 + PUAN_DIGEST_SIZE)

static const char *snap_path(struct puan_ingest_shard *is,
                             struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/returns/%s.heads",
                          puan_store_dir(is->in->store),
                          puan_shard_name(is->sh));
}

enum puan_status puan_heads_snapshot(struct puan_ingest_shard *is,
                                     struct puan_err *err)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_arena a;
    struct puan_out o;
    struct puan_str view;
    uint32_t upto;
    size_t n = 0;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    pthread_mutex_lock(&is->lock);
    upto = is->next_ret - 1;
    if (is->snapshot_ret == is->next_ret) {
        pthread_mutex_unlock(&is->lock);
        puan_arena_clear(&a);
        return PUAN_OK;
    }
    for (size_t i = 0; i < is->cap; i++)
        n += is->slot[i].ret != 0;
    puan_out_bytes(&o, SNAP_MAGIC, 8);
    puan_out_u64(&o, upto);
    puan_out_u64(&o, n);
    puan_out_bytes(&o, is->last_digest, PUAN_DIGEST_SIZE);
    for (size_t i = 0; i < is->cap; i++) {
        const struct puan_slot *s = &is->slot[i];

        if (s->ret == 0)
            continue;
        puan_out_u64(&o, (uint64_t)s->household);
        puan_out_u32(&o, s->ret);
        puan_out_u8(&o, s->version);
        puan_out_u8(&o, s->hard);
        puan_out_u8(&o, s->soft);
        puan_out_u8(&o, s->persons);
    }
    pthread_mutex_unlock(&is->lock);
    view = puan_out_view(&o);
    puan_digest_one(digest, puan_store_digest(is->in->store), view);
    puan_out_bytes(&o, digest, sizeof(digest));
    st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st = puan_file_write(snap_path(is, &a), puan_out_view(&o), 0640, err);
    if (st == PUAN_OK)
        is->snapshot_ret = upto + 1;
    puan_arena_clear(&a);
    return st;
}

/* *upto stays 0 when there is no snapshot that fits the table. */
static void read_snapshot(struct puan_ingest_shard *is, struct puan_db *db,
                          uint32_t *upto)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_str text;
    struct puan_stmt *s = NULL;
    struct puan_in in;
    uint64_t n, row;
    bool more = false, fits = false;

    puan_arena_init(&a, puan_os_alloc());
    if (puan_file_read(&text, snap_path(is, &a), 0, &a, &err) != PUAN_OK ||
        text.n < SNAP_HEAD + PUAN_DIGEST_SIZE ||
        memcmp(text.p, SNAP_MAGIC, 8) != 0)
        goto out;
    text.n -= PUAN_DIGEST_SIZE;
    puan_digest_one(digest, puan_store_digest(is->in->store), text);
    if (memcmp(digest, text.p + text.n, PUAN_DIGEST_SIZE) != 0)
        goto out;
    in = puan_in_of(text);
    puan_in_bytes(&in, 8);
    row = puan_in_u64(&in);
    n = puan_in_u64(&in);
    if (text.n != SNAP_HEAD + n * 16 || row == 0 || row > UINT32_MAX)
        goto out;
    memcpy(digest, puan_in_bytes(&in, PUAN_DIGEST_SIZE).p, PUAN_DIGEST_SIZE);
    if (puan_sql(&s, db, "SELECT digest FROM ret WHERE seq = $1", &err) !=
        PUAN_OK)
        goto out;
    puan_bind_int(s, 1, (int64_t)row);
    if (puan_stmt_step(&more, s, &err) == PUAN_OK && more) {
        struct puan_str d = puan_col_bytes(s, 0);

        fits = d.n == sizeof(digest) && memcmp(d.p, digest, d.n) == 0;
    }
    puan_stmt_done(s);
    for (uint64_t i = 0; i < n && fits; i++) {
        struct puan_slot got = { 0 }, none = { 0 };
        struct puan_slot *slot;

        got.household = (int64_t)puan_in_u64(&in);
        got.ret = puan_in_u32(&in);
        got.version = puan_in_u8(&in);
        got.hard = puan_in_u8(&in);
        got.soft = puan_in_u8(&in);
        got.persons = puan_in_u8(&in);
        slot = got.household > 0 ? puan_heads_add(is, got.household) : NULL;
        if (!slot)
            continue;
        *slot = got;
        puan_heads_count(is, &none, slot);
    }
    if (fits) {
        *upto = (uint32_t)row;
        memcpy(is->last_digest, digest, sizeof(digest));
    }
out:
    puan_arena_clear(&a);
}

/* Rows of ret behind the snapshot, in order: a later one replaces. */
static enum puan_status read_rows(struct puan_ingest_shard *is,
                                  struct puan_db *db, uint32_t upto,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t last = upto;
    bool more = true;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && more) {
        int64_t from = last;

        st = puan_sql(&s, db,
                      "SELECT seq, household, version, hard, soft, persons,"
                      " mode, digest FROM ret WHERE seq > $1 ORDER BY seq"
                      " LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, from);
        for (;;) {
            struct puan_slot before, *slot;
            struct puan_str d;

            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            last = puan_col_int(s, 0);
            slot = puan_heads_add(is, puan_col_int(s, 1));
            if (!slot) {
                st = puan_fail(err, PUAN_ENOMEM, "ret", "out of memory");
                break;
            }
            before = *slot;
            slot->ret = (uint32_t)last;
            slot->version = (uint8_t)puan_col_int(s, 2);
            slot->hard = (uint8_t)puan_col_int(s, 3);
            slot->soft = (uint8_t)puan_col_int(s, 4);
            slot->persons = (uint8_t)(puan_col_int(s, 5) & 0x7f);
            if (puan_str_is(puan_col_text(s, 6), "self"))
                slot->persons |= 0x80;
            puan_heads_count(is, &before, slot);
            d = puan_col_bytes(s, 7);
            if (d.n == PUAN_DIGEST_SIZE)
                memcpy(is->last_digest, d.p, d.n);
        }
        puan_stmt_done(s);
        more = last > from;
    }
    is->next_ret = (uint32_t)last + 1;
    return st;
}

static enum puan_status read_listing(struct puan_ingest_shard *is,
                                     struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t last = 0, n = 0;
    bool more = true;
    enum puan_status st;

    st = puan_db_int(&n, db, "SELECT COUNT(*) FROM listing", 0, err);
    if (st == PUAN_OK && !grow_slots(is, (size_t)n * 4 / 3 + 4096))
        st = puan_fail(err, PUAN_ENOMEM, "listing", "out of memory");
    while (st == PUAN_OK && more) {
        int64_t from = last;

        st = puan_sql(&s, db,
                      "SELECT household FROM listing WHERE household > $1"
                      " ORDER BY household LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, from);
        for (;;) {
            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            last = puan_col_int(s, 0);
            if (!puan_heads_add(is, last)) {
                st = puan_fail(err, PUAN_ENOMEM, "listing", "out of memory");
                break;
            }
        }
        puan_stmt_done(s);
        more = last > from;
    }
    return st;
}

enum puan_status puan_heads_load(struct puan_ingest_shard *is,
                                 struct puan_err *err)
{
    struct puan_db *db = NULL;
    uint32_t upto = 0;
    enum puan_status st = puan_read_begin(&db, is->sh, err);

    if (st != PUAN_OK)
        return st;
    st = read_listing(is, db, err);
    if (st == PUAN_OK) {
        read_snapshot(is, db, &upto);
        st = read_rows(is, db, upto, err);
        is->snapshot_ret = upto + 1;
    }
    if (st == PUAN_OK)
        st = puan_db_int(&is->next_quarantine, db,
                         "SELECT MAX(id) FROM quarantine", 0, err);
    if (st == PUAN_OK)
        st = puan_db_int(&is->next_query, db, "SELECT MAX(id) FROM query", 0,
                         err);
    is->next_quarantine++;
    is->next_query++;
    puan_read_end(is->sh, db);
    return st;
}

void puan_heads_clear(struct puan_ingest_shard *is)
{
    free(is->slot);
    free(is->ea);
    is->slot = NULL;
    is->ea = NULL;
}

/* ---- asking ---------------------------------------------------------------- */

struct copy {
    struct puan_ingest_shard *is;
    struct puan_slot *out;
    size_t n;
    int64_t from, to;
    bool all; /* also those that have only been listed */
    bool failed;
};

static bool wanted(const struct copy *c, const struct puan_slot *s)
{
    return s->household != 0 && (c->all || s->ret != 0) &&
           s->household >= c->from && s->household < c->to;
}

static void copy_slots(struct copy *c)
{
    struct puan_ingest_shard *is = c->is;
    size_t n = 0;

    pthread_mutex_lock(&is->lock);
    for (size_t i = 0; i < is->cap; i++)
        n += wanted(c, &is->slot[i]);
    free(c->out);
    c->out = malloc((n + 1) * sizeof(*c->out));
    c->n = 0;
    c->failed = !c->out;
    for (size_t i = 0; i < is->cap && c->out; i++)
        if (wanted(c, &is->slot[i]))
            c->out[c->n++] = is->slot[i];
    pthread_mutex_unlock(&is->lock);
}

/*
 * In the writer, so that everything seen is in this batch or an earlier one:
 * once the act is committed, all of it is.  A batch undone runs this again.
 */
static enum puan_status copy_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct copy *c = arg;

    (void)sh;
    (void)db;
    act->silent = true;
    copy_slots(c);
    return c->failed ? puan_fail(err, PUAN_ENOMEM, "ret", "out of memory")
                     : PUAN_OK;
}

static enum puan_status committed(struct puan_slot **out, size_t *n,
                                  struct puan_ingest_shard *is, int64_t from,
                                  int64_t to, bool all, struct puan_err *err)
{
    struct copy c = { .is = is, .from = from, .to = to, .all = all };
    struct puan_act act = { .hot = true };
    enum puan_status st = PUAN_OK;

    if (puan_shard_writes(is->sh))
        st = puan_commit(is->sh, &act, copy_body, &c, err);
    else
        copy_slots(&c);
    if (st == PUAN_OK && c.failed)
        st = puan_fail(err, PUAN_ENOMEM, "ret", "out of memory");
    if (st != PUAN_OK) {
        free(c.out);
        c.out = NULL;
        c.n = 0;
    }
    *out = c.out;
    *n = c.n;
    return st;
}

enum puan_status puan_heads_committed(struct puan_slot **out, size_t *n,
                                      struct puan_ingest_shard *is,
                                      int64_t from, int64_t to,
                                      struct puan_err *err)
{
    return committed(out, n, is, from, to, false, err);
}

static void head_of(struct puan_ret_head *out, int64_t household,
                    const struct puan_slot *s)
{
    *out = (struct puan_ret_head){
        .household = household,
        .ret = s->ret,
        .version = s->version,
        .hard = s->hard,
        .soft = s->soft,
        .persons = s->persons & 0x7f,
        .self = (s->persons & 0x80) != 0,
    };
}

enum puan_status puan_ret_heads(struct puan_ret_head **out, size_t *n,
                                struct puan_shard *sh, int64_t from, int64_t to,
                                struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_slot *slot = NULL;
    enum puan_status st;

    *out = NULL;
    *n = 0;
    if (is == NULL)
        return PUAN_OK;
    st = committed(&slot, n, is, from, to, true, err);
    if (st != PUAN_OK)
        return st;
    *out = calloc(*n ? *n : 1, sizeof(**out));
    if (*out == NULL)
        st = puan_fail(err, PUAN_ENOMEM, "ret", "out of memory");
    for (size_t i = 0; st == PUAN_OK && i < *n; i++)
        head_of(&(*out)[i], slot[i].household, &slot[i]);
    if (st != PUAN_OK)
        *n = 0;
    free(slot);
    return st;
}

bool puan_ret_head(struct puan_ret_head *out, struct puan_store *store,
                   int64_t household)
{
    struct puan_shard *sh = puan_store_shard_of_household(store, household);
    struct puan_ingest_shard *is = sh ? puan_ingest_shard_of(sh) : NULL;
    const struct puan_slot *s;
    bool found;

    if (!is)
        return false;
    pthread_mutex_lock(&is->lock);
    s = puan_heads_find(is, household);
    found = s != NULL;
    if (s)
        head_of(out, household, s);
    pthread_mutex_unlock(&is->lock);
    return found;
}

static unsigned digits_of(int64_t v)
{
    unsigned n = 1;

    for (; v >= 10; v /= 10)
        n++;
    return n;
}

void puan_area_keys(int64_t *from, int64_t *to, const struct puan_store *store,
                    int64_t area)
{
    const struct puan_plan *plan = puan_store_plan(store);
    unsigned full = plan->level[plan->ea_level].digits + plan->household_digits;
    unsigned have = area > 0 ? digits_of(area) : 0;

    if (area <= 0) { /* the nation */
        *from = 1;
        *to = INT64_MAX;
        return;
    }
    *from = area;
    *to = area + 1;
    for (; have < full; have++) {
        *from *= 10;
        *to *= 10;
    }
}

void puan_counts_of(struct puan_counts *out, struct puan_store *store,
                    int64_t area)
{
    struct puan_ingest *in = puan_ingest_of(store);
    size_t n = puan_store_shards(store);
    int64_t from, to;

    memset(out, 0, sizeof(*out));
    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; i < n && in; i++) {
        struct puan_ingest_shard *is = atomic_load(&in->shard[i]);

        if (!is)
            continue;
        pthread_mutex_lock(&is->lock);
        for (size_t k = 0; k < is->ea_cap; k++) {
            const struct puan_counts *c = &is->ea[k].c;
            int64_t first = is->ea[k].ea * in->household_base;

            if (is->ea[k].ea == 0 || first < from || first >= to)
                continue;
            out->listed += c->listed;
            out->submitted += c->submitted;
            out->self += c->self;
            out->persons += c->persons;
            out->hard += c->hard;
            out->soft += c->soft;
            out->corrected += c->corrected;
            out->versions += c->versions;
        }
        pthread_mutex_unlock(&is->lock);
    }
}
