import type { OfficePage } from '../../page';

export default {
  path: 'assessment',
  name: 'assessment',
  group: 'duty',
  order: 80,
  title: 'assessment.title',
  needs: 'assess.view',
  component: () => import('./Assessment.vue'),
} satisfies OfficePage;
