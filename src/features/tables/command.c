/*
 * puan table over data: frame files and CSV; see tabulate.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/table/programme.h"
#include "features/check/lookup_csv.h"
#include "features/edit/layer.h"
#include "features/frame/campaign.h"
#include "features/tables/classes.h"
#include "features/frame/frames.h"
#include "features/host/args.h"
#include "features/store/store.h"
#include "features/tables/tabulate.h"
#include "features/tables/workbook.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/os/part.h"
#include "kit/yaml/yaml.h"

#define MANY 64
#define LINES 65536u /* cells of a table written by one thread at a time */
#define PROGRAMME_BYTES ((size_t)4 << 20)

enum format { FORMAT_CSV, FORMAT_XLSX, FORMAT_SDMX, FORMAT_JSON };

struct options {
    const char *data[MANY], *by[MANY], *let[MANY], *table[MANY], *rules[MANY],
        *lookup[MANY], *codes[MANY], *classes[MANY];
    size_t n_data, n_by, n_let, n_table, n_rules, n_lookup, n_codes, n_classes;
    const char *show, *where, *of, *programme, *out, *format, *values;
    struct puan_str note; /* of a campaign: which values */
    struct puan_frames_level level[PUAN_FRAME_ENTITIES];
    struct puan_str item[4 * MANY];
    size_t n_items;
    struct puan_frames_options frames;
    enum puan_tab_labels labels;
    enum format kind;
    unsigned threads;
    bool totals, summary, json, quiet, en;
};

const char puan_table_frames_usage[] =
    "DATA… --by DIM,…… [--show MEASURE,…] [--where EXPR] [--of ENTITY] "
    "[--let NAME=EXPR]… [--class ITEM=PACK:LIST]… [--rules FILE]… "
    "[--lookup NAME=FILE.csv]… [--level NAME=ITEM,…]… [--entity NAME] | "
    "DATA… --programme FILE [--table ID]… [--rules FILE]… "
    "[--lookup NAME=FILE.csv]… [--codes ITEM=FILE.csv]…   with [--out PATH] "
    "[--format csv|xlsx|sdmx|json] [--labels zh|en] [--totals] [--summary] "
    "[--lang zh|en] [--threads N] [--json] [--quiet]";

/* ---- options ---------------------------------------------------------------
 */

static const char *level(struct options *o, struct puan_str v)
{
    struct puan_frames_level *l = &o->level[o->frames.n_levels];
    struct puan_str item;

    if (o->frames.n_levels == PUAN_COUNT(o->level) - 1)
        return "too many levels";
    if (!puan_str_split(&l->name, &v, '=') || l->name.n == 0 || !v.p)
        return "a level is NAME=ITEM,ITEM…";
    l->item = &o->item[o->n_items];
    l->n_items = 0;
    while (puan_str_split(&item, &v, ',')) {
        if (o->n_items == PUAN_COUNT(o->item))
            return "too many items";
        o->item[o->n_items++] = puan_str_trim(item);
        l->n_items++;
    }
    o->frames.n_levels++;
    return NULL;
}

static const char *put(const char **list, size_t *n, const char *v)
{
    if (*n == MANY)
        return "too many of them";
    list[(*n)++] = v;
    return NULL;
}

static const char *language(bool *en, const char *v)
{
    *en = strcmp(v, "en") == 0;
    return *en || strcmp(v, "zh") == 0 ? NULL : "is zh or en";
}

static const char *value(struct options *o, const char *a, const char *v)
{
    const char *bad;
    int64_t n;
    bool en;

    if (strcmp(a, "--by") == 0)
        return put(o->by, &o->n_by, v);
    if (strcmp(a, "--let") == 0)
        return put(o->let, &o->n_let, v);
    if (strcmp(a, "--rules") == 0)
        return put(o->rules, &o->n_rules, v);
    if (strcmp(a, "--codes") == 0)
        return strchr(v, '=') ? put(o->codes, &o->n_codes, v)
                              : "is ITEM=FILE.csv";
    if (strcmp(a, "--lookup") == 0)
        return strchr(v, '=') ? put(o->lookup, &o->n_lookup, v)
                              : "is NAME=FILE.csv";
    if (strcmp(a, "--class") == 0)
        return put(o->classes, &o->n_classes, v);
    if (strcmp(a, "--table") == 0)
        return put(o->table, &o->n_table, v);
    if (strcmp(a, "--level") == 0)
        return level(o, puan_str_of(v));
    if (strcmp(a, "--labels") == 0) {
        bad = language(&en, v);
        o->labels = en ? PUAN_TAB_EN : PUAN_TAB_ZH;
        return bad;
    }
    if (strcmp(a, "--lang") == 0)
        return language(&o->en, v);
    if (strcmp(a, "--entity") == 0) {
        o->frames.entity = puan_str_of(v);
    } else if (strcmp(a, "--missing") == 0) {
        o->frames.missing = puan_str_of(v);
    } else if (strcmp(a, "--threads") == 0) {
        if (!puan_int_parse(&n, puan_str_of(v)) || n < 1 || n > 64)
            return "--threads is 1 to 64";
        o->threads = o->frames.threads = (unsigned)n;
    } else {
        const char **text = strcmp(a, "--show") == 0        ? &o->show
                            : strcmp(a, "--where") == 0     ? &o->where
                            : strcmp(a, "--of") == 0        ? &o->of
                            : strcmp(a, "--programme") == 0 ? &o->programme
                            : strcmp(a, "--out") == 0       ? &o->out
                            : strcmp(a, "-o") == 0          ? &o->out
                            : strcmp(a, "--format") == 0    ? &o->format
                            : strcmp(a, "--values") == 0    ? &o->values
                                                            : NULL;

        if (text == NULL)
            return "unknown option; puan help table lists them";
        *text = v;
    }
    return NULL;
}

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n > m && strcmp(s + n - m, tail) == 0;
}

static const char *format(struct options *o)
{
    const char *f = o->format;

    if (f == NULL && o->out)
        f = ends(o->out, ".xlsx") ? "xlsx" : ends(o->out, ".json") ? "json"
                                                                   : "csv";
    if (f == NULL)
        f = o->json ? "json" : "csv";
    o->kind = strcmp(f, "xlsx") == 0   ? FORMAT_XLSX
              : strcmp(f, "sdmx") == 0 ? FORMAT_SDMX
              : strcmp(f, "json") == 0 ? FORMAT_JSON
                                       : FORMAT_CSV;
    if (o->kind == FORMAT_CSV && strcmp(f, "csv") != 0)
        return "--format is csv, xlsx, sdmx or json";
    if (o->kind == FORMAT_XLSX && o->out == NULL)
        return "--format xlsx needs --out FILE.xlsx";
    return NULL;
}

static bool flag(struct options *o, const char *a)
{
    bool *f = strcmp(a, "--totals") == 0    ? &o->totals
              : strcmp(a, "--summary") == 0 ? &o->summary
              : strcmp(a, "--json") == 0    ? &o->json
              : strcmp(a, "--quiet") == 0   ? &o->quiet
                                            : NULL;

    if (f)
        *f = true;
    return f != NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "table";

    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            bad = put(o->data, &o->n_data, argv[i]);
        } else if (flag(o, argv[i])) {
            continue;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && o->n_data == 0) {
        at = "table";
        bad = "name a frame file, CSV files or a campaign directory";
    }
    if (!bad && !o->programme && o->n_by == 0 && o->show == NULL) {
        at = "table";
        bad = "--by, --show or --programme says what to count";
    }
    if (!bad && o->programme && (o->n_by || o->show || o->where || o->of)) {
        at = "--programme";
        bad = "the file says what to count; --by, --show, --where and --of do "
              "not go with it";
    }
    if (!bad) {
        at = "table";
        bad = format(o);
    }
    if (!bad && o->values) {
        at = "--values";
        if (strcmp(o->values, "edited") != 0 &&
            strcmp(o->values, "collected") != 0)
            bad = "is collected or edited";
        else if (o->n_data != 1 || !puan_dir_exists(o->data[0]))
            bad = "is of a campaign directory; puan edit --clean writes files "
                  "again with edited values";
    }
    if (!bad && puan_file_among(o->out, o->data, o->n_data))
        bad = "the output would take the place of the data it is made of";
    o->frames.level = o->level;
    o->frames.quiet = o->quiet;
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* ---- the programme ---------------------------------------------------------
 */

static enum puan_status lets(struct puan_tab_programme *p,
                             const struct options *o, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_tab_variable *v =
        puan_new_n(a, p->n_variables + o->n_let, struct puan_tab_variable);

    if (v == NULL)
        return puan_arena_check(a, err);
    if (p->n_variables)
        memcpy(v, p->variable, p->n_variables * sizeof(*v));
    for (size_t i = 0; i < o->n_let; i++) {
        struct puan_str name, text = puan_str_of(o->let[i]);
        struct puan_tab_by by;
        enum puan_status st;

        if (!puan_str_split(&name, &text, '=') || text.p == NULL ||
            puan_str_trim(name).n == 0)
            return puan_fail(err, PUAN_EINVAL, "--let",
                             "a variable is NAME=EXPRESSION");
        st = puan_tab_by_parse(&by, text, "--let", 0, a, err);
        if (st != PUAN_OK)
            return st;
        v[p->n_variables + i] = (struct puan_tab_variable){
            .name = puan_str_trim(name), .text = by.text, .bands = by.bands
        };
    }
    p->variable = v;
    p->n_variables += o->n_let;
    return PUAN_OK;
}

static enum puan_status shows(struct puan_tab_table *t, const char *text,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_tab_show *s = puan_new_n(a, PUAN_TAB_SHOWS, struct puan_tab_show);
    struct puan_str rest = puan_str_of(text ? text : "count"), part;

    t->show = s;
    while (s && puan_tab_part(&part, &rest)) {
        enum puan_status st;

        if (t->n_show == PUAN_TAB_SHOWS)
            return puan_fail(err, PUAN_EINVAL, "--show", "too many measures");
        st = puan_tab_show_parse(&s[t->n_show], part, s, t->n_show, "--show", 0,
                                 a, err);
        if (st != PUAN_OK)
            return st;
        t->n_show++;
    }
    return puan_arena_check(a, err);
}

static enum puan_status one_table(struct puan_tab_table *t, size_t i,
                                  const struct options *o, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_tab_by *by = puan_new_n(a, PUAN_TAB_DIMS + 1,
                                        struct puan_tab_by);
    struct puan_str rest = puan_str_of(i < o->n_by ? o->by[i] : ""), part;
    enum puan_status st = PUAN_OK;

    *t = (struct puan_tab_table){
        .id = puan_str_of(puan_arena_fmt(a, "t%zu", i + 1)),
        .of = puan_str_of(o->of),
        .where = puan_str_of(o->where),
        .totals = o->totals,
        .by = by,
        .file = "--where",
    };
    while (by && st == PUAN_OK && rest.n && puan_tab_part(&part, &rest)) {
        if (t->n_by == PUAN_TAB_DIMS)
            return puan_fail(err, PUAN_EINVAL, "--by",
                             "a table has at most %d dimensions",
                             PUAN_TAB_DIMS);
        st = puan_tab_by_parse(&by[t->n_by++], part, "--by", 0, a, err);
    }
    if (st == PUAN_OK)
        st = shows(t, o->show, a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* The tables named, in the order of the file. */
static enum puan_status choose(struct puan_tab_programme *p,
                               const struct options *o, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_tab_table *t = puan_new_n(a, p->n_tables,
                                          struct puan_tab_table);
    size_t n = 0;

    if (t == NULL || o->n_table == 0)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < p->n_tables; i++)
        for (size_t k = 0; k < o->n_table; k++)
            if (puan_str_is(p->table[i].id, o->table[k])) {
                t[n++] = p->table[i];
                break;
            }
    if (n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "--table",
                         "the programme has no table '%s'", o->table[0]);
    p->table = t;
    p->n_tables = n;
    return PUAN_OK;
}

static enum puan_status from_file(struct puan_tab_programme *p,
                                  struct options *o, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_str text;
    struct puan_node *tree;
    struct puan_tab_file file;
    enum puan_status st =
        puan_file_read(&text, o->programme, PROGRAMME_BYTES, a, err);

    if (st == PUAN_OK)
        st = puan_yaml_tree(&tree, text, o->programme, a, err);
    if (st == PUAN_OK)
        st = puan_tab_file_read(&file, tree, a, err);
    if (st != PUAN_OK)
        return st;
    *p = file.programme;
    if (o->frames.entity.n == 0)
        o->frames.entity = file.entity;
    if (o->frames.n_levels == 0)
        for (size_t i = 0; i < file.n_levels &&
                           o->frames.n_levels < PUAN_COUNT(o->level) - 1;
             i++)
            o->level[o->frames.n_levels++] = (struct puan_frames_level){
                file.level[i].name, file.level[i].item, file.level[i].n_items
            };
    return choose(p, o, a, err);
}

static enum puan_status from_options(struct puan_tab_programme *p,
                                     const struct options *o,
                                     struct puan_arena *a, struct puan_err *err)
{
    size_t n = o->n_by ? o->n_by : 1;
    struct puan_tab_table *t = puan_new_n(a, n, struct puan_tab_table);
    enum puan_status st = puan_arena_check(a, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = one_table(&t[i], i, o, a, err);
    *p = (struct puan_tab_programme){ .table = t, .n_tables = n };
    return st;
}

/* The data of every table the texts declare, and of no other. */
static enum puan_status read_lookups(struct puan_derive_texts *texts,
                                     const struct options *o,
                                     const struct puan_frame *f,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_decls decls = { 0 };
    struct puan_lookup *list;
    enum puan_status st = puan_rule_declared(&decls, texts->text, texts->file,
                                             texts->n, a, err);
    bool known[MANY] = { false };

    if (st != PUAN_OK)
        return st;
    list = puan_new_n(a, decls.n_tables + 1, struct puan_lookup);
    if (!list)
        return puan_arena_check(a, err);
    for (size_t t = 0; st == PUAN_OK && t < decls.n_tables; t++) {
        const struct puan_rule_table *d = &decls.table[t];
        const char *path = NULL;

        for (size_t i = 0; i < o->n_lookup; i++) {
            struct puan_str name, rest = puan_str_of(o->lookup[i]);

            puan_str_split(&name, &rest, '=');
            if (!puan_str_eq(name, d->name))
                continue;
            known[i] = true;
            path = strchr(o->lookup[i], '=') + 1;
        }
        if (!path)
            return puan_fail_at(err, PUAN_EINVAL, d->file, d->line, d->col,
                                "table '%.*s' has no data: give it with "
                                "--lookup %.*s=FILE.csv",
                                PUAN_FMT(d->name), PUAN_FMT(d->name));
        st = puan_lookup_csv(&list[t], d, path, f, a, err);
    }
    for (size_t i = 0; st == PUAN_OK && i < o->n_lookup; i++)
        if (!known[i])
            return puan_fail(err, PUAN_EINVAL, "--lookup",
                             "'%s': no rule text of --rules declares that "
                             "table (table NAME by ITEM, … gives COLUMN, …)",
                             o->lookup[i]);
    texts->lookups = list;
    texts->n_lookups = decls.n_tables;
    return st;
}

static enum puan_status read_rules(struct puan_derive_texts *out,
                                   const struct options *o,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_str *text = puan_new_n(a, o->n_rules, struct puan_str);
    enum puan_status st = puan_arena_check(a, err);

    for (size_t i = 0; st == PUAN_OK && i < o->n_rules; i++)
        st = puan_file_read(&text[i], o->rules[i], PROGRAMME_BYTES, a, err);
    *out = (struct puan_derive_texts){ .text = text, .file = o->rules,
                                       .n = o->n_rules };
    return st;
}

/* ---- writing ---------------------------------------------------------------
 */

struct lines { /* a view of a table as text, by all cores */
    const struct puan_tab_view *v;
    const struct options *o;
    struct puan_arena *arena;
    struct puan_out *out; /* by range */
};

static enum puan_status write_lines(void *arg, uint64_t begin, uint64_t end,
                                    unsigned w, struct puan_err *err)
{
    struct lines *l = arg;
    struct puan_out *o = &l->out[begin / LINES];

    puan_out_init(o, &l->arena[w]);
    if (l->o->kind == FORMAT_SDMX)
        puan_tab_sdmx_rows(o, l->v, begin, end);
    else
        puan_tab_csv_rows(o, l->v, begin, end, l->o->labels);
    return puan_arena_check(&l->arena[w], err);
}

static enum puan_status write_view(FILE *to, const struct puan_tab_view *v,
                                   const struct options *o,
                                   struct puan_err *err)
{
    struct puan_arena arena[64];
    uint64_t n = v->cells->n, ranges = n / LINES + 1;
    struct lines l = { v, o, arena, calloc(ranges, sizeof(*l.out)) };
    unsigned threads = o->threads ? o->threads : puan_cores();
    enum puan_status st = PUAN_OK;

    if (l.out == NULL)
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    if (threads > PUAN_COUNT(arena))
        threads = PUAN_COUNT(arena);
    for (unsigned i = 0; i < threads; i++)
        puan_arena_init(&arena[i], &puan_heap_large);
    if (n)
        st = puan_parallel(threads, n, LINES, write_lines, &l, err);
    for (uint64_t i = 0; st == PUAN_OK && i < ranges; i++)
        if (l.out[i].n && fwrite(l.out[i].p, 1, l.out[i].n, to) != l.out[i].n)
            st = puan_part_fault(err, o->out ? o->out : "standard output",
                                 errno ? errno : ENOSPC);
    for (unsigned i = 0; i < threads; i++)
        puan_arena_clear(&arena[i]);
    free(l.out);
    return st;
}

/* The cells, then (with totals) every margin, the finest first. */
static enum puan_status write_text(FILE *to, const struct puan_tab_result *r,
                                   const struct options *o,
                                   struct puan_arena *a, struct puan_err *err)
{
    uint64_t all = ((uint64_t)1 << r->n_dims) - 1;
    struct puan_out head;
    enum puan_status st = PUAN_OK;

    puan_out_init(&head, a);
    if (o->kind == FORMAT_SDMX)
        puan_tab_sdmx_head(&head, r);
    else
        puan_tab_csv_head(&head, r, o->labels);
    fwrite(head.p, 1, head.n, to);
    st = write_view(to, &(struct puan_tab_view){ r, r, all }, o, err);
    for (uint64_t k = all; st == PUAN_OK && r->table->totals && k > 0; k--) {
        struct puan_tab_result m;

        st = puan_tab_margin(&m, r, k - 1, a, err);
        if (st == PUAN_OK)
            st = write_view(to, &(struct puan_tab_view){ r, &m, k - 1 }, o,
                            err);
    }
    return st;
}

static enum puan_status write_table(FILE *to, const struct puan_tab_result *r,
                                    const struct options *o,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_out text;
    struct puan_jw w;

    if (o->kind != FORMAT_JSON)
        return write_text(to, r, o, a, err);
    puan_out_init(&text, a);
    puan_jw_init(&w, &text);
    puan_tab_json(&w, r);
    puan_out_char(&text, '\n');
    fwrite(text.p, 1, text.n, to);
    return puan_arena_check(a, err);
}

/* Written beside, named when whole. */
static enum puan_status write_file(const char *path,
                                   const struct puan_tab_result *r,
                                   const struct options *o,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_part part;
    enum puan_status st =
        puan_part_open(&part, path, PUAN_PART_ANY, 0666, err);
    FILE *f;

    if (st != PUAN_OK)
        return st;
    f = fopen(part.at, "wb");
    if (f == NULL) {
        st = puan_part_fault(err, path, errno);
        puan_part_drop(&part);
        return st;
    }
    st = write_table(f, r, o, a, err);
    errno = ENOSPC; /* what a stream does not say is mostly that */
    if (st == PUAN_OK && (fflush(f) != 0 || ferror(f)))
        st = puan_part_fault(err, path, errno);
    if (fclose(f) != 0 && st == PUAN_OK)
        st = puan_part_fault(err, path, errno);
    if (st == PUAN_OK)
        return puan_part_keep(&part, false, err);
    puan_part_drop(&part);
    return st;
}

static enum puan_status summary(struct puan_tabulation *t,
                                const struct puan_tab_programme *p,
                                const struct options *o, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (o->json)
        fputs("[", stdout);
    for (size_t i = 0; st == PUAN_OK && i < p->n_tables; i++) {
        struct puan_tab_check c;

        st = puan_tabulation_check(&c, t, i, err);
        if (st != PUAN_OK)
            break;
        if (o->json)
            printf("%s{\"id\":\"%.*s\",\"cells\":%" PRIu64 ",\"sum\":%" PRIu64
                   ",\"squares\":%" PRIu64 "}",
                   i ? "," : "", PUAN_FMT(p->table[i].id), c.cells, c.rows,
                   c.squares);
        else
            printf("%.*s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
                   PUAN_FMT(p->table[i].id), c.cells, c.rows, c.squares);
    }
    if (o->json)
        fputs("]\n", stdout);
    return st;
}

static const char *extension(const struct options *o)
{
    return o->kind == FORMAT_JSON ? "json"
           : o->kind == FORMAT_SDMX ? "sdmx.csv"
                                    : "csv";
}

static enum puan_status write_all(struct puan_tabulation *t,
                                  const struct puan_tab_programme *p,
                                  const struct options *o, struct puan_err *err)
{
    bool folder = o->out && o->kind != FORMAT_XLSX &&
                  (p->n_tables > 1 || puan_dir_exists(o->out));
    struct puan_workbook *book = NULL;
    enum puan_status st = PUAN_OK;

    if (folder)
        st = puan_dir_make(o->out, err);
    if (st == PUAN_OK && o->kind == FORMAT_XLSX)
        st = puan_workbook_open(&book, o->out, p, o->en, err);
    for (size_t i = 0; st == PUAN_OK && i < p->n_tables; i++) {
        struct puan_tab_result r;
        struct puan_arena a;

        puan_arena_init(&a, &puan_heap_large);
        st = puan_tabulation_result(&r, t, i, &a, err);
        if (st != PUAN_OK) {
            puan_arena_clear(&a);
            break;
        }
        if (book)
            st = puan_workbook_add(book, &r, &a, err);
        else if (folder)
            st = write_file(puan_arena_fmt(&a, "%s/%.*s.%s", o->out,
                                           PUAN_FMT(p->table[i].id),
                                           extension(o)),
                            &r, o, &a, err);
        else if (o->out)
            st = write_file(o->out, &r, o, &a, err);
        else {
            if (p->n_tables > 1 && o->kind != FORMAT_JSON)
                printf("%s# %.*s\n", i ? "\n" : "", PUAN_FMT(p->table[i].id));
            st = write_table(stdout, &r, o, &a, err);
        }
        puan_arena_clear(&a);
    }
    if (book)
        st = puan_workbook_close(book, st == PUAN_OK, err) == PUAN_OK
                 ? st
                 : err->code;
    if (st == PUAN_OK && o->out && !o->quiet)
        fprintf(stderr, "汇总表 %zu 张，写入 %s  %zu tables written\n",
                p->n_tables, o->out, p->n_tables);
    return st;
}

/* ---- the command -----------------------------------------------------------
 */

static size_t edited(const void *ctx, struct puan_record *r, int64_t household,
                     int64_t ret)
{
    return puan_edit_values_apply(ctx, r, household, ret);
}

/* Frames and CSV as they are; of a campaign the returns of now. */
static enum puan_status load(struct puan_frames **out, struct options *o,
                             struct puan_arena *keep, struct puan_err *err)
{
    struct puan_edit_values *values = NULL;
    const struct puan_store_options so = { .readonly = true, .no_writers = true };
    struct puan_frames_campaign_options opt = { .threads = o->threads };
    struct puan_frames_campaign_told told;
    struct puan_store *store = NULL;
    struct puan_frames_codes codes[MANY];
    struct puan_arena a;
    enum puan_status st;

    o->frames.unchecked = true; /* counting checks the levels it uses */
    if (o->n_data != 1 || !puan_dir_exists(o->data[0])) {
        if (o->n_codes > 0)
            return puan_fail(err, PUAN_EINVAL, "--codes",
                             "codes are given to the answers of a campaign; "
                             "of a file take its own column");
        return puan_frames_load(out, o->data, o->n_data, &o->frames, err);
    }
    puan_arena_init(&a, puan_os_alloc());
    st = puan_store_open(&store, o->data[0], &so, err);
    for (size_t i = 0; st == PUAN_OK && i < o->n_codes; i++)
        st = puan_frames_codes_read(&codes[opt.n_codes++], o->codes[i],
                                    puan_store_plan(store), &a, err);
    opt.codes = codes;
    if (st == PUAN_OK)
        st = puan_table_values(&values, &o->note, store, o->values, keep,
                               err);
    if (values) {
        opt.values = edited;
        opt.values_ctx = values;
        opt.values_name = o->note;
    }
    if (st == PUAN_OK)
        st = puan_frames_campaign(out, &told, store, &opt, err);
    puan_edit_values_close(values);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st;
}

bool puan_table_is_campaign(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--by") == 0 || strcmp(argv[i], "--show") == 0 ||
            strcmp(argv[i], "--programme") == 0)
            return false; /* any table, not the plan's own */
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && puan_dir_exists(argv[i]) &&
            strcmp(argv[i - 1], "--out") != 0 && strcmp(argv[i - 1], "-o") != 0)
            return true;
    return false;
}

/* The programme again, its tables with a note in the head. */
static enum puan_status noted(struct puan_tab_programme *p,
                              struct puan_str note, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_tab_table *t = puan_new_n(a, p->n_tables,
                                          struct puan_tab_table);

    if (t == NULL)
        return puan_arena_check(a, err);
    memcpy(t, p->table, p->n_tables * sizeof(*t));
    for (size_t i = 0; i < p->n_tables; i++)
        t[i].note = note;
    p->table = t;
    return PUAN_OK;
}

int puan_table_frames(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof(*o));
    struct puan_tab_programme p = { 0 };
    struct puan_tabulation *t = NULL;
    struct puan_frames *frames = NULL;
    struct puan_derive_texts texts = { 0 };
    struct puan_err err = { 0 };
    struct puan_arena a;
    enum puan_status st;

    if (o == NULL)
        return PUAN_EXIT_SYSTEM;
    if (!parse(o, argc, argv)) {
        free(o);
        return PUAN_EXIT_USAGE;
    }
    puan_progress_quiet(o->quiet || o->json);
    puan_arena_init(&a, puan_os_alloc());
    st = o->programme ? from_file(&p, o, &a, &err)
                      : from_options(&p, o, &a, &err);
    if (st == PUAN_OK)
        st = lets(&p, o, &a, &err);
    if (st == PUAN_OK)
        st = load(&frames, o, &a, &err);
    for (size_t i = 0; st == PUAN_OK && i < o->n_classes; i++)
        st = puan_classes_add(&p, puan_frames_frame(frames), o->classes[i], &a,
                              &err);
    if (st == PUAN_OK && o->note.n)
        st = noted(&p, o->note, &a, &err);
    if (st == PUAN_OK)
        st = read_rules(&texts, o, &a, &err);
    if (st == PUAN_OK && (o->n_lookup > 0 || o->n_rules > 0))
        st = read_lookups(&texts, o, puan_frames_frame(frames), &a, &err);
    if (st == PUAN_OK)
        st = puan_tabulate(&t, puan_frames_frame(frames), &p, &texts,
                           o->threads, &err);
    if (st == PUAN_OK)
        st = o->summary ? summary(t, &p, o, &err) : write_all(t, &p, o, &err);
    if (st == PUAN_OK && fflush(stdout) != 0)
        st = puan_part_fault(&err, "standard output", errno);
    puan_tabulation_close(t);
    puan_frames_close(frames);
    puan_arena_clear(&a);
    free(o);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_verb_fail("table", &err);
}
