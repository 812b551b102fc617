/*
 * Status names and the filling of struct puan_err.
 */
#include "base/status.h"

#include "base/text.h"

const char *puan_status_name(enum puan_status code)
{
    switch (code) {
    case PUAN_OK:
        return "OK";
    case PUAN_EINVAL:
        return "EINVAL";
    case PUAN_ENOTFOUND:
        return "ENOTFOUND";
    case PUAN_ECONFLICT:
        return "ECONFLICT";
    case PUAN_EDENIED:
        return "EDENIED";
    case PUAN_ELIMIT:
        return "ELIMIT";
    case PUAN_EBUSY:
        return "EBUSY";
    case PUAN_EIO:
        return "EIO";
    case PUAN_ENOMEM:
        return "ENOMEM";
    case PUAN_EBUG:
        return "EBUG";
    case PUAN_EWRITE:
        return "EWRITE";
    }
    return "EUNKNOWN";
}

static enum puan_status fail(struct puan_err *err, enum puan_status code,
                             const char *where, uint32_t line, uint32_t col,
                             const char *fmt, va_list ap)
{
    if (err == NULL || err->code != PUAN_OK)
        return code;
    err->code = code;
    err->line = line;
    err->col = col;
    puan_format(err->where, sizeof(err->where), "%s", where ? where : "");
    puan_vformat(err->text, sizeof(err->text), fmt, ap);
    return code;
}

enum puan_status puan_fail(struct puan_err *err, enum puan_status code,
                           const char *where, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    code = fail(err, code, where, 0, 0, fmt, ap);
    va_end(ap);
    return code;
}

enum puan_status puan_fail_at(struct puan_err *err, enum puan_status code,
                              const char *where, uint32_t line, uint32_t col,
                              const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    code = fail(err, code, where, line, col, fmt, ap);
    va_end(ap);
    return code;
}
