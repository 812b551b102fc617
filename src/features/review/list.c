/*
 * The queue and its counts, read from the index; enumeration areas that may be
 * accepted as one.  No name and no identity number is in any of it.
 */
#include "features/review/internal.h"

#include <stdlib.h>

#include "features/host/partial.h"

#define PAGE 50

/* ---- words ------------------------------------------------------------------- */

void puan_review_finding(struct puan_jw *w, struct puan_store *st,
                         uint8_t form, struct puan_open o)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_form *f = form < plan->n_forms ? plan->form[form] : NULL;
    const struct puan_ruleset *rules = f ? puan_ingest_rules(st, f) : NULL;
    const struct puan_rule_info *info;

    if (!rules || o.rule >= puan_ruleset_count(rules)) {
        puan_jw_null(w);
        return;
    }
    info = puan_ruleset_info(rules, o.rule);
    puan_jw_map(w);
    puan_jw_kstr(w, "rule", info->id);
    puan_jw_ktext(w, "severity", info->severity == PUAN_HARD ? "hard" : "soft");
    puan_jw_kstr(w, "entity", f->entity[info->entity].name);
    if (f->entity[info->entity].roster)
        puan_jw_kint(w, "row", (int64_t)o.row + 1);
    puan_jw_kstr(w, "zh", info->zh);
    puan_jw_kstr(w, "en", info->en);
    puan_jw_end(w, '}');
}

void puan_review_look_json(struct puan_jw *w, struct puan_store *st,
                           const struct puan_look *l)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_role *role = puan_plan_role(plan, puan_str_of(l->role));

    puan_jw_map(w);
    puan_jw_ktext(w, "name", l->name);
    puan_jw_kstr(w, "role_zh", role ? role->zh : puan_str_of(l->role));
    puan_jw_kstr(w, "role_en", role ? role->en : puan_str_of(l->role));
    puan_jw_kinstant(w, "until", l->until, plan->offset_minutes);
    puan_jw_end(w, '}');
}

/* ---- choosing ------------------------------------------------------------------ */

struct row {
    struct puan_review_shard *rs;
    struct puan_home home; /* copies: the lock is not held while writing */
    struct puan_work work;
    struct puan_open first;
    bool marked;
    struct puan_mark mark, passed;
    enum puan_review_state state;
    struct puan_str actor, mode;
    int64_t since;
};

/* A household that fits, for ordering: what the page shows of it is copied
 * once it is known to be on the page. */
struct fit {
    int64_t household, since;
    struct puan_review_shard *rs;
    uint32_t work; /* place in rs->work */
    uint16_t hard, open;
    enum puan_review_state state;
};

struct choice {
    const struct puan_review_list_in *in;
    int64_t from, to, now, answer_ms;
    unsigned level;
    enum puan_review_state state;
    bool open; /* any state, so long as a finding stands open */
    int kind;  /* 0 any, 1 hard, 2 soft */
    int form;  /* -1 any */
    int (*order)(const void *, const void *);
    /* the first `most` of the order, a heap with the last of them at its root;
     * as the page is shown, in order */
    struct fit *fit;
    size_t n, cap, most;
    int64_t total;
    struct row *row; /* from the `skip`th of `fit` on */
    size_t skip, n_rows;
    bool failed;
};

static bool overdue(const struct choice *c, const struct puan_work *w)
{
    return c->answer_ms > 0 && c->now - w->query_at > c->answer_ms;
}

/* Since when it waits where it stands; no correction is older than its query. */
static int64_t since(const struct puan_home *h, const struct puan_work *w,
                     enum puan_review_state state)
{
    if (state == PUAN_REVIEW_QUERYING ||
        (state == PUAN_REVIEW_CORRECTED && w->query_at > h->arrived))
        return w->query_at;
    return h->arrived;
}

static bool of_rule(const struct puan_review_shard *rs,
                    const struct puan_home *h, const struct puan_work *w,
                    struct puan_str rule)
{
    struct puan_store *st = rs->rv->store;
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_ruleset *rules =
        h->form < plan->n_forms ? puan_ingest_rules(st, plan->form[h->form])
                                : NULL;

    for (unsigned i = 0; rules && i < w->n_open; i++)
        if (puan_str_eq(puan_ruleset_info(rules, w->open[i].rule)->id, rule))
            return true;
    return false;
}

static bool chosen(const struct choice *c, const struct puan_review_shard *rs,
                   const struct puan_home *h, const struct puan_work *w,
                   enum puan_review_state state)
{
    const struct puan_review_list_in *in = c->in;
    int64_t waited = c->now - since(h, w, state);

    if (in->overdue && !(state == PUAN_REVIEW_QUERYING && overdue(c, w)))
        return false;
    if (in->passed && !puan_review_passed(rs, h, c->level))
        return false;
    if (c->kind == 1 && w->n_hard == 0)
        return false;
    if (c->kind == 2 && w->n_open == w->n_hard)
        return false;
    if (in->waiting > 0 && waited < in->waiting * 3600000)
        return false;
    if (in->mode.n && !puan_str_eq(rs->word[h->mode], in->mode))
        return false;
    if (c->form >= 0 && h->form != c->form)
        return false;
    if (in->enumerator.n && !puan_str_eq(rs->word[h->actor], in->enumerator))
        return false;
    return in->rule.n == 0 || of_rule(rs, h, w, in->rule);
}

/* Puts x where it belongs in the heap below `i`. */
static void sink(struct choice *c, size_t i, struct fit x)
{
    for (size_t k = i * 2 + 1; k < c->n; i = k, k = k * 2 + 1) {
        if (k + 1 < c->n && c->order(&c->fit[k + 1], &c->fit[k]) > 0)
            k++;
        if (c->order(&c->fit[k], &x) <= 0)
            break;
        c->fit[i] = c->fit[k];
    }
    c->fit[i] = x;
}

static void keep(struct choice *c, struct fit x)
{
    c->total++;
    if (c->n == c->most) {
        if (c->order(&x, &c->fit[0]) < 0)
            sink(c, 0, x);
        return;
    }
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 256;
        struct fit *grown = realloc(c->fit, cap * sizeof(*grown));

        if (!grown) {
            c->failed = true;
            return;
        }
        c->fit = grown;
        c->cap = cap;
    }
    c->fit[c->n++] = x;
    if (c->n == c->most)
        for (size_t i = c->n / 2; i-- > 0;)
            sink(c, i, c->fit[i]);
}

/*
 * Copies what the page shows, with the lock of the store held.  A household
 * that has moved on since it was chosen is shown as it stands now.
 */
static void copy_row(struct row *r, const struct choice *c, const struct fit *f)
{
    struct puan_review_shard *rs = f->rs;
    const struct puan_work *w = &rs->work[f->work];
    const struct puan_home *h = &rs->home[w->home];
    const struct puan_mark *m = puan_review_mark(rs, h, c->level);

    *r = (struct row){ .rs = rs, .home = *h, .work = *w, .state = f->state };
    if (w->n_open)
        r->first = w->open[0];
    r->actor = rs->word[h->actor];
    r->mode = rs->word[h->mode];
    r->since = f->since;
    if (!m && f->state == PUAN_REVIEW_REVIEWED)
        for (m = w->marks; m && m->version != h->version; m = m->next)
            ;
    if (m) {
        r->marked = true;
        r->mark = *m;
    }
    m = puan_review_passed(rs, h, c->level);
    if (m)
        r->passed = *m;
}

typedef void (*each_fn)(struct choice *c, struct puan_review_shard *rs,
                        const struct puan_home *h, const struct puan_work *w,
                        enum puan_review_state state);

static void cover(struct puan_partial *k, const struct puan_review_shard *rs)
{
    puan_partial_add(k, puan_shard_area(rs->sh), rs->made && rs->behind == 0);
}

/* Every household of the area with work that this level is shown. */
static enum puan_status each(struct choice *c, struct puan_store *st,
                             int64_t area, struct puan_partial *k, each_fn fn,
                             struct puan_err *err)
{
    struct puan_review *rv = puan_review_of(st);
    enum puan_status rc = PUAN_OK;

    *k = (struct puan_partial){ 0 };
    c->answer_ms = rv->answer_ms;
    puan_area_keys(&c->from, &c->to, st, area);
    for (size_t i = 1; i < puan_store_shards(st) && rc == PUAN_OK; i++) {
        struct puan_review_shard *rs = rv->shard[i];
        int64_t f, t;

        if (!rs)
            continue;
        puan_area_keys(&f, &t, st, puan_shard_area(rs->sh));
        if (f >= c->to || c->from >= t)
            continue;
        rc = puan_review_follow(rs, false, err);
        if (rc != PUAN_OK)
            break;
        pthread_mutex_lock(&rs->lock);
        cover(k, rs);
        for (size_t j = 0; j < rs->n_work; j++) {
            const struct puan_work *w = &rs->work[j];
            const struct puan_home *h = &rs->home[w->home];
            enum puan_review_state state;

            if (h->household < c->from || h->household >= c->to ||
                !puan_review_shown(rs, h, c->level))
                continue;
            state = puan_review_state_of(rs, h, c->level);
            if (state > PUAN_REVIEW_CLEAN)
                fn(c, rs, h, w, state);
        }
        pthread_mutex_unlock(&rs->lock);
    }
    if (rc == PUAN_OK && c->failed)
        rc = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    return rc;
}

static bool asked(const struct choice *c, const struct puan_work *w,
                  enum puan_review_state state)
{
    return c->open ? w->n_open > 0 : state == c->state;
}

static void take(struct choice *c, struct puan_review_shard *rs,
                 const struct puan_home *h, const struct puan_work *w,
                 enum puan_review_state state)
{
    if (asked(c, w, state) && chosen(c, rs, h, w, state))
        keep(c, (struct fit){ h->household, since(h, w, state), rs,
                              (uint32_t)(w - rs->work), w->n_hard, w->n_open,
                              state });
}

static int by_household(const void *a, const void *b)
{
    const struct fit *x = a, *y = b;

    return (x->household > y->household) - (x->household < y->household);
}

static int by_wait(const void *a, const void *b)
{
    const struct fit *x = a, *y = b;

    return x->since != y->since ? (x->since > y->since ? 1 : -1)
                                : by_household(x, y);
}

static int by_findings(const void *a, const void *b)
{
    const struct fit *x = a, *y = b;

    if (x->hard != y->hard)
        return x->hard < y->hard ? 1 : -1;
    if (x->open != y->open)
        return x->open < y->open ? 1 : -1;
    return by_wait(a, b);
}

/* The page's households, in order. */
static enum puan_status take_page(struct choice *c, struct puan_err *err)
{
    if (c->n > 1)
        qsort(c->fit, c->n, sizeof(*c->fit), c->order);
    c->n_rows = c->n > c->skip ? c->n - c->skip : 0;
    c->row = calloc(c->n_rows + 1, sizeof(*c->row));
    if (!c->row)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct fit *f = &c->fit[c->skip + i];

        pthread_mutex_lock(&f->rs->lock);
        copy_row(&c->row[i], c, f);
        pthread_mutex_unlock(&f->rs->lock);
    }
    return PUAN_OK;
}

/* ---- GET review ------------------------------------------------------------------ */

static void put_row(struct puan_jw *w, const struct row *r,
                    const struct choice *c, struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t ea = puan_area_of_household(t, r->home.household);
    int offset = plan->offset_minutes;
    bool self = puan_str_is(r->mode, "self");
    struct puan_look look;

    puan_jw_map(w);
    puan_jw_kcode(w, "household", r->home.household);
    if (ea != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "ea", t->area[ea].digits);
        puan_jw_kstr(w, "ea_zh", t->area[ea].zh);
        puan_jw_kstr(w, "ea_en", t->area[ea].en);
    }
    puan_jw_kint(w, "version", r->home.version);
    puan_jw_kint(w, "persons", r->home.persons);
    puan_jw_kstr(w, "mode", r->mode);
    /* a household's own account is its number: said already */
    puan_jw_kstr(w, "by", self ? PUAN_STR("") : r->actor);
    puan_jw_kint(w, "hard", r->work.n_hard);
    puan_jw_kint(w, "soft", r->work.n_open - r->work.n_hard);
    puan_jw_ktext(w, "state", puan_review_state_name(r->state));
    if (r->work.n_open) {
        puan_jw_key(w, "first");
        puan_review_finding(w, rq->store, r->home.form, r->first);
    }
    puan_jw_kinstant(w, "since", r->since, offset);
    if (r->state == PUAN_REVIEW_QUERYING) {
        puan_jw_kinstant(w, "due", r->work.query_at + c->answer_ms, offset);
        puan_jw_kbool(w, "overdue", overdue(c, &r->work));
    }
    if (r->passed.id) {
        puan_jw_kinstant(w, "passed", r->passed.at, offset);
        puan_jw_kcode(w, "passed_by", r->passed.office);
    }
    if (r->marked) {
        puan_jw_ktext(w, "mark", puan_mark_name(r->mark.kind));
        puan_jw_kcode(w, "mark_by", r->mark.office);
        puan_jw_kinstant(w, "mark_at", r->mark.at, offset);
    }
    if (puan_review_looked(&look, r->rs->rv, r->home.household,
                           rq->who.account, rq->real_now)) {
        puan_jw_key(w, "looking");
        puan_review_look_json(w, rq->store, &look);
    }
    puan_jw_end(w, '}');
}

/* "open" is no state: a finding stands open, wherever the household is. */
static enum puan_status state_of_word(struct choice *c, struct puan_str word,
                                      struct puan_err *err)
{
    c->state = PUAN_REVIEW_WAITING;
    c->open = puan_str_is(word, "open");
    if (word.n == 0 || c->open)
        return PUAN_OK;
    for (int s = PUAN_REVIEW_WAITING; s < PUAN_REVIEW_STATES; s++)
        if (puan_str_is(word, puan_review_state_name((enum puan_review_state)s))) {
            c->state = (enum puan_review_state)s;
            return PUAN_OK;
        }
    return puan_fail(err, PUAN_EINVAL, "state",
                     "give waiting, corrected, querying, reviewed or open");
}

static enum puan_status form_of_word(struct choice *c,
                                     const struct puan_plan *plan,
                                     struct puan_str word,
                                     struct puan_err *err)
{
    c->form = -1;
    for (size_t f = 0; f < plan->n_forms && c->form < 0; f++)
        if (puan_str_eq(plan->form[f]->id, word))
            c->form = (int)f;
    return word.n == 0 || c->form >= 0
               ? PUAN_OK
               : puan_fail(err, PUAN_EINVAL, "form",
                           "the plan has no such form");
}

PUAN_ROUTE(puan_review_get_list)
{
    const struct puan_review_list_in *q = in;
    struct choice c = { .in = q, .now = rq->now };
    int offset = puan_store_plan(rq->store)->offset_minutes;
    int64_t area = rq->area, page = q->page > 0 ? q->page : 1;
    struct puan_partial cov;
    struct puan_jw *w;
    enum puan_status st = state_of_word(&c, q->state, err);

    if (st == PUAN_OK)
        st = form_of_word(&c, puan_store_plan(rq->store), q->form, err);
    if (st != PUAN_OK)
        return st;
    if (q->kind.n && !puan_str_is(q->kind, "hard") &&
        !puan_str_is(q->kind, "soft"))
        return puan_fail(err, PUAN_EINVAL, "kind", "give hard or soft");
    c.order = by_wait;
    if (puan_str_is(q->sort, "household"))
        c.order = by_household;
    else if (puan_str_is(q->sort, "findings"))
        c.order = by_findings;
    else if (q->sort.n && !puan_str_is(q->sort, "since"))
        return puan_fail(err, PUAN_EINVAL, "sort",
                         "give since, findings or household");
    c.kind = puan_str_is(q->kind, "hard") ? 1
             : puan_str_is(q->kind, "soft") ? 2
                                            : 0;
    c.level = puan_review_level(rq);
    if (q->ea) {
        if (!puan_area_contains_code(puan_store_areas(rq->store), area, q->ea))
            return puan_fail(err, PUAN_EINVAL, "ea",
                             "is no area inside this one");
        area = q->ea;
    }
    c.skip = (size_t)(page - 1) * PAGE;
    c.most = c.skip + PAGE;
    st = each(&c, rq->store, area, &cov, take, err);
    if (st == PUAN_OK)
        st = take_page(&c, err);
    free(c.fit);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_partial_json(w, &cov);
    puan_jw_kint(w, "total", c.total);
    puan_jw_kint(w, "page", page);
    puan_jw_kint(w, "pages", (c.total + PAGE - 1) / PAGE);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < c.n_rows; i++)
        put_row(w, &c.row[i], &c, rq);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    free(c.row);
    return PUAN_OK;
}

/* ---- GET review/counts -------------------------------------------------------------- */

/* How often each rule, mode and sender stands in the chosen state. */
struct tally {
    struct puan_str key;
    const struct puan_rule_info *rule;
    int64_t n;
};
struct tallies {
    struct tally *t;
    size_t n, cap;
    uint32_t *place; /* hash of the key: place in t + 1; 2 * cap of them */
};

struct counting {
    struct choice c; /* first: the walk hands it back */
    struct puan_review_counts *out;
    bool facets;
    struct tallies rules, modes, senders, eas;
    /* Counted by number while walking a store; named when it is left. */
    struct puan_review_shard *rs;
    size_t n_words;                   /* of rs, which stay as they are */
    uint32_t *sent_by, *mode;         /* by place in rs->word */
    uint32_t *broken;                 /* by form and rule */
    const struct puan_ruleset **rule; /* by form */
    size_t most_rules, n_forms;
    struct {
        int64_t ea;
        uint32_t n;
    } *in_ea; /* hash of ea */
    size_t cap_ea;
};

static uint32_t *place_of(struct tallies *ts, struct puan_str key)
{
    uint64_t h = UINT64_C(14695981039346656037);
    size_t mask = ts->cap * 2 - 1, i;

    for (size_t k = 0; k < key.n; k++)
        h = (h ^ (uint8_t)key.p[k]) * UINT64_C(1099511628211);
    for (i = (size_t)(h ^ h >> 32) & mask; ts->place[i]; i = (i + 1) & mask)
        if (puan_str_eq(ts->t[ts->place[i] - 1].key, key))
            break;
    return &ts->place[i];
}

static bool more_tallies(struct tallies *ts)
{
    size_t cap = ts->cap ? ts->cap * 2 : 64; /* a power of two */
    struct tally *t = realloc(ts->t, cap * sizeof(*t));

    if (!t)
        return false;
    ts->t = t;
    free(ts->place);
    ts->place = calloc(cap * 2, sizeof(*ts->place));
    if (!ts->place)
        return false;
    ts->cap = cap;
    for (size_t i = 0; i < ts->n; i++)
        *place_of(ts, ts->t[i].key) = (uint32_t)i + 1;
    return true;
}

static void count(struct tallies *ts, struct puan_str key,
                  const struct puan_rule_info *rule, uint32_t n, bool *failed)
{
    uint32_t *at;

    if (n == 0)
        return;
    if (*failed || (ts->n == ts->cap && !more_tallies(ts))) {
        *failed = true;
        return;
    }
    at = place_of(ts, key);
    if (*at) {
        ts->t[*at - 1].n += n;
        return;
    }
    ts->t[ts->n++] = (struct tally){ key, rule, n };
    *at = (uint32_t)ts->n;
}

/* Room to count by number: of the areas' households, the words, the rules. */
static enum puan_status count_by_number(struct counting *k,
                                        struct puan_store *st,
                                        struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);

    k->n_forms = plan->n_forms;
    k->rule = calloc(k->n_forms + 1, sizeof(*k->rule));
    for (size_t i = 0; k->rule && i < k->n_forms; i++) {
        k->rule[i] = puan_ingest_rules(st, plan->form[i]);
        if (k->rule[i] && puan_ruleset_count(k->rule[i]) > k->most_rules)
            k->most_rules = puan_ruleset_count(k->rule[i]);
    }
    k->cap_ea = puan_store_areas(st)->n * 2 + 16;
    k->in_ea = calloc(k->cap_ea, sizeof(*k->in_ea));
    k->sent_by = calloc(PUAN_REVIEW_WORDS + 1, sizeof(*k->sent_by));
    k->mode = calloc(PUAN_REVIEW_WORDS + 1, sizeof(*k->mode));
    k->broken = calloc(k->n_forms * k->most_rules + 1, sizeof(*k->broken));
    if (!k->rule || !k->in_ea || !k->sent_by || !k->mode || !k->broken)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    k->facets = true;
    return PUAN_OK;
}

/* What was counted under the words of one store gets its names. */
static void name_words(struct counting *k)
{
    for (size_t i = 0; k->rs && i < k->n_words; i++) {
        count(&k->modes, k->rs->word[i], NULL, k->mode[i], &k->c.failed);
        count(&k->senders, k->rs->word[i], NULL, k->sent_by[i], &k->c.failed);
        k->mode[i] = k->sent_by[i] = 0;
    }
}

static void name_rest(struct counting *k, struct puan_store *st)
{
    const struct puan_area_tree *t = puan_store_areas(st);

    name_words(k);
    for (size_t f = 0; f < k->n_forms; f++)
        for (size_t r = 0; k->rule[f] && r < puan_ruleset_count(k->rule[f]);
             r++)
            count(&k->rules, puan_ruleset_info(k->rule[f], r)->id,
                  puan_ruleset_info(k->rule[f], r),
                  k->broken[f * k->most_rules + r], &k->c.failed);
    for (size_t i = 0; i < k->cap_ea; i++) {
        uint32_t at = k->in_ea[i].n ? puan_area_find(t, k->in_ea[i].ea)
                                    : PUAN_AREA_NONE;

        if (at != PUAN_AREA_NONE)
            count(&k->eas, t->area[at].digits, NULL, k->in_ea[i].n,
                  &k->c.failed);
    }
}

static void free_counting(struct counting *k)
{
    struct tallies *all[] = { &k->rules, &k->modes, &k->senders, &k->eas };

    for (size_t i = 0; i < PUAN_COUNT(all); i++) {
        free(all[i]->t);
        free(all[i]->place);
    }
    free(k->rule);
    free(k->in_ea);
    free(k->sent_by);
    free(k->mode);
    free(k->broken);
}

static void add(struct choice *c, struct puan_review_shard *rs,
                const struct puan_home *h, const struct puan_work *w,
                enum puan_review_state state)
{
    struct counting *k = (struct counting *)c;
    const struct puan_area_tree *t;
    int64_t ea;
    size_t i;

    k->out->state[state]++;
    if (state == PUAN_REVIEW_QUERYING && overdue(c, w))
        k->out->overdue++;
    if (state != PUAN_REVIEW_REVIEWED && puan_review_passed(rs, h, c->level))
        k->out->passed++;
    if (!k->facets || !asked(c, w, state))
        return;
    if (k->rs != rs) {
        name_words(k);
        k->rs = rs;
    }
    k->n_words = rs->n_words;
    if (h->form < k->n_forms && k->rule[h->form])
        for (i = 0; i < w->n_open; i++)
            if (w->open[i].rule < k->most_rules &&
                (i == 0 || w->open[i].rule != w->open[i - 1].rule))
                k->broken[h->form * k->most_rules + w->open[i].rule]++;
    k->mode[h->mode]++;
    if (!puan_str_is(rs->word[h->mode], "self"))
        k->sent_by[h->actor]++;
    t = puan_store_areas(rs->rv->store);
    ea = h->household / t->household_base;
    for (i = (size_t)((uint64_t)ea * UINT64_C(0x9E3779B97F4A7C15) % k->cap_ea);
         k->in_ea[i].n && k->in_ea[i].ea != ea;)
        i = i + 1 == k->cap_ea ? 0 : i + 1;
    k->in_ea[i].ea = ea;
    k->in_ea[i].n++;
}

enum puan_status puan_review_counts_of(struct puan_review_counts *out,
                                       struct puan_store *st, int64_t area,
                                       unsigned level, struct puan_err *err)
{
    struct counting k = { .out = out };
    struct puan_partial cov;
    enum puan_status rc;

    *out = (struct puan_review_counts){ 0 };
    k.c.level = level;
    k.c.now = puan_store_now(st);
    rc = each(&k.c, st, area, &cov, add, err);
    out->complete = cov.have == cov.of;
    return rc;
}

static int by_n(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? 1 : -1)
                        : puan_str_cmp(x->key, y->key);
}

static void put_tallies(struct puan_jw *w, struct puan_store *st,
                        const char *key, struct tallies *ts)
{
    const struct puan_area_tree *t =
        strcmp(key, "areas") == 0 ? puan_store_areas(st) : NULL;

    if (ts->n > 1)
        qsort(ts->t, ts->n, sizeof(*ts->t), by_n);
    puan_jw_key(w, key);
    puan_jw_list(w);
    for (size_t i = 0; i < ts->n && i < 200; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "key", ts->t[i].key);
        puan_jw_kint(w, "n", ts->t[i].n);
        if (t) {
            uint32_t at = puan_area_find_digits(t, ts->t[i].key);

            if (at != PUAN_AREA_NONE) {
                puan_jw_kstr(w, "zh", t->area[at].zh);
                puan_jw_kstr(w, "en", t->area[at].en);
            }
        }
        if (ts->t[i].rule) {
            puan_jw_ktext(w, "severity",
                          ts->t[i].rule->severity == PUAN_HARD ? "hard"
                                                               : "soft");
            puan_jw_kstr(w, "zh", ts->t[i].rule->zh);
            puan_jw_kstr(w, "en", ts->t[i].rule->en);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- enumeration areas that may be accepted as one ------------------------------------ */

struct ea {
    int64_t code;
    int64_t listed, vacant, arrived, open, unlike, unsaid, busy;
};

static struct ea *ea_of(struct ea *table, size_t cap, int64_t code)
{
    size_t i = (size_t)((uint64_t)code * UINT64_C(0x9E3779B97F4A7C15) % cap);

    while (table[i].code != 0 && table[i].code != code)
        i = i + 1 == cap ? 0 : i + 1;
    table[i].code = code;
    return &table[i];
}

/* All of the area's EAs; the caller frees *out (places may be empty). */
static enum puan_status count_eas(struct ea **out, size_t *cap,
                                  struct puan_partial *cov,
                                  struct puan_request *rq, int64_t area,
                                  struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_review *rv = puan_review_of(rq->store);
    unsigned level = puan_review_level(rq);
    uint32_t at = puan_area_find(t, area);
    size_t n = at == PUAN_AREA_NONE ? t->n : t->area[at].end - at;
    int64_t from, to;
    enum puan_status st = PUAN_OK;

    *cov = (struct puan_partial){ 0 };
    *cap = n * 2 + 16;
    *out = calloc(*cap, sizeof(**out));
    if (!*out)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    puan_area_keys(&from, &to, rq->store, area);
    for (size_t i = 1; i < puan_store_shards(rq->store) && st == PUAN_OK; i++) {
        struct puan_review_shard *rs = rv->shard[i];
        int64_t f, e;

        if (!rs)
            continue;
        puan_area_keys(&f, &e, rq->store, puan_shard_area(rs->sh));
        if (f >= to || from >= e)
            continue;
        st = puan_review_follow(rs, false, err);
        pthread_mutex_lock(&rs->lock);
        cover(cov, rs);
        for (size_t k = 0; k < rs->n_homes && st == PUAN_OK; k++) {
            const struct puan_home *h = &rs->home[k];
            const struct puan_work *w = puan_review_work(rs, h);
            enum puan_review_state state;
            struct ea *x;

            if (h->household < from || h->household >= to)
                continue;
            x = ea_of(*out, *cap, h->household / t->household_base);
            x->listed += h->listed;
            x->vacant += h->vacant && h->ret == 0;
            if (h->ret == 0)
                continue;
            x->arrived++;
            x->open += w && w->n_open > 0;
            if (h->expected == UINT16_MAX)
                x->unsaid++;
            else
                x->unlike += h->expected != h->persons || h->vacant;
            state = puan_review_state_of(rs, h, level);
            x->busy += state == PUAN_REVIEW_QUERYING ||
                       state == PUAN_REVIEW_WAITING ||
                       state == PUAN_REVIEW_CORRECTED;
        }
        pthread_mutex_unlock(&rs->lock);
    }
    return st;
}

static bool whole(const struct puan_review *rv, const struct ea *x)
{
    bool compared = rv->present.n + rv->absent.n > 0;

    return x->code != 0 && x->listed > x->vacant && x->arrived > 0 &&
           x->arrived >= x->listed - x->vacant && x->open == 0 &&
           x->unlike == 0 && x->busy == 0 && (!compared || x->unsaid == 0);
}

PUAN_ROUTE(puan_review_get_eas)
{
    struct puan_review *rv = puan_review_of(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    uint32_t at = puan_area_find(t, rq->area);
    struct ea *table = NULL;
    struct puan_partial cov;
    int64_t total = 0;
    size_t cap = 0;
    struct puan_jw *w;
    enum puan_status st =
        count_eas(&table, &cap, &cov, rq, rq->area, err);

    (void)in;
    if (st != PUAN_OK) {
        free(table);
        return st;
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_partial_json(w, &cov);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (uint32_t i = at; at != PUAN_AREA_NONE && i < t->area[at].end; i++) {
        const struct ea *x;

        if (t->area[i].level + 1u != t->n_levels)
            continue;
        x = ea_of(table, cap, t->area[i].code);
        if (!whole(rv, x))
            continue;
        total++;
        puan_jw_map(w);
        puan_jw_kstr(w, "ea", t->area[i].digits);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        puan_jw_kint(w, "households", x->arrived);
        puan_jw_kint(w, "listed", x->listed);
        puan_jw_kint(w, "vacant", x->vacant);
        puan_jw_kbool(w, "compared", x->unsaid == 0);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kint(w, "total", total);
    puan_jw_end(w, '}');
    free(table);
    return PUAN_OK;
}

PUAN_ROUTE(puan_review_get_counts)
{
    const struct puan_review_list_in *q = in;
    struct puan_review *rv = puan_review_of(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_review_counts out = { 0 };
    struct counting k = { .out = &out };
    struct ea *table = NULL;
    struct puan_partial cov;
    int64_t eas = 0;
    size_t cap = 0;
    struct puan_jw *w;
    enum puan_status st = state_of_word(&k.c, q->state, err);

    if (st != PUAN_OK)
        return st;
    k.c.in = q;
    k.c.now = rq->now;
    k.c.level = puan_review_level(rq);
    st = count_by_number(&k, rq->store, err);
    if (st == PUAN_OK)
        st = each(&k.c, rq->store, rq->area, &cov, add, err);
    if (st == PUAN_OK)
        st = count_eas(&table, &cap, &cov, rq, rq->area, err);
    for (size_t i = 0; i < cap && st == PUAN_OK; i++)
        eas += whole(rv, &table[i]);
    free(table);
    if (st == PUAN_OK) {
        name_rest(&k, rq->store);
        if (k.c.failed)
            st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    }
    if (st != PUAN_OK) {
        free_counting(&k);
        return st;
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_partial_json(w, &cov);
    for (int s = PUAN_REVIEW_WAITING; s < PUAN_REVIEW_STATES; s++)
        puan_jw_kint(w, puan_review_state_name((enum puan_review_state)s),
                     out.state[s]);
    puan_jw_kint(w, "overdue", out.overdue);
    puan_jw_kint(w, "passed", out.passed);
    puan_jw_kint(w, "eas", eas);
    put_tallies(w, rq->store, "rules", &k.rules);
    put_tallies(w, rq->store, "modes", &k.modes);
    put_tallies(w, rq->store, "senders", &k.senders);
    put_tallies(w, rq->store, "areas", &k.eas);
    puan_jw_end(w, '}');
    free_counting(&k);
    return PUAN_OK;
}
