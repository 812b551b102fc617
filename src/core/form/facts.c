/*
 * Facts: what rules and tables may know of an identity, as coded columns.
 */
#include "base/calendar.h"
#include "core/codes/codes.h"
#include "core/form/record.h"
#include "core/form/scheme.h"

static int64_t of_name(const struct puan_form *f, enum puan_fact fact,
                       struct puan_str text)
{
    if (fact == PUAN_FACT_NAME_LENGTH)
        return (int64_t)puan_utf8_length(puan_name_trim(text));
    return puan_name_class(text, f->test_words, f->n_test_words);
}

/* Value of an ID fact; false when those characters are malformed. */
static bool of_id(int64_t *v, enum puan_fact fact,
                  const struct puan_id_parts *id)
{
    switch (fact) {
    case PUAN_FACT_ID_CHECK:
        *v = id->check;
        return true;
    case PUAN_FACT_ID_MONTH:
        *v = id->birth_month;
        return id->has_birth;
    case PUAN_FACT_ID_SEX:
        *v = id->sex;
        return id->has_sex;
    case PUAN_FACT_ID_REGION:
        *v = id->region;
        return id->has_region;
    case PUAN_FACT_NONE:
    case PUAN_FACT_NAME_LENGTH:
    case PUAN_FACT_NAME_CLASS:
    case PUAN_FACT_PHONE_CLASS:
    case PUAN_FACT_WORD:
    case PUAN_FACT_NUMBER_CHECK:
    case PUAN_FACT_NUMBER_PART:
        break;
    }
    return false;
}

/* A fact that the plan itself describes; *done: it was one. */
static bool of_plan(int64_t *v, bool *done, const struct puan_item *fact,
                    const struct puan_item *of, struct puan_str text)
{
    *done = true;
    if (fact->fact == PUAN_FACT_WORD) {
        *v = puan_words_find(of->words, text);
        return true;
    }
    if (fact->fact == PUAN_FACT_NUMBER_CHECK) {
        *v = puan_scheme_verdict(of->scheme, text);
        return true;
    }
    if (fact->fact == PUAN_FACT_NUMBER_PART)
        return puan_scheme_value(v, of->scheme, fact->part, text);
    *done = false;
    return true;
}

/* A fact that goes with the item's type. */
static bool of_type(int64_t *v, const struct puan_form *f,
                    const struct puan_item *fact, const struct puan_item *of,
                    struct puan_str text)
{
    switch (of->type) {
    case PUAN_TYPE_NAME:
        *v = of_name(f, fact->fact, text);
        return true;
    case PUAN_TYPE_PHONE:
        *v = puan_phone_class(text);
        return true;
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_AREA:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
    return false;
}

static void row_facts(const struct puan_form *f, const struct puan_entity *e,
                      int64_t *v, uint8_t *st, const struct puan_str *txt,
                      int64_t ref_day)
{
    struct puan_id_parts id = { 0 };
    int id_of = -1;

    for (uint16_t i = e->n_asked; i < e->n_items; i++) {
        const struct puan_item *it = &e->items[i];
        const int of = it->fact_of;
        bool ok, done;

        if (st[of] == PUAN_GIVEN && txt[of].p == NULL)
            continue; /* sealed away: what was decoded stands */
        v[i] = 0;
        st[i] = st[of];
        if (st[of] != PUAN_GIVEN)
            continue;
        ok = of_plan(&v[i], &done, it, &e->items[of], txt[of]);
        if (!done && e->items[of].type == PUAN_TYPE_CITIZEN_ID) {
            if (id_of != of)
                puan_id_parse(&id, txt[of], ref_day);
            id_of = of;
            ok = of_id(&v[i], it->fact, &id);
        } else if (!done) {
            ok = of_type(&v[i], f, it, &e->items[of], txt[of]);
        }
        if (!ok) {
            v[i] = 0;
            st[i] = PUAN_INVALID;
        }
    }
}

void puan_record_facts(struct puan_record *r)
{
    const struct puan_form *f = r->form;
    int64_t ref = f->reference_month ? f->reference_month : 2200 * 12;
    int64_t ref_day = puan_day_of((int)(ref / 12), (int)(ref % 12) + 1, 1);

    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];
        struct puan_rows *rows = &r->rows[e];

        if (ent->n_items == ent->n_asked)
            continue;
        for (uint32_t row = 0; row < rows->n; row++) {
            size_t at = (size_t)row * ent->n_items;

            row_facts(f, ent, rows->v + at, rows->st + at, rows->txt + at,
                      ref_day);
        }
    }
}
