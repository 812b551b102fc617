/*
 * XLSForms: sheets out of a text (test_sheets.h), or one expression in every
 * place of a small form that takes one.  What comes out is a form and rules
 * that load and compile again from their text; the report counts right.
 */
#include <stdlib.h>

#include "core/plan/routing.h"
#include "core/rule/rule.h"
#include "core/xlsform/test_sheets.h"
#include "core/xlsform/xlsform.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char around[] =
    "survey\ntype\tname\tlabel\trelevant\tconstraint\tcalculation\trequired\t"
    "repeat_count\n"
    "integer\tn\tN\ndecimal\tw\tW\ntext\tt\tT\ndate\td\tD\n"
    "select_one c\tq\tQ\nselect_multiple c\tm\tM\n"
    "calculate\tk\t\t\t\t%s\n"
    "integer\tx\tX\t%s\t%s\t\t%s\n"
    "begin repeat\tr\tR\t\t\t\t\t%s\ninteger\ty\tY\t%s\t%s\nend repeat\n"
    "\nchoices\nlist_name\tname\tlabel\nc\t1\tOne\nc\ta\tA\n";

static void again(const struct puan_xlsform *x, struct puan_arena *a)
{
    static const char *const files[] = { "rules" };
    struct puan_node *tree;
    struct puan_form *f;
    struct puan_routing *r;
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };
    size_t n = 0;

    if (puan_yaml_tree(&tree, x->yaml, "form", a, &err) != PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, a, &err) != PUAN_OK ||
        puan_routing_compile(&r, f, NULL, 0, NULL, a, &err) != PUAN_OK)
        abort();
    if (x->rules.n &&
        puan_ruleset_compile(&rs, f, NULL, 0, &x->rules, files, 1, a, &err) !=
            PUAN_OK)
        abort();
    for (uint16_t e = 0; e < f->n_entities; e++)
        for (uint16_t i = 0; i < f->entity[e].n_asked; i++)
            if (!puan_str_eq(f->entity[e].items[i].en,
                             x->form->entity[e].items[i].en))
                abort();
    for (const struct puan_xlsform_remark *k = x->remarks; k; k = k->next) {
        if (k->text[0] == '\0' || puan_xlsform_place(k, a)[0] == '\0')
            abort();
        n++;
    }
    if (n != x->n_lost + x->n_changed + x->n_notes ||
        x->questions.done > x->questions.of ||
        x->constraints.done > x->constraints.of ||
        x->conditions.done > x->conditions.of)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_grid sheet[8] = { 0 };
    struct puan_xlsform_in in = { .sheet = sheet, .name = PUAN_STR("f") };
    struct puan_xlsform x;
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st;
    bool whole = puan_str_starts(text, "survey\n");

    if (!puan_utf8_valid(text)) /* kit/xlsx gives nothing else */
        return 0;
    puan_arena_init(&a, puan_os_alloc());
    if (!whole) {
        const char *e = puan_arena_dup(&a, text);

        for (size_t i = 0; i < size; i++)
            if (data[i] < 0x20)
                size = 0; /* no cell of a line */
        if (size == 0) {
            puan_arena_clear(&a);
            return 0;
        }
        text = puan_str_of(puan_arena_fmt(&a, around, e, e, e, e, e, e, e));
    }
    in.n = puan_test_sheets(sheet, text, &a);
    st = puan_xlsform(&x, &in, &a, &err);
    if (st == PUAN_OK)
        again(&x, &a);
    else if (err.text[0] == '\0' || !whole)
        abort();
    puan_arena_clear(&a);
    return 0;
}
