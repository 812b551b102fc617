/*
 * Reading a return's document: one pass of the pull reader, no tree.  Names
 * are found by the form's own hash; texts are borrowed from the document.
 */
#include "core/form/record.h"

#include "base/calendar.h"

/* --- one answer --------------------------------------------------------- */

static bool in_range(const struct puan_item *it, int64_t v)
{
    return v >= it->min && v <= it->max;
}

static bool digits_only(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* Small plain numbers, by far the most frequent answer. */
static bool small_int(int64_t *v, struct puan_str s)
{
    if (s.n == 0 || s.n > 9 || (s.n > 1 && s.p[0] == '0'))
        return puan_int_parse(v, s);
    *v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return puan_int_parse(v, s);
        *v = *v * 10 + (s.p[i] - '0');
    }
    return true;
}

static bool parse_code(int64_t *v, const struct puan_item *it,
                       struct puan_str s)
{
    const struct puan_code *c = NULL;

    /* "1" and "01" both name the code written 01; "001" does not. */
    if (small_int(v, s)) {
        c = puan_code_by_value(it->codes, *v);
        if (c != NULL && !puan_str_eq(c->text, s) && s.n > 1 && s.p[0] == '0')
            c = NULL;
    }
    if (c == NULL)
        c = puan_code_by_text(it->codes, s);
    if (c == NULL)
        return false;
    *v = c->value;
    return true;
}

static bool parse_point(struct puan_str s)
{
    struct puan_str lat, rest = s;
    int64_t a, b;

    return puan_str_split(&lat, &rest, ',') && rest.p != NULL &&
           puan_fixed_parse(&a, lat, 7) && puan_fixed_parse(&b, rest, 7) &&
           a >= -900000000 && a <= 900000000 && b >= -1800000000 &&
           b <= 1800000000;
}

enum puan_state puan_item_parse(int64_t *value, const struct puan_item *item,
                                struct puan_str text)
{
    bool ok = false;

    *value = 0;
    if (text.n == 0)
        return PUAN_MISSING;
    switch (item->type) {
    case PUAN_TYPE_CODE:
        ok = parse_code(value, item, text);
        break;
    case PUAN_TYPE_INT:
        ok = small_int(value, text) && in_range(item, *value);
        break;
    case PUAN_TYPE_FIXED:
        ok = puan_fixed_parse(value, text, item->places) &&
             in_range(item, *value);
        break;
    case PUAN_TYPE_MONTH:
        ok = puan_month_parse(value, text) && in_range(item, *value);
        break;
    case PUAN_TYPE_DATE:
        ok = puan_day_parse(value, text) && in_range(item, *value);
        break;
    case PUAN_TYPE_AREA:
        ok = text.n == item->digits && digits_only(text) &&
             puan_int_parse(value, text);
        break;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
        ok = text.n <= (size_t)item->max ||
             puan_utf8_length(text) <= (size_t)item->max;
        break;
    case PUAN_TYPE_CITIZEN_ID:
        ok = text.n <= 64; /* what is wrong with it is a fact */
        break;
    case PUAN_TYPE_PHONE:
        ok = text.n <= 64;
        break;
    case PUAN_TYPE_POINT:
        ok = parse_point(text);
        break;
    case PUAN_TYPE_FACT:
        break;
    }
    if (ok)
        return PUAN_GIVEN;
    *value = 0;
    return PUAN_INVALID;
}

const char *puan_item_text(const struct puan_item *item, int64_t value,
                           struct puan_arena *a)
{
    char buf[16];
    const struct puan_code *c;
    int64_t unit = 1, whole, part;

    switch (item->type) {
    case PUAN_TYPE_CODE:
        c = puan_code_by_value(item->codes, value);
        return c ? puan_arena_dup(a, c->text) : "";
    case PUAN_TYPE_INT:
        return puan_arena_fmt(a, "%lld", (long long)value);
    case PUAN_TYPE_FIXED:
        for (unsigned i = 0; i < item->places; i++)
            unit *= 10;
        whole = value / unit;
        part = value % unit;
        return puan_arena_fmt(a, "%s%lld.%0*lld",
                              value < 0 && whole == 0 ? "-" : "",
                              (long long)whole, (int)item->places,
                              (long long)(part < 0 ? -part : part));
    case PUAN_TYPE_MONTH:
        puan_month_text(buf, value);
        return puan_arena_dup(a, puan_str_of(buf));
    case PUAN_TYPE_DATE:
        puan_day_text(buf, value);
        return puan_arena_dup(a, puan_str_of(buf));
    case PUAN_TYPE_AREA:
        return puan_arena_fmt(a, "%0*lld", (int)item->digits, (long long)value);
    case PUAN_TYPE_FACT:
        if (item->fact == PUAN_FACT_ID_MONTH) {
            puan_month_text(buf, value);
            return puan_arena_dup(a, puan_str_of(buf));
        }
        return puan_arena_fmt(a, "%0*lld", (int)item->digits, (long long)value);
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        break;
    }
    return "";
}

static bool keeps_text(const struct puan_item *it)
{
    return it->zone != PUAN_ZONE_FRAME;
}

static void set_cell(const struct puan_item *it, int64_t *v, uint8_t *st,
                     struct puan_str *txt, struct puan_str text)
{
    *st = (uint8_t)puan_item_parse(v, it, text);
    *txt = *st == PUAN_INVALID || (*st == PUAN_GIVEN && keeps_text(it))
               ? text
               : (struct puan_str){ NULL, 0 };
}

/* --- building a record -------------------------------------------------- */

static bool rows_room(struct puan_rows *rows, const struct puan_entity *e,
                      uint32_t cap, struct puan_arena *a)
{
    size_t cells = (size_t)cap * e->n_items;
    size_t used = (size_t)rows->n * e->n_items;
    int64_t *v = puan_new_n(a, cells, int64_t);
    struct puan_str *txt = puan_new_n(a, cells, struct puan_str);
    uint8_t *st = puan_new_n(a, cells, uint8_t);

    if (v == NULL || txt == NULL || st == NULL)
        return false;
    if (used > 0) {
        memcpy(v, rows->v, used * sizeof(*v));
        memcpy(txt, rows->txt, used * sizeof(*txt));
        memcpy(st, rows->st, used);
    }
    rows->v = v;
    rows->txt = txt;
    rows->st = st;
    return true;
}

enum puan_status puan_record_new(struct puan_record *out,
                                 const struct puan_form *form,
                                 const uint32_t *n, struct puan_arena *a,
                                 struct puan_err *err)
{
    *out = (struct puan_record){ .form = form };
    for (uint16_t e = 0; e < form->n_entities; e++) {
        uint32_t rows = e == 0 ? 1 : n[e];

        if (rows > form->entity[e].max_rows)
            return puan_fail(err, PUAN_EINVAL, "record",
                             "%u rows of %.*s, at most %u are allowed", rows,
                             PUAN_FMT(form->entity[e].name),
                             form->entity[e].max_rows);
        if (!rows_room(&out->rows[e], &form->entity[e], rows, a))
            return puan_arena_check(a, err);
        out->rows[e].n = rows;
    }
    return PUAN_OK;
}

void puan_record_set(struct puan_record *r, uint16_t entity, uint32_t row,
                     uint16_t item, struct puan_str text)
{
    const struct puan_entity *e = &r->form->entity[entity];
    size_t at = (size_t)row * e->n_items + item;
    struct puan_rows *rows = &r->rows[entity];

    set_cell(&e->items[item], &rows->v[at], &rows->st[at], &rows->txt[at],
             text);
}

static int64_t ten_to(unsigned n)
{
    int64_t v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

static void fill(struct puan_rows *rows, uint16_t i, int64_t v)
{
    rows->v[i] = v;
    rows->st[i] = PUAN_GIVEN;
    rows->txt[i] = (struct puan_str){ NULL, 0 };
}

void puan_record_key(struct puan_record *r, int64_t household)
{
    const struct puan_entity *e = &r->form->entity[0];
    unsigned width = r->form->key_width ? r->form->key_width : 18;

    for (uint16_t i = 0; i < e->n_asked; i++) {
        const struct puan_item *it = &e->items[i];

        if (it->from != PUAN_FROM_KEY)
            continue;
        if (it->type == PUAN_TYPE_INT)
            fill(&r->rows[0], i, household % ten_to(it->key_digits));
        else if (it->digits <= width)
            fill(&r->rows[0], i, household / ten_to(width - it->digits));
    }
}

/* The same for the same device: FNV-1a, cut to 15 digits. */
static int64_t device_number(struct puan_str device)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < device.n; i++)
        h = (h ^ (unsigned char)device.p[i]) * 0x100000001b3u;
    return (int64_t)(h % 1000000000000000u);
}

/* Value of an item that comes from the head; false when the head lacks it. */
static bool of_head(int64_t *v, const struct puan_item *it, int offset,
                    const struct puan_return_head *h)
{
    const int64_t day = 24 * 60;
    const struct puan_code *c;

    switch (it->from) {
    case PUAN_FROM_MODE:
        c = puan_code_by_text(it->codes, h->mode);
        *v = c ? c->value : 0;
        return c != NULL;
    case PUAN_FROM_SIGNED:
        *v = h->is_signed ? 1 : 2;
        return puan_code_by_value(it->codes, *v) != NULL;
    case PUAN_FROM_SECONDS:
        *v = (h->finished_ms - h->started_ms) / 1000;
        return h->started_ms != 0 && h->finished_ms != 0 && in_range(it, *v);
    case PUAN_FROM_START:
        *v = ((h->started_ms / 60000 + offset) % day + day) % day;
        return h->started_ms != 0 && in_range(it, *v);
    case PUAN_FROM_DEVICE:
        *v = device_number(h->device);
        return h->device.n != 0 && in_range(it, *v);
    case PUAN_FROM_ANSWER:
    case PUAN_FROM_KEY:
        break;
    }
    return false;
}

void puan_record_head(struct puan_record *r, const struct puan_return_head *h)
{
    const struct puan_entity *e = &r->form->entity[0];

    for (uint16_t i = 0; i < e->n_asked; i++) {
        int64_t v;

        if (r->rows[0].st[i] == PUAN_NOT_ASKED &&
            of_head(&v, &e->items[i], r->form->offset_minutes, h))
            fill(&r->rows[0], i, v);
    }
}

/* --- the document ------------------------------------------------------- */

struct doc {
    struct puan_json j;
    struct puan_arena *a;
    struct puan_err *err;
    struct puan_record *r;
    const struct puan_entity *e; /* being read */
    uint32_t row;
};

/* A failure at row and key of the entity being read. */
static enum puan_status bad_cell(struct doc *d, struct puan_str key,
                                 const char *what)
{
    char where[96];
    uint32_t line, col;

    puan_json_position(&line, &col, d->j.src, d->j.start);
    if (key.n > 40)
        key.n = 40;
    if (d->e->roster)
        puan_format(where, sizeof(where), "%.*s[%u].%.*s", PUAN_FMT(d->e->name),
                    d->row, PUAN_FMT(key));
    else
        puan_format(where, sizeof(where), "answers.%.*s", PUAN_FMT(key));
    return puan_fail_at(d->err, PUAN_EINVAL, where, line, col, "%s", what);
}

static enum puan_status bad_key(struct doc *d, const char *key,
                                const char *what)
{
    uint32_t line, col;

    puan_json_position(&line, &col, d->j.src, d->j.start);
    return puan_fail_at(d->err, PUAN_EINVAL, key, line, col, "%s", what);
}

/* {"missing":"reason"}, after its brace. */
static enum puan_status read_missing(struct doc *d, const struct puan_item *it,
                                     int64_t *v, uint8_t *st)
{
    enum puan_json_kind kind;
    const struct puan_code *c;
    struct puan_str name = d->j.key;
    enum puan_status s = puan_json_next(&kind, &d->j, d->err);

    if (s != PUAN_OK)
        return s;
    if (kind != PUAN_JSON_STRING || !puan_str_is(d->j.key, "missing"))
        return bad_cell(d, name,
                        "expected an answer or {\"missing\":\"REASON\"}");
    *st = PUAN_MISSING;
    *v = 0;
    if (d->j.text.n > 0) {
        c = puan_code_by_text(it->reasons, d->j.text);
        if (c == NULL)
            return bad_cell(d, name, "unknown reason, use one of the form's");
        *v = c->value;
    }
    s = puan_json_next(&kind, &d->j, d->err);
    if (s == PUAN_OK && kind != PUAN_JSON_CLOSE)
        return bad_cell(d, name, "nothing may follow the reason");
    return s;
}

/* The keys of one row, after its brace. */
static enum puan_status read_row(struct doc *d, struct puan_rows *rows)
{
    const struct puan_entity *e = d->e;
    size_t at = (size_t)d->row * e->n_items;
    int64_t *v = rows->v + at;
    uint8_t *st = rows->st + at;
    struct puan_str *txt = rows->txt + at;
    uint64_t keyed = 0; /* items from the key that were here */

    for (;;) {
        enum puan_json_kind kind;
        enum puan_status s = puan_json_next(&kind, &d->j, d->err);
        int i;

        if (s != PUAN_OK)
            return s;
        if (kind == PUAN_JSON_CLOSE)
            return PUAN_OK;
        i = puan_entity_item(e, d->j.key);
        if (i < 0 || i >= e->n_asked)
            return bad_cell(d, d->j.key, "unknown item, the form has no such");
        if (e->items[i].from == PUAN_FROM_KEY ? (keyed >> i % 64 & 1) != 0
                                              : st[i] != PUAN_NOT_ASKED)
            return bad_cell(d, d->j.key, "item stands twice in this row");
        switch (kind) {
        case PUAN_JSON_STRING:
        case PUAN_JSON_NUMBER:
            if (e->items[i].from == PUAN_FROM_KEY) {
                int64_t n;

                if (!puan_int_parse(&n, d->j.text) || n != v[i])
                    return bad_cell(d, d->j.key,
                                    "differs from the household key, leave "
                                    "it out");
                keyed |= (uint64_t)1 << i % 64;
                break;
            }
            set_cell(&e->items[i], &v[i], &st[i], &txt[i], d->j.text);
            break;
        case PUAN_JSON_TRUE:
        case PUAN_JSON_FALSE:
            set_cell(&e->items[i], &v[i], &st[i], &txt[i],
                     kind == PUAN_JSON_TRUE ? PUAN_STR("true")
                                            : PUAN_STR("false"));
            break;
        case PUAN_JSON_NULL:
            st[i] = PUAN_MISSING;
            break;
        case PUAN_JSON_MAP:
            s = read_missing(d, &e->items[i], &v[i], &st[i]);
            if (s != PUAN_OK)
                return s;
            break;
        case PUAN_JSON_LIST:
        case PUAN_JSON_CLOSE:
        case PUAN_JSON_END:
            return bad_cell(d, d->j.key, "an answer cannot be a list");
        }
    }
}

static enum puan_status read_roster(struct doc *d, uint16_t entity)
{
    struct puan_rows *rows = &d->r->rows[entity];
    uint32_t cap = 0;

    d->e = &d->r->form->entity[entity];
    for (;;) {
        enum puan_json_kind kind;
        enum puan_status s = puan_json_next(&kind, &d->j, d->err);

        if (s != PUAN_OK)
            return s;
        if (kind == PUAN_JSON_CLOSE)
            return PUAN_OK;
        d->row = rows->n;
        if (kind != PUAN_JSON_MAP)
            return bad_cell(d, PUAN_STR(""), "a row must be a map of answers");
        if (rows->n == d->e->max_rows)
            return bad_cell(d, PUAN_STR(""), "more rows than the form allows");
        if (rows->n == cap) {
            cap = cap == 0 ? 4 : cap * 2;
            if (cap > d->e->max_rows)
                cap = d->e->max_rows;
            if (!rows_room(rows, d->e, cap, d->a))
                return puan_arena_check(d->a, d->err);
        }
        rows->n++;
        s = read_row(d, rows);
        if (s != PUAN_OK)
            return s;
    }
}

enum head_key {
    HEAD_FORM = 1 << 0,
    HEAD_HOUSEHOLD = 1 << 1,
    HEAD_BASE = 1 << 2,
    HEAD_DEVICE = 1 << 3,
    HEAD_COUNTER = 1 << 4,
    HEAD_MODE = 1 << 5,
    HEAD_STARTED = 1 << 6,
    HEAD_FINISHED = 1 << 7,
    HEAD_SIGNED = 1 << 8,
    HEAD_QUERY = 1 << 9,
    HEAD_CONFIRM = 1 << 10
};

static const char *const head_names[] = { "form",    "household", "base",
                                          "device",  "counter",   "mode",
                                          "started", "finished",  "signed",
                                          "query",   "confirm" };

static enum puan_status read_text(struct puan_str *out, struct doc *d,
                                  enum puan_json_kind kind, const char *key)
{
    if (kind != PUAN_JSON_STRING)
        return bad_key(d, key, "expected a text");
    if (d->j.text.n > 64)
        return bad_key(d, key, "longer than 64 bytes");
    *out = d->j.text;
    return PUAN_OK;
}

static enum puan_status read_head(struct puan_return_head *h, struct doc *d,
                                  unsigned bit, enum puan_json_kind kind)
{
    const char *key = head_names[bit];
    int64_t n = 0;
    bool scalar = kind == PUAN_JSON_STRING || kind == PUAN_JSON_NUMBER;

    switch ((enum head_key)(1u << bit)) {
    case HEAD_FORM:
        return read_text(&h->form, d, kind, key);
    case HEAD_DEVICE:
        return read_text(&h->device, d, kind, key);
    case HEAD_MODE:
        return read_text(&h->mode, d, kind, key);
    case HEAD_QUERY:
        return read_text(&h->query, d, kind, key);
    case HEAD_HOUSEHOLD:
        if (!scalar || d->j.text.n > 18 || !digits_only(d->j.text) ||
            !puan_int_parse(&h->household, d->j.text) || h->household <= 0)
            return bad_key(d, key,
                           "expected a household key of at most 18 "
                           "digits");
        return PUAN_OK;
    case HEAD_BASE:
        if (kind != PUAN_JSON_NUMBER || !puan_json_int(&n, &d->j) || n < 0 ||
            n > UINT32_MAX)
            return bad_key(d, key,
                           "expected the number of the version read, "
                           "0 for none");
        h->base = (uint32_t)n;
        return PUAN_OK;
    case HEAD_COUNTER:
        if (kind != PUAN_JSON_NUMBER || !puan_json_int(&n, &d->j) || n < 0)
            return bad_key(d, key, "expected a whole number from 0");
        h->counter = (uint64_t)n;
        return PUAN_OK;
    case HEAD_STARTED:
    case HEAD_FINISHED:
        if (kind != PUAN_JSON_STRING || !puan_instant_parse(&n, d->j.text))
            return bad_key(d, key,
                           "expected a time such as "
                           "2020-11-01T09:30:00+08:00");
        if (1u << bit == HEAD_STARTED)
            h->started_ms = n;
        else
            h->finished_ms = n;
        return PUAN_OK;
    case HEAD_SIGNED:
        if (kind != PUAN_JSON_TRUE && kind != PUAN_JSON_FALSE)
            return bad_key(d, key, "expected true or false");
        h->is_signed = kind == PUAN_JSON_TRUE;
        return PUAN_OK;
    case HEAD_CONFIRM: {
        size_t start = d->j.start;
        enum puan_status st;

        if (kind != PUAN_JSON_LIST)
            return bad_key(d, key, "expected a list of confirmations");
        st = puan_json_skip(&d->j, d->err);
        if (st == PUAN_OK)
            h->confirm =
                (struct puan_str){ d->j.src.p + start, d->j.at - start };
        return st;
    }
    }
    return PUAN_EBUG;
}

/* One part of the record whose key came before the form was known. */
struct later {
    struct puan_json at; /* the opening bracket has been read */
    struct puan_str key;
    enum puan_json_kind kind;
};

/* "answers" or a roster, after its opening bracket. */
static enum puan_status read_part(struct doc *d, struct puan_str key,
                                  enum puan_json_kind kind, unsigned *seen)
{
    const struct puan_form *f = d->r->form;
    bool answers = puan_str_is(key, "answers");
    int e = answers ? 0 : puan_form_entity(f, key);
    char name[40];

    if (e < 0 || (e == 0) != answers) {
        puan_format(name, sizeof(name), "%.*s", key.n > 32 ? 32 : (int)key.n,
                    key.p);
        return bad_key(d, name, "unknown key, the form has no such part");
    }
    if (*seen & 1u << e) {
        puan_format(name, sizeof(name), "%.*s", PUAN_FMT(key));
        return bad_key(d, name, "stands twice");
    }
    *seen |= 1u << e;
    if (answers != (kind == PUAN_JSON_MAP)) {
        puan_format(name, sizeof(name), "%.*s", PUAN_FMT(key));
        return bad_key(d, name,
                       answers ? "expected a map of answers"
                               : "expected a list of rows");
    }
    if (!answers)
        return read_roster(d, (uint16_t)e);
    d->e = &f->entity[0];
    d->row = 0;
    return read_row(d, &d->r->rows[0]);
}

/* The form is known: readies the household's row. */
static enum puan_status begin(struct doc *d, const struct puan_return_head *h,
                              const struct puan_form *const *forms,
                              size_t n_forms)
{
    size_t i = 0;

    while (i < n_forms && !puan_str_eq(forms[i]->id, h->form))
        i++;
    if (i == n_forms)
        return bad_key(d, "form", "no such form in this census");
    d->r->form = forms[i];
    if (!rows_room(&d->r->rows[0], &forms[i]->entity[0], 1, d->a))
        return puan_arena_check(d->a, d->err);
    d->r->rows[0].n = 1;
    puan_record_key(d->r, h->household);
    return PUAN_OK;
}

enum puan_status puan_record_read(struct puan_record *out,
                                  struct puan_return_head *head,
                                  const struct puan_form *const *forms,
                                  size_t n_forms, struct puan_str json,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct doc d = { .a = a, .err = err, .r = out };
    struct later later[PUAN_FORM_ENTITIES];
    size_t n_later = 0;
    unsigned seen = 0, parts = 0;
    const unsigned need = HEAD_FORM | HEAD_HOUSEHOLD;
    enum puan_json_kind kind;
    enum puan_status st;

    *out = (struct puan_record){ 0 };
    *head = (struct puan_return_head){ 0 };
    puan_json_init(&d.j, json, a);
    st = puan_json_next(&kind, &d.j, err);
    if (st != PUAN_OK)
        return st;
    if (kind != PUAN_JSON_MAP)
        return bad_key(&d, "document", "expected a map");
    for (;;) {
        struct puan_str key;
        unsigned bit = 0;

        st = puan_json_next(&kind, &d.j, err);
        if (st != PUAN_OK)
            return st;
        if (kind == PUAN_JSON_CLOSE)
            break;
        key = d.j.key;
        while (bit < PUAN_COUNT(head_names) &&
               !puan_str_is(key, head_names[bit]))
            bit++;
        if (bit < PUAN_COUNT(head_names)) {
            if (seen & 1u << bit)
                return bad_key(&d, head_names[bit], "stands twice");
            seen |= 1u << bit;
            st = read_head(head, &d, bit, kind);
            if (st == PUAN_OK && (seen & need) == need && out->form == NULL)
                st = begin(&d, head, forms, n_forms);
        } else if (kind != PUAN_JSON_MAP && kind != PUAN_JSON_LIST) {
            st = bad_key(&d, "document", "unknown key");
        } else if (out->form != NULL) {
            st = read_part(&d, key, kind, &parts);
        } else if (n_later == PUAN_COUNT(later)) {
            st = bad_key(&d, "document", "more parts than a form can have");
        } else {
            later[n_later++] = (struct later){ d.j, key, kind };
            st = puan_json_skip(&d.j, err);
        }
        if (st != PUAN_OK)
            return st;
    }
    st = puan_json_next(&kind, &d.j, err);
    if (st != PUAN_OK)
        return st;
    if (out->form == NULL)
        return bad_key(&d, seen & HEAD_FORM ? "household" : "form",
                       "is missing");
    for (size_t i = 0; i < n_later; i++) {
        d.j = later[i].at;
        st = read_part(&d, later[i].key, later[i].kind, &parts);
        if (st != PUAN_OK)
            return st;
    }
    if ((parts & 1u) == 0)
        return bad_key(&d, "answers", "is missing");
    puan_record_head(out, head);
    return PUAN_OK;
}
