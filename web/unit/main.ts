// A unit's own report: the household's ways (code, password, draft, sending,
// receipt) in a unit's words, and the whole form on one sheet.
import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import '@ui/base.css';
import { addWords } from '@ui/words';
import { manner } from '../form/model';
import App from '../household/App.vue';
import { isOpen, me } from '../household/me';
import Send from '../household/pages/Send.vue';
import Sent from '../household/pages/Sent.vue';
import Start from '../household/pages/Start.vue';
import own from './words.json';
import Home from './pages/Home.vue';
import Sheet from './pages/Sheet.vue';

addWords(import.meta.glob('../household/**/words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../form/words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../ui/phone/words.json', { eager: true, import: 'default' }));
addWords({ own }); // last: a unit is spoken to otherwise than a household
manner.sheet = true;
document.documentElement.classList.add('reading');

const router = createRouter({
  history: createWebHistory('/unit/'),
  routes: [
    { path: '/', name: 'start', component: Start },
    { path: '/home', name: 'home', component: Home },
    { path: '/form', name: 'hub', component: Sheet },
    { path: '/check', redirect: '/form' },
    { path: '/send', name: 'send', component: Send },
    { path: '/sent', name: 'sent', component: Sent },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (to) => (to.hash ? { el: to.hash } : { top: 0 }),
});
const answers = ['hub', 'send'];
router.beforeEach((to) => {
  const may = to.name === 'start' || (me.value && (!answers.includes(String(to.name)) || isOpen()));
  return may ? true : { path: '/', replace: true };
});
createApp(App).use(router).mount('#app');
