/*
 * Releases in the office store; see releases.h.
 */
#include "features/releases/releases.h"

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/request.h"
#include "features/lots/lots.h"
#include "features/releases/internal.h"
#include "features/tables/tables.h"
#include "kit/crypto/keys.h"
#include "kit/os/heap.h"

static struct puan_str hex_of(struct puan_arena *a, const void *p, size_t n)
{
    char *t = puan_arena_get(a, 2 * n + 1);

    if (t == NULL)
        return PUAN_STR("");
    puan_hex(t, p, n);
    return (struct puan_str){ t, 2 * n };
}

/* ---- rows ---------------------------------------------------------------- */

enum puan_status puan_release_read(struct puan_release *out, struct puan_db *db,
                                   int64_t id, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = (struct puan_release){ 0 };
    TRY(puan_sql(&s, db,
                 "SELECT id, run, area, title, document, digest, tables,"
                 " version, published, signature FROM release_doc WHERE id ="
                 " $1",
                 err));
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "release",
                       "there is no such release");
    if (st == PUAN_OK) {
        uint8_t *const part[] = { out->digest, out->tables, out->version };

        out->id = puan_col_int(s, 0);
        out->run = puan_col_int(s, 1);
        out->area = puan_col_int(s, 2);
        out->title = puan_arena_keep(a, puan_col_text(s, 3));
        out->document = puan_arena_keep(a, puan_col_text(s, 4));
        for (int i = 0; i < 3; i++) {
            struct puan_str d = puan_col_bytes(s, 5 + i);

            if (d.n == PUAN_DIGEST_SIZE)
                memcpy(part[i], d.p, d.n);
        }
        out->published_ms = puan_col_int(s, 8);
        out->signature = puan_arena_keep(a, puan_col_bytes(s, 9));
        st = puan_arena_check(a, err);
    }
    puan_stmt_done(s);
    return st;
}

static struct puan_str bytes(const uint8_t d[PUAN_DIGEST_SIZE])
{
    return (struct puan_str){ (const char *)d, PUAN_DIGEST_SIZE };
}

static enum puan_status write_row(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act,
                                  const struct puan_release *r,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO release_doc(id, run, area, title, document,"
                 " digest, tables, version, published, signature)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                 " ON CONFLICT (id) DO UPDATE SET published ="
                 " excluded.published, signature = excluded.signature",
                 err));
    puan_bind_int(s, 1, r->id);
    puan_bind_int(s, 2, r->run);
    puan_bind_int(s, 3, r->area);
    puan_bind_text(s, 4, r->title);
    puan_bind_text(s, 5, r->document);
    puan_bind_bytes(s, 6, r->digest, PUAN_DIGEST_SIZE);
    puan_bind_bytes(s, 7, r->tables, PUAN_DIGEST_SIZE);
    puan_bind_bytes(s, 8, r->version, PUAN_DIGEST_SIZE);
    puan_bind_int(s, 9, r->published_ms);
    puan_bind_bytes(s, 10, r->signature.n ? r->signature.p : "",
                    r->signature.n);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, r->run);
    puan_content_int(&c, r->area);
    puan_content_text(&c, r->title);
    puan_content_text(&c, r->document);
    puan_content_bytes(&c, bytes(r->digest));
    puan_content_bytes(&c, bytes(r->tables));
    puan_content_bytes(&c, bytes(r->version));
    puan_content_int(&c, r->published_ms);
    puan_content_bytes(&c, r->signature);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "release_doc", r->id, puan_out_view(&c),
                         err);
}

/* ---- the document --------------------------------------------------------- */

enum puan_status puan_release_tables_digest(uint8_t out[PUAN_DIGEST_SIZE],
                                            const struct puan_digest_fn *fn,
                                            const struct puan_str *tables,
                                            size_t n, struct puan_arena *a,
                                            struct puan_err *err)
{
    struct puan_str *part = puan_new_n(a, 2 * n, struct puan_str);

    if (part == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++) {
        part[2 * i] = tables[i];
        part[2 * i + 1] = PUAN_STR("\n");
    }
    fn->hash(fn->ctx, out, part, 2 * n);
    return PUAN_OK;
}

enum puan_status puan_release_table_text(struct puan_str *out,
                                         const struct puan_count *c,
                                         struct puan_str id,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    int at = puan_count_table(c, id);
    struct puan_out o;
    struct puan_jw w;

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, "tables",
                         "the plan has no table \"%.*s\"", PUAN_FMT(id));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_tally_json(&w, puan_count_tally(c), puan_count_cells(c), (size_t)at);
    *out = puan_out_view(&o);
    return puan_arena_check(a, err);
}

static enum puan_status make_document(struct puan_release *r,
                                      struct puan_store *st,
                                      const struct puan_count *c,
                                      const struct puan_str *ids, size_t n,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(st);
    struct puan_str *tables = puan_new_n(a, n, struct puan_str);
    struct puan_out source, doc;
    struct puan_jw w;

    if (tables == NULL)
        return puan_arena_check(a, err);
    puan_out_init(&source, a);
    puan_jw_init(&w, &source);
    puan_count_source(&w, c);
    for (size_t i = 0; i < n; i++)
        TRY(puan_release_table_text(&tables[i], c, ids[i], a, err));
    puan_out_init(&doc, a);
    puan_jw_init(&w, &doc);
    puan_jw_map(&w);
    puan_jw_key(&w, "source");
    puan_jw_raw(&w, puan_out_view(&source));
    puan_jw_key(&w, "tables");
    puan_jw_list(&w);
    for (size_t i = 0; i < n; i++)
        puan_jw_raw(&w, tables[i]);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(a, err));
    r->document = puan_out_view(&doc);
    puan_digest_one(r->digest, fn, r->document);
    puan_digest_one(r->version, fn, puan_out_view(&source));
    return puan_release_tables_digest(r->tables, fn, tables, n, a, err);
}

/* ---- facts ---------------------------------------------------------------- */

/* Cells of one table that hold fewer than `least`, but not none. */
static int64_t small_in(const struct puan_tally *t, const int64_t *cells,
                        size_t table, int64_t least)
{
    size_t at[16] = { 0 }, dims = puan_tally_dims(t, table), d;
    int64_t n = 0;

    if (dims == 0 || dims > PUAN_COUNT(at))
        return 0;
    for (;;) {
        int64_t v = puan_tally_value(t, cells, table, at);

        if (v > 0 && v < least)
            n++;
        for (d = dims; d > 0; d--) {
            if (++at[d - 1] < puan_tally_classes(t, table, d - 1))
                break;
            at[d - 1] = 0;
        }
        if (d == 0)
            return n;
    }
}

/* Broken down by a level below the one of setting release_cell_level? */
static bool is_fine(const struct puan_plan *plan,
                    const struct puan_table_plan *t)
{
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("release_cell_level"));
    int level = s ? puan_plan_level(plan, s->text) : -1;

    for (size_t i = 0; i < t->n_by; i++)
        if (t->by[i].kind == PUAN_BY_LEVEL && (int)t->by[i].index > level)
            return level >= 0;
    return false;
}

/* Ids of the tables in a document, as written there. */
static enum puan_status ids_of(const struct puan_str **out, size_t *n,
                               struct puan_str document, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_node *doc = NULL;
    const struct puan_node *list;
    struct puan_str *ids;
    size_t k = 0;

    TRY(puan_json_tree(&doc, document, "document", a, err));
    list = puan_node_get(doc, "tables");
    ids = puan_new_n(a, list ? list->n : 0, struct puan_str);
    if (ids == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, list)
        TRY(puan_node_str(&ids[k++], c, "id", err));
    *out = ids;
    *n = k;
    return PUAN_OK;
}

/* The tables as counted now, against those of the document. */
static enum puan_status count_facts(struct puan_case_facts *out,
                                    struct puan_store *st,
                                    const struct puan_release *r,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_count *c = NULL;
    const struct puan_str *ids = NULL;
    struct puan_str *tables;
    uint8_t now[PUAN_DIGEST_SIZE];
    int64_t small = 0, secret = 0;
    size_t n = 0;
    enum puan_status rc;

    TRY(ids_of(&ids, &n, r->document, a, err));
    tables = puan_new_n(a, n, struct puan_str);
    if (tables == NULL)
        return puan_arena_check(a, err);
    TRY(puan_count_current(&c, st, r->area, err));
    rc = PUAN_OK;
    for (size_t i = 0; rc == PUAN_OK && i < n; i++) {
        const struct puan_table_plan *t;
        int at = puan_count_table(c, ids[i]);

        rc = puan_release_table_text(&tables[i], c, ids[i], a, err);
        if (rc != PUAN_OK)
            break;
        t = puan_tally_plan(puan_count_tally(c), (size_t)at);
        if (is_fine(plan, t))
            small += small_in(puan_count_tally(c), puan_count_cells(c),
                              (size_t)at,
                              puan_plan_number(plan, "release_min_cell", 3));
        for (size_t k = 0; k < t->n_by; k++) {
            /* a dimension is a coded item, a variable or an area; an item of
             * another zone would be an identity or a text */
            for (size_t f = 0; t->by[k].kind == PUAN_BY_ITEM &&
                               f < plan->n_forms;
                 f++) {
                int e = puan_form_entity(plan->form[f], t->entity), item;

                if (e < 0)
                    continue;
                item = puan_entity_item(&plan->form[f]->entity[e],
                                        t->by[k].name);
                if (item >= 0 && plan->form[f]->entity[e].items[item].zone !=
                                     PUAN_ZONE_FRAME)
                    secret++;
            }
        }
    }
    puan_count_release(st, c);
    if (rc != PUAN_OK)
        return rc;
    TRY(puan_release_tables_digest(now, puan_store_digest(st), tables, n, a,
                                   err));
    puan_case_fact(out, "same_tables",
                   memcmp(now, r->tables, sizeof now) == 0);
    puan_case_fact(out, "small_cells", small);
    puan_case_fact(out, "secret_cells", secret);
    return PUAN_OK;
}

static int64_t id_of(struct puan_str subject)
{
    int64_t id = 0;

    if (!puan_str_starts(subject, "release/"))
        return 0;
    subject.p += 8;
    subject.n -= 8;
    return puan_int_parse(&id, subject) ? id : 0;
}

/* Place of the area's level among the words of the flow's fact. */
static void level_fact(struct puan_case_facts *out, struct puan_store *st,
                       const struct puan_flow *flow, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = puan_area_find(t, area);

    for (size_t f = 0; i != PUAN_AREA_NONE && f < flow->n_facts; f++) {
        const struct puan_codelist *w = flow->facts[f].words;

        if (!puan_str_is(flow->facts[f].name, "release_level") || w == NULL)
            continue;
        for (size_t k = 0; k < w->n; k++)
            if (puan_str_eq(w->codes[k].text,
                            t->level[t->area[i].level].name))
                puan_case_fact(out, "release_level", w->codes[k].value);
    }
}

static enum puan_status release_facts(struct puan_case_facts *out,
                                      struct puan_store *st,
                                      const struct puan_case_row *row,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    const struct puan_flow *flow;
    struct puan_db *db = NULL;
    struct puan_release r;
    struct puan_lot lot;
    int64_t id = id_of(row->subject);
    enum puan_status rc;

    if (id == 0)
        return PUAN_OK;
    TRY(puan_cases_flow(&flow, st, row->flow, err));
    level_fact(out, st, flow, row->area);
    rc = puan_lot_of(&lot, st, row->area, a, NULL);
    if (rc != PUAN_OK && rc != PUAN_ENOTFOUND)
        return puan_fail(err, rc, "lot", "the lots cannot be read");
    puan_case_fact(out, "unaccepted", rc != PUAN_OK);
    TRY(puan_read_begin(&db, office, err));
    rc = puan_release_read(&r, db, id, a, err);
    puan_read_end(office, db);
    if (rc == PUAN_OK)
        rc = count_facts(out, st, &r, a, err);
    return rc;
}

/* ---- publishing ------------------------------------------------------------ */

struct puan_str puan_release_message(const struct puan_release *r,
                                     struct puan_arena *a)
{
    struct puan_str hex = hex_of(a, r->digest, PUAN_DIGEST_SIZE);

    return puan_str_of(puan_arena_fmt(a, "puan-release-1|%lld|%.*s|%lld",
                                      (long long)r->id, PUAN_FMT(hex),
                                      (long long)r->published_ms));
}

static enum puan_status release_after(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act,
                                      const struct puan_case_row *row,
                                      const struct puan_flow_run *run,
                                      const struct puan_flow_event *event,
                                      struct puan_str call,
                                      struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    uint8_t sig[PUAN_SIGNATURE_MAX];
    struct puan_release r;
    struct puan_arena a;
    size_t n = 0;
    enum puan_status rc;

    (void)run;
    if (call.n == 0)
        return PUAN_OK;
    if (!puan_str_is(call, "publish"))
        return puan_fail(err, PUAN_EINVAL, "flow",
                         "releases know call:publish, not call:%.*s",
                         PUAN_FMT(call));
    puan_arena_init(&a, &puan_heap);
    rc = puan_release_read(&r, db, id_of(row->subject), &a, err);
    if (rc == PUAN_OK) {
        r.published_ms = event->event_ms;
        rc = puan_sign(sig, &n, puan_keys_sign(puan_store_keys(st)),
                       puan_release_message(&r, &a), err);
    }
    if (rc == PUAN_OK) {
        r.signature = (struct puan_str){ (const char *)sig, n };
        rc = write_row(sh, db, act, &r, &a, err);
    }
    puan_arena_clear(&a);
    return rc;
}

const struct puan_case_owner puan_releases_owner = { "release", release_facts,
                                                     release_after };

/* ---- opening --------------------------------------------------------------- */

struct opening {
    struct puan_release *r;
    const struct puan_flow_who *who;
    struct puan_arena *arena;
};

static struct puan_node *add(struct puan_node *map, struct puan_arena *a,
                             const char *key, struct puan_str text)
{
    struct puan_node *n = puan_new(a, struct puan_node);

    if (n == NULL || map == NULL)
        return map;
    n->kind = PUAN_NODE_SCALAR;
    n->key = puan_str_of(key);
    n->text = text;
    n->quoted = true;
    n->file = "release";
    n->next = map->first;
    map->first = n;
    map->n++;
    return map;
}

static enum puan_status open_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct opening *x = arg;
    struct puan_arena *a = x->arena;
    struct puan_case_call *call = puan_new(a, struct puan_case_call);
    struct puan_node *map = puan_new(a, struct puan_node);

    if (call == NULL || map == NULL)
        return puan_arena_check(a, err);
    TRY(puan_db_int(&x->r->id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM release_doc", 1,
                    err));
    map->kind = PUAN_NODE_MAP;
    map->file = "release";
    add(map, a, "title", x->r->title);
    add(map, a, "tables", hex_of(a, x->r->tables, PUAN_DIGEST_SIZE));
    add(map, a, "data_version", hex_of(a, x->r->version, PUAN_DIGEST_SIZE));
    call->arena = a;
    call->flow = PUAN_STR("release");
    call->subject = puan_str_of(
        puan_arena_fmt(a, "release/%lld", (long long)x->r->id));
    call->area = x->r->area;
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = *x->who;
    call->event.fields = map;
    act->subject = call->subject;
    TRY(puan_case_in(sh, db, act, call, err));
    x->r->run = call->row.id;
    return write_row(sh, db, act, x->r, a, err);
}

enum puan_status puan_release_open(struct puan_release *out,
                                   struct puan_store *st, struct puan_act *act,
                                   const struct puan_flow_who *who,
                                   int64_t area, struct puan_str title,
                                   const struct puan_str *ids, size_t n_ids,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct opening x = { out, who, a };
    const struct puan_count *c = NULL;
    enum puan_status rc;

    *out = (struct puan_release){ .area = area, .title = title,
                                  .signature = PUAN_STR("") };
    if (n_ids == 0)
        return puan_fail(err, PUAN_EINVAL, "tables",
                         "name at least one table of the plan");
    TRY(puan_count_current(&c, st, area, err));
    rc = make_document(out, st, c, ids, n_ids, a, err);
    puan_count_release(st, c);
    if (rc != PUAN_OK)
        return rc;
    return puan_commit(puan_store_office(st), act, open_body, &x, err);
}

enum puan_status puan_release_text(struct puan_out *o, struct puan_store *st,
                                   const struct puan_release *r,
                                   struct puan_err *err)
{
    const struct puan_sign_key *key = puan_keys_sign(puan_store_keys(st));
    struct puan_arena *a = o->arena;
    struct puan_str spki = PUAN_STR("");
    struct puan_jw w;
    char when[32];

    TRY(puan_sign_public(&spki, key, a, err));
    puan_instant_text(when, r->published_ms,
                      puan_store_plan(st)->offset_minutes);
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "kind", "puan-release-1");
    puan_jw_kint(&w, "release", r->id);
    puan_jw_kstr(&w, "title", r->title);
    puan_jw_kint(&w, "area", r->area);
    puan_jw_ktext(&w, "campaign", puan_store_id(st));
    puan_jw_ktext(&w, "published", when);
    puan_jw_kint(&w, "published_ms", r->published_ms);
    puan_jw_key(&w, "document");
    puan_jw_raw(&w, r->document);
    puan_jw_key(&w, "proof");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "digest_name", puan_store_digest(st)->name);
    puan_jw_kstr(&w, "document", hex_of(a, r->digest, PUAN_DIGEST_SIZE));
    puan_jw_kstr(&w, "tables", hex_of(a, r->tables, PUAN_DIGEST_SIZE));
    puan_jw_kstr(&w, "version", hex_of(a, r->version, PUAN_DIGEST_SIZE));
    puan_jw_kstr(&w, "signature", hex_of(a, r->signature.p, r->signature.n));
    puan_jw_kstr(&w, "signer", hex_of(a, spki.p, spki.n));
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    return puan_arena_check(a, err);
}

/* ---- requests --------------------------------------------------------------- */

struct release_in {
    int64_t area, id;
    struct puan_str title, tables;
    struct puan_page page;
};

static enum puan_status open_release(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct release_in *in = v;
    struct puan_flow_who who =
        puan_case_seat(rq->store, puan_str_of(rq->who.name),
                       puan_str_of(rq->who.role_name), rq->who.area, in->area);
    struct puan_node *list = NULL;
    struct puan_str *ids;
    struct puan_release r;
    struct puan_act act;
    struct puan_jw *w;
    size_t n = 0;

    TRY(puan_json_tree(&list, in->tables, "tables", rq->arena, err));
    if (list->kind != PUAN_NODE_LIST || list->n > 64)
        return puan_fail(err, PUAN_EINVAL, "tables",
                         "tables must be a list of table names");
    ids = puan_new_n(rq->arena, list->n, struct puan_str);
    if (ids == NULL)
        return puan_arena_check(rq->arena, err);
    PUAN_NODE_EACH(c, list) {
        if (c->kind != PUAN_NODE_SCALAR)
            return puan_fail(err, PUAN_EINVAL, "tables",
                             "tables must be a list of table names");
        ids[n++] = c->text;
    }
    puan_request_act(&act, rq, PUAN_STR("release"));
    TRY(puan_release_open(&r, rq->store, &act, &who, in->area, in->title, ids,
                          n, rq->arena, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", r.id);
    puan_jw_kint(w, "case", r.run);
    puan_jw_kstr(w, "tables", hex_of(rq->arena, r.tables, PUAN_DIGEST_SIZE));
    puan_jw_kstr(w, "version", hex_of(rq->arena, r.version, PUAN_DIGEST_SIZE));
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status get(struct puan_release *r, struct puan_request *rq,
                            int64_t id, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_release_read(r, db, id, rq->arena, err);
    puan_read_end(office, db);
    return st;
}

static enum puan_status area_of_release(int64_t *area, struct puan_request *rq,
                                        const void *v, struct puan_err *err)
{
    const struct release_in *in = v;
    struct puan_release r;

    TRY(get(&r, rq, in->id, err));
    *area = r.area;
    return PUAN_OK;
}

/* Who has read it before it was out. */
static enum puan_status readers_json(struct puan_jw *w, struct puan_request *rq,
                                     int64_t id, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT role, area, at FROM release_reader WHERE release_id ="
                  " $1 ORDER BY id",
                  err);
    puan_jw_key(w, "readers");
    puan_jw_list(w);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, id);
    while (st == PUAN_OK && (st = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        const struct puan_role *r = puan_plan_role(plan, puan_col_text(s, 0));

        puan_jw_map(w);
        puan_jw_kstr(w, "role", puan_col_text(s, 0));
        puan_jw_kstr(w, "role_zh", r ? r->zh : puan_col_text(s, 0));
        puan_jw_kstr(w, "role_en", r ? r->en : puan_col_text(s, 0));
        puan_jw_kcode(w, "area", puan_col_int(s, 1));
        puan_jw_kinstant(w, "at", puan_col_int(s, 2), plan->offset_minutes);
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_jw_end(w, ']');
    puan_read_end(office, db);
    return st;
}

/* What anybody needs to check it, once it is out. */
static void proof_json(struct puan_jw *w, struct puan_request *rq,
                       const struct puan_release *r,
                       const struct puan_node *doc)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_node *source = puan_node_get(doc, "source");

    puan_jw_key(w, "proof");
    puan_jw_map(w);
    puan_jw_ktext(w, "address",
                  puan_arena_fmt(rq->arena,
                                 "/api/v1/c/%.*s/public/releases/%lld",
                                 PUAN_FMT(rq->campaign), (long long)r->id));
    puan_jw_kdigest(w, "document", r->digest);
    puan_jw_kstr(w, "signature",
                 hex_of(rq->arena, r->signature.p, r->signature.n));
    puan_jw_kdigest(w, "plan", plan->digest);
    puan_jw_ktext(w, "command",
                  puan_arena_fmt(rq->arena,
                                 "puan release verify release-%lld.json --dir "
                                 "DIR",
                                 (long long)r->id));
    puan_jw_key(w, "heads"); /* of the ledgers it was counted from */
    puan_jw_list(w);
    PUAN_NODE_EACH(c, source ? puan_node_get(source, "heads") : NULL) {
        puan_jw_map(w);
        puan_jw_kstr(w, "store", puan_node_str_opt(c, "store", ""));
        puan_jw_kstr(w, "height", puan_node_str_opt(c, "height", ""));
        puan_jw_kstr(w, "head", puan_node_str_opt(c, "head", ""));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/*
 * A release for the office: its run with the gates, what it came from, who has
 * read it; never the figures, which have their own request.
 */
static enum puan_status show(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct release_in *in = v;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_node *doc = NULL;
    struct puan_release r;
    struct puan_out o;
    struct puan_jw w;
    int64_t n = 0;

    TRY(get(&r, rq, in->id, err));
    TRY(puan_json_tree(&doc, r.document, "document", rq->arena, err));
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "id", r.id);
    puan_jw_kint(&w, "case", r.run);
    puan_jw_kint(&w, "area", r.area);
    puan_jw_kstr(&w, "title", r.title);
    puan_jw_kinstant(&w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_kbool(&w, "published", r.published_ms != 0);
    if (r.published_ms != 0)
        puan_jw_kinstant(&w, "published_at", r.published_ms,
                         plan->offset_minutes);
    puan_jw_kstr(&w, "tables", hex_of(rq->arena, r.tables, PUAN_DIGEST_SIZE));
    puan_jw_kstr(&w, "version", hex_of(rq->arena, r.version, PUAN_DIGEST_SIZE));
    puan_jw_key(&w, "tables_of"); /* their names; no figure */
    puan_jw_list(&w);
    PUAN_NODE_EACH(c, puan_node_get(doc, "tables")) {
        puan_jw_map(&w);
        puan_jw_kstr(&w, "id", puan_node_str_opt(c, "id", ""));
        puan_jw_kstr(&w, "zh", puan_node_str_opt(c, "zh", ""));
        puan_jw_kstr(&w, "en", puan_node_str_opt(c, "en", ""));
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_kbool(&w, "may_preview", puan_request_can(rq, "release.preview"));
    TRY(readers_json(&w, rq, r.id, err));
    if (r.published_ms != 0)
        proof_json(&w, rq, &r, doc);
    puan_jw_key(&w, "run");
    TRY(puan_case_json(&w, &n, rq, r.run, err));
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

struct reading {
    struct puan_request *rq;
    int64_t release;
};

static enum puan_status reader_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const struct reading *x = arg;
    const struct puan_who *who = &x->rq->who;
    struct puan_stmt *s = NULL;
    struct puan_out c;
    int64_t id = 0;

    TRY(puan_db_int(&id, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM"
                             " release_reader",
                    1, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO release_reader(id, release_id, account, role,"
                 " area, at) VALUES($1, $2, $3, $4, $5, $6)",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_int(s, 2, x->release);
    puan_bind_text(s, 3, puan_str_of(who->name));
    puan_bind_text(s, 4, puan_str_of(who->role_name));
    puan_bind_int(s, 5, who->area);
    puan_bind_int(s, 6, x->rq->now);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, x->rq->arena);
    puan_content_int(&c, x->release);
    puan_content_text(&c, puan_str_of(who->name));
    puan_content_text(&c, puan_str_of(who->role_name));
    puan_content_int(&c, who->area);
    puan_content_int(&c, x->rq->now);
    TRY(puan_arena_check(x->rq->arena, err));
    return puan_cover_id(sh, db, act, "release_reader", id, puan_out_view(&c),
                         err);
}

/* The figures before they are out; each reading is an entry and a row. */
static enum puan_status preview(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct release_in *in = v;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct reading x = { rq, in->id };
    struct puan_release r;
    struct puan_act act;
    struct puan_jw *w;

    TRY(get(&r, rq, in->id, err));
    if (r.published_ms == 0) {
        puan_request_act(&act, rq,
                         puan_str_of(puan_arena_fmt(rq->arena, "release/%lld",
                                                    (long long)r.id)));
        TRY(puan_commit(puan_store_office(rq->store), &act, reader_body, &x,
                        err));
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "id", r.id);
    puan_jw_kstr(w, "title", r.title);
    puan_jw_kbool(w, "published", r.published_ms != 0);
    puan_jw_kinstant(w, "read_at", rq->now, plan->offset_minutes);
    puan_jw_ktext(w, "seat", rq->who.seat_text);
    puan_jw_key(w, "document");
    puan_jw_raw(w, r.document);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static void release_json(struct puan_jw *w, struct puan_stmt *s,
                         const struct puan_plan *plan)
{
    puan_jw_kint(w, "area", puan_col_int(s, 2));
    puan_jw_kstr(w, "title", puan_col_text(s, 3));
    if (puan_col_int(s, 4) != 0)
        puan_jw_kinstant(w, "published", puan_col_int(s, 4),
                         plan->offset_minutes);
}

static void put_office(struct puan_jw *w, struct puan_stmt *s,
                       struct puan_request *rq)
{
    puan_jw_map(w);
    puan_jw_kint(w, "id", puan_col_int(s, 0));
    puan_jw_kint(w, "case", puan_col_int(s, 1));
    release_json(w, s, puan_store_plan(rq->store));
    puan_jw_end(w, '}');
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct puan_page *page = &((const struct release_in *)v)->page;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, run, area, title, published FROM release_doc"
                  " WHERE id > $1 ORDER BY id",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, page->cursor);
        st = puan_answer_rows(rq, s, page, 2, put_office, err);
    }
    puan_read_end(office, db);
    return st;
}

/* What is not published does not exist for the public. */
enum puan_status puan_release_published(struct puan_release *out,
                                        struct puan_request *rq, int64_t id,
                                        struct puan_err *err)
{
    TRY(get(out, rq, id, err));
    return out->published_ms == 0
               ? puan_fail(err, PUAN_ENOTFOUND, "release",
                           "there is no such release")
               : PUAN_OK;
}

static enum puan_status show_public(struct puan_request *rq, const void *v,
                                    struct puan_err *err)
{
    const struct puan_release_in *in = v;
    struct puan_release r;
    struct puan_out o;

    TRY(puan_release_published(&r, rq, in->id, err));
    puan_out_init(&o, rq->arena);
    TRY(puan_release_text(&o, rq->store, &r, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

static const struct puan_param open_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct release_in, area), 1, INT64_MAX,
      false },
    { "title", PUAN_PARAM_TEXT, offsetof(struct release_in, title), 1, 200,
      false },
    { "tables", PUAN_PARAM_JSON, offsetof(struct release_in, tables), 2, 4096,
      false },
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct release_in, area), 1, INT64_MAX,
      false },
    PUAN_PAGE_PARAMS(struct release_in, page),
};
static const struct puan_param id_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct release_in, id), 1, INT64_MAX,
      false },
};

static const struct puan_route routes[] = {
    { .method = PUAN_POST, .path = "/c/{campaign}/releases",
      .capability = "release.open", .scope = PUAN_SCOPE_AREA,
      .verb = "release.open", .summary = "Freeze tables for a release",
      .handle = open_release, PUAN_PARAMS(open_params, struct release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/releases",
      .capability = "release.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "List releases of an area", .handle = list,
      PUAN_PARAMS(list_params, struct release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/releases/{id}",
      .capability = "release.view", .scope = PUAN_SCOPE_OBJECT, .verb = "",
      .summary = "One release, its gates and who has read it", .handle = show,
      .area_of = area_of_release, PUAN_PARAMS(id_params, struct release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/releases/{id}/preview",
      .capability = "release.preview", .scope = PUAN_SCOPE_OBJECT,
      .verb = "release.preview",
      .summary = "The figures of a release that is not out; leaves an entry",
      .handle = preview, .area_of = area_of_release,
      PUAN_PARAMS(id_params, struct release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/releases",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Published results", .handle = puan_release_list_public,
      PUAN_PARAMS(puan_release_list_params, struct puan_release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/releases/{id}",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "A published result with its proof", .handle = show_public,
      PUAN_PARAMS(puan_release_id_params, struct puan_release_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/releases/{id}/tables",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What the tables of a published result are called",
      .handle = puan_release_tables_public,
      PUAN_PARAMS(puan_release_id_params, struct puan_release_in) },
    { .method = PUAN_GET,
      .path = "/c/{campaign}/public/releases/{id}/tables/{table}",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "One published table, {table} ending in .csv",
      .handle = puan_release_csv_public,
      PUAN_PARAMS(puan_release_csv_params, struct puan_release_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE release_doc(id BIGINT PRIMARY KEY, run BIGINT NOT NULL,"
      " area BIGINT NOT NULL, title TEXT NOT NULL, document TEXT NOT NULL,"
      " digest BYTEA NOT NULL, tables BYTEA NOT NULL, version BYTEA NOT NULL,"
      " published BIGINT NOT NULL, signature BYTEA NOT NULL);" },
    { PUAN_STORE_OFFICE, 2,
      "CREATE TABLE release_reader(id BIGINT PRIMARY KEY,"
      " release_id BIGINT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL,"
      " area BIGINT NOT NULL, at BIGINT NOT NULL);"
      "CREATE INDEX release_reader_of ON release_reader(release_id);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "release_doc",
      "SELECT CAST(id AS TEXT), run, area, title, document, digest, tables,"
      " version, published, signature FROM release_doc" },
    { PUAN_STORE_OFFICE, "release_reader",
      "SELECT CAST(id AS TEXT), release_id, account, role, area, at FROM"
      " release_reader" },
};

static const char *const calls[] = { "release:publish", NULL };

const struct puan_feature puan_feature_releases = {
    .name = "releases",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = puan_release_commands,
    .n_commands = PUAN_RELEASE_COMMANDS,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .calls = calls,
};
