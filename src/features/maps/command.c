/*
 * puan map check, import, export.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/csv.h"
#include "base/json.h"
#include "features/host/args.h"
#include "features/maps/internal.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

/* A code of the tree: 0 when none is named. */
static enum puan_status area_of(int64_t *out, struct puan_store *st,
                                const char *code, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i;

    *out = 0;
    if (code == NULL)
        return PUAN_OK;
    i = t ? puan_area_find_digits(t, puan_str_of(code)) : PUAN_AREA_NONE;
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "--area", "no area %s here",
                         code);
    *out = t->area[i].code;
    return PUAN_OK;
}

static enum puan_status level_of(int *out, struct puan_store *st,
                                 const char *name, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);

    *out = -1;
    if (name == NULL)
        return PUAN_OK;
    *out = t ? puan_area_level_of(t, puan_str_of(name)) : -1;
    if (*out >= 0)
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, "--level", "the plan has no level %s",
                     name);
}

/* ---- check ---------------------------------------------------------------------- */

static void say_place(const struct puan_map_fault *f)
{
    if (f->placed)
        printf("  %d.%06d,%d.%06d", f->at.x / 1000000,
               abs(f->at.x) % 1000000, f->at.y / 1000000,
               abs(f->at.y) % 1000000);
}

static void say(const struct puan_area_tree *t, const struct puan_map_fault *f)
{
    printf("%s %s", puan_map_fault_zh(f->kind), puan_map_fault_name(f->kind));
    if (f->area != PUAN_AREA_NONE)
        printf("  %.*s %.*s", PUAN_FMT(t->area[f->area].digits),
               PUAN_FMT(t->area[f->area].zh));
    if (f->building != NULL)
        printf("  建筑物 building %.*s", PUAN_FMT(f->building->number));
    if (f->other != PUAN_AREA_NONE)
        printf("  %.*s %.*s", PUAN_FMT(t->area[f->other].digits),
               PUAN_FMT(t->area[f->other].zh));
    if (f->m2 > 0)
        printf("  %.0f m²", f->m2);
    say_place(f);
    putchar('\n');
}

static void say_check(const struct puan_ground *g,
                      const struct puan_map_check *c, double seconds)
{
    const struct puan_area_tree *t = g->tree;

    for (uint32_t i = 0; i < c->n; i++)
        say(t, &c->fault[i]);
    if (c->more > 0)
        printf("另有 and more: %u\n", c->more);
    for (unsigned i = 0; i < t->n_levels; i++)
        if (c->areas[i] > 0)
            printf("%.*s: %u 个，已绘 drawn %u%s\n", PUAN_FMT(t->level[i].zh),
                   c->areas[i], c->drawn[i],
                   c->drawn[i] > 0 ? "" : "，未检查 not checked");
    printf("界址点 points %llu，建筑物 buildings %llu，问题 faults %u，"
           "%.2f s\n",
           (unsigned long long)c->points, (unsigned long long)c->buildings,
           c->n + c->more, seconds);
}

static enum puan_status write_check(const struct puan_ground *g,
                                    const struct puan_map_check *c,
                                    const char *path, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "type", "FeatureCollection");
    puan_jw_key(&w, "features");
    puan_jw_list(&w);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct puan_map_fault *f = &c->fault[i];
        struct puan_out shape;

        puan_jw_map(&w);
        puan_jw_ktext(&w, "type", "Feature");
        puan_jw_key(&w, "properties");
        puan_map_fault_json(&w, g->tree, f, false, a);
        puan_jw_key(&w, "geometry");
        if (f->shape.n_rings > 0) {
            puan_out_init(&shape, a);
            puan_geo_json(&shape, &f->shape, 6);
            puan_jw_raw(&w, puan_out_view(&shape));
        } else if (f->placed) {
            puan_jw_map(&w);
            puan_jw_ktext(&w, "type", "Point");
            puan_jw_key(&w, "coordinates");
            puan_geo_position(&w, f->at);
            puan_jw_end(&w, '}');
        } else {
            puan_jw_null(&w);
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    if (puan_arena_check(a, err) != PUAN_OK)
        return PUAN_ENOMEM;
    return puan_file_write(path, puan_out_view(&o), 0644, err);
}

static int cmd_check(int argc, char **argv)
{
    const char *dir = NULL, *area = NULL, *level = NULL, *least = NULL,
               *out = NULL, *url = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },          { "--area", &area, NULL },
        { "--level", &level, NULL },   { "--least", &least, NULL },
        { "--geojson", &out, NULL },   { "--store", &url, NULL },
    };
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_map_check c = { 0 };
    struct puan_ground g;
    struct puan_err err = { 0 };
    struct puan_arena a;
    double m2 = 1;
    int64_t code;
    int at = -1;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || dir == NULL)
        return PUAN_EXIT_USAGE;
    if (least != NULL) {
        char *end;

        m2 = strtod(least, &end);
        if (*least == '\0' || *end != '\0' || !(m2 >= 0)) {
            fprintf(stderr, "puan: --least wants square metres\n");
            return PUAN_EXIT_USAGE;
        }
    }
    opt.url = url;
    puan_arena_init(&a, &puan_heap);
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK)
        st = area_of(&code, store, area, &err);
    if (st == PUAN_OK)
        st = level_of(&at, store, level, &err);
    if (st == PUAN_OK)
        st = puan_ground_load(&g, store, code, true, &a, &err);
    if (st == PUAN_OK) {
        clock_t begin = clock();

        st = puan_map_check(&c, &g, at, m2, &a, &err);
        if (st == PUAN_OK)
            say_check(&g, &c,
                      (double)(clock() - begin) / (double)CLOCKS_PER_SEC);
    }
    if (st == PUAN_OK && out != NULL)
        st = write_check(&g, &c, out, &a, &err);
    puan_store_close(store);
    puan_arena_clear(&a);
    if (st == PUAN_OK && c.n > 0)
        return PUAN_EXIT_FINDINGS;
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- import --------------------------------------------------------------------- */

static enum puan_status import_one(struct puan_store *store, const char *path,
                                   bool dry_run, struct puan_err *err)
{
    struct puan_act who = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line") };
    const char *base = strrchr(path, '/');
    struct puan_map_result r;
    struct puan_map map = { 0 };
    struct puan_arena a;
    bool buildings = false;
    enum puan_status st = puan_map_open(&map, path, err);

    if (st != PUAN_OK)
        return st;
    base = base ? base + 1 : path;
    puan_arena_init(&a, &puan_heap);
    buildings = puan_buildings_header(map.bytes);
    st = (buildings ? puan_buildings_import : puan_map_import)(
        &r, store, map.bytes, base, dry_run, &who, &a, err);
    if (st == PUAN_OK && buildings)
        printf("%s: 建筑物 buildings %llu, 小区 areas %llu", base,
               (unsigned long long)r.features, (unsigned long long)r.points);
    else if (st == PUAN_OK)
        printf("%s: 边界 boundaries of %.*s %llu, 界址点 points %llu", base,
               PUAN_FMT(r.level), (unsigned long long)r.features,
               (unsigned long long)r.points);
    if (st == PUAN_OK)
        puts(dry_run     ? "，未写入 nothing written"
             : r.written ? ""
                         : "，已导入过 imported before");
    puan_arena_clear(&a);
    puan_map_close(&map);
    return st;
}

static int cmd_import(int argc, char **argv)
{
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_err err = { 0 };
    const char *dir = NULL, *path[64];
    bool dry_run = false;
    size_t n = 0;
    enum puan_status st;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            dry_run = true;
        else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
            opt.url = argv[++i];
        else if (argv[i][0] == '-' || n == PUAN_COUNT(path))
            return PUAN_EXIT_USAGE;
        else if (dir == NULL)
            dir = argv[i];
        else
            path[n++] = argv[i];
    }
    if (n == 0)
        return PUAN_EXIT_USAGE;
    st = puan_store_open(&store, dir, &opt, &err);
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = import_one(store, path[i], dry_run, &err);
    puan_store_close(store);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- export ---------------------------------------------------------------------- */

static void put_boundaries(struct puan_out *o, const struct puan_ground *g,
                           unsigned level, struct puan_arena *a)
{
    bool first = true;

    puan_out_text(o, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (uint32_t i = g->top; i < g->end; i++) {
        const struct puan_area *x = &g->tree->area[i];
        struct puan_out line;
        struct puan_jw w;

        if (x->level != level || g->feature[i - g->top].n_rings == 0)
            continue;
        puan_out_init(&line, a);
        puan_jw_init(&w, &line);
        puan_jw_map(&w);
        puan_jw_ktext(&w, "type", "Feature");
        puan_jw_key(&w, "properties");
        puan_jw_map(&w);
        puan_jw_kstr(&w, "code", x->digits);
        puan_jw_kstr(&w, "name", x->zh);
        puan_jw_kstr(&w, "name_en", x->en);
        puan_jw_kstr(&w, "level", g->tree->level[level].name);
        puan_jw_ktext(&w, "kind", puan_area_kind_name(x->kind));
        puan_jw_end(&w, '}');
        puan_jw_key(&w, "geometry");
        {
            struct puan_out shape;

            puan_out_init(&shape, a);
            puan_geo_json(&shape, &g->feature[i - g->top], 6);
            puan_jw_raw(&w, puan_out_view(&shape));
        }
        puan_jw_end(&w, '}');
        puan_out_text(o, first ? "\n" : ",\n");
        puan_out_str(o, puan_out_view(&line));
        first = false;
    }
    puan_out_text(o, "\n]}\n");
}

static void put_degrees(struct puan_out *o, int32_t v)
{
    int64_t x = v < 0 ? -(int64_t)v : v;

    puan_out_fmt(o, "%s%lld.%06lld", v < 0 ? "-" : "",
                 (long long)(x / 1000000), (long long)(x % 1000000));
}

static void put_buildings(struct puan_out *o, const struct puan_ground *g)
{
    puan_out_text(o, "ea,building,lon,lat,kind,units\n");
    for (size_t i = 0; i < g->n_buildings; i++) {
        const struct puan_building *b = &g->building[i];

        puan_out_str(o, g->tree->area[b->area].digits);
        puan_out_char(o, ',');
        puan_csv_put_words(o, b->number);
        puan_out_char(o, ',');
        put_degrees(o, b->at.x);
        puan_out_char(o, ',');
        put_degrees(o, b->at.y);
        puan_out_char(o, ',');
        puan_csv_put_words(o, b->kind);
        puan_out_fmt(o, ",%u\n", b->units);
    }
}

static int cmd_export(int argc, char **argv)
{
    const char *dir = NULL, *what = NULL, *area = NULL, *out = NULL,
               *url = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },      { NULL, &what, NULL },
        { "--area", &area, NULL }, { "--out", &out, NULL },
        { "--store", &url, NULL },
    };
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_ground g;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;
    bool buildings;
    int64_t code;
    int level = -1;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || what == NULL ||
        out == NULL)
        return PUAN_EXIT_USAGE;
    buildings = strcmp(what, "buildings") == 0;
    opt.url = url;
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK)
        st = area_of(&code, store, area, &err);
    if (st == PUAN_OK && !buildings)
        st = level_of(&level, store, what, &err);
    if (st == PUAN_OK)
        st = puan_ground_load(&g, store, code, buildings, &a, &err);
    if (st == PUAN_OK && buildings)
        put_buildings(&o, &g);
    else if (st == PUAN_OK)
        put_boundaries(&o, &g, (unsigned)level, &a);
    if (st == PUAN_OK)
        st = puan_arena_check(&a, &err);
    if (st == PUAN_OK)
        st = puan_file_write(out, puan_out_view(&o), 0644, &err);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

const struct puan_command puan_map_commands[] = {
    { "map check",
      "DIR [--area CODE] [--level LEVEL] [--least M2] [--geojson FILE] "
      "[--store URL]",
      "Checks the boundaries and buildings of a campaign directory: areas "
      "without a boundary, borders that cross themselves, overlaps, gaps, "
      "ground beyond the area above, virtual areas with ground or a wrong "
      "number, buildings that stand in another area or in none. One line a "
      "fault with its place; --geojson writes them for a map. Ground of less "
      "than --least square metres (1) is no fault. Leaves with 1 when there "
      "are faults.",
      cmd_check, "检查边界：缺、重叠、空隙、越界、建筑物不在本区域" },
    { "map import", "DIR FILE... [--dry-run] [--store URL]",
      "Imports boundaries (.geojson, one file a level, property code) and "
      "buildings (CSV: ea building lon lat [kind units]). All of a file or "
      "none; a file of a level replaces that level, buildings replace those "
      "of the areas the file names.",
      cmd_import, "导入边界（GeoJSON）和建筑物（CSV）" },
    { "map export",
      "DIR LEVEL|buildings --out FILE [--area CODE] [--store URL]",
      "Writes the boundaries of a level as GeoJSON, or the buildings as CSV, "
      "as they are imported: what is exported can be mended elsewhere and "
      "imported again.",
      cmd_export, "导出边界（GeoJSON）或建筑物（CSV）" },
};
