/*
 * One line an event on standard error:
 *
 *   2020-11-01T00:00:00.000Z info commit store=370883 acts=17 ms=4
 *
 * Values with a space, quote or control character are quoted and escaped, so a
 * line is always one line.  Never log a name, an ID number, an address, a key,
 * a password, a token or the text of an answer: only codes, counts and digests.
 *
 * At most 50 lines a second (debug apart): the first line after that carries
 * left_out=N.
 *
 * Depends on: base, os.  Level from $PUAN_LOG (debug, info, warn, error, off),
 * info when unset.  Any thread.
 */
#ifndef PUAN_KIT_LOG_LOG_H
#define PUAN_KIT_LOG_LOG_H

#include "base/text.h"

enum puan_log_level {
    PUAN_LOG_DEBUG,
    PUAN_LOG_INFO,
    PUAN_LOG_WARN,
    PUAN_LOG_ERROR,
    PUAN_LOG_OFF
};

struct puan_log_field {
    const char *key;
    struct puan_str text; /* used when is_int is false */
    int64_t num;
    bool is_int;
};
#define PUAN_LOG_I(k, v) { .key = (k), .num = (int64_t)(v), .is_int = true }
#define PUAN_LOG_S(k, v) { .key = (k), .text = (v) }
#define PUAN_LOG_T(k, v) { .key = (k), .text = puan_str_of(v) }

void puan_log_level_set(enum puan_log_level level);
bool puan_log_on(enum puan_log_level level);
void puan_log_line(enum puan_log_level level, const char *event,
                   const struct puan_log_field *fields, size_t n);
/* puan_log(PUAN_LOG_INFO, "commit", PUAN_LOG_I("acts", n), ...) */
#define puan_log(level, event, ...)                                            \
    puan_log_line((level), (event),                                            \
                  (const struct puan_log_field[]){ __VA_ARGS__ },              \
                  sizeof((const struct puan_log_field[]){ __VA_ARGS__ }) /     \
                      sizeof(struct puan_log_field))
/*
 * From now on the last PUAN_LOG_KEPT bytes of lines, of every level, stand in
 * memory as well: what looks at a log of its own process afterwards reads them
 * here.  Calling it again changes nothing.
 */
#define PUAN_LOG_KEPT 65536
void puan_log_keep(void);
/* Copies what is kept, whole lines, oldest first; the bytes written. */
size_t puan_log_kept(char *out, size_t size);
/* An error value as an event. */
void puan_log_err(enum puan_log_level level, const char *event,
                  const struct puan_err *err);

#endif
