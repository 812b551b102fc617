/*
 * The reviewer's order of work: the households of the list as it was when it
 * was opened.  It does not change under the hand; what was dealt with stays in
 * its place, and more is asked for when its end is near.
 */
import { computed, reactive } from 'vue';
import { get, type Query } from '@ui/api';
import { prefetch } from '../household/data';

export interface QueueRow {
  household: string;
  ea: string;
  ea_zh: string;
  ea_en: string;
  version: number;
  persons: number;
  mode: string;
  by: string;
  hard: number;
  soft: number;
  state: string;
  first?: { rule: string; severity: string; row?: number; zh: string; en: string } | null;
  since: string;
  due?: string;
  overdue?: boolean;
  passed?: string;
  passed_by?: string;
  mark?: string;
  mark_by?: string;
  mark_at?: string;
  looking?: { name: string; role_zh: string; role_en: string; until: string };
}
export interface QueueAnswer {
  as_of: string;
  total: number;
  page: number;
  pages: number;
  items: QueueRow[];
}
export interface Facet {
  key: string;
  n: number;
  severity?: string;
  zh?: string;
  en?: string;
}
export interface CountsAnswer {
  as_of: string;
  waiting: number;
  corrected: number;
  querying: number;
  reviewed: number;
  overdue: number;
  passed: number;
  eas: number;
  rules: Facet[];
  modes: Facet[];
  senders: Facet[];
  areas: Facet[];
}

export const FILTERS = ['area', 'ea', 'rule', 'form', 'enumerator', 'mode', 'kind', 'waiting', 'overdue', 'passed', 'sort'] as const;
export const STATES = ['waiting', 'corrected', 'querying', 'reviewed'] as const;
/** No state of a household: a finding stands open, wherever it is. */
export const OPEN = 'open';

/** The part of an address that chooses households. */
export function chosen(query: Record<string, unknown>): Query {
  const q: Query = { state: String(query.state ?? 'waiting') };
  for (const f of FILTERS) if (query[f]) q[f] = String(query[f]);
  return q;
}
export function keyOf(q: Query): string {
  return Object.entries(q)
    .filter(([, v]) => v !== undefined && v !== null && v !== '')
    .map(([k, v]) => `${k}=${v}`)
    .sort()
    .join('&');
}

const state = reactive({
  key: '',
  query: {} as Query,
  order: [] as string[],
  offset: 0, // of order[0] in the whole list
  total: 0,
  done: {} as Record<string, string>, // what this seat said of it, here
  ended: false,
});
let asking: Promise<void> | null = null;

/** The list page hands its order over. */
export function setOrder(query: Query, rows: string[], offset: number, total: number): void {
  state.key = keyOf(query);
  state.query = { ...query };
  state.order = [...rows];
  state.offset = offset;
  state.total = total;
  state.done = {};
  state.ended = rows.length + offset >= total;
}
export function hasOrder(query: Query): boolean {
  return state.key === keyOf(query) && state.order.length > 0;
}

/** Opened by address: asks for the list it names. */
export async function loadOrder(query: Query): Promise<void> {
  const a = await get<QueueAnswer>('/review', query);
  setOrder(query, a.items.map((r) => r.household), 0, a.total);
}

async function more(): Promise<void> {
  const known = new Set(state.order);
  const key = state.key;
  for (let page = 1; page < 400; page++) {
    const a = await get<QueueAnswer>('/review', { ...state.query, page });
    if (key !== state.key) return;
    const fresh = a.items.map((r) => r.household).filter((h) => !known.has(h));
    if (fresh.length > 0) {
      state.order.push(...fresh);
      return;
    }
    if (page >= a.pages) break;
  }
  state.ended = true;
}

/** Reads the next three ahead, and the next rows of the list near its end. */
export function readAhead(household: string): void {
  const i = state.order.indexOf(household);
  if (i < 0) return;
  for (let k = i + 1, n = 0; k < state.order.length && n < 3; k++)
    if (!state.done[state.order[k]!]) {
      prefetch(state.order[k]!);
      n++;
    }
  if (!state.ended && i + 5 >= state.order.length)
    asking ??= more()
      .catch(() => undefined)
      .finally(() => (asking = null));
}

export function note(household: string, what: string | null): void {
  if (what) state.done[household] = what;
  else delete state.done[household];
}
export function doneOf(household: string): string | undefined {
  return state.done[household];
}

/** The next one not dealt with; null at the end. */
export function after(household: string): string | null {
  const i = state.order.indexOf(household);
  for (let k = i + 1; k < state.order.length; k++) if (!state.done[state.order[k]!]) return state.order[k]!;
  return null;
}
export function step(household: string, by: 1 | -1): string | null {
  const i = state.order.indexOf(household);
  return i < 0 ? null : (state.order[i + by] ?? null);
}
export function placeOf(household: string): { at: number; of: number } | null {
  const i = state.order.indexOf(household);
  return i < 0 ? null : { at: state.offset + i + 1, of: state.total };
}
export const left = computed(() => state.order.filter((h) => !state.done[h]).length);
