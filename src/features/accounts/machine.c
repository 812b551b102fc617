/*
 * Machine-made credentials: issued in bulk, kept as one row a batch, looked up
 * in memory.  Never stores a secret, never shows one twice.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "core/area/area.h"
#include "features/accounts/internal.h"
#include "features/campaign/campaign.h"
#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define BATCH_MAX 200000

struct machines {
    pthread_rwlock_t lock;
    struct puan_store *store;
    struct puan_arena arena; /* bodies of batches */
    struct machine *at;
    size_t n, cap;
    uint32_t *index; /* open hash of at + 1 */
    size_t n_index;
    uint32_t *by_code; /* households: the same, by what the code hashes to; as
                          long as index.  A replaced code leaves its slot */
    size_t n_codes;
};

void machine_hash(uint8_t out[16], const struct puan_store *st,
                  enum puan_credential c, struct puan_str name,
                  struct puan_str secret)
{
    const struct puan_digest_fn *fn = puan_store_digest(st);
    uint8_t full[PUAN_DIGEST_SIZE];
    char class_byte[2] = { (char)c, 0 };
    struct puan_str parts[4] = { { class_byte, 2 }, name, { "", 1 }, secret };

    fn->mac(fn->ctx, full, puan_keys_credential(puan_store_keys(st)), parts, 4);
    memcpy(out, full, 16);
    puan_os_wipe(full, sizeof(full));
}

/* ---- the map ---------------------------------------------------------------------- */

static uint64_t hash_of(enum puan_credential c, struct puan_str name)
{
    uint64_t h = 1469598103934665603u ^ (uint64_t)c;

    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 1099511628211u;
    return h ^ h >> 29;
}

/* Slot that holds the name, or the empty one where it would go. */
static size_t slot_of(const struct machines *m, enum puan_credential c,
                      struct puan_str name)
{
    size_t i = (size_t)(hash_of(c, name) & (m->n_index - 1));

    while (m->index[i]) {
        const struct machine *x = &m->at[m->index[i] - 1];

        if (x->credential == c && puan_str_eq(x->name, name))
            break;
        i = (i + 1) & (m->n_index - 1);
    }
    return i;
}

static uint64_t code_of(const uint8_t hash[16])
{
    uint64_t h;

    memcpy(&h, hash, sizeof(h));
    return h;
}

/* A household's code into the table by code. */
static void code_in(struct machines *m, size_t place)
{
    size_t i = (size_t)(code_of(m->at[place].hash) & (m->n_index - 1));

    if (m->at[place].credential != PUAN_CRED_HOUSEHOLD)
        return;
    while (m->by_code[i])
        i = (i + 1) & (m->n_index - 1);
    m->by_code[i] = (uint32_t)place + 1;
    m->n_codes++;
}

static bool codes_again(struct machines *m)
{
    uint32_t *codes = calloc(m->n_index, sizeof(*codes));

    if (!codes)
        return false;
    free(m->by_code);
    m->by_code = codes;
    m->n_codes = 0;
    for (size_t i = 0; i < m->n; i++)
        code_in(m, i);
    return true;
}

static bool reserve(struct machines *m, size_t more)
{
    size_t want = m->n + more, cap = m->cap ? m->cap : 1024, slots = 2048;
    struct machine *at;
    uint32_t *index;

    while (cap < want)
        cap += cap / 2;
    while (slots < cap * 2)
        slots *= 2;
    if (cap > m->cap) {
        at = realloc(m->at, cap * sizeof(*at));
        if (!at)
            return false;
        m->at = at;
        m->cap = cap;
    }
    if (slots > m->n_index) {
        index = calloc(slots, sizeof(*index));
        if (!index)
            return false;
        free(m->index);
        m->index = index;
        m->n_index = slots;
        for (size_t i = 0; i < m->n; i++)
            m->index[slot_of(m, m->at[i].credential, m->at[i].name)] =
                (uint32_t)i + 1;
        return codes_again(m);
    }
    /* codes that were replaced still fill slots */
    return m->n_codes + more <= m->n_index / 4 * 3 || codes_again(m);
}

/* A batch row into the map; the body is copied.  A later batch replaces. */
static enum puan_status take(struct machines *m, int64_t id,
                             enum puan_credential c, int32_t role,
                             int64_t from_ms, int64_t until_ms, size_t n,
                             struct puan_str body, struct puan_err *err)
{
    struct puan_in in =
        puan_in_of((struct puan_str){ puan_arena_dup(&m->arena, body),
                                      body.n });

    if (m->arena.failed || !reserve(m, n))
        return puan_fail(err, PUAN_ENOMEM, "credentials", "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct machine x = { .credential = c, .batch = id, .role = role,
                             .from_ms = from_ms, .until_ms = until_ms };
        struct puan_str hash;
        size_t slot;

        x.name = puan_in_bytes(&in, (size_t)puan_in_varint(&in));
        x.area = (int64_t)puan_in_varint(&in);
        x.household = (int64_t)puan_in_varint(&in);
        x.device = puan_in_bytes(&in, (size_t)puan_in_varint(&in));
        hash = puan_in_bytes(&in, 16);
        if (in.bad)
            return puan_fail(err, PUAN_EIO, "credential_batch",
                             "batch %lld is damaged", (long long)id);
        memcpy(x.hash, hash.p, 16);
        slot = slot_of(m, c, x.name);
        if (m->index[slot]) {
            x.bound = m->at[m->index[slot] - 1].bound;
            m->at[m->index[slot] - 1] = x;
        } else {
            m->at[m->n++] = x;
            m->index[slot] = (uint32_t)m->n;
        }
        code_in(m, m->index[slot] - 1);
    }
    return PUAN_OK;
}

static enum puan_status load(struct machines *m, struct puan_err *err)
{
    struct puan_shard *sh = puan_store_office(m->store);
    struct puan_db *db;
    struct puan_stmt *s = NULL;
    const struct puan_plan *plan = puan_store_plan(m->store);
    enum puan_status st = puan_read_begin(&db, sh, err);
    bool more;

    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT id, class, role, from_ms, until_ms, n, body"
                  " FROM credential_batch ORDER BY id",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        st = take(m, puan_col_int(s, 0),
                  (enum puan_credential)puan_col_int(s, 1),
                  role_ordinal(plan, puan_col_text(s, 2)), puan_col_int(s, 3),
                  puan_col_int(s, 4), (size_t)puan_col_int(s, 5),
                  puan_col_bytes(s, 6), err);
    puan_stmt_done(s);
    s = NULL;
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT class, name, batch FROM credential_ended", err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        size_t slot = slot_of(m, (enum puan_credential)puan_col_int(s, 0),
                              puan_col_text(s, 1));

        /* A newer batch gave this name a new secret: that one stands. */
        if (m->index[slot] &&
            m->at[m->index[slot] - 1].batch == puan_col_int(s, 2))
            m->at[m->index[slot] - 1].ended = true;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

enum puan_status machines_open(struct machines **out, struct puan_store *st,
                               struct puan_err *err)
{
    struct machines *m = calloc(1, sizeof(*m));
    enum puan_status r;

    *out = NULL;
    if (!m)
        return puan_fail(err, PUAN_ENOMEM, "credentials", "out of memory");
    pthread_rwlock_init(&m->lock, NULL);
    puan_arena_init(&m->arena, &puan_heap);
    m->store = st;
    r = reserve(m, 1) ? load(m, err)
                      : puan_fail(err, PUAN_ENOMEM, "credentials",
                                  "out of memory");
    if (r != PUAN_OK) {
        machines_close(m);
        return r;
    }
    *out = m;
    return PUAN_OK;
}

void machines_close(struct machines *m)
{
    if (!m)
        return;
    pthread_rwlock_destroy(&m->lock);
    puan_arena_clear(&m->arena);
    free(m->at);
    free(m->index);
    free(m->by_code);
    free(m);
}

bool machines_find(struct machine *out, struct machines *m,
                   enum puan_credential c, struct puan_str name)
{
    size_t slot;
    bool found;

    pthread_rwlock_rdlock(&m->lock);
    slot = slot_of(m, c, name);
    found = m->index[slot] != 0;
    if (found) {
        *out = m->at[m->index[slot] - 1];
        out->id = m->index[slot];
    }
    pthread_rwlock_unlock(&m->lock);
    return found;
}

bool machines_find_code(struct machine *out, struct machines *m,
                        const uint8_t hash[16])
{
    bool found = false;
    size_t i;

    pthread_rwlock_rdlock(&m->lock);
    i = (size_t)(code_of(hash) & (m->n_index - 1));
    for (; m->by_code[i] && !found; i = (i + 1) & (m->n_index - 1)) {
        const struct machine *x = &m->at[m->by_code[i] - 1];

        found = puan_equal_const(hash, x->hash, sizeof(x->hash));
        if (found) {
            *out = *x;
            out->id = m->by_code[i];
        }
    }
    pthread_rwlock_unlock(&m->lock);
    return found;
}

void machines_protect(struct machines *m, struct puan_str name, int64_t batch)
{
    size_t slot;

    pthread_rwlock_wrlock(&m->lock);
    slot = slot_of(m, PUAN_CRED_HOUSEHOLD, name);
    if (m->index[slot] && m->at[m->index[slot] - 1].batch == batch)
        m->at[m->index[slot] - 1].has_password = true;
    pthread_rwlock_unlock(&m->lock);
}

void machines_bind(struct machines *m, struct puan_str name)
{
    size_t slot;

    pthread_rwlock_wrlock(&m->lock);
    slot = slot_of(m, PUAN_CRED_DEVICE, name);
    if (m->index[slot])
        m->at[m->index[slot] - 1].bound = true;
    pthread_rwlock_unlock(&m->lock);
}

size_t machines_count(struct machines *m)
{
    size_t n;

    pthread_rwlock_rdlock(&m->lock);
    n = m->n;
    pthread_rwlock_unlock(&m->lock);
    return n;
}

/* ---- issuing ------------------------------------------------------------------------- */

struct issue {
    struct puan_request *rq;
    const struct issue_in *in;
    enum puan_credential credential;
    const struct puan_role *role;
    struct puan_out body, csv;
    struct puan_arena arena; /* of this bulk */
    size_t n;
    int64_t batch;
};

static enum puan_status issue_one(struct issue *k, struct puan_str name,
                                  int64_t area, int64_t household,
                                  struct puan_str device, struct puan_err *err)
{
    char secret[32];
    uint8_t hash[16];
    enum puan_status st;

    if (k->n >= BATCH_MAX)
        return puan_fail(err, PUAN_ELIMIT, "list",
                         "at most %d credentials at once; issue by area",
                         BATCH_MAX);
    if (!name_ok(name))
        return puan_fail(err, PUAN_EINVAL, "name",
                         "letters, digits, '.', '_' and '-', 2 to 60 bytes");
    if (device.n > 40)
        return puan_fail(err, PUAN_EINVAL, "device", "at most 40 bytes");
    st = k->credential == PUAN_CRED_HOUSEHOLD
             ? household_code_make(secret, err)
             : puan_secret_make(secret, sizeof(secret), PUAN_DEVICE_SECRET * 5,
                                err);
    if (st != PUAN_OK)
        return st;
    /* A household types its code alone, so that is all that is hashed. */
    machine_hash(hash, k->rq->store, k->credential,
                 k->credential == PUAN_CRED_HOUSEHOLD ? PUAN_STR("") : name,
                 puan_str_of(secret));
    puan_out_varint(&k->body, name.n);
    puan_out_str(&k->body, name);
    puan_out_varint(&k->body, (uint64_t)area);
    puan_out_varint(&k->body, (uint64_t)household);
    puan_out_varint(&k->body, device.n);
    puan_out_str(&k->body, device);
    puan_out_bytes(&k->body, hash, sizeof(hash));
    puan_csv_put_words(&k->csv, name);
    puan_out_char(&k->csv, ',');
    puan_out_text(&k->csv, secret);
    puan_out_fmt(&k->csv, ",%lld,", (long long)area);
    puan_csv_put_words(&k->csv, device);
    puan_out_char(&k->csv, '\n');
    puan_os_wipe(secret, sizeof(secret));
    k->n++;
    return PUAN_OK;
}

static enum puan_status from_staff(void *arg, const struct puan_staff *s,
                                   struct puan_err *err)
{
    struct issue *k = arg;

    if (!puan_str_eq(s->role, k->role->id) ||
        !puan_area_covers(k->rq->store, k->in->area, s->area))
        return PUAN_OK;
    return issue_one(k, s->staff, s->area, 0,
                     s->device.n ? s->device : s->staff, err);
}

static enum puan_status household_one(struct issue *k, int64_t household,
                                      struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(k->rq->store);
    uint32_t ea = t ? puan_area_of_household(t, household) : PUAN_AREA_NONE;
    char name[24];

    if (ea == PUAN_AREA_NONE ||
        !puan_area_covers(k->rq->store, k->in->area, t->area[ea].code))
        return puan_fail(err, PUAN_EINVAL, "list",
                         "household %lld lies outside the area",
                         (long long)household);
    puan_format(name, sizeof(name), "%lld", (long long)household);
    return issue_one(k, puan_str_of(name), t->area[ea].code, household,
                     PUAN_STR(""), err);
}

/* Does a unit that the listing calls so fill in by itself? */
static bool for_itself(const struct puan_plan *plan, struct puan_str mode)
{
    const struct puan_channel *h = puan_plan_channel(plan, mode);

    for (size_t i = 0; h && i < h->n_forms; i++)
        if (puan_plan_ever_open(plan, h->forms[i], PUAN_STR("self")))
            return true;
    return puan_str_is(mode, "self");
}

/*
 * Households on the listing roll that chose to fill in themselves, and units
 * of a channel that is theirs.
 */
static enum puan_status from_listing(struct issue *k, struct puan_err *err)
{
    struct puan_store *store = k->rq->store;

    for (size_t i = 1; i < puan_store_shards(store); i++) {
        struct puan_shard *sh = puan_store_shard(store, i);
        struct puan_db *db;
        struct puan_stmt *s = NULL;
        enum puan_status st;
        bool more;

        if (!puan_area_covers(store, k->in->area, puan_shard_area(sh)) &&
            !puan_area_covers(store, puan_shard_area(sh), k->in->area))
            continue;
        st = puan_read_begin(&db, sh, err);
        if (st != PUAN_OK)
            return st;
        st = puan_sql(&s, db,
                      "SELECT household, ea, mode FROM listing"
                      " WHERE mode NOT IN ('', 'enumerator')"
                      " ORDER BY household",
                      err);
        while (st == PUAN_OK &&
               (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
            if (puan_area_covers(store, k->in->area, puan_col_int(s, 1)) &&
                for_itself(puan_store_plan(store), puan_col_text(s, 2)))
                st = household_one(k, puan_col_int(s, 0), err);
        puan_stmt_done(s);
        puan_read_end(sh, db);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

/* A JSON list: households, or objects {name, area, device}. */
static enum puan_status from_list(struct issue *k, struct puan_err *err)
{
    struct puan_node *list;
    enum puan_status st =
        puan_json_tree(&list, k->in->list, "list", &k->arena, err);

    if (st != PUAN_OK)
        return st;
    if (list->kind != PUAN_NODE_LIST)
        return puan_fail(err, PUAN_EINVAL, "list", "a JSON list is wanted");
    PUAN_NODE_EACH(c, list)
    {
        int64_t v = 0;
        struct puan_str name, area, device;

        if (k->credential == PUAN_CRED_HOUSEHOLD) {
            if (c->kind != PUAN_NODE_SCALAR || !puan_int_parse(&v, c->text))
                return puan_node_fail(c, err, "a household's number is wanted");
            st = household_one(k, v, err);
        } else {
            st = puan_node_str(&name, c, "name", err);
            if (st == PUAN_OK)
                st = puan_node_str(&area, c, "area", err);
            device = puan_node_str_opt(c, "device", "");
            if (st == PUAN_OK &&
                (!puan_int_parse(&v, area) ||
                 !puan_area_covers(k->rq->store, k->in->area, v)))
                st = puan_node_fail(c, err, "its area is not inside the area");
            if (st == PUAN_OK)
                st = area_fits(k->rq, k->role, v, err);
            if (st == PUAN_OK)
                st = issue_one(k, name, v, 0, device.n ? device : name, err);
        }
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

static enum puan_status write_batch(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct issue *k = arg;
    struct puan_stmt *s = NULL;
    struct puan_out o;
    struct puan_str body = puan_out_view(&k->body);
    enum puan_status st;

    st = puan_db_int(&k->batch, db, "SELECT MAX(id) + 1 FROM credential_batch",
                     1, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO credential_batch(id, class, role, from_ms,"
                      " until_ms, n, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, k->batch);
    puan_bind_int(s, 2, k->credential);
    puan_bind_text(s, 3, k->role->id);
    puan_bind_int(s, 4, k->in->from_ms);
    puan_bind_int(s, 5, k->in->until_ms);
    puan_bind_int(s, 6, (int64_t)k->n);
    puan_bind_bytes(s, 7, body.p, body.n);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&o, &k->arena);
    puan_content_int(&o, k->credential);
    puan_content_text(&o, k->role->id);
    puan_content_int(&o, k->in->from_ms);
    puan_content_int(&o, k->in->until_ms);
    puan_content_int(&o, (int64_t)k->n);
    puan_content_bytes(&o, body);
    st = puan_arena_check(&k->arena, err);
    if (st != PUAN_OK)
        return st;
    return puan_cover_id(sh, db, act, "credential_batch", k->batch,
                         puan_out_view(&o), err);
}

static bool kind_of(enum puan_credential *c, struct puan_str kind)
{
    if (puan_str_is(kind, "device"))
        *c = PUAN_CRED_DEVICE;
    else if (puan_str_is(kind, "household"))
        *c = PUAN_CRED_HOUSEHOLD;
    else
        return false;
    return true;
}

/* Signed in with a secret that a later issue has replaced. */
static bool superseded(const struct puan_who *who, void *arg)
{
    const struct machines *m = arg;

    return (who->credential == PUAN_CRED_DEVICE ||
            who->credential == PUAN_CRED_HOUSEHOLD) &&
           who->account > 0 && (size_t)who->account <= m->n && who->batch &&
           m->at[who->account - 1].batch != who->batch;
}

HANDLER(h_issue)
{
    struct issue k = { .rq = rq, .in = in };
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct machines *m = accounts_of(rq)->machines;
    struct puan_act act;
    struct puan_str csv;
    char note[96];
    enum puan_status st;

    if (!kind_of(&k.credential, k.in->kind))
        return puan_fail(err, PUAN_EINVAL, "kind",
                         "device or household is wanted");
    k.role = puan_plan_role(plan, k.in->role);
    if (!k.role)
        return puan_fail(err, PUAN_EINVAL, "role", "the plan has no such role");
    if ((k.role->credential == PUAN_CREDENTIAL_DEVICE) !=
            (k.credential == PUAN_CRED_DEVICE) ||
        (k.role->credential == PUAN_CREDENTIAL_HOUSEHOLD) !=
            (k.credential == PUAN_CRED_HOUSEHOLD))
        return puan_fail(err, PUAN_EINVAL, "role",
                         "this role signs in with another kind of credential");
    if (k.role->n_needs)
        return puan_fail(err, PUAN_ECONFLICT, "role",
                         "the plan asks for attested records; give the seats "
                         "one by one");
    puan_arena_init(&k.arena, &puan_heap);
    puan_out_init(&k.body, &k.arena);
    puan_out_init(&k.csv, &k.arena);
    puan_out_text(&k.csv, "name,secret,area,device\n");
    if (puan_str_is(k.in->from, "staff"))
        st = puan_staff_each(rq->store, from_staff, &k, err);
    else if (puan_str_is(k.in->from, "listing"))
        st = k.credential == PUAN_CRED_HOUSEHOLD
                 ? from_listing(&k, err)
                 : puan_fail(err, PUAN_EINVAL, "from",
                             "the listing is for household credentials");
    else if (k.in->from.n || !k.in->list.n)
        st = puan_fail(err, PUAN_EINVAL, "from",
                       "staff or listing is wanted, or a list");
    else
        st = from_list(&k, err);
    if (st == PUAN_OK && !k.n)
        st = puan_fail(err, PUAN_ENOTFOUND, "from",
                       "nobody to issue credentials to");
    if (st == PUAN_OK)
        st = puan_arena_check(&k.arena, err);
    if (st != PUAN_OK)
        goto out;
    puan_request_act(&act, rq, k.role->id);
    puan_format(note, sizeof(note), "%zu credentials in area %lld", k.n,
                (long long)k.in->area);
    act.note = puan_str_of(note);
    st = puan_commit(puan_store_office(rq->store), &act, write_batch, &k, err);
    if (st != PUAN_OK)
        goto out;
    pthread_rwlock_wrlock(&m->lock);
    st = take(m, k.batch, k.credential, role_ordinal(plan, k.role->id),
              k.in->from_ms, k.in->until_ms, k.n, puan_out_view(&k.body), err);
    puan_session_end_if(puan_host_sessions(rq->host), superseded, m);
    pthread_rwlock_unlock(&m->lock);
    if (st != PUAN_OK)
        goto out;
    csv = puan_out_view(&k.csv);
    puan_answer_bytes(rq, 201, "text/csv; charset=utf-8", csv);
    memset(k.csv.p, 0, k.csv.n);
out:
    puan_arena_clear(&k.arena);
    return st;
}

/* ---- ending ----------------------------------------------------------------------------- */

enum puan_status credential_area_of(int64_t *area, struct puan_request *rq,
                                    const void *in, struct puan_err *err)
{
    const struct credential_in *p = in;
    enum puan_credential c;
    struct machine x;

    if (!kind_of(&c, p->kind) ||
        !machines_find(&x, accounts_of(rq)->machines, c, p->name))
        return puan_fail(err, PUAN_ENOTFOUND, "name", "no such credential");
    *area = x.area;
    return PUAN_OK;
}

struct ending {
    const struct credential_in *in;
    enum puan_credential credential;
    struct machine machine;
    struct puan_arena *arena;
};

static enum puan_status write_ended(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct ending *k = arg;
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st =
        puan_sql(&s, db,
                 "INSERT INTO credential_ended(class, name, batch)"
                 " VALUES ($1, $2, $3) ON CONFLICT(class, name)"
                 " DO UPDATE SET batch = excluded.batch",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, k->credential);
    puan_bind_text(s, 2, k->in->name);
    puan_bind_int(s, 3, k->machine.batch);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&o, k->arena);
    puan_content_int(&o, k->machine.batch);
    st = puan_arena_check(k->arena, err);
    if (st != PUAN_OK)
        return st;
    return puan_cover(sh, db, act, "credential_ended",
                      puan_str_of(puan_arena_fmt(
                          k->arena, "%d %.*s", (int)k->credential,
                          PUAN_FMT(k->in->name))),
                      puan_out_view(&o), err);
}

HANDLER(h_credential_end)
{
    struct ending k = { .in = in, .arena = rq->arena };
    struct machines *m = accounts_of(rq)->machines;
    struct puan_act act;
    size_t slot;
    enum puan_status st;

    if (!kind_of(&k.credential, k.in->kind) ||
        !machines_find(&k.machine, m, k.credential, k.in->name))
        return puan_fail(err, PUAN_ENOTFOUND, "name", "no such credential");
    puan_request_act(&act, rq, k.in->name);
    act.note = k.in->reason;
    st = puan_commit(puan_store_office(rq->store), &act, write_ended, &k, err);
    if (st != PUAN_OK)
        return st;
    pthread_rwlock_wrlock(&m->lock);
    slot = slot_of(m, k.credential, k.in->name);
    if (m->index[slot]) {
        m->at[m->index[slot] - 1].ended = true;
        puan_session_end_account(puan_host_sessions(rq->host), k.credential,
                                 (int64_t)m->index[slot], 0);
    }
    pthread_rwlock_unlock(&m->lock);
    puan_answer_empty(rq);
    return PUAN_OK;
}

enum puan_status puan_sign_in_ended(bool *ended, struct puan_store *st,
                                    struct puan_db *db, struct puan_str staff,
                                    struct puan_err *err)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);
    struct puan_stmt *s = NULL;
    struct machine m;
    bool more = false;
    enum puan_status r;

    *ended = false;
    if (a && machines_find(&m, a->machines, PUAN_CRED_DEVICE, staff)) {
        *ended = m.ended;
        return PUAN_OK;
    }
    r = puan_sql(&s, db,
                 "SELECT COUNT(*), SUM(CASE WHEN state = 2 THEN 1 ELSE 0 END)"
                 " FROM account WHERE person = $1",
                 err);
    if (r != PUAN_OK)
        return r;
    puan_bind_text(s, 1, staff);
    r = puan_stmt_step(&more, s, err);
    if (r == PUAN_OK && more)
        *ended = puan_col_int(s, 0) > 0 &&
                 puan_col_int(s, 0) == puan_col_int(s, 1);
    puan_stmt_done(s);
    return r;
}

/* ---- enrolled devices ------------------------------------------------------------------ */

static bool stands(const struct machine *m, int64_t now)
{
    return !m->ended && m->role >= 0 && m->from_ms <= now &&
           (!m->until_ms || m->until_ms > now);
}

bool puan_device_account(struct puan_device_account *out,
                         struct puan_store *st, struct puan_str name)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);
    const struct puan_plan *plan = puan_store_plan(st);
    struct machine m;

    if (!a || !machines_find(&m, a->machines, PUAN_CRED_DEVICE, name))
        return false;
    *out = (struct puan_device_account){
        .name = m.name,
        .role = m.role >= 0 ? plan->role[m.role].id : PUAN_STR(""),
        .area = m.area,
        .open = stands(&m, puan_store_now(st)),
    };
    return true;
}

void puan_device_account_bind(struct puan_store *st, struct puan_str name)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);

    if (a)
        machines_bind(a->machines, name);
}

enum puan_status puan_device_sign_in(char token[PUAN_TOKEN_TEXT],
                                     int64_t *idle, struct puan_request *rq,
                                     struct puan_str name,
                                     struct puan_str device,
                                     struct puan_err *err)
{
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_who who;
    struct machine m;
    enum puan_status st;

    if (!machines_find(&m, a->machines, PUAN_CRED_DEVICE, name) ||
        !stands(&m, rq->now))
        return puan_fail(err, PUAN_EDENIED, "account",
                         "this credential was ended or its time is over");
    m.device = device;
    login_who_of_machine(&who, plan, PUAN_CRED_DEVICE, &m);
    *idle = idle_ms(plan, PUAN_CRED_DEVICE);
    st = puan_session_open(token, puan_host_sessions(rq->host), &who,
                           rq->real_now, *idle, rq->real_now + 86400000, err);
    if (st == PUAN_OK)
        atomic_fetch_add(&a->signed_in, 1);
    return st;
}
