// The enumerator's form for a household of six, all rules on, on a phone with
// the processor six times slower: each key to the next paint under 100 ms.
// Three rounds at most, the best counts: what else runs only ever adds.
import test from 'node:test';
import assert from 'node:assert/strict';
import { begin, campaign, enter, idNumber, interview, people, phone } from './field_kit.mjs';
import { timed } from './lib.mjs';

test('a key is on the glass within 100 ms', { timeout: 240000 }, async (t) => {
  const c = await campaign({ n: 1 });
  const p = await phone({ height: 640, width: 360 });
  t.after(async () => {
    await p.close();
    await c.end();
  });
  await enter(p.page, c);
  await begin(p.page, c.households[0]);
  await interview(p.page, people(6), { stop: '/person-6-who' });
  const asked = await p.page.evaluate(() => document.querySelectorAll('[data-item]').length);
  assert.ok(asked >= 3);
  const cdp = await p.context.newCDPSession(p.page);
  // processor time of the page's own thread, whatever else the machine does
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const worked = async () => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000;
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  await p.page.evaluate(() => {
    globalThis.paints = [];
    document.addEventListener('keydown', () => {
      const began = performance.now();
      requestAnimationFrame(() => {
        const m = new MessageChannel();
        m.port1.onmessage = () => globalThis.paints.push(performance.now() - began);
        m.port2.postMessage(0);
      });
    }, true);
  });
  const name = 'Zhao Xiaoming Li';
  const number = idNumber('370883', '20150612', 17);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    await p.page.fill('[name=person-5-D1]', '');
    await p.page.fill('[name=person-5-D3]', '');
    await p.page.locator('.foot[data-kept=yes]').waitFor();
    await p.page.evaluate(() => (globalThis.paints.length = 0));
    const before = await worked();
    for (const [field, keys] of [['D1', name], ['D3', number]]) {
      await p.page.locator(`[name=person-5-${field}]`).tap();
      for (const key of keys) {
        await p.page.keyboard.press(key === ' ' ? 'Space' : key);
        await new Promise((r) => setTimeout(r, 80));
      }
    }
    await p.page.waitForFunction((n) => globalThis.paints.length === n, name.length + number.length);
    await p.page.locator('.foot[data-kept=yes]').waitFor();
    const spent = (await worked()) - before;
    const sorted = (await p.page.evaluate(() => globalThis.paints)).sort((x, y) => x - y);
    rounds.push({
      p50_ms: Math.round(sorted[sorted.length >> 1]), p95_ms: Math.round(sorted[Math.floor(sorted.length * 0.95)]), max_ms: Math.round(sorted[sorted.length - 1]),
      processor_ms_a_key: Math.round((spent / sorted.length) * 10) / 10,
    });
    if (rounds[round].max_ms < 100) break;
  }
  const best = rounds.reduce((x, y) => (y.max_ms < x.max_ms ? y : x));
  console.log(JSON.stringify({ measure: 'field-keystroke', throttle: 6, keys: name.length + number.length, ...best, rounds }));
  if (timed) assert.ok(best.max_ms < 100, `most ${best.max_ms} ms`);
  assert.equal(await p.page.inputValue('[name=person-5-D3]'), number);
  assert.deepEqual(p.faults, []);
});
