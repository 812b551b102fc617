/*
 * Evidence (contract 10): files sealed into blobs/ before any act names them.
 * A blob's name is the digest of its sealed form; nothing is ever changed or
 * removed here.
 */
#include "features/cases/internal.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

static const char *path_of(struct puan_store *st, const char *hex,
                           struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/blobs/%.2s/%s", puan_store_dir(st), hex, hex);
}

enum puan_status puan_blob_put(uint8_t digest[PUAN_DIGEST_SIZE],
                               struct puan_store *st, struct puan_str plain,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_seal_key *key = NULL;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_out sealed;
    enum puan_status rc;

    rc = puan_keys_data_make(&key, puan_store_keys(st), 0, "blob", err);
    if (rc != PUAN_OK)
        return rc;
    puan_out_init(&sealed, a);
    rc = puan_seal(&sealed, key,
                   puan_seal_aad(a, 0, "blob", "content", key->version,
                                 PUAN_STR("")),
                   plain, err);
    if (rc == PUAN_OK)
        rc = puan_arena_check(a, err);
    if (rc != PUAN_OK)
        return rc;
    puan_digest_one(digest, puan_store_digest(st), puan_out_view(&sealed));
    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    rc = puan_dir_make(puan_arena_fmt(a, "%s/blobs/%.2s", puan_store_dir(st),
                                      hex),
                       err);
    if (rc == PUAN_OK)
        rc = puan_file_write(path_of(st, hex, a), puan_out_view(&sealed), 0600,
                             err);
    return rc;
}

bool puan_blob_there(struct puan_store *st,
                     const uint8_t digest[PUAN_DIGEST_SIZE],
                     struct puan_arena *a)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    return puan_file_exists(path_of(st, hex, a));
}

enum puan_status puan_blob_get(struct puan_str *plain, struct puan_store *st,
                               const uint8_t digest[PUAN_DIGEST_SIZE],
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_seal_key *key = NULL;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    uint8_t is[PUAN_DIGEST_SIZE];
    struct puan_str sealed;
    enum puan_status rc;
    int version;

    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    rc = puan_file_read(&sealed, path_of(st, hex, a), PUAN_BLOB_MAX + 4096, a,
                        err);
    if (rc != PUAN_OK)
        return rc;
    puan_digest_one(is, puan_store_digest(st), sealed);
    if (memcmp(is, digest, sizeof is) != 0)
        return puan_fail(err, PUAN_EIO, "blobs",
                         "%s has been changed; take it from a backup", hex);
    version = puan_sealed_version(sealed);
    if (version >= 0)
        key = puan_keys_data_version(puan_store_keys(st), 0, "blob",
                                     (uint16_t)version);
    if (key == NULL)
        return puan_fail(err, PUAN_EIO, "blobs",
                         "the key of %s is missing from keys/", hex);
    return puan_unseal(plain, key,
                       puan_seal_aad(a, 0, "blob", "content", key->version,
                                     PUAN_STR("")),
                       sealed, a, err);
}
