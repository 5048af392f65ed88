// What the page itself says, in German and English. Screens come from the server in the language that it is told.

const GERMAN = {
  connecting: ['Verbinde …', 'Der Bildschirm kommt gleich.'],
  noServer: ['Der Server antwortet nicht', 'Ist er an, und ist dieses Gerät im WLAN des Hauses? Es wird weiter versucht.'],
  notPaired: ['Dieses Gerät ist noch nicht gekoppelt', 'Im Backoffice unter „Geräte“ einen Code anzeigen lassen und ihn mit diesem Gerät scannen.'],
  revoked: ['Dieses Gerät wurde gesperrt', 'Der Inhaber kann das Gerät im Backoffice neu koppeln.'],
  replaced: ['Die Kasse ist jetzt woanders offen', 'Es ist nichts verloren. Hier geht es weiter, sobald sie hier wieder geöffnet wird.'],
  version: ['Eine neue Version ist da', 'Die Seite muss neu geladen werden.'],
  noSeat: ['Kein Platz frei', 'Alle Lizenzen für diese Art Gerät sind belegt. Sobald eine frei wird, geht es hier weiter.'],
  closed: ['Die Verbindung wurde getrennt', 'Es wird erneut versucht.'],
  noKeys: ['Dieser Browser kann keinen Schlüssel anlegen', 'Die Seite muss über https:// geöffnet werden, in einem aktuellen Browser und nicht im privaten Modus.'],
  retry: 'Erneut versuchen', here: 'Hier weiterarbeiten', reload: 'Neu laden',
  direct: 'Verbunden mit dem Server im Haus.',
  relayed: 'Verbunden über das Internet.',
  passed: 'Verbunden über das Internet (TLS).',
  slow: 'Die Verbindung ist langsam.',
  away: 'Keine Verbindung. Es wird weiter versucht; was jetzt getippt wird, kommt danach an.',
  offline: 'Kein Netz. Was jetzt getippt wird, kommt danach an.',
  waiting: (count) => `${count} ${count === 1 ? 'Eingabe wartet' : 'Eingaben warten'}.`,
  full: 'Es warten schon zu viele Eingaben. Bitte warten, bis die Verbindung wieder da ist.',
  pairing: ['Wird gekoppelt …', 'Das dauert nur einen Augenblick.'],
  paired: ['Gekoppelt', 'Der Bildschirm kommt gleich.'],
  badCode: ['Dieser Code ist unvollständig', 'Bitte den Code noch einmal scannen.'],
  expired: ['Der Code gilt nicht mehr', 'Ein Code gilt zwei Minuten und für ein Gerät. Bitte einen neuen anzeigen lassen.'],
  wrong: ['Dieser Code passt nicht', 'Bitte den Code scannen, der gerade im Backoffice steht.'],
  tooMany: ['Es sind zu viele Geräte gekoppelt', 'Im Backoffice unter „Geräte“ eines entfernen, dann einen neuen Code anzeigen lassen.'],
};

const ENGLISH = {
  connecting: ['Connecting …', 'The screen is on its way.'],
  noServer: ['The server does not answer', 'Is it on, and is this device on the same Wi-Fi? It will keep trying.'],
  notPaired: ['This device is not paired yet', 'In the back office, under “Devices”, show a code and scan it with this device.'],
  revoked: ['This device was blocked', 'The owner can pair it again in the back office.'],
  replaced: ['This till is open somewhere else now', 'Nothing is lost. It goes on here as soon as you open it here again.'],
  version: ['There is a new version', 'The page has to be loaded again.'],
  noSeat: ['No seat is free', 'All licences for this kind of device are in use. It goes on here as soon as one is free.'],
  closed: ['The connection was closed', 'It will try again.'],
  noKeys: ['This browser can’t make a key', 'Open the page with https://, in a current browser and not in private mode.'],
  retry: 'Try again', here: 'Go on here', reload: 'Reload',
  direct: 'Connected to the server in the house.',
  relayed: 'Connected over the internet.',
  passed: 'Connected over the internet (TLS).',
  slow: 'The connection is slow.',
  away: 'No connection. It keeps trying; what you tap now arrives afterwards.',
  offline: 'No network. What you tap now arrives afterwards.',
  waiting: (count) => `${count} ${count === 1 ? 'input waits' : 'inputs wait'}.`,
  full: 'Too many inputs are waiting. Please wait until the connection is back.',
  pairing: ['Pairing …', 'This only takes a moment.'],
  paired: ['Paired', 'The screen is on its way.'],
  badCode: ['This code is incomplete', 'Please scan the code again.'],
  expired: ['The code is no longer good', 'A code is good for two minutes and one device. Please ask for a new one.'],
  wrong: ['This is not the right code', 'Please scan the code that the back office shows now.'],
  tooMany: ['Too many devices are paired', 'In the back office, under “Devices”, remove one, then ask for a new code.'],
};

export const language = navigator.language;
export const words = language.toLowerCase().startsWith('de') ? GERMAN : ENGLISH;
document.documentElement.lang = words === GERMAN ? 'de' : 'en';

const notice = document.getElementById('notice');
const button = notice.querySelector('button');
let shown = '';

/** Covers the screen with a heading and a sentence, and perhaps one thing to do. */
export function showNotice(name, action = null, run = null) {
  if (shown === name) return;
  shown = name;
  [notice.querySelector('h1').textContent, notice.querySelector('p').textContent] = words[name];
  button.hidden = action === null;
  button.textContent = action ? words[action] : '';
  button.onclick = run;
  notice.hidden = false;
}

export function hideNotice() {
  shown = '';
  notice.hidden = true;
}
