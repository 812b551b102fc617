/*
 * The register of samples from the command line: puan sample draw DIR, verify
 * DIR, list, results, export.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/host.h"
#include "features/sample/register.h"
#include "features/sample/roll.h"
#include "features/sample/sample.h"
#include "kit/os/heap.h"

static struct puan_act by_operator(void)
{
    return (struct puan_act){ .actor = PUAN_STR("operator"),
                              .seat = PUAN_STR("command line") };
}

static int ended(struct puan_store *st, struct puan_arena *a,
                 enum puan_status rc, const struct puan_err *err, int code)
{
    puan_store_close(st);
    puan_arena_clear(a);
    return rc == PUAN_OK ? code : puan_sample_fail(err);
}

static int usage(const char *at, const char *bad)
{
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return PUAN_EXIT_USAGE;
}

/* Writes a text to a file, or to standard output for "-". */
static enum puan_status put(const char *path, struct puan_str text,
                            struct puan_err *err)
{
    if (!path)
        return PUAN_OK;
    if (strcmp(path, "-") != 0)
        return puan_file_write(path, text, 0644, err);
    fwrite(text.p, 1, text.n, stdout);
    return fflush(stdout) == 0
               ? PUAN_OK
               : puan_fail(err, PUAN_EIO, "-", "cannot be written");
}

/* ---- draw -----------------------------------------------------------------
 */

static enum puan_status area_wanted(int64_t *area, const char *said,
                                    struct puan_store *st, struct puan_err *err)
{
    *area = puan_area_top(st);
    if (said && (!puan_int_parse(area, puan_str_of(said)) || *area < 0))
        return puan_fail(err, PUAN_EINVAL, "--area",
                         "\"%s\" is no code of an area", said);
    return PUAN_OK;
}

static void tell_draw(const struct puan_draw_options *o,
                      const struct puan_sample_row *row,
                      const struct puan_node *record)
{
    const struct puan_node *drawn = puan_node_get(record, "selection");
    const struct puan_node *frame = puan_node_get(record, "frame");

    if (o->json) {
        printf("{\"sample\":%lld,\"record\":%.*s}\n", (long long)row->id,
               PUAN_FMT(row->record));
        return;
    }
    if (o->quiet)
        return;
    printf("抽样登记 sample %lld: %.*s, 地区 area %lld\n"
           "抽中 drawn %.*s, 种子 seed \"%.*s\"\n"
           "抽样框 frame %.*s\n抽中单位 selection %.*s\n",
           (long long)row->id, PUAN_FMT(row->purpose), (long long)row->area,
           PUAN_FMT(puan_node_str_opt(drawn, "rows", "")),
           PUAN_FMT(puan_node_str_opt(record, "seed", "")),
           PUAN_FMT(puan_node_str_opt(frame, "digest", "")),
           PUAN_FMT(puan_node_str_opt(drawn, "digest", "")));
}

int puan_register_draw_command(const struct puan_draw_options *o)
{
    struct puan_store_options opt = { .readonly = false };
    struct puan_store *st = NULL;
    struct puan_sample_row row = { 0 };
    struct puan_node *record = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_act act = by_operator();
    int64_t area = 0, id = 0;
    enum puan_status rc;

    if (o->n_paths != 1)
        return usage(o->path[0], "a campaign directory stands alone");
    if (!o->purpose)
        return usage("--purpose",
                     "is needed: long-form, inspection or post-enumeration");
    puan_arena_init(&a, &puan_heap);
    rc = puan_store_open(&st, o->path[0], &opt, &err);
    if (rc == PUAN_OK)
        rc = area_wanted(&area, o->area, st, &err);
    if (rc == PUAN_OK)
        rc = puan_register_draw(&id, st, &act, area, puan_str_of(o->purpose),
                                puan_str_of(o->note), o, &a, &err);
    if (rc == PUAN_OK)
        rc = puan_register_read(&row, st, id, &a, &err);
    if (rc == PUAN_OK)
        rc = puan_json_tree(&record, row.record, "record", &a, &err);
    if (rc == PUAN_OK)
        rc = put(o->out, row.drawn, &err);
    if (rc == PUAN_OK)
        rc = put(o->record, row.record, &err);
    if (rc == PUAN_OK && !(o->out && strcmp(o->out, "-") == 0))
        tell_draw(o, &row, record);
    return ended(st, &a, rc, &err, PUAN_EXIT_DONE);
}

/* ---- verify ----------------------------------------------------------------
 */

static const char *same(bool yes)
{
    return yes ? "与记录一致 as recorded" : "与记录不一致 NOT as recorded";
}

int puan_register_verify_command(const char *dir, const char *id, bool json,
                                 bool quiet)
{
    struct puan_register_verdict v = { 0 };
    struct puan_store *st = NULL;
    struct puan_sample_row row;
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status rc;
    bool fine;

    puan_arena_init(&a, &puan_heap);
    rc = puan_register_open(&st, &row, dir, id, &a, &err);
    if (rc == PUAN_OK)
        rc = puan_register_verify(&v, st, &row, &a, &err);
    fine = v.frame_same && v.drawn_same && v.kept_same;
    if (rc == PUAN_OK && json)
        printf("{\"frame\":%s,\"selection\":%s,\"kept\":%s,\"rows\":%" PRIu64
               ",\"added\":%" PRIu64 ",\"gone\":%" PRIu64 "}\n",
               v.frame_same ? "true" : "false", v.drawn_same ? "true" : "false",
               v.kept_same ? "true" : "false", v.rows, v.added, v.gone);
    else if (rc == PUAN_OK && !quiet)
        printf("抽样框 frame: %s\n重新抽取 drawn again: %s (%" PRIu64 ")\n"
               "登记的名单 list kept: %s\n"
               "底册此后 roll since: +%" PRIu64 " −%" PRIu64 "\n",
               same(v.frame_same), same(v.drawn_same), v.rows,
               same(v.kept_same), v.added, v.gone);
    return ended(st, &a, rc, &err, fine ? PUAN_EXIT_DONE : PUAN_EXIT_FINDINGS);
}

/* ---- list ------------------------------------------------------------------
 */

static enum puan_status each(bool json, struct puan_store *st,
                             struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = true, first = true;
    enum puan_status rc = puan_read_begin(&db, office, err);

    if (rc != PUAN_OK)
        return rc;
    rc = puan_sql(&s, db,
                  "SELECT id, area, purpose, at, record, (SELECT COUNT(*) FROM"
                  " sample_result r WHERE r.sample = sample.id) FROM sample"
                  " ORDER BY id",
                  err);
    if (rc == PUAN_OK && json)
        printf("[");
    while (rc == PUAN_OK && (rc = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        struct puan_str record = puan_col_text(s, 4);
        struct puan_node *tree = NULL;
        struct puan_arena a;

        puan_arena_init(&a, &puan_heap);
        rc = puan_json_tree(&tree, record, "record", &a, err);
        if (rc == PUAN_OK && json)
            printf("%s{\"sample\":%lld,\"area\":\"%lld\",\"purpose\":\"%.*s\","
                   "\"results\":%lld,\"record\":%.*s}",
                   first ? "" : ",\n", (long long)puan_col_int(s, 0),
                   (long long)puan_col_int(s, 1), PUAN_FMT(puan_col_text(s, 2)),
                   (long long)puan_col_int(s, 5), PUAN_FMT(record));
        else if (rc == PUAN_OK)
            printf("%4lld  %-16.*s %12lld  %.*s  抽中 drawn %.*s  %s\n",
                   (long long)puan_col_int(s, 0), PUAN_FMT(puan_col_text(s, 2)),
                   (long long)puan_col_int(s, 1),
                   PUAN_FMT(puan_node_str_opt(tree, "drawn_at", "")),
                   PUAN_FMT(puan_node_str_opt(puan_node_get(tree, "selection"),
                                              "rows", "")),
                   puan_col_int(s, 5) ? "有观测 observed" : "");
        first = false;
        puan_arena_clear(&a);
    }
    if (json)
        printf("]\n");
    puan_stmt_done(s);
    puan_read_end(office, db);
    return rc;
}

int puan_register_list(int argc, char **argv)
{
    struct puan_store_options opt = { .readonly = true, .no_writers = true };
    struct puan_store *st = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    const char *dir = NULL;
    bool json = false;
    enum puan_status rc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-')
            return usage(argv[i], "unknown option");
        else if (dir)
            return usage(argv[i], "one campaign directory");
        else
            dir = argv[i];
    }
    if (!dir)
        return usage("sample list", "a campaign directory is needed");
    puan_arena_init(&a, &puan_heap);
    rc = puan_store_open(&st, dir, &opt, &err);
    if (rc == PUAN_OK)
        rc = each(json, st, &err);
    return ended(st, &a, rc, &err, PUAN_EXIT_DONE);
}

/* ---- results
 * ----------------------------------------------------------------- */

int puan_register_load(int argc, char **argv)
{
    struct puan_store_options opt = { .readonly = false };
    struct puan_store *st = NULL;
    struct puan_sample_row row = { 0 };
    struct puan_str csv = { "", 0 };
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_act act = by_operator();
    const char *name;
    int64_t id = 0;
    uint64_t rows = 0;
    enum puan_status rc;

    if (argc != 4 || argv[1][0] == '-')
        return usage("sample results",
                     "a campaign directory, the number of a draw, and a CSV");
    name = strrchr(argv[3], '/') ? strrchr(argv[3], '/') + 1 : argv[3];
    puan_arena_init(&a, &puan_heap);
    rc = puan_int_parse(&id, puan_str_of(argv[2])) && id > 0
             ? PUAN_OK
             : puan_fail(&err, PUAN_EINVAL, argv[2],
                         "is no number of a draw; puan sample list %s tells "
                         "them",
                         argv[1]);
    if (rc == PUAN_OK)
        rc = puan_file_read(&csv, argv[3], 1u << 30, &a, &err);
    if (rc == PUAN_OK)
        rc = puan_store_open(&st, argv[1], &opt, &err);
    if (rc == PUAN_OK)
        rc = puan_register_read(&row, st, id, &a, &err);
    if (rc == PUAN_OK)
        rc = puan_register_results(&rows, st, &act, &row, name, csv, &a, &err);
    if (rc == PUAN_OK)
        printf("%s: 行 rows %" PRIu64 "\n", name, rows);
    return ended(st, &a, rc, &err, PUAN_EXIT_DONE);
}

/* ---- export
 * ------------------------------------------------------------------ */

int puan_register_export(int argc, char **argv)
{
    const char *path[2] = { NULL, NULL }, *frame = NULL, *record = NULL,
               *out = NULL;
    struct puan_store *st = NULL;
    struct puan_sample_row row = { 0 };
    struct puan_str csv = { "", 0 };
    struct puan_arena a;
    struct puan_err err = { 0 };
    size_t n = 0;
    enum puan_status rc;

    for (int i = 1; i < argc; i++) {
        const char **to =
            strcmp(argv[i], "--frame") == 0    ? &frame
            : strcmp(argv[i], "--record") == 0 ? &record
            : strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--out") == 0
                ? &out
                : NULL;

        if (to && i + 1 < argc)
            *to = argv[++i];
        else if (argv[i][0] == '-' || n == 2)
            return usage(argv[i], "needs a value or is unknown");
        else
            path[n++] = argv[i];
    }
    if (n != 2 || (!frame && !record && !out))
        return usage("sample export",
                     "a campaign directory, the number of a draw, and at least "
                     "one of --frame, --record, -o");
    puan_arena_init(&a, &puan_heap);
    rc = puan_register_open(&st, &row, path[0], path[1], &a, &err);
    if (rc == PUAN_OK && frame)
        rc = puan_register_frame(&csv, st, &row, &a, &err);
    if (rc == PUAN_OK)
        rc = put(frame, csv, &err);
    if (rc == PUAN_OK)
        rc = put(record, row.record, &err);
    if (rc == PUAN_OK)
        rc = put(out, row.drawn, &err);
    return ended(st, &a, rc, &err, PUAN_EXIT_DONE);
}
