/*
 * The directory and the store of a test's campaign, and commands on them.
 */
#include "features/host/test_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/json.h"
#include "kit/os/os.h"

size_t puan_fix_engines(const char *url[2])
{
    const char *pg = getenv("PUAN_TEST_PG");

    url[0] = NULL;
    url[1] = pg;
    return pg && *pg ? 2 : 1;
}

struct puan_fix *puan_fix_begin(const char *url)
{
    struct puan_fix *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    puan_arena_init(&f->a, puan_os_alloc());
    ok(puan_dir_temp(&f->root, &f->a, err));
    f->dir = puan_arena_fmt(&f->a, "%s/c", f->root);
    f->opt.url = url;
    return f;
}

void puan_fix_create(struct puan_fix *f, const char *birth, const char *pack,
                     const char *suite)
{
    ok(puan_store_create(f->dir, birth, pack, suite, &f->opt, err));
}

void puan_fix_open(struct puan_fix *f)
{
    ok(puan_store_open(&f->st, f->dir, &f->opt, err));
}

void puan_fix_close(struct puan_fix *f)
{
    puan_store_close(f->st);
    f->st = NULL;
}

void puan_fix_reopen(struct puan_fix *f)
{
    puan_fix_close(f);
    puan_fix_open(f);
}

void puan_fix_end(struct puan_fix *f)
{
    puan_http_client_close(f->client);
    puan_host_stop(f->host);
    puan_store_close(f->st);
    ok(puan_dir_remove(f->root, err));
    puan_arena_clear(&f->a);
    free(f);
}

void puan_fix_import(struct puan_fix *f, enum puan_import_kind kind,
                     const char *csv)
{
    struct puan_act act = { .actor = PUAN_STR("tester") };
    struct puan_import_result res;

    ok(puan_import(&res, f->st, kind, puan_str_of(csv), "test.csv", false, &act,
                   err));
    assert_true(res.written > 0);
}

void puan_fix_clock(struct puan_fix *f, const char *when)
{
    int64_t ms = 0;

    assert_true(puan_instant_parse(&ms, puan_str_of(when)));
    puan_fix_clock_ms(f, ms);
}

void puan_fix_clock_ms(struct puan_fix *f, int64_t ms)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };

    ok(puan_store_clock_set(f->st, &act, ms, 0, err));
}

int64_t puan_fix_int(struct puan_shard *sh, const char *sql)
{
    struct puan_db *db = NULL;
    int64_t n = -1;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_db_int(&n, db, sql, -1, err));
    puan_read_end(sh, db);
    return n;
}

int64_t puan_fix_office(struct puan_fix *f, const char *sql)
{
    return puan_fix_int(puan_store_office(f->st), sql);
}

const char *puan_fix_quotes(struct puan_fix *f, const char *json)
{
    size_t n = strlen(json);
    char *text = puan_arena_get(&f->a, n + 1);

    for (size_t i = 0; i <= n; i++)
        text[i] = json[i] == '\'' ? '"' : json[i];
    return text;
}

const struct puan_node *puan_fix_json(struct puan_fix *f, const char *json)
{
    struct puan_node *n = NULL;

    if (json == NULL)
        return NULL;
    ok(puan_json_tree(&n, puan_str_of(puan_fix_quotes(f, json)), "f", &f->a,
                      err));
    return n;
}

int puan_fix_run(struct puan_fix *f, int (*command)(int, char **),
                 const char *line)
{
    char text[2048], *argv[64];
    int argc = 0, code, out, err;
    struct puan_out o;

    puan_out_init(&o, &f->a);
    for (const char *p = line; *p; p++)
        if (strncmp(p, "DIR", 3) == 0 || strncmp(p, "TMP", 3) == 0) {
            puan_out_text(&o, *p == 'D' ? f->dir : f->root);
            p += 2;
        } else {
            puan_out_char(&o, *p);
        }
    puan_format(text, sizeof(text), "%.*s", PUAN_FMT(puan_out_view(&o)));
    for (char *p = text; *p;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = '\0';
    }
    argv[argc] = NULL;
    fflush(stdout);
    fflush(stderr);
    out = dup(1);
    err = dup(2);
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/said", f->root), "w", stdout));
    assert_true(dup2(fileno(stdout), 2) >= 0);
    code = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    assert_true(dup2(out, 1) >= 0);
    assert_true(dup2(err, 2) >= 0);
    close(out);
    close(err);
    return code;
}

const char *puan_fix_file(struct puan_fix *f, const char *name)
{
    struct puan_str s = { 0 };

    ok(puan_file_read(&s, puan_arena_fmt(&f->a, "%s/%s", f->root, name), 0,
                      &f->a, err));
    return puan_arena_dup(&f->a, s);
}
