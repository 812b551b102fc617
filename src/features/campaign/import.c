/*
 * Imports: every row of a file is looked at before the first is written; see
 * campaign.h.
 */
#include "features/campaign/campaign.h"

#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

#define COLUMNS 24

/* What a kind of file has; the first `needed` columns must be there. */
static const struct shape {
    const char *name;
    const char *column[14];
    size_t n, needed;
} shapes[] = {
    [PUAN_IMPORT_AREAS] = { "areas",
                            { "code", "parent", "level", "name_zh", "name_en",
                              "kind", "valid_from", "valid_to", "successor" },
                            9,
                            5 },
    [PUAN_IMPORT_LISTING] = { "listing",
                              { "household", "ea", "building", "unit",
                                "status", "mode", "head_name", "phone",
                                "address" },
                              9,
                              6 },
    [PUAN_IMPORT_STAFF] = { "staff",
                            { "staff", "role", "name", "phone", "area",
                              "device", "certificate" },
                            7,
                            5 },
    [PUAN_IMPORT_REGISTER] = { "register",
                               { "id_number", "name", "sex", "birth", "ea",
                                 "district", "status" },
                               7,
                               5 },
    [PUAN_IMPORT_ASSIGNMENT] = { "assignment", { "ea", "staff" }, 2, 2 },
};

const char *puan_import_name(enum puan_import_kind kind)
{
    return shapes[kind].name;
}

static bool has_columns(const struct puan_csv *c, const struct shape *s)
{
    for (size_t i = 0; i < s->needed; i++)
        if (puan_csv_column(c, s->column[i]) < 0)
            return false;
    return true;
}

int puan_import_kind_of(struct puan_str csv)
{
    /* the most telling header first: assignments are part of other files */
    static const enum puan_import_kind order[] = {
        PUAN_IMPORT_LISTING, PUAN_IMPORT_STAFF, PUAN_IMPORT_REGISTER,
        PUAN_IMPORT_AREAS, PUAN_IMPORT_ASSIGNMENT
    };
    struct puan_arena a, row;
    struct puan_csv c;
    int kind = -1;

    puan_arena_init(&a, puan_os_alloc());
    puan_arena_init(&row, puan_os_alloc());
    if (puan_csv_open(&c, csv, "", &a, &row, NULL) == PUAN_OK)
        for (size_t i = 0; kind < 0 && i < PUAN_COUNT(order); i++)
            if (has_columns(&c, &shapes[order[i]]))
                kind = (int)order[i];
    puan_arena_clear(&row);
    puan_arena_clear(&a);
    return kind;
}

/* ---- one import --------------------------------------------------------------- */

struct import {
    enum puan_import_kind kind;
    struct puan_store *store;
    const struct puan_area_tree *tree;
    struct puan_import_result *result;
    struct puan_str csv;
    const char *file;
    struct puan_arena a, row;
    int col[COLUMNS];
    /* keys seen, for repeats; (key, line) */
    struct seen {
        int64_t key;
        uint32_t line;
    } *seen;
    size_t n_seen, cap_seen;
    struct puan_shard *shard; /* rows of this one are written now */
    int64_t *added;           /* household keys of that shard */
    size_t n_added, cap_added;
};

static enum puan_status bad(const struct puan_csv *c, struct puan_err *err,
                            const char *column, struct puan_str value,
                            const char *what)
{
    return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                        "%s '%.*s' %s", column,
                        (int)(value.n > 60 ? 60 : value.n), value.p, what);
}

static struct puan_str cell(const struct import *im, const struct puan_csv *c,
                            size_t i)
{
    return im->col[i] < 0 ? PUAN_STR("") : c->field[im->col[i]];
}

static enum puan_status open_csv(struct import *im, struct puan_csv *c,
                                 struct puan_err *err)
{
    const struct shape *s = &shapes[im->kind];
    enum puan_status st =
        puan_csv_open(c, im->csv, im->file, &im->a, &im->row, err);

    for (size_t i = 0; st == PUAN_OK && i < s->n; i++) {
        im->col[i] = puan_csv_column(c, s->column[i]);
        if (im->col[i] < 0 && i < s->needed)
            st = puan_fail_at(err, PUAN_EINVAL, im->file, 1, 0,
                              "a file of %s needs a column '%s'", s->name,
                              s->column[i]);
    }
    return st;
}

/* An area code of the tree, at the innermost level when `ea`. */
static enum puan_status area_cell(int64_t *code, const struct import *im,
                                  const struct puan_csv *c, size_t i, bool ea,
                                  struct puan_err *err)
{
    struct puan_str s = cell(im, c, i);
    const char *name = shapes[im->kind].column[i];
    uint32_t at;

    if (!puan_int_parse(code, s))
        return bad(c, err, name, s, "is not an area code");
    at = puan_area_find(im->tree, *code);
    if (at == PUAN_AREA_NONE)
        return bad(c, err, name, s,
                   "is not in the area tree; import the areas first");
    if (ea && im->tree->area[at].level != im->tree->n_levels - 1)
        return bad(c, err, name, s, "is not an enumeration area");
    return PUAN_OK;
}

static enum puan_status remember(struct import *im, int64_t key, uint32_t line,
                                 struct puan_err *err)
{
    if (im->n_seen == im->cap_seen) {
        size_t cap = im->cap_seen ? im->cap_seen * 2 : 4096;
        struct seen *p = realloc(im->seen, cap * sizeof(*p));

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, im->file, "out of memory");
        im->seen = p;
        im->cap_seen = cap;
    }
    im->seen[im->n_seen++] = (struct seen){ key, line };
    return PUAN_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static enum puan_status no_repeats(struct import *im, struct puan_err *err)
{
    if (im->n_seen)
        qsort(im->seen, im->n_seen, sizeof(*im->seen), by_key);
    for (size_t i = 1; i < im->n_seen; i++)
        if (im->seen[i].key == im->seen[i - 1].key)
            return puan_fail_at(err, PUAN_EINVAL, im->file, im->seen[i].line,
                                0, "%lld stands already in line %u",
                                (long long)im->seen[i].key,
                                im->seen[i - 1].line);
    return PUAN_OK;
}

/* What one row must be, by kind. */
static enum puan_status look_at(struct import *im, const struct puan_csv *c,
                                struct puan_err *err)
{
    int64_t key = 0, area = 0;
    struct puan_str s;
    enum puan_status st = PUAN_OK;

    switch (im->kind) {
    case PUAN_IMPORT_AREAS:
        return PUAN_OK; /* the tree is built as a whole */
    case PUAN_IMPORT_LISTING:
        st = area_cell(&area, im, c, 1, true, err);
        if (st != PUAN_OK)
            return st;
        s = cell(im, c, 0);
        if (!puan_int_parse(&key, s) ||
            key / im->tree->household_base != area)
            return bad(c, err, "household", s,
                       "is not a key of its enumeration area");
        return remember(im, key, c->line, err);
    case PUAN_IMPORT_STAFF:
        s = cell(im, c, 0);
        if (s.n == 0 || s.n > 60)
            return bad(c, err, "staff", s, "must have 1 to 60 characters");
        s = cell(im, c, 1);
        if (puan_plan_role(puan_store_plan(im->store), s) == NULL)
            return bad(c, err, "role", s, "is no role of the plan");
        return area_cell(&area, im, c, 4, false, err);
    case PUAN_IMPORT_REGISTER:
        return area_cell(&area, im, c, 4, true, err);
    case PUAN_IMPORT_ASSIGNMENT:
        st = area_cell(&area, im, c, 0, true, err);
        return st == PUAN_OK ? remember(im, area, c->line, err) : st;
    }
    return PUAN_EBUG;
}

static enum puan_status look(struct import *im, struct puan_err *err)
{
    struct puan_csv c;
    enum puan_status st = open_csv(im, &c, err);
    bool more = true;

    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        st = look_at(im, &c, err);
        im->result->rows++;
    }
    return st == PUAN_OK ? no_repeats(im, err) : st;
}

/* ---- writing -------------------------------------------------------------------- */

static enum puan_status seal_texts(struct puan_out *out, const struct import *im,
                                   const struct puan_seal_key *key,
                                   int64_t county, const char *table,
                                   struct puan_str row,
                                   const struct puan_str *text, size_t n,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_out plain;

    (void)im;
    puan_out_init(&plain, a);
    for (size_t i = 0; i < n; i++) {
        puan_out_varint(&plain, text[i].n);
        puan_out_str(&plain, text[i]);
    }
    puan_out_init(out, a);
    return puan_seal(out, key,
                     puan_seal_aad(a, county, table, "sealed", key->version,
                                   row),
                     puan_out_view(&plain), err);
}

static enum puan_status run_counted(struct puan_stmt *s, struct import *im,
                                    struct puan_err *err)
{
    enum puan_status st = puan_stmt_run(s, err);

    if (st == PUAN_OK) {
        if (puan_stmt_changes(s) > 0)
            im->result->added++;
        else
            im->result->same++;
    }
    puan_stmt_done(s);
    return st;
}

/* The columns a roll has besides those we know, as JSON. */
static void other_cells(struct puan_out *o, const struct import *im,
                        const struct puan_csv *c)
{
    struct puan_jw w;

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    for (size_t i = 0; i < c->n; i++) {
        bool known = false;

        for (size_t k = 0; k < shapes[im->kind].n; k++)
            known |= im->col[k] == (int)i;
        if (!known && c->field[i].n)
            puan_jw_kstr(&w, puan_arena_dup(o->arena, c->header[i]),
                         c->field[i]);
    }
    puan_jw_end(&w, '}');
}

static enum puan_status put_listing(struct import *im, struct puan_db *db,
                                    const struct puan_csv *c,
                                    const struct puan_seal_key *key,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_str texts[] = { cell(im, c, 6), cell(im, c, 7),
                                      cell(im, c, 8) };
    int64_t household = 0, ea = 0;
    struct puan_out sealed, cells;
    struct puan_stmt *s;
    enum puan_status st;

    if (!puan_int_parse(&household, cell(im, c, 0)) ||
        !puan_int_parse(&ea, cell(im, c, 1)))
        return PUAN_EBUG;
    st = seal_texts(&sealed, im, key, puan_shard_area(im->shard), "listing",
                    cell(im, c, 0), texts, 3, a, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&cells, a);
    other_cells(&cells, im, c);
    st = puan_sql(&s, db,
                  "INSERT INTO listing(household, ea, building, unit, status,"
                  " mode, sealed, cells) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)"
                  " ON CONFLICT(household) DO UPDATE SET"
                  " building = excluded.building, unit = excluded.unit,"
                  " status = excluded.status, mode = excluded.mode,"
                  " sealed = excluded.sealed, cells = excluded.cells",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, household);
    puan_bind_int(s, 2, ea);
    for (size_t i = 2; i < 6; i++)
        puan_bind_text(s, (int)i + 1, cell(im, c, i));
    puan_bind_bytes(s, 7, sealed.p, sealed.n);
    puan_bind_text(s, 8, puan_out_view(&cells));
    if (im->n_added == im->cap_added) {
        size_t cap = im->cap_added ? im->cap_added * 2 : 4096;
        int64_t *p = realloc(im->added, cap * sizeof(*p));

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, im->file, "out of memory");
        im->added = p;
        im->cap_added = cap;
    }
    im->added[im->n_added++] = household;
    return run_counted(s, im, err);
}

static enum puan_status put_assignment(struct import *im, struct puan_db *db,
                                       int64_t ea, struct puan_str staff,
                                       bool replace, struct puan_err *err)
{
    static const char keep[] = "INSERT INTO assignment(ea, staff)"
                               " VALUES ($1,$2) ON CONFLICT(ea) DO NOTHING";
    static const char set[] = "INSERT INTO assignment(ea, staff)"
                              " VALUES ($1,$2) ON CONFLICT(ea) DO UPDATE SET"
                              " staff = excluded.staff";
    struct puan_stmt *s;
    enum puan_status st = puan_sql(&s, db, replace ? set : keep, err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, ea);
    puan_bind_text(s, 2, staff);
    return run_counted(s, im, err);
}

static enum puan_status put_staff(struct import *im, struct puan_db *db,
                                  const struct puan_csv *c,
                                  const struct puan_seal_key *key,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_str texts[] = { cell(im, c, 2), cell(im, c, 3) };
    struct puan_out sealed;
    struct puan_stmt *s;
    int64_t area = 0;
    enum puan_status st;

    if (!puan_int_parse(&area, cell(im, c, 4)))
        return PUAN_EBUG;
    st = seal_texts(&sealed, im, key, 0, "staff", cell(im, c, 0), texts, 2, a,
                    err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO staff(staff, role, area, device,"
                      " certificate, sealed) VALUES ($1,$2,$3,$4,$5,$6)"
                      " ON CONFLICT(staff) DO UPDATE SET role = excluded.role,"
                      " area = excluded.area, device = excluded.device,"
                      " certificate = excluded.certificate,"
                      " sealed = excluded.sealed",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, cell(im, c, 0));
    puan_bind_text(s, 2, cell(im, c, 1));
    puan_bind_int(s, 3, area);
    puan_bind_text(s, 4, cell(im, c, 5));
    puan_bind_text(s, 5, cell(im, c, 6));
    puan_bind_bytes(s, 6, sealed.p, sealed.n);
    return run_counted(s, im, err);
}

static enum puan_status put_register(struct import *im, struct puan_db *db,
                                     const struct puan_csv *c,
                                     const struct puan_seal_key *key,
                                     struct puan_arena *a, struct puan_err *err)
{
    const struct puan_str texts[] = { cell(im, c, 0), cell(im, c, 1),
                                      cell(im, c, 2), cell(im, c, 3) };
    const struct puan_keys *keys = puan_store_keys(im->store);
    char hex[33];
    uint8_t token[16];
    struct puan_out sealed;
    struct puan_stmt *s;
    int64_t ea = 0;
    enum puan_status st;

    if (!puan_int_parse(&ea, cell(im, c, 4)))
        return PUAN_EBUG;
    puan_keys_token_of(token, keys, puan_str_of(puan_store_id(im->store)), "id",
                       cell(im, c, 0));
    puan_hex(hex, token, 16);
    st = seal_texts(&sealed, im, key, puan_shard_area(im->shard), "register",
                    puan_str_of(hex), texts, 4, a, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO register(token, ea, status, sealed)"
                      " VALUES ($1,$2,$3,$4) ON CONFLICT(token) DO UPDATE SET"
                      " ea = excluded.ea, status = excluded.status,"
                      " sealed = excluded.sealed",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_bytes(s, 1, token, 16);
    puan_bind_int(s, 2, ea);
    puan_bind_text(s, 3, cell(im, c, 6));
    puan_bind_bytes(s, 4, sealed.p, sealed.n);
    return run_counted(s, im, err);
}

static enum puan_status put_area(struct import *im, struct puan_db *db,
                                 const struct puan_csv *c, struct puan_err *err)
{
    struct puan_stmt *s;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO area(code, parent, level, name_zh, name_en,"
                  " kind, valid_from, valid_to, successor)"
                  " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)"
                  " ON CONFLICT(code) DO UPDATE SET name_zh = excluded.name_zh,"
                  " name_en = excluded.name_en, kind = excluded.kind,"
                  " valid_from = excluded.valid_from,"
                  " valid_to = excluded.valid_to,"
                  " successor = excluded.successor",
                  err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < 9; i++)
        puan_bind_text(s, (int)i + 1, cell(im, c, i));
    return run_counted(s, im, err);
}

/* The area a row belongs to decides its store; 0 is the office store. */
static int64_t area_of_row(const struct import *im, const struct puan_csv *c)
{
    static const int place[] = { [PUAN_IMPORT_AREAS] = -1,
                                 [PUAN_IMPORT_LISTING] = 1,
                                 [PUAN_IMPORT_STAFF] = -1,
                                 [PUAN_IMPORT_REGISTER] = 4,
                                 [PUAN_IMPORT_ASSIGNMENT] = 0 };
    int64_t code = 0;

    if (place[im->kind] < 0 ||
        !puan_int_parse(&code, cell(im, c, (size_t)place[im->kind])))
        return 0;
    return code;
}

static enum puan_status put_row(struct import *im, struct puan_db *db,
                                const struct puan_csv *c,
                                const struct puan_seal_key *key,
                                struct puan_arena *a, struct puan_err *err)
{
    int64_t ea = 0;

    switch (im->kind) {
    case PUAN_IMPORT_AREAS:
        return put_area(im, db, c, err);
    case PUAN_IMPORT_LISTING:
        return put_listing(im, db, c, key, a, err);
    case PUAN_IMPORT_STAFF:
        return put_staff(im, db, c, key, a, err);
    case PUAN_IMPORT_REGISTER:
        return put_register(im, db, c, key, a, err);
    case PUAN_IMPORT_ASSIGNMENT:
        (void)!puan_int_parse(&ea, cell(im, c, 0));
        return put_assignment(im, db, ea, cell(im, c, 1), true, err);
    }
    return PUAN_EBUG;
}

/* Has this very file been imported into this store? */
static enum puan_status known(bool *out, struct puan_db *db,
                              const struct import *im, struct puan_err *err)
{
    struct puan_stmt *s;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT 1 FROM import WHERE kind = $1 AND digest = $2", err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, puan_str_of(shapes[im->kind].name));
    puan_bind_bytes(s, 2, im->result->digest, PUAN_DIGEST_SIZE);
    st = puan_stmt_step(out, s, err);
    puan_stmt_done(s);
    return st;
}

static enum puan_status note_import(struct puan_db *db, const struct import *im,
                                    const struct puan_act *act, uint64_t rows,
                                    struct puan_err *err)
{
    struct puan_stmt *s;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO import(seq, kind, digest, rows, made)"
                  " VALUES ($1,$2,$3,$4,$5)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)act->seq);
    puan_bind_text(s, 2, puan_str_of(shapes[im->kind].name));
    puan_bind_bytes(s, 3, im->result->digest, PUAN_DIGEST_SIZE);
    puan_bind_int(s, 4, (int64_t)rows);
    puan_bind_int(s, 5, act->entry_ms);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

/* The rows of one store, in one act. */
static enum puan_status write_store(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct import *im = arg;
    const struct puan_seal_key *key = NULL;
    struct puan_csv c;
    struct puan_arena a;
    uint64_t rows = 0;
    bool more = true, again;
    enum puan_status st = known(&again, db, im, err);

    puan_arena_init(&a, puan_os_alloc());
    if (st == PUAN_OK && again) {
        act->silent = true;
        return PUAN_OK;
    }
    if (st == PUAN_OK)
        st = puan_keys_data_make(&key, puan_store_keys(im->store),
                                 puan_shard_area(sh), "vault", err);
    puan_arena_reset(&im->a);
    if (st == PUAN_OK)
        st = open_csv(im, &c, err);
    while (st == PUAN_OK) {
        int64_t area;

        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        area = area_of_row(im, &c);
        if (area != 0 && puan_store_shard_of_area(im->store, area) != sh)
            continue;
        puan_arena_reset(&a);
        st = put_row(im, db, &c, key, &a, err);
        rows++;
    }
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return st;
    act->has_new = true;
    memcpy(act->new_digest, im->result->digest, PUAN_DIGEST_SIZE);
    return note_import(db, im, act, rows, err);
}

static enum puan_status write_one(struct import *im, struct puan_shard *sh,
                                  const struct puan_act *who,
                                  struct puan_err *err)
{
    struct puan_act act = *who;
    char note[160];
    enum puan_status st;

    im->shard = sh;
    im->n_added = 0;
    puan_format(note, sizeof(note), "%s, %llu rows in the file", im->file,
                (unsigned long long)im->result->rows);
    act.note = puan_str_of(note);
    act.subject = puan_str_of(shapes[im->kind].name);
    st = puan_commit(sh, &act, write_store, im, err);
    if (st == PUAN_OK && im->n_added)
        st = puan_ret_listed(sh, im->added, im->n_added, err);
    return st;
}

/* Enumerators' areas are theirs unless somebody has them already. */
static enum puan_status assign_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct import *im = arg;
    struct puan_csv c;
    bool more = true;
    uint64_t n = 0;
    enum puan_status st;

    (void)act;
    puan_arena_reset(&im->a);
    st = open_csv(im, &c, err);
    while (st == PUAN_OK) {
        int64_t area = 0;
        uint32_t at;

        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        if (!puan_int_parse(&area, cell(im, &c, 4)) ||
            puan_store_shard_of_area(im->store, area) != sh)
            continue;
        at = puan_area_find(im->tree, area);
        if (at == PUAN_AREA_NONE ||
            im->tree->area[at].level != im->tree->n_levels - 1)
            continue;
        st = put_assignment(im, db, area, cell(im, &c, 0), false, err);
        n++;
    }
    if (st == PUAN_OK && n == 0)
        act->silent = true;
    return st;
}

static enum puan_status write_all(struct import *im, const struct puan_act *who,
                                  struct puan_err *err)
{
    bool office = im->kind == PUAN_IMPORT_AREAS || im->kind == PUAN_IMPORT_STAFF;
    size_t n = puan_store_shards(im->store);
    enum puan_status st = PUAN_OK;

    if (office)
        st = write_one(im, puan_store_office(im->store), who, err);
    for (size_t i = 1; st == PUAN_OK && !office && i < n; i++)
        st = write_one(im, puan_store_shard(im->store, i), who, err);
    if (st == PUAN_OK && im->kind == PUAN_IMPORT_AREAS)
        st = puan_store_areas_changed(im->store, err);
    for (size_t i = 1;
         st == PUAN_OK && im->kind == PUAN_IMPORT_STAFF && i < n; i++) {
        struct puan_act act = *who;

        act.subject = PUAN_STR("assignment");
        act.note = PUAN_STR("from the staff file");
        st = puan_commit(puan_store_shard(im->store, i), &act, assign_body, im,
                         err);
    }
    return st;
}

/* ---- the area tree -------------------------------------------------------------- */

/* The file must be a whole tree, and no area of today may be missing from it. */
static enum puan_status look_at_areas(struct import *im, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(im->store);
    struct puan_area_level level[PUAN_AREA_LEVELS];
    const struct puan_area_tree *old = im->tree;
    struct puan_area_tree *tree;
    struct puan_arena scratch;
    unsigned n = 0;
    enum puan_status st;

    for (size_t i = 0; i < plan->n_levels && n < PUAN_AREA_LEVELS; i++)
        if (plan->level[i].digits)
            level[n++] = (struct puan_area_level){
                plan->level[i].id, plan->level[i].zh, plan->level[i].en,
                plan->level[i].digits
            };
    puan_arena_init(&scratch, puan_os_alloc());
    st = puan_area_read_csv(&tree, level, n, plan->household_digits, im->csv,
                            im->file, &im->a, &scratch, err);
    puan_arena_clear(&scratch);
    if (st != PUAN_OK)
        return st;
    im->result->rows = tree->n;
    for (uint32_t i = 0; old && i < old->n; i++)
        if (puan_area_find(tree, old->area[i].code) == PUAN_AREA_NONE)
            return puan_fail_at(err, PUAN_EINVAL, im->file, 0, 0,
                                "area %lld of today's tree is missing; an area "
                                "that ends keeps its row, with valid_to",
                                (long long)old->area[i].code);
    return PUAN_OK;
}

enum puan_status puan_import(struct puan_import_result *out,
                             struct puan_store *st, enum puan_import_kind kind,
                             struct puan_str csv, const char *file,
                             bool dry_run, const struct puan_act *who,
                             struct puan_err *err)
{
    struct import im = { .kind = kind,
                         .store = st,
                         .tree = puan_store_areas(st),
                         .result = out,
                         .csv = csv,
                         .file = file };
    enum puan_status x;

    *out = (struct puan_import_result){ .kind = kind };
    puan_digest_one(out->digest, puan_store_digest(st), csv);
    puan_arena_init(&im.a, puan_os_alloc());
    puan_arena_init(&im.row, puan_os_alloc());
    if (kind == PUAN_IMPORT_AREAS)
        x = look_at_areas(&im, err);
    else if (im.tree == NULL || im.tree->n == 0)
        x = puan_fail(err, PUAN_EINVAL, file,
                      "there are no areas yet; import the areas first");
    else
        x = look(&im, err);
    if (x == PUAN_OK && !dry_run)
        x = write_all(&im, who, err);
    free(im.seen);
    free(im.added);
    puan_arena_clear(&im.row);
    puan_arena_clear(&im.a);
    return x;
}
