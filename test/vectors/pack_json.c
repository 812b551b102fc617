/*
 * puan plan json, for the build: a plan pack as the one JSON text that the
 * WebAssembly core is fed with in tests.
 * usage: pack_json PACK > OUT.json
 */
#include <stdio.h>

#include "base/json.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"

int main(int argc, char **argv)
{
    struct puan_plan_held *held;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out out;
    struct puan_jw w;
    int status = 0;

    if (argc != 2) {
        fputs("usage: pack_json PACK\n", stderr);
        return 2;
    }
    if (puan_plan_load_dir(&held, argv[1], NULL, &err) != PUAN_OK) {
        fprintf(stderr, "%s:%u:%u: %s\n", err.where, err.line, err.col,
                err.text);
        return 3;
    }
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&out, &a);
    puan_jw_init(&w, &out);
    puan_plan_json(&w, puan_plan_held_plan(held));
    if (a.failed || fwrite(out.p, 1, out.n, stdout) != out.n)
        status = 5;
    puan_arena_clear(&a);
    puan_plan_close(held);
    return status;
}
