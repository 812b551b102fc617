/* A built table as the server gives it, and its rows and columns. */
export interface Class {
  code: string;
  zh: string;
  en: string;
}
export interface Dim {
  name: string;
  zh: string;
  en: string;
  classes: Class[];
}
/** A number; null: no value; "x": withheld. */
export type Cell = number | null | 'x';
export interface Built {
  measure: string;
  of: string;
  dims: Dim[];
  margins: Cell[];
  places: number;
  withheld: number;
  least: number;
}
export interface Answer {
  as_of: string;
  area: { code: string; zh: string; en: string; level: string };
  listed: number;
  submitted: number;
  entry: { store: string; seq: number };
  table: Built;
}
export interface Named {
  name: string;
  zh: string;
  en: string;
}
export interface Items {
  unit: string;
  entities: Named[];
  items: (Named & { entity: string; type: string })[];
  variables: (Named & { entity: string })[];
  levels: Named[];
}

/** Value at a coordinate; `at[d] === classes.length` is the total. */
export function valueAt(tb: Built, at: number[]): Cell {
  let k = 0;
  tb.dims.forEach((d, i) => {
    k = k * (d.classes.length + 1) + (at[i] ?? d.classes.length);
  });
  return tb.margins[k] ?? null;
}

/** Coordinates of all rows of the dimensions `down`, totals last. */
export function rowsOf(tb: Built, down: number[], most: number): number[][] {
  let list: number[][] = [[]];
  for (const k of down) {
    const n = tb.dims[k]!.classes.length;
    list = list.flatMap((r) => Array.from({ length: n + 1 }, (_, c) => [...r, c]));
    if (list.length > most) return list.slice(0, most);
  }
  return list;
}

function quoted(s: string): string {
  return /[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s;
}

/** Every cell and margin, one a line. */
export function csvOf(tb: Built, label: (c: Class) => string, words: { total: string; withheld: string }): string {
  const lines = [[...tb.dims.flatMap((d) => [d.name, `${d.name}_label`]), tb.measure].map(quoted).join(',')];
  for (const at of rowsOf(tb, tb.dims.map((_, i) => i), Infinity)) {
    const v = valueAt(tb, at);
    const names = at.flatMap((c, d) => {
      const dim = tb.dims[d]!;
      return c === dim.classes.length ? ['_T', words.total] : [dim.classes[c]!.code, label(dim.classes[c]!)];
    });
    lines.push([...names, v === 'x' ? words.withheld : v === null ? '' : v.toFixed(tb.places)].map(quoted).join(','));
  }
  return `\ufeff${lines.join('\r\n')}\r\n`;
}
