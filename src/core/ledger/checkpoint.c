/*
 * Checkpoints as text (ledger.h): what is signed is always built again from
 * what was read, so that spacing and order of a file do not matter and nothing
 * outside the known fields can hide in it.
 */
#include "core/ledger/ledger.h"

static void hex(struct puan_jw *w, const char *key, struct puan_arena *a,
                const void *p, size_t n)
{
    char *text = puan_arena_get(a, 2 * n + 1);

    if (text)
        puan_hex(text, p, n);
    puan_jw_ktext(w, key, text ? text : "");
}

static void fields(struct puan_jw *w, struct puan_arena *a,
                   const struct puan_checkpoint *c)
{
    puan_jw_kint(w, "puan_checkpoint", 1);
    puan_jw_kstr(w, "installation", c->installation);
    puan_jw_kint(w, "time_ms", c->time_ms);
    puan_jw_kstr(w, "digest", c->digest);
    puan_jw_key(w, "stores");
    puan_jw_list(w);
    for (size_t i = 0; i < c->n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "name", c->store[i].name);
        puan_jw_kint(w, "height", (int64_t)c->store[i].height);
        hex(w, "head", a, c->store[i].head, PUAN_DIGEST_SIZE);
        hex(w, "merkle", a, c->store[i].merkle, PUAN_DIGEST_SIZE);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

void puan_checkpoint_body(struct puan_out *o, const struct puan_checkpoint *c)
{
    struct puan_jw w;

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    fields(&w, o->arena, c);
    puan_jw_end(&w, '}');
}

void puan_checkpoint_text(struct puan_out *o, const struct puan_checkpoint *c)
{
    struct puan_jw w;

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    fields(&w, o->arena, c);
    puan_jw_kstr(&w, "alg", c->alg);
    hex(&w, "signature", o->arena, c->signature.p, c->signature.n);
    puan_jw_end(&w, '}');
    puan_out_char(o, '\n');
}

static enum puan_status get_hex(uint8_t *out, size_t n,
                                const struct puan_node *map, const char *key,
                                struct puan_err *err)
{
    struct puan_str s;
    enum puan_status st = puan_node_str(&s, map, key, err);

    if (st == PUAN_OK && !puan_unhex(out, n, s))
        st = puan_node_fail(puan_node_get(map, key), err,
                            "%zu hexadecimal digits were expected", 2 * n);
    return st;
}

enum puan_status puan_checkpoint_parse(struct puan_checkpoint *c,
                                       struct puan_str json, const char *file,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    static const char *const top[] = { "puan_checkpoint", "installation",
                                       "time_ms", "digest", "stores", "alg",
                                       "signature", NULL };
    static const char *const one[] = { "name", "height", "head", "merkle",
                                       NULL };
    struct puan_node *t = NULL;
    const struct puan_node *stores;
    struct puan_head *head;
    struct puan_str sig;
    int64_t version;
    uint8_t *raw;
    size_t i = 0;
    enum puan_status st = puan_json_tree(&t, json, file, a, err);

    memset(c, 0, sizeof(*c));
    if (st == PUAN_OK)
        st = puan_node_only(t, top, err);
    if (st == PUAN_OK)
        st = puan_node_int(&version, t, "puan_checkpoint", 1, 1, err);
    if (st == PUAN_OK)
        st = puan_node_str(&c->installation, t, "installation", err);
    if (st == PUAN_OK)
        st = puan_node_int(&c->time_ms, t, "time_ms", 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_str(&c->digest, t, "digest", err);
    if (st != PUAN_OK)
        return st;
    stores = puan_node_get(t, "stores");
    if (!stores || stores->kind != PUAN_NODE_LIST)
        return puan_node_fail(t, err, "stores: a list was expected");
    head = puan_new_n(a, stores->n, struct puan_head);
    if (!head)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(n, stores)
    {
        int64_t height = 0;

        st = puan_node_only(n, one, err);
        if (st == PUAN_OK)
            st = puan_node_str(&head[i].name, n, "name", err);
        if (st == PUAN_OK)
            st = puan_node_int(&height, n, "height", 0, INT64_MAX, err);
        if (st == PUAN_OK)
            st = get_hex(head[i].head, PUAN_DIGEST_SIZE, n, "head", err);
        if (st == PUAN_OK)
            st = get_hex(head[i].merkle, PUAN_DIGEST_SIZE, n, "merkle", err);
        if (st != PUAN_OK)
            return st;
        head[i++].height = (uint64_t)height;
    }
    c->store = head;
    c->n = i;
    c->alg = puan_node_str_opt(t, "alg", "");
    sig = puan_node_str_opt(t, "signature", "");
    raw = puan_arena_get(a, sig.n / 2 + 1);
    if (!raw)
        return puan_arena_check(a, err);
    if (!puan_unhex(raw, sig.n / 2, sig))
        return puan_node_fail(puan_node_get(t, "signature"), err,
                              "hexadecimal digits were expected");
    c->signature = (struct puan_str){ (const char *)raw, sig.n / 2 };
    return PUAN_OK;
}
