/*
 * A province of synthetic persons as CSV: one row a person, the answers of the
 * short form of plans/cn-population-2020, those of the household repeated in
 * each of its rows.  Nobody in it is real.
 *
 * usage: gen_province ROWS PROVINCE SEED AREAS.csv >persons.csv
 *
 * Counties of the province (two digits) and their sizes are those of AREAS.csv
 * (code in the first column, population in the fifth), scaled to ROWS.  A
 * township has about 33,000 persons at full size, an enumeration area about
 * 250 at any.  Rows stand in the order of a census: county, township,
 * enumeration area, household, person.  Half a percent of the persons and of
 * the households carry one fault of a known kind, so that rules find something;
 * half a percent of the tokens repeat an earlier one.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REF 24250 /* 2020-11, months since year 0 */
#define COUNTIES 256
#define MEMBERS 32
#define RING 65536u

static uint64_t state[4];

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t rnd(void) /* xoshiro256** */
{
    uint64_t r = rotl(state[1] * 5, 7) * 9, t = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return r;
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(int n)
{
    return (int)(((rnd() >> 32) * (uint64_t)n) >> 32);
}

static int chance(int per_mille)
{
    return below(1000) < per_mille;
}

/* ---- output ------------------------------------------------------------------ */

static char buf[1 << 20];
static size_t used;

static char *put(char *p, uint64_t v, char then)
{
    char t[20];
    int n = 0;

    do
        t[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = t[--n];
    *p++ = then;
    return p;
}

/* A number, or nothing for one below zero. */
static char *put_or(char *p, int v, char then)
{
    if (v >= 0)
        return put(p, (uint64_t)v, then);
    *p++ = then;
    return p;
}

static char *put_month(char *p, int m)
{
    int y = m / 12, k = m % 12 + 1;

    *p++ = (char)('0' + y / 1000);
    *p++ = (char)('0' + y / 100 % 10);
    *p++ = (char)('0' + y / 10 % 10);
    *p++ = (char)('0' + y % 10);
    *p++ = '-';
    *p++ = (char)('0' + k / 10);
    *p++ = (char)('0' + k % 10);
    *p++ = ',';
    return p;
}

/* ---- people -------------------------------------------------------------------- */

struct person {
    int relation, sex, born, group, stay, stay_at, home, home_at, since, why,
        education, reads;
};

struct house {
    int kind, here, away, born[2], died[2], dwelling, area, rooms, seconds,
        start, distance, mode;
    struct person p[MEMBERS];
    int n;
};

static int county_codes[COUNTIES];
static uint64_t county_people[COUNTIES];
static int n_counties;

static int other_county(int code)
{
    int c = county_codes[below(n_counties)];

    if (chance(300) || c == code) /* another province */
        return code / 10000 == 44 ? 330106 : 440103 + below(4);
    return c;
}

static int schooled(int age)
{
    if (age < 3)
        return -1;
    if (age < 7)
        return 2;
    if (age < 13)
        return 3;
    if (age < 16)
        return 4;
    if (age < 19)
        return 4 + below(2);
    if (age < 27)
        return 4 + below(4);
    if (age < 60)
        return chance(12) ? 8 : 3 + below(5);
    return chance(80) ? 1 : 3 + below(3);
}

static struct person *member(struct house *h, int relation, int age, int sex)
{
    struct person *p = &h->p[h->n++];

    *p = (struct person){ .relation = relation,
                          .sex = sex,
                          .born = REF - 12 * age - 1 - below(12),
                          .group = h->n > 1 ? h->p[0].group : 1,
                          .stay = 1,
                          .stay_at = -1,
                          .home = 1,
                          .home_at = -1,
                          .since = 1,
                          .why = -1,
                          .education = schooled(age),
                          .reads = -1 };
    if (age >= 15)
        p->reads = p->education == 1 ? 2 : 1;
    return p;
}

static int reason(int age)
{
    if (age < 3)
        return 2;
    if (age < 22)
        return 1;
    return age < 60 ? 0 : 2;
}

static int age_of(const struct person *p)
{
    return (REF - 1 - p->born) / 12;
}

/* How long somebody of an age can have been away. */
static int since(int age)
{
    return 2 + below(age < 1 ? 2 : age < 5 ? 3 : age < 10 ? 6 : 8);
}

/* Who stays elsewhere, and who is registered elsewhere. */
static void residence(struct house *h, int code)
{
    int strangers = h->kind == 2 || chance(250), from = other_county(code);

    for (int i = 0; i < h->n; i++) {
        struct person *p = &h->p[i];
        int age = age_of(p);

        if (strangers) {
            p->home = 2 + below(3);
            if (p->home == 4)
                p->home_at = from;
        } else if (i > 0 && age >= 18 && age < 60 && chance(180)) {
            p->stay = 4 + (below(10) < 7);
            if (p->stay == 5)
                p->stay_at = other_county(code);
        } else if (age == 0 && chance(60)) {
            p->home = 5;
        }
        if (p->home == 5) {
            p->since = -1;
        } else if (p->stay != 1 || p->home != 1) {
            p->since = since(age);
            p->why = reason(age);
        }
    }
}

static void family(struct house *h)
{
    int head = 24 + below(30) + below(30), sex = chance(700) ? 1 : 2;
    int kind = below(100), group = chance(100) ? 2 + below(55) : 1;

    h->p[0].group = group;
    member(h, 0, head, sex)->group = group;
    if (kind < 25)
        return;
    if (kind < 95) {
        int age = head - 3 + below(6);

        member(h, 1, age < 22 ? 22 : age, 3 - sex);
    }
    if (kind < 45)
        return;
    for (int n = 1 + chance(400); n > 0; n--) {
        int age = head - 24 - below(8);

        if (age >= 0)
            member(h, 2, age, 1 + chance(470));
    }
    if (kind >= 80 && head >= 50 && h->n > 2 && age_of(&h->p[2]) >= 24) {
        member(h, 6, age_of(&h->p[2]), 3 - h->p[2].sex);
        member(h, 7, below(age_of(&h->p[2]) - 21), 1 + chance(470));
    } else if (kind >= 80 && head <= 60) {
        int age = head + 22 + below(10);

        member(h, 3, age, 2);
        if (chance(500))
            member(h, 3, age, 1);
    }
}

static void dormitory(struct house *h)
{
    int n = 6 + below(14), sex = 1 + below(2);

    member(h, 0, 18 + below(25), sex);
    for (int i = 1; i < n; i++)
        member(h, 9, 18 + below(25), sex);
}

/* One fault of a person. */
static void person_fault(struct person *p)
{
    switch (below(10)) {
    case 0:
        p->sex = -1;
        break;
    case 1:
        p->born = REF - 12 * 126 - 3;
        break;
    case 2:
        p->born = REF + 1;
        break;
    case 3:
        p->education = 9;
        break;
    case 4:
        p->reads = 2;
        break;
    case 5:
        p->since = 9;
        break;
    case 6:
        p->group = 97;
        break;
    case 7:
        p->home = 4;
        break;
    case 8:
        p->why = 4;
        break;
    default:
        p->relation = p->relation == 0 ? 9 : 0;
        break;
    }
}

static void house_fault(struct house *h)
{
    switch (below(6)) {
    case 0:
        h->here++;
        break;
    case 1:
        h->area = -1;
        break;
    case 2:
        h->area = 1200;
        break;
    case 3:
        h->rooms = 24;
        break;
    case 4:
        h->seconds = 20;
        break;
    default:
        h->kind = 3 - h->kind;
        break;
    }
}

static void make(struct house *h, int code)
{
    h->n = 0;
    h->kind = chance(8) ? 2 : 1;
    if (h->kind == 1)
        family(h);
    else
        dormitory(h);
    residence(h, code);
    h->dwelling = h->kind == 2 ? 2 : chance(985) ? 1 : 3 + below(2);
    h->area = h->dwelling == 1 ? 40 + below(90) : -1;
    h->rooms = h->dwelling == 1 ? 1 + h->area / 30 + below(2) : -1;
    h->here = h->away = h->born[0] = h->born[1] = 0;
    h->died[0] = chance(4);
    h->died[1] = chance(3);
    h->mode = chance(400) ? 2 : 1;
    h->seconds = h->n * (70 + below(120));
    h->start = 480 + below(780);
    h->distance = below(120);
    for (int i = 0; i < h->n; i++) {
        h->here += h->p[i].stay == 1;
        h->away += h->p[i].stay != 1;
        if (h->p[i].born >= REF - 12)
            h->born[h->p[i].sex - 1]++;
    }
    if (chance(5))
        house_fault(h);
}

/* ---- rows ------------------------------------------------------------------------ */

static uint64_t ring[RING], issued, serial;

static uint64_t token(void)
{
    uint64_t t = mix(++serial * 0x9e3779b97f4a7c15u) >> 1;

    if (issued > RING && chance(5))
        return ring[below(RING)];
    if (below(32) == 0 || issued <= RING)
        ring[issued++ % RING] = t;
    return t;
}

static void write_house(const struct house *h, int code, int town, int ea,
                        int number, uint64_t most)
{
    char head[160], *e = head;

    e = put(e, (uint64_t)code, ',');
    e = put(e, (uint64_t)code * 1000 + (uint64_t)town, ',');
    e = put(e, (uint64_t)ea, ',');
    e = put(e, (uint64_t)number, ',');
    e = put(e, (uint64_t)h->kind, ',');
    e = put(e, (uint64_t)h->here, ',');
    e = put(e, (uint64_t)h->away, ',');
    for (int i = 0; i < 2; i++)
        e = put(e, (uint64_t)h->born[i], ',');
    for (int i = 0; i < 2; i++)
        e = put(e, (uint64_t)h->died[i], ',');
    e = put(e, (uint64_t)h->dwelling, ',');
    e = put_or(e, h->area, ',');
    e = put_or(e, h->rooms, ',');
    e = put(e, (uint64_t)h->mode, ',');
    e = put(e, 1, ',');
    e = put(e, (uint64_t)h->seconds, ',');
    e = put(e, (uint64_t)h->start, ',');
    e = put(e, (uint64_t)h->distance, ',');
    for (int i = 0; i < h->n && (uint64_t)i < most; i++) {
        struct person p = h->p[i];
        char *o;

        if (chance(5))
            person_fault(&p);
        if (used + 512 > sizeof(buf)) {
            if (fwrite(buf, 1, used, stdout) != used)
                exit(1);
            used = 0;
        }
        o = buf + used;
        memcpy(o, head, (size_t)(e - head));
        o += e - head;
        o = put(o, (uint64_t)p.relation, ',');
        o = put_or(o, p.sex, ',');
        o = put_month(o, p.born);
        o = put(o, (uint64_t)p.group, ',');
        o = put(o, (uint64_t)p.stay, ',');
        o = put_or(o, p.stay_at, ',');
        o = put(o, (uint64_t)p.home, ',');
        o = put_or(o, p.home_at, ',');
        o = put_or(o, p.since, ',');
        o = put_or(o, p.why, ',');
        o = put_or(o, p.education, ',');
        o = put_or(o, p.reads, ',');
        o = put(o, token(), '\n');
        used = (size_t)(o - buf);
    }
}

static int kind_of_town(int t)
{
    return t < 4 ? 1 + t : t < 11 ? 100 + t - 4 : 200 + t - 11;
}

static void county(int code, uint64_t people)
{
    int towns = 15, t = 0, ea = 1, number = 1;
    uint64_t per_town = people / (uint64_t)towns + 1, in_town = 0, in_ea = 0;
    struct house h;

    for (uint64_t made = 0; made < people;) {
        uint64_t left = people - made;

        make(&h, code);
        if ((uint64_t)h.n > left) { /* a person alone ends the county */
            h.n = (int)left;
            h.here = h.away = 0;
            for (int i = 0; i < h.n; i++) {
                h.here += h.p[i].stay == 1;
                h.away += h.p[i].stay != 1;
            }
        }
        write_house(&h, code, kind_of_town(t), ea, number++, left);
        made += (uint64_t)h.n;
        in_ea += (uint64_t)h.n;
        in_town += (uint64_t)h.n;
        if (in_ea >= 250) {
            ea++;
            number = 1;
            in_ea = 0;
        }
        if (in_town >= per_town && t + 1 < towns) {
            t++;
            ea = number = 1;
            in_town = in_ea = 0;
        }
    }
}

/* ---- the areas ----------------------------------------------------------------------- */

static uint64_t read_areas(const char *path, int province)
{
    FILE *f = fopen(path, "r");
    char line[8192];
    uint64_t all = 0;

    while (f && fgets(line, sizeof(line), f)) {
        int code = atoi(line), commas = 0;
        const char *p = line;

        while (*p && commas < 4)
            commas += *p++ == ',';
        if (code / 10000 != province || code % 100 == 0 || code > 999999 ||
            n_counties == COUNTIES)
            continue;
        county_codes[n_counties] = code;
        county_people[n_counties] = strtoull(p, NULL, 10);
        all += county_people[n_counties++];
    }
    if (f)
        fclose(f);
    return all;
}

int main(int argc, char **argv)
{
    uint64_t rows, seed, all, done = 0, share = 0;

    if (argc != 5) {
        fputs("usage: gen_province ROWS PROVINCE SEED AREAS.csv\n", stderr);
        return 2;
    }
    rows = strtoull(argv[1], NULL, 10);
    seed = strtoull(argv[3], NULL, 10);
    for (int i = 0; i < 4; i++)
        state[i] = mix(seed += 0x9e3779b97f4a7c15u);
    all = read_areas(argv[4], atoi(argv[2]));
    if (all == 0) {
        fprintf(stderr, "gen_province: %s has no county of province %s\n",
                argv[4], argv[2]);
        return 3;
    }
    puts("A3,A4,ea,A9,H1,H2a,H2b,H3m,H3f,H4m,H4f,H5,H6,H7,P_mode,P_signed,"
         "P_seconds,P_start,P_distance,D2,D4,D5,D6,D7,D7a,D8,D8a,D9,D10,D11,"
         "D12,token");
    for (int i = 0; i < n_counties; i++) {
        uint64_t to;

        share += county_people[i];
        to = (uint64_t)((unsigned __int128)rows * share / all);
        county(county_codes[i], to - done);
        done = to;
    }
    if (fwrite(buf, 1, used, stdout) != used || fflush(stdout) != 0)
        return 1;
    return 0;
}
