/*
 * What meets an office on the busiest evening: tablets that bring a day's
 * returns and households that fill in, each by the requests its app makes
 * (contract 18; web/field, web/household), over lines that break.
 *
 * Each script remembers what it was promised, so that the books can be held
 * against the stores afterwards.  Test code: never part of the product.
 */
#ifndef PUAN_BENCH_FIELD_H
#define PUAN_BENCH_FIELD_H

#include "core/device/device.h"
#include "crowd.h"
#include "kit/crypto/p256.h"
#include "load.h"

enum field_kind {
    K_DEVICE_SIGN_IN,
    K_CONTACT,
    K_UPLOAD,
    K_PIECE,
    K_CAMPAIGN,
    K_DOSSIER,
    K_SIGN_IN,          /* a household, by its code */
    K_SIGN_IN_PASSWORD, /* by code and password: Argon2id */
    K_PASSWORD,         /* sets it */
    K_QUEUE,
    K_ME,
    K_FORM,
    K_DRAFT_READ,
    K_DRAFT,
    K_RETURN,
    K_DRAFT_END,
    K_SIGN_OUT,
    FIELD_KINDS
};
extern const char *const field_kind_names[FIELD_KINDS];

struct field {
    struct load_options load;
    const char *campaign; /* its id */
    struct puan_p256 *office, *receipts;
    uint16_t key_id;
    unsigned returns;     /* of a tablet */
    int64_t pause_ms;     /* between two savings of a household's draft */
    unsigned saves;       /* of a draft before it is sent */
    int64_t ask_again_ms; /* in the line; 0: as the server says */
    unsigned many;        /* households at most inside, 0: not bounded */
    /* what happened */
    unsigned sent, wrong; /* returns with a receipt; answers that ought not be */
    int64_t inside, most_inside, waited, places_grew;
    char why[240];        /* the first of `wrong` */
};

struct tablet {
    struct crowd_actor actor;
    struct field *f;
    char device[PUAN_DEVICE_NAME_MAX + 1], secret[40], token[48];
    struct puan_p256 *sign;
    int64_t ea;             /* its area */
    const int64_t *household;
    unsigned n, at, had;    /* returns, the one being sent, receipts */
    struct puan_str *sealed;
    uint8_t (*digest)[PUAN_DIGEST_SIZE];
    char upload[96];
    size_t have;
    /* the chain */
    struct puan_arena arena;
    uint8_t head[PUAN_DIGEST_SIZE];
    uint32_t links, known, cap;
    struct puan_str *link;
    int stage;
};

struct family {
    struct crowd_actor actor;
    struct field *f;
    int64_t household;
    char code[24], token[48], ticket[40];
    int64_t rev, place;
    unsigned saved;
    bool protected_, second, in, delivered;
    int stage;
    struct family *next; /* takes its seat when it leaves */
};

/*
 * Makes the campaign (born a drill: as live, but with a clock that can be set),
 * issues `n_tablets` device and `n_families` household credentials through the
 * office's routes and enrols each tablet by its code; then nothing is open.
 * The tablets' households are the first of their areas, the families' follow.
 */
PUAN_MUST_USE enum puan_status field_prepare(struct field *f,
                                             struct tablet *tablet,
                                             unsigned n_tablets,
                                             struct family *family,
                                             unsigned n_families,
                                             struct puan_err *err);
/*
 * Holds the stores against the books and says what differs; how many do.
 * `counts`: what the reconciliation page tells the offices (ledger, waiting,
 * on a device, unknown), in `ms`.
 */
unsigned field_books(struct field *f, const struct tablet *tablet,
                     unsigned n_tablets, const struct family *family,
                     unsigned n_families, int64_t counts[4], double *ms);

void tablet_begin(struct tablet *t, struct crowd *c, int64_t ms);
void tablet_end(struct tablet *t);
void family_begin(struct family *m, struct crowd *c, int64_t ms);

/* An answer that no script expects; the first one is kept in words. */
void field_wrong(struct field *f, const struct crowd_actor *a,
                 const struct crowd_reply *r, const char *who);

#endif
