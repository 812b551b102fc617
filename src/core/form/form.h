/*
 * Form definitions: entities (the household, its rosters), items, code lists.
 * One definition yields storage types, screens, exports and the names rules
 * may use.
 *
 * A definition never changes once loaded; it lives in the arena it was loaded
 * into.  Depends on: base.
 */
#ifndef PUAN_CORE_FORM_FORM_H
#define PUAN_CORE_FORM_FORM_H

#include "base/digest.h"
#include "base/node.h"

enum puan_zone { PUAN_ZONE_FRAME, PUAN_ZONE_TEXT, PUAN_ZONE_VAULT };

enum puan_item_type {
    PUAN_TYPE_CODE,   /* one of a code list */
    PUAN_TYPE_INT,    /* min..max */
    PUAN_TYPE_FIXED,  /* scaled by 10^places */
    PUAN_TYPE_MONTH,  /* calendar.h month */
    PUAN_TYPE_DATE,   /* calendar.h day */
    PUAN_TYPE_AREA,   /* area code as a number, digits in `digits` */
    PUAN_TYPE_TEXT,   /* no value; state only */
    PUAN_TYPE_NAME,   /* vault text with name facts */
    PUAN_TYPE_CITIZEN_ID,
    PUAN_TYPE_PHONE,
    PUAN_TYPE_POINT,  /* vault text "lat,lon" */
    PUAN_TYPE_FACT    /* derived; never in a document */
};

struct puan_code {
    int64_t value;
    struct puan_str text; /* as written in documents: "01" */
    struct puan_str zh, en;
};

struct puan_codelist {
    struct puan_str name;
    const struct puan_code *codes; /* ascending by value */
    size_t n;
};

struct puan_item {
    struct puan_str name;  /* "D3" */
    struct puan_str alias; /* long form C3: "D3"; empty if none */
    struct puan_str zh, en;
    enum puan_item_type type;
    enum puan_zone zone;
    const struct puan_codelist *codes; /* PUAN_TYPE_CODE */
    int64_t min, max;
    unsigned places, digits;
    struct puan_str asked_if; /* expression; empty: always asked */
    const struct puan_node *at; /* where it was defined */
    const struct puan_codelist *reasons; /* for missing; may be NULL */
    bool required;
    int fact_of; /* PUAN_TYPE_FACT: item index it derives from, else -1 */
};

struct puan_entity {
    struct puan_str name; /* "household", "person", "death" */
    struct puan_str zh, en;
    bool roster;      /* rows 0..max_rows; else exactly one row */
    uint32_t max_rows;
    const struct puan_item *items; /* facts stand behind the asked items */
    uint16_t n_items, n_asked;
};

#define PUAN_FORM_ENTITIES 6

struct puan_form {
    struct puan_str id; /* "short" */
    struct puan_str zh, en;
    uint16_t ordinal;   /* within the plan; part of the record encoding */
    const struct puan_entity *entity; /* [0] is the household or unit */
    uint16_t n_entities;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the definition's canonical text */
    int64_t reference_month;          /* of the campaign, for facts */
};

/*
 * Reads one form from its plan tree.  Code lists named but not defined in the
 * file are looked up in `lists` (may be NULL).  The message names file, line,
 * column, key and remedy.
 *
 * EINVAL  unknown key or type, name twice, code list missing, ...
 */
PUAN_MUST_USE enum puan_status
puan_form_load(struct puan_form **out, const struct puan_node *tree,
               const struct puan_node *lists,
               const struct puan_digest_fn *digest, struct puan_arena *a,
               struct puan_err *err);

/* Index of an entity or item by name (items also by alias), or -1. */
int puan_form_entity(const struct puan_form *f, struct puan_str name);
int puan_entity_item(const struct puan_entity *e, struct puan_str name);
/* The code with that value or text, or NULL. */
const struct puan_code *puan_code_by_value(const struct puan_codelist *l,
                                           int64_t value);
const struct puan_code *puan_code_by_text(const struct puan_codelist *l,
                                          struct puan_str text);

#endif
