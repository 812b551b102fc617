/*
 * puan form xform: a form of a pack as ODK's clients load it.
 */
#include "features/openrosa/internal.h"

#include <stdio.h>

#include "features/host/args.h"
#include "features/host/host.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

static void put_left(struct puan_out *o, const char *what,
                     const struct puan_str *list, size_t n)
{
    if (n == 0)
        return;
    puan_out_fmt(o, "%s:", what);
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(o, " %.*s", PUAN_FMT(list[i]));
    puan_out_char(o, '\n');
}

static enum puan_status write_form(const struct puan_plan *p, const char *name,
                                   const char *file, struct puan_arena *a,
                                   struct puan_err *err)
{
    const struct puan_form *form = NULL;
    struct puan_xform_report r;
    struct puan_ruleset *rules;
    struct puan_out o, said;
    FILE *f = stdout;
    enum puan_status st;

    for (size_t i = 0; i < p->n_forms; i++)
        if (puan_str_is(p->form[i]->id, name))
            form = p->form[i];
    if (!form)
        return puan_fail(err, PUAN_ENOTFOUND, "form",
                         "this pack has no form '%s'", name);
    puan_out_init(&o, a);
    puan_out_init(&said, a);
    st = puan_ruleset_compile(&rules, form, p->consts, p->n_consts,
                              p->rule_text, p->rule_name, p->n_rules, a,
                              err);
    if (st == PUAN_OK)
        st = odk_xform(&o, &r, p, form, rules, a, err);
    if (st != PUAN_OK)
        return st;
    if (file)
        f = fopen(file, "wb");
    if (!f || fwrite(o.p, 1, o.n, f) != o.n || (file && fclose(f) != 0))
        return puan_fail(err, PUAN_EWRITE, file ? file : "output",
                         "could not be written");
    puan_out_fmt(&said,
                 "%u conditions, %u constraints and %u notes for devices\n",
                 r.asked, r.constraints, r.notes);
    put_left(&said, "judged on arrival only", r.rules_left, r.n_rules_left);
    put_left(&said, "always shown", r.asked_left, r.n_asked_left);
    (void)fwrite(said.p, 1, said.n, stderr);
    return PUAN_OK;
}

int cmd_form_xform(int argc, char **argv)
{
    const char *pack = NULL, *form = NULL, *file = NULL;
    const struct puan_arg args[] = { { NULL, &pack, NULL },
                                     { NULL, &form, NULL },
                                     { "--out", &file, NULL } };
    struct puan_plan_held *held;
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack || !form)
        return PUAN_EXIT_USAGE;
    st = puan_plan_load_dir(&held, pack, puan_digest_sm3(), &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    puan_arena_init(&a, puan_os_alloc());
    st = write_form(puan_plan_held_plan(held), form, file, &a, &err);
    puan_arena_clear(&a);
    puan_plan_close(held);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}
