/*
 * What ODK Collect does on the wire, over real connections: chunked requests,
 * a device in every query, a date on a 12-hour clock, uploads in units with
 * *isIncomplete*, the same upload again after a lost answer.  Every code that
 * Collect tells apart is asked for and held against what it must be.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { campaign } from './odk.mjs';

const DEVICE = 'deviceID=collect%3AqXcn5r4DHbBuOfwd';
const VERSION = { 'X-OpenRosa-Version': '1.0' };
const md5 = (text) => `md5:${createHash('md5').update(text).digest('hex')}`;
const value = (xml, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
const message = (xml) => {
  assert.match(xml, /<OpenRosaResponse xmlns="http:\/\/openrosa.org\/http\/response" items="0"><message/);
  return /<message[^>]*>([^<]*)</.exec(xml)[1];
};

/** One request as Collect's client sends it; `parts` go out chunked. */
function ask(method, url, { headers = VERSION, body } = {}) {
  return new Promise((resolve, reject) => {
    const at = new URL(url);
    at.search += `${at.search ? '&' : ''}${DEVICE}`;
    const rq = http.request(at, {
      method,
      agent: false,
      headers: {
        'User-Agent': 'org.odk.collect.android/v2026.1 Dalvik/2.1.0',
        Date: 'Fri, 10 Nov 2020 03:30:00 GMT',
        ...headers,
        ...(body ? { 'Content-Type': `multipart/form-data; boundary=${EDGE}`, 'Transfer-Encoding': 'chunked' } : {}),
      },
    });
    rq.on('error', (e) => reject(new Error(`${method} ${at.pathname.replace(/.*\//, '')}: ${e.code}`, { cause: e })));
    rq.on('response', (r) => {
      let text = '';
      r.setEncoding('utf8');
      r.on('data', (d) => (text += d));
      r.on('end', () => resolve({ status: r.statusCode, headers: r.headers, text }));
    });
    for (let i = 0; body && i < body.length; i += 700) rq.write(body.subarray(i, i + 700));
    rq.end();
  });
}

const EDGE = '7e0f5a5f-1a5e-4f5c-9a3e-7f3e5d7a9b11';
const part = (name, file, type, content) =>
  Buffer.concat([
    Buffer.from(`--${EDGE}\r\nContent-Disposition: form-data; name="${name}"${file ? `; filename="${file}"` : ''}\r\n${type ? `Content-Type: ${type}\r\n` : ''}Content-Length: ${content.length}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const whole = (...parts) => Buffer.concat([...parts, Buffer.from(`--${EDGE}--\r\n`)]);
const xmlPart = (xml) => part('xml_submission_file', 'i.xml', 'text/xml', xml);

test('Collect on the wire, each code it tells apart', async (t) => {
  const c = await campaign('cn-population-2020', ['short', 'long'], 4);
  t.after(() => c.stop());
  await c.now('2020-11-10T09:00:00+08:00');
  const base = c.key.short;
  const [home, second, third] = c.homes('short');
  const seen = [];
  const is = (what, r, status) => {
    assert.equal(r.status, status, `${what}: ${r.text}`);
    seen.push(`${status} ${what}`);
    return r;
  };

  // formList, form, manifest, list
  const list = is('formList', await ask('GET', `${base}/formList`), 200);
  assert.equal(list.headers['content-type'], 'text/xml; charset=utf-8');
  assert.equal(list.headers['x-openrosa-version'], '1.0');
  const entries = list.text.split('<xform>').slice(1);
  for (const e of entries) for (const n of ['formID', 'name', 'downloadUrl']) assert.notEqual(value(e, n), '');
  const entry = entries.find((e) => value(e, 'formID') === 'short');
  const form = is('form', await ask('GET', value(entry, 'downloadUrl')), 200);
  assert.equal(md5(form.text), value(entry, 'hash'));
  is('form, not changed', await ask('GET', value(entry, 'downloadUrl'), { headers: { ...VERSION, 'If-None-Match': form.headers.etag } }), 304);
  const manifest = is('manifest', await ask('GET', value(entry, 'manifestUrl')), 200);
  assert.equal(manifest.headers['x-openrosa-version'], '1.0');
  const households = is('entity list', await ask('GET', value(manifest.text, 'downloadUrl')), 200);
  assert.equal(md5(households.text), value(manifest.text, 'hash'));
  assert.match(households.text, /^name,label,__version,/);
  const deleted = is('integrity', await ask('GET', `${value(manifest.text, 'integrityUrl')}?id=${home},nothing`), 200);
  assert.match(deleted.text, new RegExp(`id="${home}"><deleted>false</deleted>.*id="nothing"><deleted>true<`));
  const version = /<data id="short"[^>]* version="([^"]+)"/.exec(form.text)[1];
  assert.equal(value(entry, 'version'), version);

  // HEAD: exactly 204, on the same host, with what may be sent at once
  const head = is('HEAD submission', await ask('HEAD', `${base}/submission`), 204);
  const most = Number(head.headers['x-openrosa-accept-content-length']);
  assert.ok(most >= 1e6 && most <= 4 << 20, `${most}`);
  const to = new URL(head.headers.location);
  assert.equal(to.host, new URL(base).host);
  const submit = (xml, ...more) => ask('POST', to.href, { body: whole(xmlPart(xml), ...more) });
  const instance = (id, { household = home, base: on = 0, tag = 'short', v = version, answer = '1', meta = '' } = {}) =>
    `<?xml version='1.0' ?><data id="${tag}"${v ? ` version="${v}"` : ''}><puan_start>2020-11-10T09:00:00.000+08:00</puan_start><puan_end>2020-11-10T09:10:00.000+08:00</puan_end><puan_head><listed>1</listed><pick>${household}</pick><household>${household}</household><base>${on}</base><signed>1</signed></puan_head>${answer ? `<household><A7>${answer}</A7></household>` : ''}<meta><instanceID>uuid:${id}</instanceID>${meta}</meta></data>`;

  // once, again after a lost answer, other bytes
  message(is('first', await submit(instance('1')), 201).text);
  message(is('the same again', await submit(instance('1')), 201).text);
  message(is('the same ID, other bytes', await submit(instance('1', { answer: '2' })), 409).text);
  message(is('nothing known of the version there', await submit(instance('2', { answer: '3' })), 409).text);
  message(is('edit of the last', await submit(instance('3', { answer: '4', meta: '<deprecatedID>uuid:1</deprecatedID>' })), 201).text);
  message(is('edit of a stale one', await submit(instance('4', { answer: '5', meta: '<deprecatedID>uuid:1</deprecatedID>' })), 409).text);
  message(is('other household, on the listed base', await submit(instance('5', { household: second })), 201).text);

  // files in units, each with the XML again, all but the last incomplete
  const photo = Buffer.alloc(900_000, 0xe5);
  const file = (n) => part(n, n, 'image/jpeg', photo);
  const incomplete = part('*isIncomplete*', '', '', 'yes');
  const files = instance('6', { household: third });
  is('first unit, incomplete', await submit(files, file('a.jpg'), file('b.jpg'), incomplete), 201);
  is('that unit again', await submit(files, file('a.jpg'), file('b.jpg'), incomplete), 201);
  is('last unit', await submit(files, file('c.jpg')), 201);
  // chunked, its length unknown: too much is cut off, and nothing of it is there
  await assert.rejects(submit(files, ...['d', 'e', 'f', 'g', 'h'].map((n) => file(`${n}.jpg`))));

  // refused, each with words for the worker
  const far = c.homes('long')[0];
  message(is('a household of another area', await submit(instance('7', { household: far })), 403).text);
  message(is('no such form', await submit(instance('8', { tag: 'nothing' })), 404).text);
  message(is('a version that never was', await submit(instance('9', { v: '2019' })), 404).text);
  message(is('no version', await submit(instance('9', { v: '' })), 404).text);
  is('no such form to fetch', await ask('GET', `${base}/forms/nothing`), 404);
  is('no such address', await ask('GET', `${base}/nothing`), 404);
  message(is('not a form of parts', await ask('POST', to.href, { body: Buffer.from('<data/>') }), 400).text);
  message(is('without its XML', await ask('POST', to.href, { body: whole(file('a.jpg')) }), 400).text);
  message(is('torn XML', await submit('<data id="short"'), 400).text);
  message(is('an item the form has not', await submit(instance('10', { household: c.homes('short')[3] }).replace('<A7>', '<zzz>1</zzz><A7>')), 400).text);
  for (const path of ['formList', 'forms/short', 'households.csv', 'submission'])
    is(`${path} without the version header`, await ask('GET', `${base}/${path}`, { headers: {} }), 400);
  is('submission without the version header', await ask('POST', to.href, { headers: {}, body: whole(xmlPart(files)) }), 400);
  await c.now('2021-03-10T09:00:00+08:00');
  message(is('after the time', await submit(instance('11', { household: c.homes('short')[3] })), 409).text);

  // a wrong address, then an ended one
  const wrong = base.replace(/.{6}$/, 'AAAAAA');
  is('wrong address: formList', await ask('GET', `${wrong}/formList`), 401);
  is('wrong address: HEAD', await ask('HEAD', `${wrong}/submission`), 401);
  is('wrong address: submission', await ask('POST', `${wrong}/submission`, { body: whole(xmlPart(files)) }), 401);
  assert.equal((await c.call('POST', '/credentials/end', { kind: 'device', name: 'e-short', reason: 'lost' }, 'security-admin')).status, 204);
  is('ended address: formList', await ask('GET', `${base}/formList`), 401);
  is('ended address: submission', await ask('POST', to.href, { body: whole(xmlPart(files)) }), 401);

  const codes = new Set(seen.map((s) => s.slice(0, 3)));
  t.diagnostic(`${seen.length} exchanges: ${[...codes].sort().map((k) => `${k}×${seen.filter((s) => s.startsWith(k)).length}`).join(' ')}`);
});
