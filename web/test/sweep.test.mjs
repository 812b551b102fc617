// Every page of every face, one after the other: axe, data-state, title, one
// primary act, first row in sight, both languages, phone width, no fault of
// the console, no other host, nobody's name.  Pages register themselves, so a
// new one is swept without a word here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, noIdentity, open, serve, settled, signIn } from './lib.mjs';
import { addressOf, officePages, publicPages, seatOf, stageOf } from './pages.mjs';

const stages = {};
const contexts = new Map();
let b;
before(async () => {
  b = await launch();
});
after(async () => {
  await b?.close();
  for (const s of Object.values(stages)) await s.stop();
});

const stage = async (name) => (stages[name] ??= await serve(name));

/** A page of the seat's own context: signed in once. */
async function at(s, name, role, path, options = {}) {
  const key = `${name} ${role} ${JSON.stringify(options)}`;
  if (!contexts.has(key)) {
    const signed = contexts.get(`${name} ${role}`);
    const page = await open(b, { ...options, state: signed });
    page.hosts = new Set();
    page.on('request', (r) => page.hosts.add(new URL(r.url()).host));
    if (role && !signed) {
      await signIn(page, s, role, path);
      contexts.set(`${name} ${role}`, await page.context().storageState());
    }
    contexts.set(key, page);
  }
  const page = contexts.get(key);
  page.faults.length = 0;
  page.requests.length = 0;
  page.hosts.clear();
  await page.goto(s.url + path);
  return page;
}

async function common(page, s) {
  const wrong = [];
  for (const f of page.faults) wrong.push(f);
  for (const h of page.hosts) if (h && h !== new URL(s.url).host) wrong.push(`asked ${h}`);
  for (const f of await axe(page)) wrong.push(f);
  return wrong;
}

for (const p of officePages)
  test(`office: ${p.name}`, async () => {
    const name = stageOf(p);
    const s = await stage(name);
    const role = await seatOf(s, p);
    const path = await addressOf(s, p, role);
    const wrong = [];

    const page = await at(s, name, role, path);
    const state = await settled(page);
    if (!['ready', 'empty', 'partial'].includes(state)) wrong.push(`data-state ${state}`);
    await page.waitForTimeout(400);
    const title = (await page.innerText('main h1')).trim();
    if (!title || [...title].length > 8) wrong.push(`title "${title}"`);
    const primaries = await page.locator('main [data-primary]:visible').count();
    if (primaries > 1) wrong.push(`${primaries} primary buttons`);
    const row = page.locator('main tbody tr:visible, main [data-row]:visible').first();
    if ((await row.count()) > 0) {
      const box = await row.boundingBox();
      if (box && box.y >= 650) wrong.push(`the first row begins at ${Math.round(box.y)} px`);
    }
    wrong.push(...(await common(page, s)));
    for (const who of await noIdentity(page, s)) wrong.push(`identity ${who}`);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
    if (wide > 1) wrong.push(`${wide} px too wide at 1366`);

    await page.evaluate(() => localStorage.setItem('puan.lang', 'en'));
    await page.goto(s.url + path);
    await settled(page);
    const english = (await page.innerText('main h1')).trim();
    if (/[\u4e00-\u9fff]/.test(english)) wrong.push(`English title "${english}"`);
    wrong.push(...page.faults.map((f) => `en: ${f}`));
    await page.evaluate(() => localStorage.setItem('puan.lang', 'zh'));

    if (p.phone) {
      const phone = await at(s, name, role, path, { phone: true });
      await settled(phone);
      const over = await phone.evaluate(() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong.push(`${over} px sideways at 360`);
      wrong.push(...(await common(phone, s)).map((f) => `phone: ${f}`));
    }
    assert.deepEqual(wrong, []);
  });

for (const p of [...publicPages, { face: 'public', name: 'household', path: '/household/' }])
  test(`${p.name === 'household' ? 'household' : 'public'}: ${p.name}`, async () => {
    const name = stageOf(p);
    const s = await stage(name);
    const path = p.name === 'household' ? p.path : await addressOf(s, p);
    const wrong = [];
    for (const [lang, options] of [['zh', { phone: true }], ['en', { phone: true, lang: 'en' }], ['zh', { phone: true, dark: true }], ['zh', {}]]) {
      const page = await at(s, name, '', path, options);
      await page.waitForSelector('h1');
      await page.waitForLoadState('networkidle');
      const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong.push(`${JSON.stringify(options)}: ${over} px sideways`);
      const title = (await page.innerText('h1')).trim();
      if (lang === 'en' && /[\u4e00-\u9fff]{3}/.test(title)) wrong.push(`English title "${title}"`);
      wrong.push(...(await common(page, s)).map((f) => `${JSON.stringify(options)}: ${f}`));
      for (const who of await noIdentity(page, s)) wrong.push(`identity ${who}`);
    }
    assert.deepEqual(wrong, []);
  });
