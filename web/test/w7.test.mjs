// W7: the office head at 08:00.  On time? Which three areas? What do I sign?
// ≤ 60 s, ≤ 2 clicks, nothing scrolled at 1366×650; five figures opened equal
// their lists; with the counter stopped every tile says so, and there is no zero.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launch, measured, open, serve, settled, shot, signIn } from './lib.mjs';

let s, b, state;
before(async () => {
  s = await serve('mid');
  b = await launch();
  const page = await open(b);
  await signIn(page, s, 'county-head', '/office/board');
  await settled(page);
  state = await page.context().storageState();
  await page.context().close();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const ready = (page) => page.waitForSelector('main[data-state="ready"] [data-figure="delivered"]');
const number = (text) => Number(String(text).replace(/[^\d]/g, ''));

test('three questions answered without scrolling', async () => {
  const page = await open(b, { state });
  let clicks = 0;
  await page.exposeFunction('clicked', () => clicks++);
  await page.addInitScript(() => addEventListener('pointerdown', () => globalThis.clicked()));
  const began = Date.now();
  await page.goto(`${s.url}/office`);
  await ready(page);
  const seen = Date.now() - began;
  assert.match(page.url(), /\/office\/board/); // the head's first page

  /* on time? */
  const intime = page.getByRole('region', { name: '能否按期' });
  const text = await intime.innerText();
  assert.match(text, /送达|\d[\d,]* *\/ *\d[\d,]*户/);
  assert.match(text, /计划\d+\.\d%/);
  assert.match(text, /预计.+完成|已完成|60天内不能|尚无送达/);
  /* which three areas? */
  const areas = await intime.locator('ol li a.name').allInnerTexts();
  assert.ok(areas.length >= 3, `three areas, have ${areas.length}`);
  const diffs = (await intime.locator('ol li .diff').allInnerTexts()).filter(Boolean).map((x) => Number(x.replace('−', '-')));
  assert.deepEqual(diffs, [...diffs].sort((x, y) => x - y), 'worst first');
  /* what do I sign? */
  const decide = page.getByRole('region', { name: '待我决定' });
  const items = await decide.locator('li a.act').count();
  if (items === 0) assert.match(await decide.innerText(), /没有等本岗位决定的事项/);

  const bottom = await page.evaluate(() =>
    Math.max(...[...document.querySelectorAll('.band')].slice(0, 3).map((x) => x.getBoundingClientRect().bottom)),
  );
  assert.ok(bottom <= 650, `the three rows end at ${bottom}`);
  assert.equal(await page.evaluate(() => scrollY), 0);

  await shot(page, 'board');
  /* opening the first thing to sign costs one click */
  if (items > 0) {
    await decide.locator('li a.act').first().click();
    await page.waitForURL(/\/office\/(cases|acceptance)/);
  }
  const took = Date.now() - began;
  assert.ok(clicks <= 2);
  assert.ok(took <= 60000);
  measured('W7', { seen_ms: seen, total_ms: took, clicks, decisions: items, areas: areas.slice(0, 3), rows_end_px: Math.round(bottom) });
  await page.context().close();
});

/* Opens a figure of the board and reads what its list says. */
async function opened(page, figure, nth, read) {
  await page.goto(`${s.url}/office/board`);
  await ready(page);
  const link = page.locator(`[data-figure="${figure}"]`).nth(nth);
  const shown = await link.innerText();
  await link.click();
  return { figure, shown, list: await read(page) };
}
const sumOf = (key) => async (page) => {
  await page.waitForSelector('main[data-state="ready"] tr[data-total]');
  return number(await page.locator(`[data-sum="${key}"]`).innerText());
};

test('figures opened equal their lists', async () => {
  const page = await open(b, { state });
  const pairs = [];
  const delivered = await opened(page, 'delivered', 0, sumOf('delivered'));
  pairs.push([delivered.figure, number(delivered.shown), delivered.list]);
  for (const [figure, key] of [['waiting', 'waiting'], ['corrected', 'corrected'], ['queried', 'queried']]) {
    const x = await opened(page, figure, 0, sumOf(key));
    pairs.push([figure, number(x.shown), x.list]);
  }
  const lag = await opened(page, 'lag', 0, async (p) => {
    await p.waitForSelector('main[data-state="ready"] tr[data-total]');
    const done = number(await p.locator('[data-sum="delivered"]').innerText());
    const due = number(await p.locator('[data-sum="due"]').innerText());
    return due < 30 ? `${done}/${due}` : `${(Math.floor((done * 1000) / due) / 10).toFixed(1)}%`;
  });
  pairs.push(['lag', lag.shown, lag.list]);
  const cases = await opened(page, 'cases', 0, async (p) => {
    await p.waitForSelector('main[data-state="ready"], main[data-state="empty"]');
    const total = await p.evaluate(async () => {
      const c = await (await fetch('/api/v1/campaign')).json();
      return (await (await fetch(`/api/v1/c/${c.campaign}/cases?open=true`)).json()).total;
    });
    return total;
  });
  pairs.push(['cases', number(cases.shown), cases.list]);
  for (const [figure, shown, list] of pairs) assert.equal(list, shown, `${figure}: shown ${shown}, list ${list}`);
  assert.ok(pairs.length >= 5);
  measured('W7', { figures: Object.fromEntries(pairs.map(([f, v]) => [f, v])) });
  await page.context().close();
});

/* A zero that stands for a count, anywhere in the bands and panels. */
const zeros = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('main .band, main .lower > .panel:last-child')]
      .flatMap((x) => x.innerText.split('\n'))
      .filter((line) => /(^|[^\d.,:–-])0(户|%|份|\.0%|个|$|[^\d.,:])/.test(line)),
  );

test('counter stopped: not loaded, and no zero', async () => {
  const page = await open(b, { state, patience: 3000 });
  await page.route(/\/board(\?|$)/, (r) => (r.request().resourceType() === 'fetch' ? undefined : r.continue())); // never answers
  await page.goto(`${s.url}/office/board`);
  await page.waitForSelector('main[data-state="not-loaded"]');
  const text = await page.locator('main').innerText();
  const tiles = text.match(/未取到/g)?.length ?? 0;
  assert.ok(tiles >= 5, `each tile says it: ${tiles}`);
  assert.doesNotMatch(text, /暂无数据/);
  assert.deepEqual(await zeros(page), []);
  measured('W7', { counter: 'stopped', not_loaded_tiles: tiles, zeros: 0 });
  await page.context().close();
});

test('counter stops later: the old figures with their time', async () => {
  const page = await open(b, { state, patience: 3000 });
  await page.goto(`${s.url}/office/board`);
  await ready(page);
  const before = await page.locator('[data-figure="delivered"]').innerText();
  await page.route(/\/board(\?|$)/, () => undefined);
  await page.keyboard.press('r');
  await page.waitForSelector('main[data-state="stale"]');
  assert.equal(await page.locator('[data-figure="delivered"]').innerText(), before);
  assert.match(await page.locator('main').innerText(), /未更新，下面是\d\d:\d\d/);
  await page.context().close();
});
