import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'tables',
  name: 'tables',
  group: 'work',
  order: 40,
  title: 'tables.title',
  needs: 'evaluation.view',
  component: () => import('./Tables.vue'),
};
export default page;
