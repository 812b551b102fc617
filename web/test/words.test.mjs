// The catalogues: every word in both languages, in the words of the terms
// table, without the words no official uses, punctuated as each language is.
// Needs no browser and no server.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.env.PUAN_WEB_ROOT ?? new URL('..', import.meta.url).pathname;

function* files(dir, pattern) {
  for (const name of readdirSync(dir)) {
    if (['node_modules', 'dist', 'test', 'tools', 'wasm'].includes(name)) continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* files(path, pattern);
    else if (pattern.test(name)) yield path;
  }
}

const faces = { shared: {}, office: {}, household: {}, unit: {}, field: {}, public: {} };
const entries = []; // {file, face, key, zh, en}
for (const path of files(root, /^words\.json$/)) {
  const file = relative(root, path);
  const face = /^(ui|form)\//.test(file) ? 'shared' : file.split('/')[0];
  for (const [key, pair] of Object.entries(JSON.parse(readFileSync(path, 'utf8'))))
    entries.push({ file, face, key, zh: pair.zh ?? '', en: pair.en ?? '' });
}

/** Every entry that breaks the rule, in one message. */
function none(rule) {
  const wrong = entries
    .map((e) => ({ e, why: rule(e) }))
    .filter((x) => x.why)
    .map(({ e, why }) => `${e.file} ${e.key}: ${why === true ? '' : `${why}: `}${e.zh} | ${e.en}`);
  assert.equal(wrong.length, 0, `\n${wrong.join('\n')}`);
}
const length = (s) => [...s].length;
const han = '\\u3400-\\u9fff\\u{20000}-\\u{323af}';
const bare = (s) => s.replace(/[。.!！?？…\s]/g, '');

test('there are catalogues of every face', () => {
  assert.ok(entries.length > 150, `${entries.length} words`);
  for (const e of entries) assert.ok(e.face in faces, e.file);
});

test('every key has both languages', () => none((e) => !e.zh.trim() || !e.en.trim()));

test('no face knows one key twice with two meanings', () => {
  const wrong = [];
  for (const e of entries) {
    const other = faces[e.face][e.key] ?? faces.shared[e.key];
    if (other && (other.zh !== e.zh || other.en !== e.en)) wrong.push(`${e.key}: ${other.file} and ${e.file}`);
    faces[e.face][e.key] = e;
  }
  assert.deepEqual(wrong, []);
});

test('both languages take the same values', () =>
  none((e) => {
    const values = (s) => [...new Set(s.match(/\{\w+\}/g) ?? [])].sort().join(' ');
    // a language that counts repeats its value, one that does not may leave it out
    return values(e.zh) !== values(e.en) && values(e.zh) !== values(e.en.split('|').pop()) ? `${values(e.zh)} / ${values(e.en)}` : '';
  }));

test('no message is one bare word of failure', () => {
  const banned = ['非法', '错误', '无效', '失败', '系统繁忙', '系统异常', '无权限', '暂无数据', '操作失败', '操作成功', '网络错误', '系统错误', '参数错误', '未知错误'];
  none((e) => banned.includes(bare(e.zh)));
  none((e) => /^(error|failed|failure|invalid|illegal|no data|system busy|unknown error|forbidden|access denied)$/i.test(bare(e.en)) || /^(no data|system busy|access denied)\.?$/i.test(e.en));
  none((e) => /系统繁忙|系统异常|暂无数据/.test(e.zh));
});

test('no chatter and no shouting', () => {
  none((e) => /哦|抱歉|对不起|亲[，,~爱]|亲们|您好|温馨提示|小贴士/.test(e.zh));
  none((e) => /[!！]/.test(e.zh) || /!/.test(e.en));
  none((e) => /\b(sorry|oops|please note|whoops)\b/i.test(e.en));
});

test('buttons and acts never say 确定, OK or 提交 alone', () => {
  none((e) => ['确定', '确认', '提交', 'OK', '好的', '知道了'].includes(bare(e.zh)) && !/notice|message/.test(e.key));
  none((e) => e.en !== 'No.' && /^(ok|submit|confirm|yes|no)$/i.test(bare(e.en)) && !/^(是|否|有|无)$/.test(bare(e.zh)));
});

test('查询 is the query sent back; looking for something is 查找', () => {
  none((e) => e.face === 'public' && e.zh.includes('查询'));
  none((e) => /(search|find|filter|lookup)/i.test(e.key) && /查询(?!中|的|单|超|理由|岗|时限|答复|发|是|过|和|、|，|。)/.test(e.zh) && !/quer/i.test(e.en));
  none((e) => e.zh.includes('查询') && /\b(search|look up|find)\b/i.test(e.en) && !/quer/i.test(e.en));
  none((e) => /搜索|检索/.test(e.zh));
});

test('验证码 stands only where people are warned of it', () =>
  none((e) => e.zh.includes('验证码') && !/不|谨防|索要|冒充/.test(e.zh) && !e.key.startsWith('never.')));

test('titles have at most 8 characters', () =>
  none((e) => /^[\w-]+\.title$/.test(e.key) && length(e.zh.replace(/\{\w+\}/g, '')) > 8));

test('buttons have at most 6 characters', () =>
  none((e) => e.key.endsWith('.do') && length(e.zh.replace(/\{\w+\}/g, '')) > 6));

test('English has no Chinese in it', () => {
  const proper = new Set(['lang.switch', 'lang.label']);
  none((e) => !proper.has(e.key) && new RegExp(`[${han}]`, 'u').test(e.en));
  none((e) => !proper.has(e.key) && /[，。；：？！（）、【】《》「」]/.test(e.en.replace(/^【\w+】/, '')));
});

test('Chinese is punctuated full width, figures and letters half width', () => {
  const c = new RegExp(`[${han}”’》」）][,;:?!]|[,;:?!](?=[${han}“‘《「（])|[${han}][()]|[()][${han}]|[${han}]\\.(?!\\.|[a-z])`, 'u');
  none((e) => !e.key.startsWith('lang.') && c.test(e.zh.replace(/\{\w+\}/g, '')));
  none((e) => /[０-９Ａ-Ｚａ-ｚ]/.test(e.zh));
});

test('no typed space between Chinese and letters or figures', () => {
  const space = new RegExp(`[${han}] +[A-Za-z0-9{]|[A-Za-z0-9}] +[${han}]`, 'u');
  // a command stands apart as it is typed
  const command = / ?puan(?: [a-z-]+)+ ?/g;
  none((e) => !e.key.startsWith('lang.') && space.test(e.zh.replace(command, '')));
});

test('a percent and a range are written as figures are', () => {
  none((e) => /百分之[一二三四五六七八九十]/.test(e.zh));
  none((e) => /\d ?％/.test(e.zh));
});

test('one word for one thing', () => {
  const terms = {
    方案: 'plan', 方案包: 'plan pack', 普查区: 'census district', 普查小区: 'enumeration area|enumeration area (EA)', 岗位: 'seat|seats',
    辖区: 'own area', 普查员: 'enumerator', 普查指导员: 'supervisor', 住房单元: 'dwelling unit', 户主: 'head', 申报人: 'declarer|the declarer', 摸底: 'listing|listed',
    自主填报: 'self-enumeration|self', 短表: 'short form', 长表: 'long form', 表式: 'form|form definition', 普查表: 'return', 项目: 'item',
    标准时点: 'reference moment', 人户分离: 'living apart from registration', 常住人口: 'resident population|resident|residents', 漏登: 'omission',
    重复登记: 'duplicate|duplicates', 审核规则: 'edit rule|edit rules', 审核问题: 'finding|findings', 须改: 'must be corrected|hard|hard: must be corrected',
    须说明: 'confirm with a reason|soft|soft: confirm with a reason', 查询: 'query|query back|queries', 退回: 'send back|sent back',
    更正: 'correction|correct', 复核: 'check again', 验收: 'acceptance|accept|accepted', 锁定: 'lock|locked', 返工: 'rework', 部门资料: 'administrative records',
    联网直报: 'direct reporting', 推算数: 'estimate', 插补: 'imputation', 编码: 'coding', 汇总表: 'table|tables', 草稿: 'draft', 封存: 'sealed', 送达: 'delivered',
    回执: 'receipt', 核对码: 'check code', 填报账号: 'access code', 填报密码: 'password|access password', 传输: 'transfer|sync', 对账: 'reconciliation',
    收回: 'revoke', 暂存待查: 'quarantine', 未取到: 'not loaded', 存证账本: 'ledger|ledgers', 修改痕迹: 'trace', 痕迹: 'trace', 身份库: 'identity vault',
    登记簿: 'register|registers', 事项: 'case|cases', 突发事件: 'incident|incidents', 风险等级: 'risk level', 监测项: 'monitor', 预警线: 'threshold',
    应急预案: 'emergency plan|emergency plans', 步骤: 'step|steps', 时限: 'clock|clocks', 逾时: 'overdue', 值班表: 'roster', 空岗: 'gap', 接手: 'take|take over',
    演练: 'drill|drills', 签署: 'sign|signing|signed|approval', 失效: 'void', 佐证: 'evidence', 考核: 'assessment', 发布: 'release|releases|publish', 解禁: 'end of embargo',
    关口: 'gate|gates', 移交: 'handover', 举报: 'tip-off|report a violation|report|tip-offs', 回避: 'recusal|recuse', 保密处理: 'disclosure control',
  };
  none((e) => {
    const want = terms[bare(e.zh)];
    return want && !want.split('|').includes(e.en.toLowerCase().replace(/\.$/, '')) ? `terms table says "${want}"` : '';
  });
  // names other than those of the table
  const other = { 调查员: '普查员', 访问员: '普查员', 督导员: '普查指导员', 工单: '事项', 警戒线: '预警线', 校验码是: '核对码', 登入: '登录', 帐号: '账号', 帐户: '账户', 校验规则: '审核规则' };
  none((e) => Object.entries(other).filter(([k]) => e.zh.includes(k)).map(([k, v]) => `${k} is ${v}`).join());
});

test('every word a page asks for stands in a catalogue', () => {
  const known = new Set(entries.map((e) => e.key));
  const wrong = [];
  for (const path of files(root, /\.(vue|ts)$/)) {
    const text = readFileSync(path, 'utf8').replace(/^\s*(\*|\/\/|\/\*|<!--).*$/gm, '');
    for (const m of text.matchAll(/(?<![\w.])t\(\s*'([^'${}]+)'/g)) if (!known.has(m[1])) wrong.push(`${relative(root, path)}: ${m[1]}`);
    for (const m of text.matchAll(/^\s*title:\s*'([a-z][\w.-]*\.title)'/gm)) if (!known.has(m[1])) wrong.push(`${relative(root, path)}: ${m[1]}`);
  }
  assert.deepEqual([...new Set(wrong)], []);
});
