/*
 * puan sample, puan sample verify: a draw over a frame or CSV, its record, and
 * the same draw again.
 */
#include "features/sample/draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/sample/register.h"
#include "features/sample/sample.h"
#include "kit/crypto/crypto.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/os/part.h"
#include "kit/sheet/sheet.h"

/* ---- options
 * ------------------------------------------------------------------ */

static const char *level(struct puan_draw_options *o, const char *text)
{
    struct puan_frames_level *l = &o->level[o->frames.n_levels];
    struct puan_str v = puan_str_of(text), item;

    if (o->frames.n_levels == PUAN_COUNT(o->level) - 1)
        return "too many levels";
    if (!puan_str_split(&l->name, &v, '=') || l->name.n == 0 || !v.p)
        return "a level is NAME=ITEM,ITEM…";
    l->item = &o->item[o->n_items];
    l->n_items = 0;
    while (puan_str_split(&item, &v, ',')) {
        if (o->n_items == PUAN_DRAW_MANY)
            return "too many items";
        o->item[o->n_items++] = puan_str_trim(item);
        l->n_items++;
    }
    o->frames.n_levels++;
    return NULL;
}

static const char *method(enum puan_drawing *out, const char *v)
{
    static const char *const names[] = { "simple", "systematic", "every",
                                         "pps" };

    for (unsigned i = 0; i < PUAN_COUNT(names); i++)
        if (strcmp(v, names[i]) == 0) {
            *out = (enum puan_drawing)i;
            return NULL;
        }
    return "one of simple, systematic, every, pps";
}

static const char *number(uint32_t *out, const char *v)
{
    int64_t n;

    if (!puan_int_parse(&n, puan_str_of(v)) || n < 1 || n >= UINT32_MAX)
        return "a whole number from 1";
    *out = (uint32_t)n;
    return NULL;
}

/* What decides the draw; NULL when fine, "?" when it is no such option. */
static const char *deciding(struct puan_draw_options *o, const char *a,
                            const char *v)
{
    struct puan_select *s = &o->select;
    const struct {
        const char *name;
        const char **to;
    } texts[] = { { "--unit", &s->unit },       { "--within", &s->within },
                  { "--strata", &s->strata },   { "--size", &s->size },
                  { "--columns", &s->columns }, { "--allocate", &s->allocate },
                  { "--takes", &s->takes } };
    const struct {
        const char *name;
        uint32_t *to;
    } numbers[] = {
        { "--take", &s->take },           { "--take-each", &s->take_each },
        { "--every", &s->every },         { "--least", &s->least },
        { "--then-take", &s->then_take }, { "--then-every", &s->then_every }
    };

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    for (size_t i = 0; i < PUAN_COUNT(numbers); i++)
        if (strcmp(a, numbers[i].name) == 0)
            return number(numbers[i].to, v);
    if (strcmp(a, "--level") == 0)
        return level(o, v);
    if (strcmp(a, "--entity") == 0) {
        o->frames.entity = puan_str_of(v);
    } else if (strcmp(a, "--draw") == 0) {
        return method(&s->method, v);
    } else if (strcmp(a, "--then") == 0) {
        return method(&s->then, v);
    } else if (strcmp(a, "--seed") == 0) {
        s->seed = puan_str_of(v);
    } else if (strcmp(a, "--digest") == 0) {
        s->digest = puan_digest_by_name(puan_str_of(v));
        if (!s->digest)
            return "sm3 or sha256";
    } else if (strcmp(a, "--rate") == 0) {
        int64_t millionths;

        if (!puan_fixed_parse(&millionths, puan_str_of(v), 6) ||
            millionths < 1 || millionths > 1000000)
            return "a share above 0 up to 1, six decimals at most";
        s->rate_num = (uint32_t)millionths;
        s->rate_den = 1000000;
    } else {
        return "?";
    }
    return NULL;
}

static const char *value(struct puan_draw_options *o, const char *a,
                         const char *v)
{
    const char *bad = deciding(o, a, v);
    int64_t n;

    if (!bad || strcmp(bad, "?") != 0) {
        if (o->n_said + 2 > PUAN_COUNT(o->said))
            return "too many options";
        o->said[o->n_said++] = a;
        o->said[o->n_said++] = v;
        return bad;
    }
    if (strcmp(a, "--out") == 0 || strcmp(a, "-o") == 0) {
        o->out = v;
    } else if (strcmp(a, "--record") == 0) {
        o->record = v;
    } else if (strcmp(a, "--area") == 0) {
        o->area = v;
    } else if (strcmp(a, "--purpose") == 0) {
        o->purpose = v;
    } else if (strcmp(a, "--note") == 0) {
        o->note = v;
    } else if (strcmp(a, "--threads") == 0) {
        if (!puan_int_parse(&n, puan_str_of(v)) || n < 1 || n > 64)
            return "--threads is 1 to 64";
        o->frames.threads = (unsigned)n;
    } else {
        return "unknown option";
    }
    return NULL;
}

/* Whether the numbers wanted fit the method; NULL when they do. */
static const char *fits(const struct puan_select *s)
{
    int ways = (s->take > 0) + (s->take_each > 0) + (s->rate_den > 0) +
               (s->every > 0) + (s->takes != NULL);

    if (s->seed.n == 0)
        return "--seed is needed: publish it before the draw";
    if (ways != 1)
        return "one of --take, --take-each, --rate, --every, --takes is needed";
    if ((s->method == PUAN_EVERY) != (s->every > 0))
        return "--draw every goes with --every";
    if ((s->method == PUAN_PPS) != (s->size != NULL))
        return "--draw pps goes with --size";
    if (s->within && !s->then_take == !s->then_every)
        return "--within needs --then-take or --then-every";
    if (!s->within && (s->then_take || s->then_every))
        return "--then-take and --then-every need --within";
    if (s->then == PUAN_PPS)
        return "--then is simple, systematic or every";
    return NULL;
}

const char *puan_draw_parse(struct puan_draw_options *o, const char **at,
                            int argc, char **argv)
{
    const char *bad = NULL;

    *o =
        (struct puan_draw_options){ .frames = { .digest = true },
                                    .select = { .method = PUAN_SYSTEMATIC,
                                                .then = PUAN_SYSTEMATIC,
                                                .digest = puan_digest_sm3() } };
    o->frames.level = o->level;
    for (int i = 1; i < argc && !bad; i++) {
        *at = argv[i];
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (o->n_paths == PUAN_DRAW_MANY)
                bad = "too many files";
            else
                o->path[o->n_paths++] = argv[i];
        } else if (strcmp(*at, "--json") == 0) {
            o->json = true;
        } else if (strcmp(*at, "--quiet") == 0) {
            o->quiet = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (bad)
        return bad;
    *at = "sample";
    o->frames.quiet = o->quiet || o->json;
    if (o->n_paths == 0)
        return "at least one file is needed";
    bad = fits(&o->select);
    if (!bad && (puan_file_among(o->out, o->path, o->n_paths) ||
                 puan_file_among(o->record, o->path, o->n_paths)))
        bad = "the output would take the place of the data it is made of";
    return bad;
}

static bool usable(const char *at, const char *bad)
{
    if (bad)
        fprintf(stderr, "puan: %s: %s\n", at, bad);
    return !bad;
}

/* ---- the record
 * ---------------------------------------------------------------- */

void puan_draw_record(struct puan_jw *w, const struct puan_draw_options *o,
                      const struct puan_frame *f, struct puan_str source,
                      const struct puan_drawn_rows *d, int64_t at_ms,
                      int offset_minutes)
{
    puan_jw_map(w);
    puan_jw_ktext(w, "record", "puan sample 1");
    puan_jw_ktext(w, "version", PUAN_VERSION);
    puan_jw_kinstant(w, "drawn_at", at_ms, offset_minutes);
    puan_jw_kstr(w, "seed", o->select.seed);
    puan_jw_ktext(w, "digest", o->select.digest->name);
    puan_jw_key(w, "options");
    puan_jw_list(w);
    for (size_t i = 0; i < o->n_said; i++)
        puan_jw_text(w, o->said[i]);
    puan_jw_end(w, ']');
    puan_jw_key(w, "frame");
    puan_jw_map(w);
    puan_jw_kstr(w, "source", source);
    puan_jw_kdigest(w, "digest", f->digest);
    puan_jw_key(w, "rows");
    puan_jw_map(w);
    for (size_t e = 0; e < f->n_entities; e++) {
        puan_jw_key_s(w, f->entity[e].name);
        puan_jw_int(w, (int64_t)f->entity[e].rows);
    }
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    puan_jw_key(w, "strata");
    puan_jw_list(w);
    for (size_t s = 0; s < d->n_strata; s++) {
        const struct puan_stratum_drawn *x = &d->stratum[s];

        puan_jw_map(w);
        puan_jw_kstr(w, "stratum", x->label);
        puan_jw_kint(w, "units", x->units);
        puan_jw_kint(w, "taken", x->take);
        if (o->select.method == PUAN_PPS) {
            puan_jw_kint(w, "size", (int64_t)x->size);
            puan_jw_kint(w, "certain", x->certain);
        }
        if (o->select.within)
            puan_jw_kint(w, "second_taken", (int64_t)x->second);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "selection");
    puan_jw_map(w);
    puan_jw_kint(w, "rows", (int64_t)d->rows);
    puan_jw_kdigest(w, "digest", d->digest);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
}

static void print_text(FILE *to, const struct puan_draw_options *o,
                       const struct puan_drawn_rows *d)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, d->digest, PUAN_DIGEST_SIZE);
    fprintf(to,
            "抽中 drawn: %" PRIu64
            " 行 rows, %zu 层 strata, 种子 seed \"%.*s\"\n"
            "%s: %s\n",
            d->rows, d->n_strata, PUAN_FMT(o->select.seed),
            o->select.digest->name, hex);
    for (size_t s = 0; s < d->n_strata && s < 20; s++)
        fprintf(to, "  %-16.*s %10u / %u%s\n", PUAN_FMT(d->stratum[s].label),
                d->stratum[s].take, d->stratum[s].units,
                d->stratum[s].certain ? " (certain units)" : "");
    if (d->n_strata > 20)
        fprintf(to, "  …\n");
}

static enum puan_status deliver(const struct puan_draw_options *o,
                                const struct puan_frame *f,
                                const struct puan_drawn_rows *d,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_str all = { d->csv, d->n }, text;
    struct puan_out out;
    struct puan_jw w;
    enum puan_status st = PUAN_OK;

    if (o->out && strcmp(o->out, "-") == 0) {
        fwrite(d->csv, 1, d->n, stdout);
        if (fflush(stdout) != 0)
            st = puan_part_fault(err, "standard output", errno);
    } else if (o->out) {
        st = puan_file_write(o->out, all, 0644, err);
    }
    puan_out_init(&out, a);
    puan_jw_init(&w, &out);
    puan_draw_record(&w, o, f, f->source, d, puan_os_now_ms(), 480);
    puan_out_char(&out, '\n');
    text = puan_out_view(&out);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK && o->record)
        st = puan_file_write(o->record, text, 0644, err);
    if (st == PUAN_OK && o->json)
        printf("%.*s", PUAN_FMT(text));
    else if (st == PUAN_OK && !o->quiet)
        print_text(o->out && strcmp(o->out, "-") == 0 ? stderr : stdout, o, d);
    return st;
}

/* ---- the commands
 * ---------------------------------------------------------------- */

enum puan_status puan_draw_rows(struct puan_drawn_rows *d,
                                struct puan_frames **f,
                                const struct puan_draw_options *o,
                                struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st =
        puan_frames_load(f, o->path, o->n_paths, &o->frames, err);

    if (st == PUAN_OK)
        st = puan_select(d, puan_frames_frame(*f), &o->select, a, err);
    return st;
}

int puan_sample_draw(int argc, char **argv)
{
    struct puan_draw_options o;
    struct puan_frames *f = NULL;
    struct puan_drawn_rows d = { 0 };
    struct puan_err err = { 0 };
    struct puan_arena a;
    const char *at = "sample", *bad = puan_draw_parse(&o, &at, argc, argv);
    enum puan_status st;

    if (!bad && puan_dir_exists(o.path[0]))
        return puan_register_draw_command(&o);
    if (!bad && (o.area || o.purpose || o.note)) {
        at = o.path[0];
        bad = "--area, --purpose and --note are of a campaign directory";
    }
    if (!usable(at, bad))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&a, &puan_heap);
    st = puan_draw_rows(&d, &f, &o, &a, &err);
    if (st == PUAN_OK)
        st = deliver(&o, puan_frames_frame(f), &d, &a, &err);
    puan_drawn_clear(&d);
    puan_frames_close(f);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_sample_fail(&err);
}

#define RECORD_BYTES (64u << 20)

enum puan_status puan_draw_again(struct puan_draw_options *o,
                                 const struct puan_node *record,
                                 const char *where, const char *const *data,
                                 size_t n_data, struct puan_arena *a,
                                 struct puan_err *err)
{
    const struct puan_node *list = puan_node_get(record, "options");
    const char *at = "";
    char **argv;
    int argc = 1;

    if (!puan_str_is(puan_node_str_opt(record, "record", ""), "puan sample 1"))
        return puan_fail(err, PUAN_EINVAL, where,
                         "not the record of a draw by puan sample");
    argv = puan_new_n(a, (list ? list->n : 0) + n_data + 2, char *);
    if (!argv)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, list)
    argv[argc++] = (char *)(uintptr_t)puan_arena_dup(a, c->text);
    for (size_t i = 0; i < n_data; i++)
        argv[argc++] =
            (char *)(uintptr_t)puan_arena_dup(a, puan_str_of(data[i]));
    if (puan_arena_check(a, err) != PUAN_OK)
        return PUAN_ENOMEM;
    if (puan_draw_parse(o, &at, argc, argv))
        return puan_fail(err, PUAN_EINVAL, where,
                         "its options are not those of a draw");
    return PUAN_OK;
}

static enum puan_status read_record(const struct puan_node **record,
                                    const char *path, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_str text;
    struct puan_node *tree = NULL;
    enum puan_status st = puan_file_read(&text, path, RECORD_BYTES, a, err);

    if (st == PUAN_OK)
        st = puan_json_tree(&tree, text, path, a, err);
    *record = tree;
    return st;
}

static bool same(const struct puan_node *map, const uint8_t *digest)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    return puan_str_is(puan_node_str_opt(map, "digest", ""), hex);
}

struct puan_draw_verdict puan_draw_judge(const struct puan_node *record,
                                         const struct puan_frame *f,
                                         const struct puan_drawn_rows *d)
{
    return (struct puan_draw_verdict){
        .frame_same = same(puan_node_get(record, "frame"), f->digest),
        .drawn_same = same(puan_node_get(record, "selection"), d->digest),
        .rows = d->rows
    };
}

int puan_sample_verify(int argc, char **argv)
{
    const char *data[PUAN_DRAW_MANY], *path = NULL;
    size_t n = 0;
    struct puan_draw_options o = { .n_paths = 0 };
    const struct puan_node *record = NULL;
    struct puan_frames *f = NULL;
    struct puan_drawn_rows d = { 0 };
    struct puan_draw_verdict v = { 0 };
    struct puan_err err = { 0 };
    struct puan_arena a;
    bool quiet = false, json = false;
    enum puan_status st;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quiet") == 0)
            quiet = true;
        else if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-' || n == PUAN_DRAW_MANY)
            return PUAN_EXIT_USAGE;
        else if (!path)
            path = argv[i];
        else
            data[n++] = argv[i];
    }
    if (!path || n == 0)
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(quiet || json);
    if (puan_dir_exists(path))
        return n == 1 ? puan_register_verify_command(path, data[0], json, quiet)
                      : PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    st = read_record(&record, path, &a, &err);
    if (st == PUAN_OK)
        st = puan_draw_again(&o, record, path, data, n, &a, &err);
    if (st == PUAN_OK)
        st = puan_draw_rows(&d, &f, &o, &a, &err);
    if (st == PUAN_OK) {
        v = puan_draw_judge(record, puan_frames_frame(f), &d);
        if (json)
            printf("{\"frame\":%s,\"selection\":%s,\"rows\":%" PRIu64 "}\n",
                   v.frame_same ? "true" : "false",
                   v.drawn_same ? "true" : "false", v.rows);
        else if (!quiet)
            printf("%s: %s\n%s: %s (%" PRIu64 ")\n", "抽样框 frame",
                   v.frame_same ? "与记录一致 as recorded"
                                : "与记录不一致 NOT as recorded",
                   "抽中单位 selection",
                   v.drawn_same ? "与记录一致 as recorded"
                                : "与记录不一致 NOT as recorded",
                   v.rows);
    }
    puan_drawn_clear(&d);
    puan_frames_close(f);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_sample_fail(&err);
    return v.frame_same && v.drawn_same ? PUAN_EXIT_DONE : PUAN_EXIT_FINDINGS;
}
