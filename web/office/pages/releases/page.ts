import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'releases',
  name: 'releases',
  group: 'release',
  order: 10,
  title: 'releases.title',
  needs: 'release.view',
  component: () => import('./Releases.vue'),
};
export default page;
