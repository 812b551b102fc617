/*
 * A frame as the names of the rule language: its entities as levels, its items
 * with what a campaign's form knows beyond them, the keys of a plain file's
 * levels, and for each fact the sealed item whose state it shares.
 */
#include "core/rule/lane.h"

#include "base/arena.h"

uint32_t lane_first(const struct puan_frame *f, int a, int e, uint64_t row)
{
    int way[LANE_ENTITIES], n = 0;

    for (; e != a; e = f->entity[e].parent)
        way[n++] = e;
    while (n-- > 0)
        row = f->entity[way[n]].first[row];
    return (uint32_t)row;
}

uint64_t lane_up(const struct puan_frame *f, int e, int a, uint64_t row)
{
    for (; e != a; e = f->entity[e].parent) {
        const uint32_t *first = f->entity[e].first;
        uint64_t lo = 0, hi = f->entity[f->entity[e].parent].rows;

        while (hi - lo > 1) { /* first[lo] <= row < first[hi] */
            uint64_t mid = lo + (hi - lo) / 2;

            if (first[mid] <= row)
                lo = mid;
            else
                hi = mid;
        }
        row = lo;
    }
    return row;
}

bool lane_above(const struct puan_frame *f, int a, int e)
{
    for (e = f->entity[e].parent; e >= 0; e = f->entity[e].parent)
        if (e == a)
            return true;
    return false;
}

/* The entity of a plain file's own rows, seen from a level of it. */
static int below(const struct puan_frame *f, int e)
{
    for (;;) {
        int next = -1;

        for (size_t i = 0; i < f->n_entities; i++)
            if (f->entity[i].parent == e)
                next = (int)i;
        if (next < 0)
            return e;
        e = next;
    }
}

static bool has(const struct puan_entity *e, struct puan_str name)
{
    for (uint16_t i = 0; i < e->n_items; i++)
        if (puan_str_eq(e->items[i].name, name))
            return true;
    return false;
}

static const struct puan_item *of_form(const struct puan_form *form,
                                       struct puan_str entity,
                                       struct puan_str item)
{
    int e = form ? puan_form_entity(form, entity) : -1;
    int i = e >= 0 ? puan_entity_item(&form->entity[e], item) : -1;

    return i >= 0 ? &form->entity[e].items[i] : NULL;
}

/* "D3.id_month" is a fact of D3; 0 when there is no dot. */
static size_t fact_dot(struct puan_str name)
{
    for (size_t i = name.n; i-- > 1;)
        if (name.p[i] == '.')
            return i;
    return 0;
}

static enum puan_item_type sealed_type(struct puan_str fact)
{
    if (puan_str_starts(fact, "id_"))
        return PUAN_TYPE_CITIZEN_ID;
    return puan_str_starts(fact, "phone") ? PUAN_TYPE_PHONE : PUAN_TYPE_NAME;
}

/* Facts that are given whenever the item is. */
static bool keeps_state(struct puan_str fact)
{
    return puan_str_is(fact, "id_check") || puan_str_is(fact, "name_length") ||
           puan_str_is(fact, "name_class") || puan_str_is(fact, "phone_class");
}

/* Of texts a frame has the states at most. */
static bool sealed_item(enum puan_item_type t)
{
    return t == PUAN_TYPE_TEXT || t == PUAN_TYPE_NAME ||
           t == PUAN_TYPE_CITIZEN_ID || t == PUAN_TYPE_PHONE ||
           t == PUAN_TYPE_POINT;
}

static struct puan_item *put(struct puan_entity *e, struct puan_item *items,
                             struct lane_source *source,
                             const struct puan_frame_item *it,
                             struct lane_source from)
{
    struct puan_item *x = &items[e->n_items];

    source[e->n_items++] = from;
    *x = (struct puan_item){ .name = it->name,
                             .zh = it->zh,
                             .en = it->en,
                             .type = it->type,
                             .zone = sealed_item(it->type) ? PUAN_ZONE_VAULT
                                                           : PUAN_ZONE_FRAME,
                             .codes = it->codes,
                             .places = it->places,
                             .digits = it->digits,
                             .fact_of = -1 };
    return x;
}

/* Facts of one item hang together; the item's state is that of a fact that is
   given whenever it is.  Without such a fact the item is not there. */
static void add_facts(struct puan_entity *e, struct puan_item *items,
                      struct lane_source *source, uint16_t entity)
{
    uint16_t n = e->n_items;

    for (unsigned round = 0; round < 2; round++)
        for (uint16_t i = 0; i < n; i++) {
            struct puan_item *it = &items[i];
            size_t dot = fact_dot(it->name);
            struct puan_str of = { it->name.p, dot };
            struct puan_str fact = { it->name.p + dot + 1,
                                     it->name.n - dot - 1 };
            uint16_t at = 0;

            if (it->type != PUAN_TYPE_FACT || dot == 0)
                continue;
            while (at < e->n_items && !puan_str_eq(items[at].name, of))
                at++;
            if (at == e->n_items && round == 0 && keeps_state(fact)) {
                source[e->n_items++] =
                    (struct lane_source){ LANE_SEALED, entity, source[i].item };
                items[at] = (struct puan_item){ .name = of,
                                                .type = sealed_type(fact),
                                                .zone = PUAN_ZONE_VAULT,
                                                .fact_of = -1 };
            }
            if (at < e->n_items)
                it->fact_of = at;
        }
}

static enum puan_status one_entity(struct lane_names *out,
                                   struct puan_entity *to, size_t e,
                                   const struct puan_form *campaign,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_frame *f = out->frame;
    const struct puan_frame_entity *from = &f->entity[e];
    const struct puan_frame_entity *file = &f->entity[below(f, (int)e)];
    struct puan_item *items =
        puan_new_n(a, 2 * from->n_items + from->n_key + 1, struct puan_item);
    struct lane_source *source =
        puan_new_n(a, 2 * from->n_items + from->n_key + 1, struct lane_source);

    if (!items || !source)
        return puan_arena_check(a, err);
    if (2 * from->n_items + from->n_key > UINT16_MAX)
        return puan_fail(err, PUAN_ELIMIT, "frame", "too many items");
    *to = (struct puan_entity){ .name = from->name,
                                .zh = from->zh,
                                .en = from->en,
                                .roster = true,
                                .max_rows = UINT32_MAX,
                                .items = items };
    for (size_t i = 0; i < from->n_items; i++) {
        const struct puan_frame_item *it = &from->item[i];
        const struct puan_item *known = of_form(campaign, from->name, it->name);
        struct puan_item *x =
            put(to, items, source, it,
                (struct lane_source){ LANE_OWN, (uint16_t)e, (uint16_t)i });

        if (known) {
            x->alias = known->alias;
            x->codes = known->codes ? known->codes : x->codes;
        }
    }
    for (size_t i = 0; i < from->n_key && file != from; i++) {
        uint16_t at = from->key[i];

        if (at < file->n_items && !has(to, file->item[at].name))
            put(to, items, source, &file->item[at],
                (struct lane_source){ LANE_KEY, (uint16_t)below(f, (int)e),
                                      at });
    }
    add_facts(to, items, source, (uint16_t)e);
    to->n_asked = to->n_items;
    out->source[e] = source;
    out->parent[e] = from->parent;
    return PUAN_OK;
}

enum puan_status lane_names_of(struct lane_names *out,
                               const struct puan_frame *f,
                               const struct puan_form *campaign,
                               bool own_levels, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_entity *list;
    enum puan_status st = PUAN_OK;

    if (f->n_entities == 0 || f->n_entities > LANE_ENTITIES)
        return puan_fail(err, PUAN_ELIMIT, "frame",
                         "rules run over frames of 1 to %d levels",
                         LANE_ENTITIES);
    *out = (struct lane_names){ .frame = f };
    out->form.id = campaign    ? campaign->id
                   : f->form.n ? f->form
                               : PUAN_STR("file");
    list = puan_new_n(a, f->n_entities, struct puan_entity);
    out->form.entity = list;
    out->form.n_entities = (uint16_t)f->n_entities;
    if (!list)
        return puan_arena_check(a, err);
    for (size_t e = 0; st == PUAN_OK && e < f->n_entities; e++)
        st = one_entity(out, &list[e], e, campaign, a, err);
    for (size_t e = 0; st == PUAN_OK && own_levels && e < f->n_entities; e++)
        if (campaign && puan_form_entity(campaign, list[e].name) < 0)
            list[e].name = PUAN_STR(""); /* no rule can name it */
    return st;
}
