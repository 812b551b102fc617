/*
 * The SQLite engine of kit/db: WAL, synchronous FULL, foreign keys on.
 *
 * Parameters "$1", "$2" are names to SQLite, so each is looked up once when
 * the statement is prepared.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kit/db/internal.h"
#include "kit/os/os.h"

struct lite {
    struct puan_db base;
    sqlite3 *h;
};

#define LITE_PARAMS 64

struct lite_stmt {
    struct puan_stmt base;
    sqlite3_stmt *h;
    int n_params;
    int index[LITE_PARAMS + 1]; /* of "$i" */
    bool stepped;
};

static sqlite3 *handle(struct puan_db *db)
{
    return ((struct lite *)(void *)db)->h;
}

static struct lite_stmt *of(struct puan_stmt *s)
{
    return (struct lite_stmt *)(void *)s;
}

static enum puan_status fail(sqlite3 *h, int rc, struct puan_err *err)
{
    int x = h ? sqlite3_extended_errcode(h) : rc;
    enum puan_status st;

    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        st = PUAN_EBUSY;
        break;
    case SQLITE_CONSTRAINT:
        st = x == SQLITE_CONSTRAINT_UNIQUE ||
                     x == SQLITE_CONSTRAINT_PRIMARYKEY ||
                     x == SQLITE_CONSTRAINT_ROWID
                 ? PUAN_ECONFLICT
                 : PUAN_EINVAL;
        break;
    case SQLITE_NOMEM:
        st = PUAN_ENOMEM;
        break;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        st = PUAN_EBUG;
        break;
    default:
        st = PUAN_EIO;
    }
    return puan_fail(err, st, "sqlite", "%s",
                     h ? sqlite3_errmsg(h) : sqlite3_errstr(rc));
}

static enum puan_status lite_prepare(struct puan_stmt **out,
                                     struct puan_db *db, const char *sql,
                                     struct puan_err *err)
{
    struct lite_stmt *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return puan_fail(err, PUAN_ENOMEM, "sqlite", "out of memory");
    rc = sqlite3_prepare_v3(handle(db), sql, -1, SQLITE_PREPARE_PERSISTENT,
                            &s->h, NULL);
    if (rc != SQLITE_OK) {
        free(s);
        return fail(handle(db), rc, err);
    }
    s->n_params = sqlite3_bind_parameter_count(s->h);
    for (int i = 1; i <= s->n_params; i++) {
        const char *name = sqlite3_bind_parameter_name(s->h, i);
        int64_t k = 0;

        if (!name || name[0] != '$' ||
            !puan_int_parse(&k, puan_str_of(name + 1)) || k < 1 ||
            k > LITE_PARAMS) {
            sqlite3_finalize(s->h);
            free(s);
            return puan_fail(err, PUAN_EBUG, "sqlite",
                             "parameters must be $1 to $64 in: %.80s", sql);
        }
        s->index[k] = i;
    }
    *out = &s->base;
    return PUAN_OK;
}

static void lite_finalize(struct puan_stmt *s)
{
    sqlite3_finalize(of(s)->h);
    free(s);
}

/* The statement's own number of "$i"; a wrong one spoils the run. */
static int slot(struct puan_stmt *s, int i)
{
    if (i < 1 || i > LITE_PARAMS || of(s)->index[i] == 0) {
        s->bad = PUAN_EBUG;
        return 0;
    }
    return of(s)->index[i];
}

static void checked(struct puan_stmt *s, int rc)
{
    if (rc != SQLITE_OK)
        s->bad = PUAN_EBUG;
}

static void lite_bind_int(struct puan_stmt *s, int i, int64_t v)
{
    int k = slot(s, i);

    if (k)
        checked(s, sqlite3_bind_int64(of(s)->h, k, v));
}

static void lite_bind_text(struct puan_stmt *s, int i, struct puan_str v)
{
    int k = slot(s, i);

    if (k)
        checked(s, sqlite3_bind_text64(of(s)->h, k, v.p ? v.p : "", v.n,
                                       SQLITE_STATIC, SQLITE_UTF8));
}

static void lite_bind_bytes(struct puan_stmt *s, int i, const void *p,
                            size_t n)
{
    int k = slot(s, i);

    if (k)
        checked(s, sqlite3_bind_blob64(of(s)->h, k, p ? p : "", n,
                                       SQLITE_STATIC));
}

static void lite_bind_null(struct puan_stmt *s, int i)
{
    int k = slot(s, i);

    if (k)
        checked(s, sqlite3_bind_null(of(s)->h, k));
}

static enum puan_status lite_step(bool *more, struct puan_stmt *s,
                                  struct puan_err *err)
{
    int rc = sqlite3_step(of(s)->h);

    of(s)->stepped = true;
    if (rc == SQLITE_ROW) {
        *more = true;
        return PUAN_OK;
    }
    *more = false;
    if (rc == SQLITE_DONE) {
        s->changes = sqlite3_stmt_readonly(of(s)->h)
                         ? 0
                         : sqlite3_changes64(handle(s->db));
        return PUAN_OK;
    }
    return fail(handle(s->db), rc, err);
}

static int64_t lite_col_int(struct puan_stmt *s, int i)
{
    return sqlite3_column_int64(of(s)->h, i);
}

static struct puan_str lite_col_bytes(struct puan_stmt *s, int i)
{
    const char *p;
    int n;

    if (sqlite3_column_type(of(s)->h, i) == SQLITE_BLOB)
        p = sqlite3_column_blob(of(s)->h, i);
    else
        p = (const char *)sqlite3_column_text(of(s)->h, i);
    n = sqlite3_column_bytes(of(s)->h, i);
    return (struct puan_str){ p ? p : "", p ? (size_t)n : 0 };
}

static enum puan_col_kind lite_col_kind(struct puan_stmt *s, int i)
{
    switch (sqlite3_column_type(of(s)->h, i)) {
    case SQLITE_NULL:
        return PUAN_COL_NULL;
    case SQLITE_INTEGER:
        return PUAN_COL_INT;
    case SQLITE_BLOB:
        return PUAN_COL_BYTES;
    default:
        return PUAN_COL_TEXT;
    }
}

static int lite_cols(struct puan_stmt *s)
{
    return sqlite3_column_count(of(s)->h);
}

static void lite_reset(struct puan_stmt *s)
{
    if (!of(s)->stepped)
        return;
    of(s)->stepped = false;
    sqlite3_reset(of(s)->h);
    sqlite3_clear_bindings(of(s)->h);
}

/* "BIGINT PRIMARY KEY" makes a row id only when spelled INTEGER. */
static char *row_ids(const char *sql)
{
    static const char from[] = "BIGINT PRIMARY KEY";
    static const char to[] = "INTEGER PRIMARY KEY";
    size_t n = strlen(sql), k = 0;
    char *out, *p;

    for (const char *at = sql; (at = strstr(at, from)) != NULL; at++)
        k++;
    out = malloc(n + k + 1); /* one character more each */
    if (!out)
        return NULL;
    p = out;
    while (*sql) {
        if (strncmp(sql, from, sizeof(from) - 1) == 0) {
            memcpy(p, to, sizeof(to) - 1);
            p += sizeof(to) - 1;
            sql += sizeof(from) - 1;
        } else {
            *p++ = *sql++;
        }
    }
    *p = '\0';
    return out;
}

static enum puan_status lite_exec(struct puan_db *db, const char *sql,
                                  struct puan_err *err)
{
    char *text = row_ids(sql);
    int rc;

    if (!text)
        return puan_fail(err, PUAN_ENOMEM, "sqlite", "out of memory");
    rc = sqlite3_exec(handle(db), text, NULL, NULL, NULL);
    free(text);
    return rc == SQLITE_OK ? PUAN_OK : fail(handle(db), rc, err);
}

static void lite_close(struct puan_db *db)
{
    sqlite3_close(handle(db));
    free(db);
}

static const struct puan_engine engine = {
    .prepare = lite_prepare,
    .finalize = lite_finalize,
    .bind_int = lite_bind_int,
    .bind_text = lite_bind_text,
    .bind_bytes = lite_bind_bytes,
    .bind_null = lite_bind_null,
    .step = lite_step,
    .col_int = lite_col_int,
    .col_bytes = lite_col_bytes,
    .col_kind = lite_col_kind,
    .cols = lite_cols,
    .reset = lite_reset,
    .exec = lite_exec,
    .close = lite_close,
};

/*
 * A new database is for its owner and group only; SQLite gives its -wal and
 * -shm the same mode.  Only a file nobody has open yet is touched: closing a
 * descriptor of one that is open would give up its locks.
 */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd >= 0)
        close(fd);
}

/*
 * A store on a medium that cannot be written, as an auditor gets it: WAL wants
 * to make files beside it, so SQLite must be told that nothing changes.  Not
 * when a -wal file holds something, which would then be passed over.
 */
static char *frozen_uri(const char *path)
{
    size_t n = strlen(path), k = 0;
    char *uri = NULL, *wal = malloc(n + 5);
    struct statvfs v;
    struct stat s;

    if (!wal)
        return NULL;
    puan_format(wal, n + 5, "%s-wal", path);
    if (statvfs(path, &v) == 0 && (v.f_flag & ST_RDONLY) != 0 &&
        (stat(wal, &s) != 0 || s.st_size == 0))
        uri = malloc(3 * n + 32);
    free(wal);
    if (!uri)
        return NULL;
    k = puan_format(uri, 8, "file:");
    for (size_t i = 0; i < n; i++)
        if (path[i] == '?' || path[i] == '#' || path[i] == '%')
            k += puan_format(uri + k, 4, "%%%02x", (unsigned)path[i]);
        else
            uri[k++] = path[i];
    puan_format(uri + k, 16, "?immutable=1");
    return uri;
}

enum puan_status puan_sqlite_open(struct puan_db **out, const char *path,
                                  unsigned flags, struct puan_err *err)
{
    struct lite *db = calloc(1, sizeof(*db));
    bool readonly = (flags & PUAN_DB_READONLY) != 0;
    bool memory = strcmp(path, ":memory:") == 0;
    enum puan_status st;
    char *frozen;
    int mode, rc;

    if (!db)
        return puan_fail(err, PUAN_ENOMEM, "sqlite", "out of memory");
    db->base.engine = &engine;
    db->base.sqlite = true;
    db->base.readonly = readonly;
    mode = readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if ((flags & PUAN_DB_CREATE) && !readonly)
        mode |= SQLITE_OPEN_CREATE;
    if (!memory && !(flags & PUAN_DB_CREATE) && !puan_file_exists(path)) {
        free(db);
        return puan_fail(err, PUAN_ENOTFOUND, path, "no such database");
    }
    if (mode & SQLITE_OPEN_CREATE && !memory)
        make_private(path);
    frozen = readonly && !memory ? frozen_uri(path) : NULL;
    rc = sqlite3_open_v2(frozen ? frozen : path, &db->h,
                         mode | SQLITE_OPEN_NOMUTEX |
                             (frozen ? SQLITE_OPEN_URI : 0),
                         NULL);
    free(frozen);
    if (rc != SQLITE_OK) {
        st = puan_fail(err, PUAN_EIO, path, "%s",
                       db->h ? sqlite3_errmsg(db->h) : "cannot be opened");
        lite_close(&db->base);
        return st;
    }
    sqlite3_extended_result_codes(db->h, 1);
    sqlite3_busy_timeout(db->h, 10000);
    st = puan_db_exec(&db->base,
                      "PRAGMA foreign_keys=ON;"
                      "PRAGMA temp_store=MEMORY;",
                      err);
    /* Readers are many (eight a store, a store a county) and the system keeps
     * the file's pages anyway: 12 counties with 8 MiB a connection came to
     * 450 MiB. */
    if (st == PUAN_OK)
        st = puan_db_exec(&db->base,
                          readonly ? "PRAGMA cache_size=-1024;"
                                   : "PRAGMA cache_size=-4096;",
                          err);
    if (st == PUAN_OK && !readonly)
        st = puan_db_exec(&db->base,
                          "PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=FULL;",
                          err);
    if (st != PUAN_OK) {
        lite_close(&db->base);
        return st == PUAN_EBUG ? PUAN_EIO : st;
    }
    *out = &db->base;
    return PUAN_OK;
}

enum puan_status puan_sqlite_copy_to(struct puan_db *db, const char *path,
                                     struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    sqlite3_backup *b;
    sqlite3 *to = NULL;
    int rc;

    if (puan_file_exists(path))
        return puan_fail(err, PUAN_ECONFLICT, path, "exists already");
    make_private(path);
    rc = sqlite3_open_v2(path, &to,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (rc != SQLITE_OK) {
        st = fail(to, rc, err);
        goto out;
    }
    sqlite3_exec(to, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    b = sqlite3_backup_init(to, "main", handle(db), "main");
    if (!b) {
        st = fail(to, sqlite3_errcode(to), err);
        goto out;
    }
    do {
        rc = sqlite3_backup_step(b, 4096);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            sqlite3_sleep(5);
    } while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
    rc = sqlite3_backup_finish(b);
    if (rc != SQLITE_OK)
        st = fail(to, rc, err);
    /* a copy stands alone: no -wal file beside it */
    if (st == PUAN_OK &&
        sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) !=
            SQLITE_OK)
        st = fail(to, SQLITE_IOERR, err);
out:
    sqlite3_close(to);
    if (st == PUAN_OK) {
        /* the name must be as durable as the bytes */
        char dir[4096];
        const char *slash = strrchr(path, '/');

        if (slash && slash != path)
            puan_format(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
        else
            puan_format(dir, sizeof(dir), "%s", slash ? "/" : ".");
        st = puan_dir_sync(dir, err);
    }
    return st;
}
