/*
 * Passwords, one-time codes, machine-made secrets and the alphabets they are
 * written in (crypto.h).
 */
#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

enum { MEMORY_KIB = 19456, PASSES = 2, SALT = 16, HASH = 32 };
/* Log-ins that may hold their 19 MiB at one time. */
enum { AT_ONCE = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int running;

static void enter(void)
{
    pthread_mutex_lock(&lock);
    while (running >= AT_ONCE)
        pthread_cond_wait(&freed, &lock);
    running++;
    pthread_mutex_unlock(&lock);
}

static void leave(void)
{
    pthread_mutex_lock(&lock);
    running--;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&lock);
}

enum puan_status puan_password_hash(char out[PUAN_PASSWORD_MAX],
                                    struct puan_str password,
                                    struct puan_err *err)
{
    uint8_t salt[SALT];
    enum puan_status st = puan_os_random(salt, sizeof(salt), err);
    int rc;

    if (st != PUAN_OK)
        return st;
    if (password.n > 1024)
        return puan_fail(err, PUAN_ELIMIT, "password",
                         "at most 1024 bytes are taken");
    enter();
    rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, 1, password.p, password.n,
                               salt, sizeof(salt), HASH, out,
                               PUAN_PASSWORD_MAX);
    leave();
    if (rc != ARGON2_OK)
        return puan_fail(err, PUAN_ENOMEM, "password", "%s",
                         argon2_error_message(rc));
    return PUAN_OK;
}

enum puan_status puan_password_check(const char *encoded,
                                     struct puan_str password,
                                     struct puan_err *err)
{
    int rc;

    if (password.n > 1024)
        return puan_fail(err, PUAN_EDENIED, "password", "wrong password");
    enter();
    rc = argon2id_verify(encoded, password.p, password.n);
    leave();
    if (rc == ARGON2_OK)
        return PUAN_OK;
    if (rc == ARGON2_MEMORY_ALLOCATION_ERROR)
        return puan_fail(err, PUAN_ENOMEM, "password", "out of memory");
    return puan_fail(err, PUAN_EDENIED, "password", "wrong password");
}

size_t puan_base32_size(size_t n)
{
    return (n * 8 + 4) / 5;
}

static const char alphabet32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void puan_base32(char *out, const uint8_t *p, size_t n)
{
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        have += 8;
        while (have >= 5) {
            have -= 5;
            *out++ = alphabet32[bits >> have & 31];
        }
    }
    if (have)
        *out++ = alphabet32[bits << (5 - have) & 31];
    *out = '\0';
}

int puan_unbase32(uint8_t *out, size_t cap, struct puan_str s)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        uint32_t v;

        if (c == ' ' || c == '-' || c == '=')
            continue;
        if (c >= 'A' && c <= 'Z')
            v = (uint32_t)(c - 'A');
        else if (c >= 'a' && c <= 'z')
            v = (uint32_t)(c - 'a');
        else if (c >= '2' && c <= '7')
            v = (uint32_t)(c - '2') + 26;
        else
            return -1;
        bits = (bits << 5 | v) & 0xffff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            if (n == cap)
                return -1;
            out[n++] = (uint8_t)(bits >> have & 0xff);
        }
    }
    /* what is left over must be zeros: one text for one value */
    if (have >= 5 || (bits & ((1u << have) - 1)) != 0)
        return -1;
    return (int)n;
}

void puan_base64(char *out, const uint8_t *p, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;

        if (i + 1 < n)
            v |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < n)
            v |= p[i + 2];
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? alphabet[v & 63] : '=';
    }
    *out = '\0';
}

static int value64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int puan_unbase64(uint8_t *out, size_t cap, struct puan_str s)
{
    size_t n = 0;

    if (s.n % 4 != 0)
        return -1;
    for (size_t i = 0; i < s.n; i += 4) {
        size_t pad = 0;
        uint32_t v = 0;

        if (i + 4 == s.n)
            pad = s.p[i + 3] != '=' ? 0 : s.p[i + 2] != '=' ? 1 : 2;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : value64(s.p[i + k]);

            if (d < 0)
                return -1;
            v = v << 6 | (uint32_t)d;
        }
        if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
            return -1;
        if (n + 3 - pad > cap)
            return -1;
        out[n++] = (uint8_t)(v >> 16);
        if (pad < 2)
            out[n++] = (uint8_t)(v >> 8 & 0xff);
        if (pad < 1)
            out[n++] = (uint8_t)(v & 0xff);
    }
    return (int)n;
}

uint32_t puan_totp(struct puan_str secret, int64_t unix_s, unsigned digits)
{
    uint64_t step = (uint64_t)(unix_s / 30);
    uint8_t msg[8], mac[20];
    unsigned n = 0, at;
    uint32_t v, mod = digits == 8 ? 100000000 : 1000000;

    for (int i = 7; i >= 0; i--) {
        msg[i] = (uint8_t)(step & 0xff);
        step >>= 8;
    }
    if (!HMAC(EVP_sha1(), secret.p, (int)secret.n, msg, sizeof(msg), mac, &n))
        return mod; /* no code has this value: nothing matches */
    at = mac[19] & 15;
    v = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
        (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    return v % mod;
}

bool puan_totp_check(int64_t *last_step, struct puan_str secret,
                     struct puan_str code, int64_t unix_s)
{
    int64_t now = unix_s / 30, found = -1;

    if (code.n != 6)
        return false;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        char want[12];

        puan_format(want, sizeof(want), "%06u",
                    (unsigned)puan_totp(secret, step * 30, 6));
        if (puan_equal_const(want, code.p, 6) && step > *last_step)
            found = step;
    }
    if (found < 0)
        return false;
    *last_step = found;
    return true;
}

enum puan_status puan_secret_make(char *out, size_t cap, unsigned bits,
                                  struct puan_err *err)
{
    uint8_t raw[64];
    enum puan_status st;
    size_t chars = bits / 5;

    if (bits == 0 || bits % 5 || chars + 1 > cap || chars > sizeof(raw))
        return puan_fail(err, PUAN_EBUG, "secret", "a wrong size was asked");
    st = puan_os_random(raw, chars, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < chars; i++)
        out[i] = alphabet32[raw[i] & 31];
    out[chars] = '\0';
    puan_os_wipe(raw, sizeof(raw));
    return PUAN_OK;
}
