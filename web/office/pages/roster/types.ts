/* What the server says of a roster (features/duty). */
import { ApiProblem } from '@ui/api';
import { errorText } from '@ui/errors';
import { has, t } from '@ui/words';
import type { Sent } from '../case/types';

export interface Named {
  name: string;
  person?: string;
}
export interface Post {
  id: string;
  zh: string;
  en: string;
}
export interface Shift extends Post {
  from_minute: number;
  minutes: number;
}
export type CellState = 'held' | 'empty' | 'left' | 'meant';
export interface Cell extends Named {
  post: string;
  shift: string;
  from: string;
  until: string;
  state: CellState;
  confirmed: boolean;
  changed: boolean;
  mine: boolean;
  why?: string;
}
export interface Swap {
  id: number;
  post: string;
  from: string;
  until: string;
  by: string;
  by_person?: string;
  who: string;
  who_person?: string;
  state: 'asked' | 'agreed' | 'done' | 'declined';
  asked_of_me: boolean;
  may_approve: boolean;
}
export interface Rung {
  id: number;
  rung: number;
  at: string;
  vacant: boolean;
  who: string;
  who_person?: string;
  mine: boolean;
  answered_at?: string;
  answered_by?: string;
  how?: string;
  due?: string;
  sent?: Sent;
}
export interface Call {
  id: number;
  at: string;
  by: string;
  by_person?: string;
  text: string;
  case: number;
  rungs: Rung[];
  state: 'calling' | 'answered' | 'nobody';
}
export interface OpenedCase {
  case?: number;
  case_ended?: boolean;
  case_ended_at?: string;
  case_zh?: string;
  case_en?: string;
}
export interface Holder extends Named, OpenedCase {
  left: boolean;
  mine: boolean;
  reach: 'reached' | 'unreachable' | 'calling' | 'no-number' | 'untested' | 'stale';
  call?: number;
  waits?: boolean;
  called_at?: string;
  answered_at?: string;
  number_at?: string;
  number?: string;
}
export interface Head {
  area: string;
  as_of: string;
  model: { zh: string; en: string; leader: boolean; horizon_hours: number; answer_minutes: number; test_days: number; swaps_approved: boolean };
  kept: boolean;
  drawn: boolean;
  me: string;
  may_draw: boolean;
  may_act: boolean;
  stands: boolean;
  gap_minutes: number;
  gap_from?: string;
  unreachable: number;
  untested: number;
  no_number: number;
}
export interface RosterView extends Head {
  posts: Post[];
  shifts: Shift[];
  from: string;
  until: string;
  cells: Cell[];
  swaps: Swap[];
  calls: Call[];
  people: Holder[];
}
export interface Below {
  items: { area: string; zh: string; en: string; drawn: boolean; seats: number; on: number; gap_minutes: number; unreachable: number; untested: number }[];
  more: boolean;
}
export interface LogLine {
  id: number;
  at: string;
  by: string;
  by_person?: string;
  text: string;
  from_whom: string;
  heard?: string;
  passed?: { at: string; zh?: string; en?: string } & OpenedCase;
}
export interface Desk extends Head {
  on_duty: boolean;
  on: (Named & { mine: boolean; post?: string; post_zh?: string; post_en?: string })[];
  now?: CellState;
  until?: string;
  next?: Named & { state: CellState; confirmed: boolean; mine: boolean; from: string; until: string };
  groups: Post[];
  calls: Call[];
  log: LogLine[];
  open: number;
  offer?: { id: number; at: string; by: string; by_person?: string; text: string; digest: string; stands: boolean; mine: boolean; taken_by?: string; taken_by_person?: string; taken_at?: string };
}

/** The name as the office writes it, else that of the account. */
export function nameOf(x: Named | null | undefined): string {
  return x ? x.person || x.name : '';
}

/** Why it was refused, in words of duty. */
export function refusal(e: unknown): string {
  if (e instanceof ApiProblem && (e.status === 400 || e.status === 403 || e.status === 409) && has(`duty.why.${e.where}`)) return t(`duty.why.${e.where}`);
  return errorText(e);
}

/** The day a shift belongs to: what is after midnight is the evening's. */
export function dayOf(cell: Cell, shifts: Shift[]): string {
  const s = shifts.find((x) => x.id === cell.shift);
  const minute = Number(cell.from.slice(11, 13)) * 60 + Number(cell.from.slice(14, 16));
  const back = s && s.from_minute + s.minutes > 1440 && minute < s.from_minute ? 1 : 0;
  return addDays(cell.from.slice(0, 10), -back);
}
export function addDays(day: string, n: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + n * 86400000).toISOString().slice(0, 10);
}
/** Monday 1 … Sunday 7 */
export function weekday(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}
