/*
 * puan-paper: one document as JSON on standard input, the same as PDF on
 * standard output.  A program of its own, so that puan itself never loads the
 * libraries of type.  Opens no file, no network, no store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kit/os/heap.h"
#include "programs/paper/sheet.h"

#define SECONDS 30 /* of processor time, whatever it is asked to set */

struct file {
    unsigned char *p;
    size_t n, cap;
};

static cairo_status_t put(void *ctx, const unsigned char *data, unsigned n)
{
    struct file *f = ctx;

    if (n > f->cap - f->n) {
        size_t cap = f->cap ? f->cap : 1u << 16;
        unsigned char *p;

        while (n > cap - f->n)
            cap *= 2;
        p = realloc(f->p, cap);
        if (p == NULL)
            return CAIRO_STATUS_NO_MEMORY;
        f->p = p;
        f->cap = cap;
    }
    memcpy(f->p + f->n, data, n);
    f->n += n;
    return CAIRO_STATUS_SUCCESS;
}

/* Standard input, at most one byte more than a document may have. */
static bool take(struct puan_str *out, struct puan_arena *a)
{
    size_t cap = PUAN_PAPER_BYTES + 1, n = 0, got;
    char *p = puan_arena_get(a, cap);

    while (p && n < cap && (got = fread(p + n, 1, cap - n, stdin)) > 0)
        n += got;
    *out = (struct puan_str){ p, n };
    return p != NULL && !ferror(stdin);
}

static int fail(const struct puan_err *e)
{
    if (e->line)
        fprintf(stderr, "puan-paper: %s:%u:%u: %s\n", e->where, e->line,
                e->col, e->text);
    else
        fprintf(stderr, "puan-paper: %s: %s\n", e->where, e->text);
    return e->code == PUAN_EINVAL || e->code == PUAN_ELIMIT ? 3 : 5;
}

static int fonts(const struct puan_paper *p, struct puan_err *err)
{
    struct puan_type t;

    if (puan_type_open(&t, p, err) != PUAN_OK) {
        puan_type_close(&t);
        return fail(err);
    }
    for (int f = 0; f < PUAN_PAPER_FACES; f++)
        printf("%s\t%s\n", puan_paper_face_word[f], t.name[f]);
    puan_type_close(&t);
    return 0;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* What the libraries of fonts keep until the end is theirs. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libcairo\nleak:libpango\nleak:libglib\n";
}
#endif
#endif

int main(int argc, char **argv)
{
    struct rlimit most = { SECONDS, SECONDS };
    struct puan_paper *p = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_str json;
    struct file f = { 0 };
    int pages, rc = 0;
    bool only = argc == 2 && strcmp(argv[1], "--fonts") == 0;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("puan-paper " PUAN_VERSION "\n");
        return 0;
    }
    if (argc > 1 && !only) {
        fprintf(stderr, "usage: puan-paper [--fonts | --version] "
                        "<DOCUMENT.json >FILE.pdf\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_CPU, &most);
    puan_arena_init(&a, &puan_heap);
    if (!take(&json, &a)) {
        fprintf(stderr, "puan-paper: standard input cannot be read\n");
        rc = 5;
    } else if (puan_paper_read(&p, json, &a, &err) != PUAN_OK) {
        rc = fail(&err);
    } else if (only) {
        rc = fonts(p, &err);
    } else if (puan_sheet_print(&pages, p, put, &f, &err) != PUAN_OK) {
        rc = fail(&err);
    } else if (fwrite(f.p, 1, f.n, stdout) != f.n || fflush(stdout) != 0) {
        fprintf(stderr, "puan-paper: standard output cannot be written\n");
        rc = 5;
    }
    free(f.p);
    puan_arena_clear(&a);
    return rc;
}
