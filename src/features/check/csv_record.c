/*
 * Returns out of CSV files; see csv_record.h.  Never judges an answer and
 * never repairs one.
 */
#include "features/check/csv_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "kit/os/heap.h"

#define CHUNK 1024
#define VISIT PUAN_FORM_ENTITIES /* the slot of the file about interviews */
#define SLOTS (VISIT + 1)
#define KEY_MOST 999999999999999999 /* contract 13 */

struct entry { /* a row of an unsorted file */
    int64_t key;
    uint64_t at;
    uint32_t line;
};

struct file {
    struct puan_sheet *sheet; /* NULL: the entity has no file */
    char *path;
    int key_column;
    int *item; /* per column: item of the entity (of visits: which), or -1 */
    uint64_t rows;
    bool indexed;
    struct entry *entry; /* indexed: all rows by (key, line) */
    size_t n_entries, cap_entries;
};

struct chunk {
    int64_t first; /* lowest key */
    struct puan_sheet_mark mark[SLOTS]; /* sorted files */
    size_t entry[SLOTS];                /* indexed files */
};

struct puan_csv_set {
    const struct puan_form *form;
    const struct puan_routing *routing;
    struct puan_csv_options opt;
    struct file file[SLOTS];
    struct chunk *chunk;
    size_t n_chunks, cap_chunks;
    uint64_t bytes_before, bytes_all;
};

static enum puan_status no_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "csv", "out of memory");
}

/* Makes room for one more object; false when out of memory. */
static bool grow(void **list, size_t n, size_t *cap, size_t size)
{
    void *p;

    if (n < *cap)
        return true;
    p = realloc(*list, (*cap ? *cap * 2 : 1024) * size);
    if (!p)
        return false;
    *list = p;
    *cap = *cap ? *cap * 2 : 1024;
    return true;
}

static enum puan_status bad_cell(const struct file *f,
                                 const struct puan_csv *row, int column,
                                 struct puan_err *err, const char *what,
                                 struct puan_str cell)
{
    return puan_fail_at(err, PUAN_EINVAL, f->path, row->line,
                        (uint32_t)column + 1, "column %.*s: %s, found '%.*s'",
                        PUAN_FMT(row->header[column]), what,
                        (int)(cell.n > 40 ? 40 : cell.n), cell.p);
}

static enum puan_status key_of(int64_t *key, const struct file *f,
                               const struct puan_csv *row,
                               struct puan_err *err)
{
    struct puan_str cell = row->field[f->key_column];

    if (!puan_int_parse(key, cell) || *key <= 0 || *key > KEY_MOST)
        return bad_cell(f, row, f->key_column, err,
                        "expected a household key of up to 18 digits", cell);
    return PUAN_OK;
}

static int slot_by_name(const struct puan_form *form, const char *p, size_t n)
{
    struct puan_str name = { p, n };
    int e = puan_form_entity(form, name);

    return e < 0 && puan_str_is(name, "visit") ? VISIT : e;
}

/* Which slot a path is for, or -1; and the path without "ENTITY=". */
static int slot_of_path(const char **path, const struct puan_form *form)
{
    const char *eq = strchr(*path, '='), *base;
    int e;

    if (eq) {
        e = slot_by_name(form, *path, (size_t)(eq - *path));
        if (e >= 0) {
            *path = eq + 1;
            return e;
        }
    }
    base = strrchr(*path, '/');
    base = base ? base + 1 : *path;
    return slot_by_name(form, base, strcspn(base, "."));
}

/* What a slot's rows are, for messages. */
static struct puan_str slot_name(const struct puan_form *form, size_t e)
{
    return e == VISIT ? PUAN_STR("visit") : form->entity[e].name;
}

enum { VISIT_MODE, VISIT_STARTED, VISIT_FINISHED, VISIT_SIGNED, VISIT_DEVICE };

static int visit_column(struct puan_str name)
{
    static const char *const names[] = { "mode", "started", "finished",
                                         "signed", "device" };

    for (int i = 0; i < (int)PUAN_COUNT(names); i++)
        if (puan_str_is(name, names[i]))
            return i;
    return -1;
}

static int entity_of_columns(const struct puan_form *form,
                             const struct puan_csv *row)
{
    int found = -1;

    for (int e = 0; e < form->n_entities; e++) {
        bool all = true;

        for (size_t i = 0; i < row->n && all; i++)
            all = puan_str_is(row->header[i], "household") ||
                  puan_entity_item(&form->entity[e], row->header[i]) >= 0;
        if (all && found >= 0)
            return -1;
        if (all)
            found = e;
    }
    return found;
}

static enum puan_status bind_columns(struct file *f,
                                     const struct puan_csv_set *s, int e,
                                     struct puan_err *err)
{
    const struct puan_entity *entity = &s->form->entity[e == VISIT ? 0 : e];
    const struct puan_csv *row = puan_sheet_row(f->sheet);
    enum puan_status st = puan_sheet_need(&f->key_column, f->sheet,
                                          "household", err);

    if (st != PUAN_OK)
        return st;
    f->item = calloc(row->n ? row->n : 1, sizeof(*f->item));
    if (!f->item)
        return no_memory(err);
    for (size_t i = 0; i < row->n; i++) {
        if (e == VISIT) { /* who went there is nothing to rules */
            f->item[i] = visit_column(row->header[i]);
            continue;
        }
        f->item[i] = (int)i == f->key_column
                         ? -1
                         : puan_entity_item(entity, row->header[i]);
        if (f->item[i] >= entity->n_asked)
            f->item[i] = -1; /* a fact: computed here, never taken over */
        else if (f->item[i] >= 0 || (int)i == f->key_column)
            continue;
        if (!s->opt.ignore_unknown)
            return puan_fail_at(
                err, PUAN_EINVAL, f->path, 1, (uint32_t)i + 1,
                "column %.*s is no item of %.*s in form %.*s; rename it, or "
                "pass --ignore-unknown",
                PUAN_FMT(row->header[i]), PUAN_FMT(entity->name),
                PUAN_FMT(s->form->id));
    }
    return PUAN_OK;
}

static enum puan_status add_file(struct puan_csv_set *s, const char *path,
                                 struct puan_err *err)
{
    int e = slot_of_path(&path, s->form);
    struct puan_sheet *sheet = NULL;
    struct file *f;
    enum puan_status st = puan_sheet_open(&sheet, path, err);

    if (st != PUAN_OK)
        return st;
    if (e < 0)
        e = entity_of_columns(s->form, puan_sheet_row(sheet));
    if (e < 0 || s->file[e].sheet) {
        st = e < 0 ? puan_fail(err, PUAN_EINVAL, path,
                               "which entity of form %.*s is this? write "
                               "ENTITY=%s",
                               PUAN_FMT(s->form->id), path)
                   : puan_fail(err, PUAN_EINVAL, path,
                               "a second file for %.*s",
                               PUAN_FMT(slot_name(s->form, (size_t)e)));
        puan_sheet_close(sheet);
        return st;
    }
    f = &s->file[e];
    f->sheet = sheet;
    f->path = strdup(path);
    if (!f->path)
        return no_memory(err);
    s->bytes_all += puan_sheet_size(sheet);
    return bind_columns(f, s, e, err);
}

static void report(void *ctx, uint64_t done, uint64_t all)
{
    struct puan_csv_set *s = ctx;

    (void)all;
    s->opt.progress(s->opt.progress_ctx, s->bytes_before + done, s->bytes_all);
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static enum puan_status index_file(struct file *f, struct puan_sheet_mark start,
                                   struct puan_err *err)
{
    const struct puan_csv *row = puan_sheet_row(f->sheet);
    bool more = true;

    f->indexed = true;
    puan_sheet_seek(f->sheet, start);
    for (;;) {
        struct puan_sheet_mark m = puan_sheet_tell(f->sheet);
        int64_t key = 0;
        enum puan_status st = puan_sheet_next(&more, f->sheet, err);

        if (st != PUAN_OK || !more) {
            if (st == PUAN_OK && f->n_entries > 0)
                qsort(f->entry, f->n_entries, sizeof(*f->entry), by_key);
            return st;
        }
        st = key_of(&key, f, row, err);
        if (st != PUAN_OK)
            return st;
        if (!grow((void **)&f->entry, f->n_entries, &f->cap_entries,
                  sizeof(*f->entry)))
            return no_memory(err);
        f->entry[f->n_entries++] = (struct entry){ key, m.at, m.line };
    }
}

static enum puan_status twice(const struct file *f, int64_t key, uint32_t line,
                              struct puan_err *err)
{
    return puan_fail_at(err, PUAN_EINVAL, f->path, line, 0,
                        "household %lld stands twice; one row a household is "
                        "expected",
                        (long long)key);
}

static enum puan_status add_chunk(struct puan_csv_set *s, int64_t key,
                                  struct puan_err *err)
{
    if (!grow((void **)&s->chunk, s->n_chunks, &s->cap_chunks,
              sizeof(*s->chunk)))
        return no_memory(err);
    memset(&s->chunk[s->n_chunks], 0, sizeof(*s->chunk));
    s->chunk[s->n_chunks++].first = key;
    return PUAN_OK;
}

/* First pass over the household file: chunks, or an index and then chunks. */
static enum puan_status scan_households(struct puan_csv_set *s,
                                        struct puan_err *err)
{
    struct file *f = &s->file[0];
    const struct puan_csv *row = puan_sheet_row(f->sheet);
    struct puan_sheet_mark start = puan_sheet_tell(f->sheet);
    int64_t before = 0;
    bool more = true, sorted = true;
    enum puan_status st;

    for (;;) {
        struct puan_sheet_mark m = puan_sheet_tell(f->sheet);
        int64_t key = 0;

        st = puan_sheet_next(&more, f->sheet, err);
        if (st != PUAN_OK || !more)
            break;
        st = key_of(&key, f, row, err);
        if (st != PUAN_OK)
            return st;
        if (key == before)
            return twice(f, key, row->line, err);
        sorted = sorted && key > before;
        before = key;
        if (sorted && f->rows % s->opt.chunk == 0) {
            st = add_chunk(s, key, err);
            if (st != PUAN_OK)
                return st;
            s->chunk[s->n_chunks - 1].mark[0] = m;
        }
        f->rows++;
    }
    if (st != PUAN_OK || sorted)
        return st;
    s->n_chunks = 0;
    st = index_file(f, start, err);
    for (size_t i = 0; st == PUAN_OK && i < f->n_entries; i++) {
        if (i > 0 && f->entry[i].key == f->entry[i - 1].key)
            return twice(f, f->entry[i].key, f->entry[i].line + 1, err);
        if (i % s->opt.chunk == 0) {
            st = add_chunk(s, f->entry[i].key, err);
            if (st == PUAN_OK)
                s->chunk[s->n_chunks - 1].entry[0] = i;
        }
    }
    return st;
}

/* First pass over a roster file: where each chunk's rows begin. */
static enum puan_status scan_roster(struct puan_csv_set *s, size_t e,
                                    struct puan_err *err)
{
    struct file *f = &s->file[e];
    const struct puan_csv *row = puan_sheet_row(f->sheet);
    struct puan_sheet_mark start = puan_sheet_tell(f->sheet), m = start;
    int64_t before = 0;
    bool more = true, sorted = true;
    size_t c = 0, i = 0;
    enum puan_status st;

    for (;;) {
        int64_t key = 0;

        m = puan_sheet_tell(f->sheet);
        st = puan_sheet_next(&more, f->sheet, err);
        if (st != PUAN_OK || !more)
            break;
        st = key_of(&key, f, row, err);
        if (st != PUAN_OK)
            return st;
        sorted = sorted && key >= before;
        before = key;
        /* rows below the first household are chunk 0's, which refuses them */
        while (c < s->n_chunks && (c == 0 || key >= s->chunk[c].first))
            s->chunk[c++].mark[e] = m;
        f->rows++;
    }
    while (st == PUAN_OK && c < s->n_chunks)
        s->chunk[c++].mark[e] = m;
    if (st != PUAN_OK || sorted)
        return st;
    st = index_file(f, start, err);
    for (c = 0; st == PUAN_OK && c < s->n_chunks; c++) {
        while (c > 0 && i < f->n_entries && f->entry[i].key < s->chunk[c].first)
            i++;
        s->chunk[c].entry[e] = i;
    }
    return st;
}

static enum puan_status orphan(const struct file *f, const struct file *top,
                               int64_t key, uint32_t line,
                               struct puan_err *err)
{
    return puan_fail_at(err, PUAN_EINVAL, f->path, line, 0,
                        "household %lld is not in %s", (long long)key,
                        top->path);
}

static enum puan_status scan(struct puan_csv_set *s, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t e = 0; st == PUAN_OK && e < SLOTS; e++) {
        struct file *f = &s->file[e];

        if (!f->sheet)
            continue;
        if (s->opt.progress)
            puan_sheet_progress(f->sheet, report, s);
        st = e == 0 ? scan_households(s, err) : scan_roster(s, e, err);
        puan_sheet_progress(f->sheet, NULL, NULL);
        s->bytes_before += puan_sheet_size(f->sheet);
        if (st == PUAN_OK && e > 0 && s->n_chunks == 0 && f->rows > 0)
            st = puan_fail_at(err, PUAN_EINVAL, f->path, 2, 0,
                              "rows, but no household in %s", s->file[0].path);
    }
    return st;
}

enum puan_status puan_csv_set_open(struct puan_csv_set **out,
                                   const struct puan_form *form,
                                   const struct puan_routing *routing,
                                   const char *const *paths, size_t n_paths,
                                   const struct puan_csv_options *opt,
                                   struct puan_err *err)
{
    struct puan_csv_set *s = calloc(1, sizeof(*s));
    enum puan_status st = PUAN_OK;

    *out = NULL;
    if (!s)
        return no_memory(err);
    s->form = form;
    s->routing = routing;
    if (opt)
        s->opt = *opt;
    if (s->opt.chunk == 0)
        s->opt.chunk = CHUNK;
    for (size_t i = 0; st == PUAN_OK && i < n_paths; i++)
        st = add_file(s, paths[i], err);
    if (st == PUAN_OK && !s->file[0].sheet)
        st = puan_fail(err, PUAN_EINVAL, "csv", "no file for %.*s is given",
                       PUAN_FMT(form->entity[0].name));
    if (st == PUAN_OK)
        st = scan(s, err);
    if (st != PUAN_OK) {
        puan_csv_set_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

void puan_csv_set_close(struct puan_csv_set *s)
{
    if (!s)
        return;
    for (size_t e = 0; e < SLOTS; e++) {
        puan_sheet_close(s->file[e].sheet);
        free(s->file[e].path);
        free(s->file[e].item);
        free(s->file[e].entry);
    }
    free(s->chunk);
    free(s);
}

size_t puan_csv_set_chunks(const struct puan_csv_set *s)
{
    return s->n_chunks;
}

uint64_t puan_csv_set_rows(const struct puan_csv_set *s, size_t entity)
{
    return s->file[entity].rows;
}

const char *puan_csv_set_path(const struct puan_csv_set *s, size_t entity)
{
    return s->file[entity].path;
}

bool puan_csv_set_indexed(const struct puan_csv_set *s, size_t entity)
{
    return s->file[entity].indexed;
}

/* One file's walk through a chunk; holds the row it has read ahead. */
struct walk {
    struct puan_sheet *sheet;
    size_t entry; /* indexed: the next one */
    bool have;    /* a row is read ahead */
    int64_t key;
};

struct puan_csv_cursor {
    const struct puan_csv_set *set;
    struct walk walk[SLOTS];
};

enum puan_status puan_csv_cursor_open(struct puan_csv_cursor **out,
                                      const struct puan_csv_set *s,
                                      struct puan_err *err)
{
    struct puan_csv_cursor *c = calloc(1, sizeof(*c));
    enum puan_status st = PUAN_OK;

    *out = NULL;
    if (!c)
        return no_memory(err);
    c->set = s;
    for (size_t e = 0; st == PUAN_OK && e < SLOTS; e++)
        if (s->file[e].sheet)
            st = puan_sheet_clone(&c->walk[e].sheet, s->file[e].sheet, err);
    if (st != PUAN_OK) {
        puan_csv_cursor_close(c);
        return st;
    }
    *out = c;
    return PUAN_OK;
}

void puan_csv_cursor_close(struct puan_csv_cursor *c)
{
    if (!c)
        return;
    for (size_t e = 0; e < SLOTS; e++)
        puan_sheet_close(c->walk[e].sheet);
    free(c);
}

static enum puan_status advance(struct puan_csv_cursor *c, size_t e,
                                struct puan_err *err)
{
    const struct file *f = &c->set->file[e];
    struct walk *w = &c->walk[e];
    enum puan_status st;

    w->have = false;
    if (f->indexed) {
        if (w->entry == f->n_entries)
            return PUAN_OK;
        puan_sheet_seek(w->sheet,
                        (struct puan_sheet_mark){ f->entry[w->entry].at,
                                                  f->entry[w->entry].line });
        w->entry++;
    }
    st = puan_sheet_next(&w->have, w->sheet, err);
    if (st == PUAN_OK && w->have)
        st = key_of(&w->key, f, puan_sheet_row(w->sheet), err);
    return st;
}

/* A copy of the row read ahead that outlives it. */
static struct puan_str *keep_row(const struct walk *w, struct puan_arena *a)
{
    const struct puan_csv *row = puan_sheet_row(w->sheet);
    struct puan_str *copy = puan_new_n(a, row->n, struct puan_str);

    if (!copy)
        return NULL;
    for (size_t i = 0; i < row->n; i++) {
        struct puan_str v = row->field[i];

        if (v.p < row->src.p || v.p > row->src.p + row->src.n)
            v.p = puan_arena_dup(a, v); /* unquoted into passing memory */
        copy[i] = v;
    }
    return copy;
}

struct kept {
    struct puan_str *field;
    uint32_t line;
    struct kept *next;
};

static enum puan_status set_cell(struct puan_record *r, size_t e, uint32_t n,
                                 int item, struct puan_str cell,
                                 struct puan_err *err, const struct file *f,
                                 uint32_t line)
{
    const struct puan_entity *entity = &r->form->entity[e];
    const struct puan_item *it = &entity->items[item];
    struct puan_rows *rows = &r->rows[e];
    size_t at = (size_t)n * entity->n_items + (size_t)item;
    const struct puan_code *reason;

    if (cell.p[0] != '!') {
        puan_record_set(r, (uint16_t)e, n, (uint16_t)item, cell);
        return PUAN_OK;
    }
    rows->st[at] = PUAN_MISSING;
    rows->v[at] = 0;
    if (cell.n == 1)
        return PUAN_OK;
    reason = it->reasons
                 ? puan_code_by_text(it->reasons, (struct puan_str){
                                                      cell.p + 1, cell.n - 1 })
                 : NULL;
    if (!reason)
        return puan_fail_at(err, PUAN_EINVAL, f->path, line, 0,
                            "column %.*s: '%.*s' is none of the reasons of "
                            "this item",
                            PUAN_FMT(it->name),
                            (int)(cell.n > 40 ? 40 : cell.n), cell.p);
    rows->v[at] = reason->value;
    return PUAN_OK;
}

static enum puan_status fill_row(struct puan_csv_return *out, size_t e,
                                 uint32_t n, const struct kept *k,
                                 const struct puan_csv_cursor *c,
                                 struct puan_err *err)
{
    const struct file *f = &c->set->file[e];
    size_t columns = puan_sheet_row(c->walk[e].sheet)->n;
    enum puan_status st = PUAN_OK;

    out->line[e][n] = k->line;
    for (size_t i = 0; st == PUAN_OK && i < columns; i++)
        if (f->item[i] >= 0 && k->field[i].n > 0)
            st = set_cell(&out->record, e, n, f->item[i], k->field[i], err, f,
                          k->line);
    return st;
}

/* Takes the rows of `key` off entity e's file. */
static enum puan_status collect(struct kept **first, uint32_t *n,
                                struct puan_csv_cursor *c, size_t e,
                                int64_t key, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_csv_set *s = c->set;
    uint32_t most = e == VISIT ? 1 : s->form->entity[e].max_rows;
    struct walk *w = &c->walk[e];
    struct kept **end = first;

    while (w->have && w->key <= key) {
        const struct puan_csv *row = puan_sheet_row(w->sheet);
        struct kept *k;
        enum puan_status st;

        if (w->key < key)
            return orphan(&s->file[e], &s->file[0], w->key, row->line, err);
        if (e > 0 && *n == most)
            return puan_fail_at(err, PUAN_EINVAL, s->file[e].path, row->line, 0,
                                "household %lld has more than %u rows of %.*s",
                                (long long)key, most,
                                PUAN_FMT(slot_name(s->form, e)));
        k = puan_new(a, struct kept);
        if (!k || !(k->field = keep_row(w, a)))
            return no_memory(err);
        k->line = row->line;
        *end = k;
        end = &k->next;
        ++*n;
        st = advance(c, e, err);
        if (st != PUAN_OK)
            return st;
        if (e == 0)
            break;
    }
    return PUAN_OK;
}

/* The head of the document that this interview would have sent. */
static enum puan_status fill_visit(struct puan_csv_return *out,
                                   const struct kept *k,
                                   const struct puan_csv_cursor *c,
                                   struct puan_err *err)
{
    const struct file *f = &c->set->file[VISIT];
    const struct puan_csv *row = puan_sheet_row(c->walk[VISIT].sheet);
    struct puan_return_head head = { .household = out->household };

    for (size_t i = 0; i < row->n; i++) {
        struct puan_str v = k->field[i];
        bool ok = true;

        if (v.n == 0)
            continue;
        switch (f->item[i]) {
        case VISIT_MODE:
            head.mode = v;
            break;
        case VISIT_STARTED:
            ok = puan_instant_parse(&head.started_ms, v);
            break;
        case VISIT_FINISHED:
            ok = puan_instant_parse(&head.finished_ms, v);
            break;
        case VISIT_SIGNED:
            head.is_signed = puan_str_is(v, "true");
            ok = head.is_signed || puan_str_is(v, "false");
            break;
        case VISIT_DEVICE:
            head.device = v;
            break;
        default:
            break;
        }
        if (!ok)
            return puan_fail_at(err, PUAN_EINVAL, f->path, k->line,
                                (uint32_t)i + 1,
                                "column %.*s: expected %s, found '%.*s'",
                                PUAN_FMT(row->header[i]),
                                f->item[i] == VISIT_SIGNED
                                    ? "true or false"
                                    : "a time such as "
                                      "2020-11-03T09:05:00+08:00",
                                (int)(v.n > 40 ? 40 : v.n), v.p);
    }
    puan_record_head(&out->record, &head);
    return PUAN_OK;
}

static enum puan_status one_household(struct puan_csv_return *out,
                                      struct puan_csv_cursor *c,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_csv_set *s = c->set;
    const struct puan_form *form = s->form;
    struct kept *rows[SLOTS] = { 0 };
    uint32_t n[SLOTS] = { 0 };
    enum puan_status st = PUAN_OK;

    out->household = c->walk[0].key;
    for (size_t e = 0; st == PUAN_OK && e < SLOTS; e++)
        st = collect(&rows[e], &n[e], c, e, out->household, a, err);
    if (st == PUAN_OK)
        st = puan_record_new(&out->record, form, n, a, err);
    for (size_t e = 0; st == PUAN_OK && e < form->n_entities; e++) {
        uint32_t i = 0;

        out->line[e] = puan_new_n(a, n[e], uint32_t);
        if (!out->line[e])
            return no_memory(err);
        for (const struct kept *k = rows[e]; st == PUAN_OK && k; k = k->next)
            st = fill_row(out, e, i++, k, c, err);
    }
    if (st != PUAN_OK)
        return st;
    puan_record_key(&out->record, out->household);
    if (rows[VISIT])
        st = fill_visit(out, rows[VISIT], c, err);
    if (st != PUAN_OK)
        return st;
    puan_record_facts(&out->record);
    if (s->routing)
        puan_routing_apply(s->routing, &out->record);
    return PUAN_OK;
}

enum puan_status puan_csv_cursor_chunk(struct puan_csv_return **list, size_t *n,
                                       struct puan_csv_cursor *c, size_t chunk,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    const struct puan_csv_set *s = c->set;
    const struct chunk *at = &s->chunk[chunk];
    bool last = chunk + 1 == s->n_chunks;
    int64_t end = last ? INT64_MAX : s->chunk[chunk + 1].first;
    enum puan_status st = PUAN_OK;

    *n = 0;
    *list = puan_new_n(a, s->opt.chunk, struct puan_csv_return);
    if (!*list)
        return no_memory(err);
    for (size_t e = 0; st == PUAN_OK && e < SLOTS; e++) {
        if (!c->walk[e].sheet)
            continue;
        c->walk[e].entry = at->entry[e];
        if (!s->file[e].indexed)
            puan_sheet_seek(c->walk[e].sheet, at->mark[e]);
        st = advance(c, e, err);
    }
    while (st == PUAN_OK && c->walk[0].have && c->walk[0].key < end) {
        if (*n == s->opt.chunk)
            return puan_fail(err, PUAN_EBUG, "csv", "chunk overflows");
        st = one_household(&(*list)[*n], c, a, err);
        ++*n;
    }
    /* rows behind the chunk's last household that belong to none */
    for (size_t e = 1; st == PUAN_OK && e < SLOTS; e++)
        if (c->walk[e].have && (c->walk[e].key < end || last))
            st = orphan(&s->file[e], &s->file[0], c->walk[e].key,
                        puan_sheet_row(c->walk[e].sheet)->line, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}
