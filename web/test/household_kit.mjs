// A small campaign of its own for the household's tests: made by the program's
// own commands, served on a free port, its clock set by its system
// administrator, codes issued by its security administrator.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { code as oneTimeCode, puan, root, web } from './lib.mjs';

const EA = '370883002001001';
const AREAS = [
  '37,,province,山东省,Shandong,ordinary,,,', '3708,37,prefecture,济宁市,Jining,ordinary,,,',
  '370883,3708,county,邹城市,Zoucheng,ordinary,,,', '370883002,370883,township,北宿镇,Beisu,ordinary,,,',
  '370883002001,370883002,district,北宿村,Beisu village,ordinary,,,', `${EA},370883002001,ea,第1普查小区,Enumeration area 1,ordinary,,,`,
];

function command(...args) {
  const r = spawnSync(puan, args, { encoding: 'utf8', cwd: root });
  if (r.status !== 0) throw new Error(`puan ${args.join(' ')}: ${r.stderr}${r.stdout}`);
}

/** A citizen ID number with its check character. */
export function idNumber(region, birth, order) {
  const body = `${region}${birth}${String(order).padStart(3, '0')}`;
  const sum = [...body].reduce((s, d, i) => s + Number(d) * (2 ** (17 - i) % 11), 0);
  return body + '10X98765432'[sum % 11];
}

/**
 * Serves a campaign with `n` listed households; rate of the clock in
 * thousandths.  Another plan by its pack's folder, its id, its areas.
 */
export async function campaign({ n = 4, at = '2020-11-02T19:30:00+08:00', rate = 1000, plan = 'cn-population-2020', pack = plan, areas = AREAS, ea = EA, mode = 'self' } = {}) {
  const C = `/api/v1/c/${plan}`;
  const dir = mkdtempSync(join(tmpdir(), 'puan-household-'));
  const home = join(dir, 'census');
  const households = Array.from({ length: n }, (_, i) => ea + String(i + 1).padStart(3, '0'));
  writeFileSync(join(dir, 'areas.csv'), [
    'code,parent,level,name_zh,name_en,kind,valid_from,valid_to,successor',
    ...areas, '',
  ].join('\n'));
  writeFileSync(join(dir, 'listing.csv'), [
    'household,ea,building,unit,status,mode,head_name,phone,address,c1,c7',
    ...households.map((h, i) => `${h},${ea},3,${101 + i},ordinary,${mode},赵${i},13800000000,北宿村3号楼${101 + i}室,4,1`), '',
  ].join('\n'));
  const secrets = join(dir, 'secrets.csv');
  command('init', home, '--plan', pack, '--birth', 'demo');
  command('admin', 'first-run', home, '--secrets-file', secrets);
  command('import', home, join(dir, 'areas.csv'), join(dir, 'listing.csv'));
  const admin = Object.fromEntries(readFileSync(secrets, 'utf8').trim().split('\n').slice(1).map((l) => {
    const [name, role, secret, otp] = l.split(',');
    return [role, { name, secret, otp }];
  }));
  let server, url, said = '';
  const tokens = {};

  async function start(port = 0) {
    server = spawn(puan, ['serve', home, '--listen', `127.0.0.1:${port}`, '--web', web], { cwd: root });
    said = '';
    server.stdout.on('data', (d) => (said += d));
    server.stderr.on('data', (d) => (said += d));
    for (let i = 0; i < 200 && !/http:\/\/[\d.:]+/.test(said); i++) {
      if (server.exitCode !== null) throw new Error(said);
      await new Promise((r) => setTimeout(r, 50));
    }
    url = /http:\/\/[\d.:]+/.exec(said)[0];
    for (const k of Object.keys(tokens)) delete tokens[k];
  }
  async function halt() {
    if (server.exitCode !== null) return;
    const over = new Promise((r) => server.once('exit', r));
    server.kill('SIGTERM');
    await over;
  }
  async function call(method, path, token, body) {
    const r = await fetch(url + C + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await r.text();
    let json = text;
    try {
      json = JSON.parse(text);
    } catch { /* CSV */ }
    return { status: r.status, body: json };
  }
  async function as(role) {
    if (tokens[role]) return tokens[role];
    const a = admin[role];
    const r = await call('POST', '/login', null, { name: a.name, secret: a.secret, code: await oneTimeCode(a.otp) });
    if (r.status !== 200) throw new Error(`${role}: ${JSON.stringify(r.body)}`);
    return (tokens[role] = r.body.token);
  }
  const it = {
    dir, home, households, call, as, start, halt,
    get url() {
      return url;
    },
    /** The campaign clock, as the system administrator sets it. */
    async clock(now, r = rate) {
      const a = await call('POST', '/clock', await as('system-admin'), { now, rate: r });
      if (a.status !== 204 && a.status !== 200) throw new Error(JSON.stringify(a.body));
    },
    /** A household's new code. */
    async issue(household) {
      const a = await call('POST', '/credentials', await as('security-admin'), { kind: 'household', role: 'household', list: [household] });
      if (a.status !== 201) throw new Error(JSON.stringify(a.body));
      return a.body.split('\n')[1].split(',')[1];
    },
    async end() {
      await halt();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await start();
  await it.clock(at);
  return it;
}

/** A phone: 360 px wide, touch, its own profile directory when given. */
export async function phone({ profile, height = 640, width = 360, dark = false } = {}) {
  const options = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    viewport: { width, height }, deviceScaleFactor: 2, hasTouch: true, isMobile: true,
    locale: 'zh-CN', colorScheme: dark ? 'dark' : 'light', acceptDownloads: true,
  };
  const dir = profile ?? mkdtempSync(join(tmpdir(), 'puan-phone-'));
  const context = await chromium.launchPersistentContext(dir, options);
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(Number(process.env.PUAN_WAIT ?? 15000));
  const faults = [];
  page.on('pageerror', (e) => faults.push(e.stack ?? e.message));
  return {
    context, page, faults, dir,
    async close() {
      await context.close();
      if (!profile) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The act at the lower edge. */
export const primary = (page) => page.locator('[data-primary]').first();
export const next = (page) => primary(page).tap();
export const at = (page, path) => page.waitForURL((u) => u.pathname.replace(/\/$/, '') === `/household${path}`);
export const option = (page, text) => page.locator('label.option', { hasText: text }).first();

/** From the first page to the first question: code, password, who fills in. */
export async function enter(page, url, code, password = 'tian qi hao', { first = true } = {}) {
  await page.goto(`${url}/household`);
  await page.waitForSelector('main[data-state=ready] [name=code]');
  await page.fill('[name=code]', code);
  await next(page);
  if (first) {
    await at(page, '/home');
    await option(page, '本户成员').tap();
    await page.fill('[name=new-password]', password);
    await next(page);
  } else {
    await page.fill('[name=password]', password);
    await next(page);
  }
}

/** Axe over the page: what is serious or worse. */
export async function axe(page) {
  const source = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  // the content security policy forbids script tags; the debugger may evaluate
  await page.evaluate(source);
  const r = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(', ')}`);
}
