/*
 * The parsed-plan tree: what a YAML or JSON text said, with where it said it.
 * Scalars keep their text; `quoted` tells "1" from 1.  kit/yaml and base/json
 * fill it; core reads plans from it without knowing where they came from.
 *
 * Depends on: arena.  A tree lives in the arena it was built in.
 */
#ifndef PUAN_BASE_NODE_H
#define PUAN_BASE_NODE_H

#include "base/arena.h"

enum puan_node_kind {
    PUAN_NODE_NULL,
    PUAN_NODE_SCALAR,
    PUAN_NODE_LIST,
    PUAN_NODE_MAP
};

struct puan_node {
    enum puan_node_kind kind;
    bool quoted;              /* scalar: was a quoted (string) scalar */
    struct puan_str key;      /* in a map: its key */
    uint32_t key_line, key_col;
    struct puan_str text;     /* scalar: decoded text */
    const char *file;         /* terminated, shared by the whole tree */
    uint32_t line, col;       /* of the value, 1-based */
    struct puan_node *first, *next; /* children; next sibling */
    size_t n;                 /* children */
};

/* Child of a map by key, or NULL (also when n is NULL or not a map). */
const struct puan_node *puan_node_get(const struct puan_node *n,
                                      const char *key);
const struct puan_node *puan_node_get_s(const struct puan_node *n,
                                        struct puan_str key);
/* i-th child of a list or map, or NULL. */
const struct puan_node *puan_node_at(const struct puan_node *n, size_t i);

/* For every child c of n (n may be NULL). */
#define PUAN_NODE_EACH(c, n)                                                   \
    for (const struct puan_node *c = (n) ? (n)->first : NULL; c; c = c->next)

/*
 * Typed access; the error names file, line, column, the key and what was
 * expected.  The _opt forms give `dflt` when the key is absent.
 */
PUAN_MUST_USE enum puan_status puan_node_str(struct puan_str *out,
                                             const struct puan_node *map,
                                             const char *key,
                                             struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_node_int(int64_t *out,
                                             const struct puan_node *map,
                                             const char *key, int64_t min,
                                             int64_t max, struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_node_bool(bool *out,
                                              const struct puan_node *map,
                                              const char *key, bool dflt,
                                              struct puan_err *err);
struct puan_str puan_node_str_opt(const struct puan_node *map, const char *key,
                                  const char *dflt);
/*
 * Refuses keys of `map` not in the NULL-ended list `known`, naming the nearest
 * known one as the remedy.
 */
PUAN_MUST_USE enum puan_status
puan_node_only(const struct puan_node *map, const char *const *known,
               struct puan_err *err);
/* The column its text begins in, behind a quote if there is one. */
uint32_t puan_node_text_col(const struct puan_node *n);
/* A failure at the node's position. */
enum puan_status puan_node_fail(const struct puan_node *n, struct puan_err *err,
                                const char *fmt, ...) PUAN_PRINTF(3, 4);

#endif
