/*
 * puan check over frames: reads options, loads the data with the levels that
 * the rules speak of and the reference tables they declare, runs the lanes on
 * all cores and says what was found.
 */
#include "features/check/frame_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "core/rule/lanes.h"
#include "features/check/lookup_csv.h"
#include "features/frame/campaign.h"
#include "features/frame/doubt.h"
#include "features/host/args.h"
#include "features/plans/plans.h"
#include "features/store/store.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define PATHS_MOST 64
#define LEVELS_MOST 20
#define RULES_BYTES (8u << 20)
#define PIECE 65536u /* rows one worker takes at a time */

struct options {
    const char *plan, *form, *out, *entity, *missing;
    const char *rules[PATHS_MOST], *data[PATHS_MOST], *lookup[PATHS_MOST],
        *level[LEVELS_MOST], *set[PATHS_MOST];
    size_t n_rules, n_data, n_lookups, n_levels, n_sets;
    bool summary, json, zh, quiet;
    int64_t threads, area;
};

struct hit {
    uint64_t row;
    uint16_t rule;
};

struct worker {
    struct puan_lanes_work *work;
    struct puan_arena arena;
    struct hit *hit;
    size_t n, cap;
    bool failed;
};

struct job {
    const struct options *o;
    struct puan_frames *frames;
    const struct puan_frame *frame;
    struct puan_plan_held *held;
    const struct puan_plan *plan; /* of the pack, or of the campaign */
    struct puan_store *store;     /* of a campaign directory */
    struct puan_sheet_out *out;   /* of a campaign: all forms' findings */
    const struct puan_form *form;
    const struct puan_str *texts;
    const char *const *files;
    size_t n_texts;
    struct puan_const *consts;
    size_t n_consts;
    struct puan_rule_decls decls;
    struct puan_lookup *lookup;
    struct puan_lanes *lanes;
    const struct puan_ruleset *rs;
    struct worker *worker;
    unsigned n_workers;
    size_t pass;
    struct puan_lanes_count *count; /* all workers' */
    struct puan_arena arena;
};

/* ---- options ---- */

static int fail(const struct puan_err *err)
{
    return puan_verb_fail("check", err);
}

static bool flag(struct options *o, const char *a)
{
    if (strcmp(a, "--summary") == 0)
        return o->summary = true;
    if (strcmp(a, "--json") == 0)
        return o->json = true;
    if (strcmp(a, "--quiet") == 0)
        return o->quiet = true;
    return false;
}

static bool takes_value(const char *a)
{
    static const char *const with[] = { "--plan",    "--form",   "--out",
                                        "--rules",   "--lookup", "--level",
                                        "--entity",  "--lang",   "--threads",
                                        "--missing", "--set",    "--explain",
                                        "--area" };

    for (size_t i = 0; i < PUAN_COUNT(with); i++)
        if (strcmp(a, with[i]) == 0)
            return true;
    return false;
}

static const char *put(const char **list, size_t *n, size_t most, const char *v)
{
    if (*n == most)
        return "is given too often";
    list[(*n)++] = v;
    return NULL;
}

/* An option with a value; NULL when it is fine, else what is wrong. */
static const char *value(struct options *o, const char *a, const char *v)
{
    if (strcmp(a, "--plan") == 0)
        o->plan = v;
    else if (strcmp(a, "--form") == 0)
        o->form = v;
    else if (strcmp(a, "--out") == 0)
        o->out = v;
    else if (strcmp(a, "--entity") == 0)
        o->entity = v;
    else if (strcmp(a, "--missing") == 0)
        o->missing = v;
    else if (strcmp(a, "--rules") == 0)
        return put(o->rules, &o->n_rules, PATHS_MOST, v);
    else if (strcmp(a, "--lookup") == 0)
        return strchr(v, '=') ? put(o->lookup, &o->n_lookups, PATHS_MOST, v)
                              : "is NAME=FILE.csv";
    else if (strcmp(a, "--level") == 0)
        return strchr(v, '=') ? put(o->level, &o->n_levels, LEVELS_MOST, v)
                              : "is NAME=ITEM,ITEM…";
    else if (strcmp(a, "--set") == 0)
        return strchr(v, '=') ? put(o->set, &o->n_sets, PATHS_MOST, v)
                              : "is NAME=NUMBER";
    else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        return o->zh || strcmp(v, "en") == 0 ? NULL : "is zh or en";
    } else if (strcmp(a, "--threads") == 0) {
        return puan_int_parse(&o->threads, puan_str_of(v)) && o->threads >= 1 &&
                       o->threads <= 256
                   ? NULL
                   : "is 1 to 256";
    } else if (strcmp(a, "--area") == 0) {
        return puan_int_parse(&o->area, puan_str_of(v)) && o->area > 0
                   ? NULL
                   : "is the code of an area";
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool of_campaign(const struct options *o)
{
    return o->n_data == 1 && puan_dir_exists(o->data[0]);
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "";

    *o = (struct options){ .zh = true };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(at, "--", 2) != 0)
            bad = put(o->data, &o->n_data, PATHS_MOST, at);
        else if (flag(o, at))
            continue;
        else if (i + 1 == argc)
            bad = "needs a value or is unknown";
        else
            bad = value(o, at, argv[++i]);
    }
    if (!bad && (o->n_data == 0 ||
                 (o->n_rules == 0 && !o->plan && !of_campaign(o)))) {
        at = "check";
        bad = "data and --rules FILE, or --plan PACK, are needed";
    }
    if (!bad && of_campaign(o) && o->plan) {
        at = "--plan";
        bad = "a campaign is checked by its own plan, or by --rules";
    }
    if (!bad && o->area && !of_campaign(o)) {
        at = "--area";
        bad = "is for a campaign directory";
    }
    if (!bad && puan_file_among(o->out, o->data, o->n_data)) {
        at = "--out";
        bad = "the output would take the place of the data it is made of";
    }
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

bool puan_check_takes_frame(int argc, char **argv)
{
    bool plan = false, rules = false, frame = false;

    for (int i = 1; i < argc; i++) {
        plan |= strcmp(argv[i], "--plan") == 0;
        rules |= strcmp(argv[i], "--rules") == 0;
        if (strncmp(argv[i], "--", 2) != 0)
            frame |= puan_frames_is(argv[i]) || puan_dir_exists(argv[i]);
        else if (takes_value(argv[i]))
            i++;
    }
    return frame || (rules && !plan);
}

/* ---- what is needed ---- */

static enum puan_status settings(struct job *j, struct puan_err *err)
{
    const struct options *o = j->o;
    const struct puan_plan *p = j->plan;

    j->consts = puan_new_n(&j->arena, (p ? p->n_consts : 0) + o->n_sets + 1,
                           struct puan_const);
    if (!j->consts)
        return puan_arena_check(&j->arena, err);
    for (size_t i = 0; i < o->n_sets; i++) { /* they win over the plan's */
        struct puan_const *c = &j->consts[j->n_consts++];
        struct puan_str name, rest = puan_str_of(o->set[i]);

        puan_str_split(&name, &rest, '=');
        c->name = name;
        if (!puan_int_parse(&c->value, rest) &&
            !puan_month_parse(&c->value, rest) &&
            !puan_day_parse(&c->value, rest))
            return puan_fail(err, PUAN_EINVAL, "--set",
                             "'%s': expected a whole number, a month such as "
                             "2020-11 or a day such as 2020-11-01",
                             o->set[i]);
    }
    for (size_t i = 0; p && i < p->n_consts; i++)
        j->consts[j->n_consts++] = p->consts[i];
    return PUAN_OK;
}

static enum puan_status rule_texts(struct job *j, struct puan_err *err)
{
    const struct options *o = j->o;
    struct puan_str *mine;
    enum puan_status st = PUAN_OK;

    if (o->plan) {
        st = puan_plan_load_dir(&j->held, o->plan, puan_digest_sm3(), err);
        if (st != PUAN_OK)
            return st;
        j->plan = puan_plan_held_plan(j->held);
    }
    if (j->plan) {
        j->texts = j->plan->rule_text;
        j->files = j->plan->rule_name;
        j->n_texts = j->plan->n_rules;
    }
    if (o->n_rules > 0) {
        mine = puan_new_n(&j->arena, o->n_rules, struct puan_str);
        if (!mine)
            return puan_arena_check(&j->arena, err);
        for (size_t i = 0; st == PUAN_OK && i < o->n_rules; i++)
            st = puan_file_read(&mine[i], o->rules[i], RULES_BYTES, &j->arena,
                                err);
        j->texts = mine;
        j->files = o->rules;
        j->n_texts = o->n_rules;
    }
    if (st == PUAN_OK)
        st = settings(j, err);
    return st == PUAN_OK ? puan_rule_declared(&j->decls, j->texts, j->files,
                                              j->n_texts, &j->arena, err)
                         : st;
}

/* The campaign's returns of one form, or of all when it is NULL. */
static enum puan_status load_campaign(struct job *j,
                                      const struct puan_form *form,
                                      struct puan_err *err)
{
    const struct puan_frames_campaign_options opt = {
        .area = j->o->area,
        .form = form ? &form->id : NULL,
        .n_forms = form != NULL,
        .threads = (unsigned)j->o->threads
    };
    struct puan_frames_campaign_told told;
    enum puan_status st =
        puan_frames_campaign(&j->frames, &told, j->store, &opt, err);

    if (st == PUAN_OK)
        j->frame = puan_frames_frame(j->frames);
    return st;
}

/* --level NAME=ITEM,ITEM */
static enum puan_status one_level(struct puan_frames_level *l, const char *text,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_str rest = puan_str_of(text), item;
    struct puan_str *list = puan_new_n(a, strlen(text) + 1, struct puan_str);

    if (!list)
        return puan_arena_check(a, err);
    puan_str_split(&l->name, &rest, '=');
    l->item = list;
    while (puan_str_split(&item, &rest, ','))
        list[l->n_items++] = puan_str_trim(item);
    return PUAN_OK;
}

static enum puan_status load(struct job *j, struct puan_err *err)
{
    const struct options *o = j->o;
    struct puan_frames_level *level =
        puan_new_n(&j->arena, o->n_levels + j->decls.n_levels + 1,
                   struct puan_frames_level);
    struct puan_frames_options opt = {
        .level = level,
        .entity = puan_str_of(o->entity ? o->entity : ""),
        .missing = puan_str_of(o->missing ? o->missing : ""),
        .threads = (unsigned)o->threads,
        .quiet = o->quiet || o->json
    };
    enum puan_status st = level ? PUAN_OK : puan_arena_check(&j->arena, err);

    for (size_t i = 0; st == PUAN_OK && i < o->n_levels; i++)
        st = one_level(&level[opt.n_levels++], o->level[i], &j->arena, err);
    for (size_t i = 0; st == PUAN_OK && i < j->decls.n_levels; i++) {
        const struct puan_rule_level *l = &j->decls.level[i];

        level[opt.n_levels++] =
            (struct puan_frames_level){ l->name, l->by, l->n_by };
    }
    if (st == PUAN_OK && j->store) {
        const struct puan_form *form =
            o->form ? puan_plan_form(j->plan, puan_str_of(o->form)) : NULL;

        if (o->form && !form)
            return puan_fail(err, PUAN_ENOTFOUND, "--form",
                             "the plan has no form %s", o->form);
        st = load_campaign(j, form, err);
        if (st == PUAN_OK && opt.n_levels > 0)
            st = puan_frames_group(j->frames, level, opt.n_levels, NULL, err);
    } else if (st == PUAN_OK) {
        st = puan_frames_load(&j->frames, o->data, o->n_data, &opt, err);
    }
    if (st != PUAN_OK)
        return st;
    if (!o->quiet)
        puan_frames_warn("check", j->frames, o->data, o->n_data, &opt);
    j->frame = puan_frames_frame(j->frames);
    if (j->held) {
        struct puan_str id = o->form ? puan_str_of(o->form) : j->frame->form;

        j->form = puan_plan_form(j->plan, id);
        if (!j->form)
            return puan_fail(err, PUAN_ENOTFOUND, o->plan,
                             "the plan has no form '%.*s': name it with "
                             "--form",
                             PUAN_FMT(id));
    }
    return PUAN_OK;
}

/* Every table the rules declare needs its data, and no other is named. */
static enum puan_status lookups(struct job *j, struct puan_err *err)
{
    const struct options *o = j->o;
    enum puan_status st = PUAN_OK;

    j->lookup =
        puan_new_n(&j->arena, j->decls.n_tables + 1, struct puan_lookup);
    if (!j->lookup)
        return puan_arena_check(&j->arena, err);
    for (size_t i = 0; i < o->n_lookups; i++) {
        struct puan_str name, rest = puan_str_of(o->lookup[i]);
        bool known = false;

        puan_str_split(&name, &rest, '=');
        for (size_t t = 0; t < j->decls.n_tables; t++)
            known |= puan_str_eq(j->decls.table[t].name, name);
        if (!known)
            return puan_fail(err, PUAN_EINVAL, "--lookup",
                             "no rule text declares the table '%.*s': write "
                             "table %.*s by ITEM, … gives COLUMN, …",
                             PUAN_FMT(name), PUAN_FMT(name));
    }
    for (size_t t = 0; st == PUAN_OK && t < j->decls.n_tables; t++) {
        const struct puan_rule_table *d = &j->decls.table[t];
        const char *path = NULL;

        for (size_t i = 0; i < o->n_lookups; i++) {
            struct puan_str name, rest = puan_str_of(o->lookup[i]);

            puan_str_split(&name, &rest, '=');
            if (puan_str_eq(name, d->name))
                path = strchr(o->lookup[i], '=') + 1;
        }
        if (!path)
            return puan_fail_at(err, PUAN_EINVAL, d->file, d->line, d->col,
                                "table '%.*s' has no data: give it with "
                                "--lookup %.*s=FILE.csv",
                                PUAN_FMT(d->name), PUAN_FMT(d->name));
        st = puan_lookup_csv(&j->lookup[t], d, path, j->frame, &j->arena, err);
    }
    return st;
}

/* A rule the data cannot hold is a mistake in rules written for them. */
static enum puan_status all_hold(struct job *j, struct puan_err *err)
{
    size_t n = 0;
    const struct puan_rule_skip *skip = puan_ruleset_skips(j->rs, &n);

    if (!j->form && n > 0)
        return puan_fail_at(err, PUAN_EINVAL, skip->file, skip->line, skip->col,
                            "'%.*s': %s", PUAN_FMT(skip->id), skip->why);
    if (n > 0 && !j->o->quiet && !j->store)
        fprintf(stderr,
                "puan check: %zu rules and derived items of the plan do not "
                "apply to this frame; the first is %.*s: %s\n",
                n, PUAN_FMT(skip->id), skip->why);
    if (puan_ruleset_count(j->rs) == 0)
        return puan_fail(err, PUAN_EINVAL,
                         j->o->n_rules ? j->o->rules[0] : j->o->plan,
                         "no rule applies to these data");
    return PUAN_OK;
}

static enum puan_status compile(struct job *j, struct puan_err *err)
{
    const struct puan_lanes_options opt = { .consts = j->consts,
                                            .n_consts = j->n_consts,
                                            .lookups = j->lookup,
                                            .n_lookups = j->decls.n_tables,
                                            .form = j->form,
                                            .own_levels =
                                                j->form && !j->o->n_rules };
    enum puan_status st =
        puan_lanes_compile(&j->lanes, j->frame, j->texts, j->files, j->n_texts,
                           &opt, &j->arena, err);

    if (st != PUAN_OK)
        return st;
    j->rs = puan_lanes_ruleset(j->lanes);
    st = all_hold(j, err);
    return st == PUAN_OK && j->o->n_rules > 0 /* a plan's own were by lint */
               ? puan_lanes_consistent(j->frame, j->texts, j->files, j->n_texts,
                                       &opt, &j->arena, err)
               : st;
}

/* ---- the run ---- */

static void found(void *ctx, uint16_t rule, uint64_t row, uint32_t n,
                  const uint64_t *bits)
{
    struct worker *w = ctx;

    for (uint32_t i = 0; i < (n + 63) / 64; i++)
        for (uint64_t x = bits[i]; x; x &= x - 1) {
            if (w->n == w->cap) {
                size_t cap = w->cap ? w->cap * 2 : 1024;
                struct hit *list = realloc(w->hit, cap * sizeof(*list));

                if (!list) {
                    w->failed = true;
                    return;
                }
                w->hit = list;
                w->cap = cap;
            }
            w->hit[w->n++] = (struct hit){
                row + (uint64_t)i * 64 + (uint64_t)__builtin_ctzll(x), rule
            };
        }
}

static enum puan_status piece(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct job *j = arg;
    struct worker *w = &j->worker[worker];
    enum puan_status st = PUAN_OK;

    if (!w->work) { /* made by the thread that uses it */
        puan_arena_init(&w->arena, &puan_heap);
        st = puan_lanes_work_new(&w->work, j->lanes, &w->arena, err);
    }
    if (st == PUAN_OK)
        puan_lanes_run(w->work, j->pass, begin, end,
                       j->o->out || j->out ? found : NULL, w);
    if (w->failed)
        return puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    return st;
}

static enum puan_status run_all(struct job *j, struct puan_err *err)
{
    size_t rules = puan_ruleset_count(j->rs);
    enum puan_status st = PUAN_OK;

    j->n_workers = j->o->threads ? (unsigned)j->o->threads : puan_cores();
    j->worker = calloc(j->n_workers, sizeof(*j->worker));
    j->count = puan_new_n(&j->arena, rules, struct puan_lanes_count);
    if (!j->worker || !j->count)
        return puan_fail(err, PUAN_ENOMEM, "check", "out of memory");
    for (j->pass = 0; st == PUAN_OK && j->pass < puan_lanes_passes(j->lanes);
         j->pass++) {
        uint64_t rows = puan_lanes_rows(j->lanes, j->pass);
        uint64_t share = rows / ((uint64_t)j->n_workers * 4) + 1;

        st = puan_parallel(rows > 4096 ? j->n_workers : 1, rows,
                           share < PIECE ? share : PIECE, piece, j, err);
    }
    for (unsigned i = 0; i < j->n_workers; i++) {
        const struct puan_lanes_count *c =
            j->worker[i].work ? puan_lanes_counts(j->worker[i].work) : NULL;

        for (size_t r = 0; c && r < rules; r++) {
            j->count[r].evaluated += c[r].evaluated;
            j->count[r].not_evaluable += c[r].not_evaluable;
            j->count[r].findings += c[r].findings;
        }
    }
    return st;
}

/* ---- what was found ---- */

static uint64_t up(const struct puan_frame *f, int e, int to, uint64_t row)
{
    for (; e != to; e = f->entity[e].parent) {
        const uint32_t *first = f->entity[e].first;
        uint64_t lo = 0, hi = f->entity[f->entity[e].parent].rows;

        while (hi - lo > 1) {
            uint64_t mid = lo + (hi - lo) / 2;

            if (first[mid] <= row)
                lo = mid;
            else
                hi = mid;
        }
        row = lo;
    }
    return row;
}

/* The first row of the file's own entity below a row. */
static uint64_t down(const struct puan_frame *f, size_t e, uint64_t row)
{
    for (size_t c = e + 1; c < f->n_entities; c++)
        if (f->entity[c].parent == (int)e) {
            row = f->entity[c].first[row];
            e = c;
        }
    return row;
}

/*
 * Which row it is: the keys of its level, or of the nearest above that has
 * keys, and then the lines within; "110101/1/3/7:2".
 */
static void put_key(struct puan_out *o, const struct puan_frame *f, int e,
                    uint64_t row, struct puan_arena *a)
{
    const struct puan_frame_entity *x = &f->entity[e];
    int above = x->parent;

    if (x->n_key > 0) {
        const struct puan_frame_entity *file = &f->entity[f->n_entities - 1];
        uint64_t at = down(f, (size_t)e, row);

        for (size_t i = 0; i < x->n_key; i++) {
            const struct puan_frame_item *it = &file->item[x->key[i]];
            struct puan_item as = { .type = it->type,
                                    .places = it->places,
                                    .digits = it->digits,
                                    .codes = it->codes };
            enum puan_state st;
            int64_t v = puan_frame_value(&st, it, at);

            if (i > 0)
                puan_out_char(o, '/');
            if (st == PUAN_GIVEN && it->token)
                puan_out_fmt(o, "%llu", (unsigned long long)v);
            else if (st == PUAN_GIVEN)
                puan_out_text(o, puan_item_text(&as, v, a));
        }
        return;
    }
    if (above < 0) {
        puan_out_int(o, (int64_t)row + 1);
        return;
    }
    put_key(o, f, above, up(f, e, above, row), a);
    puan_out_char(o, ':');
    puan_out_int(o, (int64_t)(row - x->first[up(f, e, above, row)]) + 1);
}

struct found { /* a finding, and where it stands */
    uint64_t place, row;
    uint16_t rule, entity;
};

static int by_place(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->entity != y->entity)
        return x->entity < y->entity ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* In the order of rows, wider levels first, then of rules. */
static enum puan_status list(struct job *j, struct puan_err *err)
{
    struct puan_sheet_out *out = NULL;
    struct found *all;
    size_t n = 0;
    struct puan_arena a;
    enum puan_status st;

    for (unsigned i = 0; i < j->n_workers; i++)
        n += j->worker[i].n;
    all = malloc((n + 1) * sizeof(*all));
    if (!all)
        return puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    n = 0;
    for (unsigned i = 0; i < j->n_workers; i++)
        for (size_t k = 0; k < j->worker[i].n; k++) {
            const struct hit *h = &j->worker[i].hit[k];
            uint16_t e = puan_ruleset_info(j->rs, h->rule)->entity;

            all[n++] =
                (struct found){ down(j->frame, e, h->row), h->row, h->rule, e };
        }
    qsort(all, n, sizeof(*all), by_place);
    puan_arena_init(&a, &puan_heap);
    st = puan_sheet_create(&out, j->o->out, err);
    if (st == PUAN_OK)
        puan_sheet_put_raw(out,
                           PUAN_STR("level,row,key,rule,severity,message\n"));
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(j->rs, all[i].rule);
        struct puan_out key;

        puan_arena_reset(&a);
        puan_out_init(&key, &a);
        put_key(&key, j->frame, all[i].entity, all[i].row, &a);
        puan_sheet_put(out, j->frame->entity[all[i].entity].name);
        puan_sheet_put_int(out, (int64_t)all[i].row + 1);
        puan_sheet_put(out, puan_out_view(&key));
        puan_sheet_put(out, info->id);
        puan_sheet_put_text(out, info->severity == PUAN_HARD ? "hard" : "soft");
        puan_sheet_put(out, j->o->zh ? info->zh : info->en);
        puan_sheet_end_row(out);
        st = puan_arena_check(&a, err);
    }
    if (st == PUAN_OK) {
        st = puan_sheet_finish(out, err);
        out = NULL;
    }
    puan_sheet_abandon(out);
    puan_arena_clear(&a);
    free(all);
    return st;
}

struct total {
    uint64_t evaluated, not_evaluable, hard, soft;
};

static struct total total(const struct job *j)
{
    struct total t = { 0, 0, 0, 0 };

    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++) {
        t.evaluated += j->count[r].evaluated;
        t.not_evaluable += j->count[r].not_evaluable;
        *(puan_ruleset_info(j->rs, r)->severity == PUAN_HARD ? &t.hard
                                                             : &t.soft) +=
            j->count[r].findings;
    }
    return t;
}

static void print_summary(FILE *to, const struct job *j, int64_t load_us,
                          int64_t run_us)
{
    struct total t = total(j);

    for (size_t e = 0; e < j->frame->n_entities; e++)
        fprintf(to, "%s%.*s: %" PRIu64, e ? ", " : "",
                PUAN_FMT(j->frame->entity[e].name), j->frame->entity[e].rows);
    fprintf(to,
            "\nrules: %zu, evaluated: %" PRIu64 ", not evaluable: %" PRIu64
            "\nloaded in %" PRId64 ".%03" PRId64 " s, checked in %" PRId64
            ".%03" PRId64 " s\nfindings: %" PRIu64 " hard, %" PRIu64 " soft\n",
            puan_ruleset_count(j->rs), t.evaluated, t.not_evaluable,
            load_us / 1000000, load_us / 1000 % 1000, run_us / 1000000,
            run_us / 1000 % 1000, t.hard, t.soft);
    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++) {
        const struct puan_rule_info *info = puan_ruleset_info(j->rs, r);

        if (j->count[r].findings > 0)
            fprintf(to, "  %-8.*s %s %9" PRIu64 "  %.*s\n", PUAN_FMT(info->id),
                    info->severity == PUAN_HARD ? "hard" : "soft",
                    j->count[r].findings,
                    PUAN_FMT(j->o->zh ? info->zh : info->en));
    }
}

static void put_json(struct puan_jw *w, const struct job *j, int64_t load_us,
                     int64_t run_us)
{
    struct total t = total(j);

    puan_jw_map(w);
    if (j->store && j->form)
        puan_jw_kstr(w, "form", j->form->id);
    puan_jw_key(w, "rows");
    puan_jw_map(w);
    for (size_t e = 0; e < j->frame->n_entities; e++) {
        puan_jw_key_s(w, j->frame->entity[e].name);
        puan_jw_int(w, (int64_t)j->frame->entity[e].rows);
    }
    puan_jw_end(w, '}');
    puan_jw_kint(w, "findings", (int64_t)(t.hard + t.soft));
    puan_jw_kint(w, "hard", (int64_t)t.hard);
    puan_jw_kint(w, "soft", (int64_t)t.soft);
    puan_jw_kint(w, "evaluated", (int64_t)t.evaluated);
    puan_jw_kint(w, "not_evaluable", (int64_t)t.not_evaluable);
    puan_jw_kint(w, "load_microseconds", load_us);
    puan_jw_kint(w, "check_microseconds", run_us);
    puan_jw_key(w, "rules");
    puan_jw_list(w);
    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++) {
        const struct puan_rule_info *info = puan_ruleset_info(j->rs, r);

        puan_jw_map(w);
        puan_jw_kstr(w, "rule", info->id);
        puan_jw_ktext(w, "severity",
                      info->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(w, "entity", j->frame->entity[info->entity].name);
        puan_jw_kint(w, "evaluated", (int64_t)j->count[r].evaluated);
        puan_jw_kint(w, "not_evaluable", (int64_t)j->count[r].not_evaluable);
        puan_jw_kint(w, "findings", (int64_t)j->count[r].findings);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static enum puan_status print_json(FILE *to, struct job *j, int64_t load_us,
                                   int64_t run_us, struct puan_err *err)
{
    struct puan_out out;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&out, &j->arena);
    puan_jw_init(&w, &out);
    put_json(&w, j, load_us, run_us);
    st = puan_arena_check(&j->arena, err);
    if (st == PUAN_OK)
        fprintf(to, "%.*s\n", PUAN_FMT(puan_out_view(&out)));
    return st;
}

static int64_t micros(void)
{
    return puan_os_mono_ns() / 1000;
}

static void clear(struct job *j)
{
    for (unsigned i = 0; j->worker && i < j->n_workers; i++) {
        puan_arena_clear(&j->worker[i].arena);
        free(j->worker[i].hit);
    }
    free(j->worker);
    j->worker = NULL;
    puan_frames_close(j->frames);
    j->frames = NULL;
    puan_arena_clear(&j->arena);
}

/* ---- a campaign by its own plan ---- */

/* By household, then by rule, then by row: as the record executor gives it. */
static int by_home(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* A form's findings: household, and the line of its roster. */
static enum puan_status list_returns(struct job *j, struct puan_err *err)
{
    const struct puan_frame *f = j->frame;
    int home = puan_frame_entity(f, j->form->entity[0].name);
    int key = puan_frame_item(&f->entity[home], PUAN_STR("key"));
    struct found *all;
    size_t n = 0;

    for (unsigned i = 0; i < j->n_workers; i++)
        n += j->worker[i].n;
    all = malloc((n + 1) * sizeof(*all));
    if (!all)
        return puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    n = 0;
    for (unsigned i = 0; i < j->n_workers; i++)
        for (size_t k = 0; k < j->worker[i].n; k++) {
            const struct hit *h = &j->worker[i].hit[k];
            uint16_t e = puan_ruleset_info(j->rs, h->rule)->entity;

            all[n++] = (struct found){ up(f, e, home, h->row), h->row, h->rule,
                                       e };
        }
    qsort(all, n, sizeof(*all), by_home);
    for (size_t i = 0; i < n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(j->rs, all[i].rule);
        const struct puan_frame_entity *e = &f->entity[all[i].entity];
        enum puan_state st;

        puan_sheet_put(j->out, j->form->id);
        puan_sheet_put_int(j->out, puan_frame_value(&st,
                                                    &f->entity[home].item[key],
                                                    all[i].place));
        puan_sheet_put(j->out, all[i].entity == home ? PUAN_STR("") : e->name);
        puan_sheet_put_int(j->out,
                           all[i].entity == home
                               ? 0
                               : (int64_t)(all[i].row -
                                           e->first[all[i].place]) + 1);
        puan_sheet_put(j->out, info->id);
        puan_sheet_put_text(j->out,
                            info->severity == PUAN_HARD ? "hard" : "soft");
        puan_sheet_put(j->out, j->o->zh ? info->zh : info->en);
        puan_sheet_end_row(j->out);
    }
    free(all);
    return PUAN_OK;
}

/* One form of the plan over its returns; `any` when there are some. */
static enum puan_status one_form(struct job *j, bool *any, int64_t *load_us,
                                 int64_t *run_us, struct puan_err *err)
{
    int64_t began = micros(), loaded;
    enum puan_status st = rule_texts(j, err);
    int home;

    if (st == PUAN_OK)
        st = load_campaign(j, j->form, err);
    if (st != PUAN_OK)
        return st;
    home = puan_frame_entity(j->frame, j->form->entity[0].name);
    *any = home >= 0 && j->frame->entity[home].rows > 0;
    loaded = micros();
    if (!*any)
        return PUAN_OK;
    st = lookups(j, err);
    if (st == PUAN_OK)
        st = compile(j, err);
    if (st == PUAN_OK)
        st = run_all(j, err);
    *load_us = loaded - began;
    *run_us = micros() - loaded;
    if (st == PUAN_OK && j->out)
        st = list_returns(j, err);
    return st;
}

/*
 * Every form that has returns, one after the other: rules of a form see the
 * returns of that form alone.
 */
static enum puan_status every_form(uint64_t *findings, const struct options *o,
                                   struct puan_store *store,
                                   struct puan_sheet_out *out, FILE *to,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_arena a;
    struct puan_out text;
    struct puan_jw w;
    bool some = false;
    enum puan_status st = PUAN_OK;

    if (o->form && !puan_plan_form(plan, puan_str_of(o->form)))
        return puan_fail(err, PUAN_ENOTFOUND, "--form",
                         "the plan has no form '%s'", o->form);
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&text, &a);
    puan_jw_init(&w, &text);
    puan_jw_map(&w);
    puan_jw_key(&w, "forms");
    puan_jw_list(&w);
    for (size_t i = 0; st == PUAN_OK && i < plan->n_forms; i++) {
        struct job j = { .o = o, .plan = plan, .store = store, .out = out,
                         .form = plan->form[i] };
        int64_t load_us = 0, run_us = 0;
        bool any = false;
        struct total t;

        if (o->form && !puan_str_is(plan->form[i]->id, o->form))
            continue;
        puan_arena_init(&j.arena, &puan_heap);
        st = one_form(&j, &any, &load_us, &run_us, err);
        if (st == PUAN_OK && any) {
            t = total(&j);
            *findings += t.hard + t.soft;
            if (o->json) {
                put_json(&w, &j, load_us, run_us);
            } else if (o->summary || !o->out) {
                fprintf(to, "%s%.*s %.*s\n", some ? "\n" : "",
                        PUAN_FMT(j.form->id),
                        PUAN_FMT(o->zh ? j.form->zh : j.form->en));
                print_summary(to, &j, load_us, run_us);
            }
            some = true;
        }
        clear(&j);
    }
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "findings", (int64_t)*findings);
    puan_jw_end(&w, '}');
    if (st == PUAN_OK && !some && !o->quiet)
        fprintf(stderr, "puan check: no return of the area is there yet\n");
    if (st == PUAN_OK)
        st = puan_arena_check(&a, err);
    if (st == PUAN_OK && o->json)
        fprintf(to, "%.*s\n", PUAN_FMT(puan_out_view(&text)));
    puan_arena_clear(&a);
    return st;
}

static enum puan_status campaign(uint64_t *findings, const struct options *o,
                                 struct puan_store *store,
                                 struct puan_err *err)
{
    struct puan_sheet_out *out = NULL;
    enum puan_status st = PUAN_OK;

    if (o->out) {
        st = puan_sheet_create(&out, o->out, err);
        if (st == PUAN_OK)
            puan_sheet_put_raw(
                out,
                PUAN_STR("form,household,level,row,rule,severity,message\n"));
    }
    if (st == PUAN_OK)
        st = every_form(findings, o, store, out,
                        o->out && strcmp(o->out, "-") == 0 ? stderr : stdout,
                        err);
    if (st == PUAN_OK && out) {
        st = puan_sheet_finish(out, err);
        out = NULL;
    }
    puan_sheet_abandon(out);
    return st;
}

/* ---- the command ---- */

static enum puan_status work(uint64_t *findings, struct job *j,
                             struct puan_err *err)
{
    const struct puan_store_options so = { .readonly = true,
                                           .no_writers = true };
    int64_t began = micros(), loaded;
    struct total t;
    enum puan_status st = PUAN_OK;

    if (of_campaign(j->o)) {
        st = puan_store_open(&j->store, j->o->data[0], &so, err);
        if (st == PUAN_OK && j->o->n_rules == 0)
            return campaign(findings, j->o, j->store, err);
        if (st == PUAN_OK)
            j->plan = puan_store_plan(j->store);
    }
    if (st == PUAN_OK)
        st = rule_texts(j, err);
    if (st == PUAN_OK)
        st = load(j, err);
    if (st == PUAN_OK)
        st = lookups(j, err);
    loaded = micros();
    if (st == PUAN_OK)
        st = compile(j, err);
    if (st == PUAN_OK)
        st = run_all(j, err);
    if (st != PUAN_OK)
        return st;
    began = loaded - began;
    loaded = micros() - loaded;
    t = total(j);
    *findings = t.hard + t.soft;
    if (j->o->out)
        st = list(j, err);
    if (st == PUAN_OK && j->o->json)
        return print_json(stdout, j, began, loaded, err);
    if (st == PUAN_OK && (j->o->summary || !j->o->out))
        print_summary(j->o->out && strcmp(j->o->out, "-") == 0 ? stderr
                                                               : stdout,
                      j, began, loaded);
    return st;
}

int puan_check_frame(int argc, char **argv)
{
    struct options o;
    struct job j = { .o = &o };
    struct puan_err err = { 0 };
    uint64_t findings = 0;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&j.arena, &puan_heap);
    st = work(&findings, &j, &err);
    clear(&j);
    puan_store_close(j.store);
    puan_plan_close(j.held);
    if (st != PUAN_OK)
        return fail(&err);
    return findings ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
