/*
 * The progress bar.  Never writes to standard output, and never more than one
 * line when standard error is not a terminal.
 */
#include "kit/job/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 28
#define REDRAW_MS 100

static atomic_bool all_quiet;

int64_t puan_monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void puan_progress_quiet(bool quiet)
{
    atomic_store(&all_quiet, quiet);
}

void puan_progress_begin(struct puan_progress *p, const char *title,
                         uint64_t total)
{
    memset(p, 0, sizeof(*p));
    puan_format(p->title, sizeof(p->title), "%s", title);
    p->total = total;
    atomic_init(&p->done, 0);
    atomic_init(&p->next_draw, 0);
    atomic_flag_clear(&p->drawing);
    p->began = puan_monotonic_ms();
    p->terminal = isatty(STDERR_FILENO) == 1;
    p->quiet = atomic_load(&all_quiet);
}

static void clock_text(char out[24], int64_t ms)
{
    int64_t s = ms / 1000;

    if (s >= 3600)
        snprintf(out, 24, "%" PRId64 ":%02d:%02d", s / 3600,
                 (int)(s / 60 % 60), (int)(s % 60));
    else
        snprintf(out, 24, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

/* One line: title, bar, share, count, rate, time left. */
static void draw(struct puan_progress *p, int64_t now, bool last)
{
    uint64_t done = atomic_load(&p->done);
    int64_t spent = now - p->began;
    uint64_t rate = spent > 0 ? done * 1000 / (uint64_t)spent : 0;
    char bar[BAR_CELLS * 3 + 1], left[24] = "", line[512];
    size_t n = 0;

    clock_text(left, spent);
    if (p->total && !last && done && done < p->total)
        clock_text(left, (int64_t)((double)spent / (double)done *
                                   (double)(p->total - done)));
    if (p->total) {
        uint64_t part = done > p->total ? p->total : done;
        unsigned full = (unsigned)((double)part / (double)p->total * BAR_CELLS);

        for (unsigned i = 0; i < BAR_CELLS; i++) {
            memcpy(bar + n, i < full ? "━" : "─", 3);
            n += 3;
        }
        bar[n] = 0;
        snprintf(line, sizeof(line),
                 "%s %s %3u%%  %" PRIu64 "/%" PRIu64 "  %" PRIu64 "/s  %s%s",
                 p->title, bar, (unsigned)(part * 100 / p->total), done,
                 p->total, rate, last ? "" : "-", left);
    } else {
        snprintf(line, sizeof(line), "%s  %" PRIu64 "  %" PRIu64 "/s  %s",
                 p->title, done, rate, left);
    }
    fprintf(stderr, "\r%s\x1b[K%s", line, last ? "\n" : "");
    fflush(stderr);
}

static void maybe_draw(struct puan_progress *p)
{
    int64_t now;

    if (p->quiet || !p->terminal)
        return;
    now = puan_monotonic_ms();
    if (now < atomic_load_explicit(&p->next_draw, memory_order_relaxed))
        return;
    if (atomic_flag_test_and_set(&p->drawing))
        return;
    atomic_store(&p->next_draw, now + REDRAW_MS);
    draw(p, now, false);
    atomic_flag_clear(&p->drawing);
}

void puan_progress_add(struct puan_progress *p, uint64_t n)
{
    atomic_fetch_add_explicit(&p->done, n, memory_order_relaxed);
    maybe_draw(p);
}

void puan_progress_set(struct puan_progress *p, uint64_t done)
{
    atomic_store_explicit(&p->done, done, memory_order_relaxed);
    maybe_draw(p);
}

int64_t puan_progress_end(struct puan_progress *p)
{
    int64_t now = puan_monotonic_ms();

    if (!p->quiet) {
        if (p->terminal)
            draw(p, now, true);
        else
            fprintf(stderr, "%s: %" PRIu64 " (%.1f s)\n", p->title,
                    atomic_load(&p->done), (double)(now - p->began) / 1000.0);
    }
    return now - p->began;
}
