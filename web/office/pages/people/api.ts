/* What the server says of people and seats. */
import { ApiProblem } from '@ui/api';
import { errorText } from '@ui/errors';
import { has, t } from '@ui/words';

export interface SeatRow {
  seat: number;
  account: number;
  name: string;
  person: string;
  role: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
  level: string;
  from?: string;
  until?: string;
  ended?: string;
  state: 'open' | 'later' | 'over' | 'ended' | 'disabled';
  account_state: 'active' | 'disabled' | 'locked';
}
export interface Administrator {
  kind: 'system' | 'security' | 'audit';
  role: string;
  role_zh: string;
  role_en: string;
  holders: string[];
}
export interface Roster {
  administrators: Administrator[];
  counts: { ended: number; disabled: number };
  items: SeatRow[];
  total: number;
  as_of: string;
}
export interface AccountRow {
  account: number;
  name: string;
  person: string;
  state: 'active' | 'disabled' | 'locked';
  first_secret: boolean;
  own: boolean;
  secret_changed?: string;
  locked_until?: string;
  seats: number;
}
export interface Accounts {
  counts: { locked: number; disabled: number; idle: number };
  items: AccountRow[];
  total: number;
  as_of: string;
}
export interface Role {
  role: string;
  zh: string;
  en: string;
  administrator: '' | 'system' | 'security' | 'audit';
  second_factor: boolean;
  external: boolean;
  levels: string[];
  needs: string[];
  by_case: string[]; // of these: what a case must attest
  excludes: string[];
}
export interface FirstSecret {
  name: string;
  secret: string;
  totp: string;
}

/** Why it was refused, in the words of this page. */
export function refusal(e: unknown): string {
  if (e instanceof ApiProblem) {
    if (e.code === 'second-factor') return t('people.no-factor');
    if (has(`people.refused.${e.where}`)) return t(`people.refused.${e.where}`);
    if (e.status === 404) return t('people.refused.account');
  }
  return errorText(e);
}
