/*
 * A published table as rows and columns: two of its dimensions kept, the
 * others summed up or held at one class.  Withheld cells (null) make the sums
 * they would stand in unknown, never smaller.
 */
import type { ClassRow, PublishedTable } from './release';

export interface Choice {
  rows: number; // dimension
  columns: number; // dimension, -1 none
  at: Record<number, string>; // other dimensions: code of a class; absent: total
}
export interface Pivot {
  rows: ClassRow[];
  columns: ClassRow[]; // without the total
  cells: (number | null)[][]; // [row][column], then the row's total last
  totals: (number | null)[]; // by column, the whole last
}

const plus = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);

export function pivot(t: PublishedTable, c: Choice): Pivot {
  const dims = t.dims;
  const stride: number[] = [];
  let size = 1;
  for (let d = dims.length - 1; d >= 0; d--) {
    stride[d] = size;
    size *= dims[d]!.classes.length;
  }
  const rows = dims[c.rows]!.classes;
  const columns = c.columns < 0 ? [] : dims[c.columns]!.classes;
  const width = Math.max(1, columns.length);
  const grid: (number | null)[][] = rows.map(() => new Array<number | null>(width).fill(0));
  const held = dims.map((d, i) => (i === c.rows || i === c.columns || !(i in c.at) ? -1 : d.classes.findIndex((x) => x.code === c.at[i])));
  for (let k = 0; k < t.cells.length; k++) {
    let fits = true;
    for (let d = 0; d < dims.length && fits; d++)
      fits = held[d]! < 0 || Math.floor(k / stride[d]!) % dims[d]!.classes.length === held[d];
    if (!fits) continue;
    const r = Math.floor(k / stride[c.rows]!) % rows.length;
    const col = c.columns < 0 ? 0 : Math.floor(k / stride[c.columns]!) % columns.length;
    grid[r]![col] = plus(grid[r]![col]!, t.cells[k] ?? null);
  }
  // classes in which nothing was counted at all are not shown: "unknown" mostly
  const used = columns.map((_, i) => grid.some((row) => row[i] !== 0));
  const keep = columns.map((x, i) => used[i] || x.code !== 'unknown');
  const keptColumns = columns.filter((_, i) => keep[i]);
  const cells: (number | null)[][] = [];
  const keptRows: ClassRow[] = [];
  grid.forEach((row, i) => {
    const total = row.reduce(plus, 0);
    if (rows[i]!.code === 'unknown' && total === 0) return;
    keptRows.push(rows[i]!);
    cells.push(c.columns < 0 ? [total] : [...row.filter((_, k) => keep[k]), total]);
  });
  const n = cells[0]?.length ?? 1;
  const totals = Array.from({ length: n }, (_, i) => cells.reduce<number | null>((s, row) => plus(s, row[i] ?? null), 0));
  return { rows: keptRows, columns: keptColumns, cells, totals };
}

/** The dimensions of a population pyramid: ages and two sexes; null when it has none. */
export function pyramidOf(t: PublishedTable, kinds: string[]): { ages: number; sex: number } | null {
  const real = (i: number) => t.dims[i]!.classes.filter((x) => x.code !== 'unknown').length;
  const sex = t.dims.findIndex((_, i) => kinds[i] === 'item' && real(i) === 2);
  const ages = t.dims.findIndex((_, i) => kinds[i] === 'variable' && real(i) >= 6);
  return sex >= 0 && ages >= 0 ? { ages, sex } : null;
}
