/*
 * Looking things up in a plan by name.  Plans hold tens of each, so that
 * walking is quick enough everywhere off the hot path.
 */
#include "core/plan/plan.h"

int puan_plan_level(const struct puan_plan *p, struct puan_str id)
{
    for (size_t i = 0; i < p->n_levels; i++)
        if (puan_str_eq(p->level[i].id, id))
            return (int)i;
    return -1;
}

const struct puan_role *puan_plan_role(const struct puan_plan *p,
                                       struct puan_str id)
{
    for (size_t i = 0; i < p->n_roles; i++)
        if (puan_str_eq(p->role[i].id, id))
            return &p->role[i];
    return NULL;
}

bool puan_role_can(const struct puan_role *r, struct puan_str capability)
{
    size_t lo = 0, hi = r->n_can;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = puan_str_cmp(r->can[mid], capability);

        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

const struct puan_window *puan_plan_window(const struct puan_plan *p,
                                           struct puan_str id)
{
    for (size_t i = 0; i < p->n_windows; i++)
        if (puan_str_eq(p->window[i].id, id))
            return &p->window[i];
    return NULL;
}

static bool among(const struct puan_str *list, size_t n, struct puan_str s)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(list[i], s))
            return true;
    return false;
}

static bool is_for(const struct puan_window *w, struct puan_str form,
                   struct puan_str mode)
{
    return among(w->forms, w->n_forms, form) &&
           (mode.n == 0 || w->n_modes == 0 ||
            among(w->modes, w->n_modes, mode));
}

const struct puan_window *puan_plan_open(const struct puan_plan *p,
                                         struct puan_str form,
                                         struct puan_str mode, int64_t ms)
{
    for (size_t i = 0; i < p->n_windows; i++) {
        const struct puan_window *w = &p->window[i];

        if (ms >= w->from_ms && ms < w->until_ms && is_for(w, form, mode))
            return w;
    }
    return NULL;
}

bool puan_plan_ever_open(const struct puan_plan *p, struct puan_str form,
                         struct puan_str mode)
{
    for (size_t i = 0; i < p->n_windows; i++)
        if (is_for(&p->window[i], form, mode))
            return true;
    return false;
}

const struct puan_channel *puan_plan_channel(const struct puan_plan *p,
                                             struct puan_str id)
{
    for (size_t i = 0; i < p->n_channels; i++)
        if (puan_str_eq(p->channel[i].id, id))
            return &p->channel[i];
    return NULL;
}

const struct puan_channel *puan_plan_channel_of(const struct puan_plan *p,
                                                struct puan_str form)
{
    for (size_t i = 0; i < p->n_channels; i++)
        if (among(p->channel[i].forms, p->channel[i].n_forms, form))
            return &p->channel[i];
    return NULL;
}

const struct puan_setting *puan_plan_setting(const struct puan_plan *p,
                                             struct puan_str id)
{
    for (size_t i = 0; i < p->n_settings; i++)
        if (puan_str_eq(p->setting[i].id, id))
            return &p->setting[i];
    return NULL;
}

int64_t puan_plan_number(const struct puan_plan *p, const char *id,
                         int64_t dflt)
{
    const struct puan_setting *s = puan_plan_setting(p, puan_str_of(id));

    return s && s->kind != PUAN_SETTING_TEXT ? s->value : dflt;
}

const struct puan_form *puan_plan_form(const struct puan_plan *p,
                                       struct puan_str id)
{
    for (size_t i = 0; i < p->n_forms; i++)
        if (puan_str_eq(p->form[i]->id, id))
            return p->form[i];
    return NULL;
}

bool puan_plan_lists(const struct puan_plan *p, const char *id,
                     struct puan_str word)
{
    const struct puan_setting *x = puan_plan_setting(p, puan_str_of(id));
    struct puan_str rest = x ? x->text : PUAN_STR(""), one;

    while (rest.n > 0 && puan_str_split(&one, &rest, ' '))
        if (puan_str_eq(one, word))
            return true;
    return false;
}

bool puan_plan_word(int64_t *value, const struct puan_plan *p, const char *list,
                    struct puan_str text)
{
    if (puan_int_parse(value, text))
        return true;
    for (size_t i = 0; i < p->n_forms; i++) {
        for (size_t k = 0; k < p->form[i]->n_lists; k++) {
            const struct puan_codelist *l = p->form[i]->lists[k];
            const struct puan_code *c =
                puan_str_is(l->name, list) ? puan_code_by_text(l, text) : NULL;

            if (c != NULL) {
                *value = c->value;
                return true;
            }
        }
    }
    return false;
}

const struct puan_plan_file *puan_plan_file(const struct puan_plan *p,
                                            struct puan_str path)
{
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++)
            if (puan_str_eq(p->pack[k].file[i].path, path))
                return &p->pack[k].file[i];
    return NULL;
}

int puan_plan_level_of_digits(const struct puan_plan *p, unsigned digits)
{
    for (size_t i = 0; digits > 0 && i < p->n_levels; i++)
        if (p->level[i].digits == digits)
            return (int)i;
    return -1;
}

int64_t puan_plan_area_of_household(const struct puan_plan *p,
                                    int64_t household, size_t level)
{
    unsigned drop = p->level[p->ea_level].digits + p->household_digits -
                    p->level[level].digits;

    while (drop-- > 0)
        household /= 10;
    return household;
}

const struct puan_sheet *puan_plan_sheet(const struct puan_plan *p,
                                         struct puan_str id)
{
    for (size_t i = 0; i < p->n_sheets; i++)
        if (puan_str_eq(p->sheet[i]->form->id, id))
            return p->sheet[i];
    return NULL;
}

const struct puan_dossier *puan_plan_dossier(const struct puan_plan *p,
                                             struct puan_str id)
{
    for (size_t i = 0; i < p->n_dossiers; i++)
        if (puan_str_eq(p->dossier[i]->form->id, id))
            return p->dossier[i];
    return NULL;
}

const struct puan_form *puan_plan_rule_form(const struct puan_plan *p, size_t i)
{
    if (i < p->n_forms)
        return p->form[i];
    i -= p->n_forms;
    if (i < p->n_sheets)
        return p->sheet[i]->form;
    i -= p->n_sheets;
    return i < p->n_dossiers ? p->dossier[i]->form : NULL;
}
