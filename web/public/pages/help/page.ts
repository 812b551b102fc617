import type { PublicPage } from '../../pages';
const page: PublicPage = {
  path: '/help/:step(ask|follow)?',
  name: 'help',
  order: 6,
  title: 'help.title',
  component: () => import('./Help.vue'),
};
export default page;
