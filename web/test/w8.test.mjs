// W8: a county tries to publish before the city, by page, address and API;
// when the last gate opens it publishes itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, clock, launch, measured, open, plan, serve, settled, shot, signIn, sleep } from './lib.mjs';

let s, b, release, run, hour;
const iso = (ms) => new Date(ms + 8 * 3600000).toISOString().slice(0, 19) + '+08:00';

/** A paper, sent at a seat; its digest. */
async function paper(role) {
  const r = await fetch(`${s.url}/api/v1/c/${plan}/evidence`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await s.api(role).token()}`, 'Content-Type': 'application/octet-stream' },
    body: `材料 ${Math.random()}`,
  });
  assert.equal(r.status, 201);
  return (await r.json()).digest;
}
const outside = async (level) => ({ as_role: 'upper-office', as_level: level, evidence: [{ kind: 'external', digest: await paper('county-general') }] });

before(async () => {
  s = await serve('end');
  b = await launch();
  const general = s.api('county-general');
  const now = Date.parse((await general.get('/cases')).as_of);
  hour = now + 2 * 3600000;
  const made = await general.post('/releases', { area: '370883', title: '第七次全国人口普查公报（第二号）', tables: ['age_sex', 'education'] });
  release = made.id;
  run = made.case;
  await s.api('secrecy-office').post(`/cases/${run}/act`, { transition: 'file', fields: { label: 'open', term: '无', audience: '社会公众', filing_no: '2021-002' } });
  const evidence = [];
  for (const kind of ['impact_study', 'question_list', 'note', 'match_review']) evidence.push({ kind, digest: await paper('county-general') });
  await general.post(`/cases/${run}/act`, { transition: 'submit', evidence, fields: { bulletin: '常住人口公报', publish_at: iso(hour) } });
  await general.post(`/cases/${run}/ask`, { approval: 'bulletin' });
  const digest = async () => (await general.get(`/cases/${run}`)).sign.bulletin;
  await s.api('county-head').post(`/cases/${run}/sign`, { approval: 'bulletin', yes: true, digest: await digest() });
  await general.post(`/cases/${run}/sign`, { approval: 'bulletin', yes: true, digest: await digest(), ...(await outside('prefecture')) });
  await general.post(`/cases/${run}/act`, { transition: 'approve', ...(await outside('prefecture')) });
  await general.post(`/cases/${run}/act`, { transition: 'province_publishes', fields: { province_published: true }, ...(await outside('province')) });
});
after(async () => {
  await b?.close();
  await s?.stop();
});

const publicly = () => fetch(`${s.url}/api/v1/c/${plan}/public/releases/${release}`);

test('by page: no button, and the gate names the city', async () => {
  for (const role of ['county-head', 'county-general']) {
    const page = await open(b);
    await signIn(page, s, role, `/office/releases/${release}`);
    assert.equal(await settled(page), 'ready');
    const gate = page.locator('[data-gate="city"]');
    assert.equal(await gate.getAttribute('data-open'), 'false');
    assert.match(await gate.innerText(), /市普查机构/);
    assert.equal(await page.locator('[data-gate="province"]').getAttribute('data-open'), 'true');
    assert.match(await page.locator('[data-gates]').innerText(), /等市普查机构/);
    const buttons = await page.locator('main button').allInnerTexts();
    assert.deepEqual(buttons.filter((x) => /发布/.test(x) && !/^代录/.test(x.trim())), [], buttons.join('|'));
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(page.faults, []);
    await shot(page, `w8-${role}`);
    await page.context().close();
  }
});

test('by address: nothing there', async () => {
  const page = await open(b);
  await signIn(page, s, 'county-general', `/office/releases/${release}/publish`);
  await page.waitForSelector('main');
  assert.equal(await page.locator('[data-gates]').count(), 0);
  await page.goto(`${s.url}/office/releases/${release}`);
  await settled(page);
  const seen = page.requests.map((r) => r.body).join('');
  assert.ok(!/"cells":\[/.test(seen), 'figures went to the page before they are out');
  await page.context().close();
  const r = await publicly();
  assert.equal(r.status, 404);
  const text = await r.text();
  assert.ok(!text.includes('cells') && !text.includes('第二号'), text);
});

test('by API: refused, logged, nothing in the answer', async () => {
  const audit = s.api('audit-admin');
  const refusals = async () => (await audit.get('/refusals')).items.filter((r) => r.route?.includes('/cases/{id}/act') && r.status === 403).length;
  const before = await refusals();
  for (const role of ['county-general', 'county-head']) {
    const api = s.api(role);
    for (const [path, body] of [
      [`/cases/${run}/act`, { transition: 'publish' }],
      [`/cases/${run}/act`, { transition: 'city_publishes', fields: { city_published: true } }],
      [`/releases/${release}/publish`, {}],
      [`/releases/${release}`, { published: true }],
    ]) {
      const e = await api.post(path, body).then(
        () => null,
        (x) => x,
      );
      assert.ok(e, `${role} ${path} was let through`);
      assert.ok([403, 404, 405].includes(e.status), `${path}: ${e.status}`);
      assert.ok(!JSON.stringify(e.body ?? '').includes('cells'));
    }
  }
  // what the flow refused stands in the auditor's list
  assert.equal((await refusals()) - before, 4);
  assert.equal((await publicly()).status, 404);
});

test('a reading of the preview is entered and listed', async () => {
  const page = await open(b);
  await signIn(page, s, 'county-head', `/office/releases/${release}`);
  await settled(page);
  assert.equal(await page.locator('[data-readers] li').count(), 0);
  await page.getByRole('button', { name: '查看预览' }).click();
  await page.locator('[data-act="preview"]').click();
  await page.locator('dialog[open] table').first().waitFor();
  assert.match(await page.locator('dialog[open]').innerText(), /未解禁/);
  await shot(page, 'w8-preview');
  await page.keyboard.press('Escape');
  await page.locator('[data-readers] li').first().waitFor();
  assert.match(await page.locator('[data-readers]').innerText(), /县普查办主任/);
  await page.context().close();
});

test('the hour strikes with a gate shut; the last gate opens; it publishes itself', async () => {
  await clock(s, iso(hour + 1000));
  await sleep(3500);
  assert.equal((await publicly()).status, 404);
  const page = await open(b);
  await signIn(page, s, 'county-general', `/office/releases/${release}`);
  await settled(page);
  assert.match(await page.locator('main').innerText(), /仍有关口未开/);
  let clicks = 0;
  await page.exposeFunction('clicked', () => clicks++);
  await page.evaluate(() => addEventListener('pointerdown', () => globalThis.clicked(), true));
  await s.api('county-general').post(`/cases/${run}/act`, { transition: 'city_publishes', fields: { city_published: true }, ...(await outside('prefecture')) });
  const began = Date.now();
  while ((await publicly()).status !== 200) {
    assert.ok(Date.now() - began < 60000, 'not published within a minute');
    await sleep(200);
  }
  const seconds = (Date.now() - began) / 1000;
  await page.locator('[data-proof]').waitFor({ timeout: 20000 });
  const proof = await page.locator('[data-proof]').innerText();
  assert.match(proof, new RegExp(`public/releases/${release}`));
  assert.match(proof, /puan release verify/);
  measured('W8', { seconds, clicks, refusedByApi: 8 });
  assert.equal(clicks, 0);
  await shot(page, 'w8-published');
  await page.context().close();
});
