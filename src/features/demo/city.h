/*
 * The simulated field: what puan simulate wrote (features/simulate/README.md),
 * read back as documents that enumerators and households send.
 *
 * A field is opened per county.  Its files are mapped and indexed by household
 * once (about 60 bytes a household); a document is made when it is sent.
 *
 * Knows files and documents only: it never opens a store.
 */
#ifndef PUAN_FEATURES_DEMO_CITY_H
#define PUAN_FEATURES_DEMO_CITY_H

#include "base/out.h"
#include "core/form/form.h"
#include "kit/sheet/sheet.h"

#define PUAN_CITY_ROSTERS PUAN_FORM_ENTITIES

/* One household's visit, in order of the county's household keys. */
struct puan_visit {
    int64_t household, ea;
    int64_t finished_ms;
    uint64_t counter;
    struct puan_str mode, staff, device, started, finished;
    bool is_signed;
    struct puan_sheet_mark at[PUAN_CITY_ROSTERS]; /* before its first row */
    uint32_t rows[PUAN_CITY_ROSTERS];             /* its rows there */
};

struct puan_city; /* one county's folder */

/*
 * `form` names the files: its first entity's name and each roster's, ".csv".
 * A roster without file has no rows.
 *
 * EINVAL  a file is malformed or its households are not in the visits' order
 */
PUAN_MUST_USE enum puan_status puan_city_open(struct puan_city **out,
                                              const char *folder,
                                              const struct puan_form *form,
                                              struct puan_err *err);
void puan_city_close(struct puan_city *c);

size_t puan_city_n(const struct puan_city *c);
const struct puan_visit *puan_city_visit(const struct puan_city *c, size_t i);
/* By household key, or NULL. */
const struct puan_visit *puan_city_find(const struct puan_city *c,
                                        int64_t household);

/* One thread's readers over the county's files. */
struct puan_city_reader {
    const struct puan_city *city;
    struct puan_sheet *sheet[PUAN_CITY_ROSTERS];
};
PUAN_MUST_USE enum puan_status
puan_city_reader_open(struct puan_city_reader *r, const struct puan_city *c,
                      struct puan_err *err);
void puan_city_reader_close(struct puan_city_reader *r);

/* What to send; base, device and counter differ between first and later ones. */
struct puan_sending {
    uint32_t base;
    struct puan_str device;
    uint64_t counter;
    struct puan_str query; /* id of the query answered; may be empty */
    struct puan_str mode;  /* empty: as the visit was */
    struct puan_str confirm; /* JSON: soft findings it stands by; may be empty */
};

/* Writes the document (contract 1). */
PUAN_MUST_USE enum puan_status
puan_city_document(struct puan_out *out, struct puan_city_reader *r,
                   const struct puan_visit *v, const struct puan_sending *s,
                   struct puan_err *err);

/* Persons on the household's form: rows of the first roster. */
uint32_t puan_visit_persons(const struct puan_visit *v);

#endif
