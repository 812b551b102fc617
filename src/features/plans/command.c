/*
 * puan plan lint|show|json|sign|verify|key.
 */
#include <stdio.h>

#include "base/calendar.h"
#include "core/rule/prove.h"
#include "features/host/args.h"
#include "features/plans/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

static const struct puan_digest_fn *digest_of(const char *name)
{
    return name ? puan_digest_by_name(puan_str_of(name)) : puan_digest_sm3();
}

static int print(const struct puan_out *o)
{
    struct puan_str v = puan_out_view(o);

    return fwrite(v.p, 1, v.n, stdout) == v.n && fflush(stdout) == 0
               ? PUAN_EXIT_DONE
               : PUAN_EXIT_SYSTEM;
}

static void hex_of(struct puan_out *o, const uint8_t d[PUAN_DIGEST_SIZE])
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, d, PUAN_DIGEST_SIZE);
    puan_out_text(o, hex);
}

/* --- lint --------------------------------------------------------------- */

static void put_problems(struct puan_out *o, const struct puan_problems *all)
{
    for (const struct puan_problem *p = all->first; p; p = p->next) {
        puan_out_text(o, p->file);
        if (p->line)
            puan_out_fmt(o, ":%u:%u", p->line, p->col);
        puan_out_fmt(o, ": %s\n", p->text);
    }
}

static void put_summary(struct puan_out *o, const struct puan_plan *p)
{
    puan_out_fmt(o,
                 "%.*s %.*s: %zu forms, %zu rule files, %zu workflows, %zu "
                 "roles, %zu windows, %zu settings, %zu tables\n",
                 PUAN_FMT(p->id), PUAN_FMT(p->version), p->n_forms, p->n_rules,
                 p->n_flows, p->n_roles, p->n_windows, p->n_settings,
                 p->n_tables);
}

/* Not a fault of the pack: an office may do without. But worth a word. */
static void put_unused(struct puan_out *o, const struct puan_plan *p,
                       const struct puan_plan_known *known)
{
    for (size_t k = 0; k < known->n_capabilities; k++) {
        bool held = false;

        for (size_t i = 0; !held && i < p->n_roles; i++)
            held = puan_role_can(&p->role[i], known->capability[k]);
        if (!held)
            puan_out_fmt(o, "note: no role has capability '%.*s'\n",
                         PUAN_FMT(known->capability[k]));
    }
}

/*
 * What can be proved of the rules and is no fault: rules that find nothing,
 * that find nothing others do not, that forbid an answer the form offers.
 */
static enum puan_status put_proofs(struct puan_out *o,
                                   const struct puan_plan *p,
                                   struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < p->n_forms; i++) {
        const struct puan_prove_limits deep = { .cells = 200000 };
        struct puan_rule_proofs proofs;

        st = puan_rules_prove(&proofs, p->form[i], p->consts, p->n_consts,
                              p->rule_text, p->rule_name, p->n_rules, &deep, a,
                              err);
        for (size_t k = 0; st == PUAN_OK && k < proofs.n; k++)
            puan_out_fmt(o, "note: %s:%u:%u: form %.*s: %s\n",
                         proofs.list[k].file, proofs.list[k].line,
                         proofs.list[k].col, PUAN_FMT(p->form[i]->id),
                         proofs.list[k].text);
        if (st == PUAN_OK && proofs.rules > 0)
            puan_out_fmt(o,
                         "form %.*s: %u rules looked at against %u items, %u "
                         "tests left free, %u of %u questions undecided\n",
                         PUAN_FMT(p->form[i]->id), proofs.rules, proofs.items,
                         proofs.free_tests, proofs.undecided,
                         proofs.questions);
    }
    return st;
}

static int cmd_lint(int argc, char **argv)
{
    const char *pack = NULL;
    const struct puan_arg args[] = { { NULL, &pack, NULL } };
    const struct puan_problems *problems;
    struct puan_plan_held *held;
    struct puan_plan_known known;
    struct puan_arena a;
    struct puan_out o;
    struct puan_err err = { 0 };
    enum puan_status st;
    int code;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    known = puan_plan_known_of(puan_features, &a);
    st =
        puan_plan_lint(&held, &problems, pack, &known, puan_digest_sm3(), &err);
    if (st != PUAN_OK) {
        puan_arena_clear(&a);
        return puan_command_fail(st, &err);
    }
    put_problems(&o, problems);
    if (problems->n > 0)
        puan_out_fmt(&o, "%zu 处问题 fault%s\n", problems->n,
                     problems->n == 1 ? "" : "s");
    else
        put_summary(&o, puan_plan_held_plan(held));
    if (problems->n == 0 &&
        puan_str_is(puan_plan_held_plan(held)->scope, "campaign"))
        put_unused(&o, puan_plan_held_plan(held), &known);
    if (problems->n == 0)
        st = put_proofs(&o, puan_plan_held_plan(held), &a, &err);
    if (st != PUAN_OK) {
        puan_plan_close(held);
        puan_arena_clear(&a);
        return puan_command_fail(st, &err);
    }
    code = print(&o);
    if (code == PUAN_EXIT_DONE && problems->n > 0)
        code = PUAN_EXIT_INPUT;
    puan_plan_close(held);
    puan_arena_clear(&a);
    return code;
}

/* --- show --------------------------------------------------------------- */

static void put_list(struct puan_jw *w, const char *key,
                     const struct puan_str *s, size_t n)
{
    puan_jw_key(w, key);
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        puan_jw_str(w, s[i]);
    puan_jw_end(w, ']');
}

static void put_titles(struct puan_jw *w, struct puan_str zh,
                       struct puan_str en)
{
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

static void put_hex(struct puan_jw *w, const char *key,
                    const uint8_t d[PUAN_DIGEST_SIZE])
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, d, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, key, hex);
}

static void put_form(struct puan_jw *w, const struct puan_form *f)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "form", f->id);
    put_titles(w, f->zh, f->en);
    put_hex(w, "digest", f->digest);
    puan_jw_key(w, "entities");
    puan_jw_list(w);
    for (uint16_t e = 0; e < f->n_entities; e++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "entity", f->entity[e].name);
        puan_jw_kint(w, "items", f->entity[e].n_asked);
        puan_jw_kint(w, "facts", f->entity[e].n_items - f->entity[e].n_asked);
        puan_jw_kint(w, "rows", f->entity[e].max_rows);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static void put_window(struct puan_jw *w, const struct puan_plan *p,
                       const struct puan_window *x)
{
    char from[32], until[32];

    puan_instant_text(from, x->from_ms, p->offset_minutes);
    puan_instant_text(until, x->until_ms, p->offset_minutes);
    puan_jw_map(w);
    puan_jw_kstr(w, "window", x->id);
    put_titles(w, x->zh, x->en);
    puan_jw_ktext(w, "from", from);
    puan_jw_ktext(w, "until", until);
    put_list(w, "forms", x->forms, x->n_forms);
    put_list(w, "modes", x->modes, x->n_modes);
    puan_jw_end(w, '}');
}

static void put_channel(struct puan_jw *w, const struct puan_channel *h)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "channel", h->id);
    put_titles(w, h->zh, h->en);
    put_list(w, "forms", h->forms, h->n_forms);
    puan_jw_end(w, '}');
}

static void put_role(struct puan_jw *w, const struct puan_plan *p,
                     const struct puan_role *r)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "role", r->id);
    put_titles(w, r->zh, r->en);
    puan_jw_kstr(w, "pack", r->pack);
    puan_jw_kbool(w, "external", r->external);
    puan_jw_key(w, "levels");
    puan_jw_list(w);
    for (size_t i = 0; i < p->n_levels; i++)
        if (r->levels >> i & 1)
            puan_jw_str(w, p->level[i].id);
    puan_jw_end(w, ']');
    put_list(w, "can", r->can, r->n_can);
    put_list(w, "excludes", r->excludes, r->n_excludes);
    puan_jw_end(w, '}');
}

static void put_plan(struct puan_out *o, const struct puan_plan *p)
{
    struct puan_jw w;

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "plan", p->id);
    puan_jw_kstr(&w, "version", p->version);
    puan_jw_kstr(&w, "scope", p->scope);
    put_titles(&w, p->zh, p->en);
    put_hex(&w, "digest", p->digest);
    puan_jw_key(&w, "packs");
    puan_jw_map(&w);
    for (size_t k = 0; k < p->n_packs; k++)
        put_hex(&w, puan_arena_dup(o->arena, p->pack[k].name),
                p->pack[k].digest);
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "levels");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_levels; i++) {
        puan_jw_map(&w);
        puan_jw_kstr(&w, "level", p->level[i].id);
        put_titles(&w, p->level[i].zh, p->level[i].en);
        puan_jw_kint(&w, "digits", p->level[i].digits);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "forms");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_forms; i++)
        put_form(&w, p->form[i]);
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "windows");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_windows; i++)
        put_window(&w, p, &p->window[i]);
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "channels");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_channels; i++)
        put_channel(&w, &p->channel[i]);
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "roles");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_roles; i++)
        put_role(&w, p, &p->role[i]);
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "settings");
    puan_jw_map(&w);
    for (size_t i = 0; i < p->n_settings; i++) {
        puan_jw_key_s(&w, p->setting[i].id);
        puan_jw_str(&w, p->setting[i].text);
    }
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "tables");
    puan_jw_list(&w);
    for (size_t i = 0; i < p->n_tables; i++) {
        puan_jw_map(&w);
        puan_jw_kstr(&w, "table", p->table[i].id);
        put_titles(&w, p->table[i].zh, p->table[i].en);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    puan_out_char(o, '\n');
}

/* One line of a listing: name, label in Chinese and in English. */
static void put_row(struct puan_out *o, struct puan_str id, struct puan_str zh,
                    struct puan_str en)
{
    puan_out_fmt(o, "  %-20s %.*s  %.*s", puan_arena_dup(o->arena, id),
                 PUAN_FMT(zh), PUAN_FMT(en));
}

/* What people ask first; --json has the rest. */
static void put_text(struct puan_out *o, const struct puan_plan *p)
{
    if (p->n_forms)
        puan_out_text(o, "\n普查表 forms\n");
    for (size_t i = 0; i < p->n_forms; i++) {
        const struct puan_form *f = p->form[i];

        put_row(o, f->id, f->zh, f->en);
        for (uint16_t e = 0; e < f->n_entities; e++)
            puan_out_fmt(o, "%s%.*s %u", e ? ", " : ": ",
                         PUAN_FMT(f->entity[e].name),
                         (unsigned)f->entity[e].n_asked);
        puan_out_text(o, "\n");
    }
    if (p->n_windows)
        puan_out_text(o, "\n时段 windows\n");
    for (size_t i = 0; i < p->n_windows; i++) {
        const struct puan_window *x = &p->window[i];
        char from[32], until[32];

        puan_instant_text(from, x->from_ms, p->offset_minutes);
        puan_instant_text(until, x->until_ms, p->offset_minutes);
        put_row(o, x->id, x->zh, x->en);
        puan_out_fmt(o, ": %.16s .. %.16s\n", from, until);
    }
    if (p->n_roles)
        puan_out_text(o, "\n岗位 roles\n");
    for (size_t i = 0; i < p->n_roles; i++) {
        const struct puan_role *r = &p->role[i];
        bool any = false;

        put_row(o, r->id, r->zh, r->en);
        for (size_t k = 0; k < p->n_levels; k++)
            if (r->levels >> k & 1) {
                puan_out_fmt(o, "%s%.*s", any ? ", " : ": ",
                             PUAN_FMT(p->level[k].id));
                any = true;
            }
        puan_out_text(o, "\n");
    }
    if (p->n_tables)
        puan_out_text(o, "\n汇总表 tables\n");
    for (size_t i = 0; i < p->n_tables; i++) {
        put_row(o, p->table[i].id, p->table[i].zh, p->table[i].en);
        puan_out_text(o, "\n");
    }
    puan_out_text(o, "\n摘要 digests\n");
}

static int cmd_show(int argc, char **argv)
{
    const char *pack = NULL, *suite = NULL;
    bool json = false;
    const struct puan_arg args[] = { { NULL, &pack, NULL },
                                     { "--digest", &suite, NULL },
                                     { "--json", NULL, &json } };
    struct puan_plan_held *held;
    const struct puan_plan *p;
    const struct puan_digest_fn *fn;
    struct puan_arena a;
    struct puan_out o;
    struct puan_err err = { 0 };
    enum puan_status st;
    int code;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack)
        return PUAN_EXIT_USAGE;
    fn = digest_of(suite);
    if (fn == NULL) {
        (void)fprintf(stderr, "puan: --digest is sm3 or sha256\n");
        return PUAN_EXIT_USAGE;
    }
    st = puan_plan_load_dir(&held, pack, fn, &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    p = puan_plan_held_plan(held);
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    if (json) {
        put_plan(&o, p);
    } else {
        puan_out_fmt(&o, "%.*s\n%.*s\n", PUAN_FMT(p->zh), PUAN_FMT(p->en));
        put_summary(&o, p);
        put_text(&o, p);
        for (size_t k = 0; k < p->n_packs; k++) {
            puan_out_fmt(&o, "%s ", fn->name);
            hex_of(&o, p->pack[k].digest);
            puan_out_fmt(&o, "  %.*s, %zu files\n", PUAN_FMT(p->pack[k].name),
                         p->pack[k].n_files);
        }
        puan_out_fmt(&o, "%s ", fn->name);
        hex_of(&o, p->digest);
        puan_out_text(&o, "  plan\n");
    }
    code = print(&o);
    puan_arena_clear(&a);
    puan_plan_close(held);
    return code;
}

/* A pack as one text, for hosts that run the core without files. */
static int cmd_json(int argc, char **argv)
{
    const char *pack = NULL;
    const struct puan_arg args[] = { { NULL, &pack, NULL } };
    struct puan_plan_held *held;
    struct puan_arena a;
    struct puan_out o;
    struct puan_jw w;
    struct puan_err err = { 0 };
    enum puan_status st;
    int code;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack)
        return PUAN_EXIT_USAGE;
    st = puan_plan_load_dir(&held, pack, puan_digest_sm3(), &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    puan_jw_init(&w, &o);
    puan_plan_json(&w, puan_plan_held_plan(held));
    puan_out_char(&o, '\n');
    code = a.failed ? PUAN_EXIT_SYSTEM : print(&o);
    puan_arena_clear(&a);
    puan_plan_close(held);
    return code;
}

/* --- signatures --------------------------------------------------------- */

/* What is signed: the pack's name and digest in one line each. */
static struct puan_str message(struct puan_arena *a, struct puan_str pack,
                               const char *algorithm,
                               const uint8_t d[PUAN_DIGEST_SIZE])
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, d, PUAN_DIGEST_SIZE);
    return puan_str_of(puan_arena_fmt(a, "puan plan 1\n%.*s\n%s\n%s\n",
                                      PUAN_FMT(pack), algorithm, hex));
}

static const char *hex_text(struct puan_arena *a, struct puan_str bytes)
{
    char *hex = puan_arena_get(a, 2 * bytes.n + 1);

    if (hex == NULL)
        return "";
    puan_hex(hex, (const uint8_t *)bytes.p, bytes.n);
    return hex;
}

/* The folder of the plan's own pack, from the place of its plan.yaml. */
static const char *folder(const struct puan_plan *p, struct puan_arena *a)
{
    const struct puan_plan_pack *k = &p->pack[0];
    struct puan_str s = PUAN_STR("");

    for (size_t i = 0; i < k->n_files; i++)
        if (puan_str_is(k->file[i].path, "plan.yaml"))
            s = puan_str_of(k->file[i].name);
    if (s.n > 10)
        s.n -= 10; /* "/plan.yaml" */
    return puan_arena_dup(a, s);
}

static enum puan_status sign(const struct puan_plan *p, const char *key_file,
                             const struct puan_digest_fn *fn,
                             struct puan_arena *a, struct puan_err *err)
{
    uint8_t sig[PUAN_SIGNATURE_MAX];
    size_t sig_n = 0;
    struct puan_sign_key *key = NULL;
    struct puan_str pkcs8, spki = { NULL, 0 };
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st = puan_file_read(&pkcs8, key_file, 4096, a, err);

    if (st != PUAN_OK)
        return st;
    st = puan_sign_load(&key, pkcs8, err);

    if (st == PUAN_OK)
        st = puan_sign_public(&spki, key, a, err);
    if (st == PUAN_OK)
        st = puan_sign(sig, &sig_n, key,
                       message(a, p->pack[0].name, fn->name, p->pack[0].digest),
                       err);
    if (st != PUAN_OK)
        goto out;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "plan", p->pack[0].name);
    puan_jw_kstr(&w, "version", p->version);
    puan_jw_ktext(&w, "algorithm", fn->name);
    put_hex(&w, "digest", p->pack[0].digest);
    puan_jw_ktext(&w, "public", hex_text(a, spki));
    puan_jw_ktext(&w, "signature",
                  hex_text(a, (struct puan_str){ (const char *)sig, sig_n }));
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = puan_file_write(puan_arena_fmt(a, "%s/plan.sig", folder(p, a)),
                             puan_out_view(&o), 0644, err);
out:
    puan_sign_free(key);
    return st;
}

static int cmd_sign(int argc, char **argv)
{
    const char *pack = NULL, *key = NULL, *suite = NULL;
    const struct puan_arg args[] = { { NULL, &pack, NULL },
                                     { "--key", &key, NULL },
                                     { "--digest", &suite, NULL } };
    struct puan_plan_held *held;
    struct puan_arena a;
    struct puan_err err = { 0 };
    const struct puan_digest_fn *fn;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack || !key)
        return PUAN_EXIT_USAGE;
    fn = digest_of(suite);
    if (fn == NULL)
        return PUAN_EXIT_USAGE;
    st = puan_plan_load_dir(&held, pack, fn, &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    puan_arena_init(&a, puan_os_alloc());
    st = sign(puan_plan_held_plan(held), key, fn, &a, &err);
    puan_arena_clear(&a);
    puan_plan_close(held);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static enum puan_status unhex(struct puan_str *out, struct puan_str hex,
                              struct puan_arena *a)
{
    uint8_t *p = puan_arena_get(a, hex.n / 2 + 1);

    if (p == NULL || hex.n % 2 || !puan_unhex(p, hex.n / 2, hex))
        return PUAN_EINVAL;
    *out = (struct puan_str){ (const char *)p, hex.n / 2 };
    return PUAN_OK;
}

static enum puan_status verify(const struct puan_plan *p,
                               const struct puan_node *sig, const char *file,
                               const char *public_file,
                               const struct puan_digest_fn *fn,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_sign_key *key = NULL;
    struct puan_str spki, bytes, want;
    enum puan_status st;

    if (unhex(&spki, puan_node_str_opt(sig, "public", ""), a) != PUAN_OK ||
        unhex(&bytes, puan_node_str_opt(sig, "signature", ""), a) != PUAN_OK)
        return puan_fail(err, PUAN_EINVAL, file,
                         "'public' and 'signature' must be hexadecimal");
    if (public_file != NULL) {
        st = puan_file_read(&want, public_file, 4096, a, err);
        if (st != PUAN_OK)
            return st;
        if (!puan_str_eq(want, spki))
            return puan_fail(err, PUAN_EDENIED, file,
                             "signed with another key than %s", public_file);
    }
    st = puan_sign_load_public(&key, spki, err);
    if (st == PUAN_OK)
        st = puan_sign_verify(
            key, message(a, p->pack[0].name, fn->name, p->pack[0].digest),
            bytes, err);
    puan_sign_free(key);
    return st;
}

static int cmd_verify(int argc, char **argv)
{
    const char *pack = NULL, *public_file = NULL, *file;
    const struct puan_arg args[] = { { NULL, &pack, NULL },
                                     { "--public", &public_file, NULL } };
    struct puan_plan_held *held = NULL;
    struct puan_arena a;
    struct puan_node *sig = NULL;
    struct puan_str text;
    const struct puan_digest_fn *fn = puan_digest_sm3();
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_plan_load_dir(&held, pack, fn, &err);
    if (st != PUAN_OK)
        goto out;
    file = puan_arena_fmt(&a, "%s/plan.sig",
                          folder(puan_plan_held_plan(held), &a));
    st = puan_file_read(&text, file, 1 << 16, &a, &err);
    if (st == PUAN_OK)
        st = puan_json_tree(&sig, text, file, &a, &err);
    if (st != PUAN_OK)
        goto out;
    fn = puan_digest_by_name(puan_node_str_opt(sig, "algorithm", ""));
    if (fn == NULL) {
        st = puan_fail(&err, PUAN_EINVAL, file, "unknown digest algorithm");
        goto out;
    }
    puan_plan_close(held);
    st = puan_plan_load_dir(&held, pack, fn, &err);
    if (st == PUAN_OK)
        st = verify(puan_plan_held_plan(held), sig, file, public_file, fn, &a,
                    &err);
out:
    puan_plan_close(held);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    (void)printf("the signature is that of this pack\n");
    return PUAN_EXIT_DONE;
}

static enum puan_status make_key(const char *out, enum puan_sign_alg alg,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_sign_key *key = NULL;
    struct puan_str pkcs8, spki;
    enum puan_status st;

    if (puan_file_exists(out))
        return puan_fail(err, PUAN_ECONFLICT, out,
                         "exists already; keys are never overwritten");
    st = puan_sign_generate(&key, alg, err);
    if (st == PUAN_OK)
        st = puan_sign_private(&pkcs8, key, a, err);
    if (st == PUAN_OK)
        st = puan_sign_public(&spki, key, a, err);
    if (st == PUAN_OK)
        st = puan_file_write(out, pkcs8, 0600, err);
    if (st == PUAN_OK)
        st = puan_file_write(puan_arena_fmt(a, "%s.pub", out), spki, 0644, err);
    puan_sign_free(key);
    return st;
}

static int cmd_key(int argc, char **argv)
{
    const char *out = NULL, *alg = "sm2";
    const struct puan_arg args[] = { { NULL, &out, NULL },
                                     { "--scheme", &alg, NULL } };
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st;
    bool sm2;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !out)
        return PUAN_EXIT_USAGE;
    sm2 = puan_str_is(puan_str_of(alg), "sm2");
    if (!sm2 && !puan_str_is(puan_str_of(alg), "ed25519")) {
        (void)fprintf(stderr, "puan: --scheme is sm2 or ed25519\n");
        return PUAN_EXIT_USAGE;
    }
    puan_arena_init(&a, puan_os_alloc());
    st = make_key(out, sm2 ? PUAN_SIGN_SM2 : PUAN_SIGN_ED25519, &a, &err);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static const struct puan_command commands[] = {
    { "plan lint", "PACK",
      "Proves a plan pack: names, codes, routing, rules, workflows, "
      "capabilities.\nPrints every fault with file, line and remedy; exit "
      "code 3 when there is one.",
      cmd_lint, "检查方案包：名称、编码、跳转、规则、流程、权限" },
    { "plan json", "PACK",
      "Prints the forms, code lists, settings and rules of a plan as one JSON "
      "text, for the PostgreSQL extension and other hosts of the core.",
      cmd_json, "把方案的普查表、代码表、参数和规则输出为一个 JSON 文本，供 PostgreSQL 扩展使用" },
    { "plan show", "PACK [--json] [--digest sm3|sha256]",
      "Shows what a plan holds, and its digests.", cmd_show, "显示方案包的内容和摘要" },
    { "plan sign", "PACK --key FILE [--digest sm3|sha256]",
      "Signs the digest of a pack into its plan.sig, which is not part of it.",
      cmd_sign, "对方案包的摘要签名，写入 plan.sig" },
    { "plan verify", "PACK [--public FILE]",
      "Checks plan.sig against the pack as it lies there. With --public the "
      "key must\nbe that one.",
      cmd_verify, "按现有文件核验方案包的签名" },
    { "plan key", "FILE [--scheme sm2|ed25519]",
      "Makes a key pair to sign plans with: FILE is the private key, FILE.pub "
      "the\npublic one.",
      cmd_key, "生成方案签名用的密钥对" },
};

const struct puan_feature puan_feature_plans = {
    .name = "plans",
    .routes = puan_plan_routes,
    .n_routes = PUAN_PLAN_ROUTES,
    .open = puan_plan_forms_open,
    .close = puan_plan_forms_close,
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
