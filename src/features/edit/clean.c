/*
 * Files with changes in them: rows are read again, and those that changes name
 * by their line are written with the new values.
 */
#include "features/edit/clean.h"

#include <stdlib.h>
#include <string.h>

#include "features/frame/frames.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

struct change {
    uint32_t line;
    uint16_t entity, item;
    bool ask; /* the cell stays */
    const char *was, *now, *how;
};

struct puan_clean {
    struct puan_arena arena; /* texts */
    struct change *list;
    size_t n, cap;
};

enum puan_status puan_clean_open(struct puan_clean **out, struct puan_err *err)
{
    struct puan_clean *c = calloc(1, sizeof(*c));

    if (!c)
        return puan_fail(err, PUAN_ENOMEM, "clean", "out of memory");
    puan_arena_init(&c->arena, &puan_heap);
    *out = c;
    return PUAN_OK;
}

void puan_clean_close(struct puan_clean *c)
{
    if (!c)
        return;
    puan_arena_clear(&c->arena);
    free(c->list);
    free(c);
}

static const char *said(const struct puan_item *it, uint8_t st, int64_t v,
                        struct puan_arena *a)
{
    return st == PUAN_GIVEN ? puan_item_text(it, v, a) : "";
}

enum puan_status puan_clean_unit(struct puan_clean *c,
                                 const struct puan_edit_return *r,
                                 const struct puan_localised *got,
                                 const struct puan_imputed *imputed,
                                 struct puan_err *err)
{
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *x = &got->change[i];
        const struct puan_entity *e = &r->record.form->entity[x->at.entity];
        const struct puan_item *it = &e->items[x->at.item];
        const struct puan_rows *rows = &r->record.rows[x->at.entity];
        size_t at = (size_t)x->at.row * e->n_items + x->at.item;

        if (it->fact_of >= 0)
            continue;
        if (c->n == c->cap) {
            size_t cap = c->cap ? c->cap * 2 : 256;
            struct change *l = realloc(c->list, cap * sizeof(*l));

            if (!l)
                return puan_fail(err, PUAN_ENOMEM, "clean", "out of memory");
            c->list = l;
            c->cap = cap;
        }
        c->list[c->n++] = (struct change){
            .line = r->line[x->at.entity][x->at.row],
            .entity = x->at.entity,
            .item = x->at.item,
            .ask = imputed->method[i] == PUAN_IMPUTE_ASK,
            .was = said(it, rows->st[at], rows->v[at], &c->arena),
            .now = said(it, (uint8_t)x->state, x->value, &c->arena),
            .how = puan_impute_name(imputed->method[i]),
        };
    }
    return puan_arena_check(&c->arena, err);
}

/* ---- writing ---- */

static int by_line(const void *x, const void *y)
{
    const struct change *a = x, *b = y;

    if (a->entity != b->entity)
        return a->entity < b->entity ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

struct files {
    const struct puan_form *form;
    const struct change *list;
    size_t n;
    const char *dir;
    uint32_t row; /* rows of the files before, where rows are counted */
    struct puan_arena *a;
};

/* Column of each item of an entity, by name or alias; -1: none. */
static int *columns(const struct files *f, const struct puan_csv *csv,
                    uint16_t entity, struct puan_err *err)
{
    const struct puan_entity *e = &f->form->entity[entity];
    int *column = puan_new_n(f->a, e->n_items, int);

    if (!column) {
        puan_fail(err, PUAN_ENOMEM, "clean", "out of memory");
        return NULL;
    }
    for (uint16_t i = 0; i < e->n_items; i++)
        column[i] = -1;
    for (size_t k = 0; k < csv->n; k++) {
        int i = puan_entity_item(e, puan_str_trim(csv->header[k]));

        if (i >= 0)
            column[i] = (int)k;
    }
    return column;
}

static bool is_there(struct puan_str field, const char *was)
{
    struct puan_str s = puan_str_trim(field);

    /* a reason or an answer that could not be read is no value */
    return was[0] == '\0' || puan_str_eq(s, puan_str_of(was));
}

/* One row with its changes; *next is the first of them or of a later row. */
static enum puan_status put_row(struct puan_sheet_out *to,
                                const struct files *f,
                                const struct puan_csv *csv, const int *column,
                                uint16_t entity, uint32_t line, size_t *next,
                                struct puan_err *err)
{
    size_t from = *next, end = from;
    struct puan_out note;

    while (end < f->n && f->list[end].entity == entity &&
           f->list[end].line == line)
        end++;
    for (size_t k = 0; k < csv->n; k++) {
        struct puan_str field = csv->field[k];

        for (size_t i = from; i < end; i++) {
            const struct change *x = &f->list[i];

            if (column[x->item] != (int)k || x->ask)
                continue;
            if (!is_there(field, x->was))
                return puan_fail_at(
                    err, PUAN_EINVAL, csv->file, csv->line, (uint32_t)k + 1,
                    "the row is not the one that was edited: households do not "
                    "stand together in the file; sort it by what names a "
                    "household, or make it a frame first");
            field = puan_str_of(x->now);
        }
        puan_sheet_put(to, field);
    }
    puan_out_init(&note, f->a);
    for (size_t i = from; i < end; i++)
        puan_out_fmt(
            &note, "%s%.*s:%s", i > from ? " " : "",
            PUAN_FMT(f->form->entity[entity].items[f->list[i].item].name),
            f->list[i].how);
    puan_sheet_put(to, puan_out_view(&note));
    puan_sheet_end_row(to);
    *next = end;
    return puan_arena_check(f->a, err);
}

static enum puan_status copy_rows(struct puan_sheet_out *to, struct files *f,
                                  struct puan_sheet *from,
                                  const struct puan_edit_file *file,
                                  size_t *next, struct puan_err *err)
{
    const struct puan_csv *csv = puan_sheet_row(from);
    struct puan_arena row;
    struct files one = *f;
    enum puan_status st = PUAN_OK;
    bool more = true;
    int *column = columns(f, csv, file->entity, err);

    if (!column)
        return PUAN_ENOMEM;
    for (size_t k = 0; k < csv->n; k++)
        puan_sheet_put(to, csv->header[k]);
    puan_sheet_put_text(to, "edited");
    puan_sheet_end_row(to);
    puan_arena_init(&row, &puan_heap);
    one.a = &row;
    while (st == PUAN_OK) {
        st = puan_sheet_next(&more, from, err);
        if (st != PUAN_OK || !more)
            break;
        f->row++;
        puan_arena_reset(&row);
        st = put_row(to, &one, csv, column, file->entity,
                     file->by_row ? f->row : csv->line, next, err);
    }
    puan_arena_clear(&row);
    return st;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Is the file in that very folder? */
static bool in_folder(const char *path, const char *dir)
{
    char *a = realpath(path, NULL), *b = realpath(dir, NULL);
    bool same = false;

    if (a && b) {
        char *slash = strrchr(a, '/');

        if (slash && slash != a)
            *slash = '\0';
        same = strcmp(a, b) == 0;
    }
    free(a);
    free(b);
    return same;
}

static enum puan_status one_file(struct files *f,
                                 const struct puan_edit_file *file,
                                 size_t *next, struct puan_err *err)
{
    const char *path =
        puan_arena_fmt(f->a, "%s/%s", f->dir, base_name(file->path));
    struct puan_sheet *from = NULL;
    struct puan_sheet_out *to = NULL;
    enum puan_status st;

    if (in_folder(file->path, f->dir))
        return puan_fail(err, PUAN_EDENIED, f->dir,
                         "%s lies there: the data are never written over, name "
                         "another folder",
                         file->path);
    if (file->by_row && puan_frames_is(file->path))
        return puan_fail(err, PUAN_EINVAL, file->path,
                         "a frame file cannot be written as CSV here: edit the "
                         "CSV it was made from");
    st = puan_sheet_open(&from, file->path, err);
    if (st == PUAN_OK)
        st = puan_sheet_create(&to, path, err);
    if (st == PUAN_OK)
        st = copy_rows(to, f, from, file, next, err);
    if (st == PUAN_OK)
        st = puan_sheet_finish(to, err);
    else
        puan_sheet_abandon(to);
    puan_sheet_close(from);
    return st;
}

enum puan_status puan_clean_write(const char *dir,
                                  const struct puan_edit_source *s,
                                  struct puan_clean *const *list, size_t n,
                                  struct puan_err *err)
{
    struct puan_edit_file file[PUAN_EDIT_FILES];
    size_t files = puan_edit_source_files(s, file), all = 0;
    struct puan_arena a;
    struct files f = { .form = puan_edit_source_of(s), .dir = dir, .a = &a };
    struct change *merged;
    enum puan_status st = puan_dir_make(dir, err);

    if (st != PUAN_OK)
        return st;

    for (size_t i = 0; i < n; i++)
        all += list[i]->n;
    merged = malloc((all + 1) * sizeof(*merged));
    if (!merged)
        return puan_fail(err, PUAN_ENOMEM, "clean", "out of memory");
    for (size_t i = 0; i < n; i++) {
        if (list[i]->n)
            memcpy(merged + f.n, list[i]->list, list[i]->n * sizeof(*merged));
        f.n += list[i]->n;
    }
    qsort(merged, f.n, sizeof(*merged), by_line);
    f.list = merged;
    puan_arena_init(&a, &puan_heap);
    for (size_t i = 0; st == PUAN_OK && i < files; i++) {
        size_t next = 0;

        if (!file[i].by_row)
            f.row = 0;
        while (next < f.n && (merged[next].entity < file[i].entity ||
                              (merged[next].entity == file[i].entity &&
                               file[i].by_row && merged[next].line <= f.row)))
            next++;
        st = one_file(&f, &file[i], &next, err);
    }
    puan_arena_clear(&a);
    free(merged);
    return st;
}
