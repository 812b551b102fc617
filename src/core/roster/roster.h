/*
 * Duty: who stands at the telephone at a moment, and where nobody does.
 *
 * A plan says in duty.yaml how an office keeps watch (struct puan_duty):
 *
 *   duty: roster                     # or leader: holders of the seat, always
 *   zh: … / en: …
 *   seat: duty-officer               # role of those who stand duty
 *   office: risk-office              # role that draws up the roster
 *   levels: [prefecture, county]     # areas that keep one
 *   posts:                           # at least one; the first is the one rung
 *     - {id: first, zh: …, en: …}
 *   shifts:                          # cover the day once, without a hole
 *     - {id: day, from: "08:00", hours: 12, zh: …, en: …}
 *   swaps_by: risk-office            # optional: role that also agrees to swaps
 *   horizon: 7d                      # gaps are looked for so far ahead
 *   answer: setting.take_over        # a call not answered goes one rung on
 *   test_every: setting.contacts_fresh  # a number not tried for longer is stale
 *   ladder: [first, reserve, risk-office@own, duty-officer@parent]
 *   contact: {flow: contact_change}  # what a change of a number opens
 *   transfer:                        # a matter of the log for another group
 *     flow: duty_matter
 *     to:
 *       - {id: technical, act: to_technical, zh: …, en: …}
 *
 * A roster is the fold of what was entered, in order: rotations (a row of
 * persons that take turns), then what lies over them: a person put in, an
 * empty time that is meant, a swap both agreed to.  The last entered counts.
 * A person who does not hold the seat at that time leaves the shift empty.
 *
 * Decides what may be entered (puan_roster_accept); never reads a clock, never
 * stores.  Persons are names of accounts.
 *
 * Depends on: base, core/flow (durations).
 */
#ifndef PUAN_CORE_ROSTER_ROSTER_H
#define PUAN_CORE_ROSTER_ROSTER_H

#include "base/calendar.h"
#include "base/node.h"

/* ---- duty.yaml --------------------------------------------------------------- */

struct puan_duty_post {
    struct puan_str id, zh, en;
};
struct puan_duty_shift {
    struct puan_str id, zh, en;
    int from_minute, minutes; /* of the plan's day; may pass midnight */
};
enum puan_duty_reach { PUAN_DUTY_POST, PUAN_DUTY_OWN, PUAN_DUTY_PARENT };
struct puan_duty_rung {
    enum puan_duty_reach reach;
    int post;             /* of PUAN_DUTY_POST, else -1 */
    struct puan_str role; /* of the others */
};
struct puan_duty_group { /* that a matter of the log is handed to */
    struct puan_str id, act, zh, en;
};
#define PUAN_DUTY_POSTS 4
#define PUAN_DUTY_SHIFTS 8
#define PUAN_DUTY_RUNGS 8
#define PUAN_DUTY_LEVELS 8
#define PUAN_DUTY_GROUPS 24

struct puan_duty {
    bool leader; /* no roster: whoever holds the seat is on duty, always */
    struct puan_str zh, en, seat, office, swaps_by;
    struct puan_str level[PUAN_DUTY_LEVELS];
    size_t n_levels;
    struct puan_duty_post post[PUAN_DUTY_POSTS];
    size_t n_posts;
    struct puan_duty_shift shift[PUAN_DUTY_SHIFTS];
    size_t n_shifts;
    struct puan_duty_rung rung[PUAN_DUTY_RUNGS];
    size_t n_rungs;
    int64_t horizon_ms, answer_ms, test_every_ms;
    struct puan_str contact_flow, transfer_flow; /* may be empty */
    struct puan_duty_group group[PUAN_DUTY_GROUPS];
    size_t n_groups;
};

struct puan_duty_env {
    bool (*role)(const void *of, struct puan_str id);   /* NULL: any */
    bool (*level)(const void *of, struct puan_str id);  /* NULL: any */
    bool (*setting)(int64_t *ms, const void *of, struct puan_str id);
    const void *of;
};

/* EINVAL names file, line, column and what mends it. */
PUAN_MUST_USE enum puan_status puan_duty_load(struct puan_duty **out,
                                              const struct puan_node *tree,
                                              const struct puan_duty_env *env,
                                              struct puan_arena *a,
                                              struct puan_err *err);
int puan_duty_post(const struct puan_duty *d, struct puan_str id);
int puan_duty_shift(const struct puan_duty *d, struct puan_str id);
int puan_duty_group(const struct puan_duty *d, struct puan_str id);
/* Does an office at this level keep a roster? */
bool puan_duty_kept(const struct puan_duty *d, struct puan_str level);

/* ---- what is entered ------------------------------------------------------------ */

enum puan_roster_kind {
    PUAN_ROSTER_ROTATE,  /* shift, post, from_day, until_day, turn, people */
    PUAN_ROSTER_COVER,   /* post, from, until, who: this person stands it */
    PUAN_ROSTER_REST,    /* post, from, until, text: empty, and meant so */
    PUAN_ROSTER_SWAP,    /* post, from, until, who: asks `who` to stand it */
    PUAN_ROSTER_AGREE,   /* of a swap, by the one who was asked */
    PUAN_ROSTER_APPROVE, /* of a swap, by `swaps_by` */
    PUAN_ROSTER_DECLINE, /* of a swap, by either */
    PUAN_ROSTER_CONFIRM, /* post, from, until: "I shall be there" */
    PUAN_ROSTER_CONTACT, /* who, text: how to reach somebody */
    PUAN_ROSTER_TEST,    /* who: a test call */
    PUAN_ROSTER_CALL,    /* who, text, of (first call of the row), rung */
    PUAN_ROSTER_ANSWER,  /* of a call: it was taken */
    PUAN_ROSTER_LOG,     /* text, who (heard from), from (when heard), group */
    PUAN_ROSTER_PASS,    /* of a log entry, group: handed to it */
    PUAN_ROSTER_OFFER,   /* post, text, digest: what goes to the next */
    PUAN_ROSTER_RELIEVE, /* of an offer, digest: taken over */
    PUAN_ROSTER_KINDS
};
extern const char *const puan_roster_word[PUAN_ROSTER_KINDS];

struct puan_roster_entry {
    int64_t id, at_ms; /* ids ascend */
    enum puan_roster_kind kind;
    struct puan_str role, person; /* who entered it; role "system": Puan */
    struct puan_str shift, post, who, text, group, digest;
    const struct puan_str *people;
    size_t n_people;
    int64_t from_ms, until_ms;
    int64_t from_day, until_day; /* rotation: days; until_day 0 open */
    int turn;                    /* rotation: days before the next person */
    int rung;
    int64_t of, ref; /* ref: the case it opened or is about; 0 */
    int64_t message; /* of a call: what was sent; 0 nothing */
};

/* A person may stand duty while he holds the seat. */
struct puan_roster_seat {
    struct puan_str person;
    int64_t from_ms, until_ms; /* 0: never ends */
};

struct puan_roster {
    const struct puan_duty *duty;
    int offset_minutes;
    const struct puan_roster_entry *entry;
    size_t n;
    const struct puan_roster_seat *seat;
    size_t n_seats;
};

/* Any rotation or person put in: an office that never drew one up has none. */
bool puan_roster_drawn(const struct puan_roster *r);

enum puan_roster_state {
    PUAN_ROSTER_HELD,
    PUAN_ROSTER_EMPTY, /* nobody is down for it */
    PUAN_ROSTER_LEFT,  /* who is down for it does not hold the seat then */
    PUAN_ROSTER_MEANT  /* empty on purpose */
};
extern const char *const puan_roster_state_word[4];

struct puan_roster_cell {
    int post, shift; /* indices in duty */
    int64_t from_ms, until_ms;
    enum puan_roster_state state;
    struct puan_str person; /* also of LEFT; empty else */
    int64_t entry;          /* the cover, rest or swap that decided; 0 none */
    bool confirmed;
};
/* Who is down for a post at a moment. */
void puan_roster_at(struct puan_roster_cell *out, const struct puan_roster *r,
                    int post, int64_t ms);
/*
 * All cells of [from, until) by post, then time; a shift is parted where its
 * holder changes.  ELIMIT: more than 62 days.
 */
PUAN_MUST_USE enum puan_status
puan_roster_cells(struct puan_roster_cell **out, size_t *n,
                  const struct puan_roster *r, int64_t from_ms,
                  int64_t until_ms, struct puan_arena *a, struct puan_err *err);
/* Is this person on a post at that moment?  The post, or -1. */
int puan_roster_post_of(const struct puan_roster *r, struct puan_str person,
                        int64_t ms);
/* Those on duty at a moment, first post first, each once; at most `most`. */
size_t puan_roster_on(struct puan_str *person, size_t most,
                      const struct puan_roster *r, int64_t ms);
/* Minutes of [from, until) at which the first post stands empty unmeant. */
int64_t puan_roster_gap(const struct puan_roster_cell *cell, size_t n);

enum puan_swap_state {
    PUAN_SWAP_ASKED, PUAN_SWAP_AGREED, PUAN_SWAP_DONE, PUAN_SWAP_DECLINED
};
extern const char *const puan_swap_word[4];
enum puan_swap_state puan_roster_swap(const struct puan_roster *r,
                                      const struct puan_roster_entry *swap);

/* ---- whether somebody can be reached ---------------------------------------------- */

struct puan_roster_reach {
    const struct puan_roster_entry *contact; /* last; NULL: no number */
    const struct puan_roster_entry *call;    /* last test or call; NULL none */
    const struct puan_roster_entry *answer;  /* to it; NULL: none yet */
    int64_t answered_ms;                     /* of any call, the last; 0 never */
    bool pending;     /* the last call still has time */
    bool unreachable; /* it was not answered in time */
    bool stale;       /* no call answered for `test_every` */
};
void puan_roster_reach(struct puan_roster_reach *out,
                       const struct puan_roster *r, struct puan_str person,
                       int64_t now);
/* The answer to a call, or NULL. */
const struct puan_roster_entry *puan_roster_answer(const struct puan_roster *r,
                                                   int64_t call);

/* ---- what may be entered ------------------------------------------------------------ */

/*
 * Refuses what does not stand: a person who does not hold the seat, a swap of
 * somebody else's shift, a past that is rewritten, a matter handed on while
 * its line in the log is not complete, a duty taken over by the one who hands
 * it over or on a text that is not the one he signed.  A time that began is
 * cut to begin now.
 *
 * EINVAL, EDENIED (not this person or role), ECONFLICT, ENOTFOUND
 */
PUAN_MUST_USE enum puan_status
puan_roster_accept(const struct puan_roster *r, struct puan_roster_entry *e,
                   struct puan_err *err);

#endif
