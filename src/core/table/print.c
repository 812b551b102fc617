/*
 * Tables as CSV, SDMX-CSV and JSON; see tabulate.h.
 */
#include "base/csv.h"
#include "core/table/tabulate.h"

/* ---- numbers ---------------------------------------------------------------
 */

/* Room for a number and the comma before it; at most 9 decimals. */
#define DECIMAL_MOST 34u
#define LINES 65536u

static size_t decimal_text(char *out, int64_t v, unsigned places)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char back[32];
    size_t n = 0, m = 0;

    for (unsigned i = 0; i < places || u || i == places; i++) {
        if (i == places && places)
            back[n++] = '.';
        back[n++] = (char)('0' + u % 10);
        u /= 10;
    }
    if (v < 0)
        out[m++] = '-';
    while (n)
        out[m++] = back[--n];
    out[m] = '\0';
    return m;
}

static void put_decimal(struct puan_out *o, int64_t v, unsigned places)
{
    char text[40];

    puan_out_bytes(o, text, decimal_text(text, v, places));
}

static bool put_measure(struct puan_out *o, const struct puan_tab_result *r,
                        uint64_t cell, size_t show)
{
    unsigned places;
    int64_t v;

    if (!puan_tab_cell(&v, &places, r, cell, show))
        return false;
    put_decimal(o, v, places);
    return true;
}

static const struct puan_tab_class total = {
    .state = PUAN_GIVEN,
    .code = { "_T", 2 },
    .zh = { "合计", sizeof("合计") - 1 },
    .en = { "Total", sizeof("Total") - 1 },
};

/* Class of dimension d of the whole table, in a view of it. */
static const struct puan_tab_class *class_in(const struct puan_tab_view *v,
                                             uint64_t key, size_t d)
{
    const struct puan_tab_result *m = v->cells;
    size_t k = 0;

    if (!(v->kept >> d & 1))
        return &total;
    for (size_t i = 0; i < d; i++)
        k += v->kept >> i & 1;
    return &m->dim[k].class_[key / m->stride[k] % m->dim[k].n];
}

/* ---- CSV -------------------------------------------------------------------
 */

void puan_tab_csv_head(struct puan_out *o, const struct puan_tab_result *r,
                       enum puan_tab_labels labels)
{
    bool first = true;

    if (r->table->note.n)
        puan_out_fmt(o, "# %.*s\n", PUAN_FMT(r->table->note));
    for (size_t d = 0; d < r->n_dims; d++) {
        if (!first)
            puan_out_char(o, ',');
        first = false;
        puan_csv_put(o, r->dim[d].name);
        if (labels != PUAN_TAB_CODES) {
            struct puan_str l =
                labels == PUAN_TAB_ZH ? r->dim[d].zh : r->dim[d].en;

            puan_out_char(o, ',');
            if (puan_str_eq(l, r->dim[d].name))
                l = puan_str_of(puan_arena_fmt(
                    o->arena,
                    labels == PUAN_TAB_ZH ? "%.*s名称" : "%.*s label",
                    PUAN_FMT(l)));
            puan_csv_put(o, l);
        }
    }
    for (size_t s = 0; s < r->table->n_show; s++) {
        if (!first)
            puan_out_char(o, ',');
        first = false;
        puan_csv_put(o, r->table->show[s].name);
    }
    puan_out_char(o, '\n');
}

/* The texts of classes are written a million times: made ready once. */
struct ready {
    struct puan_str *text; /* by class, comma behind */
    size_t n;
};

static bool make_ready(struct ready *q, const struct puan_tab_view *v, size_t d,
                       enum puan_tab_labels labels, struct puan_arena *a)
{
    const struct puan_tab_dim *dim = &v->whole->dim[d];
    bool kept = v->kept >> d & 1;

    q->n = kept ? dim->n : 1;
    q->text = puan_new_n(a, q->n, struct puan_str);
    for (size_t i = 0; q->text && i < q->n; i++) {
        const struct puan_tab_class *c = kept ? &dim->class_[i] : &total;
        struct puan_out o;

        puan_out_init(&o, a);
        puan_csv_put(&o, c->code);
        puan_out_char(&o, ',');
        if (labels != PUAN_TAB_CODES) {
            puan_csv_put(&o, labels == PUAN_TAB_ZH ? c->zh : c->en);
            puan_out_char(&o, ',');
        }
        q->text[i] = puan_out_view(&o);
    }
    return !a->failed;
}

void puan_tab_csv_rows(struct puan_out *o, const struct puan_tab_view *v,
                       uint64_t from, uint64_t to, enum puan_tab_labels labels)
{
    const struct puan_tab_result *w = v->whole, *m = v->cells;
    struct ready q[PUAN_TAB_DIMS];
    uint64_t stride[PUAN_TAB_DIMS];
    size_t k = 0, most = w->table->n_show * DECIMAL_MOST + 1;
    char *room, *at;

    for (size_t d = 0; d < w->n_dims; d++) {
        size_t longest = 0;

        if (!make_ready(&q[d], v, d, labels, o->arena))
            return;
        stride[d] = v->kept >> d & 1 ? m->stride[k++] : UINT64_MAX;
        for (size_t i = 0; i < q[d].n; i++)
            longest = q[d].text[i].n > longest ? q[d].text[i].n : longest;
        most += longest;
    }
    for (uint64_t i = from; i < to;) { /* some lines at a time, in one room */
        uint64_t end = to - i < LINES ? to : i + LINES;

        room = at = puan_arena_get_n(o->arena, (size_t)(end - i), most);
        if (room == NULL)
            return;
        for (; i < end; i++) {
            uint64_t key = m->key[i];

            for (size_t d = 0; d < w->n_dims; d++) {
                uint64_t c = stride[d] == UINT64_MAX ? 0 : key / stride[d];

                key -= stride[d] == UINT64_MAX ? 0 : c * stride[d];
                memcpy(at, q[d].text[c].p, q[d].text[c].n);
                at += q[d].text[c].n;
            }
            for (size_t s = 0; s < w->table->n_show; s++) {
                unsigned places;
                int64_t x;

                if (s)
                    *at++ = ',';
                if (puan_tab_cell(&x, &places, m, i, s))
                    at += decimal_text(at, x, places);
            }
            *at++ = '\n';
        }
        if (o->p == NULL && i == to) { /* the whole: no need to copy it */
            o->p = room;
            o->n = (size_t)(at - room);
            o->cap = o->n + 1;
        } else {
            puan_out_bytes(o, room, (size_t)(at - room));
        }
    }
}

/* ---- SDMX-CSV --------------------------------------------------------------
 */

static bool sdmx_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '@' || c == '$' ||
           c == '-';
}

/* An id of SDMX: letters, digits and _ @ $ -; other bytes become one _. */
static void put_id(struct puan_out *o, struct puan_str s, bool upper)
{
    bool gap = false;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (upper && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c == '+') {
            puan_out_text(o, "_PLUS");
            gap = false;
        } else if (c == '<') {
            puan_out_text(o, "LT_");
            gap = false;
        } else if (sdmx_char(c)) {
            puan_out_char(o, c);
            gap = false;
        } else if (!gap) {
            puan_out_char(o, '_');
            gap = true;
        }
    }
}

void puan_tab_sdmx_head(struct puan_out *o, const struct puan_tab_result *r)
{
    puan_out_text(o, "STRUCTURE,STRUCTURE_ID,ACTION,");
    for (size_t d = 0; d < r->n_dims; d++) {
        put_id(o, r->dim[d].name, true);
        puan_out_char(o, ',');
    }
    puan_out_text(o, r->table->note.n ? "MEASURE,OBS_VALUE,COMMENT_DSET\n"
                                      : "MEASURE,OBS_VALUE\n");
}

void puan_tab_sdmx_rows(struct puan_out *o, const struct puan_tab_view *v,
                        uint64_t from, uint64_t to)
{
    const struct puan_tab_result *w = v->whole;

    for (uint64_t i = from; i < to; i++)
        for (size_t s = 0; s < w->table->n_show; s++) {
            puan_out_text(o, "dataflow,PUAN:");
            put_id(o, w->table->id.n ? w->table->id : PUAN_STR("TABLE"), true);
            puan_out_text(o, "(1.0.0),I,");
            for (size_t d = 0; d < w->n_dims; d++) {
                put_id(o, class_in(v, v->cells->key[i], d)->code, false);
                puan_out_char(o, ',');
            }
            put_id(o, w->table->show[s].name, true);
            puan_out_char(o, ',');
            put_measure(o, v->cells, i, s);
            if (w->table->note.n) {
                puan_out_char(o, ',');
                puan_csv_put(o, w->table->note);
            }
            puan_out_char(o, '\n');
        }
}

/* ---- JSON ------------------------------------------------------------------
 */

static void json_names(struct puan_jw *w, struct puan_str zh,
                       struct puan_str en)
{
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

void puan_tab_json(struct puan_jw *w, const struct puan_tab_result *r)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "id", r->table->id);
    json_names(w, r->table->zh, r->table->en);
    if (r->table->note.n)
        puan_jw_kstr(w, "note", r->table->note);
    puan_jw_key(w, "dims");
    puan_jw_list(w);
    for (size_t d = 0; d < r->n_dims; d++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "name", r->dim[d].name);
        json_names(w, r->dim[d].zh, r->dim[d].en);
        puan_jw_key(w, "classes");
        puan_jw_list(w);
        for (size_t i = 0; i < r->dim[d].n; i++) {
            puan_jw_map(w);
            puan_jw_kstr(w, "code", r->dim[d].class_[i].code);
            json_names(w, r->dim[d].class_[i].zh, r->dim[d].class_[i].en);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "measures");
    puan_jw_list(w);
    for (size_t s = 0; s < r->table->n_show; s++) {
        const struct puan_tab_show *m = &r->table->show[s];

        puan_jw_map(w);
        puan_jw_kstr(w, "name", m->name);
        json_names(w, m->zh.n ? m->zh : m->name, m->en.n ? m->en : m->name);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "cells"); /* classes, then values as texts */
    puan_jw_list(w);
    for (uint64_t i = 0; i < r->n; i++) {
        puan_jw_list(w);
        for (size_t d = 0; d < r->n_dims; d++)
            puan_jw_int(w, (int64_t)(r->key[i] / r->stride[d] %
                                     (r->dim[d].n ? r->dim[d].n : 1)));
        for (size_t s = 0; s < r->table->n_show; s++) {
            char keep[40];
            int64_t v;
            unsigned places;

            if (!puan_tab_cell(&v, &places, r, i, s)) {
                puan_jw_null(w);
            } else if (places == 0) {
                puan_jw_int(w, v);
            } else {
                decimal_text(keep, v, places);
                puan_jw_text(w, keep);
            }
        }
        puan_jw_end(w, ']');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}
