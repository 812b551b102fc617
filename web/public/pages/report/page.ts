import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/report/:step(follow)?',
  name: 'report',
  order: 5,
  title: 'report.title',
  component: () => import('./Report.vue'),
};
export default page;
