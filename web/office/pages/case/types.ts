// What GET /cases, /cases/{id} and /notices answer (src/features/cases/README.md).
import type { FlowMove, FlowState } from '@ui/PFlow.vue';
import type { Level } from '@ui/PLevel.vue';

/** What became of a message, the best of its channels. */
export type Sent = 'received' | 'handed' | 'waiting' | 'failed' | 'no-address';
export interface Named {
  id: string;
  zh: string;
  en: string;
}
export interface Lock {
  kind: string;
  id?: string;
  zh: string;
  en: string;
}
export interface Paper extends Named {
  given: boolean;
}
export interface Outside extends Named {
  role: string;
  levels: Named[];
}
export interface Now extends Named {
  do: 'take' | 'sign' | 'step' | 'act' | 'ask' | 'order';
  mine: boolean;
  authority: 'own' | 'order';
  by: Named[];
  clock?: string;
  due?: string;
  overdue?: boolean;
}
export interface Clock extends Named {
  state: 'running' | 'overdue' | 'stopped';
  started?: string;
  due: string;
  stopped?: string;
  late: boolean;
  office: boolean;
  limit_ms?: number;
  word_zh?: string;
  word_en?: string;
  rungs: number;
  next?: Named & { at: string };
}
export interface Act extends Named {
  to?: string;
  to_zh?: string;
  to_en?: string;
  ends: boolean;
  mine: boolean;
  by_clock: boolean;
  by: Named[];
  enter: Outside[];
  locks: Lock[];
  condition_zh?: string;
  condition_en?: string;
  missing: string[];
  needs: string[];
  sets: string[];
  evidence: Paper[];
  report?: string;
  may_skip?: boolean;
  clock?: string;
}
export interface Step extends Named {
  authority: 'own' | 'order';
  state: 'open' | 'locked' | 'done';
  optional: boolean;
  mine: boolean;
  may_order: boolean;
  by: Named[];
  ordered_by: Named[];
  locks: Lock[];
  ordered?: string;
  done?: string;
  missing: string[];
  needs: string[];
  sets: string[];
  evidence: Paper[];
  clock?: string;
}
export interface Approval extends Named {
  state: 'unasked' | 'asked' | 'granted' | 'refused' | 'voided' | 'used';
  rule: string;
  n: number;
  seats: Named[];
  enter: Outside[];
  asked_by: Named[];
  not_requester: boolean;
  covers: string[];
  missing: string[];
  now: string;
  digest?: string;
  requester?: string;
  asked?: string;
  decided?: string;
  expires?: string;
  expired?: boolean;
  may_sign: boolean;
  may_ask: boolean;
  excluded: boolean;
  next?: Named;
  changes: { id: string; old?: string; new?: string; n: number }[];
  signatures: (Named & { actor: string; at: string; void: boolean })[];
}
export interface Field extends Named {
  type: 'text' | 'int' | 'enum' | 'bool' | 'time' | 'area' | 'ref';
  secret: boolean;
  set: boolean;
  value?: string | number | boolean;
  mine: boolean;
  by?: Named[];
  min?: number;
  max?: number;
  words?: Named[];
  required_at: string[];
}
export interface Report extends Named {
  to: Named;
  fields: string[];
  missing: string[];
  last?: string;
  next_due?: string;
  may_skip: boolean;
}
export interface CaseEvent {
  n: number;
  kind: 'open' | 'act' | 'step' | 'order' | 'ask' | 'sign' | 'evidence' | 'clock' | 'take';
  id?: string;
  zh?: string;
  en?: string;
  part?: string;
  event: string;
  entry: string;
  late: boolean;
  actor: string;
  role: string;
  role_zh: string;
  role_en: string;
  entered?: string;
  entered_zh?: string;
  entered_en?: string;
  yes?: boolean;
  reason?: string;
  fields?: { id: string; value?: string }[];
  papers: number;
}
export interface Gate extends Named {
  open?: boolean;
  turn?: boolean;
  mine: boolean;
  by: Named[];
  do_zh: string;
  do_en: string;
  condition_zh?: string;
  condition_en?: string;
  evidence?: Paper[];
  approval?: string;
  at?: string;
}
export interface CaseView {
  id: number;
  number: string;
  flow: string;
  flow_zh: string;
  flow_en: string;
  version: number;
  title_zh: string;
  title_en: string;
  subject: string;
  area: string;
  area_zh?: string;
  area_en?: string;
  drill: boolean;
  level: Level | null;
  class?: string;
  class_zh?: string;
  class_en?: string;
  state: string;
  state_zh: string;
  state_en: string;
  ended: boolean;
  opened: string;
  as_of: string;
  expect: number;
  taken?: { at: string; mine: boolean; role_zh: string; role_en: string };
  now: Now | null;
  blocks: { case: number; act: string; zh: string; en: string }[];
  clocks: Clock[];
  acts: Act[];
  steps: Step[];
  approvals: Approval[];
  reports: Report[];
  fields: Field[];
  states: FlowState[];
  moves: FlowMove[];
  gates?: Gate[];
  events: CaseEvent[];
  evidence: (Omit<Named, 'id'> & { kind: string; digest: string; n: number; at: string; role_zh: string; role_en: string })[];
  kinds: Paper[];
  links: {
    how: 'parent' | 'child' | 'blocks' | 'holds' | 'beside';
    flow: string;
    number: string;
    flow_zh: string;
    flow_en: string;
    ended: boolean;
    id?: number;
    title_zh?: string;
    title_en?: string;
    state_zh?: string;
    state_en?: string;
  }[];
  told: { notice: number; kind: string; zh?: string; en?: string; at: string; vacant: boolean; taken?: string; mine: boolean; sent?: Sent }[];
}

export type Group = 'overdue' | 'soon' | 'today' | 'later' | 'others' | 'ended';
/** What every list and page says of a run. */
export interface RunFace {
  id: number;
  number: string;
  title_zh: string;
  title_en: string;
  area: string;
  area_zh?: string;
  area_en?: string;
  state_zh: string;
  state_en: string;
  drill: boolean;
  opened: string;
  ended: boolean;
  ended_at?: string;
  clock?: Named;
  due?: string;
}
/** The same among runs of other workflows, with what comes next. */
export interface RunRow extends RunFace {
  flow: string;
  flow_zh: string;
  flow_en: string;
  overdue?: boolean;
  next_act?: Named & { do: Now['do'] };
}
export interface CaseRow extends RunRow {
  subject: string;
  level?: Level;
  state: string;
  group: Group;
  mine: boolean;
  waits_zh?: string;
  waits_en?: string;
}
export interface CaseList {
  as_of: string;
  total: number;
  counts: Record<Group, number>;
  items: CaseRow[];
  next: number | null;
}
export interface Notice {
  id: number;
  case: number;
  number: string;
  level: Level | '';
  kind: string;
  at: string;
  drill: boolean;
  clock_zh?: string;
  clock_en?: string;
  due?: string;
}
export interface Notices {
  as_of: string;
  vacant: number;
  items: Notice[];
  next: number | null;
}
