import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'duplicates/:id(\\d+)',
  name: 'duplicate',
  group: 'review',
  order: 41,
  title: 'duplicate.title',
  needs: 'duplicate.view',
  component: () => import('./Duplicate.vue'),
  hidden: true,
};
export default page;
