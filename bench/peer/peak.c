/*
 * Runs a command and says what it took.
 *
 * usage: peak RESULT COMMAND…
 *
 * RESULT gets one line: milliseconds, processor milliseconds, then the most it
 * held at once in KiB: all of it (VmHWM), memory of its own (RssAnon), pages of
 * mapped files (RssFile), looked at every 5 ms; and MiB read from and written
 * to disks.  Pages of mapped files can be dropped and read again at any time.
 * The exit code is that of the command.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void most(long long *to, const char *text, const char *name)
{
    const char *at = strstr(text, name);
    long long v = at ? atoll(at + strlen(name)) : 0;

    if (v > *to)
        *to = v;
}

static size_t slurp(char *to, size_t n, const char *what, pid_t pid)
{
    char path[64];
    FILE *f;
    size_t k = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
    f = fopen(path, "r");
    if (f) {
        k = fread(to, 1, n - 1, f);
        fclose(f);
    }
    to[k] = 0;
    return k;
}

int main(int argc, char **argv)
{
    long long hwm = 0, anon = 0, file = 0, in = 0, out = 0;
    struct rusage ru;
    double began, took;
    int status = 0;
    char text[8192];
    pid_t pid, done;
    FILE *f;

    if (argc < 3) {
        fputs("usage: peak RESULT COMMAND…\n", stderr);
        return 2;
    }
    began = now();
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    for (;;) {
        siginfo_t si = { 0 };

        done = waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT);
        if (done != 0 || si.si_pid == pid)
            break;
        slurp(text, sizeof(text), "status", pid);
        most(&hwm, text, "VmHWM:");
        most(&anon, text, "RssAnon:");
        most(&file, text, "RssFile:");
        usleep(5000);
    }
    took = now() - began;
    slurp(text, sizeof(text), "io", pid); /* still there, not yet waited for */
    most(&in, text, "\nread_bytes: ");
    most(&out, text, "\nwrite_bytes: ");
    if (wait4(pid, &status, 0, &ru) != pid)
        return 5;
    if (ru.ru_maxrss > hwm)
        hwm = ru.ru_maxrss;
    f = fopen(argv[1], "w");
    if (!f)
        return 5;
    fprintf(f, "%.1f\t%.1f\t%lld\t%lld\t%lld\t%lld\t%lld\n", took,
            (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e3 +
                (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e3,
            hwm, anon, file, in >> 20, out >> 20);
    fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
