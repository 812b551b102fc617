/*
 * Fuzz target: a duty model as JSON text.  What loads is played: turns, an
 * empty time that is meant, a swap; two weeks of cells must follow one another
 * without a hole.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/roster/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define T0 INT64_C(1604275200000)
#define HOUR INT64_C(3600000)

static void play(const struct puan_duty *d, struct puan_arena *a)
{
    static const struct puan_str people[] = { { "ann", 3 }, { "bo", 2 } };
    static const struct puan_roster_seat seat[] = {
        { { "ann", 3 }, 0, 0 }, { { "bo", 2 }, T0 - HOUR, T0 + 90 * HOUR }
    };
    struct puan_roster_entry e[8] = { 0 };
    struct puan_roster r = { d, 480, e, 0, seat, 2 };
    struct puan_roster_cell *cell;
    struct puan_err err = { 0 };
    size_t n;

    for (unsigned k = 0; k < 7; k++) {
        struct puan_roster_entry x = {
            .id = k + 1, .at_ms = T0, .role = d->office,
            .kind = k < 2   ? PUAN_ROSTER_ROTATE
                    : k < 4 ? PUAN_ROSTER_REST
                    : k < 5 ? PUAN_ROSTER_SWAP
                    : k < 6 ? PUAN_ROSTER_AGREE
                            : PUAN_ROSTER_APPROVE,
            .post = d->post[0].id, .people = people, .n_people = 2,
            .turn = (int)k + 1, .from_day = puan_instant_day(T0, 480),
            .text = PUAN_STR("shut"), .who = people[1], .of = 5,
            .from_ms = T0 + (int64_t)k * 5 * HOUR,
            .until_ms = T0 + (int64_t)k * 7 * HOUR
        };

        x.person = k == 5 ? people[1] : people[0];
        if (d->n_shifts > 0)
            x.shift = d->shift[k % d->n_shifts].id;
        if (puan_roster_accept(&r, &x, &err) == PUAN_OK)
            e[r.n++] = x;
    }
    if (puan_roster_cells(&cell, &n, &r, T0 - 20 * HOUR, T0 + 300 * HOUR, a,
                          &err) != PUAN_OK)
        return;
    for (size_t i = 1; i < n; i++)
        if (cell[i].post == cell[i - 1].post &&
            (cell[i].from_ms != cell[i - 1].until_ms || cell[i].shift < 0))
            abort();
    if (puan_roster_gap(cell, n) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct puan_duty_env env = { 0 };
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL;
    struct puan_duty *d = NULL;
    const struct puan_str text = { (const char *)data, size };

    puan_arena_init(&a, &puan_test_heap);
    if (puan_json_tree(&tree, text, "duty.yaml", &a, &err) == PUAN_OK &&
        puan_duty_load(&d, tree, &env, &a, &err) == PUAN_OK)
        play(d, &a);
    puan_arena_clear(&a);
    return 0;
}
