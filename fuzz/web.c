/*
 * Fuzz target: the pages' look-up.  The input is a target, a line end, an
 * Accept-Encoding, a line end, an If-None-Match.  Whatever is asked for, the
 * answer is a file of the tree; a name of the tree is always found.
 */
#include <stdlib.h>

#include "features/web/web.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "assets/a-1.js", "favicon.svg",
                                     "household/index.html",
                                     "office/index.html", "public/index.html" };
static struct puan_web *web;

static void make(void)
{
    struct puan_arena a;
    struct puan_err err = { 0 };
    const char *dir;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_dir_temp(&dir, &a, &err);
    for (size_t i = 0; i < PUAN_COUNT(names) && st == PUAN_OK; i++) {
        const char *slash = strchr(names[i], '/');

        if (slash)
            st = puan_dir_make(puan_arena_fmt(&a, "%s/%.*s", dir,
                                              (int)(slash - names[i]),
                                              names[i]),
                               &err);
        if (st == PUAN_OK)
            st = puan_file_write(puan_arena_fmt(&a, "%s/%s", dir, names[i]),
                                 puan_str_of(names[i]), 0600, &err);
    }
    if (st == PUAN_OK)
        st = puan_web_open(&web, dir, &err);
    if (st != PUAN_OK || puan_dir_remove(dir, &err) != PUAN_OK)
        abort();
    puan_arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str rest = { (const char *)data, size }, target = { 0 },
                    encoding = { 0 }, name;
    bool known = false;

    if (!web)
        make();
    if (!size)
        return 0;
    (void)puan_str_split(&target, &rest, '\n');
    if (rest.n)
        (void)puan_str_split(&encoding, &rest, '\n');
    name = puan_web_find(web, target);
    for (size_t i = 0; i < PUAN_COUNT(names); i++) {
        known = known || puan_str_is(name, names[i]);
        if (target.n > 1 && target.p[0] == '/' &&
            puan_str_is((struct puan_str){ target.p + 1, target.n - 1 },
                        names[i]) &&
            !puan_str_is(name, names[i]))
            __builtin_trap();
    }
    if (name.n && !known)
        __builtin_trap();
    (void)puan_web_takes_gzip(encoding);
    (void)puan_web_tag_matches(rest, PUAN_STR("\"0123\""));
    return 0;
}
