// The back office: the owner signs in, sees every handheld live, pairs a device and revokes it, adds staff.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enterOffice } from './office.mjs';
import { Edge, eventually, openBrowser, openHandheld, picture, tap } from './world.mjs';

const PAGES = ['', '/stations', '/devices', '/licence', '/staff'];

let edge;
let browser;
let handheld;
before(async () => {
  edge = await Edge.create();
  browser = await openBrowser();
  handheld = await openHandheld(browser, edge.address);
});
after(async () => {
  await browser?.close();
  await edge?.kill();
});

test('nobody sees the back office without a PIN', async () => {
  const page = await browser.newPage({ locale: 'en-GB' });
  await page.goto(`${edge.address}/office/devices`);
  assert.match(page.url(), /\/office\/login/);
  await page.locator('#staff').selectOption({ label: 'Olga' });
  await page.locator('#pin').fill('1234');
  await page.locator('form button').first().click();
  await page.locator('#wrong').waitFor();
  await page.close();
});

for (const [width, height, locale, colorScheme] of [[1280, 800, 'en-GB', 'light'], [1280, 800, 'de-DE', 'dark'], [360, 740, 'de-DE', 'light']]) {
  test(`the pages at ${width}x${height} in ${locale}, ${colorScheme}`, async () => {
    const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme });
    const page = await enterOffice(context, edge.address);
    for (const path of PAGES) {
      const answer = await page.goto(`${edge.address}/office${path}`);
      assert.equal(answer.status(), 200, path);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${path} is ${overhang} px wider than the page`);
      await picture(page, `office-${width}-${locale.slice(0, 2)}-${colorScheme}-${path.slice(1) || 'overview'}`);
    }
    await context.close();
  });
}

test('the picture of a handheld in the overview follows what is tapped on it', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await enterOffice(context, edge.address);
  const pictures = () => page.locator('img[src*="screen.png"]').evaluateAll((images) => images.map((image) => image.src).join());
  const before = await pictures();
  await tap(handheld, /^Ben/);
  await eventually('the picture changes', async () => await pictures() !== before);
  await context.close();
});

test('a page says so while the server is gone', async () => {
  const context = await browser.newContext({ locale: 'de-DE', viewport: { width: 1280, height: 800 } });
  const page = await enterOffice(context, edge.address);
  const banner = page.locator('#lost');
  assert.equal(await banner.isVisible(), false);
  await edge.kill();
  await banner.waitFor({ state: 'visible' });
  assert.match(await banner.textContent(), /Verbindung verloren seit \d\d:\d\d/);
  await picture(page, 'office-connection-lost');
  await edge.start();
  await banner.waitFor({ state: 'hidden' });
  await context.close();
});
