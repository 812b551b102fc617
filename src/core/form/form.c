/*
 * Form definitions from plan trees.
 */
#include "core/form/form.h"

#include "base/calendar.h"
#include "base/out.h"
#include "core/form/scheme.h"

/* --- problems ----------------------------------------------------------- */

void puan_problem_take(struct puan_problems *p, struct puan_err *err)
{
    if (p != NULL && err->code != PUAN_OK) {
        if (p->n < (p->max ? p->max : 200)) {
            struct puan_problem *q = puan_new(p->arena, struct puan_problem);

            if (q != NULL) {
                q->file = puan_arena_dup(p->arena, puan_str_of(err->where));
                q->text = puan_arena_dup(p->arena, puan_str_of(err->text));
                q->line = err->line;
                q->col = err->col;
                if (p->last)
                    p->last->next = q;
                else
                    p->first = q;
                p->last = q;
            }
        }
        p->n++;
    }
    *err = (struct puan_err){ 0 };
}

/* What is known while one form is read. */
struct reader {
    struct puan_arena *a;
    const struct puan_node *own, *shared; /* maps of code lists */
    struct puan_form *f;
    const struct puan_codelist **lists;
    size_t n_lists, cap_lists;
    const struct puan_codelist *reasons; /* the form's default */
    const struct puan_node *schemes;
    struct puan_problems *problems;
    struct puan_err *err; /* the first failure */
    bool bad;
};

/* Notes a failure held in e, and clears e. */
static void note(struct reader *r, struct puan_err *e)
{
    if (e->code == PUAN_OK)
        return;
    r->bad = true;
    if (r->err != NULL && r->err->code == PUAN_OK)
        *r->err = *e;
    puan_problem_take(r->problems, e);
}

/* --- code lists --------------------------------------------------------- */

/* Is text the plain decimal form of value? */
static bool plain(struct puan_str text, int64_t value)
{
    char buf[24];

    puan_format(buf, sizeof(buf), "%lld", (long long)value);
    return puan_str_is(text, buf);
}

static enum puan_status
code_load(struct puan_code *c, const struct puan_node *n, struct puan_err *err)
{
    static const char *const keys[] = { "value", "zh", "en", NULL };
    enum puan_status st;

    c->text = n->key;
    if (n->key.n == 0 || n->key.n > 32)
        return puan_node_fail(n, err,
                              "a code must have 1 to 32 characters, not '%.*s'",
                              PUAN_FMT(n->key));
    st = puan_node_only(n, keys, err);
    if (st == PUAN_OK)
        st = puan_node_str(&c->zh, n, "zh", err);
    if (st == PUAN_OK)
        st = puan_node_str(&c->en, n, "en", err);
    if (st != PUAN_OK)
        return st;
    if (puan_node_get(n, "value"))
        return puan_node_int(&c->value, n, "value", 0, INT32_MAX, err);
    if (!puan_int_parse(&c->value, n->key) || c->value < 0)
        return puan_node_fail(n, err,
                              "code '%.*s' is no number, give it a 'value:'",
                              PUAN_FMT(n->key));
    return PUAN_OK;
}

enum puan_status puan_codelist_load(struct puan_codelist **out,
                                    const struct puan_node *list,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_codelist *l = puan_new(a, struct puan_codelist);
    struct puan_code *c;
    size_t n = 0;
    enum puan_status st;

    if (list == NULL || list->kind != PUAN_NODE_MAP || list->n == 0)
        return puan_node_fail(list, err,
                              "a code list is a map: 1: {zh: ..., en: ...}");
    c = puan_new_n(a, list->n, struct puan_code);
    if (l == NULL || c == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(k, list)
    {
        struct puan_code code = { 0 };
        size_t i;

        st = code_load(&code, k, err);
        if (st != PUAN_OK)
            return st;
        for (i = n; i > 0 && c[i - 1].value >= code.value; i--) {
            if (c[i - 1].value == code.value)
                return puan_node_fail(
                    k, err, "code '%.*s' has the value of '%.*s'",
                    PUAN_FMT(code.text), PUAN_FMT(c[i - 1].text));
            c[i] = c[i - 1];
        }
        c[i] = code;
        n++;
    }
    l->name = list->key;
    l->codes = c;
    l->n = n;
    l->numeric = l->dense = true;
    for (size_t i = 0; i < n; i++) {
        l->numeric = l->numeric && plain(c[i].text, c[i].value);
        l->dense = l->dense && c[i].value == c[0].value + (int64_t)i;
    }
    *out = l;
    return PUAN_OK;
}

const struct puan_code *puan_codes_misread(const struct puan_codelist *l)
{
    int64_t v;

    for (size_t i = 0; l && i < l->n; i++)
        if (puan_int_parse(&v, l->codes[i].text) && v != l->codes[i].value)
            return &l->codes[i];
    return NULL;
}

const struct puan_code *puan_code_by_value(const struct puan_codelist *l,
                                           int64_t value)
{
    size_t lo = 0, hi;

    if (l == NULL || l->n == 0 || value < l->codes[0].value)
        return NULL;
    if (l->dense)
        return value - l->codes[0].value < (int64_t)l->n
                   ? &l->codes[value - l->codes[0].value]
                   : NULL;
    hi = l->n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (l->codes[mid].value <= value)
            lo = mid;
        else
            hi = mid;
    }
    return l->codes[lo].value == value ? &l->codes[lo] : NULL;
}

const struct puan_code *puan_code_by_text(const struct puan_codelist *l,
                                          struct puan_str text)
{
    const struct puan_code *c;
    int64_t v;

    if (l == NULL)
        return NULL;
    if (puan_int_parse(&v, text)) {
        c = puan_code_by_value(l, v);
        if (c != NULL && puan_str_eq(c->text, text))
            return c;
    }
    if (!l->numeric)
        for (size_t i = 0; i < l->n; i++)
            if (puan_str_eq(l->codes[i].text, text))
                return &l->codes[i];
    return NULL;
}

/* The list that a `codes:` or `reasons:` value means. */
static enum puan_status list_of(const struct puan_codelist **out,
                                struct reader *r, const struct puan_node *n,
                                struct puan_err *err)
{
    const struct puan_node *def;
    struct puan_codelist *l;
    enum puan_status st;

    if (n->kind == PUAN_NODE_MAP) {
        def = n;
    } else if (n->kind == PUAN_NODE_SCALAR) {
        for (size_t i = 0; i < r->n_lists; i++) {
            if (puan_str_eq(r->lists[i]->name, n->text)) {
                *out = r->lists[i];
                return PUAN_OK;
            }
        }
        def = puan_node_get_s(r->own, n->text);
        if (def == NULL)
            def = puan_node_get_s(r->shared, n->text);
        if (def == NULL)
            return puan_node_fail(n, err,
                                  "no code list '%.*s', define it under "
                                  "'codes:' here or in codes/",
                                  PUAN_FMT(n->text));
    } else {
        return puan_node_fail(n, err, "expected the name of a code list");
    }
    st = puan_codelist_load(&l, def, r->a, err);
    if (st != PUAN_OK)
        return st;
    if (def == n) /* in place: named by the item, see load_item */
        l->name = PUAN_STR("");
    if (r->n_lists < r->cap_lists)
        r->lists[r->n_lists++] = l;
    *out = l;
    return PUAN_OK;
}

/* --- items -------------------------------------------------------------- */

struct type_row {
    const char *name;
    enum puan_item_type type;
    enum puan_zone zone;
};

static const struct type_row types[] = {
    { "code", PUAN_TYPE_CODE, PUAN_ZONE_FRAME },
    { "int", PUAN_TYPE_INT, PUAN_ZONE_FRAME },
    { "decimal", PUAN_TYPE_FIXED, PUAN_ZONE_FRAME },
    { "month", PUAN_TYPE_MONTH, PUAN_ZONE_FRAME },
    { "date", PUAN_TYPE_DATE, PUAN_ZONE_FRAME },
    { "area", PUAN_TYPE_AREA, PUAN_ZONE_FRAME },
    { "text", PUAN_TYPE_TEXT, PUAN_ZONE_TEXT },
    { "name", PUAN_TYPE_NAME, PUAN_ZONE_VAULT },
    { "citizen-id", PUAN_TYPE_CITIZEN_ID, PUAN_ZONE_VAULT },
    { "phone", PUAN_TYPE_PHONE, PUAN_ZONE_VAULT },
    { "point", PUAN_TYPE_POINT, PUAN_ZONE_VAULT },
};

struct fact_row {
    enum puan_item_type of;
    enum puan_fact fact;
    const char *name, *zh, *en;
    int64_t min, max;
};

static const struct fact_row facts[] = {
    { PUAN_TYPE_CITIZEN_ID, PUAN_FACT_ID_CHECK, "id_check", "号码校验结果",
      "check of the number", 0, 5 },
    { PUAN_TYPE_CITIZEN_ID, PUAN_FACT_ID_MONTH, "id_month", "号码中的出生年月",
      "month of birth in the number", 0, INT64_MAX },
    { PUAN_TYPE_CITIZEN_ID, PUAN_FACT_ID_SEX, "id_sex", "号码中的性别",
      "sex in the number", 1, 2 },
    { PUAN_TYPE_CITIZEN_ID, PUAN_FACT_ID_REGION, "id_region", "号码中的地区码",
      "region in the number", 0, 999999 },
    { PUAN_TYPE_NAME, PUAN_FACT_NAME_LENGTH, "name_length", "姓名字数",
      "length of the name", 0, INT32_MAX },
    { PUAN_TYPE_NAME, PUAN_FACT_NAME_CLASS, "name_class", "姓名类别",
      "class of the name", 0, 2 },
    { PUAN_TYPE_PHONE, PUAN_FACT_PHONE_CLASS, "phone_class", "电话类别",
      "class of the phone", 0, 3 },
};

/* Words of the rule language; an item of that name could not be named. */
static const char *const reserved[] = { "rule", "const", "define", "set",
                                        "zh",   "en",    "when",   "check",
                                        "fail", "where", "and",    "or",
                                        "not",  "in",    "mod",    "row",
                                        "self", "true",  "false" };

static bool name_ok(struct puan_str s)
{
    if (s.n == 0 || s.n > 31 || (s.p[0] >= '0' && s.p[0] <= '9'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    for (size_t i = 0; i < PUAN_COUNT(reserved); i++)
        if (puan_str_is(s, reserved[i]))
            return false;
    return true;
}

#define NAME_RULE                                                              \
    "is no name: letters, digits and _, not a digit first, at most 31, no "    \
    "word of the rule language"

/* A bound as the item's type writes its answers. */
static bool bound(int64_t *out, const struct puan_item *it,
                  struct puan_str text)
{
    switch (it->type) {
    case PUAN_TYPE_MONTH:
        return puan_month_parse(out, text);
    case PUAN_TYPE_DATE:
        return puan_day_parse(out, text);
    case PUAN_TYPE_FIXED:
        return puan_fixed_parse(out, text, it->places);
    case PUAN_TYPE_INT:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
        return puan_int_parse(out, text);
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_AREA:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
    return false;
}

static void default_bounds(struct puan_item *it)
{
    it->min = 0;
    it->max = INT64_MAX;
    if (it->type == PUAN_TYPE_MONTH) {
        it->min = 1800 * 12;
        it->max = 2199 * 12 + 11;
    } else if (it->type == PUAN_TYPE_DATE) {
        it->min = puan_day_of(1800, 1, 1);
        it->max = puan_day_of(2199, 12, 31);
    } else if (it->type == PUAN_TYPE_TEXT) {
        it->max = 500; /* characters */
    } else if (it->type == PUAN_TYPE_NAME) {
        it->max = 100;
    } else if (it->type == PUAN_TYPE_INT || it->type == PUAN_TYPE_FIXED) {
        it->max = 999999999999;
    }
}

static enum puan_status bounds(struct puan_item *it, const struct puan_node *n,
                               struct puan_err *err)
{
    static const char *const keys[] = { "min", "max" };

    default_bounds(it);
    for (size_t i = 0; i < 2; i++) {
        const struct puan_node *b = puan_node_get(n, keys[i]);

        if (b == NULL)
            continue;
        if (b->kind != PUAN_NODE_SCALAR ||
            !bound(i ? &it->max : &it->min, it, b->text))
            return puan_node_fail(b, err, "'%s' is no value of this type",
                                  keys[i]);
    }
    if (it->min > it->max)
        return puan_node_fail(n, err, "'min' is larger than 'max'");
    return PUAN_OK;
}

static enum puan_status
item_type(struct puan_item *it, const struct puan_node *n, struct puan_err *err)
{
    struct puan_str type, zone;
    size_t i;
    enum puan_status st = puan_node_str(&type, n, "type", err);

    if (st != PUAN_OK)
        return st;
    for (i = 0; i < PUAN_COUNT(types); i++)
        if (puan_str_is(type, types[i].name))
            break;
    if (i == PUAN_COUNT(types))
        return puan_node_fail(puan_node_get(n, "type"), err,
                              "unknown type '%.*s': code int decimal month "
                              "date area text name citizen-id phone point",
                              PUAN_FMT(type));
    it->type = types[i].type;
    it->zone = types[i].zone;
    zone = puan_node_str_opt(n, "zone", "");
    if (zone.n == 0)
        return PUAN_OK;
    if (puan_str_is(zone, "frame") && types[i].zone == PUAN_ZONE_FRAME)
        return PUAN_OK;
    if (puan_str_is(zone, "text") && it->type == PUAN_TYPE_TEXT)
        return PUAN_OK;
    if (puan_str_is(zone, "vault") && types[i].zone != PUAN_ZONE_FRAME) {
        it->zone = PUAN_ZONE_VAULT;
        return PUAN_OK;
    }
    return puan_node_fail(puan_node_get(n, "zone"), err,
                          "an item of type %s cannot be in zone '%.*s'; only "
                          "text may choose, text or vault",
                          types[i].name, PUAN_FMT(zone));
}

/* A text for readers, which browsers take from the definition itself. */
static enum puan_status both_languages(const struct puan_node *n,
                                       const char *key, struct puan_err *err)
{
    static const char *const keys[] = { "zh", "en", NULL };
    const struct puan_node *c = puan_node_get(n, key);
    struct puan_str text;
    enum puan_status st;

    if (c == NULL)
        return PUAN_OK;
    if (c->kind != PUAN_NODE_MAP)
        return puan_node_fail(c, err, "'%s' stands in both languages: "
                                      "{zh: ..., en: ...}", key);
    st = puan_node_only(c, keys, err);
    if (st == PUAN_OK)
        st = puan_node_str(&text, c, "zh", err);
    return st == PUAN_OK ? puan_node_str(&text, c, "en", err) : st;
}

/* Which keys suit which type. */
static enum puan_status item_keys(const struct puan_item *it,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    static const char *const keys[] = {
        "type",  "zone",   "zh",     "en",         "codes",    "min",
        "max",   "places", "digits", "asked_if",   "required", "reasons",
        "alias", "group",  "from",   "key_digits", "hint",     "identifies",
        "why",   "scheme", "words",  NULL
    };
    const struct puan_node *c;
    enum puan_status st = puan_node_only(n, keys, err);

    if (st == PUAN_OK)
        st = both_languages(n, "why", err);
    if (st != PUAN_OK)
        return st;
    if ((puan_node_get(n, "codes") != NULL) != (it->type == PUAN_TYPE_CODE))
        return puan_node_fail(n, err,
                              "'codes' stands with type code, and only "
                              "there");
    if ((puan_node_get(n, "digits") != NULL) != (it->type == PUAN_TYPE_AREA))
        return puan_node_fail(n, err,
                              "'digits' stands with type area, and "
                              "only there");
    c = puan_node_get(n, "places");
    if ((c != NULL) != (it->type == PUAN_TYPE_FIXED))
        return puan_node_fail(c ? c : n, err,
                              "'places' stands with type "
                              "decimal, and only there");
    c = puan_node_get(n, "scheme");
    if (c != NULL && it->type != PUAN_TYPE_TEXT)
        return puan_node_fail(c, err, "'scheme' stands with type text, and "
                                      "only there");
    c = puan_node_get(n, "words");
    if (c != NULL && it->type != PUAN_TYPE_TEXT && it->type != PUAN_TYPE_NAME)
        return puan_node_fail(c, err, "'words' stands with type text or name, "
                                      "and only there");
    return PUAN_OK;
}

/* A code list as a part of a scheme names it. */
static enum puan_status scheme_list(const struct puan_codelist **out, void *ctx,
                                    const struct puan_node *n,
                                    struct puan_err *err)
{
    return list_of(out, ctx, n, err);
}

/* `scheme:` and `words:` of an item. */
static enum puan_status item_plan_facts(struct puan_item *it, struct reader *r,
                                        const struct puan_node *n,
                                        struct puan_err *err)
{
    const struct puan_node *c = puan_node_get(n, "words"), *def;
    struct puan_scheme *s;
    enum puan_status st = PUAN_OK;

    if (c != NULL)
        st = list_of(&it->words, r, c, err);
    c = puan_node_get(n, "scheme");
    if (st != PUAN_OK || c == NULL)
        return st;
    def = puan_node_get_s(r->schemes, c->text);
    if (def == NULL)
        return puan_node_fail(c, err, "no scheme '%.*s', describe it under "
                                      "'schemes:' of the form",
                              PUAN_FMT(c->text));
    st = puan_scheme_load(&s, def, scheme_list, r, r->a, err);
    if (st == PUAN_OK)
        it->scheme = s;
    for (size_t i = 0; st == PUAN_OK && i < s->n_parts; i++)
        if (!name_ok(s->part[i].name) ||
            puan_str_is(s->part[i].name, "number_check") ||
            puan_str_is(s->part[i].name, "word"))
            st = puan_node_fail(def, err, "a part cannot be called '%.*s'",
                                PUAN_FMT(s->part[i].name));
    return st;
}

struct from_row {
    const char *name;
    enum puan_from from;
    enum puan_item_type type;
};

static const struct from_row froms[] = {
    { "key", PUAN_FROM_KEY, PUAN_TYPE_INT },
    { "key", PUAN_FROM_KEY, PUAN_TYPE_AREA },
    { "mode", PUAN_FROM_MODE, PUAN_TYPE_CODE },
    { "signed", PUAN_FROM_SIGNED, PUAN_TYPE_CODE },
    { "seconds", PUAN_FROM_SECONDS, PUAN_TYPE_INT },
    { "start", PUAN_FROM_START, PUAN_TYPE_INT },
    { "device", PUAN_FROM_DEVICE, PUAN_TYPE_INT },
};

static enum puan_status
item_from(struct puan_item *it, const struct puan_node *n, struct puan_err *err)
{
    const struct puan_node *kd = puan_node_get(n, "key_digits");
    struct puan_str from = puan_node_str_opt(n, "from", kd ? "key" : "");
    int64_t v = it->digits;
    enum puan_status st = PUAN_OK;
    size_t i = 0;

    if (from.n == 0)
        return PUAN_OK;
    while (i < PUAN_COUNT(froms) &&
           !(puan_str_is(from, froms[i].name) && it->type == froms[i].type))
        i++;
    if (i == PUAN_COUNT(froms))
        return puan_node_fail(n, err,
                              "'from: %.*s' does not suit this type: key "
                              "(int, area) mode signed (code) seconds start "
                              "device (int)",
                              PUAN_FMT(from));
    it->from = froms[i].from;
    if (it->from != PUAN_FROM_KEY)
        return kd ? puan_node_fail(kd, err, "'key_digits' wants 'from: key'")
                  : PUAN_OK;
    if (kd != NULL || it->type == PUAN_TYPE_INT)
        st = puan_node_int(&v, n, "key_digits", 1, 18, err);
    if (st == PUAN_OK && it->type == PUAN_TYPE_AREA && v != it->digits)
        return puan_node_fail(kd, err,
                              "an area out of the household key has "
                              "'key_digits' equal to 'digits'");
    it->key_digits = (unsigned)v;
    return st;
}

static enum puan_status load_item(struct puan_item *it, struct reader *r,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    const struct puan_node *c;
    int64_t v = 0;
    enum puan_status st;

    *it = (struct puan_item){ .name = n->key, .fact_of = -1, .at = n };
    if (!name_ok(n->key))
        return puan_node_fail(n, err, "'%.*s' " NAME_RULE, PUAN_FMT(n->key));
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "item %.*s must be a map with 'type'",
                              PUAN_FMT(n->key));
    st = item_type(it, n, err);
    if (st == PUAN_OK)
        st = item_keys(it, n, err);
    if (st == PUAN_OK)
        st = puan_node_str(&it->zh, n, "zh", err);
    if (st == PUAN_OK)
        st = puan_node_str(&it->en, n, "en", err);
    if (st == PUAN_OK)
        st = puan_node_bool(&it->required, n, "required", true, err);
    if (st == PUAN_OK && puan_node_get(n, "digits")) {
        st = puan_node_int(&v, n, "digits", 1, 18, err);
        it->digits = (unsigned)v;
    }
    if (st == PUAN_OK && puan_node_get(n, "places")) {
        st = puan_node_int(&v, n, "places", 1, 9, err);
        it->places = (unsigned)v;
    }
    if (st == PUAN_OK)
        st = item_from(it, n, err);
    if (st == PUAN_OK)
        st = bounds(it, n, err);
    c = puan_node_get(n, "codes");
    if (st == PUAN_OK && c != NULL)
        st = list_of(&it->codes, r, c, err);
    it->reasons = r->reasons;
    c = puan_node_get(n, "reasons");
    if (st == PUAN_OK && c != NULL)
        st = list_of(&it->reasons, r, c, err);
    if (st == PUAN_OK)
        st = puan_node_bool(&it->identifies, n, "identifies",
                            it->type == PUAN_TYPE_CITIZEN_ID, err);
    if (st == PUAN_OK && it->identifies && it->zone != PUAN_ZONE_VAULT)
        st = puan_node_fail(puan_node_get(n, "identifies"), err,
                            "an item that identifies is of zone vault");
    if (st == PUAN_OK)
        st = item_plan_facts(it, r, n, err);
    it->alias = puan_node_str_opt(n, "alias", "");
    it->group = puan_node_str_opt(n, "group", "");
    it->asked_if = puan_node_str_opt(n, "asked_if", "");
    if (st == PUAN_OK && it->alias.n > 0 && !name_ok(it->alias))
        st = puan_node_fail(puan_node_get(n, "alias"), err, "'%.*s' " NAME_RULE,
                            PUAN_FMT(it->alias));
    if (st == PUAN_OK && puan_str_eq(it->alias, it->name))
        st = puan_node_fail(puan_node_get(n, "alias"), err,
                            "'%.*s' is the item's own name, leave the alias "
                            "out",
                            PUAN_FMT(it->alias));
    return st;
}

/* How many facts stand behind an item. */
static size_t count_facts(const struct puan_item *it)
{
    size_t n = (it->words != NULL) +
               (it->scheme != NULL ? 1 + it->scheme->n_parts : 0);

    for (size_t i = 0; i < PUAN_COUNT(facts); i++)
        n += facts[i].of == it->type;
    return n;
}

static void add_fact(struct puan_item *items, uint16_t *n, uint16_t of,
                     const char *name, struct puan_item fact,
                     struct puan_arena *a)
{
    const struct puan_item *base = &items[of];

    fact.name = puan_str_of(
        puan_arena_fmt(a, "%.*s.%s", PUAN_FMT(base->name), name));
    if (base->alias.n > 0)
        fact.alias = puan_str_of(
            puan_arena_fmt(a, "%.*s.%s", PUAN_FMT(base->alias), name));
    fact.type = PUAN_TYPE_FACT;
    fact.zone = PUAN_ZONE_FRAME;
    fact.fact_of = of;
    fact.at = base->at;
    items[(*n)++] = fact;
}

/* Facts that the plan describes: a word found, the parts of a number. */
static void add_plan_facts(struct puan_item *items, uint16_t *n, uint16_t of,
                           struct puan_arena *a)
{
    const struct puan_codelist *words = items[of].words;
    const struct puan_scheme *s = items[of].scheme;

    if (words != NULL)
        add_fact(items, n, of, "word",
                 (struct puan_item){ .zh = PUAN_STR("所含词语的类别"),
                                     .en = PUAN_STR("class of the word it holds"),
                                     .max = words->codes[words->n - 1].value,
                                     .fact = PUAN_FACT_WORD },
                 a);
    if (s == NULL)
        return;
    add_fact(items, n, of, "number_check",
             (struct puan_item){ .zh = PUAN_STR("号码校验结果"),
                                 .en = PUAN_STR("check of the number"),
                                 .max = PUAN_NUMBER_DIGIT +
                                        (int64_t)s->n_checks,
                                 .fact = PUAN_FACT_NUMBER_CHECK },
             a);
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct puan_scheme_part *p = &s->part[i];

        add_fact(items, n, of, puan_arena_dup(a, p->name),
                 (struct puan_item){ .zh = p->zh,
                                     .en = p->en,
                                     .max = INT64_MAX,
                                     .codes = p->codes,
                                     .digits = p->digits,
                                     .part = (uint16_t)i,
                                     .fact = PUAN_FACT_NUMBER_PART },
                 a);
    }
}

static void add_facts(struct puan_item *items, uint16_t *n, uint16_t of,
                      struct puan_arena *a)
{
    const struct puan_item *base = &items[of];

    for (size_t i = 0; i < PUAN_COUNT(facts); i++) {
        const struct fact_row *row = &facts[i];

        if (row->of != base->type)
            continue;
        add_fact(items, n, of, row->name,
                 (struct puan_item){
                     .zh = puan_str_of(row->zh),
                     .en = puan_str_of(row->en),
                     .min = row->min,
                     .max = row->max,
                     .fact = row->fact,
                     .digits = row->fact == PUAN_FACT_ID_REGION ? 6 : 0,
                 },
                 a);
    }
    add_plan_facts(items, n, of, a);
}

/* --- names -------------------------------------------------------------- */

static inline uint32_t hash_name(struct puan_str s, uint32_t h)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x01000193u;
    return h ^ h >> 15;
}

static bool place(uint16_t *slot, uint32_t mask, uint32_t seed,
                  struct puan_str s, uint16_t i)
{
    uint32_t k = hash_name(s, seed) & mask;

    if (slot[k] != 0)
        return false;
    slot[k] = (uint16_t)(i + 1);
    return true;
}

/* Finds a seed for which no two names fall together. Names are distinct. */
static void build_names(struct puan_names *names, const struct puan_item *items,
                        uint16_t n, struct puan_arena *a)
{
    uint32_t cap = 8;
    uint16_t *slot;

    while (cap < 4u * n)
        cap *= 2;
    for (;; cap *= 2) {
        slot = puan_new_n(a, cap, uint16_t);
        if (slot == NULL) /* out of memory: an empty table */
            return;
        for (uint32_t seed = 1; seed <= 4096; seed++) {
            bool ok = true;

            memset(slot, 0, cap * sizeof(*slot));
            for (uint16_t i = 0; i < n && ok; i++)
                ok = place(slot, cap - 1, seed, items[i].name, i) &&
                     (items[i].alias.n == 0 ||
                      place(slot, cap - 1, seed, items[i].alias, i));
            if (!ok)
                continue;
            names->seed = seed;
            names->mask = cap - 1;
            names->slot = slot;
            return;
        }
    }
}

int puan_entity_item(const struct puan_entity *e, struct puan_str name)
{
    uint16_t i;

    if (e->names.slot == NULL) {
        /* an entity made by hand (guards): few names, no table of them */
        for (i = 0; i < e->n_items; i++)
            if (puan_str_eq(e->items[i].name, name) ||
                (e->items[i].alias.n > 0 &&
                 puan_str_eq(e->items[i].alias, name)))
                return i;
        return -1;
    }
    i = e->names.slot[hash_name(name, e->names.seed) & e->names.mask];
    if (i == 0)
        return -1;
    i--;
    if (puan_str_eq(e->items[i].name, name) ||
        (e->items[i].alias.n > 0 && puan_str_eq(e->items[i].alias, name)))
        return i;
    return -1;
}

int puan_form_entity(const struct puan_form *f, struct puan_str name)
{
    for (uint16_t i = 0; i < f->n_entities; i++)
        if (puan_str_eq(f->entity[i].name, name))
            return i;
    return -1;
}

/* --- entities and the form ---------------------------------------------- */

static bool same_name(const struct puan_item *x, const struct puan_item *y)
{
    return puan_str_eq(x->name, y->name) ||
           (y->alias.n > 0 && puan_str_eq(x->name, y->alias)) ||
           (x->alias.n > 0 && puan_str_eq(x->alias, y->name)) ||
           (x->alias.n > 0 && y->alias.n > 0 &&
            puan_str_eq(x->alias, y->alias));
}

#define ITEMS_MAX 400

/* The asked items and the facts behind them, in a place of their own. */
static struct puan_item *with_facts(const struct puan_item *asked, uint16_t *n,
                                    struct puan_arena *a)
{
    size_t all = *n;
    uint16_t n_asked = *n;
    struct puan_item *items;

    for (uint16_t i = 0; i < n_asked; i++)
        all += count_facts(&asked[i]);
    items = puan_new_n(a, all + 1, struct puan_item);
    if (items == NULL)
        return NULL;
    memcpy(items, asked, n_asked * sizeof(*items));
    for (uint16_t i = 0; i < n_asked; i++)
        add_facts(items, n, i, a);
    return items;
}

static enum puan_status load_entity(struct puan_entity *e, struct reader *r,
                                    const struct puan_node *n, bool first)
{
    static const char *const keys[] = { "zh", "en", "rows", "items", NULL };
    const struct puan_node *list = puan_node_get(n, "items");
    struct puan_item *items;
    struct puan_err err = { 0 };
    int64_t rows = 1;
    uint16_t k = 0;
    enum puan_status st;

    *e = (struct puan_entity){ .name = n->key, .at = n };
    st = name_ok(n->key)
             ? puan_node_only(n, keys, &err)
             : puan_node_fail(n, &err, "'%.*s' " NAME_RULE, PUAN_FMT(n->key));
    if (st == PUAN_OK)
        st = puan_node_str(&e->zh, n, "zh", &err);
    if (st == PUAN_OK)
        st = puan_node_str(&e->en, n, "en", &err);
    if (st == PUAN_OK && !first)
        st = puan_node_int(&rows, n, "rows", 1, 9999, &err);
    else if (st == PUAN_OK && puan_node_get(n, "rows"))
        (void)puan_node_fail(puan_node_get(n, "rows"), &err,
                             "the first entity has exactly one row, leave "
                             "out 'rows'");
    note(r, &err);
    e->roster = !first;
    e->max_rows = (uint32_t)rows;
    if (list == NULL || list->kind != PUAN_NODE_MAP || list->n == 0 ||
        list->n > ITEMS_MAX) {
        (void)puan_node_fail(n, &err, "'items' must be a map of 1 to %d items",
                             ITEMS_MAX);
        note(r, &err);
        return PUAN_EINVAL;
    }
    items = puan_new_n(r->a, list->n, struct puan_item);
    if (items == NULL) {
        (void)puan_arena_check(r->a, &err);
        note(r, &err);
        return PUAN_ENOMEM;
    }
    PUAN_NODE_EACH(c, list)
    {
        bool ok = load_item(&items[k], r, c, &err) == PUAN_OK;

        for (uint16_t i = 0; ok && i < k; i++) {
            if (same_name(&items[i], &items[k])) {
                (void)puan_node_fail(c, &err,
                                     "name or alias of %.*s is taken by item "
                                     "%.*s",
                                     PUAN_FMT(c->key), PUAN_FMT(items[i].name));
                ok = false;
            }
        }
        note(r, &err);
        k = (uint16_t)(k + (ok ? 1 : 0));
    }
    e->n_asked = k;
    items = with_facts(items, &k, r->a);
    if (items == NULL)
        return PUAN_ENOMEM;
    e->items = items;
    e->n_items = k;
    if (r->a->failed)
        return PUAN_ENOMEM;
    build_names(&e->names, items, k, r->a);
    return PUAN_OK;
}

/* The tree as bytes that do not depend on layout or comments. */
static void canonical(struct puan_out *o, const struct puan_node *n)
{
    puan_out_u8(o, (uint8_t)n->kind);
    puan_out_varint(o, n->key.n);
    puan_out_str(o, n->key);
    puan_out_varint(o, n->text.n);
    puan_out_str(o, n->text);
    puan_out_varint(o, n->n);
    PUAN_NODE_EACH(c, n)
    canonical(o, c);
}

static void digest_words(struct puan_out *o, const struct puan_codelist *l)
{
    for (size_t k = 0; l != NULL && k < l->n; k++) {
        puan_out_varint(o, l->codes[k].zh.n);
        puan_out_str(o, l->codes[k].zh);
        puan_out_varint(o, l->codes[k].en.n);
        puan_out_str(o, l->codes[k].en);
    }
}

static void digest_form(struct reader *r, const struct puan_node *tree,
                        const struct puan_digest_fn *digest)
{
    struct puan_out o;
    struct puan_str view;

    puan_out_init(&o, r->a);
    canonical(&o, tree);
    for (size_t i = 0; i < r->n_lists; i++) {
        const struct puan_codelist *l = r->lists[i];

        puan_out_varint(&o, l->n);
        for (size_t k = 0; k < l->n; k++) {
            puan_out_svarint(&o, l->codes[k].value);
            puan_out_varint(&o, l->codes[k].text.n);
            puan_out_str(&o, l->codes[k].text);
        }
    }
    /* words that are looked for make facts, which a label does not otherwise */
    for (uint16_t e = 0; e < r->f->n_entities; e++)
        for (uint16_t i = 0; i < r->f->entity[e].n_asked; i++)
            digest_words(&o, r->f->entity[e].items[i].words);
    view = puan_out_view(&o);
    digest->hash(digest->ctx, r->f->digest, &view, 1);
}

static void load_words(struct reader *r, const struct puan_node *n)
{
    struct puan_err err = { 0 };
    struct puan_str *w;
    size_t k = 0;

    if (n == NULL)
        return;
    w = puan_new_n(r->a, n->n, struct puan_str);
    if (w == NULL)
        return;
    if (n->kind != PUAN_NODE_LIST)
        (void)puan_node_fail(n, &err, "'test_words' must be a list of texts");
    else
        PUAN_NODE_EACH(c, n)
        {
            if (c->kind != PUAN_NODE_SCALAR) {
                (void)puan_node_fail(c, &err, "a test word must be a text");
                break;
            }
            w[k++] = c->text;
        }
    note(r, &err);
    r->f->test_words = w;
    r->f->n_test_words = k;
}

enum puan_status puan_form_load_all(struct puan_form **out,
                                    const struct puan_node *tree,
                                    const struct puan_node *lists,
                                    const struct puan_digest_fn *digest,
                                    struct puan_problems *problems,
                                    struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "form",       "version",  "zh",
                                        "en",         "codes",    "reasons",
                                        "test_words", "entities", "law",
                                        "schemes",    NULL };
    struct puan_err own = { 0 };
    struct puan_form *f = puan_new(a, struct puan_form);
    struct reader r = { .a = a,
                        .f = f,
                        .own = puan_node_get(tree, "codes"),
                        .shared = lists,
                        .schemes = puan_node_get(tree, "schemes"),
                        .problems = problems,
                        .err = err ? err : &own,
                        .cap_lists = 256 };
    const struct puan_node *ents = puan_node_get(tree, "entities"), *reasons;
    struct puan_err e = { 0 };
    struct puan_entity *entity;

    r.lists = puan_new_n(a, r.cap_lists, const struct puan_codelist *);
    entity = puan_new_n(a, PUAN_FORM_ENTITIES, struct puan_entity);
    if (f == NULL || r.lists == NULL || entity == NULL)
        return puan_arena_check(a, err);
    if (puan_node_only(tree, keys, &e) == PUAN_OK &&
        puan_node_str(&f->id, tree, "form", &e) == PUAN_OK &&
        puan_node_str(&f->zh, tree, "zh", &e) == PUAN_OK &&
        puan_node_str(&f->en, tree, "en", &e) == PUAN_OK && f->id.n > 32)
        (void)puan_node_fail(tree, &e, "a form's id has at most 32 characters");
    note(&r, &e);
    (void)both_languages(tree, "law", &e);
    note(&r, &e);
    reasons = puan_node_get(tree, "reasons");
    if (reasons != NULL)
        (void)list_of(&r.reasons, &r, reasons, &e);
    note(&r, &e);
    load_words(&r, puan_node_get(tree, "test_words"));
    if (ents == NULL || ents->kind != PUAN_NODE_MAP || ents->n == 0 ||
        ents->n > PUAN_FORM_ENTITIES) {
        (void)puan_node_fail(tree, &e,
                             "'entities' must be a map of 1 to %d entities, "
                             "the household or unit first",
                             PUAN_FORM_ENTITIES);
        note(&r, &e);
    } else {
        PUAN_NODE_EACH(c, ents)
        {
            if (load_entity(&entity[f->n_entities], &r, c,
                            f->n_entities == 0) == PUAN_OK)
                f->n_entities++;
        }
    }
    f->entity = entity;
    f->lists = r.lists;
    f->n_lists = r.n_lists;
    if (digest != NULL && !r.bad)
        digest_form(&r, tree, digest);
    if (a->failed)
        return puan_arena_check(a, r.err);
    if (r.bad)
        return r.err->code;
    *out = f;
    return PUAN_OK;
}

enum puan_status puan_form_load(struct puan_form **out,
                                const struct puan_node *tree,
                                const struct puan_node *lists,
                                const struct puan_digest_fn *digest,
                                struct puan_arena *a, struct puan_err *err)
{
    return puan_form_load_all(out, tree, lists, digest, NULL, a, err);
}
