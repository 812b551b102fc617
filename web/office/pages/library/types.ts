// What GET /library and /library/{flow} answer (src/features/library/README.md).
import type { Level } from '@ui/PLevel.vue';
import type { Named, RunFace } from '../case/types';
import type { Under } from '../cases/groups';

export type { Named };
export type Standing = 'in-force' | 'trial' | 'not-yet' | 'unapproved';
export interface Head {
  flow: string;
  zh: string;
  en: string;
  version: number;
  group: Under;
  owner: Named;
  standing: Standing;
  in_force: 'issue' | 'approval';
  pack?: string;
  file?: string;
  overlay?: boolean;
  issued?: { interpreter: Named; effective: string; approved?: string; trial: boolean; part_of: string };
}
export interface Item extends Head {
  steps: number;
  approvals: number;
  clocks: number;
  recurs: boolean;
  clauses: number;
  open?: number;
  drills?: number;
  old?: number;
  ended?: number;
}
export interface Pack {
  name: string;
  digest: string;
  overlay: boolean;
  changes?: (Named & { text: string })[];
}
export interface Library {
  as_of: string;
  plan: { id: string; version: string; zh: string; en: string; digest: string; packs: Pack[] };
  items: Item[];
}
export interface Seat extends Named {
  role: Named & { external: boolean };
  reach: 'own' | 'parent' | 'ancestor' | 'any';
  level_zh?: string;
  level_en?: string;
}
export interface FlowRef extends Named {
  here: boolean;
}
export interface Transition extends Named {
  from: string[];
  to?: string;
  by: string[];
  clock?: string;
  approval?: string;
  needs: string[];
  papers: string[];
  steps: string[];
  all_steps: boolean;
  none_open: FlowRef[];
  when_zh?: string;
  when_en?: string;
  report?: string;
  tells: string[];
  opens: FlowRef[];
}
export interface Step extends Named {
  authority: 'own' | 'order';
  by: string[];
  ordered_by: string[];
  states: string[];
  after: string[];
  when_zh?: string;
  when_en?: string;
  optional: boolean;
  approval?: string;
  opens_due?: string;
  needs: string[];
  papers: string[];
}
export interface Approval extends Named {
  rule: 'one' | 'all' | 'n' | 'sequence';
  n: number;
  seats: string[];
  asked_by: string[];
  not_requester: boolean;
  void_on_change: boolean;
  covers: string[];
  expires_ms: number;
}
export interface Clock extends Named {
  start: Named[];
  stop: Named[];
  limit_ms?: number;
  at?: string;
  minutes?: string;
  setting?: Named & { text: string };
  office: boolean;
  when_zh?: string;
  when_en?: string;
  warn: number[];
  ladder: string[];
  every_ms: number;
}
export interface Run extends RunFace {
  level?: Level;
  state: string;
  version: number;
  plan: string;
  old: boolean;
  acts: (Named & { at: string; signed: (Named & { at: string })[] })[];
}
export interface Definition extends Head {
  as_of: string;
  clauses: string[];
  seats: Seat[];
  fields: (Named & { type: string; secret: boolean; by: string[] })[];
  papers: Named[];
  states: (Named & { is: 'first' | 'active' | 'last' })[];
  open: { by: string[]; needs: string[] };
  transitions: Transition[];
  steps: Step[];
  approvals: Approval[];
  clocks: Clock[];
  reports: (Named & { to: string; fields: string[]; may_skip: boolean })[];
  opens: FlowRef[];
  outranks: FlowRef[];
  blocks: { flow: FlowRef; act: Partial<Named>; until?: string }[];
  recurrence?: { every: string; every_ms: number; at: string };
  quantities: (Named & { unit_zh: string; unit_en: string })[];
  seen: boolean;
  counts: { open: number; ended: number; drills: number };
  runs: Run[];
}
