/*
 * Dates, months and instants as numbers, in the proleptic Gregorian calendar.
 *
 *   day      days since 1970-01-01
 *   month    year * 12 + month - 1 ("1980-03" is 23762)
 *   instant  milliseconds since 1970-01-01T00:00:00Z
 *
 * Never reads a clock: the time comes in as an argument.
 * Depends on: text.
 */
#ifndef PUAN_BASE_CALENDAR_H
#define PUAN_BASE_CALENDAR_H

#include "base/text.h"

int64_t puan_day_of(int year, int month, int day);
void puan_day_split(int64_t day, int *year, int *month, int *mday);
bool puan_day_exists(int year, int month, int day);
/* 1 Monday ... 7 Sunday (ISO 8601). */
int puan_weekday(int64_t day);

/* "YYYY-MM-DD", exactly. */
bool puan_day_parse(int64_t *day, struct puan_str s);
/* "YYYY-MM", exactly; years 1800-2199. */
bool puan_month_parse(int64_t *month, struct puan_str s);
/* RFC 3339: "2020-11-01T00:00:00+08:00", optional .sss, 'Z' allowed. */
bool puan_instant_parse(int64_t *ms, struct puan_str s);

void puan_day_text(char out[11], int64_t day);
void puan_month_text(char out[8], int64_t month);
/* RFC 3339 with milliseconds at the given offset from UTC in minutes. */
void puan_instant_text(char out[32], int64_t ms, int offset_minutes);

/* The day and month an instant falls in, at an offset from UTC. */
int64_t puan_instant_day(int64_t ms, int offset_minutes);
int64_t puan_instant_month(int64_t ms, int offset_minutes);

/*
 * Completed years at the first moment of `ref_month` for someone born in
 * `birth_month` (the day being unknown, a birth in the reference month is
 * after the reference moment and gives the same as the month before, less
 * one year): year(ref) - year(birth) - (birth month >= ref month).
 */
int puan_age_at(int64_t birth_month, int64_t ref_month);

#endif
