/*
 * The area a page looks at: `?area=CODE` in the address, else the seat's own.
 * Changing it keeps the page and its filters; only the place in a list (page,
 * cursor, row) is given up, since it belongs to the old area.
 */
import { computed } from 'vue';
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router';
import { get } from './api';
import { session } from './session';

export interface Area {
  code: string;
  parent: string;
  level: string;
  zh: string;
  en: string;
  kind: string;
  n: number;
  path?: { code: string; zh: string; en: string }[];
}
export interface Areas {
  items: Area[];
  at: Area;
  next: number | string | null;
}

export function useArea() {
  const route = useRoute();
  const router = useRouter();
  const area = computed(() => {
    const q = route.query.area;
    return typeof q === 'string' && q ? q : (session.value?.area ?? '');
  });
  function setArea(code: string): Promise<unknown> {
    const query: LocationQueryRaw = { ...route.query };
    for (const k of ['page', 'cursor', 'row']) delete query[k];
    if (code === session.value?.area) delete query.area;
    else query.area = code;
    return router.push({ path: route.path, query });
  }
  return { area, setArea };
}

/* ---- names inside the seat's area, kept while the seat is the same -------------- */

let ofSeat = 0;
const children = new Map<string, Promise<Areas>>();
let all: Promise<Area[]> | null = null;

function fresh(): void {
  const seat = session.value?.seat ?? 0;
  if (seat === ofSeat) return;
  ofSeat = seat;
  children.clear();
  all = null;
}

/** The areas right below one, with the path to it. */
export function below(code: string): Promise<Areas> {
  fresh();
  let p = children.get(code);
  if (!p) {
    p = get<Areas>('/areas', { parent: code, limit: 1000 });
    children.set(code, p);
    p.catch(() => children.delete(code));
  }
  return p;
}

/** Every area inside the seat's but the innermost level, outer ones first. */
export function everything(depth: number): Promise<Area[]> {
  fresh();
  all ??= (async () => {
    const found: Area[] = [];
    let cursor: number | string | null = null;
    do {
      const page: Areas = await get<Areas>('/areas', { depth, limit: 1000, ...(cursor ? { cursor } : {}) });
      if (!cursor) found.push(page.at);
      found.push(...page.items);
      cursor = page.next;
    } while (cursor && found.length < 20000);
    return found.sort((a, b) => a.code.length - b.code.length);
  })();
  all.catch(() => (all = null));
  return all;
}

export function search(q: string): Promise<Areas> {
  return get<Areas>('/areas/search', { q, limit: 20 });
}

/* ---- pinyin initials ------------------------------------------------------------------ */

/* The first character of each letter in the order of the collation; no word
 * begins with i, u or v. */
const firsts = '阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀';
const letters = 'abcdefghjklmnopqrstwxyz';
let collator: Intl.Collator | null = null;
const letterOf = new Map<string, string>();

function initial(char: string): string {
  if (/[a-z0-9]/i.test(char)) return char.toLowerCase();
  if (!/\p{Script=Han}/u.test(char)) return '';
  let l = letterOf.get(char);
  if (l === undefined) {
    collator ??= new Intl.Collator('zh-CN-u-co-pinyin');
    l = '';
    for (let i = letters.length - 1; i >= 0 && !l; i--) if (collator.compare(char, firsts[i]!) >= 0) l = letters[i]!;
    letterOf.set(char, l);
  }
  return l;
}

/** 北宿镇 → bsz */
export function initials(name: string): string {
  return [...name].map(initial).join('');
}

/** How well an area answers what was typed; 0 not at all. */
export function score(a: Area, typed: string, around: string): number {
  const q = typed.trim().toLowerCase();
  const digits = q.replace(/\s/g, '');
  if (!q) return 0;
  let s = 0;
  if (/^\d+$/.test(digits)) {
    if (a.code === digits) s = 100;
    else if (a.code.startsWith(digits)) s = 60;
    else if (a.code.endsWith(digits)) s = 50;
    else if (a.code.includes(digits)) s = 20;
  } else {
    const short = initials(a.zh);
    if (a.zh === q || a.en.toLowerCase() === q) s = 100;
    else if (a.zh.startsWith(q) || (a.en && a.en.toLowerCase().startsWith(q))) s = 80;
    else if (short.startsWith(q)) s = 70;
    else if (a.zh.includes(q) || (a.en && a.en.toLowerCase().includes(q))) s = 40;
    else if (short.includes(q)) s = 10;
  }
  // among equals those inside the area shown, then the outer ones
  if (s && around && a.code !== around && a.code.startsWith(around)) s += 3;
  return s ? s - a.code.length / 100 : 0;
}
