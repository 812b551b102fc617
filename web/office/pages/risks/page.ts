import type { OfficePage } from '../../page';

export default {
  path: 'risks',
  name: 'risks',
  group: 'duty',
  order: 20,
  title: 'risks.title',
  needs: 'monitor.view',
  phone: true,
  component: () => import('./Risks.vue'),
} satisfies OfficePage;
