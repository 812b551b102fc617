/*
 * Persons by age and sex, area by area: counted from a frame or CSV of
 * persons or of counts, or read from a published table with one row an area.
 *
 * Does file I/O.  Everything lives in the arena of struct puan_age_data.
 */
#ifndef PUAN_FEATURES_EVALUATE_AREAS_H
#define PUAN_FEATURES_EVALUATE_AREAS_H

#include "base/arena.h"

#define PUAN_AGES 121  /* single years 0..120 */
#define PUAN_FIVES 25  /* five-year groups 0-4 … 120-124 */
#define PUAN_BY_MOST 8 /* groupings in one pass */

enum { PUAN_MALE, PUAN_FEMALE };

struct puan_age_area {
    size_t by; /* which grouping; 0 is the whole */
    struct puan_str label;
    double *single[2]; /* by completed age; NULL without single years */
    double five[2][PUAN_FIVES];
    double open[2];    /* of the open age group, not in `single` or `five` */
    double infant[2];  /* age 0 */
    double toddler[2]; /* ages 1-4 */
    double all[2];
    double unknown;   /* without sex or age, or an age beyond 120 */
    double month[12]; /* by month of birth, when asked for */
    double digit[10]; /* by last digit of the item asked for */
};

struct puan_age_data {
    struct puan_arena arena;
    struct puan_age_area *area; /* the whole first, then by grouping, in the
                                   order of labels */
    size_t n;
    struct puan_str by[PUAN_BY_MOST + 1]; /* the names; [0] empty */
    size_t n_by;
    bool single;          /* single years of age are there */
    bool infants;         /* infant and toddler are */
    unsigned closed;      /* single years that are closed */
    unsigned closed_five; /* five-year groups that are */
    bool months, digits;
    unsigned score[2], myers[2]; /* ages the scores are over */
    uint64_t rows;               /* read */
};

struct puan_age_options {
    const char *const *path;
    size_t n_paths;
    const char *age, *sex;     /* items */
    const char *male, *female; /* texts of the sexes; "1" and "2" */
    const char *count; /* item with the number of persons a row stands for */
    const char *birth_month, *digit; /* items whose distribution is looked at */
    const char *entity;              /* NULL: the one that has the age */
    const char *by[PUAN_BY_MOST];    /* "ITEM,ITEM" or "NAME=ITEM,ITEM" */
    size_t n_by;
    const char *wide;  /* prefixes of a table's columns, "m_,f_": m_0, m_1_4,
                          m_5_9 … m_85p; by[] are its label columns */
    const char *where; /* "ITEM=VALUE" or "ITEM!=VALUE", NULL: all rows */
    int open;          /* age that stands for itself and all above; -1: none */
    bool five;         /* ages are lower limits of five-year groups */
    unsigned score[2]; /* ages of the UN's scores; 0 0: the textbook's 10-69 */
    unsigned myers[2]; /* of Myers' index; 0 0: 23-82 */
    unsigned threads;
    bool quiet;
};

/*
 * EINVAL     a cell that is no count, columns that do not follow one another
 * ENOTFOUND  no such item or column
 */
PUAN_MUST_USE enum puan_status
puan_age_data_load(struct puan_age_data *out, const struct puan_age_options *o,
                   struct puan_err *err);
void puan_age_data_clear(struct puan_age_data *d);

#endif
