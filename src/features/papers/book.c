/*
 * The tables of a paper as a workbook (libxlsxwriter): a sheet each, title,
 * heads that stay, numbers as numbers.  Texts are never formulas.
 */
#include <xlsxwriter.h>

#include "features/papers/internal.h"
#include "kit/os/os.h"

struct book {
    lxw_workbook *book;
    lxw_format *title, *head, *cell, *strong;
};

static void formats(struct book *b, bool en)
{
    const char *song = en ? "Arial" : "SimSun";
    lxw_format **boxed[] = { &b->head, &b->cell, &b->strong };

    b->title = workbook_add_format(b->book);
    format_set_bold(b->title);
    format_set_font_size(b->title, 14);
    format_set_font_name(b->title, en ? "Arial" : "SimHei");
    format_set_align(b->title, LXW_ALIGN_CENTER);
    for (size_t i = 0; i < PUAN_COUNT(boxed); i++) {
        lxw_format *f = *boxed[i] = workbook_add_format(b->book);

        format_set_font_name(f, song);
        format_set_font_size(f, 10);
        format_set_border(f, LXW_BORDER_THIN);
        format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
        format_set_text_wrap(f);
    }
    format_set_bold(b->head);
    format_set_align(b->head, LXW_ALIGN_CENTER);
    format_set_bold(b->strong);
}

/* A whole number or one with decimals, not a code with a leading nought. */
static bool number(double *v, struct puan_str s)
{
    int64_t n;
    bool lead = s.n > 1 && s.p[0] == '0' && s.p[1] != '.';

    if (s.n == 0 || s.n > 15 || lead || !puan_fixed_parse(&n, s, 4))
        return false;
    *v = (double)n / 10000.0;
    return true;
}

static void put(struct book *b, lxw_worksheet *sheet, lxw_row_t row,
                lxw_col_t col, struct puan_str text, lxw_format *f,
                struct puan_arena *a)
{
    double v;

    if (number(&v, text))
        worksheet_write_number(sheet, row, col, v, f);
    else
        worksheet_write_string(sheet, row, col, puan_arena_dup(a, text), f);
    (void)b;
}

static void table(struct book *b, const struct puan_paper *p,
                  const struct puan_paper_table *t, size_t n,
                  struct puan_arena *a)
{
    const char *name =
        puan_arena_fmt(a, p->en ? "Table %zu" : "表%zu", n);
    lxw_worksheet *sheet = workbook_add_worksheet(b->book, name);
    lxw_col_t last = (lxw_col_t)(t->n_columns - 1);
    struct puan_str title = t->title.n ? t->title : p->title;
    lxw_row_t row = 0;
    int64_t all = 0;

    if (sheet == NULL)
        return;
    for (size_t i = 0; i < t->n_columns; i++)
        all += t->column[i].width;
    for (size_t i = 0; i < t->n_columns; i++)
        worksheet_set_column(sheet, (lxw_col_t)i, (lxw_col_t)i,
                             90.0 * (double)t->column[i].width / (double)all +
                                 4,
                             NULL);
    if (last > 0)
        worksheet_merge_range(sheet, row, 0, row, last,
                              puan_arena_dup(a, title), b->title);
    else
        worksheet_write_string(sheet, row, 0, puan_arena_dup(a, title),
                               b->title);
    row++;
    if (p->mark.n > 0)
        worksheet_write_string(sheet, row++, 0, puan_arena_dup(a, p->mark),
                               NULL);
    if (t->headed) {
        for (size_t i = 0; i < t->n_columns; i++)
            worksheet_write_string(sheet, row, (lxw_col_t)i,
                                   puan_arena_dup(a, t->column[i].head),
                                   b->head);
        worksheet_freeze_panes(sheet, row + 1, 0);
        worksheet_repeat_rows(sheet, row, row);
        row++;
    }
    for (size_t r = 0; r < t->n_rows; r++, row++) {
        const struct puan_paper_row *x = &t->row[r];

        if (x->group && last > 0) {
            worksheet_merge_range(sheet, row, 0, row, last,
                                  puan_arena_dup(a, x->cell[0]), b->strong);
            continue;
        }
        for (size_t i = 0; i < (x->group ? 1 : t->n_columns); i++)
            put(b, sheet, row, (lxw_col_t)i, x->cell[i],
                x->strong ? b->strong : b->cell, a);
    }
    if (p->foot.n > 0)
        worksheet_write_string(sheet, row + 1, 0, puan_arena_dup(a, p->foot),
                               NULL);
    worksheet_set_paper(sheet, 9); /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
}

enum puan_status puan_papers_book(struct puan_str *xlsx,
                                  const struct puan_paper *p,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_memory_file m = { .fd = -1 };
    struct book b = { 0 };
    enum puan_status st;
    size_t n = 0;
    lxw_error e;

    for (size_t i = 0; i < p->n_blocks; i++)
        n += p->block[i].kind == PUAN_PAPER_TABLE;
    if (n == 0)
        return puan_fail(err, PUAN_EINVAL, "format",
                         "this paper has no table; ask for pdf");
    st = puan_memory_file_open(&m, PUAN_STR(""), err);
    if (st != PUAN_OK)
        return st;
    b.book = workbook_new(m.path);
    if (b.book == NULL) {
        st = puan_fail(err, PUAN_ENOMEM, "xlsx", "out of memory");
        goto out;
    }
    formats(&b, p->en);
    n = 0;
    for (size_t i = 0; i < p->n_blocks; i++)
        if (p->block[i].kind == PUAN_PAPER_TABLE)
            table(&b, p, &p->block[i].table, ++n, a);
    e = workbook_close(b.book);
    st = e == LXW_NO_ERROR
             ? puan_file_read(xlsx, m.path, 64u << 20, a, err)
             : puan_fail(err, PUAN_EWRITE, "xlsx", "%s", lxw_strerror(e));
out:
    puan_memory_file_close(&m);
    return st;
}
