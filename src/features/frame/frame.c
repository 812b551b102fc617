/*
 * puan frame: makes a frame from CSV, shows what one holds, writes it out as
 * CSV again.  puan duplicates: rows that are the same.
 */
#include "features/host/args.h"
#include "features/frame/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/frame/campaign.h"
#include "features/frame/doubt.h"
#include "features/frame/show.h"
#include "features/store/store.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define MANY 256

struct options {
    const char *out, *csv, *on, *show_items;
    const char *data[MANY];
    size_t n_data;
    struct puan_frames_level level[PUAN_FRAME_ENTITIES];
    struct puan_str item[MANY], skip[MANY], token[MANY], digits[MANY],
        form[MANY];
    size_t n_forms;
    int64_t area;
    const char *before, *store; /* of a campaign */
    const char *codes[MANY];
    size_t n_codes;
    size_t n_items;
    struct puan_str rows; /* entity */
    struct puan_frames_options frames;
    bool json, quiet, show, zh, duplicates;
};

static const char frame_usage[] =
    "DATA…|CAMPAIGN [-o FRAME] [--show] [--csv FILE [--rows ENTITY]] "
    "[--area CODE] [--form ID]… [--codes ITEM=FILE.csv]… [--before FRAME] [--store URL] "
    "[--level NAME=ITEM,…]… [--entity NAME] [--skip ITEM]… [--token ITEM]… "
    "[--digits ITEM]… [--missing TEXT] [--threads N] [--lang zh|en] [--json] "
    "[--quiet]";
static const char duplicates_usage[] =
    "DATA… --on ITEM,… [--rows ENTITY] [--out FILE [--list ITEM,…]] "
    "[--token ITEM]… [--threads N] [--lang zh|en] [--json] [--quiet]";

/* NAME=ITEM,ITEM… ; NULL when it is fine, else what is wrong. */
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
        if (o->n_items == MANY)
            return "too many items";
        o->item[o->n_items++] = puan_str_trim(item);
        l->n_items++;
    }
    o->frames.n_levels++;
    return NULL;
}

static const char *value(struct options *o, const char *a, const char *v)
{
    int64_t n;

    if (strcmp(a, "-o") == 0 || strcmp(a, "--out") == 0) {
        o->out = v;
    } else if (strcmp(a, "--csv") == 0) {
        o->csv = v;
    } else if (strcmp(a, "--rows") == 0) {
        o->rows = puan_str_of(v);
    } else if (o->duplicates && strcmp(a, "--on") == 0) {
        o->on = v;
    } else if (o->duplicates && strcmp(a, "--list") == 0) {
        o->show_items = v;
    } else if (strcmp(a, "--level") == 0) {
        return level(o, puan_str_of(v));
    } else if (strcmp(a, "--entity") == 0) {
        o->frames.entity = puan_str_of(v);
    } else if (strcmp(a, "--missing") == 0) {
        o->frames.missing = puan_str_of(v);
    } else if (strcmp(a, "--skip") == 0 || strcmp(a, "--token") == 0) {
        bool skip = strcmp(a, "--skip") == 0;
        size_t *k = skip ? &o->frames.n_skip : &o->frames.n_token;

        if (*k == MANY)
            return "too many of them";
        (skip ? o->skip : o->token)[(*k)++] = puan_str_of(v);
    } else if (!o->duplicates && strcmp(a, "--digits") == 0) {
        if (o->frames.n_digits == MANY)
            return "too many of them";
        o->digits[o->frames.n_digits++] = puan_str_of(v);
    } else if (!o->duplicates && strcmp(a, "--area") == 0) {
        if (!puan_int_parse(&o->area, puan_str_of(v)) || o->area < 1)
            return "--area is the code of an area";
    } else if (!o->duplicates && strcmp(a, "--form") == 0) {
        if (o->n_forms == MANY)
            return "too many forms";
        o->form[o->n_forms++] = puan_str_of(v);
    } else if (!o->duplicates && strcmp(a, "--codes") == 0) {
        if (o->n_codes == MANY || !strchr(v, '='))
            return "--codes is ITEM=FILE.csv";
        o->codes[o->n_codes++] = v;
    } else if (!o->duplicates && strcmp(a, "--before") == 0) {
        o->before = v;
    } else if (!o->duplicates && strcmp(a, "--store") == 0) {
        o->store = v;
    } else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        if (!o->zh && strcmp(v, "en") != 0)
            return "--lang is zh or en";
    } else if (strcmp(a, "--threads") == 0) {
        if (!puan_int_parse(&n, puan_str_of(v)) || n < 1 || n > 64)
            return "--threads is 1 to 64";
        o->frames.threads = (unsigned)n;
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool flag(struct options *o, const char *a)
{
    if (strcmp(a, "--json") == 0)
        return o->json = true;
    if (strcmp(a, "--quiet") == 0)
        return o->quiet = true;
    if (strcmp(a, "--show") == 0 && !o->duplicates)
        return o->show = true;
    return false;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = argv[0];

    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (o->n_data == MANY)
                bad = "too many files";
            else
                o->data[o->n_data++] = argv[i];
        } else if (flag(o, argv[i])) {
            continue;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    at = bad ? at : o->duplicates ? "duplicates" : "frame";
    if (!bad && o->n_data == 0)
        bad = "name a CSV or frame file";
    if (!bad && o->duplicates && !o->on)
        bad = "--on ITEM,… says which items are to be the same";
    if (!bad && (puan_file_among(o->out, o->data, o->n_data) ||
                 puan_file_among(o->csv, o->data, o->n_data)))
        bad = "the output would take the place of the data it is made of";
    o->frames.skip = o->skip;
    o->frames.token = o->token;
    o->frames.digits = o->digits;
    o->frames.level = o->level;
    if (!bad) {
        puan_progress_quiet(o->quiet || o->json);
        return true;
    }
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* The entity asked for; the file's own when none is. */
static enum puan_status entity_of(const struct puan_frame_entity **out,
                                  const struct options *o,
                                  const struct puan_frame *f,
                                  struct puan_err *err)
{
    int i = o->rows.n ? puan_frame_entity(f, o->rows) : (int)f->n_entities - 1;

    if (i < 0)
        return puan_fail(err, PUAN_ENOTFOUND, "--rows",
                         "the frame has no entity %.*s", PUAN_FMT(o->rows));
    *out = &f->entity[i];
    return PUAN_OK;
}

/* ---- frame ------------------------------------------------------------------------ */

static void summary(const struct options *o, const struct puan_frame *f,
                    uint64_t moved, int64_t ms)
{
    const struct puan_frame_entity *own = &f->entity[f->n_entities - 1];
    double seconds = (double)(ms > 0 ? ms : 1) / 1000;
    int64_t size = puan_file_size(o->out);

    for (size_t i = 0; i < f->n_entities; i++)
        printf("%.*s %" PRIu64 "\n", PUAN_FMT(f->entity[i].name),
               f->entity[i].rows);
    if (moved)
        printf(o->zh ? "%" PRIu64 " 行不在所属层级处，已按层级重排\n"
                     : "%" PRIu64 " rows did not stand with those of their "
                       "level and were moved\n",
               moved);
    printf(o->zh ? "%s: %" PRId64 " 字节, %.2f 秒, 每秒 %.1f 百万行, 内存 %" PRId64
                   " MiB\n"
                 : "%s: %" PRId64 " bytes, %.2f s, %.1f million rows/s, memory "
                   "%" PRId64 " MiB\n",
           o->out, size, seconds, (double)own->rows / seconds / 1e6,
           puan_os_peak_kib() / 1024);
}

static enum puan_status tell(const struct options *o, struct puan_frames *f,
                             struct puan_err *err)
{
    const struct puan_frame *fr = puan_frames_frame(f);
    struct puan_arena a;
    struct puan_out out;
    enum puan_status st = PUAN_OK;

    if (!o->json) {
        puan_frame_show(stdout, fr, o->zh);
        return PUAN_OK;
    }
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&out, &a);
    st = puan_frame_show_json(&out, fr);
    if (st == PUAN_OK)
        printf("%.*s\n", PUAN_FMT(puan_out_view(&out)));
    else
        (void)puan_fail(err, st, "frame", "out of memory");
    puan_arena_clear(&a);
    return st;
}

/* A campaign's returns; tells on stderr how they were come by. */
static enum puan_status from_campaign(struct options *o,
                                      struct puan_frames **f,
                                      struct puan_err *err)
{
    struct puan_frames_campaign_options opt = { .area = o->area,
                                                .form = o->form,
                                                .n_forms = o->n_forms,
                                                .threads = o->frames.threads };
    const struct puan_store_options so = {
        .readonly = true,
        .url = o->store && strcmp(o->store, "sqlite") != 0 ? o->store : NULL
    };
    struct puan_frames_campaign_told told;
    struct puan_frames *before = NULL;
    struct puan_frames_codes codes[MANY];
    struct puan_store *store = NULL;
    struct puan_arena a;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, &puan_heap);
    if (o->before)
        st = puan_frames_load(&before, &o->before, 1, NULL, err);
    if (st == PUAN_OK)
        st = puan_store_open(&store, o->data[0], &so, err);
    for (size_t i = 0; st == PUAN_OK && i < o->n_codes; i++)
        st = puan_frames_codes_read(&codes[opt.n_codes++], o->codes[i],
                                    puan_store_plan(store), &a, err);
    opt.codes = codes;
    if (st == PUAN_OK && before)
        opt.before = puan_frames_frame(before);
    if (st == PUAN_OK)
        st = puan_frames_campaign(f, &told, store, &opt, err);
    if (st == PUAN_OK && !o->quiet && !o->json)
        fprintf(stderr,
                "puan frame: %" PRIu64 " returns read, %" PRIu64
                " taken over from before, %" PRIu64
                " records left out by decision\n",
                told.returns, told.taken_over, told.dropped);
    puan_store_close(store);
    puan_arena_clear(&a);
    if (st == PUAN_OK && o->out)
        st = puan_frames_write(*f, o->out, err);
    else if (st == PUAN_OK)
        st = puan_frames_digest(*f, err);
    puan_frames_close(before);
    return st;
}

static enum puan_status frame(struct options *o, struct puan_frames **f,
                              struct puan_err *err)
{
    const struct puan_frame_entity *e = NULL;
    int64_t began = puan_monotonic_ms();
    uint64_t moved = 0;
    enum puan_status st;

    o->frames.digest = true;
    if (o->n_data == 1 && puan_dir_exists(o->data[0]))
        st = from_campaign(o, f, err);
    else if (o->out)
        st = puan_frames_make(f, o->out, o->data, o->n_data, &o->frames,
                              &moved, err);
    else
        st = puan_frames_load(f, o->data, o->n_data, &o->frames, err);
    if (st == PUAN_OK && !o->quiet)
        puan_frames_warn("frame", *f, o->data, o->n_data, &o->frames);
    if (st == PUAN_OK && o->out && !o->show && !o->json)
        summary(o, puan_frames_frame(*f), moved, puan_monotonic_ms() - began);
    if (st == PUAN_OK && o->csv) {
        st = entity_of(&e, o, puan_frames_frame(*f), err);
        if (st == PUAN_OK)
            st = puan_frame_to_csv(o->csv, e, o->frames.threads, err);
    }
    if (st == PUAN_OK && (o->show || o->json || (!o->out && !o->csv)))
        st = tell(o, *f, err);
    return st;
}

static int frame_run(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof(*o));
    struct puan_frames *f = NULL;
    struct puan_err err = { 0 };
    int code = PUAN_EXIT_DONE;

    if (!o)
        return PUAN_EXIT_SYSTEM;
    o->zh = true;
    if (!parse(o, argc, argv))
        code = PUAN_EXIT_USAGE;
    else if (frame(o, &f, &err) != PUAN_OK)
        code = puan_verb_fail("frame", &err);
    puan_frames_close(f);
    free(o);
    return code;
}

/* ---- duplicates --------------------------------------------------------------------- */

/* Indexes of items named with commas between. */
static enum puan_status items_of(int *item, size_t *n, const char *names,
                                 const struct puan_frame_entity *e,
                                 struct puan_err *err)
{
    struct puan_str rest = puan_str_of(names), name;

    *n = 0;
    while (puan_str_split(&name, &rest, ',')) {
        name = puan_str_trim(name);
        if (*n == 32)
            return puan_fail(err, PUAN_ELIMIT, names, "too many items");
        item[*n] = puan_frame_item(e, name);
        if (item[*n] < 0)
            return puan_fail(err, PUAN_ENOTFOUND, names, "%.*s has no item %.*s",
                             PUAN_FMT(e->name), PUAN_FMT(name));
        ++*n;
    }
    return PUAN_OK;
}

/* row,group and items of the rows found; rows from 1 as in the file. */
static enum puan_status list(const struct options *o,
                             const struct puan_frame_entity *e,
                             const struct puan_frames_twice *t, const int *on,
                             size_t n_on, struct puan_err *err)
{
    struct puan_sheet_out *out = NULL;
    struct puan_arena a;
    int item[32];
    size_t n = n_on;
    enum puan_status st = PUAN_OK;

    memcpy(item, on, n_on * sizeof(*on));
    if (o->show_items)
        st = items_of(item, &n, o->show_items, e, err);
    if (st == PUAN_OK)
        st = puan_sheet_create(&out, o->out, err);
    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, &puan_heap);
    puan_sheet_put_text(out, "row");
    puan_sheet_put_text(out, "group");
    for (size_t k = 0; k < n; k++)
        puan_sheet_put(out, e->item[item[k]].name);
    puan_sheet_end_row(out);
    for (uint64_t i = 0; i < t->n; i++) {
        struct puan_out line;

        puan_arena_reset(&a);
        puan_out_init(&line, &a);
        puan_out_fmt(&line, "%llu,%u", (unsigned long long)t->row[i] + 1,
                     t->group[i] + 1);
        for (size_t k = 0; k < n; k++) {
            puan_out_char(&line, ',');
            puan_frames_text(&line, &e->item[item[k]], t->row[i]);
        }
        puan_out_char(&line, '\n');
        puan_sheet_put_raw(out, puan_out_view(&line));
    }
    st = puan_arena_check(&a, err);
    puan_arena_clear(&a);
    if (st == PUAN_OK)
        return puan_sheet_finish(out, err);
    puan_sheet_abandon(out);
    return st;
}

static enum puan_status duplicates(struct options *o, struct puan_frames **f,
                                   uint64_t *found, struct puan_err *err)
{
    const struct puan_frame_entity *e = NULL;
    struct puan_frames_twice t = { .n = 0 };
    int64_t began = puan_monotonic_ms(), ms;
    int item[32];
    size_t n = 0;
    enum puan_status st;

    o->frames.unchecked = true; /* columns of one entity: no levels */
    st = puan_frames_load(f, o->data, o->n_data, &o->frames, err);

    if (st == PUAN_OK)
        st = entity_of(&e, o, puan_frames_frame(*f), err);
    if (st == PUAN_OK)
        st = items_of(item, &n, o->on, e, err);
    if (st == PUAN_OK)
        st = puan_frames_duplicates(&t, e, item, n, o->frames.threads, err);
    if (st == PUAN_OK && o->out)
        st = list(o, e, &t, item, n, err);
    ms = puan_monotonic_ms() - began;
    *found = t.n;
    if (st == PUAN_OK && o->json)
        printf("{\"rows\":%" PRIu64 ",\"absent\":%" PRIu64
               ",\"groups\":%" PRIu64 ",\"in_groups\":%" PRIu64
               ",\"milliseconds\":%" PRId64 "}\n",
               e->rows, t.absent, t.groups, t.n, ms);
    else if (st == PUAN_OK)
        printf(o->zh ? "%" PRIu64 " 行中 %" PRIu64 " 行与他行相同，共 %" PRIu64
                       " 组；%" PRIu64 " 行未填；%" PRId64 ".%03" PRId64
                       " 秒\n"
                     : "of %" PRIu64 " rows %" PRIu64
                       " are there more than once, in %" PRIu64
                       " groups; %" PRIu64 " not given; %" PRId64 ".%03" PRId64
                       " s\n",
               e->rows, t.n, t.groups, t.absent, ms / 1000, ms % 1000);
    free(t.row);
    free(t.group);
    return st;
}

static int duplicates_run(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof(*o));
    struct puan_frames *f = NULL;
    struct puan_err err = { 0 };
    uint64_t found = 0;
    int code = PUAN_EXIT_DONE;

    if (!o)
        return PUAN_EXIT_SYSTEM;
    o->zh = o->duplicates = true;
    if (!parse(o, argc, argv))
        code = PUAN_EXIT_USAGE;
    else if (duplicates(o, &f, &found, &err) != PUAN_OK)
        code = puan_verb_fail("duplicates", &err);
    else if (found)
        code = PUAN_EXIT_FINDINGS;
    puan_frames_close(f);
    free(o);
    return code;
}

static const struct puan_command commands[] = {
    { "frame", frame_usage,
      "Makes a frame (narrow coded columns, ready to be mapped) from CSV, "
      "shows what one holds, or writes one as CSV again. DATA is one frame "
      "file, or CSV files of the same header whose rows follow one another, or "
      "a campaign directory: then the last version of every return (--area of "
      "an area, --form of a form) becomes rows of the area levels, the "
      "household or unit and its rosters; --before takes over what has not "
      "changed since that frame was made. Of a CSV file, "
      "what a column holds is found out from all of its values. -o writes the "
      "frame; without it, or with --show, the codebook is told (--json for "
      "machines); --csv writes the rows of an entity. --level puts a level "
      "above the rows by items that are equal throughout, outermost first: "
      "--level ea=region,township,ea --level household=hhid; rows that do not "
      "stand together are moved, and how many is told. --skip leaves a column "
      "out, --token keeps 64 bits of a digest of its texts, --digits takes a "
      "column of numbers for codes of areas or the like, all as long, "
      "--missing names a text that means no answer.",
      frame_run, "把 CSV 做成可直接映射的窄列数据框，并列出其码本" },
    { "duplicates", duplicates_usage,
      "Finds rows that are the same in some items, exactly. DATA is a frame "
      "file or CSV files; --on names the items. Rows in which one of them is "
      "not given are counted apart and are the same as none. --out lists the "
      "rows found, in their order: row (from 1), group, and the items of "
      "--list (of --on without it). Exit code 1 when there are any.",
      duplicates_run, "查找某些项目完全相同的行" },
};

const struct puan_feature puan_feature_frame = {
    .name = "frame",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
