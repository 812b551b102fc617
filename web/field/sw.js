/*
 * The app's own files, all of them, kept on the device: it opens without a
 * network.  Names and number of this version are put in by the build.  Nothing
 * the office answers is kept here.
 */
const VERSION = '__VERSION__';
const FILES = __FILES__;
const NAME = `puan-field-${VERSION}`;
const PAGE = '/field/index.html';

self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(NAME).then((c) => c.addAll(FILES.map((f) => new Request(f, { cache: 'no-cache' })))));
});
self.addEventListener('activate', (e) => {
  e.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith('puan-field-') && n !== NAME).map((n) => caches.delete(n))))
      .then(() => self.clients.claim()),
  );
});
self.addEventListener('message', (e) => {
  if (e.data === 'take over') self.skipWaiting();
});
self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return;
  const page = e.request.mode === 'navigate' && /^\/field(\/|$)/.test(url.pathname);
  if (!page && !FILES.includes(url.pathname)) return;
  e.respondWith(
    caches
      .open(NAME)
      .then((c) => c.match(page ? PAGE : url.pathname))
      .then((kept) => kept ?? fetch(e.request)),
  );
});
