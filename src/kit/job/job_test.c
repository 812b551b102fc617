/*
 * Tests of the pool, the parallel loop, the ticker and the progress count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <time.h>

#include "kit/job/job.h"
#include "kit/job/progress.h"

static _Atomic int ran;

static void bump(void *arg)
{
    atomic_fetch_add(&ran, *(int *)arg);
}

static void pool_runs_everything_before_it_closes(void **state)
{
    struct puan_pool *p;
    int one = 1;

    (void)state;
    atomic_store(&ran, 0);
    assert_int_equal(puan_pool_open(&p, 3, 1000, NULL), PUAN_OK);
    for (int i = 0; i < 1000; i++)
        while (puan_pool_run(p, bump, &one) == PUAN_EBUSY)
            ;
    puan_pool_close(p);
    assert_int_equal(atomic_load(&ran), 1000);
}

struct sums {
    _Atomic uint64_t sum;
    uint64_t fail_at;
};

static enum puan_status add(void *arg, uint64_t begin, uint64_t end,
                            unsigned worker, struct puan_err *err)
{
    struct sums *s = arg;

    (void)worker;
    for (uint64_t i = begin; i < end; i++) {
        if (i == s->fail_at)
            return puan_fail(err, PUAN_EINVAL, "item", "number %llu is bad",
                             (unsigned long long)i);
        atomic_fetch_add(&s->sum, i);
    }
    return PUAN_OK;
}

static void parallel_visits_each_index_once(void **state)
{
    struct sums s = { .fail_at = UINT64_MAX };

    (void)state;
    assert_int_equal(puan_parallel(4, 10001, 7, add, &s, NULL), PUAN_OK);
    assert_int_equal(atomic_load(&s.sum), 10000ull * 10001 / 2);
}

static void parallel_gives_the_failure(void **state)
{
    struct sums s = { .fail_at = 5000 };
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_parallel(4, 10001, 7, add, &s, &err), PUAN_EINVAL);
    assert_string_equal(err.text, "number 5000 is bad");
}

static void ticker_runs_and_stops(void **state)
{
    struct puan_ticker *t;
    int one = 1;
    struct puan_tick tick = { "bump", 10, bump, &one };
    int seen;

    (void)state;
    atomic_store(&ran, 0);
    assert_int_equal(puan_ticker_open(&t, &tick, 1, NULL), PUAN_OK);
    for (int i = 0; i < 500 && atomic_load(&ran) < 3; i++)
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    puan_ticker_close(t);
    seen = atomic_load(&ran);
    assert_true(seen >= 3);
    nanosleep(&(struct timespec){ 0, 30000000 }, NULL);
    assert_int_equal(atomic_load(&ran), seen);
}

static void progress_counts(void **state)
{
    struct puan_progress p;

    (void)state;
    puan_progress_quiet(true);
    puan_progress_begin(&p, "counting", 10);
    puan_progress_add(&p, 4);
    puan_progress_add(&p, 3);
    assert_int_equal(atomic_load(&p.done), 7);
    assert_true(puan_progress_end(&p) >= 0);
    puan_progress_quiet(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_runs_everything_before_it_closes),
        cmocka_unit_test(parallel_visits_each_index_once),
        cmocka_unit_test(parallel_gives_the_failure),
        cmocka_unit_test(ticker_runs_and_stops),
        cmocka_unit_test(progress_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
