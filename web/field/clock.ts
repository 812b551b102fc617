/*
 * Time on a device whose clock may be wrong.  The office's time counts as of
 * the last contact, and what was once seen does not come again: a clock set
 * back stands still here until the office has been asked, so that times of
 * acts stay in order and a lease does not grow.
 */
import { ref } from 'vue';
import { noteClock } from '@ui/now';
import { fact, setFact } from './store';

interface Seen {
  skew: number; // office minus device, ms
  last: number; // the latest time seen, office time
  campaign: number; // campaign clock minus office time
}
const BEHIND = 5 * 60000;

let seen: Seen = { skew: 0, last: 0, campaign: 0 };
let hold = 0;
/** The device's clock has gone back by so much, ms; 0: it has not. */
export const behind = ref(0);

export async function wakeClock(): Promise<void> {
  seen = (await fact<Seen>('seen')) ?? seen;
  const t = Date.now() + seen.skew;
  hold = Math.max(0, seen.last - t);
  behind.value = hold > BEHIND ? hold : 0;
  noteClock(new Date(now() + seen.campaign).toISOString());
}

/** Office time as well as this device can tell, ms; never goes back. */
export function now(): number {
  seen.last = Math.max(seen.last, Date.now() + seen.skew + hold);
  return seen.last;
}
/** How far the device's own clock is from the office's. */
export const skew = (): number => seen.skew;

export async function keepTime(): Promise<void> {
  now();
  await setFact('seen', seen);
}

/** The office has said its time, and the campaign's where it differs. */
export async function officeTime(server: number, campaign?: number): Promise<void> {
  seen = { skew: server - Date.now(), last: server, campaign: campaign === undefined ? seen.campaign : campaign - server };
  hold = 0;
  behind.value = 0;
  noteClock(new Date(server + seen.campaign).toISOString());
  await setFact('seen', seen);
}
