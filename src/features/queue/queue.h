/*
 * Households waiting to come in when more ask than this machine carries: a
 * line in order of arrival, kept in memory.  Who is inside keeps being served
 * quickly; who waits is told place and minutes, and keeps the place by asking
 * again.
 *
 * How many may be inside at once: `puan serve --households N`, else the plan's
 * setting `self_at_once`; 0, no bound and no line.
 *
 * Only the line is here; signing in asks it first (puan_queue_pass).  A
 * restart empties it, as it ends all sessions.
 *
 * Depends on: host (sessions).
 */
#ifndef PUAN_FEATURES_QUEUE_QUEUE_H
#define PUAN_FEATURES_QUEUE_QUEUE_H

#include "features/host/request.h"

extern const struct puan_feature puan_feature_queue;

#define PUAN_QUEUE_TICKET 32 /* hex digits */

struct puan_queue; /* one line, for tests; the feature keeps its own */

PUAN_MUST_USE enum puan_status puan_queue_open(struct puan_queue **out,
                                               struct puan_err *err);
void puan_queue_close(struct puan_queue *q);

struct puan_queue_place {
    char ticket[PUAN_QUEUE_TICKET + 1];
    bool in;         /* may sign in with this ticket, for two minutes */
    int64_t place;   /* 1: next; 0 when in */
    int64_t minutes; /* until in, as the last minutes went; at least 1 */
};
/*
 * Asks for a place, or renews the one of `ticket` (an unknown or lapsed ticket
 * gets a new place at the end).  `most` may be inside, `inside` are; times are
 * real, ms.
 *
 * ELIMIT  the line is as long as it may be (200,000)
 */
PUAN_MUST_USE enum puan_status
puan_queue_ask(struct puan_queue_place *out, struct puan_queue *q,
               struct puan_str ticket, int64_t most, int64_t inside,
               int64_t now, struct puan_err *err);
/* Does `ticket` hold a place, so that asking with it makes no new one? */
bool puan_queue_knows(struct puan_queue *q, struct puan_str ticket);
/*
 * May the holder of `ticket` (may be empty) open a session now?  Without a
 * ticket only when nobody waits and there is room.
 */
bool puan_queue_may(struct puan_queue *q, struct puan_str ticket, int64_t most,
                    int64_t inside, int64_t now);
/* The holder has come in: the ticket is used up. */
void puan_queue_used(struct puan_queue *q, struct puan_str ticket);

/* How often a place has to be asked for again, ms; after 90 s it lapses. */
#define PUAN_QUEUE_RENEW_MS 15000

/*
 * For signing in: true, go on; false, the answer is made (503, code "queue").
 */
bool puan_queue_pass(struct puan_request *rq, struct puan_str ticket);
/* A session was opened: a wrong password before it does not cost the place. */
void puan_queue_in(struct puan_request *rq, struct puan_str ticket);

#endif
