/*
 * Articles and looks; see helpdesk.h.
 */
#include "features/helpdesk/helpdesk.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "core/help/help.h"
#include "core/ledger/ledger.h"
#include "features/campaign/campaign.h"
#include "features/certificates/certificates.h"
#include "features/host/request.h"
#include "features/household/household.h"
#include "kit/os/heap.h"

/* ---- what is kept in memory ---------------------------------------------- */

struct state {
    struct puan_arena arena;
    struct puan_help help;
};

static void close_state(void *state, struct puan_store *st)
{
    struct state *x = state;

    (void)st;
    if (x == NULL)
        return;
    puan_arena_clear(&x->arena);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct state *x = calloc(1, sizeof *x);
    enum puan_status rc;

    *state = x;
    if (x == NULL)
        return puan_fail(err, PUAN_ENOMEM, "helpdesk", "out of memory");
    puan_arena_init(&x->arena, &puan_heap);
    rc = puan_help_load(&x->help, puan_store_plan(st), NULL, &x->arena, err);
    if (rc != PUAN_OK) {
        close_state(x, st);
        *state = NULL;
    }
    return rc;
}

/* ---- articles ------------------------------------------------------------ */

static void article_json(struct puan_jw *w, const struct puan_help_article *x)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "id", x->id);
    puan_jw_kstr(w, "zh", x->zh);
    puan_jw_kstr(w, "en", x->en);
    puan_jw_kstr(w, "text_zh", x->text_zh);
    puan_jw_kstr(w, "text_en", x->text_en);
    puan_jw_key(w, "words");
    puan_jw_list(w);
    for (size_t i = 0; i < x->n_words; i++)
        puan_jw_str(w, x->words[i]);
    puan_jw_end(w, ']');
    if (x->kind.n > 0)
        puan_jw_kstr(w, "kind", x->kind);
    if (x->page.n > 0)
        puan_jw_kstr(w, "page", x->page);
    puan_jw_end(w, '}');
}

/* Whoever asks reads what is for everybody; accounts of the census more. */
static enum puan_help_for reads(const struct puan_request *rq)
{
    switch (rq->who.credential) {
    case PUAN_CRED_DEVICE:
        return PUAN_HELP_FIELD;
    case PUAN_CRED_HUMAN:
        return PUAN_HELP_DESK;
    case PUAN_CRED_NONE:
    case PUAN_CRED_HOUSEHOLD:
    case PUAN_CRED_SERVICE:
        break;
    }
    return PUAN_HELP_PUBLIC;
}

static enum puan_status articles(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    const struct state *x = puan_store_state(rq->store, &puan_feature_helpdesk);
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)in;
    (void)err;
    puan_jw_map(w);
    puan_jw_key(w, "topics");
    puan_jw_list(w);
    for (size_t i = 0; i < x->help.n; i++) {
        const struct puan_help_topic *t = &x->help.topic[i];

        if (t->audience > reads(rq))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "id", t->id);
        puan_jw_kstr(w, "zh", t->zh);
        puan_jw_kstr(w, "en", t->en);
        puan_jw_key(w, "articles");
        puan_jw_list(w);
        for (size_t k = 0; k < t->n; k++)
            article_json(w, &t->article[k]);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- the call desk ------------------------------------------------------- */

struct look_in {
    int64_t household;
    struct puan_str purpose;
};

/* A look is an act of its own; its body changes nothing. */
static enum puan_status look_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    (void)sh;
    (void)db;
    (void)act;
    (void)arg;
    (void)err;
    return PUAN_OK;
}

static enum puan_status look(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct look_in *in = v;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t ea = puan_area_of_household(t, in->household);
    struct puan_str staff, no, json;
    struct puan_act act;
    struct puan_jw *w;
    char subject[24];

    if (ea == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no area here has this household");
    puan_format(subject, sizeof subject, "%lld", (long long)in->household);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = in->purpose;
    TRY(puan_commit(puan_store_office(rq->store), &act, look_body, NULL, err));
    TRY(puan_household_brief(&json, rq, in->household, err));
    TRY(puan_assigned(&staff, rq->store, t->area[ea].code, rq->arena, err));
    no = PUAN_STR("");
    if (staff.n > 0)
        TRY(puan_certificate_of(&no, rq->store, staff, rq->arena, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_key(w, "household");
    puan_jw_raw(w, json);
    puan_jw_kstr(w, "staff", staff);
    puan_jw_kstr(w, "certificate", no);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static const struct puan_param look_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct look_in, household), 1,
      INT64_MAX, false },
    { "purpose", PUAN_PARAM_TEXT, offsetof(struct look_in, purpose), 1, 200,
      false },
};

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/public/help",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Questions and answers for everybody", .handle = articles },
    { .method = PUAN_GET, .path = "/c/{campaign}/help",
      .capability = "", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "Questions and answers for one's own account",
      .handle = articles },
    { .method = PUAN_POST, .path = "/c/{campaign}/calldesk/{household}",
      .capability = "calldesk.look", .scope = PUAN_SCOPE_HOUSEHOLD,
      .verb = "calldesk.look",
      .summary = "How far a household that rings up has come; no answers",
      .handle = look, PUAN_PARAMS(look_params, struct look_in) },
};

const struct puan_feature puan_feature_helpdesk = {
    .name = "helpdesk",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .open = open_state,
    .close = close_state,
};
