import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'cases/:id',
  name: 'case',
  group: 'duty',
  order: 20,
  title: 'case.title',
  needs: 'case.view',
  hidden: true,
  component: () => import('./Case.vue'),
};
export default page;
