// The back office in a browser.

/** A page on which Olga is signed in. */
export async function enterOffice(context, address) {
  const page = await context.newPage();
  await page.goto(`${address}/office/login`);
  await page.locator('#staff').selectOption({ label: 'Olga' });
  await page.locator('#pin').fill('9999');
  await page.locator('form button').first().click();
  await page.waitForURL(/\/office$/);
  return page;
}
