/*
 * Imports: read twice, written once.  The first reading finds every fault
 * before anything is written and keeps nothing but the keys; the second runs
 * inside the act, so that a file of a million rows needs no second copy in
 * memory.  The same file for the same store is known by its digest and does
 * nothing again.
 */
#include "features/campaign/internal.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/certificates/certificates.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "kit/os/os.h"

struct file_columns {
    const char *const *name; /* NULL-ended; a leading '?' is optional */
    const char *verb;
};

static const char *const area_columns[] = {
    "code",  "parent",      "level",     "name_zh",    "name_en",
    "?kind", "?valid_from", "?valid_to", "?successor", NULL
};
static const char *const listing_columns[] = { "household", "ea",
                                               "?building", "?unit",
                                               "?status",   "?mode",
                                               "?head_name", "?phone",
                                               "?address",  NULL };
static const char *const staff_columns[] = {
    "staff", "role", "name", "phone", "area", "?device", "?certificate", NULL
};
static const char *const register_columns[] = {
    "id_number", "name", "sex", "birth", "ea", "?district", "?status", NULL
};
static const char *const assignment_columns[] = { "ea", "staff", NULL };

static const struct file_columns files[] = {
    [PUAN_IMPORT_AREAS] = { area_columns, "import.areas" },
    [PUAN_IMPORT_LISTING] = { listing_columns, "import.listing" },
    [PUAN_IMPORT_STAFF] = { staff_columns, "import.staff" },
    [PUAN_IMPORT_REGISTER] = { register_columns, "import.register" },
    [PUAN_IMPORT_ASSIGNMENT] = { assignment_columns, "import.assignment" },
};

#define COLUMNS_MAX 9

struct import {
    struct puan_store *store;
    enum puan_import_kind kind;
    struct puan_str csv;
    const char *file;
    bool dry_run;
    struct puan_import_result *out;
    const struct puan_act *who;
    struct puan_arena arena, row; /* header; one row */
    int64_t *key;                 /* listing: households; in file order */
    size_t n, cap;
    int64_t base; /* household keys of an area */
};

struct reader {
    struct puan_csv csv;
    int at[COLUMNS_MAX];
    size_t n_columns;
};

static struct puan_str cell(const struct reader *r, size_t column)
{
    return r->at[column] < 0 ? (struct puan_str){ 0 }
                             : r->csv.field[r->at[column]];
}

static enum puan_status open_file(struct reader *r, struct import *im,
                                  struct puan_err *err)
{
    const char *const *name = files[im->kind].name;
    enum puan_status st;

    puan_arena_reset(&im->row);
    st = puan_csv_open(&r->csv, im->csv, im->file, &im->arena, &im->row, err);
    for (r->n_columns = 0; st == PUAN_OK && name[r->n_columns];
         r->n_columns++) {
        const char *n = name[r->n_columns];
        bool optional = *n == '?';

        r->at[r->n_columns] = puan_csv_column(&r->csv, n + optional);
        if (r->at[r->n_columns] < 0 && !optional)
            st = puan_fail_at(err, PUAN_EINVAL, im->file, 1, 0,
                              "column %s is missing", n);
    }
    return st;
}

int puan_import_kind_of(struct puan_str csv)
{
    struct puan_arena a, row;
    struct puan_csv c;
    struct puan_err err = { 0 };
    int found = -1;

    puan_arena_init(&a, puan_os_alloc());
    puan_arena_init(&row, puan_os_alloc());
    if (puan_csv_open(&c, csv, "", &a, &row, &err) == PUAN_OK)
        for (int k = 0; k < (int)PUAN_COUNT(files) && found < 0; k++) {
            bool fits = true;

            for (const char *const *n = files[k].name; *n; n++)
                fits = fits && (**n == '?' || puan_csv_column(&c, *n) >= 0);
            if (fits)
                found = k;
        }
    puan_arena_clear(&a);
    puan_arena_clear(&row);
    return found;
}

static enum puan_status bad(struct import *im, const struct reader *r,
                            const char *column, const char *what,
                            struct puan_err *err)
{
    return puan_fail_at(err, PUAN_EINVAL, im->file, r->csv.line, 0, "%s: %s",
                        column, what);
}

static enum puan_status keep_key(struct import *im, int64_t key,
                                 struct puan_err *err)
{
    if (im->n == im->cap) {
        size_t cap = im->cap ? im->cap * 2 : 4096;
        int64_t *grown = realloc(im->key, cap * sizeof(*grown));

        if (!grown)
            return puan_fail(err, PUAN_ENOMEM, im->file, "out of memory");
        im->key = grown;
        im->cap = cap;
    }
    im->key[im->n++] = key;
    return PUAN_OK;
}

static int by_key(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The keys are in file order when it ascends; else a sorted copy tells. */
static enum puan_status keys_differ(struct import *im, const char *column,
                                    struct puan_err *err)
{
    bool ascending = true;
    enum puan_status st = PUAN_OK;

    for (size_t i = 1; i < im->n && ascending; i++)
        ascending = im->key[i - 1] < im->key[i];
    if (ascending)
        return PUAN_OK;
    qsort(im->key, im->n, sizeof(*im->key), by_key);
    for (size_t i = 1; i < im->n && st == PUAN_OK; i++)
        if (im->key[i - 1] == im->key[i])
            st = puan_fail(err, PUAN_EINVAL, im->file,
                           "%s %lld stands twice; leave one row", column,
                           (long long)im->key[i]);
    return st;
}

/* ---- what a row must be ------------------------------------------------------ */

static bool is_ea(struct import *im, int64_t code)
{
    const struct puan_area_tree *t = puan_store_areas(im->store);
    uint32_t i = puan_area_find(t, code);

    return i != PUAN_AREA_NONE && t->area[i].level + 1u == t->n_levels;
}

static enum puan_status check_listing(struct import *im, struct reader *r,
                                      struct puan_err *err)
{
    struct puan_str mode = cell(r, 5);
    int64_t household, ea;

    if (!puan_int_parse(&household, cell(r, 0)) || household <= 0)
        return bad(im, r, "household", "not a household key", err);
    if (!puan_int_parse(&ea, cell(r, 1)) || ea != household / im->base)
        return bad(im, r, "ea", "not the area the household key begins with",
                   err);
    if (!is_ea(im, ea))
        return bad(im, r, "ea",
                   "no such enumeration area; import the areas first", err);
    if (mode.n && !puan_str_is(mode, "enumerator") &&
        !puan_str_is(mode, "self") &&
        !puan_plan_channel(puan_store_plan(im->store), mode))
        return bad(im, r, "mode",
                   "neither enumerator nor self, nor a channel of the plan",
                   err);
    return keep_key(im, household, err);
}

static enum puan_status check_staff(struct import *im, struct reader *r,
                                    struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(im->store);
    struct puan_str staff = cell(r, 0);
    int64_t area;

    if (staff.n == 0 || staff.n > 60)
        return bad(im, r, "staff", "give 1 to 60 characters", err);
    if (!puan_plan_role(puan_store_plan(im->store), cell(r, 1)))
        return bad(im, r, "role", "the plan has no such role", err);
    if (!puan_int_parse(&area, cell(r, 4)) ||
        puan_area_find(t, area) == PUAN_AREA_NONE)
        return bad(im, r, "area", "no such area; import the areas first", err);
    if (cell(r, 6).n > 0) {
        struct puan_err why = { 0 };

        if (puan_certificate_check(puan_store_plan(im->store), cell(r, 6),
                                   &why) != PUAN_OK)
            return bad(im, r, "certificate", why.text, err);
    }
    return PUAN_OK;
}

static enum puan_status check_register(struct import *im, struct reader *r,
                                       struct puan_err *err)
{
    int64_t area, sex;

    if (cell(r, 0).n == 0 || cell(r, 0).n > 40)
        return bad(im, r, "id_number", "give 1 to 40 characters", err);
    if (cell(r, 2).n && !puan_plan_word(&sex, puan_store_plan(im->store),
                                        "sex", cell(r, 2)))
        return bad(im, r, "sex", "no code of the plan's list 'sex'", err);
    if (!puan_int_parse(&area, cell(r, 4).n ? cell(r, 4) : cell(r, 5)) ||
        !puan_store_shard_of_area(im->store, area))
        return bad(im, r, "ea", "in no county of this campaign", err);
    return PUAN_OK;
}

static enum puan_status check_assignment(struct import *im, struct reader *r,
                                         struct puan_err *err)
{
    int64_t ea;

    if (!puan_int_parse(&ea, cell(r, 0)) || !is_ea(im, ea))
        return bad(im, r, "ea", "no such enumeration area", err);
    if (cell(r, 1).n == 0 || cell(r, 1).n > 60)
        return bad(im, r, "staff", "give 1 to 60 characters", err);
    return keep_key(im, ea, err);
}

static enum puan_status check_rows(struct import *im, struct puan_err *err)
{
    struct reader r = { 0 };
    bool more = true;
    enum puan_status st = open_file(&r, im, err);

    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &r.csv, err);
        if (st != PUAN_OK || !more)
            break;
        im->out->rows++;
        switch (im->kind) {
        case PUAN_IMPORT_LISTING:
            st = check_listing(im, &r, err);
            break;
        case PUAN_IMPORT_STAFF:
            st = check_staff(im, &r, err);
            break;
        case PUAN_IMPORT_REGISTER:
            st = check_register(im, &r, err);
            break;
        case PUAN_IMPORT_ASSIGNMENT:
            st = check_assignment(im, &r, err);
            break;
        case PUAN_IMPORT_AREAS:
            break;
        }
    }
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_LISTING)
        st = keys_differ(im, "household", err);
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_ASSIGNMENT)
        st = keys_differ(im, "ea", err);
    return st;
}

/* ---- areas: the whole tree must hold together ---------------------------------- */

static enum puan_status check_areas(struct import *im, struct puan_err *err)
{
    const struct puan_area_tree *now = puan_store_areas(im->store);
    struct puan_area_tree *next = NULL;
    struct puan_area_row *rows;
    struct reader r = { 0 };
    struct puan_arena a;
    size_t n = 0, cap = now->n + 1;
    bool more = true;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = open_file(&r, im, err);
    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &r.csv, err);
        if (st != PUAN_OK || !more)
            break;
        cap++;
    }
    rows = puan_new_n(&a, cap, struct puan_area_row);
    if (st == PUAN_OK)
        st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st = open_file(&r, im, err);
    while (st == PUAN_OK) {
        struct puan_str *to[] = { &rows[n].code,       &rows[n].parent,
                                  &rows[n].level,      &rows[n].zh,
                                  &rows[n].en,         &rows[n].kind,
                                  &rows[n].valid_from, &rows[n].valid_to,
                                  &rows[n].successor };

        st = puan_csv_next(&more, &r.csv, err);
        if (st != PUAN_OK || !more)
            break;
        for (size_t c = 0; c < PUAN_COUNT(to); c++) {
            struct puan_str v = cell(&r, c);

            *to[c] = (struct puan_str){ puan_arena_dup(&a, v), v.n };
        }
        rows[n].line = r.csv.line;
        n++;
    }
    im->out->rows = n;
    /* those there already, unless the file brings them again */
    if (st == PUAN_OK && now->n > 0) {
        struct puan_area_tree *own = NULL;

        st = puan_area_build(&own, now->level, now->n_levels,
                             now->household_digits, rows, n, im->file, &a,
                             NULL);
        for (uint32_t i = 0; i < now->n; i++) {
            bool again = false;

            if (st == PUAN_OK)
                again = puan_area_find(own, now->area[i].code) !=
                        PUAN_AREA_NONE;
            else
                for (size_t k = 0; k < n && !again; k++)
                    again = puan_str_eq(rows[k].code, now->area[i].digits);
            if (again)
                continue;
            rows[n] = (struct puan_area_row){
                .code = now->area[i].digits,
                .parent = now->area[i].parent == PUAN_AREA_NONE
                              ? (struct puan_str){ 0 }
                              : now->area[now->area[i].parent].digits,
                .level = now->level[now->area[i].level].name,
                .zh = now->area[i].zh,
                .en = now->area[i].en,
                .kind = puan_str_of(puan_area_kind_name(
                    (enum puan_area_kind)now->area[i].kind)),
            };
            n++;
        }
        st = PUAN_OK;
    }
    if (st == PUAN_OK)
        st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st = puan_area_build(&next, now->level, now->n_levels,
                             now->household_digits, rows, n, im->file, &a,
                             err);
    puan_arena_clear(&a);
    return st;
}

/* ---- writing ---------------------------------------------------------------------- */

struct writing {
    struct import *im;
    struct puan_shard *sh;
    const struct puan_seal_key *key;
    uint64_t rows, added, changed;
    int64_t next; /* register: its numbers */
};

static enum puan_status seal_texts(struct puan_str *out, struct writing *w,
                                   const char *table, struct puan_str row,
                                   const struct puan_str *text, size_t n,
                                   struct puan_err *err)
{
    struct puan_arena *a = &w->im->row;
    struct puan_out plain, sealed;
    struct puan_str aad;
    bool any = false;
    enum puan_status st;

    puan_out_init(&plain, a);
    for (size_t i = 0; i < n; i++) {
        any = any || text[i].n > 0;
        puan_out_varint(&plain, text[i].n);
        puan_out_str(&plain, text[i]);
    }
    *out = (struct puan_str){ "", 0 };
    if (!any)
        return PUAN_OK;
    aad = puan_seal_aad(a, puan_shard_area(w->sh), table, "sealed",
                        w->key->version, row);
    puan_out_init(&sealed, a);
    st = puan_seal(&sealed, w->key, aad, puan_out_view(&plain), err);
    *out = puan_out_view(&sealed);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status run_counted(struct puan_stmt *s, struct writing *w,
                                    struct puan_err *err)
{
    enum puan_status st = puan_stmt_run(s, err);

    if (st == PUAN_OK)
        w->rows++;
    puan_stmt_done(s);
    return st;
}

static enum puan_status write_area(struct writing *w, struct reader *r,
                                   struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_str kind = cell(r, 5);
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO area(code, parent, level, name_zh, name_en,"
                  " kind, valid_from, valid_to, successor)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                  " ON CONFLICT(code) DO UPDATE SET parent = excluded.parent,"
                  " level = excluded.level, name_zh = excluded.name_zh,"
                  " name_en = excluded.name_en, kind = excluded.kind,"
                  " valid_from = excluded.valid_from,"
                  " valid_to = excluded.valid_to,"
                  " successor = excluded.successor",
                  err);
    if (st != PUAN_OK)
        return st;
    for (int c = 0; c < 9; c++)
        puan_bind_text(s, c + 1, cell(r, (size_t)c));
    puan_bind_text(s, 6, kind.n ? kind : PUAN_STR("ordinary"));
    return run_counted(s, w, err);
}

/* The columns the roll has besides, as one JSON map. */
static struct puan_str other_cells(struct import *im, const struct reader *r)
{
    struct puan_out o;
    struct puan_jw j;

    puan_out_init(&o, &im->row);
    puan_jw_init(&j, &o);
    puan_jw_map(&j);
    for (size_t i = 0; i < r->csv.n; i++) {
        bool known = false;

        for (size_t c = 0; c < r->n_columns && !known; c++)
            known = r->at[c] == (int)i;
        if (known || r->csv.field[i].n == 0)
            continue;
        puan_jw_key_s(&j, r->csv.header[i]);
        puan_jw_str(&j, r->csv.field[i]);
    }
    puan_jw_end(&j, '}');
    return puan_out_view(&o);
}

static enum puan_status write_listing(struct writing *w, struct reader *r,
                                      struct puan_db *db, struct puan_err *err)
{
    struct puan_str text[3] = { cell(r, 6), cell(r, 7), cell(r, 8) };
    struct puan_str sealed, cells, status = cell(r, 4), mode = cell(r, 5);
    struct puan_stmt *s = NULL;
    int64_t household;
    enum puan_status st;

    if (!puan_int_parse(&household, cell(r, 0)) ||
        puan_store_shard_of_household(w->im->store, household) != w->sh)
        return PUAN_OK; /* another store's */
    st = seal_texts(&sealed, w, "listing", cell(r, 0), text, 3, err);
    cells = other_cells(w->im, r);
    if (st == PUAN_OK)
        st = puan_arena_check(&w->im->row, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO listing(household, ea, building, unit,"
                      " status, mode, sealed, cells)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                      " ON CONFLICT(household) DO UPDATE SET"
                      " building = excluded.building, unit = excluded.unit,"
                      " status = excluded.status, mode = excluded.mode,"
                      " sealed = excluded.sealed, cells = excluded.cells",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, household);
    puan_bind_int(s, 2, household / w->im->base);
    puan_bind_text(s, 3, cell(r, 2));
    puan_bind_text(s, 4, cell(r, 3));
    puan_bind_text(s, 5, status.n ? status : PUAN_STR("ordinary"));
    puan_bind_text(s, 6, mode.n ? mode : PUAN_STR("enumerator"));
    puan_bind_bytes(s, 7, sealed.p, sealed.n);
    puan_bind_text(s, 8, cells);
    return run_counted(s, w, err);
}

static enum puan_status write_staff(struct writing *w, struct reader *r,
                                    struct puan_db *db, struct puan_act *act,
                                    struct puan_err *err)
{
    struct puan_str text[2] = { cell(r, 2), cell(r, 3) }, sealed;
    struct puan_stmt *s = NULL;
    int64_t area = 0;
    enum puan_status st;

    if (!puan_int_parse(&area, cell(r, 4)))
        return PUAN_EBUG;
    st = seal_texts(&sealed, w, "staff", cell(r, 0), text, 2, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO staff(staff, role, area, device,"
                      " certificate, sealed) VALUES ($1, $2, $3, $4, $5, $6)"
                      " ON CONFLICT(staff) DO UPDATE SET role = excluded.role,"
                      " area = excluded.area, device = excluded.device,"
                      " certificate = excluded.certificate,"
                      " sealed = excluded.sealed",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, cell(r, 0));
    puan_bind_text(s, 2, cell(r, 1));
    puan_bind_int(s, 3, area);
    puan_bind_text(s, 4, cell(r, 5));
    puan_bind_text(s, 5, cell(r, 6));
    puan_bind_bytes(s, 6, sealed.p, sealed.n);
    st = run_counted(s, w, err);
    if (st == PUAN_OK && cell(r, 6).n > 0) {
        struct puan_certificate c = { cell(r, 6), cell(r, 0), cell(r, 1),
                                      cell(r, 2), area };

        st = puan_certificate_put(w->sh, db, act, w->key, &c, &w->im->row, err);
    }
    return st;
}

static enum puan_status write_register(struct writing *w, struct reader *r,
                                       struct puan_db *db,
                                       struct puan_err *err)
{
    struct puan_str text[2] = { cell(r, 0), cell(r, 1) }, sealed;
    struct puan_keys *keys = puan_store_keys(w->im->store);
    struct puan_stmt *s = NULL;
    uint8_t token[16];
    int64_t area = 0, ea = 0, district = 0, sex = 0;
    char row[24], id[24];
    enum puan_status st;

    (void)!puan_int_parse(&area, cell(r, 4).n ? cell(r, 4) : cell(r, 5));
    if (puan_store_shard_of_area(w->im->store, area) != w->sh)
        return PUAN_OK; /* another store's */
    /* A new extract replaces the old one, in the stores it has rows for: it
     * says nothing of the others. */
    st = w->next == 1 ? puan_db_exec(db, "DELETE FROM register;", err)
                      : PUAN_OK;
    if (st != PUAN_OK)
        return st;
    (void)!puan_int_parse(&ea, cell(r, 4));
    (void)!puan_int_parse(&district, cell(r, 5));
    (void)!puan_plan_word(&sex, puan_store_plan(w->im->store), "sex",
                          cell(r, 2));
    puan_format(row, sizeof(row), "%lld", (long long)w->next);
    st = seal_texts(&sealed, w, "register", puan_str_of(row), text, 2, err);
    if (st != PUAN_OK)
        return st;
    puan_id_normal(id, sizeof(id), cell(r, 0));
    puan_keys_token_of(token, keys, puan_str_of(puan_store_id(w->im->store)),
                       "id", puan_str_of(id));
    st = puan_sql(&s, db,
                  "INSERT INTO register(seq, token, ea, district, sex, birth,"
                  " status, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, w->next++);
    puan_bind_bytes(s, 2, token, sizeof(token));
    puan_bind_int(s, 3, ea);
    puan_bind_int(s, 4, district);
    puan_bind_int(s, 5, sex);
    puan_bind_text(s, 6, cell(r, 3));
    puan_bind_text(s, 7, cell(r, 6));
    puan_bind_bytes(s, 8, sealed.p, sealed.n);
    return run_counted(s, w, err);
}

static enum puan_status put_assignment(struct writing *w, struct puan_db *db,
                                       int64_t ea, struct puan_str staff,
                                       bool keep, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    if (puan_store_shard_of_area(w->im->store, ea) != w->sh)
        return PUAN_OK;
    if (keep)
        st = puan_sql(&s, db,
                      "INSERT INTO assignment(ea, staff) VALUES ($1, $2)"
                      " ON CONFLICT(ea) DO NOTHING",
                      err);
    else
        st = puan_sql(&s, db,
                      "INSERT INTO assignment(ea, staff) VALUES ($1, $2)"
                      " ON CONFLICT(ea) DO UPDATE SET staff = excluded.staff",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, ea);
    puan_bind_text(s, 2, staff);
    return run_counted(s, w, err);
}

/* Was this very file taken by this store before? */
static enum puan_status known_file(bool *known, struct writing *w,
                                   struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT digest FROM import WHERE kind = $1"
                  " ORDER BY id DESC LIMIT 1",
                  err);
    if (st != PUAN_OK)
        return st;
    *known = false;
    puan_bind_text(s, 1, puan_str_of(files[w->im->kind].verb));
    st = puan_stmt_step(known, s, err);
    if (st == PUAN_OK && *known) {
        struct puan_str d = puan_col_bytes(s, 0);

        *known = d.n == PUAN_DIGEST_SIZE &&
                 memcmp(d.p, w->im->out->digest, d.n) == 0;
    }
    puan_stmt_done(s);
    return st;
}

/* What the file wrote, as the entry of this act will cover it. */
static enum puan_status cover_rows(struct writing *w, struct puan_db *db,
                                   struct puan_act *act, struct puan_err *err)
{
    static const int table[] = {
        [PUAN_IMPORT_AREAS] = PUAN_COVER_AREA,
        [PUAN_IMPORT_LISTING] = PUAN_COVER_LISTING,
        [PUAN_IMPORT_STAFF] = PUAN_COVER_STAFF,
        [PUAN_IMPORT_REGISTER] = PUAN_COVER_REGISTER,
        [PUAN_IMPORT_ASSIGNMENT] = PUAN_COVER_ASSIGNMENT,
    };

    return puan_ledger_cover(w->sh, db, act,
                             &puan_campaign_covered[table[w->im->kind]],
                             (struct puan_str){ 0 }, err);
}

static enum puan_status note_import(struct writing *w, struct puan_db *db,
                                    struct puan_act *act,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    char key[24];
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO import(id, kind, file, digest, rows, at)"
                  " VALUES ($1, $2, $3, $4, $5, $6)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)act->seq);
    puan_bind_text(s, 2, puan_str_of(files[w->im->kind].verb));
    puan_bind_text(s, 3, puan_str_of(w->im->file));
    puan_bind_bytes(s, 4, w->im->out->digest, PUAN_DIGEST_SIZE);
    puan_bind_int(s, 5, (int64_t)w->rows);
    puan_bind_int(s, 6, act->entry_ms);
    TRY(puan_stmt_once(s, err));
    puan_format(key, sizeof(key), "%llu", (unsigned long long)act->seq);
    puan_out_init(&o, &w->im->row);
    puan_content_text(&o, puan_str_of(files[w->im->kind].verb));
    puan_content_text(&o, puan_str_of(w->im->file));
    puan_content_bytes(&o,
                       (struct puan_str){ (const char *)w->im->out->digest,
                                          PUAN_DIGEST_SIZE });
    puan_content_int(&o, (int64_t)w->rows);
    puan_content_int(&o, act->entry_ms);
    st = puan_arena_check(&w->im->row, err);
    if (st == PUAN_OK)
        st = puan_cover(w->sh, db, act, "import", puan_str_of(key),
                        puan_out_view(&o), err);
    return st;
}

static enum puan_status import_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct writing *w = arg;
    struct import *im = w->im;
    struct reader r = { 0 };
    bool more = true, known = false;
    enum puan_status st;

    (void)sh;
    w->rows = 0;
    w->next = 1;
    st = known_file(&known, w, db, err);
    if (st != PUAN_OK || known) {
        act->silent = true;
        return st;
    }
    st = open_file(&r, im, err);
    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &r.csv, err);
        if (st != PUAN_OK || !more)
            break;
        switch (im->kind) {
        case PUAN_IMPORT_AREAS:
            st = write_area(w, &r, db, err);
            break;
        case PUAN_IMPORT_LISTING:
            st = write_listing(w, &r, db, err);
            break;
        case PUAN_IMPORT_STAFF:
            st = write_staff(w, &r, db, act, err);
            break;
        case PUAN_IMPORT_REGISTER:
            st = write_register(w, &r, db, err);
            break;
        case PUAN_IMPORT_ASSIGNMENT: {
            int64_t ea = 0;

            (void)!puan_int_parse(&ea, cell(&r, 0));
            st = put_assignment(w, db, ea, cell(&r, 1), false, err);
            break;
        }
        }
    }
    if (st == PUAN_OK && w->rows == 0) {
        act->silent = true;
        return PUAN_OK;
    }
    if (st == PUAN_OK)
        st = note_import(w, db, act, err);
    if (st == PUAN_OK)
        st = cover_rows(w, db, act, err);
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_STAFF)
        st = puan_certificates_cover(w->sh, db, act, err);
    return st;
}

/* An area of the last level named by a staff row gets that person, if it has
   nobody yet: the first row of an area is its main enumerator. */
static enum puan_status assign_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct writing *w = arg;
    struct reader r = { 0 };
    bool more = true;
    uint64_t changed = 0;
    enum puan_status st = open_file(&r, w->im, err);

    (void)sh;
    w->rows = 0;
    while (st == PUAN_OK) {
        int64_t ea = 0;

        st = puan_csv_next(&more, &r.csv, err);
        if (st != PUAN_OK || !more)
            break;
        (void)!puan_int_parse(&ea, cell(&r, 4));
        if (is_ea(w->im, ea))
            st = put_assignment(w, db, ea, cell(&r, 0), true, err);
        changed += w->rows;
    }
    act->silent = changed == 0;
    if (st == PUAN_OK && !act->silent)
        st = puan_ledger_cover(w->sh, db, act,
                               &puan_campaign_covered[PUAN_COVER_ASSIGNMENT],
                               (struct puan_str){ 0 }, err);
    return st;
}

static enum puan_status write_store(struct import *im, struct puan_shard *sh,
                                    puan_act_fn body, const char *verb,
                                    struct puan_err *err)
{
    struct writing w = { .im = im, .sh = sh };
    const char *purpose = im->kind == PUAN_IMPORT_STAFF ? "staff" : "vault";
    struct puan_act act = *im->who;
    char note[64];
    enum puan_status st;

    st = puan_keys_data_make(&w.key, puan_store_keys(im->store),
                             puan_shard_area(sh), purpose, err);
    if (st != PUAN_OK)
        return st;
    puan_format(note, sizeof(note), "rows %llu",
                (unsigned long long)im->out->rows);
    act.verb = puan_str_of(verb);
    act.subject = puan_str_of(im->file);
    act.note = puan_str_of(note);
    act.has_new = true;
    memcpy(act.new_digest, im->out->digest, PUAN_DIGEST_SIZE);
    st = puan_commit(sh, &act, body, &w, err);
    if (st == PUAN_OK && body == import_body)
        im->out->written += w.rows;
    return st;
}

static enum puan_status write_all(struct import *im, struct puan_err *err)
{
    const char *verb = files[im->kind].verb;
    size_t n = puan_store_shards(im->store);
    enum puan_status st = PUAN_OK;

    if (im->kind == PUAN_IMPORT_AREAS || im->kind == PUAN_IMPORT_STAFF)
        st = write_store(im, puan_store_office(im->store), import_body, verb,
                         err);
    else
        for (size_t i = 1; i < n && st == PUAN_OK; i++)
            st = write_store(im, puan_store_shard(im->store, i), import_body,
                             verb, err);
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_STAFF)
        for (size_t i = 1; i < n && st == PUAN_OK; i++)
            st = write_store(im, puan_store_shard(im->store, i), assign_body,
                             "assign", err);
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_AREAS)
        st = puan_store_areas_changed(im->store, err);
    if (im->kind != PUAN_IMPORT_LISTING)
        return st;
    if (im->n > 0)
        qsort(im->key, im->n, sizeof(*im->key), by_key);
    for (size_t i = 0, k; i < im->n && st == PUAN_OK; i = k) {
        struct puan_shard *sh =
            puan_store_shard_of_household(im->store, im->key[i]);

        for (k = i + 1;
             k < im->n &&
             puan_store_shard_of_household(im->store, im->key[k]) == sh;
             k++)
            ;
        st = puan_ret_listed(sh, im->key + i, k - i, err);
    }
    return st;
}

enum puan_status puan_import(struct puan_import_result *out,
                             struct puan_store *store,
                             enum puan_import_kind kind, struct puan_str csv,
                             const char *file, bool dry_run,
                             const struct puan_act *act, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct import im = { .store = store, .kind = kind, .csv = csv,
                         .file = file,   .dry_run = dry_run, .out = out,
                         .who = act,     .base = 1 };
    enum puan_status st;

    memset(out, 0, sizeof(*out));
    out->kind = kind;
    for (unsigned i = 0; i < plan->household_digits; i++)
        im.base *= 10;
    puan_arena_init(&im.arena, puan_os_alloc());
    puan_arena_init(&im.row, puan_os_alloc());
    puan_digest_one(out->digest, puan_store_digest(store), csv);
    st = kind == PUAN_IMPORT_AREAS ? check_areas(&im, err)
                                   : check_rows(&im, err);
    if (st == PUAN_OK && !dry_run)
        st = write_all(&im, err);
    free(im.key);
    puan_arena_clear(&im.arena);
    puan_arena_clear(&im.row);
    return st;
}

const char *puan_import_name(enum puan_import_kind kind)
{
    return files[kind].verb + 7; /* behind "import." */
}
