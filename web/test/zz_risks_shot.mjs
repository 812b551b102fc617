import { test } from 'node:test';
import { launch, open, serve, settled, signIn } from './lib.mjs';
test('shots', async () => {
  const s = await serve('mid');
  const b = await launch();
  try {
    for (const [w, h, lang, name] of [[1366, 768, 'zh', 'd-zh'], [1366, 768, 'en', 'd-en'], [390, 844, 'zh', 'p-zh'], [390, 844, 'en', 'p-en']]) {
      const page = await open(b, { width: w, height: h, lang });
      await signIn(page, s, process.env.SEAT ?? 'risk-office', '/office/risks');
      await page.waitForSelector('h1');
      await settled(page).catch(() => undefined);
      await page.waitForTimeout(4000);
      await page.screenshot({ path: `/tmp/monshot-${name}.png` });
      const first = page.locator('.watch summary').first();
      if (await first.count()) { await first.click(); await page.waitForTimeout(1500); }
      await page.screenshot({ path: `/tmp/monshot-${name}-open.png`, fullPage: true });
      await page.close();
    }
  } finally { await b.close(); await s.stop(); }
});
