import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'handover',
  name: 'handover',
  group: 'progress',
  order: 30,
  title: 'handover.title',
  needs: 'listing.view',
  component: () => import('./Handover.vue'),
};
export default page;
