// Looks at what ./demo serves at its end.
// usage: node test/demo_live.mjs ACCOUNTS.json OUTPUT-OF-DEMO
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';

const a = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const out = readFileSync(process.argv[3], 'utf8');
const [day, end] = [...out.matchAll(/http:\/\/([\d.:]+)\/office\//g)].map((m) => m[1]);
const ring = /keys, codes, a tour\s+http:\/\/([\d.:]+)\//.exec(out)?.[1];
assert.ok(day && end && ring && day !== end, 'three addresses are printed');

const get = (address, path, headers = {}) =>
    new Promise((resolve, reject) => {
        const [host, port] = address.split(':');
        request({ host, port, path, headers: { Host: address, ...headers } }, (r) => {
            let body = '';
            r.on('data', (d) => (body += d));
            r.on('end', () => resolve({ status: r.statusCode, body }));
        }).on('error', reject).end();
    });
function totp(secret, at) {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
    const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
    const h = createHmac('sha1', key).update(step).digest();
    return String((h.readUInt32BE(h[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}
async function signIn(address, role) {
    const who = a.accounts.find((x) => x.role === role);
    for (const at of [0, 30000]) {
        const r = await fetch(`http://${address}/api/v1/c/${a.campaign}/login`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ name: who.account, secret: who.secret, code: totp(who.totp, Date.now() + at) }),
        });
        if (r.ok) return (await r.json()).token;
    }
    throw new Error(`${role} cannot sign in at ${address}`);
}
const counts = async (address, token) =>
    (await fetch(`http://${address}/api/v1/c/${a.campaign}/counts?area=370883`, { headers: { Authorization: `Bearer ${token}` } })).json();

// every role of accounts.json opens on both
const roles = new Set(a.accounts.map((x) => x.role));
for (const r of ['county-head', 'county-general', 'duty-officer', 'leading-group', 'secrecy-office', 'publicity',
    'enforcement', 'city-office', 'system-admin', 'security-admin', 'audit-admin'])
    assert.ok(roles.has(r), `no account of ${r}`);
assert.ok(a.households.some((h) => h.persons === 5 || h.persons === 6), 'no household of five or six');
assert.ok(a.devices.length > 0 && a.devices[0].certificate);

// the clock stands at the day and runs; returns keep arriving
const campaign = await (await fetch(`http://${day}/api/v1/campaign`)).json();
const since = Date.parse(campaign.now) - Date.parse(a.day);
assert.ok(since >= 0 && since < 600000, `the day's clock says ${campaign.now}`);
const token = await signIn(day, 'county-business');
const first = await counts(day, token);
let then = first;
for (let i = 0; i < 30 && JSON.stringify(then) === JSON.stringify(first); i++) {
    await new Promise((r) => setTimeout(r, 1000));
    then = await counts(day, token);
}
assert.notDeepEqual(then, first, 'no return arrived in 30 seconds');
await signIn(end, 'county-general');

// the page of keys: codes of now, refused under another name
const page = await get(ring, '/');
assert.equal(page.status, 200);
const someone = a.accounts.find((x) => x.role === 'county-head');
assert.ok(page.body.includes(someone.secret));
assert.ok([0, -30000].some((s) => page.body.includes(totp(someone.totp, Date.now() + s))), 'no code of now');
assert.ok(page.body.includes(a.devices[0].certificate) || page.body.includes('/verify/'));
assert.equal((await get(ring, '/', { Host: 'elsewhere.example' })).status, 404);
assert.equal((await get(ring, '/accounts.json')).status, 404);
console.log('served: day, end and keys');
