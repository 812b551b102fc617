/*
 * A form of the pinned plan as one JSON text: what a browser needs to ask,
 * route and check as the server does (ext/wasm).  Made once for each form and
 * kept: a pinned plan does not change while its store is open.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "features/host/request.h"
#include "features/plans/internal.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

struct forms {
    pthread_mutex_t lock;
    struct puan_arena arena;
    struct puan_str *text; /* by form ordinal; empty: not made yet */
    size_t n;
};

/* ---- a tree as JSON ----------------------------------------------------------- */

static bool json_number(struct puan_str s)
{
    int64_t v;
    size_t i = s.n > 0 && s.p[0] == '-';

    return puan_int_parse(&v, s) && !(s.n > i + 1 && s.p[i] == '0');
}

void puan_plan_node_json(struct puan_jw *w, const struct puan_node *n)
{
    switch (n->kind) {
    case PUAN_NODE_NULL:
        puan_jw_null(w);
        break;
    case PUAN_NODE_SCALAR:
        if (!n->quoted &&
            (json_number(n->text) || puan_str_is(n->text, "true") ||
             puan_str_is(n->text, "false")))
            puan_jw_raw(w, n->text);
        else
            puan_jw_str(w, n->text);
        break;
    case PUAN_NODE_LIST:
        puan_jw_list(w);
        PUAN_NODE_EACH(c, n)
        puan_plan_node_json(w, c);
        puan_jw_end(w, ']');
        break;
    case PUAN_NODE_MAP:
        puan_jw_map(w);
        PUAN_NODE_EACH(c, n)
        {
            puan_jw_key_s(w, c->key);
            puan_plan_node_json(w, c);
        }
        puan_jw_end(w, '}');
        break;
    }
}

void puan_plan_settings_json(struct puan_jw *w, const struct puan_plan *p)
{
    puan_jw_map(w);
    for (size_t i = 0; i < p->n_consts; i++) {
        puan_jw_key_s(w, p->consts[i].name);
        puan_jw_int(w, p->consts[i].value);
    }
    puan_jw_end(w, '}');
}

void puan_plan_rules_json(struct puan_jw *w, const struct puan_plan *p)
{
    puan_jw_list(w);
    for (size_t i = 0; i < p->n_rules; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "file", p->rules[i]->path);
        puan_jw_kstr(w, "text", p->rule_text[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- one form ----------------------------------------------------------------- */

static bool uses(const struct puan_form *f, struct puan_str list)
{
    for (size_t i = 0; i < f->n_lists; i++)
        if (puan_str_eq(f->lists[i]->name, list))
            return true;
    return false;
}

static const struct puan_node *definition(const struct puan_plan *p,
                                          const struct puan_form *f)
{
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *file = &p->pack[k].file[i];

            if (file->tree && puan_str_starts(file->path, "forms/") &&
                puan_str_eq(f->id, puan_node_str_opt(file->tree, "form", "")))
                return file->tree;
        }
    return NULL;
}

/* The shared lists the form uses; those of its own file stand in it. */
static void put_codes(struct puan_jw *w, const struct puan_plan *p,
                      const struct puan_form *f)
{
    puan_jw_map(w);
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *file = &p->pack[k].file[i];

            if (!file->tree || !puan_str_starts(file->path, "codes/"))
                continue;
            PUAN_NODE_EACH(c, file->tree)
            {
                if (!uses(f, c->key))
                    continue;
                puan_jw_key_s(w, c->key);
                puan_plan_node_json(w, c);
            }
        }
    puan_jw_end(w, '}');
}

enum puan_status puan_plan_form_json(struct puan_out *o,
                                     const struct puan_plan *p,
                                     const struct puan_form *f,
                                     struct puan_err *err)
{
    const struct puan_node *def = definition(p, f);
    struct puan_jw w;
    char month[8];

    if (!def)
        return puan_fail(err, PUAN_EBUG, "form", "its file is not in the plan");
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_kdigest(&w, "digest", p->digest);
    puan_month_text(month, p->reference_month);
    puan_jw_ktext(&w, "reference_month", month);
    puan_jw_kint(&w, "offset_minutes", p->offset_minutes);
    puan_jw_key(&w, "form");
    puan_plan_node_json(&w, def);
    puan_jw_key(&w, "codes");
    put_codes(&w, p, f);
    puan_jw_key(&w, "settings");
    puan_plan_settings_json(&w, p);
    puan_jw_key(&w, "rules");
    puan_plan_rules_json(&w, p);
    puan_jw_end(&w, '}');
    return PUAN_OK;
}

/* ---- a pack as one text ---- */

/* The files of a folder: each an element, or their keys in one map. */
static void put_files(struct puan_jw *w, const struct puan_plan *p,
                  const char *folder, bool merge)
{
    for (size_t i = 0; i < p->n_packs; i++)
        for (size_t k = 0; k < p->pack[i].n_files; k++) {
            const struct puan_plan_file *f = &p->pack[i].file[k];

            if (!puan_str_starts(f->path, folder) || !f->tree)
                continue;
            if (!merge) {
                puan_plan_node_json(w, f->tree);
                continue;
            }
            PUAN_NODE_EACH(c, f->tree)
            {
                puan_jw_key_s(w, c->key);
                puan_plan_node_json(w, c);
            }
        }
}

void puan_plan_json(struct puan_jw *w, const struct puan_plan *p)
{
    char month[8];

    puan_jw_map(w);
    puan_jw_kstr(w, "plan", p->id);
    puan_jw_kstr(w, "version", p->version);
    puan_jw_kdigest(w, "digest", p->digest);
    puan_month_text(month, p->reference_month);
    puan_jw_ktext(w, "reference_month", month);
    puan_jw_kint(w, "offset_minutes", p->offset_minutes);
    puan_jw_kint(w, "key_width", p->n_forms ? p->form[0]->key_width : 0);
    puan_jw_key(w, "codes");
    puan_jw_map(w);
    put_files(w, p, "codes/", true);
    puan_jw_end(w, '}');
    puan_jw_key(w, "forms");
    puan_jw_list(w);
    put_files(w, p, "forms/", false);
    puan_jw_end(w, ']');
    puan_jw_key(w, "settings");
    puan_plan_settings_json(w, p);
    puan_jw_key(w, "texts");
    puan_plan_rules_json(w, p);
    puan_jw_end(w, '}');
}

/* ---- the route ------------------------------------------------------------------ */

static enum puan_status text_of(struct puan_str *out, struct forms *fs,
                                const struct puan_plan *p,
                                const struct puan_form *f, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&fs->lock);
    if (fs->text[f->ordinal].n == 0) {
        struct puan_out o;

        puan_out_init(&o, &fs->arena);
        st = puan_plan_form_json(&o, p, f, err);
        if (st == PUAN_OK)
            st = puan_arena_check(&fs->arena, err);
        if (st == PUAN_OK)
            fs->text[f->ordinal] = puan_out_view(&o);
    }
    *out = fs->text[f->ordinal];
    pthread_mutex_unlock(&fs->lock);
    return st;
}

static enum puan_status get_form(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    const struct puan_plan_form_in *q = in;
    struct forms *fs = puan_store_state(rq->store, &puan_feature_plans);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_form *f = puan_plan_form(plan, q->form);
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_str text;
    const char *tag;
    enum puan_status st;

    if (!f)
        return puan_fail(err, PUAN_ENOTFOUND, "form",
                         "the plan has no such form");
    puan_hex(hex, plan->digest, PUAN_DIGEST_SIZE);
    tag = puan_arena_fmt(rq->arena, "\"%s\"", hex);
    puan_answer_header(rq, "ETag", tag);
    if (puan_str_is(rq->http->header[PUAN_H_IF_NONE_MATCH], tag)) {
        puan_answer_empty(rq);
        rq->http->status = 304;
        return PUAN_OK;
    }
    st = text_of(&text, fs, plan, f, err);
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, text);
    return st;
}

static const struct puan_param form_params[] = {
    { "form", PUAN_PARAM_TEXT, offsetof(struct puan_plan_form_in, form), 1, 64,
      false },
};
const struct puan_route puan_plan_routes[PUAN_PLAN_ROUTES] = {
    { PUAN_GET, "/c/{campaign}/public/plan/forms/{form}", "",
      PUAN_SCOPE_PUBLIC, "",
      "A form of the plan: definition, code lists, rules, settings", get_form,
      PUAN_PARAMS(form_params, struct puan_plan_form_in) },
};

void puan_plan_forms_close(void *state, struct puan_store *st)
{
    struct forms *fs = state;

    (void)st;
    if (!fs)
        return;
    pthread_mutex_destroy(&fs->lock);
    puan_arena_clear(&fs->arena);
    free(fs);
}

enum puan_status puan_plan_forms_open(void **state, struct puan_store *st,
                                      struct puan_err *err)
{
    struct forms *fs = calloc(1, sizeof(*fs));

    *state = NULL;
    if (!fs)
        return puan_fail(err, PUAN_ENOMEM, "forms", "out of memory");
    pthread_mutex_init(&fs->lock, NULL);
    puan_arena_init(&fs->arena, puan_os_alloc());
    fs->n = puan_store_plan(st)->n_forms;
    fs->text = puan_new_n(&fs->arena, fs->n, struct puan_str);
    if (!fs->text) {
        puan_plan_forms_close(fs, st);
        return puan_fail(err, PUAN_ENOMEM, "forms", "out of memory");
    }
    *state = fs;
    return PUAN_OK;
}
