/*
 * Access to the parsed-plan tree, with errors that name the place.
 */
#include "base/node.h"

#include "base/near.h"

const struct puan_node *puan_node_get_s(const struct puan_node *n,
                                        struct puan_str key)
{
    if (n == NULL || n->kind != PUAN_NODE_MAP)
        return NULL;
    PUAN_NODE_EACH(c, n)
        if (puan_str_eq(c->key, key))
            return c;
    return NULL;
}

const struct puan_node *puan_node_get(const struct puan_node *n,
                                      const char *key)
{
    return puan_node_get_s(n, puan_str_of(key));
}

const struct puan_node *puan_node_at(const struct puan_node *n, size_t i)
{
    PUAN_NODE_EACH(c, n)
        if (i-- == 0)
            return c;
    return NULL;
}

enum puan_status puan_node_fail(const struct puan_node *n, struct puan_err *err,
                                const char *fmt, ...)
{
    char text[sizeof(err->text)];
    va_list ap;

    va_start(ap, fmt);
    puan_vformat(text, sizeof(text), fmt, ap);
    va_end(ap);
    return puan_fail_at(err, PUAN_EINVAL, n && n->file ? n->file : "",
                        n ? n->line : 0, n ? n->col : 0, "%s", text);
}

enum puan_status puan_node_str(struct puan_str *out,
                               const struct puan_node *map, const char *key,
                               struct puan_err *err)
{
    const struct puan_node *c = puan_node_get(map, key);

    if (c == NULL)
        return puan_node_fail(map, err, "key '%s' is missing, add it", key);
    if (c->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(c, err, "'%s' must be a text", key);
    *out = c->text;
    return PUAN_OK;
}

enum puan_status puan_node_int(int64_t *out, const struct puan_node *map,
                               const char *key, int64_t min, int64_t max,
                               struct puan_err *err)
{
    const struct puan_node *c = puan_node_get(map, key);

    if (c == NULL)
        return puan_node_fail(map, err, "key '%s' is missing, add it", key);
    if (c->kind != PUAN_NODE_SCALAR || !puan_int_parse(out, c->text))
        return puan_node_fail(c, err, "'%s' must be a whole number", key);
    if (*out < min || *out > max)
        return puan_node_fail(c, err, "'%s' must lie between %lld and %lld",
                              key, (long long)min, (long long)max);
    return PUAN_OK;
}

enum puan_status puan_node_bool(bool *out, const struct puan_node *map,
                                const char *key, bool dflt,
                                struct puan_err *err)
{
    const struct puan_node *c = puan_node_get(map, key);

    *out = dflt;
    if (c == NULL)
        return PUAN_OK;
    if (c->kind == PUAN_NODE_SCALAR && puan_str_is(c->text, "true"))
        *out = true;
    else if (c->kind == PUAN_NODE_SCALAR && puan_str_is(c->text, "false"))
        *out = false;
    else
        return puan_node_fail(c, err, "'%s' must be true or false", key);
    return PUAN_OK;
}

struct puan_str puan_node_str_opt(const struct puan_node *map, const char *key,
                                  const char *dflt)
{
    const struct puan_node *c = puan_node_get(map, key);

    if (c == NULL || c->kind != PUAN_NODE_SCALAR)
        return puan_str_of(dflt);
    return c->text;
}

uint32_t puan_node_text_col(const struct puan_node *n)
{
    for (size_t i = 0; i < n->text.n; i++)
        if (n->text.p[i] == '\n')
            return n->col; /* a block: its lines stand elsewhere */
    return n->col + (n->quoted ? 1 : 0);
}

enum puan_status puan_node_only(const struct puan_node *map,
                                const char *const *known, struct puan_err *err)
{
    if (map == NULL || map->kind != PUAN_NODE_MAP)
        return puan_node_fail(map, err, "expected a map of keys");
    PUAN_NODE_EACH(c, map) {
        struct puan_near near = puan_near_to(c->key);
        const char *const *k = known;

        for (; *k && !puan_str_is(c->key, *k); k++)
            puan_near_try(&near, puan_str_of(*k));
        if (*k)
            continue;
        if (near.name.n > 0)
            return puan_fail_at(err, PUAN_EINVAL, c->file ? c->file : "",
                                c->key_line, c->key_col,
                                "unknown key '%.*s', did you mean '%.*s'",
                                PUAN_FMT(c->key), PUAN_FMT(near.name));
        return puan_fail_at(err, PUAN_EINVAL, c->file ? c->file : "",
                            c->key_line, c->key_col, "unknown key '%.*s', remove it",
                            PUAN_FMT(c->key));
    }
    return PUAN_OK;
}
