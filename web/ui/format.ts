/*
 * How figures, dates, spans and codes are written (ui.md, writing rule 7).
 * Campaign times arrive as ISO texts with the plan's offset and are written at
 * that offset, whatever the device's zone is.
 */
import { lang, t } from './words';

/** 370,836; never "0" for what is not known: pass null and get a dash. */
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? '—' : n.toLocaleString('en-US');
}

/** One decimal: 68.6%; under 30 cases the count stands instead: 12/17. */
export function share(part: number | null | undefined, whole: number | null | undefined): string {
  if (part === null || part === undefined || !whole) return '—';
  if (whole < 30) return `${count(part)}/${count(whole)}`;
  return `${(Math.floor((part * 1000) / whole) / 10).toFixed(1)}%`;
}

/** +1.2 / −18.9, with a true minus sign. */
export function difference(x: number | null | undefined, digits = 1): string {
  if (x === null || x === undefined) return '—';
  const text = Math.abs(x).toFixed(digits);
  return Number(text) === 0 ? text : (x < 0 ? '−' : '+') + text;
}

/** 370883101002015 as 370883 101 002 015. */
export function code(text: string | number | null | undefined): string {
  const s = String(text ?? '');
  if (!/^\d+$/.test(s) || s.length <= 6) return s;
  return [s.slice(0, 6), ...(s.slice(6).match(/.{1,3}/g) ?? [])].join(' ');
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** Wall-clock parts of an ISO text as written in it; end: 24:00 of the day before. */
export function parts(iso: string): Parts | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/.exec(iso);
  if (!m) return null;
  const [year, month, day, hour, minute, second] = m.slice(1).map((x) => Number(x ?? 0));
  return { year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second || 0 };
}

const two = (n: number) => String(n).padStart(2, '0');
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** In a sentence: 2020年11月5日 / 5 November 2020. */
export function day(iso: string | null | undefined): string {
  const p = iso ? (parts(iso) ?? parts(`${iso}T00:00`)) : null;
  if (!p) return '—';
  return lang.value === 'zh' ? `${p.year}年${p.month}月${p.day}日` : `${p.day} ${months[p.month - 1]} ${p.year}`;
}

/** In a table: 2020-11-05. */
export function dayShort(iso: string | null | undefined): string {
  return iso && /^\d{4}-\d\d-\d\d/.test(iso) ? iso.slice(0, 10) : '—';
}

/** 03:25, or 03:25:07 with seconds. */
export function time(iso: string | null | undefined, seconds = false): string {
  const p = iso ? parts(iso) : null;
  return p ? `${two(p.hour)}:${two(p.minute)}${seconds ? `:${two(p.second)}` : ''}` : '—';
}

/** In a table: 11-05 03:25. */
export function moment(iso: string | null | undefined): string {
  return iso && parts(iso) ? `${iso.slice(5, 10)} ${time(iso)}` : '—';
}

/** The end of a window: 11月5日24时, never the next day's 0时. */
export function until(iso: string | null | undefined): string {
  const p = iso ? parts(iso) : null;
  if (!p) return '—';
  if (p.hour === 0 && p.minute === 0) {
    const d = new Date(Date.UTC(p.year, p.month - 1, p.day) - 86400000);
    return lang.value === 'zh'
      ? `${d.getUTCMonth() + 1}月${d.getUTCDate()}日24时`
      : `24:00 on ${d.getUTCDate()} ${months[d.getUTCMonth()]}`;
  }
  return lang.value === 'zh' ? `${p.month}月${p.day}日${time(iso)}` : `${time(iso)} on ${p.day} ${months[p.month - 1]}`;
}

/** A length in ms: 2天4时, 2小时13分, 5分, 40秒. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(Math.abs(ms) / 1000));
  const d = Math.floor(s / 86400);
  const h = Math.floor((s % 86400) / 3600);
  const m = Math.floor((s % 3600) / 60);
  if (d > 0) return h > 0 ? t('span.dh', { d, h }) : t('span.d', { d });
  if (h > 0) return m > 0 ? t('span.hm', { h, m }) : t('span.h', { h });
  if (m > 0) return t('span.m', { m });
  return t('span.s', { s });
}

/** Milliseconds of an ISO text with offset. */
export function instant(iso: string): number {
  return Date.parse(iso);
}
