/*
 * Who is signed in, at which seat, and what that seat may do.
 */
import { computed, shallowRef } from 'vue';
import { forget, get, post, signedOut } from './api';

export interface Seat {
  seat: number;
  role: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
}

export interface Session {
  name: string;
  role: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
  level: string;
  seat: number;
  can: string[];
  seats: Seat[];
  idle_ms: number;
  idle_left_ms: number;
  factor_left_ms?: number;
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
  } catch {
    session.value = null;
  }
  return session.value;
}

export async function signOut(): Promise<void> {
  try {
    await post('/logout');
  } finally {
    forget();
    session.value = null;
  }
}
