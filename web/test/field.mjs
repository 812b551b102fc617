// A day's work behind a test: returns sent back by an office and corrected by
// the enumerator of the area on the own device, as the people of the census
// would.  Holds no expectation of its own.
const short = /short|counting/;

export class Field {
  constructor(s) {
    this.s = s;
    this.counter = 7_000_000 + Math.floor(Math.random() * 1_000_000);
  }
  async device(path, token, body) {
    const c = (await (await fetch(`${this.s.url}/api/v1/campaign`)).json()).campaign;
    const r = await fetch(`${this.s.url}/api/v1/c/${c}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!r.ok) throw new Error(`${path}: ${r.status} ${(await r.text()).slice(0, 400)}`);
    return r.json();
  }
  /** The window of the enumerators' returns is open, or the clock is set so. */
  async openWindow(role) {
    const { windows } = await this.s.api(role).get('/clock');
    if (windows.some((w) => w.open && short.test(w.id))) return;
    const w = windows.find((x) => short.test(x.id));
    await this.s.api('system-admin').post('/clock', { now: new Date(Date.parse(w.until) - 3 * 86400000).toISOString(), rate: 1000 });
  }
  /** The enumerator of an enumeration area; the first call gives all devices new secrets. */
  async enumerator(ea) {
    if (!this.devices) {
      const csv = await this.s.api('security-admin').post('/credentials', { kind: 'device', role: 'enumerator', from: 'staff' });
      const rows = csv.trim().split('\n').slice(1);
      this.devices = new Map(rows.map((l) => l.trim().split(',')).map(([name, secret, area, device]) => [area, { name, secret, device }]));
    }
    const d = this.devices.get(ea);
    if (d && !d.token) d.token = (await this.device('/login/machine', null, { kind: 'device', name: d.name, secret: d.secret })).token;
    return d ?? null;
  }
  /** Asks back about one household, naming all its findings; the query's number. */
  async ask(household, reason, role, area) {
    const seat = this.s.api(role, area);
    const page = await seat.get(`/households/${household}/page`);
    const findings = page.findings.map((f) => (f.row ? { rule: f.rule, row: f.row } : { rule: f.rule }));
    return (await seat.post(`/households/${household}/queries`, { version: page.version, reason, findings })).id;
  }
  /** The enumerator visits again and sends what `change` makes of the answers; false when nobody works there. */
  async correct(household, query, change) {
    const d = await this.enumerator(household.slice(0, -3));
    if (!d) return false;
    const old = await this.device(`/households/${household}/return?identity=true&purpose=${encodeURIComponent('再次入户核实')}`, d.token);
    const end = Date.parse((await this.device('/clock', d.token)).now);
    const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
    const doc = { form: old.form, household, base: old.version, device: d.device, counter: ++this.counter, mode: 'enumerator', query: String(query) };
    Object.assign(doc, { started: iso(end - 15 * 60000), finished: iso(end - 60000), signed: true });
    // what comes from the key and the head is not said again
    doc.answers = Object.fromEntries(Object.entries(old.answers).filter(([k]) => !/^P_|^A[349]$/.test(k)));
    for (const roster of ['person', 'death']) if (Array.isArray(old[roster]) && old[roster].length) doc[roster] = old[roster];
    change(doc);
    await this.device('/returns', d.token, doc);
    return true;
  }
}
