/*
 * The census this site belongs to, as the server says it, in the shape of
 * useData so that pages show its states alike.
 */
import { computed, ref, shallowRef } from 'vue';
import { ApiProblem, campaign } from '@ui/api';
import type { Data, DataState } from '@ui/data';
import { until } from '@ui/format';
import { campaignNow, noteClock } from '@ui/now';
import { lang } from '@ui/words';

export interface Window {
  id: string;
  zh: string;
  en: string;
  from: string;
  until: string;
  modes?: string[];
  forms?: string[];
  /** For units with an account of their own, who report at /unit/. */
  units?: boolean;
}
export interface Site {
  campaign: string;
  zh: string;
  en: string;
  birth: string;
  now: string;
  plan_digest: string;
  area?: string;
  area_zh?: string;
  area_en?: string;
  windows: Window[];
}

const data = shallowRef<Site | null>(null);
const error = shallowRef<ApiProblem | null>(null);
const busy = ref(false);
const loadedAt = ref<number | null>(null);

async function reload(): Promise<void> {
  busy.value = true;
  try {
    data.value = (await campaign()) as unknown as Site;
    error.value = null;
    loadedAt.value = Date.now();
    noteClock(data.value.now);
  } catch (e) {
    error.value = e instanceof ApiProblem ? e : new ApiProblem(0, 'unreadable', String(e));
  } finally {
    busy.value = false;
  }
}

const state = computed<DataState>(() => {
  if (error.value) return error.value.code === 'offline' ? 'offline' : 'not-loaded';
  return data.value ? 'ready' : 'loading';
});

export const site = {
  data,
  error,
  busy,
  state,
  partial: computed(() => null),
  asOf: computed(() => data.value?.now ?? null),
  loadedAt,
  reload,
  clear: () => undefined,
} as unknown as Data<Site>;

/** Windows in which somebody comes to the door. */
export function visits(s: Site | null): Window[] {
  return (s?.windows ?? []).filter((w) => w.modes?.includes('enumerator') || (w.forms?.length && !w.modes?.length));
}

/** The last day that still counts, for an end at 0:00. */
export function lastDay(iso: string): string {
  return /T00:00(:00(\.0+)?)?([+-]|Z|$)/.test(iso)
    ? new Date(Date.parse(`${iso.slice(0, 10)}T00:00:00Z`) - 86400000).toISOString().slice(0, 10)
    : iso.slice(0, 10);
}

/** `until`, with the year where it is not this one. */
export function untilDay(iso: string): string {
  const year = lastDay(iso).slice(0, 4);
  const now = Number((data.value?.now ?? '').slice(0, 4)) || new Date(campaignNow()).getUTCFullYear();
  if (!iso || Number(year) === now) return until(iso);
  return lang.value === 'zh' ? `${year}年${until(iso)}` : `${until(iso)} ${year}`;
}
