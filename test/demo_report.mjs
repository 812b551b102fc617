// Holds a report of `puan demo` against what it must say.
// usage: node test/demo_report.mjs REPORT.json [MAX_RSS_MIB]
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';

const r = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const limit = Number(process.argv[3] ?? 512);
const number = (name) => {
    assert.equal(typeof r[name], 'number', `${name} is missing`);
    return r[name];
};

assert.ok(number('households_simulated') > 0);
assert.equal(number('households_submitted'), r.households_simulated);
assert.equal(number('lost'), 0);
assert.equal(number('doubled'), 0);
assert.ok(number('persons') > r.households_simulated);
assert.equal(number('resident_unexplained'), 0);
const gap = Object.values(r.resident_gap).reduce((s, k) => s + k.residents, 0);
assert.equal(number('resident_population') - number('resident_truth'), gap);
assert.ok(Object.values(r.resident_gap).some((k) => k.planted > 0),
    'no fault was planted: the account proves nothing');
assert.ok(number('ledger_entries') >= r.households_submitted);
assert.equal(r.ledger_verified, true);
assert.ok(number('server_peak_rss_mib') > 0);
assert.ok(r.server_peak_rss_mib < limit,
    `server peak ${r.server_peak_rss_mib} MiB, limit ${limit}`);
for (const [name, s] of Object.entries(r.seconds))
    assert.ok(s >= 0, `stage ${name}`);
const d = r.detectors;
assert.ok(Object.keys(d).length > 0, 'no detector was scored');
for (const [name, x] of Object.entries(d))
    for (const k of ['planted', 'found', 'false'])
        assert.equal(typeof x[k], 'number', `${name}.${k}`);
// One search over all stores finds every duplicate and calls no pair one.
// Areas without a common office are searched apart and see only their own.
assert.equal(d.duplicates.false, 0);
if (r.searched_apart === 1) {
    assert.equal(d.duplicates.found, d.duplicates.planted,
        'duplicates on exact tokens: recall must be 1');
} else {
    assert.ok(d.duplicates.found > 0);
}
// A day of registration was kept, with work waiting on the desks.
if (r.day_returns !== undefined) {
    assert.ok(r.day_returns > 0.5 * r.households_simulated && r.day_returns < 0.8 * r.households_simulated,
        `${r.day_returns} returns on the day that is kept`);
    assert.ok(r.day_corrected >= Math.min(42, r.households_simulated / 100), `${r.day_corrected} households corrected on that day`);
    assert.ok(r.day_open_queries > 0, 'no query is open on that day');
}
console.log(`report holds: ${r.households_submitted} households, ` +
    `${r.resident_population} residents, truth ${r.resident_truth}`);
