/*
 * A finished return, sealed to the office (contract 18): the device keeps no
 * key that opens it.  And the signatures of the device and of the office.
 *
 * Depends on: WebCrypto alone; keeps no state.
 */
import { base64, hex, join, sha256, short, u16, u32, unbase64, utf8, type Bytes } from './bytes';

export interface OfficeKey {
  id: number;
  public: string; // base64, 65 bytes
}
export interface Head {
  campaign: string;
  device: string;
  household: string;
  counter: number;
}

const EC = { name: 'ECDH', namedCurve: 'P-256' };
const SIGN = { name: 'ECDSA', namedCurve: 'P-256' };
const HOW = { name: 'ECDSA', hash: 'SHA-256' };

/** The sealed return and the digest of the document in it. */
export async function seal(head: Head, document: string, office: OfficeKey): Promise<{ bytes: Bytes; digest: string }> {
  const text = utf8(document);
  const digest = await sha256(text);
  const pair = (await crypto.subtle.generateKey(EC, false, ['deriveBits'])) as CryptoKeyPair;
  const theirs = await crypto.subtle.importKey('raw', unbase64(office.public), EC, false, []);
  const own = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, pair.privateKey, 256);
  const base = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const key = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: own, info: utf8('puan return') }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt'],
  );
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const said = utf8(`${head.campaign}|${head.device}|${head.household}|${head.counter}`);
  const body = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: said }, key, text));
  const bytes = join(
    Uint8Array.of(1), short(head.campaign), short(head.device), short(head.household), u32(head.counter), digest,
    Uint8Array.of(1, 2), u16(office.id), own, nonce, body,
  );
  return { bytes, digest: hex(digest) };
}

// ---- signatures -------------------------------------------------------------

/** A key of this device that cannot be read out of it. */
export async function newSigner(): Promise<{ pair: CryptoKeyPair; public: string }> {
  const pair = (await crypto.subtle.generateKey(SIGN, false, ['sign', 'verify'])) as CryptoKeyPair;
  return { pair, public: base64(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))) };
}
export async function sign(key: CryptoKey, text: string): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.sign(HOW, key, utf8(text))));
}
export async function signedBy(publicKey: string, text: string, signature: string): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', unbase64(publicKey), SIGN, false, ['verify']);
    return await crypto.subtle.verify(HOW, key, unbase64(signature), utf8(text));
  } catch {
    return false;
  }
}
/** What stands in the enrolment's square code for the office's keys. */
export async function fingerprint(text: string): Promise<string> {
  return hex(await sha256(utf8(text))).slice(0, 32);
}

// ---- the device's chain -------------------------------------------------------

export type Act = 'listed' | 'opened' | 'sealed' | 'sent' | 'receipt' | 'note';
export interface Link {
  n: number;
  text: string;
  hash: string;
}
export async function chainStart(campaign: string, device: string): Promise<string> {
  return hex(await sha256(utf8(`puan-chain-1|${campaign}|${device}`)));
}
export async function linkOf(before: Bytes, n: number, at: number, act: Act, household: string, counter: number, digest: string): Promise<Link> {
  const text = `${n}|${at}|${act}|${household}|${counter}|${digest}`;
  return { n, text, hash: hex(await sha256(join(before, utf8(text)))) };
}
