// 消息送达: a case tells a seat, its message goes out over a channel's program,
// fails in red, is sent again with one key and is answered from the duty desk;
// nothing of what was typed stands in it; its states.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axe, launch, open, serve, settled, shot, signIn, sleep, states } from './lib.mjs';

let s;
let b;
const path = '/office/messages';
before(async () => {
  s = await serve('mid');
  const program = join(s.dir, 'program');
  writeFileSync(program, `#!/bin/sh\ncat >>'${s.dir}/sent'\n[ ! -e '${s.dir}/down' ]\n`);
  chmodSync(program, 0o700);
  writeFileSync(
    join(s.dir, 'census/notify.yaml'),
    `office: https://census.example\nchannels:\n  mail: {zh: 电子邮件, en: Mail, command: [${program}], tries: 1, first: 1s, longest: 1s}\n`,
  );
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

async function until(what) {
  for (let i = 0; i < 200; i++) {
    if (await what()) return;
    await sleep(100);
  }
  throw new Error(`never came: ${what}`);
}

test('a message fails in sight, is sent again and answered', { timeout: 180000 }, async () => {
  const duty = s.api('duty-officer');
  const office = s.api('risk-office');
  const { area } = await duty.get('/session');
  writeFileSync(join(s.dir, 'down'), '');
  await office.post('/addresses', { area, channel: 'mail', role: 'duty-officer', address: 'duty@census.example' });
  const { id } = await duty.post('/cases', { area, flow: 'incident', fields: { class: 'technical', level: 'orange', title: 'MARKER' } });
  await until(async () => (await duty.get('/messages?state=failed')).items.some((m) => m.about === `cases/${id}` && m.deliveries[0].state === 'given-up'));
  const page = await open(b, { width: 1366, height: 650 });
  await signIn(page, s, 'duty-officer', path);
  assert.equal(await settled(page), 'ready');
  const row = page.locator('main tbody tr').filter({ has: page.locator(`a[href$="/cases/${id}"]`) }).first();
  assert.match(await row.innerText(), /【普安演练】/);
  assert.match(await row.locator('.hard').innerText(), /未送达/);
  await shot(page, 'office-messages');
  rmSync(join(s.dir, 'down'));
  await row.getByRole('button', { name: '重新发送' }).click();
  await until(async () => /已发出/.test(await row.innerText()));
  assert.ok(existsSync(join(s.dir, 'sent')));
  assert.ok(!/MARKER/.test(readFileSync(join(s.dir, 'sent'), 'utf8')));
  assert.ok(!/MARKER/.test(await page.innerText('main')));
  await duty.post(`/cases/${id}/take`, {});
  await page.reload();
  await settled(page);
  assert.doesNotMatch(await row.innerText(), /未签收/);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a seat is given an address on the page, and it is taken away again', { timeout: 180000 }, async () => {
  const page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'risk-office', path);
  await settled(page);
  await page.locator('[data-act=address]').click();
  await page.locator('[data-act=save]').click();
  await page.locator('dialog[open] [role=alert]').waitFor(); // nothing filled in
  await page.locator('[data-role]').selectOption('leading-group');
  await page.locator('dialog[open] input[maxlength]').fill('lead@census.example');
  await page.locator('[data-act=save]').click();
  const row = page.locator('[data-address]').filter({ hasText: '普查领导小组' });
  await row.waitFor();
  assert.match(await row.innerText(), /\*\*\*le/);
  assert.ok(!(await page.content()).includes('lead@census'), 'an address stands in the page');
  assert.deepEqual(await axe(page), []);
  await shot(page, 'office-addresses');
  await row.getByRole('button', { name: '删除地址' }).click();
  await page.locator('[data-act=remove]').click();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('its states', { timeout: 120000 }, async () => {
  const page = await open(b, { width: 390, height: 844, patience: 3000 });
  await signIn(page, s, 'duty-officer', path);
  await states(page, {
    url: s.url + path,
    api: /^\/api\/.*\/messages(\?|$)/,
    empty: (j) => ({ ...j, items: [], total: 0 }),
    filter: '?state=waiting',
    again: (p) => p.evaluate(() => dispatchEvent(new Event('online'))),
  });
  await page.context().close();
});
