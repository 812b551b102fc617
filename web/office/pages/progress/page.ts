import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'progress',
  name: 'progress',
  group: 'progress',
  order: 10,
  title: 'progress.title',
  needs: 'counts.view',
  component: () => import('./Progress.vue'),
  phone: true,
};
export default page;
