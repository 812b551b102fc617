// W2: the duty officer is woken at 03:07, on a phone of 360 px, in the dark;
// as an incident and as a drill.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, clock, launch, measured, noIdentity, open, serve, settled, shot, signIn, sleep } from './lib.mjs';

const TITLE = '县普查办机房空调停机';
let s, b;
before(async () => {
  s = await serve('mid');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

/* What is seen now: Chinese characters in the window, the smallest letters,
   the hatched bands. */
function look(page) {
  return page.evaluate(() => {
    const chars = [];
    let small = 99;
    let smallest = '';
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const text = n.textContent.trim();
      const el = n.parentElement;
      if (!text || !el || el.closest('script,style,.visually-hidden,option')) continue;
      const style = getComputedStyle(el);
      if (style.visibility === 'hidden' || style.display === 'none') continue;
      for (let i = 0; i < n.textContent.length; i++) {
        const c = n.textContent[i];
        if (!c.trim()) continue;
        const r = document.createRange();
        r.setStart(n, i);
        r.setEnd(n, i + 1);
        const box = r.getBoundingClientRect();
        const x = box.left + box.width / 2;
        const y = box.top + box.height / 2;
        if (box.width < 1 || x < 0 || y < 0 || x > innerWidth || y > innerHeight) continue;
        const top = document.elementFromPoint(x, y);
        if (!top || !(top === el || el.contains(top) || top.contains(el))) continue;
        let shut = false;
        for (let p = el; p; p = p.parentElement) {
          const o = getComputedStyle(p);
          const pb = p.getBoundingClientRect();
          if (o.overflow !== 'visible' && (y < pb.top || y > pb.bottom || x < pb.left || x > pb.right)) shut = true;
        }
        if (shut) continue;
        if (/[\u3400-\u9fff]/.test(c)) chars.push(c);
        const px = parseFloat(style.fontSize);
        if (px < small) {
          small = px;
          smallest = `${text.slice(0, 20)} (${px})`;
        }
      }
    }
    const bands = [...document.querySelectorAll('[data-drill]')].filter((e) => {
      const r = e.getBoundingClientRect();
      return r.height > 0 && r.top < innerHeight && r.bottom > 0;
    }).length;
    return { chinese: chars.length, small, smallest, bands, dark: matchMedia('(prefers-color-scheme: dark)').matches, title: document.title };
  });
}

async function raise(drill) {
  const made = await s.api('risk-office').post('/cases', {
    area: '370883',
    flow: 'incident',
    drill,
    fields: { class: 'technical', level: 'orange', title: TITLE, place: '县普查办机房' },
  });
  return made.id;
}
const told = async (id) => (await s.api('risk-office').get(`/cases/${id}`)).told;
const escalated = async (id) => (await told(id)).filter((n) => n.kind === 'escalate').length;
async function minute(iso) {
  await clock(s, iso);
  await sleep(3500); // the clocks run each second
}

for (const drill of [false, true]) {
  test(drill ? 'woken for a drill' : 'woken for an incident', async () => {
    await clock(s, '2020-11-06T03:06:50+08:00');
    // what was told before this night is taken: two notices fit on the screen
    for (const n of (await s.api('duty-officer').get('/notices')).items) await s.api('duty-officer').post(`/notices/${n.id}/take`);
    const page = await open(b, { phone: true, dark: true });
    await signIn(page, s, 'duty-officer', '/office/cases');
    await settled(page);
    const other = await raise(drill); // nobody will take this one: it climbs
    const id = await raise(drill);
    const notice = page.locator(`[data-notice="${id}"]`);
    // two notices fit: what is told meanwhile of other cases is taken too
    for (let i = 0; i < 30 && !(await notice.isVisible()); i++) {
      for (const n of (await s.api('duty-officer').get('/notices')).items) if (n.case !== id && n.case !== other) await s.api('duty-officer').post(`/notices/${n.id}/take`);
      await sleep(500);
    }
    await notice.waitFor({ timeout: 15000 });

    // the notice: level, number, due time; no word of what it is about
    const words = await notice.innerText();
    const number = (await s.api('duty-officer').get(`/cases/${id}`)).number;
    assert.match(words, /橙色/);
    assert.ok(words.includes(number), words);
    assert.match(words, /03:1\d/);
    assert.ok(!words.includes(TITLE.slice(0, 4)));
    const raw = page.requests.filter((r) => r.url.includes('/notices')).map((r) => r.body).join('');
    assert.ok(!raw.includes(TITLE), 'the notice carries the title');
    assert.deepEqual(await noIdentity(page, s), []);

    const began = Date.now();
    let taps = 0;
    const screens = [await look(page)];
    await shot(page, `w2-notice${drill ? '-drill' : ''}`);
    await notice.tap();
    taps++;
    await page.waitForURL(`**/office/cases/${id}`);
    const act = page.locator('[data-act="now"]');
    await act.waitFor();
    assert.equal((await act.innerText()).trim(), '我接手');
    screens.push(await look(page));
    await shot(page, `w2-take${drill ? '-drill' : ''}`);
    await act.tap();
    taps++;
    await page.waitForFunction(() => document.querySelector('[data-now] .what')?.textContent?.includes('先期处置'), undefined, { timeout: 10000 });
    const box = await act.boundingBox();
    assert.ok(box.height >= 48 && box.y > 640 / 3 - 48, 'the act is within the thumb');
    await act.tap();
    taps++;
    await page.locator('dialog[open] [data-act="send"]').waitFor();
    screens.push(await look(page));
    await shot(page, `w2-step${drill ? '-drill' : ''}`);
    const seconds = (Date.now() - began) / 1000;

    const chinese = screens.map((x) => x.chinese);
    const small = Math.min(...screens.map((x) => x.small));
    const bands = screens.filter((x) => x.bands > 0).length;
    measured('W2', { drill, taps, seconds, chinese, small, bands });
    assert.ok(taps <= 3);
    assert.ok(seconds <= 60, `${seconds} s`);
    assert.ok(chinese.every((n) => n > 0 && n <= 120), `characters: ${chinese}`);
    assert.ok(small >= 18, screens.map((x) => x.smallest).join(' | '));
    assert.equal(bands, drill ? 3 : 0);
    if (drill) assert.ok(screens.every((x) => x.title.startsWith('【演练】')));
    assert.ok(screens.every((x) => x.dark));
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(page.faults, []);

    // what was taken over climbs no further; what was not does
    await minute('2020-11-06T03:40:00+08:00');
    assert.equal(await escalated(id), 0);
    assert.ok((await escalated(other)) >= 2, 'nobody answered, and nobody was told');
    await s.api('duty-officer').post(`/cases/${other}/take`);
    await page.context().close();
  });
}

test('the network is lost at the second tap', async () => {
  await clock(s, '2020-11-06T04:00:00+08:00');
  const id = await raise(false);
  const page = await open(b, { phone: true, dark: true });
  await signIn(page, s, 'duty-officer', `/office/cases/${id}`);
  await settled(page);
  await page.context().setOffline(true);
  await page.locator('[data-act="now"]').tap();
  const undelivered = page.locator('[data-undelivered]');
  await undelivered.waitFor();
  assert.match(await undelivered.innerText(), /未送达/);
  assert.match(await undelivered.locator('[data-call]').getAttribute('href'), /^tel:/);
  await shot(page, 'w2-undelivered');
  assert.equal((await s.api('risk-office').get(`/cases/${id}`)).taken, undefined);
  const began = Date.now();
  await page.context().setOffline(false);
  await page.waitForFunction(() => document.querySelector('[data-now] .what')?.textContent?.includes('先期处置'), undefined, { timeout: 15000 });
  measured('W2', { undelivered: true, again: (Date.now() - began) / 1000, taps: 0 });
  assert.ok((await s.api('risk-office').get(`/cases/${id}`)).taken);
  // and after a reload in the dark, too: the tap is not lost
  const second = await raise(false);
  await page.goto(`${s.url}/office/cases/${second}`);
  await settled(page);
  await page.route('**/take', (r) => r.abort('internetdisconnected'));
  await page.locator('[data-act="now"]').tap();
  await page.locator('[data-undelivered]').waitFor();
  await page.unroute('**/take');
  await page.reload();
  await page.waitForFunction(() => document.querySelector('[data-now] .what')?.textContent?.includes('先期处置'), undefined, { timeout: 15000 });
  assert.ok((await s.api('risk-office').get(`/cases/${second}`)).taken);
  await page.context().close();
});
