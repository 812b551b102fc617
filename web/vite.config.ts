// One tree, three entries: office, household, public.  The server maps
// /office/*, /household/* and the public addresses to their entry (feature
// `web`); here the development server does the same.
import { defineConfig, type Plugin } from 'vite';
import vue from '@vitejs/plugin-vue';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const server = process.env.PUAN ?? 'http://127.0.0.1:8020';

const entries: Plugin = {
  name: 'puan-entries',
  configureServer(s) {
    s.middlewares.use((req, _res, next) => {
      const path = (req.url ?? '/').split('?')[0] ?? '/';
      if (!/\.[a-z0-9]+$/i.test(path) && !path.startsWith('/@') && !path.startsWith('/api')) {
        const entry = /^\/(office|household)(\/|$)/.exec(path)?.[1] ?? 'public';
        req.url = `/${entry}/index.html`;
      }
      next();
    });
  },
};

export default defineConfig({
  root,
  base: '/',
  publicDir: false,
  plugins: [vue(), entries],
  resolve: { alias: { '@ui': `${root}ui` } },
  server: { proxy: { '/api': server }, host: '127.0.0.1' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2020',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: {
        office: `${root}office/index.html`,
        household: `${root}household/index.html`,
        public: `${root}public/index.html`,
      },
    },
  },
});
