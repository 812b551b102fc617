/*
 * Coding of answers in words (puan.h).
 */
#include <stdlib.h>

#include "features/code/code.h"
#include "kit/os/heap.h"
#include "programs/lib/internal.h"

struct pu_coder {
    struct puan_coding *coding;
};

pu_status pu_coder_open(pu_coder **out, const char *pack, const char *what,
                        pu_error *err)
{
    pu_coder *c = calloc(1, sizeof(*c));
    struct puan_err e = { 0 };

    *out = NULL;
    if (!c)
        return lib_fail(err, PU_NO_MEMORY, "", "out of memory");
    if (puan_coding_open(&c->coding, pack, what, &e) != PUAN_OK) {
        pu_coder_free(c);
        return lib_failed(err, &e);
    }
    *out = c;
    return PU_OK;
}

void pu_coder_free(pu_coder *c)
{
    if (!c)
        return;
    puan_coding_close(c->coding);
    free(c);
}

/* Cut between characters where it does not fit. */
static void copy(char *out, size_t cap, struct puan_str s)
{
    size_t n = s.n < cap ? s.n : cap - 1;

    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0u) == 0x80u)
        n--;
    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

pu_status pu_coder_code(pu_coding *state, pu_code_hit *hit, size_t *hits,
                        size_t most, const pu_coder *c,
                        const char *const *texts, size_t n, unsigned digits,
                        pu_error *err)
{
    static const pu_coding states[] = { [PUAN_CODED] = PU_CODED,
                                        [PUAN_CODE_EMPTY] = PU_EMPTY,
                                        [PUAN_CODE_VAGUE] = PU_VAGUE,
                                        [PUAN_CODE_UNKNOWN] = PU_UNKNOWN };
    const struct puan_coder *coder = puan_coding_coder(c->coding);
    struct puan_coder_answer x = { .n = 0 };
    struct puan_str field[4];
    struct puan_err e = { 0 };
    struct puan_arena a;
    enum puan_status st;

    *hits = 0;
    if (n < 1 || n > 4)
        return lib_fail(err, PU_INVALID, "answer",
                        "an answer has one to four texts");
    for (size_t i = 0; i < n; i++)
        field[i] = puan_str_of(texts[i]);
    puan_arena_init(&a, &puan_heap);
    st = puan_coder_suggest(&x, coder, field, n, digits, &a, &e);
    if (st == PUAN_OK) {
        *state = states[x.state];
        *hits = x.n < most ? x.n : most;
    }
    for (size_t i = 0; i < *hits; i++) {
        copy(hit[i].code, sizeof(hit[i].code),
             puan_coding_code(coder, x.hit[i].node, digits));
        copy(hit[i].name, sizeof(hit[i].name),
             puan_coder_node(coder, x.hit[i].node)->name);
        hit[i].percent = x.hit[i].ppm / 10000.0;
    }
    puan_arena_clear(&a);
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}
