/*
 * What may be entered on a roster, in its log, and at the change of duty.
 */
#include "core/roster/roster.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

/* What a line of the log needs before another group can act on it. */
#define RECORD 10

static bool office(const struct puan_roster *r,
                   const struct puan_roster_entry *e)
{
    return puan_str_eq(e->role, r->duty->office);
}

static enum puan_status by_office(const struct puan_roster *r,
                                  const struct puan_roster_entry *e,
                                  struct puan_err *err)
{
    if (office(r, e))
        return PUAN_OK;
    return puan_fail(err, PUAN_EDENIED, "role",
                     "the roster is drawn up by %.*s",
                     PUAN_FMT(r->duty->office));
}

static bool holds(const struct puan_roster *r, struct puan_str person,
                  int64_t from, int64_t until)
{
    for (size_t i = 0; i < r->n_seats; i++)
        if (puan_str_eq(r->seat[i].person, person) &&
            r->seat[i].from_ms < until &&
            (r->seat[i].until_ms == 0 || r->seat[i].until_ms > from))
            return true;
    return false;
}

static enum puan_status may_stand(const struct puan_roster *r,
                                  struct puan_str person, int64_t from,
                                  int64_t until, const char *where,
                                  struct puan_err *err)
{
    if (holds(r, person, from, until))
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, where,
                     "%.*s does not hold the seat %.*s then",
                     PUAN_FMT(person), PUAN_FMT(r->duty->seat));
}

/* A stretch of one post that lies ahead; what began is cut to begin now. */
static enum puan_status ahead(const struct puan_roster *r,
                              struct puan_roster_entry *e, struct puan_err *err)
{
    if (r->duty->leader)
        return puan_fail(err, PUAN_ECONFLICT, "duty",
                         "this plan has no roster: leaders answer at all "
                         "hours");
    if (puan_duty_post(r->duty, e->post) < 0)
        return puan_fail(err, PUAN_EINVAL, "post", "the plan has no such post");
    if (e->from_ms >= e->until_ms)
        return puan_fail(err, PUAN_EINVAL, "until", "is not after from");
    if (e->until_ms - e->from_ms > 62 * DAY_MS)
        return puan_fail(err, PUAN_EINVAL, "until",
                         "is more than 62 days after from");
    if (e->until_ms <= e->at_ms)
        return puan_fail(err, PUAN_ECONFLICT, "from",
                         "that time is over; what was is not rewritten");
    if (e->from_ms < e->at_ms)
        e->from_ms = e->at_ms;
    return PUAN_OK;
}

/* The person stands this post from beginning to end. */
static bool stands(const struct puan_roster *r,
                   const struct puan_roster_entry *e, struct puan_str person)
{
    int post = puan_duty_post(r->duty, e->post);

    for (int64_t ms = e->from_ms; ms < e->until_ms;) {
        struct puan_roster_cell c;
        int64_t next = ms + 15 * MINUTE_MS;

        puan_roster_at(&c, r, post, ms);
        if (c.state != PUAN_ROSTER_HELD || !puan_str_eq(c.person, person))
            return false;
        ms = next < e->until_ms || ms == e->until_ms - 1 ? next
                                                         : e->until_ms - 1;
    }
    return true;
}

static enum puan_status accept_rotate(const struct puan_roster *r,
                                      struct puan_roster_entry *e,
                                      struct puan_err *err)
{
    int64_t today = puan_instant_day(e->at_ms, r->offset_minutes);

    TRY(by_office(r, e, err));
    if (r->duty->leader)
        return puan_fail(err, PUAN_ECONFLICT, "duty",
                         "this plan has no roster: leaders answer at all "
                         "hours");
    if (puan_duty_post(r->duty, e->post) < 0)
        return puan_fail(err, PUAN_EINVAL, "post", "the plan has no such post");
    if (puan_duty_shift(r->duty, e->shift) < 0)
        return puan_fail(err, PUAN_EINVAL, "shift",
                         "the plan has no such shift");
    if (e->from_day < today)
        return puan_fail(err, PUAN_ECONFLICT, "from",
                         "that day is over; what was is not rewritten");
    if (e->until_day != 0 && e->until_day <= e->from_day)
        return puan_fail(err, PUAN_EINVAL, "until", "is not after from");
    if (e->turn < 1 || e->turn > 366)
        return puan_fail(err, PUAN_EINVAL, "turn", "is 1 to 366 days");
    if (e->n_people == 0 || e->n_people > 100)
        return puan_fail(err, PUAN_EINVAL, "people",
                         "name 1 to 100 persons, in the order of their turns");
    for (size_t i = 0; i < e->n_people; i++)
        TRY(may_stand(r, e->people[i], e->at_ms,
                      e->until_day ? (e->until_day + 1) * DAY_MS : INT64_MAX,
                      "people", err));
    return PUAN_OK;
}

static const struct puan_roster_entry *find(const struct puan_roster *r,
                                            int64_t id,
                                            enum puan_roster_kind kind)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].id == id && r->entry[i].kind == kind)
            return &r->entry[i];
    return NULL;
}

static enum puan_status none(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_ENOTFOUND, what, "there is none of that number");
}

static enum puan_status accept_swap(const struct puan_roster *r,
                                    struct puan_roster_entry *e,
                                    struct puan_err *err)
{
    TRY(ahead(r, e, err));
    if (puan_str_eq(e->who, e->person))
        return puan_fail(err, PUAN_EINVAL, "who", "is you: ask somebody else");
    if (!stands(r, e, e->person))
        return puan_fail(err, PUAN_EDENIED, "post",
                         "you do not stand this post all that time");
    return may_stand(r, e->who, e->from_ms, e->until_ms, "who", err);
}

/* Agreement, approval, refusal of a swap. */
static enum puan_status accept_word(const struct puan_roster *r,
                                    struct puan_roster_entry *e,
                                    struct puan_err *err)
{
    const struct puan_roster_entry *s = find(r, e->of, PUAN_ROSTER_SWAP);
    enum puan_swap_state now;
    bool approver;

    if (s == NULL)
        return none(err, "swap");
    now = puan_roster_swap(r, s);
    approver = r->duty->swaps_by.n > 0 &&
               puan_str_eq(e->role, r->duty->swaps_by) &&
               !puan_str_eq(e->person, s->person) &&
               !puan_str_eq(e->person, s->who);
    if (now == PUAN_SWAP_DONE || now == PUAN_SWAP_DECLINED)
        return puan_fail(err, PUAN_ECONFLICT, "swap", "it is decided already");
    if (s->from_ms <= e->at_ms && e->kind != PUAN_ROSTER_DECLINE)
        return puan_fail(err, PUAN_ECONFLICT, "swap", "that duty has begun");
    if (e->kind == PUAN_ROSTER_AGREE) {
        if (!puan_str_eq(e->person, s->who))
            return puan_fail(err, PUAN_EDENIED, "swap",
                             "only who was asked can agree");
        if (now != PUAN_SWAP_ASKED)
            return puan_fail(err, PUAN_ECONFLICT, "swap", "agreed already");
        if (!stands(r, s, s->person))
            return puan_fail(err, PUAN_ECONFLICT, "swap",
                             "the roster has changed since it was asked");
        return may_stand(r, s->who, s->from_ms, s->until_ms, "who", err);
    }
    if (e->kind == PUAN_ROSTER_APPROVE) {
        if (!approver)
            return puan_fail(err, PUAN_EDENIED, "swap",
                             "a swap is approved by a third person");
        if (now != PUAN_SWAP_AGREED)
            return puan_fail(err, PUAN_ECONFLICT, "swap",
                             "who was asked has not agreed");
        return PUAN_OK;
    }
    if (!approver && !puan_str_eq(e->person, s->who) &&
        !puan_str_eq(e->person, s->person))
        return puan_fail(err, PUAN_EDENIED, "swap",
                         "it is not yours to refuse");
    return PUAN_OK;
}

static enum puan_status accept_answer(const struct puan_roster *r,
                                      struct puan_roster_entry *e,
                                      struct puan_err *err)
{
    const struct puan_roster_entry *c = find(r, e->of, PUAN_ROSTER_CALL);

    if (c == NULL)
        c = find(r, e->of, PUAN_ROSTER_TEST);
    if (c == NULL)
        return none(err, "call");
    if (puan_roster_answer(r, c->id) != NULL)
        return puan_fail(err, PUAN_ECONFLICT, "call", "answered already");
    /* somebody who rang him says so, and how he heard it */
    if (!puan_str_eq(e->person, c->who) && e->text.n < 2)
        return puan_fail(err, PUAN_EINVAL, "text",
                         "for another person: write how he answered");
    e->who = c->who;
    return PUAN_OK;
}

static enum puan_status on_duty(const struct puan_roster *r,
                                const struct puan_roster_entry *e,
                                struct puan_err *err)
{
    if (puan_roster_post_of(r, e->person, e->at_ms) >= 0)
        return PUAN_OK;
    if (!puan_roster_drawn(r) && holds(r, e->person, e->at_ms, e->at_ms + 1))
        return PUAN_OK; /* no roster yet: whoever holds the seat */
    return puan_fail(err, PUAN_EDENIED, "duty", "you are not on duty now");
}

static enum puan_status accept_log(const struct puan_roster *r,
                                   struct puan_roster_entry *e,
                                   struct puan_err *err)
{
    TRY(on_duty(r, e, err));
    if (e->text.n == 0)
        return puan_fail(err, PUAN_EINVAL, "text", "write what happened");
    if (e->from_ms > e->at_ms)
        return puan_fail(err, PUAN_EINVAL, "heard",
                         "lies ahead; write when it was heard");
    return PUAN_OK;
}

static enum puan_status accept_pass(const struct puan_roster *r,
                                    struct puan_roster_entry *e,
                                    struct puan_err *err)
{
    const struct puan_roster_entry *l = find(r, e->of, PUAN_ROSTER_LOG);

    if (l == NULL)
        return none(err, "log");
    TRY(on_duty(r, e, err));
    if (puan_duty_group(r->duty, e->group) < 0)
        return puan_fail(err, PUAN_EINVAL, "group",
                         "the plan hands nothing to this group");
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].kind == PUAN_ROSTER_PASS && r->entry[i].of == l->id)
            return puan_fail(err, PUAN_ECONFLICT, "log",
                             "it was handed on already");
    if (l->from_ms == 0)
        return puan_fail(err, PUAN_ECONFLICT, "heard",
                         "the log does not say when it was heard; enter it "
                         "again in full");
    if (l->who.n == 0)
        return puan_fail(err, PUAN_ECONFLICT, "who",
                         "the log does not say from whom it was heard; enter "
                         "it again in full");
    if (puan_utf8_length(l->text) < RECORD)
        return puan_fail(err, PUAN_ECONFLICT, "text",
                         "the log holds fewer than %d characters of it; enter "
                         "it again in full",
                         RECORD);
    return PUAN_OK;
}

static enum puan_status accept_relieve(const struct puan_roster *r,
                                       struct puan_roster_entry *e,
                                       struct puan_err *err)
{
    const struct puan_roster_entry *o = find(r, e->of, PUAN_ROSTER_OFFER);

    if (o == NULL)
        return none(err, "offer");
    for (size_t i = 0; i < r->n; i++) {
        if (r->entry[i].kind == PUAN_ROSTER_RELIEVE && r->entry[i].of == o->id)
            return puan_fail(err, PUAN_ECONFLICT, "offer", "it was taken over");
        if (r->entry[i].kind == PUAN_ROSTER_OFFER && r->entry[i].id > o->id &&
            puan_str_eq(r->entry[i].post, o->post))
            return puan_fail(err, PUAN_ECONFLICT, "offer",
                             "a later one stands in its place");
    }
    if (puan_str_eq(e->person, o->person))
        return puan_fail(err, PUAN_EDENIED, "offer",
                         "who hands over does not take over");
    if (!puan_str_eq(e->digest, o->digest))
        return puan_fail(err, PUAN_ECONFLICT, "digest",
                         "what is open has changed since it was signed; let it "
                         "be offered again");
    return may_stand(r, e->person, e->at_ms, e->at_ms + 1, "person", err);
}

enum puan_status puan_roster_accept(const struct puan_roster *r,
                                    struct puan_roster_entry *e,
                                    struct puan_err *err)
{
    bool system = puan_str_is(e->role, "system");

    switch (e->kind) {
    case PUAN_ROSTER_ROTATE:
        return accept_rotate(r, e, err);
    case PUAN_ROSTER_COVER:
        TRY(by_office(r, e, err));
        TRY(ahead(r, e, err));
        return may_stand(r, e->who, e->from_ms, e->until_ms, "who", err);
    case PUAN_ROSTER_REST:
        TRY(by_office(r, e, err));
        if (e->text.n == 0)
            return puan_fail(err, PUAN_EINVAL, "text",
                             "write why nobody is needed");
        return ahead(r, e, err);
    case PUAN_ROSTER_SWAP:
        return accept_swap(r, e, err);
    case PUAN_ROSTER_AGREE:
    case PUAN_ROSTER_APPROVE:
    case PUAN_ROSTER_DECLINE:
        return accept_word(r, e, err);
    case PUAN_ROSTER_CONFIRM:
        TRY(ahead(r, e, err));
        if (!stands(r, e, e->person))
            return puan_fail(err, PUAN_EDENIED, "post",
                             "you do not stand this post all that time");
        return PUAN_OK;
    case PUAN_ROSTER_CONTACT:
        if (!puan_str_eq(e->who, e->person) && !office(r, e))
            return puan_fail(err, PUAN_EDENIED, "who",
                             "a number is entered by its holder or by %.*s",
                             PUAN_FMT(r->duty->office));
        return e->text.n > 0 ? PUAN_OK
                             : puan_fail(err, PUAN_EINVAL, "text",
                                         "write how to reach him");
    case PUAN_ROSTER_TEST:
    case PUAN_ROSTER_CALL:
        if (!system && !office(r, e) && !puan_str_eq(e->role, r->duty->seat))
            return puan_fail(err, PUAN_EDENIED, "role",
                             "calls are made by those on duty and by %.*s",
                             PUAN_FMT(r->duty->office));
        return PUAN_OK;
    case PUAN_ROSTER_ANSWER:
        return accept_answer(r, e, err);
    case PUAN_ROSTER_LOG:
        return accept_log(r, e, err);
    case PUAN_ROSTER_PASS:
        return accept_pass(r, e, err);
    case PUAN_ROSTER_OFFER:
        TRY(on_duty(r, e, err));
        if (e->text.n == 0)
            return puan_fail(err, PUAN_EINVAL, "text",
                             "write what is to be seen to, and the state of "
                             "the telephone");
        return PUAN_OK;
    case PUAN_ROSTER_RELIEVE:
        return accept_relieve(r, e, err);
    case PUAN_ROSTER_KINDS:
        break;
    }
    return puan_fail(err, PUAN_EBUG, "roster", "no such kind of entry");
}
