// A household of six on a 360 px phone with the processor six times slower:
// each key to the next paint, p95 and most, under 100 ms.  Three rounds, the
// best counts: what else runs on the machine only ever adds.
import test from 'node:test';
import assert from 'node:assert/strict';
import { at, campaign, enter, idNumber, next, option, phone } from './household_kit.mjs';
import { timed } from './lib.mjs';

test('a key is on the glass within 100 ms', { timeout: 240000 }, async (t) => {
  const c = await campaign();
  const p = await phone();
  t.after(async () => {
    await p.close();
    await c.end();
  });
  await enter(p.page, c.url, await c.issue(c.households[0]));
  await at(p.page, '/q/count');
  await p.page.fill('[name=household-0-H2a]', '6');
  await p.page.fill('[name=household-0-H2b]', '0');
  await option(p.page, '家庭户').tap();
  await next(p.page);
  // six people with everything answered, so that rules have work
  for (let i = 0; i < 5; i++) {
    const n = i + 1;
    await at(p.page, `/q/person-${n}-who`);
    await p.page.fill(`[name=person-${i}-D1]`, `赵${'大二三四五六'[i]}`);
    if (i) await p.page.selectOption('[data-item=D2] select', '8');
    await p.page.fill(`[name=person-${i}-D3]`, idNumber('370883', `19${70 + i}0612`, 11 + i));
    await p.page.waitForSelector('p.back:has-text("读回")');
    await next(p.page);
    for (const [screen, answer] of [['ethnic', '汉族'], ['stay', '就住在这里'], ['registered', '本村（居）委会'], ['school', '初中']]) {
      await at(p.page, `/q/person-${n}-${screen}`);
      await option(p.page, answer).tap();
      await next(p.page);
    }
  }
  await at(p.page, '/q/person-6-who');

  const cdp = await p.context.newCDPSession(p.page);
  // processor time of the page's own thread, whatever else the machine does
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const worked = async () => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000;
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  await p.page.evaluate(() => {
    globalThis.paints = [];
    document.addEventListener('keydown', () => {
      const began = performance.now();
      // the frame that shows it has been made when the task after it runs
      requestAnimationFrame(() => {
        const c = new MessageChannel();
        c.port1.onmessage = () => globalThis.paints.push(performance.now() - began);
        c.port2.postMessage(0);
      });
    }, true);
    globalThis.events = [];
    new PerformanceObserver((l) => {
      for (const e of l.getEntries()) if (e.name === 'keydown' || e.name === 'input') globalThis.events.push(e.duration);
    }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  });
  const name = 'Zhao Xiaoming Li Wang Chen';
  const number = idNumber('370883', '20150612', 17);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    await p.page.fill('[name=person-5-D1]', '');
    await p.page.fill('[name=person-5-D3]', '');
    await p.page.waitForTimeout(500);
    const before = await worked();
    await p.page.evaluate(() => {
      globalThis.paints.length = 0;
      globalThis.events.length = 0;
    });
    for (const [field, keys] of [['D1', name], ['D3', number]]) {
      await p.page.locator(`[name=person-5-${field}]`).tap();
      for (const key of keys) {
        await p.page.keyboard.press(key === ' ' ? 'Space' : key);
        await new Promise((r) => setTimeout(r, 80));
      }
    }
    await p.page.waitForTimeout(500);
    const spent = (await worked()) - before;
    const { paints, events } = await p.page.evaluate(() => ({ paints: globalThis.paints, events: globalThis.events }));
    assert.equal(paints.length, name.length + number.length);
    const sorted = [...paints].sort((x, y) => x - y);
    rounds.push({
      p50_ms: Math.round(sorted[sorted.length >> 1]),
      p95_ms: Math.round(sorted[Math.floor(sorted.length * 0.95)]),
      max_ms: Math.round(sorted[sorted.length - 1]),
      event_timing_max_ms: Math.max(0, ...events),
      processor_ms_a_key: Math.round((spent / paints.length) * 10) / 10,
    });
    if (rounds[round].max_ms < 100) break;
  }
  const best = rounds.reduce((x, y) => (y.max_ms < x.max_ms ? y : x));
  console.log(JSON.stringify({ measure: 'keystroke', throttle: 6, keys: name.length + number.length, ...best, rounds }));
  if (timed) assert.ok(best.p95_ms < 100, `p95 ${best.p95_ms} ms`);
  if (timed) assert.ok(best.max_ms < 100, `most ${best.max_ms} ms`);
  assert.deepEqual(p.faults, []);
});
