/*
 * The app on the device: its files, its room, one window at a time.
 */
import { ref } from 'vue';

/** A later version lies ready. */
export const later = ref(false);
/** The browser may throw the app's store away when room is short. */
export const mayVanish = ref(false);
/** Another window works with this store. */
export const elsewhere = ref(false);
let waiting: ServiceWorker | null = null;

export async function takeFiles(): Promise<void> {
  mayVanish.value = !((await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.()));
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const r = await navigator.serviceWorker.register('/field/sw.js', { scope: '/field/' });
  const seen = () => {
    if (r.waiting && navigator.serviceWorker.controller) {
      waiting = r.waiting;
      later.value = true;
    }
  };
  seen();
  r.addEventListener('updatefound', () => r.installing?.addEventListener('statechange', seen));
  setInterval(() => void r.update().catch(() => undefined), 3600000);
}
/** Changes to the later version; what is typed is kept already. */
export function takeLater(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting?.postMessage('take over');
}

/** Two windows would each write the chain: the second one waits for the first. */
export function alone(): Promise<void> {
  if (!navigator.locks) return Promise.resolve();
  return new Promise((go) => {
    void navigator.locks.request('puan-field', { ifAvailable: true }, (lock) => {
      if (!lock) elsewhere.value = true;
      go();
      return lock ? new Promise(() => undefined) : undefined;
    });
  });
}
