/*
 * The files of a census of units (UNITS.md says what each holds).  Registers,
 * the clearing and given figures speak of the units as they are, not as a
 * fault reports them.
 */
#include "features/simulate/units.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/json.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define MOST_COLUMNS 256

enum { FOR_VISIT = 201, FOR_OTHER, FOR_REGISTER, FOR_GIVEN };

static const char *path_of(const struct units *m, const char *name)
{
    return puan_arena_fmt(m->a, "%s/%s", m->opt->out, name);
}

static const struct unit_row *true_row(const struct unit *u)
{
    return u->fault ? &u->truth : &u->at;
}

static bool has(const struct puan_node *list, struct puan_str name)
{
    PUAN_NODE_EACH(c, list)
    {
        if (puan_str_eq(c->text, name))
            return true;
    }
    return false;
}

/* An innermost area's code has its whole width. */
static void put_key(struct puan_sheet_out *o, const struct units *m,
                    const struct unit *u)
{
    char b[24];

    puan_format(b, sizeof(b), "%0*lld", (int)m->key_digits,
                (long long)sim_unit_key(m, u));
    puan_sheet_put_text(o, b);
}

/* ---- areas, roll ------------------------------------------------------ */

static void put_area(struct puan_sheet_out *o, const struct units *m,
                     const struct unit_area *x, const struct unit_area *up)
{
    const struct puan_node *l =
        puan_node_at(puan_node_get(m->spec, "levels"), x->level);
    int64_t digits = 0;
    char b[24];

    (void)puan_int_parse(&digits, puan_node_at(l, 0)->text);
    puan_format(b, sizeof(b), "%0*lld", (int)digits, (long long)x->code);
    puan_sheet_put_text(o, b);
    if (up)
        puan_sheet_put_int(o, up->code);
    else
        puan_sheet_put_text(o, "");
    puan_sheet_put(o, puan_node_at(l, 1)->text);
    puan_sheet_put(o, x->zh);
    puan_sheet_put_text(o, puan_arena_fmt(m->a, "%.*s %s",
                                          PUAN_FMT(puan_node_at(l, 1)->text),
                                          b));
    puan_sheet_put_text(o, x->level + 1 ==
                                   puan_node_get(m->spec, "levels")->n
                               ? "synthetic"
                               : "ordinary");
    puan_sheet_end_row(o);
}

static const struct unit_area *above(const struct units *m,
                                     const struct unit_area *x)
{
    int64_t code = x->code;

    while (code > 9) {
        code /= 10;
        for (size_t i = 0; i < m->n_areas; i++)
            if (m->area[i].level < x->level && m->area[i].code == code)
                return &m->area[i];
    }
    return NULL;
}

/* Areas above the innermost that have any of those below them. */
static bool used(const struct units *m, size_t i)
{
    const struct unit_area *x = &m->area[i];

    if (i >= m->n_areas - m->n_eas)
        return true;
    for (size_t k = m->n_areas - m->n_eas; k < m->n_areas; k++) {
        int64_t code = m->area[k].code;

        while (code > x->code)
            code /= 10;
        if (code == x->code)
            return true;
    }
    return false;
}

static enum puan_status areas(struct units *m, struct puan_err *err)
{
    struct puan_sheet_out *o;
    enum puan_status st = puan_sheet_create(&o, path_of(m, "areas.csv"), err);

    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(
        o, PUAN_STR("code,parent,level,name_zh,name_en,kind\n"));
    for (size_t i = 0; i < m->n_areas; i++)
        if (used(m, i))
            put_area(o, m, &m->area[i], above(m, &m->area[i]));
    return puan_sheet_finish(o, err);
}

static enum puan_status roll(struct units *m, struct puan_err *err)
{
    struct puan_sheet_out *o;
    enum puan_status st = puan_sheet_create(&o, path_of(m, "listing.csv"), err);
    const char *how;

    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(o, PUAN_STR("household,ea,status,mode\n"));
    for (size_t i = 0; i < m->n; i++) {
        put_key(o, m, &m->unit[i]);
        puan_sheet_put_int(o, m->area[m->unit[i].ea].code);
        puan_sheet_put_text(o, "ordinary");
        how = puan_node_get(m->unit[i].kind, "channel") ? "channel" : "mode";
        puan_sheet_put(o, puan_node_str_opt(m->unit[i].kind, how,
                                            "enumerator"));
        puan_sheet_end_row(o);
    }
    return puan_sheet_finish(o, err);
}

/* ---- returns as CSV --------------------------------------------------- */

struct columns {
    struct puan_str name[MOST_COLUMNS];
    size_t n;
};

static void take_columns(struct columns *c, const struct unit_row *r)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t k = 0;

        while (k < c->n && !puan_str_eq(c->name[k], r->cell[i].name))
            k++;
        if (k == c->n && c->n < MOST_COLUMNS)
            c->name[c->n++] = r->cell[i].name;
    }
}

static void put_head(struct puan_sheet_out *o, const struct columns *c)
{
    puan_sheet_put_text(o, "household");
    for (size_t i = 0; i < c->n; i++)
        puan_sheet_put(o, c->name[i]);
    puan_sheet_end_row(o);
}

static void put_row(struct puan_sheet_out *o, const struct columns *c,
                    const struct units *m, const struct unit *u,
                    const struct unit_row *r)
{
    put_key(o, m, u);
    for (size_t i = 0; i < c->n; i++) {
        const struct unit_cell *x = sim_unit_cell(r, c->name[i]);

        puan_sheet_put(o, !x          ? (struct puan_str){ "", 0 }
                          : x->value.p ? x->value
                                       : PUAN_STR("!"));
    }
    puan_sheet_end_row(o);
}

struct visit {
    int64_t started, finished; /* ms */
    const char *device;
    bool self;
};

static enum puan_status visit_of(struct visit *v, struct units *m,
                                 const struct unit *u, struct puan_err *err)
{
    const struct puan_node *f = puan_node_get(m->spec, "field");
    struct sim_rng rng = sim_rng_of(m->opt->seed, FOR_VISIT, u->serial);
    struct puan_str from;
    int64_t days, day, offset;
    enum puan_status st = puan_node_str(&from, f, "from", err);

    if (st == PUAN_OK)
        st = puan_node_int(&days, f, "days", 1, 400, err);
    if (st == PUAN_OK)
        st = puan_node_int(&offset, f, "offset_minutes", -900, 900, err);
    if (st != PUAN_OK)
        return st;
    if (!puan_day_parse(&day, from))
        return puan_node_fail(f, err, "'from' is a day YYYY-MM-DD");
    day += (int64_t)sim_below(&rng, (uint32_t)days);
    v->self = puan_str_is(puan_node_str_opt(u->kind, "mode", ""), "self");
    v->started = ((day * 24 + 8) * 60 - offset + (int64_t)sim_below(&rng, 540)) *
                 60000;
    v->finished = v->started +
                  (600 + (int64_t)sim_below(&rng, 2400)) * 1000;
    v->device = v->self ? puan_arena_fmt(m->a, "web-%llu",
                                         (unsigned long long)u->serial)
                        : puan_arena_fmt(m->a, "pad-%u", u->ea);
    return puan_arena_check(m->a, err);
}

static void put_instant(struct puan_sheet_out *o, int64_t ms, struct units *m)
{
    struct puan_out t;
    struct puan_jw w;
    int64_t offset = 0;
    struct puan_str s;

    (void)puan_int_parse(&offset, puan_node_str_opt(
                                      puan_node_get(m->spec, "field"),
                                      "offset_minutes", "0"));
    puan_out_init(&t, m->a);
    puan_jw_init(&w, &t);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "t", ms, (int)offset);
    puan_jw_end(&w, '}');
    s = puan_out_view(&t); /* {"t":"…"} */
    puan_sheet_put(o, s.n > 8 ? (struct puan_str){ s.p + 6, s.n - 8 } : s);
}

static enum puan_status one_form(struct units *m, struct puan_str form,
                                 struct puan_err *err)
{
    const struct puan_node *names = puan_node_get(m->spec, "entities");
    struct puan_str unit = puan_node_str_opt(names, "unit", "unit");
    struct puan_str branch = puan_node_str_opt(names, "part", "branch");
    const char *dir =
        puan_arena_fmt(m->a, "%s/returns/%.*s", m->opt->out, PUAN_FMT(form));
    struct columns at = { .n = 0 }, rows = { .n = 0 };
    struct puan_sheet_out *o;
    enum puan_status st = puan_dir_make(dir, err);

    for (size_t i = 0; i < m->n; i++) {
        const struct unit *u = &m->unit[i];

        if (!puan_str_eq(u->form, form))
            continue;
        take_columns(&at, &u->at);
        for (size_t b = 0; b < u->n_branches; b++)
            take_columns(&rows, &u->branch[b]);
    }
    if (st == PUAN_OK)
        st = puan_sheet_create(
            &o, puan_arena_fmt(m->a, "%s/%.*s.csv", dir, PUAN_FMT(unit)), err);
    if (st != PUAN_OK)
        return st;
    put_head(o, &at);
    for (size_t i = 0; i < m->n; i++)
        if (puan_str_eq(m->unit[i].form, form))
            put_row(o, &at, m, &m->unit[i], &m->unit[i].at);
    st = puan_sheet_finish(o, err);
    if (st == PUAN_OK && rows.n > 0) {
        st = puan_sheet_create(
            &o, puan_arena_fmt(m->a, "%s/%.*s.csv", dir, PUAN_FMT(branch)),
            err);
        if (st != PUAN_OK)
            return st;
        put_head(o, &rows);
        for (size_t i = 0; i < m->n; i++)
            for (size_t b = 0; puan_str_eq(m->unit[i].form, form) &&
                               b < m->unit[i].n_branches;
                 b++)
                put_row(o, &rows, m, &m->unit[i], &m->unit[i].branch[b]);
        st = puan_sheet_finish(o, err);
    }
    if (st == PUAN_OK)
        st = puan_sheet_create(&o, puan_arena_fmt(m->a, "%s/visit.csv", dir),
                               err);
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(
        o, PUAN_STR("household,mode,device,started,finished,signed\n"));
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++) {
        struct visit v;

        if (!puan_str_eq(m->unit[i].form, form))
            continue;
        st = visit_of(&v, m, &m->unit[i], err);
        if (st != PUAN_OK)
            break;
        put_key(o, m, &m->unit[i]);
        puan_sheet_put_text(o, v.self ? "self" : "enumerator");
        puan_sheet_put_text(o, v.device);
        put_instant(o, v.started, m);
        put_instant(o, v.finished, m);
        puan_sheet_put_text(o, "true");
        puan_sheet_end_row(o);
    }
    if (st != PUAN_OK) {
        puan_sheet_abandon(o);
        return st;
    }
    return puan_sheet_finish(o, err);
}

/* ---- returns as documents --------------------------------------------- */

static void json_cells(struct puan_jw *w, const struct unit_row *r)
{
    puan_jw_map(w);
    for (size_t i = 0; i < r->n; i++) {
        puan_jw_key_s(w, r->cell[i].name);
        if (r->cell[i].value.p)
            puan_jw_str(w, r->cell[i].value);
        else
            puan_jw_null(w);
    }
    puan_jw_end(w, '}');
}

static enum puan_status document(struct puan_out *o, struct units *m,
                                 const struct unit *u,
                                 const struct unit_row *r, unsigned base,
                                 int64_t counter, struct puan_err *err)
{
    struct puan_str branch =
        puan_node_str_opt(puan_node_get(m->spec, "entities"), "part", "branch");
    struct puan_jw w;
    struct visit v;
    int64_t offset = 0;
    enum puan_status st = visit_of(&v, m, u, err);

    if (st != PUAN_OK)
        return st;
    (void)puan_int_parse(&offset, puan_node_str_opt(
                                      puan_node_get(m->spec, "field"),
                                      "offset_minutes", "0"));
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", u->form);
    puan_jw_kcode(&w, "household", sim_unit_key(m, u));
    puan_jw_kint(&w, "base", base);
    puan_jw_ktext(&w, "device", v.device);
    puan_jw_kint(&w, "counter", counter);
    puan_jw_ktext(&w, "mode", v.self ? "self" : "enumerator");
    puan_jw_kinstant(&w, "started", v.started, (int)offset);
    puan_jw_kinstant(&w, "finished", v.finished, (int)offset);
    puan_jw_kbool(&w, "signed", true);
    puan_jw_key(&w, "answers");
    json_cells(&w, r);
    if (u->n_branches > 0) {
        puan_jw_key_s(&w, branch);
        puan_jw_list(&w);
        for (size_t b = 0; b < u->n_branches; b++)
            json_cells(&w, &u->branch[b]);
        puan_jw_end(&w, ']');
    }
    puan_jw_end(&w, '}');
    puan_out_char(o, '\n');
    return puan_arena_check(m->a, err);
}

/* What is handed in; and again, as it should have been. */
static enum puan_status documents(struct units *m, struct puan_err *err)
{
    struct puan_out first, again;
    int64_t counter = 0;
    enum puan_status st = PUAN_OK;

    puan_out_init(&first, m->a);
    puan_out_init(&again, m->a);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++)
        st = document(&first, m, &m->unit[i], &m->unit[i].at, 0, ++counter,
                      err);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++)
        if (m->unit[i].fault)
            st = document(&again, m, &m->unit[i], &m->unit[i].truth, 1,
                          ++counter, err);
    if (st == PUAN_OK)
        st = puan_file_write(path_of(m, "returns.jsonl"),
                             puan_out_view(&first), 0644, err);
    if (st == PUAN_OK)
        st = puan_file_write(path_of(m, "returns_true.jsonl"),
                             puan_out_view(&again), 0644, err);
    return st;
}

/* ---- what others know ------------------------------------------------- */

/* Forms made of the units' own answers, such as the clearing's. */
static enum puan_status other_form(struct units *m, const struct puan_node *f,
                                   struct puan_err *err)
{
    struct puan_str form, entity = puan_node_str_opt(
                              puan_node_get(m->spec, "entities"), "unit",
                              "unit");
    struct unit_row *row = puan_new_n(m->a, m->n + 1, struct unit_row);
    struct columns c = { .n = 0 };
    struct puan_sheet_out *o;
    const char *dir;
    enum puan_status st = puan_node_str(&form, f, "form", err);

    if (st == PUAN_OK && !row)
        st = puan_arena_check(m->a, err);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++) {
        struct unit u = m->unit[i];
        struct sim_rng rng = sim_rng_of(m->opt->seed, FOR_OTHER, u.serial);

        if (!has(puan_node_get(f, "kinds"),
                 puan_node_str_opt(u.kind, "kind", "")))
            continue;
        u.at = *true_row(&m->unit[i]);
        st = sim_unit_items(&row[i], m, &u, puan_node_get(f, "items"), &rng,
                            err);
        take_columns(&c, &row[i]);
    }
    if (st != PUAN_OK)
        return st;
    dir = puan_arena_fmt(m->a, "%s/returns/%.*s", m->opt->out, PUAN_FMT(form));
    st = puan_dir_make(dir, err);
    if (st == PUAN_OK)
        st = puan_sheet_create(
            &o, puan_arena_fmt(m->a, "%s/%.*s.csv", dir, PUAN_FMT(entity)),
            err);
    if (st != PUAN_OK)
        return st;
    put_head(o, &c);
    for (size_t i = 0; i < m->n; i++)
        if (row[i].n > 0)
            put_row(o, &c, m, &m->unit[i], &row[i]);
    return puan_sheet_finish(o, err);
}

/* [LOWEST, HIGHEST] percent of a value. */
static enum puan_status near_to(int64_t *v, const struct puan_node *g,
                                struct sim_rng *rng, struct puan_err *err)
{
    const struct puan_node *p = puan_node_get(g, "percent");
    int64_t lo, hi;

    if (!p)
        return PUAN_OK;
    if (p->n != 2 || !puan_int_parse(&lo, p->first->text) ||
        !puan_int_parse(&hi, p->first->next->text) || lo > hi || lo < 0 ||
        hi > 100000)
        return puan_node_fail(p, err, "expected [LOWEST, HIGHEST]");
    *v = *v * (lo + (int64_t)sim_below(rng, (uint32_t)(hi - lo + 1))) / 100;
    return PUAN_OK;
}

static enum puan_status one_register(struct units *m, const struct puan_node *g,
                                     struct puan_err *err)
{
    const struct puan_node *names = puan_node_get(m->spec, "entities");
    struct puan_str file, column, item;
    struct puan_sheet_out *o;
    enum puan_status st = puan_node_str(&file, g, "file", err);

    if (st == PUAN_OK)
        st = puan_node_str(&column, g, "column", err);
    if (st == PUAN_OK)
        st = puan_node_str(&item, g, "item", err);
    if (st == PUAN_OK)
        st = puan_sheet_create(
            &o, puan_arena_fmt(m->a, "%s/%.*s", m->opt->out, PUAN_FMT(file)),
            err);
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_text(o, "household");
    puan_sheet_put(o, puan_node_str_opt(names, "area", "area"));
    puan_sheet_put(o, puan_node_str_opt(names, "number", "number"));
    puan_sheet_put(o, column);
    puan_sheet_end_row(o);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++) {
        struct sim_rng rng = sim_rng_of(
            m->opt->seed, FOR_REGISTER + (uint64_t)g->line, m->unit[i].serial);
        const struct unit_cell *c = sim_unit_cell(true_row(&m->unit[i]), item);
        int64_t v;

        if (!c || !puan_int_parse(&v, c->value))
            continue;
        st = near_to(&v, g, &rng, err);
        put_key(o, m, &m->unit[i]);
        puan_sheet_put_int(o, m->area[m->unit[i].ea].code);
        puan_sheet_put_int(o, m->unit[i].number);
        puan_sheet_put_int(o, v);
        puan_sheet_end_row(o);
    }
    if (st != PUAN_OK) {
        puan_sheet_abandon(o);
        return st;
    }
    return puan_sheet_finish(o, err);
}

/* Is the unit of the forms and answers that a given figure adds up? */
static bool counts(const struct puan_node *g, const struct unit *u)
{
    if (!has(puan_node_get(g, "forms"), u->form))
        return false;
    PUAN_NODE_EACH(w, puan_node_get(g, "where"))
    {
        const struct unit_cell *c = sim_unit_cell(true_row(u), w->key);

        if (!c || !has(w, c->value))
            return false;
    }
    return true;
}

static struct puan_str section_of(const struct units *m, const struct unit *u)
{
    int64_t division = 0, lo, hi;

    if (u->code.n > 2)
        (void)puan_int_parse(&division, (struct puan_str){ u->code.p, 2 });
    PUAN_NODE_EACH(s, puan_node_get(m->spec, "sections"))
    {
        if (s->n == 2 && puan_int_parse(&lo, s->first->text) &&
            puan_int_parse(&hi, s->first->next->text) && division >= lo &&
            division <= hi)
            return s->key;
    }
    return (struct puan_str){ "", 0 };
}

struct sum {
    int64_t area, v;
    struct puan_str section;
};

static enum puan_status one_given(struct puan_sheet_out *o, struct units *m,
                                  const struct puan_node *g,
                                  struct puan_err *err)
{
    struct sum *sum = puan_new_n(m->a, m->n + 1, struct sum);
    struct puan_str item = puan_node_str_opt(g, "item", ""), figure;
    int64_t digits;
    bool by_section = puan_node_get(g, "by_section") != NULL;
    size_t n = 0;
    enum puan_status st = puan_node_str(&figure, g, "figure", err);

    if (st == PUAN_OK)
        st = puan_node_int(&digits, g, "digits", 2, 15, err);
    if (st == PUAN_OK && !sum)
        st = puan_arena_check(m->a, err);
    for (size_t i = 0; st == PUAN_OK && i < m->n; i++) {
        const struct unit *u = &m->unit[i];
        int64_t code = m->area[u->ea].code, v = 1;
        struct puan_str section = { "", 0 };
        size_t k = 0;

        if (!counts(g, u))
            continue;
        if (item.n > 0) {
            const struct unit_cell *c = sim_unit_cell(true_row(u), item);

            if (!c || !puan_int_parse(&v, c->value))
                continue;
        }
        for (int64_t d = 15; d > digits; d--)
            code /= 10;
        if (by_section)
            section = section_of(m, u);
        if (by_section && section.n == 0)
            continue;
        while (k < n && !(sum[k].area == code &&
                          puan_str_eq(sum[k].section, section)))
            k++;
        if (k == n)
            sum[n++] = (struct sum){ .area = code, .section = section };
        sum[k].v += v;
    }
    for (size_t k = 0; st == PUAN_OK && k < n; k++) {
        struct sim_rng rng =
            sim_rng_of(m->opt->seed, FOR_GIVEN + (uint64_t)g->line, k);

        st = near_to(&sum[k].v, g, &rng, err);
        puan_sheet_put_int(o, sum[k].area);
        puan_sheet_put_text(o, puan_arena_fmt(
                                   m->a, "%.*s%s%.*s", PUAN_FMT(figure),
                                   by_section ? "_" : "",
                                   PUAN_FMT(sum[k].section)));
        puan_sheet_put_int(o, sum[k].v);
        puan_sheet_end_row(o);
    }
    return st;
}

static enum puan_status given(struct units *m, struct puan_err *err)
{
    struct puan_sheet_out *o;
    enum puan_status st = puan_sheet_create(&o, path_of(m, "given.csv"), err);

    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(o, PUAN_STR("area,figure,value\n"));
    PUAN_NODE_EACH(g, puan_node_get(m->spec, "given"))
    {
        if (st == PUAN_OK)
            st = one_given(o, m, g, err);
    }
    if (st != PUAN_OK) {
        puan_sheet_abandon(o);
        return st;
    }
    return puan_sheet_finish(o, err);
}

/* ---- the truth -------------------------------------------------------- */

static void fault_row(struct puan_sheet_out *o, const struct units *m,
                      const struct unit *u, int64_t number)
{
    puan_sheet_put_text(o, "fault");
    puan_sheet_put(o, m->county);
    put_key(o, m, u);
    puan_sheet_put_text(o, "0");
    puan_sheet_put(o, u->form);
    puan_sheet_put_text(o, "");
    if (u->other)
        put_key(o, m, u->other);
    else
        puan_sheet_put_text(o, "");
    puan_sheet_put_int(o, number);
    puan_sheet_put(o, puan_node_str_opt(u->fault, "name", ""));
    puan_sheet_put(o, u->item);
    puan_sheet_put(o, u->was);
    puan_sheet_put(o, u->is.p ? u->is : PUAN_STR("!"));
    puan_sheet_put(o, puan_node_str_opt(u->fault, "detect", "none"));
    puan_sheet_end_row(o);
}

static enum puan_status truth(struct units *m, int64_t *planted,
                              struct puan_err *err)
{
    struct puan_sheet_out *o;
    enum puan_status st = puan_sheet_create(&o, path_of(m, "truth.csv"), err);

    *planted = 0;
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(o, PUAN_STR("row,county,household,line,form,person,"
                                   "other_household,fault,kind,item,"
                                   "true_value,planted_value,detectable\n"));
    for (size_t i = 0; i < m->n; i++)
        if (m->unit[i].fault)
            fault_row(o, m, &m->unit[i], ++*planted);
    return puan_sheet_finish(o, err);
}

static void count_by(struct puan_jw *w, const struct units *m, const char *list,
                     const char *name, bool of_fault)
{
    puan_jw_map(w);
    PUAN_NODE_EACH(k, puan_node_get(m->spec, list))
    {
        int64_t n = 0;

        for (size_t i = 0; i < m->n; i++)
            n += (of_fault ? m->unit[i].fault : m->unit[i].kind) == k;
        if (n > 0) {
            puan_jw_key_s(w, puan_node_str_opt(k, name, ""));
            puan_jw_int(w, n);
        }
    }
    puan_jw_end(w, '}');
}

static enum puan_status manifest(struct units *m, int64_t planted,
                                 struct puan_err *err)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, m->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "seed", (int64_t)m->opt->seed);
    puan_jw_kstr(&w, "area", m->county);
    puan_jw_kint(&w, "units", (int64_t)m->n);
    puan_jw_kint(&w, "areas", (int64_t)m->n_eas);
    puan_jw_key(&w, "kinds");
    count_by(&w, m, "kinds", "kind", false);
    puan_jw_kint(&w, "planted", planted);
    puan_jw_key(&w, "faults");
    count_by(&w, m, "faults", "name", true);
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    return puan_file_write(path_of(m, "manifest.json"), puan_out_view(&o), 0644,
                           err);
}

enum puan_status sim_units_write(struct units *m, struct puan_err *err)
{
    const char *old = path_of(m, "returns");
    struct puan_str form[16];
    size_t n = 0;
    int64_t planted = 0;
    enum puan_status st = puan_dir_make(m->opt->out, err);

    /* another run's returns must not stand beside this one's */
    if (st == PUAN_OK && puan_dir_exists(old))
        st = puan_dir_remove(old, err);
    if (st == PUAN_OK)
        st = areas(m, err);
    if (st != PUAN_OK || m->opt->only_areas)
        return st;
    st = roll(m, err);
    for (size_t i = 0; i < m->n; i++) {
        size_t k = 0;

        while (k < n && !puan_str_eq(form[k], m->unit[i].form))
            k++;
        if (k == n && n < PUAN_COUNT(form))
            form[n++] = m->unit[i].form;
    }
    for (size_t k = 0; st == PUAN_OK && k < n; k++)
        st = one_form(m, form[k], err);
    if (st == PUAN_OK)
        st = documents(m, err);
    PUAN_NODE_EACH(f, puan_node_get(m->spec, "other_forms"))
    {
        if (st == PUAN_OK)
            st = other_form(m, f, err);
    }
    PUAN_NODE_EACH(g, puan_node_get(m->spec, "registers"))
    {
        if (st == PUAN_OK)
            st = one_register(m, g, err);
    }
    if (st == PUAN_OK)
        st = given(m, err);
    if (st == PUAN_OK)
        st = truth(m, &planted, err);
    return st == PUAN_OK ? manifest(m, planted, err) : st;
}
