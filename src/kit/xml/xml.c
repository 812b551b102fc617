/*
 * libxml2's reader, event by event, into a tree of ours.  Only the reader is
 * used: it knows no network, and entities cannot be declared without the
 * document type, which is refused.
 */
#include "kit/xml/xml.h"

#include <libxml/xmlreader.h>
#include <limits.h>
#include <pthread.h>

#include "base/out.h"
#include "kit/os/late.h"

#define FUNCTIONS(X)                                                           \
    X(xmlInitParser)                                                           \
    X(xmlReaderForMemory)                                                      \
    X(xmlFreeTextReader)                                                       \
    X(xmlTextReaderRead)                                                       \
    X(xmlTextReaderNodeType)                                                   \
    X(xmlTextReaderDepth)                                                      \
    X(xmlTextReaderConstLocalName)                                             \
    X(xmlTextReaderConstValue)                                                 \
    X(xmlTextReaderIsEmptyElement)                                             \
    X(xmlTextReaderMoveToNextAttribute)                                        \
    X(xmlTextReaderMoveToElement)                                              \
    X(xmlTextReaderGetParserLineNumber)                                        \
    X(xmlTextReaderSetStructuredErrorHandler)

#define POINTER(f) __typeof__(f) *f;
#define NAME(f) #f,

static struct {
    FUNCTIONS(POINTER)
} lib;

static enum puan_status load(struct puan_err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    static const char *const name[] = { FUNCTIONS(NAME) };
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&lock);
    if (!loaded) {
        st = puan_late_load(&lib, name, PUAN_COUNT(name), PUAN_LIBXML2,
                            "libxml2", err);
        loaded = st == PUAN_OK;
        if (loaded)
            lib.xmlInitParser();
    }
    pthread_mutex_unlock(&lock);
    return st;
}

struct reading {
    struct puan_xml_doc *doc;
    struct puan_arena *a;
    struct puan_err *err;
    struct puan_xml *open[PUAN_XML_DEPTH];
    struct puan_xml *last[PUAN_XML_DEPTH]; /* child of each */
    struct puan_out text[PUAN_XML_DEPTH];
    size_t depth, nodes;
    char said[160];
    int said_line;
};

/* The first complaint, kept for the message; nothing goes to stderr. */
static void complaint(void *arg, xmlErrorPtr e)
{
    struct reading *r = arg;

    if (*r->said || !e || !e->message)
        return;
    puan_format(r->said, sizeof(r->said), "%s", e->message);
    for (char *p = r->said; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    r->said_line = e->line;
}

static struct puan_str kept(struct reading *r, const xmlChar *s)
{
    struct puan_str t = puan_str_of(s ? (const char *)s : "");

    t.p = puan_arena_dup(r->a, t);
    return t;
}

static enum puan_status refuse(struct reading *r, xmlTextReaderPtr x,
                               const char *why)
{
    return puan_fail_at(r->err, PUAN_EINVAL, "xml",
                        (uint32_t)lib.xmlTextReaderGetParserLineNumber(x), 0,
                        "%s", why);
}

static void close_element(struct reading *r)
{
    r->depth--;
    r->open[r->depth]->text = puan_out_view(&r->text[r->depth]);
}

static enum puan_status begin_element(struct reading *r, xmlTextReaderPtr x)
{
    struct puan_xml *n;
    bool empty = lib.xmlTextReaderIsEmptyElement(x) == 1;

    if (r->depth == PUAN_XML_DEPTH)
        return refuse(r, x, "elements nest too deeply");
    if (r->nodes++ == PUAN_XML_NODES)
        return refuse(r, x, "too many elements");
    n = puan_new(r->a, struct puan_xml);
    if (!n)
        return puan_arena_check(r->a, r->err);
    n->name = kept(r, lib.xmlTextReaderConstLocalName(x));
    n->line = (uint32_t)lib.xmlTextReaderGetParserLineNumber(x);
    if (r->depth == 0) {
        r->doc->root = n;
        while (lib.xmlTextReaderMoveToNextAttribute(x) == 1)
            if (r->doc->n_attr < PUAN_COUNT(r->doc->attr)) {
                struct puan_xml_attr *t = &r->doc->attr[r->doc->n_attr++];

                t->name = kept(r, lib.xmlTextReaderConstLocalName(x));
                t->value = kept(r, lib.xmlTextReaderConstValue(x));
            }
        (void)lib.xmlTextReaderMoveToElement(x);
    } else {
        struct puan_xml *up = r->open[r->depth - 1];

        if (r->last[r->depth - 1])
            r->last[r->depth - 1]->next = n;
        else
            up->first = n;
        r->last[r->depth - 1] = n;
    }
    r->open[r->depth] = n;
    r->last[r->depth] = NULL;
    puan_out_init(&r->text[r->depth], r->a);
    r->depth++;
    if (empty)
        close_element(r);
    return PUAN_OK;
}

static enum puan_status take_event(struct reading *r, xmlTextReaderPtr x)
{
    const xmlChar *v;

    switch (lib.xmlTextReaderNodeType(x)) {
    case XML_READER_TYPE_ELEMENT:
        return begin_element(r, x);
    case XML_READER_TYPE_END_ELEMENT:
        close_element(r);
        return PUAN_OK;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        v = lib.xmlTextReaderConstValue(x);
        if (v && r->depth > 0)
            puan_out_text(&r->text[r->depth - 1], (const char *)v);
        return PUAN_OK;
    case XML_READER_TYPE_DOCUMENT_TYPE:
        return refuse(r, x, "a document type is not taken");
    case XML_READER_TYPE_ENTITY_REFERENCE:
    case XML_READER_TYPE_ENTITY:
        return refuse(r, x, "entities are not taken");
    default:
        return PUAN_OK; /* comments, processing instructions */
    }
}

enum puan_status puan_xml_parse(struct puan_xml_doc *out, struct puan_str text,
                                struct puan_arena *a, struct puan_err *err)
{
    struct reading *r = puan_new(a, struct reading);
    xmlTextReaderPtr x;
    enum puan_status st;
    int more;

    *out = (struct puan_xml_doc){ 0 };
    if (!r)
        return puan_arena_check(a, err);
    *r = (struct reading){ .doc = out, .a = a, .err = err };
    if (text.n > INT_MAX || !puan_utf8_valid(text) ||
        memchr(text.p, 0, text.n))
        return puan_fail_at(err, PUAN_EINVAL, "xml", 1, 0, "is no UTF-8 text");
    if (memmem(text.p, text.n, "<!DOCTYPE", 9))
        return puan_fail_at(err, PUAN_EINVAL, "xml", 1, 0,
                            "a document type is not taken");
    st = load(err);
    if (st != PUAN_OK)
        return st;
    x = lib.xmlReaderForMemory(text.p, (int)text.n, NULL, "UTF-8",
                               XML_PARSE_NONET);
    if (!x)
        return puan_fail(err, PUAN_ENOMEM, "xml", "out of memory");
    lib.xmlTextReaderSetStructuredErrorHandler(x, complaint, r);
    while ((more = lib.xmlTextReaderRead(x)) == 1 && st == PUAN_OK)
        st = take_event(r, x);
    if (st == PUAN_OK && (more != 0 || !out->root))
        st = puan_fail_at(err, PUAN_EINVAL, "xml", (uint32_t)r->said_line, 0,
                          "%s", *r->said ? r->said : "is no XML document");
    lib.xmlFreeTextReader(x);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

const struct puan_xml *puan_xml_child(const struct puan_xml *n,
                                      const char *name)
{
    for (const struct puan_xml *c = n ? n->first : NULL; c; c = c->next)
        if (puan_str_is(c->name, name))
            return c;
    return NULL;
}

struct puan_str puan_xml_value(const struct puan_xml *n, const char *name)
{
    const struct puan_xml *c = puan_xml_child(n, name);

    return c ? puan_str_trim(c->text) : (struct puan_str){ 0 };
}

struct puan_str puan_xml_attribute(const struct puan_xml_doc *d,
                                   const char *name)
{
    for (size_t i = 0; i < d->n_attr; i++)
        if (puan_str_is(d->attr[i].name, name))
            return d->attr[i].value;
    return (struct puan_str){ 0 };
}
