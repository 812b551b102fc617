/*
 * Calendar arithmetic on numbers; never reads a clock.
 */
#include "base/calendar.h"

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013):
 * days_from_civil and civil_from_days, eras of 400 years from 1 March. */
int64_t puan_day_of(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

void puan_day_split(int64_t day, int *year, int *month, int *mday)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int m = (int)(mp < 10 ? mp + 3 : mp - 9);

    *mday = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = m;
    *year = (int)(yoe + era * 400 + (m <= 2));
}

bool puan_day_exists(int year, int month, int day)
{
    static const int length[] = { 31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= length[month - 1] + (month == 2 && leap);
}

int puan_weekday(int64_t day)
{
    int64_t w = (day + 3) % 7; /* 1970-01-01 was a Thursday */

    return (int)(w < 0 ? w + 7 : w) + 1;
}

/* n digits at s.p + at. */
static bool number(int *out, struct puan_str s, size_t at, size_t n)
{
    int v = 0;

    if (at + n > s.n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}

bool puan_day_parse(int64_t *day, struct puan_str s)
{
    int y, m, d;

    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !number(&y, s, 0, 4) ||
        !number(&m, s, 5, 2) || !number(&d, s, 8, 2) ||
        !puan_day_exists(y, m, d))
        return false;
    *day = puan_day_of(y, m, d);
    return true;
}

bool puan_month_parse(int64_t *month, struct puan_str s)
{
    int y, m;

    if (s.n != 7 || s.p[4] != '-' || !number(&y, s, 0, 4) ||
        !number(&m, s, 5, 2) || y < 1800 || y > 2199 || m < 1 || m > 12)
        return false;
    *month = (int64_t)y * 12 + m - 1;
    return true;
}

bool puan_instant_parse(int64_t *ms, struct puan_str s)
{
    int h, mi, sec, milli = 0, oh = 0, om = 0;
    int64_t day;
    size_t at = 19;
    int sign = 1;

    if (s.n < 20 || (s.p[10] != 'T' && s.p[10] != 't') || s.p[13] != ':' ||
        s.p[16] != ':' ||
        !puan_day_parse(&day, (struct puan_str){ s.p, 10 }) ||
        !number(&h, s, 11, 2) || !number(&mi, s, 14, 2) ||
        !number(&sec, s, 17, 2) || h > 23 || mi > 59 || sec > 59)
        return false;
    if (s.p[at] == '.') {
        if (!number(&milli, s, at + 1, 3))
            return false;
        at += 4;
    }
    if (at >= s.n)
        return false;
    if (s.p[at] == 'Z' || s.p[at] == 'z') {
        at++;
    } else if (s.p[at] == '+' || s.p[at] == '-') {
        if (!number(&oh, s, at + 1, 2) || at + 3 >= s.n || s.p[at + 3] != ':' ||
            !number(&om, s, at + 4, 2) || oh > 23 || om > 59)
            return false;
        sign = s.p[at] == '-' ? -1 : 1;
        at += 6;
    }
    if (at != s.n)
        return false;
    *ms = ((day * 24 + h) * 60 + mi - (int64_t)sign * (oh * 60 + om)) * 60000 +
          (int64_t)sec * 1000 + milli;
    return true;
}

void puan_day_text(char out[11], int64_t day)
{
    int y, m, d;

    puan_day_split(day, &y, &m, &d);
    puan_format(out, 11, "%04d-%02d-%02d", y, m, d);
}

void puan_month_text(char out[8], int64_t month)
{
    puan_format(out, 8, "%04d-%02d", (int)(month / 12), (int)(month % 12) + 1);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void puan_instant_text(char out[32], int64_t ms, int offset_minutes)
{
    int64_t local = ms + (int64_t)offset_minutes * 60000;
    int64_t day = floor_div(local, 86400000), rest = local - day * 86400000;
    int off = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    int y, m, d;

    puan_day_split(day, &y, &m, &d);
    puan_format(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", y, m,
                d, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                (int)(rest / 1000 % 60), (int)(rest % 1000),
                offset_minutes < 0 ? '-' : '+', off / 60, off % 60);
}

int64_t puan_instant_day(int64_t ms, int offset_minutes)
{
    return floor_div(ms + (int64_t)offset_minutes * 60000, 86400000);
}

int64_t puan_instant_month(int64_t ms, int offset_minutes)
{
    int y, m, d;

    puan_day_split(puan_instant_day(ms, offset_minutes), &y, &m, &d);
    return (int64_t)y * 12 + m - 1;
}

int puan_age_at(int64_t birth_month, int64_t ref_month)
{
    int64_t by = floor_div(birth_month, 12), ry = floor_div(ref_month, 12);

    return (int)(ry - by - (birth_month - by * 12 >= ref_month - ry * 12));
}
