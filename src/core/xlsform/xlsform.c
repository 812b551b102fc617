/*
 * The way of a workbook into a form, and its report.
 */
#include "core/xlsform/xlsform.h"

#include "base/out.h"
#include "core/rule/rule.h"
#include "core/xlsform/model.h"

/* ---- the report ---- */

static bool said_before(const struct puan_xlsform_remark *last,
                        const struct puan_xlsform_remark *r)
{
    return last && last->line == r->line && last->column == r->column &&
           strcmp(last->text, r->text) == 0 &&
           puan_str_eq(last->sheet, r->sheet);
}

void xf_remark(struct xf_model *m, enum puan_xlsform_level level,
               const struct xf_sheet *s, uint32_t line, uint32_t column,
               const char *text, const char *remedy)
{
    struct puan_xlsform_remark *r;

    if (m->quiet)
        return;
    r = puan_new(m->a, struct puan_xlsform_remark);
    if (!r)
        return;
    *r = (struct puan_xlsform_remark){
        .level = level,
        .sheet = s->grid ? s->grid->name : PUAN_STR("survey"),
        .line = line,
        .column = column,
        .text = text,
        .remedy = remedy
    };
    if (said_before(m->last, r)) /* of the other language */
        return;
    r->next = m->last; /* backwards until the end */
    m->last = r;
    m->out->n_lost += level == PUAN_XLSFORM_LOST;
    m->out->n_changed += level == PUAN_XLSFORM_CHANGED;
    m->out->n_notes += level == PUAN_XLSFORM_NOTE;
}

static int sheet_place(const struct xf_model *m, struct puan_str name)
{
    for (size_t i = 0; i < m->in->n; i++)
        if (puan_str_eq(m->in->sheet[i].name, name))
            return (int)i;
    return -1;
}

static bool behind(const struct xf_model *m,
                   const struct puan_xlsform_remark *a,
                   const struct puan_xlsform_remark *b)
{
    int x = sheet_place(m, a->sheet), y = sheet_place(m, b->sheet);

    if (x != y)
        return x > y;
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* By merging stretches of doubling length; of one cell as they were said. */
static const struct puan_xlsform_remark *sorted(const struct xf_model *m)
{
    size_t n = m->out->n_lost + m->out->n_changed + m->out->n_notes;
    struct puan_xlsform_remark **v =
        puan_new_n(m->a, n + 1, struct puan_xlsform_remark *);
    struct puan_xlsform_remark **w =
        puan_new_n(m->a, n + 1, struct puan_xlsform_remark *);
    struct puan_xlsform_remark *r = m->last;

    if (!v || !w)
        return NULL;
    for (size_t i = n; i > 0; i--) { /* the list runs backwards */
        v[i - 1] = r;
        r = (struct puan_xlsform_remark *)(uintptr_t)r->next;
    }
    for (size_t half = 1; half < n; half *= 2) {
        struct puan_xlsform_remark **t = v;

        for (size_t i = 0; i < n; i += 2 * half) {
            size_t mid = i + half < n ? i + half : n;
            size_t end = i + 2 * half < n ? i + 2 * half : n;
            size_t x = i, y = mid;

            for (size_t k = i; k < end; k++)
                w[k] = x < mid && (y == end || !behind(m, v[x], v[y]))
                           ? v[x++]
                           : v[y++];
        }
        v = w;
        w = t;
    }
    for (size_t i = 0; i < n; i++)
        v[i]->next = i + 1 < n ? v[i + 1] : NULL;
    return n ? v[0] : NULL;
}

const char *puan_xlsform_place(const struct puan_xlsform_remark *r,
                               struct puan_arena *a)
{
    char letters[8];
    size_t n = 0;

    if (r->line == 0)
        return puan_arena_dup(a, r->sheet);
    if (r->column == 0)
        return puan_arena_fmt(a, "%.*s row %u", PUAN_FMT(r->sheet), r->line);
    for (uint32_t c = r->column; c > 0 && n < sizeof(letters); c = (c - 1) / 26)
        letters[n++] = (char)('A' + (c - 1) % 26);
    for (size_t i = 0; i < n / 2; i++) {
        char t = letters[i];

        letters[i] = letters[n - 1 - i];
        letters[n - 1 - i] = t;
    }
    return puan_arena_fmt(a, "%.*s!%.*s%u", PUAN_FMT(r->sheet), (int)n, letters,
                          r->line);
}

/* ---- all of it ---- */

/* A form's id: Latin letters, digits, _ and -, a letter first. */
static struct puan_str id_of(const struct xf_model *m)
{
    struct puan_str s = m->in->id;
    struct puan_out o;

    if (s.n == 0)
        s = xf_setting(m, "form_id");
    if (s.n == 0)
        s = xf_setting(m, "id_string");
    if (s.n == 0)
        s = m->in->name;
    puan_out_init(&o, m->a);
    for (size_t i = 0; i < s.n && o.n < 32; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if ((unsigned char)c >= 0x80 && (unsigned char)c < 0xc0)
            continue;
        if (o.n == 0 && !letter)
            puan_out_char(&o, 'f');
        if (o.n < 32)
            puan_out_char(&o, letter || (c >= '0' && c <= '9') || c == '-'
                                  ? c
                                  : '_');
    }
    return o.n ? puan_out_view(&o) : PUAN_STR("form");
}

static enum puan_status steps(struct xf_model *m)
{
    enum puan_status st = xf_read(m);

    if (st == PUAN_OK)
        st = xf_names(m);
    if (st != PUAN_OK)
        return st;
    m->id = m->out->id = id_of(m);
    xf_parse(m);
    st = xf_form(m);
    if (st == PUAN_OK)
        st = xf_routing(m);
    return st == PUAN_OK ? xf_rules(m) : st;
}

enum puan_status puan_xlsform(struct puan_xlsform *out,
                              const struct puan_xlsform_in *in,
                              struct puan_arena *a, struct puan_err *err)
{
    struct xf_model m = { .a = a, .err = err, .out = out, .in = in };
    struct puan_err own = { 0 };
    enum puan_status st;

    if (!m.err)
        m.err = &own;
    *out = (struct puan_xlsform){ 0 };
    st = steps(&m);
    if (a->failed) { /* what looked wrong was only missing */
        *m.err = (struct puan_err){ 0 };
        return puan_arena_check(a, m.err);
    }
    if (st != PUAN_OK)
        return st;
    out->yaml = xf_yaml(out->tree, PUAN_STR(""), a);
    out->remarks = sorted(&m);
    return puan_arena_check(a, err);
}
