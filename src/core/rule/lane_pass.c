/*
 * Which nodes are computed together: passes by stage (what is counted over a
 * whole level must be complete before it is read), and in a stage by the level
 * whose rows are split.
 */
#include "core/rule/lane.h"

#include "base/arena.h"

struct target {   /* a rule or a wide count */
    int32_t a, b; /* its nodes, -1 none */
    int entity, above;
    uint8_t stage;
    bool rule;
    uint16_t index;
    int root;
};

static void close_over(const struct puan_lanes *l, bool *need)
{
    for (int32_t i = l->n_nodes; i-- > 0;)
        for (unsigned k = 0; need[i] && k < l->node[i].n_kids; k++)
            need[l->node[i].kid[k]] = true;
}

/* The parent of the units that must stand whole in a block, or -1. */
static int unit_root(const struct puan_lanes *l, const bool *need)
{
    for (int32_t i = 0; i < l->n_nodes; i++)
        if (need[i] && (l->node[i].op == LN_UNIT || l->node[i].op == LN_AT))
            return l->frame->entity[l->node[i].y].parent;
    return -1;
}

static void want(const struct puan_lanes *l, bool *need, const struct target *t)
{
    if (t->a >= 0)
        need[t->a] = true;
    if (t->b >= 0)
        need[t->b] = true;
    close_over(l, need);
}

static enum puan_status finish(struct puan_lanes *l, struct lane_pass *p,
                               const bool *need, struct puan_err *err)
{
    size_t n = 0;

    for (int32_t i = 0; i < l->n_nodes; i++)
        n += need[i];
    p->node = puan_new_n(l->arena, n, int32_t);
    if (!p->node)
        return puan_arena_check(l->arena, err);
    p->in[p->root] = true;
    for (int32_t i = 0; i < l->n_nodes; i++) {
        const struct lane_node *x = &l->node[i];

        if (!need[i] || x->ent < 0)
            continue;
        p->node[p->n_nodes++] = i;
        p->in[x->ent] = true;
        if (x->op == LN_UNIT || x->op == LN_AT) {
            p->in[x->y] = true;
            p->in[l->frame->entity[x->y].parent] = true;
        }
    }
    return PUAN_OK;
}

static enum puan_status one_pass(struct puan_lanes *l, uint8_t stage, int root,
                                 const struct target *t, size_t n, bool *need,
                                 struct puan_err *err)
{
    struct lane_pass *p = &l->pass[l->n_passes++];

    *p = (struct lane_pass){ .stage = stage, .root = (int16_t)root };
    p->rule = puan_new_n(l->arena, n, uint16_t);
    p->wide = puan_new_n(l->arena, n, uint16_t);
    if (!p->rule || !p->wide)
        return puan_arena_check(l->arena, err);
    memset(need, 0, (size_t)l->n_nodes);
    for (size_t i = 0; i < n; i++) {
        if (t[i].stage != stage || t[i].root != root)
            continue;
        want(l, need, &t[i]);
        p->in[t[i].entity] = true;
        if (t[i].rule) {
            p->rule[p->n_rules++] = t[i].index;
        } else {
            p->wide[p->n_wides++] = t[i].index;
            p->in[t[i].above] = true;
        }
    }
    return finish(l, p, need, err);
}

static size_t targets(struct puan_lanes *l, struct target *t)
{
    size_t n = 0;

    for (size_t i = 0; i < l->rs->n && l->rule; i++)
        t[n++] = (struct target){ l->rule[i].when,   l->rule[i].check,
                                  l->rule[i].entity, -1,
                                  l->rule[i].stage,  true,
                                  (uint16_t)i,       -1 };
    for (size_t i = 0; i < l->n_wides; i++)
        t[n++] = (struct target){ l->wide[i].where, l->wide[i].of,
                                  l->wide[i].over,  l->wide[i].above,
                                  l->wide[i].stage, false,
                                  (uint16_t)i,      -1 };
    return n;
}

/* The expressions as one pass that is run on demand. */
static enum puan_status look_pass(struct puan_lanes *l, bool *need,
                                  struct puan_err *err)
{
    int root;

    memset(need, 0, (size_t)l->n_nodes);
    for (size_t i = 0; i < l->n_looks; i++)
        need[l->look[i]] = true;
    close_over(l, need);
    root = unit_root(l, need);
    l->looking =
        (struct lane_pass){ .root = (int16_t)(root < 0 ? l->entity : root) };
    l->looking.in[l->entity] = true;
    return finish(l, &l->looking, need, err);
}

enum puan_status lane_passes(struct puan_lanes *l, struct puan_err *err)
{
    size_t most = l->rs->n + l->n_wides + 1, n;
    struct target *t = puan_new_n(l->arena, most, struct target);
    bool *need = puan_new_n(l->arena, (size_t)l->n_nodes + 1, bool);
    enum puan_status st = PUAN_OK;
    unsigned last = 0;

    l->pass = puan_new_n(l->arena, most, struct lane_pass);
    if (!t || !need || !l->pass)
        return puan_arena_check(l->arena, err);
    n = targets(l, t);
    for (size_t i = 0; i < n; i++) {
        memset(need, 0, (size_t)l->n_nodes);
        want(l, need, &t[i]);
        t[i].root = unit_root(l, need);
        last = t[i].stage > last ? t[i].stage : last;
    }
    /* what needs no whole units goes along with what does */
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n && t[i].root < 0; k++)
            if (t[k].stage == t[i].stage && t[k].root >= 0 &&
                (t[i].entity == t[k].root ||
                 l->frame->entity[t[i].entity].parent == t[k].root))
                t[i].root = t[k].root;
    for (size_t i = 0; i < n; i++)
        if (t[i].root < 0)
            t[i].root = t[i].entity;
    for (unsigned s = 0; n > 0 && s <= last; s++)
        for (size_t i = 0; st == PUAN_OK && i < n; i++) {
            bool new_root = t[i].stage == s;

            for (size_t k = 0; k < i && new_root; k++)
                new_root = t[k].stage != s || t[k].root != t[i].root;
            if (new_root)
                st = one_pass(l, (uint8_t)s, t[i].root, t, n, need, err);
        }
    if (st == PUAN_OK && l->n_looks)
        st = look_pass(l, need, err);
    return st;
}

/* ---- what need not be looked at --------------------------------------------------- */

enum { NOBODY = -1, SEVERAL = -2 };

static void used_by(int32_t *user, int32_t n, int32_t who)
{
    if (n >= 0)
        user[n] = user[n] == NOBODY ? who : SEVERAL;
}

/*
 * A node that one other uses, as the right side of an `and` or as the check of
 * a rule with a `when`, matters only where the left side or the `when` is not
 * known to be false; and so does what it alone uses in the same rows.  Users
 * stand behind what they use.  `user` counts rules from n_nodes on.
 */
static int32_t guard_of(const struct puan_lanes *l, const int32_t *user,
                        int32_t i)
{
    int32_t u = user[i], g;

    if (u < 0)
        return -1;
    if (u >= l->n_nodes)
        g = l->rule[u - l->n_nodes].when;
    else if (l->node[u].op == LN_AND && l->node[u].kid[1] == i)
        g = l->node[u].kid[0];
    else if (l->node[u].ent == l->node[i].ent)
        g = l->guard[u];
    else
        g = -1;
    return g >= 0 && l->node[g].ent == l->node[i].ent ? g : -1;
}

enum puan_status lane_guards(struct puan_lanes *l, struct puan_err *err)
{
    size_t n = (size_t)l->n_nodes;
    int32_t *user = puan_new_n(l->arena, n + 1, int32_t);

    l->guard = puan_new_n(l->arena, n + 1, int32_t);
    if (!user || !l->guard)
        return puan_arena_check(l->arena, err);
    for (size_t i = 0; i < n; i++)
        user[i] = NOBODY;
    for (int32_t i = 0; i < l->n_nodes; i++)
        for (unsigned k = 0; l->used[i] && k < l->node[i].n_kids; k++)
            used_by(user, l->node[i].kid[k], i);
    for (size_t r = 0; r < l->rs->n && l->rule; r++) {
        used_by(user, l->rule[r].check, (int32_t)(n + r));
        if (l->rule[r].when >= 0)
            user[l->rule[r].when] = SEVERAL;
    }
    for (size_t i = 0; i < l->n_looks; i++)
        user[l->look[i]] = SEVERAL;
    for (size_t i = 0; i < l->n_wides; i++) {
        if (l->wide[i].where >= 0)
            user[l->wide[i].where] = SEVERAL;
        if (l->wide[i].of >= 0)
            user[l->wide[i].of] = SEVERAL;
    }
    for (int32_t i = l->n_nodes; i-- > 0;)
        l->guard[i] = guard_of(l, user, i);
    /* only what is computed before it can tell */
    for (int32_t i = 0; i < l->n_nodes; i++)
        if (l->guard[i] >= i || l->node[i].op != LN_ROW)
            l->guard[i] = -1;
    return PUAN_OK;
}

void lane_room(uint32_t *cap, struct puan_lanes *l, const struct lane_pass *p)
{
    const struct puan_frame *f = l->frame;

    for (int e = 0; e < (int)f->n_entities; e++) {
        uint32_t need = PUAN_LANES_ROWS;

        if (!p->in[e])
            continue;
        if (e != p->root && lane_above(f, p->root, e) &&
            lane_longest(l, e) > need)
            need = lane_longest(l, e);
        if (need > cap[e])
            cap[e] = need;
    }
}
