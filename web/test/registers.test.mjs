// 登记簿: every data state; what is due back stands first with its act; stocks
// that balance; a copy that is entered in the ledger; phone and desk.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axe, launch, noIdentity, open, serve, settled, shot, signIn, states } from './lib.mjs';

let s, b;
/** A row of goods moved in or out, with its slip. */
async function goods(item, act, amount, party = '市级') {
  const desk = s.api('records-desk');
  const made = await desk.post('/cases', { area: '370883', flow: 'goods', fields: { item, stage: 'listing', standard: 100 } });
  const { digest } = await desk.post('/evidence', { slip: `${item} ${act} ${amount}` });
  await desk.post(`/cases/${made.id}/act`, { transition: act, fields: { amount, party }, evidence: [{ kind: 'slip', digest }] });
}
before(async () => {
  s = await serve('mid', { now: '2020-11-06T09:00:00+08:00' });
  b = await launch();
  await goods('手持终端', 'receive', 130);
  await goods('手持终端', 'issue', 96, '=1+1');
  await goods('宣传海报', 'receive', 4000);
  await s.api('records-desk').post('/cases', { area: '370883', flow: 'secret_custody', fields: { carrier: 'U-07', kind: 'device', label: 'secret' } });
  await s.api('security-group-head').post('/cases', { area: '370883', flow: 'room_check' });
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('every state of the page', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'records-desk', '/office/registers');
  const seen = await states(page, {
    url: `${s.url}/office/registers`, api: /\/registers\?/, empty: (j) => ({ ...j, items: [], today: [], due: 0 }),
    again: (p) => p.keyboard.press('KeyR'), only: ['ready', 'empty', 'not-loaded', 'refused', 'offline', 'stale'],
  });
  assert.ok(Object.keys(seen).length >= 5);
  await page.context().close();
});

for (const [lang, width, height] of [['zh', 1366, 768], ['en', 390, 844]])
  test(`registers at ${width} (${lang})`, async () => {
    const page = await open(b, { lang, width, height, phone: width < 600 });
    await signIn(page, s, 'records-desk', '/office/registers');
    await settled(page);
    // due today first, before any register
    assert.match(await page.locator('[data-today]').innerText(), lang === 'zh' ? /涉密载体/ : /Secret carrier/);
    assert.ok((await page.locator('[data-today]').boundingBox()).y < (await page.locator('[data-book="goods"]').boundingBox()).y);
    const room = await page.locator('[data-book="room_check"]').innerText();
    assert.match(room, lang === 'zh' ? /下一期\d\d-\d\d 09:00/ : /next \d\d-\d\d 09:00/);
    assert.deepEqual(await axe(page), []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await shot(page, `registers-${lang}-${width}`);
    await page.click('[data-book="goods"]');
    await page.waitForSelector('[data-stocks]');
    assert.match((await page.locator('[data-stocks] tr', { hasText: '手持终端' }).innerText()).replace(/\s+/g, ' '), lang === 'zh' ? /130 96 34 ?件/ : /130 96 34 pieces$/);
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await noIdentity(page, s), []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    // an act of the row is in hand when its case opens
    await page.goto(`${s.url}/office/registers`);
    await settled(page);
    await page.click('[data-today] [data-do]');
    await page.waitForSelector('dialog[open], [role="dialog"]');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

test('a copy is taken away, and the ledger has it', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'records-desk', '/office/registers?book=goods&all=1');
  await settled(page);
  for (const [format, begins] of [['csv', '\uFEFF编号,地区代码'], ['xlsx', 'PK']]) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.click(`[data-export="${format}"]`)]);
    assert.match(file.suggestedFilename(), new RegExp(`^goods-370883-.*\\.${format}$`));
    const text = readFileSync(await file.path(), 'utf8');
    assert.ok(text.startsWith(begins), text.slice(0, 40));
    if (format === 'csv') assert.ok(text.includes("'=1+1") && !text.includes(',=1+1'));
  }
  await page.context().close();
  // not for who holds no seat at a case
  await assert.rejects(s.api('system-admin').post('/registers/goods/export', { format: 'csv' }), (e) => e.status === 403);
});
