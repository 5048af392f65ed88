// A browser on the LAN: it may not attach before it is paired, pairs once by the printed code over TLS, and comes back by itself.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { Edge, firstScreen, named, openBrowser, picture } from './world.mjs';

const lan = Object.values(networkInterfaces()).flat().find((address) => address.family === 'IPv4' && !address.internal)?.address;

let edge;
let browser;
before(async () => {
  edge = await Edge.create();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await edge?.kill();
});

test('a browser on the LAN pairs once over TLS and attaches from then on', { skip: lan ? false : 'no network here' }, async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 360, height: 720 }, hasTouch: true, locale: 'en-GB' });
  const page = await context.newPage();
  const address = `https://${lan}:${edge.port}`;
  await page.goto(address);
  await page.getByText('This device is not paired').waitFor();
  await picture(page, '30-not-paired');
  const code = await edge.pairingText();
  await page.goto(code.replace(/^https:\/\/[^/]+/, address));
  await firstScreen(page);
  await picture(page, '31-paired');
  await page.reload();
  await firstScreen(page);
  assert.equal(await page.evaluate(() => isSecureContext), true);

  const other = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const stranger = await other.newPage();
  await stranger.goto(code.replace(/^https:\/\/[^/]+/, address));
  await stranger.getByText(/code is no longer good|not the right code/).waitFor();
});
