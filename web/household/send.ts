/*
 * Delivery: the same document under the same counter until the office has
 * answered, so that a lost answer never makes two returns of one.
 */
import { ref } from 'vue';
import { address, ApiProblem, online, post } from '@ui/api';
import { draft, household, toSend } from '../form/model';
import { forgetHere } from './keep';
import { closeDraft, loadMe } from './me';

export type Outcome = 'delivered' | 'closed' | 'stale' | 'refused' | 'stopped' | 'signed-out';

export const attempt = ref(0);
export const waiting = ref(0); // seconds to the next attempt
export const refusal = ref('');
let stopped = false;

async function digestOf(text: string): Promise<string> {
  if (!crypto.subtle) return String(text.length) + text.slice(0, 64);
  const d = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...d].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/** Other answers than the last ones sent get the next counter. */
async function documentToSend(): Promise<Record<string, unknown>> {
  const doc = toSend();
  const { finished: _f, counter: _c, started: _s, ...said } = doc;
  const digest = await digestOf(JSON.stringify(said));
  if (draft.sent !== digest) {
    draft.sent = digest;
    draft.counter++;
  }
  return { ...doc, counter: draft.counter };
}

async function pause(seconds: number): Promise<void> {
  for (waiting.value = seconds; waiting.value > 0 && !stopped; waiting.value--) {
    await new Promise((r) => setTimeout(r, 1000));
    if (online.value === false && navigator.onLine) break;
  }
  waiting.value = 0;
}

export function stopSending(): void {
  stopped = true;
}

export async function send(): Promise<Outcome> {
  stopped = false;
  refusal.value = '';
  const doc = await documentToSend();
  for (attempt.value = 1; !stopped; attempt.value++) {
    try {
      await post('/returns', doc);
      await forgetHere();
      closeDraft();
      // the office's copy, too; should this be lost, the office deletes it itself
      await fetch(await address('/me/draft', { household: household.value }), { method: 'DELETE', credentials: 'same-origin' }).catch(() => undefined);
      await loadMe();
      return 'delivered';
    } catch (e) {
      const p = e instanceof ApiProblem ? e : new ApiProblem(0, 'unreadable', String(e));
      if (p.status === 401) return 'signed-out';
      if (p.code === 'window-closed') return 'closed';
      if (p.code === 'stale-base') return 'stale';
      if (p.code === 'counter-reused') {
        doc.counter = ++draft.counter;
        continue;
      }
      if (p.status >= 400 && p.status < 500 && p.status !== 429 && p.status !== 408) {
        refusal.value = p.detail || p.code;
        return 'refused';
      }
      await pause(Math.min(30, Math.max(p.retry, 2 ** Math.min(attempt.value, 5))));
    }
  }
  return 'stopped';
}
