import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'board',
  name: 'board',
  group: 'today',
  order: 10,
  title: 'board.title',
  needs: 'counts.view',
  component: () => import('./Board.vue'),
  first: ['county-head', 'leading-group', 'city-office', 'province-office', 'county-general'],
  phone: true,
};
export default page;
