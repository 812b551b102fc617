/*
 * Where the lease's key lies: a file of its own in the browser's private file
 * system, so that removing it removes it.  A database keeps what was deleted in
 * its log for a while; without this key nothing in that log can be opened.
 * Browsers without such files keep it in the database.
 */
import type { Bytes } from './bytes';
import { act, fact } from './store';

const NAME = 'lease.key';

async function folder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return 'createWritable' in FileSystemFileHandle.prototype ? await navigator.storage.getDirectory() : null;
  } catch {
    return null;
  }
}
export async function readLease(): Promise<Bytes | null> {
  const dir = await folder();
  if (!dir) return (await fact<Bytes>('lease')) ?? null;
  try {
    const bytes = new Uint8Array(await (await (await dir.getFileHandle(NAME)).getFile()).arrayBuffer());
    return bytes.length === 32 ? bytes : null;
  } catch {
    return null;
  }
}
export async function writeLease(key: Bytes): Promise<void> {
  const dir = await folder();
  if (!dir) return act((tx) => void tx.objectStore('facts').put(key, 'lease'));
  const w = await (await dir.getFileHandle(NAME, { create: true })).createWritable();
  await w.write(key);
  await w.close();
}
export async function dropLease(): Promise<void> {
  const dir = await folder();
  if (!dir) return act((tx) => void tx.objectStore('facts').delete('lease'));
  try {
    await dir.removeEntry(NAME);
  } catch {
    // it was not there
  }
}
