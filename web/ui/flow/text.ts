// Text in drawings: SVG breaks no lines, so it is broken here, by half widths.

/** Half widths: 2 for what is as wide as high, 1 for Latin. */
export function halves(text: string): number {
  let n = 0;
  for (const c of text) n += (c.codePointAt(0) ?? 0) >= 0x2e80 ? 2 : 1;
  return n;
}

/** Lines of at most `room` half widths, at spaces where there are some; what is
 *  beyond `lines` ends in "…". */
export function wrap(text: string, room: number, lines = 3): string[] {
  const out: string[] = [];
  let rest = text.trim();
  while (rest && out.length < lines) {
    let w = 0;
    let cut = 0;
    let space = -1;
    for (const c of rest) {
      w += halves(c);
      if (w > room) break;
      cut += c.length;
      if (c === ' ') space = cut;
    }
    if (w <= room) {
      out.push(rest);
      return out;
    }
    // no mark of punctuation begins a line
    let at = space > 0 ? space : Math.max(cut, 1);
    if (/^[，。；：、）」》？！]/.test(rest.slice(at)) && at > 1) at -= 1;
    out.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trim();
  }
  if (rest && out.length) {
    let last = out[out.length - 1]!;
    while (halves(last) + 2 > room && last) last = last.slice(0, -1);
    out[out.length - 1] = `${last}…`;
  }
  return out;
}
