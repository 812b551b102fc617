/*
 * Routes of the registers: all of them, the rows of one, a copy of one.
 */
#include "features/registers/registers.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "features/host/host.h"
#include "features/registers/internal.h"

#define DAY INT64_C(86400000)
#define BACK_SHOWN 100

/* ---- words -------------------------------------------------------------------- */

static void label(struct puan_jw *w, const struct puan_flow_label *l)
{
    puan_jw_kstr(w, "id", l->name);
    puan_jw_kstr(w, "zh", l->zh);
    puan_jw_kstr(w, "en", l->en);
}

/* Members of a row that every list of rows has. */
static void row_json(struct puan_jw *w, struct puan_request *rq,
                     const struct puan_flow *f,
                     const struct puan_case_glance *g)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;

    puan_jw_kint(w, "id", g->id);
    puan_jw_ktext(w, "number", g->number);
    puan_jw_kstr(w, "flow", f->label.name);
    puan_jw_kstr(w, "flow_zh", f->label.zh);
    puan_jw_kstr(w, "flow_en", f->label.en);
    puan_jw_ktext(w, "title_zh", g->title_zh);
    puan_jw_ktext(w, "title_en", g->title_en);
    puan_area_put(w, puan_store_areas(rq->store), g->area);
    puan_jw_kstr(w, "state_zh", f->states[g->state].zh);
    puan_jw_kstr(w, "state_en", f->states[g->state].en);
    puan_jw_kbool(w, "drill", g->drill);
    puan_jw_kinstant(w, "opened", g->opened_ms, offset);
    puan_jw_kbool(w, "ended", g->ended_ms != 0);
    if (g->ended_ms != 0)
        puan_jw_kinstant(w, "ended_at", g->ended_ms, offset);
    if (g->clock != NULL) {
        puan_jw_key(w, "clock");
        puan_jw_map(w);
        label(w, g->clock);
        puan_jw_end(w, '}');
        puan_jw_kinstant(w, "due", g->due_ms, offset);
        puan_jw_kbool(w, "overdue", g->due_ms < rq->now);
    }
    if (g->act_kind != NULL) {
        puan_jw_key(w, "next_act");
        puan_jw_map(w);
        puan_jw_ktext(w, "do", g->act_kind);
        label(w, &g->act);
        puan_jw_end(w, '}');
    }
}

/* ---- all of them ---------------------------------------------------------------- */

struct list_in {
    int64_t area;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 1, INT64_MAX,
      true },
};

struct back { /* a row that is due today or was due before */
    const struct puan_flow *f;
    const struct puan_case_glance *g;
};
static int by_due(const void *a, const void *b)
{
    const struct puan_case_glance *x = ((const struct back *)a)->g;
    const struct puan_case_glance *y = ((const struct back *)b)->g;

    if (x->due_ms != y->due_ms)
        return x->due_ms < y->due_ms ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

struct book { /* one register as the list shows it */
    const struct puan_flow *f;
    struct puan_case_glance *g;
    size_t n;
    int64_t open, overdue, today, ended, next_ms, last_ms;
    struct puan_register_stock *stock;
    size_t n_stocks;
};

static enum puan_status look(struct book *b, struct puan_request *rq,
                             int64_t midnight, struct puan_err *err)
{
    TRY(puan_case_glances(&b->g, &b->n, rq, b->f, false, err));
    for (size_t i = 0; i < b->n; i++) {
        const struct puan_case_glance *g = &b->g[i];

        if (g->opened_ms > b->last_ms)
            b->last_ms = g->opened_ms;
        if (g->again_ms != 0 && (b->next_ms == 0 || g->again_ms < b->next_ms))
            b->next_ms = g->again_ms;
        if (g->ended_ms != 0) {
            b->ended++;
            continue;
        }
        b->open++;
        if (g->due_ms != 0 && g->due_ms < midnight) {
            b->today++;
            b->overdue += g->due_ms < rq->now;
        }
    }
    return puan_register_stocks(&b->stock, &b->n_stocks, rq, b->f, b->g, b->n,
                                err);
}

static void stocks_json(struct puan_jw *w, struct puan_request *rq,
                        const struct puan_flow *f,
                        const struct puan_register_stock *s, size_t n)
{
    puan_jw_key(w, "stocks");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        const struct puan_flow_quantity *q = &f->quantities[s[i].quantity];

        puan_jw_map(w);
        label(w, &q->label);
        puan_jw_kstr(w, "unit_zh", q->unit_zh);
        puan_jw_kstr(w, "unit_en", q->unit_en);
        puan_area_put(w, puan_store_areas(rq->store), s[i].area);
        puan_jw_kstr(w, "of", s[i].of);
        puan_jw_kint(w, "in", s[i].in);
        puan_jw_kint(w, "out", s[i].out);
        puan_jw_kint(w, "left", s[i].in - s[i].out);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void recurrence_json(struct puan_jw *w, const struct puan_flow *f)
{
    if (f->recurrence.clock < 0)
        return;
    puan_jw_key(w, "recurrence");
    puan_jw_map(w);
    puan_jw_kstr(w, "every", f->recurrence.every);
    puan_jw_kint(w, "every_ms", f->recurrence.every_ms);
    puan_jw_kstr(w, "at", f->recurrence.at);
    puan_jw_end(w, '}');
}

static void book_json(struct puan_jw *w, struct puan_request *rq,
                      const struct book *b)
{
    const struct puan_plan *p = puan_store_plan(rq->store);
    const struct puan_role *owner = puan_plan_role(p, b->f->owner);

    puan_jw_map(w);
    puan_jw_kstr(w, "flow", b->f->label.name);
    puan_jw_kstr(w, "zh", b->f->label.zh);
    puan_jw_kstr(w, "en", b->f->label.en);
    puan_jw_kstr(w, "group", b->f->group);
    puan_jw_kstr(w, "owner_zh", owner ? owner->zh : b->f->owner);
    puan_jw_kstr(w, "owner_en", owner ? owner->en : b->f->owner);
    puan_jw_kint(w, "open", b->open);
    puan_jw_kint(w, "overdue", b->overdue);
    puan_jw_kint(w, "today", b->today);
    puan_jw_kint(w, "ended", b->ended);
    recurrence_json(w, b->f);
    if (b->next_ms != 0)
        puan_jw_kinstant(w, "next", b->next_ms, p->offset_minutes);
    if (b->last_ms != 0)
        puan_jw_kinstant(w, "last", b->last_ms, p->offset_minutes);
    stocks_json(w, rq, b->f, b->stock, b->n_stocks);
    puan_jw_end(w, '}');
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    int64_t local = rq->now + offset * INT64_C(60000);
    int64_t midnight = rq->now + DAY - local % DAY;
    struct book *b = puan_new_n(rq->arena, all->n, struct book);
    struct back *back;
    size_t n = 0, n_back = 0, due = 0;
    struct puan_jw *w;

    (void)v;
    if (b == NULL)
        return puan_arena_check(rq->arena, err);
    for (size_t i = 0; i < all->n; i++) {
        if (!all->flow[i]->is_register)
            continue;
        b[n].f = all->flow[i];
        TRY(look(&b[n], rq, midnight, err));
        due += (size_t)b[n++].today;
    }
    back = puan_new_n(rq->arena, due, struct back);
    if (back == NULL)
        return puan_arena_check(rq->arena, err);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < b[i].n; k++)
            if (b[i].g[k].ended_ms == 0 && b[i].g[k].due_ms != 0 &&
                b[i].g[k].due_ms < midnight)
                back[n_back++] = (struct back){ b[i].f, &b[i].g[k] };
    if (n_back > 1)
        qsort(back, n_back, sizeof *back, by_due);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_jw_kint(w, "due", (int64_t)n_back);
    puan_jw_key(w, "today");
    puan_jw_list(w);
    for (size_t i = 0; i < n_back && i < BACK_SHOWN; i++) {
        puan_jw_map(w);
        row_json(w, rq, back[i].f, back[i].g);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        book_json(w, rq, &b[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- one ------------------------------------------------------------------------- */

struct one_in {
    int64_t area;
    struct puan_str flow, format, lang;
    bool open;
    struct puan_page page;
};
static const struct puan_param one_params[] = {
    { "flow", PUAN_PARAM_TEXT, offsetof(struct one_in, flow), 1, 64, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct one_in, area), 1, INT64_MAX,
      true },
    { "open", PUAN_PARAM_BOOL, offsetof(struct one_in, open), 0, 1, true },
    PUAN_PAGE_PARAMS(struct one_in, page),
};
static const struct puan_param export_params[] = {
    { "flow", PUAN_PARAM_TEXT, offsetof(struct one_in, flow), 1, 64, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct one_in, area), 1, INT64_MAX,
      true },
    { "format", PUAN_PARAM_TEXT, offsetof(struct one_in, format), 3, 4,
      false },
    { "lang", PUAN_PARAM_TEXT, offsetof(struct one_in, lang), 2, 2, true },
};

/* A flow that is no register is no more here than one that is not at all. */
static enum puan_status register_of(const struct puan_flow **out,
                                    struct puan_request *rq,
                                    struct puan_str name, struct puan_err *err)
{
    TRY(puan_cases_flow(out, rq->store, name, err));
    return (*out)->is_register
               ? PUAN_OK
               : puan_fail(err, PUAN_ENOTFOUND, "flow",
                           "\"%.*s\" is no register", PUAN_FMT(name));
}

/* Open rows by their due time, then the closed ones, the newest first. */
static int by_need(const void *a, const void *b)
{
    const struct puan_case_glance *x = a, *y = b;
    int64_t dx = x->due_ms ? x->due_ms : INT64_MAX;
    int64_t dy = y->due_ms ? y->due_ms : INT64_MAX;

    if ((x->ended_ms != 0) != (y->ended_ms != 0))
        return x->ended_ms != 0 ? 1 : -1;
    if (x->ended_ms == 0 && dx != dy)
        return dx < dy ? -1 : 1;
    return x->id > y->id ? -1 : x->id < y->id;
}

static void columns_json(struct puan_jw *w, const struct puan_flow *f)
{
    puan_jw_key(w, "columns");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_fields; i++) {
        puan_jw_map(w);
        label(w, &f->fields[i].label);
        puan_jw_kbool(w, "number", f->fields[i].type == PUAN_FLOW_INT);
        puan_jw_kbool(w, "secret", f->fields[i].secret);
        puan_jw_kbool(w, "opening", PUAN_FLOW_HAS(f->open_needs, i));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* The values in the order of the columns: null, or its words. */
static void values_json(struct puan_jw *w, struct puan_request *rq,
                        const struct puan_flow_run *run)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    const struct puan_flow *f = run->flow;

    puan_jw_key(w, "values");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_fields; i++) {
        bool words = f->fields[i].type == PUAN_FLOW_ENUM ||
                     f->fields[i].type == PUAN_FLOW_BOOL;

        if (!run->field[i].set) {
            puan_jw_null(w);
            continue;
        }
        puan_jw_map(w);
        puan_jw_kstr(w, "id", f->fields[i].label.name);
        if (f->fields[i].secret) {
            puan_jw_kbool(w, "sealed", true);
        } else {
            puan_jw_kstr(w, "zh",
                         puan_register_value(run, i, true, offset, rq->arena));
            if (words)
                puan_jw_kstr(w, "en", puan_register_value(run, i, false,
                                                          offset, rq->arena));
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "papers");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_evidence; i++) {
        puan_jw_map(w);
        label(w, &f->evidence[i]);
        puan_jw_kbool(w, "given", PUAN_FLOW_HAS(run->evidence, i));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "signed");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_approvals; i++) {
        const struct puan_flow_approval_run *p = &run->approval[i];

        if (p->state != PUAN_FLOW_GRANTED && p->state != PUAN_FLOW_USED)
            continue;
        for (size_t k = 0; k < p->n_sig; k++) {
            if (p->sig[k].seat < 0)
                continue;
            puan_jw_map(w);
            label(w, &f->seats[p->sig[k].seat].label);
            puan_jw_kinstant(w, "at", p->sig[k].ms, offset);
            puan_jw_end(w, '}');
        }
    }
    puan_jw_end(w, ']');
}

static enum puan_status rows_json(struct puan_jw *w, struct puan_request *rq,
                                  const struct puan_flow *f,
                                  const struct puan_case_glance *g, size_t n,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st = PUAN_OK;

    TRY(puan_read_begin(&db, office, err));
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;

        st = puan_case_read(&row, &run, rq->store, db, g[i].id, rq->arena,
                            err);
        if (st != PUAN_OK)
            break;
        puan_jw_map(w);
        row_json(w, rq, f, &g[i]);
        values_json(w, rq, run);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_read_end(office, db);
    return st;
}

static enum puan_status one(struct puan_request *rq, const void *v,
                            struct puan_err *err)
{
    const struct one_in *in = v;
    size_t limit = (size_t)puan_page_limit(&in->page), from, n;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct book b = { 0 };
    struct puan_out o;
    struct puan_jw w;

    TRY(register_of(&b.f, rq, in->flow, err));
    TRY(look(&b, rq,
             rq->now + DAY - (rq->now + offset * INT64_C(60000)) % DAY, err));
    if (b.n > 1)
        qsort(b.g, b.n, sizeof *b.g, by_need);
    n = in->open ? (size_t)b.open : b.n; /* the open ones come first */
    from = (size_t)in->page.cursor < n ? (size_t)in->page.cursor : n;
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now, offset);
    puan_jw_key(&w, "register");
    book_json(&w, rq, &b);
    puan_jw_kint(&w, "total", (int64_t)n);
    columns_json(&w, b.f);
    TRY(rows_json(&w, rq, b.f, b.g + from, n - from < limit ? n - from : limit,
                  err));
    puan_jw_key(&w, "next");
    if (n - from > limit)
        puan_jw_int(&w, (int64_t)(from + limit));
    else
        puan_jw_null(&w);
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* ---- a copy ------------------------------------------------------------------------ */

/* Entered first, with the digest of what is taken; then given. */
static enum puan_status take_copy(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct one_in *in = v;
    const struct puan_digest_fn *digest = puan_store_digest(rq->store);
    bool xlsx = puan_str_is(in->format, "xlsx");
    bool zh = !puan_str_is(in->lang, "en");
    struct puan_register_sheet s;
    struct puan_case_glance *g;
    const struct puan_flow *f;
    struct puan_str bytes;
    struct puan_act act;
    struct puan_out o;
    size_t n;

    if (!xlsx && !puan_str_is(in->format, "csv"))
        return puan_fail(err, PUAN_EINVAL, "format", "format is csv or xlsx");
    if (in->lang.n > 0 && zh && !puan_str_is(in->lang, "zh"))
        return puan_fail(err, PUAN_EINVAL, "lang", "lang is zh or en");
    TRY(register_of(&f, rq, in->flow, err));
    TRY(puan_case_glances(&g, &n, rq, f, false, err));
    if (n > PUAN_REGISTER_ROWS)
        return puan_fail(err, PUAN_ELIMIT, "area",
                         "%zu rows; at most %d are copied at once: choose a "
                         "smaller area",
                         n, PUAN_REGISTER_ROWS);
    TRY(puan_register_sheet(&s, rq, f, g, n, zh, err));
    if (xlsx) {
        TRY(puan_register_xlsx(&bytes, &s, zh, rq->arena, err));
    } else {
        puan_out_init(&o, rq->arena);
        puan_register_csv(&o, &s);
        bytes = puan_out_view(&o);
    }
    TRY(puan_arena_check(rq->arena, err));
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "register/%.*s",
                                                PUAN_FMT(f->label.name))));
    act.note = puan_str_of(puan_arena_fmt(
        rq->arena, "%s, area %lld, %zu rows", xlsx ? "xlsx" : "csv",
        (long long)rq->area, n));
    act.has_new = true;
    digest->hash(digest->ctx, act.new_digest, &bytes, 1);
    TRY(puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err));
    puan_answer_bytes(
        rq, 200,
        xlsx ? "application/vnd.openxmlformats-officedocument.spreadsheetml."
               "sheet"
             : "text/csv; charset=utf-8",
        bytes);
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/registers",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Registers of the plan: due today, next, stocks",
      .handle = list, PUAN_PARAMS(list_params, struct list_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/registers/{flow}",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "The rows of one register", .handle = one,
      PUAN_PARAMS(one_params, struct one_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/registers/{flow}/export",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA,
      .verb = "register.export", .summary = "A copy of a register to take away",
      .handle = take_copy, PUAN_PARAMS(export_params, struct one_in) },
};

const struct puan_feature puan_feature_registers = {
    .name = "registers",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
};
