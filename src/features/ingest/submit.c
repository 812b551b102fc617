/*
 * The path of one document.  Everything that costs is done by the caller's
 * thread: reading, routing, facts, rules, encoding, sealing, tokens, digest.
 * The writer looks at one slot of memory, appends one row, and the store
 * appends the entry.  Only a document that is not a household's first, or that
 * is refused, reads anything.
 */
#include "features/ingest/internal.h"

#include "core/area/area.h"
#include "core/codes/codes.h"
#include "core/ledger/ledger.h"
#include "kit/log/log.h"

struct submit {
    struct puan_ingest_shard *is;
    const struct puan_sender *who;
    struct puan_str body;
    struct puan_arena *a;
    puan_submit_fn done;
    void *arg;

    struct puan_return_head head;
    const struct puan_ingest_form *form;
    struct puan_record rec;
    struct puan_str frame, facts, plain, sealed, findings, reasons, tok;
    uint32_t hard, soft, persons;
    uint32_t version; /* base + 1 */
    uint8_t digest[PUAN_DIGEST_SIZE];
    const char *refuse; /* reason to quarantine without looking further */
    enum puan_submit_outcome refused;
    struct puan_err why; /* of an unreadable document */

    struct puan_act act;
    struct puan_slot before, after;
    bool inserted;
    struct puan_receipt receipt;
};

/* ---- what the caller's thread does ------------------------------------------ */

/* The fact that says whether a number is well formed (0), or -1. */
static int check_of(const struct puan_entity *ent, uint16_t item)
{
    for (uint16_t i = 0; i < ent->n_items; i++)
        if ((ent->items[i].fact == PUAN_FACT_ID_CHECK ||
             ent->items[i].fact == PUAN_FACT_NUMBER_CHECK) &&
            ent->items[i].fact_of == item)
            return i;
    return -1;
}

/*
 * What the token is made of: a well-formed citizen ID or number of a scheme as
 * normalised, another number without blanks and in capitals.  0: nothing to identify anybody by.
 */
static size_t identity_of(char *out, size_t cap, const struct puan_entity *ent,
                          const struct puan_rows *rows, uint32_t r,
                          uint16_t item)
{
    size_t at = (size_t)r * ent->n_items, n = 0;
    struct puan_str s = rows->txt[at + item];
    int check = check_of(ent, item);

    if (rows->st[at + item] != PUAN_GIVEN)
        return 0;
    if (check >= 0) {
        if (rows->st[at + (size_t)check] != PUAN_GIVEN ||
            rows->v[at + (size_t)check] != 0)
            return 0;
        n = ent->items[item].scheme ? puan_mark_normal(out, cap, s)
                                    : puan_id_normal(out, cap, s);
        return n < cap ? n : 0;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == ' ' || c == '\t')
            continue;
        if (n == cap)
            return 0;
        out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return n;
}

static void make_tokens(struct submit *s)
{
    const struct puan_form *form = s->form->form;
    struct puan_store *store = s->is->in->store;
    struct puan_str campaign = puan_str_of(puan_store_id(store));
    struct puan_out o;

    puan_out_init(&o, s->a);
    for (uint16_t e = 0; e < form->n_entities; e++) {
        const struct puan_entity *ent = &form->entity[e];
        const struct puan_rows *rows = &s->rec.rows[e];

        for (uint16_t i = 0; i < ent->n_asked; i++) {
            if (!ent->items[i].identifies)
                continue;
            for (uint32_t r = 0; r < rows->n; r++) {
                struct puan_token t = { .row = (uint16_t)r,
                                        .entity = (uint8_t)e };
                char id[64];
                size_t n = identity_of(id, sizeof(id), ent, rows, r, i);

                if (n == 0)
                    continue;
                puan_keys_token_of(t.token, puan_store_keys(store), campaign,
                                   "id", (struct puan_str){ id, n });
                if (e == s->form->residence_entity)
                    for (size_t c = 0; c < s->form->n_residence; c++)
                        if (puan_expr_truth(s->form->residence[c], &s->rec,
                                            r) == PUAN_TRUE) {
                            t.residence = (uint8_t)(c + 1);
                            break;
                        }
                puan_token_put(&o, &t);
            }
        }
    }
    s->tok = puan_out_view(&o);
}

static enum puan_status seal_column(struct puan_str *out, struct submit *s,
                                    const char *column, struct puan_str plain,
                                    struct puan_err *err)
{
    char row[48];
    struct puan_str aad;
    struct puan_out o;
    enum puan_status st;

    puan_format(row, sizeof(row), "%lld.%u", (long long)s->head.household,
                s->version);
    aad = puan_seal_aad(s->a, puan_shard_area(s->is->sh), "ret", column,
                        s->is->vault->version, puan_str_of(row));
    puan_out_init(&o, s->a);
    st = puan_seal(&o, s->is->vault, aad, plain, err);
    *out = puan_out_view(&o);
    return st;
}

static enum puan_status judge(struct submit *s, struct puan_err *err)
{
    struct puan_findings found = { 0 };
    struct puan_edit_counts counts;
    struct puan_out findings, reasons;
    uint32_t unused = 0;
    enum puan_status st;

    st = puan_ruleset_run(&found, s->form->rules, &s->rec, s->a, err);
    if (st == PUAN_OK)
        st = puan_edits_from(&s->receipt.edits, &found, s->a, err);
    s->receipt.edits.version = puan_ruleset_version(s->form->rules);
    if (st == PUAN_OK && s->head.confirm.n > 0)
        st = puan_edits_confirm(&s->receipt.edits, &unused, s->form->rules,
                                s->head.confirm, s->who->actor, s->a, err);
    if (st != PUAN_OK)
        return st;
    counts = puan_edits_count(&s->receipt.edits, s->form->rules);
    s->hard = counts.hard_open > 255 ? 255 : counts.hard_open;
    s->soft = counts.soft_open > 255 ? 255 : counts.soft_open;
    puan_out_init(&findings, s->a);
    puan_out_init(&reasons, s->a);
    puan_edits_encode(&findings, &reasons, &s->receipt.edits);
    s->findings = puan_out_view(&findings);
    s->reasons = puan_out_view(&reasons);
    if (s->reasons.n > 0)
        st = seal_column(&s->reasons, s, "reasons", s->reasons, err);
    return st;
}

static enum puan_status prepare(struct submit *s, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(s->is->in->store);
    const struct puan_form *form = s->form->form;
    struct puan_out frame, facts, vault;
    enum puan_status st;

    puan_routing_apply(plan->routing[form->ordinal], &s->rec);
    puan_record_facts(&s->rec);
    s->version = s->head.base + 1;
    s->persons = 0;
    if (s->form->residence_entity >= 0)
        s->persons = s->rec.rows[s->form->residence_entity].n;
    if (s->persons > 127)
        s->persons = 127;
    st = judge(s, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&frame, s->a);
    puan_out_init(&facts, s->a);
    puan_out_init(&vault, s->a);
    puan_record_encode(&frame, &facts, &vault, &s->rec);
    s->frame = puan_out_view(&frame);
    s->facts = puan_out_view(&facts);
    s->plain = puan_out_view(&vault);
    st = seal_column(&s->sealed, s, "vault", s->plain, err);
    if (st != PUAN_OK)
        return st;
    make_tokens(s);
    puan_return_digest(s->digest, puan_store_digest(s->is->in->store), &s->head,
                       s->version, form->digest, s->frame, s->facts, s->sealed);
    return puan_arena_check(s->a, err);
}

/* May this sender send this household's answers, in this mode? */
static enum puan_status authority(const struct submit *s, struct puan_err *err)
{
    const struct puan_sender *w = s->who;
    bool self = puan_str_is(s->head.mode, "self");
    int64_t from, to;

    if (w->household_account)
        return s->head.household == w->household && self
                   ? PUAN_OK
                   : puan_fail(err, PUAN_EDENIED, "household",
                               "this account may send its own household only, "
                               "in mode self");
    puan_area_keys(&from, &to, s->is->in->store, w->area);
    if (w->area == 0) /* a seat of the whole installation */
        to = INT64_MAX;
    if (s->head.household < from || s->head.household >= to)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "outside this seat's area");
    if (self)
        return puan_fail(err, PUAN_EDENIED, "mode",
                         "self is for the household's own account");
    if (puan_str_is(s->head.mode, "office-estimate") && !w->estimate)
        return puan_fail(err, PUAN_EDENIED, "mode",
                         "an estimate is no return: it is kept apart, see "
                         "estimates");
    if (w->device.n > 0 && !puan_str_eq(w->device, s->head.device))
        return puan_fail(err, PUAN_EDENIED, "device",
                         "the document names another device than this "
                         "session's");
    return PUAN_OK;
}

/*
 * A unit whose listing names a channel reports by the forms of that channel,
 * and these come for nobody else: another hand cannot take another form.
 */
static enum puan_status by_its_channel(const struct submit *s,
                                       const struct puan_plan *plan,
                                       struct puan_err *err)
{
    const struct puan_channel *of_form =
        puan_plan_channel_of(plan, s->head.form);
    const struct puan_channel *of_unit = NULL;
    struct puan_stmt *q = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status st;

    if (plan->n_channels == 0)
        return PUAN_OK;
    st = puan_read_begin(&db, s->is->sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&q, db, "SELECT mode FROM listing WHERE household = $1", err);
    if (st == PUAN_OK) {
        puan_bind_int(q, 1, s->head.household);
        st = puan_stmt_step(&more, q, err);
    }
    if (st == PUAN_OK && more)
        of_unit = puan_plan_channel(plan, puan_col_text(q, 0));
    puan_stmt_done(q);
    puan_read_end(s->is->sh, db);
    if (st != PUAN_OK || of_form == of_unit)
        return st;
    if (of_unit != NULL)
        return puan_fail(err, PUAN_EDENIED, "form",
                         "this unit reports by channel %.*s alone, with one of "
                         "its forms",
                         PUAN_FMT(of_unit->id));
    return puan_fail(err, PUAN_EDENIED, "form",
                     "form %.*s comes by channel %.*s alone, which the listing "
                     "does not name for this unit",
                     PUAN_FMT(s->head.form), PUAN_FMT(of_form->id));
}

/* ---- what the writer does ----------------------------------------------------- */

static enum puan_status put_row(struct submit *s, struct puan_db *db,
                                struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    enum puan_status st;
    int i = 1;

    st = puan_sql(&q, db,
                  "INSERT INTO ret(seq, household, prev, version, form, mode,"
                  " device, counter, actor, seat, started, finished, received,"
                  " signed, entry, query, frame, facts, vault, findings,"
                  " reasons, tok, hard, soft, persons, digest)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
                  " $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,"
                  " $24, $25, $26)",
                  err);
    if (st != PUAN_OK)
        return PUAN_EIO;
    puan_bind_int(q, i++, s->after.ret);
    puan_bind_int(q, i++, s->head.household);
    puan_bind_int(q, i++, s->before.ret);
    puan_bind_int(q, i++, s->version);
    puan_bind_int(q, i++, s->form->form->ordinal);
    puan_bind_text(q, i++, s->head.mode);
    puan_bind_text(q, i++, s->head.device);
    puan_bind_int(q, i++, (int64_t)s->head.counter);
    puan_bind_text(q, i++, s->who->actor);
    puan_bind_text(q, i++, s->who->seat);
    puan_bind_int(q, i++, s->head.started_ms);
    puan_bind_int(q, i++, s->head.finished_ms);
    puan_bind_int(q, i++, s->act.entry_ms);
    puan_bind_int(q, i++, s->head.is_signed);
    puan_bind_int(q, i++, (int64_t)s->act.seq);
    puan_bind_text(q, i++, s->head.query);
    puan_bind_bytes(q, i++, s->frame.p, s->frame.n);
    puan_bind_bytes(q, i++, s->facts.p, s->facts.n);
    puan_bind_bytes(q, i++, s->sealed.p, s->sealed.n);
    puan_bind_bytes(q, i++, s->findings.p, s->findings.n);
    puan_bind_bytes(q, i++, s->reasons.p, s->reasons.n);
    puan_bind_bytes(q, i++, s->tok.p, s->tok.n);
    puan_bind_int(q, i++, s->hard);
    puan_bind_int(q, i++, s->soft);
    puan_bind_int(q, i++, s->persons);
    puan_bind_bytes(q, i++, s->digest, PUAN_DIGEST_SIZE);
    st = puan_stmt_once(q, err);
    /* a row of that number that is not ours is a fault, not a refusal */
    return st == PUAN_OK ? PUAN_OK : PUAN_EIO;
}

static enum puan_status answer_query(struct submit *s, struct puan_db *db,
                                     struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    int64_t id;
    enum puan_status st;

    if (!puan_int_parse(&id, s->head.query))
        return puan_fail(err, PUAN_EINVAL, "query", "is not a query's number");
    st = puan_sql(&q, db,
                  "UPDATE query SET state = 'answered', answered = $1"
                  " WHERE id = $2 AND household = $3 AND state = 'open'",
                  err);
    if (st != PUAN_OK)
        return PUAN_EIO;
    puan_bind_int(q, 1, (int64_t)s->act.seq);
    puan_bind_int(q, 2, id);
    puan_bind_int(q, 3, s->head.household);
    st = puan_stmt_run(q, err);
    if (st != PUAN_OK)
        st = PUAN_EIO;
    else if (puan_stmt_changes(q) == 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "query",
                       "no open query of that number for this household");
    puan_stmt_done(q);
    return st;
}

/* A household found at the door: it joins the listing with its return. */
static enum puan_status put_listing(struct submit *s, struct puan_db *db,
                                    struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    enum puan_status st;

    st = puan_sql(&q, db,
                  "INSERT INTO listing(household, ea, building, unit, status,"
                  " mode, sealed, cells)"
                  " VALUES ($1, $2, '', '', 'found', $3, $4, '{}')"
                  " ON CONFLICT(household) DO NOTHING",
                  err);
    if (st != PUAN_OK)
        return PUAN_EIO;
    puan_bind_int(q, 1, s->head.household);
    puan_bind_int(q, 2, s->head.household / s->is->in->household_base);
    puan_bind_text(q, 3, s->head.mode);
    puan_bind_bytes(q, 4, "", 0);
    st = puan_stmt_once(q, err);
    return st == PUAN_OK ? PUAN_OK : PUAN_EIO;
}

static enum puan_status tell_watchers(struct submit *s, struct puan_shard *sh,
                                      struct puan_db *db, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < s->is->n_watch && st == PUAN_OK; i++) {
        int64_t from, to;
        char body[160];

        puan_area_keys(&from, &to, s->is->in->store, s->is->watch[i]);
        if (s->head.household < from || s->head.household >= to)
            continue;
        puan_format(body, sizeof(body),
                    "{\"area\":%lld,\"household\":%lld,\"version\":%u,"
                    "\"seq\":%llu}",
                    (long long)s->is->watch[i], (long long)s->head.household,
                    s->version, (unsigned long long)s->act.seq);
        st = puan_outbox_put(sh, db, 0, "return.changed", puan_str_of(body),
                             err);
    }
    return st == PUAN_OK ? PUAN_OK : PUAN_EIO;
}

static enum puan_status into_quarantine(struct submit *s, struct puan_db *db,
                                        enum puan_submit_outcome outcome,
                                        const char *reason,
                                        struct puan_err *err)
{
    struct puan_quarantined q;
    struct puan_str source;
    enum puan_status st;

    source = puan_str_of(puan_arena_fmt(s->a, "%.*s/%.*s",
                                        PUAN_FMT(s->who->actor),
                                        PUAN_FMT(s->who->device)));
    st = puan_quarantine_put(&q, s->is, db, &s->act, source, s->head.household,
                             reason, s->body, s->a, err);
    if (st == PUAN_OK) {
        s->receipt.outcome = outcome;
        s->receipt.ret = q.id;
        s->receipt.seq = q.again ? 0 : s->act.seq;
        s->receipt.time_ms = s->act.entry_ms;
        s->receipt.version = s->before.version;
    }
    return st;
}

/* Does a stored return say exactly what this document says? */
static enum puan_status says_the_same(bool *same, struct submit *s,
                                      const struct puan_ret *r,
                                      struct puan_err *err)
{
    char row[48];
    struct puan_str aad, plain;
    const struct puan_seal_key *key;
    int version = puan_sealed_version(r->vault);
    enum puan_status st;

    *same = false;
    if (r->form != s->form->form || r->version != s->version ||
        !puan_str_eq(r->frame, s->frame) || !puan_str_eq(r->facts, s->facts) ||
        !puan_str_eq(r->head.mode, s->head.mode) ||
        !puan_str_eq(r->head.query, s->head.query) ||
        r->head.started_ms != s->head.started_ms ||
        r->head.finished_ms != s->head.finished_ms ||
        r->head.is_signed != s->head.is_signed ||
        !puan_str_eq(r->findings, s->findings) || version < 0)
        return PUAN_OK;
    key = puan_keys_data_version(puan_store_keys(s->is->in->store),
                                 puan_shard_area(s->is->sh), "vault",
                                 (uint16_t)version);
    if (!key)
        return puan_fail(err, PUAN_EIO, "vault",
                         "key version %d of this county is missing", version);
    puan_format(row, sizeof(row), "%lld.%u", (long long)s->head.household,
                r->version);
    aad = puan_seal_aad(s->a, puan_shard_area(s->is->sh), "ret", "vault",
                        (uint16_t)version, puan_str_of(row));
    st = puan_unseal(&plain, key, aad, r->vault, s->a, err);
    if (st == PUAN_OK)
        *same = puan_str_eq(plain, s->plain);
    return st;
}

static enum puan_status repeat(struct submit *s, const struct puan_ret *r,
                               struct puan_err *err)
{
    struct puan_receipt *out = &s->receipt;

    s->act.silent = true;
    out->outcome = PUAN_SUBMIT_REPEATED;
    out->version = r->version;
    out->seq = r->entry;
    out->ret = r->seq;
    out->time_ms = r->received_ms;
    memcpy(out->digest, r->digest, PUAN_DIGEST_SIZE);
    return puan_edits_decode(&out->edits, r->findings, (struct puan_str){ 0 },
                             s->a, err);
}

/*
 * Not the first of its household: look for the counter in all its versions,
 * then at the base.  *insert tells that it may be appended.
 */
static enum puan_status against_history(bool *insert, struct submit *s,
                                        struct puan_db *db,
                                        struct puan_err *err)
{
    struct puan_arena tmp;
    struct puan_ret r;
    enum puan_status st = PUAN_OK;

    *insert = false;
    puan_arena_init(&tmp, s->a->host);
    for (int64_t at = s->before.ret; at != 0 && st == PUAN_OK; at = r.prev) {
        bool same = false;

        puan_arena_reset(&tmp);
        st = puan_ret_read(&r, s->is->sh, db, at, &tmp, err);
        if (st != PUAN_OK)
            break;
        if (at == s->before.ret) {
            s->act.has_old = true;
            memcpy(s->act.old_digest, r.digest, PUAN_DIGEST_SIZE);
        }
        if (r.head.counter != s->head.counter ||
            !puan_str_eq(r.head.device, s->head.device))
            continue;
        st = says_the_same(&same, s, &r, err);
        if (st == PUAN_OK && same)
            st = repeat(s, &r, err);
        else if (st == PUAN_OK)
            st = into_quarantine(s, db, PUAN_SUBMIT_CONFLICT, "conflict", err);
        goto out;
    }
    if (st != PUAN_OK)
        goto out;
    if (s->head.base != s->before.version)
        st = into_quarantine(s, db, PUAN_SUBMIT_STALE, "stale", err);
    else if (s->version > PUAN_VERSIONS_MAX)
        st = puan_fail(err, PUAN_ELIMIT, "version",
                       "a household's return has at most %d versions",
                       PUAN_VERSIONS_MAX);
    else
        *insert = true;
out:
    puan_arena_clear(&tmp);
    return st;
}

static enum puan_status submit_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct submit *s = arg;
    struct puan_ingest_shard *is = s->is;
    struct puan_slot *slot;
    bool insert = true, unlisted;
    enum puan_status st = PUAN_OK;

    s->inserted = false;
    act->has_old = false;
    act->verb = PUAN_STR("return.submit");
    if (s->refuse)
        return into_quarantine(s, db, s->refused, s->refuse, err);
    pthread_mutex_lock(&is->lock);
    slot = puan_heads_find(is, s->head.household);
    if (!slot) {
        slot = puan_heads_add(is, s->head.household);
        if (slot)
            slot->hard = 255; /* in no listing yet */
    }
    if (slot)
        s->before = *slot;
    pthread_mutex_unlock(&is->lock);
    if (!slot)
        return puan_fail(err, PUAN_ENOMEM, "ret", "out of memory");
    unlisted = s->before.ret == 0 && s->before.hard == 255;
    if (s->before.ret != 0) {
        act->verb = PUAN_STR("return.correct");
        st = against_history(&insert, s, db, err);
    } else if (s->head.base != 0) {
        insert = false;
        st = into_quarantine(s, db, PUAN_SUBMIT_STALE, "stale", err);
    }
    if (st != PUAN_OK || !insert)
        return st;
    if (s->head.query.n > 0) {
        st = answer_query(s, db, err);
        if (st != PUAN_OK)
            return st;
    }
    s->after = (struct puan_slot){
        .household = s->head.household,
        .ret = is->next_ret,
        .version = (uint8_t)s->version,
        .hard = (uint8_t)s->hard,
        .soft = (uint8_t)s->soft,
        .persons = (uint8_t)(s->persons |
                             (puan_str_is(s->head.mode, "self") ? 0x80u : 0)),
    };
    if (unlisted)
        st = put_listing(s, db, err);
    if (st == PUAN_OK)
        st = put_row(s, db, err);
    if (st == PUAN_OK && is->n_watch > 0)
        st = tell_watchers(s, sh, db, err);
    if (st != PUAN_OK)
        return st;
    act->has_new = true;
    memcpy(act->new_digest, s->digest, PUAN_DIGEST_SIZE);
    s->receipt.outcome = PUAN_SUBMIT_ACCEPTED;
    s->receipt.version = s->version;
    s->receipt.seq = act->seq;
    s->receipt.ret = is->next_ret;
    s->receipt.time_ms = act->entry_ms;
    memcpy(s->receipt.digest, s->digest, PUAN_DIGEST_SIZE);
    pthread_mutex_lock(&is->lock);
    slot = puan_heads_find(is, s->head.household);
    if (slot)
        *slot = s->after;
    is->next_ret++;
    memcpy(is->last_digest, s->digest, PUAN_DIGEST_SIZE);
    pthread_mutex_unlock(&is->lock);
    s->inserted = true;
    return PUAN_OK;
}

static void submit_undo(struct puan_shard *sh, struct puan_act *act, void *arg)
{
    struct submit *s = arg;
    struct puan_ingest_shard *is = s->is;
    struct puan_slot *slot;

    (void)sh;
    (void)act;
    if (!s->inserted)
        return;
    pthread_mutex_lock(&is->lock);
    slot = puan_heads_find(is, s->head.household);
    if (slot)
        *slot = s->before;
    is->next_ret--;
    pthread_mutex_unlock(&is->lock);
    s->inserted = false;
}

static void submit_done(enum puan_status st, struct puan_act *act, void *arg,
                        const struct puan_err *err)
{
    struct submit *s = arg;

    (void)act;
    if (st == PUAN_OK && s->inserted) {
        struct puan_slot before = s->before;

        if (before.ret == 0)
            before.hard = 0;
        pthread_mutex_lock(&s->is->lock);
        puan_heads_count(s->is, &before, &s->after);
        pthread_mutex_unlock(&s->is->lock);
        puan_tokens_add(s->is, s->after.ret, s->tok);
    }
    if (st == PUAN_OK && s->receipt.outcome == PUAN_SUBMIT_UNREADABLE)
        err = &s->why;
    if (st == PUAN_ELIMIT)
        puan_log(PUAN_LOG_WARN, "quarantine-full",
                 PUAN_LOG_T("store", puan_shard_name(s->is->sh)),
                 PUAN_LOG_S("source", s->who->actor));
    s->done(s->arg, st, &s->receipt, err);
}

/* ---- the two together ----------------------------------------------------------- */

static enum puan_status read_document(struct submit *s, struct puan_store *store,
                                      struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_ingest *in = puan_ingest_of(store);
    struct puan_shard *sh;
    enum puan_status st;

    if (s->body.n > PUAN_RETURN_MAX)
        return puan_fail(err, PUAN_ELIMIT, "body",
                         "a return is at most %d bytes", PUAN_RETURN_MAX);
    st = puan_record_read(&s->rec, &s->head, plan->form, plan->n_forms, s->body,
                          s->a, &s->why);
    if (st != PUAN_OK && st != PUAN_ENOMEM) {
        /* whose it is cannot be told: it stays where its sender belongs */
        sh = s->who->household_account
                 ? puan_store_shard_of_household(store, s->who->household)
                 : puan_store_shard_of_area(store, s->who->area);
        s->is = sh ? puan_ingest_shard_of(sh) : NULL;
        if (!s->is) {
            if (err)
                *err = s->why;
            return st;
        }
        s->head = (struct puan_return_head){ 0 };
        s->refuse = "unreadable";
        s->refused = PUAN_SUBMIT_UNREADABLE;
        return PUAN_OK;
    }
    if (st != PUAN_OK)
        return st;
    s->form = &in->form[s->rec.form->ordinal];
    s->receipt.form = s->form->form;
    s->receipt.rules = s->form->rules;
    s->receipt.household = s->head.household;
    sh = puan_store_shard_of_household(store, s->head.household);
    s->is = sh ? puan_ingest_shard_of(sh) : NULL;
    if (!s->is)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "outside this seat's area");
    st = authority(s, err);
    if (st == PUAN_OK)
        st = by_its_channel(s, plan, err);
    if (st != PUAN_OK)
        return st;
    if (puan_area_of_household(puan_store_areas(store), s->head.household) ==
        PUAN_AREA_NONE)
        return puan_fail(err, PUAN_EINVAL, "household",
                         "its enumeration area does not exist");
    if (!puan_plan_open(plan, s->head.form, s->head.mode,
                        puan_store_now(store))) {
        s->refuse = "window";
        s->refused = PUAN_SUBMIT_WINDOW;
        return PUAN_OK;
    }
    if (s->who->hold) {
        s->refuse = s->who->hold;
        s->refused = PUAN_SUBMIT_HELD;
        return PUAN_OK;
    }
    st = prepare(s, err);
    if (st == PUAN_EINVAL || st == PUAN_EDENIED) { /* its confirmations */
        if (err) {
            s->why = *err;
            *err = (struct puan_err){ 0 };
        }
        s->refuse = "unreadable";
        s->refused = PUAN_SUBMIT_UNREADABLE;
        st = PUAN_OK;
    }
    return st;
}

void puan_submit(struct puan_store *store, const struct puan_sender *who,
                 struct puan_str body, struct puan_arena *a,
                 puan_submit_fn done, void *arg)
{
    struct submit *s = puan_new(a, struct submit);
    struct puan_err err = { 0 };
    char *subject;
    enum puan_status st;

    if (!s) {
        puan_fail(&err, PUAN_ENOMEM, "body", "out of memory");
        done(arg, PUAN_ENOMEM, NULL, &err);
        return;
    }
    s->who = who;
    s->body = body;
    s->a = a;
    s->done = done;
    s->arg = arg;
    st = read_document(s, store, &err);
    subject = puan_arena_get(a, 24);
    if (st == PUAN_OK && !subject)
        st = puan_fail(&err, PUAN_ENOMEM, "body", "out of memory");
    if (st != PUAN_OK) {
        done(arg, st, NULL, &err);
        return;
    }
    puan_format(subject, 24, "%lld", (long long)s->head.household);
    s->act = (struct puan_act){
        .actor = who->actor,
        .seat = who->seat,
        .device = who->device.n > 0 ? who->device : s->head.device,
        .subject = puan_str_of(subject),
        .event_ms = s->head.finished_ms,
        .hot = true,
        .undo = submit_undo,
    };
    puan_commit_async(s->is->sh, &s->act, submit_body, submit_done, s);
}

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct puan_receipt *out;
    struct puan_err *err;
    enum puan_status st;
    bool done;
};

static void wait_done(void *arg, enum puan_status st,
                      const struct puan_receipt *r, const struct puan_err *err)
{
    struct wait *w = arg;

    pthread_mutex_lock(&w->lock);
    w->st = st;
    if (r)
        *w->out = *r;
    if (err && w->err && w->err->code == PUAN_OK)
        *w->err = *err;
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

enum puan_status puan_submit_wait(struct puan_receipt *r,
                                  struct puan_store *store,
                                  const struct puan_sender *who,
                                  struct puan_str body, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct wait w = { .out = r, .err = err };

    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    puan_submit(store, who, body, a, wait_done, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    return w.st;
}

const char *puan_submit_outcome_name(enum puan_submit_outcome o)
{
    switch (o) {
    case PUAN_SUBMIT_ACCEPTED:
        return "accepted";
    case PUAN_SUBMIT_REPEATED:
        return "repeated";
    case PUAN_SUBMIT_STALE:
        return "stale";
    case PUAN_SUBMIT_CONFLICT:
        return "conflict";
    case PUAN_SUBMIT_WINDOW:
        return "window";
    case PUAN_SUBMIT_UNREADABLE:
        return "unreadable";
    case PUAN_SUBMIT_HELD:
        return "held";
    }
    return "";
}

void puan_receipt_json(struct puan_jw *w, const struct puan_receipt *r)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1], when[32];

    puan_jw_map(w);
    puan_jw_ktext(w, "outcome", puan_submit_outcome_name(r->outcome));
    puan_jw_key(w, "household");
    {
        char key[24]; /* a key may exceed what JavaScript counts exactly */

        puan_format(key, sizeof(key), "%lld", (long long)r->household);
        puan_jw_text(w, key);
    }
    if (r->outcome == PUAN_SUBMIT_ACCEPTED ||
        r->outcome == PUAN_SUBMIT_REPEATED) {
        puan_hex(hex, r->digest, PUAN_DIGEST_SIZE);
        puan_instant_text(when, r->time_ms, 0);
        puan_jw_kint(w, "version", r->version);
        puan_jw_ktext(w, "digest", hex);
        puan_jw_kint(w, "entry", (int64_t)r->seq);
        puan_jw_ktext(w, "time", when);
        puan_jw_key(w, "findings");
        puan_edits_json(w, &r->edits, r->rules, r->form, false);
    } else {
        puan_jw_kint(w, "version", r->version);
        puan_jw_kint(w, "quarantine", r->ret);
    }
    puan_jw_end(w, '}');
}
