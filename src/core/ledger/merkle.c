/*
 * The Merkle tree of RFC 6962 over entry digests (ledger.h).  The edge holds
 * one root for each set bit of the number of leaves, at the bit's place.
 */
#include "core/ledger/ledger.h"

static void leaf_hash(uint8_t out[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *fn,
                      const uint8_t d[PUAN_DIGEST_SIZE])
{
    struct puan_str parts[] = { { "\x00", 1 },
                                { (const char *)d, PUAN_DIGEST_SIZE } };

    fn->hash(fn->ctx, out, parts, 2);
}

/* out may be l or r. */
static void node_hash(uint8_t out[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *fn,
                      const uint8_t l[PUAN_DIGEST_SIZE],
                      const uint8_t r[PUAN_DIGEST_SIZE])
{
    struct puan_str parts[] = { { "\x01", 1 },
                                { (const char *)l, PUAN_DIGEST_SIZE },
                                { (const char *)r, PUAN_DIGEST_SIZE } };

    fn->hash(fn->ctx, out, parts, 3);
}

void puan_merkle_init(struct puan_merkle *m)
{
    memset(m, 0, sizeof(*m));
}

void puan_merkle_add(struct puan_merkle *m, const struct puan_digest_fn *fn,
                     const uint8_t entry_digest[PUAN_DIGEST_SIZE])
{
    uint8_t h[PUAN_DIGEST_SIZE];
    unsigned level = 0;

    leaf_hash(h, fn, entry_digest);
    while (level < 63 && (m->n >> level & 1)) {
        node_hash(h, fn, m->node[level], h);
        level++;
    }
    memcpy(m->node[level], h, sizeof(h));
    m->n++;
}

void puan_merkle_root(uint8_t out[PUAN_DIGEST_SIZE],
                      const struct puan_merkle *m,
                      const struct puan_digest_fn *fn)
{
    bool any = false;

    for (unsigned level = 0; level < 64; level++) {
        if (!(m->n >> level & 1))
            continue;
        if (any)
            node_hash(out, fn, m->node[level], out);
        else
            memcpy(out, m->node[level], PUAN_DIGEST_SIZE);
        any = true;
    }
    if (!any)
        fn->hash(fn->ctx, out, NULL, 0);
}

void puan_merkle_encode(struct puan_out *o, const struct puan_merkle *m)
{
    puan_out_varint(o, m->n);
    for (unsigned level = 64; level-- > 0;)
        if (m->n >> level & 1)
            puan_out_bytes(o, m->node[level], PUAN_DIGEST_SIZE);
}

enum puan_status puan_merkle_decode(struct puan_merkle *m,
                                    struct puan_str bytes,
                                    struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);

    puan_merkle_init(m);
    m->n = puan_in_varint(&in);
    for (unsigned level = 64; level-- > 0 && !in.bad;) {
        struct puan_str d;

        if (!(m->n >> level & 1))
            continue;
        d = puan_in_bytes(&in, PUAN_DIGEST_SIZE);
        if (!in.bad && d.n == PUAN_DIGEST_SIZE)
            memcpy(m->node[level], d.p, PUAN_DIGEST_SIZE);
    }
    if (in.bad || in.p != in.end) {
        puan_merkle_init(m);
        return puan_fail(err, PUAN_EINVAL, "merkle", "the tree is damaged");
    }
    return PUAN_OK;
}

void puan_merkle_tree_root(uint8_t out[PUAN_DIGEST_SIZE],
                           const struct puan_digest_fn *fn,
                           const struct puan_hash *digest, uint64_t n)
{
    struct puan_merkle m;

    puan_merkle_init(&m);
    for (uint64_t i = 0; i < n; i++)
        puan_merkle_add(&m, fn, digest[i].b);
    puan_merkle_root(out, &m, fn);
}

/* Largest power of two below n, n > 1. */
static uint64_t split_at(uint64_t n)
{
    uint64_t k = 1;

    while (k < n - k)
        k *= 2;
    return k;
}

/* Proofs are built from the root down and read from the leaf up. */
static void reverse(struct puan_proof *p)
{
    for (size_t i = 0; i < p->n / 2; i++) {
        uint8_t t[PUAN_DIGEST_SIZE];

        memcpy(t, p->hash[i], sizeof(t));
        memcpy(p->hash[i], p->hash[p->n - 1 - i], sizeof(t));
        memcpy(p->hash[p->n - 1 - i], t, sizeof(t));
    }
}

void puan_merkle_inclusion(struct puan_proof *p,
                           const struct puan_digest_fn *fn,
                           const struct puan_hash *digest, uint64_t n,
                           uint64_t index)
{
    p->n = 0;
    while (n > 1) {
        uint64_t k = split_at(n);

        if (index < k) {
            puan_merkle_tree_root(p->hash[p->n++], fn, digest + k, n - k);
            n = k;
        } else {
            puan_merkle_tree_root(p->hash[p->n++], fn, digest, k);
            digest += k;
            index -= k;
            n -= k;
        }
    }
    reverse(p);
}

bool puan_merkle_inclusion_ok(const struct puan_proof *p,
                              const struct puan_digest_fn *fn,
                              const uint8_t entry_digest[PUAN_DIGEST_SIZE],
                              uint64_t index, uint64_t n,
                              const uint8_t root[PUAN_DIGEST_SIZE])
{
    uint64_t f = index, s = n - 1;
    uint8_t r[PUAN_DIGEST_SIZE];

    if (index >= n || p->n > PUAN_PROOF_MAX)
        return false;
    leaf_hash(r, fn, entry_digest);
    for (size_t i = 0; i < p->n; i++) {
        if (s == 0)
            return false;
        if ((f & 1) || f == s) {
            node_hash(r, fn, p->hash[i], r);
            while (!(f & 1) && f != 0) {
                f >>= 1;
                s >>= 1;
            }
        } else {
            node_hash(r, fn, r, p->hash[i]);
        }
        f >>= 1;
        s >>= 1;
    }
    return s == 0 && memcmp(r, root, sizeof(r)) == 0;
}

void puan_merkle_consistency(struct puan_proof *p,
                             const struct puan_digest_fn *fn,
                             const struct puan_hash *digest, uint64_t m, uint64_t n)
{
    bool whole = true; /* the old tree is the whole left part so far */

    p->n = 0;
    while (m != n) {
        uint64_t k = split_at(n);

        if (m <= k) {
            puan_merkle_tree_root(p->hash[p->n++], fn, digest + k, n - k);
            n = k;
        } else {
            puan_merkle_tree_root(p->hash[p->n++], fn, digest, k);
            digest += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole)
        puan_merkle_tree_root(p->hash[p->n++], fn, digest, n);
    reverse(p);
}

bool puan_merkle_consistency_ok(const struct puan_proof *p,
                                const struct puan_digest_fn *fn, uint64_t m,
                                uint64_t n,
                                const uint8_t old_root[PUAN_DIGEST_SIZE],
                                const uint8_t new_root[PUAN_DIGEST_SIZE])
{
    uint8_t fr[PUAN_DIGEST_SIZE], sr[PUAN_DIGEST_SIZE];
    uint64_t f = m - 1, s = n - 1;
    size_t i = 0;

    if (m == 0 || m > n || p->n > PUAN_PROOF_MAX)
        return false;
    if (m == n)
        return p->n == 0 && memcmp(old_root, new_root, sizeof(fr)) == 0;
    while (f & 1) {
        f >>= 1;
        s >>= 1;
    }
    if (f == 0) { /* m is a power of two: its root is a node of the tree */
        memcpy(fr, old_root, sizeof(fr));
    } else {
        if (p->n == 0)
            return false;
        memcpy(fr, p->hash[i++], sizeof(fr));
    }
    memcpy(sr, fr, sizeof(sr));
    for (; i < p->n; i++) {
        if (s == 0)
            return false;
        if ((f & 1) || f == s) {
            node_hash(fr, fn, p->hash[i], fr);
            node_hash(sr, fn, p->hash[i], sr);
            while (!(f & 1) && f != 0) {
                f >>= 1;
                s >>= 1;
            }
        } else {
            node_hash(sr, fn, sr, p->hash[i]);
        }
        f >>= 1;
        s >>= 1;
    }
    return s == 0 && memcmp(fr, old_root, sizeof(fr)) == 0 &&
           memcmp(sr, new_root, sizeof(sr)) == 0;
}
