/*
 * Measure: error localisation on households with several planted errors.
 * Clean households of a file get errors in two to four answers each (another
 * value of the item's domain, or none), each of which would fail a hard rule by
 * itself; those are localised.  Counts how often the weight found is at most
 * that of what was planted and the repair passes every hard rule (it must,
 * always), how often it is exactly what was planted, and the time a household
 * takes. usage: bench_planted [--pack PACK] [--form FORM] [--households N]
 * [--seed N]
 *                       [--least N] [--most N] DATA…
 *        bench_planted --rules RULES [--unit LEVEL] … DATA…
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/edit/localise.h"
#include "core/plan/plan.h"
#include "features/edit/source.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "row.h"

#define MOST 16

static uint64_t seed = 20201101;

static unsigned draw(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct measure {
    const char *pack, *form_id, *rules, *unit, *data[8];
    size_t n_data, households;
    unsigned least, most;
    bool show;
    const struct puan_form *form;
    const struct puan_routing *routing;
    const struct puan_ruleset *rs;
    const struct puan_localiser *l;
    /* what came out */
    double *us;
    size_t n, good, equal, exact, clean, no_repair, undecided;
    uint64_t planted_weight, found_weight, runs, conflicts;
};

/* A cell whose answer can be spoilt. */
static bool spoils(const struct puan_item *it)
{
    return it->from == PUAN_FROM_ANSWER && it->fact_of < 0 &&
           (it->type == PUAN_TYPE_CODE || it->type == PUAN_TYPE_INT ||
            it->type == PUAN_TYPE_FIXED || it->type == PUAN_TYPE_MONTH ||
            it->type == PUAN_TYPE_DATE || it->type == PUAN_TYPE_AREA);
}

static int64_t another(const struct puan_item *it, int64_t was)
{
    uint64_t width = (uint64_t)it->max - (uint64_t)it->min + 1;

    if (it->type == PUAN_TYPE_CODE)
        return it->codes->codes[draw((unsigned)it->codes->n)].value;
    if (it->type == PUAN_TYPE_AREA)
        return was + 1 + draw(90);
    if (it->type == PUAN_TYPE_MONTH && draw(2))
        return was + (int64_t)draw(481) - 240;
    if (it->type == PUAN_TYPE_INT && it->max > 100 && draw(2))
        return draw(10);
    return it->min + (int64_t)(draw(1u << 30) % width);
}

/* One error somewhere; false: not this time. */
static bool plant(struct puan_record *r, struct puan_cell *at)
{
    uint16_t e = (uint16_t)draw(r->form->n_entities);
    const struct puan_entity *ent = &r->form->entity[e];
    const struct puan_item *it;
    size_t i;
    int64_t v;

    if (r->rows[e].n == 0 || ent->n_asked == 0)
        return false;
    *at = (struct puan_cell){ e, (uint16_t)draw(ent->n_asked),
                              draw(r->rows[e].n) };
    it = &ent->items[at->item];
    i = (size_t)at->row * ent->n_items + at->item;
    if (!spoils(it) || r->rows[e].st[i] != PUAN_GIVEN)
        return false;
    if (draw(6) == 0) {
        r->rows[e].st[i] = draw(2) ? PUAN_INVALID : PUAN_NOT_ASKED;
        r->rows[e].v[i] = 0;
        return true;
    }
    v = another(it, r->rows[e].v[i]);
    if (v == r->rows[e].v[i] ||
        (it->type != PUAN_TYPE_CODE && it->type != PUAN_TYPE_AREA &&
         (v < it->min || v > it->max)))
        return false;
    r->rows[e].v[i] = v;
    return true;
}

static enum puan_status copy(struct puan_record *to,
                             const struct puan_record *from,
                             struct puan_arena *a, struct puan_err *err)
{
    uint32_t n[PUAN_FORM_ENTITIES];
    enum puan_status st;

    for (size_t e = 0; e < from->form->n_entities; e++)
        n[e] = from->rows[e].n;
    st = puan_record_new(to, from->form, n, a, err);
    for (size_t e = 0; st == PUAN_OK && e < from->form->n_entities; e++) {
        size_t k = (size_t)n[e] * from->form->entity[e].n_items;

        if (k == 0)
            continue;
        memcpy(to->rows[e].v, from->rows[e].v, k * sizeof(int64_t));
        memcpy(to->rows[e].st, from->rows[e].st, k);
        if (from->rows[e].txt)
            memcpy(to->rows[e].txt, from->rows[e].txt,
                   k * sizeof(struct puan_str));
    }
    return st;
}

/* Is the repair one? Run again by the executor, on a copy made here. */
static bool passes(const struct measure *m, const struct puan_localised *got,
                   const struct puan_record *raw, struct puan_arena *a,
                   struct puan_err *err)
{
    struct puan_record r;
    struct puan_findings f;

    if (!got->repaired || copy(&r, raw, a, err) != PUAN_OK)
        return false;
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *c = &got->change[i];
        struct puan_rows *rows = &r.rows[c->at.entity];
        size_t at = (size_t)c->at.row * r.form->entity[c->at.entity].n_items +
                    c->at.item;

        rows->st[at] = (uint8_t)c->state;
        rows->v[at] = c->value;
        if (rows->txt)
            rows->txt[at] = (struct puan_str){ NULL, 0 };
    }
    /* what routing made MISSING is asked again */
    for (size_t e = 0; m->routing && e < r.form->n_entities; e++)
        for (size_t i = 0; i < (size_t)r.rows[e].n * r.form->entity[e].n_items;
             i++)
            if (r.rows[e].st[i] == PUAN_MISSING && r.rows[e].v[i] == 0)
                r.rows[e].st[i] = PUAN_NOT_ASKED;
    if (m->routing)
        puan_routing_apply(m->routing, &r);
    return puan_ruleset_run(&f, m->rs, &r, a, err) == PUAN_OK && !f.any_hard;
}

static void show(const struct measure *m, const struct puan_edit_return *r,
                 const struct puan_cell *planted, size_t n,
                 const struct puan_record *spoilt,
                 const struct puan_localised *got, struct puan_arena *a)
{
    printf("%.*s: planted", PUAN_FMT(r->key));
    for (size_t i = 0; i < n; i++) {
        const struct puan_entity *e = &m->form->entity[planted[i].entity];

        printf(" %.*s[%u].%.*s", PUAN_FMT(e->name), planted[i].row + 1,
               PUAN_FMT(e->items[planted[i].item].name));
    }
    printf("; weight %" PRIu64 ", change", got->weight);
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *c = &got->change[i];
        const struct puan_entity *e = &m->form->entity[c->at.entity];
        const struct puan_rows *rows = &spoilt->rows[c->at.entity];
        size_t at = (size_t)c->at.row * e->n_items + c->at.item;

        printf(" %.*s[%u].%.*s %s -> %s", PUAN_FMT(e->name), c->at.row + 1,
               PUAN_FMT(e->items[c->at.item].name),
               rows->st[at] == PUAN_GIVEN
                   ? puan_item_text(&e->items[c->at.item], rows->v[at], a)
                   : "(none)",
               c->state == PUAN_GIVEN
                   ? puan_item_text(&e->items[c->at.item], c->value, a)
                   : "(empty)");
    }
    printf("\n");
}

/* Does the return, routed, fail a hard rule? */
static enum puan_status fails(bool *out, struct puan_record *r,
                              const struct measure *m,
                              const struct puan_record *raw,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_findings f;
    enum puan_status st = copy(r, raw, a, err);

    if (st != PUAN_OK)
        return st;
    if (m->routing)
        puan_routing_apply(m->routing, r);
    st = puan_ruleset_run(&f, m->rs, r, a, err);
    *out = f.any_hard;
    return st;
}

/* A cell of one record as it is in another. */
static void carry(struct puan_record *to, const struct puan_record *from,
                  const struct puan_cell *at)
{
    size_t i =
        (size_t)at->row * from->form->entity[at->entity].n_items + at->item;

    to->rows[at->entity].v[i] = from->rows[at->entity].v[i];
    to->rows[at->entity].st[i] = from->rows[at->entity].st[i];
}

static enum puan_status one(struct measure *m,
                            const struct puan_edit_return *from,
                            struct puan_arena *a, struct puan_err *err)
{
    unsigned want = m->least + draw(m->most - m->least + 1);
    struct puan_cell at[MOST];
    struct puan_record raw, r;
    struct puan_findings f;
    struct puan_localised got;
    uint64_t same = 0;
    bool bad = false;
    double t0;
    enum puan_status st;
    size_t n = 0;

    st = puan_ruleset_run(&f, m->rs, &from->record, a, err);
    if (st != PUAN_OK)
        return st;
    if (f.any_hard)
        return PUAN_OK;
    st = copy(&raw, &from->record, a, err);
    for (unsigned k = 0; st == PUAN_OK && k < 200 && n < want; k++) {
        struct puan_record alone;
        bool twice = false, seen = false;

        st = copy(&alone, &from->record, a, err);
        if (st != PUAN_OK || !plant(&alone, &at[n]))
            continue;
        for (size_t i = 0; i < n; i++)
            twice |= memcmp(&at[i], &at[n], sizeof(at[n])) == 0;
        st = fails(&seen, &r, m, &alone, a, err);
        if (twice || !seen)
            continue;
        carry(&raw, &alone, &at[n++]);
    }
    if (st != PUAN_OK || n < want)
        return st;
    st = fails(&bad, &r, m, &raw, a, err);
    if (st != PUAN_OK || !bad)
        return st;
    t0 = now_us();
    st = puan_localise(&got, m->l, &r, NULL, a, err);
    if (st != PUAN_OK)
        return st;
    m->us[m->n++] = now_us() - t0;
    for (size_t i = 0; i < got.n; i++)
        for (size_t k = 0; k < n; k++)
            same += got.change[i].weight &&
                    memcmp(&got.change[i].at, &at[k], sizeof(at[k])) == 0;
    m->runs += got.runs;
    m->conflicts += got.conflicts;
    m->planted_weight += n;
    m->found_weight += got.weight;
    m->undecided += got.state == PUAN_LOCALISE_UNDECIDED;
    m->no_repair += !passes(m, &got, &raw, a, err);
    m->good += got.state == PUAN_LOCALISE_FOUND && got.weight <= n;
    m->equal += got.weight == n;
    m->exact += same == n && got.n_items == n;
    if (m->show || got.state != PUAN_LOCALISE_FOUND || got.weight > n)
        show(m, from, at, n, &r, &got, a);
    return PUAN_OK;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void say(struct measure *m, const char *what)
{
    double sum = 0, n = (double)m->n;
    char name[64];

    for (size_t i = 0; i < m->n; i++)
        sum += m->us[i];
    qsort(m->us, m->n, sizeof(*m->us), by_time);
#define ROW(label, value, unit)                                                \
    (snprintf(name, sizeof(name), "localise %s %s", what, label),              \
     bench_row(name, value, unit, "", -1, "", -1))
    ROW("households", n, "");
    ROW("weight <= planted", 100.0 * (double)m->good / n, "%");
    ROW("repair passes", 100.0 * (n - (double)m->no_repair) / n, "%");
    ROW("undecided", (double)m->undecided, "");
    ROW("exactly planted", 100.0 * (double)m->exact / n, "%");
    ROW("planted a household", (double)m->planted_weight / n, "answers");
    ROW("found a household", (double)m->found_weight / n, "answers");
    ROW("conflicts", (double)m->conflicts / n, "");
    ROW("runs of rules", (double)m->runs / n, "");
    ROW("mean time", sum / n / 1000, "ms");
    ROW("median time", m->us[m->n / 2] / 1000, "ms");
    ROW("99 % time", m->us[m->n * 99 / 100] / 1000, "ms");
    ROW("slowest", m->us[m->n - 1] / 1000, "ms");
}

static enum puan_status prepare(struct measure *m, struct puan_edit_source **s,
                                struct puan_plan_held **held,
                                struct puan_arena *a, struct puan_err *err)
{
    const char *files[1] = { m->rules };
    struct puan_rule_decls decls = { 0 };
    struct puan_ruleset *rs = NULL;
    struct puan_localiser *l = NULL;
    struct puan_str text;
    enum puan_status st;

    if (m->rules) {
        struct puan_edit_frame opt = { 0 };

        st = puan_file_read(&text, m->rules, 1u << 20, a, err);
        if (st == PUAN_OK)
            st = puan_rule_declared(&decls, &text, files, 1, a, err);
        opt.level = decls.level;
        opt.n_levels = decls.n_levels;
        opt.unit = puan_str_of(m->unit);
        if (st == PUAN_OK)
            st = puan_edit_source_frame(s, m->data, m->n_data, &opt, err);
        if (st != PUAN_OK)
            return st;
        m->form = puan_edit_source_of(*s);
        st = puan_ruleset_compile(&rs, m->form, NULL, 0, &text, files, 1, a,
                                  err);
    } else {
        const struct puan_plan *plan;

        st = puan_plan_load_dir(held, m->pack, NULL, err);
        if (st != PUAN_OK)
            return st;
        plan = puan_plan_held_plan(*held);
        m->form = puan_plan_form(plan, puan_str_of(m->form_id));
        if (!m->form)
            return puan_fail(err, PUAN_ENOTFOUND, m->pack, "no form %s",
                             m->form_id);
        st = puan_edit_source_form(s, plan, m->form, m->data, m->n_data, false,
                                   err);
        if (st == PUAN_OK)
            st = puan_ruleset_compile(&rs, m->form, plan->consts,
                                      plan->n_consts, plan->rule_text,
                                      plan->rule_name, plan->n_rules, a, err);
    }
    if (st != PUAN_OK)
        return st;
    m->rs = rs;
    m->routing = puan_edit_source_routing(*s);
    st = puan_localiser_open(&l, m->rs, m->routing, m->form, NULL, 0, a, err);
    m->l = l;
    return st;
}

static enum puan_status run(struct measure *m, const struct puan_edit_source *s,
                            struct puan_err *err)
{
    struct puan_edit_cursor *c = NULL;
    struct puan_arena chunk, a;
    enum puan_status st = puan_edit_cursor_open(&c, s, err);

    puan_arena_init(&chunk, &puan_heap);
    puan_arena_init(&a, &puan_heap);
    for (size_t k = 0; st == PUAN_OK && m->n < m->households; k++) {
        struct puan_edit_return *list;
        size_t n;

        puan_arena_reset(&chunk);
        st = puan_edit_cursor_chunk(
            &list, &n, c, k % puan_edit_source_chunks(s), &chunk, err);
        for (size_t i = 0; st == PUAN_OK && i < n && m->n < m->households;
             i++) {
            puan_arena_reset(&a);
            st = one(m, &list[i], &a, err);
        }
    }
    puan_arena_clear(&a);
    puan_arena_clear(&chunk);
    puan_edit_cursor_close(c);
    return st;
}

int main(int argc, char **argv)
{
    struct measure m = { .pack = "plans/cn-population-2020",
                         .form_id = "short",
                         .unit = "",
                         .households = 10000,
                         .least = 2,
                         .most = 4 };
    struct puan_edit_source *s = NULL;
    struct puan_plan_held *held = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    int code = 0;

    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : "";

        if (argv[i][0] != '-') {
            if (m.n_data < PUAN_COUNT(m.data))
                m.data[m.n_data++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--show") == 0) {
            m.show = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--pack") == 0)
            m.pack = v;
        else if (strcmp(argv[i - 1], "--form") == 0)
            m.form_id = v;
        else if (strcmp(argv[i - 1], "--rules") == 0)
            m.rules = v;
        else if (strcmp(argv[i - 1], "--unit") == 0)
            m.unit = v;
        else if (strcmp(argv[i - 1], "--households") == 0)
            m.households = strtoul(v, NULL, 10);
        else if (strcmp(argv[i - 1], "--seed") == 0)
            seed = strtoull(v, NULL, 10) | 1;
        else if (strcmp(argv[i - 1], "--least") == 0)
            m.least = (unsigned)strtoul(v, NULL, 10);
        else if (strcmp(argv[i - 1], "--most") == 0)
            m.most = (unsigned)strtoul(v, NULL, 10);
    }
    if (m.n_data == 0 || m.households == 0 || m.most > MOST ||
        m.least > m.most) {
        fprintf(stderr, "bench_planted: files of returns are needed\n");
        return 2;
    }
    puan_arena_init(&a, &puan_heap);
    m.us = calloc(m.households, sizeof(*m.us));
    if (!m.us || prepare(&m, &s, &held, &a, &err) != PUAN_OK ||
        run(&m, s, &err) != PUAN_OK)
        code = bench_failed("bench_planted", &err);
    else
        say(&m, m.rules ? "file" : m.form_id);
    if (code == 0 && (m.good < m.n || m.no_repair))
        code = 1;
    free(m.us);
    puan_edit_source_close(s);
    puan_plan_close(held);
    puan_arena_clear(&a);
    return code;
}
