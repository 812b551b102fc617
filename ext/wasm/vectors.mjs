/*
 * Reads the files of test/vectors and runs their cases on a loaded core.  Used
 * by node and, inlined into a page, by Chromium.
 */

/** The cases of one file: {line, form, program, answers, expected}. */
export function casesOf(text) {
  const cases = [];
  let form = null, answers = '{}', open = [];
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    if (open.length === 0 && line.startsWith('form ')) {
      form = line.slice(5);
      return;
    }
    open.push(line);
    if (open.length < 3) return;
    if (open[1] !== '=') answers = open[1];
    cases.push({ line: i - 1, form, program: open[0], answers, expected: open[2] });
    open = [];
  });
  if (open.length) throw new Error('a case has three lines: ' + open[0]);
  return cases;
}

/** Runs files {name: text} with forms {name: json}; {cases, failures}. */
export function runAll(puan, files, forms) {
  const failures = [];
  const opened = {};
  let cases = 0;
  for (const [name, text] of Object.entries(files)) {
    for (const c of casesOf(text)) {
      if (!(c.form in opened)) opened[c.form] = puan.formText(forms[c.form]);
      const got = puan.vector(opened[c.form], c.program, c.answers);
      cases++;
      if (got !== c.expected)
        failures.push(`${name}:${c.line}: ${c.program}\n  gives    ${got}\n  expected ${c.expected}`);
    }
  }
  return { cases, failures };
}

/**
 * The cases of test/vectors/plans: every rule of a pack at its thresholds.
 * `pack` is what pack_json wrote.
 */
export function runPack(puan, name, pack, text) {
  const failures = [], rules = {};
  puan.forget();
  for (const form of pack.forms)
    rules[form.form] = puan.rules(puan.form(form, pack.codes, pack.reference_month),
      pack.texts, pack.settings);
  const lines = text.split('\n').filter((l) => l !== '' && !l.startsWith('#'));
  for (let i = 0; i + 2 < lines.length; i += 3) {
    const [rule, form] = lines[i].split(' ');
    const rows = puan.check(rules[form], lines[i + 1], false).findings
      .filter((f) => f.rule === rule).map((f) => f.row);
    const got = rows.length ? rows.join(',') : '-';
    if (got !== lines[i + 2])
      failures.push(`${name}: ${lines[i]} ${lines[i + 1]}\n  gives    ${got}\n  expected ${lines[i + 2]}`);
  }
  return { cases: Math.floor(lines.length / 3), failures };
}

/** One rule file over one document: the road a tablet takes. */
export function smoke(puan, formJson) {
  const form = puan.formText(formJson);
  const rules = puan.rules(form, [{ file: 'a.rules', text:
    'rule A hard person zh "年龄" en "age"\n when D2 = 1\n check age_at(D5, ref_month) >= 15\n' +
    'rule B soft household zh "人数" en "persons"\n check count(person where D7 = 1) = H2a\n' }],
    { ref_month: '2020-11' });
  const got = puan.check(rules, { form: 'census', household: '370883001001001001',
    answers: { H1: 1, H2a: 2 },
    person: [{ D1: '张三', D2: 0, D5: '1980-03', D7: 1 }, { D2: 1, D5: '2010-01', D7: 2 }] });
  const brief = got.findings.map((f) => `${f.rule}:${f.entity}:${f.row}:${f.severity}:${f.items.join('+')}`).join(' ');
  const expected = 'A:person:2:hard:D2+D5 B:household:0:soft:D7+H2a';
  const failures = brief === expected ? [] : [`check gives ${brief}, expected ${expected}`];
  const { rows } = puan.check(rules, { form: 'census', household: '370883001001001001',
    answers: { H1: 9 }, person: [{ D3: '11010519491231002X' }] }, true, true);
  if (rows.person.length !== 1 || !rows.person[0].asked.includes('D1'))
    failures.push('rows do not tell what is asked');
  if (!rows.household[0].invalid.includes('H1'))
    failures.push('rows do not tell what is invalid');
  if (rows.person[0].facts['D3.id_month'] !== '1949-12')
    failures.push(`rows give facts ${JSON.stringify(rows.person[0].facts)}`);
  let refusal = '';
  try {
    puan.rules(form, [{ file: 'b.rules', text: 'rule A hard person in census zh "一" en "a"\n check D99 = 1' }]);
  } catch (e) {
    refusal = `${e.where}:${e.line}:${e.column}: ${e.message}`;
  }
  if (refusal !== "b.rules:2:8: unknown name 'D99'; the nearest is 'D9'")
    failures.push('refusal gives ' + refusal);
  return failures;
}
