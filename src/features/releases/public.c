/*
 * What anybody may read of published results beside the signed text itself:
 * the list, with titles and which release corrects which; what the tables are
 * called and what their dimensions are; one table as CSV.
 *
 * All of it is taken from the published documents and the pinned plan; nothing
 * is counted here.  What is not published does not exist.
 */
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/releases/internal.h"
#include "features/tables/tables.h"

#define DIMS 8
#define LIST_MAX 2000

struct out_now { /* one published release, without its document */
    int64_t id, area, published;
    struct puan_str title;
    uint8_t digest[PUAN_DIGEST_SIZE];
    const struct puan_node *tables; /* of the document */
    int64_t corrects, corrected_by; /* ids; 0 none */
};

static const struct puan_node *tables_of(struct puan_str document,
                                         struct puan_arena *a)
{
    struct puan_node *doc = NULL;
    struct puan_err ignored = { 0 };

    return puan_json_tree(&doc, document, "document", a, &ignored) == PUAN_OK
               ? puan_node_get(doc, "tables")
               : NULL;
}

static bool shares_table(const struct out_now *x, const struct out_now *y)
{
    PUAN_NODE_EACH(t, x->tables)
        PUAN_NODE_EACH(u, y->tables)
            if (puan_str_eq(puan_node_str_opt(t, "id", ""),
                            puan_node_str_opt(u, "id", "")))
                return true;
    return false;
}

static void put_area(struct puan_jw *w, struct puan_store *store, int64_t code)
{
    const struct puan_area_tree *t = puan_store_areas(store);
    uint32_t i = puan_area_find(t, code);
    bool has = i != PUAN_AREA_NONE;

    puan_area_put_always(w, t, code);
    puan_jw_kstr(w, "level",
                 has ? t->level[t->area[i].level].name : PUAN_STR(""));
}

static void put_id(struct puan_jw *w, const char *key, int64_t id)
{
    puan_jw_key(w, key);
    if (id)
        puan_jw_int(w, id);
    else
        puan_jw_null(w);
}

/* The window of the plan in which results come out, for an empty page. */
static void put_window(struct puan_jw *w, const struct puan_plan *plan)
{
    const struct puan_window *x = puan_plan_window(plan, PUAN_STR("release"));

    puan_jw_key(w, "expected");
    if (!x) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kstr(w, "zh", x->zh);
    puan_jw_kstr(w, "en", x->en);
    puan_jw_kinstant(w, "from", x->from_ms, plan->offset_minutes);
    puan_jw_kinstant(w, "until", x->until_ms, plan->offset_minutes);
    puan_jw_end(w, '}');
}

/* Published ones in the order in which they came out. */
static enum puan_status read_all(struct out_now **out, size_t *n,
                                 struct puan_request *rq, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_arena *a = rq->arena;
    struct out_now *x = puan_new_n(a, LIST_MAX, struct out_now);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = true;
    enum puan_status st;

    *n = 0;
    *out = x;
    if (!x)
        return puan_arena_check(a, err);
    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, area, title, published, digest, document"
                  " FROM release_doc WHERE published <> 0"
                  " ORDER BY published, id",
                  err);
    while (st == PUAN_OK && *n < LIST_MAX &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct out_now *r = &x[(*n)++];

        r->id = puan_col_int(s, 0);
        r->area = puan_col_int(s, 1);
        r->title = puan_arena_keep(a, puan_col_text(s, 2));
        r->published = puan_col_int(s, 3);
        if (puan_col_bytes(s, 4).n == PUAN_DIGEST_SIZE)
            memcpy(r->digest, puan_col_bytes(s, 4).p, PUAN_DIGEST_SIZE);
        r->tables = tables_of(puan_arena_keep(a, puan_col_text(s, 5)), a);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

enum puan_status puan_release_list_public(struct puan_request *rq,
                                          const void *v, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_release_in *in = v;
    struct out_now *x = NULL;
    int64_t left = puan_page_limit(&in->page), next = 0;
    size_t n = 0;
    struct puan_jw *w;

    TRY(read_all(&x, &n, rq, err));
    for (size_t i = 0; i < n; i++)
        for (size_t k = i; k-- > 0;)
            if (x[k].area == x[i].area && shares_table(&x[k], &x[i])) {
                x[i].corrects = x[k].id;
                x[k].corrected_by = x[i].id;
                break;
            }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    put_window(w, plan);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        /* the cursor is the place in the order of coming out */
        if ((int64_t)i < in->page.cursor)
            continue;
        if (left-- == 0) {
            next = (int64_t)i;
            break;
        }
        puan_jw_map(w);
        puan_jw_kint(w, "id", x[i].id);
        put_area(w, rq->store, x[i].area);
        puan_jw_kstr(w, "title", x[i].title);
        puan_jw_kinstant(w, "published", x[i].published, plan->offset_minutes);
        puan_jw_kdigest(w, "digest", x[i].digest);
        put_id(w, "corrects", x[i].corrects);
        put_id(w, "corrected_by", x[i].corrected_by);
        puan_jw_key(w, "tables");
        puan_jw_list(w);
        PUAN_NODE_EACH(t, x[i].tables)
        {
            puan_jw_map(w);
            puan_jw_kstr(w, "id", puan_node_str_opt(t, "id", ""));
            puan_jw_kstr(w, "zh", puan_node_str_opt(t, "zh", ""));
            puan_jw_kstr(w, "en", puan_node_str_opt(t, "en", ""));
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    put_id(w, "next", next);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- the tables of one ----------------------------------------------------- */

static const struct puan_table_plan *plan_table(const struct puan_plan *plan,
                                                struct puan_str id)
{
    for (size_t i = 0; i < plan->n_tables; i++)
        if (puan_str_eq(plan->table[i].id, id))
            return &plan->table[i];
    return NULL;
}

enum puan_status puan_release_tables_public(struct puan_request *rq,
                                            const void *v,
                                            struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_release_in *in = v;
    const struct puan_node *tables;
    struct puan_release r;
    struct puan_jw *w;

    TRY(puan_release_published(&r, rq, in->id, err));
    tables = tables_of(r.document, rq->arena);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_kint(w, "id", r.id);
    put_area(w, rq->store, r.area);
    puan_jw_kstr(w, "title", r.title);
    puan_jw_kinstant(w, "published", r.published_ms, plan->offset_minutes);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    PUAN_NODE_EACH(t, tables)
    {
        const struct puan_table_plan *p =
            plan_table(plan, puan_node_str_opt(t, "id", ""));

        if (!p)
            continue;
        puan_jw_map(w);
        puan_table_names(w, plan, p);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* What a dimension is called in this language; its name if the plan is mute. */
static struct puan_str dim_label(const struct puan_plan *plan,
                                 const struct puan_table_plan *t,
                                 struct puan_str name, bool en)
{
    for (size_t d = 0; t && d < t->n_by; d++) {
        const struct puan_by *by = &t->by[d];

        if (!puan_str_eq(by->name, name))
            continue;
        if (by->kind == PUAN_BY_LEVEL)
            return en ? plan->level[by->index].en : plan->level[by->index].zh;
        if (by->kind == PUAN_BY_VARIABLE)
            return en ? plan->variable[by->index].en
                      : plan->variable[by->index].zh;
        for (size_t f = 0; by->kind == PUAN_BY_ITEM && f < plan->n_forms; f++) {
            int e = puan_form_entity(plan->form[f], t->entity);
            int i = e < 0 ? -1
                          : puan_entity_item(&plan->form[f]->entity[e], name);

            if (i >= 0)
                return en ? plan->form[f]->entity[e].items[i].en
                          : plan->form[f]->entity[e].items[i].zh;
        }
    }
    return name;
}

/* One row a cell: code and label of each dimension, then the figure. */
static enum puan_status put_csv(struct puan_out *o, const struct puan_plan *plan,
                                const struct puan_node *table, bool en,
                                struct puan_err *err)
{
    const struct puan_table_plan *t =
        plan_table(plan, puan_node_str_opt(table, "id", ""));
    const struct puan_node *dims = puan_node_get(table, "dims");
    const struct puan_node *cells = puan_node_get(table, "cells");
    const struct puan_node *class[DIMS] = { 0 }, *first[DIMS] = { 0 };
    const struct puan_node *cell = cells ? cells->first : NULL;
    size_t n = 0;

    puan_out_text(o, "\xef\xbb\xbf"); /* spreadsheets read UTF-8 by this mark */
    PUAN_NODE_EACH(d, dims)
    {
        struct puan_str name = puan_node_str_opt(d, "name", "");
        const struct puan_node *list = puan_node_get(d, "classes");

        if (n == DIMS || !list || list->n == 0)
            return puan_fail(err, PUAN_EIO, "release",
                             "the table cannot be read");
        first[n] = class[n] = list->first;
        n++;
        puan_csv_put(o, name);
        puan_out_char(o, ',');
        puan_csv_put(o, dim_label(plan, t, name, en));
        puan_out_char(o, ',');
    }
    puan_out_text(o, en ? "Figure\n" : "数值\n");
    for (; cell; cell = cell->next) {
        size_t d = n;

        for (size_t i = 0; i < n; i++) {
            puan_csv_put(o, puan_node_str_opt(class[i], "code", ""));
            puan_out_char(o, ',');
            puan_csv_put(o, puan_node_str_opt(class[i], en ? "en" : "zh", ""));
            puan_out_char(o, ',');
        }
        puan_csv_put(o, cell->kind == PUAN_NODE_SCALAR ? cell->text
                                                       : PUAN_STR(""));
        puan_out_char(o, '\n');
        for (; d > 0; d--) {
            class[d - 1] = class[d - 1]->next;
            if (class[d - 1])
                break;
            class[d - 1] = first[d - 1];
        }
    }
    return PUAN_OK;
}

enum puan_status puan_release_csv_public(struct puan_request *rq, const void *v,
                                         struct puan_err *err)
{
    const struct puan_release_in *in = v;
    const struct puan_node *tables;
    struct puan_str id = in->table;
    struct puan_release r;
    struct puan_out o;

    if (id.n <= 4 || memcmp(id.p + id.n - 4, ".csv", 4) != 0)
        return puan_fail(err, PUAN_ENOTFOUND, "table",
                         "give the table's name and .csv");
    id.n -= 4;
    if (in->lang.n && !puan_str_is(in->lang, "zh") &&
        !puan_str_is(in->lang, "en"))
        return puan_fail(err, PUAN_EINVAL, "lang", "zh or en");
    TRY(puan_release_published(&r, rq, in->id, err));
    tables = tables_of(r.document, rq->arena);
    puan_out_init(&o, rq->arena);
    PUAN_NODE_EACH(t, tables)
    {
        if (!puan_str_eq(puan_node_str_opt(t, "id", ""), id))
            continue;
        TRY(put_csv(&o, puan_store_plan(rq->store), t,
                    puan_str_is(in->lang, "en"), err));
        TRY(puan_arena_check(rq->arena, err));
        puan_answer_bytes(rq, 200, "text/csv; charset=utf-8",
                          puan_out_view(&o));
        return PUAN_OK;
    }
    return puan_fail(err, PUAN_ENOTFOUND, "table",
                     "this release has no such table");
}

const struct puan_param puan_release_list_params[2] = {
    PUAN_PAGE_PARAMS(struct puan_release_in, page),
};
const struct puan_param puan_release_id_params[1] = {
    { "id", PUAN_PARAM_INT, offsetof(struct puan_release_in, id), 1, INT64_MAX,
      false },
};
const struct puan_param puan_release_csv_params[3] = {
    { "id", PUAN_PARAM_INT, offsetof(struct puan_release_in, id), 1, INT64_MAX,
      false },
    { "table", PUAN_PARAM_TEXT, offsetof(struct puan_release_in, table), 5, 64,
      false },
    { "lang", PUAN_PARAM_TEXT, offsetof(struct puan_release_in, lang), 2, 2,
      true },
};
