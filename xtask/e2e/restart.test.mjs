// The server is killed in the middle of work: every confirmed booking stays, and screens come back where they were.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, eventually, logIn, named, openBrowser, openHandheld, picture, tap } from './world.mjs';

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

test('after kill -9 both screens come back by themselves where they were, with every confirmed booking', async () => {
  const anna = await openHandheld(browser, edge.address);
  const ben = await openHandheld(browser, edge.address);
  await logIn(anna, 'Anna', '1234');
  await logIn(ben, 'Ben', '2345');
  await tap(anna, /^Table 3\b/);
  await tap(anna, /^Spezi 0,5/);
  await tap(anna, /^Spezi 0,5/);
  await tap(ben, /^Table 5\b/);
  await tap(ben, 'Küche');
  await tap(ben, /^Wiener Schnitzel/);
  const shown = [await hash(anna), await hash(ben)];

  await edge.kill();
  await eventually('both screens say that the link is gone', async () => (
    await anna.evaluate(() => tresen.link) === 'away' && await ben.evaluate(() => tresen.link) === 'away'));
  await picture(anna, '20-away');
  await edge.start();
  await eventually('both screens are attached again', async () => (
    await anna.evaluate(() => tresen.link) !== 'away' && await ben.evaluate(() => tresen.link) !== 'away'), 30_000);

  await eventually('Anna\'s screen is where it was', async () => await hash(anna) === shown[0]);
  await eventually('Ben\'s screen is where it was', async () => await hash(ben) === shown[1]);
  await tap(anna, /Send/);
  await tap(anna, /^Table 3\b/);
  await named(anna, /Spezi 0,5/).waitFor();
  await picture(anna, '21-after-restart');
});

test('a tap that is made while the server is gone is booked once when it is back', async () => {
  const page = await openHandheld(browser, edge.address);
  await logIn(page, 'Anna', '1234');
  await tap(page, /^Table 9\b/);
  await edge.kill();
  await eventually('the link is gone', () => page.evaluate(() => tresen.link === 'away'));
  await page.locator('#outline button').filter({ hasText: /^Spezi 0,5/ }).first().click();
  assert.equal(await page.evaluate(() => tresen.unanswered), 1);
  await edge.start();
  await eventually('the tap is on disk', () => page.evaluate(() => tresen.unacknowledged === 0), 30_000);
  await tap(page, /^Pay/);
  await named(page, /4[.,]10/).waitFor();
});

/** What stands on the canvas, without the bar in which the link dot is. */
const hash = (page) => page.evaluate(async () => {
  const [width, height] = tresen.size;
  const bar = Math.round(56 * devicePixelRatio) * width * 4;
  const digest = await crypto.subtle.digest('SHA-256', tresen.pixels().slice(bar, width * height * 4));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
});
