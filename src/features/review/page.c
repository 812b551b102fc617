/*
 * One household before a reviewer: answers as codes, identities masked,
 * findings with what they rest on, every version with what it changed, what
 * was asked and answered, and where else these persons are registered.
 *
 * The texts are opened here to mask and to compare them; none leaves this file
 * but one person's, for a stated purpose, with its entry in the ledger.
 */
#include "features/review/internal.h"

#include <stdlib.h>

#define VERSIONS 32 /* shown; older ones are in the history route */

/* ---- a version in memory ------------------------------------------------------ */

struct version {
    struct puan_ret r;
    struct puan_record rec;
    struct puan_edits edits;
};

struct page {
    struct puan_request *rq;
    struct puan_review *rv;
    struct puan_review_shard *rs;
    struct puan_shard *sh;
    const struct puan_plan *plan;
    struct puan_db *db;
    struct puan_home home; /* copies, made with the lock held */
    bool has_query, marked, is_passed;
    struct puan_mark mark, passed;
    int64_t query_at;
    enum puan_review_state state;
    unsigned level;
    struct version *v; /* newest first */
    size_t n;
    struct puan_jw *w;
    int offset;
};

static enum puan_status read_versions(struct page *p, int64_t last,
                                      struct puan_err *err)
{
    struct puan_arena *a = p->rq->arena;
    enum puan_status st = PUAN_OK;

    p->v = puan_new_n(a, VERSIONS, struct version);
    if (!p->v)
        return puan_arena_check(a, err);
    for (int64_t at = last; at != 0 && p->n < VERSIONS && st == PUAN_OK;) {
        struct version *v = &p->v[p->n];

        st = puan_ret_read(&v->r, p->sh, p->db, at, a, err);
        if (st == PUAN_OK)
            st = puan_ret_record(&v->rec, &v->r, p->sh, true, a, err);
        if (st == PUAN_OK)
            st = puan_ret_edits(&v->edits, &v->r, p->sh, true, a, err);
        at = v->r.prev;
        p->n++;
    }
    return st;
}

/* ---- masking --------------------------------------------------------------------- */

static bool chinese(int32_t c)
{
    return c >= 0x3400 && (c < 0xA000 || c >= 0x20000);
}

static void stars(struct puan_out *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        puan_out_char(o, '*');
}

/* Family name and last character; of other scripts the first letter. */
static void mask_name(struct puan_out *o, struct puan_str s)
{
    struct puan_str rest = s, last;
    size_t n = puan_utf8_length(s);
    int32_t c = puan_utf8_next(&rest);

    puan_out_bytes(o, s.p, s.n - rest.n);
    if (!chinese(c)) {
        stars(o, 3);
        return;
    }
    if (n < 3) {
        stars(o, 1);
        return;
    }
    stars(o, n - 2);
    for (last = rest; n > 2; n--)
        puan_utf8_next(&last);
    puan_out_str(o, last);
}

/* Its ends only; whatever is short is hidden whole. */
static void mask_ends(struct puan_out *o, struct puan_str s, size_t head,
                      size_t tail)
{
    if (s.n < head + tail + 4) {
        stars(o, 4);
        return;
    }
    puan_out_bytes(o, s.p, head);
    stars(o, s.n - head - tail);
    puan_out_bytes(o, s.p + s.n - tail, tail);
}

static struct puan_str masked(const struct puan_item *item, struct puan_str s,
                              struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    switch (item->type) {
    case PUAN_TYPE_NAME:
        mask_name(&o, s);
        break;
    case PUAN_TYPE_CITIZEN_ID:
        mask_ends(&o, s, 4, 1);
        break;
    case PUAN_TYPE_PHONE:
        mask_ends(&o, s, 0, 2);
        break;
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_AREA:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        stars(&o, 4);
        break;
    }
    return puan_out_view(&o);
}

static bool sealed(const struct puan_item *item)
{
    return item->zone != PUAN_ZONE_FRAME;
}

/* {"person":[{"D1":"张*三"},{}],"household":[{}]} of what is given. */
static void put_masked(struct page *p, const struct version *v)
{
    const struct puan_form *form = v->r.form;
    struct puan_jw *w = p->w;

    puan_jw_key(w, "masked");
    puan_jw_map(w);
    for (uint16_t e = 0; e < form->n_entities; e++) {
        const struct puan_entity *ent = &form->entity[e];
        const struct puan_rows *rows = &v->rec.rows[e];

        puan_jw_key_s(w, ent->name);
        puan_jw_list(w);
        for (uint32_t r = 0; r < rows->n; r++) {
            puan_jw_map(w);
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                size_t at = (size_t)r * ent->n_items + i;

                if (!sealed(&ent->items[i]) || rows->st[at] != PUAN_GIVEN ||
                    rows->txt[at].n == 0)
                    continue;
                puan_jw_key_s(w, ent->items[i].name);
                puan_jw_str(w, masked(&ent->items[i], rows->txt[at],
                                      p->rq->arena));
            }
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
    }
    puan_jw_end(w, '}');
}

/*
 * The answers without a text: a copy of the cells whose texts are taken out,
 * so that a sealed one is written as such.
 */
static void put_answers(struct page *p, const struct version *v)
{
    struct puan_record bare = v->rec;

    for (uint16_t e = 0; e < v->r.form->n_entities; e++) {
        size_t n = (size_t)bare.rows[e].n * v->r.form->entity[e].n_items;

        bare.rows[e].txt = puan_new_n(p->rq->arena, n, struct puan_str);
        if (!bare.rows[e].txt)
            return;
    }
    puan_record_json(p->w, &bare);
}

/* ---- values ------------------------------------------------------------------------- */

static void put_value(struct page *p, const struct puan_item *item,
                      uint8_t state, int64_t value)
{
    struct puan_jw *w = p->w;
    const struct puan_code *reason = NULL;

    switch ((enum puan_state)state) {
    case PUAN_GIVEN:
        if (sealed(item)) {
            puan_jw_map(w);
            puan_jw_kbool(w, "sealed", true);
            puan_jw_end(w, '}');
        } else {
            puan_jw_text(w, puan_item_text(item, value, p->rq->arena));
        }
        break;
    case PUAN_MISSING:
        if (item->reasons && value)
            reason = puan_code_by_value(item->reasons, value);
        puan_jw_map(w);
        puan_jw_kstr(w, "missing", reason ? reason->text : PUAN_STR(""));
        puan_jw_end(w, '}');
        break;
    case PUAN_INVALID:
        puan_jw_map(w);
        puan_jw_kbool(w, "invalid", true);
        puan_jw_end(w, '}');
        break;
    case PUAN_NOT_ASKED:
        puan_jw_null(w);
        break;
    }
}

/* {"entity","row","item"} and what `of` adds; the caller closes it. */
static void open_cell(struct page *p, const struct puan_entity *ent,
                      uint32_t row, const struct puan_item *item)
{
    puan_jw_map(p->w);
    puan_jw_kstr(p->w, "entity", ent->name);
    if (ent->roster)
        puan_jw_kint(p->w, "row", (int64_t)row + 1);
    if (item)
        puan_jw_kstr(p->w, "item", item->name);
}

/* ---- findings ------------------------------------------------------------------------ */

/* The rule as its author wrote it: from its line to the next empty one. */
static struct puan_str source_of(const struct page *p,
                                 const struct puan_rule_info *info)
{
    for (size_t f = 0; f < p->plan->n_rules; f++) {
        struct puan_str head, rest = p->plan->rule_text[f], out = { 0 };
        uint32_t line = 0;

        if (strcmp(p->plan->rule_name[f], info->file) != 0)
            continue;
        while (puan_str_split(&head, &rest, '\n')) {
            line++;
            if (line < info->line)
                continue;
            if (line > info->line && puan_str_trim(head).n == 0)
                break;
            if (out.p == NULL)
                out.p = head.p;
            out.n = (size_t)(head.p + head.n - out.p);
        }
        return out;
    }
    return (struct puan_str){ 0 };
}

/* The items a finding rests on, where it can say which cell. */
static void put_items(struct page *p, const struct version *v,
                      const struct puan_rule_info *info, uint32_t row)
{
    const struct puan_form *form = v->r.form;
    unsigned left = 60;

    puan_jw_key(p->w, "items");
    puan_jw_list(p->w);
    for (size_t i = 0; i < info->n_items; i++) {
        const struct puan_item_ref *ref = &info->items[i];
        const struct puan_entity *ent = &form->entity[ref->entity];
        const struct puan_rows *rows = &v->rec.rows[ref->entity];
        bool own = ref->entity == info->entity;
        uint32_t from = own ? row : 0, to = own ? row + 1 : rows->n;

        for (uint32_t r = from; r < to && r < rows->n && left > 0; r++) {
            size_t at = (size_t)r * ent->n_items + ref->item;

            left--;
            open_cell(p, ent, r, &ent->items[ref->item]);
            puan_jw_key(p->w, "value");
            put_value(p, &ent->items[ref->item], rows->st[at], rows->v[at]);
            puan_jw_end(p->w, '}');
        }
    }
    puan_jw_end(p->w, ']');
}

/* The parts of the rule with their values for this row. */
static void put_why(struct page *p, const struct version *v,
                    const struct puan_ruleset *rules, const struct puan_edit *x)
{
    struct puan_rule_value *list;
    size_t n = 0;

    if (puan_ruleset_explain(&list, &n, rules, x->rule, &v->rec, x->row,
                             p->rq->arena, NULL) != PUAN_OK)
        n = 0; /* the finding is whole without it */
    puan_jw_key(p->w, "why");
    puan_jw_list(p->w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(p->w);
        puan_jw_kstr(p->w, "text", list[i].text);
        puan_jw_ktext(p->w, "value",
                      list[i].state == PUAN_GIVEN ? list[i].value : "unknown");
        puan_jw_end(p->w, '}');
    }
    puan_jw_end(p->w, ']');
}

/* The version since which it has been found without a break. */
static int64_t first_seen(const struct page *p, const struct puan_edit *x)
{
    size_t i = 0;

    while (i + 1 < p->n && p->v[i + 1].r.form == p->v[0].r.form &&
           puan_edits_find(&p->v[i + 1].edits, x->rule, x->row) >= 0)
        i++;
    return p->v[i].r.version;
}

static void put_findings(struct page *p, const struct version *v)
{
    static const char *const states[] = { "open", "confirmed", "overridden" };
    const struct puan_ruleset *rules =
        puan_ingest_rules(p->rq->store, v->r.form);
    struct puan_jw *w = p->w;

    puan_jw_key(w, "findings");
    puan_jw_list(w);
    for (size_t i = 0; i < v->edits.n && rules; i++) {
        const struct puan_edit *x = &v->edits.list[i];
        const struct puan_rule_info *info;

        if (x->rule >= puan_ruleset_count(rules))
            continue;
        info = puan_ruleset_info(rules, x->rule);
        puan_jw_map(w);
        puan_jw_kstr(w, "rule", info->id);
        puan_jw_ktext(w, "severity",
                      info->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(w, "entity", v->r.form->entity[info->entity].name);
        if (v->r.form->entity[info->entity].roster)
            puan_jw_kint(w, "row", (int64_t)x->row + 1);
        puan_jw_ktext(w, "state", states[x->state]);
        puan_jw_kstr(w, "zh", info->zh);
        puan_jw_kstr(w, "en", info->en);
        puan_jw_kint(w, "first_seen", first_seen(p, x));
        if (x->state != PUAN_EDIT_OPEN)
            puan_jw_kstr(w, "reason", x->reason);
        puan_jw_kstr(w, "source", source_of(p, info));
        put_why(p, v, rules, x);
        put_items(p, v, info, x->row);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* "seat" as it stands, and its role in words with the area's code. */
static void put_seat(struct page *p, struct puan_str seat)
{
    struct puan_str role, area = seat;
    const struct puan_role *r;

    puan_jw_kstr(p->w, "seat", seat);
    if (!puan_str_split(&role, &area, '@'))
        return;
    r = puan_plan_role(p->plan, role);
    if (!r)
        return;
    puan_jw_ktext(p->w, "seat_zh",
                  puan_arena_fmt(p->rq->arena, "%.*s %.*s", PUAN_FMT(r->zh),
                                 PUAN_FMT(area)));
    puan_jw_ktext(p->w, "seat_en",
                  puan_arena_fmt(p->rq->arena, "%.*s %.*s", PUAN_FMT(r->en),
                                 PUAN_FMT(area)));
}

/* ---- versions -------------------------------------------------------------------------- */

static void put_changes(struct page *p, const struct version *now,
                        const struct version *old)
{
    const struct puan_form *form = now->r.form;
    struct puan_jw *w = p->w;

    puan_jw_key(w, "changes");
    puan_jw_list(w);
    for (uint16_t e = 0; e < form->n_entities && old->r.form == form; e++) {
        const struct puan_entity *ent = &form->entity[e];
        const struct puan_rows *x = &old->rec.rows[e], *y = &now->rec.rows[e];
        uint32_t most = x->n > y->n ? x->n : y->n;

        for (uint32_t r = 0; r < most; r++) {
            if (r >= x->n || r >= y->n) {
                open_cell(p, ent, r, NULL);
                puan_jw_ktext(w, "row_is", r >= x->n ? "new" : "gone");
                puan_jw_end(w, '}');
                continue;
            }
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                size_t at = (size_t)r * ent->n_items + i;

                if (x->st[at] == y->st[at] &&
                    (x->st[at] != PUAN_GIVEN || x->v[at] == y->v[at]) &&
                    puan_str_eq(x->txt[at], y->txt[at]))
                    continue;
                open_cell(p, ent, r, &ent->items[i]);
                puan_jw_key(w, "old");
                put_value(p, &ent->items[i], x->st[at], x->v[at]);
                puan_jw_key(w, "new");
                put_value(p, &ent->items[i], y->st[at], y->v[at]);
                puan_jw_end(w, '}');
            }
        }
    }
    puan_jw_end(w, ']');
}

static void put_version(struct page *p, const struct version *v)
{
    struct puan_jw *w = p->w;
    bool self = puan_str_is(v->r.head.mode, "self");

    puan_jw_kint(w, "version", v->r.version);
    puan_jw_kstr(w, "mode", v->r.head.mode);
    puan_jw_kstr(w, "by", self ? PUAN_STR("") : v->r.actor);
    put_seat(p, self ? PUAN_STR("household@") : v->r.seat);
    puan_jw_kstr(w, "device", v->r.head.device);
    puan_jw_kinstant(w, "started", v->r.head.started_ms, p->offset);
    puan_jw_kinstant(w, "finished", v->r.head.finished_ms, p->offset);
    puan_jw_kinstant(w, "received", v->r.received_ms, p->offset);
    puan_jw_kbool(w, "signed", v->r.head.is_signed);
    puan_jw_kint(w, "persons", v->r.persons);
    puan_jw_kint(w, "hard", v->r.hard);
    puan_jw_kint(w, "soft", v->r.soft);
    puan_jw_kint(w, "entry", (int64_t)v->r.entry);
    puan_jw_kdigest(w, "digest", v->r.digest);
    if (v->r.head.query.n)
        puan_jw_kstr(w, "query", v->r.head.query);
}

static void put_history(struct page *p)
{
    puan_jw_key(p->w, "history");
    puan_jw_list(p->w);
    for (size_t i = 0; i < p->n; i++) {
        puan_jw_map(p->w);
        put_version(p, &p->v[i]);
        if (i + 1 < p->n)
            put_changes(p, &p->v[i], &p->v[i + 1]);
        puan_jw_end(p->w, '}');
    }
    puan_jw_end(p->w, ']');
}

/* ---- what was said about it ---------------------------------------------------------------- */

static enum puan_status put_queries(struct page *p, struct puan_err *err)
{
    struct puan_jw *w = p->w;
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st =
        puan_sql(&s, p->db,
                 "SELECT id, version, reason, findings, actor, seat, asked,"
                 " state, answered FROM query WHERE household = $1"
                 " ORDER BY id",
                 err);

    puan_jw_key(w, "queries");
    puan_jw_list(w);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, p->home.household);
    while (st == PUAN_OK) {
        int64_t asked, entry, asked_in = 0;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        asked = puan_review_event(&asked_in, p->db, puan_col_int(s, 0),
                                  puan_col_int(s, 6));
        puan_jw_map(w);
        puan_jw_kint(w, "id", puan_col_int(s, 0));
        puan_jw_kint(w, "version", puan_col_int(s, 1));
        puan_jw_kstr(w, "reason", puan_col_text(s, 2));
        puan_jw_key(w, "findings");
        puan_jw_raw(w, puan_col_text(s, 3));
        puan_jw_kstr(w, "by", puan_col_text(s, 4));
        put_seat(p, puan_col_text(s, 5));
        puan_jw_kinstant(w, "asked", asked, p->offset);
        puan_jw_kinstant(w, "due", asked + p->rv->answer_ms, p->offset);
        puan_jw_kstr(w, "state", puan_col_text(s, 7));
        puan_jw_kint(w, "entry", asked_in);
        entry = puan_col_int(s, 8);
        for (size_t i = 0; i < p->n && entry; i++)
            if (p->v[i].r.entry == (uint64_t)entry)
                puan_jw_kint(w, "answered_by", p->v[i].r.version);
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_jw_end(w, ']');
    return st;
}

static enum puan_status put_acts(struct page *p, struct puan_err *err)
{
    struct puan_jw *w = p->w;
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st =
        puan_sql(&s, p->db,
                 "SELECT r.id, r.version, r.kind, r.level, r.office, r.actor,"
                 " r.seat, r.at, r.reason, r.findings, r.undoes, c.seq"
                 " FROM review_act r LEFT JOIN covered c"
                 " ON c.tbl = 'review_act' AND c.key = CAST(r.id AS TEXT)"
                 " WHERE r.household = $1 ORDER BY r.id",
                 err);

    puan_jw_key(w, "acts");
    puan_jw_list(w);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, p->home.household);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        puan_jw_map(w);
        puan_jw_kint(w, "id", puan_col_int(s, 0));
        puan_jw_kint(w, "version", puan_col_int(s, 1));
        puan_jw_kstr(w, "kind", puan_col_text(s, 2));
        puan_jw_kstr(w, "level", puan_col_text(s, 3));
        puan_jw_kcode(w, "office", puan_col_int(s, 4));
        puan_jw_kstr(w, "by", puan_col_text(s, 5));
        put_seat(p, puan_col_text(s, 6));
        puan_jw_kinstant(w, "at", puan_col_int(s, 7), p->offset);
        puan_jw_kstr(w, "reason", puan_col_text(s, 8));
        puan_jw_key(w, "findings");
        puan_jw_raw(w, puan_col_text(s, 9));
        if (puan_col_int(s, 10))
            puan_jw_kint(w, "undoes", puan_col_int(s, 10));
        puan_jw_kint(w, "entry", puan_col_int(s, 11));
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_jw_end(w, ']');
    return st;
}

/* ---- the listing ------------------------------------------------------------------------------ */

static int64_t cell_of(const struct puan_node *cells, struct puan_str column,
                       struct puan_arena *a)
{
    int64_t v = -1;

    if (column.n == 0 ||
        !puan_int_parse(&v, puan_node_str_opt(cells, puan_arena_dup(a, column),
                                              "")))
        return -1;
    return v;
}

static enum puan_status put_listing(struct page *p, struct puan_err *err)
{
    struct puan_arena *a = p->rq->arena;
    struct puan_jw *w = p->w;
    struct puan_stmt *s = NULL;
    struct puan_node *cells = NULL;
    bool more = false;
    enum puan_status st =
        puan_sql(&s, p->db,
                 "SELECT building, unit, status, mode, cells FROM listing"
                 " WHERE household = $1",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, p->home.household);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        puan_jw_key(w, "listing");
        puan_jw_map(w);
        puan_jw_kstr(w, "building", puan_col_text(s, 0));
        puan_jw_kstr(w, "unit", puan_col_text(s, 1));
        puan_jw_kstr(w, "status", puan_col_text(s, 2));
        puan_jw_kstr(w, "mode", puan_col_text(s, 3));
        if (puan_json_tree(&cells, puan_arena_keep(a, puan_col_text(s, 4)),
                           "cells", a, NULL) == PUAN_OK) {
            int64_t here = cell_of(cells, p->rv->present, a);
            int64_t away = cell_of(cells, p->rv->absent, a);

            if (here >= 0)
                puan_jw_kint(w, "present", here);
            if (away >= 0)
                puan_jw_kint(w, "absent", away);
            if (here >= 0 && away >= 0)
                puan_jw_kbool(w, "agrees",
                              here + away == (int64_t)p->v[0].r.persons);
        }
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    return st;
}

/* Persons by where the plan's residence cases put them; 0 unknown. */
static int case_of(const struct page *p, const struct version *v, uint32_t row)
{
    const struct puan_review_form *f = &p->rv->form[v->r.form->ordinal];

    for (size_t i = 0; i < f->n; i++)
        if (puan_expr_truth(f->residence[i], &v->rec, row) == PUAN_TRUE)
            return (int)i + 1;
    return 0;
}

static void put_registered(struct page *p, const struct version *v)
{
    const struct puan_review_form *f = &p->rv->form[v->r.form->ordinal];
    int64_t present = 0, away = 0, unknown = 0;

    if (f->entity < 0 || f->n == 0)
        return;
    for (uint32_t r = 0; r < v->rec.rows[f->entity].n; r++) {
        int k = case_of(p, v, r);

        if (k == 0)
            unknown++;
        else if (p->plan->residence[k - 1].de_facto)
            present++;
        else
            away++;
    }
    puan_jw_key(p->w, "registered");
    puan_jw_map(p->w);
    puan_jw_kint(p->w, "present", present);
    puan_jw_kint(p->w, "absent", away);
    puan_jw_kint(p->w, "unknown", unknown);
    puan_jw_end(p->w, '}');
}

/* ---- where else these persons are registered --------------------------------------------------- */

struct other_end {
    struct page *p;
    const struct puan_token *mine;
    size_t n_mine;
    size_t written;
};

static unsigned bits_of(const struct puan_plan *plan, unsigned residence)
{
    if (residence == 0 || residence > plan->n_residence)
        return 0;
    return (plan->residence[residence - 1].de_facto ? 1u : 0) |
           (plan->residence[residence - 1].registered ? 2u : 0);
}

/* Its name, behind that of the area just below the returns stores' level. */
static void put_area(struct page *p, const struct puan_area_tree *t,
                     uint32_t at)
{
    int level = puan_area_level_of(
        t, p->plan->level[p->plan->shard_level].id);
    uint32_t town = level < 0 ? PUAN_AREA_NONE
                              : puan_area_ancestor(t, at, (unsigned)level + 1);
    const struct puan_area *a = &t->area[at];
    const char *zh = puan_arena_dup(p->rq->arena, a->zh);
    const char *en = puan_arena_dup(p->rq->arena, a->en);

    if (town != PUAN_AREA_NONE && town != at) {
        const struct puan_area *b = &t->area[town];

        zh = puan_arena_fmt(p->rq->arena, "%.*s%s", PUAN_FMT(b->zh), zh);
        if (b->en.n && a->en.n)
            en = puan_arena_fmt(p->rq->arena, "%.*s, %s", PUAN_FMT(b->en), en);
    }
    puan_jw_ktext(p->w, "area_zh", zh);
    puan_jw_ktext(p->w, "area_en", en);
}

/* Marks only: whether both ends count the person twice, and how the other
 * stands; its code only inside the own area. */
static enum puan_status put_other(void *arg, struct puan_shard *sh,
                                  const struct puan_token *t,
                                  struct puan_err *err)
{
    struct other_end *o = arg;
    struct page *p = o->p;
    const struct puan_area_tree *tree = puan_store_areas(p->rq->store);
    struct puan_review_shard *rs = puan_review_shard_of(sh);
    const struct puan_token *mine = NULL;
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_ret_head head;
    int64_t household = 0;
    unsigned here, there;
    bool more = false;
    uint32_t ea, at;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT household FROM ret WHERE seq = $1", err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, t->ret);
        st = puan_stmt_step(&more, s, err);
        household = st == PUAN_OK && more ? puan_col_int(s, 0) : 0;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    if (st != PUAN_OK || household == 0 ||
        !puan_ret_head(&head, p->rq->store, household) || head.ret != t->ret)
        return st;
    for (size_t i = 0; i < o->n_mine && !mine; i++)
        if (memcmp(o->mine[i].token, t->token, sizeof(t->token)) == 0 &&
            !(household == p->home.household && o->mine[i].row == t->row))
            mine = &o->mine[i];
    if (!mine || o->written >= 40)
        return PUAN_OK;
    o->written++;
    here = bits_of(p->plan, mine->residence);
    there = bits_of(p->plan, t->residence);
    puan_jw_map(p->w);
    puan_jw_kint(p->w, "row", mine->row + 1);
    puan_jw_ktext(p->w, "kind",
                  here & there           ? "twice"
                  : (here | there) == 3u ? "apart"
                                         : "other");
    puan_jw_kbool(p->w, "present", (there & 1) != 0);
    puan_jw_kbool(p->w, "registered", (there & 2) != 0);
    ea = puan_area_of_household(tree, household);
    if (puan_request_covers(p->rq, household / tree->household_base)) {
        puan_jw_kcode(p->w, "household", household);
        at = ea;
    } else {
        at = ea == PUAN_AREA_NONE
                 ? ea
                 : puan_area_ancestor(tree, ea,
                                      tree->area[puan_area_find(
                                                     tree,
                                                     puan_shard_area(sh))]
                                          .level);
    }
    if (at != PUAN_AREA_NONE)
        put_area(p, tree, at);
    if (rs) {
        const struct puan_home *h;

        pthread_mutex_lock(&rs->lock);
        h = puan_review_home(rs, household);
        puan_jw_ktext(p->w, "state",
                      puan_review_state_name(
                          h ? puan_review_state_of(rs, h, p->level)
                            : PUAN_REVIEW_NONE));
        pthread_mutex_unlock(&rs->lock);
    }
    puan_jw_end(p->w, '}');
    return PUAN_OK;
}

static enum puan_status put_pairs(struct page *p, const struct version *v,
                                  struct puan_err *err)
{
    size_t n = v->r.tok.n / PUAN_TOKEN_BYTES;
    struct puan_token *mine = puan_new_n(p->rq->arena, n, struct puan_token);
    struct other_end o = { .p = p, .mine = mine, .n_mine = n };
    enum puan_status st = PUAN_OK;

    if (!mine)
        return puan_arena_check(p->rq->arena, err);
    for (size_t i = 0; i < n; i++)
        puan_token_read(&mine[i], v->r.tok.p + i * PUAN_TOKEN_BYTES);
    puan_jw_key(p->w, "pairs");
    puan_jw_list(p->w);
    for (size_t i = 1; i < puan_store_shards(p->rq->store) && st == PUAN_OK &&
                       n > 0;
         i++)
        st = puan_tokens_find(puan_store_shard(p->rq->store, i), mine, n,
                              put_other, &o, err);
    puan_jw_end(p->w, ']');
    return st;
}

/* ---- GET households/{household}/page -------------------------------------------------------------- */

static bool look_up(struct page *p, int64_t household)
{
    const struct puan_home *h;
    const struct puan_mark *m;
    const struct puan_work *k;
    bool shown;

    pthread_mutex_lock(&p->rs->lock);
    h = puan_review_home(p->rs, household);
    shown = h && puan_review_shown(p->rs, h, p->level);
    if (h) {
        p->home = *h;
        p->state = puan_review_state_of(p->rs, h, p->level);
        k = puan_review_work(p->rs, h);
        p->has_query = k && k->queries > 0;
        p->query_at = k ? k->query_at : 0;
        m = puan_review_mark(p->rs, h, p->level);
        if (m) {
            p->marked = true;
            p->mark = *m;
        }
        m = puan_review_passed(p->rs, h, p->level);
        if (m) {
            p->is_passed = true;
            p->passed = *m;
        }
    }
    pthread_mutex_unlock(&p->rs->lock);
    return shown;
}

static void put_head(struct page *p)
{
    const struct puan_area_tree *t = puan_store_areas(p->rq->store);
    uint32_t ea = puan_area_of_household(t, p->home.household);
    const struct version *v = &p->v[0];
    struct puan_jw *w = p->w;
    struct puan_look look;

    puan_jw_kinstant(w, "as_of", p->rq->now, p->offset);
    puan_jw_kcode(w, "household", p->home.household);
    puan_jw_key(w, "path");
    puan_jw_list(w);
    for (unsigned l = 0; ea != PUAN_AREA_NONE && l < t->n_levels; l++) {
        uint32_t at = puan_area_ancestor(t, ea, l);

        if (at == PUAN_AREA_NONE ||
            !puan_request_covers(p->rq, t->area[at].code))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "code", t->area[at].digits);
        puan_jw_kstr(w, "level", t->level[l].name);
        puan_jw_kstr(w, "zh", t->area[at].zh);
        puan_jw_kstr(w, "en", t->area[at].en);
        puan_jw_ktext(w, "kind",
                      puan_area_kind_name(
                          (enum puan_area_kind)t->area[at].kind));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kstr(w, "form", v->r.form->id);
    puan_jw_kstr(w, "form_zh", v->r.form->zh);
    puan_jw_kstr(w, "form_en", v->r.form->en);
    put_version(p, v);
    puan_jw_ktext(w, "state", puan_review_state_name(p->state));
    if (p->marked) {
        puan_jw_ktext(w, "mark", puan_mark_name(p->mark.kind));
        puan_jw_kinstant(w, "mark_at", p->mark.at, p->offset);
    }
    if (p->is_passed) {
        puan_jw_kcode(w, "passed_by", p->passed.office);
        puan_jw_kinstant(w, "passed", p->passed.at, p->offset);
    }
    puan_jw_kbool(w, "may_pass", p->rv->up[p->level] >= 0);
    if (puan_review_looked(&look, p->rv, p->home.household, p->rq->who.account,
                           p->rq->real_now)) {
        puan_jw_key(w, "looking");
        puan_review_look_json(w, p->rq->store, &look);
    }
}

/*
 * Opens what the routes of one household share.  ENOTFOUND also for what is
 * not shown to this office: it is told the same.
 */
static enum puan_status begin(struct page *p, struct puan_request *rq,
                              int64_t household, struct puan_err *err)
{
    enum puan_status st;

    *p = (struct page){ .rq = rq,
                        .rv = puan_review_of(rq->store),
                        .sh = puan_store_shard_of_household(rq->store,
                                                            household),
                        .plan = puan_store_plan(rq->store) };
    p->offset = p->plan->offset_minutes;
    p->level = puan_review_level(rq);
    p->rs = p->sh ? puan_review_shard_of(p->sh) : NULL;
    if (!p->rs)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no return has arrived");
    st = puan_review_follow(p->rs, false, err);
    if (st == PUAN_OK && (!look_up(p, household) || p->home.ret == 0))
        st = puan_fail(err, PUAN_ENOTFOUND, "household",
                       "no return has arrived");
    if (st == PUAN_OK)
        st = puan_read_begin(&p->db, p->sh, err);
    if (st == PUAN_OK)
        st = read_versions(p, p->home.ret, err);
    return st;
}

PUAN_ROUTE(puan_review_get_page)
{
    const struct puan_review_act_in *q = in;
    struct page p;
    enum puan_status st = begin(&p, rq, q->household, err);

    if (st == PUAN_OK) {
        p.w = puan_answer_begin(rq, 200);
        puan_jw_map(p.w);
        put_head(&p);
        st = put_listing(&p, err);
    }
    if (st == PUAN_OK) {
        put_registered(&p, &p.v[0]);
        put_answers(&p, &p.v[0]);
        put_masked(&p, &p.v[0]);
        put_findings(&p, &p.v[0]);
        put_history(&p);
        st = put_queries(&p, err);
    }
    if (st == PUAN_OK)
        st = put_acts(&p, err);
    if (st == PUAN_OK)
        st = put_pairs(&p, &p.v[0], err);
    if (st == PUAN_OK)
        puan_jw_end(p.w, '}');
    if (p.db)
        puan_read_end(p.sh, p.db);
    return st == PUAN_OK ? puan_arena_check(rq->arena, err) : st;
}

/* ---- POST households/{household}/identity ------------------------------------------------------------ */

PUAN_ROUTE(puan_review_post_identity)
{
    const struct puan_review_act_in *q = in;
    const struct puan_entity *ent;
    const struct puan_rows *rows;
    const struct version *v;
    struct page p;
    struct puan_act act;
    char subject[32];
    uint32_t row = 0;
    int e = 0;
    enum puan_status st = begin(&p, rq, q->household, err);

    if (p.db)
        puan_read_end(p.sh, p.db);
    if (st != PUAN_OK)
        return st;
    v = &p.v[0];
    if (q->entity.n)
        e = puan_form_entity(v->r.form, q->entity);
    else if (q->row > 0)
        e = puan_form_entity(v->r.form, p.plan->residence_entity);
    if (e < 0)
        return puan_fail(err, PUAN_EINVAL, "entity", "the form has none such");
    ent = &v->r.form->entity[e];
    rows = &v->rec.rows[e];
    if (ent->roster)
        row = (uint32_t)(q->row - 1);
    if ((ent->roster && q->row == 0) || row >= rows->n)
        return puan_fail(err, PUAN_ENOTFOUND, "row", "no such person");
    puan_format(subject, sizeof(subject), "%lld", (long long)q->household);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = puan_str_of(puan_arena_fmt(
        rq->arena, "%.*s%s%.*s [%.*s %lld]", PUAN_FMT(q->purpose),
        q->words.n ? ": " : "", PUAN_FMT(q->words), PUAN_FMT(ent->name),
        (long long)(ent->roster ? row + 1 : 0)));
    st = puan_commit(p.sh, &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    p.w = puan_answer_begin(rq, 200);
    puan_jw_map(p.w);
    puan_jw_kcode(p.w, "household", q->household);
    puan_jw_kstr(p.w, "entity", ent->name);
    if (ent->roster)
        puan_jw_kint(p.w, "row", (int64_t)row + 1);
    puan_jw_kint(p.w, "seconds", 60);
    puan_jw_kint(p.w, "entry", (int64_t)act.seq);
    puan_jw_key(p.w, "values");
    puan_jw_map(p.w);
    for (uint16_t i = 0; i < ent->n_asked; i++) {
        size_t at = (size_t)row * ent->n_items + i;

        if (!sealed(&ent->items[i]) || rows->st[at] != PUAN_GIVEN)
            continue;
        puan_jw_key_s(p.w, ent->items[i].name);
        puan_jw_str(p.w, rows->txt[at]);
    }
    puan_jw_end(p.w, '}');
    puan_jw_end(p.w, '}');
    return PUAN_OK;
}
