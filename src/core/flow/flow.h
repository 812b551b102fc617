/*
 * The workflow model: definitions read from plan files, and runs of them.  One
 * model drives returns, lots, releases, incidents and every register.
 *
 * A definition (struct puan_flow) never changes once loaded.  A run is the
 * fold of its events: puan_flow_apply decides whether an event is allowed and,
 * if so, folds it in; puan_flow_fold replays stored events.  What is not
 * declared is refused.  Due times follow from the event times alone, so a
 * replay gives the same clocks.
 *
 * The file format is specified in doc/flows.md.
 *
 * Depends on: rule, json, digest.  Does no I/O, reads no clock, keeps no
 * state; what a guard asks of the world comes in as facts.
 */
#ifndef PUAN_CORE_FLOW_FLOW_H
#define PUAN_CORE_FLOW_FLOW_H

#include "base/calendar.h"
#include "core/rule/rule.h"

/* Fields, seats, states, transitions, steps, ... of one flow: at most 64 each,
 * so that sets of them are one word. */
#define PUAN_FLOW_MAX 64
typedef uint64_t puan_flow_set; /* bit i: element i */
#define PUAN_FLOW_HAS(set, i) (((set) >> (unsigned)(i)) & 1U)

/* ---- definitions ------------------------------------------------------ */

struct puan_flow_label {
    struct puan_str name, zh, en; /* zh, en: the name when not given */
};

enum puan_flow_type {
    PUAN_FLOW_TEXT,
    PUAN_FLOW_INT,
    PUAN_FLOW_ENUM,
    PUAN_FLOW_BOOL, /* words no (0), yes (1) */
    PUAN_FLOW_TIME, /* instant, ms; written RFC 3339 */
    PUAN_FLOW_AREA,
    PUAN_FLOW_REF   /* text: id, digest or number of another thing */
};

struct puan_flow_field {
    struct puan_flow_label label;
    enum puan_flow_type type;
    const struct puan_codelist *words; /* ENUM, BOOL */
    int64_t min, max;                  /* value, or length of a text */
    bool secret;
    puan_flow_set shown_to; /* secret: seats that read it uncleared */
    puan_flow_set by; /* seats that may fill it; 0: whoever may do the act */
};

enum puan_flow_reach {
    PUAN_FLOW_OWN,      /* the run's area */
    PUAN_FLOW_PARENT,   /* the area above it */
    PUAN_FLOW_ANCESTOR, /* the area of a named level that holds it; its own
                           area when that lies above the level */
    PUAN_FLOW_ANY       /* its area or any area that holds it */
};

struct puan_flow_seat {
    struct puan_flow_label label;
    struct puan_str role; /* "any": every role; "system": Puan itself */
    enum puan_flow_reach reach;
    struct puan_str level; /* ANCESTOR */
};

enum puan_flow_effect_kind {
    PUAN_FLOW_NOTIFY,  /* seat: told, with receipt */
    PUAN_FLOW_SEND,    /* report: sent to its seat */
    PUAN_FLOW_COPY,    /* report: copy to the level that was skipped */
    PUAN_FLOW_SPAWN,   /* name: opens a run of that flow, linked to this */
    PUAN_FLOW_CALL,    /* name: a function of the feature that owns the run */
    PUAN_FLOW_UNLOCK,  /* step: an order that opens it */
    PUAN_FLOW_VOID,    /* approval: dies */
    PUAN_FLOW_ESCALATE /* seat: told that a clock is overdue */
};

struct puan_flow_effect {
    enum puan_flow_effect_kind kind;
    int index; /* seat, report, step or approval; -1 */
    struct puan_str name;
    bool atomic; /* all atomic effects of a decision, or nothing at all */
};

struct puan_flow_transition {
    struct puan_flow_label label;
    puan_flow_set from;
    int to;            /* -1: the state stays */
    puan_flow_set by;  /* seats */
    int clock;         /* -1; else the clock whose due time does it */
    puan_flow_set needs_fields, may_fields; /* may: also accepted */
    puan_flow_set needs_evidence, needs_steps;
    bool all_steps;    /* every step that is open and not optional */
    int approval;      /* -1: none */
    const struct puan_str *none_open; /* kinds of linked things */
    size_t n_none_open;
    struct puan_expr *when; /* NULL: always */
    struct puan_str when_text;
    const struct puan_flow_effect *effects;
    size_t n_effects;
    int report; /* -1 */
};

struct puan_flow_step {
    struct puan_flow_label label;
    bool own_authority; /* opens by itself; else by order */
    bool optional;
    puan_flow_set by, ordered_by; /* seats; 0: only by effect or approval */
    puan_flow_set states;         /* in which it may be done */
    puan_flow_set after;          /* steps that come first */
    puan_flow_set needs_fields, may_fields, needs_evidence;
    int approval;  /* -1 */
    int opens_due; /* -1; else the clock whose due time opens it */
    struct puan_expr *when;
    struct puan_str when_text;
};

enum puan_flow_rule { PUAN_FLOW_ONE, PUAN_FLOW_ALL, PUAN_FLOW_N, PUAN_FLOW_SEQUENCE };

struct puan_flow_approval {
    struct puan_flow_label label;
    enum puan_flow_rule rule;
    const int *seats; /* in the order of a sequence */
    size_t n_seats, n; /* n: how many of them must sign */
    puan_flow_set asked_by; /* 0: any seat of the flow */
    puan_flow_set states;   /* in which it may be asked for and signed */
    bool not_requester, void_on_change;
    puan_flow_set covers; /* fields */
    int64_t expires_ms;   /* 0: never */
};

enum puan_flow_when_kind {
    PUAN_FLOW_ON_OPEN,
    PUAN_FLOW_ON_TRANSITION,
    PUAN_FLOW_ON_STEP,
    PUAN_FLOW_ON_DUE,  /* of another clock */
    PUAN_FLOW_ON_FIELD, /* a time field is set: from its value */
    PUAN_FLOW_ON_TAKE   /* somebody who was told takes it over */
};
struct puan_flow_when {
    enum puan_flow_when_kind kind;
    int index;
};

struct puan_flow_clock {
    struct puan_flow_label label;
    const struct puan_flow_when *start, *stop;
    size_t n_start, n_stop; /* a terminal state stops every clock */
    int64_t limit_ms;       /* -1: see at_field, limit_field */
    struct puan_str limit_text; /* "24h", "setting.at_once" */
    int at_field;    /* -1; else a time field: due then */
    int limit_field; /* -1; else an integer field: minutes */
    bool office;     /* counts office hours only */
    bool restart;    /* a second start sets it anew */
    struct puan_expr *when; /* over fields only; NULL: always */
    struct puan_str when_text;
    const int64_t *warn; /* ms after the start, ascending */
    size_t n_warn;
    const int *ladder; /* seats told when overdue, one rung after another */
    size_t n_ladder;
    int64_t every_ms; /* between rungs */
    int64_t retry_ms; /* a transition by this clock is tried again; 0: once */
    const struct puan_flow_effect *on_due; /* and when its guard refuses: */
    size_t n_on_due;
    const struct puan_flow_effect *on_refused;
    size_t n_on_refused;
};

struct puan_flow_report {
    struct puan_flow_label label;
    int to; /* seat */
    puan_flow_set fields;
    int skip_reason; /* -1: levels may not be skipped; else the field */
    int skip_copy;   /* seat that gets a copy of a skipping report */
};

struct puan_flow_block {
    struct puan_str flow, transition;
    int until; /* -1; else the approval of this flow that lifts it */
};

struct puan_flow_atomic {
    int on; /* transition */
    struct puan_expr *when;
    struct puan_str when_text;
    const struct puan_flow_effect *effects;
    size_t n_effects;
};

struct puan_flow_fact {
    struct puan_str name, zh, en; /* zh, en: the name when not given */
    const struct puan_codelist *words; /* NULL: a number */
    struct puan_str metric; /* it is this figure of the area; empty: the feature
                               that owns the run knows it */
};

/* What assessment reads; the engine does not act on it. */
struct puan_flow_score {
    const struct puan_str *feeds; /* assessment items */
    size_t n_feeds;
    struct puan_str veto; /* item or "award"; may be empty */
};
/*
 * What a run attests of one account while it stands in certain states and its
 * condition holds: "security-training" of whom field `who` names.  A drill
 * attests nothing.
 */
struct puan_flow_record {
    struct puan_str name;
    struct puan_expr *when; /* NULL: always */
    struct puan_str when_text;
};
struct puan_flow_attests {
    int who; /* field of type text or ref; -1: the flow attests nothing */
    puan_flow_set in; /* states */
    const struct puan_flow_record *record;
    size_t n;
};
#define PUAN_FLOW_RECORDS 8
/*
 * What a run says to everybody while it stands in certain states: a title and
 * a text in one language or two, what kind of notice it is, and what it puts
 * right.  None of these fields is secret, and a run comes to such a state, or
 * changes one of them there, only with an approval that covers them all and
 * dies with a change.
 */
struct puan_flow_notice {
    puan_flow_set in;   /* states in which it stands; 0: the flow has none */
    puan_flow_set over; /* in which it is said to be withdrawn */
    int title, text;       /* fields of type text */
    int title_en, text_en; /* -1: none */
    int kind;              /* of type enum; -1 */
    int about, about_en;   /* what goes round and is not so; -1 */
};
/*
 * The next run of a flow opens by itself: a clock "recurrence" starts when a
 * run is opened, goes on after the run has ended, and opens the next one.
 */
struct puan_flow_recurrence {
    struct puan_str every; /* "day", "week", "month" or a duration */
    int64_t every_ms;      /* 0 for calendar words */
    struct puan_str at;    /* "08:30"; may be empty */
    int at_minute;         /* of the local day */
    int clock;             /* -1: the flow does not recur */
};
/*
 * What comes in and goes out over all runs of a flow at one area (and with one
 * value of the field `of`).  What goes out must be there: "stock.NAME".
 */
struct puan_flow_quantity {
    struct puan_flow_label label;
    struct puan_str unit_zh, unit_en; /* empty: none said */
    puan_flow_set in, out; /* transitions */
    int field;             /* the amount */
    int of;                /* -1; else the field that names the goods */
};
#define PUAN_FLOW_QUANTITIES 4

/* The hours an office works, for clocks of calendar `office`. */
struct puan_office_hours {
    int offset_minutes;           /* of local time from UTC */
    int from_minute, to_minute;   /* of the day */
    unsigned weekdays;            /* bit 0 Monday ... bit 6 Sunday */
    const int64_t *holidays;      /* days (calendar.h), ascending */
    size_t n_holidays;
    const int64_t *workdays;      /* working week-end days, ascending */
    size_t n_workdays;
};

/*
 * A gate on the way to the end, in the order they are shown: open when its
 * condition holds, its papers are there, its approval was given, its time has
 * come, or nothing blocks its transition.  Shown only: what an act needs stands
 * with the act.
 */
struct puan_flow_gate {
    struct puan_flow_label label;
    struct puan_expr *when; /* NULL: none */
    struct puan_str when_text;
    puan_flow_set papers;
    int approval, at_field, clear; /* clear: transition; -1 none */
    puan_flow_set by;              /* whose turn it is while it is closed */
    struct puan_str do_zh, do_en;  /* what opens it */
};

/* Who issued the plan and since when it is in force; without an interpreter
 * none was given. */
struct puan_flow_issued {
    struct puan_str interpreter; /* role */
    int64_t effective_ms;        /* in force from here on */
    int64_t approved_ms;         /* 0: not approved */
    bool trial;
    struct puan_str part_of; /* set of plans; may be empty */
};

struct puan_flow {
    struct puan_flow_label label; /* name: "incident" */
    int64_t version;
    struct puan_str owner; /* role */
    struct puan_str subject; /* "area", "lot", "return", "release" */
    struct puan_str group; /* under which people look for it: "event" ... */
    bool is_register;      /* stands among the registers */
    bool on_approval; /* in force by approval, else by issue */
    struct puan_flow_issued issued;
    const struct puan_str *clauses;
    size_t n_clauses;
    const struct puan_flow_field *fields;
    size_t n_fields;
    const struct puan_flow_seat *seats;
    size_t n_seats;
    const struct puan_flow_label *states;
    size_t n_states;
    int initial;
    puan_flow_set active, terminal;
    const struct puan_flow_label *evidence; /* kinds named anywhere */
    size_t n_evidence;
    puan_flow_set open_by, open_needs, open_may; /* seats; fields */
    const struct puan_flow_effect *open_effects;
    size_t n_open_effects;
    puan_flow_set enters; /* seats that enter acts of external seats */
    /* What anybody may open without signing in: the fields he fills; kind -1:
     * the flow has no such entry.  The field he is answered in, -1: none; a
     * question to the helpdesk, else a report. */
    int public_kind, public_text, public_contact, public_answer;
    bool public_help;
    puan_flow_set public_offers; /* words of the kind; 0: all of them */
    const struct puan_flow_transition *transitions;
    size_t n_transitions;
    const struct puan_flow_step *steps;
    size_t n_steps;
    const struct puan_flow_approval *approvals;
    size_t n_approvals;
    const struct puan_flow_clock *clocks;
    size_t n_clocks;
    const struct puan_flow_report *reports;
    size_t n_reports;
    const struct puan_flow_atomic *atomics;
    size_t n_atomics;
    const struct puan_flow_fact *facts; /* what guards ask of the host */
    size_t n_facts;
    const struct puan_str *opens; /* flows it may open */
    size_t n_opens;
    const struct puan_flow_block *blocks;
    size_t n_blocks;
    const struct puan_str *outranks; /* flows it goes before */
    size_t n_outranks;
    const struct puan_flow_gate *gates;
    size_t n_gates;
    struct puan_flow_score score;
    struct puan_flow_recurrence recurrence;
    struct puan_flow_attests attests;
    struct puan_flow_notice notice;
    const struct puan_flow_quantity *quantities;
    size_t n_quantities;
    const struct puan_office_hours *hours; /* NULL: no office clock */
    const struct puan_str *levels; /* of the plan, top first */
    size_t n_levels;
    const struct puan_scope_name *names;   /* of guards; see flow.c */
    size_t n_names;
    const char *file;
};

/* What the rest of the plan offers to a flow. */
struct puan_flow_role {
    struct puan_str name;
    bool external;
};
struct puan_flow_setting {
    struct puan_str name, value; /* "24h", "county", "3" */
};
struct puan_flow_env {
    const struct puan_flow_role *roles;
    size_t n_roles;
    const struct puan_str *levels; /* top first */
    size_t n_levels;
    const struct puan_flow_setting *settings;
    size_t n_settings;
    const struct puan_str *flows; /* names in the plan; NULL: not checked */
    size_t n_flows;
    const struct puan_office_hours *hours;
    const struct puan_str *calls; /* "SUBJECT:NAME" that features do; NULL: not
                                     checked */
    size_t n_calls;
    bool empty_fields; /* a field that no act fills is let through: of a plan
                          that something was taken out of */
};

/*
 * Reads and proves a definition: every name exists; every state can be reached
 * and can end; every required field can be filled by somebody before it is
 * needed; every deadline has a number; nobody can approve what he asked for
 * alone; every guard type-checks; an order step can be ordered.  The message
 * names file, line, column and the remedy.  The flow borrows from the tree.
 */
PUAN_MUST_USE enum puan_status puan_flow_load(struct puan_flow **out,
                                              const struct puan_node *tree,
                                              const struct puan_flow_env *env,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/*
 * What a flow that loads still lacks: zh and en of everything people read; a
 * seat that hears of each deadline; a feature behind each `call:` (env->calls).
 * Each goes to `note`, with its place and remedy, which `note` may keep.
 */
typedef void puan_flow_note(void *arg, struct puan_err *e);
void puan_flow_lint(const struct puan_flow *f, const struct puan_node *tree,
                    const struct puan_flow_env *env, puan_flow_note *note,
                    void *arg);

/* Index by name, or -1. */
int puan_flow_state(const struct puan_flow *f, struct puan_str name);
int puan_flow_transition(const struct puan_flow *f, struct puan_str name);
int puan_flow_step(const struct puan_flow *f, struct puan_str name);
int puan_flow_approval(const struct puan_flow *f, struct puan_str name);
int puan_flow_clock(const struct puan_flow *f, struct puan_str name);
int puan_flow_field(const struct puan_flow *f, struct puan_str name);
int puan_flow_seat(const struct puan_flow *f, struct puan_str name);
/* "30m", "24h", "2d", "90s" in ms; false on anything else. */
bool puan_flow_duration(int64_t *ms, struct puan_str s);
/* `ms` of office time after `from`. */
int64_t puan_office_add(const struct puan_office_hours *h, int64_t from,
                        int64_t ms);

/* ---- runs ------------------------------------------------------------- */

struct puan_flow_value {
    bool set;
    int64_t v;            /* all types but text and ref */
    struct puan_str text; /* text, ref */
};

enum puan_flow_approval_state {
    PUAN_FLOW_UNASKED,
    PUAN_FLOW_ASKED,
    PUAN_FLOW_GRANTED,
    PUAN_FLOW_REFUSED,
    PUAN_FLOW_VOIDED, /* a covered field changed */
    PUAN_FLOW_USED    /* a transition rested on it; ask again for the next */
};

struct puan_flow_signature {
    int seat;
    struct puan_str actor;
    int64_t ms;
};

struct puan_flow_approval_run {
    enum puan_flow_approval_state state;
    struct puan_str requester;
    int64_t asked_ms, decided_ms;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the covered fields, as asked */
    struct puan_flow_signature sig[8];
    size_t n_sig;
};

enum puan_flow_clock_state {
    PUAN_FLOW_CLOCK_OFF,
    PUAN_FLOW_CLOCK_RUNNING,
    PUAN_FLOW_CLOCK_DUE, /* overdue, climbing the ladder */
    PUAN_FLOW_CLOCK_STOPPED
};

struct puan_flow_clock_run {
    enum puan_flow_clock_state state;
    int64_t start_ms, due_ms, stop_ms;
    uint32_t warned; /* warnings given */
    uint32_t rungs;  /* rungs of the ladder told */
    uint32_t tries;  /* of a transition by this clock */
    int64_t tried_ms;
};

struct puan_flow_step_run {
    bool ordered, done;
    int64_t ordered_ms, done_ms;
    struct puan_str done_by;
};

struct puan_flow_run {
    const struct puan_flow *flow;
    int64_t id, area;
    bool drill, opened;
    bool stopped; /* its drill is over: nothing goes on, whatever its state */
    int state;
    int64_t opened_ms, entered_ms; /* run; the state it is in */
    uint32_t n_events;
    struct puan_str opener;
    int64_t taken_ms; /* 0: nobody has taken it over */
    struct puan_str taken_by, taken_role; /* account, role */
    struct puan_flow_value field[PUAN_FLOW_MAX];
    struct puan_flow_step_run step[PUAN_FLOW_MAX];
    struct puan_flow_approval_run approval[PUAN_FLOW_MAX];
    struct puan_flow_clock_run clock[PUAN_FLOW_MAX];
    int64_t passed_ms[PUAN_FLOW_MAX]; /* last time of each transition */
    uint32_t passed[PUAN_FLOW_MAX];   /* how often */
    puan_flow_set evidence;           /* kinds given */
    int64_t moved[PUAN_FLOW_QUANTITIES]; /* in less out, by this run */
};

enum puan_flow_event_kind {
    PUAN_FLOW_OPEN,
    PUAN_FLOW_ACT,      /* name: transition */
    PUAN_FLOW_DO,       /* name: step done */
    PUAN_FLOW_ORDER,    /* name: step opened by order */
    PUAN_FLOW_ASK,      /* name: approval */
    PUAN_FLOW_SIGN,     /* name: approval; yes or no; digest */
    PUAN_FLOW_EVIDENCE, /* evidence only */
    PUAN_FLOW_TICK,     /* name: clock; part: "warn", "due", "rung", "retry" */
    PUAN_FLOW_TAKE,     /* the seat says: this is mine now */
    PUAN_FLOW_STOP      /* the drill this run belongs to is over */
};

struct puan_flow_paper { /* evidence: its kind and the blob's digest */
    struct puan_str kind;
    uint8_t digest[PUAN_DIGEST_SIZE];
};

/* Who acts, as the host has established it. */
struct puan_flow_who {
    struct puan_str actor; /* account */
    struct puan_str role, level; /* of the acting seat */
    struct puan_str run_level;   /* of the run's area */
    int64_t area;          /* of the acting seat */
    int above;  /* levels from the run's area up to it: 0 same; -1 elsewhere */
    bool system;
    /* An external seat acts: role and level above are the external seat's and
     * the local seat that enters it is here. */
    bool external;
    struct puan_str entered_role, entered_level;
    int entered_above;
};

struct puan_flow_event {
    enum puan_flow_event_kind kind;
    struct puan_str name, part;
    int64_t event_ms, entry_ms; /* when it happened; when it is written */
    struct puan_flow_who who;
    const struct puan_node *fields; /* map name -> scalar; NULL: none */
    const struct puan_flow_paper *papers;
    size_t n_papers;
    bool yes; /* SIGN; TICK of a rung: the seat before is vacant, so now */
    bool drill;               /* OPEN */
    const uint8_t *digest;    /* SIGN: 32 bytes, what the signer saw */
    struct puan_str skip;     /* ACT with a report: level reported to */
    struct puan_str reason;
};

/* What guards ask of the world; a fact not given is unknown and a guard that
 * is unknown refuses.  Open linked things are given as "open.KIND". */
struct puan_flow_given {
    struct puan_str name;
    int64_t value;
};
struct puan_flow_world {
    const struct puan_flow_given *facts;
    size_t n_facts;
    /* Runs that block this one now, by name; see puan_flow_run_blocks. */
    const struct puan_str *blockers;
    size_t n_blockers;
    /* For looking at several acts at once (look.h): the transitions each of
     * them forbids; NULL: the one that is asked about. */
    const puan_flow_set *blocker_of;
    const struct puan_digest_fn *digest;
};

#define PUAN_FLOW_EFFECTS 64
struct puan_flow_decision {
    struct puan_flow_effect effect[PUAN_FLOW_EFFECTS];
    size_t n;
    int from, to;  /* states */
    bool ended;    /* the run has reached a terminal state */
    struct puan_str skip; /* level a report goes to instead of its seat */
};

/* Zeroes `run` for a new life; id and area are the caller's to fill. */
void puan_flow_run_init(struct puan_flow_run *run,
                        const struct puan_flow *flow);

/*
 * Decides and, when allowed, folds the event into the run; a refused event
 * leaves the run untouched.  Texts are borrowed from the event (a stored event
 * is read into an arena that lives as long as the run).
 *
 * EDENIED    the seat may not do this
 * EINVAL     a field is missing, unknown or of the wrong type
 * ECONFLICT  the state, a guard, an approval, a step or a block forbids it
 * ENOTFOUND  no such transition, step, approval or clock
 */
PUAN_MUST_USE enum puan_status
puan_flow_apply(struct puan_flow_decision *out, struct puan_flow_run *run,
                const struct puan_flow_event *e,
                const struct puan_flow_world *world, struct puan_err *err);

/* Folds an event that was allowed when it was written: no checks but form. */
PUAN_MUST_USE enum puan_status puan_flow_fold(struct puan_flow_run *run,
                                              const struct puan_flow_event *e,
                                              struct puan_err *err);

/* Nothing can be done any more: it has ended, or its drill was stopped. */
bool puan_flow_over(const struct puan_flow_run *run);

/* May this seat do that, as far as seats go (lists of what is mine)? */
bool puan_flow_seat_fits(const struct puan_flow *f, int seat,
                         const struct puan_flow_who *who);

/*
 * The next thing a clock has to do: its time and part ("warn", "due", "rung",
 * "retry"); false when none.  The earliest of all clocks.
 */
bool puan_flow_next_tick(int *clock, const char **part, int64_t *at,
                         const struct puan_flow_run *run);

/* A step may be done now, as far as state, order and authority go. */
bool puan_flow_step_open(const struct puan_flow_run *run, int step);

/* Digest of the fields an approval covers, as they are. */
void puan_flow_covered(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_flow_run *run, int approval,
                       const struct puan_digest_fn *digest);

/* What `other` moved counts in the stock `quantity` that `run` draws on. */
bool puan_flow_same_stock(const struct puan_flow_run *run,
                          const struct puan_flow_run *other, size_t quantity);

/* Does the run attest record `i` of its flow's `attests` now? */
bool puan_flow_run_attests(const struct puan_flow_run *run, size_t i);
/* The record of that name among those the flow attests, or -1. */
int puan_flow_record(const struct puan_flow *f, struct puan_str name);

/* This run, open, forbids `transition` of `flow` (links: blocks). */
bool puan_flow_run_blocks(const struct puan_flow_run *run,
                          struct puan_str flow, struct puan_str transition);

/*
 * The fields a new run of `to` needs or takes that the run which opens it has,
 * as an event gives them; NULL: out of memory.
 */
const struct puan_node *puan_flow_inherit(const struct puan_flow *to,
                                          const struct puan_flow_run *from,
                                          struct puan_arena *a);

/*
 * The stored form of an event: one line of JSON with its keys in a fixed
 * order, so that the same event always gives the same bytes.
 */
void puan_flow_event_write(struct puan_out *o,
                           const struct puan_flow_event *e);
PUAN_MUST_USE enum puan_status
puan_flow_event_read(struct puan_flow_event *out, struct puan_str json,
                     struct puan_arena *a, struct puan_err *err);

/* The run as a JSON map: state, fields (secrets only if `secrets`), steps,
 * approvals, clocks; times are written at that offset from UTC. */
void puan_flow_run_json(struct puan_jw *w, const struct puan_flow_run *run,
                        bool secrets, int offset_minutes);

#endif
