import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/data/:id?/:table?',
  name: 'data',
  order: 3,
  title: 'data.title',
  component: () => import('./Data.vue'),
};
export default page;
