#include "features/check/explain_row.h"

#include "kit/os/heap.h"
#include "kit/os/os.h"

#define RULES_BYTES (8u << 20)

/* "370883001001001001:2" */
static enum puan_status read_row(int64_t *household, int64_t *line,
                                 const char *row, struct puan_err *err)
{
    struct puan_str rest = puan_str_of(row), key;

    *line = 0;
    if (puan_str_split(&key, &rest, ':') && puan_int_parse(household, key) &&
        (rest.n == 0 || (puan_int_parse(line, rest) && *line >= 1)))
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, "--explain",
                     "'%s' is no row: write HOUSEHOLD, or HOUSEHOLD:LINE for "
                     "a rule of a roster",
                     row);
}

static enum puan_status rule_texts(struct puan_explain_in *in,
                                   const struct puan_explain_ask *ask,
                                   const struct puan_plan *plan,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_str *text = puan_new_n(a, ask->n_rules, struct puan_str);
    enum puan_status st = puan_arena_check(a, err);

    in->texts = plan->rule_text;
    in->files = plan->rule_name;
    in->n_texts = plan->n_rules;
    if (ask->n_rules == 0)
        return st;
    for (size_t i = 0; st == PUAN_OK && i < ask->n_rules; i++)
        st = puan_file_read(&text[i], ask->rules[i], RULES_BYTES, a, err);
    in->texts = text;
    in->files = ask->rules;
    in->n_texts = ask->n_rules;
    return st;
}

/* The household's return; in the arena, as long as `work` is not reset. */
static enum puan_status find(const struct puan_csv_return **out,
                             const struct puan_csv_set *set, int64_t household,
                             struct puan_csv_cursor *cursor,
                             struct puan_arena *work, struct puan_err *err)
{
    *out = NULL;
    for (size_t c = 0; c < puan_csv_set_chunks(set); c++) {
        struct puan_csv_return *list;
        size_t n;
        enum puan_status st;

        puan_arena_reset(work);
        st = puan_csv_cursor_chunk(&list, &n, cursor, c, work, err);
        if (st != PUAN_OK)
            return st;
        for (size_t i = 0; i < n; i++)
            if (list[i].household == household) {
                *out = &list[i];
                return PUAN_OK;
            }
    }
    return puan_fail(err, PUAN_ENOTFOUND, puan_csv_set_path(set, 0),
                     "there is no household %lld", (long long)household);
}

static enum puan_status show(bool *finding, FILE *to,
                             const struct puan_explain_ask *ask,
                             const struct puan_explain_in *in,
                             const struct puan_csv_return *r, int64_t line,
                             struct puan_arena *a, struct puan_err *err)
{
    struct puan_str rule = puan_str_of(ask->rule);
    struct puan_explain x;
    struct puan_out o;
    int e = 0;
    enum puan_status st = puan_rules_level(&e, in, rule, a, err);
    bool roster = st == PUAN_OK && in->form->entity[e].roster;
    const char *where;

    if (st == PUAN_OK && roster && line == 0)
        st = puan_fail(err, PUAN_EINVAL, "--explain",
                       "%s is a rule of %.*s: name its line, such as %lld:1",
                       ask->rule, PUAN_FMT(in->form->entity[e].name),
                       (long long)r->household);
    if (st == PUAN_OK)
        st = puan_rules_explain(&x, in, rule, &r->record,
                                roster ? (uint32_t)line - 1 : 0, a, err);
    if (st != PUAN_OK)
        return st;
    *finding = x.end == PUAN_EXPLAIN_FINDING;
    puan_out_init(&o, a);
    if (ask->json) {
        struct puan_jw w;

        puan_jw_init(&w, &o);
        puan_explain_json(&w, &x);
        puan_out_char(&o, '\n');
    } else {
        where = roster ? puan_arena_fmt(a, "%lld %.*s %lld",
                                        (long long)r->household,
                                        PUAN_FMT(in->form->entity[e].name),
                                        (long long)line)
                       : puan_arena_fmt(a, "%lld", (long long)r->household);
        puan_explain_print(&o, &x, where, ask->zh);
    }
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        fprintf(to, "%.*s", PUAN_FMT(puan_out_view(&o)));
    return st;
}

enum puan_status puan_explain_row(bool *finding, FILE *to,
                                  const struct puan_explain_ask *ask,
                                  const struct puan_plan *plan,
                                  const struct puan_form *form,
                                  const struct puan_csv_set *set,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_explain_in in = { .form = form,
                                  .consts = plan->consts,
                                  .n_consts = plan->n_consts };
    const struct puan_csv_return *r = NULL;
    struct puan_csv_cursor *cursor = NULL;
    struct puan_arena work;
    int64_t household = 0, line = 0;
    enum puan_status st = read_row(&household, &line, ask->row, err);

    *finding = false;
    puan_arena_init(&work, &puan_heap);
    if (st == PUAN_OK)
        st = rule_texts(&in, ask, plan, a, err);
    if (st == PUAN_OK)
        st = puan_csv_cursor_open(&cursor, set, err);
    if (st == PUAN_OK)
        st = find(&r, set, household, cursor, &work, err);
    if (st == PUAN_OK)
        st = show(finding, to, ask, &in, r, line, a, err);
    puan_csv_cursor_close(cursor);
    puan_arena_clear(&work);
    return st;
}
