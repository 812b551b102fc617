/*
 * Reading `notify.yaml`, what an address may be, how long a try waits.
 */
#include "core/notify/notify.h"

#include "core/flow/flow.h"

#define DAY INT64_C(86400000)

static const char *const kinds[PUAN_NOTIFY_KINDS] = {
    "notice", "report", "overdue", "call", "test", "change"
};

const char *puan_notify_kind_name(enum puan_notify_kind k)
{
    return k < PUAN_NOTIFY_KINDS ? kinds[k] : "";
}

enum puan_notify_kind puan_notify_kind_of(struct puan_str name)
{
    int k = 0;

    while (k < PUAN_NOTIFY_KINDS && !puan_str_is(name, kinds[k]))
        k++;
    return (enum puan_notify_kind)k;
}

static bool plain_name(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= 31;
}

static enum puan_status length(int64_t *ms, const struct puan_node *map,
                               const char *key, int64_t dflt, int64_t most,
                               struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);

    *ms = dflt;
    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_SCALAR || !puan_flow_duration(ms, n->text))
        return puan_node_fail(n, err,
                              "%s is a length of time: write 30s, 5m or 2h",
                              key);
    if (*ms < 1000 || *ms > most)
        return puan_node_fail(n, err, "%s lies between 1s and %lldh", key,
                              (long long)(most / 3600000));
    return PUAN_OK;
}

static enum puan_status read_command(struct puan_notify_channel *c,
                                     const struct puan_node *map,
                                     struct puan_arena *a, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, "command");
    size_t i = 0;

    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : map, err,
                              "say which program takes the messages: `command: "
                              "[/path/program, argument]`");
    if (n->n > PUAN_NOTIFY_ARGS)
        return puan_node_fail(n, err, "a command has at most %d words",
                              PUAN_NOTIFY_ARGS);
    PUAN_NODE_EACH(w, n) {
        if (w->kind != PUAN_NODE_SCALAR || w->text.n == 0)
            return puan_node_fail(w, err, "expected a word of the command");
        for (size_t k = 0; k < w->text.n; k++)
            if (w->text.p[k] == '\0')
                return puan_node_fail(w, err, "a word holds no zero byte");
        if (i == 0 && w->text.p[0] != '/')
            return puan_node_fail(w, err,
                                  "name the program by its whole path, which "
                                  "begins with /: no shell looks for it");
        c->command[i++] = puan_arena_fmt(a, "%.*s", PUAN_FMT(w->text));
    }
    return puan_arena_check(a, err);
}

static enum puan_status read_form(struct puan_notify_channel *c,
                                  const struct puan_node *map,
                                  struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, "form");
    const struct puan_node *from = puan_node_get(map, "from");
    struct puan_str s = puan_node_str_opt(map, "form", "text");

    if (puan_str_is(s, "mail"))
        c->form = PUAN_NOTIFY_MAIL;
    else if (puan_str_is(s, "text"))
        c->form = PUAN_NOTIFY_TEXT;
    else if (puan_str_is(s, "json"))
        c->form = PUAN_NOTIFY_JSON;
    else
        return puan_node_fail(n, err, "form is mail, text or json");
    if (from != NULL && c->form != PUAN_NOTIFY_MAIL)
        return puan_node_fail(from, err,
                              "only form mail has a sender; leave `from` out");
    if (c->form != PUAN_NOTIFY_MAIL)
        return PUAN_OK;
    if (from == NULL)
        return puan_node_fail(map, err,
                              "a mail has a sender: `from: puan@office.example`");
    TRY(puan_node_str(&c->from, map, "from", err));
    if (puan_notify_address(c, c->from, NULL) != PUAN_OK)
        return puan_node_fail(from, err,
                              "this is no mail address: write name@host");
    return PUAN_OK;
}

static enum puan_status read_carries(struct puan_notify_channel *c,
                                     const struct puan_node *map,
                                     struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, "carries");

    c->carries = (1U << PUAN_NOTIFY_KINDS) - 1;
    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n, err, "carries is a list: [overdue, call]");
    c->carries = 0;
    PUAN_NODE_EACH(k, n) {
        enum puan_notify_kind kind =
            k->kind == PUAN_NODE_SCALAR ? puan_notify_kind_of(k->text)
                                        : PUAN_NOTIFY_KINDS;

        if (kind == PUAN_NOTIFY_KINDS)
            return puan_node_fail(k, err,
                                  "kinds of messages are notice, report, "
                                  "overdue, call, test, change");
        c->carries |= 1U << kind;
    }
    return PUAN_OK;
}

static enum puan_status read_channel(struct puan_notify_channel *c,
                                     const struct puan_node *n,
                                     struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "zh",    "en",      "command", "form",
                                        "from",  "carries", "limit",   "first",
                                        "tries", "longest", "at_once",
                                        "receipt", NULL };
    struct puan_str told;
    int64_t v;

    c->name = n->key;
    if (!plain_name(c->name))
        return puan_node_fail(n, err,
                              "a channel is named by at most 31 small letters, "
                              "digits, - and _");
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "expected a map {zh, en, command, …}");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&c->zh, n, "zh", err));
    TRY(puan_node_str(&c->en, n, "en", err));
    TRY(read_command(c, n, a, err));
    TRY(read_form(c, n, err));
    TRY(read_carries(c, n, err));
    TRY(length(&c->limit_ms, n, "limit", 60000, 3600000, err));
    TRY(length(&c->first_ms, n, "first", 30000, DAY, err));
    TRY(length(&c->longest_ms, n, "longest", 1800000, DAY, err));
    if (c->longest_ms < c->first_ms)
        return puan_node_fail(puan_node_get(n, "longest") ?
                                  puan_node_get(n, "longest") :
                                  puan_node_get(n, "first"),
                              err,
                              "the longest wait is not shorter than the first");
    c->tries = 8;
    if (puan_node_get(n, "tries") != NULL) {
        TRY(puan_node_int(&v, n, "tries", 1, 100, err));
        c->tries = (int)v;
    }
    c->at_once = 4;
    if (puan_node_get(n, "at_once") != NULL) {
        TRY(puan_node_int(&v, n, "at_once", 1, 64, err));
        c->at_once = (int)v;
    }
    told = puan_node_str_opt(n, "receipt", "handed");
    c->told = puan_str_is(told, "told");
    if (!c->told && !puan_str_is(told, "handed"))
        return puan_node_fail(puan_node_get(n, "receipt"), err,
                              "receipt is handed (the program's end is all "
                              "that is known) or told (it tells later)");
    return PUAN_OK;
}

enum puan_status puan_notify_read(struct puan_notify_channels *out,
                                  const struct puan_node *tree,
                                  struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "office", "language", "channels",
                                        NULL };
    const struct puan_node *n;
    struct puan_str s;

    *out = (struct puan_notify_channels){ 0 };
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "expected a map {office, channels}");
    TRY(puan_node_only(tree, keys, err));
    n = puan_node_get(tree, "office");
    s = puan_node_str_opt(tree, "office", "");
    if (n != NULL && !puan_str_starts(s, "https://") &&
        !puan_str_starts(s, "http://"))
        return puan_node_fail(n, err,
                              "office is the address of this installation, as "
                              "in https://census.example");
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~')
            return puan_node_fail(n, err,
                                  "an address has no blanks and no letters "
                                  "beyond ASCII");
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    out->office = s;
    s = puan_node_str_opt(tree, "language", "zh");
    out->english = puan_str_is(s, "en");
    if (!out->english && !puan_str_is(s, "zh"))
        return puan_node_fail(puan_node_get(tree, "language"), err,
                              "language is zh or en");
    n = puan_node_get(tree, "channels");
    if (n == NULL || n->kind != PUAN_NODE_MAP || n->n == 0)
        return puan_node_fail(n ? n : tree, err,
                              "name at least one channel: `channels: {mail: "
                              "{zh, en, command}}`");
    if (n->n > 16)
        return puan_node_fail(n, err, "at most 16 channels");
    out->channel = puan_new_n(a, n->n, struct puan_notify_channel);
    if (out->channel == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n)
        TRY(read_channel(&out->channel[out->n++], c, a, err));
    return PUAN_OK;
}

const struct puan_notify_channel *
puan_notify_channel(const struct puan_notify_channels *c, struct puan_str name)
{
    for (size_t i = 0; i < c->n; i++)
        if (puan_str_eq(c->channel[i].name, name))
            return &c->channel[i];
    return NULL;
}

int64_t puan_notify_wait(const struct puan_notify_channel *c, int tried)
{
    int64_t ms = c->first_ms;

    if (tried >= c->tries)
        return -1;
    for (int i = 1; i < tried && ms < c->longest_ms; i++)
        ms *= 2;
    return ms < c->longest_ms ? ms : c->longest_ms;
}

enum puan_status puan_notify_address(const struct puan_notify_channel *c,
                                     struct puan_str s, struct puan_err *err)
{
    size_t at = 0;
    struct puan_str rest = s;

    if (s.n == 0 || s.n > 200)
        return puan_fail(err, PUAN_EINVAL, "address",
                         "an address has 1 to 200 characters");
    if (s.p[0] == '-' || s.p[0] == ' ')
        return puan_fail(err, PUAN_EINVAL, "address",
                         "an address begins with neither - nor a blank");
    while (rest.n > 0) {
        int32_t u = puan_utf8_next(&rest);

        if (u < ' ' || u == 0x7f || u == '<' || u == '>' || u == '"' ||
            (u >= 0x80 && u < 0xa0) || u == 0x2028 || u == 0x2029)
            return puan_fail(err, PUAN_EINVAL, "address",
                             "an address is one line without < > \"");
        at += u == '@';
        if (c->form == PUAN_NOTIFY_MAIL &&
            (u <= ' ' || u > '~' || u == ',' || u == ';' || u == '(' ||
             u == ')' || u == ':'))
            return puan_fail(err, PUAN_EINVAL, "address",
                             "a mail address is written name@host, one, "
                             "without blanks");
    }
    if (c->form == PUAN_NOTIFY_MAIL &&
        (at != 1 || s.p[0] == '@' || s.p[s.n - 1] == '@'))
        return puan_fail(err, PUAN_EINVAL, "address",
                         "a mail address is written name@host");
    return PUAN_OK;
}
