// The harness itself: serves, signs in, opens the office.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, noIdentity, open, serve, settled, signIn } from './lib.mjs';

let s, b;
before(async () => {
  s = await serve('end');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

test('a seat signs in and stands on its first page', async () => {
  const page = await open(b);
  await signIn(page, s, 'county-business');
  await settled(page);
  assert.match(page.url(), /\/office\/\w/);
  assert.deepEqual(page.faults, []);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
});
