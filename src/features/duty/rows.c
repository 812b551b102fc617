/*
 * Entries in the office store.
 */
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/accounts/accounts.h"
#include "features/duty/internal.h"
#include "kit/crypto/keys.h"

#define ENTRIES 20000
#define SEATS 512

static int64_t whole(const struct puan_node *body, const char *key)
{
    int64_t v = 0;
    struct puan_str text = puan_node_str_opt(body, key, "");

    return text.n > 0 && puan_int_parse(&v, text) ? v : 0;
}

static enum puan_status read_row(struct puan_roster_entry *e,
                                 struct puan_stmt *s, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_str kind = puan_col_text(s, 2);
    struct puan_node *body = NULL;
    const struct puan_node *people;
    struct puan_str *list;

    *e = (struct puan_roster_entry){ .id = puan_col_int(s, 0),
                                     .at_ms = puan_col_int(s, 1),
                                     .kind = PUAN_ROSTER_KINDS };
    for (int k = 0; k < PUAN_ROSTER_KINDS; k++)
        if (puan_str_is(kind, puan_roster_word[k]))
            e->kind = (enum puan_roster_kind)k;
    e->role = puan_arena_keep(a, puan_col_text(s, 3));
    e->person = puan_arena_keep(a, puan_col_text(s, 4));
    TRY(puan_json_tree(&body, puan_arena_keep(a, puan_col_text(s, 5)), "entry",
                       a, err));
    e->shift = puan_node_str_opt(body, "shift", "");
    e->post = puan_node_str_opt(body, "post", "");
    e->who = puan_node_str_opt(body, "who", "");
    e->text = puan_node_str_opt(body, "text", "");
    e->group = puan_node_str_opt(body, "group", "");
    e->digest = puan_node_str_opt(body, "digest", "");
    e->from_ms = whole(body, "from");
    e->until_ms = whole(body, "until");
    e->from_day = whole(body, "from_day");
    e->until_day = whole(body, "until_day");
    e->turn = (int)whole(body, "turn");
    e->rung = (int)whole(body, "rung");
    e->of = whole(body, "of");
    e->ref = whole(body, "ref");
    e->message = whole(body, "message");
    people = puan_node_get(body, "people");
    if (people == NULL)
        return PUAN_OK;
    list = puan_new_n(a, people->n + 1, struct puan_str);
    if (list == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, people)
    list[e->n_people++] = c->text;
    e->people = list;
    return PUAN_OK;
}

/* Those who hold the seat of duty there, also later, also no longer. */
static enum puan_status read_seats(struct puan_roster *r, struct puan_db *db,
                                   int64_t area, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_roster_seat *list = puan_new_n(a, SEATS, struct puan_roster_seat);
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    if (list == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT a.name, s.from_ms, s.until_ms, s.ended FROM seat s"
                 " JOIN account a ON a.id = s.account WHERE s.role = $1 AND"
                 " s.area = $2 AND a.state = 1 ORDER BY s.id",
                 err));
    puan_bind_text(s, 1, r->duty->seat);
    puan_bind_int(s, 2, area);
    while (r->n_seats < SEATS &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t ended = puan_col_int(s, 3);
        struct puan_roster_seat *x = &list[r->n_seats];

        x->person = puan_arena_keep(a, puan_col_text(s, 0));
        x->from_ms = puan_col_int(s, 1);
        x->until_ms = puan_col_int(s, 2);
        if (ended != 0 && (x->until_ms == 0 || ended < x->until_ms))
            x->until_ms = ended;
        r->n_seats++;
    }
    puan_stmt_done(s);
    r->seat = list;
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status read_entries(struct puan_roster *out,
                                     struct puan_stmt *s, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_roster_entry *list = NULL;
    size_t cap = 0;
    bool more = false;
    enum puan_status st;

    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (out->n == ENTRIES) {
            st = puan_fail(err, PUAN_ELIMIT, "duty",
                           "more than %d entries of one office", ENTRIES);
            break;
        }
        if (out->n == cap) {
            struct puan_roster_entry *bigger;

            cap = cap ? cap * 2 : 64;
            bigger = puan_new_n(a, cap, struct puan_roster_entry);
            if (bigger == NULL) {
                st = puan_arena_check(a, err);
                break;
            }
            if (out->n > 0)
                memcpy(bigger, list, out->n * sizeof *list);
            list = bigger;
        }
        st = read_row(&list[out->n], s, a, err);
        if (st != PUAN_OK)
            break;
        out->n++;
    }
    puan_stmt_done(s);
    out->entry = list;
    return st;
}

static void begin(struct puan_roster *out, struct puan_store *st)
{
    *out = (struct puan_roster){
        .duty = puan_duty_of(st),
        .offset_minutes = puan_store_plan(st)->offset_minutes
    };
}

enum puan_status duty_read(struct puan_roster *out, struct puan_store *st,
                           struct puan_db *db, int64_t area,
                           struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    begin(out, st);
    if (out->duty == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "duty",
                         "this plan does not say how an office keeps watch");
    TRY(puan_sql(&s, db,
                 "SELECT id, at, kind, role, person, body FROM duty_entry"
                 " WHERE area = $1 ORDER BY id",
                 err));
    puan_bind_int(s, 1, area);
    TRY(read_entries(out, s, a, err));
    return read_seats(out, db, area, a, err);
}

enum puan_status duty_read_posts(struct puan_roster *out, struct puan_store *st,
                                 struct puan_db *db, int64_t area,
                                 int64_t at_ms, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    begin(out, st);
    TRY(puan_sql(&s, db,
                 "SELECT id, at, kind, role, person, body FROM duty_entry"
                 " WHERE area = $1 AND (until_ms > $2 OR kind IN ('rotate',"
                 " 'agree', 'approve', 'decline')) ORDER BY id",
                 err));
    puan_bind_int(s, 1, area);
    puan_bind_int(s, 2, at_ms);
    TRY(read_entries(out, s, a, err));
    return out->n == 0 ? PUAN_OK : read_seats(out, db, area, a, err);
}

static struct puan_str key_of(struct puan_arena *a, int64_t id)
{
    return puan_str_of(puan_arena_fmt(a, "%lld", (long long)id));
}

enum puan_status duty_unseal(struct puan_str *out, struct puan_store *st,
                             struct puan_db *db, int64_t id,
                             struct puan_arena *a, struct puan_err *err)
{
    const struct puan_seal_key *key = NULL;
    struct puan_str sealed = PUAN_STR("");
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;
    int version;

    TRY(puan_sql(&s, db, "SELECT sealed FROM duty_entry WHERE id = $1", err));
    puan_bind_int(s, 1, id);
    rc = puan_stmt_step(&more, s, err);
    if (rc == PUAN_OK && more)
        sealed = puan_arena_keep(a, puan_col_bytes(s, 0));
    puan_stmt_done(s);
    TRY(rc);
    version = puan_sealed_version(sealed);
    if (version >= 0)
        key = puan_keys_data_version(puan_store_keys(st), 0, "duty",
                                     (uint16_t)version);
    if (key == NULL)
        return puan_fail(err, PUAN_EIO, "duty_entry",
                         "the key of a sealed number is missing from keys/");
    return puan_unseal(out, key,
                       puan_seal_aad(a, 0, "duty_entry", "sealed",
                                     key->version, key_of(a, id)),
                       sealed, a, err);
}

static void put_str(struct puan_jw *w, const char *key, struct puan_str s)
{
    if (s.n > 0)
        puan_jw_kstr(w, key, s);
}
static void put_int(struct puan_jw *w, const char *key, int64_t v)
{
    if (v != 0)
        puan_jw_kint(w, key, v);
}

static struct puan_str body_of(const struct puan_roster_entry *e,
                               struct puan_arena *a)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    put_str(&w, "shift", e->shift);
    put_str(&w, "post", e->post);
    put_str(&w, "who", e->who);
    if (e->kind != PUAN_ROSTER_CONTACT)
        put_str(&w, "text", e->text);
    put_str(&w, "group", e->group);
    put_str(&w, "digest", e->digest);
    put_int(&w, "from", e->from_ms);
    put_int(&w, "until", e->until_ms);
    put_int(&w, "from_day", e->from_day);
    put_int(&w, "until_day", e->until_day);
    put_int(&w, "turn", e->turn);
    put_int(&w, "rung", e->rung);
    put_int(&w, "of", e->of);
    put_int(&w, "ref", e->ref);
    put_int(&w, "message", e->message);
    if (e->n_people > 0) {
        puan_jw_key(&w, "people");
        puan_jw_list(&w);
        for (size_t i = 0; i < e->n_people; i++)
            puan_jw_str(&w, e->people[i]);
        puan_jw_end(&w, ']');
    }
    puan_jw_end(&w, '}');
    return puan_out_view(&o);
}

/* The number of a contact, sealed for its row; empty for all other kinds. */
static enum puan_status seal(struct puan_out *out, struct puan_store *st,
                             const struct puan_roster_entry *e,
                             struct puan_arena *a, struct puan_err *err)
{
    const struct puan_seal_key *key = NULL;

    puan_out_init(out, a);
    if (e->kind != PUAN_ROSTER_CONTACT)
        return PUAN_OK;
    TRY(puan_keys_data_make(&key, puan_store_keys(st), 0, "duty", err));
    return puan_seal(out, key,
                     puan_seal_aad(a, 0, "duty_entry", "sealed", key->version,
                                   key_of(a, e->id)),
                     e->text, err);
}

static enum puan_status insert(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, int64_t area,
                               const struct puan_roster_entry *e,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_str kind = puan_str_of(puan_roster_word[e->kind]);
    struct puan_str body = body_of(e, a), sealed;
    struct puan_stmt *s = NULL;
    struct puan_out o, secret;
    enum puan_status st;

    TRY(seal(&secret, puan_shard_store(sh), e, a, err));
    TRY(puan_arena_check(a, err));
    sealed = puan_out_view(&secret);
    if (sealed.n == 0)
        sealed = PUAN_STR("");
    TRY(puan_sql(&s, db,
                 "INSERT INTO duty_entry(id, area, at, kind, role, person,"
                 " until_ms, body, sealed) VALUES($1, $2, $3, $4, $5, $6, $7,"
                 " $8, $9)",
                 err));
    puan_bind_int(s, 1, e->id);
    puan_bind_int(s, 2, area);
    puan_bind_int(s, 3, e->at_ms);
    puan_bind_text(s, 4, kind);
    puan_bind_text(s, 5, e->role);
    puan_bind_text(s, 6, e->person);
    puan_bind_int(s, 7, e->until_ms);
    puan_bind_text(s, 8, body);
    puan_bind_bytes(s, 9, sealed.p, sealed.n);
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&o, a);
    puan_content_int(&o, area);
    puan_content_int(&o, e->at_ms);
    puan_content_text(&o, kind);
    puan_content_text(&o, e->role);
    puan_content_text(&o, e->person);
    puan_content_int(&o, e->until_ms);
    puan_content_text(&o, body);
    puan_content_bytes(&o, sealed);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "duty_entry", e->id, puan_out_view(&o),
                         err);
}

enum puan_status duty_put(struct puan_shard *sh, struct puan_db *db,
                          struct puan_act *act, int64_t area,
                          struct puan_roster_entry *e, struct puan_arena *a,
                          struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    struct puan_roster r;

    TRY(duty_read(&r, st, db, area, a, err));
    TRY(puan_db_int(&e->id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM duty_entry", 1, err));
    e->at_ms = puan_store_now(st);
    TRY(puan_roster_accept(&r, e, err));
    return insert(sh, db, act, area, e, a, err);
}

enum puan_status duty_areas(int64_t **out, size_t *n, struct puan_db *db,
                            struct puan_arena *a, struct puan_err *err)
{
    int64_t *list = puan_new_n(a, 4096, int64_t);
    struct puan_stmt *s = NULL;

    *n = 0;
    *out = list;
    if (list == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT DISTINCT area FROM duty_entry ORDER BY area LIMIT"
                 " 4096",
                 err));
    return puan_stmt_ints(list, n, 4096, s, err);
}
