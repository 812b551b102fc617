/*
 * What the explorer of findings asks for and shows, and where its figures
 * lead: open ones to the review queue, the others to the list on the page.
 */
import { count } from '@ui/format';

export const STATES = ['open', 'confirmed', 'corrected'] as const;
export type State = (typeof STATES)[number];
export type ByState = Record<State, number>;

export interface Rule {
  id: string;
  severity: 'hard' | 'soft';
  zh: string;
  en: string;
  form: string;
  entity: string;
  findings: ByState;
  households: ByState;
  /** Households in the chosen state, in the order of `areas`. */
  by: number[];
}
export interface Place extends ByState {
  code: string;
  zh: string;
  en: string;
  level: string;
  returns: number;
  /** Returns in the order of `forms`. */
  of: number[];
}
export interface Day {
  day: string;
  found: number;
  corrected: number;
  confirmed: number;
  open: number;
}
export interface Form {
  form: string;
  zh: string;
  en: string;
  returns: number;
}
export interface Answer {
  as_of: string;
  /** This seat may see whose they are. */
  listed: boolean;
  state: State;
  returns: number;
  forms: Form[];
  findings: ByState;
  households: ByState;
  areas: Place[];
  rules: Rule[];
  days: Day[];
}
export interface Home {
  household: string;
  ea?: string;
  ea_zh?: string;
  ea_en?: string;
  form: string;
  version: number;
  day: string;
  open: number;
  confirmed: number;
  corrected: number;
  more: number;
  rules: { id: string; severity: string; zh: string; en: string }[];
}
export interface List {
  as_of: string;
  listed: boolean;
  total?: number;
  page: number;
  pages: number;
  items: Home[];
}

/** Upper bounds of the shades, in households per ten thousand returns: the
 *  same everywhere and every day, so that pictures can be laid side by side. */
export const BOUNDS = [1, 5, 20, 100] as const;
/** Under so many returns a share says nothing and is not shaded. */
export const FEW = 30;
/** One or two households make no pattern: never more than the lightest shade. */
export const PATTERN = 3;

/** 0 nothing or not judged, 1 to 5. */
export function shade(n: number, of: number): number {
  if (n === 0 || of < FEW) return 0;
  if (n < PATTERN) return 1;
  const rate = (n * 10000) / of;
  const i = BOUNDS.findIndex((b) => rate < b);
  return i < 0 ? BOUNDS.length + 1 : i + 1;
}

/** Households of ten thousand returns: 38.9; under FEW the count stands. */
export function perMyriad(n: number, of: number): string {
  if (of === 0) return '—';
  if (of < FEW) return `${n}/${of}`;
  const rate = (n * 10000) / of;
  return rate >= 1000 ? count(Math.round(rate)) : rate.toFixed(1);
}

export interface Choice {
  area?: string;
  form?: string;
  severity?: string;
  rule?: string;
  state?: string;
}
/** The queue with the households behind a figure of open findings. */
export function toQueue(c: Choice) {
  const query: Record<string, string> = { state: 'open' };
  if (c.area) query.area = c.area;
  if (c.form) query.form = c.form;
  if (c.rule) query.rule = c.rule;
  if (c.severity) query.kind = c.severity;
  return { path: '/office/review', query };
}
export function toFindings(c: Choice & { list?: string }) {
  return { path: '/office/findings', query: Object.fromEntries(Object.entries(c).filter(([, v]) => v)) as Record<string, string> };
}
