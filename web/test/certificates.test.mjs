// 普查员证件: the office's list of certificates without names, its states, and
// stopping one, which the public sees at once.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { axe, launch, noIdentity, open, serve, settled, shot, signIn, states } from './lib.mjs';
import { cards } from './public.lib.mjs';

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

const rows = (page) => page.locator('main tbody tr');
const path = '/office/certificates';

test('the list counts every certificate of the area, finds one, and names nobody', { timeout: 120000 }, async () => {
  const all = cards(s).filter((c) => c.certificate);
  const page = await open(b, { width: 1366, height: 650 });
  await signIn(page, s, 'county-business', path);
  assert.equal(await settled(page), 'ready');
  const tabs = await page.locator('main [role=group] button').allTextContents();
  const figure = (x) => Number(x.replace(/\D/g, ''));
  assert.equal(figure(tabs[0]), all.length);
  assert.equal(figure(tabs[1]) + figure(tabs[2]), all.length);
  assert.equal(await rows(page).count(), Math.min(50, all.length));
  await shot(page, 'office-certificates');
  // the figure of a tab is the number of rows behind it
  await page.locator('main [role=group] button').nth(1).click();
  await page.waitForURL(/state=valid/);
  await settled(page);
  assert.equal(await rows(page).count(), Math.min(50, figure(tabs[1])));
  await page.fill('main input[type=search]', all[3].certificate.toLowerCase());
  await page.waitForURL(/q=/);
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  assert.ok((await rows(page).first().textContent()).includes(all[3].certificate));
  assert.deepEqual(await noIdentity(page, s), []);
  for (const r of page.requests.filter((x) => x.url.includes('/certificates')))
    for (const c of all) assert.ok(!r.body.includes(c.name) && !r.body.includes(c.phone), c.staff);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('its states', { timeout: 120000 }, async () => {
  const page = await open(b, { width: 1366, height: 650, patience: 3000 });
  await signIn(page, s, 'county-business', path);
  await states(page, {
    url: s.url + path,
    api: /^\/api\/.*\/certificates(\?|$)/,
    empty: (j) => ({ ...j, items: [], total: 0, counts: { valid: 0, stopped: 0 } }),
    filter: '?q=none',
    again: async (p) => {
      await p.locator('main [role=group] button').nth(0).click();
      await p.evaluate(() => dispatchEvent(new Event('online')));
    },
    only: ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'empty', 'filtered'],
  });
  await page.context().close();
});

test('the square code of a card leads to its own verdict', { timeout: 120000 }, async () => {
  const page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'county-business', `${path}?state=valid`);
  await settled(page);
  await page.keyboard.press('KeyJ');
  const number = (await page.locator('main tbody tr.current .code').first().textContent()).trim();
  await page.getByRole('button', { name: '证件二维码' }).click();
  await page.waitForSelector('dialog[open] svg.qr');
  const address = (await page.textContent('dialog[open] .address')).trim();
  assert.equal(address, `${s.url}/verify/${number}`);
  // dark squares drawn, as the address encodes
  const { encode } = await import('../node_modules/uqr/dist/index.mjs');
  const { data } = encode(address, { ecc: 'M', border: 4 });
  const dark = data.flat().filter(Boolean).length;
  const path_ = await page.getAttribute('dialog[open] svg.qr path', 'd');
  assert.equal(path_.match(/M/g).length, dark);
  assert.ok(path_.startsWith(`M${data[4].findIndex(Boolean)} 4h1`), path_.slice(0, 20));
  assert.deepEqual(await axe(page), []);
  await shot(page, 'office-certificates-card');
  // and the address gives the verdict
  const door = await open(b, { width: 360, height: 640 });
  await door.goto(address);
  await door.waitForSelector('[data-answer="valid"]');
  await door.context().close();
  await page.context().close();
});

test('a lost certificate is stopped by keys, with a reason, and the public sees it at once', { timeout: 120000 }, async () => {
  const page = await open(b, { width: 1366, height: 650 });
  await signIn(page, s, 'county-business', `${path}?state=valid`);
  await settled(page);
  await page.keyboard.press('KeyJ');
  const number = (await page.locator('main tbody tr.current .code').first().textContent()).trim();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  assert.ok((await page.textContent('dialog[open]')).includes('不能恢复'));
  await page.getByRole('dialog').getByRole('button', { name: '停用证件' }).click();
  await page.waitForSelector('#stop-wrong'); // no reason, no act
  const before = await (await fetch(`${s.url}/api/v1/c/cn-population-2020/public/certificates/${number}`)).json();
  assert.equal(before.state, 'valid');
  await page.fill('#stop-reason', '证件遗失');
  await page.getByRole('dialog').getByRole('button', { name: '停用证件' }).click();
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.waitForSelector('.told');
  const now = await (await fetch(`${s.url}/api/v1/c/cn-population-2020/public/certificates/${number}`)).json();
  assert.equal(now.state, 'stopped');
  assert.equal(now.name, '');
  await page.goto(`${s.url}${path}?state=stopped&q=${number}`);
  await settled(page);
  assert.ok((await rows(page).first().textContent()).includes('证件遗失'));
  await page.context().close();
});

test('a seat without the capability sees no such page', { timeout: 60000 }, async () => {
  const page = await open(b, {});
  await signIn(page, s, 'county-head', '/office');
  assert.equal(await page.locator('nav a[href="/office/certificates"]').count(), 0);
  await assert.rejects(s.api('county-head').get('/certificates'), (e) => e.status === 403);
  await page.context().close();
});
