/*
 * Codes that clerks have given: the same answer, however it is written, gets
 * the same code before anything is guessed.
 */
#include <string.h>

#include "features/code/internal.h"
#include "kit/os/heap.h"

struct known {
    struct puan_str key; /* puan_coder_key; n == 0: free */
    uint32_t node;
};

struct code_known {
    const struct puan_coder *coder;
    struct known *slot;
    size_t slots; /* power of two */
    size_t n;
};

static uint64_t hash_of(struct puan_str s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3u;
    return h;
}

static struct known *slot_of(const struct code_known *k, struct puan_str key)
{
    size_t i = (size_t)hash_of(key) & (k->slots - 1);

    while (k->slot[i].key.n > 0 && !puan_str_eq(k->slot[i].key, key))
        i = (i + 1) & (k->slots - 1);
    return &k->slot[i];
}

/* A later row takes the place of an earlier one. */
static enum puan_status add(struct code_known *k, struct puan_str text,
                            struct puan_str code, const char *path,
                            uint32_t line, struct puan_arena *a,
                            struct puan_arena *scratch, struct puan_err *err)
{
    int32_t node = puan_coder_find(k->coder, code);
    struct puan_str key;
    struct known *s;

    if (code.n == 0) /* too vague: nothing is known */
        return PUAN_OK;
    if (node < 0)
        return puan_fail_at(err, PUAN_EINVAL, path, line, 0,
                            "the classification has no code %.*s",
                            PUAN_FMT(code));
    puan_arena_reset(scratch);
    key = puan_coder_key(k->coder, &text, 1, scratch);
    if (key.n == 0)
        return puan_arena_check(scratch, err);
    s = slot_of(k, key);
    if (s->key.n == 0) {
        s->key = puan_arena_keep(a, key);
        k->n++;
    }
    s->node = (uint32_t)node;
    return puan_arena_check(a, err);
}

enum puan_status code_known_open(struct code_known **out, const char *path,
                                 const struct puan_coder *c,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct code_known *k = puan_new(a, struct code_known);
    struct puan_sheet *s = NULL;
    struct puan_arena scratch;
    int text = 0, code = 0;
    bool more = true;
    enum puan_status st = puan_sheet_open(&s, path, err);

    *out = k;
    puan_arena_init(&scratch, &puan_heap);
    if (st == PUAN_OK)
        st = puan_sheet_need(&text, s, "text", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, "code", err);
    if (st == PUAN_OK && k) {
        k->coder = c;
        /* a row has three bytes at least */
        for (k->slots = 64; k->slots < puan_sheet_size(s) / 2; k->slots *= 2)
            ;
        k->slot = puan_new_n(a, k->slots, struct known);
    }
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    while (st == PUAN_OK && k && k->slot) {
        const struct puan_csv *row = puan_sheet_row(s);

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        st = add(k, row->field[text], row->field[code], path, row->line, a,
                 &scratch, err);
    }
    puan_arena_clear(&scratch);
    puan_sheet_close(s);
    return st;
}

int32_t code_known_find(const struct code_known *k,
                        const struct puan_str *field, size_t n,
                        struct puan_arena *scratch)
{
    struct puan_str key = puan_coder_key(k->coder, field, n, scratch);
    const struct known *s = key.n > 0 ? slot_of(k, key) : NULL;

    return s && s->key.n > 0 ? (int32_t)s->node : -1;
}
