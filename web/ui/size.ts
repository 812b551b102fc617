/*
 * 字号: 18, 24 or 30 px for reading; the latter two are the edition for the
 * elderly.  Kept on the device; the address and what was typed stay.
 */
import { ref, watchEffect } from 'vue';

export type Size = '18' | '24' | '30';
export const sizes: Size[] = ['18', '24', '30'];

function stored(): Size {
  try {
    const s = localStorage.getItem('puan.size');
    return s === '24' || s === '30' ? s : '18';
  } catch {
    return '18';
  }
}

export const size = ref<Size>(stored());

watchEffect(() => {
  if (size.value === '18') delete document.documentElement.dataset.size;
  else document.documentElement.dataset.size = size.value;
  try {
    localStorage.setItem('puan.size', size.value);
  } catch {
    // for this page only
  }
});
