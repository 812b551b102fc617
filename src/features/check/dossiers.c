/*
 * Rules over several records: who belongs together is told by identity tokens
 * in a campaign, where the vault stays closed, and by the texts themselves in
 * CSV files.  Nothing that is printed holds a name or number.
 */
#include "base/csv.h"
#include "core/codes/codes.h"
#include "features/check/figures.h"
#include "features/ingest/ingest.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define FILE_MOST ((size_t)1 << 30)

enum puan_status puan_dossier_begin(struct puan_dossier_run *d,
                                    const struct puan_plan *plan,
                                    const struct puan_dossier *dossier,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_ruleset *rs = NULL;
    enum puan_status st;

    *d = (struct puan_dossier_run){ .plan = plan, .dossier = dossier,
                                    .arena = a };
    puan_out_init(&d->findings, a);
    puan_out_text(&d->findings, "rule,severity,households,message\n");
    st = puan_dossiers_new(&d->rows, dossier, a, err);
    if (st == PUAN_OK)
        st = puan_ruleset_compile(&rs, dossier->form, plan->consts,
                                  plan->n_consts, plan->rule_text,
                                  plan->rule_name, plan->n_rules, a, err);
    d->rules = rs;
    return st;
}

/* ---- keys ---------------------------------------------------------------- */

struct key { /* two FNV-1a sums of other beginnings */
    uint64_t a, b;
};

static void mix(struct key *k, const void *p, size_t n)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < n; i++) {
        k->a = (k->a ^ c[i]) * 0x100000001b3u;
        k->b = (k->b ^ (unsigned char)(c[i] + 0x5b)) * 0x100000001b3u;
        k->b ^= k->b >> 29;
    }
}

static void mix_text(struct key *k, struct puan_str s, bool id)
{
    s = puan_str_trim(s);
    for (size_t i = 0; i < s.n; i++) {
        char c = id && s.p[i] == 'x' ? 'X' : s.p[i];

        mix(k, &c, 1);
    }
    mix(k, "\x1f", 1);
}

static void begin_key(struct key *k, const struct puan_dossier_run *d,
                      int64_t household)
{
    int within = d->dossier->within;
    int64_t area = 0;

    *k = (struct key){ 0xcbf29ce484222325u, 0x84222325cbf29ce4u };
    if (within == (int)d->plan->n_levels)
        area = household;
    else if (within >= 0)
        area = puan_plan_area_of_household(d->plan, household, (size_t)within);
    mix(k, &area, sizeof(area));
}

/* False when an item of the key is not given. */
static bool key_of(uint8_t out[16], const struct puan_dossier_run *d,
                   const struct puan_dossier_roster *ro,
                   const struct puan_dossier_source *s,
                   const struct puan_record *r, uint32_t row,
                   int64_t household)
{
    const struct puan_entity *e = &r->form->entity[s->entity];
    const struct puan_rows *rows = &r->rows[s->entity];
    size_t at = (size_t)row * e->n_items;
    struct key k;

    begin_key(&k, d, household);
    for (size_t i = 0; i < ro->n_keys; i++) {
        const struct puan_item *it = &e->items[s->key[i]];
        size_t x = at + s->key[i];

        if (rows->st[x] != PUAN_GIVEN)
            return false;
        if (it->zone == PUAN_ZONE_FRAME) {
            mix(&k, &rows->v[x], sizeof(rows->v[x]));
            continue;
        }
        if (!rows->txt || rows->txt[x].n == 0)
            return false;
        mix_text(&k, rows->txt[x], it->type == PUAN_TYPE_CITIZEN_ID);
    }
    memcpy(out, &k.a, 8);
    memcpy(out + 8, &k.b, 8);
    return true;
}

static int64_t ea_of(const struct puan_plan *p, int64_t household)
{
    return puan_plan_area_of_household(p, household, p->ea_level);
}

static void here(struct puan_dossier_run *d, int64_t household)
{
    puan_dossiers_here(d->rows,
                       puan_plan_area_of_household(d->plan, household,
                                                   d->plan->shard_level));
}

void puan_dossier_return(struct puan_dossier_run *d,
                         const struct puan_record *r, int64_t household)
{
    here(d, household);
    for (size_t i = 0; i < d->dossier->n_rosters; i++) {
        const struct puan_dossier_roster *ro = &d->dossier->roster[i];

        for (size_t k = 0; k < ro->n_sources; k++) {
            const struct puan_dossier_source *s = &ro->source[k];
            uint8_t key[16];

            if (s->form != r->form->ordinal)
                continue;
            for (uint32_t row = 0; row < r->rows[s->entity].n; row++)
                if (puan_dossier_takes(s, r, s->entity, row) &&
                    key_of(key, d, ro, s, r, row, household))
                    puan_dossiers_add(d->rows, i, s, r, row, household,
                                      ea_of(d->plan, household), key);
        }
    }
}

static int register_of(const struct puan_dossier *d, struct puan_str name)
{
    for (size_t i = 0; i < d->n_regs; i++)
        if (puan_str_eq(d->reg[i], name))
            return (int)i;
    return -1;
}

enum puan_status puan_dossier_register(struct puan_dossier_run *d,
                                       struct puan_str name, const char *path,
                                       struct puan_err *err)
{
    int reg = register_of(d->dossier, name), id, ea;
    struct puan_arena a, row;
    struct puan_csv c;
    struct puan_str text;
    bool more = true;
    enum puan_status st;

    if (reg < 0)
        return puan_fail(err, PUAN_ENOTFOUND, path,
                         "dossier '%.*s' has no register '%.*s'",
                         PUAN_FMT(d->dossier->form->id), PUAN_FMT(name));
    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&row, &puan_heap);
    st = puan_file_read(&text, path, FILE_MOST, &a, err);
    if (st == PUAN_OK)
        st = puan_csv_open(&c, text, path, &a, &row, err);
    id = st == PUAN_OK ? puan_csv_column(&c, "id_number") : -1;
    ea = st == PUAN_OK ? puan_csv_column(&c, "ea") : -1;
    if (st == PUAN_OK && id < 0)
        st = puan_fail_at(err, PUAN_EINVAL, path, 1, 0,
                          "column id_number is missing");
    while (st == PUAN_OK) {
        struct key k;
        uint8_t key[16];
        int64_t area = 0;

        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        if (ea >= 0)
            (void)puan_int_parse(&area, c.field[ea]);
        begin_key(&k, d, 0);
        mix_text(&k, c.field[id], true);
        memcpy(key, &k.a, 8);
        memcpy(key + 8, &k.b, 8);
        puan_dossiers_entry(d->rows, (size_t)reg, area, key);
    }
    puan_arena_clear(&row);
    puan_arena_clear(&a);
    return st;
}

/* ---- a campaign ---------------------------------------------------------- */

struct pass {
    struct puan_dossier_run *d;
    struct puan_arena row;
};

/* The token of a row was made from the item that is the roster's key. */
static enum puan_status one_return(void *arg, const struct puan_ret *r,
                                   struct puan_err *err)
{
    struct pass *x = arg;
    struct puan_dossier_run *d = x->d;
    struct puan_record rec;
    enum puan_status st;

    puan_arena_reset(&x->row);
    here(d, r->head.household);
    st = puan_record_decode(&rec, r->form, r->frame, r->facts, PUAN_STR(""),
                            &x->row, err);
    for (size_t at = 0; st == PUAN_OK && at + PUAN_TOKEN_BYTES <= r->tok.n;
         at += PUAN_TOKEN_BYTES) {
        struct puan_token t;

        puan_token_read(&t, r->tok.p + at);
        for (size_t i = 0; i < d->dossier->n_rosters; i++)
            for (size_t k = 0; k < d->dossier->roster[i].n_sources; k++) {
                const struct puan_dossier_source *s =
                    &d->dossier->roster[i].source[k];

                if (t.entity < r->form->n_entities &&
                    t.row < rec.rows[t.entity].n &&
                    puan_dossier_takes(s, &rec, t.entity, t.row))
                    puan_dossiers_add(d->rows, i, s, &rec, t.row,
                                      r->head.household,
                                      ea_of(d->plan, r->head.household),
                                      t.token);
            }
    }
    return st == PUAN_OK ? puan_arena_check(&x->row, err) : st;
}

static enum puan_status police(struct puan_dossier_run *d, struct puan_db *db,
                               struct puan_err *err)
{
    int reg = register_of(d->dossier, PUAN_STR("police"));
    struct puan_stmt *q = NULL;
    bool more = true;
    enum puan_status st;

    if (reg < 0)
        return PUAN_OK;
    st = puan_sql(&q, db, "SELECT token, ea FROM register", err);
    while (st == PUAN_OK) {
        struct puan_str t;

        st = puan_stmt_step(&more, q, err);
        if (st != PUAN_OK || !more)
            break;
        t = puan_col_bytes(q, 0);
        if (t.n == 16)
            puan_dossiers_entry(d->rows, (size_t)reg, puan_col_int(q, 1),
                                (const uint8_t *)t.p);
    }
    puan_stmt_done(q);
    return st;
}

/* All rosters are found by the one citizen ID of a row. */
static enum puan_status by_token(const struct puan_dossier_run *d,
                                 struct puan_err *err)
{
    const struct puan_dossier *x = d->dossier;

    for (size_t i = 0; i < x->n_rosters; i++)
        for (size_t k = 0; k < x->roster[i].n_sources; k++) {
            const struct puan_dossier_source *s = &x->roster[i].source[k];
            const struct puan_item *it = &d->plan->form[s->form]
                                              ->entity[s->entity]
                                              .items[s->key[0]];

            if (x->roster[i].n_keys != 1 || x->within >= 0 ||
                it->type != PUAN_TYPE_CITIZEN_ID)
                return puan_fail(err, PUAN_EDENIED, "dossier",
                                 "dossier '%.*s' is made by names, which a "
                                 "campaign keeps sealed: export the returns "
                                 "with the authority to do so, and run it on "
                                 "the files",
                                 PUAN_FMT(x->form->id));
        }
    return PUAN_OK;
}

enum puan_status puan_dossier_store(struct puan_dossier_run *d,
                                    struct puan_store *store, int64_t area,
                                    struct puan_err *err)
{
    struct pass x = { .d = d };
    int64_t from, to;
    enum puan_status st = by_token(d, err);

    puan_arena_init(&x.row, puan_os_alloc());
    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; st == PUAN_OK && i < puan_store_shards(store); i++) {
        struct puan_shard *sh = puan_store_shard(store, i);
        struct puan_db *db;
        int64_t a, b;

        puan_area_keys(&a, &b, store, puan_shard_area(sh));
        if (b <= from || a >= to)
            continue;
        st = puan_ret_each(sh, a > from ? a : from, b < to ? b : to,
                           one_return, &x, err);
        if (st == PUAN_OK)
            st = puan_read_begin(&db, sh, err);
        if (st == PUAN_OK) {
            st = police(d, db, err);
            puan_read_end(sh, db);
        }
    }
    puan_arena_clear(&x.row);
    return st;
}

/* ---- findings ------------------------------------------------------------ */

static void put_households(struct puan_out *o, const struct puan_record *r)
{
    bool any = false;

    for (uint16_t e = 1; e < r->form->n_entities; e++) {
        int item = puan_entity_item(&r->form->entity[e],
                                    PUAN_STR("household"));

        for (uint32_t i = 0; item >= 0 && i < r->rows[e].n; i++) {
            size_t at = (size_t)i * r->form->entity[e].n_items + (size_t)item;

            if (r->rows[e].st[at] != PUAN_GIVEN)
                continue;
            puan_out_fmt(o, "%s%lld", any ? " " : "",
                         (long long)r->rows[e].v[at]);
            any = true;
        }
    }
}

enum puan_status puan_dossier_end(struct puan_dossier_run *d, bool zh,
                                  struct puan_err *err)
{
    struct puan_arena one;
    bool more = true;
    enum puan_status st = puan_dossiers_close(d->rows, err);

    puan_arena_init(&one, &puan_heap);
    while (st == PUAN_OK) {
        struct puan_findings found;
        struct puan_record r;

        puan_arena_reset(&one);
        st = puan_dossiers_next(&more, &r, d->rows, &one, err);
        if (st != PUAN_OK || !more)
            break;
        d->n_dossiers++;
        st = puan_ruleset_run(&found, d->rules, &r, &one, err);
        for (size_t i = 0; st == PUAN_OK && i < found.n; i++) {
            const struct puan_rule_info *info =
                puan_ruleset_info(d->rules, found.list[i].rule);
            struct puan_out *o = &d->findings;

            puan_csv_put(o, info->id);
            puan_out_text(o, info->severity == PUAN_HARD ? ",hard," : ",soft,");
            put_households(o, &r);
            puan_out_char(o, ',');
            puan_csv_put(o, zh ? info->zh : info->en);
            puan_out_char(o, '\n');
            d->n_findings++;
        }
    }
    puan_arena_clear(&one);
    return st == PUAN_OK ? puan_arena_check(d->arena, err) : st;
}
