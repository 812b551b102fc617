// All pages of the office, in the rail's order.
import { can } from '@ui/session';
import type { Group, OfficePage } from './page';

const found = import.meta.glob<OfficePage>('./pages/*/page.ts', { eager: true, import: 'default' });

export const groups: Group[] = ['today', 'progress', 'review', 'work', 'duty', 'release', 'ledger', 'system'];

export const pages: OfficePage[] = Object.values(found).sort(
  (a, b) => groups.indexOf(a.group) - groups.indexOf(b.group) || a.order - b.order,
);

/** Those the present seat has, for the rail. */
export function mine(): OfficePage[] {
  return pages.filter((p) => !p.hidden && can(p.needs));
}

/** Where a seat begins its day. */
export function firstPage(role: string): OfficePage | undefined {
  return mine().find((p) => p.first?.includes(role)) ?? mine()[0];
}
