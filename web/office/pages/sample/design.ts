/*
 * A draw's design in words: what is drawn, how, by which strata, how many.
 */
import type { Campaign } from '@ui/api';
import { count } from '@ui/format';
import { pick, t } from '@ui/words';

export interface Draw {
  id: number;
  area: { code: string; zh?: string; en?: string };
  purpose: string;
  note: string;
  at: string;
  by: string;
  seed: string;
  digest: string;
  design: Record<string, string>;
  frame_digest: string;
  drawn_digest: string;
  households: number | null;
  drawn: number | null;
}

/** 户, or the plan's word for a level. */
export function unitName(unit: string | undefined, c: Campaign | null): string {
  if (!unit || unit === 'household') return t('sample.household');
  const level = c?.levels.find((l) => l.level === unit);
  return level ? pick(level) : unit;
}

function amount(d: Record<string, string>): string {
  if (d.rate) return t(d.strata ? 'sample.rate' : 'sample.rate.all', { n: Math.round(Number(d.rate) * 100000) / 1000 });
  if (d['take-each']) return t('sample.each', { n: count(Number(d['take-each'])) });
  if (d.take) return t('sample.take', { n: count(Number(d.take)) });
  if (d.every) return t('sample.every', { n: count(Number(d.every)) });
  return '';
}

export function designText(x: Draw, c: Campaign | null): string {
  const d = x.design;
  const parts = [
    t('sample.of', { unit: unitName(d.unit, c) }),
    t(`sample.draw.${d.draw ?? 'systematic'}`),
    d.strata
      ? t('sample.strata', {
          by: d.strata
            .split(',')
            .map((s) => unitName(s, c))
            .join(t('sample.and')),
        })
      : t('sample.nostrata'),
    amount(d),
  ];
  if (d.within) parts.push(t('sample.within', { unit: unitName(d.within, c), n: count(Number(d['then-take'] ?? d['then-every'] ?? 0)) }));
  return parts.filter((s) => s).join(t('sample.then'));
}
