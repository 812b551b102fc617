/*
 * Laying out and drawing a paper; see sheet.h.
 *
 * A slug is what is never cut: a line of text, a row of a table, a blank.  It
 * has pieces (lines of text) and strokes at places relative to its top.
 */
#include "programs/paper/sheet.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PT(hundredths_mm) ((double)(hundredths_mm) / 100.0 * 72.0 / 25.4)
#define MM(mm) ((mm) * 72.0 / 25.4)
#define PAGES_MOST 2000

struct piece {
    PangoLayout *layout;
    int line;    /* which of its lines */
    double x, y; /* baseline, from the text area's left and the slug's top */
    bool red;
};
struct stroke {
    double x0, y0, x1, y1, width;
    bool red;
};
struct slug {
    double height;
    size_t piece, n_pieces, stroke, n_strokes; /* runs in the sheet's lists */
    int table;  /* of a row, -1 */
    bool keep;  /* on one page with the next */
    bool blank; /* dropped at the head of a page */
};
/* The head row of a table is drawn again on each page. */
struct head {
    size_t slug;
    bool there;
};

struct sheet {
    const struct puan_paper *p;
    struct puan_type type;
    double width, height, top, left, tw, th; /* sheet and text area */
    double pitch, chr;                       /* of the grid */
    double body, small;
    struct piece *piece;
    struct stroke *stroke;
    struct slug *slug;
    struct head *head;
    size_t n_pieces, cap_pieces, n_strokes, cap_strokes, n_slugs, cap_slugs,
        n_heads, cap_heads;
    struct puan_err *err;
};

/* ---- lists ------------------------------------------------------------------- */

static void *grow(struct sheet *s, void *list, size_t *n, size_t *cap,
                  size_t size)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 256;
        void *p = realloc(list, more * size);

        if (p == NULL) {
            (void)puan_fail(s->err, PUAN_ENOMEM, "paper", "out of memory");
            return list;
        }
        list = p;
        *cap = more;
    }
    ++*n;
    return list;
}

static bool bad(const struct sheet *s)
{
    return s->err->code != PUAN_OK;
}

/* A new slug at the end; its pieces and strokes are those added next. */
static struct slug *slug_new(struct sheet *s, double height)
{
    struct slug *g;

    if (bad(s))
        return NULL;
    s->slug = grow(s, s->slug, &s->n_slugs, &s->cap_slugs, sizeof(*s->slug));
    if (bad(s))
        return NULL;
    g = &s->slug[s->n_slugs - 1];
    *g = (struct slug){ .height = height,
                        .piece = s->n_pieces,
                        .stroke = s->n_strokes,
                        .table = -1 };
    return g;
}

static void piece_new(struct sheet *s, PangoLayout *l, int line, double x,
                      double y, bool red)
{
    if (bad(s) || l == NULL || s->n_slugs == 0)
        return;
    s->piece =
        grow(s, s->piece, &s->n_pieces, &s->cap_pieces, sizeof(*s->piece));
    if (bad(s))
        return;
    s->piece[s->n_pieces - 1] = (struct piece){ l, line, x, y, red };
    s->slug[s->n_slugs - 1].n_pieces++;
}

static void stroke_new(struct sheet *s, double x0, double y0, double x1,
                       double y1, double width, bool red)
{
    if (bad(s) || s->n_slugs == 0)
        return;
    s->stroke =
        grow(s, s->stroke, &s->n_strokes, &s->cap_strokes, sizeof(*s->stroke));
    if (bad(s))
        return;
    s->stroke[s->n_strokes - 1] = (struct stroke){ x0, y0, x1, y1, width, red };
    s->slug[s->n_slugs - 1].n_strokes++;
}

static void blank(struct sheet *s, double lines)
{
    struct slug *g = slug_new(s, lines * s->pitch);

    if (g != NULL)
        g->blank = true;
}

/* ---- lines of text --------------------------------------------------------------- */

/* Baseline in a line of the grid, for type of that size. */
static double base_in(double height, double size)
{
    return (height - size) / 2 + 0.88 * size;
}

/*
 * One slug for each line of the layout, at x; returns how many.  What pango
 * itself moved (indent, alignment) is part of the line's place.
 */
static int lines(struct sheet *s, PangoLayout *l, double x, double size,
                 double height, bool red, bool keep)
{
    PangoLayoutIter *it;
    int n = 0;

    if (l == NULL)
        return 0;
    it = pango_layout_get_iter(l);
    do {
        PangoRectangle r;
        struct slug *g = slug_new(s, height);

        if (g == NULL)
            break;
        g->keep = keep;
        pango_layout_iter_get_line_extents(it, NULL, &r);
        piece_new(s, l, n++, x + (double)r.x / PANGO_SCALE,
                  base_in(height, size), red);
    } while (pango_layout_iter_next_line(it));
    pango_layout_iter_free(it);
    return n;
}

/* One line of text in the slug that is being made. */
static double one(struct sheet *s, struct puan_str text,
                  enum puan_paper_face face, double size, double x,
                  enum puan_paper_align align, double height, bool red,
                  const char *what)
{
    const struct puan_type_set set = { .face = face, .size = size,
                                       .width = -1 };
    PangoLayout *l = puan_type_lay(&s->type, text, &set, what);
    double w;

    if (l == NULL)
        return 0;
    w = puan_type_width(l);
    if (align == PUAN_PAPER_RIGHT)
        x -= w;
    else if (align == PUAN_PAPER_CENTRE)
        x -= w / 2;
    piece_new(s, l, 0, x, base_in(height, size), red);
    return w;
}

/* Characters of Chinese text stand on the grid. */
static double spacing(const struct sheet *s, double size)
{
    return s->p->en || fabs(size - s->body) > 0.01 ? 0 : s->chr - s->body;
}

static struct puan_type_set body_set(const struct sheet *s,
                                     enum puan_paper_face face)
{
    return (struct puan_type_set){ .face = face,
                                   .size = s->body,
                                   .width = s->tw + 1,
                                   .indent = 2 * s->chr,
                                   .spacing = spacing(s, s->body),
                                   .justify = true };
}

static struct puan_str joined(struct puan_str a, struct puan_str b, char *out,
                              size_t cap)
{
    return (struct puan_str){ out, puan_format(out, cap, "%.*s%.*s",
                                               PUAN_FMT(a), PUAN_FMT(b)) };
}

/* ---- head ----------------------------------------------------------------------- */

static void marks(struct sheet *s)
{
    const struct puan_str mark[] = { s->p->copy_no, s->p->secrecy,
                                     s->p->urgency };

    for (size_t i = 0; i < PUAN_COUNT(mark); i++) {
        if (mark[i].n == 0)
            continue;
        slug_new(s, s->pitch);
        one(s, mark[i], i == 0 ? PUAN_PAPER_SONG : PUAN_PAPER_BLACK, s->body,
            0, PUAN_PAPER_LEFT, s->pitch, false, "mark");
    }
}

/* As large as the office likes it, and as small as one line needs. */
static void issuer(struct sheet *s)
{
    struct puan_type_set set = { .face = PUAN_PAPER_TITLE,
                                 .size = (double)s->p->page.issuer_size / 100,
                                 .width = -1 };
    PangoLayout *l = puan_type_lay(&s->type, s->p->issuer, &set, "issuer");
    double w;

    if (l == NULL)
        return;
    w = puan_type_width(l);
    if (w > s->tw) {
        set.size = floor(set.size * s->tw / w * 10) / 10;
        if (set.size < s->body)
            set.size = s->body;
        set.width = s->tw;
        set.align = PUAN_PAPER_CENTRE;
        l = puan_type_lay(&s->type, s->p->issuer, &set, "issuer");
        lines(s, l, 0, set.size, 1.3 * set.size, true, false);
        return;
    }
    slug_new(s, 1.3 * set.size);
    piece_new(s, l, 0, (s->tw - w) / 2, base_in(1.3 * set.size, set.size),
              true);
}

static void red_head(struct sheet *s)
{
    double used = 0, from = PT(s->p->page.issuer_top);

    marks(s);
    for (size_t i = 0; i < s->n_slugs; i++)
        used += s->slug[i].height;
    if (s->p->issuer.n == 0) {
        if (used > 0)
            blank(s, 1);
        return;
    }
    if (used < from)
        slug_new(s, from - used);
    issuer(s);
    blank(s, 2);
    slug_new(s, s->pitch);
    if (s->p->signer.n > 0) { /* reports upward: number left, signer right */
        double w;

        one(s, s->p->number, PUAN_PAPER_BODY, s->body, s->chr, PUAN_PAPER_LEFT,
            s->pitch, false, "number");
        w = one(s, s->p->signer, PUAN_PAPER_SCRIPT, s->body, s->tw - s->chr,
                PUAN_PAPER_RIGHT, s->pitch, false, "signer");
        one(s, s->p->en ? PUAN_STR("Signed: ") : PUAN_STR("签发人："),
            PUAN_PAPER_BODY, s->body, s->tw - s->chr - w, PUAN_PAPER_RIGHT,
            s->pitch, false, "signer");
    } else {
        one(s, s->p->number, PUAN_PAPER_BODY, s->body, s->tw / 2,
            PUAN_PAPER_CENTRE, s->pitch, false, "number");
    }
    slug_new(s, MM(4) + 2);
    stroke_new(s, 0, MM(4) - (s->pitch - s->body) / 2, s->tw,
               MM(4) - (s->pitch - s->body) / 2, 1.5, true);
    blank(s, 2);
}

/* Lines of nearly one length: the least width that needs no line more. */
static void title(struct sheet *s)
{
    struct puan_type_set set = { .face = PUAN_PAPER_TITLE,
                                 .size = (double)s->p->page.title_size / 100,
                                 .width = s->tw - 2 * s->chr,
                                 .align = PUAN_PAPER_CENTRE };
    PangoLayout *l = puan_type_lay(&s->type, s->p->title, &set, "title");
    double low, high = set.width;
    int n;

    if (l == NULL)
        return;
    n = pango_layout_get_line_count(l);
    low = high / 2;
    for (int i = 0; n > 1 && i < 8; i++) {
        double mid = (low + high) / 2;

        pango_layout_set_width(l, (int)(mid * PANGO_SCALE));
        if (pango_layout_get_line_count(l) > n)
            low = mid;
        else
            high = mid;
    }
    pango_layout_set_width(l, (int)(high * PANGO_SCALE));
    lines(s, l, (s->tw - high) / 2, set.size,
          set.size * 1.25 > s->pitch ? set.size * 1.25 : s->pitch, false, true);
}

static void addressees(struct sheet *s)
{
    struct puan_type_set set = body_set(s, PUAN_PAPER_BODY);
    size_t cap = 8, n = 0;
    char *text;

    if (s->p->n_to == 0) {
        blank(s, s->p->issuer.n ? 1 : 0.5);
        return;
    }
    blank(s, 1);
    set.indent = 0;
    set.justify = false;
    for (size_t i = 0; i < s->p->n_to; i++)
        cap += s->p->to[i].n + 4;
    text = malloc(cap);
    if (text == NULL) {
        (void)puan_fail(s->err, PUAN_ENOMEM, "paper", "out of memory");
        return;
    }
    for (size_t i = 0; i < s->p->n_to; i++)
        n += puan_format(text + n, cap - n, "%s%.*s",
                         i == 0     ? ""
                         : s->p->en ? ", "
                                    : "、",
                         PUAN_FMT(s->p->to[i]));
    n += puan_format(text + n, cap - n, "%s", s->p->en ? ":" : "：");
    lines(s,
          puan_type_lay(&s->type, (struct puan_str){ text, n }, &set, "to"), 0,
          s->body, s->pitch, false, true);
    free(text);
}

/* ---- body ----------------------------------------------------------------------- */

static void paragraph(struct sheet *s, const struct puan_paper_block *b)
{
    struct puan_type_set set = body_set(s, PUAN_PAPER_BODY);
    size_t n = b->label.n + b->text.n + 1;
    char *text;

    if (b->label.n == 0) {
        lines(s, puan_type_lay(&s->type, b->text, &set, "text"), 0, s->body,
              s->pitch, false, false);
        return;
    }
    text = malloc(n);
    if (text == NULL) {
        (void)puan_fail(s->err, PUAN_ENOMEM, "paper", "out of memory");
        return;
    }
    set.black = b->label.n;
    lines(s,
          puan_type_lay(&s->type, joined(b->label, b->text, text, n), &set,
                        "text"),
          0, s->body, s->pitch, false, false);
    free(text);
}

static void heading(struct sheet *s, const struct puan_paper_block *b)
{
    static const enum puan_paper_face faces[] = { PUAN_PAPER_BLACK,
                                                  PUAN_PAPER_SCRIPT,
                                                  PUAN_PAPER_BODY,
                                                  PUAN_PAPER_BODY };
    struct puan_type_set set = body_set(s, faces[b->level - 1]);

    set.justify = false;
    lines(s, puan_type_lay(&s->type, b->text, &set, "heading"), 0, s->body,
          s->pitch, false, true);
}

/* ---- tables ----------------------------------------------------------------------- */

#define PAD_X 3.0
#define PAD_Y 2.5
#define THIN 0.5
#define ROW_LINES 24 /* a row of more is cut into several slugs */

static PangoLayout *cell_lay(struct sheet *s, struct puan_str text, double w,
                             enum puan_paper_align align, bool strong)
{
    const struct puan_type_set set = {
        .face = strong ? PUAN_PAPER_BLACK : PUAN_PAPER_SONG,
        .size = (double)s->p->page.table_size / 100,
        .width = w - 2 * PAD_X,
        .align = align
    };

    return puan_type_lay(&s->type, text, &set, "table");
}

struct span {
    double x, w;
    PangoLayout *layout;
    int lines;
};

/* Lines from..to of each cell of a row, as one slug. */
static void row_slug(struct sheet *s, const struct span *c, size_t n, int from,
                     int to, int most, int table, bool keep)
{
    double size = (double)s->p->page.table_size / 100, line = size * 1.35;
    bool first = from == 0, last = to >= most;
    double h = line * (to - from) + (first ? PAD_Y : 0) + (last ? PAD_Y : 0);
    double end = c[n - 1].x + c[n - 1].w;
    struct slug *g = slug_new(s, h);

    if (g == NULL)
        return;
    g->table = table;
    g->keep = keep;
    for (size_t i = 0; i < n; i++) {
        PangoLayoutIter *it;
        int k = 0;
        /* short cells stand in the middle of a row */
        double y = (first ? PAD_Y : 0) +
                   (most <= ROW_LINES ? line * (most - c[i].lines) / 2 : 0);

        stroke_new(s, c[i].x, 0, c[i].x, h, THIN, false);
        if (c[i].layout == NULL)
            continue;
        it = pango_layout_get_iter(c[i].layout);
        do {
            PangoRectangle r;

            if (k >= from && k < to) {
                pango_layout_iter_get_line_extents(it, NULL, &r);
                piece_new(s, c[i].layout, k,
                          c[i].x + PAD_X + (double)r.x / PANGO_SCALE,
                          y + line * (k - from) + base_in(line, size), false);
            }
            k++;
        } while (pango_layout_iter_next_line(it));
        pango_layout_iter_free(it);
    }
    stroke_new(s, end, 0, end, h, THIN, false);
    if (first)
        stroke_new(s, c[0].x, 0, end, 0, THIN, false);
    if (last)
        stroke_new(s, c[0].x, h, end, h, THIN, false);
}

static void row(struct sheet *s, struct span *c, size_t n, int table, bool keep)
{
    int most = 1;

    for (size_t i = 0; i < n; i++) {
        c[i].lines = c[i].layout ? pango_layout_get_line_count(c[i].layout) : 0;
        if (c[i].lines > most)
            most = c[i].lines;
    }
    for (int from = 0; from < most && !bad(s); from += ROW_LINES)
        row_slug(s, c, n, from,
                 from + ROW_LINES < most ? from + ROW_LINES : most, most,
                 table, keep);
}

static void table(struct sheet *s, const struct puan_paper_table *t)
{
    struct span c[PUAN_PAPER_COLUMNS], whole;
    double all = 0, x = 0;
    int id = (int)s->n_heads;

    s->head = grow(s, s->head, &s->n_heads, &s->cap_heads, sizeof(*s->head));
    if (bad(s))
        return;
    s->head[id] = (struct head){ 0 };
    for (size_t i = 0; i < t->n_columns; i++)
        all += (double)t->column[i].width;
    for (size_t i = 0; i < t->n_columns; i++) {
        c[i].x = x;
        c[i].w = s->tw * (double)t->column[i].width / all;
        x += c[i].w;
    }
    whole = (struct span){ 0, s->tw, NULL, 0 };
    if (t->title.n > 0) {
        struct slug *g = slug_new(s, s->pitch);

        if (g == NULL)
            return;
        g->keep = true;
        one(s, t->title, PUAN_PAPER_BLACK, s->small, s->tw / 2,
            PUAN_PAPER_CENTRE, s->pitch, false, "table");
    }
    if (t->headed) {
        for (size_t i = 0; i < t->n_columns; i++)
            c[i].layout = cell_lay(s, t->column[i].head, c[i].w,
                                   PUAN_PAPER_CENTRE, true);
        s->head[id] = (struct head){ s->n_slugs, true };
        row(s, c, t->n_columns, -1, true);
    }
    for (size_t r = 0; r < t->n_rows && !bad(s); r++) {
        if (t->row[r].group) {
            whole.layout =
                cell_lay(s, t->row[r].cell[0], s->tw, PUAN_PAPER_LEFT, true);
            row(s, &whole, 1, id, true);
            continue;
        }
        for (size_t i = 0; i < t->n_columns; i++)
            c[i].layout = cell_lay(s, t->row[r].cell[i], c[i].w,
                                   t->column[i].align, t->row[r].strong);
        row(s, c, t->n_columns, id, false);
    }
    blank(s, 0.5);
}

/* Boxes to be signed by hand: caption above, the day below. */
static void signs(struct sheet *s, const struct puan_paper_block *b)
{
    double size = (double)s->p->page.table_size / 100, h = 5 * size * 1.35;
    double w = s->tw / (double)(b->n_signs ? b->n_signs : 1), line = size * 1.6;
    struct slug *g = slug_new(s, h);

    if (g == NULL)
        return;
    for (size_t i = 0; i < b->n_signs; i++) {
        double x = w * (double)i;
        PangoLayout *l =
            cell_lay(s, b->sign[i], w, PUAN_PAPER_LEFT, false);

        stroke_new(s, x, 0, x, h, THIN, false);
        for (int k = 0; l && k < pango_layout_get_line_count(l) && k < 3; k++)
            piece_new(s, l, k, x + PAD_X, PAD_Y + line * k + base_in(line, size),
                      false);
        l = cell_lay(s,
                     s->p->en ? PUAN_STR("Date: ____________")
                              : PUAN_STR("年　　月　　日"),
                     w, PUAN_PAPER_RIGHT, false);
        if (l != NULL)
            piece_new(s, l, 0,
                      x + w - PAD_X - puan_type_width(l),
                      h - PAD_Y - line + base_in(line, size), false);
    }
    stroke_new(s, s->tw, 0, s->tw, h, THIN, false);
    stroke_new(s, 0, 0, s->tw, 0, THIN, false);
    stroke_new(s, 0, h, s->tw, h, THIN, false);
    blank(s, 0.5);
}

static void body(struct sheet *s)
{
    for (size_t i = 0; i < s->p->n_blocks && !bad(s); i++) {
        const struct puan_paper_block *b = &s->p->block[i];

        switch (b->kind) {
        case PUAN_PAPER_TEXT:
            paragraph(s, b);
            break;
        case PUAN_PAPER_HEADING:
            heading(s, b);
            break;
        case PUAN_PAPER_TABLE:
            table(s, &b->table);
            break;
        case PUAN_PAPER_SIGNS:
            signs(s, b);
            break;
        }
    }
}

/* ---- below the body ------------------------------------------------------------------ */

/* "附件：1. …": the names stand one below another. */
static void attachments(struct sheet *s)
{
    struct puan_str word =
        s->p->en ? PUAN_STR("Attachments: ") : PUAN_STR("附件：");
    struct puan_type_set set = body_set(s, PUAN_PAPER_BODY);
    double x0 = 2 * s->chr, x = 0, number = 0;
    bool many = s->p->n_attachments > 1;

    if (s->p->n_attachments == 0)
        return;
    blank(s, 1);
    for (size_t i = 0; i < s->p->n_attachments && !bad(s); i++) {
        size_t first = s->n_slugs;
        PangoLayout *l, *no = NULL;
        char text[16];

        if (i == 0) {
            const struct puan_type_set w = { .face = PUAN_PAPER_BODY,
                                             .size = s->body,
                                             .width = -1,
                                             .spacing = set.spacing };

            l = puan_type_lay(&s->type, word, &w, "attachments");
            x = l ? x0 + puan_type_width(l) : x0;
            number = many ? 1.5 * s->chr : 0;
        }
        set.indent = 0;
        set.justify = false;
        set.width = s->tw - x - number + 1;
        l = puan_type_lay(&s->type, s->p->attachment[i], &set, "attachments");
        lines(s, l, x + number, s->body, s->pitch, false, false);
        if (bad(s) || s->n_slugs == first)
            return;
        /* word and number belong to the first line of the name */
        if (s->n_slugs - first == 1) {
            const struct puan_type_set w = { .face = PUAN_PAPER_BODY,
                                             .size = s->body,
                                             .width = -1,
                                             .spacing = set.spacing };

            if (i == 0)
                piece_new(s, puan_type_lay(&s->type, word, &w, "attachments"),
                          0, x0, base_in(s->pitch, s->body), false);
            if (many) {
                puan_format(text, sizeof(text), "%zu.", i + 1);
                no = puan_type_lay(&s->type, puan_str_of(text), &w,
                                   "attachments");
                piece_new(s, no, 0, x, base_in(s->pitch, s->body), false);
            }
        } else {
            /* the name takes several lines: its first one is made anew */
            const struct puan_type_set w = { .face = PUAN_PAPER_BODY,
                                             .size = s->body,
                                             .width = -1,
                                             .spacing = set.spacing };
            struct piece hold[64];
            size_t many_lines = s->n_slugs - first, from = s->slug[first].piece;

            if (many_lines > 64)
                many_lines = 64;
            memcpy(hold, &s->piece[from], many_lines * sizeof(*hold));
            s->n_slugs = first;
            s->n_pieces = from;
            for (size_t k = 0; k < many_lines; k++) {
                slug_new(s, s->pitch);
                piece_new(s, hold[k].layout, hold[k].line, hold[k].x,
                          hold[k].y, false);
                if (k > 0)
                    continue;
                if (i == 0)
                    piece_new(s,
                              puan_type_lay(&s->type, word, &w, "attachments"),
                              0, x0, base_in(s->pitch, s->body), false);
                if (many) {
                    puan_format(text, sizeof(text), "%zu.", i + 1);
                    no = puan_type_lay(&s->type, puan_str_of(text), &w,
                                       "attachments");
                    piece_new(s, no, 0, x, base_in(s->pitch, s->body), false);
                }
            }
        }
    }
}

/*
 * To be sealed: the date ends four characters before the edge, the office
 * stands centred above it.  A name longer than that ends two characters before
 * the edge and the date is centred below.
 */
static void signature(struct sheet *s)
{
    const struct puan_type_set set = { .face = PUAN_PAPER_BODY,
                                       .size = s->body,
                                       .width = -1 };
    PangoLayout *by, *day;
    double wb, wd, centre;

    if (s->p->signed_by.n == 0 && s->p->date.n == 0)
        return;
    by = puan_type_lay(&s->type, s->p->signed_by, &set, "signed");
    day = puan_type_lay(&s->type, s->p->date, &set, "date");
    if (by == NULL || day == NULL)
        return;
    wb = puan_type_width(by);
    wd = puan_type_width(day);
    centre = s->tw - 4 * s->chr - wd / 2;
    if (centre + wb / 2 > s->tw - 2 * s->chr)
        centre = s->tw - 2 * s->chr - wb / 2;
    /* never alone on a page: the last lines of the text go with it */
    for (size_t i = s->n_slugs, n = 0; i > 0 && n < 2; i--, n++)
        s->slug[i - 1].keep = true;
    blank(s, 2);
    if (bad(s))
        return;
    s->slug[s->n_slugs - 1].keep = true;
    if (s->p->signed_by.n > 0) {
        struct slug *g = slug_new(s, s->pitch);

        if (g == NULL)
            return;
        g->keep = true;
        piece_new(s, by, 0, centre - wb / 2, base_in(s->pitch, s->body), false);
    }
    slug_new(s, s->pitch);
    piece_new(s, day, 0, centre - wd / 2, base_in(s->pitch, s->body), false);
}

static void note(struct sheet *s)
{
    struct puan_type_set set = body_set(s, PUAN_PAPER_BODY);
    size_t n = s->p->note.n + 8;
    char *text;

    if (s->p->note.n == 0)
        return;
    text = malloc(n);
    if (text == NULL) {
        (void)puan_fail(s->err, PUAN_ENOMEM, "paper", "out of memory");
        return;
    }
    n = puan_format(text, n, s->p->en ? "(%.*s)" : "（%.*s）",
                    PUAN_FMT(s->p->note));
    lines(s,
          puan_type_lay(&s->type, (struct puan_str){ text, n }, &set, "note"),
          0, s->body, s->pitch, false, false);
    free(text);
}

/* How wide a text of the printing record is. */
static double wide(struct sheet *s, struct puan_str text)
{
    const struct puan_type_set set = { .face = PUAN_PAPER_BODY,
                                       .size = s->small,
                                       .width = -1 };
    PangoLayout *l = puan_type_lay(&s->type, text, &set, "printed_on");

    return l ? puan_type_width(l) : 0;
}

/*
 * The printing record: at the foot of the last page, thick rules at its ends
 * and a thin one between.  Returns where it begins, counted in slugs.
 */
static size_t record(struct sheet *s)
{
    double line = s->small * 1.6;
    size_t from = s->n_slugs;
    bool first = true;
    struct slug *g;

    if (s->p->copies.n > 0) {
        struct puan_type_set set = { .face = PUAN_PAPER_BODY,
                                     .size = s->small,
                                     .width = s->tw - 2 * s->chr };
        size_t n = s->p->copies.n + 32;
        char *text = malloc(n);

        if (text == NULL) {
            (void)puan_fail(s->err, PUAN_ENOMEM, "paper", "out of memory");
            return from;
        }
        n = puan_format(text, n, s->p->en ? "Copies: %.*s" : "抄送：%.*s。",
                        PUAN_FMT(s->p->copies));
        lines(s,
              puan_type_lay(&s->type, (struct puan_str){ text, n }, &set,
                            "copies"),
              s->chr, s->small, line, false, true);
        free(text);
        first = false;
    }
    if (s->p->printed_by.n > 0 || s->p->printed_on.n > 0) {
        double w;

        g = slug_new(s, line);
        if (g == NULL)
            return from;
        g->keep = true;
        stroke_new(s, 0, 0, s->tw, 0, first ? MM(0.35) : MM(0.25), false);
        w = one(s, s->p->printed_by, PUAN_PAPER_BODY, s->small, s->chr,
                PUAN_PAPER_LEFT, line, false, "printed_by");
        if (w + wide(s, s->p->printed_on) + 4 * s->chr > s->tw &&
            slug_new(s, line) == NULL) /* not beside each other: below */
            return from;
        one(s, s->p->printed_on, PUAN_PAPER_BODY, s->small, s->tw - s->chr,
            PUAN_PAPER_RIGHT, line, false, "printed_on");
        stroke_new(s, 0, line, s->tw, line, MM(0.35), false);
    } else if (!first) {
        stroke_new(s, 0, line, s->tw, line, MM(0.35), false);
    }
    return from;
}

/* ---- pages ------------------------------------------------------------------------ */

struct page {
    size_t from, to; /* slugs */
    int head;        /* table whose head row is drawn first, -1 */
    double bottom;   /* used height */
};

/* The slug a page must end before so that what is kept stays together. */
static size_t cut_at(const struct sheet *s, size_t from, size_t at)
{
    size_t cut = at;

    while (cut > from && s->slug[cut - 1].keep)
        cut--;
    return cut > from ? cut : at;
}

static size_t paginate(struct sheet *s, struct page *page, size_t n_body)
{
    size_t n = 0, i = 0;

    while (i < n_body && n < PAGES_MOST) {
        struct page *g = &page[n];
        double y = 0;

        while (n > 0 && i < n_body && s->slug[i].blank)
            i++;
        if (i == n_body)
            break;
        *g = (struct page){ .from = i, .head = -1 };
        if (s->slug[i].table >= 0 && s->head[s->slug[i].table].there &&
            s->head[s->slug[i].table].slug != i) {
            g->head = s->slug[i].table;
            y = s->slug[s->head[g->head].slug].height;
        }
        while (i < n_body &&
               (i == g->from || y + s->slug[i].height <= s->th + 0.1 ||
                s->slug[i].blank))
            y += s->slug[i++].height;
        if (i < n_body)
            i = cut_at(s, g->from, i);
        g->to = i;
        g->bottom = 0;
        for (size_t k = g->from; k < g->to; k++)
            g->bottom += s->slug[k].height;
        if (g->head >= 0)
            g->bottom += s->slug[s->head[g->head].slug].height;
        n++;
    }
    return n;
}

/* ---- drawing ------------------------------------------------------------------------ */

static void ink(cairo_t *cr, bool red)
{
    if (red)
        cairo_set_source_rgb(cr, 0.85, 0, 0);
    else
        cairo_set_source_rgb(cr, 0, 0, 0);
}

static void draw_slug(cairo_t *cr, const struct sheet *s, size_t at, double y)
{
    const struct slug *g = &s->slug[at];

    for (size_t i = g->stroke; i < g->stroke + g->n_strokes; i++) {
        const struct stroke *k = &s->stroke[i];

        ink(cr, k->red);
        cairo_set_line_width(cr, k->width);
        cairo_move_to(cr, s->left + k->x0, y + k->y0);
        cairo_line_to(cr, s->left + k->x1, y + k->y1);
        cairo_stroke(cr);
    }
    for (size_t i = g->piece; i < g->piece + g->n_pieces; i++) {
        const struct piece *k = &s->piece[i];

        ink(cr, k->red);
        cairo_move_to(cr, s->left + k->x, y + k->y);
        pango_cairo_show_layout_line(
            cr, pango_layout_get_line_readonly(k->layout, k->line));
    }
}

static void draw_text(cairo_t *cr, struct sheet *s, struct puan_str text,
                      enum puan_paper_face face, double size, double x,
                      double y, enum puan_paper_align align, const char *what)
{
    const struct puan_type_set set = { .face = face, .size = size,
                                       .width = -1 };
    PangoLayout *l = puan_type_lay(&s->type, text, &set, what);
    double w;

    if (l == NULL)
        return;
    w = puan_type_width(l);
    if (align == PUAN_PAPER_RIGHT)
        x -= w;
    else if (align == PUAN_PAPER_CENTRE)
        x -= w / 2;
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(l, 0));
}

/* Drill: a hatched band above and below, nothing else looks like it. */
static void draw_band(cairo_t *cr, struct sheet *s, double y)
{
    double h = MM(6), w = s->width, gap;
    const struct puan_type_set set = { .face = PUAN_PAPER_BLACK,
                                       .size = 12,
                                       .width = -1 };
    PangoLayout *l = puan_type_lay(&s->type, s->p->mark, &set, "mark");

    if (l == NULL)
        return;
    cairo_save(cr);
    cairo_rectangle(cr, MM(10), y, w - MM(20), h);
    cairo_clip(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_line_width(cr, MM(1.5));
    for (double x = 0; x < w + h; x += MM(4)) {
        cairo_move_to(cr, x, y + h);
        cairo_line_to(cr, x + h, y);
    }
    cairo_stroke(cr);
    gap = puan_type_width(l) + MM(8);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_rectangle(cr, (w - gap) / 2, y, gap, h);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_move_to(cr, (w - puan_type_width(l)) / 2, y + base_in(h, 12));
    pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(l, 0));
}

static void draw_mark(cairo_t *cr, struct sheet *s)
{
    if (s->p->mark.n == 0)
        return;
    if (s->p->drill) {
        draw_band(cr, s, MM(10));
        draw_band(cr, s, s->height - MM(14));
        return;
    }
    cairo_save(cr);
    cairo_translate(cr, s->width / 2, s->height / 2);
    cairo_rotate(cr, -0.6);
    cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
    draw_text(cr, s, s->p->mark, PUAN_PAPER_BLACK, 120, 0, 40,
              PUAN_PAPER_CENTRE, "mark");
    cairo_restore(cr);
}

/* Number 7 mm below the text, outside: right on odd pages, left on even. */
static void draw_foot(cairo_t *cr, struct sheet *s, int n)
{
    double y = s->top + s->th + MM(7) + s->small * 0.88;
    bool odd = n % 2 == 1;
    char text[24];

    puan_format(text, sizeof(text), "— %d —", n);
    cairo_set_source_rgb(cr, 0, 0, 0);
    draw_text(cr, s, puan_str_of(text), PUAN_PAPER_SONG, s->small,
              odd ? s->left + s->tw - s->chr : s->left + s->chr, y,
              odd ? PUAN_PAPER_RIGHT : PUAN_PAPER_LEFT, "page number");
    if (s->p->foot.n > 0)
        draw_text(cr, s, s->p->foot, PUAN_PAPER_SONG, 7.5,
                  odd ? s->left : s->left + s->tw, y,
                  odd ? PUAN_PAPER_LEFT : PUAN_PAPER_RIGHT, "foot");
}

static void measure(struct sheet *s)
{
    const struct puan_paper_page *g = &s->p->page;

    s->width = PT(g->width);
    s->height = PT(g->height);
    s->top = PT(g->top);
    s->left = PT(g->left);
    s->tw = PT(g->text_width);
    s->th = PT(g->text_height);
    s->pitch = s->th / (double)g->lines;
    s->chr = s->tw / (double)g->chars;
    s->body = (double)g->body_size / 100;
    s->small = (double)g->small_size / 100;
    if (s->p->landscape) { /* the binding edge is the upper one */
        double w = s->width, right = s->height - s->top - s->th;
        double tw = s->tw;

        s->width = s->height;
        s->height = w;
        s->top = s->left;
        s->left = right;
        s->tw = s->th;
        s->th = tw;
    }
}

/* What fits, whole characters only. */
static const char *clip(char out[512], struct puan_str s)
{
    size_t n = s.n < 511 ? s.n : 511;

    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = '\0';
    return out;
}

static void describe(cairo_surface_t *out, const struct puan_paper *p)
{
    char text[512];

    cairo_pdf_surface_set_metadata(out, CAIRO_PDF_METADATA_TITLE,
                                   clip(text, p->title));
    cairo_pdf_surface_set_metadata(
        out, CAIRO_PDF_METADATA_AUTHOR,
        clip(text, p->issuer.n ? p->issuer : p->signed_by));
    cairo_pdf_surface_set_metadata(out, CAIRO_PDF_METADATA_CREATOR,
                                   "puan-paper");
    /* the same paper is the same file, whenever it is made */
    cairo_pdf_surface_set_metadata(
        out, CAIRO_PDF_METADATA_CREATE_DATE,
        clip(text,
             p->made.n ? p->made : PUAN_STR("2000-01-01T00:00:00Z")));
}

static enum puan_status draw(struct sheet *s, struct page *page, size_t n,
                             size_t record_from, cairo_write_func_t put,
                             void *ctx)
{
    cairo_surface_t *out =
        cairo_pdf_surface_create_for_stream(put, ctx, s->width, s->height);
    cairo_t *cr = cairo_create(out);
    cairo_status_t rc;

    describe(out, s->p);
    for (size_t i = 0; i < n && !bad(s); i++) {
        double y = s->top;

        draw_mark(cr, s);
        if (page[i].head >= 0) {
            draw_slug(cr, s, s->head[page[i].head].slug, y);
            y += s->slug[s->head[page[i].head].slug].height;
        }
        for (size_t k = page[i].from; k < page[i].to; k++) {
            draw_slug(cr, s, k, y);
            y += s->slug[k].height;
        }
        if (i + 1 == n && record_from < s->n_slugs) {
            y = s->top + s->th;
            for (size_t k = record_from; k < s->n_slugs; k++)
                y -= s->slug[k].height;
            if (s->p->copies.n > 0) {
                ink(cr, false);
                cairo_set_line_width(cr, MM(0.35));
                cairo_move_to(cr, s->left, y);
                cairo_line_to(cr, s->left + s->tw, y);
                cairo_stroke(cr);
            }
            for (size_t k = record_from; k < s->n_slugs; k++) {
                draw_slug(cr, s, k, y);
                y += s->slug[k].height;
            }
        }
        draw_foot(cr, s, (int)i + 1);
        cairo_show_page(cr);
    }
    cairo_destroy(cr);
    cairo_surface_finish(out);
    rc = cairo_surface_status(out);
    cairo_surface_destroy(out);
    if (!bad(s) && rc != CAIRO_STATUS_SUCCESS)
        (void)puan_fail(s->err, PUAN_EWRITE, "paper", "%s",
                        cairo_status_to_string(rc));
    return s->err->code;
}

enum puan_status puan_sheet_print(int *pages, const struct puan_paper *p,
                                  cairo_write_func_t put, void *ctx,
                                  struct puan_err *err)
{
    struct sheet s = { .p = p, .err = err };
    struct page *page = NULL;
    size_t n_body, from, n;
    double high = 0;
    enum puan_status st;

    *pages = 0;
    measure(&s);
    st = puan_type_open(&s.type, p, err);
    if (st != PUAN_OK)
        goto out;
    red_head(&s);
    title(&s);
    addressees(&s);
    body(&s);
    attachments(&s);
    signature(&s);
    note(&s);
    n_body = s.n_slugs;
    from = record(&s);
    st = err->code;
    if (st != PUAN_OK)
        goto out;
    page = calloc(PAGES_MOST + 1, sizeof(*page));
    if (page == NULL) {
        st = puan_fail(err, PUAN_ENOMEM, "paper", "out of memory");
        goto out;
    }
    n = paginate(&s, page, n_body);
    if (n == PAGES_MOST) {
        st = puan_fail(err, PUAN_ELIMIT, "paper", "more than %d pages",
                       PAGES_MOST - 1);
        goto out;
    }
    for (size_t k = from; k < s.n_slugs; k++)
        high += s.slug[k].height;
    if (high > 0 && n > 0 && page[n - 1].bottom + high > s.th)
        page[n++] = (struct page){ .from = n_body, .to = n_body, .head = -1 };
    st = draw(&s, page, n, from, put, ctx);
    *pages = (int)n;
out:
    free(page);
    free(s.piece);
    free(s.stroke);
    free(s.slug);
    free(s.head);
    puan_type_close(&s.type);
    return st;
}
