/*
 * The token index: who else has this citizen ID, without the ID.
 *
 * A table kept in token order cost the hot path a factor of five at three
 * million persons.  So tokens are appended with their return, gathered in
 * memory as commits go by, and written as sorted runs behind them; runs are
 * merged when there are many.  All of it is derived: a lost run is read again
 * from `ret`.
 */
#include "features/ingest/internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "kit/log/log.h"
#include "kit/os/os.h"

/* A run is written when so many tokens wait: 9 MiB a store. */
#define FLUSH_AT (384 * 1024)
/* So many runs are merged into one. */
#define RUNS_MAX 8

#define RUN_MAGIC "PUANTOK1"
/* magic, from, to, n; records; digest of all before it */
#define RUN_HEAD 32

void puan_token_put(struct puan_out *o, const struct puan_token *t)
{
    puan_out_bytes(o, t->token, sizeof(t->token));
    puan_out_u32(o, t->ret);
    puan_out_u16(o, t->row);
    puan_out_u8(o, t->entity);
    puan_out_u8(o, t->residence);
}

void puan_token_get(struct puan_token *t, const uint8_t *p)
{
    memcpy(t->token, p, sizeof(t->token));
    t->ret = (uint32_t)p[16] | (uint32_t)p[17] << 8 | (uint32_t)p[18] << 16 |
             (uint32_t)p[19] << 24;
    t->row = (uint16_t)(p[20] | p[21] << 8);
    t->entity = p[22];
    t->residence = p[23];
}

static int compare(const struct puan_token *a, const struct puan_token *b)
{
    int c = memcmp(a->token, b->token, sizeof(a->token));

    if (c != 0)
        return c;
    if (a->ret != b->ret)
        return a->ret < b->ret ? -1 : 1;
    if (a->entity != b->entity)
        return a->entity < b->entity ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int compare_v(const void *a, const void *b)
{
    return compare(a, b);
}

static const char *run_dir(struct puan_ingest_shard *is, struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/returns/%s.tok",
                          puan_store_dir(is->in->store),
                          puan_shard_name(is->sh));
}

static const char *run_path(struct puan_ingest_shard *is, uint64_t number,
                            struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/%llu.run", run_dir(is, a),
                          (unsigned long long)number);
}

void puan_tokens_add(struct puan_ingest_shard *is, uint32_t ret,
                     struct puan_str tok)
{
    size_t n = tok.n / PUAN_TOKEN_BYTES;

    pthread_mutex_lock(&is->tok_lock);
    if (is->tok_n + n > is->tok_cap) {
        size_t cap = is->tok_cap ? is->tok_cap * 2 : 4096;
        struct puan_token *grown;

        while (cap < is->tok_n + n)
            cap *= 2;
        grown = realloc(is->tok, cap * sizeof(*grown));
        if (grown) {
            is->tok = grown;
            is->tok_cap = cap;
        } else {
            is->tok_lost = true;
        }
    }
    if (!is->tok_lost) {
        for (size_t i = 0; i < n; i++) {
            struct puan_token *t = &is->tok[is->tok_n++];

            puan_token_get(t, (const uint8_t *)tok.p + i * PUAN_TOKEN_BYTES);
            t->ret = ret; /* not known yet when the tokens were made */
        }
        is->tok_to = ret;
    }
    pthread_mutex_unlock(&is->tok_lock);
}

/* ---- files ------------------------------------------------------------------- */

struct run_file {
    struct puan_map map;
    const uint8_t *at, *end;
    uint64_t from, to, n;
};

/* False when the file is absent or damaged. */
static bool run_open(struct run_file *f, struct puan_ingest_shard *is,
                     uint64_t number, bool check)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_str text;
    struct puan_in in;

    memset(f, 0, sizeof(*f));
    puan_arena_init(&a, puan_os_alloc());
    if (puan_map_open(&f->map, run_path(is, number, &a), &err) != PUAN_OK) {
        puan_arena_clear(&a);
        return false;
    }
    puan_arena_clear(&a);
    text = f->map.bytes;
    if (text.n < RUN_HEAD + PUAN_DIGEST_SIZE ||
        memcmp(text.p, RUN_MAGIC, 8) != 0)
        goto bad;
    in = puan_in_of(text);
    puan_in_bytes(&in, 8);
    f->from = puan_in_u64(&in);
    f->to = puan_in_u64(&in);
    f->n = puan_in_u64(&in);
    if (f->n > text.n / PUAN_TOKEN_BYTES ||
        text.n != RUN_HEAD + f->n * PUAN_TOKEN_BYTES + PUAN_DIGEST_SIZE)
        goto bad;
    f->at = (const uint8_t *)text.p + RUN_HEAD;
    f->end = f->at + f->n * PUAN_TOKEN_BYTES;
    if (check) {
        text.n -= PUAN_DIGEST_SIZE;
        puan_digest_one(digest, puan_store_digest(is->in->store), text);
        if (memcmp(digest, f->end, sizeof(digest)) != 0)
            goto bad;
    }
    return true;
bad:
    puan_map_close(&f->map);
    return false;
}

static enum puan_status run_write(struct puan_ingest_shard *is, uint64_t number,
                                  uint64_t from, uint64_t to, uint64_t n,
                                  struct puan_out *o, struct puan_err *err)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    uint8_t *p;
    enum puan_status st = puan_arena_check(o->arena, err);

    if (st != PUAN_OK)
        return st;
    p = (uint8_t *)o->p + 8;
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)(from >> (8 * i));
        p[8 + i] = (uint8_t)(to >> (8 * i));
        p[16 + i] = (uint8_t)(n >> (8 * i));
    }
    puan_digest_one(digest, puan_store_digest(is->in->store),
                    puan_out_view(o));
    puan_out_bytes(o, digest, sizeof(digest));
    st = puan_arena_check(o->arena, err);
    if (st == PUAN_OK)
        st = puan_dir_make(run_dir(is, o->arena), err);
    if (st == PUAN_OK)
        st = puan_file_write(run_path(is, number, o->arena), puan_out_view(o),
                             0640, err);
    return st;
}

static void run_begin(struct puan_out *o, struct puan_arena *a)
{
    static const char zero[24];

    puan_out_init(o, a);
    puan_out_bytes(o, RUN_MAGIC, 8);
    puan_out_bytes(o, zero, sizeof(zero));
}

static void run_release(struct puan_ingest_shard *is, struct puan_token_run *r)
{
    struct puan_err err = { 0 };
    struct puan_arena a;

    if (--r->users > 0 || !r->dropped)
        return;
    puan_arena_init(&a, puan_os_alloc());
    if (puan_file_remove(run_path(is, r->number, &a), &err) != PUAN_OK)
        puan_log_err(PUAN_LOG_WARN, "token-run", &err);
    puan_arena_clear(&a);
    free(r);
}

/* ---- flush and merge ----------------------------------------------------------- */

/* Tokens of rows (from, to] again from the table. */
static enum puan_status read_back(struct puan_ingest_shard *is, uint64_t from,
                                  struct puan_err *err)
{
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    int64_t last = (int64_t)from;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, is->sh, err);

    while (st == PUAN_OK && more) {
        int64_t at = last;

        st = puan_sql(&s, db,
                      "SELECT seq, tok FROM ret WHERE seq > $1 ORDER BY seq"
                      " LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, at);
        for (;;) {
            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            last = puan_col_int(s, 0);
            puan_tokens_add(is, (uint32_t)last, puan_col_bytes(s, 1));
        }
        puan_stmt_done(s);
        more = last > at;
    }
    puan_read_end(is->sh, db);
    return st;
}

/* What waits in memory becomes a run. */
static enum puan_status flush(struct puan_ingest_shard *is,
                              struct puan_err *err)
{
    struct puan_token *tok;
    struct puan_token_run *run, **at;
    struct puan_arena a;
    struct puan_out o;
    size_t n;
    uint64_t from, to;
    enum puan_status st;

    pthread_mutex_lock(&is->tok_lock);
    tok = is->tok;
    n = is->tok_n;
    from = is->tok_from;
    to = is->tok_to;
    if (to == from) {
        pthread_mutex_unlock(&is->tok_lock);
        return PUAN_OK;
    }
    is->tok = NULL;
    is->tok_n = is->tok_cap = 0;
    is->tok_from = to;
    pthread_mutex_unlock(&is->tok_lock);

    puan_arena_init(&a, puan_os_alloc());
    run = calloc(1, sizeof(*run));
    st = run ? PUAN_OK : puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    if (n > 0)
        qsort(tok, n, sizeof(*tok), compare_v);
    if (st == PUAN_OK) {
        run_begin(&o, &a);
        for (size_t i = 0; i < n; i++)
            puan_token_put(&o, &tok[i]);
        *run = (struct puan_token_run){ is->next_run, from, to, n, NULL, 1, false };
        st = run_write(is, run->number, from, to, n, &o, err);
    }
    pthread_mutex_lock(&is->tok_lock);
    if (st == PUAN_OK) {
        is->next_run++;
        for (at = &is->runs; *at; at = &(*at)->next)
            ;
        *at = run;
        free(tok);
    } else {
        /* back to where it was, before what came meanwhile */
        struct puan_token *grown =
            realloc(tok, (n + is->tok_n + 1) * sizeof(*tok));

        if (grown) {
            if (is->tok_n > 0)
                memcpy(grown + n, is->tok, is->tok_n * sizeof(*tok));
            free(is->tok);
            is->tok = grown;
            is->tok_cap = n + is->tok_n + 1;
            is->tok_n += n;
            is->tok_from = from;
        } else {
            free(tok);
            is->tok_lost = true;
        }
        free(run);
    }
    pthread_mutex_unlock(&is->tok_lock);
    puan_arena_clear(&a);
    return st;
}

/* All runs become one. */
static enum puan_status merge(struct puan_ingest_shard *is,
                              struct puan_err *err)
{
    struct run_file file[64];
    struct puan_token_run *run[64], *one, *r;
    struct puan_token head[64];
    struct puan_arena a;
    struct puan_out o;
    size_t n = 0, open = 0;
    uint64_t total = 0;
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&is->tok_lock);
    for (r = is->runs; r && n < PUAN_COUNT(run); r = r->next) {
        r->users++;
        run[n++] = r;
    }
    pthread_mutex_unlock(&is->tok_lock);
    puan_arena_init(&a, puan_os_alloc());
    one = calloc(1, sizeof(*one));
    if (!one)
        st = puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    for (; open < n && st == PUAN_OK; open++) {
        if (!run_open(&file[open], is, run[open]->number, true)) {
            st = puan_fail(err, PUAN_EIO, "token",
                           "run %llu is damaged; remove it, it is made again "
                           "at the next start",
                           (unsigned long long)run[open]->number);
            break;
        }
        total += file[open].n;
        if (file[open].n > 0)
            puan_token_get(&head[open], file[open].at);
    }
    if (st == PUAN_OK && n > 1) {
        uint64_t left = total;

        run_begin(&o, &a);
        for (; left > 0; left--) {
            size_t best = n;

            for (size_t i = 0; i < n; i++)
                if (file[i].at < file[i].end &&
                    (best == n || compare(&head[i], &head[best]) < 0))
                    best = i;
            puan_out_bytes(&o, file[best].at, PUAN_TOKEN_BYTES);
            file[best].at += PUAN_TOKEN_BYTES;
            if (file[best].at < file[best].end)
                puan_token_get(&head[best], file[best].at);
        }
        *one = (struct puan_token_run){ is->next_run, run[0]->from, run[n - 1]->to,
                                  total, NULL, 1, false };
        st = run_write(is, one->number, one->from, one->to, total, &o, err);
    }
    for (size_t i = 0; i < open; i++)
        puan_map_close(&file[i].map);
    pthread_mutex_lock(&is->tok_lock);
    if (st == PUAN_OK && n > 1) {
        is->next_run++;
        one->next = run[n - 1]->next;
        is->runs = one;
        one = NULL;
        for (size_t i = 0; i < n; i++) {
            run[i]->dropped = true;
            run[i]->users--; /* the list's */
        }
    }
    for (size_t i = 0; i < n; i++)
        run_release(is, run[i]);
    pthread_mutex_unlock(&is->tok_lock);
    free(one);
    puan_arena_clear(&a);
    return st;
}

static enum puan_status recover(struct puan_ingest_shard *is,
                                struct puan_err *err)
{
    uint64_t from;

    pthread_mutex_lock(&is->tok_lock);
    if (!is->tok_lost) {
        pthread_mutex_unlock(&is->tok_lock);
        return PUAN_OK;
    }
    is->tok_lost = false;
    is->tok_n = 0;
    from = is->tok_to = is->tok_from;
    pthread_mutex_unlock(&is->tok_lock);
    return read_back(is, from, err);
}

enum puan_status puan_tokens_tend(struct puan_ingest_shard *is,
                                  struct puan_err *err)
{
    struct puan_token_run *r;
    size_t waiting, runs = 0;
    enum puan_status st;

    pthread_mutex_lock(&is->merging);
    st = recover(is, err);
    pthread_mutex_lock(&is->tok_lock);
    waiting = is->tok_n;
    pthread_mutex_unlock(&is->tok_lock);
    if (st == PUAN_OK && waiting >= FLUSH_AT)
        st = flush(is, err);
    pthread_mutex_lock(&is->tok_lock);
    for (r = is->runs; r; r = r->next)
        runs++;
    pthread_mutex_unlock(&is->tok_lock);
    if (st == PUAN_OK && runs >= RUNS_MAX)
        st = merge(is, err);
    pthread_mutex_unlock(&is->merging);
    return st;
}

enum puan_status puan_tokens_merge(struct puan_shard *sh, struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_slot *none = NULL;
    size_t n = 0;
    enum puan_status st;

    if (!is)
        return PUAN_OK;
    /* wait for the commits under way */
    st = puan_heads_committed(&none, &n, is, 0, 0, err);
    free(none);
    if (st != PUAN_OK)
        return st;
    pthread_mutex_lock(&is->merging);
    st = recover(is, err);
    if (st == PUAN_OK)
        st = flush(is, err);
    if (st == PUAN_OK)
        st = merge(is, err);
    pthread_mutex_unlock(&is->merging);
    return st;
}

/* ---- start ------------------------------------------------------------------------ */

static int by_rows(const void *a, const void *b)
{
    const struct puan_token_run *x = *(struct puan_token_run *const *)a;
    const struct puan_token_run *y = *(struct puan_token_run *const *)b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to > y->to ? -1 : x->to < y->to; /* the wider first */
}

enum puan_status puan_tokens_load(struct puan_ingest_shard *is,
                                  struct puan_err *err)
{
    struct puan_token_run *all[256], **at = &is->runs;
    struct puan_arena a;
    const char **name = NULL;
    size_t n = 0, found = 0;
    uint64_t covered = 0;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    is->next_run = 1;
    if (puan_dir_exists(run_dir(is, &a)))
        st = puan_dir_list(&name, &n, run_dir(is, &a), &a, err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_str rest = puan_str_of(name[i]), number;
        struct run_file f;
        int64_t k;

        if (!puan_str_split(&number, &rest, '.') ||
            !puan_int_parse(&k, number) || k < 0 || !puan_str_is(rest, "run"))
            continue;
        if (is->next_run <= (uint64_t)k)
            is->next_run = (uint64_t)k + 1;
        /* a run of rows that are not there any more belongs to other data */
        if (found == PUAN_COUNT(all) ||
            !run_open(&f, is, (uint64_t)k, true) ||
            f.to >= (uint64_t)is->next_ret) {
            struct puan_err e = { 0 };

            if (!is->readonly)
                (void)!puan_file_remove(run_path(is, (uint64_t)k, &a), &e);
            continue;
        }
        puan_map_close(&f.map);
        all[found] = calloc(1, sizeof(*all[0]));
        if (!all[found]) {
            st = puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
            break;
        }
        *all[found++] =
            (struct puan_token_run){ (uint64_t)k, f.from, f.to, f.n, NULL, 1, false };
    }
    if (found > 0)
        qsort(all, found, sizeof(all[0]), by_rows);
    for (size_t i = 0; i < found; i++) {
        if (st == PUAN_OK && all[i]->from == covered &&
            all[i]->to > covered) {
            covered = all[i]->to;
            *at = all[i];
            at = &all[i]->next;
        } else { /* merged already, or behind a gap */
            struct puan_err e = { 0 };

            if (!is->readonly)
                (void)!puan_file_remove(run_path(is, all[i]->number, &a), &e);
            free(all[i]);
        }
    }
    is->tok_from = is->tok_to = covered;
    if (st == PUAN_OK)
        st = read_back(is, covered, err);
    puan_arena_clear(&a);
    return st;
}

void puan_tokens_clear(struct puan_ingest_shard *is)
{
    struct puan_token_run *r;

    while ((r = is->runs) != NULL) {
        is->runs = r->next;
        free(r);
    }
    free(is->tok);
    is->tok = NULL;
}

/* ---- walking ----------------------------------------------------------------------- */

struct puan_tokens {
    struct puan_ingest_shard *is;
    uint8_t *last; /* bit per row of ret: it is a household's last version */
    uint64_t rows;
    struct puan_token *mem;
    size_t mem_n, mem_at;
    struct run_file file[65];
    struct puan_token_run *run[65];
    struct puan_token head[65];
    size_t n;
};

enum puan_status puan_tokens_open(struct puan_tokens **out,
                                  struct puan_shard *sh, struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_tokens *t = calloc(1, sizeof(*t));
    struct puan_slot *slot = NULL;
    struct puan_token_run *r;
    size_t n = 0, open = 0;
    enum puan_status st;

    *out = NULL;
    if (!t)
        return puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    *out = t;
    if (!is)
        return PUAN_OK; /* the office store has none */
    st = puan_heads_committed(&slot, &n, is, INT64_MIN, INT64_MAX, err);
    /* no run is being written while the lists are copied */
    pthread_mutex_lock(&is->merging);
    if (st == PUAN_OK)
        st = recover(is, err);
    for (size_t i = 0; i < n; i++)
        if (slot[i].ret > t->rows)
            t->rows = slot[i].ret;
    t->last = calloc(t->rows / 8 + 1, 1);
    t->is = is;
    if (st == PUAN_OK && !t->last)
        st = puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    for (size_t i = 0; i < n && t->last; i++)
        t->last[slot[i].ret / 8] |= (uint8_t)(1u << (slot[i].ret % 8));
    free(slot);
    pthread_mutex_lock(&is->tok_lock);
    for (r = is->runs; r && t->n < PUAN_COUNT(t->run); r = r->next) {
        r->users++;
        t->run[t->n++] = r;
    }
    t->mem_n = is->tok_n;
    t->mem = malloc((is->tok_n + 1) * sizeof(*t->mem));
    if (t->mem && is->tok_n > 0)
        memcpy(t->mem, is->tok, is->tok_n * sizeof(*t->mem));
    pthread_mutex_unlock(&is->tok_lock);
    pthread_mutex_unlock(&is->merging);
    if (st == PUAN_OK && !t->mem)
        st = puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    if (st == PUAN_OK && t->mem_n > 0)
        qsort(t->mem, t->mem_n, sizeof(*t->mem), compare_v);
    for (; open < t->n && st == PUAN_OK; open++) {
        struct run_file *f = &t->file[open];

        if (!run_open(f, is, t->run[open]->number, true))
            st = puan_fail(err, PUAN_EIO, "token",
                           "run %llu is damaged; remove it, it is made again "
                           "at the next start",
                           (unsigned long long)t->run[open]->number);
        else if (f->n > 0)
            puan_token_get(&t->head[open], f->at);
    }
    if (st != PUAN_OK) {
        puan_tokens_close(t);
        *out = NULL;
    }
    return st;
}

static bool next_any(struct puan_token *out, struct puan_tokens *t)
{
    const struct puan_token *best = NULL;
    size_t from = t->n;

    if (t->mem_at < t->mem_n)
        best = &t->mem[t->mem_at];
    for (size_t i = 0; i < t->n; i++)
        if (t->file[i].at < t->file[i].end &&
            (!best || compare(&t->head[i], best) < 0)) {
            best = &t->head[i];
            from = i;
        }
    if (!best)
        return false;
    *out = *best;
    if (from == t->n) {
        t->mem_at++;
        return true;
    }
    t->file[from].at += PUAN_TOKEN_BYTES;
    if (t->file[from].at < t->file[from].end)
        puan_token_get(&t->head[from], t->file[from].at);
    return true;
}

bool puan_tokens_next(struct puan_token *out, struct puan_tokens *t)
{
    while (next_any(out, t))
        if (out->ret <= t->rows &&
            (t->last[out->ret / 8] >> (out->ret % 8) & 1))
            return true;
    return false;
}

void puan_tokens_close(struct puan_tokens *t)
{
    if (!t)
        return;
    if (t->is) {
        for (size_t i = 0; i < t->n; i++)
            puan_map_close(&t->file[i].map);
        pthread_mutex_lock(&t->is->tok_lock);
        for (size_t i = 0; i < t->n; i++)
            run_release(t->is, t->run[i]);
        pthread_mutex_unlock(&t->is->tok_lock);
    }
    free(t->last);
    free(t->mem);
    free(t);
}

void puan_token_read(struct puan_token *out, const char *bytes)
{
    puan_token_get(out, (const uint8_t *)bytes);
}

/* ---- a few of them ------------------------------------------------------------ */

struct found {
    struct puan_token *list;
    size_t n, cap;
    bool failed;
};

static void add_found(struct found *f, const struct puan_token *t)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 32;
        struct puan_token *grown = realloc(f->list, cap * sizeof(*grown));

        if (!grown) {
            f->failed = true;
            return;
        }
        f->list = grown;
        f->cap = cap;
    }
    f->list[f->n++] = *t;
}

/* First place whose token is not below it; records lie ascending by token. */
static void find_in_run(struct found *f, const struct run_file *run,
                        const struct puan_token *wanted)
{
    size_t lo = 0, hi = (size_t)(run->end - run->at) / PUAN_TOKEN_BYTES;
    size_t n = hi;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(run->at + mid * PUAN_TOKEN_BYTES, wanted->token,
                   sizeof(wanted->token)) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < n && memcmp(run->at + lo * PUAN_TOKEN_BYTES, wanted->token,
                            sizeof(wanted->token)) == 0;
         lo++) {
        struct puan_token t;

        puan_token_get(&t, run->at + lo * PUAN_TOKEN_BYTES);
        add_found(f, &t);
    }
}

static int by_token(const void *a, const void *b)
{
    return memcmp(((const struct puan_token *)a)->token,
                  ((const struct puan_token *)b)->token, 16);
}

enum puan_status puan_tokens_find(struct puan_shard *sh,
                                  const struct puan_token *wanted, size_t n,
                                  puan_token_fn fn, void *arg,
                                  struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_token *sorted;
    struct found f = { 0 };
    enum puan_status st = PUAN_OK;

    if (!is || n == 0)
        return PUAN_OK;
    sorted = malloc(n * sizeof(*sorted));
    if (!sorted)
        return puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    memcpy(sorted, wanted, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_token);
    /* no run is written or removed meanwhile */
    pthread_mutex_lock(&is->merging);
    for (struct puan_token_run *r = is->runs; r && st == PUAN_OK; r = r->next) {
        struct run_file file;

        if (!run_open(&file, is, r->number, false)) {
            st = puan_fail(err, PUAN_EIO, "token",
                           "run %llu is damaged; remove it, it is made again "
                           "at the next start",
                           (unsigned long long)r->number);
            break;
        }
        for (size_t i = 0; i < n; i++)
            if (i == 0 || by_token(&sorted[i], &sorted[i - 1]) != 0)
                find_in_run(&f, &file, &sorted[i]);
        puan_map_close(&file.map);
    }
    pthread_mutex_lock(&is->tok_lock);
    for (size_t i = 0; i < is->tok_n; i++)
        if (bsearch(&is->tok[i], sorted, n, sizeof(*sorted), by_token))
            add_found(&f, &is->tok[i]);
    pthread_mutex_unlock(&is->tok_lock);
    pthread_mutex_unlock(&is->merging);
    if (f.failed && st == PUAN_OK)
        st = puan_fail(err, PUAN_ENOMEM, "token", "out of memory");
    for (size_t i = 0; i < f.n && st == PUAN_OK; i++)
        st = fn(arg, sh, &f.list[i], err);
    free(f.list);
    free(sorted);
    return st;
}
