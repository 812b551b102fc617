/*
 * puan admin first-run: the three administrators of a new directory, once.
 * Never makes a fourth; never runs again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "features/accounts/internal.h"
#include "features/host/args.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

struct first {
    const struct puan_role *role;
    struct puan_str name;
    struct fresh_secret secret;
};

struct first_run {
    struct first admin[3];
    int64_t now;
    struct puan_arena *arena;
};

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct first_run *k = arg;
    int64_t n;
    enum puan_status st =
        puan_db_int(&n, db, "SELECT COUNT(*) FROM account", 0, err);

    if (st == PUAN_OK && n)
        st = puan_fail(err, PUAN_ECONFLICT, "first-run",
                       "this directory has its administrators already");
    for (int i = 0; i < 3 && st == PUAN_OK; i++) {
        struct first *f = &k->admin[i];
        struct account_row r = { .name = f->name,
                                 .person = f->name,
                                 .state = ACCOUNT_ACTIVE,
                                 .secret = puan_str_of(f->secret.encoded),
                                 .secret_ms = k->now,
                                 .first = 1,
                                 .totp = f->secret.sealed_totp };
        struct seat_row s = { .role = f->role->id,
                              .attested = PUAN_STR("") };

        st = account_write(&r, true, sh, db, act, k->arena, err);
        s.account = r.id;
        if (st == PUAN_OK)
            st = seat_write(&s, true, sh, db, act, k->arena, err);
    }
    return st;
}

static enum puan_status find_roles(struct first_run *k,
                                   const struct puan_plan *plan,
                                   struct puan_err *err)
{
    static const char *const marks[] = { "admin.system", "admin.security",
                                         "admin.audit" };

    for (size_t i = 0; i < plan->n_roles; i++) {
        int a = role_admin(&plan->role[i]);

        if (!a)
            continue;
        if (k->admin[a - 1].role)
            return puan_fail(err, PUAN_EINVAL, "plan",
                             "two roles have %s; one is wanted", marks[a - 1]);
        k->admin[a - 1].role = &plan->role[i];
    }
    for (int i = 0; i < 3; i++)
        if (!k->admin[i].role)
            return puan_fail(err, PUAN_EINVAL, "plan", "no role has %s",
                             marks[i]);
    return PUAN_OK;
}

static bool ask(char out[64], const char *what)
{
    size_t n;

    fprintf(stderr, "account name of the %s administrator: ", what);
    if (!fgets(out, 64, stdin))
        return false;
    n = strcspn(out, "\r\n");
    out[n] = 0;
    return n > 0;
}

/* name,role,secret,totp; and where a code generator takes it from. */
static enum puan_status hand_out(const struct first_run *k, const char *file,
                                 struct puan_err *err)
{
    struct puan_out o;
    enum puan_status st;

    puan_out_init(&o, k->arena);
    puan_out_text(&o, "name,role,secret,totp\n");
    for (int i = 0; i < 3; i++)
        puan_out_fmt(&o, "%.*s,%.*s,%s,%s\n", PUAN_FMT(k->admin[i].name),
                     PUAN_FMT(k->admin[i].role->id),
                     k->admin[i].secret.secret, k->admin[i].secret.totp);
    st = puan_arena_check(k->arena, err);
    if (st != PUAN_OK)
        return st;
    if (file)
        return puan_file_write(file, puan_out_view(&o), 0600, err);
    printf("Shown once. Each goes to its own person, who changes the secret "
           "at the first\nsign-in and enters the second factor into a code "
           "generator (TOTP, 6 digits, 30 s).\n\n");
    for (int i = 0; i < 3; i++)
        printf("  %-20.*s %-20.*s\n    secret         %s\n    second factor  "
               "%s\n",
               PUAN_FMT(k->admin[i].name), PUAN_FMT(k->admin[i].role->id),
               k->admin[i].secret.secret, k->admin[i].secret.totp);
    return PUAN_OK;
}

int cmd_first_run(int argc, char **argv)
{
    const char *dir = NULL, *file = NULL, *kek = NULL, *url = NULL;
    const char *name[3] = { NULL, NULL, NULL };
    static const char *const what[] = { "system", "security", "audit" };
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },           { "--secrets-file", &file, NULL },
        { "--system", &name[0], NULL }, { "--security", &name[1], NULL },
        { "--audit", &name[2], NULL },  { "--kek-file", &kek, NULL },
        { "--store", &url, NULL },
    };
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_arena a;
    struct first_run k = { .now = puan_real_now(), .arena = &a };
    struct puan_act act = { .actor = PUAN_STR("first-run"),
                            .seat = PUAN_STR("console"),
                            .verb = PUAN_STR("account.first-run"),
                            .subject = PUAN_STR("administrators") };
    char typed[3][64];
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    opt.url = url && strcmp(url, "sqlite") != 0 ? url : NULL;
    opt.kek_file = kek;
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK)
        st = find_roles(&k, puan_store_plan(store), &err);
    for (int i = 0; i < 3 && st == PUAN_OK; i++) {
        if (!name[i] && !file && isatty(STDIN_FILENO)) {
            if (!ask(typed[i], what[i])) {
                st = puan_fail(&err, PUAN_EINVAL, "first-run",
                               "three names are wanted");
                break;
            }
            name[i] = typed[i];
        }
        k.admin[i].name =
            name[i] ? puan_str_of(name[i]) : k.admin[i].role->id;
        if (!name_ok(k.admin[i].name))
            st = puan_fail(&err, PUAN_EINVAL, "name",
                           "letters, digits, '.', '_' and '-', 2 to 60 bytes");
        for (int j = 0; j < i && st == PUAN_OK; j++)
            if (puan_str_eq(k.admin[i].name, k.admin[j].name))
                st = puan_fail(&err, PUAN_EDENIED, "first-run",
                               "the administrators are three different "
                               "persons");
    }
    for (int i = 0; i < 3 && st == PUAN_OK; i++)
        st = secret_make(&k.admin[i].secret, store, k.admin[i].name, &a, &err);
    /* The file first: an account nobody has the secret of would be lost. */
    if (st == PUAN_OK && file && puan_file_exists(file))
        st = puan_fail(&err, PUAN_ECONFLICT, file, "exists; name a new file");
    if (st == PUAN_OK)
        st = puan_commit(puan_store_office(store), &act, body, &k, &err);
    if (st == PUAN_OK)
        st = hand_out(&k, file, &err);
    puan_os_wipe(&k, sizeof(k));
    puan_store_close(store);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    printf("three administrators made%s%s\n", file ? "; their secrets are in "
                                                   : "",
           file ? file : "");
    return PUAN_EXIT_DONE;
}
