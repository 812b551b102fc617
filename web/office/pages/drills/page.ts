import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'drills',
  name: 'drills',
  group: 'duty',
  order: 60,
  title: 'drills.title',
  needs: 'drill.view',
  component: () => import('./Drills.vue'),
};
export default page;
