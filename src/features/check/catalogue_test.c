/*
 * The catalogue of edits a census office works from, rule by rule, against the
 * rules of its pack: plans/PACK/rules/catalogue.csv.  Each rule of the
 * catalogue is either written, with the same severity, or says what is done
 * instead; each written rule stands in the catalogue.  The table of coverage
 * is doc/rules-PACK.md, made here: after a change run the test with
 * PUAN_WRITE=1 and read the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/out.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define RULES_MOST 1024

/* One rule as its line in a .rules file says. */
struct written {
    struct puan_str id, severity, level, forms, file;
    unsigned line;
    bool listed; /* in the catalogue */
};

struct pack {
    struct puan_arena a, row;
    const char *name;
    struct puan_plan_held *held;
    struct written rule[RULES_MOST];
    size_t n;
    struct puan_out table;
    unsigned done, instead;
};

static struct puan_str word(struct puan_str *s)
{
    struct puan_str w;

    *s = puan_str_trim(*s);
    if (!puan_str_split(&w, s, ' '))
        w = (struct puan_str){ 0 };
    return w;
}

/* "rule RH15 soft household in short, long" */
static void take(struct pack *p, struct puan_str line, struct puan_str file,
                 unsigned number)
{
    struct written *w = &p->rule[p->n];

    assert_true(p->n < RULES_MOST);
    if (!puan_str_is(word(&line), "rule"))
        return;
    w->id = word(&line);
    w->severity = word(&line);
    w->level = word(&line);
    w->forms = puan_str_is(word(&line), "in") ? puan_str_trim(line)
                                              : (struct puan_str){ 0 };
    w->file = file;
    w->line = number;
    p->n++;
}

static void read_rules(struct pack *p)
{
    const struct puan_plan *plan = puan_plan_held_plan(p->held);

    for (size_t i = 0; i < plan->n_rules; i++) {
        struct puan_str text = plan->rules[i]->text, line;

        for (unsigned n = 1; puan_str_split(&line, &text, '\n'); n++)
            if (puan_str_starts(line, "rule "))
                take(p, line, plan->rules[i]->path, n);
    }
}

static struct written *find(struct pack *p, struct puan_str id)
{
    for (size_t i = 0; i < p->n; i++)
        if (puan_str_eq(p->rule[i].id, id))
            return &p->rule[i];
    return NULL;
}

static void put_cell(struct puan_out *o, struct puan_str s)
{
    puan_out_text(o, " ");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|')
            puan_out_char(o, '\\');
        puan_out_char(o, s.p[i]);
    }
    puan_out_text(o, " |");
}

static void one_row(struct pack *p, const struct puan_csv *csv, const int *at)
{
    struct puan_str id = csv->field[at[0]], severity = csv->field[at[2]];
    struct puan_str instead = csv->field[at[4]];
    struct written *w = find(p, id);

    if (!w && instead.n == 0)
        fail_msg("rule %.*s of line %u of the catalogue is neither written "
                 "nor says what is done instead",
                 PUAN_FMT(id), csv->line);
    if (w && instead.n > 0)
        fail_msg("rule %.*s is written in %.*s:%u: the catalogue should no "
                 "longer say what is done instead",
                 PUAN_FMT(id), PUAN_FMT(w->file), w->line);
    if (w && w->listed)
        fail_msg("rule %.*s stands twice in the catalogue", PUAN_FMT(id));
    if (w && !puan_str_eq(w->severity, severity))
        fail_msg("rule %.*s is %.*s in the catalogue and %.*s in %.*s:%u",
                 PUAN_FMT(id), PUAN_FMT(severity), PUAN_FMT(w->severity),
                 PUAN_FMT(w->file), w->line);
    puan_out_char(&p->table, '|');
    put_cell(&p->table, id);
    put_cell(&p->table, severity);
    put_cell(&p->table, csv->field[at[3]]);
    if (w) {
        w->listed = true;
        p->done++;
        puan_out_fmt(&p->table, " %.*s, %.*s%s%.*s |\n", PUAN_FMT(w->file),
                     PUAN_FMT(w->level), w->forms.n ? " in " : "",
                     PUAN_FMT(w->forms));
    } else {
        p->instead++;
        put_cell(&p->table, instead);
        puan_out_char(&p->table, '\n');
    }
}

static void read_catalogue(struct pack *p)
{
    static const char *const column[] = { "id", "level", "severity",
                                          "condition", "instead" };
    const char *path = puan_arena_fmt(&p->a, "plans/%s/rules/catalogue.csv",
                                      p->name);
    struct puan_str text;
    struct puan_csv csv;
    struct puan_err err = { 0 };
    int at[5];
    bool more = false;

    assert_int_equal(puan_file_read(&text, path, 0, &p->a, &err), PUAN_OK);
    assert_int_equal(puan_csv_open(&csv, text, path, &p->a, &p->row, &err),
                     PUAN_OK);
    for (int i = 0; i < 5; i++) {
        at[i] = puan_csv_column(&csv, column[i]);
        assert_true(at[i] >= 0);
    }
    while (puan_csv_next(&more, &csv, &err) == PUAN_OK && more)
        one_row(p, &csv, at);
    if (err.code != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    for (size_t i = 0; i < p->n; i++)
        if (!p->rule[i].listed)
            fail_msg("rule %.*s (%.*s:%u) does not stand in the catalogue",
                     PUAN_FMT(p->rule[i].id), PUAN_FMT(p->rule[i].file),
                     p->rule[i].line);
}

/* The whole document, compared with the one that is kept. */
static void compare_document(struct pack *p)
{
    const char *path = puan_arena_fmt(&p->a, "doc/rules-%s.md", p->name);
    struct puan_out o;
    struct puan_str kept = { 0 };

    puan_out_init(&o, &p->a);
    puan_out_fmt(&o,
                 "# Rules of %s\n\nMade by `src/features/check/"
                 "catalogue_test.c` from the pack's rules and its "
                 "`rules/catalogue.csv`; not written by hand. Of %u rules of "
                 "the catalogue %u are written; for %u the last column says "
                 "what is done instead.\n\n| rule | severity | a finding when "
                 "| where |\n| --- | --- | --- | --- |\n",
                 p->name, p->done + p->instead, p->done, p->instead);
    puan_out_str(&o, puan_out_view(&p->table));
    if (getenv("PUAN_WRITE"))
        assert_int_equal(
            puan_file_write(path, puan_out_view(&o), 0644, NULL), PUAN_OK);
    assert_int_equal(puan_file_read(&kept, path, 0, &p->a, NULL), PUAN_OK);
    if (!puan_str_eq(kept, puan_out_view(&o)))
        fail_msg("%s is not what the pack says: run this test with "
                 "PUAN_WRITE=1 and read the difference",
                 path);
}

static void coverage(const char *name, unsigned rules)
{
    static struct pack p;
    struct puan_err err = { 0 };

    memset(&p, 0, sizeof(p));
    p.name = name;
    puan_arena_init(&p.a, &puan_heap);
    puan_arena_init(&p.row, &puan_heap);
    puan_out_init(&p.table, &p.a);
    if (puan_plan_load_dir(&p.held, puan_arena_fmt(&p.a, "plans/%s", name),
                           NULL, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    read_rules(&p);
    read_catalogue(&p);
    assert_int_equal(p.done + p.instead, rules);
    compare_document(&p);
    puan_plan_close(p.held);
    puan_arena_clear(&p.row);
    puan_arena_clear(&p.a);
}

static void every_rule_of_the_catalogue_has_its_place(void **state)
{
    (void)state;
    coverage("cn-population-2020", 220 + 40);
    /* 60 and the six macro checks of the catalogue, 13 on other forms */
    coverage("cn-economic-2018", 60 + 6 + 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_of_the_catalogue_has_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
