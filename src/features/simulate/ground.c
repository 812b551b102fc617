/*
 * The areas of one shard below itself, real where the spec knows them, and
 * their synthetic borders.  See sim.h.
 */
#include "features/simulate/sim.h"

#include "base/csv.h"
#include "kit/os/os.h"

struct puan_str sim_pattern(struct puan_arena *a, struct puan_str pattern,
                            const char *const *pairs)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < pattern.n; i++) {
        const char *const *p = pairs;
        size_t k = 0;

        if (pattern.p[i] == '{')
            for (; *p != NULL; p += 2) {
                k = strlen(*p);
                if (i + k + 1 < pattern.n &&
                    memcmp(pattern.p + i + 1, *p, k) == 0 &&
                    pattern.p[i + 1 + k] == '}')
                    break;
            }
        if (pattern.p[i] == '{' && *p != NULL) {
            puan_out_text(&o, p[1]);
            i += k + 1;
        } else {
            puan_out_char(&o, pattern.p[i]);
        }
    }
    return puan_out_view(&o);
}

static const struct sim_known *known_of(const struct sim_spec *s, int64_t code)
{
    for (unsigned i = 0; i < s->n_known; i++)
        if (s->known[i].area == code)
            return &s->known[i];
    return NULL;
}

/* Names and codes below a known shard. */
struct known_names {
    int64_t *code;
    struct puan_str *zh;
    unsigned *digits;
    size_t n;
};

static enum puan_status read_known(struct known_names *out, const char *path,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_arena line;
    struct puan_str text;
    struct puan_csv c;
    enum puan_status st;
    bool more = false;
    int code = -1, name = -1;
    size_t cap;

    if ((st = puan_file_read(&text, path, 0, a, err)) != PUAN_OK)
        return st;
    cap = text.n / 8 + 1;
    out->code = puan_new_n(a, cap, int64_t);
    out->zh = puan_new_n(a, cap, struct puan_str);
    out->digits = puan_new_n(a, cap, unsigned);
    out->n = 0;
    puan_arena_init(&line, a->host);
    if ((st = puan_arena_check(a, err)) == PUAN_OK)
        st = puan_csv_open(&c, text, path, a, &line, err);
    if (st != PUAN_OK)
        goto done;
    code = puan_csv_column(&c, "code");
    name = puan_csv_column(&c, "name_zh");
    if (code < 0 || name < 0) {
        st = puan_fail(err, PUAN_EINVAL, path,
                       "needs the columns code and name_zh");
        goto done;
    }
    while ((st = puan_csv_next(&more, &c, err)) == PUAN_OK && more) {
        if (out->n == cap ||
            !puan_int_parse(&out->code[out->n], c.field[code])) {
            st = puan_fail_at(err, PUAN_EINVAL, path, c.line, 0,
                              "code must be all digits");
            break;
        }
        out->digits[out->n] = (unsigned)c.field[code].n;
        out->zh[out->n] =
            (struct puan_str){ puan_arena_dup(a, c.field[name]),
                               c.field[name].n };
        out->n++;
    }
done:
    puan_arena_clear(&line);
    return st;
}

uint32_t sim_ground_eas(const struct sim_spec *s,
                        const struct sim_area_row *row, double scale)
{
    const struct sim_known *k = known_of(s, row->code);
    int64_t all = k != NULL ? k->areas
                            : sim_cell(row, s->c_households) /
                                  s->rate[SIM_RATE_AREA_HOUSEHOLDS];
    int64_t n = (int64_t)((double)all * scale + 0.5);

    return n < 1 ? 1 : (uint32_t)n;
}

int32_t sim_ground_side(uint32_t n_ea)
{
    int32_t side = 1;

    while ((int64_t)side * side < n_ea)
        side++;
    return side * 36;
}

/* What the recursive building needs. */
struct making {
    struct sim_ground *g;
    const struct sim_spec *s;
    struct puan_arena *a;
    const struct known_names *names; /* n = 0: none known */
    const struct sim_known *known;
    uint32_t cap;
    double scale;
    struct sim_rng rng;
    int64_t full; /* enumeration areas of the shard at scale 1 */
};

static uint32_t add_area(struct making *m, uint32_t parent, unsigned level,
                         int64_t code, struct puan_str zh, struct puan_str en,
                         bool synthetic)
{
    struct sim_ground *g = m->g;
    uint32_t i = g->n;

    if (g->n == m->cap) {
        m->a->failed = true;
        return 0;
    }
    g->area[i] = (struct sim_ground_area){ .code = code,
                                           .level = (uint8_t)level,
                                           .synthetic = synthetic,
                                           .parent = parent,
                                           .ea_first = g->n_ea,
                                           .zh = zh,
                                           .en = en };
    g->n++;
    return i;
}

static int64_t ten_to(unsigned n)
{
    int64_t p = 1;

    while (n-- > 0)
        p *= 10;
    return p;
}

static void fill(struct making *m, uint32_t parent, unsigned level,
                 int64_t n_ea, int64_t n_units);

/* One area with all that is inside it. */
static void unit(struct making *m, uint32_t parent, unsigned level,
                 int64_t code, struct puan_str zh, struct puan_str en,
                 bool synthetic, int64_t n_ea, int64_t n_units)
{
    struct sim_ground *g = m->g;
    uint32_t i = add_area(m, parent, level, code, zh, en, synthetic);

    if (m->a->failed)
        return;
    if (level + 1 == m->s->n_levels) {
        uint32_t p = parent;

        g->ea[g->n_ea] = i;
        g->district[g->n_ea] = parent;
        while (p > 0 && g->area[p].level > m->s->near)
            p = g->area[p].parent;
        g->near[g->n_ea] = p;
        g->n_ea++;
    } else {
        fill(m, i, level + 1, n_ea, n_units);
    }
    g->area[i].end = g->n;
    g->area[i].ea_end = g->n_ea;
}

/* Shares n_ea over k units, at least one each. */
static void shares(int64_t *out, struct making *m, int64_t k, int64_t n_ea,
                   const double *weight)
{
    double *w = puan_new_n(m->a, (size_t)k, double);

    if (w == NULL)
        return;
    for (int64_t i = 0; i < k; i++)
        w[i] = (weight != NULL ? weight[i] : 1.0) *
               (0.6 + (double)sim_below(&m->rng, 1000) / 1000.0);
    (void)sim_apportion(out, w, NULL, (size_t)k, n_ea - k);
    for (int64_t i = 0; i < k; i++)
        out[i]++;
}

/* Indexes of known areas with that many digits and that prefix. */
static size_t known_below(size_t *out, const struct making *m, int64_t prefix,
                          unsigned prefix_digits, unsigned digits)
{
    size_t n = 0;

    for (size_t i = 0; i < m->names->n; i++)
        if (m->names->digits[i] == digits &&
            m->names->code[i] / ten_to(digits - prefix_digits) == prefix) {
            if (out != NULL)
                out[n] = i;
            n++;
        }
    return n;
}

static const char *number_text(struct making *m, int64_t n)
{
    return puan_arena_fmt(m->a, "%lld", (long long)n);
}

/* Areas all made up. */
static void fill_synthetic(struct making *m, uint32_t parent, unsigned level,
                           int64_t n_ea, int64_t k)
{
    const struct sim_level *v = &m->s->level[level];
    int64_t base = m->g->area[parent].code *
                   ten_to(v->digits -
                          m->s->level[m->g->area[parent].level].digits);
    int64_t *share = puan_new_n(m->a, (size_t)k, int64_t);

    if (share == NULL)
        return;
    if (level + 1 == m->s->n_levels)
        for (int64_t i = 0; i < k; i++)
            share[i] = 1;
    else
        shares(share, m, k, n_ea, NULL);
    for (int64_t i = 0; i < k; i++) {
        const char *pairs[] = { "n", number_text(m, i + 1), NULL };

        unit(m, parent, level, base + v->first + i,
             sim_pattern(m->a, v->zh, pairs), sim_pattern(m->a, v->en, pairs),
             true, share[i], 0);
    }
}

static struct puan_str english(const struct making *m, int64_t code,
                               unsigned digits)
{
    const char *key = puan_arena_fmt(m->a, "%0*lld", (int)digits,
                                     (long long)code);

    return puan_node_str_opt(m->known->en, key, "");
}

/* Districts out of n known villages, merged or split. */
static void fill_villages(struct making *m, uint32_t parent, unsigned level,
                          int64_t n_ea, int64_t k, const size_t *village,
                          size_t n)
{
    const struct sim_level *v = &m->s->level[level];
    int64_t base = m->g->area[parent].code *
                   ten_to(v->digits -
                          m->s->level[m->g->area[parent].level].digits);
    int64_t *share = puan_new_n(m->a, (size_t)k, int64_t);
    int64_t split = v->split;
    int64_t done = 0, n_split = 0;

    if (share == NULL)
        return;
    shares(share, m, k, n_ea, NULL);
    if (k <= (int64_t)n) {
        for (int64_t i = 0; i < k; i++) {
            size_t from = (size_t)(i * (int64_t)n / k);
            size_t to = (size_t)((i + 1) * (int64_t)n / k);
            struct puan_str zh = m->names->zh[village[from]];

            if (to > from + 1) {
                const char *pairs[] = {
                    "name", puan_arena_dup(m->a, zh), "n",
                    number_text(m, (int64_t)(to - from)), NULL
                };

                zh = sim_pattern(m->a, v->merged_zh, pairs);
            }
            unit(m, parent, level, m->names->code[village[from]], zh,
                 english(m, m->names->code[village[from]], v->digits),
                 to > from + 1, share[i], 0);
        }
        return;
    }
    /* Codes must rise: split parts come behind all villages of the parent. */
    for (size_t i = 0; i < n; i++) {
        struct puan_str zh = m->names->zh[village[i]];
        int64_t parts = (int64_t)(i + 1) * k / (int64_t)n -
                        (int64_t)i * k / (int64_t)n;
        const char *pairs[] = { "name",
                                puan_arena_dup(m->a, zh), "n", "1", NULL };

        unit(m, parent, level, m->names->code[village[i]],
             parts > 1 ? sim_pattern(m->a, v->part_zh, pairs) : zh,
             english(m, m->names->code[village[i]], v->digits), parts > 1,
             share[done], 0);
        done++;
        n_split += parts - 1;
    }
    for (size_t i = 0; i < n && n_split > 0; i++) {
        int64_t parts = (int64_t)(i + 1) * k / (int64_t)n -
                        (int64_t)i * k / (int64_t)n;

        for (int64_t p = 2; p <= parts; p++) {
            const char *pairs[] = {
                "name", puan_arena_dup(m->a, m->names->zh[village[i]]), "n",
                number_text(m, p), NULL
            };

            unit(m, parent, level, base + split++,
                 sim_pattern(m->a, v->part_zh, pairs), PUAN_STR(""), true,
                 share[done], 0);
            done++;
        }
    }
}

/* The areas of `level` inside `parent`; n_units 0: as many as usual. */
static void fill(struct making *m, uint32_t parent, unsigned level,
                 int64_t n_ea, int64_t n_units)
{
    const struct sim_spec *s = m->s;
    const struct sim_ground_area *up = &m->g->area[parent];
    unsigned up_digits = s->level[up->level].digits;
    int64_t k = n_units;
    size_t n = 0, *list;

    if (m->a->failed)
        return;
    if (level + 1 == s->n_levels) {
        fill_synthetic(m, parent, level, n_ea, n_ea);
        return;
    }
    if (k == 0) {
        /* the outermost units do not become fewer with the scale */
        int64_t of = level == s->shard + 1 ? m->full : n_ea;

        k = (of + s->level[level].areas / 2) / s->level[level].areas;
    }
    k = k < 1 ? 1 : k > n_ea ? n_ea : k;
    if (m->names->n > 0)
        n = known_below(NULL, m, up->code, up_digits, s->level[level].digits);
    if (n == 0) {
        fill_synthetic(m, parent, level, n_ea, k);
        return;
    }
    list = puan_new_n(m->a, n, size_t);
    if (list == NULL)
        return;
    (void)known_below(list, m, up->code, up_digits, s->level[level].digits);
    if (level != s->shard + 1) {
        fill_villages(m, parent, level, n_ea, k, list, n);
        return;
    }
    {
        /* Known townships: weighted by their villages, never left out. */
        int64_t *share = puan_new_n(m->a, n, int64_t);
        int64_t *units = puan_new_n(m->a, n, int64_t);
        double *w = puan_new_n(m->a, n, double);
        int64_t inner = (int64_t)((double)m->known->districts * m->scale + 0.5);

        if (share == NULL || units == NULL || w == NULL)
            return;
        for (size_t i = 0; i < n; i++)
            w[i] = 1.0 + (double)known_below(NULL, m,
                                             m->names->code[list[i]],
                                             s->level[level].digits,
                                             s->level[level + 1].digits);
        shares(share, m, (int64_t)n, n_ea, w);
        for (size_t i = 0; i < n; i++)
            w[i] = (double)share[i];
        if (inner < (int64_t)n)
            inner = (int64_t)n;
        for (size_t i = 0; i < n; i++)
            units[i] = share[i] - 1; /* a district has an area at least */
        {
            int64_t *more = puan_new_n(m->a, n, int64_t);

            if (more == NULL)
                return;
            (void)sim_apportion(more, w, units, n, inner - (int64_t)n);
            for (size_t i = 0; i < n; i++)
                units[i] = more[i] + 1;
        }
        for (size_t i = 0; i < n; i++)
            unit(m, parent, level, m->names->code[list[i]],
                 m->names->zh[list[i]],
                 english(m, m->names->code[list[i]], s->level[level].digits),
                 false, share[i], units[i]);
    }
}

/* ---- where the areas lie ---------------------------------------------- */

/* Cuts the rectangle among the children [i, j) of a parent, by their areas. */
static void cut(struct sim_ground *g, const uint32_t *child, uint32_t n,
                int32_t x0, int32_t y0, int32_t x1, int32_t y1);

static void lay(struct sim_ground *g, uint32_t i, int32_t x0, int32_t y0,
                int32_t x1, int32_t y1, struct puan_arena *a)
{
    struct sim_ground_area *me = &g->area[i];
    uint32_t n = 0, *child;

    me->x0 = x0;
    me->y0 = y0;
    me->x1 = x1;
    me->y1 = y1;
    for (uint32_t c = i + 1; c < me->end; c = g->area[c].end)
        n++;
    if (n == 0)
        return;
    child = puan_new_n(a, n, uint32_t);
    if (child == NULL)
        return;
    n = 0;
    for (uint32_t c = i + 1; c < me->end; c = g->area[c].end)
        child[n++] = c;
    cut(g, child, n, x0, y0, x1, y1);
    for (uint32_t k = 0; k < n; k++)
        lay(g, child[k], g->area[child[k]].x0, g->area[child[k]].y0,
            g->area[child[k]].x1, g->area[child[k]].y1, a);
}

static int64_t eas_of(const struct sim_ground *g, uint32_t i)
{
    return g->area[i].ea_end - g->area[i].ea_first;
}

static void cut(struct sim_ground *g, const uint32_t *child, uint32_t n,
                int32_t x0, int32_t y0, int32_t x1, int32_t y1)
{
    int64_t all = 0, part = 0, best = 0;
    uint32_t at = 1;

    if (n == 1) {
        g->area[child[0]].x0 = x0;
        g->area[child[0]].y0 = y0;
        g->area[child[0]].x1 = x1;
        g->area[child[0]].y1 = y1;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        all += eas_of(g, child[i]);
    best = -1;
    for (uint32_t i = 1; i < n; i++) {
        int64_t off;

        part += eas_of(g, child[i - 1]);
        off = 2 * part > all ? 2 * part - all : all - 2 * part;
        if (best < 0 || off < best) {
            best = off;
            at = i;
        }
    }
    part = 0;
    for (uint32_t i = 0; i < at; i++)
        part += eas_of(g, child[i]);
    if (x1 - x0 >= y1 - y0) {
        int32_t x = x0 + (int32_t)(((int64_t)(x1 - x0) * part + all / 2) / all);

        cut(g, child, at, x0, y0, x, y1);
        cut(g, child + at, n - at, x, y0, x1, y1);
    } else {
        int32_t y = y0 + (int32_t)(((int64_t)(y1 - y0) * part + all / 2) / all);

        cut(g, child, at, x0, y0, x1, y);
        cut(g, child + at, n - at, x0, y, x1, y1);
    }
}

/* Value noise in [-65536, 65536] at a wavelength of 2^shift cells. */
static int64_t noise(uint64_t seed, unsigned shift, int64_t x, int64_t y)
{
    int64_t gx = x >> shift, gy = y >> shift;
    int64_t fx = ((x - (gx << shift)) << 16) >> shift;
    int64_t fy = ((y - (gy << shift)) << 16) >> shift;
    int64_t v[2][2];

    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            v[i][j] = (int64_t)(sim_hash(seed, (uint64_t)(gx + i),
                                         (uint64_t)(gy + j)) >>
                                47) -
                      65536;
    /* smoothstep 3t^2 - 2t^3 in 16 bits */
    fx = ((fx * fx >> 16) * (3 * 65536 - 2 * fx)) >> 16;
    fy = ((fy * fy >> 16) * (3 * 65536 - 2 * fy)) >> 16;
    v[0][0] += ((v[1][0] - v[0][0]) * fx) >> 16;
    v[0][1] += ((v[1][1] - v[0][1]) * fx) >> 16;
    return v[0][0] + (((v[0][1] - v[0][0]) * fy) >> 16);
}

void sim_ground_point(int64_t *lon, int64_t *lat, const struct sim_ground *g,
                      int64_t x, int64_t y)
{
    int64_t d[2] = { 0, 0 };

    /*
     * Seven octaves, each of a thirtieth of its wavelength: slopes add up to
     * less than one, so no cell is folded (ground_test looks at them all).
     */
    for (unsigned shift = 1; shift <= 7; shift++)
        for (int i = 0; i < 2; i++)
            d[i] += noise(g->seed * 2 + (uint64_t)i + shift * 1000003, shift, x,
                          y) *
                    (g->cell << shift) / 30 / 65536;
    *lon = g->spec->origin_lon + x * g->cell + d[0];
    *lat = g->spec->origin_lat + y * g->cell + d[1];
}

void sim_ground_inside(int64_t *lon, int64_t *lat, const struct sim_ground *g,
                       uint32_t area, uint64_t n)
{
    const struct sim_ground_area *r = &g->area[area];
    uint64_t w = (uint64_t)(r->x1 - r->x0), h = (uint64_t)(r->y1 - r->y0);
    uint64_t at = (sim_hash(g->seed, 77, (uint64_t)r->code) % (w * h) +
                   n * 7919) %
                  (w * h);
    int64_t x = r->x0 + (int64_t)(at % w), y = r->y0 + (int64_t)(at / w);
    int64_t sx = 0, sy = 0;

    /* the middle of a lattice cell */
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            int64_t px, py;

            sim_ground_point(&px, &py, g, x + i, y + j);
            sx += px;
            sy += py;
        }
    *lon = sx / 4;
    *lat = sy / 4;
}

void sim_ground_ring(const struct sim_ground *g, uint32_t area,
                     void (*point)(void *ctx, int64_t lon, int64_t lat),
                     void *ctx)
{
    const struct sim_ground_area *r = &g->area[area];
    int64_t x = r->x0, y = r->y0, lon, lat;
    int64_t step[4][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } };
    int64_t n[2] = { r->x1 - r->x0, r->y1 - r->y0 };

    for (int side = 0; side < 4; side++)
        for (int64_t i = 0; i < n[side % 2]; i++) {
            sim_ground_point(&lon, &lat, g, x, y);
            point(ctx, lon, lat);
            x += step[side][0];
            y += step[side][1];
        }
    sim_ground_point(&lon, &lat, g, x, y);
    point(ctx, lon, lat);
}

enum puan_status sim_ground_make(struct sim_ground *g,
                                 const struct sim_spec *s,
                                 const struct sim_area_row *row, uint64_t seed,
                                 double scale, int32_t ox, int32_t oy,
                                 int32_t side, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct known_names names = { 0 };
    struct making m = { .g = g, .s = s, .a = a, .names = &names };
    int64_t n_ea = sim_ground_eas(s, row, scale);
    enum puan_status st;

    *g = (struct sim_ground){ .spec = s, .seed = seed };
    g->cell = 4000000 / side;
    if (g->cell < 60)
        g->cell = 60;
    m.known = known_of(s, row->code);
    m.scale = scale;
    m.rng = sim_rng_of(seed, 1, (uint64_t)row->code);
    m.full = m.known != NULL ? m.known->areas
                             : sim_cell(row, s->c_households) /
                                   s->rate[SIM_RATE_AREA_HOUSEHOLDS];
    if (m.known != NULL) {
        int64_t least = 0;

        if ((st = read_known(&names, m.known->file, a, err)) != PUAN_OK)
            return st;
        for (size_t i = 0; i < names.n; i++)
            if (names.digits[i] == s->level[s->shard + 1].digits)
                least++;
        if (n_ea < least)
            n_ea = least;
    }
    /* every level has at most as many areas as there are enumeration areas */
    m.cap = (uint32_t)(n_ea * (s->n_levels - s->shard) + 1);
    g->area = puan_new_n(a, m.cap, struct sim_ground_area);
    g->ea = puan_new_n(a, (size_t)n_ea, uint32_t);
    g->near = puan_new_n(a, (size_t)n_ea, uint32_t);
    g->district = puan_new_n(a, (size_t)n_ea, uint32_t);
    if ((st = puan_arena_check(a, err)) != PUAN_OK)
        return st;
    {
        unit(&m, SIM_NONE, s->shard, row->code,
             sim_spec_field(s, row, s->level[s->shard].column),
             sim_spec_field(s, row, s->level[s->shard].column_en), false, n_ea,
             0);
    }
    if ((st = puan_arena_check(a, err)) != PUAN_OK)
        return st;
    lay(g, 0, ox, oy, ox + side, oy + side, a);
    return puan_arena_check(a, err);
}
