/*
 * The writer of XForms.  Nothing but this file knows how they look.
 */
#include "core/xform/xform.h"

#define ROOT "/data"
#define KEY ROOT "/puan_head/household"
/* Lists longer than this are searched, not read. */
#define LONG_LIST 12
/* Numbers beyond this are more than an int of the clients. */
#define INT_LIMIT INT64_C(999999999)

struct xf {
    const struct puan_xform *in;
    const struct puan_form *form;
    struct puan_out *o;
    struct puan_arena *a;
    struct puan_xform_report *rep;
    const struct puan_codelist **list;
    size_t n_list;
    struct puan_str *when; /* by rule: where it finds; empty: left */
    bool *noted;           /* by rule: it is a note */
};

static void say(struct xf *x, const char *s)
{
    puan_out_text(x->o, s);
}

static void text(struct xf *x, struct puan_str s)
{
    puan_out_markup(x->o, s);
}

/* ---- words of the form itself ---- */

struct word {
    const char *id, *zh, *en;
};

static const struct word words[] = {
    { "head", "调查对象", "Whom it is about" },
    { "listed", "是否在名单中？", "Is it on the list?" },
    { "yes", "是", "Yes" },
    { "no", "否", "No" },
    { "pick", "选择住户或单位", "Choose the household or unit" },
    { "typed", "输入编码", "Type its code" },
    { "typed_bad", "编码应为规定位数的数字", "The code has another number of digits" },
    { "range", "超出取值范围", "Outside the range of values" },
    { "unanswered", "无法取得答案的项目", "Items that cannot be answered" },
    { "end", "核对与签字", "Check and signature" },
    { "signed", "申报人是否已签字确认？", "Has the declarer signed?" },
};

/* ---- small parts ---- */

static bool asked_here(const struct puan_item *it)
{
    return it->from == PUAN_FROM_ANSWER;
}

/* May be left without an answer for a stated reason. */
static bool has_reasons(const struct puan_item *it)
{
    return asked_here(it) && it->required && it->reasons &&
           it->reasons->n > 0;
}

static bool any_reasons(const struct puan_entity *e)
{
    for (uint16_t i = 0; i < e->n_asked; i++)
        if (has_reasons(&e->items[i]))
            return true;
    return false;
}

static size_t list_place(struct xf *x, const struct puan_codelist *l)
{
    for (size_t i = 0; i < x->n_list; i++)
        if (x->list[i] == l)
            return i;
    x->list[x->n_list] = l;
    return x->n_list++;
}

static enum puan_status gather_lists(struct xf *x, struct puan_err *err)
{
    size_t most = 0;

    for (uint16_t e = 0; e < x->form->n_entities; e++)
        most += 2u * x->form->entity[e].n_asked;
    x->list = puan_new_n(x->a, most + 1, const struct puan_codelist *);
    if (!x->list)
        return puan_arena_check(x->a, err);
    for (uint16_t e = 0; e < x->form->n_entities; e++) {
        const struct puan_entity *ent = &x->form->entity[e];

        for (uint16_t i = 0; i < ent->n_asked; i++) {
            if (ent->items[i].type == PUAN_TYPE_CODE &&
                asked_here(&ent->items[i]))
                (void)list_place(x, ent->items[i].codes);
            if (has_reasons(&ent->items[i]))
                (void)list_place(x, ent->items[i].reasons);
        }
    }
    return PUAN_OK;
}

static struct puan_xpath paths(const struct xf *x, const char *up)
{
    return (struct puan_xpath){ .form = x->form,
                                .consts = x->in->consts,
                                .n_consts = x->in->n_consts,
                                .root = ROOT,
                                .key = KEY,
                                .mode = x->in->mode,
                                .up = up };
}

/* ---- itext ---- */

static void itext_word(struct xf *x, const char *id, struct puan_str s)
{
    puan_out_fmt(x->o, "<text id=\"%s\"><value>", id);
    text(x, s);
    say(x, "</value></text>\n");
}

static void messages(struct xf *x, bool zh);

static void translation(struct xf *x, bool zh)
{
    const struct puan_form *f = x->form;
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;
    char id[160];

    puan_out_fmt(x->o, "<translation lang=\"%s\"%s>\n",
                 zh ? "中文 (zh)" : "English (en)",
                 zh ? " default=\"true()\"" : "");
    for (size_t i = 0; i < PUAN_COUNT(words); i++) {
        puan_format(id, sizeof(id), "w.%s", words[i].id);
        itext_word(x, id, puan_str_of(zh ? words[i].zh : words[i].en));
    }
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        puan_format(id, sizeof(id), "e.%u", e);
        itext_word(x, id, zh ? ent->zh : ent->en);
        for (uint16_t i = 0; i < ent->n_asked; i++) {
            const struct puan_item *it = &ent->items[i];

            if (!asked_here(it))
                continue;
            puan_format(id, sizeof(id), "i.%u.%u", e, i);
            puan_out_fmt(x->o, "<text id=\"%s\"><value>", id);
            text(x, it->name);
            say(x, " ");
            text(x, zh ? it->zh : it->en);
            say(x, "</value></text>\n");
        }
    }
    for (size_t l = 0; l < x->n_list; l++)
        for (size_t c = 0; c < x->list[l]->n; c++) {
            puan_format(id, sizeof(id), "c.%zu.%zu", l, c);
            itext_word(x, id, zh ? x->list[l]->codes[c].zh
                                 : x->list[l]->codes[c].en);
        }
    for (size_t r = 0; r < n; r++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(x->in->rules, r);

        puan_format(id, sizeof(id), "r.%zu", r);
        itext_word(x, id, zh ? info->zh : info->en);
    }
    messages(x, zh);
    say(x, "</translation>\n");
}

/* ---- instances ---- */

static void entity_nodes(struct xf *x, uint16_t e)
{
    const struct puan_entity *ent = &x->form->entity[e];
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;

    puan_out_fmt(x->o, "<%.*s%s>", PUAN_FMT(ent->name),
                 ent->roster ? " jr:template=\"\"" : "");
    for (uint16_t i = 0; i < ent->n_asked; i++)
        if (asked_here(&ent->items[i]))
            puan_out_fmt(x->o, "<%.*s/>", PUAN_FMT(ent->items[i].name));
    if (any_reasons(ent)) {
        say(x, "<puan_unanswered/><puan_why>");
        for (uint16_t i = 0; i < ent->n_asked; i++)
            if (has_reasons(&ent->items[i]))
                puan_out_fmt(x->o, "<%.*s/>", PUAN_FMT(ent->items[i].name));
        say(x, "</puan_why>");
    }
    say(x, "<puan_notes>");
    for (size_t r = 0; r < n; r++)
        if (x->noted[r] && puan_ruleset_info(x->in->rules, r)->entity == e)
            puan_out_fmt(x->o, "<r%zu/>", r);
    puan_out_fmt(x->o, "</puan_notes></%.*s>\n", PUAN_FMT(ent->name));
}

static void instances(struct xf *x)
{
    const struct puan_form *f = x->form;

    say(x, "<instance><data id=\"");
    text(x, f->id);
    say(x, "\" version=\"");
    text(x, x->in->version);
    say(x, "\">\n<puan_start/><puan_end/>\n<puan_head><listed>1</listed><pick/>"
           "<typed/><household/><base/><signed/></puan_head>\n");
    for (uint16_t e = 0; e < f->n_entities; e++)
        entity_nodes(x, e);
    say(x, "<meta><instanceID/><instanceName/></meta>\n</data></instance>\n"
           "<instance id=\"households\""
           " src=\"jr://file-csv/households.csv\"/>\n"
           "<instance id=\"yes_no\"><root>"
           "<item><itextId>w.yes</itextId><name>1</name></item>"
           "<item><itextId>w.no</itextId><name>2</name></item>"
           "</root></instance>\n");
    for (size_t l = 0; l < x->n_list; l++) {
        puan_out_fmt(x->o, "<instance id=\"l%zu\"><root>\n", l);
        for (size_t c = 0; c < x->list[l]->n; c++) {
            puan_out_fmt(x->o, "<item><itextId>c.%zu.%zu</itextId><name>", l,
                         c);
            text(x, x->list[l]->codes[c].text);
            say(x, "</name></item>\n");
        }
        say(x, "</root></instance>\n");
    }
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        if (!any_reasons(ent))
            continue;
        puan_out_fmt(x->o, "<instance id=\"u%u\"><root>\n", e);
        for (uint16_t i = 0; i < ent->n_asked; i++)
            if (has_reasons(&ent->items[i]))
                puan_out_fmt(x->o,
                             "<item><itextId>i.%u.%u</itextId>"
                             "<name>%.*s</name></item>\n",
                             e, i, PUAN_FMT(ent->items[i].name));
        say(x, "</root></instance>\n");
    }
}

/* ---- binds ---- */

static void attribute(struct xf *x, const char *name, struct puan_str value)
{
    if (value.n == 0)
        return;
    puan_out_fmt(x->o, " %s=\"", name);
    text(x, value);
    say(x, "\"");
}

static bool wide(const struct puan_item *it)
{
    return it->type == PUAN_TYPE_INT &&
           (it->max > INT_LIMIT || it->min < -INT_LIMIT);
}

static const char *bind_type(const struct puan_item *it)
{
    switch (it->type) {
    case PUAN_TYPE_INT:
        return wide(it) ? "string" : "int";
    case PUAN_TYPE_FIXED:
        return "decimal";
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
        return "date";
    case PUAN_TYPE_POINT:
        return "geopoint";
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_AREA:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_FACT:
        break;
    }
    return "string";
}

static void decimal(struct puan_out *o, int64_t v, unsigned places)
{
    uint64_t unit = 1, size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    puan_out_fmt(o, "%s%llu", v < 0 ? "-" : "",
                 (unsigned long long)(size / unit));
    if (places)
        puan_out_fmt(o, ".%0*llu", (int)places,
                     (unsigned long long)(size % unit));
}

/* What the item's own type demands of a value that is there. */
static void type_constraint(struct puan_out *o, const struct puan_item *it)
{
    switch (it->type) {
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
        if (wide(it))
            puan_out_text(o, "regex(., '^-?[0-9]+$') and ");
        puan_out_text(o, "number(.) >= ");
        decimal(o, it->min, it->places);
        puan_out_text(o, " and number(.) <= ");
        decimal(o, it->max, it->places);
        break;
    case PUAN_TYPE_MONTH:
        puan_out_fmt(o,
                     "number(substr(., 0, 4)) * 12 + number(substr(., 5, 7))"
                     " - 1 >= %lld and number(substr(., 0, 4)) * 12 +"
                     " number(substr(., 5, 7)) - 1 <= %lld",
                     (long long)it->min, (long long)it->max);
        break;
    case PUAN_TYPE_AREA:
        puan_out_fmt(o, "regex(., '^[0-9]{%u}$')", it->digits);
        break;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
        puan_out_fmt(o, "string-length(.) <= %lld", (long long)it->max);
        break;
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
        puan_out_text(o, "string-length(.) <= 64");
        break;
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
}

/* The item a rule's constraint stands on: the last it reads of its own row. */
static int bearer(const struct puan_form *f, const struct puan_rule_info *info)
{
    const struct puan_entity *ent = &f->entity[info->entity];
    int at = -1;

    for (size_t k = 0; k < info->n_items; k++) {
        int i = info->items[k].item;

        if (info->items[k].entity != info->entity)
            continue;
        if (ent->items[i].type == PUAN_TYPE_FACT)
            i = ent->items[i].fact_of;
        if (i > at && asked_here(&ent->items[i]))
            at = i;
    }
    return at;
}

/*
 * Hard, and about an item it can stand on.  One that looks over rows would
 * hold up whoever has not filled them in yet: it is a note.
 */
static bool may_bar(const struct xf *x, size_t r)
{
    const struct puan_rule_info *info = puan_ruleset_info(x->in->rules, r);

    return info->severity == PUAN_HARD && !info->override_ok &&
           bearer(x->form, info) >= 0;
}

/* Rule r is a constraint of this item. */
static bool bears(const struct xf *x, uint16_t e, uint16_t i, size_t r)
{
    const struct puan_rule_info *info = puan_ruleset_info(x->in->rules, r);

    return x->when[r].n > 0 && !x->noted[r] && info->entity == e &&
           bearer(x->form, info) == i;
}

static void rule_left(struct xf *x, struct puan_str id)
{
    if (x->rep->rules_left)
        x->rep->rules_left[x->rep->n_rules_left++] = id;
}

/*
 * Sorts the rules: constraints are written with their items, notes get nodes,
 * what XPath cannot say is left.
 */
static enum puan_status sort_rules(struct xf *x, struct puan_err *err)
{
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;
    x->noted = puan_new_n(x->a, n + 1, bool);
    x->when = puan_new_n(x->a, n + 1, struct puan_str);
    x->rep->rules_left = puan_new_n(x->a, n + 1, struct puan_str);
    if (!x->noted || !x->when || !x->rep->rules_left)
        return puan_arena_check(x->a, err);
    for (size_t r = 0; r < n; r++) {
        struct puan_xpath p = paths(x, "../");
        bool over_rows = false;
        bool ok = puan_xpath_finding(&x->when[r], &over_rows, &p,
                                     x->in->rules, r, x->a);

        if (ok && may_bar(x, r) && !over_rows) {
            x->rep->constraints++;
            continue;
        }
        p.up = "../../"; /* a note stands one deeper */
        x->noted[r] = ok && puan_xpath_finding(&x->when[r], &over_rows, &p,
                                               x->in->rules, r, x->a);
        if (x->noted[r]) {
            x->rep->notes++;
        } else {
            x->when[r] = (struct puan_str){ 0 };
            rule_left(x, puan_ruleset_info(x->in->rules, r)->id);
        }
    }
    return puan_arena_check(x->a, err);
}

static void item_constraint(struct xf *x, uint16_t e, uint16_t i)
{
    const struct puan_item *it = &x->form->entity[e].items[i];
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0, only = 0;
    struct puan_out all;
    unsigned rules = 0;

    puan_out_init(&all, x->a);
    type_constraint(&all, it);
    for (size_t r = 0; r < n; r++) {
        if (!bears(x, e, i, r))
            continue;
        if (all.n)
            puan_out_text(&all, " and ");
        puan_out_text(&all, "not(");
        puan_out_str(&all, x->when[r]);
        puan_out_text(&all, ")");
        rules++;
        only = r;
    }
    attribute(x, "constraint", puan_out_view(&all));
    if (rules == 1) {
        puan_out_fmt(x->o, " jr:constraintMsg=\"jr:itext('r.%zu')\"", only);
    } else if (rules > 1) {
        puan_out_fmt(x->o, " jr:constraintMsg=\"jr:itext('m.%u.%u')\"", e, i);
    } else if (all.n) {
        say(x, " jr:constraintMsg=\"jr:itext('w.range')\"");
    }
}

/* The texts of all rules an item bears, for one message. */
static void messages(struct xf *x, bool zh)
{
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;

    for (uint16_t e = 0; e < x->form->n_entities; e++)
        for (uint16_t i = 0; i < x->form->entity[e].n_asked; i++) {
            struct puan_out all;
            unsigned rules = 0;

            puan_out_init(&all, x->a);
            for (size_t r = 0; r < n; r++) {
                const struct puan_rule_info *info =
                    puan_ruleset_info(x->in->rules, r);

                if (!bears(x, e, i, r))
                    continue;
                if (rules++)
                    puan_out_text(&all, zh ? "；" : "; ");
                puan_out_str(&all, zh ? info->zh : info->en);
            }
            if (rules > 1) {
                char id[48];

                puan_format(id, sizeof(id), "m.%u.%u", e, i);
                itext_word(x, id, puan_out_view(&all));
            }
        }
}

static void item_bind(struct xf *x, uint16_t e, uint16_t i)
{
    const struct puan_entity *ent = &x->form->entity[e];
    const struct puan_item *it = &ent->items[i];
    struct puan_xpath p = paths(x, "../");
    struct puan_str asked;
    bool ok = puan_xpath_asked(&asked, &p, e, i, x->a);

    puan_out_fmt(x->o, "<bind nodeset=\"" ROOT "/%.*s/%.*s\" type=\"%s\"",
                 PUAN_FMT(ent->name), PUAN_FMT(it->name), bind_type(it));
    if (!ok)
        x->rep->asked_left[x->rep->n_asked_left++] = it->name;
    else if (asked.n)
        x->rep->asked++;
    attribute(x, "relevant", ok ? asked : PUAN_STR(""));
    if (has_reasons(it))
        puan_out_fmt(x->o,
                     " required=\"not(selected(../puan_unanswered,"
                     " '%.*s'))\"",
                     PUAN_FMT(it->name));
    else if (it->required)
        say(x, " required=\"true()\"");
    item_constraint(x, e, i);
    say(x, "/>\n");
}

static void why_bind(struct xf *x, uint16_t e, uint16_t i)
{
    const struct puan_entity *ent = &x->form->entity[e];
    const struct puan_item *it = &ent->items[i];
    struct puan_xpath p = paths(x, "../../");
    struct puan_str asked;
    struct puan_out when;

    puan_out_init(&when, x->a);
    puan_out_fmt(&when, "selected(../../puan_unanswered, '%.*s')"
                        " and ../../%.*s = ''",
                 PUAN_FMT(it->name), PUAN_FMT(it->name));
    if (puan_xpath_asked(&asked, &p, e, i, x->a) && asked.n) {
        puan_out_text(&when, " and ");
        puan_out_str(&when, asked);
    }
    puan_out_fmt(x->o, "<bind nodeset=\"" ROOT "/%.*s/puan_why/%.*s\""
                       " type=\"string\"",
                 PUAN_FMT(ent->name), PUAN_FMT(it->name));
    attribute(x, "relevant", puan_out_view(&when));
    say(x, " required=\"true()\"/>\n");
}

static void note_binds(struct xf *x)
{
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;

    for (size_t r = 0; r < n; r++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(x->in->rules, r);

        if (!x->noted[r])
            continue;
        puan_out_fmt(x->o, "<bind nodeset=\"" ROOT "/%.*s/puan_notes/r%zu\""
                           " type=\"string\" readonly=\"true()\"",
                     PUAN_FMT(x->form->entity[info->entity].name), r);
        attribute(x, "relevant", x->when[r]);
        say(x, "/>\n");
    }
}

static void head_binds(struct xf *x)
{
    unsigned width = x->form->key_width ? x->form->key_width : 18;

    say(x,
        "<bind nodeset=\"/data/puan_start\" type=\"dateTime\""
        " jr:preload=\"timestamp\" jr:preloadParams=\"start\"/>\n"
        "<bind nodeset=\"/data/puan_end\" type=\"dateTime\""
        " jr:preload=\"timestamp\" jr:preloadParams=\"end\"/>\n"
        "<bind nodeset=\"/data/puan_head/listed\" type=\"string\""
        " required=\"true()\"/>\n"
        "<bind nodeset=\"/data/puan_head/pick\" type=\"string\""
        " required=\"true()\" relevant=\"../listed = '1'\"/>\n"
        "<bind nodeset=\"/data/puan_head/typed\" type=\"string\""
        " required=\"true()\" relevant=\"../listed = '2'\"");
    puan_out_fmt(x->o,
                 " constraint=\"regex(., '^[0-9]{%u}$')\""
                 " jr:constraintMsg=\"jr:itext('w.typed_bad')\"/>\n",
                 width);
    say(x,
        "<bind nodeset=\"/data/puan_head/household\" type=\"string\""
        " readonly=\"true()\""
        " calculate=\"if(../listed = '1', ../pick, ../typed)\"/>\n"
        "<bind nodeset=\"/data/puan_head/base\" type=\"string\""
        " readonly=\"true()\" calculate=\"if(../listed = '1',"
        " instance('households')/root/item[name ="
        " /data/puan_head/pick]/base, '0')\"/>\n"
        "<bind nodeset=\"/data/puan_head/signed\" type=\"string\"/>\n"
        "<bind nodeset=\"/data/meta/instanceID\" type=\"string\""
        " readonly=\"true()\" jr:preload=\"uid\"/>\n"
        "<bind nodeset=\"/data/meta/instanceName\" type=\"string\""
        " calculate=\"concat('");
    text(x, x->form->id);
    say(x, " ', /data/puan_head/household)\"/>\n");
}

static void binds(struct xf *x)
{
    head_binds(x);
    for (uint16_t e = 0; e < x->form->n_entities; e++) {
        const struct puan_entity *ent = &x->form->entity[e];

        for (uint16_t i = 0; i < ent->n_asked; i++)
            if (asked_here(&ent->items[i]))
                item_bind(x, e, i);
        if (!any_reasons(ent))
            continue;
        puan_out_fmt(x->o, "<bind nodeset=\"" ROOT "/%.*s/puan_unanswered\""
                           " type=\"string\"/>\n",
                     PUAN_FMT(ent->name));
        for (uint16_t i = 0; i < ent->n_asked; i++)
            if (has_reasons(&ent->items[i]))
                why_bind(x, e, i);
    }
    note_binds(x);
}

/* ---- the body ---- */

static void select_from(struct xf *x, const char *element, const char *look,
                        const char *instance)
{
    puan_out_fmt(x->o,
                 "<itemset nodeset=\"instance('%s')/root/item\">"
                 "<value ref=\"name\"/><label ref=\"%s\"/></itemset></%s>\n",
                 instance, look, element);
}

static const char *appearance(const struct puan_item *it)
{
    switch (it->type) {
    case PUAN_TYPE_MONTH:
        return " appearance=\"month-year\"";
    case PUAN_TYPE_AREA:
        return " appearance=\"numbers\"";
    case PUAN_TYPE_INT:
        return wide(it) ? " appearance=\"numbers\"" : "";
    case PUAN_TYPE_CODE:
        return it->codes->n > LONG_LIST ? " appearance=\"minimal autocomplete\""
                                        : "";
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
    return "";
}

static void control(struct xf *x, uint16_t e, uint16_t i)
{
    const struct puan_entity *ent = &x->form->entity[e];
    const struct puan_item *it = &ent->items[i];
    const char *element = it->type == PUAN_TYPE_CODE ? "select1" : "input";
    char id[24];

    puan_out_fmt(x->o,
                 "<%s ref=\"" ROOT "/%.*s/%.*s\"%s>"
                 "<label ref=\"jr:itext('i.%u.%u')\"/>",
                 element, PUAN_FMT(ent->name), PUAN_FMT(it->name),
                 appearance(it), e, i);
    if (it->type == PUAN_TYPE_CODE) {
        puan_format(id, sizeof(id), "l%zu", list_place(x, it->codes));
        select_from(x, element, "jr:itext(itextId)", id);
    } else {
        puan_out_fmt(x->o, "</%s>\n", element);
    }
}

static void unanswered(struct xf *x, uint16_t e)
{
    const struct puan_entity *ent = &x->form->entity[e];
    char id[24];

    if (!any_reasons(ent))
        return;
    puan_out_fmt(x->o,
                 "<select ref=\"" ROOT "/%.*s/puan_unanswered\">"
                 "<label ref=\"jr:itext('w.unanswered')\"/>",
                 PUAN_FMT(ent->name));
    puan_format(id, sizeof(id), "u%u", e);
    select_from(x, "select", "jr:itext(itextId)", id);
    for (uint16_t i = 0; i < ent->n_asked; i++) {
        const struct puan_item *it = &ent->items[i];

        if (!has_reasons(it))
            continue;
        puan_out_fmt(x->o,
                     "<select1 ref=\"" ROOT "/%.*s/puan_why/%.*s\">"
                     "<label ref=\"jr:itext('i.%u.%u')\"/>",
                     PUAN_FMT(ent->name), PUAN_FMT(it->name), e, i);
        puan_format(id, sizeof(id), "l%zu", list_place(x, it->reasons));
        select_from(x, "select1", "jr:itext(itextId)", id);
    }
}

static void notes(struct xf *x, uint16_t e)
{
    size_t n = x->in->rules ? puan_ruleset_count(x->in->rules) : 0;

    for (size_t r = 0; r < n; r++)
        if (x->noted[r] && puan_ruleset_info(x->in->rules, r)->entity == e)
            puan_out_fmt(x->o,
                         "<input ref=\"" ROOT "/%.*s/puan_notes/r%zu\">"
                         "<label ref=\"jr:itext('r.%zu')\"/></input>\n",
                         PUAN_FMT(x->form->entity[e].name), r, r);
}

static void entity_body(struct xf *x, uint16_t e)
{
    const struct puan_entity *ent = &x->form->entity[e];

    if (ent->roster)
        puan_out_fmt(x->o,
                     "<group><label ref=\"jr:itext('e.%u')\"/>"
                     "<repeat nodeset=\"" ROOT "/%.*s\">"
                     "<group appearance=\"field-list\">\n",
                     e, PUAN_FMT(ent->name));
    else
        puan_out_fmt(x->o,
                     "<group ref=\"" ROOT "/%.*s\" appearance=\"field-list\">"
                     "<label ref=\"jr:itext('e.%u')\"/>\n",
                     PUAN_FMT(ent->name), e);
    for (uint16_t i = 0; i < ent->n_asked; i++)
        if (asked_here(&ent->items[i]))
            control(x, e, i);
    unanswered(x, e);
    if (ent->roster)
        notes(x, e);
    say(x, ent->roster ? "</group></repeat></group>\n" : "</group>\n");
}

static void body(struct xf *x)
{
    say(x, "<h:body>\n<group ref=\"/data/puan_head\""
           " appearance=\"field-list\">"
           "<label ref=\"jr:itext('w.head')\"/>\n"
           "<select1 ref=\"/data/puan_head/listed\">"
           "<label ref=\"jr:itext('w.listed')\"/>");
    select_from(x, "select1", "jr:itext(itextId)", "yes_no");
    say(x, "<select1 ref=\"/data/puan_head/pick\""
           " appearance=\"minimal autocomplete\">"
           "<label ref=\"jr:itext('w.pick')\"/>");
    select_from(x, "select1", "label", "households");
    say(x, "<input ref=\"/data/puan_head/typed\" appearance=\"numbers\">"
           "<label ref=\"jr:itext('w.typed')\"/></input>\n</group>\n");
    for (uint16_t e = 0; e < x->form->n_entities; e++)
        entity_body(x, e);
    say(x, "<group appearance=\"field-list\">"
           "<label ref=\"jr:itext('w.end')\"/>\n");
    notes(x, 0);
    say(x, "<select1 ref=\"/data/puan_head/signed\">"
           "<label ref=\"jr:itext('w.signed')\"/>");
    select_from(x, "select1", "jr:itext(itextId)", "yes_no");
    say(x, "</group>\n</h:body>\n");
}

enum puan_status puan_xform_write(struct puan_out *o,
                                  struct puan_xform_report *report,
                                  const struct puan_xform *in,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct xf x = { .in = in, .form = in->form, .o = o, .a = a,
                    .rep = report };
    size_t items = 0;
    enum puan_status st;

    *report = (struct puan_xform_report){ 0 };
    for (uint16_t e = 0; e < in->form->n_entities; e++)
        items += in->form->entity[e].n_asked;
    report->asked_left = puan_new_n(a, items + 1, struct puan_str);
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = gather_lists(&x, err);
    if (st == PUAN_OK)
        st = sort_rules(&x, err);
    if (st != PUAN_OK)
        return st;
    say(&x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<h:html xmlns=\"http://www.w3.org/2002/xforms\""
            " xmlns:h=\"http://www.w3.org/1999/xhtml\""
            " xmlns:jr=\"http://openrosa.org/javarosa\""
            " xmlns:odk=\"http://www.opendatakit.org/xforms\""
            " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n"
            "<h:head><h:title>");
    text(&x, in->form->zh);
    say(&x, "</h:title>\n<model odk:xforms-version=\"1.0.0\">\n<itext>\n");
    translation(&x, true);
    translation(&x, false);
    say(&x, "</itext>\n");
    instances(&x);
    binds(&x);
    say(&x, "</model></h:head>\n");
    body(&x);
    say(&x, "</h:html>\n");
    return puan_arena_check(a, err);
}
