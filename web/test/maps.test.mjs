// 地图与边界: a clean map says so; planted faults are listed and the map goes to
// each of them; buildings and progress as layers; phone and desk.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, launch, open, plan, serve, settled, shot, signIn, states } from './lib.mjs';

let s, b;
const api = () => s.api('county-data');
async function send(path, body, type) {
  const r = await fetch(`${s.url}/api/v1/c/${plan}${path}`, { method: 'POST', headers: { Authorization: `Bearer ${await api().token()}`, 'Content-Type': type }, body });
  const text = await r.text();
  assert.ok(r.ok, `${path}: ${r.status} ${text}`);
  return JSON.parse(text);
}
const sim = (name) => readFileSync(join(s.dir, 'sim', name), 'utf8');

before(async () => {
  s = await serve('mid');
  b = await launch();
  await send('/buildings/import?file=buildings.csv', sim('buildings.csv'), 'text/csv');
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('a map without a fault says so, with what was looked at', async () => {
  const d = await api().get('/boundaries/faults');
  assert.equal(d.items.length, 0);
  assert.ok(d.buildings > 1000 && d.points > 10000);
  const page = await open(b, {});
  await signIn(page, s, 'county-business', '/office/maps');
  await settled(page);
  assert.match(await page.locator('.maps, main').first().innerText(), /边界问题0处[\s\S]*没有发现/);
  assert.equal(page.faults.join('\n'), '');
  await page.context().close();
});

test('every state of the page', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'county-business', '/office/maps');
  const seen = await states(page, {
    url: `${s.url}/office/maps`, api: /\/boundaries\/faults/, empty: (j) => ({ ...j, levels: j.levels.map((l) => ({ ...l, drawn: 0 })) }),
    only: ['ready', 'empty', 'not-loaded', 'refused', 'offline'],
  });
  assert.ok(Object.keys(seen).length >= 4);
  await page.context().close();
});

test('an enumerator\'s device is given its own area and its buildings, and no other', async () => {
  const area = JSON.parse(sim('boundaries_ea.geojson')).features[5].properties.code;
  const d = await s.api('county-business').get(`/field/map?area=${area}`);
  assert.equal(d.features.filter((f) => f.geometry.type === 'Polygon').length, 1);
  assert.equal(d.features.filter((f) => f.geometry.type === 'Point').length, d.total);
  assert.ok(d.total > 0 && d.features.every((f) => (f.properties.ea ?? f.properties.code) === area));
  await assert.rejects(() => s.api('county-head').get(`/field/map?area=${area}`), (e) => e.status === 403);
  await assert.rejects(() => s.api('county-business').get('/field/map?area=370881'), (e) => e.status >= 400);
});

test('planted faults are listed, each with its place', async () => {
  const map = JSON.parse(sim('boundaries_ea.geojson'));
  const push = (f, share) => {
    const ring = f.geometry.coordinates[0];
    const mid = [0, 1].map((k) => ring.reduce((a, p) => a + p[k], 0) / ring.length);
    const at = Math.floor(ring.length / 8);
    ring[at] = ring[at].map((x, k) => Number((x + (x - mid[k]) * share).toFixed(6)));
  };
  push(map.features[20], 0.15);
  push(map.features[60], -0.2);
  const [gone] = map.features.splice(90, 1);
  await send('/boundaries/import?file=changed.geojson', JSON.stringify(map), 'application/geo+json');
  const lines = sim('buildings.csv').trim().split('\n');
  const [head, first] = lines;
  const cells = first.split(',');
  cells[2] = String(Number(cells[2]) - 5);
  await send('/buildings/import?file=moved.csv', [head, cells.join(','), ...lines.slice(2)].join('\n'), 'text/csv');
  const d = await api().get('/boundaries/faults');
  assert.equal(d.of.undrawn, 1);
  assert.equal(d.items.find((f) => f.kind === 'undrawn').area.code, gone.properties.code);
  assert.ok(d.items.find((f) => f.kind === 'undrawn').shape, 'its hole is known');
  assert.equal(d.of.orphan, 1);
  assert.ok(d.of.overlap + d.of.beyond >= 1 && d.of.gap >= 1, JSON.stringify(d.of));
});

for (const [lang, width, height] of [['zh', 1366, 768], ['en', 1366, 768], ['zh', 390, 844], ['en', 390, 844]])
  test(`the map goes to each fault at ${width} (${lang})`, async () => {
    const page = await open(b, { lang, width, height, phone: width < 600 });
    await signIn(page, s, 'county-business', '/office/maps');
    await settled(page);
    const scale = () => page.locator('.leaflet-control-scale-line').innerText();
    await page.waitForFunction(() => /km/.test(document.querySelector('.leaflet-control-scale-line')?.textContent ?? ''));
    await page.waitForTimeout(500);
    await shot(page, `maps-whole-${width}-${lang}`);
    const wide = await scale();
    const n = await page.locator('button.fault').count();
    assert.ok(n >= 4, `${n} faults in the list`);
    for (let i = 0; i < n; i++) {
      await page.locator('button.fault').nth(i).click();
      assert.equal(await page.locator('button.fault').nth(i).getAttribute('aria-current'), 'true');
      await page.waitForFunction((w) => document.querySelector('.leaflet-control-scale-line')?.textContent !== w, wide);
    }
    await page.locator('button.fault').first().click();
    await page.waitForTimeout(1500);
    await page.locator('.leaflet-container').scrollIntoViewIfNeeded();
    await shot(page, `maps-fault-${width}-${lang}`);
    await Promise.all([page.waitForResponse(/\/buildings(\?|$)/), page.getByText(lang === 'zh' ? '建筑物' : 'Buildings', { exact: true }).click()]);
    await page.waitForTimeout(300);
    await shot(page, `maps-buildings-${width}-${lang}`);
    assert.deepEqual(await axe(page), []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    assert.equal(page.faults.join('\n'), '');
    await page.context().close();
  });
