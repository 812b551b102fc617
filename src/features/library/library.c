/*
 * Routes of the plan library: all workflows of the plan, and one of them.
 */
#include "features/library/library.h"

#include "features/host/host.h"
#include "features/library/internal.h"

/* ---- the list --------------------------------------------------------------- */

struct list_in {
    int64_t area;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 1, INT64_MAX,
      true },
};

/* Runs of a flow inside the area: open ones, drills among them, and those of
 * another version than the plan has now. */
struct tally {
    int64_t open, drills, old, ended;
};

static enum puan_status tally_all(struct tally *out, struct puan_request *rq,
                                  const struct puan_flows *all,
                                  struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT flow, area, version, plan, drill,"
                  " CASE WHEN ended = 0 THEN 0 ELSE 1 END, COUNT(*)"
                  " FROM case_run GROUP BY 1, 2, 3, 4, 5, 6",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_str flow = puan_col_text(s, 0), digest;
        int64_t n = puan_col_int(s, 6);

        if (!puan_area_covers(rq->store, rq->area, puan_col_int(s, 1)))
            continue;
        for (size_t i = 0; i < all->n; i++) {
            if (!puan_str_eq(all->flow[i]->label.name, flow))
                continue;
            if (puan_col_int(s, 5) != 0) {
                out[i].ended += n;
                break;
            }
            digest = puan_col_bytes(s, 3);
            out[i].open += n;
            out[i].drills += puan_col_int(s, 4) != 0 ? n : 0;
            if (puan_col_int(s, 2) != all->flow[i]->version ||
                digest.n != PUAN_DIGEST_SIZE ||
                memcmp(digest.p, plan->digest, PUAN_DIGEST_SIZE) != 0)
                out[i].old += n;
            break;
        }
    }
    if (s != NULL)
        puan_stmt_done(s);
    puan_read_end(office, db);
    return st;
}

static const struct puan_plan_file *file_of(const struct puan_plan *p,
                                            const struct puan_flow *f)
{
    for (size_t i = 0; f->file != NULL && i < p->n_flows; i++)
        if (strcmp(p->flows[i]->name, f->file) == 0)
            return p->flows[i];
    return NULL;
}

/* Members both answers have. */
static void head_json(struct puan_jw *w, const struct puan_plan *p,
                      const struct puan_flow *f, int64_t now)
{
    const struct puan_plan_file *file = file_of(p, f);

    puan_jw_kstr(w, "flow", f->label.name);
    puan_jw_kstr(w, "zh", f->label.zh);
    puan_jw_kstr(w, "en", f->label.en);
    puan_jw_kint(w, "version", f->version);
    puan_jw_kstr(w, "group", f->group);
    puan_jw_kstr(w, "subject", f->subject);
    puan_library_role(w, p, "owner", f->owner);
    puan_jw_ktext(w, "standing", puan_library_standing(f, now));
    puan_jw_ktext(w, "in_force", f->on_approval ? "approval" : "issue");
    if (file != NULL) {
        puan_jw_kstr(w, "pack", file->pack);
        puan_jw_kstr(w, "file", file->path);
        puan_jw_kbool(w, "overlay",
                      p->overlay.n > 0 && puan_str_eq(file->pack, p->overlay));
    }
    if (f->issued.interpreter.n == 0)
        return;
    puan_jw_key(w, "issued");
    puan_jw_map(w);
    puan_library_role(w, p, "interpreter", f->issued.interpreter);
    puan_jw_kinstant(w, "effective", f->issued.effective_ms,
                     p->offset_minutes);
    if (f->issued.approved_ms != 0)
        puan_jw_kinstant(w, "approved", f->issued.approved_ms,
                         p->offset_minutes);
    puan_jw_kbool(w, "trial", f->issued.trial);
    puan_jw_kstr(w, "part_of", f->issued.part_of);
    puan_jw_end(w, '}');
}

/* What a lower office's own pack changes: its flows, roles, and the settings
 * it makes shorter, beside what they were. */
static void overlay_json(struct puan_jw *w, const struct puan_plan *p,
                         const struct puan_plan_pack *pack)
{
    puan_jw_key(w, "changes");
    puan_jw_list(w);
    for (size_t i = 0; i < pack->n_files; i++) {
        const struct puan_node *set;

        if (pack->file[i].tree == NULL ||
            !puan_str_is(pack->file[i].path, "plan.yaml"))
            continue;
        set = puan_node_get(pack->file[i].tree, "settings");
        if (set == NULL || set->kind != PUAN_NODE_MAP)
            continue;
        PUAN_NODE_EACH(c, set) {
            const struct puan_setting *s = puan_plan_setting(p, c->key);

            if (s == NULL)
                continue;
            puan_jw_map(w);
            puan_jw_kstr(w, "id", s->id);
            puan_jw_kstr(w, "zh", s->zh);
            puan_jw_kstr(w, "en", s->en);
            puan_jw_kstr(w, "text", s->text);
            puan_jw_end(w, '}');
        }
    }
    puan_jw_end(w, ']');
}

static void plan_json(struct puan_jw *w, const struct puan_plan *p)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_jw_key(w, "plan");
    puan_jw_map(w);
    puan_jw_kstr(w, "id", p->id);
    puan_jw_kstr(w, "version", p->version);
    puan_jw_kstr(w, "zh", p->zh);
    puan_jw_kstr(w, "en", p->en);
    puan_hex(hex, p->digest, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_key(w, "packs");
    puan_jw_list(w);
    for (size_t i = 0; i < p->n_packs; i++) {
        bool over = p->overlay.n > 0 &&
                    puan_str_eq(p->pack[i].name, p->overlay);

        puan_jw_map(w);
        puan_jw_kstr(w, "name", p->pack[i].name);
        puan_hex(hex, p->pack[i].digest, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "digest", hex);
        puan_jw_kbool(w, "overlay", over);
        if (over)
            overlay_json(w, p, &p->pack[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(rq->store);
    const struct puan_plan *p = puan_store_plan(rq->store);
    struct tally *t = puan_new_n(rq->arena, all->n, struct tally);
    struct puan_jw *w;

    (void)v;
    if (t == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(tally_all(t, rq, all, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, p->offset_minutes);
    plan_json(w, p);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < all->n; i++) {
        const struct puan_flow *f = all->flow[i];

        puan_jw_map(w);
        head_json(w, p, f, rq->now);
        puan_jw_kint(w, "steps", (int64_t)f->n_steps);
        puan_jw_kint(w, "approvals", (int64_t)f->n_approvals);
        puan_jw_kint(w, "clocks",
                     (int64_t)f->n_clocks - (f->recurrence.clock >= 0));
        puan_jw_kbool(w, "recurs", f->recurrence.clock >= 0);
        puan_jw_kint(w, "clauses", (int64_t)f->n_clauses);
        /* how many there are tells something, too */
        if (puan_library_seen(rq, f)) {
            puan_jw_kint(w, "open", t[i].open);
            puan_jw_kint(w, "drills", t[i].drills);
            puan_jw_kint(w, "old", t[i].old);
            puan_jw_kint(w, "ended", t[i].ended);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- one ----------------------------------------------------------------------- */

struct one_in {
    int64_t area;
    struct puan_str flow;
};
static const struct puan_param one_params[] = {
    { "flow", PUAN_PARAM_TEXT, offsetof(struct one_in, flow), 1, 64, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct one_in, area), 1, INT64_MAX,
      true },
};

static enum puan_status one(struct puan_request *rq, const void *v,
                            struct puan_err *err)
{
    const struct one_in *in = v;
    const struct puan_plan *p = puan_store_plan(rq->store);
    const struct puan_flow *f;
    struct puan_out o;
    struct puan_jw w;

    TRY(puan_cases_flow(&f, rq->store, in->flow, err));
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now, p->offset_minutes);
    head_json(&w, p, f, rq->now);
    puan_library_definition(&w, p, f, puan_cases_flows(rq->store), rq->arena);
    puan_jw_kbool(&w, "seen", puan_library_seen(rq, f));
    TRY(puan_library_runs(&w, rq, f, err));
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/library",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "The plan and its workflows, with what runs of each",
      .handle = list, PUAN_PARAMS(list_params, struct list_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/library/{flow}",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "One workflow whole, with its runs", .handle = one,
      PUAN_PARAMS(one_params, struct one_in) },
};

const struct puan_feature puan_feature_library = {
    .name = "library",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
};
