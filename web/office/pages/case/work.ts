/*
 * What the pages of a case share: the forms of acts, where typed text is kept,
 * the rule of phones at night.
 */
import { onBeforeUnmount, onMounted } from 'vue';
import { session } from '@ui/session';
import { has, lang, pick, t } from '@ui/words';
import './duty.css';
import type { Act, Approval, CaseView, Field, Lock, Now, Outside, Paper, Step } from './types';

/** Something that can be done on a case, with the form it takes. */
export interface Work {
  verb: 'act' | 'step' | 'order' | 'ask' | 'evidence';
  id: string;
  title: string;
  /** What follows from it, in a sentence. */
  effect: string;
  needs: string[];
  sets: string[];
  papers: Paper[];
  enter: Outside[];
  /** Only as an outside office; this seat writes it down. */
  onlyEntered: boolean;
  report?: string;
  skip: boolean;
}

export function lockWords(locks: Lock[]): string[] {
  return locks.map((l) => (lang.value === 'en' && l.en ? l.en : l.zh));
}
export function names(of: { zh: string; en: string }[]): string {
  return of.map((x) => pick(x)).join(lang.value === 'zh' ? '、' : ', ');
}

/** Whose signature is still missing. */
export function unsigned(a: Approval): string {
  if (a.next) return pick(a.next);
  return names(a.rule === 'all' ? a.seats.filter((s) => !a.signatures.some((x) => x.id === s.id)) : a.seats);
}

export function workOfAct(v: CaseView, a: Act): Work {
  return {
    verb: 'act',
    id: a.id,
    title: pick(a),
    effect: a.to
      ? t(a.ends ? 'case.effect.end' : 'case.effect.to', { state: pick({ zh: a.to_zh, en: a.to_en }) })
      : t('case.effect.same', { state: pick({ zh: v.state_zh, en: v.state_en }) }),
    needs: a.needs,
    sets: a.sets,
    papers: a.evidence,
    enter: a.enter,
    onlyEntered: !a.mine,
    report: a.report,
    skip: !!a.may_skip,
  };
}
export function workOfStep(s: Step): Work {
  return {
    verb: 'step',
    id: s.id,
    title: pick(s),
    effect: t('case.effect.step'),
    needs: s.needs,
    sets: s.sets,
    papers: s.evidence,
    enter: [],
    onlyEntered: false,
    skip: false,
  };
}
export function workOfOrder(s: Step): Work {
  return { ...workOfStep(s), verb: 'order', title: t('case.order.of', { step: pick(s) }), effect: t('case.effect.order'), needs: [], sets: [], papers: [] };
}
export function workOfAsk(a: Approval): Work {
  return {
    verb: 'ask',
    id: a.id,
    title: t('case.ask.of', { approval: pick(a) }),
    effect: t('case.effect.ask', { seats: names(a.seats) }),
    needs: a.covers,
    sets: [],
    papers: [],
    enter: [],
    onlyEntered: false,
    skip: false,
  };
}
export function workOfPaper(): Work {
  return { verb: 'evidence', id: '', title: t('case.paper.add'), effect: t('case.effect.paper'), needs: [], sets: [], papers: [], enter: [], onlyEntered: false, skip: false };
}

export function workOfNow(v: CaseView, n: Now): Work | null {
  if (n.do === 'act') {
    const a = v.acts.find((x) => x.id === n.id);
    return a ? workOfAct(v, a) : null;
  }
  if (n.do === 'step' || n.do === 'order') {
    const s = v.steps.find((x) => x.id === n.id);
    return s ? (n.do === 'order' ? workOfOrder(s) : workOfStep(s)) : null;
  }
  if (n.do === 'ask') {
    const a = v.approvals.find((x) => x.id === n.id);
    return a ? workOfAsk(a) : null;
  }
  return null;
}

/** The button's words for what is due: verb and object. */
export function nowVerb(n: Pick<Now, 'do' | 'zh' | 'en'>): string {
  switch (n.do) {
    case 'take':
      return t('case.take');
    case 'sign':
      return t('case.sign.open');
    case 'ask':
      return t('case.ask');
    case 'order':
      return t('case.order');
    case 'step':
      return t('case.step.open');
    default:
      return pick(n);
  }
}

/** A value as it is read, not as it is stored. */
/** A plan sets a text in both languages as "中文｜English": the half of this page's. */
export function halfOf(text: string): string {
  const [zh, en, more] = text.split('｜');
  return zh && en && more === undefined ? pick({ zh, en }) : text;
}
export function valueWords(f: Field | undefined, value: string | number | boolean | null | undefined): string {
  if (value === undefined || value === null || value === '') return '—';
  if (!f) return String(value);
  if (f.type === 'bool') return t(value === true || value === 'true' || value === 'yes' ? 'case.yes' : 'case.no');
  if (f.type === 'enum') {
    const w = f.words?.find((x) => x.id === value);
    // the four levels have their words in every plan
    if ((!w || w.zh === w.id) && has(`level.${value}`)) return t(`level.${value}`);
    return pick(w ?? { zh: String(value) });
  }
  if (f.type === 'time') return String(value).slice(0, 16).replace('T', ' ');
  return halfOf(String(value));
}

/* ---- what was typed stays (ui.md P4); what is secret is not kept ---------- */

const key = (id: number, w: Work) => `puan.case.${session.value?.name}.${id}.${w.verb}.${w.id}`;
export function keep(id: number, w: Work, values: Record<string, string>, secret: string[]): void {
  try {
    const kept = Object.fromEntries(Object.entries(values).filter(([k, x]) => x !== '' && !secret.includes(k)));
    if (Object.keys(kept).length) localStorage.setItem(key(id, w), JSON.stringify(kept));
    else localStorage.removeItem(key(id, w));
  } catch {
    // a full or forbidden store: the form itself still holds it
  }
}
export function kept(id: number, w: Work): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(key(id, w)) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}
export function drop(id: number, w: Work): void {
  try {
    localStorage.removeItem(key(id, w));
  } catch {
    // nothing to drop
  }
}

/** On a phone, a page of the duty speaks in 18 px and larger throughout. */
export function useDutyType(): void {
  const narrow = matchMedia('(max-width: 640px)');
  const set = () => {
    document.documentElement.classList.toggle('reading', narrow.matches);
    document.documentElement.classList.toggle('duty', narrow.matches);
  };
  onMounted(() => {
    set();
    narrow.addEventListener('change', set);
  });
  onBeforeUnmount(() => {
    narrow.removeEventListener('change', set);
    document.documentElement.classList.remove('reading', 'duty');
  });
}
