// 设备 and 对账: a device made of WebCrypto alone (contract 18, as a browser
// does it) is enrolled with the code the page shows, seals a return, brings
// its chain, sends in pieces over a line that breaks, checks its receipt; the
// pages say where the return is, and the device is taken back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, noIdentity, open, plan, serve, settled, shot, signIn } from './lib.mjs';

let s;
let b;
before(async () => {
  s = await serve('mid');
  b = await launch();
});
after(async () => {
  await b?.close();
  await s?.stop();
});

/* ---- a device ---------------------------------------------------------------- */

const { subtle } = globalThis.crypto;
const utf8 = (t) => new TextEncoder().encode(t);
const b64 = (x) => Buffer.from(x).toString('base64');
const un64 = (t) => new Uint8Array(Buffer.from(t, 'base64'));
const hex = (x) => Buffer.from(x).toString('hex');
const sha = async (x) => new Uint8Array(await subtle.digest('SHA-256', x));
const join = (...parts) => new Uint8Array(Buffer.concat(parts.map((p) => Buffer.from(p))));
const str = (t) => join([t.length], utf8(t));
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };

async function ask(method, path, { token, body, raw } = {}) {
  const r = await fetch(`${s.url}/api/v1/c/${plan}/field/${path}`, {
    method,
    headers: { 'Content-Type': raw ? 'application/octet-stream' : 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
  });
  const text = await r.text();
  return { status: r.status, ...(text ? JSON.parse(text) : {}) };
}

class Device {
  links = [];
  counter = 0;
  async enrol(code, fingerprint) {
    this.pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const point = await subtle.exportKey('raw', this.pair.publicKey);
    const r = await ask('POST', 'enrol', { body: { code, name: '平板', sign_key: b64(point) } });
    assert.equal(r.status, 201, JSON.stringify(r));
    Object.assign(this, { device: r.device, secret: r.secret, area: r.area, office: r.office });
    // no other key than the one whose fingerprint was on the page
    assert.equal(hex(await sha(utf8(r.office.text))).slice(0, 32), fingerprint);
    assert.ok(r.office.text.includes(r.office.key.public) && r.office.text.includes(r.office.receipt.public));
    this.sealTo = await subtle.importKey('raw', un64(r.office.key.public), { name: 'ECDH', namedCurve: 'P-256' }, false, []);
    this.receipts = await subtle.importKey('raw', un64(r.office.receipt.public), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    this.head = await sha(utf8(`puan-chain-1|${r.office.campaign}|${r.device}`));
  }
  async signIn() {
    const r = await ask('POST', 'session', { body: { device: this.device, secret: this.secret } });
    if (r.status === 200) this.token = r.token;
    return r;
  }
  async did(act, household = '0', counter = 0, digest = '') {
    const link = `${this.links.length + 1}|${Date.now()}|${act}|${household}|${counter}|${digest}`;
    this.links.push(link);
    this.head = await sha(join(this.head, utf8(link)));
  }
  async seal(household, doc) {
    const counter = ++this.counter;
    const text = utf8(JSON.stringify({ ...doc, device: this.device, counter }));
    const digest = await sha(text);
    const once = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const point = new Uint8Array(await subtle.exportKey('raw', once.publicKey));
    const shared = await subtle.deriveBits({ name: 'ECDH', public: this.sealTo }, once.privateKey, 256);
    const base = await subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
    const key = await subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: point, info: utf8('puan return') }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
    const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
    const c = this.office.campaign;
    const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8(`${c}|${this.device}|${household}|${counter}`) }, key, text);
    const id = this.office.key.id;
    const n = new Uint8Array(4);
    new DataView(n.buffer).setUint32(0, counter, true);
    await this.did('sealed', household, counter, hex(digest));
    return join([1], str(c), str(this.device), str(household), n, digest, [1, 2, id & 255, id >> 8], point, iv, new Uint8Array(sealed));
  }
  async contact() {
    const head = hex(this.head);
    const text = `puan-contact-1|${this.office.campaign}|${this.device}|${this.links.length}|${head}`;
    const signature = b64(await subtle.sign(ecdsa, this.pair.privateKey, utf8(text)));
    return ask('POST', 'contact', { token: this.token, body: { time: Date.now(), from: 1, links: this.links, head, signature } });
  }
  async send(bytes) {
    const digest = hex(await sha(bytes));
    const begun = await ask('POST', 'uploads', { token: this.token, body: { digest, size: bytes.length } });
    let { have } = begun;
    let r = begun;
    while (!r.receipt) {
      const piece = bytes.slice(have, have + 300);
      await ask('PUT', `uploads/${begun.id}?at=${have}`, { token: this.token, raw: piece }); // its answer is lost
      r = await ask('PUT', `uploads/${begun.id}?at=${have}`, { token: this.token, raw: piece });
      assert.ok(r.receipt || r.status === 409, JSON.stringify(r));
      have = r.have;
    }
    assert.ok(await subtle.verify(ecdsa, this.receipts, un64(r.receipt.signature), utf8(r.receipt.text)));
    return r.receipt;
  }
}

/* ---- the pages ------------------------------------------------------------------ */

const device = new Device();

test('a code from the page enrols a device, and the list shows it', { timeout: 180000 }, async () => {
  const who = s.accounts.find((a) => a.role === 'enumerator');
  const page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'township-office', '/office/devices', who.area.slice(0, 9));
  assert.equal(await settled(page), 'empty');
  await page.click('main [data-primary]');
  await page.fill('#code-account', who.account);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open] svg.qr');
  await shot(page, 'office-devices-code');
  assert.deepEqual(await axe(page), []);
  const letters = (await page.textContent('dialog[open] .letters')).trim();
  const key = /[0-9a-f]{8}( [0-9a-f]{8}){3}/.exec(await page.textContent('dialog[open]'))[0].replaceAll(' ', '');
  await device.enrol(letters, key);
  assert.equal((await device.signIn()).status, 200);
  // the secret of the issue opens nothing any more
  await assert.rejects(s.api(who.account).token(), (e) => e.status === 403 || e.status === 401);
  await page.keyboard.press('Escape');
  await page.reload();
  assert.equal(await settled(page), 'ready');
  assert.ok((await page.textContent('main tbody')).includes(device.device));
  await page.context().close();
});

test('what is sealed is on the device until it is in the ledger', { timeout: 180000 }, async () => {
  const list = await ask('GET', `dossier?area=${device.area}`, { token: device.token });
  const house = list.households.find((h) => h.version > 0 && !h.self);
  const doc = await s.api('county-business').get(`/households/${house.household}/return`);
  // without the identities, which the office was not shown
  const shown = (row) => Object.fromEntries(Object.entries(row).filter(([, v]) => typeof v !== 'object' || (v && 'missing' in v)));
  const sealed = await device.seal(house.household, {
    form: doc.form, household: house.household, base: doc.version, mode: 'enumerator', started: doc.started, finished: doc.finished,
    signed: true, answers: shown(doc.answers), person: doc.person.map(shown),
  });
  assert.equal((await device.contact()).known, 1);
  const page = await open(b, { width: 1366, height: 768 });
  await signIn(page, s, 'county-data', '/office/reconciliation');
  assert.equal(await settled(page), 'ready');
  const figure = async (n) => Number((await page.locator('main dl dd').nth(n).textContent()).replace(/\D/g, ''));
  assert.deepEqual([await figure(0), await figure(1)], [0, 1]);
  assert.ok((await page.textContent('main tbody')).includes(device.device));
  await shot(page, 'office-reconciliation');
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await noIdentity(page, s), []);
  const receipt = await device.send(sealed);
  assert.equal(receipt.text.split('|')[6], 'ledger', JSON.stringify(receipt));
  assert.equal((await device.send(sealed)).signature, receipt.signature);
  await page.reload();
  await settled(page);
  assert.deepEqual([await figure(0), await figure(1)], [1, 0]);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a device is taken back with a reason, and its wipe receipt is seen', { timeout: 180000 }, async () => {
  const page = await open(b, { phone: true, width: 390, height: 844, lang: 'en' });
  await signIn(page, s, 'county-data', '/office/devices');
  assert.equal(await settled(page), 'ready');
  await shot(page, 'office-devices-phone-en');
  await page.click('main button:has-text("Revoke")');
  await page.fill('#revoke-reason', 'no longer an enumerator');
  await page.click('dialog[open] button:has-text("Revoke")');
  await page.waitForSelector('main .told');
  const refused = await device.signIn();
  assert.equal(refused.status, 403);
  assert.equal(refused.code, 'revoked');
  const at = Date.now();
  const head = hex(device.head);
  const text = `puan-wipe-1|${device.office.campaign}|${device.device}|${refused.order}|${at}|${head}`;
  const signature = b64(await subtle.sign(ecdsa, device.pair.privateKey, utf8(text)));
  assert.equal((await ask('POST', 'wipe', { body: { device: device.device, order: refused.order, at, head, signature } })).status, 204);
  await page.reload();
  await settled(page);
  assert.match(await page.textContent('main tbody'), /Wiped/);
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${wide} px too wide`);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
