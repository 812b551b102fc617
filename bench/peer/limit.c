/*
 * What the machine lets through: the milliseconds two readings of a file take
 * on all cores, least of three.
 *
 * usage: limit FILE
 *
 * Prints: milliseconds to read it in pieces of a MiB (as a reader of CSV must),
 * milliseconds to map it and add up its words (as whoever uses columns must),
 * bytes.  The sum goes to standard error, so that no compiler leaves it out.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define THREADS 64

struct part {
    pthread_t thread;
    int fd;
    const char *map; /* NULL: read */
    size_t from, to;
    uint64_t sum;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static uint64_t add(const void *p, size_t n)
{
    const uint64_t *w = p;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (size_t i = 0; i + 4 <= n / 8; i += 4) {
        a += w[i];
        b += w[i + 1];
        c += w[i + 2];
        d += w[i + 3];
    }
    return a + b + c + d;
}

static void *run(void *arg)
{
    struct part *p = arg;
    char *buf = malloc(PIECE);

    for (size_t at = p->from; buf && at < p->to; at += PIECE) {
        size_t n = p->to - at < PIECE ? p->to - at : PIECE;

        if (p->map)
            p->sum += add(p->map + at, n);
        else if (pread(p->fd, buf, n, (off_t)at) == (ssize_t)n)
            p->sum += (uint64_t)buf[0];
    }
    free(buf);
    return NULL;
}

static double once(int fd, size_t size, int map)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct part part[THREADS];
    size_t n = cores < 1 ? 1 : cores > THREADS ? THREADS : (size_t)cores;
    size_t share = (size / n / PIECE + 1) * PIECE;
    double began = now();
    uint64_t sum = 0;
    char *p = NULL;

    if (map) {
        p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            exit(5);
    }
    for (size_t i = 0; i < n; i++) {
        size_t from = i * share < size ? i * share : size;

        part[i] = (struct part){ .fd = fd,
                                 .map = p,
                                 .from = from,
                                 .to = from + share < size ? from + share : size };
        if (pthread_create(&part[i].thread, NULL, run, &part[i]) != 0)
            exit(5);
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(part[i].thread, NULL);
        sum += part[i].sum;
    }
    if (p)
        munmap(p, size);
    fprintf(stderr, "%llu\n", (unsigned long long)sum);
    return now() - began;
}

int main(int argc, char **argv)
{
    struct stat sb;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if (fd < 0 || fstat(fd, &sb) != 0 || sb.st_size == 0) {
        fputs("usage: limit FILE\n", stderr);
        return 2;
    }
    for (int map = 0; map < 2; map++) {
        double least = 0;

        for (int i = 0; i < 3; i++) {
            double t = once(fd, (size_t)sb.st_size, map);

            least = i == 0 || t < least ? t : least;
        }
        printf("%.1f\t", least);
    }
    printf("%lld\n", (long long)sb.st_size);
    return 0;
}
