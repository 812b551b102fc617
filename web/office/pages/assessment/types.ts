export interface Totals {
  points: string;
  full: string;
  result: string;
  bonus: string;
  bonus_open: string;
  scored: number;
  items: number;
  weak: number;
  appeals_open: number;
  agrees: boolean;
  award: boolean;
  stated: string | null;
  appeal_until?: string;
  veto: '' | 'score' | 'award';
  veto_zh?: string;
  veto_en?: string;
  veto_ref?: string;
}
export interface Office extends Totals {
  area: string;
  area_zh: string;
  area_en: string;
  rank: number;
}
export interface Ranking {
  level: string;
  zh: string;
  en: string;
  items: Office[];
}
export interface Entry {
  id: number;
  kind: string;
  at: string;
  role: string;
  person: string;
  item: string;
  reason: string;
  digest: string;
  ref: string;
  of: number;
  points: string;
  count: number | null;
  total: number | null;
}
export interface Paper {
  id: string;
  zh: string;
  en: string;
  due: string;
  least: number | null;
  state: 'missing' | 'expired' | 'late' | 'short' | 'good';
  digest: string;
  version: string;
  day: string;
  until: string;
  count: number | null;
}
export interface Item {
  id: string;
  zh: string;
  en: string;
  full: string;
  points: string;
  scored: boolean;
  weak: boolean;
  measured: boolean;
  result: boolean;
  metric: string;
  of: string;
  papers: Paper[];
  cases: string[]; // that stand against full points: "case/12"
  by: Entry | null;
}
export interface Section {
  id: string;
  zh: string;
  en: string;
  full: string;
  points: string;
  rules_zh: string;
  rules_en: string;
  rules_version: string;
  mine: boolean;
  groups: { zh: string; en: string }[];
  items: Item[];
}
export interface Sheet extends Omit<Totals, 'items'> {
  area: string;
  zh: string;
  en: string;
  items: number;
  sections: Section[];
  vetoes: { id: string; zh: string; en: string; effect: 'score' | 'award'; mine: boolean }[];
  entries: Entry[];
}
