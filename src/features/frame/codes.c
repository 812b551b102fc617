#include "features/frame/codes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/form/record.h"
#include "kit/sheet/sheet.h"

static const struct puan_item *item_of(const struct puan_plan *plan,
                                       struct puan_str name)
{
    for (size_t f = 0; f < plan->n_forms; f++)
        for (uint16_t e = 0; e < plan->form[f]->n_entities; e++) {
            int i = puan_entity_item(&plan->form[f]->entity[e], name);

            if (i >= 0)
                return &plan->form[f]->entity[e].items[i];
        }
    return NULL;
}

static int by_line(const void *a, const void *b)
{
    const struct puan_frames_code *x = a, *y = b;

    if (x->household != y->household)
        return x->household < y->household ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static enum puan_status one(struct puan_frames_code *out,
                            const struct puan_item *it, const int at[4],
                            const struct puan_csv *row, const char *path,
                            struct puan_err *err)
{
    struct puan_str code = puan_str_trim(row->field[at[2]]);
    int64_t line;

    if (!puan_int_parse(&out->household, row->field[at[0]]))
        return puan_fail_at(err, PUAN_EINVAL, path, row->line,
                            (uint32_t)at[0] + 1, "not a household key");
    if (!puan_int_parse(&line, row->field[at[1]]) || line < 1 ||
        line > UINT32_MAX)
        return puan_fail_at(err, PUAN_EINVAL, path, row->line,
                            (uint32_t)at[1] + 1,
                            "not a line of the roster, 1 and up");
    out->line = (uint32_t)line;
    if (puan_item_parse(&out->value, it, code) == PUAN_GIVEN)
        return PUAN_OK;
    if (it->type == PUAN_TYPE_INT && puan_int_parse(&out->value, code) &&
        out->value > 0) {
        while (out->value < it->min)
            out->value *= 10;
        if (out->value <= it->max)
            return PUAN_OK;
    }
    return puan_fail_at(err, PUAN_EINVAL, path, row->line,
                        (uint32_t)at[2] + 1, "'%.*s' is no code of %.*s",
                        PUAN_FMT(code), PUAN_FMT(it->name));
}

static enum puan_status read_all(struct puan_frames_codes *out,
                                 const struct puan_item *it, const char *path,
                                 struct puan_sheet *s, struct puan_arena *a,
                                 struct puan_err *err)
{
    static const char *const column[] = { "household", "line", "code" };
    const struct puan_csv *row = puan_sheet_row(s);
    size_t cap = 0;
    int at[4];
    bool more = true;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(column); i++)
        st = puan_sheet_need(&at[i], s, column[i], err);
    at[3] = st == PUAN_OK ? puan_csv_column(row, "coding") : -1;
    while (st == PUAN_OK) {
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (row->field[at[2]].n == 0 ||
            (at[3] >= 0 && !puan_str_is(row->field[at[3]], "coded") &&
             !puan_str_is(row->field[at[3]], "known")))
            continue;
        if (out->n == cap) {
            struct puan_frames_code *list;

            cap = cap ? 2 * cap : 4096;
            list = puan_new_n(a, cap, struct puan_frames_code);
            if (!list)
                return puan_arena_check(a, err);
            if (out->n)
                memcpy(list, out->list, out->n * sizeof(*list));
            out->list = list;
        }
        st = one(&out->list[out->n++], it, at, row, path, err);
    }
    return st;
}

enum puan_status puan_frames_codes_read(struct puan_frames_codes *out,
                                        const char *spec,
                                        const struct puan_plan *plan,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_str name, rest = puan_str_of(spec);
    const struct puan_item *it;
    struct puan_sheet *s = NULL;
    const char *path;
    enum puan_status st;

    *out = (struct puan_frames_codes){ .n = 0 };
    puan_str_split(&name, &rest, '=');
    path = puan_arena_dup(a, rest);
    it = item_of(plan, name);
    if (!it || it->zone != PUAN_ZONE_FRAME)
        return puan_fail(err, PUAN_ENOTFOUND, "--codes",
                         "'%.*s': no form of the plan has such an item with "
                         "values; write ITEM=FILE.csv",
                         PUAN_FMT(name));
    out->item = it->name;
    st = puan_sheet_open(&s, path, err);
    if (st == PUAN_OK)
        st = read_all(out, it, path, s, a, err);
    puan_sheet_close(s);
    if (st != PUAN_OK)
        return st;
    if (out->n)
        qsort(out->list, out->n, sizeof(*out->list), by_line);
    for (size_t i = 1; i < out->n; i++)
        if (by_line(&out->list[i - 1], &out->list[i]) == 0)
            return puan_fail(err, PUAN_ECONFLICT, path,
                             "household %lld has two codes for line %u: leave "
                             "one",
                             (long long)out->list[i].household,
                             out->list[i].line);
    return puan_arena_check(a, err);
}

const struct puan_frames_code *
puan_frames_code_of(const struct puan_frames_codes *c, int64_t household,
                    uint32_t line)
{
    const struct puan_frames_code want = { .household = household,
                                           .line = line };

    return c->n ? bsearch(&want, c->list, c->n, sizeof(want), by_line) : NULL;
}
