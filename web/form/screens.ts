/*
 * Which items of a form stand on which screen, one matter a screen, and what
 * follows from other answers without being asked.  A form (or an item) that is
 * not named here is asked all the same: every item on a screen of its own, in
 * the words of the plan.
 *
 * The questions are in words.json: hh.q.ITEM, hint hh.h.ITEM, why hh.w.SCREEN,
 * an option hh.o.ITEM.CODE; {name} is the person's name.
 */
import type { Row } from './core';

export type Value = string | { missing: string };
export type Values = Record<string, Value | undefined>;

export interface Screen {
  id: string;
  entity: string;
  items: string[];
}

export interface Table {
  /** The form as asked here, in order; rosters once for each row. */
  screens: Screen[];
  /** Items that are not the household's to answer, besides those the plan takes from elsewhere. */
  hidden: string[];
  /** Asked on the page that checks everything. */
  last: string[];
  /** How many rows of a roster the other answers speak of. */
  rows: Record<string, (household: Values) => number>;
  /** Answers that follow from others: a value, or undefined when none follows. */
  derive: (entity: string, row: number, values: Values, facts: Row['facts']) => Values;
  /** Item with the row's name, its sex, its month of birth. */
  name: Record<string, string>;
  /** Items that stand read back from an identity number, opened on demand. */
  readBack: string[];
  /** Only then are screens in the words of words.json. */
  words: boolean;
}

const number = (v: Value | undefined): number => (typeof v === 'string' && /^\d+$/.test(v) ? Number(v) : 0);

const cnShort: Table = {
  words: true,
  screens: [
    { id: 'count', entity: 'household', items: ['H2a', 'H2b', 'H1'] },
    { id: 'who', entity: 'person', items: ['D1', 'D2', 'D3', 'D4', 'D5'] },
    { id: 'ethnic', entity: 'person', items: ['D6'] },
    { id: 'stay', entity: 'person', items: ['D7', 'D7a'] },
    { id: 'registered', entity: 'person', items: ['D8', 'D8a'] },
    { id: 'left', entity: 'person', items: ['D9'] },
    { id: 'reason', entity: 'person', items: ['D10'] },
    { id: 'school', entity: 'person', items: ['D11', 'D12'] },
    { id: 'dwelling', entity: 'household', items: ['H5', 'H6', 'H7'] },
    { id: 'year', entity: 'household', items: ['H3m', 'H3f', 'H4m', 'H4f'] },
    { id: 'died', entity: 'death', items: ['S1', 'S2', 'S3', 'S4', 'S5'] },
    { id: 'died2', entity: 'death', items: ['S6', 'S7', 'S8'] },
  ],
  hidden: ['A7', 'A8', 'A10n', 'P_distance'],
  last: ['A10p'],
  rows: {
    person: (h) => number(h.H2a) + number(h.H2b),
    death: (h) => number(h.H4m) + number(h.H4f),
  },
  derive(entity, row, v, facts) {
    if (entity === 'person')
      return {
        D2: row === 0 ? '0' : undefined, // the head comes first
        D4: facts['D3.id_check'] === 0 ? String(facts['D3.id_sex']) : undefined,
        D5: facts['D3.id_check'] === 0 ? String(facts['D3.id_month']) : undefined,
        // here and registered here: nobody has left
        D9: v.D7 === '1' && v.D8 === '1' ? '1' : undefined,
        // who has been to middle school can read
        D12: number(v.D11) >= 4 ? '1' : undefined,
      };
    if (entity === 'death')
      return {
        S3: facts['S2.id_check'] === 0 ? String(facts['S2.id_sex']) : undefined,
        S4: facts['S2.id_check'] === 0 ? String(facts['S2.id_month']) : undefined,
      };
    return {};
  },
  name: { person: 'D1', death: 'S1' },
  readBack: ['D4', 'D5', 'S3', 'S4'],
};

/* The roll: where, who, then the counts that must add up. */
const cnListing: Table = {
  words: true,
  screens: [
    { id: 'place', entity: 'household', items: ['A7', 'A8', 'status', 'mode'] },
    { id: 'head', entity: 'household', items: ['H1', 'head_name', 'phone', 'address'] },
    { id: 'living', entity: 'household', items: ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'] },
    { id: 'away', entity: 'household', items: ['c7', 'c8', 'c9', 'c10', 'c11'] },
    { id: 'events', entity: 'household', items: ['c12', 'c13', 'c14'] },
  ],
  hidden: [],
  last: [],
  rows: {},
  // a part of nobody is nobody
  derive: (_entity, _row, v) => ({
    ...Object.fromEntries(['c2', 'c3', 'c6'].map((c) => [c, v.c1 === '0' ? '0' : undefined])),
    ...Object.fromEntries(['c4', 'c5'].map((c) => [c, v.c3 === '0' ? '0' : undefined])),
    ...Object.fromEntries(['c8', 'c9'].map((c) => [c, v.c7 === '0' ? '0' : undefined])),
    ...Object.fromEntries(['c10', 'c11'].map((c) => [c, v.c9 === '0' ? '0' : undefined])),
  }),
  name: {},
  readBack: [],
};

const tables: Record<string, Table> = { 'cn-population-2020/short': cnShort, 'cn-population-2020/listing': cnListing };

const plain: Table = {
  words: false,
  screens: [],
  hidden: [],
  last: [],
  rows: {},
  derive: () => ({}),
  name: {},
  readBack: [],
};

export function tableOf(campaign: string, form: string): Table {
  return tables[`${campaign}/${form}`] ?? plain;
}
