/*
 * The household that is signed in, and what becomes of its session.
 */
import { computed, ref, shallowRef } from 'vue';
import { ApiProblem, campaign, forget, get, post, put, signedOut, type Campaign } from '@ui/api';
import { campaignNow, noteClock } from '@ui/now';
import { pick } from '@ui/words';
import { begin, draft, fromReturn, household, wipe, type Draft } from '../form/model';
import { openForm } from '../form/core';
import { placesOf } from '../form/places';
import { keptThere, onSeen, openKey, readHere, readThere, start, stop } from './keep';

export interface Window_ {
  id: string;
  zh: string;
  en: string;
  from: string;
  until: string;
  state: 'before' | 'open' | 'closed';
}
export interface Area {
  code: string;
  level: string;
  zh: string;
  en: string;
  office_zh?: string;
  office_en?: string;
}
export interface Sent {
  state: 'delivered' | 'queried' | 'recheck' | 'accepted' | 'locked';
  version: number;
  mode: string;
  persons: number;
  hard: number;
  soft: number;
  finished: string;
  entry: number;
  digest: string;
}
export interface Me {
  household: string;
  as_of: string;
  form: string | null;
  areas: Area[];
  dwelling: string;
  window: Window_ | null;
  visits: Window_ | null;
  password_set: boolean;
  draft_key: string;
  draft: { rev: number; at: string } | null;
  return: Sent | null;
  query: { id: number; reason: string; asked: string } | null;
}

export const me = shallowRef<Me | null>(null);
export const about = shallowRef<Campaign | null>(null);
/** The password is asked for before anything else (a first sign-in). */
export const mustSet = ref(false);
/** Ends of this session, real time ms. */
export const idleMs = ref(0);
export const lastSeen = ref(0);
/** Ticks, so that closing is noticed. */
export const now = ref(campaignNow());

onSeen(() => (lastSeen.value = Date.now()));
setInterval(() => (now.value = campaignNow()), 1000);

export async function loadMe(): Promise<Me> {
  const m = await get<Me>('/me');
  if (!me.value) wipe(); // signed in anew, perhaps another household on the same phone
  noteClock(m.as_of);
  now.value = campaignNow();
  lastSeen.value = Date.now();
  me.value = m;
  household.value = m.household;
  return m;
}

/** before, open or closed by the campaign clock, on this page's own count too. */
export const phase = computed<'before' | 'open' | 'closed'>(() => {
  const w = me.value?.window ?? publicWindow.value;
  if (!w) return 'closed';
  if (now.value < Date.parse(w.from)) return 'before';
  return now.value < Date.parse(w.until) ? 'open' : 'closed';
});

/** The same before anybody has signed in. */
export const publicWindow = computed(() => {
  const list = (about.value?.windows ?? []) as (Campaign['windows'][0] & { modes?: string[] })[];
  const own = list.filter((w) => w.modes?.includes('self'));
  return own.find((w) => now.value < Date.parse(w.until)) ?? own[own.length - 1] ?? null;
});

export async function loadAbout(): Promise<void> {
  about.value = await campaign();
  noteClock(about.value.now);
  placesOf(about.value.campaign);
  now.value = campaignNow();
}

/** The campaign's clock again; it does not keep a session awake. */
export async function followClock(): Promise<void> {
  const a = await fetch('/api/v1/campaign', { credentials: 'omit' });
  if (a.ok) noteClock(((await a.json()) as Campaign).now);
}

export async function signIn(code: string, password: string, ticket = ''): Promise<void> {
  const s = await post<{ must_change: boolean; idle_ms: number }>('/login/household', {
    code,
    cookie: true,
    ...(password ? { password } : {}),
    ...(ticket ? { ticket } : {}),
  });
  forget();
  signedOut.value = false;
  idleMs.value = s.idle_ms;
  mustSet.value = s.must_change;
  await loadMe();
}

export async function setPassword(password: string, old = ''): Promise<void> {
  await put('/me/password', { password, cookie: true, ...(old ? { old } : {}) });
  mustSet.value = false;
  await loadMe();
}

export async function signOut(): Promise<void> {
  stop();
  try {
    await post('/logout');
  } catch {
    // the session is over anyway
  }
  leave();
}
/** Nobody is signed in any more; what is kept stays kept. */
export function leave(): void {
  stop();
  forget();
  me.value = null;
  opened = '';
}

let opened = '';
/** Is what is in memory this household's own draft? */
export const isOpen = (): boolean => !!opened && opened === me.value?.household;
/** Delivered: the answers are not shown again by going back. */
export function closeDraft(): void {
  opened = '';
}

/** May this household type answers now: before sending, or to answer a query. */
export const mayFill = computed(() => {
  const m = me.value;
  return !!m?.form && phase.value !== 'closed' && (!m.return || (!!m.query && m.return.mode === 'self'));
});

/**
 * Opens form and draft: this phone's, unless another phone has gone on since.
 * With both changed the household is asked.
 */
export async function openDraft(): Promise<void> {
  const m = me.value;
  if (!m?.form || opened === m.household) return;
  await openForm(m.form);
  await openKey(m.draft_key);
  const here = await readHere();
  let kept: Draft | null = here;
  keptThere.value = m.draft?.at ?? null;
  if (m.draft && (!here || (m.draft.rev !== here.rev && !here.dirty))) kept = await readThere();
  if (!m.draft && kept && !kept.dirty && kept.rev > 0) kept = null; // delivered or given up elsewhere
  if (m.return && kept && kept.base !== m.return.version) kept = null;
  if (m.return && m.query && !kept) kept = fromReturn(await get('/me/return'), m.query.id);
  if (kept && !m.draft) kept.rev = 0;
  begin(about.value!.campaign, m.form, kept);
  start();
  opened = m.household;
}

export const areaName = (level: string): string => {
  const a = me.value?.areas.find((x) => x.level === level);
  return a ? pick(a) : '';
};

/** The office to ask: the nearest one above that has a name. */
export const officeName = computed(() => {
  const list = [...(me.value?.areas ?? [])].reverse().filter((a) => a.office_zh);
  return list[0] ? { zh: `${list[0].zh}${list[0].office_zh}`, en: `${list[0].office_en}, ${list[0].en || list[0].zh}` } : null;
});

export function codeOfProblem(e: unknown): string {
  return e instanceof ApiProblem ? e.code : 'unreadable';
}
export { draft };
