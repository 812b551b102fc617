/*
 * The bytes of a frame file, for those who write and read them.
 *
 *   0   "PUANFRM" and the version, 1 byte
 *   8   u64 size of the file, u64 where the codebook begins, u64 its bytes
 *   32  digest
 *       columns, each at a multiple of PUAN_FRAME_ALIGN, and the codebook
 *
 * Codebook (LEB128 numbers, zigzag where signed; a text is its length and its
 * bytes):
 *
 *   source form
 *   lists   n, then of each: name, n codes, then of each: value text zh en
 *   entities n, then of each:
 *     name zh en, parent + 1, rows, offset of first (0 none), n key, key …
 *     items n, then of each:
 *       name zh en type places digits list + 1 width flags(1 sorted, 2 token)
 *       base stop, states n, then of each: state reason
 *       least most given, offset of the column
 *
 * Lives inside core/frame.
 */
#ifndef PUAN_CORE_FRAME_INTERNAL_H
#define PUAN_CORE_FRAME_INTERNAL_H

#include "base/out.h"
#include "core/frame/frame.h"

#define PUAN_FRAME_MAGIC "PUANFRM\1"
#define PUAN_FRAME_SORTED 1u
#define PUAN_FRAME_TOKEN 2u

/*
 * What both writer and reader hold an entity to, columns and offsets apart.
 * `e` is its index; entities before it are already known to be right.
 */
PUAN_MUST_USE enum puan_status puan_frame_sound(const struct puan_frame *f,
                                                size_t e,
                                                struct puan_err *err);

#endif
