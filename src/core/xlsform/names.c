/*
 * Names for what comes out of a spreadsheet: items, entities, lists, codes.
 * The rule language knows Latin letters, digits and _, at most 31; a name is
 * kept where it is one, and is like no other of the whole form.
 */
#include "core/xlsform/model.h"

#include "base/out.h"

/* Words of the rule language and its functions. */
static const char *const taken_words[] = {
    "rule",       "const",       "define",     "set",         "zh",
    "en",         "when",        "check",      "fail",        "where",
    "and",        "or",          "not",        "in",          "mod",
    "row",        "self",        "true",       "false",       "count",
    "any",        "all",         "sum",        "min",         "max",
    "first",      "at",          "if",         "given",       "missing",
    "asked",      "invalid",     "reason",     "known",       "abs",
    "month",      "day",         "year",       "month_of",    "age_at",
    "number",     "prefix",      "part",       "found",       "word",
    "same_id",    "same_text",   "id_check",   "id_month",    "id_sex",
    "id_region",  "name_length", "name_class", "phone_class", "number_check",
    "household",  "level",       "table",      "without",     "for",
    "override",   "hard",        "soft",       "by",          "gives",
    "version",    "answers",     "form",       "base",        "device",
    "counter",    "mode",        "started",    "finished",    "signed",
    "query",      "confirm"
};

static bool taken(const struct xf_model *m, struct puan_str s)
{
    for (size_t i = 0; i < PUAN_COUNT(taken_words); i++)
        if (puan_str_is(s, taken_words[i]))
            return true;
    for (size_t i = 0; i < m->n_taken; i++)
        if (puan_str_eq(m->taken[i], s))
            return true;
    return false;
}

static bool letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

struct puan_str xf_name(struct xf_model *m, struct puan_str wish, uint32_t line)
{
    char buf[40], best[40];
    size_t n = 0;
    bool any = false;
    struct puan_str out;

    for (size_t i = 0; i < wish.n && n < 31; i++) {
        char c = wish.p[i];
        bool ok = letter(c) || digit(c);

        if ((unsigned char)c >= 0x80 && (unsigned char)c < 0xc0)
            continue; /* one '_' a character */
        if (n == 0 && digit(c)) {
            buf[n++] = 'q';
            buf[n++] = '_';
        }
        buf[n++] = ok || c == '_' ? c : '_';
        any = any || ok;
    }
    buf[n < 31 ? n : 31] = '\0';
    if (!any)
        (void)puan_format(buf, sizeof(buf), "q%u", line);
    memcpy(best, buf, sizeof(buf));
    for (unsigned k = 2; taken(m, puan_str_of(best)) && k < 100000; k++)
        (void)puan_format(best, 32, "%.*s_%u", k < 10 ? 29 : 25, buf, k);
    out = puan_arena_keep(m->a, puan_str_of(best));
    if (m->n_taken < m->cap_taken)
        m->taken[m->n_taken++] = out;
    return out;
}

/* ---- texts ---- */

/* The length of a tag of HTML that begins here, 0 when none does. */
static size_t tag(struct puan_str s)
{
    if (s.n < 3 || s.p[0] != '<' || !(letter(s.p[1]) || s.p[1] == '/'))
        return 0;
    for (size_t i = 2; i < s.n; i++)
        if (s.p[i] == '>')
            return i + 1;
    return 0;
}

struct puan_str xf_clean(struct puan_str s, bool *refs, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < s.n && o.n < 2000;) {
        struct puan_str rest = { s.p + i, s.n - i };
        size_t n = tag(rest);
        char c = s.p[i];

        if (n == 0 && rest.n > 2 && memcmp(rest.p, "${", 2) == 0)
            for (n = 2; n < rest.n && rest.p[n - 1] != '}';)
                n++;
        if (n > 0) {
            if (c == '$') {
                puan_out_text(&o, "…");
                *refs = true;
            }
            i += n;
            continue;
        }
        if (rest.n > 1 && c == '*' && rest.p[1] == '*') {
            i += 2;
            continue;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            c = ' ';
        if (c == '#' && o.n == 0)
            c = ' '; /* a heading of Markdown */
        if (c != ' ' || (o.n > 0 && o.p[o.n - 1] != ' '))
            puan_out_char(&o, c);
        i++;
    }
    s = puan_str_trim(puan_out_view(&o));
    while (s.n > 0 && !puan_utf8_valid(s))
        s.n--; /* cut in the middle of a character */
    return s.n ? s : (struct puan_str){ "", 0 };
}

/* ---- lists and their codes ---- */

static bool whole_number(int64_t *v, struct puan_str s)
{
    return puan_int_parse(v, s) && *v >= 0 && *v <= INT32_MAX && s.n > 0 &&
           (s.p[0] != '0' || s.n == 1);
}

static bool code_taken(const struct xf_list *l, size_t before,
                       struct puan_str code)
{
    for (size_t i = 0; i < before; i++)
        if (puan_str_eq(l->choice[i].code, code))
            return true;
    return false;
}

static void name_codes(struct xf_model *m, struct xf_list *l)
{
    int64_t next = 1, v;
    bool keep;

    l->numeric = true;
    for (size_t i = 0; i < l->n; i++) {
        if (!whole_number(&v, l->choice[i].name))
            l->numeric = false;
        else if (v >= next)
            next = v + 1;
    }
    /* beside names that are large numbers no values are left for the others */
    keep = l->numeric || next <= INT32_MAX - (int64_t)l->n;
    if (!keep)
        next = 1;
    for (size_t i = 0; i < l->n; i++) {
        struct xf_choice *c = &l->choice[i];

        c->code = c->name;
        if (keep && whole_number(&v, c->name))
            c->value = v;
        else
            c->value = next++;
        if (c->name.n <= 32 && !code_taken(l, i, c->name))
            continue;
        while (c->code.n > 28 || !puan_utf8_valid(c->code))
            c->code.n--;
        if (code_taken(l, i, c->code))
            c->code = puan_str_of(puan_arena_fmt(
                m->a, "%.*s%u", PUAN_FMT(c->code), (unsigned)i % 10000));
        xf_remark(m, PUAN_XLSFORM_CHANGED, l->sheet, c->row->line, 0,
                  puan_arena_fmt(m->a,
                                 "choice '%.*s' is longer than 32 characters "
                                 "and is called '%.*s'",
                                 PUAN_FMT(c->name), PUAN_FMT(c->code)),
                  "");
    }
}

static bool key_ok(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(letter(s.p[i]) || digit(s.p[i]) || s.p[i] == '_' ||
              s.p[i] == '-'))
            return false;
    return s.n > 0 && s.n <= 64 && letter(s.p[0]);
}

static void name_lists(struct xf_model *m)
{
    for (size_t i = 0; i < m->n_lists; i++) {
        struct xf_list *l = &m->list[i];
        bool twice = puan_str_is(l->name, "acknowledged") ||
                     puan_str_is(l->name, "chosen");

        if (!l->used)
            continue;
        for (size_t k = 0; k < i; k++)
            twice = twice || puan_str_eq(m->list[k].key, l->name);
        l->key = l->name;
        if (!key_ok(l->name) || twice)
            l->key = puan_str_of(
                puan_arena_fmt(m->a, "list_%u", (unsigned)i + 1));
        name_codes(m, l);
        m->out->lists++;
    }
}

/* ---- questions ---- */

static void name_one(struct xf_model *m, struct xf_question *q)
{
    uint32_t col = 0;

    (void)xf_cell(&m->survey, q->row, XF_NAME, &col);
    q->item = xf_name(m, q->name, q->row->line);
    if (q->name.n && !puan_str_eq(q->item, q->name))
        xf_remark(m, PUAN_XLSFORM_CHANGED, &m->survey, q->row->line, col,
                  puan_arena_fmt(m->a, "'%.*s' is called '%.*s'",
                                 PUAN_FMT(q->name), PUAN_FMT(q->item)),
                  "");
    if (q->kind == XF_MANY && q->list) {
        q->many = puan_new_n(m->a, q->list->n + 1, struct puan_str);
        for (size_t i = 0; q->many && i < q->list->n; i++)
            q->many[i] = xf_name(
                m,
                puan_str_of(puan_arena_fmt(m->a, "%.*s_%.*s", PUAN_FMT(q->item),
                                           PUAN_FMT(q->list->choice[i].name))),
                q->row->line);
    }
    if (q->other.n)
        q->other = xf_name(
            m, puan_str_of(puan_arena_fmt(m->a, "%.*s_other", PUAN_FMT(q->item))),
            q->row->line);
}

static void name_entities(struct xf_model *m)
{
    m->entity[0].name = PUAN_STR("household");
    for (uint16_t e = 1; e < m->n_entities; e++) {
        struct xf_entity *x = &m->entity[e];

        x->name = xf_name(m, x->repeat->name, x->repeat->row->line);
        x->repeat->item = x->name;
        if (x->outer == 0)
            continue;
        x->link = xf_name(
            m,
            puan_str_of(puan_arena_fmt(m->a, "%.*s_row",
                                       PUAN_FMT(m->entity[x->outer].name))),
            x->repeat->row->line);
        xf_remark(m, PUAN_XLSFORM_CHANGED, &m->survey, x->repeat->row->line, 0,
                  puan_arena_fmt(m->a,
                                 "a repeat inside a repeat becomes a roster of "
                                 "its own; '%.*s' is the line of '%.*s' that a "
                                 "row belongs to",
                                 PUAN_FMT(x->link),
                                 PUAN_FMT(m->entity[x->outer].name)),
                  "");
    }
}

enum puan_status xf_names(struct xf_model *m)
{
    size_t cap = m->n + 2 * PUAN_FORM_ENTITIES + 16;

    for (size_t i = 0; i < m->n; i++)
        cap += 1 + (m->q[i].kind == XF_MANY && m->q[i].list ? m->q[i].list->n
                                                            : 0);
    m->taken = puan_new_n(m->a, cap, struct puan_str);
    m->cap_taken = m->taken ? cap : 0;
    name_lists(m);
    name_entities(m);
    for (size_t i = 0; i < m->n; i++)
        if (m->q[i].kind != XF_GROUP && m->q[i].kind != XF_REPEAT &&
            !m->q[i].gone)
            name_one(m, &m->q[i]);
    return puan_arena_check(m->a, m->err);
}
