// 事项 list and case page, 发布 list and release page: every data state, both
// languages, desktop and phone; figures open their lists; keys; words typed
// survive; no person anywhere; axe.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, measured, noIdentity, open, serve, settled, shot, signIn, sleep, states } from './lib.mjs';

let s, b, incident;
before(async () => {
  s = await serve('mid');
  b = await launch();
  const made = await s.api('risk-office').post('/cases', {
    area: '370883', flow: 'incident', fields: { class: 'technical', level: 'yellow', title: '填报页面打开缓慢' },
  });
  incident = made.id;
  await s.api('duty-officer').post(`/cases/${incident}/take`);
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const none = (j) => ({ ...j, items: [], total: 0, counts: Object.fromEntries(Object.keys(j.counts ?? {}).map((k) => [k, 0])) });
const again = (page) => page.keyboard.press('KeyR');

for (const lang of ['zh', 'en']) {
  test(`every state of the list (${lang})`, async () => {
    const page = await open(b, { lang });
    await signIn(page, s, 'duty-officer', '/office/cases');
    const seen = await states(page, { url: `${s.url}/office/cases`, api: /\/cases\?/, empty: none, filter: '?mine=1', again });
    assert.equal(Object.keys(seen).length, 8);
    await page.goto(`${s.url}/office/cases`);
    assert.equal(await settled(page), 'ready');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await noIdentity(page, s), []);
    assert.deepEqual(page.faults, []);
    await shot(page, `cases-${lang}`);
    await page.context().close();
  });

  test(`every state of a case (${lang})`, async () => {
    const page = await open(b, { lang });
    await signIn(page, s, 'duty-officer', `/office/cases/${incident}`);
    await states(page, { url: `${s.url}/office/cases/${incident}`, api: /\/api\/.*\/cases\/\d+$/, again });
    await page.goto(`${s.url}/office/cases/${incident}`);
    assert.equal(await settled(page), 'ready');
    await page.locator('[data-flow] svg').waitFor();
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await noIdentity(page, s), []);
    assert.deepEqual(page.faults, []);
    if (lang === 'en') {
      // nothing Chinese but the plan's names and what was typed
      const text = await page.locator('main').innerText();
      const left = [...text.matchAll(/[\u4e00-\u9fff]+/g)].map((m) => m[0]).filter((x) => !['填报页面打开缓慢', '邹城市'].includes(x));
      assert.deepEqual(left, []);
    }
    await shot(page, `case-${lang}`);
    await page.context().close();
  });

  test(`every state of the releases (${lang})`, async () => {
    const page = await open(b, { lang });
    await signIn(page, s, 'county-general', '/office/releases');
    const seen = await states(page, {
      url: `${s.url}/office/releases`, api: /\/cases\?flow=release/, empty: none, filter: '?state=draft',
      only: ['not-loaded', 'offline', 'refused', 'empty', 'filtered'], again,
    });
    assert.equal(seen.filtered, 'filtered');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('a figure opens the list it counts', async () => {
  const page = await open(b);
  await signIn(page, s, 'duty-officer', '/office/cases');
  await settled(page);
  const buttons = page.locator('nav.filters button[aria-pressed]');
  let opened = 0;
  for (const g of ['overdue', 'soon', 'today', 'later', 'others']) {
    await page.goto(`${s.url}/office/cases`);
    await settled(page);
    const words = { overdue: '逾时', soon: '2小时内', today: '今日', later: '今日以后', others: '等别人' }[g];
    const button = buttons.filter({ hasText: new RegExp(`^\\s*${words} [\\d,]+\\s*$`) });
    const n = Number((await button.innerText()).split(' ').pop().replace(/,/g, ''));
    await button.click();
    await page.waitForURL(`**group=${g}`);
    await settled(page);
    assert.equal(await page.locator('main a.line').count(), n, g);
    opened++;
  }
  measured('cases', { figures: opened });
  await page.context().close();
});

test('by keyboard: to a case, its step, done; what was typed survives a crash', async () => {
  const page = await open(b);
  await signIn(page, s, 'duty-officer', '/office/cases');
  await settled(page);
  await page.evaluate(() => addEventListener('pointerdown', () => (globalThis.pointed = true), true));
  await page.keyboard.press('KeyJ');
  for (let i = 0; i < 20; i++) {
    if ((await page.evaluate(() => document.activeElement?.getAttribute('data-case'))) === String(incident)) break;
    await page.keyboard.press('KeyJ');
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/cases/${incident}`);
  await settled(page);
  const act = page.locator('[data-act="now"]');
  await act.focus();
  await page.keyboard.press('Enter');
  const words = '已通知乡级暂缓催办，草稿自动保存';
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  await page.keyboard.insertText(words);
  await sleep(50);
  // killed: another page of the same browser, as after a crash
  const context = page.context();
  await page.close({ runBeforeUnload: false });
  const back = await context.newPage();
  await back.goto(`${s.url}/office/cases/${incident}`);
  await settled(back);
  await back.locator('[data-act="now"]').focus();
  await back.keyboard.press('Enter');
  await back.locator('dialog[open] textarea').waitFor();
  assert.equal(await back.locator('dialog[open] textarea').inputValue(), words);
  await back.locator('dialog[open] [data-act="send"]').focus();
  await back.keyboard.press('Enter');
  await back.locator('[data-step="first_aid"][data-step-state="done"]').waitFor();
  const v = await s.api('duty-officer').get(`/cases/${incident}`);
  assert.equal(v.fields.find((f) => f.id === 'measures').value, words);
  // done: the kept words are gone
  assert.equal(await back.evaluate(() => Object.keys(localStorage).filter((k) => k.startsWith('puan.case.')).length), 0);
  await context.close();
});

test('locked steps and acts say whose order and which approval is missing', async () => {
  const page = await open(b);
  await signIn(page, s, 'risk-office', `/office/cases/${incident}`);
  await settled(page);
  assert.match(await page.locator('[data-step="other_channel"]').innerText(), /到时自动开放/);
  await s.api('duty-officer').post(`/cases/${incident}/act`, {
    transition: 'report',
    fields: { happened: '2020-11-05T18:00:00+08:00', place: '机房', cause: '待查', details: '页面慢', loss: '无', scope: 'one_city', trend: '缓解', measures: '已告知', way: 'phone' },
  });
  await s.api('risk-office').post(`/cases/${incident}/act`, { transition: 'inform' });
  await page.waitForFunction(() => /缺少批准：启动批准/.test(document.querySelector('main')?.textContent ?? ''), undefined, { timeout: 15000 });
  await s.api('risk-office').post(`/cases/${incident}/ask`, { approval: 'start' });
  await page.context().close();

  // the signing panel covers what the approval covers and is never one key
  const lead = await open(b);
  await signIn(lead, s, 'leading-group', `/office/cases/${incident}`);
  await settled(lead);
  assert.match(await lead.locator('[data-now]').innerText(), /启动批准/);
  await lead.locator('[data-act="now"]').click();
  const panel = lead.locator('[data-sign]');
  await panel.waitFor();
  const v = await s.api('leading-group').get(`/cases/${incident}`);
  const shown = await panel.locator('tr[data-field]').evaluateAll((rows) => rows.map((r) => r.getAttribute('data-field')));
  assert.deepEqual(shown, v.approvals.find((a) => a.id === 'start').covers);
  assert.deepEqual(await axe(lead), []);
  await lead.keyboard.press('Enter');
  await sleep(300);
  assert.equal((await s.api('leading-group').get(`/cases/${incident}`)).approvals.find((a) => a.id === 'start').state, 'asked');
  if (!(await panel.isVisible())) await lead.locator('[data-act="now"]').click();
  await lead.locator('[data-act="sign"]').click();
  await lead.waitForFunction(() => !document.querySelector('dialog[open] [data-sign]'), undefined, { timeout: 10000 });
  assert.equal((await s.api('leading-group').get(`/cases/${incident}`)).approvals.find((a) => a.id === 'start').state, 'granted');
  await shot(lead, 'case-signed');
  await lead.context().close();
});

test('an approval of two seats waits for the other one', async () => {
  const risk = s.api('risk-office');
  const lead = s.api('leading-group');
  await lead.post(`/cases/${incident}/act`, { transition: 'start' });
  await risk.post(`/cases/${incident}/ask`, { approval: 'unplanned', fields: { fix_text: '每分钟放行600户' } });
  const digest = (await lead.get(`/cases/${incident}`)).sign.unplanned;
  await s.api('expert').post(`/cases/${incident}/sign`, { approval: 'unplanned', yes: true, digest });
  const before = (await lead.get(`/cases/${incident}`)).approvals.find((a) => a.id === 'unplanned');
  assert.equal(before.signatures.length, 1);
  assert.equal(before.may_sign, true);
  const page = await open(b);
  await signIn(page, s, 'expert', `/office/cases/${incident}`);
  await settled(page);
  assert.match(await page.locator('[data-approval="unplanned"]').innerText(), /领导小组/);
  await page.context().close();
});

test('a report from the public: seen by its seats, sealed for others', async () => {
  const words = '有人上门收费二十元登记工本费';
  await s.api(null).post('/public/reports', { kind: 'fee', text: words, contact: '住在三号楼' });
  const law = await s.api('enforcement').get('/cases?flow=violation');
  const mine = law.items[law.items.length - 1] ?? law.items[0];
  assert.ok(mine);
  for (const [role, sees] of [['enforcement', true], ['duty-officer', false]]) {
    const page = await open(b);
    await signIn(page, s, role, '/office/cases');
    await settled(page);
    const rows = page.requests.filter((r) => /\/cases\?/.test(r.url)).map((r) => r.body).join('');
    assert.ok(!rows.includes(words) && !rows.includes('三号楼'), 'a list holds sealed words');
    const id = law.items.find((i) => i.state === 'received')?.id ?? mine.id;
    await page.goto(`${s.url}/office/cases/${id}`);
    await settled(page);
    const text = await page.locator('main').innerText();
    if (!sees) assert.match(text, /封存，本岗位不可见/);
    assert.equal(page.requests.some((r) => r.url.endsWith(`/cases/${id}`) && r.body.includes('二十元')), sees);
    assert.deepEqual(await axe(page), []);
    await page.context().close();
  }
  await assert.rejects(s.api('township-office').get(`/cases/${mine.id}`), { status: 404 });
});

test('on a phone, light and dark: nothing sideways, the act in the lower part', async () => {
  for (const dark of [false, true]) {
    const page = await open(b, { phone: true, dark });
    await signIn(page, s, 'duty-officer', '/office/cases');
    await settled(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    const report = await page.locator('[data-act="report"]').boundingBox();
    assert.ok(report.y > 640 * 0.6 && report.height >= 48);
    await shot(page, `cases-phone${dark ? '-dark' : ''}`);
    await page.goto(`${s.url}/office/cases/${incident}`);
    await settled(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await shot(page, `case-phone${dark ? '-dark' : ''}`);
    assert.deepEqual(await axe(page), []);
    await page.context().close();
  }
});
