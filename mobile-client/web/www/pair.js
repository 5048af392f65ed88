// Pairing: the code's secret stands behind the `#`, which never leaves the browser in a request line. It is posted once, with a new key.

import { keepKey, makeKey, publicKey } from './identity.js';
import { showNotice } from './words.js';

const NOTICES = { closed: 'expired', expired: 'expired', wrong: 'wrong', full: 'tooMany', malformed: 'badCode' };

function deviceName() {
  const brands = navigator.userAgentData?.brands?.map((each) => each.brand) ?? [];
  const agent = navigator.userAgent;
  const browser = brands.find((brand) => !/not.?a.?brand|chromium/i.test(brand))
    ?? ['Firefox', 'Edg', 'Chrome', 'Safari'].find((name) => agent.includes(name)) ?? 'Browser';
  const system = navigator.userAgentData?.platform
    ?? ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find((name) => agent.includes(name));
  return system ? `${browser} · ${system}` : browser;
}

async function pair() {
  const [, secret] = location.hash.slice(1).split('.');
  history.replaceState(null, '', location.pathname);
  if (!secret) return showNotice('badCode');
  showNotice('pairing');
  let made;
  let key;
  try {
    made = await makeKey();
    key = await publicKey(made);
  } catch {
    return showNotice('noKeys');
  }
  const answer = await fetch('pair', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ pair: { secret, name: deviceName(), key } }),
  }).then((response) => response.json()).catch(() => null);
  if (!answer) return showNotice('noServer');
  if (answer.refused) return showNotice(NOTICES[answer.refused.reason] ?? 'wrong');
  // Only now: a refused code must not cost the browser the key that it is known by.
  try {
    await keepKey(made);
  } catch {
    return showNotice('noKeys');
  }
  showNotice('paired');
  location.replace('./');
}

pair();
