// A relay on this machine, with a folder and ports of its own.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort, program } from './world.mjs';

const run = promisify(execFile);

/** A running relay that passes TLS on below a domain; `kill()` is kill -9, `start()` starts it again on the same folder and ports. */
export class Relay {
  static async create(domain = 'localhost') {
    const relay = new Relay();
    relay.domain = domain;
    relay.folder = mkdtempSync(join(tmpdir(), 'tresen-relay-'));
    [relay.udp, relay.http, relay.tls] = [await freePort(), await freePort(), await freePort()];
    await relay.start();
    return relay;
  }

  async start() {
    this.output = '';
    const at = (port) => `127.0.0.1:${port}`;
    this.process = spawn(program('tresen-relay'), [
      '--data', this.folder, 'run', '--listen', at(this.udp), '--http', at(this.http), '--tls', at(this.tls), '--domain', this.domain,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => { this.output += text; });
    await eventually('the relay starts', async () => {
      if (this.process.exitCode !== null) throw new Error(`the relay ended:\n${this.output}`);
      return fetch(`http://${at(this.http)}/health`).then((answer) => answer.ok, () => false);
    });
  }

  kill() {
    return new Promise((done) => {
      this.process.once('exit', done);
      this.process.kill('SIGKILL');
    });
  }

  /** Lets a box join: the server on a folder. */
  async join(folder) {
    const { stdout } = await run(program('tresen-relay'), ['--data', this.folder, 'tenant', 'add', 'Gasthaus Linde']);
    const enrolment = stdout.match(/^Enrolment\s+(\S+)$/m)[1];
    await run(program('tresen-edge'), ['join', `127.0.0.1:${this.udp}`, enrolment, '--data', folder]);
  }

  async metrics() {
    return fetch(`http://127.0.0.1:${this.http}/metrics`).then((answer) => answer.text());
  }
}
