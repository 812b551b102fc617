// Two weeks of an emergency in one county, played through the HTTP interface
// as the seats would: a flood in three townships, direct reporting down for
// nine hours, an opinion event that is also a leak, an empty seat at night.
// The server is killed in the middle.  Every clock of every case must have
// been met or told upward as the plan's files say: this program reads them
// itself and works out who must have been told when.  It writes a transcript.
//
// usage: node test/emergency.mjs PUAN DIR TRANSCRIPT.md [PORT]
//   DIR is made; nothing may be there.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [puan, dir, transcript, port = '8187'] = process.argv.slice(2);
const plan = 'plans/cn-population-2020';
const address = `127.0.0.1:${port}`;
const base = `http://${address}/api/v1/c/cn-population-2020`;
const COUNTY = 370883;
const [A, B, C] = [370883001, 370883002, 370883101];
const MIN = 60000, HOUR = 60 * MIN, DAY = 24 * HOUR;
const T0 = Date.parse('2020-11-05T06:00:00+08:00');
const began = Date.now();

// ---- the plan, read apart from the program ---------------------------------

const packs = [plan, 'plans/cn-office-gx'];
const settings = {};
for (const p of packs.toReversed()) {
    let inside = false, name = '';
    for (const line of readFileSync(`${p}/plan.yaml`, 'utf8').split('\n')) {
        if (/^\S/.test(line)) inside = line.startsWith('settings:');
        if (!inside) continue;
        const m = /^ {2}(\w+):(.*)/.exec(line);
        if (m) name = m[1];
        const v = /\bvalue: *"?([\w.]+)"?/.exec(line);
        if (v && name) settings[name] ??= v[1];
    }
}
function span(text) {
    const s = text?.startsWith('setting.') ? settings[text.slice(8)] : text;
    const m = /^(\d+)([smhd])$/.exec(s ?? '');
    return m ? m[1] * { s: 1000, m: MIN, h: HOUR, d: DAY }[m[2]] : undefined;
}
const flows = {};
function flowOf(name) {
    if (flows[name]) return flows[name];
    const path = packs.map((p) => `${p}/flows/${name}.yaml`).find(existsSync);
    const text = readFileSync(path, 'utf8');
    const clocks = {};
    const part = /\nclocks:\n((?: .*\n|\n)*)/.exec(text)?.[1] ?? '';
    for (const m of part.matchAll(/^ {2}(\w+): \{(.*)\}/gm)) {
        const get = (k) => new RegExp(`\\b${k}: *("[^"]*"|\\[[^\\]]*\\]|[^,}]+)`).exec(m[2])?.[1];
        const list = (k) => get(k)?.replace(/[[\]"]/g, '').split(/, */) ?? [];
        clocks[m[1]] = { limit: span(get('limit')), every: span(get('every')) ?? 0, ladder: list('overdue'),
            warn: list('warn').map(span), restart: get('restart') === 'true' };
    }
    return (flows[name] = { clocks });
}

// ---- the server and the seats ----------------------------------------------

let server;
function serve() {
    server = spawn(puan, ['serve', `${dir}/census`, '--listen', address, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
async function up() {
    for (let i = 0; i < 400; i++) {
        if (await fetch(`http://${address}/healthz`).then((r) => r.ok, () => false)) return;
        assert.equal(server.exitCode, null, 'the server ended');
        await sleep(50);
    }
    throw new Error('the server does not answer');
}
process.on('exit', () => server?.kill('SIGKILL'));

function totp(secret, at) {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
    const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
    const h = createHmac('sha1', key).update(step).digest();
    return String((h.readUInt32BE(h[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}
async function raw(token, method, path, body) {
    const json = body !== undefined && typeof body !== 'string';
    const r = await fetch(base + path, {
        method,
        headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(json ? { 'Content-Type': 'application/json' } : {}) },
        body: json ? JSON.stringify(body) : body,
    });
    const bytes = Buffer.from(await r.arrayBuffer());
    let data;
    if (r.headers.get('content-type')?.includes('json') && bytes.length) data = JSON.parse(bytes);
    return { status: r.status, data, bytes, type: r.headers.get('content-type') ?? '' };
}
async function login(who) {
    for (const at of [0, 30000]) {
        const r = await raw('', 'POST', '/login', { name: who.name, secret: who.secret, code: totp(who.totp, Date.now() + at) });
        if (r.status === 200) return (who.token = r.data.token);
        who.why = r;
    }
    throw new Error(`${who.name} cannot sign in: ${who.why.status} ${who.why.bytes}`);
}
async function call(who, method, path, body) {
    if (!who.token) await login(who);
    let r = await raw(who.token, method, path, body);
    // signed out, or the machine stood so long that the second factor is old
    if (r.status === 401 || r.data?.code === 'second-factor') r = await raw(await login(who), method, path, body);
    return r;
}
async function good(who, method, path, body) {
    const r = await call(who, method, path, body);
    assert.ok(r.status < 300, `${who.name} ${method} ${path} ${JSON.stringify(body)}: ${r.status} ${r.bytes}`);
    return r.data;
}
let system, security;
const people = {};
/** A person at a seat: account, seat, first sign-in with a password of one's own. */
async function settle(name, first, code) {
    const who = { name, secret: first, totp: code };
    const own = `Deng-${Math.round(Math.random() * 1e12)}-6x`;
    await login(who);
    await good(who, 'PUT', '/password', { old: first, new: own });
    who.secret = own;
    who.token = '';
    return who;
}
async function seat(role, area, name = `${role}.${area}`) {
    const made = await good(system, 'POST', '/accounts', { name, person: name });
    const s = await good(security, 'POST', '/seats', { account: name, role, area: String(area), ...(role === 'response-group' ? { attested: 'pledge' } : {}) });
    const who = await settle(name, made.secret, made.totp);
    Object.assign(who, { role, area, seat: s.seat ?? s.id });
    return (people[name] = who);
}

// ---- time: from one moment at which something is due to the next -----------

let now = T0;
const cases = new Map(); // id -> last JSON
const ours = [];
const history = {}; // id -> clock -> runs
let dark = null; // from the kill of the server to the moment it had caught up
async function read(id) {
    const c = await good(people.watch, 'GET', `/cases/${id}`);
    cases.set(id, c);
    // each run of each clock, as it was last seen
    for (const k of c.clocks) {
        const runs = ((history[id] ??= {})[k.id] ??= []);
        const last = runs.at(-1);
        if (last?.started === ms(k.started)) Object.assign(last, { due: ms(k.due), stopped: ms(k.stopped) });
        else {
            if (last && !last.stopped) last.stopped = ms(k.started); // stopped and begun by one act
            runs.push({ zh: k.zh, started: ms(k.started), due: ms(k.due), stopped: ms(k.stopped) });
        }
    }
    return c;
}
async function setClock(ms, rate = 0) {
    now = ms;
    await good(system, 'POST', '/clock', { now: new Date(ms).toISOString().replace('Z', '+00:00'), rate });
}
/** Until nothing that is due waits. */
async function still() {
    for (let i = 0; i < 600; i++) {
        const t = await (await fetch(`http://${address}/metrics`)).text();
        const m = /^puan_case_ticks_waiting(?:\{.*\})? (\d+)/m.exec(t);
        assert.ok(m, 'the metric of waiting clocks is there');
        if (m[1] === '0') return;
        await sleep(20);
    }
    throw new Error('clocks that are due do not act');
}
const ms = (t) => (t ? Date.parse(t) : 0);
/** The next moment, after `from`, at which a clock of ours warns, is due or climbs. */
function nextMoment(from) {
    let at = Infinity;
    for (const c of cases.values()) {
        if (c.ended) continue;
        for (const k of c.clocks) {
            if (k.state === 'stopped') continue;
            const d = flowOf(c.flow).clocks[k.id];
            const all = [ms(k.due), ...(d?.warn ?? []).map((w) => ms(k.started) + w)];
            if (k.state === 'overdue' && k.next) all.push(ms(k.next.at));
            for (const t of all) if (t > from && t < at) at = t;
        }
    }
    return at;
}
const lines = [];
function note(text) {
    if (process.env.PLAY_DEBUG) console.error(((Date.now() - began) / 1000).toFixed(1), new Date(now + 8 * HOUR).toISOString().slice(5, 16), text);
    lines.push({ at: now, text });
}
async function refresh() {
    for (const id of ours) if (!cases.get(id)?.ended) await read(id);
}
/** Day and time of the emergency: at(2, '09:15') is the second day. */
const at = (day, hhmm) => Date.parse('2020-11-05T00:00:00+08:00') + (day - 1) * DAY + hhmm.slice(0, 2) * HOUR + hhmm.slice(3) * MIN;
async function until(day, hhmm) {
    const end = at(day, hhmm);
    assert.ok(end >= now, `${day} ${hhmm} lies behind`);
    for (;;) {
        await refresh();
        const t = Math.min(nextMoment(now), end);
        if (t > now) {
            await setClock(t);
            await still();
        }
        if (t === end) break;
    }
    await refresh();
}

// ---- acts ------------------------------------------------------------------

async function adopt(id) {
    if (!ours.includes(id)) ours.push(id);
    return await read(id);
}
const short = (c) => `${c.number} ${c.title_zh}${c.flow === 'incident' ? '' : `·${c.flow_zh}`}`;
const seatOf = (who) => `${who.zh ?? who.role}`;
async function open(who, area, flow, fields) {
    const r = await good(who, 'POST', '/cases', { area: String(area), flow, fields });
    const c = await adopt(r.id);
    note(`**${seatOf(who)}** 立案：${short(c)}`);
    return r.id;
}
async function does(kind, who, id, name, body = {}) {
    const key = { act: 'transition', step: 'step', order: 'step', ask: 'approval' }[kind];
    await good(who, 'POST', `/cases/${id}/${kind}`, { [key]: name, ...body });
    const c = await read(id);
    const last = c.events.at(-1);
    const e = c.events.findLast((x) => x.kind !== 'clock' && x.id === name) ?? last;
    const word = { act: '', step: '完成步骤：', order: '下令：', ask: '报请：' }[kind];
    note(`**${body.as_role ? `${seatOf(who)}（代录${e.role_zh ?? body.as_role}）` : seatOf(who)}** ${word}${e.zh ?? name}（${short(c)}）`);
    return c;
}
const act = (who, id, name, fields, more) => does('act', who, id, name, { ...(fields && { fields }), ...more });
const step = (who, id, name, fields, more) => does('step', who, id, name, { ...(fields && { fields }), ...more });
async function take(who, id) {
    await good(who, 'POST', `/cases/${id}/take`, {});
    note(`**${seatOf(who)}** 接手（${short(await read(id))}）`);
}
/** Asked for by one seat, read and signed by others. */
async function approve(asker, signers, id, name, fields) {
    await does('ask', asker, id, name, fields && { fields });
    for (const who of signers) {
        const a = (await good(who, 'GET', `/cases/${id}`)).approvals.find((x) => x.id === name);
        assert.ok(a.may_sign, `${who.name} may sign ${name}`);
        await good(who, 'POST', `/cases/${id}/sign`, { approval: name, yes: true, digest: a.now });
        note(`**${seatOf(who)}** 签批：${a.zh}（${short(await read(id))}）`);
    }
}
async function refused(who, id, name, fields, status, why) {
    const was = await read(id);
    const r = await call(who, 'POST', `/cases/${id}/act`, { transition: name, fields });
    assert.equal(r.status, status, `${name} must be refused: ${r.status} ${r.bytes}`);
    assert.equal((await read(id)).events.length, was.events.length, 'a refusal enters nothing in the case');
    const label = was.acts.find((x) => x.id === name)?.zh ?? name;
    note(`**${seatOf(who)}** 办理“${label}”被拒绝（${status}）：${why}（${short(was)}）`);
}
async function paper(who, kind, text) {
    return { kind, digest: (await good(who, 'POST', '/evidence', text)).digest };
}
/** The case that opened by itself under this one. */
async function child(id, flow) {
    for (const l of (await read(id)).links.filter((l) => l.how === 'child' && !ours.includes(l.id))) {
        if ((await good(people.watch, 'GET', `/cases/${l.id}`)).flow !== flow) continue;
        note(`系统 按程序立案：${short(await adopt(l.id))}`);
        return l.id;
    }
    throw new Error(`no ${flow} was opened under ${id}`);
}

// ---- the office ------------------------------------------------------------

mkdirSync(dir);
const run = (...args) => execFileSync(puan, args, { stdio: ['ignore', 'pipe', 'inherit'] }).toString();
run('simulate', '--area', String(COUNTY), '--scale', '0.001', '--only', 'areas', '--out', `${dir}/sim`);
run('init', `${dir}/census`, '--plan', plan, '--birth', 'demo');
run('admin', 'first-run', `${dir}/census`, '--secrets-file', `${dir}/first.csv`);
run('import', `${dir}/census`, `${dir}/sim/areas.csv`);
serve();
await up();
{
    const rows = readFileSync(`${dir}/first.csv`, 'utf8').trim().split('\n').map((l) => l.split(','));
    const of = (role) => rows.find((r) => r[1] === role);
    const [s, q] = [of('system-admin'), of('security-admin')];
    system = await settle(s[0], s[2], s[3]);
    security = await settle(q[0], q[2], q[3]);
}
await setClock(T0);
const p = {};
const places = { [A]: '钢山街道', [B]: '千泉街道', [C]: '香城镇', [COUNTY]: '邹城市', 37: '省' };
for (const [key, role, area, zh] of [
    ['duty', 'duty-officer', COUNTY, '值班员'], ['office', 'risk-office', COUNTY, '预防风险办公室'],
    ['leaders', 'leading-group', COUNTY, '领导小组'], ['group', 'response-group', COUNTY, '应急处置组'],
    ['head', 'security-group-head', COUNTY, '安全保障组组长'], ['publicity', 'publicity', COUNTY, '宣传组'],
    ['secrecy', 'secrecy-office', COUNTY, '失泄密应急小组'], ['discipline', 'discipline', COUNTY, '纪检监察机构'],
    ['province', 'leading-group', 37, '省领导小组'], ['a', 'township-office', A, ''], ['b', 'township-office', B, ''],
    ['c', 'township-office', C, ''],
])
    (p[key] = await seat(role, area)).zh = zh || places[area];
people.watch = p.office;

// ---- day 1: water in two townships -----------------------------------------

const details = (where) => ({ happened: new Date(now - 20 * MIN).toISOString(), place: `${where}普查机构一楼`, cause: '连日降雨，河水漫堤',
    details: '办公场所和普查小区部分进水，人员已转移', loss: '两台设备受潮，无数据丢失', trend: '水位仍在上涨', measures: '断电、转移设备和纸质资料，申请支援',
    scope: 'one_city', way: 'system' });
const flood = {};
/** Reported upward, told to the leading group, begun with approval, graded. */
async function started(who, id, [report, inform, start, grade], day) {
    await until(day, report);
    await act(who, id, 'report', details(who.zh));
    await until(day, inform);
    await act(p.office, id, 'inform');
    await until(day, start);
    await approve(p.office, [p.leaders], id, 'start');
    await act(p.leaders, id, 'start', { decision_reason: '汛情危及普查登记' });
    await until(day, grade);
    await act(p.leaders, id, 'set_grade', { nature: '自然灾害', degree: '较重', extent: who.zh, grade: 'larger' });
}
await until(1, '06:10');
flood.a = await open(p.a, A, 'incident', { class: 'disaster', title: '钢山街道普查机构进水', origin: 'natural' });
await until(1, '06:15');
await take(p.duty, flood.a);
await until(1, '06:30');
await step(p.duty, flood.a, 'first_aid', { measures: '断电，人员撤离' });
await refused(p.duty, flood.a, 'inform', {}, 403, '报领导小组须由预防风险办公室办理');
await started(p.a, flood.a, ['06:40', '07:00', '07:05', '07:10'], 1);
// nobody says "mine" in time: the duty officer again, then the office
await until(1, '07:15');
flood.b = await open(p.b, B, 'incident', { class: 'disaster', title: '千泉街道办公楼进水', origin: 'natural' });
await until(1, '07:40');
await take(p.duty, flood.b);
await step(p.b, flood.b, 'first_aid', { measures: '沙袋封堵，资料上移' });
await started(p.b, flood.b, ['08:30', '08:50', '08:55', '09:00'], 1);
// from now on a report every six hours; the one of the first night comes late
await act(p.leaders, flood.a, 'set_timetable', { report_minutes: 360, report_content: '水位、受影响小区、登记进度' });
await until(1, '14:30');
await act(p.a, flood.a, 'report_progress', { progress_note: '水位下降二十厘米，十二个小区恢复登记' });
await until(1, '20:00');
await act(p.a, flood.a, 'report_progress', { progress_note: '又有八个小区恢复登记' });

// ---- the night: nobody sits at the duty desk -------------------------------

await until(1, '22:00');
await good(security, 'POST', `/seats/${p.duty.seat}/end`, { handover: '已交清，接班人员次日八时到岗' });
note('**安全管理员** 结束县值班员岗位任期；接班人员次日八时到岗，当夜岗位空缺');
await until(1, '23:10');
flood.c = await open(p.c, C, 'incident', { class: 'disaster', title: '香城镇通信中断、办公室进水', origin: 'natural' });
await until(1, '23:50');
await step(p.c, flood.c, 'first_aid', { measures: '转移人员和纸质资料' });
await until(2, '03:00'); // the six-hourly report was due at two

// ---- day 2: direct reporting is down for nine hours -------------------------

await until(2, '08:00');
p.duty = await seat('duty-officer', COUNTY, 'duty-officer.day2');
p.duty.zh = '值班员';
note('**安全管理员** 任命新的县值班员');
await act(p.a, flood.a, 'report_progress', { progress_note: '夜间值守，水位平稳；迟报因停电' });
await until(2, '09:00');
const down = await open(p.a, A, 'incident', { class: 'technical', title: '直报系统无法登录', origin: 'man_made' });
await until(2, '09:04');
await take(p.duty, down);
await until(2, '09:05');
await act(p.a, down, 'report', { ...details('钢山街道'), place: '全市', cause: '待查', details: '各街镇均无法登录直报系统', loss: '暂停上报', trend: '积压增加', measures: '检查网络' });
await until(2, '09:08');
await act(p.office, down, 'inform');
await until(2, '09:12');
await approve(p.office, [p.leaders], down, 'start');
await act(p.leaders, down, 'start', { decision_reason: '全市无法上报' });
await act(p.group, down, 'handle_by', { playbook: 'direct_report' });
const direct = await child(down, 'direct_report');
await until(2, '09:20');
await act(p.head, direct, 'command', { commander: '安全保障组组长' });
await until(2, '09:40');
await step(p.group, direct, 'check_network', { network_result: '主干网正常' });
await step(p.group, direct, 'check_login', { login_result: '身份认证正常' });
await refused(p.group, direct, 'restore', {}, 409, '修复未完成，不得宣布恢复');
await until(2, '11:00');
await step(p.group, direct, 'check_database', { database_result: '数据库连接耗尽' });
await step(p.group, direct, 'check_server', { server_result: '正常' });
await step(p.group, direct, 'check_application', { application_result: '连接未释放' });
await until(2, '17:25'); // eight hours have passed: another channel
await step(p.office, direct, 'other_channel', { channel: '加密光盘专人报送', agreed_with: '县政府办公室、机要部门' });
await step(p.office, down, 'other_channel');
await approve(p.head, [p.leaders], direct, 'handle', { handle_plan: '扩大连接池并重启应用，随后核对积压' });
await step(p.group, direct, 'repair', {});
await until(2, '18:00');
await act(p.head, direct, 'restore');
note('直报系统中断九小时后恢复');
await step(p.group, down, 'network_login', {});
await step(p.group, down, 'base_server_app', {});
await step(p.duty, down, 'first_aid', { measures: '已通知各街镇改用其他方式' });
// the third township reports a day late: the office and the group were told
await until(3, '00:30');
await act(p.c, flood.c, 'report', details('香城镇'));
await until(3, '00:45');
await act(p.office, flood.c, 'inform');
await until(3, '00:50');
await approve(p.office, [p.leaders], flood.c, 'start');
await act(p.leaders, flood.c, 'start', { decision_reason: '通信中断后补报' });
await act(p.leaders, flood.c, 'set_grade', { nature: '自然灾害', degree: '较重', extent: '香城镇', grade: 'larger' });

// ---- day 3: a report in the media that is also a leak -------------------------

await until(3, '10:00');
const opinion = await open(p.b, B, 'opinion', { title: '网传普查数据不实', untrue: true, grave: true, reach: 'spreading', foreign: false });
await until(3, '10:40');
await act(p.b, opinion, 'report', { responsible: '宣传组', happened: new Date(now).toISOString(), details: '网帖附有普查小区名册截图，称数据造假', measures: '已留存页面' });
await until(3, '10:50');
await act(p.office, opinion, 'inform');
await until(3, '11:00');
await approve(p.office, [p.leaders], opinion, 'start');
await act(p.leaders, opinion, 'start', { grade: 'major', decision_reason: '扩散快，损害统计公信力' });
await until(3, '11:05');
const leak = await open(p.b, B, 'leak', { title: '普查小区名册外泄', known_elsewhere: false });
await until(3, '11:20');
await step(p.publicity, opinion, 'trace_source', { first_source: '本地论坛', reprints: '两家网站' });
await step(p.publicity, opinion, 'register_media', { medium: '本地论坛', author: '网名用户' });
await until(3, '11:40');
const six = { unit: '千泉街道', content: '普查小区名册', class: 'open', quantity: '一份', carrier: '照片', happened: new Date(now - 2 * HOUR).toISOString(), place: '千泉街道', course: '纸质名册被拍照上网', harm: '个人信息扩散', persons: '待查', way: 'writing' };
await refused(p.b, leak, 'report', six, 400, '六项内容缺“已采取措施”');
await act(p.b, leak, 'report', { ...six, measures: '收回名册，联系网站' });
await until(3, '12:00');
await act(p.secrecy, leak, 'verify', { verification: '属实，为千泉街道第三小区名册', major: true, in_media: true });
await until(3, '12:15');
await approve(p.secrecy, [p.leaders], leak, 'start');
await act(p.leaders, leak, 'start', { decision_reason: '个人信息已在网上扩散' });
await until(3, '12:30');
await step(p.publicity, opinion, 'contact', { contact_result: '论坛同意更正' });
await act(p.leaders, leak, 'call_bodies', { notify_secrecy: true, notify_security: false, notify_police: true, investigator: '公安机关' });
await until(3, '13:10'); // taken down forty minutes too late: publicity and the group were told
await step(p.publicity, leak, 'takedown', { takedown_medium: '本地论坛', takedown_at: new Date(now - 10 * MIN).toISOString(), takedown_result: '已删除' });
await until(3, '13:30');
await act(p.publicity, opinion, 'want_statement');
const statement = await child(opinion, 'statement');
await act(p.publicity, statement, 'draft', { form: 'statement', wide: true, text: '网传内容不实，普查机构依法保护个人信息，有关情况正在调查。' });
await approve(p.publicity, [p.leaders, p.province], statement, 'line_wide');
const said = { inputs: '已听取街道和公安机关意见', speaker: '宣传组组长', issued_at: new Date(at(3, '15:00')).toISOString() };
await refused(p.publicity, statement, 'issue_wide', said, 409, '失泄密未结案，未经特别批准不得对外发布');
await until(3, '14:30');
await approve(p.publicity, [p.leaders, p.secrecy], leak, 'speak');
await until(3, '15:00');
await act(p.publicity, statement, 'issue_wide', said);
await approve(p.publicity, [p.leaders, p.province], opinion, 'line_region', { line: '与声明一致，不另作评论' });
await act(p.publicity, opinion, 'answer_region', { inputs: said.inputs, speaker: said.speaker });
await until(3, '18:00');
await act(p.a, flood.a, 'report_progress', { progress_note: '全街道恢复登记' });
await step(p.secrecy, leak, 'trace', { holders: 3, recovered: 3, trace_note: '三份均已收回' });

// ---- the server dies while a deadline runs out --------------------------------

await until(4, '00:40'); // the third township's report of progress is due at ten to one
note('**服务器** 在时钟运行中被强行终止，期间有时限到期');
dark = { from: now };
await setClock(now, 1800000); // half an hour a second
server.kill('SIGKILL');
await sleep(1200);
serve();
await up();
await still();
dark.until = Date.parse((await (await fetch(`http://${address}/api/v1/campaign`)).json()).now) + MIN;
await setClock(dark.until);
await still();
await refresh();
note('**服务器** 重新启动，到期的时限各动作一次，继续计时');

// ---- day 5 to 14: orders, results, the end of each -----------------------------

await until(5, '09:00');
await act(p.b, flood.b, 'report_progress', { progress_note: '积水排除，设备检修' });
await act(p.c, flood.c, 'report_progress', { progress_note: '通信恢复' });
await act(p.leaders, flood.b, 'direct', { order_text: '两日内恢复全部小区登记', order_due: new Date(at(7, '09:00')).toISOString(), responsible: '千泉街道', commander: '应急处置组组长' });
const order = await child(flood.b, 'directive');
await until(5, '09:20');
await act(p.group, order, 'receive', { executor: '应急处置组' });
await until(6, '16:00');
await act(p.group, order, 'report_result', { result: '二十六个小区全部恢复' });
await act(p.leaders, order, 'accept');
const ends = { cause: '连接未释放', improvement: '增加连接监测', improvement_owner: '安全保障组', improvement_due: new Date(at(13, '09:00')).toISOString(), result_report: '中断九小时，改道报送未丢数据' };
await approve(p.head, [p.leaders], direct, 'end', { result_report: ends.result_report });
await act(p.leaders, direct, 'close', ends);
await act(p.leaders, down, 'set_grade', { nature: '技术故障', degree: '一般', extent: '全市', grade: 'general' });
await approve(p.office, [p.leaders], down, 'end', { result_report: ends.result_report });
await act(p.leaders, down, 'close_technical', { handled: true });
await until(7, '10:00');
await approve(p.office, [p.leaders], opinion, 'end', { result_report: '统一答复后转载停止，论坛更正' });
await act(p.leaders, opinion, 'close', { result_report: '统一答复后转载停止，论坛更正', no_case_reason: '网民误解，责任随失泄密事件追究' });
async function over(id, day, hhmm, danger) {
    await until(day, hhmm);
    const result = '水退，登记恢复，无数据丢失';
    await approve(p.office, [p.leaders], id, 'end', { result_report: result });
    await act(p.leaders, id, 'close_disaster', { danger });
}
await over(flood.a, 8, '09:00', 'nearly_gone');
await over(flood.b, 9, '09:00', 'gone');
await until(9, '10:00');
await act(p.office, leak, 'find_outside', { fact_class: '工作秘密', fact_content: '一个普查小区的名册', fact_term: '长期', fact_made: new Date(at(1, '06:00')).toISOString(), fact_audience: '普查员', fact_time: new Date(at(3, '08:00')).toISOString(), fact_channel: '手机拍照', fact_range: '一个论坛', fact_persons: '一名借调人员' },
    { as_role: 'police', as_level: 'county', evidence: [await paper(p.office, 'carrier_photo', '公安机关通报函')] });
await step(p.secrecy, leak, 'certify', {}, { evidence: [await paper(p.secrecy, 'certificate', '密级鉴定书：工作秘密')] });
await until(10, '10:00');
await step(p.discipline, leak, 'penalty', { outcome: 'discipline', sanction: '记过' });
await until(12, '10:00');
await approve(p.secrecy, [p.leaders], leak, 'end', { result_report: '已查清并处理' });
await act(p.leaders, leak, 'close', { remedy: '名册改为加密电子名册', result_report: '已查清并处理', notice_text: '通报一起名册外泄事件', notice_audience: '各街镇普查机构' });
await over(flood.c, 13, '09:00', 'gone');
await until(14, '18:00');

// ---- every deadline met, or told upward as the plan says -------------------------

const tally = { runs: 0, met: 0, late: 0, rungs: 0, warned: 0, vacant: 0 };
const table = [];
for (const id of ours) {
    const c = cases.get(id);
    assert.ok(c.ended, `${short(c)} has ended`);
    const done = ms(c.events.at(-1).event);
    for (const [name, runs] of Object.entries(history[id])) {
        const d = flowOf(c.flow).clocks[name];
        assert.ok(d, `${c.flow} ${name} stands in the plan`);
        for (const r of runs) {
            const stop = r.stopped || done;
            const where = `${short(c)} ${name} from ${new Date(r.started).toISOString()}`;
            if (d.limit && !d.restart) assert.equal(r.due - r.started, d.limit, `${where}: the plan's limit`);
            const within = (t, want, what) => assert.ok(t === want || (dark && want >= dark.from && want <= dark.until && t >= want && t <= dark.until),
                `${where}: ${what} at ${new Date(t).toISOString()}, by the plan ${new Date(want).toISOString()}`);
            const mine = c.events.filter((e) => e.kind === 'clock' && e.id === name && ms(e.event) >= r.started && ms(e.event) <= stop);
            for (const [i, w] of d.warn.entries()) {
                if (r.started + w > stop || r.started + w > r.due) continue;
                const t = mine.filter((e) => e.part === 'warn')[i];
                assert.ok(t, `${where}: warned after ${w / HOUR} h`);
                within(ms(t.event), r.started + w, 'warned');
                tally.warned++;
            }
            // who had to be told, from the plan's ladder alone
            const told = c.told.filter((t) => t.kind === 'escalate' && mine.some((e) => e.n === t.n));
            let expect = 0, before;
            for (const [i, who] of d.ladder.entries()) {
                const want = before?.vacant ? ms(before.at) : r.due + i * d.every;
                if (want > stop || (want === stop && !told[i])) break;
                assert.ok(told[i], `${where}: ${who} had to be told at ${new Date(want).toISOString()}`);
                assert.equal(told[i].id, who, `${where}: rung ${i + 1}`);
                within(ms(told[i].at), want, `${who} told`);
                const night = ms(told[i].at) >= at(1, '22:00') && ms(told[i].at) < at(2, '08:00');
                if (who === 'duty') assert.equal(told[i].vacant, night, `${where}: the duty seat is vacant at night only`);
                tally.vacant += told[i].vacant;
                before = told[i];
                expect++;
            }
            assert.equal(told.length, expect, `${where}: nobody was told twice or too early`);
            tally.runs++;
            tally.rungs += expect;
            const late = stop > r.due;
            assert.equal(expect > 0, late && d.ladder.length > 0, `${where}: told upward exactly when late`);
            if (late) tally.late++;
            else tally.met++;
            table.push({ c, r, late, stop, told, stopped: r.stopped });
        }
    }
}
// what the story was made to miss is missed, and by whom it was heard
const heard = (id, name) => table.find((t) => t.c.id === id && history[id][name]?.includes(t.r))?.told.map((t) => t.id);
assert.deepEqual(heard(flood.a, 'answer'), []);
assert.deepEqual(heard(flood.b, 'answer'), ['duty', 'office']);
assert.deepEqual(heard(flood.c, 'answer').slice(0, 2), ['duty', 'office'], 'the empty seat: the office at once');
assert.deepEqual(table.filter((t) => t.c.id === flood.a && history[flood.a].timetable.includes(t.r)).slice(0, 3).map((t) => t.told.length), [0, 0, 1], 'six-hourly reports: two in time, the third missed at night');
assert.deepEqual(heard(flood.c, 'up'), ['office', 'leaders']);
assert.deepEqual(heard(down, 'alt'), ['office']);
assert.deepEqual(heard(direct, 'channel'), ['office', 'leaders']);
assert.deepEqual(heard(opinion, 'up'), []);
assert.deepEqual(heard(leak, 'takedown'), ['publicity', 'group']);
const inDark = table.filter((t) => t.r.due >= dark.from && t.r.due <= dark.until);
assert.ok(inDark.length > 0 && inDark.every((t) => t.told.length > 0), 'a deadline ran out while the server was down, and was told after');

// ---- reports, ledger, transcript ---------------------------------------------------

const reports = [];
const shelf = await call(p.office, 'GET', `/papers?area=${COUNTY}&id=${flood.a}`);
if (shelf.status !== 404) {
    mkdirSync(`${dir}/reports`);
    for (const [who, id, name] of [[p.office, flood.a, 'incident_report'], [p.office, flood.b, 'incident_report'], [p.office, flood.c, 'incident_report'],
        [p.office, down, 'incident_report'], [p.secrecy, leak, 'leak_report'], [p.office, direct, 'incident_log'], [p.office, opinion, 'incident_log']]) {
        const r = await call(who, 'POST', '/papers', { area: String(cases.get(id).area), id, paper: name });
        assert.ok(r.status < 300, `${name} of ${id}: ${r.status} ${r.bytes}`);
        assert.ok(r.bytes.subarray(0, 5).toString() === '%PDF-' && r.bytes.length > 2000, `${name} of ${id} is a PDF`);
        const file = `${cases.get(id).number}-${name}.pdf`;
        writeFileSync(`${dir}/reports/${file}`, r.bytes);
        reports.push({ file, size: r.bytes.length, of: short(cases.get(id)) });
        note(`**${seatOf(who)}** 印发：${file}（${short(cases.get(id))}）`);
    }
}
for (const id of ours)
    for (const t of cases.get(id).told.filter((x) => x.kind === 'escalate'))
        lines.push({ at: ms(t.at), text: `*时限到期* ${cases.get(id).events[t.n - 1].zh}：报${t.zh}${t.vacant ? '（**岗位空缺，即报上一级**）' : ''}（${short(cases.get(id))}）`, tick: true });
lines.sort((x, y) => x.at - y.at || (y.tick ?? 0) - (x.tick ?? 0));
server.kill('SIGTERM');
await new Promise((r) => server.once('exit', r));
const verified = run('ledger', 'verify', `${dir}/census`);
const local = (t) => new Date(t + 8 * HOUR).toISOString().replace('T', ' ').slice(0, 16);
const md = ['# 两周应急过程 Two weeks of an emergency', '',
    '三个街镇进水；直报系统中断九小时；一起舆论事件同时是失泄密事件；夜间值班岗位空缺；服务器中途被强行终止一次。全部由各岗位经网络接口办理。',
    'Water in three townships; direct reporting down for nine hours; an opinion event that is also a leak; an empty seat at night; the server killed once. Every act is a request of a seat.', '',
    `- 事项 cases: ${ours.length}；计时 runs of clocks: ${tally.runs}；按时 met: ${tally.met}；逾期 late: ${tally.late}`,
    `- 逐级报告 told upward: ${tally.rungs}（岗位空缺 vacant: ${tally.vacant}）；提前提醒 warned: ${tally.warned}`,
    `- 停机 server down: ${local(dark.from)} – ${local(dark.until)}，其间到期 fell due meanwhile: ${inDark.length}`, ''];
let day = '';
for (const l of lines) {
    const [d, hhmm] = local(l.at).split(' ');
    if (d !== day) md.push('', `## 第 ${Math.floor((l.at - at(1, '00:00')) / DAY) + 1} 天 ${d}`, '');
    day = d;
    md.push(`- ${hhmm} ${l.text}`);
}
md.push('', '## 时限 Clocks', '', '| 事项 case | 时限 clock | 开始 started | 到期 due | 停止 stopped | 结果 |', '| --- | --- | --- | --- | --- | --- |');
for (const t of table.sort((x, y) => x.r.started - y.r.started))
    md.push(`| ${short(t.c)} | ${t.r.zh} | ${local(t.r.started)} | ${local(t.r.due)} | ${t.stopped ? local(t.stopped) : '随事项终止'} | ${t.late ? `逾期，报${t.told.map((x) => `${x.zh}（${local(ms(x.at)).slice(11)}${x.vacant ? '，空缺' : ''}）`).join('、')}` : '按时'} |`);
if (reports.length) {
    md.push('', '## 报告 Reports', '');
    for (const r of reports) md.push(`- ${r.file}（${r.of}，${r.size} 字节）`);
}
writeFileSync(transcript, md.join('\n') + '\n');
assert.match(verified, /./);
console.log(`emergency: ${ours.length} cases, ${tally.runs} runs of clocks: ${tally.met} met, ${tally.late} late and told upward ${tally.rungs} times, ${tally.warned} warnings; ` +
    `${inDark.length} fell due while the server was down; ${reports.length} reports as PDF; ledger verified; ${((Date.now() - began) / 1000).toFixed(0)} s`);
process.exit(0);
