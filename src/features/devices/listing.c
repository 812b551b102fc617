/*
 * Listing at the door: a sealed document of the plan's form `listing` becomes
 * the household's row of the roll.
 */
#include "features/devices/internal.h"

#include "features/campaign/campaign.h"

/* Items with a place of their own in the roll; the rest are its cells. */
static struct puan_str *place_of(struct puan_listed *l, struct puan_str item)
{
    static const struct {
        const char *item;
        size_t at;
    } place[] = {
        { "A7", offsetof(struct puan_listed, building) },
        { "A8", offsetof(struct puan_listed, unit) },
        { "status", offsetof(struct puan_listed, status) },
        { "mode", offsetof(struct puan_listed, mode) },
        { "head_name", offsetof(struct puan_listed, text[0]) },
        { "phone", offsetof(struct puan_listed, text[1]) },
        { "address", offsetof(struct puan_listed, text[2]) },
    };

    for (size_t i = 0; i < PUAN_COUNT(place); i++)
        if (puan_str_is(item, place[i].item))
            return (struct puan_str *)(void *)((char *)l + place[i].at);
    return NULL;
}

/* No answer is taken that the form would not take. */
static enum puan_status valid(const struct puan_record *rec,
                              struct puan_err *err)
{
    for (size_t e = 0; e < rec->form->n_entities; e++) {
        const struct puan_entity *x = &rec->form->entity[e];

        for (size_t i = 0; i < x->n_items * rec->rows[e].n; i++)
            if (rec->rows[e].st[i] == PUAN_INVALID)
                return puan_fail(err, PUAN_EINVAL, "listing",
                                 "%.*s is no answer of this item",
                                 PUAN_FMT(x->items[i % x->n_items].name));
    }
    return PUAN_OK;
}

static enum puan_status read_row(struct puan_listed *out, struct puan_str doc,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_node *answers;
    struct puan_node *n;
    struct puan_out o;
    struct puan_jw w;

    TRY(puan_json_tree(&n, doc, "document", a, err));
    answers = puan_node_get(n, "answers");
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    PUAN_NODE_EACH(x, answers)
    {
        struct puan_str *to = place_of(out, x->key);

        if (x->kind != PUAN_NODE_SCALAR)
            return puan_fail(err, PUAN_EINVAL, "listing",
                             "an answer is a text");
        if (to) {
            *to = x->text;
        } else {
            puan_jw_key_s(&w, x->key);
            puan_jw_str(&w, x->text);
        }
    }
    puan_jw_end(&w, '}');
    out->cells = puan_out_view(&o);
    if (!out->status.n)
        out->status = PUAN_STR("ordinary");
    if (!out->mode.n)
        out->mode = PUAN_STR("enumerator");
    return puan_arena_check(a, err);
}

enum puan_status listing_take(struct puan_receipt *r, struct puan_store *st,
                              const struct device *d, bool believed,
                              struct puan_str doc, struct puan_arena *a,
                              struct puan_err *err)
{
    const struct puan_form *form =
        puan_plan_form(puan_store_plan(st), PUAN_STR(LISTING_FORM));
    struct puan_return_head head;
    struct puan_record rec;
    struct puan_listed l = { 0 };
    struct puan_act act = { .actor = d->account, .device = d->device,
                            .verb = PUAN_STR("listing.put") };
    int64_t from, to;

    *r = (struct puan_receipt){ .outcome = PUAN_SUBMIT_ACCEPTED };
    if (!form)
        return puan_fail(err, PUAN_EINVAL, "listing",
                         "this plan lists nothing at the door");
    if (!believed)
        return puan_fail(err, PUAN_EDENIED, "device",
                         "it was revoked before it listed this");
    TRY(puan_record_read(&rec, &head, &form, 1, doc, a, err));
    TRY(valid(&rec, err));
    puan_area_keys(&from, &to, st, d->area);
    if (head.household < from || head.household >= to)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "outside this device's area");
    l.household = head.household;
    TRY(read_row(&l, doc, a, err));
    act.subject = puan_str_of(
        puan_arena_fmt(a, "household/%lld", (long long)l.household));
    act.seat = puan_str_of(puan_arena_fmt(a, "%.*s@%lld", PUAN_FMT(d->role),
                                          (long long)d->area));
    TRY(puan_listing_put(st, &l, &act, a, err));
    r->household = l.household;
    r->seq = act.seq;
    r->time_ms = act.entry_ms;
    return PUAN_OK;
}
