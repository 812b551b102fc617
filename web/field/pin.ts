/*
 * From the PIN to the keys: Argon2id, at least half a second on this device,
 * then HKDF.  One key opens the device's secret, another, which needs the
 * lease's key as well, opens drafts and lists.
 */
import { argon2id } from 'hash-wasm';
import { join, utf8, type Bytes } from './bytes';
import type { Box } from './store';

export interface Cost {
  salt: Bytes;
  memory: number; // KiB
  rounds: number;
}
const WANTED = 600; // ms
export const PIN_LEAST = 8;

/** Why a PIN is no good: too short, or guessed at once; '' when it will do. */
export function weak(pin: string): '' | 'short' | 'simple' {
  const c = [...pin];
  if (c.length < PIN_LEAST) return 'short';
  const step = c.map((x, i) => (i ? x.codePointAt(0)! - c[i - 1]!.codePointAt(0)! : 0)).slice(1);
  const even = step.every((d) => d === step[0]);
  return new Set(c).size < 3 || even || /^(19|20)\d{6}$/.test(pin) ? 'simple' : '';
}

async function stretch(pin: string, c: Cost): Promise<Bytes> {
  const out = await argon2id({
    password: pin.normalize('NFKC'), salt: c.salt, parallelism: 1, memorySize: c.memory, iterations: c.rounds, hashLength: 32, outputType: 'binary',
  });
  return new Uint8Array(out);
}

/** As many rounds as this device needs for more than half a second. */
export async function newCost(): Promise<Cost> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  for (const memory of [65536, 32768]) {
    try {
      await stretch('warm', { salt, memory, rounds: 1 });
      // the quickest of three: a phone that is busy now must not make guesses cheap later
      let one = Infinity;
      for (let i = 0; i < 3; i++) {
        const began = performance.now();
        await stretch('measure', { salt, memory, rounds: 2 });
        one = Math.max(1, Math.min(one, (performance.now() - began) / 2));
      }
      return { salt, memory, rounds: Math.min(60, Math.max(3, Math.ceil(WANTED / one))) };
    } catch {
      // not so much memory on this phone
    }
  }
  throw new Error('no memory for the PIN');
}

async function derive(material: Bytes, info: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(info) }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'],
  );
}

/** What a PIN gives while the app is open. */
export interface Opened {
  secret: CryptoKey;
  drafts(lease: Bytes): Promise<CryptoKey>;
}
export async function openPin(pin: string, c: Cost): Promise<Opened> {
  const material = await stretch(pin, c);
  return { secret: await derive(material, 'puan secret'), drafts: (lease) => derive(join(material, lease), 'puan draft') };
}

export async function boxUp(key: CryptoKey, what: unknown): Promise<Box> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, utf8(JSON.stringify(what))) };
}
/** What is in the box; throws when the key is another's. */
export async function unbox<T>(key: CryptoKey, box: Box): Promise<T> {
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: box.iv }, key, box.data);
  return JSON.parse(new TextDecoder().decode(plain)) as T;
}
