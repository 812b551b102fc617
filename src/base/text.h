/*
 * Borrowed text, UTF-8, numbers to text and back.
 *
 * struct puan_str borrows bytes and is not terminated; whoever lent them owns
 * them.
 *
 * Depends on: status.  Allocates nothing.
 */
#ifndef PUAN_BASE_TEXT_H
#define PUAN_BASE_TEXT_H

#include <stdarg.h>

#include "base/mem.h"
#include "base/status.h"

struct puan_str {
    const char *p;
    size_t n;
};

#define PUAN_STR(lit) ((struct puan_str){ (lit), sizeof(lit) - 1 })
/* For printf-like formats: "%.*s", PUAN_FMT(s). */
#define PUAN_FMT(s) ((int)(s).n), (s).p

struct puan_str puan_str_of(const char *cstr); /* NULL gives the empty text */
bool puan_str_eq(struct puan_str a, struct puan_str b);
bool puan_str_is(struct puan_str a, const char *cstr);
int puan_str_cmp(struct puan_str a, struct puan_str b); /* by bytes */
/* The same, and `s` holds `part`, whatever the case of Latin letters. */
bool puan_str_same(struct puan_str a, struct puan_str b);
bool puan_str_holds(struct puan_str s, struct puan_str part);
bool puan_str_starts(struct puan_str s, const char *prefix);
struct puan_str puan_str_trim(struct puan_str s); /* ASCII white space */

/*
 * Splits at the first `sep`: *head before it, *rest after it; false when s is
 * used up (s.p == NULL).
 */
bool puan_str_split(struct puan_str *head, struct puan_str *rest, char sep);

/* Whole text is valid UTF-8: no overlong form, surrogate or code > 10FFFF. */
bool puan_utf8_valid(struct puan_str s);
/* Next code point, advancing *s; -1 at the end or on an invalid byte. */
int32_t puan_utf8_next(struct puan_str *s);
/* Writes 1-4 bytes, returns how many. */
size_t puan_utf8_put(char out[4], uint32_t code);
/* Code points in a valid text. */
size_t puan_utf8_length(struct puan_str s);

/*
 * The whole text as a decimal number: optional '-', digits, no other byte.
 * False on an empty text, another character, or overflow.
 */
bool puan_int_parse(int64_t *out, struct puan_str s);
/*
 * A fixed decimal with at most `places` decimals, scaled: "3.5" with places 2
 * is 350.  False as above or when there are more decimals.
 */
bool puan_fixed_parse(int64_t *out, struct puan_str s, unsigned places);

/*
 * Formats as snprintf does for %s %.*s %d %u %ld %lu %lld %llu %zu %c %x %%
 * (width, '0' and '-' flags), always terminated; returns the length that a
 * large enough buffer would hold.  Works without a C library.
 */
size_t puan_format(char *out, size_t cap, const char *fmt, ...)
    PUAN_PRINTF(3, 4);
size_t puan_vformat(char *out, size_t cap, const char *fmt, va_list ap);

/* Lower-case hexadecimal; out holds 2n + 1 bytes. */
void puan_hex(char *out, const uint8_t *p, size_t n);
/* n bytes from 2n digits of either case; false on another length or digit. */
bool puan_unhex(uint8_t *out, size_t n, struct puan_str s);

#endif
