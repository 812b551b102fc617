// The explorer of findings: what a figure says is what opens behind it, in the
// queue for what stands open and in the page's own list for the rest; from
// there to the household; the rules page leads here; figures go out registered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, open, serve, settled, signIn } from './lib.mjs';

let s, b, page;
before(async () => {
  s = await serve('mid');
  b = await launch();
  page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'county-business', '/office/findings');
  await settled(page);
});
after(async () => {
  await b?.close();
  await s?.stop();
});
const number = (text) => Number(text.replace(/[^\d]/g, ''));
const findings = (q = '') => s.api('county-business').get(`/findings${q}`);
async function go(path) {
  await page.goto(s.url + path);
  await page.waitForSelector('h1');
  return settled(page);
}

test('the figures are those of the returns', async () => {
  const d = await findings();
  assert.ok(d.households.open > 0 && d.households.corrected > 0, JSON.stringify(d.households));
  for (const state of ['open', 'confirmed', 'corrected']) assert.equal(number(await page.textContent(`[data-count=${state}]`)), d.households[state]);
  // each rule is the sum of its areas, and the last day says what stands open
  for (const r of d.rules) assert.equal(r.by.reduce((a, x) => a + x, 0), r.households.open, r.id);
  assert.equal(d.days.at(-1).open, d.findings.open);
  assert.deepEqual(await axe(page), []);
});

test('a figure of open findings opens the queue with as many, and that the household', async () => {
  await go('/office/findings');
  const first = page.locator('.heat tbody tr').first();
  const id = (await first.locator('.rule .code').textContent()).trim();
  const n = number(await first.locator('.total a').textContent());
  await first.locator('.total a').click();
  await page.waitForURL(/\/office\/review\?/);
  await settled(page);
  assert.equal(number(await page.textContent('[data-count=open]')), n);
  assert.match(page.url(), new RegExp(`rule=${id}`));
  await page.click('[data-primary]');
  await page.waitForURL(/\/office\/households\/\d+/);
  await settled(page);
  assert.ok((await page.textContent('main')).includes(id));
});

test('what was corrected has its own list', async () => {
  await go('/office/findings?state=corrected&list=true');
  const d = await findings('?state=corrected');
  await page.waitForFunction((n) => document.querySelector('main')?.textContent.replace(/,/g, '').includes(`共${n}条`), d.households.corrected);
  await page.locator('table a.code').first().click();
  await page.waitForURL(/\/office\/households\/\d+/);
});

test('an area leads further down, and back', async () => {
  await go('/office/findings');
  await page.locator('.heat thead .area a').nth(3).click();
  await page.waitForURL(/area=\d{9}/);
  await settled(page);
  const code = /area=(\d+)/.exec(page.url())[1];
  const whole = await findings();
  const d = await findings(`?area=${code}`);
  assert.equal(d.households.open, whole.areas.find((a) => a.code === code).open);
  await page.locator('.filters a').first().click();
  await page.waitForURL((u) => !u.searchParams.has('area'));
});

test('the cells are walked by keys', async () => {
  await go('/office/findings');
  await page.locator('[data-cell="0.0"]').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.activeElement?.dataset.cell === '1.1');
});

test('the catalogue of rules leads here', async () => {
  await go('/office/rules');
  const link = page.locator('table a').last();
  await link.waitFor();
  await link.click();
  await page.waitForURL(/\/office\/findings\?.*rule=/);
  assert.equal(await settled(page), 'ready');
});

test('figures go out registered, and without a household', async () => {
  await go('/office/findings');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('.acts .quiet')]);
  const { readFileSync } = await import('node:fs');
  const csv = readFileSync(await file.path(), 'utf8');
  assert.match(csv, /area,name_zh,name_en,form,rule,severity,state,households,returns/);
  assert.doesNotMatch(csv, /\d{18}/);
  await page.waitForSelector('main [role=status]');
});

test('an office above sees figures and no households', async () => {
  const d = await s.api('city-office').get('/findings');
  assert.equal(d.listed, false);
  const list = await s.api('city-office').get('/findings/households');
  assert.equal(list.items.length, 0);
  assert.equal(list.total, undefined);
});
