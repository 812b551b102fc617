/*
 * A plan from the parsed files of its packs.  Reads on after a fault where it
 * can, so that a pack's author sees all of them at once.
 */
#include "core/plan/plan.h"

#include "base/calendar.h"
#include "base/out.h"
#include "core/plan/routing.h"

struct loader {
    struct puan_plan *p;
    struct puan_plan_pack *pack;
    const struct puan_node *root; /* plan.yaml of the plan's own pack */
    const struct puan_digest_fn *digest;
    struct puan_problems *problems;
    struct puan_arena *a;
    struct puan_err *err;    /* the first failure */
    struct puan_node *lists; /* all code lists of all packs */
    bool bad;
};

static void note(struct loader *l, struct puan_err *e)
{
    if (e->code == PUAN_OK)
        return;
    l->bad = true;
    if (l->err->code == PUAN_OK)
        *l->err = *e;
    puan_problem_take(l->problems, e);
}

/* A key that is not there is told at the head of the plan. */
static const struct puan_node *placed(const struct loader *l,
                                      const struct puan_node *n)
{
    return n ? n : l->root;
}

/* A failure at a node. */
#define FAIL(l, n, ...)                                                        \
    do {                                                                       \
        struct puan_err e_ = { 0 };                                            \
        (void)puan_node_fail(placed((l), (n)), &e_, __VA_ARGS__);              \
        note((l), &e_);                                                        \
    } while (0)

/* --- small readers ------------------------------------------------------ */

static struct puan_str text(struct loader *l, const struct puan_node *map,
                            const char *key)
{
    struct puan_err e = { 0 };
    struct puan_str s = PUAN_STR("");

    if (puan_node_str(&s, map, key, &e) != PUAN_OK)
        note(l, &e);
    return s;
}

static int64_t number(struct loader *l, const struct puan_node *map,
                      const char *key, int64_t min, int64_t max)
{
    struct puan_err e = { 0 };
    int64_t v = min;

    if (puan_node_int(&v, map, key, min, max, &e) != PUAN_OK)
        note(l, &e);
    return v;
}

static bool truth(struct loader *l, const struct puan_node *map,
                  const char *key, bool dflt)
{
    struct puan_err e = { 0 };
    bool v = dflt;

    if (puan_node_bool(&v, map, key, dflt, &e) != PUAN_OK)
        note(l, &e);
    return v;
}

static bool only(struct loader *l, const struct puan_node *map,
                 const char *const *keys)
{
    struct puan_err e = { 0 };

    if (puan_node_only(map, keys, &e) == PUAN_OK)
        return true;
    note(l, &e);
    return false;
}

/* A list of texts under a key; absent: none. */
static const struct puan_str *
texts(size_t *n, struct loader *l, const struct puan_node *map, const char *key)
{
    const struct puan_node *list = puan_node_get(map, key);
    struct puan_str *s;

    *n = 0;
    if (list == NULL)
        return NULL;
    if (list->kind != PUAN_NODE_LIST) {
        FAIL(l, list, "'%s' must be a list: [a, b]", key);
        return NULL;
    }
    s = puan_new_n(l->a, list->n, struct puan_str);
    if (s == NULL)
        return NULL;
    PUAN_NODE_EACH(c, list)
    {
        if (c->kind != PUAN_NODE_SCALAR)
            FAIL(l, c, "an entry of '%s' must be a text", key);
        else
            s[(*n)++] = c->text;
    }
    return s;
}

/* The children of a map or list under a key of the root. */
static const struct puan_node *section(struct loader *l, const char *key,
                                       enum puan_node_kind kind)
{
    const struct puan_node *n = puan_node_get(l->root, key);

    if (n == NULL || n->kind == kind)
        return n;
    FAIL(l, n, "'%s' must be a %s", key,
         kind == PUAN_NODE_MAP ? "map" : "list");
    return NULL;
}

static void sort(struct puan_str *s, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct puan_str x = s[i];
        size_t k = i;

        for (; k > 0 && puan_str_cmp(s[k - 1], x) > 0; k--)
            s[k] = s[k - 1];
        s[k] = x;
    }
}

/* --- packs and files ---------------------------------------------------- */

static bool ends(struct puan_str s, const char *tail)
{
    size_t n = strlen(tail);

    return s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}

static const struct puan_plan_file *pack_file(const struct puan_plan_pack *k,
                                              struct puan_str path)
{
    for (size_t i = 0; i < k->n_files; i++)
        if (puan_str_eq(k->file[i].path, path))
            return &k->file[i];
    return NULL;
}

static bool is_rule(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "rules/") && ends(f->path, ".rules");
}

static bool is_flow(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "flows/") && f->tree != NULL;
}

static void fill_files(struct loader *l)
{
    struct puan_plan *p = l->p;
    const struct puan_plan_file **rules, **flows;
    struct puan_str *rule_text;
    const char **rule_name;
    size_t r = 0, w = 0;

    for (size_t k = 0; k < p->n_packs; k++) {
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            p->n_rules += is_rule(&p->pack[k].file[i]);
            p->n_flows += is_flow(&p->pack[k].file[i]);
        }
    }
    rules = puan_new_n(l->a, p->n_rules + 1, const struct puan_plan_file *);
    flows = puan_new_n(l->a, p->n_flows + 1, const struct puan_plan_file *);
    rule_text = puan_new_n(l->a, p->n_rules + 1, struct puan_str);
    rule_name = puan_new_n(l->a, p->n_rules + 1, const char *);
    if (l->a->failed)
        return;
    for (size_t k = 0; k < p->n_packs; k++) {
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];

            if (is_rule(f)) {
                rules[r] = f;
                rule_text[r] = f->text;
                rule_name[r++] = f->name;
            }
            if (is_flow(f))
                flows[w++] = f;
        }
    }
    p->rules = rules;
    p->rule_text = rule_text;
    p->rule_name = rule_name;
    p->flows = flows;
}

void puan_plan_pack_digest(struct puan_plan_pack *pack,
                           const struct puan_digest_fn *digest,
                           struct puan_arena *a)
{
    struct puan_out o;
    struct puan_str view;

    puan_out_init(&o, a);
    for (size_t i = 0; i < pack->n_files; i++) {
        puan_out_str(&o, pack->file[i].path);
        puan_out_u8(&o, 0);
        puan_out_bytes(&o, pack->file[i].digest, PUAN_DIGEST_SIZE);
    }
    view = puan_out_view(&o);
    digest->hash(digest->ctx, pack->digest, &view, 1);
}

static void digests(struct loader *l)
{
    struct puan_plan *p = l->p;
    struct puan_str *part;

    if (l->digest == NULL)
        return;
    part = puan_new_n(l->a, p->n_packs, struct puan_str);
    if (part == NULL)
        return;
    for (size_t k = 0; k < p->n_packs; k++) {
        puan_plan_pack_digest(&l->pack[k], l->digest, l->a);
        part[k] = (struct puan_str){ (const char *)l->pack[k].digest,
                                     PUAN_DIGEST_SIZE };
    }
    if (p->n_packs == 1)
        memcpy(p->digest, l->pack[0].digest, PUAN_DIGEST_SIZE);
    else
        l->digest->hash(l->digest->ctx, p->digest, part, p->n_packs);
}

static void load_uses(struct loader *l)
{
    for (size_t k = 0; k < l->p->n_packs; k++) {
        const struct puan_plan_file *f =
            pack_file(&l->pack[k], PUAN_STR("plan.yaml"));
        size_t n;
        const struct puan_str *names;
        struct puan_str id;

        if (f == NULL || f->tree == NULL)
            continue;
        id = puan_node_str_opt(f->tree, "plan", "");
        if (!puan_str_eq(id, l->pack[k].name))
            FAIL(l, puan_node_get(f->tree, "plan"),
                 "the plan calls itself '%.*s' but lies in a folder '%.*s', "
                 "rename one",
                 PUAN_FMT(id), PUAN_FMT(l->pack[k].name));
        names = texts(&n, l, f->tree, "uses");
        for (size_t i = 0; i < n; i++) {
            size_t j = 0;

            while (j < l->p->n_packs && !puan_str_eq(l->pack[j].name, names[i]))
                j++;
            if (j == l->p->n_packs)
                FAIL(l, puan_node_get(f->tree, "uses"),
                     "uses pack '%.*s', which is not beside it, put it "
                     "there or mend the name",
                     PUAN_FMT(names[i]));
        }
    }
}

/* --- overlay ------------------------------------------------------------ */

static const struct puan_node *overlay_root(const struct puan_plan_pack *k)
{
    const struct puan_plan_file *f = pack_file(k, PUAN_STR("plan.yaml"));

    return f && puan_node_get(f->tree, "overlay_of") ? f->tree : NULL;
}

/*
 * A lower office's pack on top of the plan.  It may shorten durations and add
 * roles, rules and workflows; it cannot touch forms, codes, windows or cases.
 */
static void load_overlay(struct loader *l)
{
    static const char *const keys[] = { "plan",  "version",  "scope",
                                        "zh",    "en",       "overlay_of",
                                        "roles", "settings", NULL };
    const struct puan_plan_pack *k = &l->pack[l->p->n_packs - 1];
    const struct puan_node *root = overlay_root(k), *of;
    struct puan_str base, hex, rest;
    uint8_t want[PUAN_DIGEST_SIZE];

    if (root == NULL || l->p->n_packs < 2)
        return;
    l->p->overlay = k->name;
    (void)only(l, root, keys);
    of = puan_node_get(root, "overlay_of");
    rest = text(l, root, "overlay_of");
    (void)puan_str_split(&base, &rest, '@');
    hex = rest.p ? rest : PUAN_STR("");
    if (!puan_str_eq(base, l->pack[0].name) ||
        !puan_unhex(want, sizeof(want), hex))
        FAIL(l, of,
             "'overlay_of' must be PACK@DIGEST, the digest in "
             "hexadecimal as puan plan show gives it");
    else if (l->digest != NULL &&
             memcmp(want, l->pack[0].digest, sizeof(want)) != 0)
        FAIL(l, of,
             "the overlay was made for another version of pack %.*s, "
             "review it and name the digest of this one",
             PUAN_FMT(base));
    for (size_t i = 0; i < k->n_files; i++)
        if (puan_str_starts(k->file[i].path, "forms/") ||
            puan_str_starts(k->file[i].path, "codes/"))
            FAIL(l, k->file[i].tree ? k->file[i].tree : root,
                 "an overlay cannot change forms or code lists: remove %.*s",
                 PUAN_FMT(k->file[i].path));
}

/* A setting of the overlay takes the place of the plan's, if stricter. */
static void overlay_setting(struct loader *l, struct puan_setting *have,
                            const struct puan_setting *s)
{
    if (have->kind != PUAN_SETTING_DURATION || s->kind != PUAN_SETTING_DURATION)
        FAIL(l, s->at,
             "an overlay can only shorten durations; '%.*s' is "
             "none",
             PUAN_FMT(s->id));
    else if (s->value > have->value)
        FAIL(l, s->at, "an overlay cannot lengthen '%.*s' from %.*s to %.*s",
             PUAN_FMT(s->id), PUAN_FMT(have->text), PUAN_FMT(s->text));
    else
        *have = *s;
}

/* --- levels ------------------------------------------------------------- */

static void load_levels(struct loader *l)
{
    static const char *const keys[] = { "id",     "zh",       "en", "office",
                                        "digits", "external", NULL };
    struct puan_plan *p = l->p;
    const struct puan_node *list = section(l, "levels", PUAN_NODE_LIST);
    struct puan_level *level;
    const struct puan_node *o;
    struct puan_str shard;
    unsigned before = 0;
    int64_t width;
    int at;

    if (list == NULL || list->n == 0 || list->n > 64) {
        FAIL(l, l->root, "'levels' must list 1 to 64 levels, top down");
        return;
    }
    level = puan_new_n(l->a, list->n, struct puan_level);
    if (level == NULL)
        return;
    p->level = level;
    PUAN_NODE_EACH(c, list)
    {
        struct puan_level *x = &level[p->n_levels];

        if (!only(l, c, keys))
            continue;
        x->at = c;
        x->id = text(l, c, "id");
        x->zh = text(l, c, "zh");
        x->en = text(l, c, "en");
        o = puan_node_get(c, "office");
        x->office_zh = puan_node_str_opt(o, "zh", "");
        x->office_en = puan_node_str_opt(o, "en", "");
        x->external = truth(l, c, "external", false);
        if (puan_plan_level(p, x->id) >= 0)
            FAIL(l, c, "level '%.*s' stands twice, rename one", PUAN_FMT(x->id));
        if (!x->external) {
            x->digits = (unsigned)number(l, c, "digits", 1, 18);
            if (x->digits <= before)
                FAIL(l, c,
                     "level '%.*s' has %u digits, the level above it %u: "
                     "codes must grow downwards",
                     PUAN_FMT(x->id), x->digits, before);
            before = x->digits;
        } else if (before > 0) {
            FAIL(l, c, "an external level must stand above all others");
        }
        p->n_levels++;
    }
    p->ea_level = p->n_levels ? p->n_levels - 1 : 0;
    p->household_digits =
        (unsigned)number(l, l->root, "household_digits", 1, 9);
    width = (int64_t)before + p->household_digits;
    if (width > 18)
        FAIL(l, l->root,
             "enumeration area and household number have %d digits together, "
             "at most 18 fit a key",
             (int)width);
    shard = text(l, l->root, "shard_level");
    at = puan_plan_level(p, shard);
    if (at < 0 || p->level[at].external)
        FAIL(l, puan_node_get(l->root, "shard_level"),
             "no level '%.*s' with digits, name one of 'levels'", PUAN_FMT(shard));
    else
        p->shard_level = (size_t)at;
}

/* --- roles -------------------------------------------------------------- */

static void role_names(struct loader *l, const struct puan_node *c,
                       struct puan_role *r)
{
    size_t n;
    const struct puan_str *levels = texts(&n, l, c, "levels");
    struct puan_str *can;

    for (size_t i = 0; i < n; i++) {
        int at = puan_plan_level(l->p, levels[i]);

        if (at < 0)
            FAIL(l, puan_node_get(c, "levels"), "no level '%.*s', name one of 'levels'",
                 PUAN_FMT(levels[i]));
        else
            r->levels |= (uint64_t)1 << at;
    }
    levels = texts(&r->n_can, l, c, "can");
    can = puan_new_n(l->a, r->n_can + 1, struct puan_str);
    if (can == NULL)
        return;
    if (r->n_can > 0)
        memcpy(can, levels, r->n_can * sizeof(*can));
    sort(can, r->n_can);
    r->can = can;
    for (size_t i = 0; i < r->n_can; i++) {
        if (i > 0 && puan_str_eq(can[i - 1], can[i]))
            FAIL(l, puan_node_get(c, "can"), "capability '%.*s' stands twice, remove one",
                 PUAN_FMT(can[i]));
    }
    r->needs = texts(&r->n_needs, l, c, "needs");
    r->excludes = texts(&r->n_excludes, l, c, "excludes");
}

static void load_role(struct loader *l, struct puan_role *r,
                      const struct puan_node *c, struct puan_str pack)
{
    static const char *const keys[] = {
        "zh",  "en",    "levels",   "credential",    "external",  "via",
        "can", "needs", "excludes", "second_factor", "clearance", NULL
    };
    static const char *const kinds[] = { "human", "device", "household",
                                         "service" };
    struct puan_str kind;
    size_t k = 0;

    *r = (struct puan_role){ .id = c->key, .pack = pack, .at = c };
    if (!only(l, c, keys))
        return;
    r->zh = text(l, c, "zh");
    r->en = text(l, c, "en");
    kind = puan_node_str_opt(c, "credential", "human");
    while (k < PUAN_COUNT(kinds) && !puan_str_is(kind, kinds[k]))
        k++;
    if (k == PUAN_COUNT(kinds))
        FAIL(l, puan_node_get(c, "credential"),
             "'credential' must be human, device, household or service");
    else
        r->credential = (enum puan_credential_kind)k;
    r->external = truth(l, c, "external", false);
    r->via = puan_node_str_opt(c, "via", "");
    r->second_factor = truth(l, c, "second_factor", false);
    if (puan_node_get(c, "clearance"))
        r->clearance = (unsigned)number(l, c, "clearance", 0, 3);
    if (r->via.n > 0 && !r->external)
        FAIL(l, puan_node_get(c, "via"), "'via' is for external roles only, remove it");
    role_names(l, c, r);
}

static void check_roles(struct loader *l)
{
    const struct puan_plan *p = l->p;

    for (size_t i = 0; i < p->n_roles; i++) {
        const struct puan_role *r = &p->role[i];

        if (r->via.n > 0) {
            const struct puan_role *via = puan_plan_role(p, r->via);

            if (via == NULL || via->external)
                FAIL(l, puan_node_get(r->at, "via"), "no local role '%.*s', name one of 'roles'",
                     PUAN_FMT(r->via));
        }
        for (size_t k = 0; k < r->n_excludes; k++)
            if (puan_plan_role(p, r->excludes[k]) == NULL)
                FAIL(l, puan_node_get(r->at, "excludes"), "no role '%.*s', name one of 'roles'",
                     PUAN_FMT(r->excludes[k]));
    }
}

/* How many children `key` has in the plan.yaml of all packs. */
static size_t in_packs(struct loader *l, const char *key)
{
    size_t n = 0;

    for (size_t k = 0; k < l->p->n_packs; k++) {
        const struct puan_plan_file *f =
            pack_file(&l->pack[k], PUAN_STR("plan.yaml"));
        const struct puan_node *m = f ? puan_node_get(f->tree, key) : NULL;

        if (m != NULL && m->kind != PUAN_NODE_MAP)
            FAIL(l, m, "'%s' must be a map", key);
        else if (m != NULL)
            n += m->n;
    }
    return n;
}

static const struct puan_node *of_pack(struct loader *l, size_t k,
                                       const char *key)
{
    const struct puan_plan_file *f =
        pack_file(&l->pack[k], PUAN_STR("plan.yaml"));
    const struct puan_node *m = f ? puan_node_get(f->tree, key) : NULL;

    return m != NULL && m->kind == PUAN_NODE_MAP ? m : NULL;
}

static void load_roles(struct loader *l)
{
    struct puan_role *role =
        puan_new_n(l->a, in_packs(l, "roles") + 1, struct puan_role);

    if (role == NULL)
        return;
    l->p->role = role;
    for (size_t k = 0; k < l->p->n_packs; k++) {
        const struct puan_node *m = of_pack(l, k, "roles");

        PUAN_NODE_EACH(c, m)
        {
            const struct puan_role *have = puan_plan_role(l->p, c->key);

            if (have != NULL) {
                FAIL(l, c, "role '%.*s' is defined in pack %.*s already, rename one",
                     PUAN_FMT(c->key), PUAN_FMT(have->pack));
                continue;
            }
            load_role(l, &role[l->p->n_roles], c, l->pack[k].name);
            l->p->n_roles++;
        }
    }
    check_roles(l);
}

/* --- settings and constants --------------------------------------------- */

/* "90s", "30m", "24h", "2d" in ms. */
static bool duration(int64_t *ms, struct puan_str s)
{
    int64_t unit;

    if (s.n < 2)
        return false;
    switch (s.p[s.n - 1]) {
    case 's':
        unit = 1000;
        break;
    case 'm':
        unit = 60000;
        break;
    case 'h':
        unit = 3600000;
        break;
    case 'd':
        unit = 86400000;
        break;
    default:
        return false;
    }
    s.n--;
    if (!puan_int_parse(ms, s) || *ms < 0 || *ms > INT64_C(36500) * 86400)
        return false;
    *ms *= unit;
    return true;
}

static bool setting_value(struct puan_setting *s)
{
    if (puan_int_parse(&s->value, s->text))
        s->kind = PUAN_SETTING_NUMBER;
    else if (duration(&s->value, s->text))
        s->kind = PUAN_SETTING_DURATION;
    else if (puan_month_parse(&s->value, s->text))
        s->kind = PUAN_SETTING_MONTH;
    else if (puan_day_parse(&s->value, s->text))
        s->kind = PUAN_SETTING_DAY;
    else
        s->kind = PUAN_SETTING_TEXT;
    return s->text.n > 0;
}

static void load_settings(struct loader *l)
{
    static const char *const keys[] = { "value", "zh", "en", "clauses", NULL };
    struct puan_plan *p = l->p;
    struct puan_setting *list =
        puan_new_n(l->a, in_packs(l, "settings") + 1, struct puan_setting);
    struct puan_const *consts;

    if (list == NULL)
        return;
    p->setting = list;
    for (size_t k = 0; k < p->n_packs; k++) {
        const struct puan_node *m = of_pack(l, k, "settings");

        PUAN_NODE_EACH(c, m)
        {
            struct puan_setting s = { .id = c->key, .at = c };
            const struct puan_setting *have = puan_plan_setting(p, c->key);
            bool overlay = overlay_root(&l->pack[k]) != NULL;

            if (have != NULL && !overlay)
                continue; /* the plan's own stands before a used pack's */
            if (!only(l, c, keys))
                continue;
            s.zh = text(l, c, "zh");
            s.en = text(l, c, "en");
            s.text = text(l, c, "value");
            s.clauses = texts(&s.n_clauses, l, c, "clauses");
            if (!setting_value(&s))
                FAIL(l, c, "setting '%.*s' has no value, give it one", PUAN_FMT(s.id));
            else if (have != NULL)
                overlay_setting(l, &list[have - list], &s);
            else
                list[p->n_settings++] = s;
        }
    }
    consts = puan_new_n(l->a, p->n_settings + 1, struct puan_const);
    if (consts == NULL)
        return;
    p->consts = consts;
    if (p->reference_month != 0)
        consts[p->n_consts++] =
            (struct puan_const){ PUAN_STR("ref_month"), p->reference_month };
    for (size_t i = 0; i < p->n_settings; i++)
        if (list[i].kind != PUAN_SETTING_TEXT)
            consts[p->n_consts++] =
                (struct puan_const){ list[i].id, list[i].value };
}

/* --- calendar of offices ------------------------------------------------ */

static bool minute(int *out, struct puan_str s)
{
    int64_t h, m;

    if (s.n != 5 || s.p[2] != ':' ||
        !puan_int_parse(&h, (struct puan_str){ s.p, 2 }) ||
        !puan_int_parse(&m, (struct puan_str){ s.p + 3, 2 }) || h < 0 ||
        h > 24 || m < 0 || m > 59)
        return false;
    *out = (int)(h * 60 + m);
    return *out <= 24 * 60;
}

static const int64_t *days(size_t *n, struct loader *l,
                           const struct puan_node *map, const char *key)
{
    size_t k;
    const struct puan_str *t = texts(&k, l, map, key);
    int64_t *d = puan_new_n(l->a, k + 1, int64_t);

    *n = 0;
    for (size_t i = 0; d != NULL && i < k; i++) {
        if (!puan_day_parse(&d[*n], t[i]) || (*n > 0 && d[*n] <= d[*n - 1]))
            FAIL(l, puan_node_get(map, key),
                 "'%.*s' is no day (2020-10-01) after the one before it, "
                 "write them in order",
                 PUAN_FMT(t[i]));
        else
            ++*n;
    }
    return d;
}

static void load_hours(struct loader *l)
{
    static const char *const keys[] = { "from",     "to",       "weekdays",
                                        "holidays", "workdays", NULL };
    const struct puan_node *n = NULL;
    struct puan_plan_hours *h;
    size_t k;
    const struct puan_str *wd;

    for (size_t i = 0; n == NULL && i < l->p->n_packs; i++)
        n = of_pack(l, i, "office_hours");
    if (n == NULL || !only(l, n, keys))
        return;
    h = puan_new(l->a, struct puan_plan_hours);
    if (h == NULL)
        return;
    if (!minute(&h->from_minute, text(l, n, "from")) ||
        !minute(&h->to_minute, text(l, n, "to")) ||
        h->from_minute >= h->to_minute)
        FAIL(l, n, "'from' and 'to' must be times of a day: \"08:30\"");
    wd = texts(&k, l, n, "weekdays");
    for (size_t i = 0; i < k; i++) {
        int64_t d;

        if (!puan_int_parse(&d, wd[i]) || d < 1 || d > 7)
            FAIL(l, puan_node_get(n, "weekdays"),
                 "a weekday must be 1 (Monday) to 7 (Sunday)");
        else
            h->weekdays |= 1u << (d - 1);
    }
    h->holidays = days(&h->n_holidays, l, n, "holidays");
    h->workdays = days(&h->n_workdays, l, n, "workdays");
    if (h->weekdays == 0)
        FAIL(l, n, "'weekdays' names no day of work");
    l->p->hours = h;
}

/* --- secrecy ------------------------------------------------------------ */

static void load_secrecy(struct loader *l)
{
    static const char *const keys[] = { "label", "zh",       "en",
                                        "term",  "audience", NULL };
    const struct puan_node *m = section(l, "secrecy", PUAN_NODE_MAP);
    struct puan_secrecy *list =
        puan_new_n(l->a, m ? m->n : 0, struct puan_secrecy);

    l->p->secrecy = list;
    PUAN_NODE_EACH(c, m)
    {
        struct puan_secrecy *s;

        if (list == NULL || !only(l, c, keys))
            continue;
        s = &list[l->p->n_secrecy++];
        s->id = c->key;
        s->label = (unsigned)number(l, c, "label", 0, 3);
        s->zh = text(l, c, "zh");
        s->en = text(l, c, "en");
        s->term = text(l, c, "term");
        s->audience = text(l, c, "audience");
    }
}

/* --- forms -------------------------------------------------------------- */

/* One map of all code lists: every top-level key of every codes/ file. */
static void gather_lists(struct loader *l)
{
    struct puan_node *last = NULL;

    l->lists = puan_new(l->a, struct puan_node);
    if (l->lists == NULL)
        return;
    l->lists->kind = PUAN_NODE_MAP;
    l->lists->file = "codes";
    for (size_t k = 0; k < l->p->n_packs; k++) {
        for (size_t i = 0; i < l->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &l->pack[k].file[i];

            if (!puan_str_starts(f->path, "codes/") || f->tree == NULL)
                continue;
            PUAN_NODE_EACH(c, f->tree)
            {
                struct puan_node *copy = puan_new(l->a, struct puan_node);

                if (copy == NULL)
                    return;
                if (puan_node_get_s(l->lists, c->key)) {
                    FAIL(l, c, "code list '%.*s' is defined twice",
                         PUAN_FMT(c->key));
                    continue;
                }
                *copy = *c;
                copy->next = NULL;
                if (last)
                    last->next = copy;
                else
                    l->lists->first = copy;
                last = copy;
                l->lists->n++;
            }
        }
    }
}

static struct puan_form *load_form(struct loader *l, struct puan_str id,
                                   size_t ordinal)
{
    struct puan_str path =
        puan_str_of(puan_arena_fmt(l->a, "forms/%.*s.yaml", PUAN_FMT(id)));
    const struct puan_plan_file *file = pack_file(&l->pack[0], path);
    struct puan_form *f = NULL;
    struct puan_err e = { 0 };

    if (file == NULL || file->tree == NULL) {
        FAIL(l, puan_node_get(l->root, "forms"), "there is no %.*s",
             PUAN_FMT(path));
        return NULL;
    }
    if (puan_form_load_all(&f, file->tree, l->lists, l->digest, l->problems,
                           l->a, &e) != PUAN_OK) {
        l->bad = true; /* the problems have been taken already */
        if (l->err->code == PUAN_OK)
            *l->err = e;
        return NULL;
    }
    if (!puan_str_eq(f->id, id))
        FAIL(l, puan_node_get(file->tree, "form"),
             "the form calls itself '%.*s', its file '%.*s'", PUAN_FMT(f->id),
             PUAN_FMT(id));
    f->ordinal = (uint16_t)ordinal;
    f->reference_month = l->p->reference_month;
    f->offset_minutes = l->p->offset_minutes;
    f->key_width = l->p->n_levels ? l->p->level[l->p->ea_level].digits +
                                        l->p->household_digits
                                  : 18;
    return f;
}

static void load_forms(struct loader *l)
{
    struct puan_plan *p = l->p;
    size_t n;
    const struct puan_str *ids = texts(&n, l, l->root, "forms");
    const struct puan_form **form =
        puan_new_n(l->a, n + 1, const struct puan_form *);
    const struct puan_routing **routing =
        puan_new_n(l->a, n + 1, const struct puan_routing *);

    if (form == NULL || routing == NULL)
        return;
    gather_lists(l);
    p->form = form;
    p->routing = routing;
    for (size_t i = 0; i < n; i++) {
        struct puan_form *f = load_form(l, ids[i], i);
        struct puan_routing *r = NULL;
        struct puan_err e = { 0 };

        if (f == NULL)
            continue;
        if (puan_routing_compile(&r, f, p->consts, p->n_consts, l->problems,
                                 l->a, &e) != PUAN_OK) {
            l->bad = true;
            if (l->err->code == PUAN_OK)
                *l->err = e;
        }
        form[p->n_forms] = f;
        routing[p->n_forms++] = r;
    }
    for (size_t i = 0; i < l->pack[0].n_files; i++) {
        const struct puan_plan_file *f = &l->pack[0].file[i];
        struct puan_str id = { f->path.p + 6, f->path.n };
        size_t k = 0;

        if (!puan_str_starts(f->path, "forms/") || f->tree == NULL)
            continue;
        id.n = f->path.n - 6 - 5;
        while (k < n && !puan_str_eq(ids[k], id))
            k++;
        if (k == n)
            FAIL(l, f->tree,
                 "form '%.*s' is not listed under 'forms:' of "
                 "plan.yaml, add it at the end",
                 PUAN_FMT(id));
    }
}

/* --- figures of areas ---------------------------------------------------- */

static void load_sheets(struct loader *l)
{
    struct puan_plan *p = l->p;
    struct puan_str *level = puan_new_n(l->a, p->n_levels, struct puan_str);
    unsigned *digits = puan_new_n(l->a, p->n_levels, unsigned);
    const struct puan_sheet_in in = { .form = p->form,
                                      .n_forms = p->n_forms,
                                      .level = level,
                                      .digits = digits,
                                      .n_levels = p->n_levels,
                                      .consts = p->consts,
                                      .n_consts = p->n_consts };
    const struct puan_dossier **dossier;
    const struct puan_sheet **sheet;
    size_t n = 0;

    for (size_t i = 0; level && digits && i < p->n_levels; i++) {
        level[i] = p->level[i].id;
        digits[i] = p->level[i].digits;
    }
    for (size_t k = 0; k < p->n_packs; k++)
        n += p->pack[k].n_files;
    sheet = puan_new_n(l->a, n + 1, const struct puan_sheet *);
    dossier = puan_new_n(l->a, n + 1, const struct puan_dossier *);
    if (!sheet || !dossier || l->a->failed)
        return;
    p->sheet = sheet;
    p->dossier = dossier;
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];
            struct puan_dossier *d;
            struct puan_sheet *s;
            struct puan_err e = { 0 };

            if (f->tree && puan_str_starts(f->path, "dossiers/")) {
                if (puan_dossier_load(&d, f->tree, &in, l->a, &e) != PUAN_OK)
                    note(l, &e);
                else
                    dossier[p->n_dossiers++] = d;
                continue;
            }
            if (!puan_str_starts(f->path, "figures/") || f->tree == NULL)
                continue;
            if (puan_sheet_load(&s, f->tree, &in, l->a, &e) != PUAN_OK)
                note(l, &e);
            else if (puan_plan_form(p, s->form->id) ||
                     puan_plan_sheet(p, s->form->id))
                FAIL(l, f->tree, "'%.*s' is already a form or sheet",
                     PUAN_FMT(s->form->id));
            else
                sheet[p->n_sheets++] = s;
        }
}

/* --- windows ------------------------------------------------------------ */

/* An instant, or a day: its first moment by the plan's clock. */
static bool moment(int64_t *ms, const struct puan_plan *p, struct puan_str s)
{
    int64_t day;

    if (puan_instant_parse(ms, s))
        return true;
    if (!puan_day_parse(&day, s))
        return false;
    *ms = (day * 24 * 60 - p->offset_minutes) * 60000;
    return true;
}

static void load_window(struct loader *l, struct puan_window *w,
                        const struct puan_node *c)
{
    static const char *const keys[] = { "zh",    "en",    "from", "until",
                                        "forms", "modes", NULL };
    *w = (struct puan_window){ .id = c->key, .at = c };
    if (!only(l, c, keys))
        return;
    w->zh = text(l, c, "zh");
    w->en = text(l, c, "en");
    if (!moment(&w->from_ms, l->p, text(l, c, "from")) ||
        !moment(&w->until_ms, l->p, text(l, c, "until")))
        FAIL(l, c,
             "'from' and 'until' must be days (2020-11-01, from its first "
             "moment) or instants (2020-11-01T00:00:00+08:00)");
    else if (w->from_ms >= w->until_ms)
        FAIL(l, c,
             "'until' is not after 'from'; it is the first moment that "
             "no longer counts, write a later day");
    w->forms = texts(&w->n_forms, l, c, "forms");
    w->modes = texts(&w->n_modes, l, c, "modes");
    for (size_t i = 0; i < w->n_forms; i++)
        if (puan_plan_form(l->p, w->forms[i]) == NULL)
            FAIL(l, puan_node_get(c, "forms"), "no form '%.*s', name one of 'forms'",
                 PUAN_FMT(w->forms[i]));
}

static void load_windows(struct loader *l)
{
    const struct puan_node *m = section(l, "windows", PUAN_NODE_MAP);
    struct puan_window *w = puan_new_n(l->a, m ? m->n : 0, struct puan_window);

    l->p->window = w;
    PUAN_NODE_EACH(c, m)
    if (w != NULL)
        load_window(l, &w[l->p->n_windows++], c);
}

/* --- channels ----------------------------------------------------------- */

static void load_channel(struct loader *l, struct puan_channel *h,
                         const struct puan_node *c)
{
    static const char *const keys[] = { "zh", "en", "forms", NULL };
    const struct puan_node *forms = puan_node_get(c, "forms");

    *h = (struct puan_channel){ .id = c->key, .at = c };
    if (!only(l, c, keys))
        return;
    if (puan_str_is(c->key, "enumerator") || puan_str_is(c->key, "self"))
        FAIL(l, c, "'%.*s' is what a listing calls a unit without a channel; "
                   "give the channel a name of its own",
             PUAN_FMT(c->key));
    h->zh = text(l, c, "zh");
    h->en = text(l, c, "en");
    h->forms = texts(&h->n_forms, l, c, "forms");
    if (h->n_forms == 0)
        FAIL(l, c, "the channel has no 'forms', name those that come by it");
    for (size_t i = 0; i < h->n_forms; i++) {
        const struct puan_channel *other =
            puan_plan_channel_of(l->p, h->forms[i]);

        if (puan_plan_form(l->p, h->forms[i]) == NULL)
            FAIL(l, forms, "no form '%.*s', name one of 'forms'",
                 PUAN_FMT(h->forms[i]));
        else if (other != NULL)
            FAIL(l, forms, "form '%.*s' comes by channel '%.*s' already; a "
                           "form has one channel",
                 PUAN_FMT(h->forms[i]), PUAN_FMT(other->id));
    }
}

static void load_channels(struct loader *l)
{
    const struct puan_node *m = section(l, "channels", PUAN_NODE_MAP);
    struct puan_channel *h;

    if (m == NULL)
        return;
    h = puan_new_n(l->a, m->n, struct puan_channel);
    l->p->channel = h;
    PUAN_NODE_EACH(c, m)
    if (h != NULL) {
        load_channel(l, &h[l->p->n_channels], c);
        l->p->n_channels++;
    }
}

/* --- expressions over forms --------------------------------------------- */

/*
 * Compiles an expression against every form that has the entity; it must fit
 * one of them.  The failure told is that of the first such form.
 */
static void fits_some_form(struct loader *l, struct puan_str entity,
                           struct puan_str expr, const struct puan_node *at,
                           bool condition)
{
    struct puan_err first = { 0 };
    bool any = false;

    if (expr.n == 0)
        return;
    for (size_t i = 0; i < l->p->n_forms; i++) {
        const struct puan_form *f = l->p->form[i];
        int e = puan_form_entity(f, entity);
        struct puan_expr *x;
        struct puan_err err = { 0 };

        if (e < 0)
            continue;
        any = true;
        if ((condition ? puan_expr_compile_truth : puan_expr_compile)(
                &x, f, (uint16_t)e, l->p->consts, l->p->n_consts, expr,
                at ? at->file : "plan", at ? at->line : 0, l->a,
                &err) == PUAN_OK)
            return;
        if (first.code == PUAN_OK)
            first = err;
    }
    if (!any)
        FAIL(l, at, "no form has an entity '%.*s', mend the name", PUAN_FMT(entity));
    else
        note(l, &first);
}

/* --- residence, variables, tables --------------------------------------- */

static void load_residence(struct loader *l)
{
    static const char *const keys[] = { "entity", "cases", NULL };
    static const char *const case_keys[] = {
        "case", "zh", "en", "when", "de_facto", "registered", "resident", NULL
    };
    const struct puan_node *n = section(l, "residence", PUAN_NODE_MAP);
    const struct puan_node *cases = puan_node_get(n, "cases");
    struct puan_residence_case *list;

    if (n == NULL || !only(l, n, keys))
        return;
    l->p->residence_entity = text(l, n, "entity");
    if (cases == NULL || cases->kind != PUAN_NODE_LIST || cases->n == 0) {
        FAIL(l, n, "'cases' must be a list of residence cases");
        return;
    }
    list = puan_new_n(l->a, cases->n, struct puan_residence_case);
    if (list == NULL)
        return;
    l->p->residence = list;
    PUAN_NODE_EACH(c, cases)
    {
        struct puan_residence_case *r = &list[l->p->n_residence++];

        r->at = c;
        if (!only(l, c, case_keys))
            continue;
        r->id = number(l, c, "case", 1, 999);
        r->zh = text(l, c, "zh");
        r->en = text(l, c, "en");
        r->when = text(l, c, "when");
        r->de_facto = truth(l, c, "de_facto", false);
        r->registered = truth(l, c, "registered", false);
        r->resident = truth(l, c, "resident", false);
        fits_some_form(l, l->p->residence_entity, r->when,
                       puan_node_get(c, "when"), true);
    }
}

static void load_variables(struct loader *l)
{
    static const char *const keys[] = { "zh",   "en",    "entity",
                                        "expr", "codes", NULL };
    const struct puan_node *m = section(l, "variables", PUAN_NODE_MAP);
    struct puan_variable *list =
        puan_new_n(l->a, m ? m->n : 0, struct puan_variable);

    l->p->variable = list;
    PUAN_NODE_EACH(c, m)
    {
        const struct puan_node *codes = puan_node_get(c, "codes");
        struct puan_codelist *cl = NULL;
        struct puan_err e = { 0 };
        struct puan_variable *v;

        if (list == NULL)
            return;
        v = &list[l->p->n_variables++];
        v->id = c->key;
        v->at = c;
        if (!only(l, c, keys))
            continue;
        v->zh = text(l, c, "zh");
        v->en = text(l, c, "en");
        v->entity = text(l, c, "entity");
        v->expr = text(l, c, "expr");
        if (codes != NULL && codes->kind == PUAN_NODE_SCALAR &&
            puan_node_get_s(l->lists, codes->text))
            codes = puan_node_get_s(l->lists, codes->text);
        if (codes == NULL)
            FAIL(l, c, "variable '%.*s' needs 'codes', the classes it gives",
                 PUAN_FMT(v->id));
        else if (puan_codelist_load(&cl, codes, l->a, &e) != PUAN_OK)
            note(l, &e);
        v->codes = cl;
        fits_some_form(l, v->entity, v->expr, puan_node_get(c, "expr"), false);
    }
}

/* Is it a coded item of that entity in some form? */
static bool coded_item(const struct puan_plan *p, struct puan_str entity,
                       struct puan_str name)
{
    for (size_t i = 0; i < p->n_forms; i++) {
        int e = puan_form_entity(p->form[i], entity);
        int k = e < 0 ? -1 : puan_entity_item(&p->form[i]->entity[e], name);

        if (k >= 0 && p->form[i]->entity[e].items[k].type == PUAN_TYPE_CODE)
            return true;
    }
    return false;
}

static void load_by(struct loader *l, struct puan_table_plan *t,
                    const struct puan_node *c)
{
    size_t n;
    const struct puan_str *names = texts(&n, l, c, "by");
    struct puan_by *by = puan_new_n(l->a, n, struct puan_by);

    t->by = by;
    for (size_t i = 0; by != NULL && i < n; i++) {
        struct puan_by *b = &by[t->n_by];
        int level = puan_plan_level(l->p, names[i]);

        b->name = names[i];
        if (level >= 0 && !l->p->level[level].external) {
            b->kind = PUAN_BY_LEVEL;
            b->index = (size_t)level;
            t->n_by++;
            continue;
        }
        b->kind = PUAN_BY_VARIABLE;
        while (b->index < l->p->n_variables &&
               !puan_str_eq(l->p->variable[b->index].id, names[i]))
            b->index++;
        if (b->index < l->p->n_variables) {
            if (!puan_str_eq(l->p->variable[b->index].entity, t->entity))
                FAIL(l, puan_node_get(c, "by"),
                     "variable '%.*s' is of entity '%.*s', the table of "
                     "'%.*s', mend one",
                     PUAN_FMT(names[i]),
                     PUAN_FMT(l->p->variable[b->index].entity),
                     PUAN_FMT(t->entity));
            t->n_by++;
        } else if (puan_str_is(names[i], "residents")) {
            b->kind = PUAN_BY_RESIDENTS;
            t->n_by++;
        } else if (coded_item(l->p, t->entity, names[i])) {
            b->kind = PUAN_BY_ITEM;
            t->n_by++;
        } else {
            FAIL(l, puan_node_get(c, "by"),
                 "'%.*s' is no level, variable or coded item of entity "
                 "'%.*s', mend the name",
                 PUAN_FMT(names[i]), PUAN_FMT(t->entity));
        }
    }
    if (n == 0)
        FAIL(l, c, "'by' must list what the table goes by");
}

static void load_tables(struct loader *l)
{
    static const char *const keys[] = { "zh",    "en", "entity", "base",
                                        "where", "by", NULL };
    static const char *const bases[] = { "resident", "de-facto", "registered",
                                         "all" };
    const struct puan_node *m = section(l, "tables", PUAN_NODE_MAP);
    struct puan_table_plan *list =
        puan_new_n(l->a, m ? m->n : 0, struct puan_table_plan);

    l->p->table = list;
    PUAN_NODE_EACH(c, m)
    {
        struct puan_table_plan *t;
        struct puan_str base;
        size_t k = 0;

        if (list == NULL)
            return;
        t = &list[l->p->n_tables++];
        t->id = c->key;
        t->at = c;
        if (!only(l, c, keys))
            continue;
        t->zh = text(l, c, "zh");
        t->en = text(l, c, "en");
        t->entity = text(l, c, "entity");
        t->where = puan_node_str_opt(c, "where", "");
        base = text(l, c, "base");
        while (k < PUAN_COUNT(bases) && !puan_str_is(base, bases[k]))
            k++;
        if (k == PUAN_COUNT(bases))
            FAIL(l, puan_node_get(c, "base"),
                 "'base' must be resident, de-facto, registered or all");
        else
            t->base = (enum puan_base)k;
        fits_some_form(l, t->entity, t->where, puan_node_get(c, "where"), true);
        load_by(l, t, c);
    }
}

/* --- the whole ---------------------------------------------------------- */

static void load_head(struct loader *l)
{
    static const char *const keys[] = { "plan",
                                        "version",
                                        "scope",
                                        "zh",
                                        "en",
                                        "uses",
                                        "offset_minutes",
                                        "reference_month",
                                        "reference_moment",
                                        "levels",
                                        "household_digits",
                                        "shard_level",
                                        "roles",
                                        "windows",
                                        "channels",
                                        "settings",
                                        "office_hours",
                                        "forms",
                                        "residence",
                                        "variables",
                                        "tables",
                                        "secrecy",
                                        NULL };
    struct puan_plan *p = l->p;
    struct puan_str s;

    (void)only(l, l->root, keys);
    p->id = text(l, l->root, "plan");
    p->version = text(l, l->root, "version");
    p->zh = text(l, l->root, "zh");
    p->en = text(l, l->root, "en");
    p->scope = text(l, l->root, "scope");
    if (!puan_str_is(p->scope, "office") && !puan_str_is(p->scope, "campaign"))
        FAIL(l, puan_node_get(l->root, "scope"),
             "'scope' must be office or campaign");
    p->offset_minutes = (int)number(l, l->root, "offset_minutes", -840, 840);
    if (!puan_str_is(p->scope, "campaign"))
        return;
    s = text(l, l->root, "reference_month");
    if (!puan_month_parse(&p->reference_month, s))
        FAIL(l, puan_node_get(l->root, "reference_month"),
             "'reference_month' must be a month such as 2020-11");
    s = text(l, l->root, "reference_moment");
    if (!moment(&p->reference_ms, p, s))
        FAIL(l, puan_node_get(l->root, "reference_moment"),
             "'reference_moment' must be an instant such as "
             "2020-11-01T00:00:00+08:00");
    else if (puan_instant_month(p->reference_ms, p->offset_minutes) !=
             p->reference_month)
        FAIL(l, puan_node_get(l->root, "reference_moment"),
             "'reference_moment' does not lie in 'reference_month', mend one");
}

enum puan_status puan_plan_load(struct puan_plan **out,
                                struct puan_plan_pack *pack, size_t n_packs,
                                const struct puan_digest_fn *digest,
                                struct puan_problems *problems,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_err own = { 0 };
    struct puan_plan *p = puan_new(a, struct puan_plan);
    struct loader l = { .p = p,
                        .pack = pack,
                        .digest = digest,
                        .problems = problems,
                        .a = a,
                        .err = err ? err : &own };
    const struct puan_plan_file *file;
    bool campaign, bad, levels;

    if (p == NULL)
        return puan_arena_check(a, err);
    p->pack = pack;
    p->n_packs = n_packs;
    file = n_packs ? pack_file(&pack[0], PUAN_STR("plan.yaml")) : NULL;
    if (file == NULL || file->tree == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "plan",
                         "the pack has no plan.yaml");
    l.root = file->tree;
    load_head(&l);
    campaign = puan_str_is(p->scope, "campaign");
    load_uses(&l);
    digests(&l);
    load_overlay(&l);
    fill_files(&l);
    bad = l.bad;
    l.bad = false;
    load_levels(&l);
    levels = !l.bad;
    l.bad |= bad;
    load_roles(&l);
    load_settings(&l);
    load_hours(&l);
    load_secrecy(&l);
    if (campaign || puan_node_get(l.root, "forms")) {
        load_forms(&l);
        if (levels) /* else its faults would be told again from afar */
            load_sheets(&l);
        load_windows(&l);
        load_channels(&l);
        load_residence(&l);
        load_variables(&l);
        load_tables(&l);
    }
    if (a->failed)
        return puan_arena_check(a, l.err);
    if (l.bad)
        return l.err->code;
    *out = p;
    return PUAN_OK;
}
