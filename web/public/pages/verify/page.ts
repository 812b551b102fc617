import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/verify/:no?',
  name: 'verify',
  order: 2,
  title: 'verify.title',
  component: () => import('./Verify.vue'),
};
export default page;
