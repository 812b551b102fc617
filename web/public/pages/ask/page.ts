import type { PublicPage } from '../../pages';
const page: PublicPage = { path: '/ask', name: 'ask', order: 4, title: 'ask.title', component: () => import('./Ask.vue') };
export default page;
