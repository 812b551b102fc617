import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'builder',
  name: 'builder',
  group: 'work',
  order: 41,
  title: 'builder.title',
  needs: 'evaluation.view',
  component: () => import('./Builder.vue'),
};
export default page;
