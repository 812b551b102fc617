// 值班表 and the head of the duty desk: drawn up, a gap hatched and named,
// filled; a call answered; the log handed on and the change of duty; every
// data state, both languages, desktop and phone; axe.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, open, serve, settled, shot, signIn, states } from './lib.mjs';

let s, b, office, duty, me;
const AREA = '370883';
before(async () => {
  s = await serve('mid');
  b = await launch();
  office = s.api('risk-office');
  duty = s.api('duty-officer');
  me = (await duty.get('/session')).name;
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('an office that never drew one up says so', async () => {
  const page = await open(b, { lang: 'zh' });
  await signIn(page, s, 'risk-office', '/office/roster');
  await page.goto(`${s.url}/office/roster?area=${AREA}`);
  assert.equal(await settled(page), 'ready');
  await page.getByText('还没有编制值班表').waitFor();
  await page.locator('[data-act=draw]').click();
  await page.getByRole('button', { name: /编制班次/ }).first().waitFor();
  await page.locator('dialog fieldset button').first().click();
  await page.locator('[data-act=send]').click();
  await page.locator('[role=cell] .held').first().waitFor();
  // the night has nobody: hatched, and the head says how long
  await page.locator('[role=cell] .gap').first().waitFor();
  assert.match(await page.locator('.sum').innerText(), /空岗3天12小时|空岗\d/);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'roster-gap-zh');
  await page.context().close();
});

test('a gap is filled from its cell', async () => {
  const now = (await office.get(`/duty?area=${AREA}`)).as_of;
  const page = await open(b, { lang: 'zh' });
  await signIn(page, s, 'risk-office', '/office/roster');
  assert.equal(await settled(page), 'ready');
  const before = (await office.get(`/duty?area=${AREA}`)).gap_minutes;
  await page.locator('[role=cell] button.gap').first().click();
  await page.getByRole('button', { name: '补岗' }).first().click();
  await page.locator('[data-who]').selectOption(me);
  await page.locator('[data-act=send]').click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' }).catch(() => undefined);
  const after = (await office.get(`/duty?area=${AREA}`)).gap_minutes;
  assert.ok(after < before, `${before} -> ${after} at ${now}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a test call is answered by the one who is called', async () => {
  await office.post('/duty/test', { area: AREA });
  const page = await open(b, { width: 390, height: 844, lang: 'zh' });
  await signIn(page, s, 'duty-officer', '/office/roster');
  assert.equal(await settled(page), 'ready');
  await page.locator('[data-reach=calling]').getByRole('button', { name: '我已收到' }).click();
  await page.locator('[data-reach=no-number]').waitFor();
  await page.getByRole('button', { name: '改联系方式' }).click();
  await page.locator('dialog input').fill('三楼值班室座机');
  await page.locator('[data-act=send]').click();
  await page.locator('[data-reach=reached]').waitFor();
  await page.getByText('变动：已报上级').waitFor();
  assert.deepEqual(await axe(page), []);
  const m = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(m[0] <= m[1], `${m}`);
  await shot(page, 'roster-phone-zh');
  await page.context().close();
});

test('the duty desk: a line is handed on only when it is complete; two sign the change', async () => {
  const page = await open(b, { lang: 'zh' });
  await signIn(page, s, 'duty-officer', '/office/cases');
  assert.equal(await settled(page), 'ready');
  const desk = page.locator('[data-desk]');
  await desk.locator('summary').click();
  const on = (await duty.get(`/duty/desk?area=${AREA}`)).on_duty;
  assert.equal(on, true);
  await desk.locator('[data-log] textarea').fill('三个乡镇反映直报系统无法登录');
  await desk.locator('[data-act=log]').click();
  await desk.locator('[data-line]').first().waitFor();
  await desk.locator('[data-line] select').first().selectOption('technical');
  await desk.locator('[data-act=pass]').first().click();
  await desk.getByText('记事缺接报时间').waitFor();
  await desk.locator('[data-log] textarea').fill('三个乡镇反映直报系统无法登录，已请其电话续报');
  await desk.locator('[data-log] input').first().fill('乡级普查机构');
  const now = (await duty.get(`/duty/desk?area=${AREA}`)).as_of;
  await desk.locator('[data-log] input[type=datetime-local]').fill(now.slice(0, 16));
  await desk.locator('[data-act=log]').click();
  await desk.locator('[data-line]').nth(1).waitFor();
  await desk.locator('[data-line] select').first().selectOption('technical');
  await desk.locator('[data-act=pass]').first().click();
  await desk.getByText(/转安全保障组：已转办/).waitFor();
  await desk.locator('textarea').last().fill('未了：直报系统登录故障，待安全保障组回复；电话正常');
  await desk.locator('[data-act=offer]').click();
  await desk.locator('[data-offer]').waitFor();
  const offer = (await duty.get(`/duty/desk?area=${AREA}`)).offer;
  assert.equal(offer.digest.length, 64);
  // who hands over cannot take over
  await assert.rejects(duty.post('/duty/relieve', { area: AREA, of: offer.id, digest: offer.digest }), { status: 403 });
  assert.deepEqual(await axe(page), []);
  await shot(page, 'duty-desk-zh');
  await page.context().close();
});

for (const lang of ['zh', 'en'])
  test(`every state of the roster (${lang})`, async () => {
    const page = await open(b, { lang });
    await signIn(page, s, 'risk-office', '/office/roster');
    await states(page, { url: `${s.url}/office/roster`, api: /\/duty\?/, again: (p) => p.keyboard.press('KeyR') });
    await page.goto(`${s.url}/office/roster`);
    assert.equal(await settled(page), 'ready');
    assert.deepEqual(await axe(page), []);
    if (lang === 'en') {
      const text = await page.locator('main').innerText();
      const left = [...text.matchAll(/[\u4e00-\u9fff]+/g)].map((m) => m[0]).filter((x) => !/^(三楼值班室座机|邹城市|值班员|\p{Script=Han}某[甲乙丙丁]?$)/u.test(x));
      assert.deepEqual(left, []);
    }
    await shot(page, `roster-${lang}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await shot(page, `roster-phone-${lang}`);
    await page.context().close();
  });
