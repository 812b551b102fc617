// W10: a blind clerk and a clerk at 200 % zoom take one household to 查询 and
// one to 验收: nothing serious for axe, headings in order, each act said aloud
// with the next household, no trap, nothing lost at 683 CSS px.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { axe, launch, measured, open, serve, signIn, sleep } from './lib.mjs';

let s, browser, page;
const measures = {};

before(async () => {
  s = await serve('mid');
  browser = await launch();
  // 1366 × 650 at 200 %
  page = await open(browser, { width: 683, height: 325 });
  await signIn(page, s, 'county-business', '/office/review');
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

async function headingsInOrder() {
  const levels = await page.$$eval('h1,h2,h3,h4,h5,h6', (hs) => hs.filter((h) => h.getClientRects().length).map((h) => Number(h.tagName[1])));
  const main = await page.$$eval('main h1, main h2, main h3, main h4', (hs) => hs.filter((h) => h.getClientRects().length).map((h) => Number(h.tagName[1])));
  assert.equal(levels.filter((l) => l === 1).length, 1, `one h1: ${levels}`);
  assert.equal(main[0], 1, `the page begins with its h1: ${main}`);
  for (let i = 1; i < main.length; i++) assert.ok(main[i] - main[i - 1] <= 1, `no level is left out: ${main}`);
}

/** Nothing wider than the window but what scrolls inside itself. */
async function nothingLost() {
  const wide = await page.evaluate(() => {
    const scrolls = (el) => el && el !== document.documentElement && (['auto', 'scroll'].includes(getComputedStyle(el).overflowX) || scrolls(el.parentElement));
    return [...document.querySelectorAll('main *')]
      .filter((el) => el.getClientRects().length && el.getBoundingClientRect().right > innerWidth + 1 && !scrolls(el) && !el.closest('.visually-hidden'))
      .map((el) => `${el.tagName}.${el.className}`)
      .slice(0, 5);
  });
  assert.deepEqual(wide, []);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 684, 'the page does not scroll sideways');
}

/** Tab goes through everything, out of the page, and round again. */
async function noTrap() {
  const seen = new Set();
  let round = false;
  let last = '';
  for (let i = 0; i < 600 && !round; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const el = document.activeElement;
      if (!el || el === document.body || el === document.documentElement) return '';
      el.dataset.tabbed ??= String((window.tabs = (window.tabs ?? 0) + 1));
      return el.dataset.tabbed;
    });
    assert.ok(at === '' || at !== last, 'Tab moves on');
    last = at;
    if (at !== '' && seen.has(at)) round = true;
    else if (at !== '') seen.add(at);
  }
  assert.ok(round, 'the focus comes round');
  const missed = await page.evaluate(() =>
    [...document.querySelectorAll('a[href],button:not([disabled]),select,input,textarea,summary,[tabindex="0"]')]
      .filter(
        (el) =>
          el.tabIndex >= 0 &&
          !el.dataset.tabbed &&
          el.getClientRects().length &&
          !el.closest('[inert]') &&
          !el.parentElement?.closest('details:not([open])') &&
          getComputedStyle(el).visibility !== 'hidden',
      )
      .map((el) => `${el.tagName} ${el.className} ${el.textContent?.trim().slice(0, 30)}`),
  );
  assert.deepEqual(missed, [], 'everything that can be used is reached');
  return seen.size;
}

const at = () => page.locator('[data-household]').textContent();
const said = () => page.locator('[data-said]').textContent();

test('the queue at 200 %', async () => {
  await page.goto(`${s.url}/office/review`);
  await page.waitForSelector('#main[data-state="ready"] tbody tr');
  await sleep(500);
  await headingsInOrder();
  await nothingLost();
  assert.deepEqual(await axe(page), []);
  measures.queue_stops = await noTrap();
});

test('one household sent back, one accepted, each said with the next', async () => {
  await page.goto(`${s.url}/office/review`);
  await page.waitForSelector('#main[data-state="ready"] tbody tr');
  await page.keyboard.press('KeyK');
  const row = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  assert.match(row, /户|Household/, 'the row says what it is');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-household]');
  await page.waitForSelector('#main[data-state="ready"] .finding');
  await sleep(400);
  await headingsInOrder();
  await nothingLost();
  assert.deepEqual(await axe(page), []);
  measures.page_stops = await noTrap();

  const live = await page.$eval('[data-said]', (el) => el.getAttribute('aria-live'));
  assert.equal(live, 'polite');
  let from = await at();
  await page.keyboard.press('KeyQ');
  await page.waitForSelector('section.act');
  const inside = await page.evaluate(() => document.querySelector('section.act')?.contains(document.activeElement));
  assert.ok(inside, 'the focus is in the panel');
  assert.deepEqual(await axe(page), []);
  await headingsInOrder();
  await nothingLost();
  // without a reason it says what is missing, in words
  await page.keyboard.press('Enter');
  assert.match(await page.locator('section.act [role="alert"]').textContent(), /理由|reason/);
  await page.keyboard.press('Digit2');
  await page.keyboard.press('Enter');
  await page.waitForFunction((b) => document.querySelector('[data-household]')?.textContent !== b, from);
  assert.match(await said(), /查询|Sent back/);
  assert.ok((await said()).includes((await at()).trim()), 'the next household is said');
  await page.waitForSelector('#main[data-state="ready"] .finding');

  from = await at();
  await page.keyboard.press('KeyA');
  await page.waitForSelector('section.act'); // its findings are open: a reason
  await page.keyboard.press('Digit2');
  await page.keyboard.press('Enter');
  await page.waitForFunction((b) => document.querySelector('[data-household]')?.textContent !== b, from);
  assert.match(await said(), /验收|Accepted/);
  assert.ok((await said()).includes((await at()).trim()), 'the next household is said');
  await sleep(500);
  const h = from.replace(/\D/g, '');
  const p = await s.api('township-office', h.slice(0, 9)).get(`/households/${h}/page`);
  assert.equal(p.acts.at(-1)?.kind, 'accept');
  measured('W10', measures);
});

test('the dialogs of a household: purpose of a look, trace', async () => {
  await page.keyboard.press('KeyT');
  await page.waitForSelector('dialog[open]');
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { state: 'detached' }).catch(() => undefined);
  await page.locator('button.eye').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  assert.deepEqual(await axe(page), []);
  await nothingLost();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog[open]'));
});
