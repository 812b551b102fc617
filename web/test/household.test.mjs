// The household's pages in their states: three faults of a code, lock with
// words, before opening, closing at 24:00 while somebody fills in, another
// phone, a send lost on the way, a query, axe, letter sizes, both languages.
import test from 'node:test';
import assert from 'node:assert/strict';
import { at, axe, campaign, enter, idNumber, next, option, phone, primary } from './household_kit.mjs';

let c;
test.before(async () => {
  c = await campaign({ n: 10 });
});
test.after(async () => c?.end());

const main = (page) => page.locator('main').innerText();
const start = async (page) => {
  await page.goto(`${c.url}/household`);
  await page.waitForSelector('main[data-state=ready] [name=code]');
};

/** A household of one, answered to the page that checks everything. */
async function fillOne(page, { name = '孙立', id = idNumber('370883', '19850612', 11) } = {}) {
  await at(page, '/q/count');
  await page.fill('[name=household-0-H2a]', '1');
  await page.fill('[name=household-0-H2b]', '0');
  await option(page, '家庭户').tap();
  await next(page);
  await at(page, '/q/person-1-who');
  await page.fill('[name=person-0-D1]', name);
  await page.fill('[name=person-0-D3]', id);
  await page.waitForSelector('p.back');
  await next(page);
  for (const [screen, answer] of [['ethnic', '汉族'], ['stay', '就住在这里'], ['registered', '本村（居）委会'], ['school', '初中']]) {
    await at(page, `/q/person-1-${screen}`);
    await option(page, answer).tap();
    await next(page);
  }
  await at(page, '/q/dwelling');
  await option(page, '普通住宅').tap();
  await page.fill('[name=household-0-H6]', '60');
  await page.fill('[name=household-0-H7]', '2');
  await next(page);
  await at(page, '/q/year');
  await page.locator('text=都没有').tap();
  await next(page);
  await at(page, '/check');
}

test('a code: empty, wrongly typed and not known are three different answers', async () => {
  const p = await phone({ height: 560 });
  try {
    await start(p.page);
    // the first act is on the glass of a cheap phone without scrolling
    const box = await primary(p.page).boundingBox();
    assert.ok(box.y + box.height <= 560, `primary act ends at ${box.y + box.height}`);
    const code = await c.issue(c.households[0]);
    const said = [];
    const wrong = async (text) => {
      await p.page.fill('[name=code]', text);
      await next(p.page);
      await p.page.waitForSelector('.ph-field .wrong');
      said.push(await p.page.locator('.ph-field .wrong').innerText());
      assert.equal(await p.page.evaluate(() => document.activeElement.name), 'code', 'the focus is at the field');
    };
    await wrong('');
    await wrong(code.slice(0, 9));
    await wrong(code.slice(0, 6) + code[7] + code[6] + code.slice(8) === code ? code.slice(0, 15) + (code[15] === '2' ? '3' : '2') : code.slice(0, 6) + code[7] + code[6] + code.slice(8));
    await p.page.fill('[name=code]', '2222222222222222');
    await next(p.page);
    await p.page.waitForFunction(() => /没有登记在用/.test(document.querySelector('.ph-field .wrong')?.textContent ?? ''));
    said.push(await p.page.locator('.ph-field .wrong').innerText());
    assert.equal(new Set(said).size, 4, said.join('\n'));
    // typed in small letters with blanks it is shown in groups of four
    await p.page.fill('[name=code]', code.toLowerCase());
    assert.equal(await p.page.inputValue('[name=code]'), code.match(/.{4}/g).join(' '));
    assert.deepEqual(await axe(p.page), []);
  } finally {
    await p.close();
  }
});

test('five wrong passwords: until when, and whom to ask', async () => {
  const p = await phone();
  try {
    const code = await c.issue(c.households[1]);
    await enter(p.page, c.url, code, 'mi ma shi ba');
    await at(p.page, '/q/count');
    await p.page.context().clearCookies();
    await start(p.page);
    await p.page.fill('[name=code]', code);
    await next(p.page);
    await p.page.waitForSelector('[name=password]');
    assert.match(await main(p.page), /您家已设密码/);
    for (let i = 0; i < 5; i++) {
      await p.page.fill('[name=password]', `wrong ${i}`);
      await next(p.page);
      await p.page.waitForSelector('.ph-field .wrong');
      await p.page.waitForSelector('[data-primary]:not([disabled])');
    }
    assert.match(await p.page.locator('.ph-field .wrong').innerText(), /暂停到\d\d:\d\d（约15分钟）.*普查员或村（居）委会/);
  } finally {
    await p.close();
  }
});

test('who signs in after another in the same browser sees nothing of theirs by going back', async () => {
  const p = await phone();
  try {
    await c.clock('2020-11-02T19:30:00+08:00');
    const [one, two] = [await c.issue(c.households[8]), await c.issue(c.households[9])];
    await enter(p.page, c.url, one);
    await at(p.page, '/q/count');
    await p.page.fill('[name=household-0-H2a]', '1');
    await p.page.fill('[name=household-0-H2b]', '0');
    await option(p.page, '家庭户').tap();
    await next(p.page);
    await at(p.page, '/q/person-1-who');
    await p.page.fill('[name=person-0-D1]', '孙立');
    await p.page.locator('button.out').tap();
    await p.page.waitForSelector('main[data-state=ready] [name=code]');
    await p.page.fill('[name=code]', two);
    await next(p.page);
    await at(p.page, '/home');
    for (let i = 0; i < 4; i++) {
      await p.page.goBack({ waitUntil: 'commit' }).catch(() => null);
      await p.page.waitForTimeout(300);
      const seen = await p.page.evaluate(() => [document.body.innerText, ...[...document.querySelectorAll('input')].map((e) => e.value)].join(' '));
      assert.ok(!seen.includes('孙立'), `step ${i}: ${p.page.url()}`);
    }
    // a tab that still holds the first household's draft saves nothing under the second's session
    await p.page.goto(`${c.url}/household`);
    const r = await p.page.evaluate(async (h) => {
      const a = await fetch(`/api/v1/c/cn-population-2020/me/draft?household=${h}`, { method: 'PUT', headers: { 'If-Match': '"0"', 'content-type': 'application/json' }, body: '{}' });
      return [a.status, (await a.json()).type ?? ''].join(' ');
    }, c.households[8]);
    assert.match(r, /^401/);
  } finally {
    await p.close();
  }
});

test('before the opening a draft may be kept, not sent', async () => {
  const p = await phone();
  try {
    await c.clock('2020-10-30T10:00:00+08:00');
    await enter(p.page, c.url, await c.issue(c.households[2]));
    await fillOne(p.page);
    assert.match(await main(p.page), /2020年11月1日起可以提交/);
    assert.ok(await primary(p.page).isDisabled());
    await c.clock('2020-11-01T00:00:05+08:00');
    await p.page.waitForSelector('[data-primary]:not([disabled])', { timeout: 40000 });
  } finally {
    await c.clock('2020-11-02T19:30:00+08:00');
    await p.close();
  }
});

test('at 24:00 the form closes with what happens next, and the draft is not handed on', async () => {
  const p = await phone();
  try {
    await c.clock('2020-11-05T22:30:00+08:00');
    const code = await c.issue(c.households[3]);
    await enter(p.page, c.url, code);
    await fillOne(p.page);
    await p.page.waitForSelector('.soon');
    assert.match(await p.page.locator('.soon').innerText(), /11月5日24时截止.*不会自动转交/);
    // sending across midnight: the server says no, the page says what that means
    await c.clock('2020-11-05T23:59:57+08:00');
    await new Promise((r) => setTimeout(r, 4000));
    // a page that has not heard of it yet sends all the same
    const own = (await c.call('POST', '/login/household', null, { code, password: 'tian qi hao' })).body;
    const late = await c.call('POST', '/returns', own.token, {
      form: 'short', household: c.households[3], base: 0, device: 'late', counter: 1, mode: 'self', signed: true,
      started: '2020-11-05T23:00:00+08:00', finished: '2020-11-05T23:59:59+08:00', answers: {}, person: [], death: [],
    });
    assert.equal(late.status, 403);
    assert.equal(late.body.code, 'window-closed');
    await at(p.page, '/sent').catch(() => next(p.page).then(() => at(p.page, '/sent')));
    const text = await main(p.page);
    assert.match(text, /自主填报已于11月5日24时截止/);
    assert.match(text, /普查员会上门登记，11月15日24时以前/);
    assert.match(text, /草稿不会自动转交/);
    assert.equal(await p.page.locator('[name^=household]').count(), 0, 'nothing more to fill in');
    assert.deepEqual(await axe(p.page), []);
    // and signing in anew leads to the same page
    await p.page.context().clearCookies();
    await start(p.page);
    assert.match(await main(p.page), /自主填报已于11月5日24时截止/);
    // the draft is still sealed with the household, and nobody's return
    const me = (await c.call('GET', '/me', own.token)).body;
    assert.equal(me.return, null);
    const counts = (await c.call('GET', '/counts', await c.as('system-admin'))).status;
    assert.equal(counts, 403, 'administrators see no counts');
  } finally {
    await c.clock('2020-11-02T19:30:00+08:00');
    await p.close();
  }
});

test('another phone goes on with code and password; two that differ are asked', async () => {
  const one = await phone();
  const two = await phone();
  try {
    const code = await c.issue(c.households[4]);
    await enter(one.page, c.url, code);
    await at(one.page, '/q/count');
    await one.page.fill('[name=household-0-H2a]', '1');
    await one.page.fill('[name=household-0-H2b]', '0');
    await option(one.page, '家庭户').tap();
    await next(one.page);
    await at(one.page, '/q/person-1-who');
    await one.page.fill('[name=person-0-D1]', '周小川');
    await one.page.waitForFunction(() => /存到普查办/.test(document.querySelector('.foot')?.textContent ?? ''), undefined, { timeout: 30000 });
    await enter(two.page, c.url, code, 'tian qi hao', { first: false });
    await at(two.page, '/q/person-1-who');
    assert.equal(await two.page.inputValue('[name=person-0-D1]'), '周小川');
    await two.page.fill('[name=person-0-D1]', '周小川甲');
    await two.page.waitForFunction(() => /存到普查办/.test(document.querySelector('.foot')?.textContent ?? ''), undefined, { timeout: 30000 });
    await one.page.fill('[name=person-0-D1]', '周小川乙');
    await one.page.waitForSelector('dialog[open]', { timeout: 40000 });
    assert.match(await one.page.locator('dialog').filter({ hasText: '另一部手机' }).innerText(), /不能合并/);
    await one.page.locator('text=用那一份').tap();
    await one.page.waitForFunction(() => document.querySelector('[name=person-0-D1]')?.value === '周小川甲');
    assert.deepEqual([...one.faults, ...two.faults], []);
  } finally {
    await one.close();
    await two.close();
  }
});

test('a send lost on the way is sent again, and one return arrives', async () => {
  const p = await phone();
  try {
    const code = await c.issue(c.households[5]);
    await enter(p.page, c.url, code);
    await fillOne(p.page);
    let lost = 0;
    // the first goes through and its answer is lost; the second never leaves
    await p.page.route('**/returns', async (route) => {
      lost++;
      if (lost === 1) {
        await route.fetch();
        await route.abort();
      } else if (lost === 2) await route.abort();
      else await route.continue();
    });
    while (await p.page.locator('.ph-finding .ph-button').count()) await p.page.locator('.ph-finding .ph-button').first().tap();
    await next(p.page);
    await p.page.waitForSelector('text=秒后再送一次');
    assert.match(await main(p.page), /正在送达（第[12]次）/);
    assert.doesNotMatch(await main(p.page), /已送达/);
    await at(p.page, '/sent');
    assert.equal(lost, 3, 'the third arrived');
    const text = await main(p.page);
    assert.match(text, /已送达/);
    const code8 = /[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}/.exec(text)[0];
    const own = (await c.call('POST', '/login/household', null, { code, password: 'tian qi hao' })).body;
    assert.equal((await c.call('GET', '/me', own.token)).body.return.version, 1, 'one return');
    assert.equal((await c.call('GET', '/me/draft', own.token)).status, 404, 'no draft stays');
    assert.deepEqual(await axe(p.page), []);
    // the bookmark opened later: the state, not the answers
    await p.page.context().clearCookies();
    await start(p.page);
    await p.page.fill('[name=code]', code);
    await next(p.page);
    await p.page.fill('[name=password]', 'tian qi hao');
    await next(p.page);
    await at(p.page, '/sent');
    const later = await main(p.page);
    assert.match(later, new RegExp(code8));
    assert.doesNotMatch(later, /孙立|370883198/);
  } finally {
    await p.close();
  }
});

test('no page scrolls sideways at 18, 24 and 30 px, in both languages; axe finds nothing serious', async () => {
  const p = await phone();
  try {
    await enter(p.page, c.url, await c.issue(c.households[6]));
    await fillOne(p.page, { name: 'Alexandra Wolfeschlegelst' });
    const pages = ['/check', '/form', '/q/count', '/q/person-1-who', '/q/person-1-ethnic', '/q/person-1-stay', '/q/person-1-school', '/q/dwelling', '/q/year'];
    for (const path of pages) {
      await p.page.evaluate((to) => {
        history.pushState({}, '', `/household${to}`);
        dispatchEvent(new PopStateEvent('popstate', { state: {} }));
      }, path);
      await at(p.page, path);
      await p.page.waitForSelector('main h1');
      for (const lang of ['English', '中文']) {
        await p.page.locator('.ph-size .lang').tap();
        for (const size of ['24', '30', '18']) {
          await p.page.evaluate((s) => (document.documentElement.dataset.size = s), size);
          const w = await p.page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(w <= 360, `${path} ${lang} ${size}: ${w}`);
        }
      }
      assert.deepEqual(await axe(p.page), [], path);
      const small = await p.page.evaluate(() =>
        [...document.querySelectorAll('main button, main select, main input:not([type=radio]):not([type=checkbox]), main label.option')]
          .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44)
          .map((e) => `${e.className} ${e.getBoundingClientRect().height}`));
      assert.deepEqual(small, [], `${path}: targets`);
    }
    assert.deepEqual(p.faults, []);
  } finally {
    await p.close();
  }
});

test('the office does not answer: said, tried again, nothing lost', async () => {
  const p = await phone();
  try {
    await p.page.route('**/api/v1/campaign', (r) => r.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"busy"}' }));
    await p.page.goto(`${c.url}/household`);
    await p.page.waitForSelector('main[data-state=not-loaded]');
    assert.match(await main(p.page), /没有取到/);
    await p.page.unroute('**/api/v1/campaign');
    await p.page.route('**/api/v1/campaign', (r) => r.abort());
    await next(p.page);
    await p.page.waitForSelector('main[data-state=not-loaded], main[data-state=offline]');
    await p.page.unroute('**/api/v1/campaign');
    await next(p.page);
    await p.page.waitForSelector('main[data-state=ready]');
  } finally {
    await p.close();
  }
});
