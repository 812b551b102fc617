// The pages of cases and duty as their users meet them, in the middle of an
// evening with something on each of them: Chinese and English, a desk and a
// phone.  Each of the four is looked at by axe, may not be pushed sideways,
// names people as the office writes them and leaves no Chinese in English but
// what people typed.  PUAN_SHOTS takes the pictures.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accountOf, axe, clock, launch, noIdentity, open, serve, settled, shot, signIn, sleep } from './lib.mjs';

const AREA = '370883';
const sizes = { desk: { width: 1366, height: 768 }, phone: { width: 390, height: 844, phone: true } };
const only = process.env.PUAN_LOOKS?.split(',');
let s, b, incident, drill;
const typed = []; // words of the scene, in Chinese on an English page too

const say = (text) => {
  typed.push(text);
  return text;
};
const post = (role, path, body) => s.api(role).post(path, body);
const paper = async (role) => [{ kind: 'slip', digest: (await post(role, '/evidence', { slip: 'slip' })).digest }];

before(async () => {
  s = await serve('mid', { now: '2020-11-05T20:10:00+08:00' });
  b = await launch();
  await accountOf(s, 'city-office', '3708');
  for (const [role, code] of [['county-business', '370883'], ['city-office', '3708'], ['province-office', '37']])
    typed.push((await s.api(role).get('/session')).area_zh ?? code);
  const program = join(s.dir, 'program');
  writeFileSync(program, '#!/bin/sh\ncat >/dev/null\n');
  chmodSync(program, 0o700);
  writeFileSync(
    join(s.dir, 'census/notify.yaml'),
    `office: https://census.example\nchannels:\n  mail: {zh: 电子邮件, en: Mail, command: [${program}], tries: 1}\n  sms: {zh: 短信, en: SMS, command: [/bin/false], tries: 1, first: 1s}\n`,
  );
  for (const [channel, address] of [['mail', 'duty@census.example'], ['sms', '00000']])
    await post('risk-office', '/addresses', { area: AREA, channel, role: 'duty-officer', address });

  // the roster: day shifts held, the rest of the day a gap; a test call waits
  const duty = (await s.api('duty-officer').get('/session')).name;
  const roster = await s.api('risk-office').get(`/duty?area=${AREA}`);
  await post('risk-office', '/duty/rotation', { area: AREA, post: roster.posts[0].id, shift: roster.shifts[0].id, from: '2020-11-05', until: '2020-11-20', turn: 1, people: [duty] });
  await post('risk-office', '/duty/cover', { area: AREA, post: roster.posts[0].id, from: '2020-11-05T20:00:00+08:00', until: '2020-11-06T08:00:00+08:00', who: duty });
  await post('risk-office', '/duty/contact', { area: AREA, who: duty, text: say('三楼值班室座机') });
  await post('duty-officer', '/duty/log', { area: AREA, text: say('三个乡镇反映直报系统无法登录，已请其电话续报'), who: say('乡级普查机构'), from: '2020-11-05T20:05:00+08:00' });
  await post('risk-office', '/duty/call', { area: AREA, text: say('汛情会商，请到值班室') });

  // an incident under way, another one waiting, one that asks for a signature
  const fields = { happened: '2020-11-05T18:00:00+08:00', place: say('机房'), cause: say('待查'), details: say('页面打开缓慢'), loss: say('无'), scope: 'one_city', trend: say('缓解'), measures: say('已告知乡级机构'), way: 'phone' };
  incident = (await post('risk-office', '/cases', { area: AREA, flow: 'incident', fields: { class: 'technical', level: 'yellow', title: say('填报页面打开缓慢') } })).id;
  await post('duty-officer', `/cases/${incident}/take`);
  await post('duty-officer', `/cases/${incident}/step`, { step: 'first_aid', fields: { measures: say('已通知乡级暂缓催办') } });
  await post('duty-officer', `/cases/${incident}/act`, { transition: 'report', fields });
  await post('risk-office', `/cases/${incident}/act`, { transition: 'inform' });
  await post('risk-office', `/cases/${incident}/ask`, { approval: 'start' });
  await post('risk-office', '/cases', { area: AREA, flow: 'incident', fields: { class: 'disaster', level: 'orange', title: say('河水上涨') } });

  for (const [item, act, amount] of [['手持终端', 'receive', 130], ['手持终端', 'issue', 96], ['宣传海报', 'receive', 4000]]) {
    const made = await post('records-desk', '/cases', { area: AREA, flow: 'goods', fields: { item: say(item), stage: 'listing', standard: 100 } });
    await post('records-desk', `/cases/${made.id}/act`, { transition: act, fields: { amount, party: say('市级') }, evidence: await paper('records-desk') });
  }
  await post('records-desk', '/cases', { area: AREA, flow: 'secret_custody', fields: { carrier: 'U-07', kind: 'device', label: 'secret' } });

  const night = (await s.api('risk-office').get(`/drills?area=${AREA}`)).plans?.find((p) => /night|flood|rain/.test(p.drill ?? p.id))?.drill ?? 'night_flood';
  drill = (await post('risk-office', '/drills', { area: AREA, drill: night }).catch((e) => console.log(e.message)))?.id;
  if (drill) await post('risk-office', `/drills/${drill}/start`);
  await sleep(2500); // messages go out, a monitor reads its metrics
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const views = [
  ['cases', 'duty-officer', () => '/office/cases'],
  ['cases-desk', 'duty-officer', () => '/office/cases', async (page) => {
    const rest = page.locator('[data-act=rest]');
    if (await rest.isVisible()) await rest.click();
    await page.locator('[data-desk] summary').click();
  }],
  ['case', 'risk-office', () => `/office/cases/${incident}`],
  ['library', 'duty-officer', () => '/office/library'],
  ['library-flow', 'duty-officer', () => '/office/library?flow=incident'],
  ['roster', 'risk-office', () => '/office/roster'],
  ['risks', 'risk-office', () => '/office/risks'],
  ['assessment', 'city-office', () => '/office/assessment'],
  ['assessment-group', 'assess-business', () => '/office/assessment'],
  ['drills', 'duty-officer', () => '/office/drills'],
  ['drill', 'risk-office', () => `/office/drills?drill=${drill}`],
  ['clauses', 'risk-office', () => '/office/clauses'],
  ['registers', 'records-desk', () => '/office/registers'],
  ['registers-goods', 'records-desk', () => '/office/registers?book=goods'],
  ['messages', 'risk-office', () => '/office/messages'],
];

const signed = new Map();
/** A page of the seat in that language: signed in once. */
async function at(role, lang, size) {
  if (!signed.has(role)) {
    const page = await open(b);
    await signIn(page, s, role, '/office');
    signed.set(role, await page.context().storageState());
    await page.context().close();
  }
  const state = structuredClone(signed.get(role));
  for (const o of state.origins) for (const x of o.localStorage) if (x.name === 'puan.lang') x.value = lang;
  return open(b, { ...sizes[size], lang, state });
}

for (const [name, role, path, then] of views.filter((v) => !only || only.includes(v[0])))
  test(name, { timeout: 180000 }, async () => {
    const wrong = [];
    for (const lang of ['zh', 'en'])
      for (const size of Object.keys(sizes)) {
        const page = await at(role, lang, size);
        const bad = (what) => wrong.push(`${lang} ${size}: ${what}`);
        await page.goto(s.url + path());
        const state = await settled(page);
        if (!['ready', 'partial'].includes(state)) bad(`data-state ${state}`);
        await page.waitForLoadState('networkidle').catch(() => undefined);
        if (then) await then(page);
        await page.waitForTimeout(300);
        for (const f of await axe(page)) bad(f);
        const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth);
        if (over > 0) bad(`${over} px sideways`);
        const text = await page.innerText('body');
        for (const m of text.matchAll(/\b[a-z]+(-[a-z]+)*\.\d{2,}\b/g)) bad(`an account for a name: ${m[0]}`);
        if (lang === 'en') {
          // names are what they are, and what people typed is theirs
          let left = text.replace(/\p{Script=Han}某[甲乙丙丁]?/gu, '');
          for (const x of [...typed].sort((p, q) => q.length - p.length)) left = left.replaceAll(x, '');
          for (const m of left.matchAll(/[^\n]*[\u4e00-\u9fff][^\n]*/g)) if (!['中文', '11月5日24时前可以自主填报', '普查登记不收取任何费用'].includes(m[0].trim())) bad(`Chinese: ${m[0].trim().slice(0, 60)}`);
        }
        for (const who of await noIdentity(page, s)) bad(`identity ${who}`);
        for (const f of page.faults) bad(f);
        if (process.env.PUAN_SHOTS) {
          await shot(page, `${name}-${lang}-${size}`);
          const { height } = await page.evaluate(() => ({ height: document.scrollingElement.scrollHeight }));
          if (height > sizes[size].height * 1.3) {
            await page.setViewportSize({ width: sizes[size].width, height: Math.min(height + 40, 3000) });
            await page.waitForTimeout(200);
            await shot(page, `${name}-${lang}-${size}-whole`);
          }
        }
        await page.context().close();
      }
    assert.deepEqual([...new Set(wrong)], []);
  });
