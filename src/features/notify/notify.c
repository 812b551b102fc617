/*
 * The channels of an installation, and writing a message; see notify.h.
 */
#include "features/notify/notify.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "features/accounts/accounts.h"
#include "features/host/limit.h"
#include "features/notify/internal.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

#define FILE_MOST (64u << 10)

static struct puan_notify_state *state_of(struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_notify);
}

/* ---- the file -------------------------------------------------------------- */

static enum puan_status read_file(struct puan_notify_file *f, const char *path,
                                  struct puan_err *err)
{
    struct puan_node *tree = NULL;
    struct puan_str text;

    TRY(puan_file_read(&text, path, FILE_MOST, &f->arena, err));
    TRY(puan_yaml_tree(&tree, text, "notify.yaml", &f->arena, err));
    return puan_notify_read(&f->channels, tree, &f->arena, err);
}

void puan_notify_refresh(struct puan_store *st)
{
    struct puan_notify_state *s = state_of(st);
    struct puan_notify_file *f;
    struct puan_arena a;
    const char *path;
    struct stat at = { 0 };
    int64_t ms = 0;
    bool there;

    puan_arena_init(&a, puan_os_alloc());
    path = puan_arena_fmt(&a, "%s/notify.yaml", puan_store_dir(st));
    there = path != NULL && stat(path, &at) == 0;
    if (there)
        ms = (int64_t)at.st_mtim.tv_sec * 1000 + at.st_mtim.tv_nsec / 1000000;
    pthread_mutex_lock(&s->lock);
    if (there == s->there && ms == s->seen_ms &&
        (int64_t)at.st_size == s->seen_size)
        goto out;
    s->there = there;
    s->seen_ms = ms;
    s->seen_size = (int64_t)at.st_size;
    s->fault = (struct puan_err){ 0 };
    f = calloc(1, sizeof *f);
    if (f == NULL)
        goto out;
    puan_arena_init(&f->arena, puan_os_alloc());
    /* a faulty file leaves the channels as they were and is shown */
    if (there && read_file(f, path, &s->fault) != PUAN_OK) {
        puan_arena_clear(&f->arena);
        free(f);
        goto out;
    }
    f->before = s->now;
    s->now = f;
out:
    pthread_mutex_unlock(&s->lock);
    puan_arena_clear(&a);
}

enum puan_status puan_notify_open(void **state, struct puan_store *st,
                                  struct puan_err *err)
{
    struct puan_notify_state *s = calloc(1, sizeof *s);

    (void)st;
    if (s == NULL)
        return puan_fail(err, PUAN_ENOMEM, "notify", "out of memory");
    s->peers = puan_limit_open(60, 1000);
    if (s->peers == NULL) {
        free(s);
        return puan_fail(err, PUAN_ENOMEM, "notify", "out of memory");
    }
    pthread_mutex_init(&s->lock, NULL);
    *state = s;
    return PUAN_OK;
}

void puan_notify_close(void *state, struct puan_store *st)
{
    struct puan_notify_state *s = state;

    (void)st;
    if (s == NULL)
        return;
    while (s->now != NULL) {
        struct puan_notify_file *f = s->now;

        s->now = f->before;
        puan_arena_clear(&f->arena);
        free(f);
    }
    puan_limit_close(s->peers);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct puan_notify_channels *puan_notify_now(struct puan_store *st)
{
    struct puan_notify_state *s = state_of(st);
    const struct puan_notify_channels *c = NULL;

    puan_notify_refresh(st);
    pthread_mutex_lock(&s->lock);
    if (s->now != NULL && s->now->channels.n > 0)
        c = &s->now->channels;
    pthread_mutex_unlock(&s->lock);
    return c;
}

bool puan_notify_fault(struct puan_err *out, struct puan_store *st)
{
    struct puan_notify_state *s = state_of(st);

    puan_notify_refresh(st);
    pthread_mutex_lock(&s->lock);
    *out = s->fault;
    pthread_mutex_unlock(&s->lock);
    return out->text[0] != '\0';
}

bool puan_notify_all_drill(const struct puan_store *st)
{
    return puan_store_run(st) != 0;
}

/* ---- a message ------------------------------------------------------------- */

struct addresses {
    int64_t id[128]; /* two queries of 64 */
    struct puan_str channel[128];
    size_t n;
};

static enum puan_status take(struct addresses *out, struct puan_stmt *s,
                             struct puan_arena *a, struct puan_err *err)
{
    bool more = false;
    enum puan_status st;

    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        out->id[out->n] = puan_col_int(s, 0);
        out->channel[out->n++] = puan_arena_keep(a, puan_col_text(s, 1));
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status of_account(struct addresses *out, struct puan_db *db,
                                   const struct puan_notify *m, bool drill,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "SELECT id, channel FROM notify_address WHERE account = $1"
                 " AND drill = $2 ORDER BY id LIMIT 64",
                 err));
    puan_bind_text(s, 1, m->account);
    puan_bind_int(s, 2, drill);
    return take(out, s, a, err);
}

static enum puan_status of_seat(struct addresses *out, struct puan_db *db,
                                const struct puan_notify *m, bool drill,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "SELECT id, channel FROM notify_address WHERE account = ''"
                 " AND role = $1 AND area = $2 AND drill = $3"
                 " ORDER BY id LIMIT 64",
                 err));
    puan_bind_text(s, 1, m->role);
    puan_bind_int(s, 2, m->area);
    puan_bind_int(s, 3, drill);
    return take(out, s, a, err);
}

static enum puan_status of_holders(struct addresses *out, struct puan_db *db,
                                   const struct puan_notify *m, bool drill,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "SELECT id, channel FROM notify_address WHERE drill = $3 AND"
                 " account IN (SELECT a.name FROM seat s JOIN account a ON"
                 " a.id = s.account WHERE s.role = $1 AND s.area = $2 AND"
                 " s.ended = 0 AND s.from_ms <= $4 AND (s.until_ms = 0 OR"
                 " s.until_ms > $4)) ORDER BY id LIMIT 64",
                 err));
    puan_bind_text(s, 1, m->role);
    puan_bind_int(s, 2, m->area);
    puan_bind_int(s, 3, drill);
    puan_bind_int(s, 4, puan_real_now());
    return take(out, s, a, err);
}

/* With an account its own addresses; it has none, or no account is named: those
   of the seat and, without an account, of all who hold it now. */
static enum puan_status find(struct addresses *out, struct puan_db *db,
                             const struct puan_notify *m, bool drill,
                             struct puan_arena *a, struct puan_err *err)
{
    if (m->account.n > 0) {
        TRY(of_account(out, db, m, drill, a, err));
        return out->n > 0 ? PUAN_OK : of_seat(out, db, m, drill, a, err);
    }
    TRY(of_seat(out, db, m, drill, a, err));
    return of_holders(out, db, m, drill, a, err);
}

static enum puan_status deliver_to(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, int64_t message,
                                   struct puan_str channel, int64_t address,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_notify_delivery_row d = {
        .message = message, .channel = channel, .address = address,
        .token = PUAN_STR(""), .state = PUAN_STR(PUAN_NOTIFY_NO_ADDRESS),
        .next = 0, .at = puan_store_now(puan_shard_store(sh)),
        .why = PUAN_STR("")
    };
    uint8_t chance[16];
    char hex[33];

    if (address != 0) {
        TRY(puan_os_random(chance, sizeof chance, err));
        puan_hex(hex, chance, sizeof chance);
        d.token = puan_str_of(hex);
        d.state = PUAN_STR(PUAN_NOTIFY_WAITING);
        d.next = puan_real_now();
    }
    TRY(puan_db_int(&d.id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM notify_delivery", 1,
                    err));
    return puan_notify_delivery_write(sh, db, act, &d, a, err);
}

/* A delivery for each address the seat has now, or one that has none. */
static enum puan_status spread(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act,
                               const struct puan_notify_channels *c,
                               const struct puan_notify *m, int64_t message,
                               bool drill, struct puan_arena *a,
                               struct puan_err *err)
{
    struct addresses *to = puan_new(a, struct addresses);
    bool sent = false;

    if (to == NULL)
        return puan_arena_check(a, err);
    TRY(find(to, db, m, drill, a, err));
    for (size_t i = 0; i < to->n; i++) {
        const struct puan_notify_channel *ch =
            puan_notify_channel(c, to->channel[i]);

        if (ch == NULL || (ch->carries >> m->kind & 1U) == 0)
            continue;
        TRY(deliver_to(sh, db, act, message, to->channel[i], to->id[i], a,
                       err));
        sent = true;
    }
    return sent ? PUAN_OK :
                  deliver_to(sh, db, act, message, PUAN_STR(""), 0, a, err);
}

enum puan_status puan_notify_in(int64_t *id, struct puan_shard *sh,
                                struct puan_db *db, struct puan_act *act,
                                const struct puan_notify *m,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    const struct puan_notify_channels *c = puan_notify_now(st);
    struct puan_notify_message_row row;
    bool carried = false;

    if (id != NULL)
        *id = 0;
    for (size_t i = 0; c != NULL && i < c->n; i++)
        carried |= (c->channel[i].carries >> m->kind & 1U) != 0;
    if (!carried)
        return PUAN_OK;
    row = (struct puan_notify_message_row){
        .kind = puan_str_of(puan_notify_kind_name(m->kind)),
        .about = m->about, .notice = m->notice,
        .zh = m->what->zh, .en = m->what->en, .level = m->level,
        .role = m->role, .area = m->area, .account = m->account,
        .at = m->at_ms, .due = m->due_ms,
        .drill = m->drill || puan_notify_all_drill(st)
    };
    TRY(puan_db_int(&row.id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM notify_message", 1,
                    err));
    TRY(puan_notify_message_write(sh, db, act, &row, a, err));
    TRY(spread(sh, db, act, c, m, row.id, row.drill != 0, a, err));
    if (id != NULL)
        *id = row.id;
    return puan_arena_check(a, err);
}

enum puan_status puan_notify_again_in(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act, int64_t message,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_notify_channels *c =
        puan_notify_now(puan_shard_store(sh));
    struct puan_notify_delivery_row *d = NULL;
    struct puan_notify_message_row row;
    struct puan_notify m;
    size_t n = 0;

    TRY(puan_notify_message_read(&row, db, message, a, err));
    if (row.received != 0)
        return puan_fail(err, PUAN_ECONFLICT, "message",
                         "somebody of the seat has answered already");
    TRY(puan_notify_deliveries(&d, &n, db, message, a, err));
    for (size_t i = 0; i < n; i++)
        if (puan_str_is(d[i].state, PUAN_NOTIFY_WAITING))
            return puan_fail(err, PUAN_ECONFLICT, "message",
                             "it is still being sent");
    for (size_t i = 0; i < n; i++) {
        if (!puan_str_is(d[i].state, PUAN_NOTIFY_GIVEN_UP) &&
            !puan_str_is(d[i].state, PUAN_NOTIFY_NO_ADDRESS))
            continue;
        d[i].state = PUAN_STR(PUAN_NOTIFY_RESENT);
        d[i].at = puan_store_now(puan_shard_store(sh));
        TRY(puan_notify_delivery_write(sh, db, act, &d[i], a, err));
    }
    m = (struct puan_notify){ .kind = puan_notify_kind_of(row.kind),
                              .role = row.role, .area = row.area,
                              .account = row.account };
    if (c == NULL || m.kind == PUAN_NOTIFY_KINDS)
        return puan_fail(err, PUAN_ECONFLICT, "message",
                         "no channel carries it any more");
    return spread(sh, db, act, c, &m, message, row.drill != 0, a, err);
}

enum puan_status puan_notify_taken_in(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act, int64_t notice,
                                      int64_t message, struct puan_err *err)
{
    struct puan_notify_delivery_row *d;
    struct puan_notify_message_row m;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    bool more = false;
    size_t n = 0;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    if (message == 0) {
        st = puan_sql(&s, db,
                      "SELECT id FROM notify_message WHERE notice = $1", err);
        if (st != PUAN_OK)
            goto out;
        puan_bind_int(s, 1, notice);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            message = puan_col_int(s, 0);
        puan_stmt_done(s);
        if (st != PUAN_OK || message == 0)
            goto out;
    }
    st = puan_notify_message_read(&m, db, message, &a, err);
    if (st != PUAN_OK || m.received != 0)
        goto out;
    m.received = puan_store_now(puan_shard_store(sh));
    st = puan_notify_message_write(sh, db, act, &m, &a, err);
    if (st == PUAN_OK)
        st = puan_notify_deliveries(&d, &n, db, message, &a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        if (!puan_str_is(d[i].state, PUAN_NOTIFY_WAITING))
            continue;
        d[i].state = PUAN_STR(PUAN_NOTIFY_RECEIVED);
        d[i].at = m.received;
        d[i].why = PUAN_STR("answered in the office before it was handed");
        st = puan_notify_delivery_write(sh, db, act, &d[i], &a, err);
    }
out:
    puan_arena_clear(&a);
    return st;
}

const char *puan_notify_fate_word(const struct puan_notify_fate *f)
{
    bool here = f->received > 0 || f->received_ms != 0;

    return here              ? "received"
           : f->handed > 0   ? "handed"
           : f->waiting > 0  ? "waiting"
           : f->given_up > 0 ? "failed"
                             : "no-address";
}

enum puan_status puan_notify_fate(struct puan_notify_fate *out,
                                  struct puan_db *db, int64_t message,
                                  struct puan_err *err)
{
    struct puan_notify_delivery_row *d = NULL;
    struct puan_notify_message_row m;
    struct puan_arena a;
    size_t n = 0;
    enum puan_status st;

    *out = (struct puan_notify_fate){ 0 };
    puan_arena_init(&a, puan_os_alloc());
    st = puan_notify_message_read(&m, db, message, &a, err);
    if (st == PUAN_OK) {
        out->received_ms = m.received;
        st = puan_notify_deliveries(&d, &n, db, message, &a, err);
    }
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        out->waiting += puan_str_is(d[i].state, PUAN_NOTIFY_WAITING);
        out->handed += puan_str_is(d[i].state, PUAN_NOTIFY_HANDED);
        out->received += puan_str_is(d[i].state, PUAN_NOTIFY_RECEIVED);
        out->given_up += puan_str_is(d[i].state, PUAN_NOTIFY_GIVEN_UP);
        out->no_address += puan_str_is(d[i].state, PUAN_NOTIFY_NO_ADDRESS);
    }
    puan_arena_clear(&a);
    return st;
}
