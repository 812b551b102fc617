/*
 * A small census of the trial plan: returns and lots.
 */
#include "features/host/test_fixture.h"

#include "features/cases/cases.h"
#include "features/ledgers/ledgers.h"

struct puan_fix *puan_fix_canton(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);

    puan_fix_create(f, "demo", "plans/zz-test", "sm");
    puan_fix_open(f);
    puan_fix_import(
        f, PUAN_IMPORT_AREAS,
        "code,parent,level,name_zh,name_en\n"
        "11,,canton,a,A\n11001,11,parish,b,B\n11001001,11001,round,c,C\n"
        "11002,11,parish,d,D\n11002001,11002,round,e,E\n"
        "11003,11,parish,f,F\n11003001,11003,round,g,G\n");
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,head_name,c1\n"
                    "110010010001,11001001,Ann Zed,3\n"
                    "110010010002,11001001,,\n110020010001,11002001,,\n");
    puan_fix_clock(f, "2021-04-02T12:00:00-03:30");
    return f;
}

struct puan_str puan_fix_return(struct puan_fix *f, int64_t household,
                                unsigned base, unsigned counter,
                                const char *rooms, const char *mode,
                                const char *more)
{
    return puan_str_of(puan_arena_fmt(
        &f->a,
        "{\"form\":\"household\",\"household\":\"%lld\",\"base\":%u,"
        "\"device\":\"d-1\",\"counter\":%u,\"mode\":\"%s\",%s"
        "\"started\":\"2021-04-02T10:00:00-03:30\","
        "\"finished\":\"2021-04-02T10:10:00-03:30\",\"signed\":true,"
        "\"answers\":{\"members\":1,\"dwelling\":1,\"rooms\":%s},"
        "\"member\":[{\"full_name\":\"Ann Zed\",\"place\":1,\"sex\":\"F\","
        "\"born\":\"1980-03\",\"card\":\"X1\",\"usual\":1,\"tongue\":\"01\","
        "\"school\":2,\"job\":\"baker\"}]}",
        (long long)household, base, counter, mode, more, rooms));
}

struct puan_receipt puan_fix_submit(struct puan_fix *f,
                                    const struct puan_sender *who,
                                    struct puan_str doc)
{
    struct puan_receipt r = { 0 };

    ok(puan_submit_wait(&r, f->st, who, doc, &f->a, err));
    return r;
}

void puan_fix_send(struct puan_fix *f, int64_t household, unsigned base,
                   const char *rooms)
{
    struct puan_sender who = { .actor = PUAN_STR("enum-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = household / 10000 };
    struct puan_receipt r =
        puan_fix_submit(f, &who,
                        puan_fix_return(f, household, base, ++f->counter, rooms,
                                        "enumerator", ""));

    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

enum puan_status puan_fix_accept(struct puan_fix *f, const char *role,
                                 int64_t seat_area, int64_t area,
                                 const char *reason)
{
    struct puan_act act = { .actor = PUAN_STR("u1"),
                            .seat = puan_str_of(role),
                            .verb = PUAN_STR("lot.accept") };
    struct puan_flow_who who = puan_case_seat(
        f->st, PUAN_STR("u1"), puan_str_of(role), seat_area, area);

    f->err = (struct puan_err){ 0 };
    return puan_lot_accept(&f->lot, f->st, &act, &who, area,
                           puan_str_of(reason), PUAN_STR(""), &f->a, &f->err);
}

void puan_fix_covered(uint8_t digest[PUAN_DIGEST_SIZE], struct puan_fix *f,
                      int64_t run, const char *name)
{
    struct puan_shard *office = puan_store_office(f->st);
    struct puan_flow_run *now = NULL;
    struct puan_case_row row;
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, office, err));
    ok(puan_case_read(&row, &now, f->st, db, run, &f->a, err));
    puan_read_end(office, db);
    puan_flow_covered(digest, now,
                      puan_flow_approval(now->flow, puan_str_of(name)),
                      puan_store_digest(f->st));
}

uint64_t puan_fix_verify(struct puan_fix *f)
{
    struct puan_verify_options opt = { .url = f->opt.url };
    struct puan_verify v;

    ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
    if (v.n_problems > 0)
        fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
    return v.rows;
}
