import type { PublicPage } from '../../pages';
import Verify from './Verify.vue';

// Part of the first load: at a door on a slow line a second file to wait for
// is half a second.
const page: PublicPage = {
  path: '/verify/:no?',
  name: 'verify',
  order: 2,
  title: 'verify.title',
  component: () => Promise.resolve(Verify),
};
export default page;
