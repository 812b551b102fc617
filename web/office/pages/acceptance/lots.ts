/* What the server says of lots, and how it is put into words. */
import { code, count, moment } from '@ui/format';
import { t } from '@ui/words';

export interface Lot {
  id: number;
  case: number;
  state: 'offered' | 'accepted' | 'void' | 'locked';
  digest: string;
  households: number;
  by: string;
  at: string;
  over: boolean;
  reason?: string;
  voided?: { at: string; kind: 'changed' | 'below' | 'withdrawn'; household?: string; reason?: string };
}
export interface Place {
  code: string;
  zh: string;
  en: string;
  level: string;
}
export interface Row extends Place {
  up_zh?: string;
  up_en?: string;
  mine: boolean;
  listed: number;
  submitted: number;
  hard: number;
  soft: number;
  lower: number;
  lot: Lot | null;
}
export interface Named<T> {
  n: number;
  items: T[];
}
export interface Open {
  household: string;
  version: number;
  n: number;
}
export interface Gate {
  id: 'lower' | 'empty' | 'missing' | 'hard' | 'soft' | 'queries' | 'duplicates';
  n: number;
  rule: 'stop' | 'reason' | 'note';
}
export interface Preview {
  as_of: string;
  area: Place;
  mine: boolean;
  factor: boolean;
  listed: number;
  households: number;
  digest?: string;
  version: number;
  covers?: { field: string; zh: string; en: string; value: string | number }[];
  lower: (Place & { lot: Lot | null })[];
  gates: Gate[];
  missing: Named<string>;
  hard: Named<Open>;
  soft: Named<Open>;
  changed: Named<string>;
  returns?: { household: string; version: number; changed: boolean }[];
  lot: Lot | null;
  unchanged?: boolean;
  last: Lot | null;
  next: (Place & { office_zh?: string; office_en?: string }) | null;
}

/** In force. */
export function stands(l: Lot | null | undefined): boolean {
  return l?.state === 'accepted' || l?.state === 'locked';
}

/** Where an area stands, for lists and filters. */
export type Standing = 'ready' | 'reason' | 'waiting' | 'void' | 'accepted' | 'nothing';
export function standing(r: Row): Standing {
  if (stands(r.lot)) return 'accepted';
  if (r.listed === 0 && r.submitted === 0) return 'nothing';
  if (r.lower > 0 || r.submitted === 0) return 'waiting';
  if (r.lot?.state === 'void') return 'void';
  return r.hard > 0 || r.submitted < r.listed ? 'reason' : 'ready';
}

/** Why a lot does not count any more. */
export function whyVoid(l: Lot | null | undefined): string {
  const v = l?.voided;
  if (!v) return '';
  if (v.kind === 'changed') return t('acceptance.void.changed', { time: moment(v.at), code: code(v.household) });
  if (v.kind === 'below') return t('acceptance.void.below', { time: moment(v.at) });
  return t('acceptance.void.withdrawn', { time: moment(v.at), reason: v.reason ?? '' });
}

/** What stands against an area, short. */
export function against(r: Row): string {
  const parts: string[] = [];
  if (r.lower > 0) parts.push(t('acceptance.against.lower', { n: count(r.lower) }));
  if (r.submitted === 0 && r.listed > 0) parts.push(t('acceptance.against.empty'));
  else if (r.submitted < r.listed) parts.push(t('acceptance.against.missing', { n: count(r.listed - r.submitted) }));
  if (r.hard > 0) parts.push(t('acceptance.against.hard', { n: count(r.hard) }));
  return parts.join(t('acceptance.comma'));
}
