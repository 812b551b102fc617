/*
 * Requests: which papers there are about a thing, making one, the register of
 * what was handed out.
 */
#include "base/digest.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/host/host.h"
#include "features/papers/internal.h"
#include "kit/crypto/crypto.h"

struct paper_in {
    int64_t area, id;
    struct puan_str paper, lang, format;
    bool draft;
    struct puan_page page;
};

/* ---- the one paper asked for --------------------------------------------------- */

struct job {
    struct puan_request *rq;
    const struct paper_in *in;
    const struct puan_paper_template *t;
    struct puan_paper_case c;
    bool en;
    const char *of;  /* "case/12" */
    int64_t issuer;  /* area of the office that issues it */
    int64_t year, number;
    struct puan_str mark;
    char digest[2 * PUAN_DIGEST_SIZE + 1];
    uint8_t raw[PUAN_DIGEST_SIZE];
};

static bool numbered(const struct job *j)
{
    return j->t->series.n > 0 && j->mark.n == 0;
}

/* The number this paper about this thing has, or the next one. */
static enum puan_status number_of(int64_t *out, struct puan_db *db,
                                  const struct job *j, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = 0;
    if (!numbered(j))
        return PUAN_OK;
    TRY(puan_sql(&s, db,
                 "SELECT MAX(number) FROM paper_print WHERE about = $1 AND"
                 " paper = $2 AND area = $3 AND year = $4 AND number > 0",
                 err));
    puan_bind_text(s, 1, puan_str_of(j->of));
    puan_bind_text(s, 2, j->t->id);
    puan_bind_int(s, 3, j->issuer);
    puan_bind_int(s, 4, j->year);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more && !puan_col_null(s, 0))
        *out = puan_col_int(s, 0);
    puan_stmt_done(s);
    if (st != PUAN_OK || *out > 0)
        return st;
    TRY(puan_sql(&s, db,
                 "SELECT COALESCE(MAX(number), 0) + 1 FROM paper_print WHERE"
                 " area = $1 AND series = $2 AND year = $3",
                 err));
    puan_bind_int(s, 1, j->issuer);
    puan_bind_text(s, 2, j->t->series);
    puan_bind_int(s, 3, j->year);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

static enum puan_status number_now(struct job *j, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(j->rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = number_of(&j->number, db, j, err);
    puan_read_end(office, db);
    return st;
}

static enum puan_status enter(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, void *arg,
                              struct puan_err *err)
{
    const struct job *j = arg;
    struct puan_arena *a = j->rq->arena;
    struct puan_str lang = j->en ? PUAN_STR("en") : PUAN_STR("zh");
    struct puan_stmt *s = NULL;
    struct puan_out o;
    int64_t id, number;
    enum puan_status st;

    TRY(number_of(&number, db, j, err));
    if (number != j->number) /* somebody was faster */
        return puan_fail(err, PUAN_EBUSY, "number", "try again");
    TRY(puan_db_int(&id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM paper_print", 1,
                    err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO paper_print(id, paper, about, area, at, year,"
                 " series, number, format, lang, mark, digest, role, person)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
                 " $13, $14)",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, j->t->id);
    puan_bind_text(s, 3, puan_str_of(j->of));
    puan_bind_int(s, 4, j->issuer);
    puan_bind_int(s, 5, act->entry_ms);
    puan_bind_int(s, 6, j->year);
    puan_bind_text(s, 7, j->t->series);
    puan_bind_int(s, 8, number);
    puan_bind_text(s, 9, j->in->format);
    puan_bind_text(s, 10, lang);
    puan_bind_text(s, 11, j->mark);
    puan_bind_text(s, 12, puan_str_of(j->digest));
    puan_bind_text(s, 13, puan_str_of(j->rq->who.role_name));
    puan_bind_text(s, 14, puan_str_of(j->rq->who.name));
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&o, a);
    puan_content_text(&o, j->t->id);
    puan_content_text(&o, puan_str_of(j->of));
    puan_content_int(&o, j->issuer);
    puan_content_int(&o, act->entry_ms);
    puan_content_int(&o, j->year);
    puan_content_text(&o, j->t->series);
    puan_content_int(&o, number);
    puan_content_text(&o, j->in->format);
    puan_content_text(&o, lang);
    puan_content_text(&o, j->mark);
    puan_content_text(&o, puan_str_of(j->digest));
    puan_content_text(&o, puan_str_of(j->rq->who.role_name));
    puan_content_text(&o, puan_str_of(j->rq->who.name));
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "paper_print", id, puan_out_view(&o),
                         err);
}

/* Without foot first: its digest is what the foot says. */
static enum puan_status document(struct puan_str *json, struct job *j,
                                 const struct puan_node *values,
                                 struct puan_err *err)
{
    struct puan_arena *a = j->rq->arena;
    struct puan_paper_fill how = {
        .en = j->en,
        .mark = j->mark,
        .drill = j->c.drill,
        .page = puan_papers_of(j->rq->store)->list.page
    };
    char made[32], code[10];
    struct puan_out o;

    puan_out_init(&o, a);
    TRY(puan_paper_fill(&o, j->t, values, &how, a, err));
    puan_digest_one(j->raw, puan_store_digest(j->rq->store),
                    puan_out_view(&o));
    puan_hex(j->digest, j->raw, PUAN_DIGEST_SIZE);
    for (int i = 0; i < 9; i++) {
        char x = j->digest[i < 4 ? i : i - 1];

        code[i] = i == 4 ? '-' : x >= 'a' ? (char)(x - 32) : x;
    }
    code[9] = '\0';
    puan_instant_text(made, j->rq->now,
                      puan_store_plan(j->rq->store)->offset_minutes);
    how.foot = puan_str_of(puan_arena_fmt(
        a, j->en ? "Check code %s   %s   %.16s" : "核验码 %s　%s　%.16s", code,
        j->of, made));
    how.made = puan_str_of(made);
    puan_out_init(&o, a);
    TRY(puan_paper_fill(&o, j->t, values, &how, a, err));
    *json = puan_out_view(&o);
    return PUAN_OK;
}

static enum puan_status bytes_of(struct puan_str *bytes, const struct job *j,
                                 struct puan_str json, struct puan_err *err)
{
    struct puan_arena *a = j->rq->arena;
    struct puan_papers *x =
        (struct puan_papers *)(uintptr_t)puan_papers_of(j->rq->store);
    enum puan_status st;

    if (puan_str_is(j->in->format, "json")) {
        *bytes = json;
        return PUAN_OK;
    }
    if (puan_str_is(j->in->format, "xlsx")) {
        struct puan_paper *p = NULL;

        TRY(puan_paper_read(&p, json, a, err));
        return puan_papers_book(bytes, p, a, err);
    }
    pthread_mutex_lock(&x->one);
    st = puan_papers_set(bytes, json, a, err);
    pthread_mutex_unlock(&x->one);
    return st;
}

/* The letters of a header's value: RFC 8187. */
static const char *file_name(const struct job *j)
{
    static const char hex[] = "0123456789ABCDEF";
    struct puan_str s = puan_str_of(puan_arena_fmt(
        j->rq->arena, "%s%.*s%.*s-%s.%.*s", j->mark.n ? "【" : "",
        PUAN_FMT(j->mark), PUAN_FMT(j->en ? j->t->en : j->t->zh),
        j->in->id ? puan_arena_fmt(j->rq->arena, "%.*s",
                                   PUAN_FMT(puan_node_str_opt(
                                       j->c.tree, "number", "")))
                  : puan_arena_fmt(j->rq->arena, "%lld",
                                   (long long)j->rq->area),
        PUAN_FMT(j->in->format)));
    struct puan_out o;

    puan_out_init(&o, j->rq->arena);
    puan_out_text(&o, "attachment; filename*=UTF-8''");
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
            (c >= 'a' && c <= 'z') || c == '-' || c == '.') {
            puan_out_char(&o, (char)c);
            continue;
        }
        puan_out_char(&o, '%');
        puan_out_char(&o, hex[c >> 4]);
        puan_out_char(&o, hex[c & 15]);
    }
    return o.p;
}

static enum puan_status prepare(struct job *j, struct puan_err *err)
{
    const struct puan_papers *x = puan_papers_of(j->rq->store);
    const struct paper_in *in = j->in;
    struct puan_arena *a = j->rq->arena;
    char now[32];

    j->t = puan_papers_get(&x->list, in->paper);
    if (j->t == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "paper", "there is no such paper");
    if (j->t->of_case != (in->id > 0))
        return puan_fail(err, PUAN_EINVAL, "id",
                         j->t->of_case ? "name the case this paper is about"
                                       : "this paper is about an area");
    if (j->t->of_case) {
        TRY(puan_papers_case(&j->c, j->rq, in->id, err));
        if (!puan_paper_template_for(j->t, j->c.flow))
            return puan_fail(err, PUAN_EINVAL, "paper",
                             "this paper is not for such a case");
        j->of = puan_arena_fmt(a, "case/%lld", (long long)in->id);
        /* dated by the plan's day for areas, so that each day has its own */
    } else {
        char day[11];

        puan_day_text(day,
                      puan_instant_day(
                          j->rq->now,
                          puan_store_plan(j->rq->store)->offset_minutes));
        j->of = puan_arena_fmt(a, "area/%lld/%s", (long long)j->rq->area, day);
    }
    j->issuer = j->rq->who.area ? j->rq->who.area
                                : puan_area_top(j->rq->store);
    puan_instant_text(now, j->rq->now,
                      puan_store_plan(j->rq->store)->offset_minutes);
    (void)puan_int_parse(&j->year, (struct puan_str){ now, 4 });
    if (j->c.drill)
        j->mark = j->en ? PUAN_STR("DRILL") : PUAN_STR("演练");
    else if (in->draft)
        j->mark = j->en ? PUAN_STR("DRAFT") : PUAN_STR("草稿");
    return PUAN_OK;
}

/* What is still to be filled in refuses all but a draft. */
static enum puan_status complete(const struct job *j,
                                 const struct puan_node *values,
                                 struct puan_err *err)
{
    const struct puan_str *name;
    size_t n = puan_paper_missing(&name, j->t, values, j->en, j->rq->arena);
    struct puan_out o;

    if (n == 0 || j->in->draft)
        return PUAN_OK;
    puan_out_init(&o, j->rq->arena);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            puan_out_text(&o, j->en ? ", " : "、");
        puan_out_str(&o, name[i]);
    }
    return puan_fail(err, PUAN_ECONFLICT, "needs",
                     "still to be filled in: %.*s; or ask for a draft",
                     PUAN_FMT(puan_out_view(&o)));
}

static enum puan_status attempt(struct puan_str *bytes, struct job *j,
                                struct puan_err *err)
{
    struct puan_arena *a = j->rq->arena;
    const struct puan_node *values;
    struct puan_str json, number = { 0 };
    struct puan_act act;

    TRY(number_now(j, err));
    if (j->number > 0)
        number = puan_str_of(puan_arena_fmt(a, "%lld", (long long)j->number));
    else if (j->mark.n > 0)
        number = j->c.drill ? j->mark : PUAN_STR("　");
    TRY(puan_papers_values(&values, j->rq, j->t,
                           j->t->of_case ? &j->c : NULL, j->rq->area, number,
                           err));
    TRY(complete(j, values, err));
    TRY(document(&json, j, values, err));
    TRY(bytes_of(bytes, j, json, err));
    puan_request_act(&act, j->rq,
                     puan_str_of(puan_arena_fmt(a, "%s/%.*s", j->of,
                                                PUAN_FMT(j->t->id))));
    act.note = j->in->format;
    memcpy(act.new_digest, j->raw, PUAN_DIGEST_SIZE);
    act.has_new = true;
    TRY(puan_commit(puan_store_office(j->rq->store), &act, enter, j, err));
    puan_answer_header(j->rq, "Puan-Entry",
                       puan_arena_fmt(a, "%llu", (unsigned long long)act.seq));
    return PUAN_OK;
}

static enum puan_status print(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    const struct paper_in *in = v;
    struct paper_in mine = *in;
    struct job j = { .rq = rq, .in = &mine };
    const char *type = "application/pdf";
    struct puan_str bytes = { 0 };
    enum puan_status st = PUAN_EBUSY;

    if (mine.format.n == 0)
        mine.format = PUAN_STR("pdf");
    if (puan_str_is(mine.format, "xlsx"))
        type = "application/vnd.openxmlformats-officedocument."
               "spreadsheetml.sheet";
    else if (puan_str_is(mine.format, "json"))
        type = "application/json";
    else if (!puan_str_is(mine.format, "pdf"))
        return puan_fail(err, PUAN_EINVAL, "format",
                         "format is pdf, xlsx or json");
    if (mine.lang.n > 0 && !puan_str_is(mine.lang, "zh") &&
        !puan_str_is(mine.lang, "en"))
        return puan_fail(err, PUAN_EINVAL, "lang", "lang is zh or en");
    j.en = puan_str_is(mine.lang, "en");
    TRY(prepare(&j, err));
    for (int i = 0; i < 5 && st == PUAN_EBUSY; i++) {
        struct puan_err e = { 0 };

        st = attempt(&bytes, &j, &e);
        if (err != NULL && st != PUAN_OK)
            *err = e;
    }
    if (st != PUAN_OK)
        return st;
    if (err != NULL)
        *err = (struct puan_err){ 0 };
    puan_answer_header(rq, "Content-Disposition", file_name(&j));
    puan_answer_header(rq, "Puan-Digest", j.digest);
    puan_answer_bytes(rq, 200, type, bytes);
    return PUAN_OK;
}

/* ---- which there are ------------------------------------------------------------- */

static enum puan_status printed(struct puan_jw *w, struct puan_request *rq,
                                struct puan_str paper, const char *of,
                                struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    puan_jw_key(w, "printed");
    puan_jw_list(w);
    st = puan_sql(&s, db,
                  "SELECT at, number, format, lang, mark, digest, role FROM"
                  " paper_print WHERE about = $1 AND paper = $2 ORDER BY id DESC"
                  " LIMIT 5",
                  err);
    if (st == PUAN_OK) {
        puan_bind_text(s, 1, puan_str_of(of));
        puan_bind_text(s, 2, paper);
        while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            puan_jw_map(w);
            puan_jw_kinstant(w, "at", puan_col_int(s, 0),
                             puan_store_plan(rq->store)->offset_minutes);
            puan_jw_kint(w, "number", puan_col_int(s, 1));
            puan_jw_kstr(w, "format", puan_col_text(s, 2));
            puan_jw_kstr(w, "lang", puan_col_text(s, 3));
            puan_jw_kstr(w, "mark", puan_col_text(s, 4));
            puan_jw_kstr(w, "digest", puan_col_text(s, 5));
            puan_jw_kstr(w, "role", puan_col_text(s, 6));
            puan_jw_end(w, '}');
        }
    }
    puan_stmt_done(s);
    puan_jw_end(w, ']');
    puan_read_end(office, db);
    return st;
}

static void missing(struct puan_jw *w, const char *key, const struct job *j,
                    const struct puan_node *values, bool en)
{
    const struct puan_str *name;
    size_t n = values == NULL ? 0
                              : puan_paper_missing(&name, j->t, values, en,
                                                   j->rq->arena);

    puan_jw_key(w, key);
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        puan_jw_str(w, name[i]);
    puan_jw_end(w, ']');
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct puan_papers *x = puan_papers_of(rq->store);
    const struct paper_in *in = v;
    struct job j = { .rq = rq, .in = in };
    struct puan_out o;
    struct puan_jw w;

    if (in->id > 0)
        TRY(puan_papers_case(&j.c, rq, in->id, err));
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = 0; i < x->list.n; i++) {
        const struct puan_node *values = NULL;
        struct paper_in one = *in;
        struct job k = j;
        struct puan_err e = { 0 };
        enum puan_status st;

        one.paper = x->list.at[i]->id;
        k.in = &one;
        k.t = x->list.at[i];
        if (k.t->of_case != (in->id > 0) ||
            (in->id > 0 && !puan_paper_template_for(k.t, j.c.flow)))
            continue;
        TRY(prepare(&k, err));
        /* a paper whose sources this seat may not read is not offered */
        st = puan_papers_values(&values, rq, k.t, in->id > 0 ? &j.c : NULL,
                                rq->area, (struct puan_str){ 0 }, &e);
        if (st != PUAN_OK && st != PUAN_EBUSY)
            continue;
        puan_jw_map(&w);
        puan_jw_kstr(&w, "id", k.t->id);
        puan_jw_kstr(&w, "zh", k.t->zh);
        puan_jw_kstr(&w, "en", k.t->en);
        puan_jw_kint(&w, "version", k.t->version);
        puan_jw_kbool(&w, "numbered", k.t->series.n > 0);
        puan_jw_kbool(&w, "tables", k.t->tables);
        missing(&w, "missing_zh", &k, values, false);
        missing(&w, "missing_en", &k, values, true);
        TRY(printed(&w, rq, k.t->id, k.of, err));
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* ---- the register ------------------------------------------------------------------ */

static void put(struct puan_jw *w, struct puan_stmt *s, struct puan_request *rq)
{
    const struct puan_papers *x = puan_papers_of(rq->store);
    const struct puan_paper_template *t;

    puan_jw_map(w);
    puan_jw_kint(w, "id", puan_col_int(s, 0));
    puan_jw_kcode(w, "area", puan_col_int(s, 1));
    t = puan_papers_get(&x->list, puan_col_text(s, 2));
    puan_jw_kstr(w, "paper", puan_col_text(s, 2));
    puan_jw_kstr(w, "zh", t ? t->zh : puan_col_text(s, 2));
    puan_jw_kstr(w, "en", t ? t->en : puan_col_text(s, 2));
    puan_jw_kstr(w, "about", puan_col_text(s, 3));
    puan_jw_kinstant(w, "at", puan_col_int(s, 4),
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kint(w, "year", puan_col_int(s, 5));
    puan_jw_kint(w, "number", puan_col_int(s, 6));
    puan_jw_kstr(w, "format", puan_col_text(s, 7));
    puan_jw_kstr(w, "mark", puan_col_text(s, 8));
    puan_jw_kstr(w, "digest", puan_col_text(s, 9));
    puan_jw_kstr(w, "role", puan_col_text(s, 10));
    puan_jw_end(w, '}');
}

static enum puan_status registered(struct puan_request *rq, const void *v,
                                   struct puan_err *err)
{
    const struct paper_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, area, paper, about, at, year, number, format, mark,"
                  " digest, role FROM paper_print WHERE id > $1 ORDER BY id",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->page.cursor);
        st = puan_answer_rows(rq, s, &in->page, 1, put, err);
    }
    puan_read_end(office, db);
    return st;
}

/* ---- tables -------------------------------------------------------------------------- */

#define AREA                                                                   \
    { "area", PUAN_PARAM_AREA, offsetof(struct paper_in, area), 1, INT64_MAX,  \
      true }
#define ID                                                                     \
    { "id", PUAN_PARAM_INT, offsetof(struct paper_in, id), 1, INT64_MAX, true }

static const struct puan_param list_params[] = { AREA, ID };
static const struct puan_param print_params[] = {
    AREA,
    ID,
    { "paper", PUAN_PARAM_TEXT, offsetof(struct paper_in, paper), 1, 64,
      false },
    { "lang", PUAN_PARAM_TEXT, offsetof(struct paper_in, lang), 1, 8, true },
    { "format", PUAN_PARAM_TEXT, offsetof(struct paper_in, format), 1, 8,
      true },
    { "draft", PUAN_PARAM_BOOL, offsetof(struct paper_in, draft), 0, 1, true },
};
static const struct puan_param register_params[] = {
    AREA, PUAN_PAGE_PARAMS(struct paper_in, page)
};

const struct puan_route puan_paper_routes[PUAN_PAPER_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/papers",
      .capability = "paper.print", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Papers there are about a case or an area, what they lack",
      .handle = list, PUAN_PARAMS(list_params, struct paper_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/papers",
      .capability = "paper.print", .scope = PUAN_SCOPE_AREA,
      .verb = "paper.print",
      .summary = "Make a paper: PDF, workbook or its parts; registered",
      .handle = print, PUAN_PARAMS(print_params, struct paper_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/papers/register",
      .capability = "paper.print", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Register of the papers that were handed out",
      .handle = registered, PUAN_PARAMS(register_params, struct paper_in) },
};
