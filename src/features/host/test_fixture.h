/*
 * For unit tests of features only: a small campaign in a temporary directory,
 * on either engine, and what several tests do with it.  A step that fails
 * fails the test, naming the call.  Never part of a program.
 *
 * One fixture is one directory.  puan_fix_begin names it, _create and _open
 * make and open the store, _serve puts a host and a client before it, and
 * puan_fix_end takes down whatever is up and removes the directory.
 *
 * Where a file tests one directory at a time, test_desk.h has short names.
 *
 * Depends on: cmocka, kit/http, store, campaign, ingest, cases, lots, host.
 */
#ifndef PUAN_FEATURES_HOST_TEST_FIXTURE_H
#define PUAN_FEATURES_HOST_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/flow.h"
#include "features/campaign/campaign.h"
#include "features/host/host.h"
#include "features/host/session.h"
#include "features/ingest/ingest.h"
#include "features/lots/lots.h"
#include "features/store/store.h"
#include "kit/http/client.h"

/* A call that must succeed; it takes the `err` this gives it. */
#define ok(call)                                                               \
    do {                                                                       \
        struct puan_err err_ = { 0 }, *err = &err_;                            \
        enum puan_status got_ = (call);                                        \
        if (got_ != PUAN_OK)                                                   \
            fail_msg("%s: %s: %s:%u: %s", #call, puan_status_name(got_),       \
                     err_.where, err_.line, err_.text);                        \
    } while (0)

struct puan_fix {
    struct puan_arena a;
    const char *root; /* temporary, removed at the end */
    const char *dir;  /* the campaign's, inside root */
    struct puan_store_options opt;
    struct puan_store *st; /* may be NULL: closed by the test */
    struct puan_host *host;
    struct puan_http_client *client;
    const char *headers; /* of the next puan_fix_calls; may be NULL */
    struct puan_http_reply reply; /* to the last puan_fix_call */
    struct puan_err err; /* of the last call that may be refused */
    struct puan_lot lot; /* of the last puan_fix_accept */
    unsigned counter;    /* of the documents sent by puan_fix_send */
};

/*
 * The engines to test on: SQLite (NULL), and PostgreSQL when PUAN_TEST_PG
 * names one.  Returns how many.
 */
size_t puan_fix_engines(const char *url[2]);

/* ---- the store (test_fixture.c) ------------------------------------------ */

struct puan_fix *puan_fix_begin(const char *url);
void puan_fix_create(struct puan_fix *f, const char *birth, const char *pack,
                     const char *suite);
void puan_fix_open(struct puan_fix *f);
void puan_fix_close(struct puan_fix *f); /* the store only */
void puan_fix_reopen(struct puan_fix *f);
void puan_fix_end(struct puan_fix *f);

/* An import that writes at least one row. */
void puan_fix_import(struct puan_fix *f, enum puan_import_kind kind,
                     const char *csv);
/* The campaign clock; the text is an instant: "2021-04-02T12:00:00-03:30". */
void puan_fix_clock(struct puan_fix *f, const char *when);
void puan_fix_clock_ms(struct puan_fix *f, int64_t ms);
/* The one number an SQL text gives; _office: of the office store. */
int64_t puan_fix_int(struct puan_shard *sh, const char *sql);
int64_t puan_fix_office(struct puan_fix *f, const char *sql);
/* JSON written with ' for ", as text and as a tree; NULL gives no tree. */
const char *puan_fix_quotes(struct puan_fix *f, const char *json);
const struct puan_node *puan_fix_json(struct puan_fix *f, const char *json);

/*
 * What features/accounts would have written for somebody at a seat: seat `id`
 * of account `id`, which is written too when it has a name.
 */
void puan_fix_hold(struct puan_fix *f, int64_t id, const char *name,
                   const char *role, int64_t area);

/* ---- commands (test_fixture.c) ------------------------------------------- */

/*
 * Runs a command on words apart by blanks, DIR (the campaign) and TMP (root)
 * put in; the first is what it is called by.  What it says, on both ways out,
 * goes to the file "said" below root.  Its exit code.
 */
int puan_fix_run(struct puan_fix *f, int (*command)(int, char **),
                 const char *line);
/* A file below root, whole. */
const char *puan_fix_file(struct puan_fix *f, const char *name);

/* ---- over HTTP (test_http.c) --------------------------------------------- */

/* An act on the office store that writes areas, which are then read anew. */
void puan_fix_areas(struct puan_fix *f, puan_act_fn body);
/* A host on a free port of 127.0.0.1 and a client of it. */
void puan_fix_serve(struct puan_fix *f, unsigned workers, unsigned loops);

/*
 * A session of `who`, for hours; the token lives as long as f.  His role is
 * the plan's of that name, what he and his seat are called is made of it and
 * the area where `who` does not say it.
 */
const char *puan_fix_session(struct puan_fix *f, struct puan_who who,
                             const char *role);
/*
 * One call: into f->reply, returns its status.  `path` is below the campaign's
 * address; token and json (' for ") may be NULL.
 */
unsigned puan_fix_call(struct puan_fix *f, const char *token,
                       const char *method, const char *path, const char *json);
/* Whether the last reply has the text somewhere; the reply as a JSON tree. */
bool puan_fix_says(const struct puan_fix *f, const char *text);
const struct puan_node *puan_fix_tree(struct puan_fix *f);

/* ---- the trial plan zz-test (test_census.c) -------------------------------
 */

/*
 * A campaign of plans/zz-test on 2 April 2021, noon: canton 11; parishes 11001
 * (round 11001001 with two households), 11002 (round 11002001 with one) and
 * 11003 (round 11003001, empty).
 */
struct puan_fix *puan_fix_canton(const char *url);
/*
 * The return of a household of one, Ann Zed, as device d-1 sends it; `rooms`
 * is the JSON of that answer; "" or members ("\"x\":1,") as `more`.
 */
struct puan_str puan_fix_return(struct puan_fix *f, int64_t household,
                                unsigned base, unsigned counter,
                                const char *rooms, const char *mode,
                                const char *more);
struct puan_receipt puan_fix_submit(struct puan_fix *f,
                                    const struct puan_sender *who,
                                    struct puan_str doc);
/* Such a return from the household's enumerator, which is accepted. */
void puan_fix_send(struct puan_fix *f, int64_t household, unsigned base,
                   const char *rooms);
/* u1, seated as `role` at seat_area, accepts a lot: into f->lot and f->err. */
enum puan_status puan_fix_accept(struct puan_fix *f, const char *role,
                                 int64_t seat_area, int64_t area,
                                 const char *reason);
/* What a signature under approval `name` of a case covers now. */
void puan_fix_covered(uint8_t digest[PUAN_DIGEST_SIZE], struct puan_fix *f,
                      int64_t run, const char *name);
/* The ledgers verify without a problem.  Returns how many rows they cover. */
uint64_t puan_fix_verify(struct puan_fix *f);

#endif
