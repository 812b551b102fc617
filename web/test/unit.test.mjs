// 单位直报: a unit's own account on a census of units: its form on one sheet,
// faults found as they are typed, the receipt, a query answered old → new by
// the unit itself; at a desk and on a phone, both languages, axe.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, code, freePort, launch, sleep } from './lib.mjs';

const root = new URL('../..', import.meta.url).pathname;
const puan = process.env.PUAN ?? join(root, 'build/puan');
const web = process.env.PUAN_WEB ?? join(root, 'web/dist');
const env = { ...process.env, PUAN_PLANS: join(root, 'plans'), PUAN_DATA: join(root, 'data') };

const s = { dir: '', url: '', child: null, unit: '', code: '' };
let browser;

async function call(method, path, body, token) {
  const r = await fetch(`${s.url}/api/v1/c/cn-economic-2018${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text.slice(0, 300)}`);
  return /^[[{]/.test(text) ? JSON.parse(text) : text;
}
const signIn = async (name, secret, otp) => (await call('POST', '/login', { name, secret, code: await code(otp) })).token;

test.before(async () => {
  s.dir = mkdtempSync(join(tmpdir(), 'puan-unit-'));
  const run = (...args) => execFileSync(puan, args, { env, cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  run('simulate', '--plan', 'plans/cn-economic-2018', '--area', '370883', '--out', join(s.dir, 'sim'), '--scale', '0.01');
  run('init', join(s.dir, 'c'), '--plan', 'plans/cn-economic-2018', '--birth', 'demo');
  run('import', join(s.dir, 'c'), join(s.dir, 'sim/areas.csv'), join(s.dir, 'sim/listing.csv'));
  run('admin', 'first-run', join(s.dir, 'c'), '--secrets-file', join(s.dir, 'secrets'), '--system', 'sysad', '--security', 'secad', '--audit', 'audad');
  const port = await freePort();
  s.url = `http://127.0.0.1:${port}`;
  s.child = spawn(puan, ['serve', join(s.dir, 'c'), '--listen', `127.0.0.1:${port}`, '--web', web], { env, stdio: 'ignore' });
  for (let i = 0; i < 300 && !(await fetch(`${s.url}/healthz`).then((r) => r.ok).catch(() => false)); i++) await sleep(100);
  const admins = Object.fromEntries(
    readFileSync(join(s.dir, 'secrets'), 'utf8').trim().split('\n').slice(1).map((l) => l.split(',')).map(([name, role, secret, otp]) => [role, { name, secret, otp }]),
  );
  const admin = (role) => signIn(admins[role].name, admins[role].secret, admins[role].otp);
  const system = await admin('system-admin');
  const security = await admin('security-admin');
  await call('POST', '/clock', { now: '2019-01-20T10:00:00+08:00', rate: 1 }, system);
  const issued = await call('POST', '/credentials', { kind: 'household', role: 'unit', area: '370883', from: 'listing' }, security);
  [s.unit, s.code] = issued.trim().split(/\r?\n/)[1].split(',');
  const made = await call('POST', '/accounts', { name: 'business', person: '专业组' }, system);
  await call('POST', '/seats', { account: 'business', role: 'county-business', area: '370883' }, security);
  s.office = { name: 'business', ...made };
  browser = await launch();
});
test.after(async () => {
  await browser?.close();
  s.child?.kill();
  if (s.dir) rmSync(s.dir, { recursive: true, force: true });
});

const cell = (page, item) => page.locator(`[data-item="${item}"]`);
async function put(page, item, value) {
  const c = cell(page, item).locator('[id$="-in"]');
  if ((await c.evaluate((e) => e.tagName)) === 'SELECT') await c.selectOption(value);
  else {
    await c.fill(value);
    await c.blur();
  }
}
const sent = (page) => page.locator('main button[data-primary], main .primary').last();
const answers = {
  U101: '913708830000000192', U102: '邹城市恒发肉制品有限公司', U110: '1', U202: '2012-05', U208: '1', U211: '10', U214: '2', U205: '159',
  U206: '3', U207: '90', U209: '1', U103a: '肉制品加工', U103: '1353', U104: 'B', U105: '钢山街道一号', U105r: '370883001004',
  U192: '120', U192f: '50', U191: '3', U201: '李强', U203: '05375000000',
  P1: '118', P2: '7000', F1: '50000', F2: '20000', F3: '31000', F4: '30000', F5: '9000', F6: '61000', F7: '60000', F8: '50000', F9: '300',
  F10: '4000', F11: '7000', F12: '1800', Y1: '61500', Y2: '310.25', Y3: '900',
};

test('a unit signs in, fills in one sheet, mends what is found, and has its receipt', { timeout: 240000 }, async () => {
  const page = await (await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN' })).newPage();
  await page.goto(`${s.url}/unit`);
  await page.waitForSelector('[name=code]');
  assert.match(await page.innerText('main'), /本单位统计人员/);
  assert.deepEqual(await axe(page), []);
  await page.fill('[name=code]', s.code);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[name=new-password]');
  assert.match(await page.innerText('main'), /不得代填代报/);
  await page.fill('[name=new-password]', 'hengfa2019');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.sheet');
  // sending with nothing filled in says how much is left, and sends nothing
  await page.getByRole('button', { name: '报送报表' }).click();
  assert.match(await page.innerText('.sum'), /还有\d+处要办/);
  for (const item of Object.keys(answers)) {
    await cell(page, item).waitFor({ timeout: 8000 }).catch(() => assert.fail(`${item} is not asked`));
    await put(page, item, answers[item]);
  }
  // assets = liabilities + equity does not hold: said at the item and in the summary
  await page.getByRole('button', { name: '报送报表' }).click();
  await page.waitForSelector('.sum .ph-finding');
  const said = (await page.locator('.sum .ph-finding .text').first().innerText()).trim();
  assert.ok((await page.locator('.cell').filter({ hasText: said }).count()) > 0, said);
  assert.deepEqual(await axe(page), []);
  await put(page, 'F3', '30000');
  // a word where a figure stands is no answer
  await put(page, 'F9', '三百');
  assert.match(await cell(page, 'F9').innerText(), /应填整数/);
  await put(page, 'F9', '300');
  await page.waitForTimeout(400);
  // what may stand, stands with a reason
  for (let i = 0; i < 12 && (await page.locator('.sum .ph-finding button', { hasText: '属实' }).count()); i++)
    await page.locator('.sum .ph-finding button', { hasText: '属实' }).first().click();
  const left = await page.locator('.sum').innerText().catch(() => '');
  assert.equal(left, '');
  await page.getByRole('button', { name: '报送报表' }).click();
  await page.waitForURL(/\/sent$/);
  assert.match(await page.innerText('main'), /已送达[\s\S]*核对码/);
  assert.deepEqual(await axe(page), []);
  await page.context().close();
});

test('a query is answered by the unit, with what it reported before beside it', { timeout: 240000 }, async () => {
  const office = await signIn(s.office.name, s.office.secret, s.office.totp);
  await call('POST', `/households/${s.unit}/queries`, { version: 1, reason: '营业收入与增值税相差较大，请核对。' }, office);
  // no office has a way to change the figure
  const own = await fetch(`${s.url}/api/v1/c/cn-economic-2018/returns`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${office}` },
    body: JSON.stringify({ form: 'direct', household: s.unit, base: 1, device: 'd', counter: 1, mode: 'self', answers: {} }),
  });
  assert.equal(own.status, 403);
  const page = await (await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'zh-CN' })).newPage();
  await page.goto(`${s.url}/unit`);
  await page.waitForSelector('[name=code]');
  await page.fill('[name=code]', s.code);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[name=password]');
  await page.fill('[name=password]', 'hengfa2019');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sent$/);
  assert.match(await page.innerText('main'), /请核对/);
  await page.getByRole('button', { name: '核实并更正' }).click();
  await page.waitForSelector('.sheet');
  await put(page, 'F12', '1950');
  await page.waitForFunction(() => document.querySelector('[data-item="F12"]')?.textContent.includes('原报：1800'));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'scrolls sideways');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'English' }).click();
  assert.doesNotMatch(await page.innerText('nav'), /[\u4e00-\u9fff]{4,}/);
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('button', { name: '答复查询' }).click();
  for (let i = 0; i < 12 && (await page.locator('.sum .ph-finding button', { hasText: '属实' }).count()); i++)
    await page.locator('.sum .ph-finding button', { hasText: '属实' }).first().click();
  if (!/\/(send|sent)$/.test(page.url())) await page.getByRole('button', { name: '答复查询' }).click();
  await page.waitForURL(/\/sent$/);
  const history = await call('GET', `/households/${s.unit}/history`, undefined, office);
  assert.match(JSON.stringify(history), /"version":2/);
  await page.context().close();
});
