// W5: "who changed this person's birth month in household X, and why?"
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, measured, noIdentity, open, puan, serve, settled, shot, signIn } from './lib.mjs';

let s, b;
before(async () => {
  s = await serve('end');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('the auditor gets who, when, where and why in one sentence, and a proof', async () => {
  const page = await open(b);
  // a household whose person's birth month was corrected, as the ledger knows it
  const audit = s.api('audit-admin');
  const corrected = (await audit.get('/audit/search?q=2020-11-03&verb=return.correct&limit=50')).items;
  assert.ok(corrected.length > 0, 'the demonstration has corrections');
  let household, item;
  for (const e of corrected) {
    const found = await audit.get(`/audit/search?q=${e.subject}`);
    item = found.changes[0]?.items.find((i) => i.row && /出生/.test(i.zh ?? ''));
    if (item) {
      household = found;
      break;
    }
  }
  assert.ok(household, 'one of them changes a birth month');

  await signIn(page, s, 'audit-admin', '/office');
  await settled(page);
  assert.match(page.url(), /\/office\/ledger/, 'the auditor begins here');
  page.requests.length = 0;
  const began = Date.now();
  let acts = 0;
  // 1: the household, in the box that has the focus
  await page.keyboard.type(household.q);
  await page.keyboard.press('Enter');
  acts++;
  await page.waitForSelector('[data-answer]');
  // 2: which answer, when several were changed
  if (await page.locator('#cell').count()) {
    await page.selectOption('#cell', { label: `第${item.row}人的${item.zh}` });
    acts++;
    await page.waitForFunction((zh) => document.querySelectorAll('[data-answer]').length === 1 && document.querySelector('[data-answer]').textContent.includes(zh), item.zh);
  }
  const answer = (await page.innerText('[data-answer]')).trim();
  assert.match(answer, new RegExp(`^\\d\\d-\\d\\d \\d\\d:\\d\\d .+第${item.row}人的${item.zh}由〔封存〕改为〔封存〕.*缘由：.+$`));
  assert.equal(answer.split('。').filter(Boolean).length, 1, 'one sentence');
  const box = await page.locator('[data-answer]').first().boundingBox();
  assert.ok(box.y + box.height < 650, 'on one screen');
  await shot(page, 'w5-ledger');
  // 3: verify and take the proof away
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('.chosen [data-primary]')]);
  acts++;
  await page.waitForSelector('.told');
  const seconds = (Date.now() - began) / 1000;
  assert.ok(acts <= 4 && seconds <= 60, `${acts} acts, ${seconds} s`);

  // values stayed sealed: nobody's name or number came over the line
  assert.deepEqual(await noIdentity(page, s), []);
  for (const r of page.requests.filter((x) => /audit\/search/.test(x.url))) {
    const json = JSON.parse(r.body);
    for (const c of json.changes ?? []) for (const i of c.items) for (const k of ['old', 'new', 'value']) assert.equal(i[k], undefined);
  }

  // the proof holds, without the campaign; a changed one does not
  const proof = join(s.dir, 'proof.json');
  await file.saveAs(proof);
  execFileSync(puan, ['ledger', 'prove', '--check', proof]);
  const json = JSON.parse(readFileSync(proof, 'utf8'));
  const entry = (await audit.get(`/audit/search?q=${household.q}&verb=return.correct`)).items[0];
  assert.equal(json.seq, entry.seq);
  assert.equal(json.digest, entry.digest);

  // the search stands in the ledger, and the ledger verifies
  const self = Number(/第([\d,]+)条/.exec(await page.innerText('[data-self]'))[1].replaceAll(',', ''));
  await page.context().close();
  const own = (await audit.get(`/audit/search?q=${encodeURIComponent(`#${self}`)}`)).items.find((e) => e.store === 'office');
  assert.equal(own.verb, 'ledger.search');
  assert.equal(own.subject, household.q);
  await s.halt();
  const verified = execFileSync(puan, ['ledger', 'verify', join(s.dir, 'census')], { encoding: 'utf8' });
  assert.match(verified, /校验通过/);
  measured('W5', { acts, seconds: Math.round(seconds * 10) / 10, characters: answer.length, chain: `${json.checked.from}-${json.checked.to}` });
});
