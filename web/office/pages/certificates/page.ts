import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'certificates',
  name: 'certificates',
  group: 'ledger',
  order: 20,
  title: 'certificates.title',
  needs: 'certificate.view',
  component: () => import('./Certificates.vue'),
};
export default page;
