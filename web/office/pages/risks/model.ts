/*
 * What the risk board shows, and conditions of the plan in words.
 */
import { count, span } from '@ui/format';
import { has, t } from '@ui/words';
import type { Level } from '@ui/PLevel.vue';

export interface Alarm {
  area: string;
  area_zh?: string;
  area_en?: string;
  raised: Level;
  value: number;
  since: string;
  case: number;
}
export interface Monitor {
  id: string;
  zh: string;
  en: string;
  risk: string;
  what: string;
  unit?: string;
  /** Level of the areas judged; empty: the whole. */
  level: string;
  every: number;
  hold: number;
  quiet: number;
  opens: string;
  opens_zh: string;
  opens_en: string;
  levels: { raise: Level; when: string }[];
  state: 'reads' | 'unread' | 'absent' | 'silent' | 'never';
  areas: number;
  looked?: string;
  value?: number;
  total?: number;
  /** Where that value stands: the area itself, or where it is highest. */
  at?: { area: string; area_zh?: string; area_en?: string };
  alarms: Alarm[];
  raised: number;
}
export interface Kind {
  risk: string;
  zh: string;
  en: string;
  level: Level | 'none';
  monitors: Monitor[];
}
export interface Board {
  as_of: string;
  area: string;
  kinds: Kind[];
}

export const rank = (l: Level | 'none'): number => ['none', 'blue', 'yellow', 'orange', 'red'].indexOf(l);

/** A monitor that does not see is a fault, not safety. */
export const blind = (m: Monitor): boolean => m.state === 'unread' || m.state === 'silent' || m.state === 'never';

/** A figure with its unit: 3天, 12%, 20户. */
export function amount(v: number, unit?: string): string {
  if (unit === 'seconds') return span(v * 1000);
  if (unit === 'minutes' && v >= 60) return span(v * 60000);
  const key = `risks.unit.${unit ?? 'cases'}`;
  return has(key) ? t(key, { n: count(v) }) : count(v);
}

const product = (text: string): number =>
  text
    .split('*')
    .map((x) => Number(x.trim()))
    .reduce((a, b) => a * b, 1);

/** "value < 10 and elapsed_hours > 72" in words. */
export function inWords(when: string, unit?: string): string {
  return when
    .split(/\s+or\s+/)
    .map((part) =>
      part
        .split(/\s+and\s+/)
        .map((one) => {
          const m = /^\s*\(?(\w+)\s*(<=|>=|!=|<|>|=)\s*(.+?)\)?\s*$/.exec(one);
          const v = m ? product(m[3]!) : NaN;
          if (!m || !has(`risks.name.${m[1]}`) || Number.isNaN(v)) return one.trim();
          const shown = m[1] === 'percent' ? `${count(v)}%` : m[1]!.endsWith('_hours') ? span(v * 3600000) : ['value', 'rise', 'before'].includes(m[1]!) ? amount(v, unit) : count(v);
          return t('risks.condition', { name: t(`risks.name.${m[1]}`), op: t(`risks.op.${m[2]}`), value: shown });
        })
        .join(t('risks.and')),
    )
    .join(t('risks.or'));
}
