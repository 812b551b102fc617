/*
 * What the operating system gives: memory for arenas, clocks, random bytes,
 * files, directories, terminals.
 *
 * Knows nothing of a census.  Never logs, never exits, never keeps a path.
 * Depends on: base.
 */
#ifndef PUAN_KIT_OS_OS_H
#define PUAN_KIT_OS_OS_H

#include "base/arena.h"

/* malloc and free as an arena host; shared, lives for ever, any thread. */
const struct puan_alloc *puan_os_alloc(void);

/* Real time, ms since 1970 UTC; and a clock that never goes back, ns. */
int64_t puan_os_now_ms(void);
int64_t puan_os_mono_ns(void);

/* n bytes from the system's generator.  EIO when it has none. */
PUAN_MUST_USE enum puan_status puan_os_random(void *p, size_t n,
                                              struct puan_err *err);
/* Overwrites memory in a way no compiler removes. */
void puan_os_wipe(void *p, size_t n);

/* Processors this process may use, at least 1. */
unsigned puan_os_cpus(void);
/* Peak resident set of this process in KiB. */
int64_t puan_os_peak_kib(void);

bool puan_os_is_terminal(int fd);
/* Columns of a terminal; 80 when unknown. */
unsigned puan_os_terminal_width(int fd);

/*
 * The whole file, terminated, in the arena.
 *
 * ENOTFOUND  no such file   ELIMIT  larger than `max` bytes (0: no limit)
 */
PUAN_MUST_USE enum puan_status puan_file_read(struct puan_str *out,
                                              const char *path, size_t max,
                                              struct puan_arena *a,
                                              struct puan_err *err);
/*
 * Replaces or makes the file as a whole: written beside it, flushed, renamed,
 * the directory flushed.  A reader sees the old or the new content.  `mode` as
 * chmod (0600, 0644).
 */
PUAN_MUST_USE enum puan_status puan_file_write(const char *path,
                                               struct puan_str data,
                                               unsigned mode,
                                               struct puan_err *err);
bool puan_file_exists(const char *path); /* anything of that name */
/*
 * A rename onto `path` puts a file in place: nothing of that name is there, or
 * an ordinary file.  A device, a pipe or a link (/dev/full, /dev/stdout) would
 * itself be lost.
 */
bool puan_file_replaceable(const char *path);
/* Whether `path` (may be NULL) is there and one of n others, by any name. */
bool puan_file_among(const char *path, const char *const *others, size_t n);
bool puan_dir_exists(const char *path);
/* -1 when it does not exist. */
int64_t puan_file_size(const char *path);
/* Bytes a program may still write where `path` lies, and all there are; false
 * when it cannot be told. */
bool puan_disk_space(int64_t *left, int64_t *all, const char *path);
PUAN_MUST_USE enum puan_status puan_file_remove(const char *path,
                                                struct puan_err *err);
/* Copies byte for byte and flushes; the target must not exist. */
PUAN_MUST_USE enum puan_status puan_file_copy(const char *from, const char *to,
                                              struct puan_err *err);

/* A file mapped for reading; pages come as they are touched. */
struct puan_map {
    struct puan_str bytes;
};
PUAN_MUST_USE enum puan_status puan_map_open(struct puan_map *m,
                                             const char *path,
                                             struct puan_err *err);
/* Long runs of it will be read: large pages, where the system has them. */
void puan_map_large(const struct puan_map *m);
void puan_map_close(struct puan_map *m); /* safe on a zeroed map */

/*
 * A file that has no name and holds a text, for readers that want a path; the
 * path is good until it is closed.
 */
struct puan_memory_file {
    int fd; /* -1: not open */
    char path[32];
};
PUAN_MUST_USE enum puan_status
puan_memory_file_open(struct puan_memory_file *m, struct puan_str text,
                      struct puan_err *err);
void puan_memory_file_close(struct puan_memory_file *m);

/* mkdir -p, mode 0750. */
PUAN_MUST_USE enum puan_status puan_dir_make(const char *path,
                                             struct puan_err *err);
/* Flushes the directory itself, so that names in it are durable. */
PUAN_MUST_USE enum puan_status puan_dir_sync(const char *path,
                                             struct puan_err *err);
/* A new empty directory under $TMPDIR or /tmp; the name is in the arena. */
PUAN_MUST_USE enum puan_status puan_dir_temp(const char **out,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Removes a directory and all in it; does not follow links. */
PUAN_MUST_USE enum puan_status puan_dir_remove(const char *path,
                                               struct puan_err *err);
/* Names in a directory, without "." and "..", ascending by bytes. */
PUAN_MUST_USE enum puan_status puan_dir_list(const char ***names, size_t *n,
                                             const char *path,
                                             struct puan_arena *a,
                                             struct puan_err *err);

#endif
