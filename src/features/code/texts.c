/*
 * puan code texts: what people said of their work, out of a campaign's
 * returns, for coding.  Opens the vault for items of free text alone, never
 * for a name, number or phone, and leaves an entry in the ledger of every
 * store it reads before it reads it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/code/internal.h"
#include "features/host/feature.h"
#include "features/ingest/ingest.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

const char code_texts_usage[] =
    "--items ITEM[,ITEM]… [--area CODE] [--distinct] [--out FILE.csv] "
    "[--store URL] [--quiet] CAMPAIGN";
const char code_texts_help[] =
    "Writes what the last versions of a campaign's returns answer in words, "
    "for puan code: household,line and the items, one row a person with an "
    "answer. --distinct writes each answer once with the number of times it "
    "was given, for the coding desk. Only items of free text are opened, never "
    "names, numbers or phones; the reading is an entry (coding.texts) in the "
    "ledger of every store read. What comes out belongs to the census: people "
    "write names into such answers.";

struct options {
    const char *items, *out, *dir, *url;
    int64_t area;
    bool distinct, quiet;
};

struct texts {
    const struct options *o;
    struct puan_str name[COLUMNS_MOST];
    size_t n;
    struct puan_sheet_out *out;
    struct puan_shard *shard;
    struct puan_arena row, all;
    struct puan_str *said; /* distinct: answers with line ends between */
    size_t n_said, cap;
    uint64_t answers, returns;
    struct puan_progress bar;
};

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "code texts";

    *o = (struct options){ .out = "-" };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strcmp(at, "--distinct") == 0)
            o->distinct = true;
        else if (strcmp(at, "--quiet") == 0)
            o->quiet = true;
        else if (strncmp(at, "--", 2) != 0) {
            bad = o->dir ? "one campaign at a time" : NULL;
            o->dir = at;
        } else if (i + 1 == argc)
            bad = "needs a value or is unknown";
        else if (strcmp(at, "--items") == 0)
            o->items = argv[++i];
        else if (strcmp(at, "--out") == 0)
            o->out = argv[++i];
        else if (strcmp(at, "--store") == 0)
            o->url = argv[++i];
        else if (strcmp(at, "--area") == 0)
            bad = puan_int_parse(&o->area, puan_str_of(argv[++i])) &&
                          o->area > 0
                      ? NULL
                      : "is the code of an area";
        else
            bad = "unknown option";
    }
    if (!bad && (!o->dir || !o->items)) {
        at = "code texts";
        bad = "--items and a campaign directory are needed";
    }
    if (bad)
        fprintf(stderr, "puan: %s: %s\n", at, bad);
    return !bad;
}

/* Each item is one of free text in some form of the plan. */
static enum puan_status items(struct texts *x, const struct puan_plan *plan,
                              struct puan_err *err)
{
    struct puan_str rest = puan_str_of(x->o->items), name;

    while (puan_str_split(&name, &rest, ',')) {
        bool found = false, text = true;

        name = puan_str_trim(name);
        if (x->n == COLUMNS_MOST)
            return puan_fail(err, PUAN_EINVAL, "--items", "at most 4 items");
        for (size_t f = 0; f < plan->n_forms; f++)
            for (uint16_t e = 0; e < plan->form[f]->n_entities; e++) {
                const struct puan_entity *from = &plan->form[f]->entity[e];
                int i = puan_entity_item(from, name);

                found |= i >= 0;
                text &= i < 0 || (from->items[i].zone == PUAN_ZONE_TEXT &&
                                  from->items[i].type == PUAN_TYPE_TEXT);
            }
        if (!found)
            return puan_fail(err, PUAN_ENOTFOUND, "--items",
                             "no form of the plan has an item '%.*s'",
                             PUAN_FMT(name));
        if (!text)
            return puan_fail(err, PUAN_EDENIED, "--items",
                             "'%.*s' is no item of free text: what names a "
                             "person is not opened for coding",
                             PUAN_FMT(name));
        x->name[x->n++] = name;
    }
    return PUAN_OK;
}

static enum puan_status keep(struct texts *x, const struct puan_str *field,
                             struct puan_err *err)
{
    struct puan_out o;

    if (x->n_said == x->cap) {
        size_t cap = x->cap ? 2 * x->cap : 4096;
        struct puan_str *more = realloc(x->said, cap * sizeof(*more));

        if (!more)
            return puan_fail(err, PUAN_ENOMEM, "code texts", "out of memory");
        x->said = more;
        x->cap = cap;
    }
    puan_out_init(&o, &x->all);
    for (size_t i = 0; i < x->n; i++) {
        if (i > 0)
            puan_out_char(&o, '\n');
        for (size_t k = 0; k < field[i].n; k++) /* a line end parts items */
            puan_out_char(&o, field[i].p[k] == '\n' ? ' ' : field[i].p[k]);
    }
    x->said[x->n_said++] = puan_out_view(&o);
    return puan_arena_check(&x->all, err);
}

/* One of the items is enough: the others of a line are then empty. */
static bool asks_one(const struct texts *x, const struct puan_entity *e)
{
    for (size_t i = 0; i < x->n; i++)
        if (puan_entity_item(e, x->name[i]) >= 0)
            return true;
    return false;
}

static enum puan_status one_return(void *arg, const struct puan_ret *r,
                                   struct puan_err *err)
{
    struct texts *x = arg;
    struct puan_record rec;
    enum puan_status st = PUAN_OK;
    bool asks = false;

    for (uint16_t e = 0; e < r->form->n_entities; e++)
        asks |= asks_one(x, &r->form->entity[e]);
    if (!asks)
        return PUAN_OK;
    puan_arena_reset(&x->row);
    st = puan_ret_record(&rec, r, x->shard, true, &x->row, err);
    x->returns++;
    puan_progress_add(&x->bar, 1);
    for (uint16_t e = 0; st == PUAN_OK && e < r->form->n_entities; e++) {
        const struct puan_entity *from = &r->form->entity[e];
        const struct puan_rows *rows = &rec.rows[e];

        if (!asks_one(x, from))
            continue;
        for (uint32_t l = 0; st == PUAN_OK && l < rows->n; l++) {
            struct puan_str field[COLUMNS_MOST];
            bool any = false;

            for (size_t i = 0; i < x->n; i++) {
                int at = puan_entity_item(from, x->name[i]);
                size_t cell = (size_t)l * from->n_items + (size_t)(at < 0 ? 0
                                                                          : at);

                field[i] = at >= 0 && rows->st[cell] == PUAN_GIVEN
                               ? rows->txt[cell]
                               : PUAN_STR("");
                any |= field[i].n > 0;
            }
            if (!any)
                continue;
            x->answers++;
            if (x->o->distinct) {
                st = keep(x, field, err);
                continue;
            }
            puan_sheet_put_int(x->out, r->head.household);
            puan_sheet_put_int(x->out, (int64_t)l + 1);
            for (size_t i = 0; i < x->n; i++)
                puan_sheet_put_words(x->out, field[i]);
            puan_sheet_end_row(x->out);
        }
    }
    return st;
}

static int by_text(const void *a, const void *b)
{
    const struct puan_str *x = a, *y = b;
    int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

static void put_distinct(struct texts *x)
{
    if (x->n_said)
        qsort(x->said, x->n_said, sizeof(*x->said), by_text);
    for (size_t i = 0, k; i < x->n_said; i = k) {
        struct puan_str rest = x->said[i], field;

        for (k = i; k < x->n_said && by_text(&x->said[i], &x->said[k]) == 0;)
            k++;
        for (size_t c = 0; c < x->n; c++) {
            if (!puan_str_split(&field, &rest, '\n'))
                field = PUAN_STR("");
            puan_sheet_put_words(x->out, field);
        }
        puan_sheet_put_int(x->out, (int64_t)(k - i));
        puan_sheet_end_row(x->out);
    }
}

/* Entries first, then the look. */
static enum puan_status read_shards(struct texts *x, struct puan_store *store,
                                    struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(store);
    int64_t from = 0, to = INT64_MAX;
    enum puan_status st = PUAN_OK;

    if (x->o->area)
        puan_area_keys(&from, &to, store, x->o->area);
    for (size_t i = 1; st == PUAN_OK && i < puan_store_shards(store); i++) {
        struct puan_act act = { .actor = PUAN_STR("operator"),
                                .seat = PUAN_STR("command line"),
                                .verb = PUAN_STR("coding.texts"),
                                .note = PUAN_STR("coding of answers in words") };
        char subject[160];

        x->shard = puan_store_shard(store, i);
        if (x->o->area &&
            !puan_area_contains_code(t, x->o->area,
                                     puan_shard_area(x->shard)) &&
            !puan_area_contains_code(t, puan_shard_area(x->shard), x->o->area))
            continue;
        puan_format(subject, sizeof(subject), "items/%s", x->o->items);
        act.subject = puan_str_of(subject);
        st = puan_commit(x->shard, &act, NULL, NULL, err);
        if (st == PUAN_OK)
            st = puan_ret_each(x->shard, from, to, one_return, x, err);
    }
    return st;
}

static enum puan_status work(struct texts *x, struct puan_store *store,
                             struct puan_err *err)
{
    enum puan_status st = items(x, puan_store_plan(store), err);

    if (st == PUAN_OK && x->o->area &&
        puan_area_find(puan_store_areas(store), x->o->area) == PUAN_AREA_NONE)
        st = puan_fail(err, PUAN_ENOTFOUND, "--area",
                       "the campaign has no area %lld: give a code as it was "
                       "imported",
                       (long long)x->o->area);
    if (st == PUAN_OK)
        st = puan_sheet_create_own(&x->out, x->o->out, err);
    if (st != PUAN_OK)
        return st;
    if (!x->o->distinct) {
        puan_sheet_put_text(x->out, "household");
        puan_sheet_put_text(x->out, "line");
    }
    for (size_t i = 0; i < x->n; i++)
        puan_sheet_put(x->out, x->name[i]);
    if (x->o->distinct)
        puan_sheet_put_text(x->out, "times");
    puan_sheet_end_row(x->out);
    puan_progress_begin(&x->bar, "读取文字回答 reading answers", 0);
    st = read_shards(x, store, err);
    puan_progress_end(&x->bar);
    if (st == PUAN_OK && x->o->distinct)
        put_distinct(x);
    if (st == PUAN_OK) {
        st = puan_sheet_finish(x->out, err);
        x->out = NULL;
    }
    return st;
}

int code_texts(int argc, char **argv)
{
    struct puan_store_options so = { 0 };
    struct options o;
    struct texts x = { .o = &o };
    struct puan_store *store = NULL;
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    so.url = o.url;
    puan_progress_quiet(o.quiet);
    puan_arena_init(&x.row, &puan_heap);
    puan_arena_init(&x.all, &puan_heap);
    st = puan_store_open(&store, o.dir, &so, &err);
    if (st == PUAN_OK)
        st = work(&x, store, &err);
    puan_store_close(store);
    puan_sheet_abandon(x.out);
    free(x.said);
    puan_arena_clear(&x.row);
    puan_arena_clear(&x.all);
    if (st != PUAN_OK)
        return code_fail(&err);
    if (!o.quiet)
        fprintf(stderr, "%" PRIu64 " returns, %" PRIu64 " answers\n",
                x.returns, x.answers);
    return PUAN_EXIT_DONE;
}
