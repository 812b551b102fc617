// The public face: every page in both languages, on a phone and a desk; its
// data states by fault injection; a report that reaches the one office that
// may read it; limits; no more of a name than its first and last character.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import * as lib from './lib.mjs';
import { axe, launch, serve, shot } from './lib.mjs';
import { cards } from './public.lib.mjs';

const pages = ['/', '/verify', '/data', '/data/1', '/ask', '/progress', '/notices', '/report', '/report/follow'];
const api = '/api/v1/c/cn-population-2020';
let mid;
let end;
let chrome;
let card;
const seen = []; // every answer of the server, for the search for names

before(async () => {
  mid = await serve('mid');
  end = await serve('end');
  chrome = await launch();
  card = cards(mid).find((c) => c.role === 'enumerator');
});
after(async () => {
  await chrome?.close();
  await mid?.stop();
  await end?.stop();
});

async function open(server, path, { lang = 'zh', width = 360, height = 640, dark = false, patience, prepare } = {}) {
  const page = await lib.open(chrome, { width, height, lang, dark, patience });
  await prepare?.(page);
  await page.goto(server.url + path);
  const context = page.context();
  const close = context.close.bind(context);
  context.close = async () => {
    seen.push(...page.requests);
    await close();
  };
  return { context, page };
}
const settled = (page) => page.waitForSelector('main[data-state]:not([data-state="loading"])', { timeout: 15000 });
const state = (page) => page.getAttribute('main', 'data-state');

test('every page loads in both languages, fits a phone, and says its language', { timeout: 180000 }, async () => {
  for (const lang of ['zh', 'en'])
    for (const path of [...pages, `/verify/${card.certificate}`]) {
      const { context, page } = await open(path.startsWith('/data') ? end : mid, path, { lang });
      await settled(page);
      assert.ok(['ready', 'empty'].includes(await state(page)), `${path} ${await state(page)}`);
      assert.equal(await page.getAttribute('html', 'lang'), lang === 'zh' ? 'zh-CN' : 'en');
      assert.equal(await page.locator('h1').count(), 1, path);
      assert.ok((await page.locator('[data-primary]').count()) <= 1, `${path}: one primary act`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${path} ${lang}: ${wide} px too wide`);
      const main = await page.textContent('body');
      assert.ok(!/\b(home|verify|data|ask|report|progress|notices|site|never|state)\.[a-z]+\b/.test(main.replace(/puan release verify release-\d+\.json/g, '')), `${path}: a key instead of a word`);
      assert.deepEqual(page.faults, [], path);
      await shot(page, `public${path.replace(card.certificate, 'valid').replace(/\W+/g, '-')}-${lang}-phone`);
      await context.close();
    }
});

test('language and text size change in place, and nothing runs off the side at 30 px', { timeout: 90000 }, async () => {
  for (const path of pages) {
    const { context, page } = await open(end, path);
    await settled(page);
    await page.locator('header button.size').click();
    await page.locator('header button.size').click();
    assert.equal(await page.getAttribute('html', 'data-size'), '30');
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), '30px');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path}: ${wide} px too wide at 30 px`);
    const where = page.url();
    await page.locator('header button.lang').click();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.equal(page.url(), where);
    await context.close();
  }
});

test('axe finds nothing serious on any page', { timeout: 240000 }, async () => {
  for (const [scheme, width] of [
    ['light', 360],
    ['dark', 1366],
  ])
    for (const path of [...pages, `/verify/${card.certificate}`]) {
      const { context, page } = await open(path.startsWith('/data') ? end : mid, path, { dark: scheme === 'dark', width });
      await settled(page);
      if (path === '/data/1') await page.waitForSelector('[data-chart="shown"]');
      assert.deepEqual(await axe(page), [], `${path} ${scheme}`);
      await context.close();
    }
});

test('the primary act of a face stands on the first screen of a small phone', { timeout: 60000 }, async () => {
  for (const [path, act] of [
    ['/', 'a[href="/verify"][data-primary]'],
    ['/verify', 'button[data-primary]'],
  ]) {
    const { context, page } = await open(mid, path, { width: 360, height: 560 });
    await settled(page);
    const box = await page.locator(act).boundingBox();
    assert.ok(box && box.y + box.height <= 560, `${path}: ${JSON.stringify(box)}`);
    assert.ok(box.height >= 48, 'a thumb fits');
    await context.close();
  }
});

/* ---- data states ------------------------------------------------------------ */

const down = (pattern, how) => (page) => page.route(pattern, how);
const late = (route) => setTimeout(() => route.continue().catch(() => undefined), 4000);
const broken = (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"unavailable"}' });
const cut = (route) => route.abort('internetdisconnected');

test('what did not come is not loaded, never nothing and never zero', { timeout: 240000 }, async () => {
  const parts = [
    ['/', '**/api/v1/campaign'],
    ['/data', '**/public/releases'],
    ['/data/1', '**/public/releases/1'],
    ['/ask', '**/public/plan/forms/*'],
    ['/report', '**/public/reports/kinds'],
    ['/progress', '**/public/progress'],
    ['/notices', '**/public/notices'],
    [`/verify/${card.certificate}`, '**/public/certificates/*'],
  ];
  for (const [path, pattern] of parts)
    for (const [how, want] of [
      [late, ['not-loaded']],
      [broken, ['not-loaded']],
      [cut, ['offline', 'not-loaded']],
    ]) {
      const { context, page } = await open(end, path, { patience: 700, prepare: down(pattern, how) });
      await page.waitForSelector(want.map((w) => `main[data-state="${w}"]`).join(), { timeout: 15000 });
      const text = await page.textContent('main');
      assert.ok(/没有取到|暂时查不到|离线/.test(text), `${path}: ${text.slice(0, 200)}`);
      assert.ok(!/还没有公告|还没有发布|共0|没有需要处理/.test(text), `${path}: ${text.slice(0, 300)}`);
      // and comes when asked again
      await page.unroute(pattern);
      await page.locator('main').getByRole('button', { name: /重新读取|再核验一次/ }).first().click();
      await page.waitForSelector('main[data-state="ready"]', { timeout: 15000 });
      await context.close();
    }
});

test('a list that is not yet out names the day', { timeout: 60000 }, async () => {
  const { context, page } = await open(mid, '/data', {
    prepare: async (p) => {
      await p.route('**/public/releases', async (route) => {
        const answer = await (await route.fetch()).json();
        await route.fulfill({ json: { ...answer, items: [] } });
      });
    },
  });
  await page.waitForSelector('main[data-state="empty"]');
  const text = await page.textContent('main');
  assert.ok(text.includes('2021年5月11日'), text);
  assert.equal(await page.locator('table').count(), 0);
  await context.close();
});

test('partial, stale, and a publication that does not exist', { timeout: 60000 }, async () => {
  let how = 'partial';
  const { context, page } = await open(end, '/data', {
    prepare: async (p) => {
      await p.route('**/public/releases', async (route) => {
        if (how === 'broken') return broken(route);
        const answer = await (await route.fetch()).json();
        await route.fulfill({ json: how === 'partial' ? { ...answer, partial: { have: 1, of: 2, missing: ['370881'] } } : answer });
      });
    },
  });
  await page.waitForSelector('main[data-state="partial"]');
  assert.ok((await page.textContent('main')).includes('1/2'));
  const again = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  how = 'whole';
  await again();
  await page.waitForSelector('main[data-state="ready"]');
  const rows = await page.locator('main li').count();
  how = 'broken';
  await again();
  await page.waitForSelector('main[data-state="stale"]');
  assert.equal(await page.locator('main li').count(), rows, 'the last good list stays');
  assert.ok((await page.textContent('main')).includes('未更新'));
  await context.close();

  const gone = await open(end, '/data/999');
  await gone.page.waitForSelector('main[data-state="refused"]');
  assert.ok((await gone.page.textContent('main')).includes('没有这份已发布的公报'));
  await gone.context.close();
});

/* ---- progress and notices ----------------------------------------------------- */

test('the progress of the day before, down to the townships and no further', { timeout: 90000 }, async () => {
  const answer = await (await fetch(`${mid.url}${api}/public/progress`)).json();
  assert.equal(answer.open, true);
  assert.ok(answer.as_of.startsWith('2020-11-05T00:00'), answer.as_of);
  assert.ok(answer.whole.percent > 0 && answer.whole.percent < 100, JSON.stringify(answer.whole));
  // an office sees counts, the public shares: no number of households, no one else's
  const office = await mid.api('county-head').get('/progress?area=370883');
  assert.ok(office.whole.delivered > 0);
  const text = JSON.stringify(answer);
  for (const key of ['due', 'delivered', 'persons', 'listed', 'out']) assert.ok(!text.includes(`"${key}"`), key);
  assert.ok(answer.whole.percent <= (office.whole.delivered * 100) / office.whole.due, 'not ahead of the work');

  const { context, page } = await open(mid, '/progress');
  await page.waitForSelector('main[data-state="ready"] [data-whole]');
  assert.ok((await page.textContent('[data-whole]')).includes(`${answer.whole.percent}%`));
  assert.ok((await page.textContent('[data-whole]')).includes('11月4日24时'), await page.textContent('[data-whole]'));
  assert.equal(await page.locator('tbody tr').count(), answer.items.length);
  for (const r of answer.items) {
    const row = page.locator('tbody tr', { hasText: r.zh }).first();
    assert.ok((await row.textContent()).includes(r.few ? '不足30户' : `${r.percent}%`), r.zh);
  }
  assert.equal(await page.locator('tbody a').count(), 0, 'townships are the last level');
  // by name
  await page.fill('#find', answer.items[0].zh);
  await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length < n, answer.items.length);
  await page.fill('#find', '没有这个地方');
  await page.waitForSelector('main p[role="status"]');
  await context.close();

  // one's own township by its address; a village is not there, as one that does not exist
  const own = await open(mid, `/progress/${answer.items[0].area}`);
  await own.page.waitForSelector('[data-whole]');
  assert.ok((await own.page.textContent('main')).includes('公布到这一级为止'));
  await own.context.close();
  for (const area of [`${answer.items[0].area}001`, '370883999001']) {
    const none = await open(mid, `/progress/${area}`);
    await none.page.waitForSelector('main[data-state="refused"]');
    assert.ok((await none.page.textContent('main')).includes('没有公布这个地区的进度'));
    await none.context.close();
  }
});

test('a rumour stands beside what holds; nothing that was not signed is read', { timeout: 90000 }, async () => {
  const { items } = await (await fetch(`${mid.url}${api}/public/notices`)).json();
  assert.ok(items.length >= 2, JSON.stringify(items));
  const rumour = items.find((n) => n.about);
  for (const [lang, words] of [['zh', ['网上流传', '实际情况', rumour.about, rumour.text]], ['en', ['What goes round', 'What holds', rumour.about_en, rumour.text_en]]]) {
    const { context, page } = await open(mid, '/', { lang });
    await page.waitForSelector('[data-notice="stands"]');
    const text = await page.textContent('main');
    for (const w of words) assert.ok(text.includes(w), w);
    await context.close();
  }
  // a draft is not public, and a withdrawn notice keeps its title only
  const author = mid.api('publicity');
  const draft = await author.post('/cases', { area: '370883', flow: 'public_notice', fields: { kind: 'service', title: '尚未审批的公告', text: '这份公告还没有审批。', title_en: 'Not approved yet', text_en: 'This notice is not approved yet.' } });
  await assert.rejects(author.post(`/cases/${draft.id}/act`, { transition: 'publish' }), { status: 409 });
  await author.post(`/cases/${rumour.id}/act`, { transition: 'withdraw', fields: { reason: '另行公告' } });
  const { context, page } = await open(mid, '/notices');
  await page.waitForSelector('main[data-state="ready"]');
  while (!(await page.locator('[data-notice="withdrawn"]').count())) {
    await page.reload();
    await page.waitForSelector('main[data-state="ready"]');
  }
  const text = await page.textContent('main');
  assert.ok(!text.includes('尚未审批'), 'a draft is public');
  assert.ok(text.includes(rumour.title) && !text.includes(rumour.text) && !text.includes('另行公告'));
  await context.close();
});

/* ---- published data ----------------------------------------------------------- */

test('a table is turned, sorted, summed and downloaded as it was published', { timeout: 90000 }, async () => {
  const published = await (await fetch(`${end.url}${api}/public/releases/1`)).json();
  const table = published.document.tables.find((t) => t.id === 'age_sex');
  const { context, page } = await open(end, '/data/1/age_sex', { width: 1366, height: 900 });
  await page.waitForSelector('[data-chart="shown"]');
  const figures = async (selector) => (await page.locator(selector).allTextContents()).map((x) => Number(x.replace(/,/g, '')));
  assert.equal((await figures('tfoot td')).pop(), table.total, 'the whole is the published total');
  const totals = await figures('tbody td:last-child');
  assert.equal(totals.reduce((a, b) => a + b, 0), table.total);
  await page.locator('thead th:last-child button').click();
  await page.waitForSelector('th[aria-sort="descending"]');
  const sorted = await figures('tbody td:last-child');
  assert.deepEqual(sorted, [...totals].sort((a, b) => b - a));
  // rows by age: the sums do not change
  await page.selectOption('.turn select >> nth=0', 'age5');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length >= 18);
  assert.equal((await figures('tfoot td')).pop(), table.total);
  // the file holds the cells of the signed text
  const href = await page.locator('a.file[data-primary]').getAttribute('href');
  const csv = (await (await fetch(end.url + href)).text()).replace(/^\ufeff/, '').trim().split('\n');
  assert.deepEqual(csv.slice(1).map((line) => Number(line.split(',').pop())), table.cells);
  const text = await page.textContent('main');
  assert.ok(text.includes(published.proof.document) && text.includes('puan release verify release-1.json'));
  assert.ok(text.includes('来源'));
  await context.close();
});

test('a corrected publication shows both versions side by side', { timeout: 60000 }, async () => {
  // a correction takes the whole workflow of a release; here its answer is
  // made of the real one with one figure changed
  const first = await (await fetch(`${end.url}${api}/public/releases/1`)).json();
  const second = structuredClone(first);
  second.release = 2;
  const t = second.document.tables.find((x) => x.id === 'age_sex');
  const at = t.cells.findIndex((c) => c > 0);
  t.cells[at] += 5;
  t.total += 5;
  const { context, page } = await open(end, '/data/2/age_sex?compare=1', {
    width: 1366,
    prepare: async (p) => {
      await p.route('**/public/releases', async (route) => {
        const a = await (await route.fetch()).json();
        const r = a.items[0];
        await route.fulfill({ json: { ...a, items: [{ ...r, corrected_by: 2 }, { ...r, id: 2, corrects: 1 }] } });
      });
      await p.route('**/public/releases/2', (route) => route.fulfill({ json: second }));
      await p.route('**/public/releases/2/tables', async (route) => route.fulfill({ json: await (await fetch(`${end.url}${api}/public/releases/1/tables`)).json() }));
    },
  });
  await page.waitForSelector('[data-compare] tbody tr');
  const rows = await page.locator('[data-compare] tbody tr').allTextContents();
  assert.equal(rows.filter((r) => r.includes('+5')).length, 1, rows.join('|'));
  assert.ok((await page.textContent('main')).includes('更正了以前的一份'));
  await page.goto(`${end.url}/data`);
  await page.waitForSelector('main[data-state="ready"]');
  const list = await page.textContent('main');
  assert.ok(list.includes('已更正') && list.includes('更正版'));
  await context.close();
});

test('what is asked: every asked item of the form, with its reason', { timeout: 60000 }, async () => {
  const form = await (await fetch(`${mid.url}${api}/public/plan/forms/short`)).json();
  const { context, page } = await open(mid, '/ask');
  await page.waitForSelector('main[data-state="ready"] h2');
  const text = await page.textContent('main');
  let n = 0;
  for (const entity of Object.values(form.form.entities))
    for (const [id, item] of Object.entries(entity.items)) {
      if (item.from || ['place', 'para', 'coding'].includes(item.group)) continue;
      n++;
      assert.ok(item.why?.zh && item.why?.en, `${id} has no reason`);
      assert.ok(text.includes(item.zh) && text.includes(item.why.zh), id);
    }
  assert.ok(n >= 30, `${n} items`);
  assert.ok(text.includes(form.form.law.zh));
  await context.close();
});

/* ---- reporting ----------------------------------------------------------------- */

const words = '11月4日晚上，有人自称普查员，在小区门口收50元登记费。';

test('a report opens a case that law inspection sees and nobody beside it', { timeout: 120000 }, async () => {
  const { context, page } = await open(mid, '/report');
  await page.waitForSelector('main[data-state="ready"]');
  const kept = await page.textContent('.kept');
  assert.ok(kept.includes('执法检查组') && kept.includes('网络地址'), 'what is kept comes first');
  // nothing chosen: told at the top and at the place, in the same words
  await page.click('button[type=submit]');
  await page.waitForSelector('.summary');
  const said = await page.locator('.summary li').allTextContents();
  for (const s of said) assert.ok((await page.locator('.field .wrong').allTextContents()).includes(s), s);
  assert.equal(await page.evaluate(() => document.activeElement?.classList.contains('summary')), true);
  // typed, the page dies, typed text is there
  await page.check('#kind-fee');
  await page.fill('#text', words);
  await page.goto('about:blank');
  await page.goto(`${mid.url}/report`);
  await page.waitForSelector('#text');
  assert.equal(await page.inputValue('#text'), words);
  assert.ok(await page.isChecked('#kind-fee'));
  // the line is cut: nothing is lost, nothing is said to have arrived
  await page.route('**/public/reports', (r) => r.abort('internetdisconnected'));
  await page.click('button[type=submit]');
  await page.waitForSelector('form .gap');
  assert.ok((await page.textContent('form .gap')).includes('没有报送出去'));
  assert.equal(await page.inputValue('#text'), words);
  assert.equal(await page.locator('[data-receipt]').count(), 0);
  await page.unroute('**/public/reports');
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-receipt]');
  const number = (await page.textContent('[data-receipt] .number')).trim();
  assert.match(number, /^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
  assert.equal(await page.evaluate(() => localStorage.getItem('puan.report.draft') ?? sessionStorage.getItem('puan.report.draft')), null, 'the draft is gone');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '存成图片' }).click()]);
  assert.equal(file.suggestedFilename(), 'receipt.png');

  // followed by its receipt, as people type it; nothing that was written
  await page.goto(`${mid.url}/report/follow`);
  await page.fill('#receipt', number.toLowerCase().replaceAll('-', ' '));
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-follow]');
  const follow = await page.textContent('[data-follow]');
  assert.ok(follow.includes('已收到') && !follow.includes('登记费'));
  await page.fill('#receipt', number.slice(0, -1) + (number.endsWith('A') ? 'B' : 'A'));
  await page.click('button[type=submit]');
  await page.waitForSelector('#receipt-wrong');
  assert.ok((await page.textContent('#receipt-wrong')).includes('可能输错'));
  await context.close();

  // the seat of law inspection sees the case, others of the same county do not
  const mine = (await mid.api('enforcement').get('/cases?flow=violation')).items;
  assert.ok(mine.length >= 1, 'enforcement sees it');
  const id = Math.max(...mine.map((c) => c.id));
  for (const role of ['county-business', 'county-data', 'county-general'])
    await assert.rejects(mid.api(role).get(`/cases/${id}`), (e) => e.status === 404, `${role} must not see it`);
});

test('addresses are limited: reports, receipts, certificates', { timeout: 120000 }, async () => {
  const send = () =>
    fetch(`${mid.url}${api}/public/reports`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'other', text: words }),
    });
  let last = 201;
  for (let i = 0; i < 30 && last !== 429; i++) last = (await send()).status;
  assert.equal(last, 429, 'reports');
  const burn = async (path) => {
    let status = 200;
    for (let i = 0; i < 200 && status !== 429; i++) status = (await fetch(`${mid.url}${api}${path}`)).status;
    assert.equal(status, 429, path);
  };
  await burn('/public/reports/AAAA-AAAA-AAAA');
  await burn('/public/certificates/PC2222222');
  // and the page says so in words, with nothing lost
  const { context, page } = await open(mid, '/report');
  await page.waitForSelector('#text');
  await page.check('#kind-other');
  await page.fill('#text', words);
  await page.click('button[type=submit]');
  await page.waitForSelector('form .gap');
  assert.ok((await page.textContent('form .gap')).includes('过于频繁'));
  assert.equal(await page.inputValue('#text'), words);
  await page.goto(`${mid.url}/verify`);
  await page.fill('#no', card.certificate);
  await burn('/public/certificates/PC2222222');
  // somebody behind the same address goes on trying while this one asks
  const going = setInterval(() => void fetch(`${mid.url}${api}/public/certificates/PC2222222`).catch(() => undefined), 50);
  await page.click('form.ask button[type=submit]');
  await page.waitForSelector('[data-answer="none"]').finally(() => clearInterval(going));
  assert.ok((await page.textContent('main')).includes('半分钟'));
  await context.close();
});

test('no answer gave more of a name than its first and last character', () => {
  assert.ok(seen.length > 100, `${seen.length} answers`);
  const people = [...cards(mid), ...cards(end)];
  const wrong = [];
  for (const { url, body } of seen)
    for (const p of people) {
      // names of two characters are their first and last: looked for without the star
      if (body.includes(`"${p.name}"`) || (p.phone && body.includes(p.phone)) || (p.staff && body.includes(`"${p.staff}"`))) wrong.push(`${url}: ${p.name}`);
    }
  assert.deepEqual([...new Set(wrong)], []);
  console.log(JSON.stringify({ public: 'answers read', n: seen.length, names: people.length }));
});
