/*
 * The keys of a campaign directory (keys.h).  Keys are in clear only in the
 * struct and, for the length of one call, on the stack; both are wiped.
 */
#include "kit/crypto/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kit/os/os.h"

#define PURPOSE 24

struct data_key {
    struct data_key *next; /* newest version first within its name */
    int64_t county;
    char purpose[PURPOSE];
    struct puan_seal_key key;
};

struct pair {
    struct pair *next;
    char purpose[PURPOSE];
    uint16_t id;
    struct puan_p256 *key;
};

struct puan_keys {
    const struct puan_suite *suite;
    char dir[3000];
    struct puan_seal_key wrap; /* from the KEK */
    uint8_t token[32], credential[32];
    struct puan_sign_key *sign;
    /* readers walk the list without a lock; it only grows, at its head */
    struct data_key *_Atomic data;
    struct pair *_Atomic pairs; /* likewise */
    pthread_mutex_t making;
};

/* Wipes text that lies in an arena of ours. */
static void wipe(struct puan_str s)
{
    union {
        const char *c;
        void *v;
    } u = { s.p };

    if (s.n)
        puan_os_wipe(u.v, s.n);
}

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;

    for (int i = 0; i < 8; i++) {
        uint8_t low = (uint8_t)(0 - (b & 1));
        uint8_t high = (uint8_t)(0 - (a >> 7));

        r = (uint8_t)(r ^ (a & low));
        a = (uint8_t)((unsigned)a << 1 ^ (high & 0x1b));
        b >>= 1;
    }
    return r;
}

static uint8_t gf_inverse(uint8_t a)
{
    uint8_t r = 1;

    for (int i = 0; i < 254; i++) /* a^254 */
        r = gf_mul(r, a);
    return r;
}

static void share_check(uint8_t check[4], uint8_t x, const uint8_t y[32])
{
    uint8_t d[PUAN_DIGEST_SIZE];
    struct puan_str parts[] = { PUAN_STR("puan share"),
                                { (const char *)&x, 1 },
                                { (const char *)y, 32 } };
    const struct puan_digest_fn *fn = puan_digest_sha256();

    fn->hash(fn->ctx, d, parts, 3);
    memcpy(check, d, 4);
}

enum puan_status puan_shares_split(struct puan_key_shares *out,
                                   const uint8_t secret[32],
                                   struct puan_err *err)
{
    uint8_t slope[32], raw[36];
    enum puan_status st = puan_os_random(slope, sizeof(slope), err);

    if (st != PUAN_OK)
        return st;
    /* a line through the secret at x = 0, one per byte, over GF(256) */
    for (uint8_t x = 1; x <= PUAN_KEY_SHARES; x++) {
        char *text = out->text[x - 1];
        size_t n;

        for (size_t i = 0; i < 32; i++)
            raw[i] = secret[i] ^ gf_mul(slope[i], x);
        share_check(raw + 32, x, raw);
        n = puan_format(text, PUAN_KEY_SHARE_TEXT, "PUAN1-%u-", (unsigned)x);
        puan_base32(text + n, raw, sizeof(raw));
    }
    puan_os_wipe(slope, sizeof(slope));
    puan_os_wipe(raw, sizeof(raw));
    return PUAN_OK;
}

static enum puan_status share_read(uint8_t *x, uint8_t y[32],
                                   struct puan_str s, struct puan_err *err)
{
    uint8_t raw[36], check[4];

    s = puan_str_trim(s);
    if (!puan_str_starts(s, "PUAN1-") || s.n < 9 || s.p[7] != '-' ||
        s.p[6] < '1' || s.p[6] > '0' + PUAN_KEY_SHARES)
        return puan_fail(err, PUAN_EINVAL, "share",
                         "a share begins with PUAN1-1-, PUAN1-2- or PUAN1-3-");
    *x = (uint8_t)(s.p[6] - '0');
    if (puan_unbase32(raw, sizeof(raw),
                      (struct puan_str){ s.p + 8, s.n - 8 }) != sizeof(raw))
        return puan_fail(err, PUAN_EINVAL, "share",
                         "share %u is mistyped: 58 letters and digits 2-7 "
                         "follow the number",
                         (unsigned)*x);
    share_check(check, *x, raw);
    if (!puan_equal_const(check, raw + 32, 4))
        return puan_fail(err, PUAN_EINVAL, "share",
                         "share %u is mistyped: its check does not fit",
                         (unsigned)*x);
    memcpy(y, raw, 32);
    puan_os_wipe(raw, sizeof(raw));
    return PUAN_OK;
}

enum puan_status puan_shares_join(uint8_t secret[32], struct puan_str a,
                                  struct puan_str b, struct puan_err *err)
{
    uint8_t xa = 0, xb = 0, ya[32], yb[32], la, lb, inv;
    enum puan_status st = share_read(&xa, ya, a, err);

    if (st == PUAN_OK)
        st = share_read(&xb, yb, b, err);
    if (st == PUAN_OK && xa == xb)
        st = puan_fail(err, PUAN_EINVAL, "share",
                       "the same share was given twice; two different ones "
                       "are needed");
    if (st == PUAN_OK) {
        inv = gf_inverse(xa ^ xb);
        la = gf_mul(xb, inv);
        lb = gf_mul(xa, inv);
        for (size_t i = 0; i < 32; i++)
            secret[i] = gf_mul(ya[i], la) ^ gf_mul(yb[i], lb);
    }
    puan_os_wipe(ya, sizeof(ya));
    puan_os_wipe(yb, sizeof(yb));
    return st;
}

static void kek_check(char hex[2 * PUAN_DIGEST_SIZE + 1],
                      const struct puan_suite *suite, const uint8_t kek[32])
{
    uint8_t d[PUAN_DIGEST_SIZE];
    struct puan_str text = PUAN_STR("puan kek check");

    suite->digest->mac(suite->digest->ctx, d,
                       (struct puan_str){ (const char *)kek, 32 }, &text, 1);
    puan_hex(hex, d, sizeof(d));
}

/* Writes `plain` sealed to keys/NAME.key. */
static enum puan_status key_write(const char *dir, const char *name,
                                  const struct puan_seal_key *wrap,
                                  struct puan_str plain, struct puan_err *err)
{
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;
    char *hex;

    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    st = puan_seal(&o, wrap, puan_str_of(name), plain, err);
    if (st != PUAN_OK)
        goto out;
    hex = puan_arena_get(&a, 2 * o.n + 2);
    if (!hex) {
        st = puan_arena_check(&a, err);
        goto out;
    }
    puan_hex(hex, (const uint8_t *)o.p, o.n);
    hex[2 * o.n] = '\n';
    st = puan_file_write(puan_arena_fmt(&a, "%s/keys/%s.key", dir, name),
                         (struct puan_str){ hex, 2 * o.n + 1 }, 0600, err);
out:
    puan_arena_clear(&a);
    return st;
}

static enum puan_status key_read(struct puan_str *plain, const char *dir,
                                 const char *name,
                                 const struct puan_seal_key *wrap,
                                 struct puan_arena *a, struct puan_err *err)
{
    const char *path = puan_arena_fmt(a, "%s/keys/%s.key", dir, name);
    struct puan_str text;
    enum puan_status st = puan_file_read(&text, path, 65536, a, err);
    uint8_t *raw;

    if (st != PUAN_OK)
        return st;
    text = puan_str_trim(text);
    raw = puan_arena_get(a, text.n / 2 + 1);
    if (!raw)
        return puan_arena_check(a, err);
    if (!puan_unhex(raw, text.n / 2, text))
        return puan_fail(err, PUAN_EINVAL, path,
                         "is damaged: hexadecimal digits were expected");
    return puan_unseal(
        plain, wrap, puan_str_of(name),
        (struct puan_str){ (const char *)raw, text.n / 2 }, a, err);
}

static enum puan_status write_hex(const char *path, const uint8_t *p, size_t n,
                                  struct puan_err *err)
{
    char hex[2 * 64 + 2];
    enum puan_status st;

    puan_hex(hex, p, n);
    hex[2 * n] = '\n';
    st = puan_file_write(path, (struct puan_str){ hex, 2 * n + 1 }, 0600,
                         err);
    puan_os_wipe(hex, sizeof(hex));
    return st;
}

enum puan_status puan_keys_create(const char *dir,
                                  const struct puan_suite *suite, bool demo,
                                  const char *kek_file,
                                  struct puan_key_shares *shares,
                                  struct puan_err *err)
{
    uint8_t kek[32], token[32], credential[32];
    struct puan_seal_key wrap = { 0 };
    struct puan_sign_key *sign = NULL;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_arena a;
    struct puan_str der;
    const char *keys;
    enum puan_status st;

    if (!demo && !kek_file && !shares)
        return puan_fail(err, PUAN_EBUG, "keys", "nobody would hold the KEK");
    puan_arena_init(&a, puan_os_alloc());
    keys = puan_arena_fmt(&a, "%s/keys", dir);
    if (puan_file_exists(keys)) {
        st = puan_fail(err, PUAN_ECONFLICT, keys, "there are keys already");
        goto out;
    }
    st = puan_dir_make(keys, err);
    if (st == PUAN_OK)
        st = puan_os_random(kek, 32, err);
    if (st == PUAN_OK)
        st = puan_os_random(token, 32, err);
    if (st == PUAN_OK)
        st = puan_os_random(credential, 32, err);
    if (st == PUAN_OK)
        st = puan_sign_generate(&sign, suite->sign, err);
    if (st != PUAN_OK)
        goto out;
    puan_seal_key_init(&wrap, suite->byte, 1, kek);

    if (shares)
        st = puan_shares_split(shares, kek, err);
    if (st == PUAN_OK && kek_file)
        st = write_hex(kek_file, kek, 32, err);
    if (st == PUAN_OK && demo)
        st = write_hex(puan_arena_fmt(&a, "%s/kek.demo", keys), kek, 32, err);
    if (st == PUAN_OK)
        st = key_write(dir, "token", &wrap,
                       (struct puan_str){ (const char *)token, 32 }, err);
    if (st == PUAN_OK)
        st = key_write(dir, "credential", &wrap,
                       (struct puan_str){ (const char *)credential, 32 }, err);
    if (st == PUAN_OK)
        st = puan_sign_private(&der, sign, &a, err);
    if (st == PUAN_OK) {
        st = key_write(dir, "sign", &wrap, der, err);
        wipe(der);
    }
    if (st == PUAN_OK)
        st = puan_sign_public(&der, sign, &a, err);
    if (st == PUAN_OK) {
        char *text = puan_arena_get(&a, 2 * der.n + 2);

        if (text) {
            puan_hex(text, (const uint8_t *)der.p, der.n);
            text[2 * der.n] = '\n';
            st = puan_file_write(puan_arena_fmt(&a, "%s/sign.pub", keys),
                                 (struct puan_str){ text, 2 * der.n + 1 },
                                 0644, err);
        } else {
            st = puan_arena_check(&a, err);
        }
    }
    /* last: with it the set is complete */
    if (st == PUAN_OK) {
        kek_check(hex, suite, kek);
        st = puan_file_write(puan_arena_fmt(&a, "%s/kek.check", keys),
                             puan_str_of(puan_arena_fmt(&a, "%s %s\n",
                                                        suite->name, hex)),
                             0644, err);
    }
out:
    puan_os_wipe(kek, sizeof(kek));
    puan_os_wipe(token, sizeof(token));
    puan_os_wipe(credential, sizeof(credential));
    puan_os_wipe(&wrap, sizeof(wrap));
    puan_sign_free(sign);
    puan_arena_clear(&a);
    return st;
}

static enum puan_status kek_file_read(uint8_t kek[32], const char *path,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_str s;
    enum puan_status st = puan_file_read(&s, path, 4096, a, err);

    if (st != PUAN_OK)
        return st;
    if (!puan_unhex(kek, 32, puan_str_trim(s)))
        return puan_fail(err, PUAN_EINVAL, path,
                         "a key file holds 64 hexadecimal digits");
    return PUAN_OK;
}

static enum puan_status kek_find(uint8_t kek[32], const char *dir,
                                 const struct puan_kek_source *src,
                                 struct puan_arena *a, struct puan_err *err)
{
    const char *demo = puan_arena_fmt(a, "%s/keys/kek.demo", dir);
    const char *env = getenv("PUAN_KEK_FILE");

    if (src && src->file)
        return kek_file_read(kek, src->file, a, err);
    if (src && src->share[0] && src->share[1])
        return puan_shares_join(kek, puan_str_of(src->share[0]),
                                puan_str_of(src->share[1]), err);
    if (puan_file_exists(demo))
        return kek_file_read(kek, demo, a, err);
    if (env && env[0])
        return kek_file_read(kek, env, a, err);
    return puan_fail(err, PUAN_ENOTFOUND, "keys",
                     "the key-encryption key is missing: give --kek-file FILE, "
                     "two shares, or set PUAN_KEK_FILE");
}

/* Moves a 32-byte key out of an arena and leaves nothing behind. */
static enum puan_status take32(uint8_t key[32], struct puan_str plain,
                               const char *name, struct puan_err *err)
{
    if (plain.n != 32)
        return puan_fail(err, PUAN_EINVAL, name, "is not a key of 32 bytes");
    memcpy(key, plain.p, 32);
    wipe(plain);
    return PUAN_OK;
}

static enum puan_status add(struct puan_keys *k, int64_t county,
                            const char *purpose, uint16_t version,
                            const uint8_t raw[32], struct data_key **out,
                            struct puan_err *err)
{
    struct data_key *d = calloc(1, sizeof(*d));

    if (!d)
        return puan_fail(err, PUAN_ENOMEM, "keys", "out of memory");
    d->county = county;
    puan_format(d->purpose, sizeof(d->purpose), "%s", purpose);
    puan_seal_key_init(&d->key, k->suite->byte, version, raw);
    d->next = k->data;
    k->data = d;
    if (out)
        *out = d;
    return PUAN_OK;
}

/* "data-370883-vault-1" into its parts. */
static bool data_name(int64_t *county, char purpose[PURPOSE],
                      int64_t *version, struct puan_str s)
{
    struct puan_str head, rest = s;

    if (!puan_str_split(&head, &rest, '-') || !puan_str_is(head, "data") ||
        !puan_str_split(&head, &rest, '-') || !puan_int_parse(county, head) ||
        !puan_str_split(&head, &rest, '-') || head.n == 0 ||
        head.n >= PURPOSE || !puan_int_parse(version, rest) || *version < 1 ||
        *version > 65535)
        return false;
    puan_format(purpose, PURPOSE, "%.*s", PUAN_FMT(head));
    return true;
}

static enum puan_status pair_add(struct puan_keys *k, const char *purpose,
                                 uint16_t id, struct puan_str pkcs8,
                                 struct pair **out, struct puan_err *err)
{
    struct pair *p = calloc(1, sizeof(*p));
    enum puan_status st;

    if (!p)
        return puan_fail(err, PUAN_ENOMEM, "keys", "out of memory");
    st = puan_p256_load(&p->key, pkcs8, err);
    if (st != PUAN_OK) {
        free(p);
        return st;
    }
    puan_format(p->purpose, sizeof(p->purpose), "%s", purpose);
    p->id = id;
    p->next = k->pairs;
    k->pairs = p;
    if (out)
        *out = p;
    return PUAN_OK;
}

/* "pair-field-1" into its parts. */
static bool pair_name(char purpose[PURPOSE], int64_t *id, struct puan_str s)
{
    struct puan_str head, rest = s;

    if (!puan_str_split(&head, &rest, '-') || !puan_str_is(head, "pair") ||
        !puan_str_split(&head, &rest, '-') || head.n == 0 ||
        head.n >= PURPOSE || !puan_int_parse(id, rest) || *id < 1 ||
        *id > 65535)
        return false;
    puan_format(purpose, PURPOSE, "%.*s", PUAN_FMT(head));
    return true;
}

static enum puan_status load_pair(struct puan_keys *k, struct puan_str name,
                                  struct puan_arena *a, struct puan_err *err)
{
    char purpose[PURPOSE];
    struct puan_str plain;
    int64_t id;
    enum puan_status st;

    if (!pair_name(purpose, &id, name))
        return PUAN_OK;
    st = key_read(&plain, k->dir, puan_arena_dup(a, name), &k->wrap, a, err);
    if (st != PUAN_OK)
        return st;
    st = pair_add(k, purpose, (uint16_t)id, plain, NULL, err);
    wipe(plain);
    return st;
}

static enum puan_status load_data(struct puan_keys *k, struct puan_arena *a,
                                  struct puan_err *err)
{
    const char **names;
    size_t n;
    enum puan_status st =
        puan_dir_list(&names, &n, puan_arena_fmt(a, "%s/keys", k->dir), a,
                      err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_str name = puan_str_of(names[i]), plain;
        char purpose[PURPOSE];
        int64_t county, version;
        uint8_t raw[32];

        if (name.n < 4 || !puan_str_is((struct puan_str){ name.p + name.n - 4,
                                                          4 },
                                       ".key"))
            continue;
        name.n -= 4;
        st = load_pair(k, name, a, err);
        if (st != PUAN_OK)
            break;
        if (!data_name(&county, purpose, &version, name))
            continue;
        st = key_read(&plain, k->dir, puan_arena_dup(a, name), &k->wrap, a,
                      err);
        if (st == PUAN_OK)
            st = take32(raw, plain, names[i], err);
        if (st == PUAN_OK)
            st = add(k, county, purpose, (uint16_t)version, raw, NULL, err);
        puan_os_wipe(raw, sizeof(raw));
    }
    return st;
}

enum puan_status puan_keys_open(struct puan_keys **out, const char *dir,
                                const struct puan_kek_source *src,
                                struct puan_err *err)
{
    struct puan_keys *k = calloc(1, sizeof(*k));
    char want[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_str text, name, plain;
    uint8_t kek[32] = { 0 };
    struct puan_arena a;
    enum puan_status st;

    *out = NULL;
    if (!k)
        return puan_fail(err, PUAN_ENOMEM, "keys", "out of memory");
    pthread_mutex_init(&k->making, NULL);
    puan_arena_init(&a, puan_os_alloc());
    /* keys stay out of swap where the system allows it; elsewhere not */
    (void)mlock(k, sizeof(*k));
    if (puan_format(k->dir, sizeof(k->dir), "%s", dir) >= sizeof(k->dir)) {
        st = puan_fail(err, PUAN_EINVAL, "keys", "the path is too long");
        goto out;
    }
    st = puan_file_read(&text, puan_arena_fmt(&a, "%s/keys/kek.check", dir),
                        4096, &a, err);
    if (st != PUAN_OK)
        goto out;
    text = puan_str_trim(text);
    if (puan_str_split(&name, &text, ' '))
        k->suite = puan_suite_by_name(puan_arena_dup(&a, name));
    if (!k->suite) {
        st = puan_fail(err, PUAN_EINVAL, "keys/kek.check",
                       "names no known suite");
        goto out;
    }
    st = kek_find(kek, dir, src, &a, err);
    if (st != PUAN_OK)
        goto out;
    kek_check(want, k->suite, kek);
    if (text.n != strlen(want) || !puan_equal_const(text.p, want, text.n)) {
        st = puan_fail(err, PUAN_EDENIED, "keys",
                       "this key-encryption key does not fit these keys");
        goto out;
    }
    puan_seal_key_init(&k->wrap, k->suite->byte, 1, kek);
    st = key_read(&plain, dir, "token", &k->wrap, &a, err);
    if (st == PUAN_OK)
        st = take32(k->token, plain, "token", err);
    if (st == PUAN_OK)
        st = key_read(&plain, dir, "credential", &k->wrap, &a, err);
    if (st == PUAN_OK)
        st = take32(k->credential, plain, "credential", err);
    if (st == PUAN_OK)
        st = key_read(&plain, dir, "sign", &k->wrap, &a, err);
    if (st == PUAN_OK) {
        st = puan_sign_load(&k->sign, plain, err);
        wipe(plain);
    }
    if (st == PUAN_OK)
        st = load_data(k, &a, err);
out:
    puan_os_wipe(kek, sizeof(kek));
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        puan_keys_close(k);
    else
        *out = k;
    return st;
}

void puan_keys_close(struct puan_keys *k)
{
    if (!k)
        return;
    while (k->data) {
        struct data_key *d = k->data;

        k->data = d->next;
        puan_os_wipe(d, sizeof(*d));
        free(d);
    }
    while (k->pairs) {
        struct pair *p = k->pairs;

        k->pairs = p->next;
        puan_p256_free(p->key);
        free(p);
    }
    puan_sign_free(k->sign);
    pthread_mutex_destroy(&k->making);
    munlock(k, sizeof(*k));
    puan_os_wipe(k, sizeof(*k));
    free(k);
}

const struct puan_suite *puan_keys_suite(const struct puan_keys *k)
{
    return k->suite;
}

const struct puan_seal_key *puan_keys_data_version(const struct puan_keys *k,
                                                   int64_t county,
                                                   const char *purpose,
                                                   uint16_t version)
{
    for (const struct data_key *d = k->data; d; d = d->next)
        if (d->county == county && d->key.version == version &&
            strcmp(d->purpose, purpose) == 0)
            return &d->key;
    return NULL;
}

const struct puan_seal_key *puan_keys_data(const struct puan_keys *k,
                                           int64_t county, const char *purpose)
{
    const struct puan_seal_key *best = NULL;

    for (const struct data_key *d = k->data; d; d = d->next)
        if (d->county == county && strcmp(d->purpose, purpose) == 0 &&
            (!best || d->key.version > best->version))
            best = &d->key;
    return best;
}

static bool purpose_ok(const char *p)
{
    size_t n = strlen(p);

    for (size_t i = 0; i < n; i++)
        if (p[i] < 'a' || p[i] > 'z')
            return false;
    return n > 0 && n < PURPOSE;
}

enum puan_status puan_keys_data_make(const struct puan_seal_key **out,
                                     struct puan_keys *k, int64_t county,
                                     const char *purpose,
                                     struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct data_key *d = NULL;
    uint8_t raw[32];
    char name[64];

    *out = NULL;
    if (!purpose_ok(purpose))
        return puan_fail(err, PUAN_EBUG, "keys",
                         "a purpose is a-z, at most %d letters", PURPOSE - 1);
    pthread_mutex_lock(&k->making);
    *out = puan_keys_data(k, county, purpose);
    if (!*out) {
        puan_format(name, sizeof(name), "data-%lld-%s-1", (long long)county,
                    purpose);
        st = puan_os_random(raw, sizeof(raw), err);
        if (st == PUAN_OK)
            st = key_write(k->dir, name, &k->wrap,
                           (struct puan_str){ (const char *)raw, 32 }, err);
        if (st == PUAN_OK)
            st = add(k, county, purpose, 1, raw, &d, err);
        if (st == PUAN_OK)
            *out = &d->key;
        puan_os_wipe(raw, sizeof(raw));
    }
    pthread_mutex_unlock(&k->making);
    return st;
}

const struct puan_p256 *puan_keys_pair(const struct puan_keys *k,
                                       const char *purpose, uint16_t id)
{
    for (const struct pair *p = k->pairs; p; p = p->next)
        if (p->id == id && strcmp(p->purpose, purpose) == 0)
            return p->key;
    return NULL;
}

static const struct pair *newest(const struct puan_keys *k, const char *purpose)
{
    const struct pair *best = NULL;

    for (const struct pair *p = k->pairs; p; p = p->next)
        if (strcmp(p->purpose, purpose) == 0 && (!best || p->id > best->id))
            best = p;
    return best;
}

static enum puan_status pair_new(struct pair **out, struct puan_keys *k,
                                 const char *purpose, struct puan_err *err)
{
    struct puan_p256 *fresh = NULL;
    struct puan_str der = { 0 };
    struct puan_arena a;
    char name[64];
    enum puan_status st = puan_p256_generate(&fresh, err);

    puan_arena_init(&a, puan_os_alloc());
    puan_format(name, sizeof(name), "pair-%s-1", purpose);
    if (st == PUAN_OK)
        st = puan_p256_private(&der, fresh, &a, err);
    if (st == PUAN_OK)
        st = key_write(k->dir, name, &k->wrap, der, err);
    if (st == PUAN_OK)
        st = pair_add(k, purpose, 1, der, out, err);
    wipe(der);
    puan_p256_free(fresh);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_keys_pair_make(const struct puan_p256 **out, uint16_t *id,
                                     struct puan_keys *k, const char *purpose,
                                     struct puan_err *err)
{
    const struct pair *p;
    struct pair *fresh = NULL;
    enum puan_status st = PUAN_OK;

    *out = NULL;
    *id = 0;
    if (!purpose_ok(purpose))
        return puan_fail(err, PUAN_EBUG, "keys",
                         "a purpose is a-z, at most %d letters", PURPOSE - 1);
    pthread_mutex_lock(&k->making);
    p = newest(k, purpose);
    if (!p) {
        st = pair_new(&fresh, k, purpose, err);
        p = fresh;
    }
    pthread_mutex_unlock(&k->making);
    if (st == PUAN_OK) {
        *out = p->key;
        *id = p->id;
    }
    return st;
}

struct puan_str puan_keys_token(const struct puan_keys *k)
{
    return (struct puan_str){ (const char *)k->token, sizeof(k->token) };
}

struct puan_str puan_keys_credential(const struct puan_keys *k)
{
    return (struct puan_str){ (const char *)k->credential,
                              sizeof(k->credential) };
}

const struct puan_sign_key *puan_keys_sign(const struct puan_keys *k)
{
    return k->sign;
}

void puan_keys_token_of(uint8_t out[16], const struct puan_keys *k,
                        struct puan_str campaign, const char *kind,
                        struct puan_str value)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    struct puan_str zero = { "", 1 };
    struct puan_str parts[] = { campaign, zero, puan_str_of(kind), zero,
                                value };

    k->suite->digest->mac(k->suite->digest->ctx, d, puan_keys_token(k), parts,
                          5);
    memcpy(out, d, 16);
}
