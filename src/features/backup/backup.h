/*
 * Backups: one consistent cut of all stores of a campaign (contract 16), and
 * back again.
 *
 *   OUT/directory.json keys/ plan/ blobs/ checkpoints/ office.db
 *       returns/<area>.db          as in the campaign directory
 *   OUT/manifest.json              every file with size and digest, the heads
 *                                  of all stores, signed
 *
 * All writers stand still while the databases are copied (a city: seconds);
 * what is sent meanwhile waits in the queue.  Derived files (token runs, heads)
 * are left out and made again.
 *
 * A backup is SQLite files whatever the engine: rows of PostgreSQL stores are
 * copied over, and can be restored into files or into PostgreSQL.  For large
 * PostgreSQL installations pgBackRest is quicker; this is the proof.
 *
 * The keys are in the backup as they are in the directory: wrapped under the
 * key-encryption key, which is not in it (a demo directory's is).
 */
#ifndef PUAN_FEATURES_BACKUP_BACKUP_H
#define PUAN_FEATURES_BACKUP_BACKUP_H

#include "base/digest.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_backup;

struct puan_backup {
    uint64_t files, bytes, entries;
    uint8_t manifest[PUAN_DIGEST_SIZE]; /* digest of manifest.json */
};

/*
 * Writes a backup into the new or empty directory `out` and enters it in the
 * ledger (when the store takes acts).
 *
 * ECONFLICT  out is not empty
 */
PUAN_MUST_USE enum puan_status puan_backup_make(struct puan_backup *b,
                                                struct puan_store *st,
                                                const char *out,
                                                const struct puan_act *act,
                                                struct puan_err *err);
/*
 * Files against the manifest, the manifest's signature, then the ledgers of
 * all stores and their heads.
 *
 * EDENIED  signature, file or ledger is not what it was
 */
PUAN_MUST_USE enum puan_status puan_backup_check(struct puan_backup *b,
                                                 const char *out,
                                                 struct puan_err *err);
/*
 * A checked backup becomes the new or empty directory `dir`; with `url` its
 * stores become schemas of that PostgreSQL database.
 *
 * ECONFLICT  dir is not empty, or the database has this campaign already
 */
PUAN_MUST_USE enum puan_status puan_backup_restore(struct puan_backup *b,
                                                   const char *out,
                                                   const char *dir,
                                                   const char *url,
                                                   struct puan_err *err);

#endif
