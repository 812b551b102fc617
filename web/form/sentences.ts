/*
 * Answers played back as a person would say them: identity number read back,
 * relation to the head, and the page that checks everything.  A form without
 * words of its own is listed item by item.
 */
import { lang, pick, t } from '@ui/words';
import { codesOf, itemDef, plan } from './core';
import { placeName } from './places';
import { asked, given, nameOf, open, rowsOf, said, steps, table, textOf, valueOf, word, type Step } from './model';

/** Completed years at the reference moment; null while the month is not whole. */
export function age(month: string): number | null {
  const m = /^(\d{4})-(\d{2})$/.exec(month);
  const [y, r] = plan.reference_month.split('-').map(Number) as [number, number];
  return m ? y - Number(m[1]) - (Number(m[2]) >= r ? 1 : 0) : null;
}

/** "读回：女，1949年12月生，70岁": once the number is whole and right. */
export function readBack(entity: string, row: number): string {
  const items = Object.keys(plan.form.entities[entity]!.items);
  const id = items.find((i) => itemDef(entity, i).type === 'citizen-id');
  if (!id || asked.value[entity]?.[row]?.facts[`${id}.id_check`] !== 0) return '';
  const [sex, birth] = table.readBack.filter((i) => items.includes(i));
  if (!sex || !birth) return '';
  const years = age(textOf(entity, row, birth));
  return years === null ? '' : t('hh.readback', { sex: said(entity, row, sex), month: said(entity, row, birth), age: years });
}

/** "王芳是户主张三的配偶": people use it to check, one line a person. */
export function relationSaid(entity: string, row: number): string {
  if (entity !== 'person' || row === 0 || !table.words || !given(valueOf('person', row, 'D2'))) return '';
  const values = { name: nameOf('person', row), head: nameOf('person', 0), relation: said('person', row, 'D2') };
  const codes = codesOf(itemDef('person', 'D2'));
  return t(textOf('person', row, 'D2') === codes[codes.length - 1]?.code ? 'hh.relation.other' : 'hh.relation.said', values);
}

export interface Part {
  text: string;
  step: Step | undefined;
  /** What changing it is called, for readers. */
  what: string;
}
export interface Said {
  title: string;
  entity: string;
  row: number;
  parts: Part[];
}

const stepWith = (entity: string, row: number, screen: string): Step | undefined =>
  steps.value.find((s) => s.entity === entity && s.row === row && s.screen.id === screen);
const comma = (): string => (lang.value === 'zh' ? '，' : ', ');

/** Items of a screen as "label: answer". */
function listed(s: Step): string {
  const shown = s.items.map((i) => {
    const v = said(s.entity, s.row, i);
    return `${pick(itemDef(s.entity, i))}${lang.value === 'zh' ? '：' : ': '}${v || '—'}`;
  });
  return shown.join(comma());
}

function person(row: number): Part[] {
  const q = (i: string) => said('person', row, i);
  const years = age(textOf('person', row, 'D5'));
  const born = years === null ? q('D5') : t('hh.say.age', { month: q('D5'), age: years });
  const parts: Part[] = [];
  const add = (screen: string, text: string) => {
    const step = stepWith('person', row, screen);
    if (step) parts.push({ text: text.replace(/[，,]\s*$/, ''), step, what: text });
  };
  add('who', [row === 0 ? t('hh.say.head') : relationSaid('person', row), q('D4'), born, textOf('person', row, 'D3')].filter(Boolean).join(comma()));
  add('ethnic', q('D6'));
  add('stay', t('hh.say.stay', { place: [q('D7'), open('person', row, 'D7a') ? placeName(q('D7a')) : ''].filter(Boolean).join(' ') }));
  add('registered', t('hh.say.registered', { place: [q('D8'), open('person', row, 'D8a') ? placeName(q('D8a')) : ''].filter(Boolean).join(' ') }));
  if (stepWith('person', row, 'left')) add('left', t('hh.say.left', { time: q('D9'), reason: q('D10') }));
  add('school', [q('D11'), open('person', row, 'D12') ? `${pick(itemDef('person', 'D12'))} ${q('D12')}` : ''].filter(Boolean).join(comma()));
  return parts;
}

function home(): Part[] {
  const q = (i: string) => said('household', 0, i);
  const sum = (...items: string[]) => items.reduce((n, i) => n + (Number(textOf('household', 0, i)) || 0), 0);
  const text: Record<string, string> = {
    count: [t(word('check.counts'), { a: q('H2a') || '—', b: q('H2b') || '—' }), q('H1')].join(lang.value === 'zh' ? '' : ' '),
    dwelling: [t('hh.say.dwelling', { kind: q('H5') }), open('household', 0, 'H6') ? t('hh.say.space', { m2: q('H6') || '—', rooms: q('H7') || '—' }) : ''].filter(Boolean).join(comma()),
    year: [t('hh.say.births', { n: sum('H3m', 'H3f') }), t('hh.say.deaths', { n: sum('H4m', 'H4f') })].join(comma()),
  };
  return steps.value
    .filter((s) => s.entity === 'household')
    .map((s) => ({ text: text[s.screen.id] ?? listed(s), step: s, what: text[s.screen.id] ?? listed(s) }));
}

/** Everything, in order, as sentences with the screen that changes each. */
export function everything(): Said[] {
  const out: Said[] = [];
  for (const [entity, e] of Object.entries(plan.form.entities)) {
    rowsOf(entity).forEach((_, row) => {
      const own = steps.value.filter((s) => s.entity === entity && s.row === row);
      if (!own.length) return;
      out.push({
        title: e.rows ? nameOf(entity, row) : t('hh.hub.household'),
        entity,
        row,
        parts: table.words && entity === 'person' ? person(row) : table.words && entity === 'household' ? home() : own.map((s) => ({ text: listed(s), step: s, what: listed(s) })),
      });
    });
  }
  return out;
}

/** "4人住在家里，1人户口在家里、人在外面", from what is said of each person. */
export function headCount(): string {
  if (!table.words) return '';
  const people = rowsOf('person').map((_, i) => textOf('person', i, 'D7'));
  const here = people.filter((d) => d === '1').length;
  const away = people.filter((d) => d && d !== '1').length;
  return [here ? t('hh.check.here', { n: here }) : '', away ? t('hh.check.away', { n: away }) : ''].filter(Boolean).join(comma());
}
