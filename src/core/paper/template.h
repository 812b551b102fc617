/*
 * Templates of papers: plan data that says what each part of a document is
 * taken from.  Filling one in gives the document as JSON (paper.h).
 *
 * doc/papers.md has the format.  A template never changes once loaded and
 * borrows from its tree.  Values come in as one tree; who may see what has
 * been decided by whoever made it.
 *
 * Depends on: flow (whose fields a paper about a case names), json.
 */
#ifndef PUAN_CORE_PAPER_TEMPLATE_H
#define PUAN_CORE_PAPER_TEMPLATE_H

#include "core/flow/flows.h"

struct puan_paper_source {
    struct puan_str name;  /* "board" */
    struct puan_str route; /* "board": below the campaign, {area} and {id} */
};
#define PUAN_PAPER_SOURCES 6

struct puan_paper_template {
    struct puan_str id, zh, en;
    int64_t version;
    bool of_case; /* else of an area */
    const struct puan_str *flow; /* of_case: the workflows it is for */
    size_t n_flows;
    struct puan_paper_source from[PUAN_PAPER_SOURCES];
    size_t n_from;
    const struct puan_str *needs; /* paths without which it is a draft */
    size_t n_needs;
    struct puan_str series; /* numbers are counted in; empty: no number */
    bool tables;            /* it has a table: may be a workbook */
    const struct puan_node *tree;
};

struct puan_paper_env {
    const struct puan_flows *flows; /* NULL: not checked */
    /* A GET route below the campaign; NULL: not checked. */
    bool (*route)(void *ctx, struct puan_str path);
    void *ctx;
};

/*
 * EINVAL  with file, line, column and remedy: an unknown key, a text without
 *         one of both languages, a placeholder that names nothing, a field
 *         its workflows have not, a secret field without `secrecy`
 */
PUAN_MUST_USE enum puan_status
puan_paper_template_load(struct puan_paper_template **out,
                         const struct puan_node *tree,
                         const struct puan_paper_env *env, struct puan_arena *a,
                         struct puan_err *err);
bool puan_paper_template_for(const struct puan_paper_template *t,
                             struct puan_str flow);

struct puan_paper_fill {
    bool en;
    struct puan_str mark; /* "草稿"; empty: none */
    bool drill;
    struct puan_str foot, made;
    const struct puan_node *page; /* NULL: the standard */
};
/*
 * Writes the document.  `values` is a map: what the template's sources gave
 * under their names, and seat, above, area, plan, now, year, n.
 */
PUAN_MUST_USE enum puan_status
puan_paper_fill(struct puan_out *o, const struct puan_paper_template *t,
                const struct puan_node *values,
                const struct puan_paper_fill *how, struct puan_arena *a,
                struct puan_err *err);

/*
 * What `needs` names and the values have not: labels in that language, in
 * the arena; returns how many.
 */
size_t puan_paper_missing(const struct puan_str **out,
                          const struct puan_paper_template *t,
                          const struct puan_node *values, bool en,
                          struct puan_arena *a);

#endif
