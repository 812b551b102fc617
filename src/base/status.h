/*
 * Status codes and the one error value.  Every function that can fail returns
 * enum puan_status and fills the caller's struct puan_err; the first failure
 * wins, so the message names the cause.
 *
 * Depends on: nothing.  Does no I/O, keeps no state.
 */
#ifndef PUAN_BASE_STATUS_H
#define PUAN_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PUAN_MUST_USE __attribute__((warn_unused_result))
#define PUAN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PUAN_MUST_USE
#define PUAN_PRINTF(f, a)
#endif

#define PUAN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A code exists when a caller acts differently on it. */
enum puan_status {
    PUAN_OK = 0,
    PUAN_EINVAL,    /* the input is malformed or out of its range */
    PUAN_ENOTFOUND, /* the named thing does not exist */
    PUAN_ECONFLICT, /* the thing has changed since the caller read it */
    PUAN_EDENIED,   /* the seat or area may not do this; carries no data */
    PUAN_ELIMIT,    /* a bound was reached: size, rate, attempts */
    PUAN_EBUSY,     /* try again: lock, serialization, queue full */
    PUAN_EIO,       /* disk, network or database failed */
    PUAN_ENOMEM,
    PUAN_EBUG,      /* something only a programming error can cause */
    PUAN_EWRITE     /* an output file cannot be written: place, rights, room */
};

/* Zero it before the first use: struct puan_err err = { 0 }. */
struct puan_err {
    enum puan_status code;
    uint32_t line, col; /* 1-based; 0 when there is no position */
    char where[96];     /* file, field or subject; may be empty */
    char text[256];     /* one line, no full stop */
};

/* "EINVAL", never NULL. */
const char *puan_status_name(enum puan_status code);

/*
 * Records a failure and returns `code`, so that a caller can write
 * `return puan_fail(...)`.  Keeps an earlier failure.  err may be NULL.
 * The format knows %s %.*s %d %u %ld %lu %lld %llu %zu %c %x %%, with width
 * and zero padding for numbers.
 */
enum puan_status puan_fail(struct puan_err *err, enum puan_status code,
                           const char *where, const char *fmt, ...)
    PUAN_PRINTF(4, 5);

/* The same, with a position in a text. */
enum puan_status puan_fail_at(struct puan_err *err, enum puan_status code,
                              const char *where, uint32_t line, uint32_t col,
                              const char *fmt, ...) PUAN_PRINTF(6, 7);

/* Leaves the function when a call in it fails; for where nothing is held. */
#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

#endif
