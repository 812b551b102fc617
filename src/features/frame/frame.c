/*
 * puan frame: makes a frame from CSV, shows what one holds, writes it out as
 * CSV again.
 */
#include "features/frame/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "features/frame/internal.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define MANY 256

struct options {
    const char *out, *show;
    const char *data[MANY];
    size_t n_data;
    struct puan_frames_level level[PUAN_FRAME_ENTITIES];
    struct puan_str item[MANY], skip[MANY], token[MANY];
    size_t n_items;
    struct puan_frames_options frames;
    bool json, quiet;
};

static const char usage[] =
    "DATA… [-o FRAME] [--level NAME=ITEM,…]… [--entity NAME] [--skip ITEM]… "
    "[--token ITEM]… [--missing TEXT] [--threads N] [--json] [--quiet]";

static int fail(const struct puan_err *err)
{
    fprintf(stderr, "puan frame: %s", err->where);
    if (err->line)
        fprintf(stderr, ":%u", err->line);
    if (err->line && err->col)
        fprintf(stderr, ":%u", err->col);
    fprintf(stderr, "%s%s\n", err->where[0] ? ": " : "", err->text);
    switch (err->code) {
    case PUAN_EINVAL:
    case PUAN_ENOTFOUND:
    case PUAN_ECONFLICT:
    case PUAN_ELIMIT:
    case PUAN_EIO:
        return PUAN_EXIT_INPUT;
    case PUAN_EDENIED:
        return PUAN_EXIT_REFUSED;
    case PUAN_OK:
    case PUAN_EBUSY:
    case PUAN_ENOMEM:
    case PUAN_EBUG:
        break;
    }
    return PUAN_EXIT_SYSTEM;
}

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
    } else if (strcmp(a, "--threads") == 0) {
        if (!puan_int_parse(&n, puan_str_of(v)) || n < 1 || n > 64)
            return "--threads is 1 to 64";
        o->frames.threads = (unsigned)n;
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "frame";

    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (o->n_data == MANY)
                bad = "too many files";
            else
                o->data[o->n_data++] = argv[i];
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            o->quiet = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && o->n_data == 0) {
        at = "frame";
        bad = "name a CSV or frame file";
    }
    o->frames.skip = o->skip;
    o->frames.token = o->token;
    o->frames.level = o->level;
    o->frames.digest = true;
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

static int run(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof(*o));
    struct puan_frames *f = NULL;
    struct puan_err err = { 0 };
    uint64_t moved = 0;
    enum puan_status st;
    int code = PUAN_EXIT_DONE;

    if (!o)
        return PUAN_EXIT_SYSTEM;
    if (!parse(o, argc, argv)) {
        free(o);
        return PUAN_EXIT_USAGE;
    }
    puan_progress_quiet(o->quiet || o->json);
    if (o->out)
        st = puan_frames_make(&f, o->out, o->data, o->n_data, &o->frames,
                              &moved, &err);
    else
        st = puan_frames_load(&f, o->data, o->n_data, &o->frames, &err);
    if (st == PUAN_OK) {
        const struct puan_frame *fr = puan_frames_frame(f);

        for (size_t i = 0; i < fr->n_entities; i++)
            printf("%.*s %" PRIu64 "\n", PUAN_FMT(fr->entity[i].name), fr->entity[i].rows);
    }
    if (st != PUAN_OK)
        code = fail(&err);
    puan_frames_close(f);
    free(o);
    return code;
}

static const struct puan_command commands[] = {
    { "frame", usage,
      "Makes a frame (narrow coded columns, ready to be mapped) from CSV "
      "files of the same header.",
      run, "把 CSV 做成可直接映射的窄列数据框" },
};

const struct puan_feature puan_feature_frame = {
    .name = "frame",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
