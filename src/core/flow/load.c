/*
 * Reads a workflow definition from its plan tree and proves it.  Never looks
 * at a run, never reads a clock.
 */
#include "base/calendar.h"
#include "base/near.h"
#include "core/flow/flow.h"

/* What is passed along while one definition is read. */
struct load {
    struct puan_flow *f;
    const struct puan_flow_env *env;
    const struct puan_node *tree;
    struct puan_arena *a;
    struct puan_err *err;
    /* arrays of f, still writable */
    struct puan_flow_field *fields;
    struct puan_flow_seat *seats;
    struct puan_flow_label *states, *evidence;
    struct puan_flow_transition *transitions;
    struct puan_flow_step *steps;
    struct puan_flow_approval *approvals;
    struct puan_flow_clock *clocks;
    struct puan_flow_report *reports;
    /* where each was defined */
    const struct puan_node *field_at[PUAN_FLOW_MAX], *seat_at[PUAN_FLOW_MAX],
        *state_at[PUAN_FLOW_MAX], *transition_at[PUAN_FLOW_MAX],
        *step_at[PUAN_FLOW_MAX], *approval_at[PUAN_FLOW_MAX],
        *clock_at[PUAN_FLOW_MAX];
};

#define BIT(i) ((puan_flow_set)1 << (unsigned)(i))
/* ---- look-ups --------------------------------------------------------- */

#define FINDER(function, array, count, member)                                 \
    int function(const struct puan_flow *f, struct puan_str name)              \
    {                                                                          \
        for (size_t i = 0; i < f->count; i++)                                  \
            if (puan_str_eq(f->array[i].member, name))                         \
                return (int)i;                                                 \
        return -1;                                                             \
    }
FINDER(puan_flow_state, states, n_states, name)
FINDER(puan_flow_transition, transitions, n_transitions, label.name)
FINDER(puan_flow_step, steps, n_steps, label.name)
FINDER(puan_flow_approval, approvals, n_approvals, label.name)
FINDER(puan_flow_clock, clocks, n_clocks, label.name)
FINDER(puan_flow_field, fields, n_fields, label.name)
FINDER(puan_flow_seat, seats, n_seats, label.name)
static FINDER(find_evidence, evidence, n_evidence, name)
static FINDER(find_report, reports, n_reports, label.name)

/* A kind of thing that is referred to by its name in the flow. */
struct kind {
    const char *what;
    int (*find)(const struct puan_flow *f, struct puan_str name);
    void (*near)(struct puan_near *near, const struct puan_flow *f);
};
#define KIND(id, what, find, array, count, member)                             \
    static void near_##id(struct puan_near *near, const struct puan_flow *f)   \
    {                                                                          \
        for (size_t i = 0; i < f->count; i++)                                  \
            puan_near_try(near, f->array[i].member);                           \
    }                                                                          \
    static const struct kind a_##id = { what, find, near_##id }
KIND(state, "state", puan_flow_state, states, n_states, name);
KIND(transition, "transition", puan_flow_transition, transitions,
     n_transitions, label.name);
KIND(step, "step", puan_flow_step, steps, n_steps, label.name);
KIND(approval, "approval", puan_flow_approval, approvals, n_approvals,
     label.name);
KIND(clock, "clock", puan_flow_clock, clocks, n_clocks, label.name);
KIND(field, "field", puan_flow_field, fields, n_fields, label.name);
KIND(seat, "seat", puan_flow_seat, seats, n_seats, label.name);
KIND(evidence, "kind of evidence", find_evidence, evidence, n_evidence, name);
KIND(report, "report", find_report, reports, n_reports, label.name);

/* ---- small readers ---------------------------------------------------- */

static bool name_ok(struct puan_str s)
{
    if (s.n == 0 || s.n > 64)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '_';

        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static enum puan_status check_name(struct load *l, const struct puan_node *n,
                                   struct puan_str s)
{
    if (name_ok(s))
        return PUAN_OK;
    return puan_node_fail(n, l->err,
                          "\"%.*s\" is no name; use letters, digits and _, "
                          "beginning with a letter",
                          PUAN_FMT(s));
}

static enum puan_status expect(struct load *l, const struct puan_node *n,
                               enum puan_node_kind kind, const char *what)
{
    if (n == NULL || n->kind == kind)
        return PUAN_OK;
    return puan_node_fail(n, l->err, "%.*s must be %s", PUAN_FMT(n->key), what);
}

static enum puan_status count_ok(struct load *l, const struct puan_node *n)
{
    if (n == NULL || n->n <= PUAN_FLOW_MAX)
        return PUAN_OK;
    return puan_node_fail(n, l->err,
                          "more than %d entries; split the flow in two",
                          PUAN_FLOW_MAX);
}

/* A scalar or a list of scalars, walked alike: the i-th, or NULL. */
static const struct puan_node *item(const struct puan_node *n, size_t i)
{
    if (n == NULL)
        return NULL;
    if (n->kind == PUAN_NODE_SCALAR)
        return i == 0 ? n : NULL;
    return n->kind == PUAN_NODE_LIST ? puan_node_at(n, i) : NULL;
}

static enum puan_status scalar(struct load *l, const struct puan_node *n)
{
    if (n == NULL)
        return puan_fail(l->err, PUAN_EBUG, l->f->file, "no node to read");
    if (n->kind == PUAN_NODE_SCALAR && n->text.n > 0)
        return PUAN_OK;
    return puan_node_fail(n, l->err, "expected a name here");
}

/* Checks that n is a name or a list of names. */
static enum puan_status names_ok(struct load *l, const struct puan_node *n)
{
    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_SCALAR && n->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, l->err, "%.*s must be a name or a list of "
                              "names",
                              PUAN_FMT(n->key));
    for (size_t i = 0;; i++) {
        const struct puan_node *it = item(n, i);

        if (it == NULL)
            return PUAN_OK;
        TRY(scalar(l, it));
    }
}

/* "no WHAT "name" WHERE", with the nearest there is, or else the remedy. */
static enum puan_status no_such(struct load *l, const struct puan_node *at,
                                const char *what, struct puan_near near,
                                const char *where, const char *remedy)
{
    if (near.name.n > 0)
        return puan_node_fail(at, l->err,
                              "no %s \"%.*s\" %s, did you mean \"%.*s\"", what,
                              PUAN_FMT(near.to), where, PUAN_FMT(near.name));
    return puan_node_fail(at, l->err, "no %s \"%.*s\" %s; %s", what,
                          PUAN_FMT(near.to), where, remedy);
}

static enum puan_status unknown(struct load *l, const struct puan_node *at,
                                struct puan_str name, const struct kind *kind)
{
    const struct puan_node *labels = puan_node_get(l->tree, "labels");
    struct puan_near near = puan_near_to(name);

    kind->near(&near, l->f);
    /* a state that has its words was taken out, or never put in */
    if (kind == &a_state && puan_node_get_s(labels, name) != NULL)
        return puan_node_fail(at, l->err,
                              "no state \"%.*s\" in this flow, though labels: "
                              "has words for it; name it in states: under "
                              "active, or under terminal when it ends the run",
                              PUAN_FMT(name));
    return no_such(l, at, kind->what, near, "in this flow",
                   "declare it or mend the name");
}

/* Names that must exist, as a set. */
static enum puan_status set_of(puan_flow_set *out, struct load *l,
                               const struct puan_node *n,
                               const struct kind *kind)
{
    TRY(names_ok(l, n));
    for (size_t i = 0;; i++) {
        const struct puan_node *it = item(n, i);
        int at;

        if (it == NULL)
            return PUAN_OK;
        at = kind->find(l->f, it->text);
        if (at < 0)
            return unknown(l, it, it->text, kind);
        *out |= BIT(at);
    }
}

static enum puan_status one_of(int *out, struct load *l,
                               const struct puan_node *n,
                               const struct kind *kind)
{
    *out = -1;
    if (n == NULL)
        return PUAN_OK;
    TRY(scalar(l, n));
    *out = kind->find(l->f, n->text);
    return *out >= 0 ? PUAN_OK : unknown(l, n, n->text, kind);
}

static enum puan_status texts_of(const struct puan_str **out, size_t *n_out,
                                 struct load *l, const struct puan_node *n)
{
    size_t count = 0;
    struct puan_str *list;

    TRY(names_ok(l, n));
    while (item(n, count) != NULL)
        count++;
    list = puan_new_n(l->a, count, struct puan_str);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++) {
        const struct puan_node *it = item(n, i);

        if (it != NULL)
            list[i] = it->text;
    }
    *out = list;
    *n_out = count;
    return PUAN_OK;
}

static void label_of(struct puan_flow_label *out, struct puan_str name,
                     const struct puan_node *map)
{
    out->name = name;
    out->zh = puan_node_str_opt(map, "zh", "");
    out->en = puan_node_str_opt(map, "en", "");
    if (out->zh.n == 0)
        out->zh = out->en.n > 0 ? out->en : name;
    if (out->en.n == 0)
        out->en = name;
}

static const struct puan_flow_setting *setting(const struct load *l,
                                               struct puan_str name)
{
    for (size_t i = 0; i < l->env->n_settings; i++)
        if (puan_str_eq(l->env->settings[i].name, name))
            return &l->env->settings[i];
    return NULL;
}

/* "setting.NAME" gives the setting's text, anything else itself. */
static enum puan_status resolve(struct puan_str *out, struct load *l,
                                const struct puan_node *n, struct puan_str s)
{
    const struct puan_flow_setting *found;

    *out = s;
    if (!puan_str_starts(s, "setting."))
        return PUAN_OK;
    s.p += 8;
    s.n -= 8;
    found = setting(l, s);
    if (found == NULL) {
        struct puan_near near = puan_near_to(s);

        for (size_t i = 0; i < l->env->n_settings; i++)
            puan_near_try(&near, l->env->settings[i].name);
        return no_such(l, n, "setting", near, "in the plan",
                       "give it a number under settings in plan.yaml");
    }
    *out = found->value;
    return PUAN_OK;
}

static enum puan_status duration(int64_t *ms, struct load *l,
                                 const struct puan_node *n)
{
    struct puan_str s;

    TRY(scalar(l, n));
    TRY(resolve(&s, l, n, n->text));
    if (puan_flow_duration(ms, s))
        return PUAN_OK;
    return puan_node_fail(n, l->err,
                          "\"%.*s\" is no length of time; write 30m, 24h, 2d "
                          "or a setting that holds one",
                          PUAN_FMT(s));
}

static enum puan_status guard(struct puan_expr **out, struct puan_str *text,
                              struct load *l, const struct puan_node *map,
                              size_t n_names)
{
    const struct puan_node *n = puan_node_get(map, "when");

    *out = NULL;
    if (n == NULL)
        return PUAN_OK;
    TRY(scalar(l, n));
    *text = n->text;
    return puan_expr_compile_scope(out, l->f->names, n_names, n->text, n->file,
                                   n->line, puan_node_text_col(n), l->a,
                                   l->err);
}

/* ---- head, seats, states, fields ------------------------------------- */

/* Where people look for it in a list of many. */
static enum puan_status read_group(struct load *l)
{
    static const char *const groups[] = { "event",    "secrecy", "conduct",
                                          "approval", "work",    "register" };

    l->f->group = puan_node_str_opt(l->tree, "group", "work");
    for (size_t i = 0; i < PUAN_COUNT(groups); i++)
        if (puan_str_is(l->f->group, groups[i]))
            return PUAN_OK;
    return puan_node_fail(puan_node_get(l->tree, "group"), l->err,
                          "no group \"%.*s\"; it is event, secrecy, conduct, "
                          "approval, work or register",
                          PUAN_FMT(l->f->group));
}

/* Among the registers: what keeps a stock or stands in their group, and what
 * says so itself (copies handed out, carriers of secrets). */
static enum puan_status read_register(struct load *l)
{
    bool is = puan_str_is(l->f->group, "register") || l->f->n_quantities > 0;

    return puan_node_bool(&l->f->is_register, l->tree, "register", is, l->err);
}

static const struct puan_flow_role *find_role(const struct load *l,
                                              struct puan_str name)
{
    for (size_t i = 0; i < l->env->n_roles; i++)
        if (puan_str_eq(l->env->roles[i].name, name))
            return &l->env->roles[i];
    return NULL;
}

static enum puan_status role_named(struct load *l, const struct puan_node *at,
                                   struct puan_str name)
{
    struct puan_near near = puan_near_to(name);

    if (find_role(l, name) != NULL)
        return PUAN_OK;
    for (size_t i = 0; i < l->env->n_roles; i++)
        puan_near_try(&near, l->env->roles[i].name);
    return no_such(l, at, "role", near, "in the plan",
                   "declare it under roles in plan.yaml");
}

static enum puan_status read_head(struct load *l)
{
    static const char *const keys[] = {
        "flow",     "version", "zh",          "en",          "owner",
        "subject",  "in_force", "clauses",    "fields",      "seats",
        "states",   "labels",  "evidence",    "facts",       "open",
        "transitions", "steps", "approvals",  "clocks",      "reports",
        "links",    "atomic",  "score",       "recurrence",  "quantities",
        "entered_by", "public", "gates", "issued", "group",
        "register", "attests", "notice", NULL
    };
    struct puan_str name, force;

    if (l->tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(l->tree, l->err,
                              "a flow is a map that begins with flow: NAME");
    TRY(puan_node_only(l->tree, keys, l->err));
    TRY(puan_node_str(&name, l->tree, "flow", l->err));
    TRY(check_name(l, puan_node_get(l->tree, "flow"), name));
    label_of(&l->f->label, name, l->tree);
    TRY(puan_node_int(&l->f->version, l->tree, "version", 1, 1000000, l->err));
    TRY(puan_node_str(&l->f->owner, l->tree, "owner", l->err));
    TRY(role_named(l, puan_node_get(l->tree, "owner"), l->f->owner));
    l->f->subject = puan_node_str_opt(l->tree, "subject", "area");
    if (!puan_str_is(l->f->subject, "area") &&
        !puan_str_is(l->f->subject, "lot") &&
        !puan_str_is(l->f->subject, "release") &&
        !puan_str_is(l->f->subject, "return"))
        return puan_node_fail(puan_node_get(l->tree, "subject"), l->err,
                              "subject must be area, lot, release or return");
    force = puan_node_str_opt(l->tree, "in_force", "issue");
    if (!puan_str_is(force, "issue") && !puan_str_is(force, "approval"))
        return puan_node_fail(puan_node_get(l->tree, "in_force"), l->err,
                              "in_force must be issue or approval");
    l->f->on_approval = puan_str_is(force, "approval");
    TRY(read_group(l));
    return texts_of(&l->f->clauses, &l->f->n_clauses, l,
                    puan_node_get(l->tree, "clauses"));
}

/* "role@own", "role@parent", "role@ancestor:LEVEL", "role@any" */
static enum puan_status read_seat(struct load *l, struct puan_flow_seat *s,
                                  const struct puan_node *n)
{
    static const char *const keys[] = { "seat", "zh", "en", NULL };
    struct puan_str text, head, rest;

    if (n->kind == PUAN_NODE_MAP) {
        TRY(puan_node_only(n, keys, l->err));
        TRY(puan_node_str(&text, n, "seat", l->err));
    } else {
        TRY(scalar(l, n));
        text = n->text;
    }
    TRY(check_name(l, n, n->key));
    label_of(&s->label, n->key, n->kind == PUAN_NODE_MAP ? n : NULL);
    rest = text;
    if (!puan_str_split(&head, &rest, '@') || rest.p == NULL || head.n == 0)
        return puan_node_fail(n, l->err,
                              "a seat is written role@own, role@parent, "
                              "role@ancestor:LEVEL or role@any");
    s->role = head;
    if (!puan_str_is(head, "any") && !puan_str_is(head, "system"))
        TRY(role_named(l, n, head));
    if (puan_str_is(rest, "own")) {
        s->reach = PUAN_FLOW_OWN;
    } else if (puan_str_is(rest, "parent")) {
        s->reach = PUAN_FLOW_PARENT;
    } else if (puan_str_is(rest, "any")) {
        s->reach = PUAN_FLOW_ANY;
    } else if (puan_str_starts(rest, "ancestor:")) {
        struct puan_near near;
        bool known = false;

        rest.p += 9;
        rest.n -= 9;
        TRY(resolve(&s->level, l, n, rest));
        near = puan_near_to(s->level);
        for (size_t i = 0; i < l->env->n_levels; i++) {
            known = known || puan_str_eq(l->env->levels[i], s->level);
            puan_near_try(&near, l->env->levels[i]);
        }
        if (!known)
            return no_such(l, n, "level", near, "in the plan",
                           "name one of levels in plan.yaml");
        s->reach = PUAN_FLOW_ANCESTOR;
    } else {
        return puan_node_fail(n, l->err,
                              "after @ write own, parent, ancestor:LEVEL or "
                              "any");
    }
    return PUAN_OK;
}

static enum puan_status read_seats(struct load *l)
{
    const struct puan_node *n = puan_node_get(l->tree, "seats");

    if (n == NULL || n->kind != PUAN_NODE_MAP || n->n == 0)
        return puan_node_fail(n ? n : l->tree, l->err,
                              "a flow needs seats: a map of seat names");
    TRY(count_ok(l, n));
    l->seats = puan_new_n(l->a, n->n, struct puan_flow_seat);
    l->f->seats = l->seats;
    PUAN_NODE_EACH(c, n) {
        size_t i = l->f->n_seats;

        if (l->seats == NULL)
            return puan_arena_check(l->a, l->err);
        TRY(read_seat(l, &l->seats[i], c));
        l->seat_at[i] = c;
        l->f->n_seats++;
    }
    return PUAN_OK;
}

/* Entries that hold what people read, and nothing else. */
static enum puan_status titles_only(struct load *l, const struct puan_node *map)
{
    static const char *const keys[] = { "zh", "en", NULL };

    PUAN_NODE_EACH(c, map)
        TRY(puan_node_only(c, keys, l->err));
    return PUAN_OK;
}

static enum puan_status add_state(struct load *l, const struct puan_node *n,
                                  int *at)
{
    const struct puan_node *labels = puan_node_get(l->tree, "labels");

    TRY(scalar(l, n));
    TRY(check_name(l, n, n->text));
    if (puan_flow_state(l->f, n->text) >= 0)
        return puan_node_fail(n, l->err,
                              "state \"%.*s\" is named twice; remove one: a state "
                              "is initial, active or terminal, not two of "
                              "them",
                              PUAN_FMT(n->text));
    if (l->f->n_states == PUAN_FLOW_MAX)
        return puan_node_fail(n, l->err,
                              "more than %d states; split the flow in two",
                              PUAN_FLOW_MAX);
    *at = (int)l->f->n_states;
    label_of(&l->states[*at], n->text, puan_node_get_s(labels, n->text));
    l->state_at[*at] = n;
    l->f->n_states++;
    return PUAN_OK;
}

/* Words for a state that is in no list: misspelt, or taken out of states. */
static enum puan_status no_state(struct load *l, const struct puan_node *label)
{
    struct puan_near near = puan_near_to(label->key);
    bool used = false;

    PUAN_NODE_EACH(t, puan_node_get(l->tree, "transitions"))
    {
        const struct puan_node *to = puan_node_get(t, "to");

        used = used || (to != NULL && puan_str_eq(to->text, label->key));
    }
    near_state(&near, l->f);
    if (used)
        return puan_fail_at(l->err, PUAN_EINVAL, label->file, label->key_line,
                            label->key_col,
                            "a transition leads to \"%.*s\", which states: does "
                            "not have; name it there under active, or under "
                            "terminal when it ends the run",
                            PUAN_FMT(label->key));
    if (near.name.n > 0)
        return puan_fail_at(l->err, PUAN_EINVAL, label->file, label->key_line,
                            label->key_col,
                            "labels name the state \"%.*s\", which does not "
                            "exist, did you mean \"%.*s\"",
                            PUAN_FMT(label->key), PUAN_FMT(near.name));
    return puan_fail_at(l->err, PUAN_EINVAL, label->file, label->key_line,
                        label->key_col,
                        "labels name the state \"%.*s\", which does not exist; "
                        "add it to states: or take it out",
                        PUAN_FMT(label->key));
}

static enum puan_status read_states(struct load *l)
{
    static const char *const keys[] = { "initial", "active", "terminal", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "states");
    const struct puan_node *labels = puan_node_get(l->tree, "labels");
    const struct puan_node *part;
    int at;

    if (n == NULL || n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n ? n : l->tree, l->err,
                              "a flow needs states: {initial, active, "
                              "terminal}");
    TRY(puan_node_only(n, keys, l->err));
    TRY(expect(l, labels, PUAN_NODE_MAP, "a map from state to {zh, en}"));
    l->states = puan_new_n(l->a, PUAN_FLOW_MAX, struct puan_flow_label);
    l->f->states = l->states;
    if (l->states == NULL)
        return puan_arena_check(l->a, l->err);
    part = puan_node_get(n, "initial");
    if (part == NULL)
        return puan_node_fail(n, l->err, "states need an initial state");
    TRY(add_state(l, part, &l->f->initial));
    part = puan_node_get(n, "active");
    TRY(names_ok(l, part));
    for (size_t i = 0; item(part, i) != NULL; i++) {
        TRY(add_state(l, item(part, i), &at));
        l->f->active |= BIT(at);
    }
    part = puan_node_get(n, "terminal");
    TRY(names_ok(l, part));
    for (size_t i = 0; item(part, i) != NULL; i++) {
        TRY(add_state(l, item(part, i), &at));
        l->f->terminal |= BIT(at);
    }
    if (l->f->terminal == 0)
        return puan_node_fail(n, l->err,
                              "no terminal state, so that no run ever ends; "
                              "name one: terminal: [closed]");
    TRY(titles_only(l, labels));
    PUAN_NODE_EACH(c, labels) {
        if (puan_flow_state(l->f, c->key) < 0)
            return no_state(l, c);
    }
    return PUAN_OK;
}

static enum puan_status word_list(const struct puan_codelist **out,
                                  struct load *l, struct puan_str name,
                                  const struct puan_str *words, size_t n)
{
    struct puan_codelist *list = puan_new(l->a, struct puan_codelist);
    struct puan_code *codes = puan_new_n(l->a, n, struct puan_code);

    if (list == NULL || codes == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < n; i++) {
        codes[i].value = (int64_t)i;
        codes[i].text = words[i];
        codes[i].zh = words[i];
        codes[i].en = words[i];
    }
    list->name = name;
    list->codes = codes;
    list->n = n;
    *out = list;
    return PUAN_OK;
}

static const struct puan_str no_yes[2] = { { "no", 2 }, { "yes", 3 } };

/* The words of an `of:` list, each a name, none twice. */
static enum puan_status read_words(const struct puan_codelist **out,
                                   struct load *l, const struct puan_node *map)
{
    const struct puan_node *of = puan_node_get(map, "of");
    const struct puan_node *labels = puan_node_get(map, "words");
    const struct puan_str *words;
    struct puan_code *codes;
    size_t n;

    if (of == NULL || of->kind != PUAN_NODE_LIST || of->n == 0)
        return puan_node_fail(of ? of : map, l->err,
                              "an enum needs of: [word, ...]");
    TRY(texts_of(&words, &n, l, of));
    for (size_t i = 0; i < n; i++) {
        TRY(check_name(l, puan_node_at(of, i), words[i]));
        for (size_t k = 0; k < i; k++)
            if (puan_str_eq(words[i], words[k]))
                return puan_node_fail(puan_node_at(of, i), l->err,
                                      "\"%.*s\" stands twice in the list; remove one",
                                      PUAN_FMT(words[i]));
    }
    TRY(word_list(out, l, map->key, words, n));
    /* words: {technical: {zh: ..., en: ...}} gives what people read */
    TRY(expect(l, labels, PUAN_NODE_MAP, "a map from word to {zh, en}"));
    TRY(titles_only(l, labels));
    PUAN_NODE_EACH(c, labels) {
        size_t i = 0;

        while (i < n && !puan_str_eq(words[i], c->key))
            i++;
        if (i == n)
            return puan_fail_at(l->err, PUAN_EINVAL, c->file, c->key_line,
                                c->key_col,
                                "words name \"%.*s\", which is not in of:; add "
                                "it there or mend the name",
                                PUAN_FMT(c->key));
    }
    codes = puan_new_n(l->a, n, struct puan_code);
    if (codes == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < n; i++) {
        struct puan_flow_label label;

        codes[i] = (*out)->codes[i];
        label_of(&label, words[i], puan_node_get_s(labels, words[i]));
        codes[i].zh = label.zh;
        codes[i].en = label.en;
    }
    {
        struct puan_codelist *list = puan_new(l->a, struct puan_codelist);

        if (list == NULL)
            return puan_arena_check(l->a, l->err);
        *list = **out;
        list->codes = codes;
        *out = list;
    }
    return PUAN_OK;
}

static enum puan_status read_field(struct load *l, struct puan_flow_field *f,
                                   const struct puan_node *n)
{
    static const char *const keys[] = { "type", "of",   "words", "required_at",
                                        "secret", "by", "min",   "max",
                                        "zh",   "en",   "shown_to", NULL };
    static const char *const types[] = { "text", "int",  "enum", "bool",
                                         "time", "area", "ref" };
    struct puan_str type;
    size_t t;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, l->err, "a field is a map with a type");
    TRY(check_name(l, n, n->key));
    TRY(puan_node_only(n, keys, l->err));
    label_of(&f->label, n->key, n);
    TRY(puan_node_str(&type, n, "type", l->err));
    for (t = 0; t < PUAN_COUNT(types); t++)
        if (puan_str_is(type, types[t]))
            break;
    if (t == PUAN_COUNT(types))
        return puan_node_fail(puan_node_get(n, "type"), l->err,
                              "no field type \"%.*s\"; use text, int, enum, "
                              "bool, time, area or ref",
                              PUAN_FMT(type));
    f->type = (enum puan_flow_type)t;
    f->min = 0;
    f->max = INT64_C(999999999999999999);
    if (f->type == PUAN_FLOW_TEXT || f->type == PUAN_FLOW_REF) {
        f->min = 1;
        f->max = f->type == PUAN_FLOW_TEXT ? 4000 : 200;
    }
    if (puan_node_get(n, "min") != NULL)
        TRY(puan_node_int(&f->min, n, "min", INT64_C(-999999999999999999),
                          INT64_C(999999999999999999), l->err));
    if (puan_node_get(n, "max") != NULL)
        TRY(puan_node_int(&f->max, n, "max", f->min,
                          INT64_C(999999999999999999), l->err));
    TRY(puan_node_bool(&f->secret, n, "secret", false, l->err));
    if (f->type == PUAN_FLOW_ENUM)
        TRY(read_words(&f->words, l, n));
    else if (f->type == PUAN_FLOW_BOOL)
        TRY(word_list(&f->words, l, n->key, no_yes, 2));
    if (f->type != PUAN_FLOW_ENUM && puan_node_get(n, "of") != NULL)
        return puan_node_fail(puan_node_get(n, "of"), l->err,
                              "of: belongs to fields of type enum; remove "
                              "it");
    TRY(set_of(&f->shown_to, l, puan_node_get(n, "shown_to"), &a_seat));
    if (f->shown_to != 0 && !f->secret)
        return puan_node_fail(puan_node_get(n, "shown_to"), l->err,
                              "shown_to: names seats that read a secret field "
                              "without clearance; add secret: true, or remove "
                              "it");
    return set_of(&f->by, l, puan_node_get(n, "by"), &a_seat);
}

static enum puan_status read_fields(struct load *l)
{
    const struct puan_node *n = puan_node_get(l->tree, "fields");

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map of fields"));
    TRY(count_ok(l, n));
    l->fields = puan_new_n(l->a, n->n, struct puan_flow_field);
    l->f->fields = l->fields;
    PUAN_NODE_EACH(c, n) {
        if (l->fields == NULL)
            return puan_arena_check(l->a, l->err);
        TRY(read_field(l, &l->fields[l->f->n_fields], c));
        l->field_at[l->f->n_fields] = c;
        l->f->n_fields++;
    }
    return PUAN_OK;
}

static enum puan_status read_evidence(struct load *l)
{
    const struct puan_node *n = puan_node_get(l->tree, "evidence");

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map of kinds of evidence"));
    TRY(titles_only(l, n));
    TRY(count_ok(l, n));
    l->evidence = puan_new_n(l->a, n->n, struct puan_flow_label);
    l->f->evidence = l->evidence;
    PUAN_NODE_EACH(c, n) {
        if (l->evidence == NULL)
            return puan_arena_check(l->a, l->err);
        TRY(check_name(l, c, c->key));
        TRY(expect(l, c, PUAN_NODE_MAP, "a map {zh, en}"));
        label_of(&l->evidence[l->f->n_evidence++], c->key, c);
    }
    return PUAN_OK;
}

/*
 * Guards see, in this order: the fields, the declared facts, state, drill and
 * hours_open.  run.c fills the values in the same order.
 */
static enum puan_status read_facts(struct load *l)
{
    static const char *const keys[] = { "type", "of", "words", "zh", "en",
                                        "metric", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "facts");
    size_t n_facts = n ? n->n : 0, k = 0;
    struct puan_flow_fact *facts;
    struct puan_scope_name *names;
    struct puan_str states[PUAN_FLOW_MAX];

    TRY(expect(l, n, PUAN_NODE_MAP, "a map of facts"));
    TRY(count_ok(l, n));
    facts = puan_new_n(l->a, n_facts, struct puan_flow_fact);
    names = puan_new_n(l->a, l->f->n_fields + n_facts + 3,
                       struct puan_scope_name);
    if (facts == NULL || names == NULL)
        return puan_arena_check(l->a, l->err);
    for (; k < l->f->n_fields; k++) {
        names[k].name = l->f->fields[k].label.name;
        names[k].words = l->f->fields[k].words;
    }
    PUAN_NODE_EACH(c, n) {
        struct puan_flow_fact *f = &facts[l->f->n_facts];
        struct puan_str type;

        TRY(expect(l, c, PUAN_NODE_MAP, "a map with a type"));
        TRY(check_name(l, c, c->key));
        TRY(puan_node_only(c, keys, l->err));
        TRY(puan_node_str(&type, c, "type", l->err));
        if (puan_flow_field(l->f, c->key) >= 0)
            return puan_node_fail(c, l->err,
                                  "\"%.*s\" is a field already; name the fact "
                                  "otherwise",
                                  PUAN_FMT(c->key));
        f->name = f->zh = f->en = c->key;
        if (puan_node_get(c, "zh") != NULL)
            TRY(puan_node_str(&f->zh, c, "zh", l->err));
        if (puan_node_get(c, "en") != NULL)
            TRY(puan_node_str(&f->en, c, "en", l->err));
        if (puan_str_is(type, "enum"))
            TRY(read_words(&f->words, l, c));
        else if (puan_str_is(type, "bool"))
            TRY(word_list(&f->words, l, c->key, no_yes, 2));
        else if (!puan_str_is(type, "int"))
            return puan_node_fail(puan_node_get(c, "type"), l->err,
                                  "a fact must be an int, enum or bool");
        f->metric = puan_node_str_opt(c, "metric", "");
        if (f->metric.n > 0 && f->words != NULL)
            return puan_node_fail(puan_node_get(c, "metric"), l->err,
                                  "a metric is a number; write type: int");
        names[k].name = c->key;
        names[k++].words = f->words;
        l->f->n_facts++;
    }
    for (size_t i = 0; i < l->f->n_states; i++)
        states[i] = l->f->states[i].name;
    names[k].name = PUAN_STR("state");
    TRY(word_list(&names[k++].words, l, PUAN_STR("state"), states,
                  l->f->n_states));
    names[k].name = PUAN_STR("drill");
    TRY(word_list(&names[k++].words, l, PUAN_STR("drill"), no_yes, 2));
    names[k++].name = PUAN_STR("hours_open");
    for (size_t i = 0; i < k; i++)
        for (size_t j = k - 3; j < k; j++)
            if (i < j && puan_str_eq(names[i].name, names[j].name))
                return puan_node_fail(
                    i < l->f->n_fields ? l->field_at[i] : n, l->err,
                    "\"%.*s\" is a name of the engine; choose another",
                    PUAN_FMT(names[i].name));
    l->f->facts = facts;
    l->f->names = names;
    l->f->n_names = k;
    return PUAN_OK;
}

/* ---- first pass: names of what refers to each other ------------------- */

/* A list of maps with an id each, or a map of maps named by their keys. */
static enum puan_status name_all(struct load *l, const char *key, bool list,
                                 const struct puan_node **at, size_t *n_out,
                                 struct puan_str names[PUAN_FLOW_MAX])
{
    const struct puan_node *n = puan_node_get(l->tree, key);
    size_t k = 0;

    TRY(expect(l, n, list ? PUAN_NODE_LIST : PUAN_NODE_MAP,
               list ? "a list of maps with an id" : "a map of named entries"));
    TRY(count_ok(l, n));
    PUAN_NODE_EACH(c, n) {
        const struct puan_node *id = c;

        if (c->kind != PUAN_NODE_MAP)
            return puan_node_fail(c, l->err,
                                  list ? "expected a map with an id"
                                       : "expected a map here");
        names[k] = c->key;
        if (list) {
            TRY(puan_node_str(&names[k], c, "id", l->err));
            id = puan_node_get(c, "id");
        }
        TRY(check_name(l, id, names[k]));
        for (size_t i = 0; list && i < k; i++)
            if (puan_str_eq(names[i], names[k]))
                return puan_node_fail(id, l->err,
                                      "\"%.*s\" is defined twice in %s; "
                                      "rename one",
                                      PUAN_FMT(names[k]), key);
        if (at != NULL)
            at[k] = c;
        k++;
    }
    *n_out = k;
    return PUAN_OK;
}

static enum puan_status read_names(struct load *l)
{
    struct puan_str names[PUAN_FLOW_MAX];
    size_t n;

#define NAMED(list, key, at, member, count, T)                                 \
    TRY(name_all(l, key, list, at, &n, names));                                \
    l->member = puan_new_n(l->a, n, T);                                        \
    if (l->member == NULL)                                                     \
        return puan_arena_check(l->a, l->err);                                 \
    for (size_t i = 0; i < n; i++)                                             \
        l->member[i].label.name = names[i];                                    \
    l->f->member = l->member;                                                  \
    l->f->count = n

    NAMED(true, "transitions", l->transition_at, transitions, n_transitions,
          struct puan_flow_transition);
    NAMED(true, "steps", l->step_at, steps, n_steps, struct puan_flow_step);
    NAMED(false, "approvals", l->approval_at, approvals, n_approvals,
          struct puan_flow_approval);
    NAMED(false, "clocks", l->clock_at, clocks, n_clocks,
          struct puan_flow_clock);
    NAMED(false, "reports", NULL, reports, n_reports, struct puan_flow_report);
#undef NAMED
    if (l->f->n_transitions == 0)
        return puan_node_fail(l->tree, l->err,
                              "a flow needs transitions: a list");
    return PUAN_OK;
}

/* ---- second pass ------------------------------------------------------ */

/* Workflows of the plan. */
static enum puan_status flow_names(struct load *l, const struct puan_str *names,
                                   size_t n, const struct puan_node *at)
{
    if (l->env->flows == NULL)
        return PUAN_OK;
    for (size_t i = 0; i < n; i++) {
        struct puan_near near = puan_near_to(names[i]);
        bool found = false;

        for (size_t k = 0; k < l->env->n_flows; k++) {
            found = found || puan_str_eq(l->env->flows[k], names[i]);
            puan_near_try(&near, l->env->flows[k]);
        }
        if (!found)
            return no_such(l, at, "flow", near, "in the plan",
                           "add it under flows/ or mend the name");
    }
    return PUAN_OK;
}

/* "notify:SEAT", "report:REPORT", "open:FLOW", "call:NAME", ... */
static enum puan_status effect(struct load *l, struct puan_flow_effect *out,
                               const struct puan_node *n)
{
    struct puan_str head, rest;
    const struct kind *kind = NULL;

    TRY(scalar(l, n));
    rest = n->text;
    if (!puan_str_split(&head, &rest, ':') || rest.p == NULL || rest.n == 0)
        return puan_node_fail(n, l->err,
                              "an effect is written notify:SEAT, "
                              "report:REPORT, open:FLOW, call:NAME, "
                              "unlock:STEP or void:APPROVAL");
    out->index = -1;
    out->name = rest;
    if (puan_str_is(head, "notify")) {
        out->kind = PUAN_FLOW_NOTIFY;
        kind = &a_seat;
    } else if (puan_str_is(head, "report")) {
        out->kind = PUAN_FLOW_SEND;
        kind = &a_report;
    } else if (puan_str_is(head, "unlock")) {
        out->kind = PUAN_FLOW_UNLOCK;
        kind = &a_step;
    } else if (puan_str_is(head, "void")) {
        out->kind = PUAN_FLOW_VOID;
        kind = &a_approval;
    } else if (puan_str_is(head, "open")) {
        out->kind = PUAN_FLOW_SPAWN;
    } else if (puan_str_is(head, "call")) {
        out->kind = PUAN_FLOW_CALL;
        return check_name(l, n, rest);
    } else {
        return puan_node_fail(n, l->err,
                              "no effect \"%.*s\"; use notify, report, open, "
                              "call, unlock or void",
                              PUAN_FMT(head));
    }
    if (kind != NULL) {
        out->index = kind->find(l->f, rest);
        return out->index >= 0 ? PUAN_OK : unknown(l, n, rest, kind);
    }
    return flow_names(l, &rest, 1, n);
}

static enum puan_status effects(const struct puan_flow_effect **out,
                                size_t *n_out, struct load *l,
                                const struct puan_node *n, bool atomic)
{
    size_t count = 0;
    struct puan_flow_effect *list;

    TRY(names_ok(l, n));
    while (item(n, count) != NULL)
        count++;
    if (count > 16)
        return puan_node_fail(n, l->err, "more than 16 effects");
    list = puan_new_n(l->a, count, struct puan_flow_effect);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++) {
        const struct puan_node *it = item(n, i);

        if (it == NULL)
            break;
        TRY(effect(l, &list[i], it));
        list[i].atomic = atomic;
    }
    *out = list;
    *n_out = count;
    return PUAN_OK;
}

static enum puan_status read_report(struct load *l, struct puan_flow_report *r,
                                    const struct puan_node *n)
{
    static const char *const keys[] = { "to", "fields", "skip_level", "zh",
                                        "en", NULL };
    static const char *const skip_keys[] = { "reason", "copy_to", NULL };
    const struct puan_node *skip = puan_node_get(n, "skip_level");

    TRY(puan_node_only(n, keys, l->err));
    label_of(&r->label, n->key, n);
    TRY(one_of(&r->to, l, puan_node_get(n, "to"), &a_seat));
    if (r->to < 0)
        return puan_node_fail(n, l->err, "a report needs to: SEAT");
    TRY(set_of(&r->fields, l, puan_node_get(n, "fields"), &a_field));
    r->skip_reason = r->skip_copy = -1;
    if (skip == NULL)
        return PUAN_OK;
    TRY(expect(l, skip, PUAN_NODE_MAP, "a map {reason, copy_to}"));
    TRY(puan_node_only(skip, skip_keys, l->err));
    TRY(one_of(&r->skip_reason, l, puan_node_get(skip, "reason"),
               &a_field));
    TRY(one_of(&r->skip_copy, l, puan_node_get(skip, "copy_to"),
               &a_seat));
    if (r->skip_reason < 0 || r->skip_copy < 0)
        return puan_node_fail(skip, l->err,
                              "skip_level needs reason: FIELD and copy_to: "
                              "SEAT, so that a skip is never silent");
    return PUAN_OK;
}

static enum puan_status read_states_of(puan_flow_set *out, struct load *l,
                                       const struct puan_node *n)
{
    puan_flow_set all = BIT(l->f->initial) | l->f->active;

    if (n != NULL && n->kind == PUAN_NODE_SCALAR && puan_str_is(n->text, "any")) {
        *out = all;
        return PUAN_OK;
    }
    TRY(set_of(out, l, n, &a_state));
    if (*out & l->f->terminal)
        return puan_node_fail(n, l->err,
                              "nothing happens in a terminal state; make it "
                              "active or take it out");
    return PUAN_OK;
}

static enum puan_status read_approval(struct load *l,
                                      struct puan_flow_approval *p,
                                      const struct puan_node *n)
{
    static const char *const keys[] = { "rule",     "n",        "seats",
                                        "asked_by", "not_requester", "states",
                                        "covers",   "void_on_change",
                                        "expires",  "zh",       "en",
                                        NULL };
    const struct puan_node *seats = puan_node_get(n, "seats");
    const struct puan_node *expires = puan_node_get(n, "expires");
    struct puan_str rule;
    size_t count = 0;
    int *list;

    TRY(puan_node_only(n, keys, l->err));
    label_of(&p->label, n->key, n);
    TRY(puan_node_str(&rule, n, "rule", l->err));
    TRY(names_ok(l, seats));
    while (item(seats, count) != NULL)
        count++;
    if (count == 0 || count > 8)
        return puan_node_fail(n, l->err, "an approval needs 1 to 8 seats");
    list = puan_new_n(l->a, count, int);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++)
        TRY(one_of(&list[i], l, item(seats, i), &a_seat));
    p->seats = list;
    p->n_seats = count;
    if (puan_str_is(rule, "one")) {
        p->rule = PUAN_FLOW_ONE;
        p->n = 1;
    } else if (puan_str_is(rule, "all")) {
        p->rule = PUAN_FLOW_ALL;
        p->n = count;
    } else if (puan_str_is(rule, "sequence")) {
        p->rule = PUAN_FLOW_SEQUENCE;
        p->n = count;
    } else if (puan_str_is(rule, "n")) {
        int64_t need;

        p->rule = PUAN_FLOW_N;
        TRY(puan_node_int(&need, n, "n", 1, 8, l->err));
        p->n = (size_t)need;
    } else {
        return puan_node_fail(puan_node_get(n, "rule"), l->err,
                              "no rule \"%.*s\"; use one, all, n or sequence",
                              PUAN_FMT(rule));
    }
    if (p->rule != PUAN_FLOW_N && puan_node_get(n, "n") != NULL)
        return puan_node_fail(puan_node_get(n, "n"), l->err,
                              "n: belongs to rule: n; remove it");
    TRY(puan_node_bool(&p->not_requester, n, "not_requester", true, l->err));
    TRY(puan_node_bool(&p->void_on_change, n, "void_on_change", true, l->err));
    TRY(set_of(&p->covers, l, puan_node_get(n, "covers"), &a_field));
    TRY(set_of(&p->asked_by, l, puan_node_get(n, "asked_by"), &a_seat));
    p->states = BIT(l->f->initial) | l->f->active;
    if (puan_node_get(n, "states") != NULL) {
        p->states = 0;
        TRY(read_states_of(&p->states, l, puan_node_get(n, "states")));
    }
    if (expires != NULL)
        TRY(duration(&p->expires_ms, l, expires));
    if (!p->not_requester && p->n < 2)
        return puan_node_fail(n, l->err,
                              "one person could approve what he asked for; "
                              "set not_requester: true or ask for two "
                              "signatures");
    return PUAN_OK;
}

static bool ends_with(struct puan_str s, const char *tail, struct puan_str *head)
{
    size_t n = strlen(tail);

    if (s.n <= n || memcmp(s.p + s.n - n, tail, n) != 0)
        return false;
    head->p = s.p;
    head->n = s.n - n;
    return true;
}

static enum puan_status when_of(struct load *l, struct puan_flow_when *out,
                                const struct puan_node *n)
{
    struct puan_str s = n->text, head;

    if (puan_str_is(s, "open") || puan_str_is(s, "event.time")) {
        out->kind = PUAN_FLOW_ON_OPEN;
        out->index = 0;
    } else if (puan_str_is(s, "take")) {
        out->kind = PUAN_FLOW_ON_TAKE;
        out->index = 0;
    } else if (puan_str_starts(s, "step.")) {
        out->kind = PUAN_FLOW_ON_STEP;
        s.p += 5;
        s.n -= 5;
        out->index = puan_flow_step(l->f, s);
    } else if (puan_str_starts(s, "field.")) {
        out->kind = PUAN_FLOW_ON_FIELD;
        s.p += 6;
        s.n -= 6;
        out->index = puan_flow_field(l->f, s);
        if (out->index >= 0 &&
            l->f->fields[out->index].type != PUAN_FLOW_TIME)
            return puan_node_fail(n, l->err,
                                  "a clock can start at a field of type time "
                                  "only");
    } else if (ends_with(s, ".due", &head)) {
        out->kind = PUAN_FLOW_ON_DUE;
        out->index = puan_flow_clock(l->f, head);
    } else {
        out->kind = PUAN_FLOW_ON_TRANSITION;
        out->index = puan_flow_transition(l->f, s);
    }
    if (out->index < 0)
        return puan_node_fail(n, l->err,
                              "\"%.*s\" is not open, take, a transition, step.NAME, "
                              "field.NAME or CLOCK.due of this flow; "
                              "mend the name",
                              PUAN_FMT(n->text));
    return PUAN_OK;
}

static enum puan_status whens(const struct puan_flow_when **out, size_t *n_out,
                              struct load *l, const struct puan_node *n)
{
    size_t count = 0;
    struct puan_flow_when *list;

    TRY(names_ok(l, n));
    while (item(n, count) != NULL)
        count++;
    list = puan_new_n(l->a, count, struct puan_flow_when);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++) {
        const struct puan_node *it = item(n, i);

        if (it == NULL)
            break;
        TRY(when_of(l, &list[i], it));
    }
    *out = list;
    *n_out = count;
    return PUAN_OK;
}

/* limit: 24h | setting.NAME | field.NAME (minutes) */
static enum puan_status read_limit(struct load *l, struct puan_flow_clock *c,
                                   const struct puan_node *n)
{
    const struct puan_node *limit = puan_node_get(n, "limit");
    const struct puan_node *at = puan_node_get(n, "at");

    c->limit_ms = -1;
    c->at_field = c->limit_field = -1;
    if ((limit == NULL) == (at == NULL))
        return puan_node_fail(n, l->err,
                              "a clock needs a number: limit: 24h, "
                              "limit: setting.NAME or at: a time field");
    if (at != NULL) {
        TRY(one_of(&c->at_field, l, at, &a_field));
        if (l->f->fields[c->at_field].type != PUAN_FLOW_TIME)
            return puan_node_fail(at, l->err,
                                  "at: must name a field of type time");
        return PUAN_OK;
    }
    TRY(scalar(l, limit));
    c->limit_text = limit->text;
    if (puan_str_starts(limit->text, "field.")) {
        struct puan_str s = { limit->text.p + 6, limit->text.n - 6 };

        c->limit_field = puan_flow_field(l->f, s);
        if (c->limit_field < 0 ||
            l->f->fields[c->limit_field].type != PUAN_FLOW_INT)
            return puan_node_fail(limit, l->err,
                                  "no integer field \"%.*s\" to take the "
                                  "minutes from; declare it or mend the name",
                                  PUAN_FMT(s));
        return PUAN_OK;
    }
    return duration(&c->limit_ms, l, limit);
}

static enum puan_status read_clock(struct load *l, struct puan_flow_clock *c,
                                   const struct puan_node *n)
{
    static const char *const keys[] = { "start",   "stop",  "limit", "at",
                                        "calendar", "warn", "overdue",
                                        "every",   "retry", "restart",
                                        "when",    "on_due", "on_refused",
                                        "zh",      "en",    NULL };
    const struct puan_node *warn = puan_node_get(n, "warn");
    const struct puan_node *ladder = puan_node_get(n, "overdue");
    const struct puan_node *every = puan_node_get(n, "every");
    const struct puan_node *retry = puan_node_get(n, "retry");
    struct puan_str calendar = puan_node_str_opt(n, "calendar", "real");
    size_t count = 0;
    int64_t *warns;
    int *rungs;

    TRY(puan_node_only(n, keys, l->err));
    label_of(&c->label, n->key, n);
    TRY(whens(&c->start, &c->n_start, l, puan_node_get(n, "start")));
    TRY(whens(&c->stop, &c->n_stop, l, puan_node_get(n, "stop")));
    if (c->n_start == 0)
        return puan_node_fail(n, l->err, "a clock needs start:");
    TRY(read_limit(l, c, n));
    if (!puan_str_is(calendar, "real") && !puan_str_is(calendar, "office"))
        return puan_node_fail(puan_node_get(n, "calendar"), l->err,
                              "calendar must be real or office");
    c->office = puan_str_is(calendar, "office");
    if (c->office && l->f->hours == NULL)
        return puan_node_fail(puan_node_get(n, "calendar"), l->err,
                              "the plan has no office hours; add office_hours "
                              "to plan.yaml or use calendar: real");
    TRY(names_ok(l, warn));
    while (item(warn, count) != NULL)
        count++;
    warns = puan_new_n(l->a, count, int64_t);
    if (warns == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++) {
        TRY(duration(&warns[i], l, item(warn, i)));
        if ((i > 0 && warns[i] <= warns[i - 1]) ||
            (c->limit_ms >= 0 && warns[i] >= c->limit_ms))
            return puan_node_fail(item(warn, i), l->err,
                                  "warnings must rise and come before the "
                                  "limit");
    }
    c->warn = warns;
    c->n_warn = count;
    TRY(names_ok(l, ladder));
    for (count = 0; item(ladder, count) != NULL;)
        count++;
    rungs = puan_new_n(l->a, count, int);
    if (rungs == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < count; i++)
        TRY(one_of(&rungs[i], l, item(ladder, i), &a_seat));
    c->ladder = rungs;
    c->n_ladder = count;
    if (every != NULL)
        TRY(duration(&c->every_ms, l, every));
    if (count > 1 && c->every_ms <= 0)
        return puan_node_fail(n, l->err,
                              "an overdue ladder of several rungs needs "
                              "every: the time between two of them");
    if (retry != NULL) {
        TRY(duration(&c->retry_ms, l, retry));
        if (c->retry_ms < 1000)
            return puan_node_fail(retry, l->err, "retry must be at least 1s");
    }
    TRY(puan_node_bool(&c->restart, n, "restart", false, l->err));
    TRY(effects(&c->on_due, &c->n_on_due, l, puan_node_get(n, "on_due"),
                false));
    TRY(effects(&c->on_refused, &c->n_on_refused, l,
                puan_node_get(n, "on_refused"), false));
    /* the due time must follow from the run alone: fields, no facts */
    return guard(&c->when, &c->when_text, l, n, l->f->n_fields);
}

struct needs {
    puan_flow_set fields, evidence, steps;
    bool all_steps;
    int approval;
    const struct puan_str *none_open;
    size_t n_none_open;
};

static enum puan_status read_needs(struct needs *out, struct load *l,
                                   const struct puan_node *map)
{
    static const char *const keys[] = { "fields", "evidence", "steps",
                                        "approval", "none_open", NULL };
    const struct puan_node *n = puan_node_get(map, "needs");
    const struct puan_node *steps;

    *out = (struct needs){ .approval = -1 };
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map"));
    TRY(puan_node_only(n, keys, l->err));
    TRY(set_of(&out->fields, l, puan_node_get(n, "fields"), &a_field));
    TRY(set_of(&out->evidence, l, puan_node_get(n, "evidence"), &a_evidence));
    steps = puan_node_get(n, "steps");
    if (steps != NULL && steps->kind == PUAN_NODE_SCALAR &&
        puan_str_is(steps->text, "required"))
        out->all_steps = true;
    else
        TRY(set_of(&out->steps, l, steps, &a_step));
    TRY(one_of(&out->approval, l, puan_node_get(n, "approval"),
               &a_approval));
    TRY(texts_of(&out->none_open, &out->n_none_open, l,
                 puan_node_get(n, "none_open")));
    for (size_t i = 0; i < out->n_none_open; i++)
        if (!puan_str_is(out->none_open[i], "estimate"))
            TRY(flow_names(l, &out->none_open[i], 1,
                           item(puan_node_get(n, "none_open"), i)));
    return PUAN_OK;
}

static enum puan_status read_transition(struct load *l,
                                        struct puan_flow_transition *t,
                                        const struct puan_node *n)
{
    static const char *const keys[] = { "id",   "from",    "to",     "by",
                                        "needs", "sets",   "when",   "effects",
                                        "report", "zh",    "en",     NULL };
    const struct puan_node *from = puan_node_get(n, "from");
    const struct puan_node *to = puan_node_get(n, "to");
    const struct puan_node *by = puan_node_get(n, "by");
    struct needs needs;

    TRY(puan_node_only(n, keys, l->err));
    label_of(&t->label, t->label.name, n);
    if (from == NULL || to == NULL || by == NULL)
        return puan_node_fail(n, l->err,
                              "transition \"%.*s\" needs from, to and by",
                              PUAN_FMT(t->label.name));
    TRY(read_states_of(&t->from, l, from));
    if (to->kind == PUAN_NODE_SCALAR && puan_str_is(to->text, "same"))
        t->to = -1;
    else
        TRY(one_of(&t->to, l, to, &a_state));
    t->clock = -1;
    if (by->kind == PUAN_NODE_SCALAR && puan_str_starts(by->text, "clock.")) {
        struct puan_str s = { by->text.p + 6, by->text.n - 6 };

        t->clock = puan_flow_clock(l->f, s);
        if (t->clock < 0)
            return unknown(l, by, s, &a_clock);
    } else {
        TRY(set_of(&t->by, l, by, &a_seat));
    }
    TRY(read_needs(&needs, l, n));
    t->needs_fields |= needs.fields;
    t->needs_evidence = needs.evidence;
    t->needs_steps = needs.steps;
    t->all_steps = needs.all_steps;
    t->approval = needs.approval;
    t->none_open = needs.none_open;
    t->n_none_open = needs.n_none_open;
    TRY(set_of(&t->may_fields, l, puan_node_get(n, "sets"), &a_field));
    TRY(one_of(&t->report, l, puan_node_get(n, "report"), &a_report));
    if (t->report >= 0) {
        t->needs_fields |= l->f->reports[t->report].fields;
        if (l->f->reports[t->report].skip_reason >= 0)
            t->may_fields |= BIT(l->f->reports[t->report].skip_reason);
    }
    TRY(effects(&t->effects, &t->n_effects, l, puan_node_get(n, "effects"),
                false));
    return guard(&t->when, &t->when_text, l, n, l->f->n_names);
}

static enum puan_status read_step(struct load *l, struct puan_flow_step *s,
                                  const struct puan_node *n)
{
    static const char *const keys[] = { "id",    "authority", "by",
                                        "ordered_by", "states", "after",
                                        "needs", "sets",      "optional",
                                        "opens_at", "when",   "evidence",
                                        "zh",    "en",        NULL };
    const struct puan_node *opens = puan_node_get(n, "opens_at");
    struct puan_str authority;
    struct needs needs;

    TRY(puan_node_only(n, keys, l->err));
    label_of(&s->label, s->label.name, n);
    TRY(puan_node_str(&authority, n, "authority", l->err));
    if (!puan_str_is(authority, "own") && !puan_str_is(authority, "order"))
        return puan_node_fail(puan_node_get(n, "authority"), l->err,
                              "authority must be own (opens at once) or order "
                              "(opens by order)");
    s->own_authority = puan_str_is(authority, "own");
    TRY(set_of(&s->by, l, puan_node_get(n, "by"), &a_seat));
    if (s->by == 0)
        return puan_node_fail(n, l->err, "a step needs by: SEAT");
    TRY(set_of(&s->ordered_by, l, puan_node_get(n, "ordered_by"),
               &a_seat));
    if (puan_node_get(n, "states") == NULL)
        s->states = BIT(l->f->initial) | l->f->active;
    else
        TRY(read_states_of(&s->states, l, puan_node_get(n, "states")));
    TRY(set_of(&s->after, l, puan_node_get(n, "after"), &a_step));
    TRY(puan_node_bool(&s->optional, n, "optional", false, l->err));
    TRY(read_needs(&needs, l, n));
    if (needs.all_steps || needs.steps || needs.n_none_open)
        return puan_node_fail(puan_node_get(n, "needs"), l->err,
                              "a step needs fields, evidence or an approval; "
                              "for other steps write after:");
    s->needs_fields |= needs.fields;
    s->needs_evidence = needs.evidence;
    s->approval = needs.approval;
    TRY(set_of(&s->needs_evidence, l, puan_node_get(n, "evidence"),
               &a_evidence));
    TRY(set_of(&s->may_fields, l, puan_node_get(n, "sets"), &a_field));
    s->opens_due = -1;
    if (opens != NULL) {
        struct puan_str head;

        TRY(scalar(l, opens));
        if (ends_with(opens->text, ".due", &head))
            s->opens_due = puan_flow_clock(l->f, head);
        if (s->opens_due < 0)
            return puan_node_fail(opens, l->err,
                                  "opens_at is written CLOCK.due");
    }
    return guard(&s->when, &s->when_text, l, n, l->f->n_names);
}

static enum puan_status read_open(struct load *l)
{
    static const char *const keys[] = { "by", "fields", "sets", "effects",
                                        NULL };
    const struct puan_node *n = puan_node_get(l->tree, "open");

    if (n == NULL || n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n ? n : l->tree, l->err,
                              "a flow needs open: {by: SEAT, fields: [...]}, "
                              "who may begin a run");
    TRY(puan_node_only(n, keys, l->err));
    TRY(set_of(&l->f->open_by, l, puan_node_get(n, "by"), &a_seat));
    if (l->f->open_by == 0)
        return puan_node_fail(n, l->err, "open needs by: SEAT");
    TRY(set_of(&l->f->open_needs, l, puan_node_get(n, "fields"),
               &a_field));
    TRY(set_of(&l->f->open_may, l, puan_node_get(n, "sets"), &a_field));
    TRY(effects(&l->f->open_effects, &l->f->n_open_effects, l,
                puan_node_get(n, "effects"), false));
    return set_of(&l->f->enters, l, puan_node_get(l->tree, "entered_by"),
                  &a_seat);
}

static enum puan_status read_offers(struct load *l, const struct puan_node *n,
                                    const struct puan_codelist *words)
{
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_LIST, "a list of words of the kind"));
    PUAN_NODE_EACH(c, n) {
        size_t i = 0;

        while (i < words->n && !puan_str_eq(words->codes[i].text, c->text))
            i++;
        if (i == words->n)
            return puan_node_fail(c, l->err,
                                  "public: offers names words of the kind's "
                                  "of:; \"%.*s\" is none of them",
                                  PUAN_FMT(c->text));
        l->f->public_offers |= BIT(i);
    }
    return PUAN_OK;
}

/*
 * public: {as: report|help, kind: FIELD, offers: [WORD], text: FIELD, contact:
 * FIELD, answer: FIELD}: anybody may open a run.  What he writes and how to
 * reach him is sealed; the kind is a word of a list, so that it may stand in the
 * open; `offers` are its words for those without an account.  The answer, once
 * the run has ended, is shown to whoever has the receipt.
 */
static enum puan_status read_public(struct load *l)
{
    static const char *const keys[] = { "as",      "kind",   "offers", "text",
                                        "contact", "answer", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "public");
    struct puan_flow *f = l->f;
    struct puan_str as;
    puan_flow_set need, title = 0;
    bool system = false;
    int at;

    f->public_kind = f->public_text = f->public_contact = -1;
    f->public_answer = -1;
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {kind, text, contact}"));
    TRY(puan_node_only(n, keys, l->err));
    as = puan_node_str_opt(n, "as", "report");
    f->public_help = puan_str_is(as, "help");
    if (!f->public_help && !puan_str_is(as, "report"))
        return puan_node_fail(puan_node_get(n, "as"), l->err,
                              "public: as is report or help");
    if (puan_node_get(n, "answer") != NULL)
        TRY(one_of(&f->public_answer, l, puan_node_get(n, "answer"),
                   &a_field));
    if (f->public_answer >= 0 &&
        f->fields[f->public_answer].type != PUAN_FLOW_TEXT)
        return puan_node_fail(puan_node_get(n, "answer"), l->err,
                              "public: answer is a field of type text");
    TRY(one_of(&f->public_kind, l, puan_node_get(n, "kind"), &a_field));
    TRY(one_of(&f->public_text, l, puan_node_get(n, "text"), &a_field));
    TRY(one_of(&f->public_contact, l, puan_node_get(n, "contact"),
               &a_field));
    if (f->public_kind < 0 || f->public_text < 0 || f->public_contact < 0)
        return puan_node_fail(n, l->err,
                              "public needs kind:, text: and contact:");
    if (f->fields[f->public_kind].type != PUAN_FLOW_ENUM ||
        f->fields[f->public_text].type != PUAN_FLOW_TEXT ||
        f->fields[f->public_contact].type != PUAN_FLOW_TEXT)
        return puan_node_fail(n, l->err,
                              "public: kind is of type enum, text and contact "
                              "of type text");
    if (!f->fields[f->public_text].secret ||
        !f->fields[f->public_contact].secret)
        return puan_node_fail(n, l->err,
                              "public: text and contact must be secret: true");
    TRY(read_offers(l, puan_node_get(n, "offers"),
                    f->fields[f->public_kind].words));
    need = BIT(f->public_kind) | BIT(f->public_text);
    at = puan_flow_field(f, PUAN_STR("title"));
    if (at >= 0 && f->fields[at].type == PUAN_FLOW_TEXT)
        title = BIT(at); /* filled with the words of the kind */
    if ((f->open_needs & ~(need | title)) != 0 ||
        ((need | BIT(f->public_contact)) & ~(f->open_needs | f->open_may)) != 0)
        return puan_node_fail(n, l->err,
                              "public: opening must take kind, text and "
                              "contact and need nothing else but a title");
    for (size_t i = 0; i < f->n_seats; i++)
        system = system || (PUAN_FLOW_HAS(f->open_by, i) &&
                            puan_str_is(f->seats[i].role, "system"));
    if (!system)
        return puan_node_fail(n, l->err,
                              "public: open needs a seat system@any, through "
                              "which it is entered");
    return PUAN_OK;
}

/* required_at: [TRANSITION, step.STEP, open] */
static enum puan_status read_required(struct load *l)
{
    for (size_t i = 0; i < l->f->n_fields; i++) {
        const struct puan_node *n =
            puan_node_get(l->field_at[i], "required_at");

        TRY(names_ok(l, n));
        for (size_t k = 0;; k++) {
            const struct puan_node *it = item(n, k);
            int t, s = -1;

            if (it == NULL)
                break;
            t = puan_flow_transition(l->f, it->text);
            if (puan_str_is(it->text, "open")) {
                l->f->open_needs |= BIT(i);
                continue;
            }
            if (t < 0 && puan_str_starts(it->text, "step.")) {
                struct puan_str name = { it->text.p + 5, it->text.n - 5 };

                s = puan_flow_step(l->f, name);
            }
            if (t < 0 && s < 0)
                return puan_node_fail(it, l->err,
                                      "required_at names \"%.*s\", which is "
                                      "not open, a transition or step.NAME; "
                                      "mend the name",
                                      PUAN_FMT(it->text));
            if (t >= 0)
                l->transitions[t].needs_fields |= BIT(i);
            else
                l->steps[s].needs_fields |= BIT(i);
        }
    }
    return PUAN_OK;
}

static enum puan_status read_links(struct load *l)
{
    static const char *const keys[] = { "opens", "blocks", "outranks", NULL };
    static const char *const block_keys[] = { "flow", "transition", "until",
                                              NULL };
    const struct puan_node *n = puan_node_get(l->tree, "links");
    const struct puan_node *blocks = puan_node_get(n, "blocks");
    struct puan_flow_block *list;

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {opens, blocks, outranks}"));
    TRY(puan_node_only(n, keys, l->err));
    TRY(texts_of(&l->f->opens, &l->f->n_opens, l, puan_node_get(n, "opens")));
    TRY(flow_names(l, l->f->opens, l->f->n_opens, n));
    TRY(texts_of(&l->f->outranks, &l->f->n_outranks, l,
                 puan_node_get(n, "outranks")));
    TRY(flow_names(l, l->f->outranks, l->f->n_outranks, n));
    TRY(expect(l, blocks, PUAN_NODE_LIST,
               "a list of {flow, transition, until}"));
    list = puan_new_n(l->a, blocks ? blocks->n : 0, struct puan_flow_block);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, blocks) {
        struct puan_flow_block *b = &list[l->f->n_blocks];

        TRY(expect(l, c, PUAN_NODE_MAP, "a map"));
        TRY(puan_node_only(c, block_keys, l->err));
        TRY(puan_node_str(&b->flow, c, "flow", l->err));
        TRY(flow_names(l, &b->flow, 1, c));
        TRY(puan_node_str(&b->transition, c, "transition", l->err));
        TRY(one_of(&b->until, l, puan_node_get(c, "until"),
                   &a_approval));
        l->f->n_blocks++;
    }
    l->f->blocks = list;
    return PUAN_OK;
}

static enum puan_status read_atomic(struct load *l)
{
    static const char *const keys[] = { "on", "when", "do", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "atomic");
    struct puan_flow_atomic *list;

    TRY(expect(l, n, PUAN_NODE_LIST, "a list of {on, when, do}"));
    TRY(count_ok(l, n));
    list = puan_new_n(l->a, n ? n->n : 0, struct puan_flow_atomic);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, n) {
        struct puan_flow_atomic *at = &list[l->f->n_atomics];

        TRY(expect(l, c, PUAN_NODE_MAP, "a map"));
        TRY(puan_node_only(c, keys, l->err));
        TRY(one_of(&at->on, l, puan_node_get(c, "on"), &a_transition));
        TRY(effects(&at->effects, &at->n_effects, l, puan_node_get(c, "do"),
                    true));
        if (at->on < 0 || at->n_effects == 0)
            return puan_node_fail(c, l->err,
                                  "atomic needs on: TRANSITION and do: "
                                  "[effects]");
        TRY(guard(&at->when, &at->when_text, l, c, l->f->n_names));
        l->f->n_atomics++;
    }
    l->f->atomics = list;
    return PUAN_OK;
}

/* gates: [{id, zh, en, when | evidence | approval | at | clear, by, do_zh}] */
static enum puan_status read_gates(struct load *l)
{
    static const char *const keys[] = { "id", "zh", "en", "when", "evidence",
                                        "approval", "at", "clear", "by",
                                        "do_zh", "do_en", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "gates");
    struct puan_flow_gate *list;
    size_t k = 0;

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_LIST, "a list of gates"));
    TRY(count_ok(l, n));
    list = puan_new_n(l->a, n->n, struct puan_flow_gate);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, n) {
        struct puan_flow_gate *g = &list[k++];
        struct puan_str id;

        TRY(puan_node_only(c, keys, l->err));
        TRY(puan_node_str(&id, c, "id", l->err));
        TRY(check_name(l, c, id));
        for (size_t i = 0; i + 1 < k; i++)
            if (puan_str_eq(list[i].label.name, id))
                return puan_node_fail(puan_node_get(c, "id"), l->err,
                                      "\"%.*s\" is defined twice in gates; "
                                      "rename one",
                                      PUAN_FMT(id));
        label_of(&g->label, id, c);
        TRY(guard(&g->when, &g->when_text, l, c, l->f->n_names));
        TRY(set_of(&g->papers, l, puan_node_get(c, "evidence"), &a_evidence));
        TRY(one_of(&g->approval, l, puan_node_get(c, "approval"),
                   &a_approval));
        TRY(one_of(&g->at_field, l, puan_node_get(c, "at"), &a_field));
        TRY(one_of(&g->clear, l, puan_node_get(c, "clear"),
                   &a_transition));
        TRY(set_of(&g->by, l, puan_node_get(c, "by"), &a_seat));
        g->do_zh = puan_node_str_opt(c, "do_zh", "");
        g->do_en = puan_node_str_opt(c, "do_en", "");
        if ((g->when != NULL) + (g->papers != 0) + (g->approval >= 0) +
                (g->at_field >= 0) + (g->clear >= 0) !=
            1)
            return puan_node_fail(c, l->err,
                                  "a gate must have one of when, evidence, approval, "
                                  "at, clear");
        if (g->at_field >= 0 &&
            l->f->fields[g->at_field].type != PUAN_FLOW_TIME)
            return puan_node_fail(c, l->err, "at: must name a field of type time");
        if (g->do_zh.n == 0)
            return puan_node_fail(c, l->err,
                                  "a gate says what opens it: do_zh, do_en");
        if (g->do_en.n == 0)
            g->do_en = g->do_zh;
    }
    l->f->gates = list;
    l->f->n_gates = k;
    return PUAN_OK;
}

static enum puan_status read_score(struct load *l)
{
    static const char *const keys[] = { "feeds", "veto", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "score");

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {feeds, veto}"));
    TRY(puan_node_only(n, keys, l->err));
    l->f->score.veto = puan_node_str_opt(n, "veto", "");
    return texts_of(&l->f->score.feeds, &l->f->score.n_feeds, l,
                    puan_node_get(n, "feeds"));
}

/* The clock that opens the next run; it stands after the flow's own. */
static enum puan_status recurrence_clock(struct load *l,
                                         const struct puan_node *n)
{
    struct puan_flow *f = l->f;
    struct puan_flow_clock *c, *list;
    struct puan_flow_effect *open;
    struct puan_flow_when *start;
    bool system = false;

    for (size_t i = 0; i < f->n_seats; i++)
        system = system || (PUAN_FLOW_HAS(f->open_by, i) &&
                            puan_str_is(f->seats[i].role, "system"));
    if (!system)
        return puan_node_fail(n, l->err,
                              "Puan opens the next run of a flow that recurs; "
                              "add a seat system@any to open: by");
    if (puan_flow_clock(f, PUAN_STR("recurrence")) >= 0)
        return puan_node_fail(n, l->err,
                              "the clock of a recurrence is called "
                              "\"recurrence\"; give the flow's own clock "
                              "another name");
    if (f->n_clocks == PUAN_FLOW_MAX)
        return puan_node_fail(n, l->err,
                              "the recurrence needs a clock, and there are %d "
                              "already; take one out",
                              PUAN_FLOW_MAX);
    list = puan_new_n(l->a, f->n_clocks + 1, struct puan_flow_clock);
    open = puan_new(l->a, struct puan_flow_effect);
    start = puan_new(l->a, struct puan_flow_when);
    if (list == NULL || open == NULL || start == NULL)
        return puan_arena_check(l->a, l->err);
    for (size_t i = 0; i < f->n_clocks; i++)
        list[i] = f->clocks[i];
    start->kind = PUAN_FLOW_ON_OPEN;
    open->kind = PUAN_FLOW_SPAWN;
    open->name = f->label.name;
    c = &list[f->n_clocks];
    c->label = (struct puan_flow_label){ .name = PUAN_STR("recurrence"),
                                         .zh = PUAN_STR("下一次"),
                                         .en = PUAN_STR("Next one opens") };
    c->start = start;
    c->n_start = 1;
    TRY(whens(&c->stop, &c->n_stop, l, puan_node_get(n, "stop")));
    c->at_field = c->limit_field = -1;
    c->limit_ms = f->recurrence.every_ms;
    c->on_due = open;
    c->n_on_due = 1;
    f->recurrence.clock = (int)f->n_clocks;
    l->clock_at[f->n_clocks++] = n;
    f->clocks = list;
    return PUAN_OK;
}

static enum puan_status read_recurrence(struct load *l)
{
    static const char *const keys[] = { "every", "at", "stop", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "recurrence");
    struct puan_flow_recurrence *r = &l->f->recurrence;
    int64_t hour = 8, minute = 0;

    r->clock = -1;
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {every, at}"));
    TRY(puan_node_only(n, keys, l->err));
    TRY(puan_node_str(&r->every, n, "every", l->err));
    r->at = puan_node_str_opt(n, "at", "");
    if (r->at.n > 0 &&
        (r->at.n != 5 || r->at.p[2] != ':' ||
         !puan_int_parse(&hour, (struct puan_str){ r->at.p, 2 }) ||
         !puan_int_parse(&minute, (struct puan_str){ r->at.p + 3, 2 }) ||
         hour < 0 || hour > 23 || minute < 0 || minute > 59))
        return puan_node_fail(puan_node_get(n, "at"), l->err,
                              "at is a time of the day; write at: \"08:30\"");
    r->at_minute = (int)(hour * 60 + minute);
    if (!puan_str_is(r->every, "day") && !puan_str_is(r->every, "week") &&
        !puan_str_is(r->every, "month")) {
        TRY(duration(&r->every_ms, l, puan_node_get(n, "every")));
        if (r->every_ms < 60000)
            return puan_node_fail(puan_node_get(n, "every"), l->err,
                                  "a flow recurs every minute at most; write "
                                  "every: day, week, month or a longer time");
        if (r->at.n > 0)
            return puan_node_fail(puan_node_get(n, "at"), l->err,
                                  "at goes with every: day, week or month; "
                                  "take it out");
    }
    return recurrence_clock(l, n);
}

static enum puan_status day_of(int64_t *ms, struct load *l,
                               const struct puan_node *map, const char *key)
{
    const struct puan_node *n = puan_node_get(map, key);
    int offset = l->env->hours ? l->env->hours->offset_minutes : 0;
    int64_t day;

    *ms = 0;
    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_SCALAR || !puan_day_parse(&day, n->text))
        return puan_node_fail(n, l->err, "%s must be a day like 2020-11-01", key);
    *ms = (day * 1440 - offset) * 60000;
    return PUAN_OK;
}

/* issued: {interpreter: ROLE, effective: DAY, approved: DAY, trial, part_of} */
static enum puan_status read_issued(struct load *l)
{
    static const char *const keys[] = { "interpreter", "effective", "approved",
                                        "trial", "part_of", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "issued");
    struct puan_flow_issued *i = &l->f->issued;

    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {interpreter, effective}"));
    TRY(puan_node_only(n, keys, l->err));
    if (puan_node_get(n, "interpreter") == NULL ||
        puan_node_get(n, "effective") == NULL)
        return puan_node_fail(n, l->err,
                              "an issued plan must name its interpreter (a role) "
                              "and the day it is effective from");
    TRY(puan_node_str(&i->interpreter, n, "interpreter", l->err));
    TRY(role_named(l, puan_node_get(n, "interpreter"), i->interpreter));
    TRY(day_of(&i->effective_ms, l, n, "effective"));
    TRY(day_of(&i->approved_ms, l, n, "approved"));
    TRY(puan_node_bool(&i->trial, n, "trial", false, l->err));
    i->part_of = puan_node_str_opt(n, "part_of", "");
    return PUAN_OK;
}

/* attests: {who: FIELD, in: [STATE], records: {NAME: CONDITION}} */
static enum puan_status read_attests(struct load *l)
{
    static const char *const keys[] = { "who", "in", "records", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "attests");
    const struct puan_node *records = puan_node_get(n, "records");
    struct puan_flow_attests *x = &l->f->attests;
    struct puan_flow_record *list;

    x->who = -1;
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {who, in, records}"));
    TRY(puan_node_only(n, keys, l->err));
    TRY(one_of(&x->who, l, puan_node_get(n, "who"), &a_field));
    if (x->who < 0 || !PUAN_FLOW_HAS(l->f->open_needs, x->who) ||
        l->f->fields[x->who].secret ||
        (l->f->fields[x->who].type != PUAN_FLOW_TEXT &&
         l->f->fields[x->who].type != PUAN_FLOW_REF))
        return puan_node_fail(n, l->err,
                              "who: must name an open field of type ref or "
                              "text that is required at open and holds the "
                              "account");
    TRY(set_of(&x->in, l, puan_node_get(n, "in"), &a_state));
    if (x->in == 0)
        return puan_node_fail(n, l->err,
                              "in: must name the states in which the records "
                              "stand");
    if (records == NULL || records->kind != PUAN_NODE_MAP || records->n == 0 ||
        records->n > PUAN_FLOW_RECORDS)
        return puan_node_fail(records ? records : n, l->err,
                              "records: must be a map of 1 to %d names, each "
                              "with the condition under which it stands",
                              PUAN_FLOW_RECORDS);
    list = puan_new_n(l->a, records->n, struct puan_flow_record);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, records) {
        struct puan_flow_record *r = &list[x->n++];

        r->name = c->key;
        if (c->kind == PUAN_NODE_NULL)
            continue;
        TRY(scalar(l, c));
        r->when_text = c->text;
        TRY(puan_expr_compile_scope(&r->when, l->f->names, l->f->n_names,
                                    c->text, c->file, c->line,
                                    puan_node_text_col(c), l->a, l->err));
    }
    x->record = list;
    return PUAN_OK;
}

static puan_flow_set notice_fields(const struct puan_flow_notice *x)
{
    const int all[] = { x->title, x->text,  x->title_en, x->text_en,
                        x->kind,  x->about, x->about_en };
    puan_flow_set set = 0;

    for (size_t i = 0; i < PUAN_COUNT(all); i++)
        if (all[i] >= 0)
            set |= BIT(all[i]);
    return set;
}

/*
 * Nothing is said to everybody that was not approved word for word: who comes
 * to a state in which the notice stands, or changes a word of it there, does
 * so under an approval that covers all of it.
 */
static enum puan_status prove_notice(const struct load *l,
                                     const struct puan_node *n)
{
    const struct puan_flow *f = l->f;
    const struct puan_flow_notice *x = &f->notice;
    puan_flow_set words = notice_fields(x);

    if (PUAN_FLOW_HAS(x->in, f->initial))
        return puan_node_fail(n, l->err,
                              "in: a notice does not stand from the start; it "
                              "is approved first");
    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];
        const struct puan_flow_approval *a =
            t->approval >= 0 ? &f->approvals[t->approval] : NULL;
        bool to = t->to >= 0 ? PUAN_FLOW_HAS(x->in, t->to)
                             : (t->from & x->in) != 0;
        bool comes = to && t->to >= 0 && (t->from & ~x->in) != 0;
        bool changes = to && ((t->needs_fields | t->may_fields) & words) != 0;

        if ((comes || changes) && (a == NULL || !a->void_on_change ||
                                   (words & ~a->covers) != 0))
            return puan_node_fail(
                n, l->err,
                "transition %.*s makes the notice public: it needs an approval "
                "that covers every field of the notice and has void_on_change",
                PUAN_FMT(t->label.name));
    }
    for (size_t i = 0; i < f->n_steps; i++)
        if ((f->steps[i].states & x->in) != 0 &&
            ((f->steps[i].needs_fields | f->steps[i].may_fields) & words) != 0)
            return puan_node_fail(n, l->err,
                                  "step %.*s would change a notice that "
                                  "already stands",
                                  PUAN_FMT(f->steps[i].label.name));
    return PUAN_OK;
}

/*
 * notice: {in: [STATE], over: [STATE], title: FIELD, text: FIELD, title_en:
 * FIELD, text_en: FIELD, kind: FIELD, about: FIELD, about_en: FIELD}
 */
static enum puan_status read_notice(struct load *l)
{
    static const char *const keys[] = { "in",       "over",     "title",
                                        "text",     "title_en", "text_en",
                                        "kind",     "about",    "about_en",
                                        NULL };
    const struct puan_node *n = puan_node_get(l->tree, "notice");
    struct puan_flow_notice *x = &l->f->notice;
    struct {
        const char *key;
        int *at;
        bool must;
    } of[] = {
        { "title", &x->title, true },       { "text", &x->text, true },
        { "title_en", &x->title_en, false }, { "text_en", &x->text_en, false },
        { "kind", &x->kind, false },        { "about", &x->about, false },
        { "about_en", &x->about_en, false },
    };

    for (size_t i = 0; i < PUAN_COUNT(of); i++)
        *of[i].at = -1;
    if (n == NULL)
        return PUAN_OK;
    TRY(expect(l, n, PUAN_NODE_MAP, "a map {in, title, text, ...}"));
    TRY(puan_node_only(n, keys, l->err));
    for (size_t i = 0; i < PUAN_COUNT(of); i++) {
        const struct puan_node *at = puan_node_get(n, of[i].key);
        enum puan_flow_type want =
            of[i].at == &x->kind ? PUAN_FLOW_ENUM : PUAN_FLOW_TEXT;

        TRY(one_of(of[i].at, l, at, &a_field));
        if (*of[i].at < 0 && !of[i].must)
            continue;
        if (*of[i].at < 0 || l->f->fields[*of[i].at].type != want ||
            l->f->fields[*of[i].at].secret)
            return puan_node_fail(at ? at : n, l->err,
                                  "%s: must name an open field of type %s",
                                  of[i].key,
                                  want == PUAN_FLOW_ENUM ? "enum" : "text");
    }
    TRY(set_of(&x->in, l, puan_node_get(n, "in"), &a_state));
    TRY(set_of(&x->over, l, puan_node_get(n, "over"), &a_state));
    if (x->in == 0 || (x->in & x->over) != 0)
        return puan_node_fail(n, l->err,
                              "in: must name the states in which the notice "
                              "stands, none of them also under over:");
    return prove_notice(l, n);
}

/* {zh: 件, en: pieces}: a page of either language says what is counted. */
static enum puan_status unit_of(struct puan_flow_quantity *q, struct load *l,
                                const struct puan_node *n)
{
    static const char *const keys[] = { "zh", "en", NULL };

    if (n == NULL)
        return PUAN_OK;
    if (n->kind == PUAN_NODE_MAP) {
        TRY(puan_node_only(n, keys, l->err));
        q->unit_zh = puan_node_str_opt(n, "zh", "");
        q->unit_en = puan_node_str_opt(n, "en", "");
    }
    if (q->unit_zh.n == 0 || q->unit_en.n == 0)
        return puan_node_fail(n, l->err,
                              "a unit is said in both languages: unit: {zh: "
                              "件, en: pieces}");
    return PUAN_OK;
}

static enum puan_status read_quantities(struct load *l)
{
    static const char *const keys[] = { "unit", "in", "out", "field", "of",
                                        "zh",   "en", NULL };
    const struct puan_node *n = puan_node_get(l->tree, "quantities");
    struct puan_flow_quantity *list;

    TRY(expect(l, n, PUAN_NODE_MAP, "a map of quantities"));
    TRY(count_ok(l, n));
    if (n != NULL && n->n > PUAN_FLOW_QUANTITIES)
        return puan_node_fail(n, l->err,
                              "a flow keeps at most %d quantities; make a "
                              "flow of its own for the others",
                              PUAN_FLOW_QUANTITIES);
    list = puan_new_n(l->a, n ? n->n : 0, struct puan_flow_quantity);
    if (list == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, n) {
        struct puan_flow_quantity *q = &list[l->f->n_quantities];

        TRY(expect(l, c, PUAN_NODE_MAP, "a map"));
        TRY(check_name(l, c, c->key));
        TRY(puan_node_only(c, keys, l->err));
        label_of(&q->label, c->key, c);
        TRY(unit_of(q, l, puan_node_get(c, "unit")));
        TRY(set_of(&q->in, l, puan_node_get(c, "in"), &a_transition));
        TRY(set_of(&q->out, l, puan_node_get(c, "out"), &a_transition));
        TRY(one_of(&q->field, l, puan_node_get(c, "field"), &a_field));
        if (q->field < 0 || l->f->fields[q->field].type != PUAN_FLOW_INT)
            return puan_node_fail(c, l->err,
                                  "a quantity needs field: an integer field");
        TRY(one_of(&q->of, l, puan_node_get(c, "of"), &a_field));
        if (q->of >= 0 && !PUAN_FLOW_HAS(l->f->open_needs, q->of))
            return puan_node_fail(puan_node_get(c, "of"), l->err,
                                  "what a quantity counts is said from the "
                                  "start; require the field \"%.*s\" at open",
                                  PUAN_FMT(l->f->fields[q->of].label.name));
        if (q->in == 0 || q->out == 0 || (q->in & q->out) != 0)
            return puan_node_fail(c, l->err,
                                  "a quantity needs in: and out: transitions, "
                                  "none of them in both");
        for (size_t t = 0; t < l->f->n_transitions; t++)
            if (PUAN_FLOW_HAS(q->in | q->out, t) &&
                !PUAN_FLOW_HAS(l->f->transitions[t].needs_fields |
                                   l->f->open_needs,
                               q->field))
                return puan_node_fail(
                    c, l->err,
                    "the transition \"%.*s\" moves an amount that may be "
                    "missing; require the field \"%.*s\" there",
                    PUAN_FMT(l->f->transitions[t].label.name),
                    PUAN_FMT(l->f->fields[q->field].label.name));
        l->f->n_quantities++;
    }
    l->f->quantities = list;
    return PUAN_OK;
}

/* ---- proofs ----------------------------------------------------------- */

/* States that can be reached from `start` (included). */
static puan_flow_set reach(const struct puan_flow *f, puan_flow_set start)
{
    puan_flow_set seen = start, before;

    do {
        before = seen;
        for (size_t i = 0; i < f->n_transitions; i++)
            if ((f->transitions[i].from & seen) && f->transitions[i].to >= 0)
                seen |= BIT(f->transitions[i].to);
    } while (seen != before);
    return seen;
}

static enum puan_status prove_states(struct load *l)
{
    const struct puan_flow *f = l->f;
    puan_flow_set seen = reach(f, BIT(f->initial));

    for (size_t i = 0; i < f->n_states; i++) {
        if (!PUAN_FLOW_HAS(seen, i))
            return puan_node_fail(l->state_at[i], l->err,
                                  "state \"%.*s\" can never be reached; add a "
                                  "transition to it or remove it",
                                  PUAN_FMT(f->states[i].name));
        if (!PUAN_FLOW_HAS(f->terminal, i) &&
            (reach(f, BIT(i)) & f->terminal) == 0)
            return puan_node_fail(l->state_at[i], l->err,
                                  "from state \"%.*s\" the run can never end; "
                                  "add a transition towards a terminal state",
                                  PUAN_FMT(f->states[i].name));
    }
    for (size_t i = 0; i < f->n_transitions; i++)
        if (f->transitions[i].from == 0)
            return puan_node_fail(l->transition_at[i], l->err,
                                  "transition \"%.*s\" leaves no state; name one in from:",
                                  PUAN_FMT(f->transitions[i].label.name));
    return PUAN_OK;
}

/* Persons among `by` (not Puan itself) may fill the field in such an act. */
static bool may_fill(const struct puan_flow *f, int field, puan_flow_set by)
{
    puan_flow_set who = f->fields[field].by;

    if (who != 0)
        by &= who;
    return by != 0;
}

/* Seats that may ask for an approval: those named, else all of the flow. */
static puan_flow_set askers(const struct puan_flow *f, int approval)
{
    if (f->approvals[approval].asked_by != 0)
        return f->approvals[approval].asked_by;
    return f->n_seats == PUAN_FLOW_MAX ? ~(puan_flow_set)0
                                       : BIT(f->n_seats) - 1;
}

/* Can the field be set before an act in one of `states` needs it? */
static bool fillable(const struct puan_flow *f, int field, puan_flow_set own_by,
                     puan_flow_set states)
{
    if (own_by && may_fill(f, field, own_by))
        return true;
    if (PUAN_FLOW_HAS(f->open_needs | f->open_may, field) &&
        may_fill(f, field, f->open_by))
        return true;
    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];
        puan_flow_set after = t->to >= 0 ? BIT(t->to) : t->from;

        if (PUAN_FLOW_HAS(t->needs_fields | t->may_fields, field) && t->by &&
            may_fill(f, field, t->by) && (reach(f, after) & states))
            return true;
    }
    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];

        if (PUAN_FLOW_HAS(s->needs_fields | s->may_fields, field) &&
            may_fill(f, field, s->by) && (reach(f, s->states) & states))
            return true;
    }
    /* what an approval covers may be filled in with the request for it */
    for (size_t i = 0; i < f->n_approvals; i++)
        if (PUAN_FLOW_HAS(f->approvals[i].covers, field) &&
            may_fill(f, field, askers(f, (int)i)))
            return true;
    return false;
}

/* A field that stands in no act is empty for ever, and so is what asks for it. */
static bool ever_filled(const struct puan_flow *f, int field)
{
    if (PUAN_FLOW_HAS(f->open_needs | f->open_may, field))
        return true;
    for (size_t i = 0; i < f->n_transitions; i++)
        if (PUAN_FLOW_HAS(f->transitions[i].needs_fields |
                              f->transitions[i].may_fields,
                          field))
            return true;
    for (size_t i = 0; i < f->n_steps; i++)
        if (PUAN_FLOW_HAS(f->steps[i].needs_fields | f->steps[i].may_fields,
                          field))
            return true;
    for (size_t i = 0; i < f->n_approvals; i++)
        if (PUAN_FLOW_HAS(f->approvals[i].covers, field))
            return true;
    return false;
}

static enum puan_status prove_fillable(struct load *l, puan_flow_set fields,
                                       puan_flow_set by, puan_flow_set states,
                                       const struct puan_node *at,
                                       struct puan_str act)
{
    for (size_t i = 0; i < l->f->n_fields; i++)
        if (PUAN_FLOW_HAS(fields, i) && !fillable(l->f, (int)i, by, states))
            return puan_node_fail(at, l->err,
                                  "\"%.*s\" needs the field \"%.*s\", which "
                                  "nobody can fill before; let an earlier act "
                                  "set it or mend its by:",
                                  PUAN_FMT(act),
                                  PUAN_FMT(l->f->fields[i].label.name));
    return PUAN_OK;
}

static enum puan_status prove_filled(struct load *l)
{
    const struct puan_flow *f = l->f;

    for (size_t i = 0; i < f->n_fields && !l->env->empty_fields; i++)
        if (!ever_filled(f, (int)i))
            return puan_node_fail(l->field_at[i], l->err,
                                  "no act ever fills the field \"%.*s\"; name "
                                  "one in its required_at: or put it in the "
                                  "sets: of one",
                                  PUAN_FMT(f->fields[i].label.name));
    return PUAN_OK;
}

static enum puan_status prove_fields(struct load *l)
{
    const struct puan_flow *f = l->f;

    for (size_t i = 0; i < f->n_fields; i++)
        if (PUAN_FLOW_HAS(f->open_needs, i) &&
            !may_fill(f, (int)i, f->open_by))
            return puan_node_fail(l->field_at[i], l->err,
                                  "opening needs the field \"%.*s\", which "
                                  "the opener may not fill; mend its by: or "
                                  "required_at:",
                                  PUAN_FMT(f->fields[i].label.name));
    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];

        TRY(prove_fillable(l, t->needs_fields, t->by, t->from,
                           l->transition_at[i], t->label.name));
        if (t->approval >= 0)
            TRY(prove_fillable(l, f->approvals[t->approval].covers, 0, t->from,
                               l->approval_at[t->approval],
                               f->approvals[t->approval].label.name));
    }
    for (size_t i = 0; i < f->n_steps; i++)
        TRY(prove_fillable(l, f->steps[i].needs_fields, f->steps[i].by,
                           f->steps[i].states, l->step_at[i],
                           f->steps[i].label.name));
    return PUAN_OK;
}

static bool unlocks(const struct puan_flow_effect *e, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_FLOW_UNLOCK && (size_t)e[i].index == step)
            return true;
    return false;
}

static enum puan_status prove_steps(struct load *l)
{
    const struct puan_flow *f = l->f;
    puan_flow_set open = 0, before;

    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];
        bool can = s->own_authority || s->ordered_by || s->approval >= 0 ||
                   s->opens_due >= 0;

        for (size_t k = 0; k < f->n_transitions; k++)
            can = can || unlocks(f->transitions[k].effects,
                                 f->transitions[k].n_effects, i);
        for (size_t k = 0; k < f->n_atomics; k++)
            can = can ||
                  unlocks(f->atomics[k].effects, f->atomics[k].n_effects, i);
        for (size_t k = 0; k < f->n_clocks; k++)
            can = can ||
                  unlocks(f->clocks[k].on_due, f->clocks[k].n_on_due, i);
        if (!can)
            return puan_node_fail(l->step_at[i], l->err,
                                  "nothing can order the step \"%.*s\"; give "
                                  "it ordered_by, an approval, opens_at or an "
                                  "unlock effect",
                                  PUAN_FMT(s->label.name));
    }
    /* steps whose predecessors can all come first */
    do {
        before = open;
        for (size_t i = 0; i < f->n_steps; i++)
            if ((f->steps[i].after & ~open) == 0)
                open |= BIT(i);
    } while (open != before);
    for (size_t i = 0; i < f->n_steps; i++)
        if (!PUAN_FLOW_HAS(open, i))
            return puan_node_fail(l->step_at[i], l->err,
                                  "step \"%.*s\" waits for itself; break the "
                                  "circle of after:",
                                  PUAN_FMT(f->steps[i].label.name));
    /* a step a transition needs must be doable before it */
    for (size_t i = 0; i < f->n_transitions; i++)
        for (size_t k = 0; k < f->n_steps; k++)
            if (PUAN_FLOW_HAS(f->transitions[i].needs_steps, k) &&
                (reach(f, f->steps[k].states) & f->transitions[i].from) == 0)
                return puan_node_fail(l->transition_at[i], l->err,
                                      "\"%.*s\" needs the step \"%.*s\", "
                                      "which can only be done later; mend its "
                                      "states: or take it out",
                                      PUAN_FMT(f->transitions[i].label.name),
                                      PUAN_FMT(f->steps[k].label.name));
    return PUAN_OK;
}

static enum puan_status prove_approvals(struct load *l)
{
    const struct puan_flow *f = l->f;

    for (size_t i = 0; i < f->n_approvals; i++) {
        bool used = false;

        for (size_t k = 0; k < f->n_transitions; k++)
            used = used || f->transitions[k].approval == (int)i;
        for (size_t k = 0; k < f->n_steps; k++)
            used = used || f->steps[k].approval == (int)i;
        for (size_t k = 0; k < f->n_blocks; k++)
            used = used || f->blocks[k].until == (int)i;
        if (!used)
            return puan_node_fail(l->approval_at[i], l->err,
                                  "nothing rests on the approval \"%.*s\"; "
                                  "name it in needs: or remove it",
                                  PUAN_FMT(f->approvals[i].label.name));
        for (size_t k = 0; k < f->n_transitions; k++)
            if (f->transitions[k].approval == (int)i &&
                (reach(f, f->approvals[i].states) & f->transitions[k].from) ==
                    0)
                return puan_node_fail(
                    puan_node_get(l->approval_at[i], "states"), l->err,
                    "\"%.*s\" needs the approval \"%.*s\", which can only be "
                    "given later; name an earlier state in its states:",
                    PUAN_FMT(f->transitions[k].label.name),
                    PUAN_FMT(f->approvals[i].label.name));
    }
    return PUAN_OK;
}

/* Every field a clock counts by is set when it starts. */
static bool set_at_start(const struct puan_flow *f,
                         const struct puan_flow_clock *c, int field)
{
    for (size_t i = 0; i < c->n_start; i++) {
        puan_flow_set have = 0;

        switch (c->start[i].kind) {
        case PUAN_FLOW_ON_OPEN:
            have = f->open_needs;
            break;
        case PUAN_FLOW_ON_TRANSITION:
            have = f->transitions[c->start[i].index].needs_fields |
                   f->open_needs;
            break;
        case PUAN_FLOW_ON_STEP:
            have = f->steps[c->start[i].index].needs_fields | f->open_needs;
            break;
        case PUAN_FLOW_ON_DUE:
        case PUAN_FLOW_ON_TAKE:
            have = f->open_needs;
            break;
        case PUAN_FLOW_ON_FIELD:
            have = BIT(c->start[i].index) | f->open_needs;
            break;
        }
        if (!PUAN_FLOW_HAS(have, field))
            return false;
    }
    return true;
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* Does the condition speak of the field?  Then the clock stands until it is
 * filled: what is not known does not hold. */
static bool names(const struct puan_node *when, struct puan_str field)
{
    for (size_t i = 0; when != NULL && i < when->text.n;) {
        size_t n = 0;

        while (i + n < when->text.n && in_name(when->text.p[i + n]))
            n++;
        if (puan_str_eq((struct puan_str){ when->text.p + i, n }, field))
            return true;
        i += n + 1;
    }
    return false;
}

static enum puan_status prove_clocks(struct load *l)
{
    const struct puan_flow *f = l->f;

    for (size_t i = 0; i < f->n_clocks; i++) {
        const struct puan_flow_clock *c = &f->clocks[i];
        bool acts = c->n_ladder > 0 || c->n_on_due > 0;
        bool moves = false;
        int field = c->at_field >= 0 ? c->at_field : c->limit_field;

        for (size_t k = 0; k < f->n_transitions; k++)
            moves = moves || f->transitions[k].clock == (int)i;
        for (size_t k = 0; k < f->n_steps; k++)
            acts = acts || f->steps[k].opens_due == (int)i;
        for (size_t k = 0; k < f->n_clocks; k++)
            for (size_t m = 0; m < f->clocks[k].n_start; m++)
                acts = acts ||
                       (f->clocks[k].start[m].kind == PUAN_FLOW_ON_DUE &&
                        f->clocks[k].start[m].index == (int)i);
        if (!acts && !moves)
            return puan_node_fail(l->clock_at[i], l->err,
                                  "nothing happens when the clock \"%.*s\" is "
                                  "due; name who is told under overdue:",
                                  PUAN_FMT(c->label.name));
        if (c->retry_ms > 0 && !moves)
            return puan_node_fail(l->clock_at[i], l->err,
                                  "retry belongs to a clock that a "
                                  "transition names as by: clock.%.*s",
                                  PUAN_FMT(c->label.name));
        if (field >= 0 && !set_at_start(f, c, field) &&
            !names(puan_node_get(l->clock_at[i], "when"),
                   f->fields[field].label.name))
            return puan_node_fail(l->clock_at[i], l->err,
                                  "the clock \"%.*s\" may start before the "
                                  "field \"%.*s\" is filled; require it "
                                  "there, or name it in when:",
                                  PUAN_FMT(c->label.name),
                                  PUAN_FMT(f->fields[field].label.name));
    }
    return PUAN_OK;
}

static enum puan_status prove_external(struct load *l)
{
    const struct puan_flow *f = l->f;

    for (size_t i = 0; i < f->n_seats; i++) {
        const struct puan_flow_role *r = find_role(l, f->seats[i].role);

        if (r != NULL && r->external && f->enters == 0)
            return puan_node_fail(l->seat_at[i], l->err,
                                  "\"%.*s\" is an external seat; name the "
                                  "local seat that enters its acts with "
                                  "entered_by:",
                                  PUAN_FMT(f->seats[i].label.name));
    }
    return PUAN_OK;
}

enum puan_status puan_flow_load(struct puan_flow **out,
                                const struct puan_node *tree,
                                const struct puan_flow_env *env,
                                struct puan_arena *a, struct puan_err *err)
{
    struct load *l = puan_new(a, struct load);

    *out = NULL;
    if (l == NULL)
        return puan_arena_check(a, err);
    l->f = puan_new(a, struct puan_flow);
    if (l->f == NULL)
        return puan_arena_check(a, err);
    l->env = env;
    l->tree = tree;
    l->a = a;
    l->err = err;
    l->f->file = tree->file;
    l->f->hours = env->hours;
    l->f->levels = env->levels;
    l->f->n_levels = env->n_levels;

    TRY(read_head(l));
    TRY(read_seats(l));
    TRY(read_states(l));
    TRY(read_fields(l));
    TRY(read_evidence(l));
    TRY(read_facts(l));
    TRY(read_names(l));
    for (size_t i = 0; i < l->f->n_reports; i++)
        TRY(read_report(l, &l->reports[i],
                        puan_node_at(puan_node_get(tree, "reports"), i)));
    for (size_t i = 0; i < l->f->n_approvals; i++)
        TRY(read_approval(l, &l->approvals[i], l->approval_at[i]));
    for (size_t i = 0; i < l->f->n_clocks; i++)
        TRY(read_clock(l, &l->clocks[i], l->clock_at[i]));
    for (size_t i = 0; i < l->f->n_transitions; i++)
        TRY(read_transition(l, &l->transitions[i], l->transition_at[i]));
    for (size_t i = 0; i < l->f->n_steps; i++)
        TRY(read_step(l, &l->steps[i], l->step_at[i]));
    TRY(read_open(l));
    TRY(read_required(l));
    TRY(read_public(l));
    TRY(read_links(l));
    TRY(read_atomic(l));
    TRY(read_gates(l));
    TRY(read_score(l));
    TRY(read_recurrence(l));
    TRY(read_issued(l));
    TRY(read_quantities(l));
    TRY(read_register(l));
    TRY(read_attests(l));
    TRY(read_notice(l));

    TRY(prove_states(l));
    TRY(prove_fields(l));
    TRY(prove_steps(l));
    TRY(prove_approvals(l));
    TRY(prove_clocks(l));
    TRY(prove_external(l));
    TRY(prove_filled(l)); /* last: what misses a field says so itself */
    TRY(puan_arena_check(a, err));
    *out = l->f;
    return PUAN_OK;
}
