/*
 * "This is mine now" over a bad network: what could not be delivered is tried
 * again by itself, also after a reload, until the server has it or refuses.
 */
import { onBeforeUnmount, onMounted, ref } from 'vue';
import { ApiProblem, post } from '@ui/api';
import { errorText } from '@ui/errors';
import { session } from '@ui/session';

const EVERY = 5000;

export function useTaking(id: () => number, done: () => void) {
  const state = ref<'idle' | 'sending' | 'undelivered'>('idle');
  const wrong = ref('');
  const tries = ref(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  // of this seat alone: nobody takes a thing over in another's name
  const key = () => `puan.take.${session.value?.name}.${session.value?.seat}.${id()}`;

  function note(on: boolean): void {
    try {
      if (on) localStorage.setItem(key(), '1');
      else localStorage.removeItem(key());
    } catch {
      // then only this page knows
    }
  }
  async function send(): Promise<void> {
    clearTimeout(timer);
    if (state.value === 'idle') state.value = 'sending';
    tries.value++;
    try {
      await post(`/cases/${id()}/take`);
    } catch (e) {
      const p = e instanceof ApiProblem ? e : null;
      if (p && (p.status === 0 || p.status >= 500)) {
        state.value = 'undelivered';
        timer = setTimeout(() => void send(), EVERY);
        return;
      }
      // 409: an earlier try did arrive, or somebody else was faster: look again
      if (p?.status !== 409) wrong.value = errorText(e);
    }
    note(false);
    state.value = 'idle';
    tries.value = 0;
    done();
  }
  function take(): void {
    wrong.value = '';
    note(true);
    void send();
  }
  const back = () => {
    if (state.value === 'undelivered') void send();
  };
  onMounted(() => {
    addEventListener('online', back);
    try {
      if (localStorage.getItem(key())) take();
    } catch {
      // nothing was kept
    }
  });
  onBeforeUnmount(() => {
    removeEventListener('online', back);
    clearTimeout(timer);
  });
  return { state, wrong, tries, take };
}
