/*
 * This device: enrolled once, opened by PIN, under a lease, wiped when the
 * lease ends or the office takes it back.  Sealed returns, chain and signing
 * key outlive a wipe; drafts, lists and the lease's key do not.
 */
import { computed, ref, shallowRef } from 'vue';
import { campaign as askCampaign } from '@ui/api';
import { hex, unbase64, unhex } from './bytes';
import { keepTime, now, officeTime, wakeClock } from './clock';
import { dropLease, readLease, writeLease } from './lease';
import * as office from './office';
import { boxUp, newCost, openPin, unbox, type Cost, type Opened } from './pin';
import { chainStart, fingerprint, linkOf, newSigner, sign, type Act as ChainAct, type Link, type OfficeKey } from './seal';
import { act, fact, opened, setFact, type Act, type Box } from './store';

export interface Device {
  device: string;
  campaign: string; // id of the directory, 16 hexadecimal digits
  plan: string; // name of the campaign
  account: string;
  role: string;
  area: string;
  name: string;
  key: OfficeKey;
  receipt: OfficeKey;
  fingerprint: string;
  cost: Cost;
  secret: Box;
  pair: CryptoKeyPair;
  lease: number; // until, office time
  counter: number;
  known: number; // links the office has
  n: number; // links there are
  head: string;
  contact: number; // last, office time; 0 never
}
/** What a wipe has still to tell the office. */
export interface WipeNote {
  order: string;
  at: number;
  head: string;
  signature: string;
}
/** none: not enrolled · locked · open · bare: open, but lists and drafts are gone until the office has been asked. */
export type Stage = 'loading' | 'none' | 'locked' | 'open' | 'bare';

export const stage = ref<Stage>('loading');
export const device = shallowRef<Device | null>(null);
export const revoked = ref(false);
/** Ticks, for what is said of the lease. */
export const clockNow = ref(0);
export const leaseLeft = computed(() => (device.value ? device.value.lease - clockNow.value : 0));

let pin: Opened | null = null;
let drafts: CryptoKey | null = null;
export const draftKey = (): CryptoKey | null => drafts;

export class FieldProblem extends Error {
  code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

// ---- one act at a time -------------------------------------------------------

let queue: Promise<unknown> = Promise.resolve();
/** Acts that read and then write the device's record wait for each other. */
export function serial<T>(fn: () => Promise<T>): Promise<T> {
  const mine = queue.then(fn, fn);
  queue = mine.catch(() => undefined);
  return mine;
}

/** Writes the record and whatever else belongs to the same act. */
export async function record(d: Device, more: (tx: Act) => void = () => undefined): Promise<void> {
  await act((tx) => {
    void tx.objectStore('facts').put(d, 'device');
    more(tx);
  });
  device.value = d;
}

export interface Said {
  act: ChainAct;
  household: string;
  counter?: number;
  digest?: string;
}
/** Links for these acts behind the last one: to be written in the act itself. */
async function linksFor(d: Device, said: Said[]): Promise<Link[]> {
  const out: Link[] = [];
  let head = d.head;
  for (const s of said) {
    const l = await linkOf(unhex(head), d.n + out.length + 1, Math.floor(now()), s.act, s.household, s.counter ?? 0, s.digest ?? '');
    out.push(l);
    head = l.hash;
  }
  return out;
}
/** Appends to the chain; `change` and `more` belong to the same act. */
export function append(said: Said[], change: Partial<Device> = {}, more: (tx: Act) => void = () => undefined): Promise<void> {
  return serial(async () => {
    const d = device.value!;
    const links = await linksFor(d, said);
    const last = links[links.length - 1];
    await record({ ...d, ...change, n: last?.n ?? d.n, head: last?.hash ?? d.head }, (tx) => {
      for (const l of links) void tx.objectStore('chain').put(l);
      more(tx);
    });
  });
}

// ---- starting -----------------------------------------------------------------

export async function wake(): Promise<void> {
  await wakeClock();
  clockNow.value = now();
  const d = (await fact<Device>('device')) ?? null;
  device.value = d;
  if (d && d.lease <= now()) await wipe('0');
  revoked.value = (await fact<boolean>('revoked')) ?? false;
  stage.value = d ? 'locked' : 'none';
}
setInterval(() => {
  clockNow.value = now();
  void keepTime().catch(() => undefined); // a full phone: the next one will do
  if (device.value && device.value.lease <= clockNow.value && drafts) void wipe('0').then(() => (stage.value = 'bare'));
}, 20000);

/** Lists, drafts and the lease's key go; what was sealed, the chain and the signing key stay. */
export async function wipe(order: string): Promise<void> {
  const d = device.value!;
  drafts = null;
  const had = (await readLease()) !== null || (await (await opened()).count('sealed')) > 0;
  await dropLease();
  if (!had && order === '0') return;
  const at = Math.floor(now());
  const text = `puan-wipe-1|${d.campaign}|${d.device}|${order}|${at}|${d.head}`;
  const note: WipeNote = { order, at, head: d.head, signature: await sign(d.pair.privateKey, text) };
  await act((tx) => {
    void tx.objectStore('sealed').clear();
    void tx.objectStore('facts').put(note, 'wipe');
    if (order !== '0') void tx.objectStore('facts').put(true, 'revoked');
  });
  if (order !== '0') revoked.value = true;
}

// ---- enrolment -------------------------------------------------------------------

export interface Ticket {
  campaign: string;
  code: string;
  fingerprint: string;
}
/** The ticket in the address the app was opened with; it does not stay there. */
export const brought = location.hash.startsWith('#PUAN1') ? location.hash.slice(1) : '';
/** PUAN1|host|campaign|code|fingerprint, as the square code says it. */
export function readTicket(text: string): Ticket | null {
  const m = /PUAN1\|([^|]*)\|([0-9a-f]{16})\|([A-Z2-7]{20})\|([0-9a-f]{32})\s*$/.exec(decodeURIComponent(text.trim()));
  return m ? { campaign: m[2]!, code: m[3]!, fingerprint: m[4]! } : null;
}

export async function enrol(ticket: Ticket, name: string, code: string): Promise<void> {
  const keys = await office.officeKeys();
  if (keys.campaign !== ticket.campaign) throw new FieldProblem('other-campaign');
  const want = `puan-field-key-1|${keys.campaign}|${keys.key.id}|${keys.key.public}|${keys.receipt.id}|${keys.receipt.public}`;
  if (keys.text !== want || (await fingerprint(keys.text)) !== ticket.fingerprint) throw new FieldProblem('other-key');
  const about = await askCampaign();
  const cost = await newCost();
  const p = await openPin(code, cost);
  const signer = await newSigner();
  const e = await office.enrol(ticket.code, name, signer.public);
  const d: Device = {
    device: e.device, campaign: ticket.campaign, plan: about.campaign, account: e.account, role: e.role, area: String(e.area), name,
    key: keys.key, receipt: keys.receipt, fingerprint: ticket.fingerprint, cost, secret: await boxUp(p.secret, e.secret), pair: signer.pair,
    lease: e.lease_until, counter: 0, known: 0, n: 0, head: await chainStart(ticket.campaign, e.device), contact: 0,
  };
  await record(d);
  await officeTime(e.server_time, Date.parse(about.now));
  clockNow.value = now();
  pin = p;
  stage.value = 'bare';
}

// ---- opening -----------------------------------------------------------------------

export async function unlock(code: string): Promise<void> {
  const d = device.value!;
  const p = await openPin(code, d.cost);
  try {
    await unbox(p.secret, d.secret);
  } catch {
    throw new FieldProblem('pin');
  }
  pin = p;
  const lease = d.lease > now() ? await readLease() : null;
  drafts = lease ? await p.drafts(lease) : null;
  stage.value = drafts ? 'open' : 'bare';
}
export function lock(): void {
  pin = null;
  drafts = null;
  office.forgetSession();
  stage.value = 'locked';
}
export async function secret(): Promise<string> {
  if (!pin) throw new FieldProblem('locked');
  return unbox<string>(pin.secret, device.value!.secret);
}

/** The office has renewed the lease. */
export async function renewed(r: { lease_until: number; lease_key: string; server_time: number }, campaign?: number): Promise<void> {
  await officeTime(r.server_time, campaign);
  clockNow.value = now();
  const bytes = /^[0-9a-f]{64}$/.test(r.lease_key) ? unhex(r.lease_key) : unbase64(r.lease_key);
  const old = await readLease();
  if (!old || hex(old) !== hex(bytes)) await writeLease(bytes);
  await serial(() => record({ ...device.value!, lease: r.lease_until, contact: now() }));
  if (!drafts && pin) drafts = await pin.drafts(bytes);
  if (drafts && stage.value === 'bare') stage.value = 'open';
}
export async function wipeTold(): Promise<void> {
  await act((tx) => void tx.objectStore('facts').delete('wipe'));
}
export const wipeNote = (): Promise<WipeNote | undefined> => fact<WipeNote>('wipe');
export { setFact };
