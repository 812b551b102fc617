/*
 * Which topics changed, as the server says over one event stream; the page
 * then asks for what it shows.  At most one call every 2 s; none while the
 * page is hidden, one when it comes back.  When the stream breaks it is opened
 * again, and the caller is told once, since something may have been missed.
 */
import { onScopeDispose, ref, toValue, type MaybeRefOrGetter } from 'vue';
import { address } from './api';

export type Topic = 'counts' | 'review' | 'lots' | 'cases' | 'notices' | 'duplicates' | 'releases';

const QUIET = 2000;

export function useLive(topics: Topic[], changed: (topic: Topic) => void, area?: MaybeRefOrGetter<string | undefined>) {
  const connected = ref(false);
  const waiting = new Set<Topic>();
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
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

  const shown = () => {
    if (!document.hidden && waiting.size > 0) timer ??= setTimeout(flush, 0);
  };

  void address('/events', { topics: topics.join(','), area: toValue(area) })
    .then((url) => {
      if (over) return;
      source = new EventSource(url, { withCredentials: true });
      let opened = false;
      source.onopen = () => {
        connected.value = true;
        if (opened) for (const topic of topics) note(topic);
        opened = true;
      };
      source.onerror = () => {
        connected.value = false;
      };
      for (const topic of topics) source.addEventListener(topic, () => note(topic));
    })
    .catch(() => {
      connected.value = false;
    });
  document.addEventListener('visibilitychange', shown);
  onScopeDispose(() => {
    over = true;
    source?.close();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', shown);
  });
  return { connected };
}
