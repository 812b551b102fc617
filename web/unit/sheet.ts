/*
 * The form as a sheet: sections of items in the form's own order and headings,
 * what is missing or cannot be read in each, and what the unit reported before.
 */
import { computed } from 'vue';
import { has, pick, t } from '@ui/words';
import { codesOf, itemDef, plan, type ItemDef } from '../form/core';
import { asked, entityOf, findings, confirmed, given, open, rowOf, rowsOf, textOf, valueOf, type Wrong } from '../form/model';

export interface Section {
  /** Of the address: "unit-place", "branch-2". */
  id: string;
  title: string;
  entity: string;
  row: number;
  items: string[];
}

/** Filled by the device or by a coder, never by the unit. */
const NOT_OURS = ['para', 'coding'];

function ours(entity: string, row: number, item: string): boolean {
  const d = itemDef(entity, item);
  return !d.from && !NOT_OURS.includes(d.group ?? '') && open(entity, row, item);
}

export const sections = computed<Section[]>(() => {
  const out: Section[] = [];
  void asked.value;
  for (const [entity, e] of Object.entries(plan.form.entities)) {
    if (e.rows) {
      rowsOf(entity).forEach((r, row) =>
        out.push({ id: `${entity}-${r.id}`, title: `${pick(e)} ${row + 1}`, entity, row, items: Object.keys(e.items).filter((i) => ours(entity, row, i)) }),
      );
      continue;
    }
    const groups: Record<string, string[]> = {};
    for (const i of Object.keys(e.items)) if (ours(entity, 0, i)) (groups[e.items[i]!.group ?? ''] ??= []).push(i);
    for (const [g, items] of Object.entries(groups))
      out.push({ id: `${entity}-${g}`, title: has(`un.g.${g}`) ? t(`un.g.${g}`) : pick(e), entity, row: 0, items });
  }
  return out;
});

/** Rosters of the form: the unit adds rows by itself. */
export const rosters = computed(() =>
  Object.entries(plan.form.entities)
    .filter(([, e]) => e.rows)
    .map(([entity, e]) => ({ entity, title: pick(e), most: e.rows! })),
);

/** Why what was typed is no answer; '' when it is one, or nothing was typed. */
export function unread(d: ItemDef, text: string): string {
  const v = text.trim();
  if (!v) return '';
  if (d.type === 'int' && !/^-?\d+$/.test(v)) return t('un.bad.int');
  if (d.type === 'decimal' && !/^-?\d+(\.\d+)?$/.test(v)) return t('un.bad.decimal');
  if (d.type === 'month' && !/^\d{4}-(0[1-9]|1[0-2])$/.test(v)) return t('un.bad.month');
  if (d.type === 'area' && d.digits && !new RegExp(`^\\d{${d.digits}}$`).test(v)) return t('un.bad.area', { n: d.digits });
  if (d.type === 'code' && !codesOf(d).some((c) => c.code === v)) return t('un.bad.code');
  const n = Number(v);
  if ((d.type === 'int' || d.type === 'decimal') && ((d.min !== undefined && n < Number(d.min)) || (d.max !== undefined && n > Number(d.max))))
    return t('un.bad.range', { min: String(d.min ?? ''), max: String(d.max ?? '') });
  return '';
}

export function isLeft(s: Section, item: string): boolean {
  const d = itemDef(s.entity, item);
  const text = textOf(s.entity, s.row, item);
  return unread(d, text) !== '' || (d.required !== false && !given(valueOf(s.entity, s.row, item)));
}
export const leftIn = (s: Section): number => s.items.filter((i) => isLeft(s, i)).length;
export const left = computed(() => sections.value.reduce((n, s) => n + leftIn(s), 0));

/** Findings that stand: hard ones, and soft ones without a reason yet. */
export const standing = computed<Wrong[]>(() => findings.value.filter((f) => !confirmed(f)));
/** A finding waits until all it speaks of has been answered. */
export const due = computed<Wrong[]>(() => standing.value.filter((f) => f.items.every((i) => settled(f, i))));

function settled(f: Wrong, item: string): boolean {
  const e = entityOf(item, f.entity);
  if (!e) return true;
  const row = e === f.entity && f.row ? f.row - 1 : 0;
  return itemDef(e, item).required === false || given(valueOf(e, row, item)) || !asked.value[e]?.[row]?.asked.includes(item);
}

export function cellId(entity: string, row: number, item: string): string {
  return `cell-${entity}-${rowOf(entity, row)?.id ?? row}-${item}`;
}
/** Where a finding is mended: its first item that stands on the sheet. */
export function cellOf(f: Wrong): { id: string; label: string } | null {
  for (const item of f.items) {
    const e = entityOf(item, f.entity);
    const row = e === f.entity && f.row ? f.row - 1 : 0;
    if (e && ours(e, row, item)) return { id: cellId(e, row, item), label: pick(itemDef(e, item)) };
  }
  return null;
}
export const touches = (f: Wrong, entity: string, row: number, item: string): boolean =>
  f.items.includes(item) && entityOf(item, f.entity) === entity && (!f.row || entity !== f.entity || f.row === row + 1);
