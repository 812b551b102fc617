/*
 * Counting over real returns of two counties, on both engines: held against
 * plain loops over the stored answers that know the residence rules by
 * themselves; kept counts; who may see what over HTTP; a count that runs while
 * returns arrive.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/campaign/campaign.h"
#include "features/host/host.h"
#include "features/ingest/ingest.h"
#include "features/tables/tables.h"
#include "kit/http/client.h"
#include "kit/os/os.h"

#define ok(call)                                                               \
    do {                                                                       \
        struct puan_err err_ = { 0 }, *err = &err_;                            \
        enum puan_status got_ = (call);                                        \
        if (got_ != PUAN_OK)                                                   \
            fail_msg("%s: %s: %s:%u: %s", #call, puan_status_name(got_),       \
                     err_.where, err_.line, err_.text);                        \
    } while (0)

static const char *engines[2];
static size_t n_engines;

static const char plan_yaml[] =
    "plan: zz-count\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: nation, zh: 国, en: Nation, digits: 1}\n"
    "  - {id: county, zh: 县, en: County, digits: 3}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 5}\n"
    "roles:\n"
    "  statistician: {zh: 统计员, en: Statistician, levels: [county],"
    " can: [table.list, evaluation.view]}\n"
    "  surveyor: {zh: 勘察员, en: Surveyor, levels: [county],"
    " can: [evaluation.ea]}\n"
    "  clerk: {zh: 文书, en: Clerk, levels: [county], can: [listing.view]}\n"
    "settings:\n"
    "  release_min_cell: {value: 4, zh: 最小, en: Least}\n"
    "  release_cell_level: {value: county, zh: 层级, en: Level}\n"
    "forms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n"
    "residence:\n"
    "  entity: person\n"
    "  cases:\n"
    "    - {case: 1, zh: 一, en: one, when: \"stay = 1 and reg = 1\","
    " de_facto: true, registered: true, resident: true}\n"
    "    - {case: 3, zh: 三, en: three, when: \"stay = 1\","
    " de_facto: true, registered: false, resident: true}\n"
    "    - {case: 8, zh: 八, en: eight, when: \"stay = 2 and reg = 1\","
    " de_facto: false, registered: true, resident: false}\n"
    "variables:\n"
    "  age20:\n    zh: 龄\n    en: Age\n    entity: person\n"
    "    expr: \"age / 20\"\n"
    "    codes: {0: {zh: 少, en: young}, 1: {zh: 壮, en: grown},"
    " 2: {zh: 老, en: old}}\n"
    "tables:\n"
    "  resident: {zh: 常, en: Resident, entity: person, base: resident,"
    " by: [ea, age20, sex]}\n"
    "  registered: {zh: 籍, en: Registered, entity: person,"
    " base: registered, by: [county, sex]}\n"
    "  women: {zh: 女, en: Women, entity: person, base: de-facto,"
    " where: \"sex = 2\", by: [age20]}\n"
    "  size: {zh: 户, en: Size, entity: household, base: resident,"
    " by: [ea, residents]}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "codes:\n  where: {1: {zh: 本地, en: here}, 2: {zh: 外地, en: away}}\n"
    "  sex: {1: {zh: 男, en: male}, 2: {zh: 女, en: female}}\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n"
    "  person:\n    zh: 人\n    en: Person\n    rows: 20\n    items:\n"
    "      stay: {type: code, codes: where, zh: 在, en: Stay}\n"
    "      reg: {type: code, codes: where, zh: 籍, en: Registered}\n"
    "      sex: {type: code, codes: sex, zh: 性, en: Sex}\n"
    "      age: {type: int, min: 0, max: 150, zh: 龄, en: Age}\n";

enum { STAY, REG, SEX, AGE }; /* items of a person */
enum { RESIDENT, REGISTERED, WOMEN, SIZE };

static const int64_t eas[] = { 11101, 11102, 11201 };

struct fix {
    struct puan_arena a;
    const char *root, *dir;
    struct puan_store_options opt;
    struct puan_store *st;
    unsigned counter;
    uint64_t seed;
};

static void import_areas(struct fix *f, const char *csv)
{
    struct puan_act act = { .actor = PUAN_STR("tester") };
    struct puan_import_result res;

    ok(puan_import(&res, f->st, PUAN_IMPORT_AREAS, puan_str_of(csv),
                   "areas.csv", false, &act, err));
}

#define AREAS                                                                  \
    "code,parent,level,name_zh,name_en\n1,,nation,a,A\n111,1,county,b,B\n"     \
    "112,1,county,c,C\n11101,111,ea,d,D\n11102,111,ea,e,E\n"                   \
    "11201,112,ea,f,F\n"

static struct fix *make(const char *url)
{
    struct fix *f = calloc(1, sizeof(*f));
    const char *pack;

    puan_arena_init(&f->a, puan_os_alloc());
    ok(puan_dir_temp(&f->root, &f->a, err));
    pack = puan_arena_fmt(&f->a, "%s/zz-count", f->root);
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(plan_yaml), 0644, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, err));
    f->dir = puan_arena_fmt(&f->a, "%s/c", f->root);
    f->opt.url = url;
    f->seed = 20201101;
    ok(puan_store_create(f->dir, "demo", pack, "sm", &f->opt, err));
    ok(puan_store_open(&f->st, f->dir, &f->opt, err));
    import_areas(f, AREAS);
    return f;
}

static void unmake(struct fix *f)
{
    struct puan_err err = { 0 };

    puan_store_close(f->st);
    assert_int_equal(puan_dir_remove(f->root, &err), PUAN_OK);
    puan_arena_clear(&f->a);
    free(f);
}

static unsigned draw(struct fix *f, unsigned n)
{
    f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(f->seed >> 33) % n;
}

/* `people` drawn at random; one answer in twelve is missing. */
static void send(struct fix *f, int64_t household, unsigned base,
                 unsigned people, struct puan_arena *a)
{
    static const char *const name[] = { "stay", "reg", "sex", "age" };
    static const unsigned range[] = { 2, 2, 2, 75 };
    struct puan_sender who = { .actor = PUAN_STR("enum"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d"),
                               .area = 1 };
    struct puan_receipt r = { 0 };
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_fmt(&o,
                 "{\"form\":\"mini\",\"household\":\"%lld\",\"base\":%u,"
                 "\"device\":\"d\",\"counter\":%u,\"mode\":\"enumerator\","
                 "\"started\":\"2020-11-02T10:00:00Z\",\"finished\":"
                 "\"2020-11-02T10:10:00Z\",\"signed\":true,\"answers\":{},"
                 "\"person\":[",
                 (long long)household, base, ++f->counter);
    for (unsigned i = 0; i < people; i++) {
        puan_out_text(&o, i ? ",{" : "{");
        for (size_t k = 0; k < PUAN_COUNT(name); k++) {
            puan_out_fmt(&o, "%s\"%s\":", k ? "," : "", name[k]);
            if (draw(f, 12) == 0)
                puan_out_text(&o, "{\"missing\":\"\"}");
            else
                puan_out_fmt(&o, "%u", draw(f, range[k]) + (k != AGE));
        }
        puan_out_char(&o, '}');
    }
    puan_out_text(&o, "]}");
    ok(puan_submit_wait(&r, f->st, &who, puan_out_view(&o), a, err));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

static int64_t number(struct puan_shard *sh, const char *sql)
{
    struct puan_db *db = NULL;
    int64_t n = -1;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_db_int(&n, db, sql, -1, err));
    puan_read_end(sh, db);
    return n;
}

/* ---- the independent count
 * ---------------------------------------------------- */

struct plain {
    int64_t households, persons, de_facto, registered, resident, no_case;
    int64_t resident_cells[4][4][3], women[4], size[4][12];
    int64_t registered_cells[3][3]; /* county, sex */
};

static int64_t answer(const struct puan_record *r, uint32_t row, size_t item)
{
    size_t at = row * r->form->entity[1].n_items + item;

    return r->rows[1].st[at] == PUAN_GIVEN ? r->rows[1].v[at] : 0;
}

static void plain_household(struct plain *p, const struct puan_record *r,
                            size_t ea)
{
    size_t residents = 0;

    p->households++;
    for (uint32_t i = 0; i < r->rows[1].n; i++) {
        int64_t stay = answer(r, i, STAY), reg = answer(r, i, REG);
        size_t at = i * r->form->entity[1].n_items + AGE;
        bool here = stay == 1;
        /* who is absent must be known to be registered here */
        bool registered = reg == 1 && stay != 0;
        size_t sex = answer(r, i, SEX) ? (size_t)answer(r, i, SEX) - 1 : 2;
        size_t age = 3;

        if (r->rows[1].st[at] == PUAN_GIVEN && r->rows[1].v[at] < 60)
            age = (size_t)r->rows[1].v[at] / 20;
        p->persons++;
        p->de_facto += here;
        p->resident += here;
        p->registered += registered;
        p->no_case += !here && !registered;
        residents += here;
        p->resident_cells[ea][age][sex] += here;
        p->registered_cells[ea == 2][sex] += registered;
        p->women[age] += here && sex == 1;
    }
    if (residents)
        p->size[ea][residents < 10 ? residents : 10]++;
}

static void count_plainly(struct plain *p, struct fix *f, int64_t area)
{
    memset(p, 0, sizeof(*p));
    for (size_t s = 1; s < puan_store_shards(f->st); s++) {
        struct puan_shard *sh = puan_store_shard(f->st, s);
        int64_t last = number(sh, "SELECT MAX(seq) FROM ret");
        struct puan_db *db = NULL;

        ok(puan_read_begin(&db, sh, err));
        for (int64_t seq = 1; seq <= last; seq++) {
            struct puan_record rec;
            struct puan_ret r;
            char prefix[24], key[24];
            int64_t newer = -1;

            ok(puan_ret_read(&r, sh, db, seq, &f->a, err));
            ok(puan_db_int(&newer, db,
                           puan_arena_fmt(&f->a,
                                          "SELECT COUNT(*) FROM ret WHERE "
                                          "prev = %lld",
                                          (long long)seq),
                           -1, err));
            puan_format(prefix, sizeof(prefix), "%lld", (long long)area);
            puan_format(key, sizeof(key), "%lld", (long long)r.head.household);
            if (newer || strncmp(prefix, key, strlen(prefix)) != 0)
                continue;
            ok(puan_ret_record(&rec, &r, sh, false, &f->a, err));
            for (size_t e = 0; e < PUAN_COUNT(eas); e++)
                if (r.head.household / 1000 == eas[e])
                    plain_household(p, &rec, e);
        }
        puan_read_end(sh, db);
    }
}

static int64_t cell(const struct puan_count *c, size_t table, size_t a,
                    size_t b, size_t d)
{
    size_t at[] = { a, b, d };

    return puan_tally_value(puan_count_tally(c), puan_count_cells(c), table,
                            at);
}

static void fill(struct fix *f)
{
    for (int64_t h = 1; h <= 90; h++)
        send(f, eas[h % 3] * 1000 + h, 0, draw(f, h % 9 ? 5 : 14), &f->a);
    for (int64_t h = 1; h <= 90; h += 7) /* corrections, some twice */
        for (unsigned v = 1; v <= 1 + h % 2; v++)
            send(f, eas[h % 3] * 1000 + h, v, draw(f, 5), &f->a);
}

/* ---- tests
 * -------------------------------------------------------------------- */

static void plain_loops_count_the_same(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct fix *f = make(engines[e]);
        const struct puan_population *pop;
        struct puan_count *c = NULL;
        struct plain p;

        fill(f);
        count_plainly(&p, f, 1);
        assert_int_equal(p.households, 90);
        assert_true(p.resident > 50 && p.no_case > 0); /* the draw is rich */
        ok(puan_count_area(&c, f->st, 1, NULL, NULL, err));
        pop = puan_count_population(c);
        assert_int_equal(pop->households, p.households);
        assert_int_equal(pop->persons, p.persons);
        assert_int_equal(pop->resident, p.resident);
        assert_int_equal(pop->de_facto, p.de_facto);
        assert_int_equal(pop->registered, p.registered);
        assert_int_equal(pop->no_case, p.no_case);
        assert_int_equal(pop->by_case[0] + pop->by_case[1], p.resident);
        assert_int_equal(pop->by_case[2] + pop->by_case[0], p.registered);
        assert_int_equal(pop->dropped, 0);
        for (size_t ea = 0; ea < 4; ea++)
            for (size_t age = 0; age < 4; age++)
                for (size_t sex = 0; sex < 3; sex++)
                    assert_int_equal(cell(c, RESIDENT, ea, age, sex),
                                     p.resident_cells[ea][age][sex]);
        for (size_t i = 0; i < 3; i++)
            for (size_t sex = 0; sex < 3; sex++)
                assert_int_equal(cell(c, REGISTERED, i, sex, 0),
                                 p.registered_cells[i][sex]);
        for (size_t age = 0; age < 4; age++)
            assert_int_equal(cell(c, WOMEN, age, 0, 0), p.women[age]);
        for (size_t ea = 0; ea < 4; ea++)
            for (size_t n = 0; n < 12; n++)
                assert_int_equal(cell(c, SIZE, ea, n, 0), p.size[ea][n]);
        puan_count_close(c);
        for (size_t i = 0; i < 2; i++) { /* one county, one area */
            static const int64_t part[] = { 112, 11102 };
            int women;

            count_plainly(&p, f, part[i]);
            assert_int_equal(p.households, 30);
            ok(puan_count_area(&c, f->st, part[i], NULL, NULL, err));
            assert_int_equal(puan_count_population(c)->persons, p.persons);
            assert_int_equal(puan_count_population(c)->resident, p.resident);
            women = puan_count_table(c, PUAN_STR("women"));
            assert_true(women >= 0);
            /* no table by counties for less than one */
            assert_int_equal(puan_count_table(c, PUAN_STR("registered")) < 0,
                             part[i] == 11102);
            assert_int_equal(cell(c, (size_t)women, 4, 0, 0),
                             p.women[0] + p.women[1] + p.women[2] + p.women[3]);
            puan_count_close(c);
        }
        unmake(f);
    }
}

struct parcel {
    size_t to;
    const char *body;
};

static enum puan_status put_parcel(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    const struct parcel *p = arg;

    (void)act;
    return puan_outbox_put(sh, db, p->to, "duplicate.decided",
                           puan_str_of(p->body), err);
}

static void decide(struct fix *f, int64_t household, int64_t line, int64_t ret,
                   bool dropped)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("duplicate.decide") };
    struct puan_shard *sh = puan_store_shard_of_household(f->st, household);
    struct parcel p = { puan_shard_ordinal(sh),
                        puan_arena_fmt(
                            &f->a,
                            "{\"household\":%lld,\"line\":%lld,\"ret\":%lld,"
                            "\"dropped\":%d,\"group\":7}",
                            (long long)household, (long long)line,
                            (long long)ret, dropped) };

    ok(puan_commit(puan_store_office(f->st), &act, put_parcel, &p, err));
    ok(puan_store_deliver(f->st, err));
}

/* persons and dropped records as the kept count has them now */
static void assert_now(struct fix *f, int64_t persons, int64_t dropped)
{
    const struct puan_count *c = NULL, *again = NULL;

    ok(puan_count_current(&c, f->st, 1, err));
    assert_int_equal(puan_count_population(c)->persons, persons);
    assert_int_equal(puan_count_population(c)->dropped, dropped);
    ok(puan_count_current(&again, f->st, 1, err));
    assert_ptr_equal(c, again); /* kept while nothing happens */
    puan_count_release(f->st, again);
    puan_count_release(f->st, c);
}

static void a_kept_count_gives_way_to_what_has_happened(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct fix *f = make(engines[e]);
        const struct puan_count *old = NULL;

        assert_now(f, 0, 0);
        send(f, 11101001, 0, 3, &f->a);
        assert_now(f, 3, 0);
        ok(puan_count_current(&old, f->st, 1, err));
        send(f, 11201001, 0, 2, &f->a);
        assert_now(f, 5, 0);
        /* who holds a count keeps it as it was */
        assert_int_equal(puan_count_population(old)->persons, 3);
        puan_count_release(f->st, old);
        decide(f, 11201001, 2, 1, true);
        assert_now(f, 4, 1);
        decide(f, 11201001, 2, 1, false);
        assert_now(f, 5, 0);
        decide(f, 11201001, 2, 1, true);
        send(f, 11201001, 1, 6, &f->a); /* answered anew: counts again */
        assert_now(f, 9, 0);
        decide(f, 11101001, 9, 1, true); /* no such line */
        assert_now(f, 9, 0);
        ok(puan_count_current(&old, f->st, 1, err));
        assert_int_equal(puan_tally_classes(puan_count_tally(old), SIZE, 0), 4);
        puan_count_release(f->st, old);
        import_areas(f, AREAS "11103,111,ea,g,G\n");
        ok(puan_count_current(&old, f->st, 1, err));
        assert_int_equal(puan_tally_classes(puan_count_tally(old), SIZE, 0), 5);
        puan_count_release(f->st, old);
        unmake(f);
    }
}

/* ---- while returns arrive
 * ------------------------------------------------------ */

struct stream {
    struct fix *f;
    atomic_bool stop;
    unsigned sent;
};

/* Households that answer and correct themselves, each time more of them. */
static void *arrive(void *arg)
{
    struct stream *s = arg;
    struct puan_arena a;

    puan_arena_init(&a, puan_os_alloc());
    for (unsigned i = 0; !atomic_load(&s->stop) && i < 4000; i++) {
        unsigned version = i / 60;

        puan_arena_reset(&a);
        send(s->f, eas[i % 3] * 1000 + 1 + i % 60, version, 1 + version % 7,
             &a);
        s->sent++;
    }
    puan_arena_clear(&a);
    return NULL;
}

/* The height of a store as the count's source names it. */
static int64_t height_of(const struct puan_count *c, const char *store,
                         struct puan_arena *a)
{
    const struct puan_node *heads;
    struct puan_node *tree = NULL;
    struct puan_out o;
    struct puan_jw w;
    int64_t n = -1;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_count_source(&w, c);
    ok(puan_json_tree(&tree, puan_out_view(&o), "source", a, err));
    heads = puan_node_get(tree, "heads");
    PUAN_NODE_EACH(h, heads)
    if (puan_str_is(puan_node_str_opt(h, "store", ""), store))
        ok(puan_node_int(&n, h, "height", 0, INT64_MAX, err));
    return n;
}

static uint64_t heights(const struct fix *f)
{
    uint64_t sum = 0;

    for (size_t k = 1; k < puan_store_shards(f->st); k++)
        sum += puan_shard_height(puan_store_shard(f->st, k));
    return sum;
}

static void a_count_is_of_exactly_the_heads_it_names(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct fix *f = make(engines[e]);
        struct stream s = { .f = f };
        struct puan_count *c[12];
        pthread_t thread;
        int64_t moved = 0;

        assert_int_equal(pthread_create(&thread, NULL, arrive, &s), 0);
        for (size_t i = 0; i < PUAN_COUNT(c); i++) {
            uint64_t before = heights(f);

            ok(puan_count_area(&c[i], f->st, 1, NULL, NULL, err));
            /* on a busy machine the stream may need a moment */
            for (int ms = 0; i == 0 && heights(f) == before && ms < 10000; ms++)
                usleep(1000);
        }
        atomic_store(&s.stop, true);
        pthread_join(thread, NULL);
        for (size_t i = 0; i < PUAN_COUNT(c); i++) {
            const struct puan_population *pop = puan_count_population(c[i]);
            int64_t households = 0, persons = 0, sum = 0;

            for (size_t k = 1; k < puan_store_shards(f->st); k++) {
                struct puan_shard *sh = puan_store_shard(f->st, k);
                long long height = height_of(c[i], puan_shard_name(sh), &f->a);
                const char *sql = puan_arena_fmt(
                    &f->a,
                    "FROM ret r WHERE entry < %lld AND NOT EXISTS(SELECT 1 "
                    "FROM ret n WHERE n.prev = r.seq AND n.entry < %lld)",
                    height, height);
                const char *n =
                    puan_arena_fmt(&f->a, "SELECT COUNT(*) %s", sql);
                const char *p = puan_arena_fmt(
                    &f->a, "SELECT CAST(SUM(persons) AS BIGINT) %s", sql);
                int64_t more = number(sh, p);

                assert_true(height >= 0);
                households += number(sh, n);
                persons += more > 0 ? more : 0;
                moved += number(sh, "SELECT MAX(entry) FROM ret") >= height;
            }
            assert_int_equal(pop->households, households);
            assert_int_equal(pop->persons, persons);
            for (size_t k = 0; k < PUAN_TABLE_SIZES; k++)
                sum += (int64_t)k * cell(c[i], SIZE, 4, k, 0);
            assert_int_equal(sum, pop->resident);
            assert_int_equal(cell(c[i], RESIDENT, 4, 4, 3), pop->resident);
            puan_count_close(c[i]);
        }
        assert_true(moved > 0); /* something did arrive meanwhile */
        unmake(f);
    }
}

/* ---- views
 * ---------------------------------------------------------------------- */

/* The cells of a view, as a list of numbers; null is -1. */
static size_t view(int64_t *cell, size_t max, const struct puan_count *c,
                   size_t table, const char *by, const char *list,
                   struct puan_arena *a)
{
    struct puan_node *tree = NULL;
    struct puan_view v;
    struct puan_out o;
    struct puan_jw w;
    size_t n = 0;

    ok(puan_view_make(&v, c, table, puan_str_of(by), err));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    ok(puan_view_json(&w, c, &v, a, err));
    ok(puan_json_tree(&tree, puan_out_view(&o), "view", a, err));
    PUAN_NODE_EACH(k, puan_node_get(tree, list))
    {
        assert_true(n < max);
        cell[n] = -1;
        if (!puan_str_is(k->text, "null") && !puan_str_is(k->text, ""))
            assert_true(puan_int_parse(&cell[n], k->text));
        n++;
    }
    return n;
}

static void a_view_sums_up_and_its_parts_are_the_whole(void **state)
{
    struct fix *f = make(NULL);
    struct puan_population sum = { 0 };
    struct puan_count *c = NULL;
    int64_t all[200], some[50];
    struct puan_view v;

    (void)state;
    fill(f);
    ok(puan_count_area(&c, f->st, 111, NULL, NULL, err));
    assert_int_equal(view(all, 200, c, RESIDENT, "", "cells", &f->a),
                     3 * 4 * 3);
    /* age (3 and unknown) by sex (2 and unknown) */
    assert_int_equal(view(all, 200, c, RESIDENT, "age20,sex", "cells", &f->a),
                     4 * 3);
    assert_int_equal(view(some, 50, c, RESIDENT, "age20", "cells", &f->a), 4);
    for (size_t i = 0; i < 4; i++) {
        int64_t n = 0;

        for (size_t k = 0; k < 3; k++)
            n += all[i * 3 + k];
        assert_int_equal(some[i], n);
    }
    assert_int_equal(view(some, 50, c, RESIDENT, "age20", "margins", &f->a), 5);
    assert_int_equal(some[4], puan_count_population(c)->resident);
    assert_int_equal(puan_view_make(&v, c, RESIDENT, PUAN_STR("shoe"), NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_count_parts(c), 2);
    for (size_t i = 0; i < 2; i++) {
        uint32_t area;
        const struct puan_population *p = puan_count_part(&area, c, i);

        sum.persons += p->persons;
        sum.resident += p->resident;
        sum.by_case[2] += p->by_case[2];
        assert_true(p->households > 0);
    }
    assert_int_equal(sum.persons, puan_count_population(c)->persons);
    assert_int_equal(sum.resident, puan_count_population(c)->resident);
    assert_int_equal(sum.by_case[2], puan_count_population(c)->by_case[2]);
    puan_count_close(c);
    unmake(f);
}

/*
 * The trial plan publishes from counties up; an enumeration area is finer.
 * No line of what is shown gives a withheld cell away.
 */
static void a_small_cell_of_a_fine_table_is_withheld(void **state)
{
    struct fix *f = make(NULL);
    struct puan_count *c = NULL;
    int64_t m[3 * 4], hidden = 0;
    struct puan_view v;
    struct puan_out o;
    int women;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        send(f, 11101001 + i, 0, 2, &f->a);
    ok(puan_count_area(&c, f->st, 111, NULL, NULL, err));
    ok(puan_view_make(&v, c, RESIDENT, PUAN_STR("age20,sex"), err));
    assert_int_equal(v.least, 0); /* of a county: nothing is fine */
    puan_count_close(c);
    ok(puan_count_area(&c, f->st, 11101, NULL, NULL, err));
    women = puan_count_table(c, PUAN_STR("women"));
    assert_true(women >= 0);
    ok(puan_view_make(&v, c, (size_t)women, PUAN_STR(""), err));
    assert_int_equal(v.least, 4);
    assert_int_equal(view(m, 12, c, (size_t)women, "", "margins", &f->a), 5);
    for (size_t i = 0; i < 5; i++) {
        hidden += m[i] < 0;
        assert_true(m[i] <= 0 || m[i] >= 4);
    }
    assert_true(hidden != 1);
    assert_true(hidden > 0); /* six persons do not make cells of four each */
    puan_out_init(&o, &f->a);
    ok(puan_view_csv(&o, c, &v, &f->a, err));
    assert_non_null(memmem(o.p, o.n, ",不予公布\r\n",
                           strlen(",不予公布\r\n")));
    assert_null(memmem(o.p, o.n, ",\r\n", 3));
    puan_count_close(c);
    unmake(f);
}

/* ---- over HTTP
 * ------------------------------------------------------------------ */

static struct puan_http_reply reply;

static void session(char token[PUAN_TOKEN_TEXT], struct fix *f,
                    struct puan_host *host, const char *role, int64_t area)
{
    const struct puan_plan *plan = puan_store_plan(f->st);
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = area,
                            .seat = 1,
                            .area = area,
                            .role = -1 };
    int64_t now = puan_real_now();

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, role))
            who.role = (int32_t)i;
    assert_true(who.role >= 0);
    puan_format(who.name, sizeof(who.name), "%s-%lld", role, (long long)area);
    puan_format(who.seat_text, sizeof(who.seat_text), "%s", role);
    ok(puan_session_open(token, puan_host_sessions(host), &who, now, 1000000,
                         now + 1000000, err));
}

static unsigned get(struct puan_http_client *client, const char *path,
                    const char *token)
{
    struct puan_http_call c = { .method = "GET", .token = token };
    char full[160];

    puan_format(full, sizeof(full), "/api/v1/c/zz-count/%s", path);
    c.path = full;
    ok(puan_http_call(&reply, client, &c, err));
    return reply.status;
}

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static void the_rightful_seat_sees_its_area_and_the_source(void **state)
{
    struct puan_host_options ho = {
        .listen = "127.0.0.1:0", .workers = 2, .loops = 1, .quiet = true
    };
    struct fix *f = make(NULL);
    char mine[PUAN_TOKEN_TEXT], other[PUAN_TOKEN_TEXT], clerk[PUAN_TOKEN_TEXT];
    char ea[PUAN_TOKEN_TEXT];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_http_client *client = NULL;
    struct puan_host *host = NULL;
    struct puan_shard *sh;
    struct plain p;

    (void)state;
    fill(f);
    count_plainly(&p, f, 111);
    ok(puan_host_start(&host, f->st, puan_features, &ho, err));
    ok(puan_http_client_open(&client, puan_host_address(host), err));
    session(mine, f, host, "statistician", 111);
    session(other, f, host, "statistician", 112);
    session(clerk, f, host, "clerk", 111);
    session(ea, f, host, "surveyor", 111);

    assert_int_equal(get(client, "tables", mine), 200);
    assert_true(says("{\"id\":\"women\",\"zh\":\"女\",\"en\":\"Women\","
                     "\"entity\":\"person\",\"by\":[\"age20\"],"
                     "\"base\":\"de_facto\""));
    assert_int_equal(get(client, "tables/women?area=111", mine), 200);
    assert_true(says(puan_arena_fmt(
        &f->a, "\"cells\":[%lld,%lld,%lld,%lld],\"total\":%lld",
        (long long)p.women[0], (long long)p.women[1], (long long)p.women[2],
        (long long)p.women[3],
        (long long)(p.women[0] + p.women[1] + p.women[2] + p.women[3]))));
    puan_hex(hex, puan_store_plan(f->st)->digest, PUAN_DIGEST_SIZE);
    assert_true(says(puan_arena_fmt(&f->a, "\"plan_digest\":\"%s\"", hex)));
    sh = puan_store_shard_of_area(f->st, 111);
    assert_true(says(puan_arena_fmt(
        &f->a, "{\"store\":\"%s\",\"height\":%llu,\"head\":\"",
        puan_shard_name(sh), (unsigned long long)puan_shard_height(sh))));
    assert_true(says("\"store\":\"office\""));

    assert_int_equal(get(client, "tables/women?area=111&format=csv", mine),
                     200);
    assert_true(puan_str_starts(
        reply.body, "age20,age20_zh,age20_en,count\r\n0,少,young,"));
    assert_true(puan_str_starts(puan_http_reply_header(&reply, "content-type"),
                                "text/csv"));
    assert_true(says(puan_arena_fmt(
        &f->a, "total,合计,total,%lld\r\n",
        (long long)(p.women[0] + p.women[1] + p.women[2] + p.women[3]))));
    assert_int_equal(get(client, "population?area=111", mine), 200);
    assert_true(says(puan_arena_fmt(
        &f->a, "\"households\":60,\"persons\":%lld,\"resident\":%lld,",
        (long long)p.persons, (long long)p.resident)));
    assert_true(says("\"case\":8"));

    assert_true(says("\"parts\":[{\"code\":\"11101\""));

    /* each reading is an entry that says what was read of where */
    assert_int_equal(
        number(puan_store_office(f->st),
               "SELECT count(*) FROM ledger WHERE"
               " instr(entry, CAST('evaluation.view' AS BLOB)) > 0 AND"
               " instr(entry, CAST('area/111/table/women' AS BLOB)) > 0 AND"
               " instr(entry, CAST('statistician-111' AS BLOB)) > 0"),
        2);
    assert_int_equal(
        number(puan_store_office(f->st),
               "SELECT count(*) FROM ledger WHERE"
               " instr(entry, CAST('evaluation.view' AS BLOB)) > 0 AND"
               " instr(entry, CAST('area/111/population' AS BLOB)) > 0"),
        1);

    /* the same table in words of one's own; more of them; small ones */
    assert_int_equal(get(client,
                         "tabulate?area=111&base=de_facto&by=age20&where="
                         "sex%20%3D%202",
                         mine),
                     200);
    assert_true(says(puan_arena_fmt(&f->a, "\"margins\":[%lld,%lld,%lld,",
                                    (long long)p.women[0],
                                    (long long)p.women[1],
                                    (long long)p.women[2])));
    assert_true(says(puan_arena_fmt(
        &f->a, ",%lld],\"places\":0",
        (long long)(p.women[0] + p.women[1] + p.women[2] + p.women[3]))));
    assert_int_equal(
        get(client, "tabulate?area=111&base=all&by=ea&show=count", mine), 200);
    assert_true(says("{\"code\":\"11101\",\"zh\":\"d\",\"en\":\"D\"}"));
    assert_true(says(puan_arena_fmt(&f->a, ",%lld],\"places\":0",
                                    (long long)p.persons)));
    assert_int_equal(
        get(client, "tabulate?area=111&of=household&base=all", mine), 200);
    assert_true(says("\"margins\":[60],"));
    assert_int_equal(get(client,
                         "tabulate?area=111&base=all&by=sex&show=mean(age)",
                         mine),
                     200);
    assert_true(says("\"places\":2"));
    assert_int_equal(get(client,
                         "tabulate?area=111&base=all&by=age&where=age%20%3C%203",
                         mine),
                     200);
    assert_true(says("\"x\"") && !says("\"withheld\":0"));
    assert_int_equal(get(client, "tabulate?area=111&by=sxe", mine), 400);
    assert_true(says("'sxe'"));
    assert_int_equal(get(client, "tabulate?area=111&by=sex", other), 403);
    assert_int_equal(get(client, "tabulate?area=111&by=sex", clerk), 403);
    assert_int_equal(get(client, "tabulate/items?area=111", mine), 200);
    assert_true(says("{\"name\":\"sex\",\"zh\":\"性\",\"en\":\"Sex\","
                     "\"entity\":\"person\",\"type\":\"code\"}"));
    assert_int_equal(
        number(puan_store_office(f->st),
               "SELECT count(*) FROM ledger WHERE"
               " instr(entry, CAST('area/111/table/built/age20;' AS BLOB)) >"
               " 0"),
        1);

    /* one enumeration area for who answers for those only */
    assert_int_equal(get(client, "population/ea?area=11101", ea), 200);
    assert_int_equal(get(client, "population/ea?area=111", ea), 400);
    assert_false(says("persons"));
    assert_int_equal(get(client, "population?area=11101", ea), 403);
    assert_int_equal(get(client, "population/ea?area=11101", clerk), 403);

    assert_int_equal(get(client, "tables/none?area=111", mine), 404);
    assert_int_equal(get(client, "tables/women?area=111&format=xls", mine),
                     400);
    assert_int_equal(get(client, "tables/women?area=111", NULL), 401);
    assert_int_equal(get(client, "tables/women?area=111", other), 403);
    assert_int_equal(get(client, "tables/women?area=111", clerk), 403);
    assert_int_equal(get(client, "population?area=111", other), 403);
    assert_int_equal(get(client, "population?area=111", clerk), 403);
    assert_int_equal(get(client, "population?area=1", mine), 403);
    assert_false(says("persons"));
    puan_http_client_close(client);
    puan_host_stop(host);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_loops_count_the_same),
        cmocka_unit_test(a_kept_count_gives_way_to_what_has_happened),
        cmocka_unit_test(a_count_is_of_exactly_the_heads_it_names),
        cmocka_unit_test(a_view_sums_up_and_its_parts_are_the_whole),
        cmocka_unit_test(a_small_cell_of_a_fine_table_is_withheld),
        cmocka_unit_test(the_rightful_seat_sees_its_area_and_the_source),
    };
    const char *pg = getenv("PUAN_TEST_PG");

    engines[n_engines++] = NULL; /* SQLite */
    if (pg && *pg)
        engines[n_engines++] = pg;
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
