/*
 * Setting a census up: areas, the listing roll, staff and their areas,
 * registers, windows, the campaign clock.
 *
 * Imports are CSV with a header (columns as `puan simulate` writes them), all
 * rows of a file or none, one ledger entry per store touched with the file's
 * digest and row count; the same file again changes nothing.
 *
 *   office store   area(...) (features/store), staff, import
 *   returns store  listing(household, ea, building, unit, status, mode,
 *                          sealed, cells), assignment(ea, staff), register,
 *                  import
 *     listing.sealed   head's name, phone, address: purpose "vault", table
 *                      "listing", column "sealed", row key = household; varint
 *                      length and text three times
 *     listing.cells    JSON of the columns the roll has besides
 *     assignment.staff account of the EA's enumerator
 *
 * Never makes accounts: features/accounts does, from the staff table.
 */
#ifndef PUAN_FEATURES_CAMPAIGN_CAMPAIGN_H
#define PUAN_FEATURES_CAMPAIGN_CAMPAIGN_H

#include "base/digest.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_campaign;

enum puan_import_kind {
    PUAN_IMPORT_AREAS,    /* code,parent,level,name_zh,name_en,... */
    PUAN_IMPORT_LISTING,  /* household,ea,building,unit,status,mode,... */
    PUAN_IMPORT_STAFF,    /* staff,role,name,phone,area,device,certificate */
    PUAN_IMPORT_REGISTER, /* id_number,name,sex,birth,ea,district,status */
    PUAN_IMPORT_ASSIGNMENT /* ea,staff */
};

struct puan_import_result {
    enum puan_import_kind kind;
    uint64_t rows;    /* of the file */
    uint64_t written; /* 0 when the stores knew this very file */
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the file */
};

/* What a file is, told by its header; -1 when it is none of them. */
int puan_import_kind_of(struct puan_str csv);

/* "areas", "listing", ... */
const char *puan_import_name(enum puan_import_kind kind);

/*
 * Imports one file.  Everything is looked at before anything is written; the
 * message names file, line, column and remedy.  `act` names who.
 *
 * EINVAL  a row is malformed, names an unknown area, or repeats a key
 */
PUAN_MUST_USE enum puan_status
puan_import(struct puan_import_result *out, struct puan_store *st,
            enum puan_import_kind kind, struct puan_str csv, const char *file,
            bool dry_run, const struct puan_act *act, struct puan_err *err);

/* A household as its enumerator listed it at the door.  Texts borrowed. */
struct puan_listed {
    int64_t household;
    struct puan_str building, unit, status, mode;
    struct puan_str text[3]; /* head's name, phone, address: sealed here */
    struct puan_str cells;   /* JSON of the other columns of the roll */
};

/*
 * Puts it into the roll, or in its row's place; `act` names who and gets the
 * entry's number.  A row listed twice is one row and two entries.
 *
 * EINVAL  its key lies in no enumeration area, or its mode is another's
 */
PUAN_MUST_USE enum puan_status
puan_listing_put(struct puan_store *store, const struct puan_listed *l,
                 struct puan_act *act, struct puan_arena *a,
                 struct puan_err *err);

/* The account of the enumerator an EA is given to; "" nobody. */
PUAN_MUST_USE enum puan_status
puan_assigned(struct puan_str *staff, struct puan_store *st, int64_t ea,
              struct puan_arena *a, struct puan_err *err);

/* One line of the staff table. */
struct puan_staff {
    struct puan_str staff, role, name, phone, device, certificate;
    int64_t area;
};
typedef enum puan_status (*puan_staff_fn)(void *arg,
                                          const struct puan_staff *s,
                                          struct puan_err *err);
/* Everyone, in order of account name. */
PUAN_MUST_USE enum puan_status puan_staff_each(struct puan_store *st,
                                               puan_staff_fn fn, void *arg,
                                               struct puan_err *err);

#endif
