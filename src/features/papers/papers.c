/*
 * Templates of a plan, and what the feature brings.
 */
#include "features/papers/papers.h"

#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/params.h"
#include "features/papers/internal.h"
#include "kit/os/heap.h"

/* ---- reading the plan ------------------------------------------------------- */

/* "board?area={area}": some feature has such a request that reads. */
static bool readable(void *ctx, struct puan_str path)
{
    struct puan_arena *a = ctx;
    struct puan_target target;
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_text(&o, "/c/x/");
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '?')
            break;
        if (path.p[i] != '{') {
            puan_out_char(&o, path.p[i]);
            continue;
        }
        while (i < path.n && path.p[i] != '}')
            i++;
        puan_out_char(&o, '1');
    }
    if (puan_target_parse(&target, puan_out_view(&o), a, NULL) != PUAN_OK)
        return false;
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_routes; i++) {
            const struct puan_route *r = &puan_features[f]->routes[i];
            struct puan_pattern p;

            if (r->method == PUAN_GET && !r->page && !r->direct && !r->stream &&
                puan_pattern_make(&p, r->path, NULL) == PUAN_OK &&
                puan_pattern_match(&p, &target))
                return true;
        }
    return false;
}

static bool is_paper(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "papers/") && f->tree != NULL;
}

static enum puan_status page(struct puan_paper_list *out,
                             const struct puan_plan_file *f,
                             struct puan_arena *a, struct puan_err *err)
{
    struct puan_paper_page trial;

    puan_paper_page_default(&trial);
    if (out->page == NULL)
        out->page = f->tree;
    return puan_paper_page_read(&trial, f->tree, a, err);
}

static enum puan_status one(struct puan_paper_list *out,
                            const struct puan_plan_file *f,
                            const struct puan_paper_env *env,
                            struct puan_arena *a, struct puan_err *err)
{
    struct puan_paper_template *t = NULL;
    enum puan_status st;

    if (puan_str_is(f->path, "papers/page.yaml"))
        return page(out, f, a, err);
    st = puan_paper_template_load(&t, f->tree, env, a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < out->n; i++)
        if (puan_str_eq(out->at[i]->id, t->id))
            return puan_node_fail(puan_node_get(f->tree, "paper"), err,
                                  "a paper \"%.*s\" stands in another file "
                                  "too; rename one",
                                  PUAN_FMT(t->id));
    out->at[out->n++] = t;
    return PUAN_OK;
}

enum puan_status puan_papers_read(struct puan_paper_list *out,
                                  const struct puan_plan *plan,
                                  const struct puan_flows *flows,
                                  struct puan_problems *problems,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_paper_env env = { flows, readable, a };
    size_t most = 0;

    *out = (struct puan_paper_list){ 0 };
    for (size_t k = 0; k < plan->n_packs; k++)
        for (size_t i = 0; i < plan->pack[k].n_files; i++)
            most += is_paper(&plan->pack[k].file[i]);
    out->at = (const struct puan_paper_template **)puan_arena_get_n(
        a, most + 1, sizeof(*out->at));
    if (out->at == NULL)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < plan->n_packs; k++)
        for (size_t i = 0; i < plan->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &plan->pack[k].file[i];
            struct puan_err e = { 0 };
            enum puan_status st;

            if (!is_paper(f))
                continue;
            st = one(out, f, &env, a, &e);
            if (st == PUAN_OK)
                continue;
            if (problems == NULL) {
                if (err != NULL && err->code == PUAN_OK)
                    *err = e;
                return st;
            }
            puan_problem_take(problems, &e);
        }
    return PUAN_OK;
}

const struct puan_paper_template *puan_papers_get(const struct puan_paper_list *l,
                                                  struct puan_str id)
{
    for (size_t i = 0; i < l->n; i++)
        if (puan_str_eq(l->at[i]->id, id))
            return l->at[i];
    return NULL;
}

/* ---- beside an open store ----------------------------------------------------- */

const struct puan_papers *puan_papers_of(struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_papers);
}

static void close_state(void *state, struct puan_store *st)
{
    struct puan_papers *x = state;

    (void)st;
    if (x == NULL)
        return;
    pthread_mutex_destroy(&x->one);
    puan_arena_clear(&x->arena);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct puan_papers *x = calloc(1, sizeof *x);
    enum puan_status rc;

    *state = x;
    if (x == NULL)
        return puan_fail(err, PUAN_ENOMEM, "papers", "out of memory");
    pthread_mutex_init(&x->one, NULL);
    puan_arena_init(&x->arena, &puan_heap);
    rc = puan_flows_load(&x->flows, puan_store_plan(st), &x->arena, err);
    if (rc == PUAN_OK)
        rc = puan_papers_read(&x->list, puan_store_plan(st), &x->flows, NULL,
                              &x->arena, err);
    if (rc != PUAN_OK) {
        close_state(x, st);
        *state = NULL;
    }
    return rc;
}

/* ---- tables -------------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE paper_print(id BIGINT PRIMARY KEY, paper TEXT NOT NULL,"
      " about TEXT NOT NULL, area BIGINT NOT NULL, at BIGINT NOT NULL,"
      " year BIGINT NOT NULL, series TEXT NOT NULL, number BIGINT NOT NULL,"
      " format TEXT NOT NULL, lang TEXT NOT NULL, mark TEXT NOT NULL,"
      " digest TEXT NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL);"
      "CREATE INDEX paper_print_of ON paper_print(about, paper);"
      "CREATE INDEX paper_print_number ON paper_print(area, series, year,"
      " number);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "paper_print",
      "SELECT CAST(id AS TEXT), paper, about, area, at, year, series, number,"
      " format, lang, mark, digest, role, person FROM paper_print" },
};

const struct puan_feature puan_feature_papers = {
    .name = "papers",
    .routes = puan_paper_routes,
    .n_routes = PUAN_PAPER_ROUTES,
    .commands = puan_paper_commands,
    .n_commands = PUAN_PAPER_COMMANDS,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .open = open_state,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
