/*
 * Fuzz: bodies of multipart/form-data.  The first line is the content type,
 * the rest the body.  Parts lie in the body, one behind the other.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "kit/multipart/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str type, body = { (const char *)data, size };
    const struct puan_part *part;
    struct puan_err err = { 0 };
    struct puan_arena a;
    size_t n;
    const char *at;

    puan_arena_init(&a, &puan_test_heap);
    if (puan_str_split(&type, &body, '\n') && body.p) {
        at = body.p;
        if (puan_multipart_parse(&part, &n, type, body, &a, &err) == PUAN_OK) {
            for (size_t i = 0; i < n; i++) {
                if (part[i].body.p < at ||
                    part[i].body.p + part[i].body.n > body.p + body.n ||
                    part[i].name.p < at)
                    abort();
                at = part[i].body.p + part[i].body.n;
            }
        } else if (!*err.text) {
            abort();
        }
    }
    puan_arena_clear(&a);
    return 0;
}
