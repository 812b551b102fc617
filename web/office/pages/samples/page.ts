import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'samples',
  name: 'samples',
  group: 'work',
  order: 46,
  title: 'samples.title',
  needs: 'sample.view',
  component: () => import('./Samples.vue'),
};
export default page;
