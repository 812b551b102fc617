/*
 * See load.h.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calendar.h"
#include "core/codes/codes.h"
#include "core/plan/plan.h"
#include "features/campaign/campaign.h"
#include "features/host/host.h"
#include "features/ingest/ingest.h"
#include "kit/os/os.h"

#define TOKEN 40

static const int64_t county_code[] = { 370883, 370811, 370812, 370826 };

int64_t load_ea(const struct load_options *o, uint64_t i)
{
    int64_t county = county_code[i / o->eas];
    int64_t k = (int64_t)(i % o->eas);

    /* 16 townships of 25 districts of 10 areas */
    return ((county * 1000 + 1 + k / 250) * 1000 + 1 + k / 10 % 25) * 1000 + 1 +
           k % 10;
}

uint64_t load_households(const struct load_options *o)
{
    return (uint64_t)o->counties * o->eas * o->households;
}

int64_t load_household(const struct load_options *o, uint64_t i)
{
    return load_ea(o, i / o->households) * 1000 + 1 +
           (int64_t)(i % o->households);
}

/* ---- the campaign ------------------------------------------------------------- */

static enum puan_status import_text(struct puan_store *st,
                                    enum puan_import_kind kind,
                                    const struct puan_out *csv,
                                    struct puan_err *err)
{
    struct puan_act act = { .actor = PUAN_STR("load") };
    struct puan_import_result res;

    return puan_import(&res, st, kind, puan_out_view(csv), "load.csv", false,
                       &act, err);
}

static void area_row(struct puan_out *o, int64_t code, int64_t parent,
                     const char *level)
{
    if (parent)
        puan_out_fmt(o, "%lld,%lld,%s,load,load\n", (long long)code,
                     (long long)parent, level);
    else
        puan_out_fmt(o, "%lld,,%s,load,load\n", (long long)code, level);
}

static enum puan_status import_areas(struct puan_store *st,
                                     const struct load_options *o,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_out csv;
    int64_t last[3] = { 0 };

    puan_out_init(&csv, a);
    puan_out_text(&csv, "code,parent,level,name_zh,name_en\n");
    area_row(&csv, 37, 0, "province");
    area_row(&csv, 3708, 37, "prefecture");
    for (uint64_t i = 0; i < (uint64_t)o->counties * o->eas; i++) {
        int64_t ea = load_ea(o, i), district = ea / 1000,
                township = district / 1000, county = township / 1000;

        if (county != last[0])
            area_row(&csv, county, 3708, "county");
        if (township != last[1])
            area_row(&csv, township, county, "township");
        if (district != last[2])
            area_row(&csv, district, township, "district");
        last[0] = county;
        last[1] = township;
        last[2] = district;
        area_row(&csv, ea, district, "ea");
    }
    if (a->failed)
        return puan_arena_check(a, err);
    return import_text(st, PUAN_IMPORT_AREAS, &csv, err);
}

static enum puan_status import_listing(struct puan_store *st,
                                       const struct load_options *o,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    uint64_t n = load_households(o), i = 0;
    enum puan_status rc = PUAN_OK;

    while (i < n && rc == PUAN_OK) {
        uint64_t end = i + 100000 < n ? i + 100000 : n;
        struct puan_out csv;

        puan_arena_reset(a);
        puan_out_init(&csv, a);
        puan_out_text(&csv, "household,ea\n");
        for (; i < end; i++) {
            int64_t h = load_household(o, i);

            puan_out_fmt(&csv, "%lld,%lld\n", (long long)h,
                         (long long)(h / 1000));
        }
        rc = a->failed ? puan_arena_check(a, err)
                       : import_text(st, PUAN_IMPORT_LISTING, &csv, err);
    }
    return rc;
}

enum puan_status load_prepare(const struct load_options *o, bool list,
                              struct puan_err *err)
{
    struct puan_store_options opt = { .url = o->url,
                                      .kek_file = o->kek_file };
    struct puan_act act = { .actor = PUAN_STR("load"),
                            .verb = PUAN_STR("clock.set") };
    struct puan_store *st = NULL;
    struct puan_arena a;
    int64_t ms = 0;
    enum puan_status rc;

    puan_arena_init(&a, puan_os_alloc());
    rc = puan_store_create(o->dir, o->birth ? o->birth : "demo", "plans/cn-population-2020", o->suite,
                           &opt, err);
    if (rc == PUAN_OK)
        rc = puan_store_open(&st, o->dir, &opt, err);
    if (rc == PUAN_OK)
        rc = import_areas(st, o, &a, err);
    puan_arena_reset(&a);
    if (rc == PUAN_OK && list)
        rc = import_listing(st, o, &a, err);
    (void)puan_instant_parse(&ms, PUAN_STR("2020-11-03T09:00:00+08:00"));
    if (rc == PUAN_OK)
        rc = puan_store_clock_set(st, &act, ms, 0, err);
    puan_store_close(st);
    puan_arena_clear(&a);
    return rc;
}

/* ---- documents ---------------------------------------------------------------- */

static void citizen_id(char out[19], const char *birth, uint64_t n)
{
    /* region, birth, serial: different for each household */
    puan_format(out, 19, "%06llu%s%03llu",
                (unsigned long long)(110101 + n / 500 % 600000), birth,
                (unsigned long long)(n % 500 * 2));
    out[17] = puan_id_check_char(out);
    out[18] = '\0';
}

size_t load_document(char *out, size_t cap, int64_t household, unsigned base,
                     uint64_t counter, unsigned variant)
{
    char device[24];

    puan_format(device, sizeof(device), "pad-%06lld",
                (long long)(household / 1000 % 1000000));
    return load_document_of(out, cap, household, base, counter, variant,
                            device, "enumerator");
}

size_t load_document_of(char *out, size_t cap, int64_t household,
                        unsigned base, uint64_t counter, unsigned variant,
                        const char *device, const char *mode)
{
    uint64_t n = (uint64_t)household % 1000000007u;
    char id[3][19];
    char birth[3][9];
    size_t len;

    /* the serial's last digit is even: women; one more makes a man's */
    puan_format(birth[0], 9, "1975%02llu%02llu",
                (unsigned long long)(1 + n % 12),
                (unsigned long long)(1 + n % 28));
    puan_format(birth[1], 9, "1977%02llu%02llu",
                (unsigned long long)(1 + n / 7 % 12),
                (unsigned long long)(1 + n / 3 % 28));
    puan_format(birth[2], 9, "2005%02llu%02llu",
                (unsigned long long)(1 + n / 5 % 10),
                (unsigned long long)(1 + n / 11 % 28));
    for (int i = 0; i < 3; i++)
        citizen_id(id[i], birth[i], n * 3 + (unsigned)i);
    id[0][16] = (char)(id[0][16] + 1);
    id[0][17] = puan_id_check_char(id[0]);
    len = puan_format(
        out, cap,
        "{\n"
        "  \"form\": \"short\", \"household\": \"%lld\", \"base\": %u,\n"
        "  \"device\": \"%s\", \"counter\": %llu,\n"
        "  \"mode\": \"%s\", \"started\": "
        "\"2020-11-02T09:12:30+08:00\",\n"
        "  \"finished\": \"2020-11-02T09:21:45+08:00\", \"signed\": true,\n"
        "  \"answers\": {\n"
        "    \"A7\": %u, \"A8\": 2, \"H1\": 1, \"H2a\": 3, \"H2b\": 0,\n"
        "    \"H3m\": 0, \"H3f\": 0, \"H4m\": 0, \"H4f\": 0, \"H5\": 1,\n"
        "    \"H6\": 96, \"H7\": 3, \"A10n\": \"孔德明\",\n"
        "    \"A10p\": \"13805371234\", \"P_distance\": 12\n"
        "  },\n"
        "  \"person\": [\n",
        (long long)household, base, device, (unsigned long long)counter, mode,
        1 + variant % 9000);
    for (int i = 0; i < 3 && len < cap; i++) {
        static const char *const name[] = { "孔德明", "颜淑贞", "孔祥宇" };
        static const char *const relation[] = { "0", "1", "2" };
        static const char *const sex[] = { "1", "2", "2" };
        static const char *const education[] = { "5", "6", "4" };

        len += puan_format(
            out + len, cap - len,
            "    {\n"
            "      \"D1\": \"%s\", \"D2\": %s,\n"
            "      \"D3\": \"%s\", \"D4\": %s,\n"
            "      \"D5\": \"%.4s-%.2s\", \"D6\": \"01\",\n"
            "      \"D7\": 1, \"D8\": 1, \"D9\": 1,\n"
            "      \"D11\": %s, \"D12\": 1\n"
            "    }%s\n",
            name[i], relation[i], id[i], sex[i], birth[i], birth[i] + 4,
            education[i], i < 2 ? "," : "");
    }
    len += puan_format(out + len, len < cap ? cap - len : 0, "  ]");
    /* a device that sends its form readably: to 2,000 bytes */
    while (len < 1998 && len + 3 < cap)
        out[len++] = ' ';
    len += puan_format(out + len, len < cap ? cap - len : 0, "}\n");
    return len < cap ? len : 0;
}

/* ---- the server ------------------------------------------------------------------ */

static char *number(char *out, uint64_t v)
{
    puan_format(out, 24, "%llu", (unsigned long long)v);
    return out;
}

enum puan_status load_spawn(struct load_server *s, const char *self,
                            const struct load_options *o, struct puan_err *err)
{
    int to[2], from[2];
    char n[3][24];

    memset(s, 0, sizeof(*s));
    s->n = (size_t)o->counties * o->eas;
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        return puan_fail(err, PUAN_EIO, "pipe", "cannot be made");
    s->pid = fork();
    if (s->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 3);
        execl(self, self, "--serve", o->dir, number(n[0], o->counties),
              number(n[1], o->eas), number(n[2], o->households),
              o->url ? o->url : "-", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    s->to = to[1];
    s->from = from[0];
    return s->pid > 0 ? PUAN_OK
                      : puan_fail(err, PUAN_EIO, "server", "cannot fork");
}

enum puan_status load_ready(struct load_server *s,
                            const struct load_options *o, struct puan_err *err)
{
    char line[128], path[512];
    FILE *f;

    if (!load_ask(s, "", line, sizeof(line)) ||
        sscanf(line, "ready %63s", s->address) != 1)
        return puan_fail(err, PUAN_EIO, "server", "did not start");
    puan_format(path, sizeof(path), "%s.tokens", o->dir);
    free(s->tokens);
    s->tokens = malloc(s->n * TOKEN + 1);
    f = fopen(path, "r");
    if (!f || !s->tokens || fread(s->tokens, TOKEN, s->n, f) != s->n) {
        if (f)
            fclose(f);
        return puan_fail(err, PUAN_EIO, path, "cannot be read");
    }
    fclose(f);
    return PUAN_OK;
}

enum puan_status load_start(struct load_server *s, const char *self,
                            const struct load_options *o, struct puan_err *err)
{
    enum puan_status st = load_spawn(s, self, o, err);

    return st == PUAN_OK ? load_ready(s, o, err) : st;
}

bool load_ask(struct load_server *s, const char *command, char *answer,
              size_t cap)
{
    size_t n = strlen(command), at = 0;

    if (n > 0 && write(s->to, command, n) != (ssize_t)n)
        return false;
    while (at + 1 < cap) {
        ssize_t got = read(s->from, answer + at, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (answer[at] == '\n')
            break;
        at++;
    }
    answer[at] = '\0';
    return true;
}

static void load_reap(struct load_server *s)
{
    int status;

    close(s->to);
    close(s->from);
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
    free(s->tokens);
    s->tokens = NULL;
}

int64_t load_stop(struct load_server *s)
{
    char line[128];
    long long kib = 0;

    if (load_ask(s, "quit\n", line, sizeof(line)))
        (void)!sscanf(line, "bye %lld", &kib);
    load_reap(s);
    return kib;
}

void load_kill(struct load_server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    load_reap(s);
}

static enum puan_status open_sessions(struct puan_host *h,
                                      const struct load_options *o,
                                      const struct puan_plan *plan,
                                      struct puan_err *err)
{
    size_t n = (size_t)o->counties * o->eas;
    char path[512], *all = malloc(n * TOKEN);
    int64_t now = puan_real_now();
    int32_t role = -1;
    enum puan_status rc = PUAN_OK;
    FILE *f;

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, "enumerator"))
            role = (int32_t)i;
    for (size_t i = 0; i < n && rc == PUAN_OK && all; i++) {
        struct puan_who who = { .credential = PUAN_CRED_DEVICE,
                                .account = (int64_t)i + 1,
                                .seat = (int64_t)i + 1,
                                .area = load_ea(o, i),
                                .role = role };

        puan_format(who.name, sizeof(who.name), "enum-%zu", i);
        puan_format(who.seat_text, sizeof(who.seat_text), "enumerator@%lld",
                    (long long)who.area);
        puan_format(who.device, sizeof(who.device), "pad-%06lld",
                    (long long)(who.area % 1000000));
        rc = puan_session_open(all + i * TOKEN, puan_host_sessions(h), &who,
                               now, 86400000, now + 86400000, err);
    }
    puan_format(path, sizeof(path), "%s.tokens", o->dir);
    f = fopen(path, "w");
    if (!f || !all || (rc == PUAN_OK && fwrite(all, TOKEN, n, f) != n))
        rc = puan_fail(err, PUAN_EIO, path, "cannot be written");
    if (f)
        fclose(f);
    free(all);
    return rc;
}

/*
 * Office seats of the first county, for who reads while others write: a line
 * "role token" each, LOAD_BOARDS of county-head first, then every other
 * office role of the plan that sits at a county or below none.
 */
static enum puan_status open_offices(struct puan_host *h,
                                     const struct load_options *o,
                                     const struct puan_plan *plan,
                                     struct puan_err *err)
{
    int county = puan_plan_level(plan, PUAN_STR("county"));
    int64_t now = puan_real_now();
    char path[512];
    enum puan_status rc = PUAN_OK;
    FILE *f;

    puan_format(path, sizeof(path), "%s.offices", o->dir);
    f = fopen(path, "w");
    if (!f)
        return puan_fail(err, PUAN_EIO, path, "cannot be written");
    for (size_t i = 0; i < plan->n_roles && rc == PUAN_OK; i++) {
        const struct puan_role *r = &plan->role[i];
        bool head = puan_str_is(r->id, "county-head");
        unsigned n = head ? LOAD_BOARDS : 1;

        if (r->credential != PUAN_CREDENTIAL_HUMAN || r->external ||
            (r->levels && !(r->levels >> county & 1)))
            continue;
        for (unsigned k = 0; k < n && rc == PUAN_OK; k++) {
            struct puan_who who = {
                .credential = PUAN_CRED_HUMAN,
                .account = 1000000 + (int64_t)i * 100 + k,
                .seat = 1000000 + (int64_t)i * 100 + k,
                .area = r->levels ? county_code[0] : 0,
                .role = (int32_t)i,
            };
            char token[PUAN_TOKEN_TEXT];

            puan_format(who.name, sizeof(who.name), "%.*s.%u", PUAN_FMT(r->id),
                        k);
            puan_format(who.role_name, sizeof(who.role_name), "%.*s",
                        PUAN_FMT(r->id));
            puan_format(who.seat_text, sizeof(who.seat_text), "%.*s@%lld",
                        PUAN_FMT(r->id), (long long)who.area);
            rc = puan_session_open(token, puan_host_sessions(h), &who, now,
                                   86400000, now + 86400000, err);
            if (rc == PUAN_OK)
                fprintf(f, "%.*s %s\n", PUAN_FMT(r->id), token);
        }
    }
    fclose(f);
    return rc;
}

static void serve_stats(char *out, size_t cap, struct puan_store *st)
{
    struct puan_shard_stats all = { 0 };

    for (size_t i = 1; i < puan_store_shards(st); i++) {
        struct puan_shard_stats s;

        puan_shard_stats(&s, puan_store_shard(st, i));
        all.acts += s.acts;
        all.batches += s.batches;
        all.commit_ns += s.commit_ns;
    }
    puan_format(out, cap, "stats %llu %llu %lld\n",
                (unsigned long long)all.acts, (unsigned long long)all.batches,
                (long long)all.commit_ns);
}

int load_serve(int argc, char **argv, void (*with)(struct puan_store *))
{
    struct load_options o = { 0 };
    struct puan_store_options opt = { 0 };
    struct puan_host_options host = { .listen = "127.0.0.1:0",
                                      .jobs = true,
                                      .quiet = true };
    struct puan_store *st = NULL;
    struct puan_host *h = NULL;
    struct puan_err err = { 0 };
    char line[128];
    enum puan_status rc;

    if (argc < 7)
        return 2;
    o.dir = argv[2];
    o.counties = (unsigned)strtoul(argv[3], NULL, 10);
    o.eas = (unsigned)strtoul(argv[4], NULL, 10);
    o.households = (unsigned)strtoul(argv[5], NULL, 10);
    opt.url = strcmp(argv[6], "-") == 0 ? NULL : argv[6];
    rc = puan_store_open(&st, o.dir, &opt, &err);
    if (rc == PUAN_OK)
        rc = puan_host_start(&h, st, puan_features, &host, &err);
    if (rc == PUAN_OK)
        rc = open_sessions(h, &o, puan_store_plan(st), &err);
    if (rc == PUAN_OK)
        rc = open_offices(h, &o, puan_store_plan(st), &err);
    if (rc != PUAN_OK) {
        fprintf(stderr, "server: %s: %s\n", err.where, err.text);
        puan_host_stop(h);
        puan_store_close(st);
        return 1;
    }
    if (with)
        with(st);
    dprintf(3, "ready %s\n", puan_host_address(h));
    while (fgets(line, sizeof(line), stdin)) {
        char answer[128] = "ok\n";

        memset(&err, 0, sizeof(err));
        if (strcmp(line, "quit\n") == 0)
            break;
        if (strcmp(line, "merge\n") == 0) {
            for (size_t i = 1; i < puan_store_shards(st); i++)
                if (puan_tokens_merge(puan_store_shard(st, i), &err) !=
                    PUAN_OK)
                    puan_format(answer, sizeof(answer), "failed %s\n",
                                err.text);
        } else if (strcmp(line, "checkpoint\n") == 0) {
            if (puan_store_checkpoint(st, NULL, NULL, &err) != PUAN_OK)
                puan_format(answer, sizeof(answer), "failed %s\n", err.text);
        } else if (strcmp(line, "stats\n") == 0) {
            serve_stats(answer, sizeof(answer), st);
        }
        if (write(3, answer, strlen(answer)) < 0)
            break;
    }
    puan_host_stop(h);
    puan_store_close(st);
    dprintf(3, "bye %lld\n", (long long)puan_os_peak_kib());
    return 0;
}

/* ---- client ------------------------------------------------------------------------- */

enum puan_status load_connect(struct load_conn *c, const char *address,
                              struct puan_err *err)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    const char *colon = strrchr(address, ':');
    int one = 1;

    c->fd = -1;
    c->busy = false;
    c->in_n = c->out_n = c->out_at = 0;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in.sin_port = htons((uint16_t)strtoul(colon ? colon + 1 : "0", NULL, 10));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (const struct sockaddr *)&in, sizeof(in)) != 0) {
        load_disconnect(c);
        return puan_fail(err, PUAN_EIO, address, "cannot connect (errno %d)",
                         errno);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    return PUAN_OK;
}

void load_disconnect(struct load_conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->busy = false;
}

bool load_post(struct load_conn *c, const char *path, const char *token,
               const char *body, size_t n)
{
    size_t head = puan_format(c->out, sizeof(c->out),
                              "POST %s HTTP/1.1\r\nHost: puan\r\n"
                              "Authorization: Bearer %s\r\n"
                              "Content-Type: application/json\r\n"
                              "Content-Length: %zu\r\n\r\n",
                              path, token, n);
    ssize_t sent;

    if (head + n > sizeof(c->out) || c->fd < 0)
        return false;
    memcpy(c->out + head, body, n);
    c->out_n = head + n;
    c->in_n = 0;
    c->busy = true;
    c->sent_ns = puan_os_mono_ns();
    /* two kilobytes always fit the socket's buffer of a kept connection */
    sent = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);
    return sent == (ssize_t)c->out_n;
}

int load_read(struct load_conn *c, unsigned *status, struct puan_str *body)
{
    static const char length[] = "\r\nContent-Length: ";
    const char *end, *at;
    size_t head, n;
    ssize_t got = recv(c->fd, c->in + c->in_n, sizeof(c->in) - 1 - c->in_n, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    c->in_n += (size_t)got;
    c->in[c->in_n] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return c->in_n + 1 < sizeof(c->in) ? 0 : -1;
    head = (size_t)(end - c->in) + 4;
    at = strcasestr(c->in, length);
    n = at && at < end ? strtoul(at + sizeof(length) - 1, NULL, 10) : 0;
    if (c->in_n < head + n)
        return 0;
    *status = (unsigned)strtoul(c->in + 9, NULL, 10);
    *body = (struct puan_str){ c->in + head, n };
    c->busy = false;
    return 1;
}

void load_shuffle(uint32_t *v, uint64_t n)
{
    uint64_t x = 88172645463325252u;

    for (uint64_t i = n; i > 1; i--) {
        uint64_t k;
        uint32_t t;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        k = x % i;
        t = v[i - 1];
        v[i - 1] = v[k];
        v[k] = t;
    }
}
