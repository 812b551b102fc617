/*
 * The catalogue: every word a face says, Chinese and English side by side in
 * words.json files, so that no key has only one of them.
 *
 * `t('review.rows', { n: 42 })` puts values in place of {n}.  English counts:
 * "{n} household|{n} households" chooses by n.  A key that is not there is
 * shown as it is, and the word lint fails.
 */
import { ref, watchEffect } from 'vue';
import shared from './words.json';

export type Lang = 'zh' | 'en';
export type Pair = { zh: string; en: string };
export type Words = Record<string, Pair>;

const all: Words = { ...shared };

/** Adds what import.meta.glob('./**\/words.json', {eager: true, import: 'default'}) found. */
export function addWords(files: Record<string, unknown>): void {
  for (const words of Object.values(files)) Object.assign(all, words as Words);
}

function stored(): Lang {
  try {
    return localStorage.getItem('puan.lang') === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh'; // storage may be forbidden; Chinese is never guessed away
  }
}

/** The language of the page; the address and all state stay when it changes. */
export const lang = ref<Lang>(stored());

watchEffect(() => {
  document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en';
  try {
    localStorage.setItem('puan.lang', lang.value);
  } catch {
    // kept for this page only
  }
});

export type Values = Record<string, string | number>;

export function fill(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, k: string) => (k in values ? String(values[k]) : whole)) : text;
}

export function t(key: string, values?: Values): string {
  const pair = all[key];
  let text = pair ? pair[lang.value] || pair.zh : key;
  if (lang.value === 'en' && text.includes('|')) {
    const [one, many] = text.split('|');
    text = (Number(values?.n) === 1 ? one : many) ?? text;
  }
  return fill(text, values);
}

export function has(key: string): boolean {
  return key in all;
}

/** A text of the plan: {zh, en}; without English the Chinese one. */
export function pick(pair: Partial<Pair> | null | undefined): string {
  if (!pair) return '';
  return (lang.value === 'en' && pair.en ? pair.en : pair.zh) ?? pair.en ?? '';
}

/** The same from fields NAME_zh and NAME_en of an answer. */
export function pickOf(row: Record<string, unknown> | null | undefined, name: string): string {
  if (!row) return '';
  return pick({ zh: row[`${name}_zh`] as string, en: row[`${name}_en`] as string });
}
