import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'duplicates',
  name: 'duplicates',
  group: 'review',
  order: 40,
  title: 'duplicates.title',
  needs: 'duplicate.view',
  component: () => import('./Duplicates.vue'),
};
export default page;
