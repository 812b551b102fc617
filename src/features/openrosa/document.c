/*
 * A submission's XML as the document of contract 1.  What does not belong is
 * passed on under its own name, so that the reader of documents refuses it and
 * the whole waits in quarantine; nothing is dropped here.
 */
#include "features/openrosa/internal.h"

#include "base/calendar.h"
#include "kit/crypto/crypto.h"

/* Names of the form itself, which hold no answers of the plan. */
static bool our_own(struct puan_str name)
{
    return name.n > 5 && memcmp(name.p, "puan_", 5) == 0;
}

uint64_t odk_counter(struct puan_str instance)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    uint64_t n = 0;

    puan_digest_one(digest, puan_digest_sha256(), instance);
    for (int i = 0; i < 6; i++) /* 48 bits: every JSON reader counts so far */
        n = n << 8 | digest[i];
    return n;
}

/*
 * Clients write fractions of any length and offsets without minutes; documents
 * have neither.  Empty when it is no time at all.
 */
static const char *instant(struct puan_str s, struct puan_arena *a)
{
    char fraction[4] = "000";
    size_t at = 19, k = 0;
    int64_t ms;
    const char *out;

    if (s.n < 19)
        return "";
    if (at < s.n && s.p[at] == '.')
        for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++)
            if (k < 3)
                fraction[k++] = s.p[at];
    out = puan_arena_fmt(a, "%.19s.%s%.*s%s", s.p, fraction, (int)(s.n - at),
                         s.p + at, s.n - at == 3 ? ":00" : "");
    return out && puan_instant_parse(&ms, puan_str_of(out)) ? out : "";
}

/* An answer as a document writes it. */
static struct puan_str answer(const struct puan_item *it, struct puan_str s,
                              struct puan_arena *a)
{
    struct puan_str rest = s, lat, lon;

    switch (it->type) {
    case PUAN_TYPE_MONTH: /* 2020-11-01 */
        if (s.n == 10 && s.p[4] == '-' && s.p[7] == '-')
            s.n = 7;
        return s;
    case PUAN_TYPE_POINT: /* 35.1 116.2 40.0 5.0 */
        if (puan_str_split(&lat, &rest, ' ') &&
            puan_str_split(&lon, &rest, ' '))
            return puan_str_of(
                puan_arena_fmt(a, "%.*s,%.*s", PUAN_FMT(lat), PUAN_FMT(lon)));
        return s;
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_AREA:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_FACT:
        break;
    }
    return s;
}

static void put_row(struct puan_jw *w, const struct puan_entity *ent,
                    const struct puan_xml *row, struct puan_arena *a)
{
    const struct puan_xml *why = puan_xml_child(row, "puan_why");

    puan_jw_map(w);
    for (const struct puan_xml *c = row->first; c; c = c->next) {
        int i = puan_entity_item(ent, c->name);
        struct puan_str s = puan_str_trim(c->text);

        if (our_own(c->name) || s.n == 0)
            continue;
        puan_jw_key_s(w, c->name);
        puan_jw_str(w, i >= 0 ? answer(&ent->items[i], s, a) : s);
    }
    for (const struct puan_xml *c = why ? why->first : NULL; c; c = c->next) {
        struct puan_str s = puan_str_trim(c->text);
        const struct puan_xml *it = row->first;

        while (it && !puan_str_eq(it->name, c->name))
            it = it->next;
        if (s.n == 0 || (it && puan_str_trim(it->text).n > 0))
            continue;
        puan_jw_key_s(w, c->name);
        puan_jw_map(w);
        puan_jw_kstr(w, "missing", s);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

static void put_head(struct puan_jw *w, const struct odk_submission *s,
                     struct puan_arena *a)
{
    const char *from = instant(puan_xml_value(s->doc.root, "puan_start"), a);
    const char *to = instant(puan_xml_value(s->doc.root, "puan_end"), a);
    const struct puan_xml *head = puan_xml_child(s->doc.root, "puan_head");

    puan_jw_kstr(w, "form", s->form->id);
    puan_jw_kstr(w, "household", s->household);
    puan_jw_kint(w, "base", s->base);
    puan_jw_kstr(w, "device", s->device);
    puan_jw_kint(w, "counter", (int64_t)odk_counter(s->instance));
    puan_jw_ktext(w, "mode", ODK_MODE);
    if (from && *from)
        puan_jw_ktext(w, "started", from);
    if (to && *to)
        puan_jw_ktext(w, "finished", to);
    puan_jw_kbool(w, "signed",
                  puan_str_is(puan_xml_value(head, "signed"), "1"));
}

struct puan_str odk_document(const struct odk_submission *s,
                             struct puan_arena *a)
{
    const struct puan_form *f = s->form;
    bool rows_open = false;
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    put_head(&w, s, a);
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        for (const struct puan_xml *c = s->doc.root->first; c; c = c->next) {
            if (!puan_str_eq(c->name, ent->name))
                continue;
            if (e == 0) {
                puan_jw_key(&w, "answers");
                put_row(&w, ent, c, a);
                continue;
            }
            if (!rows_open) {
                puan_jw_key_s(&w, ent->name);
                puan_jw_list(&w);
                rows_open = true;
            }
            put_row(&w, ent, c, a);
        }
        if (rows_open)
            puan_jw_end(&w, ']');
        rows_open = false;
    }
    for (const struct puan_xml *c = s->doc.root->first; c; c = c->next)
        if (!our_own(c->name) && !puan_str_is(c->name, "meta") &&
            puan_form_entity(f, c->name) < 0)
            puan_jw_kstr(&w, puan_arena_dup(a, c->name), c->text);
    puan_jw_end(&w, '}');
    return puan_out_view(&o);
}

enum puan_status odk_read(struct odk_submission *s,
                          const struct puan_plan *plan, struct puan_str xml,
                          struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st = puan_xml_parse(&s->doc, xml, a, err);
    const struct puan_xml *meta, *head;
    struct puan_str id;
    char version[13];
    int64_t base;

    if (st != PUAN_OK)
        return st;
    id = puan_xml_attribute(&s->doc, "id");
    for (size_t i = 0; i < plan->n_forms; i++)
        if (puan_str_eq(plan->form[i]->id, id) &&
            odk_offers(plan, plan->form[i]))
            s->form = plan->form[i];
    if (!s->form)
        return puan_fail(err, PUAN_ENOTFOUND, "form",
                         "没有编号为 %.*s 的表 / there is no form %.*s",
                         PUAN_FMT(id), PUAN_FMT(id));
    /* the plan of a campaign is pinned: there is one version of each form */
    odk_version(version, plan, s->form);
    if (!puan_str_is(puan_xml_attribute(&s->doc, "version"), version))
        return puan_fail(err, PUAN_ENOTFOUND, "version",
                         "本次普查没有这一版的表，请重新下载 / not a version of "
                         "this form here, fetch it again");
    meta = puan_xml_child(s->doc.root, "meta");
    head = puan_xml_child(s->doc.root, "puan_head");
    s->instance = puan_xml_value(meta, "instanceID");
    s->replaces = puan_xml_value(meta, "deprecatedID");
    if (s->instance.n == 0 || s->instance.n > 128)
        return puan_fail(err, PUAN_EINVAL, "instanceID",
                         "填报记录没有编号 / the submission has no instanceID");
    s->household = puan_xml_value(head, "household");
    s->base = puan_int_parse(&base, puan_xml_value(head, "base")) && base > 0 &&
                      base < 1000
                  ? base
                  : 0;
    return PUAN_OK;
}
