/*
 * Notices to everybody; see notices.h.
 */
#include "features/notices/notices.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "features/host/host.h"
#include "features/host/request.h"

/* ---- the last answer, kept for a moment ---------------------------------- */

struct kept {
    pthread_mutex_t lock;
    char *json;
    size_t n;
    int64_t until_ms; /* real time */
};

static enum puan_status open_notices(void **state, struct puan_store *st,
                                     struct puan_err *err)
{
    struct kept *k = calloc(1, sizeof(*k));

    (void)st;
    if (k == NULL)
        return puan_fail(err, PUAN_ENOMEM, "notices", "out of memory");
    pthread_mutex_init(&k->lock, NULL);
    *state = k;
    return PUAN_OK;
}

static void close_notices(void *state, struct puan_store *st)
{
    struct kept *k = state;

    (void)st;
    if (k == NULL)
        return;
    pthread_mutex_destroy(&k->lock);
    free(k->json);
    free(k);
}

/* ---- finding them -------------------------------------------------------- */

struct found {
    const struct puan_flow_run *run;
    int64_t id, area, at_ms;
    bool over;
};

/* When it came to where it stands, first of all its goings out. */
static int64_t out_since(const struct puan_flow_run *run)
{
    const struct puan_flow *f = run->flow;
    int64_t first = 0;

    for (size_t i = 0; i < f->n_transitions; i++)
        if (run->passed[i] > 0 && f->transitions[i].to >= 0 &&
            PUAN_FLOW_HAS(f->notice.in, f->transitions[i].to) &&
            (first == 0 || run->passed_ms[i] < first))
            first = run->passed_ms[i];
    return first;
}

/* A run that stands in public, or did: false, it never went out. */
static bool stands(struct found *x, const struct puan_case_row *row,
                   const struct puan_flow_run *run)
{
    const struct puan_flow_notice *n = &run->flow->notice;
    int64_t since = out_since(run);

    if (n->in == 0 || run->drill || since == 0 ||
        !PUAN_FLOW_HAS(n->in | n->over, run->state))
        return false;
    *x = (struct found){ .run = run,
                         .id = row->id,
                         .area = row->area,
                         .at_ms = since,
                         .over = PUAN_FLOW_HAS(n->over, run->state) };
    return true;
}

static int newest_first(const void *x, const void *y)
{
    const struct found *a = x, *b = y;

    if (a->at_ms != b->at_ms)
        return a->at_ms > b->at_ms ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

#define LOOKED_AT 400 /* newest runs of a flow, drafts among them */

static enum puan_status gather(struct found *list, size_t *n,
                               struct puan_request *rq,
                               const struct puan_flow *f, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_case_row *rows =
        puan_new_n(rq->arena, LOOKED_AT, struct puan_case_row);
    struct puan_db *db = NULL;
    size_t n_rows = 0, have = 0;
    enum puan_status st = PUAN_OK;

    if (rows == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_cases_of(rows, &n_rows, LOOKED_AT, rq->store, f->label.name,
                      puan_area_top(rq->store), rq->arena, err));
    TRY(puan_read_begin(&db, office, err));
    for (size_t i = 0; i < n_rows && have < PUAN_NOTICES_MOST; i++) {
        int state = puan_flow_state(f, rows[i].state);
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;

        /* a state the flow of today no longer knows is looked into */
        if (state >= 0 && !PUAN_FLOW_HAS(f->notice.in | f->notice.over, state))
            continue;
        st = puan_case_read(&row, &run, rq->store, db, rows[i].id, rq->arena,
                            err);
        if (st != PUAN_OK)
            break;
        if (stands(&list[*n], &row, run)) {
            ++*n;
            have++;
        }
    }
    puan_read_end(office, db);
    return st;
}

/* ---- saying them --------------------------------------------------------- */

static struct puan_str said(const struct puan_flow_run *run, int field)
{
    return field >= 0 && run->field[field].set ? run->field[field].text
                                               : PUAN_STR("");
}

static void put_kind(struct puan_jw *w, const struct puan_flow_run *run)
{
    int at = run->flow->notice.kind;
    const struct puan_codelist *words =
        at >= 0 ? run->flow->fields[at].words : NULL;

    for (size_t i = 0; words != NULL && run->field[at].set && i < words->n; i++)
        if (words->codes[i].value == run->field[at].v) {
            puan_jw_kstr(w, "kind", words->codes[i].text);
            puan_jw_kstr(w, "kind_zh", words->codes[i].zh);
            puan_jw_kstr(w, "kind_en", words->codes[i].en);
            return;
        }
    puan_jw_ktext(w, "kind", "");
    puan_jw_ktext(w, "kind_zh", "");
    puan_jw_ktext(w, "kind_en", "");
}

static void put_one(struct puan_jw *w, struct puan_request *rq,
                    const struct found *x)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_flow_notice *n = &x->run->flow->notice;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    uint32_t at = t ? puan_area_find(t, x->area) : PUAN_AREA_NONE;
    struct puan_str none = PUAN_STR("");

    puan_jw_map(w);
    puan_jw_kint(w, "id", x->id);
    puan_jw_kstr(w, "area_zh", at != PUAN_AREA_NONE ? t->area[at].zh : none);
    puan_jw_kstr(w, "area_en", at != PUAN_AREA_NONE ? t->area[at].en : none);
    put_kind(w, x->run);
    puan_jw_kstr(w, "title", said(x->run, n->title));
    puan_jw_kstr(w, "title_en", said(x->run, n->title_en));
    puan_jw_kstr(w, "text", x->over ? none : said(x->run, n->text));
    puan_jw_kstr(w, "text_en", x->over ? none : said(x->run, n->text_en));
    puan_jw_kstr(w, "about", x->over ? none : said(x->run, n->about));
    puan_jw_kstr(w, "about_en", x->over ? none : said(x->run, n->about_en));
    puan_jw_kinstant(w, "at", x->at_ms, offset);
    if (x->over) {
        puan_jw_kinstant(w, "withdrawn", x->run->entered_ms, offset);
    } else {
        puan_jw_key(w, "withdrawn");
        puan_jw_null(w);
    }
    puan_jw_end(w, '}');
}

static enum puan_status make(struct puan_out *o, struct puan_request *rq,
                             struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(rq->store);
    struct found *list;
    size_t n = 0, flows = 0;
    struct puan_jw w;

    for (size_t i = 0; all != NULL && i < all->n; i++)
        flows += all->flow[i]->notice.in != 0;
    list = puan_new_n(rq->arena, flows * PUAN_NOTICES_MOST + 1, struct found);
    if (list == NULL)
        return puan_arena_check(rq->arena, err);
    for (size_t i = 0; all != NULL && i < all->n; i++)
        if (all->flow[i]->notice.in != 0)
            TRY(gather(list, &n, rq, all->flow[i], err));
    qsort(list, n, sizeof(*list), newest_first);
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = 0; i < n && i < PUAN_NOTICES_MOST; i++)
        put_one(&w, rq, &list[i]);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return puan_arena_check(rq->arena, err);
}

static enum puan_status notices(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    struct kept *k = puan_store_state(rq->store, &puan_feature_notices);
    struct puan_out o;
    enum puan_status st = PUAN_OK;
    struct puan_str json;

    (void)v;
    puan_out_init(&o, rq->arena);
    /* made under the lock: those who come meanwhile wait for it */
    pthread_mutex_lock(&k->lock);
    if (k->json != NULL && rq->real_now < k->until_ms) {
        json = puan_arena_keep(rq->arena, (struct puan_str){ k->json, k->n });
    } else {
        st = make(&o, rq, err);
        json = puan_out_view(&o);
        if (st == PUAN_OK) {
            free(k->json);
            k->json = malloc(json.n + 1);
            if (k->json != NULL) {
                memcpy(k->json, json.p, json.n);
                k->n = json.n;
                k->until_ms = rq->real_now + PUAN_NOTICES_KEEP_MS;
            }
        }
    }
    pthread_mutex_unlock(&k->lock);
    TRY(st);
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, json);
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/public/notices",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Notices of the offices to everybody", .handle = notices },
};

const struct puan_feature puan_feature_notices = {
    .name = "notices",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .open = open_notices,
    .close = close_notices,
};
