import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'releases/:id',
  name: 'release',
  group: 'release',
  order: 20,
  title: 'release.title',
  needs: 'release.view',
  hidden: true,
  component: () => import('./Release.vue'),
};
export default page;
