import type { PublicPage } from '../../pages';
const page: PublicPage = { path: '/', name: 'home', order: 1, title: 'home.title', component: () => import('./Home.vue') };
export default page;
