/*
 * Workbooks read part by part: which sheets there are, the shared texts, the
 * cells.  libxml2's pull reader, without network, without entities; the
 * element that matters is found by its local name, whatever its prefix.
 */
#include "kit/xlsx/xlsx.h"

#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/out.h"
#include "kit/xlsx/zip.h"

/* ---- XML, one node after the other ---- */

struct xml {
    xmlTextReaderPtr r;
    const char *where;
    struct puan_arena *a;
    struct puan_err *err;
    char said[160]; /* libxml2's first complaint */
};

static void complain(void *ctx, xmlErrorPtr e)
{
    struct xml *x = ctx;

    if (x->said[0] == '\0' && e && e->message)
        (void)snprintf(x->said, sizeof(x->said), "%.*s",
                       (int)strcspn(e->message, "\r\n"), e->message);
}

static enum puan_status xml_open(struct xml *x, struct puan_str text,
                                 const char *where, struct puan_arena *a,
                                 struct puan_err *err)
{
    *x = (struct xml){ .where = where, .a = a, .err = err };
    if (text.n == 0 || text.n > PUAN_XLSX_PART_BYTES)
        return puan_fail(err, PUAN_EINVAL, where, "no XML in this part");
    /* of this thread: the reader looks at the encoding before it can be told
       where to complain, and must never write to the terminal */
    xmlSetStructuredErrorFunc(x, complain);
    x->r = xmlReaderForMemory(text.p, (int)text.n, NULL, NULL,
                              XML_PARSE_NONET | XML_PARSE_NOWARNING);
    if (x->r == NULL) {
        xmlSetStructuredErrorFunc(NULL, NULL);
        return puan_fail(err, x->said[0] ? PUAN_EINVAL : PUAN_ENOMEM, where,
                         "%s", x->said[0] ? x->said : "out of memory");
    }
    xmlTextReaderSetStructuredErrorHandler(x->r, complain, x);
    return PUAN_OK;
}

static void xml_close(struct xml *x)
{
    if (x->r)
        xmlFreeTextReader(x->r);
    x->r = NULL;
    xmlSetStructuredErrorFunc(NULL, NULL);
}

static enum puan_status xml_fail(struct xml *x, enum puan_status code,
                                 const char *what)
{
    int line = x->r ? xmlTextReaderGetParserLineNumber(x->r) : 0;

    return puan_fail_at(x->err, code, x->where, line > 0 ? (uint32_t)line : 0,
                        0, "%s", what);
}

/* *more is false at the end of the document. */
static enum puan_status xml_next(bool *more, struct xml *x)
{
    int got = xmlTextReaderRead(x->r);

    *more = got == 1;
    if (got < 0)
        return xml_fail(x, PUAN_EINVAL,
                        x->said[0] ? x->said : "not well-formed XML");
    if (got == 1) {
        int type = xmlTextReaderNodeType(x->r);

        if (type == XML_READER_TYPE_DOCUMENT_TYPE ||
            type == XML_READER_TYPE_ENTITY_REFERENCE)
            return xml_fail(x, PUAN_EINVAL,
                            "a document type or entity has no place here");
    }
    return PUAN_OK;
}

static bool starts(const struct xml *x, const char *name)
{
    return xmlTextReaderNodeType(x->r) == XML_READER_TYPE_ELEMENT &&
           strcmp((const char *)xmlTextReaderConstLocalName(x->r), name) == 0;
}

static bool ends(const struct xml *x, const char *name)
{
    int type = xmlTextReaderNodeType(x->r);

    if (type == XML_READER_TYPE_ELEMENT)
        return xmlTextReaderIsEmptyElement(x->r) == 1 && starts(x, name);
    return type == XML_READER_TYPE_END_ELEMENT &&
           strcmp((const char *)xmlTextReaderConstLocalName(x->r), name) == 0;
}

/* An attribute by its local name; empty when it is not there. */
static struct puan_str attribute(const struct xml *x, const char *name)
{
    struct puan_str out = { "", 0 };

    if (xmlTextReaderMoveToFirstAttribute(x->r) != 1)
        return out;
    do {
        if (strcmp((const char *)xmlTextReaderConstLocalName(x->r), name) == 0)
            out = puan_arena_keep(
                x->a,
                puan_str_of((const char *)xmlTextReaderConstValue(x->r)));
    } while (out.n == 0 && xmlTextReaderMoveToNextAttribute(x->r) == 1);
    (void)xmlTextReaderMoveToElement(x->r);
    return out;
}

static bool is_text(const struct xml *x)
{
    switch (xmlTextReaderNodeType(x->r)) {
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        return true;
    default:
        return false;
    }
}

/*
 * The text of the element the reader stands on, up to its end.  With `only`,
 * text of child elements of that name; what is read aloud (rPh) never counts.
 */
static enum puan_status text_of(struct puan_str *out, struct xml *x,
                                const char *element, const char *only)
{
    struct puan_out o;
    unsigned inside = only ? 0 : 1;
    bool aloud = false, more = !ends(x, element);
    enum puan_status st = PUAN_OK;

    puan_out_init(&o, x->a);
    while (st == PUAN_OK && more) {
        st = xml_next(&more, x);
        if (st != PUAN_OK || !more || ends(x, element))
            break;
        if (starts(x, "rPh"))
            aloud = !ends(x, "rPh");
        else if (ends(x, "rPh"))
            aloud = false;
        else if (only && starts(x, only))
            inside = ends(x, only) ? 0 : 1;
        else if (only && ends(x, only))
            inside = 0;
        else if (inside && !aloud && is_text(x))
            puan_out_text(&o, (const char *)xmlTextReaderConstValue(x->r));
        if (o.n > PUAN_XLSX_TEXT)
            st = xml_fail(x, PUAN_ELIMIT, "too much text");
    }
    *out = puan_out_view(&o);
    if (out->p == NULL)
        out->p = "";
    return st == PUAN_OK ? puan_arena_check(x->a, x->err) : st;
}

/* ---- a list that grows ---- */

struct list {
    void *p;
    size_t n, cap;
};

static void *list_add(struct list *l, size_t size, struct puan_arena *a)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        void *p = puan_arena_get_n(a, cap, size);

        if (p == NULL)
            return NULL;
        if (l->n)
            memcpy(p, l->p, l->n * size);
        l->p = p;
        l->cap = cap;
    }
    return (char *)l->p + size * l->n++;
}

/* ---- shared texts ---- */

static enum puan_status shared_texts(struct list *out, struct puan_str xml,
                                     const char *where, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct xml x;
    size_t bytes = 0;
    bool more = true;
    enum puan_status st = xml_open(&x, xml, where, a, err);

    while (st == PUAN_OK && more) {
        struct puan_str *s;

        st = xml_next(&more, &x);
        if (st != PUAN_OK || !more || !starts(&x, "si"))
            continue;
        s = list_add(out, sizeof(*s), a);
        if (s == NULL)
            st = puan_arena_check(a, err);
        else
            st = text_of(s, &x, "si", "t");
        bytes += st == PUAN_OK ? s->n : 0;
        if (bytes > PUAN_XLSX_TEXT || out->n > PUAN_XLSX_CELLS)
            st = xml_fail(&x, PUAN_ELIMIT, "too many texts in the workbook");
    }
    xml_close(&x);
    return st;
}

/* ---- one sheet ---- */

struct sheet {
    struct xml x;
    const struct puan_str *shared;
    size_t n_shared;
    struct list rows;
    struct puan_str *cell; /* of the row being read */
    uint32_t n;            /* cells up to the last with a value */
    uint32_t line;         /* of the row being read, or the last */
    uint32_t column;       /* of the cell last read, from 1; 0: none yet */
    size_t cells, bytes;
};

/* "AB12" or "AB": the column, from 1; 0 when it is none. */
static uint32_t column_of(struct puan_str ref)
{
    uint32_t c = 0;

    for (size_t i = 0; i < ref.n && ref.p[i] >= 'A' && ref.p[i] <= 'Z'; i++) {
        c = c * 26 + (uint32_t)(ref.p[i] - 'A') + 1;
        if (c > 16384) /* XFD, the last that Excel knows */
            return 0;
    }
    return c;
}

/* A number as a person writes it: 3, 0.1, not 0.10000000000000001. */
static struct puan_str number_text(struct puan_str v, struct puan_arena *a)
{
    char in[64], out[64];
    char *end;
    double d;

    v = puan_str_trim(v);
    if (v.n == 0 || v.n >= sizeof(in))
        return v;
    memcpy(in, v.p, v.n);
    in[v.n] = '\0';
    d = strtod(in, &end);
    if (*end != '\0' || !(d > -1e15 && d < 1e15))
        return v;
    (void)snprintf(out, sizeof(out), "%.15g", d);
    return puan_arena_keep(a, puan_str_of(out));
}

/* What a cell of type `type` with this value says. */
static enum puan_status value_of(struct puan_str *out, struct sheet *s,
                                 struct puan_str type, struct puan_str v)
{
    int64_t i;

    *out = v;
    if (puan_str_is(type, "s")) {
        if (!puan_int_parse(&i, puan_str_trim(v)) || i < 0 ||
            (size_t)i >= s->n_shared)
            return xml_fail(&s->x, PUAN_EINVAL,
                            "a cell points to a shared text that is not there");
        *out = s->shared[i];
    } else if (puan_str_is(type, "b")) {
        *out = puan_str_is(puan_str_trim(v), "1") ? PUAN_STR("TRUE")
                                                  : PUAN_STR("FALSE");
    } else if (puan_str_is(type, "e")) {
        *out = PUAN_STR(""); /* #REF! says nothing */
    } else if (type.n == 0 || puan_str_is(type, "n")) {
        *out = number_text(v, s->x.a);
    }
    return PUAN_OK;
}

/* The reader stands on <c>; it is read to its end. */
static enum puan_status cell(struct sheet *s)
{
    struct puan_str ref = attribute(&s->x, "r"), type = attribute(&s->x, "t");
    struct puan_str v = { "", 0 };
    uint32_t column = ref.n ? column_of(ref) : s->column + 1;
    bool more = !ends(&s->x, "c"), is = false;
    enum puan_status st = PUAN_OK;

    if (column <= s->column)
        return xml_fail(&s->x, PUAN_EINVAL,
                        "the cells of a row do not stand in order");
    s->column = column;
    while (st == PUAN_OK && more) {
        st = xml_next(&more, &s->x);
        if (st != PUAN_OK || !more || ends(&s->x, "c"))
            break;
        if (starts(&s->x, "v")) {
            st = text_of(&v, &s->x, "v", NULL);
        } else if (starts(&s->x, "is")) {
            st = text_of(&v, &s->x, "is", "t");
            is = true;
        }
    }
    if (st == PUAN_OK && !is && v.n)
        st = value_of(&v, s, type, v);
    if (st != PUAN_OK || v.n == 0)
        return st;
    if (column > PUAN_XLSX_COLUMNS) /* only painted ones may lie there */
        return xml_fail(&s->x, PUAN_ELIMIT, "a cell lies too far to the right");
    s->cell[column - 1] = v;
    s->n = column;
    s->bytes += v.n;
    if (++s->cells > PUAN_XLSX_CELLS || s->bytes > PUAN_XLSX_TEXT)
        return xml_fail(&s->x, PUAN_ELIMIT, "too many cells, or too much text");
    return PUAN_OK;
}

static enum puan_status row_end(struct sheet *s)
{
    struct puan_grid_row *row;
    struct puan_str *kept;

    if (s->n == 0)
        return PUAN_OK;
    if (s->rows.n >= PUAN_XLSX_ROWS)
        return xml_fail(&s->x, PUAN_ELIMIT, "too many rows");
    row = list_add(&s->rows, sizeof(*row), s->x.a);
    kept = puan_new_n(s->x.a, s->n, struct puan_str);
    if (row == NULL || kept == NULL)
        return puan_arena_check(s->x.a, s->x.err);
    memcpy(kept, s->cell, s->n * sizeof(*kept));
    *row = (struct puan_grid_row){ s->line, kept, s->n };
    return PUAN_OK;
}

static enum puan_status row_begin(struct sheet *s)
{
    struct puan_str r = attribute(&s->x, "r");
    int64_t line = (int64_t)s->line + 1;

    if (r.n && (!puan_int_parse(&line, r) || line <= s->line ||
                line > 16777216))
        return xml_fail(&s->x, PUAN_EINVAL,
                        "the rows of a sheet do not stand in order");
    s->line = (uint32_t)line;
    s->n = s->column = 0;
    memset(s->cell, 0, PUAN_XLSX_COLUMNS * sizeof(*s->cell));
    for (size_t i = 0; i < PUAN_XLSX_COLUMNS; i++)
        s->cell[i].p = "";
    return PUAN_OK;
}

enum puan_status puan_xlsx_sheet(struct puan_grid *out, struct puan_str xml,
                                 const struct puan_str *shared, size_t n_shared,
                                 const char *where, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct sheet s = { .shared = shared, .n_shared = n_shared };
    bool more = true, inside = false;
    enum puan_status st = xml_open(&s.x, xml, where, a, err);

    s.cell = puan_new_n(a, PUAN_XLSX_COLUMNS, struct puan_str);
    if (st == PUAN_OK && s.cell == NULL)
        st = puan_arena_check(a, err);
    while (st == PUAN_OK && more) {
        st = xml_next(&more, &s.x);
        if (st != PUAN_OK || !more)
            break;
        if (starts(&s.x, "row")) {
            st = row_begin(&s);
            inside = !ends(&s.x, "row");
        } else if (inside && starts(&s.x, "c")) {
            st = cell(&s);
        } else if (inside && ends(&s.x, "row")) {
            st = row_end(&s);
            inside = false;
        }
    }
    xml_close(&s.x);
    out->row = s.rows.p;
    out->n = (uint32_t)s.rows.n;
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* ---- the workbook ---- */

struct ref {
    struct puan_str name, id, target;
};

/* The elements `element` of a part: attributes name and id, or Target and Id. */
static enum puan_status refs(struct list *out, struct puan_str xml,
                             const char *element, const char *name,
                             const char *id, const char *where,
                             struct puan_arena *a, struct puan_err *err)
{
    struct xml x;
    bool more = true;
    enum puan_status st = xml_open(&x, xml, where, a, err);

    while (st == PUAN_OK && more) {
        struct ref *r;

        st = xml_next(&more, &x);
        if (st != PUAN_OK || !more || !starts(&x, element))
            continue;
        r = list_add(out, sizeof(*r), a);
        if (r == NULL) {
            st = puan_arena_check(a, err);
        } else {
            r->name = attribute(&x, name);
            r->id = attribute(&x, id);
        }
        if (out->n > PUAN_XLSX_PARTS)
            st = xml_fail(&x, PUAN_ELIMIT, "too many parts");
    }
    xml_close(&x);
    return st;
}

/* A target of xl/_rels/workbook.xml.rels as the archive names it. */
static struct puan_str part_name(struct puan_str target, struct puan_arena *a)
{
    if (target.n && target.p[0] == '/')
        return (struct puan_str){ target.p + 1, target.n - 1 };
    return puan_str_of(puan_arena_fmt(a, "xl/%.*s", PUAN_FMT(target)));
}

static enum puan_status part(struct puan_str *out, struct puan_zip *z,
                             const char *name, bool needed,
                             struct puan_err *err)
{
    struct puan_err own = { 0 };
    enum puan_status st = puan_zip_part(out, z, puan_str_of(name), &own);

    if (st == PUAN_ENOTFOUND && !needed) {
        *out = (struct puan_str){ "", 0 };
        return PUAN_OK;
    }
    if (st == PUAN_ENOTFOUND)
        return puan_fail(err, PUAN_EINVAL, own.where,
                         "no workbook: this part is missing; save the form as "
                         ".xlsx");
    if (st != PUAN_OK && err)
        *err = own;
    return st;
}

static enum puan_status sheets(struct puan_xlsx *out, struct puan_zip *z,
                               const struct list *book, const struct list *rels,
                               const struct list *shared, const char *file,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct ref *s = book->p, *r = rels->p;
    struct puan_grid *grid = puan_new_n(a, book->n, struct puan_grid);
    size_t rows = 0;
    enum puan_status st = PUAN_OK;

    if (grid == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < book->n; i++) {
        struct puan_str target = { "", 0 }, xml;

        for (size_t k = 0; k < rels->n; k++)
            if (puan_str_eq(r[k].id, s[i].id))
                target = r[k].name;
        if (target.n == 0)
            return puan_fail(err, PUAN_EINVAL, file,
                             "sheet '%.*s' has no part in the archive",
                             PUAN_FMT(s[i].name));
        target = part_name(target, a);
        st = part(&xml, z, puan_arena_dup(a, target), true, err);
        grid[i].name = s[i].name;
        if (st == PUAN_OK)
            st = puan_xlsx_sheet(
                &grid[i], xml, shared->p, shared->n,
                puan_arena_fmt(a, "%s:%.*s", file, PUAN_FMT(target)), a, err);
        rows += st == PUAN_OK ? grid[i].n : 0;
        if (st == PUAN_OK && rows > PUAN_XLSX_ROWS)
            st = puan_fail(err, PUAN_ELIMIT, file, "too many rows");
    }
    out->sheet = grid;
    out->n = book->n;
    return st;
}

static enum puan_status whole(struct puan_xlsx *out, struct puan_zip *z,
                              const char *file, struct puan_arena *a,
                              struct puan_err *err)
{
    struct list book = { 0 }, rels = { 0 }, shared = { 0 };
    struct puan_str text;
    enum puan_status st = part(&text, z, "xl/workbook.xml", true, err);

    if (st == PUAN_OK)
        st = refs(&book, text, "sheet", "name", "id",
                  puan_arena_fmt(a, "%s:xl/workbook.xml", file), a, err);
    if (st == PUAN_OK && book.n > PUAN_XLSX_SHEETS)
        st = puan_fail(err, PUAN_ELIMIT, file, "more than %d sheets",
                       PUAN_XLSX_SHEETS);
    if (st == PUAN_OK)
        st = part(&text, z, "xl/_rels/workbook.xml.rels", true, err);
    if (st == PUAN_OK)
        st = refs(&rels, text, "Relationship", "Target", "Id",
                  puan_arena_fmt(a, "%s:xl/_rels/workbook.xml.rels", file), a,
                  err);
    if (st == PUAN_OK)
        st = part(&text, z, "xl/sharedStrings.xml", false, err);
    if (st == PUAN_OK && text.n)
        st = shared_texts(&shared, text,
                          puan_arena_fmt(a, "%s:xl/sharedStrings.xml", file), a,
                          err);
    return st == PUAN_OK
               ? sheets(out, z, &book, &rels, &shared, file, a, err)
               : st;
}

enum puan_status puan_xlsx_read(struct puan_xlsx *out, struct puan_str bytes,
                                const char *file, struct puan_arena *a,
                                struct puan_err *err)
{
    static const char ole[] = { (char)0xd0, (char)0xcf, 0x11, (char)0xe0 };
    struct puan_zip *z = NULL;
    enum puan_status st;

    *out = (struct puan_xlsx){ 0 };
    if (bytes.n > PUAN_XLSX_BYTES)
        return puan_fail(err, PUAN_ELIMIT, file, "larger than %u MiB",
                         PUAN_XLSX_BYTES >> 20);
    if (bytes.n >= sizeof(ole) && memcmp(bytes.p, ole, sizeof(ole)) == 0)
        return puan_fail(err, PUAN_EINVAL, file,
                         "an old .xls workbook, or one with a password; save "
                         "it as .xlsx without one");
    st = puan_zip_open(&z, bytes, file, a, err);
    if (st == PUAN_OK)
        st = whole(out, z, file, a, err);
    puan_zip_close(z);
    return st;
}
