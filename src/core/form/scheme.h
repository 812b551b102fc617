/*
 * Numbers with check characters (credit codes, licences, identity cards of any
 * country) and words to look for in a text, both as a plan describes them.
 *
 * A scheme: so many characters of an alphabet, some of which check others.
 * The value of a character is its place in the alphabet; with
 * S = sum of value x weight over the characters a check covers, the check
 * character is marks[(modulus - S mod modulus) mod modulus].  ISO 7064 calls
 * this a pure system; GB 32100, GB 11714 and GB 11643 are of this kind.
 *
 * Depends on: form, codes.  Does no I/O; lives in the arena it was read into.
 */
#ifndef PUAN_CORE_FORM_SCHEME_H
#define PUAN_CORE_FORM_SCHEME_H

#include "core/form/form.h"

#define PUAN_SCHEME_LENGTH 40 /* most characters of a number */

struct puan_scheme_check {
    unsigned at, from, length; /* 1-based: the check; what it covers */
    struct puan_str alphabet, marks;
    const uint16_t *weights; /* length of them */
    unsigned modulus;
};

/* Some characters of the number as a fact of its own. */
struct puan_scheme_part {
    struct puan_str name, zh, en;
    unsigned from, length;
    unsigned digits;                   /* a region code: length, else 0 */
    const struct puan_codelist *codes; /* looked up by its text, or NULL */
};

struct puan_scheme {
    struct puan_str name;
    unsigned length;
    struct puan_str alphabet;
    const struct puan_scheme_check *check;
    size_t n_checks;
    const struct puan_scheme_part *part;
    size_t n_parts;
};

/* The fact number_check: the first that fails counts. */
enum puan_number_check {
    PUAN_NUMBER_OK = 0,
    PUAN_NUMBER_LENGTH = 1,
    PUAN_NUMBER_CHARACTER = 2,
    PUAN_NUMBER_DIGIT = 3 /* the first check; the second is 4, ... */
};

/* Finds a code list by the name or map in `n`; ctx is the caller's. */
typedef enum puan_status (*puan_scheme_list_fn)(const struct puan_codelist **out,
                                                void *ctx,
                                                const struct puan_node *n,
                                                struct puan_err *err);
/*
 * EINVAL  a place outside the number, weights that do not fit, an alphabet with
 *         a character twice or not of ASCII, marks fewer than the modulus
 */
PUAN_MUST_USE enum puan_status puan_scheme_load(struct puan_scheme **out,
                                                const struct puan_node *n,
                                                puan_scheme_list_fn list,
                                                void *ctx, struct puan_arena *a,
                                                struct puan_err *err);

/* The number as it is compared and hashed: puan_mark_normal of core/codes. */
int64_t puan_scheme_verdict(const struct puan_scheme *s, struct puan_str text);
/*
 * Value of part `i` of a number: by its code list, as a decimal number when it
 * has `digits`, else as a number in the base of the alphabet.  False when the
 * characters are malformed or no code of the list.
 */
bool puan_scheme_value(int64_t *out, const struct puan_scheme *s, size_t i,
                       struct puan_str text);

/*
 * The class of the word of `words` that a text holds; 0 when it holds none.
 * The labels of each code, both languages, are its words, several apart by
 * '|'.  Of several words the one that ends last counts, of those the longest:
 * in "cement trade" the trade.  Capitals and small letters are the same.
 */
int64_t puan_words_find(const struct puan_codelist *words, struct puan_str text);

#endif
