/*
 * The sheets of an XLSForm: which column holds what, what a type means, groups
 * and repeats.  Headers and types are taken as loosely as pyxform takes them.
 */
#include "core/xlsform/model.h"

/* ---- words as people write them ---- */

/* Small Latin letters, runs of blanks and hyphens one '_', ends cut off. */
static struct puan_str squash(struct puan_str s, struct puan_arena *a)
{
    char *p;
    size_t n = 0;

    s = puan_str_trim(s);
    p = puan_arena_get(a, s.n + 1);
    for (size_t i = 0; p && i < s.n; i++) {
        char c = s.p[i];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '-')
            c = '_';
        if (c == '_' && n > 0 && p[n - 1] == '_')
            continue;
        p[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (struct puan_str){ p ? p : "", n };
}

static bool yes(struct puan_str s)
{
    static const char *const words[] = { "yes",    "true",    "true()", "1",
                                         "required", "y" };

    for (size_t i = 0; i < PUAN_COUNT(words); i++)
        if (puan_str_same(s, puan_str_of(words[i])))
            return true;
    return false;
}

/* ---- headers ---- */

struct header {
    const char *name;
    enum xf_what what;
};

static const struct header headers[] = {
    { "type", XF_TYPE },
    { "name", XF_NAME },
    { "tag", XF_NAME },
    { "value", XF_NAME },
    { "label", XF_LABEL },
    { "caption", XF_LABEL },
    { "hint", XF_HINT },
    { "required", XF_REQUIRED },
    { "bind_required", XF_REQUIRED },
    { "relevant", XF_RELEVANT },
    { "relevance", XF_RELEVANT },
    { "skip_logic", XF_RELEVANT },
    { "bind_relevant", XF_RELEVANT },
    { "constraint", XF_CONSTRAINT },
    { "bind_constraint", XF_CONSTRAINT },
    { "constraint_message", XF_MESSAGE },
    { "constraint_msg", XF_MESSAGE },
    { "bind_jr_constraintmsg", XF_MESSAGE },
    { "calculation", XF_CALCULATION },
    { "calculate", XF_CALCULATION },
    { "bind_calculate", XF_CALCULATION },
    { "default", XF_DEFAULT },
    { "choice_filter", XF_CHOICE_FILTER },
    { "repeat_count", XF_REPEAT_COUNT },
    { "count", XF_REPEAT_COUNT },
    { "jr_count", XF_REPEAT_COUNT },
    { "parameters", XF_PARAMETERS },
    { "disabled", XF_DISABLED },
    { "list_name", XF_LIST_NAME },
    { "appearance", XF_SILENT },
    { "control_appearance", XF_SILENT },
    { "required_message", XF_SILENT },
    { "requiredmsg", XF_SILENT },
};

/* A header without the colons between its parts: bind::jr:constraintMsg. */
static struct puan_str joined(struct puan_str s, struct puan_arena *a)
{
    char *p = puan_arena_get(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; p && i < s.n; i++)
        if (s.p[i] != ':')
            p[n++] = s.p[i];
        else if (n > 0 && p[n - 1] != '_')
            p[n++] = '_';
    return (struct puan_str){ p ? p : "", n };
}

static bool header_is(enum xf_what *what, struct puan_str s)
{
    for (size_t i = 0; i < PUAN_COUNT(headers); i++)
        if (puan_str_is(s, headers[i].name)) {
            *what = headers[i].what;
            return true;
        }
    return false;
}

static struct xf_column column_of(struct puan_str header, struct puan_arena *a)
{
    struct xf_column c = { .what = XF_OTHER, .header = header };
    struct puan_str whole = squash(header, a), base = whole;

    if (header_is(&c.what, joined(whole, a)))
        return c;
    for (size_t i = 0; i < header.n; i++)
        if (header.p[i] == ':') {
            size_t k = i;

            base = squash((struct puan_str){ header.p, i }, a);
            while (k < header.n && header.p[k] == ':')
                k++;
            c.lang = puan_str_trim(
                (struct puan_str){ header.p + k, header.n - k });
            break;
        }
    if (!header_is(&c.what, base) ||
        (c.lang.n && c.what != XF_LABEL && c.what != XF_HINT &&
         c.what != XF_MESSAGE && c.what != XF_SILENT))
        c.what = XF_OTHER;
    return c;
}

static void sheet_open(struct xf_model *m, struct xf_sheet *out,
                       const char *name, const char *other)
{
    *out = (struct xf_sheet){ 0 };
    for (size_t i = 0; i < m->in->n; i++) {
        struct puan_str s = squash(m->in->sheet[i].name, m->a);

        if ((puan_str_is(s, name) || puan_str_is(s, other)) && !out->grid &&
            m->in->sheet[i].n > 0)
            out->grid = &m->in->sheet[i];
    }
    if (!out->grid)
        return;
    out->n_cols = out->grid->row[0].n;
    out->col = puan_new_n(m->a, out->n_cols, struct xf_column);
    for (uint32_t i = 0; out->col && i < out->n_cols; i++)
        out->col[i] = column_of(out->grid->row[0].cell[i], m->a);
    if (!out->col)
        out->n_cols = 0;
}

struct puan_str xf_cell(const struct xf_sheet *s,
                        const struct puan_grid_row *row, enum xf_what what,
                        uint32_t *col)
{
    for (uint32_t i = 0; i < s->n_cols; i++)
        if (s->col[i].what == what) {
            struct puan_str c = puan_str_trim(puan_grid_cell(row, i));

            if (c.n == 0)
                continue;
            if (col)
                *col = i + 1;
            return c;
        }
    return (struct puan_str){ "", 0 };
}

static struct puan_str in_language(const struct xf_sheet *s,
                                   const struct puan_grid_row *row,
                                   enum xf_what what, struct puan_str lang,
                                   uint32_t *col)
{
    for (uint32_t i = 0; i < s->n_cols; i++)
        if (s->col[i].what == what && puan_str_eq(s->col[i].lang, lang)) {
            struct puan_str c = puan_str_trim(puan_grid_cell(row, i));

            if (c.n == 0)
                continue;
            *col = i + 1;
            return c;
        }
    return (struct puan_str){ "", 0 };
}

struct puan_str xf_words(struct xf_model *m, const struct xf_sheet *s,
                         const struct puan_grid_row *row, enum xf_what what,
                         struct puan_str lang)
{
    uint32_t col = 0;
    bool refs = false;
    struct puan_str text = in_language(s, row, what, lang, &col);

    if (text.n == 0)
        text = in_language(s, row, what, m->en, &col);
    if (text.n == 0)
        text = in_language(s, row, what, PUAN_STR(""), &col);
    if (text.n == 0)
        text = xf_cell(s, row, what, &col);
    text = xf_clean(text, &refs, m->a);
    if (refs)
        xf_remark(m, PUAN_XLSFORM_CHANGED, s, row->line, col,
                  "an answer put into a text (${…}) is shown as an ellipsis: "
                  "labels of a plan do not change",
                  "word the text without it");
    return text;
}

struct puan_str xf_setting(const struct xf_model *m, const char *name)
{
    const struct xf_sheet *s = &m->settings;

    for (uint32_t i = 0; s->grid && s->grid->n > 1 && i < s->n_cols; i++)
        if (puan_str_is(squash(s->col[i].header, m->a), name))
            return puan_str_trim(puan_grid_cell(&s->grid->row[1], i));
    return (struct puan_str){ "", 0 };
}

/* ---- languages ---- */

static bool looks(struct puan_str lang, const char *const *words)
{
    for (; *words; words++)
        if (puan_str_holds(lang, puan_str_of(*words)))
            return true;
    return false;
}

/* The label column whose language looks like one of the words. */
static struct puan_str language(const struct xf_model *m, struct puan_str want,
                                const char *const *words, const char *code)
{
    const struct xf_sheet *s = &m->survey;

    for (uint32_t i = 0; want.n && i < s->n_cols; i++)
        if (s->col[i].what == XF_LABEL && puan_str_holds(s->col[i].lang, want))
            return s->col[i].lang;
    for (uint32_t i = 0; i < s->n_cols; i++)
        if (s->col[i].what == XF_LABEL && s->col[i].lang.n &&
            (looks(s->col[i].lang, words) ||
             puan_str_same(s->col[i].lang, puan_str_of(code))))
            return s->col[i].lang;
    return (struct puan_str){ "", 0 };
}

static void languages(struct xf_model *m)
{
    static const char *const zh[] = { "chinese", "(zh", "中文", "汉语", "漢語",
                                      NULL };
    static const char *const en[] = { "english", "(en", NULL };
    const struct xf_sheet *s = &m->survey;
    struct puan_str first = { "", 0 };
    bool plain = false;

    m->zh = language(m, m->in->zh, zh, "zh");
    m->en = language(m, m->in->en, en, "en");
    for (uint32_t i = 0; i < s->n_cols; i++)
        if (s->col[i].what == XF_LABEL) {
            plain = plain || s->col[i].lang.n == 0;
            if (first.n == 0)
                first = s->col[i].lang;
        }
    if (m->en.n == 0 && !plain) {
        struct puan_str d = xf_setting(m, "default_language");

        m->en = d.n ? language(m, d, en, "en") : first;
        if (m->en.n == 0)
            m->en = first;
    }
    if (m->zh.n == 0) {
        m->zh = m->en;
        xf_remark(m, PUAN_XLSFORM_CHANGED, s, s->grid->row[0].line, 0,
                  "no labels in Chinese: those of the other language stand in "
                  "for them",
                  "translate the values of zh in the form, or name the column "
                  "with --zh");
    }
}

/* ---- types ---- */

enum meaning {
    MEAN_QUESTION,
    MEAN_BEGIN_GROUP,
    MEAN_END_GROUP,
    MEAN_BEGIN_REPEAT,
    MEAN_END_REPEAT,
    MEAN_NOTE,
    MEAN_HEAD,   /* the head of a return has it */
    MEAN_LOST,   /* no counterpart */
    MEAN_HIDDEN, /* filled by other software */
    MEAN_LOOP_BEGIN,
    MEAN_LOOP_END
};

struct type_row {
    const char *name;
    enum meaning mean;
    enum xf_kind kind;
};

static const struct type_row types[] = {
    { "text", MEAN_QUESTION, XF_TEXT },
    { "string", MEAN_QUESTION, XF_TEXT },
    { "q_string", MEAN_QUESTION, XF_TEXT },
    { "add_text_prompt", MEAN_QUESTION, XF_TEXT },
    { "tel", MEAN_QUESTION, XF_TEXT },
    { "phone", MEAN_QUESTION, XF_TEXT },
    { "phone_number_question", MEAN_QUESTION, XF_TEXT },
    { "barcode", MEAN_QUESTION, XF_TEXT },
    { "q_barcode", MEAN_QUESTION, XF_TEXT },
    { "add_barcode_prompt", MEAN_QUESTION, XF_TEXT },
    { "time", MEAN_QUESTION, XF_TEXT },
    { "datetime", MEAN_QUESTION, XF_TEXT },
    { "date_time", MEAN_QUESTION, XF_TEXT },
    { "q_date_time", MEAN_QUESTION, XF_TEXT },
    { "integer", MEAN_QUESTION, XF_INT },
    { "int", MEAN_QUESTION, XF_INT },
    { "q_int", MEAN_QUESTION, XF_INT },
    { "add_integer_prompt", MEAN_QUESTION, XF_INT },
    { "range", MEAN_QUESTION, XF_INT },
    { "percentage", MEAN_QUESTION, XF_INT },
    { "decimal", MEAN_QUESTION, XF_DECIMAL },
    { "q_decimal", MEAN_QUESTION, XF_DECIMAL },
    { "add_decimal_prompt", MEAN_QUESTION, XF_DECIMAL },
    { "date", MEAN_QUESTION, XF_DATE },
    { "q_date", MEAN_QUESTION, XF_DATE },
    { "add_date_prompt", MEAN_QUESTION, XF_DATE },
    { "geopoint", MEAN_QUESTION, XF_POINT },
    { "gps", MEAN_QUESTION, XF_POINT },
    { "location", MEAN_QUESTION, XF_POINT },
    { "q_geopoint", MEAN_QUESTION, XF_POINT },
    { "add_location_prompt", MEAN_QUESTION, XF_POINT },
    { "acknowledge", MEAN_QUESTION, XF_ACK },
    { "trigger", MEAN_QUESTION, XF_ACK },
    { "q_acknowledge", MEAN_QUESTION, XF_ACK },
    { "calculate", MEAN_QUESTION, XF_CALCULATE },
    { "calculation", MEAN_QUESTION, XF_CALCULATE },
    { "q_calculate", MEAN_QUESTION, XF_CALCULATE },
    { "begin_group", MEAN_BEGIN_GROUP, XF_GROUP },
    { "end_group", MEAN_END_GROUP, XF_GROUP },
    { "begin_repeat", MEAN_BEGIN_REPEAT, XF_REPEAT },
    { "end_repeat", MEAN_END_REPEAT, XF_REPEAT },
    { "note", MEAN_NOTE, XF_TEXT },
    { "q_note", MEAN_NOTE, XF_TEXT },
    { "add_note_prompt", MEAN_NOTE, XF_TEXT },
    { "start", MEAN_HEAD, XF_TEXT },
    { "start_time", MEAN_HEAD, XF_TEXT },
    { "end", MEAN_HEAD, XF_TEXT },
    { "end_time", MEAN_HEAD, XF_TEXT },
    { "today", MEAN_HEAD, XF_TEXT },
    { "deviceid", MEAN_HEAD, XF_TEXT },
    { "device_id", MEAN_HEAD, XF_TEXT },
    { "imei", MEAN_HEAD, XF_TEXT },
    { "uri:deviceid", MEAN_HEAD, XF_TEXT },
    { "username", MEAN_HEAD, XF_TEXT },
    { "uri:username", MEAN_HEAD, XF_TEXT },
    { "email", MEAN_HEAD, XF_TEXT },
    { "phonenumber", MEAN_HEAD, XF_TEXT },
    { "phone_number", MEAN_HEAD, XF_TEXT },
    { "subscriberid", MEAN_HEAD, XF_TEXT },
    { "subscriber_id", MEAN_HEAD, XF_TEXT },
    { "simserial", MEAN_HEAD, XF_TEXT },
    { "sim_serial", MEAN_HEAD, XF_TEXT },
    { "audit", MEAN_HEAD, XF_TEXT },
    { "start_geopoint", MEAN_HEAD, XF_TEXT },
    { "hidden", MEAN_HIDDEN, XF_TEXT },
    { "image", MEAN_LOST, XF_TEXT },
    { "photo", MEAN_LOST, XF_TEXT },
    { "q_image", MEAN_LOST, XF_TEXT },
    { "add_image_prompt", MEAN_LOST, XF_TEXT },
    { "audio", MEAN_LOST, XF_TEXT },
    { "q_audio", MEAN_LOST, XF_TEXT },
    { "add_audio_prompt", MEAN_LOST, XF_TEXT },
    { "background_audio", MEAN_LOST, XF_TEXT },
    { "video", MEAN_LOST, XF_TEXT },
    { "q_video", MEAN_LOST, XF_TEXT },
    { "add_video_prompt", MEAN_LOST, XF_TEXT },
    { "file", MEAN_LOST, XF_TEXT },
    { "q_file", MEAN_LOST, XF_TEXT },
    { "geotrace", MEAN_LOST, XF_TEXT },
    { "geoshape", MEAN_LOST, XF_TEXT },
    { "osm", MEAN_LOST, XF_TEXT },
    { "xml_external", MEAN_LOST, XF_TEXT },
    { "csv_external", MEAN_LOST, XF_TEXT },
    { "begin_loop", MEAN_LOOP_BEGIN, XF_GROUP },
    { "end_loop", MEAN_LOOP_END, XF_GROUP },
};

/* How a choice question begins; the list's name stands behind it. */
static const struct type_row selects[] = {
    { "add_select_multiple_prompt_using_", MEAN_QUESTION, XF_MANY },
    { "add_select_one_prompt_using_", MEAN_QUESTION, XF_ONE },
    { "select_one_from_file_", MEAN_LOST, XF_ONE },
    { "select_multiple_from_file_", MEAN_LOST, XF_MANY },
    { "select_one_external_", MEAN_QUESTION, XF_ONE },
    { "select_all_that_apply_from_", MEAN_QUESTION, XF_MANY },
    { "select_one_from_", MEAN_QUESTION, XF_ONE },
    { "select_multiple_from_", MEAN_QUESTION, XF_MANY },
    { "select_multiple_", MEAN_QUESTION, XF_MANY },
    { "select_one_", MEAN_QUESTION, XF_ONE },
    { "select1_", MEAN_QUESTION, XF_ONE },
    { "rank_", MEAN_LOST, XF_MANY },
};

struct typed {
    enum meaning mean;
    enum xf_kind kind;
    struct puan_str list;
    bool known, other, range, time, external;
};

/* The last words of a choice type: "or_other", "or specify other". */
static struct puan_str without_other(struct puan_str s, bool *other)
{
    static const char *const tails[] = { "or_other", "or specify other",
                                         "or other" };

    for (size_t i = 0; i < PUAN_COUNT(tails); i++) {
        size_t n = strlen(tails[i]);

        if (s.n > n &&
            puan_str_same((struct puan_str){ s.p + s.n - n, n },
                          puan_str_of(tails[i]))) {
            *other = true;
            return puan_str_trim((struct puan_str){ s.p, s.n - n });
        }
    }
    return s;
}

/* What is left of `cell` behind as many of its words as `prefix` has. */
static struct puan_str behind_words(struct puan_str cell, const char *prefix)
{
    size_t words = 0, i = 0;

    for (const char *p = prefix; *p; p++)
        words += *p == '_';
    while (i < cell.n && words > 0) {
        if (cell.p[i] == ' ' || cell.p[i] == '_' || cell.p[i] == '\t') {
            words--;
            while (i + 1 < cell.n &&
                   (cell.p[i + 1] == ' ' || cell.p[i + 1] == '\t'))
                i++;
        }
        i++;
    }
    return puan_str_trim((struct puan_str){ cell.p + i, cell.n - i });
}

static struct typed type_of(struct puan_str cell, struct puan_arena *a)
{
    struct typed t = { .mean = MEAN_LOST };
    struct puan_str s = squash(cell, a);

    for (size_t i = 0; i < PUAN_COUNT(types); i++)
        if (puan_str_is(s, types[i].name)) {
            t = (struct typed){ .mean = types[i].mean,
                                .kind = types[i].kind,
                                .known = true };
            t.range = puan_str_is(s, "range");
            t.time = puan_str_is(s, "time") ||
                     puan_str_holds(s, PUAN_STR("date_time")) ||
                     puan_str_is(s, "datetime");
            return t;
        }
    for (size_t i = 0; i < PUAN_COUNT(selects); i++)
        if (puan_str_starts(s, selects[i].name)) {
            t = (struct typed){ .mean = selects[i].mean,
                                .kind = selects[i].kind,
                                .known = true };
            t.external = puan_str_starts(s, "select_one_external");
            t.list = without_other(behind_words(cell, selects[i].name),
                                   &t.other);
            return t;
        }
    return t;
}

/* ---- lists ---- */

static bool list_named(const struct xf_model *m, struct puan_str name,
                       bool external, struct xf_list **out)
{
    const struct xf_sheet *s = external ? &m->external : &m->choices;

    *out = NULL;
    for (size_t i = 0; i < m->n_lists; i++)
        if (puan_str_eq(m->list[i].name, name) && m->list[i].sheet == s)
            *out = &m->list[i];
    return *out != NULL;
}

static bool has_choice(const struct xf_list *l, struct puan_str name)
{
    for (size_t i = 0; i < l->n; i++)
        if (puan_str_eq(l->choice[i].name, name))
            return true;
    return false;
}

/* Which list a row of choices belongs to, made when it is the first. */
static struct xf_list *list_for(struct xf_model *m, const struct xf_sheet *s,
                                struct puan_str name)
{
    struct xf_list *l;

    if (list_named(m, name, s == &m->external, &l))
        return l;
    l = &m->list[m->n_lists++];
    l->name = name;
    l->sheet = s;
    l->choice = NULL;
    return l;
}

/* Two passes: how long each list is, then its choices. */
static void lists_of(struct xf_model *m, const struct xf_sheet *s)
{
    for (int pass = 0; s->grid && pass < 2; pass++) {
        for (uint32_t i = 1; i < s->grid->n; i++) {
            const struct puan_grid_row *row = &s->grid->row[i];
            struct puan_str list = xf_cell(s, row, XF_LIST_NAME, NULL);
            struct puan_str name = xf_cell(s, row, XF_NAME, NULL);
            struct xf_list *l;

            if (list.n == 0 || name.n == 0)
                continue;
            l = list_for(m, s, list);
            if (pass == 0) {
                l->n++;
                continue;
            }
            if (!l->choice) {
                l->choice = puan_new_n(m->a, l->n + 1, struct xf_choice);
                l->n = 0;
            }
            if (!l->choice)
                return;
            if (has_choice(l, name))
                xf_remark(m, PUAN_XLSFORM_LOST, s, row->line, 0,
                          puan_arena_fmt(m->a,
                                         "choice '%.*s' stands in list '%.*s' "
                                         "twice; the first is kept",
                                         PUAN_FMT(name), PUAN_FMT(list)),
                          "give one of them another name");
            else
                l->choice[l->n++] = (struct xf_choice){ .row = row,
                                                        .name = name };
        }
    }
}

static enum puan_status read_lists(struct xf_model *m)
{
    size_t rows = (m->choices.grid ? m->choices.grid->n : 0) +
                  (m->external.grid ? m->external.grid->n : 0);

    if (rows > 2 * (size_t)PUAN_XLSFORM_ROWS)
        return puan_fail(m->err, PUAN_ELIMIT, "choices", "more than %d rows",
                         2 * PUAN_XLSFORM_ROWS);
    m->list = puan_new_n(m->a, rows + 1, struct xf_list);
    if (!m->list)
        return puan_arena_check(m->a, m->err);
    lists_of(m, &m->choices);
    lists_of(m, &m->external);
    return PUAN_OK;
}

/* ---- the survey ---- */

struct reading {
    struct xf_question *open[32]; /* groups and repeats around */
    size_t depth;
    unsigned loop; /* depth of begin loop, 0 outside */
};

static void lost(struct xf_model *m, const struct puan_grid_row *row,
                 const char *text, const char *remedy)
{
    uint32_t col = 0;

    (void)xf_cell(&m->survey, row, XF_TYPE, &col);
    xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, row->line, col, text, remedy);
}

static struct xf_question *question(struct xf_model *m, struct reading *r,
                                    const struct puan_grid_row *row,
                                    enum xf_kind kind)
{
    struct xf_question *q = &m->q[m->n++];

    q->kind = kind;
    q->row = row;
    q->name = xf_cell(&m->survey, row, XF_NAME, NULL);
    q->group = r->depth ? r->open[r->depth - 1] : NULL;
    q->entity = q->group ? q->group->entity : 0;
    q->required = yes(xf_cell(&m->survey, row, XF_REQUIRED, NULL));
    return q;
}

static enum puan_status begin(struct xf_model *m, struct reading *r,
                              const struct puan_grid_row *row,
                              enum xf_kind kind)
{
    struct xf_question *q = question(m, r, row, kind);

    if (r->depth == PUAN_COUNT(r->open))
        return puan_fail_at(m->err, PUAN_ELIMIT, "survey", row->line, 1,
                            "groups are nested more than %zu deep",
                            PUAN_COUNT(r->open));
    if (kind == XF_REPEAT && m->n_entities == PUAN_FORM_ENTITIES) {
        lost(m, row, puan_arena_fmt(m->a, "more than %d repeats: its questions "
                                          "are left out",
                                    PUAN_FORM_ENTITIES - 1),
             "divide the form into two");
        q->gone = true;
    } else if (kind == XF_REPEAT) {
        struct xf_entity *e = &m->entity[m->n_entities];

        *e = (struct xf_entity){ .repeat = q, .outer = q->entity, .rows = 99 };
        q->entity = m->n_entities++;
    }
    if (q->group && q->group->gone)
        q->gone = true;
    r->open[r->depth++] = q;
    return PUAN_OK;
}

static enum puan_status end(struct xf_model *m, struct reading *r,
                            const struct puan_grid_row *row, enum xf_kind kind)
{
    if (r->depth == 0 || r->open[r->depth - 1]->kind != kind)
        return puan_fail_at(m->err, PUAN_EINVAL, "survey", row->line, 1,
                            "'%s' ends what was not begun; mend the nesting "
                            "in the spreadsheet",
                            kind == XF_GROUP ? "end group" : "end repeat");
    r->depth--;
    return PUAN_OK;
}

/* start=1 end=10 step=1 */
static void range_of(struct xf_model *m, struct xf_question *q)
{
    struct puan_str rest = xf_cell(&m->survey, q->row, XF_PARAMETERS, NULL);
    struct puan_str word, key;
    int64_t v;

    q->min = 1;
    q->max = 10;
    q->has_range = true;
    while (puan_str_split(&word, &rest, ' ')) {
        struct puan_str value = word;

        if (!puan_str_split(&key, &value, '=') || value.p == NULL)
            continue;
        if (!puan_int_parse(&v, value)) {
            q->kind = XF_DECIMAL;
            q->has_range = false;
        } else if (puan_str_is(key, "start")) {
            q->min = v;
        } else if (puan_str_is(key, "end")) {
            q->max = v;
        }
    }
    if (q->has_range && q->min > q->max) {
        v = q->min;
        q->min = q->max;
        q->max = v;
    }
}

static void add(struct xf_model *m, struct reading *r,
                const struct puan_grid_row *row, const struct typed *t)
{
    struct xf_question *q = question(m, r, row, t->kind);
    uint32_t col = 0;

    q->time = t->time;
    q->gone = q->group && q->group->gone;
    if (t->range)
        range_of(m, q);
    if (t->kind != XF_CALCULATE)
        m->out->questions.of++;
    if (t->kind != XF_ONE && t->kind != XF_MANY)
        return;
    (void)xf_cell(&m->survey, row, XF_TYPE, &col);
    q->list_name = t->list;
    if (!list_named(m, t->list, t->external, &q->list) || q->list->n == 0) {
        xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, row->line, col,
                  puan_arena_fmt(m->a,
                                 "there is no list '%.*s' among the choices: "
                                 "the question is left out",
                                 PUAN_FMT(t->list)),
                  "add the list to the sheet choices and import again");
        q->gone = true;
    } else if (!q->gone) {
        q->list->used = true;
    }
    if (t->other)
        q->other = PUAN_STR("?"); /* named later */
}

static void note(struct xf_model *m, const struct puan_grid_row *row)
{
    uint32_t col = 0;

    (void)xf_cell(&m->survey, row, XF_TYPE, &col);
    xf_remark(m, PUAN_XLSFORM_NOTE, &m->survey, row->line, col,
              "a note asks nothing and is left out",
              "say it in the label or the hint of a question");
}

/* Left out, but known by name: what reads it can say so. */
static void leave(struct xf_model *m, struct reading *r,
                  const struct puan_grid_row *row)
{
    question(m, r, row, XF_TEXT)->gone = true;
}

static enum puan_status one_row(struct xf_model *m, struct reading *r,
                                const struct puan_grid_row *row)
{
    struct puan_str cell = xf_cell(&m->survey, row, XF_TYPE, NULL);
    struct typed t = type_of(cell, m->a);

    if (yes(xf_cell(&m->survey, row, XF_DISABLED, NULL)))
        return PUAN_OK;
    if (t.mean == MEAN_LOOP_BEGIN || t.mean == MEAN_LOOP_END) {
        if (t.mean == MEAN_LOOP_BEGIN && r->loop++ == 0)
            lost(m, row, "a loop over choices is left out with its questions",
                 "write the questions out, or use a repeat");
        else if (t.mean == MEAN_LOOP_END && r->loop > 0)
            r->loop--;
        return PUAN_OK;
    }
    if (r->loop > 0)
        return PUAN_OK;
    switch (t.mean) {
    case MEAN_BEGIN_GROUP:
        return begin(m, r, row, XF_GROUP);
    case MEAN_BEGIN_REPEAT:
        return begin(m, r, row, XF_REPEAT);
    case MEAN_END_GROUP:
        return end(m, r, row, XF_GROUP);
    case MEAN_END_REPEAT:
        return end(m, r, row, XF_REPEAT);
    case MEAN_NOTE:
        note(m, row);
        return PUAN_OK;
    case MEAN_HEAD: /* every return's head has it */
        leave(m, r, row);
        return PUAN_OK;
    case MEAN_HIDDEN:
        leave(m, r, row);
        lost(m, row, "a hidden field is filled by other software",
             "leave it out, or make it an item of a roster import");
        return PUAN_OK;
    case MEAN_QUESTION:
        add(m, r, row, &t);
        return PUAN_OK;
    case MEAN_LOST:
    case MEAN_LOOP_BEGIN:
    case MEAN_LOOP_END:
        break;
    }
    m->out->questions.of++;
    leave(m, r, row);
    lost(m, row,
         puan_arena_fmt(m->a,
                        t.known ? "a question of type '%.*s' is left out: no "
                                  "item of a form can hold it"
                                : "unknown type '%.*s': the row is left out",
                        PUAN_FMT(cell)),
         t.known && t.list.n ? "put the choices into the sheet choices"
         : t.known           ? "collect it apart"
                             : "correct the type in the spreadsheet");
    return PUAN_OK;
}

/* Columns nobody reads, each once. */
static void columns_left(struct xf_model *m, const struct xf_sheet *s)
{
    for (uint32_t c = 0; s->grid && c < s->n_cols; c++) {
        uint32_t used = 0;
        enum xf_what w = s->col[c].what;

        if (w != XF_OTHER && w != XF_SILENT && w != XF_DEFAULT)
            continue;
        if (s->col[c].header.n == 0)
            continue;
        for (uint32_t i = 1; i < s->grid->n; i++)
            used += puan_str_trim(puan_grid_cell(&s->grid->row[i], c)).n > 0;
        if (used == 0)
            continue;
        xf_remark(m, w == XF_DEFAULT ? PUAN_XLSFORM_LOST : PUAN_XLSFORM_NOTE, s,
                  s->grid->row[0].line, c + 1,
                  puan_arena_fmt(m->a, "column '%.*s' is not read (%u cells)",
                                 PUAN_FMT(s->col[c].header), used),
                  w == XF_DEFAULT
                      ? "a form suggests no answers; leave it to who answers"
                      : "");
    }
}

enum puan_status xf_read(struct xf_model *m)
{
    struct reading r = { .depth = 0 };
    enum puan_status st = PUAN_OK;
    bool type = false, name = false;

    sheet_open(m, &m->survey, "survey", "survey");
    sheet_open(m, &m->choices, "choices", "choices_and_columns");
    sheet_open(m, &m->external, "external_choices", "external_choices");
    sheet_open(m, &m->settings, "settings", "settings");
    for (uint32_t i = 0; i < m->survey.n_cols; i++) {
        type = type || m->survey.col[i].what == XF_TYPE;
        name = name || m->survey.col[i].what == XF_NAME;
    }
    if (!type || !name)
        return puan_fail(m->err, PUAN_EINVAL, "survey",
                         "no XLSForm: a sheet 'survey' whose first row has "
                         "'type' and 'name' is missing");
    if (m->survey.grid->n > PUAN_XLSFORM_ROWS)
        return puan_fail(m->err, PUAN_ELIMIT, "survey", "more than %d rows",
                         PUAN_XLSFORM_ROWS);
    languages(m);
    st = read_lists(m);
    m->q = puan_new_n(m->a, m->survey.grid->n + 1, struct xf_question);
    m->n_entities = 1;
    if (!m->q)
        return puan_arena_check(m->a, m->err);
    for (uint32_t i = 1; st == PUAN_OK && i < m->survey.grid->n; i++)
        if (xf_cell(&m->survey, &m->survey.grid->row[i], XF_TYPE, NULL).n)
            st = one_row(m, &r, &m->survey.grid->row[i]);
    if (st == PUAN_OK && r.depth > 0)
        st = puan_fail_at(m->err, PUAN_EINVAL, "survey",
                          r.open[r.depth - 1]->row->line, 1,
                          "this group or repeat is not ended; mend the nesting "
                          "in the spreadsheet");
    columns_left(m, &m->survey);
    return st;
}
