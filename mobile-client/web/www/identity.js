// Who this browser is: a key that it made itself and nobody can take out of it. It is all that is stored here.

const DATABASE = 'tresen';
const STORE = 'identity';
const KEY = 'key';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const DOMAIN = 'tresen browser session v1';

function request(work) {
  return new Promise((done, failed) => {
    work.onsuccess = () => done(work.result);
    work.onerror = () => failed(work.error);
  });
}

async function inStore(mode, work) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await request(opening);
  try {
    return await request(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

/** The key pair of this browser, or nothing. */
export async function storedKey() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return null;
  return (await inStore('readonly', (store) => store.get(KEY)).catch(() => null)) ?? null;
}

/** Makes a new key pair. Throws where the browser can't, or could not keep one. */
export async function makeKey() {
  await inStore('readonly', (store) => store.get(KEY));
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
}

/** Keeps a key pair in the place of the one before. Throws where the browser can't. */
export async function keepKey(pair) {
  await inStore('readwrite', (store) => store.put(pair, KEY));
  await navigator.storage?.persist?.();
}

/** The public half, as the server takes it. */
export async function publicKey(pair) {
  return base64url(await crypto.subtle.exportKey('spki', pair.publicKey));
}

/** Names this tab on the demo's own machine, where no key is asked for. */
function tabName() {
  let tab = sessionStorage.getItem('tab');
  if (!tab) {
    tab = base64url(crypto.getRandomValues(new Uint8Array(16)));
    sessionStorage.setItem('tab', tab);
  }
  return tab;
}

/** The answer to a server's greeting, as text; `null` when this browser has nothing to prove. */
export async function proof(greeting) {
  if (greeting.loopback) return JSON.stringify({ loopback: { tab: tabName() } });
  const pair = await storedKey();
  if (!pair) return null;
  const head = new TextEncoder().encode(`${DOMAIN}\0${greeting.server}\0`);
  const challenge = bytesOf(greeting.challenge);
  const statement = new Uint8Array(head.length + challenge.length);
  statement.set(head);
  statement.set(challenge, head.length);
  const signature = await crypto.subtle.sign(SIGNATURE, pair.privateKey, statement);
  return JSON.stringify({ browser: { key: await publicKey(pair), signature: base64url(signature) } });
}
