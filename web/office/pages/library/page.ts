import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'library',
  name: 'library',
  group: 'duty',
  order: 50,
  title: 'library.title',
  needs: 'case.view',
  phone: true,
  component: () => import('./Library.vue'),
};
export default page;
