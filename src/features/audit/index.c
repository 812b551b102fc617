/*
 * The index: read from the ledgers in order, never from anywhere else.
 */
#include "features/audit/internal.h"

#include <stdlib.h>

#include "kit/os/os.h"

#define A_TICK 20000 /* entries the job reads at once */

uint32_t puan_audit_hash(struct puan_str s)
{
    uint32_t h = 2166136261u;

    if (!s.n)
        return 0;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h ? h : 1;
}

static uint16_t verb_of(struct puan_audit *x, struct puan_str verb)
{
    for (size_t i = 1; i < x->n_verbs; i++)
        if (puan_str_is(verb, x->verb[i]))
            return (uint16_t)i;
    if (x->n_verbs == PUAN_AUDIT_VERBS)
        return 0;
    x->verb[x->n_verbs] = malloc(verb.n + 1);
    if (!x->verb[x->n_verbs])
        return 0;
    puan_format(x->verb[x->n_verbs], verb.n + 1, "%.*s", PUAN_FMT(verb));
    return (uint16_t)x->n_verbs++;
}

/* "370883001004001015", "case/20", "area/370883": the number. */
static int64_t number_of(struct puan_str s)
{
    int64_t n = 0;
    size_t i = 0, digits = 0;

    while (i < s.n && (s.p[i] < '0' || s.p[i] > '9'))
        i++;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        if (++digits > 18)
            return 0;
        n = n * 10 + (s.p[i] - '0');
    }
    /* a name that holds digits ("t1.csv", "2020-11-01") names no number */
    return i < s.n && s.p[i] != ' ' && s.p[i] != '/' && s.p[i] != '.' ? 0 : n;
}

static void fill(struct puan_audit *x, struct puan_audit_row *r,
                 const struct puan_entry *e)
{
    struct puan_str role, rest = e->seat;

    (void)puan_str_split(&role, &rest, '@');
    *r = (struct puan_audit_row){
        .key = number_of(e->subject),
        .event_s = (uint32_t)(e->event_ms / 1000),
        .actor = puan_audit_hash(e->actor),
        .seat = puan_audit_hash(e->seat),
        .role = e->seat.n ? puan_audit_hash(role) : 0,
        .device = puan_audit_hash(e->device),
        .subject = puan_audit_hash(e->subject),
        .verb = verb_of(x, e->verb),
    };
    if (e->new_digest.n >= 4)
        for (int i = 0; i < 4; i++)
            r->head = r->head << 8 | (unsigned char)e->new_digest.p[i];
}

static enum puan_status follow_one(struct puan_audit *x,
                                   struct puan_audit_store *s, size_t most,
                                   struct puan_err *err)
{
    struct puan_arena a;
    struct puan_db *db;
    struct puan_stmt *q = NULL;
    size_t read = 0;
    bool more = false;
    enum puan_status st;

    if (s->n >= puan_shard_height(s->sh))
        return PUAN_OK;
    st = puan_read_begin(&db, s->sh, err);
    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_sql(&q, db,
                  "SELECT seq, entry FROM ledger WHERE seq >= $1 ORDER BY seq",
                  err);
    if (st == PUAN_OK)
        puan_bind_int(q, 1, (int64_t)s->n);
    while (st == PUAN_OK && (!most || read < most) &&
           (st = puan_stmt_step(&more, q, err)) == PUAN_OK && more) {
        struct puan_entry e = { 0 };
        struct puan_err why = { 0 };

        if (s->n == s->cap) {
            size_t cap = s->cap ? s->cap * 2 : 4096;
            struct puan_audit_row *row = realloc(s->row, cap * sizeof(*row));

            if (!row) {
                st = puan_fail(err, PUAN_ENOMEM, "audit", "out of memory");
                break;
            }
            s->row = row;
            s->cap = cap;
        }
        if ((uint64_t)puan_col_int(q, 0) != s->n) {
            st = puan_fail(err, PUAN_EIO, "ledger",
                           "entry %zu is missing; run puan ledger verify",
                           s->n);
            break;
        }
        puan_arena_reset(&a);
        /* one that cannot be read stays in its place and fits nothing */
        if (puan_entry_decode(&e, puan_col_bytes(q, 1), &a, &why) != PUAN_OK)
            memset(&e, 0, sizeof(e));
        fill(x, &s->row[s->n], &e);
        s->n++;
        read++;
    }
    puan_stmt_done(q);
    puan_read_end(s->sh, db);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_audit_follow(struct puan_audit *x, size_t most,
                                   struct puan_err *err)
{
    size_t n = puan_store_shards(x->store);
    enum puan_status st = PUAN_OK;

    if (n > x->n_stores) {
        struct puan_audit_store *of = realloc(x->of, n * sizeof(*of));

        if (!of)
            return puan_fail(err, PUAN_ENOMEM, "audit", "out of memory");
        memset(of + x->n_stores, 0, (n - x->n_stores) * sizeof(*of));
        for (size_t i = x->n_stores; i < n; i++)
            of[i].sh = puan_store_shard(x->store, i);
        x->of = of;
        x->n_stores = n;
    }
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = follow_one(x, &x->of[i], most, err);
    return st;
}

enum puan_status puan_audit_tick(struct puan_store *store, struct puan_err *err)
{
    struct puan_audit *x = puan_store_state(store, &puan_feature_audit);
    uint64_t height = 0;
    bool rest;
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < puan_store_shards(store); i++)
        height += puan_shard_height(puan_store_shard(store, i));
    /* while much is written it waits: nobody searches, and then it is soon */
    rest = x->n_stores && height - x->of[0].seen_height < 500;
    if (rest || !x->n_stores)
        st = puan_audit_follow(x, A_TICK, err);
    if (x->n_stores)
        x->of[0].seen_height = height;
    pthread_mutex_unlock(&x->lock);
    return st;
}

enum puan_status puan_audit_open(void **state, struct puan_store *st,
                                 struct puan_err *err)
{
    struct puan_audit *x = calloc(1, sizeof(*x));

    *state = NULL;
    if (!x)
        return puan_fail(err, PUAN_ENOMEM, "audit", "out of memory");
    x->store = st;
    x->n_verbs = 1;
    pthread_mutex_init(&x->lock, NULL);
    *state = x;
    return PUAN_OK;
}

void puan_audit_close(void *state, struct puan_store *st)
{
    struct puan_audit *x = state;

    (void)st;
    if (!x)
        return;
    for (size_t i = 0; i < x->n_stores; i++)
        free(x->of[i].row);
    for (size_t i = 1; i < x->n_verbs; i++)
        free(x->verb[i]);
    free(x->of);
    pthread_mutex_destroy(&x->lock);
    free(x);
}
