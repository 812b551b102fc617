/*
 * SQL behind one interface (db.h): the statement cache, transactions and
 * savepoints.  What differs between engines is in sqlite.c and pg.c.
 */
#include "kit/db/db.h"

#include <time.h>

#include "kit/db/internal.h"

enum puan_status puan_db_open(struct puan_db **out, const char *url,
                              unsigned flags, struct puan_err *err)
{
    *out = NULL;
    if (strncmp(url, "sqlite:", 7) == 0)
        return puan_sqlite_open(out, url + 7, flags, err);
    if (strncmp(url, "postgresql://", 13) == 0 ||
        strncmp(url, "postgres://", 11) == 0)
        return puan_pg_open(out, url, flags, err);
    /* not the URL itself: it may hold a password */
    return puan_fail(err, PUAN_EINVAL, "database",
                     "the address must begin with sqlite: or postgresql://");
}

void puan_db_close(struct puan_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < PUAN_STMT_SLOTS; i++) {
        struct puan_stmt *s = db->slot[i];

        while (s) {
            struct puan_stmt *next = s->next;

            db->engine->finalize(s);
            s = next;
        }
    }
    db->engine->close(db);
}

bool puan_db_is_sqlite(const struct puan_db *db)
{
    return db->sqlite;
}

enum puan_status puan_sql(struct puan_stmt **out, struct puan_db *db,
                          const char *sql, struct puan_err *err)
{
    size_t h = (size_t)((uintptr_t)sql * 0x9E3779B97F4A7C15u >> 57) %
               PUAN_STMT_SLOTS;
    struct puan_stmt *s = db->slot[h];
    enum puan_status st;

    *out = NULL;
    while (s && s->sql != sql)
        s = s->next;
    if (!s) {
        st = db->engine->prepare(&s, db, sql, err);
        if (st != PUAN_OK)
            return st;
        s->db = db;
        s->sql = sql;
        s->next = db->slot[h];
        db->slot[h] = s;
    }
    if (s->in_use)
        return puan_fail(err, PUAN_EBUG, "sql",
                         "the statement is still in use: %.80s", sql);
    s->in_use = true;
    s->bad = PUAN_OK;
    s->changes = 0;
    *out = s;
    return PUAN_OK;
}

void puan_bind_int(struct puan_stmt *s, int i, int64_t v)
{
    s->db->engine->bind_int(s, i, v);
}

void puan_bind_text(struct puan_stmt *s, int i, struct puan_str v)
{
    s->db->engine->bind_text(s, i, v);
}

void puan_bind_bytes(struct puan_stmt *s, int i, const void *p, size_t n)
{
    s->db->engine->bind_bytes(s, i, p, n);
}

void puan_bind_null(struct puan_stmt *s, int i)
{
    s->db->engine->bind_null(s, i);
}

enum puan_status puan_stmt_step(bool *more, struct puan_stmt *s,
                                struct puan_err *err)
{
    *more = false;
    if (s->bad != PUAN_OK)
        return puan_fail(err, PUAN_EBUG, "sql", "a parameter is wrong in: %.80s",
                         s->sql);
    return s->db->engine->step(more, s, err);
}

enum puan_status puan_stmt_run(struct puan_stmt *s, struct puan_err *err)
{
    enum puan_status st;
    bool more;

    do {
        st = puan_stmt_step(&more, s, err);
    } while (st == PUAN_OK && more);
    s->db->engine->reset(s); /* so that it can be bound and run again */
    return st;
}

enum puan_status puan_stmt_once(struct puan_stmt *s, struct puan_err *err)
{
    enum puan_status st = puan_stmt_run(s, err);

    puan_stmt_done(s);
    return st;
}

enum puan_status puan_stmt_ints(int64_t *list, size_t *n, size_t most,
                                struct puan_stmt *s, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    bool more = true;

    while (*n < most && (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        list[(*n)++] = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

int64_t puan_col_int(struct puan_stmt *s, int i)
{
    return s->db->engine->col_int(s, i);
}

struct puan_str puan_col_text(struct puan_stmt *s, int i)
{
    return s->db->engine->col_bytes(s, i);
}

struct puan_str puan_col_bytes(struct puan_stmt *s, int i)
{
    return s->db->engine->col_bytes(s, i);
}

bool puan_col_null(struct puan_stmt *s, int i)
{
    return s->db->engine->col_kind(s, i) == PUAN_COL_NULL;
}

enum puan_col_kind puan_col_kind_of(struct puan_stmt *s, int i)
{
    return s->db->engine->col_kind(s, i);
}

int puan_stmt_cols(struct puan_stmt *s)
{
    return s->db->engine->cols(s);
}

int64_t puan_stmt_changes(const struct puan_stmt *s)
{
    return s->changes;
}

void puan_stmt_done(struct puan_stmt *s)
{
    if (!s)
        return;
    s->db->engine->reset(s);
    s->in_use = false;
}

enum puan_status puan_db_exec(struct puan_db *db, const char *sql,
                              struct puan_err *err)
{
    return db->engine->exec(db, sql, err);
}

enum puan_status puan_db_int(int64_t *out, struct puan_db *db, const char *sql,
                             int64_t dflt, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st = puan_sql(&s, db, sql, err);
    bool more = false;

    *out = dflt;
    if (st == PUAN_OK)
        st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more && !puan_col_null(s, 0))
        *out = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_db_begin(struct puan_db *db, struct puan_err *err)
{
    db->depth = 0;
    if (db->sqlite)
        return puan_db_exec(db, db->readonly ? "BEGIN" : "BEGIN IMMEDIATE",
                            err);
    return puan_db_exec(
        db,
        db->readonly ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                     : "BEGIN",
        err);
}

enum puan_status puan_db_commit(struct puan_db *db, struct puan_err *err)
{
    return puan_db_exec(db, "COMMIT", err);
}

void puan_db_rollback(struct puan_db *db)
{
    struct puan_err ignored = { 0 };

    /* statements left behind by a failed body are free again */
    for (size_t i = 0; i < PUAN_STMT_SLOTS; i++)
        for (struct puan_stmt *s = db->slot[i]; s; s = s->next)
            if (s->in_use)
                puan_stmt_done(s);
    db->depth = 0;
    if (puan_db_exec(db, "ROLLBACK", &ignored) != PUAN_OK)
        return; /* the engine had already rolled back */
}

enum puan_status puan_db_savepoint(struct puan_db *db, struct puan_err *err)
{
    char sql[40];
    enum puan_status st;

    puan_format(sql, sizeof(sql), "SAVEPOINT p%u", db->depth);
    st = puan_db_exec(db, sql, err);
    if (st == PUAN_OK)
        db->depth++;
    return st;
}

enum puan_status puan_db_release(struct puan_db *db, struct puan_err *err)
{
    char sql[40];

    if (db->depth == 0)
        return puan_fail(err, PUAN_EBUG, "sql", "no savepoint is open");
    puan_format(sql, sizeof(sql), "RELEASE SAVEPOINT p%u", --db->depth);
    return puan_db_exec(db, sql, err);
}

void puan_db_undo(struct puan_db *db)
{
    struct puan_err ignored = { 0 };
    char sql[80];

    if (db->depth == 0)
        return;
    db->depth--;
    puan_format(sql, sizeof(sql),
                "ROLLBACK TO SAVEPOINT p%u;RELEASE SAVEPOINT p%u", db->depth,
                db->depth);
    if (puan_db_exec(db, sql, &ignored) != PUAN_OK)
        return; /* the whole transaction is gone; the commit will say so */
}

enum puan_status puan_db_txn(struct puan_db *db, puan_txn_fn fn, void *arg,
                             struct puan_err *err)
{
    enum puan_status st;

    for (int attempt = 0;; attempt++) {
        struct puan_err e = { 0 };

        st = puan_db_begin(db, &e);
        if (st == PUAN_OK) {
            st = fn(db, arg, &e);
            if (st == PUAN_OK)
                st = puan_db_commit(db, &e);
            if (st != PUAN_OK)
                puan_db_rollback(db);
        }
        if (st != PUAN_EBUSY || attempt == 9) {
            if (st != PUAN_OK && err && err->code == PUAN_OK)
                *err = e;
            return st;
        }
        struct timespec pause = { 0, (1L << attempt) * 500000 };

        nanosleep(&pause, NULL);
    }
}

enum puan_status puan_db_copy_to(struct puan_db *db, const char *path,
                                 struct puan_err *err)
{
    if (!db->sqlite)
        return puan_fail(err, PUAN_EINVAL, "database",
                         "only SQLite databases are copied as files; use "
                         "pg_dump for PostgreSQL");
    return puan_sqlite_copy_to(db, path, err);
}
