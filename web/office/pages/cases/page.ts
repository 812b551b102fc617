import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'cases',
  name: 'cases',
  group: 'duty',
  order: 10,
  title: 'cases.title',
  needs: 'case.view',
  first: ['duty-officer', 'risk-office', 'response-group', 'security-group-head', 'publicity', 'enforcement', 'secrecy-office', 'helpdesk', 'expert'],
  phone: true,
  component: () => import('./Cases.vue'),
};
export default page;
