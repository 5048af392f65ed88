// The desktop client: paired by the text of the code, a real window under an X server, beside two browsers on the same table.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Desktop } from './desktop.mjs';
import { Edge, PICTURES, eventually, logIn, named, openBrowser, openHandheld, tap, touchable } from './world.mjs';

const SIZE = { width: 360, height: 720 };
const BAR_PX = 56;

let edge;
let browser;
let desktop;
before(async () => {
  edge = await Edge.create();
  browser = await openBrowser();
  desktop = await Desktop.create(SIZE);
});
after(async () => {
  desktop?.close();
  await browser?.close();
  await edge?.kill();
});

test('the desktop client pairs by the printed text and shows, on one table with two browsers, what they order', async () => {
  await desktop.pair(await edge.pairingText());
  await desktop.open('--size', `${SIZE.width}x${SIZE.height}`, '--theme', 'light', '--language', 'en');
  const guide = await openHandheld(browser, edge.address, { deviceScaleFactor: 1, viewport: SIZE });
  const anna = await openHandheld(browser, edge.address);
  await logIn(anna, 'Anna', '1234');

  // The guide shows the same screens in the same size: it knows where things are.
  const both = async (name) => {
    const box = await touchable(guide, name).boundingBox();
    const before = await shown();
    await desktop.click(box.x + box.width / 2, box.y + box.height / 2);
    await tap(guide, name);
    await eventually('the desktop shows something else', async () => await shown() !== before);
    await eventually('the desktop shows what the browser shows', sameAsGuide);
  };
  const shown = async () => hashBelowBar(await desktop.pixels());
  const sameAsGuide = async () => await shown() === await guide.evaluate(hashOfCanvas);

  await eventually('the desktop shows the people', sameAsGuide);
  await both(/^Ben/);
  for (const digit of '2345') await both(digit);
  await both(/^Table 8\b/);
  await both('Bier');
  await tap(anna, /^Table 8\b/);
  const before = await shown();
  await tap(anna, /^Spezi 0,5/);
  await named(guide, /Spezi 0,5/).waitFor();
  await eventually('the desktop shows what Anna ordered', async () => await shown() !== before && await sameAsGuide());
  await desktop.picture(join(PICTURES, '40-desktop.png'));
  assert.equal(desktop.process.exitCode, null);
});

/** The hash of a screenshot without the bar, in which the station's name and the link dot are. */
function hashBelowBar({ width, data }) {
  return createHash('sha256').update(data.subarray(BAR_PX * width * 3)).digest('hex');
}

/** The same of a browser's canvas. */
async function hashOfCanvas() {
  const [width, height] = tresen.size;
  const [from, pixels] = [56 * width, tresen.pixels()];
  const bytes = new Uint8Array((width * height - from) * 3);
  for (let pixel = from, at = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1, at += 1) bytes[at] = pixels[pixel * 4 + channel];
  }
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
