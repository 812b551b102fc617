/*
 * What db.c (statement cache, transactions) asks of an engine.  Private to
 * kit/db.
 */
#ifndef PUAN_KIT_DB_INTERNAL_H
#define PUAN_KIT_DB_INTERNAL_H

#include "kit/db/db.h"

struct puan_stmt {
    struct puan_db *db;
    const char *sql; /* the literal: its address is the cache key */
    struct puan_stmt *next;
    bool in_use;
    enum puan_status bad; /* first failed bind */
    int64_t changes;
};

struct puan_engine {
    /* Prepares; *out is allocated by the engine, its head zeroed. */
    enum puan_status (*prepare)(struct puan_stmt **out, struct puan_db *db,
                                const char *sql, struct puan_err *err);
    void (*finalize)(struct puan_stmt *s);
    void (*bind_int)(struct puan_stmt *s, int i, int64_t v);
    void (*bind_text)(struct puan_stmt *s, int i, struct puan_str v);
    void (*bind_bytes)(struct puan_stmt *s, int i, const void *p, size_t n);
    void (*bind_null)(struct puan_stmt *s, int i);
    enum puan_status (*step)(bool *more, struct puan_stmt *s,
                             struct puan_err *err);
    int64_t (*col_int)(struct puan_stmt *s, int i);
    struct puan_str (*col_bytes)(struct puan_stmt *s, int i);
    enum puan_col_kind (*col_kind)(struct puan_stmt *s, int i);
    int (*cols)(struct puan_stmt *s);
    void (*reset)(struct puan_stmt *s);
    enum puan_status (*exec)(struct puan_db *db, const char *sql,
                             struct puan_err *err);
    void (*close)(struct puan_db *db);
};

#define PUAN_STMT_SLOTS 128 /* power of two */

struct puan_db {
    const struct puan_engine *engine;
    bool sqlite, readonly;
    unsigned depth; /* open savepoints */
    struct puan_stmt *slot[PUAN_STMT_SLOTS];
};

enum puan_status puan_sqlite_open(struct puan_db **out, const char *path,
                                  unsigned flags, struct puan_err *err);
enum puan_status puan_sqlite_copy_to(struct puan_db *db, const char *path,
                                     struct puan_err *err);
enum puan_status puan_pg_open(struct puan_db **out, const char *url,
                              unsigned flags, struct puan_err *err);

#endif
