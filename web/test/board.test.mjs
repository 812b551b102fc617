// 指挥看板 and 进度树: every data state by fault injection, no results and no
// persons in their answers, the tree by keyboard, worksheet and reminder with
// their entries, axe, phone width, both languages.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { axe, launch, noIdentity, open, serve, settled, shot, signIn } from './lib.mjs';

let s, b, head, business;
/** The cookies of a seat, signed in once. */
async function seat(role, area) {
  const page = await open(b);
  await signIn(page, s, role, '/office/board', area);
  await settled(page);
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}
before(async () => {
  s = await serve('mid');
  b = await launch();
  head = await seat('county-head');
  business = await seat('county-business');
});
after(async () => {
  await b?.close();
  await s?.stop();
});
const call = (page, path, init) =>
  page.evaluate(
    async ([path, init]) => {
      const c = await (await fetch('/api/v1/campaign')).json();
      const r = await fetch(`/api/v1/c/${c.campaign}${path}`, init);
      return { status: r.status, body: await r.json().catch(() => null) };
    },
    [path, init],
  );
const at = (page, want) => page.waitForSelector(`main[data-state="${want}"]`);
const fault = (page, pattern, how) => page.route(pattern, how);
const problem = (status, code) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, code }) });

for (const [name, path, api] of [
  ['board', '/office/board', /\/api\/.*\/board(\?|$)/],
  ['progress', '/office/progress', /\/api\/.*\/progress\?/],
])
  test(`${name}: ready, refused, partial, not loaded, stale, offline`, async () => {
    const page = await open(b, { state: head, patience: 3000 });
    await page.goto(s.url + path);
    await at(page, 'ready');

    /* stale: the figures stay, with their time */
    await fault(page, api, (r) => r.fulfill(problem(503, 'unavailable')));
    await page.keyboard.press('r');
    await at(page, 'stale');
    assert.match(await page.locator('main').innerText(), /未更新，下面是\d\d:\d\d/);
    /* offline, with what is kept */
    await page.unroute(api);
    await page.context().setOffline(true);
    await page.keyboard.press('r');
    await at(page, 'offline');
    await page.context().setOffline(false);
    await page.keyboard.press('r');
    await at(page, 'ready');

    /* partial: named, not added up as if whole */
    await fault(page, api, async (r) => {
      const answer = await r.fetch();
      if (answer.status() !== 200) return r.fulfill({ response: answer });
      const body = await answer.json();
      return r.fulfill({ response: answer, headers: { 'content-type': 'application/json' }, json: { ...body, partial: { have: 14, of: 16, missing: ['370883104'] } } });
    });
    await page.goto(`${s.url}${path}?x=1`);
    await at(page, 'partial');
    assert.match(await page.locator('main').innerText(), /14\/16/);
    await page.unroute(api);

    /* not loaded: no answer within the patience; recounting says no zero either */
    for (const how of [() => undefined, (r) => r.fulfill(problem(503, 'recounting'))]) {
      await fault(page, api, how);
      await page.goto(`${s.url}${path}?x=2`);
      await at(page, 'not-loaded');
      assert.match(await page.locator('main').innerText(), /未取到|没有取到/);
      assert.equal(await page.locator('[data-figure], [data-sum]').count(), 0);
      await page.unroute(api);
    }
    await fault(page, api, (r) => r.fulfill(problem(403, 'denied')));
    await page.goto(`${s.url}${path}?x=3`);
    await at(page, 'refused');
    assert.match(await page.locator('main').innerText(), /本岗位不能办理此事项/);
    await page.context().close();
  });

test('progress: a roll without households is empty and says what to do', async () => {
  const page = await open(b, { state: head });
  await fault(page, /\/api\/.*\/progress\?/, async (r) => {
    const answer = await r.fetch();
    const body = await answer.json();
    return r.fulfill({ response: answer, headers: { 'content-type': 'application/json' }, json: { ...body, whole: { ...body.whole, due: 0 }, items: [], total: 0 } });
  });
  await page.goto(`${s.url}/office/progress`);
  await at(page, 'empty');
  assert.match(await page.locator('main').innerText(), /底册里还没有住户/);
  await page.context().close();
});

test('board: one lost part is said at its tile, the others stay', async () => {
  const page = await open(b, { state: head });
  await fault(page, /\/api\/.*\/board(\?|$)/, async (r) => {
    const answer = await r.fetch();
    const body = await answer.json();
    return r.fulfill({ response: answer, headers: { 'content-type': 'application/json' }, json: { ...body, risks: null, decide: null, lost: ['risks', 'decide'] } });
  });
  await page.goto(`${s.url}/office/board`);
  await at(page, 'ready');
  assert.match(await page.getByRole('region', { name: '风险', exact: true }).innerText(), /未取到/);
  assert.match(await page.getByRole('region', { name: '待我决定' }).innerText(), /未取到/);
  assert.equal(await page.locator('[data-figure="delivered"]').count(), 1);
  await page.context().close();
});

test('no person and no result in what the pages are told', async () => {
  const page = await open(b, { state: head });
  await page.goto(`${s.url}/office/board`);
  await at(page, 'ready');
  await page.waitForTimeout(1500);
  await page.goto(`${s.url}/office/progress?area=370883104&open=370883104001`);
  await at(page, 'ready');
  await page.waitForTimeout(800);
  const told = page.requests.filter((r) => !/\/session/.test(r.url)).map((r) => `${r.url} ${r.body}`);
  const all = told.join('\n') + (await page.content());
  assert.ok(told.length > 5);
  assert.deepEqual(await noIdentity(page, s), []);
  assert.doesNotMatch(all, /"persons"/);
  assert.doesNotMatch(all, /(?<![\d.])[1-9]\d{5}(18|19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dXx](?!\d)/); // citizen ID
  assert.doesNotMatch(all, /head_name|id_number|"phone"/);
  /* persons are a result: not here, also for the seat that may see results */
  const other = await open(b, { state: await seat('county-data') });
  await other.goto(`${s.url}/office/progress`);
  assert.equal((await call(other, '/progress')).body.whole.persons, undefined);
  assert.equal((await call(page, '/progress')).body.whole.persons, undefined);
  await other.context().close();
  await page.context().close();
});

test('tree by keyboard: arrows open and close, the state stands in the address, sums are sums', async () => {
  const page = await open(b, { state: business });
  await page.goto(`${s.url}/office/progress`);
  await at(page, 'ready');
  const rows = () => page.locator('tr[data-code]').count();
  const closed = await rows();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((n) => document.querySelectorAll('tr[data-code]').length > n, closed);
  assert.match(page.url(), /open=\d{9}/);
  assert.equal(await page.locator('tr[data-code]').first().getAttribute('aria-expanded'), 'true');
  /* the total is the sum of the rows of the first depth */
  for (const key of ['due', 'delivered', 'corrected']) {
    const [cells, sum] = await page.evaluate((k) => {
      const n = (x) => Number(x.replace(/[^\d]/g, ''));
      const at = [...document.querySelectorAll('tfoot [data-sum]')].findIndex((x) => x.dataset.sum === k);
      const rows = [...document.querySelectorAll('tr[aria-level="1"]')];
      return [rows.map((r) => n([...r.querySelectorAll('td.end')][at].innerText || [...r.querySelectorAll('td.end')][at].textContent)).reduce((a, b) => a + b, 0), n(document.querySelector(`[data-sum="${k}"]`).textContent)];
    }, key);
    assert.equal(cells, sum, key);
  }
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction((n) => document.querySelectorAll('tr[data-code]').length === n, closed);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('tr.current'));
  await page.locator('.scurve svg[role="img"]').first().waitFor();
  assert.equal(await page.locator('.scurve svg[role="img"]').count(), 1);
  /* sorted by name: codes ascend */
  await page.getByLabel('名称', { exact: true }).check();
  await page.waitForFunction(() => location.search.includes('sort=name'));
  await page.waitForTimeout(400);
  const codes = await page.locator('tr[data-code]').evaluateAll((x) => x.map((y) => y.dataset.code));
  assert.deepEqual(codes, [...codes].sort());
  await page.context().close();
});

test('worksheet: counts only, registered in the ledger', async () => {
  const page = await open(b, { state: business });
  await page.goto(`${s.url}/office/progress`);
  await at(page, 'ready');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '导出工作表' }).click()]);
  const text = (await (await file.createReadStream()).toArray()).join('');
  const lines = text.trim().split('\n');
  assert.match(lines[0], /area,name_zh,name_en,level,due,assigned,delivered/);
  assert.equal(lines.length, 2 + (await page.locator('tr[aria-level="1"]').count()));
  assert.doesNotMatch(file.suggestedFilename(), /[^\w.-]/);
  const said = await page.getByText(/存证第\d+条/).innerText();
  const entry = Number(/\d+/.exec(said)[0]);
  const again = await call(page, '/progress/worksheet', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ kind: 'tree' }) });
  assert.equal(again.status, 201);
  assert.ok(again.body.entry > entry);
  await page.context().close();
});

test('reminder: becomes a case with a clock on the board of who is asked', async () => {
  const page = await open(b, { state: business });
  await page.goto(`${s.url}/office/progress`);
  await at(page, 'ready');
  const lagging = await page.locator('tr[data-code]').first().getAttribute('data-code');
  await page.locator('tr[data-code]').first().click();
  await page.getByRole('button', { name: '催办' }).click();
  await page.getByRole('button', { name: '发出催办' }).click();
  await page.getByText('催办已发出').waitFor();
  const other = await open(b, { state: await seat('township-office', lagging) });
  await other.goto(`${s.url}/office/board`);
  await at(other, 'ready');
  const decide = await other.getByRole('region', { name: '待我决定' }).innerText();
  assert.match(decide, /答复/);
  assert.match(decide, /剩\d|已超/);
  await other.context().close();
  await page.context().close();
});

for (const [scheme, lang] of [
  ['light', 'zh'],
  ['dark', 'en'],
])
  test(`axe finds nothing serious, ${scheme}, ${lang}`, async () => {
    const state = { ...business, origins: [] }; // cookies only: the language is this test's
    const page = await open(b, { state, dark: scheme === 'dark', lang });
    for (const path of ['/office/board', '/office/progress?area=370883104']) {
      await page.goto(s.url + path);
      await at(page, 'ready');
      await page.waitForTimeout(700);
      const found = await axe(page);
      assert.deepEqual(found, [], path);
      await shot(page, `${path.includes('progress') ? 'progress' : 'board'}-${lang}-${scheme}`);
      if (lang === 'en') {
        const text = await page.locator('main').innerText();
        assert.doesNotMatch(text, /(待我决定|能否按期|催办|进度树|未取到)/);
      }
    }
    await page.context().close();
  });

test('phone: nothing scrolls sideways, the first row is in sight', async () => {
  const page = await open(b, { state: business, width: 390, height: 844 });
  for (const path of ['/office/board', '/office/progress']) {
    await page.goto(s.url + path);
    await at(page, 'ready');
    await page.waitForTimeout(500);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, path);
  }
  await page.context().close();
});

test('live: at most one new picture every two seconds', async () => {
  const page = await open(b, { state: head });
  const asked = [];
  page.on('request', (r) => /\/api\/.*\/board(\?|$)/.test(r.url()) && asked.push(Date.now()));
  await page.goto(`${s.url}/office/board`);
  await at(page, 'ready');
  await page.waitForTimeout(6000);
  for (let i = 2; i < asked.length; i++) assert.ok(asked[i] - asked[i - 1] >= 1900, `${asked[i] - asked[i - 1]} ms apart`);
  await page.context().close();
});
