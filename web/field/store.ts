/*
 * What is on this device, in IndexedDB.  `sealed` holds nothing that can be
 * read without PIN and lease; `outbox` nothing that can be read here at all;
 * the rest names devices, households by number, acts and digests.
 *
 *   facts     by name     about this device: keys, lease, counters, plan texts
 *   sealed    by name     "list", "state/HOUSEHOLD", "draft/HOUSEHOLD",
 *                         "roll/HOUSEHOLD": a row of the roll in draft
 *   outbox    by key      sealed returns until their receipt is verified
 *   receipts  by key      what the office signed
 *   chain     by number   links of this device's chain
 */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import type { Link } from './seal';

export interface Box {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}
export interface Outgoing {
  key: string; // device|household|counter
  device: string;
  household: string;
  counter: number;
  digest: string;
  bytes: Uint8Array<ArrayBuffer>;
  at: number; // sealed, ms
  persons: number;
  /** The office's id of a transfer that began. */
  upload?: string;
  have: number;
  /** "listing": a row of the roll; else a return. */
  form?: string;
  /** Why the office did not take it; stays here. */
  refused?: string;
}
export interface Kept {
  key: string;
  device: string;
  household: string;
  counter: number;
  digest: string;
  outcome: string;
  store: string;
  seq: number;
  at: number;
  text: string;
  signature: string;
  findings: number;
  persons: number;
  bytes: number;
  form?: string;
}
interface Schema extends DBSchema {
  facts: { key: string; value: unknown };
  sealed: { key: string; value: Box };
  outbox: { key: string; value: Outgoing };
  receipts: { key: string; value: Kept };
  chain: { key: number; value: Link };
}
export type StoreName = 'facts' | 'sealed' | 'outbox' | 'receipts' | 'chain';
export type Act = IDBPTransaction<Schema, StoreName[], 'readwrite'>;

const ALL: StoreName[] = ['facts', 'sealed', 'outbox', 'receipts', 'chain'];
let db: Promise<IDBPDatabase<Schema>> | null = null;

export function opened(): Promise<IDBPDatabase<Schema>> {
  db ??= openDB<Schema>('puan-field', 1, {
    upgrade(d) {
      d.createObjectStore('facts');
      d.createObjectStore('sealed');
      d.createObjectStore('outbox', { keyPath: 'key' });
      d.createObjectStore('receipts', { keyPath: 'key' });
      d.createObjectStore('chain', { keyPath: 'n' });
    },
  });
  return db;
}

export async function fact<T>(name: string): Promise<T | undefined> {
  return (await (await opened()).get('facts', name)) as T | undefined;
}

/** The same transaction; a request that fails is told by the whole of it alone. */
function whole(tx: Act): Act {
  const objectStore = (name: StoreName) =>
    new Proxy(tx.objectStore(name), {
      get(store, key) {
        const f = store[key as keyof typeof store] as unknown;
        if (typeof f !== 'function') return f;
        return (...given: unknown[]) => {
          const p = (f as (...x: unknown[]) => unknown).apply(store, given);
          if (p instanceof Promise) p.catch(() => undefined);
          return p;
        };
      },
    });
  return { objectStore } as unknown as Act;
}
/** All of it or none, on the disk when this returns. */
export async function act(fn: (tx: Act) => void): Promise<void> {
  const tx = (await opened()).transaction(ALL, 'readwrite', { durability: 'strict' });
  fn(whole(tx));
  await tx.done;
}
export async function setFact(name: string, value: unknown): Promise<void> {
  await act((tx) => void tx.objectStore('facts').put(value, name));
}
