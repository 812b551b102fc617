/*
 * Returns of a form out of CSV files into a campaign: each household's rows
 * become the document an enumerator would have sent, and go the way of all
 * documents (features/ingest), several at a time.  A household of which a
 * version came from an import of this form is left alone, so the same files
 * again change nothing, not even what was corrected since, and an import that
 * was broken off goes on.
 */
#include "features/campaign/internal.h"

#include <stdatomic.h>

#include "base/calendar.h"
#include "core/plan/plan.h"
#include "features/check/csv_record.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define SENDERS 8u /* so many wait together for one write to the disk */

struct sending {
    struct puan_store *store;
    const struct puan_form *form;
    const struct puan_csv_set *set;
    struct puan_csv_cursor *cursor[SENDERS];
    struct puan_progress bar;
    atomic_uint_fast64_t taken, again, waiting;
};

/* An item of the head as the rows have it; -1 when they do not. */
static int64_t from_head(const struct puan_record *r, unsigned from)
{
    const struct puan_entity *e = &r->form->entity[0];

    for (uint16_t i = 0; i < e->n_items; i++)
        if (e->items[i].from == from && r->rows[0].st[i] == PUAN_GIVEN)
            return r->rows[0].v[i];
    return -1;
}

static const char *device_of(const struct sending *x, struct puan_arena *a)
{
    return puan_arena_fmt(a, "import-%.*s", PUAN_FMT(x->form->id));
}

static struct puan_str document(const struct sending *x,
                                const struct puan_csv_return *r,
                                struct puan_arena *a)
{
    const struct puan_plan *plan = puan_store_plan(x->store);
    int64_t now = puan_store_now(x->store);
    int64_t seconds = from_head(&r->record, PUAN_FROM_SECONDS);
    struct puan_ret_head head = { 0 };
    struct puan_out out;
    struct puan_jw w;
    char text[64];

    (void)puan_ret_head(&head, x->store, r->household);
    puan_out_init(&out, a);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", x->form->id);
    puan_format(text, sizeof(text), "%lld", (long long)r->household);
    puan_jw_ktext(&w, "household", text);
    puan_jw_kint(&w, "base", head.version);
    puan_jw_ktext(&w, "device", device_of(x, a));
    puan_jw_kint(&w, "counter", (int64_t)head.version + 1);
    /* how it was collected stands in the answers; an import is no household */
    puan_jw_ktext(&w, "mode", "enumerator");
    puan_instant_text(text, now - (seconds > 0 ? seconds : 0) * 1000,
                      plan->offset_minutes);
    puan_jw_ktext(&w, "started", text);
    puan_instant_text(text, now, plan->offset_minutes);
    puan_jw_ktext(&w, "finished", text);
    puan_jw_key(&w, "signed");
    puan_jw_bool(&w, from_head(&r->record, PUAN_FROM_SIGNED) == 1);
    puan_record_json(&w, &r->record);
    puan_jw_end(&w, '}');
    return puan_out_view(&out);
}

/* One of its versions came the same way: a second import leaves it alone, also
   when the answers have been corrected since. */
static enum puan_status is_there(bool *there, const struct sending *x,
                                 int64_t household, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_household(x->store, household);
    struct puan_ret_head head = { 0 };
    struct puan_db *db;
    enum puan_status st;

    *there = false;
    if (!sh || !puan_ret_head(&head, x->store, household))
        return PUAN_OK;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    for (int64_t seq = head.ret; st == PUAN_OK && seq && !*there;) {
        struct puan_ret r = { 0 };

        st = puan_ret_read(&r, sh, db, seq, a, err);
        *there = st == PUAN_OK && r.form == x->form &&
                 puan_str_is(r.head.device, device_of(x, a));
        seq = r.prev;
    }
    puan_read_end(sh, db);
    return st;
}

static enum puan_status chunk(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct sending *x = arg;
    struct puan_sender who = { .actor = PUAN_STR("import"), .estimate = true };
    struct puan_arena a, one;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&one, &puan_heap);
    if (!x->cursor[worker])
        st = puan_csv_cursor_open(&x->cursor[worker], x->set, err);
    for (uint64_t k = begin; st == PUAN_OK && k < end; k++) {
        struct puan_csv_return *list;
        size_t n;

        puan_arena_reset(&a);
        st = puan_csv_cursor_chunk(&list, &n, x->cursor[worker], (size_t)k, &a,
                                   err);
        for (size_t i = 0; st == PUAN_OK && i < n; i++) {
            struct puan_receipt r;
            bool there;

            puan_arena_reset(&one);
            puan_progress_add(&x->bar, 1);
            st = is_there(&there, x, list[i].household, &one, err);
            if (st != PUAN_OK)
                break;
            if (there) {
                atomic_fetch_add(&x->again, 1);
                continue;
            }
            st = puan_submit_wait(&r, x->store, &who,
                                  document(x, &list[i], &one), &one, err);
            if (st != PUAN_OK)
                break;
            atomic_fetch_add(r.outcome == PUAN_SUBMIT_ACCEPTED   ? &x->taken
                             : r.outcome == PUAN_SUBMIT_REPEATED ? &x->again
                                                                 : &x->waiting,
                             1);
        }
    }
    puan_arena_clear(&a);
    puan_arena_clear(&one);
    return st;
}

/* Which files went in, and how that ended.  The returns have entries of their
   own; this one says that they came by an import and not from the field. */
static enum puan_status enter(const struct puan_csv_returns *out,
                              struct puan_store *store, struct puan_str form,
                              const char *const *paths, size_t n,
                              struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(store);
    struct puan_act act = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line"),
                            .verb = PUAN_STR("return.import"),
                            .subject = form,
                            .has_new = true };
    uint8_t (*each)[PUAN_DIGEST_SIZE];
    struct puan_str all;
    enum puan_status st = PUAN_OK;
    struct puan_arena a;

    puan_arena_init(&a, &puan_heap);
    each = puan_arena_get_n(&a, n, sizeof(*each));
    for (size_t i = 0; i < n && !a.failed && st == PUAN_OK; i++) {
        struct puan_map map;

        st = puan_map_open(&map, paths[i], err);
        if (st != PUAN_OK)
            break;
        puan_digest_one(each[i], fn, map.bytes);
        puan_map_close(&map);
    }
    if (st == PUAN_OK)
        st = puan_arena_check(&a, err);
    if (st == PUAN_OK) {
        all = (struct puan_str){ (const char *)each, n * sizeof(*each) };
        puan_digest_one(act.new_digest, fn, all);
        act.note = puan_str_of(puan_arena_fmt(
            &a, "taken %llu, there before %llu, in quarantine %llu",
            (unsigned long long)out->taken, (unsigned long long)out->again,
            (unsigned long long)out->waiting));
        st = puan_commit(puan_store_office(store), &act, NULL, NULL, err);
    }
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_import_csv_returns(struct puan_csv_returns *out,
                                         struct puan_store *store,
                                         struct puan_str form,
                                         const char *const *paths, size_t n,
                                         bool dry_run, struct puan_err *err)
{
    const struct puan_csv_options opt = { .chunk = 64 };
    const struct puan_plan *plan = puan_store_plan(store);
    struct sending x = { .store = store };
    struct puan_csv_set *set = NULL;
    enum puan_status st;

    *out = (struct puan_csv_returns){ 0 };
    x.form = puan_plan_form(plan, form);
    if (!x.form)
        return puan_fail(err, PUAN_ENOTFOUND, "--form",
                         "the plan has no form '%.*s'", PUAN_FMT(form));
    st = puan_csv_set_open(&set, x.form, plan->routing[x.form->ordinal], paths,
                           n, &opt, err);
    if (st != PUAN_OK)
        return st;
    x.set = set;
    out->households = puan_csv_set_rows(set, 0);
    if (!dry_run) {
        puan_progress_begin(&x.bar, "导入普查表 importing returns",
                            out->households);
        st = puan_parallel(SENDERS, puan_csv_set_chunks(set), 1, chunk, &x,
                           err);
        puan_progress_end(&x.bar);
    }
    for (size_t i = 0; i < SENDERS; i++)
        puan_csv_cursor_close(x.cursor[i]);
    puan_csv_set_close(set);
    out->taken = atomic_load(&x.taken);
    out->again = atomic_load(&x.again);
    out->waiting = atomic_load(&x.waiting);
    /* also of an import broken off: what it took is there */
    if (!dry_run) {
        struct puan_err own = { 0 };
        enum puan_status told = enter(out, store, form, paths, n,
                                      st == PUAN_OK ? err : &own);

        st = st == PUAN_OK ? told : st;
    }
    return st;
}
