/*
 * puan code: gives answers in words their codes, on all cores, row by row in
 * the order of the file.  Never changes a column it read.
 */
#include "features/code/code.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/code/desk.h"
#include "features/code/internal.h"
#include "features/host/args.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define BATCH 4096 /* rows coded together */
#define MEMORY_SLOTS 2048
#define MEMORY_BYTES 160
/*
 * Per cent: as the coding desk's setting coding_sure.  Of the 3,532 texts of
 * test/coding those with this score or more are right at the group in 97.0 %
 * (division 97.6, class 96.8), and 75 % have it; at 50 they are right in 92 %.
 */
#define SURE 90

struct options {
    const char *plan, *what, *text, *out, *known, *data;
    bool json, quiet;
    int64_t digits, top, sure, threads;
};

/* What is wanted of one row. */
struct coded {
    enum puan_coder_state state;
    bool known; /* a clerk has given this answer its code */
    size_t n;
    struct puan_coder_hit hit[PUAN_CODER_HITS];
};

/* Answers repeat: what one thread coded last, by the answer's bytes. */
struct memory {
    uint64_t hash;
    size_t n;
    char said[MEMORY_BYTES];
    struct coded coded;
};

struct job {
    const struct options *o;
    const struct code_known *known;
    struct memory *memory; /* MEMORY_SLOTS a worker */
    uint64_t by_clerk;
    const struct puan_coder *coder;
    struct puan_str *field; /* BATCH * COLUMNS_MOST */
    size_t *n_fields;       /* per row */
    struct coded *coded;
    struct puan_arena *scratch; /* per worker */
    size_t n_workers;
    uint64_t by_state[4], rows, sure;
    struct puan_progress bar;
};

static const char usage[] =
    "--plan PACK [--of industry|occupation] --text COLUMN[,COLUMN]… [--digits "
    "N] [--known FILE] [--sure PERCENT] [--top N] [--out FILE] [--json] "
    "[--threads N] "
    "[--quiet] DATA.csv";

int code_fail(const struct puan_err *err)
{
    return puan_verb_fail("code", err);
}

enum puan_status code_columns(struct columns *out, const struct puan_sheet *s,
                              const char *list, struct puan_err *err)
{
    struct puan_str rest = puan_str_of(list), name;

    out->n = 0;
    while (puan_str_split(&name, &rest, ',')) {
        char text[96];
        enum puan_status st;

        if (out->n == COLUMNS_MOST)
            return puan_fail(err, PUAN_EINVAL, "--text", "at most 4 columns");
        puan_format(text, sizeof(text), "%.*s", PUAN_FMT(name));
        st = puan_sheet_need(&out->at[out->n++], s, text, err);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

size_t code_fields(struct puan_str *field, const struct columns *c,
                   const struct puan_csv *row)
{
    for (size_t i = 0; i < c->n; i++)
        field[i] = row->field[c->at[i]];
    return c->n;
}

static const char *number(int64_t *out, const char *v, int64_t min, int64_t max,
                          const char *what)
{
    if (puan_int_parse(out, puan_str_of(v)) && *out >= min && *out <= max)
        return NULL;
    return what;
}

static const char *value(struct options *o, const char *a, const char *v)
{
    if (strcmp(a, "--plan") == 0)
        o->plan = v;
    else if (strcmp(a, "--of") == 0)
        o->what = v;
    else if (strcmp(a, "--text") == 0)
        o->text = v;
    else if (strcmp(a, "--out") == 0)
        o->out = v;
    else if (strcmp(a, "--known") == 0)
        o->known = v;
    else if (strcmp(a, "--digits") == 0)
        return number(&o->digits, v, 0, 16, "--digits is 0 to 16");
    else if (strcmp(a, "--top") == 0)
        return number(&o->top, v, 1, PUAN_CODER_HITS, "--top is 1 to 20");
    else if (strcmp(a, "--sure") == 0)
        return number(&o->sure, v, 0, 100, "--sure is 0 to 100");
    else if (strcmp(a, "--threads") == 0)
        return number(&o->threads, v, 1, 256, "--threads is 1 to 256");
    else
        return "unknown option";
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "code";

    *o = (struct options){ .what = "industry", .top = 1, .out = "-",
                            .sure = SURE };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(argv[i], "--", 2) != 0) {
            if (o->data)
                bad = "one file at a time";
            o->data = argv[i];
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            o->quiet = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && (!o->plan || !o->text || !o->data)) {
        at = "code";
        bad = "--plan, --text and a file are needed";
    }
    if (!bad && puan_file_among(o->out, &o->data, 1)) {
        at = "--out";
        bad = "the output would take the place of the data it is made of";
    }
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* The answer's bytes; 0 when they are too many to be kept. */
static size_t said_of(char *said, uint64_t *hash, const struct puan_str *field,
                      size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    size_t k = 0;

    for (size_t f = 0; f < n; f++) {
        if (k + field[f].n + 1 > MEMORY_BYTES)
            return 0;
        if (field[f].n)
            memcpy(said + k, field[f].p, field[f].n);
        k += field[f].n;
        said[k++] = '\n';
    }
    for (size_t i = 0; i < k; i++)
        h = (h ^ (uint8_t)said[i]) * 0x100000001b3u;
    *hash = h;
    return k;
}

static enum puan_status code_one(struct coded *out, struct job *j,
                                 const struct puan_str *field, size_t n,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_coder_answer x;
    int32_t node = -1;
    enum puan_status st;

    puan_arena_reset(a);
    if (j->known)
        node = code_known_find(j->known, field, n, a);
    if (node >= 0) {
        out->known = true;
        out->state = PUAN_CODED;
        out->n = 1;
        out->hit[0] = (struct puan_coder_hit){ .node = (uint32_t)node,
                                               .ppm = 1000000,
                                               .nearest = { "", 0 } };
        return PUAN_OK;
    }
    puan_arena_reset(a);
    st = puan_coder_suggest(&x, j->coder, field, n, (unsigned)j->o->digits, a,
                            err);
    out->known = false;
    out->state = x.state;
    out->n = x.n < (size_t)j->o->top ? x.n : (size_t)j->o->top;
    memcpy(out->hit, x.hit, out->n * sizeof(x.hit[0]));
    return st;
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct job *j = arg;
    struct memory *memory = j->memory + (size_t)worker * MEMORY_SLOTS;
    enum puan_status st = PUAN_OK;

    for (uint64_t i = begin; st == PUAN_OK && i < end; i++) {
        const struct puan_str *field = j->field + i * COLUMNS_MOST;
        char said[MEMORY_BYTES];
        uint64_t hash = 0;
        size_t n = said_of(said, &hash, field, j->n_fields[i]);
        struct memory *m = &memory[hash % MEMORY_SLOTS];

        if (n > 0 && m->hash == hash && m->n == n &&
            memcmp(m->said, said, n) == 0) {
            j->coded[i] = m->coded;
            continue;
        }
        st = code_one(&j->coded[i], j, field, j->n_fields[i],
                      &j->scratch[worker], err);
        if (st == PUAN_OK && n > 0) {
            m->hash = hash;
            m->n = n;
            memcpy(m->said, said, n);
            m->coded = j->coded[i];
        }
    }
    return st;
}

static void put_permille(struct puan_sheet_out *o, uint32_t ppm)
{
    char text[16];

    snprintf(text, sizeof(text), "%u.%u", ppm / 10000, ppm / 1000 % 10);
    puan_sheet_put_text(o, text);
}

static void put_row(struct job *j, struct puan_sheet_out *o,
                    const struct coded *x)
{
    bool sure = x->n > 0 && x->hit[0].ppm >= (uint32_t)j->o->sure * 10000u;

    puan_sheet_put_text(o, x->state != PUAN_CODED ? puan_coding_state(x->state)
                           : x->known             ? "known"
                           : sure                 ? "coded"
                                                  : "doubtful");
    j->by_clerk += x->known;
    j->sure += x->state == PUAN_CODED && sure;
    for (size_t k = 0; k < (size_t)j->o->top; k++) {
        if (k >= x->n) {
            for (int i = 0; i < 4; i++)
                puan_sheet_put_text(o, "");
            continue;
        }
        puan_sheet_put(o, puan_coding_code(j->coder, x->hit[k].node,
                                           (unsigned)j->o->digits));
        puan_sheet_put(o, puan_coder_node(j->coder, x->hit[k].node)->name);
        put_permille(o, x->hit[k].ppm);
        puan_sheet_put(o, x->hit[k].nearest);
    }
    puan_sheet_end_row(o);
    j->by_state[x->state]++;
    j->rows++;
}

/* A column of ours; the data's own of that name keep it. */
static void put_new(struct puan_sheet_out *o, const struct puan_csv *row,
                    const char *name)
{
    char own[64];

    snprintf(own, sizeof(own), "%s", name);
    while (puan_csv_column(row, own) >= 0 && strlen(own) < 48) {
        char longer[64];

        snprintf(longer, sizeof(longer), "coding_%.40s", own);
        snprintf(own, sizeof(own), "%s", longer);
    }
    puan_sheet_put_text(o, own);
}

static void put_header(struct job *j, struct puan_sheet_out *o,
                       const struct puan_csv *row)
{
    static const char *const name[] = { "code", "name", "score", "like" };
    char text[32];

    for (size_t i = 0; i < row->n; i++)
        puan_sheet_put(o, row->header[i]);
    put_new(o, row, "coding");
    for (int64_t k = 1; k <= j->o->top; k++)
        for (size_t i = 0; i < PUAN_COUNT(name); i++) {
            if (k == 1)
                snprintf(text, sizeof(text), "%s", name[i]);
            else
                snprintf(text, sizeof(text), "%s%" PRId64, name[i], k);
            put_new(o, row, text);
        }
    puan_sheet_end_row(o);
}

static enum puan_status run_batch(struct job *j, struct puan_sheet_out *o,
                                  const struct puan_str *cells, size_t n_cells,
                                  size_t n, struct puan_err *err)
{
    unsigned threads = j->o->threads ? (unsigned)j->o->threads : puan_cores();
    enum puan_status st =
        puan_parallel(threads < j->n_workers ? threads : (unsigned)j->n_workers,
                      n, 64, range, j, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        for (size_t k = 0; k < n_cells; k++)
            puan_sheet_put(o, cells[i * n_cells + k]);
        put_row(j, o, &j->coded[i]);
    }
    puan_progress_add(&j->bar, n);
    return st;
}

/* Reads rows into `a` until a batch is full. */
static enum puan_status fill(size_t *n, bool *more, struct puan_str *cells,
                             struct job *j, const struct columns *cols,
                             struct puan_sheet *s, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_csv *row = puan_sheet_row(s);
    enum puan_status st = PUAN_OK;

    for (*n = 0; *n < BATCH; (*n)++) {
        struct puan_str *own = cells + *n * row->n;

        st = puan_sheet_next(more, s, err);
        if (st != PUAN_OK || !*more)
            return st;
        for (size_t k = 0; k < row->n; k++)
            own[k] = puan_arena_keep(a, row->field[k]);
        for (size_t k = 0; k < cols->n; k++)
            j->field[*n * COLUMNS_MOST + k] = own[cols->at[k]];
        j->n_fields[*n] = cols->n;
    }
    return puan_arena_check(a, err);
}

static enum puan_status work(struct job *j, struct puan_sheet *s,
                             struct puan_sheet_out *o, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_csv *row = puan_sheet_row(s);
    struct puan_arena text;
    struct puan_str *cells = puan_new_n(a, BATCH * row->n, struct puan_str);
    struct columns cols;
    bool more = true;
    enum puan_status st;

    j->field = puan_new_n(a, (size_t)BATCH * COLUMNS_MOST, struct puan_str);
    j->n_fields = puan_new_n(a, BATCH, size_t);
    j->coded = puan_new_n(a, BATCH, struct coded);
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = code_columns(&cols, s, j->o->text, err);
    if (st != PUAN_OK)
        return st;
    put_header(j, o, row);
    puan_arena_init(&text, &puan_heap);
    puan_progress_begin(&j->bar, "编码 coding", 0);
    while (st == PUAN_OK && more) {
        size_t n;

        puan_arena_reset(&text);
        st = fill(&n, &more, cells, j, &cols, s, &text, err);
        if (st == PUAN_OK && n > 0)
            st = run_batch(j, o, cells, row->n, n, err);
    }
    puan_progress_end(&j->bar);
    puan_arena_clear(&text);
    return st;
}

static void report(const struct job *j, int64_t ms)
{
    FILE *to = strcmp(j->o->out, "-") == 0 ? stderr : stdout;
    double sure = j->rows ? 100.0 * (double)j->sure / (double)j->rows : 0;

    if (j->o->json) {
        fprintf(
            to,
            "{\"rows\":%" PRIu64 ",\"coded\":%" PRIu64 ",\"known\":%" PRIu64
            ",\"doubtful\":%" PRIu64 ",\"vague\":%" PRIu64 ",\"empty\":%" PRIu64
            ",\"unknown\":%" PRIu64 ",\"milliseconds\":%" PRId64 "}\n",
            j->rows, j->sure, j->by_clerk, j->by_state[PUAN_CODED] - j->sure,
            j->by_state[PUAN_CODE_VAGUE], j->by_state[PUAN_CODE_EMPTY],
            j->by_state[PUAN_CODE_UNKNOWN], ms);
        return;
    }
    fprintf(to,
            "%" PRIu64 " rows: %" PRIu64 " coded (%.1f %%; %" PRIu64
            " as clerks have coded them), %" PRIu64 " doubtful, %" PRIu64
            " too vague, %" PRIu64 " empty, %" PRIu64 " unknown; %" PRId64
            " ms\n",
            j->rows, j->sure, sure, j->by_clerk,
            j->by_state[PUAN_CODED] - j->sure, j->by_state[PUAN_CODE_VAGUE],
            j->by_state[PUAN_CODE_EMPTY], j->by_state[PUAN_CODE_UNKNOWN], ms);
}

static int run(int argc, char **argv)
{
    struct options o;
    struct job j = { .o = &o };
    struct puan_coding *coding = NULL;
    struct puan_sheet *s = NULL;
    struct puan_sheet_out *out = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    int64_t began = puan_monotonic_ms();
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&a, &puan_heap);
    st = puan_coding_open(&coding, o.plan, o.what, &err);
    if (st == PUAN_OK)
        st = puan_sheet_open(&s, o.data, &err);
    if (st == PUAN_OK)
        st = puan_sheet_create(&out, o.out, &err);
    if (st == PUAN_OK) {
        j.coder = puan_coding_coder(coding);
        j.n_workers = o.threads ? (size_t)o.threads : puan_cores();
        j.scratch = puan_new_n(&a, j.n_workers, struct puan_arena);
        j.memory =
            puan_arena_get_n(&a, j.n_workers * MEMORY_SLOTS, sizeof(*j.memory));
        st = puan_arena_check(&a, &err);
    }
    for (size_t i = 0; st == PUAN_OK && i < j.n_workers; i++)
        puan_arena_init(&j.scratch[i], &puan_heap);
    if (st == PUAN_OK && o.known) {
        struct code_known *known = NULL;

        st = code_known_open(&known, o.known, j.coder, &a, &err);
        j.known = known;
    }
    if (st == PUAN_OK)
        st = work(&j, s, out, &a, &err);
    if (st == PUAN_OK) {
        st = puan_sheet_finish(out, &err);
        out = NULL;
    }
    puan_sheet_abandon(out);
    for (size_t i = 0; j.scratch && i < j.n_workers; i++)
        puan_arena_clear(&j.scratch[i]);
    puan_sheet_close(s);
    puan_coding_close(coding);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return code_fail(&err);
    report(&j, puan_monotonic_ms() - began);
    return j.rows > j.sure ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}

static const char test_usage[] =
    "--plan PACK [--of industry|occupation] --text COLUMN[,COLUMN]… --code "
    "COLUMN [--digits N[,N]…] [--near PERCENT] [--apart N] [--vary] [--wrong "
    "FILE] [--json] TESTED.csv";

static const struct puan_command commands[] = {
    { "code", usage,
      "Gives answers in words their codes. --text names the columns an answer "
      "is given in (unit, business, work done); PACK has the classification "
      "with its index in coding/industry.txt or coding/occupation.txt. Writes "
      "the rows as read with the columns coding (coded, known, doubtful, "
      "vague, "
      "empty, unknown), code, name, score (percent) and like, the entry of the "
      "index that is most alike; --top adds the next best. --digits 2 codes to "
      "the division. --known names a file with the columns text and code: the "
      "same answer, however it is written, gets that code before anything is "
      "guessed. Below --sure percent (90 unless told: of the texts this was "
      "measured on, 97 of 100 such answers are right, doc/coding.md) an answer "
      "is doubtful: a clerk decides. A column of ours whose name the data have "
      "already is written as coding_NAME. Exit code 1 when some rows are not coded.",
      run, "把文字回答编成行业、职业代码" },
    { "code test", test_usage,
      "Measures coding on answers whose codes are known: how many are right "
      "when the surest 50, 70, 90 and 100 percent are coded by machine, at "
      "each "
      "number of digits, with the score that is the threshold for it. Rows "
      "that "
      "are too vague or unknown count as left to a clerk. --near 80 leaves out "
      "texts that are 80 percent an entry of the index or another text of "
      "their "
      "class; --apart 20 tests in 20 rounds without the entries that the "
      "tested "
      "texts contain; --vary counts codes that change with width, script and "
      "order, of which there should be none. --wrong lists the rows that were "
      "coded otherwise.",
      code_test, "用已知代码的回答测量编码正确率" },
    { "code texts", code_texts_usage, code_texts_help, code_texts,
      "从普查表中取出待编码的文字回答" },
};

const struct puan_feature puan_feature_code = {
    .name = "code",
    .routes = desk_routes,
    .n_routes = 6,
    .schema = desk_schema,
    .n_schema = 1,
    .covered = desk_covered,
    .n_covered = 1,
    .open = desk_open,
    .close = desk_close,
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
