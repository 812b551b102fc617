/*
 * Packs on disk: where they are, what files they hold, and the pinned copy a
 * campaign directory keeps.  Writes only what puan_plan_pin makes.
 */
#include "features/plans/plans.h"

#include <limits.h>
#include <stdlib.h>

#include "base/out.h"
#include "core/coder/coder.h"
#include "core/drill/drill.h"
#include "core/flow/flows.h"
#include "core/help/help.h"
#include "core/notify/notify.h"
#include "core/proof/proof.h"
#include "features/monitors/monitors.h"
#include "features/papers/papers.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

#define FILE_MAX ((size_t)4 << 20)
#define FILES_MAX 2000
#define DEPTH_MAX 5
#define PACKS_MAX 8
#define PIN "pin.json"

struct puan_plan_held {
    struct puan_arena arena;
    struct puan_problems problems;
    struct puan_plan_pack pack[PACKS_MAX];
    size_t n_packs;
    struct puan_plan *plan; /* NULL after a lint that found faults */
};

const struct puan_plan *puan_plan_held_plan(const struct puan_plan_held *h)
{
    return h->plan;
}

void puan_plan_close(struct puan_plan_held *h)
{
    struct puan_arena arena;

    if (h == NULL)
        return;
    arena = h->arena; /* h itself lies in it */
    puan_arena_clear(&arena);
}

static struct puan_plan_held *held_new(struct puan_err *err)
{
    struct puan_arena arena;
    struct puan_plan_held *h;

    puan_arena_init(&arena, puan_os_alloc());
    h = puan_new(&arena, struct puan_plan_held);
    if (h == NULL) {
        (void)puan_arena_check(&arena, err);
        puan_arena_clear(&arena);
        return NULL;
    }
    h->arena = arena;
    h->problems.arena = &h->arena;
    return h;
}

/* --- reading a folder --------------------------------------------------- */

struct folder {
    struct puan_plan_held *h;
    struct puan_str pack;
    const char *root;
    struct puan_plan_file *file;
    size_t n;
    const struct puan_digest_fn *digest;
    struct puan_err *err;
    bool lint; /* faults go to the problems and reading goes on */
};

static bool ends(struct puan_str s, const char *tail)
{
    size_t n = strlen(tail);

    return s.n > n && memcmp(s.p + s.n - n, tail, n) == 0;
}

/* Not part of a pack: hidden names, editors' copies, the signature. */
static bool ignored(const char *rel, const char *name)
{
    return name[0] == '.' || ends(puan_str_of(name), "~") ||
           strcmp(rel, "plan.sig") == 0;
}

static enum puan_status read_one(struct folder *d, const char *rel)
{
    struct puan_arena *a = &d->h->arena;
    struct puan_plan_file *f;
    struct puan_node *tree = NULL;
    enum puan_status st;

    if (d->n == FILES_MAX)
        return puan_fail(d->err, PUAN_ELIMIT, d->root,
                         "more than %d files, this is no plan pack", FILES_MAX);
    f = &d->file[d->n];
    f->pack = d->pack;
    f->path = puan_str_of(rel);
    f->name = puan_arena_fmt(a, "%s/%s", d->root, rel);
    st = puan_file_read(&f->text, f->name, FILE_MAX, a, d->err);
    if (st != PUAN_OK)
        return st;
    if (d->digest != NULL)
        d->digest->hash(d->digest->ctx, f->digest, &f->text, 1);
    if (ends(f->path, ".yaml")) {
        struct puan_err e = { 0 };

        st = puan_yaml_tree(&tree, f->text, f->name, a, &e);
        if (st != PUAN_OK) {
            if (d->err->code == PUAN_OK)
                *d->err = e;
            if (!d->lint || st != PUAN_EINVAL)
                return st;
            puan_problem_take(&d->h->problems, &e);
        }
    }
    f->tree = tree;
    d->n++;
    return PUAN_OK;
}

static enum puan_status walk(struct folder *d, const char *rel, unsigned depth)
{
    struct puan_arena *a = &d->h->arena;
    const char *dir =
        rel[0] ? puan_arena_fmt(a, "%s/%s", d->root, rel) : d->root;
    const char **name;
    size_t n;
    enum puan_status st = puan_dir_list(&name, &n, dir, a, d->err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        const char *sub =
            rel[0] ? puan_arena_fmt(a, "%s/%s", rel, name[i]) : name[i];

        if (ignored(sub, name[i]))
            continue;
        if (!puan_dir_exists(puan_arena_fmt(a, "%s/%s", d->root, sub)))
            st = read_one(d, sub);
        else if (depth < DEPTH_MAX)
            st = walk(d, sub, depth + 1);
    }
    return st;
}

static int by_path(const void *x, const void *y)
{
    const struct puan_plan_file *a = x, *b = y;

    return puan_str_cmp(a->path, b->path);
}

static enum puan_status read_pack(struct puan_plan_held *h, const char *root,
                                  struct puan_str name,
                                  const struct puan_digest_fn *digest,
                                  bool lint, struct puan_err *err)
{
    struct folder d = { .h = h,
                        .pack = name,
                        .root = root,
                        .digest = digest,
                        .err = err,
                        .lint = lint };
    enum puan_status st;

    if (h->n_packs == PACKS_MAX)
        return puan_fail(err, PUAN_ELIMIT, root,
                         "more than %d packs are used together", PACKS_MAX);
    d.file = puan_new_n(&h->arena, FILES_MAX, struct puan_plan_file);
    if (d.file == NULL)
        return puan_arena_check(&h->arena, err);
    st = walk(&d, "", 0);
    if (st != PUAN_OK)
        return st;
    qsort(d.file, d.n, sizeof(*d.file), by_path);
    h->pack[h->n_packs++] =
        (struct puan_plan_pack){ .name = name, .file = d.file, .n_files = d.n };
    return PUAN_OK;
}

/* --- finding ------------------------------------------------------------ */

static bool is_pack(const char *dir, struct puan_arena *a)
{
    return puan_file_exists(puan_arena_fmt(a, "%s/plan.yaml", dir)) ||
           puan_file_exists(puan_arena_fmt(a, "%s/" PIN, dir));
}

enum puan_status puan_plan_find(const char **out, const char *pack,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_str s = puan_str_of(pack);
    const char *home = getenv("PUAN_PLANS");
    const char *tried[3];
    size_t n = 0;

    while (s.n > 1 && s.p[s.n - 1] == '/')
        s.n--;
    pack = puan_arena_dup(a, s);
    if (s.n == 0)
        return puan_fail(err, PUAN_EINVAL, "plan", "no pack is named");
    if (memchr(s.p, '/', s.n) != NULL || s.p[0] == '.') {
        if (!is_pack(pack, a))
            return puan_fail(err, PUAN_ENOTFOUND, pack,
                             "no plan pack here: there is no plan.yaml");
        *out = pack;
        return PUAN_OK;
    }
    if (home != NULL && home[0])
        tried[n++] = puan_arena_fmt(a, "%s/%s", home, pack);
    tried[n++] = puan_arena_fmt(a, "plans/%s", pack);
    tried[n++] = puan_arena_fmt(a, "/usr/share/puan/plans/%s", pack);
    for (size_t i = 0; i < n; i++) {
        if (is_pack(tried[i], a)) {
            *out = tried[i];
            return PUAN_OK;
        }
    }
    return puan_fail(err, PUAN_ENOTFOUND, pack,
                     "no plan pack of that name in $PUAN_PLANS, ./plans or "
                     "/usr/share/puan/plans");
}

/* Last part of a path; "." and ".." are resolved first. */
static struct puan_str base_name(const char *path, struct puan_arena *a)
{
    char real[PATH_MAX];
    struct puan_str s = puan_str_of(path);
    size_t i;

    if (s.n > 0 && s.p[s.n - 1] == '.' && realpath(path, real) != NULL)
        s = puan_str_of(puan_arena_dup(a, puan_str_of(real)));
    for (i = s.n; i > 0 && s.p[i - 1] != '/'; i--)
        ;
    return (struct puan_str){ s.p + i, s.n - i };
}

static const char *beside(const char *dir, struct puan_str name,
                          struct puan_arena *a)
{
    struct puan_str s = puan_str_of(dir);
    size_t i = s.n;

    while (i > 0 && s.p[i - 1] != '/')
        i--;
    if (i > 0 && s.p[s.n - 1] != '.')
        return puan_arena_fmt(a, "%.*s%.*s", (int)i, s.p, PUAN_FMT(name));
    return puan_arena_fmt(a, "%s/../%.*s", dir, PUAN_FMT(name));
}

/* A pack is named by letters, digits, - and _: it becomes part of a path. */
static bool name_ok(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

static const struct puan_node *root_of(const struct puan_plan_pack *k)
{
    for (size_t i = 0; i < k->n_files; i++)
        if (puan_str_is(k->file[i].path, "plan.yaml"))
            return k->file[i].tree;
    return NULL;
}

/*
 * The pack at dir and, in turn, those that any of them uses.  An overlay comes
 * last, behind the pack it lies on and what that uses.
 */
static enum puan_status read_packs(struct puan_plan_held *h, const char *dir,
                                   const struct puan_digest_fn *digest,
                                   bool lint, struct puan_err *err)
{
    struct puan_arena *a = &h->arena;
    struct puan_plan_pack overlay = { 0 };
    const struct puan_node *of = NULL;
    enum puan_status st =
        read_pack(h, dir, base_name(dir, a), digest, lint, err);

    if (st == PUAN_OK)
        of = puan_node_get(root_of(&h->pack[0]), "overlay_of");
    if (of != NULL) {
        struct puan_str base, rest = of->text;

        (void)puan_str_split(&base, &rest, '@');
        if (!name_ok(base))
            return puan_node_fail(of, err, "'overlay_of' must be PACK@DIGEST");
        overlay = h->pack[--h->n_packs];
        dir = beside(dir, base, a);
        if (!is_pack(dir, a))
            return puan_node_fail(of, err,
                                  "lies on pack '%.*s', which is not beside "
                                  "it",
                                  PUAN_FMT(base));
        st = read_pack(h, dir, base, digest, lint, err);
    }
    for (size_t k = 0; st == PUAN_OK && k < h->n_packs; k++) {
        const struct puan_node *uses =
            puan_node_get(root_of(&h->pack[k]), "uses");

        PUAN_NODE_EACH(u, uses)
        {
            const char *path;
            size_t j = 0;

            while (j < h->n_packs && !puan_str_eq(h->pack[j].name, u->text))
                j++;
            if (j < h->n_packs || u->kind != PUAN_NODE_SCALAR)
                continue;
            if (!name_ok(u->text))
                return puan_node_fail(u, err, "'%.*s' is no name of a pack",
                                      PUAN_FMT(u->text));
            path = beside(dir, u->text, a);
            if (!is_pack(path, a)) /* puan_plan_load says so, with place */
                continue;
            st = read_pack(h, path, u->text, digest, lint, err);
            if (st != PUAN_OK)
                return st;
        }
    }
    if (st == PUAN_OK && of != NULL) {
        if (h->n_packs == PACKS_MAX)
            return puan_fail(err, PUAN_ELIMIT, dir,
                             "more than %d packs are used together", PACKS_MAX);
        h->pack[h->n_packs++] = overlay;
    }
    return st;
}

/* --- loading ------------------------------------------------------------ */

static enum puan_status changed(struct puan_err *err, const char *dir,
                                const char *what)
{
    return puan_fail(err, PUAN_ECONFLICT, dir,
                     "%s is not what was pinned; put the pinned files back, "
                     "or amend the plan by an approved event",
                     what);
}

/* Compares what was read with dir/pin.json. */
static enum puan_status check_pin(struct puan_plan_held *h, const char *dir,
                                  const struct puan_node *pin,
                                  struct puan_err *err)
{
    const struct puan_node *packs = puan_node_get(pin, "packs");
    uint8_t want[PUAN_DIGEST_SIZE];

    if (packs == NULL || packs->n != h->n_packs)
        return changed(err, dir, "the number of packs");
    for (size_t k = 0; k < h->n_packs; k++) {
        const struct puan_node *d = puan_node_get_s(packs, h->pack[k].name);

        if (d == NULL || !puan_unhex(want, sizeof(want), d->text) ||
            memcmp(want, h->pack[k].digest, sizeof(want)) != 0)
            return changed(err, dir,
                           puan_arena_dup(&h->arena, h->pack[k].name));
    }
    if (!puan_unhex(want, sizeof(want), puan_node_str_opt(pin, "digest", "")) ||
        memcmp(want, h->plan->digest, sizeof(want)) != 0)
        return changed(err, dir, "the plan");
    return PUAN_OK;
}

static enum puan_status load(struct puan_plan_held *h, const char *pack,
                             const struct puan_digest_fn *digest,
                             struct puan_err *err)
{
    struct puan_arena *a = &h->arena;
    const char *dir, *pin_path;
    struct puan_node *pin = NULL;
    struct puan_str s, name;
    enum puan_status st = puan_plan_find(&dir, pack, a, err);

    if (st != PUAN_OK)
        return st;
    pin_path = puan_arena_fmt(a, "%s/" PIN, dir);
    if (puan_file_exists(pin_path)) {
        st = puan_file_read(&s, pin_path, 1 << 16, a, err);
        if (st == PUAN_OK)
            st = puan_json_tree(&pin, s, pin_path, a, err);
        if (st == PUAN_OK)
            st = puan_node_str(&name, pin, "plan", err);
        if (st != PUAN_OK)
            return st;
        if (!name_ok(name))
            return puan_fail(err, PUAN_EINVAL, pin_path,
                             "'plan' is no name of a pack");
        if (digest == NULL ||
            !puan_str_is(puan_node_str_opt(pin, "algorithm", ""), digest->name))
            return puan_fail(err, PUAN_EINVAL, pin_path,
                             "pinned with another digest algorithm than the "
                             "installation's");
        dir = puan_arena_fmt(a, "%s/%.*s", dir, PUAN_FMT(name));
    }
    st = read_packs(h, dir, digest, false, err);
    if (st == PUAN_OK)
        st =
            puan_plan_load(&h->plan, h->pack, h->n_packs, digest, NULL, a, err);
    if (st == PUAN_OK && pin != NULL)
        st = check_pin(h, dir, pin, err);
    return st;
}

enum puan_status puan_plan_load_dir(struct puan_plan_held **out,
                                    const char *pack,
                                    const struct puan_digest_fn *digest,
                                    struct puan_err *err)
{
    struct puan_plan_held *h = held_new(err);
    enum puan_status st;

    *out = NULL;
    if (h == NULL)
        return PUAN_ENOMEM;
    st = load(h, pack, digest, err);
    if (st == PUAN_OK)
        *out = h;
    else
        puan_plan_close(h);
    return st;
}

/* A pack's indexes for coding answers in words (doc/coding.md). */
static void prove_coding(struct puan_plan_held *h)
{
    static const char *const beside[] = { "coding/words.txt",
                                          "coding/traditional.txt" };
    struct puan_coder_source from[2] = { { { "", 0 }, "coding" },
                                         { { "", 0 }, "coding" } };

    for (size_t i = 0; i < PUAN_COUNT(beside); i++) {
        const struct puan_plan_file *f =
            puan_plan_file(h->plan, puan_str_of(beside[i]));

        if (f)
            from[i] = (struct puan_coder_source){ f->text, f->name };
    }
    for (size_t k = 0; k < h->n_packs; k++)
        for (size_t i = 0; i < h->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &h->pack[k].file[i];
            struct puan_coder *coder = NULL;
            struct puan_err e = { 0 };
            struct puan_arena a;

            if (!puan_str_starts(f->path, "coding/") ||
                !ends(f->path, ".txt") || puan_str_is(f->path, beside[0]) ||
                puan_str_is(f->path, beside[1]))
                continue;
            puan_arena_init(&a, &puan_heap);
            if (puan_coder_build(&coder,
                                 (struct puan_coder_source){ f->text, f->name },
                                 from[0], from[1], &a, &e) != PUAN_OK)
                puan_problem_take(&h->problems, &e);
            puan_arena_clear(&a);
        }
}

/* The catalogue of clauses and the scenarios that prove them can be read. */
static void prove_clauses(struct puan_plan_held *h)
{
    struct puan_scenarios scenarios;
    struct puan_clauses clauses;

    for (size_t k = 0; k < h->plan->n_packs; k++)
        for (size_t i = 0; i < h->plan->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &h->plan->pack[k].file[i];
            struct puan_err e = { 0 };

            if (puan_str_is(f->path, "clauses.tsv") &&
                puan_clauses_read(&clauses, f->text, f->name, f->pack,
                                  &h->arena, &e) != PUAN_OK)
                puan_problem_take(&h->problems, &e);
        }
    {
        struct puan_err e = { 0 };

        if (puan_scenarios_read(&scenarios, h->plan, &h->arena, &e) != PUAN_OK)
            puan_problem_take(&h->problems, &e);
    }
}

static void wrong_at(struct puan_problems *problems, const struct puan_node *n,
                     const char *what, const char *remedy)
{
    struct puan_err e = { 0 };

    (void)puan_node_fail(n, &e, "no %s \"%.*s\"; %s", what,
                         PUAN_FMT(n->text), remedy);
    puan_problem_take(problems, &e);
}

/* A failure at a value of `map`. */
static void wrong(struct puan_problems *problems, const struct puan_node *map,
                  const char *key, const char *what, const char *remedy)
{
    wrong_at(problems, puan_node_get(map, key), what, remedy);
}

/* What a veto rests on: a field of a workflow that can hold the value. */
static void prove_veto(const struct puan_node *v,
                       const struct puan_flows *flows,
                       struct puan_problems *problems)
{
    const struct puan_node *value = puan_node_get(v, "value");
    const struct puan_flow *f;
    const struct puan_codelist *words;
    int at;
    size_t i = 0;

    if (puan_node_get(v, "flow") == NULL)
        return;
    f = puan_flows_get(flows, puan_node_str_opt(v, "flow", ""));
    if (f == NULL) {
        wrong(problems, v, "flow", "workflow", "add it or mend the name");
        return;
    }
    if (value == NULL)
        return;
    at = puan_flow_field(f, puan_node_str_opt(v, "field", ""));
    if (at < 0) {
        wrong(problems, v, "field", "field in that workflow", "mend the name");
        return;
    }
    words = f->fields[at].words;
    while (words != NULL && i < words->n &&
           !puan_str_eq(words->codes[i].text, value->text))
        i++;
    if (words != NULL && i == words->n)
        wrong(problems, v, "value", "such word of that field",
              "use one of its words");
}

/* cases.FLOW.CLOCK.met, cases.FLOW.CLOCK.all */
static bool case_metric(const struct puan_flows *flows, struct puan_str name)
{
    struct puan_str rest = name, head, flow, clock;
    const struct puan_flow *f;

    if (!puan_str_split(&head, &rest, '.') || !puan_str_is(head, "cases") ||
        !puan_str_split(&flow, &rest, '.') ||
        !puan_str_split(&clock, &rest, '.'))
        return false;
    f = puan_flows_get(flows, flow);
    return f != NULL && puan_flow_clock(f, clock) >= 0 &&
           (puan_str_is(rest, "met") || puan_str_is(rest, "all"));
}

/* Flows and states whose cases stand against full points of an item. */
static void prove_none_of(const struct puan_node *item,
                          const struct puan_flows *flows,
                          struct puan_problems *problems)
{
    PUAN_NODE_EACH(c, puan_node_get(item, "none_of")) {
        const struct puan_flow *f =
            puan_flows_get(flows, puan_node_str_opt(c, "flow", ""));

        if (f == NULL) {
            wrong(problems, c, "flow", "workflow", "add it or mend the name");
            continue;
        }
        PUAN_NODE_EACH(s, puan_node_get(c, "in"))
        if (puan_flow_state(f, s->text) < 0)
            wrong_at(problems, s, "state in that workflow",
                     "use states of it");
    }
}

static const struct puan_node *item_at(const struct puan_node *scheme,
                                       struct puan_str id)
{
    PUAN_NODE_EACH(s, puan_node_get(scheme, "sections"))
    PUAN_NODE_EACH(i, puan_node_get(s, "items"))
    if (puan_str_eq(puan_node_str_opt(i, "id", ""), id))
        return i;
    return NULL;
}

/* Facts that are figures name one there is. */
static void prove_facts(const struct puan_plan *p,
                        struct puan_problems *problems)
{
    for (size_t i = 0; i < p->n_flows; i++)
        PUAN_NODE_EACH(c, puan_node_get(p->flows[i]->tree, "facts")) {
            const struct puan_node *m = puan_node_get(c, "metric");

            if (m != NULL && !puan_monitor_metric(m->text))
                wrong_at(problems, m, "metric", "name one of /metrics");
        }
}

/* What workflows feed is an item of the scheme, what they veto with a veto. */
static void prove_feeds(const struct puan_plan *p,
                        const struct puan_node *scheme,
                        struct puan_problems *problems)
{
    for (size_t i = 0; i < p->n_flows; i++) {
        const struct puan_node *score =
            puan_node_get(p->flows[i]->tree, "score");
        const struct puan_node *feeds = puan_node_get(score, "feeds");
        const struct puan_node *veto = puan_node_get(score, "veto");
        bool is_item = false;

        if (feeds != NULL && feeds->kind == PUAN_NODE_SCALAR &&
            item_at(scheme, feeds->text) == NULL)
            wrong(problems, score, "feeds", "item in scoring.yaml",
                  "add it or mend the id");
        PUAN_NODE_EACH(c, feeds)
        if (item_at(scheme, c->text) == NULL)
            wrong_at(problems, c, "item in scoring.yaml",
                       "add it or mend the id");
        PUAN_NODE_EACH(v, puan_node_get(scheme, "vetoes"))
        is_item = is_item ||
                  (veto != NULL &&
                   (puan_str_eq(puan_node_str_opt(v, "id", ""), veto->text) ||
                    puan_str_eq(puan_node_str_opt(v, "item", ""),
                                veto->text) ||
                    puan_str_eq(puan_node_str_opt(v, "effect", ""),
                                veto->text)));
        if (veto != NULL && !is_item)
            wrong(problems, score, "veto", "veto in scoring.yaml",
                  "name one by its id, its item or its effect");
    }
}

/* What the scheme of points takes from metrics and workflows is there. */
static void prove_scoring(const struct puan_plan *p,
                          const struct puan_flows *flows,
                          struct puan_problems *problems)
{
    static const char *const keys[] = { "metric", "of" };
    const struct puan_plan_file *f =
        puan_plan_file(p, PUAN_STR("scoring.yaml"));

    if (f == NULL)
        return;
    PUAN_NODE_EACH(s, puan_node_get(f->tree, "sections"))
    PUAN_NODE_EACH(i, puan_node_get(s, "items"))
    for (size_t k = 0; k < PUAN_COUNT(keys); k++) {
        const struct puan_node *m = puan_node_get(i, "measure");
        const struct puan_node *n = puan_node_get(m, keys[k]);

        if (n != NULL && !puan_monitor_metric(n->text) &&
            !case_metric(flows, n->text))
            wrong(problems, m, keys[k], "metric",
                  "name one of /metrics, or cases.FLOW.CLOCK.met and .all");
        if (k == 0)
            prove_none_of(i, flows, problems);
    }
    prove_feeds(p, f->tree, problems);
    PUAN_NODE_EACH(v, puan_node_get(f->tree, "vetoes"))
    prove_veto(v, flows, problems);
}

/* Every drill can be run and judged; what is wrong is told of each. */
static void prove_drills(const struct puan_plan *p,
                         const struct puan_flows *flows,
                         struct puan_problems *problems, struct puan_arena *a)
{
    struct puan_drills all;
    struct puan_err e = { 0 };
    bool bad = false;

    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];
            struct puan_drill *d;

            if (!puan_str_starts(f->path, "drills/") || f->tree == NULL)
                continue;
            e = (struct puan_err){ 0 };
            if (puan_drill_load(&d, f->tree, p, flows, a, &e) != PUAN_OK) {
                puan_problem_take(problems, &e);
                bad = true;
            }
        }
    e = (struct puan_err){ 0 };
    if (!bad && puan_drills_load(&all, p, flows, a, &e) != PUAN_OK)
        puan_problem_take(problems, &e); /* one name in two files */
}

/* A workflow duty.yaml opens asks for no other field than it is given. */
static const struct puan_flow *prove_opened(const struct puan_node *map,
                                            const char *const *given,
                                            const struct puan_flows *flows,
                                            struct puan_problems *problems)
{
    const struct puan_node *n = puan_node_get(map, "flow");
    const struct puan_flow *f = n ? puan_flows_get(flows, n->text) : NULL;
    struct puan_err e = { 0 };

    if (n == NULL)
        return NULL;
    if (f == NULL) {
        wrong(problems, map, "flow", "workflow", "name a file of flows/");
        return NULL;
    }
    for (size_t i = 0; i < f->n_fields; i++) {
        bool has = false;

        for (size_t k = 0; given[k] != NULL; k++)
            has = has || puan_str_is(f->fields[i].label.name, given[k]);
        if (!PUAN_FLOW_HAS(f->open_needs, i) || has)
            continue;
        (void)puan_node_fail(n, &e,
                             "workflow %.*s needs %.*s when it is opened, which "
                             "nobody gives; take it out of required_at: [open]",
                             PUAN_FMT(n->text),
                             PUAN_FMT(f->fields[i].label.name));
        puan_problem_take(problems, &e);
    }
    return f;
}

/* What duty.yaml opens and moves is there. */
static void prove_duty(const struct puan_plan *p,
                       const struct puan_flows *flows,
                       struct puan_problems *problems)
{
    static const char *const contact[] = { "holder", NULL };
    static const char *const matter[] = { "title", "heard_at", "from_whom",
                                          "record", NULL };
    const struct puan_plan_file *file =
        puan_plan_file(p, PUAN_STR("duty.yaml"));
    const struct puan_flow *f;
    const struct puan_node *t;

    if (file == NULL || file->tree == NULL)
        return;
    (void)prove_opened(puan_node_get(file->tree, "contact"), contact, flows,
                       problems);
    t = puan_node_get(file->tree, "transfer");
    f = prove_opened(t, matter, flows, problems);
    if (f == NULL)
        return;
    PUAN_NODE_EACH(g, puan_node_get(t, "to")) {
        const struct puan_node *act = puan_node_get(g, "act");

        if (act != NULL && puan_flow_transition(f, act->text) < 0)
            wrong(problems, g, "act", "transition of that workflow",
                  "use one of its transitions");
    }
}

/*
 * The knowledge base: every file reads, and what an article calls the matter of
 * a ticket is one of the flow that takes questions.
 */
static void prove_help(const struct puan_plan *p,
                       const struct puan_flows *flows,
                       struct puan_problems *problems, struct puan_arena *a)
{
    const struct puan_codelist *kinds = NULL;
    struct puan_err e = { 0 };
    struct puan_help all;

    if (puan_help_load(&all, p, problems, a, &e) != PUAN_OK)
        return;
    for (size_t i = 0; i < flows->n; i++)
        if (flows->flow[i]->public_kind >= 0 && flows->flow[i]->public_help)
            kinds = flows->flow[i]->fields[flows->flow[i]->public_kind].words;
    for (size_t i = 0; i < all.n; i++)
        for (size_t k = 0; k < all.topic[i].n; k++) {
            const struct puan_help_article *x = &all.topic[i].article[k];
            bool there = x->kind.n == 0;

            for (size_t w = 0; kinds != NULL && w < kinds->n; w++)
                there = there || puan_str_eq(kinds->codes[w].text, x->kind);
            if (!there)
                wrong(problems, x->at, "kind", "matter",
                      "use a word of the workflow with public: {as: help}");
        }
}

/* What a workflow is called goes out in messages, which a phone shows whole. */
static void prove_names(const struct puan_plan *p,
                        struct puan_problems *problems, struct puan_arena *a)
{
    static const char *const key[] = { "zh", "en" };

    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];

            if (!puan_str_starts(f->path, "flows/") || f->tree == NULL)
                continue;
            for (size_t english = 0; english < 2; english++) {
                const struct puan_node *n =
                    puan_node_get(f->tree, key[english]);
                size_t most = PUAN_NOTIFY_SHORT * (english ? 2 : 1), long_is;
                struct puan_err e = { 0 };

                if (n == NULL || n->kind != PUAN_NODE_SCALAR)
                    continue;
                long_is = puan_notify_longest(n->text, n->text, english != 0,
                                              a);
                if (long_is <= most)
                    continue;
                (void)puan_node_fail(n, &e,
                                     "a message about it would have %zu "
                                     "characters, more than a phone shows at "
                                     "once (%zu): take a name shorter by %zu",
                                     long_is, most, long_is - most);
                puan_problem_take(problems, &e);
            }
        }
}

void puan_plan_prove_risks(const struct puan_plan *p,
                           struct puan_problems *problems,
                           struct puan_arena *a)
{
    struct puan_monitor_list *list;
    struct puan_paper_list papers;
    struct puan_flows flows;
    struct puan_err e = { 0 };

    if (puan_flows_load(&flows, p, a, &e) != PUAN_OK) {
        puan_problem_take(problems, &e);
        return;
    }
    if (puan_monitors_read(&list, p, &flows, a, &e) != PUAN_OK)
        puan_problem_take(problems, &e);
    prove_facts(p, problems);
    prove_scoring(p, &flows, problems);
    prove_names(p, problems, a);
    if (puan_papers_read(&papers, p, &flows, problems, a, &e) != PUAN_OK)
        puan_problem_take(problems, &e);
    prove_drills(p, &flows, problems, a);
    prove_duty(p, &flows, problems);
    prove_help(p, &flows, problems, a);
}

enum puan_status puan_plan_lint(struct puan_plan_held **held,
                                const struct puan_problems **problems,
                                const char *pack,
                                const struct puan_plan_known *known,
                                const struct puan_digest_fn *digest,
                                struct puan_err *err)
{
    struct puan_plan_held *h = held_new(err);
    struct puan_err found = { 0 };
    const char *dir;
    enum puan_status st;

    *held = NULL;
    *problems = NULL;
    if (h == NULL)
        return PUAN_ENOMEM;
    st = puan_plan_find(&dir, pack, &h->arena, err);
    if (st == PUAN_OK) {
        st = read_packs(h, dir, digest, true, &found);
        if (st != PUAN_OK && h->problems.n == 0)
            puan_problem_take(&h->problems, &found);
        if (h->n_packs > 0) {
            st = puan_plan_load(&h->plan, h->pack, h->n_packs, digest,
                                &h->problems, &h->arena, &found);
            if (st == PUAN_ENOTFOUND && h->problems.n == 0)
                puan_problem_take(&h->problems, &found);
            if (st == PUAN_OK)
                st = puan_plan_prove(h->plan, known, &h->problems, &h->arena,
                                     &found);
            if (st == PUAN_OK) {
                prove_coding(h);
                prove_clauses(h);
                puan_plan_prove_risks(h->plan, &h->problems, &h->arena);
            }
        }
        st = h->arena.failed ? puan_arena_check(&h->arena, err) : PUAN_OK;
    }
    if (st != PUAN_OK) {
        puan_plan_close(h);
        return st;
    }
    *held = h;
    *problems = &h->problems;
    return PUAN_OK;
}

/* --- pinning ------------------------------------------------------------ */

static enum puan_status copy_pack(const char *dir,
                                  const struct puan_plan_pack *k,
                                  struct puan_arena *a, struct puan_err *err)
{
    const char *root = puan_arena_fmt(a, "%s/%.*s", dir, PUAN_FMT(k->name));
    enum puan_status st = puan_dir_make(root, err);

    for (size_t i = 0; st == PUAN_OK && i < k->n_files; i++) {
        const struct puan_plan_file *f = &k->file[i];
        const char *to = puan_arena_fmt(a, "%s/%.*s", root, PUAN_FMT(f->path));
        struct puan_str sub = puan_str_of(to);

        while (sub.n > 0 && sub.p[sub.n - 1] != '/')
            sub.n--;
        st = puan_dir_make(puan_arena_dup(a, sub), err);
        if (st == PUAN_OK)
            st = puan_file_write(to, f->text, 0640, err);
    }
    if (st == PUAN_OK && k->n_files > 0) { /* the signature goes along */
        const struct puan_plan_file *f = &k->file[0];
        const char *sig =
            puan_arena_fmt(a, "%.*s/plan.sig",
                           (int)(strlen(f->name) - f->path.n - 1), f->name);

        if (puan_file_exists(sig))
            st = puan_file_copy(sig, puan_arena_fmt(a, "%s/plan.sig", root),
                                err);
    }
    return st;
}

static void kdigest(struct puan_jw *w, struct puan_str key,
                    const uint8_t digest[PUAN_DIGEST_SIZE])
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    puan_jw_key_s(w, key);
    puan_jw_text(w, hex);
}

static enum puan_status write_pin(const char *dir, struct puan_plan_held *h,
                                  const struct puan_digest_fn *digest,
                                  struct puan_err *err)
{
    const struct puan_plan *p = h->plan;
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, &h->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "plan", p->overlay.n ? p->overlay : p->pack[0].name);
    puan_jw_kstr(&w, "version", p->version);
    puan_jw_ktext(&w, "algorithm", digest->name);
    kdigest(&w, PUAN_STR("digest"), p->digest);
    puan_jw_key(&w, "packs");
    puan_jw_map(&w);
    for (size_t k = 0; k < p->n_packs; k++)
        kdigest(&w, p->pack[k].name, p->pack[k].digest);
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    if (h->arena.failed)
        return puan_arena_check(&h->arena, err);
    return puan_file_write(puan_arena_fmt(&h->arena, "%s/" PIN, dir),
                           puan_out_view(&o), 0640, err);
}

static enum puan_status pin(const char *dir, const char *pack, bool prove,
                            const struct puan_digest_fn *digest,
                            uint8_t digest32[PUAN_DIGEST_SIZE],
                            struct puan_err *err)
{
    struct puan_plan_held *h = NULL;
    const char **name;
    size_t n = 0;
    enum puan_status st = puan_plan_load_dir(&h, pack, digest, err);

    if (st != PUAN_OK)
        return st;
    if (prove)
        st = puan_plan_prove(h->plan, NULL, NULL, &h->arena, err);
    if (st == PUAN_OK && puan_dir_exists(dir)) {
        st = puan_dir_list(&name, &n, dir, &h->arena, err);
        if (st == PUAN_OK && n > 0)
            st = puan_fail(err, PUAN_ECONFLICT, dir,
                           "not empty; a plan is pinned into a new directory");
    }
    if (st == PUAN_OK)
        st = puan_dir_make(dir, err);
    for (size_t k = 0; st == PUAN_OK && k < h->n_packs; k++)
        st = copy_pack(dir, &h->pack[k], &h->arena, err);
    if (st == PUAN_OK)
        st = write_pin(dir, h, digest, err);
    if (st == PUAN_OK)
        st = puan_dir_sync(dir, err);
    if (st == PUAN_OK && digest32 != NULL)
        memcpy(digest32, h->plan->digest, PUAN_DIGEST_SIZE);
    puan_plan_close(h);
    return st;
}

enum puan_status puan_plan_pin(const char *dir, const char *pack,
                               const struct puan_digest_fn *digest,
                               uint8_t digest32[PUAN_DIGEST_SIZE],
                               struct puan_err *err)
{
    return pin(dir, pack, true, digest, digest32, err);
}

enum puan_status puan_plan_pin_proved(const char *dir, const char *pack,
                                      const struct puan_digest_fn *digest,
                                      struct puan_err *err)
{
    return pin(dir, pack, false, digest, NULL, err);
}

static int by_text(const void *x, const void *y)
{
    return puan_str_cmp(*(const struct puan_str *)x,
                        *(const struct puan_str *)y);
}

static const struct puan_str *calls_of(size_t *n,
                                       const struct puan_feature *const *features,
                                       struct puan_arena *a)
{
    struct puan_str *list;
    size_t most = 0;

    *n = 0;
    for (size_t f = 0; features[f] != NULL; f++)
        for (const char *const *c = features[f]->calls; c != NULL && *c; c++)
            most++;
    list = puan_new_n(a, most + 1, struct puan_str);
    if (list == NULL)
        return NULL;
    for (size_t f = 0; features[f] != NULL; f++)
        for (const char *const *c = features[f]->calls; c != NULL && *c; c++)
            list[(*n)++] = puan_str_of(*c);
    return list;
}

struct puan_plan_known
puan_plan_known_of(const struct puan_feature *const *features,
                   struct puan_arena *a)
{
    struct puan_plan_known known = { 0 };
    struct puan_str *list;
    size_t n = 0, k = 0;

    for (size_t f = 0; features[f] != NULL; f++) {
        const char *const *c = features[f]->capabilities;

        n += features[f]->n_routes;
        while (c != NULL && *c++ != NULL)
            n++;
    }
    list = puan_new_n(a, n + 1, struct puan_str);
    if (list == NULL)
        return known;
    for (size_t f = 0; features[f] != NULL; f++)
        for (size_t i = 0; i < features[f]->n_routes; i++)
            if (features[f]->routes[i].capability != NULL &&
                features[f]->routes[i].capability[0])
                list[k++] = puan_str_of(features[f]->routes[i].capability);
    for (size_t f = 0; features[f] != NULL; f++)
        for (const char *const *c = features[f]->capabilities;
             c != NULL && *c != NULL; c++)
            list[k++] = puan_str_of(*c);
    qsort(list, k, sizeof(*list), by_text);
    n = 0;
    for (size_t i = 0; i < k; i++)
        if (n == 0 || !puan_str_eq(list[n - 1], list[i]))
            list[n++] = list[i];
    known.capability = list;
    known.n_capabilities = n;
    known.call = calls_of(&known.n_calls, features, a);
    return known;
}
