import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'samples/:id',
  name: 'sample',
  group: 'work',
  order: 46,
  title: 'sample.title',
  needs: 'sample.view',
  hidden: true,
  component: () => import('./Sample.vue'),
};
export default page;
