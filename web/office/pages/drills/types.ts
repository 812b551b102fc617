/* What GET /drills and GET /drills/{id} answer. */
export interface Named {
  zh: string;
  en: string;
}
export interface Seat {
  role: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
}
export interface Office {
  area: string;
  area_zh: string;
  area_en: string;
  last: number | null;
  held: string | null;
  passed: boolean;
  next: string | null;
  overdue: boolean;
}
export interface Plan extends Named {
  drill: string;
  goal_zh: string;
  goal_en: string;
  of: string;
  of_zh: string;
  of_en: string;
  does: string;
  level: string;
  every_days: number;
  minutes: number;
  points: number;
  pass: number;
  injects: number;
  role: string;
  mine: boolean;
  offices: Office[];
}
export type RunState = 'planned' | 'running' | 'ended' | 'aborted' | 'reported';
export interface Run extends Named {
  id: number;
  drill: string;
  does: string;
  state: RunState;
  area: string;
  area_zh: string;
  area_en: string;
  planned: string | null;
  started: string | null;
  ended: string | null;
  points: number;
  full: number;
  passed: boolean;
}
export interface Message extends Named {
  id: number;
  inject: string;
  drill_zh: string;
  drill_en: string;
  at: string;
}
export interface Calendar {
  area: string;
  may_run: boolean;
  messages: Message[];
  plans: Plan[];
  runs: Run[];
}
export interface Inject extends Named {
  id: string;
  minute: number;
  due: string | null;
  sent: string | null;
  opens: boolean;
  mine: boolean;
  told: (Seat & { heard: string | null })[];
}
export type Verdict = 'waiting' | 'met' | 'late' | 'missed' | 'untested';
export interface Expect extends Named {
  id: string;
  kind: string;
  state: Verdict;
  due: string | null;
  done: string | null;
  points: number;
  worth: number;
  within: number;
  never: boolean;
  after: string;
  role?: string;
  role_zh?: string;
  role_en?: string;
}
export interface Line extends Named {
  at: string;
  kind: string;
  role: string;
  role_zh: string;
  role_en: string;
  text: string;
  case: number;
  yes: boolean;
}
export interface Drill extends Named {
  id: number;
  drill: string;
  goal_zh: string;
  goal_en: string;
  of: string;
  of_zh: string;
  of_en: string;
  does: string;
  state: RunState;
  area: string;
  area_zh: string;
  area_en: string;
  planned: string | null;
  started: string | null;
  ended: string | null;
  until: string | null;
  lead: Seat & { me: boolean };
  all: boolean;
  improves: boolean;
  improve_flow: string;
  contacts: (Seat & { here: boolean; me: boolean })[];
  injects: Inject[];
  cases: (Named & { id: number; state_zh: string; state_en: string; ended: boolean })[];
  expects?: Expect[];
  result?: { points: number; full: number; met: number; late: number; missed: number; waiting: number; untested: number; pass: number; passed: boolean };
  log?: Line[];
  improvements?: { case: number; title: string; at: string }[];
  report: { summary: string; at: string; digest: string } | null;
}
