// A demo server with a folder of its own, browsers that look at it, and what a person does with them.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const BINARIES = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), process.env.TRESEN_PROFILE ?? 'debug');
const START_LIMIT_MS = 20_000;
const LIMIT_MS = 10_000;
/** A new window loads pages of the browser's own for about so long. */
export const WINDOW_OPENS_MS = 1_500;
export const PICTURES = join(ROOT, 'target/e2e');
mkdirSync(PICTURES, { recursive: true });

const CHROMIUM_FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--force-color-profile=srgb',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** The path of a program of the workspace. */
export const program = (name) => join(BINARIES, name);

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Tries `work` until it gives something other than a falsehood; throws with `what` when it takes too long. */
export async function eventually(what, work, limitMs = LIMIT_MS) {
  const limit = Date.now() + limitMs;
  for (;;) {
    const found = await work();
    if (found) return found;
    if (Date.now() > limit) throw new Error(`this did not happen within ${limitMs} ms: ${what}`);
    await pause(40);
  }
}

/** A port that nobody has at the moment. */
export function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** A running edge server; `kill()` is kill -9, `start()` starts it again on the same folder and port. */
export class Edge {
  /** `prepare` is called with the folder before the server starts; `options` are its arguments. */
  static async create(prepare = async () => {}, options = []) {
    const edge = new Edge();
    edge.options = options;
    edge.folder = mkdtempSync(join(tmpdir(), 'tresen-'));
    await prepare(edge.folder);
    edge.port = await freePort();
    edge.address = `http://127.0.0.1:${edge.port}`;
    await edge.start();
    return edge;
  }

  async start() {
    this.output = '';
    this.process = spawn(program('tresen-edge'),
      ['run', '--demo', '--data', this.folder, '--port', String(this.port), ...this.options], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.on('data', (text) => { this.output += text; });
    this.process.stderr.on('data', (text) => { this.output += text; });
    await eventually(`the server starts`, async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended:\n${this.output}`);
      return fetch(`${this.address}/health`).then((answer) => answer.ok, () => false);
    }, START_LIMIT_MS);
  }

  kill() {
    return new Promise((done) => {
      this.process.once('exit', done);
      this.process.kill('SIGKILL');
    });
  }

  /** The text of the pairing code that the server printed. */
  pairingText() {
    return eventually('a pairing code is printed', () => this.output.match(/https:\/\/\S+\/pair#\S+/)?.[0]);
  }

  /** The text of another pairing code. */
  async anotherCode() {
    const { stdout } = await run(program('tresen-edge'), ['pair', '--data', this.folder]);
    return stdout.match(/https:\/\/\S+\/pair#\S+/)[0];
  }
}

export function openBrowser() {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS });
}

/** An empty window as large as a phone: 360x720 dp. */
export async function openWindow(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 360, height: 720 }, deviceScaleFactor: 2, hasTouch: true, locale: 'en-GB', ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  return page;
}

/** A page on the handheld. Waits for its first screen. */
export async function openHandheld(browser, address, options = {}) {
  const page = await openWindow(browser, options);
  await page.goto(address);
  await firstScreen(page);
  return page;
}

/** Milliseconds from the start of loading to the first screen on the canvas. */
export async function firstScreen(page) {
  const shown = await page.waitForFunction(() => globalThis.tresen?.firstScreenMs ?? false, null, { polling: 20 });
  return shown.jsonValue();
}

/** What can be pressed and has this name: exactly a text, or a pattern. */
export function touchable(page, name) {
  const pattern = typeof name === 'string' ? new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) : name;
  return page.locator('#outline button').filter({ hasText: pattern }).first();
}

/** Anything with a name on the screen: labels and what can be pressed. */
export const named = (page, name) => page.locator('#outline').getByText(name).first();

/** Taps it. */
export async function tap(page, name) {
  await touchable(page, name).click();
  await settled(page);
}

/** Waits until the server has answered everything that was done. What books nothing is written to the disk much later. */
export async function settled(page) {
  await page.waitForFunction(() => globalThis.tresen.unanswered === 0, null, { polling: 20 });
}

export async function logIn(page, person = 'Anna', pin = '1234') {
  await tap(page, new RegExp(`^${person}`));
  for (const digit of pin) await tap(page, digit);
}

/** All names on the screen, in order. */
export const names = (page) => page.locator('#outline').evaluate(
  (outline) => [...outline.querySelectorAll('button, .label, input')].map((each) => each.textContent || each.ariaLabel));

export const picture = (page, name) => page.screenshot({ path: join(PICTURES, `${name}.png`) });
