import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'reconciliation',
  name: 'reconciliation',
  group: 'ledger',
  order: 30,
  title: 'reconciliation.title',
  needs: 'device.view',
  component: () => import('./Reconciliation.vue'),
};
export default page;
