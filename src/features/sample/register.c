/*
 * The register of samples: draws entered, and held against their records.
 */
#include "features/sample/register.h"

#include <string.h>

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/sample/roll.h"
#include "kit/crypto/crypto.h"

const char *const puan_sample_purposes[] = { "long-form", "inspection",
                                             "post-enumeration", NULL };

/* ---- a draw over a roll -------------------------------------------------- */

/* What a draw of the register gives, whether for the first time or again. */
struct over {
    struct puan_draw_options o;
    struct puan_memory_file file;
    struct puan_frames *f;
    struct puan_drawn_rows d;
};

static void over_clear(struct over *w)
{
    puan_drawn_clear(&w->d);
    puan_frames_close(w->f);
    puan_memory_file_close(&w->file);
}

static bool given(const struct puan_draw_options *o, const char *name)
{
    for (size_t i = 0; i + 1 < o->n_said; i += 2)
        if (strcmp(o->said[i], name) == 0)
            return true;
    return false;
}

static const char *text(struct puan_arena *a, struct puan_str s)
{
    return puan_arena_dup(a, s);
}

/* The columns that name a drawn unit: codes from the area's level to its own.
 */
static const char *columns(const struct puan_area_tree *t, unsigned first,
                           const char *unit, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (unsigned k = first; k < t->n_levels; k++) {
        puan_out_str(&o, t->level[k].name);
        if (puan_str_is(t->level[k].name, unit))
            return text(a, puan_out_view(&o));
        puan_out_char(&o, ',');
    }
    puan_out_text(&o, "household");
    return text(a, puan_out_view(&o));
}

/* The options as said, and those that make them stand alone over the CSV. */
static enum puan_status complete(struct over *w,
                                 const struct puan_draw_options *o,
                                 const struct puan_area_tree *t, int64_t area,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const of_files[] = { "--level", "--entity",
                                            "--columns" };
    char **argv = puan_new_n(a, o->n_said + 2 * PUAN_AREA_LEVELS + 8, char *);
    const char *at = "sample", *bad;
    unsigned first;
    int argc = 1;

    if (!argv)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < PUAN_COUNT(of_files); i++)
        if (given(o, of_files[i]))
            return puan_fail(err, PUAN_EINVAL, of_files[i],
                             "the roll of a campaign has its own: the levels "
                             "of the plan and household");
    for (size_t i = 0; i < o->n_said; i++)
        argv[argc++] = (char *)(uintptr_t)o->said[i];
    puan_roll_levels(&first, t, area);
    for (unsigned k = first; k < t->n_levels; k++) {
        argv[argc++] = (char *)(uintptr_t) "--level";
        argv[argc++] = (char *)(uintptr_t)puan_arena_fmt(
            a, "%.*s=%.*s", PUAN_FMT(t->level[k].name),
            PUAN_FMT(t->level[k].name));
    }
    argv[argc++] = (char *)(uintptr_t) "--entity";
    argv[argc++] = (char *)(uintptr_t) "household";
    argv[argc++] = (char *)(uintptr_t) "--columns";
    argv[argc++] =
        (char *)(uintptr_t)columns(t, first,
                                   o->select.within ? o->select.within
                                   : o->select.unit ? o->select.unit
                                                    : "household",
                                   a);
    argv[argc++] = w->file.path;
    TRY(puan_arena_check(a, err));
    bad = puan_draw_parse(&w->o, &at, argc, argv);
    if (bad)
        return puan_fail(err, PUAN_EINVAL, at, "%s", bad);
    w->o.frames.quiet = true;
    return PUAN_OK;
}

/* Frame and selection of keys. */
static enum puan_status draw_over(struct over *w, struct puan_err *err,
                                  struct puan_arena *a)
{
    enum puan_status st = puan_draw_rows(&w->d, &w->f, &w->o, a, err);

    if (st != PUAN_OK && err && strncmp(err->where, "/proc/", 6) == 0)
        puan_format(err->where, sizeof(err->where), "listing");
    return st;
}

static struct puan_str source_of(struct puan_store *st, int64_t area, size_t n,
                                 struct puan_arena *a)
{
    return puan_str_of(
        puan_arena_fmt(a, "campaign %s area %lld listing households %zu",
                       puan_store_id(st), (long long)area, n));
}

/* ---- entering ------------------------------------------------------------ */

#define COLUMNS "id, area, purpose, note, at, actor, record, households, drawn"

static enum puan_status enter(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, void *arg,
                              struct puan_err *err)
{
    struct puan_sample_row *r = arg;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;

    TRY(puan_db_int(&r->id, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM sample",
                    0, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO sample(" COLUMNS ") VALUES($1, $2, $3, $4, $5,"
                 " $6, $7, $8, $9)",
                 err));
    puan_bind_int(s, 1, r->id);
    puan_bind_int(s, 2, r->area);
    puan_bind_text(s, 3, r->purpose);
    puan_bind_text(s, 4, r->note);
    puan_bind_int(s, 5, r->at_ms);
    puan_bind_text(s, 6, r->actor);
    puan_bind_text(s, 7, r->record);
    puan_bind_bytes(s, 8, r->households.p, r->households.n);
    puan_bind_bytes(s, 9, r->drawn.p, r->drawn.n);
    TRY(puan_stmt_once(s, err));
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    puan_content_int(&o, r->area);
    puan_content_text(&o, r->purpose);
    puan_content_text(&o, r->note);
    puan_content_int(&o, r->at_ms);
    puan_content_text(&o, r->actor);
    puan_content_text(&o, r->record);
    puan_content_bytes(&o, r->households);
    puan_content_bytes(&o, r->drawn);
    st = puan_arena_check(&a, err);
    if (st == PUAN_OK)
        st =
            puan_cover_id(sh, db, act, "sample", r->id, puan_out_view(&o), err);
    puan_arena_clear(&a);
    return st;
}

/* What the entry itself says, so that the ledger alone fixes the draw. */
static struct puan_str entry_note(const struct over *w, struct puan_str purpose,
                                  struct puan_arena *a)
{
    char frame[2 * PUAN_DIGEST_SIZE + 1], drawn[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_out o;
    struct puan_jw j;

    puan_hex(frame, puan_frames_frame(w->f)->digest, PUAN_DIGEST_SIZE);
    puan_hex(drawn, w->d.digest, PUAN_DIGEST_SIZE);
    puan_out_init(&o, a);
    puan_jw_init(&j, &o);
    puan_jw_map(&j);
    puan_jw_kstr(&j, "purpose", purpose);
    puan_jw_kstr(&j, "seed", w->o.select.seed);
    puan_jw_ktext(&j, "frame", frame);
    puan_jw_ktext(&j, "selection", drawn);
    puan_jw_end(&j, '}');
    return puan_out_view(&o);
}

static bool is_purpose(struct puan_str s)
{
    for (size_t i = 0; puan_sample_purposes[i]; i++)
        if (puan_str_is(s, puan_sample_purposes[i]))
            return true;
    return false;
}

static enum puan_status draw_and_enter(struct puan_sample_row *r,
                                       struct over *w, struct puan_store *st,
                                       const struct puan_act *who, size_t n,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_act act = *who;
    struct puan_out o;
    struct puan_jw j;

    TRY(draw_over(w, err, a));
    puan_out_init(&o, a);
    puan_jw_init(&j, &o);
    puan_draw_record(&j, &w->o, puan_frames_frame(w->f),
                     source_of(st, r->area, n, a), &w->d, r->at_ms,
                     puan_store_plan(st)->offset_minutes);
    r->record = puan_out_view(&o);
    r->drawn = (struct puan_str){ w->d.csv, w->d.n };
    act.verb = PUAN_STR("sample.draw");
    act.subject =
        puan_str_of(puan_arena_fmt(a, "area/%lld/sample", (long long)r->area));
    act.note = entry_note(w, r->purpose, a);
    TRY(puan_arena_check(a, err));
    return puan_commit(puan_store_office(st), &act, enter, r, err);
}

enum puan_status puan_register_draw(int64_t *id, struct puan_store *st,
                                    const struct puan_act *act, int64_t area,
                                    struct puan_str purpose,
                                    struct puan_str note,
                                    const struct puan_draw_options *o,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_sample_row r = { .area = area,
                                 .purpose = purpose,
                                 .note = note,
                                 .actor = act->actor,
                                 .at_ms = puan_store_now(st) };
    struct over w = { .file = { .fd = -1 } };
    struct puan_out kept;
    struct puan_str csv;
    int64_t *key = NULL;
    size_t n = 0;
    enum puan_status rc;

    if (!is_purpose(purpose))
        return puan_fail(err, PUAN_EINVAL, "purpose",
                         "one of long-form, inspection, post-enumeration");
    TRY(puan_roll_keys(&key, &n, st, area, a, err));
    if (n == 0)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "the roll has no household there yet: import the "
                         "listing first");
    puan_out_init(&kept, a);
    puan_roll_keep(&kept, key, n);
    r.households = puan_out_view(&kept);
    TRY(puan_roll_csv(&csv, t, area, key, n, a, err));
    TRY(puan_memory_file_open(&w.file, csv, err));
    rc = complete(&w, o, t, area, a, err);
    if (rc == PUAN_OK)
        rc = draw_and_enter(&r, &w, st, act, n, a, err);
    over_clear(&w);
    *id = r.id;
    return rc;
}

/* ---- reading ------------------------------------------------------------- */

enum puan_status puan_register_read(struct puan_sample_row *out,
                                    struct puan_store *st, int64_t id,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;

    *out = (struct puan_sample_row){ 0 };
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db, "SELECT " COLUMNS " FROM sample WHERE id = $1", err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, id);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more) {
            out->id = puan_col_int(s, 0);
            out->area = puan_col_int(s, 1);
            out->purpose = puan_arena_keep(a, puan_col_text(s, 2));
            out->note = puan_arena_keep(a, puan_col_text(s, 3));
            out->at_ms = puan_col_int(s, 4);
            out->actor = puan_arena_keep(a, puan_col_text(s, 5));
            out->record = puan_arena_keep(a, puan_col_text(s, 6));
            out->households = puan_arena_keep(a, puan_col_bytes(s, 7));
            out->drawn = puan_arena_keep(a, puan_col_bytes(s, 8));
        }
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    if (rc == PUAN_OK && !more)
        rc = puan_fail(err, PUAN_ENOTFOUND, "sample",
                       "the register has no draw %lld", (long long)id);
    return rc == PUAN_OK ? puan_arena_check(a, err) : rc;
}

enum puan_status puan_register_frame(struct puan_str *csv,
                                     struct puan_store *st,
                                     const struct puan_sample_row *row,
                                     struct puan_arena *a, struct puan_err *err)
{
    int64_t *key = NULL;
    size_t n = 0;

    TRY(puan_roll_kept(&key, &n, row->households, a, err));
    return puan_roll_csv(csv, puan_store_areas(st), row->area, key, n, a, err);
}

/* ---- again --------------------------------------------------------------- */

/* Households of one list that the other has not, each way. */
static void differ(uint64_t *added, uint64_t *gone, const int64_t *was,
                   size_t n_was, const int64_t *is, size_t n_is)
{
    size_t i = 0, k = 0;

    *added = *gone = 0;
    while (i < n_was || k < n_is) {
        if (i < n_was && k < n_is && was[i] == is[k]) {
            i++;
            k++;
        } else if (k == n_is || (i < n_was && was[i] < is[k])) {
            ++*gone;
            i++;
        } else {
            ++*added;
            k++;
        }
    }
}

static enum puan_status judge(struct puan_register_verdict *v, struct over *w,
                              const struct puan_sample_row *row,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *record = NULL;
    const char *path = w->file.path;
    struct puan_draw_verdict got;
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    TRY(puan_json_tree(&record, row->record, "record", a, err));
    TRY(puan_draw_again(&w->o, record, "record", &path, 1, a, err));
    w->o.frames.quiet = true;
    TRY(draw_over(w, err, a));
    got = puan_draw_judge(record, puan_frames_frame(w->f), &w->d);
    puan_digest_one(digest, w->o.select.digest, row->drawn);
    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    v->frame_same = got.frame_same;
    v->drawn_same = got.drawn_same;
    v->rows = got.rows;
    v->kept_same = puan_str_is(
        puan_node_str_opt(puan_node_get(record, "selection"), "digest", ""),
        hex);
    return PUAN_OK;
}

enum puan_status puan_register_verify(struct puan_register_verdict *v,
                                      struct puan_store *st,
                                      const struct puan_sample_row *row,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct over w = { .file = { .fd = -1 } };
    int64_t *was = NULL, *is = NULL;
    size_t n_was = 0, n_is = 0;
    struct puan_str csv;
    enum puan_status rc;

    *v = (struct puan_register_verdict){ 0 };
    TRY(puan_roll_kept(&was, &n_was, row->households, a, err));
    TRY(puan_roll_keys(&is, &n_is, st, row->area, a, err));
    differ(&v->added, &v->gone, was, n_was, is, n_is);
    TRY(puan_roll_csv(&csv, puan_store_areas(st), row->area, was, n_was, a,
                      err));
    TRY(puan_memory_file_open(&w.file, csv, err));
    rc = judge(v, &w, row, a, err);
    over_clear(&w);
    return rc;
}

/* ---- for commands -------------------------------------------------------- */

enum puan_status puan_register_open(struct puan_store **st,
                                    struct puan_sample_row *row,
                                    const char *dir, const char *id,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_store_options opt = { .readonly = true, .no_writers = true };
    int64_t n;

    *st = NULL;
    if (!puan_int_parse(&n, puan_str_of(id)) || n < 1)
        return puan_fail(err, PUAN_EINVAL, id,
                         "is no number of a draw; puan sample list %s tells "
                         "them",
                         dir);
    TRY(puan_store_open(st, dir, &opt, err));
    return puan_register_read(row, *st, n, a, err);
}

const struct puan_schema_step puan_register_schema[1] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE sample(id BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " purpose TEXT NOT NULL, note TEXT NOT NULL, at BIGINT NOT NULL,"
      " actor TEXT NOT NULL, record TEXT NOT NULL, households BYTEA NOT NULL,"
      " drawn BYTEA NOT NULL);"
      "CREATE TABLE sample_result(id BIGINT PRIMARY KEY,"
      " sample BIGINT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL,"
      " file TEXT NOT NULL, rows BIGINT NOT NULL, data BYTEA NOT NULL);"
      "CREATE INDEX sample_result_of ON sample_result(sample, id);" },
};

const struct puan_covered puan_register_covered[2] = {
    { PUAN_STORE_OFFICE, "sample",
      "SELECT CAST(id AS TEXT), area, purpose, note, at, actor, record,"
      " households, drawn FROM sample" },
    { PUAN_STORE_OFFICE, "sample_result",
      "SELECT CAST(id AS TEXT), sample, at, actor, file, rows, data"
      " FROM sample_result" },
};
