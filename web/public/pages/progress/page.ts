import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/progress/:area?',
  name: 'progress',
  order: 5,
  title: 'progress.title',
  component: () => import('./Progress.vue'),
};
export default page;
