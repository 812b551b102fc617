/*
 * One household, as web/household goes on: signs in by the code of its letter,
 * sets a password, saves its draft again and again, half of them leave and come
 * back with code and password, sends, reads its state, leaves.  When there is
 * no room it takes a place in the line and asks again for it.
 */
#include "field.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kit/os/os.h"

#define API "/api/v1/c/cn-population-2020"
#define PASSWORD "anjing de wanshang"

enum {
    SIGN_IN,
    STAND, /* in the line */
    PASSWORD_SET,
    LOOK,
    FORM,
    READ,
    SAVE,
    LEAVE,
    COME_BACK,
    SEND,
    CLEAR,
    LOOK_AGAIN,
    SIGN_OUT
};

static void ask(struct family *m, unsigned kind, const char *method,
                const char *path, const char *headers, struct puan_str body)
{
    struct crowd_ask q = { .kind = kind,
                           .method = method,
                           .path = path,
                           .headers = headers,
                           .token = *m->token ? m->token : NULL,
                           .body = body };

    crowd_ask(&m->actor, &q);
}

static void go(struct family *m, int stage);

static void sign_in(struct family *m)
{
    char body[240];
    size_t n = puan_format(
        body, sizeof(body), "{\"code\":\"%s\"%s%s%s%s}", m->code,
        m->protected_ ? ",\"password\":\"" PASSWORD "\"" : "",
        *m->ticket ? ",\"ticket\":\"" : "", m->ticket, *m->ticket ? "\"" : "");

    *m->token = 0;
    ask(m, m->protected_ ? K_SIGN_IN_PASSWORD : K_SIGN_IN, "POST",
        API "/login/household", NULL, (struct puan_str){ body, n });
}

static void stand(struct family *m)
{
    char body[80];
    size_t n = puan_format(body, sizeof(body), "{\"ticket\":\"%s\"}",
                           m->ticket);

    *m->token = 0;
    ask(m, K_QUEUE, "POST", API "/public/queue", NULL,
        (struct puan_str){ body, n });
}

static size_t document(const struct family *m, char *out, size_t cap)
{
    return load_document_of(out, cap, m->household, 0, 1, 7, "", "self");
}

static void save(struct family *m)
{
    char doc[4096], headers[64];
    size_t n = document(m, doc, sizeof(doc));

    puan_format(headers, sizeof(headers), "If-Match: \"%lld\"\r\n",
                (long long)m->rev);
    ask(m, K_DRAFT, "PUT", API "/me/draft", headers,
        (struct puan_str){ doc, n });
}

static void send_it(struct family *m)
{
    char doc[4096];
    size_t n = document(m, doc, sizeof(doc));

    ask(m, K_RETURN, "POST", API "/returns", NULL, (struct puan_str){ doc, n });
}

static void came_in(struct family *m)
{
    if (m->in)
        return;
    m->in = true;
    if (++m->f->inside > m->f->most_inside)
        m->f->most_inside = m->f->inside;
}

static void went(struct family *m)
{
    m->f->inside -= m->in;
    m->in = false;
}

static void go(struct family *m, int stage)
{
    m->stage = stage;
    switch (stage) {
    case SIGN_IN:
    case COME_BACK:
        sign_in(m);
        break;
    case STAND:
        stand(m);
        break;
    case PASSWORD_SET:
        ask(m, K_PASSWORD, "PUT", API "/me/password", NULL,
            PUAN_STR("{\"password\":\"" PASSWORD "\"}"));
        break;
    case LOOK:
    case LOOK_AGAIN:
        ask(m, K_ME, "GET", API "/me", NULL, PUAN_STR(""));
        break;
    case FORM:
        ask(m, K_FORM, "GET", API "/public/plan/forms/short", NULL,
            PUAN_STR(""));
        break;
    case READ:
        ask(m, K_DRAFT_READ, "GET", API "/me/draft", NULL, PUAN_STR(""));
        break;
    case SAVE:
        save(m);
        break;
    case SEND:
        send_it(m);
        break;
    case CLEAR:
        ask(m, K_DRAFT_END, "DELETE", API "/me/draft", NULL, PUAN_STR(""));
        break;
    default: /* LEAVE, SIGN_OUT: from here on the office may end it */
        went(m);
        ask(m, K_SIGN_OUT, "POST", API "/logout", NULL, PUAN_STR(""));
        break;
    }
}

/* Between two things a person does. */
static void pause_then(struct family *m, int stage)
{
    m->stage = stage;
    crowd_later(&m->actor,
                m->f->pause_ms / 2 +
                    (int64_t)crowd_random(m->actor.crowd,
                                          (uint64_t)m->f->pause_ms + 1));
}

static void heard_queue(struct family *m, const struct puan_node *n)
{
    struct puan_str ticket = puan_node_str_opt(n, "ticket", "");
    int64_t place = 0, renew = 15000;

    if (ticket.n > 0 && *m->ticket && !puan_str_is(ticket, m->ticket))
        m->place = 0; /* it lost its place */
    puan_format(m->ticket, sizeof(m->ticket), "%.*s", PUAN_FMT(ticket));
    if (puan_str_is(puan_node_str_opt(n, "in", "false"), "true")) {
        go(m, m->protected_ ? COME_BACK : SIGN_IN);
        return;
    }
    (void)puan_int_parse(&place, puan_node_str_opt(n, "place", "0"));
    (void)puan_int_parse(&renew, puan_node_str_opt(n, "renew_ms", "15000"));
    if (m->place && place > m->place)
        m->f->places_grew++;
    if (!m->place)
        m->f->waited++;
    m->place = place;
    m->stage = STAND;
    crowd_later(&m->actor, m->f->ask_again_ms ? m->f->ask_again_ms : renew);
}

static void signed_in(struct family *m, const struct puan_node *n)
{
    puan_format(m->token, sizeof(m->token), "%.*s",
                PUAN_FMT(puan_node_str_opt(n, "token", "")));
    came_in(m);
    *m->ticket = 0;
    m->place = 0;
    go(m, LOOK);
}

/* False: its status belongs to what may happen at this stage. */
static bool unexpected(struct family *m, const struct crowd_reply *r,
                       const struct puan_node *n)
{
    struct puan_str code = puan_node_str_opt(n, "code", "");

    /* its password was set twice over a line that broke: signs in again */
    if (r->status == 401 && puan_str_is(code, "no-session"))
        return false;
    switch (m->stage) {
    case SIGN_IN:
    case COME_BACK:
        if (r->status == 503 && puan_str_is(code, "queue"))
            return false;
        /* the answer to the password was lost: it holds now */
        if (r->status == 403 && puan_str_is(code, "password-needed"))
            return false;
        break;
    case READ:
        if (r->status == 404)
            return false;
        break;
    case SAVE:
        if (r->status == 412) /* saved before the line broke */
            return false;
        break;
    case PASSWORD_SET:
    case LEAVE:
    case SIGN_OUT:
        if (r->status == 401 || r->status == 403)
            return false; /* done before the line broke */
        break;
    default:
        break;
    }
    return r->status >= 400;
}

static void take_rev(struct family *m, const struct puan_node *n)
{
    (void)puan_int_parse(&m->rev, puan_node_str_opt(n, "rev", "0"));
}

static void heard(struct family *m, const struct crowd_reply *r,
                  const struct puan_node *n)
{
    if (r->status == 401 && m->stage != LEAVE && m->stage != SIGN_OUT) {
        went(m);
        m->second = true;
        m->protected_ = true;
        go(m, COME_BACK);
        return;
    }
    switch (m->stage) {
    case SIGN_IN:
    case COME_BACK:
        if (r->status == 503) {
            go(m, STAND);
        } else if (r->status == 403) {
            m->protected_ = true;
            go(m, COME_BACK);
        } else {
            signed_in(m, n);
        }
        break;
    case STAND:
        heard_queue(m, n);
        break;
    case PASSWORD_SET:
        if (r->status >= 400) { /* it was set before the line broke */
            m->protected_ = true;
            go(m, COME_BACK);
            break;
        }
        m->protected_ = true;
        signed_in(m, n);
        break;
    case LOOK:
        take_rev(m, puan_node_get(n, "draft"));
        if (!m->protected_)
            go(m, PASSWORD_SET);
        else
            go(m, m->second ? READ : FORM);
        break;
    case FORM:
    case READ:
        pause_then(m, SAVE);
        break;
    case SAVE:
        if (r->status == 412) {
            go(m, LOOK);
            break;
        }
        take_rev(m, n);
        m->saved++;
        if (m->saved == m->f->saves / 2 && !m->second &&
            m->household % 2 == 0)
            go(m, LEAVE);
        else
            pause_then(m, m->saved < m->f->saves ? SAVE : SEND);
        break;
    case LEAVE:
        m->second = true;
        pause_then(m, COME_BACK);
        break;
    case SEND:
        m->delivered = true;
        m->f->sent++;
        go(m, CLEAR);
        break;
    case CLEAR:
        go(m, LOOK_AGAIN);
        break;
    case LOOK_AGAIN:
        if (!puan_node_get(n, "return") ||
            puan_node_get(n, "return")->kind != PUAN_NODE_MAP)
            field_wrong(m->f, &m->actor, r, "household sees no return");
        go(m, SIGN_OUT);
        break;
    default: /* SIGN_OUT */
        if (m->next)
            family_begin(m->next, m->actor.crowd, m->f->pause_ms / 4);
        crowd_done(&m->actor);
        break;
    }
}

static void step(struct crowd_actor *actor, const struct crowd_reply *r)
{
    struct family *m = (struct family *)actor;
    struct puan_node *n = NULL;
    struct puan_arena a;

    if (!r || r->status == 0) { /* a pause is over, or the line broke */
        go(m, m->stage);
        return;
    }
    puan_arena_init(&a, puan_os_alloc());
    (void)!puan_json_tree(&n, r->body, "reply", &a, NULL);
    if (unexpected(m, r, n)) {
        field_wrong(m->f, actor, r, "household");
        went(m);
        if (m->next)
            family_begin(m->next, actor->crowd, 0);
        crowd_done(actor);
    } else {
        heard(m, r, n);
    }
    puan_arena_clear(&a);
}

void family_begin(struct family *m, struct crowd *c, int64_t ms)
{
    m->actor.step = step;
    m->stage = SIGN_IN;
    crowd_add(c, &m->actor, ms);
}
