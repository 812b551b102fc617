import type { OfficePage } from '../../page';

export default {
  path: 'rules',
  name: 'rules',
  group: 'work',
  order: 45,
  title: 'rules.title',
  needs: 'return.view',
  component: () => import('./Rules.vue'),
} satisfies OfficePage;
