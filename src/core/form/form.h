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
    PUAN_TYPE_CODE,  /* one of a code list */
    PUAN_TYPE_INT,   /* min..max */
    PUAN_TYPE_FIXED, /* scaled by 10^places */
    PUAN_TYPE_MONTH, /* calendar.h month */
    PUAN_TYPE_DATE,  /* calendar.h day */
    PUAN_TYPE_AREA,  /* area code as a number, digits in `digits` */
    PUAN_TYPE_TEXT,  /* no value; state only */
    PUAN_TYPE_NAME,  /* vault text with name facts */
    PUAN_TYPE_CITIZEN_ID,
    PUAN_TYPE_PHONE,
    PUAN_TYPE_POINT, /* vault text "lat,lon" */
    PUAN_TYPE_FACT   /* derived; never in a document */
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
    bool numeric; /* every text is its value's plain decimal form */
    bool dense;   /* codes[i].value == codes[0].value + i */
};

/* Where a reader takes an item from when the document does not give it. */
enum puan_from {
    PUAN_FROM_ANSWER,
    PUAN_FROM_KEY,     /* household key: an area's digits at its front, or the
                          last key_digits of it; a document may only repeat it */
    PUAN_FROM_MODE,    /* head: mode, a code of the item's list */
    PUAN_FROM_SIGNED,  /* head: 1 signed, 2 not */
    PUAN_FROM_SECONDS, /* head: finished - started */
    PUAN_FROM_START,   /* head: started, minutes after local midnight */
    PUAN_FROM_DEVICE   /* head: a number of 15 digits that stands for the
                          device's name */
};

/* What a PUAN_TYPE_FACT item holds; its name is "X." and the word here. */
enum puan_fact {
    PUAN_FACT_NONE,
    PUAN_FACT_ID_CHECK,    /* id_check: enum puan_id_check (core/codes) */
    PUAN_FACT_ID_MONTH,    /* id_month: a month */
    PUAN_FACT_ID_SEX,      /* id_sex: 1 male 2 female */
    PUAN_FACT_ID_REGION,   /* id_region: 6 digits as a number */
    PUAN_FACT_NAME_LENGTH, /* name_length: code points */
    PUAN_FACT_NAME_CLASS,  /* name_class: enum puan_name_class */
    PUAN_FACT_PHONE_CLASS, /* phone_class: enum puan_phone_class */
    PUAN_FACT_WORD,        /* word: class of the word it holds, 0 none */
    PUAN_FACT_NUMBER_CHECK, /* number_check: enum puan_number_check */
    PUAN_FACT_NUMBER_PART  /* NAME of a part of the scheme */
};

struct puan_scheme; /* scheme.h */

struct puan_item {
    struct puan_str name;  /* "D3" */
    struct puan_str alias; /* long form C3: "D3"; empty if none */
    struct puan_str zh, en;
    enum puan_item_type type;
    enum puan_zone zone;
    const struct puan_codelist *codes; /* PUAN_TYPE_CODE */
    int64_t min, max;
    unsigned places, digits;
    struct puan_str asked_if;            /* expression; empty: always asked */
    const struct puan_node *at;          /* where it was defined */
    const struct puan_codelist *reasons; /* for missing; may be NULL */
    bool required;
    bool identifies; /* the same value twice is the same person: tokens */
    int fact_of; /* PUAN_TYPE_FACT: item index it derives from, else -1 */
    enum puan_fact fact;
    uint16_t part; /* PUAN_FACT_NUMBER_PART: which of the scheme */
    const struct puan_scheme *scheme;  /* text: a number with check characters */
    const struct puan_codelist *words; /* text, name: words to look for */
    struct puan_str group; /* heading it stands under, "para"; may be empty */
    enum puan_from from;
    unsigned key_digits; /* PUAN_FROM_KEY: how many, of its end (int) or
                            front (area) */
};

/* Item names and aliases of one entity: a hash without collisions. */
struct puan_names {
    uint32_t seed, mask;
    const uint16_t *slot; /* item index + 1; 0: empty */
};

struct puan_entity {
    struct puan_str name; /* "household", "person", "death" */
    struct puan_str zh, en;
    bool roster; /* rows 0..max_rows; else exactly one row */
    uint32_t max_rows;
    const struct puan_item *items; /* facts stand behind the asked items */
    uint16_t n_items, n_asked;
    struct puan_names names;
    const struct puan_node *at;
};

#define PUAN_FORM_ENTITIES 6

struct puan_form {
    struct puan_str id; /* "short" */
    struct puan_str zh, en;
    uint16_t ordinal; /* within the plan; part of the record encoding */
    const struct puan_entity *entity; /* [0] is the household or unit */
    uint16_t n_entities;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the definition's canonical text */
    /* Set by who loads the plan, like ordinal: */
    int64_t reference_month; /* of the campaign, for facts; 0: none */
    unsigned key_width;      /* digits of a household key; 0: 18 */
    int offset_minutes;      /* local time from UTC */
    const struct puan_codelist *const *lists; /* all lists the form uses */
    size_t n_lists;
    const struct puan_str *test_words; /* names nobody has: "test" */
    size_t n_test_words;
};

/*
 * Everything that is wrong with a plan, not only the first thing.  A reader
 * that has a place to put them goes on after a failure where it can.
 */
struct puan_problem {
    const char *file; /* terminated */
    uint32_t line, col;
    const char *text; /* terminated; names the remedy */
    const struct puan_problem *next;
};
struct puan_problems {
    struct puan_arena *arena;
    const struct puan_problem *first;
    struct puan_problem *last;
    size_t n;
    size_t max; /* no more than this are kept; 0: 200 */
};
/* Adds what err holds and clears it, so that reading can go on. */
void puan_problem_take(struct puan_problems *p, struct puan_err *err);

/*
 * Reads one form from its plan tree (doc/plan.md "Forms").  Code lists named
 * but not defined in the file are looked up in `lists`, a map from list name
 * to list (may be NULL).  The message names file, line, column, key and
 * remedy.  `digest` may be NULL: the form's digest stays zero.
 *
 * EINVAL  unknown key or type, name twice, code list missing, ...
 */
PUAN_MUST_USE enum puan_status
puan_form_load(struct puan_form **out, const struct puan_node *tree,
               const struct puan_node *lists,
               const struct puan_digest_fn *digest, struct puan_arena *a,
               struct puan_err *err);
/* The same, with every failure it can find added to `problems`. */
PUAN_MUST_USE enum puan_status puan_form_load_all(
    struct puan_form **out, const struct puan_node *tree,
    const struct puan_node *lists, const struct puan_digest_fn *digest,
    struct puan_problems *problems, struct puan_arena *a, struct puan_err *err);

/*
 * One code list from its node.
 *
 * EINVAL  a value or text twice, a text that is no number without `value:`
 */
PUAN_MUST_USE enum puan_status puan_codelist_load(struct puan_codelist **out,
                                                  const struct puan_node *list,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);

/* Index of an entity or item by name (items also by alias), or -1. */
int puan_form_entity(const struct puan_form *f, struct puan_str name);
int puan_entity_item(const struct puan_entity *e, struct puan_str name);
/*
 * A code written as a whole number that is not its value, NULL when there is
 * none.  With one (a column of ages in which somebody wrote 3O, so that 18 is
 * the first text and not eighteen) a code must not be taken for a number.
 */
const struct puan_code *
puan_codes_misread(const struct puan_codelist *l); /* l may be NULL */
/* The code with that value or text, or NULL. */
const struct puan_code *puan_code_by_value(const struct puan_codelist *l,
                                           int64_t value);
const struct puan_code *puan_code_by_text(const struct puan_codelist *l,
                                          struct puan_str text);

#endif
