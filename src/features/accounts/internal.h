/*
 * What the files of this folder share.  No other folder includes it.
 */
#ifndef PUAN_FEATURES_ACCOUNTS_INTERNAL_H
#define PUAN_FEATURES_ACCOUNTS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/host/host.h"
#include "features/host/request.h"

enum account_state { ACCOUNT_ACTIVE = 1, ACCOUNT_DISABLED = 2 };

/* ---- machine credentials (machine.c) ------------------------------------- */

struct machine {
    int64_t id; /* place in memory, from 1: the session's account */
    enum puan_credential credential;
    struct puan_str name, device;
    int64_t area, household;
    uint8_t hash[16];
    int64_t batch;
    int32_t role; /* ordinal in the plan */
    int64_t from_ms, until_ms;
    bool ended;
    bool has_password; /* household: the code alone opens nothing */
    bool bound;        /* device: only its enrolled device opens it */
};

struct machines;

PUAN_MUST_USE enum puan_status machines_open(struct machines **out,
                                             struct puan_store *st,
                                             struct puan_err *err);
void machines_close(struct machines *m);
/* A copy of one; texts live as long as the store.  False when none. */
bool machines_find(struct machine *out, struct machines *m,
                   enum puan_credential c, struct puan_str name);
/* The household whose code hashes to this. */
bool machines_find_code(struct machine *out, struct machines *m,
                        const uint8_t hash[16]);
/* From now on a password is needed beside the code of that batch. */
void machines_protect(struct machines *m, struct puan_str name, int64_t batch);
void machines_bind(struct machines *m, struct puan_str name);
size_t machines_count(struct machines *m);
/* HMAC(credential key, class ‖ 0 ‖ name ‖ 0 ‖ secret), cut to 16 bytes. */
void machine_hash(uint8_t out[16], const struct puan_store *st,
                  enum puan_credential c, struct puan_str name,
                  struct puan_str secret);

/* ---- households (household.c) ---------------------------------------------- */

/* A code: 15 random characters and one that tells typing errors. */
PUAN_MUST_USE enum puan_status
household_code_make(char out[PUAN_HOUSEHOLD_SECRET + 1], struct puan_err *err);
/* Reads the passwords of a returns store. */
PUAN_MUST_USE enum puan_status household_passwords(void *state,
                                                   struct puan_store *st,
                                                   struct puan_shard *sh,
                                                   struct puan_err *err);

/* ---- failed attempts (attempts.c) ------------------------------------------ */

struct attempts;
struct attempts *attempts_open(void);
void attempts_close(struct attempts *a);
/*
 * How long (ms) this name or source must still wait.  `peer` NULL: sources do
 * not count.
 */
int64_t attempts_wait(struct attempts *a, uint64_t name, const char *peer,
                      int64_t now);
/* One failure; true when it is the one that locks the name. */
bool attempts_failed(struct attempts *a, uint64_t name, const char *peer,
                     int64_t now, int limit, int64_t lock_ms);
void attempts_clear(struct attempts *a, uint64_t name);

/* ---- the feature's state ----------------------------------------------------- */

struct totp_step {
    int64_t account, step;
};

struct accounts {
    struct machines *machines;
    struct attempts *attempts;
    uint8_t name_key[32];
    _Atomic uint64_t signed_in, failed, locked;
    /* Where seats that need a record are signed in; NULL: nobody was yet. */
    _Atomic(struct puan_sessions *) sessions;
    pthread_mutex_t lock; /* of steps */
    struct totp_step steps[512];
};

struct accounts *accounts_of(const struct puan_request *rq);

/* ---- signing in (login.c), for household.c ----------------------------------- */

uint64_t login_name_hash(const struct accounts *a, enum puan_credential c,
                         struct puan_str name);
/* The session of a machine credential, before it is opened. */
void login_who_of_machine(struct puan_who *who, const struct puan_plan *plan,
                          enum puan_credential c, const struct machine *m);
/* Opens it and answers. */
PUAN_MUST_USE enum puan_status login_answer(struct puan_request *rq,
                                            const struct puan_who *who,
                                            bool cookie, struct puan_err *err);

/* Ordinal of a role by name, or -1. */
int32_t role_ordinal(const struct puan_plan *p, struct puan_str id);
/* Admin marker of a role: 0 none, 1 system, 2 security, 3 audit. */
int role_admin(const struct puan_role *r);
bool name_ok(struct puan_str name);
/* "role@area" */
void seat_text(char out[64], struct puan_str role, int64_t area);
/* EINVAL when the plan gives this role no seat at this area. */
PUAN_MUST_USE enum puan_status area_fits(const struct puan_request *rq,
                                         const struct puan_role *role,
                                         int64_t area, struct puan_err *err);
/* Settings of the plan with their usual values. */
int64_t idle_ms(const struct puan_plan *p, enum puan_credential c);

/* One human account as stored; texts in the arena. */
struct account_row {
    int64_t id;
    struct puan_str name, person, secret, totp; /* totp sealed; may be empty */
    int64_t state, secret_ms, first, locked_ms;
};
PUAN_MUST_USE enum puan_status account_read(struct account_row *out,
                                            struct puan_db *db, int64_t id,
                                            struct puan_str name,
                                            struct puan_arena *a,
                                            struct puan_err *err);
/* Inserts (id 0: the next) or updates and covers. */
PUAN_MUST_USE enum puan_status account_write(struct account_row *r,
                                             bool insert,
                                             struct puan_shard *sh,
                                             struct puan_db *db,
                                             struct puan_act *act,
                                             struct puan_arena *a,
                                             struct puan_err *err);

struct seat_row {
    int64_t id, account, area, from_ms, until_ms, ended;
    struct puan_str role, attested;
};
PUAN_MUST_USE enum puan_status seat_write(struct seat_row *r, bool insert,
                                          struct puan_shard *sh,
                                          struct puan_db *db,
                                          struct puan_act *act,
                                          struct puan_arena *a,
                                          struct puan_err *err);
/* Open seats of an account at `now`; *n of them in the arena. */
PUAN_MUST_USE enum puan_status seats_of(struct seat_row **out, size_t *n,
                                        struct puan_db *db, int64_t account,
                                        int64_t now, struct puan_arena *a,
                                        struct puan_err *err);

/*
 * Does every record stand that the role needs?  What a flow of the plan attests
 * must be attested of the account; what none does is in the list the granter
 * gave (NULL: it was looked at when the seat was given).  In directories born
 * `demo` the granter's word is enough.  *lacks gets the first that does not.
 */
PUAN_MUST_USE enum puan_status
seat_stands(bool *stands, struct puan_str *lacks, struct puan_store *st,
            struct puan_db *db, const struct puan_role *role,
            struct puan_str account, const struct puan_str *given,
            struct puan_err *err);
/* A flow of the plan attests it, and its word is asked for. */
bool need_by_case(struct puan_store *st, struct puan_str need);
/* Leaves out of the list the seats that do not stand; *lacks as above, of the
   seat `wanted` (0: of the first left out). */
PUAN_MUST_USE enum puan_status
seats_standing(struct seat_row *list, size_t *n, struct puan_str *lacks,
               struct puan_store *st, struct puan_db *db,
               struct puan_str account, int64_t wanted, struct puan_err *err);

/* Makes the first secret and the TOTP secret of an account. */
struct fresh_secret {
    char secret[32], totp[40]; /* base32 */
    char encoded[128];
    struct puan_str sealed_totp;
};
PUAN_MUST_USE enum puan_status secret_make(struct fresh_secret *out,
                                           struct puan_store *st,
                                           struct puan_str name,
                                           struct puan_arena *a,
                                           struct puan_err *err);
/* The TOTP secret's bytes, in the arena. */
PUAN_MUST_USE enum puan_status totp_open(struct puan_str *out,
                                         struct puan_store *st,
                                         const struct account_row *r,
                                         struct puan_arena *a,
                                         struct puan_err *err);

/* handlers */
#define HANDLER(name)                                                          \
    enum puan_status name(struct puan_request *rq, const void *in,             \
                          struct puan_err *err)
HANDLER(h_login);
HANDLER(h_login_machine);
HANDLER(h_login_household);
HANDLER(h_household_password);
HANDLER(h_logout);
HANDLER(h_session);
HANDLER(h_factor);
HANDLER(h_switch);
HANDLER(h_password);
HANDLER(h_account_create);
HANDLER(h_accounts);
HANDLER(h_account_disable);
HANDLER(h_account_unlock);
HANDLER(h_account_secret);
HANDLER(h_roster);
HANDLER(h_roster_accounts);
HANDLER(h_roles);
HANDLER(h_seat_grant);
HANDLER(h_seats);
HANDLER(h_seat_end);
HANDLER(h_issue);
HANDLER(h_credential_end);
enum puan_status seat_area_of(int64_t *area, struct puan_request *rq,
                              const void *in, struct puan_err *err);
enum puan_status credential_area_of(int64_t *area, struct puan_request *rq,
                                    const void *in, struct puan_err *err);

/* parameter structs, shared by the table and the handlers */
struct login_in {
    struct puan_str name, secret, code;
    int64_t seat;
    bool cookie;
};
struct machine_in {
    struct puan_str kind, name, secret, ticket;
};
struct household_login_in {
    struct puan_str code, password, ticket;
    bool cookie;
};
struct household_password_in {
    struct puan_str old, password;
    bool cookie;
};
struct switch_in {
    int64_t seat;
};
struct session_in {
    bool peek;
};
struct factor_in {
    struct puan_str code;
};
struct password_in {
    struct puan_str old, fresh;
};
struct account_in {
    struct puan_str name, person;
};
struct account_id_in {
    int64_t account;
    struct puan_str reason;
};
struct accounts_in {
    struct puan_page page;
};
struct roster_in {
    int64_t area, account, offset, limit;
    struct puan_str role, q, state, sort;
};
struct roster_accounts_in {
    int64_t offset, limit;
    struct puan_str q, state;
};
struct grant_in {
    struct puan_str account, role, attested;
    int64_t area, from_ms, until_ms;
};
struct seats_in {
    int64_t area;
    struct puan_page page;
};
struct seat_end_in {
    int64_t seat;
    struct puan_str handover;
};
struct issue_in {
    struct puan_str kind, role, from, list;
    int64_t area, from_ms, until_ms;
};
struct credential_in {
    struct puan_str kind, name, reason;
};

int cmd_first_run(int argc, char **argv);

#endif
