/*
 * The core in a browser or any other WebAssembly host: loads forms and rules,
 * checks documents.  Texts go in through a buffer the host writes to and come
 * out as JSON.
 *
 * One instance serves one thread.  Never asks the host for anything: no
 * imports, no clock, no randomness.  Compiled together with the single-file
 * core (see meson.build of this folder); ext/wasm/puan.mjs is its other half.
 */
#include "base/calendar.h"
#include "base/json.h"
#include "base/out.h"
#include "core/plan/routing.h"
#include "core/rule/rule.h"

#ifdef PUAN_WASM_VECTORS
#include "case.h"
#endif

#define EXPORT(name) __attribute__((export_name(#name))) extern

/* ---- what a C library would bring ---- */

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
    return __builtin_memcpy(d, s, n); /* memory.copy */
}

void *memmove(void *d, const void *s, size_t n)
{
    return __builtin_memmove(d, s, n);
}

void *memset(void *d, int c, size_t n)
{
    return __builtin_memset(d, c, n);
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

/* 128-bit product; the compiler calls it to see whether 64 bits overflow. */
__int128 __multi3(__int128 a, __int128 b);
__int128 __multi3(__int128 a, __int128 b)
{
    uint64_t al = (uint64_t)a, bl = (uint64_t)b;
    uint64_t ah = (uint64_t)((unsigned __int128)a >> 64);
    uint64_t bh = (uint64_t)((unsigned __int128)b >> 64);
    uint64_t a0 = al & 0xffffffff, a1 = al >> 32;
    uint64_t b0 = bl & 0xffffffff, b1 = bl >> 32;
    uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
    uint64_t mid = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
    uint64_t lo = (mid << 32) | (p00 & 0xffffffff);
    uint64_t hi =
        p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32) + ah * bl + al * bh;

    return (__int128)((unsigned __int128)hi << 64 | lo);
}

/* ---- memory: blocks of powers of two over a heap that only grows ---- */

extern unsigned char __heap_base;

struct block {
    struct block *next;
};

static struct block *free_blocks[32];
static size_t heap_at;

static unsigned class_of(size_t n)
{
    unsigned c = 12;

    while (c < 31 && (size_t)1 << c < n)
        c++;
    return c;
}

static void *block_get(void *ctx, size_t n)
{
    unsigned c = class_of(n);
    size_t size = (size_t)1 << c, at, pages;
    struct block *b = free_blocks[c];

    (void)ctx;
    if (n > size)
        return NULL;
    if (b) {
        free_blocks[c] = b->next;
        return b;
    }
    if (heap_at == 0)
        heap_at = ((size_t)&__heap_base + 15) & ~(size_t)15;
    at = heap_at;
    if (at + size < at)
        return NULL;
    pages = (at + size + 65535) / 65536;
    if (pages > __builtin_wasm_memory_size(0) &&
        __builtin_wasm_memory_grow(0, pages - __builtin_wasm_memory_size(0)) ==
            (size_t)-1)
        return NULL;
    heap_at = at + size;
    return (void *)at;
}

static void block_put(void *ctx, void *p, size_t n)
{
    struct block *b = p;
    unsigned c = class_of(n);

    (void)ctx;
    b->next = free_blocks[c];
    free_blocks[c] = b;
}

static const struct puan_alloc host = { block_get, block_put, NULL };

/* ---- the instance ---- */

#define MOST 32

static struct {
    struct puan_arena keep; /* forms and rules */
    struct puan_arena call; /* one call; given back by the next */
    struct puan_arena input;
    char *in;
    size_t n_in;
    struct puan_out out;
    const struct puan_form *form[MOST];
    const struct puan_ruleset *rules[MOST];
    const struct puan_form *rules_form[MOST];
    const struct puan_routing *routing[MOST]; /* of the rules' form */
    unsigned n_forms, n_rules;
    bool ready;
} me;

static void begin(void)
{
    if (!me.ready) {
        puan_arena_init(&me.keep, &host);
        puan_arena_init(&me.call, &host);
        puan_arena_init(&me.input, &host);
        me.ready = true;
    }
    puan_arena_reset(&me.call);
    puan_out_init(&me.out, &me.call);
}

static struct puan_str input(void)
{
    return (struct puan_str){ me.in, me.n_in };
}

/* {"error":{"where":…,"line":…,"column":…,"text":…}}; gives 0 */
static unsigned failed(const struct puan_err *err)
{
    struct puan_jw w;

    puan_out_init(&me.out, &me.call);
    puan_jw_init(&w, &me.out);
    puan_jw_map(&w);
    puan_jw_key(&w, "error");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "code", puan_status_name(err->code));
    puan_jw_ktext(&w, "where", err->where);
    puan_jw_kint(&w, "line", err->line);
    puan_jw_kint(&w, "column", err->col);
    puan_jw_ktext(&w, "text", err->text);
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    return 0;
}

/* Room for n bytes of input; the host writes them, then calls. NULL: none. */
EXPORT(puan_input) char *puan_input(unsigned n)
{
    begin();
    puan_arena_reset(&me.input);
    me.in = puan_arena_get(&me.input, (size_t)n + 1);
    me.n_in = me.in ? n : 0;
    return me.in;
}

EXPORT(puan_output) const char *puan_output(void)
{
    return me.out.p ? me.out.p : "";
}

EXPORT(puan_output_length) unsigned puan_output_length(void)
{
    return (unsigned)me.out.n;
}

/* Forgets all forms and rules. */
EXPORT(puan_forget) void puan_forget(void)
{
    begin();
    puan_arena_clear(&me.keep);
    me.n_forms = me.n_rules = 0;
}

/* A text that outlives the input buffer. */
static struct puan_str kept(struct puan_str s)
{
    return (struct puan_str){ puan_arena_dup(&me.keep, s), s.n };
}

/*
 * Input {"form":{…},"codes":{…},"reference_month":"2020-11"}, the form as in
 * doc/plan.md, or the form alone.  Gives its number from 1, or 0 and an error.
 */
EXPORT(puan_form_open) unsigned puan_form_open(void)
{
    struct puan_err err = { 0 };
    struct puan_node *tree;
    const struct puan_node *form, *month;
    struct puan_form *f;

    begin();
    if (me.n_forms == MOST) {
        puan_fail(&err, PUAN_ELIMIT, "form", "at most %u forms", MOST);
        return failed(&err);
    }
    if (puan_json_tree(&tree, kept(input()), "form", &me.keep, &err) != PUAN_OK)
        return failed(&err);
    form = puan_node_get(tree, "form");
    if (!form || form->kind != PUAN_NODE_MAP)
        form = tree;
    if (puan_form_load(&f, form, puan_node_get(tree, "codes"), NULL, &me.keep,
                       &err) != PUAN_OK)
        return failed(&err);
    month = puan_node_get(tree, "reference_month");
    if (month && !puan_month_parse(&f->reference_month, month->text)) {
        puan_node_fail(month, &err, "expected a month such as \"2020-11\"");
        return failed(&err);
    }
    me.form[me.n_forms++] = f;
    return me.n_forms;
}

static enum puan_status settings(struct puan_const **out, size_t *n,
                                 const struct puan_node *map,
                                 struct puan_err *err)
{
    *n = 0;
    *out = puan_new_n(&me.call, map ? map->n : 0, struct puan_const);
    if (!*out)
        return puan_arena_check(&me.call, err);
    PUAN_NODE_EACH(c, map)
    {
        (*out)[*n].name = c->key;
        if (!puan_int_parse(&(*out)[*n].value, c->text) &&
            !puan_month_parse(&(*out)[*n].value, c->text) &&
            !puan_day_parse(&(*out)[*n].value, c->text))
            return puan_node_fail(c, err, "expected a number, month or day");
        ++*n;
    }
    return PUAN_OK;
}

/*
 * Input {"settings":{"ref_month":"2020-11",…},"texts":[{"file":…,"text":…},…]}.
 * Gives the number of the rules from 1, or 0 and an error.
 */
EXPORT(puan_rules_open) unsigned puan_rules_open(unsigned form)
{
    struct puan_err err = { 0 };
    struct puan_node *tree;
    const struct puan_node *texts;
    struct puan_const *consts;
    struct puan_ruleset *rs;
    struct puan_routing *routing;
    struct puan_str *text;
    const char **file;
    size_t n_consts, n = 0;

    begin();
    if (form < 1 || form > me.n_forms || me.n_rules == MOST) {
        puan_fail(&err, PUAN_EINVAL, "rules", "no form of that number");
        return failed(&err);
    }
    if (puan_json_tree(&tree, kept(input()), "rules", &me.keep, &err) !=
            PUAN_OK ||
        settings(&consts, &n_consts, puan_node_get(tree, "settings"), &err) !=
            PUAN_OK)
        return failed(&err);
    texts = puan_node_get(tree, "texts");
    text = puan_new_n(&me.call, texts ? texts->n : 0, struct puan_str);
    file = puan_new_n(&me.keep, texts ? texts->n : 0, const char *);
    if (!text || !file) {
        puan_fail(&err, PUAN_ENOMEM, "rules", "out of memory");
        return failed(&err);
    }
    PUAN_NODE_EACH(c, texts)
    {
        file[n] = puan_arena_dup(&me.keep, puan_node_str_opt(c, "file", ""));
        text[n++] = puan_node_str_opt(c, "text", "");
    }
    if (puan_ruleset_compile(&rs, me.form[form - 1], consts, n_consts, text,
                             file, n, &me.keep, &err) != PUAN_OK ||
        puan_routing_compile(&routing, me.form[form - 1], consts, n_consts,
                             NULL, &me.keep, &err) != PUAN_OK)
        return failed(&err);
    me.rules[me.n_rules] = rs;
    me.rules_form[me.n_rules] = me.form[form - 1];
    me.routing[me.n_rules++] = routing;
    return me.n_rules;
}

static void finding(struct puan_jw *w, const struct puan_rule_info *info,
                    const struct puan_form *form, uint32_t row)
{
    const struct puan_entity *e = &form->entity[info->entity];

    puan_jw_map(w);
    puan_jw_kstr(w, "rule", info->id);
    puan_jw_ktext(w, "severity", info->severity == PUAN_HARD ? "hard" : "soft");
    puan_jw_kbool(w, "override", info->override_ok);
    puan_jw_kstr(w, "entity", e->name);
    puan_jw_kint(w, "row", e->roster ? (int64_t)row + 1 : 0);
    puan_jw_kstr(w, "zh", info->zh);
    puan_jw_kstr(w, "en", info->en);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < info->n_items; i++) {
        const struct puan_item_ref *ref = &info->items[i];

        puan_jw_str(w, form->entity[ref->entity].items[ref->item].name);
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* One row: which items are asked, which answers no list or type takes, facts. */
static void row_of(struct puan_jw *w, const struct puan_routing *routing,
                   const struct puan_record *r, uint16_t e, uint32_t row)
{
    const struct puan_entity *ent = &r->form->entity[e];
    const size_t at = (size_t)row * ent->n_items;
    char month[8];

    puan_jw_map(w);
    puan_jw_key(w, "asked");
    puan_jw_list(w);
    for (uint16_t i = 0; i < ent->n_asked; i++)
        if (puan_routing_asked(routing, r, e, row, i) == PUAN_TRUE)
            puan_jw_str(w, ent->items[i].name);
    puan_jw_end(w, ']');
    puan_jw_key(w, "invalid");
    puan_jw_list(w);
    for (uint16_t i = 0; i < ent->n_asked; i++)
        if (r->rows[e].st[at + i] == PUAN_INVALID)
            puan_jw_str(w, ent->items[i].name);
    puan_jw_end(w, ']');
    puan_jw_key(w, "facts");
    puan_jw_map(w);
    for (uint16_t i = ent->n_asked; i < ent->n_items; i++) {
        if (r->rows[e].st[at + i] != PUAN_GIVEN)
            continue;
        puan_jw_key_s(w, ent->items[i].name);
        if (ent->items[i].fact == PUAN_FACT_ID_MONTH) {
            puan_month_text(month, r->rows[e].v[at + i]);
            puan_jw_text(w, month);
        } else {
            puan_jw_int(w, r->rows[e].v[at + i]);
        }
    }
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
}

static void rows_of(struct puan_jw *w, const struct puan_routing *routing,
                    const struct puan_record *r)
{
    puan_jw_key(w, "rows");
    puan_jw_map(w);
    for (uint16_t e = 0; e < r->form->n_entities; e++) {
        puan_jw_key_s(w, r->form->entity[e].name);
        puan_jw_list(w);
        for (uint32_t row = 0; row < r->rows[e].n; row++)
            row_of(w, routing, r, e, row);
        puan_jw_end(w, ']');
    }
    puan_jw_end(w, '}');
}

/*
 * Input: a return's document (contract 1).  Facts are filled, with `how` 1 also
 * what routing asks for; then the rules run.  Output
 * {"findings":[…],"evaluated":…,"not_evaluable":…, "hard":…}; with `how` 2
 * (or 3) also "rows": {entity: [{"asked":[item…],"invalid":[item…],
 * "facts":{fact: value}}…]}, for who draws the questions.  Gives 1, or 0 and an
 * error.
 */
EXPORT(puan_check) unsigned puan_check(unsigned rules, unsigned how)
{
    struct puan_err err = { 0 };
    struct puan_return_head head;
    struct puan_findings f;
    struct puan_record r;
    const struct puan_ruleset *rs;
    const struct puan_form *form;
    struct puan_jw w;

    begin();
    if (rules < 1 || rules > me.n_rules) {
        puan_fail(&err, PUAN_EINVAL, "check", "no rules of that number");
        return failed(&err);
    }
    rs = me.rules[rules - 1];
    form = me.rules_form[rules - 1];
    if (puan_record_read(&r, &head, &form, 1, input(), &me.call, &err) !=
        PUAN_OK)
        return failed(&err);
    if (how & 1)
        puan_routing_apply(me.routing[rules - 1], &r);
    puan_record_facts(&r);
    if (puan_ruleset_run(&f, rs, &r, &me.call, &err) != PUAN_OK)
        return failed(&err);
    puan_jw_init(&w, &me.out);
    puan_jw_map(&w);
    puan_jw_key(&w, "findings");
    puan_jw_list(&w);
    for (size_t i = 0; i < f.n; i++)
        finding(&w, puan_ruleset_info(rs, f.list[i].rule), form, f.list[i].row);
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "evaluated", f.evaluated);
    puan_jw_kint(&w, "not_evaluable", f.not_evaluable);
    puan_jw_kbool(&w, "hard", f.any_hard);
    if (how & 2)
        rows_of(&w, me.routing[rules - 1], &r);
    puan_jw_end(&w, '}');
    return 1;
}

#ifdef PUAN_WASM_VECTORS
/* Input: the program, then the answers; the first is n bytes long. */
EXPORT(puan_vector) unsigned puan_vector(unsigned form, unsigned n)
{
    struct puan_str program = { me.in, n };
    struct puan_str answers = { me.in + n, me.n_in - n };

    begin();
    if (form < 1 || form > me.n_forms || n > me.n_in)
        return 0;
    puan_out_text(&me.out, puan_vector_case(me.form[form - 1], program, answers,
                                            &me.call));
    return 1;
}
#endif
