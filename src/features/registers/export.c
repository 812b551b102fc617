/*
 * A register as an Office Open XML workbook (libxlsxwriter), as it is printed:
 * title, head on every page, landscape.
 */
#include <string.h>
#include <xlsxwriter.h>

#include "features/registers/internal.h"
#include "kit/os/os.h"

#define LONGEST 32767 /* characters of a cell; never more bytes are given */

/* A sheet's name has at most 31 characters and none of []:*?/\ . */
static const char *name_of(struct puan_str s, struct puan_arena *a)
{
    char *name = puan_arena_get(a, s.n + 1);
    size_t n = 0, at = 0;

    if (name == NULL)
        return NULL;
    memcpy(name, s.p, s.n);
    name[s.n] = '\0';
    for (; name[at] != '\0'; at++) {
        if (strchr("[]:*?/\\", name[at]) != NULL)
            name[at] = ' ';
        if (((unsigned char)name[at] & 0xc0) != 0x80 && ++n > 31) {
            name[at] = '\0';
            break;
        }
    }
    return name;
}

static double width(const struct puan_register_sheet *s, size_t column)
{
    size_t widest = 6;

    for (size_t r = 0; r <= s->n_rows && r < 200; r++) {
        struct puan_str t = s->cell[r * s->n_columns + column].text;
        size_t w = 0;

        while (t.n > 0)
            w += puan_utf8_next(&t) >= 0x2e80 ? 2 : 1;
        widest = w > widest ? w : widest;
    }
    return widest > 40 ? 40 : (double)widest + 1;
}

static enum puan_status fill(lxw_workbook *book,
                             const struct puan_register_sheet *s, bool zh,
                             struct puan_arena *a, struct puan_err *err)
{
    const char *font = zh ? "SimSun" : "Arial";
    lxw_format *title = workbook_add_format(book);
    lxw_format *head = workbook_add_format(book);
    lxw_format *body = workbook_add_format(book);
    lxw_worksheet *sheet;
    lxw_error bad = LXW_NO_ERROR;

    format_set_bold(title);
    format_set_font_size(title, 14);
    format_set_font_name(title, zh ? "SimHei" : "Arial");
    for (int i = 0; i < 2; i++) {
        lxw_format *f = i == 0 ? head : body;

        format_set_font_name(f, font);
        format_set_font_size(f, 10);
        format_set_border(f, LXW_BORDER_THIN);
        format_set_text_wrap(f);
        format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
    }
    format_set_bold(head);
    format_set_align(head, LXW_ALIGN_CENTER);
    format_set_bg_color(head, 0xE8ECF2);
    sheet = workbook_add_worksheet(book, name_of(s->title, a));
    if (sheet == NULL)
        return puan_fail(err, PUAN_EIO, "registers", "no sheet could be made");
    worksheet_set_landscape(sheet);
    worksheet_set_paper(sheet, 9); /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
    worksheet_freeze_panes(sheet, 2, 1);
    worksheet_repeat_rows(sheet, 0, 1);
    worksheet_write_string(sheet, 0, 0, puan_arena_dup(a, s->title), title);
    for (size_t i = 0; i < s->n_columns; i++)
        worksheet_set_column(sheet, (lxw_col_t)i, (lxw_col_t)i, width(s, i),
                             NULL);
    for (size_t r = 0; bad == LXW_NO_ERROR && r <= s->n_rows; r++)
        for (size_t i = 0; bad == LXW_NO_ERROR && i < s->n_columns; i++) {
            const struct puan_register_cell *c =
                &s->cell[r * s->n_columns + i];
            struct puan_str text = c->text;
            int64_t v;

            if (text.n > LONGEST) /* cut between characters */
                for (text.n = LONGEST;
                     text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) ==
                                       0x80;)
                    text.n--;
            if (c->number && puan_int_parse(&v, text))
                bad = worksheet_write_number(sheet, (lxw_row_t)(r + 1),
                                             (lxw_col_t)i, (double)v, body);
            else
                bad = worksheet_write_string(
                    sheet, (lxw_row_t)(r + 1), (lxw_col_t)i,
                    text.n ? puan_arena_dup(a, text) : "",
                    r == 0 ? head : body);
        }
    return bad == LXW_NO_ERROR
               ? puan_arena_check(a, err)
               : puan_fail(err, PUAN_EIO, "registers", "%s",
                           lxw_strerror(bad));
}

enum puan_status puan_register_xlsx(struct puan_str *out,
                                    const struct puan_register_sheet *s,
                                    bool zh, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_memory_file m;
    lxw_workbook *book;
    enum puan_status st;
    lxw_error bad;

    TRY(puan_memory_file_open(&m, PUAN_STR(""), err));
    book = workbook_new(m.path);
    if (book == NULL) {
        puan_memory_file_close(&m);
        return puan_fail(err, PUAN_ENOMEM, "registers", "out of memory");
    }
    st = fill(book, s, zh, a, err);
    bad = workbook_close(book);
    if (st == PUAN_OK && bad != LXW_NO_ERROR)
        st = puan_fail(err, PUAN_EIO, "registers", "%s", lxw_strerror(bad));
    if (st == PUAN_OK)
        st = puan_file_read(out, m.path, 0, a, err);
    puan_memory_file_close(&m);
    return st;
}
