// The review queue and the household page: every data state by fault
// injection, no name and no ID number in lists, addresses and titles, each look
// at an identity its own entry, two reviewers on one household, filters in the
// address, figures that equal their lists, rows that wait for R.
import { after, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { axe, launch, noIdentity, open, plan, population, serve, settled, shot, signIn, sleep, states } from './lib.mjs';
import { Field } from './field.mjs';

let s, field, browser, page, town, area;

before(async () => {
  s = await serve('mid');
  field = new Field(s);
  browser = await launch();
  page = await open(browser, { patience: 1500 });
  await signIn(page, s, 'county-business', '/office/review');
  // a township in which something waits and somebody else works
  const { items } = await (await page.request.get(`${s.url}/api/v1/c/${plan}/review`)).json();
  assert.ok(items.length > 4, 'households wait for review');
  area = items[0].household.slice(0, 9);
  town = s.api('township-office', area);
});
beforeEach(async () => {
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

const root = () => page.locator('#main').getAttribute('data-state');
async function becomes(state, what) {
  await page
    .waitForFunction((x) => document.querySelector('#main')?.getAttribute('data-state') === x, state, { timeout: 8000 })
    .catch(async () => assert.fail(`${what}: ${await root()} and not ${state}`));
}
const text = () => page.locator('#main').innerText();
const fault = (route) => route.fulfill({ status: 500, json: { code: 'internal' } });
const listOf = (u) => /^\/api\/.*\/review$/.test(u.pathname);
/** Waiting households of the township, so that both seats see them. */
const waiting = async () => (await town.get('/review')).items.map((r) => r.household);

test('the states of the queue', async () => {
  await states(page, {
    url: `${s.url}/office/review`,
    api: /^\/api\/[^?]*\/review(\/counts)?(\?|$)/, // list and figures fail together
    empty: (j) => ({ ...j, total: 0, pages: 0, items: [] }),
    filter: '?kind=hard',
    only: ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'empty', 'filtered'],
  });
  // no answer at all is not nothing to do
  await page.route(listOf, () => undefined);
  await page.goto(`${s.url}/office/review`);
  await becomes('not-loaded', 'no answer');
  assert.match(await text(), /没有取到/);
  assert.doesNotMatch(await text(), /没有待审核的户|暂无数据/);
  await page.unrouteAll({ behavior: 'ignoreErrors' });

  // the counts do not come: said so, and no zero
  await page.route((u) => /^\/api\/.*\/review\/counts$/.test(u.pathname), fault);
  await page.goto(`${s.url}/office/review`);
  await becomes('ready', 'the list is here');
  await page.waitForFunction(() => document.querySelector('[data-count="waiting"]')?.textContent === '未取到');
  assert.doesNotMatch(await page.locator('nav.tabs').innerText(), /0/);
});

test('the states of the household page', async () => {
  const [h] = await waiting();
  const seen = await states(page, {
    url: `${s.url}/office/households/${h}`,
    api: new RegExp(`/households/${h}/page$`),
    only: ['ready', 'not-loaded', 'offline', 'refused'],
  });
  assert.equal(seen.ready, 'ready');
  await page.route((u) => u.pathname.endsWith(`/households/${h}/page`), fault);
  await page.goto(`${s.url}/office/households/${h}`);
  await becomes('not-loaded', 'a fault');
  assert.doesNotMatch(await text(), /没有审核问题/);
});

test('nothing serious for axe, in both languages and in the dark', async () => {
  const [h] = await waiting();
  for (const [lang, dark] of [['zh', false], ['en', true]]) {
    const other = await open(browser, { lang, dark, state: { ...(await page.context().storageState()), origins: [] } });
    for (const [name, path] of [['review', '/office/review'], ['household', `/office/households/${h}?state=waiting`]]) {
      await other.goto(s.url + path);
      assert.equal(await settled(other), 'ready');
      await sleep(600);
      assert.deepEqual(await axe(other), [], `${name} ${lang}`);
      assert.deepEqual(other.faults, []);
      if (lang === 'en') assert.doesNotMatch(await other.title(), /[\u4e00-\u9fff]/);
      await shot(other, `${name}-${lang}`);
    }
    await other.context().close();
  }
});

test('no name and no ID number in lists, addresses and titles', async () => {
  const { names, numbers } = population(s);
  assert.ok(names.length > 500 && numbers.length > 5000, `${names.length} names, ${numbers.length} numbers`);
  page.requests.length = 0;
  for (const q of ['', '?state=corrected', '?state=querying', '?state=reviewed', '?kind=soft&sort=findings']) {
    await page.goto(`${s.url}/office/review${q}`);
    await settled(page);
    await sleep(700); // previews and what is read ahead
    assert.deepEqual(await noIdentity(page, s), [], q);
  }
  const bytes = page.requests.reduce((n, r) => n + r.body.length, 0);
  assert.ok(bytes > 20_000, `${bytes} bytes looked through`);

  // the household page shows masks, and one person after 显示
  await page.goto(`${s.url}/office/review`);
  await page.waitForSelector('#main[data-state="ready"] tbody tr');
  await page.keyboard.press('KeyK');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.persons td[data-cell]');
  await sleep(500);
  assert.deepEqual(await noIdentity(page, s), []);
  const h = (await page.locator('[data-household]').textContent()).replace(/\D/g, '');
  assert.match(await page.locator('.persons').first().innerText(), /\*/);
  const looks = async () => (await s.api('audit-admin').get(`/ledger?store=${h.slice(0, 6)}&verb=vault.view&subject=${h}&limit=1000`)).items;
  const had = await looks();
  await page.locator('.persons button.eye').first().click();
  await page.locator('dialog[open] [data-primary]').click();
  await page.waitForSelector('.identity.open');
  const shown = await page.locator('.identity.open .text').allInnerTexts();
  assert.ok(shown.length >= 1 && shown.every((x) => !x.includes('*')), `${shown}`);
  const masked = await page.locator('.persons tbody tr').first().locator('.identity:not(.open) .text').allInnerTexts();
  assert.ok(masked.every((x) => x.includes('*')), 'the others stay masked');
  const now = await looks();
  assert.equal(now.length, had.length + 1, 'a look is an entry');
  assert.match(now.at(-1).note, /核对姓名与公民身份号码/);
  assert.ok(!now.at(-1).note.includes(shown[0]), 'and the entry holds no name');
  // opening the next household closes it
  await page.keyboard.press('KeyJ');
  await page.waitForFunction((x) => document.querySelector('[data-household]')?.textContent?.replace(/\D/g, '') !== x, h);
  assert.equal(await page.locator('.identity.open').count(), 0);
});

test('every figure equals the list it opens', async () => {
  for (const kind of ['waiting', 'corrected', 'querying', 'reviewed']) {
    await page.goto(`${s.url}/office/review${kind === 'waiting' ? '' : `?state=${kind}`}`);
    await page.waitForFunction(() => ['ready', 'empty'].includes(document.querySelector('#main')?.getAttribute('data-state')));
    await page.waitForFunction((k) => /\d/.test(document.querySelector(`[data-count="${k}"]`)?.textContent ?? ''), kind);
    const figure = Number((await page.locator(`[data-count="${kind}"]`).textContent()).replace(/\D/g, ''));
    const r = await page.request.get(`${s.url}/api/v1/c/${plan}/review?state=${kind}`);
    assert.equal((await r.json()).total, figure, kind);
    if (figure > 0) assert.match(await page.locator('nav.pages').innerText(), new RegExp(`共${figure.toLocaleString('en-US')}条`));
  }
  // a filter chosen on the page stands in the address and gives what it says
  await page.goto(`${s.url}/office/review`);
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
  const [h, next] = await waiting();
  await town.post(`/review/${h}/look`);
  await page.goto(`${s.url}/office/households/${h}?state=waiting`);
  await page.waitForSelector('.persons td[data-cell]');
  await page.waitForFunction(() => /正在审/.test(document.querySelector('#main')?.textContent ?? ''));
  await page.keyboard.press('KeyQ');
  await page.waitForSelector('section.act');
  await page.locator('section.act textarea').fill('请核对第一人的受教育程度');
  await page.keyboard.press('Escape');
  // the other one is first
  assert.ok((await field.ask(h, '先问一步', 'township-office', area)) > 0);
  await page.keyboard.press('KeyA');
  await page.waitForSelector('section.act');
  await page.keyboard.press('Digit1');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /没有办成/.test(document.querySelector('p.bar[role="alert"]')?.textContent ?? ''));
  await page.goto(`${s.url}/office/households/${next}?state=waiting`);
  await page.waitForSelector('.persons td[data-cell]');
  const kept = await page.evaluate((x) => sessionStorage.getItem(`puan.words.query.${x}`), h);
  assert.equal(kept, '请核对第一人的受教育程度');
});

test('a version that arrives while reading is said, and A means nothing for the old one', async () => {
  await field.openWindow('township-office');
  const [h] = await waiting();
  await page.goto(`${s.url}/office/households/${h}?state=waiting`);
  await page.waitForSelector('.persons td[data-cell]');
  const q = await field.ask(h, '请核对住房间数', 'township-office', area);
  assert.ok(await field.correct(h, q, (doc) => (doc.answers.H7 = Number(doc.answers.H7 ?? 2) + 1)));
  await page.waitForFunction(() => /有第2版/.test(document.querySelector('#main')?.textContent ?? ''), undefined, { timeout: 60_000 });
  await page.keyboard.press('KeyA');
  await sleep(300);
  assert.equal(await page.locator('section.act').count(), 0, 'no act on the old version');
  await page.keyboard.press('KeyR');
  await page.waitForFunction(() => document.querySelector('.house td.changed') !== null);
  const p = await town.get(`/households/${h}/page`);
  assert.equal(p.acts.length, 0);
});

test('rows that arrive wait for R', async () => {
  await page.goto(`${s.url}/office/review?state=querying`);
  await settled(page);
  const had = await page.locator('tbody tr').count();
  assert.ok(had > 0, 'a query was asked before');
  const [h] = await waiting();
  await field.ask(h, '再核对', 'township-office', area);
  await page.waitForSelector('.fresh', { timeout: 15_000 });
  assert.equal(await page.locator('tbody tr').count(), had, 'the list does not move by itself');
  // the newest cannot be had: the old list stays with its time
  await page.route(listOf, fault);
  await page.keyboard.press('KeyR');
  await becomes('stale', 'the last good list');
  assert.equal(await page.locator('tbody tr').count(), had);
  assert.match(await text(), /未更新/);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.getByRole('button', { name: '重新读取' }).first().click();
  await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length === n + 1, had);
  await becomes('ready', 'read again');
});
