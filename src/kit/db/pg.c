/*
 * The PostgreSQL engine of kit/db: prepared statements, text and bytes sent
 * raw, integers as text (so that they fit any integer column), results in
 * binary.  A whole result is fetched at once.
 *
 * "#schema" at the end of the address becomes the only search path; with
 * PUAN_DB_CREATE it is made when missing.
 *
 * A statement is prepared at its first run, when the kinds of its parameters
 * are known: an integer is a BIGINT wherever it stands, so that "$1 * 2" means
 * the same as in SQLite.
 */
#include <stdlib.h>

#include "kit/db/internal.h"
#include "kit/db/pq.h"
#include "kit/os/os.h"

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21,
       OID_INT4 = 23, OID_TEXT = 25, OID_OID = 26, OID_NUMERIC = 1700 };

struct pg {
    struct puan_db base;
    PGconn *c;
    unsigned next; /* number of the next statement name */
};

#define PG_PARAMS 64

struct pg_stmt {
    struct puan_stmt base;
    char name[16];
    int n_params;
    const char *value[PG_PARAMS];
    int length[PG_PARAMS], format[PG_PARAMS];
    char num[PG_PARAMS][24];
    Oid type[PG_PARAMS];
    bool prepared;
    PGresult *r;
    int row;
    bool ran;
};

static struct pg *conn(struct puan_db *db)
{
    return (struct pg *)(void *)db;
}

static struct pg_stmt *of(struct puan_stmt *s)
{
    return (struct pg_stmt *)(void *)s;
}

static enum puan_status fail(PGconn *c, const PGresult *r,
                             struct puan_err *err)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
                         : NULL;
    enum puan_status st = PUAN_EIO;
    size_t n;

    if (!text)
        text = PQerrorMessage(c);
    n = strcspn(text, "\n");
    if (state) {
        if (strcmp(state, "23505") == 0)
            st = PUAN_ECONFLICT;
        else if (strncmp(state, "40", 2) == 0 || strcmp(state, "55P03") == 0)
            st = PUAN_EBUSY;
        else if (strncmp(state, "23", 2) == 0)
            st = PUAN_EINVAL;
        else if (strcmp(state, "53200") == 0)
            st = PUAN_ENOMEM;
        else if (strncmp(state, "42", 2) == 0 ||
                 strncmp(state, "22", 2) == 0 || strncmp(state, "0", 1) == 0)
            st = PUAN_EBUG;
    }
    return puan_fail(err, st, "postgresql", "%.*s", (int)n, text);
}

static enum puan_status pg_prepare(struct puan_stmt **out, struct puan_db *db,
                                   const char *sql, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct pg_stmt *s = calloc(1, sizeof(*s));

    if (!s)
        return puan_fail(err, PUAN_ENOMEM, "postgresql", "out of memory");
    puan_format(s->name, sizeof(s->name), "s%u", conn(db)->next++);
    for (const char *p = sql; *p; p++) {
        int k = 0;

        if (*p != '$')
            continue;
        while (p[1] >= '0' && p[1] <= '9' && k <= PG_PARAMS)
            k = k * 10 + (*++p - '0');
        if (k > s->n_params)
            s->n_params = k;
    }
    if (st == PUAN_OK && s->n_params > PG_PARAMS)
        st = puan_fail(err, PUAN_EBUG, "postgresql",
                       "parameters must be $1 to $64 in: %.80s", sql);
    if (st != PUAN_OK) {
        free(s);
        return st;
    }
    *out = &s->base;
    return PUAN_OK;
}

static void pg_finalize(struct puan_stmt *s)
{
    PQclear(of(s)->r);
    free(s); /* the server forgets it with the connection */
}

static int slot(struct puan_stmt *s, int i)
{
    if (i < 1 || i > of(s)->n_params) {
        s->bad = PUAN_EBUG;
        return -1;
    }
    return i - 1;
}

static void pg_bind_raw(struct puan_stmt *s, int i, const char *p, size_t n,
                        Oid type)
{
    int k = slot(s, i);

    if (k < 0)
        return;
    if (n > 0x3fffffff) {
        s->bad = PUAN_ELIMIT;
        return;
    }
    of(s)->value[k] = p ? p : "";
    of(s)->length[k] = (int)n;
    of(s)->format[k] = 1;
    of(s)->type[k] = type;
}

static void pg_bind_int(struct puan_stmt *s, int i, int64_t v)
{
    int k = slot(s, i);

    if (k < 0)
        return;
    puan_format(of(s)->num[k], sizeof(of(s)->num[k]), "%lld", (long long)v);
    of(s)->value[k] = of(s)->num[k];
    of(s)->length[k] = 0;
    of(s)->format[k] = 0;
    of(s)->type[k] = OID_INT8;
}

static void pg_bind_text(struct puan_stmt *s, int i, struct puan_str v)
{
    pg_bind_raw(s, i, v.p, v.n, OID_TEXT);
}

static void pg_bind_bytes(struct puan_stmt *s, int i, const void *p, size_t n)
{
    pg_bind_raw(s, i, p, n, OID_BYTEA);
}

static void pg_bind_null(struct puan_stmt *s, int i)
{
    int k = slot(s, i);

    if (k >= 0)
        of(s)->value[k] = NULL;
}

static enum puan_status pg_step(bool *more, struct puan_stmt *s,
                                struct puan_err *err)
{
    struct pg_stmt *p = of(s);
    ExecStatusType kind;

    if (!p->ran) {
        PQclear(p->r);
        p->r = NULL;
        if (!p->prepared) {
            p->r = PQprepare(conn(s->db)->c, p->name, s->sql, p->n_params,
                             p->type);
            if (PQresultStatus(p->r) != PGRES_COMMAND_OK)
                return fail(conn(s->db)->c, p->r, err);
            PQclear(p->r);
            p->prepared = true;
        }
        p->r = PQexecPrepared(conn(s->db)->c, p->name, p->n_params, p->value,
                              p->length, p->format, 1);
        p->ran = true;
        p->row = -1;
        kind = PQresultStatus(p->r);
        if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
            return fail(conn(s->db)->c, p->r, err);
        if (strncmp(PQcmdStatus(p->r), "SELECT", 6) != 0) {
            int64_t n = 0;

            if (puan_int_parse(&n, puan_str_of(PQcmdTuples(p->r))))
                s->changes = n;
        }
    }
    p->row++;
    *more = PQresultStatus(p->r) == PGRES_TUPLES_OK &&
            p->row < PQntuples(p->r);
    return PUAN_OK;
}

static uint64_t big_endian(const uint8_t *p, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* numeric: digits of base 10000, weight of the first; decimals are cut. */
static int64_t numeric_int(const uint8_t *p, int n)
{
    int digits, weight;
    bool negative;
    uint64_t v = 0;

    if (n < 8)
        return 0;
    digits = (int)big_endian(p, 2);
    weight = (int16_t)big_endian(p + 2, 2);
    negative = big_endian(p + 4, 2) == 0x4000;
    for (int i = 0; i <= weight; i++) {
        uint64_t d = i < digits && 8 + 2 * i + 2 <= n
                         ? big_endian(p + 8 + 2 * i, 2)
                         : 0;

        v = v * 10000 + d;
    }
    return negative ? (int64_t)(0 - v) : (int64_t)v;
}

static int64_t pg_col_int(struct puan_stmt *s, int i)
{
    struct pg_stmt *p = of(s);
    const uint8_t *v = (const uint8_t *)PQgetvalue(p->r, p->row, i);
    int n = PQgetlength(p->r, p->row, i);
    int64_t out = 0;

    if (!v || PQgetisnull(p->r, p->row, i))
        return 0;
    switch (PQftype(p->r, i)) {
    case OID_INT8:
        return (int64_t)big_endian(v, 8);
    case OID_INT4:
        return (int32_t)big_endian(v, 4);
    case OID_OID:
        return (int64_t)big_endian(v, 4);
    case OID_INT2:
        return (int16_t)big_endian(v, 2);
    case OID_BOOL:
        return v[0];
    case OID_NUMERIC:
        return numeric_int(v, n);
    default:
        /* as SQLite does: a text that is a number is its value */
        if (puan_int_parse(&out, (struct puan_str){ (const char *)v,
                                                    (size_t)n }))
            return out;
        return 0;
    }
}

static enum puan_col_kind pg_col_kind(struct puan_stmt *s, int i)
{
    struct pg_stmt *p = of(s);

    if (PQgetisnull(p->r, p->row, i))
        return PUAN_COL_NULL;
    switch (PQftype(p->r, i)) {
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
    case OID_OID:
    case OID_BOOL:
    case OID_NUMERIC:
        return PUAN_COL_INT;
    case OID_BYTEA:
        return PUAN_COL_BYTES;
    default:
        return PUAN_COL_TEXT;
    }
}

static struct puan_str pg_col_bytes(struct puan_stmt *s, int i)
{
    struct pg_stmt *p = of(s);

    if (PQgetisnull(p->r, p->row, i))
        return (struct puan_str){ "", 0 };
    return (struct puan_str){ PQgetvalue(p->r, p->row, i),
                              (size_t)PQgetlength(p->r, p->row, i) };
}

static int pg_cols(struct puan_stmt *s)
{
    return PQnfields(of(s)->r);
}

static void pg_reset(struct puan_stmt *s)
{
    struct pg_stmt *p = of(s);

    PQclear(p->r);
    p->r = NULL;
    p->ran = false;
    for (int i = 0; i < p->n_params; i++)
        p->value[i] = NULL;
}

static enum puan_status pg_exec(struct puan_db *db, const char *sql,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    PGresult *r = PQexec(conn(db)->c, sql);
    ExecStatusType kind = PQresultStatus(r);

    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK &&
        kind != PGRES_EMPTY_QUERY)
        st = fail(conn(db)->c, r, err);
    /* a COMMIT of a failed transaction says ROLLBACK and is no success */
    else if (strcmp(sql, "COMMIT") == 0 &&
             strcmp(PQcmdStatus(r), "COMMIT") != 0)
        st = puan_fail(err, PUAN_EIO, "postgresql",
                       "the transaction was rolled back");
    PQclear(r);
    return st;
}

static void pg_close(struct puan_db *db)
{
    PQfinish(conn(db)->c);
    free(db);
}

static const struct puan_engine engine = {
    .prepare = pg_prepare,
    .finalize = pg_finalize,
    .bind_int = pg_bind_int,
    .bind_text = pg_bind_text,
    .bind_bytes = pg_bind_bytes,
    .bind_null = pg_bind_null,
    .step = pg_step,
    .col_int = pg_col_int,
    .col_bytes = pg_col_bytes,
    .col_kind = pg_col_kind,
    .cols = pg_cols,
    .reset = pg_reset,
    .exec = pg_exec,
    .close = pg_close,
};

static void quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message; /* notices; errors come back as results */
}

static enum puan_status use_schema(struct pg *db, const char *schema,
                                   unsigned flags, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    char sql[160];
    PGresult *r;

    for (const char *p = schema; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
              *p == '_'))
            return puan_fail(err, PUAN_EINVAL, "database",
                             "a schema is a-z, 0-9 and _ only");
    if (strlen(schema) > 48 || !schema[0])
        return puan_fail(err, PUAN_EINVAL, "database",
                         "a schema name has 1 to 48 characters");
    if (flags & PUAN_DB_CREATE) {
        puan_format(sql, sizeof(sql), "CREATE SCHEMA IF NOT EXISTS \"%s\"",
                    schema);
        st = pg_exec(&db->base, sql, err);
    } else {
        puan_format(sql, sizeof(sql),
                    "SELECT 1 FROM pg_namespace WHERE nspname = '%s'", schema);
        r = PQexec(db->c, sql);
        if (PQresultStatus(r) != PGRES_TUPLES_OK)
            st = fail(db->c, r, err);
        else if (PQntuples(r) == 0)
            st = puan_fail(err, PUAN_ENOTFOUND, schema, "no such schema");
        PQclear(r);
    }
    if (st != PUAN_OK)
        return st;
    puan_format(sql, sizeof(sql), "SET search_path TO \"%s\"", schema);
    return pg_exec(&db->base, sql, err);
}

enum puan_status puan_pg_open(struct puan_db **out, const char *url,
                              unsigned flags, struct puan_err *err)
{
    enum puan_status st = pq_load(err);
    const char *schema = strchr(url, '#');
    struct pg *db;
    char *plain;

    if (st != PUAN_OK)
        return st;
    db = calloc(1, sizeof(*db));
    plain = strdup(url);
    if (!db || !plain) {
        free(db);
        free(plain);
        return puan_fail(err, PUAN_ENOMEM, "postgresql", "out of memory");
    }
    if (schema)
        plain[schema - url] = '\0';
    db->base.engine = &engine;
    db->base.readonly = (flags & PUAN_DB_READONLY) != 0;
    db->c = PQconnectdb(plain);
    puan_os_wipe(plain, strlen(plain));
    free(plain);
    if (PQstatus(db->c) != CONNECTION_OK) {
        const char *text = PQerrorMessage(db->c);

        st = puan_fail(err,
                       strstr(text, "does not exist") ? PUAN_ENOTFOUND
                                                      : PUAN_EIO,
                       "postgresql", "%.*s", (int)strcspn(text, "\n"), text);
        goto out;
    }
    PQsetNoticeProcessor(db->c, quiet, NULL);
    st = pg_exec(&db->base,
                 "SET client_encoding TO 'UTF8';"
                 "SET synchronous_commit TO on;"
                 "SET standard_conforming_strings TO on",
                 err);
    if (st == PUAN_OK && schema)
        st = use_schema(db, schema + 1, flags, err);
    if (st == PUAN_OK && db->base.readonly)
        st = pg_exec(&db->base, "SET default_transaction_read_only TO on",
                     err);
out:
    if (st != PUAN_OK)
        pg_close(&db->base);
    else
        *out = &db->base;
    return st;
}
