// 编辑与插补: made on the page, kept, done again with the same digest; its rates
// are those of the interface, and no household stands on it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { axe, launch, noIdentity, open, serve, settled, signIn } from './lib.mjs';

let browser, s;
before(async () => {
  browser = await launch();
  s = await serve('mid');
});
after(async () => {
  await s?.stop();
  await browser?.close();
});

test('an edit is made, kept and the same when done again', async () => {
  const page = await open(browser, { width: 1366, height: 768 });
  await signIn(page, s, 'county-data', '/office/');
  await page.goto(`${s.url}/office/editing`);
  await settled(page);
  await page.waitForSelector('[data-none]');
  await page.getByRole('button', { name: '编辑插补' }).first().click();
  await page.locator('[data-seed]').fill('11');
  await page.getByRole('button', { name: '开始编辑' }).click();
  await page.waitForSelector('[data-made]', { timeout: 60000 });
  await page.waitForSelector('[data-base]');
  const api = s.api('county-data');
  const { items } = await api.get('/edits?area=370883');
  assert.equal(items.length, 1);
  const run = items[0];
  assert.equal(run.state, 'kept');
  assert.equal(run.options.seed, 11);
  assert.ok(run.repaired > 0, 'the evening of the census has failing returns');
  const rates = await api.get(`/edits/${run.id}/rates?area=370883`);
  const whole = rates.areas[0];
  assert.equal(whole.repaired, run.repaired);
  assert.equal(whole.rates.reduce((n, r) => n + r.changed, 0), run.answers);
  // the townships add up to the county, item by item
  for (const r of whole.rates)
    for (const what of ['answers', 'failing', 'changed'])
      assert.equal(
        rates.areas.slice(1).reduce((n, p) => n + (p.rates.find((x) => x.entity === r.entity && x.item === r.item)?.[what] ?? 0), 0),
        r[what],
        `${r.item} ${what}`,
      );
  const said = await page.locator('[data-base]').innerText();
  assert.ok(said.includes(run.repaired.toLocaleString('en-US')), said);
  await page.getByRole('button', { name: '重做核对' }).click();
  await page.waitForSelector('[data-redone]', { timeout: 60000 });
  assert.match(await page.locator('[data-redone]').innerText(), /逐字节相同/);
  assert.deepEqual(await axe(page), []);
  await noIdentity(page, s);
  await page.context().close();
});

test('who may not run edits gets no button and no run', async () => {
  const upper = s.accounts.find((a) => a.role === 'township-office');
  assert.ok(upper);
  await assert.rejects(s.api('township-office').get('/edits?area=370883001'), /403/);
});
