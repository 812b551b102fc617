/*
 * Assessment by points: the plan's scoring.yaml, what may be written on the
 * sheet of an office, and what it adds up to.
 *
 *   scheme: hn-2020
 *   zh, en
 *   interpreter: ROLE          # who explains it, publishes, answers appeals
 *   assessed: prefecture       # level whose offices have a sheet
 *   full: 100
 *   period: {from: DAY, until: DAY}   # evidence is dated within it
 *   evidence_by: [ROLE]
 *   groups: {general: {zh, en, role: ROLE}}
 *   sections:
 *     - id: s1
 *       zh, en, points: 26, groups: [general]      # one or two
 *       rules: {zh, en, version: "1", date: DAY}   # none: cannot be scored
 *       items:
 *         - {id: HN-4.1.1.1, points: 2, mode: judged, of: process, zh, en,
 *            evidence: [{id: plan, zh, en, due: DAY, least: 3}]}
 *         - {…, mode: measured, measure: {metric: M, of: M, bands: [
 *              {least: 98, points: 3}], none: 3}}
 *         - {…, none_of: [{flow: leak, in: [established, closed]}]}
 *   bonus: {zh, en, confirmed_by: [ROLE], most: 5}
 *   vetoes:
 *     - {id: HN-6.2, zh, en, effect: award, by: [ROLE], flow: leak,
 *        field: cause, value: processing, item: HN-4.7.10}
 *   appeal: {by: [ROLE], to: [ROLE], within: 15d}
 *
 * Points are counted in halves.  An item is judged by a group of its section,
 * with a reason and evidence for what it deducts; full points only when every
 * kind of evidence is there, valid, in time and enough.  A measured item is
 * written by the system alone; `none` is what it is worth while there is nothing
 * to measure (total 0; without it: not scored).  A metric is one of the registry,
 * or cases.FLOW.CLOCK.met of cases.FLOW.CLOCK.all: cases inside the area that
 * kept that clock, of those whose clock was kept or missed.  `none_of`: cases of
 * these flows in these states stand against full points; the system enters them.
 * A bonus counts when it is confirmed, and is
 * shown apart.  A veto of effect `score` makes the result nothing, one of
 * effect `award` bars from the list for awards.
 *
 * Pure: entries in, decision out.  Depends on: base.
 */
#ifndef PUAN_CORE_SCORE_SCORE_H
#define PUAN_CORE_SCORE_SCORE_H

#include "base/calendar.h"
#include "base/node.h"

#define PUAN_SCORE_SECTIONS 32
#define PUAN_SCORE_ITEMS 256
#define PUAN_SCORE_GROUPS 16

struct puan_score_kind { /* of evidence */
    struct puan_str id, zh, en;
    int64_t due;   /* day; INT64_MIN none */
    int64_t least; /* a number that goes with it; INT64_MIN none */
};
struct puan_score_band {
    int64_t least;
    int halves;
};
struct puan_score_item {
    struct puan_str id, zh, en;
    size_t section;
    int halves;
    bool measured, result; /* else judged, process */
    const struct puan_score_kind *kind;
    size_t n_kinds;
    struct puan_str metric, total;      /* measured; total may be empty */
    const struct puan_score_band *band; /* falling */
    size_t n_bands;
    int none; /* halves while the total is 0; -1: not scored then */
    const struct puan_node *none_of; /* list of {flow, in}; NULL */
    const struct puan_node *at, *measure;
};
struct puan_score_group {
    struct puan_str id, zh, en, role;
};
struct puan_score_section {
    struct puan_str id, zh, en;
    int halves;
    uint32_t groups; /* bit per index */
    struct puan_str rules_zh, rules_en, rules_version; /* empty: none */
    int64_t rules_day;
    size_t first, n; /* items */
};
enum puan_veto_effect { PUAN_VETO_SCORE, PUAN_VETO_AWARD };
struct puan_score_veto {
    struct puan_str id, zh, en, item; /* item may be empty */
    enum puan_veto_effect effect;
    const struct puan_node *by;
    struct puan_str flow, field, value; /* of cases that set it; or empty */
    const struct puan_node *at;
};
struct puan_score_scheme {
    struct puan_str id, zh, en, interpreter, level;
    int halves;
    int64_t from, until; /* days */
    const struct puan_node *evidence_by, *confirmed_by, *appeal_by, *appeal_to;
    int bonus_most; /* halves; 0 none are given */
    struct puan_str bonus_zh, bonus_en;
    int64_t appeal_ms;
    struct puan_score_group group[PUAN_SCORE_GROUPS];
    size_t n_groups;
    struct puan_score_section section[PUAN_SCORE_SECTIONS];
    size_t n_sections;
    struct puan_score_item item[PUAN_SCORE_ITEMS];
    size_t n_items;
    struct puan_score_veto veto[8];
    size_t n_vetoes;
    const struct puan_node *tree;
};

/* What a scheme may name; a NULL function allows every name. */
struct puan_score_scheme_env {
    bool (*role)(const void *of, struct puan_str id);
    bool (*level)(const void *of, struct puan_str id);
    const void *of;
};

/*
 * EINVAL  names file, line, column and what would mend it: also when points do
 *         not add up to their section, or sections to the full mark
 */
PUAN_MUST_USE enum puan_status
puan_score_scheme_load(struct puan_score_scheme **out, const struct puan_node *tree,
                 const struct puan_score_scheme_env *env, struct puan_arena *a,
                 struct puan_err *err);
/* -1: none. */
int puan_score_scheme_item(const struct puan_score_scheme *s, struct puan_str id);
int puan_score_scheme_veto(const struct puan_score_scheme *s, struct puan_str id);
/* The veto that a case of this flow with this field sets; -1 none. */
int puan_score_scheme_case_veto(const struct puan_score_scheme *s, struct puan_str flow,
                          struct puan_str field, struct puan_str value);
/* A case of this flow in this state stands against full points of item i. */
bool puan_score_scheme_against(const struct puan_score_scheme *s, size_t i,
                               struct puan_str flow, struct puan_str state);
/* "12", "0.5", "-1.5" to halves. */
bool puan_score_halves_parse(int *halves, struct puan_str s);
/* "87.5"; at least 12 bytes. */
void puan_score_halves_text(char out[16], int halves);

/* ---- a sheet ---------------------------------------------------------------- */

enum puan_score_entry_kind {
    PUAN_SCORE_EVIDENCE, /* item, kind, digest, version, day, until, count */
    PUAN_SCORE_GIVEN,    /* item, halves (deducted), reason, digest */
    PUAN_SCORE_MEASURED, /* item, count, total */
    PUAN_SCORE_BONUS,    /* halves, reason, digest */
    PUAN_SCORE_CONFIRM,  /* of: the bonus */
    PUAN_SCORE_VETO,     /* item: the veto, reason, digest or ref (the case) */
    PUAN_SCORE_LIFT,     /* of: the veto */
    PUAN_SCORE_PUBLISH,  /* halves: the total as stated */
    PUAN_SCORE_APPEAL,   /* item, reason, digest */
    PUAN_SCORE_ANSWER,   /* of: the appeal; halves (deducted), reason */
    PUAN_SCORE_AGAINST,  /* item, ref (the case): stands against full points */
    PUAN_SCORE_KINDS
};
extern const char *const puan_score_entry_word[PUAN_SCORE_KINDS];

struct puan_score_entry {
    int64_t id;
    enum puan_score_entry_kind kind;
    struct puan_str level; /* of the office assessed */
    struct puan_str item, evidence, role, person, reason, digest, version, ref;
    int halves;
    int64_t day, until; /* of the paper; INT64_MIN none */
    int64_t count, total; /* INT64_MIN none */
    int64_t of;           /* id; 0 none */
    int64_t at_ms;
    int offset_minutes; /* of the plan's clock */
};

/*
 * May this be written after those?
 *
 * EDENIED    this role may not   EINVAL  something is missing or wrong
 * ECONFLICT  it does not fit what stands there   ENOTFOUND  no such thing
 */
PUAN_MUST_USE enum puan_status
puan_score_accept(const struct puan_score_scheme *s,
                  const struct puan_score_entry *before, size_t n,
                  const struct puan_score_entry *e, struct puan_err *err);

enum puan_paper_state {
    PUAN_PAPER_MISSING,
    PUAN_PAPER_EXPIRED,
    PUAN_PAPER_LATE,  /* dated after its due day */
    PUAN_PAPER_SHORT, /* its number is below what is asked */
    PUAN_PAPER_GOOD
};
extern const char *const puan_paper_word[5];
/* The latest paper of that kind; *which gets it, or NULL. */
enum puan_paper_state puan_score_paper(const struct puan_score_entry **which,
                                       const struct puan_score_item *item,
                                       const struct puan_score_kind *kind,
                                       const struct puan_score_entry *e,
                                       size_t n, int64_t today);

struct puan_score_line { /* of an item */
    bool scored;
    bool weak; /* its evidence no longer carries it, or a case stands against
                  its full points */
    int halves;
    const struct puan_score_entry *by; /* last that scored it; NULL none */
    unsigned good; /* kinds of evidence that are good */
};
struct puan_score_sheet {
    struct puan_score_line line[PUAN_SCORE_ITEMS];
    int section[PUAN_SCORE_SECTIONS];
    size_t scored, weak;
    int points;            /* sum of items, halves */
    int bonus, bonus_open; /* confirmed; waiting */
    const struct puan_score_entry *veto_score, *veto_award; /* NULL none */
    const struct puan_score_entry *published;
    int result; /* 0 under a veto of the score; else points */
    size_t appeals_open;
    bool agrees; /* published and recomputed totals are the same */
};
/* What the entries add up to on that day (evidence may have expired). */
void puan_score_sheet_make(struct puan_score_sheet *out, const struct puan_score_scheme *s,
                     const struct puan_score_entry *e, size_t n, int64_t today);
/* Its place among all, from 1; equal results share one. */
size_t puan_score_sheet_rank(const struct puan_score_sheet *const *all, size_t n, size_t i);
/* May the office stand on the list for awards? */
bool puan_score_sheet_award(const struct puan_score_sheet *sheet,
                      const struct puan_score_scheme *s);

#endif
