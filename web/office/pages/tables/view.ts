/* A table as the server gives it, and how it is laid out in rows and columns. */
export interface Class {
  code: string;
  zh: string;
  en: string;
}
export interface Dim {
  name: string;
  kind: 'level' | 'variable' | 'item' | 'residents';
  zh: string;
  en: string;
  classes: Class[];
}
export interface Listed {
  id: string;
  zh: string;
  en: string;
  entity: string;
  by: string[];
  base: 'resident' | 'de_facto' | 'registered' | 'all';
  where: string;
  base_cases: { case: number; zh: string; en: string }[];
  dims_of: { name: string; kind: Dim['kind']; zh: string; en: string }[];
}
export interface Table extends Listed {
  dims: Dim[];
  cells: (number | null)[];
  total: number | null;
  /** Each dimension's classes, then its total. */
  margins: (number | null)[];
  withheld: number;
  least: number;
}
export interface Answer {
  as_of: string;
  source: { plan_digest: string; heads: { store: string; height: number }[] };
  area: { code: string; zh: string; en: string; level: string };
  listed: number;
  submitted: number;
  entry: { store: string; seq: number };
  table: Table;
}

/** Value at a coordinate; null withheld. `at[d] === classes.length` is the total. */
export function valueAt(tb: Table, at: number[]): number | null {
  let k = 0;
  tb.dims.forEach((d, i) => {
    k = k * (d.classes.length + 1) + (at[i] ?? d.classes.length);
  });
  return tb.margins[k] ?? null;
}

/** Classes of a dimension that hold something anywhere, the total last. */
export function shownClasses(tb: Table, d: number): number[] {
  const dim = tb.dims[d]!;
  const list: number[] = [];
  const whole = tb.dims.map((x) => x.classes.length);
  for (let i = 0; i < dim.classes.length; i++) {
    const at = [...whole];
    at[d] = i;
    // "unknown" stands last and only when somebody is in it
    if (i < dim.classes.length - 1 || valueAt(tb, at) !== 0) list.push(i);
  }
  list.push(dim.classes.length);
  return list;
}

/** The two dimensions of a population pyramid, or null. */
export function pyramidOf(tb: Table): { age: number; sex: number } | null {
  const sex = tb.dims.findIndex((d) => d.kind === 'item' && d.classes.length === 3);
  const age = tb.dims.findIndex((d) => d.kind === 'variable' && d.classes.length > 5);
  return sex >= 0 && age >= 0 ? { age, sex } : null;
}
