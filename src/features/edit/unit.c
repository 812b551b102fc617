/*
 * A rule set made ready, and one return through it.
 */
#include "features/edit/unit.h"

#include <string.h>

#include "base/arena.h"
#include "core/rule/lookup.h"

enum puan_status puan_edit_item(struct puan_localise_weight *out,
                                const struct puan_form *f, struct puan_str name,
                                const char *option, struct puan_err *err)
{
    struct puan_str entity, item = name;

    if (puan_str_split(&entity, &item, '.') && item.n) {
        int e = puan_form_entity(f, entity);
        int i = e < 0 ? -1 : puan_entity_item(&f->entity[e], item);

        if (i >= 0) {
            out->entity = (uint16_t)e;
            out->item = (uint16_t)i;
            return PUAN_OK;
        }
    }
    for (uint16_t e = 0; e < f->n_entities; e++) {
        int i = puan_entity_item(&f->entity[e], name);

        /* what a level has again from its rows is no answer there */
        if (i < 0 || (f->entity[e].items[i].from != PUAN_FROM_ANSWER &&
                      strcmp(option, "--weight") == 0 && e + 1 < f->n_entities))
            continue;
        out->entity = e;
        out->item = (uint16_t)i;
        return PUAN_OK;
    }
    return puan_fail(err, PUAN_ENOTFOUND, option, "there is no item '%.*s'",
                     PUAN_FMT(name));
}

static enum puan_status weights(struct puan_localise_weight **out,
                                const struct puan_form *f,
                                const struct puan_edit_how *how,
                                struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    *out = puan_new_n(a, how->n_weights, struct puan_localise_weight);
    if (!*out)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < how->n_weights; i++) {
        struct puan_str name, rest = puan_str_of(how->weight[i]);
        int64_t w;

        if (!puan_str_split(&name, &rest, '=') || !puan_int_parse(&w, rest) ||
            w < 0 || w > 1000000)
            return puan_fail(err, PUAN_EINVAL, "--weight",
                             "'%s' is not ITEM=N with N from 0 to 1000000",
                             how->weight[i]);
        st = puan_edit_item(&(*out)[i], f, name, "--weight", err);
        (*out)[i].weight = (uint32_t)w;
    }
    return st;
}

enum puan_status puan_edit_set_open(struct puan_edit_set *out,
                                    const struct puan_form *form,
                                    const struct puan_routing *routing,
                                    const struct puan_edit_rules *rules,
                                    const struct puan_edit_how *how,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_localise_weight *w = NULL;
    struct puan_localiser *l = NULL;
    struct puan_ruleset *rs = NULL;
    enum puan_status st = puan_ruleset_compile_with(
        &rs, form, rules->consts, rules->n_consts, rules->lookup,
        rules->n_lookups, rules->text, rules->file, rules->n, a, err);

    *out = (struct puan_edit_set){
        .form = form,
        .rs = rs,
        .localise = { .budget = how->budget, .seed = how->seed },
        .impute = { .donors = how->donors }
    };
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < puan_ruleset_count(rs); i++)
        out->hard += puan_ruleset_info(rs, i)->severity == PUAN_HARD;
    if (out->hard == 0) {
        size_t n = 0;
        const struct puan_rule_skip *skip = puan_ruleset_skips(rs, &n);

        if (n > 0)
            return puan_fail_at(err, PUAN_EINVAL, skip->file, skip->line,
                                skip->col, "no hard rule applies to these "
                                "data; '%.*s': %s",
                                PUAN_FMT(skip->id), skip->why);
        return puan_fail(err, PUAN_EINVAL, rules->n ? rules->file[0] : "rules",
                         "no hard rule applies to these data");
    }
    st = weights(&w, form, how, a, err);
    if (st == PUAN_OK)
        st = puan_localiser_open(&l, rs, routing, form, w, how->n_weights, a,
                                 err);
    out->l = l;
    return st;
}

/* ---- what cannot take part -------------------------------------------------- */

static bool in_set(const struct puan_ruleset *rs, struct puan_str id)
{
    for (size_t i = 0; i < puan_ruleset_count(rs); i++)
        if (puan_str_eq(puan_ruleset_info(rs, i)->id, id))
            return true;
    return false;
}

static bool skipped(const struct puan_ruleset *rs, struct puan_str id)
{
    size_t n;
    const struct puan_rule_skip *skip = puan_ruleset_skips(rs, &n);

    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(skip[i].id, id))
            return true;
    return false;
}

static bool has_data(const struct puan_edit_rules *rules, struct puan_str name)
{
    for (size_t i = 0; i < rules->n_lookups; i++)
        if (puan_str_eq(rules->lookup[i].name, name))
            return true;
    return false;
}

enum puan_status puan_edit_set_left_out(struct puan_edit_left_out **out,
                                        size_t *n,
                                        const struct puan_edit_set *set,
                                        const struct puan_edit_rules *rules,
                                        const struct puan_form *const *forms,
                                        size_t n_forms, struct puan_arena *a,
                                        struct puan_err *err)
{
    size_t n_skips;
    const struct puan_rule_skip *skip = puan_ruleset_skips(set->rs, &n_skips);
    struct puan_ruleset **other =
        puan_arena_get_n(a, n_forms + 1, sizeof(*other));
    struct puan_rule_decls decls;
    enum puan_status st =
        puan_rule_declared(&decls, rules->text, rules->file, rules->n, a, err);

    *n = 0;
    if (st != PUAN_OK || !other)
        return st != PUAN_OK ? st : puan_arena_check(a, err);
    *out = puan_new_n(a, n_skips + decls.n_tables, struct puan_edit_left_out);
    for (size_t f = 0; st == PUAN_OK && f < n_forms; f++)
        st = puan_ruleset_compile(&other[f], forms[f], rules->consts,
                                  rules->n_consts, rules->text, rules->file,
                                  rules->n, a, err);
    if (st != PUAN_OK || !*out)
        return st != PUAN_OK ? st : puan_arena_check(a, err);
    for (size_t i = 0; i < n_skips; i++) {
        bool elsewhere = skip[i].off || !skip[i].hard;

        for (size_t f = 0; f < n_forms && !elsewhere; f++)
            elsewhere = in_set(other[f], skip[i].id) ||
                        !skipped(other[f], skip[i].id);
        if (!elsewhere)
            (*out)[(*n)++] = (struct puan_edit_left_out){
                skip[i].id, skip[i].file, skip[i].line, skip[i].why
            };
    }
    for (size_t i = 0; i < decls.n_tables; i++)
        if (!has_data(rules, decls.table[i].name))
            (*out)[(*n)++] = (struct puan_edit_left_out){
                decls.table[i].name, decls.table[i].file, decls.table[i].line,
                "a reference table without data here: rules that read it "
                "are silent"
            };
    return PUAN_OK;
}

/* ---- one return -------------------------------------------------------------- */

enum puan_status puan_edit_one(struct puan_edit_one *out,
                               const struct puan_edit_set *set,
                               const struct puan_record *r,
                               const struct puan_findings *found,
                               const struct puan_edit_return *const *donor,
                               size_t n_donors, struct puan_arena *a,
                               struct puan_err *err)
{
    enum puan_status st;

    *out = (struct puan_edit_one){ .outcome = PUAN_RATES_CLEAN };
    if (!found->any_hard)
        return PUAN_OK;
    st = puan_localise(&out->got, set->l, r, &set->localise, a, err);
    if (st != PUAN_OK)
        return st;
    out->outcome = out->got.state == PUAN_LOCALISE_FOUND ? PUAN_RATES_REPAIRED
                   : out->got.state == PUAN_LOCALISE_IMPOSSIBLE
                       ? PUAN_RATES_IMPOSSIBLE
                       : PUAN_RATES_UNDECIDED;
    if (out->outcome != PUAN_RATES_REPAIRED)
        return PUAN_OK;
    return puan_impute(&out->imputed, &out->got, set->l, r, donor, n_donors,
                       &set->impute, a, err);
}
