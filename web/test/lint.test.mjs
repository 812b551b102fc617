// The sources and the built files against the rules of the faces: tokens,
// contrast, level colours apart under colour-blindness, no other host, every
// page whole.  Needs no browser and no server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';

const root = new URL('..', import.meta.url).pathname;
const dist = process.env.PUAN_WEB ?? join(root, 'dist');

function* files(dir, pattern) {
  for (const name of readdirSync(dir)) {
    if (['node_modules', 'dist', 'test', 'tools', 'wasm'].includes(name)) continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* files(path, pattern);
    else if (pattern.test(name)) yield path;
  }
}

/* ---- tokens ---------------------------------------------------------------- */

const css = readFileSync(join(root, 'ui/tokens.css'), 'utf8');
function block(after) {
  const from = css.indexOf('{', css.indexOf(after) + after.length - 1) + 1;
  const body = css.slice(from, css.indexOf('}', from));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map((m) => [m[1], m[2]]));
}
const light = block(':root {');
const dark = { ...light, ...block('prefers-color-scheme: dark) {\n  :root') };

const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const luminance = (hex) => {
  const [r, g, b] = channels(hex).map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
  return (x + 0.05) / (y + 0.05);
};

test('tokens are read in both themes', () => {
  for (const t of ['page', 'surface', 'text', 'accent', 'red-fill']) {
    assert.match(light[t], /^#/);
    assert.match(dark[t], /^#/);
  }
  assert.notEqual(light.page, dark.page);
  assert.notEqual(light.accent, dark.accent);
});

for (const [theme, k] of [['light', light], ['dark', dark]])
  test(`contrast of every pair, ${theme}`, () => {
    const wrong = [];
    const want = (front, back, ratio) => {
      const c = contrast(k[front], k[back]);
      if (!(c >= ratio)) wrong.push(`${front} on ${back}: ${c.toFixed(2)}, wants ${ratio}`);
    };
    for (const ground of ['page', 'surface']) {
      want('text', ground, 7);
      want('secondary', ground, 4.5);
      want('hint', ground, 4.5);
      want('accent', ground, 4.5);
      want('hard', ground, 4.5);
      want('focus', ground, 3);
    }
    want('text', 'tint', 7);
    want('accent', 'tint', 4.5);
    want('on-accent', 'accent', 4.5);
    for (const level of ['blue', 'yellow', 'orange', 'red']) {
      want(`${level}-on`, `${level}-fill`, 4.5);
      for (const ground of ['page', 'surface', `${level}-tint`]) want(`${level}-ink`, ground, 4.5);
      want(`${level}-edge`, 'page', 3);
      const ring = Math.max(contrast(k.focus, k[`${level}-fill`]), contrast(k['focus-inner'], k[`${level}-fill`]));
      if (ring < 5.5) wrong.push(`focus on ${level}: ${ring.toFixed(2)}`);
    }
    assert.deepEqual(wrong, []);
  });

/* ---- level colours apart: CIE76 distance ------------------------------------- */

// Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB
const sights = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
function lab(hex, m) {
  const l = channels(hex).map(linear);
  const [r, g, b] = [0, 3, 6].map((i) => Math.min(1, Math.max(0, m[i] * l[0] + m[i + 1] * l[1] + m[i + 2] * l[2])));
  const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
for (const [theme, k, floor] of [['light', light, 20], ['dark', dark, 14]])
  test(`level fills told apart by every sight, ${theme}`, () => {
    const levels = ['blue', 'yellow', 'orange', 'red'];
    for (const [sight, m] of Object.entries(sights))
      for (let i = 0; i < 4; i++)
        for (let j = i + 1; j < 4; j++) {
          const a = lab(k[`${levels[i]}-fill`], m);
          const b = lab(k[`${levels[j]}-fill`], m);
          const d = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
          assert.ok(d >= floor, `${levels[i]} and ${levels[j]}, ${sight}: ${d.toFixed(1)}`);
        }
  });

/* ---- sources ------------------------------------------------------------------- */

test('the source lint passes', () => {
  execFileSync(process.execPath, [join(root, 'tools/lint.mjs')], { stdio: 'pipe' });
});

test('level tokens stand in the level mark alone', () => {
  const wrong = [];
  for (const path of files(root, /\.(vue|css|ts)$/)) {
    const name = relative(root, path);
    if (/^ui\/(tokens\.css|PLevel\.vue|PLevelGauge\.vue|PGauge\.vue)$/.test(name)) continue;
    if (/--(blue|yellow|orange|red)-(fill|on|ink|tint|edge)/.test(readFileSync(path, 'utf8'))) wrong.push(name);
  }
  assert.deepEqual(wrong, []);
});

test('no v-html, no style attribute, no inline handler', () => {
  const wrong = [];
  for (const path of files(root, /\.(vue|html)$/)) {
    const text = readFileSync(path, 'utf8');
    const template = path.endsWith('.vue') ? (/<template>[\s\S]*<\/template>/.exec(text)?.[0] ?? '') : text;
    for (const [what, pattern] of [['v-html', /\bv-html\b/], ['style attribute', /\sstyle="/], ['inline handler', /\son[a-z]+="/]])
      if (pattern.test(template)) wrong.push(`${relative(root, path)}: ${what}`);
  }
  assert.deepEqual(wrong, []);
});

test('every page folder is whole: page.ts, component, words', () => {
  const wrong = [];
  for (const base of ['office/pages', 'public/pages'])
    for (const name of readdirSync(join(root, base))) {
      const dir = join(root, base, name);
      if (!statSync(dir).isDirectory()) continue;
      const has = readdirSync(dir);
      if (!has.includes('page.ts')) wrong.push(`${base}/${name}: page.ts`);
      if (!has.some((f) => f.endsWith('.vue'))) wrong.push(`${base}/${name}: a component`);
      if (!has.includes('words.json')) wrong.push(`${base}/${name}: words.json`);
    }
  assert.deepEqual(wrong, []);
});

/* ---- what is built ---------------------------------------------------------------- */

test('no other host in what is built', { skip: !existsSync(dist) && 'not built' }, () => {
  // named in texts of libraries, never fetched
  const named = /^(www\.w3\.org|vuejs\.org|router\.vuejs\.org|element-plus\.org|github\.com|leafletjs\.com|echarts\.apache\.org|fb\.me|popper\.js\.org|tc39\.github\.io|developer\.mozilla\.org|goo\.gl|mathiasbynens\.be|stackoverflow\.com|lodash\.com|openjsf\.org|npms\.io|underscorejs\.org|bugs\.webkit\.org|bugzilla\.mozilla\.org|momentjs\.com|day\.js\.org|ecma-international\.org|feross\.org|localhost|127\.0\.0\.1)$/;
  const wrong = new Set();
  const walk = (dir) => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (/\.(js|css|html)$/.test(name)) {
        const text = readFileSync(path, 'utf8');
        // what a page loads by itself
        for (const m of text.matchAll(/(?:src|<link[^>]*href)="(https?:)?\/\/([^/"]+)|@import\s+["']?https?:\/\/([^/"')]+)|url\(["']?https?:\/\/([^/"')]+)/g))
          wrong.add(`${relative(dist, path)}: loads ${m[2] ?? m[3] ?? m[4]}`);
        for (const m of text.matchAll(/["'`]https?:\/\/([a-z0-9.-]+\.[a-z]{2,})/gi)) if (!named.test(m[1])) wrong.add(`${relative(dist, path)}: names ${m[1]}`);
      }
    }
  };
  walk(dist);
  assert.deepEqual([...wrong], []);
});
