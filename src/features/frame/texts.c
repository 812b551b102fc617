/*
 * A hash of texts with a lock, and one without for each thread in front.
 */
#include "features/frame/texts.h"

#include <stdlib.h>

#include "kit/os/heap.h"

struct table {
    struct puan_str *text;
    uint32_t *number; /* of the shared table; NULL: the index itself */
    uint32_t n, cap;
    uint32_t *slot; /* index + 1 */
    uint32_t mask;
};

struct puan_texts {
    pthread_mutex_t lock;
    struct table table;
    struct puan_arena arena;
    uint32_t most;
};

struct puan_texts_seen {
    struct table table;
};

static uint32_t hash_of(struct puan_str s)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.n;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 29);
}

static bool grow(struct table *t, bool numbers)
{
    uint32_t cap = t->cap ? 2 * t->cap : 64, mask = 4 * cap - 1;
    struct puan_str *text = realloc(t->text, cap * sizeof(*text));
    uint32_t *slot, *number;

    if (!text)
        return false;
    t->text = text;
    if (numbers) {
        number = realloc(t->number, cap * sizeof(*number));
        if (!number)
            return false;
        t->number = number;
    }
    slot = calloc((size_t)mask + 1, sizeof(*slot));
    if (!slot)
        return false;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t h = hash_of(text[i]) & mask;

        while (slot[h])
            h = (h + 1) & mask;
        slot[h] = i + 1;
    }
    free(t->slot);
    t->slot = slot;
    t->mask = mask;
    t->cap = cap;
    return true;
}

static void table_clear(struct table *t)
{
    free(t->text);
    free(t->number);
    free(t->slot);
}

/* Its index, or -1; *at is where it would go. */
static int64_t find(uint32_t *at, const struct table *t, struct puan_str s)
{
    uint32_t h = hash_of(s) & t->mask;

    for (; t->slot[h]; h = (h + 1) & t->mask)
        if (puan_str_eq(t->text[t->slot[h] - 1], s))
            return t->slot[h] - 1;
    *at = h;
    return -1;
}

struct puan_texts *puan_texts_new(uint32_t most)
{
    struct puan_texts *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->most = most;
    puan_arena_init(&t->arena, &puan_heap);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void puan_texts_free(struct puan_texts *t)
{
    if (!t)
        return;
    table_clear(&t->table);
    puan_arena_clear(&t->arena);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void puan_texts_seen_free(struct puan_texts_seen *s)
{
    if (!s)
        return;
    table_clear(&s->table);
    free(s);
}

/* In the shared table; *kept is the text there. */
static int64_t shared(struct puan_str *kept, struct puan_texts *t,
                      struct puan_str s)
{
    uint32_t at = 0;
    int64_t i;

    if (t->table.n == t->table.cap && !grow(&t->table, false))
        return -2;
    i = find(&at, &t->table, s);
    if (i < 0) {
        if (t->table.n == t->most)
            return -1;
        i = t->table.n;
        t->table.text[i] = puan_arena_keep(&t->arena, s);
        if (t->arena.failed)
            return -2;
        t->table.n++;
        t->table.slot[at] = t->table.n;
    }
    *kept = t->table.text[i];
    return i;
}

int64_t puan_texts_number(struct puan_texts *t, struct puan_texts_seen **seen,
                          struct puan_str s)
{
    struct puan_texts_seen *x = *seen;
    struct puan_str kept = PUAN_STR("");
    uint32_t at = 0;
    int64_t i;

    if (!x) {
        x = *seen = calloc(1, sizeof(*x));
        if (!x)
            return -2;
    }
    if (x->table.n == x->table.cap && !grow(&x->table, true))
        return -2;
    i = find(&at, &x->table, s);
    if (i >= 0)
        return x->table.number[i];
    pthread_mutex_lock(&t->lock);
    i = shared(&kept, t, s);
    pthread_mutex_unlock(&t->lock);
    if (i < 0)
        return i;
    x->table.text[x->table.n] = kept;
    x->table.number[x->table.n] = (uint32_t)i;
    x->table.n++;
    x->table.slot[at] = x->table.n;
    return i;
}

uint32_t puan_texts_count(const struct puan_texts *t)
{
    return t->table.n;
}

struct entry {
    struct puan_str text;
    uint32_t number;
};

static int by_text(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    return puan_str_cmp(a->text, b->text);
}

const struct puan_codelist *puan_texts_list(uint32_t **map,
                                            struct puan_texts *t,
                                            struct puan_str name,
                                            struct puan_arena *a)
{
    uint32_t n = t->table.n;
    struct puan_codelist *list = puan_new(a, struct puan_codelist);
    struct puan_code *code = puan_new_n(a, n, struct puan_code);
    struct entry *all = malloc((n ? n : 1) * sizeof(*all));

    *map = puan_new_n(a, n, uint32_t);
    if (!list || !code || !all || !*map) {
        free(all);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct entry){ t->table.text[i], i };
    qsort(all, n, sizeof(*all), by_text);
    for (uint32_t i = 0; i < n; i++) {
        code[i].value = i;
        code[i].text = puan_arena_keep(a, all[i].text);
        (*map)[all[i].number] = i;
    }
    free(all);
    list->name = name;
    list->codes = code;
    list->n = n;
    list->dense = true;
    return a->failed ? NULL : list;
}
