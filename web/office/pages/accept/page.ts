import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'acceptance/:area',
  name: 'accept',
  group: 'review',
  order: 61,
  title: 'accept.title',
  needs: 'lot.view',
  component: () => import('./Accept.vue'),
  hidden: true,
};
export default page;
