/*
 * One person's identity, opened for a stated purpose for 60 s.  Opening
 * another closes the first; leaving the page closes it; nothing is stored.
 */
import { computed, ref, shallowRef } from 'vue';
import { post } from './api';

export interface Opened {
  household: string;
  entity: string;
  row: number; // from 1; 0: of the household itself
  values: Record<string, string>;
  entry: number;
}

export const opened = shallowRef<Opened | null>(null);
export const secondsLeft = ref(0);
let timer: ReturnType<typeof setInterval> | undefined;

export function closeIdentity(): void {
  clearInterval(timer);
  opened.value = null;
  secondsLeft.value = 0;
}

export async function openIdentity(household: string, entity: string, row: number, purpose: string, words: string): Promise<void> {
  const body: Record<string, unknown> = { row, purpose };
  if (words.trim()) body.words = words.trim();
  if (row > 0) body.entity = entity;
  const a = await post<{ values: Record<string, string>; seconds: number; entry: number }>(`/households/${household}/identity`, body);
  closeIdentity();
  opened.value = { household, entity, row, values: a.values, entry: a.entry };
  const until = Date.now() + a.seconds * 1000;
  secondsLeft.value = a.seconds;
  timer = setInterval(() => {
    secondsLeft.value = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    if (secondsLeft.value === 0) closeIdentity();
  }, 250);
}

/** The opened text of an item, or undefined. */
export function openedText(household: string, entity: string, row: number, item: string): string | undefined {
  const o = opened.value;
  return o && o.household === household && o.entity === entity && o.row === row ? o.values[item] : undefined;
}

export const isOpen = computed(() => opened.value !== null);
