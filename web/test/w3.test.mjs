// W3: a granddaughter fills in for her grandmother's household of five (one
// absent, registered) in the evening, 24 px text; the browser is killed once.
// ≤ 36 screens, ≤ 120 taps beside typing, each question ≤ 60 characters beside
// its options, no sideways scroll at 360 px (also at 30 px), no answer lost,
// planted faults found in words and mended, receipt ≤ 3 s, no full name or ID
// in the image.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, campaign, idNumber, option, phone } from './household_kit.mjs';
import { timed } from './lib.mjs';

const people = [
  { name: '王桂英', id: idNumber('370883', '19480612', 24), born: '1948-06', school: '未上过学', literate: '否' },
  { name: '赵建国', relation: '2', id: idNumber('370883', '19720305', 15), born: '1972-03', school: '初中' },
  { name: '李秀梅', relation: '6', id: idNumber('370883', '19740921', 28), born: '1974-09', school: '初中' },
  { name: '赵小宝', relation: '7', id: idNumber('370883', '20111108', 31), born: '2011-11', school: '小学' },
  { name: '赵晓雪', relation: '7', id: idNumber('370883', '19990218', 22), born: '1999-02', school: '大学本科', away: true },
];

test('W3: five people, one away, one kill', async (t) => {
  const c = await campaign();
  const profile = mkdtempSync(join(tmpdir(), 'puan-w3-'));
  let p = await phone({ profile });
  t.after(async () => {
    if (process.env.PUAN_SHOT) await p.page.screenshot({ path: process.env.PUAN_SHOT, fullPage: true }).catch(() => undefined);
    await p.context.close().catch(() => undefined);
    rmSync(profile, { recursive: true, force: true });
    await c.end();
  });
  const code = await c.issue(c.households[0]);
  const seen = []; // every screen that was shown
  const measures = { walk: 'W3', screens: 0, taps: 0, longest: 0, sideways: 0, lost: 0, receipt_ms: 0, faults: [] };

  const tap = async (what) => {
    measures.taps++;
    await (typeof what === 'string' ? p.page.locator(what).first() : what).tap();
  };
  /** Typing into a field costs the tap that opens it. */
  const type = async (selector, text) => {
    await tap(selector);
    await p.page.fill(selector, text);
  };
  const choose = (text) => tap(option(p.page, text));
  const width = () => p.page.evaluate(() => document.documentElement.scrollWidth);
  /** A screen: its question counted, its width measured at 24 and at 30 px. */
  const screen = async (path) => {
    await at(p.page, path);
    await p.page.waitForSelector('main h1');
    const n = await p.page.evaluate(() => {
      const main = document.querySelector('main').cloneNode(true);
      for (const e of main.querySelectorAll('.option, option, select, button, details, .acts, .above, .below, .visually-hidden, .unit')) e.remove();
      return [...main.textContent.replace(/\s+/g, '')].length;
    });
    seen.push({ path, n });
    measures.screens++;
    if (/^\/q\//.test(path)) measures.longest = Math.max(measures.longest, n);
    for (const size of ['30', '24']) {
      await p.page.evaluate((s) => (document.documentElement.dataset.size = s), size);
      if ((await width()) > 360) measures.sideways++;
    }
  };
  const go = async () => tap('[data-primary]');

  // ---- signing in ----
  await p.page.goto(`${c.url}/household`);
  await tap('.ph-size .a1'); // 24 px
  await p.page.waitForSelector('main[data-state=ready] [name=code]');
  await screen('');
  await type('[name=code]', code);
  await go();
  await screen('/home');
  await choose('受本户托付的亲属');
  await type('[name=new-password]', 'nai nai jia');
  await go();
  // ---- how many: stated one too few at home ----
  await screen('/q/count');
  await type('[name=household-0-H2a]', '3');
  await type('[name=household-0-H2b]', '2');
  await choose('家庭户');
  await go();

  for (const [i, x] of people.entries()) {
    const n = i + 1;
    await screen(`/q/person-${n}-who`);
    await type(`[name=person-${i}-D1]`, x.name);
    if (x.relation) {
      measures.taps += 2; // opens the list, picks
      await p.page.selectOption('[data-item=D2] select', x.relation);
    }
    await type(`[name=person-${i}-D3]`, x.id);
    await p.page.waitForSelector('p.back:has-text("读回")');
    if (i === 1) {
      // the household says another month than the number: the rule says so
      await tap('text=与本人不符');
      await tap('[data-item=D5] input');
      await p.page.fill('[data-item=D5] input', '1973');
      measures.taps += 1;
      await p.page.selectOption('[data-item=D5] select', '03');
      await go();
      const text = await p.page.locator('.summary').innerText();
      measures.faults.push(text.split('\n').pop());
      assert.match(text, /出生年月与公民身份号码不一致/);
      assert.equal(await p.page.evaluate(() => document.activeElement.className), 'summary', 'the summary has the focus');
      await tap('.summary .jump');
      await p.page.fill('[data-item=D5] input', '1972');
    }
    await go();
    await screen(`/q/person-${n}-ethnic`);
    await choose('汉族');
    await go();
    await screen(`/q/person-${n}-stay`);
    await choose(x.away ? '本县（市、区、旗）其他乡' : '就住在这里');
    await go();
    await screen(`/q/person-${n}-registered`);
    await choose('本村（居）委会');
    await go();
    if (x.away) {
      await screen(`/q/person-${n}-left`);
      await choose('二年以上');
      await go();
      await screen(`/q/person-${n}-reason`);
      await choose('学习培训');
      await go();
    }
    await screen(`/q/person-${n}-school`);
    if (i === 2) {
      // killed in the middle of a screen
      await choose(x.school);
      await p.page.waitForFunction(() => document.querySelector('.foot').dataset.kept === 'yes');
      const pid = p.context.browser()?.process?.()?.pid;
      // Chromium writes small settings to disk some seconds later; the answers do not wait for it
      await p.page.waitForTimeout(6000);
      await kill(p, pid);
      p = await phone({ profile });
      await p.page.goto(`${c.url}/household`);
      await p.page.waitForSelector('main[data-state=ready] [name=code]');
      assert.equal(await p.page.evaluate(() => document.documentElement.dataset.size), '24', 'the letter size is remembered');
      await screen('');
      await type('[name=code]', code);
      await go();
      await p.page.waitForSelector('[name=password]');
      await type('[name=password]', 'nai nai jia');
      await go();
      await screen(`/q/person-${n}-school`);
      if (!(await option(p.page, x.school).locator('input').isChecked())) measures.lost++;
    } else {
      await choose(x.school);
    }
    if (x.literate || x.school === '小学') {
      const age = 2020 - Number(x.born.slice(0, 4));
      if (age > 14) await tap(p.page.locator('[data-item=D12] label.option', { hasText: x.literate ?? '是' }));
    }
    await go();
  }
  await screen('/q/dwelling');
  await choose('普通住宅');
  await type('[name=household-0-H6]', '120');
  await type('[name=household-0-H7]', '5');
  await go();
  await screen('/q/year');
  await tap('text=都没有');
  await go();
  // ---- everything in sentences; the head count is mended where it is found ----
  await screen('/check');
  const all = await p.page.locator('main').innerText();
  assert.match(all, /4人住在家里，1人户口在家里、人在外面/);
  assert.match(all, /赵建国是户主王桂英的子女/);
  const findings = p.page.locator('.ph-finding.hard');
  measures.faults.push(...(await findings.locator('.text').allInnerTexts()));
  assert.ok(measures.faults.some((f) => /10月31日晚居住本户人数/.test(f)), JSON.stringify(measures.faults));
  await tap(findings.first().locator('.jump'));
  await type('.ph-finding [name=household-0-H2a]', '4');
  if (await findings.count()) {
    const open = p.page.locator('.ph-finding.hard .jump');
    if (await open.count()) await tap(open.first());
    if (await p.page.locator('.ph-finding [name=household-0-H2b]').count()) await type('.ph-finding [name=household-0-H2b]', '1');
  }
  await p.page.waitForFunction(() => !document.querySelector('.ph-finding.hard'));
  // what remains is confirmed in words
  while (await p.page.locator('.ph-finding').count()) await tap(p.page.locator('.ph-finding .ph-button').first());
  await p.page.waitForSelector('[data-primary]:not([disabled])');
  const began = Date.now();
  await go();
  await at(p.page, '/sent');
  await p.page.waitForSelector('.receipt .code');
  measures.receipt_ms = Date.now() - began;
  await screen('/sent');

  // ---- the receipt, and nothing of a person on it ----
  const receipt = await p.page.locator('.receipt').innerText();
  assert.match(receipt, /5人/);
  assert.match(receipt, /[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}/);
  assert.match(receipt, /第\d+条/);
  const [file] = await Promise.all([p.page.waitForEvent('download'), tap('[data-primary]')]);
  const png = readFileSync(await file.path());
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.ok(png.length > 5000);
  for (const x of people) {
    assert.ok(!receipt.includes(x.name) && !receipt.includes(x.id), 'the receipt names nobody');
    assert.ok(!file.suggestedFilename().includes(x.name));
  }

  // ---- what arrived is what was typed ----
  const own = await c.call('POST', '/login/household', null, { code, password: 'nai nai jia' });
  const sent = (await c.call('GET', '/me/return', own.body.token)).body;
  people.forEach((x, i) => {
    const y = sent.person[i];
    const want = { D1: x.name, D3: x.id, D5: x.born, D7: x.away ? 4 : 1, D8: 1, D9: x.away ? 5 : 1, ...(x.away ? { D10: 1 } : {}) };
    for (const [k, v] of Object.entries(want)) if (String(y[k]) !== String(v)) measures.lost++;
  });
  assert.deepEqual([sent.answers.H2a, sent.answers.H2b, sent.answers.H6, sent.answers.H3m].map(String), ['4', '1', '120', '0']);
  assert.equal(sent.hard, 0);

  measures.long_questions = seen.filter((s) => s.n > 60 && /^\/q\//.test(s.path)).map((s) => `${s.path} ${s.n}`);
  console.log(JSON.stringify(measures));
  assert.equal(measures.lost, 0);
  assert.ok(measures.screens <= 36, `${measures.screens} screens`);
  assert.ok(measures.taps <= 120, `${measures.taps} taps`);
  assert.deepEqual(measures.long_questions, []);
  assert.equal(measures.sideways, 0);
  if (timed) assert.ok(measures.receipt_ms <= 3000, `receipt after ${measures.receipt_ms} ms`);
  assert.deepEqual(p.faults, []);
});

/** SIGKILL to the browser and everything it started from this profile. */
async function kill(p) {
  const { killProfile } = await import('./kill.mjs');
  await killProfile(p.dir);
  await p.context.close().catch(() => undefined);
}
