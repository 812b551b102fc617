/*
 * Loading and keeping plans.
 */
#include "ext/pg/plan.h"

#include "base/calendar.h"
#include "base/json.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static struct puan_pg_plan *loaded;

/* ---- from text to programs ---- */

static enum puan_status settings(struct puan_const **out, size_t *n,
                                 const struct puan_node *map,
                                 struct puan_arena *a, struct puan_err *err)
{
    *n = 0;
    *out = puan_new_n(a, map ? map->n : 0, struct puan_const);
    if (*out == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, map)
    {
        (*out)[*n].name = c->key;
        if (!puan_int_parse(&(*out)[*n].value, c->text) &&
            !puan_month_parse(&(*out)[*n].value, c->text) &&
            !puan_day_parse(&(*out)[*n].value, c->text))
            return puan_node_fail(c, err, "expected a number, month or day");
        ++*n;
    }
    return PUAN_OK;
}

/* What the head of a pack says of all its forms. */
struct head {
    int64_t reference_month, offset_minutes, key_width;
};

static enum puan_status read_head(struct head *h, const struct puan_node *pack,
                                  struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(pack, "reference_month");

    *h = (struct head){ 0 };
    if (n != NULL && !puan_month_parse(&h->reference_month, n->text))
        return puan_node_fail(n, err, "expected a month such as \"2020-11\"");
    n = puan_node_get(pack, "offset_minutes");
    if (n != NULL && !puan_int_parse(&h->offset_minutes, n->text))
        return puan_node_fail(n, err, "expected minutes");
    n = puan_node_get(pack, "key_width");
    if (n != NULL && (!puan_int_parse(&h->key_width, n->text) ||
                      h->key_width < 0 || h->key_width > 18))
        return puan_node_fail(n, err, "expected 0 to 18 digits");
    return PUAN_OK;
}

static enum puan_status load_form(struct puan_pg_plan *p,
                                  const struct head *head,
                                  const struct puan_node *def,
                                  const struct puan_node *codes,
                                  struct puan_err *err)
{
    struct puan_form *f;
    enum puan_status st;

    if (p->n == PUAN_PG_FORMS)
        return puan_node_fail(def, err, "more than %d forms", PUAN_PG_FORMS);
    st = puan_form_load(&f, def, codes, NULL, &p->memory.arena, err);
    if (st != PUAN_OK)
        return st;
    f->ordinal = (uint16_t)p->n;
    f->reference_month = head->reference_month;
    f->offset_minutes = (int)head->offset_minutes;
    f->key_width = (unsigned)head->key_width;
    p->form[p->n++] = f;
    return PUAN_OK;
}

static enum puan_status compile(struct puan_pg_plan *p,
                                const struct puan_node *pack,
                                struct puan_err *err)
{
    struct puan_arena *a = &p->memory.arena;
    const struct puan_node *texts = puan_node_get(pack, "texts");
    size_t n_texts = texts ? texts->n : 0, n_consts, n = 0;
    struct puan_str *text = puan_new_n(a, n_texts, struct puan_str);
    const char **file = puan_new_n(a, n_texts, const char *);
    struct puan_const *consts;
    enum puan_status st = settings(&consts, &n_consts,
                                   puan_node_get(pack, "settings"), a, err);

    if (st == PUAN_OK && (text == NULL || file == NULL))
        st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    PUAN_NODE_EACH(c, texts)
    {
        file[n] = puan_arena_dup(a, puan_node_str_opt(c, "file", ""));
        text[n++] = puan_node_str_opt(c, "text", "");
    }
    for (size_t i = 0; st == PUAN_OK && i < p->n; i++) {
        struct puan_ruleset *rs = NULL;
        struct puan_routing *routing = NULL;

        st = puan_ruleset_compile(&rs, p->form[i], consts, n_consts, text, file,
                                  n, a, err);
        if (st == PUAN_OK)
            st = puan_routing_compile(&routing, p->form[i], consts, n_consts,
                                      NULL, a, err);
        p->rules[i] = rs;
        p->routing[i] = routing;
    }
    return st; /* rules of sheets (figures of areas) fit no form */
}

enum puan_status puan_pg_plan_load(struct puan_pg_plan **out, MemoryContext cx,
                                   struct puan_str pack, struct puan_err *err)
{
    struct puan_pg_plan *p = MemoryContextAllocZero(cx, sizeof(*p));
    const struct puan_node *forms, *codes;
    struct puan_node *tree;
    struct head head;
    enum puan_status st;

    puan_pg_memory(&p->memory, cx);
    pack = puan_arena_keep(&p->memory.arena, pack);
    st = puan_json_tree(&tree, pack, "plan", &p->memory.arena, err);
    if (st == PUAN_OK)
        st = puan_node_str(&p->name, tree, "plan", err);
    if (st == PUAN_OK)
        st = read_head(&head, tree, err);
    if (st != PUAN_OK)
        return st;
    forms = puan_node_get(tree, "forms");
    codes = puan_node_get(tree, "codes");
    if (forms == NULL || forms->kind != PUAN_NODE_LIST || forms->n == 0)
        return puan_node_fail(forms ? forms : tree, err,
                              "'forms' must be a list of forms: is this what "
                              "puan plan json printed");
    PUAN_NODE_EACH(c, forms)
    {
        if (st == PUAN_OK)
            st = load_form(p, &head, c, codes, err);
    }
    if (st == PUAN_OK)
        st = compile(p, tree, err);
    *out = p;
    return st;
}

int puan_pg_plan_form(const struct puan_pg_plan *p, struct puan_str id)
{
    for (size_t i = 0; i < p->n; i++)
        if (puan_str_eq(p->form[i]->id, id))
            return (int)i;
    return -1;
}

/* ---- the table ---- */

/* One text of the plan's row, in the caller's memory; raises when none. */
static text *column_of(const char *sql, struct puan_str name)
{
    Oid types[1] = { TEXTOID };
    Datum values[1];
    MemoryContext caller = CurrentMemoryContext, before;
    text *t;
    bool null;

    values[0] = PointerGetDatum(cstring_to_text_with_len(name.p, (int)name.n));
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "puan: cannot read the table of plans");
    if (SPI_execute_with_args(sql, 1, types, values, NULL, true, 1) !=
        SPI_OK_SELECT)
        elog(ERROR, "puan: cannot read the table of plans");
    if (SPI_processed == 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("no plan \"%.*s\"", PUAN_FMT(name)),
                        errhint("Put it with puan.plan_put; puan plan json "
                                "PACK prints the text.")));
    before = MemoryContextSwitchTo(caller);
    t = DatumGetTextPCopy(SPI_getbinval(SPI_tuptable->vals[0],
                                        SPI_tuptable->tupdesc, 1, &null));
    MemoryContextSwitchTo(before);
    SPI_finish();
    return t;
}

const struct puan_pg_plan *puan_pg_plan_find(struct puan_str name)
{
    struct puan_str mark = puan_pg_str(
        column_of("SELECT mark FROM puan.plan WHERE name = $1", name));
    struct puan_err err = { 0 };
    struct puan_pg_plan *p;
    MemoryContext cx;

    for (p = loaded; p != NULL; p = p->next)
        if (puan_str_eq(p->name, name) && puan_str_eq(p->mark, mark))
            return p;
    /* of the query until it is whole: a failure gives it back */
    cx = AllocSetContextCreate(CurrentMemoryContext, "puan plan",
                               ALLOCSET_DEFAULT_SIZES);
    if (puan_pg_plan_load(
            &p, cx,
            puan_pg_str(column_of("SELECT pack FROM puan.plan WHERE name = $1",
                                  name)),
            &err) != PUAN_OK)
        puan_pg_throw(&err);
    p->mark = puan_arena_keep(&p->memory.arena, mark);
    if (p->memory.arena.failed)
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    MemoryContextSetParent(cx, TopMemoryContext);
    p->next = loaded;
    loaded = p;
    return p;
}
