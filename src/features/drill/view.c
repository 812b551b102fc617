/*
 * A drill as pages read it, and its report.
 */
#include "core/area/area.h"
#include "core/flow/look.h"
#include "core/plan/plan.h"
#include "features/drill/internal.h"

static const struct puan_plan *plan_of(struct puan_store *st)
{
    return puan_store_plan(st);
}

static void kinstant(struct puan_jw *w, const char *key, struct puan_store *st,
                     int64_t ms)
{
    puan_jw_key(w, key);
    if (ms == 0) {
        puan_jw_null(w);
    } else {
        char text[40];

        puan_instant_text(text, ms, plan_of(st)->offset_minutes);
        puan_jw_text(w, text);
    }
}

static void krole(struct puan_jw *w, struct puan_store *st,
                  struct puan_str role)
{
    const struct puan_role *r = puan_plan_role(plan_of(st), role);

    puan_jw_kstr(w, "role", role);
    puan_jw_kstr(w, "role_zh", r          ? r->zh
                               : role.n > 0 && puan_str_is(role, "system")
                                   ? PUAN_STR("系统")
                                   : role);
    puan_jw_kstr(w, "role_en",
                 r ? r->en
                   : puan_str_is(role, "system") ? PUAN_STR("System") : role);
}

void puan_drill_area(struct puan_jw *w, struct puan_store *st, int64_t area)
{
    puan_area_put_always(w, puan_store_areas(st), area);
}

static void put_contacts(struct puan_jw *w, struct puan_store *st,
                         const struct puan_drill_story *s,
                         struct puan_str role, int64_t area)
{
    puan_jw_key(w, "contacts");
    puan_jw_list(w);
    for (size_t i = 0; s->drill != NULL && i < s->drill->n_contacts; i++) {
        const struct puan_drill_contact *c = &s->drill->contact[i];
        int64_t at = puan_drill_contact_area(st, c, s->row.area);

        puan_jw_map(w);
        krole(w, st, c->role);
        puan_drill_area(w, st, at);
        puan_jw_kbool(w, "here", at != 0);
        puan_jw_kbool(w, "me", at == area && puan_str_eq(role, c->role));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_heard(struct puan_jw *w, struct puan_store *st,
                      const struct puan_drill_story *s, struct puan_str inject)
{
    puan_jw_key(w, "told");
    puan_jw_list(w);
    for (size_t i = 0; i < s->n_events; i++) {
        const struct puan_drill_event *m = &s->event[i];
        int64_t heard = 0;

        if (!puan_str_is(m->kind, "message") || !puan_str_eq(m->name, inject))
            continue;
        for (size_t k = 0; k < s->n_events; k++)
            if (puan_str_is(s->event[k].kind, "heard") &&
                puan_str_eq(s->event[k].name, inject) &&
                puan_str_eq(s->event[k].role, m->role) &&
                s->event[k].area == m->area)
                heard = s->event[k].at;
        puan_jw_map(w);
        krole(w, st, m->role);
        puan_drill_area(w, st, m->area);
        kinstant(w, "heard", st, heard);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static bool told(const struct puan_drill_story *s, struct puan_str inject,
                 struct puan_str role, int64_t area)
{
    for (size_t i = 0; i < s->n_events; i++)
        if (puan_str_is(s->event[i].kind, "message") &&
            puan_str_eq(s->event[i].name, inject) &&
            puan_str_eq(s->event[i].role, role) && s->event[i].area == area)
            return true;
    return false;
}

static void put_injects(struct puan_jw *w, struct puan_store *st,
                        const struct puan_drill_story *s, bool all,
                        struct puan_str role, int64_t area)
{
    puan_jw_key(w, "injects");
    puan_jw_list(w);
    for (size_t i = 0; s->drill != NULL && i < s->drill->n_injects; i++) {
        const struct puan_drill_inject *x = &s->drill->inject[i];

        /* what is to come is not for those it is to come to */
        if (!all && !told(s, x->id, role, area))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->id);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        puan_jw_kint(w, "minute", x->at_ms / 60000);
        kinstant(w, "due", st,
                 s->row.started ? s->row.started + x->at_ms : 0);
        kinstant(w, "sent", st, s->times.sent_ms[i]);
        puan_jw_kbool(w, "opens", x->open.n > 0);
        puan_jw_kbool(w, "mine", told(s, x->id, role, area));
        put_heard(w, st, s, x->id);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_expects(struct puan_jw *w, struct puan_store *st,
                        const struct puan_drill_story *s)
{
    puan_jw_key(w, "expects");
    puan_jw_list(w);
    for (size_t i = 0; s->drill != NULL && i < s->drill->n_expects; i++) {
        const struct puan_drill_expect *e = &s->drill->expect[i];
        const struct puan_drill_verdict *v = &s->result.verdict[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", e->id);
        puan_jw_kstr(w, "zh", e->zh);
        puan_jw_kstr(w, "en", e->en);
        puan_jw_ktext(w, "kind", puan_drill_word[e->kind]);
        puan_jw_ktext(w, "state", puan_drill_state_word[v->state]);
        kinstant(w, "due", st, v->due_ms);
        kinstant(w, "done", st, v->done_ms);
        puan_jw_kint(w, "points", v->points);
        puan_jw_kint(w, "worth", e->points);
        puan_jw_kint(w, "within", e->within_ms / 60000);
        puan_jw_kbool(w, "never", e->never);
        puan_jw_kstr(w, "after", e->after < 0 ? PUAN_STR("")
                                              : s->drill->inject[e->after].id);
        if (e->by.n > 0)
            krole(w, st, e->by);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_cases(struct puan_jw *w, const struct puan_drill_story *s)
{
    puan_jw_key(w, "cases");
    puan_jw_list(w);
    for (size_t i = 0; i < s->n_cases; i++) {
        const struct puan_drill_case *c = &s->cases[i];
        const struct puan_flow *f = c->run->flow;

        puan_jw_map(w);
        puan_jw_kint(w, "id", c->row.id);
        puan_jw_kstr(w, "zh", f->label.zh);
        puan_jw_kstr(w, "en", f->label.en);
        puan_jw_kstr(w, "state_zh", f->states[c->run->state].zh);
        puan_jw_kstr(w, "state_en", f->states[c->run->state].en);
        puan_jw_kbool(w, "ended", c->row.ended_ms != 0);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- what happened, in order ----------------------------------------------- */

struct line {
    int64_t at;
    struct puan_str kind, role, person, zh, en, text;
    int64_t of_case;
    bool yes;
};

static struct line of_case(const struct puan_drill_case *c,
                           const struct puan_flow_event *e)
{
    static const char *const kinds[] = { "open", "act",      "step", "order",
                                         "ask",  "sign",     "paper", "clock",
                                         "take", "stop" };
    const struct puan_flow *f = c->run->flow;
    const struct puan_flow_label *l = e->kind == PUAN_FLOW_OPEN
                                          ? &f->label
                                          : puan_flow_event_label(f, e);

    return (struct line){ .at = e->event_ms,
                          .kind = puan_str_of(kinds[e->kind]),
                          .role = e->who.system ? PUAN_STR("system")
                                                : e->who.role,
                          .person = e->who.actor,
                          .zh = l ? l->zh : PUAN_STR(""),
                          .en = l ? l->en : PUAN_STR(""),
                          .text = e->part,
                          .of_case = c->row.id,
                          .yes = e->kind != PUAN_FLOW_SIGN || e->yes };
}

static struct line of_drill(const struct puan_drill_story *s,
                            const struct puan_drill_event *e)
{
    struct line l = { .at = e->at,
                      .kind = e->kind,
                      .role = e->role,
                      .person = e->person,
                      .zh = e->name,
                      .en = e->name,
                      .text = e->body,
                      .of_case = e->case_run,
                      .yes = e->yes };
    int k;

    if (s->drill == NULL)
        return l;
    k = puan_drill_inject_of(s->drill, e->name);
    if (k >= 0 && (puan_str_is(e->kind, "inject") ||
                   puan_str_is(e->kind, "heard"))) {
        l.zh = s->drill->inject[k].zh;
        l.en = s->drill->inject[k].en;
    }
    k = puan_drill_expect_of(s->drill, e->name);
    if (k >= 0 && puan_str_is(e->kind, "observed")) {
        l.zh = s->drill->expect[k].zh;
        l.en = s->drill->expect[k].en;
    }
    return l;
}

/* Every line, in the order of its time; two of one time as they were entered. */
static struct line *lines(size_t *n, const struct puan_drill_story *s,
                          struct puan_arena *a)
{
    size_t room = s->n_events;
    struct line *out;

    *n = 0;
    for (size_t i = 0; i < s->n_cases; i++)
        room += s->cases[i].n;
    out = puan_new_n(a, room, struct line);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < s->n_events; i++)
        if (!puan_str_is(s->event[i].kind, "message") &&
            !puan_str_is(s->event[i].kind, "case"))
            out[(*n)++] = of_drill(s, &s->event[i]);
    for (size_t i = 0; i < s->n_cases; i++)
        for (size_t k = 0; k < s->cases[i].n; k++)
            out[(*n)++] = of_case(&s->cases[i], &s->cases[i].event[k]);
    for (size_t i = 1; i < *n; i++) { /* a few hundred, nearly in order */
        struct line x = out[i];
        size_t k = i;

        while (k > 0 && out[k - 1].at > x.at) {
            out[k] = out[k - 1];
            k--;
        }
        out[k] = x;
    }
    return out;
}

static void put_log(struct puan_jw *w, struct puan_store *st,
                    const struct puan_drill_story *s)
{
    size_t n = 0;
    struct line *l = lines(&n, s, w->out->arena);

    puan_jw_key(w, "log");
    puan_jw_list(w);
    for (size_t i = 0; l != NULL && i < n; i++) {
        puan_jw_map(w);
        kinstant(w, "at", st, l[i].at);
        puan_jw_kstr(w, "kind", l[i].kind);
        krole(w, st, l[i].role);
        puan_jw_kstr(w, "zh", l[i].zh);
        puan_jw_kstr(w, "en", l[i].en);
        puan_jw_kstr(w, "text", l[i].text);
        puan_jw_kint(w, "case", l[i].of_case);
        puan_jw_kbool(w, "yes", l[i].yes);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_result(struct puan_jw *w, const struct puan_drill_story *s)
{
    const struct puan_drill_result *r = &s->result;

    puan_jw_key(w, "result");
    puan_jw_map(w);
    puan_jw_kint(w, "points", r->points);
    puan_jw_kint(w, "full", r->full);
    puan_jw_kint(w, "met", r->met);
    puan_jw_kint(w, "late", r->late);
    puan_jw_kint(w, "missed", r->missed);
    puan_jw_kint(w, "waiting", r->waiting);
    puan_jw_kint(w, "untested", r->untested);
    puan_jw_kint(w, "pass", s->drill ? s->drill->pass : 0);
    puan_jw_kbool(w, "passed", r->passed);
    puan_jw_end(w, '}');
}

static void put_improvements(struct puan_jw *w, struct puan_store *st,
                             const struct puan_drill_story *s)
{
    puan_jw_key(w, "improvements");
    puan_jw_list(w);
    for (size_t i = 0; i < s->n_events; i++) {
        if (!puan_str_is(s->event[i].kind, "improvement"))
            continue;
        puan_jw_map(w);
        puan_jw_kint(w, "case", s->event[i].case_run);
        puan_jw_kstr(w, "title", s->event[i].body);
        kinstant(w, "at", st, s->event[i].at);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

void puan_drill_json(struct puan_jw *w, struct puan_store *st,
                     const struct puan_drill_story *s, bool all,
                     struct puan_str role, int64_t area)
{
    const struct puan_drill *d = s->drill;
    const struct puan_flow *f =
        d && d->of.n ? puan_flows_get(puan_cases_flows(st), d->of) : NULL;
    const struct puan_drill_event *last = NULL;

    puan_jw_map(w);
    puan_jw_kint(w, "id", s->row.id);
    puan_jw_kstr(w, "drill", s->row.drill);
    puan_jw_kstr(w, "zh", d ? d->zh : PUAN_STR("临时演练"));
    puan_jw_kstr(w, "en", d ? d->en : PUAN_STR("Drill outside a scenario"));
    puan_jw_kstr(w, "goal_zh", d ? d->goal_zh : PUAN_STR(""));
    puan_jw_kstr(w, "goal_en", d ? d->goal_en : PUAN_STR(""));
    puan_jw_kstr(w, "of", d ? d->of : PUAN_STR(""));
    puan_jw_kstr(w, "of_zh", f ? f->label.zh : PUAN_STR(""));
    puan_jw_kstr(w, "of_en", f ? f->label.en : PUAN_STR(""));
    puan_jw_kstr(w, "does", d ? d->does : PUAN_STR(""));
    puan_jw_kstr(w, "state", s->row.state);
    puan_drill_area(w, st, s->row.area);
    kinstant(w, "planned", st, s->row.planned);
    kinstant(w, "started", st, s->row.started);
    kinstant(w, "ended", st, s->row.ended);
    kinstant(w, "until", st,
             d && s->row.started ? s->row.started + d->length_ms : 0);
    kinstant(w, "now", st, s->times.now_ms);
    puan_jw_key(w, "lead");
    puan_jw_map(w);
    krole(w, st, s->row.lead_role);
    puan_drill_area(w, st, s->row.lead_area);
    puan_jw_kbool(w, "me",
                  puan_str_eq(role, s->row.lead_role) &&
                      area == s->row.lead_area);
    puan_jw_end(w, '}');
    puan_jw_kbool(w, "all", all);
    puan_jw_kbool(w, "improves", d && d->improve.n > 0);
    puan_jw_kstr(w, "improve_flow", d ? d->improve : PUAN_STR(""));
    put_contacts(w, st, s, role, area);
    put_injects(w, st, s, all, role, area);
    put_cases(w, s);
    if (all) {
        put_expects(w, st, s);
        put_result(w, s);
        put_log(w, st, s);
        put_improvements(w, st, s);
    }
    for (size_t i = 0; i < s->n_events; i++)
        if (puan_str_is(s->event[i].kind, "report"))
            last = &s->event[i];
    puan_jw_key(w, "report");
    if (last == NULL) {
        puan_jw_null(w);
    } else {
        puan_jw_map(w);
        puan_jw_kstr(w, "summary", last->body);
        kinstant(w, "at", st, last->at);
        puan_jw_kstr(w, "digest", s->row.report);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

/* ---- the report as a text ---------------------------------------------------- */

static void moment(struct puan_out *o, struct puan_store *st, int64_t ms)
{
    char text[40];

    if (ms == 0) {
        puan_out_text(o, "—");
        return;
    }
    puan_instant_text(text, ms, plan_of(st)->offset_minutes);
    text[10] = ' ';
    puan_out_bytes(o, text, 16);
}

static void role_name(struct puan_out *o, struct puan_store *st,
                      struct puan_str role)
{
    const struct puan_role *r = puan_plan_role(plan_of(st), role);

    puan_out_str(o, r ? r->zh
                      : puan_str_is(role, "system") ? PUAN_STR("系统") : role);
}

/* One cell of a table: no line ends, no bars. */
static void cell(struct puan_out *o, struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        puan_out_char(o, s.p[i] == '\n' || s.p[i] == '|' ? ' ' : s.p[i]);
}

static void report_expects(struct puan_out *o, struct puan_store *st,
                           const struct puan_drill_story *s)
{
    static const char *const words[] = { "待定 waiting", "按时完成 met",
                                         "逾时完成 late", "未完成 missed",
                                         "未考察 untested" };

    puan_out_text(o, "\n## 评分 Score\n\n| 要求 | 应完成 | 完成 | 结果 | "
                     "得分 |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; s->drill != NULL && i < s->drill->n_expects; i++) {
        const struct puan_drill_verdict *v = &s->result.verdict[i];

        puan_out_text(o, "| ");
        cell(o, s->drill->expect[i].zh);
        puan_out_text(o, " | ");
        moment(o, st, v->due_ms);
        puan_out_text(o, " | ");
        moment(o, st, v->done_ms);
        puan_out_fmt(o, " | %s | %d/%d |\n", words[v->state], v->points,
                     s->drill->expect[i].points);
    }
    puan_out_fmt(o, "\n合计 total: %d/%d, %s\n", s->result.points,
                 s->result.full,
                 s->result.passed ? "达到要求 passed" : "未达要求 failed");
}

void puan_drill_report(struct puan_out *o, struct puan_store *st,
                       const struct puan_drill_story *s)
{
    size_t n = 0;
    struct line *l = lines(&n, s, o->arena);

    puan_out_text(o, "# 【演练】");
    puan_out_str(o, s->drill ? s->drill->zh : PUAN_STR("临时演练"));
    puan_out_fmt(o, "\n\n编号 drill/%lld, ", (long long)s->row.id);
    moment(o, st, s->row.started);
    puan_out_text(o, " – ");
    moment(o, st, s->row.ended);
    puan_out_fmt(o, ", 地区 area %lld, ", (long long)s->row.area);
    role_name(o, st, s->row.lead_role);
    puan_out_text(o, " 组织\n");
    if (s->drill != NULL) {
        puan_out_char(o, '\n');
        puan_out_str(o, s->drill->goal_zh);
        puan_out_text(o, "。\n");
    }
    report_expects(o, st, s);
    puan_out_text(o, "\n## 经过 What happened\n\n| 时间 | 岗位 | 事项 | 说明 "
                     "|\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; l != NULL && i < n; i++) {
        puan_out_text(o, "| ");
        moment(o, st, l[i].at);
        puan_out_text(o, " | ");
        role_name(o, st, l[i].role);
        puan_out_text(o, " | ");
        puan_out_str(o, l[i].kind);
        puan_out_char(o, ' ');
        cell(o, l[i].zh);
        puan_out_text(o, " | ");
        cell(o, l[i].text);
        puan_out_text(o, l[i].yes ? " |\n" : "（否） |\n");
    }
    puan_out_text(o, "\n## 改进 Improvements\n\n");
    n = 0;
    for (size_t i = 0; i < s->n_events; i++) {
        if (!puan_str_is(s->event[i].kind, "improvement"))
            continue;
        n++;
        puan_out_fmt(o, "- cases/%lld ", (long long)s->event[i].case_run);
        cell(o, s->event[i].body);
        puan_out_char(o, '\n');
    }
    if (n == 0)
        puan_out_text(o, "无 none\n");
    for (size_t i = 0; i < s->n_events; i++)
        if (puan_str_is(s->event[i].kind, "report")) {
            puan_out_text(o, "\n## 小结 Summary\n\n");
            cell(o, s->event[i].body);
            puan_out_char(o, '\n');
        }
}
