// Every screen in every size, theme and language that is promised, as pictures to look at; nothing may hang over an edge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, logIn, openBrowser, openHandheld, picture, tap } from './world.mjs';

const SIZES = [[360, 640, 1], [360, 720, 2], [412, 915, 3], [768, 1024, 1], [1280, 800, 1]];
const WORDS = {
  'en-GB': { table: 'Table', pay: /^Pay/, back: 'Back' },
  'de-DE': { table: 'Tisch', pay: /^Zahlen/, back: 'Zurück' },
};
const LEAST_TARGET_DP = 48;

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

for (const [width, height, deviceScaleFactor] of SIZES) {
  for (const [locale, colorScheme] of [['en-GB', 'light'], ['de-DE', 'dark']]) {
    const name = `${width}x${height}-${locale.slice(0, 2)}-${colorScheme}`;
    test(`the screens at ${name}`, async (t) => {
      // Whoever comes to a station finds it as it was left: each begins in a house of its own.
      const edge = await Edge.create();
      t.after(() => edge.kill());
      const words = WORDS[locale];
      const page = await openHandheld(browser, `${edge.address}/?size=full`, { viewport: { width, height }, deviceScaleFactor, locale, colorScheme });
      const show = async (screen) => {
        await picture(page, `look-${name}-${screen}`);
        await targetsAreLarge(page, `${name} ${screen}`);
      };
      await show('1-people');
      await logIn(page);
      await show('2-tables');
      await tap(page, new RegExp(`^${words.table} 2\\b`));
      await tap(page, /^Cola Zero/);
      await tap(page, 'Küche');
      await tap(page, /^Rumpsteak/);
      await show('3-modifiers');
      await tap(page, 'medium');
      await tap(page, /^Knödel/);
      await tap(page, /(Add|Hinzufügen)/);
      await show('4-order');
      await tap(page, words.pay);
      await show('5-pay');
      await page.context().close();
    });
  }
}

/** No target is smaller than a finger. What a list or the screen cuts off is not counted. */
async function targetsAreLarge(page, where) {
  const small = await page.locator('#outline').evaluate((outline, least) => [...outline.querySelectorAll('button')].flatMap((button) => {
    const { width, height } = button.getBoundingClientRect();
    return width < least - 0.5 || height < least - 0.5 ? [`${button.textContent} ${width}x${height}`] : [];
  }), LEAST_TARGET_DP);
  assert.deepEqual(small, [], where);
}
