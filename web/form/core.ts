/*
 * The form of the plan and the WASM core that routes and checks it: the same
 * texts and the same code as the server's, on the phone.
 */
import { load, type Checked, type Finding, type Puan, type Row } from '../../ext/wasm/puan.mjs';
import wasm from '../wasm/puan.wasm?url';
import { get } from '@ui/api';
import type { Pair } from '@ui/words';

export type { Checked, Finding, Row };

export interface ItemDef extends Partial<Pair> {
  type: string;
  codes?: string | Codes;
  min?: number | string;
  max?: number | string;
  digits?: number;
  from?: string;
  group?: string;
  required?: boolean;
  reasons?: string;
  /** Beside the question, as the plan words it. */
  hint?: string;
}
export type Codes = Record<string, Pair & { value?: number }>;
export interface EntityDef extends Pair {
  rows?: number;
  items: Record<string, ItemDef>;
}
export interface FormDef extends Pair {
  form: string;
  reasons?: string;
  codes?: Record<string, Codes>;
  entities: Record<string, EntityDef>;
}
export interface PlanForm {
  digest: string;
  reference_month: string;
  offset_minutes: number;
  form: FormDef;
  codes: Record<string, Codes>;
  settings: Record<string, number>;
  rules: { file: string; text: string }[];
}

export let plan: PlanForm;
let puan: Puan;
let rules = 0;
let opened = '';

/** Loads form and core, once for each form; `kept` is the form where there may be no network. */
export async function openForm(form: string, kept?: PlanForm): Promise<PlanForm> {
  if (opened === form) return plan;
  const [p, bytes] = await Promise.all([
    kept ?? get<PlanForm>(`/public/plan/forms/${form}`),
    puan ? null : fetch(wasm).then((a) => a.arrayBuffer()),
  ]);
  if (bytes) puan = await load(bytes);
  puan.forget();
  plan = p;
  rules = puan.rules(puan.form(p.form, p.codes, p.reference_month), p.rules, p.settings);
  opened = form;
  return p;
}

/** Findings, what is asked in each row, and facts of identity items. */
export function check(document: unknown): Checked {
  return puan.check(rules, document, true, true);
}

export function itemDef(entity: string, item: string): ItemDef {
  return plan.form.entities[entity]!.items[item]!;
}

/** Code list of an item, in the plan's order. */
export function codesOf(def: ItemDef): { code: string; label: Pair }[] {
  const list = typeof def.codes === 'string' ? (plan.form.codes?.[def.codes] ?? plan.codes[def.codes]) : def.codes;
  return Object.entries(list ?? {})
    .map(([code, label], i) => ({ code, label, order: label.value ?? (/^\d+$/.test(code) ? Number(code) : i) }))
    .sort((a, b) => a.order - b.order);
}

/** Reasons for which an answer may be missing. */
export function reasonsOf(def: ItemDef): { code: string; label: Pair }[] {
  const name = def.reasons ?? plan.form.reasons;
  return name && def.required !== false ? codesOf({ type: 'code', codes: name }) : [];
}
