/*
 * puan code test: how often the code given is the code known, as a function of
 * the share that is coded by machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/code/internal.h"
#include "features/host/feature.h"
#include "kit/os/heap.h"

#define LEVELS_MOST 4

struct options {
    const char *plan, *what, *text, *code, *wrong, *data;
    unsigned digits[LEVELS_MOST];
    size_t n_levels;
    bool json;
};

struct result {
    uint32_t ppm; /* 0: not coded */
    bool right, in_five;
};

struct level {
    struct result *r;
    uint64_t right, in_five;
};

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

/*
 * Is `given` the code known at these digits?  One letter stands for the whole
 * of digits below it, so the known code is climbed where it must be.
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

static enum puan_status grade(struct level *l, const struct options *o,
                              const struct puan_coder *c, size_t level,
                              const struct puan_str *field, size_t n_fields,
                              struct puan_str known, size_t row,
                              struct puan_sheet_out *wrong,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_coder_answer x;
    struct result *r = &l[level].r[row];
    enum puan_status st =
        puan_coder_suggest(&x, c, field, n_fields, o->digits[level], a, err);

    if (st != PUAN_OK)
        return st;
    *r = (struct result){ 0 };
    if (x.state == PUAN_CODED && x.n > 0) {
        r->ppm = x.hit[0].ppm ? x.hit[0].ppm : 1;
        r->right = same(c, x.hit[0].node, o->digits[level], known);
        for (size_t k = 0; k < x.n && k < 5; k++)
            r->in_five |= same(c, x.hit[k].node, o->digits[level], known);
    }
    l[level].right += r->right;
    l[level].in_five += r->in_five;
    if (wrong && !r->right) {
        puan_sheet_put_int(wrong, o->digits[level]);
        for (size_t i = 0; i < n_fields; i++)
            puan_sheet_put(wrong, field[i]);
        puan_sheet_put(wrong, known);
        puan_sheet_put(wrong, x.n ? puan_coder_node(c, x.hit[0].node)->code
                                  : PUAN_STR(""));
        puan_sheet_put(wrong, x.n ? puan_coder_node(c, x.hit[0].node)->name
                                  : PUAN_STR(""));
        puan_sheet_put_int(wrong, r->ppm / 10000);
        puan_sheet_put(wrong, x.n ? x.hit[0].nearest : PUAN_STR(""));
        puan_sheet_end_row(wrong);
    }
    return PUAN_OK;
}

static int by_score(const void *x, const void *y)
{
    const struct result *a = x, *b = y;

    return a->ppm < b->ppm ? 1 : a->ppm > b->ppm ? -1 : 0;
}

static void print(const struct options *o, struct level *l, size_t n)
{
    static const unsigned share[] = { 50, 70, 90, 100 };

    if (o->json)
        printf("{\"texts\":%zu,\"levels\":[", n);
    else
        printf("%zu texts\n%-8s %6s %6s %6s %6s %8s   score at 50 %% 70 %% "
               "90 %%\n",
               n, "digits", "50 %", "70 %", "90 %", "100 %", "in five");
    for (size_t k = 0; k < o->n_levels; k++) {
        double right[4];
        uint32_t at[4];

        qsort(l[k].r, n, sizeof(*l[k].r), by_score);
        for (size_t s = 0; s < 4; s++) {
            size_t m = (n * share[s] + 99) / 100, ok = 0;

            for (size_t i = 0; i < m; i++)
                ok += l[k].r[i].right;
            right[s] = m ? 100.0 * (double)ok / (double)m : 0;
            at[s] = m ? l[k].r[m - 1].ppm : 0;
        }
        if (o->json)
            printf("%s{\"digits\":%u,\"right\":[%.2f,%.2f,%.2f,%.2f],"
                   "\"in_five\":%.2f,\"score\":[%u,%u,%u,%u]}",
                   k ? "," : "", o->digits[k], right[0], right[1], right[2],
                   right[3], 100.0 * (double)l[k].in_five / (double)n, at[0],
                   at[1], at[2], at[3]);
        else
            printf("%-8u %6.1f %6.1f %6.1f %6.1f %8.1f   %11.1f %5.1f %5.1f\n",
                   o->digits[k], right[0], right[1], right[2], right[3],
                   100.0 * (double)l[k].in_five / (double)n, at[0] / 1e4,
                   at[1] / 1e4, at[2] / 1e4);
    }
    if (o->json)
        printf("]}\n");
}

static enum puan_status work(const struct options *o,
                             const struct puan_coder *c, struct puan_sheet *s,
                             struct puan_sheet_out *wrong, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_csv *row = puan_sheet_row(s);
    struct level l[LEVELS_MOST] = { 0 };
    struct puan_arena scratch;
    size_t n = 0, cap = (size_t)puan_sheet_size(s) / 3 + 2;
    struct columns text;
    int code;
    bool more = true;
    enum puan_status st = code_columns(&text, s, o->text, err);

    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, o->code, err);
    for (size_t k = 0; k < o->n_levels; k++)
        l[k].r = puan_new_n(a, cap, struct result);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    puan_arena_init(&scratch, &puan_heap);
    while (st == PUAN_OK) {
        struct puan_str field[COLUMNS_MOST], known;
        size_t n_fields;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more || n == cap)
            break;
        n_fields = code_fields(field, &text, row);
        known = row->field[code];
        if (puan_coder_find(c, known) < 0) {
            st = puan_fail_at(err, PUAN_EINVAL, o->data, row->line, 0,
                              "the classification has no code %.*s",
                              PUAN_FMT(known));
            break;
        }
        for (size_t k = 0; st == PUAN_OK && k < o->n_levels; k++) {
            puan_arena_reset(&scratch);
            st = grade(l, o, c, k, field, n_fields, known, n, wrong, &scratch,
                       err);
        }
        n++;
    }
    puan_arena_clear(&scratch);
    if (st == PUAN_OK && n == 0)
        st = puan_fail(err, PUAN_EINVAL, o->data, "the file has no rows");
    if (st == PUAN_OK)
        print(o, l, n);
    return st;
}

int code_test(int argc, char **argv)
{
    struct options o;
    struct puan_coding *coding = NULL;
    struct puan_sheet *s = NULL;
    struct puan_sheet_out *wrong = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    st = puan_coding_open(&coding, o.plan, o.what, &err);
    if (st == PUAN_OK)
        st = puan_sheet_open(&s, o.data, &err);
    if (st == PUAN_OK && o.wrong) {
        st = puan_sheet_create(&wrong, o.wrong, &err);
        if (st == PUAN_OK)
            puan_sheet_put_raw(
                wrong, PUAN_STR("digits,text,code,given,name,score,like\n"));
    }
    if (st == PUAN_OK)
        st = work(&o, puan_coding_coder(coding), s, wrong, &a, &err);
    if (st == PUAN_OK && wrong) {
        st = puan_sheet_finish(wrong, &err);
        wrong = NULL;
    }
    puan_sheet_abandon(wrong);
    puan_sheet_close(s);
    puan_coding_close(coding);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : code_fail(&err);
}
