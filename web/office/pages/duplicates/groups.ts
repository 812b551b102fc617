/* What the server says of duplicates, and how it is put into words. */
import { pick, pickOf, t } from '@ui/words';

export interface Named {
  code?: string;
  zh?: string;
  en?: string;
  level?: string;
  office_zh?: string;
  office_en?: string;
}
export interface Case {
  id?: number;
  zh?: string;
  en?: string;
  de_facto?: boolean;
  registered?: boolean;
  resident?: boolean;
}
export interface Side {
  own: boolean;
  contrary: boolean;
  household?: string;
  line?: number;
  case?: Case;
  path?: Named[];
  office?: Named | null;
}
export const STATES = ['open', 'field', 'passed', 'decided', 'gone'] as const;
export type State = (typeof STATES)[number];
export interface Group {
  id: number;
  present_twice: boolean;
  registered_twice: boolean;
  state: State;
  found: string;
  mine: boolean;
  sides: Side[];
}
export interface List {
  as_of: string;
  searched: string | null;
  pairs: number;
  totals: Record<State, number>;
  total: number;
  page: number;
  pages: number;
  items: Group[];
}
export interface Value {
  state: 'given' | 'missing' | 'invalid' | 'not-asked';
  value?: string;
  zh?: string;
  en?: string;
}
export interface Item {
  name: string;
  zh: string;
  en: string;
  residence: boolean;
  same: (boolean | null)[];
  values: (Value | null)[];
}
export interface Choice {
  verdict: number;
  keep?: number;
  offered: boolean;
  why?: string;
  effects: { side: number; resident?: boolean; de_facto?: boolean; registered?: boolean; area?: Named }[];
}
export interface Event {
  at: string;
  seat: string;
  role_zh?: string;
  role_en?: string;
  area_zh?: string;
  area_en?: string;
  verdict: number;
  reason: string;
  keep?: number;
  to?: Named;
  on: { side: number; version: number }[];
}
export interface PairSide extends Side {
  version?: number;
  last_version?: number;
  mode?: string;
  finished?: string;
  persons?: number;
  hard?: number;
  soft?: number;
  name_marks?: string;
  within?: Named;
}
export interface Pair {
  id: number;
  as_of: string;
  found: string;
  state: State;
  basis: string;
  present_twice: boolean;
  registered_twice: boolean;
  mine: boolean;
  figures: boolean;
  office: Named;
  sides: PairSide[];
  items: Item[];
  choices: Choice[];
  to: Named | null;
  history: Event[];
}

const letters = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛'];
/** 甲, 乙 … in both languages: A, B … */
export function letter(i: number): string {
  return t('lang.label').startsWith('语') ? (letters[i] ?? String(i + 1)) : String.fromCharCode(65 + i);
}

export function kindOf(g: { present_twice: boolean; registered_twice: boolean }): string {
  if (g.present_twice && g.registered_twice) return t('duplicates.kind.both');
  return g.present_twice ? t('duplicates.kind.present') : t('duplicates.kind.registered');
}

/** Names of the areas a side lies in, outer ones first; of another office: its name. */
export function placeOf(s: Side): string {
  if (s.own) return (s.path ?? []).map((a) => pick(a)).join(' ');
  return s.office ? t('duplicates.other', { office: pick(s.office) }) : t('duplicates.outside');
}

export function officeName(a: Named | null | undefined): string {
  return a ? t('duplicates.office', { office: pickOf(a as never, 'office') || pick(a), area: pick(a) }) : '';
}
