/*
 * Who is signed in, at which seat, what that seat may do, and for how long.
 *
 * The server ends a session that nobody uses.  `watchSession` keeps it while a
 * person types without sending anything, warns a minute before the end, and
 * tells the shell when it is over; the page and what was typed in it stay.
 */
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import { ApiProblem, forget, get, post, put, signedOut, use } from './api';

export interface Seat {
  seat: number;
  role: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
  level: string;
}

export interface Session extends Seat {
  name: string;
  /** As the office writes it; a device or household has none. */
  person?: string;
  can: string[];
  seats: Seat[];
  idle_ms: number;
  idle_left_ms: number;
  factor_left_ms?: number;
  second_factor?: boolean;
  must_change?: boolean;
  birth?: string;
}

export const session = shallowRef<Session | null>(null);

/** May this seat do it (any of them)? */
export function can(needs: string | string[] | undefined): boolean {
  if (!needs || needs.length === 0) return true;
  const have = session.value?.can ?? [];
  return (Array.isArray(needs) ? needs : [needs]).some((n) => have.includes(n));
}

export const signedIn = computed(() => session.value !== null);

export async function loadSession(): Promise<Session | null> {
  try {
    session.value = await get<Session>('/session');
    signedOut.value = false;
  } catch (e) {
    // a break in the line is no end of a session
    if (e instanceof ApiProblem && e.status === 0 && session.value) return session.value;
    if (!(e instanceof ApiProblem && e.status === 0)) session.value = null;
    else throw e;
  }
  return session.value;
}

export interface Entry {
  name: string;
  secret: string;
  code: string;
}

/** Signs in; at the seat the page is open for, when it is the same person. */
export async function signIn(entry: Entry): Promise<Session | null> {
  const name = entry.name.trim();
  const code = entry.code.replace(/\s/g, '');
  const seat = session.value && session.value.name === name ? session.value.seat : 0;
  await post('/login', { name, secret: entry.secret, cookie: true, ...(code ? { code } : {}), ...(seat ? { seat } : {}) });
  forget();
  return loadSession();
}

/** What was typed for cases and not sent stays through a lapse, not past a
    sign-out: the next person may sit at the same machine. */
function dropTyped(): void {
  try {
    for (const store of [localStorage, sessionStorage])
      for (const k of Object.keys(store)) if (/^puan\.(case|words)\./.test(k)) store.removeItem(k);
  } catch {
    // no store, nothing kept
  }
}

export async function signOut(): Promise<void> {
  try {
    await post('/logout');
  } finally {
    dropTyped();
    forget();
    session.value = null;
  }
}

/** Moves to another seat of the same account. */
export async function switchSeat(seat: number): Promise<void> {
  await post('/session/seat', { seat });
  forget();
  await loadSession();
}

/** Changes one's own password; every session of the account ends. */
export async function changePassword(old: string, fresh: string): Promise<void> {
  await put('/password', { old, new: fresh });
  forget();
}

/** Gives the code of the second factor again. */
export async function giveFactor(code: string): Promise<void> {
  await post('/session/factor', { code: code.replace(/\s/g, '') });
}

/* ---- how long it lasts --------------------------------------------------------- */

export const WARN = 60000;

export function watchSession() {
  /** Milliseconds until the end; null while it is far or nobody is signed in. */
  const left = ref<number | null>(null);
  let known = 0; // time of the end, as the server last said
  let asking = false;
  let over = false;

  const pace = () => Number((globalThis as Record<string, unknown>).PUAN_SESSION_PACE ?? 1000);

  function end(): number {
    const s = session.value;
    return s ? Math.max(known, use.answered + s.idle_ms) : 0;
  }

  async function ask(peek: boolean): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      const s = await get<Session>('/session', peek ? { peek: true } : {});
      known = Date.now() + s.idle_left_ms;
      if (peek) use.answered = Math.min(use.answered, known - s.idle_ms);
      if (s.seat === session.value?.seat && s.name === session.value?.name) signedOut.value = false;
    } catch {
      // 401 has set signedOut; without a network nothing is known
    } finally {
      asking = false;
    }
  }

  async function look(): Promise<void> {
    const s = session.value;
    if (over || !s || signedOut.value) {
      left.value = null;
      return;
    }
    // typing without a request is use, too: say so before the warning
    const grace = Math.min(WARN, s.idle_ms / 2);
    if (use.input > use.answered + grace / 2 && end() - Date.now() > grace && Date.now() - use.input < grace / 2) await ask(false);
    let rest = end() - Date.now();
    if (rest <= grace && left.value === null) {
      await ask(true); // another window may have used it
      rest = end() - Date.now();
    }
    if (rest <= 0) {
      await ask(true);
      rest = end() - Date.now();
      if (rest <= 0) signedOut.value = true;
    }
    left.value = !signedOut.value && rest <= grace ? Math.max(0, rest) : null;
  }

  async function extend(): Promise<void> {
    left.value = null;
    await ask(false);
  }

  const timer = setInterval(() => void look(), pace());
  onScopeDispose(() => {
    over = true;
    clearInterval(timer);
  });
  return { left, extend };
}
