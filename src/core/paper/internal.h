/*
 * What the files of core/paper share: places in the values.
 */
#ifndef PUAN_CORE_PAPER_INTERNAL_H
#define PUAN_CORE_PAPER_INTERNAL_H

#include "core/paper/template.h"

/* Where a name is looked for: the row, the row around it, the whole. */
struct puan_paper_scope {
    const struct puan_node *root, *row, *up;
    const struct puan_node *words; /* of the template, for `word` */
    int64_t n; /* number of the row, from 1 */
    bool en;
    struct puan_arena *arena;
};

/* One placeholder: "path|filter?other". */
struct puan_paper_slot {
    struct puan_str path, filter, other;
    bool has_other;
};
/* Splits what stands between braces. */
struct puan_paper_slot puan_paper_slot_of(struct puan_str inner);
bool puan_paper_filter_known(struct puan_str filter);

/* The node a path leads to; NULL when there is none, or nothing in it. */
const struct puan_node *puan_paper_find(const struct puan_paper_scope *s,
                                        struct puan_str path);
/* Writes a node as text; false when there is nothing to write. */
bool puan_paper_value(struct puan_out *o, const struct puan_paper_scope *s,
                      const struct puan_node *n, struct puan_str filter);
/* A text with its placeholders filled in.  `empty`: what an absent one gives. */
struct puan_str puan_paper_text(const struct puan_paper_scope *s,
                                struct puan_str text, const char *empty);
/* "path", "not path", "path = word". */
bool puan_paper_holds(const struct puan_paper_scope *s, struct puan_str when);
/* Label of what a path names: a field's, else the path itself. */
struct puan_str puan_paper_label(const struct puan_paper_scope *s,
                                 struct puan_str path);

#endif
