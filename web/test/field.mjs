// For tests that need a day's work behind them: seats and devices over the
// API, returns sent back and corrected by the enumerator of the area, as the
// people of the census would.  Holds no expectation of its own.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function totp(secret, at = Date.now()) {
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const h = createHmac('sha1', key).update(step).digest();
  return String((h.readUInt32BE(h[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

/** Accounts of a fixture: [{role, name, secret, totp}]. */
export function accounts(dir) {
  return readFileSync(join(dir, 'accounts.txt'), 'utf8')
    .split('\n')
    .map((l) => l.trim().split(/\s+/))
    .filter((f) => f.length === 4 && /^Pa-/.test(f[2]))
    .map(([role, name, secret, key]) => ({ role, name, secret, totp: key }));
}

export class Desk {
  constructor(url, dir) {
    this.url = url;
    this.dir = dir;
    this.tokens = new Map();
    this.counter = 7_000_000 + Math.floor(Math.random() * 1_000_000);
  }
  async call(method, path, body, token, ok = true) {
    const r = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await r.text();
    if (ok && !r.ok) throw new Error(`${method} ${path}: ${r.status} ${text.slice(0, 400)}`);
    const type = r.headers.get('content-type') ?? '';
    return ok ? (type.includes('json') ? JSON.parse(text || 'null') : text) : { status: r.status, body: text };
  }
  async campaign() {
    this.c ??= `/c/${(await this.call('GET', '/campaign')).campaign}`;
    return this.c;
  }
  /** A seat of the fixture by role or account name; one session each. */
  async seat(name) {
    if (!this.tokens.has(name)) {
      const a = accounts(this.dir).find((x) => x.name === name) ?? accounts(this.dir).find((x) => x.role === name);
      if (!a) throw new Error(`no account for ${name}`);
      const s = await this.call('POST', `${await this.campaign()}/login`, { name: a.name, secret: a.secret, code: totp(a.totp) });
      this.tokens.set(name, s.token);
    }
    return this.tokens.get(name);
  }
  async get(path, as) {
    return this.call('GET', `${await this.campaign()}${path}`, undefined, await this.seat(as));
  }
  async post(path, body, as) {
    return this.call('POST', `${await this.campaign()}${path}`, body, await this.seat(as));
  }
  /** New secrets for all devices; old ones end with it. */
  async issueDevices() {
    if (this.devices) return;
    const csv = await this.post('/credentials', { kind: 'device', role: 'enumerator', from: 'staff' }, 'security-admin');
    this.devices = new Map(
      csv
        .trim()
        .split('\n')
        .slice(1)
        .map((l) => l.trim().split(','))
        .map(([name, secret, area, device]) => [area, { name, secret, device }]),
    );
  }
  /** The enumerator of an enumeration area, on the own device. */
  async enumerator(ea) {
    await this.issueDevices();
    const d = this.devices.get(ea);
    if (!d) return null;
    if (!d.token) {
      const s = await this.call('POST', `${await this.campaign()}/login/machine`, { kind: 'device', name: d.name, secret: d.secret });
      d.token = s.token;
    }
    return d;
  }
  /** Asks back about one household; gives the query's number. */
  async ask(household, reason, as) {
    const page = await this.get(`/households/${household}/page`, as);
    const findings = page.findings.map((f) => (f.row ? { rule: f.rule, row: f.row } : { rule: f.rule }));
    const q = await this.post(`/households/${household}/queries`, { version: page.version, reason, findings }, as);
    return { id: q.id, version: page.version };
  }
  /**
   * The enumerator visits again and sends what `change` makes of the answers.
   * False when nobody works there.
   */
  async correct(household, query, change) {
    const d = await this.enumerator(household.slice(0, -3));
    if (!d) return false;
    const c = await this.campaign();
    const old = await this.call('GET', `${c}/households/${household}/return?identity=true&purpose=${encodeURIComponent('再次入户核实')}`, undefined, d.token);
    const clock = await this.call('GET', `${c}/clock`, undefined, d.token);
    const end = Date.parse(clock.now);
    const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
    const doc = { form: old.form, household, base: old.version, device: d.device, counter: ++this.counter, mode: 'enumerator', query: String(query) };
    Object.assign(doc, { started: iso(end - 15 * 60000), finished: iso(end - 60000), signed: true });
    doc.answers = Object.fromEntries(Object.entries(old.answers).filter(([k]) => !/^P_|^A[349]$/.test(k)));
    for (const roster of ['person', 'death']) if (Array.isArray(old[roster]) && old[roster].length) doc[roster] = old[roster];
    const soft = old.findings.filter((f) => f.severity === 'soft');
    if (soft.length) doc.confirm = [];
    change(doc);
    if (doc.confirm?.length === 0) delete doc.confirm;
    await this.call('POST', `${c}/returns`, doc, d.token);
    return true;
  }
  /** Sets the campaign clock of a directory born for demonstration. */
  async clock(now) {
    await this.post('/clock', { now }, 'system-admin');
  }
}
