// How often the next sheet opens by itself, in words.
import { span } from '@ui/format';
import { t } from '@ui/words';
import type { Book } from './types';

export function every(b: Book): string {
  const r = b.recurrence;
  if (!r) return '';
  const word = ['day', 'week', 'month'].includes(r.every) ? t(`registers.every.${r.every}`) : t('registers.every.length', { length: span(r.every_ms) });
  return r.at ? `${word} ${r.at}` : word;
}
