/* Rows told apart by up to four values. */
#include "features/sample/keys.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(const int64_t *key)
{
    uint64_t h = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < PUAN_KEY_MOST; i++) {
        h ^= (uint64_t)key[i];
        h *= 0xbf58476d1ce4e5b9u;
        h ^= h >> 31;
    }
    return h;
}

static uint32_t find(const struct puan_keys *k, const int64_t *key)
{
    uint32_t at = (uint32_t)mix(key) & (k->slots - 1);

    while (k->slot[at] &&
           memcmp(k->key + (size_t)(k->slot[at] - 1) * PUAN_KEY_MOST, key,
                  PUAN_KEY_MOST * sizeof(*key)) != 0)
        at = (at + 1) & (k->slots - 1);
    return at;
}

static bool widen(struct puan_keys *k)
{
    uint32_t room = k->room ? k->room * 2 : 256, slots = room * 2;
    int64_t *key = realloc(k->key, (size_t)room * PUAN_KEY_MOST * sizeof(*key));
    uint32_t *slot;

    if (!key)
        return false;
    k->key = key;
    slot = calloc(slots, sizeof(*slot));
    if (!slot)
        return false;
    free(k->slot);
    k->slot = slot;
    k->room = room;
    k->slots = slots;
    for (uint32_t i = 0; i < k->n; i++)
        slot[find(k, key + (size_t)i * PUAN_KEY_MOST)] = i + 1;
    return true;
}

uint32_t puan_keys_of(struct puan_keys *k, const int64_t key[PUAN_KEY_MOST])
{
    uint32_t at;

    if (k->n > 0 && memcmp(k->key + (size_t)k->last * PUAN_KEY_MOST, key,
                           PUAN_KEY_MOST * sizeof(*key)) == 0)
        return k->last;
    if (k->n == k->room && (k->room > UINT32_MAX / 4 || !widen(k)))
        return UINT32_MAX;
    at = find(k, key);
    if (!k->slot[at]) {
        memcpy(k->key + (size_t)k->n * PUAN_KEY_MOST, key,
               PUAN_KEY_MOST * sizeof(*key));
        k->slot[at] = ++k->n;
    }
    return k->last = k->slot[at] - 1;
}

void puan_keys_clear(struct puan_keys *k)
{
    free(k->key);
    free(k->slot);
    *k = (struct puan_keys){ 0 };
}
