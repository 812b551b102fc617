/* The answer of the search, and its entries in words. */
import { code, count, moment } from '@ui/format';
import { has, lang, pick, pickOf, t } from '@ui/words';

export interface Entry {
  seq: number;
  store: string;
  event_time: string;
  entry_time?: string;
  actor: string;
  seat: string;
  role_zh?: string;
  role_en?: string;
  area_zh?: string;
  area_en?: string;
  device: string;
  verb: string;
  subject: string;
  note: string;
  old?: string;
  new?: string;
  digest?: string;
  covers: number;
}
export interface Changed {
  entity: string;
  entity_zh: string;
  entity_en: string;
  row?: number;
  item?: string;
  zh?: string;
  en?: string;
  row_is?: 'new' | 'gone';
}
export interface Change extends Entry {
  version: number;
  mode: string;
  query?: { id: number; reason: string; findings: { rule: string; row?: number }[]; actor: string; seat: string; role_zh?: string; role_en?: string };
  items: Changed[];
}
export interface Found {
  kind: string;
  q: string;
  household?: string;
  self: { store: string; seq: number };
  verbs: { verb: string; n: number }[];
  items: Entry[];
  changes?: Change[];
  versions?: number;
  total: number;
  as_of: string;
}
export interface Chain {
  checkpoint?: { time: string; age_ms: number; alg: string; signed: boolean };
  stores: { store: string; height: number; signed?: number }[];
  as_of: string;
}

export function verbWords(verb: string): string {
  return has(`audit.verb.${verb}`) ? t(`audit.verb.${verb}`) : verb;
}

export function storeWords(store: string): string {
  return store === 'office' ? t('audit.store.office') : t('audit.store', { code: store });
}

/** Who: the seat's role and the account; the system has no seat. */
export function whoWords(e: Entry): string {
  const role = pickOf(e as never, 'role');
  if (!role) return e.actor === 'system' || e.actor === 'puan' ? t('audit.system') : e.actor;
  if (e.actor === e.subject && /^\d+$/.test(e.actor)) return role; // a household itself
  return lang.value === 'zh' ? `${role}（${e.actor}）` : `${role} (${e.actor})`;
}

/** What an entry is about. */
export function subjectWords(s: string): string {
  if (/^\d{16,19}$/.test(s)) return t('audit.subject.household', { code: code(s) });
  const m = /^([a-z]+)[/ ](.+)$/.exec(s);
  if (m && has(`audit.subject.${m[1]}`)) return t(`audit.subject.${m[1]}`, { n: /^\d{7,}$/.test(m[2]!) ? code(m[2]) : m[2]! });
  const p = /^(office|\d+)\/(\d+)$/.exec(s);
  if (p) return t('audit.subject.entry', { store: storeWords(p[1]!), n: count(Number(p[2])) });
  if (s.startsWith('text:')) return t('audit.subject.text');
  if (/^\d{6,15}$/.test(s)) return t('audit.subject.area', { n: code(s) });
  return s === '*' ? t('audit.subject.all') : s;
}

export function rowWords(c: Changed): string {
  const row = c.row ? t('audit.row', { entity: pickOf(c as never, 'entity'), n: c.row }) : '';
  if (c.row_is) return t(`audit.row.${c.row_is}`, { row });
  const item = pick(c);
  return row ? t('audit.cell', { row, item }) : item;
}

/** The answer: who, when, where, with what changed which answers, and why. */
export function sentence(c: Change, cells: Changed[]): string {
  const shown = cells.slice(0, 3).map(rowWords).join('、');
  const what = cells.length > 3 ? t('audit.answer.more', { shown, n: cells.length }) : shown;
  const whole = cells.every((x) => x.row_is);
  const base = t(whole ? 'audit.answer.rows' : 'audit.answer', {
    time: moment(c.event_time),
    who: whoWords(c),
    device: c.device && c.device !== 'self' ? t('audit.answer.device', { device: c.device }) : c.device === 'self' ? t('audit.answer.self') : '',
    what,
  });
  const why = c.query
    ? t('audit.answer.query', { n: c.query.id, who: pickOf(c.query as never, 'role') || c.query.actor, reason: c.query.reason })
    : t('audit.answer.nothing');
  return `${base}${why}`;
}
