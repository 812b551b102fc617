/*
 * Inside features/cases: what pages are shown of runs: one whole case, and
 * lists.
 *
 * A list must know of every open run its title, due time and who may act, and
 * keeps that in memory (a face), folded again when the run has gone on.  Faces
 * are derived and may be thrown away at any time.
 */
#ifndef PUAN_FEATURES_CASES_VIEW_H
#define PUAN_FEATURES_CASES_VIEW_H

#include "features/cases/internal.h"
#include "features/host/request.h"

/* Who asks, seen from the area of a run. */
struct puan_flow_who puan_case_who(const struct puan_request *rq, int64_t area);
/* Secret fields are for seats cleared for secret material (contract 17). */
bool puan_case_cleared(const struct puan_request *rq);
/* Runs that forbid something here. */
struct puan_case_block {
    int64_t run;
    const struct puan_flow *flow; /* of that run */
    puan_flow_set transitions;    /* of this run's flow */
};
PUAN_MUST_USE enum puan_status
puan_case_blocks(struct puan_case_block **out, size_t *n, struct puan_store *st,
                 struct puan_db *db, const struct puan_flow *flow,
                 puan_flow_set transitions, int64_t area, struct puan_arena *a,
                 struct puan_err *err);
/* Fact "open.FLOW" for each flow a transition wants none open of. */
PUAN_MUST_USE enum puan_status
puan_case_children(struct puan_case_facts *out, const struct puan_flow *f,
                   struct puan_db *db, int64_t id, struct puan_arena *a,
                   struct puan_err *err);

/* A case with all that bears on it now, read for one request. */
struct puan_case_look {
    struct puan_case_row row;
    struct puan_flow_run *run;
    struct puan_flow_who who;
    struct puan_case_facts facts;
    struct puan_case_block *block;
    size_t n_blocks;
    struct puan_flow_world world; /* `blocker_of` says which acts */
};
PUAN_MUST_USE enum puan_status puan_case_look_at(struct puan_case_look *out,
                                                 struct puan_request *rq,
                                                 struct puan_db **db,
                                                 int64_t id,
                                                 struct puan_err *err);

/* ---- words ---------------------------------------------------------------- */

/* One sentence: the field "title", else the flow and its matter. */
void puan_case_title(struct puan_out *o, const struct puan_flow_run *run,
                     bool zh);
/* The word of a field "level" (blue … red), else empty. */
struct puan_str puan_case_level(const struct puan_flow_run *run);

/* What a notice says of its case: level, number, the time it is due. */
struct puan_case_brief {
    char number[24];
    struct puan_str level;
    const struct puan_flow_label *clock; /* NULL: none runs */
    int64_t due_ms;
    const char *title_zh, *title_en;
};
PUAN_MUST_USE enum puan_status puan_case_brief(struct puan_case_brief *out,
                                               struct puan_request *rq,
                                               struct puan_db *db, int64_t id,
                                               struct puan_err *err);

/* ---- requests -------------------------------------------------------------- */

enum puan_status puan_case_show(struct puan_request *rq, int64_t id,
                                struct puan_err *err);
enum puan_status puan_case_svg(struct puan_request *rq, int64_t id,
                               struct puan_str lang, struct puan_err *err);

/* The flows this seat may open, with the fields opening takes. */
enum puan_status puan_case_openable(struct puan_request *rq,
                                    struct puan_err *err);

struct puan_case_list {
    int64_t area;
    struct puan_str flow, state, due, group;
    bool open, mine;
    struct puan_page page;
};
enum puan_status puan_case_list(struct puan_request *rq,
                                const struct puan_case_list *in,
                                struct puan_err *err);

#endif
