/*
 * The tour: a picture of every page of every face, in both languages, on a
 * desktop and on a phone, in the dark where people work at night, in grey and
 * under three kinds of colour-blindness where levels are shown; and doc/tour.md
 * that shows them.  Made by web/test/run.sh tour.mjs; PUAN_FIXTURE names
 * the census it is made of, PUAN_TOUR another folder than doc/, PUAN_TOUR_PAGES
 * the only pages ("rules,findings") to take anew; the others keep their pictures.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launch, open, root, serve, settled, signIn } from './lib.mjs';
import { addressOf, officePages, publicPages, seatOf, stageOf } from './pages.mjs';

const doc = process.env.PUAN_TOUR ?? join(root, 'doc');
const out = join(doc, 'tour');
const limit = 8 * 1024 * 1024;
const night = new Set(['cases', 'case', 'board']);
const levels = new Set(['cases', 'case', 'board']);
const sights = ['achromatopsia', 'protanopia', 'deuteranopia', 'tritanopia'];
const words = {
  zh: '电脑', en: 'desktop, English', phone: '手机 phone', dark: '夜间 dark', achromatopsia: '灰度 greyscale', protanopia: '红色盲 protanopia',
  deuteranopia: '绿色盲 deuteranopia', tritanopia: '蓝色盲 tritanopia',
};

const stages = {};
const b = await launch();
after(async () => {
  await b.close();
  for (const s of Object.values(stages)) await s.stop();
});
const stage = async (name) => (stages[name] ??= await serve(name));

async function picture(page, file) {
  const c = await page.context().newCDPSession(page);
  const { data } = await c.send('Page.captureScreenshot', { format: 'webp', quality: 60 });
  await c.detach();
  writeFileSync(join(out, file), Buffer.from(data, 'base64'));
  return file;
}
async function quiet(page, s, path) {
  await page.goto(s.url + path);
  await page.waitForSelector('h1');
  if (await page.locator('main[data-state]').count()) await settled(page).catch(() => undefined);
  await page.waitForTimeout(700);
}

/* What a page is shown with: a desk with texts on it, a table that was made. */
const asked = { builder: '?by=township,D4', library: '?flow=incident' };
const texts = 'text,times\n在镇上卖水果,40\n打工,7\n管子,25\n机械,12\n水,30\n给人理发,18\n种小麦和玉米,90\n开货车跑运输,33\n';
const seat = { coding: 'county-data' }; // who may bring the texts
const ready = new Set();
async function prepare(page, p) {
  if (p.name !== 'coding' || ready.has(p.name)) return;
  ready.add(p.name);
  await page.setInputFiles('#coding-file', { name: 'texts.csv', mimeType: 'text/csv', buffer: Buffer.from(texts) });
  await page.waitForSelector('[data-answer]');
}

const only = process.env.PUAN_TOUR_PAGES?.split(',');
const shown = [];
const signed = new Map();

async function take(p) {
  const name = stageOf(p);
  const s = await stage(name);
  const role = p.face === 'office' ? (seat[p.name] ?? (await seatOf(s, p))) : '';
  const path = p.face === 'household' ? p.path : (await addressOf(s, p, role)) + (asked[p.name] ?? '');
  const key = `${name} ${role}`;
  const base = `${p.face}-${p.name}`;
  const rows = [];
  const kinds = p.face === 'office' ? ['zh', 'en', ...(p.phone ? ['phone'] : []), ...(night.has(p.name) ? ['dark'] : [])] : ['phone', 'en', 'zh'];
  if (only && !only.includes(p.name)) {
    const kept = kinds.flatMap((k) => (k === 'zh' && levels.has(p.name) ? [k, ...sights] : [k])).filter((k) => existsSync(join(out, `${base}-${k}.webp`)));
    if (kept.length) shown.push({ p, path, role, name, rows: kept.map((k) => [k, `${base}-${k}.webp`]) });
    return;
  }
  for (const kind of kinds) {
    const page = await open(b, { lang: kind === 'en' ? 'en' : 'zh', phone: kind === 'phone', dark: kind === 'dark', state: signed.get(key) });
    if (role && !signed.has(key)) {
      await signIn(page, s, role, path);
      signed.set(key, await page.context().storageState());
    }
    await quiet(page, s, path);
    await prepare(page, p);
    if (kind === 'en') {
      await page.evaluate(() => localStorage.setItem('puan.lang', 'en'));
      await quiet(page, s, path);
    }
    rows.push([kind, await picture(page, `${base}-${kind}.webp`)]);
    if (kind === 'zh' && levels.has(p.name)) {
      const c = await page.context().newCDPSession(page);
      for (const type of sights) {
        await c.send('Emulation.setEmulatedVisionDeficiency', { type });
        rows.push([type, await picture(page, `${base}-${type}.webp`)]);
      }
    }
    if (kind === 'en') await page.evaluate(() => localStorage.setItem('puan.lang', 'zh'));
    await page.context().close();
  }
  shown.push({ p, path, role, name, rows });
}

test('the tour', { timeout: 900000 }, async () => {
  if (!only) rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const first = await stage('mid');
  for (const [lang, options] of [['zh', {}], ['en', { lang: 'en' }]]) {
    const page = await open(b, options);
    await page.goto(`${first.url}/office/`);
    await page.waitForSelector('input[name=secret]');
    await page.waitForTimeout(300);
    shown.push({ p: { face: 'office', name: `sign-in-${lang}`, words: { zh: '登录', en: 'Sign in' } }, path: '/office/', role: '', name: 'mid', rows: [[lang, await picture(page, `office-sign-in-${lang}.webp`)]] });
    await page.context().close();
  }
  for (const p of officePages) await take(p);
  await take({ face: 'household', name: 'start', path: '/household/', words: { zh: '自主填报', en: 'Self-enumeration' } });
  for (const p of publicPages) await take(p);

  const faces = [['office', '办公', 'Offices'], ['household', '住户', 'Households'], ['public', '公众', 'The public']];
  let md = '# 走一遍 Tour\n\n各页截图，由 `web/test/run.sh tour.mjs` 在模拟普查上生成；人员均为虚构。Pictures of every page, made by `web/test/run.sh tour.mjs` on a simulated census; the persons do not exist.\n';
  for (const [face, zh, en] of faces) {
    md += `\n## ${zh} ${en}\n`;
    for (const x of shown.filter((r) => r.p.face === face)) {
      md += `\n### ${x.p.words?.zh ?? x.p.name} ${x.p.words?.en ?? ''}\n\n\`${x.path.replace(/\d{6,}|(?<=\/)\d+$/, '…')}\`${x.role ? ` · ${x.role}` : ''} · ${x.name === 'mid' ? '登记期间 during registration' : '普查结束 at the end'}\n\n`;
      for (const [kind, file] of x.rows) md += `![${x.p.words?.zh ?? x.p.name} ${words[kind]}](tour/${file})\n`;
    }
  }
  writeFileSync(join(doc, 'tour.md'), md);

  const files = readdirSync(out);
  const size = files.reduce((n, f) => n + statSync(join(out, f)).size, 0);
  assert.ok(only || files.length >= 2 * (officePages.length + publicPages.length), `${files.length} pictures`);
  assert.ok(size < limit, `${size} bytes of pictures, at most ${limit}`);
  console.log(JSON.stringify({ tour: files.length, bytes: size }));
});
