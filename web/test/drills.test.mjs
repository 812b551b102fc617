// 演练: planned and started on the page by the seat that leads it, what the
// duty officer is told and confirms on the phone, the case it opens, the score
// by step, the end, an improvement as a task, the report in the register; a
// restore on a copy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, clock, launch, noIdentity, open, serve, settled, shot, signIn, sleep } from './lib.mjs';

let b;
let s;
before(async () => {
  b = await launch();
  s = await serve('mid');
  await clock(s, '2020-11-06T22:00:00+08:00');
});
after(async () => {
  await b?.close();
  await s?.stop();
});
const AREA = '370883';
const verdict = (page, id) => page.locator(`[data-expect="${id}"]`).getAttribute('data-verdict');

test('a drill is planned, played and reported on the page', async () => {
  const page = await open(b);
  await signIn(page, s, 'risk-office', '/office/drills');
  await settled(page);
  assert.match(await page.locator('.plans').innerText(), /从未演练/);
  await shot(page, 'drills-calendar');
  await page.locator('.plans > li', { hasText: '夜间汛情' }).getByRole('button', { name: '安排演练' }).click();
  await page.locator('dialog[open]').getByRole('button', { name: '安排演练' }).click();
  await page.locator('[data-drill-state="planned"]').waitFor();
  assert.equal(await page.locator('[data-drill]').count(), 0, 'no band before it starts');
  await page.getByRole('button', { name: '开始演练' }).click();
  await page.locator('[data-drill-state="running"]').waitFor();
  assert.ok((await page.title()).startsWith('【演练】'));
  assert.ok((await page.locator('[data-drill]').count()) >= 2);

  // the duty officer on the phone: one message, one key; nothing of what is to come
  const phone = await open(b, { phone: true });
  await signIn(phone, s, 'duty-officer', '/office/drills');
  await settled(phone);
  await phone.locator('[data-message="rain"]').waitFor();
  await shot(phone, 'drills-phone');
  assert.equal(await phone.locator('[data-expect]').count(), 0);
  await phone.locator('[data-message="rain"]').getByRole('button', { name: '收到' }).tap();
  await phone.locator('[data-message="rain"]').waitFor({ state: 'detached' });
  const id = Number(await page.evaluate(() => new URLSearchParams(location.search).get('drill')));
  const seen = await s.api('duty-officer').get(`/drills/${id}`);
  assert.equal(seen.all, false);
  assert.deepEqual(seen.injects.map((i) => i.id), ['rain']);
  assert.equal(seen.expects, undefined);

  const kase = seen.cases[0].id;
  assert.equal((await s.api('duty-officer').get(`/cases/${kase}`)).drill, true);
  await s.api('duty-officer').post(`/cases/${kase}/take`, {});
  await s.api('duty-officer').post(`/cases/${kase}/step`, { step: 'first_aid', fields: { measures: '通知乡级停止入户，人员上岸' } });
  await page.keyboard.press('r');
  await page.waitForFunction(() => document.querySelector('[data-expect="aid"]')?.getAttribute('data-verdict') === 'met', undefined, { timeout: 20000 });
  assert.equal(await verdict(page, 'heard'), 'met');
  assert.equal(await verdict(page, 'taken'), 'met');
  assert.equal(await verdict(page, 'report'), 'waiting');
  await page.locator('[data-expect="press"]').getByRole('button', { name: '达到', exact: true }).click();
  await shot(page, 'drills-running');
  assert.deepEqual(await axe(page), []);

  // others are not let in: not to start, not to tick
  await assert.rejects(s.api('duty-officer').post(`/drills/${id}/end`, {}));

  await clock(s, '2020-11-07T02:30:00+08:00');
  await page.locator('[data-drill-state="ended"]').waitFor({ timeout: 30000 });
  assert.equal(await page.locator('[data-drill]').count(), 0);
  assert.equal(await verdict(page, 'report'), 'missed');
  await assert.rejects(s.api('duty-officer').post(`/cases/${kase}/act`, { transition: 'report' }));

  await page.getByRole('button', { name: '提出改进' }).click();
  const form = page.locator('dialog[open]');
  await form.getByLabel('改进事项').fill('夜间值守上报不及时');
  await form.getByLabel('具体要求').fill('值班员熟悉八项内容，30分钟内完成首报');
  await form.getByLabel('完成期限').fill('2020-11-20');
  await form.getByRole('button', { name: '提出改进' }).click();
  await form.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: '提交报告' }).click();
  await page.locator('dialog[open]').getByLabel('演练小结').fill('接报和先期处置及时，上报不及时。');
  await page.locator('dialog[open]').getByRole('button', { name: '提交报告' }).click();
  await page.locator('[data-drill-state="reported"]').waitFor();
  await shot(page, 'drills-report');
  assert.deepEqual(await noIdentity(page, s), []);
  const sheets = await s.api('risk-office').get(`/cases?area=${AREA}&flow=drill_register`);
  assert.ok(sheets.items.some((x) => !x.ended));
  const tasks = await s.api('risk-office').get(`/cases?area=${AREA}&flow=drill_task`);
  assert.equal(tasks.items.length, 1);
});

test('a restore is drilled for real, on a copy', async () => {
  const api = s.api('risk-office');
  const { id } = await api.post('/drills', { area: AREA, drill: 'restore' });
  await api.post(`/drills/${id}/start`, {});
  let d;
  for (let i = 0; i < 120; i++) {
    d = await api.get(`/drills/${id}`);
    if (d.state !== 'running') break;
    await sleep(1000);
  }
  assert.equal(d.state, 'ended');
  assert.equal(d.result.points, 100, JSON.stringify(d.log));
  assert.equal(d.result.passed, true);
  const page = await open(b, { lang: 'en' });
  await signIn(page, s, 'risk-office', `/office/drills?drill=${id}`);
  await settled(page);
  await shot(page, 'drills-restore-en');
  assert.deepEqual(await axe(page), []);
});
