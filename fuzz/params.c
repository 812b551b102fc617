/*
 * Fuzz target: a request target and a body against a table with every kind of
 * parameter.  The input is the target, a line end, the body.
 */
#include "features/host/params.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct in {
    int64_t n, area, household;
    bool yes;
    struct puan_str text, json;
};

static const struct puan_param params[] = {
    { "n", PUAN_PARAM_INT, offsetof(struct in, n), -5, 100, true },
    { "area", PUAN_PARAM_AREA, offsetof(struct in, area), 0, 0, true },
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct in, household), 0, 0,
      true },
    { "yes", PUAN_PARAM_BOOL, offsetof(struct in, yes), 0, 0, true },
    { "text", PUAN_PARAM_TEXT, offsetof(struct in, text), 1, 10, true },
    { "json", PUAN_PARAM_JSON, offsetof(struct in, json), 0, 100, true },
};
static const struct puan_route row = { .method = PUAN_POST,
                                       .path = "/x/{area}",
                                       PUAN_PARAMS(params, struct in) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_str target, body = { (const char *)data, size };
    struct puan_target t;
    struct puan_pattern p;
    struct puan_err err = { 0 };
    void *in;
    uint64_t set;

    if (!size)
        return 0;
    puan_arena_init(&a, &puan_heap);
    (void)puan_str_split(&target, &body, '\n');
    if (puan_pattern_make(&p, row.path, &err) == PUAN_OK &&
        puan_target_parse(&t, target, &a, &err) == PUAN_OK &&
        puan_pattern_match(&p, &t) &&
        puan_params_fill(&in, &set, &row, &p, &t, body, &a, &err) == PUAN_OK) {
        const struct in *got = in;

        if (got->n < -5 || got->n > 100 || got->area < 0 ||
            got->text.n > 10 || got->json.n > 100)
            __builtin_trap();
    }
    puan_arena_clear(&a);
    return 0;
}
