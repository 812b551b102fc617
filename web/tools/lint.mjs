// What the sources may not hold: raw colours and font sizes outside
// tokens.css, v-html, style attributes, other hosts, emoji, level colours
// outside the level mark; words with one language only.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const wrong = [];

function* files(dir) {
  for (const name of readdirSync(dir)) {
    if (['node_modules', 'dist', 'wasm', 'test', 'tools'].includes(name)) continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (/\.(vue|ts|css|html|json)$/.test(name) && !/^package/.test(name)) yield path;
  }
}

const rules = [
  ['a colour outside tokens.css', /#[0-9a-f]{3,8}\b(?![\w-])|\b(?:rgba?|hsla?)\((?!0 0 0 \/)/i, /\.(vue|css)$/, /ui\/tokens\.css$/],
  ['a font size outside tokens.css', /font-size:\s*[\d.]+(px|em|rem|pt)/, /\.(vue|css)$/, /ui\/tokens\.css$/],
  ['v-html', /\bv-html\b/, /\.vue$/, null],
  ['a style attribute', /(?:^|\s)style="/, /\.(vue|html)$/, null],
  ['another host', /\b(?:https?:)?\/\/(?!127\.0\.0\.1|www\.w3\.org)[a-z0-9-]+\.[a-z]{2,}/i, /\.(vue|ts|css|html)$/, /vite\.config\.ts$/],
  ['an emoji or dingbat', /[\u2600-\u27bf\u{1f000}-\u{1faff}]/u, /\.(vue|ts|json)$/, null],
  ['a level colour outside the level mark', /--(?:blue|yellow|orange|red)-(?:fill|on|ink|tint|edge)/, /\.(vue|css|ts)$/, /ui\/(tokens\.css|PLevel\.vue)$/],
];

for (const path of files(root)) {
  const name = relative(root, path);
  const text = readFileSync(path, 'utf8');
  text.split('\n').forEach((line, i) => {
    for (const [what, pattern, where, except] of rules)
      if (where.test(name) && !(except && except.test(name)) && pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
        wrong.push(`${name}:${i + 1}: ${what}: ${line.trim().slice(0, 80)}`);
  });
  if (/words\.json$/.test(name)) {
    let words = {};
    try {
      words = JSON.parse(text);
    } catch (e) {
      wrong.push(`${name}: ${e.message}`);
    }
    for (const [key, pair] of Object.entries(words))
      if (!pair?.zh || !pair?.en) wrong.push(`${name}: "${key}" wants zh and en`);
  }
}
if (wrong.length) {
  console.error(wrong.join('\n'));
  console.error(`${wrong.length} wrong`);
  process.exit(1);
}
