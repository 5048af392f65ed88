// A waiter in the browser: from the PIN to the receipt, and two waiters on one table.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, eventually, firstScreen, logIn, named, openBrowser, openHandheld, openWindow, picture, settled, tap } from './world.mjs';

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

test('a waiter sells on a streamed screen: PIN, table, modifiers, note, send, cash, receipt', async () => {
  const page = await openHandheld(browser, edge.address);
  await picture(page, '01-people');
  await tap(page, /^Anna/);
  await picture(page, '02-pin');
  for (const digit of '1234') await tap(page, digit);
  await picture(page, '03-tables');
  await tap(page, /^Table 4\b/);
  await picture(page, '04-order-empty');
  await tap(page, /^Cola 0,33/);
  await tap(page, /^Cola 0,33/);
  await tap(page, 'Küche');
  await tap(page, /^Rumpsteak/);
  await picture(page, '05-modifiers');
  await tap(page, 'medium');
  await tap(page, /^Pommes/);
  await tap(page, /Add$|^Add/);
  await picture(page, '06-order');
  await named(page, /Rumpsteak/).waitFor();
  await tap(page, /Send/);
  await picture(page, '07-sent');
  await tap(page, /^Table 4\b/);
  await tap(page, /^Pay/);
  await picture(page, '08-pay');
  await tap(page, /exact/);
  await tap(page, /Cash received/);
  await picture(page, '09-receipt');
  await named(page, /GASTHAUS LINDE|Gasthaus Linde/).waitFor();
  await tap(page, 'Done');
  await settled(page);
  await page.context().close();
});

test('two waiters on one table see each other\'s lines while they are made', async () => {
  const anna = await openHandheld(browser, edge.address);
  const ben = await openHandheld(browser, edge.address);
  await logIn(anna, 'Anna', '1234');
  await logIn(ben, 'Ben', '2345');
  await tap(anna, /^Table 6\b/);
  await tap(ben, /^Table 6\b/);
  await tap(anna, 'Bier');
  await tap(anna, /^Helles 0,5/);
  await named(ben, /Helles 0,5/).waitFor();
  await tap(ben, /^Spezi 0,5/);
  const line = (page, name) => page.locator('#outline').getByText(name).count();
  await eventually('Anna sees Ben\'s line', () => line(anna, /Spezi 0,5/));
  await picture(anna, '10-two-waiters-anna');
  await picture(ben, '11-two-waiters-ben');
  await anna.context().close();
  await ben.context().close();
});

// How fast it is, `cargo xtask bench page` measures.
test('nothing stands between the page and its first screen: no script waits for another, and the first frame is it', async () => {
  const page = await openWindow(browser);
  const frames = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload.length)));
  await page.goto(edge.address);
  await firstScreen(page);
  assert.equal(await page.evaluate(() => globalThis.firstSocket), null, 'the connection that was opened early is the one in use');
  const [named, loaded] = await page.evaluate(() => [
    [...document.querySelectorAll('script, link')].map((each) => each.src ?? each.href),
    performance.getEntriesByType('resource').map((each) => each.name),
  ]);
  const scripts = loaded.filter((name) => /\.(js|wasm)$/.test(name));
  assert.ok(scripts.length >= 5, `scripts: ${scripts}`);
  assert.deepEqual(scripts.filter((name) => !named.includes(name)), [], 'scripts that the page did not name itself');
  assert.deepEqual(scripts.filter((name, at) => scripts.indexOf(name) !== at), [], 'scripts that were loaded twice');
  await settled(page);
  assert.equal(frames.length, 3, `the greeting, the welcome, the screen: ${frames}`);
  await page.context().close();
});
