// What GET /registers and /registers/{flow} answer (src/features/registers/README.md).
import type { Named, RunRow } from '../case/types';
import type { Under } from '../cases/groups';

export interface Stock extends Named {
  unit_zh: string;
  unit_en: string;
  area: string;
  area_zh?: string;
  area_en?: string;
  of: string;
  in: number;
  out: number;
  left: number;
}
export interface Book {
  flow: string;
  zh: string;
  en: string;
  group: Under;
  owner_zh: string;
  owner_en: string;
  open: number;
  overdue: number;
  today: number;
  ended: number;
  recurrence?: { every: string; every_ms: number; at: string };
  next?: string;
  last?: string;
  stocks: Stock[];
}
export interface Books {
  as_of: string;
  due: number;
  today: RunRow[];
  items: Book[];
}
export interface Value {
  zh?: string;
  en?: string;
  sealed?: boolean;
}
export interface Entry extends RunRow {
  values: (Value | null)[];
  papers: (Named & { given: boolean })[];
  signed: (Named & { at: string })[];
}
export interface OneBook {
  as_of: string;
  register: Book;
  total: number;
  columns: (Named & { number: boolean; secret: boolean; opening: boolean })[];
  items: Entry[];
  next: number | null;
}
