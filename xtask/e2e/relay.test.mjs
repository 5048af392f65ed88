// A browser and a desktop that reach the box through a relay: by its public name, over TLS.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Desktop } from './desktop.mjs';
import { Relay } from './relay.mjs';
import { Edge, PICTURES, eventually, firstScreen, logIn, named, openBrowser, openWindow, picture, settled, tap } from './world.mjs';

let relay;
let edge;
let browser;
let page;
before(async () => {
  relay = await Relay.create();
  edge = await Edge.create((folder) => relay.join(folder));
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await edge?.kill();
  await relay?.kill();
});

const link = () => eventually('a link for other networks is printed', () => edge.output.match(/https:\/\/\w{52}\.localhost:\d+\/pair#\S+/)?.[0]);

test('a browser pairs by the printed link and orders, through a relay that reads nothing', async () => {
  page = await openWindow(browser, { ignoreHTTPSErrors: true });
  await page.goto(await link());
  await firstScreen(page);
  await picture(page, '50-relay-first');
  assert.equal(await page.evaluate(() => isSecureContext), true);
  await logIn(page);
  await tap(page, /^Table 4\b/);
  await tap(page, /^Cola 0,33/);
  await named(page, /Cola 0,33/).waitFor();
  await picture(page, '51-relay-order');
  assert.equal(await page.evaluate(() => tresen.link), 'passed');
  const metrics = await relay.metrics();
  assert.match(metrics, /^tresen_relay_passes_open [1-9]/m);
  const office = await fetch(`${edge.address}/office/login`);
  assert.equal(office.status, 200, 'the back office is there on the machine itself');
});

test('the back office is not open to other networks unless the owner opens it', async () => {
  const other = await page.context().newPage();
  const answer = await other.goto(new URL('/office', page.url()).href);
  assert.equal(answer.status(), 403);
  await other.close();
});

test('a session outlives the relay', async () => {
  await relay.kill();
  await eventually('the page notices', () => page.evaluate(() => tresen.link === 'away'), 20_000);
  await relay.start();
  await eventually('the page is back', () => page.evaluate(() => tresen.link === 'passed'), 60_000);
  await tap(page, /^Spezi 0,5/);
  await named(page, /Spezi 0,5/).waitFor();
  await settled(page);
});

test('a desktop to whose relay no UDP gets reaches its box over TLS', async () => {
  const silent = createSocket('udp4');
  await new Promise((done) => { silent.bind(0, '127.0.0.1', done); });
  const desktop = await Desktop.create();
  try {
    const code = await edge.anotherCode();
    await desktop.pair(code);
    // From here on it knows nothing of the box but its relay, whose UDP says nothing.
    const file = join(desktop.folder, 'tresen/server.toml');
    const nowhere = `127.0.0.1:${silent.address().port}`;
    const server = readFileSync(file, 'utf8')
      .replace(/^authority = .*$/m, 'authority = "127.0.0.1:9"')
      .replace(/^addresses = .*$/m, 'addresses = []')
      .replace(/^(relay = "[^~]*~[^~]*)~[^~]*/m, `$1~${nowhere}`);
    writeFileSync(file, server);
    const start = Date.now();
    await desktop.open('--language', 'en');
    // Once it is there, it may find that UDP between the two of them is another matter.
    await eventually('the desktop is connected', async () => /connected/.test(await desktop.title()), 15_000);
    console.log(`connected over TLS ${Date.now() - start} ms after its start`);
    assert.match(await relay.metrics(), /^tresen_relay_passes_tunnels 1$/m);
    await desktop.picture(join(PICTURES, '52-relay-desktop.png'));
  } finally {
    desktop.close();
    silent.close();
  }
});
