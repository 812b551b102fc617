/*
 * Sessions: who is signed in, at which seat, until when.  Kept in memory only,
 * under keyed hashes of their tokens: a token is never stored, and a restart
 * signs everybody out.
 *
 * Finding one costs a keyed hash and one look-up under a lock held for a copy;
 * no SQL.  Times are real time in milliseconds.
 *
 * Depends on: kit/crypto, kit/os.  Any thread.
 */
#ifndef PUAN_FEATURES_HOST_SESSION_H
#define PUAN_FEATURES_HOST_SESSION_H

#include "features/host/request.h"

struct puan_sessions;

#define PUAN_TOKEN_TEXT 40 /* with its end */
/* Of one account at once; at the next one the older half ends. */
#define PUAN_SESSIONS_EACH 256

/* `most` sessions at once; idle ones go first when it is full. */
PUAN_MUST_USE enum puan_status puan_sessions_open(struct puan_sessions **out,
                                                  size_t most,
                                                  struct puan_err *err);
void puan_sessions_close(struct puan_sessions *s);

/*
 * Opens a session; `idle_ms` without a request ends it, `until_ms` in any case.
 *
 * ELIMIT  as many as there may be are in use
 */
PUAN_MUST_USE enum puan_status
puan_session_open(char token[PUAN_TOKEN_TEXT], struct puan_sessions *s,
                  const struct puan_who *who, int64_t now, int64_t idle_ms,
                  int64_t until_ms, struct puan_err *err);
/* Copies it and marks it used; false when there is none or it is over. */
bool puan_session_find(struct puan_who *out, struct puan_sessions *s,
                       struct puan_str token, int64_t now);
/* The same without marking it used. */
bool puan_session_peek(struct puan_who *out, struct puan_sessions *s,
                       struct puan_str token, int64_t now);
/* A second factor was given just now. */
void puan_session_factor(struct puan_sessions *s, struct puan_str token,
                         int64_t now);

/* What a session is kept under: tells nothing of its token. */
struct puan_session_key {
    uint8_t b[16];
};
struct puan_session_key puan_session_key(const struct puan_sessions *s,
                                         struct puan_str token);
/*
 * How long it would last without further use (at most until its end); false
 * when it is over.  Is no use of it.  idle_ms, left_ms may be NULL.
 */
bool puan_session_left(int64_t *idle_ms, int64_t *left_ms,
                       struct puan_sessions *s,
                       const struct puan_session_key *key, int64_t now);
/* Ends one; false when there was none. */
bool puan_session_end(struct puan_sessions *s, struct puan_str token);
/* Ends all of an account, or of one seat of it (seat 0: all); how many. */
size_t puan_session_end_account(struct puan_sessions *s,
                                enum puan_credential credential,
                                int64_t account, int64_t seat);
/* Has the account any? */
bool puan_session_has(struct puan_sessions *s, enum puan_credential credential,
                      int64_t account);
/*
 * Ends those of the account that were never used since they were opened: the
 * answer with the token was lost on its way.  How many.
 */
size_t puan_session_end_untouched(struct puan_sessions *s,
                                  enum puan_credential credential,
                                  int64_t account);
/* Ends those the test picks; it must not call anything of this header. */
size_t puan_session_end_if(struct puan_sessions *s,
                           bool (*test)(const struct puan_who *who, void *arg),
                           void *arg);
/* Removes those that are over. */
void puan_session_sweep(struct puan_sessions *s, int64_t now);
size_t puan_session_count(struct puan_sessions *s);
size_t puan_session_count_of(struct puan_sessions *s,
                             enum puan_credential credential);

#endif
