// Says so while the server does not answer: a page that refreshes itself would otherwise stand still as if nothing happened.
'use strict';

const EVERY_MS = 3000;
const PATIENCE_MS = 5000;

const banner = document.getElementById('lost');
let answered = new Date();

async function isThere() {
  try {
    const answer = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

async function look() {
  if (await isThere()) {
    answered = new Date();
    banner.hidden = true;
  } else if (banner.hidden) {
    const time = answered.toLocaleTimeString(document.documentElement.lang, {
      hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
    });
    banner.querySelector('span').textContent = banner.dataset.text.replace('{}', time);
    banner.hidden = false;
  }
  setTimeout(look, EVERY_MS);
}

if (banner) {
  setTimeout(look, EVERY_MS);
}
