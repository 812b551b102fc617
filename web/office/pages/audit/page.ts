import type { OfficePage } from '../../page';

export default {
  path: 'ledger',
  name: 'audit',
  group: 'ledger',
  order: 10,
  title: 'audit.title',
  needs: 'ledger.search',
  component: () => import('./Audit.vue'),
  first: ['audit-admin'],
} satisfies OfficePage;
