/*
 * Writes a plan pack as the one JSON text that the WebAssembly core is fed
 * with in tests: forms, code lists, settings, rule texts.
 * usage: pack_json PACK > OUT.json
 */
#include <stdio.h>

#include "base/calendar.h"
#include "base/json.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"

static void files(struct puan_jw *w, const struct puan_plan *p,
                  const char *folder, bool merge)
{
    for (size_t i = 0; i < p->n_packs; i++)
        for (size_t k = 0; k < p->pack[i].n_files; k++) {
            const struct puan_plan_file *f = &p->pack[i].file[k];

            if (!puan_str_starts(f->path, folder) || !f->tree)
                continue;
            if (!merge) {
                puan_plan_node_json(w, f->tree);
                continue;
            }
            PUAN_NODE_EACH(c, f->tree)
            {
                puan_jw_key_s(w, c->key);
                puan_plan_node_json(w, c);
            }
        }
}

static void plan(struct puan_jw *w, const struct puan_plan *p)
{
    char month[8];

    puan_jw_map(w);
    puan_month_text(month, p->reference_month);
    puan_jw_ktext(w, "reference_month", month);
    puan_jw_key(w, "codes");
    puan_jw_map(w);
    files(w, p, "codes/", true);
    puan_jw_end(w, '}');
    puan_jw_key(w, "forms");
    puan_jw_list(w);
    files(w, p, "forms/", false);
    puan_jw_end(w, ']');
    puan_jw_key(w, "settings");
    puan_plan_settings_json(w, p);
    puan_jw_key(w, "texts");
    puan_plan_rules_json(w, p);
    puan_jw_end(w, '}');
}

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
    plan(&w, puan_plan_held_plan(held));
    if (a.failed || fwrite(out.p, 1, out.n, stdout) != out.n)
        status = 5;
    puan_arena_clear(&a);
    puan_plan_close(held);
    return status;
}
