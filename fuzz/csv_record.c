/*
 * Fuzz: returns out of CSV files.  The input up to the first byte 1 is the
 * household file, the rest the person file.  Every row that the first pass
 * counted is met once in the chunks, or the reader says why not.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "features/check/csv_record.h"
#include "form.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"t\",\"en\":\"t\",\"reasons\":\"why\",\n"
    "\"codes\":{\"why\":{\"refused\":{\"value\":1,\"zh\":\"r\",\"en\":\"r\"}},\n"
    " \"sex\":{\"1\":{\"zh\":\"m\",\"en\":\"m\"},\"2\":{\"zh\":\"f\",\"en\":\"f\"}}},\n"
    "\"entities\":{\"household\":{\"zh\":\"h\",\"en\":\"h\",\"items\":{\n"
    " \"H6\":{\"type\":\"int\",\"min\":1,\"zh\":\"s\",\"en\":\"s\"}}},\n"
    "\"person\":{\"rows\":5,\"zh\":\"p\",\"en\":\"p\",\"items\":{\n"
    " \"D1\":{\"type\":\"name\",\"zh\":\"n\",\"en\":\"n\"},\n"
    " \"D3\":{\"type\":\"citizen-id\",\"zh\":\"i\",\"en\":\"i\"},\n"
    " \"D5\":{\"type\":\"month\",\"zh\":\"b\",\"en\":\"b\"},\n"
    " \"D4\":{\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"x\",\"en\":\"x\"}}}}}";

/* A file in memory with these bytes; its path. */
static int file(const char **path, const char *entity, const uint8_t *p,
                size_t n, struct puan_arena *a)
{
    int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    *path = puan_arena_fmt(a, "%s=/proc/self/fd/%d", entity, fd);
    return fd;
}

static void walk(struct puan_csv_set *s, struct puan_arena *a)
{
    uint64_t households = 0, persons = 0;
    struct puan_csv_cursor *c = NULL;
    enum puan_status st = puan_csv_cursor_open(&c, s, NULL);

    for (size_t i = 0; st == PUAN_OK && i < puan_csv_set_chunks(s); i++) {
        struct puan_csv_return *r;
        size_t n = 0;

        st = puan_csv_cursor_chunk(&r, &n, c, i, a, NULL);
        for (size_t k = 0; st == PUAN_OK && k < n; k++) {
            households++;
            persons += r[k].record.rows[1].n;
        }
    }
    if (st == PUAN_OK && (households != puan_csv_set_rows(s, 0) ||
                          persons != puan_csv_set_rows(s, 1)))
        abort();
    puan_csv_cursor_close(c);
}

static const struct puan_form *the_form(void)
{
    return fuzz_form_of(FORM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_csv_options opt = { .chunk = 2 };
    struct puan_csv_set *s = NULL;
    struct puan_arena a;
    const char *path[2];
    size_t cut = 0;
    int fd[2];

    while (cut < size && data[cut] != 1)
        cut++;
    puan_arena_init(&a, &puan_heap);
    fd[0] = file(&path[0], "household", data, cut, &a);
    fd[1] = file(&path[1], "person", data + cut + (cut < size),
                 size - cut - (cut < size), &a);
    if (puan_csv_set_open(&s, the_form(), NULL, path, 2, &opt, NULL) == PUAN_OK)
        walk(s, &a);
    puan_csv_set_close(s);
    close(fd[0]);
    close(fd[1]);
    puan_arena_clear(&a);
    return 0;
}
