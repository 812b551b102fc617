import type { OfficePage } from '../../page';

export default {
  path: 'people',
  name: 'people',
  group: 'system',
  order: 20,
  title: 'people.title',
  needs: 'account.view',
  component: () => import('./People.vue'),
  first: ['system-admin', 'security-admin'],
} satisfies OfficePage;
