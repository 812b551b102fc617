/*
 * Manual pages (section 1), one a command and one of all, made from the same
 * tables as `puan help`.
 *
 * Does file I/O.
 */
#ifndef PUAN_PROGRAMS_MAN_H
#define PUAN_PROGRAMS_MAN_H

#include "base/status.h"

/* Writes puan.1 and puan-<words of the command>.1 into a directory. */
PUAN_MUST_USE enum puan_status puan_man_write(const char *dir,
                                              struct puan_err *err);

#endif
