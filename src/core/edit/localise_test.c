/*
 * Error localisation against an exhaustive oracle: every assignment of every
 * answer of a small return, run by the ordinary executor, gives the least
 * weight there is; the localiser must give the same, and a repair that passes.
 * Prints its seed; PUAN_SEED and PUAN_ROUNDS choose others.
 */
#include "core/rule/test_help.h"

#include "base/arena.h"
#include "base/out.h"
#include "core/edit/hitting.h"
#include "core/edit/localise.h"

/* ---- random numbers ---- */

static uint64_t seed_state;

static uint32_t rnd(uint32_t n)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (uint32_t)((seed_state >> 20) % n);
}

static uint64_t option(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

/* ---- hitting sets ---- */

static void least_hitting_sets(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 3000; round++) {
        struct puan_err err = { 0 };
        struct puan_arena a;
        uint32_t things = 1 + (uint32_t)(round % 12), member[12][12];
        struct puan_hitting_set set[12];
        int64_t cost[12], got, best = INT64_MAX;
        enum puan_hitting_state st;
        uint64_t budget = 1000000;
        bool pick[12];
        size_t n;

        seed_state = (round + 1) * 0x9e3779b97f4a7c15u;
        n = rnd(12);
        puan_arena_init(&a, &puan_test_heap);
        for (uint32_t t = 0; t < things; t++)
            cost[t] = 1 + rnd(3);
        for (size_t i = 0; i < n; i++) {
            set[i] = (struct puan_hitting_set){ member[i], 0 };
            for (uint32_t t = 0; t < things; t++)
                if (rnd(3) == 0)
                    member[i][set[i].n++] = t;
        }
        for (uint32_t m = 0; m < 1u << things; m++) {
            int64_t sum = 0;
            bool all = true;

            for (uint32_t t = 0; t < things; t++)
                sum += m >> t & 1 ? cost[t] : 0;
            for (size_t i = 0; i < n; i++) {
                bool hit = false;

                for (uint32_t k = 0; k < set[i].n; k++)
                    hit |= m >> set[i].thing[k] & 1;
                all &= hit;
            }
            if (all && sum < best)
                best = sum;
        }
        assert_int_equal(puan_hitting_least(&st, pick, &got, cost, things, set,
                                            n, &budget, &a, &err),
                         PUAN_OK);
        if (best == INT64_MAX) {
            assert_int_equal(st, PUAN_HITTING_NONE);
        } else {
            int64_t sum = 0;

            assert_int_equal(st, PUAN_HITTING_LEAST);
            assert_int_equal(got, best);
            for (uint32_t t = 0; t < things; t++)
                sum += pick[t] ? cost[t] : 0;
            assert_int_equal(sum, best);
            for (size_t i = 0; i < n; i++) {
                bool hit = false;

                for (uint32_t k = 0; k < set[i].n; k++)
                    hit |= pick[set[i].thing[k]];
                assert_true(hit);
            }
        }
        puan_arena_clear(&a);
    }
}

/* ---- a small form ---- */

static const char form_text[] =
    "{\"form\":\"tiny\",\"zh\":\"表\",\"en\":\"form\",\"codes\":{"
    "\"two\":{\"1\":{\"zh\":\"一\",\"en\":\"one\"},\"2\":{\"zh\":\"二\",\"en\":"
    "\"two\"}},"
    "\"rel\":{\"0\":{\"zh\":\"主\",\"en\":\"head\"},\"1\":{\"zh\":\"偶\","
    "\"en\":"
    "\"spouse\"},\"7\":{\"zh\":\"他\",\"en\":\"other\"}}},"
    "\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"household\",\"items\":"
    "{"
    "\"H\":{\"type\":\"int\",\"min\":0,\"max\":3,\"zh\":\"数\",\"en\":\"n\"},"
    "\"K\":{\"type\":\"code\",\"codes\":\"two\",\"zh\":\"类\",\"en\":\"k\"},"
    "\"O\":{\"type\":\"int\",\"min\":1,\"max\":2,\"required\":false,\"zh\":"
    "\"选\",\"en\":\"o\"}}},"
    "\"person\":{\"rows\":3,\"zh\":\"人\",\"en\":\"person\",\"items\":{"
    "\"R\":{\"type\":\"code\",\"codes\":\"rel\",\"zh\":\"关系\",\"en\":\"r\"},"
    "\"S\":{\"type\":\"code\",\"codes\":\"two\",\"zh\":\"性别\",\"en\":\"s\"},"
    "\"A\":{\"type\":\"int\",\"min\":0,\"max\":2,\"zh\":\"年龄\",\"en\":\"a\"},"
    "\"M\":{\"type\":\"code\",\"codes\":\"two\",\"asked_if\":\"A >= 1\",\"zh\":"
    "\"婚\",\"en\":\"m\"}}}}}";

static struct puan_form *tiny(struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_form *f = NULL;

    if (puan_json_tree(&tree, puan_str_of(form_text), "tiny", a, &err) !=
            PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, a, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return f;
}

/* ---- random rules over it ---- */

struct gen {
    struct puan_out o;
    bool row; /* items of a person may be read */
    bool in;  /* inside a quantifier */
    int depth;
};

static void truth(struct gen *g);

static void say(struct gen *g, const char *s)
{
    puan_out_text(&g->o, s);
}

static void number(struct gen *g)
{
    static const char *const person[] = { "A", "number(R)", "number(M)", "row",
                                          "self.A" };

    if (++g->depth > 5) {
        puan_out_int(&g->o, rnd(4));
        g->depth--;
        return;
    }
    switch (rnd(g->in ? 7 : 9)) {
    case 0:
        puan_out_int(&g->o, rnd(4));
        break;
    case 1:
        say(g, rnd(2) ? "H" : rnd(2) ? "O" : "number(K)");
        break;
    case 2:
    case 3:
        say(g, g->row ? person[rnd(g->in ? 4 : 5)] : "H");
        break;
    case 4:
        say(g, "(");
        number(g);
        say(g, rnd(2) ? " + " : " - ");
        number(g);
        say(g, ")");
        break;
    case 5:
        say(g, rnd(2) ? "abs(" : "(2 * ");
        number(g);
        say(g, ")");
        break;
    case 6:
        say(g, "if(");
        truth(g);
        say(g, ", ");
        number(g);
        say(g, ", ");
        number(g);
        say(g, ")");
        break;
    default: {
        static const char *const q[] = { "count(person",   "sum(person.A",
                                         "max(person.A",   "min(person.A",
                                         "first(person.A", "oldest" };
        uint32_t k = rnd(PUAN_COUNT(q));
        bool was = g->row;

        say(g, q[k]);
        if (k == 5)
            break;
        g->row = g->in = true;
        if (rnd(4)) {
            say(g, " where ");
            truth(g);
        }
        g->in = false;
        g->row = was;
        say(g, ")");
    }
    }
    g->depth--;
}

static void leaf(struct gen *g)
{
    static const char *const op[] = { " = ",  " != ", " < ",
                                      " <= ", " > ",  " >= " };
    static const char *const state[] = { "given", "missing", "asked",
                                         "invalid" };

    switch (rnd(g->row ? 6 : 3)) {
    case 0:
        puan_out_fmt(&g->o, "%s(%s)", state[rnd(4)],
                     g->row ? (rnd(2) ? "M" : "S") : "O");
        break;
    case 1:
        say(g, rnd(2) ? "K = 1" : "H in {0, 2..3}");
        break;
    case 3:
        say(g, rnd(2) ? "R in {0, 1}" : "R != 7");
        break;
    case 4:
        say(g, rnd(2) ? "S = 1" : "M = 2");
        break;
    default:
        say(g, "(");
        number(g);
        say(g, op[rnd(6)]);
        number(g);
        say(g, ")");
        break;
    }
}

static void truth(struct gen *g)
{
    if (++g->depth > 4) {
        leaf(g);
        g->depth--;
        return;
    }
    switch (rnd(7)) {
    case 0:
    case 1:
        say(g, "(");
        truth(g);
        say(g, rnd(2) ? " and " : " or ");
        truth(g);
        say(g, ")");
        break;
    case 2:
        say(g, "not ");
        truth(g);
        break;
    case 3:
        if (!g->in) {
            bool was = g->row;

            say(g, rnd(2) ? "any(person where " : "all(person where ");
            g->row = g->in = true;
            truth(g);
            g->in = false;
            g->row = was;
            say(g, ")");
            break;
        } /* fall through */
    default:
        leaf(g);
        break;
    }
    g->depth--;
}

static struct puan_str rules(struct puan_arena *a, uint32_t n)
{
    struct gen g = { 0 };

    puan_out_init(&g.o, a);
    say(&g,
        "define oldest for household = max(person.A)\n"
        "rule F1 hard person zh \"z\" en \"e\" when asked(S) check given(S)\n"
        "rule F2 hard person zh \"z\" en \"e\" when A >= 1 check given(M)\n"
        "rule F3 hard person zh \"z\" en \"e\" when A < 1 "
        "fail when given(M)\n"
        "rule F4 soft household zh \"z\" en \"e\" check H > 3\n");
    for (uint32_t i = 0; i < n; i++) {
        g.row = rnd(2);
        puan_out_fmt(&g.o, "rule R%u hard %s zh \"z\" en \"e\"\n", i,
                     g.row ? "person" : "household");
        if (rnd(2)) {
            say(&g, "when ");
            truth(&g);
            say(&g, "\n");
        }
        say(&g, "check ");
        truth(&g);
        say(&g, " and asked(H)\n");
    }
    return puan_out_view(&g.o);
}

/* ---- the oracle ---- */

struct cell {
    uint16_t entity, item;
    uint32_t row, weight;
};

struct oracle {
    const struct puan_form *f;
    const struct puan_ruleset *rs;
    const struct puan_routing *routing;
    const struct puan_record *was;
    struct puan_record now; /* before routing */
    struct cell cell[32];
    size_t n;
    uint64_t best, tried;
    struct puan_arena *a;
};

static bool passes(struct oracle *o)
{
    struct puan_arena a;
    struct puan_record r;
    struct puan_findings f;
    struct puan_err err = { 0 };
    uint32_t n[PUAN_FORM_ENTITIES];

    puan_arena_init(&a, &puan_test_heap);
    for (uint16_t e = 0; e < o->f->n_entities; e++)
        n[e] = o->now.rows[e].n;
    assert_int_equal(puan_record_new(&r, o->f, n, &a, &err), PUAN_OK);
    for (uint16_t e = 0; e < o->f->n_entities; e++) {
        size_t k = (size_t)n[e] * o->f->entity[e].n_items;

        if (k == 0)
            continue;
        memcpy(r.rows[e].v, o->now.rows[e].v, k * sizeof(int64_t));
        memcpy(r.rows[e].st, o->now.rows[e].st, k);
    }
    puan_routing_apply(o->routing, &r);
    assert_int_equal(puan_ruleset_run(&f, o->rs, &r, &a, &err), PUAN_OK);
    /* an answer made empty must be one that is not asked */
    for (size_t i = 0; i < o->n; i++) {
        const struct cell *c = &o->cell[i];
        size_t at = (size_t)c->row * o->f->entity[c->entity].n_items + c->item;

        if (r.rows[c->entity].st[at] == PUAN_MISSING &&
            o->was->rows[c->entity].st[at] != PUAN_NOT_ASKED &&
            o->was->rows[c->entity].st[at] != PUAN_MISSING)
            f.any_hard = true;
    }
    o->tried++;
    puan_arena_clear(&a);
    return !f.any_hard;
}

/* All ways to change cells k and on at a cost below the best. */
static void enumerate(struct oracle *o, size_t k, uint64_t cost)
{
    const struct cell *c = &o->cell[k];
    const struct puan_item *it;
    int64_t *v, old;
    uint8_t *st, was;
    size_t at;

    if (cost >= o->best)
        return;
    if (k == o->n) {
        if (passes(o))
            o->best = cost;
        return;
    }
    it = &o->f->entity[c->entity].items[c->item];
    at = (size_t)c->row * o->f->entity[c->entity].n_items + c->item;
    v = &o->now.rows[c->entity].v[at];
    st = &o->now.rows[c->entity].st[at];
    old = *v;
    was = *st;
    enumerate(o, k + 1, cost);
    if (c->weight == 0)
        return;
    for (int64_t x = 0; x <= 7; x++) {
        if (it->codes ? !puan_code_by_value(it->codes, x)
                      : x < it->min || x > it->max)
            continue;
        if (was == PUAN_GIVEN && old == x)
            continue;
        *v = x;
        *st = PUAN_GIVEN;
        enumerate(o, k + 1, cost + c->weight);
    }
    if ((it->asked_if.n || !it->required) && was != PUAN_NOT_ASKED) {
        *v = 0;
        *st = PUAN_NOT_ASKED;
        enumerate(o, k + 1, cost + c->weight);
    }
    *v = old;
    *st = was;
}

/* A return with anything in it. */
static void fill(struct puan_record *r, const struct puan_form *f,
                 struct puan_arena *a)
{
    struct puan_err err = { 0 };
    uint32_t n[PUAN_FORM_ENTITIES] = { 1, rnd(3) };

    assert_int_equal(puan_record_new(r, f, n, a, &err), PUAN_OK);
    for (uint16_t e = 0; e < 2; e++)
        for (size_t i = 0; i < (size_t)n[e] * f->entity[e].n_items; i++) {
            const struct puan_item *it =
                &f->entity[e].items[i % f->entity[e].n_items];
            uint32_t luck = rnd(12);

            if (luck == 0) {
                r->rows[e].st[i] = PUAN_INVALID;
            } else if (luck < 3) {
                r->rows[e].st[i] = PUAN_NOT_ASKED; /* routing decides */
            } else {
                r->rows[e].st[i] = PUAN_GIVEN;
                r->rows[e].v[i] =
                    it->codes
                        ? it->codes->codes[rnd((uint32_t)it->codes->n)].value
                        : it->min + rnd((uint32_t)(it->max - it->min + 1));
            }
        }
}

static void copy_in(struct puan_record *to, const struct puan_record *from,
                    struct puan_arena *a)
{
    struct puan_err err = { 0 };
    uint32_t n[PUAN_FORM_ENTITIES] = { from->rows[0].n, from->rows[1].n };

    assert_int_equal(puan_record_new(to, from->form, n, a, &err), PUAN_OK);
    for (uint16_t e = 0; e < 2; e++) {
        size_t k = (size_t)n[e] * from->form->entity[e].n_items;

        if (k == 0)
            continue;
        memcpy(to->rows[e].v, from->rows[e].v, k * sizeof(int64_t));
        memcpy(to->rows[e].st, from->rows[e].st, k);
    }
}

/* The repair: what it says it changes, and nothing else, and it passes. */
static void check_repair(const struct puan_localised *got, struct oracle *o,
                         const struct puan_record *raw,
                         const struct puan_record *routed)
{
    uint64_t weight = 0;
    struct puan_findings f;
    struct puan_err err = { 0 };

    assert_true(got->repaired);
    copy_in(&o->now, raw, o->a);
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *c = &got->change[i];
        size_t at =
            (size_t)c->at.row * o->f->entity[c->at.entity].n_items + c->at.item;

        assert_true(c->state == PUAN_GIVEN || c->state == PUAN_NOT_ASKED);
        assert_true(c->state != routed->rows[c->at.entity].st[at] ||
                    c->value != routed->rows[c->at.entity].v[at]);
        o->now.rows[c->at.entity].st[at] = (uint8_t)c->state;
        o->now.rows[c->at.entity].v[at] = c->value;
        for (size_t k = 0; k < o->n; k++)
            if (o->cell[k].entity == c->at.entity &&
                o->cell[k].item == c->at.item && o->cell[k].row == c->at.row)
                weight += o->cell[k].weight;
    }
    assert_int_equal(weight, got->weight);
    assert_true(passes(o));
    assert_int_equal(puan_ruleset_run(&f, o->rs, &got->record, o->a, &err),
                     PUAN_OK);
    assert_false(f.any_hard);
}

/* Is there a repair of these cells with cell k at v (or another than v)? */
static bool oracle_fill(struct oracle *o, const struct puan_cell *cell,
                        size_t n, size_t from, size_t k, enum puan_state st,
                        int64_t v, bool other)
{
    const struct puan_item *it;
    size_t at;

    if (from == n)
        return passes(o);
    it = &o->f->entity[cell[from].entity].items[cell[from].item];
    at = (size_t)cell[from].row * o->f->entity[cell[from].entity].n_items +
         cell[from].item;
    for (int64_t x = -1; x <= 7; x++) {
        enum puan_state s = x < 0 ? PUAN_NOT_ASKED : PUAN_GIVEN;
        int64_t w = x < 0 ? 0 : x;

        if (x < 0       ? !(it->asked_if.n || !it->required)
            : it->codes ? !puan_code_by_value(it->codes, x)
                        : x < it->min || x > it->max)
            continue;
        if (from == k && (s == st && w == v) == other)
            continue;
        o->now.rows[cell[from].entity].st[at] = (uint8_t)s;
        o->now.rows[cell[from].entity].v[at] = w;
        if (oracle_fill(o, cell, n, from + 1, k, st, v, other))
            return true;
    }
    return false;
}

/* Values for the least set, one by one, against the oracle. */
static void fill_in(const struct puan_localised *got, struct oracle *o,
                    const struct puan_localiser *l,
                    const struct puan_record *raw, const struct puan_record *r,
                    unsigned long *forced)
{
    struct puan_cell cell[16];
    enum puan_fill_state state;
    struct puan_fill *f;
    struct puan_record done;
    struct puan_err err = { 0 };
    size_t n = got->n;

    if (n > 4)
        return;
    for (size_t k = 0; k < n; k++)
        cell[k] = got->change[k].at;
    assert_int_equal(puan_fill_open(&f, &state, l, r, cell, n, 0, o->a, &err),
                     PUAN_OK);
    assert_int_equal(state, PUAN_FILL_YES);
    for (size_t k = 0; k < n; k++) {
        const struct puan_cell_change *c = &got->change[k];

        /* only the first: for later ones the oracle does not know the rest */
        if (k == 0) {
            int64_t v = rnd(4);
            bool can;

            copy_in(&o->now, raw, o->a);
            can = oracle_fill(o, cell, n, 0, 0, PUAN_GIVEN, v, false);
            assert_int_equal(puan_fill_try(&state, f, 0, PUAN_GIVEN, v, &err),
                             PUAN_OK);
            assert_int_equal(state, can ? PUAN_FILL_YES : PUAN_FILL_NO);
            if (can)
                continue;
            copy_in(&o->now, raw, o->a);
            assert_int_equal(puan_fill_forced(&state, f, 0, &err), PUAN_OK);
            can = oracle_fill(o, cell, n, 0, 0, c->state, c->value, true);
            assert_int_equal(state, can ? PUAN_FILL_NO : PUAN_FILL_YES);
            *forced += !can;
        }
        assert_int_equal(puan_fill_try(&state, f, k, PUAN_NOT_ASKED, 0, &err),
                         PUAN_OK);
    }
    assert_int_equal(puan_fill_done(&done, f, &err), PUAN_OK);
}

static void always_least(void **state)
{
    uint64_t seed = option("PUAN_SEED", 20201101);
    uint64_t rounds = option("PUAN_ROUNDS", 200);
    unsigned long found = 0, none = 0, clean = 0, several = 0, tried = 0;
    unsigned long forced = 0;
    struct puan_arena forms, a;
    struct puan_err err = { 0 };
    struct puan_routing *routing;
    struct puan_form *f;

    (void)state;
    puan_arena_init(&forms, &puan_test_heap);
    puan_arena_init(&a, &puan_test_heap);
    f = tiny(&forms);
    assert_int_equal(
        puan_routing_compile(&routing, f, NULL, 0, NULL, &forms, &err),
        PUAN_OK);
    for (uint64_t round = 0; round < rounds; round++) {
        struct puan_localise_weight weight[8];
        struct oracle o = { .f = f, .routing = routing, .a = &a };
        struct puan_localiser *l;
        struct puan_ruleset *rs;
        struct puan_str text;
        size_t n_weights = 0;

        seed_state = (seed + round) * 0x9e3779b97f4a7c15u + 3;
        puan_arena_reset(&a);
        text = rules(&a, 1 + rnd(4));
        if (puan_ruleset_compile(&rs, f, NULL, 0, &text, NULL, 1, &a, &err) !=
            PUAN_OK) {
            err = (struct puan_err){ 0 };
            continue;
        }
        o.rs = rs;
        for (uint16_t e = 0; e < 2; e++)
            for (uint16_t i = 0; i < f->entity[e].n_items; i++)
                weight[n_weights++] =
                    (struct puan_localise_weight){ e, i,
                                                   rnd(12) ? 1 + rnd(3) : 0 };
        assert_int_equal(puan_localiser_open(&l, rs, routing, f, weight,
                                             n_weights, &a, &err),
                         PUAN_OK);
        for (int k = 0; k < 4; k++) {
            struct puan_localise_options opt = { .seed = rnd(3) };
            struct puan_record raw, r;
            struct puan_localised got;

            fill(&raw, f, &a);
            copy_in(&r, &raw, &a);
            puan_routing_apply(routing, &r);
            o.was = &r;
            o.n = 0;
            for (uint16_t e = 0; e < 2; e++)
                for (uint32_t row = 0; row < r.rows[e].n; row++)
                    for (uint16_t i = 0; i < f->entity[e].n_items; i++)
                        o.cell[o.n++] =
                            (struct cell){ e, i, row,
                                           weight[e ? 3u + i : i].weight };
            copy_in(&o.now, &raw, &a);
            o.best = UINT64_MAX;
            o.tried = 0;
            enumerate(&o, 0, 0);
            tried += o.tried;
            assert_int_equal(puan_localise(&got, l, &r, &opt, &a, &err),
                             PUAN_OK);
            if (o.best == UINT64_MAX) {
                none++;
                if (got.state != PUAN_LOCALISE_IMPOSSIBLE)
                    fail_msg("seed %llu: state %d where nothing serves\n%.*s",
                             (unsigned long long)(seed + round), got.state,
                             PUAN_FMT(text));
                continue;
            }
            if (o.best == 0) {
                clean++;
                assert_int_equal(got.state, PUAN_LOCALISE_CLEAN);
                continue;
            }
            if (got.state != PUAN_LOCALISE_FOUND || got.weight != o.best)
                fail_msg("seed %llu: state %d, weight %llu, least %llu\n%.*s",
                         (unsigned long long)(seed + round), got.state,
                         (unsigned long long)got.weight,
                         (unsigned long long)o.best, PUAN_FMT(text));
            assert_int_equal(got.at_least, got.weight);
            check_repair(&got, &o, &raw, &r);
            found++;
            several += got.n_items > 1;
            fill_in(&got, &o, l, &raw, &r, &forced);
        }
    }
    print_message("%lu found (%lu of several answers), %lu impossible, %lu "
                  "clean; the oracle ran %lu returns\n",
                  found, several, none, clean, tried);
    assert_true(found > rounds / 2 && several > rounds / 8 && none > 10);
    puan_arena_clear(&a);
    puan_arena_clear(&forms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_hitting_sets),
        cmocka_unit_test(always_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
