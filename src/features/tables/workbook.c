/*
 * Workbooks of tables; see workbook.h.
 *
 * Rows are the dimensions but the last, nested, columns the last one; with
 * several measures, or where the last dimension is long, the measures are the
 * columns and every dimension is in the stub.
 */
#include "features/tables/workbook.h"

#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#include "kit/os/part.h"

#define COLUMNS_MOST 400u /* classes of a dimension laid out as columns */
#define EXACT ((int64_t)1 << 53)

struct puan_workbook {
    lxw_workbook *book;
    lxw_worksheet *list;
    const struct puan_tab_programme *p;
    lxw_format *title, *note, *head, *stub, *stub_total, *number, *number_total,
        *decimal[7], *link;
    size_t n; /* sheets of tables */
    bool en;
    struct puan_part part;
};

static const char *word(const struct puan_workbook *b, const char *zh,
                        const char *en)
{
    return b->en ? en : zh;
}

static struct puan_str label(const struct puan_workbook *b, struct puan_str zh,
                             struct puan_str en, struct puan_str other)
{
    struct puan_str s = b->en ? en : zh;

    return s.n ? s : other;
}

/* ---- formats ---------------------------------------------------------------
 */

static lxw_format *boxed(struct puan_workbook *b)
{
    lxw_format *f = workbook_add_format(b->book);

    format_set_font_name(f, b->en ? "Arial" : "SimSun");
    format_set_font_size(f, 10);
    format_set_border(f, LXW_BORDER_THIN);
    format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
    return f;
}

static void formats(struct puan_workbook *b)
{
    char places[16];

    b->title = workbook_add_format(b->book);
    format_set_bold(b->title);
    format_set_font_size(b->title, 14);
    format_set_font_name(b->title, b->en ? "Arial" : "SimHei");
    format_set_align(b->title, LXW_ALIGN_CENTER);
    b->note = workbook_add_format(b->book);
    format_set_font_size(b->note, 9);
    format_set_font_name(b->note, b->en ? "Arial" : "SimSun");
    b->link = workbook_add_format(b->book);
    format_set_font_color(b->link, LXW_COLOR_BLUE);
    format_set_underline(b->link, LXW_UNDERLINE_SINGLE);
    b->head = boxed(b);
    format_set_bold(b->head);
    format_set_align(b->head, LXW_ALIGN_CENTER);
    format_set_text_wrap(b->head);
    format_set_bg_color(b->head, 0xE8ECF2);
    b->stub = boxed(b);
    b->stub_total = boxed(b);
    format_set_bold(b->stub_total);
    b->number = boxed(b);
    format_set_num_format(b->number, "#,##0");
    b->number_total = boxed(b);
    format_set_num_format(b->number_total, "#,##0");
    format_set_bold(b->number_total);
    for (unsigned i = 0; i < PUAN_COUNT(b->decimal); i++) {
        puan_format(places, sizeof(places), "#,##0%.*s", i ? (int)i + 1 : 0,
                    ".000000");
        b->decimal[i] = boxed(b);
        format_set_num_format(b->decimal[i], places);
    }
}

/* ---- cells of the sheet ----------------------------------------------------
 */

static const char *text_of(struct puan_str s, struct puan_arena *a)
{
    return puan_arena_dup(a, s);
}

/* The cell of a table with this key; UINT64_MAX: there is none. */
static uint64_t find(const struct puan_tab_result *r, uint64_t key)
{
    uint64_t lo = 0, hi = r->n;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (r->key[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->n && r->key[lo] == key ? lo : UINT64_MAX;
}

static double scaled(int64_t v, unsigned places)
{
    double d = (double)v;

    while (places--)
        d /= 10;
    return d;
}

/* A count or sum of nothing is 0; a mean or rate of nothing a dash. */
static void put_value(struct puan_workbook *b, lxw_worksheet *ws,
                      lxw_row_t row, lxw_col_t col,
                      const struct puan_tab_result *r, uint64_t cell,
                      size_t show, bool bold)
{
    enum puan_tab_kind kind = r->table->show[show].kind;
    lxw_format *f = bold ? b->number_total : b->number;
    unsigned places = 0;
    int64_t v = 0;
    char text[32];

    if (cell == UINT64_MAX ? kind != PUAN_TAB_COUNT && kind != PUAN_TAB_SUM
                           : !puan_tab_cell(&v, &places, r, cell, show)) {
        worksheet_write_string(ws, row, col, "\xe2\x80\x93", b->number);
        return;
    }
    if (v >= EXACT || v <= -EXACT) { /* beyond what a sheet's number holds */
        puan_format(text, sizeof(text), "%lld", (long long)v);
        worksheet_write_string(ws, row, col, text, f);
        return;
    }
    if (places)
        f = b->decimal[places < PUAN_COUNT(b->decimal)
                           ? places
                           : PUAN_COUNT(b->decimal) - 1];
    worksheet_write_number(ws, row, col, scaled(v, places), f);
}

/* ---- one sheet -------------------------------------------------------------
 */

struct sheet {
    struct puan_workbook *b;
    lxw_worksheet *ws;
    const struct puan_tab_result *r;
    struct puan_tab_result margin[PUAN_TAB_DIMS + 1]; /* by stub dims kept */
    struct puan_tab_result across[PUAN_TAB_DIMS + 1]; /* with the column dim */
    size_t n_stub;
    bool columns, totals; /* the last dimension lies across */
    lxw_row_t row;
    struct puan_arena *a;
};

static struct puan_str class_label(const struct puan_workbook *b,
                                   const struct puan_tab_class *c)
{
    return label(b, c->zh, c->en, c->code);
}

static lxw_col_t width_of(const struct sheet *s)
{
    size_t n = s->columns ? s->r->dim[s->n_stub].n + s->totals
                          : s->r->table->n_show;

    return (lxw_col_t)(s->n_stub + n);
}

static void put_heads(struct sheet *s)
{
    const struct puan_tab_result *r = s->r;
    const struct puan_tab_table *t = r->table;
    struct puan_workbook *b = s->b;
    lxw_col_t last = (lxw_col_t)(width_of(s) - 1), col = 0;
    const char *title =
        text_of(label(b, t->zh, t->en, t->id), s->a);

    if (last > 0)
        worksheet_merge_range(s->ws, 0, 0, 0, last, title, b->title);
    else
        worksheet_write_string(s->ws, 0, 0, title, b->title);
    worksheet_set_row(s->ws, 0, 24, NULL);
    worksheet_write_string(
        s->ws, 1, 0,
        puan_arena_fmt(s->a, "%s %.*s%s%.*s", word(b, "表", "Table"),
                       PUAN_FMT(t->id), t->note.n ? "  " : "",
                       PUAN_FMT(t->note)),
        b->note);
    if (s->columns)
        worksheet_write_string(
            s->ws, 1, last,
            text_of(label(b, t->show[0].zh, t->show[0].en, t->show[0].name),
                    s->a),
            b->note);
    for (size_t d = 0; d < s->n_stub; d++)
        worksheet_write_string(
            s->ws, 2, col++,
            text_of(label(b, r->dim[d].zh, r->dim[d].en, r->dim[d].name),
                    s->a),
            b->head);
    if (s->columns && s->totals)
        worksheet_write_string(s->ws, 2, col++, word(b, "合计", "Total"),
                               b->head);
    for (size_t i = 0; s->columns && i < r->dim[s->n_stub].n; i++)
        worksheet_write_string(
            s->ws, 2, col++,
            text_of(class_label(b, &r->dim[s->n_stub].class_[i]), s->a),
            b->head);
    for (size_t i = 0; !s->columns && i < t->n_show; i++)
        worksheet_write_string(
            s->ws, 2, col++,
            text_of(label(b, t->show[i].zh, t->show[i].en, t->show[i].name),
                    s->a),
            b->head);
    s->row = 3;
    worksheet_set_column(s->ws, 0, (lxw_col_t)(s->n_stub ? s->n_stub - 1 : 0),
                         18, NULL);
    worksheet_set_column(s->ws, (lxw_col_t)s->n_stub, last, 12, NULL);
    worksheet_freeze_panes(s->ws, 3, (lxw_col_t)s->n_stub);
    worksheet_repeat_rows(s->ws, 2, 2);
    worksheet_set_landscape(s->ws);
    worksheet_set_paper(s->ws, 9); /* A4 */
    worksheet_fit_to_pages(s->ws, 1, 0);
    worksheet_set_footer(s->ws, "&C&P / &N");
}

/* One line: `kept` stub dimensions have a class, the others are totals. */
static void put_line(struct sheet *s, const size_t *cls, size_t kept)
{
    const struct puan_tab_result *m = &s->margin[kept], *x = &s->across[kept];
    struct puan_workbook *b = s->b;
    bool bold = kept < s->n_stub;
    lxw_col_t col = 0;
    uint64_t key = 0, at;

    for (size_t d = 0; d < s->n_stub; d++) {
        const char *text =
            d < kept ? text_of(class_label(b, &s->r->dim[d].class_[cls[d]]),
                               s->a)
                     : word(b, "合计", "Total");

        worksheet_write_string(s->ws, s->row, col++, text,
                               bold ? b->stub_total : b->stub);
        if (d < kept)
            key += cls[d] * m->stride[d];
    }
    at = find(m, key);
    if (!s->columns) {
        for (size_t i = 0; i < s->r->table->n_show; i++)
            put_value(b, s->ws, s->row, col++, m, at, i, bold);
        s->row++;
        return;
    }
    if (s->totals)
        put_value(b, s->ws, s->row, col++, m, at, 0, true);
    key = 0;
    for (size_t d = 0; d < kept; d++)
        key += cls[d] * x->stride[d];
    for (size_t i = 0; i < s->r->dim[s->n_stub].n; i++)
        put_value(b, s->ws, s->row, col++, x, find(x, key + i), 0, bold);
    s->row++;
}

static enum puan_status put_body(struct sheet *s, struct puan_err *err)
{
    const struct puan_tab_result *rows = &s->margin[s->n_stub];
    size_t cls[PUAN_TAB_DIMS] = { 0 }, last[PUAN_TAB_DIMS];

    if (s->totals && s->n_stub)
        put_line(s, cls, 0);
    for (size_t d = 0; d < PUAN_TAB_DIMS; d++)
        last[d] = SIZE_MAX;
    for (uint64_t i = 0; i < rows->n; i++) {
        bool changed = false;

        if (s->row > LXW_ROW_MAX - s->n_stub - 2)
            return puan_fail(err, PUAN_ELIMIT, "xlsx",
                             "table '%.*s' has more lines than a sheet (%d); "
                             "write it as CSV",
                             PUAN_FMT(s->r->table->id), LXW_ROW_MAX);
        for (size_t d = 0; d < s->n_stub; d++) {
            cls[d] =
                (size_t)(rows->key[i] / rows->stride[d] % rows->dim[d].n);
            changed |= cls[d] != last[d];
            last[d] = cls[d];
            if (changed && s->totals && d + 1 < s->n_stub)
                put_line(s, cls, d + 1);
        }
        put_line(s, cls, s->n_stub);
    }
    return PUAN_OK;
}

static void list_table(struct puan_workbook *b, const struct puan_tab_result *r,
                       struct puan_arena *a)
{
    lxw_row_t row = (lxw_row_t)(b->n + 2);
    const char *id = text_of(r->table->id, a);

    if (b->list == NULL)
        return;
    worksheet_write_url(b->list, row, 0,
                        puan_arena_fmt(a, "internal:'%s'!A1", id), b->link);
    worksheet_write_string(b->list, row, 0, id, b->link);
    worksheet_write_string(
        b->list, row, 1,
        text_of(label(b, r->table->zh, r->table->en, r->table->id), a), NULL);
}

enum puan_status puan_workbook_add(struct puan_workbook *b,
                                   const struct puan_tab_result *r,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct sheet s = { .b = b, .r = r, .a = a, .totals = r->table->totals };
    const char *name = text_of(r->table->id, a);
    enum puan_status st = PUAN_OK;

    s.columns = r->table->n_show == 1 && r->n_dims >= 2 &&
                r->dim[r->n_dims - 1].n <= COLUMNS_MOST;
    s.n_stub = r->n_dims - s.columns;
    if (workbook_validate_sheet_name(b->book, name) != LXW_NO_ERROR)
        name = puan_arena_fmt(a, "%zu", b->n + 1);
    if (r->table->n_show + s.n_stub > LXW_COL_MAX)
        return puan_fail(err, PUAN_ELIMIT, "xlsx",
                         "table '%.*s' has more columns than a sheet",
                         PUAN_FMT(r->table->id));
    s.ws = workbook_add_worksheet(b->book, name);
    if (s.ws == NULL)
        return puan_fail(err, PUAN_EINVAL, "xlsx",
                         "no sheet can be named '%s'", name);
    for (size_t k = 0; st == PUAN_OK && k <= s.n_stub; k++) {
        uint64_t keep = ((uint64_t)1 << k) - 1;

        st = puan_tab_margin(&s.margin[k], r, keep, a, err);
        if (st == PUAN_OK && s.columns)
            st = puan_tab_margin(&s.across[k], r,
                                 keep | (uint64_t)1 << s.n_stub, a, err);
    }
    if (st != PUAN_OK)
        return st;
    put_heads(&s);
    st = put_body(&s, err);
    list_table(b, r, a);
    b->n++;
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* ---- the book --------------------------------------------------------------
 */

static void free_book(struct puan_workbook *b)
{
    if (b->part.path)
        puan_part_drop(&b->part);
    free(b);
}

enum puan_status puan_workbook_open(struct puan_workbook **out,
                                    const char *path,
                                    const struct puan_tab_programme *p, bool en,
                                    struct puan_err *err)
{
    struct puan_workbook *b = calloc(1, sizeof(*b));
    lxw_workbook_options opt = { .constant_memory = LXW_FALSE };
    struct puan_str title;
    enum puan_status st;

    *out = NULL;
    if (b == NULL)
        return puan_fail(err, PUAN_ENOMEM, "xlsx", "out of memory");
    st = puan_part_open(&b->part, path, PUAN_PART_WHOLE, 0666, err);
    if (st != PUAN_OK) {
        free_book(b);
        return st;
    }
    b->book = workbook_new_opt(b->part.at, &opt);
    if (b->book == NULL) {
        free_book(b);
        return puan_fail(err, PUAN_ENOMEM, "xlsx", "out of memory");
    }
    b->p = p;
    b->en = en;
    formats(b);
    if (p->n_tables > 1) {
        char name[256];

        b->list = workbook_add_worksheet(b->book, word(b, "目录", "Contents"));
        title = label(b, p->zh, p->en, p->id);
        puan_format(name, sizeof(name), "%.*s", (int)(title.n < 250 ? title.n
                                                                    : 250),
                    title.p ? title.p : "");
        worksheet_write_string(b->list, 0, 0, name, b->title);
        worksheet_set_column(b->list, 0, 0, 16, NULL);
        worksheet_set_column(b->list, 1, 1, 60, NULL);
    }
    *out = b;
    return PUAN_OK;
}

enum puan_status puan_workbook_close(struct puan_workbook *b, bool keep,
                                     struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    lxw_error e = workbook_close(b->book);

    if (keep && e != LXW_NO_ERROR)
        st = puan_fail(err, PUAN_EWRITE, b->part.path, "cannot be written: %s",
                       lxw_strerror(e));
    if (st == PUAN_OK && keep)
        st = puan_part_keep(&b->part, false, err);
    free_book(b);
    return st;
}
