// The household's own form: a phone, one thumb, one matter a screen.
import { createApp } from 'vue';
import '@ui/base.css';
import { addWords } from '@ui/words';
import App from './App.vue';

addWords(import.meta.glob('./**/words.json', { eager: true, import: 'default' }));
document.documentElement.classList.add('reading');
createApp(App).mount('#app');
