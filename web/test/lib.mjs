/*
 * What the browser tests share: a served copy of a small census, a browser,
 * signing in with the second factor, the data states by fault injection, axe,
 * and the search for names and ID numbers where none may be.
 *
 *   const s = await serve('mid');          // or 'end'
 *   const b = await launch();
 *   const page = await open(b, { width: 1366, height: 650, lang: 'zh' });
 *   await signIn(page, s, 'county-business', '/office/review');
 *
 * "mid" is the census in the midst of registration, "end" after the release.
 */
import { spawn, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const root = new URL('../..', import.meta.url).pathname;
export const puan =
  process.env.PUAN ?? [join(root, 'build/puan'), join(root, 'build-check/gcc/puan')].find((p) => existsSync(p)) ?? 'puan';
export const web = process.env.PUAN_WEB ?? join(root, 'web/dist');
export const plan = 'cn-population-2020';

/* ---- the census ---------------------------------------------------------- */

/** The folder of a stage: {census, sim, accounts.txt}. */
export function fixture(stage) {
  const given = process.env.PUAN_FIXTURE;
  if (given && existsSync(join(given, stage))) return join(given, stage);
  const made = join(root, 'build-check/fixture');
  const dir = join(made, 'demo');
  if (!existsSync(join(dir, 'made'))) {
    mkdirSync(made, { recursive: true });
    rmSync(dir, { recursive: true, force: true });
    execFileSync(
      puan,
      ['demo', '--once', '--plans', join(root, 'plans'), '--data', join(root, 'data'), '--oracle', join(root, 'test/oracle/resident.sql'),
        '--area', '370883', '--scale', '0.02', '--dir', dir, '--report', join(made, 'report.json')],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    mkdirSync(join(dir, 'made'));
  }
  return join(dir, `@${stage}`); // see copyStage
}

function copyStage(stage, to) {
  const from = fixture(stage);
  if (!from.includes('/@')) {
    cpSync(from, to, { recursive: true });
    return;
  }
  const dir = from.slice(0, from.lastIndexOf('/@'));
  const census = join(dir, stage === 'mid' ? 'day' : 'census');
  if (!existsSync(census)) throw new Error(`no stage "${stage}": ${census} is not there`);
  cpSync(census, join(to, 'census'), { recursive: true });
  cpSync(join(dir, 'sim'), join(to, 'sim'), { recursive: true });
  cpSync(join(dir, 'accounts.txt'), join(to, 'accounts.txt'));
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.once('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

/**
 * Serves a copy of a stage.  `args` go to `puan serve`; `now` sets the campaign
 * clock.  Gives {url, dir, accounts, api, log, stop, kill, start}.
 */
export async function serve(stage, { args = [], now } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'puan-web-'));
  copyStage(stage, dir);
  return serveDir(dir, { args, now, temporary: true });
}

export async function serveDir(dir, { args = [], now, temporary = false } = {}) {
  const port = await freePort();
  const s = { dir, url: `http://127.0.0.1:${port}`, log: '', child: null, accounts: accounts(join(dir, 'accounts.txt')) };
  s.start = async () => {
    const child = spawn(puan, ['serve', join(dir, 'census'), '--listen', `127.0.0.1:${port}`, '--web', web, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PUAN_PLANS: join(root, 'plans'), PUAN_DATA: join(root, 'data') },
    });
    s.child = child;
    child.stdout.on('data', (d) => (s.log += d));
    child.stderr.on('data', (d) => (s.log += d));
    for (let i = 0; i < 600; i++) {
      if (child.exitCode !== null) throw new Error(`puan serve ended:\n${s.log}`);
      try {
        if ((await fetch(`${s.url}/healthz`)).ok) return;
      } catch {
        // not yet
      }
      await sleep(100);
    }
    throw new Error(`puan serve does not answer:\n${s.log}`);
  };
  s.halt = async (signal = 'SIGTERM') => {
    if (!s.child || s.child.exitCode !== null || s.child.signalCode) return;
    const over = new Promise((r) => s.child.once('exit', r));
    s.child.kill(signal);
    await over;
  };
  s.stop = async () => {
    await s.halt();
    if (temporary) rmSync(dir, { recursive: true, force: true });
  };
  await s.start();
  s.tokens = new Map();
  s.api = (role, area) => api(s, role, area);
  if (now) await s.api('system-admin').post('/clock', { now, rate: 1000 });
  return s;
}

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* ---- accounts --------------------------------------------------------------- */

/** Rows of accounts.txt: {role, account, secret, otp, area}. */
export function accounts(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(1)
    .map((l) => l.trim().split(/\s+/))
    .filter((x) => x.length >= 3)
    .map(([role, account, secret, otp]) => ({ role, account, secret, otp, area: /\.(\d+)$/.exec(account)?.[1] ?? '' }));
}

export function totp(secret, at = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const h = createHmac('sha1', key).update(step).digest();
  return String((h.readUInt32BE(h[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

/* A code counts once: the next one of the same account comes 30 s later. */
const used = new Map();
export async function code(otp) {
  for (;;) {
    // the server takes the step before and after its own
    const step = Math.floor(Date.now() / 30000);
    for (const s of [step - 1, step, step + 1])
      if (s > (used.get(otp) ?? 0)) {
        used.set(otp, s);
        return totp(otp, s * 30000);
      }
    await sleep(500);
  }
}

/** The account of a role, at an area when several have it; made when nobody has it. */
export async function accountOf(s, role, area) {
  const found = s.accounts.find((a) => (a.role === role || a.account === role) && (!area || a.area === area));
  if (found) return found;
  const at = area ?? '370883';
  const name = `${role}.t${at}`;
  const made = await s.api('system-admin').post('/accounts', { name, person: `${role} ${at}` });
  await s.api('security-admin').post('/seats', { account: name, role, area: at });
  const row = { role, account: name, secret: made.secret, otp: made.totp, area: at };
  s.accounts.push(row);
  return row;
}

/** Requests at a seat, without a browser: get, post, put give JSON or throw with .status and .code. */
export function api(s, role, area) {
  const base = `${s.url}/api/v1/c/${plan}`;
  async function call(method, path, body, token, extra = {}) {
    const r = await fetch(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(token ? { Authorization: `Bearer ${token}` } : {}), ...extra },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await r.text();
    let json = null;
    try {
      json = text ? JSON.parse(text) : null;
    } catch {
      json = text;
    }
    if (!r.ok) throw Object.assign(new Error(`${method} ${path}: ${r.status} ${text.slice(0, 300)}`), { status: r.status, code: json?.code ?? '', body: json });
    return json;
  }
  async function token() {
    const key = `${role} ${area ?? ''}`;
    if (!s.tokens.has(key)) {
      const a = await accountOf(s, role, area);
      const seat = await call('POST', '/login', { name: a.account, secret: a.secret, ...(a.otp ? { code: await code(a.otp) } : {}) });
      s.tokens.set(key, seat.token);
    }
    return s.tokens.get(key);
  }
  const factor = async () => call('POST', '/session/factor', { code: await code((await accountOf(s, role, area)).otp) }, await token());
  /** As a page does: a code too old for this act is given again, and the act repeated. */
  async function act(method, path, body, extra) {
    const bearer = role ? await token() : undefined;
    try {
      return await call(method, path, body, bearer, extra);
    } catch (e) {
      if (e.code !== 'second-factor') throw e;
      await factor();
      return call(method, path, body, bearer, extra);
    }
  }
  return {
    token,
    get: async (path) => call('GET', path, undefined, role ? await token() : undefined),
    post: async (path, body = {}, extra) => act('POST', path, body, extra),
    put: async (path, body = {}, extra) => act('PUT', path, body, extra),
    factor,
  };
}

/** Sets the campaign clock; rate in thousandths of real time. */
export const clock = (s, iso, rate = 1000) => s.api('system-admin').post('/clock', { now: iso, rate });

/* ---- browser ------------------------------------------------------------------ */

export const launch = (options = {}) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p)),
    args: ['--no-sandbox', '--font-render-hinting=none'],
    ...options,
  });

/** A page of its own context.  `requests` on it gathers {url, status, body} of /api answers. */
export async function open(b, { width = 1366, height = 650, lang = 'zh', dark = false, phone = false, size, state, patience } = {}) {
  const context = await b.newContext({
    viewport: { width: phone ? (width === 1366 ? 360 : width) : width, height: phone && height === 650 ? 640 : height },
    locale: lang === 'zh' ? 'zh-CN' : 'en-GB',
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: phone,
    isMobile: phone,
    storageState: state,
  });
  const page = await context.newPage();
  page.faults = [];
  page.requests = [];
  page.on('pageerror', (e) => page.faults.push(`error: ${e.message}`));
  page.on('console', (m) => {
    // the browser itself logs each answer of 400 and above; pages handle those
    if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) page.faults.push(`console: ${m.text()}`);
  });
  page.on('response', async (r) => {
    if (!r.url().includes('/api/')) return;
    const row = { url: r.url(), status: r.status(), method: r.request().method(), body: '' };
    page.requests.push(row);
    try {
      if (!/event-stream/.test(r.headers()['content-type'] ?? '')) row.body = await r.text();
    } catch {
      // the page left before it was read
    }
  });
  await page.addInitScript(
    ({ lang, patience, size }) => {
      try {
        if (!localStorage.getItem('puan.lang')) localStorage.setItem('puan.lang', lang);
        if (size) localStorage.setItem('puan.size', String(size));
      } catch {
        // no storage on about:blank
      }
      if (patience) globalThis.PUAN_PATIENCE = patience;
    },
    { lang, patience, size },
  );
  return page;
}

/** Signs in at the office and opens `path`. */
export async function signIn(page, s, role, path = '/office', area) {
  const a = await accountOf(s, role, area);
  await page.goto(s.url + path);
  await page.fill('input[name=name]', a.account);
  await page.fill('input[name=secret]', a.secret);
  if (a.otp) await page.fill('input[name=code]', await code(a.otp));
  await page.keyboard.press('Enter');
  await page.waitForSelector('input[name=secret]', { state: 'detached' });
  await page.waitForSelector('main[data-state]');
}

/** Waits until the page's root has left "loading"; gives the state. */
export async function settled(page, timeout = 20000) {
  await page.waitForFunction(
    () => {
      const s = document.querySelector('main[data-state]')?.getAttribute('data-state');
      return s && s !== 'loading';
    },
    undefined,
    { timeout },
  );
  return page.getAttribute('main[data-state]', 'data-state');
}

/* ---- data states by fault injection ------------------------------------------------ */

/**
 * Produces the data states of a page and asserts its data-state.
 *   page   signed in
 *   url    whole address of the page
 *   api    RegExp of the request the page's main data comes from
 *   empty  (json) => json: the answer with nothing in it
 *   filter query that makes "filtered" of an empty answer ("?rule=RH01")
 *   reload how the page asks again (default: the button 重新读取, else reload())
 *   only   states to produce (default all seven besides ready)
 * Gives {state: seen}.  In "not-loaded" no figure 0 may stand in main.
 */
export async function states(page, { url, api: pattern, empty, filter, only, again }) {
  const want = only ?? ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'stale', ...(empty ? ['empty'] : []), ...(empty && filter ? ['filtered'] : [])];
  const seen = {};
  const is = (u) => pattern.test(u.pathname + u.search);
  const at = async (address) => {
    await page.goto(address);
    return settled(page);
  };
  const answer = (change) => async (route) => {
    const r = await route.fetch({ headers: { ...route.request().headers(), 'if-none-match': '' } }).catch(() => null);
    if (!r) return undefined;
    let json = null;
    try {
      json = await r.json();
    } catch {
      return route.fulfill({ response: r }).catch(() => undefined);
    }
    return route.fulfill({ response: r, json: change(json), headers: { ...r.headers(), etag: '' } }).catch(() => undefined); // the page may have left
  };
  for (const state of want) {
    const handler = {
      ready: null,
      'not-loaded': (route) => route.fulfill({ status: 500, json: { code: 'internal' } }),
      offline: (route) => route.abort('internetdisconnected'),
      refused: (route) => route.fulfill({ status: 403, json: { code: 'denied' } }),
      partial: answer((j) => ({ ...j, partial: { have: 14, of: 16, missing: ['370883101', '370883102'] } })),
      empty: answer((j) => empty?.(j) ?? j),
      filtered: answer((j) => empty?.(j) ?? j),
      stale: null,
    }[state];
    if (state === 'offline') await page.addInitScript(() => Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => globalThis.__online ?? true }));
    if (handler) await page.route(is, handler);
    if (state === 'offline') {
      await page.addInitScript(() => (globalThis.__online = false));
    }
    seen[state] = await at(state === 'filtered' ? url + filter : url);
    if (state === 'offline') await page.addInitScript(() => (globalThis.__online = true));
    if (state === 'stale') {
      await page.route(is, (route) => route.fulfill({ status: 500, json: { code: 'internal' } }));
      if (again) await again(page);
      else await page.evaluate(() => dispatchEvent(new Event('online')));
      await page.waitForSelector('main[data-state="stale"]', { timeout: 8000 }).catch(() => undefined); // of itself it may be empty or partial
      seen[state] = await page.getAttribute('main[data-state]', 'data-state');
      await page.unroute(is);
    }
    if (state === 'not-loaded') {
      const text = await page.innerText('main');
      const zero = /(^|[\s：:])0\s*(户|人|个|条|$)/m.exec(text);
      if (zero) throw new Error(`a zero stands where nothing was loaded: "${zero[0].trim()}"`);
    }
    if (handler) await page.unroute(is);
    if (seen[state] !== state) throw new Error(`state ${state}: the page says ${seen[state]}`);
  }
  return seen;
}

/* ---- what no page may have ------------------------------------------------------------- */

const axeSource = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** Serious and critical findings of axe, as lines. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`);
}

let identities = null;
/** Names and ID numbers of the simulated population: two sets. */
export function population(s) {
  if (identities?.dir === s.dir) return identities;
  const names = new Set();
  const numbers = new Set();
  const sim = join(s.dir, 'sim');
  const read = (file, columns) => {
    const [head, ...rows] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
    const at = head.split(',');
    for (const r of rows) {
      const v = r.split(',');
      for (const [c, set] of columns) if (v[at.indexOf(c)]) set.add(v[at.indexOf(c)]);
    }
  };
  read(join(sim, 'register.csv'), [['name', names], ['id_number', numbers]]);
  read(join(sim, 'listing.csv'), [['head_name', names], ['phone', numbers]]);
  const returns = join(sim, 'returns');
  for (const c of existsSync(returns) ? readdirSync(returns) : []) {
    const f = join(returns, c, 'person.csv');
    if (existsSync(f)) read(f, [['D1', names], ['D3', numbers]]);
  }
  // two characters are also words; those of three and more are names for sure
  identities = { dir: s.dir, names: [...names].filter((n) => n.length >= 3), numbers: [...numbers].filter((n) => n.length >= 11) };
  return identities;
}

/** Names and numbers of persons found in the page or in what it was sent; [] is right. */
export async function noIdentity(page, s) {
  const { names, numbers } = population(s);
  const known = new Set([...names, ...numbers]);
  const text = (await page.content()) + page.requests.map((r) => r.body + r.url).join('\n');
  const found = new Set();
  for (const m of text.matchAll(/\d{17}[\dXx]|1\d{10}/g)) if (known.has(m[0])) found.add(m[0]);
  for (const m of text.matchAll(/[\u4e00-\u9fff]{3,}/g)) {
    const run = m[0];
    for (let i = 0; i + 3 <= run.length; i++)
      for (const n of [3, 4]) {
        const w = run.slice(i, i + n);
        if (w.length === n && known.has(w)) found.add(w);
      }
  }
  return [...found];
}

/** A screenshot for the tour, when PUAN_SHOTS names a folder. */
export async function shot(page, name) {
  const dir = process.env.PUAN_SHOTS;
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`) });
}

/** Prints the measures of a walkthrough as one line. */
export function measured(walk, measures) {
  console.log(JSON.stringify({ walk, ...measures }));
}

/**
 * Are limits of time asserted? On a quiet machine, PUAN_TIMED=1; an ordinary
 * run only prints what it measured, so that a busy machine fails nothing.
 */
export const timed = Boolean(process.env.PUAN_TIMED);
