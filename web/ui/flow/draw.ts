/*
 * A workflow as boxes and arrows: states with the steps done in them, acts by
 * their numbers in the list below the drawing.  Acts that lead from the same
 * state to the same one share an arrow; what can be done in every open state
 * starts from one box for all of them; an act that leaves the state as it is
 * stands in the box.
 */
import { layout, type Arrow, type Box, type Placed } from './layout';
import { halves, wrap } from './text';

interface Word {
  id: string;
  zh: string;
  en: string;
}
export interface Transition extends Word {
  from: string[];
  to?: string;
}
export interface Step extends Word {
  authority: 'own' | 'order';
  states: string[];
  after: string[];
  optional: boolean;
}
/** What is drawn of a workflow; without steps, its states and acts alone. */
export interface Graph {
  states: (Word & { is: 'first' | 'active' | 'last' })[];
  transitions: Transition[];
  steps: Step[];
}

export const ANY = '*';
const LINE = 18;

export interface Row {
  kind: 'step' | 'order' | 'stay';
  text: string[];
  optional: boolean;
}
export interface StateBox {
  id: string;
  is: 'first' | 'active' | 'last' | 'any' | 'always';
  title: string[];
  rows: Row[];
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface FlowArrow {
  id: string;
  path: string;
  x: number;
  y: number;
  w: number;
  h: number;
  text: string[];
  acts: number[];
  back: boolean;
  end: { x: number; y: number };
  down: boolean;
}
export interface Drawing {
  width: number;
  height: number;
  boxes: StateBox[];
  arrows: FlowArrow[];
}
export interface Words {
  name: (x: { zh: string; en: string }) => string;
  any: string;
  always: string;
  /** "⟳ 3、5": acts that leave the state as it is; absent: acts are named, not numbered. */
  stay?: (numbers: string) => string;
}

/** Number of an act in the list: its place in the plan's file. */
export function numbers(list: number[]): string {
  const out: string[] = [];
  for (let i = 0; i < list.length; i++) {
    let k = i;
    while (k + 1 < list.length && list[k + 1] === list[k]! + 1) k++;
    out.push(k > i + 1 ? `${list[i]}–${list[k]}` : list.slice(i, k + 1).join('、'));
    i = k;
  }
  return out.join('、');
}

/** Steps in an order in which they can be done. */
export function inOrder<S extends Step>(steps: S[]): S[] {
  const out: S[] = [];
  const left = [...steps];
  while (left.length) {
    const at = left.findIndex((s) => s.after.every((a) => !left.some((x) => x.id === a)));
    out.push(...left.splice(Math.max(at, 0), 1));
  }
  return out;
}

export function draw(d: Graph, narrow: boolean, words: Words): Drawing {
  const w = narrow ? 136 : 190;
  const room = Math.floor((w - 20) / 7);
  const active = d.states.filter((s) => s.is !== 'last').map((s) => s.id);
  const boxes: StateBox[] = [];
  const box = (id: string, is: StateBox['is'], title: string, rows: Row[]): void => {
    const lines = wrap(title, room, 2);
    const n = rows.reduce((s, r) => s + r.text.length, 0);
    boxes.push({ id, is, title: lines, rows, x: 0, y: 0, w, h: 16 + LINE * lines.length + (n ? 8 + LINE * n : 0) });
  };
  const row = (s: Step): Row => ({
    kind: s.authority === 'own' ? 'step' : 'order',
    text: wrap(words.name(s), room - 3, 2),
    optional: s.optional,
  });
  const everywhere = active.length > 1 ? d.steps.filter((s) => active.every((a) => s.states.includes(a))) : [];
  for (const s of d.states) {
    const steps = inOrder(d.steps.filter((x) => !everywhere.includes(x) && x.states.includes(s.id)));
    const stays = d.transitions.map((t, i) => ({ t, n: i + 1 })).filter(({ t }) => !t.to && t.from.includes(s.id));
    const rows = steps.map(row);
    if (stays.length && words.stay) rows.push({ kind: 'stay', text: wrap(words.stay(numbers(stays.map((x) => x.n))), room - 3, 2), optional: false });
    box(s.id, s.is, words.name(s), rows);
  }
  // an act open in every state that is not an end, of which there are several
  const fromAny = (t: Transition) => active.length > 2 && !!t.to && active.every((a) => t.from.includes(a) || a === t.to);
  if (d.transitions.some(fromAny)) box(ANY, 'any', words.any, []);
  const merged = new Map<string, { from: string; to: string; acts: number[] }>();
  d.transitions.forEach((t, i) => {
    if (!t.to) return;
    for (const from of fromAny(t) ? [ANY] : t.from) {
      if (from === t.to) continue;
      const key = `${from} ${t.to}`;
      const e = merged.get(key) ?? { from, to: t.to, acts: [] };
      e.acts.push(i + 1);
      merged.set(key, e);
    }
  });
  const label = (acts: number[]): string[] => {
    if (!words.stay) {
      // the same name once, though two acts lead there
      const names = [...new Set(acts.map((a) => words.name(d.transitions[a - 1]!)))];
      return wrap(names.join(' / '), narrow ? 14 : 18, 3);
    }
    const n = numbers(acts);
    if (narrow || acts.length > 1) return wrap(n, narrow ? 8 : 16, 2);
    return wrap(`${n} ${words.name(d.transitions[acts[0]! - 1]!)}`, 18, 2);
  };
  const arrows: (Arrow & { text: string[]; acts: number[] })[] = [...merged].map(([id, e]) => {
    const text = label(e.acts);
    return { id, from: e.from, to: e.to, acts: e.acts, text, w: Math.max(22, 12 + 7 * Math.max(...text.map(halves))), h: 6 + 16 * text.length };
  });
  const placed: Placed = layout(
    boxes.map((b): Box => ({ id: b.id, w: b.w, h: b.h })),
    arrows,
    { x: narrow ? 10 : 18, y: narrow ? 12 : 14, margin: 8 },
  );
  for (const b of boxes) Object.assign(b, placed.box.get(b.id));
  let { width, height } = placed;
  if (everywhere.length) {
    // beside no state: below all of them
    const rows = inOrder(everywhere).map(row);
    box('+', 'always', words.always, rows);
    const b = boxes[boxes.length - 1]!;
    b.w = Math.max(w, Math.min(width - 16, 420));
    const wide = Math.floor((b.w - 20) / 7);
    b.title = wrap(words.always, wide, 2);
    b.rows = inOrder(everywhere).map((s) => ({ ...row(s), text: wrap(words.name(s), wide - 3, 2) }));
    b.h = 24 + LINE * (b.title.length + b.rows.reduce((s, r) => s + r.text.length, 0));
    b.x = 8;
    b.y = height + 8;
    height = b.y + b.h + 8;
    width = Math.max(width, b.w + 16);
  }
  return {
    width,
    height,
    boxes,
    arrows: placed.arrow.map((a) => {
      const of = arrows.find((x) => x.id === a.id)!;
      return { id: a.id, path: a.path, x: a.label.x, y: a.label.y, w: of.w, h: of.h, text: of.text, acts: of.acts, back: a.back, end: a.end, down: a.down };
    }),
  };
}
