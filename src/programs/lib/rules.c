/*
 * Rules over data, by all cores (puan.h).
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/rule/lanes.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "programs/lib/internal.h"

#define ROWS (1u << 16) /* a range, a multiple of what the lanes take */

struct pu_rules {
    struct puan_arena arena;
    struct puan_lanes *lanes;
    const struct puan_ruleset *set;
    struct puan_lanes_count *count; /* of all workers */
    const char **id, **zh, **en, **left_out;
    unsigned threads;
};

pu_status pu_rules_compile(pu_rules **out, const pu_data *d,
                           const char *const *texts, const char *const *files,
                           size_t n, pu_error *err)
{
    struct puan_lanes_options opt = { .n_consts = 0 };
    pu_rules *r = calloc(1, sizeof(*r));
    struct puan_str *text;
    struct puan_err e = { 0 };
    const struct puan_rule_skip *skip;
    enum puan_status st;
    size_t rules, skips;

    *out = NULL;
    if (!r)
        return lib_fail(err, PU_NO_MEMORY, "", "out of memory");
    puan_arena_init(&r->arena, &puan_heap);
    r->threads = d->threads;
    text = puan_new_n(&r->arena, n, struct puan_str);
    for (size_t i = 0; text && i < n; i++)
        text[i] = puan_arena_keep(&r->arena, puan_str_of(texts[i]));
    st = puan_arena_check(&r->arena, &e);
    if (st == PUAN_OK)
        st = puan_lanes_compile(&r->lanes, puan_frames_frame(d->frames), text,
                                files, n, &opt, &r->arena, &e);
    if (st == PUAN_OK) {
        r->set = puan_lanes_ruleset(r->lanes);
        rules = puan_ruleset_count(r->set);
        r->count = puan_new_n(&r->arena, rules, struct puan_lanes_count);
        r->id = puan_arena_get_n(&r->arena, rules, sizeof(char *));
        r->zh = puan_arena_get_n(&r->arena, rules, sizeof(char *));
        r->en = puan_arena_get_n(&r->arena, rules, sizeof(char *));
        for (size_t i = 0; !r->arena.failed && i < rules; i++) {
            const struct puan_rule_info *info = puan_ruleset_info(r->set, i);

            r->id[i] = puan_arena_dup(&r->arena, info->id);
            r->zh[i] = puan_arena_dup(&r->arena, info->zh);
            r->en[i] = puan_arena_dup(&r->arena, info->en);
        }
        skip = puan_ruleset_skips(r->set, &skips);
        r->left_out = puan_arena_get_n(&r->arena, skips, sizeof(char *));
        for (size_t i = 0; !r->arena.failed && i < skips; i++)
            r->left_out[i] = puan_arena_dup(&r->arena, skip[i].id);
        st = puan_arena_check(&r->arena, &e);
    }
    if (st != PUAN_OK) {
        pu_rules_free(r);
        return lib_failed(err, &e);
    }
    *out = r;
    return PU_OK;
}

void pu_rules_free(pu_rules *r)
{
    if (!r)
        return;
    puan_arena_clear(&r->arena);
    free(r);
}

size_t pu_rules_count(const pu_rules *r)
{
    return puan_ruleset_count(r->set);
}

pu_status pu_rule_info(pu_rule *out, const pu_rules *r, size_t i)
{
    const struct puan_rule_info *info;

    *out = (pu_rule){ .entity = -1 };
    if (i >= pu_rules_count(r))
        return PU_NOT_FOUND;
    info = puan_ruleset_info(r->set, i);
    *out = (pu_rule){ .id = r->id[i],
                      .zh = r->zh[i],
                      .en = r->en[i],
                      .hard = info->severity == PUAN_HARD,
                      .entity = info->entity,
                      .evaluated = r->count[i].evaluated,
                      .not_evaluable = r->count[i].not_evaluable,
                      .findings = r->count[i].findings };
    return PU_OK;
}

const char *pu_rules_left_out(const char **why, const pu_rules *r, size_t i)
{
    size_t n;
    const struct puan_rule_skip *skip = puan_ruleset_skips(r->set, &n);

    if (i >= n)
        return NULL;
    if (why)
        *why = skip[i].why;
    return r->left_out[i];
}

struct run {
    const pu_rules *r;
    struct puan_lanes_work **work;
    size_t pass;
    pthread_mutex_t lock;
    void (*found)(void *ctx, size_t rule, uint64_t row);
    void *ctx;
};

static void tell(void *ctx, uint16_t rule, uint64_t row, uint32_t n,
                 const uint64_t *bits)
{
    struct run *x = ctx;

    pthread_mutex_lock(&x->lock);
    for (uint32_t i = 0; i < n; i++)
        if (bits[i / 64] >> i % 64 & 1)
            x->found(x->ctx, rule, row + i);
    pthread_mutex_unlock(&x->lock);
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct run *x = arg;

    (void)err;
    puan_lanes_run(x->work[worker], x->pass, begin, end,
                   x->found ? tell : NULL, x);
    return PUAN_OK;
}

pu_status pu_rules_run(pu_rules *r,
                       void (*found)(void *ctx, size_t rule, uint64_t row),
                       void *ctx, pu_error *err)
{
    struct run x = { .r = r, .found = found, .ctx = ctx };
    unsigned threads = r->threads ? r->threads : puan_cores();
    struct puan_arena *arena;
    struct puan_err e = { 0 };
    enum puan_status st = PUAN_OK;

    threads = threads > 64 ? 64 : threads;
    arena = calloc(threads, sizeof(*arena));
    x.work = calloc(threads, sizeof(struct puan_lanes_work *));
    pthread_mutex_init(&x.lock, NULL);
    if (!x.work || !arena)
        st = puan_fail(&e, PUAN_ENOMEM, "", "out of memory");
    for (unsigned i = 0; st == PUAN_OK && i < threads; i++) {
        puan_arena_init(&arena[i], &puan_heap);
        st = puan_lanes_work_new(&x.work[i], r->lanes, &arena[i], &e);
    }
    for (; st == PUAN_OK && x.pass < puan_lanes_passes(r->lanes); x.pass++)
        st = puan_parallel(threads, puan_lanes_rows(r->lanes, x.pass), ROWS,
                           range, &x, &e);
    for (size_t i = 0; st == PUAN_OK && i < pu_rules_count(r); i++)
        r->count[i] = (struct puan_lanes_count){ .evaluated = 0 };
    for (unsigned k = 0; st == PUAN_OK && k < threads; k++) {
        const struct puan_lanes_count *c = puan_lanes_counts(x.work[k]);

        for (size_t i = 0; i < pu_rules_count(r); i++) {
            r->count[i].evaluated += c[i].evaluated;
            r->count[i].not_evaluable += c[i].not_evaluable;
            r->count[i].findings += c[i].findings;
        }
    }
    for (unsigned i = 0; arena && i < threads; i++)
        puan_arena_clear(&arena[i]);
    free(arena);
    free(x.work);
    pthread_mutex_destroy(&x.lock);
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}
