import type { OfficePage } from '../../page';

export default {
  path: 'clauses',
  name: 'clauses',
  group: 'duty',
  order: 90,
  title: 'clauses.title',
  needs: 'monitor.view',
  component: () => import('./Clauses.vue'),
} satisfies OfficePage;
