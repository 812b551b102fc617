import type { OfficePage } from '../../page';

export default {
  path: 'roster',
  name: 'roster',
  group: 'duty',
  order: 15,
  title: 'roster.title',
  needs: 'duty.view',
  phone: true,
  component: () => import('./Roster.vue'),
} satisfies OfficePage;
