/*
 * A form's tree as the text of a plan file: maps of scalars on one line,
 * everything else indented.
 */
#include "base/out.h"
#include "core/xlsform/model.h"

/* What a YAML reader takes as it stands, inside quotes and on one line. */
static bool printable(int32_t c)
{
    return (c >= 0x20 && c <= 0x7e) ||
           (c >= 0xa0 && c <= 0xfffd && c != 0xfeff && c != 0x2028 &&
            c != 0x2029) ||
           c > 0xffff;
}

static void quoted(struct puan_out *o, struct puan_str s)
{
    puan_out_char(o, '"');
    while (s.n > 0) {
        const char *from = s.p;
        int32_t c = puan_utf8_next(&s);

        if (c < 0)
            break;
        if (c == '"' || c == '\\')
            puan_out_char(o, '\\');
        if (printable(c))
            puan_out_bytes(o, from, (size_t)(s.p - from));
        else
            puan_out_fmt(o, "\\u%04x", (unsigned)c);
    }
    puan_out_char(o, '"');
}

/* Latin letters, digits, _ and -, a letter first, and no word of YAML. */
static bool plain(struct puan_str s)
{
    static const char *const words[] = { "true", "false", "null", "yes", "no",
                                         "on",   "off",   "y",    "n" };

    for (size_t i = 0; i < PUAN_COUNT(words); i++)
        if (puan_str_same(s, puan_str_of(words[i])))
            return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '_' ||
                                   c == '-')))
            return false;
    }
    return s.n > 0;
}

static void key(struct puan_out *o, struct puan_str k)
{
    if (plain(k) || puan_str_is(k, "zh") || puan_str_is(k, "en"))
        puan_out_str(o, k);
    else
        quoted(o, k);
    puan_out_char(o, ':');
}

static bool flat(const struct puan_node *n)
{
    PUAN_NODE_EACH(c, n)
    if (c->kind != PUAN_NODE_SCALAR)
        return false;
    return true;
}

static void node(struct puan_out *o, const struct puan_node *n, unsigned indent)
{
    if (n->kind == PUAN_NODE_SCALAR) {
        puan_out_char(o, ' ');
        if (n->quoted)
            quoted(o, n->text);
        else
            puan_out_str(o, n->text);
        puan_out_char(o, '\n');
    } else if (indent > 0 && flat(n)) {
        puan_out_text(o, " {");
        PUAN_NODE_EACH(c, n)
        {
            if (c != n->first)
                puan_out_text(o, ", ");
            key(o, c->key);
            puan_out_char(o, ' ');
            if (c->quoted)
                quoted(o, c->text);
            else
                puan_out_str(o, c->text);
        }
        puan_out_text(o, "}\n");
    } else {
        if (indent > 0)
            puan_out_char(o, '\n');
        PUAN_NODE_EACH(c, n)
        {
            for (unsigned i = 0; i < indent; i++)
                puan_out_text(o, "  ");
            key(o, c->key);
            node(o, c, indent + 1);
        }
    }
}

struct puan_str xf_yaml(const struct puan_node *tree, struct puan_str head,
                        struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_str(&o, head);
    node(&o, tree, 0);
    return puan_out_view(&o);
}
