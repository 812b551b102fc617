// Forms of other systems in the form that households fill in: each is imported
// from its spreadsheet into a pack of its own, linted, served, signed in to and
// answered.  One form is ours; the others are named in test/xlsforms.lock, are
// no part of this project, and when they are absent that is said aloud.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, axe, campaign, enter, next, option, phone } from './household_kit.mjs';
import { puan, root } from './lib.mjs';

const STEPS = Number(process.env.PUAN_XLSFORM_STEPS ?? 15);
const folder = process.env.PUAN_XLSFORMS ?? join(root, 'build-check/xlsforms');
const lock = readFileSync(join(root, 'test/xlsforms.lock'), 'utf8')
  .split('\n')
  .filter((l) => l && !l.startsWith('#'))
  .map((l) => l.split('\t'))
  .map(([name, , , , sha256]) => ({ name, sha256, file: join(folder, `${name}.xlsx`) }));

const PLAN = `plan: trial
version: "1"
scope: campaign
zh: 试用
en: Trial of a form
offset_minutes: 480
reference_month: 2020-11
reference_moment: 2020-11-01T00:00:00+08:00
levels:
  - {id: county, digits: 2, zh: 县, en: County}
  - {id: ea, digits: 5, zh: 普查小区, en: Enumeration area}
household_digits: 3
shard_level: county
roles:
  household: {zh: 住户, en: Household, levels: [ea], credential: household, can: [return.own, return.submit]}
  system-admin: {zh: 系统管理员, en: System administrator, second_factor: true, can: [admin.system, account.create, account.view, metrics.view, clock.set], excludes: [security-admin, audit-admin]}
  security-admin: {zh: 安全管理员, en: Security administrator, second_factor: true, can: [admin.security, account.view, seat.grant, credential.issue], excludes: [system-admin, audit-admin]}
  audit-admin: {zh: 审计管理员, en: Audit administrator, second_factor: true, can: [admin.audit, access.view, account.view, ledger.view], excludes: [system-admin, security-admin]}
windows:
  counting: {zh: 登记, en: Counting, from: 2020-11-01, until: 2020-12-01, forms: [trial], modes: [self]}
forms: [trial]
`;

function run(...args) {
  const r = spawnSync(puan, args, { encoding: 'utf8', cwd: root });
  return { code: r.status, out: r.stdout, said: r.stderr + r.stdout };
}

/** A pack around one spreadsheet: imported, with its report, and linted. */
function packOf(file, dir) {
  const pack = join(dir, 'trial');
  mkdirSync(join(pack, 'forms'), { recursive: true });
  mkdirSync(join(pack, 'rules'));
  writeFileSync(join(pack, 'plan.yaml'), PLAN);
  const form = join(pack, 'forms/trial.yaml');
  const rules = join(pack, 'rules/trial.rules');
  const made = run('form', 'import', file, '--form', 'trial', '--out', form, '--rules', rules);
  assert.equal(made.code, 0, made.said);
  const check = run('form', 'check', form, ...(existsSync(rules) ? [rules] : []));
  assert.equal(check.code, 0, check.said);
  const lint = run('plan', 'lint', pack);
  assert.equal(lint.code, 0, lint.said);
  const [, kept, of] = /: (\d+) of (\d+) questions/.exec(made.out);
  const lost = made.out.split('\n').filter((l) => l.includes(': not carried over: '));
  // what is missing is in the report, with its cell and why
  assert.ok(lost.length >= of - kept, `${of - kept} questions are missing, the report names ${lost.length}`);
  for (const l of lost) assert.match(l, /:[^:!]+(![A-Z]+\d+| row \d+): not carried over: \S/);
  return { pack, kept: Number(kept), of: Number(of), lost: lost.length };
}

/** An answer that suits the type. */
function answerTo(def) {
  const min = Number(def.min ?? 0);
  if (def.type === 'int') return String(Math.max(1, min));
  if (def.type === 'decimal') return '1.5';
  if (def.type === 'date') return '2020-06-01';
  if (def.type === 'point') return '35.4,116.97';
  return def.scheme ? '1'.repeat(Number(/\d+$/.exec(def.scheme)[0])) : '甲';
}

/** Answers the screen that is shown; what its questions are. */
async function answer(page, defs) {
  const seen = [];
  for (const box of await page.locator('main .item').all()) {
    const item = await box.getAttribute('data-item');
    const def = defs[item];
    assert.ok(def, `${item} is no item of the form`);
    const text = await page.locator('main').innerText();
    assert.ok(text.replace(/\s+/g, '').includes(def.zh.replace(/\s+/g, '')), `${item}: its words are not shown`);
    const choices = box.locator('label.option');
    const select = box.locator('select');
    if (await choices.count()) await choices.first().tap();
    else if (await select.count()) await select.first().selectOption({ index: 1 });
    else await box.locator('input').first().fill(answerTo(def));
    seen.push(item);
  }
  return seen;
}

async function walk(page, defs) {
  const seen = [];
  let said = '';
  for (let i = 0; i < STEPS && /\/q\//.test(page.url()); i++) {
    const here = page.url();
    await page.waitForSelector('main .item');
    seen.push(...(await answer(page, defs)));
    await next(page);
    const moved = await page.waitForURL((u) => u.href !== here, { timeout: 3000 }).then(() => true, () => false);
    if (moved) continue;
    // a rule spoke: its words, and on to another question by the list
    said = await page.locator('main .summary, main .wrong').first().innerText();
    assert.notEqual(said, '');
    break;
  }
  return { seen, said };
}

async function tried(file, { whole } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'puan-xlsform-'));
  let c, p;
  try {
    const made = packOf(file, dir);
    c = await campaign({ n: 1, plan: 'trial', pack: made.pack, areas: ['37,,county,甲县,County,ordinary,,,', '37001,37,ea,第1普查小区,Enumeration area 1,ordinary,,,'], ea: '37001' });
    const a = await (await fetch(`${c.url}/api/v1/c/trial/public/plan/forms/trial`)).json();
    const entities = a.form.entities;
    const defs = Object.assign({}, ...Object.values(entities).map((e) => e.items));
    p = await phone();
    await enter(p.page, c.url, await c.issue(c.households[0]));
    await p.page.waitForURL(/\/household\/(q\/|form|check)/);
    const r = whole ? await whole(p.page, c) : await walk(p.page, defs);
    const wide = await p.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `the page is ${wide} wide`);
    assert.deepEqual(await axe(p.page), []);
    assert.deepEqual(p.faults, []);
    // a row is added by hand; what is always asked of it is asked
    const roster = Object.entries(entities).find(([, e]) => e.rows && Object.values(e.items).some((d) => !d.asked_if));
    if (roster && !whole && (await p.page.locator('.ways button').count())) {
      await p.page.locator('.ways button').nth(1).tap();
      await at(p.page, '/form');
      await p.page.locator('button', { hasText: roster[0] === 'person' ? '加' : `+ ${roster[1].zh}` }).first().tap();
      await p.page.waitForURL(new RegExp(`/q/${roster[0]}-1-`));
      r.seen.push(...(await answer(p.page, defs)));
    }
    if (process.env.PUAN_SHOTS) {
      mkdirSync(process.env.PUAN_SHOTS, { recursive: true });
      await p.page.screenshot({ path: join(process.env.PUAN_SHOTS, `${file.split('/').pop()}.png`) });
    }
    return { ...made, ...r };
  } finally {
    await p?.close();
    await c?.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

test('an imported form is asked, checked in its own words, sent and received', async () => {
  const r = await tried(join(root, 'fuzz/corpus/xlsx/form.xlsx'), {
    async whole(page) {
      await at(page, '/q/work');
      await option(page, 'Yes').tap();
      await next(page);
      await at(page, '/q/hours');
      await page.fill('[name=household-0-hours]', '200');
      await next(page);
      const said = await page.locator('main .summary').innerText();
      assert.match(said, /答案不符合要求：Hours a week/);
      await page.fill('[name=household-0-hours]', '40');
      await next(page);
      await at(page, '/check');
      await next(page);
      await at(page, '/send');
      await next(page);
      await at(page, '/sent');
      return { seen: ['work', 'hours'], said };
    },
  });
  assert.equal(r.kept, 2);
});

test('forms written by others are imported and asked', async (t) => {
  const here = lock.filter((f) => existsSync(f.file));
  const absent = lock.length - here.length;
  if (absent) t.diagnostic(`ABSENT: ${absent} of ${lock.length} forms of test/xlsforms.lock are not in ${folder}; tools/xlsforms.sh gets them`);
  const told = [];
  for (const f of here) {
    assert.equal(createHash('sha256').update(readFileSync(f.file)).digest('hex'), f.sha256, `${f.name} is another file than the lock names`);
    await t.test(f.name, async (tt) => {
      const r = await tried(f.file);
      assert.ok(r.seen.length > 0, 'nothing was asked');
      told.push(f.name);
      tt.diagnostic(`${r.kept} of ${r.of} questions, ${r.lost} lines of loss, ${r.seen.length} asked${r.said ? `, stopped by: ${r.said.replace(/\s+/g, ' ').slice(0, 80)}` : ''}`);
    });
  }
  if (!absent) assert.ok(told.length >= 10, `${told.length} of ${lock.length} forms passed`);
});
