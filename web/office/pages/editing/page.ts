import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'editing',
  name: 'editing',
  group: 'work',
  order: 47,
  title: 'editing.title',
  needs: 'edit.view',
  component: () => import('./Editing.vue'),
};
export default page;
