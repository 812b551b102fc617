/*
 * Durations as written in plans, and office time: hours that count only while
 * an office works.  Never reads a clock.
 */
#include "core/flow/flow.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)

bool puan_flow_duration(int64_t *ms, struct puan_str s)
{
    int64_t n, unit;

    if (s.n < 2)
        return false;
    switch (s.p[s.n - 1]) {
    case 's':
        unit = 1000;
        break;
    case 'm':
        unit = MINUTE_MS;
        break;
    case 'h':
        unit = 60 * MINUTE_MS;
        break;
    case 'd':
        unit = DAY_MS;
        break;
    default:
        return false;
    }
    s.n--;
    if (!puan_int_parse(&n, s) || n < 0 || n > 10 * 366 * 24 * 3600)
        return false;
    *ms = n * unit;
    return true;
}

static bool listed(const int64_t *days, size_t n, int64_t day)
{
    for (size_t i = 0; i < n; i++)
        if (days[i] == day)
            return true;
    return false;
}

static bool works(const struct puan_office_hours *h, int64_t day)
{
    if (listed(h->workdays, h->n_workdays, day))
        return true;
    if (listed(h->holidays, h->n_holidays, day))
        return false;
    return (h->weekdays >> (unsigned)(puan_weekday(day) - 1)) & 1U;
}

int64_t puan_office_add(const struct puan_office_hours *h, int64_t from,
                        int64_t ms)
{
    int64_t day = puan_instant_day(from, h->offset_minutes);
    int64_t left = ms;

    /* Ten years of days bound the walk when a calendar never works. */
    for (int i = 0; i < 3660; i++, day++) {
        int64_t midnight = day * DAY_MS - h->offset_minutes * MINUTE_MS;
        int64_t opens = midnight + h->from_minute * MINUTE_MS;
        int64_t closes = midnight + h->to_minute * MINUTE_MS;
        int64_t at = from > opens ? from : opens;

        if (!works(h, day) || at >= closes)
            continue;
        if (left <= closes - at)
            return at + left;
        left -= closes - at;
    }
    return from + ms;
}
