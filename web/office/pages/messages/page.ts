import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'messages',
  name: 'messages',
  group: 'duty',
  order: 70,
  title: 'messages.title',
  needs: 'notify.view',
  component: () => import('./Messages.vue'),
};
export default page;
