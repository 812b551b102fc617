/*
 * The register of samples over HTTP: draws, one draw, the draw again, the units
 * drawn, what was found in them and what follows from it.
 */
#include <stddef.h>
#include <string.h>

#include "base/csv.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/sample/register.h"
#include "features/sample/roll.h"

#define STRATA_SHOWN 1000

/* ---- what is told of a draw -----------------------------------------------
 */

static void put_area(struct puan_jw *w, const char *key,
                     const struct puan_area_tree *t, int64_t code)
{
    uint32_t i = puan_area_find(t, code);

    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_kcode(w, "code", code);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
    }
    puan_jw_end(w, '}');
}

/* Options by name without dashes; those of the frame's shape go without
   saying. */
static void put_design(struct puan_jw *w, const struct puan_node *record)
{
    const struct puan_node *list = puan_node_get(record, "options");

    puan_jw_key(w, "design");
    puan_jw_map(w);
    for (size_t i = 0; list && i + 1 < list->n; i += 2) {
        struct puan_str name = puan_node_at(list, i)->text;

        if (puan_str_is(name, "--level") || puan_str_is(name, "--entity") ||
            puan_str_is(name, "--columns") || puan_str_is(name, "--seed") ||
            !puan_str_starts(name, "--"))
            continue;
        puan_jw_key_s(w, (struct puan_str){ name.p + 2, name.n - 2 });
        puan_jw_str(w, puan_node_at(list, i + 1)->text);
    }
    puan_jw_end(w, '}');
}

static void put_number(struct puan_jw *w, const char *key,
                       const struct puan_node *map, const char *from)
{
    int64_t n;

    puan_jw_key(w, key);
    if (puan_int_parse(&n, puan_node_str_opt(map, from, "")))
        puan_jw_int(w, n);
    else
        puan_jw_null(w);
}

/* Members of a map. */
static void put_draw(struct puan_jw *w, struct puan_request *rq, int64_t id,
                     int64_t area, struct puan_str purpose,
                     struct puan_str note, int64_t at_ms, struct puan_str actor,
                     const struct puan_node *record)
{
    const struct puan_node *frame = puan_node_get(record, "frame");
    const struct puan_node *drawn = puan_node_get(record, "selection");

    puan_jw_kint(w, "id", id);
    put_area(w, "area", puan_store_areas(rq->store), area);
    puan_jw_kstr(w, "purpose", purpose);
    puan_jw_kstr(w, "note", note);
    puan_jw_kinstant(w, "at", at_ms,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kstr(w, "by", actor);
    puan_jw_kstr(w, "seed", puan_node_str_opt(record, "seed", ""));
    puan_jw_kstr(w, "digest", puan_node_str_opt(record, "digest", ""));
    put_design(w, record);
    puan_jw_kstr(w, "frame_digest", puan_node_str_opt(frame, "digest", ""));
    put_number(w, "households", puan_node_get(frame, "rows"), "household");
    puan_jw_kstr(w, "drawn_digest", puan_node_str_opt(drawn, "digest", ""));
    put_number(w, "drawn", drawn, "rows");
}

/* ---- list ------------------------------------------------------------------
 */

struct list_in {
    int64_t area;
    struct puan_page page;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 0, 0, true },
    PUAN_PAGE_PARAMS(struct list_in, page),
};

static void put_row(struct puan_jw *w, struct puan_stmt *s,
                    struct puan_request *rq)
{
    struct puan_node *record = NULL;

    puan_jw_map(w);
    if (puan_json_tree(&record, puan_col_text(s, 6), "record", rq->arena,
                       NULL) == PUAN_OK)
        put_draw(w, rq, puan_col_int(s, 0), puan_col_int(s, 1),
                 puan_col_text(s, 2), puan_col_text(s, 3), puan_col_int(s, 4),
                 puan_col_text(s, 5), record);
    puan_jw_kint(w, "results", puan_col_int(s, 7));
    puan_jw_end(w, '}');
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct list_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, area, purpose, note, at, actor, record, (SELECT"
                  " COUNT(*) FROM sample_result r WHERE r.sample = sample.id)"
                  " FROM sample WHERE id > $1 ORDER BY id",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->page.cursor);
        st = puan_answer_rows(rq, s, &in->page, 1, put_row, err);
    }
    puan_read_end(office, db);
    return st;
}

/* ---- drawing
 * ----------------------------------------------------------------- */

struct draw_in {
    int64_t area;
    struct puan_str purpose, note, seed, unit, draw, strata, allocate, size,
        rate, take, take_each, every, least, within, then, then_take;
};
#define WORD(name, field, most)                                                \
    {                                                                          \
        name, PUAN_PARAM_TEXT, offsetof(struct draw_in, field), 0, most, true  \
    }
static const struct puan_param draw_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct draw_in, area), 0, 0, true },
    { "purpose", PUAN_PARAM_TEXT, offsetof(struct draw_in, purpose), 1, 32,
      false },
    { "seed", PUAN_PARAM_TEXT, offsetof(struct draw_in, seed), 1, 300, false },
    WORD("note", note, 600),
    WORD("unit", unit, 32),
    WORD("draw", draw, 16),
    WORD("strata", strata, 200),
    WORD("allocate", allocate, 16),
    WORD("size", size, 32),
    WORD("rate", rate, 16),
    WORD("take", take, 16),
    WORD("take_each", take_each, 16),
    WORD("every", every, 16),
    WORD("least", least, 16),
    WORD("within", within, 32),
    WORD("then", then, 16),
    WORD("then_take", then_take, 16),
};

static enum puan_status draw(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct draw_in *in = v;
    const struct {
        const char *name;
        struct puan_str value;
    } said[] = {
        { "--seed", in->seed },           { "--unit", in->unit },
        { "--draw", in->draw },           { "--strata", in->strata },
        { "--allocate", in->allocate },   { "--size", in->size },
        { "--rate", in->rate },           { "--take", in->take },
        { "--take-each", in->take_each }, { "--every", in->every },
        { "--least", in->least },         { "--within", in->within },
        { "--then", in->then },           { "--then-take", in->then_take }
    };
    char *argv[2 * PUAN_COUNT(said) + 2];
    struct puan_draw_options o;
    const char *at = "", *bad;
    struct puan_act act;
    struct puan_jw *w;
    int argc = 1;
    int64_t id = 0;

    for (size_t i = 0; i < PUAN_COUNT(said); i++) {
        struct puan_str value = puan_str_trim(said[i].value);

        if (value.n == 0)
            continue;
        argv[argc++] = (char *)(uintptr_t)said[i].name;
        argv[argc++] = (char *)(uintptr_t)puan_arena_dup(rq->arena, value);
    }
    argv[argc++] = (char *)(uintptr_t) "listing";
    TRY(puan_arena_check(rq->arena, err));
    bad = puan_draw_parse(&o, &at, argc, argv);
    if (bad)
        return puan_fail(err, PUAN_EINVAL,
                         strncmp(at, "--", 2) == 0 ? at + 2 : at, "%s", bad);
    puan_request_act(&act, rq, (struct puan_str){ "", 0 });
    TRY(puan_register_draw(&id, rq->store, &act, rq->area, in->purpose,
                           in->note, &o, rq->arena, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", id);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- one draw
 * ------------------------------------------------------------------ */

struct one_in {
    int64_t id;
    struct puan_str item, by, file;
};
static const struct puan_param one_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct one_in, id), 1, INT64_MAX, false },
};
static const struct puan_param estimate_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct one_in, id), 1, INT64_MAX, false },
    { "item", PUAN_PARAM_TEXT, offsetof(struct one_in, item), 1, 64, true },
    { "by", PUAN_PARAM_TEXT, offsetof(struct one_in, by), 1, 64, true },
};
static const struct puan_param results_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct one_in, id), 1, INT64_MAX, false },
    { "file", PUAN_PARAM_TEXT, offsetof(struct one_in, file), 1, 200, true },
};

static enum puan_status area_of(int64_t *area, struct puan_request *rq,
                                const void *v, struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db, "SELECT area FROM sample WHERE id = $1", err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->id);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            *area = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "id", "no such draw");
    return st;
}

/* Units of the last stage by the area just below the sample's: of the frame,
   and drawn. */
struct tally {
    const struct puan_area_tree *t;
    uint32_t root;
    unsigned below;      /* level */
    int level;           /* of the unit, -1 household */
    uint32_t last;       /* unit counted last */
    int64_t *of, *drawn; /* by index in the tree */
};

static uint32_t place(const struct tally *y, uint32_t ea)
{
    uint32_t up =
        ea == PUAN_AREA_NONE ? ea : puan_area_ancestor(y->t, ea, y->below);

    return up;
}

static enum puan_status frame_tally(struct tally *y,
                                    const struct puan_sample_row *row,
                                    struct puan_arena *a, struct puan_err *err)
{
    int64_t *key = NULL;
    size_t n = 0;

    TRY(puan_roll_kept(&key, &n, row->households, a, err));
    for (size_t i = 0; i < n; i++) {
        uint32_t ea = puan_area_of_household(y->t, key[i]);
        uint32_t at = place(y, ea);

        if (at == PUAN_AREA_NONE)
            continue;
        if (y->level >= 0) {
            uint32_t unit = puan_area_ancestor(y->t, ea, (unsigned)y->level);

            if (unit == y->last)
                continue;
            y->last = unit;
        }
        y->of[at]++;
    }
    return PUAN_OK;
}

static enum puan_status drawn_tally(struct tally *y,
                                    const struct puan_sample_row *row,
                                    const char *unit, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_arena line;
    struct puan_csv c;
    bool more = true;
    enum puan_status st;
    int at = -1;

    puan_arena_init(&line, a->host);
    st = puan_csv_open(&c, row->drawn, "selection", a, &line, err);
    if (st == PUAN_OK)
        at = puan_csv_column(&c, unit);
    while (st == PUAN_OK && at >= 0 &&
           (st = puan_csv_next(&more, &c, err)) == PUAN_OK && more) {
        int64_t code = 0;
        uint32_t i;

        if (!puan_int_parse(&code, c.field[at]))
            continue;
        i = y->level < 0 ? puan_area_of_household(y->t, code)
                         : puan_area_find(y->t, code);
        i = place(y, i);
        if (i != PUAN_AREA_NONE)
            y->drawn[i]++;
    }
    puan_arena_clear(&line);
    return st;
}

static enum puan_status put_areas(struct puan_jw *w, struct puan_request *rq,
                                  const struct puan_sample_row *row,
                                  const struct puan_node *record,
                                  struct puan_err *err)
{
    struct tally y = { .t = puan_store_areas(rq->store),
                       .last = PUAN_AREA_NONE };
    struct puan_draw_options o;
    const char *none = "listing", *unit;

    TRY(puan_draw_again(&o, record, "record", &none, 1, rq->arena, err));
    unit = o.select.within ? o.select.within
           : o.select.unit ? o.select.unit
                           : "household";
    y.level = puan_area_level_of(y.t, puan_str_of(unit));
    y.root = puan_area_find(y.t, row->area);
    y.of = puan_new_n(rq->arena, y.t->n + 1, int64_t);
    y.drawn = puan_new_n(rq->arena, y.t->n + 1, int64_t);
    TRY(puan_arena_check(rq->arena, err));
    puan_jw_ktext(w, "unit", unit);
    puan_jw_key(w, "areas");
    puan_jw_list(w);
    if (y.root != PUAN_AREA_NONE &&
        y.t->area[y.root].level + 1u < y.t->n_levels) {
        y.below = y.t->area[y.root].level + 1u;
        TRY(frame_tally(&y, row, rq->arena, err));
        TRY(drawn_tally(&y, row, unit, rq->arena, err));
        for (uint32_t i = puan_area_next(y.t, y.root, y.below, PUAN_AREA_NONE);
             i != PUAN_AREA_NONE; i = puan_area_next(y.t, y.root, y.below, i)) {
            if (y.of[i] == 0)
                continue;
            puan_jw_map(w);
            puan_jw_kcode(w, "code", y.t->area[i].code);
            puan_jw_kstr(w, "zh", y.t->area[i].zh);
            puan_jw_kstr(w, "en", y.t->area[i].en);
            puan_jw_kint(w, "units", y.of[i]);
            puan_jw_kint(w, "drawn", y.drawn[i]);
            puan_jw_end(w, '}');
        }
    }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

/* Strata as drawn; of areas with their names. */
static void put_strata(struct puan_jw *w, struct puan_request *rq,
                       const struct puan_node *record)
{
    const struct puan_node *list = puan_node_get(record, "strata");
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    size_t n = 0;

    puan_jw_kint(w, "n_strata", list ? (int64_t)list->n : 0);
    puan_jw_key(w, "strata");
    puan_jw_list(w);
    PUAN_NODE_EACH(x, list)
    {
        struct puan_str label = puan_node_str_opt(x, "stratum", "");
        uint32_t i = puan_area_find_digits(t, label);

        if (n++ == STRATA_SHOWN)
            break;
        puan_jw_map(w);
        puan_jw_kstr(w, "stratum", label);
        if (i != PUAN_AREA_NONE) {
            puan_jw_kstr(w, "zh", t->area[i].zh);
            puan_jw_kstr(w, "en", t->area[i].en);
        }
        put_number(w, "units", x, "units");
        put_number(w, "taken", x, "taken");
        if (puan_node_get(x, "size"))
            put_number(w, "size", x, "size");
        if (puan_node_get(x, "certain"))
            put_number(w, "certain", x, "certain");
        if (puan_node_get(x, "second_taken"))
            put_number(w, "second", x, "second_taken");
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status put_results(struct puan_jw *w, struct puan_request *rq,
                                    int64_t id, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT file, rows, at, actor FROM sample_result WHERE"
                  " sample = $1 ORDER BY id DESC LIMIT 50",
                  err);
    puan_jw_key(w, "results");
    puan_jw_list(w);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, id);
    while (st == PUAN_OK && (st = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        puan_jw_map(w);
        puan_jw_kstr(w, "file", puan_col_text(s, 0));
        puan_jw_kint(w, "rows", puan_col_int(s, 1));
        puan_jw_kinstant(w, "at", puan_col_int(s, 2),
                         puan_store_plan(rq->store)->offset_minutes);
        puan_jw_kstr(w, "by", puan_col_text(s, 3));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_stmt_done(s);
    puan_read_end(office, db);
    return st;
}

static enum puan_status show(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_sample_row row;
    struct puan_node *record = NULL;
    struct puan_out text;
    struct puan_jw w;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    TRY(puan_json_tree(&record, row.record, "record", rq->arena, err));
    puan_out_init(&text, rq->arena);
    puan_jw_init(&w, &text);
    puan_jw_map(&w);
    put_draw(&w, rq, row.id, row.area, row.purpose, row.note, row.at_ms,
             row.actor, record);
    put_strata(&w, rq, record);
    TRY(put_areas(&w, rq, &row, record, err));
    TRY(put_results(&w, rq, row.id, err));
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&text));
    return PUAN_OK;
}

static enum puan_status verify(struct puan_request *rq, const void *v,
                               struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_register_verdict x;
    struct puan_sample_row row;
    struct puan_jw *w;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    TRY(puan_register_verify(&x, rq->store, &row, rq->arena, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kbool(w, "frame", x.frame_same);
    puan_jw_kbool(w, "selection", x.drawn_same);
    puan_jw_kbool(w, "kept", x.kept_same);
    puan_jw_kint(w, "rows", (int64_t)x.rows);
    puan_jw_kint(w, "added", (int64_t)x.added);
    puan_jw_kint(w, "gone", (int64_t)x.gone);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status selection(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_sample_row row;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    puan_answer_bytes(rq, 200, "text/csv; charset=utf-8", row.drawn);
    return PUAN_OK;
}

static enum puan_status record(struct puan_request *rq, const void *v,
                               struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_sample_row row;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    puan_answer_json(rq, 200, row.record);
    return PUAN_OK;
}

static enum puan_status load(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_sample_row row;
    struct puan_act act;
    struct puan_jw *w;
    uint64_t rows = 0;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    puan_request_act(&act, rq, (struct puan_str){ "", 0 });
    TRY(puan_register_results(&rows, rq->store, &act, &row,
                              in->file.n ? puan_arena_dup(rq->arena, in->file)
                                         : "results.csv",
                              rq->body, rq->arena, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "rows", (int64_t)rows);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* Estimates are running results: each reading is an entry. */
static enum puan_status leave_trace(uint64_t *seq, struct puan_request *rq,
                                    int64_t id, struct puan_err *err)
{
    struct puan_act act;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(
                         rq->arena, "sample/%lld/estimate", (long long)id)));
    TRY(puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err));
    *seq = act.seq;
    return PUAN_OK;
}

static enum puan_status estimate(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    const struct one_in *in = v;
    struct puan_observed seen = { .file = { .fd = -1 } };
    struct puan_sample_row row;
    struct puan_str json = { "", 0 };
    struct puan_jw *w;
    uint64_t seq = 0;
    enum puan_status st;

    TRY(puan_register_read(&row, rq->store, in->id, rq->arena, err));
    st = puan_register_observed(&seen, rq->store, &row, rq->arena, err);
    if (st == PUAN_OK)
        st = puan_observed_estimates(&json, &seen, in->item, in->by, rq->arena,
                                     err);
    puan_observed_fail(err, &seen);
    puan_observed_close(&seen);
    if (st == PUAN_OK)
        st = leave_trace(&seq, rq, in->id, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "file", seen.name);
    puan_jw_kinstant(w, "at", seen.at_ms,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kint(w, "rows", (int64_t)seen.rows);
    puan_jw_kint(w, "observed", (int64_t)seen.units);
    puan_jw_kint(w, "drawn", (int64_t)seen.drawn);
    puan_jw_kbool(w, "ultimate", seen.ultimate);
    puan_jw_key(w, "columns");
    puan_jw_list(w);
    for (size_t i = 0; i < seen.n_columns; i++)
        puan_jw_str(w, seen.column[i]);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "entry", (int64_t)seq);
    puan_jw_key(w, "estimate");
    puan_jw_raw(w, json);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- tables ---------------------------------------------------------------
 */

const struct puan_route puan_register_routes[8] = {
    { PUAN_GET, "/c/{campaign}/samples", "sample.view", PUAN_SCOPE_AREA, "",
      "Draws of the register of an area and those in it", list,
      PUAN_PARAMS(list_params, struct list_in) },
    { PUAN_POST, "/c/{campaign}/samples", "sample.draw", PUAN_SCOPE_AREA,
      "sample.draw", "Draw a sample over the listing roll of an area", draw,
      PUAN_PARAMS(draw_params, struct draw_in) },
    { PUAN_GET, "/c/{campaign}/samples/{id}", "sample.view", PUAN_SCOPE_OBJECT,
      "", "One draw: design, strata, areas, what has been loaded for it", show,
      PUAN_PARAMS(one_params, struct one_in), .area_of = area_of },
    { PUAN_GET, "/c/{campaign}/samples/{id}/verify", "sample.view",
      PUAN_SCOPE_OBJECT, "", "Draw again and compare with the record", verify,
      PUAN_PARAMS(one_params, struct one_in), .area_of = area_of },
    { PUAN_GET, "/c/{campaign}/samples/{id}/selection", "sample.view",
      PUAN_SCOPE_OBJECT, "", "The units drawn (CSV)", selection,
      PUAN_PARAMS(one_params, struct one_in), .area_of = area_of },
    { PUAN_GET, "/c/{campaign}/samples/{id}/record", "sample.view",
      PUAN_SCOPE_OBJECT, "", "The record of a draw, as puan sample writes it",
      record, PUAN_PARAMS(one_params, struct one_in), .area_of = area_of },
    { PUAN_POST, "/c/{campaign}/samples/{id}/results", "sample.results",
      PUAN_SCOPE_OBJECT, "sample.results",
      "Keep what was found in the units drawn (CSV)", load,
      PUAN_PARAMS(results_params, struct one_in), .max_body = 64u << 20,
      .raw_body = true, .area_of = area_of },
    { PUAN_GET, "/c/{campaign}/samples/{id}/estimate", "evaluation.view",
      PUAN_SCOPE_OBJECT, "evaluation.view",
      "Estimates with standard errors of what was found; the reading is an "
      "entry",
      estimate, PUAN_PARAMS(estimate_params, struct one_in),
      .area_of = area_of },
};
