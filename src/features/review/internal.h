/*
 * Inside review: the index and what its routes share.  No other feature
 * includes this.
 */
#ifndef PUAN_FEATURES_REVIEW_INTERNAL_H
#define PUAN_FEATURES_REVIEW_INTERNAL_H

#include <pthread.h>

#include "core/area/area.h"
#include "core/edit/edit.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/review/review.h"

#define PUAN_REVIEW_SHARDS 4096
/* A request catches up by itself over so many rows; more is the job's. */
#define PUAN_REVIEW_AT_ONCE 8192
#define PUAN_REVIEW_WORDS 65535

enum puan_mark_kind { PUAN_MARK_ACCEPT = 1, PUAN_MARK_PASS = 2 };
const char *puan_mark_name(enum puan_mark_kind k);

struct puan_mark {
    int64_t id, at, office;
    uint8_t level, kind;
    uint16_t version;
    struct puan_mark *next;
};

/* A finding that stands open. */
struct puan_open {
    uint16_t rule, row;
};

/* What only a household with work has. */
struct puan_work {
    uint32_t home; /* place in `home` */
    uint16_t n_open, n_hard; /* hard ones first */
    struct puan_open *open;
    uint16_t query_version; /* of the last query; 0 none */
    uint16_t queries;
    int64_t query_at; /* campaign time of the first query about it */
    struct puan_mark *marks;
};

/* One household of the listing or with a return. */
struct puan_home {
    int64_t household;
    int64_t arrived; /* campaign time */
    uint32_t ret;
    uint32_t work; /* place in `work` + 1; 0 none */
    uint16_t actor, mode; /* places in `word` */
    uint16_t expected;    /* persons by the listing; UINT16_MAX not said */
    uint16_t version, persons;
    uint8_t form;
    bool vacant, listed;
};

struct puan_review_shard {
    struct puan_review *rv;
    struct puan_shard *sh;
    pthread_mutex_t lock;
    struct puan_home *home;
    size_t n_homes, cap_homes;
    uint32_t *place; /* hash of household: place in home + 1 */
    size_t cap;
    struct puan_work *work;
    size_t n_work, cap_work;
    struct puan_str *word; /* actors and modes; 0 is "" */
    uint16_t *word_place;  /* hash of their text */
    size_t n_words;
    int64_t ret, query, act; /* last rows seen */
    int64_t behind, of;      /* rows of ret still to be read, at the last look */
    int64_t listing_at; /* real time of the last look at the listing */
    bool made; /* has once caught up */
    uint64_t changes; /* goes up with each change */
};

/* Who is reading a household: memory only. */
#define PUAN_LOOKS 1024
#define PUAN_LOOK_MS (2 * 60 * 1000)
struct puan_look {
    int64_t household, account, until; /* real time; 0: free */
    char name[64], role[64];
};

/* The plan's residence cases over one form; n 0: they do not apply. */
struct puan_review_form {
    struct puan_expr **residence;
    size_t n;
    int entity;
};

struct puan_review {
    struct puan_store *store;
    struct puan_arena arena;
    struct puan_review_form *form; /* by ordinal */
    struct puan_review_shard **shard; /* by ordinal */
    pthread_mutex_t making;
    struct puan_str present, absent; /* columns of the listing; "" none */
    /* By level: the nearest above at which a role reviews; -1 none. */
    int up[PUAN_AREA_LEVELS];
    int64_t answer_ms;               /* setting query_answer */
    pthread_mutex_t look_lock;
    struct puan_look look[PUAN_LOOKS];
    size_t n_looks;
};

struct puan_review *puan_review_of(const struct puan_store *st);
/* NULL for the office store. */
struct puan_review_shard *puan_review_shard_of(struct puan_shard *sh);

/* ---- index.c ---- */
PUAN_MUST_USE enum puan_status
puan_review_shard_open(struct puan_review *rv, struct puan_shard *sh,
                       struct puan_err *err);
void puan_review_shard_close(struct puan_review_shard *rs);
/*
 * Reads what was committed since; `all`: to the end, however much.  Otherwise
 * it stops after PUAN_REVIEW_AT_ONCE rows and `behind` says what is left.
 */
PUAN_MUST_USE enum puan_status puan_review_follow(struct puan_review_shard *rs,
                                                  bool all,
                                                  struct puan_err *err);
/* With the lock held.  NULL when unknown. */
struct puan_home *puan_review_home(struct puan_review_shard *rs,
                                   int64_t household);
struct puan_work *puan_review_work(struct puan_review_shard *rs,
                                   const struct puan_home *h);
enum puan_review_state
puan_review_state_of(const struct puan_review_shard *rs,
                     const struct puan_home *h, unsigned level);
/* The mark of `level` on the present version, or NULL. */
const struct puan_mark *puan_review_mark(const struct puan_review_shard *rs,
                                         const struct puan_home *h,
                                         unsigned level);
/* The mark by which a lower office passed it to `level`, or NULL. */
const struct puan_mark *puan_review_passed(const struct puan_review_shard *rs,
                                           const struct puan_home *h,
                                           unsigned level);
/* Only what was passed up is shown at levels above the returns stores. */
bool puan_review_shown(const struct puan_review_shard *rs,
                       const struct puan_home *h, unsigned level);

/*
 * When a query was asked, in campaign time, as its ledger entry says; `dflt`
 * when there is none.  *entry (may be NULL) gets the entry's number.
 */
int64_t puan_review_event(int64_t *entry, struct puan_db *db, int64_t query,
                          int64_t dflt);

/* ---- review.c ---- */
/* Level of the seat that asks (of the installation's top for area 0). */
unsigned puan_review_level(const struct puan_request *rq);
/* Looks of others at a household; false when nobody reads it. */
bool puan_review_looked(struct puan_look *out, struct puan_review *rv,
                        int64_t household, int64_t account, int64_t real_now);

/* ---- routes ---- */
#define PUAN_ROUTE(fn)                                                         \
    enum puan_status fn(struct puan_request *rq, const void *in,               \
                        struct puan_err *err)
/* list.c */
struct puan_review_list_in {
    int64_t area, ea, page, waiting;
    struct puan_str state, rule, enumerator, mode, kind, sort, form;
    bool overdue, passed;
};
PUAN_ROUTE(puan_review_get_list);
PUAN_ROUTE(puan_review_get_counts);
PUAN_ROUTE(puan_review_get_eas);
/* acts.c */
struct puan_review_act_in {
    int64_t household, version;
    int64_t row;
    struct puan_str reason, purpose, words, entity;
    bool leave;
};
PUAN_ROUTE(puan_review_post_accept);
PUAN_ROUTE(puan_review_post_pass);
PUAN_ROUTE(puan_review_post_undo);
PUAN_ROUTE(puan_review_post_look);
/* page.c */
PUAN_ROUTE(puan_review_get_page);
PUAN_ROUTE(puan_review_post_identity);

/* Writes {"name","role_zh","role_en","until"}: nobody's whole name. */
void puan_review_look_json(struct puan_jw *w, struct puan_store *st,
                           const struct puan_look *l);
/* Writes {"rule","severity","row","zh","en"} of an open finding. */
void puan_review_finding(struct puan_jw *w, struct puan_store *st,
                         uint8_t form, struct puan_open o);

#endif
