/*
 * The clauses of the pinned plan for the office page.  The plays in memory are
 * run when somebody first asks (milliseconds); all of them, over HTTP and with
 * the mutation, in a thread of its own when a seat asks for it.  What came out
 * last is kept beside the store, with its time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "features/host/request.h"
#include "features/proof/internal.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

struct last {
    pthread_mutex_t lock;
    pthread_t thread;
    bool started; /* the thread, not joined yet */
    _Atomic bool running, stop;
    struct puan_store *st;
    char *text; /* JSON of the last result; NULL none */
    size_t n;
};

enum puan_status puan_proof_open(void **state, struct puan_store *st,
                                 struct puan_err *err)
{
    struct last *l = calloc(1, sizeof *l);

    if (l == NULL)
        return puan_fail(err, PUAN_ENOMEM, "proof", "out of memory");
    pthread_mutex_init(&l->lock, NULL);
    l->st = st;
    *state = l;
    return PUAN_OK;
}

void puan_proof_close(void *state, struct puan_store *st)
{
    struct last *l = state;

    (void)st;
    if (l == NULL)
        return;
    atomic_store(&l->stop, true);
    if (l->started)
        pthread_join(l->thread, NULL);
    pthread_mutex_destroy(&l->lock);
    free(l->text);
    free(l);
}

/* ---- as JSON ------------------------------------------------------------------- */

/* A place in a pack without where the packs lie: "cn-x/proof/y.yaml:3:5: ...". */
static const char *in_pack(const char *text)
{
    const char *at = text, *next;

    while ((next = strstr(at, "/plan/")) != NULL)
        at = next + 6;
    return at;
}

static void put_scenario(struct puan_jw *w, const struct puan_proof_scenario *x,
                         struct puan_str clause)
{
    const struct puan_scenario *s = x->of;

    puan_jw_map(w);
    puan_jw_kstr(w, "id", s->id);
    puan_jw_kstr(w, "zh", s->zh);
    puan_jw_kstr(w, "en", s->en);
    puan_jw_kbool(w, "server", s->server);
    puan_jw_ktext(w, "result",
                  !x->run ? "not-run" : x->passed ? "passed" : "failed");
    if (x->run && !x->passed) {
        puan_jw_ktext(w, "why", x->err.text);
        puan_jw_ktext(w, "where", in_pack(x->err.where));
        puan_jw_kint(w, "line", x->err.line);
    }
    puan_jw_kint(w, "steps", x->played.steps);
    puan_jw_kint(w, "us", x->us);
    puan_jw_key(w, "rests");
    puan_jw_list(w);
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->proves[i].n; k++)
            if (puan_str_eq(s->proves[i].clause, clause))
                puan_jw_str(w, s->proves[i].rest[k].at->text);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static void put_row(struct puan_jw *w, const struct puan_proof_row *r)
{
    const struct puan_clause *c = r->of;

    puan_jw_map(w);
    puan_jw_kstr(w, "id", c->id);
    puan_jw_kstr(w, "source", c->source);
    puan_jw_kstr(w, "system", c->system);
    puan_jw_kstr(w, "kind", c->kind);
    puan_jw_kstr(w, "as", c->as);
    puan_jw_kstr(w, "zh", c->zh);
    puan_jw_kstr(w, "en", c->en);
    puan_jw_kstr(w, "figure", c->figure);
    puan_jw_ktext(w, "state", puan_proof_state_name[r->state]);
    puan_jw_kstr(w, "what",
                 r->state == PUAN_PROOF_SHOWN ? PUAN_STR("") : c->what);
    if (r->fault != NULL)
        puan_jw_ktext(w, "fault", in_pack(r->fault));
    puan_jw_kint(w, "mutants", r->mutants);
    puan_jw_kint(w, "killed", r->killed + r->unloadable);
    puan_jw_key(w, "scenarios");
    puan_jw_list(w);
    for (size_t i = 0; i < r->n_by; i++)
        put_scenario(w, r->by[i], c->id);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

void puan_proof_json(struct puan_jw *w, const struct puan_proof *p,
                     int64_t at_ms)
{
    size_t state[4] = { 0 }, passed = 0;

    for (size_t i = 0; i < p->n; i++)
        state[p->row[i].state]++;
    for (size_t i = 0; i < p->n_scenarios; i++)
        passed += p->scenario[i].run && p->scenario[i].passed;
    puan_jw_map(w);
    puan_jw_kinstant(w, "at", at_ms, p->plan->offset_minutes);
    puan_jw_kint(w, "ms", p->us / 1000);
    for (size_t i = 0; i < 4; i++)
        puan_jw_kint(w, puan_proof_state_name[i], (int64_t)state[i]);
    puan_jw_kint(w, "scenarios", (int64_t)p->n_scenarios);
    puan_jw_kint(w, "passed", (int64_t)passed);
    puan_jw_kint(w, "failed", (int64_t)p->failed);
    puan_jw_kbool(w, "mutated", p->mutated);
    puan_jw_kint(w, "mutants", p->mutants);
    puan_jw_kint(w, "killed", p->killed + p->unloadable);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < p->n; i++)
        put_row(w, &p->row[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* ---- running --------------------------------------------------------------------- */

/* Makes the proof and keeps it; the lock is the caller's. */
static enum puan_status make(char **text, size_t *n, struct last *l, bool all,
                             struct puan_err *err)
{
    const struct puan_proof_options opt = {
        .run = true, .mutate = all,
        .server = all ? puan_proof_server : NULL, .stop = &l->stop
    };
    struct puan_arena a;
    struct puan_proof p;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_proof_make(&p, puan_store_plan(l->st), puan_store_digest(l->st),
                         &opt, &a, err);
    if (st == PUAN_OK) {
        struct puan_out o;
        struct puan_jw w;
        struct puan_str v;

        puan_out_init(&o, &a);
        puan_jw_init(&w, &o);
        puan_proof_json(&w, &p, puan_real_now());
        v = puan_out_view(&o);
        st = puan_arena_check(&a, err);
        *text = st == PUAN_OK ? malloc(v.n + 1) : NULL;
        *n = v.n;
        if (*text != NULL)
            memcpy(*text, v.p, v.n);
        else if (st == PUAN_OK)
            st = puan_fail(err, PUAN_ENOMEM, "proof", "out of memory");
    }
    puan_arena_clear(&a);
    return st;
}

static void keep(struct last *l, char *text, size_t n)
{
    free(l->text);
    l->text = text;
    l->n = n;
}

static void *run_all(void *arg)
{
    struct last *l = arg;
    struct puan_err err = { 0 };
    char *text = NULL;
    size_t n = 0;

    if (make(&text, &n, l, true, &err) == PUAN_OK) {
        pthread_mutex_lock(&l->lock);
        keep(l, text, n);
        pthread_mutex_unlock(&l->lock);
    } else if (!l->stop) {
        puan_log_err(PUAN_LOG_WARN, "clauses", &err);
    }
    atomic_store(&l->running, false);
    return NULL;
}

static enum puan_status get(struct puan_request *rq, const void *v,
                            struct puan_err *err)
{
    struct last *l = puan_store_state(rq->store, &puan_feature_proof);
    enum puan_status st = PUAN_OK;

    (void)v;
    if (l == NULL)
        return puan_fail(err, PUAN_EBUG, "proof", "not open");
    pthread_mutex_lock(&l->lock);
    if (l->text == NULL) {
        char *text = NULL;
        size_t n = 0;

        st = make(&text, &n, l, false, err);
        if (st == PUAN_OK)
            keep(l, text, n);
    }
    if (st == PUAN_OK) {
        struct puan_jw *w = puan_answer_begin(rq, 200);
        struct puan_str body = { l->text, l->n };

        /* one more word at the front of what is kept */
        puan_jw_raw(w, puan_str_of(puan_arena_fmt(
                           rq->arena, "{\"running\":%s,%.*s",
                           atomic_load(&l->running) ? "true" : "false",
                           (int)(body.n - 1), body.p + 1)));
    }
    pthread_mutex_unlock(&l->lock);
    return st;
}

static enum puan_status run(struct puan_request *rq, const void *v,
                            struct puan_err *err)
{
    struct last *l = puan_store_state(rq->store, &puan_feature_proof);
    enum puan_status st = PUAN_OK;

    (void)v;
    if (l == NULL)
        return puan_fail(err, PUAN_EBUG, "proof", "not open");
    pthread_mutex_lock(&l->lock);
    if (!atomic_load(&l->running)) {
        if (l->started)
            pthread_join(l->thread, NULL);
        l->started = false;
        atomic_store(&l->running, true);
        if (pthread_create(&l->thread, NULL, run_all, l) == 0) {
            l->started = true;
        } else {
            atomic_store(&l->running, false);
            st = puan_fail(err, PUAN_ELIMIT, "proof", "no thread can be made");
        }
    }
    pthread_mutex_unlock(&l->lock);
    if (st == PUAN_OK) {
        struct puan_jw *w = puan_answer_begin(rq, 202);

        puan_jw_map(w);
        puan_jw_kbool(w, "running", true);
        puan_jw_end(w, '}');
    }
    return st;
}

const struct puan_route puan_proof_routes[PUAN_PROOF_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/clauses",
      .capability = "monitor.view", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "Clauses of the plan's packs, and what shows each of them",
      .handle = get },
    { .method = PUAN_POST, .path = "/c/{campaign}/clauses/run",
      .capability = "proof.run", .scope = PUAN_SCOPE_OFFICE, .verb = "",
      .summary = "Runs every scenario again, with the mutation",
      .handle = run },
};
