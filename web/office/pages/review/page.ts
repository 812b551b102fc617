import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'review',
  name: 'review',
  group: 'review',
  order: 10,
  title: 'review.title',
  needs: 'review.view',
  component: () => import('./Review.vue'),
  first: ['township-office', 'county-business', 'parish-clerk'],
};
export default page;
