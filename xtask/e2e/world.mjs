// A demo server with a folder of its own, browsers that look at it, and what a person does with them.
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = resolve(import.meta.dirname, '../..');
const BINARIES = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug');
const START_LIMIT_MS = 20_000;
export const PICTURES = join(ROOT, 'target/e2e');
mkdirSync(PICTURES, { recursive: true });

export const CHROMIUM_FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

function freePort() {
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
  static async create() {
    const edge = new Edge();
    edge.folder = mkdtempSync(join(tmpdir(), 'tresen-'));
    edge.port = await freePort();
    edge.address = `http://127.0.0.1:${edge.port}`;
    await edge.start();
    return edge;
  }

  async start() {
    this.output = '';
    this.process = spawn(join(BINARIES, 'tresen-edge'),
      ['run', '--demo', '--data', this.folder, '--port', String(this.port)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.on('data', (text) => { this.output += text; });
    this.process.stderr.on('data', (text) => { this.output += text; });
    const limit = Date.now() + START_LIMIT_MS;
    for (;;) {
      try {
        if ((await fetch(this.address)).ok) return;
      } catch { /* not up yet */ }
      if (Date.now() > limit || this.process.exitCode !== null) throw new Error(`the server did not start:\n${this.output}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  kill() {
    return new Promise((done) => {
      this.process.once('exit', done);
      this.process.kill('SIGKILL');
    });
  }

  /** The text of the pairing code that the server printed. */
  pairingText() {
    return this.output.match(/https:\/\/\S+\/pair#\S+/)[0];
  }
}

export function openBrowser() {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS });
}

/** A page on the handheld: a phone of 360x720 dp. */
export async function openHandheld(browser, edge, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 360, height: 720 }, deviceScaleFactor: 2, locale: 'en-GB', ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(edge.address);
  return page;
}

export const tap = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' }).first().click();

export async function logIn(page, person = 'Anna', pin = '1234') {
  await tap(page, new RegExp(person));
  for (const digit of pin) await tap(page, digit);
}

export const picture = (page, name) => page.screenshot({ path: join(PICTURES, `${name}.png`) });
export { BINARIES };
