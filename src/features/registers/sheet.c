/*
 * A register as a sheet of text, and as CSV.
 */
#include "base/csv.h"
#include "core/area/area.h"
#include "features/registers/internal.h"

/* "2020-11-05 08:30" in the plan's time. */
static struct puan_str when(int64_t ms, int offset, struct puan_arena *a)
{
    char text[32];

    if (ms == 0)
        return PUAN_STR("");
    puan_instant_text(text, ms, offset);
    text[10] = ' ';
    return puan_arena_keep(a, (struct puan_str){ text, 16 });
}

struct puan_str puan_register_value(const struct puan_flow_run *run,
                                    size_t field, bool zh, int offset,
                                    struct puan_arena *a)
{
    const struct puan_flow_field *d = &run->flow->fields[field];
    const struct puan_flow_value *v = &run->field[field];

    if (!v->set)
        return PUAN_STR("");
    switch (d->type) {
    case PUAN_FLOW_TEXT:
    case PUAN_FLOW_REF:
        return v->text;
    case PUAN_FLOW_BOOL:
        return v->v ? (zh ? PUAN_STR("是") : PUAN_STR("yes"))
                    : (zh ? PUAN_STR("否") : PUAN_STR("no"));
    case PUAN_FLOW_ENUM:
        return zh ? d->words->codes[v->v].zh : d->words->codes[v->v].en;
    case PUAN_FLOW_TIME:
        return when(v->v, offset, a);
    case PUAN_FLOW_INT:
    case PUAN_FLOW_AREA:
        break;
    }
    return puan_str_of(puan_arena_fmt(a, "%lld", (long long)v->v));
}

static struct puan_str papers(const struct puan_flow_run *run, bool zh,
                              struct puan_arena *a)
{
    const struct puan_flow *f = run->flow;
    struct puan_out o;
    bool first = true;

    puan_out_init(&o, a);
    for (size_t i = 0; i < f->n_evidence; i++) {
        if (!PUAN_FLOW_HAS(run->evidence, i))
            continue;
        if (!first)
            puan_out_text(&o, zh ? "、" : ", ");
        first = false;
        puan_out_str(&o, zh ? f->evidence[i].zh : f->evidence[i].en);
    }
    return puan_out_view(&o);
}

/* Who signed what, by seat: never by person. */
static struct puan_str signatures(const struct puan_flow_run *run, bool zh,
                                  int offset, struct puan_arena *a)
{
    const struct puan_flow *f = run->flow;
    struct puan_out o;
    bool first = true;

    puan_out_init(&o, a);
    for (size_t i = 0; i < f->n_approvals; i++) {
        const struct puan_flow_approval_run *p = &run->approval[i];

        if (p->state != PUAN_FLOW_GRANTED && p->state != PUAN_FLOW_USED)
            continue;
        for (size_t k = 0; k < p->n_sig; k++) {
            if (p->sig[k].seat < 0)
                continue;
            if (!first)
                puan_out_text(&o, zh ? "；" : "; ");
            first = false;
            puan_out_str(&o, zh ? f->seats[p->sig[k].seat].label.zh
                                : f->seats[p->sig[k].seat].label.en);
            puan_out_text(&o, " ");
            puan_out_str(&o, when(p->sig[k].ms, offset, a));
        }
    }
    return puan_out_view(&o);
}

/* The columns before and behind the fields. */
enum { NUMBER, AREA, NAME, STATE, OPENED, BEFORE };
enum { DUE, PAPERS, SIGNED, ENDED, AFTER };

static void head(struct puan_register_cell *c, const struct puan_flow *f,
                 bool zh)
{
    static const char *const before[BEFORE][2] = {
        { "编号", "Number" }, { "地区代码", "Area code" },
        { "地区", "Area" },   { "状态", "State" },
        { "登记时间", "Entered" },
    };
    static const char *const after[AFTER][2] = {
        { "到期时间", "Due" },
        { "佐证", "Evidence" },
        { "签署", "Signed" },
        { "办结时间", "Closed" },
    };

    for (size_t i = 0; i < BEFORE; i++)
        c[i].text = puan_str_of(before[i][zh ? 0 : 1]);
    for (size_t i = 0; i < f->n_fields; i++)
        c[BEFORE + i].text = zh ? f->fields[i].label.zh : f->fields[i].label.en;
    for (size_t i = 0; i < AFTER; i++)
        c[BEFORE + f->n_fields + i].text = puan_str_of(after[i][zh ? 0 : 1]);
}

static void line(struct puan_register_cell *c, struct puan_request *rq,
                 const struct puan_case_glance *g,
                 const struct puan_flow_run *run, bool zh)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t at = t ? puan_area_find(t, g->area) : PUAN_AREA_NONE;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    const struct puan_flow *f = run->flow;
    struct puan_register_cell *z = c + BEFORE + f->n_fields;

    c[NUMBER].text = puan_str_of(puan_arena_fmt(
        rq->arena, "%s%s", g->number, g->drill ? (zh ? "（演练）" : " (drill)")
                                               : ""));
    c[AREA].text = puan_str_of(
        puan_arena_fmt(rq->arena, "%lld", (long long)g->area));
    if (at != PUAN_AREA_NONE)
        c[NAME].text = zh ? t->area[at].zh : t->area[at].en;
    c[STATE].text = zh ? f->states[g->state].zh : f->states[g->state].en;
    c[OPENED].text = when(g->opened_ms, offset, rq->arena);
    for (size_t i = 0; i < f->n_fields; i++) {
        struct puan_register_cell *x = &c[BEFORE + i];

        if (f->fields[i].secret && run->field[i].set) {
            x->text = zh ? PUAN_STR("〔封存〕") : PUAN_STR("[sealed]");
            continue;
        }
        x->text = puan_register_value(run, i, zh, offset, rq->arena);
        x->number = f->fields[i].type == PUAN_FLOW_INT && x->text.n > 0;
    }
    z[DUE].text = when(g->due_ms, offset, rq->arena);
    z[PAPERS].text = papers(run, zh, rq->arena);
    z[SIGNED].text = signatures(run, zh, offset, rq->arena);
    z[ENDED].text = when(g->ended_ms, offset, rq->arena);
}

enum puan_status puan_register_sheet(struct puan_register_sheet *out,
                                     struct puan_request *rq,
                                     const struct puan_flow *f,
                                     const struct puan_case_glance *rows,
                                     size_t n_rows, bool zh,
                                     struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    size_t columns = BEFORE + f->n_fields + AFTER;
    struct puan_register_cell *cell =
        puan_new_n(rq->arena, (n_rows + 1) * columns,
                   struct puan_register_cell);
    struct puan_db *db = NULL;
    enum puan_status st = PUAN_OK;

    *out = (struct puan_register_sheet){ zh ? f->label.zh : f->label.en,
                                         columns, n_rows, cell };
    if (cell == NULL)
        return puan_arena_check(rq->arena, err);
    head(cell, f, zh);
    TRY(puan_read_begin(&db, office, err));
    for (size_t i = 0; st == PUAN_OK && i < n_rows; i++) {
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;

        st = puan_case_read(&row, &run, rq->store, db, rows[i].id, rq->arena,
                            err);
        if (st == PUAN_OK)
            line(cell + (i + 1) * columns, rq, &rows[i], run, zh);
    }
    puan_read_end(office, db);
    TRY(st);
    return puan_arena_check(rq->arena, err);
}

void puan_register_csv(struct puan_out *o, const struct puan_register_sheet *s)
{
    puan_out_text(o, "\xef\xbb\xbf"); /* so that a spreadsheet reads UTF-8 */
    for (size_t r = 0; r <= s->n_rows; r++) {
        for (size_t i = 0; i < s->n_columns; i++) {
            const struct puan_register_cell *c =
                &s->cell[r * s->n_columns + i];

            if (i > 0)
                puan_out_text(o, ",");
            if (c->number)
                puan_csv_put(o, c->text);
            else
                puan_csv_put_words(o, c->text);
        }
        puan_out_text(o, "\r\n");
    }
}
