/*
 * The plan's forms in ODK's own engine: every XForm is loaded as a client
 * would (list, form, manifest, entity list), filled with generated answers
 * (good ones, ones out of range, none, none with a reason, answers to what is
 * no longer asked), and sent.  Then the document that the web form makes of
 * the same answers is sent under the same name: the server itself says that
 * it repeats the arrival — answers, facts, texts and findings — and the
 * findings are those of the core the web form carries.
 *
 * PUAN_ODK: returns a form (3).  The seed is printed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { load } from '../../ext/wasm/puan.mjs';
import { ask, campaign, odkEngine } from './odk.mjs';
import { root } from './lib.mjs';

const N = Number(process.env.PUAN_ODK ?? 3);
const seed = Number(process.env.PUAN_SEED ?? 20201101);

const times = { short: '2020-11-10', hmt: '2020-11-10', death: '2020-11-10', long: '2020-11-20', unit: '2019-02-10', self: '2019-02-10', clearing: '2018-10-10' };

/* mulberry32 */
function chance(s) {
  const next = () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)] };
}

const two = (n) => String(n).padStart(2, '0');
const months = (t) => Number(t.slice(0, 4)) * 12 + Number(t.slice(5, 7)) - 1;
const monthText = (m) => `${Math.floor(m / 12)}-${two((m % 12) + 1)}`;

const codesOf = (plan, name) => {
  const list = typeof name === 'string' ? (plan.form.codes?.[name] ?? plan.codes[name]) : name;
  return Object.keys(list ?? {});
};

/** An answer as a document writes it; undefined: none; {missing}: with a reason. */
function answer(r, plan, def) {
  const reasons = def.required === false ? [] : codesOf(plan, def.reasons ?? plan.form.reasons);
  const p = r.next();
  if (p < 0.06) return undefined;
  if (p < 0.12 && reasons.length) return { missing: r.of(reasons) };
  const odd = p > 0.95;
  switch (def.type) {
    case 'code':
      return r.of(codesOf(plan, def.codes));
    case 'int': {
      const min = Number(def.min ?? 0), max = Number(def.max ?? 999);
      if (odd && max < 2e9) return String(max + 1 + r.below(5));
      return String(r.next() < 0.8 ? Math.min(max, min + r.below(6)) : min + Math.floor(r.next() * Math.min(max - min + 1, 1e9)));
    }
    case 'decimal':
      return (Number(def.min ?? 0) + r.below(900)).toString();
    case 'month': {
      const min = months(String(def.min ?? '1880-01')), max = months(String(def.max ?? '2020-12'));
      return monthText(odd ? min - 1 - r.below(12) : max - r.below(Math.min(max - min + 1, 1200)));
    }
    case 'date':
      return `${2000 + r.below(20)}-${two(1 + r.below(12))}-${two(1 + r.below(28))}`;
    case 'area': {
      const all = String(370883001001001 + r.below(3)).slice(0, def.digits);
      return odd ? all.slice(1) : all;
    }
    case 'citizen-id': {
      const d = `370883${1930 + r.below(90)}${two(1 + r.below(odd ? 19 : 12))}${two(1 + r.below(28))}${String(r.below(1000)).padStart(3, '0')}`;
      const sum = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2].reduce((t, w, i) => t + w * Number(d[i]), 0);
      return d + (r.next() < 0.8 ? '10X98765432'[sum % 11] : '7');
    }
    case 'phone':
      return odd ? '123' : `1${r.below(1e9) + 3e9}`;
    case 'point':
      return '35.1,116.2';
    default:
      return r.of(['王小明', '测试', 'A & <b> "c"', '零售 烟酒', '李']);
  }
}

/* ---- the engine --------------------------------------------------------------- */

function find(node, path) {
  for (const c of node.currentState.children ?? []) {
    if (c.currentState.reference === path) return c;
    if (path.startsWith(`${c.currentState.reference}/`) || c.nodeType === 'group' || c.nodeType === 'repeat-instance' || /^repeat-range/.test(c.nodeType)) {
      const f = find(c, path);
      if (f) return f;
    }
  }
  return null;
}

/** A month is a date of its first day, a point has altitude and accuracy. */
const asXForm = (def, v) => (def.type === 'month' ? `${v}-01` : def.type === 'point' ? `${v.replace(',', ' ')} 0 0` : v);

function put(instance, path, value) {
  const node = find(instance.root, path);
  assert.ok(node, `no node ${path}`);
  if (/^select/.test(node.nodeType)) node.selectValues ? node.selectValues([].concat(value)) : node.selectValue(value);
  else node.setValue(value);
}

function putRow(instance, at, items, row) {
  const why = Object.entries(row).filter(([, v]) => typeof v === 'object');
  for (const [name, v] of Object.entries(row)) if (typeof v !== 'object') put(instance, `${at}/${name}`, asXForm(items[name], v));
  if (!why.length) return;
  put(instance, `${at}/puan_unanswered`, why.map(([name]) => name));
  for (const [name, v] of why) {
    const node = find(instance.root, `${at}/puan_why/${name}`);
    if (node.currentState.relevant) put(instance, `${at}/puan_why/${name}`, v.missing);
  }
}

function addRow(instance, entity) {
  const range = find(instance.root, `/data/${entity}`);
  range.addInstances();
}

/* ---- the web form -------------------------------------------------------------- */

/** What is not asked is not sent: left out until nothing more falls away. */
function pruned(core, rules, document, entities) {
  for (let round = 0; round < 20; round++) {
    const seen = core.check(rules, document, true, true);
    let changed = false;
    entities.forEach(([name, def], e) => {
      const rows = e === 0 ? [document.answers] : (document[name] ?? []);
      rows.forEach((row, i) => {
        const asked = seen.rows[name]?.[i]?.asked ?? [];
        for (const item of Object.keys(row))
          if (!asked.includes(item) && def.items[item].asked_if !== undefined) {
            delete row[item];
            changed = true;
          }
      });
    });
    if (!changed) return seen;
  }
  throw new Error('routing does not settle');
}

const value = (xml, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';

for (const [pack, forms] of [
  ['cn-population-2020', ['short', 'hmt', 'death', 'long']],
  ['cn-economic-2018', ['clearing', 'unit', 'self']],
]) {
  test(`${pack}: each form, ${N} returns, seed ${seed}`, async (t) => {
    const engine = await odkEngine();
    const core = await load(readFileSync(join(root, 'web/wasm/puan.wasm')));
    const c = await campaign(pack, forms, N);
    t.after(() => c.stop());
    const head = { 'X-OpenRosa-Version': '1.0' };
    for (const form of forms)
      await t.test(form, async (tt) => {
        await c.now(`${times[form]}T09:00:00+08:00`);
        const list = await (await ask(`${c.key[form]}/formList`, { headers: head })).text();
        const entry = list.split('<xform>').find((x) => x.includes(`<formID>${form}</formID>`));
        const xform = await (await ask(value(entry, 'downloadUrl'), { headers: head })).text();
        assert.equal(`md5:${createHash('md5').update(xform).digest('hex')}`, value(entry, 'hash'));
        const manifest = await (await ask(value(entry, 'manifestUrl'), { headers: head })).text();
        const csv = await (await ask(value(manifest, 'downloadUrl'), { headers: head })).text();
        assert.equal(`md5:${createHash('md5').update(csv).digest('hex')}`, value(manifest, 'hash'));
        // what a loaded form has made it keeps: a fresh one now and then
        const open = async () => {
          const loaded = await engine.loadForm(xform, {
            fetchFormAttachment: async () => new Response(csv, { headers: { 'content-type': 'text/csv' } }),
          });
          assert.equal(loaded.status, 'success', String(loaded.error ?? loaded.warnings));
          return loaded;
        };
        let loaded = await open();

        core.forget();
        const plan = (await c.call('GET', `/public/plan/forms/${form}`)).body;
        const rules = core.rules(core.form(plan.form, plan.codes, plan.reference_month), plan.rules, plan.settings);
        const entities = Object.entries(plan.form.entities);
        // the core beside the web form does not know the local time of a visit
        const timed = new Set(plan.rules.flatMap((f) => f.text.split(/^rule /m).slice(1)).filter((x) => /P_start/.test(x)).map((x) => x.split(/\s/)[0]));
        let findings = 0;
        let rows = 0;
        for (let i = 0; i < N; i++) {
          if (i > 0 && i % 25 === 0) loaded = await open();
          const r = chance(seed * 1000 + i);
          const household = c.homes(form)[i];
          const document = { form, household, base: 0, mode: 'enumerator', answers: {} };
          const { root: model } = loaded.createInstance();
          const instance = { root: model };
          put(instance, '/data/puan_head/pick', household);
          const is_signed = r.next() < 0.9;
          put(instance, '/data/puan_head/signed', is_signed ? '1' : '2');
          for (const [e, [name, def]] of entities.entries()) {
            const asked = Object.entries(def.items).filter(([, d]) => !d.from);
            const many = e === 0 ? 1 : r.below(4);
            if (e > 0) document[name] = [];
            for (let k = 0; k < many; k++) {
              const row = {};
              for (const [item, d] of asked) {
                const v = answer(r, plan, d);
                if (v !== undefined) row[item] = v;
              }
              if (e > 0) addRow(instance, name);
              putRow(instance, e === 0 ? `/data/${name}` : `/data/${name}[${k + 1}]`, def.items, row);
              if (e === 0) document.answers = row;
              else document[name].push(row);
              rows++;
            }
          }
          const payload = await model.prepareInstancePayload({ payloadType: 'monolithic' });
          const file = payload.data[0].get('xml_submission_file');
          const xml = await file.text();
          const sent = await ask(`${c.key[form]}/submission?deviceID=test`, { method: 'POST', headers: head, body: payload.data[0] });
          const said = await sent.text();
          assert.equal(sent.status, 201, `return ${i}: ${said}\n${xml}`);

          const instant = (s) => s.replace(/\.(\d+)/, (_, f) => `.${f.padEnd(3, '0')}`);
          const started = value(xml, 'puan_start');
          const finished = value(xml, 'puan_end');
          Object.assign(document, {
            device: `d-${form}`,
            counter: Number(BigInt(`0x${createHash('sha256').update(value(xml, 'instanceID')).digest('hex').slice(0, 12)}`)),
            started: instant(started),
            finished: instant(finished),
            signed: is_signed,
          });
          const seen = pruned(core, rules, document, entities);
          const again = await c.call('POST', '/returns', document, c.token[form]);
          assert.equal(again.body.outcome, 'repeated', `return ${i} of ${form}: ${JSON.stringify(again.body)}\n${xml}\n${JSON.stringify(document)}`);
          const key = (f) => `${f.rule}/${f.row ?? 0}`;
          const compared = (list) => list.filter((f) => !timed.has(f.rule)).map(key).sort();
          assert.deepEqual(compared(again.body.findings), compared(seen.findings), `return ${i} of ${form}`);
          findings += again.body.findings.length;
        }
        assert.ok(N < 3 || findings > 0, 'generated answers should be wrong somewhere');
        tt.diagnostic(`${form}: ${N} returns, ${rows} rows, ${findings} findings, the same by both ways`);
      });
  });
}
