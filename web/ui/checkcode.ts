/*
 * Codes people read out or copy: 32 letters and digits without 0 O 1 I, the
 * last character a check over GF(32) that sees every single wrong character
 * and every two that changed places.  A household's code (16) and a receipt's
 * check code (7H3K-92QF) are made alike; accounts/household.c has the same.
 */
export const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

function times2(a: number): number {
  const b = a << 1;
  return b & 32 ? b ^ 37 : b;
}

function sum(values: number[]): number {
  return values.reduce((s, v) => times2(s) ^ v, 0);
}

/** Without blanks and hyphens, in capitals. */
export function normal(text: string): string {
  return text.replace(/[\s-]/g, '').toUpperCase();
}

export function checks(code: string): boolean {
  const values = [...code].map((c) => ALPHABET.indexOf(c));
  return values.every((v) => v >= 0) && sum(values) === 0;
}

/** Groups of four: for reading. */
export function grouped(code: string, by = ' '): string {
  return (normal(code).match(/.{1,4}/g) ?? []).join(by);
}

/** The check code of a digest in hex: 35 bits and the check, 7H3K-92QF. */
export function checkCode(hex: string): string {
  let bits = '';
  for (const c of hex.slice(0, 10)) bits += parseInt(c, 16).toString(2).padStart(4, '0');
  const values = Array.from({ length: 7 }, (_, i) => parseInt(bits.slice(5 * i, 5 * i + 5), 2));
  values.push(times2(sum(values)));
  return grouped(values.map((v) => ALPHABET[v]).join(''), '-');
}
