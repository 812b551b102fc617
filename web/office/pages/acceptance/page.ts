import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'acceptance',
  name: 'acceptance',
  group: 'review',
  order: 60,
  title: 'acceptance.title',
  needs: 'lot.view',
  component: () => import('./Acceptance.vue'),
};
export default page;
