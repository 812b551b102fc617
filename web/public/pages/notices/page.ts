import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/notices',
  name: 'notices',
  order: 6,
  title: 'notices.title',
  hidden: true, // reached from the first page
  component: () => import('./Notices.vue'),
};
export default page;
