/*
 * Keeps the draft: every change at once on this phone, sealed with a key only
 * a session of this household is given; every little while on the server, so
 * that another phone can go on.
 *
 * The phone's copy is one record of IndexedDB, replaced as a whole; while one
 * is being written the next waits, and nothing else does.
 */
import { openDB, type IDBPDatabase } from 'idb';
import { ref, toRaw, watch } from 'vue';
import { ApiProblem, get, put } from '@ui/api';
import { changes, draft, household, type Draft } from '../form/model';

/** What stands below the form: kept here, and with the office since. */
export const keptHere = ref(0); // count of the change that is safe on this phone
export const keptThere = ref<string | null>(null); // campaign time of the server's copy
/** Another phone saved later than this one knew. */
export const elsewhere = ref<{ draft: Draft; rev: number } | null>(null);

/** Told when the server has answered: the session lives on. */
let seen: () => void = () => undefined;
export function onSeen(fn: () => void): void {
  seen = fn;
}

const SYNC_QUIET = 4000;
const SYNC_LATEST = 20000;

let db: Promise<IDBPDatabase> | null = null;
let key: CryptoKey | null = null;
let place = '';
let running = false;
let writing = false;
let again = false;

function open(): Promise<IDBPDatabase> {
  db ??= openDB('puan-household', 1, { upgrade: (d) => void d.createObjectStore('drafts') });
  return db;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** The key of this session; without a secure origin the copy lies open. */
export async function openKey(hex: string): Promise<void> {
  const raw = bytesOf(hex);
  key = null;
  place = '';
  if (!crypto.subtle) {
    place = `open-${hex.slice(0, 16)}`;
    return;
  }
  key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const name = new Uint8Array(await crypto.subtle.digest('SHA-256', raw));
  place = [...name.slice(0, 12)].map((b) => b.toString(16).padStart(2, '0')).join('');
}

// ---- on this phone ------------------------------------------------------------

async function write(): Promise<void> {
  const n = changes.value;
  const text = JSON.stringify(toRaw(draft));
  let record: unknown = text;
  if (key) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    record = { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text)) };
  }
  if (!running) return;
  await (await open()).put('drafts', record, place);
  keptHere.value = n;
}

async function kick(): Promise<void> {
  if (!running || !place) return;
  if (writing) {
    again = true;
    return;
  }
  writing = true;
  try {
    do {
      again = false;
      await write();
    } while (again);
  } finally {
    writing = false;
  }
}

/** The draft left on this phone, if this key opens it. */
export async function readHere(): Promise<Draft | null> {
  const record = (await (await open()).get('drafts', place)) as string | { iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer } | undefined;
  if (!record) return null;
  try {
    if (typeof record === 'string') return JSON.parse(record) as Draft;
    if (!key) return null;
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, key, record.data);
    return JSON.parse(new TextDecoder().decode(plain)) as Draft;
  } catch {
    return null; // of another key
  }
}

// ---- on the server --------------------------------------------------------------

let timer: ReturnType<typeof setTimeout> | undefined;
let oldest = 0;

function later(): void {
  oldest ||= Date.now();
  clearTimeout(timer);
  timer = setTimeout(() => void sync(), Math.max(0, Math.min(SYNC_QUIET, oldest + SYNC_LATEST - Date.now())));
}

/** Sends the draft, unless the server has a later one. */
export async function sync(): Promise<void> {
  if (!running || !draft.dirty || elsewhere.value) return;
  clearTimeout(timer);
  oldest = 0;
  const n = changes.value;
  try {
    const r = await put<{ rev: number; at: string }>(`/me/draft?household=${household.value}`, { ...toRaw(draft), dirty: false }, { 'If-Match': `"${draft.rev}"` });
    if (!running) return;
    draft.rev = r.rev;
    keptThere.value = r.at;
    seen();
    if (changes.value === n) draft.dirty = false;
    void kick();
  } catch (e) {
    if (e instanceof ApiProblem && e.status === 412) await lookThere();
    else if (e instanceof ApiProblem && e.status !== 401) timer = setTimeout(() => void sync(), SYNC_LATEST);
  }
}

async function lookThere(): Promise<void> {
  const there = await readThere();
  if (!there) {
    draft.rev = 0;
    later();
  } else {
    elsewhere.value = { draft: there, rev: there.rev };
  }
}

/** The server's copy, with the revision it has there. */
export async function readThere(): Promise<Draft | null> {
  try {
    const d = await get<Draft>('/me/draft', { household: household.value });
    const me = await get<{ draft: { rev: number } | null }>('/me');
    return { ...d, rev: me.draft?.rev ?? d.rev + 1, dirty: false };
  } catch (e) {
    if (e instanceof ApiProblem && e.status === 404) return null;
    throw e;
  }
}

// ---- from when to when ------------------------------------------------------------

watch(changes, () => {
  if (!running) return;
  void kick();
  later();
});

export function start(): void {
  running = true;
  void kick();
}
/** Stops keeping; what is kept stays. */
export function stop(): void {
  running = false;
  clearTimeout(timer);
  elsewhere.value = null;
}
/** After delivery: nothing of it stays on the phone. */
export async function forgetHere(): Promise<void> {
  stop();
  await (await open()).delete('drafts', place);
  keptThere.value = null;
}
// a page that is put away says what it has
addEventListener('pagehide', () => void sync());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) void sync();
});
