/*
 * A return in memory, its canonical encoding, and how it is read from a
 * document.  See doc/contracts.md 1, 2 and 4.
 *
 * Depends on: form.  Does no I/O, reads no clock.
 */
#ifndef PUAN_CORE_FORM_RECORD_H
#define PUAN_CORE_FORM_RECORD_H

#include "base/json.h"
#include "core/form/form.h"

enum puan_state {
    PUAN_NOT_ASKED = 0,
    PUAN_GIVEN = 1,
    PUAN_MISSING = 2, /* value: reason code, 0 none stated */
    PUAN_INVALID = 3
};

/* Row-major: item i of row r is at [r * n_items + i]. */
struct puan_rows {
    uint32_t n;
    int64_t *v;
    uint8_t *st;
    struct puan_str *txt; /* text and vault items as given; else empty */
};

struct puan_record {
    const struct puan_form *form;
    struct puan_rows rows[PUAN_FORM_ENTITIES];
};

/* Everything about a return that is not an answer. */
struct puan_return_head {
    int64_t household; /* key, contract 1 */
    uint32_t base;     /* version the sender had read */
    struct puan_str form;
    struct puan_str device;
    uint64_t counter;
    struct puan_str mode; /* "enumerator", "self", "office-estimate" */
    int64_t started_ms, finished_ms;
    bool is_signed;
    struct puan_str query; /* id of the query answered; may be empty */
};

/*
 * Reads a document's head and answers.  An answer of the wrong type becomes
 * INVALID with its text kept (a finding, not an error); an unknown key, a
 * wrong shape or a row beyond max_rows is an error naming the path
 * ("person[3].D5").  The record borrows from `json` and `a`.  Facts are not
 * filled: call puan_record_facts.
 */
PUAN_MUST_USE enum puan_status
puan_record_read(struct puan_record *out, struct puan_return_head *head,
                 const struct puan_form *const *forms, size_t n_forms,
                 struct puan_str json, struct puan_arena *a,
                 struct puan_err *err);

/* Fills the fact columns from the vault texts. */
void puan_record_facts(struct puan_record *r);

/* Canonical frame bytes (asked items), fact bytes, vault bytes. */
void puan_record_encode(struct puan_out *frame, struct puan_out *facts,
                        struct puan_out *vault, const struct puan_record *r);

/*
 * Back from frame and fact bytes; vault may be empty (texts stay empty, states
 * are as encoded).  EINVAL on any damaged byte.
 */
PUAN_MUST_USE enum puan_status
puan_record_decode(struct puan_record *out, const struct puan_form *form,
                   struct puan_str frame, struct puan_str facts,
                   struct puan_str vault, struct puan_arena *a,
                   struct puan_err *err);

/* The answers part of a document again (vault texts only if present). */
void puan_record_json(struct puan_jw *w, const struct puan_record *r);

#endif
