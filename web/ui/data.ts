/*
 * What a page shows of a list or figure, and in which of the data states it
 * is.  The last good answer is kept through every failure with its time; a
 * failure is never shown as zero or as an empty list.
 *
 *   loading     nothing has come yet, less than `patience` has passed
 *   ready       here, whole and of now
 *   empty       here, and there is nothing
 *   filtered    here, and nothing suits the filters
 *   stale       the last good answer; the newest request failed
 *   partial     here, some of the stores did not answer
 *   not-loaded  nothing came and nothing is known; not zero
 *   offline     the device has no network
 *   refused     not for this seat
 */
import { computed, onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue';
import { ApiProblem, get, type Query } from './api';

export type DataState = 'loading' | 'ready' | 'empty' | 'filtered' | 'stale' | 'partial' | 'not-loaded' | 'offline' | 'refused';

export interface Partial_ {
  have: number;
  of: number;
  missing?: string[];
}

export interface DataOptions<T> {
  query?: MaybeRefOrGetter<Query>;
  /** Is there nothing in it? Default: `items` is an empty list. */
  empty?: (data: T) => boolean;
  /** Are filters set, so that an empty answer is "filtered"? */
  filtered?: MaybeRefOrGetter<boolean>;
  /** Asks again after so many ms; 0 never. */
  every?: number;
  /** Ask at once and whenever path or query change (default). */
  auto?: boolean;
}

/** How long until what came in part is asked for again. */
const PARTIAL_MS = 4000;

function isEmpty(data: unknown): boolean {
  const items = (data as { items?: unknown[] } | null)?.items;
  return Array.isArray(items) && items.length === 0;
}

export function useData<T>(path: MaybeRefOrGetter<string | null>, options: DataOptions<T> = {}) {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<ApiProblem | null>(null);
  const busy = ref(false);
  /** Real time of the last good answer. */
  const loadedAt = ref<number | null>(null);
  let run = 0;
  let stop: AbortController | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let whole: ReturnType<typeof setTimeout> | undefined;

  async function reload(): Promise<void> {
    const p = toValue(path);
    if (!p) return;
    const mine = ++run;
    stop?.abort();
    stop = new AbortController();
    clearTimeout(whole);
    busy.value = true;
    try {
      const answer = await get<T>(p, toValue(options.query), stop.signal);
      if (mine !== run) return;
      if (answer !== data.value) data.value = answer;
      error.value = null;
      loadedAt.value = Date.now();
      // the rest may be there soon, and nothing else would tell of it
      if ((answer as { partial?: unknown } | null)?.partial) whole = setTimeout(() => void reload(), PARTIAL_MS);
    } catch (e) {
      if (mine !== run || (e instanceof ApiProblem && e.code === 'left')) return;
      error.value = e instanceof ApiProblem ? e : new ApiProblem(0, 'unreadable', String(e));
    } finally {
      if (mine === run) busy.value = false;
    }
  }

  /** What was shown belongs to another question: forget it. */
  function clear(): void {
    data.value = null;
    error.value = null;
    loadedAt.value = null;
  }

  if (options.auto !== false)
    watch(
      () => JSON.stringify([toValue(path), toValue(options.query) ?? null]),
      (now, before) => {
        if (before !== undefined && now !== before) clear();
        void reload();
      },
      { immediate: true },
    );
  if (options.every) timer = setInterval(() => void reload(), options.every);
  // the words of "offline" promise it: with the network back it asks again
  const back = () => void reload();
  addEventListener('online', back);
  onScopeDispose(() => {
    removeEventListener('online', back);
    stop?.abort();
    run++;
    clearInterval(timer);
    clearTimeout(whole);
  });

  const partial = computed<Partial_ | null>(() => (data.value as { partial?: Partial_ } | null)?.partial ?? null);
  const asOf = computed<string | null>(() => (data.value as { as_of?: string } | null)?.as_of ?? null);
  const state = computed<DataState>(() => {
    const e = error.value;
    if (e) {
      if (e.status === 403 || e.status === 401 || e.status === 404) return 'refused';
      if (data.value !== null) return e.code === 'offline' ? 'offline' : 'stale';
      return e.code === 'offline' ? 'offline' : 'not-loaded';
    }
    if (data.value === null) return 'loading';
    if (partial.value) return 'partial';
    if ((options.empty ?? isEmpty)(data.value)) return toValue(options.filtered ?? false) ? 'filtered' : 'empty';
    return 'ready';
  });

  return { data, error, busy, state, partial, asOf, loadedAt, reload, clear };
}

export type Data<T> = ReturnType<typeof useData<T>>;
