/*
 * What the files of this folder share.  No other folder includes it.
 */
#ifndef PUAN_FEATURES_DEVICES_INTERNAL_H
#define PUAN_FEATURES_DEVICES_INTERNAL_H

#include <pthread.h>

#include "core/device/device.h"
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/devices/devices.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/keys.h"

#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

#define DEVICE_SECRET 26 /* base32 characters: 130 bits */
#define DEVICE_CODE 20
#define DEVICE_PIECE (64 * 1024)
#define DEVICE_UPLOADS 64 /* under way at once, of one device */
#define DEVICE_LINKS 4096 /* of one contact */
#define DAY_MS INT64_C(86400000)

enum device_state { DEVICE_ACTIVE = 1, DEVICE_REVOKED = 2, DEVICE_WIPED = 3 };
enum return_state { RETURN_ANNOUNCED = 0, RETURN_LEDGER = 1, RETURN_WAITS = 2 };

/* One device; texts live as long as the store. */
struct device {
    int64_t id;
    struct puan_str device, account, role, name;
    int64_t area;
    uint8_t sign_key[PUAN_P256_PUBLIC];
    uint8_t secret[16];
    int64_t enrolled, state, ordered, revoked, wiped;
    bool lost;
    struct puan_str reason, seat, wipe_head;
    /* as of its last contact */
    int64_t at, lease, clock, n;
    bool broken;
    uint32_t before; /* in the list below, + 1: of an account that hashes to
                        the same */
};

struct devices {
    struct puan_store *store;
    pthread_rwlock_t lock; /* of all below */
    struct puan_arena arena;
    struct device *list; /* by id - 1; where there is none, its id is 0 */
    size_t n, cap;
    uint32_t *by_account; /* hash → place in the list + 1; as long as cap */
    pthread_mutex_t upload; /* one piece at a time is written */
};

/* ---- devices.c ------------------------------------------------------------- */

struct devices *devices_of(struct puan_store *st);
/* "d370883-17" → 16, its place in the list if there is one; else SIZE_MAX. */
size_t device_place(struct puan_str device);
/* A copy of it; false when there is none. */
bool device_find(struct device *out, struct puan_store *st,
                 struct puan_str device);
/* The active one of an account. */
bool device_of_account(struct device *out, struct puan_store *st,
                       struct puan_str account);
/* The store that keeps its contacts, or NULL. */
struct puan_shard *device_shard(struct puan_store *st, const struct device *d);
/* Into memory, after its commit; texts are copied. */
PUAN_MUST_USE enum puan_status device_keep(struct puan_store *st,
                                           const struct device *d,
                                           struct puan_err *err);
/* What a contact changed. */
void device_met(struct puan_store *st, const struct device *d);
/* Inserts or updates the row, inside a body on the office store. */
PUAN_MUST_USE enum puan_status device_write(const struct device *d,
                                            struct puan_str wipe_sig,
                                            bool insert, struct puan_shard *sh,
                                            struct puan_db *db,
                                            struct puan_act *act,
                                            struct puan_arena *a,
                                            struct puan_err *err);
int64_t lease_ms(const struct puan_plan *p);
/* base64 of 32 bytes, in the arena. */
struct puan_str device_lease_key(struct puan_store *st, const struct device *d,
                                 struct puan_arena *a);
/* Inside a body: EDENIED unless the signature is the device's. */
PUAN_MUST_USE enum puan_status device_signed(const struct device *d,
                                             struct puan_str text,
                                             struct puan_str base64,
                                             struct puan_err *err);
/*
 * The device of this session.  ECONFLICT: it is of none.  EBUSY: it was
 * revoked, and that is answered: the handler returns OK.
 */
PUAN_MUST_USE enum puan_status device_of_session(struct device *out,
                                                 struct puan_request *rq,
                                                 struct puan_err *err);
/* {"status","code","detail"} and one number: 409s of contract 18. */
void device_problem(struct puan_request *rq, unsigned status, const char *code,
                    const char *detail, const char *key, int64_t value);
/* The office's keys as a map; fingerprint gets 32 digits. */
PUAN_MUST_USE enum puan_status device_office_keys(struct puan_jw *w,
                                                  char fingerprint[33],
                                                  struct puan_store *st,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);

/* ---- contact.c ------------------------------------------------------------- */

struct contact {
    const struct device *device;
    int64_t clock; /* the device's; 0 not said: from a bundle */
    uint32_t from;
    const struct puan_str *link;
    uint32_t n_links;
    struct puan_str head, signature; /* head: hexadecimal, or empty: a bundle */
    struct puan_arena *a;
    bool session; /* renews the lease */
    /* out */
    int64_t known;
    uint32_t fresh;
    uint8_t hash[PUAN_DIGEST_SIZE];
    bool gap, broken;
    int64_t lease;
};
/* Takes its links and notes the contact; gap and broken are no failures. */
PUAN_MUST_USE enum puan_status contact_take(struct contact *c,
                                            struct puan_store *st,
                                            struct puan_act *act,
                                            struct puan_err *err);

/* ---- take.c ------------------------------------------------------------------ */

struct taken {
    enum return_state state;
    struct puan_str json; /* the receipt, a JSON map, in the arena */
};
/*
 * Opens one sealed return of the device and hands it to ingest; known already,
 * it only gives the receipt again.
 *
 * EINVAL   not this device's, or it cannot be opened
 * EDENIED  a household outside the account's area   EBUSY EIO  send again
 */
PUAN_MUST_USE enum puan_status return_take(struct taken *out,
                                           struct puan_store *st,
                                           const struct device *d,
                                           struct puan_str bytes,
                                           struct puan_arena *a,
                                           struct puan_err *err);
/* The receipt of these bytes if they were taken before. */
PUAN_MUST_USE enum puan_status return_known(bool *known, struct taken *out,
                                            struct puan_store *st,
                                            const struct device *d,
                                            const struct puan_sealed *s,
                                            struct puan_arena *a,
                                            struct puan_err *err);

/* ---- listing.c ---------------------------------------------------------------- */

#define LISTING_FORM "listing"
/*
 * A household listed by the device: its answers of that form of the plan become
 * its row of the roll.  r gets the entry's place; it has no version and no
 * findings.
 *
 * EINVAL   the plan has no such form, or an answer is none
 * EDENIED  outside the account's area, or the device is not believed
 */
PUAN_MUST_USE enum puan_status listing_take(struct puan_receipt *r,
                                            struct puan_store *st,
                                            const struct device *d,
                                            bool believed, struct puan_str doc,
                                            struct puan_arena *a,
                                            struct puan_err *err);

/* ---- handlers ------------------------------------------------------------------ */

#define HANDLER(name)                                                          \
    enum puan_status name(struct puan_request *rq, const void *in,             \
                          struct puan_err *err)
HANDLER(h_field_key);
HANDLER(h_enrolment);
HANDLER(h_enrol);
HANDLER(h_device_session);
HANDLER(h_contact);
HANDLER(h_dossier);
HANDLER(h_upload);
HANDLER(h_piece);
HANDLER(h_bundle);
HANDLER(h_wipe);
/* A job: removes pieces nobody goes on with. */
enum puan_status uploads_sweep(struct puan_store *st, struct puan_err *err);
HANDLER(h_devices);
HANDLER(h_revoke);
HANDLER(h_reconciliation);
enum puan_status account_area_of(int64_t *area, struct puan_request *rq,
                                 const void *in, struct puan_err *err);
enum puan_status device_area_of(int64_t *area, struct puan_request *rq,
                                const void *in, struct puan_err *err);

struct enrolment_in {
    struct puan_str account;
};
struct enrol_in {
    struct puan_str code, name, sign_key;
};
struct device_session_in {
    struct puan_str device, secret;
};
struct contact_in {
    int64_t time, from;
    struct puan_str links, head, signature;
};
struct field_area_in {
    int64_t area, page;
    struct puan_str state, q;
};
struct upload_in {
    struct puan_str digest;
    int64_t size;
};
struct piece_in {
    struct puan_str upload;
    int64_t at;
};
struct wipe_in {
    struct puan_str device, head, signature;
    int64_t order, at;
};
struct revoke_in {
    struct puan_str device, reason;
    bool lost;
};

#endif
