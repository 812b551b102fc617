// The enumerator's app: a phone, one hand, with or without a network.
import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import '@ui/base.css';
import '@ui/size';
import { addWords } from '@ui/words';
import Hub from '../form/Hub.vue';
import Question from '../form/Question.vue';
import App from './App.vue';
import { device, stage, wake } from './device';
import { alone, takeFiles } from './install';
import Check from './pages/Check.vue';
import Enrol from './pages/Enrol.vue';
import Help from './pages/Help.vue';
import Household from './pages/Household.vue';
import Listing from './pages/Listing.vue';
import Mine from './pages/Mine.vue';
import Notices from './pages/Notices.vue';
import Sign from './pages/Sign.vue';
import Today from './pages/Today.vue';
import Transfer from './pages/Transfer.vue';
import Unlock from './pages/Unlock.vue';
import { household } from '../form/model';

addWords(import.meta.glob('./words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../form/words.json', { eager: true, import: 'default' }));
addWords(import.meta.glob('../ui/phone/words.json', { eager: true, import: 'default' }));

const router = createRouter({
  history: createWebHistory('/field/'),
  routes: [
    { path: '/', name: 'today', component: Today },
    { path: '/enrol', name: 'enrol', component: Enrol },
    { path: '/unlock', name: 'unlock', component: Unlock },
    { path: '/transfer', name: 'transfer', component: Transfer },
    { path: '/notices', name: 'notices', component: Notices },
    { path: '/mine', name: 'mine', component: Mine },
    { path: '/listing', name: 'listing', component: Listing },
    { path: '/help', name: 'help', component: Help },
    { path: '/h/:household', name: 'household', component: Household },
    { path: '/form', name: 'hub', component: Hub },
    { path: '/q/:id', name: 'question', component: Question },
    { path: '/check', name: 'check', component: Check },
    { path: '/sign', name: 'sign', component: Sign },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: () => ({ top: 0 }),
});
/** Where to go on after the PIN: the address as it was opened. */
let wanted = '';
const answers = ['hub', 'question', 'check', 'sign'];
router.beforeEach((to) => {
  if (stage.value === 'none') return to.name === 'enrol' ? true : { path: '/enrol', replace: true };
  if (stage.value === 'locked') {
    if (to.name === 'unlock') return true;
    wanted = to.fullPath;
    return { path: '/unlock', replace: true };
  }
  if (to.name === 'unlock') return { path: '/', replace: true };
  if (to.name === 'enrol' && device.value) return { path: '/', replace: true };
  // nobody's answers without their draft being open
  if (answers.includes(String(to.name)) && !household.value) return { path: '/', replace: true };
  return true;
});

async function start(): Promise<void> {
  await alone();
  await wake();
  createApp(App, { goOn: () => wanted }).use(router).mount('#app');
  void takeFiles();
}
void start();
