/*
 * The feature's tables, commands and what others ask of it.
 */
#include "features/campaign/campaign.h"

#include "features/campaign/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "features/ingest/ingest.h"
#include "features/devices/devices.h"
#include "features/maps/maps.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE staff(staff TEXT PRIMARY KEY, role TEXT NOT NULL,"
      " area BIGINT NOT NULL, device TEXT NOT NULL,"
      " certificate TEXT NOT NULL, sealed BYTEA NOT NULL);"
      "CREATE TABLE import(id BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " file TEXT NOT NULL, digest BYTEA NOT NULL, rows BIGINT NOT NULL,"
      " at BIGINT NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE listing(household BIGINT PRIMARY KEY,"
      " ea BIGINT NOT NULL, building TEXT NOT NULL, unit TEXT NOT NULL,"
      " status TEXT NOT NULL, mode TEXT NOT NULL, sealed BYTEA NOT NULL,"
      " cells TEXT NOT NULL);"
      "CREATE TABLE assignment(ea BIGINT PRIMARY KEY, staff TEXT NOT NULL);"
      "CREATE TABLE register(seq BIGINT PRIMARY KEY, token BYTEA NOT NULL,"
      " ea BIGINT NOT NULL, district BIGINT NOT NULL, sex BIGINT NOT NULL,"
      " birth TEXT NOT NULL, status TEXT NOT NULL, sealed BYTEA NOT NULL);"
      "CREATE TABLE import(id BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " file TEXT NOT NULL, digest BYTEA NOT NULL, rows BIGINT NOT NULL,"
      " at BIGINT NOT NULL);" },
};

enum puan_status puan_assigned(struct puan_str *staff, struct puan_store *store,
                               int64_t ea, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_area(store, ea);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status st;

    *staff = PUAN_STR("");
    if (!sh)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "in no returns store");
    st = puan_read_begin(&db, sh, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT staff FROM assignment WHERE ea = $1",
                      err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, ea);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK && more) {
        struct puan_str t = puan_col_text(s, 0);

        *staff = (struct puan_str){ puan_arena_dup(a, t), t.n };
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

static enum puan_status open_staff(struct puan_staff *p,
                                   struct puan_store *store,
                                   struct puan_str sealed,
                                   struct puan_arena *a, struct puan_err *err)
{
    int version = puan_sealed_version(sealed);
    const struct puan_seal_key *key;
    struct puan_str aad, plain, *to[2] = { &p->name, &p->phone };
    struct puan_in in;
    enum puan_status st;

    p->name = p->phone = PUAN_STR("");
    if (sealed.n == 0)
        return PUAN_OK;
    key = version < 0 ? NULL
                      : puan_keys_data_version(puan_store_keys(store), 0,
                                               "staff", (uint16_t)version);
    if (!key)
        return puan_fail(err, PUAN_EIO, "staff", "the key of names is missing");
    aad = puan_seal_aad(a, 0, "staff", "sealed", (uint16_t)version, p->staff);
    st = puan_unseal(&plain, key, aad, sealed, a, err);
    if (st != PUAN_OK)
        return st;
    in = puan_in_of(plain);
    for (int i = 0; i < 2; i++)
        *to[i] = puan_in_bytes(&in, puan_in_varint(&in));
    return in.bad ? puan_fail(err, PUAN_EIO, "staff", "a name is damaged")
                  : PUAN_OK;
}

enum puan_status puan_staff_each(struct puan_store *store, puan_staff_fn fn,
                                 void *arg, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_arena a;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, office, err);

    puan_arena_init(&a, puan_os_alloc());
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT staff, role, area, device, certificate, sealed"
                      " FROM staff ORDER BY staff",
                      err);
    while (st == PUAN_OK) {
        struct puan_staff p = { 0 };

        puan_arena_reset(&a);
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        p.staff = puan_col_text(s, 0);
        p.role = puan_col_text(s, 1);
        p.area = puan_col_int(s, 2);
        p.device = puan_col_text(s, 3);
        p.certificate = puan_col_text(s, 4);
        st = open_staff(&p, store, puan_col_bytes(s, 5), &a, err);
        if (st == PUAN_OK)
            st = fn(arg, &p, err);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    puan_arena_clear(&a);
    return st;
}

/* ---- puan import -------------------------------------------------------------- */

static int exit_of(enum puan_status st, const struct puan_err *err)
{
    if (st == PUAN_OK)
        return PUAN_EXIT_DONE;
    if (err->line)
        fprintf(stderr, "puan: %s:%u: %s\n", err->where, err->line, err->text);
    else
        fprintf(stderr, "puan: %s: %s\n", err->where, err->text);
    return st == PUAN_EINVAL || st == PUAN_ENOTFOUND ? PUAN_EXIT_INPUT
           : st == PUAN_EDENIED || st == PUAN_ECONFLICT ||
                   st == PUAN_ELIMIT || st == PUAN_EBUSY
               ? PUAN_EXIT_REFUSED
               : PUAN_EXIT_SYSTEM;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Documents of contract 1, one a line. */
static enum puan_status import_returns(struct puan_store *store,
                                       struct puan_str text, const char *file,
                                       uint64_t *taken, uint64_t *waiting,
                                       struct puan_err *err)
{
    struct puan_sender who = { .actor = PUAN_STR("import"), .estimate = true };
    struct puan_progress bar;
    struct puan_arena a;
    struct puan_str line;
    uint32_t n = 0;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    puan_progress_begin(&bar, file, 0);
    while (st == PUAN_OK && text.n > 0 && puan_str_split(&line, &text, '\n')) {
        struct puan_receipt r;

        n++;
        line = puan_str_trim(line);
        if (line.n == 0)
            continue;
        puan_arena_reset(&a);
        st = puan_submit_wait(&r, store, &who, line, &a, err);
        if (st != PUAN_OK)
            break;
        if (r.outcome == PUAN_SUBMIT_ACCEPTED)
            ++*taken;
        else if (r.outcome != PUAN_SUBMIT_REPEATED)
            ++*waiting;
        puan_progress_add(&bar, 1);
    }
    puan_progress_end(&bar);
    puan_arena_clear(&a);
    if (st != PUAN_OK && err)
        err->line = n;
    return st;
}

static enum puan_status import_bundle(struct puan_store *store,
                                      struct puan_str bytes, const char *base,
                                      bool dry_run, bool *left,
                                      struct puan_err *err)
{
    struct puan_bundle_result r;
    struct puan_arena a;
    enum puan_status st;

    if (dry_run) {
        printf("%s: 试导入不处理密封包 bundles are not tried in a dry run\n",
               base);
        return PUAN_OK;
    }
    puan_arena_init(&a, puan_os_alloc());
    st = puan_bundle_take(&r, store, bytes, NULL, &a, err);
    if (st == PUAN_OK) {
        printf("%s: 设备 device %.*s, 密封表 sealed returns %u, 在账 in the "
               "ledger %u, 隔离待处理 in quarantine %u, 未收 refused %u\n",
               base, PUAN_FMT(r.device), r.returns, r.ledger, r.waiting,
               r.refused);
        *left = *left || r.waiting > 0 || r.refused > 0;
    }
    puan_arena_clear(&a);
    return st;
}

static const char *const names_zh[] = {
    [PUAN_IMPORT_AREAS] = "区划",        [PUAN_IMPORT_LISTING] = "底册",
    [PUAN_IMPORT_STAFF] = "人员",        [PUAN_IMPORT_REGISTER] = "行政记录",
    [PUAN_IMPORT_ASSIGNMENT] = "任务",
};

static enum puan_status import_buildings(struct puan_store *store,
                                         struct puan_str csv, const char *base,
                                         bool dry_run,
                                         const struct puan_act *who,
                                         struct puan_err *err)
{
    struct puan_map_result r;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = puan_buildings_import(&r, store, csv, base, dry_run, who, &a, err);
    if (st == PUAN_OK)
        printf("%s: 建筑物 buildings %llu, 小区 areas %llu%s\n", base,
               (unsigned long long)r.features, (unsigned long long)r.points,
               dry_run     ? "，未写入 nothing written"
               : r.written ? ""
                           : "，已导入过 imported before");
    puan_arena_clear(&a);
    return st;
}

static enum puan_status import_file(struct puan_store *store, const char *path,
                                    bool dry_run, bool *left,
                                    struct puan_err *err)
{
    struct puan_act who = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line") };
    struct puan_import_result res;
    struct puan_map map = { 0 };
    const char *base = strrchr(path, '/');
    enum puan_status st = puan_map_open(&map, path, err);

    base = base ? base + 1 : path;
    if (st != PUAN_OK)
        return st;
    if (ends_with(path, ".geojson")) {
        struct puan_map_result drawn;
        struct puan_arena a;

        puan_arena_init(&a, puan_os_alloc());
        st = puan_map_import(&drawn, store, map.bytes, base, dry_run, &who, &a,
                             err);
        if (st == PUAN_OK)
            printf("%s: 边界 boundaries of %.*s %llu%s\n", base,
                   PUAN_FMT(drawn.level), (unsigned long long)drawn.features,
                   dry_run         ? "，未写入 nothing written"
                   : drawn.written ? ""
                                   : "，已导入过 imported before");
        puan_arena_clear(&a);
    } else if (ends_with(path, ".bundle")) {
        st = import_bundle(store, map.bytes, base, dry_run, left, err);
    } else if (ends_with(path, ".jsonl") || ends_with(path, ".json")) {
        uint64_t taken = 0, waiting = 0;

        if (!dry_run)
            st = import_returns(store, map.bytes, base, &taken, &waiting, err);
        if (dry_run)
            printf("%s: 试导入不处理普查表 returns are not tried in a dry run\n",
                   base);
        else if (st == PUAN_OK)
            printf("%s: 普查表 returns %llu, 隔离待处理 in quarantine %llu\n",
                   base,
                   (unsigned long long)taken, (unsigned long long)waiting);
        *left = *left || waiting > 0;
    } else {
        int kind = puan_import_kind_of(map.bytes);

        if (kind < 0 && puan_buildings_header(map.bytes)) {
            st = import_buildings(store, map.bytes, base, dry_run, &who, err);
            puan_map_close(&map);
            return st;
        }
        if (kind < 0)
            st = puan_fail_at(err, PUAN_EINVAL, base, 1, 0,
                              "its header is none of areas, listing, staff, "
                              "register, assignment, buildings; puan help import lists the "
                              "columns of each");
        if (st == PUAN_OK)
            st = puan_import(&res, store, (enum puan_import_kind)kind,
                             map.bytes, base, dry_run, &who, err);
        if (st == PUAN_OK)
            printf("%s: %s %s, 行 rows %llu, 写入 written %llu%s\n", base,
                   names_zh[kind],
                   puan_import_name((enum puan_import_kind)kind),
                   (unsigned long long)res.rows,
                   (unsigned long long)res.written,
                   dry_run ? " (试导入，未写入 dry run)" : "");
    }
    puan_map_close(&map);
    return st;
}

static enum puan_status import_form(struct puan_store *store, const char *form,
                                    const char *const *paths, size_t n,
                                    bool dry_run, bool *left,
                                    struct puan_err *err)
{
    struct puan_csv_returns r;
    enum puan_status st = puan_import_csv_returns(
        &r, store, puan_str_of(form), paths, n, dry_run, err);

    if (st != PUAN_OK)
        return st;
    if (dry_run)
        printf("%s: 普查表 returns %llu (试导入，未写入 dry run)\n", form,
               (unsigned long long)r.households);
    else
        printf("%s: 普查表 returns %llu, 已导入过 imported before %llu, "
               "隔离待处理 in quarantine %llu\n",
               form, (unsigned long long)r.taken, (unsigned long long)r.again,
               (unsigned long long)r.waiting);
    *left = r.waiting > 0;
    return PUAN_OK;
}

/* Where a rehearsal's clock stands while it takes the files; a dry run leaves
   it where it is. */
static enum puan_status clock_at(struct puan_store *store, const char *at,
                                 bool dry_run, struct puan_err *err)
{
    struct puan_act who = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line") };
    int64_t ms;

    if (!puan_instant_parse(&ms, puan_str_of(at)))
        return puan_fail(err, PUAN_EINVAL, "--at",
                         "'%s': expected an instant such as "
                         "2020-11-20T12:00:00+08:00",
                         at);
    return dry_run ? PUAN_OK
                   : puan_store_clock_set(store, &who, ms, 1000, err);
}

static int cmd_import(int argc, char **argv)
{
    const char *form = NULL, *at = NULL, *path[64];
    size_t n_paths = 0;
    struct puan_store_options opt = { 0 };
    struct puan_store *store = NULL;
    struct puan_err err = { 0 };
    const char *dir = NULL;
    bool dry_run = false, left = false;
    enum puan_status st = PUAN_OK;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            dry_run = true;
        else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
            opt.url = argv[++i];
        else if (strcmp(argv[i], "--form") == 0 && i + 1 < argc)
            form = argv[++i];
        else if (strcmp(argv[i], "--at") == 0 && i + 1 < argc)
            at = argv[++i];
        else if (argv[i][0] == '-') {
            fprintf(stderr, "puan: %s is no option of import\n", argv[i]);
            return PUAN_EXIT_USAGE;
        } else if (!dir)
            dir = argv[i];
        else if (n_paths < PUAN_COUNT(path))
            path[n_paths++] = argv[i];
        else {
            fprintf(stderr, "puan: import takes at most %d files\n",
                    (int)PUAN_COUNT(path));
            return PUAN_EXIT_USAGE;
        }
    }
    if (!dir || !n_paths)
        return PUAN_EXIT_USAGE;
    st = puan_store_open(&store, dir, &opt, &err);
    if (st == PUAN_OK && at)
        st = clock_at(store, at, dry_run, &err);
    if (st == PUAN_OK && form)
        st = import_form(store, form, path, n_paths, dry_run, &left, &err);
    for (size_t i = 0; !form && i < n_paths && st == PUAN_OK; i++)
        st = import_file(store, path[i], dry_run, &left, &err);
    puan_store_close(store);
    if (st == PUAN_OK && left)
        return PUAN_EXIT_FINDINGS;
    return exit_of(st, &err);
}

static const struct puan_command commands[] = {
    { "import",
      "DIR FILE... [--dry-run] [--store URL] | DIR --form F DATA... [--at "
      "INSTANT] [--dry-run] [--store URL]",
      "Imports areas, listing, staff, assignments, registers (CSV with a "
      "header, told by their columns), boundaries (.geojson, one file a "
      "level), buildings (CSV), returns (JSON documents, one a line) and "
      "bundles of a device (.bundle, signed by it and sealed to this office). "
      "With --form the files are "
      "returns of that form as puan check reads them (household.csv "
      "person.csv …), each household a document; the same files again change "
      "nothing, and what the windows do not let in waits in quarantine. --at "
      "sets the clock of a rehearsal first. All rows of a CSV file or none. Columns, in any order; those in "
      "brackets may be left out: "
      "areas: code parent level name_zh name_en [kind valid_from valid_to "
      "successor]; "
      "listing: household ea [building unit status mode head_name phone "
      "address], others are kept; "
      "staff: staff role name phone area [device certificate]; "
      "register: id_number name sex birth ea [district status]; "
      "assignment: ea staff; "
      "buildings: ea building lon lat [kind units].",
      cmd_import, "导入区划、底册、人员、任务、行政记录（CSV）、边界（GeoJSON）、建筑物（CSV）、普查表（JSON）和设备密封包" },
};

#define AREA_COLUMNS                                                           \
    "SELECT parent, code, level, name_zh, name_en, kind, valid_from,"          \
    " valid_to, successor FROM area"
#define STAFF_COLUMNS                                                          \
    "SELECT '*', staff, role, area, device, certificate, sealed FROM staff"
#define LISTING_COLUMNS                                                        \
    "SELECT CAST(ea AS TEXT), household, building, unit, status, mode,"        \
    " sealed, cells FROM listing WHERE status <> 'found'"
#define REGISTER_COLUMNS                                                       \
    "SELECT CAST(seq / 1000 AS TEXT), seq, token, ea, district, sex, birth,"   \
    " status, sealed FROM register"
#define ASSIGNMENT_COLUMNS "SELECT '*', ea, staff FROM assignment"
#define IMPORT_COLUMNS                                                         \
    "SELECT CAST(id AS TEXT), kind, file, digest, rows, at FROM import"

/* Households found at the door come with their return and are derived. */
const struct puan_covered puan_campaign_covered[PUAN_COVER_TABLES] = {
    [PUAN_COVER_AREA] = { PUAN_STORE_OFFICE, "area",
                          AREA_COLUMNS " ORDER BY parent, code",
                          AREA_COLUMNS " WHERE parent = $1 ORDER BY code" },
    [PUAN_COVER_STAFF] = { PUAN_STORE_OFFICE, "staff",
                           STAFF_COLUMNS " ORDER BY staff",
                           STAFF_COLUMNS " WHERE $1 = '*' ORDER BY staff" },
    [PUAN_COVER_LISTING] = { PUAN_STORE_RETURNS, "listing",
                             LISTING_COLUMNS " ORDER BY household",
                             LISTING_COLUMNS
                             " AND ea = CAST($1 AS BIGINT)"
                             " ORDER BY household" },
    [PUAN_COVER_REGISTER] = { PUAN_STORE_RETURNS, "register",
                              REGISTER_COLUMNS " ORDER BY seq",
                              REGISTER_COLUMNS
                              " WHERE seq / 1000 = CAST($1 AS BIGINT)"
                              " ORDER BY seq" },
    [PUAN_COVER_ASSIGNMENT] = { PUAN_STORE_RETURNS, "assignment",
                                ASSIGNMENT_COLUMNS " ORDER BY ea",
                                ASSIGNMENT_COLUMNS
                                " WHERE $1 = '*' ORDER BY ea" },
    [PUAN_COVER_IMPORT] = { PUAN_STORE_OFFICE, "import", IMPORT_COLUMNS },
    [PUAN_COVER_IMPORT_RETURNS] = { PUAN_STORE_RETURNS, "import",
                                    IMPORT_COLUMNS },
};

const struct puan_feature puan_feature_campaign = {
    .name = "campaign",
    .covered = puan_campaign_covered,
    .n_covered = PUAN_COVER_TABLES,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .routes = puan_campaign_routes,
    .n_routes = PUAN_CAMPAIGN_ROUTES,
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
