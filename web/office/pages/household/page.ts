import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'households/:household',
  name: 'household',
  group: 'review',
  order: 11,
  title: 'household.title',
  needs: 'review.view',
  component: () => import('./Household.vue'),
  hidden: true,
};
export default page;
