// 方案库: every data state; every workflow of the plan is drawn without one box
// on another, on a desk and on a phone; runs tell their version; one key from
// the duty desk to the act.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, measured, noIdentity, open, serve, settled, shot, signIn, states } from './lib.mjs';
import { layout } from '../ui/flow/layout.ts';
import { halves, wrap } from '../ui/flow/text.ts';

let s, b, flows;
before(async () => {
  s = await serve('mid');
  b = await launch();
  flows = (await s.api('duty-officer').get('/library')).items;
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const none = (j) => ({ ...j, items: [] });

test('lines of drawings break between words and never grow too long', () => {
  assert.deepEqual(wrap('依次检查数据库、应用服务', 12), ['依次检查数据', '库、应用服务']);
  assert.deepEqual(wrap('Report to the operator', 12), ['Report to', 'the operator']);
  assert.deepEqual(wrap('一二三四五六七八九十', 8, 2), ['一二三四', '五六七…']);
  for (const l of wrap('会商研判，审定口径，统一发布', 10, 4)) assert.ok(halves(l) <= 10 && !/^，/.test(l), l);
});

test('a graph is laid out in layers: down is onward, nothing lies on anything', () => {
  const boxes = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, w: 100, h: 40 }));
  const arrows = ['ab', 'ac', 'bd', 'cd', 'ad', 'da', 'de', 'be'].map((x) => ({ id: x, from: x[0], to: x[1], w: 60, h: 20 }));
  const p = layout(boxes, arrows, { x: 10, y: 10, margin: 5 });
  assert.equal(p.arrow.find((x) => x.id === 'da').back, true);
  assert.ok(p.box.get('a').y < p.box.get('b').y && p.box.get('b').y < p.box.get('d').y && p.box.get('d').y < p.box.get('e').y);
  const rects = [...boxes.map((x) => ({ ...p.box.get(x.id), w: 100, h: 40 })), ...p.arrow.map((x) => ({ x: x.label.x - 30, y: x.label.y - 10, w: 60, h: 20 }))];
  rects.forEach((r, i) => {
    assert.ok(r.x >= 0 && r.y >= 0 && r.x + r.w <= p.width + 0.01 && r.y + r.h <= p.height + 0.01);
    for (const q of rects.slice(i + 1)) assert.ok(r.x + r.w <= q.x + 0.01 || q.x + q.w <= r.x + 0.01 || r.y + r.h <= q.y + 0.01 || q.y + q.h <= r.y + 0.01);
  });
  assert.deepEqual(layout(boxes, arrows, { x: 10, y: 10, margin: 5 }), p);
});

test('every state of the page', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'duty-officer', '/office/library');
  const seen = await states(page, { url: `${s.url}/office/library`, api: /\/library\?/, empty: none, again: (p) => p.reload() , only: ['ready', 'empty', 'not-loaded', 'refused', 'offline'] });
  assert.ok(Object.keys(seen).length >= 5);
  await page.context().close();
});

for (const [width, height] of [[1366, 768], [390, 844]])
  test(`workflows are drawn and readable at ${width}`, async () => {
    const page = await open(b, { width, height, lang: width > 600 ? 'zh' : 'en', phone: width < 600 });
    await signIn(page, s, 'duty-officer', '/office/library');
    const most = [...flows].sort((x, y) => y.steps + y.clocks - x.steps - x.clocks).slice(0, 8);
    const chosen = [...new Set([...most.map((f) => f.flow), 'incident', 'leak', 'goods', 'room_check', 'return'])];
    let boxes = 0;
    for (const flow of chosen) {
      await page.goto(`${s.url}/office/library?flow=${flow}`);
      assert.equal(await settled(page), 'ready');
      await page.waitForSelector('[data-map] svg .box');
      const d = await s.api('duty-officer').get(`/library/${flow}`);
      const got = await page.evaluate(() => {
        const rect = (e) => (({ left, top, right, bottom }) => ({ left, top, right, bottom }))(e.getBoundingClientRect());
        const all = [...document.querySelectorAll('[data-map] .box, [data-map] .label > rect')].map(rect);
        let over = 0;
        all.forEach((a, i) => all.slice(i + 1).forEach((c) => (over += a.left < c.right - 1 && c.left < a.right - 1 && a.top < c.bottom - 1 && c.top < a.bottom - 1)));
        const svg = document.querySelector('[data-map] svg');
        return {
          over, states: document.querySelectorAll('[data-map] .box.first, [data-map] .box.active, [data-map] .box.last').length,
          steps: document.querySelectorAll('[data-step]').length, acts: document.querySelectorAll('[data-transition]').length,
          scale: svg.getBoundingClientRect().width / svg.viewBox.baseVal.width, wide: document.documentElement.scrollWidth - innerWidth,
        };
      });
      assert.equal(got.over, 0, `${flow}: ${got.over} boxes on one another`);
      assert.equal(got.states, d.states.length, flow);
      assert.equal(got.steps, d.steps.length, flow);
      assert.equal(got.acts, d.transitions.length, flow);
      assert.ok(got.scale >= 0.79, `${flow}: drawn at ${got.scale}`);
      assert.ok(got.wide <= 0, `${flow}: the page is ${got.wide} too wide`);
      boxes += got.states;
    }
    measured('library', { width, flows: chosen.length, states: boxes });
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(page.faults, []);
    await page.goto(`${s.url}/office/library?flow=incident`);
    await settled(page);
    assert.deepEqual(await noIdentity(page, s), []);
    await shot(page, `library-${width}`);
    await page.context().close();
  });

test('a run names the version it began with, and the case leads back here', async () => {
  const made = await s.api('risk-office').post('/cases', { area: '370883', flow: 'incident', fields: { class: 'technical', level: 'yellow', title: '填报页面打开缓慢' } });
  const page = await open(b, {});
  await signIn(page, s, 'duty-officer', '/office/library?flow=incident');
  await settled(page);
  const row = page.locator(`[data-runs] li:has(a[href="/office/cases/${made.id}"])`);
  assert.match(await row.innerText(), /第1版·方案[0-9a-f]{8}/);
  await row.locator('a').click();
  await page.waitForURL(`**/office/cases/${made.id}`);
  await settled(page);
  await page.click('a[href="/office/library?flow=incident"]');
  await page.waitForSelector('[data-library="incident"]');
  await page.context().close();
});

test('one key on the duty desk does the act of the row', async () => {
  const made = await s.api('risk-office').post('/cases', { area: '370883', flow: 'incident', fields: { class: 'disaster', level: 'orange', title: '河水上涨' } });
  const page = await open(b, {});
  await signIn(page, s, 'duty-officer', '/office/cases');
  await settled(page);
  await page.focus(`a[data-case="${made.id}"]`);
  await page.keyboard.press('a');
  await page.waitForURL(`**/office/cases/${made.id}`);
  await page.waitForFunction(() => !/接手/.test(document.querySelector('[data-now] .what')?.textContent ?? '接手'));
  assert.ok((await s.api('duty-officer').get(`/cases/${made.id}`)).taken);
  // the address alone does nothing
  const other = await s.api('risk-office').post('/cases', { area: '370883', flow: 'incident', fields: { class: 'disaster', level: 'orange', title: '河水又涨' } });
  await page.goto(`${s.url}/office/cases/${other.id}`);
  await settled(page);
  assert.ok(!(await s.api('duty-officer').get(`/cases/${other.id}`)).taken);
  await page.context().close();
});
