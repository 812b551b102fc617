// The assessment sheet: an office asks for a bonus with its paper, the province
// confirms it and sets and lifts a veto; each sees the acts it may do.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accountOf, axe, launch, open, serve, settled, shot, signIn } from './lib.mjs';

let s, b, dir, file;
before(async () => {
  s = await serve('mid');
  b = await launch();
  dir = mkdtempSync(join(tmpdir(), 'puan-assess-'));
  file = join(dir, 'paper.txt');
  writeFileSync(file, '表彰决定');
  await accountOf(s, 'city-office', '3708');
  await accountOf(s, 'province-office', '37');
});
after(async () => {
  await b?.close();
  await s?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const sheet = async (role, area, options) => {
  const page = await open(b, options);
  await signIn(page, s, role, '/office/assessment', area);
  await settled(page);
  return page;
};

test('the office asks for a bonus with reason and paper', async () => {
  const page = await sheet('city-office', '3708', { width: 1366, height: 768 });
  assert.equal(await page.getByRole('button', { name: '公布总分' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: '一票否决' }).count(), 0);
  await page.getByRole('button', { name: '申请加分' }).click();
  await page.getByRole('button', { name: '保存' }).click();
  await page.waitForSelector('dialog [role=alert]'); // neither reason nor paper
  await page.selectOption('dialog select', '1.5');
  await page.fill('dialog textarea', '受到省级表彰');
  await page.setInputFiles('dialog input[type=file]', file);
  await page.getByRole('button', { name: '保存' }).click();
  await page.waitForSelector('.beside >> text=申请加分1.5');
  assert.match(await page.textContent('.beside'), /待确认/);
  assert.equal(await page.getByRole('button', { name: '确认加分' }).count(), 0);
  await shot(page, 'assessment-office');
  assert.deepEqual(await axe(page), []);
  await page.context().close();
});

test('the province confirms it, sets a veto and lifts it', async () => {
  const page = await sheet('province-office', '37', { width: 1366, height: 768 });
  await page.getByRole('button', { name: '确认加分' }).click();
  await page.getByRole('button', { name: '保存' }).click();
  await page.waitForSelector('.beside >> text=已确认');
  await page.getByRole('button', { name: '一票否决' }).click();
  await page.fill('dialog textarea', '被通报数据造假');
  await page.setInputFiles('dialog input[type=file]', file);
  await page.getByRole('button', { name: '保存' }).click();
  await page.waitForSelector('.veto');
  await shot(page, 'assessment-veto');
  await page.getByRole('button', { name: '解除否决' }).click();
  await page.fill('dialog textarea', '查证不实');
  await page.getByRole('button', { name: '保存' }).click();
  await page.waitForSelector('.beside >> text=已解除');
  assert.equal(await page.locator('.veto').count(), 0);
  await page.context().close();
});

test('on a phone, in English', async () => {
  const page = await sheet('province-office', '37', { width: 390, height: 844, phone: true, lang: 'en' });
  await page.waitForSelector('text=Bonus, vetoes, appeals');
  await shot(page, 'assessment-phone');
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  await page.context().close();
});
