/*
 * Accounts, seats, credentials and signing in (contract 8).
 *
 * A fresh directory has no account.  `puan admin first-run` makes the three
 * administrators once, different persons.  From then on the system
 * administrator makes accounts, the security administrator gives seats and
 * issues machine credentials, the audit administrator only reads.  Roles and
 * what they may do come from the plan; this feature asks the plan for
 *
 *   admin.system admin.security admin.audit   exactly one role each; no account
 *                                             may hold two of them
 *   account.create   make, disable, unlock a human account, give a new secret
 *   account.view     list accounts and seats
 *   seat.grant       give and end seats
 *   credential.issue device and household credentials in bulk, and end them
 *   metrics.view     /metrics from another machine
 *
 * Office store:
 *
 *   account(id, name, person, state, secret, secret_ms, first, totp, locked_ms)
 *       human accounts; secret is Argon2id, totp sealed (purpose "account",
 *       county 0); person: staff number or name as the office writes it
 *   account_past(id, account, secret)     the last five secrets
 *   seat(id, account, role, area, from_ms, until_ms, ended)
 *   credential_batch(id, class, role, from_ms, until_ms, n, body)
 *       machine credentials made together, one row and one ledger entry: body
 *       holds name, area, household, device and the keyed hash of each
 *   credential_ended(id, class, name)
 *
 * Returns stores:
 *
 *   household_password(household, batch, set_ms, secret)
 *       what a household chose beside its code, Argon2id; holds for the code of
 *       that batch only, so that a code issued again clears it
 *
 * Machine credentials are held in memory beside the store (about 60 bytes
 * each), so that signing in needs no SQL.  A secret is shown once, when it is
 * made, and never stored.  Sessions live in memory (host/session.h).
 *
 * Depends on: store, host, campaign (staff, listing).
 */
#ifndef PUAN_FEATURES_ACCOUNTS_ACCOUNTS_H
#define PUAN_FEATURES_ACCOUNTS_ACCOUNTS_H

#include "features/host/session.h"

extern const struct puan_feature puan_feature_accounts;

/* What `admin first-run` and bulk issuing hand out, once. */
struct puan_secret_line {
    struct puan_str name, role, secret, totp; /* totp: base32, may be empty */
    int64_t area;
};

/*
 * Length of secrets made here.  A device's is base32 of 130 bits.  A
 * household's code is 75 bits and a check character over the alphabet
 * 23456789ABCDEFGHJKLMNPQRSTUVWXYZ (no 0 O 1 I), typed in groups of four: the
 * check tells every single wrong character and every two that changed places
 * from a code that is not known.
 */
#define PUAN_DEVICE_SECRET 26
#define PUAN_HOUSEHOLD_SECRET 16

/* A device credential as it was issued; texts live as long as the store. */
struct puan_device_account {
    struct puan_str name, role;
    int64_t area;
    bool open; /* neither ended nor outside its time */
};
/* False when there is none of that name. */
bool puan_device_account(struct puan_device_account *out,
                         struct puan_store *st, struct puan_str name);
/*
 * It signs in through an enrolled device (features/devices): from now on the
 * secret of its issue opens nothing.  A later issue keeps that.
 */
void puan_device_account_bind(struct puan_store *st, struct puan_str name);
/*
 * Opens a session of it on `device`; whoever calls has seen that device's
 * secret.  `rq->who` stays as it is.
 */
PUAN_MUST_USE enum puan_status
puan_device_sign_in(char token[PUAN_TOKEN_TEXT], int64_t *idle,
                    struct puan_request *rq, struct puan_str name,
                    struct puan_str device, struct puan_err *err);

/* Has the household set a password beside its code? */
bool puan_household_protected(struct puan_store *st, int64_t household);
/* Its code: "none" issued, "open", "ended" by an office, "closed": its time is
 * over or has not come, at that time of the campaign. */
const char *puan_household_code(struct puan_store *st, int64_t household,
                                int64_t now);

/*
 * Rules for a human's password: at least 8 characters (administrators 10),
 * three of the four classes, not the account's name, not among well-known
 * ones.  EINVAL says which rule.
 */
PUAN_MUST_USE enum puan_status
puan_password_rules(struct puan_str password, struct puan_str name,
                    bool administrator, struct puan_err *err);

/*
 * How many accounts hold that role at exactly that area now (real time): a
 * seat nobody holds must not be waited for.
 */
PUAN_MUST_USE enum puan_status
puan_seat_holders(int64_t *n, struct puan_db *db, struct puan_str role,
                  int64_t area, struct puan_err *err);

/*
 * A record of this account stands no longer (features/cases): it is signed out
 * of every seat that needs a record.  What still stands lets it in again.
 */
void puan_conditions_gone(struct puan_store *st, struct puan_str account);

/*
 * Was this person's sign-in ended: a device credential of that name that was
 * ended, or human accounts whose person it is, all disabled?  Nobody who never
 * had one has lost it.
 */
PUAN_MUST_USE enum puan_status
puan_sign_in_ended(bool *ended, struct puan_store *st, struct puan_db *db,
                   struct puan_str staff, struct puan_err *err);

/*
 * A device credential given with the request itself, for clients that know no
 * session: on OK rq->who and rq->area are those of its seat, for this request
 * alone.  Counts failures as signing in does.
 *
 * EDENIED  unknown, wrong, ended or not yet valid
 * ELIMIT   too many failures under this name; the text says for how long
 */
struct puan_request;
PUAN_MUST_USE enum puan_status puan_device_enter(struct puan_request *rq,
                                                 struct puan_str name,
                                                 struct puan_str secret,
                                                 struct puan_err *err);

#endif
