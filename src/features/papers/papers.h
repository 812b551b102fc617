/*
 * Papers: official documents made of what the census already knows, after the
 * plan's templates (papers/ *.yaml, core/paper), as PDF or, where they are
 * tables, as a workbook.
 *
 *   paper_print(id, paper, about, area, at, year, series, number, format, lang,
 *               mark, digest, role, person)                        covered
 *     one row for each paper handed out.  about: "case/12", "area/370883/2020-11-05"; area:
 *     of the office that issues it; number 0: none (draft, drill, or a paper
 *     that has none); digest: of the document, as its check code begins
 *
 * Values are read through the routes a page reads, as this seat: a paper never
 * shows more than a page.  A number, once given to a paper about a thing, stays
 * with it.
 *
 * Depends on: host, plans, core/paper; the program puan-paper for PDF.
 */
#ifndef PUAN_FEATURES_PAPERS_PAPERS_H
#define PUAN_FEATURES_PAPERS_PAPERS_H

#include "core/flow/flows.h"
#include "core/paper/template.h"
#include "features/host/feature.h"

extern const struct puan_feature puan_feature_papers;

/* Templates of all packs of a plan; a later pack's paper of the same name is
 * not taken: the plan's own goes first. */
struct puan_paper_list {
    const struct puan_paper_template **at;
    size_t n;
    const struct puan_node *page; /* papers/page.yaml; NULL: none */
};
/*
 * Reads them.  Faults go to `problems` when it is given, else the first one
 * ends it.
 */
PUAN_MUST_USE enum puan_status
puan_papers_read(struct puan_paper_list *out, const struct puan_plan *plan,
                 const struct puan_flows *flows, struct puan_problems *problems,
                 struct puan_arena *a, struct puan_err *err);

#endif
