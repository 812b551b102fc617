// The helpdesk from its three sides: somebody who asks without an account, the
// desk that answers and looks up a household without seeing an answer of it, an
// enumerator who asks without a network.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { campaign as ownCampaign, enter, phone as ownPhone } from './field_kit.mjs';
import { axe, code as oneTimeCode, launch, noIdentity, open, serve, settled, shot, signIn } from './lib.mjs';

let s;
let b;
before(async () => {
  s = await serve('mid');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const words = { zh: { find: '密码忘了', known: 'code-lost' }, en: { find: 'forgot password', known: 'code-lost' } };

for (const lang of ['zh', 'en'])
  test(`somebody finds an answer, asks, and reads what was answered (${lang})`, { timeout: 120000 }, async () => {
    const page = await open(b, { width: 390, height: 844, lang });
    await page.goto(`${s.url}/help`);
    assert.equal(await settled(page), 'ready');
    assert.ok((await page.locator('details').count()) >= 10);
    // what is for staff is not here
    assert.equal(await page.locator('#help-no-network, #help-call-basics').count(), 0);
    assert.deepEqual(await axe(page), []);
    await shot(page, `help-${lang}-phone`);
    await page.fill('input[type=search]', words[lang].find);
    assert.equal(await page.locator('details').first().getAttribute('id'), `help-${words[lang].known}`);
    await page.fill('input[type=search]', 'zzzz');
    await page.locator('[data-none]').waitFor();
    await page.fill('input[type=search]', words[lang].find);
    await page.locator('details').first().locator('summary').click();
    await page.locator('details[open] .go a').last().click();
    await page.waitForURL('**/help/ask?kind=online');
    await settled(page);
    assert.ok(await page.isChecked('#kind-online'));
    await page.click('[data-primary]');
    await page.locator('.summary').waitFor();
    assert.ok((await page.locator('.summary li').count()) >= 1);
    await page.fill('#text', '换了手机，登录不了 ASKMARK');
    if (await page.locator('#area').count()) await page.selectOption('#area', '370883');
    assert.deepEqual(await axe(page), []);
    await shot(page, `help-ask-${lang}-phone`);
    await page.click('[data-primary]');
    await page.locator('[data-receipt]').waitFor();
    const number = (await page.locator('.number').innerText()).trim();
    assert.match(number, /^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}$/);
    assert.ok((await wide(page)) <= 0);
    await shot(page, `help-receipt-${lang}-phone`);

    // the desk reads it and answers
    const desk = s.api('helpdesk');
    const { items } = await desk.get('/cases?flow=ticket&open=true&limit=100');
    let mine;
    for (const x of items) {
      const one = await desk.get(`/cases/${x.id}`);
      if (one.fields.some((f) => f.id === 'question' && f.value?.includes('ASKMARK')) && one.fields.every((f) => f.id !== 'reply' || !f.set)) mine = one;
    }
    assert.ok(mine, 'the desk has the ticket');
    await desk.post(`/cases/${mine.id}/act`, { transition: 'answer', fields: { reply: `在首页输入新账号 REPLY-${lang}` } });

    await page.goto(`${s.url}/help/follow`);
    await page.fill('#receipt', number.toLowerCase().replace(/-/g, ' '));
    await page.click('[data-primary]');
    await page.locator('[data-answer]', { hasText: `REPLY-${lang}` }).waitFor();
    assert.ok(!(await page.content()).includes('ASKMARK'));
    assert.deepEqual(await axe(page), []);
    await shot(page, `help-answer-${lang}-phone`);
    await page.fill('#receipt', '2222 2222 2223');
    await page.click('[data-primary]');
    await page.locator('#receipt-wrong').waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

for (const [lang, width, height] of [['zh', 1366, 768], ['en', 1366, 768], ['zh', 390, 844], ['en', 390, 844]])
  test(`the desk looks up a household and enters a ticket (${lang}, ${width})`, { timeout: 120000 }, async () => {
    const county = s.api('county-business');
    const { items } = await county.get('/review?area=370883');
    const household = String(items[0].household);
    const page = await open(b, { width, height, lang });
    await signIn(page, s, 'helpdesk', '/office/helpdesk');
    assert.ok(['ready', 'empty'].includes(await settled(page)));
    await page.locator('#help-call-basics').waitFor();
    // an access code is not taken, and does not stay on the screen
    await page.fill('#household', '7H3K 92QF M4WT 7H3K');
    await page.selectOption('#purpose', 'online');
    await page.click('form.find button[type=submit]');
    await page.locator('#household-wrong').waitFor();
    assert.equal(await page.inputValue('#household'), '');
    await page.fill('#household', household.replace(/(\d{3})/g, '$1 '));
    const looked = page.waitForResponse((r) => r.url().includes('/calldesk/'));
    await page.click('form.find button[type=submit]');
    const answer = await (await looked).text();
    await page.locator('[data-look]').waitFor();
    assert.ok((await page.locator('[data-far]').innerText()).length > 2);
    assert.deepEqual(await noIdentity(page, s), []);
    assert.ok(answer.includes('"state"') && !/"(answers|person|persons|findings|hard|soft|digest|draft_key|counts)"/.test(answer), answer);
    assert.deepEqual(await axe(page), []);
    assert.ok((await wide(page)) <= 0);
    await shot(page, `helpdesk-${lang}-${width}`);
    // a number that is nobody's
    await page.locator('[data-look] button').click();
    await page.fill('#ticket-title', `登录不了 ${lang} ${width}`);
    await shot(page, `helpdesk-ticket-${lang}-${width}`);
    assert.deepEqual(await axe(page), []);
    await page.locator('dialog[open] [data-primary], [role=dialog] [data-primary]').last().click();
    await page.locator('.told').waitFor();
    await page.locator('main', { hasText: `登录不了 ${lang} ${width}` }).waitFor();
    const desk = s.api('helpdesk');
    const all = (await desk.get('/cases?flow=ticket&open=true&limit=100')).items;
    const made = all.find((x) => x.title_zh === `登录不了 ${lang} ${width}`);
    assert.ok(made);
    const one = await desk.get(`/cases/${made.id}`);
    assert.equal(one.fields.find((f) => f.id === 'household')?.value, household);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

test('an enumerator asks without a network; the question goes, the answer comes', { timeout: 240000 }, async (t) => {
  const c = await ownCampaign({ n: 1 });
  const profile = mkdtempSync(join(tmpdir(), 'puan-help-'));
  const p = await ownPhone({ profile, height: 844, width: 390 });
  t.after(async () => {
    await p.context.close().catch(() => undefined);
    rmSync(profile, { recursive: true, force: true });
    await c.end();
  });
  const { page } = p;
  await enter(page, c);
  await page.locator('nav.places a').last().tap();
  await page.locator('a.help').tap();
  await page.locator('main[data-state=ready] #help-no-network').waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, 'field-help');
  await c.halt();
  await page.locator('input[type=search]').fill('没有信号');
  assert.equal(await page.locator('details').first().getAttribute('id'), 'help-no-network');
  await page.locator('label.option', { hasText: '采集设备' }).tap();
  await page.fill('#question', '上传一直停在一半 ASKMARK');
  await page.locator('[data-primary]').tap();
  await page.locator('[data-asked=waiting]', { hasText: 'ASKMARK' }).waitFor();
  await c.start(new URL(c.url).port);
  await page.locator('[data-asked=sent]').waitFor({ timeout: 90000 });
  await shot(page, 'field-help-sent');

  // the desk of the township answers
  const a = await c.call('POST', '/accounts', await c.as('system-admin'), { name: 'rexian', person: 'rexian' });
  const seat = await c.call('POST', '/seats', await c.as('security-admin'), { account: 'rexian', role: 'helpdesk', area: '370883002' });
  assert.equal(seat.status, 201, JSON.stringify(seat.body));
  const otp = a.body.otp ?? a.body.totp;
  const { body: desk } = await c.call('POST', '/login', null, { name: 'rexian', secret: a.body.secret, ...(otp ? { code: await oneTimeCode(otp) } : {}) });
  const list = await c.call('GET', '/cases?flow=ticket&open=true', desk.token);
  const id = list.body.items[0].id;
  const one = await c.call('GET', `/cases/${id}`, desk.token);
  assert.ok(JSON.stringify(one.body).includes('ASKMARK') && JSON.stringify(one.body).includes('"e1"'));
  const done = await c.call('POST', `/cases/${id}/act`, desk.token, { transition: 'answer', fields: { reply: '换到空旷处再传 REPLYMARK' } });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('[data-asked=answered]', { hasText: 'REPLYMARK' }).waitFor({ timeout: 60000 });
  assert.deepEqual(await axe(page), []);
  await shot(page, 'field-help-answered');
});
