/*
 * Fonts and laid out texts; see type.h.
 */
#include "programs/paper/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fonts ------------------------------------------------------------------ */

static bool installed(PangoFontMap *map, const char *family)
{
    PangoFontFamily **list = NULL;
    bool found = false;
    int n = 0;

    pango_font_map_list_families(map, &list, &n);
    for (int i = 0; i < n && !found; i++)
        found = g_ascii_strcasecmp(pango_font_family_get_name(list[i]),
                                   family) == 0;
    g_free(list);
    return found;
}

static enum puan_status choose(struct puan_type *t, int f,
                               const struct puan_paper_fonts *fonts,
                               struct puan_err *err)
{
    struct puan_str last = { 0 };

    for (size_t i = 0; i < fonts->n; i++) {
        char name[96];
        PangoFontDescription *d;

        last = fonts->list[i];
        puan_format(name, sizeof(name), "%.*s", PUAN_FMT(fonts->list[i]));
        d = pango_font_description_from_string(name);
        if (pango_font_description_get_family(d) != NULL &&
            installed(t->map, pango_font_description_get_family(d))) {
            t->face[f] = d;
            memcpy(t->name[f], name, sizeof(name));
            return PUAN_OK;
        }
        pango_font_description_free(d);
    }
    return puan_fail(err, PUAN_ENOTFOUND, puan_paper_face_word[f],
                     "none of its %zu fonts is installed, the last one asked "
                     "for is \"%.*s\"; install fonts-noto-cjk or name others "
                     "under page.fonts",
                     fonts->n, PUAN_FMT(last));
}

enum puan_status puan_type_open(struct puan_type *t, const struct puan_paper *p,
                                struct puan_err *err)
{
    cairo_font_options_t *o;

    *t = (struct puan_type){ .err = err };
    t->map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    if (t->map == NULL)
        return puan_fail(err, PUAN_EIO, "fonts",
                         "this pango knows no fontconfig");
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(t->map), 72);
    t->context = pango_font_map_create_context(t->map);
    o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(t->context, o);
    cairo_font_options_destroy(o);
    pango_context_set_round_glyph_positions(t->context, FALSE);
    pango_context_set_language(
        t->context, pango_language_from_string(p->en ? "en" : "zh-cn"));
    for (int f = 0; f < PUAN_PAPER_FACES; f++) {
        enum puan_status st = choose(t, f, &p->page.fonts[f], err);

        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

void puan_type_close(struct puan_type *t)
{
    for (size_t i = 0; i < t->n_made; i++)
        g_object_unref(t->made[i]);
    free(t->made);
    for (int f = 0; f < PUAN_PAPER_FACES; f++)
        pango_font_description_free(t->face[f]);
    if (t->context != NULL)
        g_object_unref(t->context);
    if (t->map != NULL)
        g_object_unref(t->map);
    *t = (struct puan_type){ 0 };
}

/* ---- texts ------------------------------------------------------------------ */

/* Names the first character that no font has. */
static void unknown(struct puan_type *t, PangoLayout *l, const char *what)
{
    const char *text = pango_layout_get_text(l);

    for (GSList *at = pango_layout_get_lines_readonly(l); at; at = at->next) {
        const PangoLayoutLine *line = at->data;

        for (GSList *r = line->runs; r; r = r->next) {
            const PangoGlyphItem *run = r->data;

            for (int i = 0; i < run->glyphs->num_glyphs; i++) {
                struct puan_str rest;
                char hex[12];
                size_t from;

                if (!(run->glyphs->glyphs[i].glyph & PANGO_GLYPH_UNKNOWN_FLAG))
                    continue;
                from = (size_t)(run->item->offset + run->glyphs->log_clusters[i]);
                rest = puan_str_of(text + from);
                (void)snprintf(hex, sizeof(hex), "%04X",
                               (unsigned)puan_utf8_next(&rest));
                (void)puan_fail(t->err, PUAN_EINVAL, what,
                                "no font here has the character U+%s, after "
                                "\"%.*s\"; write it otherwise or install a "
                                "font that has it",
                                hex, (int)(from > 60 ? 0 : from), text);
                return;
            }
        }
    }
    (void)puan_fail(t->err, PUAN_EINVAL, what,
                    "a character that no font here has");
}

static bool keep(struct puan_type *t, PangoLayout *l)
{
    if (t->n_made == t->cap_made) {
        size_t cap = t->cap_made ? 2 * t->cap_made : 256;
        PangoLayout **more = realloc(t->made, cap * sizeof(*more));

        if (more == NULL) {
            (void)puan_fail(t->err, PUAN_ENOMEM, "paper", "out of memory");
            g_object_unref(l);
            return false;
        }
        t->made = more;
        t->cap_made = cap;
    }
    t->made[t->n_made++] = l;
    return true;
}

PangoLayout *puan_type_lay(struct puan_type *t, struct puan_str text,
                           const struct puan_type_set *set, const char *what)
{
    static const PangoAlignment aligns[] = { PANGO_ALIGN_LEFT,
                                             PANGO_ALIGN_CENTER,
                                             PANGO_ALIGN_RIGHT };
    PangoFontDescription *d;
    PangoAttrList *attrs;
    PangoLayout *l;

    if (t->err->code != PUAN_OK)
        return NULL;
    l = pango_layout_new(t->context);
    if (!keep(t, l))
        return NULL;
    d = pango_font_description_copy(t->face[set->face]);
    pango_font_description_set_size(d, (int)(set->size * PANGO_SCALE + 0.5));
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_text(l, text.n ? text.p : "", (int)text.n);
    attrs = pango_attr_list_new();
    if (set->spacing < -0.001 || set->spacing > 0.001)
        pango_attr_list_insert(attrs, pango_attr_letter_spacing_new(
                                          (int)(set->spacing * PANGO_SCALE)));
    if (set->black > 0) {
        PangoAttribute *a;

        d = pango_font_description_copy(t->face[PUAN_PAPER_BLACK]);
        pango_font_description_set_size(d,
                                        (int)(set->size * PANGO_SCALE + 0.5));
        a = pango_attr_font_desc_new(d);
        a->start_index = 0;
        a->end_index = (guint)set->black;
        pango_attr_list_insert(attrs, a);
        pango_font_description_free(d);
    }
    pango_layout_set_attributes(l, attrs);
    pango_attr_list_unref(attrs);
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(l, aligns[set->align]);
    pango_layout_set_justify(l, set->justify);
    if (set->width >= 0)
        pango_layout_set_width(l, (int)(set->width * PANGO_SCALE));
    pango_layout_set_indent(l, (int)(set->indent * PANGO_SCALE));
    if (pango_layout_get_unknown_glyphs_count(l) > 0) {
        unknown(t, l, what);
        return NULL;
    }
    return l;
}

double puan_type_width(PangoLayout *l)
{
    PangoRectangle r;

    pango_layout_get_extents(l, NULL, &r);
    return (double)r.width / PANGO_SCALE;
}
