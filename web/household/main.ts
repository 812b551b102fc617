// The household's own form: a phone, one thumb, one matter a screen.
import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import '@ui/base.css';
import { addWords } from '@ui/words';
import App from './App.vue';
import { isOpen, me } from './me';
import Check from './pages/Check.vue';
import Home from './pages/Home.vue';
import Hub from '../form/Hub.vue';
import Question from '../form/Question.vue';
import Send from './pages/Send.vue';
import Sent from './pages/Sent.vue';
import Start from './pages/Start.vue';

addWords(import.meta.glob('./**/words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../form/words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../ui/phone/words.json', { eager: true, import: 'default' }));
document.documentElement.classList.add('reading');

const router = createRouter({
  history: createWebHistory('/household/'),
  routes: [
    { path: '/', name: 'start', component: Start },
    { path: '/home', name: 'home', component: Home },
    { path: '/form', name: 'hub', component: Hub },
    { path: '/q/:id', name: 'question', component: Question },
    { path: '/check', name: 'check', component: Check },
    { path: '/send', name: 'send', component: Send },
    { path: '/sent', name: 'sent', component: Sent },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (to) => (to.hash ? { el: to.hash } : { top: 0 }),
});
// nothing of a household without its session; the first page signs in
// and no answers but its own: going back in a shared browser opens no other's
const answers = ['hub', 'question', 'check', 'send'];
router.beforeEach((to) => {
  const may = to.name === 'start' || (me.value && (!answers.includes(String(to.name)) || isOpen()));
  return may ? true : { path: '/', replace: true };
});
createApp(App).use(router).mount('#app');
