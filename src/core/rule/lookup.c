/*
 * Reference tables in memory, and what rule texts declare of tables and
 * levels.
 */
#include "core/rule/lookup.h"

#include "base/arena.h"
#include "core/rule/lang.h"

struct memory { /* an open hash of rows by their keys */
    const int64_t *keys, *values;
    const uint8_t *states;
    size_t n_keys, n_columns;
    uint32_t mask;
    const uint32_t *slot; /* row + 1 */
};

static uint32_t hash(const int64_t *key, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < n; i++) {
        h = (h ^ (uint64_t)key[i]) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 29;
    }
    return (uint32_t)(h ^ h >> 32);
}

static int64_t find(const void *ctx, const int64_t *key)
{
    const struct memory *m = ctx;

    for (uint32_t at = hash(key, m->n_keys);; at++) {
        uint32_t row = m->slot[at & m->mask];

        if (row == 0)
            return -1;
        if (memcmp(m->keys + (size_t)(row - 1) * m->n_keys, key,
                   m->n_keys * sizeof(*key)) == 0)
            return row - 1;
    }
}

static int64_t value(const void *ctx, int64_t row, size_t c,
                     enum puan_state *state)
{
    const struct memory *m = ctx;
    size_t at = (size_t)row * m->n_columns + c;

    *state = m->states ? (enum puan_state)m->states[at] : PUAN_GIVEN;
    return m->values[at];
}

enum puan_status puan_lookup_build(struct puan_lookup *out,
                                   struct puan_str name, const int64_t *keys,
                                   size_t n_keys, const int64_t *values,
                                   const uint8_t *states, size_t n_columns,
                                   size_t n, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct memory *m = puan_new(a, struct memory);
    uint32_t *slot;
    size_t cap = 16;

    if (n_keys == 0 || n_keys > PUAN_LOOKUP_KEYS || n > UINT32_MAX / 4)
        return puan_fail(err, PUAN_ELIMIT, "table",
                         "1 to %d keys and at most a thousand million rows",
                         PUAN_LOOKUP_KEYS);
    while (cap < 2 * n)
        cap *= 2;
    slot = puan_new_n(a, cap, uint32_t);
    if (!m || !slot)
        return puan_arena_check(a, err);
    *m = (struct memory){ keys,   values,    states,
                          n_keys, n_columns, (uint32_t)(cap - 1),
                          slot };
    for (size_t i = 0; i < n; i++) {
        const int64_t *key = keys + i * n_keys;
        uint32_t at = hash(key, n_keys);

        for (; slot[at & m->mask]; at++) {
            uint32_t row = slot[at & m->mask] - 1;

            if (memcmp(keys + (size_t)row * n_keys, key,
                       n_keys * sizeof(*key)) == 0)
                return puan_fail(err, PUAN_ECONFLICT, "table",
                                 "rows %u and %zu of table '%.*s' have the "
                                 "same keys",
                                 row + 1, i + 1, PUAN_FMT(name));
        }
        slot[at & m->mask] = (uint32_t)i + 1;
    }
    *out = (struct puan_lookup){ name, m, find, value };
    return PUAN_OK;
}

static size_t count(const struct puan_ast_decl *d)
{
    size_t n = 0;

    for (; d; d = d->next)
        n++;
    return n;
}

enum puan_status puan_rule_declared(struct puan_rule_decls *out,
                                    const struct puan_str *texts,
                                    const char *const *files, size_t n_texts,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_ast_text t;
    struct puan_rule_table *table;
    struct puan_rule_level *level;
    enum puan_status st = PUAN_OK;
    size_t i = 0;

    puan_ast_text_init(&t);
    for (size_t k = 0; k < n_texts && st == PUAN_OK; k++)
        st = puan_rule_parse_text(&t, texts[k], files ? files[k] : "", a, err);
    if (st != PUAN_OK)
        return st;
    table = puan_new_n(a, count(t.tables) + 1, struct puan_rule_table);
    level = puan_new_n(a, count(t.levels) + 1, struct puan_rule_level);
    if (!table || !level)
        return puan_arena_check(a, err);
    for (const struct puan_ast_decl *d = t.tables; d; d = d->next)
        table[i++] =
            (struct puan_rule_table){ d->name, d->by.name, d->gives.name,
                                      d->by.n, d->gives.n, d->file,
                                      d->line, d->col };
    out->table = table;
    out->n_tables = i;
    i = 0;
    for (const struct puan_ast_decl *d = t.levels; d; d = d->next)
        level[i++] = (struct puan_rule_level){ d->name, d->by.name, d->by.n,
                                               d->file, d->line,    d->col };
    out->level = level;
    out->n_levels = i;
    return PUAN_OK;
}
