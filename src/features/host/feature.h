/*
 * What a feature is: tables of routes, commands, schema steps, metrics and
 * jobs.  The server, the command line, the permission matrix, OpenAPI and the
 * test that walks every route with every seat are all made from these rows.
 *
 * Nothing here decides policy; host/dispatch.c checks session, capability and
 * area for every row before a handler runs.
 */
#ifndef PUAN_FEATURES_HOST_FEATURE_H
#define PUAN_FEATURES_HOST_FEATURE_H

#include "base/json.h"

struct puan_store;
struct puan_shard;
struct puan_db;
struct puan_act;
struct puan_request; /* host/request.h */

enum puan_method { PUAN_GET, PUAN_POST, PUAN_PUT, PUAN_DELETE };

/* How a route finds the area it acts on; the seat's area must contain it. */
enum puan_scope {
    PUAN_SCOPE_PUBLIC,    /* no session; nothing personal */
    PUAN_SCOPE_SESSION,   /* any session; own account only */
    PUAN_SCOPE_AREA,      /* parameter "area"; absent: the seat's own */
    PUAN_SCOPE_HOUSEHOLD, /* parameter "household": its enumeration area */
    PUAN_SCOPE_OBJECT,    /* row.area_of looks it up from the parameters */
    PUAN_SCOPE_OFFICE     /* the installation's top area */
};

enum puan_param_kind {
    PUAN_PARAM_INT,
    PUAN_PARAM_TEXT,
    PUAN_PARAM_AREA,
    PUAN_PARAM_HOUSEHOLD,
    PUAN_PARAM_BOOL,
    PUAN_PARAM_JSON /* the raw value, as struct puan_str */
};

/*
 * int64_t for INT, AREA, HOUSEHOLD; bool; struct puan_str for the rest.  min
 * and max both 0: no bound of its own.  In JSON an area or household is a
 * string of digits or a number; JSON parameters come in the body only.
 * {campaign} of a path is checked by the dispatcher and is not in the table.
 */
struct puan_param {
    const char *name;
    enum puan_param_kind kind;
    size_t offset;
    int64_t min, max; /* value, or length of a text */
    bool optional;
};
#define PUAN_PARAMS(table, T)                                                  \
    .params = (table), .n_params = PUAN_COUNT(table), .in_size = sizeof(T)

/*
 * A handler gets its own struct, filled and checked; a field not declared is
 * refused.  It answers through the request (host/request.h) and returns OK, or
 * returns a status which becomes a problem+json answer.
 */
typedef enum puan_status (*puan_handler_fn)(struct puan_request *rq,
                                            const void *in,
                                            struct puan_err *err);

struct puan_route {
    enum puan_method method;
    const char *path;       /* "/c/{campaign}/lots"; below /api/v1 */
    const char *capability; /* "lot.accept"; "" for public and session */
    enum puan_scope scope;
    const char *verb;       /* ledger verb of what it writes; "" reads */
    const char *summary;
    puan_handler_fn handle;
    const struct puan_param *params;
    size_t n_params, in_size;
    size_t max_body; /* bytes; 0: 64 KiB */
    bool raw_body;   /* the handler reads rq->body; parameters from path and
                        query only.  Else the body is a JSON object of them */
    bool direct;     /* runs in the event loop: must not block (request.h) */
    bool page;       /* the path counts from the root, not from /api/v1 */
    bool with_first_secret; /* allowed before the first secret is changed */
    bool fresh_factor; /* a role with a second factor gives it again when it
                          is older than a few minutes: 403 second-factor */
    bool stream;       /* answers without an end: text/event-stream */
    bool idle;         /* asking it is no use of the session: it may still end */
    /* PUAN_SCOPE_OBJECT: the area of the object the parameters name. */
    enum puan_status (*area_of)(int64_t *area, struct puan_request *rq,
                                const void *in, struct puan_err *err);
};

struct puan_command {
    const char *name;  /* "ledger verify" */
    const char *usage; /* one line after "puan NAME" */
    const char *help;  /* a paragraph; its first sentence is the summary */
    int (*run)(int argc, char **argv); /* argv[0] is the name; exit code */
    const char *zh; /* the summary in Chinese */
};

enum puan_store_kind { PUAN_STORE_OFFICE, PUAN_STORE_RETURNS };

/*
 * Schema step: runs once, in order of (feature, number).  Both engines; on
 * SQLite "BIGINT PRIMARY KEY" is made the rowid ("INTEGER PRIMARY KEY"), so
 * that a table filled in key order is one tree and not two.
 */
struct puan_schema_step {
    enum puan_store_kind store;
    int number;
    const char *sql; /* may hold several statements ended by ';' */
};

struct puan_metric {
    const char *name; /* "puan_returns_submitted" */
    const char *unit, *level, *help;
    /* EIO etc. make it unknown. */
    enum puan_status (*read)(int64_t *value, struct puan_store *st,
                             int64_t area, struct puan_err *err);
};

/*
 * A covered table (contract 3): every insert, change and deletion of its rows
 * goes through puan_cover, so that `ledger verify` can hold them against the
 * entries.  `sql` gives all rows of the table: the key as TEXT first, then the
 * columns of the content in the order, and of the kind (integer, text, bytes),
 * that the writer passed to puan_content_int, _text, _bytes (NULL: _null).
 */
struct puan_covered {
    enum puan_store_kind store;
    const char *table;
    const char *sql; /* "SELECT id, area, state FROM lot" */
    /*
     * Tables written in bulk are covered by groups of rows: `sql` then gives
     * the group as TEXT first and is ordered by it and by the rows' own key;
     * this gives the rows of the group $1.  puan_ledger_cover does the rest.
     */
    const char *group_sql;
};

/*
 * Runs at most every `every_ms` of real time in the server's job thread, or,
 * when it may not wait for the other jobs (alone), in a thread of its own.
 */
struct puan_job {
    const char *name;
    int64_t every_ms;
    enum puan_status (*run)(struct puan_store *st, struct puan_err *err);
    bool alone;
};

struct puan_feature {
    const char *name;
    const struct puan_route *routes;
    size_t n_routes;
    const struct puan_command *commands;
    size_t n_commands;
    const struct puan_schema_step *schema;
    size_t n_schema;
    const struct puan_metric *metrics;
    size_t n_metrics;
    const struct puan_job *jobs;
    size_t n_jobs;
    /*
     * Rows another store sent (contract 5): applies one body inside the
     * target's transaction; the act's verb is the kind.  NULL ends the list.
     */
    const char *const *inbox_kinds;
    enum puan_status (*inbox)(struct puan_store *st, struct puan_shard *sh,
                              struct puan_db *db, struct puan_act *act,
                              struct puan_str body, struct puan_err *err);
    /*
     * What the feature keeps in memory beside an open store: made after the
     * schema, given up at close; puan_store_state gives it back.  shard_open
     * runs for every shard before its first act, also for one made later.
     */
    enum puan_status (*open)(void **state, struct puan_store *st,
                             struct puan_err *err);
    enum puan_status (*shard_open)(void *state, struct puan_store *st,
                                   struct puan_shard *sh,
                                   struct puan_err *err);
    void (*close)(void *state, struct puan_store *st);
    const struct puan_covered *covered;
    size_t n_covered;
    /* Capabilities asked for besides those of the rows; NULL-ended list. */
    const char *const *capabilities;
    /* Functions that `call:` effects of workflows may name, "SUBJECT:NAME";
     * NULL-ended list. */
    const char *const *calls;
};

/* All features, NULL-ended: src/programs/features.c. */
extern const struct puan_feature *const puan_features[];

/* Exit codes of commands. */
enum {
    PUAN_EXIT_DONE = 0,
    PUAN_EXIT_FINDINGS = 1,
    PUAN_EXIT_USAGE = 2,
    PUAN_EXIT_INPUT = 3,
    PUAN_EXIT_REFUSED = 4,
    PUAN_EXIT_SYSTEM = 5
};

#endif
