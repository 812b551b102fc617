import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'registers',
  name: 'registers',
  group: 'duty',
  order: 60,
  title: 'registers.title',
  needs: 'case.view',
  phone: true,
  component: () => import('./Registers.vue'),
};
export default page;
