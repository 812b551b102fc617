/*
 * The draft on this device: sealed under PIN and lease, replaced as a whole
 * with every change, on the disk before the next is written.
 */
import { ref, toRaw, watch } from 'vue';
import { changes, draft, household, type Draft } from '../form/model';
import { draftKey } from './device';
import { boxUp, unbox } from './pin';
import { act, opened } from './store';

/** Count of the change that is safe on this device. */
export const kept = ref(0);
/** Set when a change could not be written: storage full or taken away. */
export const unkept = ref('');
let running = false;
let writing: Promise<void> | null = null;
let again = false;

export const nameOfDraft = (h: string, form = ''): string => `${form === 'listing' ? 'roll' : 'draft'}/${h}`;

async function write(): Promise<void> {
  const key = draftKey();
  const n = changes.value;
  const h = household.value;
  const form = draft.form;
  if (!key) return;
  const box = await boxUp(key, toRaw(draft));
  if (!running || household.value !== h) return;
  await act((tx) => void tx.objectStore('sealed').put(box, nameOfDraft(h, form)));
  kept.value = n;
}
function kick(): Promise<void> {
  if (writing) {
    again = true;
    return writing;
  }
  writing = (async () => {
    try {
      do {
        again = false;
        await write();
        unkept.value = '';
      } while (again);
    } catch (e) {
      unkept.value = e instanceof Error ? e.name : 'unkept';
    } finally {
      writing = null;
    }
  })();
  return writing;
}
watch(changes, () => {
  if (running) void kick();
}, { flush: 'sync' });

export async function readDraft(h: string, form = ''): Promise<Draft | null> {
  const box = await (await opened()).get('sealed', nameOfDraft(h, form));
  const key = draftKey();
  return box && key ? unbox<Draft>(key, box) : null;
}
export function startKeeping(): void {
  running = true;
  void kick();
}
/** Stops; waits for what is being written. */
export async function stopKeeping(): Promise<void> {
  running = false;
  await writing;
}
