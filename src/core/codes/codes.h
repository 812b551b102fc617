/*
 * Identity numbers, names and phones: what can be told of them without any
 * register.  The citizen ID is the 18-character number of GB 11643.
 *
 * Depends on: base.  Does no I/O, reads no clock: the reference day comes in.
 */
#ifndef PUAN_CORE_CODES_CODES_H
#define PUAN_CORE_CODES_CODES_H

#include "base/calendar.h"

/* Contract 4, in the order they are looked at: the first that fails counts. */
enum puan_id_check {
    PUAN_ID_OK = 0,
    PUAN_ID_LENGTH = 1,    /* not 18 characters (15: an abolished number) */
    PUAN_ID_CHARACTER = 2, /* 1-17 not digits, 18 not a digit or X */
    PUAN_ID_DATE = 3,      /* 7-14 no day of the calendar from 1800 on */
    PUAN_ID_AFTER = 4,     /* born on or after the reference day */
    PUAN_ID_DIGIT = 5      /* check character wrong */
};

struct puan_id_parts {
    enum puan_id_check check;
    bool has_region, has_birth, has_sex; /* those characters are well formed */
    int64_t region;                      /* 6 digits */
    int64_t birth_day, birth_month;      /* calendar.h */
    int sex;                             /* 1 male 2 female, by the 17th */
};

/*
 * The number as it is compared, stored and hashed: white space at the ends and
 * a leading apostrophe (of spreadsheets) gone, full-width digits and letters
 * made ASCII, x and the Cyrillic letters that look like it made X.  O is not
 * made 0.  Returns the length; a text that does not fit in cap - 1 bytes gives
 * cap (and so can be no valid number).  out is terminated.
 */
size_t puan_id_normal(char *out, size_t cap, struct puan_str text);

/* Normalises and checks. ref_day: the first day after which no birth counts. */
void puan_id_parse(struct puan_id_parts *out, struct puan_str text,
                   int64_t ref_day);
/* The 18th character for the first 17; 0 when one is no digit. */
char puan_id_check_char(const char digits17[17]);
/* An abolished 15-digit number in its 18-character form; false if malformed. */
bool puan_id_from15(char out[19], struct puan_str text);

enum puan_name_class {
    PUAN_NAME_ORDINARY = 0,
    PUAN_NAME_NO_LETTER = 1, /* empty, or only digits, signs and spaces */
    PUAN_NAME_TEST_WORD = 2  /* one of the form's test words */
};
/* Trims ASCII and ideographic spaces; code points of the rest. */
struct puan_str puan_name_trim(struct puan_str text);
enum puan_name_class puan_name_class(struct puan_str text,
                                     const struct puan_str *test_words,
                                     size_t n);

enum puan_phone_class {
    PUAN_PHONE_ORDINARY = 0,
    PUAN_PHONE_LENGTH = 1,    /* under 5 or over 15 digits */
    PUAN_PHONE_CHARACTER = 2, /* other than digits and + - ( ) space */
    PUAN_PHONE_SAME = 3       /* one digit all along */
};
enum puan_phone_class puan_phone_class(struct puan_str text);

/*
 * Numbers read from a card and typed by strangers: capitals and digits of an
 * alphabet of 31 without 0 O 1 I L, the last one a check character.  Value of
 * a character is its place in the alphabet; the sum of value times 3^(places
 * to its right) leaves 1 when divided by 31 (a pure system as in ISO 7064, of
 * modulus 31 and radix 3).  Every wrong character and every exchange of two
 * characters up to 30 places apart is found.
 */
#define PUAN_MARK_ALPHABET "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
/*
 * As typed, made comparable: capitals, full-width characters made ASCII; white
 * space, hyphens and middle dots left out.  Returns the length; a text that
 * does not fit in cap - 1 bytes gives cap.  out is terminated.
 */
size_t puan_mark_normal(char *out, size_t cap, struct puan_str text);
/* The check character of a number without it; 0: not of the alphabet. */
char puan_mark_check_char(struct puan_str body);
/* Its last character is right.  Expects a normal form. */
bool puan_mark_ok(struct puan_str text);

#endif
