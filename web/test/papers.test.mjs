// 公文: the dialog says what a paper lacks, gives a draft then, a numbered
// paper when nothing lacks; both languages, desk and phone; axe finds nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axe, launch, open, serve, settled, shot, signIn } from './lib.mjs';

let s, b, id;
before(async () => {
  s = await serve('mid');
  b = await launch();
  const api = s.api('duty-officer');
  const made = await api.post('/cases', { area: '370883', flow: 'incident', fields: { class: 'technical', title: '直报系统中断' } });
  id = made.id;
});
after(async () => {
  await b?.close();
  await s?.stop();
});

async function dialog(page, path) {
  await page.goto(`${s.url}${path}`);
  await settled(page);
  await page.click('[data-papers]');
  await page.waitForSelector('[data-paper]');
}

async function fetched(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

for (const [width, height, lang] of [[1366, 768, 'zh'], [390, 844, 'zh'], [1366, 768, 'en'], [390, 844, 'en']])
  test(`the dialog at ${width} in ${lang}`, async () => {
    const page = await open(b, { width, height, lang, phone: width < 600 });
    await signIn(page, s, 'duty-officer', `/office/cases/${id}`);
    await dialog(page, `/office/cases/${id}`);
    const row = page.locator('[data-paper=incident_report]');
    assert.match(await row.innerText(), lang === 'zh' ? /还需填写：.*损失/ : /Still to be filled in: .*Loss/);
    await shot(page, `papers-${lang}-${width}`);
    const found = await axe(page);
    assert.deepEqual(found.filter((v) => ['serious', 'critical'].includes(v.impact)), []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide}px too wide`);
    await page.context().close();
  });

test('a draft while contents lack, a numbered paper afterwards', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'duty-officer', `/office/cases/${id}`);
  await dialog(page, `/office/cases/${id}`);
  const press = () => page.locator('[data-paper=incident_report] button').last().click();
  const draft = await fetched(page, press);
  assert.equal(draft.bytes.subarray(0, 5).toString(), '%PDF-');
  assert.match(draft.name, /草稿.*突发事件信息报告.*\.pdf$/);
  await s.api('duty-officer').post(`/cases/${id}/act`, {
    transition: 'report',
    fields: { happened: '2020-11-02T07:30:00+08:00', place: '甲', cause: '断电', details: '停报', loss: '无', scope: 'wider', trend: '可控', measures: '改道', way: 'phone' },
  });
  await dialog(page, `/office/cases/${id}`);
  const whole = await fetched(page, press);
  assert.match(whole.name, /^突发事件信息报告/);
  await page.waitForFunction(() => /第\d+号/.test(document.querySelector('[data-paper=incident_report]')?.innerText ?? ''));
  const { items } = await s.api('duty-officer').get('/papers/register');
  assert.deepEqual(items.filter((x) => x.about === `case/${id}`).map((x) => x.number), [0, 1]);
  const sheet = await fetched(page, () => page.locator('[data-paper=incident_log] button').first().click());
  assert.equal(sheet.bytes.subarray(0, 2).toString(), 'PK');
  await page.context().close();
});

test('the progress page gives the brief of the day', async () => {
  const page = await open(b, {});
  await signIn(page, s, 'county-business', '/office/progress');
  await dialog(page, '/office/progress');
  const file = await fetched(page, () => page.locator('[data-paper=daily_brief] button').last().click());
  assert.equal(file.bytes.subarray(0, 5).toString(), '%PDF-');
  await shot(page, 'papers-progress');
  await page.context().close();
});
