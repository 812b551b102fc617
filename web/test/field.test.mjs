// The enumerator's app against a real server: what is kept after a kill, what
// protects a stolen phone, whose key is taken, size, pages.  Days without a
// network: field_day.test.mjs.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { at, begin, campaign, enter, found, holds, interview, line, people, phone, primary, shifted, signAndSeal, toList, unlock } from './field_kit.mjs';
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

const KILLS = Number(process.env.PUAN_KILLS ?? 3);
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

const DAY = 86400000;
test('a phone that is stolen: what protects drafts, what is left after the lease, the order to wipe', { timeout: 400000 }, async (t) => {
  const it = await setUp(t, { n: 4 });
  const { c, profile } = it;
  const [h1, h2, h3] = c.households;
  const wire = await line(() => c.url);
  t.after(() => wire.end());
  /** What the browser's own files hold, read as the app would. */
  const look = (page) => page.evaluate(async () => {
    const db = await new Promise((ok, no) => {
      const r = indexedDB.open('puan-field');
      r.onsuccess = () => ok(r.result);
      r.onerror = () => no(r.error);
    });
    const get = (store, how, ...more) => new Promise((ok, no) => {
      const r = db.transaction(store).objectStore(store)[how](...more);
      r.onsuccess = () => ok(r.result);
      r.onerror = () => no(r.error);
    });
    const key = await navigator.storage.getDirectory()
      .then((d) => d.getFileHandle('lease.key')).then((f) => f.getFile()).then((f) => f.arrayBuffer()).catch(() => new ArrayBuffer(0));
    const out = { cost: (await get('facts', 'get', 'device')).cost, boxes: await get('sealed', 'count'), outbox: await get('outbox', 'count'), key: [...new Uint8Array(key)] };
    db.close();
    return out;
  });
  const here = (page, re) =>
    page.waitForFunction((s) => new RegExp(s).test(document.body.innerText), re.source, { timeout: 60000 }).catch(async () => {
      throw new Error(`not said: ${re.source}\n${await page.locator('body').innerText()}\n${it.p.faults.join('\n')}`);
    });

  // one at the office, one sealed that waits, one in draft
  await enter(it.p.page, c, wire.url);
  await begin(it.p.page, h1);
  await interview(it.p.page, people(1));
  await signAndSeal(it.p.page);
  await it.p.page.locator('dl.facts .mono').waitFor({ timeout: 60000 });
  wire.away();
  await begin(it.p.page, h2);
  await interview(it.p.page, people(1));
  await signAndSeal(it.p.page);
  const who = people(2);
  await begin(it.p.page, h3);
  await interview(it.p.page, who, { stop: '/person-2-who' });
  await it.p.page.locator('.foot[data-kept=yes]').waitFor();
  const before = await look(it.p.page);
  assert.equal(before.key.length, 32);
  assert.ok(before.boxes >= 2, 'list and draft');
  await killProfile(profile);
  assert.deepEqual(found(profile, who.flatMap((x) => [x.name, x.id]).slice(0, 2)).hits, []);
  assert.ok(holds(profile, before.key), 'the search finds what is there');

  // a guess costs what opening costs
  let { page } = await it.again();
  await page.goto(`${wire.url}/field/`);
  await page.fill('[name=pin]', 'bei su 2021');
  const began = Date.now();
  await primary(page).tap();
  await page.getByText('口令不对').waitFor();
  const guess = Date.now() - began;
  console.log(JSON.stringify({ measure: 'guess', argon2id_KiB: before.cost.memory, rounds: before.cost.rounds, ms: guess }));
  assert.ok(before.cost.memory >= 32768 && before.cost.rounds >= 3);
  assert.ok(guess >= 500, `${guess} ms a guess`);
  await it.p.context.close();

  // the lease has ended; one start, nothing typed, no network
  it.p = await phone({ profile, height: 844, width: 390 });
  await shifted(it.p, 8 * DAY);
  ({ page } = it.p);
  await page.goto(`${wire.url}/field/`);
  await page.locator('[name=pin]').waitFor();
  const after = await look(page);
  assert.deepEqual([after.boxes, after.key.length, after.outbox], [0, 0, 1], 'lists, drafts and key are gone, what is sealed stays');
  await unlock(page);
  await page.locator('main[data-state=refused]').waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /北宿村3号楼/);
  await page.locator('nav.places a').nth(2).tap();
  await here(page, /授权已到期/);
  await it.p.context.close();
  assert.ok(!holds(profile, before.key), 'no file holds the key of the lease');

  // reached again: the office has its word for it, and what was sealed
  wire.whole();
  ({ page } = await it.again());
  await page.goto(`${wire.url}/field/`);
  await unlock(page);
  await toList(page);
  await page.locator(`a[href$="/h/${h2}"] .state`, { hasText: '已送达' }).waitFor({ timeout: 60000 });
  assert.equal(await c.versions(h2), 1);
  const device = async () => (await c.officer('GET', '/field/devices?area=370883002')).body.items[0];
  let d = await device();
  assert.equal(d.state, 'active', JSON.stringify(d));
  assert.ok(d.wiped, 'told that the lease had run out');
  const first = d.wiped;

  // taken back with a draft on the glass: gone at the next contact, with a receipt
  await begin(page, h3);
  await interview(page, who, { stop: '/person-2-who' });
  assert.equal((await c.officer('POST', `/field/devices/${d.device}/revoke`, { reason: '设备遗失', lost: true })).status, 200);
  await page.evaluate(() => dispatchEvent(new Event('online'))); // as when the line comes back
  await at(page, '/transfer');
  await here(page, /已被普查办收回/);
  await shot(page, 'field-revoked');
  assert.equal((await look(page)).boxes, 0);
  assert.ok(!(await page.locator('body').innerText()).includes(who[0].name));
  for (let i = 0; i < 100 && (d = await device()).state !== 'wiped'; i++) await page.waitForTimeout(200);
  assert.equal(d.state, 'wiped', JSON.stringify(d));
  assert.notEqual(d.wiped, first);
  await it.p.context.close();
  assert.ok(!holds(profile, before.key));
  assert.deepEqual(found(profile, who.slice(0, 1).flatMap((x) => [x.name, x.id])).hits, []);
  assert.deepEqual(it.p.faults, []);
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
  for (const f of files) total += gzipSync(readFileSync(join(web, f.slice(1)))).length;
  console.log(JSON.stringify({ measure: 'field-size', files: files.length, kB: Math.round(total / 1000) }));
  assert.ok(total < 400000, `${total} bytes`);
  const page = readFileSync(join(web, 'field/index.html'), 'utf8');
  for (const m of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) assert.ok(files.includes(m[1]), `${m[1]} is not kept`);
});

test('pages: axe, high contrast, targets, both languages', { timeout: 600000 }, async (t) => {
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
    await page.locator('.acts button', { hasText: lang === 'zh' ? '摸底登记' : 'Listing' }).tap();
    await at(page, '/listing');
    await look(`listing-${lang}`);
    await primary(page).tap();
    await at(page, '/q/place');
    await look(`listing-place-${lang}`);
    await page.goto(`${c.url}/field/`);
    await unlock(page);
    await toList(page);
    if (lang === 'zh') await page.locator('.lang').tap();
  }
  assert.deepEqual([...new Set(wrong)], []);
  assert.deepEqual(it.p.faults, []);
});
