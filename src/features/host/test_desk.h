/*
 * For unit tests of features only: one campaign at a time, `fix`, and short
 * names for what is asked of it over HTTP, so that a test reads as a story of
 * its seats.  Never part of a program.
 *
 * desk_county makes a campaign of plans/cn-population-2020, born demo, on
 * 2 November 2020, 8:00 Beijing time, with county 370883 and its townships
 * 370883001 and 370883002, and puts a server before it; puan_fix_end(fix) ends
 * it.  `json` is written with ' for ".
 *
 * Depends on: test_fixture.
 */
#ifndef PUAN_FEATURES_HOST_TEST_DESK_H
#define PUAN_FEATURES_HOST_TEST_DESK_H

#include "features/host/test_fixture.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1604275200000) /* 2020-11-02T08:00:00+08:00 */
#define TOWN 370883001
#define COUNTY 370883

extern struct puan_fix *fix;

/* `suite` is "sm" or "intl"; the one without a server leaves `fix` alone. */
void desk_county(const char *url, const char *suite);
struct puan_fix *desk_county_store(const char *url, const char *suite);

/* `name` signs in at a seat, his second factor given now; the token. */
const char *seat(const char *name, const char *role, int64_t area);
/* The status; the reply is fix->reply. */
unsigned call(const char *token, const char *method, const char *path,
              const char *json);
/* A call with that status, or the test fails. */
void must(unsigned status, const char *token, const char *method,
          const char *path, const char *json);

/* ---- of the last reply --------------------------------------------------- */

bool says(const char *text);
const struct puan_node *tree(void);
/* Whether n's `key` is that text. */
bool is(const struct puan_node *n, const char *key, const char *value);
/* The item of the list of->list whose `key` is `value`; there must be one. */
const struct puan_node *in(const struct puan_node *of, const char *list,
                           const char *key, const char *value);

#endif
