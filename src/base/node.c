/*
 * Access to the parsed-plan tree, with errors that name the place.
 */
#include "base/node.h"

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

/* Edit distance, cut off at 3 and at 31 bytes: enough to offer a remedy. */
static unsigned distance(struct puan_str a, const char *b)
{
    unsigned row[32];
    size_t nb = strlen(b);

    if (a.n > 31 || nb > 31)
        return 99;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = diagonal + (a.p[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

enum puan_status puan_node_only(const struct puan_node *map,
                                const char *const *known, struct puan_err *err)
{
    if (map == NULL || map->kind != PUAN_NODE_MAP)
        return puan_node_fail(map, err, "expected a map of keys");
    PUAN_NODE_EACH(c, map) {
        const char *nearest = NULL;
        unsigned best = 3;
        const char *const *k = known;

        for (; *k && !puan_str_is(c->key, *k); k++) {
            unsigned d = distance(c->key, *k);

            if (d < best) {
                best = d;
                nearest = *k;
            }
        }
        if (*k)
            continue;
        if (nearest)
            return puan_fail_at(err, PUAN_EINVAL, c->file ? c->file : "",
                                c->key_line, c->key_col,
                                "unknown key '%.*s', did you mean '%s'",
                                PUAN_FMT(c->key), nearest);
        return puan_fail_at(err, PUAN_EINVAL, c->file ? c->file : "",
                            c->key_line, c->key_col, "unknown key '%.*s', remove it",
                            PUAN_FMT(c->key));
    }
    return PUAN_OK;
}
