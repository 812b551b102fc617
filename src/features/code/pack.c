/*
 * The coding folder of a pack, read from disk.
 */
#include <stdlib.h>

#include "features/code/code.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define FILE_BYTES ((size_t)64 << 20)

struct puan_coding {
    struct puan_arena arena;
    struct puan_coder *coder;
    struct puan_coder_source from[3];
};

static enum puan_status source(struct puan_coder_source *out, const char *dir,
                               const char *name, bool needed,
                               struct puan_arena *a, struct puan_err *err)
{
    out->name = puan_arena_fmt(a, "%s/%s.txt", dir, name);
    out->text = (struct puan_str){ "", 0 };
    if (!puan_file_exists(out->name)) {
        if (!needed)
            return PUAN_OK;
        return puan_fail(err, PUAN_ENOTFOUND, out->name,
                         "no such list; --of is industry, occupation or the "
                         "name of a .txt file in the pack's folder coding");
    }
    return puan_file_read(&out->text, out->name, FILE_BYTES, a, err);
}

/* The folder with the files: of a pack, or the path itself. */
static enum puan_status folder(const char **dir, const char *pack,
                               const char *what, struct puan_arena *a,
                               struct puan_err *err)
{
    const char *root = NULL;
    enum puan_status st;

    *dir = pack;
    if (puan_file_exists(puan_arena_fmt(a, "%s/%s.txt", pack, what)))
        return PUAN_OK;
    st = puan_plan_find(&root, pack, a, err);
    if (st == PUAN_OK)
        *dir = puan_arena_fmt(a, "%s/coding", root);
    return st;
}

enum puan_status puan_coding_open(struct puan_coding **out, const char *pack,
                                  const char *what, struct puan_err *err)
{
    struct puan_coding *c = calloc(1, sizeof(*c));
    const char *dir = "";
    enum puan_status st;

    *out = NULL;
    if (!c)
        return puan_fail(err, PUAN_ENOMEM, "coding", "out of memory");
    puan_arena_init(&c->arena, &puan_heap);
    st = folder(&dir, pack, what, &c->arena, err);
    if (st == PUAN_OK)
        st = source(&c->from[0], dir, what, true, &c->arena, err);
    if (st == PUAN_OK)
        st = source(&c->from[1], dir, "words", false, &c->arena, err);
    if (st == PUAN_OK)
        st = source(&c->from[2], dir, "traditional", false, &c->arena, err);
    if (st == PUAN_OK)
        st = puan_coder_build(&c->coder, c->from[0], c->from[1], c->from[2],
                              &c->arena, err);
    if (st != PUAN_OK) {
        puan_coding_close(c);
        return st;
    }
    *out = c;
    return PUAN_OK;
}

void puan_coding_close(struct puan_coding *c)
{
    if (!c)
        return;
    puan_arena_clear(&c->arena);
    free(c);
}

const struct puan_coder *puan_coding_coder(const struct puan_coding *c)
{
    return c->coder;
}

const struct puan_coder_source *puan_coding_sources(const struct puan_coding *c)
{
    return c->from;
}

struct puan_str puan_coding_code(const struct puan_coder *c, uint32_t node,
                                 unsigned digits)
{
    struct puan_str code = puan_coder_node(c, node)->code;

    if (digits && code.n > digits)
        code.n = digits;
    return code;
}

const char *puan_coding_state(enum puan_coder_state s)
{
    switch (s) {
    case PUAN_CODED:
        return "coded";
    case PUAN_CODE_EMPTY:
        return "empty";
    case PUAN_CODE_VAGUE:
        return "vague";
    case PUAN_CODE_UNKNOWN:
        break;
    }
    return "unknown";
}
