// Every page in every data state (ui.md §1): what it asks for is made to fail,
// to be refused, to come in part, empty or not at all, and the page must say
// which of these it is.  Where nothing was loaded no zero may stand.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { addressOf, officePages, publicPages, seatOf, stageOf } from './pages.mjs';
import { launch, open, serve, settled, signIn, states } from './lib.mjs';

// What the shell itself asks for; an office page without it is not reached.
const shell = { office: /\/api\/v1\/(campaign$|c\/[^/]+\/(session|areas|events|notices))/, public: /^$/ };
// Lists that can be empty as a whole; elsewhere a list is one part of several.
const lists = ['acceptance', 'cases', 'certificates', 'duplicates', 'messages', 'people', 'releases', 'report', 'review', 'samples', 'data'];
// Asks only after something was done on it; its states are in the test named.
const asked_for = { audit: 'access.test.mjs', residence: 'desk.test.mjs', verify: 'w9.test.mjs' };
// What everybody may read whole and once: never refused, never in part.
const open_to_all = { ask: ['ready', 'not-loaded', 'offline', 'stale'], home: ['ready', 'not-loaded', 'offline'], help: ['ready', 'not-loaded', 'offline', 'stale'] };

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const nothing = (j) => (Array.isArray(j.items) ? { ...j, items: [], total: 0, pages: 0 } : j);
// What an untouched census may honestly be on the evening of the test, from its
// own answers: in part (an area not heard of yet), or with nothing to do.
const honest = { partial: (j) => j.partial, empty: (j) => Object.values(j).some((v) => Array.isArray(v) && v.length === 0) || j.text === null || (j.may_send === false && j.total === 0) };

for (const stage of ['mid', 'end'])
  test(`data states, ${stage}`, async (t) => {
    const s = await serve(stage);
    const table = {};
    let signed = null;
    let page = null;
    for (const p of [...officePages, ...publicPages].filter((x) => stageOf(x) === stage && !asked_for[x.name]))
      await t.test(`${p.face} ${p.name}`, async () => {
        if (p.face === 'office') {
          const role = await seatOf(s, p);
          if (signed !== role) {
            await page?.context().close();
            page = await open(browser, { width: 1366, height: 650 });
            await signIn(page, s, role, '/office/');
            signed = role;
          }
        } else if (signed !== 'public') {
          await page?.context().close();
          page = await open(browser, { width: 390, height: 844 });
          signed = 'public';
        }
        const url = s.url + (await addressOf(s, p, signed === 'public' ? undefined : signed));
        const asked = new Set();
        const answers = [];
        const watch = (r) => {
          const u = new URL(r.url());
          if (!u.pathname.startsWith('/api/') || r.request().method() !== 'GET' || shell[p.face].test(u.pathname)) return;
          asked.add(u.pathname);
          answers.push(r.json().catch(() => ({})));
        };
        page.on('response', watch);
        await page.goto(url);
        const untouched = await settled(page);
        await page.waitForTimeout(300);
        page.off('response', watch);
        assert.ok(asked.size > 0, `${p.name} asks for nothing`);
        const why = honest[untouched];
        assert.ok(untouched === 'ready' || (why && (await Promise.all(answers)).some(why)), `${p.name} says ${untouched} of itself`);
        const states_of = open_to_all[p.name] ?? ['ready', 'not-loaded', 'offline', 'refused', 'partial', 'stale'];
        const only = states_of.filter((x) => untouched === 'ready' || x !== 'ready');
        if (lists.includes(p.name) && !only.includes('empty')) only.push('empty');
        const seen = [];
        const wrong = [];
        for (const state of only)
          try {
            await states(page, { url, api: { test: (u) => u.startsWith('/api/') && !shell[p.face].test(u.split('?')[0]) }, empty: nothing, only: [state] });
            seen.push(state);
          } catch (e) {
            await page.unrouteAll({ behavior: 'ignoreErrors' });
            wrong.push(e.message);
          }
        table[p.name] = seen.join(' ');
        assert.deepEqual(wrong, [], `${p.name}: ${[...asked].join(' ')}`);
      });
    await page?.context().close();
    await s.stop();
    t.diagnostic(JSON.stringify({ states: table }));
  });
