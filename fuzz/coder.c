/*
 * Fuzz: the texts a coder is made from (list, words and characters, parted by
 * lines of "===") and an answer.  What is built codes any answer, gives its
 * suggestions in order, and does not care for width and repetition.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/coder/coder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct puan_str part(struct puan_str *rest)
{
    struct puan_str head = *rest;

    for (size_t i = 0; i + 5 <= rest->n; i++)
        if (memcmp(rest->p + i, "\n===\n", 5) == 0) {
            head.n = i;
            rest->p += i + 5;
            rest->n -= i + 5;
            return head;
        }
    rest->p += rest->n;
    rest->n = 0;
    return head;
}

static void ask(const struct puan_coder *c, struct puan_str text,
                struct puan_arena *a)
{
    struct puan_str twice[2] = { text, text };
    struct puan_coder_answer x, y;
    struct puan_coder_near near;
    struct puan_err err = { 0 };

    if (puan_coder_suggest(&x, c, twice, 1, 2, a, &err) != PUAN_OK ||
        puan_coder_suggest(&y, c, twice, 2, 2, a, &err) != PUAN_OK)
        return; /* out of memory */
    if (x.state != y.state || x.n != y.n)
        abort();
    for (size_t i = 0; i < x.n; i++)
        if (x.hit[i].node != y.hit[i].node ||
            x.hit[i].node >= puan_coder_nodes(c) || x.hit[i].ppm > 1000001 ||
            (i > 0 && x.hit[i].ppm > x.hit[i - 1].ppm))
            abort();
    if (puan_coder_nearest(&near, c, &text, 1, a, &err) == PUAN_OK &&
        near.ppm > 1000000)
        abort();
    (void)puan_coder_turned(c, text, " ", a);
    if (!a->failed && puan_coder_alike(c, text, text, a) % 1000000 != 0)
        abort(); /* a text is itself, or nothing */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str rest = { (const char *)data, size };
    struct puan_coder_source list = { part(&rest), "list" };
    struct puan_coder_source words = { part(&rest), "words" };
    struct puan_coder_source chars = { part(&rest), "chars" };
    struct puan_coder *c = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;

    puan_arena_init(&a, &puan_test_heap);
    a.limit = 64u << 20;
    if (puan_coder_build(&c, list, words, chars, &a, &err) == PUAN_OK)
        ask(c, rest, &a);
    else if (err.text[0] == '\0')
        abort(); /* a refusal says why */
    puan_arena_clear(&a);
    return 0;
}
