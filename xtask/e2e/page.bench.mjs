// How long the handheld's page takes from the start of loading to its first screen, beside a plain page of the same server.
import { Edge, firstScreen, openBrowser, openWindow, pause, WINDOW_OPENS_MS } from './world.mjs';

const TARGET_MS = 300;
const ROUNDS = 12;
const LOADED_MS = 1_000;

async function loaded(browser, address, measure) {
  const page = await openWindow(browser);
  await pause(WINDOW_OPENS_MS);
  await page.goto(address, { waitUntil: 'commit' });
  await pause(LOADED_MS); // A question that is asked meanwhile would be measured too.
  const ms = await measure(page);
  await page.context().close();
  return ms;
}

const firstPaint = (page) => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);

function line(name, times) {
  times.sort((a, b) => a - b);
  const [best, median, worst] = [times[0], times[times.length >> 1], times.at(-1)].map((ms) => ms.toFixed(0).padStart(5));
  console.log(`${name.padEnd(38)} ${best} ${median} ${worst}`);
  return times[times.length >> 1];
}

const edge = await Edge.create();
const browser = await openBrowser();
const handheld = [];
const plain = [];
for (let round = 0; round < ROUNDS; round += 1) {
  plain.push(await loaded(browser, `${edge.address}/pair`, firstPaint));
  handheld.push(await loaded(browser, edge.address, firstScreen));
}
await browser.close();
await edge.kill();
console.log(`${'ms from the start of loading to'.padEnd(38)}  best   mid worst   (${ROUNDS} rounds)`);
const floor = line('the first paint of the pairing page', plain);
const screen = line('the first screen of the handheld', handheld);
const verdict = screen <= TARGET_MS ? 'met' : 'missed';
console.log(`ratio ${(screen / floor).toFixed(2)}; target ${TARGET_MS} ms: ${verdict}`);
