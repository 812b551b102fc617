/* Persons by age and sex, area by area. */
#include "features/evaluate/areas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/frame/frames.h"
#include "features/sample/columns.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "kit/sheet/sheet.h"

#define ITEMS_MOST 4 /* of one grouping */

/* "NAME=ITEM,ITEM": the items; "ITEM,ITEM" is its own name. */
static const char *items_of(const char *by)
{
    const char *eq = strchr(by, '=');

    return eq ? eq + 1 : by;
}

static struct puan_str name_of(const char *by)
{
    const char *eq = strchr(by, '=');

    return eq ? (struct puan_str){ by, (size_t)(eq - by) } : puan_str_of(by);
}

/* ---- areas found on the way ------------------------------------------------
 */

/* An item of the persons' entity (up NULL) or of one above it. */
struct ref {
    const struct puan_frame_item *item;
    const uint32_t *up; /* row there of each person */
    const int64_t *number; /* of each text of a list, where a number is wanted;
                              INT64_MIN: it is none */
    int64_t unit;          /* of decimals, else 0 */
};

static int64_t look(enum puan_state *state, const struct ref *r, uint64_t row)
{
    return puan_frame_value(state, r->item, r->up ? r->up[row] : row);
}

/* The same of an item that holds numbers: whole years of 3.5 are 3. */
static int64_t number(enum puan_state *state, const struct ref *r, uint64_t row)
{
    int64_t v = look(state, r, row);

    if (*state == PUAN_GIVEN && r->number) {
        v = r->number[v - r->item->base];
        if (v == INT64_MIN)
            *state = PUAN_INVALID;
    }
    return r->unit > 0 && v >= 0 ? v / r->unit : v;
}

struct grouping {
    struct ref item[ITEMS_MOST];
    size_t n_items;
};

/* Areas by what their items hold; states other than given have a key too. */
struct found {
    int64_t *key; /* ITEMS_MOST each */
    uint32_t *slot;
    size_t n, room, slots;
    uint32_t last; /* of the row before */
};

struct count {
    struct puan_age_data *d;
    const struct puan_age_options *o;
    struct ref age, sex, count, month, digit, where;
    uint32_t *up[PUAN_FRAME_ENTITIES]; /* made when asked for */
    int64_t where_value;
    bool where_not, where_never;
    double unit; /* of the count item */
    struct grouping by[PUAN_BY_MOST];
    struct found found[PUAN_BY_MOST];
    struct puan_age_area **list[PUAN_BY_MOST];
    unsigned highest;
};

static enum puan_status new_area(struct puan_age_area **out,
                                 struct puan_age_data *d, size_t by,
                                 struct puan_err *err)
{
    struct puan_age_area *a = puan_new(&d->arena, struct puan_age_area);

    for (int s = 0; a && d->single && s < 2; s++)
        a->single[s] = puan_new_n(&d->arena, PUAN_AGES, double);
    if (a)
        a->by = by;
    *out = a;
    return puan_arena_check(&d->arena, err);
}

static uint64_t mix(const int64_t *key, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < n; i++) {
        h ^= (uint64_t)key[i];
        h *= 0xbf58476d1ce4e5b9u;
        h ^= h >> 31;
    }
    return h;
}

static bool room(struct found *f, struct puan_age_area ***list)
{
    size_t n = f->room ? f->room * 2 : 256, slots = n * 2;
    int64_t *key = realloc(f->key, n * ITEMS_MOST * sizeof(*key));
    struct puan_age_area **more;
    uint32_t *slot;

    if (!key)
        return false;
    f->key = key;
    more = reallocarray(*list, n, sizeof(void *));
    if (!more)
        return false;
    *list = more;
    slot = calloc(slots, sizeof(*slot));
    if (!slot)
        return false;
    for (size_t i = 0; i < f->n; i++) {
        size_t at = mix(key + i * ITEMS_MOST, ITEMS_MOST) & (slots - 1);

        while (slot[at])
            at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    free(f->slot);
    f->slot = slot;
    f->room = n;
    f->slots = slots;
    return true;
}

/* The area of a key, made when it is new. */
static enum puan_status area_by(struct puan_age_area **out, struct count *c,
                                size_t g, const int64_t key[ITEMS_MOST],
                                struct puan_err *err)
{
    struct found *f = &c->found[g];
    const size_t bytes = ITEMS_MOST * sizeof(*key);
    enum puan_status st;
    size_t at;

    if (f->n > 0 &&
        memcmp(f->key + (size_t)f->last * ITEMS_MOST, key, bytes) == 0) {
        *out = c->list[g][f->last];
        return PUAN_OK;
    }
    if (f->n == f->room && !room(f, &c->list[g]))
        return puan_fail(err, PUAN_ENOMEM, "areas", "out of memory");
    at = mix(key, ITEMS_MOST) & (f->slots - 1);
    while (f->slot[at]) {
        uint32_t i = f->slot[at] - 1;

        if (memcmp(f->key + (size_t)i * ITEMS_MOST, key, bytes) == 0) {
            f->last = i;
            *out = c->list[g][i];
            return PUAN_OK;
        }
        at = (at + 1) & (f->slots - 1);
    }
    st = new_area(out, c->d, g + 1, err);
    if (st != PUAN_OK)
        return st;
    memcpy(f->key + f->n * ITEMS_MOST, key, bytes);
    f->slot[at] = (uint32_t)f->n + 1;
    f->last = (uint32_t)f->n;
    c->list[g][f->n++] = *out;
    return PUAN_OK;
}

static enum puan_status area_of(struct puan_age_area **out, struct count *c,
                                size_t g, uint64_t row, struct puan_err *err)
{
    int64_t key[ITEMS_MOST] = { 0 };

    for (size_t i = 0; i < c->by[g].n_items; i++) {
        enum puan_state state;

        key[i] = look(&state, &c->by[g].item[i], row);
        if (state != PUAN_GIVEN)
            key[i] = INT64_MIN + (int64_t)state;
    }
    return area_by(out, c, g, key, err);
}

/* ---- counting persons -------------------------------------------------------
 */

/* -1 unknown. */
static int sex_of(const struct count *c, const int64_t code[2], uint64_t row)
{
    enum puan_state state;
    int64_t v = look(&state, &c->sex, row);

    if (state != PUAN_GIVEN)
        return -1;
    return v == code[0] ? PUAN_MALE : v == code[1] ? PUAN_FEMALE : -1;
}

static void add(struct puan_age_area *a, const struct count *c, int sex,
                int64_t age, double w)
{
    const struct puan_age_options *o = c->o;

    if (sex < 0 || age < 0 || age >= PUAN_AGES) {
        a->unknown += w;
        return;
    }
    a->all[sex] += w;
    if (o->open >= 0 && age >= o->open) {
        a->open[sex] += w;
        return;
    }
    if (!o->five) {
        a->single[sex][age] += w;
        a->infant[sex] += age == 0 ? w : 0;
        a->toddler[sex] += age > 0 && age < 5 ? w : 0;
    }
    a->five[sex][age / 5] += w;
}

/* A code list's value of a text, or the number it is. */
static bool value_of(int64_t *out, const struct puan_frame_item *it,
                     const char *text)
{
    struct puan_str s = puan_str_of(text);

    if (it->type == PUAN_TYPE_CODE && it->codes) {
        const struct puan_code *code = puan_code_by_text(it->codes, s);

        if (code)
            *out = code->value;
        return code != NULL;
    }
    if (it->type == PUAN_TYPE_FIXED)
        return puan_fixed_parse(out, s, it->places);
    return puan_int_parse(out, s);
}

static enum puan_status rows(struct count *c, uint64_t from, uint64_t to,
                             struct puan_err *err)
{
    const struct puan_age_options *o = c->o;
    int64_t code[2] = { 0 };
    enum puan_status st = PUAN_OK;

    for (int s = 0; s < 2; s++)
        if (!value_of(&code[s], c->sex.item, s == 0 ? o->male : o->female))
            return puan_fail(err, PUAN_ENOTFOUND, o->sex,
                             "no value \"%s\"; say --male and --female",
                             s == 0 ? o->male : o->female);
    for (uint64_t r = from; st == PUAN_OK && r < to; r++) {
        enum puan_state state;
        int64_t age, v;
        double w = 1;
        int sex;

        if (c->where.item) {
            v = look(&state, &c->where, r);
            if ((state == PUAN_GIVEN && !c->where_never &&
                 v == c->where_value) == c->where_not)
                continue;
        }
        if (c->count.item) {
            v = c->count.number ? number(&state, &c->count, r)
                                : look(&state, &c->count, r);
            if (state != PUAN_GIVEN)
                continue;
            w = (double)v / c->unit;
            if (w < 0)
                return puan_fail(err, PUAN_EINVAL, o->count,
                                 "row %llu holds a number below 0",
                                 (unsigned long long)r + 1);
        }
        age = number(&state, &c->age, r);
        if (state != PUAN_GIVEN)
            age = -1;
        if (age > (int64_t)c->highest && age < PUAN_AGES)
            c->highest = (unsigned)age;
        sex = sex_of(c, code, r);
        for (size_t g = 0; st == PUAN_OK && g <= o->n_by; g++) {
            struct puan_age_area *a = c->d->area;

            if (g > 0)
                st = area_of(&a, c, g - 1, r, err);
            if (st != PUAN_OK)
                break;
            add(a, c, sex, age, w);
            if (c->month.item) {
                v = number(&state, &c->month, r);
                if (c->month.item->type == PUAN_TYPE_MONTH)
                    v = ((v % 12) + 12) % 12 + 1;
                if (state == PUAN_GIVEN && v >= 1 && v <= 12)
                    a->month[v - 1] += w;
            }
            if (c->digit.item) {
                v = number(&state, &c->digit, r);
                if (state == PUAN_GIVEN && v >= 0)
                    a->digit[v % 10] += w;
            }
        }
        c->d->rows++;
    }
    return st;
}

static void join(struct puan_age_area *to, const struct puan_age_area *from,
                 bool single)
{
    for (int s = 0; s < 2; s++) {
        for (unsigned x = 0; single && x < PUAN_AGES; x++)
            to->single[s][x] += from->single[s][x];
        for (unsigned x = 0; x < PUAN_FIVES; x++)
            to->five[s][x] += from->five[s][x];
        to->open[s] += from->open[s];
        to->infant[s] += from->infant[s];
        to->toddler[s] += from->toddler[s];
        to->all[s] += from->all[s];
    }
    to->unknown += from->unknown;
    for (unsigned m = 0; m < 12; m++)
        to->month[m] += from->month[m];
    for (unsigned k = 0; k < 10; k++)
        to->digit[k] += from->digit[k];
}

static void forget(struct count *c)
{
    for (size_t g = 0; g < PUAN_BY_MOST; g++) {
        free(c->found[g].key);
        free(c->found[g].slot);
        free(c->list[g]);
        c->found[g] = (struct found){ 0 };
        c->list[g] = NULL;
    }
}

/*
 * Rows are counted in PARTS ranges, whatever the number of threads, and joined
 * in their order: sums of weights come out the same on every machine.
 */
#define PARTS 16u

struct parts {
    struct count *c; /* bound; gets the whole */
    struct count part[PARTS];
    struct puan_age_data data[PARTS];
    uint64_t n;
};

static enum puan_status count_part(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    struct parts *p = arg;
    enum puan_status st = PUAN_OK;

    (void)worker;
    for (uint64_t i = begin; st == PUAN_OK && i < end; i++) {
        struct count *c = &p->part[i];

        *c = *p->c; /* the items; nothing is found yet */
        c->d = &p->data[i];
        c->d->single = p->c->d->single;
        puan_arena_init(&c->d->arena, &puan_heap);
        st = new_area(&c->d->area, c->d, 0, err);
        if (st == PUAN_OK)
            st = rows(c, p->n * i / PARTS, p->n * (i + 1) / PARTS, err);
    }
    return st;
}

static enum puan_status join_part(struct count *c, const struct count *part,
                                  struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    join(c->d->area, part->d->area, c->d->single);
    c->d->rows += part->d->rows;
    if (part->highest > c->highest)
        c->highest = part->highest;
    for (size_t g = 0; g < c->o->n_by; g++)
        for (size_t i = 0; st == PUAN_OK && i < part->found[g].n; i++) {
            struct puan_age_area *a = NULL;

            st = area_by(&a, c, g, part->found[g].key + i * ITEMS_MOST, err);
            if (st == PUAN_OK && a)
                join(a, part->list[g][i], c->d->single);
        }
    return st;
}

static enum puan_status all_rows(struct count *c, uint64_t n,
                                 struct puan_err *err)
{
    struct parts *p = calloc(1, sizeof(*p));
    enum puan_status st;

    if (!p)
        return puan_fail(err, PUAN_ENOMEM, "areas", "out of memory");
    p->c = c;
    p->n = n;
    st = puan_parallel(c->o->threads, PARTS, 1, count_part, p, err);
    for (unsigned i = 0; i < PARTS; i++) {
        if (st == PUAN_OK)
            st = join_part(c, &p->part[i], err);
        forget(&p->part[i]);
        puan_arena_clear(&p->data[i].arena);
    }
    free(p);
    return st;
}

static int by_label(const void *a, const void *b)
{
    return puan_label_cmp(((const struct puan_age_area *)a)->label,
                          ((const struct puan_age_area *)b)->label);
}

/* One array of all areas: the whole, then each grouping by label. */
static enum puan_status gather(struct count *c, struct puan_err *err)
{
    struct puan_age_data *d = c->d;
    size_t n = 1, at = 1;
    struct puan_age_area *all;

    for (size_t g = 0; g < c->o->n_by; g++)
        n += c->found[g].n;
    all = puan_new_n(&d->arena, n, struct puan_age_area);
    if (!all)
        return puan_arena_check(&d->arena, err);
    all[0] = *d->area;
    for (size_t g = 0; g < c->o->n_by; g++) {
        size_t first = at;

        for (size_t i = 0; i < c->found[g].n; i++) {
            struct puan_out text;

            all[at] = *c->list[g][i];
            puan_out_init(&text, &d->arena);
            for (size_t k = 0; k < c->by[g].n_items; k++) {
                int64_t v = c->found[g].key[i * ITEMS_MOST + k];

                if (k)
                    puan_out_char(&text, '/');
                if (v > INT64_MIN + 16)
                    puan_out_str(&text, puan_frame_text(c->by[g].item[k].item,
                                                        v, &d->arena));
            }
            all[at++].label = puan_out_view(&text);
        }
        qsort(all + first, at - first, sizeof(*all), by_label);
    }
    d->area = all;
    d->n = n;
    return puan_arena_check(&d->arena, err);
}

/* For each row of `from`, the row of `to`, an entity above it. */
static const uint32_t *rows_above(struct count *c, const struct puan_frame *f,
                                  int from, int to)
{
    const struct puan_frame_entity *e = &f->entity[from];
    uint64_t n = e->rows;
    uint32_t *up = c->up[to];

    if (up)
        return up;
    up = puan_arena_get_n(&c->d->arena, n ? n : 1, sizeof(*up));
    for (uint64_t i = 0; up && i < n; i++)
        up[i] = (uint32_t)i;
    /* level by level: what holds row up[i] of `at` above it */
    for (int at = from; up && at != to; at = f->entity[at].parent) {
        const uint32_t *first = f->entity[at].first;
        uint32_t p = 0;

        for (uint64_t i = 0; i < n; i++) { /* rows rise, so do their parents */
            while (up[i] >= first[p + 1])
                p++;
            up[i] = p;
        }
    }
    return c->up[to] = up;
}

static enum puan_status item_of(struct ref *out, struct count *c,
                                const struct puan_frame *f, int own,
                                struct puan_str name, const char *path,
                                struct puan_err *err)
{
    for (int e = own; e >= 0; e = f->entity[e].parent) {
        int i = puan_frame_item(&f->entity[e], name);

        if (i < 0)
            continue;
        out->item = &f->entity[e].item[i];
        out->up = e == own ? NULL : rows_above(c, f, own, e);
        return puan_arena_check(&c->d->arena, err);
    }
    return puan_fail(err, PUAN_ENOTFOUND, path,
                     "there is no item \"%.*s\" beside the ages or above them",
                     PUAN_FMT(name));
}

/* "ITEM=VALUE", "ITEM!=VALUE". */
static bool condition(struct puan_str *item, const char **value, bool *is_not,
                      const char *where)
{
    const char *eq = strchr(where, '=');

    if (!eq || eq == where)
        return false;
    *is_not = eq[-1] == '!';
    *item = puan_str_trim(
        (struct puan_str){ where, (size_t)(eq - where) - *is_not });
    *value = eq + 1;
    return item->n > 0;
}

/*
 * A column of numbers in which one cell is none is a list of texts; their
 * places in it are no numbers.  What is none counts as unknown (ages), or is
 * refused.
 */
static enum puan_status as_number(struct ref *r, struct count *c, bool lenient,
                                  const char *path, struct puan_err *err)
{
    const struct puan_frame_item *it = r->item;
    int64_t *number;
    size_t bad = 0, n = it->codes ? it->codes->n : 0, first = 0;
    uint64_t span = it->least > it->most
                        ? 0
                        : (uint64_t)it->most - (uint64_t)it->base + 1;

    if (it->type == PUAN_TYPE_FIXED)
        for (unsigned i = (r->unit = 1, 0); i < it->places; i++)
            r->unit *= 10;
    if (it->type != PUAN_TYPE_CODE || n == 0 || it->token)
        return PUAN_OK;
    number = puan_arena_get_n(&c->d->arena, (size_t)span + 1, sizeof(*number));
    if (!number)
        return puan_arena_check(&c->d->arena, err);
    for (uint64_t i = 0; i <= span; i++)
        number[i] = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)it->codes->codes[i].value - (uint64_t)it->base;
        int64_t v;

        if (at >= span)
            continue;
        if (puan_int_parse(&v, it->codes->codes[i].text))
            number[at] = v;
        else if (bad++ == 0)
            first = i;
    }
    r->number = number;
    if (bad > 0 && (!lenient || bad == n))
        return puan_fail(err, PUAN_EINVAL, path,
                         "%.*s holds \"%.*s\" where a number is wanted",
                         PUAN_FMT(it->name),
                         PUAN_FMT(it->codes->codes[first].text));
    if (bad > 0 && !c->o->quiet)
        fprintf(stderr,
                "puan evaluate: %s: %.*s holds \"%.*s\"%s where a number is "
                "wanted: of unknown age\n",
                path, PUAN_FMT(it->name),
                PUAN_FMT(it->codes->codes[first].text),
                bad > 1 ? " and others" : "");
    return PUAN_OK;
}

static enum puan_status bind(struct count *c, const struct puan_frame *f, int e,
                             struct puan_err *err)
{
    const struct puan_age_options *o = c->o;
    const char *path = o->path[0], *text = "";
    struct {
        const char *name;
        struct ref *item;
    } want[] = { { o->age, &c->age },
                 { o->sex, &c->sex },
                 { o->count, &c->count },
                 { o->birth_month, &c->month },
                 { o->digit, &c->digit } };
    enum puan_status st = PUAN_OK;
    struct puan_str name;

    for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(want); i++)
        if (want[i].name) {
            st = item_of(want[i].item, c, f, e, puan_str_of(want[i].name), path,
                         err);
            if (st == PUAN_OK && want[i].item != &c->sex)
                st = as_number(want[i].item, c, i == 0, path, err);
        }
    for (size_t g = 0; st == PUAN_OK && g < o->n_by; g++) {
        struct puan_str item[ITEMS_MOST];

        if (!puan_names_split(item, &c->by[g].n_items, ITEMS_MOST,
                              items_of(o->by[g])))
            return puan_fail(err, PUAN_EINVAL, "--by",
                             "\"%s\" is not one to %d items", o->by[g],
                             ITEMS_MOST);
        for (size_t k = 0; st == PUAN_OK && k < c->by[g].n_items; k++)
            st = item_of(&c->by[g].item[k], c, f, e, item[k], path, err);
    }
    if (st == PUAN_OK && o->where) {
        if (!condition(&name, &text, &c->where_not, o->where))
            return puan_fail(err, PUAN_EINVAL, "--where",
                             "\"%s\" is not ITEM=VALUE or ITEM!=VALUE",
                             o->where);
        st = item_of(&c->where, c, f, e, name, path, err);
        if (st == PUAN_OK)
            c->where_never = !value_of(&c->where_value, c->where.item, text);
    }
    c->unit = 1;
    for (unsigned i = 0;
         c->count.item && c->count.item->type == PUAN_TYPE_FIXED &&
         i < c->count.item->places;
         i++)
        c->unit *= 10;
    return st;
}

static int entity_of(const struct puan_frame *f,
                     const struct puan_age_options *o)
{
    if (o->entity)
        return puan_frame_entity(f, puan_str_of(o->entity));
    for (int e = 0; e < (int)f->n_entities; e++)
        if (puan_frame_item(&f->entity[e], puan_str_of(o->age)) >= 0 &&
            puan_frame_item(&f->entity[e], puan_str_of(o->sex)) >= 0)
            return e;
    return -1;
}

static enum puan_status persons(struct puan_age_data *d,
                                const struct puan_age_options *o,
                                struct puan_err *err)
{
    struct puan_frames_options opt = { .threads = o->threads,
                                       .quiet = o->quiet };
    struct count c = { .d = d, .o = o };
    struct puan_frames *f = NULL;
    enum puan_status st = puan_frames_load(&f, o->path, o->n_paths, &opt, err);
    int e = -1;

    if (st == PUAN_OK) {
        e = entity_of(puan_frames_frame(f), o);
        if (e < 0)
            st =
                puan_fail(err, PUAN_ENOTFOUND, o->path[0],
                          "no entity has both \"%s\" and \"%s\"; say --age and "
                          "--sex",
                          o->age, o->sex);
    }
    if (st == PUAN_OK)
        st = bind(&c, puan_frames_frame(f), e, err);
    d->single = !o->five;
    d->infants = !o->five;
    d->months = c.month.item != NULL;
    d->digits = c.digit.item != NULL;
    if (st == PUAN_OK)
        st = new_area(&d->area, d, 0, err);
    if (st == PUAN_OK)
        st = all_rows(&c, puan_frames_frame(f)->entity[e].rows, err);
    if (st == PUAN_OK)
        st = gather(&c, err);
    forget(&c);
    puan_frames_close(f);
    if (o->open >= 0) {
        d->closed = (unsigned)o->open;
        d->closed_five = (unsigned)o->open / 5;
    } else {
        d->closed = c.highest + 1;
        d->closed_five = c.highest / 5 + 1;
    }
    if (!d->single)
        d->closed = 0;
    return st;
}

/* ---- a published table
 * -------------------------------------------------------- */

struct wide_column {
    int sex;
    unsigned low, high; /* high 0: open */
    int at;
};

/* "0", "1_4", "1-4", "85p", "85+" after the prefix. */
static bool ages_of(unsigned *low, unsigned *high, struct puan_str s)
{
    unsigned v[2] = { 0, 0 };
    size_t i = 0, digits = 0;
    bool open = false, second = false;

    for (; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9' && !open) {
            v[second] = v[second] * 10 + (unsigned)(s.p[i] - '0');
            if (++digits > 3)
                return false;
        } else if ((s.p[i] == '_' || s.p[i] == '-') && !second && digits) {
            second = true;
            digits = 0;
        } else if ((s.p[i] == 'p' || s.p[i] == '+') && i + 1 == s.n &&
                   !second && digits) {
            open = true;
        } else {
            return false;
        }
    }
    if (digits == 0 || v[0] >= PUAN_AGES || v[1] >= PUAN_AGES)
        return false;
    *low = v[0];
    *high = open ? 0 : second ? v[1] + 1 : v[0] + 1;
    return open || *high > *low;
}

struct wide {
    struct wide_column col[2 * PUAN_AGES];
    size_t n;
    int label[PUAN_BY_MOST][ITEMS_MOST];
    size_t n_label[PUAN_BY_MOST];
    int where;
    bool where_not;
    const char *where_value;
};

static enum puan_status wide_columns(struct wide *w, const struct puan_sheet *s,
                                     const struct puan_age_options *o,
                                     struct puan_age_data *d,
                                     struct puan_err *err)
{
    const struct puan_csv *csv = puan_sheet_row(s);
    struct puan_str prefix[2];
    unsigned covered[2] = { 0 };
    bool single = true;
    size_t n;

    if (!puan_names_split(prefix, &n, 2, o->wide) || n != 2)
        return puan_fail(err, PUAN_EINVAL, "--wide",
                         "two prefixes are needed, of the men's and the "
                         "women's columns: m_,f_");
    for (size_t i = 0; i < csv->n; i++)
        for (int sex = 0; sex < 2; sex++) {
            struct puan_str h = csv->header[i];
            struct wide_column c = { sex, 0, 0, (int)i };

            if (h.n <= prefix[sex].n ||
                memcmp(h.p, prefix[sex].p, prefix[sex].n) != 0)
                continue;
            h.p += prefix[sex].n;
            h.n -= prefix[sex].n;
            if (!ages_of(&c.low, &c.high, h))
                continue;
            if (c.low != covered[sex] || w->n == PUAN_COUNT(w->col))
                return puan_fail(err, PUAN_EINVAL, o->path[0],
                                 "column %.*s begins at age %u; %u is next",
                                 PUAN_FMT(csv->header[i]), c.low, covered[sex]);
            if (c.high && (c.high - 1) / 5 != c.low / 5)
                return puan_fail(err, PUAN_EINVAL, o->path[0],
                                 "column %.*s reaches over more than one "
                                 "five-year group",
                                 PUAN_FMT(csv->header[i]));
            covered[sex] = c.high ? c.high : PUAN_AGES + 1;
            single &= c.high == 0 || c.high == c.low + 1;
            if (c.high == 0)
                d->closed = c.low;
            w->col[w->n++] = c;
        }
    if (w->n == 0 || covered[0] != covered[1])
        return puan_fail(err, PUAN_EINVAL, o->path[0],
                         "the columns %s… of both sexes must cover the same "
                         "ages",
                         o->wide);
    if (covered[0] <= PUAN_AGES)
        d->closed = covered[0];
    d->closed_five = d->closed / 5;
    d->single = single;
    d->infants = w->col[0].high == 1;
    if (!single)
        d->closed = 0;
    return PUAN_OK;
}

static enum puan_status wide_labels(struct wide *w, const struct puan_sheet *s,
                                    const struct puan_age_options *o,
                                    struct puan_age_data *d,
                                    struct puan_err *err)
{
    struct puan_str item[ITEMS_MOST], name;
    enum puan_status st = PUAN_OK;

    for (size_t g = 0; g < o->n_by; g++) {
        if (!puan_names_split(item, &w->n_label[g], ITEMS_MOST,
                              items_of(o->by[g])))
            return puan_fail(err, PUAN_EINVAL, "--by",
                             "\"%s\" is not one to %d columns", o->by[g],
                             ITEMS_MOST);
        for (size_t k = 0; st == PUAN_OK && k < w->n_label[g]; k++)
            st = puan_sheet_need(&w->label[g][k], s,
                                 puan_arena_dup(&d->arena, item[k]), err);
    }
    w->where = -1;
    if (st == PUAN_OK && o->where) {
        if (!condition(&name, &w->where_value, &w->where_not, o->where))
            return puan_fail(err, PUAN_EINVAL, "--where",
                             "\"%s\" is not COLUMN=VALUE or COLUMN!=VALUE",
                             o->where);
        st =
            puan_sheet_need(&w->where, s, puan_arena_dup(&d->arena, name), err);
    }
    return st;
}

static enum puan_status wide_row(struct puan_age_area *a, const struct wide *w,
                                 const struct puan_csv *csv,
                                 struct puan_age_data *d, struct puan_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct wide_column *c = &w->col[i];
        struct puan_str s = puan_str_trim(csv->field[c->at]);
        int64_t v = 0;

        if (s.n && (!puan_int_parse(&v, s) || v < 0))
            return puan_fail_at(err, PUAN_EINVAL, csv->file, csv->line,
                                (uint32_t)c->at + 1,
                                "\"%.*s\" is not a number of persons",
                                (int)(s.n > 40 ? 40 : s.n), s.p);
        a->all[c->sex] += (double)v;
        if (c->high == 0) {
            a->open[c->sex] += (double)v;
            continue;
        }
        a->five[c->sex][c->low / 5] += (double)v;
        if (d->single)
            a->single[c->sex][c->low] += (double)v;
        a->infant[c->sex] += d->infants && c->low == 0 ? (double)v : 0;
        a->toddler[c->sex] +=
            d->infants && c->low > 0 && c->low < 5 ? (double)v : 0;
    }
    return PUAN_OK;
}

/* Each row of the table is an area; the whole is their sum. */
static enum puan_status table(struct puan_age_data *d,
                              const struct puan_age_options *o,
                              struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    struct wide w = { .n = 0 };
    struct puan_age_area *whole = NULL, **list = NULL, *all;
    size_t n = 0, most = 0;
    bool more = true;
    enum puan_status st;

    if (o->n_paths != 1 || o->n_by > 1)
        return puan_fail(err, PUAN_EINVAL, "--wide",
                         "one file and at most one --by, the label of its "
                         "rows");
    st = puan_sheet_open(&s, o->path[0], err);
    if (st == PUAN_OK)
        st = wide_columns(&w, s, o, d, err);
    if (st == PUAN_OK)
        st = wide_labels(&w, s, o, d, err);
    if (st == PUAN_OK)
        st = new_area(&whole, d, 0, err);
    while (st == PUAN_OK) {
        const struct puan_csv *csv = puan_sheet_row(s);
        struct puan_age_area *a = NULL;
        struct puan_out text;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (w.where >= 0 && puan_str_is(puan_str_trim(csv->field[w.where]),
                                        w.where_value) == w.where_not)
            continue;
        d->rows++;
        st = wide_row(whole, &w, csv, d, err);
        if (st != PUAN_OK || o->n_by == 0)
            continue;
        st = new_area(&a, d, 1, err);
        if (st == PUAN_OK)
            st = wide_row(a, &w, csv, d, err);
        if (st != PUAN_OK)
            break;
        puan_out_init(&text, &d->arena);
        for (size_t k = 0; k < w.n_label[0]; k++) {
            if (k)
                puan_out_char(&text, '/');
            puan_out_str(&text, puan_str_trim(csv->field[w.label[0][k]]));
        }
        a->label = puan_out_view(&text);
        if (n == most) {
            struct puan_age_area **p;

            most = most ? most * 2 : 256;
            p = reallocarray(list, most, sizeof(void *));
            if (!p) {
                st = puan_fail(err, PUAN_ENOMEM, o->path[0], "out of memory");
                break;
            }
            list = p;
        }
        list[n++] = a;
    }
    all = puan_new_n(&d->arena, n + 1, struct puan_age_area);
    if (st == PUAN_OK)
        st = puan_arena_check(&d->arena, err);
    if (st == PUAN_OK && all && whole) {
        all[0] = *whole;
        for (size_t i = 0; i < n; i++)
            all[i + 1] = *list[i];
        d->area = all;
        d->n = n + 1;
    }
    free(list);
    puan_sheet_close(s);
    return st;
}

enum puan_status puan_age_data_load(struct puan_age_data *out,
                                    const struct puan_age_options *o,
                                    struct puan_err *err)
{
    enum puan_status st;

    *out = (struct puan_age_data){ .n_by = o->n_by + 1 };
    puan_arena_init(&out->arena, &puan_heap);
    for (unsigned i = 0; i < 2; i++) {
        static const unsigned textbook[2][2] = { { 10, 69 }, { 23, 82 } };

        out->score[i] = o->score[1] ? o->score[i] : textbook[0][i];
        out->myers[i] = o->myers[1] ? o->myers[i] : textbook[1][i];
    }
    for (size_t g = 0; g < o->n_by; g++)
        out->by[g + 1] = name_of(o->by[g]);
    st = o->wide ? table(out, o, err) : persons(out, o, err);
    if (st == PUAN_OK && out->closed_five > PUAN_FIVES)
        out->closed_five = PUAN_FIVES;
    return st;
}

void puan_age_data_clear(struct puan_age_data *d)
{
    if (d)
        puan_arena_clear(&d->arena);
}
