/*
 * Broken packs.  Every workflow, drill, risks, scoring and plan file of the packs of
 * this project is broken in one place, in every way of the list below; the
 * loader refuses each, and each message has file, line, column and what mends
 * it.  A way of breaking is written so that what it makes is wrong by its
 * construction; nothing is left out afterwards.  The choice is by a seed, the
 * same each time.
 */
#include "features/plans/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/flow/flows.h"
#include "features/monitors/monitors.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

#define PER_KIND 16 /* of each kind, over all packs */
#define SITES 120000
#define KINDS 128
#define SEED 20201101

static const char *const packs[] = { "plans/cn-office-gx",
                                     "plans/cn-population-2020",
                                     "plans/cn-economic-2018",
                                     "plans/zz-test" };

struct edit {
    size_t at, n; /* bytes taken out */
    const char *put;
};
struct site {
    const char *kind;
    const struct puan_plan *plan;
    const struct puan_plan_file *file;
    struct edit edit[2]; /* the later place first; the second may be empty */
};

static struct puan_arena arena;
static struct site *sites;
static size_t n_sites;
static const struct puan_plan *plan; /* being walked */
static const struct puan_plan_file *file;

/* --- places -------------------------------------------------------------- */

/* The byte where a line and column (in characters, from 1) stand. */
static size_t place(uint32_t line, uint32_t col)
{
    const char *p = file->text.p, *end = p + file->text.n;

    for (; line > 1 && p < end; p++)
        line -= *p == '\n';
    for (; col > 1 && p < end; col--)
        do
            p++;
        while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
    return (size_t)(p - file->text.p);
}

static bool here(size_t at, struct puan_str s)
{
    return s.n > 0 && at + s.n <= file->text.n &&
           memcmp(file->text.p + at, s.p, s.n) == 0;
}

static void two(const char *kind, struct edit a, struct edit b)
{
    assert_true(n_sites < SITES);
    sites[n_sites++] = (struct site){ .kind = kind,
                                      .plan = plan,
                                      .file = file,
                                      .edit = { a.at > b.at ? a : b,
                                                a.at > b.at ? b : a } };
}
static void one(const char *kind, size_t at, size_t n, const char *put)
{
    two(kind, (struct edit){ at, n, put }, (struct edit){ 0, 0, "" });
}

/* Another text instead of a scalar's; one inside quotes stays there. */
static void becomes(const char *kind, const struct puan_node *n,
                    const char *put)
{
    size_t at;

    if (n == NULL || n->kind != PUAN_NODE_SCALAR)
        return;
    at = place(n->line, n->col) + n->quoted;
    if (here(at, n->text))
        one(kind, at, n->text.n, put);
}

/* The same for a name or each name of a list. */
static void names_become(const char *kind, const struct puan_node *n,
                         const char *put)
{
    becomes(kind, n, put);
    if (n != NULL && n->kind == PUAN_NODE_LIST)
        PUAN_NODE_EACH(c, n)
            becomes(kind, c, put);
}

static bool key_at(size_t *at, const struct puan_node *n)
{
    *at = place(n->key_line, n->key_col);
    return here(*at, n->key);
}

/* Takes a key and its value out. */
static void dropped(const char *kind, const struct puan_node *map,
                    const char *key)
{
    const struct puan_node *n = puan_node_get(map, key);
    size_t from, until;

    if (n != NULL && n->next != NULL && key_at(&from, n) &&
        key_at(&until, n->next))
        one(kind, from, until - from, "");
}

/* Every key of a map that takes known ones only is written wrongly. */
static void misspelt(const struct puan_node *map)
{
    size_t at;

    if (map == NULL || map->kind != PUAN_NODE_MAP)
        return;
    PUAN_NODE_EACH(c, map)
        if (key_at(&at, c))
            one("misspelt key", at + c->key.n, 0, "q");
    at = place(map->line, map->col);
    if (here(at, PUAN_STR("{")))
        one("unknown key", at + 1, 0, "colour_of_ink: red, ");
}

static void first_in(const char *kind, const struct puan_node *n,
                     const char *put)
{
    size_t at = n ? place(n->line, n->col) : 0;

    if (n != NULL && (here(at, PUAN_STR("{")) || here(at, PUAN_STR("["))))
        one(kind, at + 1, 0, put);
}

static const char *text_of(struct puan_str s)
{
    return puan_arena_dup(&arena, s);
}

/* --- YAML itself --------------------------------------------------------- */

static void broken_yaml(const struct puan_node *tree)
{
    size_t at, k = 0;

    PUAN_NODE_EACH(c, tree) {
        if (k++ == 0 || !key_at(&at, c))
            continue;
        one("indentation", at, 0, " ");
        one("key twice", at, 0,
            puan_arena_fmt(&arena, "%.*s: again\n",
                           PUAN_FMT(tree->first->key)));
        one("no colon", at + c->key.n, 1, "");
        if (c->kind == PUAN_NODE_MAP && c->first != NULL &&
            c->first->key_line > c->key_line) {
            at = place(c->first->key_line, 1);
            one("tabulator", at, 0, "\t");
        }
        at = place(c->line, c->col);
        if (here(at, PUAN_STR("{")))
            one("bracket left out", at, 1, "");
    }
}

/* --- workflows ----------------------------------------------------------- */

static void broken_effects(const struct puan_node *n)
{
    static const char *const of[][3] = {
        { "notify:", "notify:nobody_q", "dangling seat" },
        { "report:", "report:nothing_q", "dangling report" },
        { "open:", "open:nothing_q", "dangling flow" },
        { "unlock:", "unlock:nothing_q", "dangling step" },
        { "void:", "void:nothing_q", "dangling approval" },
        { "call:", "call:nothing_q", "dangling call" },
    };

    if (n == NULL || n->kind != PUAN_NODE_LIST)
        return;
    PUAN_NODE_EACH(c, n) {
        becomes("wrong effect", c, "shout:office");
        for (size_t i = 0; i < PUAN_COUNT(of); i++)
            if (puan_str_starts(c->text, of[i][0]))
                becomes(of[i][2], c, of[i][1]);
    }
}

static void broken_guard(const struct puan_node *map, bool act)
{
    const struct puan_node *n = puan_node_get(map, "when");

    becomes("guard syntax", n, "((");
    becomes("guard syntax", n, "1 = ");
    becomes("guard name", n, "nothing_q = 1");
    if (!act)
        return;
    becomes("guard type", n, "drill = 3");
    becomes("guard type", n, "hours_open = yes");
    becomes("guard type", n, "state = nowhere_q");
    becomes("guard type", n, "hours_open + 1");
}

static void broken_needs(const struct puan_node *map)
{
    const struct puan_node *n = puan_node_get(map, "needs");

    misspelt(n);
    names_become("dangling field", puan_node_get(n, "fields"), "nothing_q");
    names_become("dangling evidence", puan_node_get(n, "evidence"),
                 "nothing_q");
    names_become("dangling step", puan_node_get(n, "steps"), "nothing_q");
    becomes("dangling approval", puan_node_get(n, "approval"), "nothing_q");
    names_become("dangling flow", puan_node_get(n, "none_open"), "nothing_q");
}

static void broken_transition(const struct puan_node *n,
                              const struct puan_node *tree)
{
    static const char *const keys[] = { "id", "from", "to", "by" };
    const struct puan_node *states = puan_node_get(tree, "states");
    const struct puan_node *end = puan_node_get(states, "terminal");
    const struct puan_node *by = puan_node_get(n, "by");

    misspelt(n);
    dropped("no words", n, "zh");
    for (size_t i = 0; i < PUAN_COUNT(keys); i++)
        dropped("key left out", n, keys[i]);
    names_become("dangling state", puan_node_get(n, "from"), "nowhere_q");
    becomes("dangling state", puan_node_get(n, "to"), "nowhere_q");
    if (by != NULL && puan_str_starts(by->text, "clock."))
        becomes("dangling clock", by, "clock.nothing_q");
    else
        names_become("dangling seat", by, "nobody_q");
    if (end != NULL && end->first != NULL)
        names_become("act after the end", puan_node_get(n, "from"),
                     text_of(end->first->text));
    names_become("dangling field", puan_node_get(n, "sets"), "nothing_q");
    becomes("dangling report", puan_node_get(n, "report"), "nothing_q");
    becomes("not a name", puan_node_get(n, "id"), "2go");
    if (!puan_node_get(n, "id")->quoted)
        becomes("wrong kind of value", puan_node_get(n, "id"), "[a, b]");
    broken_needs(n);
    broken_guard(n, true);
    broken_effects(puan_node_get(n, "effects"));
}

static void broken_step(const struct puan_node *n)
{
    const struct puan_node *id = puan_node_get(n, "id");

    misspelt(n);
    dropped("key left out", n, "id");
    dropped("key left out", n, "authority");
    dropped("key left out", n, "by");
    becomes("wrong word", puan_node_get(n, "authority"), "mine");
    becomes("wrong word", puan_node_get(n, "optional"), "maybe");
    names_become("dangling seat", puan_node_get(n, "by"), "nobody_q");
    names_become("dangling seat", puan_node_get(n, "ordered_by"), "nobody_q");
    names_become("dangling step", puan_node_get(n, "after"), "nothing_q");
    names_become("step waits for itself", puan_node_get(n, "after"),
                 text_of(id->text));
    names_become("dangling field", puan_node_get(n, "sets"), "nothing_q");
    becomes("dangling clock", puan_node_get(n, "opens_at"), "nothing_q.due");
    /* whoever could open it is gone */
    if (strstr(file->text.p, "unlock:") == NULL &&
        puan_str_is(puan_node_str_opt(n, "authority", ""), "own") &&
        !puan_node_get(n, "ordered_by") && !puan_node_get(n, "opens_at") &&
        !puan_node_get(puan_node_get(n, "needs"), "approval"))
        becomes("step nobody orders", puan_node_get(n, "authority"), "order");
    broken_needs(n);
    broken_guard(n, true);
}

static void broken_approval(const struct puan_node *n)
{
    const struct puan_node *own = puan_node_get(n, "not_requester");

    misspelt(n);
    dropped("key left out", n, "rule");
    dropped("key left out", n, "seats");
    becomes("wrong word", puan_node_get(n, "rule"), "most");
    becomes("wrong word", own, "maybe");
    becomes("wrong word", puan_node_get(n, "void_on_change"), "maybe");
    names_become("dangling seat", puan_node_get(n, "seats"), "nobody_q");
    names_become("dangling seat", puan_node_get(n, "asked_by"), "nobody_q");
    names_become("dangling field", puan_node_get(n, "covers"), "nothing_q");
    becomes("no length of time", puan_node_get(n, "expires"), "never");
    first_in("dangling state", n, "states: [nowhere_q], ");
    if (!puan_str_is(puan_node_str_opt(n, "rule", ""), "one"))
        return;
    if (own != NULL)
        becomes("self-approval", own, "false");
    else
        first_in("self-approval", n, "not_requester: false, ");
}

static void broken_clock(const struct puan_node *n)
{
    const struct puan_node *limit = puan_node_get(n, "limit");
    const struct puan_node *ladder = puan_node_get(n, "overdue");
    const struct puan_node *warn = puan_node_get(n, "warn");

    misspelt(n);
    dropped("no words", n, "zh");
    if (puan_node_get(n, "stop") && !puan_node_get(n, "on_due") &&
        strstr(file->text.p, puan_arena_fmt(&arena, "clock.%.*s",
                                            PUAN_FMT(n->key))) == NULL &&
        strstr(file->text.p,
               puan_arena_fmt(&arena, "%.*s.due", PUAN_FMT(n->key))) == NULL)
        dropped("deadline nobody hears of", n, "overdue");
    dropped("key left out", n, "start");
    dropped("deadline without number", n, "limit");
    dropped("deadline without number", n, "at");
    becomes("no length of time", limit, "soon");
    becomes("no length of time", limit, "24");
    becomes("dangling setting", limit, "setting.nothing_q");
    becomes("dangling field", limit, "field.nothing_q");
    becomes("dangling field", puan_node_get(n, "at"), "nothing_q");
    becomes("wrong word", puan_node_get(n, "calendar"), "moon");
    becomes("wrong word", puan_node_get(n, "restart"), "maybe");
    becomes("no length of time", puan_node_get(n, "every"), "often");
    becomes("no length of time", puan_node_get(n, "retry"), "later");
    names_become("dangling transition", puan_node_get(n, "start"), "nothing_q");
    names_become("dangling transition", puan_node_get(n, "stop"), "nothing_q");
    names_become("dangling clock", puan_node_get(n, "start"), "nothing_q.due");
    names_become("dangling step", puan_node_get(n, "stop"), "step.nothing_q");
    names_become("dangling seat", ladder, "nobody_q");
    if (ladder != NULL && ladder->n > 1)
        dropped("ladder without pace", n, "every");
    if (warn != NULL && limit != NULL &&
        !puan_str_starts(limit->text, "field."))
        names_become("warning too late", warn, "9000d");
    broken_effects(puan_node_get(n, "on_due"));
    broken_effects(puan_node_get(n, "on_refused"));
    broken_guard(n, false);
}

static void broken_field(const struct puan_node *n)
{
    const struct puan_node *of = puan_node_get(n, "of");
    const struct puan_node *type = puan_node_get(n, "type");

    misspelt(n);
    dropped("no words", n, "zh");
    dropped("key left out", n, "type");
    becomes("wrong word", type, "txet");
    becomes("wrong word", puan_node_get(n, "secret"), "maybe");
    becomes("no number", puan_node_get(n, "max"), "many");
    becomes("no number", puan_node_get(n, "min"), "few");
    names_become("dangling seat", puan_node_get(n, "by"), "nobody_q");
    names_become("dangling transition", puan_node_get(n, "required_at"),
                 "nothing_q");
    if (!type->quoted)
        becomes("wrong kind of value", type, "[text]");
    if (of != NULL && of->n > 1) {
        becomes("defined twice", of->first->next, text_of(of->first->text));
        dropped("key left out", n, "of");
    }
    PUAN_NODE_EACH(c, puan_node_get(n, "words")) {
        size_t at;

        misspelt(c);
        if (key_at(&at, c))
            one("word not in the list", at + c->key.n, 0, "q");
    }
}

static void broken_states(const struct puan_node *tree)
{
    const struct puan_node *n = puan_node_get(tree, "states");
    const struct puan_node *active = puan_node_get(n, "active");
    const struct puan_node *end = puan_node_get(n, "terminal");
    const struct puan_node *start = puan_node_get(n, "initial");
    const struct puan_node *acts = puan_node_get(tree, "transitions");
    const struct puan_node *seats = puan_node_get(tree, "seats");
    size_t at, line;

    misspelt(n);
    dropped("key left out", n, "initial");
    names_become("defined twice", end, text_of(start->text));
    first_in("state never reached", active, "limbo_q, ");
    first_in("state never reached", end, "limbo_q, ");
    PUAN_NODE_EACH(c, puan_node_get(tree, "labels")) {
        misspelt(c);
        if (key_at(&at, c))
            one("dangling state", at + c->key.n, 0, "q");
    }
    if (active == NULL || active->kind != PUAN_NODE_LIST)
        return;
    at = place(active->line, active->col);
    line = place(acts->first->line, 1);
    if (here(at, PUAN_STR("[")) && here(line, PUAN_STR("  - ")))
        two("state without end", (struct edit){ at + 1, 0, "limbo_q, " },
            (struct edit){ line, 0,
                           puan_arena_fmt(&arena,
                                          "  - {id: fall_q, from: %.*s, to: "
                                          "limbo_q, by: %.*s, zh: 落, en: "
                                          "Fall}\n",
                                          PUAN_FMT(start->text),
                                          PUAN_FMT(seats->first->key)) });
}

static bool among(const struct puan_node *n, struct puan_str name)
{
    if (n == NULL)
        return false;
    if (n->kind == PUAN_NODE_SCALAR)
        return puan_str_eq(n->text, name);
    PUAN_NODE_EACH(c, n)
        if (puan_str_eq(c->text, name))
            return true;
    return false;
}

/* A seat that opens cases, held by a role that may not. */
static void powerless(const struct puan_node *tree, const struct puan_node *seat,
                      const struct puan_node *value)
{
    if (!puan_str_is(puan_node_str_opt(tree, "subject", ""), "area") ||
        !among(puan_node_get(puan_node_get(tree, "open"), "by"), seat->key))
        return;
    for (size_t i = 0; i < plan->n_roles; i++) {
        const struct puan_role *r = &plan->role[i];

        if (r->external || puan_role_can(r, PUAN_STR("case.open")))
            continue;
        becomes("role that may not", value,
                puan_arena_fmt(&arena, "%.*s@any", PUAN_FMT(r->id)));
        return;
    }
}

static void broken_seats(const struct puan_node *tree)
{
    PUAN_NODE_EACH(c, puan_node_get(tree, "seats")) {
        const struct puan_node *s = puan_node_get(c, "seat");

        if (s == NULL)
            s = c;
        else
            misspelt(c);
        becomes("dangling role", s, "nobody-q@any");
        becomes("dangling level", s, "any@ancestor:galaxy_q");
        becomes("dangling setting", s, "any@ancestor:setting.nothing_q");
        becomes("wrong word", s, "any@everywhere");
        becomes("wrong word", s, "any");
        powerless(tree, c, s);
    }
}

static void twice(const struct puan_node *list)
{
    if (list == NULL || list->first == NULL)
        return;
    for (const struct puan_node *c = list->first->next; c; c = c->next)
        becomes("defined twice", puan_node_get(c, "id"),
                text_of(puan_node_str_opt(list->first, "id", "")));
}

static void broken_flow(const struct puan_node *tree)
{
    static const char *const keys[] = { "flow",        "version", "owner",
                                        "seats",       "states",  "open",
                                        "transitions" };
    const struct puan_node *open = puan_node_get(tree, "open");
    const struct puan_node *links = puan_node_get(tree, "links");
    const struct puan_node *issued = puan_node_get(tree, "issued");
    const struct puan_node *owner = puan_node_get(tree, "owner");
    const struct puan_node *parts;

    broken_yaml(tree);
    misspelt(tree);
    for (size_t i = 0; i < PUAN_COUNT(keys); i++)
        dropped("key left out", tree, keys[i]);
    becomes("name too long for a message", puan_node_get(tree, "zh"),
            "一件名字长得手机一屏也放不下的事项，通知里写上编号、等级、办理时限之后"
            "就再也看不全");
    becomes("not a name", puan_node_get(tree, "flow"), "2go");
    becomes("no number", puan_node_get(tree, "version"), "first");
    becomes("no number", puan_node_get(tree, "version"), "0");
    becomes("dangling role", owner, "nobody-q");
    becomes("wrong kind of value", owner, "[a, b]");
    becomes("wrong word", puan_node_get(tree, "subject"), "weather");
    becomes("wrong word", puan_node_get(tree, "in_force"), "never");
    names_become("dangling seat", puan_node_get(tree, "entered_by"),
                 "nobody_q");
    broken_seats(tree);
    broken_states(tree);
    PUAN_NODE_EACH(c, puan_node_get(tree, "fields"))
        broken_field(c);
    PUAN_NODE_EACH(c, puan_node_get(tree, "evidence"))
        misspelt(c);
    PUAN_NODE_EACH(c, puan_node_get(tree, "facts")) {
        misspelt(c);
        becomes("wrong word", puan_node_get(c, "type"), "txet");
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "transitions"))
        broken_transition(c, tree);
    PUAN_NODE_EACH(c, puan_node_get(tree, "steps"))
        broken_step(c);
    twice(puan_node_get(tree, "transitions"));
    twice(puan_node_get(tree, "steps"));
    twice(puan_node_get(tree, "gates"));
    becomes("neither yes nor no", puan_node_get(tree, "register"), "maybe");
    parts = puan_node_get(tree, "approvals");
    PUAN_NODE_EACH(c, parts)
        broken_approval(c);
    if (parts != NULL && parts->first != NULL) {
        size_t at;

        if (key_at(&at, parts->first))
            one("approval nobody uses", at, 0,
                puan_arena_fmt(
                    &arena, "idle_q: {rule: one, seats: [%.*s]}\n%*s",
                    PUAN_FMT(puan_node_get(tree, "seats")->first->key),
                    (int)parts->first->key_col - 1, ""));
    }
    parts = puan_node_get(tree, "clocks");
    PUAN_NODE_EACH(c, parts)
        broken_clock(c);
    if (parts != NULL && parts->first != NULL) {
        size_t at;

        if (key_at(&at, parts->first))
            one("clock nobody hears", at, 0,
                puan_arena_fmt(&arena,
                               "idle_q: {start: open, limit: 1h}\n%*s",
                               (int)parts->first->key_col - 1, ""));
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "reports")) {
        misspelt(c);
        dropped("key left out", c, "to");
        becomes("dangling seat", puan_node_get(c, "to"), "nobody_q");
        names_become("dangling field", puan_node_get(c, "fields"),
                     "nothing_q");
        misspelt(puan_node_get(c, "skip_level"));
        dropped("key left out", puan_node_get(c, "skip_level"), "reason");
    }
    misspelt(open);
    dropped("key left out", open, "by");
    names_become("dangling seat", puan_node_get(open, "by"), "nobody_q");
    names_become("dangling field", puan_node_get(open, "sets"), "nothing_q");
    broken_effects(puan_node_get(open, "effects"));
    misspelt(links);
    names_become("dangling flow", puan_node_get(links, "opens"), "nothing_q");
    names_become("dangling flow", puan_node_get(links, "outranks"),
                 "nothing_q");
    PUAN_NODE_EACH(c, puan_node_get(links, "blocks")) {
        misspelt(c);
        becomes("dangling flow", puan_node_get(c, "flow"), "nothing_q");
        becomes("dangling approval", puan_node_get(c, "until"), "nothing_q");
        becomes("dangling transition", puan_node_get(c, "transition"),
                "nothing_q");
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "atomic")) {
        misspelt(c);
        dropped("key left out", c, "on");
        becomes("dangling transition", puan_node_get(c, "on"), "nothing_q");
        broken_guard(c, true);
        broken_effects(puan_node_get(c, "do"));
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "quantities")) {
        misspelt(c);
        becomes("dangling field", puan_node_get(c, "field"), "nothing_q");
        names_become("dangling transition", puan_node_get(c, "in"),
                     "nothing_q");
        names_become("dangling transition", puan_node_get(c, "out"),
                     "nothing_q");
        dropped("stock that only grows", c, "out");
    }
    parts = puan_node_get(tree, "recurrence");
    misspelt(parts);
    dropped("deadline without number", parts, "every");
    becomes("no length of time", puan_node_get(parts, "every"), "often");
    becomes("no length of time", puan_node_get(parts, "at"), "dawn");
    misspelt(issued);
    becomes("dangling role", puan_node_get(issued, "interpreter"), "nobody-q");
    becomes("no day", puan_node_get(issued, "effective"), "2020-02-31");
    dropped("key left out", issued, "interpreter");
}

/* --- risks, scoring, plan ------------------------------------------------ */

static void broken_risks(const struct puan_node *tree)
{
    static const char *const keys[] = { "id",   "zh",     "en",    "risk",
                                        "metric", "levels", "opens" };
    const struct puan_node *list = puan_node_get(tree, "monitors");

    broken_yaml(tree);
    misspelt(tree);
    PUAN_NODE_EACH(c, puan_node_get(tree, "risks")) {
        misspelt(c);
        dropped("key left out", c, "zh");
    }
    PUAN_NODE_EACH(c, list) {
        const struct puan_node *fields = puan_node_get(c, "fields");

        misspelt(c);
        for (size_t i = 0; i < PUAN_COUNT(keys); i++)
            dropped("key left out", c, keys[i]);
        becomes("dangling risk", puan_node_get(c, "risk"), "nothing_q");
        becomes("dangling metric", puan_node_get(c, "metric"), "nothing_q");
        becomes("dangling metric", puan_node_get(c, "of"), "nothing_q");
        becomes("dangling level", puan_node_get(c, "level"), "galaxy_q");
        becomes("dangling flow", puan_node_get(c, "opens"), "nothing_q");
        becomes("no length of time", puan_node_get(c, "every"), "often");
        becomes("no length of time", puan_node_get(c, "quiet"), "long");
        becomes("guard syntax", puan_node_get(c, "clear"), "((");
        becomes("guard name", puan_node_get(c, "clear"), "nothing_q = 1");
        dropped("key left out", fields, "class");
        dropped("key left out", fields, "title");
        first_in("dangling field", fields, "nothing_q: 1, ");
        PUAN_NODE_EACH(l, puan_node_get(c, "levels")) {
            misspelt(l);
            dropped("key left out", l, "raise");
            becomes("wrong word", puan_node_get(l, "raise"), "purple");
            broken_guard(l, false);
            becomes("guard type", puan_node_get(l, "when"), "known = 3");
            becomes("guard type", puan_node_get(l, "when"), "value + 1");
        }
    }
    twice(list);
}

static void broken_duty(const struct puan_node *tree)
{
    static const char *const keys[] = { "duty",   "zh",     "en",
                                        "seat",   "office", "levels",
                                        "posts",  "horizon", "answer",
                                        "test_every", "ladder" };

    broken_yaml(tree);
    misspelt(tree);
    for (size_t i = 0; i < PUAN_COUNT(keys); i++)
        dropped("key left out", tree, keys[i]);
    becomes("no model of duty", puan_node_get(tree, "duty"), "team");
    becomes("dangling role", puan_node_get(tree, "seat"), "nobody-q");
    becomes("dangling role", puan_node_get(tree, "office"), "nobody-q");
    names_become("dangling level", puan_node_get(tree, "levels"), "galaxy_q");
    names_become("dangling post", puan_node_get(tree, "ladder"), "post_q");
    becomes("no length", puan_node_get(tree, "answer"), "soon");
    becomes("dangling setting", puan_node_get(tree, "answer"), "setting.no_q");
    becomes("too far ahead", puan_node_get(tree, "horizon"), "90d");
    PUAN_NODE_EACH(s, puan_node_get(tree, "shifts")) {
        misspelt(s);
        becomes("a day with a hole", puan_node_get(s, "hours"), "11");
        becomes("two shifts at once", puan_node_get(s, "hours"), "13");
        becomes("no time of day", puan_node_get(s, "from"), "8 am");
    }
    becomes("dangling workflow",
            puan_node_get(puan_node_get(tree, "contact"), "flow"), "no_flow_q");
    becomes("workflow that asks for more",
            puan_node_get(puan_node_get(tree, "contact"), "flow"), "incident");
    PUAN_NODE_EACH(g, puan_node_get(puan_node_get(tree, "transfer"), "to"))
    becomes("dangling transition", puan_node_get(g, "act"), "to_nobody_q");
}

static void broken_scoring(const struct puan_node *tree)
{
    static const char *const keys[] = { "scheme", "zh",       "en",
                                        "full",   "assessed", "interpreter",
                                        "period", "groups",   "evidence_by",
                                        "sections" };
    const struct puan_node *period = puan_node_get(tree, "period");
    const struct puan_node *appeal = puan_node_get(tree, "appeal");
    const struct puan_node *bonus = puan_node_get(tree, "bonus");

    broken_yaml(tree);
    misspelt(tree);
    for (size_t i = 0; i < PUAN_COUNT(keys); i++)
        dropped("key left out", tree, keys[i]);
    becomes("points that do not add up", puan_node_get(tree, "full"), "101");
    becomes("no number", puan_node_get(tree, "full"), "all");
    becomes("dangling role", puan_node_get(tree, "interpreter"), "nobody-q");
    becomes("dangling level", puan_node_get(tree, "assessed"), "galaxy_q");
    names_become("dangling role", puan_node_get(tree, "evidence_by"),
                 "nobody-q");
    misspelt(period);
    becomes("no day", puan_node_get(period, "from"), "2020-02-31");
    becomes("no day", puan_node_get(period, "from"), "2999-01-01");
    PUAN_NODE_EACH(c, puan_node_get(tree, "groups")) {
        misspelt(c);
        becomes("dangling role", puan_node_get(c, "role"), "nobody-q");
    }
    PUAN_NODE_EACH(s, puan_node_get(tree, "sections")) {
        misspelt(s);
        dropped("key left out", s, "id");
        dropped("key left out", s, "points");
        dropped("key left out", s, "groups");
        dropped("points that do not add up", s, "items");
        becomes("points that do not add up", puan_node_get(s, "points"), "77");
        names_become("dangling group", puan_node_get(s, "groups"), "nobody_q");
        twice(puan_node_get(s, "items"));
        PUAN_NODE_EACH(i, puan_node_get(s, "items")) {
            misspelt(i);
            dropped("key left out", i, "id");
            dropped("key left out", i, "points");
            dropped("key left out", i, "mode");
            PUAN_NODE_EACH(c, puan_node_get(i, "none_of")) {
                misspelt(c);
                becomes("dangling flow", puan_node_get(c, "flow"), "nobody_q");
                names_become("dangling state", puan_node_get(c, "in"),
                             "nobody_q");
            }
            dropped("key left out", i, "of");
            becomes("points that do not add up", puan_node_get(i, "points"),
                    "55.5");
            becomes("points that do not add up", puan_node_get(i, "points"),
                    "0");
            becomes("no half points", puan_node_get(i, "points"), "0.3");
            becomes("wrong word", puan_node_get(i, "mode"), "guessed");
            becomes("wrong word", puan_node_get(i, "of"), "luck");
            misspelt(puan_node_get(i, "measure"));
            becomes("dangling metric",
                    puan_node_get(puan_node_get(i, "measure"), "metric"),
                    "nothing_q");
            PUAN_NODE_EACH(b, puan_node_get(puan_node_get(i, "measure"),
                                            "bands")) {
                misspelt(b);
                becomes("no number", puan_node_get(b, "least"), "enough");
                becomes("bands that do not fall", puan_node_get(b, "points"),
                        "99");
            }
            twice(puan_node_get(i, "evidence"));
            PUAN_NODE_EACH(k, puan_node_get(i, "evidence")) {
                misspelt(k);
                dropped("key left out", k, "id");
                becomes("no day", puan_node_get(k, "due"), "soon");
                becomes("no number", puan_node_get(k, "least"), "enough");
            }
        }
    }
    twice(puan_node_get(tree, "sections"));
    misspelt(bonus);
    names_become("dangling role", puan_node_get(bonus, "confirmed_by"),
                 "nobody-q");
    twice(puan_node_get(tree, "vetoes"));
    PUAN_NODE_EACH(v, puan_node_get(tree, "vetoes")) {
        misspelt(v);
        dropped("key left out", v, "effect");
        dropped("key left out", v, "by");
        becomes("wrong word", puan_node_get(v, "effect"), "shame");
        names_become("dangling role", puan_node_get(v, "by"), "nobody-q");
        becomes("dangling item", puan_node_get(v, "item"), "nothing_q");
        becomes("dangling flow", puan_node_get(v, "flow"), "nothing_q");
        becomes("dangling field", puan_node_get(v, "field"), "nothing_q");
        becomes("dangling word", puan_node_get(v, "value"), "nothing_q");
    }
    misspelt(appeal);
    becomes("no length of time", puan_node_get(appeal, "within"), "soon");
    names_become("dangling role", puan_node_get(appeal, "to"), "nobody-q");
}

static void broken_plan(const struct puan_node *tree)
{
    static const char *const keys[] = { "plan", "version",        "zh",
                                        "en",   "scope",          "levels",
                                        "roles", "offset_minutes", "shard_level",
                                        "household_digits" };
    const struct puan_node *hours = puan_node_get(tree, "office_hours");
    const struct puan_node *settings = puan_node_get(tree, "settings");
    const struct puan_node *levels = puan_node_get(tree, "levels");

    broken_yaml(tree);
    misspelt(tree);
    for (size_t i = 0; i < PUAN_COUNT(keys); i++)
        dropped("key left out", tree, keys[i]);
    becomes("wrong word", puan_node_get(tree, "scope"), "galaxy");
    becomes("no number", puan_node_get(tree, "offset_minutes"), "noon");
    becomes("no number", puan_node_get(tree, "offset_minutes"), "9000");
    becomes("dangling level", puan_node_get(tree, "shard_level"), "galaxy_q");
    becomes("not a name", puan_node_get(tree, "plan"), "other-q");
    becomes("no day", puan_node_get(tree, "reference_month"), "April");
    becomes("no day", puan_node_get(tree, "reference_moment"), "noon");
    names_become("dangling pack", puan_node_get(tree, "uses"), "nothing-q");
    PUAN_NODE_EACH(c, levels) {
        misspelt(c);
        dropped("key left out", c, "id");
        becomes("no number", puan_node_get(c, "digits"), "some");
        becomes("no number", puan_node_get(c, "digits"), "0");
    }
    twice(levels);
    PUAN_NODE_EACH(c, puan_node_get(tree, "roles")) {
        misspelt(c);
        dropped("key left out", c, "zh");
        dropped("key left out", c, "en");
        names_become("dangling level", puan_node_get(c, "levels"), "galaxy_q");
        names_become("dangling role", puan_node_get(c, "excludes"), "nobody-q");
        becomes("dangling role", puan_node_get(c, "via"), "nobody-q");
        becomes("wrong word", puan_node_get(c, "credential"), "none");
        becomes("wrong word", puan_node_get(c, "second_factor"), "maybe");
        becomes("wrong word", puan_node_get(c, "external"), "maybe");
        becomes("no number", puan_node_get(c, "clearance"), "high");
    }
    PUAN_NODE_EACH(c, settings) {
        misspelt(c);
        dropped("key left out", c, "value");
        dropped("key left out", c, "zh");
    }
    misspelt(hours);
    becomes("no time of the day", puan_node_get(hours, "from"), "dawn");
    becomes("no time of the day", puan_node_get(hours, "to"), "25:00");
    names_become("no day", puan_node_get(hours, "holidays"), "Easter");
    names_become("no number", puan_node_get(hours, "weekdays"), "9");
    PUAN_NODE_EACH(c, puan_node_get(tree, "windows")) {
        misspelt(c);
        dropped("key left out", c, "from");
        dropped("key left out", c, "until");
        becomes("no day", puan_node_get(c, "from"), "spring");
        becomes("no day", puan_node_get(c, "until"), "1900-01-01");
        names_become("dangling form", puan_node_get(c, "forms"), "nothing_q");
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "variables")) {
        misspelt(c);
        becomes("guard syntax", puan_node_get(c, "expr"), "((");
        becomes("guard name", puan_node_get(c, "expr"), "nothing_q + 1");
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "tables")) {
        misspelt(c);
        dropped("key left out", c, "entity");
        becomes("wrong word", puan_node_get(c, "base"), "everybody");
        names_become("dangling item", puan_node_get(c, "by"), "nothing_q");
    }
}

/* --- judging ------------------------------------------------------------- */

static struct puan_str broken_text(const struct site *s, struct puan_arena *a)
{
    struct puan_str t = s->file->text;

    for (size_t i = 0; i < 2; i++) {
        const struct edit *e = &s->edit[i];

        if (e->n == 0 && e->put[0] == '\0')
            continue;
        t = puan_str_of(puan_arena_fmt(
            a, "%.*s%s%.*s", (int)e->at, t.p, e->put,
            (int)(t.n - e->at - e->n), t.p + e->at + e->n));
    }
    return t;
}

/* The packs with one file exchanged. */
static struct puan_plan_pack *exchanged(const struct site *s,
                                        const struct puan_plan_file **now,
                                        struct puan_str text,
                                        const struct puan_node *tree,
                                        struct puan_arena *a)
{
    struct puan_plan_pack *k =
        puan_new_n(a, s->plan->n_packs, struct puan_plan_pack);
    size_t n = s->plan->pack[0].n_files;
    struct puan_plan_file *f = puan_new_n(a, n, struct puan_plan_file);

    memcpy(k, s->plan->pack, s->plan->n_packs * sizeof(*k));
    memcpy(f, s->plan->pack[0].file, n * sizeof(*f));
    f[s->file - s->plan->pack[0].file].text = text;
    f[s->file - s->plan->pack[0].file].tree = tree;
    *now = &f[s->file - s->plan->pack[0].file];
    k[0].file = f;
    return k;
}

/* Everything but the forms and rules, which no kind here touches. */
static void judged(struct puan_problems *all, const struct site *s,
                   struct puan_arena *a)
{
    struct puan_str text = broken_text(s, a);
    const struct puan_plan_file *now;
    struct puan_plan_pack *pack;
    struct puan_node *tree = NULL;
    static const struct puan_str calls[] = { { "release:publish", 15 } };
    const struct puan_plan_known known = { .call = calls,
                                           .n_calls = PUAN_COUNT(calls) };
    struct puan_plan p = *s->plan, *again = NULL;
    struct puan_err err = { 0 };

    if (puan_yaml_tree(&tree, text, s->file->name, a, &err) != PUAN_OK) {
        puan_problem_take(all, &err);
        return;
    }
    pack = exchanged(s, &now, text, tree, a);
    if (puan_str_is(s->file->path, "plan.yaml")) {
        if (puan_plan_load(&again, pack, p.n_packs, NULL, all, a, &err) !=
            PUAN_OK)
            return;
        p = *again;
    } else if (puan_str_starts(s->file->path, "flows/")) {
        const struct puan_plan_file **f =
            puan_new_n(a, p.n_flows, const struct puan_plan_file *);

        for (size_t i = 0; i < p.n_flows; i++)
            f[i] = p.flows[i] == s->file ? now : p.flows[i];
        p.flows = f;
    }
    p.pack = pack;
    p.n_forms = p.n_sheets = p.n_dossiers = p.n_rules = 0;
    if (puan_plan_prove(&p, &known, all, a, &err) == PUAN_OK)
        puan_plan_prove_risks(&p, all, a);
}

/* What mends it: a word that tells the reader what to do. */
static bool has_remedy(const char *text)
{
    static const char *const words[] = {
        "must ",     "use ",     "write ",    "give ",     "declare ",
        "add ",      "name ",    "needs ",    "need ",     "remove ",
        "mend ",     "rename ",  "did you mean", "set ",   "split ",
        "expected ", "take it out", "nearest", "choose ",  "require ",
        "break ",    "make ",    " is written ", "let ",   "put ",
        "such as a comparison",
    };

    for (size_t i = 0; i < PUAN_COUNT(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

static bool well_said(const struct puan_problem *p)
{
    return p->file[0] != '\0' && p->line > 0 && p->col > 0 &&
           has_remedy(p->text);
}

/* --- drills ---------------------------------------------------------------- */

static void broken_expectation(const struct puan_node *e)
{
    static const char *const acts[] = { "act", "step", "order", "ask", "sign",
                                        "clock" };

    misspelt(e);
    dropped("expectation without points", e, "points");
    becomes("points", puan_node_get(e, "points"), "many");
    becomes("length of time", puan_node_get(e, "within"), "soon");
    becomes("dangling inject", puan_node_get(e, "after"), "nothing_q");
    becomes("dangling inject", puan_node_get(e, "heard"), "nothing_q");
    becomes("dangling role", puan_node_get(e, "by"), "nobody_q");
    becomes("dangling measure", puan_node_get(e, "measured"), "nothing_q");
    for (size_t i = 0; i < PUAN_COUNT(acts); i++)
        becomes("dangling act", puan_node_get(e, acts[i]), "nothing_q");
}

static void broken_drill(const struct puan_node *tree)
{
    broken_yaml(tree);
    misspelt(tree);
    dropped("drill without a pass mark", tree, "pass");
    becomes("dangling flow", puan_node_get(tree, "of"), "nothing_q");
    becomes("dangling flow", puan_node_get(tree, "register"), "nothing_q");
    becomes("dangling flow", puan_node_get(tree, "improve"), "nothing_q");
    becomes("dangling procedure", puan_node_get(tree, "does"), "nothing_q");
    becomes("dangling level", puan_node_get(tree, "level"), "nothing_q");
    becomes("dangling role", puan_node_get(tree, "lead"), "nobody_q");
    becomes("length of time", puan_node_get(tree, "length"), "long");
    names_become("dangling role", puan_node_get(tree, "contacts"), "nobody_q");
    PUAN_NODE_EACH(i, puan_node_get(tree, "injects")) {
        misspelt(i);
        becomes("length of time", puan_node_get(i, "at"), "soon");
        becomes("after the end", puan_node_get(i, "at"), "90d");
        names_become("dangling role", puan_node_get(i, "to"), "nobody_q");
        becomes("dangling flow", puan_node_get(i, "open"), "nothing_q");
        misspelt(puan_node_get(i, "fields"));
    }
    PUAN_NODE_EACH(e, puan_node_get(tree, "expect"))
        broken_expectation(e);
}

/* --- the whole ----------------------------------------------------------- */

static uint64_t seed = SEED;
static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % below);
}

static void collect(struct puan_plan_held **held)
{
    for (size_t k = 0; k < PUAN_COUNT(packs); k++) {
        struct puan_err err = { 0 };

        if (puan_plan_load_dir(&held[k], packs[k], NULL, &err) != PUAN_OK)
            fail_msg("%s: %s", err.where, err.text);
        plan = puan_plan_held_plan(held[k]);
        for (size_t i = 0; i < plan->pack[0].n_files; i++) {
            file = &plan->pack[0].file[i];
            if (file->tree == NULL)
                continue;
            if (puan_str_starts(file->path, "flows/"))
                broken_flow(file->tree);
            else if (puan_str_starts(file->path, "drills/"))
                broken_drill(file->tree);
            else if (puan_str_is(file->path, "risks.yaml"))
                broken_risks(file->tree);
            else if (puan_str_is(file->path, "scoring.yaml"))
                broken_scoring(file->tree);
            else if (puan_str_is(file->path, "duty.yaml"))
                broken_duty(file->tree);
            else if (puan_str_is(file->path, "plan.yaml"))
                broken_plan(file->tree);
        }
    }
    for (size_t i = n_sites; i > 1; i--) {
        size_t j = draw(i);
        struct site x = sites[i - 1];

        sites[i - 1] = sites[j];
        sites[j] = x;
    }
}

struct count {
    const char *kind;
    size_t refused, total;
};

static struct count *count_of(struct count *c, size_t *n, const char *kind)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(c[i].kind, kind) == 0)
            return &c[i];
    assert_true(*n < KINDS);
    c[*n] = (struct count){ kind, 0, 0 };
    return &c[(*n)++];
}

static bool judge(const struct site *s)
{
    struct puan_problems all = { 0 };
    struct puan_arena a;
    bool good, here_too = false;

    puan_arena_init(&a, puan_os_alloc());
    all.arena = &a;
    judged(&all, s, &a);
    good = all.n > 0;
    if (!good)
        print_error("accepted: %s, %s, \"%.*s\" -> \"%s\"\n", s->kind,
                    s->file->name, (int)s->edit[0].n,
                    s->file->text.p + s->edit[0].at, s->edit[0].put);
    for (const struct puan_problem *p = all.first; p; p = p->next) {
        here_too |= strcmp(p->file, s->file->name) == 0;
        if (!well_said(p)) {
            good = false;
            print_error("badly said: %s (%s): %s:%u:%u: %s\n", s->kind,
                        s->file->name, p->file, p->line, p->col, p->text);
        }
    }
    if (good && !here_too) {
        good = false;
        print_error("told elsewhere only: %s (%s)\n", s->kind, s->file->name);
    }
    assert_false(a.failed);
    puan_arena_clear(&a);
    return good;
}

static void broken_packs_are_refused_with_place_and_remedy(void **state)
{
    struct puan_plan_held *held[PUAN_COUNT(packs)];
    struct count counts[KINDS], all = { "all", 0, 0 };
    size_t n = 0;

    (void)state;
    puan_arena_init(&arena, puan_os_alloc());
    sites = calloc(SITES, sizeof(*sites));
    assert_non_null(sites);
    collect(held);
    for (size_t i = 0; i < n_sites; i++) {
        struct count *c = count_of(counts, &n, sites[i].kind);

        if (c->total == PER_KIND)
            continue;
        c->total++;
        c->refused += judge(&sites[i]);
    }
    for (size_t i = 0; i < n; i++) {
        print_message("%-28s %3zu / %zu\n", counts[i].kind, counts[i].refused,
                      counts[i].total);
        all.refused += counts[i].refused;
        all.total += counts[i].total;
    }
    print_message("%-28s %3zu / %zu of %zu places, %zu kinds\n", "refused",
                  all.refused, all.total, n_sites, n);
    for (size_t k = 0; k < PUAN_COUNT(packs); k++)
        puan_plan_close(held[k]);
    free(sites);
    puan_arena_clear(&arena);
    assert_true(all.total >= 500);
    assert_int_equal(all.refused, all.total);
}

/* A judge that refuses everything would prove nothing. */
static void whole_packs_pass_the_same_judge(void **state)
{
    (void)state;
    for (size_t k = 0; k < PUAN_COUNT(packs); k++) {
        struct puan_plan_held *h;
        struct puan_problems all = { 0 };
        struct puan_err err = { 0 };
        struct site s = { .edit = { { 0, 0, "" }, { 0, 0, "" } } };
        struct puan_arena a;

        puan_arena_init(&a, puan_os_alloc());
        all.arena = &a;
        assert_int_equal(puan_plan_load_dir(&h, packs[k], NULL, &err), PUAN_OK);
        s.plan = puan_plan_held_plan(h);
        for (size_t i = 0; i < s.plan->pack[0].n_files; i++) {
            s.file = &s.plan->pack[0].file[i];
            if (puan_str_is(s.file->path, "plan.yaml") ||
                puan_str_is(s.file->path, "risks.yaml") ||
                puan_str_is(s.file->path, "flows/return.yaml"))
                judged(&all, &s, &a);
        }
        if (all.n > 0)
            fail_msg("%s:%u:%u: %s", all.first->file, all.first->line,
                     all.first->col, all.first->text);
        puan_plan_close(h);
        puan_arena_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_packs_pass_the_same_judge),
        cmocka_unit_test(broken_packs_are_refused_with_place_and_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
