/*
 * The limit of bench/edits.sh: the thirty rules of persons and the six of
 * households as plain loops over columns in memory, written for this one file
 * and these rules.  A measuring stick, not a way to work.
 *
 *   cc -O3 -march=native -pthread -o edits_probe edits_probe.c
 *   edits_probe PERSONS.csv [THREADS 2] [REPS 5]
 *
 * Prints name, median milliseconds, counts.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { COLUMNS = 22, MOST = 8 };
enum { REGION, TOWN, EA, HH, PNO, REL, SEX, BY, BM, AGE, ETH, EDU, MAR, HT, HP,
       WORK, IND, OCC, KIDS, B12, ROOMS, TOKEN };

static uint8_t *c8[COLUMNS];
static uint16_t *c16[COLUMNS];
static uint32_t *hh;
static const char *text;
static size_t size, rows;
static int threads = 2;

struct part {
    size_t from, to; /* bytes, then rows */
    size_t first, n;
    uint64_t out[32];
};
static struct part part[MOST];

static void run(void *(*f)(void *))
{
    pthread_t t[MOST];

    for (int i = 1; i < threads; i++)
        if (pthread_create(&t[i], NULL, f, &part[i]) != 0)
            exit(5);
    f(&part[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(t[i], NULL);
}

static void *count_lines(void *arg)
{
    struct part *p = arg;

    p->n = 0;
    for (size_t i = p->from; i < p->to; i++)
        p->n += text[i] == '\n';
    return NULL;
}

static void *parse(void *arg)
{
    struct part *p = arg;
    const char *s = text + p->from, *end = text + p->to;

    for (size_t row = p->first; s < end; row++)
        for (int c = 0; c < COLUMNS; c++) {
            uint64_t v = 0;

            for (; *s >= '0'; s++)
                v = v * 10 + (uint64_t)(*s - '0');
            s++;
            if (c8[c])
                c8[c][row] = (uint8_t)v;
            else if (c16[c])
                c16[c][row] = (uint16_t)v;
            else if (c == HH)
                hh[row] = (uint32_t)v;
        }
    return NULL;
}

#define RULE(k, bad)                                                           \
    do {                                                                       \
        uint32_t t = 0;                                                        \
        for (size_t i = 0; i < n; i++)                                         \
            t += (uint8_t)(bad);                                               \
        p->out[k] += t;                                                        \
    } while (0)

static void *persons(void *arg)
{
    struct part *p = arg;

    for (size_t b = p->from; b < p->to; b += 4096) {
        size_t n = p->to - b < 4096 ? p->to - b : 4096;

        const uint8_t *sex = c8[SEX] + b, *age = c8[AGE] + b,
                      *bm = c8[BM] + b, *eth = c8[ETH] + b, *edu = c8[EDU] + b,
                      *mar = c8[MAR] + b, *rel = c8[REL] + b, *ht = c8[HT] + b,
                      *hp = c8[HP] + b, *wk = c8[WORK] + b, *in = c8[IND] + b,
                      *kd = c8[KIDS] + b, *bi = c8[B12] + b;
        const uint16_t *by = c16[BY] + b, *oc = c16[OCC] + b;

        RULE(0, (sex[i] != 1) & (sex[i] != 2));
        RULE(1, age[i] > 120);
        RULE(2, (uint8_t)(bm[i] - 1) > 11);
        RULE(3, (uint16_t)(age[i] + by[i] + (bm[i] > 10)) != 2030);
        RULE(4, (uint8_t)(eth[i] - 1) > 57);
        RULE(5, edu[i] > 9);
        RULE(6, (age[i] < 3) & (edu[i] != 0));
        RULE(7, (age[i] >= 3) & (edu[i] == 0));
        RULE(8, (age[i] < 6) & (edu[i] > 2));
        RULE(9, (age[i] < 10) & (edu[i] >= 4));
        RULE(10, (age[i] < 14) & (edu[i] >= 5));
        RULE(11, (age[i] < 16) & (edu[i] >= 6));
        RULE(12, (age[i] < 18) & (edu[i] >= 7));
        RULE(13, (age[i] < 20) & (edu[i] >= 8));
        RULE(14, (age[i] < 23) & (edu[i] == 9));
        RULE(15, (age[i] < 15) & (mar[i] != 0));
        RULE(16, (age[i] >= 15) & ((uint8_t)(mar[i] - 1) > 3));
        RULE(17, (mar[i] == 4) & (age[i] < 18));
        RULE(18, (rel[i] == 0) & (age[i] < 15));
        RULE(19, (rel[i] == 1) & (mar[i] != 2));
        RULE(20, (rel[i] == 1) & (age[i] < 18));
        RULE(21, (uint8_t)(ht[i] - 1) > 1);
        RULE(22, (uint8_t)(hp[i] - 1) > 4);
        RULE(23, (age[i] < 15) & (wk[i] != 0));
        RULE(24, (age[i] >= 15) & ((uint8_t)(wk[i] - 1) > 1));
        RULE(25, (wk[i] == 1) & ((in[i] == 0) | (oc[i] == 0)));
        RULE(26, (wk[i] != 1) & ((in[i] != 0) | (oc[i] != 0)));
        RULE(27, (in[i] > 97) |
                     ((oc[i] != 0) & ((uint16_t)(oc[i] - 100) > 699)));
        RULE(28, (kd[i] > 0) & ((sex[i] != 2) | (age[i] < 15) | (age[i] > 64)));
        RULE(29, (bi[i] > 0) & ((sex[i] != 2) | ((uint8_t)(age[i] - 15) > 34) |
                                (bi[i] > kd[i])));
    }
    return NULL;
}

static void *households(void *arg)
{
    struct part *p = arg;

    for (size_t i = p->from, k; i < p->to; i = k) {
        int heads = 0, spouses = 0, hs = 0, ss = 0, ha = 0, child = -1;
        int pm = 255, px = 0, rm = 255, rx = 0;

        for (k = i; k < p->to && hh[k] == hh[i]; k++) {
            int rel = c8[REL][k], sex = c8[SEX][k], age = c8[AGE][k];

            if (rel == 0) {
                heads++;
                hs = sex > hs ? sex : hs;
                ha = age > ha ? age : ha;
            } else if (rel == 1) {
                spouses++;
                ss = sex > ss ? sex : ss;
            } else if (rel == 2) {
                child = age > child ? age : child;
            }
            pm = c8[PNO][k] < pm ? c8[PNO][k] : pm;
            px = c8[PNO][k] > px ? c8[PNO][k] : px;
            rm = c8[ROOMS][k] < rm ? c8[ROOMS][k] : rm;
            rx = c8[ROOMS][k] > rx ? c8[ROOMS][k] : rx;
        }
        p->out[0] += heads != 1;
        p->out[1] += spouses > 1;
        p->out[2] += heads == 1 && spouses == 1 && hs == ss;
        p->out[3] += heads == 1 && child >= 0 && ha < child + 12;
        p->out[4] += pm != 1 || px != (int)(k - i);
        p->out[5] += rm != rx || k - i > 15;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(const char *name, void *(*f)(void *), int reps, int counts)
{
    double ms[32];

    for (int r = -1; r < reps; r++) {
        struct timespec a, b;

        for (int i = 0; i < threads; i++)
            memset(part[i].out, 0, sizeof(part[i].out));
        clock_gettime(CLOCK_MONOTONIC, &a);
        run(f);
        clock_gettime(CLOCK_MONOTONIC, &b);
        if (r >= 0)
            ms[r] = (double)(b.tv_sec - a.tv_sec) * 1e3 +
                    (double)(b.tv_nsec - a.tv_nsec) / 1e6;
    }
    qsort(ms, (size_t)reps, sizeof(*ms), by_size);
    printf("%s\t%.1f\t", name, ms[reps / 2]);
    for (int k = 0; k < counts; k++) {
        uint64_t n = 0;

        for (int i = 0; i < threads; i++)
            n += part[i].out[k];
        printf("%s%llu", k ? " " : "", (unsigned long long)n);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1, reps = 5;
    struct stat st;
    size_t head;

    if (fd < 0 || fstat(fd, &st) != 0) {
        fprintf(stderr, "usage: edits_probe PERSONS.csv [THREADS] [REPS]\n");
        return 2;
    }
    if (argc > 2)
        threads = atoi(argv[2]);
    if (argc > 3)
        reps = atoi(argv[3]);
    if (threads < 1 || threads > MOST || reps < 1 || reps > 32)
        return 2;
    size = (size_t)st.st_size;
    text = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (text == MAP_FAILED)
        return 5;
    head = (size_t)((const char *)memchr(text, '\n', size) - text) + 1;
    for (int i = 0; i < threads; i++) {
        size_t at = head + (size - head) * (size_t)i / (size_t)threads;

        if (i > 0)
            at = (size_t)((const char *)memchr(text + at, '\n', size - at) -
                          text) +
                 1;
        part[i].from = at;
        if (i > 0)
            part[i - 1].to = at;
    }
    part[threads - 1].to = size;
    run(count_lines);
    for (int i = 0; i < threads; i++) {
        part[i].first = rows;
        rows += part[i].n;
    }
    for (int c = 0; c < COLUMNS; c++)
        if (c == BY || c == OCC)
            c16[c] = calloc(rows + 64, 2);
        else if (c != REGION && c != EA && c != HH && c != TOKEN)
            c8[c] = calloc(rows + 64, 1);
    hh = calloc(rows + 64, 4);
    run(parse);
    for (int i = 0; i < threads; i++) { /* whole households */
        size_t at = rows * (size_t)i / (size_t)threads;

        while (at > 0 && at < rows && hh[at] == hh[at - 1])
            at++;
        part[i].from = at;
        if (i > 0)
            part[i - 1].to = at;
    }
    part[threads - 1].to = rows;
    measure("persons", persons, reps, 30);
    measure("households", households, reps, 6);
    return 0;
}
