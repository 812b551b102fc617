/*
 * Questions and answers on the device, and one's own questions to the helpdesk:
 * written without a network, sent with the next contact, the answer fetched
 * with a later one.  What was asked lies under PIN and lease like a draft.
 */
import { ref, shallowRef } from 'vue';
import { ApiProblem, campaign } from '@ui/api';
import type { Help, Matter, Topic } from '@ui/help';
import { now } from './clock';
import { draftKey } from './device';
import * as office from './office';
import { boxUp, unbox } from './pin';
import { act, fact, opened, setFact } from './store';

export interface Asked {
  key: string; // of the sender: the same one sent again is one
  kind: string;
  text: string;
  household?: string;
  at: number;
  receipt?: string;
  state?: { zh: string; en: string };
  ended?: boolean;
  answer?: string;
  /** Why the office did not take it. */
  refused?: string;
}

export const topics = shallowRef<Topic[]>([]);
export const matters = shallowRef<Matter[]>([]);
export const asked = ref<Asked[]>([]);

/** The key with which `asked` was read: from then on what is in memory counts. */
let readWith: CryptoKey | null = null;
let reading: Promise<void> | null = null;

async function keep(): Promise<void> {
  const key = draftKey();
  if (!key) return;
  const box = await boxUp(key, JSON.parse(JSON.stringify(asked.value)));
  await act((tx) => void tx.objectStore('sealed').put(box, 'questions'));
}

async function read(): Promise<void> {
  const had = await fact<{ topics: Topic[]; matters: Matter[] }>('help');
  topics.value = had?.topics ?? [];
  matters.value = had?.matters ?? [];
  const key = draftKey();
  const box = key ? await (await opened()).get('sealed', 'questions') : undefined;
  asked.value = box && key ? await unbox<Asked[]>(key, box) : [];
  readWith = key;
}
/** What this device has; when the page opens and in a contact, read once for each opening of the device. */
export function loadHelp(): Promise<void> {
  if (readWith && readWith === draftKey()) return Promise.resolve();
  reading ??= read().finally(() => (reading = null));
  return reading;
}

export async function ask(kind: string, text: string, household?: string): Promise<void> {
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
  asked.value = [{ key, kind, text, ...(household ? { household } : {}), at: now() }, ...asked.value];
  await keep();
}

async function send(a: Asked): Promise<void> {
  try {
    const r = await office.question({ kind: a.kind, text: a.text, ...(a.household ? { household: a.household } : {}) }, a.key);
    Object.assign(a, { receipt: r.receipt, state: { zh: r.state_zh, en: r.state_en }, refused: undefined });
  } catch (e) {
    // said by the office: it stays and says why; else it waits for the next contact
    if (!(e instanceof ApiProblem) || e.status < 400 || e.status >= 500 || e.status === 429) throw e;
    a.refused = e.code;
  }
}

async function follow(a: Asked): Promise<void> {
  const r = await office.whatBecame(a.receipt!);
  Object.assign(a, { state: { zh: r.state_zh, en: r.state_en }, ended: r.ended, answer: r.answer });
}

/** In a contact: texts of another plan, what was asked, what was answered. */
export async function takeHelp(): Promise<void> {
  if (!draftKey()) return;
  await loadHelp();
  const plan = (await campaign()).plan_digest;
  if ((await fact<{ plan: string }>('help'))?.plan !== plan) {
    const help: Help = await office.helpTexts();
    const kinds = await office.helpKinds();
    await setFact('help', { plan, topics: help.topics, matters: kinds.items });
    topics.value = help.topics;
    matters.value = kinds.items;
  }
  for (const a of asked.value) {
    if (!a.receipt && !a.refused) await send(a);
    else if (a.receipt && !a.ended) await follow(a);
    else continue;
    await keep();
  }
}
