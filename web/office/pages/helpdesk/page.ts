import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'helpdesk',
  name: 'helpdesk',
  group: 'duty',
  order: 40,
  title: 'helpdesk.title',
  needs: 'calldesk.look',
  component: () => import('./Helpdesk.vue'),
  phone: true,
};
export default page;
