/*
 * Telling open pages that something changed: server-sent events that name a
 * topic and nothing else.  A page then asks again for what it shows, with the
 * rights it has; so no data, and nothing of another area, goes this way.
 *
 *   GET …/events?topics=counts,review
 *   event: counts
 *   data: {"n":17}
 *
 * An event says that rows of its topic inside the session's area (or a smaller
 * one named by &area=) changed since the last one; n counts them up per stream.  Events are gathered for two
 * seconds; without any a comment comes every 15 s.  A stream is no use of its
 * session and ends with it (event "end"), with its seat, or with the server.
 * A session has at most 16 streams, of which the oldest gives way; 1024 in all.
 *
 * Depends on: host, store.
 */
#ifndef PUAN_FEATURES_LIVE_LIVE_H
#define PUAN_FEATURES_LIVE_LIVE_H

#include "features/host/feature.h"

extern const struct puan_feature puan_feature_live;

/*
 * Something of `topic` changed at `area` (a code; 0: everywhere).  Any thread,
 * any number of times a second: costs a look-up while nobody watches.  Topics:
 * counts, review, lots, cases, notices, duplicates, releases, drills.
 */
void puan_live_touch(struct puan_store *st, const char *topic, int64_t area);

/* For tests: how often events and comments are sent, instead of 2 s and 15 s. */
void puan_live_pace(struct puan_store *st, int64_t every_ms, int64_t beat_ms);

#endif
