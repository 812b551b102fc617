/*
 * The ledger over HTTP: search, one entry, its proof, and the signed heads to
 * carry off as witness.
 *
 * A seat sees the store of its area; below a returns store's area it sees only
 * entries whose subject or seat lies in its own area.  The office store is for
 * seats at the installation's top.
 */
#include "core/area/area.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "features/ledgers/source.h"

/* Entries one request may look at; the client goes on with the cursor. */
#define SCAN 200000

struct find_in {
    int64_t area;
    struct puan_str store, actor, seat, device, verb, subject;
    int64_t since, until;
    struct puan_page page;
};
static const struct puan_param find_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct find_in, area), 0, INT64_MAX,
      true },
    { "store", PUAN_PARAM_TEXT, offsetof(struct find_in, store), 1, 24, true },
    { "actor", PUAN_PARAM_TEXT, offsetof(struct find_in, actor), 1, 64, true },
    { "seat", PUAN_PARAM_TEXT, offsetof(struct find_in, seat), 1, 64, true },
    { "device", PUAN_PARAM_TEXT, offsetof(struct find_in, device), 1, 64,
      true },
    { "verb", PUAN_PARAM_TEXT, offsetof(struct find_in, verb), 1, 64, true },
    { "subject", PUAN_PARAM_TEXT, offsetof(struct find_in, subject), 1, 128,
      true },
    { "since", PUAN_PARAM_INT, offsetof(struct find_in, since), 0, INT64_MAX,
      true },
    { "until", PUAN_PARAM_INT, offsetof(struct find_in, until), 0, INT64_MAX,
      true },
    PUAN_PAGE_PARAMS(struct find_in, page),
};

struct entry_in {
    int64_t seq, area, height;
    struct puan_str store;
};
static const struct puan_param entry_params[] = {
    { "seq", PUAN_PARAM_INT, offsetof(struct entry_in, seq), 0, INT64_MAX,
      false },
    { "area", PUAN_PARAM_AREA, offsetof(struct entry_in, area), 0, INT64_MAX,
      true },
    { "store", PUAN_PARAM_TEXT, offsetof(struct entry_in, store), 1, 24,
      true },
};
static const struct puan_param proof_params[] = {
    { "seq", PUAN_PARAM_INT, offsetof(struct entry_in, seq), 0, INT64_MAX,
      false },
    { "area", PUAN_PARAM_AREA, offsetof(struct entry_in, area), 0, INT64_MAX,
      true },
    { "store", PUAN_PARAM_TEXT, offsetof(struct entry_in, store), 1, 24,
      true },
    { "height", PUAN_PARAM_INT, offsetof(struct entry_in, height), 1,
      INT64_MAX, true },
};

/*
 * The store that rq->area and the parameter name, and what the entries must
 * lie in ("" when the whole store is the seat's).
 */
static enum puan_status store_of(struct puan_shard **out,
                                 struct puan_str *within,
                                 struct puan_request *rq,
                                 struct puan_str name, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *own = puan_store_shard_of_area(rq->store, rq->area);
    bool top = rq->area == puan_area_top(rq->store);

    *out = NULL;
    *within = PUAN_STR("");
    if (own &&
        (name.n ? puan_str_is(name, puan_shard_name(own)) : !top)) {
        *out = own;
        if (puan_shard_area(own) != rq->area)
            *within = puan_str_of(puan_arena_fmt(rq->arena, "%lld",
                                                 (long long)rq->area));
        return puan_arena_check(rq->arena, err);
    }
    for (size_t i = 0; i < puan_store_shards(rq->store); i++) {
        struct puan_shard *sh = puan_store_shard(rq->store, i);

        if (name.n ? !puan_str_is(name, puan_shard_name(sh)) : i > 0)
            continue;
        if (i == 0 ? top
                   : puan_area_contains_code(t, rq->area, puan_shard_area(sh)))
            *out = sh;
        break;
    }
    if (*out)
        return PUAN_OK;
    return puan_fail(err, name.n ? PUAN_EDENIED : PUAN_EINVAL, "store",
                     "name the store of a county inside your area");
}

struct answer {
    struct puan_jw *w;
};

static enum puan_status put(void *arg, const struct puan_entry *e,
                            const uint8_t *digest, struct puan_err *err)
{
    (void)err;
    puan_ledger_entry_json(((struct answer *)arg)->w, e, digest);
    return PUAN_OK;
}

static enum puan_status find(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct find_in *q = in;
    struct puan_ledger_query query = {
        .actor = q->actor,
        .seat = q->seat,
        .device = q->device,
        .verb = q->verb,
        .subject = q->subject,
        .since_ms = q->since,
        .until_ms = q->until,
        .from = (uint64_t)q->page.cursor,
        .limit = (uint64_t)puan_page_limit(&q->page),
        .scan = SCAN,
    };
    struct puan_shard *sh;
    struct puan_db *db;
    struct answer a;
    uint64_t next = 0;
    enum puan_status st = store_of(&sh, &query.area, rq, q->store, err);

    if (st == PUAN_OK)
        st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    a.w = puan_answer_items(rq);
    st = puan_ledger_each(db, &query, put, &a, &next, err);
    puan_read_end(sh, db);
    if (st == PUAN_OK)
        puan_answer_items_end(rq, (int64_t)next);
    return st;
}

struct one {
    struct puan_jw *w;
    struct puan_request *rq;
    uint64_t seq;
    bool met;
};

static enum puan_status put_one(void *arg, const struct puan_entry *e,
                                const uint8_t *digest, struct puan_err *err)
{
    struct one *o = arg;

    (void)err;
    if (e->seq != o->seq)
        return PUAN_OK;
    o->met = true;
    if (o->rq)
        puan_ledger_entry_json(puan_answer_begin(o->rq, 200), e, digest);
    return PUAN_OK;
}

/* Looks one entry up; ENOTFOUND also when it lies outside the area. */
static enum puan_status one_entry(struct puan_request *answer,
                                  struct puan_db *db, struct puan_str within,
                                  uint64_t seq, struct puan_err *err)
{
    struct puan_ledger_query query = { .area = within,
                                       .from = seq,
                                       .limit = 1,
                                       .scan = 1 };
    struct one o = { .rq = answer, .seq = seq };
    uint64_t next;
    enum puan_status st =
        puan_ledger_each(db, &query, put_one, &o, &next, err);

    if (st == PUAN_OK && !o.met)
        st = puan_fail(err, PUAN_ENOTFOUND, "seq", "no such entry");
    return st;
}

static enum puan_status show(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct entry_in *q = in;
    struct puan_str within;
    struct puan_shard *sh;
    struct puan_db *db;
    enum puan_status st = store_of(&sh, &within, rq, q->store, err);

    if (st == PUAN_OK)
        st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = one_entry(rq, db, within, (uint64_t)q->seq, err);
    puan_read_end(sh, db);
    return st;
}

static enum puan_status prove(struct puan_request *rq, const void *in,
                              struct puan_err *err)
{
    const struct entry_in *q = in;
    struct puan_str within;
    struct puan_shard *sh;
    struct puan_db *db;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st = store_of(&sh, &within, rq, q->store, err);

    if (st == PUAN_OK)
        st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = one_entry(NULL, db, within, (uint64_t)q->seq, err);
    if (st == PUAN_OK) {
        puan_out_init(&o, rq->arena);
        puan_jw_init(&w, &o);
        st = puan_ledger_proof_json(&w, db, puan_store_digest(rq->store),
                                    puan_shard_name(sh), (uint64_t)q->seq,
                                    (uint64_t)q->height, err);
    }
    puan_read_end(sh, db);
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, puan_out_view(&o));
    return st;
}

static enum puan_status witness(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    struct puan_str json;
    enum puan_status st =
        puan_store_checkpoint(rq->store, &json, rq->arena, err);

    (void)in;
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, json);
    return st;
}

const struct puan_route puan_ledger_routes[PUAN_LEDGER_ROUTES] = {
    { PUAN_GET, "/c/{campaign}/ledger", "ledger.search", PUAN_SCOPE_AREA, "",
      "Search the ledger: who did what to which subject, and when", find,
      PUAN_PARAMS(find_params, struct find_in) },
    { PUAN_GET, "/c/{campaign}/ledger/{seq}", "ledger.view", PUAN_SCOPE_AREA,
      "", "One ledger entry", show,
      PUAN_PARAMS(entry_params, struct entry_in) },
    { PUAN_GET, "/c/{campaign}/ledger/{seq}/proof", "ledger.prove",
      PUAN_SCOPE_AREA, "", "Proof that an entry is in the ledger", prove,
      PUAN_PARAMS(proof_params, struct entry_in) },
    { PUAN_GET, "/c/{campaign}/checkpoint", "ledger.prove", PUAN_SCOPE_OFFICE,
      "", "Signed heads of all stores, to be kept outside as witness",
      witness },
};
