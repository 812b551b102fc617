/*
 * Households: a code from a letter and a password of their own.
 *
 * The code alone signs in until a password is set; from then on both are
 * needed.  Nothing here can tell a password: an office that is asked issues the
 * code anew, which ends the password with it.  Failed passwords lock the
 * household, not its code's neighbours; a wrong code locks nobody, because
 * nobody guesses 75 bits.
 */
#include "core/area/area.h"
#include "features/accounts/internal.h"
#include "features/queue/queue.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define LEAST 6
#define MOST_BYTES 128

/* ---- the code -------------------------------------------------------------------- */

static const char readable[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/* Product in GF(32), polynomial x^5 + x^2 + 1. */
static unsigned gf_mul(unsigned a, unsigned b)
{
    unsigned p = 0;

    for (int i = 0; i < 5; i++) {
        if (b & 1)
            p ^= a;
        b >>= 1;
        a <<= 1;
        if (a & 32)
            a ^= 37;
    }
    return p;
}

/*
 * The check character makes sum(c[i] * 2^(n-1-i)) zero in GF(32).  The powers
 * of 2 differ for up to 31 places, so that one wrong character, or two that
 * changed places, never go unseen.
 */
static unsigned check_of(const uint8_t *c, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = gf_mul(sum, 2) ^ c[i];
    return sum;
}

enum puan_status household_code_make(char out[PUAN_HOUSEHOLD_SECRET + 1],
                                     struct puan_err *err)
{
    const size_t n = PUAN_HOUSEHOLD_SECRET;
    uint8_t c[PUAN_HOUSEHOLD_SECRET];
    enum puan_status st = puan_os_random(c, n - 1, err);

    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i + 1 < n; i++)
        c[i] &= 31;
    c[n - 1] = (uint8_t)gf_mul(check_of(c, n - 1), 2);
    for (size_t i = 0; i < n; i++)
        out[i] = readable[c[i]];
    out[n] = 0;
    puan_os_wipe(c, sizeof(c));
    return PUAN_OK;
}

/* As typed: blanks, hyphens and case do not count. */
static size_t code_read(char out[PUAN_HOUSEHOLD_SECRET + 1], struct puan_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == ' ' || c == '-' || c == '\t')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (n < PUAN_HOUSEHOLD_SECRET)
            out[n] = c;
        n++;
    }
    out[n < PUAN_HOUSEHOLD_SECRET ? n : PUAN_HOUSEHOLD_SECRET] = 0;
    return n;
}

static bool code_checks(const char *code)
{
    uint8_t c[PUAN_HOUSEHOLD_SECRET];

    for (size_t i = 0; i < PUAN_HOUSEHOLD_SECRET; i++) {
        const char *at = strchr(readable, code[i]);

        if (!at)
            return false;
        c[i] = (uint8_t)(at - readable);
    }
    return check_of(c, PUAN_HOUSEHOLD_SECRET) == 0;
}

/* ---- the password as stored --------------------------------------------------------- */

struct password_row {
    int64_t household, batch, set_ms;
    struct puan_str secret;
    struct puan_arena *arena;
};

static enum puan_status write_password(struct puan_shard *sh,
                                       struct puan_db *db,
                                       struct puan_act *act, void *arg,
                                       struct puan_err *err)
{
    struct password_row *k = arg;
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st =
        puan_sql(&s, db,
                 "INSERT INTO household_password(household, batch, set_ms,"
                 " secret) VALUES ($1, $2, $3, $4) ON CONFLICT(household)"
                 " DO UPDATE SET batch = excluded.batch,"
                 " set_ms = excluded.set_ms, secret = excluded.secret",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, k->household);
    puan_bind_int(s, 2, k->batch);
    puan_bind_int(s, 3, k->set_ms);
    puan_bind_text(s, 4, k->secret);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&o, k->arena);
    puan_content_int(&o, k->batch);
    puan_content_int(&o, k->set_ms);
    puan_content_text(&o, k->secret);
    st = puan_arena_check(k->arena, err);
    if (st != PUAN_OK)
        return st;
    return puan_cover_id(sh, db, act, "household_password", k->household,
                         puan_out_view(&o), err);
}

/* "" when none holds for the code of this batch. */
static enum puan_status read_password(const char **out, struct puan_store *store,
                                      int64_t household, int64_t batch,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_household(store, household);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status st;

    *out = "";
    if (!sh)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "has no store");
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT secret FROM household_password WHERE household = $1"
                  " AND batch = $2",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, household);
        puan_bind_int(s, 2, batch);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK && more)
        *out = puan_arena_dup(a, puan_col_text(s, 0));
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

enum puan_status household_passwords(void *state, struct puan_store *store,
                                     struct puan_shard *sh,
                                     struct puan_err *err)
{
    struct accounts *a = state;
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more;
    enum puan_status st;

    (void)store;
    if (puan_shard_ordinal(sh) == 0)
        return PUAN_OK;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db, "SELECT household, batch FROM household_password",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        char name[24];

        puan_format(name, sizeof(name), "%lld", (long long)puan_col_int(s, 0));
        machines_protect(a->machines, puan_str_of(name), puan_col_int(s, 1));
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

bool puan_household_protected(struct puan_store *st, int64_t household)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);
    struct machine m;
    char name[24];

    puan_format(name, sizeof(name), "%lld", (long long)household);
    return a &&
           machines_find(&m, a->machines, PUAN_CRED_HOUSEHOLD,
                         puan_str_of(name)) &&
           m.has_password;
}

const char *puan_household_code(struct puan_store *st, int64_t household,
                                int64_t now)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);
    struct machine m;
    char name[24];

    puan_format(name, sizeof(name), "%lld", (long long)household);
    if (!a || !machines_find(&m, a->machines, PUAN_CRED_HOUSEHOLD,
                             puan_str_of(name)))
        return "none";
    if (m.ended)
        return "ended";
    return now < m.from_ms || (m.until_ms && now >= m.until_ms)
               ? "closed"
               : "open";
}

/* ---- trying it ---------------------------------------------------------------------- */

/* Names of its own: what is tried at login/machine locks no password. */
static uint64_t lock_name(const struct accounts *a, int64_t household)
{
    char name[40];

    puan_format(name, sizeof(name), "password of %lld", (long long)household);
    return login_name_hash(a, PUAN_CRED_HOUSEHOLD, puan_str_of(name));
}

static void answer_locked(struct puan_request *rq, int64_t wait_ms)
{
    int64_t seconds = wait_ms / 1000 + 1;

    puan_answer_header(rq, "Retry-After",
                       puan_arena_fmt(rq->arena, "%lld", (long long)seconds));
    puan_answer_problem(rq, 429, "locked",
                        puan_arena_fmt(rq->arena,
                                       "too many wrong passwords; try again in "
                                       "%lld s, or ask the office for a new "
                                       "code",
                                       (long long)seconds));
}

/*
 * True when it is the password; false when it has been answered (wrong,
 * locked) or *st says why not.
 */
static bool password_right(struct puan_request *rq, enum puan_status *st,
                           const struct machine *m, struct puan_str password,
                           struct puan_err *err)
{
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint64_t key = lock_name(a, m->household);
    int64_t wait = attempts_wait(a->attempts, key, NULL, rq->real_now);
    int64_t lock = puan_plan_number(plan, "login_lock", 15 * 60000);
    struct puan_err why = { 0 };
    const char *encoded;

    *st = PUAN_OK;
    if (wait) {
        answer_locked(rq, wait);
        return false;
    }
    *st = read_password(&encoded, rq->store, m->household, m->batch, rq->arena,
                        err);
    if (*st != PUAN_OK)
        return false;
    if (puan_password_check(encoded, password, &why) == PUAN_OK) {
        attempts_clear(a->attempts, key);
        return true;
    }
    atomic_fetch_add(&a->failed, 1);
    if (attempts_failed(a->attempts, key, NULL, rq->real_now,
                        (int)puan_plan_number(plan, "login_attempts", 5),
                        lock)) {
        atomic_fetch_add(&a->locked, 1);
        answer_locked(rq, lock);
        return false;
    }
    puan_answer_problem(rq, 401, "password-wrong",
                        "this is not the household's password");
    return false;
}

static enum puan_status code_refused(struct puan_request *rq, unsigned status,
                                     const char *code, const char *detail)
{
    puan_answer_problem(rq, status, code, detail);
    return PUAN_OK;
}

HANDLER(h_login_household)
{
    const struct household_login_in *p = in;
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_sessions *sessions = puan_host_sessions(rq->host);
    char code[PUAN_HOUSEHOLD_SECRET + 1];
    struct puan_who who;
    struct machine m = { 0 };
    uint8_t hash[16];
    size_t n = code_read(code, p->code);
    enum puan_status st;

    if (n == 0)
        return code_refused(rq, 400, "code-empty", "the code is empty");
    if (n != PUAN_HOUSEHOLD_SECRET)
        return code_refused(rq, 400, "code-length", "a code has 16 characters");
    if (!code_checks(code))
        return code_refused(rq, 400, "code-check",
                            "a character is wrong or two changed places");
    machine_hash(hash, rq->store, PUAN_CRED_HOUSEHOLD, PUAN_STR(""),
                 puan_str_of(code));
    puan_os_wipe(code, sizeof(code));
    if (!machines_find_code(&m, a->machines, hash) || m.ended || m.role < 0 ||
        m.from_ms > rq->now || (m.until_ms && m.until_ms <= rq->now)) {
        atomic_fetch_add(&a->failed, 1);
        return code_refused(rq, 401, "code-unknown", "no such code is in use");
    }
    /*
     * Before the costly password: whoever waits costs next to nothing.  Who is
     * inside, by another phone or by an answer that was lost, has its place.
     */
    if (!puan_session_has(sessions, PUAN_CRED_HOUSEHOLD, m.id) &&
        !puan_queue_pass(rq, p->ticket))
        return PUAN_OK;
    login_who_of_machine(&who, plan, PUAN_CRED_HOUSEHOLD, &m);
    if (m.has_password) {
        if (!p->password.n)
            return code_refused(rq, 403, "password-needed",
                                "the household has set a password");
        if (!puan_request_costly(rq))
            return PUAN_OK;
        if (!password_right(rq, &st, &m, p->password, err))
            return st;
    } else {
        /* The code is a first secret (contract 8). */
        who.must_change = strcmp(puan_store_birth(rq->store), "demo") != 0;
    }
    puan_session_end_untouched(sessions, PUAN_CRED_HOUSEHOLD, m.id);
    st = login_answer(rq, &who, p->cookie, err);
    if (st == PUAN_OK)
        puan_queue_in(rq, p->ticket);
    return st;
}

/* ---- setting it ---------------------------------------------------------------------- */

static size_t characters(struct puan_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* "111111", "123456", "fedcba" */
static bool one_run(struct puan_str s)
{
    int step = s.n > 1 ? s.p[1] - s.p[0] : 0;

    if (step < -1 || step > 1)
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] - s.p[i - 1] != step)
            return false;
    return true;
}

/* Everything else this household has open ends; the writer's own is new. */
static enum puan_status start_anew(struct puan_request *rq,
                                   const struct household_password_in *p,
                                   struct puan_err *err)
{
    struct puan_who who = rq->who;

    who.must_change = false;
    puan_session_end_account(puan_host_sessions(rq->host), PUAN_CRED_HOUSEHOLD,
                             who.account, 0);
    return login_answer(rq, &who, p->cookie, err);
}

HANDLER(h_household_password)
{
    const struct household_password_in *p = in;
    struct accounts *a = accounts_of(rq);
    struct password_row row = { .household = rq->who.household,
                                .set_ms = rq->real_now,
                                .arena = rq->arena };
    struct puan_shard *sh;
    char encoded[PUAN_PASSWORD_MAX];
    struct machine m;
    struct puan_act act;
    enum puan_status st;

    if (rq->who.credential != PUAN_CRED_HOUSEHOLD || !rq->who.household)
        return PUAN_EDENIED;
    sh = puan_store_shard_of_household(rq->store, rq->who.household);
    if (!sh || !machines_find(&m, a->machines, PUAN_CRED_HOUSEHOLD,
                              puan_str_of(rq->who.name)))
        return puan_fail(err, PUAN_ENOTFOUND, "household", "has no code");
    if (characters(p->password) < LEAST)
        return code_refused(rq, 400, "password-short",
                            "at least 6 characters are wanted");
    if (p->password.n > MOST_BYTES)
        return code_refused(rq, 400, "password-long",
                            "at most 128 bytes are taken");
    if (one_run(p->password))
        return code_refused(rq, 400, "password-simple",
                            "one character repeated, or a run of following "
                            "ones, is guessed at once");
    if (!puan_request_costly(rq))
        return PUAN_OK;
    if (m.has_password) {
        if (!p->old.n)
            return code_refused(rq, 403, "password-needed",
                                "give the present password, too");
        if (!password_right(rq, &st, &m, p->old, err))
            return st;
    }
    st = puan_password_hash(encoded, p->password, err);
    if (st != PUAN_OK)
        return st;
    row.batch = m.batch;
    row.secret = puan_str_of(encoded);
    puan_request_act(&act, rq, puan_str_of(rq->who.name));
    st = puan_commit(sh, &act, write_password, &row, err);
    puan_os_wipe(encoded, sizeof(encoded));
    if (st != PUAN_OK)
        return st;
    machines_protect(a->machines, m.name, m.batch);
    return start_anew(rq, p, err);
}
