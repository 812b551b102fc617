/*
 * Load for measures and crash tests: a campaign of two counties with listed
 * households, a server in a process of its own, documents of three persons,
 * and a client of many connections in one thread.
 *
 * Test code: never part of the product.
 */
#ifndef PUAN_BENCH_LOAD_H
#define PUAN_BENCH_LOAD_H

#include <sys/types.h>

#include "base/arena.h"

struct load_options {
    const char *dir;    /* of the campaign; made by load_prepare */
    const char *suite;  /* "sm", "intl" */
    const char *url;    /* PostgreSQL, or NULL */
    unsigned counties, eas; /* eas: in each county, at most 4000 */
    unsigned households;    /* in each EA, at most 900 */
    const char *birth;      /* NULL: demo; else its KEK goes to `kek_file` */
    const char *kek_file;
};

/* The key of household i (0-based) of all. */
int64_t load_household(const struct load_options *o, uint64_t i);
uint64_t load_households(const struct load_options *o);
/* The code of enumeration area i (0-based) of all. */
int64_t load_ea(const struct load_options *o, uint64_t i);

PUAN_MUST_USE enum puan_status load_prepare(const struct load_options *o,
                                            bool list, struct puan_err *err);

/* A document of about 2 KB; `variant` changes an answer that breaks nothing. */
size_t load_document(char *out, size_t cap, int64_t household, unsigned base,
                     uint64_t counter, unsigned variant);

/* The same, sent by whom it says. */
size_t load_document_of(char *out, size_t cap, int64_t household,
                        unsigned base, uint64_t counter, unsigned variant,
                        const char *device, const char *mode);

/*
 * A server as a child: runs `self` again with "--serve" and the options.  It
 * opens one session for each EA and writes their tokens to a file.
 */
struct load_server {
    pid_t pid;
    int to, from; /* commands, answers */
    char address[64];
    char *tokens; /* 40 bytes an EA */
    size_t n;
};
PUAN_MUST_USE enum puan_status load_start(struct load_server *s,
                                          const char *self,
                                          const struct load_options *o,
                                          struct puan_err *err);
/* The first half: a child that has not said yet that it is ready. */
PUAN_MUST_USE enum puan_status load_spawn(struct load_server *s,
                                          const char *self,
                                          const struct load_options *o,
                                          struct puan_err *err);
PUAN_MUST_USE enum puan_status load_ready(struct load_server *s,
                                          const struct load_options *o,
                                          struct puan_err *err);
/* Tokens of office seats stand in DIR.offices: "role token" a line. */
#define LOAD_BOARDS 10
/* Sends one line, waits for one line; false when the server is gone. */
bool load_ask(struct load_server *s, const char *command, char *answer,
              size_t cap);
/* Asks it to stop and waits; gives its peak resident set in KiB. */
int64_t load_stop(struct load_server *s);
/* kill -9 and wait. */
void load_kill(struct load_server *s);
/* The child's main: argv as load_start gave it; `with` may be NULL. */
struct puan_store;
int load_serve(int argc, char **argv, void (*with)(struct puan_store *));

/* ---- client ---- */

struct load_conn {
    int fd; /* -1: closed */
    char out[8192], in[65536];
    size_t out_n, out_at, in_n;
    bool busy;
    uint64_t tag; /* the caller's */
    int64_t sent_ns;
};

PUAN_MUST_USE enum puan_status load_connect(struct load_conn *c,
                                            const char *address,
                                            struct puan_err *err);
void load_disconnect(struct load_conn *c);
/* Queues one POST of a document; false when the connection broke. */
bool load_post(struct load_conn *c, const char *path, const char *token,
               const char *body, size_t n);
/*
 * Reads what there is.  1: an answer is complete (status, body); 0: not yet;
 * -1: the connection broke.
 */
int load_read(struct load_conn *c, unsigned *status, struct puan_str *body);

/* The same order in every run. */
void load_shuffle(uint32_t *v, uint64_t n);

#endif
