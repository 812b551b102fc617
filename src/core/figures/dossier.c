/*
 * Rows are kept as they come and sorted by key at the end; a run of equal keys
 * is one dossier.
 */
#include "core/figures/dossier.h"

#include "base/json.h"

/* Items of a roster before those it keeps. */
enum { HOUSEHOLD, EA, REGISTER, FIRST };

/* ---- loading ------------------------------------------------------------- */

struct loader {
    const struct puan_sheet_in *in;
    struct puan_dossier *d;
    struct puan_dossier_roster *roster;
    struct puan_arena *a;
    struct puan_err *err;
};

static enum puan_status items(uint16_t *out, size_t *n, struct loader *l,
                              const struct puan_node *list,
                              const struct puan_entity *e)
{
    *n = 0;
    PUAN_NODE_EACH(c, list)
    {
        int i = puan_entity_item(e, c->text);

        if (i < 0)
            return puan_node_fail(c, l->err, "%.*s has no item '%.*s'",
                                  PUAN_FMT(e->name), PUAN_FMT(c->text));
        if (*n == PUAN_DOSSIER_ITEMS)
            return puan_node_fail(c, l->err, "at most %d items",
                                  PUAN_DOSSIER_ITEMS);
        out[(*n)++] = (uint16_t)i;
    }
    return PUAN_OK;
}

static enum puan_status source(struct puan_dossier_roster *r, struct loader *l,
                               const struct puan_node *n,
                               const struct puan_node *of)
{
    struct puan_dossier_source *s = &r->source[r->n_sources];
    struct puan_str entity = of->text, id;
    const struct puan_node *where = puan_node_get(n, "where");
    const struct puan_form *form = NULL;
    struct puan_expr *x = NULL;
    int e;
    enum puan_status st;

    if (r->n_sources == PUAN_DOSSIER_SOURCES)
        return puan_node_fail(of, l->err, "at most %d sources",
                              PUAN_DOSSIER_SOURCES);
    if (puan_str_split(&id, &entity, '.'))
        for (size_t i = 0; i < l->in->n_forms; i++)
            if (puan_str_eq(l->in->form[i]->id, id)) {
                form = l->in->form[i];
                s->form = (uint16_t)i;
            }
    e = form ? puan_form_entity(form, entity) : -1;
    if (e < 0)
        return puan_node_fail(of, l->err,
                              "expected FORM.ENTITY of this plan, such as "
                              "short.person");
    s->entity = (uint16_t)e;
    st = items(s->item, &r->n_items, l, puan_node_get(n, "items"),
               &form->entity[e]);
    if (st == PUAN_OK)
        st = items(s->key, &r->n_keys, l, puan_node_get(n, "key"),
                   &form->entity[e]);
    if (st == PUAN_OK && r->n_keys == 0)
        st = puan_node_fail(n, l->err,
                            "'key' lists the items that rows of one thing "
                            "have in common");
    if (st == PUAN_OK && where) {
        st = puan_expr_compile_truth(&x, form, s->entity, l->in->consts,
                                     l->in->n_consts, where->text, where->file,
                                     where->line, l->a, l->err);
        s->where = x;
    }
    if (st == PUAN_OK)
        r->n_sources++;
    return st;
}

static enum puan_status roster(struct loader *l, const struct puan_node *n)
{
    struct puan_dossier_roster *r = &l->roster[l->d->n_rosters];
    const struct puan_node *regs = puan_node_get(n, "registers");
    enum puan_status st = PUAN_OK;

    if (l->d->n_rosters == PUAN_FORM_ENTITIES - 1)
        return puan_node_fail(n, l->err, "at most %d rosters",
                              PUAN_FORM_ENTITIES - 1);
    r->name = n->key;
    r->registers = regs != NULL;
    PUAN_NODE_EACH(c, regs)
    {
        if (l->d->n_regs == PUAN_DOSSIER_REGISTERS)
            return puan_node_fail(c, l->err, "at most %d registers",
                                  PUAN_DOSSIER_REGISTERS);
        l->d->reg[l->d->n_regs++] = c->text;
    }
    PUAN_NODE_EACH(c, puan_node_get(n, "of"))
    {
        st = source(r, l, n, c);
        if (st != PUAN_OK)
            return st;
    }
    if (!regs && r->n_sources == 0)
        return puan_node_fail(n, l->err,
                              "say where the rows come from: of: [FORM.ENTITY] "
                              "or registers: [NAME]");
    l->d->n_rosters++;
    return st;
}

static void titled(struct puan_jw *w, struct puan_str zh, struct puan_str en)
{
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

static void put_codes(struct puan_jw *w, const struct puan_codelist *c)
{
    puan_jw_key_s(w, c->name);
    puan_jw_map(w);
    for (size_t i = 0; i < c->n; i++) {
        puan_jw_key_s(w, c->codes[i].text);
        puan_jw_map(w);
        puan_jw_kint(w, "value", c->codes[i].value);
        titled(w, c->codes[i].zh, c->codes[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

static void whole(struct puan_jw *w, const char *name, struct puan_str suffix)
{
    char key[64];

    puan_format(key, sizeof(key), "%s%.*s", name, PUAN_FMT(suffix));
    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_ktext(w, "type", "int");
    puan_jw_kint(w, "min", 0);
    puan_jw_kint(w, "max", 999999999999999999);
    puan_jw_kbool(w, "required", false);
    titled(w, puan_str_of(key), puan_str_of(key));
    puan_jw_end(w, '}');
}

static enum puan_status kept(struct loader *l, struct puan_jw *w,
                             const struct puan_item *it,
                             const struct puan_node *at)
{
    static const char *const type[] = { [PUAN_TYPE_CODE] = "code",
                                        [PUAN_TYPE_INT] = "int",
                                        [PUAN_TYPE_MONTH] = "month",
                                        [PUAN_TYPE_DATE] = "date",
                                        [PUAN_TYPE_AREA] = "area" };

    if (it->zone != PUAN_ZONE_FRAME || (size_t)it->type >= PUAN_COUNT(type) ||
        !type[it->type])
        return puan_node_fail(at, l->err,
                              "'%.*s' cannot be kept: only codes, numbers, "
                              "months, days and areas can",
                              PUAN_FMT(it->name));
    puan_jw_key_s(w, it->alias.n ? it->alias : it->name);
    puan_jw_map(w);
    puan_jw_ktext(w, "type", type[it->type]);
    if (it->type == PUAN_TYPE_CODE)
        puan_jw_kstr(w, "codes", it->codes->name);
    if (it->type == PUAN_TYPE_AREA)
        puan_jw_kint(w, "digits", it->digits);
    if (it->type == PUAN_TYPE_INT) {
        puan_jw_kint(w, "min", it->min);
        puan_jw_kint(w, "max", it->max);
    }
    puan_jw_kbool(w, "required", false);
    titled(w, it->zh, it->en);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static bool listed_before(const struct puan_dossier *d,
                          const struct puan_sheet_in *in, size_t roster,
                          size_t item, const struct puan_codelist *c)
{
    for (size_t r = 0; r <= roster; r++) {
        const struct puan_dossier_roster *x = &d->roster[r];
        const struct puan_dossier_source *s = &x->source[0];

        for (size_t i = 0; x->n_sources && i < x->n_items; i++) {
            const struct puan_codelist *o = in->form[s->form]
                                                ->entity[s->entity]
                                                .items[s->item[i]]
                                                .codes;

            if (r == roster && i == item)
                return false;
            if (o && puan_str_eq(o->name, c->name))
                return true;
        }
    }
    return false;
}

static void write_codes(struct loader *l, struct puan_jw *w)
{
    puan_jw_key(w, "codes");
    puan_jw_map(w);
    puan_jw_key(w, "register_name");
    puan_jw_map(w);
    for (size_t i = 0; i < l->d->n_regs; i++) {
        puan_jw_key_s(w, l->d->reg[i]);
        puan_jw_map(w);
        puan_jw_kint(w, "value", (int64_t)i + 1);
        titled(w, l->d->reg[i], l->d->reg[i]);
        puan_jw_end(w, '}');
    }
    if (l->d->n_regs == 0) {
        puan_jw_key(w, "none");
        puan_jw_map(w);
        puan_jw_kint(w, "value", 0);
        titled(w, PUAN_STR("none"), PUAN_STR("none"));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
    for (size_t r = 0; r < l->d->n_rosters; r++) {
        const struct puan_dossier_source *s = &l->roster[r].source[0];

        for (size_t i = 0; l->roster[r].n_sources && i < l->roster[r].n_items;
             i++) {
            const struct puan_codelist *c = l->in->form[s->form]
                                                ->entity[s->entity]
                                                .items[s->item[i]]
                                                .codes;

            if (c && !listed_before(l->d, l->in, r, i, c))
                put_codes(w, c);
        }
    }
    puan_jw_end(w, '}');
}

static enum puan_status write_roster(struct loader *l, struct puan_jw *w,
                                     size_t r, const struct puan_node *at)
{
    const struct puan_dossier_roster *x = &l->roster[r];
    const struct puan_dossier_source *s = &x->source[0];
    const struct puan_entity *e =
        x->n_sources ? &l->in->form[s->form]->entity[s->entity] : NULL;
    enum puan_status st = PUAN_OK;

    puan_jw_key_s(w, x->name);
    puan_jw_map(w);
    titled(w, x->name, x->name);
    puan_jw_kint(w, "rows", 9999);
    puan_jw_key(w, "items");
    puan_jw_map(w);
    whole(w, "household", PUAN_STR(""));
    whole(w, "ea", PUAN_STR(""));
    puan_jw_key(w, "register");
    puan_jw_map(w);
    puan_jw_ktext(w, "type", "code");
    puan_jw_ktext(w, "codes", "register_name");
    puan_jw_kbool(w, "required", false);
    titled(w, PUAN_STR("登记册"), PUAN_STR("Register"));
    puan_jw_end(w, '}');
    for (size_t i = 0; e && st == PUAN_OK && i < x->n_items; i++)
        st = kept(l, w, &e->items[s->item[i]], at);
    for (size_t i = 0; e && st == PUAN_OK && i < x->n_items; i++) {
        const struct puan_item *it = &e->items[s->item[i]];

        if (it->type == PUAN_TYPE_AREA)
            whole(w, puan_arena_dup(l->a, it->alias.n ? it->alias : it->name),
                  PUAN_STR("_here"));
    }
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    return st;
}

static enum puan_status make_form(struct loader *l, struct puan_str id,
                                  const struct puan_node *tree)
{
    struct puan_node *node;
    struct puan_out o;
    struct puan_jw w;
    struct puan_str zh = { 0 }, en = { 0 };
    enum puan_status st = puan_node_str(&zh, tree, "zh", l->err);

    if (st == PUAN_OK)
        st = puan_node_str(&en, tree, "en", l->err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, l->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", id);
    puan_jw_kint(&w, "version", 1);
    titled(&w, zh, en);
    write_codes(l, &w);
    puan_jw_key(&w, "entities");
    puan_jw_map(&w);
    puan_jw_key_s(&w, id);
    puan_jw_map(&w);
    titled(&w, zh, en);
    puan_jw_key(&w, "items");
    puan_jw_map(&w);
    whole(&w, "rows", PUAN_STR(""));
    for (size_t i = 0; i < l->d->n_regs; i++)
        whole(&w, puan_arena_dup(l->a, l->d->reg[i]), PUAN_STR("_at_hand"));
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    for (size_t r = 0; st == PUAN_OK && r < l->d->n_rosters; r++)
        st = write_roster(l, &w, r, tree);
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    if (st == PUAN_OK)
        st = puan_arena_check(l->a, l->err);
    if (st == PUAN_OK)
        st = puan_json_tree(&node, puan_out_view(&o), tree->file, l->a,
                            l->err);
    if (st == PUAN_OK)
        st = puan_form_load(&l->d->form, node, NULL, NULL, l->a, l->err);
    if (st == PUAN_OK)
        l->d->form->ordinal = UINT16_MAX;
    return st;
}

enum puan_status puan_dossier_load(struct puan_dossier **out,
                                   const struct puan_node *tree,
                                   const struct puan_sheet_in *in,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct loader l = { .in = in, .a = a, .err = err };
    const struct puan_node *within = puan_node_get(tree, "within");
    struct puan_str id;
    enum puan_status st = puan_node_str(&id, tree, "dossier", err);

    *out = NULL;
    if (st != PUAN_OK)
        return st;
    l.d = puan_new(a, struct puan_dossier);
    l.roster = puan_new_n(a, PUAN_FORM_ENTITIES, struct puan_dossier_roster);
    if (!l.d || !l.roster)
        return puan_arena_check(a, err);
    l.d->roster = l.roster;
    l.d->within = -1;
    if (within && puan_str_is(within->text, "household"))
        l.d->within = (int)in->n_levels;
    else if (within) {
        for (size_t i = 0; i < in->n_levels; i++)
            if (puan_str_eq(in->level[i], within->text) && in->digits[i])
                l.d->within = (int)i;
        if (l.d->within < 0)
            return puan_node_fail(within, err,
                                  "'%.*s' is no level of this plan; household "
                                  "is one, too",
                                  PUAN_FMT(within->text));
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "rosters"))
    {
        st = roster(&l, c);
        if (st != PUAN_OK)
            return st;
    }
    if (l.d->n_rosters == 0)
        return puan_node_fail(tree, err, "a dossier has rosters");
    st = make_form(&l, id, tree);
    if (st == PUAN_OK)
        *out = l.d;
    return st;
}

/* ---- gathering ------------------------------------------------------------ */

struct row {
    uint8_t key[16];
    int64_t household, ea;
    uint8_t roster, reg;
    const int64_t *v;
    const uint8_t *st;
};

struct puan_dossiers {
    const struct puan_dossier *d;
    struct row *row;
    size_t n, cap, at;
    bool at_hand[PUAN_DOSSIER_REGISTERS];
    int64_t *here; /* areas, sorted by close */
    size_t n_here, cap_here;
    struct puan_arena *a;
};

enum puan_status puan_dossiers_new(struct puan_dossiers **out,
                                   const struct puan_dossier *d,
                                   struct puan_arena *a, struct puan_err *err)
{
    *out = puan_new(a, struct puan_dossiers);
    if (!*out)
        return puan_arena_check(a, err);
    (*out)->d = d;
    (*out)->a = a;
    return PUAN_OK;
}

size_t puan_dossiers_rows(const struct puan_dossiers *x)
{
    return x->n;
}

bool puan_dossier_takes(const struct puan_dossier_source *s,
                        const struct puan_record *r, uint16_t entity,
                        uint32_t row)
{
    return s->form == r->form->ordinal && s->entity == entity &&
           (!s->where || puan_expr_truth(s->where, r, row) == PUAN_TRUE);
}

static struct row *new_row(struct puan_dossiers *x, const uint8_t key[16])
{
    struct row *r;

    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 1024;
        struct row *more = puan_new_n(x->a, cap, struct row);

        if (!more)
            return NULL;
        if (x->n)
            memcpy(more, x->row, x->n * sizeof(*more));
        x->row = more;
        x->cap = cap;
    }
    r = &x->row[x->n++];
    memcpy(r->key, key, 16);
    return r;
}

void puan_dossiers_add(struct puan_dossiers *x, size_t roster,
                       const struct puan_dossier_source *s,
                       const struct puan_record *r, uint32_t row,
                       int64_t household, int64_t ea, const uint8_t key[16])
{
    size_t n = x->d->roster[roster].n_items;
    const struct puan_rows *rows = &r->rows[s->entity];
    size_t at = (size_t)row * r->form->entity[s->entity].n_items;
    int64_t *v = puan_new_n(x->a, n, int64_t);
    uint8_t *st = puan_new_n(x->a, n, uint8_t);
    struct row *out = new_row(x, key);

    if (!out || !v || !st)
        return;
    for (size_t i = 0; i < n; i++) {
        v[i] = rows->v[at + s->item[i]];
        st[i] = rows->st[at + s->item[i]];
    }
    out->v = v;
    out->st = st;
    out->roster = (uint8_t)roster;
    out->household = household;
    out->ea = ea;
}

void puan_dossiers_entry(struct puan_dossiers *x, size_t reg, int64_t ea,
                         const uint8_t key[16])
{
    for (size_t i = 0; i < x->d->n_rosters; i++)
        if (x->d->roster[i].registers) {
            struct row *r = new_row(x, key);

            if (!r)
                return;
            r->roster = (uint8_t)i;
            r->reg = (uint8_t)(reg + 1);
            r->ea = ea;
            x->at_hand[reg] = true;
            return;
        }
}

void puan_dossiers_here(struct puan_dossiers *x, int64_t area)
{
    if (x->n_here && x->here[x->n_here - 1] == area)
        return;
    if (x->n_here == x->cap_here) {
        size_t cap = x->cap_here ? x->cap_here * 2 : 64;
        int64_t *more = puan_new_n(x->a, cap, int64_t);

        if (!more)
            return;
        if (x->n_here)
            memcpy(more, x->here, x->n_here * sizeof(*more));
        x->here = more;
        x->cap_here = cap;
    }
    x->here[x->n_here++] = area;
}

static bool is_here(const struct puan_dossiers *x, int64_t area)
{
    for (size_t i = 0; i < x->n_here; i++)
        if (x->here[i] == area)
            return true;
    return false;
}

/* ---- reading ------------------------------------------------------------- */

static int by_key(const struct row *a, const struct row *b)
{
    int c = memcmp(a->key, b->key, 16);

    if (c)
        return c;
    if (a->roster != b->roster)
        return a->roster < b->roster ? -1 : 1;
    return a->household < b->household ? -1 : a->household > b->household;
}

static void sift(struct row *p, size_t at, size_t n)
{
    for (;;) {
        size_t k = 2 * at + 1;
        struct row t;

        if (k >= n)
            return;
        if (k + 1 < n && by_key(&p[k], &p[k + 1]) < 0)
            k++;
        if (by_key(&p[at], &p[k]) >= 0)
            return;
        t = p[at];
        p[at] = p[k];
        p[k] = t;
        at = k;
    }
}

enum puan_status puan_dossiers_close(struct puan_dossiers *x,
                                     struct puan_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n_here; i++) { /* each once */
        bool twice = false;

        for (size_t k = 0; k < n && !twice; k++)
            twice = x->here[k] == x->here[i];
        if (!twice)
            x->here[n++] = x->here[i];
    }
    x->n_here = n;
    for (size_t i = x->n / 2; i-- > 0;)
        sift(x->row, i, x->n);
    for (size_t i = x->n; i-- > 1;) {
        struct row t = x->row[0];

        x->row[0] = x->row[i];
        x->row[i] = t;
        sift(x->row, 0, i);
    }
    return puan_arena_check(x->a, err);
}

static void given(struct puan_rows *rows, size_t at, int64_t v)
{
    rows->v[at] = v;
    rows->st[at] = PUAN_GIVEN;
}

static void fill(struct puan_record *out, const struct puan_dossiers *x,
                 const struct row *r, uint32_t row)
{
    const struct puan_dossier_roster *d = &x->d->roster[r->roster];
    const struct puan_entity *e = &out->form->entity[1 + r->roster];
    struct puan_rows *rows = &out->rows[1 + r->roster];
    size_t at = (size_t)row * e->n_items, n = FIRST + d->n_items;

    given(rows, at + EA, r->ea);
    if (d->registers) {
        given(rows, at + REGISTER, r->reg);
        return;
    }
    given(rows, at + HOUSEHOLD, r->household);
    for (size_t i = 0; i < d->n_items; i++) {
        rows->v[at + FIRST + i] = r->v[i];
        rows->st[at + FIRST + i] = r->st[i];
        if (e->items[FIRST + i].type != PUAN_TYPE_AREA)
            continue;
        if (r->st[i] == PUAN_GIVEN)
            given(rows, at + n, is_here(x, r->v[i]));
        n++;
    }
}

enum puan_status puan_dossiers_next(bool *more, struct puan_record *out,
                                    struct puan_dossiers *x,
                                    struct puan_arena *a, struct puan_err *err)
{
    uint32_t rows[PUAN_FORM_ENTITIES] = { 1 }, at[PUAN_FORM_ENTITIES] = { 0 };
    size_t from = x->at, to = from;
    enum puan_status st;

    *more = from < x->n;
    if (!*more)
        return PUAN_OK;
    while (to < x->n && memcmp(x->row[to].key, x->row[from].key, 16) == 0) {
        if (rows[1 + x->row[to].roster] < 9999)
            rows[1 + x->row[to].roster]++;
        to++;
    }
    st = puan_record_new(out, x->d->form, rows, a, err);
    if (st != PUAN_OK)
        return st;
    given(&out->rows[0], 0, (int64_t)(to - from));
    for (size_t i = 0; i < x->d->n_regs; i++)
        given(&out->rows[0], 1 + i, x->at_hand[i]);
    for (size_t i = from; i < to; i++) {
        unsigned e = 1u + x->row[i].roster;

        if (at[e] < rows[e])
            fill(out, x, &x->row[i], at[e]++);
    }
    x->at = to;
    return PUAN_OK;
}
