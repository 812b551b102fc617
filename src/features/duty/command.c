/*
 * puan duty: the roster on a terminal.
 */
#include <stdio.h>

#include "core/area/area.h"
#include "features/duty/internal.h"
#include "features/host/args.h"
#include "kit/os/os.h"

#define DAY_MS INT64_C(86400000)

static void when(char out[17], int64_t ms, int offset)
{
    char text[32];

    puan_instant_text(text, ms, offset);
    puan_format(out, 17, "%.10s %.5s", text, text + 11);
}

static enum puan_status show(bool *fault, struct puan_store *st,
                             struct puan_db *db, int64_t area, int64_t days,
                             struct puan_arena *a, struct puan_err *err)
{
    static const char *const words[] = { "", "NOBODY", "LEFT", "meant empty" };
    int64_t now = puan_store_now(st);
    struct puan_roster_cell *cell;
    struct duty_state x;
    struct puan_roster r;
    size_t n;

    TRY(duty_read(&r, st, db, area, a, err));
    TRY(duty_state_of(&x, &r, now, a, err));
    printf("%lld %.*s\n", (long long)area, PUAN_FMT(r.duty->en));
    if (!x.drawn && !r.duty->leader)
        puts("  no roster was drawn up");
    TRY(puan_roster_cells(&cell, &n, &r, now, now + days * DAY_MS, a, err));
    for (size_t i = 0; x.drawn && i < n; i++) {
        const struct puan_roster_cell *c = &cell[i];
        char from[17], until[17];

        when(from, c->from_ms, r.offset_minutes);
        when(until, c->until_ms, r.offset_minutes);
        printf("  %s  %s  %-10.*s %-8.*s %.*s%s%s\n", from, until,
               PUAN_FMT(r.duty->post[c->post].id),
               PUAN_FMT(c->shift < 0 ? PUAN_STR("-")
                                     : r.duty->shift[c->shift].id),
               PUAN_FMT(c->person), c->person.n && words[c->state][0] ? " " : "",
               words[c->state]);
    }
    for (size_t i = 0; i < r.n_seats; i++) {
        struct puan_roster_reach y;

        puan_roster_reach(&y, &r, r.seat[i].person, now);
        if (y.unreachable || y.contact == NULL || y.stale)
            printf("  %.*s: %s\n", PUAN_FMT(r.seat[i].person),
                   y.unreachable       ? "did not answer the last call"
                   : y.contact == NULL ? "no number is known"
                                       : "no call has reached him lately");
    }
    if (x.gap_minutes > 0)
        printf("  gap: %lld minutes ahead\n", (long long)x.gap_minutes);
    *fault = *fault || x.gap_minutes > 0 || x.unreachable > 0;
    return PUAN_OK;
}

int duty_command(int argc, char **argv)
{
    const char *dir = NULL, *area = NULL, *days = NULL, *url = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },
        { "--area", &area, NULL },
        { "--days", &days, NULL },
        { "--store", &url, NULL },
    };
    struct puan_store_options opt = { .readonly = true, .no_writers = true };
    int64_t n_days = 7, code = 0, *list = NULL;
    struct puan_store *st = NULL;
    struct puan_db *db = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    enum puan_status rc;
    bool fault = false;
    size_t n = 0;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir ||
        (days && (!puan_int_parse(&n_days, puan_str_of(days)) || n_days < 1 ||
                  n_days > 60)) ||
        (area && !puan_int_parse(&code, puan_str_of(area))))
        return PUAN_EXIT_USAGE;
    opt.url = url;
    puan_arena_init(&a, puan_os_alloc());
    rc = puan_store_open(&st, dir, &opt, &err);
    if (rc == PUAN_OK)
        rc = puan_read_begin(&db, puan_store_office(st), &err);
    if (rc == PUAN_OK)
        rc = duty_areas(&list, &n, db, &a, &err);
    if (rc == PUAN_OK && area != NULL) {
        list = &code;
        n = 1;
    }
    if (rc == PUAN_OK && n == 0)
        puts("no office has drawn up a roster");
    for (size_t i = 0; rc == PUAN_OK && i < n; i++)
        rc = show(&fault, st, db, list[i], n_days, &a, &err);
    if (db != NULL)
        puan_read_end(puan_store_office(st), db);
    puan_store_close(st);
    puan_arena_clear(&a);
    if (rc != PUAN_OK)
        return puan_command_fail(rc, &err);
    return fault ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
