/*
 * Commands of the host: init, serve, openapi, permissions.  Never asks for a
 * secret on the command line; a key comes from a file or from shares.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plan/plan.h"
#include "features/host/args.h"
#include "features/host/internal.h"
#include "features/plans/plans.h"
#include "features/web/web.h"
#include "kit/crypto/keys.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

/* ---- init ------------------------------------------------------------------------ */

static int cmd_init(int argc, char **argv)
{
    const char *dir = NULL, *plan = NULL, *birth = "live", *suite = "sm",
               *kek = NULL, *url = NULL;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },          { "--plan", &plan, NULL },
        { "--birth", &birth, NULL },   { "--suite", &suite, NULL },
        { "--kek-file", &kek, NULL },  { "--store", &url, NULL },
    };
    struct puan_key_shares shares = { 0 };
    struct puan_store_options opt = { 0 };
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir || !plan)
        return PUAN_EXIT_USAGE;
    opt.url = url && strcmp(url, "sqlite") != 0 ? url : NULL;
    opt.kek_file = kek;
    opt.shares = &shares;
    st = puan_store_create(dir, birth, plan, suite, &opt, &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    printf("%s: a campaign directory born %s, plan %s, suite %s\n", dir, birth,
           plan, suite);
    if (strcmp(birth, "demo") == 0) {
        printf("its key-encryption key lies in %s/keys/kek.demo: fit for "
               "demonstrations only\n",
               dir);
    } else {
        printf("\nKey-encryption key, in three shares; any two open the "
               "directory.\nGive each to another person, on paper, now: they "
               "are not shown again.\n\n");
        for (int i = 0; i < PUAN_KEY_SHARES; i++)
            printf("  %d  %s\n", i + 1, shares.text[i]);
        if (kek)
            printf("\nIt is also in %s, for unattended start: guard that "
                   "file.\n",
                   kek);
    }
    puan_os_wipe(&shares, sizeof(shares));
    printf("\nThere is no account yet. Next: puan admin first-run %s\n", dir);
    return PUAN_EXIT_DONE;
}

/* ---- serve ----------------------------------------------------------------------- */

static enum puan_status read_pem(const char **out, const char *path,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_str s;
    enum puan_status st;

    *out = NULL;
    if (!path)
        return PUAN_OK;
    st = puan_file_read(&s, path, 1 << 20, a, err);
    if (st == PUAN_OK)
        *out = s.p;
    return st;
}

static int cmd_serve(int argc, char **argv)
{
    const char *dir = NULL, *listen = NULL, *url = NULL, *kek = NULL,
               *share1 = NULL, *share2 = NULL, *cert = NULL, *key = NULL,
               *workers = NULL, *loops = NULL, *pages = NULL,
               *households = NULL, *proxies = NULL;
    bool no_jobs = false, quiet = false;
    const struct puan_arg args[] = {
        { NULL, &dir, NULL },
        { "--listen", &listen, NULL },
        { "--store", &url, NULL },
        { "--kek-file", &kek, NULL },
        { "--share1-file", &share1, NULL },
        { "--share2-file", &share2, NULL },
        { "--tls-cert", &cert, NULL },
        { "--tls-key", &key, NULL },
        { "--workers", &workers, NULL },
        { "--loops", &loops, NULL },
        { "--households", &households, NULL },
        { "--proxies", &proxies, NULL },
        { "--web", &pages, NULL },
        { "--no-jobs", NULL, &no_jobs },
        { "--quiet", NULL, &quiet },
    };
    struct puan_store_options opt = { 0 };
    struct puan_host_options ho = { 0 };
    struct puan_store *store = NULL;
    struct puan_host *host = NULL;
    struct puan_web *web = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st = PUAN_OK;
    struct puan_str share;
    int64_t n = 0;
    sigset_t set;
    int sig = 0;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !dir ||
        !cert != !key)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    opt.url = url && strcmp(url, "sqlite") != 0 ? url : NULL;
    opt.kek_file = kek;
    if (share1 && share2) {
        st = puan_file_read(&share, share1, 4096, &a, &err);
        if (st == PUAN_OK) {
            opt.share[0] = puan_arena_dup(&a, puan_str_trim(share));
            st = puan_file_read(&share, share2, 4096, &a, &err);
        }
        if (st == PUAN_OK)
            opt.share[1] = puan_arena_dup(&a, puan_str_trim(share));
    }
    ho.listen = listen;
    ho.proxies = proxies;
    ho.jobs = !no_jobs;
    ho.quiet = quiet;
    if (workers && puan_int_parse(&n, puan_str_of(workers)) && n > 0 &&
        n <= 256)
        ho.workers = (unsigned)n;
    if (loops && puan_int_parse(&n, puan_str_of(loops)) && n > 0 && n <= 64)
        ho.loops = (unsigned)n;
    if (households && puan_int_parse(&n, puan_str_of(households)) && n > 0)
        ho.households = n;
    if (st == PUAN_OK)
        st = read_pem(&ho.tls_cert, cert, &a, &err);
    if (st == PUAN_OK)
        st = read_pem(&ho.tls_key, key, &a, &err);
    pages = puan_web_default(pages);
    if (st == PUAN_OK && pages)
        st = puan_web_open(&web, pages, &err);
    ho.web = web;
    if (st != PUAN_OK)
        goto out;

    /* Before any thread exists, so that only sigwait below sees them. */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK)
        st = puan_host_start(&host, store, puan_features, &ho, &err);
    if (st != PUAN_OK)
        goto out;
    printf("puan: %s serves %.*s at %s://%s/\n", dir,
           PUAN_FMT(puan_store_plan(store)->id), cert ? "https" : "http",
           puan_host_address(host));
    fflush(stdout);
    do {
        sigwait(&set, &sig);
    } while (sig == SIGHUP);
    if (!quiet)
        fprintf(stderr, "puan: finishing what is under way\n");
out:
    puan_host_stop(host);
    puan_web_close(web);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- openapi, permissions --------------------------------------------------------- */

static int print(struct puan_out *o)
{
    struct puan_str s = puan_out_view(o);

    if (o->arena->failed) {
        fputs("puan: out of memory\n", stderr);
        return PUAN_EXIT_SYSTEM;
    }
    return fwrite(s.p, 1, s.n, stdout) == s.n ? PUAN_EXIT_DONE
                                              : PUAN_EXIT_SYSTEM;
}

static int cmd_openapi(int argc, char **argv)
{
    struct puan_arena a;
    struct puan_out o;
    int code;

    (void)argv;
    if (argc > 1)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    puan_openapi_write(&o, puan_features, NULL);
    code = print(&o);
    puan_arena_clear(&a);
    return code;
}

static int cmd_permissions(int argc, char **argv)
{
    const char *pack = NULL;
    bool md = false;
    const struct puan_arg args[] = { { NULL, &pack, NULL },
                                     { "--md", NULL, &md } };
    struct puan_plan_held *held = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;
    int code;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !pack)
        return PUAN_EXIT_USAGE;
    st = puan_plan_load_dir(&held, pack, puan_digest_sm3(), &err);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    puan_permissions_write(&o, puan_features, puan_plan_held_plan(held), md);
    code = print(&o);
    puan_arena_clear(&a);
    puan_plan_close(held);
    return code;
}

static const struct puan_command commands[] = {
    { "init",
      "DIR --plan PACK [--birth live|drill|demo] [--suite sm|intl] "
      "[--kek-file FILE] [--store sqlite|postgresql://…]",
      "Makes a campaign directory. The plan is copied and pinned, keys are "
      "made,\nan empty office store is opened. Without --birth demo the "
      "key-encryption key\nis printed in three shares, once; any two open the "
      "directory. No account\nexists afterwards: see admin first-run.",
      cmd_init, "建立普查目录" },
    { "serve",
      "DIR [--listen 127.0.0.1:8020] [--store sqlite|postgresql://…] "
      "[--kek-file FILE | --share1-file F --share2-file F] "
      "[--tls-cert PEM --tls-key PEM] [--workers N] [--loops N] [--no-jobs] "
      "[--households N] [--proxies \"ADDRESS …\"] [--web DIR] [--quiet]",
      "Serves a campaign directory over HTTP. Runs the periodic jobs, answers "
      "until\nSIGTERM or SIGINT, then finishes what is under way and closes "
      "the stores. --web\nnames the built web tree (web/dist), read once at "
      "start; without it $PUAN_WEB or\n/usr/share/puan/web is taken, and "
      "without any the status page stands at /. --households\nbounds how many "
      "households fill in at once; the others wait in a line. Behind a\n"
      "reverse proxy name its address in --proxies: limits then count each "
      "client, not\nthe proxy.",
      cmd_serve, "启动普查服务" },
    { "openapi", "",
      "Prints the interface as OpenAPI 3.1, made from the route tables.",
      cmd_openapi, "输出网络接口说明（OpenAPI 3.1）" },
    { "permissions", "PACK [--md]",
      "Prints which role of a plan may use which route. Area rules come on "
      "top: a\nseat acts inside its own area only. \"fresh factor\": the "
      "second factor is asked for\nagain when it is some minutes old.",
      cmd_permissions, "列出方案中各岗位可用的接口" },
};

const struct puan_feature puan_feature_host = {
    .name = "host",
    .routes = puan_host_rows,
    .n_routes = PUAN_COUNT(puan_host_rows),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
