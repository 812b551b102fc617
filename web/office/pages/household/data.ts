/*
 * What the household page and the queue's preview show: shapes of the answers,
 * a household read ahead, and how an answer of a form is written.
 */
import { get } from '@ui/api';
import { code } from '@ui/format';
import { pick, t } from '@ui/words';

export type Cell = string | number | null | undefined | { sealed?: boolean; missing?: string; invalid?: boolean };
export type Row = Record<string, Cell>;

export interface ItemRef {
  entity: string;
  row?: number;
  item: string;
  value: Cell;
}
export interface Finding {
  rule: string;
  severity: 'hard' | 'soft';
  entity: string;
  row?: number;
  state: 'open' | 'confirmed' | 'overridden';
  zh: string;
  en: string;
  first_seen?: number;
  reason?: string;
  source?: string;
  why?: { text: string; value: string }[];
  items: ItemRef[];
}
export interface Change {
  entity: string;
  row?: number;
  item?: string;
  old?: Cell;
  new?: Cell;
  row_is?: 'new' | 'gone';
}
export interface Version {
  version: number;
  mode: string;
  by: string;
  seat: string;
  device: string;
  started: string;
  finished: string;
  received: string;
  signed: boolean;
  persons: number;
  hard: number;
  soft: number;
  entry: number;
  digest: string;
  query?: string;
  changes?: Change[];
}
export interface FindingName {
  rule: string;
  row?: number;
  state?: string;
}
export interface Query_ {
  id: number;
  version: number;
  reason: string;
  findings: FindingName[];
  by: string;
  seat: string;
  asked: string;
  due: string;
  state: string;
  entry: number;
  answered_by?: number;
}
export interface Act {
  id: number;
  version: number;
  kind: 'accept' | 'pass' | 'undo';
  level: string;
  office: string;
  by: string;
  seat: string;
  at: string;
  reason: string;
  findings: FindingName[];
  undoes?: number;
  entry: number;
}
export interface Pair {
  row: number;
  kind: 'apart' | 'twice' | 'other';
  present: boolean;
  registered: boolean;
  household?: string;
  area_zh?: string;
  area_en?: string;
  state?: string;
}
export interface Look {
  name: string;
  role_zh: string;
  role_en: string;
  until: string;
}
export interface HouseholdData extends Version {
  as_of: string;
  household: string;
  path: { code: string; level: string; zh: string; en: string; kind: string }[];
  form: string;
  form_zh: string;
  form_en: string;
  state: string;
  mark?: 'accept' | 'pass';
  mark_at?: string;
  passed?: string;
  passed_by?: string;
  may_pass: boolean;
  looking?: Look;
  listing?: { building: string; unit: string; status: string; mode: string; present?: number; absent?: number; agrees?: boolean };
  registered?: { present: number; absent: number; unknown: number };
  answers: Row;
  masked: Record<string, Record<string, string>[]>;
  findings: Finding[];
  history: Version[];
  queries: Query_[];
  acts: Act[];
  pairs: Pair[];
  [roster: string]: unknown;
}

/* ---- read ahead ---- */

const KEEP = 90_000;
const ahead = new Map<string, { at: number; page: Promise<HouseholdData>; done?: HouseholdData }>();

/** Asks for a household that will probably be next; a failure is forgotten. */
export function prefetch(household: string): void {
  const old = ahead.get(household);
  if (old && Date.now() - old.at < KEEP) return;
  const page = get<HouseholdData>(`/households/${household}/page`);
  const entry: { at: number; page: Promise<HouseholdData>; done?: HouseholdData } = { at: Date.now(), page };
  ahead.set(household, entry);
  page.then(
    (p) => (entry.done = p),
    () => ahead.delete(household),
  );
  if (ahead.size > 40) for (const k of ahead.keys()) if (ahead.size > 20) ahead.delete(k);
}
/** What was read ahead and is here; taken out, so that it is shown once. */
export function takeAhead(household: string): HouseholdData | null {
  const a = ahead.get(household);
  if (!a?.done || Date.now() - a.at > KEEP) return null;
  ahead.delete(household);
  return a.done;
}
/** What is being read ahead and is still under way, or null. */
export function comingAhead(household: string): Promise<HouseholdData> | null {
  const a = ahead.get(household);
  return a && !a.done && Date.now() - a.at < KEEP ? a.page : null;
}
/** The same without taking it: for the preview. */
export function peekAhead(household: string): Promise<HouseholdData> {
  prefetch(household);
  return ahead.get(household)!.page;
}
export function forgetAhead(household?: string): void {
  if (household) ahead.delete(household);
  else ahead.clear();
}

/* ---- the form ---- */

export interface FormItem {
  type: string;
  codes?: string;
  zh: string;
  en: string;
  group?: string;
  places?: number;
}
export interface FormEntity {
  zh: string;
  en: string;
  rows?: number;
  items: Record<string, FormItem>;
}
type CodeList = Record<string, { value?: number; zh: string; en: string }>;
export interface FormDef {
  form: string;
  zh: string;
  en: string;
  entities: Record<string, FormEntity>;
  codes: Record<string, CodeList>;
  digest: string;
}
interface FormAnswer {
  form: { form: string; zh: string; en: string; entities: Record<string, FormEntity>; codes?: Record<string, CodeList> };
  codes: Record<string, CodeList>;
  digest: string;
}
const forms = new Map<string, Promise<FormDef>>();
export function formOf(id: string): Promise<FormDef> {
  let f = forms.get(id);
  if (!f) {
    f = get<FormAnswer>(`/public/plan/forms/${id}`).then((a) => ({
      ...a.form,
      codes: { ...a.codes, ...a.form.codes },
      digest: a.digest,
    }));
    f.catch(() => forms.delete(id));
    forms.set(id, f);
  }
  return f;
}

export const SEALED = ['name', 'citizen-id', 'phone', 'point'];

export function isSealed(v: Cell): boolean {
  return typeof v === 'object' && v !== null && !!v.sealed;
}

/** The text of an answer, and its code when it has one. */
export function answerText(form: FormDef | null, entity: string, item: string, v: Cell): { text: string; code?: string; kind: string } {
  const def = form?.entities[entity]?.items[item];
  if (v === null || v === undefined) return { text: '—', kind: 'not-asked' };
  if (typeof v === 'object') {
    if (v.sealed) return { text: t('household.sealed'), kind: 'sealed' };
    if (v.invalid) return { text: t('household.invalid'), kind: 'invalid' };
    const reasons = form?.codes.missing_id?.[v.missing ?? ''] ?? form?.codes.missing?.[v.missing ?? ''];
    return { text: v.missing ? t('household.missing.why', { why: reasons ? pick(reasons) : v.missing }) : t('household.missing'), kind: 'missing' };
  }
  if (def?.codes) {
    const label = form?.codes[def.codes]?.[String(v)];
    if (label) return { text: pick(label), code: String(v), kind: 'given' };
  }
  if (def?.type === 'area') return { text: code(String(v)), kind: 'given' };
  return { text: String(v), kind: 'given' };
}

export function itemLabel(form: FormDef | null, entity: string, item: string): string {
  const def = form?.entities[entity]?.items[item];
  return def ? pick(def) : item;
}

export function modeLabel(form: FormDef | null, mode: string): string {
  const m = form?.codes.mode?.[mode];
  return m ? pick(m) : mode;
}

/** The rows of a roster; the household's own row is `answers`. */
export function rowsOf(page: HouseholdData, entity: string): Row[] {
  const v = page[entity];
  return Array.isArray(v) ? (v as Row[]) : [];
}

/** The roster of persons: the first whose rows hold anybody. */
export function rosterOf(form: FormDef | null): string {
  const names = Object.keys(form?.entities ?? {});
  return names[1] ?? 'person';
}

/** Changes of answers; how and when they were given is no answer. */
export function answersOnly(form: FormDef | null, changes: Change[]): Change[] {
  return changes.filter((c) => !c.item || !['para', 'place'].includes(form?.entities[c.entity]?.items[c.item]?.group ?? ''));
}
