// An enumerator's days without a network: households listed, interviews with errors corrected,
// crashes, a clock set back a year, storage that is full and storage that was
// thrown away, then a line that drops every five seconds.  At the end every
// return is at the office once, its receipt verified, and the office finds
// nothing unaccounted for.  What lies on the phone meanwhile, taken as a thief
// would take it, shows no name and no number.
// PUAN_FIELD_FULL=1: 60 households, 40 interviews.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EA, at, begin, campaign, enter, found, interview, line, listOne, people, phone, primary, shifted, signAndSeal, toList, unlock } from './field_kit.mjs';
import { killProfile } from './kill.mjs';
import { shot } from './lib.mjs';

const full = Boolean(process.env.PUAN_FIELD_FULL);
const LISTED = full ? 60 : 4; // at the door
const TAKEN = full ? 40 : 2;
const DAY = 86400000;

test(`${LISTED} households, ${TAKEN} interviews, two days without a network`, { timeout: full ? 3600000 : 400000 }, async (t) => {
  const began = Date.now();
  // one household the office knows of; the others are listed at the door
  const c = await campaign({ n: 1 });
  const doors = Array.from({ length: LISTED }, (_, i) => EA + String(i + 2).padStart(3, '0'));
  const wire = await line(() => c.url);
  const profile = mkdtempSync(join(tmpdir(), 'puan-field-'));
  let p;
  const faults = [];
  /** The phone is switched on; its clock is off by so much. */
  const start = async (off = 0) => {
    if (p) faults.push(...p.faults);
    p = await phone({ profile, height: 844, width: 390 });
    if (off) await shifted(p, off);
    await p.page.goto(`${wire.url}/field/`);
    return p.page;
  };
  t.after(async () => {
    await p?.context.close().catch(() => undefined);
    await wire.end();
    rmSync(profile, { recursive: true, force: true });
    await c.end();
  });

  // ---- the device is entered, the list fetched; then the network is gone ----
  let page = await start();
  await at(page, '/enrol');
  await enter(page, c, wire.url);
  wire.away();
  // ---- listing, building by building ----
  const heads = people(LISTED);
  for (const [i, x] of heads.entries())
    await listOne(page, { building: String(4 + Math.floor(i / 12)), unit: String(101 + i), head: x.name, address: `北宿村${4 + Math.floor(i / 12)}号楼${101 + i}室`, away: i % 3 === 2 ? 1 : 0, slip: i % 5 === 1 });
  await shot(page, 'field-listing');
  await page.getByText(`名册共${LISTED + 1}户`).waitFor();
  await toList(page);
  const said = new Set();
  const listen = async () => said.add(await page.locator('body').innerText());

  // ---- interviews, none of them with a network ----
  const texts = [];
  const slips = ['count', 'id', 'empty'];
  const crashes = new Set(full ? [7, 19, 33] : [1]);
  const night = Math.ceil(TAKEN / 2);
  let off = 0;
  for (let i = 0; i < TAKEN; i++) {
    const h = doors[i];
    const who = people(2 + (i % 2));
    texts.push(...who.flatMap((x) => [x.name, x.id]));
    if (i === night) {
      // the second day: a cold start, and the phone's clock went back a year
      await p.context.close();
      off = -365 * DAY;
      page = await start(off);
      await at(page, '/unlock');
      await unlock(page);
      await toList(page);
      await page.locator('.band').waitFor();
      assert.match(await page.locator('.band').innerText(), /时间/);
      await listen();
    }
    await begin(page, h);
    if (crashes.has(i)) {
      // in the midst of a name the phone dies; what was typed is there
      await interview(page, who, { stop: '/person-1-who' });
      await page.locator('[name=person-0-D1]').tap();
      await page.keyboard.insertText(who[0].name.slice(0, 2));
      await page.locator('.foot[data-kept=yes]').waitFor();
      await page.keyboard.insertText(who[0].name.slice(2, 3));
      await killProfile(profile);
      page = await start(off);
      await unlock(page);
      await begin(page, h);
      assert.ok(page.url().endsWith('/q/person-1-who'), page.url());
      assert.ok((await page.inputValue('[name=person-0-D1]')).startsWith(who[0].name.slice(0, 2)), 'the keystroke before is there');
    }
    await interview(page, who, { fault: slips[i % 3] });
    await signAndSeal(page);
    if (i % 10 === 0) {
      await page.locator('.state').first().waitFor();
      await listen();
    }
  }
  await toList(page);

  // ---- storage runs full while somebody answers: said, and nothing is lost ----
  const half = doors[TAKEN];
  const one = people(1);
  await begin(page, half);
  const cdp = await p.context.newCDPSession(page);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: wire.url, quotaSize: 1 });
  await interview(page, one, { stop: '/person-1-who' });
  // the browser looks at the room there is about every half minute
  for (let i = 0; i < 120 && !(await page.locator('p.band[role=alert]').count()); i++) {
    await page.fill('[name=person-0-D1]', one[0].name.slice(0, 1 + (i % 4)));
    await page.waitForTimeout(500);
  }
  await page.locator('p.band[role=alert]').waitFor();
  await page.fill('[name=person-0-D1]', one[0].name);
  await listen();
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: wire.url });
  // as soon as there is room again, the next key keeps everything
  const id = page.locator('[name=person-0-D3]');
  for (let i = 0; i < 120 && (i === 0 || (await page.locator('p.band[role=alert]').count())); i++) {
    await id.fill(i % 2 ? one[0].id.slice(0, 17) : one[0].id.slice(0, 16));
    await page.waitForTimeout(500);
  }
  await page.locator('p.band[role=alert]').waitFor({ state: 'detached' });
  await id.fill(one[0].id);
  await page.locator('.foot[data-kept=yes]').waitFor();

  // ---- the phone is stolen with all of it on it ----
  await killProfile(profile);
  const image = found(profile, [...texts, ...heads.map((x) => x.name), one[0].name, one[0].id]);
  console.log(JSON.stringify({ measure: 'stolen-image', texts: texts.length + heads.length + 2, files: image.searched, found: image.hits.length }));
  assert.ok(image.searched > 20, 'the profile has files');
  assert.deepEqual(image.hits, []);

  // ---- a line that drops every five seconds; nobody presses anything ----
  await c.clock('2020-11-04T19:30:00+08:00');
  page = await start(13 * 60000);
  await unlock(page);
  await begin(page, half);
  assert.equal(await page.inputValue('[name=person-0-D3]'), one[0].id, 'what was typed while storage was full');
  await interview(page, one);
  await signAndSeal(page);
  await page.goto(`${wire.url}/field/transfer`);
  await unlock(page);
  await page.waitForFunction(() => /没有网络/.test(document.body.innerText), null, { timeout: 60000 });
  await listen();
  await shot(page, 'field-transfer-offline');
  const sent = Date.now();
  wire.dropping(5000, full ? 150 : 400);
  const all = TAKEN + 1;
  await page.waitForFunction((n) => document.body.innerText.includes(`已送达${n}份`), all, { timeout: full ? 1200000 : 240000 });
  const seconds = Math.round((Date.now() - sent) / 1000);
  const drops = wire.drops;
  await shot(page, 'field-transfer-done');
  wire.whole();
  await page.waitForFunction(() => /都已办妥/.test(document.body.innerText), null, { timeout: 120000 });
  // calling what is normal work an error
  await listen();
  for (const s of said) assert.doesNotMatch(s, /错误|失败|异常/);
  await page.locator('nav.places a').nth(2).tap();
  await page.waitForFunction(() => /手机时间不准/.test(document.body.innerText));

  // ---- the office has each once ----
  for (const h of doors.slice(0, all)) assert.equal(await c.versions(h), 1, h);
  // and the roll as it was listed
  const roll = await c.officer('GET', `/listing?area=${EA}`);
  assert.equal(roll.status, 200, JSON.stringify(roll.body));
  assert.equal(roll.body.total ?? roll.body.items.length, LISTED + 1, JSON.stringify(roll.body).slice(0, 300));
  const clean = async () => {
    const r = await c.officer('GET', '/field/reconciliation?area=370883002');
    assert.equal(r.status, 200);
    return r.body.counts;
  };
  const counts = await clean();
  assert.deepEqual(counts, { ledger: LISTED + all, waiting: 0, on_device: 0, unknown: 0, taken: LISTED + all });
  await p.context.close();
  assert.deepEqual(found(profile, texts).hits, []);

  // ---- the browser threw everything away: entered anew, nothing comes twice ----
  page = await start();
  await unlock(page);
  const again = await p.context.newCDPSession(page);
  await again.send('Storage.clearDataForOrigin', { origin: wire.url, storageTypes: 'all' });
  await p.context.close();
  page = await start();
  await at(page, '/enrol');
  await enter(page, c, wire.url);
  if (LISTED > all) {
    const last = people(1);
    await begin(page, doors[all]);
    await interview(page, last);
    await signAndSeal(page);
    await page.locator('dl.facts .mono').waitFor({ timeout: 60000 });
    assert.equal(await c.versions(doors[all]), 1);
    assert.deepEqual(await clean(), { ledger: LISTED + all + 1, waiting: 0, on_device: 0, unknown: 0, taken: LISTED + all + 1 });
  }
  console.log(JSON.stringify({
    measure: 'field-days', households: LISTED, interviews: all, crashes: crashes.size, drops, seconds_to_send: seconds,
    reconciliation: counts, minutes: Math.round((Date.now() - began) / 6000) / 10,
  }));
  assert.deepEqual([...faults, ...p.faults].filter(Boolean), []);
});
