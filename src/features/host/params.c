/*
 * Targets, patterns and parameter tables.
 */
#include "features/host/params.h"

#include "kit/http/http.h"

enum puan_status puan_target_parse(struct puan_target *out,
                                   struct puan_str target,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_str path = target, query = { 0 }, part;
    enum puan_status st;

    memset(out, 0, sizeof(*out));
    if (!target.n || target.p[0] != '/')
        return puan_fail(err, PUAN_EINVAL, "path", "not an absolute path");
    for (size_t i = 0; i < target.n; i++) {
        if (target.p[i] == '?') {
            path.n = i;
            query = (struct puan_str){ target.p + i + 1, target.n - i - 1 };
            break;
        }
        if (target.p[i] == '#')
            return puan_fail(err, PUAN_EINVAL, "path", "a fragment");
    }
    path.p++;
    path.n--;
    while (path.n && puan_str_split(&part, &path, '/')) {
        struct puan_str s;

        if (out->n_segments == PUAN_SEGMENTS)
            return puan_fail(err, PUAN_EINVAL, "path", "too many parts");
        st = puan_uri_decode(&s, part, false, a, err);
        if (st != PUAN_OK)
            return st;
        if (!s.n || puan_str_is(s, ".") || puan_str_is(s, ".."))
            return puan_fail(err, PUAN_EINVAL, "path", "an empty or dot part");
        out->segment[out->n_segments++] = s;
        if (path.p && !path.n) /* "/a/": a slash at the end */
            return puan_fail(err, PUAN_EINVAL, "path", "an empty or dot part");
    }
    while (query.n && puan_str_split(&part, &query, '&')) {
        struct puan_str key, value = { "", 0 };

        if (!part.n)
            continue;
        if (out->n_pairs == PUAN_PAIRS)
            return puan_fail(err, PUAN_EINVAL, "query", "too many parameters");
        key = part;
        for (size_t i = 0; i < part.n; i++)
            if (part.p[i] == '=') {
                key.n = i;
                value = (struct puan_str){ part.p + i + 1, part.n - i - 1 };
                break;
            }
        st = puan_uri_decode(&out->pair[out->n_pairs].key, key, true, a, err);
        if (st == PUAN_OK)
            st = puan_uri_decode(&out->pair[out->n_pairs].value, value, true,
                                 a, err);
        if (st != PUAN_OK)
            return st;
        out->n_pairs++;
    }
    return PUAN_OK;
}

enum puan_status puan_pattern_make(struct puan_pattern *out, const char *path,
                                   struct puan_err *err)
{
    struct puan_str rest = puan_str_of(path), part;

    memset(out, 0, sizeof(*out));
    if (!rest.n || rest.p[0] != '/')
        return puan_fail(err, PUAN_EBUG, path, "begins with no slash");
    rest.p++;
    rest.n--;
    while (rest.n && puan_str_split(&part, &rest, '/')) {
        size_t i = out->n_segments++;

        if (i == PUAN_SEGMENTS || !part.n)
            return puan_fail(err, PUAN_EBUG, path, "a malformed route");
        out->is_param[i] = part.n > 2 && part.p[0] == '{' &&
                           part.p[part.n - 1] == '}';
        out->segment[i] =
            out->is_param[i] ? (struct puan_str){ part.p + 1, part.n - 2 }
                             : part;
        out->n_literals += !out->is_param[i];
    }
    return PUAN_OK;
}

bool puan_pattern_match(const struct puan_pattern *p,
                        const struct puan_target *t)
{
    if (p->n_segments != t->n_segments)
        return false;
    for (size_t i = 0; i < p->n_segments; i++)
        if (!p->is_param[i] && !puan_str_eq(p->segment[i], t->segment[i]))
            return false;
    return true;
}

/* ---- filling ---------------------------------------------------------------- */

static int index_of(const struct puan_route *row, struct puan_str name)
{
    for (size_t i = 0; i < row->n_params; i++)
        if (puan_str_is(name, row->params[i].name))
            return (int)i;
    return -1;
}

static bool in_range(const struct puan_param *q, int64_t v)
{
    return (!q->min && !q->max) || (v >= q->min && v <= q->max);
}

static enum puan_status put_int(void *in, const struct puan_param *q,
                                int64_t v, struct puan_err *err)
{
    if ((q->kind == PUAN_PARAM_AREA || q->kind == PUAN_PARAM_HOUSEHOLD) &&
        v < 0)
        return puan_fail(err, PUAN_EINVAL, q->name, "not a code of digits");
    if (!in_range(q, v))
        return puan_fail(err, PUAN_EINVAL, q->name,
                         "a number from %lld to %lld is wanted",
                         (long long)q->min, (long long)q->max);
    memcpy((char *)in + q->offset, &v, sizeof(v));
    return PUAN_OK;
}

static enum puan_status put_text(void *in, const struct puan_param *q,
                                 struct puan_str v, struct puan_err *err)
{
    if (!in_range(q, (int64_t)v.n))
        return puan_fail(err, PUAN_EINVAL, q->name,
                         "a text of %lld to %lld bytes is wanted",
                         (long long)q->min, (long long)q->max);
    memcpy((char *)in + q->offset, &v, sizeof(v));
    return PUAN_OK;
}

/* A code: digits only, so that neither sign nor space slips through. */
static bool digits(struct puan_str s)
{
    if (s.n < 1 || s.n > 19)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum puan_status put_plain(void *in, const struct puan_param *q,
                                  struct puan_str v, struct puan_err *err)
{
    int64_t n = 0;
    bool b;

    switch (q->kind) {
    case PUAN_PARAM_INT:
        if (!puan_int_parse(&n, v))
            return puan_fail(err, PUAN_EINVAL, q->name,
                             "a whole number is wanted");
        return put_int(in, q, n, err);
    case PUAN_PARAM_AREA:
    case PUAN_PARAM_HOUSEHOLD:
        if (!digits(v) || !puan_int_parse(&n, v))
            return puan_fail(err, PUAN_EINVAL, q->name,
                             "a code of digits is wanted");
        return put_int(in, q, n, err);
    case PUAN_PARAM_BOOL:
        b = puan_str_is(v, "true");
        if (!b && !puan_str_is(v, "false"))
            return puan_fail(err, PUAN_EINVAL, q->name,
                             "true or false is wanted");
        memcpy((char *)in + q->offset, &b, sizeof(b));
        return PUAN_OK;
    case PUAN_PARAM_TEXT:
        return put_text(in, q, v, err);
    case PUAN_PARAM_JSON:
    default:
        return puan_fail(err, PUAN_EINVAL, q->name,
                         "is given in the body, not in the address");
    }
}

static enum puan_status once(uint64_t *set, const struct puan_route *row,
                             int i, struct puan_str name,
                             struct puan_arena *a, struct puan_err *err)
{
    if (i < 0)
        return puan_fail(err, PUAN_EINVAL, puan_arena_dup(a, name),
                         "this route has no such parameter");
    if (*set & UINT64_C(1) << i)
        return puan_fail(err, PUAN_EINVAL, row->params[i].name,
                         "is given twice");
    *set |= UINT64_C(1) << i;
    return PUAN_OK;
}

static enum puan_status from_json(void *in, const struct puan_param *q,
                                  struct puan_json *j,
                                  enum puan_json_kind kind,
                                  struct puan_err *err)
{
    size_t start = j->start;
    int64_t n = 0;
    bool b;
    enum puan_status st;

    if (q->kind == PUAN_PARAM_JSON) {
        struct puan_str raw;

        if (kind == PUAN_JSON_MAP || kind == PUAN_JSON_LIST) {
            st = puan_json_skip(j, err);
            if (st != PUAN_OK)
                return st;
        }
        raw = (struct puan_str){ j->src.p + start, j->at - start };
        return put_text(in, q, puan_str_trim(raw), err);
    }
    if (kind == PUAN_JSON_STRING && q->kind == PUAN_PARAM_TEXT)
        return put_text(in, q, j->text, err);
    if (kind == PUAN_JSON_STRING && (q->kind == PUAN_PARAM_AREA ||
                                     q->kind == PUAN_PARAM_HOUSEHOLD))
        return put_plain(in, q, j->text, err);
    if (kind == PUAN_JSON_NUMBER &&
        (q->kind == PUAN_PARAM_INT || q->kind == PUAN_PARAM_AREA ||
         q->kind == PUAN_PARAM_HOUSEHOLD) &&
        puan_json_int(&n, j))
        return put_int(in, q, n, err);
    if ((kind == PUAN_JSON_TRUE || kind == PUAN_JSON_FALSE) &&
        q->kind == PUAN_PARAM_BOOL) {
        b = kind == PUAN_JSON_TRUE;
        memcpy((char *)in + q->offset, &b, sizeof(b));
        return PUAN_OK;
    }
    return puan_fail(err, PUAN_EINVAL, q->name, "%s is wanted",
                     q->kind == PUAN_PARAM_TEXT   ? "a text"
                     : q->kind == PUAN_PARAM_BOOL ? "true or false"
                     : q->kind == PUAN_PARAM_INT  ? "a whole number"
                                                  : "a code of digits");
}

static enum puan_status fill_body(void *in, uint64_t *set,
                                  const struct puan_route *row,
                                  struct puan_str body, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_json j;
    enum puan_json_kind kind;
    enum puan_status st;

    puan_json_init(&j, body, a);
    st = puan_json_next(&kind, &j, err);
    if (st != PUAN_OK)
        return st;
    if (kind != PUAN_JSON_MAP)
        return puan_fail(err, PUAN_EINVAL, "body", "a JSON object is wanted");
    for (;;) {
        struct puan_str key;
        int i;

        st = puan_json_next(&kind, &j, err);
        if (st != PUAN_OK)
            return st;
        if (kind == PUAN_JSON_CLOSE)
            break;
        key = j.key;
        i = index_of(row, key);
        if (kind == PUAN_JSON_NULL && i >= 0 && row->params[i].optional &&
            row->params[i].kind != PUAN_PARAM_JSON)
            continue;
        st = once(set, row, i, key, a, err);
        if (st == PUAN_OK)
            st = from_json(in, &row->params[i], &j, kind, err);
        if (st != PUAN_OK)
            return st;
    }
    st = puan_json_next(&kind, &j, err);
    if (st == PUAN_OK && kind != PUAN_JSON_END)
        st = puan_fail(err, PUAN_EINVAL, "body", "text after the object");
    return st;
}

enum puan_status
puan_params_fill(void **out, uint64_t *set, const struct puan_route *row,
                 const struct puan_pattern *p, const struct puan_target *t,
                 struct puan_str body, struct puan_arena *a,
                 struct puan_err *err)
{
    void *in = puan_arena_get(a, row->in_size ? row->in_size : 1);
    enum puan_status st = PUAN_OK;

    *set = 0;
    *out = in;
    if (!in)
        return puan_fail(err, PUAN_ENOMEM, "request", "out of memory");
    for (size_t i = 0; i < p->n_segments && st == PUAN_OK; i++) {
        int k;

        if (!p->is_param[i] || puan_str_is(p->segment[i], "campaign"))
            continue;
        k = index_of(row, p->segment[i]);
        st = once(set, row, k, p->segment[i], a, err);
        if (st == PUAN_OK)
            st = put_plain(in, &row->params[k], t->segment[i], err);
    }
    for (size_t i = 0; i < t->n_pairs && st == PUAN_OK; i++) {
        int k = index_of(row, t->pair[i].key);

        st = once(set, row, k, t->pair[i].key, a, err);
        if (st == PUAN_OK)
            st = put_plain(in, &row->params[k], t->pair[i].value, err);
    }
    if (st == PUAN_OK && body.n && !row->raw_body) {
        if (row->method == PUAN_GET)
            return puan_fail(err, PUAN_EINVAL, "body",
                             "this route takes no body");
        st = fill_body(in, set, row, body, a, err);
    }
    for (size_t i = 0; i < row->n_params && st == PUAN_OK; i++)
        if (!row->params[i].optional && !(*set & UINT64_C(1) << i))
            st = puan_fail(err, PUAN_EINVAL, row->params[i].name,
                           "is missing");
    return st;
}
