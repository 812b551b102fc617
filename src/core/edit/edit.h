/*
 * What becomes of the findings of a return once they are kept: which stand
 * open, which were confirmed or overridden and why, what a correction made
 * appear and disappear, and the bytes in which all this is stored.
 *
 * The rules of the game (doc/contracts.md 2, domain of edits):
 *   soft  open until somebody confirms it with a reason
 *   hard  open until the answers are corrected; a rule marked `override` may
 *         stand with a reason given by one person and granted by another
 * A decision belongs to one version of a return.  A new version starts with
 * all findings open; whoever sends it sends its confirmations again, because a
 * confirmation says "this answer, as it stands here, is right".
 *
 * Rule numbers are places in the rule set of (plan digest, form): keep the
 * bytes beside a row that names both.  Reasons are free text and may name
 * people: they are encoded apart, to be sealed.
 *
 * Depends on: rule, json.  Does no I/O, reads no clock, keeps no state.
 */
#ifndef PUAN_CORE_EDIT_EDIT_H
#define PUAN_CORE_EDIT_EDIT_H

#include "base/json.h"
#include "core/rule/rule.h"

enum puan_edit_state {
    PUAN_EDIT_OPEN = 0,
    PUAN_EDIT_CONFIRMED = 1, /* soft: stands, with a reason */
    PUAN_EDIT_OVERRIDDEN =
        2 /* hard: stands, with a reason and a second person */
};

struct puan_edit {
    uint16_t rule;                      /* index in the rule set */
    uint8_t state;                      /* enum puan_edit_state */
    uint32_t row;                       /* row of the rule's entity, 0-based */
    struct puan_str reason, by, second; /* empty while open */
};

/* Ordered by rule, then row; no pair occurs twice. */
struct puan_edits {
    struct puan_edit *list;
    size_t n;
    int64_t version; /* of the rule set that made them; 0 not stated */
};

struct puan_edit_counts {
    uint32_t hard_open, hard_overridden, soft_open, soft_confirmed;
};

/* All findings of a run, open.  Fails only with ENOMEM. */
PUAN_MUST_USE enum puan_status puan_edits_from(struct puan_edits *out,
                                               const struct puan_findings *f,
                                               struct puan_arena *a,
                                               struct puan_err *err);

/* Rule numbers beyond the rule set count as hard. */
struct puan_edit_counts puan_edits_count(const struct puan_edits *e,
                                         const struct puan_ruleset *rs);
/* A return may be accepted: nothing hard is open, every soft one confirmed. */
bool puan_edits_settled(const struct puan_edits *e,
                        const struct puan_ruleset *rs);

/* Position of (rule, row), or -1. */
long puan_edits_find(const struct puan_edits *e, uint16_t rule, uint32_t row);
/* Index of a rule by id, or -1. */
int puan_edits_rule(const struct puan_ruleset *rs, struct puan_str id);

/*
 * Confirms a soft finding or overrides a hard one.  `second` is who granted an
 * override; empty for a confirmation.  The texts are borrowed.
 *
 * ENOTFOUND  no such finding
 * EINVAL     no reason, no person, or a reason beyond PUAN_EDIT_REASON bytes
 * EDENIED    a hard rule that may not be overridden
 * ECONFLICT  the second person is missing or is the first
 */
#define PUAN_EDIT_REASON 500
PUAN_MUST_USE enum puan_status
puan_edits_resolve(struct puan_edits *e, const struct puan_ruleset *rs,
                   uint16_t rule, uint32_t row, struct puan_str reason,
                   struct puan_str by, struct puan_str second,
                   struct puan_err *err);

/*
 * Applies a document's "confirm" list, given as JSON text:
 *   [{"rule":"RH15","row":2,"reason":"..."},...]
 * row is the line, counted from 1; absent for household rules.  `by` is the
 * sender.  Confirmations that match no finding are counted in *unused and do
 * no harm (the answer has since been corrected).  Hard findings cannot be
 * settled this way.  An empty text is an empty list.
 *
 * EINVAL   malformed list, unknown key or rule, empty reason
 * EDENIED  names a hard rule
 */
PUAN_MUST_USE enum puan_status
puan_edits_confirm(struct puan_edits *e, uint32_t *unused,
                   const struct puan_ruleset *rs, struct puan_str json,
                   struct puan_str by, struct puan_arena *a,
                   struct puan_err *err);

/* What a correction did; same rule set on both sides. */
struct puan_edits_diff {
    uint32_t appeared, gone, kept;
    struct puan_finding *new_list; /* appeared */
    struct puan_finding *gone_list;
};
PUAN_MUST_USE enum puan_status
puan_edits_compare(struct puan_edits_diff *out, const struct puan_edits *before,
                   const struct puan_edits *after, struct puan_arena *a,
                   struct puan_err *err);

/*
 * Bytes.  `findings`: u8 2 and the varint version of the rule set when it has
 * one, else u8 1; then varint n, then per finding varint
 * (rule - rule before) << 2 | state, varint row; typically 3 bytes a finding,
 * 2 for a return without any.  `reasons`: for each finding not open, in the
 * same order, three times varint length and text; nothing when all are open.
 * The same edits always give the same bytes.
 */
void puan_edits_encode(struct puan_out *findings, struct puan_out *reasons,
                       const struct puan_edits *e);

/*
 * Back again.  `reasons` may be empty (sealed away): the texts stay empty.
 * Texts borrow from `reasons`.  EINVAL on any damaged byte, ELIMIT beyond
 * PUAN_EDIT_MOST findings.
 */
#define PUAN_EDIT_MOST 100000
PUAN_MUST_USE enum puan_status puan_edits_decode(struct puan_edits *out,
                                                 struct puan_str findings,
                                                 struct puan_str reasons,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);

/*
 * Writes the list for people and programs:
 * [{"rule":"RH15","severity":"soft","entity":"person","row":2,"state":"open",
 *   "zh":"...","en":"..."},...], reasons included when `with_reasons`.
 */
void puan_edits_json(struct puan_jw *w, const struct puan_edits *e,
                     const struct puan_ruleset *rs,
                     const struct puan_form *form, bool with_reasons);

#endif
