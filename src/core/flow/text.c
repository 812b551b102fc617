/*
 * Events and runs as JSON: the stored form of an event and what a reader of a
 * run is shown.  Never decides anything.
 */
#include "core/flow/flow.h"

static const char *const kind_word[] = { "open", "act",  "do",       "order",
                                         "ask",  "sign", "evidence", "tick",
                                         "take", "stop" };

static void scalar(struct puan_jw *w, const struct puan_node *n)
{
    int64_t v;

    if (!n->quoted && puan_int_parse(&v, n->text))
        puan_jw_int(w, v);
    else if (!n->quoted && puan_str_is(n->text, "true"))
        puan_jw_bool(w, true);
    else if (!n->quoted && puan_str_is(n->text, "false"))
        puan_jw_bool(w, false);
    else
        puan_jw_str(w, n->text);
}

static void hex(struct puan_jw *w, const char *key, const uint8_t *digest)
{
    char text[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(text, digest, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, key, text);
}

void puan_flow_event_write(struct puan_out *o, const struct puan_flow_event *e)
{
    const struct puan_flow_who *who = &e->who;
    struct puan_jw w;

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "kind", kind_word[e->kind]);
    if (e->name.n)
        puan_jw_kstr(&w, "name", e->name);
    if (e->part.n)
        puan_jw_kstr(&w, "part", e->part);
    puan_jw_kint(&w, "event", e->event_ms);
    puan_jw_kint(&w, "entry", e->entry_ms);
    puan_jw_kstr(&w, "actor", who->actor);
    puan_jw_kstr(&w, "role", who->role);
    puan_jw_kstr(&w, "level", who->level);
    puan_jw_kint(&w, "area", who->area);
    puan_jw_kint(&w, "above", who->above);
    if (who->run_level.n)
        puan_jw_kstr(&w, "run_level", who->run_level);
    if (who->system)
        puan_jw_kbool(&w, "system", true);
    if (who->external) {
        puan_jw_kbool(&w, "external", true);
        puan_jw_kstr(&w, "entered_role", who->entered_role);
        puan_jw_kstr(&w, "entered_level", who->entered_level);
        puan_jw_kint(&w, "entered_above", who->entered_above);
    }
    if (e->fields != NULL && e->fields->n > 0) {
        puan_jw_key(&w, "fields");
        puan_jw_map(&w);
        PUAN_NODE_EACH(c, e->fields) {
            puan_jw_key_s(&w, c->key);
            scalar(&w, c);
        }
        puan_jw_end(&w, '}');
    }
    if (e->n_papers > 0) {
        puan_jw_key(&w, "evidence");
        puan_jw_list(&w);
        for (size_t i = 0; i < e->n_papers; i++) {
            puan_jw_map(&w);
            puan_jw_kstr(&w, "kind", e->papers[i].kind);
            hex(&w, "digest", e->papers[i].digest);
            puan_jw_end(&w, '}');
        }
        puan_jw_end(&w, ']');
    }
    if (e->kind == PUAN_FLOW_SIGN || e->yes)
        puan_jw_kbool(&w, "yes", e->yes);
    if (e->drill)
        puan_jw_kbool(&w, "drill", true);
    if (e->digest != NULL)
        hex(&w, "digest", e->digest);
    if (e->skip.n)
        puan_jw_kstr(&w, "skip", e->skip);
    if (e->reason.n)
        puan_jw_kstr(&w, "reason", e->reason);
    puan_jw_end(&w, '}');
}

static enum puan_status read_papers(struct puan_flow_event *out,
                                    const struct puan_node *n,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_flow_paper *list;
    size_t k = 0;

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_LIST || n->n > PUAN_FLOW_MAX)
        return puan_node_fail(n, err,
                              "evidence is a list of at most %d {kind, "
                              "digest}",
                              PUAN_FLOW_MAX);
    list = puan_new_n(a, n->n, struct puan_flow_paper);
    if (list == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n) {
        static const char *const keys[] = { "kind", "digest", NULL };
        struct puan_str digest;

        if (c->kind != PUAN_NODE_MAP)
            return puan_node_fail(c, err, "expected {kind, digest}");
        TRY(puan_node_only(c, keys, err));
        TRY(puan_node_str(&list[k].kind, c, "kind", err));
        TRY(puan_node_str(&digest, c, "digest", err));
        if (!puan_unhex(list[k].digest, PUAN_DIGEST_SIZE, digest))
            return puan_node_fail(c, err, "digest must be 64 hex digits");
        k++;
    }
    out->papers = list;
    out->n_papers = k;
    return PUAN_OK;
}

enum puan_status puan_flow_event_read(struct puan_flow_event *out,
                                      struct puan_str json,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    static const char *const keys[] = {
        "kind",   "name",     "part",     "event",    "entry",
        "actor",  "role",     "level",    "area",     "above",
        "system", "external", "entered_role", "entered_level",
        "entered_above", "fields", "evidence", "yes", "drill",
        "digest", "skip",     "reason",   "run_level", NULL
    };
    struct puan_node *n = NULL;
    struct puan_str kind, digest;
    int64_t v;
    size_t i;

    memset(out, 0, sizeof *out);
    TRY(puan_json_tree(&n, json, "event", a, err));
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "an event is a map");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&kind, n, "kind", err));
    for (i = 0; i < PUAN_COUNT(kind_word); i++)
        if (puan_str_is(kind, kind_word[i]))
            break;
    if (i == PUAN_COUNT(kind_word))
        return puan_node_fail(n, err, "no kind of event \"%.*s\"",
                              PUAN_FMT(kind));
    out->kind = (enum puan_flow_event_kind)i;
    out->name = puan_node_str_opt(n, "name", "");
    out->part = puan_node_str_opt(n, "part", "");
    TRY(puan_node_int(&out->event_ms, n, "event", INT64_MIN / 4, INT64_MAX / 4,
                      err));
    TRY(puan_node_int(&out->entry_ms, n, "entry", INT64_MIN / 4, INT64_MAX / 4,
                      err));
    out->who.actor = puan_node_str_opt(n, "actor", "");
    out->who.role = puan_node_str_opt(n, "role", "");
    out->who.level = puan_node_str_opt(n, "level", "");
    out->who.run_level = puan_node_str_opt(n, "run_level", "");
    TRY(puan_node_int(&out->who.area, n, "area", 0, INT64_MAX, err));
    TRY(puan_node_int(&v, n, "above", -1, 64, err));
    out->who.above = (int)v;
    TRY(puan_node_bool(&out->who.system, n, "system", false, err));
    TRY(puan_node_bool(&out->who.external, n, "external", false, err));
    if (out->who.external) {
        out->who.entered_role = puan_node_str_opt(n, "entered_role", "");
        out->who.entered_level = puan_node_str_opt(n, "entered_level", "");
        TRY(puan_node_int(&v, n, "entered_above", -1, 64, err));
        out->who.entered_above = (int)v;
    }
    out->fields = puan_node_get(n, "fields");
    TRY(read_papers(out, puan_node_get(n, "evidence"), a, err));
    TRY(puan_node_bool(&out->yes, n, "yes", false, err));
    TRY(puan_node_bool(&out->drill, n, "drill", false, err));
    digest = puan_node_str_opt(n, "digest", "");
    if (digest.n > 0) {
        uint8_t *bytes = puan_arena_get(a, PUAN_DIGEST_SIZE);

        if (bytes == NULL)
            return puan_arena_check(a, err);
        if (!puan_unhex(bytes, PUAN_DIGEST_SIZE, digest))
            return puan_node_fail(n, err, "digest must be 64 hex digits");
        out->digest = bytes;
    }
    out->skip = puan_node_str_opt(n, "skip", "");
    out->reason = puan_node_str_opt(n, "reason", "");
    return puan_arena_check(a, err);
}

/* ---- a run ------------------------------------------------------------ */

static void label(struct puan_jw *w, const struct puan_flow_label *l)
{
    puan_jw_kstr(w, "id", l->name);
    puan_jw_kstr(w, "zh", l->zh);
    puan_jw_kstr(w, "en", l->en);
}

static void time_of(struct puan_jw *w, const char *key, int64_t ms,
                    int offset)
{
    char text[32];

    if (ms == 0)
        return;
    puan_instant_text(text, ms, offset);
    puan_jw_ktext(w, key, text);
}

static void field(struct puan_jw *w, const struct puan_flow_field *f,
                  const struct puan_flow_value *v, int offset)
{
    char text[32];

    puan_jw_key_s(w, f->label.name);
    switch (f->type) {
    case PUAN_FLOW_TEXT:
    case PUAN_FLOW_REF:
        puan_jw_str(w, v->text);
        break;
    case PUAN_FLOW_ENUM:
        puan_jw_str(w, f->words->codes[v->v].text);
        break;
    case PUAN_FLOW_BOOL:
        puan_jw_bool(w, v->v != 0);
        break;
    case PUAN_FLOW_TIME:
        puan_instant_text(text, v->v, offset);
        puan_jw_text(w, text);
        break;
    case PUAN_FLOW_INT:
    case PUAN_FLOW_AREA:
        puan_jw_int(w, v->v);
        break;
    }
}

static const char *const approval_word[] = { "unasked", "asked",  "granted",
                                             "refused", "voided", "used" };
static const char *const clock_word[] = { "off", "running", "overdue",
                                          "stopped" };

static void steps_json(struct puan_jw *w, const struct puan_flow_run *run,
                       int offset)
{
    const struct puan_flow *f = run->flow;

    puan_jw_key(w, "steps");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step_run *s = &run->step[i];

        puan_jw_map(w);
        label(w, &f->steps[i].label);
        puan_jw_ktext(w, "authority",
                      f->steps[i].own_authority ? "own" : "order");
        puan_jw_ktext(w, "state",
                      s->done ? "done"
                      : puan_flow_step_open(run, (int)i) ? "open"
                                                         : "locked");
        time_of(w, "ordered", s->ordered_ms, offset);
        if (s->done) {
            time_of(w, "done", s->done_ms, offset);
            puan_jw_kstr(w, "by", s->done_by);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void approvals_json(struct puan_jw *w, const struct puan_flow_run *run,
                           int offset)
{
    const struct puan_flow *f = run->flow;

    puan_jw_key(w, "approvals");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_approvals; i++) {
        const struct puan_flow_approval_run *r = &run->approval[i];

        puan_jw_map(w);
        label(w, &f->approvals[i].label);
        puan_jw_ktext(w, "state", approval_word[r->state]);
        if (r->state != PUAN_FLOW_UNASKED) {
            puan_jw_kstr(w, "requester", r->requester);
            time_of(w, "asked", r->asked_ms, offset);
            time_of(w, "decided", r->decided_ms, offset);
            hex(w, "digest", r->digest);
            puan_jw_key(w, "signatures");
            puan_jw_list(w);
            for (size_t k = 0; k < r->n_sig; k++) {
                puan_jw_map(w);
                if (r->sig[k].seat >= 0)
                    puan_jw_kstr(w, "seat",
                                 f->seats[r->sig[k].seat].label.name);
                puan_jw_kstr(w, "actor", r->sig[k].actor);
                time_of(w, "at", r->sig[k].ms, offset);
                puan_jw_end(w, '}');
            }
            puan_jw_end(w, ']');
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

void puan_flow_run_json(struct puan_jw *w, const struct puan_flow_run *run,
                        bool secrets, int offset_minutes)
{
    const struct puan_flow *f = run->flow;

    puan_jw_map(w);
    puan_jw_kint(w, "id", run->id);
    puan_jw_kstr(w, "flow", f->label.name);
    puan_jw_kint(w, "version", f->version);
    puan_jw_kint(w, "area", run->area);
    puan_jw_kbool(w, "drill", run->drill);
    puan_jw_kstr(w, "state", f->states[run->state].name);
    puan_jw_kstr(w, "state_zh", f->states[run->state].zh);
    puan_jw_kstr(w, "state_en", f->states[run->state].en);
    puan_jw_kbool(w, "ended", PUAN_FLOW_HAS(f->terminal, run->state));
    time_of(w, "opened", run->opened_ms, offset_minutes);
    time_of(w, "entered", run->entered_ms, offset_minutes);
    puan_jw_kstr(w, "opener", run->opener);
    puan_jw_key(w, "fields");
    puan_jw_map(w);
    for (size_t i = 0; i < f->n_fields; i++)
        if (run->field[i].set && (secrets || !f->fields[i].secret))
            field(w, &f->fields[i], &run->field[i], offset_minutes);
    puan_jw_end(w, '}');
    puan_jw_key(w, "passed");
    puan_jw_map(w);
    for (size_t i = 0; i < f->n_transitions; i++)
        if (run->passed[i] > 0) {
            char text[32];

            puan_instant_text(text, run->passed_ms[i], offset_minutes);
            puan_jw_key_s(w, f->transitions[i].label.name);
            puan_jw_text(w, text);
        }
    puan_jw_end(w, '}');
    steps_json(w, run, offset_minutes);
    approvals_json(w, run, offset_minutes);
    puan_jw_key(w, "clocks");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_clocks; i++) {
        const struct puan_flow_clock_run *c = &run->clock[i];

        if (c->state == PUAN_FLOW_CLOCK_OFF)
            continue;
        puan_jw_map(w);
        label(w, &f->clocks[i].label);
        puan_jw_ktext(w, "state", clock_word[c->state]);
        time_of(w, "started", c->start_ms, offset_minutes);
        time_of(w, "due", c->due_ms, offset_minutes);
        time_of(w, "stopped", c->stop_ms, offset_minutes);
        puan_jw_kbool(w, "late",
                      c->state == PUAN_FLOW_CLOCK_DUE ||
                          (c->state == PUAN_FLOW_CLOCK_STOPPED &&
                           c->stop_ms > c->due_ms));
        puan_jw_kint(w, "warned", c->warned);
        puan_jw_kint(w, "rungs", c->rungs);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}
