/*
 * Which topics changed, as the server says over one event stream; the page
 * then asks for what it shows.  At most one call every 2 s; none while the
 * page is hidden, one when it comes back.  When the stream breaks it is opened
 * again, and the caller is told once, since something may have been missed.
 *
 * A hidden page gives its stream back after a while: a browser has six
 * connections to a server for all its tabs together, and streams in the
 * background would leave none for the page in front.
 */
import { onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from 'vue';
import { address, signedOut } from './api';

export type Topic = 'counts' | 'review' | 'lots' | 'cases' | 'notices' | 'duplicates' | 'releases' | 'drills';

const QUIET = 2000;
const HIDDEN = 10000; // how long a hidden page keeps its stream
const AGAIN = 15000; // after the server has refused it

export function useLive(topics: Topic[], changed: (topic: Topic) => void, area?: MaybeRefOrGetter<string | undefined>) {
  const connected = ref(false);
  const waiting = new Set<Topic>();
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  let run = 0;
  let missed = false; // it was closed in between
  let over = false;

  function flush(): void {
    timer = undefined;
    if (document.hidden || over) return;
    last = Date.now();
    const now = [...waiting];
    waiting.clear();
    for (const topic of now) changed(topic);
  }

  function note(topic: Topic): void {
    waiting.add(topic);
    timer ??= setTimeout(flush, Math.max(0, last + QUIET - Date.now()));
  }

  function close(): void {
    run++;
    clearTimeout(pause);
    pause = undefined;
    source?.close();
    source = null;
    connected.value = false;
  }

  async function open(): Promise<void> {
    close();
    if (over || document.hidden || signedOut.value) return;
    const mine = run;
    try {
      const url = await address('/events', { topics: topics.join(','), area: toValue(area) });
      if (mine !== run) return;
      source = new EventSource(url, { withCredentials: true });
    } catch {
      if (mine === run) pause = setTimeout(() => void open(), AGAIN);
      return;
    }
    source.onopen = () => {
      connected.value = true;
      if (missed) for (const topic of topics) note(topic);
      missed = true;
    };
    source.onerror = () => {
      connected.value = false;
      // the browser tries again by itself, except after a refusal
      if (source?.readyState === 2) pause ??= setTimeout(() => void open(), AGAIN);
    };
    source.addEventListener('end', close);
    for (const topic of topics) source.addEventListener(topic, () => note(topic));
  }

  function shown(): void {
    if (document.hidden) {
      clearTimeout(pause);
      pause = setTimeout(close, HIDDEN);
      return;
    }
    clearTimeout(pause);
    pause = undefined;
    if (!source) void open();
    if (waiting.size > 0) timer ??= setTimeout(flush, 0);
  }

  watch([() => toValue(area), signedOut], () => void open(), { immediate: true });
  document.addEventListener('visibilitychange', shown);
  onScopeDispose(() => {
    over = true;
    close();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', shown);
  });
  return { connected };
}
