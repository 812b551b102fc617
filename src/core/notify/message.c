/*
 * What a message says: one sentence, what to do and until when, and the link.
 */
#include "core/notify/notify.h"

#include "base/json.h"

struct say {
    const char *zh, *en; /* what to do */
    bool deadline;
};

static const struct say sentence[PUAN_NOTIFY_KINDS] = {
    [PUAN_NOTIFY_NOTICE] = { "办理", "See to", true },
    [PUAN_NOTIFY_REPORT] = { "签收报告", "Receive the report of", true },
    [PUAN_NOTIFY_OVERDUE] = { "已超时，请立即处置", "Overdue, act now:", false },
    [PUAN_NOTIFY_CALL] = { "应召到岗并回复", "You are called out, answer:",
                           true },
    [PUAN_NOTIFY_TEST] = { "回复联络测试", "Test, please answer:", true },
    [PUAN_NOTIFY_CHANGE] = { "核收变动", "Receive the change of", true },
};

static const char *level_word(struct puan_str level, bool english)
{
    static const char *const word[][3] = { { "blue", "蓝色", "blue" },
                                           { "yellow", "黄色", "yellow" },
                                           { "orange", "橙色", "orange" },
                                           { "red", "红色", "red" } };

    for (size_t i = 0; i < PUAN_COUNT(word); i++)
        if (puan_str_is(level, word[i][0]))
            return word[i][english ? 2 : 1];
    return NULL;
}

/* "11-03 05:07": the month stands first, so no year is asked for. */
static void moment(struct puan_out *o, const struct puan_notify_words *w)
{
    char t[32];

    puan_instant_text(t, w->due_ms, w->offset_minutes);
    puan_out_bytes(o, t + 5, 5);
    puan_out_char(o, ' ');
    puan_out_bytes(o, t + 11, 5);
}

static bool number_plain(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return s.n > 0;
}

static void mark(struct puan_out *o, const struct puan_notify_words *w,
                 bool english)
{
    if (english)
        puan_out_text(o, w->drill ? "[PUAN DRILL] " : "[PUAN] ");
    else
        puan_out_text(o, w->drill ? "【普安演练】" : "【普安】");
}

static void matter(struct puan_out *o, const struct puan_notify_words *w,
                   bool english)
{
    const char *level = level_word(w->level, english);

    puan_out_str(o, english ? w->en : w->zh);
    if (number_plain(w->number)) {
        if (english)
            puan_out_char(o, ' ');
        puan_out_str(o, w->number);
    }
    if (level != NULL)
        puan_out_fmt(o, english ? " (%s)" : "（%s）", level);
}

static void saying(struct puan_out *o, const struct puan_notify_words *w,
                   bool english)
{
    const struct say *s = &sentence[w->kind];
    bool due = s->deadline && w->due_ms > 0;

    mark(o, w, english);
    if (english) {
        puan_out_fmt(o, "%s ", s->en);
        matter(o, w, true);
        if (due) {
            puan_out_text(o, " by ");
            moment(o, w);
        }
        puan_out_char(o, '.');
        return;
    }
    if (s->deadline) {
        puan_out_text(o, "请");
        if (due) {
            puan_out_text(o, "于");
            moment(o, w);
            puan_out_text(o, "前");
        }
    }
    puan_out_fmt(o, "%s：", s->zh);
    matter(o, w, false);
    puan_out_text(o, "。");
}

void puan_notify_text(struct puan_out *o, const struct puan_notify_words *w,
                      bool english)
{
    saying(o, w, english);
    if (w->link.n > 0) {
        if (english)
            puan_out_char(o, ' ');
        puan_out_str(o, w->link);
    }
}

/* RFC 2047, Q encoding, words of at most 75 characters. */
static void subject(struct puan_out *o, struct puan_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = 0;

    while (s.n > 0) {
        struct puan_str before = s;
        size_t n, need = 0;

        (void)puan_utf8_next(&s);
        n = before.n - s.n;
        for (size_t i = 0; i < n; i++) {
            char c = before.p[i];

            need += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                            (c >= 'a' && c <= 'z') || c == ' ' || c == '-' ?
                        1 : 3;
        }
        if (used == 0 || used + need > 60) {
            puan_out_text(o, used ? "?=\n =?utf-8?Q?" : "=?utf-8?Q?");
            used = 1;
        }
        used += need;
        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)before.p[i];

            if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                (c >= 'a' && c <= 'z') || c == '-') {
                puan_out_char(o, (char)c);
            } else if (c == ' ') {
                puan_out_char(o, '_');
            } else {
                puan_out_char(o, '=');
                puan_out_char(o, hex[c >> 4]);
                puan_out_char(o, hex[c & 15]);
            }
        }
    }
    if (used)
        puan_out_text(o, "?=");
}

/* "Mon, 02 Nov 2020 03:07:00 +0000" */
static void mail_date(struct puan_out *o, int64_t ms)
{
    static const char *const day[] = { "Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun" };
    static const char *const month[] = { "Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec" };
    int64_t d = puan_instant_day(ms, 0);
    int y, m, md;
    char t[32];

    puan_day_split(d, &y, &m, &md);
    puan_instant_text(t, ms, 0);
    puan_out_fmt(o, "%s, %02d %s %04d %.8s +0000", day[puan_weekday(d) - 1], md,
                 month[m - 1], y, t + 11);
}

static void mail(struct puan_out *o, const struct puan_notify_channel *c,
                 const struct puan_notify_words *w, struct puan_str to,
                 int64_t real_ms, bool english)
{
    struct puan_out s;
    struct puan_str host = c->from;

    while (host.n > 0 && *host.p != '@') {
        host.p++;
        host.n--;
    }
    puan_out_init(&s, o->arena);
    saying(&s, w, english);
    puan_out_fmt(o, "From: <%.*s>\nTo: <%.*s>\nDate: ", PUAN_FMT(c->from),
                 PUAN_FMT(to));
    mail_date(o, real_ms);
    puan_out_text(o, "\nSubject: ");
    subject(o, puan_out_view(&s));
    puan_out_fmt(o, "\nMessage-ID: <puan-%lld%.*s>\n", (long long)w->id,
                 PUAN_FMT(host));
    puan_out_text(o, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
                     "Content-Type: text/plain; charset=utf-8\n"
                     "Content-Transfer-Encoding: 8bit\n");
    if (w->drill)
        puan_out_text(o, "X-Puan-Drill: yes\n");
    puan_out_char(o, '\n');
    puan_out_str(o, puan_out_view(&s));
    puan_out_char(o, '\n');
    if (w->link.n > 0) {
        puan_out_str(o, w->link);
        puan_out_char(o, '\n');
    }
}

void puan_notify_body(struct puan_out *o, const struct puan_notify_channel *c,
                      const struct puan_notify_words *w, struct puan_str to,
                      int64_t real_ms, bool english)
{
    struct puan_out text;
    struct puan_jw j;

    switch (c->form) {
    case PUAN_NOTIFY_MAIL:
        mail(o, c, w, to, real_ms, english);
        return;
    case PUAN_NOTIFY_TEXT:
        puan_notify_text(o, w, english);
        puan_out_char(o, '\n');
        return;
    case PUAN_NOTIFY_JSON:
        puan_out_init(&text, o->arena);
        puan_notify_text(&text, w, english);
        puan_jw_init(&j, o);
        puan_jw_map(&j);
        puan_jw_kint(&j, "id", w->id);
        puan_jw_ktext(&j, "kind", puan_notify_kind_name(w->kind));
        puan_jw_kstr(&j, "to", to);
        puan_jw_kstr(&j, "text", puan_out_view(&text));
        puan_jw_kstr(&j, "what", english ? w->en : w->zh);
        puan_jw_kstr(&j, "number",
                     number_plain(w->number) ? w->number : PUAN_STR(""));
        puan_jw_kstr(&j, "level",
                     level_word(w->level, true) ? w->level : PUAN_STR(""));
        puan_jw_kint(&j, "due_ms", w->due_ms);
        puan_jw_kstr(&j, "link", w->link);
        puan_jw_kbool(&j, "drill", w->drill);
        puan_jw_end(&j, '}');
        puan_out_char(o, '\n');
        return;
    }
}

size_t puan_notify_longest(struct puan_str zh, struct puan_str en,
                           bool english, struct puan_arena *a)
{
    struct puan_notify_words w = { .zh = zh, .en = en,
                                   .number = PUAN_STR("2020-9999"),
                                   .level = PUAN_STR("orange"),
                                   .due_ms = 1, .drill = true };
    size_t longest = 0;

    for (int k = 0; k < PUAN_NOTIFY_KINDS; k++) {
        struct puan_out o;
        struct puan_str s;

        puan_out_init(&o, a);
        w.kind = (enum puan_notify_kind)k;
        saying(&o, &w, english);
        s = puan_out_view(&o);
        if (puan_utf8_length(s) > longest)
            longest = puan_utf8_length(s);
    }
    return longest;
}
