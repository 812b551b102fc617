/*
 * Request targets and parameters: splits and decodes a target, and fills a
 * row's struct from path, query and JSON body by the row's table.
 *
 * Refuses what is not declared, what is given twice, what is out of its range.
 * Knows no session and no store; reads only what it is given.
 *
 * Depends on: base, kit/http (decoding).
 */
#ifndef PUAN_FEATURES_HOST_PARAMS_H
#define PUAN_FEATURES_HOST_PARAMS_H

#include "features/host/feature.h"

#define PUAN_SEGMENTS 16
#define PUAN_PAIRS 32
#define PUAN_PARAMS_MAX 64

struct puan_target {
    struct puan_str segment[PUAN_SEGMENTS]; /* decoded; "/" has none */
    size_t n_segments;
    struct {
        struct puan_str key, value; /* decoded */
    } pair[PUAN_PAIRS];
    size_t n_pairs;
};

/* EINVAL: not an absolute path, empty or dot segment, too many, bad escape. */
PUAN_MUST_USE enum puan_status puan_target_parse(struct puan_target *out,
                                                 struct puan_str target,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);

/* A route's path taken apart once. */
struct puan_pattern {
    struct puan_str segment[PUAN_SEGMENTS]; /* of a parameter: its name */
    bool is_param[PUAN_SEGMENTS];
    size_t n_segments, n_literals;
};
/* EBUG when a path of a table is malformed. */
PUAN_MUST_USE enum puan_status puan_pattern_make(struct puan_pattern *out,
                                                 const char *path,
                                                 struct puan_err *err);
bool puan_pattern_match(const struct puan_pattern *p,
                        const struct puan_target *t);

/*
 * *out: a zeroed struct of row->in_size in the arena, filled.  `set` gets a bit
 * per parameter that was given.  The body is looked at when the row has no
 * raw_body and `has_body`.
 */
PUAN_MUST_USE enum puan_status
puan_params_fill(void **out, uint64_t *set, const struct puan_route *row,
                 const struct puan_pattern *p, const struct puan_target *t,
                 struct puan_str body, struct puan_arena *a,
                 struct puan_err *err);

#endif
