/*
 * The coding desk; see desk.h.
 */
#include "features/code/desk.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/csv.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "kit/os/heap.h"

#define LISTS 2
#define ROWS_MOST 20000 /* of one load */
#define SAID_MOST 600   /* bytes of a text */
#define SHOWN 5

extern const struct puan_feature puan_feature_code;

static const char *const list_name[LISTS] = { "industry", "occupation" };
static const char *const state_name[] = { "open", "second", "differs",
                                          "done", "vague",  "machine" };

/* --- the coders of a plan ------------------------------------------------- */

struct desk {
    pthread_mutex_t lock;
    struct puan_arena arena[LISTS];
    struct puan_coder *coder[LISTS];
};

enum puan_status desk_open(void **state, struct puan_store *st,
                           struct puan_err *err)
{
    struct desk *d = calloc(1, sizeof(*d));

    (void)st;
    *state = d;
    if (!d)
        return puan_fail(err, PUAN_ENOMEM, "coding", "out of memory");
    pthread_mutex_init(&d->lock, NULL);
    for (size_t i = 0; i < LISTS; i++)
        puan_arena_init(&d->arena[i], &puan_heap);
    return PUAN_OK;
}

void desk_close(void *state, struct puan_store *st)
{
    struct desk *d = state;

    (void)st;
    if (!d)
        return;
    for (size_t i = 0; i < LISTS; i++)
        puan_arena_clear(&d->arena[i]);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static struct puan_coder_source source(const struct puan_plan *plan,
                                       const char *name, struct puan_arena *a)
{
    const struct puan_plan_file *f = puan_plan_file(
        plan, puan_str_of(puan_arena_fmt(a, "coding/%s.txt", name)));

    return f ? (struct puan_coder_source){ f->text, f->name }
             : (struct puan_coder_source){ { "", 0 }, name };
}

static enum puan_status make(struct desk *d, size_t i,
                             const struct puan_plan *plan, struct puan_err *err)
{
    struct puan_arena *a = &d->arena[i];
    struct puan_coder_source list = source(plan, list_name[i], a);

    if (list.text.n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "of",
                         "this plan has no index of %s to code by",
                         list_name[i]);
    return puan_coder_build(&d->coder[i], list, source(plan, "words", a),
                            source(plan, "traditional", a), a, err);
}

enum puan_status desk_coder(const struct puan_coder **out,
                            struct puan_request *rq, struct puan_str of,
                            struct puan_err *err)
{
    struct desk *d = puan_store_state(rq->store, &puan_feature_code);
    enum puan_status st = PUAN_OK;
    size_t i = 0;

    *out = NULL;
    while (i < LISTS && !puan_str_is(of, list_name[i]))
        i++;
    if (i == LISTS || !d)
        return puan_fail(err, PUAN_EINVAL, "of",
                         "expected industry or occupation");
    pthread_mutex_lock(&d->lock);
    if (!d->coder[i])
        st = make(d, i, puan_store_plan(rq->store), err);
    *out = d->coder[i];
    pthread_mutex_unlock(&d->lock);
    return st;
}

static int64_t setting(const struct puan_request *rq, const char *name,
                       int64_t otherwise)
{
    const struct puan_setting *s =
        puan_plan_setting(puan_store_plan(rq->store), puan_str_of(name));
    int64_t v;

    return s && puan_int_parse(&v, s->text) && v >= 0 && v <= 101 ? v
                                                                  : otherwise;
}

/* --- suggestions ---------------------------------------------------------- */

static void put_hits(struct puan_jw *w, const struct puan_coder *c,
                     const struct puan_coder_answer *x, unsigned digits,
                     size_t most)
{
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < x->n && i < most; i++) {
        const struct puan_coder_node *n = puan_coder_node(c, x->hit[i].node);

        puan_jw_map(w);
        puan_jw_kstr(w, "code", puan_coding_code(c, x->hit[i].node, digits));
        puan_jw_kstr(w, "name", n->name);
        puan_jw_kint(w, "score", x->hit[i].ppm / 10000);
        puan_jw_kstr(w, "like", x->hit[i].nearest);
        puan_jw_key(w, "within");
        puan_jw_list(w);
        for (int32_t up = n->parent; up >= 0;
             up = puan_coder_node(c, (size_t)up)->parent)
            puan_jw_str(w, puan_coder_node(c, (size_t)up)->name);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* The fields of a text, which one line end parts. */
static size_t fields_of(struct puan_str *field, size_t most,
                        struct puan_str said)
{
    size_t n = 0;

    while (n < most && puan_str_split(&field[n], &said, '\n'))
        n++;
    return n;
}

static enum puan_status ask(struct puan_coder_answer *x,
                            const struct puan_coder *c, struct puan_str said,
                            unsigned digits, struct puan_err *err)
{
    struct puan_str field[4];
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_coder_suggest(x, c, field, fields_of(field, 4, said), digits, &a,
                            err);
    puan_arena_clear(&a);
    return st;
}

struct suggest_in {
    int64_t area;
    struct puan_str of, text;
    int64_t digits;
};
static const struct puan_param suggest_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct suggest_in, area), 0, 0, true },
    { "of", PUAN_PARAM_TEXT, offsetof(struct suggest_in, of), 1, 32, false },
    { "text", PUAN_PARAM_TEXT, offsetof(struct suggest_in, text), 0, SAID_MOST,
      true },
    { "digits", PUAN_PARAM_INT, offsetof(struct suggest_in, digits), 0, 16,
      true },
};

static enum puan_status suggest(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct suggest_in *in = v;
    const struct puan_coder *c = NULL;
    struct puan_coder_answer x = { 0 };
    struct puan_jw *w;

    TRY(desk_coder(&c, rq, in->of, err));
    TRY(ask(&x, c, in->text, (unsigned)in->digits, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "state", puan_coding_state(x.state));
    put_hits(w, c, &x, (unsigned)in->digits, SHOWN);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* --- rows ----------------------------------------------------------------- */

struct text {
    int64_t id, area, times, state, rank;
    struct puan_str list, said, code, by1, code1, by2, code2;
};

#define COLUMNS                                                                \
    "id, area, list, said, times, state, rank, code, by1, code1, by2, code2"

static void take(struct text *t, struct puan_stmt *s, struct puan_arena *a)
{
    t->id = puan_col_int(s, 0);
    t->area = puan_col_int(s, 1);
    t->list = puan_arena_keep(a, puan_col_text(s, 2));
    t->said = puan_arena_keep(a, puan_col_text(s, 3));
    t->times = puan_col_int(s, 4);
    t->state = puan_col_int(s, 5);
    t->rank = puan_col_int(s, 6);
    t->code = puan_arena_keep(a, puan_col_text(s, 7));
    t->by1 = puan_arena_keep(a, puan_col_text(s, 8));
    t->code1 = puan_arena_keep(a, puan_col_text(s, 9));
    t->by2 = puan_arena_keep(a, puan_col_text(s, 10));
    t->code2 = puan_arena_keep(a, puan_col_text(s, 11));
}

static enum puan_status cover(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, const struct text *t,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_content_int(&o, t->area);
    puan_content_text(&o, t->list);
    puan_content_text(&o, t->said);
    puan_content_int(&o, t->times);
    puan_content_int(&o, t->state);
    puan_content_int(&o, t->rank);
    puan_content_text(&o, t->code);
    puan_content_text(&o, t->by1);
    puan_content_text(&o, t->code1);
    puan_content_text(&o, t->by2);
    puan_content_text(&o, t->code2);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "coding_text", t->id, puan_out_view(&o),
                         err);
}

static enum puan_status save(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, const struct text *t,
                             bool fresh, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    if (fresh)
        TRY(puan_sql(&s, db,
                     "INSERT INTO coding_text(" COLUMNS ") VALUES($1, $2, $3,"
                     " $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                     err));
    else
        TRY(puan_sql(&s, db,
                     "UPDATE coding_text SET area = $2, list = $3, said = $4,"
                     " times = $5, state = $6, rank = $7, code = $8, by1 = $9,"
                     " code1 = $10, by2 = $11, code2 = $12 WHERE id = $1",
                     err));
    puan_bind_int(s, 1, t->id);
    puan_bind_int(s, 2, t->area);
    puan_bind_text(s, 3, t->list);
    puan_bind_text(s, 4, t->said);
    puan_bind_int(s, 5, t->times);
    puan_bind_int(s, 6, t->state);
    puan_bind_int(s, 7, t->rank);
    puan_bind_text(s, 8, t->code);
    puan_bind_text(s, 9, t->by1);
    puan_bind_text(s, 10, t->code1);
    puan_bind_text(s, 11, t->by2);
    puan_bind_text(s, 12, t->code2);
    st = puan_stmt_once(s, err);
    return st == PUAN_OK ? cover(sh, db, act, t, a, err) : st;
}

/* --- loading -------------------------------------------------------------- */

struct load {
    struct puan_arena *arena;
    struct text *row;
    size_t n, added, merged, machine, vague;
};

/* A text that came before gets the answers; its code stays. */
static enum puan_status load_one(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, struct load *l,
                                 struct text *t, int64_t *next,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct text old;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT " COLUMNS " FROM coding_text WHERE area = $1"
                 " AND list = $2 AND said = $3",
                 err));
    puan_bind_int(s, 1, t->area);
    puan_bind_text(s, 2, t->list);
    puan_bind_text(s, 3, t->said);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        take(&old, s, l->arena);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    if (more) {
        l->merged++;
        old.rank = old.rank / old.times * (old.times + t->times);
        old.times += t->times;
        return save(sh, db, act, &old, false, l->arena, err);
    }
    l->added++;
    l->machine += t->state == DESK_MACHINE;
    l->vague += t->state == DESK_VAGUE;
    t->id = (*next)++;
    return save(sh, db, act, t, true, l->arena, err);
}

static enum puan_status load_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct load *l = arg;
    int64_t next = 0;

    l->added = l->merged = l->machine = l->vague = 0;
    TRY(puan_db_int(
        &next, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM coding_text", 0, err));
    for (size_t i = 0; i < l->n; i++)
        TRY(load_one(sh, db, act, l, &l->row[i], &next, err));
    return PUAN_OK;
}

/* Text and what the machine thinks of it. */
static enum puan_status judge(struct text *t, struct puan_request *rq,
                              const struct puan_coder *c, struct puan_err *err)
{
    struct puan_coder_answer x = { 0 };
    uint32_t ppm;

    TRY(ask(&x, c, t->said, 0, err));
    ppm = x.state == PUAN_CODED && x.n > 0 ? x.hit[0].ppm : 0;
    t->state = x.state == PUAN_CODE_EMPTY || x.state == PUAN_CODE_VAGUE
                   ? DESK_VAGUE
                   : DESK_OPEN;
    if (ppm > 0 && ppm >= (uint32_t)setting(rq, "coding_sure", 90) * 10000u) {
        t->state = DESK_MACHINE;
        t->code = puan_coder_node(c, x.hit[0].node)->code;
    }
    t->rank = t->times * (int64_t)(1000000u - ppm);
    return PUAN_OK;
}

struct load_in {
    int64_t area;
    struct puan_str of;
};
static const struct puan_param load_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct load_in, area), 0, 0, true },
    { "of", PUAN_PARAM_TEXT, offsetof(struct load_in, of), 1, 32, false },
};

/* Columns of texts, up to four, and `times`. */
static enum puan_status read_row(struct text *t, const struct puan_csv *csv,
                                 int times, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_out said;

    puan_out_init(&said, a);
    t->times = 1;
    for (size_t i = 0, n = 0; i < csv->n; i++) {
        struct puan_str f = puan_str_trim(csv->field[i]);

        if ((int)i == times) {
            if (!puan_int_parse(&t->times, f) || t->times < 1 ||
                t->times > 1000000000)
                return puan_fail_at(err, PUAN_EINVAL, csv->file, csv->line, 0,
                                    "times is a number from 1");
            continue;
        }
        if (n++)
            puan_out_char(&said, '\n');
        for (size_t k = 0; k < f.n; k++)
            puan_out_bytes(&said, f.p[k] == '\n' ? " " : f.p + k, 1);
    }
    t->said = puan_out_view(&said);
    if (t->said.n > SAID_MOST)
        return puan_fail_at(err, PUAN_ELIMIT, csv->file, csv->line, 0,
                            "a text has at most %d bytes", SAID_MOST);
    return PUAN_OK;
}

static enum puan_status load_texts(struct puan_request *rq, const void *v,
                                   struct puan_err *err)
{
    const struct load_in *in = v;
    struct load l = { .arena = rq->arena };
    const struct puan_coder *c = NULL;
    struct puan_arena row;
    struct puan_act act;
    struct puan_csv csv;
    struct puan_jw *w;
    bool more = true;
    int times;
    enum puan_status st;

    TRY(desk_coder(&c, rq, in->of, err));
    puan_arena_init(&row, &puan_heap);
    st = puan_csv_open(&csv, rq->body, "texts", rq->arena, &row, err);
    times = st == PUAN_OK ? puan_csv_column(&csv, "times") : -1;
    if (st == PUAN_OK && (csv.n > 5 || (times >= 0 && csv.n < 2)))
        st = puan_fail_at(err, PUAN_EINVAL, "texts", 1, 0,
                          "expected one to four columns of text and, if "
                          "answers were counted, times");
    l.row = puan_new_n(rq->arena, ROWS_MOST, struct text);
    if (!l.row)
        st = puan_arena_check(rq->arena, err);
    while (st == PUAN_OK && l.row) {
        struct text *t = &l.row[l.n];

        st = puan_csv_next(&more, &csv, err);
        if (st == PUAN_OK && more && l.n == ROWS_MOST)
            st = puan_fail_at(err, PUAN_ELIMIT, "texts", csv.line, 0,
                              "at most %d rows at a time; send the rest after",
                              ROWS_MOST);
        if (st != PUAN_OK || !more)
            break;
        *t = (struct text){ .area = rq->area, .list = in->of };
        st = read_row(t, &csv, times, rq->arena, err);
        if (st == PUAN_OK)
            st = judge(t, rq, c, err);
        l.n++;
    }
    puan_arena_clear(&row);
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_request_act(&act, rq, in->of);
    TRY(puan_commit(puan_store_office(rq->store), &act, load_body, &l, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "rows", (int64_t)l.n);
    puan_jw_kint(w, "added", (int64_t)l.added);
    puan_jw_kint(w, "merged", (int64_t)l.merged);
    puan_jw_kint(w, "machine", (int64_t)l.machine);
    puan_jw_kint(w, "vague", (int64_t)l.vague);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* --- the next text -------------------------------------------------------- */

struct next_in {
    int64_t area;
    struct puan_str of;
    int64_t after; /* the text just passed over */
};
static const struct puan_param next_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct next_in, area), 0, 0, true },
    { "of", PUAN_PARAM_TEXT, offsetof(struct next_in, of), 1, 32, false },
    { "after", PUAN_PARAM_INT, offsetof(struct next_in, after), 0, INT64_MAX,
      true },
};

static void put_counts(struct puan_jw *w, const int64_t *count)
{
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    for (size_t i = 0; i < PUAN_COUNT(state_name); i++)
        puan_jw_kint(w, state_name[i], count[i]);
    puan_jw_end(w, '}');
}

static enum puan_status counts(int64_t *count, struct puan_db *db,
                               struct puan_request *rq, struct puan_str of,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT state, COUNT(*) FROM coding_text WHERE area = $1"
                 " AND list = $2 GROUP BY state",
                 err));
    puan_bind_int(s, 1, rq->area);
    puan_bind_text(s, 2, of);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t k = puan_col_int(s, 0);

        if (k >= 0 && k < (int64_t)PUAN_COUNT(state_name))
            count[k] = puan_col_int(s, 1);
    }
    puan_stmt_done(s);
    return st;
}

/*
 * What this account may code, greatest doubt times answers first.  A text it
 * passed over (`after`) comes last.
 */
static enum puan_status find_next(struct text *t, bool *found,
                                  struct puan_db *db, struct puan_request *rq,
                                  const struct next_in *in,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT " COLUMNS " FROM coding_text WHERE area = $1"
                 " AND list = $2 AND (state = 0 OR (state = 1 AND by1 <> $3)"
                 " OR (state = 2 AND by1 <> $3 AND by2 <> $3))"
                 " ORDER BY CASE WHEN id = $4 THEN 1 ELSE 0 END, rank DESC, id"
                 " LIMIT 1",
                 err));
    puan_bind_int(s, 1, rq->area);
    puan_bind_text(s, 2, in->of);
    puan_bind_text(s, 3, puan_str_of(rq->who.name));
    puan_bind_int(s, 4, in->after);
    st = puan_stmt_step(found, s, err);
    if (st == PUAN_OK && *found)
        take(t, s, rq->arena);
    puan_stmt_done(s);
    return st;
}

static enum puan_status next_text(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct next_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    const struct puan_coder *c = NULL;
    struct puan_coder_answer x = { 0 };
    int64_t count[PUAN_COUNT(state_name)] = { 0 };
    struct puan_str field[4];
    struct puan_db *db = NULL;
    struct text t = { 0 };
    bool found = false;
    struct puan_jw *w;
    enum puan_status st;

    TRY(desk_coder(&c, rq, in->of, err));
    TRY(puan_read_begin(&db, office, err));
    st = find_next(&t, &found, db, rq, in, err);
    if (st == PUAN_OK)
        st = counts(count, db, rq, in->of, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && found)
        st = ask(&x, c, t.said, 0, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    put_counts(w, count);
    puan_jw_key(w, "text");
    if (!found) {
        puan_jw_null(w);
    } else {
        size_t n = fields_of(field, 4, t.said);

        puan_jw_map(w);
        puan_jw_kint(w, "id", t.id);
        puan_jw_kint(w, "times", t.times);
        puan_jw_kbool(w, "second", t.state == DESK_SECOND);
        puan_jw_kbool(w, "differs", t.state == DESK_DIFFERS);
        puan_jw_key(w, "said");
        puan_jw_list(w);
        for (size_t i = 0; i < n; i++)
            puan_jw_str(w, field[i]);
        puan_jw_end(w, ']');
        put_hits(w, c, &x, 0, SHOWN);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* --- choosing ------------------------------------------------------------- */

struct choose_in {
    int64_t area;
    int64_t id;
    struct puan_str code;
    bool vague;
};
static const struct puan_param choose_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct choose_in, area), 0, 0, true },
    { "id", PUAN_PARAM_INT, offsetof(struct choose_in, id), 1, INT64_MAX,
      false },
    { "code", PUAN_PARAM_TEXT, offsetof(struct choose_in, code), 0, 16, true },
    { "vague", PUAN_PARAM_BOOL, offsetof(struct choose_in, vague), 0, 0, true },
};

struct choose {
    const struct choose_in *in;
    struct puan_request *rq;
    struct text t;
    bool twice; /* this text is coded twice */
};

/* A text's lot for double coding: the same for whoever asks. */
static bool drawn(int64_t id, int64_t percent)
{
    uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15u;

    return (int64_t)((h >> 33) % 100) < percent;
}

static enum puan_status apply(struct text *t, struct puan_str who,
                              struct puan_str code, bool twice,
                              struct puan_err *err)
{
    struct puan_str choice = code.n ? code : PUAN_STR("-");

    switch (t->state) {
    case DESK_OPEN:
        t->by1 = who;
        t->code1 = choice;
        t->state = twice ? DESK_SECOND : DESK_DONE;
        break;
    case DESK_SECOND:
        if (puan_str_eq(t->by1, who))
            return puan_fail(err, PUAN_ECONFLICT, "id",
                             "another coder codes this text the second time");
        t->by2 = who;
        t->code2 = choice;
        t->state = puan_str_eq(t->code1, choice) ? DESK_DONE : DESK_DIFFERS;
        break;
    case DESK_DIFFERS:
        if (puan_str_eq(t->by1, who) || puan_str_eq(t->by2, who))
            return puan_fail(err, PUAN_ECONFLICT, "id",
                             "a third coder decides between two codes");
        t->state = DESK_DONE;
        break;
    default:
        return puan_fail(err, PUAN_ECONFLICT, "id",
                         "this text has been coded meanwhile");
    }
    if (t->state == DESK_DONE) {
        t->code = code;
        if (code.n == 0)
            t->state = DESK_VAGUE;
    }
    return PUAN_OK;
}

static enum puan_status choose_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct choose *x = arg;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, "SELECT " COLUMNS " FROM coding_text WHERE id = $1",
                 err));
    puan_bind_int(s, 1, x->in->id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        take(&x->t, s, x->rq->arena);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    if (!more || x->t.area != x->rq->area)
        return puan_fail(err, PUAN_ENOTFOUND, "id", "no such text here");
    TRY(apply(&x->t, puan_str_of(x->rq->who.name),
              x->in->vague ? (struct puan_str){ "", 0 } : x->in->code, x->twice,
              err));
    return save(sh, db, act, &x->t, false, x->rq->arena, err);
}

/* The list a text is of, so that its code can be looked up before the act. */
static enum puan_status list_of(struct puan_str *of, struct puan_request *rq,
                                int64_t id, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db, "SELECT list FROM coding_text WHERE id = $1", err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, id);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            *of = puan_arena_keep(rq->arena, puan_col_text(s, 0));
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "id", "no such text here");
    return st;
}

static enum puan_status choose(struct puan_request *rq, const void *v,
                               struct puan_err *err)
{
    struct choose x = { .in = v, .rq = rq };
    const struct puan_coder *c = NULL;
    struct puan_act act;
    struct puan_str of = { "", 0 };
    int32_t node;
    struct puan_jw *w;

    if (x.in->vague == (x.in->code.n > 0))
        return puan_fail(err, PUAN_EINVAL, "code",
                         "give a code, or vague, and not both");
    TRY(list_of(&of, rq, x.in->id, err));
    TRY(desk_coder(&c, rq, of, err));
    node = x.in->vague ? -1 : puan_coder_find(c, x.in->code);
    if (!x.in->vague && (node < 0 || !puan_coder_node(c, (size_t)node)->leaf))
        return puan_fail(err, PUAN_EINVAL, "code",
                         "%.*s is no class of this classification",
                         PUAN_FMT(x.in->code));
    x.twice = drawn(x.in->id, setting(rq, "coding_double", 10));
    puan_request_act(
        &act, rq,
        puan_str_of(puan_arena_fmt(rq->arena, "%lld", (long long)x.in->id)));
    TRY(puan_commit(puan_store_office(rq->store), &act, choose_body, &x, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "id", x.in->id);
    puan_jw_ktext(w, "state", state_name[x.t.state]);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* --- what is known of the coders ------------------------------------------ */

struct of_in {
    int64_t area;
    struct puan_str of;
    struct puan_page page;
};
static const struct puan_param of_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct of_in, area), 0, 0, true },
    { "of", PUAN_PARAM_TEXT, offsetof(struct of_in, of), 1, 32, false },
    PUAN_PAGE_PARAMS(struct of_in, page),
};

/*
 * Per coder: texts coded, of them by two, of these alike, and how often the
 * third coder's word was his.
 */
static enum puan_status coders(struct puan_request *rq, const void *v,
                               struct puan_err *err)
{
    const struct of_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    int64_t count[PUAN_COUNT(state_name)] = { 0 };
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    struct puan_jw *w = NULL;
    bool more = true;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = counts(count, db, rq, in->of, err);
    if (st == PUAN_OK)
        st = puan_sql(
            &s, db,
            "SELECT who, COUNT(*), SUM(twice), SUM(alike), SUM(held) FROM ("
            "SELECT by1 AS who, CASE WHEN by2 <> '' THEN 1 ELSE 0 END AS twice,"
            " CASE WHEN by2 <> '' AND code1 = code2 THEN 1 ELSE 0 END AS alike,"
            " CASE WHEN by2 <> '' AND code1 <> code2 AND code = code1"
            " THEN 1 ELSE 0 END AS held"
            " FROM coding_text WHERE area = $1 AND list = $2 AND by1 <> ''"
            " UNION ALL "
            "SELECT by2, 1, CASE WHEN code1 = code2 THEN 1 ELSE 0 END,"
            " CASE WHEN code1 <> code2 AND code = code2 THEN 1 ELSE 0 END"
            " FROM coding_text WHERE area = $1 AND list = $2 AND by2 <> '')"
            " AS x GROUP BY who ORDER BY who",
            err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, rq->area);
        puan_bind_text(s, 2, in->of);
        w = puan_answer_begin(rq, 200);
        puan_jw_map(w);
        put_counts(w, count);
        puan_jw_key(w, "items");
        puan_jw_list(w);
        while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            puan_jw_map(w);
            puan_jw_kstr(w, "coder", puan_col_text(s, 0));
            puan_jw_kint(w, "coded", puan_col_int(s, 1));
            puan_jw_kint(w, "twice", puan_col_int(s, 2));
            puan_jw_kint(w, "alike", puan_col_int(s, 3));
            puan_jw_kint(w, "held", puan_col_int(s, 4));
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return st;
}

static void put_text(struct puan_jw *w, struct puan_stmt *s,
                     struct puan_request *rq)
{
    int64_t state = puan_col_int(s, 4);
    struct puan_str said = puan_col_text(s, 2), field[4];
    size_t n = fields_of(field, 4, said);

    (void)rq;
    puan_jw_map(w);
    puan_jw_kint(w, "id", puan_col_int(s, 0));
    puan_jw_kint(w, "times", puan_col_int(s, 3));
    puan_jw_ktext(w, "state",
                  state >= 0 && state < (int64_t)PUAN_COUNT(state_name)
                      ? state_name[state]
                      : "");
    puan_jw_kstr(w, "code", puan_col_text(s, 5));
    puan_jw_key(w, "said");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        puan_jw_str(w, field[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* Every text with its code, in order of arrival: what `puan code --known`
   takes, and the vague ones to ask again. */
static enum puan_status texts(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    const struct of_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, area, said, times, state, code FROM coding_text"
                  " WHERE list = $1 AND id > $2 AND area = $3 ORDER BY id",
                  err);
    if (st == PUAN_OK) {
        puan_bind_text(s, 1, in->of);
        puan_bind_int(s, 2, in->page.cursor);
        puan_bind_int(s, 3, rq->area);
        st = puan_answer_rows(rq, s, &in->page, 1, put_text, err);
    }
    puan_read_end(office, db);
    return st;
}

/* --- tables --------------------------------------------------------------- */

const struct puan_route desk_routes[6] = {
    { PUAN_GET, "/c/{campaign}/coding/suggest", "coding.code", PUAN_SCOPE_AREA,
      "", "Suggest codes for a text", suggest,
      PUAN_PARAMS(suggest_params, struct suggest_in) },
    { PUAN_POST, "/c/{campaign}/coding/texts", "coding.load", PUAN_SCOPE_AREA,
      "coding.load", "Bring texts to the coding desk", load_texts,
      PUAN_PARAMS(load_params, struct load_in), .max_body = 4u << 20,
      .raw_body = true },
    { PUAN_GET, "/c/{campaign}/coding/texts", "coding.load", PUAN_SCOPE_AREA,
      "", "List texts with their codes", texts,
      PUAN_PARAMS(of_params, struct of_in) },
    { PUAN_GET, "/c/{campaign}/coding/next", "coding.code", PUAN_SCOPE_AREA, "",
      "The next text to code", next_text,
      PUAN_PARAMS(next_params, struct next_in) },
    { PUAN_POST, "/c/{campaign}/coding/choose", "coding.code", PUAN_SCOPE_AREA,
      "coding.choose", "Give a text its code", choose,
      PUAN_PARAMS(choose_params, struct choose_in) },
    { PUAN_GET, "/c/{campaign}/coding/coders", "coding.code", PUAN_SCOPE_AREA,
      "", "Counts and agreement of coders", coders,
      PUAN_PARAMS(of_params, struct of_in) },
};

const struct puan_schema_step desk_schema[1] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE coding_text(id BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " list TEXT NOT NULL, said TEXT NOT NULL, times BIGINT NOT NULL,"
      " state BIGINT NOT NULL, rank BIGINT NOT NULL, code TEXT NOT NULL,"
      " by1 TEXT NOT NULL, code1 TEXT NOT NULL, by2 TEXT NOT NULL,"
      " code2 TEXT NOT NULL);"
      "CREATE UNIQUE INDEX coding_text_said ON coding_text(area, list, said);"
      "CREATE INDEX coding_text_rank ON coding_text(area, list, state, "
      "rank);" },
};

const struct puan_covered desk_covered[1] = {
    { PUAN_STORE_OFFICE, "coding_text",
      "SELECT CAST(id AS TEXT), area, list, said, times, state, rank, code,"
      " by1, code1, by2, code2 FROM coding_text" },
};
