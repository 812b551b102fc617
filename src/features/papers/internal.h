/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_PAPERS_INTERNAL_H
#define PUAN_FEATURES_PAPERS_INTERNAL_H

#include <pthread.h>

#include "core/paper/paper.h"
#include "features/host/request.h"
#include "features/papers/papers.h"

struct puan_papers {
    struct puan_arena arena;
    struct puan_flows flows;
    struct puan_paper_list list;
    pthread_mutex_t one; /* one paper is set at a time */
};
const struct puan_papers *puan_papers_of(struct puan_store *st);
const struct puan_paper_template *puan_papers_get(const struct puan_paper_list *l,
                                                  struct puan_str id);

/* ---- values.c ------------------------------------------------------------- */

struct puan_paper_case {
    struct puan_node *tree; /* of GET /cases/{id} */
    struct puan_str json;
    struct puan_str flow;
    bool drill;
};
PUAN_MUST_USE enum puan_status puan_papers_case(struct puan_paper_case *out,
                                                struct puan_request *rq,
                                                int64_t id,
                                                struct puan_err *err);
/*
 * Everything a template may name.  `c` is NULL for papers about an area;
 * `number` 0: not yet, or none.
 */
PUAN_MUST_USE enum puan_status
puan_papers_values(const struct puan_node **out, struct puan_request *rq,
                   const struct puan_paper_template *t,
                   const struct puan_paper_case *c, int64_t area,
                   struct puan_str number, struct puan_err *err);

/* ---- set.c ---------------------------------------------------------------- */

/*
 * The document as PDF, by the program puan-paper.  ELIMIT when it takes too
 * long.
 *
 * ENOTFOUND  the program is not installed   EINVAL  what it refused, in words
 */
PUAN_MUST_USE enum puan_status puan_papers_set(struct puan_str *pdf,
                                               struct puan_str json,
                                               struct puan_arena *a,
                                               struct puan_err *err);

/* ---- book.c --------------------------------------------------------------- */

/* Its tables as a workbook, a sheet each.  EINVAL: it has none. */
PUAN_MUST_USE enum puan_status puan_papers_book(struct puan_str *xlsx,
                                                const struct puan_paper *p,
                                                struct puan_arena *a,
                                                struct puan_err *err);

/* ---- routes.c, command.c ---------------------------------------------------- */

#define PUAN_PAPER_ROUTES 3
extern const struct puan_route puan_paper_routes[PUAN_PAPER_ROUTES];
#define PUAN_PAPER_COMMANDS 3
extern const struct puan_command puan_paper_commands[PUAN_PAPER_COMMANDS];

#endif
