// What everybody may see: no sign-in.
import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import '@ui/base.css';
import { addWords } from '@ui/words';
import App from './App.vue';
import { pages } from './pages';

addWords(import.meta.glob('./**/words.json', { eager: true, import: 'default' }));
document.documentElement.classList.add('reading');
const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    ...pages.map((p) => ({ path: p.path, name: p.name, component: p.component, meta: { page: p } })),
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});
createApp(App).use(router).mount('#app');
