/*
 * Conditions in words; see look.h.  Reads the text of the guard, not its
 * program: what is shown is what stands in the plan.
 */
#include "core/flow/internal.h"

static bool same(struct puan_str a, struct puan_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

struct words {
    struct puan_out *o;
    const struct puan_flow *f;
    bool zh;
    const struct puan_codelist *list; /* of the last field */
};

static void label(struct words *w, const struct puan_flow_label *l)
{
    puan_out_str(w->o, w->zh ? l->zh : l->en);
}

/* A field, a fact, a state, a word of the last field; false: none of them. */
static bool name(struct words *w, struct puan_str s)
{
    const struct puan_flow *f = w->f;

    for (size_t i = 0; w->list != NULL && i < w->list->n; i++) {
        const struct puan_code *c = &w->list->codes[i];

        if (!same(c->text, s))
            continue;
        puan_out_str(w->o, w->zh ? c->zh : c->en);
        return true;
    }
    for (size_t i = 0; i < f->n_fields; i++)
        if (same(f->fields[i].label.name, s)) {
            label(w, &f->fields[i].label);
            w->list = f->fields[i].words;
            return true;
        }
    for (size_t i = 0; i < f->n_facts; i++)
        if (same(f->facts[i].name, s)) {
            puan_out_str(w->o, w->zh ? f->facts[i].zh : f->facts[i].en);
            w->list = f->facts[i].words;
            return true;
        }
    for (size_t i = 0; i < f->n_states; i++)
        if (same(f->states[i].name, s)) {
            label(w, &f->states[i]);
            return true;
        }
    return false;
}

static const struct word {
    const char *is, *zh, *en;
} fixed[] = {
    { "and", "，且", ", and " },
    { "or", "，或", ", or " },
    { "not", "不是：", "not: " },
    { "in", "属于", " is one of " },
    { "yes", "是", "yes" },
    { "no", "否", "no" },
    { "state", "状态", "State" },
    { "drill", "演练", "Drill" },
    { "hours_open", "已历时（小时）", "Hours open" },
    { "=", "为", " is " },
    { "!=", "不为", " is not " },
    { "<=", "不超过", " is at most " },
    { ">=", "不少于", " is at least " },
    { "<", "少于", " is less than " },
    { ">", "多于", " is more than " },
    { "{", "“", "“" },
    { "}", "”", "”" },
    { ",", "”“", "”, “" },
    { "(", "（", "(" },
    { ")", "）", ")" },
};

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9') || c == '.';
}

void puan_flow_words(struct puan_out *o, const struct puan_flow *f,
                     struct puan_str when, bool zh)
{
    struct words w = { .o = o, .f = f, .zh = zh };
    size_t i = 0;

    while (i < when.n) {
        struct puan_str s = { when.p + i, 1 };
        size_t k;

        if (when.p[i] == ' ' || when.p[i] == '\n') {
            i++;
            continue;
        }
        if (letter(when.p[i]))
            while (i + s.n < when.n && letter(when.p[i + s.n]))
                s.n++;
        else if (i + 1 < when.n && when.p[i + 1] == '=')
            s.n = 2;
        i += s.n;
        for (k = 0; k < PUAN_COUNT(fixed); k++)
            if (puan_str_is(s, fixed[k].is))
                break;
        if (k < PUAN_COUNT(fixed)) {
            puan_out_text(o, zh ? fixed[k].zh : fixed[k].en);
            if (puan_str_is(s, "and") || puan_str_is(s, "or"))
                w.list = NULL;
            continue;
        }
        if (!name(&w, s))
            puan_out_str(o, s);
    }
}

/* ---- both languages in one text -------------------------------------------- */

struct puan_str puan_flow_half(struct puan_str text, bool zh)
{
    static const char bar[] = "｜";
    size_t n = sizeof bar - 1, at = 0, found = 0;

    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, bar, n) == 0) {
            at = i;
            found++;
        }
    if (found != 1 || at == 0 || at + n == text.n)
        return text;
    return zh ? (struct puan_str){ text.p, at }
              : (struct puan_str){ text.p + at + n, text.n - at - n };
}
