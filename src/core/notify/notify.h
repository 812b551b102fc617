/*
 * Channels of notification and what a message says.
 *
 * An installation's file `notify.yaml` names its channels: a program each, to
 * which a message is handed.
 *
 *   office: https://census.example     # what links begin with
 *   language: zh                       # or en; default zh
 *   channels:
 *     mail:
 *       zh: 电子邮件
 *       en: Mail
 *       command: [/usr/sbin/sendmail, -i, -t]   # no shell; first is a path
 *       form: mail             # what it reads: mail, text, json
 *       from: puan@census.example      # form mail only
 *       carries: [overdue, call]       # kinds of messages; absent: all
 *       limit: 60s             # the program is ended after that
 *       first: 30s             # wait before the second try; it doubles
 *       longest: 30m           # the longest wait
 *       tries: 8               # then it is given up
 *       at_once: 4             # programs at the same time
 *       receipt: handed        # or told: the program tells later
 *
 * A message is made of words of the plan, a case number, a level, a time and
 * a link.  It takes no text that anybody typed, so nothing secret can be in it.
 *
 * Depends on: base, core/flow (lengths of time).  Does no I/O, reads no clock.
 */
#ifndef PUAN_CORE_NOTIFY_NOTIFY_H
#define PUAN_CORE_NOTIFY_NOTIFY_H

#include "base/calendar.h"
#include "base/node.h"
#include "base/out.h"

enum puan_notify_kind {
    PUAN_NOTIFY_NOTICE,  /* something to see to */
    PUAN_NOTIFY_REPORT,  /* a report or its copy has come */
    PUAN_NOTIFY_OVERDUE, /* a clock has run out and is told upward */
    PUAN_NOTIFY_CALL,    /* call-out: be there */
    PUAN_NOTIFY_TEST,    /* test of a way to reach somebody */
    PUAN_NOTIFY_CHANGE,  /* a seat, holder or contact has changed */
    PUAN_NOTIFY_KINDS
};
/* "notice" … "change"; and back, PUAN_NOTIFY_KINDS when there is none. */
const char *puan_notify_kind_name(enum puan_notify_kind k);
enum puan_notify_kind puan_notify_kind_of(struct puan_str name);

enum puan_notify_form {
    PUAN_NOTIFY_MAIL, /* a mail with its head (RFC 5322), UTF-8 */
    PUAN_NOTIFY_TEXT, /* the text and a line end */
    PUAN_NOTIFY_JSON  /* {"id","to","text","link","kind","drill", …} */
};

#define PUAN_NOTIFY_ARGS 16
struct puan_notify_channel {
    struct puan_str name, zh, en, from;
    const char *command[PUAN_NOTIFY_ARGS + 1]; /* NULL-ended */
    enum puan_notify_form form;
    unsigned carries; /* 1 << kind */
    int64_t limit_ms, first_ms, longest_ms;
    int tries, at_once;
    bool told; /* receipts come later */
};
struct puan_notify_channels {
    struct puan_str office; /* without the last '/'; may be empty */
    bool english;
    struct puan_notify_channel *channel;
    size_t n;
};

/*
 * Reads the file's tree; texts live in `a`.  EINVAL names file, line, column
 * and what would mend it.
 */
PUAN_MUST_USE enum puan_status
puan_notify_read(struct puan_notify_channels *out, const struct puan_node *tree,
                 struct puan_arena *a, struct puan_err *err);
/* By name, or NULL. */
const struct puan_notify_channel *
puan_notify_channel(const struct puan_notify_channels *c, struct puan_str name);

/*
 * How long to wait after the `tried`th try (from 1) that did not succeed, ms;
 * -1: it is given up.
 */
int64_t puan_notify_wait(const struct puan_notify_channel *c, int tried);

/*
 * Can this be an address of the channel?  For mail one '@' and no blank; for
 * all: 1 to 200 printable characters, no blank at the front, none that a mail's
 * head or a command's options would take for something else.
 */
PUAN_MUST_USE enum puan_status
puan_notify_address(const struct puan_notify_channel *c, struct puan_str s,
                    struct puan_err *err);

struct puan_notify_words {
    int64_t id;
    enum puan_notify_kind kind;
    struct puan_str zh, en;  /* what it is about, as the plan says it */
    struct puan_str number;  /* "2020-031", may be empty */
    struct puan_str level;   /* blue yellow orange red, may be empty */
    int64_t at_ms, due_ms;   /* due_ms 0: no deadline */
    int offset_minutes;      /* the plan's clock */
    struct puan_str link;    /* whole address, may be empty */
    bool drill;
};
/* One sentence and the link; begins with the mark of Puan or of a drill. */
void puan_notify_text(struct puan_out *o, const struct puan_notify_words *w,
                      bool english);
/* What the channel's program reads.  `real_ms`: the date of a mail. */
void puan_notify_body(struct puan_out *o, const struct puan_notify_channel *c,
                      const struct puan_notify_words *w, struct puan_str to,
                      int64_t real_ms, bool english);
/*
 * Characters of the longest sentence about a matter of that name, in a drill,
 * without its link: lint holds the plan's names against what a phone shows.
 */
#define PUAN_NOTIFY_SHORT 70
size_t puan_notify_longest(struct puan_str zh, struct puan_str en,
                           bool english, struct puan_arena *a);

#endif
