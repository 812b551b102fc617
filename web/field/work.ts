/*
 * The enumerator's own households: what the office listed, what was done at
 * each on this device, and the one act that comes next.
 */
import { computed, ref, shallowRef } from 'vue';
import { campaignNow } from '@ui/now';
import { begin, draft, household, isoNow, manner, toSend, wipe as forgetAnswers } from '../form/model';
import { openForm, type PlanForm } from '../form/core';
import { placesOf } from '../form/places';
import { append, device, draftKey, type Said } from './device';
import { nameOfDraft, readDraft, startKeeping, stopKeeping } from './drafts';
import { now } from './clock';
import { ApiProblem, type Campaign } from '@ui/api';
import type { Dossier, Listed } from './office';
import { boxUp, unbox } from './pin';
import { seal } from './seal';
import { act, fact, opened, setFact, type Kept, type Outgoing } from './store';

manner.mode = 'enumerator';
manner.words = 'fd';

export type Result = 'nobody' | 'later' | 'refused' | 'empty' | 'moved';
export const RESULTS: Result[] = ['nobody', 'later', 'refused', 'empty', 'moved'];
export interface Visit {
  at: string; // campaign time
  result: Result;
  when?: string; // what was agreed
}
/** What this device knows of a household beside the office's list. */
export interface Note {
  visits: Visit[];
  began?: string;
  left?: number; // items a draft still wants
}
/**
 * new · visited: nobody met yet · appointed · drafting · sealed: waits to be
 * sent · delivered · waiting: at the office, set aside · refused: stays here ·
 * queried: came back · self: the household fills in itself · done: the office
 * has a return of another.
 */
export type State = 'new' | 'visited' | 'appointed' | 'drafting' | 'sealed' | 'delivered' | 'waiting' | 'refused' | 'queried' | 'self' | 'done';

export const dossier = shallowRef<Dossier | null>(null);
export const notes = ref<Record<string, Note>>({});
export const drafted = ref<Set<string>>(new Set());
/** Households whose row of the roll is in draft. */
export const rolling = ref<Set<string>>(new Set());
export const outbox = shallowRef<Outgoing[]>([]);
export const receipts = shallowRef<Kept[]>([]);

/** Reads what lies outside and inside the seal, as far as it can be opened. */
export async function loadWork(): Promise<void> {
  const db = await opened();
  outbox.value = await db.getAll('outbox');
  receipts.value = await db.getAll('receipts');
  offered.value = (await fact<Offered[]>('forms')) ?? [];
  const key = draftKey();
  dossier.value = null;
  notes.value = {};
  drafted.value = new Set();
  rolling.value = new Set();
  if (!key) return;
  const found: Record<string, Note> = {};
  for (const name of await db.getAllKeys('sealed')) {
    const [kind, h] = name.split('/') as [string, string | undefined];
    if (kind === 'draft') drafted.value.add(h!);
    if (kind === 'roll') rolling.value.add(h!);
    if (kind !== 'list' && kind !== 'state') continue;
    const box = await db.get('sealed', name);
    if (!box) continue;
    if (kind === 'list') dossier.value = await unbox<Dossier>(key, box);
    else found[h!] = await unbox<Note>(key, box);
  }
  notes.value = found;
}

export async function takeDossier(told: Dossier): Promise<void> {
  const key = draftKey();
  if (!key) return;
  // what was listed here and has not reached the office yet stays as it is here
  const mine = new Set(outbox.value.filter((o) => o.form === 'listing').map((o) => o.household));
  const own = (dossier.value?.households ?? []).filter((l) => mine.has(l.household));
  const d = { ...told, households: [...told.households.filter((l) => !own.some((o) => o.household === l.household)), ...own] };
  const first = new Set((dossier.value?.households ?? []).map((h) => h.household));
  const fresh = d.households.filter((h) => !first.has(h.household));
  const box = await boxUp(key, d);
  const said: Said[] = fresh.map((h) => ({ act: 'listed', household: h.household }));
  if (said.length) await append(said, {}, (tx) => void tx.objectStore('sealed').put(box, 'list'));
  else await act((tx) => void tx.objectStore('sealed').put(box, 'list'));
  dossier.value = d;
}

// ---- states -------------------------------------------------------------------

/** Receipts of returns, of rows of the roll. */
export const returned = computed(() => receipts.value.filter((r) => r.form !== 'listing'));
export const rolled = computed(() => receipts.value.filter((r) => r.form === 'listing'));
export const latest = (h: string): Kept | undefined =>
  returned.value.filter((r) => r.household === h).reduce<Kept | undefined>((a, b) => (!a || b.counter > a.counter ? b : a), undefined);
export const waitingFor = (h: string): Outgoing | undefined => outbox.value.find((o) => o.household === h && o.form !== 'listing');

export function stateOf(l: Listed): State {
  const h = l.household;
  const out = waitingFor(h);
  if (drafted.value.has(h)) return 'drafting';
  if (out) return out.refused ? 'refused' : 'sealed';
  if (l.queries.length) return 'queried';
  const r = latest(h);
  if (r) return r.outcome === 'ledger' ? 'delivered' : 'waiting';
  if (l.version) return 'done';
  const visits = notes.value[h]?.visits ?? [];
  const last = visits[visits.length - 1];
  if (last) return last.result === 'later' ? 'appointed' : 'visited';
  return l.mode === 'self' && !l.handed ? 'self' : 'new';
}
export interface Line {
  listed: Listed;
  state: State;
}
const ORDER: State[] = ['queried', 'drafting', 'refused', 'appointed', 'new', 'visited', 'self', 'sealed', 'waiting', 'delivered', 'done'];
/** All households, those to be visited first. */
export const lines = computed<Line[]>(() =>
  (dossier.value?.households ?? [])
    .map((listed) => ({ listed, state: stateOf(listed) }))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.listed.household < b.listed.household ? -1 : 1)),
);
export const open = (s: State): boolean => !['sealed', 'waiting', 'delivered', 'done'].includes(s);
export const nextLine = computed(() => lines.value.find((l) => open(l.state) && l.state !== 'self'));
export const listedOf = (h: string): Listed | undefined => dossier.value?.households.find((x) => x.household === h);

// ---- acts ------------------------------------------------------------------------

async function keepNote(h: string, n: Note, said: Said[]): Promise<void> {
  const key = draftKey();
  if (!key) return;
  const box = await boxUp(key, n);
  await append(said, {}, (tx) => void tx.objectStore('sealed').put(box, `state/${h}`));
  notes.value = { ...notes.value, [h]: n };
}
export async function visited(h: string, result: Result, when = ''): Promise<void> {
  const n = notes.value[h] ?? { visits: [] };
  const visit: Visit = { at: campaignIso(), result, ...(when ? { when } : {}) };
  await keepNote(h, { ...n, visits: [...n.visits, visit] }, [{ act: 'note', household: h }]);
}

/** Campaign time in the plan's offset, also before a form is open. */
function campaignIso(): string {
  const minutes = offset;
  const d = new Date(campaignNow() + minutes * 60000).toISOString().slice(0, 19);
  const two = (x: number) => String(x).padStart(2, '0');
  return `${d}${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}
let offset = 480;

// ---- the forms an enumerator fills in -------------------------------------------

export interface Offered {
  form: string;
  zh: string;
  en: string;
  from: number;
  until: number;
}
export const offered = ref<Offered[]>([]);
/** Forms of the plan's windows for enumerators; `text` fetches one of them. */
export async function takeForms(c: Campaign, text: (form: string) => Promise<PlanForm>): Promise<void> {
  const out: Offered[] = [];
  for (const w of c.windows as (Campaign['windows'][0] & { forms?: string[] })[])
    if (w.modes?.includes('enumerator'))
      for (const form of w.forms ?? []) {
        const p = await text(form);
        await setFact(`form/${form}`, p);
        out.push({ form, zh: p.form.zh ?? form, en: p.form.en ?? form, from: Date.parse(w.from), until: Date.parse(w.until) });
      }
  // the roll, where the plan lists at the door
  try {
    await setFact('form/listing', await text('listing'));
  } catch (e) {
    if (!(e instanceof ApiProblem) || e.status !== 404) throw e;
  }
  offered.value = out;
  await setFact('forms', out);
}
/** Forms of the windows that are open, all of them when none is. */
export const current = (): Offered[] => {
  const at = campaignNow();
  const some = offered.value.filter((o) => o.from <= at && at < o.until);
  return some.length ? some : offered.value;
};

/** Opens the household's form, where it was left. */
export async function openReturn(h: string, wanted = ''): Promise<void> {
  const l = listedOf(h);
  const d = device.value;
  if (!l || !d) throw new Error('no such household here');
  const old = await readDraft(h);
  const form = old?.form || wanted || current()[0]?.form || '';
  const plan = await openForm(form, await fact<PlanForm>(`form/${form}`));
  offset = plan.offset_minutes;
  placesOf(d.plan);
  await stopKeeping();
  forgetAnswers();
  household.value = h;
  begin(d.plan, form, old ?? null);
  draft.device = d.device;
  if (!old) {
    draft.base = l.version;
    draft.query = l.queries[0]?.id ?? 0;
    await append([{ act: 'opened', household: h }]);
  }
  startKeeping();
  drafted.value = new Set([...drafted.value, h]);
}
/** Back to the list; the draft stays. */
export async function closeReturn(): Promise<void> {
  await stopKeeping();
  forgetAnswers();
  household.value = '';
}

/**
 * Seals the finished return.  In one act: the sealed bytes are there, the
 * draft is gone, the counter has moved, the chain says so.
 */
export async function sealReturn(signed: boolean): Promise<void> {
  const h = household.value;
  const d = device.value!;
  const doc = toSend();
  const persons = Array.isArray(doc.person) ? doc.person.length : 0;
  await stopKeeping();
  const counter = d.counter + 1;
  const text = JSON.stringify({ ...doc, signed, device: d.device, counter, finished: isoNow() });
  const { bytes, digest } = await seal({ campaign: d.campaign, device: d.device, household: h, counter }, text, d.key);
  const row: Outgoing = { key: `${d.device}|${h}|${counter}`, device: d.device, household: h, counter, digest, bytes, at: now(), persons, have: 0 };
  await append([{ act: 'sealed', household: h, counter, digest }], { counter }, (tx) => {
    void tx.objectStore('outbox').put(row);
    void tx.objectStore('sealed').delete(nameOfDraft(h));
  });
  outbox.value = [...outbox.value, row];
  drafted.value = new Set([...drafted.value].filter((x) => x !== h));
  forgetAnswers();
  household.value = '';
}
