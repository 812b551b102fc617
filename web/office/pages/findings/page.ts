import type { OfficePage } from '../../page';

export default {
  path: 'findings',
  name: 'findings',
  group: 'review',
  order: 15,
  title: 'findings.title',
  needs: 'review.view',
  component: () => import('./Findings.vue'),
  phone: true,
} satisfies OfficePage;
