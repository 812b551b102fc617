// Signing in, the session, the second factor, seat and area switcher, people
// and seats, ledger search: what they say, and in which state.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accountOf, axe, code, launch, noIdentity, open, serve, settled, shot, signIn, sleep, states } from './lib.mjs';

let s, b;
before(async () => {
  s = await serve('end');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

async function atSignIn(page, path = '/office') {
  await page.goto(s.url + path);
  await page.waitForSelector('[data-page=signin] input[name=name]');
}

test('signing in: every fault in words, in both languages, on a phone, in the dark', async () => {
  const page = await open(b);
  await atSignIn(page);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'name');
  assert.deepEqual(await axe(page), []);
  await shot(page, 'signin');
  await page.fill('input[name=name]', 'county-head.370883');
  await page.fill('input[name=secret]', 'not-the-password-1');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  assert.match(await page.innerText('[role=alert]'), /不对.*核对后再登录/);
  assert.equal(await page.inputValue('input[name=name]'), 'county-head.370883');
  // a name is locked after five: until when, and who helps
  await page.fill('input[name=name]', 'nobody-here');
  for (let i = 0; i < 6; i++) {
    await page.fill('input[name=secret]', `wrong-${i}`);
    const answer = page.waitForResponse((r) => r.url().endsWith('/login'));
    await page.keyboard.press('Enter');
    if ((await answer).status() === 429) break;
  }
  await page.waitForFunction(() => /暂停登录/.test(document.querySelector('[role=alert]')?.textContent ?? ''));
  assert.match(await page.innerText('[role=alert]'), /\d\d:\d\d后再试/);
  await page.click('text=English');
  assert.equal(await page.innerText('h1'), 'Sign in');
  assert.doesNotMatch((await page.innerText('[data-page=signin]')).replace('中文', ''), /第七次|登录|口令/);
  // no line: what was typed stays
  await page.context().setOffline(true);
  await page.fill('input[name=secret]', 'kept');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /network/i.test(document.querySelector('[role=alert]')?.textContent ?? ''));
  assert.equal(await page.inputValue('input[name=secret]'), 'kept');
  await page.context().close();
  const phone = await open(b, { phone: true, dark: true });
  await atSignIn(phone);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  const box = await phone.locator('[data-primary]').boundingBox();
  assert.ok(box.height >= 48 && box.y + box.height <= 640, JSON.stringify(box));
  assert.deepEqual(await axe(phone), []);
  await shot(phone, 'signin-phone-dark');
  await phone.context().close();
});

test('a session warns before its end, any key extends it, and signing in again keeps what was typed', async () => {
  const page = await open(b);
  await page.clock.install();
  await signIn(page, s, 'security-admin', '/office/people');
  await settled(page);
  await page.fill('input[type=search]', 'kept-text');
  // the server says 70 s are left; the page's own clock runs on
  let left = 70000;
  let extended = 0;
  await page.route(/\/session(\?|$)/, async (route) => {
    const peek = route.request().url().includes('peek');
    if (!peek) extended++;
    if (left <= 0) return route.fulfill({ status: 401, json: { code: 'no-session' } });
    const r = await route.fetch();
    const json = await r.json();
    return route.fulfill({ response: r, json: { ...json, idle_left_ms: peek ? left : json.idle_ms } });
  });
  const idle = (await s.api('security-admin').get('/session')).idle_ms;
  await page.clock.fastForward(idle - 60000);
  left = 60000;
  await page.clock.runFor(3000);
  await page.waitForSelector('[data-session=ending]');
  assert.match(await page.innerText('[data-session=ending]'), /秒后结束登录.*任意键/s);
  await shot(page, 'session-ending');
  const before = extended;
  left = idle;
  await page.keyboard.press('Shift');
  await page.waitForSelector('[data-session=ending]', { state: 'detached' });
  assert.ok(extended > before, 'a key extends');
  // then nobody is there, and it ends
  await page.clock.fastForward(idle);
  left = 0;
  await page.clock.runFor(5000);
  await page.waitForSelector('[data-page=signin]');
  assert.match(await page.innerText('[data-page=signin]'), /登录已结束/);
  assert.equal(await page.inputValue('input[name=name]'), 'security-admin');
  assert.equal(await page.evaluate(() => document.querySelector('input[type=search]')?.value), 'kept-text', 'the text is under it');
  assert.ok(await page.evaluate(() => document.querySelector('.office')?.inert), 'and out of reach');
  await page.unroute(/\/session(\?|$)/);
  const a = await accountOf(s, 'security-admin');
  await page.fill('input[name=secret]', a.secret);
  await page.fill('input[name=code]', await code(a.otp));
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=signin]', { state: 'detached' });
  assert.equal(await page.inputValue('input[type=search]'), 'kept-text');
  await page.context().close();
});

test('the area switcher: initials, name and code in three keys, siblings, page and filters kept', async () => {
  const page = await open(b);
  await signIn(page, s, 'security-admin', '/office/people?role=township-office');
  await settled(page);
  const townships = (await s.api('county-business').get('/areas')).items;
  assert.ok(townships.length > 10);
  const measures = [];
  const pick = async (keys) => {
    await page.keyboard.press('Control+k');
    await page.waitForSelector('.pop.search input:focus');
    await page.keyboard.type(keys);
    await page.waitForSelector('.pop.search [role=option]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pop', { state: 'detached' });
    return new URL(page.url()).searchParams.get('area');
  };
  // every township within three letters of its initials, or three digits of its code
  for (const t of townships) {
    const hit = await page.evaluate(async (name) => {
      const c = new Intl.Collator('zh-CN-u-co-pinyin');
      const firsts = '阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀';
      const letters = 'abcdefghjklmnopqrstwxyz';
      return [...name].map((x) => letters[[...firsts].findLastIndex((f) => c.compare(x, f) >= 0)] ?? '').join('');
    }, t.zh);
    measures.push([t.zh, hit.slice(0, 3), t.code]);
  }
  let direct = 0;
  for (const [, keys, want] of measures.slice(0, 6)) direct += (await pick(keys)) === want;
  assert.ok(direct >= 5, `${direct} of 6 by initials`);
  const [first] = townships;
  // inside an area its own children come first; so from the seat's own
  await page.goto(`${s.url}/office/people?role=township-office`);
  await settled(page);
  assert.equal(await pick(first.code.slice(-3)), first.code);
  await page.keyboard.press('Alt+ArrowUp');
  assert.equal(await pick(first.zh.slice(0, 2)), first.code);
  assert.equal(new URL(page.url()).searchParams.get('role'), 'township-office');
  assert.equal(new URL(page.url()).pathname, '/office/people');
  await settled(page);
  // siblings drop down at the step itself
  await page.click('.areas .drop');
  await page.waitForSelector('.pop .item');
  assert.equal(await page.locator('.pop .item').count(), townships.length);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForFunction((c) => new URL(location.href).searchParams.get('area') === c, townships[1].code);
  // Alt+up goes to the parent, which is the seat's own: out of the address
  await page.keyboard.press('Alt+ArrowUp');
  await page.waitForFunction(() => !new URL(location.href).searchParams.has('area'));
  assert.deepEqual(page.faults, []);
  assert.deepEqual(await axe(page), []);
  await page.context().close();
});

test('one person, two seats: the switcher moves, and nothing of the other seat stays', async () => {
  const name = `two.seats.${Date.now() % 100000}`;
  const made = await s.api('system-admin').post('/accounts', { name, person: '两岗' });
  for (const [role, area] of [['township-office', '370883001'], ['township-office', '370883002']])
    await s.api('security-admin').post('/seats', { account: name, role, area });
  s.accounts.push({ role: 'two-seats', account: name, secret: made.secret, otp: made.totp, area: '' });
  const page = await open(b);
  await signIn(page, s, 'two-seats');
  const before = await page.innerText('.areas .step.last');
  await page.click('button.seat');
  assert.equal(await page.locator('.who .menu .item').count(), 2);
  await page.click('.who .menu .item:not([aria-current])');
  await page.waitForFunction((was) => document.querySelector('.areas .step.last')?.textContent?.trim() !== was, before);
  const session = await page.evaluate(async () => (await fetch('/api/v1/c/cn-population-2020/session?peek=true')).json());
  assert.equal(session.area, '370883002');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('people and seats: states, words, no figure without its list', async () => {
  const page = await open(b);
  await signIn(page, s, 'security-admin', '/office/people');
  await settled(page);
  assert.equal(await page.locator('.three li').count(), 3);
  assert.equal(await page.locator('[data-primary]').count(), 1);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'people');
  // two powers in one hand: refused, in words, and what was chosen stays
  await page.click('[data-primary]');
  await page.fill('dialog[open] input[name=account]', 'audit-admin');
  await page.selectOption('dialog[open] select[name=role]', 'system-admin');
  await page.click('dialog[open] [data-primary]');
  await page.waitForSelector('dialog[open] [role=alert]');
  assert.match(await page.innerText('dialog[open] [role=alert]'), /两种权力不能由一人兼任/);
  assert.equal(await page.inputValue('dialog[open] input[name=account]'), 'audit-admin');
  await page.keyboard.press('Escape');
  // the system administrator makes an account and gives no seat
  const sys = await open(b);
  await signIn(sys, s, 'system-admin', '/office/people');
  await settled(sys);
  assert.equal(await sys.locator('text=授予岗位').count(), 0, 'what a seat may not do is absent');
  const name = `new.clerk.${Date.now() % 100000}`;
  await sys.click('[data-primary]');
  await sys.fill('input[name=new-name]', name);
  await sys.fill('input[name=new-person]', '工号 0007');
  await sys.click('dialog[open] [data-primary]');
  await sys.waitForSelector('dialog[open] dl');
  assert.match(await sys.innerText('dialog[open]'), /只显示一次/);
  await sys.click('dialog[open] [data-primary]');
  // the security administrator seats it, sees it, ends it
  await page.click('[data-primary]');
  await page.fill('dialog[open] input[name=account]', name);
  await page.selectOption('dialog[open] select[name=role]', 'county-business');
  await page.click('dialog[open] [data-primary]');
  await page.waitForSelector(`text=已授予${name}`);
  await page.goto(`${s.url}/office/people?q=${name}`);
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.click('tbody tr');
  await page.click('.person >> text=结束岗位');
  await page.click('dialog[open] .foot button:last-child');
  assert.match(await page.innerText('dialog[open] [role=alert]'), /理由/);
  await page.fill('dialog[open] textarea', '调离，移交给业务组');
  await page.click('dialog[open] .foot button:last-child');
  await page.waitForSelector(`text=已结束${name}的岗位`);
  await settled(page);
  // a figure opens the list it counts
  await page.goto(`${s.url}/office/people`);
  await settled(page);
  const past = page.locator('text=/已结束\\d+个/');
  const n = Number(/\d+/.exec(await past.innerText())[0]);
  await past.click();
  await page.waitForURL(/state=ended/);
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), n);
  // a disabled account with an open seat stands out the same day
  await sys.context().close();
  await page.context().close();
});

test('people and seats: the data states', async () => {
  const page = await open(b);
  await signIn(page, s, 'audit-admin', '/office/people');
  assert.equal(await page.locator('[data-primary]').count(), 0, 'the auditor only reads');
  const seen = await states(page, {
    url: `${s.url}/office/people`,
    api: /\/people\?/,
    empty: (j) => ({ ...j, items: [], total: 0 }),
    filter: '?role=expert',
    only: ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'stale', 'empty', 'filtered'],
  });
  assert.equal(Object.keys(seen).length, 8);
  await page.context().close();
});

test('ledger search: the data states', async () => {
  const page = await open(b);
  await signIn(page, s, 'audit-admin', '/office/ledger');
  await settled(page);
  assert.deepEqual(await axe(page), []);
  await states(page, {
    url: `${s.url}/office/ledger?q=2020-11-05`,
    api: /\/audit\/search/,
    empty: (j) => ({ ...j, items: [], total: 0, verbs: [], changes: [] }),
    filter: '&verb=lot.accept',
    only: ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'stale', 'empty', 'filtered'],
  });
  await page.context().close();
});

test('an act with an old code asks for it again in place, and then goes on', async () => {
  const page = await open(b);
  await signIn(page, s, 'security-admin', '/office/people');
  await settled(page);
  const a = await accountOf(s, 'security-admin');
  let asked = 0;
  await page.route(/\/seats$/, async (route) => {
    if (asked++ === 0) return route.fulfill({ status: 403, json: { code: 'second-factor' } });
    return route.fulfill({ status: 201, json: { seat: 1 } });
  });
  await page.click('[data-primary]');
  await page.fill('dialog[open] input[name=account]', 'county-data.370883');
  await page.selectOption('dialog[open] select[name=role]', 'county-business');
  await page.click('dialog[open] [data-primary]');
  await page.waitForSelector('input[name=factor]');
  await page.fill('input[name=factor]', '000000');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /动态口令不对/.test(document.querySelector('#factor-wrong')?.textContent ?? ''));
  await page.fill('input[name=factor]', await code(a.otp));
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=已授予county-data.370883');
  assert.equal(asked, 2);
  await page.context().close();
});

test('no name and no number in the lists; streams open and close with their page', async () => {
  const page = await open(b);
  await signIn(page, s, 'audit-admin', '/office/ledger?q=2020-11-05');
  await settled(page);
  assert.deepEqual(await noIdentity(page, s), []);
  await page.evaluate(() => {
    globalThis.streams = Array.from({ length: 3 }, () => new EventSource('/api/v1/c/cn-population-2020/events?topics=counts,cases'));
  });
  await page.waitForFunction(() => globalThis.streams.every((x) => x.readyState === 1));
  const open_ = async () => Number(/puan_streams_open (\d+)/.exec(await (await fetch(`${s.url}/metrics`)).text())[1]);
  assert.ok((await open_()) >= 3);
  await page.context().close();
  await sleep(200);
  await s.halt();
  await s.start();
  s.tokens.clear();
});
