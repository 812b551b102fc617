import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'devices',
  name: 'devices',
  group: 'system',
  order: 30,
  title: 'devices.title',
  needs: 'device.view',
  component: () => import('./Devices.vue'),
};
export default page;
