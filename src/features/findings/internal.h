/*
 * Inside findings: the index and what its routes share.  No other feature
 * includes this.
 */
#ifndef PUAN_FEATURES_FINDINGS_INTERNAL_H
#define PUAN_FEATURES_FINDINGS_INTERNAL_H

#include <pthread.h>

#include "core/area/area.h"
#include "core/edit/edit.h"
#include "core/plan/plan.h"
#include "features/findings/findings.h"
#include "features/host/partial.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"

#define PUAN_FINDINGS_SHARDS 4096
/* A request catches up by itself over so many rows; more is the job's. */
#define PUAN_FINDINGS_AT_ONCE 8192

/* What one version of a return did to one rule in one household. */
struct puan_change {
    uint32_t home;   /* place in `home` */
    uint32_t before; /* the household's change before this one + 1; 0 none */
    int32_t day;     /* of the campaign's calendar */
    uint16_t rule;
    uint8_t form;
    bool last; /* nothing of this rule has come after it */
    uint16_t open, settled, was_open, was_settled;
    uint16_t most; /* open and settled together, in any version so far */
};

/* A household that has or had a finding. */
struct puan_finding_home {
    int64_t household;
    uint32_t last; /* its newest change + 1 */
    int32_t day;   /* of that */
    uint16_t version;
    uint8_t form;
};

struct puan_finding_shard {
    struct puan_finding_index *ix;
    struct puan_shard *sh;
    pthread_mutex_t lock;
    struct puan_finding_home *home;
    size_t n_homes, cap_homes;
    uint32_t *place; /* hash of household: place in home + 1; 2 * cap_homes */
    struct puan_change *change;
    size_t n_changes, cap_changes;
    /* returns by enumeration area and form */
    int64_t *ea;       /* hash of its code; 0 empty */
    uint32_t *returns; /* n_forms of them a place */
    size_t n_ea, cap_ea;
    int64_t ret;        /* last row seen */
    int64_t behind, of; /* rows still to be read, at the last look */
    bool made;          /* has once caught up */
};

struct puan_finding_index {
    struct puan_store *store;
    struct puan_finding_shard **shard; /* by ordinal */
    size_t n_forms;
};

struct puan_finding_index *puan_findings_index(const struct puan_store *st);

/* ---- index.c ---- */
PUAN_MUST_USE enum puan_status
puan_finding_shard_open(struct puan_finding_index *ix, struct puan_shard *sh,
                        struct puan_err *err);
void puan_finding_shard_close(struct puan_finding_shard *fs);
/*
 * Reads what was committed since; `all`: to the end, however much.  Otherwise
 * it stops after PUAN_FINDINGS_AT_ONCE rows and `behind` says what is left.
 */
PUAN_MUST_USE enum puan_status
puan_findings_follow(struct puan_finding_shard *fs, bool all,
                     struct puan_err *err);

/* ---- count.c ---- */
enum puan_finding_state {
    PUAN_FINDING_OPEN,
    PUAN_FINDING_SETTLED,
    PUAN_FINDING_CORRECTED
};
#define PUAN_FINDING_STATES 3
/* "open", "confirmed", "corrected". */
const char *puan_finding_state_name(enum puan_finding_state s);

/* Which findings are meant. */
struct puan_findings_choice {
    struct puan_store *store;
    struct puan_arena *a;
    int64_t area, from, to; /* keys of its households */
    enum puan_finding_state state;
    const struct puan_ruleset **rules; /* by form */
    bool **fits;                       /* by form, then rule */
    bool *counts;                      /* forms with a rule that fits */
    size_t n_forms;
    struct puan_partial cov;
};
struct puan_findings_in {
    int64_t area, page;
    struct puan_str form, severity, rule, state;
};
/* EINVAL names the parameter that is none of the plan's. */
PUAN_MUST_USE enum puan_status
puan_findings_choose(struct puan_findings_choice *c, struct puan_store *st,
                     int64_t area, const struct puan_findings_in *in,
                     struct puan_arena *a, struct puan_err *err);

/* Every household of the area with a finding that fits, with the lock held. */
typedef void (*puan_finding_fn)(void *arg, const struct puan_finding_shard *fs,
                                const struct puan_finding_home *h);
/* With each store's lock held, before its households; may be NULL. */
typedef void (*puan_finding_store_fn)(void *arg,
                                      const struct puan_finding_shard *fs);
PUAN_MUST_USE enum puan_status
puan_findings_each(struct puan_findings_choice *c, puan_finding_store_fn store,
                   puan_finding_fn fn, void *arg, struct puan_err *err);

/* Findings of one household that fit, by state. */
void puan_finding_count(int64_t out[PUAN_FINDING_STATES],
                        const struct puan_findings_choice *c,
                        const struct puan_finding_shard *fs,
                        const struct puan_finding_home *h);
int64_t puan_change_in(const struct puan_change *x, enum puan_finding_state s);

/* The areas right below, or none; each with the keys of its households. */
struct puan_finding_area {
    uint32_t at; /* in the tree */
    int64_t from, to;
    int64_t returns; /* of the forms that have a rule that fits */
    int64_t *of;     /* returns by form */
    int64_t homes[PUAN_FINDING_STATES];
};
struct puan_finding_rule {
    uint8_t form;
    uint16_t rule;
    struct puan_finding_tally t;
    uint32_t *by; /* households in the chosen state by area */
};
struct puan_finding_day {
    int64_t day, found, corrected, settled, open; /* open at its end */
};
struct puan_findings_count {
    struct puan_finding_area *area;
    size_t n_areas;
    struct puan_finding_rule *rule; /* those with findings; most first */
    size_t n_rules;
    struct puan_finding_day *day; /* without gaps */
    size_t n_days;
    int64_t *returns; /* by form */
    int64_t findings[PUAN_FINDING_STATES], homes[PUAN_FINDING_STATES];
    int64_t base; /* returns of the forms that have a rule that fits */
};
PUAN_MUST_USE enum puan_status
puan_findings_add_up(struct puan_findings_count *out,
                     struct puan_findings_choice *c, struct puan_err *err);

/* ---- routes ---- */
enum puan_status puan_findings_get(struct puan_request *rq, const void *in,
                                   struct puan_err *err);
enum puan_status puan_findings_households(struct puan_request *rq,
                                          const void *in,
                                          struct puan_err *err);
enum puan_status puan_findings_sheet(struct puan_request *rq, const void *in,
                                     struct puan_err *err);

#endif
