/*
 * Fuzz target: a scheme of points as JSON text.  What loads gets entries of
 * every kind for each of its items; the sheet must add up to what its lines
 * say, within the points of the scheme.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/score/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DAY INT64_C(86400000)
#define MOST 64

static void put(const struct puan_score_scheme *s, struct puan_score_entry *e,
                size_t *n, enum puan_score_entry_kind kind, size_t item,
                unsigned salt)
{
    const struct puan_score_item *it = &s->item[item];
    struct puan_err err = { 0 };
    struct puan_score_entry x = { .id = (int64_t)*n + 1, .kind = kind,
                                  .level = s->level, .item = it->id,
                                  .at_ms = s->from * DAY + DAY,
                                  .day = s->from, .until = INT64_MIN,
                                  .count = salt, .total = salt % 3 * 50,
                                  .halves = (int)(salt % 4),
                                  .reason = PUAN_STR("r"),
                                  .digest = PUAN_STR("d"),
                                  .ref = PUAN_STR("case/1"),
                                  .version = PUAN_STR("1"),
                                  .role = s->interpreter,
                                  .of = (int64_t)(salt % (*n + 1)) };

    x.person = salt % 2 ? PUAN_STR("a") : PUAN_STR("b");
    if (kind == PUAN_SCORE_EVIDENCE && it->n_kinds > 0) {
        x.evidence = it->kind[salt % it->n_kinds].id;
        x.role = s->evidence_by->kind == PUAN_NODE_LIST && s->evidence_by->n
                     ? puan_node_at(s->evidence_by, 0)->text
                     : s->evidence_by->text;
    } else if (kind == PUAN_SCORE_MEASURED || kind == PUAN_SCORE_AGAINST) {
        x.role = PUAN_STR("system");
    } else if (kind == PUAN_SCORE_GIVEN && s->n_groups > 0) {
        x.role = s->group[salt % s->n_groups].role;
    } else if (kind == PUAN_SCORE_VETO && s->n_vetoes > 0) {
        x.item = s->veto[salt % s->n_vetoes].id;
    }
    if (*n < MOST && puan_score_accept(s, e, *n, &x, &err) == PUAN_OK)
        e[(*n)++] = x;
}

static void play(const struct puan_score_scheme *s)
{
    struct puan_score_entry e[MOST] = { { 0 } };
    struct puan_score_sheet *sheet = calloc(1, sizeof *sheet);
    size_t n = 0;
    int sum = 0;

    if (sheet == NULL)
        return;
    for (size_t i = 0; i < s->n_items && i < 6; i++)
        for (unsigned k = 0; k < PUAN_SCORE_KINDS; k++)
            put(s, e, &n, (enum puan_score_entry_kind)k, i,
                (unsigned)i * 7 + k * 3 + 1);
    puan_score_sheet_make(sheet, s, e, n, s->until);
    for (size_t i = 0; i < s->n_items; i++) {
        if (sheet->line[i].halves < 0 ||
            sheet->line[i].halves > s->item[i].halves)
            abort();
        sum += sheet->line[i].halves;
    }
    if (sum != sheet->points || sum > s->halves)
        abort();
    free(sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct puan_score_scheme_env env = { 0 };
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL;
    struct puan_score_scheme *s = NULL;
    const struct puan_str text = { (const char *)data, size };

    puan_arena_init(&a, &puan_test_heap);
    if (puan_json_tree(&tree, text, "scoring.yaml", &a, &err) == PUAN_OK &&
        puan_score_scheme_load(&s, tree, &env, &a, &err) == PUAN_OK)
        play(s);
    puan_arena_clear(&a);
    return 0;
}
