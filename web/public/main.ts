// What everybody may see: no sign-in.
import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import '@ui/base.css';
import { addWords } from '@ui/words';
import App from './App.vue';
import { pages } from './pages';
import { site } from './site';

// asked for while the page's own code is still on its way
void site.reload();
addWords(import.meta.glob('./**/words.json', { eager: true, import: 'default' }));
document.documentElement.classList.add('reading');
const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    ...pages.map((p) => ({ path: p.path, name: p.name, component: p.component, meta: { page: p } })),
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (to, from, kept) => kept ?? (to.name === from.name ? {} : { top: 0 }),
});
createApp(App).use(router).mount('#app');
