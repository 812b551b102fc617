// The browser is killed (SIGKILL) after random keystrokes and opened again
// with the same profile: same page, same text, each time.  10 times in the
// ordinary run; PUAN_KILLS=100 for the full proof.
//
// A key counts from 100 ms before the kill: what the finger did within the last
// tenth of a second may still be on its way to the disk; it is measured, too.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, campaign, enter, next, option, phone } from './household_kit.mjs';
import { killProfile } from './kill.mjs';

const KILLS = Number(process.env.PUAN_KILLS ?? 10);
const SETTLED = 100;

test(`the text is there after each of ${KILLS} kills`, { timeout: 30000 + KILLS * 20000 }, async (t) => {
  const c = await campaign();
  const profile = mkdtempSync(join(tmpdir(), 'puan-kill-'));
  let p = await phone({ profile });
  t.after(async () => {
    await p.context.close().catch(() => undefined);
    rmSync(profile, { recursive: true, force: true });
    await c.end();
  });
  const code = await c.issue(c.households[0]);
  await enter(p.page, c.url, code);
  await at(p.page, '/q/count');
  await p.page.fill('[name=household-0-H2a]', '1');
  await p.page.fill('[name=household-0-H2b]', '0');
  await option(p.page, '家庭户').tap();
  await next(p.page);
  await at(p.page, '/q/person-1-who');

  const letters = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨';
  let lost = 0, late = 0, keys = 0, elsewhere = 0;
  for (let i = 0; i < KILLS; i++) {
    const field = p.page.locator('[name=person-0-D1]');
    await field.tap();
    await field.fill('');
    let text = '', settled = '', last = 0;
    const stamps = [];
    const n = 1 + Math.floor(Math.random() * 24);
    for (let k = 0; k < n; k++) {
      const letter = letters[Math.floor(Math.random() * letters.length)];
      await p.page.keyboard.insertText(letter);
      text += letter;
      last = Date.now();
      stamps.push({ text, last });
      keys++;
      await new Promise((r) => setTimeout(r, Math.random() * 60));
    }
    await new Promise((r) => setTimeout(r, Math.random() * 150));
    const died = Date.now();
    await killProfile(profile);
    settled = [...stamps].reverse().find((s) => died - s.last >= SETTLED)?.text ?? '';
    await p.context.close().catch(() => undefined);

    p = await phone({ profile });
    await enter(p.page, c.url, code, 'tian qi hao', { first: false });
    await p.page.waitForURL((u) => /\/household\/(q|form|check|home)/.test(u.pathname));
    if (!p.page.url().endsWith('/q/person-1-who')) elsewhere++;
    const found = await p.page.inputValue('[name=person-0-D1]');
    if (!found.startsWith(settled) || !text.startsWith(found)) {
      lost++;
      console.log(`# kill ${i + 1}: typed ${text}, settled ${settled}, found ${found}`);
    } else if (found !== text) {
      late++;
    }
  }
  console.log(JSON.stringify({ measure: 'kill', kills: KILLS, keys, lost, last_tenth_of_a_second_missing: late, other_page: elsewhere }));
  assert.equal(lost, 0);
  assert.equal(elsewhere, 0);
  assert.deepEqual(p.faults, []);
});
