/*
 * Inside monitors: what its files share.  No other feature includes this.
 */
#ifndef PUAN_FEATURES_MONITORS_INTERNAL_H
#define PUAN_FEATURES_MONITORS_INTERNAL_H

#include <pthread.h>

#include "features/host/request.h"
#include "features/monitors/monitors.h"

#define PUAN_MONITORS 128
#define PUAN_MONITOR_LEVELS 4 /* blue, yellow, orange, red */
#define PUAN_WATCH_NAMES 16 /* flows, states, verbs, ... of one source */
#define PUAN_WATCH_WHERE 4

struct puan_watch_list {
    struct puan_str at[PUAN_WATCH_NAMES];
    size_t n;
};

/* Cases (`states` empty: any) against which a thing is held. */
struct puan_without {
    struct puan_watch_list flows, states;
    int64_t before_ms; /* so long before the thing they may have been opened */
};
/* What the plan lets a monitor count by itself. */
struct puan_watch_cases {
    struct puan_watch_list flows, states; /* no state: every one that is open */
    struct {
        struct puan_str field, value;
    } where[PUAN_WATCH_WHERE];
    size_t n_where;
    int64_t older_ms, within_ms; /* since it was opened; 0: any */
    bool overdue;                /* a clock of it is overdue */
    struct puan_without without;
};
struct puan_watch_acts {
    struct puan_watch_list verbs, roles, levels;
    int64_t within_ms;
    struct puan_without without;
};

enum puan_watch_kind { PUAN_WATCH_METRIC, PUAN_WATCH_CASES, PUAN_WATCH_ACTS };

struct puan_monitor {
    struct puan_flow_label label;
    struct puan_str risk;
    enum puan_watch_kind kind;
    const struct puan_metric *metric, *of; /* METRIC */
    struct puan_watch_cases cases;
    struct puan_watch_acts acts;
    struct puan_str level;  /* of areas; empty: the whole */
    struct puan_str gather; /* level of the case; empty: that of the alarm */
    int64_t every_ms, quiet_ms, hold_ms;
    struct {
        int raise;
        struct puan_expr *when;
        struct puan_str text;
    } at[PUAN_MONITOR_LEVELS];
    size_t n_levels;
    struct puan_expr *clear;
    const struct puan_flow *opens;
    int feeds; /* transition of it that a further alarm takes; -1 none */
    const struct puan_node *fields;
};

struct puan_monitor_list {
    struct puan_arena *arena;
    const struct puan_plan *plan;
    const struct puan_flows *flows;
    struct puan_monitor list[PUAN_MONITORS];
    size_t n;
};

/* ---- judge.c: pure -------------------------------------------------------- */

enum {
    PUAN_V_VALUE,
    PUAN_V_BEFORE,
    PUAN_V_RISE,
    PUAN_V_TOTAL,
    PUAN_V_PERCENT,
    PUAN_V_KNOWN,
    PUAN_V_UNREAD,
    PUAN_V_ELAPSED,
    PUAN_V_HOUR,
    PUAN_V_RAISED,
    PUAN_V_NAMES
};
extern const char *const puan_watch_name[PUAN_V_NAMES];
extern const char *const puan_level_name[PUAN_MONITOR_LEVELS + 1];

/* The level raised now, after this look; `alarm` remembers it. */
int puan_watch_judge(const struct puan_monitor *m, const struct puan_plan *plan,
                     struct puan_alarm *alarm, const struct puan_sight *sight,
                     int64_t now);
/* A higher level opens a case, unless one is open or was a short while ago. */
bool puan_watch_opens(const struct puan_monitor *m, int from, int to, bool open,
                      int64_t opened, int64_t now);
/* Fields of the case; of `feeds` those alone that it takes. NULL: no memory. */
struct puan_node *puan_watch_fields(const struct puan_monitor *m, bool feeding,
                                    int64_t value, int raised,
                                    struct puan_arena *a);
/* What is counted, in a word: the metric, "cases", "acts". */
const char *puan_watch_what(const struct puan_monitor *m);

/* ---- the state ------------------------------------------------------------- */

/* A line through time that always reaches back to the first look: when it is
 * full every second point goes. */
#define PUAN_LINE 96
struct puan_line {
    struct {
        int64_t at, value;
        bool known;
        uint8_t level;
    } point[PUAN_LINE];
    size_t n;
    uint32_t every, skipped; /* looks from one point to the next */
};

/* What one monitor saw of one area at the last look. */
struct puan_seen {
    size_t monitor;
    int64_t area, value, total;
    bool known, total_known, absent;
    struct puan_alarm alarm;
    struct puan_line line;
    struct puan_seen *next;
};
#define PUAN_SEEN_SLOTS 4096

/* Areas at which a counted thing stands, ascending. */
struct puan_hits {
    int64_t *area;
    size_t n, cap;
};

/* An entry of the office ledger that some monitor counts. */
struct puan_act_seen {
    int64_t at, area;
    struct puan_str verb, role, level; /* in the arena of the monitors */
};
struct monitors {
    struct puan_arena arena;
    struct puan_monitor_list *of;
    pthread_mutex_t lock; /* looks, one at a time */
    int64_t looked[PUAN_MONITORS];      /* campaign time */
    int64_t looked_real[PUAN_MONITORS]; /* real time */
    struct puan_seen *seen[PUAN_SEEN_SLOTS];
    /* the office ledger, as far as it was read */
    int64_t ledger;
    bool ledger_read; /* to its end, at the last look */
    struct puan_act_seen *act;
    size_t n_acts, cap_acts;
};

struct puan_seen *puan_seen_of(struct monitors *ms, size_t monitor,
                               int64_t area, bool make);
void puan_line_add(struct puan_line *l, int64_t at, int64_t value, bool known,
                   int level);

/* ---- count.c: what the plan lets monitors count ----------------------------- */

/* Where the things that `m` counts stand now. */
PUAN_MUST_USE enum puan_status puan_watch_count(struct puan_hits *out,
                                                struct monitors *ms,
                                                const struct puan_monitor *m,
                                                struct puan_store *st,
                                                int64_t now,
                                                struct puan_err *err);
void puan_hits_clear(struct puan_hits *h);
/* Of them inside an area. */
int64_t puan_hits_in(const struct puan_hits *h, const struct puan_area_tree *t,
                     int64_t area);
/* Reads on in the office ledger. */
PUAN_MUST_USE enum puan_status puan_acts_follow(struct monitors *ms,
                                                struct puan_store *st,
                                                struct puan_err *err);

/* ---- routes.c --------------------------------------------------------------- */

#define PUAN_MONITOR_ROUTES 3
extern const struct puan_route puan_monitor_routes[PUAN_MONITOR_ROUTES];

#endif
