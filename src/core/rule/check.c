/*
 * Names and types: resolves every name of an expression against one form,
 * checks that operands fit, and folds constants.  Rewrites the tree in place;
 * never evaluates anything that reads a record.
 */
#include "core/rule/lang.h"

#include "base/arena.h"
#include "base/calendar.h"
#include "base/near.h"

typedef struct puan_ast_node node;
typedef struct puan_rule_scope scope;

/* In the order of enum puan_fn; the facts follow. */
static const struct {
    const char *name;
    uint8_t least, most; /* arguments; most 0: no limit */
} functions[] = {
    { "given", 1, 1 },   { "missing", 1, 1 },   { "asked", 1, 1 },
    { "invalid", 1, 1 }, { "reason", 1, 1 },    { "known", 1, 1 },
    { "if", 3, 3 },      { "abs", 1, 1 },       { "min", 1, 0 },
    { "max", 1, 0 },     { "month", 1, 1 },     { "day", 1, 1 },
    { "year", 1, 1 },    { "month_of", 1, 1 },  { "age_at", 2, 2 },
    { "number", 1, 1 },  { "prefix", 2, 2 },    { "at", 2, 2 },
    { "same_id", 2, 2 }, { "same_text", 2, 2 }, { "found", 1, 1 },
};

static const struct {
    const char *name;
    enum puan_kind kind;
    uint8_t digits;
} facts[] = {
    { "id_check", PUAN_KIND_NUM, 0 },    { "id_month", PUAN_KIND_MONTH, 0 },
    { "id_sex", PUAN_KIND_NUM, 0 },      { "id_region", PUAN_KIND_AREA, 6 },
    { "name_length", PUAN_KIND_NUM, 0 }, { "name_class", PUAN_KIND_NUM, 0 },
    { "phone_class", PUAN_KIND_NUM, 0 }, { "word", PUAN_KIND_NUM, 0 },
    { "number_check", PUAN_KIND_NUM, 0 },
};

static const char *const quantifiers[] = { "count", "any", "all",  "sum",
                                           "min",   "max", "first" };

/* ---- messages ---- */

#define FAIL_AT(s, n, ...)                                                     \
    puan_fail_at((s)->names->err, PUAN_EINVAL, (s)->file, (n)->line, (n)->col, \
                 __VA_ARGS__)

static void consider_entity(struct puan_near *n, const struct puan_entity *e)
{
    for (uint16_t i = 0; i < e->n_items; i++) {
        if (e->items[i].type == PUAN_TYPE_FACT)
            continue;
        puan_near_try(n, e->items[i].name);
        puan_near_try(n, e->items[i].alias);
    }
}

/* "number", "code of sex", …, into the arena. */
static const char *type_name(const scope *s, const struct puan_type *t)
{
    struct puan_arena *a = s->names->arena;

    switch (t->kind) {
    case PUAN_KIND_ANY:
        return "a whole number";
    case PUAN_KIND_NUM:
        return t->places ? "a decimal" : "a number";
    case PUAN_KIND_MONTH:
        return "a month";
    case PUAN_KIND_DAY:
        return "a day";
    case PUAN_KIND_CODE:
        return t->list ? puan_arena_fmt(a, "a code of %.*s",
                                        PUAN_FMT(t->list->name))
                       : "a code";
    case PUAN_KIND_AREA:
        return t->digits ? puan_arena_fmt(a, "an area of %u digits", t->digits)
                         : "an area";
    case PUAN_KIND_TRUTH:
        return "a truth value";
    case PUAN_KIND_WORD:
        return "a text";
    case PUAN_KIND_SEALED:
        return "a sealed item";
    }
    return "?";
}

/* ---- names ---- */

static const struct puan_entity *entity_of(const scope *s, uint16_t e)
{
    return &s->names->form->entity[e];
}

/* The entity above, -1 when there is none. */
static int above(const scope *s, int e)
{
    if (s->names->parent)
        return s->names->parent[e];
    return e > 0 ? 0 : -1;
}

static bool is_above(const scope *s, int a, int e)
{
    for (e = above(s, e); e >= 0; e = above(s, e))
        if (e == a)
            return true;
    return false;
}

static struct puan_type item_type(const struct puan_item *it)
{
    struct puan_type t = { .kind = PUAN_KIND_SEALED };

    if (it->zone != PUAN_ZONE_FRAME)
        return t;
    switch (it->type) {
    case PUAN_TYPE_CODE:
        t.kind = PUAN_KIND_CODE;
        t.list = it->codes;
        break;
    case PUAN_TYPE_INT:
        t.kind = PUAN_KIND_NUM;
        break;
    case PUAN_TYPE_FIXED:
        t.kind = PUAN_KIND_NUM;
        t.places = (uint8_t)it->places;
        break;
    case PUAN_TYPE_MONTH:
        t.kind = PUAN_KIND_MONTH;
        break;
    case PUAN_TYPE_DATE:
        t.kind = PUAN_KIND_DAY;
        break;
    case PUAN_TYPE_AREA:
        t.kind = PUAN_KIND_AREA;
        t.digits = (uint8_t)it->digits;
        break;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        break;
    case PUAN_TYPE_FACT:
        t.kind = PUAN_KIND_NUM;
        break;
    }
    return t;
}

static int find_item(const scope *s, uint16_t e, struct puan_str name)
{
    return puan_entity_item(entity_of(s, e), name);
}

bool puan_ast_forms_hold(const struct puan_ast_forms *f, struct puan_str id)
{
    if (f->n == 0)
        return true;
    for (size_t i = 0; i < f->n; i++)
        if (puan_str_eq(f->name[i], id))
            return true;
    return false;
}

static struct puan_ast_define *find_define(const scope *s, uint16_t e,
                                           struct puan_str name)
{
    struct puan_rule_names *names = s->names;

    if (!names->text)
        return NULL;
    for (struct puan_ast_define *d = names->text->defines; d; d = d->next)
        if (puan_str_eq(d->name, name) &&
            puan_str_eq(d->level, entity_of(s, e)->name) &&
            puan_ast_forms_hold(&d->in, names->form->id))
            return d;
    return NULL;
}

/* Items and derived items of one entity; *found tells whether it was there. */
static enum puan_status resolve_in(bool *found, node *n, scope *s, uint16_t e,
                                   enum puan_src src)
{
    int i = find_item(s, e, n->name);
    struct puan_ast_define *d;
    enum puan_status st;

    *found = true;
    n->entity = e;
    n->src = (uint8_t)src;
    if (i >= 0) {
        n->ast = PUAN_AST_ITEM;
        n->item = (uint16_t)i;
        n->type = item_type(&entity_of(s, e)->items[i]);
        s->reads = true;
        return PUAN_OK;
    }
    d = find_define(s, e, n->name);
    if (!d) {
        *found = false;
        return PUAN_OK;
    }
    st = puan_rule_check_define(d, s->names, s->depth + 1);
    if (st != PUAN_OK)
        return st;
    if (d->mark == 3) {
        s->unresolved = true;
        return FAIL_AT(s, n,
                       "derived item '%.*s' does not apply to form "
                       "'%.*s': %s",
                       PUAN_FMT(d->name), PUAN_FMT(s->names->form->id), d->why);
    }
    n->ast = PUAN_AST_COLUMN;
    n->item = d->column;
    n->type = d->expr->type;
    s->reads = true;
    return PUAN_OK;
}

static enum puan_status unknown_name(node *n, scope *s)
{
    const struct puan_form *f = s->names->form;
    struct puan_near near = puan_near_to(n->name);

    s->unresolved = true;
    for (uint16_t e = 0; e < f->n_entities; e++) {
        bool here = e == s->level || is_above(s, e, s->level) ||
                    (s->in_row && e == s->row_entity);

        if (here)
            consider_entity(&near, &f->entity[e]);
        else if (n->qual.n == 0 &&
                 (find_item(s, e, n->name) >= 0 || find_define(s, e, n->name)))
            return FAIL_AT(s, n,
                           "'%.*s' belongs to %.*s: use it in a quantifier "
                           "such as any(%.*s where %.*s …)",
                           PUAN_FMT(n->name), PUAN_FMT(f->entity[e].name),
                           PUAN_FMT(f->entity[e].name), PUAN_FMT(n->name));
    }
    if (s->in_row && n->qual.n == 0 && s->level != 0 &&
        find_item(s, s->level, n->name) >= 0)
        return FAIL_AT(s, n,
                       "'%.*s' is not an item of %.*s: write self.%.*s for "
                       "the row the rule is about",
                       PUAN_FMT(n->name),
                       PUAN_FMT(f->entity[s->row_entity].name),
                       PUAN_FMT(n->name));
    if (s->names->text) {
        for (struct puan_ast_define *d = s->names->text->defines; d;
             d = d->next)
            puan_near_try(&near, d->name);
        for (struct puan_ast_const *c = s->names->text->consts; c; c = c->next)
            puan_near_try(&near, c->name);
    }
    for (size_t i = 0; i < s->names->n_settings; i++)
        puan_near_try(&near, s->names->settings[i].name);
    if (near.name.n)
        return FAIL_AT(s, n, "unknown name '%.*s'; the nearest is '%.*s'",
                       PUAN_FMT(n->name), PUAN_FMT(near.name));
    if (s->names->words)
        return FAIL_AT(s, n,
                       "no '%.*s' is known here, declare it or mend the name",
                       PUAN_FMT(n->name));
    return FAIL_AT(s, n, "unknown name '%.*s' in form '%.*s', declare it or mend it",
                   PUAN_FMT(n->name), PUAN_FMT(f->id));
}

/* A constant of the text or a setting of the plan. */
static enum puan_status resolve_const(bool *found, node *n, scope *s)
{
    struct puan_rule_names *names = s->names;

    *found = true;
    if (names->text)
        for (struct puan_ast_const *c = names->text->consts; c; c = c->next)
            if (puan_str_eq(c->name, n->name)) {
                enum puan_status st = puan_rule_check_const(c, names);

                if (st != PUAN_OK)
                    return st;
                n->ast = PUAN_AST_CONST;
                n->value = c->expr->value;
                n->type = c->expr->type;
                return PUAN_OK;
            }
    for (size_t i = 0; i < names->n_settings; i++)
        if (puan_str_eq(names->settings[i].name, n->name)) {
            n->ast = PUAN_AST_CONST;
            n->value = names->settings[i].value;
            n->type = (struct puan_type){ .kind = PUAN_KIND_ANY };
            return PUAN_OK;
        }
    *found = false;
    return PUAN_OK;
}

/*
 * A column of a reference table, or found(table) where n is the call: becomes
 * the keys, read by the table's names for them.
 */
static enum puan_status look_up(node *n, scope *s,
                                const struct puan_ast_decl *d, uint16_t table,
                                int64_t column)
{
    struct puan_rule_names *names = s->names;
    const struct puan_form *f = names->form;
    node **end = &n->kid;

    n->kid = NULL;
    n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
    if (column < 0)
        n->type.kind = PUAN_KIND_TRUTH;
    else /* what bears an item's name is of its type */
        for (uint16_t e = 0; e < f->n_entities; e++) {
            int i = puan_entity_item(&f->entity[e], n->name);

            if (i >= 0 && f->entity[e].items[i].zone == PUAN_ZONE_FRAME) {
                n->type = item_type(&f->entity[e].items[i]);
                break;
            }
        }
    for (size_t i = 0; i < d->by.n; i++) {
        node *k = puan_new(names->arena, node);
        enum puan_status st;

        if (!k)
            return puan_arena_check(names->arena, names->err);
        k->ast = PUAN_AST_NAME;
        k->height = 1;
        k->line = n->line;
        k->col = n->col;
        k->name = d->by.name[i];
        *end = k;
        end = &k->next;
        st = puan_rule_check(k, s);
        if (st != PUAN_OK)
            return st;
        if (k->type.kind == PUAN_KIND_SEALED ||
            k->type.kind == PUAN_KIND_TRUTH || k->type.kind == PUAN_KIND_WORD)
            return FAIL_AT(s, n, "'%.*s' cannot be a key of table '%.*s'",
                           PUAN_FMT(k->name), PUAN_FMT(d->name));
    }
    n->ast = PUAN_AST_LOOKUP;
    n->item = table;
    n->value = column;
    n->height = 2;
    return PUAN_OK;
}

/* geo.control, where geo is no entity; *is tells whether it is a table. */
static enum puan_status table_column(bool *is, node *n, scope *s)
{
    const struct puan_ast_decl *d;
    struct puan_near near = puan_near_to(n->name);
    uint16_t table;

    d = s->names->text ? puan_ast_table(s->names->text, n->qual, &table) : NULL;
    *is = d != NULL;
    if (!d)
        return PUAN_OK;
    for (size_t i = 0; i < d->gives.n; i++) {
        if (puan_str_eq(d->gives.name[i], n->name))
            return look_up(n, s, d, table, (int64_t)i);
        puan_near_try(&near, d->gives.name[i]);
    }
    return FAIL_AT(s, n, "table '%.*s' gives no '%.*s'%s%.*s",
                   PUAN_FMT(d->name), PUAN_FMT(n->name),
                   near.name.n ? "; the nearest is " : "", PUAN_FMT(near.name));
}

static enum puan_status check_found(node *n, scope *s)
{
    const struct puan_ast_decl *d = NULL;
    node *x = n->kid;
    uint16_t table = 0;

    if (s->constant)
        return FAIL_AT(s, n, "a constant cannot read a table");
    if (x->ast == PUAN_AST_NAME && x->qual.n == 0 && s->names->text)
        d = puan_ast_table(s->names->text, x->name, &table);
    if (!d)
        return FAIL_AT(s, x,
                       "found takes the name of a reference table, declared "
                       "as: table NAME by ITEM, … gives COLUMN, …");
    return look_up(n, s, d, table, -1);
}

static enum puan_status resolve(node *n, scope *s)
{
    bool found = false;
    enum puan_status st = PUAN_OK;
    const struct puan_form *f = s->names->form;

    if (n->qual.n) {
        int e;

        if (s->constant)
            return FAIL_AT(s, n, "a constant cannot read an item");
        if (puan_str_is(n->qual, "self")) {
            st = resolve_in(&found, n, s, s->level, PUAN_SRC_OWN);
            if (st == PUAN_OK && !found) {
                struct puan_near near = puan_near_to(n->name);

                consider_entity(&near, entity_of(s, s->level));
                s->unresolved = true;
                if (near.name.n)
                    return FAIL_AT(s, n,
                                   "%.*s has no item '%.*s'; the nearest is "
                                   "'%.*s'",
                                   PUAN_FMT(entity_of(s, s->level)->name),
                                   PUAN_FMT(n->name), PUAN_FMT(near.name));
                return FAIL_AT(s, n, "%.*s has no item '%.*s'",
                               PUAN_FMT(entity_of(s, s->level)->name),
                               PUAN_FMT(n->name));
            }
            return st;
        }
        e = puan_form_entity(f, n->qual);
        if (e < 0) {
            bool table;

            st = table_column(&table, n, s);
            if (table || st != PUAN_OK)
                return st;
            s->unresolved = true;
            return FAIL_AT(s, n, "form '%.*s' has no roster '%.*s'",
                           PUAN_FMT(f->id), PUAN_FMT(n->qual));
        }
        if (s->in_row && e == (int)s->row_entity)
            st = resolve_in(&found, n, s, s->row_entity, PUAN_SRC_INNER);
        else if (!s->in_row && s->names->parent && e == (int)s->level)
            st = resolve_in(&found, n, s, s->level, PUAN_SRC_OWN);
        else if (s->names->parent
                     ? is_above(s, e, s->in_row ? s->row_entity : s->level)
                     : e == 0)
            st = resolve_in(&found, n, s, (uint16_t)e, PUAN_SRC_HOUSE);
        else
            return FAIL_AT(s, n,
                           "%.*s has many rows: write "
                           "first(%.*s.%.*s where …) or at(%.*s.%.*s, n)",
                           PUAN_FMT(n->qual), PUAN_FMT(n->qual),
                           PUAN_FMT(n->name), PUAN_FMT(n->qual),
                           PUAN_FMT(n->name));
        return st == PUAN_OK && !found ? unknown_name(n, s) : st;
    }
    if (!s->constant) {
        int from = s->in_row ? s->row_entity : s->level;

        for (int e = from; e >= 0 && st == PUAN_OK && !found; e = above(s, e))
            st = resolve_in(&found, n, s, (uint16_t)e,
                            e != from   ? PUAN_SRC_HOUSE
                            : s->in_row ? PUAN_SRC_INNER
                                        : PUAN_SRC_OWN);
    }
    if (st == PUAN_OK && !found)
        st = resolve_const(&found, n, s);
    if (st != PUAN_OK || found)
        return st;
    if (s->names->words) {
        n->ast = PUAN_AST_WORD;
        n->type.kind = PUAN_KIND_WORD;
        return PUAN_OK;
    }
    if (s->constant)
        return FAIL_AT(s, n, "'%.*s' is not a constant", PUAN_FMT(n->name));
    return unknown_name(n, s);
}

/* ---- types ---- */

static bool is_number(const struct puan_type *t)
{
    return t->kind == PUAN_KIND_NUM || t->kind == PUAN_KIND_ANY;
}

static bool same_list(const struct puan_codelist *a,
                      const struct puan_codelist *b)
{
    return a == b || !a || !b || (a->name.n && puan_str_eq(a->name, b->name));
}

/* A number beside a code whose texts are numbers but not its values. */
static bool ordinal(const struct puan_type *code, const struct puan_type *num)
{
    return code->kind == PUAN_KIND_CODE && num->kind == PUAN_KIND_NUM &&
           puan_codes_misread(code->list);
}

/* May the two be compared, and stand in one list of alternatives? */
static bool fit(const struct puan_type *a, const struct puan_type *b)
{
    if (a->kind == PUAN_KIND_SEALED || b->kind == PUAN_KIND_SEALED ||
        a->kind == PUAN_KIND_WORD || b->kind == PUAN_KIND_WORD)
        return false;
    if (a->kind == PUAN_KIND_TRUTH || b->kind == PUAN_KIND_TRUTH)
        return a->kind == b->kind;
    if (a->kind == PUAN_KIND_ANY || b->kind == PUAN_KIND_ANY)
        return true;
    if (ordinal(a, b) || ordinal(b, a))
        return false;
    if (a->kind == PUAN_KIND_NUM || b->kind == PUAN_KIND_NUM)
        return a->kind == b->kind || a->kind == PUAN_KIND_CODE ||
               b->kind == PUAN_KIND_CODE || a->kind == PUAN_KIND_AREA ||
               b->kind == PUAN_KIND_AREA;
    if (a->kind != b->kind)
        return false;
    if (a->kind == PUAN_KIND_CODE)
        return same_list(a->list, b->list);
    if (a->kind == PUAN_KIND_AREA)
        return !a->digits || !b->digits || a->digits == b->digits;
    return true;
}

static enum puan_status sealed(node *n, scope *s)
{
    if (n->ast == PUAN_AST_ITEM || n->ast == PUAN_AST_COLUMN) {
        const struct puan_item *it = &entity_of(s, n->entity)->items[n->item];

        return FAIL_AT(s, n,
                       "'%.*s' is %s: only given, missing, asked, invalid, "
                       "reason%s may read it",
                       PUAN_FMT(n->name),
                       it->zone == PUAN_ZONE_VAULT ? "identity (zone vault)"
                                                   : "text",
                       it->type == PUAN_TYPE_CITIZEN_ID
                           ? ", same_id and the facts id_check, id_month, "
                             "id_sex, id_region"
                       : it->type == PUAN_TYPE_NAME
                           ? ", same_text and the facts name_length, "
                             "name_class"
                       : it->type == PUAN_TYPE_PHONE
                           ? ", same_text and the fact phone_class"
                           : " and same_text");
    }
    return FAIL_AT(s, n, "this item is sealed");
}

static enum puan_status misfit(node *at, node *a, node *b, scope *s)
{
    if (a->type.kind == PUAN_KIND_SEALED)
        return sealed(a, s);
    if (b->type.kind == PUAN_KIND_SEALED)
        return sealed(b, s);
    if (ordinal(&a->type, &b->type) || ordinal(&b->type, &a->type)) {
        const struct puan_type *t =
            a->type.kind == PUAN_KIND_CODE ? &a->type : &b->type;

        return FAIL_AT(s, at,
                       "%s holds texts, not only numbers: write a code in "
                       "quotes, such as \"%.*s\"",
                       type_name(s, t),
                       PUAN_FMT(puan_codes_misread(t->list)->text));
    }
    if (a->type.kind == PUAN_KIND_WORD || b->type.kind == PUAN_KIND_WORD) {
        node *w = a->type.kind == PUAN_KIND_WORD ? a : b;
        struct puan_near near = puan_near_to(w->name);

        if (s->names->words) /* elsewhere a name of an item is no bare word */
            consider_entity(&near, &s->names->form->entity[s->level]);
        if (near.name.n)
            return FAIL_AT(s, w,
                           "'%.*s' stands beside %s and is no name here; the "
                           "nearest is '%.*s'",
                           PUAN_FMT(w->name),
                           type_name(s, &(w == a ? b : a)->type),
                           PUAN_FMT(near.name));
        return FAIL_AT(s, w,
                       "'%.*s' stands beside %s: only a code can be compared "
                       "with it, mend the name",
                       PUAN_FMT(w->name),
                       type_name(s, &(w == a ? b : a)->type));
    }
    if (a->type.kind == PUAN_KIND_AREA && b->type.kind == PUAN_KIND_AREA)
        return FAIL_AT(s, at,
                       "cannot compare %s with %s: cut the longer with "
                       "prefix(x, %u)",
                       type_name(s, &a->type), type_name(s, &b->type),
                       a->type.digits < b->type.digits ? a->type.digits
                                                       : b->type.digits);
    if (a->type.kind == PUAN_KIND_MONTH || b->type.kind == PUAN_KIND_MONTH) {
        node *o = a->type.kind == PUAN_KIND_MONTH ? b : a;

        if (is_number(&o->type))
            return FAIL_AT(s, at,
                           "cannot compare %s with %s: write a month as "
                           "month(\"2020-11\")",
                           type_name(s, &a->type), type_name(s, &b->type));
        if (o->type.kind == PUAN_KIND_DAY)
            return FAIL_AT(s, at,
                           "cannot compare %s with %s: take the month "
                           "of the day with month(x)",
                           type_name(s, &a->type), type_name(s, &b->type));
    }
    if ((a->type.kind == PUAN_KIND_DAY && is_number(&b->type)) ||
        (b->type.kind == PUAN_KIND_DAY && is_number(&a->type)))
        return FAIL_AT(s, at,
                       "cannot compare %s with %s: write a day as "
                       "day(\"2020-11-01\")",
                       type_name(s, &a->type), type_name(s, &b->type));
    if (a->type.kind == PUAN_KIND_CODE && b->type.kind == PUAN_KIND_CODE)
        return FAIL_AT(s, at,
                       "cannot compare %s with %s: they are different "
                       "lists; number(x) compares the plain numbers",
                       type_name(s, &a->type), type_name(s, &b->type));
    return FAIL_AT(s, at, "cannot compare %s with %s", type_name(s, &a->type),
                   type_name(s, &b->type));
}

/* The codes of a list, as far as a message holds them. */
static const char *codes_shown(const scope *s, const struct puan_codelist *l)
{
    char buf[96];
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        size_t k = puan_format(buf + n, sizeof(buf) - n, "%s%.*s",
                               i ? ", " : "", PUAN_FMT(l->codes[i].text));

        if (k >= sizeof(buf) - n - 8) {
            puan_format(buf + n, sizeof(buf) - n, "%s", ", …");
            break;
        }
        n += k;
    }
    if (l->n == 0)
        return "none";
    return puan_arena_fmt(s->names->arena, "%s", buf);
}

/*
 * Gives a text or bare word its code, from the list of `other`; checks that a
 * number written beside a code is one.
 */
static enum puan_status settle(node *n, const node *other, scope *s,
                               bool in_list)
{
    const struct puan_codelist *l = other->type.list;

    if (other->type.kind != PUAN_KIND_CODE || !l)
        return PUAN_OK;
    if (n->type.kind == PUAN_KIND_WORD) {
        const struct puan_code *c = puan_code_by_text(l, n->name);

        if (!c) {
            struct puan_near near = puan_near_to(n->name);

            for (size_t i = 0; i < l->n; i++)
                puan_near_try(&near, l->codes[i].text);
            if (near.name.n)
                return FAIL_AT(s, n,
                               "'%.*s' is not a code of %.*s; the nearest is "
                               "'%.*s'",
                               PUAN_FMT(n->name), PUAN_FMT(l->name),
                               PUAN_FMT(near.name));
            return FAIL_AT(s, n, "'%.*s' is not a code of %.*s, use one of (%s)",
                           PUAN_FMT(n->name), PUAN_FMT(l->name),
                           codes_shown(s, l));
        }
        n->ast = PUAN_AST_CONST;
        n->value = c->value;
        n->type = other->type;
    } else if (in_list && n->ast == PUAN_AST_CONST &&
               n->type.kind == PUAN_KIND_NUM &&
               !puan_code_by_value(l, n->value)) {
        return FAIL_AT(s, n, "%lld is not a code of %.*s, use one of (%s)",
                       (long long)n->value, PUAN_FMT(l->name),
                       codes_shown(s, l));
    }
    return PUAN_OK;
}

static enum puan_status want_truth(node *n, scope *s, const char *what)
{
    if (n->type.kind == PUAN_KIND_SEALED)
        return sealed(n, s);
    if (n->type.kind != PUAN_KIND_TRUTH)
        return FAIL_AT(s, n,
                       "%s takes a truth value, such as a comparison, "
                       "not %s",
                       what, type_name(s, &n->type));
    return PUAN_OK;
}

static enum puan_status want_number(node *n, scope *s, const char *what)
{
    if (n->type.kind == PUAN_KIND_SEALED)
        return sealed(n, s);
    if (!is_number(&n->type))
        return FAIL_AT(
            s, n, "%s takes numbers, not %s%s", what, type_name(s, &n->type),
            n->type.kind == PUAN_KIND_CODE || n->type.kind == PUAN_KIND_AREA ||
                    n->type.kind == PUAN_KIND_MONTH ||
                    n->type.kind == PUAN_KIND_DAY
                ? ": number(x) makes one of it"
                : "");
    return PUAN_OK;
}

static enum puan_status limit_places(node *n, scope *s, unsigned places)
{
    if (places > 9)
        return FAIL_AT(s, n,
                       "the result would have %u decimals; 9 is the "
                       "most",
                       places);
    n->type.kind = PUAN_KIND_NUM;
    n->type.places = (uint8_t)places;
    return PUAN_OK;
}

/* The type of both, when they stand for the same thing. */
static void unite(struct puan_type *into, const struct puan_type *b)
{
    if (into->kind == PUAN_KIND_ANY ||
        (into->kind == PUAN_KIND_NUM && b->kind != PUAN_KIND_ANY &&
         b->kind != PUAN_KIND_NUM)) {
        uint8_t places = into->places;

        *into = *b;
        if (b->kind == PUAN_KIND_NUM && places > into->places)
            into->places = places;
    } else if (into->kind == PUAN_KIND_NUM && b->kind == PUAN_KIND_NUM &&
               b->places > into->places) {
        into->places = b->places;
    } else if (into->kind == PUAN_KIND_CODE && b->kind == PUAN_KIND_NUM) {
        into->kind = PUAN_KIND_NUM; /* a code or a number beside it */
        into->list = NULL;
    }
}

static enum puan_status check_sum(node *n, scope *s)
{
    node *a = n->kid, *b = a->next;
    bool sub = n->ast == PUAN_AST_SUB;
    const char *what = sub ? "'-'" : "'+'";
    enum puan_kind ka = a->type.kind, kb = b->type.kind;
    enum puan_status st;

    if ((ka == PUAN_KIND_MONTH || ka == PUAN_KIND_DAY) && is_number(&b->type) &&
        b->type.places == 0) {
        n->type = a->type;
        return PUAN_OK;
    }
    if (!sub && (kb == PUAN_KIND_MONTH || kb == PUAN_KIND_DAY) &&
        is_number(&a->type) && a->type.places == 0) {
        n->type = b->type;
        return PUAN_OK;
    }
    if (sub && (ka == PUAN_KIND_MONTH || ka == PUAN_KIND_DAY) && ka == kb) {
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        return PUAN_OK;
    }
    if (sub && ka == PUAN_KIND_ANY &&
        (kb == PUAN_KIND_MONTH || kb == PUAN_KIND_DAY)) {
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        return PUAN_OK; /* ref_month - D5 */
    }
    if (ka == PUAN_KIND_MONTH || kb == PUAN_KIND_MONTH || ka == PUAN_KIND_DAY ||
        kb == PUAN_KIND_DAY) {
        if (a->type.kind == PUAN_KIND_SEALED)
            return sealed(a, s);
        if (b->type.kind == PUAN_KIND_SEALED)
            return sealed(b, s);
        return FAIL_AT(s, n, "cannot %s %s and %s", sub ? "subtract" : "add",
                       type_name(s, &a->type), type_name(s, &b->type));
    }
    st = want_number(a, s, what);
    if (st == PUAN_OK)
        st = want_number(b, s, what);
    if (st != PUAN_OK)
        return st;
    if ((ka == PUAN_KIND_ANY || kb == PUAN_KIND_ANY) && !a->type.places &&
        !b->type.places) {
        n->type = (struct puan_type){ .kind = PUAN_KIND_ANY };
        return PUAN_OK; /* ref_month - 12 still fits beside a month */
    }
    return limit_places(n, s,
                        a->type.places > b->type.places ? a->type.places
                                                        : b->type.places);
}

static enum puan_status check_product(node *n, scope *s)
{
    node *a = n->kid, *b = a->next;
    const char *what = n->ast == PUAN_AST_MUL   ? "'*'"
                       : n->ast == PUAN_AST_DIV ? "'/'"
                                                : "'mod'";
    enum puan_status st = want_number(a, s, what);

    if (st == PUAN_OK)
        st = want_number(b, s, what);
    if (st != PUAN_OK)
        return st;
    if (n->ast != PUAN_AST_MUL && b->ast == PUAN_AST_CONST && b->value == 0)
        return FAIL_AT(s, b, "division by zero");
    if (n->ast == PUAN_AST_MUL)
        return limit_places(n, s, (unsigned)(a->type.places + b->type.places));
    if (n->ast == PUAN_AST_DIV)
        return limit_places(n, s, 0);
    return limit_places(n, s,
                        a->type.places > b->type.places ? a->type.places
                                                        : b->type.places);
}

static enum puan_status check_compare(node *n, scope *s)
{
    node *a = n->kid, *b = a->next;
    bool equality = n->op == PUAN_CMP_EQ || n->op == PUAN_CMP_NE;
    enum puan_status st = settle(b, a, s, equality);

    if (st == PUAN_OK)
        st = settle(a, b, s, equality);
    if (st != PUAN_OK)
        return st;
    if (!fit(&a->type, &b->type))
        return misfit(n, a, b, s);
    if (a->type.kind == PUAN_KIND_TRUTH && !equality)
        return FAIL_AT(s, n, "truth values have no order: use = or !=");
    n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
    return PUAN_OK;
}

static enum puan_status constant_kid(node *k, scope *s)
{
    if (k->ast != PUAN_AST_CONST)
        return FAIL_AT(s, k,
                       "a set holds constants only: compare with '=' and "
                       "'or' instead");
    return PUAN_OK;
}

/* Members take the subject's scale; a finer one than the subject's is lost. */
static enum puan_status rescale(node *k, const node *subject, scope *s)
{
    unsigned have = k->type.places, need = subject->type.places;

    if (have > need)
        return FAIL_AT(s, k,
                       "the value has more decimals than what it is "
                       "compared with");
    for (; have < need; have++)
        if (__builtin_mul_overflow(k->value, (int64_t)10, &k->value))
            return FAIL_AT(s, k, "the number is too large");
    return PUAN_OK;
}

static enum puan_status check_in(node *n, scope *s)
{
    node *a = n->kid;

    if (a->type.kind == PUAN_KIND_SEALED)
        return sealed(a, s);
    if (a->type.kind == PUAN_KIND_TRUTH)
        return FAIL_AT(s, a, "a truth value has no set to lie in");
    for (node *m = a->next; m; m = m->next) {
        node *lo = m->ast == PUAN_AST_RANGE ? m->kid : m;
        node *hi = m->ast == PUAN_AST_RANGE ? lo->next : NULL;
        enum puan_status st = PUAN_OK;

        for (node *k = lo; k && st == PUAN_OK; k = k == lo ? hi : NULL) {
            st = settle(k, a, s, !hi);
            if (st == PUAN_OK)
                st = constant_kid(k, s);
            if (st == PUAN_OK && !fit(&a->type, &k->type))
                st = misfit(k, a, k, s);
            if (st == PUAN_OK)
                st = rescale(k, a, s);
        }
        if (st != PUAN_OK)
            return st;
        if (hi && lo->value > hi->value)
            return FAIL_AT(s, m, "the range is empty: its ends are exchanged");
    }
    n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
    return PUAN_OK;
}

/* ---- calls ---- */

static enum puan_status unknown_function(node *n, scope *s)
{
    struct puan_near near = puan_near_to(n->name);

    for (size_t i = 0; i < PUAN_COUNT(functions); i++)
        puan_near_try(&near, puan_str_of(functions[i].name));
    for (size_t i = 0; i < PUAN_COUNT(facts); i++)
        puan_near_try(&near, puan_str_of(facts[i].name));
    for (size_t i = 0; i < PUAN_COUNT(quantifiers); i++)
        puan_near_try(&near, puan_str_of(quantifiers[i]));
    if (near.name.n)
        return FAIL_AT(s, n, "unknown function '%.*s'; the nearest is '%.*s'",
                       PUAN_FMT(n->name), PUAN_FMT(near.name));
    return FAIL_AT(s, n, "unknown function '%.*s'", PUAN_FMT(n->name));
}

static bool has_suffix(struct puan_str name, const char *fact)
{
    size_t n = strlen(fact);

    if (name.n < n || memcmp(name.p + name.n - n, fact, n) != 0)
        return false;
    return name.n == n || name.p[name.n - n - 1] == '.';
}

/* id_month(D3): becomes the fact's own column. */
static enum puan_status check_fact(node *n, scope *s, size_t fact)
{
    node *x = n->kid;
    const struct puan_entity *e;

    if (x->ast != PUAN_AST_ITEM)
        return FAIL_AT(s, x, "%s takes an item", facts[fact].name);
    e = entity_of(s, x->entity);
    for (uint16_t i = 0; i < e->n_items; i++) {
        const struct puan_item *it = &e->items[i];

        if (it->type != PUAN_TYPE_FACT || it->fact_of != (int)x->item ||
            !has_suffix(it->name, facts[fact].name))
            continue;
        n->ast = PUAN_AST_ITEM;
        n->src = x->src;
        n->entity = x->entity;
        n->item = i;
        n->kid = NULL;
        n->height = 1;
        n->type = (struct puan_type){ .kind = facts[fact].kind,
                                      .digits = facts[fact].digits };
        return PUAN_OK;
    }
    return FAIL_AT(s, n, "'%.*s' has no fact %s%s", PUAN_FMT(x->name),
                   facts[fact].name,
                   e->items[x->item].type == PUAN_TYPE_CITIZEN_ID
                       ? ": it has id_check, id_month, id_sex, id_region"
                   : e->items[x->item].type == PUAN_TYPE_NAME
                       ? ": it has name_length, name_class"
                   : e->items[x->item].scheme ? ": it has number_check, part"
                                              : "");
}

/* part(U101, region): the column of that part of the number. */
static enum puan_status check_part(node *n, scope *s)
{
    node *x = n->kid, *p = x->next;
    struct puan_near near = puan_near_to(p->name);
    const struct puan_entity *e;
    enum puan_status st = puan_rule_check(x, s);

    if (st != PUAN_OK)
        return st;
    if (x->ast != PUAN_AST_ITEM)
        return FAIL_AT(s, x, "part takes an item and the name of a part");
    if ((p->ast != PUAN_AST_NAME && p->ast != PUAN_AST_WORD) || p->qual.n > 0)
        return FAIL_AT(s, p,
                       "part takes the name of a part of the number, as the "
                       "form's scheme has it");
    e = entity_of(s, x->entity);
    for (uint16_t i = 0; i < e->n_items; i++) {
        const struct puan_item *it = &e->items[i];
        struct puan_str name = it->name;

        if (it->fact != PUAN_FACT_NUMBER_PART || it->fact_of != (int)x->item)
            continue;
        name.p += e->items[x->item].name.n + 1;
        name.n -= e->items[x->item].name.n + 1;
        puan_near_try(&near, name);
        if (!puan_str_eq(name, p->name))
            continue;
        n->ast = PUAN_AST_ITEM;
        n->src = x->src;
        n->entity = x->entity;
        n->item = i;
        n->kid = NULL;
        n->height = 1;
        n->type = (struct puan_type){ .kind = it->codes    ? PUAN_KIND_CODE
                                              : it->digits ? PUAN_KIND_AREA
                                                           : PUAN_KIND_NUM,
                                      .digits = (uint8_t)it->digits,
                                      .list = it->codes };
        return PUAN_OK;
    }
    if (near.name.n)
        return FAIL_AT(s, p, "'%.*s' has no part '%.*s'; the nearest is '%.*s'",
                       PUAN_FMT(x->name), PUAN_FMT(p->name),
                       PUAN_FMT(near.name));
    return FAIL_AT(s, p, "'%.*s' has no part '%.*s'", PUAN_FMT(x->name),
                   PUAN_FMT(p->name));
}

static enum puan_status want_item(node *x, scope *s, const char *name)
{
    if (x->ast == PUAN_AST_COLUMN)
        return FAIL_AT(s, x,
                       "%s takes an item, not the derived item '%.*s': "
                       "use known(%.*s)",
                       name, PUAN_FMT(x->name), PUAN_FMT(x->name));
    if (x->ast != PUAN_AST_ITEM)
        return FAIL_AT(s, x, "%s takes an item; known(…) takes any expression",
                       name);
    return PUAN_OK;
}

static enum puan_status check_alternatives(node *first, node *n, scope *s)
{
    n->type = first->type;
    for (node *k = first->next; k; k = k->next) {
        enum puan_status st = settle(k, first, s, false);

        if (st != PUAN_OK)
            return st;
        if (!fit(&first->type, &k->type))
            return misfit(k, first, k, s);
        unite(&n->type, &k->type);
    }
    if (n->type.kind == PUAN_KIND_SEALED)
        return sealed(first, s);
    if (n->type.kind == PUAN_KIND_WORD)
        return FAIL_AT(s, first,
                       "a text stands for a code only beside an "
                       "item of codes");
    return PUAN_OK;
}

static enum puan_status check_date(node *n, scope *s, enum puan_fn fn)
{
    node *x = n->kid;
    bool ok;

    if (x->type.kind == PUAN_KIND_DAY && fn == PUAN_FN_MONTH) {
        n->type = (struct puan_type){ .kind = PUAN_KIND_MONTH };
        return PUAN_OK;
    }
    if (x->ast != PUAN_AST_WORD)
        return FAIL_AT(s, x,
                       fn == PUAN_FN_MONTH
                           ? "month takes a text such as \"2020-11\", or "
                             "a day; the number of the month is "
                             "month_of(x)"
                           : "day takes a text such as \"2020-11-01\"");
    ok = fn == PUAN_FN_MONTH ? puan_month_parse(&n->value, x->name)
                             : puan_day_parse(&n->value, x->name);
    if (!ok)
        return FAIL_AT(s, x,
                       fn == PUAN_FN_MONTH
                           ? "\"%.*s\" is not a month: write it as "
                             "\"2020-11\""
                           : "\"%.*s\" is not a day: write it as "
                             "\"2020-11-01\"",
                       PUAN_FMT(x->name));
    n->ast = PUAN_AST_CONST;
    n->kid = NULL;
    n->height = 1;
    n->type = (struct puan_type){ .kind = fn == PUAN_FN_MONTH ? PUAN_KIND_MONTH
                                                              : PUAN_KIND_DAY };
    return PUAN_OK;
}

/* Length of the texts of a code list when all are of one; else 0. */
static unsigned list_digits(const struct puan_codelist *l)
{
    size_t len = l && l->n ? l->codes[0].text.n : 0;

    for (size_t i = 0; l && i < l->n; i++)
        if (l->codes[i].text.n != len)
            return 0;
    return len <= 18 ? (unsigned)len : 0;
}

static enum puan_status check_prefix(node *n, scope *s)
{
    node *x = n->kid, *k = x->next;
    unsigned have = x->type.kind == PUAN_KIND_AREA   ? x->type.digits
                    : x->type.kind == PUAN_KIND_CODE ? list_digits(x->type.list)
                                                     : 0;

    if (x->type.kind == PUAN_KIND_SEALED)
        return sealed(x, s);
    if (x->type.kind != PUAN_KIND_AREA && x->type.kind != PUAN_KIND_CODE)
        return FAIL_AT(s, x, "prefix takes an area or a code, not %s",
                       type_name(s, &x->type));
    if (have == 0)
        return FAIL_AT(s, x,
                       "prefix needs codes that all have the same number "
                       "of digits");
    if (k->ast != PUAN_AST_CONST || !is_number(&k->type) || k->type.places ||
        k->value < 1 || k->value > (int64_t)have)
        return FAIL_AT(s, k, "prefix takes a number of digits from 1 to %u",
                       have);
    n->type = (struct puan_type){ .kind = x->type.kind == PUAN_KIND_AREA
                                              ? PUAN_KIND_AREA
                                              : PUAN_KIND_NUM,
                                  .digits = (uint8_t)k->value };
    n->value = 1;
    for (unsigned i = (unsigned)k->value; i < have; i++)
        n->value *= 10;
    if (n->type.kind == PUAN_KIND_NUM)
        n->type.digits = 0;
    return PUAN_OK;
}

static enum puan_status check_same(node *n, scope *s, enum puan_fn fn)
{
    for (node *x = n->kid; x; x = x->next) {
        const struct puan_item *it;

        if (x->ast != PUAN_AST_ITEM || x->type.kind != PUAN_KIND_SEALED)
            return FAIL_AT(s, x, "%s takes two sealed items",
                           functions[fn].name);
        it = &entity_of(s, x->entity)->items[x->item];
        if (fn == PUAN_FN_SAME_ID && it->type != PUAN_TYPE_CITIZEN_ID)
            return FAIL_AT(s, x,
                           "same_id takes citizen ID items; '%.*s' is "
                           "none",
                           PUAN_FMT(x->name));
        if (fn == PUAN_FN_SAME_TEXT && it->type == PUAN_TYPE_CITIZEN_ID)
            return FAIL_AT(s, x, "'%.*s' is a citizen ID: use same_id",
                           PUAN_FMT(x->name));
    }
    n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
    return PUAN_OK;
}

/* Resolves E.x to a column of entity e, as seen from row `src`. */
static enum puan_status roster_item(node *x, scope *s, uint16_t e)
{
    bool found;
    enum puan_status st = resolve_in(&found, x, s, e, PUAN_SRC_INNER);

    if (st == PUAN_OK && !found) {
        struct puan_near near = puan_near_to(x->name);

        s->unresolved = true;
        consider_entity(&near, entity_of(s, e));
        if (near.name.n)
            return FAIL_AT(s, x,
                           "%.*s has no item '%.*s'; the nearest is "
                           "'%.*s'",
                           PUAN_FMT(entity_of(s, e)->name), PUAN_FMT(x->name),
                           PUAN_FMT(near.name));
        return FAIL_AT(s, x, "%.*s has no item '%.*s'",
                       PUAN_FMT(entity_of(s, e)->name), PUAN_FMT(x->name));
    }
    if (st == PUAN_OK && x->type.kind == PUAN_KIND_SEALED)
        return sealed(x, s);
    return st;
}

static enum puan_status find_roster(uint16_t *e, node *n, scope *s,
                                    struct puan_str name)
{
    const struct puan_form *f = s->names->form;
    int i = puan_form_entity(f, name);
    struct puan_near near = puan_near_to(name);

    if (s->constant)
        return FAIL_AT(s, n, "a constant cannot look over rows");
    if (s->names->parent && i >= 0) {
        int a = s->level; /* the nearest unit above both */

        while (a >= 0 && !is_above(s, a, i))
            a = above(s, a);
        if (a < 0)
            return FAIL_AT(s, n,
                           "no level stands above both %.*s and %.*s: declare "
                           "one, such as level household by hhid",
                           PUAN_FMT(entity_of(s, s->level)->name),
                           PUAN_FMT(name));
        *e = (uint16_t)i;
        s->reads = true;
        return PUAN_OK;
    }
    if (i > 0 || (i == 0 && f->entity[0].roster)) {
        *e = (uint16_t)i;
        s->reads = true;
        return PUAN_OK;
    }
    if (i == 0)
        return FAIL_AT(s, n, "%.*s has one row: use its items by their names",
                       PUAN_FMT(name));
    s->unresolved = true;
    for (uint16_t k = 1; k < f->n_entities; k++)
        puan_near_try(&near, f->entity[k].name);
    if (near.name.n)
        return FAIL_AT(s, n, "unknown roster '%.*s'; the nearest is '%.*s'",
                       PUAN_FMT(name), PUAN_FMT(near.name));
    return FAIL_AT(s, n, "form '%.*s' has no roster '%.*s'", PUAN_FMT(f->id),
                   PUAN_FMT(name));
}

static enum puan_status check_quant(node *n, scope *s)
{
    node *x = n->op >= PUAN_Q_SUM ? n->kid : NULL;
    node *where = x ? x->next : n->kid;
    uint16_t e = 0;
    enum puan_status st;

    if (s->in_row)
        return FAIL_AT(s, n,
                       "quantifiers do not nest: give the inner one a "
                       "name with 'define … for %.*s'",
                       PUAN_FMT(entity_of(s, s->row_entity)->name));
    st = find_roster(&e, n, s, n->qual);
    if (st != PUAN_OK)
        return st;
    n->entity = e;
    s->in_row = true;
    s->row_entity = e;
    if (x)
        st = roster_item(x, s, e);
    if (st == PUAN_OK && where) {
        st = puan_rule_check(where, s);
        if (st == PUAN_OK)
            st = want_truth(where, s, "'where'");
    }
    s->in_row = false;
    if (st != PUAN_OK)
        return st;
    switch ((enum puan_quant)n->op) {
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
        n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
        if (n->op == PUAN_Q_ALL && !where)
            return FAIL_AT(s, n, "all(…) needs a 'where'");
        return PUAN_OK;
    case PUAN_Q_COUNT:
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        return PUAN_OK;
    case PUAN_Q_SUM:
        st = want_number(x, s, "sum");
        n->type = x->type;
        return st;
    case PUAN_Q_MIN:
    case PUAN_Q_MAX:
        if (x->type.kind == PUAN_KIND_TRUTH)
            return FAIL_AT(s, x, "%s takes numbers, months, days or codes",
                           quantifiers[n->op]);
        n->type = x->type;
        return PUAN_OK;
    case PUAN_Q_FIRST:
        n->type = x->type;
        return PUAN_OK;
    }
    return PUAN_OK;
}

static enum puan_status check_at(node *n, scope *s)
{
    node *x = n->kid, *line = x->next;
    uint16_t e = 0;
    enum puan_status st;

    if (x->ast != PUAN_AST_NAME || x->qual.n == 0 ||
        puan_str_is(x->qual, "self"))
        return FAIL_AT(s, x,
                       "at takes a roster's item and a line, such as "
                       "at(person.D2, row - 1)");
    st = find_roster(&e, x, s, x->qual);
    if (st == PUAN_OK)
        st = roster_item(x, s, e);
    if (st == PUAN_OK)
        st = puan_rule_check(line, s);
    if (st == PUAN_OK)
        st = want_number(line, s, "the line of 'at'");
    if (st == PUAN_OK && line->type.places)
        return FAIL_AT(s, line, "a line is a whole number");
    n->type = x->type;
    return st;
}

static enum puan_status check_call(node *n, scope *s)
{
    size_t fn, args = 0, least = 1, most = 1;
    enum puan_status st = PUAN_OK;
    node *x = n->kid, *y = x->next;

    if (puan_str_is(n->name, "part") && y && !y->next)
        return check_part(n, s);
    for (node *k = x; k; k = k->next)
        args++;
    for (fn = 0; fn < PUAN_COUNT(functions); fn++)
        if (puan_str_is(n->name, functions[fn].name)) {
            least = functions[fn].least;
            most = functions[fn].most;
            break;
        }
    if (fn == PUAN_COUNT(functions)) {
        for (fn = 0; fn < PUAN_COUNT(facts); fn++)
            if (puan_str_is(n->name, facts[fn].name))
                break;
        if (fn == PUAN_COUNT(facts))
            return unknown_function(n, s);
        fn += PUAN_FN_FACT;
    }
    if (args < least || (most && args > most))
        return FAIL_AT(s, n, "%.*s takes %zu value%s, not %zu",
                       PUAN_FMT(n->name), least, least == 1 ? "" : "s", args);
    n->op = (uint8_t)fn;
    if (fn == PUAN_FN_AT)
        return check_at(n, s);
    if (fn == PUAN_FN_FOUND)
        return check_found(n, s);
    for (node *k = x; k && st == PUAN_OK; k = k->next)
        st = puan_rule_check(k, s);
    if (st != PUAN_OK)
        return st;
    if (fn >= PUAN_FN_FACT)
        return check_fact(n, s, fn - PUAN_FN_FACT);
    switch ((enum puan_fn)fn) {
    case PUAN_FN_GIVEN:
    case PUAN_FN_MISSING:
    case PUAN_FN_ASKED:
    case PUAN_FN_INVALID:
        n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
        return want_item(x, s, functions[fn].name);
    case PUAN_FN_REASON:
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        return want_item(x, s, functions[fn].name);
    case PUAN_FN_KNOWN:
        n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
        if (x->type.kind == PUAN_KIND_SEALED)
            return FAIL_AT(s, x, "'%.*s' is sealed: use given(%.*s)",
                           PUAN_FMT(x->name), PUAN_FMT(x->name));
        return PUAN_OK;
    case PUAN_FN_IF:
        st = want_truth(x, s, "the condition of 'if'");
        return st == PUAN_OK ? check_alternatives(y, n, s) : st;
    case PUAN_FN_ABS:
        n->type = x->type;
        return want_number(x, s, "abs");
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
        st = check_alternatives(x, n, s);
        if (st == PUAN_OK && n->type.kind == PUAN_KIND_TRUTH)
            return FAIL_AT(s, x, "%s takes numbers, months, days or codes",
                           functions[fn].name);
        return st;
    case PUAN_FN_MONTH:
    case PUAN_FN_DAY:
        return check_date(n, s, (enum puan_fn)fn);
    case PUAN_FN_YEAR:
    case PUAN_FN_MONTH_OF:
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        if (x->type.kind == PUAN_KIND_SEALED)
            return sealed(x, s);
        if (x->type.kind == PUAN_KIND_ANY)
            x->type.kind = PUAN_KIND_MONTH; /* a setting such as ref_month */
        if (x->type.kind != PUAN_KIND_MONTH && x->type.kind != PUAN_KIND_DAY)
            return FAIL_AT(s, x, "%s takes a month or a day, not %s",
                           functions[fn].name, type_name(s, &x->type));
        return PUAN_OK;
    case PUAN_FN_AGE_AT:
        if (x->type.kind == PUAN_KIND_SEALED)
            return sealed(x, s);
        if (x->type.kind == PUAN_KIND_ANY)
            x->type.kind =
                y->type.kind == PUAN_KIND_DAY ? PUAN_KIND_DAY : PUAN_KIND_MONTH;
        if (y->type.kind == PUAN_KIND_ANY)
            y->type.kind = x->type.kind;
        if (x->type.kind != y->type.kind ||
            (x->type.kind != PUAN_KIND_MONTH && x->type.kind != PUAN_KIND_DAY))
            return FAIL_AT(s, n,
                           "age_at takes two months or two days, not %s "
                           "and %s",
                           type_name(s, &x->type), type_name(s, &y->type));
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
        return PUAN_OK;
    case PUAN_FN_NUMBER:
        if (x->type.kind == PUAN_KIND_SEALED)
            return sealed(x, s);
        if (x->type.kind == PUAN_KIND_TRUTH || x->type.kind == PUAN_KIND_WORD)
            return FAIL_AT(s, x,
                           "number takes a code, area, month or day, not "
                           "%s",
                           type_name(s, &x->type));
        if (x->type.kind == PUAN_KIND_CODE && puan_codes_misread(x->type.list))
            return FAIL_AT(s, x,
                           "%s holds texts, not only numbers, such as \"%.*s\"",
                           type_name(s, &x->type),
                           PUAN_FMT(puan_codes_misread(x->type.list)->text));
        n->type = (struct puan_type){ .kind = PUAN_KIND_NUM,
                                      .places = x->type.places };
        return PUAN_OK;
    case PUAN_FN_PREFIX:
        return check_prefix(n, s);
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT:
        return check_same(n, s, (enum puan_fn)fn);
    case PUAN_FN_AT:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
        break;
    }
    return puan_fail(s->names->err, PUAN_EBUG, "rule", "function not handled");
}

/* ---- the tree ---- */

static bool foldable(const node *n)
{
    if (n->ast == PUAN_AST_QUANT || n->ast == PUAN_AST_RANGE ||
        n->ast == PUAN_AST_LOOKUP || !n->kid ||
        (n->ast == PUAN_AST_CALL &&
         (n->op == PUAN_FN_AT || n->op == PUAN_FN_GIVEN ||
          n->op == PUAN_FN_MISSING || n->op == PUAN_FN_ASKED ||
          n->op == PUAN_FN_INVALID || n->op == PUAN_FN_REASON ||
          n->op == PUAN_FN_SAME_ID || n->op == PUAN_FN_SAME_TEXT)))
        return false;
    for (const node *k = n->kid; k; k = k->next) {
        if (k->ast == PUAN_AST_RANGE)
            continue; /* its ends are constants */
        if (k->ast != PUAN_AST_CONST)
            return false;
    }
    return true;
}

static enum puan_status fold(node *n, scope *s)
{
    struct puan_code_out code = { .arena = s->names->arena };
    struct puan_span span;
    struct puan_val v;
    enum puan_status st;

    if (!foldable(n))
        return PUAN_OK;
    st = puan_rule_emit(&span, &code, n, s->file, s->names->err);
    if (st != PUAN_OK)
        return st;
    v = puan_rule_run_const(&code, span);
    if (v.s != PUAN_KNOWN)
        return FAIL_AT(s, n,
                       "this constant has no value: it overflows or "
                       "divides by zero");
    n->ast = PUAN_AST_CONST;
    n->value = v.v;
    n->kid = NULL;
    n->height = 1;
    return PUAN_OK;
}

static enum puan_status check_logic(node *n, scope *s)
{
    const char *what = n->ast == PUAN_AST_OR    ? "'or'"
                       : n->ast == PUAN_AST_AND ? "'and'"
                                                : "'not'";

    n->type = (struct puan_type){ .kind = PUAN_KIND_TRUTH };
    for (node *k = n->kid; k; k = k->next) {
        enum puan_status st = want_truth(k, s, what);

        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

static enum puan_status check_row(node *n, scope *s)
{
    bool own = n->name.n != 0; /* self.row */

    if (s->constant)
        return FAIL_AT(s, n, "a constant cannot read a line number");
    if (s->in_row && !own) {
        n->src = PUAN_SRC_INNER;
        n->entity = s->row_entity;
    } else {
        n->src = PUAN_SRC_OWN;
        n->entity = s->level;
        if (!entity_of(s, s->level)->roster)
            return FAIL_AT(s, n,
                           "%.*s has no lines: 'row' stands in rules of "
                           "a roster and in quantifiers",
                           PUAN_FMT(entity_of(s, s->level)->name));
    }
    n->type = (struct puan_type){ .kind = PUAN_KIND_NUM };
    return PUAN_OK;
}

static enum puan_status check_node(node *n, scope *s)
{
    enum puan_status st = PUAN_OK;

    switch ((unsigned)n->ast) {
    case PUAN_AST_CONST:
    case PUAN_AST_WORD:
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
    case PUAN_AST_LOOKUP:
        return PUAN_OK;
    case PUAN_AST_NAME:
        return resolve(n, s);
    case PUAN_AST_ROW:
        return check_row(n, s);
    case PUAN_AST_CALL:
        return check_call(n, s);
    case PUAN_AST_QUANT:
        return check_quant(n, s);
    default:
        break;
    }
    for (node *k = n->kid; k && st == PUAN_OK; k = k->next)
        st = puan_rule_check(k, s);
    if (st != PUAN_OK)
        return st;
    switch (n->ast) {
    case PUAN_AST_OR:
    case PUAN_AST_AND:
    case PUAN_AST_NOT:
        return check_logic(n, s);
    case PUAN_AST_COMPARE:
        return check_compare(n, s);
    case PUAN_AST_IN:
        return check_in(n, s);
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
        return check_sum(n, s);
    case PUAN_AST_MUL:
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
        return check_product(n, s);
    case PUAN_AST_NEG:
        st = want_number(n->kid, s, "'-'");
        return st == PUAN_OK ? limit_places(n, s, n->kid->type.places) : st;
    case PUAN_AST_RANGE: /* judged by check_in */
    case PUAN_AST_CONST:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_ROW:
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
    case PUAN_AST_CALL:
    case PUAN_AST_QUANT:
    case PUAN_AST_LOOKUP:
        break;
    }
    return PUAN_OK;
}

enum puan_status puan_rule_check(struct puan_ast_node *n,
                                 struct puan_rule_scope *s)
{
    enum puan_status st = check_node(n, s);

    if (st == PUAN_OK)
        st = fold(n, s);
    return st;
}

enum puan_status puan_rule_check_truth(struct puan_ast_node *n,
                                       struct puan_rule_scope *s,
                                       const char *what)
{
    enum puan_status st = puan_rule_check(n, s);

    return st == PUAN_OK ? want_truth(n, s, what) : st;
}

/* ---- constants and derived items ---- */

enum puan_status puan_rule_check_const(struct puan_ast_const *c,
                                       struct puan_rule_names *names)
{
    scope s = { .names = names, .file = c->file, .constant = true };
    enum puan_status st;

    if (c->mark == 2)
        return PUAN_OK;
    if (c->mark == 1)
        return puan_fail_at(names->err, PUAN_EINVAL, c->file, c->line, c->col,
                            "constant '%.*s' is defined by itself",
                            PUAN_FMT(c->name));
    c->mark = 1;
    st = puan_rule_check(c->expr, &s);
    if (st != PUAN_OK)
        return st;
    if (c->expr->ast != PUAN_AST_CONST)
        return puan_fail_at(names->err, PUAN_EINVAL, c->file, c->expr->line,
                            c->expr->col, "'%.*s' is not a constant value",
                            PUAN_FMT(c->name));
    if (c->expr->type.kind == PUAN_KIND_NUM && c->expr->type.places == 0)
        c->expr->type.kind = PUAN_KIND_ANY;
    for (size_t i = 0; i < names->n_settings; i++)
        if (puan_str_eq(names->settings[i].name, c->name)) {
            c->expr->value = names->settings[i].value;
            for (unsigned p = 0; p < c->expr->type.places; p++)
                if (__builtin_mul_overflow(c->expr->value, (int64_t)10,
                                           &c->expr->value))
                    return puan_fail_at(
                        names->err, PUAN_EINVAL, c->file, c->line, c->col,
                        "the setting '%.*s' is too large", PUAN_FMT(c->name));
        }
    c->mark = 2;
    return PUAN_OK;
}

static enum puan_status add_column(struct puan_ast_define *d,
                                   struct puan_rule_names *names)
{
    struct puan_span span;
    enum puan_status st =
        puan_rule_emit(&span, names->code, d->expr, d->file, names->err);

    if (st != PUAN_OK)
        return st;
    if (names->n_columns == names->cap_columns)
        return puan_fail_at(names->err, PUAN_EBUG, d->file, d->line, d->col,
                            "more derived items than counted");
    d->column = (uint16_t)names->n_columns;
    names->column[names->n_columns++] = (struct puan_column){
        .code = span, .entity = d->entity, .tree = d->expr
    };
    return PUAN_OK;
}

enum puan_status puan_rule_check_define(struct puan_ast_define *d,
                                        struct puan_rule_names *names,
                                        unsigned depth)
{
    struct puan_err local = { 0 }, *outer = names->err;
    scope s = { .names = names, .file = d->file, .depth = depth };
    enum puan_status st;
    int e;

    if (d->mark >= 2)
        return PUAN_OK;
    if (d->mark == 1)
        return puan_fail_at(names->err, PUAN_EINVAL, d->file, d->line, d->col,
                            "derived item '%.*s' is defined by itself",
                            PUAN_FMT(d->name));
    if (depth > 32)
        return puan_fail_at(names->err, PUAN_ELIMIT, d->file, d->line, d->col,
                            "derived items are built on one another more than "
                            "32 deep");
    d->mark = 1;
    names->err = &local; /* a name the form lacks is no failure here */
    e = puan_form_entity(names->form, d->level);
    if (e < 0) {
        s.unresolved = true;
        st = puan_fail_at(&local, PUAN_EINVAL, d->file, d->line, d->col,
                          "form '%.*s' has no level '%.*s'",
                          PUAN_FMT(names->form->id), PUAN_FMT(d->level));
    } else {
        s.level = (uint16_t)e;
        d->entity = (uint16_t)e;
        if (puan_entity_item(&names->form->entity[e], d->name) >= 0)
            st = puan_fail_at(&local, PUAN_EINVAL, d->file, d->line, d->col,
                              "'%.*s' is already an item of %.*s",
                              PUAN_FMT(d->name), PUAN_FMT(d->level));
        else
            st = puan_rule_check(d->expr, &s);
        if (st == PUAN_OK && d->expr->type.kind == PUAN_KIND_SEALED)
            st = sealed(d->expr, &s);
        if (st == PUAN_OK && d->expr->type.kind == PUAN_KIND_WORD)
            st = puan_fail_at(&local, PUAN_EINVAL, d->file, d->expr->line,
                              d->expr->col, "a text is no value");
        if (st == PUAN_OK)
            st = add_column(d, names);
    }
    names->err = outer;
    if (st == PUAN_OK) {
        d->mark = 2;
        return PUAN_OK;
    }
    if (s.unresolved && (d->in.n == 0 || names->partial) &&
        st == PUAN_EINVAL) {
        d->mark = 3;
        d->why = puan_arena_fmt(names->arena, "%s", local.text);
        return PUAN_OK;
    }
    if (outer && outer->code == PUAN_OK)
        *outer = local;
    return st;
}
