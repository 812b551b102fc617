/*
 * What was found in the units drawn: kept in the register, and joined to the
 * design for the estimators.
 */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/sample/register.h"
#include "features/sample/roll.h"
#include "kit/sheet/sheet.h"

#define ROWS_MOST 2000000

/* A unit drawn, as the selection has it. */
struct unit {
    int64_t code;
    struct puan_str design; /* stratum,unit_row,codes…,weight,p,… as CSV */
    uint64_t seen;          /* rows observed */
};

struct join {
    struct puan_store *st;
    const struct puan_area_tree *t;
    const struct puan_sample_row *row;
    struct puan_arena *a;
    struct puan_draw_options o; /* as drawn */
    const char *name;           /* of the entity drawn last */
    int level;                  /* of it; -1: household */
    unsigned first;             /* level of the sample's area */
    struct unit *unit;
    size_t n, room;
    struct puan_str head; /* the columns of `design` */
};

/* ---- the selection ------------------------------------------------------- */

static int by_code(const void *x, const void *y)
{
    const struct unit *a = x, *b = y;

    return (a->code > b->code) - (a->code < b->code);
}

static struct unit *unit_of(const struct join *j, int64_t code)
{
    struct unit key = { .code = code };

    return j->n ? bsearch(&key, j->unit, j->n, sizeof(*j->unit), by_code)
                : NULL;
}

/* Where the columns of `design` stand in the selection. */
struct places {
    int at[16 + PUAN_AREA_LEVELS];
    size_t n;
    int code;
};

static void place(struct places *p, struct puan_out *head,
                  const struct puan_csv *c, const char *name, const char *as)
{
    int at = puan_csv_column(c, name);

    if (at < 0)
        return;
    p->at[p->n++] = at;
    if (head->n)
        puan_out_char(head, ',');
    puan_out_text(head, as);
}

static void places_of(struct places *p, struct join *j,
                      const struct puan_csv *c)
{
    struct puan_out head;

    puan_out_init(&head, j->a);
    *p = (struct places){ .code = puan_csv_column(c, j->name) };
    place(p, &head, c, "stratum", "stratum");
    place(p, &head, c, j->o.select.within ? "unit_row" : "row", "unit_row");
    for (unsigned k = j->first; k < j->t->n_levels; k++) {
        const char *level = puan_arena_dup(j->a, j->t->level[k].name);

        place(p, &head, c, level, level);
    }
    place(p, &head, c, "household", "household");
    place(p, &head, c, "weight", "weight");
    place(p, &head, c, "p", "p");
    place(p, &head, c, "stratum_units", "stratum_units");
    place(p, &head, c, "second_units", "second_units");
    j->head = puan_out_view(&head);
}

static enum puan_status take_unit(struct join *j, const struct places *p,
                                  const struct puan_csv *c,
                                  struct puan_err *err)
{
    struct puan_out design;
    struct unit *u;

    if (j->n == j->room) {
        size_t room = j->room ? 2 * j->room : 1024;
        struct unit *more = puan_new_n(j->a, room, struct unit);

        if (!more)
            return puan_arena_check(j->a, err);
        if (j->n)
            memcpy(more, j->unit, j->n * sizeof(*more));
        j->unit = more;
        j->room = room;
    }
    u = &j->unit[j->n++];
    *u = (struct unit){ .code = 0 };
    if (!puan_int_parse(&u->code, c->field[p->code]))
        return puan_fail_at(err, PUAN_EINVAL, "selection", c->line, 1,
                            "the selection kept is damaged");
    puan_out_init(&design, j->a);
    for (size_t i = 0; i < p->n; i++) {
        if (i)
            puan_out_char(&design, ',');
        puan_csv_put(&design, c->field[p->at[i]]);
    }
    u->design = puan_out_view(&design);
    return puan_arena_check(j->a, err);
}

static enum puan_status selection(struct join *j, struct puan_err *err)
{
    struct puan_arena row;
    struct puan_csv c;
    struct places p = { .n = 0 };
    bool more = true;
    enum puan_status st;

    puan_arena_init(&row, puan_os_alloc());
    st = puan_csv_open(&c, j->row->drawn, "selection", j->a, &row, err);
    if (st == PUAN_OK)
        places_of(&p, j, &c);
    if (st == PUAN_OK && p.code < 0)
        st = puan_fail(err, PUAN_EINVAL, "selection",
                       "the selection kept is damaged");
    while (st == PUAN_OK && (st = puan_csv_next(&more, &c, err)) == PUAN_OK &&
           more)
        st = take_unit(j, &p, &c, err);
    puan_arena_clear(&row);
    if (st == PUAN_OK && j->n)
        qsort(j->unit, j->n, sizeof(*j->unit), by_code);
    return st;
}

static enum puan_status join_open(struct join *j, struct puan_store *st,
                                  const struct puan_sample_row *row,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *record = NULL;
    const char *none = "listing";

    *j = (struct join){
        .st = st, .t = puan_store_areas(st), .row = row, .a = a
    };
    TRY(puan_json_tree(&record, row->record, "record", a, err));
    TRY(puan_draw_again(&j->o, record, "record", &none, 1, a, err));
    puan_roll_levels(&j->first, j->t, row->area);
    j->name = j->o.select.within ? j->o.select.within
              : j->o.select.unit ? j->o.select.unit
                                 : "household";
    j->level = puan_area_level_of(j->t, puan_str_of(j->name));
    return selection(j, err);
}

/* ---- observations -------------------------------------------------------- */

struct reading {
    struct puan_csv c;
    int code, sample, mover, result;
    bool by_household;
    bool skip[PUAN_OBSERVED_COLUMNS]; /* said by the design already */
};

/* A column of the design, or one that names an area or a household. */
static bool of_design(const struct join *j, struct puan_str name)
{
    static const char *const own[] = {
        "stratum", "row",           "unit_row",     "weight",
        "p",       "stratum_units", "second_units", "household"
    };

    for (size_t i = 0; i < PUAN_COUNT(own); i++)
        if (puan_str_is(name, own[i]))
            return true;
    return puan_area_level_of(j->t, name) >= 0;
}

/* A name of an item that the forms of the plan seal, or a common one. */
static bool is_identity(const struct puan_plan *plan, struct puan_str name)
{
    static const char *const common[] = { "name",     "full_name", "id_number",
                                          "phone",    "address",   "姓名",
                                          "身份证号", "电话",      "地址" };

    for (size_t i = 0; i < PUAN_COUNT(common); i++)
        if (puan_str_is(name, common[i]))
            return true;
    for (size_t f = 0; f < plan->n_forms; f++)
        for (size_t e = 0; e < plan->form[f]->n_entities; e++) {
            const struct puan_entity *x = &plan->form[f]->entity[e];

            for (size_t i = 0; i < x->n_items; i++)
                if (x->items[i].zone == PUAN_ZONE_VAULT &&
                    (puan_str_eq(name, x->items[i].name) ||
                     puan_str_eq(name, x->items[i].zh)))
                    return true;
        }
    return false;
}

static enum puan_status head_of(struct reading *r, const struct join *j,
                                struct puan_err *err)
{
    const struct puan_csv *c = &r->c;

    r->code = puan_csv_column(c, "household");
    r->by_household = r->code >= 0;
    if (r->code < 0 && j->level >= 0)
        r->code = puan_csv_column(c, j->name);
    if (r->code < 0)
        return puan_fail_at(err, PUAN_EINVAL, c->file, 1, 0,
                            "the header has no column household%s%s: the code "
                            "of the unit observed",
                            j->level >= 0 ? " or " : "",
                            j->level >= 0 ? j->name : "");
    if (c->n > PUAN_OBSERVED_COLUMNS)
        return puan_fail_at(err, PUAN_ELIMIT, c->file, 1, 0,
                            "more than %d columns", PUAN_OBSERVED_COLUMNS);
    for (size_t i = 0; i < c->n; i++) {
        r->skip[i] = of_design(j, c->header[i]);
        if (is_identity(puan_store_plan(j->st), c->header[i]))
            return puan_fail_at(err, PUAN_EINVAL, c->file, 1, 0,
                                "column \"%.*s\" holds identities, which are "
                                "no part of the register: leave it out",
                                PUAN_FMT(c->header[i]));
    }
    r->sample = puan_csv_column(c, "sample");
    r->mover = puan_csv_column(c, "mover");
    r->result = puan_csv_column(c, "result");
    if (puan_str_is(j->row->purpose, "post-enumeration") && r->result < 0)
        return puan_fail_at(err, PUAN_EINVAL, c->file, 1, 0,
                            "the header has no column result: matched or "
                            "missed of a person of the survey, correct, "
                            "duplicate or erroneous of a census record");
    return PUAN_OK;
}

static bool among(struct puan_str s, const char *const *words)
{
    for (; *words; words++)
        if (puan_str_is(s, *words))
            return true;
    return false;
}

/* The words of a matching result, as puan evaluate coverage takes them. */
static enum puan_status words_of(const struct reading *r, struct puan_err *err)
{
    static const char *const persons[] = { "P", "p", "", NULL };
    static const char *const records[] = { "E", "e", NULL };
    static const char *const found[] = { "matched", "missed", "1", "0", NULL };
    static const char *const kinds[] = { "correct", "duplicate", "erroneous",
                                         "1",       "2",         "0",
                                         NULL };
    static const char *const moved[] = { "",  "stayed", "out", "in",
                                         "N", "O",      "I",   NULL };
    static const char *const in[] = { "in", "I", NULL };
    const struct puan_csv *c = &r->c;
    struct puan_str none = { "", 0 };
    struct puan_str sample = r->sample < 0 ? none : c->field[r->sample];
    struct puan_str mover = r->mover < 0 ? none : c->field[r->mover];
    struct puan_str result = c->field[r->result];

    if (among(sample, records)) {
        if (among(result, kinds))
            return PUAN_OK;
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)r->result + 1,
                            "result of a census record is correct, duplicate "
                            "or erroneous, not \"%.*s\"",
                            PUAN_FMT(result));
    }
    if (!among(sample, persons))
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)r->sample + 1,
                            "sample is P (a person of the survey) or E (a "
                            "record of the census), not \"%.*s\"",
                            PUAN_FMT(sample));
    if (!among(mover, moved))
        return puan_fail_at(
            err, PUAN_EINVAL, c->file, c->line, (uint32_t)r->mover + 1,
            "mover is stayed, out or in, not \"%.*s\"", PUAN_FMT(mover));
    if (!among(result, found) && !(result.n == 0 && among(mover, in)))
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)r->result + 1,
                            "result of a person of the survey is matched or "
                            "missed, not \"%.*s\"",
                            PUAN_FMT(result));
    return PUAN_OK;
}

/* The unit a row is of. */
static enum puan_status unit_at(struct unit **u, struct join *j,
                                const struct reading *r, struct puan_err *err)
{
    struct puan_str said = puan_str_trim(r->c.field[r->code]);
    int64_t code = 0, unit;

    if (!puan_int_parse(&code, said) || code < 1)
        return puan_fail_at(err, PUAN_EINVAL, r->c.file, r->c.line,
                            (uint32_t)r->code + 1,
                            "\"%.*s\" is no code of a unit", PUAN_FMT(said));
    unit = code;
    if (r->by_household && j->level >= 0) {
        uint32_t ea = puan_area_of_household(j->t, code);
        uint32_t up = ea == PUAN_AREA_NONE
                          ? ea
                          : puan_area_ancestor(j->t, ea, (unsigned)j->level);

        unit = up == PUAN_AREA_NONE ? 0 : j->t->area[up].code;
    }
    *u = unit_of(j, unit);
    if (!*u)
        return puan_fail_at(err, PUAN_EINVAL, r->c.file, r->c.line,
                            (uint32_t)r->code + 1,
                            "%.*s is not of this sample: its %s was not drawn",
                            PUAN_FMT(said), j->name);
    (*u)->seen++;
    return PUAN_OK;
}

static void put_head(struct puan_out *o, struct puan_observed *out,
                     const struct join *j, const struct reading *r,
                     struct puan_arena *a)
{
    puan_out_str(o, j->head);
    for (size_t i = 0; i < r->c.n; i++) {
        if (r->skip[i])
            continue;
        puan_out_char(o, ',');
        puan_csv_put(o, r->c.header[i]);
        out->column[out->n_columns++] = puan_arena_keep(a, r->c.header[i]);
    }
    puan_out_char(o, '\n');
}

/* Reads observations to the end; joined rows into `o` unless it is NULL. */
static enum puan_status walk(struct join *j, struct puan_observed *out,
                             struct puan_out *o, const char *file,
                             struct puan_str csv, struct puan_err *err)
{
    struct reading r = { .code = -1 };
    struct puan_arena row;
    bool more = true;
    enum puan_status st;

    puan_arena_init(&row, puan_os_alloc());
    st = puan_csv_open(&r.c, csv, file, j->a, &row, err);
    if (st == PUAN_OK)
        st = head_of(&r, j, err);
    if (st == PUAN_OK && o)
        put_head(o, out, j, &r, j->a);
    while (st == PUAN_OK && (st = puan_csv_next(&more, &r.c, err)) == PUAN_OK &&
           more) {
        struct unit *u = NULL;

        if (++out->rows > ROWS_MOST)
            st = puan_fail_at(err, PUAN_ELIMIT, file, r.c.line, 0,
                              "more than %d rows", ROWS_MOST);
        if (st == PUAN_OK)
            st = unit_at(&u, j, &r, err);
        if (st == PUAN_OK && puan_str_is(j->row->purpose, "post-enumeration"))
            st = words_of(&r, err);
        if (st != PUAN_OK || !o)
            continue;
        puan_out_str(o, u->design);
        for (size_t i = 0; i < r.c.n; i++)
            if (!r.skip[i]) {
                puan_out_char(o, ',');
                puan_csv_put(o, r.c.field[i]);
            }
        puan_out_char(o, '\n');
    }
    puan_arena_clear(&row);
    if (st == PUAN_OK && out->rows == 0)
        st = puan_fail_at(err, PUAN_EINVAL, file, 2, 0, "has no row");
    for (size_t i = 0; i < j->n; i++)
        out->units += j->unit[i].seen > 0;
    out->drawn = j->n;
    return st == PUAN_OK ? puan_arena_check(j->a, err) : st;
}

/* ---- keeping ------------------------------------------------------------- */

struct keep {
    int64_t id, sample, at_ms, rows;
    struct puan_str actor, file, data;
};

static enum puan_status keep(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct keep *k = arg;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;

    TRY(puan_db_int(&k->id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM sample_result", 0,
                    err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO sample_result(id, sample, at, actor, file, rows,"
                 " data) VALUES($1, $2, $3, $4, $5, $6, $7)",
                 err));
    puan_bind_int(s, 1, k->id);
    puan_bind_int(s, 2, k->sample);
    puan_bind_int(s, 3, k->at_ms);
    puan_bind_text(s, 4, k->actor);
    puan_bind_text(s, 5, k->file);
    puan_bind_int(s, 6, k->rows);
    puan_bind_bytes(s, 7, k->data.p, k->data.n);
    TRY(puan_stmt_once(s, err));
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    puan_content_int(&o, k->sample);
    puan_content_int(&o, k->at_ms);
    puan_content_text(&o, k->actor);
    puan_content_text(&o, k->file);
    puan_content_int(&o, k->rows);
    puan_content_bytes(&o, k->data);
    st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st = puan_cover_id(sh, db, act, "sample_result", k->id,
                           puan_out_view(&o), err);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_register_results(uint64_t *rows, struct puan_store *st,
                                       const struct puan_act *who,
                                       const struct puan_sample_row *row,
                                       const char *file, struct puan_str csv,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct keep k = { .sample = row->id,
                      .at_ms = puan_store_now(st),
                      .actor = who->actor,
                      .file = puan_str_of(file),
                      .data = csv };
    struct puan_observed out = { .rows = 0 };
    struct puan_act act = *who;
    struct join j;

    TRY(join_open(&j, st, row, a, err));
    TRY(walk(&j, &out, NULL, file, csv, err));
    *rows = out.rows;
    k.rows = (int64_t)out.rows;
    act.verb = PUAN_STR("sample.results");
    act.subject =
        puan_str_of(puan_arena_fmt(a, "sample/%lld", (long long)row->id));
    TRY(puan_arena_check(a, err));
    return puan_commit(puan_store_office(st), &act, keep, &k, err);
}

/* ---- as estimators read them --------------------------------------------- */

static enum puan_status newest(struct puan_observed *out, struct puan_str *csv,
                               struct puan_store *st, int64_t sample,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT file, at, data FROM sample_result WHERE sample = $1"
                  " ORDER BY id DESC LIMIT 1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, sample);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more) {
            out->name = puan_arena_dup(a, puan_col_text(s, 0));
            out->at_ms = puan_col_int(s, 1);
            *csv = puan_arena_keep(a, puan_col_bytes(s, 2));
        }
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    if (rc == PUAN_OK && !more)
        rc = puan_fail(err, PUAN_ENOTFOUND, "sample",
                       "nothing observed has been loaded for draw %lld yet",
                       (long long)sample);
    return rc == PUAN_OK ? puan_arena_check(a, err) : rc;
}

/* A household of two stages seen twice: its rows are no units by themselves. */
static bool several_of_one(const struct join *j)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->unit[i].seen > 1)
            return true;
    return false;
}

static void option(struct puan_observed *out, const char *name,
                   const char *value)
{
    out->option[out->n++] = name;
    out->option[out->n++] = value;
}

static void options_of(struct puan_observed *out, const struct join *j)
{
    const struct puan_select *s = &j->o.select;
    int level =
        s->strata ? puan_area_level_of(j->t, puan_str_of(s->strata)) : -1;

    out->ultimate = s->within && several_of_one(j);
    out->strata_are_areas = level >= 0;
    out->stratum_level = level >= 0 ? (unsigned)level : 0;
    option(out, "--weight", "weight");
    option(out, "--strata", "stratum");
    option(out, "--cluster", "unit_row");
    option(out, "--lonely", "centre");
    if (out->ultimate)
        return;
    if (s->method == PUAN_PPS) {
        option(out, "--drawn", "pps");
        option(out, "--p", "p");
    } else {
        option(out, "--stratum-units", "stratum_units");
    }
    if (s->within)
        option(out, "--second-units", "second_units");
}

enum puan_status puan_register_observed(struct puan_observed *out,
                                        struct puan_store *st,
                                        const struct puan_sample_row *row,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_str csv = { "", 0 };
    struct puan_out o;
    struct join j;

    *out = (struct puan_observed){ .file = { .fd = -1 } };
    TRY(newest(out, &csv, st, row->id, a, err));
    TRY(join_open(&j, st, row, a, err));
    puan_out_init(&o, a);
    TRY(walk(&j, out, &o, out->name, csv, err));
    options_of(out, &j);
    return puan_memory_file_open(&out->file, puan_out_view(&o), err);
}

void puan_observed_close(struct puan_observed *o)
{
    puan_memory_file_close(&o->file);
}

void puan_observed_fail(struct puan_err *err, const struct puan_observed *o)
{
    if (err && o->name && strncmp(err->where, "/proc/", 6) == 0)
        puan_format(err->where, sizeof(err->where), "%s", o->name);
}

/* ---- estimates of what is observed --------------------------------------- */

#define FEW 12       /* words or codes of which shares are told */
#define ESTIMATES 24 /* at most */

/* What the cells of a column are. */
struct nature {
    bool number;
    double value[FEW + 1];
    struct puan_str word[FEW + 1];
    size_t n_values, n_words; /* FEW + 1: more */
    bool any;
};

static void look(struct nature *x, struct puan_str s, struct puan_arena *a)
{
    int64_t v = 0;
    size_t i = 0;

    s = puan_str_trim(s);
    if (s.n == 0)
        return;
    x->any = true;
    x->number &= puan_fixed_parse(&v, s, 6);
    while (i < x->n_values && x->value[i] < (double)v)
        i++;
    if (x->n_values <= FEW && (i == x->n_values || x->value[i] > (double)v)) {
        memmove(x->value + i + 1, x->value + i,
                (x->n_values - i) * sizeof(*x->value));
        x->value[i] = (double)v;
        x->n_values++;
    }
    for (i = 0; i < x->n_words; i++)
        if (puan_str_eq(x->word[i], s))
            return;
    if (x->n_words <= FEW)
        x->word[x->n_words++] = puan_arena_keep(a, s);
}

/* Codes: few whole numbers, but not yes and no, whose mean is the share. */
static bool are_codes(const struct nature *x)
{
    if (!x->number || x->n_values > 8)
        return false;
    for (size_t i = 0; i < x->n_values; i++)
        if ((int64_t)x->value[i] % 1000000 != 0)
            return false;
    return x->n_values > 0 && x->value[x->n_values - 1] > 1000000;
}

static enum puan_status natures(struct nature *x, const struct puan_observed *o,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int at[PUAN_OBSERVED_COLUMNS];
    bool more = true;
    enum puan_status st = puan_sheet_open(&s, o->file.path, err);

    for (size_t i = 0; st == PUAN_OK && i < o->n_columns; i++) {
        at[i] = puan_sheet_column(s, puan_arena_dup(a, o->column[i]));
        x[i] = (struct nature){ .number = true };
    }
    while (st == PUAN_OK && (st = puan_sheet_next(&more, s, err)) == PUAN_OK &&
           more)
        for (size_t i = 0; i < o->n_columns; i++)
            if (at[i] >= 0)
                look(&x[i], puan_sheet_row(s)->field[at[i]], a);
    puan_sheet_close(s);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

enum puan_status
puan_observed_estimates(struct puan_str *json, const struct puan_observed *o,
                        struct puan_str item, struct puan_str by,
                        struct puan_arena *a, struct puan_err *err)
{
    struct nature x[PUAN_OBSERVED_COLUMNS];
    char *argv[16 + 4 * ESTIMATES + 4];
    int argc = 0;
    size_t wanted = 0;

    TRY(natures(x, o, a, err));
    argv[argc++] = (char *)(uintptr_t) "estimate";
    argv[argc++] = (char *)(uintptr_t)o->file.path;
    for (size_t i = 0; i < o->n; i++)
        argv[argc++] = (char *)(uintptr_t)o->option[i];
    if (by.n) {
        argv[argc++] = (char *)(uintptr_t) "--by";
        argv[argc++] = (char *)(uintptr_t)puan_arena_dup(a, by);
    }
    for (size_t i = 0; i < o->n_columns && wanted < ESTIMATES; i++) {
        bool share = !x[i].number || are_codes(&x[i]);
        char *name = (char *)(uintptr_t)puan_arena_dup(a, o->column[i]);

        if ((item.n && !puan_str_eq(item, o->column[i])) || !x[i].any ||
            (share && x[i].n_words > FEW && !item.n))
            continue;
        argv[argc++] = (char *)(uintptr_t)(share ? "--share" : "--mean");
        argv[argc++] = name;
        if (!share) {
            argv[argc++] = (char *)(uintptr_t) "--total";
            argv[argc++] = name;
        }
        wanted++;
    }
    TRY(puan_arena_check(a, err));
    if (wanted == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "item",
                         "nothing observed can be estimated: columns of "
                         "numbers, codes or at most %d words are",
                         FEW);
    return puan_estimate_json(json, argc, argv, a, err);
}
