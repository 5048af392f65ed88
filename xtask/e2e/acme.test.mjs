// The box gets its certificate from an authority, which asks back through the relay. The authority is Pebble, made for tests; all names lead to this machine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { Relay } from './relay.mjs';
import { Edge, eventually, freePort } from './world.mjs';

const DOMAIN = 'tills.example';

let relay;
let edge;
let names;
let authority;
let folder;
before(async () => {
  relay = await Relay.create(DOMAIN);
  names = await nameServer();
  folder = mkdtempSync(join(tmpdir(), 'tresen-acme-'));
  authority = await pebble();
});
after(async () => {
  await edge?.kill();
  authority?.kill();
  names?.close();
  await relay?.kill();
});

/** Answers that every name is this machine's: IPv4, nothing else. */
async function nameServer() {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    const question = query.subarray(12, end + 5);
    const isAddress = question.readUInt16BE(question.length - 4) === 1;
    const head = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]);
    const answer = isAddress ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]) : Buffer.alloc(0);
    socket.send(Buffer.concat([head, question, answer]), from.port, from.address);
  });
  await new Promise((done) => { socket.bind(0, '127.0.0.1', done); });
  return socket;
}

/** Pebble shows its API under a certificate that is made for it here. */
async function pebble() {
  const [api, management] = [await freePort(), await freePort()];
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'root.pem')];
  await new Promise((done, failed) => {
    spawn('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate], { stdio: 'ignore' })
      .once('exit', (code) => (code === 0 ? done() : failed(new Error('no certificate for the authority'))));
  });
  const config = { pebble: {
    listenAddress: `127.0.0.1:${api}`, managementListenAddress: `127.0.0.1:${management}`, certificate, privateKey: key, httpPort: 9, tlsPort: relay.tls,
  } };
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify(config));
  const running = spawn('pebble', ['-config', join(folder, 'pebble.json'), '-dnsserver', `127.0.0.1:${names.address().port}`],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' } });
  running.output = '';
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (text) => { running.output += text; });
  running.directory = `https://127.0.0.1:${api}/dir`;
  running.root = certificate;
  await eventually('the authority starts', () => running.output.includes('ACME directory available'));
  return running;
}

/** Who signed the certificate that the box shows under its public name. */
function issuer(host) {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port: relay.tls, servername: host, rejectUnauthorized: false }, () => {
      const { issuer: { CN }, subjectaltname } = socket.getPeerCertificate();
      socket.destroy();
      done({ CN, subjectaltname });
    });
    socket.once('error', () => done(null));
  });
}

test('the box gets a certificate through the relay and keeps it', async () => {
  const file = join(folder, 'edge.toml');
  writeFileSync(file, `[public]\nacme = "${authority.directory}"\nacme_root = "${authority.root}"\ncontact = "mailto:it@chain.example"\n`);
  edge = await Edge.create((data) => relay.join(data), ['--config', file]);
  const host = await eventually('the box knows its name', () => edge.output.match(/\w{52}\.tills\.example/)?.[0]);
  const certified = async () => {
    const shown = await issuer(host);
    return shown?.CN.startsWith('Pebble Intermediate') && shown;
  };
  const shown = await eventually('browsers see a certificate of the authority', certified, 30_000);
  assert.equal(shown.subjectaltname, `DNS:${host}`);
  for (const kept of ['acme.account', 'acme.key']) assert.equal(statSync(join(edge.folder, kept)).mode & 0o777, 0o600);
  const before = readFileSync(join(edge.folder, 'acme.key'), 'utf8');
  await edge.kill();
  authority.kill();
  await edge.start();
  await eventually('the certificate is still there without the authority', certified, 30_000);
  assert.equal(readFileSync(join(edge.folder, 'acme.key'), 'utf8'), before);
});
