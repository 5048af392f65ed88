// The desktop client under an X server of its own: started, tapped and looked at as a person would.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, program } from './world.mjs';

const run = promisify(execFile);

export class Desktop {
  /** An X server with nothing on it. */
  static async create(size = { width: 360, height: 720 }) {
    const desktop = new Desktop();
    desktop.folder = mkdtempSync(join(tmpdir(), 'tresen-desktop-'));
    desktop.output = '';
    desktop.server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', `${size.width}x${size.height}x24`], { stdio: ['ignore', 'pipe', 'ignore'] });
    const number = await new Promise((done) => { desktop.server.stdout.once('data', (text) => done(String(text).trim())); });
    desktop.environment = { ...process.env, DISPLAY: `:${number}`, HOME: desktop.folder, XDG_CONFIG_HOME: desktop.folder, XDG_DATA_HOME: desktop.folder, WAYLAND_DISPLAY: '', WINIT_X11_SCALE_FACTOR: '1', LANG: 'en_GB.UTF-8' };
    return desktop;
  }

  /** Pairs by the text of a code. */
  async pair(code) {
    return run(program('tresen-desktop'), ['pair', code], { env: this.environment });
  }

  /** Opens the window. */
  async open(...options) {
    this.process = spawn(program('tresen-desktop'), options, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => { this.output += text; });
    this.window = await eventually('the window opens', async () => {
      if (this.process.exitCode !== null) throw new Error(`the desktop client ended:\n${this.output}`);
      const found = await run('xdotool', ['search', '--onlyvisible', '--class', 'tresen-desktop'], { env: this.environment }).catch(() => null);
      return found?.stdout.trim().split('\n')[0];
    });
  }

  /** Clicks at a point of the screen. */
  async click(x, y) {
    await run('xdotool', ['mousemove', '--sync', String(Math.round(x)), String(Math.round(y)), 'click', '1'], { env: this.environment });
  }

  /** What the screen shows: width, height and three bytes a pixel. */
  async pixels() {
    const { stdout } = await run('import', ['-window', 'root', '-depth', '8', 'ppm:-'], { env: this.environment, encoding: 'buffer', maxBuffer: 1 << 26 });
    const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(stdout.subarray(0, 64).toString('latin1'));
    return { width: Number(head[1]), height: Number(head[2]), data: stdout.subarray(head[0].length) };
  }

  /** The window's title, which says how the link is. */
  async title() {
    const { stdout } = await run('xdotool', ['getwindowname', this.window], { env: this.environment });
    return stdout.trim();
  }

  async picture(path) {
    await run('import', ['-window', 'root', path], { env: this.environment });
  }

  close() {
    this.process?.kill();
    this.server.kill();
  }
}
