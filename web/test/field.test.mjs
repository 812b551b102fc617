// The enumerator's app against a real server: a day with and without a network,
// what lies on the device, what is kept after a kill, what is left after the
// lease.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { at, begin, campaign, enter, found, interview, people, phone, primary, signAndSeal, toList, unlock } from './field_kit.mjs';
import { killProfile } from './kill.mjs';
import { axe, shot, web } from './lib.mjs';

async function setUp(t, options) {
  const c = await campaign(options);
  const profile = mkdtempSync(join(tmpdir(), 'puan-field-'));
  const it = { c, profile, p: await phone({ profile, height: 844, width: 390 }) };
  t.after(async () => {
    await it.p.context.close().catch(() => undefined);
    rmSync(profile, { recursive: true, force: true });
    await c.end();
  });
  it.again = async () => {
    await it.p.context.close().catch(() => undefined);
    it.p = await phone({ profile, height: 844, width: 390 });
    return it.p;
  };
  return it;
}
const delivered = (page, h) => page.waitForFunction((n) => document.querySelector(`a[href$="/h/${n}"] .state`)?.textContent?.includes('已送达'), h, { timeout: 60000 });

test('a day: entered, interviewed, sealed, sent, receipt; then without a network from a cold start', { timeout: 400000 }, async (t) => {
  const it = await setUp(t, { n: 6 });
  const { c } = it;
  const [h1, h2] = c.households;
  await enter(it.p.page, c);
  await shot(it.p.page, 'field-today');

  // with a network
  const one = people(2);
  await begin(it.p.page, h1);
  await interview(it.p.page, one);
  await shot(it.p.page, 'field-check');
  await signAndSeal(it.p.page);
  await toList(it.p.page);
  await delivered(it.p.page, h1);
  assert.equal(await c.versions(h1), 1);

  // two days without: the server is away, the browser is started anew
  await c.halt();
  const p2 = await it.again();
  await p2.page.goto(`${c.url}/field/`);
  await at(p2.page, '/unlock');
  await unlock(p2.page);
  await toList(p2.page);
  const two = people(3);
  await begin(p2.page, h2);
  await interview(p2.page, two);
  await signAndSeal(p2.page);
  await p2.page.goto(`${c.url}/field/transfer`);
  await unlock(p2.page).catch(() => undefined);
  await p2.page.waitForFunction(() => /没有网络/.test(document.body.innerText), null, { timeout: 60000 });
  assert.doesNotMatch(await p2.page.locator('main').innerText(), /错误|失败|异常/);
  await shot(p2.page, 'field-transfer-offline');

  // the line is back: nobody presses anything
  await c.start(new URL(c.url).port);
  await p2.page.waitForFunction(() => /已送达2份/.test(document.body.innerText), null, { timeout: 120000 });
  assert.equal(await c.versions(h2), 1);
  const r = await c.officer('GET', '/field/reconciliation?area=370883002');
  assert.equal(r.status, 200);
  console.log(JSON.stringify({ measure: 'field-day', reconciliation: r.body.counts ?? r.body.totals ?? Object.fromEntries(Object.entries(r.body).filter(([, v]) => typeof v === 'number')) }));

  // what lies on the device of sealed returns: nothing that can be read
  await it.p.context.close();
  const texts = [...one, ...two].flatMap((x) => [x.name, x.id]);
  const f = found(it.profile, texts);
  console.log(JSON.stringify({ measure: 'sealed-image', texts: texts.length, files: f.searched, found: f.hits.length }));
  assert.ok(f.searched > 20, 'the profile has files');
  assert.deepEqual(f.hits, []);
  assert.deepEqual([...it.p.faults, ...p2.faults], []);
});

const KILLS = Number(process.env.PUAN_KILLS ?? 5);
test(`what was typed is there after each of ${KILLS} kills`, { timeout: 120000 + KILLS * 30000 }, async (t) => {
  const it = await setUp(t, { n: 2 });
  const { c, profile } = it;
  const [h] = c.households;
  await enter(it.p.page, c);
  await begin(it.p.page, h);
  await interview(it.p.page, people(1), { stop: '/person-1-who' });
  const letters = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨';
  let lost = 0, late = 0, keys = 0;
  for (let i = 0; i < KILLS; i++) {
    const field = it.p.page.locator('[name=person-0-D1]');
    await field.tap();
    await field.fill('');
    let text = '';
    const stamps = [];
    for (let k = 0; k < 1 + Math.floor(Math.random() * 20); k++) {
      await it.p.page.keyboard.insertText(letters[Math.floor(Math.random() * letters.length)]);
      text = await field.inputValue();
      stamps.push({ text, last: Date.now() });
      keys++;
      await new Promise((r) => setTimeout(r, Math.random() * 60));
    }
    await new Promise((r) => setTimeout(r, Math.random() * 150));
    const died = Date.now();
    await killProfile(profile);
    const settled = [...stamps].reverse().find((s) => died - s.last >= 100)?.text ?? '';
    const { page } = await it.again();
    await page.goto(`${c.url}/field/`);
    await unlock(page);
    await begin(page, h);
    assert.ok(page.url().endsWith('/q/person-1-who'), page.url());
    const kept = await page.inputValue('[name=person-0-D1]');
    if (!kept.startsWith(settled) || !text.startsWith(kept)) {
      lost++;
      console.log(`# kill ${i + 1}: typed ${text}, settled ${settled}, found ${kept}`);
    } else if (kept !== text) late++;
  }
  console.log(JSON.stringify({ measure: 'field-kill', kills: KILLS, keys, lost, last_tenth_of_a_second_missing: late }));
  assert.equal(lost, 0);
  // a draft is on the device, but sealed: its words are in no file
  const named = await it.p.page.inputValue('[name=person-0-D1]');
  await it.p.page.waitForTimeout(300);
  await it.p.context.close();
  if ([...named].length >= 4) assert.deepEqual(found(profile, [named]).hits, []);
});

test('another key than the ticket says is taken from nobody', { timeout: 120000 }, async (t) => {
  const it = await setUp(t, { n: 1 });
  const { page } = it.p;
  const ticket = (await it.c.ticket()).replace(/[0-9a-f]{32}$/, '0'.repeat(32));
  await page.goto(`${it.c.url}/field/#${ticket}`);
  await page.fill('[name=device]', 'x');
  await page.fill('[name=pin]', '12345678');
  await page.fill('[name=again]', '12345678');
  await primary(page).tap();
  await page.waitForFunction(() => /太容易猜/.test(document.body.innerText));
  await page.fill('[name=pin]', 'bei su 2020');
  await page.fill('[name=again]', 'bei su 2020');
  await primary(page).tap();
  await page.waitForFunction(() => /密钥与凭据不符/.test(document.body.innerText));
});

test('first load under 400 kB; every file of the app is kept for offline', () => {
  const sw = readFileSync(join(web, 'field/sw.js'), 'utf8');
  const files = JSON.parse(/FILES = (\[.*?\]);/.exec(sw)[1]);
  let total = 0;
  const first = files.filter((f) => !/places|cn-population/.test(f));
  for (const f of first) total += gzipSync(readFileSync(join(web, f.slice(1)))).length;
  console.log(JSON.stringify({ measure: 'field-size', files: first.length, kB: Math.round(total / 1000) }));
  assert.ok(total < 400000, `${total} bytes`);
  const page = readFileSync(join(web, 'field/index.html'), 'utf8');
  for (const m of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) assert.ok(files.includes(m[1]), `${m[1]} is not kept`);
});

test('pages: axe, high contrast, targets, both languages', { timeout: 240000 }, async (t) => {
  const it = await setUp(t, { n: 3 });
  const { c } = it;
  const { page } = it.p;
  const wrong = [];
  const look = async (name) => {
    await page.waitForTimeout(200);
    for (const w of await axe(page)) wrong.push(`${name}: ${w}`);
    const contrast = await page.evaluate(async () => {
      const r = await globalThis.axe.run(document, { runOnly: ['color-contrast-enhanced'], rules: { 'color-contrast-enhanced': { enabled: true } } });
      return r.violations.flatMap((v) => v.nodes.map((n) => n.target.join(' ')));
    });
    for (const w of contrast) wrong.push(`${name}: contrast of ${w}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    if (wide) wrong.push(`${name}: scrolls sideways`);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('main button, main a, nav a')].filter((b) => b.offsetParent && b.getBoundingClientRect().height < 47.5).map((b) => b.textContent.trim().slice(0, 20)),
    );
    for (const s of small) wrong.push(`${name}: "${s}" is lower than 48 px`);
    await shot(page, `field-${name}`);
  };
  await page.goto(`${c.url}/field/`);
  await page.locator('[name=device]').waitFor();
  await look('enrol');
  await enter(page, c);
  for (const lang of ['zh', 'en']) {
    for (const [name, i] of [['today', 0], ['transfer', 1], ['notices', 2], ['mine', 3]]) {
      await page.locator('nav.places a').nth(i).tap();
      await look(`${name}-${lang}`);
    }
    const h = c.households[lang === 'zh' ? 0 : 1];
    await toList(page);
    await page.locator(`a[href$="/h/${h}"]`).first().tap();
    await at(page, `/h/${h}`);
    await look(`household-${lang}`);
    await primary(page).tap();
    await at(page, /^\/field\/q/);
    await look(`question-${lang}`);
    await interview(page, people(2));
    await look(`check-${lang}`);
    await primary(page).tap();
    await at(page, '/sign');
    await look(`sign-${lang}`);
    await page.goto(`${c.url}/field/`);
    await at(page, '/unlock');
    await look(`unlock-${lang}`);
    await unlock(page);
    await toList(page);
    if (lang === 'zh') await page.locator('.lang').tap();
  }
  assert.deepEqual([...new Set(wrong)], []);
  assert.deepEqual(it.p.faults, []);
});
