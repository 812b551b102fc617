// 自填未送达: households that chose to fill in and have sent nothing, before the
// close and after it; the figures are those of the listing, and nobody is named.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { axe, clock, launch, noIdentity, open, serve, settled, shot, signIn, states } from './lib.mjs';

let s;
let b;
before(async () => {
  s = await serve('mid');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const path = '/office/handover';
const rows = (page) => page.locator('main tbody tr');

/** Households of the listing that say self and have no version. */
async function out(area) {
  let n = 0;
  for (let cursor = 0; cursor !== null; ) {
    const list = await s.api('county-business').get(`/listing?area=${area}&limit=1000&cursor=${cursor}`);
    n += list.items.filter((h) => h.mode === 'self' && !h.version).length;
    cursor = list.next;
  }
  return n;
}
const figure = (text) => Number(text.replace(/\D/g, ''));

test('the list before the close equals the listing, and leads to the households', { timeout: 180000 }, async () => {
  const want = await out('370883');
  assert.ok(want > 0, 'the demo has self-forms that are out');
  const page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'county-business', path);
  assert.equal(await settled(page), 'ready');
  assert.equal(figure(await page.textContent('[data-total]')), want);
  assert.ok((await page.textContent('main')).includes('截止'));
  assert.deepEqual(await axe(page), []);
  await shot(page, 'office-handover-1366');
  // one area: as many rows as its figure
  const first = rows(page).first();
  const n = figure(await first.locator('td').last().textContent());
  await first.locator('a').click();
  await page.waitForURL(/ea=/);
  await page.waitForFunction((k) => document.querySelectorAll('main tbody tr').length === k, Math.min(50, n));
  assert.equal(figure(await page.textContent('[data-total]')), n);
  assert.deepEqual(await noIdentity(page, s), []);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('its states', { timeout: 120000 }, async () => {
  const page = await open(b, { width: 1366, height: 650, patience: 3000 });
  await signIn(page, s, 'county-business', path);
  await states(page, { url: s.url + path, api: /^\/api\/.*\/handover(\?|$)/, empty: (j) => ({ ...j, items: [], total: 0 }) });
  await page.context().close();
});

test('after the close it is the list of who is visited; on a phone, in English', { timeout: 120000 }, async () => {
  await clock(s, '2020-11-06T00:01:00+08:00');
  const page = await open(b, { width: 390, height: 844, lang: 'en' });
  await signIn(page, s, 'county-business', path);
  assert.equal(await settled(page), 'ready');
  await page.waitForFunction(() => document.querySelector('main')?.textContent?.includes('are visited'));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${wide} px too wide`);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'office-handover-390-en');
  await page.context().close();
});
