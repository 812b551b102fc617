/*
 * Listing at the door (摸底): a household not on the list gets the next free
 * number, its row of the roll is asked like any form, checked by the same rules
 * and sealed like a return.  The device goes on knowing what it listed: the
 * list is worked with, under PIN and lease.
 */
import { computed, ref } from 'vue';
import { begin, draft, household, isoNow, manner, toSend, wipe as forgetAnswers } from '../form/model';
import { openForm, type PlanForm } from '../form/core';
import { now } from './clock';
import { append, device, draftKey } from './device';
import { nameOfDraft, readDraft, startKeeping, stopKeeping } from './drafts';
import type { Dossier, Listed } from './office';
import { boxUp } from './pin';
import { seal } from './seal';
import { fact, type Outgoing } from './store';
import { dossier, listedOf, outbox, rolling } from './work';

export const LISTING = 'listing';
/** Does the plan list at the door? */
export const lists = ref(false);
export async function wakeListing(): Promise<void> {
  lists.value = (await fact<PlanForm>(`form/${LISTING}`)) !== undefined;
}

const DIGITS = 3; // of a household in its area
const known = computed(() => [...(dossier.value?.households ?? []).map((l) => l.household), ...rolling.value]);
/** The number the next household gets; '' when this device has no single area. */
export const nextNumber = computed(() => {
  const area = device.value?.area ?? '';
  const own = known.value.filter((h) => h.startsWith(area) && h.length === area.length + DIGITS);
  if (!dossier.value || own.length !== known.value.length) return '';
  const last = Math.max(0, ...own.map((h) => Number(h.slice(-DIGITS))));
  return last < 998 ? area + String(last + 1).padStart(DIGITS, '0') : '';
});

/** The row of the roll as answers of its form. */
function answersOf(l: Listed): Record<string, string> {
  const all: Record<string, string | number | undefined> = {
    ...l.cells, A7: l.building, A8: l.unit, status: l.status, mode: l.mode, head_name: l.head, phone: l.phone, address: l.address,
  };
  const out: Record<string, string> = {};
  for (const [k, v] of Object.entries(all)) if (v !== undefined && String(v) !== '') out[k] = String(v);
  return out;
}

export async function openListing(h: string): Promise<void> {
  const d = device.value!;
  const old = await readDraft(h, LISTING);
  const plan = await openForm(LISTING, await fact<PlanForm>(`form/${LISTING}`));
  const mayBe = plan.form.entities.household!.items;
  await stopKeeping();
  forgetAnswers();
  household.value = h;
  manner.mode = 'enumerator';
  begin(d.plan, LISTING, old);
  draft.device = d.device;
  if (!old) {
    const l = listedOf(h);
    // a door further on: what the last one was in is offered
    const before = dossier.value?.households.filter((x) => x.building).sort((a, b) => (a.household < b.household ? 1 : -1))[0];
    const offer = l ? answersOf(l) : { A7: before?.building ?? '', A8: /^\d+$/.test(before?.unit ?? '') ? String(Number(before!.unit) + 1) : '', status: 'ordinary', mode: 'enumerator', H1: '1' };
    for (const [k, v] of Object.entries(offer)) if (v && mayBe[k] && !mayBe[k]!.from) draft.household.values[k] = v;
  }
  startKeeping();
  rolling.value = new Set([...rolling.value, h]);
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

/** Seals the row: the sealed bytes, the list as it is now, the draft's end, in one act. */
export async function sealListing(): Promise<void> {
  const h = household.value;
  const d = device.value!;
  const key = draftKey();
  if (!key || !dossier.value) throw new Error('nothing to list in');
  const doc = toSend();
  const a = doc.answers as Record<string, unknown>;
  await stopKeeping();
  const counter = d.counter + 1;
  const whole = JSON.stringify({ ...doc, signed: false, device: d.device, counter, finished: isoNow() });
  const { bytes, digest } = await seal({ campaign: d.campaign, device: d.device, household: h, counter }, whole, d.key);
  const row: Outgoing = { key: `${d.device}|${h}|${counter}`, device: d.device, household: h, counter, digest, bytes, at: now(), persons: 0, have: 0, form: LISTING };
  const old = listedOf(h);
  const places = ['A7', 'A8', 'status', 'mode', 'head_name', 'phone', 'address'];
  const listed: Listed = {
    household: h, building: text(a.A7), unit: text(a.A8), status: text(a.status) || 'ordinary', mode: text(a.mode) || 'enumerator',
    head: text(a.head_name), phone: text(a.phone), address: text(a.address),
    cells: Object.fromEntries(Object.entries(a).filter(([k]) => !places.includes(k)).map(([k, v]) => [k, text(v)])),
    version: old?.version ?? 0, queries: old?.queries ?? [],
  };
  const list: Dossier = { ...dossier.value, households: [...dossier.value.households.filter((x) => x.household !== h), listed] };
  const box = await boxUp(key, list);
  await append([{ act: 'listed', household: h }, { act: 'sealed', household: h, counter, digest }], { counter }, (tx) => {
    void tx.objectStore('outbox').put(row);
    void tx.objectStore('sealed').put(box, 'list');
    void tx.objectStore('sealed').delete(nameOfDraft(h, LISTING));
  });
  dossier.value = list;
  outbox.value = [...outbox.value, row];
  rolling.value = new Set([...rolling.value].filter((x) => x !== h));
  forgetAnswers();
  household.value = '';
}
