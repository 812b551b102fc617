/*
 * Reading a document; see paper.h.
 */
#include "core/paper/paper.h"

const char *const puan_paper_face_word[PUAN_PAPER_FACES] = {
    "body", "title", "black", "script", "song"
};

/*
 * Sheet, margins, text area, lines, characters and sizes (3: 16 pt, 2: 22 pt,
 * 4: 14 pt) are the standard's.  The size of the issuer is the office's choice
 * there; the fonts it names are not free, so each has others behind it.
 */
void puan_paper_page_default(struct puan_paper_page *p)
{
    static const char *const fonts[PUAN_PAPER_FACES][PUAN_PAPER_FONTS] = {
        { "FangSong_GB2312", "FangSong", "STFangsong", "FandolFang R",
          "Noto Serif CJK SC" },
        { "FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "STZhongsong",
          "Noto Serif CJK SC Bold" },
        { "SimHei", "STHeiti", "FandolHei", "Noto Sans CJK SC" },
        { "KaiTi_GB2312", "KaiTi", "STKaiti", "FandolKai", "AR PL UKai CN",
          "Noto Serif CJK SC" },
        { "SimSun", "STSong", "FandolSong", "Noto Serif CJK SC" },
    };

    *p = (struct puan_paper_page){ .width = 21000,
                                   .height = 29700,
                                   .top = 3700,
                                   .left = 2800,
                                   .text_width = 15600,
                                   .text_height = 22500,
                                   .lines = 22,
                                   .chars = 28,
                                   .body_size = 1600,
                                   .title_size = 2200,
                                   .issuer_size = 4200,
                                   .small_size = 1400,
                                   .table_size = 1050,
                                   .issuer_top = 3500 };
    for (int f = 0; f < PUAN_PAPER_FACES; f++)
        for (size_t i = 0; i < PUAN_PAPER_FONTS && fonts[f][i] != NULL; i++)
            p->fonts[f].list[p->fonts[f].n++] = puan_str_of(fonts[f][i]);
}

/* ---- values ----------------------------------------------------------------- */

static enum puan_status text(struct puan_str *out, const struct puan_node *map,
                             const char *key, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);

    *out = (struct puan_str){ 0 };
    if (n == NULL || n->kind == PUAN_NODE_NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "\"%s\" must be a text", key);
    *out = n->text;
    return PUAN_OK;
}

static enum puan_status texts(const struct puan_str **out, size_t *n_out,
                              const struct puan_node *map, const char *key,
                              size_t most, struct puan_arena *a,
                              struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    struct puan_str *s;
    size_t k = 0;

    *out = NULL;
    *n_out = 0;
    if (n == NULL || n->kind == PUAN_NODE_NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, err, "\"%s\" must be a list of texts", key);
    if (n->n > most)
        return puan_fail(err, PUAN_ELIMIT, key, "more than %zu in one list",
                         most);
    s = puan_new_n(a, n->n, struct puan_str);
    if (s == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n) {
        if (c->kind != PUAN_NODE_SCALAR)
            return puan_node_fail(c, err, "\"%s\" must be a list of texts",
                                  key);
        s[k++] = c->text;
    }
    *out = s;
    *n_out = k;
    return PUAN_OK;
}

/* A number with up to two decimals, as hundredths. */
static enum puan_status hundredths(int64_t *out, const struct puan_node *map,
                                   const char *key, int64_t min, int64_t max,
                                   struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    int64_t v;

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_SCALAR || !puan_fixed_parse(&v, n->text, 2) ||
        v < min || v > max)
        return puan_node_fail(n, err,
                              "\"%s\" must be a number from %lld to %lld", key,
                              (long long)(min / 100), (long long)(max / 100));
    *out = v;
    return PUAN_OK;
}

static enum puan_status whole(int64_t *out, const struct puan_node *map,
                              const char *key, int64_t min, int64_t max,
                              struct puan_err *err)
{
    return puan_node_get(map, key) == NULL
               ? PUAN_OK
               : puan_node_int(out, map, key, min, max, err);
}

/* ---- the sheet ----------------------------------------------------------------- */

static enum puan_status fonts_read(struct puan_paper_page *p,
                                   const struct puan_node *n,
                                   struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "body", "title", "black", "script",
                                        "song", NULL };

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "\"fonts\" must be a map of lists");
    TRY(puan_node_only(n, keys, err));
    for (int f = 0; f < PUAN_PAPER_FACES; f++) {
        const struct puan_str *list;
        size_t k;

        TRY(texts(&list, &k, n, puan_paper_face_word[f], PUAN_PAPER_FONTS, a,
                  err));
        if (k == 0)
            continue;
        for (size_t i = 0; i < k; i++)
            p->fonts[f].list[i] = list[i];
        p->fonts[f].n = k;
    }
    return PUAN_OK;
}

enum puan_status puan_paper_page_read(struct puan_paper_page *p,
                                      const struct puan_node *n,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    static const char *const keys[] = {
        "width",      "height",      "top",        "left",       "text_width",
        "text_height", "lines",      "chars",      "body_size",  "title_size",
        "issuer_size", "small_size", "table_size", "issuer_top", "fonts", NULL
    };

    if (n == NULL || n->kind == PUAN_NODE_NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "\"page\" must be a map");
    TRY(puan_node_only(n, keys, err));
    TRY(hundredths(&p->width, n, "width", 7000, 100000, err));
    TRY(hundredths(&p->height, n, "height", 7000, 100000, err));
    TRY(hundredths(&p->top, n, "top", 0, 20000, err));
    TRY(hundredths(&p->left, n, "left", 0, 20000, err));
    TRY(hundredths(&p->text_width, n, "text_width", 4000, 100000, err));
    TRY(hundredths(&p->text_height, n, "text_height", 4000, 100000, err));
    TRY(whole(&p->lines, n, "lines", 5, 80, err));
    TRY(whole(&p->chars, n, "chars", 5, 80, err));
    TRY(hundredths(&p->body_size, n, "body_size", 500, 7200, err));
    TRY(hundredths(&p->title_size, n, "title_size", 500, 7200, err));
    TRY(hundredths(&p->issuer_size, n, "issuer_size", 500, 7200, err));
    TRY(hundredths(&p->small_size, n, "small_size", 500, 7200, err));
    TRY(hundredths(&p->table_size, n, "table_size", 500, 7200, err));
    TRY(hundredths(&p->issuer_top, n, "issuer_top", 0, 10000, err));
    TRY(fonts_read(p, puan_node_get(n, "fonts"), a, err));
    if (p->left + p->text_width > p->width ||
        p->top + p->text_height > p->height)
        return puan_node_fail(n, err,
                              "the text area does not lie on the sheet: make "
                              "margins or text area smaller");
    return PUAN_OK;
}

/* ---- the body ------------------------------------------------------------------- */

static enum puan_status columns(struct puan_paper_table *t,
                                const struct puan_node *n,
                                struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "head", "width", "align", NULL };
    struct puan_paper_column *c;
    size_t k = 0;

    if (n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n, err,
                              "a table needs a list of columns");
    if (n->n > PUAN_PAPER_COLUMNS)
        return puan_fail(err, PUAN_ELIMIT, "columns", "more than %d columns",
                         PUAN_PAPER_COLUMNS);
    c = puan_new_n(a, n->n, struct puan_paper_column);
    if (c == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(e, n) {
        struct puan_str align;

        if (e->kind != PUAN_NODE_MAP)
            return puan_node_fail(e, err, "a column must be a map {head, "
                                          "width, align}");
        TRY(puan_node_only(e, keys, err));
        TRY(text(&c[k].head, e, "head", err));
        c[k].width = 1;
        TRY(whole(&c[k].width, e, "width", 1, 1000, err));
        TRY(text(&align, e, "align", err));
        if (align.n > 0 && !puan_str_is(align, "left") &&
            !puan_str_is(align, "centre") && !puan_str_is(align, "right"))
            return puan_node_fail(puan_node_get(e, "align"), err,
                                  "align must be left, centre or right");
        c[k].align = puan_str_is(align, "right")    ? PUAN_PAPER_RIGHT
                     : puan_str_is(align, "centre") ? PUAN_PAPER_CENTRE
                                                    : PUAN_PAPER_LEFT;
        t->headed = t->headed || c[k].head.n > 0;
        k++;
    }
    t->column = c;
    t->n_columns = k;
    return PUAN_OK;
}

static enum puan_status row_read(struct puan_paper_row *r,
                                 const struct puan_paper_table *t,
                                 const struct puan_node *n,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "group", "cells", NULL };
    size_t many = t->n_columns, k = 0;
    const struct puan_node *list = n;
    struct puan_str *cell;

    if (n->kind == PUAN_NODE_MAP) {
        TRY(puan_node_only(n, keys, err));
        list = puan_node_get(n, "cells");
        r->strong = true;
        if (puan_node_get(n, "group") != NULL) {
            cell = puan_new_n(a, 1, struct puan_str);
            if (cell == NULL)
                return puan_arena_check(a, err);
            TRY(text(cell, n, "group", err));
            r->cell = cell;
            r->group = true;
            return PUAN_OK;
        }
    }
    if (list == NULL || list->kind != PUAN_NODE_LIST || list->n != many)
        return puan_node_fail(n, err, "a row must have %zu cells", many);
    cell = puan_new_n(a, many, struct puan_str);
    if (cell == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, list) {
        if (c->kind != PUAN_NODE_SCALAR && c->kind != PUAN_NODE_NULL)
            return puan_node_fail(c, err, "a cell must be a text");
        cell[k++] = c->text;
    }
    r->cell = cell;
    return PUAN_OK;
}

static enum puan_status table(struct puan_paper_table *t,
                              const struct puan_node *n, size_t *rows,
                              struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "title", "columns", "rows", NULL };
    const struct puan_node *list = puan_node_get(n, "rows");
    struct puan_paper_row *r;
    size_t k = 0;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "a table must be a map {columns, rows}");
    TRY(puan_node_only(n, keys, err));
    TRY(text(&t->title, n, "title", err));
    if (puan_node_get(n, "columns") == NULL)
        return puan_node_fail(n, err, "a table needs \"columns\"");
    TRY(columns(t, puan_node_get(n, "columns"), a, err));
    if (list == NULL || list->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, err, "a table needs a list of \"rows\"");
    if (list->n > PUAN_PAPER_ROWS - *rows)
        return puan_fail(err, PUAN_ELIMIT, "rows", "more than %d rows",
                         PUAN_PAPER_ROWS);
    *rows += list->n;
    r = puan_new_n(a, list->n, struct puan_paper_row);
    if (r == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, list)
    TRY(row_read(&r[k++], t, c, a, err));
    t->row = r;
    t->n_rows = k;
    return PUAN_OK;
}

static enum puan_status block(struct puan_paper_block *b,
                              const struct puan_node *n, size_t *rows,
                              struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "text",  "label", "heading",
                                        "level", "table", "signs", NULL };
    int kinds = 0;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err,
                              "a block must be a map with text, heading, "
                              "table or signs");
    TRY(puan_node_only(n, keys, err));
    kinds = (puan_node_get(n, "text") != NULL) +
            (puan_node_get(n, "heading") != NULL) +
            (puan_node_get(n, "table") != NULL) +
            (puan_node_get(n, "signs") != NULL);
    if (kinds != 1)
        return puan_node_fail(n, err,
                              "a block must have one of text, heading, table, "
                              "signs");
    TRY(text(&b->label, n, "label", err));
    if (puan_node_get(n, "heading") != NULL) {
        int64_t level = 1;

        b->kind = PUAN_PAPER_HEADING;
        TRY(whole(&level, n, "level", 1, 4, err));
        b->level = (int)level;
        return text(&b->text, n, "heading", err);
    }
    if (puan_node_get(n, "table") != NULL) {
        b->kind = PUAN_PAPER_TABLE;
        return table(&b->table, puan_node_get(n, "table"), rows, a, err);
    }
    if (puan_node_get(n, "signs") != NULL) {
        b->kind = PUAN_PAPER_SIGNS;
        return texts(&b->sign, &b->n_signs, n, "signs", 8, a, err);
    }
    b->kind = PUAN_PAPER_TEXT;
    return text(&b->text, n, "text", err);
}

static enum puan_status body(struct puan_paper *p, const struct puan_node *n,
                             struct puan_arena *a, struct puan_err *err)
{
    struct puan_paper_block *b;
    size_t k = 0, rows = 0;

    if (n == NULL || n->kind == PUAN_NODE_NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, err, "\"body\" must be a list of blocks");
    if (n->n > PUAN_PAPER_BLOCKS)
        return puan_fail(err, PUAN_ELIMIT, "body", "more than %d blocks",
                         PUAN_PAPER_BLOCKS);
    b = puan_new_n(a, n->n, struct puan_paper_block);
    if (b == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n)
    TRY(block(&b[k++], c, &rows, a, err));
    p->block = b;
    p->n_blocks = k;
    return PUAN_OK;
}

/* ---- the whole -------------------------------------------------------------------- */

enum puan_status puan_paper_of(struct puan_paper **out,
                               const struct puan_node *tree,
                               struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = {
        "lang",   "page",        "landscape", "mark",       "drill",
        "copy_no", "secrecy",    "urgency",   "issuer",     "number",
        "signer", "title",       "to",        "body",       "attachments",
        "signed", "date",        "note",      "copies",     "printed_by",
        "printed_on", "foot",    "made",      NULL
    };
    struct puan_paper *p = puan_new(a, struct puan_paper);
    struct puan_str lang;

    if (p == NULL)
        return puan_arena_check(a, err);
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "a paper must be a map");
    TRY(puan_node_only(tree, keys, err));
    puan_paper_page_default(&p->page);
    TRY(puan_paper_page_read(&p->page, puan_node_get(tree, "page"), a, err));
    TRY(text(&lang, tree, "lang", err));
    if (lang.n > 0 && !puan_str_is(lang, "zh") && !puan_str_is(lang, "en"))
        return puan_node_fail(puan_node_get(tree, "lang"), err,
                              "lang must be zh or en");
    p->en = puan_str_is(lang, "en");
    TRY(puan_node_bool(&p->landscape, tree, "landscape", false, err));
    TRY(puan_node_bool(&p->drill, tree, "drill", false, err));
    TRY(text(&p->mark, tree, "mark", err));
    TRY(text(&p->copy_no, tree, "copy_no", err));
    TRY(text(&p->secrecy, tree, "secrecy", err));
    TRY(text(&p->urgency, tree, "urgency", err));
    TRY(text(&p->issuer, tree, "issuer", err));
    TRY(text(&p->number, tree, "number", err));
    TRY(text(&p->signer, tree, "signer", err));
    TRY(text(&p->title, tree, "title", err));
    TRY(texts(&p->to, &p->n_to, tree, "to", 64, a, err));
    TRY(body(p, puan_node_get(tree, "body"), a, err));
    TRY(texts(&p->attachment, &p->n_attachments, tree, "attachments", 200, a,
              err));
    TRY(text(&p->signed_by, tree, "signed", err));
    TRY(text(&p->date, tree, "date", err));
    TRY(text(&p->note, tree, "note", err));
    TRY(text(&p->copies, tree, "copies", err));
    TRY(text(&p->printed_by, tree, "printed_by", err));
    TRY(text(&p->printed_on, tree, "printed_on", err));
    TRY(text(&p->foot, tree, "foot", err));
    TRY(text(&p->made, tree, "made", err));
    if (p->title.n == 0)
        return puan_node_fail(tree, err, "a paper needs a \"title\"");
    *out = p;
    return puan_arena_check(a, err);
}

enum puan_status puan_paper_read(struct puan_paper **out, struct puan_str json,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *tree = NULL;

    if (json.n > PUAN_PAPER_BYTES)
        return puan_fail(err, PUAN_ELIMIT, "paper", "more than %u bytes",
                         PUAN_PAPER_BYTES);
    TRY(puan_json_tree(&tree, json, "paper", a, err));
    return puan_paper_of(out, tree, a, err);
}
