/*
 * puan evaluate: ages and sexes of a count, the whole and every area, judged by
 * bands, as text, CSV, JSON and pyramids.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/evaluate/age.h"
#include "features/evaluate/evaluate.h"
#include "features/evaluate/indices.h"
#include "features/evaluate/pyramid.h"
#include "features/sample/columns.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define PATHS_MOST 64

struct options {
    struct puan_age_options data;
    const char *path[PATHS_MOST], *bands, *csv, *svg, *area, *against,
        *quantiles, *title;
    int64_t list, least;
    bool json, quiet, zh, fives;
};

/* Everything of one area that is reported. */
struct row {
    struct puan_measured m[PUAN_MEASURES];
    enum puan_verdict verdict[PUAN_MEASURES];
    enum puan_verdict worst;
};

struct report {
    const struct options *o;
    struct puan_age_data d;
    struct puan_bands bands;
    struct row *row;
    double myers[10];     /* blended shares of the whole */
    size_t alarms, notes; /* areas */
};

/* ---- options ----------------------------------------------------------------
 */

static bool flag(struct options *o, const char *a)
{
    if (strcmp(a, "--json") == 0)
        return o->json = true;
    if (strcmp(a, "--quiet") == 0)
        return o->quiet = true;
    if (strcmp(a, "--five") == 0)
        return o->data.five = true;
    if (strcmp(a, "--five-year-bars") == 0)
        return o->fives = true;
    return false;
}

/* "10-69" */
static bool ages(unsigned out[2], const char *v)
{
    struct puan_str rest = puan_str_of(v), low;
    int64_t a, b;

    if (!puan_str_split(&low, &rest, '-') || !puan_int_parse(&a, low) ||
        !puan_int_parse(&b, rest) || a < 0 || b <= a || b >= PUAN_AGES)
        return false;
    out[0] = (unsigned)a;
    out[1] = (unsigned)b;
    return true;
}

static const char *value(struct options *o, const char *a, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        { "--age", &o->data.age },
        { "--sex", &o->data.sex },
        { "--male", &o->data.male },
        { "--female", &o->data.female },
        { "--count", &o->data.count },
        { "--entity", &o->data.entity },
        { "--wide", &o->data.wide },
        { "--where", &o->data.where },
        { "--digits", &o->data.digit },
        { "--bands", &o->bands },
        { "--csv", &o->csv },
        { "--svg", &o->svg },
        { "--area", &o->area },
        { "--against", &o->against },
        { "--quantiles", &o->quantiles },
        { "--title", &o->title },
        { "--birth-month", &o->data.birth_month },
    };
    int64_t n;

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    if (strcmp(a, "--by") == 0) {
        if (o->data.n_by == PUAN_BY_MOST)
            return "at most eight --by";
        o->data.by[o->data.n_by++] = v;
    } else if (strcmp(a, "--score-ages") == 0 ||
               strcmp(a, "--myers-ages") == 0) {
        if (!ages(a[2] == 's' ? o->data.score : o->data.myers, v))
            return "two ages are needed, as in 10-69";
    } else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        if (!o->zh && strcmp(v, "en") != 0)
            return "--lang is zh or en";
    } else if (!puan_int_parse(&n, puan_str_of(v)) || n < 0 || n > 1000000000) {
        return "unknown option, or not a whole number";
    } else if (strcmp(a, "--open") == 0) {
        if (n >= PUAN_AGES)
            return "--open is an age up to 120";
        o->data.open = (int)n;
    } else if (strcmp(a, "--threads") == 0) {
        if (n < 1 || n > 256)
            return "--threads is 1 to 256";
        o->data.threads = (unsigned)n;
    } else if (strcmp(a, "--list") == 0) {
        o->list = n;
    } else if (strcmp(a, "--least") == 0) {
        o->least = n;
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "evaluate";

    *o = (struct options){ .data = { .age = "age",
                                     .sex = "sex",
                                     .male = "1",
                                     .female = "2",
                                     .open = -1 },
                           .list = 20,
                           .zh = true };
    o->data.path = o->path;
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(argv[i], "--", 2) != 0) {
            if (o->data.n_paths == PATHS_MOST)
                bad = "too many files";
            else
                o->path[o->data.n_paths++] = argv[i];
        } else if (flag(o, argv[i])) {
            continue;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && o->data.n_paths == 0) {
        at = "evaluate";
        bad = "at least one file is needed";
    }
    if (!bad && o->data.five && o->data.open >= 0 && o->data.open % 5) {
        at = "--open";
        bad = "begins a five-year group";
    }
    if (!bad && o->quantiles && o->data.n_by == 0) {
        at = "--quantiles";
        bad = "needs --by: the areas whose quantiles are wanted";
    }
    o->data.quiet = o->quiet || o->json;
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* ---- measuring
 * --------------------------------------------------------------- */

static enum puan_status measure(struct report *r, struct puan_err *err)
{
    r->row = puan_new_n(&r->d.arena, r->d.n ? r->d.n : 1, struct row);
    if (!r->row)
        return puan_arena_check(&r->d.arena, err);
    for (size_t i = 0; i < r->d.n; i++) {
        const struct puan_age_area *a = &r->d.area[i];
        struct row *x = &r->row[i];
        double persons = a->all[0] + a->all[1];

        puan_measure_area(x->m, i == 0 ? r->myers : NULL, a, &r->d);
        for (unsigned m = 0; m < PUAN_MEASURES; m++) {
            const struct puan_band *band;

            if (persons >= (double)r->o->least)
                x->verdict[m] =
                    puan_judge(&band, &r->bands, (enum puan_measure)m, &x->m[m],
                               r->d.by[a->by], persons);
            if (x->verdict[m] > x->worst)
                x->worst = x->verdict[m];
        }
        r->alarms += x->worst == PUAN_JUDGE_ALARM;
        r->notes += x->worst == PUAN_JUDGE_NOTE;
    }
    return PUAN_OK;
}

/* ---- text
 * --------------------------------------------------------------------- */

static const char *verdict_word(enum puan_verdict v, bool zh)
{
    switch (v) {
    case PUAN_JUDGE_ALARM:
        return zh ? "警戒" : "ALARM";
    case PUAN_JUDGE_NOTE:
        return zh ? "留意" : "note";
    case PUAN_JUDGE_GOOD:
        return zh ? "正常" : "within";
    case PUAN_JUDGE_NONE:
        break;
    }
    return "";
}

static int cells(const char *s)
{
    int n = 0;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        n += c < 0x80 || (c >= 0xc0 && c < 0xe3) ? 1 : c >= 0xe3 ? 2 : 0;
    }
    return n;
}

static void padded(FILE *to, const char *s, int width)
{
    fprintf(to, "%s%*s", s, width > cells(s) ? width - cells(s) : 0, "");
}

static void print_measure(FILE *to, const struct report *r, const struct row *x,
                          unsigned m)
{
    const struct puan_measure_name *n = &puan_measure_names[m];
    const struct puan_measured *v = &x->m[m];

    fputs("  ", to);
    padded(to, r->o->zh ? n->zh : n->en, 34);
    fprintf(to, "%14.*f", n->places, v->value);
    if (v->se > 0 && n->chance)
        fprintf(to, r->o->zh ? "  偶然可有 %.*f" : "  by chance %.*f",
                n->places, v->se);
    else if (v->se > 0)
        fprintf(to, "  %.*f – %.*f", n->places, v->value - 1.96 * v->se,
                n->places, v->value + 1.96 * v->se);
    if (v->to > 0)
        fprintf(to, r->o->zh ? "  (%u–%u岁)" : "  (ages %u-%u)", v->from,
                v->to);
    if (x->verdict[m] != PUAN_JUDGE_NONE)
        fprintf(to, "  %s", verdict_word(x->verdict[m], r->o->zh));
    fputc('\n', to);
}

static void print_shares(FILE *to, const char *title, const double *v,
                         unsigned n, unsigned first)
{
    double all = 0;

    for (unsigned i = 0; i < n; i++)
        all += v[i];
    fprintf(to, "  %s\n   ", title);
    for (unsigned i = 0; i < n; i++)
        fprintf(to, " %6u", i + first);
    fputs("\n   ", to);
    for (unsigned i = 0; i < n; i++)
        fprintf(to, " %6.2f", all > 0 ? 100 * v[i] / all : 0);
    fputc('\n', to);
}

/* Areas with an alarm, then those with a note, in their order. */
static void print_areas(FILE *to, const struct report *r)
{
    int64_t left = r->o->list;

    for (enum puan_verdict v = PUAN_JUDGE_ALARM; v >= PUAN_JUDGE_NOTE; v--)
        for (size_t i = 1; i < r->d.n && left > 0; i++) {
            const struct row *x = &r->row[i];

            if (x->worst != v)
                continue;
            left--;
            fprintf(to, "  %s %.*s %.*s (%.0f)", verdict_word(v, r->o->zh),
                    PUAN_FMT(r->d.by[r->d.area[i].by]),
                    PUAN_FMT(r->d.area[i].label), x->m[PUAN_M_PERSONS].value);
            for (unsigned m = 0; m < PUAN_MEASURES; m++)
                if (x->verdict[m] == v)
                    fprintf(to, "; %s %.*f",
                            r->o->zh ? puan_measure_names[m].zh
                                     : puan_measure_names[m].en,
                            puan_measure_names[m].places, x->m[m].value);
            fputc('\n', to);
        }
    if (r->alarms + r->notes > (size_t)r->o->list)
        fprintf(to,
                r->o->zh ? "  …… 其余见 --csv\n" : "  … the rest by --csv\n");
}

static void print_text(FILE *to, const struct report *r)
{
    const struct puan_age_area *a = r->d.area;
    bool zh = r->o->zh;

    fprintf(to,
            zh ? "%.0f 人；性别或年龄不明 %.0f；地区 %zu\n"
               : "%.0f persons; sex or age unknown: %.0f; areas: %zu\n",
            a->all[0] + a->all[1], a->unknown, r->d.n - 1);
    if (!r->d.single)
        fputs(zh ? "没有单岁年龄：不计算各岁偏好指数\n"
                 : "no single years of age: indices of heaping are not given\n",
              to);
    for (unsigned m = 1; m < PUAN_MEASURES; m++)
        if (r->row[0].m[m].given)
            print_measure(to, r, &r->row[0], m);
    if (r->row[0].m[PUAN_M_MYERS].given)
        print_shares(to,
                     zh ? "各末位年龄所占百分比（迈尔斯）"
                        : "Blended share of each last digit of age, % (Myers)",
                     r->myers, 10, 0);
    if (r->d.months)
        print_shares(to, zh ? "各出生月份 %" : "Months of birth, %", a->month,
                     12, 1);
    if (r->d.digits)
        print_shares(to, zh ? "末位数字 %" : "Last digits, %", a->digit, 10, 0);
    if (r->bands.n == 0)
        fputs(zh ? "未给出 --bands：只列数值，不作判断\n"
                 : "no --bands: figures only, no judgement\n",
              to);
    else if (r->d.n > 1)
        fprintf(to,
                zh ? "警戒 %zu 个、留意 %zu 个地区\n"
                   : "areas with an alarm: %zu, with a note: %zu\n",
                r->alarms, r->notes);
    if (r->alarms + r->notes > 0)
        print_areas(to, r);
}

/* ---- CSV, JSON
 * ------------------------------------------------------------------ */

void puan_put_real(struct puan_out *o, double v, int places)
{
    char text[64];
    int n = isfinite(v) ? snprintf(text, sizeof(text), "%.*f", places, v) : 0;

    if (n > 0 && (size_t)n < sizeof(text))
        puan_out_bytes(o, text, (size_t)n);
}

void puan_jw_kreal(struct puan_jw *w, const char *key, double v, int places)
{
    char text[64];
    int n = isfinite(v) ? snprintf(text, sizeof(text), "%.*f", places, v) : 0;

    puan_jw_key(w, key);
    if (n > 0 && (size_t)n < sizeof(text))
        puan_jw_raw(w, (struct puan_str){ text, (size_t)n });
    else
        puan_jw_null(w);
}

static enum puan_status write_csv(const struct report *r, struct puan_err *err)
{
    struct puan_sheet_out *out = NULL;
    struct puan_arena a;
    enum puan_status st = puan_sheet_create(&out, r->o->csv, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, &puan_heap);
    puan_sheet_put_text(out, "by");
    puan_sheet_put_text(out, "area");
    for (unsigned m = 0; m < PUAN_MEASURES; m++)
        puan_sheet_put_text(out, puan_measure_names[m].name);
    puan_sheet_put_text(out, "unknown");
    puan_sheet_put_text(out, "whipple_se");
    puan_sheet_put_text(out, "verdict");
    puan_sheet_put_text(out, "why");
    puan_sheet_end_row(out);
    for (size_t i = 0; i < r->d.n; i++) {
        const struct row *x = &r->row[i];
        struct puan_out text;

        puan_arena_reset(&a);
        puan_out_init(&text, &a);
        puan_csv_put(&text, r->d.by[r->d.area[i].by]);
        puan_out_char(&text, ',');
        puan_csv_put(&text, r->d.area[i].label);
        for (unsigned m = 0; m < PUAN_MEASURES; m++) {
            puan_out_char(&text, ',');
            if (x->m[m].given)
                puan_put_real(&text, x->m[m].value,
                              puan_measure_names[m].places);
        }
        puan_out_char(&text, ',');
        puan_put_real(&text, r->d.area[i].unknown, 0);
        puan_out_char(&text, ',');
        if (x->m[PUAN_M_WHIPPLE].given)
            puan_put_real(&text, x->m[PUAN_M_WHIPPLE].se, 2);
        puan_out_text(&text, x->worst == PUAN_JUDGE_ALARM  ? ",alarm,"
                             : x->worst == PUAN_JUDGE_NOTE ? ",note,"
                             : x->worst == PUAN_JUDGE_GOOD ? ",within,"
                                                           : ",,");
        for (unsigned m = 0, n = 0; m < PUAN_MEASURES; m++)
            if (x->verdict[m] == x->worst && x->worst >= PUAN_JUDGE_NOTE) {
                if (n++)
                    puan_out_char(&text, ' ');
                puan_out_text(&text, puan_measure_names[m].name);
            }
        puan_out_char(&text, '\n');
        st = puan_arena_check(&a, err);
        if (st != PUAN_OK)
            break;
        puan_sheet_put_raw(out, puan_out_view(&text));
    }
    puan_arena_clear(&a);
    if (st == PUAN_OK)
        return puan_sheet_finish(out, err);
    puan_sheet_abandon(out);
    return st;
}

static void json_area(struct puan_jw *w, const struct report *r, size_t i)
{
    static const char *const words[] = { "", "within", "note", "alarm" };
    const struct row *x = &r->row[i];

    puan_jw_map(w);
    puan_jw_kstr(w, "by", r->d.by[r->d.area[i].by]);
    puan_jw_kstr(w, "area", r->d.area[i].label);
    puan_jw_kreal(w, "unknown", r->d.area[i].unknown, 0);
    for (unsigned m = 0; m < PUAN_MEASURES; m++) {
        const struct puan_measured *v = &x->m[m];
        const struct puan_measure_name *n = &puan_measure_names[m];

        if (!v->given)
            continue;
        puan_jw_key(w, n->name);
        puan_jw_map(w);
        puan_jw_kreal(w, "value", v->value, n->places + 6);
        if (v->se > 0)
            puan_jw_kreal(w, n->chance ? "by_chance" : "se", v->se,
                          n->places + 6);
        if (v->to > 0) {
            puan_jw_kint(w, "from", v->from);
            puan_jw_kint(w, "to", v->to);
        }
        if (x->verdict[m] != PUAN_JUDGE_NONE)
            puan_jw_ktext(w, "verdict", words[x->verdict[m]]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

static enum puan_status print_json(FILE *to, struct report *r,
                                   struct puan_err *err)
{
    struct puan_out out;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&out, &r->d.arena);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    puan_jw_kint(&w, "rows", (int64_t)r->d.rows);
    puan_jw_kint(&w, "alarms", (int64_t)r->alarms);
    puan_jw_kint(&w, "notes", (int64_t)r->notes);
    if (r->row[0].m[PUAN_M_MYERS].given) {
        puan_jw_key(&w, "digits_of_age");
        puan_jw_list(&w);
        for (unsigned i = 0; i < 10; i++) {
            char text[32];
            int n = snprintf(text, sizeof(text), "%.4f", r->myers[i]);

            puan_jw_raw(&w, (struct puan_str){ text, n > 0 ? (size_t)n : 0 });
        }
        puan_jw_end(&w, ']');
    }
    puan_jw_key(&w, "areas");
    puan_jw_list(&w);
    for (size_t i = 0; i < r->d.n; i++)
        json_area(&w, r, i);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    st = puan_arena_check(&r->d.arena, err);
    if (st == PUAN_OK)
        fprintf(to, "%.*s\n", PUAN_FMT(puan_out_view(&out)));
    return st;
}

/* ---- bands out of what was measured
 * ---------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The usual rule of interpolation (type 7). */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t i = (size_t)at;

    return i + 1 < n
               ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i])
               : sorted[n - 1];
}

static enum puan_status write_quantiles(struct report *r, struct puan_err *err)
{
    double *v = puan_new_n(&r->d.arena, r->d.n, double);
    struct puan_sheet_out *out = NULL;
    struct puan_out text;
    enum puan_status st = puan_arena_check(&r->d.arena, err);

    if (st == PUAN_OK)
        st = puan_sheet_create(&out, r->o->quantiles, err);
    if (st != PUAN_OK || !v)
        return st;
    puan_out_init(&text, &r->d.arena);
    puan_out_text(&text, "measure,by,alarm_below,note_below,note_above,"
                         "alarm_above,least,source\n");
    for (size_t g = 1; g < r->d.n_by; g++)
        for (unsigned m = 1; m < PUAN_MEASURES; m++) {
            static const double at[4] = { 0.01, 0.05, 0.95, 0.99 };
            size_t n = 0;

            for (size_t i = 1; i < r->d.n; i++)
                if (r->d.area[i].by == g && r->row[i].m[m].given &&
                    r->row[i].m[PUAN_M_PERSONS].value >= (double)r->o->least)
                    v[n++] = r->row[i].m[m].value;
            if (n < 100) /* too few for a hundredth */
                continue;
            qsort(v, n, sizeof(*v), by_value);
            puan_out_text(&text, puan_measure_names[m].name);
            puan_out_char(&text, ',');
            puan_csv_put(&text, r->d.by[g]);
            for (unsigned k = 0; k < 4; k++) {
                puan_out_char(&text, ',');
                /* the smoother the better: no lower limit */
                if (k >= 2 || !(m >= PUAN_M_MYERS))
                    puan_put_real(&text, quantile(v, n, at[k]),
                                  puan_measure_names[m].places);
            }
            puan_out_char(&text, ',');
            puan_out_int(&text, r->o->least);
            puan_out_text(&text, ",1 5 95 99 % of ");
            puan_out_int(&text, (int64_t)n);
            puan_out_text(&text, " areas\n");
        }
    st = puan_arena_check(&r->d.arena, err);
    if (st != PUAN_OK) {
        puan_sheet_abandon(out);
        return st;
    }
    puan_sheet_put_raw(out, puan_out_view(&text));
    return puan_sheet_finish(out, err);
}

/* ---- pyramids
 * --------------------------------------------------------------------- */

static enum puan_status pyramid(const struct report *r, size_t i,
                                const char *path,
                                const struct puan_age_area *against,
                                struct puan_err *err)
{
    struct puan_arena a;
    struct puan_out out;
    char note[160];
    struct puan_pyramid p = { .zh = r->o->zh, .fives = r->o->fives };
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    snprintf(note, sizeof(note), r->o->zh ? "%.0f 人" : "%.0f persons",
             r->row[i].m[PUAN_M_PERSONS].value);
    p.note = puan_str_of(note);
    p.title = r->o->title && i == 0 ? puan_str_of(r->o->title)
              : r->d.area[i].label.n
                  ? r->d.area[i].label
                  : puan_str_of(r->o->zh ? "人口金字塔" : "Population");
    p.against = against;
    p.against_title = puan_str_of(r->o->against);
    puan_out_init(&out, &a);
    puan_pyramid_svg(&out, &p, &r->d.area[i], &r->d);
    st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st = puan_file_write(path, puan_out_view(&out), 0644, err);
    puan_arena_clear(&a);
    return st;
}

static const struct puan_age_area *find(const struct puan_age_data *d,
                                        struct puan_str label)
{
    for (size_t i = 0; i < d->n; i++)
        if (puan_str_eq(d->area[i].label, label))
            return &d->area[i];
    return NULL;
}

/* A name for a file out of a label: what is no letter or digit becomes '-'. */
static const char *file_of(struct puan_arena *a, const char *dir,
                           struct puan_str label)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_text(&o, dir);
    puan_out_char(&o, '/');
    for (size_t i = 0; i < label.n; i++) {
        unsigned char c = (unsigned char)label.p[i];

        bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                    (c >= 'a' && c <= 'z') || c >= 0x80;
        char plain = '-';

        puan_out_bytes(&o, fine ? &label.p[i] : &plain, 1);
    }
    puan_out_text(&o, label.n ? ".svg" : "all.svg");
    return o.p ? o.p : "";
}

static enum puan_status
draw(struct report *r, const struct puan_age_data *other, struct puan_err *err)
{
    const struct puan_age_area *one;
    enum puan_status st = PUAN_OK;

    if (!puan_dir_exists(r->o->svg)) {
        struct puan_str label = puan_str_of(r->o->area ? r->o->area : "");

        one = find(&r->d, label);
        if (!one)
            return puan_fail(err, PUAN_ENOTFOUND, "--area",
                             "no area is called \"%s\"", r->o->area);
        return pyramid(r, (size_t)(one - r->d.area), r->o->svg,
                       other ? find(other, label) : NULL, err);
    }
    for (size_t i = 0; st == PUAN_OK && i < r->d.n; i++)
        st = pyramid(r, i, file_of(&r->d.arena, r->o->svg, r->d.area[i].label),
                     other ? find(other, r->d.area[i].label) : NULL, err);
    return st;
}

/* ---- the command
 * ------------------------------------------------------------------ */

static enum puan_status work(struct report *r, struct puan_age_data *other,
                             bool *has_other, struct puan_err *err)
{
    const struct options *o = r->o;
    enum puan_status st = puan_age_data_load(&r->d, &o->data, err);

    if (st == PUAN_OK && o->bands)
        st = puan_bands_load(&r->bands, o->bands, &r->d.arena, err);
    if (st == PUAN_OK)
        st = measure(r, err);
    if (st == PUAN_OK && o->against) {
        struct puan_age_options earlier = o->data;

        earlier.path = &o->against;
        earlier.n_paths = 1;
        *has_other = true;
        st = puan_age_data_load(other, &earlier, err);
        if (st == PUAN_OK && other->single != r->d.single)
            st = puan_fail(err, PUAN_EINVAL, o->against,
                           "its ages are not of the same kind");
    }
    if (st == PUAN_OK && o->csv)
        st = write_csv(r, err);
    if (st == PUAN_OK && o->quantiles)
        st = write_quantiles(r, err);
    if (st == PUAN_OK && o->svg)
        st = draw(r, *has_other ? other : NULL, err);
    if (st != PUAN_OK)
        return st;
    if (o->json)
        return print_json(stdout, r, err);
    if (!o->quiet || !(o->csv || o->quantiles || o->svg))
        print_text(o->csv && strcmp(o->csv, "-") == 0 ? stderr : stdout, r);
    return PUAN_OK;
}

int puan_evaluate_ages(int argc, char **argv)
{
    struct options o;
    struct report r = { .o = &o };
    struct puan_age_data other = { .n = 0 };
    struct puan_err err = { 0 };
    bool has_other = false;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    st = work(&r, &other, &has_other, &err);
    if (has_other)
        puan_age_data_clear(&other);
    puan_age_data_clear(&r.d);
    if (st != PUAN_OK)
        return puan_evaluate_fail(&err);
    return r.alarms ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
