import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'maps',
  name: 'maps',
  group: 'progress',
  order: 20,
  title: 'maps.title',
  needs: 'counts.view',
  component: () => import('./Maps.vue'),
};
export default page;
