// The handheld's page: one session on one canvas. What is decided is decided in the WebAssembly module; this carries it out.

import init, { Handheld } from './tresen_web.js';
import { connect } from './connection.js';
import { listen } from './input.js';
import { OutlineView } from './outline.js';
import { keepBack, keepAwake } from './device.js';
import { canvas, context, layOut } from './stage.js';
import { hideNotice, language, showNotice, words } from './words.js';

// The protocol's close codes that the page has words for, and what a person can do about each.
const NOTICES = {
  1: ['version', 'reload'], 4: ['notPaired', 'retry'], 5: ['revoked', 'retry'], 6: ['replaced', 'here'], 7: ['noSeat', 'retry'],
};
const CONNECTING_AFTER_MS = 400;
const NO_SERVER_AFTER_FAILURES = 2;
const WORDS_FOR_MS = 4_000;
const REPORT_EVERY_MS = 250;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const dark = matchMedia('(prefers-color-scheme: dark)');
const theme = () => (dark.matches ? 'dark' : 'light');
const now = () => performance.now();
const bubble = document.getElementById('words');

let place = layOut();
let handheld;
let memory;
let socket = null;
let opening = false;
let barred = false;
let noticed = false;
let failures = 0;
let retryTimer;
let timer;
let wordsTimer;
let frameAsked = false;
let firstScreenMs = null;

const outline = new OutlineView(document.getElementById('outline'), {
  edit: (text) => act(() => handheld.edit(now(), text)),
  beginEditing: (item) => act(() => handheld.begin_editing(item)),
  endEditing: () => act(() => handheld.end_editing()),
  scroll: (area, offset) => act(() => handheld.scroll_to(area, Math.round(offset * place.ratio))),
});

function act(work) {
  work();
  after();
}

/** To be called after everything that the client was told. */
function after() {
  flush();
  askFrame();
}

function flush() {
  for (let event = handheld.event(); event !== undefined; event = handheld.event()) happened(event);
  for (let message = handheld.transmit(now()); message !== undefined; message = handheld.transmit(now())) socket?.send(message);
  clearTimeout(timer);
  const at = handheld.timeout();
  if (at !== undefined) timer = setTimeout(timedOut, Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(at - now()))));
}

function timedOut() {
  if (!handheld.timed_out(now())) lost();
  after();
}

function askFrame() {
  if (frameAsked) return;
  frameAsked = true;
  requestAnimationFrame(frame);
}

function frame() {
  frameAsked = false;
  if (!handheld.has_screen()) return;
  const fresh = canvas.width !== place.width || canvas.height !== place.height;
  if (fresh) [canvas.width, canvas.height] = [place.width, place.height];
  const rects = handheld.paint(now());
  if (rects.length > 0) {
    const bytes = new Uint8ClampedArray(memory.buffer, handheld.pixels(), 4 * place.width * place.height);
    const image = new ImageData(bytes, place.width, place.height);
    for (let at = 0; at < rects.length; at += 4) context.putImageData(image, 0, 0, ...rects.subarray(at, at + 4));
    outline.update(handheld, place.ratio);
  }
  if (firstScreenMs === null) {
    firstScreenMs = now();
    canvas.hidden = false;
    navigator.serviceWorker?.register('sw.js').catch(() => {});
  }
  flush();
  if (handheld.is_moving()) askFrame();
}

function happened(event) {
  const [kind, code, then] = event.split(' ');
  if (kind === 'status') say(linkInWords());
  if (kind === 'full') say(words.full);
  if (kind === 'editing') {
    const input = outline.input(handheld.edited_item());
    if (input) input.focus();
    else if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  }
  if (kind === 'closed') closed(Number(code), then === 'stay');
}

function linkInWords() {
  const waiting = handheld.unanswered();
  const state = handheld.link(now());
  const link = words[state === 'away' && !navigator.onLine ? 'offline' : state];
  return waiting > 0 ? `${link} ${words.waiting(waiting)}` : link;
}

function say(text) {
  bubble.textContent = text;
  bubble.hidden = false;
  clearTimeout(wordsTimer);
  wordsTimer = setTimeout(() => { bubble.hidden = true; }, WORDS_FOR_MS);
}

function closed(code, stays) {
  const [notice, action] = NOTICES[code] ?? (stays ? ['closed', 'retry'] : []);
  noticed = Boolean(notice);
  if (notice) showNotice(notice, action, action === 'reload' ? () => location.reload() : attach);
  barred = stays;
  socket?.close();
}

/** Opens a session, or goes on with it. */
function attach() {
  if (opening || socket) return;
  clearTimeout(retryTimer);
  barred = false;
  take(connect());
}

/** Another network is there: the connection of the old one may be dead without anybody saying so. It stays until a new one is open. */
function networkChanged() {
  if (socket === null) attach();
  else if (!opening) take(connect());
}

async function take(attempt) {
  opening = true;
  try {
    const opened = await attempt;
    await ready;
    const before = socket;
    socket = opened;
    if (before) drop(before);
    handheld.connected(now(), opened.way);
    flush();
    opened.onclose = () => lost(opened);
    opened.onmessage = (event) => received(opened, event.data);
    for (const data of opened.early) received(opened, data);
    if (opened.readyState > WebSocket.OPEN) lost(opened);
  } catch (error) {
    await ready;
    if (socket === null) refused(error.message);
  } finally {
    opening = false;
  }
}

function refused(reason) {
  failures += 1;
  if (reason === 'notPaired') {
    barred = true;
    return showNotice('notPaired', 'retry', attach);
  }
  if (!handheld.has_screen() && failures >= NO_SERVER_AFTER_FAILURES) showNotice('noServer', 'retry', attach);
  retry();
}

function retry() {
  const wait = handheld.disconnected(now(), Math.floor(Math.random() * 2 ** 32));
  if (!barred) retryTimer = setTimeout(attach, wait);
  after();
}

function lost(from = socket) {
  if (from === null || from !== socket) return;
  socket = null;
  drop(from);
  retry();
}

function drop(gone) {
  gone.onclose = gone.onmessage = null;
  gone.close();
}

function received(from, data) {
  if (from !== socket) return;
  failures = 0;
  const handled = handheld.handle(now(), new Uint8Array(data));
  noticed = false;
  after();
  if (!handled) lost(from);
  else if (!noticed && handheld.has_screen()) hideNotice();
  // The first screen does not wait for the display's next turn.
  if (firstScreenMs === null) frame();
}

/** For developers: `?overlay` shows how the link is and what became of guesses. */
function showReport() {
  const line = document.createElement('div');
  line.id = 'report';
  line.setAttribute('aria-hidden', 'true');
  document.getElementById('stage').append(line);
  setInterval(() => { line.textContent = handheld?.report(now()) ?? ''; }, REPORT_EVERY_MS);
}

function resized() {
  place = layOut();
  if (!handheld) return;
  handheld.look(place.width, place.height, place.ratio, theme(), language);
  after();
}

if (new URLSearchParams(location.search).has('overlay')) showReport();

/** For tests, to read only. */
globalThis.tresen = Object.freeze({
  get rootId() { return handheld?.root_id() ?? ''; },
  get link() { return handheld?.link(now()) ?? 'away'; },
  get unanswered() { return handheld?.unanswered() ?? 0; },
  get unacknowledged() { return handheld?.unacknowledged() ?? 0; },
  get firstScreenMs() { return firstScreenMs; },
  get size() { return [canvas.width, canvas.height]; },
  /** What stands on the canvas: four bytes a pixel. */
  pixels() { return context.getImageData(0, 0, canvas.width, canvas.height).data; },
  /** SHA-256 of it, in hex. */
  async pixelsHash() {
    const hash = await crypto.subtle.digest('SHA-256', this.pixels());
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  },
});

const ready = init({ module_or_path: globalThis.compiledClient }).then((module) => {
  memory = module.memory;
  handheld = new Handheld(place.width, place.height, place.ratio, theme(), language);
  listen({ handheld: () => handheld, ratio: () => place.ratio, after });
  keepBack(() => act(() => handheld.key(now(), 'Escape')));
  askFrame();
});
setTimeout(() => {
  if (firstScreenMs === null && !barred) showNotice('connecting');
}, CONNECTING_AFTER_MS);
take(connect());
keepAwake();
addEventListener('resize', resized);
dark.addEventListener('change', resized);
addEventListener('online', networkChanged);
// Browsers on handhelds tell Wi-Fi from mobile networks; the event comes for new estimates of the speed as well.
let networkKind = navigator.connection?.type;
navigator.connection?.addEventListener?.('change', () => {
  const { type } = navigator.connection;
  if (type !== networkKind && type !== 'none') networkChanged();
  networkKind = type;
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) attach();
});
