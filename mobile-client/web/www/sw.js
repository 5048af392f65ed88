// Makes the page installable, and lets it open while the server is away: then it says so. The server's own files always win; the copies
// here are of one version, and an older version's are dropped.

const VERSION = '@VERSION@';
const SHELL = [
  './', 'style.css', 'icon.svg', 'manifest.webmanifest', 'app.js', 'connection.js', 'device.js', 'early.js', 'identity.js', 'input.js',
  'outline.js', 'stage.js', 'words.js', 'tresen_web.js', 'tresen_web_bg.wasm',
].map((path) => new URL(path, location.href).href);

addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(SHELL)).then(() => skipWaiting()));
});

addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== VERSION).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => clients.claim()));
});

addEventListener('fetch', (event) => {
  const address = event.request.url.split(/[?#]/)[0];
  if (event.request.method !== 'GET' || !SHELL.includes(address)) return;
  event.respondWith(fetch(event.request).catch(() => caches.match(address, { cacheName: VERSION }).then((copy) => copy ?? Response.error())));
});
