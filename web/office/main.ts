// The office: finds its pages, makes the router, starts the shell.
import { createApp } from 'vue';
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router';
import '@ui/base.css';
import { addWords } from '@ui/words';
import App from './shell/App.vue';
import { pages } from './pages';

addWords(import.meta.glob('./**/words.json', { eager: true, import: 'default' }));

const routes: RouteRecordRaw[] = pages.map((p) => ({
  path: `/office/${p.path}`,
  name: p.name,
  component: p.component,
  meta: { page: p },
}));
routes.push(
  { path: '/office', name: 'start', component: () => import('./shell/Start.vue') },
  { path: '/office/:rest(.*)*', name: 'missing', component: () => import('./shell/Missing.vue') },
);

const router = createRouter({
  history: createWebHistory('/'),
  routes,
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});
createApp(App).use(router).mount('#app');
