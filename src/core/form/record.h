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
    struct puan_str query;   /* id of the query answered; may be empty */
    struct puan_str confirm; /* JSON of the list "confirm" (core/edit) */
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

/*
 * The reader's rules, in full.  A scalar's text counts, quoted or not: 1 and
 * "1" are the same answer.  {"missing":"refused"} names a code of the item's
 * reasons, {"missing":""} and null state none.  Months are "2020-11", days
 * "2020-11-01", areas all their digits, points "lat,lon".  Keys of rows are
 * item names or aliases.  Items with `from` are filled from the household key
 * and the head; a document that gives one of the key's may only repeat it.
 * Absent items are NOT_ASKED; routing (core/plan/routing.h)
 * turns those that should have been asked into MISSING.
 */

/*
 * One answer from its text, the same way for documents and CSV cells.  Gives
 * the state (GIVEN or INVALID; MISSING on an empty text) and the value.
 */
enum puan_state puan_item_parse(int64_t *value, const struct puan_item *item,
                                struct puan_str text);
/* The text of a given value as a document writes it; "" for text items. */
const char *puan_item_text(const struct puan_item *item, int64_t value,
                           struct puan_arena *a);

/* An empty record with room for n[e] rows in each entity, all NOT_ASKED. */
PUAN_MUST_USE enum puan_status
puan_record_new(struct puan_record *out, const struct puan_form *form,
                const uint32_t *n, struct puan_arena *a, struct puan_err *err);
/* Sets one cell from its text, as the reader does. */
void puan_record_set(struct puan_record *r, uint16_t entity, uint32_t row,
                     uint16_t item, struct puan_str text);
/* Fills the items of PUAN_FROM_KEY. The reader has done it. */
void puan_record_key(struct puan_record *r, int64_t household);
/* Fills what is still NOT_ASKED from mode, times and signature. The same. */
void puan_record_head(struct puan_record *r, const struct puan_return_head *h);

/*
 * Fills the fact columns from the vault texts.  A fact is GIVEN where its text
 * is given (id_month, id_sex and id_region only where those characters are
 * well formed, else INVALID), otherwise in the state of its item.
 */
void puan_record_facts(struct puan_record *r);

/*
 * Canonical frame bytes (asked items), fact bytes, vault bytes.
 *
 *   frame, facts  u8 1 . form ordinal varint . per entity: row count varint,
 *                 then per row: the states, 2 bits each, low bits first, and
 *                 then a zigzag varint for each GIVEN item that has a value
 *                 (not text, not vault) and each MISSING one (its reason)
 *   vault         u8 1 . per text kept: entity, row, item, length varints,
 *                 UTF-8; ascending
 *
 * Only encode a record whose values suit its form (read, set, decoded).
 */
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

/*
 * The answers part of a document again, as keys "answers", "person", ... of
 * the map that is open in w.  A given vault item whose text is not there is
 * {"sealed":true}; an invalid one {"invalid":true}.
 */
void puan_record_json(struct puan_jw *w, const struct puan_record *r);

#endif
