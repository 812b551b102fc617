/*
 * The PostgreSQL client library, loaded when first needed (kit/os/late.h): its functions under
 * their own names.  Of this folder only, included by one file.
 */
#ifndef PUAN_KIT_DB_PQ_H
#define PUAN_KIT_DB_PQ_H

#include <libpq-fe.h>
#include <pthread.h>

#include "kit/os/late.h"

#define FUNCTIONS(X) \
    X(PQclear) \
    X(PQcmdStatus) \
    X(PQcmdTuples) \
    X(PQconnectdb) \
    X(PQerrorMessage) \
    X(PQexec) \
    X(PQexecPrepared) \
    X(PQfinish) \
    X(PQftype) \
    X(PQgetisnull) \
    X(PQgetlength) \
    X(PQgetvalue) \
    X(PQnfields) \
    X(PQntuples) \
    X(PQprepare) \
    X(PQresultErrorField) \
    X(PQresultStatus) \
    X(PQsetNoticeProcessor) \
    X(PQstatus)

#define POINTER(f) __typeof__(f) *f;
#define NAME(f) #f,

static struct {
    FUNCTIONS(POINTER)
} pq;

/* Once; safe from any thread. */
static inline enum puan_status pq_load(struct puan_err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    static const char *const name[] = { FUNCTIONS(NAME) };
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&lock);
    if (!loaded)
        st = puan_late_load(&pq, name, PUAN_COUNT(name), PUAN_LIBPQ,
                            "libpq5", err);
    loaded = st == PUAN_OK;
    pthread_mutex_unlock(&lock);
    return st;
}

#undef FUNCTIONS
#undef POINTER
#undef NAME

#define PQclear (pq.PQclear)
#define PQcmdStatus (pq.PQcmdStatus)
#define PQcmdTuples (pq.PQcmdTuples)
#define PQconnectdb (pq.PQconnectdb)
#define PQerrorMessage (pq.PQerrorMessage)
#define PQexec (pq.PQexec)
#define PQexecPrepared (pq.PQexecPrepared)
#define PQfinish (pq.PQfinish)
#define PQftype (pq.PQftype)
#define PQgetisnull (pq.PQgetisnull)
#define PQgetlength (pq.PQgetlength)
#define PQgetvalue (pq.PQgetvalue)
#define PQnfields (pq.PQnfields)
#define PQntuples (pq.PQntuples)
#define PQprepare (pq.PQprepare)
#define PQresultErrorField (pq.PQresultErrorField)
#define PQresultStatus (pq.PQresultStatus)
#define PQsetNoticeProcessor (pq.PQsetNoticeProcessor)
#define PQstatus (pq.PQstatus)

#endif
