// The back office: the owner signs in, sees every handheld live, pairs a device and revokes it, adds staff.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enterOffice } from './office.mjs';
import { Edge, eventually, logIn, openBrowser, openHandheld, picture, tap, touchable } from './world.mjs';

const PAGES = ['', '/catalogue', '/stations', '/devices', '/network', '/licence', '/staff'];

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

for (const [locale, colorScheme] of [['en-GB', 'light'], ['de-DE', 'dark']]) {
  test(`a photo that is uploaded in the browser shows on the handheld, in ${locale}, ${colorScheme}`, async () => {
    const look = { locale, colorScheme, reducedMotion: 'reduce' };
    const waiter = await openHandheld(browser, edge.address, look);
    await logIn(waiter, 'Anna', '1234');
    await tap(waiter, locale === 'de-DE' ? /^Tisch 9\b/ : /^Table 9\b/);
    await tap(waiter, 'Bier');
    await touchable(waiter, /^Helles 0,5/).waitFor();
    const without = await waiter.screenshot();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
    const page = await enterOffice(context, edge.address);
    await page.goto(`${edge.address}/office/catalogue`);
    await picture(page, `catalogue-${colorScheme}`);
    await page.goto(`${edge.address}/office/catalogue/201`);
    await page.locator('#file').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    await page.locator('form[enctype] button').first().click();
    await page.locator('.flash.late:not(.lost)').waitFor();
    await picture(page, `catalogue-refused-${colorScheme}`);
    await page.locator('#file').setInputFiles(join(import.meta.dirname, 'helles.jpg'));
    await page.locator('form[enctype] button').first().click();
    await page.locator('.photo.large img').waitFor();
    assert.ok(await page.locator('.photo.large img').evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
    await picture(page, `catalogue-product-${colorScheme}`);
    await eventually('the tile shows it', async () => !without.equals(await waiter.screenshot()));
    await picture(waiter, `handheld-photo-${colorScheme}`);
    await tap(waiter, 'Getränke');
    await picture(waiter, `handheld-photos-${colorScheme}`);
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overhang <= 0, `the page is ${overhang} px too wide`);
    await page.locator('[popovertarget="ask"]').first().click();
    await page.locator('#ask form button').click();
    await page.locator('.flash.good').waitFor();
    assert.equal(await page.locator('.photo.large img').count(), 0);
    await Promise.all([context.close(), waiter.context().close()]);
  });
}
