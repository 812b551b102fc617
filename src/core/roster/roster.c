/*
 * Who is on duty: rotations, and what lies over them.
 */
#include "core/roster/roster.h"

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define MOST_DAYS 62

const char *const puan_roster_word[PUAN_ROSTER_KINDS] = {
    "rotate", "cover",   "rest", "swap", "agree",  "approve", "decline",
    "confirm", "contact", "test", "call", "answer", "log",     "pass",
    "offer",  "relieve"
};
const char *const puan_roster_state_word[4] = { "held", "empty", "left",
                                                "meant" };
const char *const puan_swap_word[4] = { "asked", "agreed", "done",
                                        "declined" };

bool puan_roster_drawn(const struct puan_roster *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].kind == PUAN_ROSTER_ROTATE ||
            r->entry[i].kind == PUAN_ROSTER_COVER)
            return true;
    return false;
}

static bool seated(const struct puan_roster *r, struct puan_str person,
                   int64_t ms)
{
    for (size_t i = 0; i < r->n_seats; i++)
        if (puan_str_eq(r->seat[i].person, person) &&
            r->seat[i].from_ms <= ms &&
            (r->seat[i].until_ms == 0 || r->seat[i].until_ms > ms))
            return true;
    return false;
}

enum puan_swap_state puan_roster_swap(const struct puan_roster *r,
                                      const struct puan_roster_entry *swap)
{
    bool agreed = false, approved = r->duty->swaps_by.n == 0;

    for (size_t i = 0; i < r->n; i++) {
        if (r->entry[i].of != swap->id)
            continue;
        if (r->entry[i].kind == PUAN_ROSTER_DECLINE)
            return PUAN_SWAP_DECLINED;
        agreed = agreed || r->entry[i].kind == PUAN_ROSTER_AGREE;
        approved = approved || r->entry[i].kind == PUAN_ROSTER_APPROVE;
    }
    if (!agreed)
        return PUAN_SWAP_ASKED;
    return approved ? PUAN_SWAP_DONE : PUAN_SWAP_AGREED;
}

/* Where the shift of this day begins. */
static int64_t shift_from(const struct puan_roster *r, int shift, int64_t day)
{
    return day * DAY_MS +
           r->duty->shift[shift].from_minute * MINUTE_MS -
           r->offset_minutes * MINUTE_MS;
}

static bool shift_of(int *shift, int64_t *day, const struct puan_roster *r,
                     int64_t ms)
{
    int64_t today = puan_instant_day(ms, r->offset_minutes);

    for (int back = 0; back < 2; back++)
        for (size_t i = 0; i < r->duty->n_shifts; i++) {
            int64_t from = shift_from(r, (int)i, today - back);

            if (from > ms ||
                ms >= from + r->duty->shift[i].minutes * MINUTE_MS)
                continue;
            *shift = (int)i;
            *day = today - back;
            return true;
        }
    return false;
}

static bool lies_over(const struct puan_roster *r,
                      const struct puan_roster_entry *e)
{
    switch (e->kind) {
    case PUAN_ROSTER_COVER:
    case PUAN_ROSTER_REST:
        return true;
    case PUAN_ROSTER_SWAP:
        return puan_roster_swap(r, e) == PUAN_SWAP_DONE;
    case PUAN_ROSTER_ROTATE:
    case PUAN_ROSTER_AGREE:
    case PUAN_ROSTER_APPROVE:
    case PUAN_ROSTER_DECLINE:
    case PUAN_ROSTER_CONFIRM:
    case PUAN_ROSTER_CONTACT:
    case PUAN_ROSTER_TEST:
    case PUAN_ROSTER_CALL:
    case PUAN_ROSTER_ANSWER:
    case PUAN_ROSTER_LOG:
    case PUAN_ROSTER_PASS:
    case PUAN_ROSTER_OFFER:
    case PUAN_ROSTER_RELIEVE:
    case PUAN_ROSTER_KINDS:
        break;
    }
    return false;
}

static bool spans(const struct puan_roster_entry *e, int64_t ms)
{
    return e->from_ms <= ms && ms < e->until_ms;
}

static struct puan_str in_turn(const struct puan_roster *r, int post, int shift,
                               int64_t day)
{
    for (size_t i = r->n; i-- > 0;) {
        const struct puan_roster_entry *e = &r->entry[i];
        int64_t turns;

        if (e->kind != PUAN_ROSTER_ROTATE || day < e->from_day ||
            (e->until_day != 0 && day >= e->until_day) || e->n_people == 0 ||
            e->turn < 1 ||
            !puan_str_eq(e->post, r->duty->post[post].id) ||
            !puan_str_eq(e->shift, r->duty->shift[shift].id))
            continue;
        turns = (day - e->from_day) / e->turn;
        return e->people[(size_t)turns % e->n_people];
    }
    return PUAN_STR("");
}

static bool confirmed(const struct puan_roster *r, int post,
                      struct puan_str person, int64_t ms)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct puan_roster_entry *e = &r->entry[i];

        if (e->kind == PUAN_ROSTER_CONFIRM && spans(e, ms) &&
            puan_str_eq(e->person, person) &&
            puan_str_eq(e->post, r->duty->post[post].id))
            return true;
        /* who agreed to a swap said that he will be there */
        if (e->kind == PUAN_ROSTER_SWAP && spans(e, ms) &&
            puan_str_eq(e->who, person) &&
            puan_str_eq(e->post, r->duty->post[post].id) &&
            puan_roster_swap(r, e) == PUAN_SWAP_DONE)
            return true;
    }
    return false;
}

void puan_roster_at(struct puan_roster_cell *out, const struct puan_roster *r,
                    int post, int64_t ms)
{
    int64_t day = 0;
    int shift = -1;

    *out = (struct puan_roster_cell){ .post = post, .shift = -1,
                                      .from_ms = ms, .until_ms = ms + 1,
                                      .state = PUAN_ROSTER_EMPTY };
    if (!shift_of(&shift, &day, r, ms))
        return;
    out->shift = shift;
    out->person = in_turn(r, post, shift, day);
    for (size_t i = r->n; i-- > 0;) {
        const struct puan_roster_entry *e = &r->entry[i];

        if (!spans(e, ms) ||
            !puan_str_eq(e->post, r->duty->post[post].id) || !lies_over(r, e))
            continue;
        out->entry = e->id;
        out->person = e->kind == PUAN_ROSTER_REST ? PUAN_STR("") : e->who;
        if (e->kind == PUAN_ROSTER_REST) {
            out->state = PUAN_ROSTER_MEANT;
            return;
        }
        break;
    }
    if (out->person.n == 0)
        return;
    out->state = seated(r, out->person, ms) ? PUAN_ROSTER_HELD
                                            : PUAN_ROSTER_LEFT;
    out->confirmed = out->state == PUAN_ROSTER_HELD &&
                     confirmed(r, post, out->person, ms);
}

/* The next moment after `ms` at which anything may change. */
static int64_t next_cut(const struct puan_roster *r, int64_t ms, int64_t until)
{
    int64_t day = puan_instant_day(ms, r->offset_minutes), next = until;

#define CUT(t)                                                                 \
    do {                                                                       \
        int64_t cut_ = (t);                                                    \
        if (cut_ > ms && cut_ < next)                                          \
            next = cut_;                                                       \
    } while (0)
    for (int64_t d = day - 1; d <= day + 1; d++)
        for (size_t i = 0; i < r->duty->n_shifts; i++)
            CUT(shift_from(r, (int)i, d));
    for (size_t i = 0; i < r->n; i++) {
        const struct puan_roster_entry *e = &r->entry[i];

        if (!lies_over(r, e) && e->kind != PUAN_ROSTER_CONFIRM)
            continue;
        CUT(e->from_ms);
        CUT(e->until_ms);
    }
    for (size_t i = 0; i < r->n_seats; i++) {
        CUT(r->seat[i].from_ms);
        CUT(r->seat[i].until_ms);
    }
#undef CUT
    return next;
}

static bool goes_on(const struct puan_roster *r,
                    const struct puan_roster_cell *a,
                    const struct puan_roster_cell *b)
{
    int shift = 0;
    int64_t day_a = 0, day_b = 0;

    return a->until_ms == b->from_ms && a->post == b->post &&
           a->shift == b->shift && a->state == b->state &&
           a->entry == b->entry && a->confirmed == b->confirmed &&
           puan_str_eq(a->person, b->person) &&
           shift_of(&shift, &day_a, r, a->from_ms) &&
           shift_of(&shift, &day_b, r, b->from_ms) && day_a == day_b;
}

enum puan_status puan_roster_cells(struct puan_roster_cell **out, size_t *n,
                                   const struct puan_roster *r,
                                   int64_t from_ms, int64_t until_ms,
                                   struct puan_arena *a, struct puan_err *err)
{
    size_t cap = 0;

    *n = 0;
    *out = NULL;
    if (r->duty->leader || until_ms <= from_ms)
        return PUAN_OK;
    if (until_ms - from_ms > MOST_DAYS * DAY_MS)
        return puan_fail(err, PUAN_ELIMIT, "until",
                         "a roster is shown for at most %d days at once",
                         MOST_DAYS);
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;

        for (size_t p = 0; p < r->duty->n_posts; p++) {
            size_t first = at;

            for (int64_t ms = from_ms; ms < until_ms;) {
                int64_t next = next_cut(r, ms, until_ms);
                struct puan_roster_cell c;

                if (pass == 0) {
                    cap++;
                    ms = next;
                    continue;
                }
                puan_roster_at(&c, r, (int)p, ms);
                c.from_ms = ms;
                c.until_ms = next;
                if (at > first && goes_on(r, &(*out)[at - 1], &c))
                    (*out)[at - 1].until_ms = next;
                else
                    (*out)[at++] = c;
                ms = next;
            }
        }
        if (pass == 0) {
            *out = puan_new_n(a, cap + 1, struct puan_roster_cell);
            if (*out == NULL)
                return puan_arena_check(a, err);
        }
        *n = at;
    }
    return PUAN_OK;
}

int puan_roster_post_of(const struct puan_roster *r, struct puan_str person,
                        int64_t ms)
{
    if (r->duty->leader)
        return seated(r, person, ms) ? 0 : -1;
    for (size_t p = 0; p < r->duty->n_posts; p++) {
        struct puan_roster_cell c;

        puan_roster_at(&c, r, (int)p, ms);
        if (c.state == PUAN_ROSTER_HELD && puan_str_eq(c.person, person))
            return (int)p;
    }
    return -1;
}

static size_t add(struct puan_str *list, size_t n, size_t most,
                  struct puan_str person)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(list[i], person))
            return n;
    if (n < most)
        list[n++] = person;
    return n;
}

size_t puan_roster_on(struct puan_str *person, size_t most,
                      const struct puan_roster *r, int64_t ms)
{
    size_t n = 0;

    for (size_t i = 0; r->duty->leader && i < r->n_seats; i++)
        if (seated(r, r->seat[i].person, ms))
            n = add(person, n, most, r->seat[i].person);
    for (size_t p = 0; !r->duty->leader && p < r->duty->n_posts; p++) {
        struct puan_roster_cell c;

        puan_roster_at(&c, r, (int)p, ms);
        if (c.state == PUAN_ROSTER_HELD)
            n = add(person, n, most, c.person);
    }
    return n;
}

int64_t puan_roster_gap(const struct puan_roster_cell *cell, size_t n)
{
    int64_t ms = 0;

    for (size_t i = 0; i < n; i++)
        if (cell[i].post == 0 && (cell[i].state == PUAN_ROSTER_EMPTY ||
                                  cell[i].state == PUAN_ROSTER_LEFT))
            ms += cell[i].until_ms - cell[i].from_ms;
    return (ms + MINUTE_MS - 1) / MINUTE_MS;
}

const struct puan_roster_entry *puan_roster_answer(const struct puan_roster *r,
                                                   int64_t call)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].kind == PUAN_ROSTER_ANSWER && r->entry[i].of == call)
            return &r->entry[i];
    return NULL;
}

void puan_roster_reach(struct puan_roster_reach *out,
                       const struct puan_roster *r, struct puan_str person,
                       int64_t now)
{
    *out = (struct puan_roster_reach){ 0 };
    for (size_t i = 0; i < r->n; i++) {
        const struct puan_roster_entry *e = &r->entry[i];

        if (!puan_str_eq(e->who, person))
            continue;
        if (e->kind == PUAN_ROSTER_CONTACT)
            out->contact = e;
        if (e->kind != PUAN_ROSTER_TEST && e->kind != PUAN_ROSTER_CALL)
            continue;
        out->call = e;
        out->answer = puan_roster_answer(r, e->id);
        if (out->answer && out->answer->at_ms > out->answered_ms)
            out->answered_ms = out->answer->at_ms;
    }
    if (out->call != NULL && out->answer == NULL) {
        out->pending = now < out->call->at_ms + r->duty->answer_ms;
        out->unreachable = !out->pending;
    }
    out->stale = out->answered_ms == 0 ||
                 now - out->answered_ms > r->duty->test_every_ms;
}
