/*
 * Tip-offs and questions from the public; see tips.h.  Never shows what was
 * written.
 */
#include "features/tips/tips.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/host.h"
#include "features/host/limit.h"
#include "features/host/request.h"
#include "kit/crypto/keys.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

#define DIGITS 12 /* of a receipt, the last one checks */

/* ---- the receipt number -------------------------------------------------- */

static const char alphabet[33] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/* In GF(32), x^5 + x^2 + 1: times x. */
static unsigned twice(unsigned v)
{
    v <<= 1;
    return v & 32U ? v ^ 0x25U : v;
}

/* The sum over i of x^i times the i-th digit; 0 for a whole receipt. */
static unsigned check_of(const uint8_t *v, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = twice(sum) ^ v[i];
    return sum;
}

void puan_tip_receipt(char out[PUAN_TIP_RECEIPT], const uint8_t chance[11])
{
    uint8_t v[DIGITS];
    size_t w = 0;

    for (size_t i = 0; i < DIGITS - 1; i++)
        v[i] = chance[i] & 31U;
    v[DIGITS - 1] = 0;
    v[DIGITS - 1] = (uint8_t)check_of(v, DIGITS);
    for (size_t i = 0; i < DIGITS; i++) {
        if (i > 0 && i % 4 == 0)
            out[w++] = '-';
        out[w++] = alphabet[v[i]];
    }
    out[w] = '\0';
}

enum puan_status puan_tip_read(char out[13], struct puan_str s,
                               struct puan_err *err)
{
    uint8_t v[DIGITS];
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        const char *at;

        if (c == ' ' || c == '-')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        at = c == '\0' ? NULL : strchr(alphabet, c);
        if (at == NULL)
            return puan_fail(err, PUAN_EINVAL, "receipt",
                             "a receipt number has digits 2 to 9 and capital "
                             "letters without I and O");
        if (n < DIGITS) {
            v[n] = (uint8_t)(at - alphabet);
            out[n] = c;
        }
        n++;
    }
    if (n != DIGITS)
        return puan_fail(err, PUAN_EINVAL, "receipt",
                         "a receipt number has 12 characters, not %zu", n);
    out[DIGITS] = '\0';
    if (check_of(v, DIGITS) != 0)
        return puan_fail(err, PUAN_EINVAL, "receipt",
                         "the last character does not fit the others; compare "
                         "it with the receipt");
    return PUAN_OK;
}

static const char *hash_of(const struct puan_request *rq, const char *digits)
{
    char *hex = puan_arena_get(rq->arena, 33);
    uint8_t h[16];

    if (hex == NULL)
        return "";
    puan_keys_token_of(h, puan_store_keys(rq->store),
                       puan_str_of(puan_store_id(rq->store)), "tip",
                       puan_str_of(digits));
    puan_hex(hex, h, sizeof h);
    return hex;
}

/* ---- limits -------------------------------------------------------------- */

#define PEERS 4096

/* When the requests made so far would have come, had they come evenly. */
struct peer {
    uint64_t hash;
    int64_t send, look;
};
struct puan_tip_limits {
    pthread_mutex_t lock;
    int64_t all;
    struct peer peer[PEERS];
};

enum puan_status puan_tip_limits_open(struct puan_tip_limits **l,
                                      struct puan_err *err)
{
    *l = calloc(1, sizeof **l);
    if (*l == NULL)
        return puan_fail(err, PUAN_ENOMEM, "tips", "out of memory");
    pthread_mutex_init(&(*l)->lock, NULL);
    return PUAN_OK;
}

void puan_tip_limits_close(struct puan_tip_limits *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static bool draw(int64_t *even, int64_t burst, int64_t refill_ms, int64_t now)
{
    if (*even - now > (burst - 1) * refill_ms)
        return false;
    *even = (*even > now ? *even : now) + refill_ms;
    return true;
}

bool puan_tip_allowed(struct puan_tip_limits *l, const char *peer, bool send,
                      int64_t real_ms)
{
    uint64_t h = puan_peer_hash(peer);
    struct peer *p;
    bool yes;

    pthread_mutex_lock(&l->lock);
    p = &l->peer[h % PEERS];
    if (p->hash != h)
        *p = (struct peer){ .hash = h };
    yes = send ? draw(&p->send, 10, 360000, real_ms)
               : draw(&p->look, 60, 1000, real_ms);
    if (yes && send)
        yes = draw(&l->all, 600, 1000, real_ms);
    pthread_mutex_unlock(&l->lock);
    return yes;
}

/* By address; who has signed in shares one with nobody. */
static enum puan_status limited(const struct puan_request *rq, bool send,
                                struct puan_err *err)
{
    if (puan_tip_allowed(puan_store_state(rq->store, &puan_feature_tips),
                         rq->who.credential == PUAN_CRED_NONE ? rq->http->peer
                                                              : rq->who.name,
                         send, rq->real_now))
        return PUAN_OK;
    return puan_fail(err, PUAN_ELIMIT, "reports",
                     "too many from this address; wait a little, or report by "
                     "phone or letter");
}

/* ---- requests ------------------------------------------------------------ */

struct tip_in {
    int64_t area, household;
    struct puan_str kind, text, contact, receipt;
};

/* The flow of reports, or that of questions to the helpdesk. */
static const struct puan_flow *public_flow(struct puan_store *st, bool help)
{
    const struct puan_flows *all = puan_cases_flows(st);

    for (size_t i = 0; all != NULL && i < all->n; i++)
        if (all->flow[i]->public_kind >= 0 && all->flow[i]->public_help == help)
            return all->flow[i];
    return NULL;
}

/*
 * Areas whose office a report may be addressed to: those of the level that
 * commands, since the seats of such flows stand there.
 */
static void put_areas(struct puan_jw *w, struct puan_store *store)
{
    const struct puan_plan *plan = puan_store_plan(store);
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("command_level"));
    const struct puan_area_tree *t = puan_store_areas(store);
    int level = s && t ? puan_area_level_of(t, s->text) : -1;
    size_t left = 500;

    puan_jw_key(w, "areas");
    puan_jw_list(w);
    for (uint32_t i = 0; level >= 0 && i < t->n && left > 0; i++) {
        if (t->area[i].level != level)
            continue;
        left--;
        puan_jw_map(w);
        puan_jw_kstr(w, "code", t->area[i].digits);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* Whoever has an account chooses from all words. */
static bool offered(const struct puan_request *rq, const struct puan_flow *f,
                    size_t word)
{
    return f->public_offers == 0 || rq->who.credential != PUAN_CRED_NONE ||
           PUAN_FLOW_HAS(f->public_offers, word);
}

/* The words somebody may choose from; none when the plan has no such flow. */
static enum puan_status put_kinds(struct puan_request *rq, bool help)
{
    const struct puan_flow *f = public_flow(rq->store, help);
    const struct puan_codelist *words =
        f ? f->fields[f->public_kind].words : NULL;
    struct puan_jw *w = puan_answer_begin(rq, 200);

    puan_jw_map(w);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; words != NULL && i < words->n; i++) {
        if (!offered(rq, f, i))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "kind", words->codes[i].text);
        puan_jw_kstr(w, "zh", words->codes[i].zh);
        puan_jw_kstr(w, "en", words->codes[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "limits");
    puan_jw_map(w);
    puan_jw_kint(w, "text_bytes", f ? f->fields[f->public_text].max : 0);
    puan_jw_kint(w, "contact_bytes", f ? f->fields[f->public_contact].max : 0);
    puan_jw_end(w, '}');
    if (rq->who.credential == PUAN_CRED_NONE) /* a session's is known */
        put_areas(w, rq->store);
    else if (f != NULL)
        puan_jw_kstr(w, "flow", f->label.name);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status kinds(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    (void)v;
    (void)err;
    return put_kinds(rq, false);
}

static enum puan_status help_kinds(struct puan_request *rq, const void *v,
                                   struct puan_err *err)
{
    (void)v;
    (void)err;
    return put_kinds(rq, true);
}

struct tip {
    struct puan_case_call *call;
    struct puan_arena *arena;
    const char *hash;
    int64_t at;
};

static enum puan_status tip_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct tip *t = arg;
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_case_in(sh, db, act, t->call, err));
    TRY(puan_sql(&s, db, "INSERT INTO case_tip(id, run, at) VALUES($1, $2, $3)",
                 err));
    puan_bind_text(s, 1, puan_str_of(t->hash));
    puan_bind_int(s, 2, t->call->row.id);
    puan_bind_int(s, 3, t->at);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, t->arena);
    puan_content_int(&c, t->call->row.id);
    puan_content_int(&c, t->at);
    TRY(puan_arena_check(t->arena, err));
    return puan_cover(sh, db, act, "case_tip", puan_str_of(t->hash),
                      puan_out_view(&c), err);
}

static struct puan_node *put(struct puan_node *map, struct puan_arena *a,
                             struct puan_str key, struct puan_str text)
{
    struct puan_node *n = puan_new(a, struct puan_node);

    if (n == NULL || text.n == 0)
        return map;
    n->kind = PUAN_NODE_SCALAR;
    n->key = key;
    n->text = text;
    n->quoted = true;
    n->file = map->file;
    n->next = map->first;
    map->first = n;
    map->n++;
    return map;
}

/* A field that may be filled when it is opened; -1: there is none. */
static int open_field(const struct puan_flow *f, const char *name,
                      enum puan_flow_type type)
{
    int at = puan_flow_field(f, puan_str_of(name));

    return at >= 0 && f->fields[at].type == type &&
                   PUAN_FLOW_HAS(f->open_may | f->open_needs, at)
               ? at
               : -1;
}

/* `source: online` (an enumerator's: field), when opening takes that word. */
static void put_source(struct puan_node *map, const struct puan_flow *f,
                       const struct puan_request *rq)
{
    int at = open_field(f, "source", PUAN_FLOW_ENUM);
    const char *word =
        rq->who.credential == PUAN_CRED_DEVICE ? "field" : "online";

    for (size_t i = 0; at >= 0 && i < f->fields[at].words->n; i++)
        if (puan_str_is(f->fields[at].words->codes[i].text, word))
            put(map, rq->arena, f->fields[at].label.name, puan_str_of(word));
}

/* What lists call it: the words of its kind, nothing that was written. */
static void put_title(struct puan_node *map, const struct puan_flow *f,
                      struct puan_str kind, struct puan_arena *a)
{
    const struct puan_codelist *words = f->fields[f->public_kind].words;
    int at = open_field(f, "title", PUAN_FLOW_TEXT);

    for (size_t i = 0; at >= 0 && i < words->n; i++)
        if (puan_str_eq(words->codes[i].text, kind))
            put(map, a, f->fields[at].label.name,
                puan_str_of(puan_arena_fmt(a, "%.*s｜%.*s",
                                           PUAN_FMT(words->codes[i].zh),
                                           PUAN_FMT(words->codes[i].en))));
}

/* Who asks, and about which household: of a session only. */
static void put_asker(struct puan_node *map, const struct puan_flow *f,
                      const struct puan_request *rq, int64_t household)
{
    int who = open_field(f, "asker", PUAN_FLOW_REF);
    int about = open_field(f, "household", PUAN_FLOW_REF);

    if (rq->who.credential == PUAN_CRED_NONE)
        return;
    if (who >= 0 && rq->who.household == 0)
        put(map, rq->arena, f->fields[who].label.name,
            puan_str_of(rq->who.name));
    if (about >= 0 && household != 0)
        put(map, rq->arena, f->fields[about].label.name,
            puan_str_of(
                puan_arena_fmt(rq->arena, "%lld", (long long)household)));
}

static void state_json(struct puan_jw *w, const struct puan_flow_run *run,
                       int offset)
{
    const struct puan_flow *f = run->flow;
    int64_t due = 0;

    for (size_t i = 0; i < f->n_clocks; i++)
        if ((run->clock[i].state == PUAN_FLOW_CLOCK_RUNNING ||
             run->clock[i].state == PUAN_FLOW_CLOCK_DUE) &&
            (due == 0 || run->clock[i].due_ms < due))
            due = run->clock[i].due_ms;
    puan_jw_kstr(w, "state", f->states[run->state].name);
    puan_jw_kstr(w, "state_zh", f->states[run->state].zh);
    puan_jw_kstr(w, "state_en", f->states[run->state].en);
    puan_jw_kbool(w, "ended", PUAN_FLOW_HAS(f->terminal, run->state));
    puan_jw_kinstant(w, "received", run->opened_ms, offset);
    puan_jw_kinstant(w, "since", run->entered_ms, offset);
    if (due != 0) {
        puan_jw_kinstant(w, "due", due, offset);
    } else {
        puan_jw_key(w, "due");
        puan_jw_null(w);
    }
}

static bool blank(struct puan_str s)
{
    while (s.n > 0) {
        int32_t c = puan_utf8_next(&s);

        if (c > ' ' && c != 0x3000 && c != 0xa0)
            return false;
    }
    return true;
}

/*
 * The number of a report: by chance, or of the sender's Idempotency-Key and
 * every word of the report, so that the same one sent again after a cut line
 * gets the same number and opens nothing.
 */
static enum puan_status number_of(uint8_t chance[16], struct puan_request *rq,
                                  struct puan_err *err)
{
    struct puan_str key = rq->http->header[PUAN_H_IDEMPOTENCY_KEY];
    struct puan_out o;

    if (key.n < 16 || key.n > 128)
        return puan_os_random(chance, 16, err);
    puan_out_init(&o, rq->arena);
    puan_out_str(&o, key);
    puan_out_char(&o, '\n');
    puan_out_str(&o, rq->body);
    TRY(puan_arena_check(rq->arena, err));
    puan_keys_token_of(chance, puan_store_keys(rq->store),
                       puan_str_of(puan_store_id(rq->store)), "tip once",
                       puan_out_view(&o));
    return PUAN_OK;
}

/* The case of a receipt; 0 none. */
static enum puan_status case_of(int64_t *id, struct puan_db *db,
                                const char *hash, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *id = 0;
    TRY(puan_sql(&s, db, "SELECT run FROM case_tip WHERE id = $1", err));
    puan_bind_text(s, 1, puan_str_of(hash));
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *id = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

/* The state of a report that has come before; NULL: it has not. */
static enum puan_status before(struct puan_flow_run **run,
                               struct puan_request *rq, const char *hash,
                               struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_case_row row;
    struct puan_db *db = NULL;
    int64_t id = 0;
    enum puan_status st;

    *run = NULL;
    TRY(puan_read_begin(&db, office, err));
    st = case_of(&id, db, hash, err);
    if (st == PUAN_OK && id != 0)
        st = puan_case_read(&row, run, rq->store, db, id, rq->arena, err);
    puan_read_end(office, db);
    return st;
}

/*
 * Where it goes: the area that was named, the household's, that of the session,
 * else the installation's own.
 */
static enum puan_status place_of(int64_t *area, int64_t *household,
                                 struct puan_request *rq,
                                 const struct tip_in *in, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);

    *household = rq->who.household ? rq->who.household : in->household;
    *area = in->area;
    if (*household != 0) {
        uint32_t ea = puan_area_of_household(t, *household);

        if (ea == PUAN_AREA_NONE ||
            !puan_request_covers(rq, t->area[ea].code))
            return puan_fail(err, PUAN_EDENIED, "household",
                             "this household is not of your area; ask without "
                             "naming it");
        *area = t->area[ea].code;
    } else if (*area == 0) {
        *area = rq->who.area ? rq->who.area : puan_area_top(rq->store);
    }
    if (puan_area_find(t, *area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "no such area here; leave it out if in doubt");
    return PUAN_OK;
}

/* The fields it is opened with. */
static enum puan_status fields_of(struct puan_node **out,
                                  struct puan_request *rq,
                                  const struct puan_flow *f,
                                  const struct tip_in *in, int64_t household,
                                  struct puan_err *err)
{
    const struct puan_codelist *words = f->fields[f->public_kind].words;
    struct puan_node *map = puan_new(rq->arena, struct puan_node);

    *out = map;
    if (map == NULL)
        return puan_arena_check(rq->arena, err);
    for (size_t i = 0; i < words->n; i++)
        if (puan_str_eq(words->codes[i].text, in->kind) && !offered(rq, f, i))
            return puan_fail(err, PUAN_EINVAL, "kind",
                             "this matter is for census staff");
    map->kind = PUAN_NODE_MAP;
    map->file = "report";
    put(map, rq->arena, f->fields[f->public_kind].label.name, in->kind);
    put(map, rq->arena, f->fields[f->public_text].label.name, in->text);
    if (!blank(in->contact))
        put(map, rq->arena, f->fields[f->public_contact].label.name,
            in->contact);
    put_source(map, f, rq);
    put_title(map, f, in->kind, rq->arena);
    put_asker(map, f, rq, household);
    return puan_arena_check(rq->arena, err);
}

static enum puan_status take(struct puan_request *rq, const struct tip_in *in,
                             bool help, struct puan_err *err)
{
    const struct puan_flow *f = public_flow(rq->store, help);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_case_call *call = puan_new(rq->arena, struct puan_case_call);
    struct tip tip = { .call = call, .arena = rq->arena, .at = rq->now };
    bool own = rq->who.credential != PUAN_CRED_NONE;
    char receipt[PUAN_TIP_RECEIPT], digits[DIGITS + 1];
    uint8_t chance[16];
    struct puan_flow_run *run = NULL;
    struct puan_node *map = NULL;
    struct puan_act act;
    struct puan_jw *w;
    int64_t area, household;

    TRY(limited(rq, true, err));
    if (call == NULL)
        return puan_arena_check(rq->arena, err);
    if (f == NULL || t == NULL || t->n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "reports",
                         "this census takes no %s here",
                         help ? "questions" : "reports");
    TRY(place_of(&area, &household, rq, in, err));
    if (blank(in->text))
        return puan_fail(err, PUAN_EINVAL, "text",
                         help ? "say what the question is" : "say what happened");
    TRY(fields_of(&map, rq, f, in, household, err));
    TRY(number_of(chance, rq, err));
    puan_tip_receipt(receipt, chance);
    TRY(puan_tip_read(digits, puan_str_of(receipt), err));
    tip.hash = hash_of(rq, digits);
    call->arena = rq->arena;
    call->flow = f->label.name;
    call->subject = PUAN_STR("");
    call->area = area;
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_system();
    call->event.who.actor =
        own ? puan_str_of(rq->who.name) : PUAN_STR("public");
    call->event.fields = map;
    puan_request_act(&act, rq, PUAN_STR(""));
    if (!own) {
        act.actor = PUAN_STR("public");
        act.seat = PUAN_STR("public");
    }
    act.note = help ? PUAN_STR("question to the helpdesk")
                    : PUAN_STR("report from the public");
    TRY(before(&run, rq, tip.hash, err));
    if (run == NULL) {
        TRY(puan_commit(puan_store_office(rq->store), &act, tip_body, &tip,
                        err));
        run = call->after;
    }
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_ktext(w, "receipt", receipt);
    state_json(w, run, puan_store_plan(rq->store)->offset_minutes);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status report(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    return take(rq, in, false, err);
}

static enum puan_status ask(struct puan_request *rq, const void *in,
                            struct puan_err *err)
{
    return take(rq, in, true, err);
}

/* What the flow answers with, once it has ended. */
static void put_answer(struct puan_jw *w, const struct puan_flow_run *run)
{
    int at = run->flow->public_answer;

    if (at >= 0 && run->field[at].set &&
        PUAN_FLOW_HAS(run->flow->terminal, run->state))
        puan_jw_kstr(w, "answer", run->field[at].text);
}

/* Words of the states it has been in, and when. */
static enum puan_status put_follow(struct puan_request *rq,
                                   const struct tip_in *in, bool help,
                                   struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_case_row row;
    struct puan_flow_run *run = NULL;
    struct puan_db *db = NULL;
    char digits[DIGITS + 1];
    struct puan_jw *w;
    int64_t id = 0;
    enum puan_status st;

    TRY(limited(rq, false, err));
    TRY(puan_tip_read(digits, in->receipt, err));
    TRY(puan_read_begin(&db, office, err));
    st = case_of(&id, db, hash_of(rq, digits), err);
    if (st == PUAN_OK && id == 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "receipt",
                       "no report has this receipt number");
    if (st == PUAN_OK)
        st = puan_case_read(&row, &run, rq->store, db, id, rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && run->flow->public_help != help)
        st = puan_fail(err, PUAN_ENOTFOUND, "receipt",
                       "no %s has this receipt number",
                       help ? "question" : "report");
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    state_json(w, run, offset);
    put_answer(w, run);
    puan_jw_key(w, "passed");
    puan_jw_list(w);
    for (size_t i = 0; i < run->flow->n_transitions; i++) {
        const struct puan_flow_transition *t = &run->flow->transitions[i];

        if (run->passed[i] == 0 || t->to < 0)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "state", run->flow->states[t->to].name);
        puan_jw_kstr(w, "state_zh", run->flow->states[t->to].zh);
        puan_jw_kstr(w, "state_en", run->flow->states[t->to].en);
        puan_jw_kinstant(w, "at", run->passed_ms[i], offset);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status follow(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    return put_follow(rq, in, false, err);
}

static enum puan_status help_follow(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    return put_follow(rq, in, true, err);
}

static const struct puan_param report_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct tip_in, area), 1, INT64_MAX,
      true },
    { "kind", PUAN_PARAM_TEXT, offsetof(struct tip_in, kind), 1, 64, false },
    { "text", PUAN_PARAM_TEXT, offsetof(struct tip_in, text), 6, 6000, false },
    { "contact", PUAN_PARAM_TEXT, offsetof(struct tip_in, contact), 0, 300,
      true },
};
/* Of a session: where it goes is known; a household may be named. */
static const struct puan_param own_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct tip_in, household), 1,
      INT64_MAX, true },
    { "kind", PUAN_PARAM_TEXT, offsetof(struct tip_in, kind), 1, 64, false },
    { "text", PUAN_PARAM_TEXT, offsetof(struct tip_in, text), 6, 6000, false },
    { "contact", PUAN_PARAM_TEXT, offsetof(struct tip_in, contact), 0, 300,
      true },
};
static const struct puan_param receipt_params[] = {
    { "receipt", PUAN_PARAM_TEXT, offsetof(struct tip_in, receipt), 1, 64,
      false },
};

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/public/reports/kinds",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What can be reported", .handle = kinds },
    { .method = PUAN_POST, .path = "/c/{campaign}/public/reports",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "case.open",
      .summary = "Report a violation", .handle = report, .max_body = 16384,
      PUAN_PARAMS(report_params, struct tip_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/reports/{receipt}",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What became of a report", .handle = follow,
      PUAN_PARAMS(receipt_params, struct tip_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/questions/kinds",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What the helpdesk can be asked", .handle = help_kinds },
    { .method = PUAN_POST, .path = "/c/{campaign}/public/questions",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "case.open",
      .summary = "Ask the helpdesk", .handle = ask, .max_body = 16384,
      PUAN_PARAMS(report_params, struct tip_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/questions/{receipt}",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What became of a question", .handle = help_follow,
      PUAN_PARAMS(receipt_params, struct tip_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/help/kinds",
      .capability = "", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "What one's own helpdesk can be asked",
      .handle = help_kinds },
    { .method = PUAN_POST, .path = "/c/{campaign}/help/questions",
      .capability = "", .scope = PUAN_SCOPE_SESSION, .verb = "case.open",
      .summary = "Ask the helpdesk, signed in", .handle = ask,
      .max_body = 16384, PUAN_PARAMS(own_params, struct tip_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE case_tip(id TEXT PRIMARY KEY, run BIGINT NOT NULL,"
      " at BIGINT NOT NULL);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "case_tip", "SELECT id, run, at FROM case_tip" },
};

static enum puan_status open_tips(void **state, struct puan_store *st,
                                  struct puan_err *err)
{
    struct puan_tip_limits *l = NULL;
    enum puan_status rc = puan_tip_limits_open(&l, err);

    (void)st;
    *state = l;
    return rc;
}

static void close_tips(void *state, struct puan_store *st)
{
    (void)st;
    puan_tip_limits_close(state);
}

const struct puan_feature puan_feature_tips = {
    .name = "tips",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .open = open_tips,
    .close = close_tips,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
