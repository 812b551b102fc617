// What …/board, …/progress and …/progress/curve answer, and where its figures lead.
import { can } from '@ui/session';
import type { Level } from '@ui/PLevel.vue';

export interface Area {
  area: string;
  zh: string;
  en: string;
  level: string;
  level_zh: string;
  level_en: string;
  kind: string;
  children: number;
}
export interface Counts {
  due: number;
  vacant: number;
  assigned: number;
  delivered: number;
  out: number;
  self: number;
  waiting: number;
  queried: number;
  corrected: number;
  accepted: number;
  flagged: number;
  hard: number;
  soft: number;
  eas: number;
  begun: number;
  silent: number;
}
export interface Forecast {
  complete: boolean;
  basis?: number;
  far?: boolean;
  day?: string;
  early?: string;
  late?: string;
  until?: string;
}
export interface Outlook {
  few: boolean;
  percent: number | null;
  planned: number | null;
  difference: number | null;
  behind: number;
  last?: string;
  forecast: Forecast | null;
}
export type Row = Area & Counts & Outlook & { known?: boolean };
export interface Decision extends Area {
  case?: number;
  do: 'sign' | 'step' | 'act' | 'accept';
  flow: string;
  flow_zh: string;
  flow_en: string;
  act: string;
  act_zh: string;
  act_en: string;
  title: string;
  subject: string;
  n: number;
  drill: boolean;
  opened?: string;
  due?: string;
}
export interface Risk {
  risk: string;
  zh: string;
  en: string;
  monitors: number;
  unread: number;
  level: Level | 'none';
  alarms: number;
  alarm?: Area & { monitor_zh: string; monitor_en: string; when: string; value: number; case: number; since: string };
}
export interface Board extends Area {
  as_of: string;
  now: string;
  rebuilding?: { done: number; of: number };
  window: { zh: string; en: string; day: number; days: number; from: string; until: string } | null;
  decide: { total: number; all: boolean; items: Decision[] } | null;
  risks: Risk[] | null;
  cases: { open: number; due?: string; case?: number } | null;
  base: { backup_age_s?: number | null; ledger_age_s?: number | null } | null;
  counts: (Counts & Outlook) | null;
  lagging?: { areas: number; behind: number; level_zh?: string; level_en?: string; items: Row[] } | null;
  minutes?: number[];
  review?: { waiting: number; corrected: number; queried: number; oldest?: string; oldest_s?: number };
  rules?: { rule: string; form: string; severity: 'hard' | 'soft'; zh: string; en: string; households: number }[];
  lost: string[];
}
export interface Curve extends Area, Outlook {
  as_of: string;
  due: number;
  self: number;
  delivered: number;
  today: number;
  days: { day: string; plan: number; new?: number; delivered?: number; share?: number; low?: number; mid?: number; high?: number }[];
  method: { recent_days: number; paths: number; band: number; done_at: number };
}

/** The tree of an area: every count of work stands in its foot. */
export function toTree(area: string, more: Record<string, string> = {}) {
  return { path: '/office/progress', query: { area, ...more } };
}
/** The review queue where this seat has one, else the tree. */
export function toReview(area: string, state: string, more: Record<string, string> = {}) {
  return can('review.view') ? { path: '/office/review', query: { state, area, ...more } } : toTree(area);
}
export function toCase(id: number) {
  return { path: `/office/cases/${id}` };
}
export function toCases(more: Record<string, string> = {}) {
  return { path: '/office/cases', query: more };
}
