/*
 * The XPath that XLSForms are written in, as a tree: ${name}, paths, literals,
 * operators, calls.  Reads what people write: typographic quotes, names with
 * hyphens and dots, `*` and `div` by where they stand.
 *
 * Depends on: base.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_XLSFORM_XPATH_H
#define PUAN_CORE_XLSFORM_XPATH_H

#include "base/arena.h"

enum puan_xp_kind {
    PUAN_XP_NUMBER, /* text: as written */
    PUAN_XP_STRING, /* text: without its quotes */
    PUAN_XP_SELF,   /* . */
    PUAN_XP_REF,    /* text: the last name of ${name} or a path */
    PUAN_XP_CALL,   /* text: its name; arguments below */
    PUAN_XP_OR,
    PUAN_XP_AND,
    PUAN_XP_EQ,
    PUAN_XP_NE,
    PUAN_XP_LT,
    PUAN_XP_LE,
    PUAN_XP_GT,
    PUAN_XP_GE,
    PUAN_XP_ADD,
    PUAN_XP_SUB,
    PUAN_XP_MUL,
    PUAN_XP_DIV,
    PUAN_XP_MOD,
    PUAN_XP_NEG
};

struct puan_xp {
    enum puan_xp_kind kind;
    struct puan_str text;
    struct puan_str group; /* of a path: the step before its last; or empty */
    bool filtered;         /* a path with a predicate, or behind instance() */
    uint32_t n;            /* arguments or operands */
    struct puan_xp *first, *next;
};

#define PUAN_XP_BYTES 16384 /* of an expression */
#define PUAN_XP_DEPTH 60

/*
 * The tree of one expression; its texts borrow from `text`.  The error says at
 * which character (col) and what was expected.
 *
 * EINVAL  not an expression   ELIMIT  longer or deeper than the bounds
 */
PUAN_MUST_USE enum puan_status puan_xp_parse(struct puan_xp **out,
                                             struct puan_str text,
                                             struct puan_arena *a,
                                             struct puan_err *err);

#endif
