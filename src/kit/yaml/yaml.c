/*
 * libyaml's events made into a tree.  Only events are used: libyaml's own
 * documents follow aliases and know no positions of keys.
 */
#include "kit/yaml/yaml.h"

#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct puan_arena *a;
    struct puan_err *err;
    const char *file;
    struct puan_str text;
    size_t nodes;
};

static enum puan_status fail_at(struct reader *r, yaml_mark_t at,
                                const char *what)
{
    return puan_fail_at(r->err, PUAN_EINVAL, r->file, (uint32_t)at.line + 1,
                        (uint32_t)at.column + 1, "%s", what);
}

/* libyaml says of a tabulator only that it cannot begin anything. */
static bool tab_at(const struct reader *r, yaml_mark_t at)
{
    struct puan_str rest = r->text, line = { NULL, 0 };

    for (size_t i = 0; i <= at.line; i++)
        if (!puan_str_split(&line, &rest, '\n'))
            return false;
    for (size_t i = 0; i < at.column; i++)
        if (puan_utf8_next(&line) < 0)
            return false;
    return line.n > 0 && line.p[0] == '\t';
}

static enum puan_status next(struct reader *r, yaml_event_t *ev)
{
    if (yaml_parser_parse(&r->parser, ev))
        return PUAN_OK;
    if (r->parser.error == YAML_MEMORY_ERROR)
        return puan_fail(r->err, PUAN_ENOMEM, r->file, "out of memory");
    if (r->parser.error == YAML_READER_ERROR)
        return puan_fail(r->err, PUAN_EINVAL, r->file,
                         "byte %zu: %s; plan files are UTF-8",
                         r->parser.problem_offset,
                         r->parser.problem ? r->parser.problem : "unreadable");
    if (tab_at(r, r->parser.problem_mark))
        return fail_at(r, r->parser.problem_mark,
                       "a tabulator stands here, and YAML is indented with "
                       "spaces; write spaces instead");
    return puan_fail_at(
        r->err, PUAN_EINVAL, r->file, (uint32_t)r->parser.problem_mark.line + 1,
        (uint32_t)r->parser.problem_mark.column + 1,
        "not well-formed YAML: %s; mend the indentation, brackets or quotes "
        "here",
        r->parser.problem ? r->parser.problem : "unreadable");
}

/* What a plan file must not use. */
static enum puan_status plain_enough(struct reader *r, const yaml_event_t *ev)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        anchor = ev->data.scalar.anchor;
        tag = ev->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = ev->data.sequence_start.anchor;
        tag = ev->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = ev->data.mapping_start.anchor;
        tag = ev->data.mapping_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        return fail_at(r, ev->start_mark,
                       "aliases (*name) are not allowed, write the value out");
    case YAML_DOCUMENT_START_EVENT:
        if (ev->data.document_start.version_directive ||
            ev->data.document_start.tag_directives.start !=
                ev->data.document_start.tag_directives.end)
            return fail_at(r, ev->start_mark,
                           "directives (%YAML, %TAG) are not allowed");
        return PUAN_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return PUAN_OK;
    }
    if (anchor)
        return fail_at(r, ev->start_mark,
                       "anchors (&name) are not allowed, write the value out");
    if (tag)
        return fail_at(r, ev->start_mark,
                       "tags (!name) are not allowed, quote the text instead");
    return PUAN_OK;
}

static struct puan_str copy(struct reader *r, const yaml_event_t *ev)
{
    struct puan_str s = { (const char *)ev->data.scalar.value,
                          ev->data.scalar.length };

    return (struct puan_str){ puan_arena_dup(r->a, s), s.n };
}

static bool is_null(const yaml_event_t *ev)
{
    struct puan_str s = { (const char *)ev->data.scalar.value,
                          ev->data.scalar.length };

    return ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.n == 0 || puan_str_is(s, "~") || puan_str_is(s, "null"));
}

static enum puan_status children(struct reader *r, struct puan_node *n,
                                 unsigned depth);

/* The node that begins with ev; reads on to its end. */
static enum puan_status node_of(struct reader *r, struct puan_node *n,
                                const yaml_event_t *ev, unsigned depth)
{
    n->file = r->file;
    n->line = (uint32_t)ev->start_mark.line + 1;
    n->col = (uint32_t)ev->start_mark.column + 1;
    if (++r->nodes > PUAN_YAML_NODES)
        return fail_at(r, ev->start_mark, "too many values for one file");
    if (ev->type == YAML_SCALAR_EVENT) {
        n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        n->kind = is_null(ev) ? PUAN_NODE_NULL : PUAN_NODE_SCALAR;
        n->text = copy(r, ev);
        return PUAN_OK;
    }
    if (depth == PUAN_YAML_DEPTH)
        return fail_at(r, ev->start_mark, "nested more than 32 deep");
    n->kind =
        ev->type == YAML_SEQUENCE_START_EVENT ? PUAN_NODE_LIST : PUAN_NODE_MAP;
    return children(r, n, depth + 1);
}

/* ev is a key of map: takes its text, refuses a second one. */
static enum puan_status take_key(struct reader *r, const struct puan_node *map,
                                 struct puan_node *c, const yaml_event_t *ev)
{
    if (ev->type != YAML_SCALAR_EVENT)
        return fail_at(r, ev->start_mark, "a key must be a text");
    c->key = copy(r, ev);
    c->key_line = (uint32_t)ev->start_mark.line + 1;
    c->key_col = (uint32_t)ev->start_mark.column + 1;
    if (c->key.n == 0)
        return fail_at(r, ev->start_mark, "empty key");
    if (puan_str_is(c->key, "<<"))
        return fail_at(r, ev->start_mark,
                       "merge keys (<<) are not allowed, write the keys out");
    if (puan_node_get_s(map, c->key))
        return puan_fail_at(r->err, PUAN_EINVAL, r->file, c->key_line,
                            c->key_col,
                            "key '%.*s' stands twice in this map, remove one",
                            PUAN_FMT(c->key));
    return PUAN_OK;
}

static enum puan_status children(struct reader *r, struct puan_node *n,
                                 unsigned depth)
{
    struct puan_node *last = NULL;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK) {
        struct puan_node *c = NULL;
        yaml_event_t ev;
        bool end;

        st = next(r, &ev);
        if (st != PUAN_OK)
            return st;
        end = ev.type == YAML_SEQUENCE_END_EVENT ||
              ev.type == YAML_MAPPING_END_EVENT;
        if (!end) {
            st = plain_enough(r, &ev);
            c = puan_new(r->a, struct puan_node);
            if (st == PUAN_OK && c == NULL)
                st = puan_arena_check(r->a, r->err);
        }
        if (st == PUAN_OK && !end && n->kind == PUAN_NODE_MAP) {
            st = take_key(r, n, c, &ev);
            yaml_event_delete(&ev);
            if (st == PUAN_OK)
                st = next(r, &ev);
            if (st != PUAN_OK)
                return st;
            st = plain_enough(r, &ev);
        }
        if (st == PUAN_OK && !end)
            st = node_of(r, c, &ev, depth);
        yaml_event_delete(&ev);
        if (end)
            return PUAN_OK;
        if (st == PUAN_OK) {
            if (last)
                last->next = c;
            else
                n->first = c;
            last = c;
            n->n++;
        }
    }
    return st;
}

/* From stream start to stream end, one document between. */
static enum puan_status document(struct reader *r, struct puan_node *root)
{
    bool seen = false;

    for (;;) {
        yaml_event_t ev;
        enum puan_status st = next(r, &ev);
        yaml_event_type_t type;

        if (st != PUAN_OK)
            return st;
        type = ev.type;
        st = plain_enough(r, &ev);
        if (st == PUAN_OK && type == YAML_DOCUMENT_START_EVENT && seen)
            st = fail_at(r, ev.start_mark,
                         "a second document, put it into its own file");
        if (st == PUAN_OK &&
            (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
             type == YAML_MAPPING_START_EVENT)) {
            seen = true;
            st = node_of(r, root, &ev, 0);
        }
        yaml_event_delete(&ev);
        if (st != PUAN_OK)
            return st;
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    if (!seen)
        return puan_fail_at(r->err, PUAN_EINVAL, r->file, 1, 1,
                            "the file is empty");
    return PUAN_OK;
}

enum puan_status puan_yaml_tree(struct puan_node **out, struct puan_str text,
                                const char *file, struct puan_arena *a,
                                struct puan_err *err)
{
    struct reader r = { .a = a, .err = err, .text = text };
    struct puan_node *root = puan_new(a, struct puan_node);
    enum puan_status st;

    r.file = puan_arena_dup(a, puan_str_of(file));
    if (root == NULL)
        return puan_arena_check(a, err);
    if (text.n > PUAN_YAML_BYTES)
        return puan_fail(err, PUAN_ELIMIT, r.file,
                         "larger than 4 MiB, split the file");
    if (!yaml_parser_initialize(&r.parser))
        return puan_fail(err, PUAN_ENOMEM, r.file, "out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p,
                                 text.n);
    st = document(&r, root);
    yaml_parser_delete(&r.parser);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        *out = root;
    return st;
}
