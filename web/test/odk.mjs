/*
 * ODK's own form engine without a browser, and small campaigns for it.
 *
 *   const engine = await odkEngine();
 *   const c = await campaign('cn-population-2020', ['short'], 20);
 */
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import { code, freePort, puan, root, sleep } from './lib.mjs';

/** The engine, with what a browser would bring. */
export async function odkEngine() {
  const { window } = new JSDOM('');
  globalThis.__dirname = import.meta.dirname;
  globalThis.require = createRequire(import.meta.url);
  globalThis.document = window.document;
  for (const k of Object.getOwnPropertyNames(window))
    if (/^(DOMParser|XMLSerializer|Node|NodeFilter|Element|Document|XMLDocument|Attr|Text|Comment|CDATASection|CharacterData|HTMLElement|DocumentFragment|DocumentType|ProcessingInstruction|XPathResult|XPathEvaluator)$/.test(k))
      globalThis[k] ??= window[k];
  return import('@getodk/xforms-engine');
}

/** A request, once more when the kept connection had been closed meanwhile: filling in takes its time. */
export async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch (e) {
    if (!/EPIPE|ECONNRESET|UND_ERR_SOCKET/.test(e.cause?.code ?? '')) throw e;
    return fetch(url, options);
  }
}

/** One county of one enumeration area for each form, `n` households each, served. */
export async function campaign(plan, forms, n) {
  const dir = mkdtempSync(join(tmpdir(), 'puan-odk-'));
  const ea = Object.fromEntries(forms.map((f, i) => [f, `370883001001${String(i + 1).padStart(3, '0')}`]));
  const areas = [
    'code,parent,level,name_zh,name_en', '37,,province,省,P', '3708,37,prefecture,市,C', '370883,3708,county,县,D',
    '370883001,370883,township,乡,T', '370883001001,370883001,district,村,V',
    ...forms.map((f) => `${ea[f]},370883001001,ea,区,A`), '',
  ];
  const homes = (f) => Array.from({ length: n }, (_, i) => ea[f] + String(i + 1).padStart(3, '0'));
  writeFileSync(join(dir, 'areas.csv'), areas.join('\n'));
  writeFileSync(join(dir, 'listing.csv'), ['household,ea', ...forms.flatMap((f) => homes(f).map((h) => `${h},${ea[f]}`)), ''].join('\n'));
  const run = (...args) => execFileSync(puan, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const at = join(dir, 'c');
  run('init', at, '--plan', join(root, 'plans', plan), '--birth', 'demo', '--suite', 'sm');
  run('import', at, join(dir, 'areas.csv'), join(dir, 'listing.csv'));
  const said = run('admin', 'first-run', at);
  const secrets = {};
  for (const [, name, secret, otp] of said.matchAll(/^ {2}(\S+) +\S+ *\n +secret +(\S+)\n +second factor +(\S+)/gm)) secrets[name] = { secret, otp };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(puan, ['serve', at, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (d) => (log += d));
  child.stderr.on('data', (d) => (log += d));
  for (let i = 0; ; i++) {
    if (child.exitCode !== null || i === 1800) throw new Error(`puan serve: ${log}`);
    if ((await fetch(`${url}/healthz`).catch(() => ({}))).ok) break;
    await sleep(100);
  }
  const api = `${url}/api/v1/c/${plan}`;
  const tokens = {};
  /** {status, body} of a request by an administrator, or with a token. */
  async function call(method, path, body, as) {
    const token = as && secrets[as] ? (tokens[as] ??= (await call('POST', '/login', { name: as, secret: secrets[as].secret, code: await code(secrets[as].otp) })).body.token) : as;
    const r = await ask(api + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await r.text();
    const json = /json/.test(r.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
    if (r.status >= 500) throw new Error(`${method} ${path}: ${r.status} ${text}`);
    return { status: r.status, body: json };
  }
  const issued = await call('POST', '/credentials', { kind: 'device', role: 'enumerator', list: forms.map((f) => ({ name: `e-${f}`, area: ea[f], device: `d-${f}` })) }, 'security-admin');
  if (issued.status !== 201) throw new Error(`credentials: ${JSON.stringify(issued)}`);
  const key = {};
  const token = {};
  for (const line of issued.body.trim().split('\n').slice(1)) {
    const [name, secret] = line.split(',');
    const form = name.slice(2);
    key[form] = `${url}/odk/${name}.${secret}`;
    token[form] = (await call('POST', '/login/machine', { kind: 'device', name, secret })).body.token;
  }
  return {
    plan, url, key, token, homes, call,
    now: async (when) => {
      const r = await call('POST', '/clock', { now: when, rate: 1000 }, 'system-admin');
      if (r.status >= 300) throw new Error(`clock: ${JSON.stringify(r)}`);
    },
    stop: async () => {
      const over = new Promise((r) => child.once('exit', r));
      child.kill('SIGTERM');
      await over;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
