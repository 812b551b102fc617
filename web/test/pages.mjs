/*
 * The page list as the sources have it, and how to open each page: which seat,
 * which stage, and for pages of one thing which thing.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, root } from './lib.mjs';

const office = join(root, 'web/office/pages');
const open_ = join(root, 'web/public/pages');

const field = (text, name) => new RegExp(`\\b${name}: '([^']*)'`).exec(text)?.[1];
const list = (text, name) => [...(new RegExp(`\\b${name}: (\\[[^\\]]*\\]|'[^']*')`).exec(text)?.[1] ?? '').matchAll(/'([^']+)'/g)].map((m) => m[1]);

function read(dir, face) {
  return readdirSync(dir)
    .filter((n) => existsSync(join(dir, n, 'page.ts')))
    .map((n) => {
      const text = readFileSync(join(dir, n, 'page.ts'), 'utf8');
      const file = join(dir, n, 'words.json');
      const words = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
      const shared = join(dir, '..', 'words.json');
      const all = { ...(existsSync(shared) ? JSON.parse(readFileSync(shared, 'utf8')) : {}), ...words };
      const title = field(text, 'title');
      return {
        face, folder: n, name: field(text, 'name') ?? n, path: field(text, 'path') ?? '', title, words: all[title],
        needs: list(text, 'needs'), first: list(text, 'first'), phone: /phone: true/.test(text), hidden: /hidden: true/.test(text),
      };
    });
}

export const officePages = read(office, 'office');
export const publicPages = read(open_, 'public').map((p) => ({ ...p, phone: true }));

/* Stages a page shows most in: results and releases exist at the end only. */
const late = new Set(['tables', 'builder', 'residence', 'releases', 'release', 'acceptance', 'accept', 'data']);
export const stageOf = (p) => (late.has(p.name) ? 'end' : 'mid');

/* Seats in the order in which they are tried for a page. */
const seats = ['county-business', 'county-head', 'county-general', 'duty-officer', 'audit-admin', 'security-admin', 'system-admin', 'township-office', 'secrecy-office', 'county-data', 'city-office'];

/** A seat that opens the page. */
export async function seatOf(s, p) {
  if (p.name === 'assessment') return (await accountOf(s, 'city-office', '3708')).role; // sheets are of cities
  const offered = [...p.first, ...seats].filter((r) => s.accounts.some((a) => a.role === r));
  for (const role of offered) {
    const { can } = await s.api(role).get('/session');
    if (p.needs.some((c) => can.includes(c))) return role;
  }
  throw new Error(`no seat opens ${p.name}, which needs ${p.needs}`);
}

/** The address of a page; pages of one thing take the first of its list. */
export async function addressOf(s, p, role) {
  if (p.face === 'public') return p.path.replace(/\/:[^/]*/g, '') || '/';
  if (!p.path.includes(':')) return `/office/${p.path}`;
  const api = s.api(role);
  const first = async (path, pick) => {
    const { items } = await api.get(path);
    const found = (items ?? []).map(pick).find((x) => x !== undefined && x !== null);
    if (found === undefined) throw new Error(`${path} is empty: nothing to open ${p.name} with`);
    return found;
  };
  const thing = {
    household: () => first('/review?area=370883', (x) => x.household),
    case: () => first('/cases?area=370883&open=true&flow=incident&limit=50', (x) => x.id),
    duplicate: () => first('/duplicates?area=370883', (x) => x.id),
    release: () => first('/releases?area=370883', (x) => x.id),
    sample: () => first('/samples', (x) => x.id),
    accept: () => first('/areas?parent=370883', (x) => x.code),
  }[p.name];
  if (!thing) throw new Error(`pages.mjs does not know which ${p.path} to open`);
  return `/office/${p.path.replace(/:[^/]*$/, String(await thing()))}`;
}
