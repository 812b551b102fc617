/*
 * For tests: a frame out of records, with bases, widths and state lists chosen
 * by a function, so that every way a value may lie in a column comes up.
 * Never part of a program.
 */
#ifndef PUAN_CORE_RULE_FRAME_HELP_H
#define PUAN_CORE_RULE_FRAME_HELP_H

#include "core/rule/test_help.h"

#include "core/rule/lane.h"

struct help_column {
    const int64_t *v;
    const uint8_t *st;
    size_t step, rows;
};

/* Stored values of one column. */
static inline void help_column(struct puan_frame_item *it, int64_t *v,
                               const uint8_t *st, size_t rows,
                               uint32_t (*pick)(uint32_t), struct puan_arena *a)
{
    struct puan_frame_state *states = puan_new_n(a, 8, struct puan_frame_state);
    uint64_t span, most_stored;
    char *data;

    it->least = INT64_MAX;
    it->most = INT64_MIN;
    it->states = states;
    for (size_t i = 0; i < rows; i++) {
        size_t s = 0;

        if (st[i] == PUAN_GIVEN) {
            it->n_given++;
            it->least = v[i] < it->least ? v[i] : it->least;
            it->most = v[i] > it->most ? v[i] : it->most;
            continue;
        }
        if (st[i] != PUAN_MISSING)
            v[i] = 0;
        while (s < it->n_states &&
               ((uint8_t)states[s].state != st[i] || states[s].reason != v[i]))
            s++;
        assert_true(s < 8);
        if (s == it->n_states)
            states[it->n_states++] =
                (struct puan_frame_state){ (enum puan_state)st[i], v[i] };
    }
    if (it->n_given == 0)
        it->base = 0;
    else
        it->base =
            it->least - (it->least > INT64_MIN + 9 ? (int64_t)pick(3) : 0);
    span = it->n_given ? (uint64_t)it->most - (uint64_t)it->base : 0;
    it->stop = span + 1 + pick(3);
    most_stored = it->n_states ? it->stop + it->n_states - 1 : span;
    it->width = most_stored < 256     ? 1
                : most_stored < 65536 ? 2
                : most_stored >> 32   ? 8
                                      : 4;
    if (pick(5) == 0 && it->width < 8)
        it->width = (uint8_t)(it->width * 2);
    if (it->n_states == 0)
        it->stop = UINT64_MAX;
    data = puan_arena_get(a, rows * it->width + 1);
    for (size_t i = 0; i < rows; i++) {
        uint64_t x;
        size_t s = 0;

        if (st[i] == PUAN_GIVEN) {
            x = (uint64_t)v[i] - (uint64_t)it->base;
        } else {
            while ((uint8_t)states[s].state != st[i] ||
                   states[s].reason != v[i])
                s++;
            x = it->stop + s;
        }
        memcpy(data + i * it->width, &x, it->width);
    }
    it->data = data;
}

/*
 * The records' rows one after another.  With `areas`, a level "ea" of so many
 * records each stands above, and "town" of two eas above that, without items.
 */
static inline struct puan_frame *help_frame(const struct puan_form *form,
                                            const struct puan_record *rec,
                                            size_t n, size_t areas,
                                            uint32_t (*pick)(uint32_t),
                                            struct puan_arena *a)
{
    struct puan_frame *f = puan_new(a, struct puan_frame);
    size_t above = areas ? 2 : 0;
    struct puan_frame_entity *entity =
        puan_new_n(a, form->n_entities + above, struct puan_frame_entity);

    f->entity = entity;
    f->n_entities = form->n_entities + above;
    f->form = form->id;
    for (uint16_t e = 0; e < form->n_entities; e++) {
        const struct puan_entity *from = &form->entity[e];
        struct puan_frame_entity *to = &entity[e + above];
        struct puan_frame_item *item =
            puan_new_n(a, from->n_items + 1, struct puan_frame_item);
        uint32_t *first = puan_new_n(a, n + 1, uint32_t);
        int64_t *v;
        uint8_t *st;

        to->name = from->name;
        to->parent = e > 0 ? (int)above : areas ? 1 : -1;
        for (size_t r = 0; r < n; r++)
            first[r + 1] = first[r] + rec[r].rows[e].n;
        to->rows = first[n];
        to->first = e > 0 ? first : NULL;
        to->item = item;
        to->n_items = from->n_items;
        v = puan_new_n(a, to->rows + 1, int64_t);
        st = puan_new_n(a, to->rows + 1, uint8_t);
        for (uint16_t i = 0; i < from->n_items; i++) {
            const struct puan_item *x = &from->items[i];
            bool sealed = x->zone != PUAN_ZONE_FRAME;
            size_t at = 0;

            item[i].name = x->name;
            item[i].type = x->type;
            item[i].places = x->places;
            item[i].digits = x->digits;
            item[i].codes = x->codes;
            for (size_t r = 0; r < n; r++)
                for (uint32_t row = 0; row < rec[r].rows[e].n; row++, at++) {
                    size_t cell = (size_t)row * from->n_items + i;

                    st[at] = rec[r].rows[e].st[cell];
                    v[at] = rec[r].rows[e].v[cell];
                    if (sealed && st[at] == PUAN_GIVEN)
                        v[at] = 0;
                }
            help_column(&item[i], v, st, to->rows, pick, a);
        }
    }
    if (areas) {
        size_t eas = (n + areas - 1) / areas, towns = (eas + 1) / 2;
        uint32_t *ea = puan_new_n(a, eas + 1, uint32_t);
        uint32_t *town = puan_new_n(a, towns + 1, uint32_t);

        for (size_t i = 0; i <= eas; i++)
            ea[i] = (uint32_t)(i * areas < n ? i * areas : n);
        for (size_t i = 0; i <= towns; i++)
            town[i] = (uint32_t)(2 * i < eas ? 2 * i : eas);
        entity[0] = (struct puan_frame_entity){ .name = PUAN_STR("town"),
                                                .parent = -1,
                                                .rows = towns };
        entity[1] = (struct puan_frame_entity){
            .name = PUAN_STR("ea"), .parent = 0, .rows = eas, .first = town
        };
        entity[2].first = ea;
    }
    return f;
}

#endif
