// The register of samples: a draw from the dialog, the draw again, what was
// found in the units drawn, and coverage against the census's own counts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, serve, settled, signIn } from './lib.mjs';

let b, s, page;
before(async () => {
  b = await launch();
  s = await serve('mid');
  page = await open(b, { width: 1366, height: 768 });
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('a sample is drawn once its seed is given, and drawn again alike', async () => {
  await signIn(page, s, 'county-data', '/office/samples');
  await settled(page);
  const before_ = await page.locator('table tbody tr').count();
  await page.click('[data-act=draw]');
  await page.selectOption('[name=purpose]', 'post-enumeration');
  await page.click('[data-act=draw-now]');
  await page.waitForSelector('dialog [role=alert]');
  await page.fill('[name=seed]', '2020年10月20日上证指数收盘3328.10');
  await page.click('[data-act=draw-now]');
  await page.waitForURL(/\/samples\/\d+$/);
  await settled(page);
  await page.click('[data-act=verify]');
  await page.waitForSelector('[data-verdict=same]');
  const id = Number(page.url().split('/').pop());
  const { items } = await s.api('county-data').get('/samples');
  assert.equal(items.length, before_ + 1);
  const drawn = items.find((x) => x.id === id);
  assert.equal(drawn.seed, '2020年10月20日上证指数收盘3328.10');
  assert.deepEqual(drawn.design, { unit: 'ea', draw: 'pps', strata: 'township', size: 'household', 'take-each': '2' });
  assert.equal(drawn.by.split('.')[0], 'county-data');
});

test('results of units drawn give coverage by strata; others are refused', async () => {
  const id = Number(page.url().split('/').pop());
  const csv = await page.evaluate(async (u) => (await fetch(u)).text(), `${s.url}/api/v1/c/cn-population-2020/samples/${id}/selection`);
  const [head, ...rows] = csv.trim().split('\n').map((l) => l.split(','));
  const at = head.indexOf('ea');
  assert.ok(at > 0 && rows.length > 4, csv.slice(0, 200));
  const file = (text) => ({ name: 'matched.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.setInputFiles('#sample-file', file('ea,result\n370883999999999,matched\n'));
  await page.waitForSelector('main [role=alert]');
  const text = ['ea,sample,mover,result'];
  for (const r of rows) for (let i = 0; i < 20; i++) text.push(`${r[at]},P,stayed,${i === 7 ? 'missed' : 'matched'}`);
  await page.setInputFiles('#sample-file', file(`${text.join('\n')}\n`));
  await page.waitForSelector('[data-coverage] tbody tr:nth-child(2)', { timeout: 30000 });
  // one in twenty was missed everywhere
  const cells = await page.locator('[data-coverage] tbody tr').first().locator('td').allTextContents();
  assert.equal(Number(cells[0]), rows.length * 20);
  assert.match(cells[1], /^5\.00 ± 0\.00$/);
  assert.equal(await page.locator('[data-coverage] tbody tr').count(), 1 + new Set(rows.map((r) => r[0])).size);
});
