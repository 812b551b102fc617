/*
 * Libraries loaded when they are first needed.  Most commands speak to no
 * database server and serve no page; loading what only those need (some thirty
 * libraries behind two) took 5 of the 6 ms every command needed to begin.  A
 * machine that has them not can still do all the rest.
 *
 * Depends on: base.  Keeps what has been loaded until the process ends.
 */
#ifndef PUAN_KIT_OS_LATE_H
#define PUAN_KIT_OS_LATE_H

#include "base/status.h"

/*
 * Loads library `file` and fills fn[i] with its function name[i]; fn is the
 * first of as many function pointers.
 *
 * EIO  not installed, or without such a function; the text names `package`
 */
PUAN_MUST_USE enum puan_status puan_late_load(void *fn, const char *const *name,
                                              size_t n, const char *file,
                                              const char *package,
                                              struct puan_err *err);

#endif
