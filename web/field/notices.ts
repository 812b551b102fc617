/*
 * What the enumerator has to know of this device.  Each goes away when its
 * cause does.
 */
import { computed } from 'vue';
import { span } from '@ui/format';
import { t } from '@ui/words';
import { behind, skew } from './clock';
import { leaseLeft, revoked, stage } from './device';
import { later, mayVanish } from './install';

export interface Notice {
  id: string;
  title: string;
  text: string;
}
const DAY = 86400000;

export const notices = computed<Notice[]>(() => {
  const out: Notice[] = [];
  const own = (id: string, values: Record<string, string> = {}) =>
    out.push({ id, title: t(`fd.notice.${id}.title`), text: t(`fd.notice.${id}`, values) });
  if (revoked.value) own('revoked');
  else if (leaseLeft.value <= 0) own('ended');
  else if (leaseLeft.value < 5 * DAY && stage.value === 'open') own('lease', { span: span(leaseLeft.value) });
  if (behind.value) own('behind', { span: span(behind.value) });
  else if (Math.abs(skew()) > 10 * 60000) own('skew', { span: span(skew()) });
  if (later.value) own('version');
  if (mayVanish.value) own('vanish');
  return out;
});
export const noticeCount = computed(() => notices.value.length);
