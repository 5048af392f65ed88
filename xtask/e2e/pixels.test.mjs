// What the browser shows is, pixel for pixel, what the reference rasteriser on the server paints of the same screen.
import { after, before, test } from 'node:test';
import { enterOffice } from './office.mjs';
import { Edge, eventually, logIn, named, openBrowser, openHandheld, tap } from './world.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

for (const [deviceScaleFactor, colorScheme] of [[1, 'light'], [2, 'dark'], [3, 'light']]) {
  test(`the canvas is pixel-equal to the reference rasteriser at ${deviceScaleFactor} device pixels a dp, ${colorScheme}`, async (t) => {
    const edge = await Edge.create();
    t.after(() => edge.kill());
    const page = await openHandheld(browser, edge.address, { deviceScaleFactor, colorScheme });
    const office = await enterOffice(page.context(), edge.address);
    const same = (screen) => eventually(`${screen} is shown as it is painted`, async () => {
      const [shown, painted] = [await page.evaluate(hashOfCanvas), await office.evaluate(hashOfPicture, [deviceScaleFactor, ...await page.evaluate(() => tresen.size)])];
      return JSON.stringify(shown) === JSON.stringify(painted);
    });
    await same('people');
    await logIn(page);
    await named(page, /^Table 1/).waitFor();
    await same('tables');
    await tap(page, /^Table 1\b/);
    await tap(page, /^Cola 0,33/);
    await tap(page, 'Küche');
    await same('order');
    await tap(page, /^Rumpsteak/);
    await same('modifiers');
    await page.context().close();
  });
}

/** The size and hash of the canvas, without the link dot, which is the client's own: the bar's last 48 dp. */
async function hashOfCanvas() {
  const [width, height] = tresen.size;
  const pixels = tresen.pixels();
  const [dotWidth, dotHeight] = [48 * devicePixelRatio, 56 * devicePixelRatio];
  for (let y = 0; y < dotHeight; y += 1) pixels.fill(0, (y * width + width - dotWidth) * 4, (y + 1) * width * 4);
  const hash = await crypto.subtle.digest('SHA-256', pixels);
  return { width, height, hash: Array.from(new Uint8Array(hash)).join(' ') };
}

/** The same of the picture that the server paints of this browser's instance. A shadow may reach beyond the screen. */
async function hashOfPicture([ratio, width, height]) {
  const answer = await fetch('/office/instances/1/screen.png?full=1', { cache: 'no-store' });
  const image = await createImageBitmap(await answer.blob(), { colorSpaceConversion: 'none' });
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const [dotWidth, dotHeight] = [48 * ratio, 56 * ratio];
  for (let y = 0; y < dotHeight; y += 1) pixels.fill(0, (y * width + width - dotWidth) * 4, (y + 1) * width * 4);
  const hash = await crypto.subtle.digest('SHA-256', pixels);
  return { width, height, hash: Array.from(new Uint8Array(hash)).join(' ') };
}
