/*
 * Routes and the command of tabulation; see tables.h.
 */
#include "features/tables/tables.h"

#include <stdio.h>
#include <unistd.h>

#include "features/host/args.h"
#include "features/host/request.h"
#include "features/tables/cache.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

struct area_in {
    int64_t area;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, INT64_MAX,
      false },
};

/* What tables there are is the same everywhere: any seat may ask. */
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, INT64_MAX,
      true },
};

struct table_in {
    int64_t area;
    struct puan_str table, format;
};
static const struct puan_param table_params[] = {
    { "table", PUAN_PARAM_TEXT, offsetof(struct table_in, table), 1, 64,
      false },
    { "area", PUAN_PARAM_AREA, offsetof(struct table_in, area), 0, INT64_MAX,
      false },
    { "format", PUAN_PARAM_TEXT, offsetof(struct table_in, format), 1, 8,
      true },
};

static enum puan_status list_tables(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)in;
    (void)err;
    puan_jw_map(w);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_tables; i++) {
        const struct puan_table_plan *t = &plan->table[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", t->id);
        puan_jw_kstr(w, "zh", t->zh);
        puan_jw_kstr(w, "en", t->en);
        puan_jw_kstr(w, "entity", t->entity);
        puan_jw_key(w, "by");
        puan_jw_list(w);
        for (size_t d = 0; d < t->n_by; d++)
            puan_jw_str(w, t->by[d].name);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status show_table(struct puan_request *rq, const void *in,
                                   struct puan_err *err)
{
    const struct table_in *q = in;
    const struct puan_count *c;
    enum puan_status st;
    int table;

    if (q->format.n && !puan_str_is(q->format, "csv") &&
        !puan_str_is(q->format, "json"))
        return puan_fail(err, PUAN_EINVAL, "format", "expected json or csv");
    st = puan_count_current(&c, rq->store, q->area, err);
    if (st != PUAN_OK)
        return st;
    table = puan_count_table(c, q->table);
    if (table < 0) {
        st = puan_fail(err, PUAN_ENOTFOUND, "table",
                       "the plan has no such table for this area");
    } else if (puan_str_is(q->format, "csv")) {
        struct puan_out o;

        puan_out_init(&o, rq->arena);
        puan_tally_csv(&o, puan_count_tally(c), puan_count_cells(c),
                       (size_t)table);
        puan_answer_bytes(rq, 200, "text/csv; charset=utf-8",
                          puan_out_view(&o));
    } else {
        puan_count_table_json(puan_answer_begin(rq, 200), c, (size_t)table);
    }
    puan_count_release(rq->store, c);
    return st;
}

static enum puan_status show_population(struct puan_request *rq, const void *in,
                                        struct puan_err *err)
{
    const struct area_in *q = in;
    const struct puan_count *c;
    enum puan_status st = puan_count_current(&c, rq->store, q->area, err);

    if (st != PUAN_OK)
        return st;
    puan_population_json(puan_answer_begin(rq, 200), c);
    puan_count_release(rq->store, c);
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/tables", "table.list", PUAN_SCOPE_AREA, "",
      "Tables of the plan", list_tables,
      PUAN_PARAMS(list_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/tables/{table}", "table.view", PUAN_SCOPE_AREA,
      "", "One table of an area, counted now", show_table,
      PUAN_PARAMS(table_params, struct table_in) },
    { PUAN_GET, "/c/{campaign}/population", "population.view", PUAN_SCOPE_AREA,
      "", "Population of an area by residence case", show_population,
      PUAN_PARAMS(area_params, struct area_in) },
};

/* ---- puan table ------------------------------------------------------------
 */

struct options {
    const char *dir, *table, *format, *out;
    int64_t area;
};

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        const char **text = strcmp(argv[i], "--table") == 0    ? &o->table
                            : strcmp(argv[i], "--format") == 0 ? &o->format
                            : strcmp(argv[i], "--out") == 0    ? &o->out
                                                               : NULL;

        if (text && value) {
            *text = value;
            i++;
        } else if (strcmp(argv[i], "--area") == 0 && value) {
            if (!puan_int_parse(&o->area, puan_str_of(value)))
                return false;
            i++;
        } else if (argv[i][0] != '-' && o->dir == NULL) {
            o->dir = argv[i];
        } else {
            return false;
        }
    }
    if (strcmp(o->format, "csv") != 0 && strcmp(o->format, "json") != 0) {
        fprintf(stderr, "puan: --format is csv or json\n");
        return false;
    }
    return o->dir != NULL;
}

static void tell(void *arg, uint64_t households)
{
    puan_progress_set(arg, households);
}

static enum puan_status write_one(struct puan_out *o,
                                  const struct puan_count *c, size_t table,
                                  const char *format)
{
    struct puan_jw w;

    if (strcmp(format, "csv") == 0) {
        puan_tally_csv(o, puan_count_tally(c), puan_count_cells(c), table);
    } else {
        puan_jw_init(&w, o);
        puan_count_table_json(&w, c, table);
        puan_out_char(o, '\n');
    }
    return PUAN_OK;
}

/* Every table, or the one named, to a folder or to standard output. */
static enum puan_status write_tables(const struct options *o,
                                     const struct puan_count *c,
                                     struct puan_arena *a, struct puan_err *err)
{
    const struct puan_tally *t = puan_count_tally(c);
    enum puan_status st = PUAN_OK;
    size_t n = 0;

    if (o->out)
        st = puan_dir_make(o->out, err);
    for (size_t i = 0; st == PUAN_OK && i < puan_tally_tables(t); i++) {
        struct puan_str id = puan_tally_plan(t, i)->id;
        struct puan_out text;

        if (o->table && !puan_str_is(id, o->table))
            continue;
        n++;
        puan_out_init(&text, a);
        st = write_one(&text, c, i, o->format);
        if (o->out)
            st = puan_file_write(puan_arena_fmt(a, "%s/%.*s.%s", o->out,
                                                PUAN_FMT(id), o->format),
                                 puan_out_view(&text), 0644, err);
        else
            fwrite(text.p, 1, text.n, stdout);
    }
    if (st == PUAN_OK && n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "--table",
                         "the plan has no such table; puan plan show lists "
                         "them");
    if (st == PUAN_OK && o->out)
        fprintf(stderr, "汇总表 %zu 张，写入 %s  %zu tables written\n", n,
                o->out, n);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static int run_table(int argc, char **argv)
{
    struct options o = { .format = "csv" };
    struct puan_store_options so = { .readonly = true, .no_writers = true };
    const struct puan_area_tree *tree;
    struct puan_progress bar;
    struct puan_err err = { 0 };
    struct puan_store *store = NULL;
    struct puan_count *c = NULL;
    struct puan_arena a;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_store_open(&store, o.dir, &so, &err);
    if (st == PUAN_OK) {
        tree = puan_store_areas(store);
        if (o.area == 0 && tree && tree->n)
            o.area = tree->area[0].code;
        puan_progress_begin(&bar, "汇总 tabulating", 0);
        st = puan_count_area(&c, store, o.area, tell, &bar, &err);
        puan_progress_end(&bar);
    }
    if (st == PUAN_OK)
        st = write_tables(&o, c, &a, &err);
    puan_count_close(c);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static const struct puan_command commands[] = {
    { "table",
      "DIR [--area CODE] [--table ID] [--format csv|json] [--out FOLDER]",
      "Counts the last version of every return of an area and writes the "
      "plan's tables: to FOLDER/ID.csv, or to standard output. Records that a "
      "decision on duplicates dropped are left out. JSON names the ledger "
      "heads, the plan and the program it was computed from.",
      run_table, "汇总一个区域的普查表，输出方案规定的汇总表" },
};

const struct puan_feature puan_feature_tables = {
    .name = "tables",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .open = puan_tables_open,
    .close = puan_tables_close,
};
