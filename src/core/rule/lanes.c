/*
 * Rules and expressions over a frame: texts to a program of lanes.
 */
#include "core/rule/lanes.h"

#include "base/arena.h"
#include "core/rule/lane.h"
#include "core/rule/prove.h"
#include "core/rule/space.h"

static enum puan_status
begin(struct puan_lanes **out, struct puan_rule_names *names,
      const struct puan_frame *f, const struct puan_str *texts,
      const char *const *files, size_t n_texts,
      const struct puan_lanes_options *opt, bool with_rules,
      struct puan_arena *a, struct puan_err *err)
{
    struct puan_lanes *l = puan_new(a, struct puan_lanes);
    enum puan_status st;

    if (!l)
        return puan_arena_check(a, err);
    l->frame = f;
    l->arena = a;
    l->kernels = puan_lane_kernels();
    st = lane_names_of(&l->names, f, opt ? opt->form : NULL,
                       opt && opt->own_levels, a, err);
    if (st != PUAN_OK)
        return st;
    *names = (struct puan_rule_names){ .form = &l->names.form,
                                       .parent = l->names.parent,
                                       .partial = opt && opt->form,
                                       .arena = a,
                                       .err = err };
    if (opt) {
        names->settings = opt->consts;
        names->n_settings = opt->n_consts;
        names->lookups = opt->lookups;
        names->n_lookups = opt->n_lookups;
    }
    st = puan_ruleset_build(&l->rs, names, texts, files, n_texts, with_rules);
    if (st != PUAN_OK)
        return st;
    l->column = puan_new_n(a, l->rs->prog.n_columns + 1, int32_t);
    if (!l->column)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < l->rs->prog.n_columns; i++)
        l->column[i] = -1;
    *out = l;
    return PUAN_OK;
}

/* Buffers any worker needs: the nodes of all passes, and their rows. */
static enum puan_status end(struct puan_lanes *l, struct puan_err *err)
{
    enum puan_status st = lane_passes(l, err);

    if (st != PUAN_OK)
        return st;
    l->used = puan_new_n(l->arena, (size_t)l->n_nodes + 1, bool);
    if (!l->used)
        return puan_arena_check(l->arena, err);
    for (size_t i = 0; i <= l->n_passes; i++) {
        const struct lane_pass *p = i < l->n_passes ? &l->pass[i] : &l->looking;

        if (i == l->n_passes && l->n_looks == 0)
            break;
        lane_room(l->cap, l, p);
        for (size_t k = 0; k < p->n_nodes; k++)
            l->used[p->node[k]] = true;
    }
    return lane_guards(l, err);
}

static enum puan_status one_rule(struct puan_lanes *l, size_t i,
                                 struct puan_err *err)
{
    const struct puan_rule_code *c = &l->rs->code[i];
    struct lane_rule *r = &l->rule[i];
    const struct lane_node *check;

    r->entity = c->entity;
    r->when = -1;
    if (c->when_tree) {
        r->when = lane_at_entity(l, lane_tree_node(l, c->when_tree, c->entity),
                                 c->entity);
        if (r->when < 0)
            return puan_fail(err, PUAN_ENOMEM, "rules", "out of memory");
    }
    r->check = lane_at_entity(l, lane_tree_node(l, c->check_tree, c->entity),
                              c->entity);
    if (r->check < 0)
        return puan_fail(err, PUAN_ENOMEM, "rules", "out of memory");
    check = &l->node[r->check];
    if (check->op == LN_NOT && check->can == 0) {
        r->check = check->kid[0];
        r->bad = true;
        check = &l->node[r->check];
    }
    r->stage = check->stage;
    if (r->when >= 0 && l->node[r->when].stage > r->stage)
        r->stage = l->node[r->when].stage;
    return PUAN_OK;
}

enum puan_status puan_lanes_compile(struct puan_lanes **out,
                                    const struct puan_frame *f,
                                    const struct puan_str *texts,
                                    const char *const *files, size_t n_texts,
                                    const struct puan_lanes_options *opt,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_names names;
    struct puan_lanes *l = NULL;
    enum puan_status st =
        begin(&l, &names, f, texts, files, n_texts, opt, true, a, err);

    if (st != PUAN_OK)
        return st;
    l->rule = puan_new_n(a, l->rs->n + 1, struct lane_rule);
    if (!l->rule)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < l->rs->n; i++)
        st = one_rule(l, i, err);
    if (st == PUAN_OK)
        st = end(l, err);
    *out = l;
    return st;
}

/* A list of texts seen, and one that was not. */
static const struct puan_codelist *open_list(const struct puan_codelist *l,
                                             struct puan_arena *a)
{
    struct puan_codelist *more = puan_new(a, struct puan_codelist);
    struct puan_code *code = puan_new_n(a, l->n + 1, struct puan_code);

    if (!more || !code)
        return l;
    if (l->n > 0)
        memcpy(code, l->codes, l->n * sizeof(*code));
    code[l->n] = (struct puan_code){
        .value = l->n > 0 ? l->codes[l->n - 1].value + 1 : 0,
        .text = PUAN_STR("\xef\xbf\xbd") /* behind all texts */
    };
    *more = (struct puan_codelist){ .name = l->name,
                                    .codes = code,
                                    .n = l->n + 1,
                                    .dense = l->dense };
    return more;
}

static enum puan_status consistent(const struct puan_frame *f,
                                       const struct puan_str *texts,
                                       const char *const *files, size_t n_texts,
                                       const struct puan_lanes_options *opt,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_err ignored = { 0 };
    struct puan_rule_proofs proofs;
    struct lane_names *own = puan_new(a, struct lane_names);
    struct puan_entity *entity =
        puan_new_n(a, f->n_entities + 1, struct puan_entity);
    struct puan_item **item =
        puan_new_n(a, f->n_entities + 1, struct puan_item *);
    struct puan_rule_names names = { .form = NULL };
    struct puan_form form;
    enum puan_status st;

    if (!own || !entity || !item)
        return puan_arena_check(a, err);
    st = lane_names_of(own, f, opt ? opt->form : NULL, opt && opt->own_levels,
                       a, err);
    if (st != PUAN_OK)
        return st;
    form = own->form;
    form.entity = entity;
    for (size_t e = 0; e < f->n_entities; e++) {
        entity[e] = own->form.entity[e];
        item[e] = puan_new_n(a, entity[e].n_items + 1u, struct puan_item);
        for (uint16_t i = 0; item[e] && i < entity[e].n_items; i++) {
            struct lane_source from = own->source[e][i];
            const struct puan_frame_item *it =
                &f->entity[from.entity].item[from.item];
            struct puan_item *x = &item[e][i];

            *x = entity[e].items[i];
            x->min = it->token || it->least > it->most ? 0 : it->least;
            x->max = it->token ? INT64_MAX / 2
                     : it->least > it->most ? 0 : it->most;
            if (x->type == PUAN_TYPE_CODE && x->codes && x->codes == it->codes &&
                f->form.n == 0)
                x->codes = open_list(x->codes, a);
        }
        entity[e].items = item[e];
    }
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    names.form = &form;
    names.parent = own->parent;
    if (opt) {
        names.settings = opt->consts;
        names.n_settings = opt->n_consts;
        names.lookups = opt->lookups;
        names.n_lookups = opt->n_lookups;
    }
    /* a set too large to be looked at is not refused for that */
    if (puan_rules_prove_data(&proofs, &names, item, texts, files, n_texts, a,
                              &ignored) != PUAN_OK)
        return PUAN_OK;
    return puan_rule_proofs_refuse(&proofs, err);
}

enum puan_status puan_lanes_consistent(const struct puan_frame *f,
                                       const struct puan_str *texts,
                                       const char *const *files, size_t n_texts,
                                       const struct puan_lanes_options *opt,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_arena own; /* may fail without harm to the caller's */
    enum puan_status st;

    puan_arena_init(&own, a->host);
    st = consistent(f, texts, files, n_texts, opt, &own, err);
    puan_arena_clear(&own);
    return st;
}

const struct puan_ruleset *puan_lanes_ruleset(const struct puan_lanes *l)
{
    return l->rs;
}

size_t puan_lanes_passes(const struct puan_lanes *l)
{
    return l->n_passes;
}

uint64_t puan_lanes_rows(const struct puan_lanes *l, size_t pass)
{
    return l->frame->entity[l->pass[pass].root].rows;
}

static enum puan_status one_source(struct puan_lanes *l, size_t i,
                                   const struct puan_lanes_source *s,
                                   struct puan_rule_names *names)
{
    struct puan_rule_scope scope = { .names = names,
                                     .file = s->file ? s->file : "",
                                     .level = l->entity };
    struct puan_ast_node *n = NULL;
    struct puan_lex lex;
    enum puan_status st =
        puan_lex_init(&lex, s->text, scope.file, s->line ? s->line : 1,
                      names->arena, names->err);

    if (st == PUAN_OK)
        st = puan_lex_next(&lex);
    if (st == PUAN_OK)
        st = puan_rule_parse_expr(&n, &lex);
    if (st == PUAN_OK && lex.tok != PUAN_TOK_END)
        st = puan_lex_expected(&lex, "an operator or the end");
    if (st == PUAN_OK)
        st = s->truth ? puan_rule_check_truth(n, &scope, "a condition")
                      : puan_rule_check(n, &scope);
    if (st == PUAN_OK && n->type.kind == PUAN_KIND_SEALED)
        st = puan_fail_at(names->err, PUAN_EINVAL, scope.file, n->line, n->col,
                          "the item is sealed: use given(…) or a fact of it");
    if (st == PUAN_OK && n->type.kind == PUAN_KIND_WORD)
        st = puan_fail_at(names->err, PUAN_EINVAL, scope.file, n->line, n->col,
                          "a text is no value");
    if (st == PUAN_OK)
        st = puan_arena_check(names->arena, names->err);
    if (st != PUAN_OK)
        return st;
    l->look_type[i] = n->type;
    l->look[i] = lane_at_entity(l, lane_tree_node(l, n, l->entity), l->entity);
    if (l->look[i] < 0)
        return puan_fail(names->err, PUAN_ENOMEM, "expression",
                         "out of memory");
    return PUAN_OK;
}

enum puan_status
puan_lanes_expr_compile(struct puan_lanes **out, const struct puan_frame *f,
                        uint16_t entity,
                        const struct puan_lanes_source *sources, size_t n,
                        const struct puan_str *texts, const char *const *files,
                        size_t n_texts, const struct puan_lanes_options *opt,
                        struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_names names;
    struct puan_lanes *l = NULL;
    enum puan_status st;

    if (entity >= f->n_entities)
        return puan_fail(err, PUAN_EBUG, "expression",
                         "the frame has no such entity");
    st = begin(&l, &names, f, texts, files, n_texts, opt, false, a, err);
    if (st != PUAN_OK || !l)
        return st;
    l->entity = entity;
    l->look = puan_new_n(a, n + 1, int32_t);
    l->look_type = puan_new_n(a, n + 1, struct puan_type);
    if (!l->look || !l->look_type)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = one_source(l, i, &sources[i], &names);
    l->n_looks = n;
    if (st == PUAN_OK)
        st = end(l, err);
    *out = l;
    return st;
}

void puan_lanes_expr_type(struct puan_lanes_type *out,
                          const struct puan_lanes *l, size_t i)
{
    const struct lane_node *n = &l->node[l->look[i]];
    const struct puan_type *t = &l->look_type[i];
    static const enum puan_item_type type[] = {
        [PUAN_KIND_ANY] = PUAN_TYPE_INT,     [PUAN_KIND_NUM] = PUAN_TYPE_INT,
        [PUAN_KIND_MONTH] = PUAN_TYPE_MONTH, [PUAN_KIND_DAY] = PUAN_TYPE_DATE,
        [PUAN_KIND_CODE] = PUAN_TYPE_CODE,   [PUAN_KIND_AREA] = PUAN_TYPE_AREA,
        [PUAN_KIND_TRUTH] = PUAN_TYPE_INT,   [PUAN_KIND_WORD] = PUAN_TYPE_INT,
        [PUAN_KIND_SEALED] = PUAN_TYPE_INT
    };

    *out = (struct puan_lanes_type){ .truth = n->truth,
                                     .type = type[t->kind],
                                     .places = t->places,
                                     .digits = t->digits,
                                     .codes = t->list,
                                     .least = n->truth ? 0 : n->lo,
                                     .most = n->truth ? 1 : n->hi,
                                     .known = n->can == 0 };
    if (t->kind == PUAN_KIND_NUM && t->places > 0)
        out->type = PUAN_TYPE_FIXED;
}
