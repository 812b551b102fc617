/*
 * Keys of a page (ui.md §3).  By event.code, so that the layout and an input
 * method do not matter; ignored in fields and while composing.  Names:
 * "KeyA", "Enter", "ArrowRight", "Ctrl+KeyK", "Alt+ArrowUp", "Shift+Slash",
 * and sequences "KeyG KeyD".
 *
 * Single letters can be switched off (WCAG 2.1.4); those with Ctrl, Alt, or
 * of Enter, Escape and arrows stay.
 */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue';

export type KeyMap = Record<string, (e: KeyboardEvent) => void | boolean>;

function kept(): boolean {
  try {
    return localStorage.getItem('puan.keys') !== 'off';
  } catch {
    return true;
  }
}
export const singleKeys = ref(kept());
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  try {
    localStorage.setItem('puan.keys', on ? 'on' : 'off');
  } catch {
    // for this page only
  }
}

export function isComposing(e: KeyboardEvent): boolean {
  return e.isComposing || e.key === 'Process' || e.keyCode === 229;
}

function inField(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement | null;
  if (!el) return false;
  if (el.isContentEditable || el.tagName === 'TEXTAREA' || el.tagName === 'SELECT') return true;
  if (el.tagName !== 'INPUT') return false;
  return !['checkbox', 'radio', 'button', 'submit'].includes((el as HTMLInputElement).type);
}

export function keyName(e: KeyboardEvent): string {
  return `${e.ctrlKey || e.metaKey ? 'Ctrl+' : ''}${e.altKey ? 'Alt+' : ''}${e.shiftKey ? 'Shift+' : ''}${e.code === 'NumpadEnter' ? 'Enter' : e.code}`;
}

const free = /^(Ctrl\+|Alt\+|Escape|Enter|Arrow|Page|Home|End|Tab)/;

/**
 * Keys while the component is mounted.  A handler that returns false lets the
 * event go on.  `inFields`: names that act in fields too ("Ctrl+Enter").
 */
export function useKeys(map: KeyMap, options: { when?: () => boolean; inFields?: string[]; on?: Ref<HTMLElement | null> } = {}): void {
  let first = '';
  let firstAt = 0;

  function down(e: Event): void {
    if (!(e instanceof KeyboardEvent) || e.defaultPrevented || isComposing(e)) return;
    if (options.when && !options.when()) return;
    const name = keyName(e);
    if (inField(e) && !(options.inFields ?? ['Escape']).includes(name)) return;
    if (!singleKeys.value && !free.test(name)) return;
    // a link or button keeps its own Enter and Space
    const el = e.target as HTMLElement | null;
    if ((name === 'Enter' || name === 'Space') && el?.closest('a[href],button,summary,[role="button"]')) return;
    const sequence = first && Date.now() - firstAt < 1500 ? `${first} ${name}` : '';
    const act = (sequence && map[sequence]) || map[name];
    first = name;
    firstAt = Date.now();
    if (!act) return;
    if (act(e) !== false) {
      e.preventDefault();
      e.stopPropagation();
      first = '';
    }
  }

  let target: HTMLElement | Document = document;
  onMounted(() => {
    target = options.on?.value ?? document;
    target.addEventListener('keydown', down);
  });
  onBeforeUnmount(() => target.removeEventListener('keydown', down));
}
