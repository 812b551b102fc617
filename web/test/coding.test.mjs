// The coding desk: texts brought from a file, five suggestions with a key
// each, words looked up as they are typed, what two code apart, the way out
// for what says too little.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, launch, open, serve, settled, shot, signIn } from './lib.mjs';

let s, b, page, dir;
before(async () => {
  s = await serve('mid');
  b = await launch();
  dir = mkdtempSync(join(tmpdir(), 'puan-coding-'));
  page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'county-data', '/office/coding');
  await settled(page);
});
after(async () => {
  await b?.close();
  await s?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const counts = async () => {
  const { counts } = await s.api('county-data').get('/coding/next?of=industry');
  return counts;
};

test('an empty desk says what to do', async () => {
  assert.equal(await page.getAttribute('main', 'data-state'), 'empty');
  assert.match(await page.textContent('main'), /CSV/);
});

test('a file brings texts; the surest are coded, the vague put aside', async () => {
  const file = join(dir, 'texts.csv');
  writeFileSync(file, 'text,times\n在镇上卖水果,40\n打工,7\n管子,25\n机械,12\n"水",30\n');
  await page.setInputFiles('#coding-file', file);
  await page.waitForSelector('[data-answer]');
  const c = await counts();
  assert.equal(c.vague, 1);
  assert.equal(Object.values(c).reduce((x, y) => x + y, 0), 5);
  assert.ok(c.machine >= 1);
  assert.ok(c.open >= 2);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'coding');
});

test('typed words are looked up at once; a key gives the code', async () => {
  const was = await counts();
  const text = await page.textContent('[data-answer]');
  await page.fill('#coding-words', '做面包');
  await page.waitForFunction(() => [...document.querySelectorAll('.hit .code')][0]?.textContent === '1411');
  await page.fill('#coding-words', '');
  await page.evaluate(() => document.activeElement?.blur());
  await page.waitForFunction(() => document.querySelectorAll('.hit').length > 0);
  await page.keyboard.press('1');
  await page.waitForFunction((t) => document.querySelector('[data-answer]')?.textContent !== t, text);
  const now = await counts();
  assert.equal(now.open, was.open - 1);
  assert.equal(now.done + now.second, was.done + was.second + 1);
});

test('what says too little goes back with a key', async () => {
  const was = await counts();
  await page.keyboard.press('v');
  await page.waitForFunction(async () => true);
  for (let i = 0; i < 50; i++) {
    const now = await counts();
    if (now.open < was.open) {
      assert.equal(now.vague + now.second, was.vague + was.second + 1);
      return;
    }
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.fail('the text is still open');
});

test('in English, too, and the statistics judge nobody by a few texts', async () => {
  const { items } = await s.api('county-data').get('/coding/coders?of=industry');
  assert.equal(items.length, 1);
  assert.equal(items[0].coded, 2);
  await page.evaluate(() => localStorage.setItem('puan.lang', 'en'));
  await page.reload();
  await settled(page);
  assert.deepEqual(page.faults, []);
});
