// The desk: 重复登记, 整批验收, 居住情况, 制表.  On the census as it stands at
// the end, with the clock set back into the recheck window so that a household
// can still be corrected.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, clock, code, accountOf, launch, noIdentity, open, plan, serve, settled, shot, signIn, sleep, states } from './lib.mjs';

const county = '370883';
let s, b;
const devices = new Map();
before(async () => {
  s = await serve('end');
  b = await launch();
  await clock(s, '2020-11-20T10:00:00+08:00');
  const answer = await fetch(`${s.url}/api/v1/c/${plan}/credentials`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await s.api('security-admin').token()}` },
    body: JSON.stringify({ kind: 'device', role: 'enumerator', from: 'staff' }),
  });
  assert.equal(answer.status, 201);
  for (const line of (await answer.text()).trim().split(/\r?\n/).slice(1)) {
    const [name, secret, area, device] = line.split(',');
    devices.set(area, { name, secret, device });
  }
});
after(async () => {
  await b?.close();
  await s?.stop();
});

/* ---- the field: a household answers anew ---- */
let counter = 900000;
async function correct(household, change = (doc) => doc) {
  const office = s.api('county-business');
  const old = await office.get(`/households/${household}/return?identity=true&purpose=test`);
  const m = devices.get(household.slice(0, 15));
  const base = `${s.url}/api/v1/c/${plan}`;
  const seat = await (
    await fetch(`${base}/login/machine`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'device', name: m.name, secret: m.secret }),
    })
  ).json();
  const plain = (row) => Object.fromEntries(Object.entries(row).filter(([k]) => !k.startsWith('P_')));
  const doc = change({
    form: old.form, household, base: old.version, device: m.device, counter: ++counter, mode: 'enumerator',
    started: '2020-11-20T09:00:00+08:00', finished: '2020-11-20T09:20:00+08:00', signed: true,
    answers: plain(old.answers), person: old.person.map(plain), death: (old.death ?? []).map(plain),
  });
  const r = await fetch(`${base}/returns`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${seat.token}` },
    body: JSON.stringify(doc),
  });
  assert.equal(r.status, 201, await r.text());
}
const duplicates = (query) => s.api('county-business').get(`/duplicates?area=${county}&page=1${query}`);
async function until(what, ask, timeout = 15000) {
  const end = Date.now() + timeout;
  for (;;) {
    const v = await ask();
    if (v) return v;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await sleep(200);
  }
}
/** Opens decided pairs again, as the field would: a household answers anew. */
async function reopen(n) {
  const list = await duplicates('&state=decided');
  assert.ok(list.items.length >= n, 'the demonstration has decided pairs');
  for (const g of list.items.slice(0, n)) await correct(g.sides[1].household);
  await until('open pairs', async () => (await duplicates('')).totals.open >= n);
}
/* ---- 重复登记 ---- */
test('a correction reopens the pair; the desk is worked by keys alone', async () => {
  await reopen(4);
  const page = await open(b);
  await signIn(page, s, 'county-business', '/office/duplicates');
  assert.equal(await settled(page), 'ready');
  const total = (await duplicates('')).totals.open;
  assert.equal(await page.locator('tbody tr').count(), Math.min(50, total));
  // pairs living apart stand first, and their number opens their list
  const pairs = (await duplicates('')).pairs;
  assert.ok(pairs > 0);
  assert.match(await page.innerText('[data-pairs]'), new RegExp(pairs.toLocaleString('en-US')));
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
  await shot(page, 'duplicates-zh');
  await page.click('[data-pairs]');
  await settled(page);
  assert.match(await page.innerText('nav.pages'), new RegExp(pairs.toLocaleString('en-US')));
  assert.deepEqual(await noIdentity(page, s), []);

  // the pair: 1 is offered, a reason is required, Ctrl+Enter gives the verdict
  await page.goto(`${s.url}/office/duplicates`);
  await settled(page);
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('Enter');
  await page.waitForSelector('table.compare');
  const first = Number(/duplicates\/(\d+)/.exec(page.url())[1]);
  assert.match(await page.innerText('[data-name]'), /字相同/);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
  await shot(page, 'duplicate-zh');
  await page.keyboard.press('KeyJ');
  await page.waitForFunction((id) => !location.pathname.endsWith(`/${id}`), first);
  await page.keyboard.press('KeyK');
  await page.waitForFunction((id) => location.pathname.endsWith(`/${id}`), first);
  await page.waitForSelector('[data-verdict]');
  const keep = await page.locator('[data-verdict="1"]').count() ? 1 : 2;
  await page.keyboard.press(`Digit${keep}`);
  await page.waitForSelector('[data-reason]');
  await page.keyboard.press('Control+Enter');
  assert.match(await page.innerText('.verdict [role=alert]'), /须写理由/);
  assert.equal((await duplicates('')).totals.open, total);
  await page.keyboard.press('ArrowDown'); // the first reason
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[data-done]');
  assert.equal((await duplicates('')).totals.open, total - 1);
  const decided = await s.api('county-business').get(`/duplicates/${first}`);
  assert.equal(decided.state, 'decided');
  assert.equal(decided.history.at(-1).verdict, keep);
  assert.ok(decided.history.at(-1).reason.length > 0);
  assert.ok(decided.history.at(-1).on.some((o) => o.version === 2));
  assert.ok(decided.history.some((h) => h.verdict === 0), 'the reopening is in the history');
  // a choice of who may see no results states no figure
  assert.doesNotMatch(await page.innerText('main'), /人口[^，]*−1/);
  // 4: both places are visited
  const second = Number(/duplicates\/(\d+)/.exec(page.url())[1]);
  assert.notEqual(second, first);
  await page.waitForSelector('[data-verdict="4"]');
  await page.keyboard.press('Digit4');
  await page.waitForSelector('[data-words]');
  await page.fill('[data-words]', '电话核不清，两处都去看');
  await page.keyboard.press('Control+Enter');
  await until('field', async () => (await duplicates('&state=field')).totals.field === 1);
  const queries = await until('two tasks', async () => {
    const q = await s.api('county-business').get(`/queries?area=${county}&limit=1000`);
    return q.items.filter((x) => x.reason.includes(`编号${second}`)).length === 2;
  });
  assert.ok(queries);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('what was typed for a pair outlives a reload; a verdict on what has changed is refused', async () => {
  const page = await open(b);
  const open_ = (await duplicates('')).items;
  await signIn(page, s, 'county-business', `/office/duplicates/${open_[0].id}`);
  await page.waitForSelector('[data-verdict="3"]');
  await page.keyboard.press('Digit3');
  await page.fill('[data-words]', '证件号码有疑问');
  await page.reload();
  await page.waitForSelector('[data-verdict="3"]');
  await page.keyboard.press('Digit3');
  assert.equal(await page.inputValue('[data-words]'), '证件号码有疑问');
  await correct(open_[0].sides[0].household);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.verdict [role=alert]');
  assert.match(await page.innerText('.verdict [role=alert]'), /改动/);
  assert.equal(await page.inputValue('[data-words]'), '证件号码有疑问');
  await page.context().close();
});

/* ---- 整批验收 ---- */
test('a whole enumeration area is accepted through the panel, and one change voids it', async () => {
  const town = '370883101';
  const areas = await s.api('township-office', town).get(`/lots/areas?area=${town}`);
  const ea = areas.items.find((a) => a.level === 'ea' && a.submitted > 0 && a.lot === null);
  const page = await open(b);
  await signIn(page, s, 'township-office', '/office/acceptance', town);
  assert.equal(await settled(page), 'ready');
  assert.equal(await page.locator('tbody tr').count(), Math.min(50, areas.items.filter((a) => a.listed || a.submitted).length));
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
  await shot(page, 'acceptance-zh');

  // the second factor is asked for in the panel
  await page.route(/\/session\?peek/, async (route) => {
    const r = await route.fetch();
    await route.fulfill({ response: r, json: { ...(await r.json()), factor_left_ms: 0 } });
  });
  await page.goto(`${s.url}/office/acceptance/${ea.code}`);
  await page.waitForSelector('[data-sign] [data-code]');
  const preview = await s.api('township-office', town).get(`/lots/preview?area=${ea.code}`);
  const fields = await page.locator('[data-sign] [data-field]').evaluateAll((rows) => rows.map((r) => r.dataset.field));
  assert.deepEqual(fields, preview.covers.map((c) => c.field));
  assert.match(await page.innerText('[data-field=digest]'), new RegExp(preview.digest));
  assert.equal(await page.innerText('[data-digest]'), preview.digest.slice(0, 8));
  for (const h of preview.missing.items) assert.match(await page.innerText('[data-gate=missing]'), new RegExp(h.slice(-3)));
  assert.deepEqual(await axe(page), []);
  await shot(page, 'accept-zh');
  // the primary act stands in a small window
  const act = await page.locator('[data-act=sign]').boundingBox();
  assert.ok(act.y + act.height <= 650, `the act ends at ${act.y + act.height}`);

  if (preview.gates.some((g) => g.rule === 'reason' && g.n > 0)) await page.fill('[data-reason]', '逐户核实，未送达的户已搬走或空置');
  // never by one key
  await page.focus('[data-code]');
  await page.keyboard.type('000000');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+Enter');
  await sleep(400);
  assert.equal((await s.api('township-office', town).get(`/lots/preview?area=${ea.code}`)).lot, null);
  // a wrong code signs nothing
  await page.click('[data-act=sign]');
  await page.waitForSelector('[data-sign] [role=alert]');
  assert.equal((await s.api('township-office', town).get(`/lots/preview?area=${ea.code}`)).lot, null);
  await page.fill('[data-code]', await code((await accountOf(s, 'township-office', town)).otp));
  await page.click('[data-act=sign]');
  await page.waitForSelector('[data-accepted]');
  const signed = await s.api('township-office', town).get(`/lots/preview?area=${ea.code}`);
  assert.equal(signed.lot.digest, preview.digest);
  assert.match(await page.innerText('[data-accepted]'), new RegExp(preview.digest.slice(0, 8)));
  await shot(page, 'accepted-zh');

  // one household is corrected: void, and shown so with the household
  const one = signed.returns[0].household;
  await correct(one);
  await until('void', async () => (await s.api('township-office', town).get(`/lots/preview?area=${ea.code}`)).lot === null);
  await page.reload();
  await page.waitForSelector('[data-void]');
  assert.match(await page.innerText('[data-void]'), new RegExp(one.slice(-3)));
  assert.match(await page.innerText('[data-sign]'), /已失效/);
  assert.ok(await page.locator('[data-field=digest][data-changed]').count());
  assert.deepEqual(await axe(page), []);
  await page.goto(`${s.url}/office/acceptance?state=void`);
  await settled(page);
  assert.match(await page.innerText('tbody'), /更正，验收作废/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

/* ---- 居住情况, 制表 ---- */
test('running results state their base and leave an entry; who may not has neither page nor answer', async () => {
  const page = await open(b);
  await signIn(page, s, 'county-data', '/office/residence');
  assert.equal(await settled(page), 'ready');
  const text = await page.innerText('main');
  assert.match(await page.innerText('[data-base]'), /已送达[\d,]+户/);
  assert.match(await page.innerText('[data-entry]'), /已存证（第[\d,]+条）/);
  assert.match(text, /人在户在/);
  // the parts are the whole
  const answer = JSON.parse(page.requests.filter((r) => r.url.includes('/population')).at(-1).body);
  for (const k of ['resident', 'de_facto', 'registered', 'persons', 'submitted'])
    assert.equal(answer.parts.reduce((n, p) => n + p[k], 0), answer[k], k);
  assert.match(await page.innerText('[data-figure=resident] .figure'), new RegExp(answer.resident.toLocaleString('en-US')));
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
  await shot(page, 'residence-zh');

  await page.goto(`${s.url}/office/tables`);
  await page.waitForSelector('[data-pyramid] canvas');
  assert.match(await page.innerText('[data-base]'), /常住人口.*居住情形/);
  assert.match(await page.innerText('.pyramid figcaption'), /人口金字塔：男/);
  const table = JSON.parse(page.requests.filter((r) => /\/tables\/age_sex/.test(r.url)).at(-1).body);
  assert.equal(table.table.total, answer.resident);
  assert.match(await page.innerText('table.grid tbody tr:last-child'), new RegExp(table.table.total.toLocaleString('en-US')));
  assert.equal(await page.locator('table.grid td:text-is("")').count(), 0);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'tables-zh');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-act=csv]')]);
  assert.match(file.suggestedFilename(), /^未发布-age_sex-370883-\d+\.csv$/);

  // withheld cells are said, never blank
  await page.route(/\/tables\/age_sex\?/, async (route) => {
    const r = await route.fetch();
    const j = await r.json();
    j.table.margins[0] = null;
    j.table.withheld = 1;
    j.table.least = 3;
    await route.fulfill({ response: r, json: j });
  });
  await page.reload();
  await page.waitForSelector('[data-withheld]');
  assert.equal((await page.innerText('[data-withheld]')).trim(), '不予公布');
  await page.unroute(/\/tables\/age_sex\?/);
  assert.deepEqual(page.faults, []);
  await page.context().close();

  // each reading has its entry
  const seen = (await s.api('county-data').get(`/population?area=${county}`)).entry.seq;
  const found = await s.api('audit-admin').get('/ledger?verb=evaluation.view&limit=200');
  const rows = found.items ?? found.entries;
  assert.ok(rows.some((e) => e.subject === `area/${county}/population` && Number(e.seq) === seen), 'the reading is an entry');
  assert.ok(rows.some((e) => e.subject === `area/${county}/table/age_sex`));

  // the head of the county office: no page, no answer, one and the same refusal
  const head = await open(b);
  await signIn(head, s, 'county-head', '/office');
  assert.equal(await head.locator('nav a[href*="/office/residence"], nav a[href*="/office/tables"]').count(), 0);
  await head.context().close();
  const words = new Set();
  for (const path of ['/population?area=370883', '/population/ea?area=370883001004001', '/tables/age_sex?area=370883', '/tables/none?area=370883', '/population?area=11'])
    await s.api('county-head').get(path).then(
      () => assert.fail(path),
      (e) => {
        assert.equal(e.status, 403, path);
        words.add(JSON.stringify({ ...e.body, instance: undefined }));
      },
    );
  assert.equal(words.size, 1, [...words].join('\n'));

  // an office for single enumeration areas
  await assert.rejects(s.api('county-business').get('/population?area=370883'), (e) => e.status === 403);
  await assert.rejects(s.api('county-business').get('/population/ea?area=370883001'), (e) => e.status === 400);
  const clerk = await open(b);
  await signIn(clerk, s, 'county-business', '/office/residence');
  assert.equal(await settled(clerk), 'empty');
  await clerk.goto(`${s.url}/office/residence?area=370883001004001`);
  assert.equal(await settled(clerk), 'ready');
  await clerk.context().close();
});

/* ---- the data states of each page ---- */
const pages = [
  ['duplicates', 'county-business', '/office/duplicates?kind=present', /\/api\/.*\/duplicates\?/, (j) => ({ ...j, items: [], total: 0, totals: { open: 0, field: 0, passed: 0, decided: 0, gone: 0 } }), null],
  ['acceptance', 'county-business', '/office/acceptance', /\/lots\/areas/, (j) => ({ ...j, items: [] }), null],
  ['residence', 'county-data', '/office/residence', /\/population/, (j) => ({ ...j, households: 0 }), null],
  ['builder', 'county-data', '/office/builder?by=D4', /\/tabulate\?/, (j) => ({ ...j, submitted: 0 }), null],
  ['tables', 'county-data', '/office/tables', /\/tables\/age_sex/, (j) => ({ ...j, submitted: 0 }), null],
];
for (const [name, role, path, pattern, empty] of pages)
  test(`${name}: every data state is its own sight`, async () => {
    const page = await open(b);
    await signIn(page, s, role, path);
    const again = (p) => p.keyboard.press('KeyR');
    const only = ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'stale', ...(name === 'duplicates' ? [] : ['empty'])];
    if (name === 'duplicates' && (await duplicates('&kind=present')).totals.open === 0) await reopen(1);
    const seen = await states(page, { url: s.url + path, api: pattern, empty, only, again });
    for (const k of only) assert.equal(seen[k], k);
    if (name === 'duplicates') {
      const f = await states(page, { url: `${s.url}/office/duplicates`, api: pattern, empty, filter: '?kind=present', only: ['empty', 'filtered'] });
      assert.deepEqual(f, { empty: 'empty', filtered: 'filtered' });
    }
    // English, dark, phone: nothing serious, nothing sideways, no fault
    await page.context().close();
    const phone = await open(b, { width: 390, height: 844, lang: 'en', dark: true });
    await signIn(phone, s, role, path);
    await settled(phone);
    assert.deepEqual(await axe(phone), []);
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), 'no sideways scroll of the page');
    assert.deepEqual(phone.faults, []);
    await shot(phone, `${name}-phone-en`);
    await phone.context().close();
  });
