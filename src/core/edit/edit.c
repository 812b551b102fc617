/*
 * Findings kept with a return; see edit.h.  Never judges an answer: rules do
 * that, people decide, this keeps the books.
 */
#include "core/edit/edit.h"

static int order(uint16_t rule_a, uint32_t row_a, uint16_t rule_b,
                 uint32_t row_b)
{
    if (rule_a != rule_b)
        return rule_a < rule_b ? -1 : 1;
    return row_a < row_b ? -1 : row_a > row_b;
}

enum puan_status puan_edits_from(struct puan_edits *out,
                                 const struct puan_findings *f,
                                 struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st;

    out->version = 0;
    out->n = 0;
    out->list = puan_new_n(a, f->n, struct puan_edit);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < f->n; i++) {
        out->list[i].rule = f->list[i].rule;
        out->list[i].row = f->list[i].row;
    }
    out->n = f->n;
    return PUAN_OK;
}

static bool is_soft(const struct puan_ruleset *rs, uint16_t rule)
{
    return rule < puan_ruleset_count(rs) &&
           puan_ruleset_info(rs, rule)->severity == PUAN_SOFT;
}

struct puan_edit_counts puan_edits_count(const struct puan_edits *e,
                                         const struct puan_ruleset *rs)
{
    struct puan_edit_counts c = { 0 };

    for (size_t i = 0; i < e->n; i++) {
        bool open = e->list[i].state == PUAN_EDIT_OPEN;

        if (is_soft(rs, e->list[i].rule)) {
            c.soft_open += open;
            c.soft_confirmed += !open;
        } else {
            c.hard_open += open;
            c.hard_overridden += !open;
        }
    }
    return c;
}

bool puan_edits_settled(const struct puan_edits *e,
                        const struct puan_ruleset *rs)
{
    struct puan_edit_counts c = puan_edits_count(e, rs);

    return c.hard_open == 0 && c.soft_open == 0;
}

long puan_edits_find(const struct puan_edits *e, uint16_t rule, uint32_t row)
{
    size_t lo = 0, hi = e->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = order(e->list[mid].rule, e->list[mid].row, rule, row);

        if (c == 0)
            return (long)mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

int puan_edits_rule(const struct puan_ruleset *rs, struct puan_str id)
{
    for (size_t i = 0; i < puan_ruleset_count(rs); i++)
        if (puan_str_eq(puan_ruleset_info(rs, i)->id, id))
            return (int)i;
    return -1;
}

enum puan_status puan_edits_resolve(struct puan_edits *e,
                                    const struct puan_ruleset *rs,
                                    uint16_t rule, uint32_t row,
                                    struct puan_str reason, struct puan_str by,
                                    struct puan_str second,
                                    struct puan_err *err)
{
    long at = puan_edits_find(e, rule, row);
    struct puan_edit *x;

    if (at < 0 || rule >= puan_ruleset_count(rs))
        return puan_fail(err, PUAN_ENOTFOUND, "finding",
                         "no finding of this rule at this line");
    x = &e->list[at];
    if (puan_str_trim(reason).n == 0 || reason.n > PUAN_EDIT_REASON)
        return puan_fail(err, PUAN_EINVAL, "reason",
                         "give a reason of at most %d bytes", PUAN_EDIT_REASON);
    if (by.n == 0)
        return puan_fail(err, PUAN_EINVAL, "by", "name who decides");
    if (is_soft(rs, rule)) {
        x->state = PUAN_EDIT_CONFIRMED;
    } else {
        if (!puan_ruleset_info(rs, rule)->override_ok)
            return puan_fail(err, PUAN_EDENIED, "finding",
                             "this rule cannot be overridden; correct the "
                             "answers");
        if (second.n == 0 || puan_str_eq(second, by))
            return puan_fail(err, PUAN_ECONFLICT, "second",
                             "an override needs a second person");
        x->state = PUAN_EDIT_OVERRIDDEN;
    }
    x->reason = reason;
    x->by = by;
    x->second = second;
    return PUAN_OK;
}

static enum puan_status confirm_one(struct puan_edits *e, uint32_t *unused,
                                    const struct puan_ruleset *rs,
                                    const struct puan_node *m,
                                    struct puan_str by, struct puan_err *err)
{
    static const char *const known[] = { "rule", "row", "reason", NULL };
    struct puan_str id, reason;
    int64_t row = 1;
    int rule;
    enum puan_status st = puan_node_only(m, known, err);

    if (st == PUAN_OK)
        st = puan_node_str(&id, m, "rule", err);
    if (st == PUAN_OK)
        st = puan_node_str(&reason, m, "reason", err);
    if (st == PUAN_OK && puan_node_get(m, "row"))
        st = puan_node_int(&row, m, "row", 1, UINT32_MAX, err);
    if (st != PUAN_OK)
        return st;
    rule = puan_edits_rule(rs, id);
    if (rule < 0)
        return puan_fail(err, PUAN_EINVAL, "confirm", "unknown rule %.*s",
                         PUAN_FMT(id));
    if (!is_soft(rs, (uint16_t)rule))
        return puan_fail(err, PUAN_EDENIED, "confirm",
                         "%.*s is a hard rule; correct the answers",
                         PUAN_FMT(id));
    if (puan_edits_find(e, (uint16_t)rule, (uint32_t)(row - 1)) < 0) {
        ++*unused;
        return PUAN_OK;
    }
    return puan_edits_resolve(e, rs, (uint16_t)rule, (uint32_t)(row - 1),
                              reason, by, (struct puan_str){ 0 }, err);
}

enum puan_status puan_edits_confirm(struct puan_edits *e, uint32_t *unused,
                                    const struct puan_ruleset *rs,
                                    struct puan_str json, struct puan_str by,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *tree = NULL;
    enum puan_status st;

    *unused = 0;
    if (puan_str_trim(json).n == 0)
        return PUAN_OK;
    st = puan_json_tree(&tree, json, "confirm", a, err);
    if (st != PUAN_OK)
        return st;
    if (tree->kind != PUAN_NODE_LIST)
        return puan_node_fail(tree, err, "expected a list of confirmations");
    PUAN_NODE_EACH(m, tree)
    {
        if (m->kind != PUAN_NODE_MAP)
            return puan_node_fail(m, err, "expected {rule, row, reason}");
        st = confirm_one(e, unused, rs, m, by, err);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

enum puan_status puan_edits_compare(struct puan_edits_diff *out,
                                    const struct puan_edits *before,
                                    const struct puan_edits *after,
                                    struct puan_arena *a, struct puan_err *err)
{
    size_t i = 0, j = 0;
    enum puan_status st;

    *out = (struct puan_edits_diff){ 0 };
    out->new_list = puan_new_n(a, after->n, struct puan_finding);
    out->gone_list = puan_new_n(a, before->n, struct puan_finding);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    while (i < before->n || j < after->n) {
        int c = i == before->n ? 1
                : j == after->n
                    ? -1
                    : order(before->list[i].rule, before->list[i].row,
                            after->list[j].rule, after->list[j].row);

        if (c == 0) {
            out->kept++;
            i++, j++;
        } else if (c < 0) {
            out->gone_list[out->gone].rule = before->list[i].rule;
            out->gone_list[out->gone++].row = before->list[i++].row;
        } else {
            out->new_list[out->appeared].rule = after->list[j].rule;
            out->new_list[out->appeared++].row = after->list[j++].row;
        }
    }
    return PUAN_OK;
}

#define EDIT_VERSION 1 /* 2: behind it the rule set's version */

static void put_text(struct puan_out *o, struct puan_str s)
{
    puan_out_varint(o, s.n);
    puan_out_str(o, s);
}

void puan_edits_encode(struct puan_out *findings, struct puan_out *reasons,
                       const struct puan_edits *e)
{
    uint16_t before = 0;

    puan_out_u8(findings, e->version > 0 ? EDIT_VERSION + 1 : EDIT_VERSION);
    if (e->version > 0)
        puan_out_varint(findings, (uint64_t)e->version);
    puan_out_varint(findings, e->n);
    for (size_t i = 0; i < e->n; i++) {
        const struct puan_edit *x = &e->list[i];

        puan_out_varint(findings, (uint64_t)(x->rule - before) << 2 | x->state);
        puan_out_varint(findings, x->row);
        before = x->rule;
        if (x->state == PUAN_EDIT_OPEN)
            continue;
        put_text(reasons, x->reason);
        put_text(reasons, x->by);
        put_text(reasons, x->second);
    }
}

static enum puan_status damaged(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_EINVAL, what, "damaged or of another version");
}

static struct puan_str get_text(struct puan_in *in)
{
    uint64_t n = puan_in_varint(in);

    if (n > (size_t)(in->end - in->p)) {
        in->bad = true;
        return (struct puan_str){ 0 };
    }
    return puan_in_bytes(in, (size_t)n);
}

enum puan_status puan_edits_decode(struct puan_edits *out,
                                   struct puan_str findings,
                                   struct puan_str reasons,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_in in = puan_in_of(findings), why = puan_in_of(reasons);
    bool with_reasons = reasons.n > 0;
    uint64_t n, rule = 0;
    unsigned kind;
    enum puan_status st;

    *out = (struct puan_edits){ 0 };
    kind = puan_in_u8(&in);
    if (kind != EDIT_VERSION && kind != EDIT_VERSION + 1)
        return damaged(err, "findings");
    if (kind > EDIT_VERSION) {
        n = puan_in_varint(&in);
        if (n == 0 || n > INT64_MAX)
            return damaged(err, "findings");
        out->version = (int64_t)n;
    }
    n = puan_in_varint(&in);
    if (n > PUAN_EDIT_MOST)
        return puan_fail(err, PUAN_ELIMIT, "findings", "more than %d findings",
                         PUAN_EDIT_MOST);
    if (in.bad || n * 2 > (uint64_t)(in.end - in.p))
        return damaged(err, "findings");
    out->list = puan_new_n(a, (size_t)n, struct puan_edit);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        struct puan_edit *x = &out->list[i];
        uint64_t head = puan_in_varint(&in), row = puan_in_varint(&in);

        if (head >> 2 > UINT16_MAX)
            return damaged(err, "findings");
        rule += head >> 2;
        x->state = (uint8_t)(head & 3);
        if (in.bad || rule > UINT16_MAX || row > UINT32_MAX ||
            x->state > PUAN_EDIT_OVERRIDDEN)
            return damaged(err, "findings");
        x->rule = (uint16_t)rule;
        x->row = (uint32_t)row;
        if (i > 0 && order(out->list[i - 1].rule, out->list[i - 1].row, x->rule,
                           x->row) >= 0)
            return damaged(err, "findings");
        if (with_reasons && x->state != PUAN_EDIT_OPEN) {
            x->reason = get_text(&why);
            x->by = get_text(&why);
            x->second = get_text(&why);
        }
    }
    if (in.bad || in.p != in.end)
        return damaged(err, "findings");
    if (why.bad || (with_reasons && why.p != why.end))
        return damaged(err, "reasons");
    out->n = (size_t)n;
    return PUAN_OK;
}

void puan_edits_json(struct puan_jw *w, const struct puan_edits *e,
                     const struct puan_ruleset *rs,
                     const struct puan_form *form, bool with_reasons)
{
    static const char *const states[] = { "open", "confirmed", "overridden" };

    puan_jw_list(w);
    for (size_t i = 0; i < e->n; i++) {
        const struct puan_edit *x = &e->list[i];
        const struct puan_rule_info *info;

        if (x->rule >= puan_ruleset_count(rs))
            continue;
        info = puan_ruleset_info(rs, x->rule);
        puan_jw_map(w);
        puan_jw_kstr(w, "rule", info->id);
        puan_jw_ktext(w, "severity",
                      info->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(w, "entity", form->entity[info->entity].name);
        if (form->entity[info->entity].roster)
            puan_jw_kint(w, "row", (int64_t)x->row + 1);
        puan_jw_ktext(w, "state", states[x->state]);
        if (info->override_ok)
            puan_jw_kbool(w, "override", true);
        if (e->version > 0) {
            puan_jw_kstr(w, "set", puan_ruleset_name(rs));
            puan_jw_kint(w, "version", e->version);
        }
        puan_jw_kstr(w, "zh", info->zh);
        puan_jw_kstr(w, "en", info->en);
        if (with_reasons && x->state != PUAN_EDIT_OPEN) {
            puan_jw_kstr(w, "reason", x->reason);
            puan_jw_kstr(w, "by", x->by);
            if (x->second.n > 0)
                puan_jw_kstr(w, "second", x->second);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}
