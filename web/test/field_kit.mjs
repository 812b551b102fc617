// An enumerator's device for tests: a small campaign of its own, a ticket made
// by the township, a phone that is entered, opened and worked with as a finger
// would; and the search of a profile for texts.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { campaign as household, idNumber, phone, primary } from './household_kit.mjs';
import { code as oneTimeCode } from './lib.mjs';

export { idNumber, phone, primary };
export const EA = '370883002001001';
export const PIN = 'bei su 2020';

/** The campaign with a township officer and one enumerator of the only area. */
export async function campaign(options = {}) {
  const c = await household({ mode: 'enumerator', ...options });
  const account = async (name, role, area) => {
    const a = await c.call('POST', '/accounts', await c.as('system-admin'), { name, person: name });
    if (a.status !== 201) throw new Error(JSON.stringify(a.body));
    const s = await c.call('POST', '/seats', await c.as('security-admin'), { account: name, role, area });
    if (s.status !== 201) throw new Error(JSON.stringify(s.body));
    return { name, ...a.body };
  };
  const officer = await account('beisu', 'township-office', '370883002');
  let token = '';
  const signIn = async () => {
    const r = await c.call('POST', '/login', null, {
      name: officer.name, secret: officer.secret, ...(officer.otp ?? officer.totp ? { code: await oneTimeCode(officer.otp ?? officer.totp) } : {}),
    });
    if (r.status !== 200) throw new Error(`township: ${JSON.stringify(r.body)}`);
    token = r.body.token;
  };
  const e = await c.call('POST', '/credentials', await c.as('security-admin'), { kind: 'device', role: 'enumerator', area: '370883', list: [{ name: 'e1', area: EA }] });
  if (e.status !== 201) throw new Error(JSON.stringify(e.body));
  return Object.assign(c, {
    /** A call of the township officer; signs in anew when the server was restarted. */
    async officer(method, path, body) {
      if (!token) await signIn();
      let r = await c.call(method, path, token, body);
      if (r.status === 401) {
        await signIn();
        r = await c.call(method, path, token, body);
      }
      return r;
    },
    async ticket() {
      const r = await this.officer('POST', '/field/enrolments', { account: 'e1' });
      if (r.status !== 201) throw new Error(JSON.stringify(r.body));
      return `PUAN1|${new URL(c.url).host}|${r.body.campaign}|${r.body.code}|${r.body.fingerprint}`;
    },
    /** Does the office hold the household's return, and how many versions? */
    async versions(h) {
      const r = await this.officer('GET', `/households/${h}/history`);
      if (r.status === 404) return 0;
      if (r.status !== 200) throw new Error(JSON.stringify(r.body));
      return (r.body.versions ?? r.body.items ?? r.body).length;
    },
  });
}

const path = (page) => new URL(page.url()).pathname;
export const at = (page, rest) => page.waitForURL((u) => (rest instanceof RegExp ? rest.test(u.pathname) : u.pathname === `/field${rest}`));

/** Enters the device and waits for its list. */
export async function enter(page, c, url = c.url) {
  await page.goto(`${url}/field/#${await c.ticket()}`);
  await page.fill('[name=device]', '北宿镇3号机');
  await page.fill('[name=pin]', PIN);
  await page.fill('[name=again]', PIN);
  await primary(page).tap();
  await page.locator('nav.places').waitFor({ timeout: 60000 });
  await toList(page);
}
export async function toList(page) {
  await page.locator('nav.places a').first().tap();
  await page.locator('.next, [data-state=empty]').first().waitFor({ timeout: 60000 }).catch(async () => {
    throw new Error(`no list: ${await page.locator('body').innerText()}`);
  });
}
export async function unlock(page) {
  await page.fill('[name=pin]', PIN);
  await primary(page).tap();
  await page.waitForURL((u) => u.pathname !== '/field/unlock', { timeout: 30000 });
}

/** Answers one item by its code or text. */
export async function answer(page, item, value) {
  const box = page.locator(`[data-item=${item}]`).first();
  const radio = box.locator(`input[type=radio][value="${value}"]`);
  if (await radio.count()) return radio.check();
  const month = box.locator('.year');
  if (await month.count()) {
    await month.fill(value.slice(0, 4));
    return box.locator('.month').selectOption(value.slice(5, 7));
  }
  const select = box.locator('select');
  if (await select.count()) return select.first().selectOption(value);
  return box.locator('input').first().fill(value);
}

/**
 * A household whose members are given as {name, id, relation}.  `fault` is made
 * first and corrected where the form asks for it: 'id' a number that does not
 * add up, 'empty' an answer forgotten, 'count' one at home
 * counted as away.
 */
export async function interview(page, people, { stop = '', fault = '' } = {}) {
  let slip = fault;
  const given = {
    H1: '1', H2a: String(people.length), H2b: '0', H3m: '0', H3f: '0', H4m: '0', H4f: '0', H5: '1', H6: '80', H7: '3',
    D6: '01', D7: '1', D8: '1', D11: '4',
  };
  for (let i = 0; i < 200; i++) {
    const here = path(page);
    if (here === '/field/check' && slip === 'count') {
      // both counts are put right, wherever the findings offer them
      for (let k = 0; k < 4 && (await page.locator('.ph-finding.hard').count()); k++) {
        if (await page.locator('.ph-finding.hard .jump').count()) await page.locator('.ph-finding.hard .jump').first().tap();
        for (const [item, v] of [['H2a', String(people.length)], ['H2b', '0']]) {
          const field = page.locator(`.ph-finding [name=household-0-${item}]`).first();
          if (await field.count()) await field.fill(v);
        }
        await page.waitForTimeout(100);
      }
      await page.waitForFunction(() => !document.querySelector('.ph-finding.hard'));
      slip = '';
    }
    if (here === '/field/check' || (stop && here.endsWith(stop))) {
      if (slip && here === '/field/check') throw new Error(`nobody noticed: ${slip}`);
      return;
    }
    const m = /-(\d+)-/.exec(here);
    const person = m ? people[Number(m[1]) - 1] : null;
    const own = person ? { D1: person.name, D2: person.relation ?? '9', D3: person.id } : {};
    if (slip === 'count') Object.assign(own, { H2a: String(people.length - 1), H2b: '1' });
    const right = {};
    if (slip === 'id' && here.endsWith('-who')) [own.D3, right.D3] = [person.id.slice(0, 17) + (person.id[17] === '1' ? '2' : '1'), person.id];
    if (slip === 'empty' && here.endsWith('/dwelling')) [own.H6, right.H6] = ['', given.H6];
    // an answer may ask for more on the same screen
    const seen = new Set();
    for (let more = true; more; ) {
      more = false;
      for (const item of await page.locator('[data-item]').evaluateAll((all) => all.map((x) => x.getAttribute('data-item')))) {
        const v = own[item] ?? given[item];
        if (seen.has(item) || v === undefined) continue;
        seen.add(item);
        more = true;
        if (await page.locator(`[data-item=${item}]`).count()) await answer(page, item, v);
      }
      await page.waitForTimeout(80);
    }
    const soft = page.locator('.soft button');
    await primary(page).tap();
    if (Object.keys(right).length) {
      await page.locator('.summary').waitFor().catch(async () => {
        throw new Error(`nobody noticed ${slip} at ${here}: ${path(page)} ${(await page.locator('main').innerText()).slice(0, 600)}`);
      });
      for (const [item, v] of Object.entries(right)) await answer(page, item, v);
      slip = '';
      await primary(page).tap();
    }
    await page.waitForTimeout(60);
    if (await soft.count()) await soft.first().tap();
    await page.waitForURL((u) => u.pathname !== here, { timeout: 8000 }).catch(async () => {
      throw new Error(`stays at ${here}: ${(await page.locator('main').innerText()).slice(0, 600)}`);
    });
  }
  throw new Error('no end of questions');
}

/** Lists the next household at the door; its number. */
export async function listOne(page, { building, unit, head, address, away = 0, mode = 'enumerator', slip = false }) {
  const before = path(page);
  if (path(page) !== '/field/listing') {
    await toList(page);
    await page.locator('.acts button', { hasText: '摸底登记' }).tap();
    await at(page, '/listing');
  }
  await primary(page).tap();
  const given = {
    A7: building, A8: unit, status: 'ordinary', mode, H1: '1', head_name: head, phone: '13800000000', address,
    c1: '2', c2: '2', c3: '0', c6: '0', c7: String(away), c8: '0', c9: String(away), c10: '0', c11: String(away), c12: '0', c13: '0', c14: '0',
  };
  const part = { c4: 'c3', c5: 'c3', c8: 'c7', c9: 'c7', c10: 'c9', c11: 'c9' };
  for (const screen of ['place', 'head', 'living', 'away', 'events']) {
    await at(page, `/q/${screen}`);
    await page.locator('[data-item]').first().waitFor();
    for (const [item, v] of Object.entries(given)) {
      if (given[part[item]] === '0') continue; // a part of nobody: settled by itself
      if (await page.locator(`[data-item=${item}]`).count()) await answer(page, item, v);
    }
    if (slip && screen === 'living') {
      // parts that do not add up are refused where they stand
      await answer(page, 'c2', '1');
      await primary(page).tap();
      await page.locator('.summary').waitFor();
      await answer(page, 'c2', '2');
    }
    await primary(page).tap();
    await page.waitForURL((u) => !u.pathname.endsWith(`/q/${screen}`), { timeout: 8000 }).catch(async () => {
      throw new Error(`stays at ${screen}: ${(await page.locator('main').innerText()).slice(0, 600)}`);
    });
  }
  await at(page, '/check');
  await primary(page).tap();
  await at(page, '/listing');
}

/** The declarer signs; the return is sealed. */
export async function signAndSeal(page) {
  for (let i = 0; i < 10 && (await page.locator('.ph-finding:not(.hard) button').count()); i++) await page.locator('.ph-finding:not(.hard) button').last().tap();
  await primary(page).tap();
  await at(page, '/sign');
  const box = await page.locator('canvas').boundingBox();
  await page.mouse.move(box.x + 20, box.y + 40);
  await page.mouse.down();
  for (let i = 1; i < 12; i++) await page.mouse.move(box.x + 20 + i * 20, box.y + 40 + (i % 2) * 50);
  await page.mouse.up();
  await primary(page).tap();
  await at(page, /^\/field\/h\//);
}

/** Opens a household's card from the list and begins or goes on. */
export async function begin(page, h) {
  await toList(page);
  await page.locator(`a[href$="/h/${h}"]`).first().tap();
  await at(page, `/h/${h}`);
  await primary(page).tap();
  await at(page, /^\/field\/(q|form|check)/);
}

let made = 0;
/** People nobody else has the names of: to be looked for afterwards. */
export function people(n) {
  const letters = '阮慕容欧阳尉迟上官司徒澹台皇甫轩辕';
  return Array.from({ length: n }, (_, i) => {
    made++;
    const r = randomBytes(3);
    const name = `${letters[r[0] % letters.length]}${letters[r[1] % letters.length]}${'甲乙丙丁戊己庚辛壬癸'[made % 10]}${letters[r[2] % letters.length]}`;
    return { name, id: idNumber('370883', `19${60 + ((made * 7) % 35)}0${1 + (made % 9)}1${made % 10}`, 100 + ((made * 13) % 800)), relation: i ? '9' : undefined };
  });
}

function* files(dir) {
  for (const name of readdirSync(dir)) {
    const p = join(dir, name);
    const s = statSync(p, { throwIfNoEntry: false });
    if (s?.isDirectory()) yield* files(p);
    else if (s?.isFile()) yield p;
  }
}
/** In which files of a profile a text stands, as UTF-8, UTF-16 or base64 of either. */
export function found(dir, texts) {
  const needles = [];
  for (const t of texts)
    for (const [how, bytes] of [['utf-8', Buffer.from(t, 'utf8')], ['utf-16', Buffer.from(t, 'utf16le')]]) {
      needles.push([t, how, bytes]);
      // base64 at each of the three places a text can begin at
      for (let lead = 0; lead < 3; lead++) {
        const b = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64').replace(/=+$/, '');
        const cut = b.slice(lead ? lead + 1 : 0, ((lead + bytes.length) % 3 ? -1 : undefined));
        if (cut.length >= 8) needles.push([t, `base64 of ${how}`, Buffer.from(cut, 'latin1')]);
      }
    }
  const hits = [];
  let searched = 0;
  for (const p of files(dir)) {
    const bytes = readFileSync(p);
    searched++;
    for (const [t, how, n] of needles) if (bytes.includes(n)) hits.push(`${t} (${how}) in ${p.slice(dir.length)}`);
  }
  return { hits, searched };
}

/** Does any file of a profile hold these bytes? */
export function holds(dir, bytes) {
  const want = Buffer.from(bytes);
  for (const p of files(dir)) if (readFileSync(p).includes(want)) return true;
  return false;
}

/**
 * The line between phone and office, an address of its own: whole, away, or
 * slow and dropped every so often in the midst of whatever is on its way.
 */
export async function line(target) {
  const pairs = new Set();
  const it = { drops: 0, mode: 'whole', url: '' };
  let timer;
  const cut = () => {
    for (const p of pairs) p.forEach((s) => s.destroy());
    pairs.clear();
  };
  const server = createServer((near) => {
    if (it.mode === 'away') {
      near.destroy();
      return;
    }
    const far = connect(Number(new URL(target()).port), '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    const pass = (from, to) =>
      from.on('data', (d) => {
        if (it.mode !== 'dropping') to.write(d);
        else setTimeout(() => to.destroyed || to.write(d), it.delay);
      });
    pass(near, far);
    pass(far, near);
    for (const s of pair) s.on('error', () => undefined).on('close', () => {
      pair.forEach((x) => x.destroy());
      pairs.delete(pair);
    });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  it.url = `http://127.0.0.1:${server.address().port}`;
  it.away = () => {
    clearInterval(timer);
    it.mode = 'away';
    cut();
  };
  it.whole = () => {
    clearInterval(timer);
    it.mode = 'whole';
  };
  it.dropping = (every, delay) => {
    it.mode = 'dropping';
    it.delay = delay;
    timer = setInterval(() => {
      if (pairs.size) it.drops++;
      cut();
    }, every);
  };
  it.end = () => {
    clearInterval(timer);
    cut();
    return new Promise((r) => server.close(r));
  };
  return it;
}

/** A phone whose clock is off by so many ms, from the start of each page on. */
export async function shifted(p, ms) {
  await p.context.addInitScript((by) => {
    const Real = Date;
    const now = () => Real.now() + by;
    globalThis.Date = new Proxy(Real, {
      construct: (t, a) => (a.length ? new Real(...a) : new Real(now())),
      apply: () => String(new Real(now())),
      get: (t, k) => (k === 'now' ? now : t[k]),
    });
  }, ms);
}
