/*
 * Every index of one area, by name, with what chance alone would give; and the
 * bands they are judged by.
 *
 * Depends on: core/evaluate.  The reader of bands does file I/O.
 */
#ifndef PUAN_FEATURES_EVALUATE_INDICES_H
#define PUAN_FEATURES_EVALUATE_INDICES_H

#include "features/evaluate/areas.h"

enum puan_measure {
    PUAN_M_PERSONS,
    PUAN_M_SEX_RATIO,
    PUAN_M_SEX_RATIO_0,
    PUAN_M_INFANTS, /* age 0, four times, by ages 1-4 */
    PUAN_M_SHARE_0_14,
    PUAN_M_SHARE_65,
    PUAN_M_WHIPPLE,
    PUAN_M_WHIPPLE_0,
    PUAN_M_WHIPPLE_5,
    PUAN_M_MYERS,
    PUAN_M_BACHI,
    PUAN_M_SPOORENBERG,
    PUAN_M_AGE_RATIO_M,
    PUAN_M_AGE_RATIO_F,
    PUAN_M_SEX_SCORE,
    PUAN_M_UN,
    PUAN_M_DAS_GUPTA,
    PUAN_M_SEX_JUMP, /* largest change of the sex ratio from group to group */
    PUAN_M_MONTHS,   /* months of birth: half the sum of deviations from 1/12 */
    PUAN_M_DIGITS,   /* last digits: likewise from 1/10 */
    PUAN_MEASURES
};

struct puan_measure_name {
    const char *name; /* column of CSV, key of JSON */
    const char *zh, *en;
    int places;
    bool
        chance; /* se is what it differs from its floor by chance, on average */
};
extern const struct puan_measure_name puan_measure_names[PUAN_MEASURES];

struct puan_measured {
    bool given;
    double value;
    double se;         /* standard error, or by chance; 0: not known */
    unsigned from, to; /* ages used, 0 0: all */
};

enum puan_verdict {
    PUAN_JUDGE_NONE,
    PUAN_JUDGE_GOOD,
    PUAN_JUDGE_NOTE,
    PUAN_JUDGE_ALARM
};

struct puan_band {
    enum puan_measure measure;
    struct puan_str by; /* grouping it holds for; empty: every area */
    double limit[4];    /* alarm below, note below, note above, alarm above;
                           NAN: none */
    double least;       /* persons needed to be judged */
    struct puan_str source;
};
struct puan_bands {
    struct puan_band *band;
    size_t n;
};

/* out[PUAN_MEASURES]; digit[10]: Myers' blended shares, month[12], last[10] in
   per cent (each may be NULL). */
void puan_measure_area(struct puan_measured *out, double *digit,
                       const struct puan_age_area *a,
                       const struct puan_age_data *d);

/*
 * measure,by,alarm_below,note_below,note_above,alarm_above,least,source
 *
 * EINVAL  a name that is no measure, limits that do not rise
 */
PUAN_MUST_USE enum puan_status puan_bands_load(struct puan_bands *out,
                                               const char *path,
                                               struct puan_arena *a,
                                               struct puan_err *err);

/*
 * A value beyond a limit by less than what chance allows (1.96 standard
 * errors) is judged by the limit it is surely beyond.  *band is the one used.
 */
enum puan_verdict puan_judge(const struct puan_band **band,
                             const struct puan_bands *b, enum puan_measure m,
                             const struct puan_measured *v, struct puan_str by,
                             double persons);

#endif
