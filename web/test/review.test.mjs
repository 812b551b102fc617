// The review queue and the household page: every data state by fault
// injection, no name and no ID number in lists, addresses and titles, each look
// at an identity its own entry, two reviewers on one household, filters in the
// address, figures that equal their lists, rows that wait for R.
import { after, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, serve, signIn } from './lib.mjs';
import { Desk } from './field.mjs';

let fix, desk, browser, page, campaign;
const network = []; // {url, body} of what the page was answered

before(async () => {
  fix = await serve('mid');
  desk = new Desk(fix.url, fix.dir);
  campaign = await desk.campaign();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1366, height: 650 }, locale: 'zh-CN' });
  page = await context.newPage();
  await page.addInitScript(() => (globalThis.PUAN_PATIENCE = 1500));
  await signIn(page, fix.url, 'county-business', fix.dir);
  page.on('response', async (r) => {
    if (!r.url().includes('/api/') || r.url().includes('/events')) return;
    network.push({ url: r.url(), body: await r.text().catch(() => '') });
  });
});
beforeEach(async () => {
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
after(async () => {
  await browser?.close();
  await fix?.stop();
});

const root = () => page.locator('#main').getAttribute('data-state');
async function becomes(state, what) {
  await page
    .waitForFunction((s) => document.querySelector('#main')?.getAttribute('data-state') === s, state, { timeout: 8000 })
    .catch(async () => assert.fail(`${what}: ${await root()} and not ${state}`));
}
const text = () => page.locator('#main').innerText();
/** Answers of one address are changed; gives the way back. */
async function inject(glob, how) {
  await page.route(glob, how);
  return () => page.unroute(glob, how);
}
const json = (body) => (route) => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });

test('the states of the queue', async () => {
  const empty = { as_of: '2020-11-05T20:00:00+08:00', total: 0, page: 1, pages: 0, items: [] };
  const go = (q = '') => page.goto(`${fix.url}/office/review${q}`);
  const api = (u) => /^\/api\/.*\/review$/.test(new URL(u).pathname);

  await go();
  await becomes('ready', 'as it is');
  let back = await inject(api, json(empty));
  await go();
  await becomes('empty', 'nothing waits');
  assert.match(await text(), /没有待审核的户/);
  await go('?kind=hard');
  await becomes('filtered', 'nothing suits');
  assert.match(await text(), /清除筛选/);
  await back();

  back = await inject(api, () => new Promise(() => undefined)); // never answered
  await go();
  await becomes('not-loaded', 'no answer');
  assert.match(await text(), /没有取到/);
  assert.doesNotMatch(await text(), /没有待审核的户|暂无数据/);
  await back();

  back = await inject(api, (r) => r.fulfill({ status: 500, contentType: 'application/json', body: '{"code":"internal"}' }));
  await go();
  await becomes('not-loaded', 'a fault');
  await back();

  back = await inject(api, (r) => r.fulfill({ status: 403, contentType: 'application/json', body: '{"code":"denied"}' }));
  await go();
  await becomes('refused', 'not for this seat');
  assert.match(await text(), /本岗位不能办理此事项/);
  await back();

  back = await inject(api, async (route) => {
    const r = await route.fetch();
    const body = await r.json();
    await route.fulfill({ response: r, json: { ...body, partial: { have: 0, of: 1, missing: ['370883'] } } });
  });
  await go();
  await becomes('partial', 'the index is being made');
  assert.match(await text(), /缺：370883/);
  assert.ok((await page.locator('tbody tr').count()) > 0, 'what there is stays');
  await back();

  // the counts do not come: said so, and no zero
  back = await inject((u) => /^\/api\/.*\/review\/counts$/.test(new URL(u).pathname), (r) => r.fulfill({ status: 500, contentType: 'application/json', body: '{"code":"internal"}' }));
  await go();
  await becomes('ready', 'the list is here');
  await page.waitForFunction(() => document.querySelector('[data-count="waiting"]')?.textContent === '未取到');
  assert.doesNotMatch(await page.locator('nav.tabs').innerText(), /0/);
  await back();
});

test('the states of the household page', async () => {
  const l = await desk.get('/review', 'township-office');
  const h = l.items[0].household;
  const api = (u) => new URL(u).pathname.endsWith(`/households/${h}/page`);
  const go = () => page.goto(`${fix.url}/office/households/${h}`);

  await go();
  await becomes('ready', 'as it is');
  let back = await inject(api, () => new Promise(() => undefined));
  await go();
  await becomes('not-loaded', 'no answer');
  assert.doesNotMatch(await text(), /没有审核问题/);
  await back();
  back = await inject(api, (r) => r.fulfill({ status: 404, contentType: 'application/json', body: '{"code":"not-found"}' }));
  await go();
  await becomes('refused', 'not there or not for this seat');
  await back();
  back = await inject(api, (r) => r.abort());
  await go();
  await page.waitForFunction(() => ['offline', 'not-loaded'].includes(document.querySelector('#main')?.getAttribute('data-state')));
  await back();
});

test('no name and no ID number in lists, addresses and titles', async () => {
  // names of four characters and more bytes, so that none is part of a place's
  const names = new Set();
  const ids = new Set();
  for (const line of readFileSync(join(fix.dir, 'sim', 'listing.csv'), 'utf8').trim().split('\n').slice(1)) {
    const f = line.split(',');
    if ([...(f[6] ?? '')].length >= 3) names.add(f[6]);
    if (/^1\d{10}$/.test(f[7] ?? '')) ids.add(f[7]);
  }
  for (const line of readFileSync(join(fix.dir, 'sim', 'register.csv'), 'utf8').trim().split('\n').slice(1)) ids.add(line.split(',')[0]);
  assert.ok(names.size > 500 && ids.size > 5000, `${names.size} names, ${ids.size} numbers`);

  const clean = (what, s) => {
    for (const n of s.match(/[\u3400-\u9fff]{3,}/g) ?? [])
      for (let i = 0; i + 3 <= n.length; i++) assert.ok(!names.has(n.slice(i, i + 3)), `${what}: ${n.slice(i, i + 3)}`);
    for (const n of s.match(/\d{11,17}[\dX]/g) ?? []) assert.ok(!ids.has(n), `${what}: ${n}`);
    for (const n of s.match(/(?<!\d)1\d{10}(?!\d)/g) ?? []) assert.ok(!ids.has(n), `${what}: ${n}`);
  };
  network.length = 0;
  let looked = 0;
  for (const q of ['', '?state=corrected', '?state=querying', '?state=reviewed', '?kind=soft&sort=findings']) {
    await page.goto(`${fix.url}/office/review${q}`);
    await page.waitForFunction(() => ['ready', 'empty', 'filtered'].includes(document.querySelector('#main')?.getAttribute('data-state')));
    await page.waitForTimeout(700); // previews and what is read ahead
    clean(`DOM ${q}`, await page.content());
    clean('title', await page.title());
    clean('address', page.url());
  }
  for (const a of network) {
    clean(a.url, a.body);
    clean('address', decodeURIComponent(a.url));
    looked += a.body.length;
  }
  assert.ok(looked > 20_000, `${looked} bytes looked through`);

  // the household page shows masks, and one person after 显示
  await page.goto(`${fix.url}/office/review`);
  await page.waitForSelector('#main[data-state="ready"] tbody tr');
  await page.keyboard.press('KeyK');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.persons td[data-cell]');
  await page.waitForTimeout(500);
  clean('household page', await page.content());
  const h = (await page.locator('[data-household]').textContent()).replace(/\D/g, '');
  assert.match(await page.locator('.persons').first().innerText(), /\*/);
  const county = h.slice(0, 6);
  const before = await desk.get(`/ledger?store=${county}&verb=vault.view&subject=${h}&limit=1000`, 'audit-admin');
  await page.locator('.persons button.eye').first().click();
  await page.locator('dialog[open] [data-primary]').click();
  await page.waitForSelector('.identity.open');
  const shown = await page.locator('.identity.open .text').allInnerTexts();
  assert.ok(shown.length >= 1 && shown.every((s) => !s.includes('*')), `${shown}`);
  assert.equal(await page.locator('.persons th[scope="col"]').count() > 1 ? (await page.locator('.persons tbody tr').first().locator('.identity:not(.open)').count()) > 0 : true, true, 'the others stay masked');
  const now = await desk.get(`/ledger?store=${county}&verb=vault.view&subject=${h}&limit=1000`, 'audit-admin');
  assert.equal(now.items.length, before.items.length + 1, 'a look is an entry');
  assert.match(now.items.at(-1).note, /核对姓名与公民身份号码/);
  assert.doesNotMatch(now.items.at(-1).note, new RegExp(shown[0]), 'and the entry holds no name');
  // opening the next household closes it
  await page.keyboard.press('KeyJ');
  await page.waitForFunction((x) => document.querySelector('[data-household]')?.textContent?.replace(/\D/g, '') !== x, h);
  assert.equal(await page.locator('.identity.open').count(), 0);
});

test('every figure equals the list it opens', async () => {
  for (const s of ['waiting', 'corrected', 'querying', 'reviewed']) {
    await page.goto(`${fix.url}/office/review${s === 'waiting' ? '' : `?state=${s}`}`);
    await page.waitForFunction(() => ['ready', 'empty'].includes(document.querySelector('#main')?.getAttribute('data-state')));
    await page.waitForFunction((k) => /\d/.test(document.querySelector(`[data-count="${k}"]`)?.textContent ?? ''), s);
    const figure = Number((await page.locator(`[data-count="${s}"]`).textContent()).replace(/\D/g, ''));
    const r = await page.request.get(`${fix.url}/api/v1${campaign}/review?state=${s}`);
    assert.equal((await r.json()).total, figure, s);
    if (figure > 0) assert.match(await page.locator('nav.pages').innerText(), new RegExp(`共${figure.toLocaleString('en-US')}条`));
  }
  // a filter chosen on the page stands in the address and gives what it says
  await page.goto(`${fix.url}/office/review`);
  await page.waitForSelector('#main[data-state="ready"] tbody tr');
  await page.waitForFunction(() => document.querySelectorAll('.filters select')[0]?.options.length > 1);
  const option = page.locator('.filters select').first().locator('option').nth(1);
  const rule = await option.getAttribute('value');
  const n = Number(/\((\d+)\)\s*$/.exec(await option.innerText())[1]);
  await page.locator('.filters select').first().selectOption(rule);
  await page.waitForFunction((x) => location.search.includes(`rule=${x}`), rule);
  await page.waitForFunction((x) => document.querySelector('nav.pages')?.textContent?.includes(`共${x}条`), n);
});

test('two reviewers see each other, and a stale act is refused with its words kept', async () => {
  const l = await desk.get('/review', 'township-office');
  const h = l.items[0].household;
  await desk.post(`/review/${h}/look`, {}, 'township-office');
  await page.goto(`${fix.url}/office/households/${h}?state=waiting`);
  await page.waitForSelector('.persons td[data-cell]');
  await page.waitForFunction(() => /正在审/.test(document.querySelector('#main')?.textContent ?? ''));
  // the other one speaks first; the version stays, so the word is refused by what stands above or below it
  await page.keyboard.press('KeyQ');
  await page.waitForSelector('section.act');
  await page.locator('section.act textarea').fill('请核对第一人的受教育程度');
  const q = await desk.ask(h, '先问一步', 'township-office');
  assert.ok(q.id > 0);
  await page.keyboard.press('Escape');
  await page.keyboard.press('KeyA');
  await page.waitForSelector('section.act');
  await page.keyboard.press('Digit1');
  await page.keyboard.press('Enter');
  await page.waitForSelector('p.bar[role="alert"]');
  assert.match(await page.locator('p.bar[role="alert"]').first().innerText(), /没有办成/);
  // the words typed before are still there
  await page.goto(`${fix.url}/office/households/${l.items[1].household}?state=waiting`);
  await page.waitForSelector('.persons td[data-cell]');
  const kept = await page.evaluate((x) => sessionStorage.getItem(`puan.words.query.${x}`), h);
  assert.equal(kept, '请核对第一人的受教育程度');
});

test('rows that arrive wait for R', async () => {
  await page.goto(`${fix.url}/office/review?state=querying`);
  await page.waitForFunction(() => ['ready', 'empty'].includes(document.querySelector('#main')?.getAttribute('data-state')));
  const had = await page.locator('tbody tr').count();
  assert.ok(had > 0, 'a query was asked before');
  const l = await desk.get('/review', 'township-office');
  await desk.ask(l.items[0].household, '再核对', 'township-office');
  await page.waitForSelector('.fresh', { timeout: 15_000 });
  assert.equal(await page.locator('tbody tr').count(), had, 'the list does not move by itself');
  // the newest cannot be had: the old list stays with its time
  const back = await inject((u) => /^\/api\/.*\/review$/.test(new URL(u).pathname), (r) => r.fulfill({ status: 500, contentType: 'application/json', body: '{"code":"internal"}' }));
  await page.keyboard.press('KeyR');
  await becomes('stale', 'the last good list');
  assert.equal(await page.locator('tbody tr').count(), had);
  assert.match(await text(), /未更新/);
  await back();
  await page.getByRole('button', { name: '重新读取' }).first().click();
  await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length === n + 1, had);
  await becomes('ready', 'read again');
});
