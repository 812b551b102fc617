/*
 * Routes and the command of tabulation; see tables.h.
 */
#include "features/tables/tables.h"

#include <stdio.h>
#include <unistd.h>

#include "core/area/area.h"
#include "features/edit/layer.h"
#include "features/host/args.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/tables/build.h"
#include "features/tables/cache.h"
#include "features/tables/tabulate.h"
#include "features/tables/trace.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

/* A kept count this old is still shown, with its time. */
#define SHOWN_MS 60000

/* What tables there are is the same everywhere: any seat may ask. */
struct list_in {
    int64_t area;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 0, INT64_MAX,
      true },
};

struct area_in {
    int64_t area;
    bool fresh;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, INT64_MAX,
      false },
    { "fresh", PUAN_PARAM_BOOL, offsetof(struct area_in, fresh), 0, 0, true },
};

struct table_in {
    int64_t area;
    struct puan_str table, format, by;
    bool fresh;
};
static const struct puan_param table_params[] = {
    { "table", PUAN_PARAM_TEXT, offsetof(struct table_in, table), 1, 64,
      false },
    { "area", PUAN_PARAM_AREA, offsetof(struct table_in, area), 0, INT64_MAX,
      false },
    { "format", PUAN_PARAM_TEXT, offsetof(struct table_in, format), 1, 8,
      true },
    { "by", PUAN_PARAM_TEXT, offsetof(struct table_in, by), 1, 256, true },
    { "fresh", PUAN_PARAM_BOOL, offsetof(struct table_in, fresh), 0, 0, true },
};

static const struct puan_param build_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_build_in, area), 0,
      INT64_MAX, false },
    { "of", PUAN_PARAM_TEXT, offsetof(struct puan_build_in, of), 1, 64, true },
    { "base", PUAN_PARAM_TEXT, offsetof(struct puan_build_in, base), 1, 16,
      true },
    { "by", PUAN_PARAM_TEXT, offsetof(struct puan_build_in, by), 1, 512, true },
    { "show", PUAN_PARAM_TEXT, offsetof(struct puan_build_in, show), 1, 512,
      true },
    { "where", PUAN_PARAM_TEXT, offsetof(struct puan_build_in, where), 1, 1024,
      true },
    { "fresh", PUAN_PARAM_BOOL, offsetof(struct puan_build_in, fresh), 0, 0,
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
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_tables; i++) {
        puan_jw_map(w);
        puan_table_names(w, plan, &plan->table[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- running results leave a trace ----------------------------------------- */

enum puan_status puan_tables_trace(uint64_t *seq, struct puan_request *rq,
                                   int64_t area, struct puan_str what,
                                   struct puan_err *err)
{
    struct puan_act act;
    enum puan_status st;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "area/%lld/%.*s",
                                                (long long)area,
                                                PUAN_FMT(what))));
    act.verb = PUAN_STR("evaluation.view");
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    *seq = act.seq;
    return st;
}

static void put_area(struct puan_jw *w, const struct puan_area_tree *t,
                     uint32_t i)
{
    puan_jw_kcode(w, "code", t->area[i].code);
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
    puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
}

/*
 * What every running result states: area, time, source, how many households
 * are in it, and the entry that says it was read.
 */
static void put_head(struct puan_jw *w, struct puan_request *rq,
                     const struct puan_count *c, int64_t area, uint64_t seq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = puan_area_find(t, area);
    struct puan_counts counts;

    puan_counts_of(&counts, rq->store, area);
    puan_jw_kinstant(w, "as_of", puan_count_asof(c),
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_key(w, "source");
    puan_count_source(w, c);
    puan_jw_key(w, "area");
    puan_jw_map(w);
    if (i != PUAN_AREA_NONE)
        put_area(w, t, i);
    puan_jw_end(w, '}');
    puan_jw_kint(w, "listed", counts.listed);
    puan_jw_kint(w, "submitted", counts.submitted);
    puan_jw_key(w, "entry");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", "office");
    puan_jw_kint(w, "seq", (int64_t)seq);
    puan_jw_end(w, '}');
}

static enum puan_status show_table(struct puan_request *rq, const void *in,
                                   struct puan_err *err)
{
    const struct table_in *q = in;
    bool csv = puan_str_is(q->format, "csv");
    const struct puan_count *c;
    struct puan_out o;
    struct puan_view v;
    enum puan_status st;
    uint64_t seq = 0;
    int table;

    if (q->format.n && !csv && !puan_str_is(q->format, "json"))
        return puan_fail(err, PUAN_EINVAL, "format", "expected json or csv");
    st = puan_count_recent(&c, rq->store, q->area, q->fresh ? 0 : SHOWN_MS,
                           err);
    if (st != PUAN_OK)
        return st;
    table = puan_count_table(c, q->table);
    if (table < 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "table",
                       "the plan has no such table for this area");
    if (st == PUAN_OK)
        st = puan_view_make(&v, c, (size_t)table, q->by, err);
    if (st == PUAN_OK)
        st = puan_tables_trace(&seq, rq, q->area,
                         puan_str_of(puan_arena_fmt(rq->arena, "table/%.*s",
                                                    PUAN_FMT(q->table))),
                         err);
    puan_out_init(&o, rq->arena);
    if (st == PUAN_OK && csv) {
        st = puan_view_csv(&o, c, &v, rq->arena, err);
        if (st == PUAN_OK)
            puan_answer_bytes(rq, 200, "text/csv; charset=utf-8",
                              puan_out_view(&o));
    } else if (st == PUAN_OK) {
        struct puan_jw w;

        puan_jw_init(&w, &o);
        puan_jw_map(&w);
        put_head(&w, rq, c, q->area, seq);
        puan_jw_key(&w, "table");
        st = puan_view_json(&w, c, &v, rq->arena, err);
        puan_jw_end(&w, '}');
        if (st == PUAN_OK)
            puan_answer_json(rq, 200, puan_out_view(&o));
    }
    puan_count_release(rq->store, c);
    return st;
}

static enum puan_status answer_population(struct puan_request *rq,
                                          const struct area_in *q,
                                          struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_count *c;
    struct puan_jw *w;
    uint64_t seq = 0;
    enum puan_status st = puan_count_recent(&c, rq->store, q->area,
                                            q->fresh ? 0 : SHOWN_MS, err);

    if (st != PUAN_OK)
        return st;
    st = puan_tables_trace(&seq, rq, q->area, PUAN_STR("population"), err);
    if (st == PUAN_OK) {
        w = puan_answer_begin(rq, 200);
        puan_jw_map(w);
        put_head(w, rq, c, q->area, seq);
        puan_population_json(w, c, puan_count_population(c));
        puan_jw_key(w, "parts");
        puan_jw_list(w);
        for (size_t i = 0; i < puan_count_parts(c); i++) {
            uint32_t area;
            const struct puan_population *p = puan_count_part(&area, c, i);
            struct puan_counts counts;

            puan_counts_of(&counts, rq->store, t->area[area].code);
            puan_jw_map(w);
            put_area(w, t, area);
            puan_jw_kint(w, "listed", counts.listed);
            puan_jw_kint(w, "submitted", counts.submitted);
            puan_population_json(w, c, p);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_count_release(rq->store, c);
    return st;
}

static enum puan_status show_population(struct puan_request *rq, const void *in,
                                        struct puan_err *err)
{
    return answer_population(rq, in, err);
}

/* For offices that answer for single enumeration areas. */
static enum puan_status show_ea(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct area_in *q = in;
    uint32_t i = puan_area_find(t, q->area);

    if (i == PUAN_AREA_NONE || t->area[i].level + 1U != t->n_levels)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "name one enumeration area");
    return answer_population(rq, q, err);
}

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/tables", "table.list", PUAN_SCOPE_AREA, "",
      "Tables of the plan", list_tables,
      PUAN_PARAMS(list_params, struct list_in) },
    { PUAN_GET, "/c/{campaign}/tables/{table}", "evaluation.view",
      PUAN_SCOPE_AREA, "evaluation.view",
      "One table of an area, counted now; the reading is an entry", show_table,
      PUAN_PARAMS(table_params, struct table_in) },
    { PUAN_GET, "/c/{campaign}/tabulate/items", "table.list", PUAN_SCOPE_AREA,
      "", "What a table may be asked by: levels, items, variables",
      puan_build_items, PUAN_PARAMS(list_params, struct list_in) },
    { PUAN_GET, "/c/{campaign}/tabulate", "evaluation.view", PUAN_SCOPE_AREA,
      "evaluation.view",
      "Any table of an area, asked for in the rule language; the reading is an "
      "entry",
      puan_build_table, PUAN_PARAMS(build_params, struct puan_build_in) },
    { PUAN_GET, "/c/{campaign}/population", "evaluation.view", PUAN_SCOPE_AREA,
      "evaluation.view",
      "Population of an area and of those below it by residence case; the "
      "reading is an entry",
      show_population, PUAN_PARAMS(area_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/population/ea", "evaluation.ea",
      PUAN_SCOPE_AREA, "evaluation.view",
      "The same of one enumeration area; the reading is an entry", show_ea,
      PUAN_PARAMS(area_params, struct area_in) },
};

/* ---- puan table ------------------------------------------------------------
 */

struct options {
    const char *dir, *table, *format, *out, *values;
    int64_t area;
};

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        const char **text = strcmp(argv[i], "--table") == 0    ? &o->table
                            : strcmp(argv[i], "--format") == 0 ? &o->format
                            : strcmp(argv[i], "--out") == 0    ? &o->out
                            : strcmp(argv[i], "--values") == 0 ? &o->values
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
    if (o->values && strcmp(o->values, "edited") != 0 &&
        strcmp(o->values, "collected") != 0) {
        fprintf(stderr, "puan: --values is collected or edited\n");
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
                                  const char *format, struct puan_str note)
{
    struct puan_jw w;

    if (strcmp(format, "csv") == 0) {
        if (note.n)
            puan_out_fmt(o, "# %.*s\n", PUAN_FMT(note));
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
                                     struct puan_str note,
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
        st = write_one(&text, c, i, o->format, note);
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

/* Collected or edited values, and the line that says which. */
enum puan_status puan_table_values(struct puan_edit_values **out,
                                   struct puan_str *note, struct puan_store *st,
                                   const char *values, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_out o;
    enum puan_status x = PUAN_OK;

    *out = NULL;
    if (!values) /* nobody asked: collected, as ever */
        return PUAN_OK;
    puan_out_init(&o, a);
    if (strcmp(values, "edited") == 0)
        x = puan_edit_values_open(out, st, err);
    if (x != PUAN_OK)
        return x;
    if (*out) {
        puan_out_text(&o, "values: edited 按编辑插补值汇总; ");
        puan_edit_values_say(&o, *out);
    } else {
        puan_out_text(&o, "values: collected 按采集值汇总");
    }
    *note = puan_out_view(&o);
    return puan_arena_check(a, err);
}

static int run_table(int argc, char **argv)
{
    struct options o = { .format = "csv" };
    struct puan_store_options so = { .readonly = true, .no_writers = true };
    const struct puan_area_tree *tree;
    struct puan_progress bar;
    struct puan_err err = { 0 };
    struct puan_store *store = NULL;
    struct puan_edit_values *values = NULL;
    struct puan_count *c = NULL;
    struct puan_str note = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (!puan_table_is_campaign(argc, argv))
        return puan_table_frames(argc, argv);
    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_store_open(&store, o.dir, &so, &err);
    if (st == PUAN_OK) {
        tree = puan_store_areas(store);
        if (o.area == 0 && tree && tree->n)
            o.area = tree->area[0].code;
        st = puan_table_values(&values, &note, store, o.values, &a, &err);
    }
    if (st == PUAN_OK) {
        puan_progress_begin(&bar, "汇总 tabulating", 0);
        st = puan_count_edited(&c, store, o.area, values, tell, &bar, &err);
        puan_progress_end(&bar);
    }
    if (st == PUAN_OK)
        st = write_tables(&o, c, note, &a, &err);
    puan_count_close(c);
    puan_edit_values_close(values);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static const struct puan_command commands[] = {
    { "table",
      "DATA… --by DIM,… [--show MEASURE,…] [--where EXPR] [--of ENTITY] "
      "[--let NAME=EXPR]… [--class ITEM=PACK:LIST]… [--rules FILE]… "
      "[--level NAME=ITEM,…]… "
      "[--entity NAME] | DATA… --programme FILE [--table ID]… ; both with "
      "[--out PATH] [--format csv|xlsx|sdmx|json] [--labels zh|en] [--totals] "
      "[--summary] [--lang zh|en] [--threads N] [--json] [--quiet] | "
      "DIR [--area CODE] [--table ID] [--format csv|json] [--out FOLDER] ; of "
      "a campaign also --values collected|edited",
      "Counts tables of frames, CSV files or a campaign: dimensions, measures "
      "and filters in the rule language, or a programme of many tables in one "
      "pass. "
      "DIM is an item or an expression, bands(age, 0, 15, 60) makes classes; "
      "MEASURE is count, sum(x), mean(x), median(x), p90(x) or rate(a / b * "
      "100), each with where EXPR, of ENTITY and as NAME. --totals adds "
      "margins (_T); --summary prints cells, sum and sum of squares of each "
      "table. doc/tables.md has all of it. "
      "Of a campaign directory it counts the last version of every return of "
      "an area and writes the plan's tables, without records that a decision "
      "on duplicates dropped; JSON names the ledger heads, the plan and the "
      "program it was computed from. --values edited counts by what an edit of "
      "the campaign keeps (puan edit DIR) in the place of failing answers; the "
      "head of each table then says which values, by which edit, rule set and "
      "seed.",
      run_table,
      "汇总：按任意分组统计数据框、CSV 或普查项目，输出汇总表" },
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
