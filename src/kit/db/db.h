/*
 * SQL behind one interface: SQLite and PostgreSQL.
 *
 * SQL is written once: $1 parameters, ON CONFLICT, RETURNING, types BIGINT,
 * TEXT, BYTEA (an alias SQLite accepts), no engine's own functions.  Statements
 * are literals and are prepared once per connection and cached.
 *
 * PostgreSQL hands over a whole result at once, so a scan of a large table is
 * paged: WHERE seq > $1 ORDER BY seq LIMIT 4096.  In puan_db_exec a column
 * "x BIGINT PRIMARY KEY" becomes SQLite's row id, so that appending by it costs
 * no second tree.
 *
 * A connection belongs to one thread at a time.
 */
#ifndef PUAN_KIT_DB_DB_H
#define PUAN_KIT_DB_DB_H

#include "base/arena.h"

struct puan_db;
struct puan_stmt;

enum puan_db_flags { PUAN_DB_CREATE = 1, PUAN_DB_READONLY = 2 };

/*
 * "sqlite:/path/file.db" (WAL, synchronous FULL, foreign keys on) or
 * "postgresql://…" with an optional "#schema".
 *
 * ENOTFOUND  no such database   EIO  cannot be opened
 */
PUAN_MUST_USE enum puan_status puan_db_open(struct puan_db **out,
                                            const char *url, unsigned flags,
                                            struct puan_err *err);
void puan_db_close(struct puan_db *db);
bool puan_db_is_sqlite(const struct puan_db *db);

/*
 * A prepared statement, ready to be bound; cached by the literal's address.
 * One use at a time: puan_stmt_done before the same SQL is used again.
 */
PUAN_MUST_USE enum puan_status puan_sql(struct puan_stmt **out,
                                        struct puan_db *db, const char *sql,
                                        struct puan_err *err);
/* 1-based; a bad bind is reported by the run. Text and bytes are borrowed. */
void puan_bind_int(struct puan_stmt *s, int i, int64_t v);
void puan_bind_text(struct puan_stmt *s, int i, struct puan_str v);
void puan_bind_bytes(struct puan_stmt *s, int i, const void *p, size_t n);
void puan_bind_null(struct puan_stmt *s, int i);
/* Runs to the end (no rows wanted). ECONFLICT on a unique violation. */
PUAN_MUST_USE enum puan_status puan_stmt_run(struct puan_stmt *s,
                                             struct puan_err *err);
/* The same, and done with it whatever became of it. */
PUAN_MUST_USE enum puan_status puan_stmt_once(struct puan_stmt *s,
                                              struct puan_err *err);
/* Next row; *more false at the end. */
PUAN_MUST_USE enum puan_status puan_stmt_step(bool *more, struct puan_stmt *s,
                                              struct puan_err *err);
/*
 * The first column of every row, as numbers behind the *n that list has, until
 * it has `most`; done with the statement whatever became of it.
 */
PUAN_MUST_USE enum puan_status puan_stmt_ints(int64_t *list, size_t *n,
                                              size_t most, struct puan_stmt *s,
                                              struct puan_err *err);
int64_t puan_col_int(struct puan_stmt *s, int i); /* 0-based */
/* Valid until the next step or done. */
struct puan_str puan_col_text(struct puan_stmt *s, int i);
struct puan_str puan_col_bytes(struct puan_stmt *s, int i);
bool puan_col_null(struct puan_stmt *s, int i);
/* What a column holds, for those who copy rows without knowing them. */
enum puan_col_kind {
    PUAN_COL_NULL,
    PUAN_COL_INT,
    PUAN_COL_TEXT,
    PUAN_COL_BYTES
};
enum puan_col_kind puan_col_kind_of(struct puan_stmt *s, int i);
int puan_stmt_cols(struct puan_stmt *s);
int64_t puan_stmt_changes(const struct puan_stmt *s);
/* Resets for the next use; NULL is fine. */
void puan_stmt_done(struct puan_stmt *s);

/* Several statements ended by ';' (schema). */
PUAN_MUST_USE enum puan_status puan_db_exec(struct puan_db *db,
                                            const char *sql,
                                            struct puan_err *err);
/* One statement giving at most one integer; `dflt` when no row or NULL. */
PUAN_MUST_USE enum puan_status puan_db_int(int64_t *out, struct puan_db *db,
                                           const char *sql, int64_t dflt,
                                           struct puan_err *err);

PUAN_MUST_USE enum puan_status puan_db_begin(struct puan_db *db,
                                             struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_db_commit(struct puan_db *db,
                                              struct puan_err *err);
void puan_db_rollback(struct puan_db *db);
/* Nested: undo one act of a batch. */
PUAN_MUST_USE enum puan_status puan_db_savepoint(struct puan_db *db,
                                                 struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_db_release(struct puan_db *db,
                                               struct puan_err *err);
void puan_db_undo(struct puan_db *db);

/*
 * A transaction is a function, because it may have to be run twice; so it
 * touches only the database.
 */
typedef enum puan_status (*puan_txn_fn)(struct puan_db *db, void *arg,
                                        struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_db_txn(struct puan_db *db, puan_txn_fn fn,
                                           void *arg, struct puan_err *err);

/* A consistent copy of a whole SQLite database into a new file (fsynced). */
PUAN_MUST_USE enum puan_status puan_db_copy_to(struct puan_db *db,
                                               const char *path,
                                               struct puan_err *err);

#endif
