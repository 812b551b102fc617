/*
 * OpenRosa 1.0 below a capability URL, /odk/NAME.SECRET: the device credential
 * of an enumerator, issued and ended as any other.  The rows are public to the
 * dispatcher; every handler first enters by that credential, and then holds
 * its seat's capability and area.
 */
#include "features/openrosa/internal.h"

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/accounts/accounts.h"
#include "features/cases/cases.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/crypto.h"
#include "kit/http/http.h"
#include "kit/log/log.h"
#include "kit/multipart/multipart.h"

/*
 * What a client may send in one request.  Small, so that clients cut an upload
 * with files into units that a bad line can carry.
 */
#define BODY_MAX (4u << 20)
#define LISTED_MAX 20000

struct key_in {
    struct puan_str key, device, form, verbose, all, id;
};

#define TEXT(field, name, opt)                                                 \
    { name, PUAN_PARAM_TEXT, offsetof(struct key_in, field), 1, 200, opt }

static const struct puan_param key_params[] = {
    TEXT(key, "key", false),
    TEXT(device, "deviceID", true),
};
static const struct puan_param list_params[] = {
    TEXT(key, "key", false),       TEXT(device, "deviceID", true),
    TEXT(form, "formID", true),    TEXT(verbose, "verbose", true),
    TEXT(all, "listAllVersions", true),
};
static const struct puan_param form_params[] = {
    TEXT(key, "key", false),
    TEXT(form, "form", false),
    TEXT(device, "deviceID", true),
};
static const struct puan_param entity_params[] = {
    TEXT(key, "key", false),
    TEXT(device, "deviceID", true),
    { "id", PUAN_PARAM_TEXT, offsetof(struct key_in, id), 1, 60000, false },
};

/* ---- answers -------------------------------------------------------------- */

static void xml_answer(struct puan_request *rq, unsigned status,
                       struct puan_str body)
{
    puan_answer_header(rq, "X-OpenRosa-Version", "1.0");
    puan_answer_bytes(rq, status, "text/xml; charset=utf-8", body);
}

/* What the worker reads on the device. */
static void say(struct puan_request *rq, unsigned status, const char *nature,
                struct puan_str text)
{
    struct puan_out o;

    puan_out_init(&o, rq->arena);
    puan_out_fmt(&o,
                 "<OpenRosaResponse xmlns=\"http://openrosa.org/http/response\""
                 " items=\"0\"><message nature=\"%s\">",
                 nature);
    puan_out_markup(&o, text);
    puan_out_text(&o, "</message></OpenRosaResponse>");
    xml_answer(rq, status, puan_out_view(&o));
}

static void refuse(struct puan_request *rq, unsigned status, const char *text)
{
    say(rq, status, "error", puan_str_of(text));
}

static enum puan_status fail(struct puan_request *rq, enum puan_status st,
                             const struct puan_err *err)
{
    if (st == PUAN_EIO || st == PUAN_EWRITE || st == PUAN_EBUG)
        puan_log_err(PUAN_LOG_ERROR, rq->route->path, err);
    refuse(rq, puan_problem_status(st),
           st == PUAN_EINVAL || st == PUAN_ENOTFOUND || st == PUAN_ELIMIT
               ? err->text
               : "暂时不能办理，请稍后再发 / not possible now, send again");
    return PUAN_OK;
}

/*
 * Enters by the credential of the address.  False when the answer has been
 * given: 401 unknown, 403 a seat that sends no returns, 429, 400.
 */
static bool enter(struct puan_request *rq, struct puan_str key)
{
    struct puan_str name = key, secret = { 0 };
    struct puan_err why = { 0 };
    enum puan_status st;

    for (size_t i = key.n; i > 0; i--)
        if (key.p[i - 1] == '.') {
            name.n = i - 1;
            secret = (struct puan_str){ key.p + i, key.n - i };
            break;
        }
    st = puan_device_enter(rq, name, secret, &why);
    if (st == PUAN_ELIMIT) {
        refuse(rq, 429, why.text);
    } else if (st != PUAN_OK) {
        refuse(rq, 401, "地址无效或已停用 / this address is not, or no longer, "
                        "valid");
    } else if (!puan_request_can(rq, "return.submit")) {
        refuse(rq, 403, "本岗位不报送普查表 / this seat sends no returns");
    } else if (rq->http->header[PUAN_H_OPENROSA].n == 0) {
        refuse(rq, 400, "X-OpenRosa-Version: 1.0");
    } else {
        return true;
    }
    return false;
}

/* "https://host/odk/KEY" as this client reached us. */
static const char *base_of(struct puan_request *rq, struct puan_str key)
{
    return puan_arena_fmt(rq->arena, "%s://%.*s/odk/%.*s",
                          puan_host_secure(rq->host) ? "https" : "http",
                          PUAN_FMT(rq->http->header[PUAN_H_HOST]),
                          PUAN_FMT(key));
}

/* A file with its hash as ETag; 304 when the client has it. */
static enum puan_status file_answer(struct puan_request *rq, const char *type,
                                    struct puan_str body, struct puan_err *err)
{
    char hex[33];
    enum puan_status st = puan_md5_hex(hex, body, err);
    const char *tag;

    if (st != PUAN_OK)
        return fail(rq, st, err);
    tag = puan_arena_fmt(rq->arena, "\"%s\"", hex);
    puan_answer_header(rq, "ETag", tag);
    puan_answer_header(rq, "X-OpenRosa-Version", "1.0");
    puan_answer_header(rq, "Cache-Control", "private, no-cache");
    if (puan_str_is(rq->http->header[PUAN_H_IF_NONE_MATCH], tag))
        puan_answer_bytes(rq, 304, type, PUAN_STR(""));
    else
        puan_answer_bytes(rq, 200, type, body);
    return PUAN_OK;
}

/* ---- forms ---------------------------------------------------------------- */

static enum puan_status form_text(struct puan_str *out,
                                  struct puan_request *rq,
                                  const struct puan_form *form,
                                  struct puan_err *err)
{
    struct puan_xform_report report;
    struct puan_out o;
    enum puan_status st;

    puan_out_init(&o, rq->arena);
    st = odk_xform(&o, &report, puan_store_plan(rq->store), form,
                   puan_ingest_rules(rq->store, form), rq->arena, err);
    *out = puan_out_view(&o);
    return st;
}

static const struct puan_form *offered(struct puan_request *rq,
                                       struct puan_str id)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);

    for (size_t i = 0; i < plan->n_forms; i++)
        if (puan_str_eq(plan->form[i]->id, id) &&
            odk_offers(plan, plan->form[i]))
            return plan->form[i];
    return NULL;
}

static void list_entry(struct puan_out *o, struct puan_request *rq,
                       const struct puan_form *form, const char *hash,
                       const char *base)
{
    char version[13];

    odk_version(version, puan_store_plan(rq->store), form);
    puan_out_text(o, "<xform><formID>");
    puan_out_markup(o, form->id);
    puan_out_text(o, "</formID><name>");
    puan_out_markup(o, form->zh);
    puan_out_fmt(o, "</name><version>%s</version><hash>md5:%s</hash>",
                 version, hash);
    puan_out_fmt(o, "<downloadUrl>%s/forms/%.*s</downloadUrl>"
                    "<manifestUrl>%s/forms/%.*s/manifest</manifestUrl>"
                    "</xform>\n",
                 base, PUAN_FMT(form->id), base, PUAN_FMT(form->id));
}

static enum puan_status form_list(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct key_in *p = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_out o;
    const char *base;

    if (!enter(rq, p->key))
        return PUAN_OK;
    base = base_of(rq, p->key);
    puan_out_init(&o, rq->arena);
    puan_out_text(&o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<xforms xmlns=\"http://openrosa.org/xforms/"
                      "xformsList\">\n");
    for (size_t i = 0; i < plan->n_forms; i++) {
        const struct puan_form *form = plan->form[i];
        struct puan_str text;
        char hash[33];
        enum puan_status st;

        if (!odk_offers(plan, form) ||
            (p->form.n > 0 && !puan_str_eq(p->form, form->id)))
            continue;
        st = form_text(&text, rq, form, err);
        if (st == PUAN_OK)
            st = puan_md5_hex(hash, text, err);
        if (st != PUAN_OK)
            return fail(rq, st, err);
        list_entry(&o, rq, form, hash, base);
    }
    puan_out_text(&o, "</xforms>\n");
    xml_answer(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

static enum puan_status get_form(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    const struct key_in *p = in;
    const struct puan_form *form;
    struct puan_str text;
    enum puan_status st;

    if (!enter(rq, p->key))
        return PUAN_OK;
    form = offered(rq, p->form);
    if (!form) {
        refuse(rq, 404, "没有这张表 / there is no such form");
        return PUAN_OK;
    }
    st = form_text(&text, rq, form, err);
    return st == PUAN_OK
               ? file_answer(rq, "text/xml; charset=utf-8", text, err)
               : fail(rq, st, err);
}

/* ---- the households of one's own area -------------------------------------- */

/* name,label,__version,base,building,unit: the key, and the last version. */
static enum puan_status list_text(struct puan_str *out,
                                  struct puan_request *rq,
                                  struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_area(rq->store, rq->who.area);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    struct puan_out o;
    int64_t from, to;
    bool more;
    enum puan_status st;

    puan_out_init(&o, rq->arena);
    puan_out_text(&o, "name,label,__version,base,building,unit\n");
    *out = puan_out_view(&o);
    if (!sh) /* an area above the stores: nobody's own households */
        return PUAN_OK;
    puan_area_keys(&from, &to, rq->store, rq->who.area);
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT household, building, unit FROM listing"
                  " WHERE household >= $1 AND household < $2"
                  " ORDER BY household LIMIT $3",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, from);
        puan_bind_int(s, 2, to);
        puan_bind_int(s, 3, LISTED_MAX);
    }
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_ret_head head = { 0 };
        int64_t key = puan_col_int(s, 0);
        struct puan_str building = puan_col_text(s, 1);
        struct puan_str unit = puan_col_text(s, 2);

        (void)puan_ret_head(&head, rq->store, key);
        puan_out_fmt(&o, "%0*lld,", (int)puan_store_plan(rq->store)->form[0]
                                        ->key_width,
                     (long long)key);
        puan_out_fmt(&o, "\"%0*lld  %.*s-%.*s\",%u,%u,%.*s,%.*s\n",
                     (int)puan_store_plan(rq->store)->form[0]->key_width,
                     (long long)key, PUAN_FMT(building), PUAN_FMT(unit),
                     head.version + 1, head.version, PUAN_FMT(building),
                     PUAN_FMT(unit));
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    *out = puan_out_view(&o);
    return st;
}

static enum puan_status get_list(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    const struct key_in *p = in;
    struct puan_str text;
    enum puan_status st;

    if (!enter(rq, p->key))
        return PUAN_OK;
    st = list_text(&text, rq, err);
    return st == PUAN_OK ? file_answer(rq, "text/csv; charset=utf-8", text, err)
                         : fail(rq, st, err);
}

static enum puan_status get_manifest(struct puan_request *rq, const void *in,
                                     struct puan_err *err)
{
    const struct key_in *p = in;
    const char *base;
    struct puan_str text;
    struct puan_out o;
    char hash[33];
    enum puan_status st;

    if (!enter(rq, p->key))
        return PUAN_OK;
    if (!offered(rq, p->form)) {
        refuse(rq, 404, "没有这张表 / there is no such form");
        return PUAN_OK;
    }
    st = list_text(&text, rq, err);
    if (st == PUAN_OK)
        st = puan_md5_hex(hash, text, err);
    if (st != PUAN_OK)
        return fail(rq, st, err);
    base = base_of(rq, p->key);
    puan_out_init(&o, rq->arena);
    puan_out_fmt(&o,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<manifest xmlns=\"http://openrosa.org/xforms/xformsManifest\">"
                 "<mediaFile type=\"entityList\">"
                 "<filename>households.csv</filename><hash>md5:%s</hash>"
                 "<downloadUrl>%s/households.csv</downloadUrl>"
                 "<integrityUrl>%s/integrity</integrityUrl>"
                 "</mediaFile></manifest>\n",
                 hash, base, base);
    xml_answer(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* Which of these are still on the sender's list. */
static enum puan_status get_integrity(struct puan_request *rq, const void *in,
                                      struct puan_err *err)
{
    const struct key_in *p = in;
    struct puan_str rest = p->id, id;
    struct puan_out o;

    (void)err;
    if (!enter(rq, p->key))
        return PUAN_OK;
    puan_out_init(&o, rq->arena);
    puan_out_text(&o, "<data><entities>");
    while (puan_str_split(&id, &rest, ',')) {
        struct puan_ret_head head;
        int64_t key, from, to;
        bool there = puan_int_parse(&key, id) &&
                     puan_ret_head(&head, rq->store, key);

        puan_area_keys(&from, &to, rq->store, rq->who.area);
        there = there && key >= from && key < to;
        puan_out_text(&o, "<entity id=\"");
        puan_out_markup(&o, id);
        puan_out_fmt(&o, "\"><deleted>%s</deleted></entity>",
                     there ? "false" : "true");
    }
    puan_out_text(&o, "</entities></data>");
    xml_answer(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* ---- submissions ----------------------------------------------------------- */

/* HEAD, which asks what may be sent and where. */
static enum puan_status ask_submission(struct puan_request *rq, const void *in,
                                       struct puan_err *err)
{
    const struct key_in *p = in;

    (void)err;
    if (!enter(rq, p->key))
        return PUAN_OK;
    puan_answer_header(rq, "X-OpenRosa-Version", "1.0");
    puan_answer_header(rq, "X-OpenRosa-Accept-Content-Length",
                       puan_arena_fmt(rq->arena, "%u", BODY_MAX - 65536));
    puan_answer_header(rq, "Location",
                       puan_arena_fmt(rq->arena, "%s/submission",
                                      base_of(rq, p->key)));
    puan_answer_empty(rq);
    return PUAN_OK;
}

/* An edit is put on the version that the instance it replaces became. */
static enum puan_status find_base(struct odk_submission *s,
                                  struct puan_request *rq,
                                  struct puan_err *err)
{
    uint64_t counter = odk_counter(s->replaces);
    struct puan_ret_head head;
    struct puan_shard *sh;
    struct puan_db *db;
    int64_t household;
    enum puan_status st;

    if (s->replaces.n == 0 || !puan_int_parse(&household, s->household) ||
        !puan_ret_head(&head, rq->store, household))
        return PUAN_OK;
    sh = puan_store_shard_of_household(rq->store, household);
    if (!sh)
        return PUAN_OK;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    for (int64_t at = head.ret; at != 0 && st == PUAN_OK;) {
        struct puan_ret r;

        st = puan_ret_read(&r, sh, db, at, rq->arena, err);
        if (st != PUAN_OK)
            break;
        if (r.head.counter == counter &&
            puan_str_eq(r.head.device, s->device)) {
            s->base = r.version;
            break;
        }
        at = r.prev;
    }
    puan_read_end(sh, db);
    return st;
}

/* The findings, for whoever can still ask at the door. */
static struct puan_str thanks(struct puan_request *rq,
                              const struct puan_receipt *r)
{
    struct puan_out o;

    puan_out_init(&o, rq->arena);
    puan_out_fmt(&o, "已收到，第%u版", r->version);
    if (r->edits.n > 0)
        puan_out_fmt(&o, "；需要核实%zu处：", r->edits.n);
    for (size_t i = 0; i < r->edits.n && i < 5; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(r->rules, r->edits.list[i].rule);

        if (i > 0)
            puan_out_text(&o, "；");
        if (info->entity != 0)
            puan_out_fmt(&o, "第%u行", r->edits.list[i].row + 1);
        puan_out_str(&o, info->zh);
    }
    puan_out_fmt(&o, " / received, version %u, %zu finding%s", r->version,
                 r->edits.n, r->edits.n == 1 ? "" : "s");
    return puan_out_view(&o);
}

static void answer_receipt(struct puan_request *rq,
                           const struct puan_receipt *r,
                           const struct puan_err *why)
{
    switch (r->outcome) {
    case PUAN_SUBMIT_ACCEPTED:
    case PUAN_SUBMIT_REPEATED:
        say(rq, 201, "submit_success", thanks(rq, r));
        return;
    case PUAN_SUBMIT_STALE:
        refuse(rq, 409, "该户已有新的一版，请更新名单后再改；本次填报已留存待处理"
                        " / a newer version exists; this one is kept apart");
        return;
    case PUAN_SUBMIT_CONFLICT:
        refuse(rq, 409, "同一填报记录内容不同；本次填报已留存待处理"
                        " / the same instance with other answers; kept apart");
        return;
    case PUAN_SUBMIT_WINDOW:
        refuse(rq, 409, "不在登记时间内；本次填报已留存待处理"
                        " / outside the time of collection; kept apart");
        return;
    case PUAN_SUBMIT_UNREADABLE:
        refuse(rq, 400,
               puan_arena_fmt(rq->arena,
                              "内容不合表式，已留存待处理 / does not suit the "
                              "form, kept apart: %s %s",
                              why->where, why->text));
        return;
    case PUAN_SUBMIT_HELD: /* nobody whose credential holds is */
        refuse(rq, 403, "已留存待处理 / kept apart");
        return;
    }
}

/* ---- files of a submission -------------------------------------------------- */

struct attaching {
    struct puan_request *rq;
    struct puan_str instance;
    int64_t household;
    const struct puan_part *part;
};

static enum puan_status attach_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct attaching *f = arg;
    struct puan_str name = f->part->file.n ? f->part->file : f->part->name;
    const char *key = puan_arena_fmt(f->rq->arena, "%.*s/%.*s",
                                     PUAN_FMT(f->instance), PUAN_FMT(name));
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_str sealed = { (const char *)digest, sizeof(digest) };
    struct puan_stmt *s = NULL;
    struct puan_out c;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&s, db, "SELECT 1 FROM odk_file WHERE id = $1", err);
    if (st == PUAN_OK) {
        puan_bind_text(s, 1, puan_str_of(key));
        st = puan_stmt_step(&more, s, err);
    }
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    if (more) { /* sent again */
        act->silent = true;
        return PUAN_OK;
    }
    st = puan_blob_put(digest, f->rq->store, f->part->body, f->rq->arena, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO odk_file(id, household, digest, size, at)"
                      " VALUES ($1, $2, $3, $4, $5)",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, puan_str_of(key));
    puan_bind_int(s, 2, f->household);
    puan_bind_bytes(s, 3, sealed.p, sealed.n);
    puan_bind_int(s, 4, (int64_t)f->part->body.n);
    puan_bind_int(s, 5, act->entry_ms);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&c, f->rq->arena);
    puan_content_int(&c, f->household);
    puan_content_bytes(&c, sealed);
    puan_content_int(&c, (int64_t)f->part->body.n);
    puan_content_int(&c, act->entry_ms);
    return puan_cover(sh, db, act, "odk_file", puan_str_of(key),
                      puan_out_view(&c), err);
}

/* Files that came with a return which is there; one act each. */
static enum puan_status attach(struct puan_request *rq,
                               const struct odk_submission *s,
                               int64_t household, const struct puan_part *part,
                               size_t n, struct puan_err *err)
{
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, household);
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct attaching f = { .rq = rq, .instance = s->instance,
                               .household = household, .part = &part[i] };
        char subject[24];
        struct puan_act act;

        if (puan_str_is(part[i].name, "xml_submission_file") ||
            puan_str_is(part[i].name, "*isIncomplete*"))
            continue;
        puan_format(subject, sizeof(subject), "%lld", (long long)household);
        puan_request_act(&act, rq, puan_str_of(subject));
        act.verb = PUAN_STR("return.attach");
        st = puan_commit(sh, &act, attach_body, &f, err);
    }
    return st;
}

static enum puan_status post_submission(struct puan_request *rq,
                                        const void *in, struct puan_err *err)
{
    const struct key_in *p = in;
    const struct puan_part *part, *xml = NULL;
    struct odk_submission s = { 0 };
    struct puan_receipt r = { 0 };
    struct puan_sender who;
    size_t n;
    enum puan_status st;

    if (!enter(rq, p->key))
        return PUAN_OK;
    st = puan_multipart_parse(&part, &n, rq->http->header[PUAN_H_CONTENT_TYPE],
                              rq->body, rq->arena, err);
    if (st != PUAN_OK)
        return fail(rq, PUAN_EINVAL, err);
    for (size_t i = 0; i < n; i++)
        if (puan_str_is(part[i].name, "xml_submission_file"))
            xml = &part[i];
    if (!xml) {
        refuse(rq, 400, "缺少 xml_submission_file / it is missing");
        return PUAN_OK;
    }
    st = odk_read(&s, puan_store_plan(rq->store), xml->body, rq->arena, err);
    if (st != PUAN_OK)
        return fail(rq, st, err);
    s.device = puan_str_of(
        *rq->who.device ? rq->who.device
                        : puan_arena_fmt(rq->arena, "odk-%.40s", rq->who.name));
    st = find_base(&s, rq, err);
    if (st != PUAN_OK)
        return fail(rq, st, err);
    who = (struct puan_sender){ .actor = puan_str_of(rq->who.name),
                                .seat = puan_str_of(rq->who.seat_text),
                                .device = s.device,
                                .area = rq->who.area };
    st = puan_submit_wait(&r, rq->store, &who, odk_document(&s, rq->arena),
                          rq->arena, err);
    if (st == PUAN_EDENIED) {
        refuse(rq, 403, "该户不在本人的普查小区 / not a household of your area");
        return PUAN_OK;
    }
    if (st != PUAN_OK)
        return fail(rq, st, err);
    if (r.outcome == PUAN_SUBMIT_ACCEPTED || r.outcome == PUAN_SUBMIT_REPEATED)
        st = attach(rq, &s, r.household, part, n, err);
    if (st != PUAN_OK)
        return fail(rq, st, err);
    answer_receipt(rq, &r, err);
    return PUAN_OK;
}

#define ROW(m, where, does, what, in)                                          \
    .method = m, .path = where, .page = true, .capability = "",                \
    .scope = PUAN_SCOPE_PUBLIC, .verb = "", .summary = what, .handle = does,   \
    .params = in, .n_params = PUAN_COUNT(in), .in_size = sizeof(struct key_in)

const struct puan_route odk_routes[ODK_ROUTES] = {
    { ROW(PUAN_GET, "/odk/{key}/formList", form_list,
          "Forms for ODK's clients", list_params) },
    { ROW(PUAN_GET, "/odk/{key}/forms/{form}", get_form, "A form as an XForm",
          form_params) },
    { ROW(PUAN_GET, "/odk/{key}/forms/{form}/manifest", get_manifest,
          "Lists that a form reads", form_params) },
    { ROW(PUAN_GET, "/odk/{key}/households.csv", get_list,
          "Households of the sender's own area", key_params) },
    { ROW(PUAN_GET, "/odk/{key}/integrity", get_integrity,
          "Which of these households are still on the list", entity_params) },
    { ROW(PUAN_GET, "/odk/{key}/submission", ask_submission,
          "Where and how much may be sent", key_params) },
    { ROW(PUAN_POST, "/odk/{key}/submission", post_submission,
          "Send a return as ODK's clients do", key_params),
      .max_body = BODY_MAX, .raw_body = true },
};
