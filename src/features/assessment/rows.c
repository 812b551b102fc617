/*
 * Entries in the office store.
 */
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/assessment/internal.h"

#define ENTRIES 4000

static int64_t whole(const struct puan_node *body, const char *key,
                     int64_t dflt)
{
    int64_t v = dflt;
    struct puan_str text = puan_node_str_opt(body, key, "");

    return text.n > 0 && puan_int_parse(&v, text) ? v : dflt;
}
static int64_t day(const struct puan_node *body, const char *key)
{
    int64_t v;

    return puan_day_parse(&v, puan_node_str_opt(body, key, "")) ? v : INT64_MIN;
}

static enum puan_status read_row(struct puan_score_entry *e,
                                 struct puan_stmt *s, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_str kind = puan_col_text(s, 2);
    struct puan_node *body = NULL;

    *e = (struct puan_score_entry){ .id = puan_col_int(s, 0),
                                    .at_ms = puan_col_int(s, 1),
                                    .kind = PUAN_SCORE_KINDS };
    for (int k = 0; k < PUAN_SCORE_KINDS; k++)
        if (puan_str_is(kind, puan_score_entry_word[k]))
            e->kind = (enum puan_score_entry_kind)k;
    e->role = puan_arena_keep(a, puan_col_text(s, 3));
    e->person = puan_arena_keep(a, puan_col_text(s, 4));
    TRY(puan_json_tree(&body, puan_arena_keep(a, puan_col_text(s, 5)), "entry",
                       a, err));
    e->item = puan_node_str_opt(body, "item", "");
    e->evidence = puan_node_str_opt(body, "evidence", "");
    e->reason = puan_node_str_opt(body, "reason", "");
    e->digest = puan_node_str_opt(body, "digest", "");
    e->version = puan_node_str_opt(body, "version", "");
    e->ref = puan_node_str_opt(body, "ref", "");
    e->halves = (int)whole(body, "halves", 0);
    e->of = whole(body, "of", 0);
    e->count = whole(body, "count", INT64_MIN);
    e->total = whole(body, "total", INT64_MIN);
    e->day = day(body, "day");
    e->until = day(body, "until");
    return PUAN_OK;
}

enum puan_status puan_assess_read(struct puan_score_entry **out, size_t *n,
                                  const struct puan_plan *plan,
                                  struct puan_db *db, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t total = 0;
    bool more = true;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db, "SELECT COUNT(*) FROM assess_entry WHERE area = $1",
                 err));
    puan_bind_int(s, 1, area);
    st = puan_stmt_step(&more, s, err);
    total = st == PUAN_OK && more ? puan_col_int(s, 0) : 0;
    puan_stmt_done(s);
    TRY(st);
    if (total >= ENTRIES)
        return puan_fail(err, PUAN_ELIMIT, "assessment",
                         "more than %d entries on one sheet", ENTRIES);
    *out = puan_new_n(a, (size_t)total + 1, struct puan_score_entry);
    if (*out == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT id, at, kind, role, person, body FROM assess_entry"
                 " WHERE area = $1 ORDER BY id",
                 err));
    puan_bind_int(s, 1, area);
    while (*n < (size_t)total &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        st = read_row(&(*out)[*n], s, a, err);
        if (st != PUAN_OK)
            break;
        (*out)[(*n)++].offset_minutes = plan->offset_minutes;
    }
    puan_stmt_done(s);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static void put_day(struct puan_jw *w, const char *key, int64_t v)
{
    char text[11];

    if (v == INT64_MIN)
        return;
    puan_day_text(text, v);
    puan_jw_ktext(w, key, text);
}

static struct puan_str body_of(const struct puan_score_entry *e,
                               struct puan_arena *a)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "item", e->item);
    puan_jw_kstr(&w, "evidence", e->evidence);
    puan_jw_kstr(&w, "reason", e->reason);
    puan_jw_kstr(&w, "digest", e->digest);
    puan_jw_kstr(&w, "version", e->version);
    puan_jw_kstr(&w, "ref", e->ref);
    puan_jw_kint(&w, "halves", e->halves);
    puan_jw_kint(&w, "of", e->of);
    if (e->count != INT64_MIN)
        puan_jw_kint(&w, "count", e->count);
    if (e->total != INT64_MIN)
        puan_jw_kint(&w, "total", e->total);
    put_day(&w, "day", e->day);
    put_day(&w, "until", e->until);
    puan_jw_end(&w, '}');
    return puan_out_view(&o);
}

static enum puan_status insert(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act,
                               const struct puan_assess_call *c,
                               struct puan_err *err)
{
    const struct puan_score_entry *e = &c->entry;
    struct puan_str kind = puan_str_of(puan_score_entry_word[e->kind]);
    struct puan_str body = body_of(e, c->arena);
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    TRY(puan_arena_check(c->arena, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO assess_entry(id, area, at, kind, role, person,"
                 " body) VALUES($1, $2, $3, $4, $5, $6, $7)",
                 err));
    puan_bind_int(s, 1, e->id);
    puan_bind_int(s, 2, c->area);
    puan_bind_int(s, 3, e->at_ms);
    puan_bind_text(s, 4, kind);
    puan_bind_text(s, 5, e->role);
    puan_bind_text(s, 6, e->person);
    puan_bind_text(s, 7, body);
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&o, c->arena);
    puan_content_int(&o, c->area);
    puan_content_int(&o, e->at_ms);
    puan_content_text(&o, kind);
    puan_content_text(&o, e->role);
    puan_content_text(&o, e->person);
    puan_content_text(&o, body);
    TRY(puan_arena_check(c->arena, err));
    return puan_cover(
        sh, db, act, "assess_entry",
        puan_str_of(puan_arena_fmt(c->arena, "%lld", (long long)e->id)),
        puan_out_view(&o), err);
}

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct puan_assess_call *c = arg;
    const struct puan_plan *plan = puan_store_plan(c->st);
    struct puan_score_entry *before = NULL;
    size_t n = 0;

    TRY(puan_assess_read(&before, &n, plan, db, c->area, c->arena, err));
    TRY(puan_db_int(&c->entry.id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM assess_entry", 1,
                    err));
    c->entry.at_ms = puan_store_now(c->st); /* as days and terms are counted */
    c->entry.offset_minutes = plan->offset_minutes;
    TRY(puan_score_accept(puan_assess_scheme(c->st), before, n, &c->entry,
                          err));
    return insert(sh, db, act, c, err);
}

enum puan_status puan_assess_write(struct puan_act *act,
                                   struct puan_assess_call *c,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(c->st);
    uint32_t i = puan_area_find(t, c->area);

    if (puan_assess_scheme(c->st) == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "assessment",
                         "this plan has no scheme of points");
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "there is no such area");
    c->entry.level = t->level[t->area[i].level].name;
    return puan_commit(puan_store_office(c->st), act, body, c, err);
}
