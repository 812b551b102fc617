/*
 * puan code test: how often the code given is the code known, as a function of
 * the share that is coded by machine; with what the index knows of a tested
 * text taken away first, where that is asked for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/code/internal.h"
#include "features/host/feature.h"
#include "kit/os/heap.h"

#define LEVELS_MOST 4
#define ROWS_MOST 1000000

struct options {
    const char *plan, *what, *text, *code, *wrong, *data;
    unsigned digits[LEVELS_MOST];
    size_t n_levels;
    int64_t near, apart;
    bool vary, json;
};

struct row {
    struct puan_str field[COLUMNS_MOST], code;
    size_t n;
};

struct result {
    uint32_t ppm; /* 0: not coded */
    bool right, in_five;
};

struct level {
    struct result *r;
    uint64_t right, in_five;
};

struct trial {
    const struct options *o;
    const struct puan_coding *coding;
    struct row *row;
    size_t n, read;
    struct level level[LEVELS_MOST];
    struct puan_sheet_out *wrong;
    struct puan_arena scratch;
};

/* --- options ------------------------------------------------------------- */

static bool digits(struct options *o, const char *v)
{
    struct puan_str rest = puan_str_of(v), one;
    int64_t n;

    o->n_levels = 0;
    while (puan_str_split(&one, &rest, ',')) {
        if (o->n_levels == LEVELS_MOST || !puan_int_parse(&n, one) || n < 0 ||
            n > 16)
            return false;
        o->digits[o->n_levels++] = (unsigned)n;
    }
    return o->n_levels > 0;
}

static bool number(int64_t *out, const char *v, int64_t min, int64_t max)
{
    return puan_int_parse(out, puan_str_of(v)) && *out >= min && *out <= max;
}

static const char *value(struct options *o, const char *a, const char *v)
{
    if (strcmp(a, "--plan") == 0)
        o->plan = v;
    else if (strcmp(a, "--of") == 0)
        o->what = v;
    else if (strcmp(a, "--text") == 0)
        o->text = v;
    else if (strcmp(a, "--code") == 0)
        o->code = v;
    else if (strcmp(a, "--wrong") == 0)
        o->wrong = v;
    else if (strcmp(a, "--digits") == 0)
        return digits(o, v) ? NULL : "--digits is up to four numbers, 1,2,3";
    else if (strcmp(a, "--near") == 0)
        return number(&o->near, v, 1, 100) ? NULL : "--near is 1 to 100";
    else if (strcmp(a, "--apart") == 0)
        return number(&o->apart, v, 2, 1000) ? NULL : "--apart is 2 to 1000";
    else
        return "unknown option";
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "code test";

    *o = (struct options){ .what = "industry", .code = "code" };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(argv[i], "--", 2) != 0) {
            if (o->data)
                bad = "one file at a time";
            o->data = argv[i];
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--vary") == 0) {
            o->vary = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && (!o->plan || !o->text || !o->data)) {
        at = "code test";
        bad = "--plan, --text and a file are needed";
    }
    if (o->n_levels == 0)
        digits(o, strcmp(o->what, "occupation") == 0 ? "1" : "1,2,3,4");
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* --- rows ---------------------------------------------------------------- */

/* Is the row as good as an entry of the index, or as another row's text? */
static enum puan_status is_near(bool *out, struct trial *t,
                                const struct row *row, struct puan_err *err)
{
    const struct puan_coder *c = puan_coding_coder(t->coding);
    uint32_t limit = (uint32_t)t->o->near * 10000u;
    struct puan_coder_near near;
    enum puan_status st;

    *out = false;
    if (!t->o->near)
        return PUAN_OK;
    puan_arena_reset(&t->scratch);
    st = puan_coder_nearest(&near, c, row->field, row->n, &t->scratch, err);
    *out = st == PUAN_OK && near.ppm >= limit;
    for (size_t i = 0; st == PUAN_OK && !*out && i < t->n; i++) {
        if (!puan_str_eq(t->row[i].code, row->code))
            continue;
        puan_arena_reset(&t->scratch);
        *out = puan_coder_alike(c, t->row[i].field[0], row->field[0],
                                &t->scratch) >= limit;
    }
    return st;
}

static enum puan_status read_rows(struct trial *t, struct puan_sheet *s,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_csv *csv = puan_sheet_row(s);
    size_t cap = (size_t)puan_sheet_size(s) / 3 + 2;
    struct columns text;
    int code = 0;
    bool more = true;
    enum puan_status st = code_columns(&text, s, t->o->text, err);

    if (cap > ROWS_MOST)
        cap = ROWS_MOST;
    t->row = puan_new_n(a, cap, struct row);
    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, t->o->code, err);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    while (st == PUAN_OK) {
        struct row *r = &t->row[t->n];
        bool near = false;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more || t->n == cap)
            break;
        r->n = code_fields(r->field, &text, csv);
        for (size_t i = 0; i < r->n; i++)
            r->field[i] = puan_arena_keep(a, r->field[i]);
        r->code = puan_arena_keep(a, csv->field[code]);
        if (puan_coder_find(puan_coding_coder(t->coding), r->code) < 0)
            st = puan_fail_at(err, PUAN_EINVAL, t->o->data, csv->line, 0,
                              "the classification has no code %.*s",
                              PUAN_FMT(r->code));
        if (st == PUAN_OK)
            st = is_near(&near, t, r, err);
        t->read++;
        t->n += st == PUAN_OK && !near;
    }
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK && t->n == 0)
        st = puan_fail(err, PUAN_EINVAL, t->o->data,
                       t->read ? "every row is nearly an entry of the index"
                               : "the file has no rows");
    return st;
}

/* --- grading ------------------------------------------------------------- */

/*
 * Is the node given the code known at these digits?  Where a level has a
 * shorter code than asked (a letter), the known code is climbed.
 */
static bool same(const struct puan_coder *c, uint32_t node, unsigned n,
                 struct puan_str known)
{
    const struct puan_coder_node *got = puan_coder_node(c, node);
    struct puan_str a = puan_coding_code(c, node, n), b = known;
    int32_t at = puan_coder_find(c, known);

    if (n && b.n > n)
        b.n = n;
    if (puan_str_eq(a, b))
        return true;
    while (at >= 0 && puan_coder_node(c, (size_t)at) != got)
        at = puan_coder_node(c, (size_t)at)->parent;
    return at >= 0 && n && got->digits <= n;
}

static void list_wrong(struct trial *t, unsigned n, const struct row *row,
                       const struct puan_coder *c,
                       const struct puan_coder_answer *x)
{
    struct puan_str none = { "", 0 };

    puan_sheet_put_int(t->wrong, n);
    for (size_t i = 0; i < row->n; i++)
        puan_sheet_put(t->wrong, row->field[i]);
    puan_sheet_put(t->wrong, row->code);
    puan_sheet_put(t->wrong,
                   x->n ? puan_coding_code(c, x->hit[0].node, n) : none);
    puan_sheet_put(t->wrong,
                   x->n ? puan_coder_node(c, x->hit[0].node)->name : none);
    puan_sheet_put_int(t->wrong, x->n ? x->hit[0].ppm / 10000 : 0);
    puan_sheet_put(t->wrong, x->n ? x->hit[0].nearest : none);
    puan_sheet_end_row(t->wrong);
}

static enum puan_status grade(struct trial *t, const struct puan_coder *c,
                              size_t row, struct puan_err *err)
{
    const struct row *w = &t->row[row];
    enum puan_status st = PUAN_OK;

    for (size_t k = 0; st == PUAN_OK && k < t->o->n_levels; k++) {
        struct puan_coder_answer x;
        struct result *r = &t->level[k].r[row];
        unsigned n = t->o->digits[k];

        puan_arena_reset(&t->scratch);
        st = puan_coder_suggest(&x, c, w->field, w->n, n, &t->scratch, err);
        if (st != PUAN_OK)
            break;
        if (x.state == PUAN_CODED && x.n > 0) {
            r->ppm = x.hit[0].ppm ? x.hit[0].ppm : 1;
            r->right = same(c, x.hit[0].node, n, w->code);
            for (size_t i = 0; i < x.n && i < 5; i++)
                r->in_five |= same(c, x.hit[i].node, n, w->code);
        }
        t->level[k].right += r->right;
        t->level[k].in_five += r->in_five;
        if (t->wrong && !r->right)
            list_wrong(t, n, w, c, &x);
    }
    return st;
}

/* --- apart: a coder that does not know what the tested texts say ---------- */

/* Does some row of group g with this code say this entry? */
static bool said(struct trial *t, struct puan_str code, struct puan_str entry,
                 size_t g)
{
    const struct puan_coder *c = puan_coding_coder(t->coding);

    for (size_t i = g; i < t->n; i += (size_t)t->o->apart)
        if (puan_str_eq(t->row[i].code, code))
            for (size_t k = 0; k < t->row[i].n; k++) {
                puan_arena_reset(&t->scratch);
                if (puan_coder_says(c, t->row[i].field[k], entry, &t->scratch))
                    return true;
            }
    return false;
}

static struct puan_str until(struct puan_str *s, char c)
{
    struct puan_str head = { s->p, 0 };

    while (s->n > 0 && *s->p != c) {
        s->p++;
        s->n--;
    }
    head.n = (size_t)(s->p - head.p);
    return head;
}

/* The list without the entries said in group g. */
static struct puan_str without(struct trial *t, size_t g, uint64_t *dropped,
                               struct puan_arena *a)
{
    struct puan_str rest = puan_coding_sources(t->coding)[0].text, line;
    struct puan_out o;

    puan_out_init(&o, a);
    while (puan_str_split(&line, &rest, '\n')) {
        struct puan_str from = line, code = until(&line, ' ');
        struct puan_str name = until(&line, '|');

        puan_out_bytes(&o, from.p, code.n + name.n);
        if (line.n > 0)
            puan_out_char(&o, '|');
        while (line.n > 1) {
            struct puan_str entry;

            line.p++;
            line.n--;
            entry = until(&line, ' ');
            if (entry.n && said(t, code, entry, g)) {
                ++*dropped;
                continue;
            }
            puan_out_char(&o, ' ');
            puan_out_str(&o, entry);
        }
        puan_out_char(&o, '\n');
    }
    return puan_out_view(&o);
}

static enum puan_status apart(struct trial *t, uint64_t *dropped,
                              struct puan_err *err)
{
    const struct puan_coder_source *from = puan_coding_sources(t->coding);
    enum puan_status st = PUAN_OK;

    for (size_t g = 0; st == PUAN_OK && g < (size_t)t->o->apart; g++) {
        struct puan_coder *c = NULL;
        struct puan_arena a;

        puan_arena_init(&a, &puan_heap);
        st = puan_coder_build(&c,
                              (struct puan_coder_source){
                                  without(t, g, dropped, &a), from[0].name },
                              from[1], from[2], &a, err);
        for (size_t i = g; st == PUAN_OK && i < t->n; i += (size_t)t->o->apart)
            st = grade(t, c, i, err);
        puan_arena_clear(&a);
    }
    return st;
}

/* --- variations that may not change a code -------------------------------- */

/* Narrow ASCII becomes full-width. */
static struct puan_str wide(struct puan_str s, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    while (s.n > 0) {
        int32_t c = puan_utf8_next(&s);
        char utf8[4];

        if (c < 0)
            break;
        if (c > ' ' && c < 0x7f)
            c += 0xfee0;
        else if (c == ' ')
            c = 0x3000;
        puan_out_bytes(&o, utf8, puan_utf8_put(utf8, (uint32_t)c));
    }
    return puan_out_view(&o);
}

/* Simplified characters become the first traditional one of the list. */
static struct puan_str traditional(struct puan_str s, struct puan_str pairs,
                                   struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    while (s.n > 0) {
        struct puan_str at = s, list = pairs, line;
        int32_t c = puan_utf8_next(&s);
        bool done = false;

        while (!done && c >= 0x3400 && puan_str_split(&line, &list, '\n')) {
            if (line.n == 0 || line.p[0] == '#')
                continue;
            while (!done && line.n > 0) {
                struct puan_str from = line;
                int32_t x = puan_utf8_next(&line);
                size_t n = from.n - line.n;

                if (x < 0)
                    break;
                if (x == ' ')
                    continue;
                if (puan_utf8_next(&line) == c) {
                    puan_out_bytes(&o, from.p, n);
                    done = true;
                }
            }
        }
        if (c < 0)
            break;
        if (!done)
            puan_out_bytes(&o, at.p, at.n - s.n);
    }
    return puan_out_view(&o);
}

static struct puan_str varied(unsigned kind, const struct trial *t,
                              struct puan_str s, struct puan_arena *a)
{
    const struct puan_coder *c = puan_coding_coder(t->coding);

    switch (kind) {
    case 0:
        return wide(s, a);
    case 1:
        return traditional(s, puan_coding_sources(t->coding)[2].text, a);
    case 2:
        return puan_coder_turned(c, s, " ", a);
    default:
        return puan_coder_turned(c, s, "", a);
    }
}

static enum puan_status vary(struct trial *t, struct puan_err *err)
{
    static const char *const name[] = { "full_width", "traditional",
                                        "turned_round", "turned_unspaced" };
    const struct puan_coder *c = puan_coding_coder(t->coding);
    enum puan_status st = PUAN_OK;

    for (unsigned kind = 0; st == PUAN_OK && kind < 4; kind++) {
        uint64_t other = 0, changed = 0;

        for (size_t i = 0; st == PUAN_OK && i < t->n; i++) {
            struct puan_coder_answer x, y;
            struct puan_str v;

            puan_arena_reset(&t->scratch);
            v = varied(kind, t, t->row[i].field[0], &t->scratch);
            st = puan_coder_suggest(&x, c, t->row[i].field, 1, 0, &t->scratch,
                                    err);
            if (st == PUAN_OK)
                st = puan_coder_suggest(&y, c, &v, 1, 0, &t->scratch, err);
            other += !puan_str_eq(v, t->row[i].field[0]);
            changed +=
                st == PUAN_OK &&
                (x.state != y.state ||
                 (x.n > 0 && (y.n == 0 || x.hit[0].node != y.hit[0].node)));
        }
        if (st == PUAN_OK && t->o->json)
            printf(",\"%s\":{\"texts\":%" PRIu64 ",\"changed\":%" PRIu64 "}",
                   name[kind], other, changed);
        else if (st == PUAN_OK)
            printf("%-16s %6" PRIu64 " texts written otherwise, %" PRIu64
                   " get another code\n",
                   name[kind], other, changed);
    }
    return st;
}

/* --- report --------------------------------------------------------------- */

static int by_score(const void *x, const void *y)
{
    const struct result *a = x, *b = y;

    return a->ppm < b->ppm ? 1 : a->ppm > b->ppm ? -1 : 0;
}

static void print_level(struct trial *t, size_t k)
{
    static const unsigned share[] = { 50, 70, 90, 100 };
    struct level *l = &t->level[k];
    double right[4], five = 100.0 * (double)l->in_five / (double)t->n;
    uint32_t at[4];

    qsort(l->r, t->n, sizeof(*l->r), by_score);
    for (size_t s = 0; s < 4; s++) {
        size_t m = (t->n * share[s] + 99) / 100, ok = 0;

        for (size_t i = 0; i < m; i++)
            ok += l->r[i].right;
        right[s] = 100.0 * (double)ok / (double)m;
        at[s] = l->r[m - 1].ppm;
    }
    if (t->o->json)
        printf("%s{\"digits\":%u,\"right\":[%.2f,%.2f,%.2f,%.2f],"
               "\"in_five\":%.2f,\"score\":[%u,%u,%u,%u]}",
               k ? "," : "", t->o->digits[k], right[0], right[1], right[2],
               right[3], five, at[0], at[1], at[2], at[3]);
    else
        printf("%-8u %6.1f %6.1f %6.1f %6.1f %8.1f   %11.1f %5.1f %5.1f\n",
               t->o->digits[k], right[0], right[1], right[2], right[3], five,
               at[0] / 1e4, at[1] / 1e4, at[2] / 1e4);
}

static enum puan_status report(struct trial *t, uint64_t dropped,
                               struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (t->o->json)
        printf(
            "{\"texts\":%zu,\"near\":%zu,\"entries\":%zu,\"dropped\":%" PRIu64
            ",\"levels\":[",
            t->n, t->read - t->n,
            puan_coder_entries(puan_coding_coder(t->coding)), dropped);
    else {
        printf("%zu texts", t->n);
        if (t->o->near)
            printf(", %zu left out as near duplicates", t->read - t->n);
        if (t->o->apart)
            printf(", tested without the %" PRIu64 " entries they say",
                   dropped);
        printf("\n%-8s %6s %6s %6s %6s %8s   score at 50 %% 70 %% 90 %%\n",
               "digits", "50 %", "70 %", "90 %", "100 %", "in five");
    }
    for (size_t k = 0; k < t->o->n_levels; k++)
        print_level(t, k);
    if (t->o->json)
        printf("]");
    if (t->o->vary)
        st = vary(t, err);
    if (t->o->json)
        printf("}\n");
    return st;
}

static enum puan_status work(struct trial *t, struct puan_sheet *s,
                             struct puan_arena *a, struct puan_err *err)
{
    uint64_t dropped = 0;
    enum puan_status st = read_rows(t, s, a, err);

    for (size_t k = 0; st == PUAN_OK && k < t->o->n_levels; k++)
        t->level[k].r = puan_new_n(a, t->n, struct result);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK && t->o->apart)
        st = apart(t, &dropped, err);
    for (size_t i = 0; st == PUAN_OK && !t->o->apart && i < t->n; i++)
        st = grade(t, puan_coding_coder(t->coding), i, err);
    return st == PUAN_OK ? report(t, dropped, err) : st;
}

int code_test(int argc, char **argv)
{
    struct options o;
    struct trial t = { .o = &o };
    struct puan_coding *coding = NULL;
    struct puan_sheet *s = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&t.scratch, &puan_heap);
    st = puan_coding_open(&coding, o.plan, o.what, &err);
    t.coding = coding;
    if (st == PUAN_OK)
        st = puan_sheet_open(&s, o.data, &err);
    if (st == PUAN_OK && o.wrong) {
        st = puan_sheet_create(&t.wrong, o.wrong, &err);
        if (st == PUAN_OK)
            puan_sheet_put_raw(
                t.wrong, PUAN_STR("digits,text,code,given,name,score,like\n"));
    }
    if (st == PUAN_OK)
        st = work(&t, s, &a, &err);
    if (st == PUAN_OK && t.wrong) {
        st = puan_sheet_finish(t.wrong, &err);
        t.wrong = NULL;
    }
    puan_sheet_abandon(t.wrong);
    puan_sheet_close(s);
    puan_coding_close(coding);
    puan_arena_clear(&t.scratch);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : code_fail(&err);
}
