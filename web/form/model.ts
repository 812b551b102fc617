/*
 * The draft: what has been typed, what follows from it, which screens there
 * are, what is wrong.  Every change goes through set() and is kept at once
 * (keep.ts); the core runs behind the paint.
 *
 * An answer that is no longer asked stays in the draft, so that a slip of the
 * thumb costs nothing, but is neither checked nor sent.
 */
import { computed, reactive, ref, shallowRef, toRaw } from 'vue';
import { pick, t, has } from '@ui/words';
import { campaignNow } from '@ui/now';
import { check, codesOf, itemDef, plan, type Checked, type Finding, type ItemDef, type Row } from './core';
import { tableOf, type Screen, type Table, type Value, type Values } from './screens';

export interface DraftRow {
  id: string;
  values: Values;
  /** Items whose value follows from others. */
  auto: string[];
  /** Put there by hand: stays though it is empty. */
  own?: boolean;
}

export interface Draft {
  v: 1;
  form: string;
  who: '' | 'member' | 'relative';
  household: DraftRow;
  rosters: Record<string, DraftRow[]>;
  /** Reasons given for soft findings: "RULE:row id" → words. */
  confirm: Record<string, string>;
  /** Screens answered once, by step key. */
  done: Record<string, true>;
  /** Where to go on. */
  at: string;
  started: string;
  device: string;
  counter: number;
  sent: string; // digest of what the last counter stood for
  base: number;
  query: number;
  /** Revision of the server's copy this one contains. */
  rev: number;
  dirty: boolean;
}

export interface Step {
  /** In the address: "count", "person-2-stay". */
  id: string;
  screen: Screen;
  entity: string;
  row: number;
  items: string[];
}

/**
 * Whose form it is, set once by the face: the mode of collection its returns
 * say, and the prefix of its own wording ("hh.q.D1"); where a face has no
 * words for a question it is asked in the plan's.  `sheet`: the whole form
 * stands on one page, /form.
 */
export const manner = { mode: 'self', words: 'hh', sheet: false };

const uid = (): string => Math.random().toString(36).slice(2, 10);
const newRow = (): DraftRow => ({ id: uid(), values: {}, auto: [] });

export const draft = reactive<Draft>(empty());
export const result = shallowRef<Checked | null>(null);
export const asked = shallowRef<Record<string, Row[]>>({});
/** Counts up with every change; keep.ts listens. */
export const changes = ref(0);
export let table: Table = tableOf('', '');
let offset = 480;

function empty(): Draft {
  return {
    v: 1, form: '', who: '', household: newRow(), rosters: {}, confirm: {}, done: {}, at: '', started: '',
    device: `web-${uid()}`, counter: 0, sent: '', base: 0, query: 0, rev: 0, dirty: false,
  };
}

/** Campaign time as the documents write it. */
export function isoNow(): string {
  const d = new Date(campaignNow() + offset * 60000);
  const sign = offset < 0 ? '-' : '+';
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.toISOString().slice(0, 19)}${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
}

/** Begins with a kept draft, or with none. */
export function begin(campaign: string, form: string, kept: Draft | null): void {
  table = tableOf(campaign, form);
  lastRows = lastFound = '';
  offset = plan.offset_minutes;
  Object.assign(draft, empty(), kept ?? {});
  draft.form = form;
  for (const [name, e] of Object.entries(plan.form.entities)) if (e.rows) draft.rosters[name] ??= [];
  draft.started ||= isoNow();
  fitRows();
  run();
}

/** Nothing of whoever filled in here before. */
export function wipe(): void {
  lastRows = lastFound = '';
  Object.assign(draft, empty());
  asked.value = {};
  result.value = null;
}

/** Begins from a delivered return, to answer a query about it. */
export function fromReturn(r: Record<string, unknown>, query: number): Draft {
  const d = empty();
  const take = (values: Record<string, unknown>): DraftRow => {
    const row = newRow();
    for (const [k, v] of Object.entries(values)) {
      if (v !== null && typeof v === 'object') row.values[k] = 'missing' in v ? (v as { missing: string }) : undefined;
      else row.values[k] = String(v);
    }
    return row;
  };
  d.household = take((r.answers ?? {}) as Record<string, unknown>);
  for (const [name, e] of Object.entries(plan.form.entities))
    if (e.rows) d.rosters[name] = ((r[name] ?? []) as Record<string, unknown>[]).map(take);
  d.base = Number(r.version);
  d.query = query;
  d.who = 'member';
  return d;
}

// ---- rows and answers -------------------------------------------------------

export function rowOf(entity: string, row: number): DraftRow | undefined {
  return plan.form.entities[entity]?.rows ? draft.rosters[entity]?.[row] : draft.household;
}
export function rowsOf(entity: string): DraftRow[] {
  return plan.form.entities[entity]?.rows ? (draft.rosters[entity] ?? []) : [draft.household];
}
export function valueOf(entity: string, row: number, item: string): Value | undefined {
  return rowOf(entity, row)?.values[item];
}
export function textOf(entity: string, row: number, item: string): string {
  const v = valueOf(entity, row, item);
  return typeof v === 'string' ? v : '';
}
export function isAuto(entity: string, row: number, item: string): boolean {
  return rowOf(entity, row)?.auto.includes(item) ?? false;
}
export function given(v: Value | undefined): boolean {
  return typeof v === 'object' || (typeof v === 'string' && v.trim() !== '');
}

let waiting = false;

function changed(): void {
  draft.dirty = true;
  changes.value++;
  if (waiting) return;
  waiting = true;
  // first the letter on the glass, then the rules
  requestAnimationFrame(() =>
    setTimeout(() => {
      waiting = false;
      run();
    }),
  );
}

export function set(entity: string, row: number, item: string, value: Value | undefined): void {
  const r = rowOf(entity, row);
  if (!r) return;
  r.values[item] = value;
  r.auto = r.auto.filter((a) => a !== item);
  changed();
}

export function patch(what: Partial<Draft>): void {
  Object.assign(draft, what);
  changed();
}

export function addRow(entity: string): number {
  const rows = (draft.rosters[entity] ??= []);
  rows.push({ ...newRow(), own: true });
  changed();
  run();
  return rows.length - 1;
}

export function removeRow(entity: string, row: number): void {
  const [gone] = (draft.rosters[entity] ?? []).splice(row, 1);
  if (gone) {
    for (const k of Object.keys(draft.confirm)) if (k.endsWith(`:${gone.id}`)) delete draft.confirm[k];
    for (const k of Object.keys(draft.done)) if (k.startsWith(`${gone.id}/`)) delete draft.done[k];
  }
  changed();
  run();
}

const spare = (r: DraftRow): boolean => !r.own && Object.entries(r.values).every(([k, v]) => !given(v) || r.auto.includes(k));

/** As many rows as the answers speak of; none with anything in it is lost. */
export function fitRows(): void {
  for (const [entity, want] of Object.entries(table.rows)) {
    const rows = (draft.rosters[entity] ??= []);
    const n = Math.min(want(draft.household.values), plan.form.entities[entity]?.rows ?? 0);
    while (rows.length < n) rows.push(newRow());
    while (rows.length > n && spare(rows[rows.length - 1]!))
      rows.pop();
  }
}

// ---- the core ---------------------------------------------------------------

type Doc = Record<string, unknown>;

function clean(values: Values, def: Record<string, ItemDef>): Record<string, Value> {
  const out: Record<string, Value> = {};
  for (const [k, v] of Object.entries(values)) {
    if (!given(v) || !def[k] || def[k].from) continue;
    let text = v!;
    if (typeof text === 'string') {
      text = text.trim();
      if (def[k].type === 'citizen-id') text = text.replace(/\s/g, '').toUpperCase();
    }
    out[k] = text;
  }
  return out;
}

function documentOf(): Doc {
  const d = toRaw(draft); // read as it is: a proxy costs a slow phone its frame
  const doc: Doc = {
    form: d.form,
    mode: manner.mode,
    base: d.base,
    device: d.device,
    counter: Math.max(1, d.counter),
    started: d.started,
    finished: isoNow(),
    signed: true,
    household: household.value,
    answers: clean(d.household.values, Object.values(plan.form.entities)[0]!.items), // of which there is one row
  };
  for (const [name, e] of Object.entries(plan.form.entities))
    if (e.rows) doc[name] = (d.rosters[name] ?? []).map((r) => clean(r.values, e.items));
  return doc;
}

/** The account's household; set when signed in. */
export const household = ref('');

/** Takes out what is not asked; true when something was. */
function prune(doc: Doc, rows: Record<string, Row[]>): boolean {
  let cut = false;
  for (const [name, e] of Object.entries(plan.form.entities)) {
    const list = (e.rows ? doc[name] : [doc.answers]) as Record<string, Value>[];
    list.forEach((values, i) => {
      for (const k of Object.keys(values))
        if (!rows[name]?.[i]?.asked.includes(k)) {
          delete values[k];
          cut = true;
        }
    });
  }
  return cut;
}

/** Fills in what follows; true when something changed. */
function follow(rows: Record<string, Row[]>): boolean {
  let moved = false;
  for (const name of Object.keys(plan.form.entities)) {
    rowsOf(name).forEach((r, i) => {
      const raw = toRaw(r);
      for (const [k, v] of Object.entries(table.derive(name, i, raw.values, rows[name]?.[i]?.facts ?? {}))) {
        const own = raw.auto.includes(k);
        if (v !== undefined && (own || !given(raw.values[k]))) {
          if (raw.values[k] === v && own) continue;
          moved = true;
          r.values[k] = v;
          if (!own) r.auto.push(k);
        } else if (v === undefined && own) {
          delete r.values[k];
          r.auto = r.auto.filter((a) => a !== k);
          moved = true;
        }
      }
    });
  }
  return moved;
}

let lastDoc: Doc = {};
let lastRows = '';
let lastFound = '';

export function run(): void {
  let doc = documentOf();
  let r = check(doc);
  for (let i = 0; i < 4; i++) {
    const moved = follow(r.rows!);
    if (moved) doc = documentOf();
    if (!prune(doc, r.rows!) && !moved) break;
    r = check(doc);
  }
  lastDoc = doc;
  // unchanged is unchanged: nothing is drawn again for it
  const rows = JSON.stringify(r.rows);
  if (rows !== lastRows) asked.value = r.rows!;
  lastRows = rows;
  const found = JSON.stringify(r.findings);
  if (found !== lastFound) result.value = r;
  lastFound = found;
}

/** What is sent: the answers that are asked, and the words for soft findings. */
export function toSend(): Doc {
  run();
  const confirm: { rule: string; row?: number; reason: string }[] = [];
  for (const f of findings.value) {
    const reason = draft.confirm[confirmKey(f)];
    if (reason && !f.hard) confirm.push({ rule: f.rule, ...(f.row ? { row: f.row } : {}), reason });
  }
  return { ...lastDoc, ...(draft.query ? { query: String(draft.query) } : {}), ...(confirm.length ? { confirm } : {}) };
}

// ---- screens ----------------------------------------------------------------

function visible(entity: string, item: string): boolean {
  const def = itemDef(entity, item);
  if (!def || def.from || table.hidden.includes(item) || table.last.includes(item)) return false;
  return !(def.required === false && def.group && !named.value.has(item));
}

const named = computed(() => {
  void asked.value; // another form, another table
  return new Set(table.screens.flatMap((s) => s.items));
});

/** The table's screens, and one for each item it does not name. */
const screens = computed<Screen[]>(() => {
  void asked.value;
  const out = [...table.screens];
  for (const [entity, e] of Object.entries(plan.form.entities))
    for (const item of Object.keys(e.items))
      if (!named.value.has(item) && visible(entity, item)) out.push({ id: item, entity, items: [item] });
  return out;
});

/** Is it asked of this row, and not settled by other answers? */
export function open(entity: string, row: number, item: string): boolean {
  if (!asked.value[entity]?.[row]?.asked.includes(item)) return false;
  return !isAuto(entity, row, item) || table.readBack.includes(item);
}

function stepOf(s: Screen, row: number): Step | null {
  const items = s.items.filter((i) => visible(s.entity, i) && open(s.entity, row, i));
  if (!items.length || items.every((i) => table.readBack.includes(i))) return null;
  const id = plan.form.entities[s.entity]?.rows ? `${s.entity}-${row + 1}-${s.id}` : s.id;
  return { id, screen: s, entity: s.entity, row, items };
}

/** Every screen of this household as the answers stand, in order. */
export const steps = computed<Step[]>(() => {
  const out: Step[] = [];
  const list = screens.value;
  for (let i = 0; i < list.length; ) {
    const entity = list[i]!.entity;
    let end = i;
    while (end < list.length && list[end]!.entity === entity) end++;
    rowsOf(entity).forEach((_, row) => {
      for (const s of list.slice(i, end)) {
        const step = stepOf(s, row);
        if (step) out.push(step);
      }
    });
    i = end;
  }
  return out;
});

export function stepById(id: string): Step | undefined {
  return steps.value.find((s) => s.id === id);
}
export function nextStep(id: string): Step | undefined {
  return steps.value[steps.value.findIndex((s) => s.id === id) + 1];
}
export function stepWith(entity: string, row: number, item: string): Step | undefined {
  return steps.value.find((s) => s.entity === entity && s.row === row && s.screen.items.includes(item));
}
/** Behind a screen: the next one, or the page that checks everything. */
export function after(s: Step): string {
  const next = nextStep(s.id);
  return next ? `/q/${next.id}` : '/check';
}
/** Where to go on is kept with the answers. */
export function note(at: string): void {
  if (draft.at !== at) patch({ at });
}
export function stepKey(s: Step): string {
  return `${rowOf(s.entity, s.row)?.id ?? ''}/${s.screen.id}`;
}
export const firstUndone = computed(() => steps.value.find((s) => leftOn(s).length > 0 || !draft.done[stepKey(s)]));

/** Items of a screen that want an answer and have none. */
export function leftOn(s: Step): string[] {
  return s.items.filter((i) => itemDef(s.entity, i).required !== false && !given(valueOf(s.entity, s.row, i)));
}
export function leftOf(entity: string, row: number): number {
  return steps.value.filter((s) => s.entity === entity && s.row === row).reduce((n, s) => n + leftOn(s).length, 0);
}

// ---- what is wrong ----------------------------------------------------------

export interface Wrong {
  rule: string;
  hard: boolean;
  entity: string;
  /** From 1; 0 for the household. */
  row: number;
  items: string[];
  text: string;
}

/** Findings that speak of something the household can answer. */
export const findings = computed<Wrong[]>(() =>
  (result.value?.findings ?? [])
    .filter((f: Finding) => f.items.some((i) => ours(f.entity, i)))
    .map((f) => ({
      rule: f.rule,
      hard: f.severity === 'hard',
      entity: f.entity,
      row: f.row,
      items: f.items,
      text: pick({ zh: f.zh, en: f.en }),
    })),
);

/** The entity an item of a finding belongs to. */
export function entityOf(item: string, hint: string): string | undefined {
  if (plan.form.entities[hint]?.items[item]) return hint;
  return Object.keys(plan.form.entities).find((e) => plan.form.entities[e]!.items[item]);
}
function ours(entity: string, item: string): boolean {
  const e = entityOf(item, entity);
  return e !== undefined && !itemDef(e, item).from && !table.hidden.includes(item);
}

/** Answers that are still missing on all screens. */
export const left = computed(() => steps.value.reduce((n, s) => n + leftOn(s).length, 0));
/** What must be mended or said before the form is finished; while answers are missing the rules would only say that again. */
export const wrong = computed<Wrong[]>(() => (left.value ? [] : findings.value.filter((f) => !confirmed(f) && !excused(f))));

export function confirmKey(f: { rule: string; entity: string; row: number }): string {
  return `${f.rule}:${f.row ? (rowOf(f.entity, f.row - 1)?.id ?? '') : ''}`;
}
export function confirmed(f: Wrong): boolean {
  return !f.hard && !!draft.confirm[confirmKey(f)];
}

/** A reason was given why an answer is missing: the enumerator settles it. */
export function excused(f: Wrong): boolean {
  return f.items.some((i) => {
    const e = entityOf(i, f.entity);
    return e !== undefined && typeof valueOf(e, e === f.entity && f.row ? f.row - 1 : 0, i) === 'object';
  });
}

/**
 * Findings to show at the end of a screen: they touch an item on it, and
 * everything they speak of has been asked by then.
 */
export function wrongOn(s: Step): Wrong[] {
  const roster = !!plan.form.entities[s.entity]?.rows;
  return findings.value.filter(
    (f) =>
      f.entity === s.entity &&
      (!roster || f.row === s.row + 1) &&
      f.items.some((i) => s.screen.items.includes(i)) &&
      f.items.every((i) => askedBy(s, i)) &&
      !confirmed(f) &&
      !excused(f),
  );
}

/** Has this item been asked by the end of screen s, wherever it stands? */
function askedBy(s: Step, item: string): boolean {
  const e = entityOf(item, s.entity);
  return steps.value
    .filter((o) => o.entity === e && (e !== s.entity || o.row === s.row) && o.screen.items.includes(item))
    .every((o) => o.id === s.id || draft.done[stepKey(o)]);
}

// ---- words ------------------------------------------------------------------

export function nameOf(entity: string, row: number): string {
  const item = table.name[entity];
  const name = item ? textOf(entity, row, item).trim() : '';
  if (name) return name;
  return t(entity === 'death' ? 'hh.dead.n' : 'hh.person.n', { n: row + 1, of: pick(plan.form.entities[entity]) });
}

/** The face's own words for something of the form, as a key; '' when it has none. */
export function speaks(of: string): string {
  const key = `${manner.words}.${of}`;
  return table.words && has(key) ? key : '';
}
/** A word that says who will settle a matter: the face's own, else the household's. */
export function word(of: string): string {
  const key = `${manner.words}.${of}`;
  return has(key) ? key : `hh.${of}`;
}
export function question(entity: string, row: number, item: string): string {
  const key = speaks(`q.${item}`);
  return key ? t(key, { name: nameOf(entity, row) }) : pick(itemDef(entity, item));
}
export function hint(entity: string, item: string): string {
  const key = speaks(`h.${item}`);
  return key ? t(key) : (itemDef(entity, item).hint ?? '');
}
export function option(item: string, code: string, label: { zh: string; en: string }): string {
  const key = speaks(`o.${item}.${code}`);
  return key ? t(key) : pick(label);
}
/** The answer as a person would say it. */
export function said(entity: string, row: number, item: string): string {
  const v = valueOf(entity, row, item);
  const def = itemDef(entity, item);
  if (typeof v === 'object') return t(word('unsaid'));
  if (!given(v)) return '';
  if (def.type === 'code') {
    const c = codesOf(def).find((x) => x.code === v);
    return c ? option(item, c.code, c.label) : v!;
  }
  if (def.type === 'month') {
    const m = /^(\d{4})-(\d{2})$/.exec(v!);
    return m ? t('hh.month', { y: m[1]!, m: Number(m[2]) }) : v!;
  }
  return v!.trim();
}
