/*
 * The knowledge base: what a plan says in help/NAME.yaml to those who ask.
 *
 *   help: self                  # the topic, a name
 *   order: 10                   # of the topics on a page, 0 … 999
 *   zh: 自己填报
 *   en: Filling in online
 *   for: public                 # public: everybody; field: enumerators and
 *                               # offices; desk: offices only
 *   articles:
 *     - id: code-lost           # a name, once in all packs of the plan
 *       zh: 登录码丢失或者输入后不能登录   # as it would be asked
 *       en: My code is lost, or does not work
 *       words: [密码, password] # what people also call it; optional
 *       kind: online            # matter of a ticket about it; optional
 *       page: /verify           # page of the public site; optional
 *       text_zh: …              # each line is a paragraph
 *       text_en: …
 *
 * Articles are plain text.  Searching is done where they are read (web/ui), so
 * that it works without a network.
 *
 * Depends on: core/plan.  Does no I/O; a list lives in its arena.
 */
#ifndef PUAN_CORE_HELP_HELP_H
#define PUAN_CORE_HELP_HELP_H

#include "core/plan/plan.h"

enum puan_help_for { PUAN_HELP_PUBLIC, PUAN_HELP_FIELD, PUAN_HELP_DESK };

struct puan_help_article {
    struct puan_str id, zh, en;
    struct puan_str text_zh, text_en;
    struct puan_str kind, page; /* may be empty */
    const struct puan_str *words;
    size_t n_words;
    const struct puan_node *at;
};

struct puan_help_topic {
    struct puan_str id, zh, en;
    int64_t order;
    enum puan_help_for audience;
    const struct puan_help_article *article;
    size_t n;
    const struct puan_node *at;
};

struct puan_help {
    const struct puan_help_topic *topic; /* by order, then by id */
    size_t n;
};

/* Longest title in characters, longest text in bytes. */
#define PUAN_HELP_TITLE 40
#define PUAN_HELP_TITLE_EN 90
#define PUAN_HELP_TEXT 4000

/* One file.  EINVAL says where and what would mend it. */
PUAN_MUST_USE enum puan_status
puan_help_topic_load(struct puan_help_topic *out, const struct puan_node *tree,
                     struct puan_arena *a, struct puan_err *err);

/*
 * Those of all packs of a plan.  Every file's first fault goes to `problems`
 * (may be NULL); err gets the first.
 */
PUAN_MUST_USE enum puan_status puan_help_load(struct puan_help *out,
                                              const struct puan_plan *p,
                                              struct puan_problems *problems,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* By its id; NULL when there is none. */
const struct puan_help_article *puan_help_find(const struct puan_help *h,
                                               struct puan_str id);

#endif
