/*
 * The campaign clock on this page: the server's time at the last look plus
 * what has passed here since (contract 7).  Before the first look, real time.
 */
import { campaign } from './api';

let base: { campaign: number; real: number; rate: number } | null = null;

export async function syncClock(): Promise<void> {
  const c = await campaign();
  base = { campaign: Date.parse(c.now), real: Date.now(), rate: Number(c.rate ?? 1000) / 1000 };
}

/** Campaign time now, ms since 1970. */
export function campaignNow(): number {
  return base ? base.campaign + (Date.now() - base.real) * base.rate : Date.now();
}

/** Sets the clock from an answer's as_of, so that a moved clock is followed. */
export function noteClock(iso: string | null | undefined): void {
  if (iso) base = { campaign: Date.parse(iso), real: Date.now(), rate: base?.rate ?? 1 };
}
