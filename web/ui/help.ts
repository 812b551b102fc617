/*
 * The knowledge base as GET /help and /public/help give it, and finding in it:
 * here and not at the server, so that a device finds without a network.
 * Latin words are found as they begin, Chinese by pairs of characters, so that
 * no list of words is needed.
 */
export interface Article {
  id: string;
  zh: string;
  en: string;
  text_zh: string;
  text_en: string;
  words: string[];
  kind?: string;
  page?: string;
}
export interface Topic {
  id: string;
  zh: string;
  en: string;
  articles: Article[];
}
export interface Help {
  topics: Topic[];
}
export interface Matter {
  kind: string;
  zh: string;
  en: string;
}

const han = /[\u3400-\u9fff]/;

/** What is looked for: words of letters and figures, pairs of characters. */
export function pieces(text: string): string[] {
  const out = new Set<string>();
  for (const run of text.toLowerCase().match(/[\u3400-\u9fff]+|[a-z0-9]+/g) ?? []) {
    if (!han.test(run[0]!)) out.add(run);
    else if (run.length === 1) out.add(run);
    else for (let i = 0; i + 1 < run.length; i++) out.add(run.slice(i, i + 2));
  }
  return [...out];
}

function has(text: string, piece: string): boolean {
  if (han.test(piece[0]!)) return text.includes(piece);
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) if (at === 0 || !/[a-z0-9]/.test(text[at - 1]!)) return true;
  return false;
}

/** How well an article answers: 0 not at all. */
export function score(a: Article, looked: string[], whole: string): number {
  const title = `${a.zh} ${a.en}`.toLowerCase();
  const text = `${a.text_zh} ${a.text_en}`.toLowerCase();
  const words = a.words.map((w) => w.toLowerCase());
  let sum = 0;
  let met = 0;
  for (const p of looked) {
    const worth = has(title, p) ? 4 : words.some((w) => has(w, p)) ? 4 : has(text, p) ? 1 : 0;
    if (worth) met++;
    sum += worth;
  }
  // a word people use, said as it stands
  for (const w of words) if (w.length > 1 && whole.toLowerCase().includes(w)) sum += 3;
  return met * 3 >= looked.length ? sum : 0;
}

/** The articles that answer, best first. */
export function find(topics: Topic[], typed: string): Article[] {
  const looked = pieces(typed);
  if (!looked.length) return [];
  return topics
    .flatMap((t) => t.articles)
    .map((article, order) => ({ article, order, worth: score(article, looked, typed) }))
    .filter((x) => x.worth > 0)
    .sort((a, b) => b.worth - a.worth || a.order - b.order)
    .map((x) => x.article);
}
