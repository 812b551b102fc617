// One tree, five entries: office, household, unit, field, public.  The server
// maps /office/*, /household/*, … and the public addresses to their entry (feature
// `web`); here the development server does the same.
import { defineConfig, type Plugin } from 'vite';
import vue from '@vitejs/plugin-vue';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const server = process.env.PUAN ?? 'http://127.0.0.1:8020';

const entries: Plugin = {
  name: 'puan-entries',
  configureServer(s) {
    s.middlewares.use((req, _res, next) => {
      const path = (req.url ?? '/').split('?')[0] ?? '/';
      if (!/\.[a-z0-9]+$/i.test(path) && !path.startsWith('/@') && !path.startsWith('/api')) {
        const entry = /^\/(office|household|unit|field)(\/|$)/.exec(path)?.[1] ?? 'public';
        req.url = `/${entry}/index.html`;
      }
      next();
    });
  },
};

/*
 * The enumerator's app opens without a network: its service worker is given
 * the names of all files the app is made of.
 */
const offline: Plugin = {
  name: 'puan-offline',
  apply: 'build',
  generateBundle(_options, bundle) {
    const files = new Set<string>();
    const walk = (name: string) => {
      const c = bundle[name];
      if (files.has(name) || c?.type !== 'chunk') return;
      files.add(name);
      const meta = (c as { viteMetadata?: { importedCss: Set<string>; importedAssets: Set<string> } }).viteMetadata;
      for (const f of [...(meta?.importedCss ?? []), ...(meta?.importedAssets ?? [])]) files.add(f);
      for (const f of [...c.imports, ...c.dynamicImports]) walk(f);
    };
    for (const c of Object.values(bundle)) if (c.type === 'chunk' && c.isEntry && c.facadeModuleId?.endsWith('/field/index.html')) walk(c.fileName);
    for (const f of Object.values(bundle)) if (/(field|icon)-[^/]*\.(webmanifest|svg)$/.test(f.fileName)) files.add(f.fileName);
    const list = ['field/index.html', 'field/icon.svg', ...[...files].sort()].map((f) => `/${f}`);
    const icon = readFileSync(`${root}field/icon.svg`, 'utf8');
    const page = readFileSync(`${root}field/index.html`, 'utf8');
    const version = createHash('sha256').update(list.join('\n') + icon + page).digest('hex').slice(0, 12);
    const worker = readFileSync(`${root}field/sw.js`, 'utf8').replace('__VERSION__', version).replace('__FILES__', JSON.stringify(list));
    this.emitFile({ type: 'asset', fileName: 'field/sw.js', source: worker });
    this.emitFile({ type: 'asset', fileName: 'field/icon.svg', source: icon });
  },
};

export default defineConfig({
  root,
  base: '/',
  publicDir: false,
  plugins: [vue(), entries, offline],
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
        unit: `${root}unit/index.html`,
        field: `${root}field/index.html`,
        public: `${root}public/index.html`,
      },
    },
  },
});
