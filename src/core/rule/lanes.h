/*
 * The third executor: rules and derived expressions over a frame, in lanes.
 *
 * A value is kept as narrow as the frame's codebook allows (8, 16, 32 or 64
 * bits from a base), a truth as one bit a row, and what is unknown as a bit
 * plane for each reason, where an item can be unknown at all.  What several
 * rules say is computed once.  Quantifiers are reductions over the rows of a
 * unit, shared by all rules of that level.  Findings are those of the record
 * and the block executor (doc/rules.md section 5).
 *
 * Names are those of the frame: its entities are the levels, innermost last.
 * A rule of a level reads items and derived items of that level and of those
 * above it, and quantifies over any level below (or beside it: the rows of the
 * nearest unit above both).  An item that names the rows of a level (its key)
 * is an item of that level.
 *
 * Depends on: form, frame.  Does no I/O, knows no threads: the caller gives
 * row ranges to as many workers as it likes.
 */
#ifndef PUAN_CORE_RULE_LANES_H
#define PUAN_CORE_RULE_LANES_H

#include "core/frame/frame.h"
#include "core/rule/lookup.h"
#include "core/rule/rule.h"

struct puan_lanes;      /* compiled; shared by workers */
struct puan_lanes_work; /* one worker's buffers and counts */

struct puan_lanes_options {
    const struct puan_const *consts; /* settings of the plan */
    size_t n_consts;
    const struct puan_lookup *lookups; /* by the names the texts declare */
    size_t n_lookups;
    const struct puan_form
        *form; /* of the texts, for aliases and codes; the frame may lack
                  items of it.  NULL: rules written for these data */
    bool own_levels; /* rules speak of the form's entities alone: an area level
                        of the frame is none, whatever its name */
};

/* ---- rules ---- */

/*
 * The rules of the texts over a frame.  A rule that the frame cannot hold (an
 * item or level it lacks) is left out, with the reason in the skips; any other
 * fault refuses the texts.  Info's entity is the frame's.
 *
 * EINVAL  as puan_ruleset_compile
 */
PUAN_MUST_USE enum puan_status
puan_lanes_compile(struct puan_lanes **out, const struct puan_frame *f,
                   const struct puan_str *texts, const char *const *files,
                   size_t n_texts, const struct puan_lanes_options *opt,
                   struct puan_arena *a, struct puan_err *err);
/*
 * Refuses rules of the texts, which must compile, that contradict each other
 * over what the frame holds or might hold: no row passes them together.  What
 * cannot be decided soon passes.
 *
 * EINVAL  they do; names the rules and the first one's place
 */
PUAN_MUST_USE enum puan_status
puan_lanes_consistent(const struct puan_frame *f, const struct puan_str *texts,
                      const char *const *files, size_t n_texts,
                      const struct puan_lanes_options *opt,
                      struct puan_arena *a, struct puan_err *err);
/* Ids, messages, severities and skips, as of any rule set. */
const struct puan_ruleset *puan_lanes_ruleset(const struct puan_lanes *l);

/*
 * A run is one pass or several: what is counted over a whole level (an area's
 * persons) is complete only behind the pass that counts it.  In a pass, rows
 * [0, puan_lanes_rows) of its level may be split at will among workers; all of
 * them end before the next pass begins.
 */
size_t puan_lanes_passes(const struct puan_lanes *l);
uint64_t puan_lanes_rows(const struct puan_lanes *l, size_t pass);

/* Per rule; instances that do not apply or are silent are in none of them. */
struct puan_lanes_count {
    uint64_t evaluated, not_evaluable, findings;
};
/*
 * Findings of one rule among rows [row, row + n) of its entity: bit i of the
 * words is row + i.  Called only when there is one.  Rows come in rising order
 * for a rule within a call of puan_lanes_run.
 */
typedef void puan_lanes_found(void *ctx, uint16_t rule, uint64_t row,
                              uint32_t n, const uint64_t *bits);

PUAN_MUST_USE enum puan_status puan_lanes_work_new(struct puan_lanes_work **out,
                                                   const struct puan_lanes *l,
                                                   struct puan_arena *a,
                                                   struct puan_err *err);
/* Runs rows [from, to) of the pass; found may be NULL.  Adds to the counts. */
void puan_lanes_run(struct puan_lanes_work *w, size_t pass, uint64_t from,
                    uint64_t to, puan_lanes_found *found, void *ctx);
const struct puan_lanes_count *
puan_lanes_counts(const struct puan_lanes_work *w);

/* ---- derived expressions ---- */

struct puan_lanes_source {
    struct puan_str text; /* "age_at(D5, ref_month) / 5" */
    const char *file;     /* for messages */
    uint32_t line;
    bool truth; /* only a truth value will do */
};

/*
 * Expressions over the rows of one entity, compiled together so that what they
 * share is computed once.  `texts` hold the constants, derived items and
 * tables they may use; rules in them are left aside.
 */
PUAN_MUST_USE enum puan_status
puan_lanes_expr_compile(struct puan_lanes **out, const struct puan_frame *f,
                        uint16_t entity,
                        const struct puan_lanes_source *sources, size_t n,
                        const struct puan_str *texts, const char *const *files,
                        size_t n_texts, const struct puan_lanes_options *opt,
                        struct puan_arena *a, struct puan_err *err);

struct puan_lanes_type {
    bool truth;
    enum puan_item_type type; /* INT FIXED CODE MONTH DATE AREA */
    unsigned places, digits;
    const struct puan_codelist *codes;
    int64_t least, most; /* every known value lies between; a truth 0 and 1 */
    bool known;          /* never unknown */
};
void puan_lanes_expr_type(struct puan_lanes_type *out,
                          const struct puan_lanes *l, size_t i);

#define PUAN_LANES_ROWS 4096u /* most rows of one look */

/*
 * Values of one expression for a range of rows.  A truth has no lane: its bits
 * are set where it is true.  Else the value of row i is base + lane[i], lanes
 * being `width` bytes, unsigned; it means nothing where the row is unknown.
 * The planes hold a bit for each row unknown for that reason; NULL: none.
 * Valid until the worker's next look.
 */
struct puan_lanes_value {
    uint8_t width; /* 0: a truth */
    int64_t base;
    const void *lane;
    const uint64_t *bits;
    const uint64_t *not_asked, *missing, *invalid;
};
/* All n expressions for rows [row, row + n) of their entity; n of at most
   PUAN_LANES_ROWS.  The passes, mostly none, must have been run. */
void puan_lanes_look(struct puan_lanes_value *out, struct puan_lanes_work *w,
                     uint64_t row, uint32_t n);
/* One value out of a look, for single looks and tests. */
int64_t puan_lanes_at(enum puan_state *state, const struct puan_lanes_value *v,
                      uint32_t i);

#endif
