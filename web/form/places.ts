/*
 * Names of counties for the campaign's country, fetched when a code is first
 * asked for or shown; without a list the digits stand for themselves.
 */
import { shallowRef } from 'vue';

type Tree = [string, [string, [string, string][]][]][];
const files = import.meta.glob('./places/*.json', { import: 'default' }) as Record<string, () => Promise<Tree>>;

export const places = shallowRef<{ code: string; name: string }[]>([]);
let asked = false;
let campaign = '';

/** Which campaign's list. */
export function placesOf(name: string): void {
  campaign = name;
}

export async function loadPlaces(): Promise<void> {
  const file = files[`./places/${campaign}.json`];
  if (asked || !file) return;
  asked = true;
  try {
    const tree = await file();
    places.value = tree.flatMap(([p, qs]) =>
      qs.flatMap(([q, cs]) => cs.map(([code, c]) => ({ code, name: [...new Set([p, q, c])].join(' ') }))),
    );
  } catch {
    asked = false; // no network: the digits do
  }
}

export function placeName(code: string): string {
  void loadPlaces();
  return places.value.find((x) => x.code === code)?.name ?? code;
}
